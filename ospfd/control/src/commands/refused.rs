//! Commands outside configuration that FRR's ospfd and ospf6d have and this version refuses by name.

use ferrite_cli::node::{CONFIG, ENABLE, VIEW};

use super::Commands;
use crate::Roles;

const V2: &[&str] = &[
    "show debugging ospf (1-65535)",
    "show ip ospf (1-65535) vrf NAME",
    "show ip ospf database segment-routing",
];

const DEBUG2: &[&str] = &["debug ospf (1-65535)", "debug ospf <bfd|default-information|orr|sr|ti-lfa>"];

/// Single routers and areas, and parts of FRR's own making.
const DEBUG3: &[&str] = &[
    "debug ospf6 border-routers <area-id|router-id>",
    "debug ospf6 event",
    "debug ospf6 lsa <aggregation|all>",
    "debug ospf6 route",
];

pub fn register(registry: &mut Commands, roles: Roles) {
    if roles.v2 {
        V2.iter().for_each(|syntax| registry.refuse(&[&VIEW, &ENABLE], syntax));
        DEBUG2.iter().for_each(|syntax| registry.refuse_on(&[&ENABLE, &CONFIG], syntax));
        registry.debug_group("ospf");
    }
    if roles.v3 {
        DEBUG3.iter().for_each(|syntax| registry.refuse_on(&[&ENABLE, &CONFIG], syntax));
        registry.debug_group("ospf6");
    }
}
