//! Where a route comes from, and what FRR calls that.

use std::fmt;
use std::str::FromStr;

use crate::{Distance, ParseError};

/// The source of a route in the RIB, with the names, letters, distances and kernel numbers that FRR uses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RouteProtocol {
    System,
    Kernel,
    Connected,
    Local,
    Static,
    Rip,
    Ripng,
    Ospf,
    Ospf6,
    Isis,
    Bgp,
    Pim,
    Eigrp,
    Nhrp,
    Table,
    Ldp,
    Vnc,
    Pbr,
    Sharp,
    Babel,
    OpenFabric,
    Srte,
    /// Routes of a kernel table that nothing but redistribution looks at.
    #[serde(rename = "table-direct")]
    TableDirect,
}

impl RouteProtocol {
    pub const ALL: &'static [Self] = &[
        Self::System,
        Self::Kernel,
        Self::Connected,
        Self::Local,
        Self::Static,
        Self::Rip,
        Self::Ripng,
        Self::Ospf,
        Self::Ospf6,
        Self::Isis,
        Self::Bgp,
        Self::Pim,
        Self::Eigrp,
        Self::Nhrp,
        Self::Table,
        Self::Ldp,
        Self::Vnc,
        Self::Pbr,
        Self::Sharp,
        Self::Babel,
        Self::OpenFabric,
        Self::Srte,
        Self::TableDirect,
    ];

    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// The code in the first column of `show ip route`.
    pub const fn letter(self) -> char {
        self.row().1
    }

    pub const fn default_distance(self) -> Distance {
        Distance(self.row().2)
    }

    /// `rtm_protocol` of the routes that zebra installs for this source (`/etc/iproute2/rt_protos`).
    pub const fn kernel_number(self) -> u8 {
        self.row().3
    }

    /// The source of a kernel route that an earlier zebra installed; `None` for somebody else's.
    pub fn from_kernel_number(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|p| p.row().3 == number && number >= 11)
    }

    /// Name, letter, default distance, kernel protocol number.
    const fn row(self) -> (&'static str, char, u8, u8) {
        match self {
            Self::System => ("system", 'X', 0, 0),
            Self::Kernel => ("kernel", 'K', 0, 0),
            Self::Connected => ("connected", 'C', 0, 2),
            Self::Local => ("local", 'L', 0, 2),
            Self::Static => ("static", 'S', 1, 196),
            Self::Rip => ("rip", 'R', 120, 189),
            Self::Ripng => ("ripng", 'R', 120, 190),
            Self::Ospf => ("ospf", 'O', 110, 188),
            Self::Ospf6 => ("ospf6", 'O', 110, 188),
            Self::Isis => ("isis", 'I', 115, 187),
            Self::Bgp => ("bgp", 'B', 20, 186),
            Self::Pim => ("pim", 'P', 255, 0),
            Self::Eigrp => ("eigrp", 'E', 90, 192),
            Self::Nhrp => ("nhrp", 'N', 10, 191),
            // RTPROT_ZEBRA, as FRR.
            Self::Table => ("table", 'T', 150, 11),
            Self::Ldp => ("ldp", 'L', 150, 193),
            Self::Vnc => ("vnc", 'v', 20, 0),
            Self::Pbr => ("pbr", 'F', 200, 195),
            Self::Sharp => ("sharp", 'D', 150, 194),
            Self::Babel => ("babel", 'A', 100, 42),
            Self::OpenFabric => ("openfabric", 'f', 115, 197),
            Self::Srte => ("srte", 't', 255, 198),
            Self::TableDirect => ("table-direct", 't', 150, 0),
        }
    }
}

impl fmt::Display for RouteProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for RouteProtocol {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::ALL
            .iter()
            .copied()
            .find(|protocol| protocol.name() == text)
            .ok_or(ParseError::new(text, "a route source"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_kernel_numbers_lead_back() {
        for &protocol in RouteProtocol::ALL {
            assert_eq!(protocol.name().parse(), Ok(protocol));
        }
        assert_eq!(RouteProtocol::from_kernel_number(186), Some(RouteProtocol::Bgp));
        assert_eq!(RouteProtocol::from_kernel_number(2), None);
    }
}
