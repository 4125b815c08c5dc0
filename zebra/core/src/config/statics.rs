//! `ip route` and `ipv6 route`, at the top with `vrf NAME` or in a VRF's node.

use std::net::{IpAddr, Ipv6Addr};

use ferrite_cli::node::{CONFIG, VRF};
use ferrite_cli::{Args, CliError, ConfigCommand, Edit, Lines, Negation, Registry};
use ferrite_types::{Afi, Distance, Ipv4Prefix, Ipv6Prefix, Label, Prefix, RouteProtocol, TableId, Tag};
use smallvec::SmallVec;

use super::{tidy, vrf_of};
use crate::settings::{BlackholeWord, Settings, StaticKey, StaticNexthop, StaticValue, VrfSettings};

const ESTABLISH: &str = "Establish static routes";
const PREFIX: &str = "IP destination prefix (e.g. 10.0.0.0/8)";
const PREFIX_V6: &str = "IPv6 destination prefix (e.g. 3ffe:506::/32)";
const GATEWAY: &str = "IP gateway address";
const INTERFACE: &str = "Gateway interface name. Specify 'Null0' (case-insensitive) for a null route.";

/// As in FRR.
const MAX_LABELS: usize = 16;

/// What may follow a route, with its help texts.
const OPTIONS: &str = "tag (1-4294967295)$tag_value|(1-255)$distance|vrf NAME$vrf_name|table (1-4294967295)$table_id\
    |nexthop-vrf NAME$nexthop_vrf|label WORD$label_value|color (1-4294967295)$color_value|segments WORD$segments_value\
    |bfd [{multi-hop|source WORD$bfd_source|profile WORD$bfd_profile}]";
const OPTIONS_HELP: [&str; 21] = [
    "Set tag for this route",
    "Tag value",
    "Distance value for this route",
    "Specify the VRF",
    "The VRF name",
    "Table to configure",
    "The table number to configure",
    "Specify the VRF",
    "The VRF name",
    "Specify label(s) for this route",
    "One or more labels in the range (16-1048575) separated by '/'",
    "SR-TE color",
    "The SR-TE color to configure",
    "Steer this route over an SRv6 SID list",
    "SRv6 SID list",
    "Enables BFD monitoring of static route(s)",
    "Use BFD multi hop session",
    "Use source for BFD session",
    "Source address",
    "Use BFD profile settings",
    "Profile name",
];

pub fn register<H: 'static>(registry: &mut Registry<Settings, H>) {
    let v4 = "ip route <A.B.C.D/M$prefix|A.B.C.D$network A.B.C.D$mask>";
    let v6 = "ipv6 route X:X::X:X/M$prefix [from X:X::X:X/M$from]";
    let v4_help =
        &["IP information", ESTABLISH, PREFIX, "IP destination prefix", "IP destination prefix mask"][..];
    let v6_help =
        &["IPv6 information", ESTABLISH, PREFIX_V6, "IPv6 source-dest route", "IPv6 source prefix"][..];
    let families = [(v4, v4_help, "A.B.C.D$gateway"), (v6, v6_help, "X:X::X:X$gateway")];
    for (head, head_help, gateway) in families {
        let examples = if head == v4 { V4_EXAMPLES } else { V6_EXAMPLES };
        let forms: [(String, &[&'static str], &[&str]); 4] = [
            (
                format!("{head} <Null0|reject|blackhole>$blackhole [{{{OPTIONS}}}]"),
                BLACKHOLE_HELP,
                examples[0],
            ),
            (format!("{head} {gateway} [{{{OPTIONS}}}]"), &[GATEWAY], examples[1]),
            (format!("{head} INTERFACE$interface [{{{OPTIONS}}}]"), &[INTERFACE], examples[2]),
            (
                format!("{head} {gateway} INTERFACE$interface [{{onlink$onlink|{OPTIONS}}}]"),
                &[GATEWAY, INTERFACE, "Treat the nexthop as directly attached to the interface"],
                examples[3],
            ),
        ];
        for (syntax, own_help, examples) in forms {
            let help: Vec<&'static str> =
                head_help.iter().chain(own_help).chain(&OPTIONS_HELP).copied().collect();
            // `no` names the whole next hop: one left half unsaid would read as another form.
            let mut no_help = vec!["Negate a command or set its defaults"];
            no_help.extend(&help);
            let remove = |settings: &mut Settings, given: &Edit<'_>| {
                edit(settings, &Edit { negated: true, context: given.context, args: given.args })
            };
            let no = ConfigCommand::new(&[&CONFIG, &VRF], format!("no {syntax}"), &no_help, remove);
            registry.command(no.no(Negation::Never));
            let mut command = ConfigCommand::new(&[&CONFIG, &VRF], syntax, &help, edit).no(Negation::Never);
            for example in examples {
                command = command.example(*example);
            }
            registry.command(command);
        }
    }
}

