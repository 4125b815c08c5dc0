//! A BGP speaker for tests: many peers that announce a table, and receivers that count and judge what they are told.
//!
//! It is the tests' oracle, so it shares no code with bgpd, and it is strict where bgpd must be lenient.
//!
//! | module | holds |
//! | --- | --- |
//! | `prefix`, `wire` | prefixes, messages, OPEN (RFC 4271, 4760, 5492, 6793) |
//! | `update` | UPDATE: reading, judging, packing |
//! | `attrs` | path attributes as octets: taking apart, adjusting for eBGP, text |
//! | `mrt` | dumps and update files of route collectors (RFC 6396, 8050) |
//! | `table` | what a peer announces: from a dump, from an update file, or generated |
//! | `session` | a TCP session brought up and kept alive |
//! | `speaker` | N sessions at once, driven by commands, telling what happens as JSON lines |
//! | `bmp` | a BMP collector: the tables that a speaker describes |
//! | `rib` | what was heard: counts, dump as text, violations |

pub mod attrs;
pub mod bmp;
pub mod mrt;
pub mod pause;
pub mod prefix;
pub mod rib;
pub mod session;
pub mod speaker;
pub mod table;
pub mod update;
pub mod wire;

pub use prefix::Prefix;

/// What can be wrong with octets that should be BGP or MRT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl From<Malformed> for crate::Failure {
    fn from(m: Malformed) -> crate::Failure {
        crate::Failure::new(format!("malformed: {}", m.0))
    }
}

/// Cuts octets off the front of a slice; running out is an error, never a panic.
#[derive(Clone, Copy, Debug)]
pub struct Octets<'a>(pub &'a [u8]);

impl<'a> Octets<'a> {
    pub fn take(&mut self, n: usize, what: &'static str) -> Result<&'a [u8], Malformed> {
        let (head, tail) = self.0.split_at_checked(n).ok_or(Malformed(what))?;
        self.0 = tail;
        Ok(head)
    }

    pub fn u8(&mut self, what: &'static str) -> Result<u8, Malformed> {
        Ok(self.array::<1>(what)?[0])
    }

    pub fn u16(&mut self, what: &'static str) -> Result<u16, Malformed> {
        Ok(u16::from_be_bytes(self.array(what)?))
    }

    pub fn u32(&mut self, what: &'static str) -> Result<u32, Malformed> {
        Ok(u32::from_be_bytes(self.array(what)?))
    }

    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Malformed> {
        let bytes = self.take(N, what)?;
        bytes.try_into().map_err(|_| Malformed(what))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
