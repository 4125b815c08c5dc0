//! `ip ospf …`

use ferrite_cli::{Args, CliError, Negation, Setting};

use super::{setting, switch, unless_no, value};
use crate::settings::interface::{AuthKind, Dead, NetworkV2};
use crate::settings::{InterfaceV2, LinkSettings};

const IP: &str = "IP of the interface";
const OSPF: &str = "OSPF on the interface";
const ADDRESS: &str = "Of this address alone";

/// Of the interface as a whole.
pub static ALL: &[Setting<InterfaceV2>] = &[
    setting!(
        "ip ospf [(1-65535)]$instance area <A.B.C.D|(0-4294967295)>$area [A.B.C.D$address]",
        [IP, OSPF, "Number of the instance", "Runs OSPF in an area", "Area", "Area", ADDRESS],
        Negation::Syntax(
            "no ip ospf [(1-65535)]$instance area [<A.B.C.D|(0-4294967295)>$area [A.B.C.D$address]]"
        ),
        |v2, args| {
            let place = (args.parse_opt("instance")?.unwrap_or(0), args.parse_opt("address")?);
            v2.areas.insert(place, args.parse("area")?);
            Ok(())
        },
        |v2, args| {
            v2.areas.remove(&(args.parse_opt("instance")?.unwrap_or(0), args.parse_opt("address")?));
            Ok(())
        },
        |v2, lines| {
            for ((instance, address), area) in &v2.areas {
                let instance = if *instance == 0 { String::new() } else { format!(" {instance}") };
                let address = address.map(|address| format!(" {address}")).unwrap_or_default();
                lines.line(format!("ip ospf{instance} area {area}{address}"));
            }
        },
        ["ip ospf area 0", "ip ospf 3 area 0.0.0.2", "ip ospf area 1 10.0.0.1"]
    ),
    setting!(
        "ip ospf network <broadcast|non-broadcast|point-to-multipoint [delay-reflood|non-broadcast$nbma]|point-to-point [dmvpn]>$kind",
        [
            IP,
            OSPF,
            "How routers on the network find each other",
            "All hear what one sends",
            "Neighbours are named",
            "Each neighbour for itself",
            "Floods are not sent again on the network",
            "Neighbours are named",
            "One neighbour",
            "A hub with many tunnels on one interface"
        ],
        Negation::Syntax("no ip ospf network [<broadcast|non-broadcast|point-to-multipoint|point-to-point>]"),
        |v2, args| {
            v2.network = Some(if args.has("point-to-multipoint") {
                NetworkV2::PointToMultipoint {
                    delay_reflood: args.has("delay-reflood"),
                    non_broadcast: args.has("nbma"),
                }
            } else if args.has("point-to-point") {
                NetworkV2::PointToPoint { dmvpn: args.has("dmvpn") }
            } else if args.has("non-broadcast") {
                NetworkV2::NonBroadcast
            } else {
                NetworkV2::Broadcast
            });
            Ok(())
        },
        |v2, _| {
            v2.network = None;
            Ok(())
        },
        |v2, lines| {
            let kind = match v2.network {
                None => return,
                Some(NetworkV2::Broadcast) => "broadcast",
                Some(NetworkV2::NonBroadcast) => "non-broadcast",
                Some(NetworkV2::PointToPoint { dmvpn: false }) => "point-to-point",
                Some(NetworkV2::PointToPoint { dmvpn: true }) => "point-to-point dmvpn",
                Some(NetworkV2::PointToMultipoint { delay_reflood: true, .. }) => {
                    "point-to-multipoint delay-reflood"
                }
                Some(NetworkV2::PointToMultipoint { non_broadcast: true, .. }) => {
                    "point-to-multipoint non-broadcast"
                }
                Some(NetworkV2::PointToMultipoint { .. }) => "point-to-multipoint",
            };
            lines.line(format!("ip ospf network {kind}"));
        },
        [
            "ip ospf network broadcast",
            "ip ospf network non-broadcast",
            "ip ospf network point-to-point",
            "ip ospf network point-to-point dmvpn",
            "ip ospf network point-to-multipoint",
            "ip ospf network point-to-multipoint delay-reflood",
            "ip ospf network point-to-multipoint non-broadcast"
        ]
    ),
    value!(
        hello_delay,
        "ip ospf graceful-restart hello-delay",
        "(1-1800)$value",
        [IP, OSPF, "Restart without loss", "Time between what announces it and the first Hello", "Seconds"],
        Negation::Derived,
        "ip ospf graceful-restart hello-delay 5"
    ),
];

fn no_authentication(link: &mut LinkSettings, _: &Args) -> Result<(), CliError> {
    link.auth.kind = None;
    Ok(())
}

