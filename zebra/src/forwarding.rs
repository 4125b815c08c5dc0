//! The kernel's forwarding switches, of the network namespace that we are in.

use std::io;

use ferrite_types::Afi;

fn path(afi: Afi) -> &'static str {
    match afi {
        Afi::Ipv6 => "/proc/sys/net/ipv6/conf/all/forwarding",
        Afi::Ipv4 | Afi::L2vpn => "/proc/sys/net/ipv4/ip_forward",
    }
}

pub fn get(afi: Afi) -> bool {
    std::fs::read_to_string(path(afi)).is_ok_and(|text| text.trim() != "0")
}

pub fn set(afi: Afi, on: bool) -> io::Result<()> {
    std::fs::write(path(afi), if on { "1\n" } else { "0\n" })
}
