//! A netlink socket, blocking.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, getsockname, getsockopt,
    recv, send, setsockopt, socket, sockopt,
};
use nix::sys::time::TimeVal;

use socket2::{SockFilter, SockRef};

use super::wire::{self, Message, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR};

/// Octets of a receive: the kernel fills up to 32 KiB when it dumps.
const RECEIVE: usize = 256 << 10;

/// How often a list is asked for that something changed under.
const DUMP_ATTEMPTS: usize = 10;

/// How a list ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Dumped {
    Whole,
    /// Something changed while it was made.
    Interrupted,
}

/// A list on its way.
struct Dump {
    seq: u32,
    interrupted: bool,
}

impl Dump {
    /// Hands over what a datagram holds of it; how it ended, if it did.
    fn datagram(
        &mut self,
        datagram: &[u8],
        visit: &mut impl FnMut(&Message<'_>),
    ) -> io::Result<Option<Dumped>> {
        for message in wire::messages(datagram).filter(|message| message.seq == self.seq) {
            self.interrupted |= message.flags & NLM_F_DUMP_INTR != 0;
            match message.kind {
                NLMSG_DONE if wire::i32_at(message.payload, 0).is_some_and(|errno| errno < 0) => {
                    return Err(error_of(&message));
                }
                NLMSG_DONE if self.interrupted => return Ok(Some(Dumped::Interrupted)),
                NLMSG_DONE => return Ok(Some(Dumped::Whole)),
                NLMSG_ERROR => return Err(error_of(&message)),
                _ => visit(&message),
            }
        }
        Ok(None)
    }
}

#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
    buffer: Vec<u8>,
    seq: u32,
}

