//! Our opaque LSAs (RFC 5250): router information (RFC 7770), traffic engineering (RFC 3630), and what others outside hand us.

use std::net::{IpAddr, Ipv4Addr};

use bytes::{BufMut, BytesMut};
use ferrite_ospf_packet::opaque::{self, Tlv};
use ferrite_ospf_packet::v2::ty;
use ferrite_ospf_packet::{AreaId, LsType, LsaKey, Options, V2};

use crate::config::{InterAs, LinkParams, NetworkType};
use crate::event::IfId;
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
            inter_as(instance, place, wanted);
        }
        Place::As => {
            router_information(instance, place, wanted);
            inter_as(instance, place, wanted);
        }
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
    let options = Instance::<V2>::lsa_options(kind_of_area).with(Options::O);
    let key = LsaKey { ty: ls_type(place), id: opaque::ls_id(kind, id), adv: instance.router_id() };
    wanted.insert(key, (options, body));
}

fn router_information(instance: &Instance<V2>, place: Place, wanted: &mut Wanted) {
    let Some(config) = &instance.config.router_information else { return };
    if config.as_scope != (place == Place::As) {
        return;
    }
    let information = opaque::RouterInformation {
        capabilities: instance.capabilities(),
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
    if let Some(address) = config.router_address {
        let router = opaque::TrafficEngineering::RouterAddress(address);
        put(instance, place, kind, 0, body(|buf| router.put(buf)), wanted);
    }
    for (id, interface) in instance.interfaces.iter().filter(|(_, i)| i.config.area == area) {
        let Some(params) = &interface.config.link_params else { continue };
        if let Some(tlvs) = link(interface, params) {
            let link = opaque::TrafficEngineering::Link(tlvs);
            put(instance, place, kind, id.0 & 0xff_ffff, body(|buf| link.put(buf)), wanted);
        }
    }
}

/// Links to other autonomous systems, which are no neighbours of ours (RFC 5392 §3).
fn inter_as(instance: &Instance<V2>, place: Place, wanted: &mut Wanted) {
    let told = match instance.config.traffic_engineering.and_then(|te| te.inter_as) {
        Some(InterAs::As) => Place::As,
        Some(InterAs::Area(area)) => Place::Area(area),
        None => return,
    };
    if told != place {
        return;
    }
    for (id, interface) in instance.interfaces.iter().filter(|(_, i)| i.state > State::Down) {
        let Some(params) = &interface.config.link_params else { continue };
        if let Some(tlvs) = remote_link(interface, params) {
            let link = opaque::TrafficEngineering::Link(tlvs);
            let kind = opaque::kind::INTER_AS;
            put(instance, place, kind, id.0 & 0xff_ffff, body(|buf| link.put(buf)), wanted);
        }
    }
}

/// Sub-TLVs of a link that carries traffic (§2.5).
fn link(interface: &Interface, params: &LinkParams) -> Option<Vec<Tlv>> {
    let neighbor = interface.full().next()?;
    let Some(IpAddr::V4(own)) = interface.link.address else { return None };
    let elects = interface.config.network.elects();
    if interface.is_virtual() || elects && interface.state <= State::Waiting {
        return None;
    }
    let id = if elects { interface.designated } else { neighbor.id.0 };
    let mut tlvs = ends(elects, Some(id), own);
    if let (NetworkType::PointToPoint, IpAddr::V4(remote)) = (interface.config.network, neighbor.address) {
        tlvs.push(Tlv::new(4, remote.octets().to_vec()));
    }
    attributes(params, &mut tlvs);
    Some(tlvs)
}

/// Such a link has no Link ID (RFC 5392 §3.2.1).
fn remote_link(interface: &Interface, params: &LinkParams) -> Option<Vec<Tlv>> {
    let Some(IpAddr::V4(own)) = interface.link.address else { return None };
    let (remote, system) = params.remote?;
    let mut tlvs = ends(false, None, own);
    tlvs.push(Tlv::new(4, remote.octets().to_vec()));
    attributes(params, &mut tlvs);
    tlvs.push(word(21, system));
    tlvs.push(Tlv::new(22, remote.octets().to_vec()));
    Some(tlvs)
}

fn ends(multiaccess: bool, id: Option<Ipv4Addr>, own: Ipv4Addr) -> Vec<Tlv> {
    let mut tlvs = vec![Tlv::new(1, vec![if multiaccess { 2 } else { 1 }])];
    tlvs.extend(id.map(|id| Tlv::new(2, id.octets().to_vec())));
    tlvs.push(Tlv::new(3, own.octets().to_vec()));
    tlvs
}

/// What traffic engineering knows of a link; what is not configured is not said.
fn attributes(params: &LinkParams, tlvs: &mut Vec<Tlv>) {
    tlvs.extend(params.metric.map(|metric| word(5, metric)));
    tlvs.extend(params.max_bandwidth.map(|bandwidth| word(6, bandwidth.0)));
    tlvs.extend(params.max_reservable.map(|bandwidth| word(7, bandwidth.0)));
    if let Some(unreserved) = params.unreserved {
        let mut value = BytesMut::new();
        unreserved.iter().for_each(|bandwidth| value.put_u32(bandwidth.0));
        tlvs.push(Tlv::new(8, value.freeze()));
    }
    tlvs.extend(params.admin_group.map(|group| word(9, group)));
    tlvs.extend(params.tlvs.iter().cloned());
}

fn word(ty: u16, value: u32) -> Tlv {
    Tlv::new(ty, value.to_be_bytes().to_vec())
}

impl Instance<V2> {
    /// What traffic engineering says, or would say with a neighbour, of an interface; none where it has no parameters.
    pub fn te_link(&self, id: IfId) -> Option<Vec<Tlv>> {
        self.config.traffic_engineering?;
        let interface = self.interface(id)?;
        let params = interface.config.link_params.as_ref()?;
        let told = link(interface, params).or_else(|| remote_link(interface, params));
        Some(told.unwrap_or_else(|| {
            let elects = interface.config.network.elects();
            let id = elects.then_some(interface.designated).filter(|id| !id.is_unspecified());
            let own = super::own_address(interface).map_or(Ipv4Addr::UNSPECIFIED, |(own, _)| own);
            let mut tlvs = ends(elects, id, own);
            attributes(params, &mut tlvs);
            tlvs
        }))
    }

    /// The capabilities that we say (RFC 7770 §2.4); none where nothing is said of us.
    pub fn capabilities(&self) -> Option<u32> {
        self.config.router_information.as_ref()?;
        let restart = &self.config.restart;
        let helps = restart.helper.everybody || !restart.helper.routers.is_empty();
        let bits = [
            (restart.enabled, GRACEFUL_RESTART),
            (helps, HELPER),
            (true, STUB_ROUTER),
            (self.config.traffic_engineering.is_some(), TRAFFIC_ENGINEERING),
        ];
        Some(bits.into_iter().filter(|(set, _)| *set).fold(0, |all, (_, bit)| all | bit))
    }
}
