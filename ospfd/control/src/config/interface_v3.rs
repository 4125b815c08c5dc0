//! `ipv6 ospf6 …`, which is what is said of `ip ospf6 …` too

use std::net::Ipv6Addr;

use ferrite_cli::{Args, CliError, Negation, Setting};

use super::{setting, switch, value};
use crate::settings::InterfaceV3;
use crate::settings::interface::{AuthV3, NetworkV3};

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
        Negation::Syntax("no ipv6 ospf6 network [<broadcast|point-to-point|point-to-multipoint>$kind]"),
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
    setting!(
        "ipv6 ospf6 advertise prefix-list PREFIXLIST6_NAME$list",
        [IP, OSPF, "Which prefixes of the link are announced", "Those of a prefix list", "Prefix list"],
        Negation::Derived,
        |v3, args| {
            v3.advertise = args.get("list").map(str::to_owned);
            Ok(())
        },
        |v3, _| {
            v3.advertise = None;
            Ok(())
        },
        |v3, lines| {
            if let Some(list) = &v3.advertise {
                lines.line(format!("ipv6 ospf6 advertise prefix-list {list}"));
            }
        },
        ["ipv6 ospf6 advertise prefix-list P6"]
    ),
    value!(
        hello_delay,
        "ipv6 ospf6 graceful-restart hello-delay",
        "(1-1800)$value",
        [IP, OSPF, "Restart without loss", "Time between what announces it and the first Hello", "Seconds"],
        Negation::Derived,
        "ipv6 ospf6 graceful-restart hello-delay 6"
    ),
    value!(
        mtu,
        "ipv6 ospf6 ifmtu",
        "(1-65535)$value",
        [IP, OSPF, "Octets of the largest packet, where the link would take more", "Octets"],
        Negation::Derived,
        "ipv6 ospf6 ifmtu 1400"
    ),
    value!(
        instance,
        "ipv6 ospf6 instance-id",
        "(0-255)$value",
        [IP, OSPF, "Number of the instance on the link", "Number"],
        Negation::Derived,
        "ipv6 ospf6 instance-id 4"
    ),
    setting!(
        "ipv6 ospf6 authentication key-id (1-65535)$id hash-algo \
         <hmac-sha-1|hmac-sha-256|hmac-sha-384|hmac-sha-512>$algorithm key WORD$secret",
        [
            IP,
            OSPF,
            "Packets carry a digest (RFC 7166)",
            "The key",
            "Its number",
            "How the digest is made",
            "HMAC-SHA-1",
            "HMAC-SHA-256",
            "HMAC-SHA-384",
            "HMAC-SHA-512",
            "What both ends know",
            "Key"
        ],
        Negation::Syntax(
            "no ipv6 ospf6 authentication key-id [(1-65535)$id hash-algo \
             <md5|hmac-sha-1|hmac-sha-256|hmac-sha-384|hmac-sha-512>$algorithm key WORD$secret]"
        ),
        |v3, args| {
            v3.auth = Some(AuthV3::Key {
                id: args.parse("id")?,
                algorithm: args.parse("algorithm")?,
                secret: args.get("secret").unwrap_or_default().to_owned(),
            });
            Ok(())
        },
        no_authentication,
        |v3, lines| match &v3.auth {
            None => {}
            Some(AuthV3::Key { id, algorithm, secret }) => lines
                .line(format!("ipv6 ospf6 authentication key-id {id} hash-algo {algorithm} key {secret}")),
            Some(AuthV3::KeyChain(chain)) => {
                lines.line(format!("ipv6 ospf6 authentication keychain {chain}"));
            }
        },
        ["ipv6 ospf6 authentication key-id 4 hash-algo hmac-sha-256 key abc"]
    ),
    setting!(
        "ipv6 ospf6 authentication keychain KEYCHAIN_NAME$chain",
        [IP, OSPF, "Packets carry a digest (RFC 7166)", "With keys of a chain", "Key chain"],
        Negation::Derived,
        |v3, args| {
            v3.auth = args.get("chain").map(|chain| AuthV3::KeyChain(chain.to_owned()));
            Ok(())
        },
        no_authentication,
        |_, _| {},
        ["ipv6 ospf6 authentication keychain KC"]
    ),
    switch!(
        mtu_ignore,
        "ipv6 ospf6 mtu-ignore",
        "ipv6 ospf6 mtu-ignore",
        [IP, OSPF, "Neighbours with a larger MTU are taken"],
        Negation::Derived
    ),
    setting!(
        "ipv6 ospf6 neighbor X:X::X:X$neighbor",
        [IP, OSPF, "A neighbour that is named", "Link-local address"],
        Negation::Derived,
        |v3, args| {
            v3.neighbors.entry(neighbor(args)?).or_default();
            Ok(())
        },
        |v3, args| {
            v3.neighbors.remove(&args.ipv6("neighbor")?);
            Ok(())
        },
        |v3, lines| {
            for (address, named) in &v3.neighbors {
                lines.line(format!("ipv6 ospf6 neighbor {address}"));
                if let Some(cost) = named.cost {
                    lines.line(format!("ipv6 ospf6 neighbor {address} cost {cost}"));
                }
                if let Some(seconds) = named.poll_interval {
                    lines.line(format!("ipv6 ospf6 neighbor {address} poll-interval {seconds}"));
                }
            }
        },
        ["ipv6 ospf6 neighbor fe80::1"]
    ),
    setting!(
        "ipv6 ospf6 neighbor X:X::X:X$neighbor poll-interval (1-65535)$seconds",
        [
            IP,
            OSPF,
            "A neighbour that is named",
            "Link-local address",
            "Time between Hellos while it is silent",
            "Seconds"
        ],
        Negation::Syntax("no ipv6 ospf6 neighbor X:X::X:X$neighbor poll-interval [(1-65535)$seconds]"),
        |v3, args| {
            let seconds = args.parse("seconds")?;
            v3.neighbors.entry(neighbor(args)?).or_default().poll_interval = Some(seconds);
            Ok(())
        },
        |v3, args| {
            if let Some(named) = v3.neighbors.get_mut(&args.ipv6("neighbor")?) {
                named.poll_interval = None;
            }
            Ok(())
        },
        |_, _| {},
        ["ipv6 ospf6 neighbor fe80::1 poll-interval 6"]
    ),
    setting!(
        "ipv6 ospf6 neighbor X:X::X:X$neighbor cost (1-65535)$cost",
        [IP, OSPF, "A neighbour that is named", "Link-local address", "What packets sent to it cost", "Cost"],
        Negation::Syntax("no ipv6 ospf6 neighbor X:X::X:X$neighbor cost [(1-65535)$cost]"),
        |v3, args| {
            let cost = args.parse("cost")?;
            v3.neighbors.entry(neighbor(args)?).or_default().cost = Some(cost);
            Ok(())
        },
        |v3, args| {
            if let Some(named) = v3.neighbors.get_mut(&args.ipv6("neighbor")?) {
                named.cost = None;
            }
            Ok(())
        },
        |_, _| {},
        ["ipv6 ospf6 neighbor fe80::1 cost 6"]
    ),
    switch!(
        named_only,
        "ipv6 ospf6 p2p-p2mp config-neighbors-only",
        "ipv6 ospf6 p2p-p2mp config-neighbors-only",
        [IP, OSPF, "Networks of neighbours each for itself", "No others than those that are named"],
        Negation::Derived
    ),
    setting!(
        "ipv6 ospf6 p2p-p2mp connected-prefixes <include|exclude>$what",
        [
            IP,
            OSPF,
            "Networks of neighbours each for itself",
            "The networks of the link",
            "They are announced, as they are on point-to-point links",
            "They are not, as on point-to-multipoint links"
        ],
        Negation::Syntax("no ipv6 ospf6 p2p-p2mp connected-prefixes [<include|exclude>$what]"),
        |v3, args| {
            v3.connected_prefixes = Some(args.get("what") == Some("include"));
            Ok(())
        },
        |v3, _| {
            v3.connected_prefixes = None;
            Ok(())
        },
        |v3, lines| {
            if let Some(included) = v3.connected_prefixes {
                let what = if included { "include" } else { "exclude" };
                lines.line(format!("ipv6 ospf6 p2p-p2mp connected-prefixes {what}"));
            }
        },
        ["ipv6 ospf6 p2p-p2mp connected-prefixes include", "ipv6 ospf6 p2p-p2mp connected-prefixes exclude"]
    ),
    switch!(
        no_multicast_hello,
        "ipv6 ospf6 p2p-p2mp disable-multicast-hello",
        "ipv6 ospf6 p2p-p2mp disable-multicast-hello",
        [IP, OSPF, "Networks of neighbours each for itself", "Hellos go to named neighbours alone"],
        Negation::Derived
    ),
    value!(
        retransmit,
        "ipv6 ospf6 retransmit-interval",
        "(1-65535)$value",
        [IP, OSPF, "Time until an LSA that was not acknowledged is sent again", "Seconds"],
        Negation::Derived,
        "ipv6 ospf6 retransmit-interval 11"
    ),
    value!(
        transmit_delay,
        "ipv6 ospf6 transmit-delay",
        "(1-3600)$value",
        [IP, OSPF, "Time by which LSAs sent here are older", "Seconds"],
        Negation::Derived,
        "ipv6 ospf6 transmit-delay 12"
    ),
];

fn no_authentication(v3: &mut InterfaceV3, _: &Args) -> Result<(), CliError> {
    v3.auth = None;
    Ok(())
}

/// Neighbours are spoken to on the link.
fn neighbor(args: &Args) -> Result<Ipv6Addr, CliError> {
    let address = args.ipv6("neighbor")?;
    if address.is_unicast_link_local() {
        Ok(address)
    } else {
        Err(CliError::refused("neighbor: A link-local address is needed"))
    }
}
