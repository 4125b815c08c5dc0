//! `bmp targets NAME` under `router bgp` (RFC 7854): who monitors, what is told, and by which connections.
//!
//! FRR 10.3's syntax; ours alone is `bmp monitor … adj-rib-out` (RFC 8671).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use bgp_packet::Family;
use bgp_packet::bmp::Rib;
use ferrite_cli::{Args, CliError, ConfigCommand, Edit, Lines, Negation, Node, Registry};
use ferrite_types::{Afi, Safi};

use super::{BgpConfig, InstanceName, NO_HELP, ROUTER_BGP};

pub static BMP: Node =
    Node { name: "bmp", prompt: "config-bgp-bmp", parent: Some(&ROUTER_BGP), exit: "exit", order: 0 };

/// Milliseconds between two attempts, at the least and at the most.
pub const MIN_RETRY: u32 = 30_000;
pub const MAX_RETRY: u32 = 720_000;
/// Milliseconds between two reports.
pub const STATISTICS: u32 = 60_000;

/// A connection that we make.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Connect {
    /// An address or a name.
    pub host: Arc<str>,
    pub port: u16,
}

/// How it is made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConnectHow {
    /// Milliseconds.
    pub min_retry: u32,
    pub max_retry: u32,
    pub source: Option<Arc<str>>,
}

impl Default for ConnectHow {
    fn default() -> Self {
        Self { min_retry: MIN_RETRY, max_retry: MAX_RETRY, source: None }
    }
}

/// One set of collectors.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BmpTargets {
    pub monitors: BTreeSet<(Family, MonitoredRib)>,
    /// Milliseconds; `None`: no reports.
    pub statistics: Option<u32>,
    pub listeners: BTreeSet<(IpAddr, u16)>,
    pub connects: BTreeMap<Connect, ConnectHow>,
    /// Everything that neighbours send, as it came.
    pub mirror: bool,
    /// Views and VRFs whose tables are told too.
    pub imports: BTreeSet<Arc<str>>,
}

/// A table as the configuration names it, in FRR's order of rendering.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum MonitoredRib {
    PrePolicy,
    PostPolicy,
    LocRib,
    AdjRibOut,
}

impl MonitoredRib {
    pub const fn rib(self) -> Rib {
        match self {
            Self::PrePolicy => Rib::InPre,
            Self::PostPolicy => Rib::InPost,
            Self::LocRib => Rib::Loc,
            Self::AdjRibOut => Rib::OutPost,
        }
    }

    fn read(word: &str) -> Self {
        match word {
            "pre-policy" => Self::PrePolicy,
            "post-policy" => Self::PostPolicy,
            "loc-rib" => Self::LocRib,
            _ => Self::AdjRibOut,
        }
    }
}

impl fmt::Display for MonitoredRib {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PrePolicy => "pre-policy",
            Self::PostPolicy => "post-policy",
            Self::LocRib => "loc-rib",
            Self::AdjRibOut => "adj-rib-out",
        })
    }
}

impl BgpConfig {
    /// Whether some targets, its own or of an instance that imports it, have an instance keep what came before policy.
    pub fn bmp_keeps_received(&self, of: &InstanceName) -> bool {
        let imported = |targets: &BmpTargets| {
            *of != InstanceName::Default && targets.imports.iter().any(|name| **name == *of.label())
        };
        self.instances.iter().any(|(name, router)| {
            let mut concerned = router.bmp.values().filter(|targets| name == of || imported(targets));
            concerned.any(BmpTargets::keeps_received)
        })
    }
}

impl BmpTargets {
    /// What decides about what a collector is told.
    pub fn told(&self) -> impl PartialEq + use<> {
        (self.monitors.clone(), self.statistics, self.mirror, self.imports.clone())
    }

    /// What came must be kept where somebody wants to see it before policy.
    pub fn keeps_received(&self) -> bool {
        self.monitors.iter().any(|(_, rib)| *rib == MonitoredRib::PrePolicy)
    }

    pub fn monitors(&self, family: Family, rib: Rib) -> bool {
        self.monitors.iter().any(|(known, monitored)| *known == family && monitored.rib() == rib)
    }
}

/// Name of the targets that a line under the node edits.
fn targets<'a>(config: &'a mut BgpConfig, edit: &Edit<'_>) -> Result<&'a mut BmpTargets, CliError> {
    let name = edit.context.args(&BMP).and_then(|args| args.get("name")).unwrap_or_default().to_owned();
    let router = config.router(edit.context)?;
    router.bmp.get_mut(name.as_str()).ok_or(CliError::Unknown)
}

