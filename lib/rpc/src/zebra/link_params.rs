//! What a link offers to traffic engineering.

use std::net::{IpAddr, Ipv4Addr};

use ferrite_types::IfIndex;
use ferrite_types::link_params::{Bandwidth, Delay, LinkParams, Loss};

use super::value::addr_option;
use super::{ConvertError, pb};

pub fn message(ifindex: IfIndex, params: Option<&LinkParams>) -> pb::LinkParams {
    let Some(params) = params else {
        return pb::LinkParams { ifindex: ifindex.0, gone: true, ..pb::LinkParams::default() };
    };
    let octets = |value: Option<Bandwidth>| value.map(|value| value.0);
    let unreserved: Option<Vec<f32>> = params.unreserved.iter().map(|value| octets(*value)).collect();
    pb::LinkParams {
        ifindex: ifindex.0,
        gone: false,
        metric: params.metric,
        max_bandwidth: octets(params.max_bandwidth),
        max_reservable: octets(params.max_reservable),
        unreserved: unreserved.unwrap_or_default(),
        residual: octets(params.residual),
        available: octets(params.available),
        utilized: octets(params.utilized),
        admin_group: params.admin_group,
        extended_group: params.extended_group.clone(),
        neighbor: params.neighbor.map(|(addr, _)| addr.octets().to_vec()).unwrap_or_default(),
        neighbor_as: params.neighbor.map_or(0, |(_, asn)| asn),
        delay: params.delay.map(|delay| delay.average),
        delay_min: params.delay.and_then(|delay| Some(delay.bounds?.0)),
        delay_max: params.delay.and_then(|delay| Some(delay.bounds?.1)),
        delay_variation: params.delay_variation,
        loss: params.loss.map(|loss| loss.0),
    }
}

/// `None` for a link that offers nothing.
pub fn read(pb: &pb::LinkParams) -> Result<(IfIndex, Option<LinkParams>), ConvertError> {
    let ifindex = IfIndex(pb.ifindex);
    if pb.gone {
        return Ok((ifindex, None));
    }
    let octets = |value: Option<f32>| value.filter(|value| value.is_finite() && *value >= 0.0).map(Bandwidth);
    let mut unreserved = [None; 8];
    for (slot, value) in unreserved.iter_mut().zip(&pb.unreserved) {
        *slot = octets(Some(*value));
    }
    let neighbor: Option<Ipv4Addr> = match addr_option("neighbor", &pb.neighbor)? {
        Some(IpAddr::V4(addr)) => Some(addr),
        Some(IpAddr::V6(_)) => return Err(ConvertError::AddressLength { field: "neighbor", len: 16 }),
        None => None,
    };
    let params = LinkParams {
        metric: pb.metric,
        max_bandwidth: octets(pb.max_bandwidth),
        max_reservable: octets(pb.max_reservable),
        unreserved,
        residual: octets(pb.residual),
        available: octets(pb.available),
        utilized: octets(pb.utilized),
        admin_group: pb.admin_group,
        // 1024 bits are all that there are.
        extended_group: pb.extended_group.iter().copied().take(32).collect(),
        neighbor: neighbor.map(|addr| (addr, pb.neighbor_as)),
        delay: pb.delay.map(|average| Delay { average, bounds: pb.delay_min.zip(pb.delay_max) }),
        delay_variation: pb.delay_variation,
        loss: pb.loss.map(Loss),
    };
    Ok((ifindex, Some(params)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let bandwidth = |value| Some(Bandwidth(value));
        let full = LinkParams {
            metric: Some(20),
            max_bandwidth: bandwidth(1e9),
            max_reservable: bandwidth(1e8),
            unreserved: [bandwidth(5e7); 8],
            residual: bandwidth(1e7),
            available: None,
            utilized: bandwidth(0.0),
            admin_group: Some(0x10),
            extended_group: vec![0x10, 0x8000_0000],
            neighbor: Some(("192.0.2.1".parse().unwrap(), 65001)),
            delay: Some(Delay { average: 1000, bounds: Some((500, 2000)) }),
            delay_variation: Some(50),
            loss: Some(Loss(1_500_000)),
        };
        for params in [Some(full), Some(LinkParams::default()), None] {
            let pb = message(IfIndex(3), params.as_ref());
            assert_eq!(read(&pb).unwrap(), (IfIndex(3), params));
        }
        let wrong = pb::LinkParams { neighbor: vec![1, 2], ..pb::LinkParams::default() };
        assert!(read(&wrong).is_err());
    }
}
