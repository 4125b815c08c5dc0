//! Lookups of sources of multicast: requests one way, answers the other.

use ferrite_types::VrfId;
use ferrite_types::zclient::{NexthopState, RpfMode, RpfState, TrackRpf};

use super::value::{addr, addr_octets, safi};
use super::{ConvertError, pb};

fn number(mode: RpfMode) -> i32 {
    RpfMode::ALL.iter().position(|known| *known == mode).map_or(0, |index| index as i32)
}

fn mode(number: i32) -> Result<RpfMode, ConvertError> {
    let known = usize::try_from(number).ok().and_then(|index| RpfMode::ALL.get(index));
    known.copied().ok_or(ConvertError::Range { field: "mode", value: u64::from(number as u32) })
}

impl From<&TrackRpf> for pb::TrackRpf {
    fn from(item: &TrackRpf) -> Self {
        Self { vrf: item.vrf.0, addr: addr_octets(item.addr), mode: number(item.mode), track: item.track }
    }
}

impl TryFrom<&pb::TrackRpf> for TrackRpf {
    type Error = ConvertError;
    fn try_from(pb: &pb::TrackRpf) -> Result<Self, ConvertError> {
        Ok(Self { vrf: VrfId(pb.vrf), addr: addr("addr", &pb.addr)?, mode: mode(pb.mode)?, track: pb.track })
    }
}

impl From<&RpfState> for pb::RpfState {
    fn from(state: &RpfState) -> Self {
        let RpfState { vrf, addr, mode, found } = state;
        let table = found.as_ref().map_or(0, |(safi, _)| safi.code().into());
        let resolved = found.as_ref().map(|(_, route)| route.clone());
        let state = NexthopState { vrf: *vrf, addr: *addr, exact: None, resolved };
        Self { mode: number(*mode), safi: table, state: Some((&state).into()) }
    }
}

impl TryFrom<&pb::RpfState> for RpfState {
    type Error = ConvertError;
    fn try_from(pb: &pb::RpfState) -> Result<Self, ConvertError> {
        let NexthopState { vrf, addr, resolved, .. } =
            pb.state.as_ref().ok_or(ConvertError::Empty)?.try_into()?;
        let found = match resolved {
            Some(route) => Some((safi(pb.safi)?, route)),
            None => None,
        };
        Ok(Self { vrf, addr, mode: mode(pb.mode)?, found })
    }
}

#[cfg(test)]
mod tests {
    use ferrite_types::zclient::Resolution;
    use ferrite_types::{Distance, IfIndex, Metric, Nexthop, RouteProtocol, Safi};

    use super::*;

    #[test]
    fn requests_and_answers_lead_back() {
        let resolution = Resolution {
            prefix: "192.0.2.0/24".parse().unwrap(),
            protocol: RouteProtocol::Static,
            distance: Distance(1),
            metric: Metric(7),
            nexthops: [Nexthop::interface(IfIndex(3))].into(),
        };
        let addr = "192.0.2.9".parse().unwrap();
        for mode in RpfMode::ALL {
            let item = TrackRpf { vrf: VrfId(4), addr, mode, track: true };
            assert_eq!(TrackRpf::try_from(&pb::TrackRpf::from(&item)), Ok(item));
            for found in [None, Some((Safi::Multicast, resolution.clone()))] {
                let state = RpfState { vrf: VrfId(4), addr, mode, found };
                assert_eq!(RpfState::try_from(&pb::RpfState::from(&state)), Ok(state));
            }
        }
        assert!(mode(5).is_err() && mode(-1).is_err());
    }
}
