//! From a best path to what a group of peers is told: who may have it, and with which attributes (RFC 4271 §5 and §9.2,
//! RFC 4456, RFC 1997, RFC 2545, RFC 5065, RFC 8326).

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use bgp_packet::Family;
use bgp_packet::attr::{Attributes, NextHop, PrivateAs, RareAttributes};
use ferrite_policy::Trail;
use ferrite_types::{Asn, Community, ExtCommunity, Prefix};

use self::nexthop::Asked;
use super::attrs::Interned;
use super::bandwidth::{self, Shared};
use super::ctx::{Ctx, policy_peer};
use super::optimal::Vantage;
use super::policy::{Filter, PolicyInput, PolicyStep, Verdict, judge};
use super::reason::Withheld;
use super::rules::{self, PeerRules};
use super::settings::{
    AddPathSend, Conditional, FamilyParams, LocalAs, NexthopMode, PeerId, PeerKind, PeerParams,
    RemovePrivateAs,
};
use super::table::Path;

mod nexthop;

/// Everything that makes two peers get different octets for one route. Peers with equal keys share an update group.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct GroupKey {
    kind: PeerKind,
    local_as: Asn,
    change_local_as: Option<LocalAs>,
    /// Where the neighbour's AS matters: `as-override`, `remove-private-AS`.
    remote_as: Option<Asn>,
    local: (Option<Ipv4Addr>, Option<Ipv6Addr>, Option<Ipv6Addr>),
    direct: bool,
    shared_networks: Vec<Prefix>,
    as4: bool,
    max_message: usize,
    interval: u16,
    graceful_shutdown: bool,
    rules: PeerRules,
    long_lived: bool,
    denied: bool,
    reflector_client: bool,
    server_client: bool,
    nexthop: NexthopMode,
    nexthop_local_unchanged: bool,
    extended_next_hop: bool,
    as_path_unchanged: bool,
    med_unchanged: bool,
    as_override: bool,
    remove_private_as: RemovePrivateAs,
    communities: (bool, bool, bool),
    rpki_state: bool,
    default_originate: Option<FilterKey>,
    maximum_prefix_out: Option<u32>,
    add_path: (AddPathSend, u16),
    secondary_path: bool,
    optimal: Option<Vantage>,
    /// The export policy, whatever its present state.
    export: FilterKey,
    filters: SideKey,
    /// Set where the policy asks for the peer.
    alone: Option<PeerId>,
}

/// Address of a compiled policy.
fn filter_address(filter: Option<&Arc<dyn Filter>>) -> usize {
    filter.map_or(0, |filter| Arc::as_ptr(filter).cast::<()>().addr())
}

/// Which policy it is: its identity, else its address. Groups keep the policy alive, so an address is not reused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FilterKey {
    Identity(u64),
    Address(usize),
}

pub fn filter_key(filter: Option<&Arc<dyn Filter>>) -> FilterKey {
    let identity = filter.and_then(|filter| filter.identity());
    identity.map_or_else(|| FilterKey::Address(filter_address(filter)), FilterKey::Identity)
}

