//! What is said of areas.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use ferrite_ospf_packet::AreaId;
use ferrite_types::ids::RouterId;
use ferrite_types::{ParseError, Prefix};

use super::LinkAuth;

/// An area as it was written: as an address or as a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct AreaName {
    pub id: AreaId,
    pub number: bool,
}

impl Default for AreaName {
    fn default() -> Self {
        Self { id: AreaId::BACKBONE, number: false }
    }
}

impl fmt::Display for AreaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.number { self.id.0.to_bits().fmt(f) } else { self.id.fmt(f) }
    }
}

impl FromStr for AreaName {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let number = text.parse::<u32>().map(|bits| Self { id: AreaId::from_bits(bits), number: true });
        number
            .or_else(|_| text.parse::<Ipv4Addr>().map(|id| Self { id: AreaId(id), number: false }))
            .map_err(|_| ParseError::new(text, "an area"))
    }
}

/// `area X …`
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AreaSettings {
    /// How it was written first.
    pub name: AreaName,
    pub kind: AreaKindSettings,
    pub no_summary: bool,
    pub default_cost: Option<u32>,
    pub authentication: Option<AreaAuth>,
    pub ranges: BTreeMap<Prefix, AreaRange>,
    /// `area X nssa range`
    pub nssa_ranges: BTreeMap<Prefix, AreaRange>,
    pub export_list: Option<String>,
    pub import_list: Option<String>,
    pub filter_in: Option<String>,
    pub filter_out: Option<String>,
    pub virtual_links: BTreeMap<RouterId, VirtualLinkSettings>,
    pub flood_reduction: bool,
    pub shortcut: Option<bool>,
}

impl AreaSettings {
    /// Whether anything is said of it.
    pub fn is_empty(&self) -> bool {
        *self == Self { name: self.name, ..Self::default() }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AreaKindSettings {
    #[default]
    Normal,
    Stub,
    Nssa(NssaSettings),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NssaSettings {
    pub translate: Translate,
    pub suppress_forwarding: bool,
    pub default_originate: Option<NssaDefault>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Translate {
    #[default]
    Candidate,
    Never,
    Always,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NssaDefault {
    pub metric: Option<u32>,
    pub type1: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AreaAuth {
    Simple,
    Digest,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AreaRange {
    pub not_advertise: bool,
    pub cost: Option<u32>,
    pub substitute: Option<Prefix>,
}

/// `area X virtual-link A.B.C.D …`; seconds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct VirtualLinkSettings {
    pub hello_interval: Option<u16>,
    pub retransmit: Option<u16>,
    pub transmit_delay: Option<u16>,
    pub dead_interval: Option<u16>,
    /// Milliseconds.
    pub retransmit_window: Option<u16>,
    pub auth: LinkAuth,
}
