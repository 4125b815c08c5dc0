//! Route maps as evaluation. A [`RouteMap`] holds everything it refers to, so applying it looks nothing up by name, and two
//! equal pointers judge alike.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use ferrite_types::{
    Afi, Asn, Community, Distance, ExtCommunity, LargeCommunity, Prefix, RouteProtocol, RouterId, TableId,
    Tag,
};

use crate::access_list::CompiledAccessList;
use crate::as_path_list::CompiledAsPathList;
use crate::community_list::{CommunityMatch, CompiledCommunityList};
use crate::prefix_list::CompiledPrefixList;
use crate::route_map::{
    Adjust, AsPathFilter, BandwidthValue, CommunityEdit, Exit, Ipv4NextHop, Match, MetricEdit, MetricType,
    OriginValidity, PathValidity, PeerSpec, Prepend, RouteMapConfig, Set,
};
use crate::trace::{Counting, Observer};
use crate::{Action, Counter, PolicyOrigin};

/// What a clause asks to become of the next hop; the daemon knows the peer's and its own addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NextHopSet {
    V4(Ipv4Addr),
    V6Global(Ipv6Addr),
    V6LinkLocal(Ipv6Addr),
    /// Inbound the peer's address, outbound our own towards it.
    PeerAddress,
    /// Outbound: pass it on as it came.
    Unchanged,
    /// Inbound: prefer the global address over the link-local one.
    PreferGlobal,
}

/// A route under judgement. A daemon implements what its routes have; clauses about the rest never match and set nothing.
/// Setters are called only on a change, so an implementation copies its attributes no earlier than the first of them.
pub trait PolicyRoute {
    fn prefix(&self) -> Prefix;

    fn next_hop(&self) -> Option<IpAddr> {
        None
    }
    fn is_blackhole(&self) -> bool {
        false
    }
    /// The address of whoever sent the route.
    fn source(&self) -> Option<IpAddr> {
        None
    }
    /// Whether the peer this policy is applied for is the one named.
    fn is_peer(&self, _peer: &PeerSpec) -> bool {
        false
    }
    /// Whether the peer the route was learned from is the one named.
    fn is_source_peer(&self, _peer: &PeerSpec) -> bool {
        false
    }
    /// Whether a community of the route has this name.
    fn has_alias(&self, _name: &str) -> bool {
        false
    }
    fn is_interface(&self, _name: &str) -> bool {
        false
    }
    fn protocol(&self) -> Option<RouteProtocol> {
        None
    }
    fn instance(&self) -> u32 {
        0
    }
    fn tag(&self) -> Tag {
        Tag(0)
    }
    fn metric(&self) -> Option<u32> {
        None
    }
    /// What `match metric` compares.
    fn matched_metric(&self) -> Option<u32> {
        self.metric()
    }
    /// The metric of the way to the next hop.
    fn igp_metric(&self) -> Option<u32> {
        None
    }
    /// The accumulated IGP metric that the route carries (RFC 7311).
    fn aigp(&self) -> Option<u64> {
        None
    }
    /// Milliseconds to the peer and back.
    fn round_trip(&self) -> Option<u32> {
        None
    }
    fn local_preference(&self) -> Option<u32> {
        None
    }
    fn origin(&self) -> Option<PolicyOrigin> {
        None
    }
    /// Appends the AS path's text; false where the route has none to speak of.
    fn as_path_text(&self, _out: &mut String) -> bool {
        false
    }
    /// Ascending, as all three of these.
    fn communities(&self) -> &[Community] {
        &[]
    }
    fn large_communities(&self) -> &[LargeCommunity] {
        &[]
    }
    fn ext_communities(&self) -> &[ExtCommunity] {
        &[]
    }
    /// What the RPKI says of the origin; `None` while it says nothing at all.
    fn origin_validity(&mut self) -> Option<OriginValidity> {
        None
    }
    /// What the RPKI says of the AS path; `None` where it cannot be asked.
    fn path_validity(&mut self) -> Option<PathValidity> {
        None
    }
    /// A number from 0 to 99, fresh at every call.
    fn dice(&mut self) -> u8 {
        0
    }