type Change = fn(&mut BmpTargets, &Args, bool) -> Result<(), CliError>;

struct Row {
    syntax: &'static str,
    help: &'static [&'static str],
    change: Change,
    example: &'static str,
}

const ROWS: &[Row] = &[
    Row {
        syntax: "bmp stats [interval (100-86400000)$interval]",
        help: &[
            "BGP Monitoring Protocol",
            "Send BMP statistics messages",
            "Interval",
            "Interval in milliseconds",
        ],
        change: |targets, args, negated| {
            let interval = args.parse_opt("interval")?.unwrap_or(STATISTICS);
            targets.statistics = (!negated).then_some(interval);
            Ok(())
        },
        example: "bmp stats interval 5000",
    },
    Row {
        syntax: "bmp monitor <ipv4|ipv6>$afi <unicast|multicast>$safi <pre-policy|post-policy|loc-rib|adj-rib-out>$rib",
        help: &[
            "BGP Monitoring Protocol",
            "Send BMP route monitoring messages",
            "Address family",
            "Address family",
            "Unicast routes",
            "Multicast routes",
            "Routes as received",
            "Routes as accepted",
            "The best routes",
            "Routes as sent to neighbors",
        ],
        change: |targets, args, negated| {
            let family = Family {
                afi: if args.get("afi") == Some("ipv6") { Afi::Ipv6 } else { Afi::Ipv4 },
                safi: if args.get("safi") == Some("multicast") { Safi::Multicast } else { Safi::Unicast },
            };
            let monitor = (family, MonitoredRib::read(args.get("rib").unwrap_or_default()));
            if negated {
                targets.monitors.remove(&monitor)
            } else {
                targets.monitors.insert(monitor)
            };
            Ok(())
        },
        example: "bmp monitor ipv4 unicast post-policy",
    },
    Row {
        syntax: "bmp mirror",
        help: &["BGP Monitoring Protocol", "Send BMP route mirroring messages"],
        change: |targets, _, negated| {
            targets.mirror = !negated;
            Ok(())
        },
        example: "bmp mirror",
    },
    Row {
        syntax: "bmp import-vrf-view VRFNAME$name",
        help: &[
            "BGP Monitoring Protocol",
            "Import BMP information from another view or VRF",
            "Name of the view or VRF",
        ],
        change: |targets, args, negated| {
            let name: Arc<str> = Arc::from(args.get("name").unwrap_or_default());
            if negated {
                targets.imports.remove(&name)
            } else {
                targets.imports.insert(name)
            };
            Ok(())
        },
        example: "bmp import-vrf-view red",
    },
    Row {
        syntax: "bmp listener <X:X::X:X|A.B.C.D>$addr port (1-65535)$port",
        help: &[
            "BGP Monitoring Protocol",
            "Listen for inbound BMP connections",
            "IPv6 address to listen on",
            "IPv4 address to listen on",
            "Port",
            "TCP port number",
        ],
        change: |targets, args, negated| {
            let listener = (args.parse("addr")?, args.parse("port")?);
            if negated {
                targets.listeners.remove(&listener)
            } else {
                targets.listeners.insert(listener)
            };
            Ok(())
        },
        example: "bmp listener 192.0.2.1 port 1790",
    },
    Row {
        syntax: "bmp connect HOSTNAME$host port (1-65535)$port {min-retry (100-86400000)$min|max-retry (100-86400000)$max} [source-interface WORD$source]",
        help: &[
            "BGP Monitoring Protocol",
            "Actively establish connection to monitoring station",
            "Monitoring station hostname or address",
            "Port",
            "TCP port number",
            "Minimum connection retry interval",
            "Milliseconds",
            "Maximum connection retry interval",
            "Milliseconds",
            "Source interface to use",
            "Name of the interface",
        ],
        change: connect,
        example: "bmp connect 192.0.2.9 port 1790 min-retry 100 max-retry 2000",
    },
];

