//! bgpd's configuration as one value, and every line that edits it.
//!
//! In go lines in FRR 10.3's syntax ([`register`]); out comes a [`BgpConfig`], which the instance compares with the one
//! before and applies. Nothing here acts. A line whose feature is not built is refused by name (`unsupported.rs`).
//!
//! Consumers do not read a neighbour's settings themselves: [`RouterBgp::effective`] gives every neighbour with what it
//! inherits from its peer group and the defaults ([`EffectiveNeighbor`]), and that is what they honour and compare. What
//! belongs to the instance and to an address family of it they read from [`RouterBgp`] and [`FamilyConfig`], where every
//! value is settled. Meaning and unit stand at each field.
//!
//! | file | holds |
//! | --- | --- |
//! | `route_map_delay.rs` | when edits of policy are applied |
//! | `router.rs` | `router bgp`: identifiers, decision process, defaults, timers |
//! | `neighbors.rs` | neighbours and groups: made, grouped, removed, rendered |
//! | `session.rs` | `neighbor X …` that belongs to no family |
//! | `sessions.rs` | roles, dynamic neighbours, confederations and the like, which either of the two names |
//! | `peer_family.rs` | `neighbor X …` inside `address-family …` |
//! | `family.rs` | `network`, `redistribute`, `aggregate-address`, distances, multipath |
//! | `effective.rs` | inheritance |
//!
//! Where we differ from FRR 10.3: `bgp shutdown message TEXT` keeps its text in the running configuration; an explicit
//! `neighbor X enforce-first-as` is shown though it is the default; `no neighbor X remove-private-AS` removes every form
//! of it; an address cannot name a peer group; instances of redistributed protocols are listed in ascending order; the
//! default instance is rendered first, then views and VRFs by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use bgp_packet::Family;
use ferrite_cli::node::{CONFIG, order};
use ferrite_cli::{
    CliError, CommonConfig, ConfigCommand, Context, DaemonConfig, Edit, Lines, Negation, Node, Registry,
};
use ferrite_keychain::KeyChains;
use ferrite_policy::PolicyConfig;
use ferrite_policy::commands::{Access, Scope};
use ferrite_types::AsnNotation;

mod add_path;
pub mod bmp;
mod community_alias;
mod conditions;
mod dampening;
mod dump;
mod effective;
mod family;
pub mod graceful;
mod interface_neighbors;
mod limits;
mod name;
mod neighbors;
pub mod optimal;
mod peer;
mod peer_family;
mod peer_filters;
mod reflection;
mod route_map_delay;
mod router;
pub mod rpki;
mod session;
mod sessions;
mod types;
mod unsupported;

#[cfg(test)]
mod tests;

pub use add_path::{AddPath, AddPathTx};
pub use bmp::{BMP, BmpTargets, Connect, ConnectHow};
pub use community_alias::CommunityAliases;
pub use conditions::{BandwidthMode, ConditionTimers};
pub use dampening::Dampening;
pub use dump::{Dump, Dumps, Interval};
pub use effective::{BGP_PORT, EffectiveFamily, EffectiveNeighbor, EffectiveSession};
pub use family::{
    Aggregate, DistanceRule, Distances, FamilyConfig, MAXIMUM_PATHS, MaximumPaths, Network, Redistribute,
    Source,
};
pub use graceful::{GracefulMode, GracefulSettings, RestartSettings, UpdateDelay};
pub use limits::Limits;
pub use name::NeighborName;
pub use peer::{Neighbor, PeerGroup, PeerKey, PeerSettings};
pub use peer_family::{
    AllowAsIn, DefaultOriginate, InOut, MaximumPrefix, PeerFamily, PrefixLimitAction, RemovePrivateAs,
    SendCommunity, Unchanged,
};
pub use peer_filters::{AdvertiseMap, Orf, PeerFilters};
pub use reflection::RejectCommunity;
pub use router::{MultipathRelax, RouterBgp};
pub use rpki::{EXPIRE_INTERVAL, POLLING_PERIOD, RETRY_INTERVAL, RpkiConfig, RpkiConfigs};
pub use session::{LocalAs, SessionSettings, Shutdown, UpdateSource};
pub use sessions::{
    COALESCE_TIME, GlobalSessions, InstanceSessions, Listen, LocalRole, READ_QUANTA, RttLimit,
    SUBGROUP_QUEUE, TcpKeepalive, WRITE_QUANTA, role_name,
};
pub use types::{GroupName, InstanceName, PolicyName, RemoteAs, SessionKind, Timers, WrittenAsn};

