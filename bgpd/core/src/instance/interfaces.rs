//! Interfaces and addresses of this router as zebra tells them.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ferrite_types::interface::{Interface, InterfaceAddress};
use ferrite_types::{IfIndex, Prefix};

#[derive(Debug)]
struct Link {
    interface: Interface,
    addresses: Vec<InterfaceAddress>,
}

/// Our end of a session on some interface.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Locals {
    pub v4: Option<Ipv4Addr>,
    pub v6: Option<Ipv6Addr>,
    pub link_local: Option<Ipv6Addr>,
    pub ifindex: Option<IfIndex>,
}

#[derive(Debug, Default)]
pub struct Interfaces {
    links: BTreeMap<IfIndex, Link>,
    /// Zebra's snapshot is complete.
    known: bool,
}

impl Interfaces {
    /// Whether zebra has told of every interface.
    pub fn known(&self) -> bool {
        self.known
    }

    pub fn set_known(&mut self) {
        self.known = true;
    }

    /// Whether the interface went down that was up.
    pub fn update(&mut self, interface: Interface) -> bool {
        match self.links.get_mut(&interface.ifindex) {
            Some(link) => {
                let lost = link.interface.operative() && !interface.operative();
                link.interface = interface;
                lost
            }
            None => {
                self.links.insert(interface.ifindex, Link { interface, addresses: Vec::new() });
                false
            }
        }
    }

    pub fn remove(&mut self, ifindex: IfIndex) {
        self.links.remove(&ifindex);
    }

    pub fn add_address(&mut self, ifindex: IfIndex, address: InterfaceAddress) {
        if let Some(link) = self.links.get_mut(&ifindex)
            && !link.addresses.contains(&address)
        {
            link.addresses.push(address);
        }
    }

    pub fn remove_address(&mut self, ifindex: IfIndex, address: InterfaceAddress) {
        if let Some(link) = self.links.get_mut(&ifindex) {
            link.addresses
                .retain(|known| known.addr != address.addr || known.prefix_len != address.prefix_len);
        }
    }

    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + '_ {
        self.links.values().flat_map(|link| &link.addresses).map(|address| address.addr)
    }

    pub fn names(&self) -> impl Iterator<Item = (IfIndex, String)> + '_ {
        self.links.iter().map(|(ifindex, link)| (*ifindex, link.interface.name.clone()))
    }

    pub fn name(&self, ifindex: IfIndex) -> Option<&str> {
        self.links.get(&ifindex).map(|link| link.interface.name.as_str())
    }

    /// Links that are up, with each network on them.
    fn networks(&self) -> impl Iterator<Item = (&Link, Prefix)> {
        self.links.values().filter(|link| link.interface.operative()).flat_map(|link| {
            link.addresses.iter().filter_map(move |address| Some((link, address.network()?)))
        })
    }

    pub fn is_connected(&self, addr: IpAddr) -> bool {
        self.networks().any(|(_, network)| network.contains(addr))
    }

    /// The interface that an address is directly behind.
    pub fn towards(&self, addr: IpAddr) -> Option<IfIndex> {
        let covering = self.networks().filter(|(_, network)| network.contains(addr));
        covering.max_by_key(|(_, network)| network.len()).map(|(link, _)| link.interface.ifindex)
    }

    /// Networks that both ends are on.
    pub fn shared_networks(&self, addr: IpAddr) -> Vec<Prefix> {
        self.networks().map(|(_, network)| network).filter(|network| network.contains(addr)).collect()
    }

    /// The addresses beside `local` on the interface that has it.
    pub fn locals(&self, local: IpAddr) -> Locals {
        let mut locals = Locals::default();
        match local {
            IpAddr::V4(addr) => locals.v4 = Some(addr),
            IpAddr::V6(addr) if addr.is_unicast_link_local() => locals.link_local = Some(addr),
            IpAddr::V6(addr) => locals.v6 = Some(addr),
        }
        let owner =
            self.links.values().find(|link| link.addresses.iter().any(|address| address.addr == local));
        let Some(link) = owner else { return locals };
        locals.ifindex = Some(link.interface.ifindex);
        for address in &link.addresses {
            match address.addr {
                IpAddr::V4(addr) => locals.v4 = locals.v4.or(Some(addr)),
                IpAddr::V6(addr) if addr.is_unicast_link_local() => {
                    locals.link_local = locals.link_local.or(Some(addr));
                }
                IpAddr::V6(addr) => locals.v6 = locals.v6.or(Some(addr)),
            }
        }
        locals
    }

    /// The address that `update-source NAME` means for a neighbour of this family.
    pub fn source_on(&self, name: &str, neighbor: IpAddr) -> Option<IpAddr> {
        let link = self.links.values().find(|link| link.interface.name == name)?;
        let fits = |addr: &IpAddr| match (addr, neighbor) {
            (IpAddr::V4(_), IpAddr::V4(_)) => true,
            (IpAddr::V6(a), IpAddr::V6(b)) => a.is_unicast_link_local() == b.is_unicast_link_local(),
            _ => false,
        };
        link.addresses.iter().map(|address| address.addr).find(fits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ferrite_types::VrfId;

    fn interfaces() -> Interfaces {
        let mut interfaces = Interfaces::default();
        interfaces.update(Interface {
            name: "eth0".into(),
            ifindex: IfIndex(2),
            vrf: VrfId::DEFAULT,
            up: true,
            running: true,
            loopback: false,
            point_to_point: false,
            broadcast: true,
            multicast: true,
            mtu: 1500,
            speed: 0,
            mac: None,
        });
        for (addr, prefix_len) in [("10.0.0.1", 24), ("2001:db8::1", 64), ("fe80::1", 64)] {
            let addr = addr.parse().unwrap();
            interfaces
                .add_address(IfIndex(2), InterfaceAddress { addr, prefix_len, peer: None, secondary: false });
        }
        interfaces
    }

    #[test]
    fn a_session_over_ipv4_finds_the_ipv6_addresses_of_its_interface() {
        let locals = interfaces().locals("10.0.0.1".parse().unwrap());
        assert_eq!(locals.v6, Some("2001:db8::1".parse().unwrap()));
        assert_eq!(locals.link_local, Some("fe80::1".parse().unwrap()));
        assert_eq!(locals.ifindex, Some(IfIndex(2)));
    }

    #[test]
    fn connected_means_a_network_on_a_link_that_is_up() {
        let mut interfaces = interfaces();
        let neighbor = "10.0.0.2".parse().unwrap();
        assert!(interfaces.is_connected(neighbor));
        assert!(!interfaces.is_connected("10.0.1.2".parse().unwrap()));
        assert_eq!(interfaces.source_on("eth0", neighbor), Some("10.0.0.1".parse().unwrap()));
        let mut down = interfaces.links[&IfIndex(2)].interface.clone();
        down.running = false;
        assert!(interfaces.update(down));
        assert!(!interfaces.is_connected(neighbor));
    }
}
