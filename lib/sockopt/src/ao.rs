//! TCP-AO (RFC 5925, algorithms of RFC 5926): keys of a socket, and which of them signs.
//!
//! ```text
//! struct tcp_ao_add (linux/tcp.h)        struct tcp_ao_del             struct tcp_ao_info_opt
//!   128  sockaddr_storage address        128  address                  4  bit fields: set current, set rnext,
//!    64  name of the algorithm             4  interface index             AO required, set counters, accept ICMPs
//!     4  interface index                   4  bit fields: set           2  reserved
//!     4  bit fields: set current,             current, set rnext,       1  current key
//!        set rnext                            asynchronous              1  rnext key
//!     2  reserved                          2  reserved                  8  segments that were right
//!     1  prefix length                     1  prefix length             8  … wrong
//!     1  SendID                            1  SendID                    8  … of a key we do not have
//!     1  RecvID                            1  RecvID                    8  … without AO
//!     1  length of the MAC                 1  current key               8  ICMPs left alone
//!     1  flags                             1  rnext key
//!     1  length of the key                 1  flags
//!    80  key
//! ```

use std::io;
use std::os::fd::AsFd;

use ferrite_types::{IfIndex, Prefix};

use crate::{layout, raw};

/// Longest key that the kernel takes, octets (`TCP_AO_MAXKEYLEN`).
pub const KEY_MAX: usize = 80;

const TCP_AO_ADD_KEY: libc::c_int = 38;
const TCP_AO_DEL_KEY: libc::c_int = 39;
const TCP_AO_INFO: libc::c_int = 40;
/// The interface index counts.
const FLAG_IFINDEX: u8 = 1;
/// Room for the algorithm's name.
const NAME: usize = 64;
/// Ninety-six bits, as RFC 5926 §3.2 has them; for HMAC-SHA-256 the same.
const MAC_LEN: u8 = 12;

/// What a kernel without TCP-AO is said to lack.
pub const ABSENT: &str = "TCP-AO is not in this kernel";

/// How segments are signed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Algorithm {
    HmacSha1,
    AesCmac,
    HmacSha256,
}

impl Algorithm {
    /// As the kernel's crypto names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HmacSha1 => "hmac(sha1)",
            Self::AesCmac => "cmac(aes128)",
            Self::HmacSha256 => "hmac(sha256)",
        }
    }
}

/// A key (Master Key Tuple, RFC 5925 §3.1) for segments to and from a network.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    pub network: Prefix,
    /// The VRF's device, for a socket that is not bound to it.
    pub vrf: Option<IfIndex>,
    /// KeyID of what we send.
    pub send_id: u8,
    /// KeyID of what we take.
    pub receive_id: u8,
    pub algorithm: Algorithm,
    pub secret: Vec<u8>,
}

/// Which keys sign: those of ours from now on, and those we ask the other end for (RNextKeyID). Unset: as they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Use {
    pub current: Option<u8>,
    pub rnext: Option<u8>,
}

/// Segments of a connection, counted by the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Info {
    pub current: u8,
    pub rnext: u8,
    pub good: u64,
    pub bad: u64,
    pub key_not_found: u64,
    pub unsigned: u64,
}

/// Gives a socket a key. A connection's first key signs at once.
pub fn add_key(socket: impl AsFd, key: &Key) -> io::Result<()> {
    if key.secret.len() > KEY_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "key over 80 octets"));
    }
    named(raw::set(socket, libc::IPPROTO_TCP, TCP_AO_ADD_KEY, &add_layout(key)))
}

/// Takes a key away; one that signs must be replaced in the same breath.
pub fn delete_key(socket: impl AsFd, key: &Key, instead: Use) -> io::Result<()> {
    match raw::set(socket, libc::IPPROTO_TCP, TCP_AO_DEL_KEY, &delete_layout(key, instead)) {
        // Removing a key that is not there leaves what was wanted.
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
        result => named(result),
    }
}

/// Changes the keys that sign; with `required`, segments without a signature are dropped.
pub fn use_keys(socket: impl AsFd, keys: Use, required: bool) -> io::Result<()> {
    named(raw::set(socket, libc::IPPROTO_TCP, TCP_AO_INFO, &info_layout(keys, required)))
}

/// What the kernel has counted.
pub fn info(socket: impl AsFd) -> io::Result<Info> {
    let mut option = info_layout(Use::default(), false);
    named(raw::get(socket, libc::IPPROTO_TCP, TCP_AO_INFO, &mut option).map(|_| ()))?;
    let octet = |at: usize| option.get(at).copied().unwrap_or_default();
    let count = |at: usize| {
        let octets = option.get(at..).and_then(<[u8]>::first_chunk);
        octets.map_or(0, |octets| u64::from_ne_bytes(*octets))
    };
    Ok(Info {
        current: octet(6),
        rnext: octet(7),
        good: count(8),
        bad: count(16),
        key_not_found: count(24),
        unsigned: count(32),
    })
}