pub static ROUTER_BGP: Node = Node {
    name: "router bgp",
    prompt: "config-router",
    parent: Some(&CONFIG),
    exit: "exit",
    order: order::ROUTER,
};
pub static BGP_IPV4: Node = Node {
    name: "bgp ipv4 unicast",
    prompt: "config-router-af",
    parent: Some(&ROUTER_BGP),
    exit: "exit-address-family",
    order: 0,
};
pub static BGP_IPV6: Node = Node { name: "bgp ipv6 unicast", ..BGP_IPV4 };
pub static BGP_IPV4_MULTICAST: Node = Node { name: "bgp ipv4 multicast", ..BGP_IPV4 };
pub static BGP_IPV6_MULTICAST: Node = Node { name: "bgp ipv6 multicast", ..BGP_IPV4 };

/// A family that can be configured: its node and how it is entered.
pub(crate) struct FamilyPlace {
    pub family: Family,
    pub node: &'static Node,
    syntax: &'static str,
    /// The line as it is rendered.
    pub header: &'static str,
}

/// In the order of the running configuration.
pub(crate) static FAMILY_PLACES: &[FamilyPlace] = &[
    FamilyPlace {
        family: Family::IPV4_UNICAST,
        node: &BGP_IPV4,
        syntax: "address-family ipv4 [unicast]",
        header: "address-family ipv4 unicast",
    },
    FamilyPlace {
        family: Family::IPV4_MULTICAST,
        node: &BGP_IPV4_MULTICAST,
        syntax: "address-family ipv4 multicast",
        header: "address-family ipv4 multicast",
    },
    FamilyPlace {
        family: Family::IPV6_UNICAST,
        node: &BGP_IPV6,
        syntax: "address-family ipv6 [unicast]",
        header: "address-family ipv6 unicast",
    },
    FamilyPlace {
        family: Family::IPV6_MULTICAST,
        node: &BGP_IPV6_MULTICAST,
        syntax: "address-family ipv6 multicast",
        header: "address-family ipv6 multicast",
    },
];

const NO_HELP: &str = "Negate a command or set its defaults";

/// DSCP of BGP's packets where nobody says otherwise: CS6.
pub const SESSION_DSCP: u8 = 48;

/// The whole configuration of bgpd.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct BgpConfig {
    /// Host name, profile of defaults, logging, … as every daemon has them.
    pub common: CommonConfig,
    /// Lists and route maps.
    pub policy: PolicyConfig,
    pub key_chains: KeyChains,
    pub instances: BTreeMap<InstanceName, RouterBgp>,
    pub sessions: GlobalSessions,
    /// `bgp no-rib`: no route goes into the kernel.
    pub no_rib: bool,
    pub dumps: Dumps,
    /// `bgp session-dscp`: six bits; `None` is [`SESSION_DSCP`].
    pub session_dscp: Option<u8>,
    /// What all instances do about restarts; see [`BgpConfig::graceful`].
    pub graceful: GracefulSettings,
    /// `bgp route-map delay-timer`, where it is not the default.
    pub route_map_delay: Option<u16>,
    pub community_aliases: CommunityAliases,
    /// `no bgp ipv6-auto-ra`: interfaces with neighbours do not get router advertisements by themselves.
    pub no_auto_ra: bool,
    /// The caches of the RPKI, by VRF.
    pub rpki: RpkiConfigs,
}

impl DaemonConfig for BgpConfig {
    fn common(&self) -> &CommonConfig {
        &self.common
    }

    fn common_mut(&mut self) -> &mut CommonConfig {
        &mut self.common
    }
}

impl BgpConfig {
    /// The instance that lines in this context edit.
    fn router(&mut self, context: &Context) -> Result<&mut RouterBgp, CliError> {
        let name = context.args(&ROUTER_BGP).map_or(InstanceName::Default, instance_name);
        self.instances.get_mut(&name).ok_or_else(|| CliError::refused(NO_INSTANCE))
    }

    /// The instance of the default VRF.
    pub fn default_instance(&self) -> Option<&RouterBgp> {
        self.instances.get(&InstanceName::Default)
    }
}

const SEVERAL: &str = "Please specify ASN and VRF";
const NO_INSTANCE: &str = "No BGP process is configured";

fn instance_name(args: &ferrite_cli::Args) -> InstanceName {
    match (args.get("kind"), args.get("name")) {
        (Some("view"), Some(name)) => InstanceName::View(Arc::from(name)),
        (Some("vrf"), Some("default")) | (_, None) => InstanceName::Default,
        (_, Some(name)) => InstanceName::Vrf(Arc::from(name)),
    }
}

