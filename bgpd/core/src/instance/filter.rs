//! Policy of one neighbour, family and direction as the shards call it: FRR's order of lists, then the route map.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bgp_packet::attr::{Aggregator, AsPath, Attributes, NextHop, Origin, RareAttributes};
use ferrite_policy::access_list::CompiledAccessList;
use ferrite_policy::as_path_list::CompiledAsPathList;
use ferrite_policy::prefix_list::CompiledPrefixList;
use ferrite_policy::route_map::{BandwidthValue, OriginValidity, PathValidity, PeerSpec};
use ferrite_policy::{
    Action, Differences, NextHopSet, Policies, PolicyOrigin, PolicyRoute, RouteMap, Scope, Trail,
};
use ferrite_rpki::AspaState;
use ferrite_types::{
    Afi, Asn, Community, Distance, ExtCommunity, LargeCommunity, Prefix, RouteProtocol, RouterId, TableId,
    Tag,
};

use crate::config::{CommunityAliases, EffectiveFamily, PolicyName};
use crate::rib::bandwidth;
use crate::rib::explain::describe;
use crate::rib::policy::{PolicyPeer, PolicyStep};
use crate::rib::{Filter, PolicyInput, Verdict};

/// Where a chain is applied, which decides what some clauses mean.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Place {
    Import,
    Export,
    /// Networks, redistribution, aggregates, default-originate.
    Local,
    /// `table-map`.
    Table,
}

/// What a chain is made of, by name.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ChainKey {
    pub place: Place,
    pub afi: Afi,
    pub distribute_list: Option<PolicyName>,
    pub prefix_list: Option<PolicyName>,
    pub filter_list: Option<PolicyName>,
    pub route_map: Option<PolicyName>,
}

impl ChainKey {
    pub fn map(place: Place, afi: Afi, name: &PolicyName) -> Self {
        Self {
            place,
            afi,
            distribute_list: None,
            prefix_list: None,
            filter_list: None,
            route_map: Some(name.clone()),
        }
    }

    /// `None` where the neighbour has no policy in that direction.
    pub fn of(place: Place, afi: Afi, family: &EffectiveFamily) -> Option<Self> {
        let side = |lists: &crate::config::InOut| {
            if place == Place::Import { lists.import.clone() } else { lists.export.clone() }
        };
        let key = Self {
            place,
            afi,
            distribute_list: side(&family.distribute_list),
            prefix_list: side(&family.prefix_list),
            filter_list: side(&family.filter_list),
            route_map: side(&family.route_map),
        };
        let any = key.distribute_list.is_some()
            || key.prefix_list.is_some()
            || key.filter_list.is_some()
            || key.route_map.is_some();
        any.then_some(key)
    }
}

/// A part of a chain that is named in the configuration; the list itself may be missing, which denies.
type Part<T> = Option<Option<Arc<T>>>;

#[derive(Debug)]
struct Chain {
    /// The same for every state of the chain.
    identity: u64,
    /// Different for each state.
    generation: u64,
    /// The state before, and what it may judge differently.
    before: Option<(u64, Scope)>,
    key: ChainKey,
    place: Place,
    distribute_list: Part<CompiledAccessList>,
    prefix_list: Part<CompiledPrefixList>,
    filter_list: Part<CompiledAsPathList>,
    route_map: Part<RouteMap>,
    asn: Asn,
    /// Names of communities, where the map asks for any.
    aliases: Option<CommunityAliases>,
    rolls: AtomicU64,
}

/// Every chain in use, one per content: neighbours with the same policy share one object, and a chain that still refers
/// to the same lists stays the same object when the configuration changes.
#[derive(Debug, Default)]
pub struct Filters {
    chains: HashMap<ChainKey, Arc<Chain>>,
    /// Chains in use stay as they are, whatever becomes of lists and maps (`bgp route-map delay-timer`).
    pub held: bool,
    differences: Differences,
    /// Identities and generations given so far.
    numbers: u64,
}

impl Filters {
    /// The chain for a key under the given policies.
    pub fn get(
        &mut self,
        key: &ChainKey,
        policies: &Policies,
        aliases: &CommunityAliases,
        asn: Asn,
    ) -> Arc<dyn Filter> {
        let mut built = Chain::build(key, policies, aliases, asn);
        self.numbers += 1;
        (built.identity, built.generation) = (self.numbers, self.numbers);
        if let Some(old) = self.chains.get(key) {
            if self.held || old.same(&built) {
                return old.clone();
            }
            built.identity = old.identity;
            built.before = Some((old.generation, old.difference(&built, &mut self.differences)));
        }
        let chain = Arc::new(built);
        self.chains.insert(key.clone(), Arc::clone(&chain));
        chain
    }

