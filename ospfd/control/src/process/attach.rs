//! Where a process runs: its configuration laid over the links and addresses that are there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use ferrite_ospf::config::{InterfaceConfig, NetworkType, StaticNeighbor};
use ferrite_ospf::event::Link;
use ferrite_ospf_packet::AreaId;
use ferrite_types::ids::IfIndex;
use ferrite_types::interface::{Interface, InterfaceAddress};
use ferrite_types::{Afi, Prefix};

use super::auth;
use super::ospf::World;
use super::{KernelLink, ProcessName};
use crate::settings::interface::{Dead, InterfaceV2, InterfaceV3, LinkSettings, NetworkV2, NetworkV3};
use crate::settings::{Configured, RouterSettings};

/// FRR's reference bandwidth, and what a link has that does not say; megabits per second.
pub const REFERENCE_BANDWIDTH: u32 = 100_000;
const LINK_BANDWIDTH: u32 = 10_000;

/// What a network of a process is known by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum NetKey {
    /// OSPFv2: an address of a link.
    Address(IfIndex, Ipv4Addr, u8),
    /// OSPFv3: the link.
    Link(IfIndex),
}

/// A network that a process runs on.
#[derive(Clone, PartialEq, Debug)]
pub struct Attachment {
    pub key: NetKey,
    pub config: InterfaceConfig,
    pub link: Link,
    pub kernel: KernelLink,
}

/// OSPFv2: an interface of the process per address that a line puts into an area.
pub fn networks(world: &World, name: &ProcessName, router: &RouterSettings) -> Vec<Attachment> {
    let mut found = Vec::new();
    for kernel in world.links_of(name).map(|link| with_bandwidth(world, link)) {
        let settings = world.settings.interfaces.get(&kernel.interface.name);
        let v2 = settings.map(|interface| &interface.v2);
        let mut addresses: Vec<&InterfaceAddress> = kernel.addresses.iter().collect();
        addresses.sort();
        for address in addresses.into_iter().filter(|address| !address.secondary) {
            let IpAddr::V4(own) = address.addr else { continue };
            let Some(area) = area_of(name, router, v2, own, address) else { continue };
            let mut config = interface_v2(world, router, v2, own, area, &kernel.interface);
            // Spokes of a DMVPN say their address, by which a hub reaches them (`point-to-point dmvpn`).
            let spoke = matches!(v2.and_then(|v2| v2.network), Some(NetworkV2::PointToPoint { dmvpn: true }));
            config.unnumbered =
                config.network == NetworkType::PointToPoint && address.prefix_len == 32 && !spoke;
            let announced = address.peer.unwrap_or(address.addr);
            let link = Link {
                up: kernel.interface.operative(),
                ifindex: kernel.interface.ifindex,
                mtu: mtu(&kernel.interface),
                address: Some(address.addr),
                next_hop: None,
                prefixes: vec![(announced, address.prefix_len)],
            };
            let key = NetKey::Address(kernel.interface.ifindex, own, address.prefix_len);
            found.push(Attachment { key, config, link, kernel: kernel.clone() });
        }
    }
    found
}

/// A link with the speed that is said of it.
fn with_bandwidth(world: &World, link: &KernelLink) -> KernelLink {
    let mut link = link.clone();
    let said = world.settings.interfaces.get(&link.interface.name);
    if let Some(megabits) = said.and_then(|interface| interface.bandwidth) {
        link.interface.speed = megabits;
    }
    link
}

/// What the interface says itself comes before `network` lines, of which the longest counts.
fn area_of(
    name: &ProcessName,
    router: &RouterSettings,
    v2: Option<&InterfaceV2>,
    own: Ipv4Addr,
    address: &InterfaceAddress,
) -> Option<AreaId> {
    let said = v2.and_then(|v2| {
        let at = |address| v2.areas.get(&(name.instance, address));
        at(Some(own)).or_else(|| at(None))
    });
    if let Some(area) = said {
        return Some(area.id);
    }
    let connected = address.network()?;
    let covering = router.networks.iter().filter(|(network, _)| Prefix::V4(**network).covers(connected));
    covering.max_by_key(|(network, _)| network.len()).map(|(_, area)| area.id)
}

/// The interface's own value for an address before that for all of them.
fn either<T>(
    v2: Option<&InterfaceV2>,
    own: Ipv4Addr,
    read: impl Fn(&LinkSettings) -> Option<T>,
) -> Option<T> {
    let v2 = v2?;
    v2.addresses.get(&own).and_then(&read).or_else(|| read(&v2.all))
}

