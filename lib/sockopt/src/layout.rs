//! Building blocks of the kernel's structures, in the host's byte order where the kernel has them so.

use std::net::IpAddr;

/// Length of `struct sockaddr_storage`, octets.
pub const STORAGE: usize = 128;

/// Appends a `struct sockaddr_storage` with an address and no port.
pub fn put_address(to: &mut Vec<u8>, addr: IpAddr) {
    let end = to.len() + STORAGE;
    match addr {
        IpAddr::V4(addr) => {
            to.extend((libc::AF_INET as u16).to_ne_bytes());
            to.extend([0; 2]); // port
            to.extend(addr.octets());
        }
        IpAddr::V6(addr) => {
            to.extend((libc::AF_INET6 as u16).to_ne_bytes());
            to.extend([0; 2]); // port
            to.extend([0; 4]); // flow
            to.extend(addr.octets());
        }
    }
    to.resize(end, 0);
}

/// Appends octets and fills up with zeros to `len`; what is longer is cut.
pub fn put_padded(to: &mut Vec<u8>, octets: &[u8], len: usize) {
    let end = to.len() + len;
    to.extend(octets.iter().take(len));
    to.resize(end, 0);
}

/// A word of C bit fields of one bit each, the first field first, in the order in which compilers for Linux lay them out.
pub fn bit_fields(fields: &[bool]) -> [u8; 4] {
    let bit = |at: usize| if cfg!(target_endian = "little") { 1_u32 << at } else { 1_u32 << (31 - at) };
    let set = fields.iter().enumerate().filter(|(_, set)| **set);
    set.fold(0, |word, (at, _)| word | bit(at)).to_ne_bytes()
}

/// Whether one of the bit fields of a word is set; see [`bit_fields`].
#[cfg(test)]
pub fn bit_field(word: [u8; 4], at: usize) -> bool {
    let word = u32::from_ne_bytes(word);
    let at = if cfg!(target_endian = "little") { at } else { 31 - at };
    word >> at & 1 == 1
}
