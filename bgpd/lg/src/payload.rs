//! A reply in pieces: written once, sent any number of times without being copied.

use std::io;

use bytes::Bytes;

/// Octets of a piece.
const PIECE: usize = 64 << 10;

/// The members of a JSON object, without the braces.
#[derive(Clone, Debug, Default)]
pub struct Payload {
    pieces: Vec<Bytes>,
    open: Vec<u8>,
    length: usize,
    limit: usize,
}

impl Payload {
    /// Takes `limit` octets at most.
    pub fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    pub fn len(&self) -> usize {
        self.length
    }

    pub fn pieces(&self) -> impl Iterator<Item = Bytes> + '_ {
        self.pieces.iter().cloned()
    }

    /// Closes the last piece.
    pub fn finish(mut self) -> Self {
        self.close();
        self
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            self.pieces.push(std::mem::take(&mut self.open).into());
        }
    }
}

impl io::Write for Payload {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        if self.length + octets.len() > self.limit {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the reply is too large"));
        }
        self.open.extend_from_slice(octets);
        self.length += octets.len();
        if self.open.len() >= PIECE {
            self.close();
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
