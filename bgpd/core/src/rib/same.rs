//! Whether two sets of parameters are the same. Policy is compared by object: an unchanged chain keeps its object.

use std::sync::Arc;

use super::policy::Filter;
use super::settings::{AggregateStatement, DistanceRule, NetworkStatement, RedistributeStatement};
use super::settings::{FamilyParams, FamilySettings, PeerParams, ShardConfig};

/// Whether it is one object, or none either way.
pub fn same_filter(a: Option<&Arc<dyn Filter>>, b: Option<&Arc<dyn Filter>>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        _ => false,
    }
}

/// Whether what the neighbour sends is judged the same way.
pub fn same_import(a: &FamilyParams, b: &FamilyParams) -> bool {
    same_filter(a.import.as_ref(), b.import.as_ref())
        && a.import_denied == b.import_denied
        && a.soft_reconfiguration == b.soft_reconfiguration
        && a.reject_community == b.reject_community
        && a.allowas_in == b.allowas_in
        && a.allowas_in_origin == b.allowas_in_origin
        && a.weight == b.weight
        && a.soo == b.soo
}

fn same_family(a: &FamilyParams, b: &FamilyParams) -> bool {
    let default = |p: &FamilyParams| p.default_originate.is_some();
    let default_map = |p: &FamilyParams| p.default_originate.as_ref().and_then(|default| default.map.clone());
    let flags = |p: &FamilyParams| {
        [
            p.export_denied,
            p.route_reflector_client,
            p.route_server_client,
            p.nexthop_local_unchanged,
            p.as_path_unchanged,
            p.med_unchanged,
            p.as_override,
            p.send_community,
            p.send_large_community,
            p.send_ext_community,
            p.send_rpki_state,
            p.add_path_receive,
        ]
    };
    same_import(a, b)
        && same_filter(a.export.as_ref(), b.export.as_ref())
        && flags(a) == flags(b)
        && a.nexthop == b.nexthop
        && a.remove_private_as == b.remove_private_as
        && default(a) == default(b)
        && same_filter(default_map(a).as_ref(), default_map(b).as_ref())
        && a.maximum_prefix_out == b.maximum_prefix_out
        && (a.add_path_send, a.paths_limit) == (b.add_path_send, b.paths_limit)
        && a.secondary_path == b.secondary_path
        && a.optimal == b.optimal
        && same_filters(a, b)
}

/// What few neighbours have: filters beside the plain policy.
fn same_filters(a: &FamilyParams, b: &FamilyParams) -> bool {
    let conditional = match (&a.advertise, &b.advertise) {
        (None, None) => true,
        (Some(a), Some(b)) => {
            a.exists == b.exists
                && Arc::ptr_eq(&a.routes, &b.routes)
                && Arc::ptr_eq(&a.condition, &b.condition)
        }
        _ => false,
    };
    conditional
        && same_filter(a.unsuppress.as_ref(), b.unsuppress.as_ref())
        && a.orf.address() == b.orf.address()
        && a.dampening == b.dampening
}

pub fn same_params(a: &PeerParams, b: &PeerParams) -> bool {
    let own = |p: &PeerParams| {
        (p.addr, p.kind, p.remote_as, p.remote_id, p.local_as, p.change_local_as, p.local_v4, p.local_v6)
    };
    let session = |p: &PeerParams| {
        (
            p.local_link_local,
            (p.ifindex, p.extended_next_hop),
            p.connected_nexthops,
            p.enforce_first_as,
            p.as4,
            p.max_message,
            p.advertisement_interval,
            p.graceful_shutdown,
            p.aigp,
            (p.bandwidth_integer, p.bandwidth_extended),
            p.rules,
            p.long_lived,
        )
    };
    own(a) == own(b)
        && session(a) == session(b)
        && a.shared_networks == b.shared_networks
        && a.families.len() == b.families.len()
        && a.families.iter().zip(&b.families).all(|((f, a), (g, b))| f == g && same_family(a, b))
}

fn all<T>(a: &[T], b: &[T], same: impl Fn(&T, &T) -> bool) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
}

fn same_settings(a: &FamilySettings, b: &FamilySettings) -> bool {
    let numbers = |s: &FamilySettings| {
        (
            s.maximum_paths_ebgp,
            s.maximum_paths_ibgp,
            s.ibgp_equal_cluster_length,
            s.distance_ebgp,
            s.distance_ibgp,
            s.distance_local,
        )
    };
    let map = |a: &Option<Arc<dyn Filter>>, b: &Option<Arc<dyn Filter>>| same_filter(a.as_ref(), b.as_ref());
    let distance = |a: &DistanceRule, b: &DistanceRule| {
        a.source == b.source && a.distance == b.distance && map(&a.filter, &b.filter)
    };
    let network = |a: &NetworkStatement, b: &NetworkStatement| {
        a.prefix == b.prefix && a.backdoor == b.backdoor && map(&a.map, &b.map)
    };
    let aggregate = |a: &AggregateStatement, b: &AggregateStatement| {
        (a.prefix, a.as_set, a.summary_only, a.matching_med_only, a.origin)
            == (b.prefix, b.as_set, b.summary_only, b.matching_med_only, b.origin)
            && map(&a.map, &b.map)
            && map(&a.suppress_map, &b.suppress_map)
    };
    let redistribute = |a: &RedistributeStatement, b: &RedistributeStatement| {
        (a.protocol, a.instance, a.metric) == (b.protocol, b.instance, b.metric) && map(&a.map, &b.map)
    };
    numbers(a) == numbers(b)
        && all(&a.distances, &b.distances, distance)
        && map(&a.table_map, &b.table_map)
        && all(&a.networks, &b.networks, network)
        && all(&a.aggregates, &b.aggregates, aggregate)
        && all(&a.redistribute, &b.redistribute, redistribute)
        && a.dampening == b.dampening
}

pub fn same_shard(a: &ShardConfig, b: &ShardConfig) -> bool {
    let own = |c: &ShardConfig| (c.vrf, c.asn, c.router_id, c.cluster_id, c.default_local_pref, c.decision);
    let flags = |c: &ShardConfig| {
        [
            c.client_to_client_reflection,
            c.reflector_outbound_policy,
            c.import_check,
            c.zebra,
            c.install,
            c.graceful_shutdown,
            c.reject_as_sets,
            c.keep_received,
            c.allow_martian_nexthop,
            c.suppress_fib_pending,
        ]
    };
    let more = |c: &ShardConfig| (c.bandwidth, c.advertise_interval, c.default_interval, c.max_paths);
    own(a) == own(b)
        && flags(a) == flags(b)
        && more(a) == more(b)
        && a.max_med == b.max_med
        && a.sending == b.sending
        && a.confederation == b.confederation
        && a.own_addresses == b.own_addresses
        && a.interfaces == b.interfaces
        && a.families.values().zip(b.families.values()).all(|(a, b)| same_settings(a, b))
}
