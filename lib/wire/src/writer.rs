//! Writing: `bytes::BufMut` puts the values, this puts the lengths that are known only when the value is complete.

use bytes::{BufMut, BytesMut};

/// A value is longer than its length field can say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{len} octets do not fit a length field of {field} octets")]
pub struct Overflow {
    pub len: usize,
    pub field: usize,
}

/// A length field whose place is kept free until [`LengthField::close`] fills it in.
#[derive(Debug)]
#[must_use = "the length is written when the field is closed"]
pub struct LengthField {
    at: usize,
    octets: usize,
}

impl LengthField {
    /// One octet of length.
    pub fn one(buf: &mut BytesMut) -> Self {
        Self::open(buf, 1)
    }

    /// Two octets of length.
    pub fn two(buf: &mut BytesMut) -> Self {
        Self::open(buf, 2)
    }

    fn open(buf: &mut BytesMut, octets: usize) -> Self {
        let at = buf.len();
        buf.put_bytes(0, octets);
        Self { at, octets }
    }

    /// Octets written since the field was opened.
    pub fn written(&self, buf: &BytesMut) -> usize {
        buf.len().saturating_sub(self.at + self.octets)
    }

    /// Writes the number of octets that followed the field.
    pub fn close(self, buf: &mut BytesMut) -> Result<(), Overflow> {
        let len = self.written(buf);
        let overflow = Overflow { len, field: self.octets };
        match self.octets {
            1 => self.fill(buf, &u8::try_from(len).map_err(|_| overflow)?.to_be_bytes()),
            _ => self.fill(buf, &u16::try_from(len).map_err(|_| overflow)?.to_be_bytes()),
        }
        Ok(())
    }

    fn fill(&self, buf: &mut BytesMut, value: &[u8]) {
        if let Some(field) = buf.get_mut(self.at..self.at + self.octets) {
            field.copy_from_slice(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_filled_in_when_closed() {
        let mut buf = BytesMut::new();
        let outer = LengthField::two(&mut buf);
        let inner = LengthField::one(&mut buf);
        buf.put_slice(b"abc");
        inner.close(&mut buf).unwrap();
        outer.close(&mut buf).unwrap();
        assert_eq!(&buf[..], [0, 4, 3, b'a', b'b', b'c']);
    }

    #[test]
    fn a_value_too_long_for_its_field_is_refused() {
        let mut buf = BytesMut::new();
        let field = LengthField::one(&mut buf);
        buf.put_bytes(0, 256);
        assert_eq!(field.close(&mut buf), Err(Overflow { len: 256, field: 1 }));
    }
}
