//! Interfaces as zebra tells the daemons about them.

use std::net::IpAddr;

use crate::{IfIndex, MacAddr, Prefix, VrfId};

/// A link with what a routing protocol asks of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Interface {
    pub name: String,
    pub ifindex: IfIndex,
    pub vrf: VrfId,
    /// Administratively up.
    pub up: bool,
    /// Carrier present and protocols may run (IFF_RUNNING).
    pub running: bool,
    pub loopback: bool,
    pub point_to_point: bool,
    pub broadcast: bool,
    pub multicast: bool,
    /// Octets.
    pub mtu: u32,
    /// Megabits per second; zero where the kernel does not say.
    pub speed: u32,
    pub mac: Option<MacAddr>,
}

impl Interface {
    pub fn operative(&self) -> bool {
        self.up && self.running
    }
}

/// An address on an interface.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct InterfaceAddress {
    pub addr: IpAddr,
    pub prefix_len: u8,
    /// The other end of a point-to-point address.
    pub peer: Option<IpAddr>,
    pub secondary: bool,
}

impl InterfaceAddress {
    /// The network that the address makes reachable.
    pub fn network(&self) -> Option<Prefix> {
        Prefix::new(self.peer.unwrap_or(self.addr), self.prefix_len)
    }
}
