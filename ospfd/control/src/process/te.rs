//! Traffic engineering and router information as the core announces them: of configuration and what zebra tells of links.

use bytes::{BufMut, BytesMut};
use ferrite_ospf::config::{
    Bandwidth, Config, InterAs as CoreInterAs, LinkParams as CoreParams, RouterInformation,
    TrafficEngineering,
};
use ferrite_ospf_packet::opaque::Tlv;
use ferrite_types::IfIndex;
use ferrite_types::link_params::LinkParams;

use super::ospf::World;
use crate::settings::RouterSettings;
use crate::settings::te::{InfoScope, InterAs, Pce};

/// The PCE discovery TLV (RFC 5088 §4).
pub const PCED: u16 = 6;

/// Sub-TLVs of RFC 7308 and RFC 7471.
mod sub {
    pub const EXTENDED_GROUP: u16 = 26;
    pub const DELAY: u16 = 27;
    pub const DELAY_BOUNDS: u16 = 28;
    pub const DELAY_VARIATION: u16 = 29;
    pub const LOSS: u16 = 30;
    pub const RESIDUAL: u16 = 31;
    pub const AVAILABLE: u16 = 32;
    pub const UTILIZED: u16 = 33;
}

/// What fits into 24 bits.
const LARGEST: u32 = 0xff_ffff;

pub(super) fn configure(router: &RouterSettings, config: &mut Config) {
    config.traffic_engineering = router.te.on.then(|| TrafficEngineering {
        router_address: router.te.router_address,
        inter_as: router.te.inter_as.map(|told| match told {
            InterAs::As => CoreInterAs::As,
            InterAs::Area(area) => CoreInterAs::Area(area),
        }),
    });
    config.router_information = router.info.scope.map(|scope| RouterInformation {
        as_scope: scope == InfoScope::As,
        hostname: None,
        tlvs: pce(&router.info.pce).into_iter().collect(),
    });
}

/// What a link offers, where traffic engineering is on.
pub(super) fn params(world: &World, router: &RouterSettings, ifindex: IfIndex) -> Option<CoreParams> {
    let params = world.link_params.get(&ifindex).filter(|_| router.te.on)?;
    let unreserved = params.unreserved.iter().map(|value| value.map(rate));
    let unreserved: Option<Vec<Bandwidth>> = unreserved.collect();
    Some(CoreParams {
        metric: params.metric,
        max_bandwidth: params.max_bandwidth.map(rate),
        max_reservable: params.max_reservable.map(rate),
        unreserved: unreserved.and_then(|all| <[Bandwidth; 8]>::try_from(all).ok()),
        admin_group: params.admin_group,
        remote: params.neighbor,
        tlvs: extensions(params),
    })
}

fn rate(bandwidth: ferrite_types::link_params::Bandwidth) -> Bandwidth {
    Bandwidth::from_f32(bandwidth.0)
}

fn extensions(params: &LinkParams) -> Vec<Tlv> {
    let mut tlvs = Vec::new();
    if !params.extended_group.is_empty() {
        let mut value = BytesMut::new();
        params.extended_group.iter().for_each(|group| value.put_u32(*group));
        tlvs.push(Tlv { ty: sub::EXTENDED_GROUP, value: value.freeze() });
    }
    let mut word = |ty, value: u32| tlvs.push(Tlv::new(ty, value.to_be_bytes().to_vec()));
    if let Some(delay) = params.delay {
        word(sub::DELAY, delay.average.min(LARGEST));
        if let Some((least, most)) = delay.bounds {
            let mut value = BytesMut::new();
            value.put_u32(least.min(LARGEST));
            value.put_u32(most.min(LARGEST));
            tlvs.push(Tlv { ty: sub::DELAY_BOUNDS, value: value.freeze() });
        }
    }
    let mut word = |ty, value: u32| tlvs.push(Tlv::new(ty, value.to_be_bytes().to_vec()));
    if let Some(variation) = params.delay_variation {
        word(sub::DELAY_VARIATION, variation.min(LARGEST));
    }
    if let Some(loss) = params.loss {
        // Units of 0.000003 %.
        word(sub::LOSS, (loss.0 / 3).min(LARGEST));
    }
    for (ty, value) in [
        (sub::RESIDUAL, params.residual),
        (sub::AVAILABLE, params.available),
        (sub::UTILIZED, params.utilized),
    ] {
        if let Some(bandwidth) = value {
            word(ty, rate(bandwidth).0);
        }
    }
    tlvs
}

/// The element that is told, if any: its address, how far it computes, for whom, what it is able to do.
pub fn pce(pce: &Pce) -> Option<Tlv> {
    let word = |value: u32| value.to_be_bytes().to_vec();
    let mut tlvs = Vec::new();
    if let Some(address) = pce.address {
        let mut value = BytesMut::new();
        value.put_u16(1); // an IPv4 address
        value.put_u16(0);
        value.put_slice(&address.octets());
        tlvs.push(Tlv { ty: 1, value: value.freeze() });
    }
    tlvs.extend(pce.scope.map(|bits| Tlv::new(2, word(bits))));
    let domain = |ty: u16, number: &u32| {
        let mut value = BytesMut::new();
        value.put_u16(2); // an AS number
        value.put_u16(0);
        value.put_u32(*number);
        Tlv { ty, value: value.freeze() }
    };
    tlvs.extend(pce.domains.iter().map(|number| domain(3, number)));
    tlvs.extend(pce.neighbors.iter().map(|number| domain(4, number)));
    tlvs.extend(pce.flags.map(|bits| Tlv::new(5, word(bits))));
    if tlvs.is_empty() {
        return None;
    }
    let mut value = BytesMut::new();
    Tlv::put_all(&tlvs, &mut value);
    Some(Tlv { ty: PCED, value: value.freeze() })
}