    /// What clauses can change, as name and text, for a trace.
    fn describe(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    fn set_tag(&mut self, _tag: Tag) {}
    fn set_metric(&mut self, _metric: u32) {}
    fn set_metric_type(&mut self, _kind: MetricType) {}
    fn set_local_preference(&mut self, _value: u32) {}
    /// What stands for a local preference where the route has none: it is matched, and a relative change starts there.
    fn unset_local_preference(&self) -> Option<u32> {
        None
    }
    /// Whether `set min-metric` and `set max-metric` mean the route's metric.
    fn bounds_metric(&self) -> bool {
        true
    }
    fn set_origin(&mut self, _origin: PolicyOrigin) {}
    fn set_weight(&mut self, _weight: u32) {}
    fn set_distance(&mut self, _distance: Distance) {}
    fn set_table(&mut self, _table: TableId) {}
    fn set_source(&mut self, _addr: IpAddr) {}
    fn set_next_hop(&mut self, _next_hop: NextHopSet) {}
    fn set_originator_id(&mut self, _id: RouterId) {}
    fn set_aggregator(&mut self, _asn: Asn, _addr: Ipv4Addr) {}
    fn set_atomic_aggregate(&mut self) {}
    /// Ascending, without duplicates, as all three of these.
    fn set_communities(&mut self, _communities: Vec<Community>) {}
    fn set_large_communities(&mut self, _communities: Vec<LargeCommunity>) {}
    fn set_ext_communities(&mut self, _communities: Vec<ExtCommunity>) {}
    /// The community carries the session's AS number.
    fn set_bandwidth(&mut self, _value: BandwidthValue, _non_transitive: bool) {}
    fn set_aigp(&mut self, _metric: u64) {}
    /// First in the slice comes first in the path.
    fn prepend(&mut self, _asns: &[Asn]) {}
    fn prepend_last_as(&mut self, _times: u8) {}
    fn exclude_asns(&mut self, _excluded: &dyn Fn(Asn) -> bool) {}
    /// `with` absent: the router's own AS.
    fn replace_asns(&mut self, _replaced: &dyn Fn(Asn) -> bool, _with: Option<Asn>) {}
}

/// What became of a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    Permit,
    Deny,
}

/// A verdict with the entry that gave it; `None` where no entry matched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decision {
    pub verdict: Verdict,
    pub entry: Option<u16>,
}

impl Decision {
    pub fn is_permit(self) -> bool {
        self.verdict == Verdict::Permit
    }
}

/// A match clause with what it refers to; an absent list matches nothing.
#[derive(Debug)]
pub(crate) enum Test {
    AccessList(Afi, Option<Arc<CompiledAccessList>>),
    PrefixList(Afi, Option<Arc<CompiledPrefixList>>),
    NextHopAccess(Option<Arc<CompiledAccessList>>),
    NextHopPrefix(Option<Arc<CompiledPrefixList>>),
    SourceAccess(Option<Arc<CompiledAccessList>>),
    SourcePrefix(Option<Arc<CompiledPrefixList>>),
    AsPath(Option<Arc<CompiledAsPathList>>),
    Community(Option<Arc<CompiledCommunityList<Community>>>, CommunityMatch),
    LargeCommunity(Option<Arc<CompiledCommunityList<LargeCommunity>>>, CommunityMatch),
    ExtCommunity(Option<Arc<CompiledCommunityList<ExtCommunity>>>),
    /// Clauses that refer to nothing.
    Plain(Match),
}

