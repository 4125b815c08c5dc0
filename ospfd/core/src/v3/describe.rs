//! Our LSAs of link and area scope (RFC 5340 §4.4.3, RFC 5838 §2).

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};

use ferrite_ospf_packet::v3::{
    IntraAreaPrefixLsa, LinkKind, LinkLsa, LsaPrefix, NetworkLsa, PrefixMetric, PrefixOptions, RouterFlags,
    RouterLink, RouterLsa, ty,
};
use ferrite_ospf_packet::{AreaId, Family, LsId, LsaKey, Options, V3};
use ferrite_types::{Ipv6Prefix, Prefix};

use super::interface_id;
use crate::config::{NetworkType, Translator};
use crate::event::IfId;
use crate::instance::Instance;
use crate::interface::{Interface, State};
use crate::neighbor::Neighbor;
use crate::send::body;
use crate::version::Wanted;

const MAX_LINK_METRIC: u16 = 0xffff;

fn is_link_local(prefix: Prefix) -> bool {
    matches!(prefix, Prefix::V6(prefix) if prefix.addr().is_unicast_link_local())
}

/// Addresses of the family on an interface, with their length: IPv6's global ones.
fn addresses(interface: &Interface) -> impl Iterator<Item = (IpAddr, u8)> {
    let local = |address| is_link_local(Prefix::host(address));
    interface.link.prefixes.iter().copied().filter(move |(address, _)| !local(*address))
}

fn networks<F: Family>(interface: &Interface) -> impl Iterator<Item = LsaPrefix> {
    let network = |(address, len)| F::wire(Prefix::new(address, len)?);
    addresses(interface)
        .filter_map(network)
        .map(|prefix| LsaPrefix { prefix, options: PrefixOptions::default() })
}

fn hosts<F: Family>(interface: &Interface) -> impl Iterator<Item = LsaPrefix> {
    let host = |(address, _)| F::wire(Prefix::host(address));
    addresses(interface).filter_map(host).map(|prefix| LsaPrefix { prefix, options: PrefixOptions::LOCAL })
}

/// What neighbours are to send packets to: the link-local address, or one of the family, which may be missing (RFC 5838 §2.5).
fn own_address<F: Family>(interface: &Interface) -> Option<Ipv6Addr> {
    if F::LINK_NEXT_HOPS {
        let address = interface.link.next_hop.and_then(F::wire_address);
        Some(address.unwrap_or(Ipv6Addr::UNSPECIFIED))
    } else {
        interface.link.address.and_then(F::wire_address)
    }
}

/// Link-LSA (§4.4.3.8).
pub(super) fn link<F: Family>(instance: &Instance<V3<F>>, id: IfId, wanted: &mut Wanted) {
    let Some(interface) = instance.interfaces.get(&id) else { return };
    let Some(address) = own_address::<F>(interface) else { return };
    if interface.state <= State::Loopback || interface.is_virtual() {
        return;
    }
    let needless = !F::LINK_NEXT_HOPS && interface.config.network == NetworkType::PointToPoint;
    if interface.config.link_lsa_suppression && needless {
        return;
    }
    // What the designated router is not told of it does not announce (RFC 6860 §3.2).
    let prefixes = if interface.suppresses() { Vec::new() } else { networks::<F>(interface).collect() };
    let options = instance.options(interface);
    let lsa = LinkLsa { priority: interface.config.priority, options, address, prefixes };
    let name = LsId(interface_id(interface));
    let key = LsaKey { ty: ty::LINK, id: name, adv: instance.router_id() };
    wanted.insert(key, (Options::default(), body(|buf| lsa.put(buf))));
}

pub(super) fn area<F: Family>(instance: &Instance<V3<F>>, area: AreaId, wanted: &mut Wanted) {
    let adv = instance.router_id();
    let options = Instance::<V3<F>>::lsa_options(instance.area_kind(area));
    let mut lsa = RouterLsa { flags: flags(instance, area), options, links: Vec::new() };
    let mut prefixes = Vec::new();
    let none = Options::default();
    for interface in instance.interfaces.values().filter(|i| i.config.area == area && i.state > State::Down) {
        links(instance, interface, &mut lsa.links);
        own_prefixes(instance, interface, &mut prefixes);
        if let Some(network) = network(instance, interface) {
            let name = LsId(interface_id(interface));
            let key = LsaKey { ty: ty::NETWORK, id: name, adv };
            let hung = network_prefixes(instance, interface, key);
            wanted.insert(key, (none, body(|buf| network.put(buf))));
            if !hung.prefixes.is_empty() {
                let key = LsaKey { ty: ty::INTRA_AREA_PREFIX, ..key };
                wanted.insert(key, (none, body(|buf| hung.put(buf))));
            }
        }
    }
    let router = LsaKey { ty: ty::ROUTER, id: LsId(0), adv };
    wanted.insert(router, (none, body(|buf| lsa.put(buf))));
    prefixes.sort_unstable();
    prefixes.dedup_by_key(|entry| entry.prefix.prefix);
    if !prefixes.is_empty() {
        let lsa = IntraAreaPrefixLsa { referenced: router, prefixes };
        wanted.insert(LsaKey { ty: ty::INTRA_AREA_PREFIX, ..router }, (none, body(|buf| lsa.put(buf))));
    }
}

