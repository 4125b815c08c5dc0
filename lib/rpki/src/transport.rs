//! How a cache is reached, as data.

use std::fmt;
use std::net::IpAddr;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transport {
    /// Name or address.
    pub host: String,
    pub port: u16,
    /// Our address.
    pub source: Option<IpAddr>,
    pub kind: Kind,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    Tcp {
        /// Key of TCP MD5 signatures (RFC 2385).
        password: Option<String>,
    },
    Ssh {
        user: String,
        /// File of the private key.
        key: String,
        /// File of known hosts in place of the system's.
        known_hosts: Option<String>,
    },
}

impl Kind {
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Tcp { .. } => "tcp",
            Self::Ssh { .. } => "ssh",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.kind.word(), self.host, self.port)
    }
}
