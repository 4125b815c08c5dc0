//! What a session must know of the configuration, as plain data that the instance fills in.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bgp_packet::attr::{AttributeLimits, CodeSet, SessionKind};
use bgp_packet::capability::{GracefulRestart, LongLived, Role};
use bgp_packet::notification::{Notification, cease};
use bgp_packet::{Family, FamilySet};
use ferrite_keychain::KeyChain;
use ferrite_types::{Asn, IfIndex, RouterId};

use super::reason::DownReason;

/// Which AS the neighbour may be of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RemoteAs {
    Number(Asn),
    /// Ours.
    Internal,
    /// Any but ours.
    External,
    /// Any.
    Auto,
}

/// `bgp confederation identifier` and `peers`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Confederation {
    pub identifier: Asn,
    pub members: Vec<Asn>,
}

/// `shutdown`, with the text that the neighbour's operator is to read (RFC 9003).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Shutdown {
    pub message: Option<String>,
}

/// What keeps a peer down although its configuration would let it run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HoldDown {
    pub reason: DownReason,
    /// Until somebody clears it, where there is none.
    pub time: Option<Duration>,
}

/// `update-source`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UpdateSource {
    Address(IpAddr),
    Interface(String),
}

/// `ttl-security hops N`: packets must come with a TTL of 255 less the hops on the way (RFC 5082).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TtlSecurity {
    pub hops: u8,
}

/// `bgp tcp-keepalive`, times in seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TcpKeepalive {
    pub idle: u16,
    pub interval: u16,
    pub probes: u8,
}

/// How segments are signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Signing {
    /// TCP MD5 (RFC 2385).
    Md5(String),
    /// TCP-AO (RFC 5925) with the keys of a chain; whoever has the sockets changes keys as their times come.
    Ao(Arc<KeyChain>),
}

impl Signing {
    /// Whether a connection signed this way can go on as `new` says: TCP-AO changes to other keys under way, but not a key
    /// under its number.
    fn goes_on_as(&self, new: &Self) -> bool {
        let (Self::Ao(old), Self::Ao(new)) = (self, new) else { return self == new };
        let same = |id: &u32, key: &ferrite_keychain::Key| {
            new.keys.get(id).is_none_or(|now| (&now.secret, now.algorithm) == (&key.secret, key.algorithm))
        };
        old.keys.iter().all(|(id, key)| same(id, key))
    }
}

fn signing_goes_on(old: Option<&Signing>, new: Option<&Signing>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => old.goes_on_as(new),
        (old, new) => old == new,
    }
}

/// How the connection is made: data for whoever has the sockets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transport {
    pub remote: SocketAddr,
    /// The VRF device that the connection is made through.
    pub device: Option<Arc<str>>,
    pub source: Option<UpdateSource>,
    /// Interface of a link-local neighbour.
    pub ifindex: Option<IfIndex>,
    /// TTL of what we send, where it is not the host's: 1 for eBGP to the next hop, `ebgp-multihop`'s otherwise.
    pub ttl: Option<u8>,
    pub ttl_security: Option<TtlSecurity>,
    pub signing: Option<Signing>,
    pub tcp_mss: Option<u16>,
    pub keepalive: Option<TcpKeepalive>,
    /// DSCP of what we send, six bits.
    pub dscp: u8,
}

impl Transport {
    pub const fn new(remote: SocketAddr) -> Self {
        Self {
            remote,
            device: None,
            source: None,
            ifindex: None,
            ttl: None,
            ttl_security: None,
            signing: None,
            tcp_mss: None,
            keepalive: None,
            dscp: 48,
        }
    }
}

