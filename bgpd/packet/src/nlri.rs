//! Network layer reachability information: prefixes with or without a path identifier (RFC 4271 §4.3, RFC 4760 §5,
//! RFC 7911 §3). [`Nlri`] is checked once when it is made and then read lazily, straight from the octets received.

use bytes::{BufMut, Bytes, BytesMut};
use ferrite_types::{Afi, Ipv4Prefix, Ipv6Prefix, Prefix};
use ferrite_wire::{Reader, Short};

use crate::Family;

/// One announced or withdrawn prefix.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NlriEntry {
    /// Zero where the family is sent without path identifiers.
    pub path_id: u32,
    pub prefix: Prefix,
}

/// What makes a list of prefixes unreadable.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NlriError {
    #[error("prefix length {len} of {afi}")]
    Length { afi: Afi, len: u8 },
    #[error("prefix cut off: {0}")]
    Short(#[from] Short),
}

/// A list of prefixes of one family, checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Nlri {
    family: Family,
    add_path: bool,
    /// Entries including those that `iter` leaves out.
    count: u32,
    octets: Bytes,
}

impl Nlri {
    /// Checks that every entry can be read.
    pub fn new(family: Family, add_path: bool, octets: Bytes) -> Result<Self, NlriError> {
        let mut reader = Reader::new(&octets);
        let mut count = 0;
        while !reader.is_empty() {
            read_entry(&mut reader, family.afi, add_path)?;
            count += 1;
        }
        Ok(Self { family, add_path, count, octets })
    }

    pub const fn family(&self) -> Family {
        self.family
    }

    pub const fn add_path(&self) -> bool {
        self.add_path
    }

    /// Number of entries, senseless ones included.
    pub const fn len(&self) -> usize {
        self.count as usize
    }

    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The entries, without those that no unicast route can have (multicast and link-local prefixes), which are
    /// ignored one by one as RFC 7606 §5.3 wants.
    pub fn iter(&self) -> NlriIter<'_> {
        NlriIter { reader: Reader::new(&self.octets), family: self.family, add_path: self.add_path }
    }
}

impl<'a> IntoIterator for &'a Nlri {
    type Item = NlriEntry;
    type IntoIter = NlriIter<'a>;

    fn into_iter(self) -> NlriIter<'a> {
        self.iter()
    }
}

/// Iterator of [`Nlri::iter`].
#[derive(Clone, Debug)]
pub struct NlriIter<'a> {
    reader: Reader<'a>,
    family: Family,
    add_path: bool,
}

impl Iterator for NlriIter<'_> {
    type Item = NlriEntry;

    #[inline]
    fn next(&mut self) -> Option<NlriEntry> {
        while !self.reader.is_empty() {
            let entry = read_entry(&mut self.reader, self.family.afi, self.add_path).ok()?;
            if self.family.safi != ferrite_types::Safi::Unicast || is_unicast(entry.prefix) {
                return Some(entry);
            }
        }
        None
    }
}

/// Whether a unicast table may hold the prefix.
fn is_unicast(prefix: Prefix) -> bool {
    match prefix {
        Prefix::V4(prefix) => prefix.bits() >> 28 != 0xe,
        Prefix::V6(prefix) => {
            let top = (prefix.bits() >> 112) as u16;
            let multicast = prefix.len() >= 8 && top >> 8 == 0xff;
            let link_local = prefix.len() >= 10 && top & 0xffc0 == 0xfe80;
            !multicast && !link_local
        }
    }
}

#[inline]
fn read_entry(reader: &mut Reader<'_>, afi: Afi, add_path: bool) -> Result<NlriEntry, NlriError> {
    let path_id = if add_path { reader.u32()? } else { 0 };
    let len = reader.u8()?;
    let error = NlriError::Length { afi, len };
    let octets = usize::from(len).div_ceil(8);
    let prefix = match afi {
        Afi::Ipv4 => {
            if octets > 4 {
                return Err(error);
            }
            let taken = reader.take(octets)?;
            let mut addr = [0; 4];
            addr[..octets].copy_from_slice(taken);
            Prefix::V4(Ipv4Prefix::from_bits(u32::from_be_bytes(addr), len).ok_or(error)?)
        }
        Afi::Ipv6 => {
            if octets > 16 {
                return Err(error);
            }
            let taken = reader.take(octets)?;
            let mut addr = [0; 16];
            addr[..octets].copy_from_slice(taken);
            Prefix::V6(Ipv6Prefix::from_bits(u128::from_be_bytes(addr), len).ok_or(error)?)
        }
        Afi::L2vpn => return Err(error),
    };
    Ok(NlriEntry { path_id, prefix })
}