    /// Forgets chains that nobody holds.
    pub fn sweep(&mut self) {
        self.chains.retain(|_, chain| Arc::strong_count(chain) > 1);
        self.differences = Differences::default();
    }

    /// Whether some chain in use would judge differently under these policies.
    pub fn differ(&self, policies: &Policies, aliases: &CommunityAliases) -> bool {
        let build = |key, asn| Chain::build(key, policies, aliases, asn);
        self.chains.iter().any(|(key, chain)| !chain.same(&build(key, chain.asn)))
    }
}

impl Chain {
    fn build(key: &ChainKey, policies: &Policies, aliases: &CommunityAliases, asn: Asn) -> Self {
        let name = |name: &Option<PolicyName>| name.as_ref().map(|name| name.as_str().to_owned());
        let map = name(&key.route_map).map(|name| policies.route_map(&name).cloned());
        let asks = map.as_ref().and_then(Option::as_ref).is_some_and(|map| map.depends_on_aliases());
        Self {
            identity: 0,
            generation: 0,
            before: None,
            key: key.clone(),
            place: key.place,
            distribute_list: name(&key.distribute_list)
                .map(|name| policies.access_list(key.afi, &name).cloned()),
            prefix_list: name(&key.prefix_list).map(|name| policies.prefix_list(key.afi, &name).cloned()),
            filter_list: name(&key.filter_list).map(|name| policies.as_path_list(&name).cloned()),
            route_map: map,
            asn,
            aliases: asks.then(|| aliases.clone()),
            rolls: AtomicU64::new(0),
        }
    }

    fn same(&self, other: &Self) -> bool {
        fn same<T>(a: &Part<T>, b: &Part<T>) -> bool {
            match (a, b) {
                (Some(Some(a)), Some(Some(b))) => Arc::ptr_eq(a, b),
                (Some(None), Some(None)) | (None, None) => true,
                _ => false,
            }
        }
        self.asn == other.asn
            && self.aliases == other.aliases
            && same(&self.distribute_list, &other.distribute_list)
            && same(&self.prefix_list, &other.prefix_list)
            && same(&self.filter_list, &other.filter_list)
            && same(&self.route_map, &other.route_map)
    }

    /// What a later state of the chain may judge differently.
    fn difference(&self, new: &Self, found: &mut Differences) -> Scope {
        fn list<T>(part: &Part<T>) -> Option<&Arc<T>> {
            part.as_ref().and_then(Option::as_ref)
        }
        if self.asn != new.asn || self.aliases != new.aliases {
            return Scope::All;
        }
        found
            .access_list(list(&self.distribute_list), list(&new.distribute_list))
            .union(&found.prefix_list(list(&self.prefix_list), list(&new.prefix_list)))
            .union(&found.as_path_list(list(&self.filter_list), list(&new.filter_list)))
            .union(&found.route_map(list(&self.route_map), list(&new.route_map)))
    }

    fn map(&self) -> Option<&Arc<RouteMap>> {
        self.route_map.as_ref().and_then(Option::as_ref)
    }

    /// The lists in FRR's order; the first that denies is the last that is asked.
    fn lists_permit(&self, route: &PolicyInput<'_>, mut steps: Option<&mut Vec<PolicyStep>>) -> bool {
        let prefix = route.prefix;
        let steps = &mut steps;
        let path = || route.attrs.as_path.to_string();
        let distribute = Listed { kind: "distribute-list", name: self.key.distribute_list.as_ref() };
        let prefixes = Listed { kind: "prefix-list", name: self.key.prefix_list.as_ref() };
        let filter = Listed { kind: "filter-list", name: self.key.filter_list.as_ref() };
        distribute.permits(
            &self.distribute_list,
            steps,
            |list| list.permits(prefix),
            |list| {
                let rule = list.decide(prefix);
                (rule.map(|(_, rule)| rule.action), rule.map(|(seq, rule)| format!("seq {seq} {rule}")))
            },
        ) && prefixes.permits(
            &self.prefix_list,
            steps,
            |list| list.permits(prefix),
            |list| {
                let (verdict, rule) = list.decide(prefix);
                (Some(verdict), rule.map(|rule| format!("seq {} {}", rule.seq, rule.rule)))
            },
        ) && filter.permits(
            &self.filter_list,
            steps,
            |list| list.permits(&path()),
            |list| {
                let text = path();
                let rule = list.decide(&text);
                let shown = rule.map(|(seq, rule)| format!("seq {seq} {} {}", rule.action, rule.pattern));
                (rule.map(|(_, rule)| rule.action), shown)
            },
        )
    }

