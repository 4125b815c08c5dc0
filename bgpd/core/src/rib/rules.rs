//! Rules of a session that hold for every family: roles and the only-to-customer attribute (RFC 9234 §5), one administration
//! over two ASes, loops seen by the sender. With them, how many routes of a neighbour were refused, and for what.

use std::borrow::Cow;

use bgp_packet::attr::Attributes;
use bgp_packet::capability::Role;
use ferrite_types::Asn;

use super::reason::Refusal;
use super::settings::PeerParams;

/// What is peculiar to a session beside its kind.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct PeerRules {
    /// Our role towards the neighbour.
    pub role: Option<Role>,
    /// The neighbour's AS is under one administration with ours.
    pub oad: bool,
    /// An update group of its own.
    pub solo: bool,
    /// What holds the neighbour's AS is not sent.
    pub sender_loop_detection: bool,
}

impl PeerRules {
    /// The neighbour is a customer or client of ours.
    fn serves(self) -> bool {
        matches!(self.role, Some(Role::Provider | Role::RouteServer))
    }

    /// The neighbour is a provider or route server of ours.
    fn is_served(self) -> bool {
        matches!(self.role, Some(Role::Customer | Role::RouteServerClient))
    }

    fn peers(self) -> bool {
        self.role == Some(Role::Peer)
    }
}

fn otc(attrs: &Attributes) -> Option<Asn> {
    attrs.rare.as_deref().and_then(|rare| rare.otc)
}

/// A route leak: it was meant for customers only and comes from one, or from a peer who had it from somebody else.
pub fn leaked(attrs: &Attributes, params: &PeerParams) -> bool {
    let Some(asn) = otc(attrs) else { return false };
    params.rules.serves() || (params.rules.peers() && asn != params.remote_as)
}

/// What came from a provider, a peer or a route server goes to customers only.
pub fn mark_received(attrs: &mut Cow<'_, Attributes>, params: &PeerParams) {
    let marks = params.rules.is_served() || params.rules.peers();
    if marks && otc(attrs).is_none() {
        attrs.to_mut().rare.get_or_insert_default().otc = Some(params.remote_as);
    }
}

/// Whether a route must not go to this neighbour.
pub fn customers_only(attrs: &Attributes, to: &PeerParams) -> bool {
    (to.rules.is_served() || to.rules.peers()) && otc(attrs).is_some()
}

/// What goes to a customer, a peer or a client goes no further than to its customers.
pub fn mark_sent(attrs: &mut Attributes, to: &PeerParams) {
    if (to.rules.serves() || to.rules.peers()) && otc(attrs).is_none() {
        attrs.rare.get_or_insert_default().otc = Some(to.local_as);
    }
}

/// Routes refused since the session began.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Refused {
    pub filtered: u32,
    pub as_loop: u32,
    pub originator_loop: u32,
    pub cluster_loop: u32,
    pub next_hop: u32,
}

impl Refused {
    pub fn count(&mut self, refusal: Refusal) {
        let count = match refusal {
            Refusal::AsLoop => &mut self.as_loop,
            Refusal::OriginatorLoop => &mut self.originator_loop,
            Refusal::ClusterLoop => &mut self.cluster_loop,
            Refusal::NextHop | Refusal::NextHopAfterPolicy => &mut self.next_hop,
            _ => &mut self.filtered,
        };
        *count = count.saturating_add(1);
    }

    pub fn plus(self, other: Self) -> Self {
        Self {
            filtered: self.filtered.saturating_add(other.filtered),
            as_loop: self.as_loop.saturating_add(other.as_loop),
            originator_loop: self.originator_loop.saturating_add(other.originator_loop),
            cluster_loop: self.cluster_loop.saturating_add(other.cluster_loop),
            next_hop: self.next_hop.saturating_add(other.next_hop),
        }
    }
}