fn interface_v2(
    world: &World,
    router: &RouterSettings,
    v2: Option<&InterfaceV2>,
    own: Ipv4Addr,
    area: AreaId,
    kernel: &Interface,
) -> InterfaceConfig {
    let said = v2.and_then(|v2| v2.network);
    let network = network_type(said, kernel);
    let mut config = InterfaceConfig::new(area, network);
    config.passive = either(v2, own, |s| s.passive).unwrap_or(router.passive_default);
    config.cost = either(v2, own, |s| s.cost).unwrap_or_else(|| cost(router, kernel));
    let hello = either(v2, own, |s| s.hello_interval);
    config.hello_interval = hello.unwrap_or(10);
    match either(v2, own, |s| s.dead_interval) {
        Some(Dead::Seconds(seconds)) => config.dead_interval = seconds.into(),
        Some(Dead::Minimal(times)) => {
            config.dead_interval = 1;
            config.fast_hello = Some(times);
        }
        // Four times the hello interval, where only that is said.
        None => config.dead_interval = u32::from(config.hello_interval) * 4,
    }
    config.priority = either(v2, own, |s| s.priority).unwrap_or(1);
    config.retransmit = Duration::from_secs(either(v2, own, |s| s.retransmit).unwrap_or(5).into());
    config.retransmit_window =
        Duration::from_millis(either(v2, own, |s| s.retransmit_window).unwrap_or(50).into());
    config.transmit_delay = either(v2, own, |s| s.transmit_delay).unwrap_or(1);
    config.mtu_ignore = either(v2, own, |s| s.mtu_ignore.then_some(())).is_some();
    config.prefix_suppression = either(v2, own, |s| s.prefix_suppression.then_some(())).is_some();
    config.opaque = either(v2, own, |s| s.no_opaque.then_some(())).is_none();
    let list = either(v2, own, |s| s.neighbor_filter.clone());
    config.neighbor_filter = list.and_then(|list| world.prefix_filter(Afi::Ipv4, &list));
    if let Some(NetworkV2::PointToMultipoint { delay_reflood, non_broadcast }) = said {
        config.delay_reflood = delay_reflood;
        config.non_broadcast = non_broadcast;
    }
    if let Some(seconds) = v2.and_then(|v2| v2.hello_delay) {
        config.hello_delay = Duration::from_secs(seconds.into());
    }
    if world.ldp.avoids(kernel.ifindex) {
        config.cost = super::ldp_sync::AVOIDED;
    }
    config.link_params = super::te::params(world, router, kernel.ifindex);
    let area = router.areas.get(&area).and_then(|area| area.authentication);
    config.authentication = auth::v2(world, v2, own, area);
    if either(v2, own, |s| s.extended_sequence.then_some(())).is_some() {
        config.extended_sequence = true;
        config.authentication = auth::extended(config.authentication);
    }
    for (address, named) in &router.neighbors {
        let neighbor = StaticNeighbor {
            priority: named.priority.unwrap_or(0),
            poll_interval: Duration::from_secs(named.poll_interval.unwrap_or(60).into()),
            cost: None,
        };
        let here = network.unicasts()
            && world.network_of(kernel.ifindex, own).is_some_and(|net| net.contains(IpAddr::V4(*address)));
        if here {
            config.neighbors.insert(IpAddr::V4(*address), neighbor);
        }
    }
    config
}

/// What is said of the interface, else what the link is.
pub(super) fn network_type(said: Option<NetworkV2>, kernel: &Interface) -> NetworkType {
    match said {
        _ if kernel.loopback => NetworkType::Loopback,
        Some(NetworkV2::Broadcast) => NetworkType::Broadcast,
        Some(NetworkV2::NonBroadcast) => NetworkType::NonBroadcast,
        Some(NetworkV2::PointToPoint { .. }) => NetworkType::PointToPoint,
        Some(NetworkV2::PointToMultipoint { .. }) => NetworkType::PointToMultipoint,
        None if kernel.point_to_point => NetworkType::PointToPoint,
        None => NetworkType::Broadcast,
    }
}

fn cost(router: &RouterSettings, kernel: &Interface) -> u16 {
    let bandwidth = if kernel.speed == 0 { LINK_BANDWIDTH } else { kernel.speed };
    let reference = router.reference_bandwidth.unwrap_or(REFERENCE_BANDWIDTH);
    let rounded = (u64::from(reference) * 2 / u64::from(bandwidth)).div_ceil(2);
    rounded.clamp(1, 65535) as u16
}

fn mtu(kernel: &Interface) -> u16 {
    u16::try_from(kernel.mtu).unwrap_or(u16::MAX)
}