/// Every line of configuration that bgpd has: its own, those of `lib/policy` and those that all daemons share.
pub fn register<H>(registry: &mut Registry<BgpConfig, H>) {
    registry.common_commands();
    let access = Access { get: |config: &BgpConfig| &config.policy, get_mut: |config| &mut config.policy };
    ferrite_policy::commands::register(registry, Scope::Bgp, access);
    let access = ferrite_keychain::commands::Access {
        get: |config: &BgpConfig| &config.key_chains,
        get_mut: |config| &mut config.key_chains,
    };
    ferrite_keychain::commands::register(registry, access);
    route_map_delay::register(registry);
    register_instances(registry);
    sessions::register(registry);
    reflection::register(registry);
    graceful::register(registry);
    dump::register(registry);
    bmp::register(registry);
    register_router(registry);
    register_families(registry);
    neighbors::register(registry);
    community_alias::register(registry);
    interface_neighbors::register(registry);
    rpki::register(registry);
    unsupported::register(registry);
    registry.renderer(order::ROUTER, render);
    registry.renderer(order::ROUTER, |config: &BgpConfig, lines| config.community_aliases.render(lines));
}

fn register_instances<H>(registry: &mut Registry<BgpConfig, H>) {
    let help = [
        "Enable a routing process",
        "BGP information",
        "AS number expressed in dotted or plain format used as local AS",
        "BGP view",
        "BGP VRF",
        "View/VRF name",
        "Force the AS notation of output",
        "use 'AA.BB' format for AS 4 byte values",
        "use 'AA.BB' format for all AS values",
        "use plain format for all AS values",
    ];
    registry.command(
        ConfigCommand::new(
            &[&CONFIG],
            "router bgp [ASNUM$asn [<view|vrf>$kind VIEWVRFNAME$name] [as-notation <dot|dot+|plain>$notation]]",
            &help,
            |config: &mut BgpConfig, edit| if edit.negated { no_router(config, edit) } else { router_bgp(config, edit) },
        )
        .enters(&ROUTER_BGP)
        .way(neighbors::WAY)
        .example("router bgp 65001")
        .example("router bgp 1.10 as-notation dot+"),
    );
    registry.command(
        ConfigCommand::new(
            &[&CONFIG],
            "bgp session-dscp (0-63)$value",
            &[
                "BGP information",
                "Override default (C6) bgp TCP session DSCP value",
                "Manually configured dscp parameter",
            ],
            |config: &mut BgpConfig, edit| {
                let value = if edit.negated { None } else { Some(edit.args.parse("value")?) };
                config.session_dscp = value.filter(|value| *value != SESSION_DSCP);
                Ok(())
            },
        )
        .example("bgp session-dscp 10"),
    );
    registry.command(
        ConfigCommand::new(
            &[&CONFIG],
            "bgp ipv6-auto-ra",
            &["BGP information", "Allow enabling IPv6 ND RA sending"],
            |config: &mut BgpConfig, edit| {
                config.no_auto_ra = edit.negated;
                Ok(())
            },
        )
        .example("no bgp ipv6-auto-ra"),
    );
    registry.renderer(order::HEADER, |config: &BgpConfig, lines| {
        if config.no_auto_ra {
            lines.line("no bgp ipv6-auto-ra");
        }
        if let Some(value) = config.session_dscp {
            lines.line(format!("bgp session-dscp {value}"));
        }
    });
}

fn router_bgp(config: &mut BgpConfig, edit: &Edit<'_>) -> Result<(), CliError> {
    let args = edit.args;
    let name = instance_name(args);
    let Some(asn) = args.parse_opt::<WrittenAsn>("asn")? else {
        if config.instances.len() > 1 {
            return Err(CliError::refused(SEVERAL));
        }
        let present = config.instances.contains_key(&name);
        return if present { Ok(()) } else { Err(CliError::refused(NO_INSTANCE)) };
    };
    let notation = args.get("notation").map(|word| match word {
        "dot" => AsnNotation::Dot,
        "dot+" => AsnNotation::DotPlus,
        _ => AsnNotation::Plain,
    });
    let namesake = config.instances.iter().find(|(other, _)| other.label() == name.label());
    if let Some((other, router)) = namesake
        && (*other != name || router.asn.asn != asn.asn)
    {
        let running = if name == InstanceName::Default {
            format!("BGP is already running; AS is {}", router.asn)
        } else {
            let asn = router.asn;
            format!("BGP instance name and AS number mismatch\nBGP instance is already running; AS is {asn}")
        };
        return Err(CliError::refused(running));
    }
    let profile = config.common.defaults;
    let router = config.instances.entry(name).or_insert_with(|| RouterBgp::new(asn, profile));
    router.notation = notation.or(router.notation);
    Ok(())
}

