//! Where the lines of an address family of OSPFv3 stand: IPv6's as in FRR, IPv4's (RFC 5838) beside them in the same form.

use std::collections::BTreeMap;

use ferrite_ospf_packet::{Family, Inet4, Inet6};

use super::{InterfaceSettings, InterfaceV3, RouterSettings, Settings};
use crate::process::ProcessName;

/// A family with its place in the configuration.
pub trait Configured: Family {
    /// What its commands begin with: `ipv6 ospf6 …`, `ip ospf6 …`.
    const WORD: &'static str;

    fn routers(settings: &Settings) -> &BTreeMap<ProcessName, RouterSettings>;
    fn routers_mut(settings: &mut Settings) -> &mut BTreeMap<ProcessName, RouterSettings>;
    fn link(interface: &InterfaceSettings) -> &InterfaceV3;
    fn link_mut(interface: &mut InterfaceSettings) -> &mut InterfaceV3;
}

impl Configured for Inet6 {
    const WORD: &'static str = "ipv6";

    fn routers(settings: &Settings) -> &BTreeMap<ProcessName, RouterSettings> {
        &settings.v3
    }

    fn routers_mut(settings: &mut Settings) -> &mut BTreeMap<ProcessName, RouterSettings> {
        &mut settings.v3
    }

    fn link(interface: &InterfaceSettings) -> &InterfaceV3 {
        &interface.v3
    }

    fn link_mut(interface: &mut InterfaceSettings) -> &mut InterfaceV3 {
        &mut interface.v3
    }
}

impl Configured for Inet4 {
    const WORD: &'static str = "ip";

    fn routers(settings: &Settings) -> &BTreeMap<ProcessName, RouterSettings> {
        &settings.v3_ipv4
    }

    fn routers_mut(settings: &mut Settings) -> &mut BTreeMap<ProcessName, RouterSettings> {
        &mut settings.v3_ipv4
    }

    fn link(interface: &InterfaceSettings) -> &InterfaceV3 {
        &interface.v3_ipv4
    }

    fn link_mut(interface: &mut InterfaceSettings) -> &mut InterfaceV3 {
        &mut interface.v3_ipv4
    }
}