    /// The route map, and before it the lists.
    fn run(&self, input: &mut PolicyInput<'_>, mut steps: Option<&mut Vec<PolicyStep>>) -> Verdict {
        if !self.lists_permit(input, steps.as_deref_mut()) {
            return Verdict::Deny;
        }
        let permitted = match (&self.route_map, steps) {
            (None, _) => true,
            (Some(None), None) => false,
            (Some(None), Some(steps)) => {
                let name = self.key.route_map.as_ref().map(ToString::to_string).unwrap_or_default();
                steps.push(PolicyStep::Missing { kind: "route-map", name });
                false
            }
            (Some(Some(map)), None) => map.apply(&mut Route { input, chain: self }).is_permit(),
            (Some(Some(map)), Some(steps)) => {
                let trace = map.trace(&mut Route { input, chain: self });
                let permitted = trace.verdict.is_permit();
                steps.push(PolicyStep::RouteMap(trace));
                permitted
            }
        };
        if permitted { Verdict::Permit } else { Verdict::Deny }
    }
}

/// A list of a chain, as a trace names it.
struct Listed<'a> {
    kind: &'static str,
    name: Option<&'a PolicyName>,
}

impl Listed<'_> {
    /// Asks the list: plainly, or telling which rule decides.
    fn permits<T>(
        &self,
        part: &Part<T>,
        steps: &mut Option<&mut Vec<PolicyStep>>,
        plain: impl Fn(&T) -> bool,
        told: impl Fn(&T) -> (Option<Action>, Option<String>),
    ) -> bool {
        let Some(list) = part else { return true };
        let Some(steps) = steps.as_deref_mut() else { return list.as_deref().is_some_and(plain) };
        let name = self.name.map(ToString::to_string).unwrap_or_default();
        let Some(list) = list else {
            steps.push(PolicyStep::Missing { kind: self.kind, name });
            return false;
        };
        let (verdict, rule) = told(list);
        let verdict = verdict.unwrap_or(Action::Deny);
        steps.push(PolicyStep::List { kind: self.kind, name, verdict, rule });
        verdict.is_permit()
    }
}

impl Filter for Chain {
    fn apply(&self, route: &mut PolicyInput<'_>) -> Verdict {
        self.run(route, None)
    }

    fn trail(&self, route: &mut PolicyInput<'_>) -> Option<Trail> {
        if !self.lists_permit(route, None) {
            return None;
        }
        self.map()?.trail(&mut Route { input: route, chain: self })
    }

    fn retrace(&self, trail: &[u16], route: &mut PolicyInput<'_>) {
        if let Some(map) = self.map() {
            map.retrace(trail, &mut Route { input: route, chain: self });
        }
    }

    fn trace(&self, route: &mut PolicyInput<'_>, steps: &mut Vec<PolicyStep>) -> Verdict {
        self.run(route, Some(steps))
    }

    fn depends_on_prefix(&self) -> bool {
        self.distribute_list.is_some()
            || self.prefix_list.is_some()
            || self.route_map.as_ref().and_then(|map| map.as_ref()).is_some_and(|map| map.depends_on_prefix())
    }

    fn depends_on_rpki(&self) -> bool {
        self.route_map.as_ref().and_then(|map| map.as_ref()).is_some_and(|map| map.depends_on_rpki())
    }

    fn depends_on_names(&self) -> bool {
        self.map().is_some_and(|map| map.depends_on_names())
    }

    fn depends_on_round_trip(&self) -> bool {
        self.map().is_some_and(|map| map.depends_on_round_trip())
    }

    fn depends_on_peer(&self) -> bool {
        self.route_map.as_ref().and_then(|map| map.as_ref()).is_some_and(|map| map.depends_on_peer())
    }

    fn identity(&self) -> Option<u64> {
        Some(self.identity)
    }

    fn generation(&self) -> u64 {
        self.generation
    }