impl Socket {
    /// Opens a socket that hears of `groups` (RTMGRP_*), with a receive buffer of that many octets.
    pub fn open(groups: u32, receive_buffer: usize) -> io::Result<Self> {
        let fd = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC,
            SockProtocol::NetlinkRoute,
        )?;
        bind(fd.as_raw_fd(), &NetlinkAddr::new(0, groups))?;
        let socket = Self { fd, buffer: vec![0; RECEIVE], seq: 0 };
        socket.set_receive_buffer(receive_buffer);
        // Batches are larger than the default allows; where that is refused, smaller sends do.
        let _ = setsockopt(&socket.fd, sockopt::SndBuf, &(2 << 20));
        Ok(socket)
    }

    /// Beyond the system's limit where we may, up to it where not.
    pub fn set_receive_buffer(&self, octets: usize) {
        if setsockopt(&self.fd, sockopt::RcvBufForce, &octets).is_err() {
            let _ = setsockopt(&self.fd, sockopt::RcvBuf, &octets);
        }
    }

    /// Leaves it to the kernel to drop messages of these kinds that another socket caused (socket filter, `bpf(4)` classic).
    pub fn ignore(&self, port: u32, kinds: &[u16]) -> io::Result<()> {
        let steps = filter(port, kinds).into_iter();
        let program: Vec<SockFilter> = steps.map(|s| SockFilter::new(s.code, s.jt, s.jf, s.k)).collect();
        SockRef::from(&self.fd).attach_filter(&program)
    }

    /// Receiving ends with EAGAIN when nothing came for so long.
    pub fn give_up_after(&self, time: Duration) -> io::Result<()> {
        Ok(setsockopt(
            &self.fd,
            sockopt::ReceiveTimeout,
            &TimeVal::new(time.as_secs() as _, time.subsec_micros().into()),
        )?)
    }

    /// As another socket does.
    pub fn give_up_like(&self, other: &Self) -> io::Result<()> {
        let time = getsockopt(&other.fd, sockopt::ReceiveTimeout)?;
        Ok(setsockopt(&self.fd, sockopt::ReceiveTimeout, &time)?)
    }

    /// The number that the kernel knows the socket by; messages that it caused carry it.
    pub fn port(&self) -> io::Result<u32> {
        Ok(getsockname::<NetlinkAddr>(self.fd.as_raw_fd())?.pid())
    }

    pub fn send(&self, octets: &[u8]) -> io::Result<()> {
        loop {
            match send(self.fd.as_raw_fd(), octets, MsgFlags::empty()) {
                Ok(_) => return Ok(()),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// One datagram. ENOBUFS says that the kernel has dropped some.
    pub fn receive(&mut self) -> Result<&[u8], Errno> {
        loop {
            match recv(self.fd.as_raw_fd(), &mut self.buffer, MsgFlags::empty()) {
                Ok(len) => return Ok(self.buffer.get(..len).unwrap_or_default()),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Receives what is there without waiting; `None` where nothing is.
    pub fn receive_ready(&mut self) -> Result<Option<&[u8]>, Errno> {
        match recv(self.fd.as_raw_fd(), &mut self.buffer, MsgFlags::MSG_DONTWAIT) {
            Ok(len) => Ok(self.buffer.get(..len)),
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A number for the next request.
    pub fn next_seq(&mut self) -> u32 {
        self.seq = self.seq.wrapping_add(1);
        self.seq
    }

    /// Asks for everything of a kind and hands over each message. Where something changed meanwhile, the kernel says so, and
    /// is asked again: a message may then be handed over twice, and none that stands there is left out.
    pub fn dump(&mut self, kind: u16, header: &[u8], mut visit: impl FnMut(&Message<'_>)) -> io::Result<()> {
        for _ in 0..DUMP_ATTEMPTS {
            if self.dump_once(kind, header, &mut visit)? == Dumped::Whole {
                return Ok(());
            }
        }
        Err(io::Error::new(io::ErrorKind::Interrupted, "the list changed each time that it was made"))
    }

    fn dump_once(
        &mut self,
        kind: u16,
        header: &[u8],
        mut visit: impl FnMut(&Message<'_>),
    ) -> io::Result<Dumped> {
        let seq = self.next_seq();
        let mut request = wire::Builder::default();
        request.begin(kind, NLM_F_REQUEST | NLM_F_DUMP, seq);
        request.octets.extend(header);
        request.end();
        self.send(&request.octets)?;
        let mut dump = Dump { seq, interrupted: false };
        loop {
            if let Some(dumped) = dump.datagram(self.receive()?, &mut visit)? {
                return Ok(dumped);
            }
        }
    }

    /// Sends one request and waits for its answer.
    pub fn request(&mut self, octets: &[u8], seq: u32) -> io::Result<()> {
        self.send(octets)?;
        loop {
            let datagram = self.receive()?;
            for message in wire::messages(datagram).filter(|message| message.seq == seq) {
                if message.kind == NLMSG_ERROR {
                    return match wire::i32_at(message.payload, 0) {
                        Some(0) => Ok(()),
                        _ => Err(error_of(&message)),
                    };
                }
            }
        }
    }
}

/// Drops a message whose header has that port and one of these kinds. The machine loads in network order what netlink wrote
/// in the host's.
fn filter(port: u32, kinds: &[u16]) -> Vec<libc::sock_filter> {
    const LOAD_WORD: u16 = 0x20;
    const LOAD_HALF: u16 = 0x28;
    const JUMP_EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    let step = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let kinds = kinds.get(..kinds.len().min(64)).unwrap_or_default();
    // Jumps count the steps that are left out; behind the kinds stand "keep" and "drop".
    let count = kinds.len() as u8;
    let mut program = vec![
        step(LOAD_WORD, 0, 0, 12),
        step(JUMP_EQUAL, 0, count + 1, u32::from_be_bytes(port.to_ne_bytes())),
        step(LOAD_HALF, 0, 0, 4),
    ];
    for (kind, left) in kinds.iter().zip((0..count).rev()) {
        program.push(step(JUMP_EQUAL, left + 1, 0, u16::from_be_bytes(kind.to_ne_bytes()).into()));
    }
    program.push(step(RETURN, 0, 0, u32::MAX));
    program.push(step(RETURN, 0, 0, 0));
    program
}

/// The errno of an NLMSG_ERROR.
fn error_of(message: &Message<'_>) -> io::Error {
    io::Error::from_raw_os_error(wire::i32_at(message.payload, 0).map_or(5, i32::saturating_neg))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel would do with a message: run the few instructions that the filter uses.
    fn keeps(program: &[libc::sock_filter], message: &[u8]) -> bool {
        let (mut at, mut value) = (0, 0);
        loop {
            let step = program[at];
            let k = step.k as usize;
            at += 1;
            match step.code {
                0x20 => value = u32::from_be_bytes(message[k..k + 4].try_into().unwrap()),
                0x28 => value = u16::from_be_bytes(message[k..k + 2].try_into().unwrap()).into(),
                0x15 => at += usize::from(if value == step.k { step.jt } else { step.jf }),
                0x06 => return step.k != 0,
                other => panic!("{other}"),
            }
        }
    }

    #[test]
    fn the_filter_drops_what_the_port_caused_and_nothing_else() {
        let program = filter(77, &[24, 25, 104]);
        for (kind, port, kept) in [
            (24, 77, false),
            (25, 77, false),
            (104, 77, false),
            (16, 77, true),
            (24, 0, true),
            (25, 78, true),
        ] {
            let mut message = datagram(&[(kind, 0, &[0; 12])]);
            message[12..16].copy_from_slice(&u32::to_ne_bytes(port));
            assert_eq!(keeps(&program, &message), kept, "{kind} of {port}");
        }
        let socket = Socket::open(0, 1 << 16).unwrap();
        socket.ignore(77, &[24, 25, 104]).unwrap();
    }

    fn datagram(messages: &[(u16, u16, &[u8])]) -> Vec<u8> {
        let mut out = wire::Builder::default();
        for (kind, flags, payload) in messages {
            out.begin(*kind, *flags, 7);
            out.octets.extend(*payload);
            out.end();
        }
        out.octets
    }

    fn read(datagrams: &[Vec<u8>]) -> (io::Result<Option<Dumped>>, usize) {
        let mut dump = Dump { seq: 7, interrupted: false };
        let mut visited = 0;
        for octets in datagrams {
            let outcome = dump.datagram(octets, &mut |_| visited += 1);
            if !matches!(outcome, Ok(None)) {
                return (outcome, visited);
            }
        }
        (Ok(None), visited)
    }

    #[test]
    fn a_list_that_changed_meanwhile_says_so_at_its_end() {
        let done = (NLMSG_DONE, 0, &[0; 4][..]);
        let plain = (wire::RTM_NEWROUTE, 2, &[0; 12][..]);
        let torn = (wire::RTM_NEWROUTE, 2 | NLM_F_DUMP_INTR, &[0; 12][..]);
        let (outcome, visited) = read(&[datagram(&[plain, plain]), datagram(&[done])]);
        assert_eq!((outcome.unwrap(), visited), (Some(Dumped::Whole), 2));
        let (outcome, visited) = read(&[datagram(&[plain]), datagram(&[torn]), datagram(&[plain, done])]);
        assert_eq!((outcome.unwrap(), visited), (Some(Dumped::Interrupted), 3));
        let (outcome, _) = read(&[datagram(&[plain, (NLMSG_DONE, NLM_F_DUMP_INTR, &[0; 4])])]);
        assert_eq!(outcome.unwrap(), Some(Dumped::Interrupted));
    }

    #[test]
    fn a_list_that_failed_at_its_end_is_no_list() {
        let (outcome, _) = read(&[datagram(&[(NLMSG_DONE, 0, &(-12_i32).to_ne_bytes())])]);
        assert_eq!(outcome.unwrap_err().raw_os_error(), Some(12));
        let (outcome, _) = read(&[datagram(&[(NLMSG_ERROR, 0, &(-95_i32).to_ne_bytes())])]);
        assert_eq!(outcome.unwrap_err().raw_os_error(), Some(95));
    }
}