const BLACKHOLE_HELP: &[&str] =
    &["Null interface", "Emit an ICMP unreachable when matched", "Silently discard pkts when matched"];

const V4_EXAMPLES: [&[&str]; 4] = [
    &["ip route 192.0.2.0/24 Null0 250", "ip route 192.0.2.0/24 blackhole", "ip route 192.0.2.0/24 reject"],
    &[
        "ip route 192.0.2.0/24 10.0.0.2",
        "ip route 192.0.2.0/24 10.0.0.2 tag 55 20",
        "ip route 192.0.2.0/24 10.0.0.2 table 100",
        "ip route 192.0.2.0/24 10.0.0.2 label 16/17",
        "ip route 192.0.2.0/24 10.0.0.2 nexthop-vrf RED",
    ],
    &["ip route 192.0.2.0/24 eth0"],
    &["ip route 192.0.2.0/24 10.0.0.2 eth0", "ip route 192.0.2.0/24 10.0.0.2 eth0 onlink"],
];
const V6_EXAMPLES: [&[&str]; 4] = [
    &["ipv6 route 2001:db8:1::/48 blackhole"],
    &[
        "ipv6 route 2001:db8:1::/48 2001:db8::1 200",
        "ipv6 route 2001:db8:1::/48 from 2001:db8:2::/48 2001:db8::1",
        "ipv6 route 2001:db8:1::/48 2001:db8::1 segments 2001:db8:9::1/2001:db8:9::2",
    ],
    &["ipv6 route 2001:db8:1::/48 eth0"],
    &["ipv6 route 2001:db8:1::/48 fe80::1 eth0"],
];

fn edit(settings: &mut Settings, edit: &Edit<'_>) -> Result<(), CliError> {
    let args = edit.args;
    for name in ["color", "bfd"] {
        if args.has(name) {
            return Err(CliError::refused(format!("{name} of static routes is not supported")));
        }
    }
    let (key, mut value) = route(args)?;
    value.labels = labels(args)?;
    value.segments = segments(args)?;
    if !value.segments.is_empty()
        && (key.prefix.afi() != Afi::Ipv6 || key.nexthop == StaticNexthop::Blackhole)
    {
        return Err(CliError::refused("segments are for IPv6 routes that lead to a next hop"));
    }
    let vrf = match args.get("vrf_name") {
        Some(name) => settings.vrfs.entry(name.to_owned()).or_default(),
        None => vrf_of(settings, edit.context)?,
    };
    if edit.negated {
        let given = args.has("distance");
        let same = |present: &StaticKey| {
            (present.prefix, present.from, present.table, &present.nexthop)
                == (key.prefix, key.from, key.table, &key.nexthop)
                && (present.distance == key.distance || !given)
        };
        vrf.statics.retain(|present, _| !same(present));
        tidy(settings);
    } else {
        vrf.statics.insert(key, value);
    }
    Ok(())
}

fn route(args: &Args) -> Result<(StaticKey, StaticValue), CliError> {
    let prefix = prefix(args)?;
    let mut value = StaticValue {
        tag: Tag(args.parse_opt("tag_value")?.unwrap_or(0)),
        onlink: args.has("onlink"),
        kind: BlackholeWord::default(),
        labels: SmallVec::new(),
        segments: Vec::new(),
    };
    // `Null0` in any case is no interface.
    let interface = args.get("interface");
    let word = args.get("blackhole").or(interface.filter(|name| name.eq_ignore_ascii_case("null0")));
    let nexthop = match word {
        Some(word) => {
            value.kind = match word {
                "reject" => BlackholeWord::Reject,
                "blackhole" => BlackholeWord::Blackhole,
                _ => BlackholeWord::Null0,
            };
            StaticNexthop::Blackhole
        }
        None => {
            let gateway: Option<IpAddr> = args.parse_opt("gateway")?;
            let vrf = args.get("nexthop_vrf").map(str::to_owned);
            StaticNexthop::via(gateway, interface.map(str::to_owned), vrf)
                .ok_or_else(|| CliError::refused("a gateway or an interface is missing"))?
        }
    };
    let distance = args.parse_opt("distance")?.map_or(RouteProtocol::Static.default_distance(), Distance);
    let table = args.parse_opt("table_id")?.map(TableId);
    // From anywhere is for all packets.
    let from = args.parse_opt::<Ipv6Prefix>("from")?.filter(|from| from.len() > 0);
    Ok((StaticKey { prefix, from, table, distance, nexthop }, value))
}