    fn scope_since(&self, old: &dyn Filter) -> Scope {
        match &self.before {
            _ if old.identity() != Some(self.identity) => Scope::All,
            _ if old.generation() == self.generation => Scope::none(),
            Some((generation, scope)) if *generation == old.generation() => scope.clone(),
            _ => Scope::All,
        }
    }
}

/// A shard's route as `lib/policy` sees it.
struct Route<'r, 'a> {
    input: &'r mut PolicyInput<'a>,
    chain: &'r Chain,
}

impl Route<'_, '_> {
    fn attrs(&self) -> &Attributes {
        &self.input.attrs
    }

    fn rare(&mut self) -> &mut RareAttributes {
        self.input.attrs_mut().rare.get_or_insert_default()
    }

    fn set_path(&mut self, path: AsPath) {
        if path != self.attrs().as_path {
            self.input.attrs_mut().as_path = path;
        }
    }

    /// As in FRR, numbers are taken out of a path and replaced at the sessions with other ASes only.
    fn is_external(&self) -> bool {
        self.input.peer.as_ref().is_some_and(|peer| peer.external)
    }

    /// The address that `peer-address` stands for; `None` where the export fills in our own later.
    fn peer_address(&self) -> Option<IpAddr> {
        let here = self.chain.place == Place::Import;
        self.input.peer.as_ref().filter(|_| here).map(|peer| peer.addr)
    }

    /// Inbound over an IPv4 session an IPv6 route keeps its next hop, as in FRR: the neighbour's address is none for it.
    fn is_other_family(&self, addr: IpAddr) -> bool {
        addr.is_ipv4() && self.input.prefix.afi() == Afi::Ipv6
    }

    fn set_next_hop_addr(&mut self, addr: IpAddr) {
        let next_hop = match addr {
            IpAddr::V4(addr) => NextHop::V4(addr),
            IpAddr::V6(global) => NextHop::V6 { global, link_local: None },
        };
        self.input.attrs_mut().next_hop = next_hop;
        self.input.nexthop_set = true;
    }
}

fn is_called(peer: Option<&PolicyPeer>, name: &str) -> bool {
    peer.and_then(|peer| peer.names.as_ref()).is_some_and(|names| names.has(name))
}

fn origin_from(origin: Origin) -> PolicyOrigin {
    match origin {
        Origin::Igp => PolicyOrigin::Igp,
        Origin::Egp => PolicyOrigin::Egp,
        Origin::Incomplete => PolicyOrigin::Incomplete,
    }
}

fn origin_to(origin: PolicyOrigin) -> Origin {
    match origin {
        PolicyOrigin::Igp => Origin::Igp,
        PolicyOrigin::Egp => Origin::Egp,
        PolicyOrigin::Incomplete => Origin::Incomplete,
    }
}

impl PolicyRoute for Route<'_, '_> {
    fn prefix(&self) -> Prefix {
        self.input.prefix
    }

    fn next_hop(&self) -> Option<IpAddr> {
        Some(self.attrs().next_hop.addr())
    }

    fn source(&self) -> Option<IpAddr> {
        self.input.source.as_ref().map(|peer| peer.addr)
    }

    fn is_peer(&self, peer: &PeerSpec) -> bool {
        match peer {
            PeerSpec::Local => self.input.source.is_none(),
            PeerSpec::Addr(addr) => self.input.peer.as_ref().is_some_and(|peer| peer.addr == *addr),
            PeerSpec::Name(name) => is_called(self.input.peer.as_ref(), name),
        }
    }

    fn is_source_peer(&self, peer: &PeerSpec) -> bool {
        match peer {
            PeerSpec::Local => self.input.source.is_none(),
            PeerSpec::Addr(addr) => self.source() == Some(*addr),
            PeerSpec::Name(name) => is_called(self.input.source.as_ref(), name),
        }
    }

    fn has_alias(&self, name: &str) -> bool {
        let Some(aliases) = &self.chain.aliases else { return false };
        let attrs = self.attrs();
        let called = |community: String| aliases.name(&community) == Some(name);
        attrs.communities.iter().any(|community| called(community.to_string()))
            || attrs.large_communities.iter().any(|community| called(community.to_string()))
    }

    fn is_interface(&self, name: &str) -> bool {
        self.input.interface == Some(name)
    }

    /// A route that comes in, or is configured here, is of none yet.
    fn protocol(&self) -> Option<RouteProtocol> {
        let protocol = self.input.source_protocol;
        let early = match self.chain.place {
            Place::Import => true,
            Place::Local => protocol == RouteProtocol::Bgp && self.input.source.is_none(),
            Place::Export | Place::Table => false,
        };
        (!early).then_some(protocol)
    }