/// A set clause with what it refers to.
#[derive(Debug)]
pub(crate) enum Change {
    DeleteCommunities(Option<Arc<CompiledCommunityList<Community>>>),
    DeleteLargeCommunities(Option<Arc<CompiledCommunityList<LargeCommunity>>>),
    DeleteExtCommunities(Option<Arc<CompiledCommunityList<ExtCommunity>>>),
    ExcludeList(Option<Arc<CompiledAsPathList>>),
    ReplaceList(Option<Arc<CompiledAsPathList>>, Option<Asn>),
    Plain(Set),
}

/// A call to another map.
#[derive(Debug)]
pub(crate) enum Call {
    None,
    Map(Arc<RouteMap>),
    /// The map calls itself, at once or through others: never permitted.
    Loop,
}

#[derive(Debug)]
pub struct CompiledEntry {
    pub seq: u16,
    pub(crate) action: Action,
    pub(crate) tests: Vec<Test>,
    pub(crate) changes: Vec<Change>,
    pub(crate) call: Call,
    pub(crate) exit: Exit,
    /// How often the entry matched.
    pub hits: Counter,
}

/// A route map ready for evaluation.
#[derive(Debug)]
pub struct RouteMap {
    pub name: String,
    pub source: Arc<RouteMapConfig>,
    pub entries: Vec<CompiledEntry>,
    /// How often the map was applied.
    pub invoked: Counter,
}

impl RouteMap {
    /// Judges a route and changes it on the way. Entries are read in order; see the module `route_map` for the exits.
    pub fn apply(&self, route: &mut dyn PolicyRoute) -> Decision {
        self.run(route, &mut Counting)
    }

    /// The one way in which a map is read; the observer sees it and decides nothing.
    pub(crate) fn run<O: Observer>(&self, route: &mut dyn PolicyRoute, observer: &mut O) -> Decision {
        if O::COUNTS {
            self.invoked.hit();
        }
        observer.enter(self);
        let decided = self.read(route, observer);
        observer.leave(decided);
        decided
    }

    fn read<O: Observer>(&self, route: &mut dyn PolicyRoute, observer: &mut O) -> Decision {
        let mut decided = Decision { verdict: Verdict::Deny, entry: None };
        let mut from = 0;
        for entry in &self.entries {
            if entry.seq < from {
                continue;
            }
            let failed = entry.tests.iter().position(|test| !test.holds(route, O::COUNTS));
            observer.tested(entry, failed);
            if failed.is_some() {
                continue;
            }
            if O::COUNTS {
                entry.hits.hit();
            }
            let deny = Decision { verdict: Verdict::Deny, entry: Some(entry.seq) };
            if entry.action == Action::Deny {
                return deny;
            }
            observer.changing(route);
            for (place, change) in entry.changes.iter().enumerate() {
                change.apply(route);
                observer.changed(entry, place, route);
            }
            match &entry.call {
                Call::None => {}
                Call::Map(map) if map.run(route, observer).is_permit() => {}
                Call::Map(_) | Call::Loop => return deny,
            }
            decided = Decision { verdict: Verdict::Permit, entry: Some(entry.seq) };
            match entry.exit {
                Exit::Done => return decided,
                Exit::Next => {}
                Exit::Goto(seq) => from = seq,
            }
        }
        decided
    }
}

impl RouteMap {
    /// Goes on with the counts of another state of the map; an entry that stays keeps its own.
    pub(crate) fn keep_counts(&mut self, old: &Self) {
        self.invoked = Counter::from(&old.invoked);
        for entry in &mut self.entries {
            let at = old.entries.binary_search_by_key(&entry.seq, |entry| entry.seq).ok();
            if let Some(before) = at.and_then(|at| old.entries.get(at)) {
                entry.hits = Counter::from(&before.hits);
            }
        }
    }

