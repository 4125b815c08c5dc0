//! Interfaces and addresses of this router as zebra tells them.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ferrite_types::interface::{Interface, InterfaceAddress};
use ferrite_types::{IfIndex, Prefix};

use super::unnumbered::is_link_local;

#[derive(Debug)]
struct Link {
    interface: Interface,
    addresses: Vec<InterfaceAddress>,
    /// Link-local addresses of routers on the link, in the order in which zebra told them.
    neighbors: Vec<Ipv6Addr>,
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
                self.links.insert(
                    interface.ifindex,
                    Link { interface, addresses: Vec::new(), neighbors: Vec::new() },
                );
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

    /// A router on the link was heard, or is gone.
    pub fn set_neighbor(&mut self, ifindex: IfIndex, addr: Ipv6Addr, present: bool) {
        let Some(link) = self.links.get_mut(&ifindex) else { return };
        link.neighbors.retain(|known| present || *known != addr);
        if present && !link.neighbors.contains(&addr) {
            link.neighbors.push(addr);
        }
    }

    pub fn index_of(&self, name: &str) -> Option<IfIndex> {
        self.links.values().find(|link| link.interface.name == name).map(|link| link.interface.ifindex)
    }

    /// The router heard first of those on a link that is up.
    pub fn link_neighbor(&self, ifindex: IfIndex) -> Option<Ipv6Addr> {
        self.links.get(&ifindex).filter(|link| link.interface.operative())?.neighbors.first().copied()
    }

    /// The one other address of an IPv4 /30 or /31 on a link that is up.
    pub fn other_end(&self, ifindex: IfIndex) -> Option<Ipv4Addr> {
        let link = self.links.get(&ifindex).filter(|link| link.interface.operative())?;
        link.addresses.iter().find_map(|address| match (address.addr, address.peer) {
            (IpAddr::V4(_), Some(IpAddr::V4(peer))) if address.prefix_len == 32 => Some(peer),
            (IpAddr::V4(addr), _) if address.prefix_len == 31 => Some(Ipv4Addr::from(u32::from(addr) ^ 1)),
            // Of the four addresses the first and the last are no host's.
            (IpAddr::V4(addr), _) if address.prefix_len == 30 => match u32::from(addr) & 3 {
                1 | 2 => Some(Ipv4Addr::from(u32::from(addr) ^ 3)),
                _ => None,
            },
            _ => None,
        })
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

    /// Whether the address is on a network of a link that is up: of that link, where one is given.
    pub fn is_connected(&self, addr: IpAddr, on: Option<IfIndex>) -> bool {
        let here = |link: &Link| on.is_none_or(|ifindex| link.interface.ifindex == ifindex);
        self.networks().any(|(link, network)| here(link) && network.contains(addr))
    }

    /// The interface that an address is directly behind.
    pub fn towards(&self, addr: IpAddr) -> Option<IfIndex> {
        let covering = self.networks().filter(|(_, network)| network.contains(addr));
        covering.max_by_key(|(_, network)| network.len()).map(|(link, _)| link.interface.ifindex)
    }

    /// Networks that both ends are on.
    pub fn shared_networks(&self, addr: IpAddr) -> Vec<Prefix> {
        // Every link has the link-local network: it makes nobody a neighbour of somebody on another link.
        let shared = |network: &Prefix| network.contains(addr) && !is_link_local(addr);
        self.networks().map(|(_, network)| network).filter(shared).collect()
    }

    /// The addresses beside `local` on the interface that has it: on that interface, where one is given.
    pub fn locals(&self, local: IpAddr, on: Option<IfIndex>) -> Locals {
        let mut locals = Locals::default();
        match local {
            IpAddr::V4(addr) => locals.v4 = Some(addr),
            IpAddr::V6(addr) if addr.is_unicast_link_local() => locals.link_local = Some(addr),
            IpAddr::V6(addr) => locals.v6 = Some(addr),
        }
        let owns = |link: &Link| link.addresses.iter().any(|address| address.addr == local);
        let owner = || self.links.values().find(|link| owns(link));
        let Some(link) = on.and_then(|ifindex| self.links.get(&ifindex)).or_else(owner) else {
            return locals;
        };
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
        let locals = interfaces().locals("10.0.0.1".parse().unwrap(), None);
        assert_eq!(locals.v6, Some("2001:db8::1".parse().unwrap()));
        assert_eq!(locals.link_local, Some("fe80::1".parse().unwrap()));
        assert_eq!(locals.ifindex, Some(IfIndex(2)));
    }

    #[test]
    fn connected_means_a_network_on_a_link_that_is_up() {
        let mut interfaces = interfaces();
        let neighbor = "10.0.0.2".parse().unwrap();
        assert!(interfaces.is_connected(neighbor, None));
        assert!(!interfaces.is_connected("10.0.1.2".parse().unwrap(), None));
        assert_eq!(interfaces.source_on("eth0", neighbor), Some("10.0.0.1".parse().unwrap()));
        let mut down = interfaces.links[&IfIndex(2)].interface.clone();
        down.running = false;
        assert!(interfaces.update(down));
        assert!(!interfaces.is_connected(neighbor, None));
    }
}
