//! Reading: every method either returns what was asked for or says how much was missing, and moves only when it succeeds.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Fewer octets are left than a field needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{wanted} octets expected, {left} left")]
pub struct Short {
    pub wanted: usize,
    pub left: usize,
}

/// A position in a slice of octets.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub const fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets }
    }

    pub const fn len(&self) -> usize {
        self.rest.len()
    }

    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// What has not been read yet.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next `len` octets.
    #[inline]
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], Short> {
        match self.rest.split_at_checked(len) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(Short { wanted: len, left: self.rest.len() }),
        }
    }

    /// A reader over the next `len` octets only.
    #[inline]
    pub fn sub(&mut self, len: usize) -> Result<Reader<'a>, Short> {
        self.take(len).map(Reader::new)
    }

    /// Everything that is left; the reader is empty afterwards.
    pub fn take_rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Short> {
        match self.rest.split_first_chunk::<N>() {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(*taken)
            }
            None => Err(Short { wanted: N, left: self.rest.len() }),
        }
    }

    #[inline]
    pub fn u8(&mut self) -> Result<u8, Short> {
        self.array::<1>().map(|[octet]| octet)
    }

    #[inline]
    pub fn u16(&mut self) -> Result<u16, Short> {
        self.array().map(u16::from_be_bytes)
    }

    #[inline]
    pub fn u32(&mut self) -> Result<u32, Short> {
        self.array().map(u32::from_be_bytes)
    }

    #[inline]
    pub fn u64(&mut self) -> Result<u64, Short> {
        self.array().map(u64::from_be_bytes)
    }

    pub fn ipv4(&mut self) -> Result<Ipv4Addr, Short> {
        self.array::<4>().map(Ipv4Addr::from)
    }

    pub fn ipv6(&mut self) -> Result<Ipv6Addr, Short> {
        self.array::<16>().map(Ipv6Addr::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_read_moves_nothing() {
        let mut reader = Reader::new(&[1, 2, 3]);
        assert_eq!(reader.u8(), Ok(1));
        assert_eq!(reader.u32(), Err(Short { wanted: 4, left: 2 }));
        assert_eq!(reader.u16(), Ok(0x0203));
        assert!(reader.is_empty());
    }

    #[test]
    fn an_inner_reader_ends_with_its_value() {
        let mut reader = Reader::new(&[2, 10, 11, 12]);
        let len = usize::from(reader.u8().unwrap());
        let mut inner = reader.sub(len).unwrap();
        assert_eq!(inner.take_rest(), [10, 11]);
        assert_eq!(inner.u8(), Err(Short { wanted: 1, left: 0 }));
        assert_eq!(reader.rest(), [12]);
    }
}