/// Labels of a labelled route, outermost first.
fn labels(args: &Args) -> Result<SmallVec<[Label; 2]>, CliError> {
    args.get("label_value").map_or_else(|| Ok(SmallVec::new()), label_stack)
}

/// As in FRR.
const MAX_SEGMENTS: usize = 8;

/// Segments with slashes between them.
fn segments(args: &Args) -> Result<Vec<Ipv6Addr>, CliError> {
    let Some(text) = args.get("segments_value") else { return Ok(Vec::new()) };
    let list: Result<Vec<Ipv6Addr>, _> = text.split('/').map(str::parse).collect();
    list.ok().filter(|list| list.len() <= MAX_SEGMENTS).ok_or_else(|| {
        CliError::refused(format!("{text}: at most {MAX_SEGMENTS} IPv6 addresses, separated by '/'"))
    })
}

/// Labels with slashes between them.
pub fn label_stack(text: &str) -> Result<SmallVec<[Label; 2]>, CliError> {
    let wrong =
        || CliError::refused(format!("{text}: at most 16 labels from 16 to 1048575, separated by '/'"));
    let label = |word: &str| {
        let value: u32 = word.parse().ok()?;
        Label::new(value).filter(|_| value >= crate::labels::FIRST)
    };
    let labels: SmallVec<[Label; 2]> = text.split('/').map(label).collect::<Option<_>>().ok_or_else(wrong)?;
    if labels.len() > MAX_LABELS { Err(wrong()) } else { Ok(labels) }
}

fn prefix(args: &Args) -> Result<Prefix, CliError> {
    if args.has("prefix") {
        return args.parse("prefix");
    }
    let mask = args.ipv4("mask")?.to_bits();
    let len = mask.leading_ones();
    if mask.checked_shl(len).unwrap_or(0) != 0 {
        return Err(CliError::refused("Inconsistent address and mask"));
    }
    Ipv4Prefix::new(args.ipv4("network")?, len as u8)
        .map(Prefix::V4)
        .ok_or_else(|| CliError::refused("Inconsistent address and mask"))
}

pub fn render(vrf: &VrfSettings, lines: &mut Lines) {
    for (key, value) in &vrf.statics {
        lines.line(line(key, value));
    }
}

fn line(key: &StaticKey, value: &StaticValue) -> String {
    let family = if matches!(key.prefix, Prefix::V4(_)) { "ip" } else { "ipv6" };
    let mut text = format!("{family} route {}", key.prefix);
    if let Some(from) = key.from {
        text.push_str(&format!(" from {from}"));
    }
    match &key.nexthop {
        StaticNexthop::Blackhole => text.push_str(&format!(" {}", value.kind.word())),
        StaticNexthop::Via { gateway, interface, .. } => {
            if let Some(gateway) = gateway {
                text.push_str(&format!(" {gateway}"));
            }
            if let Some(interface) = interface {
                text.push_str(&format!(" {interface}"));
            }
        }
    }
    if value.onlink {
        text.push_str(" onlink");
    }
    if value.tag.0 != 0 {
        text.push_str(&format!(" tag {}", value.tag));
    }
    if key.distance != RouteProtocol::Static.default_distance() {
        text.push_str(&format!(" {}", key.distance));
    }
    if let StaticNexthop::Via { vrf: Some(vrf), .. } = &key.nexthop {
        text.push_str(&format!(" nexthop-vrf {vrf}"));
    }
    if !value.labels.is_empty() {
        let labels: Vec<String> = value.labels.iter().map(|label| label.value().to_string()).collect();
        text.push_str(&format!(" label {}", labels.join("/")));
    }
    if let Some(table) = key.table {
        text.push_str(&format!(" table {table}"));
    }
    if !value.segments.is_empty() {
        let segments: Vec<String> = value.segments.iter().map(Ipv6Addr::to_string).collect();
        text.push_str(&format!(" segments {}", segments.join("/")));
    }
    text
}