/// The kernel says "no such option" where it was built without.
fn named(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.raw_os_error() == Some(libc::ENOPROTOOPT) => {
            Err(io::Error::new(io::ErrorKind::Unsupported, ABSENT))
        }
        result => result,
    }
}

fn flags(key: &Key) -> u8 {
    if key.vrf.is_some() { FLAG_IFINDEX } else { 0 }
}

fn ifindex(key: &Key) -> [u8; 4] {
    key.vrf.map_or(0, |vrf| vrf.0).to_ne_bytes()
}

fn add_layout(key: &Key) -> Vec<u8> {
    let mut option = Vec::with_capacity(288);
    layout::put_address(&mut option, key.network.addr());
    layout::put_padded(&mut option, key.algorithm.name().as_bytes(), NAME);
    option.extend(ifindex(key));
    option.extend(layout::bit_fields(&[false, false]));
    option.extend([0; 2]);
    option.extend([
        key.network.len(),
        key.send_id,
        key.receive_id,
        MAC_LEN,
        flags(key),
        key.secret.len() as u8,
    ]);
    layout::put_padded(&mut option, &key.secret, KEY_MAX);
    option
}

fn delete_layout(key: &Key, instead: Use) -> Vec<u8> {
    let mut option = Vec::with_capacity(144);
    layout::put_address(&mut option, key.network.addr());
    option.extend(ifindex(key));
    option.extend(layout::bit_fields(&[instead.current.is_some(), instead.rnext.is_some()]));
    option.extend([0; 2]);
    option.extend([key.network.len(), key.send_id, key.receive_id]);
    option.extend([instead.current.unwrap_or(0), instead.rnext.unwrap_or(0), flags(key)]);
    option
}

fn info_layout(keys: Use, required: bool) -> Vec<u8> {
    let mut option = Vec::with_capacity(48);
    option.extend(layout::bit_fields(&[keys.current.is_some(), keys.rnext.is_some(), required]));
    option.extend([0; 2]);
    option.extend([keys.current.unwrap_or(0), keys.rnext.unwrap_or(0)]);
    option.resize(48, 0);
    option
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(network: &str) -> Key {
        Key {
            network: network.parse().unwrap(),
            vrf: None,
            send_id: 100,
            receive_id: 101,
            algorithm: Algorithm::AesCmac,
            secret: b"hunter2".to_vec(),
        }
    }

    #[test]
    fn a_key_is_laid_out_as_the_kernel_has_it() {
        let option = add_layout(&Key { vrf: Some(IfIndex(5)), ..key("10.1.2.0/24") });
        assert_eq!(option.len(), 288, "sizeof(struct tcp_ao_add)");
        assert_eq!(option.len() % 8, 0, "aligned(8)");
        assert_eq!(option[4..8], [10, 1, 2, 0]);
        assert_eq!(&option[128..141], b"cmac(aes128)\0");
        assert_eq!(option[192..196], 5_u32.to_ne_bytes());
        assert_eq!(option[196..202], [0; 6]);
        assert_eq!(option[202..208], [24, 100, 101, 12, FLAG_IFINDEX, 7]);
        assert_eq!(&option[208..216], b"hunter2\0");
    }

    #[test]
    fn a_key_that_goes_names_those_that_sign_instead() {
        let option = delete_layout(&key("2001:db8::/64"), Use { current: Some(7), rnext: None });
        assert_eq!(option.len(), 144, "sizeof(struct tcp_ao_del)");
        assert_eq!(option[8..12], [0x20, 0x01, 0x0d, 0xb8]);
        let word = *option[132..].first_chunk().unwrap();
        assert_eq!([0, 1, 2].map(|at| layout::bit_field(word, at)), [true, false, false]);
        assert_eq!(option[138..144], [64, 100, 101, 7, 0, 0]);
    }

    #[test]
    fn the_keys_that_sign_are_laid_out_as_the_kernel_has_it() {
        let option = info_layout(Use { current: None, rnext: Some(9) }, true);
        assert_eq!(option.len(), 48, "sizeof(struct tcp_ao_info_opt)");
        let word = *option.first_chunk().unwrap();
        assert_eq!([0, 1, 2, 3].map(|at| layout::bit_field(word, at)), [false, true, true, false]);
        assert_eq!(option[4..8], [0, 0, 0, 9]);
    }

    #[test]
    fn a_kernel_without_it_is_named_and_one_with_it_takes_keys() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let key = key("127.0.0.1/32");
        match add_key(&socket, &key) {
            Err(error) => assert_eq!(error.to_string(), ABSENT),
            Ok(()) => {
                delete_key(&socket, &key, Use::default()).unwrap();
                delete_key(&socket, &key, Use::default()).unwrap();
            }
        }
    }

    #[test]
    fn a_key_that_is_too_long_is_refused() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let long = Key { secret: vec![0; 81], ..key("127.0.0.1/32") };
        assert_eq!(add_key(&socket, &long).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
