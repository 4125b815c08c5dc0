//! TCP MD5 signatures (RFC 2385): `TCP_MD5SIG` for one host, `TCP_MD5SIG_EXT` for a network or a VRF.
//!
//! ```text
//! struct tcp_md5sig (linux/tcp.h)
//!   128  sockaddr_storage address
//!     1  flags: 1 the prefix length counts, 2 the interface counts
//!     1  prefix length
//!     2  key length
//!     4  interface index of the VRF device
//!    80  key
//! ```

use std::io;
use std::os::fd::AsFd;

use ferrite_types::{IfIndex, Prefix};

use crate::{layout, raw};

/// Longest key that the kernel takes, octets.
pub const KEY_MAX: usize = libc::TCP_MD5SIG_MAXKEYLEN;

const FLAG_PREFIX: u8 = 1;
const FLAG_IFINDEX: u8 = 2;

/// Sets the key for segments to and from a network; an empty one removes it. With `vrf`, the index of a VRF's device, the
/// key holds for segments of that VRF only; a socket that is bound to the device needs none.
pub fn set_key(socket: impl AsFd, network: Prefix, vrf: Option<IfIndex>, key: &str) -> io::Result<()> {
    if key.len() > KEY_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "password over 80 octets"));
    }
    // A host's key is set the plain way, which every kernel knows.
    let plain = network.is_host() && vrf.is_none();
    let name = if plain { libc::TCP_MD5SIG } else { libc::TCP_MD5SIG_EXT };
    match raw::set(socket, libc::IPPROTO_TCP, name, &layout(network, vrf, key)) {
        // Removing a key that is not there leaves what was wanted.
        Err(error) if key.is_empty() && error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
        result => result,
    }
}

fn layout(network: Prefix, vrf: Option<IfIndex>, key: &str) -> Vec<u8> {
    let ranged = !network.is_host();
    let flags = if ranged { FLAG_PREFIX } else { 0 } | if vrf.is_some() { FLAG_IFINDEX } else { 0 };
    let mut option = Vec::with_capacity(216);
    layout::put_address(&mut option, network.addr());
    option.push(flags);
    option.push(if ranged { network.len() } else { 0 });
    option.extend((key.len() as u16).to_ne_bytes());
    option.extend(vrf.map_or(0, |vrf| vrf.0).to_ne_bytes());
    layout::put_padded(&mut option, key.as_bytes(), KEY_MAX);
    option
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_is_laid_out_as_the_kernel_has_it() {
        let option = layout("10.1.0.0/16".parse().unwrap(), Some(IfIndex(7)), "secret");
        assert_eq!(option.len(), 216, "sizeof(struct tcp_md5sig)");
        assert_eq!(option[..2], (libc::AF_INET as u16).to_ne_bytes());
        assert_eq!(option[4..8], [10, 1, 0, 0]);
        assert_eq!(option[128..130], [FLAG_PREFIX | FLAG_IFINDEX, 16]);
        assert_eq!(option[130..132], 6_u16.to_ne_bytes());
        assert_eq!(option[132..136], 7_u32.to_ne_bytes());
        assert_eq!(&option[136..143], b"secret\0");
    }

    #[test]
    fn a_host_needs_no_flags() {
        let option = layout("2001:db8::1/128".parse().unwrap(), None, "k");
        assert_eq!(option[..2], (libc::AF_INET6 as u16).to_ne_bytes());
        assert_eq!(option[8..12], [0x20, 0x01, 0x0d, 0xb8]);
        assert_eq!(option[128..130], [0, 0]);
        assert_eq!(option[130..136], [1_u16.to_ne_bytes().as_slice(), &[0; 4]].concat());
    }

    #[test]
    fn a_key_is_taken_and_removed_and_one_that_is_too_long_is_not() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let network = "127.0.0.0/8".parse().unwrap();
        assert!(set_key(&socket, network, None, &"x".repeat(81)).is_err());
        match set_key(&socket, network, None, "secret") {
            // A kernel without signatures says so.
            Err(error) => assert_eq!(error.raw_os_error(), Some(libc::ENOPROTOOPT)),
            Ok(()) => {
                set_key(&socket, network, None, "").unwrap();
                set_key(&socket, network, None, "").unwrap();
            }
        }
    }
}