    /// Whether the verdict or a change may differ between routes of equal attributes: by prefix, or by chance.
    pub fn depends_on_prefix(&self) -> bool {
        self.any_match(&|clause| {
            matches!(
                clause,
                Match::AccessList(..)
                    | Match::PrefixList(..)
                    | Match::PrefixLen(..)
                    | Match::Probability(_)
                    | Match::Rpki(_)
            )
        }) || self.any_set(&|clause| {
            // What they set follows from the other paths of the prefix, or from the way to the next hop.
            let shared = [BandwidthValue::Cumulative, BandwidthValue::NumMultipaths];
            match clause {
                Set::Bandwidth { value, .. } => shared.contains(value),
                Set::Metric(edit) => *edit == MetricEdit::Igp,
                _ => false,
            }
        })
    }

    /// Whether it asks what the RPKI says.
    pub fn depends_on_rpki(&self) -> bool {
        self.any_match(&|clause| matches!(clause, Match::Rpki(_) | Match::Aspa(_)))
    }

    /// Whether it asks for communities by their names.
    pub fn depends_on_aliases(&self) -> bool {
        self.any_match(&|clause| matches!(clause, Match::Alias(_)))
    }

    /// Whether it asks for a neighbour by interface or group.
    pub fn depends_on_names(&self) -> bool {
        let named = |peer: &PeerSpec| matches!(peer, PeerSpec::Name(_));
        self.any_match(&|clause| matches!(clause, Match::Peer(peer) | Match::SourcePeer(peer) if named(peer)))
    }

    /// Whether it asks how far a neighbour is.
    pub fn depends_on_round_trip(&self) -> bool {
        self.any_set(&|clause| matches!(clause, Set::Metric(MetricEdit::RoundTrip(_))))
    }

    /// Whether it asks which neighbour it is applied for.
    pub fn depends_on_peer(&self) -> bool {
        self.any_match(&|clause| matches!(clause, Match::Peer(_)))
            || self.any_set(&|clause| {
                matches!(
                    clause,
                    Set::Ipv4NextHop(Ipv4NextHop::PeerAddress)
                        | Set::Ipv6NextHopPeerAddress
                        | Set::AsPathReplace { .. }
                        | Set::Metric(MetricEdit::RoundTrip(_))
                )
            })
    }

    fn any_match(&self, asked: &dyn Fn(&Match) -> bool) -> bool {
        self.source.entries.values().any(|entry| entry.matches.iter().any(asked))
            || self.called().any(|map| map.any_match(asked))
    }

    fn any_set(&self, asked: &dyn Fn(&Set) -> bool) -> bool {
        self.source.entries.values().any(|entry| entry.sets.iter().any(asked))
            || self.called().any(|map| map.any_set(asked))
    }

    /// Maps that entries call; never this one again, for a loop is not followed.
    fn called(&self) -> impl Iterator<Item = &Arc<RouteMap>> {
        self.entries.iter().filter_map(|entry| match &entry.call {
            Call::Map(map) => Some(map),
            Call::None | Call::Loop => None,
        })
    }
}

impl Test {
    pub(crate) fn holds(&self, route: &mut dyn PolicyRoute, count: bool) -> bool {
        match self {
            Self::AccessList(afi, list) => {
                let prefix = route.prefix();
                prefix.afi() == *afi && in_access(list.as_deref(), prefix, count)
            }
            Self::PrefixList(afi, list) => {
                let prefix = route.prefix();
                prefix.afi() == *afi && in_prefixes(list.as_deref(), prefix, count)
            }
            Self::NextHopAccess(list) => {
                route.next_hop().is_some_and(|addr| in_access(list.as_deref(), Prefix::host(addr), count))
            }
            Self::SourceAccess(list) => {
                route.source().is_some_and(|addr| in_access(list.as_deref(), Prefix::host(addr), count))
            }
            Self::NextHopPrefix(list) => {
                route.next_hop().is_some_and(|addr| in_prefixes(list.as_deref(), Prefix::host(addr), count))
            }
            Self::SourcePrefix(list) => {
                route.source().is_some_and(|addr| in_prefixes(list.as_deref(), Prefix::host(addr), count))
            }
            Self::AsPath(list) => list.as_ref().is_some_and(|list| {
                let mut text = String::new();
                route.as_path_text(&mut text)
                    && if count {
                        list.permits(&text)
                    } else {
                        list.decide(&text).is_some_and(|(_, rule)| rule.action.is_permit())
                    }
            }),
            Self::Community(list, how) => {
                list.as_ref().is_some_and(|list| list.permits(route.communities(), *how))
            }
            Self::LargeCommunity(list, how) => {
                list.as_ref().is_some_and(|list| list.permits(route.large_communities(), *how))
            }
            Self::ExtCommunity(list) => list
                .as_ref()
                .is_some_and(|list| list.permits(route.ext_communities(), CommunityMatch::Included)),
            Self::Plain(clause) => holds_plain(clause, route),
        }
    }
}