/// OSPFv3: an interface of the process per link that a line puts into an area.
pub fn links<F: Configured>(world: &World, name: &ProcessName, router: &RouterSettings) -> Vec<Attachment> {
    if name.instance != 0 {
        return Vec::new();
    }
    let mut found = Vec::new();
    for kernel in world.links_of(name).map(|link| with_bandwidth(world, link)) {
        let Some(v3) = world.settings.interfaces.get(&kernel.interface.name).map(F::link) else { continue };
        let Some(area) = v3.area else { continue };
        let network = match v3.network {
            _ if kernel.interface.loopback => NetworkType::Loopback,
            Some(NetworkV3::Broadcast) => NetworkType::Broadcast,
            Some(NetworkV3::PointToPoint) => NetworkType::PointToPoint,
            Some(NetworkV3::PointToMultipoint) => NetworkType::PointToMultipoint,
            None if kernel.interface.point_to_point => NetworkType::PointToPoint,
            None => NetworkType::Broadcast,
        };
        let mut config = InterfaceConfig::new(area.id, network);
        config.passive = v3.passive;
        config.cost = v3.cost.unwrap_or_else(|| cost(router, &kernel.interface));
        config.hello_interval = v3.hello_interval.unwrap_or(10);
        config.dead_interval = v3.dead_interval.unwrap_or(40).into();
        config.priority = v3.priority.unwrap_or(1);
        config.retransmit = Duration::from_secs(v3.retransmit.unwrap_or(5).into());
        config.transmit_delay = v3.transmit_delay.unwrap_or(1);
        config.mtu_ignore = v3.mtu_ignore;
        config.instance = v3.instance.unwrap_or(F::INSTANCE);
        config.authentication = auth::v3(world, v3);
        // Hellos to named neighbours alone.
        config.non_broadcast = v3.no_multicast_hello;
        let single = matches!(network, NetworkType::PointToPoint | NetworkType::PointToMultipoint);
        config.connected_prefixes = v3.connected_prefixes.filter(|_| single);
        // As FRR, so that it has the same routes beside either.
        config.announce_hosts = single;
        config.named_only = v3.named_only && single;
        if let Some(seconds) = v3.hello_delay {
            config.hello_delay = Duration::from_secs(seconds.into());
        }
        for (address, named) in &v3.neighbors {
            let poll_interval = Duration::from_secs(named.poll_interval.unwrap_or(10).into());
            let neighbor = StaticNeighbor { priority: 0, poll_interval, cost: named.cost };
            config.neighbors.insert(IpAddr::V6(*address), neighbor);
        }
        let mut link = addressed::<F>(world, v3, &kernel);
        if network == NetworkType::Loopback {
            // Nothing is sent there, so it needs no address of its own.
            link.address.get_or_insert(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
        }
        let key = NetKey::Link(kernel.interface.ifindex);
        found.push(Attachment { key, config, link, kernel: kernel.clone() });
    }
    found
}

/// A link with the address that is spoken from, the one of the family that packets come to, and what is announced.
fn addressed<F: Configured>(world: &World, v3: &InterfaceV3, kernel: &KernelLink) -> Link {
    let is_ipv4 = F::AFI == Afi::Ipv4;
    let filter = v3.advertise.as_deref().and_then(|list| world.policies.prefix_list(F::AFI, list));
    // A list that is not there keeps nothing back.
    let permitted = |address: &InterfaceAddress| match (filter, address.network()) {
        (Some(list), Some(network)) => list.permits(network),
        _ => true,
    };
    let mut link = Link {
        up: kernel.interface.operative(),
        ifindex: kernel.interface.ifindex,
        mtu: v3.mtu.unwrap_or(u16::MAX).min(mtu(&kernel.interface)),
        ..Link::default()
    };
    let mut addresses: Vec<&InterfaceAddress> = kernel.addresses.iter().collect();
    addresses.sort();
    for address in addresses {
        match address.addr {
            IpAddr::V6(own) if own.is_unicast_link_local() => drop(link.address.get_or_insert(address.addr)),
            own if own.is_loopback() || own.is_ipv4() != is_ipv4 => {}
            own => {
                if is_ipv4 && !address.secondary {
                    link.next_hop.get_or_insert(own);
                }
                if permitted(address) {
                    // The length is the other end's, where a link has two addresses and no network; that end announces its own.
                    let alone = is_ipv4 && address.peer.is_some();
                    link.prefixes.push((own, if alone { 32 } else { address.prefix_len }));
                }
            }
        }
    }
    link
}