/// One neighbour's session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionConfig {
    pub remote_as: RemoteAs,
    /// The AS of `router bgp`.
    pub asn: Asn,
    /// `local-as`: what an external neighbour sees instead.
    pub local_as: Option<Asn>,
    /// Either AS will do; the other is tried where one is refused.
    pub dual_as: bool,
    pub confederation: Option<Confederation>,
    pub router_id: RouterId,
    /// Seconds; zero: no hold timer.
    pub hold_time: u16,
    /// Seconds; zero: no keepalives.
    pub keepalive: u16,
    /// Seconds.
    pub connect_retry: u16,
    /// Seconds to let the neighbour speak first.
    pub delay_open: Option<u16>,
    /// `bgp minimum-holdtime`.
    pub minimum_hold_time: u16,
    pub passive: bool,
    pub shutdown: Option<Shutdown>,
    /// Something else that keeps the session from being: no route to the neighbour, no address family.
    pub blocked: Option<DownReason>,
    /// `no bgp fast-external-failover`: a session that is up outlives the way to its neighbour, until its hold time ends.
    pub outlives_link: bool,
    pub families: FamilySet,
    /// Families in which we can take path identifiers.
    pub add_path_receive: FamilySet,
    /// Families in which we want to send them.
    pub add_path_send: FamilySet,
    /// Paths of a prefix that we want at most (`addpath-rx-paths-limit`), where we said.
    pub paths_limits: Vec<(Family, u16)>,
    /// `capability extended-nexthop`.
    pub extended_next_hop: bool,
    pub extended_message: bool,
    /// Off with `dont-capability-negotiate`.
    pub send_capabilities: bool,
    /// `strict-capability-match`: everything we can, they must.
    pub strict_capabilities: bool,
    /// `override-capability`: our families count, whatever they say.
    pub override_capabilities: bool,
    /// `capability fqdn`: host and domain name.
    pub hostname: Option<(String, String)>,
    /// `capability dynamic`.
    pub dynamic: bool,
    /// `capability software-version`.
    pub software_version: Option<String>,
    /// `local-role`, and whether the neighbour must have one.
    pub role: Option<(Role, bool)>,
    /// One administration over both ASes: LOCAL_PREF is taken.
    pub oad: bool,
    /// OPEN in the form of RFC 9072.
    pub extended_parameters: bool,
    /// `bgp allow-martian-nexthop`.
    pub allow_martian_nexthop: bool,
    /// `restarting` holds for the first session after a start only.
    pub graceful_restart: Option<GracefulRestart>,
    /// Long-lived graceful restart (RFC 9494).
    pub long_lived: Option<Vec<LongLived>>,
    /// `bgp hard-administrative-reset`.
    pub hard_administrative_reset: bool,
    pub enforce_first_as: bool,
    pub aigp: bool,
    /// `path-attribute discard` and `treat-as-withdraw`.
    pub discard: CodeSet,
    pub withdraw: CodeSet,
    /// How much one route may carry.
    pub limits: AttributeLimits,
    /// Families in which we want to send outbound route filters (RFC 5291), and take them.
    pub orf_send: FamilySet,
    pub orf_receive: FamilySet,
    pub transport: Transport,
}

impl SessionConfig {
    /// A plain session with FRR's traditional defaults.
    pub fn new(asn: Asn, router_id: RouterId, remote_as: RemoteAs, remote: SocketAddr) -> Self {
        Self {
            remote_as,
            asn,
            local_as: None,
            dual_as: false,
            confederation: None,
            router_id,
            hold_time: 180,
            keepalive: 60,
            connect_retry: 30,
            delay_open: None,
            minimum_hold_time: 0,
            passive: false,
            shutdown: None,
            blocked: None,
            outlives_link: false,
            families: FamilySet::EMPTY.with(Family::IPV4_UNICAST),
            add_path_receive: FamilySet::EMPTY,
            add_path_send: FamilySet::EMPTY,
            paths_limits: Vec::new(),
            extended_next_hop: false,
            extended_message: true,
            send_capabilities: true,
            strict_capabilities: false,
            override_capabilities: false,
            hostname: None,
            dynamic: false,
            software_version: None,
            role: None,
            oad: false,
            extended_parameters: false,
            allow_martian_nexthop: false,
            graceful_restart: None,
            long_lived: None,
            hard_administrative_reset: true,
            enforce_first_as: false,
            aigp: false,
            discard: CodeSet::EMPTY,
            withdraw: CodeSet::EMPTY,
            limits: AttributeLimits::default(),
            orf_send: FamilySet::EMPTY,
            orf_receive: FamilySet::EMPTY,
            transport: Transport::new(remote),
        }
    }

    /// Whether the configuration lets the session be. Without a router identifier nothing can be said in an OPEN.
    pub fn may_run(&self) -> bool {
        self.shutdown.is_none() && self.blocked.is_none() && !self.router_id.is_unset()
    }

