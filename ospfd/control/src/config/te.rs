//! `mpls-te …`, `router-info …`, `pce …` and `mpls ldp-sync …` of `router ospf`, `ip ospf mpls ldp-sync …` of interfaces.

use ferrite_cli::{Args, CliError, Lines, Negation, Setting};
use ferrite_ospf_packet::AreaId;

use super::{setting, switch};
use crate::settings::te::{InfoScope, InterAs, LdpSync, Pce, RouterInfo, Te};
use crate::settings::{AreaName, InterfaceV2, RouterSettings};

const TE: &str = "Traffic engineering (RFC 3630)";
const INFO: &str = "Router information (RFC 7770)";
const PCE: &str = "A path computation element (RFC 5088)";
const MPLS: &str = "MPLS";
const SYNC: &str = "Links without an LDP session are avoided (RFC 5443)";
const HOLD: &str = "For how long at most";
const BITS: &str = "Bits, hexadecimal";

pub static ROUTER: &[Setting<RouterSettings>] = &[
    setting!(
        "mpls-te on",
        [TE, "Links with parameters are announced"],
        Negation::Syntax("no mpls-te [on]"),
        |router, _| {
            router.te.on = true;
            Ok(())
        },
        |router, _| {
            router.te = Te::default();
            Ok(())
        },
        |router, lines| {
            if router.te.on {
                lines.line("mpls-te on");
            }
        },
        ["mpls-te on"]
    ),
    setting!(
        "mpls-te router-address A.B.C.D$address",
        [TE, "An address that is always there", "Address"],
        Negation::Never,
        |router, args| {
            router.te.router_address = Some(args.parse("address")?);
            Ok(())
        },
        |_, _| Ok(()),
        |router, lines| {
            if let Some(address) = router.te.router_address {
                lines.line(format!("mpls-te router-address {address}"));
            }
        },
        ["mpls-te router-address 192.0.2.1"]
    ),
    setting!(
        "mpls-te inter-as <as|area <A.B.C.D|(0-4294967295)>$area>",
        [
            TE,
            "Links to other autonomous systems are announced (RFC 5392)",
            "Everywhere",
            "In one area",
            "Area",
            "Area"
        ],
        Negation::Syntax("no mpls-te inter-as"),
        |router, args| {
            let area = args.parse_opt::<AreaName>("area")?;
            router.te.inter_as = Some(area.map_or(InterAs::As, |area| InterAs::Area(area.id)));
            Ok(())
        },
        |router, _| {
            router.te.inter_as = None;
            Ok(())
        },
        |router, lines| match router.te.inter_as {
            None => {}
            Some(InterAs::As) => lines.line("mpls-te inter-as as"),
            Some(InterAs::Area(AreaId(area))) => lines.line(format!("mpls-te inter-as area {area}")),
        },
        ["mpls-te inter-as as", "mpls-te inter-as area 0.0.0.1"]
    ),
    switch!(
        te.export,
        "mpls-te export",
        "mpls-te export",
        [TE, "The database is told to those who ask for it"],
        Negation::Derived
    ),
    setting!(
        "router-info <as|area [A.B.C.D]>$scope",
        [INFO, "Told everywhere", "Told in each area", "An area of old"],
        Negation::Syntax("no router-info [<as|area>]"),
        |router, args| {
            let everywhere = args.get("scope") == Some("as");
            router.info.scope = Some(if everywhere { InfoScope::As } else { InfoScope::Area });
            Ok(())
        },
        |router, _| {
            router.info = RouterInfo::default();
            Ok(())
        },
        |router, lines| match router.info.scope {
            None => {}
            Some(InfoScope::As) => lines.line("router-info as"),
            Some(InfoScope::Area) => lines.line("router-info area"),
        },
        ["router-info as", "router-info area"]
    ),
    setting!(
        "pce address A.B.C.D$address",
        [PCE, "Its address", "Address"],
        Negation::Derived,
        |router, args| {
            router.info.pce.address = Some(args.parse("address")?);
            Ok(())
        },
        |router, _| {
            router.info.pce.address = None;
            Ok(())
        },
        |router, lines| router
            .info
            .pce
            .address
            .iter()
            .for_each(|address| lines.line(format!("pce address {address}"))),
        ["pce address 192.0.2.9"]
    ),
    setting!(
        "pce domain as (0-65535)$number",
        [PCE, "Whose paths it computes", "An autonomous system", "Number"],
        Negation::Derived,
        |router, args| insert(&mut router.info.pce, args, true),
        |router, args| {
            router.info.pce.domains.remove(&args.parse("number")?);
            Ok(())
        },
        |router, lines| numbers(lines, "domain", &router.info.pce.domains),
        ["pce domain as 65000"]
    ),
    setting!(
        "pce neighbor as (0-65535)$number",
        [PCE, "What it reaches into", "An autonomous system", "Number"],
        Negation::Derived,
        |router, args| insert(&mut router.info.pce, args, false),
        |router, args| {
            router.info.pce.neighbors.remove(&args.parse("number")?);
            Ok(())
        },
        |router, lines| numbers(lines, "neighbor", &router.info.pce.neighbors),
        ["pce neighbor as 65001"]
    ),
    setting!(
        "pce flag BITPATTERN$bits",
        [PCE, "What it is able to do", BITS],
        Negation::Derived,
        |router, args| {
            router.info.pce.flags = Some(bits(args)?);
            Ok(())
        },
        |router, _| {
            router.info.pce.flags = None;
            Ok(())
        },
        |router, lines| router
            .info
            .pce
            .flags
            .iter()
            .for_each(|bits| lines.line(format!("pce flag {bits:#x}"))),
        ["pce flag 0x80"]
    ),
    setting!(
        "pce scope BITPATTERN$bits",
        [PCE, "How far it computes", BITS],
        Negation::Derived,
        |router, args| {
            router.info.pce.scope = Some(bits(args)?);
            Ok(())
        },
        |router, _| {
            router.info.pce.scope = None;
            Ok(())
        },
        |router, lines| router
            .info
            .pce
            .scope
            .iter()
            .for_each(|bits| lines.line(format!("pce scope {bits:#x}"))),
        ["pce scope 0x7"]
    ),
    setting!(
        "mpls ldp-sync",
        [MPLS, SYNC],
        Negation::Derived,
        |router, _| {
            router.ldp_sync.on = true;
            Ok(())
        },
        |router, _| {
            router.ldp_sync = LdpSync::default();
            Ok(())
        },
        |router, lines| {
            if router.ldp_sync.on {
                lines.line("mpls ldp-sync");
            }
        },
        ["mpls ldp-sync"]
    ),
    setting!(
        "mpls ldp-sync holddown (1-10000)$seconds",
        [MPLS, SYNC, HOLD, "Seconds"],
        Negation::Derived,
        |router, args| {
            router.ldp_sync.hold_down = Some(args.parse("seconds")?);
            Ok(())
        },
        |router, _| {
            router.ldp_sync.hold_down = None;
            Ok(())
        },
        |router, lines| {
            router
                .ldp_sync
                .hold_down
                .iter()
                .for_each(|seconds| lines.line(format!("mpls ldp-sync holddown {seconds}")));
        },
        ["mpls ldp-sync holddown 30"]
    ),
];

