//! No zebra at all: the quickest that the kernel takes routes from one writer. All routes point at one next-hop object,
//! messages go out in large sends, and only the last of a send is acknowledged.

use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd as _, OwnedFd};

use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, send, setsockopt,
    socket, sockopt,
};
use topotests::{Failure, Result, ensure};

use super::{Feed, PREFIX_LEN, Target};

const RTM_NEWROUTE: u16 = 24;
const RTM_NEWNEXTHOP: u16 = 104;
const RTM_GETROUTE: u16 = 26;
const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_ACK: u16 = 0x4;
const NLM_F_CREATE: u16 = 0x400;
const NLM_F_REPLACE: u16 = 0x100;
const NLMSG_ERROR: u16 = 2;
const HEADER: usize = 16;
/// Octets of one send; what a quick zebra uses too.
const SEND: usize = 96 << 10;
const FIRST_ID: u32 = 1000;

pub struct Kernel {
    socket: OwnedFd,
    seq: u32,
}

/// Messages of one send.
#[derive(Default)]
struct Messages {
    octets: Vec<u8>,
    /// Where the last begins.
    last: usize,
}

impl Messages {
    fn add(&mut self, kind: u16, flags: u16, seq: u32, body: &[u8]) {
        self.last = self.octets.len();
        self.octets.extend(((HEADER + body.len()) as u32).to_ne_bytes());
        self.octets.extend(kind.to_ne_bytes());
        self.octets.extend((flags | NLM_F_REQUEST).to_ne_bytes());
        self.octets.extend(seq.to_ne_bytes());
        self.octets.extend([0; 4]);
        self.octets.extend(body);
    }

    fn acknowledge_last(&mut self) {
        if let Some(flags) = self.octets.get_mut(self.last + 6) {
            *flags |= NLM_F_ACK as u8;
        }
    }
}

fn attribute(kind: u16, value: &[u8], out: &mut Vec<u8>) {
    out.extend(((4 + value.len()) as u16).to_ne_bytes());
    out.extend(kind.to_ne_bytes());
    out.extend(value);
    out.resize(out.len().next_multiple_of(4), 0);
}

impl Kernel {
    pub fn open() -> Result<Self> {
        let socket = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC,
            SockProtocol::NetlinkRoute,
        )?;
        setsockopt(&socket, sockopt::RcvBuf, &(4 << 20))?;
        bind(socket.as_raw_fd(), &NetlinkAddr::new(0, 0))?;
        Ok(Self { socket, seq: 0 })
    }

    fn next(&mut self) -> u32 {
        self.seq += 1;
        self.seq
    }

    /// Sends, and waits for the answer to the last; any message that failed fails.
    fn exchange(&mut self, messages: &mut Messages) -> Result<()> {
        messages.acknowledge_last();
        let fd = self.socket.as_raw_fd();
        send(fd, &messages.octets, MsgFlags::empty())?;
        messages.octets.clear();
        let mut answer = [0; 8192];
        loop {
            let len = recv(fd, &mut answer, MsgFlags::empty())?;
            let mut rest = answer.get(..len).unwrap_or_default();
            while let (Some(size), Some(kind), Some(seq)) =
                (u32_at(rest, 0), u32_at(rest, 4), u32_at(rest, 8))
            {
                if kind as u16 == NLMSG_ERROR {
                    let errno = u32_at(rest, HEADER).unwrap_or(0).cast_signed();
                    ensure!(errno == 0, "the kernel refused message {seq}: {errno}");
                    if seq == self.seq {
                        return Ok(());
                    }
                }
                rest = rest.get((size as usize).next_multiple_of(4).max(HEADER)..).unwrap_or_default();
            }
        }
    }

    /// The interface through which an address is reached.
    fn interface(&mut self, via: Ipv4Addr) -> Result<u32> {
        let mut body = vec![2, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        attribute(1, &via.octets(), &mut body);
        let mut question = Messages::default();
        question.add(RTM_GETROUTE, 0, self.next(), &body);
        let fd = self.socket.as_raw_fd();
        send(fd, &question.octets, MsgFlags::empty())?;
        let mut answer = [0; 8192];
        let len = recv(fd, &mut answer, MsgFlags::empty())?;
        let mut rest = answer.get(HEADER + 12..len).unwrap_or_default();
        while let Some(head) = u32_at(rest, 0) {
            let (size, kind) = ((head & 0xffff) as usize, head >> 16);
            if kind == 4 {
                return u32_at(rest, 4).ok_or_else(|| Failure::new("half an interface"));
            }
            rest = rest.get(size.next_multiple_of(4).max(4)..).unwrap_or_default();
        }
        Err(Failure::new(format!("{via} is not reached")))
    }

    /// One object for all next hops; its number.
    fn nexthop(&mut self, via: &[Ipv4Addr]) -> Result<u32> {
        let mut messages = Messages::default();
        let mut group = Vec::new();
        for (id, addr) in (FIRST_ID..).zip(via) {
            let interface = self.interface(*addr)?;
            let mut body = vec![2, 0, 0, 0, 0, 0, 0, 0];
            attribute(1, &id.to_ne_bytes(), &mut body);
            attribute(5, &interface.to_ne_bytes(), &mut body);
            attribute(6, &addr.octets(), &mut body);
            messages.add(RTM_NEWNEXTHOP, NLM_F_CREATE | NLM_F_REPLACE, self.next(), &body);
            group.extend(id.to_ne_bytes());
            group.extend([0; 4]);
        }
        let mut id = FIRST_ID;
        if via.len() > 1 {
            id = FIRST_ID + via.len() as u32;
            let mut body = vec![0; 8];
            attribute(1, &id.to_ne_bytes(), &mut body);
            attribute(2, &group, &mut body);
            messages.add(RTM_NEWNEXTHOP, NLM_F_CREATE | NLM_F_REPLACE, self.next(), &body);
        }
        self.exchange(&mut messages)?;
        Ok(id)
    }
}

impl Target for Kernel {
    fn announce(&mut self, feed: &Feed) -> Result<()> {
        let nexthop = self.nexthop(&feed.via)?;
        let mut messages = Messages::default();
        let mut body = Vec::with_capacity(64);
        for prefix in feed.prefixes() {
            body.clear();
            // Family, length, no source, no TOS, main table, BGP's number, everywhere, unicast; no flags.
            body.extend([2, PREFIX_LEN, 0, 0, 254, 186, 0, 1, 0, 0, 0, 0]);
            attribute(1, &prefix.octets(), &mut body);
            attribute(6, &20_u32.to_ne_bytes(), &mut body);
            attribute(30, &nexthop.to_ne_bytes(), &mut body);
            messages.add(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, self.next(), &body);
            if messages.octets.len() >= SEND {
                self.exchange(&mut messages)?;
            }
        }
        if messages.octets.is_empty() { Ok(()) } else { self.exchange(&mut messages) }
    }
}

fn u32_at(octets: &[u8], at: usize) -> Option<u32> {
    octets.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes)
}