impl GroupKey {
    pub fn new(id: PeerId, params: &PeerParams, family: &FamilyParams) -> Self {
        let asks_peer = family.export.as_ref().is_some_and(|policy| policy.depends_on_peer());
        let own_as = family.as_override
            || family.remove_private_as != RemovePrivateAs::No
            || params.rules.sender_loop_detection;
        Self {
            kind: params.kind,
            local_as: params.local_as,
            change_local_as: params.change_local_as,
            remote_as: own_as.then_some(params.remote_as),
            local: (params.local_v4, params.local_v6, params.local_link_local),
            direct: params.ifindex.is_some(),
            shared_networks: params.shared_networks.clone(),
            as4: params.as4,
            max_message: params.max_message,
            interval: params.advertisement_interval,
            graceful_shutdown: params.graceful_shutdown,
            rules: params.rules,
            long_lived: params.long_lived,
            denied: family.export_denied,
            reflector_client: family.route_reflector_client,
            server_client: family.route_server_client,
            nexthop: family.nexthop,
            nexthop_local_unchanged: family.nexthop_local_unchanged,
            extended_next_hop: params.extended_next_hop,
            as_path_unchanged: family.as_path_unchanged,
            med_unchanged: family.med_unchanged,
            as_override: family.as_override,
            remove_private_as: family.remove_private_as,
            communities: (family.send_community, family.send_large_community, family.send_ext_community),
            rpki_state: family.send_rpki_state,
            default_originate: family
                .default_originate
                .as_ref()
                .map(|originate| filter_key(originate.map.as_ref())),
            maximum_prefix_out: family.maximum_prefix_out,
            add_path: (family.add_path_send, family.paths_limit),
            secondary_path: family.secondary_path,
            optimal: family.optimal.clone(),
            export: filter_key(family.export.as_ref()),
            filters: SideKey::new(params, family),
            alone: (asks_peer || params.rules.solo || family.quota.is_some()).then_some(id),
        }
    }

    pub const fn interval(&self) -> u16 {
        self.interval
    }
}

/// The part of the key that few neighbours fill.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct SideKey {
    unsuppress: FilterKey,
    advertise: Option<(FilterKey, FilterKey, bool)>,
    orf: usize,
    soo: Option<ExtCommunity>,
    aigp: bool,
    bandwidth: (bool, bool),
}

impl SideKey {
    fn new(params: &PeerParams, family: &FamilyParams) -> Self {
        Self {
            unsuppress: filter_key(family.unsuppress.as_ref()),
            advertise: family.advertise.as_ref().map(|conditional| {
                let Conditional { routes, condition, exists } = conditional;
                (filter_key(Some(routes)), filter_key(Some(condition)), *exists)
            }),
            orf: family.orf.address(),
            soo: family.soo,
            aigp: params.aigp,
            bandwidth: (params.bandwidth_integer, params.bandwidth_extended),
        }
    }
}

/// The receiving side of an export.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    pub family: Family,
    pub params: &'a PeerParams,
    pub settings: &'a FamilyParams,
    /// The condition of `advertise-map` holds, or there is none.
    pub condition: bool,
    /// The paths that share the prefix's traffic, where somebody asks.
    pub shared: Shared,
    /// Made of those paths, where the operator wants that; the path's own attributes else.
    pub merged: Option<&'a Attributes>,
}

/// How a route passes through us.
#[derive(Clone, Copy, Default, Debug)]
struct Way {
    /// From one internal neighbour to another (RFC 4456).
    reflected: bool,
    /// Between clients of a route server (RFC 7947).
    transparent: bool,
    /// As it was before policy.
    next_hop: Option<NextHop>,
}

/// Well-known communities that keep a route back (RFC 1997, RFC 9494).
fn held_back(communities: &[Community], to: &PeerParams) -> Option<Community> {
    communities.iter().copied().find(|community| match *community {
        // RFC 9494 §4.4; inside the AS it goes as the last choice, see `finish` (§4.6).
        Community::LLGR_STALE => !to.long_lived && to.kind != PeerKind::Internal,
        Community::NO_ADVERTISE => true,
        Community::NO_EXPORT => to.kind == PeerKind::External && !to.rules.oad,
        Community::LOCAL_AS => to.kind != PeerKind::Internal,
        _ => false,
    })
}

/// What the receiver gets for a path, or why it gets nothing.
pub fn export(ctx: &Ctx, target: Target<'_>, path: &Path, prefix: Prefix) -> Result<Attributes, Withheld> {
    export_traced(ctx, target, path, prefix, None)
}

