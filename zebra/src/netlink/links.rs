//! What the configuration asks of links: up, down, addresses; and what clients ask of them: neighbours.

use std::io;
use std::net::IpAddr;

use ferrite_types::{Afi, IfIndex};
use zebra_core::LinkChange;

use super::encode::{address as address_attribute, family};
use super::socket::Socket;
use super::wire::{
    Builder, NLM_F_ACK, NLM_F_CREATE, NLM_F_REPLACE, NLM_F_REQUEST, RTM_DELADDR, RTM_NEWADDR, RTM_NEWNEIGH,
    RTM_SETLINK,
};

const IFF_UP: u32 = 1;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_BROADCAST: u16 = 4;
const NDA_DST: u16 = 1;
const NDA_PROTOCOL: u16 = 12;
const NUD_NONE: u16 = 0;
const NTF_USE: u8 = 1;
/// Who made the entry, as `ip neigh` shows it.
const RTPROT_ZEBRA: u8 = 11;

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
        LinkChange::Resolve { ifindex, addr } => {
            let seq = socket.next_seq();
            let mut out = Builder::default();
            resolve(*ifindex, *addr, seq, &mut out);
            socket.request(&out.octets, seq)
        }
    }
}

/// `struct ndmsg` without a state, and told that the entry is used: the kernel asks the link for what it does not know.
fn resolve(ifindex: IfIndex, addr: IpAddr, seq: u32, out: &mut Builder) {
    out.begin(RTM_NEWNEIGH, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE, seq);
    let afi = if addr.is_ipv4() { Afi::Ipv4 } else { Afi::Ipv6 };
    out.octets.extend([family(afi), 0, 0, 0]);
    out.octets.extend(ifindex.in_kernel().0.to_ne_bytes());
    let [low, high] = NUD_NONE.to_ne_bytes();
    out.octets.extend([low, high, NTF_USE, 0]);
    address_attribute(NDA_DST, addr, out);
    out.attribute(NDA_PROTOCOL, &[RTPROT_ZEBRA]);
    out.end();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::wire;

    #[test]
    fn a_neighbour_that_is_to_be_found_is_an_entry_in_use() {
        let mut out = Builder::default();
        resolve(IfIndex(7), "10.0.0.2".parse().unwrap(), 3, &mut out);
        let message = wire::messages(&out.octets).next().unwrap();
        assert_eq!((message.kind, message.seq), (RTM_NEWNEIGH, 3));
        assert_eq!(message.payload[0], 2);
        assert_eq!(wire::u32_at(message.payload, 4), Some(7));
        assert_eq!(wire::u16_at(message.payload, 8), Some(NUD_NONE));
        assert_eq!(message.payload[10], NTF_USE);
        let attributes: Vec<_> = wire::attributes(&message.payload[12..]).collect();
        assert_eq!(attributes, [(NDA_DST, &[10, 0, 0, 2][..]), (NDA_PROTOCOL, &[RTPROT_ZEBRA][..])]);
    }
}