fn connect(targets: &mut BmpTargets, args: &Args, negated: bool) -> Result<(), CliError> {
    let key = Connect { host: Arc::from(args.get("host").unwrap_or_default()), port: args.parse("port")? };
    if negated {
        targets.connects.remove(&key);
        return Ok(());
    }
    let how = ConnectHow {
        min_retry: args.parse_opt("min")?.unwrap_or(MIN_RETRY),
        max_retry: args.parse_opt("max")?.unwrap_or(MAX_RETRY),
        source: args.get("source").map(Arc::from),
    };
    if how.min_retry > how.max_retry {
        return Err(CliError::refused("min-retry is more than max-retry"));
    }
    targets.connects.insert(key, how);
    Ok(())
}

pub(super) fn register<H>(registry: &mut Registry<BgpConfig, H>) {
    let help = ["BGP Monitoring Protocol", "Create BMP target group", "Name of the BMP target group"];
    let enter = ConfigCommand::new(
        &[&ROUTER_BGP],
        "bmp targets BMPTARGETS$name",
        &help,
        |config: &mut BgpConfig, edit| {
            let name: Arc<str> = Arc::from(edit.args.get("name").unwrap_or_default());
            let router = config.router(edit.context)?;
            if edit.negated {
                router.bmp.remove(&name).map(drop).ok_or_else(|| CliError::refused("% No such target group"))
            } else {
                router.bmp.entry(name).or_default();
                Ok(())
            }
        },
    );
    registry.command(enter.enters(&BMP).way("bmp targets T").example("bmp targets T"));
    registry.command(
        ConfigCommand::new(
            &[&ROUTER_BGP],
            "bmp mirror buffer-limit (0-4294967294)$limit",
            &[
                "BGP Monitoring Protocol",
                "Route Mirroring settings",
                "Configure maximum memory used for buffered mirroring messages",
                "Limit in bytes",
            ],
            |config: &mut BgpConfig, edit| {
                let limit = if edit.negated { None } else { Some(edit.args.parse("limit")?) };
                config.router(edit.context)?.bmp_mirror_limit = limit;
                Ok(())
            },
        )
        .no(Negation::Syntax("no bmp mirror buffer-limit [(0-4294967294)]"))
        .example("bmp mirror buffer-limit 1000000"),
    );
    for row in ROWS {
        let change = row.change;
        let command =
            ConfigCommand::new(&[&BMP], row.syntax, row.help, move |config: &mut BgpConfig, edit| {
                let negated = edit.negated;
                change(targets(config, edit)?, edit.args, negated)
            });
        registry.command(command.example(row.example));
    }
    for words in ["bmp stats send-experimental", "ip access-list", "ipv6 access-list"] {
        refuse(registry, words);
    }
}

/// What FRR has there and we do not.
fn refuse<H>(registry: &mut Registry<BgpConfig, H>, words: &'static str) {
    let mut help = vec!["Not supported by this version"; words.split(' ').count() + 1];
    let command =
        ConfigCommand::new(&[&BMP], format!("{words} [LINE...]"), &help, move |_: &mut BgpConfig, _| {
            Err(CliError::refused(format!("{words} is not supported by this version")))
        });
    registry.command(command.no(Negation::Never).hidden());
    help.insert(0, NO_HELP);
    let negated =
        ConfigCommand::new(&[&BMP], format!("no {words} [LINE...]"), &help, |_: &mut BgpConfig, _| Ok(()));
    registry.command(negated.no(Negation::Never).hidden());
}

pub(super) fn render(all: &BTreeMap<Arc<str>, BmpTargets>, lines: &mut Lines) {
    for (name, targets) in all {
        lines.section(format!("bmp targets {name}"), &BMP, |lines| render_one(targets, lines));
    }
}

fn render_one(targets: &BmpTargets, lines: &mut Lines) {
    if let Some(interval) = targets.statistics {
        lines.line(format!("bmp stats interval {interval}"));
    }
    if targets.mirror {
        lines.line("bmp mirror");
    }
    for (family, rib) in &targets.monitors {
        lines.line(format!("bmp monitor {} {} {rib}", family.afi, family.safi));
    }
    for name in &targets.imports {
        lines.line(format!("bmp import-vrf-view {name}"));
    }
    for (addr, port) in &targets.listeners {
        lines.line(format!("bmp listener {addr} port {port}"));
    }
    for (Connect { host, port }, how) in &targets.connects {
        let source =
            how.source.as_ref().map(|source| format!(" source-interface {source}")).unwrap_or_default();
        let (min, max) = (how.min_retry, how.max_retry);
        lines.line(format!("bmp connect {host} port {port} min-retry {min} max-retry {max}{source}"));
    }
}
