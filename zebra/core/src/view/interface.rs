//! `show interface [NAME] [brief]`.

use std::fmt::{self, Display as _};

use ferrite_types::IfIndex;
use indexmap::IndexMap;
use serde::Serialize;

/// Interfaces by name, whole.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Interfaces(pub IndexMap<String, InterfaceView>);

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InterfaceView {
    /// `up` or `down`.
    pub administrative_status: &'static str,
    pub operational_status: &'static str,
    pub link_detection: bool,
    pub link_ups: u64,
    pub link_downs: u64,
    /// Wall clock of the last change, or `(never)`.
    #[serde(rename = "lastLinkUp", skip_serializing_if = "Option::is_none")]
    pub last_up: Option<String>,
    #[serde(rename = "lastLinkDown", skip_serializing_if = "Option::is_none")]
    pub last_down: Option<String>,
    pub vrf_name: String,
    #[serde(rename = "mplsEnabled")]
    pub mpls_enabled: bool,
    pub link_down: bool,
    #[serde(rename = "linkDownV6")]
    pub link_down_v6: bool,
    #[serde(rename = "mcForwardingV4")]
    pub mc_forwarding_v4: bool,
    #[serde(rename = "mcForwardingV6")]
    pub mc_forwarding_v6: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(rename = "multicastConfig")]
    pub multicast_config: &'static str,
    pub shutdown_config: &'static str,
    #[serde(rename = "mplsConfig")]
    pub mpls_config: &'static str,
    /// Not `up` for the kernel although it exists only in configuration.
    pub pseudo_interface: bool,
    pub index: IfIndex,
    pub metric: u32,
    /// Octets.
    pub mtu: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu6: Option<u32>,
    /// Megabits per second.
    pub speed: u32,
    #[serde(rename = "txqlen")]
    pub tx_queue: u32,
    /// `<UP,LOWER_UP,…>`.
    pub flags: String,
    #[serde(rename = "type")]
    pub link_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hardware_address: Option<String>,
    /// Kilobits per second, where configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bandwidth: Option<u32>,
    pub ip_addresses: Vec<AddressView>,
    pub interface_type: String,
    pub interface_slave_type: &'static str,
    pub lacp_bypass: bool,
    pub evpn_mh: EvpnMultihoming,
    pub protodown: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_interface: Option<String>,
    #[serde(rename = "trafficEngineeringLinkParameters", skip_serializing_if = "Option::is_none")]
    pub link_params: Option<super::te::LinkParamsView>,
    #[serde(flatten)]
    pub nd: super::nd::NdView,
}

/// Nothing yet; FRR always has the key.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct EvpnMultihoming {}

/// What `show interface` says of a setting that nobody made.
pub const NOT_SPECIFIED: &str = "Not specified by CLI";

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AddressView {
    /// With its prefix length.
    pub address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    pub secondary: bool,
    pub no_prefix_route: bool,
    pub unnumbered: bool,
    #[serde(skip)]
    pub ipv6: bool,
}

impl fmt::Display for Interfaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(name, interface)| interface.write(name, f))
    }
}

