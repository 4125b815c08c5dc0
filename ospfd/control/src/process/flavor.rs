//! What differs between the versions around the core.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ferrite_ospf::Version;
use ferrite_ospf_packet::{V2, V3};
use ferrite_types::ids::IfIndex;
use ferrite_types::{Afi, Prefix, RouteProtocol};

use super::attach::{self, Attachment};
use super::ospf::World;
use super::{Process, ProcessName};
use crate::settings::{Configured, RouterSettings, Settings};

/// A version with its place in the configuration, in zebra and on the links.
pub trait Flavor: Version {
    const AFI: Afi;
    const PROTOCOL: RouteProtocol;
    /// The default route of the family.
    const DEFAULT: Prefix;
    /// What a line of the log says behind the VRF, where another process of the version has the same.
    const REMARK: &'static str = "";

    fn routers(settings: &Settings) -> &BTreeMap<ProcessName, RouterSettings>;

    /// Where a process runs by configuration, with the links that are there.
    fn attachments(world: &World, name: &ProcessName, router: &RouterSettings) -> Vec<Attachment>;

    /// Whether a packet of a link is for this network of it.
    fn serves(process: &Process<Self>, id: ferrite_ospf::IfId, source: IpAddr, destination: IpAddr) -> bool;
}

/// The numbers of a process's networks on a link.
pub fn on_link<V: Version>(
    process: &Process<V>,
    ifindex: IfIndex,
) -> impl Iterator<Item = ferrite_ospf::IfId> {
    process.links.iter().filter(move |(_, link)| link.interface.ifindex == ifindex).map(|(id, _)| *id)
}

impl Flavor for V2 {
    const AFI: Afi = Afi::Ipv4;
    const PROTOCOL: RouteProtocol = RouteProtocol::Ospf;
    const DEFAULT: Prefix = Prefix::V4(ferrite_types::Ipv4Prefix::DEFAULT);

    fn routers(settings: &Settings) -> &BTreeMap<ProcessName, RouterSettings> {
        &settings.v2
    }

    fn attachments(world: &World, name: &ProcessName, router: &RouterSettings) -> Vec<Attachment> {
        attach::networks(world, name, router)
    }

    fn serves(process: &Process<Self>, id: ferrite_ospf::IfId, source: IpAddr, destination: IpAddr) -> bool {
        let Some(link) = process.told.get(&id) else { return false };
        if !destination.is_multicast() {
            return link.address == Some(destination);
        }
        let IpAddr::V4(source) = source else { return false };
        let covers = |(addr, len): &(IpAddr, u8)| match addr {
            IpAddr::V4(addr) => network_has(*addr, *len, source),
            IpAddr::V6(_) => false,
        };
        link.prefixes.iter().any(covers)
    }
}

fn network_has(addr: Ipv4Addr, len: u8, other: Ipv4Addr) -> bool {
    ferrite_types::Ipv4Prefix::new(addr, len).is_some_and(|network| network.contains(other))
}

impl<F: Configured> Flavor for V3<F> {
    const AFI: Afi = F::AFI;
    const PROTOCOL: RouteProtocol = RouteProtocol::Ospf6;
    const DEFAULT: Prefix = Prefix::default_of(F::AFI);
    const REMARK: &'static str = if matches!(F::AFI, Afi::Ipv4) { ", IPv4" } else { "" };

    fn routers(settings: &Settings) -> &BTreeMap<ProcessName, RouterSettings> {
        F::routers(settings)
    }

    fn attachments(world: &World, name: &ProcessName, router: &RouterSettings) -> Vec<Attachment> {
        attach::links::<F>(world, name, router)
    }

    fn serves(_: &Process<Self>, _: ferrite_ospf::IfId, source: IpAddr, _: IpAddr) -> bool {
        source != IpAddr::V6(Ipv6Addr::UNSPECIFIED)
    }
}