fn in_access(list: Option<&CompiledAccessList>, prefix: Prefix, count: bool) -> bool {
    list.is_some_and(|list| {
        if count {
            list.permits(prefix)
        } else {
            list.decide(prefix).is_some_and(|(_, rule)| rule.action.is_permit())
        }
    })
}

fn in_prefixes(list: Option<&CompiledPrefixList>, prefix: Prefix, count: bool) -> bool {
    list.is_some_and(|list| if count { list.permits(prefix) } else { list.decide(prefix).0.is_permit() })
}

fn holds_plain(clause: &Match, route: &mut dyn PolicyRoute) -> bool {
    match clause {
        Match::PrefixLen(afi, len) => route.prefix().afi() == *afi && route.prefix().len() == *len,
        Match::NextHopAddrV4(addr) => route.next_hop() == Some(IpAddr::V4(*addr)),
        Match::NextHopAddrV6(addr) => route.next_hop() == Some(IpAddr::V6(*addr)),
        // The route's next hop is an address: as long as its family's addresses are.
        Match::NextHopLen(len) => {
            route.next_hop().is_some_and(|addr| Prefix::host(addr).len() == *len && addr.is_ipv4())
        }
        Match::NextHopBlackhole(_) => route.is_blackhole(),
        Match::CommunityLimit(limit) => route.communities().len() <= usize::from(*limit),
        Match::Interface(name) => route.is_interface(name),
        Match::LocalPreference(value) => local_preference(route) == Some(*value),
        Match::Metric(value) => route.matched_metric() == Some(*value),
        Match::Origin(origin) => route.origin() == Some(*origin),
        Match::Peer(peer) => route.is_peer(peer),
        Match::SourcePeer(peer) => route.is_source_peer(peer),
        Match::Alias(name) => route.has_alias(name),
        Match::Rpki(state) => route.origin_validity() == Some(*state),
        Match::RpkiExtCommunity(state) => route.ext_communities().binary_search(&state.community()).is_ok(),
        Match::Aspa(state) => route.path_validity() == Some(*state),
        Match::Probability(percent) => *percent == 100 || route.dice() < *percent,
        Match::SourceProtocol(protocol) => route.protocol() == Some(*protocol),
        Match::SourceInstance(instance) => route.instance() == u32::from(*instance),
        Match::Tag(tag) => route.tag() == tag.0,
        // Compiled into tests of their own.
        Match::AccessList(..)
        | Match::PrefixList(..)
        | Match::NextHop(..)
        | Match::RouteSource(_)
        | Match::AsPath(_)
        | Match::Community(..)
        | Match::LargeCommunity(..)
        | Match::ExtCommunity(_) => false,
    }
}

/// What remains after a deletion; `None` where nothing was deleted.
fn without<C: Copy>(values: &[C], deleted: impl Fn(C) -> bool) -> Option<Vec<C>> {
    let kept: Vec<C> = values.iter().copied().filter(|value| !deleted(*value)).collect();
    (kept.len() != values.len()).then_some(kept)
}