/// Export, where somebody may want to know what policy did.
pub fn export_traced(
    ctx: &Ctx,
    target: Target<'_>,
    path: &Path,
    prefix: Prefix,
    steps: Option<&mut Vec<PolicyStep>>,
) -> Result<Attributes, Withheld> {
    let interned = ctx.attrs.get(path.attrs).ok_or(Withheld::NoNextHop)?;
    let (to, settings) = (target.params, target.settings);
    if settings.export_denied {
        return Err(Withheld::NoPolicy);
    }
    if let Some(community) = held_back(&interned.attrs.communities, to) {
        return Err(Withheld::Community(community));
    }
    filtered(ctx, target, interned, path, prefix)?;
    if rules::customers_only(&interned.attrs, to) {
        return Err(Withheld::OnlyToCustomer);
    }
    if to.rules.sender_loop_detection && interned.attrs.as_path.contains(to.remote_as) {
        return Err(Withheld::AsLoop);
    }
    let from = ctx.peers.get(path.peer);
    let from_kind = from.map(|slot| slot.params.kind);
    let reflected = from_kind == Some(PeerKind::Internal) && to.kind == PeerKind::Internal;
    if reflected {
        let from_client = from
            .and_then(|slot| slot.family(target.family))
            .is_some_and(|family| family.route_reflector_client);
        let to_client = settings.route_reflector_client;
        match (from_client, to_client) {
            (true, true) if !ctx.config.client_to_client_reflection => return Err(Withheld::ClientToClient),
            (false, false) => return Err(Withheld::InternalToInternal),
            _ => {}
        }
    }
    let from_client = || {
        let family = from.and_then(|slot| slot.family(target.family));
        family.is_some_and(|family| family.route_server_client)
    };
    // Between clients of a route server MEDs stay (RFC 7947 §2.2.3); of others they end in this AS (RFC 4271 §5.1.4).
    let transparent = settings.route_server_client && from_client();
    let way = Way { reflected, transparent, next_hop: Some(interned.attrs.next_hop) };
    let keeps_med = from.is_none() || transparent;
    let mut attrs = prepare(ctx, target, interned, keeps_med);
    if reflected {
        reflect(ctx, &mut attrs, from.map(|slot| slot.params.remote_id));
    }
    let mut route = policy_input(ctx, target, prefix, attrs, path, interned);
    route.received_med = target.merged.unwrap_or(&interned.attrs).med;
    // Communities that it sets are for the neighbour, as in FRR: `set community no-export` does not keep the route here.
    if let Some(policy) = &settings.export {
        // A reflector changes nothing unless told to: what it reflects was judged where it came into the AS.
        let verdict = if reflected && !ctx.config.reflector_outbound_policy {
            judge(policy, &mut route.clone(), steps)
        } else {
            judge(policy, &mut route, steps)
        };
        if verdict == Verdict::Deny {
            return Err(Withheld::Policy);
        }
    }
    if settings.send_rpki_state && (to.kind == PeerKind::Internal || to.rules.oad) {
        super::rpki::tell_state(&mut route);
    }
    let mut attrs = finish(ctx, target, route, way).ok_or(Withheld::NoNextHop)?;
    if attrs.next_hop != interned.attrs.next_hop {
        through_us(ctx, target, path, &mut attrs);
    }
    if to.bandwidth_integer && bandwidth::has_any(&attrs) {
        bandwidth::to_integer(&mut attrs);
    }
    Ok(attrs)
}

/// What the neighbour's own filters say of a route, before policy.
fn filtered(
    ctx: &Ctx,
    target: Target<'_>,
    interned: &Interned,
    path: &Path,
    prefix: Prefix,
) -> Result<(), Withheld> {
    let settings = target.settings;
    if !settings.orf.permits(prefix) {
        return Err(Withheld::OutboundFilter);
    }
    if settings.soo.is_some_and(|soo| interned.attrs.ext_communities.binary_search(&soo).is_ok()) {
        return Err(Withheld::SiteOfOrigin);
    }
    if let Some(conditional) = settings.advertise.as_ref().filter(|_| !target.condition) {
        let mut route = input(ctx, target, prefix, Cow::Borrowed(&interned.attrs));
        route.source = ctx.policy_peer(path.peer);
        route.source_protocol = ctx.protocol(path);
        route.tag = interned.local.tag;
        if conditional.routes.apply(&mut route) == Verdict::Permit {
            return Err(Withheld::Condition);
        }
    }
    Ok(())
}

