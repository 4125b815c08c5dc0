//! Reading an area's LSAs for the calculation (RFC 5340 §4.8.1).

use std::net::IpAddr;

use ferrite_ospf_packet::v3::{
    IntraAreaPrefixLsa, LinkKind, LinkLsa, LsaPrefix, NetworkLsa, PrefixOptions, RouterFlags, RouterLsa, ty,
};
use ferrite_ospf_packet::{Family, LsId, LsaKey, Options};
use ferrite_types::ids::RouterId;
use ferrite_types::{Prefix, Timestamp};

use crate::interface::Interface;
use crate::lsdb::{Entry, Lsdb};
use crate::version::{Reach, RouterBits, Vertex};

/// All router-LSAs of a router: it may spread its links over several.
fn router_lsas(lsdb: &Lsdb, router: RouterId) -> impl Iterator<Item = (&Entry, RouterLsa)> {
    let of = move |(key, _): &(&LsaKey, &Entry)| key.adv == router;
    // Most routers have one, of ID 0; looking further costs a walk over the type.
    let first = lsdb.get(&LsaKey { ty: ty::ROUTER, id: LsId(0), adv: router });
    let others =
        lsdb.of_type(ty::ROUTER).skip_while(|(key, _)| key.id == LsId(0)).filter(of).map(|(_, entry)| entry);
    first.into_iter().chain(others).filter_map(|entry| Some((entry, RouterLsa::read(entry.lsa.body()).ok()?)))
}

pub(super) fn links(lsdb: &Lsdb, vertex: Vertex, now: Timestamp) -> Vec<Reach> {
    match vertex {
        Vertex::Router(router) => {
            let alive = router_lsas(lsdb, router).filter(|(entry, _)| !entry.is_max_age(now));
            alive
                .flat_map(|(_, lsa)| lsa.links)
                .map(|link| {
                    let to = match link.kind {
                        LinkKind::Transit => Vertex::Network(link.neighbor, link.neighbor_interface),
                        _ => Vertex::Router(link.neighbor),
                    };
                    Reach { to, cost: u32::from(link.metric), link: link.interface }
                })
                .collect()
        }
        Vertex::Network(router, id) => {
            let entry = lsdb.get(&LsaKey { ty: ty::NETWORK, id: LsId(id), adv: router });
            let alive = entry.filter(|entry| !entry.is_max_age(now));
            let lsa = alive.and_then(|entry| NetworkLsa::read(entry.lsa.body()).ok());
            let routers = lsa.map(|lsa| lsa.routers).unwrap_or_default();
            routers.into_iter().map(|router| Reach { to: Vertex::Router(router), cost: 0, link: 0 }).collect()
        }
    }
}

/// Some bits must be set for paths through a router (§4.8.1).
pub(super) fn is_transit(lsdb: &Lsdb, router: RouterId, needed: Options) -> bool {
    router_lsas(lsdb, router).next().is_none_or(|(_, lsa)| lsa.options.has(needed))
}

pub(super) fn router_bits(lsdb: &Lsdb, router: RouterId) -> Option<RouterBits> {
    let (_, lsa) = router_lsas(lsdb, router).next()?;
    Some(RouterBits {
        border: lsa.flags.has(RouterFlags::BORDER),
        boundary: lsa.flags.has(RouterFlags::BOUNDARY),
        virtual_end: lsa.flags.has(RouterFlags::VIRTUAL),
        translator: lsa.flags.has(RouterFlags::TRANSLATOR),
        shortcut: false,
        virtual_links: router_lsas(lsdb, router)
            .any(|(_, lsa)| lsa.links.iter().any(|link| link.kind == LinkKind::Virtual)),
    })
}

fn intra_area(lsdb: &Lsdb) -> impl Iterator<Item = (&LsaKey, &Entry, IntraAreaPrefixLsa)> {
    lsdb.of_type(ty::INTRA_AREA_PREFIX)
        .filter_map(|(key, entry)| Some((key, entry, IntraAreaPrefixLsa::read(entry.lsa.body()).ok()?)))
        // Only the router itself may hang prefixes on what it announces.
        .filter(|(key, _, lsa)| lsa.referenced.adv == key.adv)
}

/// A prefix that is routed: of the family, and for unicast.
pub(super) fn unicast<F: Family>(prefix: LsaPrefix) -> Option<Prefix> {
    F::prefix(prefix.prefix).filter(|_| !prefix.options.has(PrefixOptions::NO_UNICAST))
}

/// A router's address on a link, as its Link-LSA tells it (RFC 5838 §2.5); of that for one of its interfaces, if it is known
/// which. One that no packet can be sent to is none.
pub(super) fn told_address<F: Family>(
    interface: &Interface,
    router: RouterId,
    number: Option<u32>,
) -> Option<IpAddr> {
    let of = |(key, entry): &(&LsaKey, &Entry)| {
        key.adv == router
            && number.is_none_or(|number| key.id.0 == number)
            && !entry.lsa.header().is_max_age()
    };
    let (_, entry) = interface.links.of_type(ty::LINK).find(of)?;
    let address = F::address(LinkLsa::read(entry.lsa.body()).ok()?.address);
    let is_ours = interface.link.next_hop == Some(address) || interface.link.address == Some(address);
    let leads = !address.is_unspecified() && !address.is_loopback() && !address.is_multicast() && !is_ours;
    leads.then_some(address)
}

pub(super) fn prefixes<F: Family>(key: &LsaKey, body: &[u8]) -> Vec<(Vertex, Prefix, u32)> {
    if key.ty != ty::INTRA_AREA_PREFIX {
        return Vec::new();
    }
    let Ok(lsa) = IntraAreaPrefixLsa::read(body) else { return Vec::new() };
    let vertex = match lsa.referenced.ty {
        // Only the router itself may hang prefixes on what it announces.
        _ if lsa.referenced.adv != key.adv => return Vec::new(),
        ty::ROUTER => Vertex::Router(lsa.referenced.adv),
        ty::NETWORK => Vertex::Network(lsa.referenced.adv, lsa.referenced.id.0),
        _ => return Vec::new(),
    };
    let hung = lsa.prefixes.iter().filter_map(|entry| {
        let prefix = unicast::<F>(entry.prefix)?;
        Some((vertex, prefix, u32::from(entry.metric)))
    });
    hung.collect()
}

/// An address it says is its own (LA, §4.7).
pub(super) fn router_address(lsdb: &Lsdb, router: RouterId) -> Option<IpAddr> {
    intra_area(lsdb)
        .filter(|(key, _, lsa)| key.adv == router && lsa.referenced.ty == ty::ROUTER)
        .flat_map(|(_, _, lsa)| lsa.prefixes)
        .find(|entry| entry.prefix.options.has(PrefixOptions::LOCAL) && entry.prefix.prefix.len() == 128)
        .map(|entry| IpAddr::V6(entry.prefix.prefix.addr()))
}
