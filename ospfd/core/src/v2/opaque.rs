//! Our opaque LSAs (RFC 5250): router information (RFC 7770), traffic engineering (RFC 3630), and what others outside hand us.

use std::net::IpAddr;

use bytes::{BufMut, BytesMut};
use ferrite_ospf_packet::opaque::{self, Tlv};
use ferrite_ospf_packet::v2::ty;
use ferrite_ospf_packet::{AreaId, LsType, LsaKey, V2};

use crate::config::{LinkParams, NetworkType};
use crate::instance::{Instance, Place};
use crate::interface::{Interface, State};
use crate::send::body;
use crate::version::Wanted;

/// Informational capabilities (RFC 7770 §2.4).
const GRACEFUL_RESTART: u32 = 1 << 31;
const HELPER: u32 = 1 << 30;
const STUB_ROUTER: u32 = 1 << 29;
const TRAFFIC_ENGINEERING: u32 = 1 << 28;

/// What is kept in a place.
pub(super) fn lsas(instance: &Instance<V2>, place: Place, wanted: &mut Wanted) {
    if !instance.config.opaque {
        return;
    }
    match place {
        Place::Area(area) => {
            router_information(instance, place, wanted);
            traffic_engineering(instance, area, wanted);
        }
        Place::As => router_information(instance, place, wanted),
        Place::Link(_) => {}
    }
    for ((at, kind, id), body) in &instance.opaque {
        if *at == place {
            put(instance, place, *kind, *id, BytesMut::from(&body[..]), wanted);
        }
    }
}

fn ls_type(place: Place) -> LsType {
    match place {
        Place::Link(_) => ty::OPAQUE_LINK,
        Place::Area(_) => ty::OPAQUE_AREA,
        Place::As => ty::OPAQUE_AS,
    }
}

fn put(instance: &Instance<V2>, place: Place, kind: u8, id: u32, body: BytesMut, wanted: &mut Wanted) {
    let area = match place {
        Place::Link(id) => instance.interfaces.get(&id).map(|interface| interface.config.area),
        Place::Area(area) => Some(area),
        Place::As => None,
    };
    let kind_of_area = area.map(|area| instance.area_kind(area)).unwrap_or_default();
    let options = Instance::<V2>::lsa_options(kind_of_area);
    let key = LsaKey { ty: ls_type(place), id: opaque::ls_id(kind, id), adv: instance.router_id() };
    wanted.insert(key, (options, body));
}

fn router_information(instance: &Instance<V2>, place: Place, wanted: &mut Wanted) {
    let Some(config) = &instance.config.router_information else { return };
    if config.as_scope != (place == Place::As) {
        return;
    }
    let restart = &instance.config.restart;
    let helps = restart.helper.everybody || !restart.helper.routers.is_empty();
    let bits = [
        (restart.enabled, GRACEFUL_RESTART),
        (helps, HELPER),
        (true, STUB_ROUTER),
        (instance.config.traffic_engineering.is_some(), TRAFFIC_ENGINEERING),
    ];
    let capabilities = bits.into_iter().filter(|(set, _)| *set).fold(0, |all, (_, bit)| all | bit);
    let information = opaque::RouterInformation {
        capabilities: Some(capabilities),
        hostname: config.hostname.clone().map(|name| name.into_bytes().into()),
        other: config.tlvs.clone(),
    };
    let kind = opaque::kind::ROUTER_INFORMATION;
    put(instance, place, kind, 0, body(|buf| information.put(buf)), wanted);
}

/// The router's address in one LSA, each link with parameters in its own (RFC 3630 §2.4: one TLV each).
fn traffic_engineering(instance: &Instance<V2>, area: AreaId, wanted: &mut Wanted) {
    let Some(config) = &instance.config.traffic_engineering else { return };
    let place = Place::Area(area);
    let kind = opaque::kind::TRAFFIC_ENGINEERING;
    let router = opaque::TrafficEngineering::RouterAddress(config.router_address);
    put(instance, place, kind, 0, body(|buf| router.put(buf)), wanted);
    for interface in instance.interfaces.values().filter(|i| i.config.area == area && !i.is_virtual()) {
        let Some(params) = &interface.config.link_params else { continue };
        if let Some(tlvs) = link(interface, params) {
            let link = opaque::TrafficEngineering::Link(tlvs);
            let id = interface.link.ifindex.0 & 0xff_ffff;
            put(instance, place, kind, id, body(|buf| link.put(buf)), wanted);
        }
    }
}

/// Sub-TLVs of a link that carries traffic (§2.5).
fn link(interface: &Interface, params: &LinkParams) -> Option<Vec<Tlv>> {
    let neighbor = interface.full().next()?;
    let Some(IpAddr::V4(own)) = interface.link.address else { return None };
    let elects = interface.config.network.elects();
    if elects && interface.state <= State::Waiting {
        return None;
    }
    let id = if elects { interface.designated } else { neighbor.id.0 };
    let mut tlvs = vec![
        Tlv::new(1, vec![if elects { 2 } else { 1 }]),
        Tlv::new(2, id.octets().to_vec()),
        Tlv::new(3, own.octets().to_vec()),
    ];
    if let (NetworkType::PointToPoint, IpAddr::V4(remote)) = (interface.config.network, neighbor.address) {
        tlvs.push(Tlv::new(4, remote.octets().to_vec()));
    }
    let metric = params.metric.unwrap_or(u32::from(interface.cost()));
    tlvs.push(word(5, metric));
    tlvs.extend(params.max_bandwidth.map(|bandwidth| word(6, bandwidth.0)));
    tlvs.extend(params.max_reservable.map(|bandwidth| word(7, bandwidth.0)));
    if let Some(unreserved) = params.unreserved {
        let mut value = BytesMut::new();
        unreserved.iter().for_each(|bandwidth| value.put_u32(bandwidth.0));
        tlvs.push(Tlv::new(8, value.freeze()));
    }
    tlvs.extend(params.admin_group.map(|group| word(9, group)));
    tlvs.extend(params.tlvs.iter().cloned());
    Some(tlvs)
}

fn word(ty: u16, value: u32) -> Tlv {
    Tlv::new(ty, value.to_be_bytes().to_vec())
}