/// Packets will come to us: AIGP grows by the way from here (RFC 7311 §3.4.3), and the bandwidth is that of all paths
/// that share the traffic.
fn through_us(ctx: &Ctx, target: Target<'_>, path: &Path, attrs: &mut Attributes) {
    if let Some(aigp) = attrs.rare.as_mut().and_then(|rare| rare.aigp.as_mut()) {
        *aigp = aigp.saturating_add(u64::from(ctx.igp_metric(path).unwrap_or(0)));
    }
    let shared = target.shared;
    if let Some(octets) = shared.octets.filter(|_| shared.paths > 1 && bandwidth::has_any(attrs)) {
        bandwidth::replace(attrs, ctx.config.asn, octets);
    }
}

/// What `default-originate` tells the receiver, changed by the entries of its map by which the first route of the table
/// passes, as in FRR.
pub fn default_route(ctx: &Ctx, target: Target<'_>, trail: Option<&Trail>) -> Option<Attributes> {
    let originate = target.settings.default_originate.as_ref()?;
    if target.settings.export_denied {
        return None;
    }
    let mut attrs = own_attributes(target.family);
    attrs.origin = bgp_packet::attr::Origin::Igp;
    attrs.med = Some(0);
    if target.params.kind != PeerKind::External {
        attrs.local_pref = Some(ctx.config.default_local_pref);
    }
    let prefix = Prefix::default_of(target.family.afi);
    let mut route = input(ctx, target, prefix, Cow::Owned(attrs));
    if let (Some(map), Some(trail)) = (&originate.map, trail) {
        map.retrace(trail, &mut route);
    }
    finish(ctx, target, route, Way::default())
}

/// Attributes of a route of our own, with no next hop yet.
pub fn own_attributes(family: Family) -> Attributes {
    let next_hop = match family.afi {
        ferrite_types::Afi::Ipv6 => NextHop::V6 { global: Ipv6Addr::UNSPECIFIED, link_local: None },
        _ => NextHop::V4(Ipv4Addr::UNSPECIFIED),
    };
    Attributes {
        origin: bgp_packet::attr::Origin::Incomplete,
        atomic_aggregate: false,
        as_path: bgp_packet::attr::AsPath::default(),
        next_hop,
        med: None,
        local_pref: None,
        communities: Box::default(),
        large_communities: Box::default(),
        ext_communities: Box::default(),
        rare: None,
    }
}

fn input<'a>(
    ctx: &'a Ctx,
    target: Target<'_>,
    prefix: Prefix,
    attrs: Cow<'a, Attributes>,
) -> PolicyInput<'a> {
    PolicyInput {
        prefix,
        attrs,
        source: None,
        peer: Some(policy_peer(target.params)),
        source_protocol: ferrite_types::RouteProtocol::Bgp,
        weight: 0,
        tag: 0,
        distance: None,
        table: None,
        fib_metric: None,
        interface: None,
        nexthop_set: false,
        link_local_set: false,
        nexthop_unchanged: false,
        prefer_global: false,
        nexthop_peer_address: false,
        received_med: None,
        default_local_pref: ctx.config.default_local_pref,
        rpki: ctx.rpki_view(),
        shared: super::bandwidth::Shared::default(),
        igp_metric: None,
    }
}

fn policy_input<'a>(
    ctx: &'a Ctx,
    target: Target<'_>,
    prefix: Prefix,
    attrs: Attributes,
    path: &Path,
    interned: &Interned,
) -> PolicyInput<'a> {
    PolicyInput {
        source: ctx.policy_peer(path.peer),
        source_protocol: ctx.protocol(path),
        weight: interned.local.weight,
        tag: interned.local.tag,
        shared: target.shared,
        igp_metric: ctx.igp_metric(path),
        ..input(ctx, target, prefix, Cow::Owned(attrs))
    }
}

