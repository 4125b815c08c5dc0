//! Hands out sockets of the network namespace it runs in, over the Unix socket that is its standard input.
//!
//! One octet asks for a socket: `4` or `6`; `r` asks for a raw one of ICMPv6. The answer is the same octet, with the socket attached. A socket belongs
//! to the network it was made in, so a test process outside drives as many sessions inside as it likes, and needs
//! neither a process for each nor the right to enter the namespace.

use std::io::{IoSlice, Read};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use socket2::{Domain, Protocol, Socket, Type};

fn main() -> std::io::Result<()> {
    let ask = std::os::fd::AsFd::as_fd(&std::io::stdin()).try_clone_to_owned()?;
    let mut asker = UnixStream::from(ask);
    let mut octet = [0];
    while asker.read(&mut octet)? == 1 {
        let socket = match &octet {
            b"r" => Socket::new(Domain::IPV6, Type::RAW, Some(Protocol::ICMPV6)),
            b"6" => Socket::new(Domain::IPV6, Type::STREAM, Some(Protocol::TCP)),
            _ => Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)),
        }?;
        let rights = [socket.as_raw_fd()];
        let message = [ControlMessage::ScmRights(&rights)];
        sendmsg::<()>(asker.as_raw_fd(), &[IoSlice::new(&octet)], &message, MsgFlags::empty(), None)?;
    }
    Ok(())
}
