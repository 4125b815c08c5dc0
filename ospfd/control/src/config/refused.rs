//! Lines of FRR's ospfd and ospf6d that this version refuses by name.

use ferrite_cli::Registry;
use ferrite_cli::node::INTERFACE;

use super::{OSPF, OSPF6_IPV4};
use crate::{Roles, Settings};

const ROUTER: &[&str] = &["fast-reroute ti-lfa", "segment-routing"];

/// What crosses an area on a virtual link is IPv6's (RFC 5838 §2.8).
const ROUTER_IPV4: &[&str] = &["area <A.B.C.D|(0-4294967295)> virtual-link"];

const LINK: &[&str] = &["ip ospf bfd"];

const LINK_V3: &[&str] = &[
    "ipv6 ospf6 authentication key-id (1-65535) hash-algo md5",
    "ipv6 ospf6 bfd",
    "ip ospf6 authentication key-id (1-65535) hash-algo md5",
    "ip ospf6 bfd",
];

pub fn register<H: 'static>(registry: &mut Registry<Settings, H>, roles: Roles) {
    if roles.v2 {
        ROUTER.iter().for_each(|line| registry.refuse_on(&[&OSPF], line));
        LINK.iter().for_each(|line| registry.refuse_on(&[&INTERFACE], line));
    }
    if roles.v3 {
        ROUTER_IPV4.iter().for_each(|line| registry.refuse_on(&[&OSPF6_IPV4], line));
        LINK_V3.iter().for_each(|line| registry.refuse_on(&[&INTERFACE], line));
    }
}