/// The values after an edit; `None` where that is what was there.
fn edited<C: Copy + Ord>(present: &[C], edit: &CommunityEdit<C>) -> Option<Vec<C>> {
    let mut result = match edit {
        CommunityEdit::None => Vec::new(),
        CommunityEdit::Values { values, additive: false } => values.clone(),
        CommunityEdit::Values { values, additive: true } => present.iter().chain(values).copied().collect(),
    };
    result.sort_unstable();
    result.dedup();
    (result != present).then_some(result)
}

impl Change {
    pub(crate) fn apply(&self, route: &mut dyn PolicyRoute) {
        match self {
            Self::DeleteCommunities(Some(list)) => {
                if let Some(kept) = without(route.communities(), |c| list.deletes(c)) {
                    route.set_communities(kept);
                }
            }
            Self::DeleteLargeCommunities(Some(list)) => {
                if let Some(kept) = without(route.large_communities(), |c| list.deletes(c)) {
                    route.set_large_communities(kept);
                }
            }
            Self::DeleteExtCommunities(Some(list)) => {
                if let Some(kept) = without(route.ext_communities(), |c| list.deletes(c)) {
                    route.set_ext_communities(kept);
                }
            }
            Self::ExcludeList(Some(list)) => route.exclude_asns(&|asn| list.permits(&asn.to_string())),
            Self::ReplaceList(Some(list), with) => {
                route.replace_asns(&|asn| list.permits(&asn.to_string()), *with);
            }
            Self::DeleteCommunities(None)
            | Self::DeleteLargeCommunities(None)
            | Self::DeleteExtCommunities(None)
            | Self::ExcludeList(None)
            | Self::ReplaceList(None, _) => {}
            Self::Plain(clause) => apply_plain(clause, route),
        }
    }
}

fn apply_plain(clause: &Set, route: &mut dyn PolicyRoute) {
    match clause {
        Set::Aggregator { asn, addr } => route.set_aggregator(*asn, *addr),
        Set::AsPathExclude(filter) => exclude(filter, route),
        Set::AsPathPrepend(Prepend::Asns(asns)) => route.prepend(asns),
        Set::AsPathPrepend(Prepend::LastAs(times)) => route.prepend_last_as(*times),
        Set::AsPathReplace { what, with } => match what {
            AsPathFilter::All => route.replace_asns(&|_| true, *with),
            AsPathFilter::Asns(asns) => route.replace_asns(&|asn| asns.contains(&asn), *with),
            AsPathFilter::List(_) => {}
        },
        Set::AtomicAggregate => route.set_atomic_aggregate(),
        Set::Community(edit) => {
            if let Some(values) = edited(route.communities(), edit) {
                route.set_communities(values);
            }
        }
        Set::LargeCommunity(edit) => {
            if let Some(values) = edited(route.large_communities(), edit) {
                route.set_large_communities(values);
            }
        }
        Set::Distance(distance) => route.set_distance(*distance),
        Set::AigpMetric(metric) => {
            // The metric of the IGP that the route was redistributed from is its MED.
            route.set_aigp(metric.or(route.metric()).unwrap_or(0).into());
        }
        Set::Bandwidth { value, non_transitive } => route.set_bandwidth(*value, *non_transitive),
        Set::ExtCommunityNone => {
            if !route.ext_communities().is_empty() {
                route.set_ext_communities(Vec::new());
            }
        }
        Set::RouteTargets(values)
        | Set::SitesOfOrigin(values)
        | Set::NodeTargets(values)
        | Set::Colors(values) => add_ext_communities(route, values),
        // About IPv4 routes alone, as in FRR.
        Set::Ipv4NextHop(_) if route.prefix().afi() != Afi::Ipv4 => {}
        Set::Ipv4NextHop(Ipv4NextHop::Addr(addr)) => route.set_next_hop(NextHopSet::V4(*addr)),
        Set::Ipv4NextHop(Ipv4NextHop::PeerAddress) | Set::Ipv6NextHopPeerAddress => {
            route.set_next_hop(NextHopSet::PeerAddress);
        }
        Set::Ipv4NextHop(Ipv4NextHop::Unchanged) => route.set_next_hop(NextHopSet::Unchanged),
        Set::Ipv6NextHopGlobal(addr) => route.set_next_hop(NextHopSet::V6Global(*addr)),
        Set::Ipv6NextHopLocal(addr) => route.set_next_hop(NextHopSet::V6LinkLocal(*addr)),
        Set::Ipv6NextHopPreferGlobal => route.set_next_hop(NextHopSet::PreferGlobal),
        Set::LocalPreference(adjust) => {
            let value = adjust.apply(local_preference(route).unwrap_or(0));
            if route.local_preference() != Some(value) {
                route.set_local_preference(value);
            }
        }
        Set::MaxMetric(limit) => bound_metric(route, |value| value.min(*limit)),
        Set::MinMetric(limit) => bound_metric(route, |value| value.max(*limit)),
        Set::Metric(edit) => set_metric(*edit, route),
        Set::MetricType(kind) => route.set_metric_type(*kind),
        Set::Origin(origin) => {
            if route.origin() != Some(*origin) {
                route.set_origin(*origin);
            }
        }
        Set::OriginatorId(id) => route.set_originator_id(*id),
        Set::Source(addr) => route.set_source(*addr),
        Set::Table(table) => route.set_table(*table),
        Set::Tag(tag) => route.set_tag(tag.0),
        Set::Weight(weight) => route.set_weight(*weight),
        // Compiled into changes of their own.
        Set::CommListDelete(_) | Set::ExtCommListDelete(_) | Set::LargeCommListDelete(_) => {}
    }
}

