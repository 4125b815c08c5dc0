//! Options of raw IPv6 sockets.

use std::io;
use std::os::fd::AsFd;

use crate::raw;

/// The kernel computes the checksum that stands at this octet of every packet sent, and drops received packets in which it is
/// wrong (RFC 3542 §3.1).
pub fn set_checksum_offset(socket: impl AsFd, offset: u16) -> io::Result<()> {
    raw::set(socket, libc::IPPROTO_IPV6, libc::IPV6_CHECKSUM, &i32::from(offset).to_ne_bytes())
}