/// Octets that [`put_entry`] writes.
#[inline]
pub fn encoded_len(prefix: Prefix, add_path: bool) -> usize {
    1 + usize::from(prefix.len()).div_ceil(8) + if add_path { 4 } else { 0 }
}

/// Appends one prefix.
#[inline]
pub fn put_entry(buf: &mut BytesMut, entry: NlriEntry, add_path: bool) {
    if add_path {
        buf.put_u32(entry.path_id);
    }
    let octets = usize::from(entry.prefix.len()).div_ceil(8);
    buf.put_u8(entry.prefix.len());
    match entry.prefix {
        Prefix::V4(prefix) => buf.put_slice(prefix.bits().to_be_bytes().get(..octets).unwrap_or_default()),
        Prefix::V6(prefix) => buf.put_slice(prefix.bits().to_be_bytes().get(..octets).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nlri(family: Family, add_path: bool, octets: &[u8]) -> Result<Nlri, NlriError> {
        Nlri::new(family, add_path, Bytes::copy_from_slice(octets))
    }

    fn texts(nlri: &Nlri) -> Vec<String> {
        nlri.iter().map(|entry| entry.prefix.to_string()).collect()
    }

    #[test]
    fn prefixes_are_read_and_their_host_bits_cleared() {
        let list = nlri(Family::IPV4_UNICAST, false, &[0, 8, 10, 12, 172, 31, 32, 1, 2, 3, 4]).unwrap();
        assert_eq!(texts(&list), ["0.0.0.0/0", "10.0.0.0/8", "172.16.0.0/12", "1.2.3.4/32"]);
    }

    #[test]
    fn impossible_lengths_and_cut_prefixes_are_errors() {
        assert!(nlri(Family::IPV4_UNICAST, false, &[33, 1, 2, 3, 4, 5]).is_err());
        assert!(nlri(Family::IPV6_UNICAST, false, &[129; 20]).is_err());
        assert!(nlri(Family::IPV4_UNICAST, false, &[24, 1, 2]).is_err());
        assert!(nlri(Family::IPV4_UNICAST, true, &[0, 0, 0]).is_err());
    }

    #[test]
    fn senseless_prefixes_are_passed_over_one_by_one() {
        let list = nlri(Family::IPV4_UNICAST, false, &[8, 10, 4, 0xe0, 24, 239, 1, 1, 8, 11]).unwrap();
        assert_eq!(texts(&list), ["10.0.0.0/8", "11.0.0.0/8"]);
        let list = nlri(Family::IPV6_UNICAST, false, &[10, 0xfe, 0x80, 8, 0xff, 16, 0x20, 0x01]).unwrap();
        assert_eq!(texts(&list), ["2001::/16"]);
        assert_eq!(list.len(), 3);
    }

    #[test]
    fn what_is_written_reads_back() {
        for (text, add_path) in
            [("0.0.0.0/0", false), ("10.1.0.0/17", true), ("2001:db8::/45", true), ("::/0", false)]
        {
            let entry = NlriEntry { path_id: u32::from(add_path) * 7, prefix: text.parse().unwrap() };
            let mut buf = BytesMut::new();
            put_entry(&mut buf, entry, add_path);
            assert_eq!(buf.len(), encoded_len(entry.prefix, add_path));
            let family = Family { afi: entry.prefix.afi(), safi: ferrite_types::Safi::Unicast };
            let list = Nlri::new(family, add_path, buf.freeze()).unwrap();
            assert_eq!(list.iter().collect::<Vec<_>>(), [entry]);
        }
    }
}