/// What changes before policy: MED, local preference, private AS numbers, what only iBGP carries.
fn prepare(ctx: &Ctx, target: Target<'_>, interned: &Interned, keeps_med: bool) -> Attributes {
    let (to, settings) = (target.params, target.settings);
    let mut attrs = target.merged.unwrap_or(&interned.attrs).clone();
    match to.kind {
        PeerKind::External if to.rules.oad => {
            attrs.local_pref = attrs.local_pref.or(Some(ctx.config.default_local_pref));
            strip_reflection(&mut attrs);
        }
        PeerKind::External => {
            attrs.local_pref = None;
            if !keeps_med && !settings.med_unchanged {
                attrs.med = None;
            }
            strip_internal(&mut attrs, to.aigp);
        }
        PeerKind::Internal | PeerKind::Confederation => {
            attrs.local_pref = attrs.local_pref.or(Some(ctx.config.default_local_pref));
            if to.kind == PeerKind::Confederation {
                strip_reflection(&mut attrs);
            }
        }
    }
    if to.kind == PeerKind::External {
        if let Some(action) = private_as(settings.remove_private_as, to.local_as) {
            attrs.as_path = attrs.as_path.private_as(action, Some(to.remote_as));
        }
        if settings.as_override && attrs.as_path.contains(to.remote_as) {
            attrs.as_path = attrs.as_path.replace(to.remote_as, to.local_as);
        }
    }
    attrs
}

fn private_as(setting: RemovePrivateAs, with: Asn) -> Option<PrivateAs> {
    match setting {
        RemovePrivateAs::No => None,
        RemovePrivateAs::IfAllPrivate => Some(PrivateAs::RemoveIfOnly),
        RemovePrivateAs::All => Some(PrivateAs::RemoveAll),
        RemovePrivateAs::ReplaceIfAllPrivate => Some(PrivateAs::ReplaceIfOnly { with }),
        RemovePrivateAs::AllReplace => Some(PrivateAs::ReplaceAll { with }),
    }
}

/// Takes off what does not leave the AS.
fn strip_internal(attrs: &mut Attributes, aigp: bool) {
    strip_reflection(attrs);
    if let Some(rare) = attrs.rare.as_mut().filter(|_| !aigp) {
        rare.aigp = None;
    }
    tidy(attrs);
}

fn strip_reflection(attrs: &mut Attributes) {
    if let Some(rare) = attrs.rare.as_mut() {
        rare.originator_id = None;
        rare.cluster_list = Box::default();
    }
    tidy(attrs);
}

/// An empty box of rare attributes is none.
fn tidy(attrs: &mut Attributes) {
    if attrs.rare.as_deref() == Some(&RareAttributes::default()) {
        attrs.rare = None;
    }
}

/// RFC 4456 §8: who brought the route into the AS, and that it passed here.
fn reflect(ctx: &Ctx, attrs: &mut Attributes, from: Option<ferrite_types::RouterId>) {
    let rare = attrs.rare.get_or_insert_default();
    rare.originator_id = rare.originator_id.or(from);
    let mut list = Vec::with_capacity(rare.cluster_list.len() + 1);
    list.push(ctx.config.cluster_id);
    list.extend_from_slice(&rare.cluster_list);
    rare.cluster_list = list.into();
}

/// RFC 9494 §4.6: who does not know LLGR_STALE takes the route last all the same, and keeps it inside the AS.
fn put_last(attrs: &mut Attributes) {
    attrs.local_pref = Some(0);
    if !attrs.communities.contains(&Community::NO_EXPORT) {
        let mut communities = attrs.communities.to_vec();
        communities.push(Community::NO_EXPORT);
        communities.sort_unstable();
        attrs.communities = communities.into();
    }
}

