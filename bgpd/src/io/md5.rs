//! TCP MD5 signatures (RFC 2385) and the other socket options that no safe interface reaches.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd};

use ferrite_types::Prefix;

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

/// `prefix_len` counts (linux/tcp.h).
const TCP_MD5SIG_FLAG_PREFIX: u8 = 1;

/// Sets the key for segments to and from a network; an empty one removes it.
#[allow(unsafe_code)]
pub fn set_key(socket: impl AsFd, network: Prefix, key: &str) -> io::Result<()> {
    if key.len() > KEY_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "password over 80 octets"));
    }
    let mut octets = [0; KEY_MAX];
    octets.iter_mut().zip(key.as_bytes()).for_each(|(to, from)| *to = *from);
    let addr = socket2::SockAddr::from(SocketAddr::new(network.addr(), 0));
    // A host's key is set the plain way, which every kernel knows.
    let ranged = !network.is_host();
    let option = TcpMd5Sig {
        addr: addr.as_storage(),
        flags: if ranged { TCP_MD5SIG_FLAG_PREFIX } else { 0 },
        prefix_len: if ranged { network.len() } else { 0 },
        key_len: key.len() as u16,
        ifindex: 0,
        key: octets,
    };
    // SAFETY: the option is a live value of the layout that the kernel documents for TCP_MD5SIG, and its size is given.
    let result = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            libc::IPPROTO_TCP,
            if ranged { libc::TCP_MD5SIG_EXT } else { libc::TCP_MD5SIG },
            std::ptr::from_ref(&option).cast(),
            size_of::<TcpMd5Sig>() as libc::socklen_t,
        )
    };
    match result {
        0 => Ok(()),
        // Removing a key that is not there leaves what was wanted.
        _ if key.is_empty() && io::Error::last_os_error().raw_os_error() == Some(libc::ENOENT) => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Refuses segments that have passed more hops than `255 - ttl` (RFC 5082).
pub fn set_min_ttl(socket: impl AsFd, remote: IpAddr, ttl: u8) -> io::Result<()> {
    match remote {
        IpAddr::V4(_) => set_int(socket, libc::IPPROTO_IP, libc::IP_MINTTL, ttl.into()),
        IpAddr::V6(_) => set_int(socket, libc::IPPROTO_IPV6, libc::IPV6_MINHOPCOUNT, ttl.into()),
    }
}

#[allow(unsafe_code)]
fn set_int(socket: impl AsFd, level: libc::c_int, name: libc::c_int, value: libc::c_int) -> io::Result<()> {
    // SAFETY: the option is a live integer whose size is given.
    let result = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            level,
            name,
            std::ptr::from_ref(&value).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The kernel's estimate of the round-trip time, milliseconds.
#[allow(unsafe_code)]
pub fn round_trip(socket: impl AsFd) -> io::Result<u32> {
    let mut info = std::mem::MaybeUninit::<libc::tcp_info>::zeroed();
    let mut len = size_of::<libc::tcp_info>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `len` octets into a live value of that size, and all of its bit patterns are valid.
    let (result, info) = unsafe {
        let result = libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast(),
            &raw mut len,
        );
        (result, info.assume_init())
    };
    if result == 0 { Ok(info.tcpi_rtt / 1000) } else { Err(io::Error::last_os_error()) }
}
