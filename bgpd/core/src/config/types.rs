//! The small values of the configuration: AS numbers as they were written, names, timers.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use ferrite_types::{Asn, ParseError};

/// An AS number and whether it was written with a dot (RFC 5396): the running configuration shows what was entered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct WrittenAsn {
    pub asn: Asn,
    pub dotted: bool,
}

impl WrittenAsn {
    pub const fn plain(asn: Asn) -> Self {
        Self { asn, dotted: false }
    }
}

impl fmt::Display for WrittenAsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.dotted {
            write!(f, "{}.{}", self.asn.0 >> 16, self.asn.0 & 0xffff)
        } else {
            write!(f, "{}", self.asn)
        }
    }
}

impl FromStr for WrittenAsn {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let asn: Asn = text.parse()?;
        // RFC 7607: AS 0 is nobody's.
        if asn == Asn(0) {
            Err(ParseError::new(text, "an AS number"))
        } else {
            Ok(Self { asn, dotted: text.contains('.') })
        }
    }
}

/// Who is at the other end: `neighbor X remote-as …`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RemoteAs {
    Number(WrittenAsn),
    /// Our own AS.
    Internal,
    /// Any AS but ours.
    External,
    /// Whatever the OPEN says, our own AS included.
    Auto,
}

impl fmt::Display for RemoteAs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(asn) => asn.fmt(f),
            Self::Internal => f.write_str("internal"),
            Self::External => f.write_str("external"),
            Self::Auto => f.write_str("auto"),
        }
    }
}

impl FromStr for RemoteAs {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        Ok(match text {
            "internal" => Self::Internal,
            "external" => Self::External,
            "auto" => Self::Auto,
            _ => Self::Number(text.parse()?),
        })
    }
}

/// Whether a session is within our AS. `None` where only the OPEN will tell (`remote-as auto`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SessionKind {
    Internal,
    External,
}

impl RemoteAs {
    /// The kind of session with a neighbour that sees us as `local`.
    pub fn kind(self, local: Asn) -> Option<SessionKind> {
        match self {
            Self::Number(remote) if remote.asn == local => Some(SessionKind::Internal),
            Self::Number(_) | Self::External => Some(SessionKind::External),
            Self::Internal => Some(SessionKind::Internal),
            Self::Auto => None,
        }
    }
}

/// Defines a shared name.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(Arc<str>);

        impl $name {
            pub fn new(text: &str) -> Self {
                Self(text.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name!(
    /// Name of a peer group.
    GroupName
);
name!(
    /// Name of a route map, prefix list, access list or AS-path list; it need not exist (yet).
    PolicyName
);

/// A BGP instance: the default one, a view, or one of a VRF. The default one is first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum InstanceName {
    #[default]
    Default,
    View(Arc<str>),
    Vrf(Arc<str>),
}

impl InstanceName {
    /// The name as shows write it.
    pub fn label(&self) -> &str {
        match self {
            Self::Default => "default",
            Self::View(name) | Self::Vrf(name) => name,
        }
    }

    /// FRR's word before the name.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::View(_) => "VIEW",
            Self::Default | Self::Vrf(_) => "VRF",
        }
    }
}

/// Keepalive interval and hold time, seconds; zero is none.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Timers {
    pub keepalive: u16,
    pub hold: u16,
}

impl fmt::Display for Timers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.keepalive, self.hold)
    }
}