/// What changes after policy: next hop, our AS, communities not wanted, graceful shutdown, stale routes.
fn finish(ctx: &Ctx, target: Target<'_>, route: PolicyInput<'_>, way: Way) -> Option<Attributes> {
    let (to, settings) = (target.params, target.settings);
    let asked = Asked::of(&route, way);
    let transit = route.source.as_ref().is_some_and(|source| source.external);
    let mut attrs = route.attrs.into_owned();
    nexthop::set(target, &mut attrs, asked)?;
    set_as_path(ctx, to, settings, &mut attrs);
    if !way.reflected {
        strip_reflection(&mut attrs); // policy may have set an originator; who reflects names one
    }
    if to.graceful_shutdown || ctx.config.graceful_shutdown {
        shut_down(&mut attrs, to.kind);
    }
    if !to.long_lived && attrs.communities.contains(&Community::LLGR_STALE) {
        put_last(&mut attrs);
    }
    if !settings.send_community {
        attrs.communities = Box::default();
    }
    if !settings.send_large_community {
        attrs.large_communities = Box::default();
    }
    if !settings.send_ext_community {
        attrs.ext_communities = Box::default();
    } else if to.kind == PeerKind::External && !to.rules.oad {
        let leaves = |community: &ExtCommunity| leaves_as(*community, transit);
        if !attrs.ext_communities.iter().all(leaves) {
            attrs.ext_communities = attrs.ext_communities.iter().copied().filter(leaves).collect();
        }
    }
    if to.kind == PeerKind::External && !to.rules.oad {
        attrs.local_pref = None;
    }
    rules::mark_sent(&mut attrs, to);
    attrs.med = ctx.config.max_med.or(attrs.med);
    mark_partial(&mut attrs);
    Some(attrs)
}

/// Whether another AS is told. As in FRR node targets and colors, whose bits let them, do not pass from one AS to another.
fn leaves_as(community: ExtCommunity, transit: bool) -> bool {
    let of_an_as = community.node_target().is_some() || community.color().is_some();
    community.is_transitive() && !(transit && of_an_as)
}

/// Unknown attributes that pass through us are marked so (RFC 4271 §9).
fn mark_partial(attrs: &mut Attributes) {
    const OPTIONAL_TRANSITIVE: u8 = 0xc0;
    const PARTIAL: u8 = 0x20;
    let Some(rare) = attrs.rare.as_mut() else { return };
    for raw in &mut rare.unknown {
        let known = bgp_packet::attr::AttrCode(raw.code).defined_flags().is_some();
        if !known && raw.flags & OPTIONAL_TRANSITIVE == OPTIONAL_TRANSITIVE {
            raw.flags |= PARTIAL;
        }
    }
}

fn set_as_path(ctx: &Ctx, to: &PeerParams, settings: &FamilyParams, attrs: &mut Attributes) {
    let path = &attrs.as_path;
    match to.kind {
        PeerKind::Internal => {}
        PeerKind::Confederation => attrs.as_path = path.prepend_confed(&[ctx.config.asn]),
        PeerKind::External => {
            let path = path.without_confed();
            let transparent = settings.route_server_client || settings.as_path_unchanged && !path.is_empty();
            attrs.as_path = if transparent {
                path
            } else {
                match to.change_local_as {
                    Some(local) if local.asn == to.local_as && local.asn != ctx.config.asn => {
                        if local.replace_as {
                            path.prepend(&[local.asn])
                        } else {
                            path.prepend(&[local.asn, public_as(ctx)])
                        }
                    }
                    _ => path.prepend(&[to.local_as]),
                }
            };
        }
    }
}

/// The AS that the world outside the confederation knows.
fn public_as(ctx: &Ctx) -> Asn {
    ctx.config.confederation.as_ref().map_or(ctx.config.asn, |(id, _)| *id)
}

fn shut_down(attrs: &mut Attributes, to: PeerKind) {
    if to == PeerKind::External {
        if !attrs.communities.contains(&Community::GRACEFUL_SHUTDOWN) {
            let mut communities = attrs.communities.to_vec();
            communities.push(Community::GRACEFUL_SHUTDOWN);
            communities.sort_unstable();
            attrs.communities = communities.into();
        }
    } else {
        attrs.local_pref = Some(0);
    }
}
