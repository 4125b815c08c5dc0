//! Single values: the lowest TTL let in, the round trip.

use std::io;
use std::mem::offset_of;
use std::net::IpAddr;
use std::os::fd::AsFd;

use crate::raw;

/// Refuses segments that have passed more hops than `255 - ttl` (RFC 5082).
pub fn set_min_ttl(socket: impl AsFd, remote: IpAddr, ttl: u8) -> io::Result<()> {
    let (level, name) = match remote {
        IpAddr::V4(_) => (libc::IPPROTO_IP, libc::IP_MINTTL),
        IpAddr::V6(_) => (libc::IPPROTO_IPV6, libc::IPV6_MINHOPCOUNT),
    };
    raw::set(socket, level, name, &libc::c_int::from(ttl).to_ne_bytes())
}

/// The kernel's estimate of the round-trip time, milliseconds.
pub fn round_trip(socket: impl AsFd) -> io::Result<u32> {
    let mut info = [0; size_of::<libc::tcp_info>()];
    raw::get(socket, libc::IPPROTO_TCP, libc::TCP_INFO, &mut info)?;
    let micros = info.get(offset_of!(libc::tcp_info, tcpi_rtt)..).and_then(<[u8]>::first_chunk);
    Ok(micros.map_or(0, |micros| u32::from_ne_bytes(*micros) / 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_over_the_loopback_is_measured() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(round_trip(&stream).unwrap() < 10_000);
        set_min_ttl(&stream, listener.local_addr().unwrap().ip(), 64).unwrap();
    }
}