fn no_router(config: &mut BgpConfig, edit: &Edit<'_>) -> Result<(), CliError> {
    let name = instance_name(edit.args);
    let asn = edit.args.parse_opt::<WrittenAsn>("asn")?;
    if asn.is_none() && config.instances.len() > 1 {
        return Err(CliError::refused(SEVERAL));
    }
    match (config.instances.get(&name), asn) {
        (None, None) => return Err(CliError::refused(NO_INSTANCE)),
        (Some(router), Some(asn)) if router.asn.asn != asn.asn => {}
        (Some(_), _) => {
            config.instances.remove(&name);
            return Ok(());
        }
        (None, Some(_)) => {}
    }
    Err(CliError::refused("Can't find BGP instance"))
}

fn register_router<H>(registry: &mut Registry<BgpConfig, H>) {
    for row in router::rows() {
        let command =
            ConfigCommand::new(&[&ROUTER_BGP], row.syntax, row.help, |config: &mut BgpConfig, edit| {
                let defaults = config.common.defaults;
                let router = config.router(edit.context)?;
                if edit.negated {
                    let default = RouterBgp::new(router.asn, defaults);
                    (row.unset)(router, edit.args, &default)?;
                } else {
                    (row.set)(router, edit.args)?;
                }
                graceful::normalise(config)
            });
        registry
            .command(row.examples.iter().fold(command.no(row.no), |command, line| command.example(*line)));
    }
}

fn register_families<H>(registry: &mut Registry<BgpConfig, H>) {
    let enter = "Enter Address Family command mode";
    for FamilyPlace { family, node, syntax, header } in FAMILY_PLACES {
        let help = [enter, "Address Family", "Address Family modifier"];
        let command = ConfigCommand::new(&[&ROUTER_BGP], *syntax, &help, |_, _| Ok(()));
        registry.command(command.no(Negation::Never).enters(node).way(*header));
        for row in family::rows(*family) {
            let command = family_command(&[node], *family, row);
            registry.command(row.examples.iter().fold(command, |command, line| command.example(*line)));
        }
    }
    // FRR's old place of IPv4 unicast.
    for row in family::rows(Family::IPV4_UNICAST) {
        registry.command(family_command(&[&ROUTER_BGP], Family::IPV4_UNICAST, row).hidden());
    }
}

fn family_command(
    nodes: &[&'static Node],
    family: Family,
    row: &'static family::FamilyRow,
) -> ConfigCommand<BgpConfig> {
    ConfigCommand::new(nodes, row.syntax, row.help, move |config: &mut BgpConfig, edit| {
        let router = config.router(edit.context)?;
        let Some(part) = router.families.get_mut(family) else { return Err(CliError::Unknown) };
        if edit.negated { (row.unset)(part, edit.args) } else { (row.set)(part, edit.args) }
    })
    .no(row.no)
}

fn render(config: &BgpConfig, lines: &mut Lines) {
    for (name, router) in &config.instances {
        let name = match name {
            InstanceName::Default => String::new(),
            InstanceName::View(name) => format!(" view {name}"),
            InstanceName::Vrf(name) => format!(" vrf {name}"),
        };
        let notation = match router.notation {
            None => "",
            Some(AsnNotation::Plain) => " as-notation plain",
            Some(AsnNotation::Dot) => " as-notation dot",
            Some(AsnNotation::DotPlus) => " as-notation dot+",
        };
        let header = format!("router bgp {}{name}{notation}", router.asn);
        lines.section(header, &ROUTER_BGP, |lines| render_router(config, router, lines));
    }
}

fn render_router(config: &BgpConfig, router: &RouterBgp, lines: &mut Lines) {
    let default = RouterBgp::new(router.asn, config.common.defaults);
    for row in router::before() {
        (row.render)(router, lines, &default);
    }
    neighbors::render_sessions(router, lines);
    for row in router::AFTER {
        (row.render)(router, lines, &default);
    }
    for FamilyPlace { family, node, header, .. } in FAMILY_PLACES {
        let Some(part) = router.families.get(*family) else { continue };
        lines.section_if_any(*header, node, |lines| {
            part.render_before(lines);
            neighbors::render_family(router, *family, lines);
            part.render_after(lines);
        });
    }
    if let Some(limit) = router.bmp_mirror_limit {
        lines.line(format!("bmp mirror buffer-limit {limit}"));
    }
    bmp::render(&router.bmp, lines);
}
