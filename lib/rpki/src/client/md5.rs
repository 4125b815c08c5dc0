//! TCP MD5 signatures (RFC 2385), a socket option that no safe interface reaches.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd};

/// Longest key that the kernel takes, octets.
const KEY_MAX: usize = libc::TCP_MD5SIG_MAXKEYLEN;

/// The kernel's `struct tcp_md5sig` (linux/tcp.h).
#[repr(C)]
struct TcpMd5Sig {
    addr: socket2::SockAddrStorage,
    flags: u8,
    prefix_len: u8,
    key_len: u16,
    ifindex: i32,
    key: [u8; KEY_MAX],
}

/// Sets the key for segments to and from `addr`.
#[allow(unsafe_code)]
pub fn set_key(socket: impl AsFd, addr: IpAddr, key: &str) -> io::Result<()> {
    if key.len() > KEY_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "password over 80 octets"));
    }
    let mut octets = [0; KEY_MAX];
    octets.iter_mut().zip(key.as_bytes()).for_each(|(to, from)| *to = *from);
    let option = TcpMd5Sig {
        addr: socket2::SockAddr::from(SocketAddr::new(addr, 0)).as_storage(),
        flags: 0,
        prefix_len: 0,
        key_len: key.len() as u16,
        ifindex: 0,
        key: octets,
    };
    // SAFETY: the option is a live value of the layout that the kernel documents for TCP_MD5SIG, and its size is given.
    let result = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_MD5SIG,
            std::ptr::from_ref(&option).cast(),
            size_of::<TcpMd5Sig>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