fn exclude(filter: &AsPathFilter, route: &mut dyn PolicyRoute) {
    match filter {
        AsPathFilter::All => route.exclude_asns(&|_| true),
        AsPathFilter::Asns(asns) => route.exclude_asns(&|asn| asns.contains(&asn)),
        AsPathFilter::List(_) => {}
    }
}

fn local_preference(route: &dyn PolicyRoute) -> Option<u32> {
    route.local_preference().or_else(|| route.unset_local_preference())
}

/// `set extcommunity rt`, `soo`, `nt` and `color` add to what is there, as in FRR; `set extcommunity none` before them replaces.
fn add_ext_communities(route: &mut dyn PolicyRoute, values: &[ExtCommunity]) {
    let present = route.ext_communities();
    let mut result: Vec<_> = present.iter().chain(values).copied().collect();
    result.sort_unstable();
    result.dedup();
    if result != present {
        route.set_ext_communities(result);
    }
}

fn set_metric(edit: MetricEdit, route: &mut dyn PolicyRoute) {
    let value = match edit {
        MetricEdit::Value(Adjust::To(value)) => Some(value),
        // A relative change to an absent MED starts from zero.
        MetricEdit::Value(adjust) => Some(adjust.apply(route.metric().unwrap_or(0))),
        // Zero where there is none, as in FRR.
        MetricEdit::Igp => Some(route.igp_metric().unwrap_or(0)),
        MetricEdit::Aigp => Some(u32::try_from(route.aigp().unwrap_or(0)).unwrap_or(u32::MAX)),
        MetricEdit::RoundTrip(how) => {
            route.round_trip().map(|msec| how.with(msec).apply(route.metric().unwrap_or(0)))
        }
    };
    if let Some(value) = value.filter(|value| route.metric() != Some(*value)) {
        route.set_metric(value);
    }
}

fn bound_metric(route: &mut dyn PolicyRoute, bound: impl Fn(u32) -> u32) {
    if !route.bounds_metric() {
        return;
    }
    let value = bound(route.metric().unwrap_or(0));
    if route.metric() != Some(value) {
        route.set_metric(value);
    }
}
