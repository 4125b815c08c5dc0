//! What is said of traffic engineering, router information and synchronisation with LDP.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use ferrite_ospf_packet::AreaId;

/// `mpls-te …` (RFC 3630, RFC 5392)
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Te {
    pub on: bool,
    pub router_address: Option<Ipv4Addr>,
    pub inter_as: Option<InterAs>,
    /// Whoever asks for the database is told it.
    pub export: bool,
}

/// Where links to other autonomous systems are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InterAs {
    As,
    Area(AreaId),
}

/// `router-info …` (RFC 7770) with `pce …` (RFC 5088)
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RouterInfo {
    pub scope: Option<InfoScope>,
    pub pce: Pce,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InfoScope {
    As,
    Area,
}

/// A path computation element that the router is or has.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pce {
    pub address: Option<Ipv4Addr>,
    /// Bits of RFC 5088 §4.2.
    pub scope: Option<u32>,
    /// Autonomous systems whose paths it computes.
    pub domains: BTreeSet<u32>,
    /// Those that it reaches into.
    pub neighbors: BTreeSet<u32>,
    /// Bits of RFC 5088 §4.5.
    pub flags: Option<u32>,
}

/// `mpls ldp-sync …` (RFC 5443)
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LdpSync {
    pub on: bool,
    /// Seconds; none is for ever.
    pub hold_down: Option<u16>,
}

/// `ip ospf mpls ldp-sync …`
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LinkLdpSync {
    /// Off is said too: where all links are asked for, one may be left out.
    pub on: Option<bool>,
    /// Seconds, instead of the process's.
    pub hold_down: Option<u16>,
}
