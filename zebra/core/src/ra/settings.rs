//! What `ipv6 nd …` says of an interface. Names follow RFC 4861 §6.2.1; `None` is the default.

use std::net::Ipv6Addr;

use ferrite_types::Prefix;

/// Valid and preferred lifetime of an announced prefix, seconds (RFC 4861 §6.2.1).
pub const VALID: u32 = 2_592_000;
pub const PREFERRED: u32 = 604_800;
/// Milliseconds between advertisements.
pub const INTERVAL: u32 = 600_000;
pub const HOP_LIMIT: u8 = 64;

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NdSettings {
    /// `no ipv6 nd suppress-ra`: advertisements are sent without a daemon asking.
    pub advertise: bool,
    /// Milliseconds between advertisements, and whether it was written so.
    pub interval: Option<RaInterval>,
    /// Seconds for which we may be a default router; zero: we are none.
    pub lifetime: Option<u16>,
    /// Milliseconds.
    pub reachable_time: Option<u32>,
    /// Milliseconds.
    pub retransmit: Option<u32>,
    pub hop_limit: Option<u8>,
    pub interval_option: bool,
    pub home_agent: bool,
    pub home_agent_preference: Option<u16>,
    /// Seconds.
    pub home_agent_lifetime: Option<u16>,
    /// Addresses are to be had by DHCPv6.
    pub managed: bool,
    /// Other things are to be had by DHCPv6.
    pub other: bool,
    pub preference: RouterPreference,
    /// Octets.
    pub mtu: Option<u16>,
    pub prefixes: Vec<NdPrefix>,
    pub rdnss: Vec<Timed<Ipv6Addr>>,
    pub dnssl: Vec<Timed<String>>,
    pub nat64: Vec<Timed<Prefix>>,
    /// `no ipv6 nd ra-fast-retrans`
    pub no_fast: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RaInterval {
    pub msec: u32,
    /// Written with `msec`.
    pub as_msec: bool,
}

/// RFC 4191 §2.1.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RouterPreference {
    High,
    #[default]
    Medium,
    Low,
}

impl RouterPreference {
    pub fn word(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }

    pub fn bits(self) -> u8 {
        match self {
            Self::High => 0x08,
            Self::Medium => 0,
            Self::Low => 0x18,
        }
    }
}

/// Something announced with a lifetime in seconds; `None` is the default of its kind, [`u32::MAX`] has no end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Timed<T> {
    pub value: T,
    pub lifetime: Option<u32>,
}

/// RFC 4861 §4.6.2.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NdPrefix {
    pub prefix: Prefix,
    /// Valid and preferred lifetime, seconds.
    pub lifetimes: Option<(u32, u32)>,
    pub off_link: bool,
    pub no_autoconfig: bool,
    pub router_address: bool,
}

impl NdPrefix {
    /// With everything as it is where nothing is said.
    pub fn of(prefix: Prefix) -> Self {
        Self { prefix, lifetimes: None, off_link: false, no_autoconfig: false, router_address: false }
    }
}

impl NdSettings {
    pub fn interval_msec(&self) -> u32 {
        self.interval.map_or(INTERVAL, |interval| interval.msec)
    }

    /// Seconds that routers announce by default for an interval (RFC 4861 §6.2.1).
    pub fn lifetime_for(&self, interval_msec: u32) -> u16 {
        let tracked = u16::try_from(interval_msec / 1000 * 3).unwrap_or(9000).clamp(1, 9000);
        self.lifetime.unwrap_or(tracked)
    }
}
