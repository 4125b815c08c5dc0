//! Segment routing over IPv6 (RFC 8986): what a next hop does to a packet with segments.

use std::fmt;
use std::net::Ipv6Addr;

use crate::TableId;

/// What a route does beside leading somewhere.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Seg6 {
    /// The packet is put into another that visits these, the first first (H.Encaps).
    Encap(Vec<Ipv6Addr>),
    /// The destination is a segment identifier of ours.
    Local(Seg6Local),
}

/// A segment identifier of this router.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Seg6Local {
    pub action: Seg6Action,
    pub structure: SidStructure,
}

/// Bits of the parts of a segment identifier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct SidStructure {
    pub block: u8,
    pub node: u8,
    pub function: u8,
    pub argument: u8,
}

/// What is done with a packet that comes to a segment identifier (RFC 8986 section 4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Seg6Action {
    /// On to the next segment; of a list in one address where it is shifted (RFC 9800).
    End { shift: bool },
    /// Unpacked, and looked up in a table: inner IPv6.
    Dt6(TableId),
    /// Inner IPv4, in the table of a VRF's device.
    Dt4(TableId),
    /// Either.
    Dt46(TableId),
}

impl Seg6Action {
    /// FRR's and the kernel's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::End { .. } => "End",
            Self::Dt6(_) => "End.DT6",
            Self::Dt4(_) => "End.DT4",
            Self::Dt46(_) => "End.DT46",
        }
    }

    pub fn table(self) -> Option<TableId> {
        match self {
            Self::End { .. } => None,
            Self::Dt6(table) | Self::Dt4(table) | Self::Dt46(table) => Some(table),
        }
    }
}

impl Seg6 {
    /// What the kernel keeps of it: bits of an identifier where they are shifted, and no others.
    pub fn kept(&self) -> Self {
        match self {
            Self::Encap(_) => self.clone(),
            Self::Local(Seg6Local { action: action @ Seg6Action::End { shift: true }, structure }) => {
                let structure = SidStructure { function: 0, argument: 0, ..*structure };
                Self::Local(Seg6Local { action: *action, structure })
            }
            Self::Local(Seg6Local { action, .. }) => {
                Self::Local(Seg6Local { action: *action, structure: SidStructure::default() })
            }
        }
    }
}

impl fmt::Display for Seg6 {
    /// As a line of `show ipv6 route` has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encap(segments) => {
                let texts: Vec<String> = segments.iter().map(Ipv6Addr::to_string).collect();
                write!(f, "seg6 {}", texts.join(","))
            }
            Self::Local(local) => {
                write!(f, "seg6local {}", local.action.name())?;
                match local.action.table() {
                    Some(table) => write!(f, " table {table}"),
                    None => f.write_str(" -"),
                }
            }
        }
    }
}
