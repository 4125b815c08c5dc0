//! A netlink socket, blocking.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, getsockname, recv, send,
    setsockopt, socket, sockopt,
};

use super::wire::{self, Message, NLM_F_DUMP, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR};

/// Octets of a receive: the kernel fills up to 32 KiB when it dumps.
const RECEIVE: usize = 256 << 10;

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

    /// Asks for everything of a kind and hands over each message.
    pub fn dump(&mut self, kind: u16, header: &[u8], mut visit: impl FnMut(&Message<'_>)) -> io::Result<()> {
        let seq = self.next_seq();
        let mut request = wire::Builder::default();
        request.begin(kind, NLM_F_REQUEST | NLM_F_DUMP, seq);
        request.octets.extend(header);
        request.end();
        self.send(&request.octets)?;
        loop {
            let datagram = self.receive()?;
            for message in wire::messages(datagram).filter(|message| message.seq == seq) {
                match message.kind {
                    NLMSG_DONE => return Ok(()),
                    NLMSG_ERROR => return Err(error_of(&message)),
                    _ => visit(&message),
                }
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

/// The errno of an NLMSG_ERROR.
fn error_of(message: &Message<'_>) -> io::Error {
    io::Error::from_raw_os_error(wire::i32_at(message.payload, 0).map_or(5, i32::saturating_neg))
}