/// Of the interface, or of one of its addresses.
pub static LINK: &[Setting<LinkSettings>] = &[
    setting!(
        "ip ospf authentication [A.B.C.D$address]",
        [IP, OSPF, "Packets carry a password", ADDRESS],
        Negation::Derived,
        |link, _| {
            link.auth.kind = Some(AuthKind::Simple);
            Ok(())
        },
        no_authentication,
        |link, lines| match &link.auth.kind {
            None => {}
            Some(AuthKind::Simple) => lines.line("ip ospf authentication"),
            Some(AuthKind::Null) => lines.line("ip ospf authentication null"),
            Some(AuthKind::Digest) => lines.line("ip ospf authentication message-digest"),
            Some(AuthKind::KeyChain(name)) => {
                lines.line(format!("ip ospf authentication key-chain {name}"));
            }
        },
        ["ip ospf authentication"]
    ),
    setting!(
        "ip ospf authentication <null|message-digest|key-chain KEYCHAIN_NAME$chain>$kind [A.B.C.D$address]",
        [
            IP,
            OSPF,
            "Packets carry a password",
            "They carry nothing",
            "A digest",
            "A digest with keys of a chain",
            "Key chain",
            ADDRESS
        ],
        Negation::Syntax(
            "no ip ospf authentication <null|message-digest|key-chain [KEYCHAIN_NAME$chain]>$kind [A.B.C.D$address]"
        ),
        |link, args| {
            link.auth.kind = Some(match args.get("chain") {
                Some(name) => AuthKind::KeyChain(name.to_owned()),
                None if args.has("null") => AuthKind::Null,
                None => AuthKind::Digest,
            });
            Ok(())
        },
        no_authentication,
        |_, _| {},
        [
            "ip ospf authentication null",
            "ip ospf authentication message-digest",
            "ip ospf authentication key-chain KC"
        ]
    ),
    switch!(
        extended_sequence,
        "ip ospf authentication extended-sequence",
        "ip ospf authentication extended-sequence [A.B.C.D$address]",
        [
            IP,
            OSPF,
            "Packets carry a password",
            "Digests come with sequence numbers that never go back (RFC 7474)",
            ADDRESS
        ],
        Negation::Derived
    ),
    setting!(
        "ip ospf authentication-key AUTH_KEY$value [A.B.C.D$address]",
        [IP, OSPF, "The password", "Eight characters of it count", ADDRESS],
        Negation::Syntax("no ip ospf authentication-key [AUTH_KEY$value [A.B.C.D$address]]"),
        |link, args| {
            link.auth.password = args.get("value").map(str::to_owned);
            Ok(())
        },
        |link, _| {
            link.auth.password = None;
            Ok(())
        },
        |link, lines| {
            if let Some(password) = &link.auth.password {
                lines.line(format!("ip ospf authentication-key {password}"));
            }
        },
        ["ip ospf authentication-key pass"]
    ),
    setting!(
        "ip ospf message-digest-key (1-255)$id md5 KEY$value [A.B.C.D$address]",
        [IP, OSPF, "Key of the digest; the last one given signs", "Number", "MD5", "Key", ADDRESS],
        Negation::Syntax("no ip ospf message-digest-key (1-255)$id [md5 KEY$value] [A.B.C.D$address]"),
        |link, args| {
            let (id, key) = (args.parse("id")?, args.get("value").unwrap_or_default());
            match link.auth.keys.iter().find(|(known, _)| *known == id) {
                Some((_, there)) if there == key => Ok(()),
                Some(_) => Err(CliError::refused(format!("OSPF: Key {id} already exists"))),
                None => {
                    link.auth.keys.push((id, key.to_owned()));
                    Ok(())
                }
            }
        },
        |link, args| {
            let id: u8 = args.parse("id")?;
            link.auth.keys.retain(|(known, _)| *known != id);
            Ok(())
        },
        |link, lines| {
            for (id, key) in &link.auth.keys {
                lines.line(format!("ip ospf message-digest-key {id} md5 {key}"));
            }
        },
        ["ip ospf message-digest-key 2 md5 abc"]
    ),
    unless_no!(
        no_opaque,
        "ip ospf capability opaque",
        "ip ospf capability opaque [A.B.C.D$address]",
        [IP, OSPF, "What is spoken here", "Opaque LSAs (RFC 5250)", ADDRESS]
    ),
    switch!(
        mtu_ignore,
        "ip ospf mtu-ignore",
        "ip ospf mtu-ignore [A.B.C.D$address]",
        [IP, OSPF, "Neighbours with a larger MTU are taken", ADDRESS],
        Negation::Derived
    ),
    setting!(
        "ip ospf neighbor-filter PREFIXLIST4_NAME$list [A.B.C.D$address]",
        [IP, OSPF, "From whom packets are taken", "Prefix list", ADDRESS],
        Negation::Syntax("no ip ospf neighbor-filter [PREFIXLIST4_NAME$list] [A.B.C.D$address]"),
        |link, args| {
            link.neighbor_filter = args.get("list").map(str::to_owned);
            Ok(())
        },
        |link, _| {
            link.neighbor_filter = None;
            Ok(())
        },
        |link, lines| {
            if let Some(list) = &link.neighbor_filter {
                lines.line(format!("ip ospf neighbor-filter {list}"));
            }
        },
        ["ip ospf neighbor-filter PL"]
    ),
    switch!(
        prefix_suppression,
        "ip ospf prefix-suppression",
        "ip ospf prefix-suppression [A.B.C.D$address]",
        [IP, OSPF, "The network is not announced (RFC 6860)", ADDRESS],
        Negation::Derived
    ),
    value!(
        retransmit,
        "ip ospf retransmit-interval",
        "(1-65535)$value [A.B.C.D$address]",
        [IP, OSPF, "Time until an LSA that was not acknowledged is sent again", "Seconds", ADDRESS],
        Negation::Syntax("no ip ospf retransmit-interval [(1-65535)$value] [A.B.C.D$address]"),
        "ip ospf retransmit-interval 8"
    ),
    value!(
        retransmit_window,
        "ip ospf retransmit-window",
        "(20-1000)$value [A.B.C.D$address]",
        [IP, OSPF, "LSAs due in this time are sent again together", "Milliseconds", ADDRESS],
        Negation::Syntax("no ip ospf retransmit-window [(20-1000)$value] [A.B.C.D$address]"),
        "ip ospf retransmit-window 40"
    ),
    value!(
        transmit_delay,
        "ip ospf transmit-delay",
        "(1-65535)$value [A.B.C.D$address]",
        [IP, OSPF, "Time by which LSAs sent here are older", "Seconds", ADDRESS],
        Negation::Syntax("no ip ospf transmit-delay [(1-65535)$value] [A.B.C.D$address]"),
        "ip ospf transmit-delay 3"
    ),
    value!(
        cost,
        "ip ospf cost",
        "(1-65535)$value [A.B.C.D$address]",
        [IP, OSPF, "What packets sent here cost", "Cost", ADDRESS],
        Negation::Syntax("no ip ospf cost [(1-65535)$value] [A.B.C.D$address]"),
        "ip ospf cost 5"
    ),
    setting!(
        "ip ospf dead-interval <(1-65535)$value|minimal hello-multiplier (2-20)$times> [A.B.C.D$address]",
        [
            IP,
            OSPF,
            "Time after which a neighbour that is not heard is gone",
            "Seconds",
            "One second",
            "Hellos in that second",
            "Hellos",
            ADDRESS
        ],
        Negation::Syntax(
            "no ip ospf dead-interval [<(1-65535)$value|minimal hello-multiplier [(2-20)$times]>] [A.B.C.D$address]"
        ),
        |link, args| {
            link.dead_interval = Some(match args.parse_opt("value")? {
                Some(seconds) => Dead::Seconds(seconds),
                None => Dead::Minimal(args.parse("times")?),
            });
            Ok(())
        },
        |link, _| {
            link.dead_interval = None;
            Ok(())
        },
        |link, lines| match link.dead_interval {
            None => {}
            Some(Dead::Seconds(seconds)) => lines.line(format!("ip ospf dead-interval {seconds}")),
            Some(Dead::Minimal(times)) => {
                lines.line(format!("ip ospf dead-interval minimal hello-multiplier {times}"));
            }
        },
        ["ip ospf dead-interval 60", "ip ospf dead-interval minimal hello-multiplier 4"]
    ),
    value!(
        hello_interval,
        "ip ospf hello-interval",
        "(1-65535)$value [A.B.C.D$address]",
        [IP, OSPF, "Time between two Hellos", "Seconds", ADDRESS],
        Negation::Syntax("no ip ospf hello-interval [(1-65535)$value] [A.B.C.D$address]"),
        "ip ospf hello-interval 5"
    ),
    setting!(
        "ip ospf passive [A.B.C.D$address]",
        [IP, OSPF, "The network is announced, and nothing is sent or heard there", ADDRESS],
        Negation::Derived,
        |link, _| {
            link.passive = Some(true);
            Ok(())
        },
        |link, _| {
            link.passive = Some(false);
            Ok(())
        },
        |link, lines| match link.passive {
            Some(true) => lines.line("ip ospf passive"),
            Some(false) => lines.line("no ip ospf passive"),
            None => {}
        },
        ["ip ospf passive", "no ip ospf passive"]
    ),
    value!(
        priority,
        "ip ospf priority",
        "(0-255)$value [A.B.C.D$address]",
        [IP, OSPF, "Who becomes the designated router", "The highest does, 0 never", ADDRESS],
        Negation::Syntax("no ip ospf priority [(0-255)$value] [A.B.C.D$address]"),
        "ip ospf priority 7"
    ),
];