    fn tag(&self) -> Tag {
        Tag(self.input.tag)
    }

    fn metric(&self) -> Option<u32> {
        self.attrs().med
    }

    /// As in FRR zero where there is none, and on the way out the MED as it came, also where it is not told on.
    fn matched_metric(&self) -> Option<u32> {
        Some(self.attrs().med.or(self.input.received_med).unwrap_or(0))
    }

    fn local_preference(&self) -> Option<u32> {
        self.attrs().local_pref
    }

    /// As in FRR zero, but for routes of our own.
    fn unset_local_preference(&self) -> Option<u32> {
        let own = self.input.source.is_none();
        Some(if own { self.input.default_local_pref } else { 0 })
    }

    /// FRR takes the bounds and heeds them for no route of BGP.
    fn bounds_metric(&self) -> bool {
        false
    }

    fn origin(&self) -> Option<PolicyOrigin> {
        Some(origin_from(self.attrs().origin))
    }

    fn as_path_text(&self, out: &mut String) -> bool {
        let _ = write!(out, "{}", self.attrs().as_path);
        true
    }

    fn communities(&self) -> &[Community] {
        &self.attrs().communities
    }

    fn large_communities(&self) -> &[LargeCommunity] {
        &self.attrs().large_communities
    }

    fn ext_communities(&self) -> &[ExtCommunity] {
        &self.attrs().ext_communities
    }

    fn origin_validity(&mut self) -> Option<OriginValidity> {
        let input = &mut *self.input;
        input.rpki.origin_state(input.prefix, &input.attrs).map(crate::rib::rpki::validity)
    }

    fn path_validity(&mut self) -> Option<PathValidity> {
        let input = &mut *self.input;
        let from = input.source.as_ref().and_then(|peer| peer.direction);
        Some(match input.rpki.path_state(from, &input.attrs)? {
            AspaState::Valid => PathValidity::Valid,
            AspaState::Invalid => PathValidity::Invalid,
            AspaState::Unknown => PathValidity::Unknown,
        })
    }

    fn dice(&mut self) -> u8 {
        // Spread by a multiplicative hash: enough for "about this share of the routes".
        let roll = self.chain.rolls.fetch_add(1, Ordering::Relaxed);
        ((roll.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) % 100) as u8
    }

    fn describe(&self) -> Vec<(&'static str, String)> {
        let input = &*self.input;
        let mut all = describe(&input.attrs);
        all.push(("weight", input.weight.to_string()));
        all.push(("tag", input.tag.to_string()));
        all.extend(input.distance.map(|distance| ("distance", distance.to_string())));
        all.extend(input.table.map(|table| ("table", table.to_string())));
        all.extend(input.fib_metric.map(|metric| ("kernel-metric", metric.to_string())));
        let words = [
            ("next-hop-unchanged", input.nexthop_unchanged),
            ("next-hop-prefer-global", input.prefer_global),
            ("next-hop-peer-address", input.nexthop_peer_address),
        ];
        all.extend(words.into_iter().filter(|(_, on)| *on).map(|(name, _)| (name, "set".to_owned())));
        all
    }

    fn set_tag(&mut self, tag: Tag) {
        self.input.tag = tag.0;
    }

    fn set_metric(&mut self, metric: u32) {
        if self.chain.place == Place::Table {
            self.input.fib_metric = Some(metric);
        } else {
            self.input.attrs_mut().med = Some(metric);
        }
    }

    fn set_local_preference(&mut self, value: u32) {
        self.input.attrs_mut().local_pref = Some(value);
    }

    fn set_origin(&mut self, origin: PolicyOrigin) {
        self.input.attrs_mut().origin = origin_to(origin);
    }

    fn set_weight(&mut self, weight: u32) {
        self.input.weight = weight;
    }

    fn set_distance(&mut self, distance: Distance) {
        self.input.distance = Some(distance.0);
    }

    fn set_table(&mut self, table: TableId) {
        self.input.table = Some(table.0);
    }

