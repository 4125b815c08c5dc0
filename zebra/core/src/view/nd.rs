//! Router advertisements: their part of `show interface`, and `show ipv6 nd ra-interfaces`.

use std::fmt;

use serde::Serialize;

/// What `show interface` says of an interface that advertises. The text is FRR's, and more; its JSON has the addresses of
/// the neighbours only.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NdView {
    /// Milliseconds.
    #[serde(skip)]
    pub reachable_time: u32,
    /// Milliseconds.
    #[serde(skip)]
    pub retransmit: u32,
    #[serde(skip)]
    pub hop_limit: u8,
    #[serde(skip)]
    pub sent: u64,
    #[serde(skip)]
    pub received: u64,
    #[serde(skip)]
    pub malformed: u64,
    #[serde(skip)]
    pub interval_msec: u32,
    /// Seconds, where configured.
    #[serde(skip)]
    pub lifetime: Option<u16>,
    #[serde(skip)]
    pub preference: &'static str,
    #[serde(skip)]
    pub managed: bool,
    #[serde(skip)]
    pub other: bool,
    #[serde(skip)]
    pub home_agent: Option<HomeAgentView>,
    #[serde(skip)]
    pub interval_option: bool,
    #[serde(skip)]
    pub active: bool,
    #[serde(rename = "neighborIpAddresses", skip_serializing_if = "Vec::is_empty")]
    pub neighbors: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct HomeAgentView {
    /// Seconds, where configured.
    pub lifetime: Option<u16>,
    pub preference: u16,
}

impl fmt::Display for NdView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.active {
            self.write_sending(f)?;
        }
        if self.malformed > 0 {
            writeln!(f, "  ND router messages dropped as malformed: {}", self.malformed)?;
        }
        if !self.neighbors.is_empty() {
            writeln!(f, "  Neighbor address(s):")?;
        }
        self.neighbors.iter().try_for_each(|addr| writeln!(f, "  inet6 {addr}"))
    }
}

impl NdView {
    fn write_sending(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  ND advertised reachable time is {} milliseconds", self.reachable_time)?;
        writeln!(f, "  ND advertised retransmit interval is {} milliseconds", self.retransmit)?;
        writeln!(f, "  ND advertised hop-count limit is {} hops", self.hop_limit)?;
        writeln!(f, "  ND router advertisements sent: {} rcvd: {}", self.sent, self.received)?;
        match self.interval_msec % 1000 {
            0 => writeln!(
                f,
                "  ND router advertisements are sent every {} seconds",
                self.interval_msec / 1000
            )?,
            _ => {
                writeln!(f, "  ND router advertisements are sent every {} milliseconds", self.interval_msec)?;
            }
        }
        match self.lifetime {
            Some(secs) => writeln!(f, "  ND router advertisements live for {secs} seconds")?,
            None => writeln!(f, "  ND router advertisements lifetime tracks ra-interval")?,
        }
        writeln!(f, "  ND router advertisement default router preference is {}", self.preference)?;
        if self.managed {
            writeln!(f, "  Hosts use DHCP to obtain routable addresses.")?;
        } else {
            writeln!(f, "  Hosts use stateless autoconfig for addresses.")?;
        }
        if self.other {
            writeln!(f, "  ND router advertisements with other configuration flag set.")?;
        }
        if let Some(agent) = self.home_agent {
            writeln!(f, "  ND router advertisements with Home Agent flag bit set.")?;
            match agent.lifetime {
                Some(secs) => writeln!(f, "  Home Agent lifetime is {secs} seconds")?,
                None => writeln!(f, "  Home Agent lifetime tracks ra-lifetime")?,
            }
            writeln!(f, "  Home Agent preference is {}", agent.preference)?;
        }
        if self.interval_option {
            writeln!(f, "  ND router advertisements with Adv. Interval option.")?;
        }
        Ok(())
    }
}

/// `show ipv6 nd ra-interfaces`
#[derive(Clone, Debug, Default)]
pub struct RaInterfaces {
    /// VRFs with the interfaces that advertise at intervals of whole seconds, and those of milliseconds.
    pub vrfs: Vec<(String, Vec<String>, Vec<String>)>,
}

impl fmt::Display for RaInterfaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (vrf, seconds, milliseconds) in &self.vrfs {
            writeln!(f, "VRF: {vrf}\n  Interfaces:")?;
            seconds.iter().try_for_each(|name| writeln!(f, "    {name}"))?;
            writeln!(f, "\n  Interfaces(msec):")?;
            milliseconds.iter().try_for_each(|name| writeln!(f, "    {name}"))?;
            writeln!(f)?;
        }
        Ok(())
    }
}
