//! Policy as the table calls it: a compiled chain that says permit or deny and may change the route.
//!
//! The chain itself (prefix list, distribute list, filter list, route map) is made by the configuration out of `lib/policy`;
//! a shard sees only [`Filter`]. A filter that does not look at the prefix is asked once per attribute set and peer, not
//! once per route.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use bgp_packet::attr::Attributes;
use ferrite_policy::{Action, MapTrace, Scope, Trail};
use ferrite_rpki::Direction;
use ferrite_types::{Asn, IfIndex, Prefix, RouteProtocol, RouterId};

use super::bandwidth::Shared;
use super::rpki::RpkiView;

/// What a policy says about a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    Permit,
    Deny,
}

/// A part of a chain and what it said.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "type")]
pub enum PolicyStep {
    /// A prefix list, distribute list or filter list.
    List {
        /// As the neighbour's line calls it.
        kind: &'static str,
        name: String,
        verdict: Action,
        /// The rule that decided; none where no rule matched or the list is empty.
        #[serde(skip_serializing_if = "Option::is_none")]
        rule: Option<String>,
    },
    RouteMap(MapTrace),
    /// Named, but not there: denies.
    Missing {
        kind: &'static str,
        name: String,
    },
}

/// Asks a policy, watched where somebody wants to know.
pub fn judge(
    policy: &Arc<dyn Filter>,
    route: &mut PolicyInput<'_>,
    steps: Option<&mut Vec<PolicyStep>>,
) -> Verdict {
    match steps {
        None => policy.apply(route),
        Some(steps) => policy.trace(route, steps),
    }
}

/// A compiled policy.
pub trait Filter: fmt::Debug + Send + Sync {
    fn apply(&self, route: &mut PolicyInput<'_>) -> Verdict;

    /// The same, telling how. Nothing is counted.
    fn trace(&self, route: &mut PolicyInput<'_>, _steps: &mut Vec<PolicyStep>) -> Verdict {
        self.apply(route)
    }

    /// The entries of the route map by which the route passes, of which it changes nothing; `None` where it is denied.
    fn trail(&self, route: &mut PolicyInput<'_>) -> Option<Trail> {
        (self.apply(route) == Verdict::Permit).then(Trail::default)
    }

    /// Changes a route as those entries do, whatever they match.
    fn retrace(&self, _trail: &[u16], _route: &mut PolicyInput<'_>) {}

    /// Whether the verdict or the changes may depend on the prefix.
    fn depends_on_prefix(&self) -> bool {
        true
    }

    /// Whether it asks which neighbour it is applied for (`match peer`): then neighbours do not share an update group.
    fn depends_on_peer(&self) -> bool {
        false
    }

    /// What stays the same through edits of the lists and maps it is made of, so that an edit moves nobody to another
    /// update group. `None`: the object itself.
    fn identity(&self) -> Option<u64> {
        None
    }

    /// Tells two states of one identity apart.
    fn generation(&self) -> u64 {
        0
    }

    /// The prefixes that it may judge differently than `old`, an earlier state of the same identity.
    fn scope_since(&self, _old: &dyn Filter) -> Scope {
        Scope::All
    }

    /// Whether it asks for a neighbour by interface or group.
    fn depends_on_names(&self) -> bool {
        false
    }

    /// Whether it asks how far the neighbour is.
    fn depends_on_round_trip(&self) -> bool {
        false
    }

    /// Whether it asks what the RPKI says: then it is asked again when that changes.
    fn depends_on_rpki(&self) -> bool {
        false
    }
}

/// How a neighbour is called beside its address, for `match peer NAME`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PeerNames {
    pub interface: Option<String>,
    pub group: Option<String>,
}

impl PeerNames {
    pub fn has(&self, name: &str) -> bool {
        self.interface.as_deref() == Some(name) || self.group.as_deref() == Some(name)
    }
}

/// The neighbour that a route comes from or goes to, for `match peer`, `set … peer-address`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyPeer {
    pub addr: IpAddr,
    /// Where some policy asks for names.
    pub names: Option<Arc<PeerNames>>,
    /// Milliseconds to it and back, where its policy asks for that.
    pub round_trip: Option<u32>,
    pub remote_as: Asn,
    pub remote_id: RouterId,
    pub ifindex: Option<IfIndex>,
    pub internal: bool,
    /// Of another AS, and of none of our confederation.
    pub external: bool,
    /// A link bandwidth that is set has 64 bits.
    pub bandwidth_extended: bool,
    /// Our end of the session.
    pub local_v4: Option<Ipv4Addr>,
    pub local_v6: Option<Ipv6Addr>,
    /// How paths from it are verified; `None` where they are not.
    pub direction: Option<Direction>,
}

/// A route on its way through policy: attributes are copied when a clause first changes them.
#[derive(Clone, Debug)]
pub struct PolicyInput<'a> {
    pub prefix: Prefix,
    pub attrs: Cow<'a, Attributes>,
    /// The neighbour the route came from; `None` for our own.
    pub source: Option<PolicyPeer>,
    /// The neighbour that the policy belongs to.
    pub peer: Option<PolicyPeer>,
    /// Where a redistributed route comes from.
    pub source_protocol: RouteProtocol,
    /// The interface that a redistributed route leads out of, for `match interface`.
    pub interface: Option<&'a str>,
    pub weight: u32,
    pub tag: u32,
    /// Towards a neighbour that is not told the MED: what it was, for `match metric`.
    pub received_med: Option<u32>,
    /// Set by `set distance`.
    pub distance: Option<u8>,
    /// Set by `set table`.
    pub table: Option<u32>,
    /// Set by `set metric` of a table map; `None` leaves the MED.
    pub fib_metric: Option<u32>,
    /// The next hop was set by a clause: export keeps it.
    pub nexthop_set: bool,
    /// On the way out: the link-local address beside it, which leaves the other as it comes.
    pub link_local_set: bool,
    /// `set ip next-hop unchanged`.
    pub nexthop_unchanged: bool,
    /// `set ipv6 next-hop prefer-global`.
    pub prefer_global: bool,
    /// `set ip next-hop peer-address`: towards a neighbour, our own address.
    pub nexthop_peer_address: bool,
    /// Local preference of routes that carry none.
    pub default_local_pref: u32,
    pub rpki: RpkiView<'a>,
    /// The paths that share the prefix's traffic, towards a neighbour.
    pub shared: Shared,
    /// Metric of the way to the next hop, where that is known.
    pub igp_metric: Option<u32>,
}

impl PolicyInput<'_> {
    /// The attributes to change.
    pub fn attrs_mut(&mut self) -> &mut Attributes {
        self.attrs.to_mut()
    }
}