    fn set_next_hop(&mut self, next_hop: NextHopSet) {
        match next_hop {
            NextHopSet::V4(addr) => self.set_next_hop_addr(IpAddr::V4(addr)),
            NextHopSet::V6Global(global) => {
                let link_local = match self.attrs().next_hop {
                    // Inbound the other address stays, as in FRR, and is the one that packets go to.
                    NextHop::V6 { link_local, .. }
                        if self.input.link_local_set || self.chain.place == Place::Import =>
                    {
                        link_local
                    }
                    _ => None,
                };
                self.input.attrs_mut().next_hop = NextHop::V6 { global, link_local };
                self.input.nexthop_set = true;
            }
            NextHopSet::V6LinkLocal(addr) => {
                if let NextHop::V6 { global, .. } = self.attrs().next_hop {
                    self.input.attrs_mut().next_hop = NextHop::V6 { global, link_local: Some(addr) };
                    self.input.link_local_set = true;
                }
            }
            NextHopSet::PeerAddress => match self.peer_address() {
                Some(addr) if self.is_other_family(addr) => {}
                Some(addr) => self.set_next_hop_addr(addr),
                None => self.input.nexthop_peer_address = true,
            },
            NextHopSet::Unchanged => self.input.nexthop_unchanged = true,
            NextHopSet::PreferGlobal => self.input.prefer_global = true,
        }
    }

    fn set_originator_id(&mut self, id: RouterId) {
        self.rare().originator_id = Some(id);
    }

    fn set_aggregator(&mut self, asn: Asn, addr: Ipv4Addr) {
        self.rare().aggregator = Some(Aggregator { asn, router_id: addr });
    }

    fn set_atomic_aggregate(&mut self) {
        self.input.attrs_mut().atomic_aggregate = true;
    }

    fn set_communities(&mut self, communities: Vec<Community>) {
        self.input.attrs_mut().communities = communities.into();
    }

    fn set_large_communities(&mut self, communities: Vec<LargeCommunity>) {
        self.input.attrs_mut().large_communities = communities.into();
    }

    fn set_ext_communities(&mut self, communities: Vec<ExtCommunity>) {
        self.input.attrs_mut().ext_communities = communities.into();
    }

    fn set_bandwidth(&mut self, value: BandwidthValue, non_transitive: bool) {
        const OCTETS_OF_MBPS: f64 = 1_000_000.0 / 8.0;
        let shared = self.input.shared;
        let octets = match value {
            BandwidthValue::Mbps(mbps) => Some(f64::from(mbps) * OCTETS_OF_MBPS),
            BandwidthValue::Cumulative => shared.octets.or_else(|| bandwidth::bandwidth(self.attrs())),
            // How many paths there are is known once the best is chosen.
            BandwidthValue::NumMultipaths if self.chain.place != Place::Export => None,
            BandwidthValue::NumMultipaths => Some(f64::from(shared.paths.max(1)) * OCTETS_OF_MBPS),
        };
        let Some(octets) = octets else { return };
        let wide = self.input.peer.as_ref().is_some_and(|peer| peer.bandwidth_extended);
        let asn = self.chain.asn;
        bandwidth::set(self.input.attrs_mut(), asn, octets, !non_transitive, wide);
    }

    fn igp_metric(&self) -> Option<u32> {
        self.input.igp_metric
    }

    fn aigp(&self) -> Option<u64> {
        self.attrs().rare.as_ref().and_then(|rare| rare.aigp)
    }

    fn round_trip(&self) -> Option<u32> {
        self.input.peer.as_ref().and_then(|peer| peer.round_trip)
    }

    fn set_aigp(&mut self, metric: u64) {
        self.rare().aigp = Some(metric);
    }

    fn prepend(&mut self, asns: &[Asn]) {
        let path = self.attrs().as_path.prepend(asns);
        self.set_path(path);
    }

    fn prepend_last_as(&mut self, times: u8) {
        if let Some(first) = self.attrs().as_path.neighbor() {
            let path = self.attrs().as_path.prepend(&vec![first; usize::from(times)]);
            self.set_path(path);
        }
    }

    fn exclude_asns(&mut self, excluded: &dyn Fn(Asn) -> bool) {
        if !self.is_external() {
            return;
        }
        let path = self.attrs().as_path.map(|asn| (!excluded(asn)).then_some(asn));
        self.set_path(path);
    }

    fn replace_asns(&mut self, replaced: &dyn Fn(Asn) -> bool, with: Option<Asn>) {
        if !self.is_external() {
            return;
        }
        let own = self.chain.asn;
        let path =
            self.attrs().as_path.map(|asn| Some(if replaced(asn) { with.unwrap_or(own) } else { asn }));
        self.set_path(path);
    }
}

#[cfg(test)]
mod tests;
