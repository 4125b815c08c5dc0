//! Our router-LSA and network-LSAs of an area (RFC 2328 §12.4.1, §12.4.2).

use std::net::IpAddr;

use ferrite_ospf_packet::v2::{LinkKind, NetworkLsa, RouterFlags, RouterLink, RouterLsa, ty};
use ferrite_ospf_packet::{AreaId, LsId, LsaKey, V2};
use ferrite_types::Ipv4Prefix;

use super::own_address;
use crate::config::{NetworkType, Translator};
use crate::instance::Instance;
use crate::interface::{Interface, State};
use crate::send::body;
use crate::version::Wanted;

/// Links of a stub router carry this (RFC 6987 §2).
const MAX_LINK_METRIC: u16 = 0xffff;

pub(super) fn area(instance: &Instance<V2>, area: AreaId, wanted: &mut Wanted) {
    let router = instance.router_id();
    let options = Instance::<V2>::lsa_options(instance.area_kind(area));
    let mut lsa = RouterLsa { flags: flags(instance, area), links: Vec::new() };
    for interface in instance.interfaces.values().filter(|i| i.config.area == area && i.state > State::Down) {
        links(interface, instance.is_stub_router(), &mut lsa.links);
        if let Some((id, network)) = network(instance, interface) {
            wanted
                .insert(LsaKey { ty: ty::NETWORK, id, adv: router }, (options, body(|buf| network.put(buf))));
        }
    }
    let key = LsaKey { ty: ty::ROUTER, id: LsId::from(router.0), adv: router };
    wanted.insert(key, (options, body(|buf| lsa.put(buf))));
}

fn flags(instance: &Instance<V2>, area: AreaId) -> RouterFlags {
    let end =
        |i: &Interface| i.virtual_to.is_some_and(|(transit, _)| transit == area) && i.full().next().is_some();
    let always = instance.config.area(area).translator == Translator::Always;
    let nssa = instance.area_kind(area) == crate::config::AreaKind::Nssa;
    // There is none in a stub area (§12.4.1).
    let stub = instance.area_kind(area) == crate::config::AreaKind::Stub;
    RouterFlags::default()
        .with(RouterFlags::BORDER, instance.is_border_router())
        .with(RouterFlags::BOUNDARY, !stub && (instance.is_boundary_router() || translates_any(instance)))
        .with(RouterFlags::VIRTUAL, instance.interfaces.values().any(end))
        .with(RouterFlags::TRANSLATOR, nssa && always && instance.is_border_router())
        .with(RouterFlags::SHORTCUT, instance.is_border_router() && instance.offers_shortcut(area))
}

fn translates_any(instance: &Instance<V2>) -> bool {
    instance.areas.keys().any(|area| instance.translates(*area))
}

fn links(interface: &Interface, stub_router: bool, links: &mut Vec<RouterLink>) {
    let cost = if stub_router { MAX_LINK_METRIC } else { interface.cost() };
    if let Some(through) = interface.through {
        let IpAddr::V4(source) = through.source else { return };
        links.extend(interface.full().map(|neighbor| RouterLink {
            kind: LinkKind::Virtual,
            id: neighbor.id.0.to_bits(),
            data: source.to_bits(),
            metric: cost,
        }));
        return;
    }
    let Some((address, len)) = own_address(interface) else { return };
    let stub = |len: u8, metric: u16| {
        Ipv4Prefix::new(address, len).map(|network| RouterLink {
            kind: LinkKind::Stub,
            id: network.bits(),
            data: network.mask().to_bits(),
            metric,
        })
    };
    match (interface.state, interface.config.network) {
        (State::Down, _) => {}
        (State::Loopback, _) => links.extend(stub(32, 0)),
        (State::PointToPoint, network) => {
            links.extend(interface.full().map(|neighbor| RouterLink {
                kind: LinkKind::PointToPoint,
                id: neighbor.id.0.to_bits(),
                data: if interface.config.unnumbered { interface.link.ifindex.0 } else { address.to_bits() },
                metric: cost,
            }));
            match network {
                NetworkType::PointToMultipoint => links.extend(stub(32, 0)),
                // Nobody but the two on it needs to know of it (RFC 6860 §2.1).
                _ if interface.suppresses() || interface.config.unnumbered => {}
                _ => links.extend(stub(len, interface.cost())),
            }
        }
        _ => match transit(interface) {
            Some(designated) => links.push(RouterLink {
                kind: LinkKind::Transit,
                id: designated,
                data: address.to_bits(),
                metric: cost,
            }),
            None if interface.suppresses() => {}
            None => links.extend(stub(len, interface.cost())),
        },
    }
}

/// The address of the designated router while the network carries traffic: we are adjacent to it, or it is us and somebody is
/// adjacent to us.
fn transit(interface: &Interface) -> Option<u32> {
    if interface.state <= State::Waiting || interface.designated.is_unspecified() {
        return None;
    }
    let counts = match interface.state {
        State::Dr => interface.full().next().is_some(),
        _ => interface.full().any(|neighbor| neighbor.address == IpAddr::V4(interface.designated)),
    };
    counts.then(|| interface.designated.to_bits())
}

fn network(instance: &Instance<V2>, interface: &Interface) -> Option<(LsId, NetworkLsa)> {
    if interface.state != State::Dr || interface.full().next().is_none() {
        return None;
    }
    let (address, len) = own_address(interface)?;
    // A network of one address is not reached by others (RFC 6860 §2.2).
    let len = if interface.suppresses() { 32 } else { len };
    let mut routers = vec![instance.router_id()];
    routers.extend(interface.full().map(|neighbor| neighbor.id));
    Some((LsId::from(address), NetworkLsa { mask: Ipv4Prefix::new(address, len)?.mask().to_bits(), routers }))
}