impl InterfaceView {
    fn write(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Interface {name} is {}, ", self.administrative_status)?;
        writeln!(f, "line protocol is {}", self.operational_status)?;
        let never = "(never)";
        writeln!(
            f,
            "  Link ups:  {:>6}    last: {}",
            self.link_ups,
            self.last_up.as_deref().unwrap_or(never)
        )?;
        writeln!(
            f,
            "  Link downs:{:>6}    last: {}",
            self.link_downs,
            self.last_down.as_deref().unwrap_or(never)
        )?;
        writeln!(f, "  vrf: {}", self.vrf_name)?;
        if let Some(text) = &self.description {
            writeln!(f, "  Description: {text}")?;
        }
        if self.index == IfIndex::NONE {
            return writeln!(f, "  pseudo interface");
        }
        write!(f, "  index {} metric {} mtu {} ", self.index, self.metric, self.mtu)?;
        if let Some(mtu6) = self.mtu6.filter(|mtu6| *mtu6 != self.mtu) {
            write!(f, "mtu6 {mtu6} ")?;
        }
        writeln!(f, "speed {} txqlen {}", self.speed, self.tx_queue)?;
        writeln!(f, "  flags: {}", self.flags)?;
        let mpls = if self.mpls_enabled { "enabled" } else { "" };
        writeln!(f, "  MPLS {mpls} {}", self.mpls_config)?;
        writeln!(f, "  Multicast config is {}", self.multicast_config)?;
        writeln!(f, "  Shutdown config is {}", self.shutdown_config)?;
        writeln!(f, "  Type: {}", self.link_type)?;
        if let Some(mac) = &self.hardware_address {
            writeln!(f, "  HWaddr: {mac}")?;
        }
        if let Some(kbits) = self.bandwidth {
            writeln!(f, "  bandwidth {kbits} kbps")?;
        }
        for address in &self.ip_addresses {
            address.fmt(f)?;
        }
        writeln!(f, "  Interface Type {}", self.interface_type)?;
        writeln!(f, "  Interface Slave Type {}", self.interface_slave_type)?;
        writeln!(f, "  protodown: {} ", self.protodown)?;
        if let Some(parent) = &self.parent_interface {
            writeln!(f, "  Parent interface: {parent}")?;
        }
        if let Some(params) = &self.link_params {
            params.fmt(f)?;
        }
        self.nd.fmt(f)
    }
}

impl fmt::Display for AddressView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  {} {}", if self.ipv6 { "inet6" } else { "inet" }, self.address)?;
        if let Some(peer) = &self.peer {
            write!(f, " peer {peer}")?;
        }
        if self.secondary {
            write!(f, " secondary")?;
        }
        writeln!(f)
    }
}

/// `show interface brief`, by name.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct InterfacesBrief(pub IndexMap<String, InterfaceBrief>);

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InterfaceBrief {
    pub status: &'static str,
    pub vrf_name: String,
    /// With their prefix lengths.
    pub addresses: Vec<String>,
}

impl fmt::Display for InterfacesBrief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<16}{:<8}{:<16}Addresses", "Interface", "Status", "VRF")?;
        writeln!(f, "{:<16}{:<8}{:<16}---------", "---------", "------", "---")?;
        for (name, brief) in &self.0 {
            brief.write(name, f)?;
        }
        writeln!(f)
    }
}

impl InterfaceBrief {
    /// Every IPv4 address and the first IPv6 address; the second and later stand on lines of their own.
    fn write(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{name:<16}{:<8}{:<16}", self.status, self.vrf_name)?;
        let is_v6 = |addr: &&String| addr.contains(':');
        let v4 = self.addresses.iter().filter(|addr| !is_v6(addr));
        let mut shown = v4.chain(self.addresses.iter().find(is_v6));
        writeln!(f, "{}", shown.next().map_or("", String::as_str))?;
        shown.try_for_each(|addr| writeln!(f, "{:40}+ {addr}", ""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brief_columns_are_those_of_frr() {
        let brief = |addresses: &[&str]| InterfaceBrief {
            status: "up",
            vrf_name: "default".into(),
            addresses: addresses.iter().map(|&addr| addr.to_owned()).collect(),
        };
        let mut all = IndexMap::new();
        all.insert("lo".to_owned(), brief(&[]));
        all.insert("ve-a".to_owned(), brief(&["10.0.0.1/24", "2001:db8::1/64", "fe80::1/64"]));
        assert_eq!(
            InterfacesBrief(all).to_string(),
            "Interface       Status  VRF             Addresses\n\
             ---------       ------  ---             ---------\n\
             lo              up      default         \n\
             ve-a            up      default         10.0.0.1/24\n                                        \
             + 2001:db8::1/64\n\n"
        );
    }
}
