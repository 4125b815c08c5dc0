//! How sources of multicast are reached: the lookup that PIM makes before it joins, and tells of when it changes.

use std::net::IpAddr;

use super::Resolution;
use crate::{Safi, VrfId};

/// Which table answers: multicast's, the unicast one, or the better of both (`rpf-lookup-mode`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum RpfMode {
    MribOnly,
    UribOnly,
    /// The unicast one where multicast's has no route.
    #[default]
    MribThenUrib,
    /// The lower distance; multicast's where they are equal.
    LowerDistance,
    /// The longer prefix; multicast's where they are equal.
    LongerPrefix,
}

impl RpfMode {
    pub const ALL: [Self; 5] =
        [Self::MribOnly, Self::UribOnly, Self::MribThenUrib, Self::LowerDistance, Self::LongerPrefix];
}

/// Starts or stops watching how an address is reached.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TrackRpf {
    pub vrf: VrfId,
    pub addr: IpAddr,
    pub mode: RpfMode,
    /// False stops it.
    pub track: bool,
}

/// How it is reached now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RpfState {
    pub vrf: VrfId,
    pub addr: IpAddr,
    pub mode: RpfMode,
    /// The table that answered, and its route; none: it is not reached.
    pub found: Option<(Safi, Resolution)>,
}
