//! The next hop that a neighbour is told (RFC 4271 §5.1.3, RFC 2545 §3, RFC 8950): as it came, as policy says, or ours. Our
//! link-local address goes along where FRR adds it: to a neighbour on a link of ours, of another AS or for a route of our own.

use std::net::{IpAddr, Ipv6Addr};

use bgp_packet::Family;
use bgp_packet::attr::{Attributes, NextHop};
use ferrite_types::Afi;

use super::super::policy::PolicyInput;
use super::super::settings::{NexthopMode, PeerKind, PeerParams};
use super::{Target, Way};

/// What policy said of the next hop, and what kind of route it is.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// Policy has set the address, or the global one of two.
    set: bool,
    /// Policy has set the link-local one.
    link_local: bool,
    unchanged: bool,
    /// `set ip next-hop peer-address`: ours.
    own: bool,
    originated: bool,
    way: Way,
}

impl Asked {
    pub fn of(route: &PolicyInput<'_>, way: Way) -> Self {
        Self {
            set: route.nexthop_set,
            link_local: route.link_local_set,
            unchanged: route.nexthop_unchanged,
            own: route.nexthop_peer_address,
            originated: route.source.is_none(),
            way,
        }
    }

    fn own_link_local(self, to: &PeerParams) -> Option<Ipv6Addr> {
        let told = self.originated || to.kind == PeerKind::External;
        let here = to.ifindex.is_some() && !self.way.reflected && !self.way.transparent;
        to.local_link_local.filter(|_| told && here)
    }
}

/// Puts the next hop into the attributes; `None` where we have no address to give.
pub fn set(target: Target<'_>, attrs: &mut Attributes, asked: Asked) -> Option<()> {
    let wanted = match attrs.next_hop {
        NextHop::V6 { link_local, .. } if asked.link_local => link_local,
        _ => None,
    };
    // What policy sets and the neighbour cannot take is not set.
    if asked.set && !extended_to(target) && matches!(attrs.next_hop, NextHop::V6 { .. }) {
        attrs.next_hop = asked.way.next_hop?;
        choose(target, attrs, asked)?;
    } else if asked.set {
        if let NextHop::V6 { global, .. } = attrs.next_hop {
            attrs.next_hop = NextHop::V6 { global, link_local: asked.own_link_local(target.params) };
        }
    } else if !asked.unchanged {
        choose(target, attrs, asked)?;
    }
    if let (Some(addr), NextHop::V6 { global, .. }) = (wanted, attrs.next_hop) {
        attrs.next_hop = NextHop::V6 { global, link_local: Some(addr) };
    }
    Some(())
}

/// Without a word of policy.
fn choose(target: Target<'_>, attrs: &mut Attributes, asked: Asked) -> Option<()> {
    let (to, settings) = (target.params, target.settings);
    let addr = attrs.next_hop.addr();
    let own = addr.is_unspecified()
        || asked.own
        || match settings.nexthop {
            NexthopMode::OwnForced => true,
            NexthopMode::Own => !asked.way.reflected,
            NexthopMode::Unchanged => false,
            NexthopMode::Default => {
                to.kind == PeerKind::External && !settings.route_server_client && !third_party(to, addr)
            }
        };
    let received = match attrs.next_hop {
        NextHop::V6 { link_local, .. } if settings.nexthop_local_unchanged => link_local,
        _ => None,
    };
    if own || !can_take(target, attrs.next_hop) {
        attrs.next_hop = own_nexthop(target.family, to, asked)?;
        if let (Some(received), NextHop::V6 { global, .. }) = (received, attrs.next_hop) {
            attrs.next_hop = NextHop::V6 { global, link_local: Some(received) };
        }
    } else if let NextHop::V6 { global, .. } = attrs.next_hop {
        // A link-local address means something only on the link it came from.
        if !third_party(to, addr) && received.is_none() {
            attrs.next_hop = NextHop::V6 { global, link_local: asked.own_link_local(to) };
        }
    }
    Some(())
}

/// Whether a next hop means anything to the receiver: an IPv6 one of an IPv4 route only where that was agreed on
/// (RFC 8950 §4), a link-local one alone to nobody on another link.
fn can_take(target: Target<'_>, next_hop: NextHop) -> bool {
    match next_hop {
        NextHop::V4(_) => true,
        NextHop::V6 { global, .. } if global.is_unicast_link_local() => {
            target.settings.nexthop_local_unchanged && extended_to(target)
        }
        NextHop::V6 { .. } => extended_to(target),
    }
}

fn extended_to(target: Target<'_>) -> bool {
    target.family.afi == Afi::Ipv6 || target.params.extended_next_hop
}

/// The next hop and the receiver are on one network with us.
fn third_party(to: &PeerParams, addr: IpAddr) -> bool {
    to.shared_networks.iter().any(|network| network.contains(addr) && network.contains(to.addr))
}

fn own_nexthop(family: Family, to: &PeerParams, asked: Asked) -> Option<NextHop> {
    match family.afi {
        Afi::Ipv6 => {
            // Where there is no other address the link-local one takes both places.
            let alone = to.local_link_local.filter(|_| to.ifindex.is_some() && to.local_v6.is_none());
            let link_local = alone.or_else(|| asked.own_link_local(to));
            Some(NextHop::V6 { global: to.local_v6.or(link_local)?, link_local })
        }
        // Where IPv6 next hops were agreed on they are used: the link may have no IPv4 at all.
        _ if to.extended_next_hop => {
            own_nexthop(Family::IPV6_UNICAST, to, asked).or(to.local_v4.map(NextHop::V4))
        }
        _ => to.local_v4.map(NextHop::V4),
    }
}
