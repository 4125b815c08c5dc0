//! What the configuration asks of links: up, down, addresses.

use std::io;
use std::net::IpAddr;

use ferrite_types::{Afi, IfIndex};
use zebra_core::LinkChange;

use super::encode::{address as address_attribute, family};
use super::socket::Socket;
use super::wire::{
    Builder, NLM_F_ACK, NLM_F_CREATE, NLM_F_REPLACE, NLM_F_REQUEST, RTM_DELADDR, RTM_NEWADDR, RTM_SETLINK,
};

const IFF_UP: u32 = 1;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_BROADCAST: u16 = 4;

pub fn change(socket: &mut Socket, change: &LinkChange) -> io::Result<()> {
    match change {
        LinkChange::Up(ifindex) => set_flags(socket, *ifindex, IFF_UP),
        LinkChange::Down(ifindex) => set_flags(socket, *ifindex, 0),
        LinkChange::AddAddress { ifindex, addr, prefix_len, peer } => {
            let flags = NLM_F_CREATE | NLM_F_REPLACE;
            address(socket, RTM_NEWADDR, flags, *ifindex, *addr, *prefix_len, *peer)
        }
        LinkChange::RemoveAddress { ifindex, addr, prefix_len, peer } => {
            address(socket, RTM_DELADDR, 0, *ifindex, *addr, *prefix_len, *peer)
        }
    }
}

fn set_flags(socket: &mut Socket, ifindex: IfIndex, flags: u32) -> io::Result<()> {
    let seq = socket.next_seq();
    let mut out = Builder::default();
    out.begin(RTM_SETLINK, NLM_F_REQUEST | NLM_F_ACK, seq);
    out.octets.extend([0; 4]);
    out.octets.extend(ifindex.in_kernel().0.to_ne_bytes());
    out.octets.extend(flags.to_ne_bytes());
    out.octets.extend(IFF_UP.to_ne_bytes());
    out.end();
    socket.request(&out.octets, seq)
}

fn address(
    socket: &mut Socket,
    kind: u16,
    flags: u16,
    ifindex: IfIndex,
    addr: IpAddr,
    prefix_len: u8,
    peer: Option<IpAddr>,
) -> io::Result<()> {
    let seq = socket.next_seq();
    let mut out = Builder::default();
    out.begin(kind, NLM_F_REQUEST | NLM_F_ACK | flags, seq);
    let afi = if addr.is_ipv4() { Afi::Ipv4 } else { Afi::Ipv6 };
    out.octets.extend([family(afi), prefix_len, 0, 0]);
    out.octets.extend(ifindex.in_kernel().0.to_ne_bytes());
    address_attribute(IFA_LOCAL, addr, &mut out);
    address_attribute(IFA_ADDRESS, peer.unwrap_or(addr), &mut out);
    if let (IpAddr::V4(addr), None, 1..=30) = (addr, peer, prefix_len) {
        let broadcast = addr.to_bits() | (u32::MAX >> prefix_len);
        out.attribute(IFA_BROADCAST, &broadcast.to_be_bytes());
    }
    out.end();
    socket.request(&out.octets, seq)
}