fn insert(pce: &mut Pce, args: &Args, domain: bool) -> Result<(), CliError> {
    let set = if domain { &mut pce.domains } else { &mut pce.neighbors };
    set.insert(args.parse("number")?);
    Ok(())
}

fn numbers(lines: &mut Lines, word: &str, numbers: &std::collections::BTreeSet<u32>) {
    numbers.iter().for_each(|number| lines.line(format!("pce {word} as {number}")));
}

/// Hexadecimal, with or without `0x`.
fn bits(args: &Args) -> Result<u32, CliError> {
    let text = args.get("bits").unwrap_or_default();
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    u32::from_str_radix(digits, 16)
        .map_err(|_| CliError::refused(format!("{text}: not a pattern of 32 bits")))
}

pub static LINK: &[Setting<InterfaceV2>] = &[
    setting!(
        "ip ospf mpls ldp-sync",
        ["IP of the interface", "OSPF on the interface", MPLS, SYNC],
        Negation::Derived,
        |v2, _| {
            v2.ldp_sync.on = Some(true);
            Ok(())
        },
        |v2, _| {
            v2.ldp_sync.on = Some(false);
            Ok(())
        },
        |v2, lines| match v2.ldp_sync.on {
            None => {}
            Some(true) => lines.line("ip ospf mpls ldp-sync"),
            Some(false) => lines.line("no ip ospf mpls ldp-sync"),
        },
        ["ip ospf mpls ldp-sync", "no ip ospf mpls ldp-sync"]
    ),
    setting!(
        "ip ospf mpls ldp-sync holddown (0-10000)$seconds",
        ["IP of the interface", "OSPF on the interface", MPLS, SYNC, HOLD, "Seconds"],
        Negation::Derived,
        |v2, args| {
            v2.ldp_sync.hold_down = Some(args.parse("seconds")?);
            Ok(())
        },
        |v2, _| {
            v2.ldp_sync.hold_down = None;
            Ok(())
        },
        |v2, lines| {
            let held = v2.ldp_sync.hold_down;
            held.iter().for_each(|seconds| lines.line(format!("ip ospf mpls ldp-sync holddown {seconds}")));
        },
        ["ip ospf mpls ldp-sync holddown 30"]
    ),
];
