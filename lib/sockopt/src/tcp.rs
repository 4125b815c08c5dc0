//! Single values: the lowest TTL let in, what the kernel measures.

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

/// What the kernel knows of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Measured {
    /// Its estimate of the round-trip time, milliseconds.
    pub round_trip: u32,
    /// Octets that a segment may have.
    pub mss: u32,
}

/// Asks for [`Measured`].
pub fn measure(socket: impl AsFd) -> io::Result<Measured> {
    let mut info = [0; size_of::<libc::tcp_info>()];
    raw::get(socket, libc::IPPROTO_TCP, libc::TCP_INFO, &mut info)?;
    let number = |at: usize| {
        let octets = info.get(at..).and_then(<[u8]>::first_chunk);
        octets.map_or(0, |octets| u32::from_ne_bytes(*octets))
    };
    Ok(Measured {
        round_trip: number(offset_of!(libc::tcp_info, tcpi_rtt)) / 1000,
        mss: number(offset_of!(libc::tcp_info, tcpi_snd_mss)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_over_the_loopback_is_measured() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let measured = measure(&stream).unwrap();
        assert!(measured.round_trip < 10_000 && measured.mss > 500, "{measured:?}");
        set_min_ttl(&stream, listener.local_addr().unwrap().ip(), 64).unwrap();
    }
}
