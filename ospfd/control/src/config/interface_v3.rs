//! `ipv6 ospf6 …`

use ferrite_cli::{Negation, Setting};

use super::{setting, switch, value};
use crate::settings::InterfaceV3;
use crate::settings::interface::NetworkV3;

const IP: &str = "IPv6 of the interface";
const OSPF: &str = "OSPFv3 on the interface";

pub static ALL: &[Setting<InterfaceV3>] = &[
    value!(
        area,
        "ipv6 ospf6 area",
        "<A.B.C.D|(0-4294967295)>$value",
        [IP, OSPF, "Runs OSPFv3 in an area", "Area", "Area"],
        Negation::Derived,
        "ipv6 ospf6 area 0.0.0.1"
    ),
    value!(
        cost,
        "ipv6 ospf6 cost",
        "(1-65535)$value",
        [IP, OSPF, "What packets sent here cost", "Cost"],
        Negation::Derived,
        "ipv6 ospf6 cost 7"
    ),
    value!(
        dead_interval,
        "ipv6 ospf6 dead-interval",
        "(1-65535)$value",
        [IP, OSPF, "Time after which a neighbour that is not heard is gone", "Seconds"],
        Negation::Derived,
        "ipv6 ospf6 dead-interval 9"
    ),
    value!(
        hello_interval,
        "ipv6 ospf6 hello-interval",
        "(1-65535)$value",
        [IP, OSPF, "Time between two Hellos", "Seconds"],
        Negation::Derived,
        "ipv6 ospf6 hello-interval 3"
    ),
    setting!(
        "ipv6 ospf6 network <broadcast|point-to-point|point-to-multipoint>$kind",
        [
            IP,
            OSPF,
            "How routers on the network find each other",
            "All hear what one sends",
            "One neighbour",
            "Each neighbour for itself"
        ],
        Negation::Derived,
        |v3, args| {
            v3.network = match args.get("kind") {
                Some("point-to-point") => Some(NetworkV3::PointToPoint),
                Some("point-to-multipoint") => Some(NetworkV3::PointToMultipoint),
                _ => Some(NetworkV3::Broadcast),
            };
            Ok(())
        },
        |v3, _| {
            v3.network = None;
            Ok(())
        },
        |v3, lines| {
            if let Some(network) = v3.network {
                lines.line(format!("ipv6 ospf6 network {}", network.word()));
            }
        },
        [
            "ipv6 ospf6 network broadcast",
            "ipv6 ospf6 network point-to-point",
            "ipv6 ospf6 network point-to-multipoint"
        ]
    ),
    switch!(
        passive,
        "ipv6 ospf6 passive",
        "ipv6 ospf6 passive",
        [IP, OSPF, "The network is announced, and nothing is sent or heard there"],
        Negation::Derived
    ),
    value!(
        priority,
        "ipv6 ospf6 priority",
        "(0-255)$value",
        [IP, OSPF, "Who becomes the designated router", "The highest does, 0 never"],
        Negation::Derived,
        "ipv6 ospf6 priority 9"
    ),
];
