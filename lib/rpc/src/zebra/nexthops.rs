//! Next-hop tracking: registrations one way, resolutions the other.

use ferrite_types::zclient::{NexthopState, Resolution, TrackNexthop};
use ferrite_types::{Metric, Nexthop, VrfId};

use super::value::{
    addr, addr_octets, distance, narrow, pack_prefix, protocol, protocol_number, unpack_prefix,
};
use super::{ConvertError, pb};

impl From<&TrackNexthop> for pb::TrackNexthop {
    fn from(item: &TrackNexthop) -> Self {
        Self {
            vrf: item.vrf.0,
            addr: addr_octets(item.addr),
            connected_only: item.connected_only,
            track: item.track,
            exact: item.exact.map(u32::from),
        }
    }
}

impl TryFrom<&pb::TrackNexthop> for TrackNexthop {
    type Error = ConvertError;
    fn try_from(pb: &pb::TrackNexthop) -> Result<Self, ConvertError> {
        Ok(Self {
            vrf: VrfId(pb.vrf),
            addr: addr("addr", &pb.addr)?,
            connected_only: pb.connected_only,
            track: pb.track,
            exact: exact(pb.exact)?,
        })
    }
}

impl From<&NexthopState> for pb::NexthopState {
    fn from(state: &NexthopState) -> Self {
        let exact = state.exact.map(u32::from);
        let mut out = Self { vrf: state.vrf.0, addr: addr_octets(state.addr), exact, ..Self::default() };
        if let Some(resolved) = &state.resolved {
            out.reachable = true;
            pack_prefix(resolved.prefix, &mut out.prefix);
            out.protocol = protocol_number(resolved.protocol);
            out.distance = resolved.distance.0.into();
            out.metric = resolved.metric.0;
            out.nexthops = resolved.nexthops.iter().map(Into::into).collect();
        }
        out
    }
}

impl TryFrom<&pb::NexthopState> for NexthopState {
    type Error = ConvertError;
    fn try_from(pb: &pb::NexthopState) -> Result<Self, ConvertError> {
        let resolved = if pb.reachable { Some(resolution(pb)?) } else { None };
        Ok(Self { vrf: VrfId(pb.vrf), addr: addr("addr", &pb.addr)?, exact: exact(pb.exact)?, resolved })
    }
}

fn exact(length: Option<u32>) -> Result<Option<u8>, ConvertError> {
    length.map(|length| narrow("exact", length)).transpose()
}

fn resolution(pb: &pb::NexthopState) -> Result<Resolution, ConvertError> {
    Ok(Resolution {
        prefix: unpack_prefix(&mut pb.prefix.as_slice())?,
        protocol: protocol(pb.protocol)?,
        distance: distance(pb.distance)?,
        metric: Metric(pb.metric),
        nexthops: pb.nexthops.iter().map(Nexthop::try_from).collect::<Result<_, _>>()?,
    })
}