fn flags<F: Family>(instance: &Instance<V3<F>>, area: AreaId) -> RouterFlags {
    let end =
        |i: &Interface| i.virtual_to.is_some_and(|(transit, _)| transit == area) && i.full().next().is_some();
    let always = instance.config.area(area).translator == Translator::Always;
    let nssa = instance.area_kind(area) == crate::config::AreaKind::Nssa;
    // There is none in a stub area (§12.4.1).
    let stub = instance.area_kind(area) == crate::config::AreaKind::Stub;
    let translates = instance.areas.keys().any(|area| instance.translates(*area));
    RouterFlags::default()
        .with(RouterFlags::BORDER, instance.is_border_router())
        .with(RouterFlags::BOUNDARY, !stub && (instance.is_boundary_router() || translates))
        .with(RouterFlags::VIRTUAL, instance.interfaces.values().any(end))
        .with(RouterFlags::TRANSLATOR, nssa && always && instance.is_border_router())
}

/// §4.4.3.2.
fn links<F: Family>(instance: &Instance<V3<F>>, interface: &Interface, links: &mut Vec<RouterLink>) {
    let metric = if instance.is_stub_router() { MAX_LINK_METRIC } else { interface.cost() };
    let own = interface_id(interface);
    match interface.state {
        State::Down | State::Loopback | State::Waiting => {}
        State::PointToPoint => {
            let kind = if interface.is_virtual() { LinkKind::Virtual } else { LinkKind::PointToPoint };
            let cost = |neighbor: &Neighbor| {
                let named = interface.config.neighbors.get(&neighbor.address).and_then(|named| named.cost);
                named.filter(|_| !instance.is_stub_router()).unwrap_or(metric)
            };
            links.extend(interface.full().map(|neighbor| RouterLink {
                kind,
                metric: cost(neighbor),
                interface: own,
                neighbor_interface: neighbor.interface,
                neighbor: neighbor.id,
            }));
        }
        State::Dr if interface.full().next().is_some() => links.push(RouterLink {
            kind: LinkKind::Transit,
            metric,
            interface: own,
            neighbor_interface: own,
            neighbor: instance.router_id(),
        }),
        _ => {
            let designated = interface.full().find(|neighbor| neighbor.id.0 == interface.designated);
            links.extend(designated.map(|neighbor| RouterLink {
                kind: LinkKind::Transit,
                metric,
                interface: own,
                neighbor_interface: neighbor.interface,
                neighbor: neighbor.id,
            }));
        }
    }
}

/// Prefixes that hang on ourselves (§4.4.3.9): those of transit networks hang on the network.
fn own_prefixes<F: Family>(
    instance: &Instance<V3<F>>,
    interface: &Interface,
    prefixes: &mut Vec<PrefixMetric>,
) {
    let cost = interface.cost();
    let transit = match interface.state {
        State::Dr => interface.full().next().is_some(),
        State::DrOther | State::Backup => interface.full().any(|n| n.id.0 == interface.designated),
        _ => false,
    };
    let endpoint =
        instance.config.areas.get(&interface.config.area).is_some_and(|area| !area.virtual_links.is_empty());
    if interface.is_virtual() {
        return;
    }
    if interface.state == State::Loopback
        || interface.config.network == NetworkType::PointToMultipoint
        || interface.config.announce_hosts
        || endpoint
    {
        prefixes.extend(hosts::<F>(interface).map(|prefix| PrefixMetric { prefix, metric: 0 }));
    }
    let included = interface.config.connected_prefixes;
    let whole = !matches!(interface.state, State::Down | State::Loopback)
        && included.unwrap_or(interface.config.network != NetworkType::PointToMultipoint);
    if whole && !transit && !interface.suppresses() {
        prefixes.extend(networks::<F>(interface).map(|prefix| PrefixMetric { prefix, metric: cost }));
    }
}

/// Network-LSA (§4.4.3.3).
fn network<F: Family>(instance: &Instance<V3<F>>, interface: &Interface) -> Option<NetworkLsa> {
    if interface.state != State::Dr || interface.full().next().is_none() {
        return None;
    }
    let mut routers = vec![instance.router_id()];
    routers.extend(interface.full().map(|neighbor| neighbor.id));
    let said =
        link_lsas(instance, interface).into_iter().fold(Options::default(), |all, lsa| all.with(lsa.options));
    Some(NetworkLsa { options: said, routers })
}

/// Link-LSAs of ourselves and of those that are fully adjacent.
fn link_lsas<F: Family>(instance: &Instance<V3<F>>, interface: &Interface) -> Vec<LinkLsa> {
    let own = instance.router_id();
    let adjacent =
        |key: &LsaKey| key.adv == own || interface.full().any(|n| n.id == key.adv && n.interface == key.id.0);
    let lsas = interface
        .links
        .of_type(ty::LINK)
        .filter(|(key, entry)| adjacent(key) && !entry.lsa.header().is_max_age());
    lsas.filter_map(|(_, entry)| LinkLsa::read(entry.lsa.body()).ok()).collect()
}

fn network_prefixes<F: Family>(
    instance: &Instance<V3<F>>,
    interface: &Interface,
    referenced: LsaKey,
) -> IntraAreaPrefixLsa {
    let mut gathered: BTreeMap<Ipv6Prefix, PrefixOptions> = BTreeMap::new();
    let said = link_lsas(instance, interface).into_iter().flat_map(|lsa| lsa.prefixes);
    let own = networks::<F>(interface).filter(|_| !interface.suppresses());
    for entry in said.chain(own) {
        let skip = PrefixOptions(PrefixOptions::NO_UNICAST.0 | PrefixOptions::LOCAL.0);
        let routed = F::prefix(entry.prefix).is_some_and(|prefix| !is_link_local(prefix));
        if entry.options.0 & skip.0 == 0 && routed {
            gathered.entry(entry.prefix).or_default().0 |= entry.options.0;
        }
    }
    let prefixes = gathered
        .into_iter()
        .map(|(prefix, options)| PrefixMetric { prefix: LsaPrefix { prefix, options }, metric: 0 })
        .collect();
    IntraAreaPrefixLsa { referenced, prefixes }
}
