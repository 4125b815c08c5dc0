//! `show ipv6 ospf6 …`, and `show ip ospf6 …`: the same of the processes that route IPv4.

use ferrite_ospf::packet::Family;
use ferrite_types::{Afi, Ipv6Prefix};

pub mod border;
pub mod database;
pub mod interface;
pub mod lsa;
pub mod neighbor;
pub mod process;
pub mod redistribute;
pub mod route;
pub mod tree;

/// A prefix of an LSA as its family writes it.
fn written<F: Family>(wire: Ipv6Prefix) -> String {
    F::prefix(wire).map_or_else(|| wire.to_string(), |prefix| prefix.to_string())
}

/// What stands where there is no address.
const fn no_address<F: Family>() -> &'static str {
    if matches!(F::AFI, Afi::Ipv4) { "0.0.0.0" } else { "::" }
}