    /// What a neighbour of this AS is to us; `None` where it may not be one.
    pub fn kind_of(&self, remote: Asn) -> Option<SessionKind> {
        let as_ours = self.local_as == Some(remote)
            && matches!(self.remote_as, RemoteAs::Internal | RemoteAs::Number(_));
        let kind = if remote == self.asn || as_ours {
            SessionKind::Internal
        } else if self.confederation.as_ref().is_some_and(|confed| confed.members.contains(&remote)) {
            SessionKind::Confederation
        } else {
            SessionKind::External
        };
        let fits = match self.remote_as {
            RemoteAs::Number(asn) => asn == remote,
            RemoteAs::Internal => kind == SessionKind::Internal,
            RemoteAs::External => kind != SessionKind::Internal,
            RemoteAs::Auto => true,
        };
        fits.then_some(kind)
    }

    /// What the neighbour is to us as far as the configuration alone can say.
    pub fn expected_kind(&self) -> SessionKind {
        match self.remote_as {
            RemoteAs::Number(asn) => self.kind_of(asn).unwrap_or(SessionKind::External),
            RemoteAs::Internal => SessionKind::Internal,
            RemoteAs::External | RemoteAs::Auto => SessionKind::External,
        }
    }

    /// The AS that we are to the neighbour.
    pub fn our_as(&self) -> Asn {
        let outside = self.confederation.as_ref().map(|confed| confed.identifier);
        match self.expected_kind() {
            SessionKind::External => self.local_as.or(outside).unwrap_or(self.asn),
            SessionKind::Internal | SessionKind::Confederation => self.local_as.unwrap_or(self.asn),
        }
    }

    /// Whether a change to `new` cannot be had without a new session: why, and what the neighbour is told. Timers and
    /// policy are not among it: timers, and what is said about restarts, are agreed on with the next session, as in FRR.
    pub fn reset_by(&self, new: &Self) -> Option<(DownReason, Notification)> {
        let changed = |reason| Some((reason, Notification::cease(cease::CONFIG_CHANGE)));
        if let (None, Some(shutdown)) = (&self.shutdown, &new.shutdown) {
            let text = shutdown.message.as_deref().unwrap_or_default();
            let notification = Notification::cease_with_text(cease::ADMIN_SHUTDOWN, text);
            return Some((DownReason::AdminShutdown, notification));
        }
        if let (false, Some(reason)) = (self.blocked == new.blocked, new.blocked) {
            return changed(reason);
        }
        let (old, now) = (&self.transport, &new.transport);
        let rows = [
            (self.router_id != new.router_id, DownReason::RouterIdChanged),
            (self.remote_as != new.remote_as, DownReason::RemoteAsChanged),
            (self.asn != new.asn || self.local_as != new.local_as, DownReason::LocalAsChanged),
            (self.confederation != new.confederation, DownReason::ConfedIdChanged),
            (old.source != now.source || old.ifindex != now.ifindex, DownReason::UpdateSourceChanged),
            (old.remote != now.remote || old.tcp_mss != now.tcp_mss, DownReason::UpdateSourceChanged),
            (!signing_goes_on(old.signing.as_ref(), now.signing.as_ref()), DownReason::PasswordChanged),
            (old.ttl != now.ttl || old.ttl_security != now.ttl_security, DownReason::MultihopChanged),
            (self.passive != new.passive, DownReason::PassiveChanged),
            (self.families != new.families, DownReason::FamilyActivated),
            (!self.same_terms(new), DownReason::CapabilityChanged),
        ];
        rows.into_iter().find(|(differs, _)| *differs).and_then(|(_, reason)| changed(reason))
    }

    /// Whether our OPEN says or demands the same, beyond identity and families, and what comes is read the same way.
    fn same_terms(&self, new: &Self) -> bool {
        let flags = |c: &Self| {
            [
                c.extended_next_hop,
                c.extended_message,
                c.send_capabilities,
                c.strict_capabilities,
                c.override_capabilities,
                c.enforce_first_as,
                c.aigp,
                c.oad,
            ]
        };
        flags(self) == flags(new)
            && (self.orf_send, self.orf_receive) == (new.orf_send, new.orf_receive)
            && (self.add_path_receive, self.add_path_send) == (new.add_path_receive, new.add_path_send)
            && self.paths_limits == new.paths_limits
            // Told in a CAPABILITY message, or else with the next session.
            && (self.dynamic || self.software_version == new.software_version)
            && self.dynamic == new.dynamic
            && self.role == new.role
            && (self.discard, self.withdraw, self.limits) == (new.discard, new.withdraw, new.limits)
    }
}
