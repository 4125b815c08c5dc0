//! zebra's commands outside configuration, and what answers them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ferrite_cli::{Args, CliError, ExecCommand, Registry};
use ferrite_policy::view::{Daemon, PolicyShow};
use ferrite_types::{Afi, Prefix, RouteProtocol, Safi, TableId, Tag, VrfId};
use indexmap::IndexMap;
use serde_json::json;

use crate::gather::{GroupFilter, RouteFilter, RouteWalk, pretty};
use crate::instance::Zebra;
use crate::rib::TableKey;
use crate::settings::{AfiKey, DEFAULT_VRF_NAME, Settings, VrfSettings};
use crate::view::client::ClientSummary;
use crate::view::policy::SourceMaps;
use crate::view::summary::{PrefixSummary, RouteSummary};

/// A command that is understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Show {
    Routes(Afi),
    Fib(Afi),
    /// What multicast routing looks sources up in.
    Rpf(Afi),
    RpfAddress,
    NhtMaps(Afi),
    Prefix(Afi),
    Summary(Afi),
    Nht(Afi),
    Interface,
    InterfaceBrief,
    InterfaceDescription,
    Client,
    ClientSummary,
    Dplane,
    FibState,
    Groups,
    FibFailed,
    FibDrift,
    RouterId(Afi),
    Forwarding(Afi),
    RaInterfaces,
    Vrf,
    Protocol(Afi),
    Policy(PolicyShow),
    Capacity,
    FpmCounters,
    FpmStatus,
    ClearFpm,
    Providers,
    MplsTable,
    MplsFec,
    MplsStatus,
    LabelTable,
    Locators,
    Locator,
    Srv6Manager,
}

/// What a command leads to.
#[derive(Debug)]
pub enum Answer {
    Text(String),
    /// A table, to be had in pieces.
    Routes(RouteWalk),
    /// Done, when the shell has cleared the counters of the forwarding plane manager's stream.
    ClearFpm,
    /// How the kernel differs: to be had when it has been looked at.
    Drift {
        json: bool,
    },
}

const SHOW: &str = "Show running system information";
const IP: &str = "IP information";
const IPV6: &str = "IPv6 information";
const JSON: &str = "JavaScript Object Notation";
const MRIB: &str = "Multicast SAFI table";
const VRF: &str = "Specify the VRF";
const VRF_NAME: &str = "The VRF name";
const SOURCES_V4: &str =
    "kernel|connected|local|static|rip|ospf|ospf6|isis|bgp|eigrp|nhrp|table|vnc|babel|pbr|sharp|openfabric";
const SOURCES_V6: &str =
    "kernel|connected|local|static|ripng|ospf6|isis|bgp|nhrp|table|vnc|babel|pbr|sharp|openfabric";

/// The rows of `show ip protocol`, FRR's whole list.
const FRR_SOURCES: &[&str] = &[
    "system",
    "kernel",
    "connected",
    "local",
    "static",
    "rip",
    "ripng",
    "ospf",
    "ospf6",
    "isis",
    "bgp",
    "pim",
    "eigrp",
    "nhrp",
    "hsls",
    "olsr",
    "table",
    "ldp",
    "vnc",
    "vnc-direct",
    "vnc-rn",
    "bgp-direct",
    "bgp-direct-to-nve-groups",
    "babel",
    "sharp",
    "pbr",
    "bfd",
    "openfabric",
    "vrrp",
    "zebra",
    "srte",
    "table-direct",
    "any",
];

pub fn register(registry: &mut Registry<Settings, Show>) {
    for (afi, ip, ip_help) in [(Afi::Ipv4, "ip", IP), (Afi::Ipv6, "ipv6", IPV6)] {
        register_routes(registry, afi, ip, ip_help);
        registry.exec(ExecCommand::new(
            format!("show {ip} nht [vrf NAME$vrf_name] [{}$addr] [json]", host(afi)),
            &[SHOW, ip_help, "IP nexthop tracking table", VRF, VRF_NAME, "Nexthop address", JSON],
            Show::Nht(afi),
        ));
        registry.exec(ExecCommand::new(
            format!("show {ip} nht route-map [vrf NAME$vrf_name] [json]"),
            &[SHOW, ip_help, "IP nexthop tracking table", "Route map", VRF, VRF_NAME, JSON],
            Show::NhtMaps(afi),
        ));
        registry.exec(ExecCommand::new(
            format!("show {ip} router-id [vrf NAME$vrf_name]"),
            &[SHOW, ip_help, "Show the configured router-id", VRF, VRF_NAME],
            Show::RouterId(afi),
        ));
        registry.exec(ExecCommand::new(
            format!("show {ip} forwarding"),
            &[SHOW, ip_help, "Forwarding status"],
            Show::Forwarding(afi),
        ));
        registry.exec(ExecCommand::new(
            format!("show {ip} protocol [vrf NAME$vrf_name]"),
            &[SHOW, ip_help, "Filter routing info exchanged between zebra and protocol", VRF, VRF_NAME],
            Show::Protocol(afi),
        ));
    }
    registry.exec(ExecCommand::new(
        "show router-id [vrf NAME$vrf_name]",
        &[SHOW, "Show the configured router-id", VRF, VRF_NAME],
        Show::RouterId(Afi::Ipv4),
    ));
    let interface = "Interface status and configuration";
    registry.exec(ExecCommand::new(
        "show interface [vrf NAME$vrf_name] [json]",
        &[SHOW, interface, VRF, VRF_NAME, JSON],
        Show::Interface,
    ));
    registry.exec(ExecCommand::new(
        "show interface IFNAME [vrf NAME$vrf_name] [json]",
        &[SHOW, interface, "Interface name", VRF, VRF_NAME, JSON],
        Show::Interface,
    ));
    registry.exec(ExecCommand::new(
        "show interface [vrf NAME$vrf_name] brief [json]",
        &[SHOW, interface, VRF, VRF_NAME, "Interface status and configuration summary", JSON],
        Show::InterfaceBrief,
    ));
    registry.exec(ExecCommand::new(
        "show interface description [vrf NAME$vrf_name] [json]",
        &[SHOW, interface, "Interface description", VRF, VRF_NAME, JSON],
        Show::InterfaceDescription,
    ));
    registry.exec(ExecCommand::new(
        "show ipv6 nd ra-interfaces [vrf NAME$vrf_name]",
        &[SHOW, IPV6, "Neighbor discovery", "Route Advertisement Interfaces", VRF, VRF_NAME],
        Show::RaInterfaces,
    ));
    let zebra = "Zebra information";
    registry.exec(ExecCommand::new("show zebra client", &[SHOW, zebra, "Client information"], Show::Client));
    registry.exec(ExecCommand::new(
        "show zebra client summary",
        &[SHOW, zebra, "Client information", "Brief Summary"],
        Show::ClientSummary,
    ));
    registry.exec(ExecCommand::new(
        "show zebra dplane [detailed]",
        &[SHOW, zebra, "Zebra dataplane information", "Detailed output"],
        Show::Dplane,
    ));
    let (groups, rib) = ("Show Nexthop Groups", "RIB information");
    registry.exec(ExecCommand::new(
        "show nexthop-group rib (0-4294967295)$id [json]",
        &[SHOW, groups, rib, "Nexthop Group ID", JSON],
        Show::Groups,
    ));
    registry.exec(ExecCommand::new(
        "show nexthop-group rib [singleton <ip|ipv6>$family] [<kernel|zebra|bgp|sharp>$owner] [vrf NAME$vrf_name] [json]",
        &[
            SHOW,
            groups,
            rib,
            "Show Singleton Nexthop-Groups",
            IP,
            IPV6,
            "Kernel (not installed via the zebra RIB)",
            "Zebra (implicitly created by zebra)",
            "Border Gateway Protocol (BGP)",
            "Super Happy Advanced Routing Protocol (SHARP)",
            VRF,
            VRF_NAME,
            JSON,
        ],
        Show::Groups,
    ));
    let fib = "Forwarding information base";
    registry.exec(ExecCommand::new("show zebra fib [json]", &[SHOW, zebra, fib, JSON], Show::FibState));
    registry.exec(ExecCommand::new(
        "show zebra fib failed [json]",
        &[SHOW, zebra, fib, "What the kernel refused, and when it is asked again", JSON],
        Show::FibFailed,
    ));
    registry.exec(ExecCommand::new(
        "show zebra fib drift [json]",
        &[SHOW, zebra, fib, "How the kernel's table differs from what it should be", JSON],
        Show::FibDrift,
    ));
    registry.exec(ExecCommand::new("show vrf", &[SHOW, "VRF"], Show::Vrf));
    register_mpls(registry);
    register_fpm(registry);
    register_srv6(registry);
    ferrite_policy::view::register(registry, false, Show::Policy);
}

fn register_fpm(registry: &mut Registry<Settings, Show>) {
    registry.exec(ExecCommand::new(
        "show zebra dplane providers [detailed]",
        &[
            SHOW,
            "Zebra information",
            "Zebra dataplane information",
            "Zebra dataplane provider information",
            "Detailed output",
        ],
        Show::Providers,
    ));
    let fpm = "Forwarding Plane Manager information";
    registry.exec(ExecCommand::new(
        "show fpm counters [json]",
        &[SHOW, fpm, "FPM statistic counters", JSON],
        Show::FpmCounters,
    ));
    registry.exec(ExecCommand::new(
        "show fpm status [json]",
        &[SHOW, fpm, "FPM status", JSON],
        Show::FpmStatus,
    ));
    registry.exec(
        ExecCommand::new(
            "clear fpm counters",
            &["Reset functions", fpm, "FPM statistic counters"],
            Show::ClearFpm,
        )
        .privileged(),
    );
}

fn register_srv6(registry: &mut Registry<Settings, Show>) {
    let (sr, srv6, locator) = ("Segment Routing", "Segment Routing SRv6", "Locator Information");
    registry.exec(ExecCommand::new(
        "show segment-routing srv6 locator [json]",
        &[SHOW, sr, srv6, locator, JSON],
        Show::Locators,
    ));
    registry.exec(ExecCommand::new(
        "show segment-routing srv6 locator NAME$locator_name detail [json]",
        &[SHOW, sr, srv6, locator, "Locator Name", "Detailed information", JSON],
        Show::Locator,
    ));
    registry.exec(ExecCommand::new(
        "show segment-routing srv6 manager [json]",
        &[SHOW, sr, srv6, "Verify SRv6 Manager", JSON],
        Show::Srv6Manager,
    ));
}

fn register_mpls(registry: &mut Registry<Settings, Show>) {
    registry.exec(ExecCommand::new(
        "show zebra fib capacity [json]",
        &[SHOW, "Zebra information", "Forwarding information base", "Room in the kernel's tables", JSON],
        Show::Capacity,
    ));
    let mpls = "MPLS information";
    let table = "MPLS table";
    registry.exec(ExecCommand::new("show mpls table [json]", &[SHOW, mpls, table, JSON], Show::MplsTable));
    registry.exec(ExecCommand::new(
        "show mpls table (16-1048575)$label [json]",
        &[SHOW, mpls, table, "LSP to display information about", JSON],
        Show::MplsTable,
    ));
    registry.exec(ExecCommand::new(
        "show mpls fec [<A.B.C.D/M$prefix|X:X::X:X/M$prefix>]",
        &[
            SHOW,
            mpls,
            "MPLS FEC table",
            "FEC to display information about",
            "FEC to display information about",
        ],
        Show::MplsFec,
    ));
    registry.exec(ExecCommand::new("show mpls status", &[SHOW, mpls, "MPLS status"], Show::MplsStatus));
    registry.exec(ExecCommand::new(
        "show debugging label-table [json]",
        &[SHOW, "Debugging information", "Display allocated label chunks", JSON],
        Show::LabelTable,
    ));
}

fn host(afi: Afi) -> &'static str {
    if afi == Afi::Ipv6 { "X:X::X:X" } else { "A.B.C.D" }
}

fn register_routes(
    registry: &mut Registry<Settings, Show>,
    afi: Afi,
    ip: &'static str,
    ip_help: &'static str,
) {
    let (prefix, sources) = match afi {
        Afi::Ipv6 => ("X:X::X:X/M", SOURCES_V6),
        _ => ("A.B.C.D/M", SOURCES_V4),
    };
    for (word, what, show) in
        [("route", "IP routing table", Show::Routes(afi)), ("fib", "IP forwarding table", Show::Fib(afi))]
    {
        let mut help =
            vec![SHOW, ip_help, what, MRIB, VRF, VRF_NAME, "Table to display", "The table number to display"];
        help.extend([
            "Show only routes with tag",
            "Tag value",
            "IP prefix <network>/<length>",
            "Show route matching the specified Network/Mask pair only",
            "Show supernet entries only",
        ]);
        help.extend(sources.split('|').map(|_| "Routes of that source"));
        help.push(JSON);
        registry.exec(ExecCommand::new(
            format!(
                "show {ip} {word} [{{mrib|vrf NAME$vrf_name}}] [table (1-4294967295)$table_id] [{{tag (1-4294967295)$tag_value\
                 |{prefix}$prefix longer-prefixes|supernets-only}}] [<{sources}>$source] [json]"
            ),
            &help,
            show,
        ));
        if afi == Afi::Ipv4 {
            registry.exec(ExecCommand::new(
                format!(
                    "show {ip} {word} [vrf NAME$vrf_name] [table (1-4294967295)$table_id] ospf$source (1-65535)$number [json]"
                ),
                &[
                    SHOW,
                    ip_help,
                    what,
                    VRF,
                    VRF_NAME,
                    "Table to display",
                    "The table number to display",
                    "Open Shortest Path First (OSPFv2)",
                    "Instance ID",
                    JSON,
                ],
                show,
            ));
        }
    }
    registry.exec(ExecCommand::new(
        format!("show {ip} route [vrf NAME$vrf_name] [table (1-4294967295)$table_id] failed [json]"),
        &[
            SHOW,
            ip_help,
            "IP routing table",
            VRF,
            VRF_NAME,
            "Table to display",
            "The table number to display",
            "Routes that the kernel refused",
            JSON,
        ],
        Show::Routes(afi),
    ));
    registry.exec(ExecCommand::new(
        format!("show {ip} rpf {}$addr [vrf NAME$vrf_name] [json]", host(afi)),
        &[
            SHOW,
            ip_help,
            "Routes by which sources of multicast are looked up",
            "Address of a source",
            VRF,
            VRF_NAME,
            JSON,
        ],
        Show::RpfAddress,
    ));
    registry.exec(ExecCommand::new(
        format!("show {ip} rpf [vrf NAME$vrf_name] [json]"),
        &[SHOW, ip_help, "Routes by which sources of multicast are looked up", VRF, VRF_NAME, JSON],
        Show::Rpf(afi),
    ));
    registry.exec(ExecCommand::new(
        format!("show {ip} route [{{mrib|vrf NAME$vrf_name}}] <{}$addr|{prefix}$prefix> [json]", host(afi)),
        &[
            SHOW,
            ip_help,
            "IP routing table",
            MRIB,
            VRF,
            VRF_NAME,
            "Network in the IP routing table to display",
            "IP prefix <network>/<length>, e.g., 35.0.0.0/8",
            JSON,
        ],
        Show::Prefix(afi),
    ));
    registry.exec(ExecCommand::new(
        format!(
            "show {ip} route [{{mrib|vrf NAME$vrf_name}}] summary [table (1-4294967295)$table_id] [prefix] [json]"
        ),
        &[
            SHOW,
            ip_help,
            "IP routing table",
            MRIB,
            VRF,
            VRF_NAME,
            "Summary of all routes",
            "Table to display summary for",
            "The table number",
            "Prefix routes",
            JSON,
        ],
        Show::Summary(afi),
    ));
}

/// A VRF or an interface that is asked about and is not there.
fn is_absence(reason: &str) -> bool {
    reason.starts_with("Can't find interface ")
        || (reason.starts_with("VRF ") && reason.ends_with(" not found"))
}

impl Zebra {
    /// Answers a command. Nothing changes by it.
    /// What is not there is an empty object to whoever wants JSON, as in FRR.
    pub fn answer(&self, show: Show, args: &Args) -> Result<Answer, CliError> {
        match self.find_answer(show, args) {
            Err(CliError::Refused(reason)) if args.has("json") && is_absence(&reason) => {
                Ok(Answer::Text(pretty(&json!({}))))
            }
            answer => answer,
        }
    }

    fn find_answer(&self, show: Show, args: &Args) -> Result<Answer, CliError> {
        let text = match show {
            Show::Routes(afi) | Show::Fib(afi) | Show::Rpf(afi) => return self.show_routes(afi, show, args),
            Show::Prefix(afi) => self.show_prefix(afi, args)?,
            Show::RpfAddress => self.show_rpf(args)?,
            Show::NhtMaps(afi) => self.show_nht_maps(afi, args)?,
            Show::Summary(afi) => self.show_summary(afi, args)?,
            Show::Nht(afi) => self.show_nht(afi, args)?,
            Show::Interface => self.show_interface(args)?,
            Show::InterfaceBrief => render(&self.brief_views(self.vrf_filter(args)?), args),
            Show::InterfaceDescription => self.show_descriptions(args)?,
            Show::Client => render(&self.client_views(), args),
            Show::ClientSummary => render(&ClientSummary(self.client_views()), args),
            Show::Dplane => render(&self.dataplane_view(), args),
            Show::Providers => render(&self.providers(), args),
            Show::FpmCounters => render(&self.fpm_counters(), args),
            Show::FpmStatus => render(&self.fpm_status(), args),
            Show::ClearFpm => return Ok(Answer::ClearFpm),
            Show::Groups => self.show_groups(args)?,
            Show::FibState => render(&self.fib_view(), args),
            Show::FibFailed => render(&self.failed_view(), args),
            Show::FibDrift => return Ok(Answer::Drift { json: args.has("json") }),
            Show::RouterId(afi) => self.show_router_id(afi, args)?,
            Show::Forwarding(afi) => self.show_forwarding(afi),
            Show::RaInterfaces => self
                .ra_interfaces(match args.get("vrf_name") {
                    Some("all") => None,
                    name => Some(name.unwrap_or(DEFAULT_VRF_NAME)),
                })
                .to_string(),
            Show::Vrf => self.show_vrf(),
            Show::Protocol(afi) => self.show_protocol(afi, args)?,
            Show::Capacity => render(&self.capacity_view(), args),
            Show::MplsTable => self.show_mpls_table(args)?,
            Show::MplsFec => self.fec_table(args.parse_opt("prefix")?).to_string(),
            Show::MplsStatus => self.mpls_status(),
            Show::LabelTable => render(&self.label_table(), args),
            Show::Locators => render(&self.locator_table(), args),
            Show::Locator => match self.locator_view(args.get("locator_name").unwrap_or_default()) {
                Some(view) => render(&view, args),
                None if args.has("json") => pretty(&json!({})),
                None => String::new(),
            },
            Show::Srv6Manager => render(&self.srv6_manager(), args),
            Show::Policy(show) => {
                let daemon = Daemon { title: "ZEBRA", name: "zebra" };
                match self.waiting_policies().filter(|_| !show.clears()) {
                    Some(policies) => show.run(&policies, daemon, args),
                    None => show.run(&self.policies, daemon, args),
                }
            }
        };
        Ok(Answer::Text(text))
    }

    fn show_mpls_table(&self, args: &Args) -> Result<String, CliError> {
        let Some(label) = args.parse_opt("label")? else { return Ok(render(&self.lsp_table(), args)) };
        let label = ferrite_types::Label::new(label);
        Ok(match label.and_then(|label| self.lsp_view_of(label)) {
            Some(view) => render(&view, args),
            None if args.has("json") => pretty(&json!({})),
            None => String::new(),
        })
    }

    fn show_interface(&self, args: &Args) -> Result<String, CliError> {
        let views = self.interface_views(self.vrf_filter(args)?, args.get("IFNAME"));
        match args.get("IFNAME") {
            Some(name) if views.0.is_empty() => {
                Err(CliError::refused(format!("Can't find interface {name}")))
            }
            _ => Ok(render(&views, args)),
        }
    }

    fn show_descriptions(&self, args: &Args) -> Result<String, CliError> {
        let rows = self.descriptions(self.vrf_filter(args)?);
        if args.has("json") {
            let described = rows.into_iter().filter_map(|(name, status, protocol, text)| {
                Some((name, json!({ "status": status, "protocol": protocol, "description": text? })))
            });
            return Ok(pretty(&described.collect::<IndexMap<_, _>>()));
        }
        let vrf = args.get("vrf_name").unwrap_or(DEFAULT_VRF_NAME);
        let id = self.interfaces.vrf_by_name(vrf).unwrap_or_default();
        let mut out = format!("\n\tVRF {vrf}({id})\n\nInterface       Status  Protocol  Description\n");
        for (name, status, protocol, text) in rows {
            out.push_str(&format!("{name:<15} {status:<7} {protocol:<9} {}\n", text.unwrap_or_default()));
        }
        Ok(out)
    }

    fn show_groups(&self, args: &Args) -> Result<String, CliError> {
        let id = args.parse_opt("id")?;
        let filter = GroupFilter {
            id,
            singletons: args.get("family").map(|word| if word == "ipv6" { Afi::Ipv6 } else { Afi::Ipv4 }),
            owner: args.get("owner"),
            vrf: self.vrf_filter(args)?,
        };
        let views = self.group_views(&filter);
        if let (Some(id), true) = (id, views.is_empty() && !args.has("json")) {
            return Err(CliError::refused(format!("Nexthop Group ID: {id} does not exist")));
        }
        if args.has("json") {
            return Ok(pretty(
                &views.iter().map(|view| (view.id.to_string(), view)).collect::<IndexMap<_, _>>(),
            ));
        }
        Ok(views.iter().map(ToString::to_string).collect())
    }

    fn vrf_named(&self, name: &str) -> Result<VrfId, CliError> {
        self.interfaces.vrf_by_name(name).ok_or_else(|| CliError::refused(format!("VRF {name} not found")))
    }

    /// The VRFs of `[vrf NAME|all]`.
    fn vrfs(&self, args: &Args) -> Result<(Vec<VrfId>, bool), CliError> {
        match args.get("vrf_name") {
            Some("all") => Ok((self.interfaces.vrfs().map(|(vrf, _)| vrf).collect(), true)),
            Some(name) => Ok((vec![self.vrf_named(name)?], false)),
            None => Ok((vec![VrfId::DEFAULT], false)),
        }
    }

    fn vrf_filter<'a>(&self, args: &'a Args) -> Result<Option<&'a str>, CliError> {
        match args.get("vrf_name") {
            None | Some("all") => Ok(None),
            Some(name) => self.vrf_named(name).map(|_| Some(name)),
        }
    }

    fn table_key(&self, vrf: VrfId, afi: Afi, table: Option<TableId>) -> Option<TableKey> {
        let table = table.or_else(|| self.interfaces.table_of(vrf))?;
        Some(crate::rib::key(vrf, afi, table))
    }

    fn show_routes(&self, afi: Afi, show: Show, args: &Args) -> Result<Answer, CliError> {
        let (vrfs, several) = self.vrfs(args)?;
        let table = args.parse_opt("table_id")?.map(TableId);
        let multicast = matches!(show, Show::Rpf(_)) || args.has("mrib");
        let safi = if multicast { Safi::Multicast } else { Safi::Unicast };
        let keys = vrfs.into_iter().filter_map(|vrf| self.table_key(vrf, afi, table));
        let keys = keys.map(|key| TableKey { safi, ..key }).collect();
        let filter = RouteFilter {
            protocol: args.get("source").map(|_| args.parse::<RouteProtocol>("source")).transpose()?,
            instance: args.parse_opt("number")?,
            longer_than: args.parse_opt::<Prefix>("prefix")?,
            tag: args.parse_opt("tag_value")?.map(Tag),
            supernets_only: args.has("supernets-only"),
            failed: args.has("failed"),
            fib: matches!(show, Show::Fib(_)),
        };
        Ok(Answer::Routes(RouteWalk::new(keys, filter, args.has("json"), table.is_some(), several)))
    }

    fn show_prefix(&self, afi: Afi, args: &Args) -> Result<String, CliError> {
        let (vrfs, _) = self.vrfs(args)?;
        let mut views: IndexMap<String, Vec<_>> = IndexMap::new();
        let safi = if args.has("mrib") { Safi::Multicast } else { Safi::Unicast };
        for key in vrfs.into_iter().filter_map(|vrf| self.table_key(vrf, afi, None)) {
            let key = TableKey { safi, ..key };
            let Some(table) = self.rib.tables.get(&key) else { continue };
            let found = match args.parse_opt::<Prefix>("prefix")? {
                Some(prefix) => table.get(prefix).map(|dest| (prefix, dest)),
                None => {
                    let addr: IpAddr = args.parse("addr")?;
                    table.covering(addr, afi.bits()).find(|(_, dest)| dest.selected().is_some())
                }
            };
            if let Some((prefix, dest)) = found {
                views.entry(prefix.to_string()).or_default().extend(self.route_views(key, prefix, dest));
            }
        }
        views.retain(|_, routes| !routes.is_empty());
        if args.has("json") {
            return Ok(pretty(&views));
        }
        if views.is_empty() {
            return Err(CliError::refused("Network not in table"));
        }
        Ok(views.values().flatten().map(ToString::to_string).collect())
    }

    fn show_summary(&self, afi: Afi, args: &Args) -> Result<String, CliError> {
        let (vrfs, several) = self.vrfs(args)?;
        let table = args.parse_opt("table_id")?.map(TableId);
        let prefixes = args.words().any(|word| word == "prefix");
        let safi = if args.has("mrib") { Safi::Multicast } else { Safi::Unicast };
        let keys = vrfs.into_iter().filter_map(|vrf| self.table_key(vrf, afi, table));
        let keys = keys.map(|key| TableKey { safi, ..key });
        let views: Vec<_> = keys.map(|key| self.route_summary(key)).collect();
        if prefixes {
            let of = |view: &RouteSummary| (view.vrf_name.clone(), PrefixSummary::from(view));
            let named: IndexMap<_, _> = views.iter().map(of).collect();
            return Ok(match (args.has("json"), several) {
                (true, true) => pretty(&named),
                (true, false) => named.values().next().map(pretty).unwrap_or_default(),
                (false, _) => views.iter().map(RouteSummary::prefix_text).collect(),
            });
        }
        Ok(match (args.has("json"), several) {
            (true, true) => {
                let by_name = views.iter().map(|view| (view.vrf_name.clone(), view));
                pretty(&by_name.collect::<IndexMap<_, _>>())
            }
            (true, false) => views.first().map(pretty).unwrap_or_default(),
            (false, _) => views.iter().map(ToString::to_string).collect(),
        })
    }

    fn show_nht(&self, afi: Afi, args: &Args) -> Result<String, CliError> {
        let (vrfs, several) = self.vrfs(args)?;
        let only: Option<IpAddr> = args.parse_opt("addr")?;
        let views: Vec<_> = vrfs.into_iter().map(|vrf| self.nht_view(vrf, afi, only)).collect();
        if args.has("json") {
            // Each view is an object with its VRF's name as the key.
            let mut whole = serde_json::Map::new();
            for view in &views {
                if let Ok(serde_json::Value::Object(object)) = serde_json::to_value(view) {
                    whole.extend(object);
                }
            }
            return Ok(pretty(&whole));
        }
        let before = if several { "\n" } else { "" };
        Ok(views.iter().flat_map(|view| [before.to_owned(), view.to_string()]).collect())
    }

    fn show_router_id(&self, afi: Afi, args: &Args) -> Result<String, CliError> {
        let name = args.get("vrf_name").unwrap_or(DEFAULT_VRF_NAME);
        self.vrf_named(name)?;
        let settings = self.settings.vrf(name);
        let id: Option<IpAddr> = match afi {
            Afi::Ipv6 => settings.and_then(|vrf| vrf.router_id_v6).map(Into::into),
            _ => settings.and_then(|vrf| vrf.router_id).map(Into::into),
        };
        let label = if afi == Afi::Ipv6 { "ipv6 router-id" } else { "router-id" };
        Ok(id.map(|id| format!("zebra:\n     {label} {id} vrf {name}\n")).unwrap_or_default())
    }

    fn show_forwarding(&self, afi: Afi) -> String {
        let (v4, v6) = self.forwarding;
        let (name, on) = if afi == Afi::Ipv6 { ("ipv6", v6) } else { ("IP", v4) };
        format!("{name} forwarding is {}\n", if on { "on" } else { "off" })
    }

    fn show_vrf(&self) -> String {
        let others = self.interfaces.vrfs().filter(|(vrf, _)| *vrf != VrfId::DEFAULT);
        let configured =
            |name: &str| if self.settings.vrfs.contains_key(name) { " (configured)" } else { "" };
        let mut lines: BTreeMap<&str, String> = self
            .settings
            .vrfs
            .keys()
            .filter(|name| *name != DEFAULT_VRF_NAME)
            .map(|name| (name.as_str(), format!("vrf {name} inactive (configured)\n")))
            .collect();
        for (vrf, info) in others {
            let place = match &info.netns {
                Some(path) => format!("netns {path}"),
                None => format!("table {}", info.table),
            };
            let line = format!("vrf {} id {vrf} {place}{}\n", info.name, configured(&info.name));
            lines.insert(&info.name, line);
        }
        let header = if self.options.netns { "netns-based vrfs\n" } else { "" };
        std::iter::once(header.to_owned()).chain(lines.into_values()).collect()
    }

    fn show_protocol(&self, afi: Afi, args: &Args) -> Result<String, CliError> {
        let (vrfs, _) = self.vrfs(args)?;
        Ok(vrfs
            .into_iter()
            .map(|vrf| self.source_maps(vrf, afi, |vrf| &vrf.protocol_maps).to_string())
            .collect())
    }

    fn show_nht_maps(&self, afi: Afi, args: &Args) -> Result<String, CliError> {
        let (vrfs, _) = self.vrfs(args)?;
        let views: Vec<_> =
            vrfs.into_iter().map(|vrf| self.source_maps(vrf, afi, |vrf| &vrf.nht_maps)).collect();
        if args.has("json") {
            let by_name: IndexMap<_, _> =
                views.iter().map(|view| (&view.vrf, json!({ "protocols": view.maps }))).collect();
            let afi = if afi == Afi::Ipv6 { "ipv6" } else { "ipv4" };
            return Ok(pretty(&json!({ "afi": afi, "vrfs": by_name })));
        }
        // FRR says the last row twice here.
        let text = |view: &SourceMaps| {
            let text = view.to_string();
            let last = text.lines().next_back().unwrap_or_default().to_owned();
            format!("{text}{last}\n")
        };
        Ok(views.iter().map(text).collect())
    }

    fn source_maps(
        &self,
        vrf: VrfId,
        afi: Afi,
        of: impl Fn(&VrfSettings) -> &BTreeMap<(AfiKey, Option<RouteProtocol>), String>,
    ) -> SourceMaps {
        let name = self.vrf_name(vrf);
        let maps = self.settings.vrf(&name).map(of);
        let map = |word: &str| {
            let named = |source: Option<RouteProtocol>| source.map_or("any", RouteProtocol::name) == word;
            let mut own = maps.into_iter().flatten().filter(|((of, _), _)| of.afi() == afi);
            own.find(|((_, source), _)| named(*source)).map_or("none".to_owned(), |(_, map)| map.clone())
        };
        SourceMaps { vrf: name, maps: FRR_SOURCES.iter().map(|word| (*word, map(word))).collect() }
    }

    fn show_rpf(&self, args: &Args) -> Result<String, CliError> {
        let vrf = self.vrf_named(args.get("vrf_name").unwrap_or(DEFAULT_VRF_NAME))?;
        let Some((key, prefix, dest)) = self.rpf_lookup(vrf, args.parse("addr")?) else {
            return if args.has("json") {
                Ok(pretty(&json!({})))
            } else {
                Err(CliError::refused("Network not in table"))
            };
        };
        let views: Vec<_> =
            self.route_views(key, prefix, dest).into_iter().filter(|view| view.selected).collect();
        if args.has("json") {
            return Ok(pretty(&IndexMap::from([(prefix.to_string(), views)])));
        }
        let table = if key.safi == Safi::Multicast { "multicast" } else { "unicast" };
        let routes: String = views.iter().map(ToString::to_string).collect();
        Ok(format!("Found in the {table} table\n{routes}"))
    }

    /// The kernel's switches as the shell found or set them.
    pub fn note_forwarding(&mut self, ipv4: bool, ipv6: bool) {
        self.forwarding = (ipv4, ipv6);
    }

    /// Values for completion.
    pub fn complete(&self, variable: &str) -> Vec<String> {
        match variable {
            "IFNAME" | "INTERFACE" => {
                self.interfaces.links().map(|link| link.info.interface.name.clone()).collect()
            }
            "NAME" => self.interfaces.vrfs().map(|(_, vrf)| vrf.name.clone()).collect(),
            _ => Vec::new(),
        }
    }
}

/// A view as text or, where asked, as JSON.
fn render<V: std::fmt::Display + serde::Serialize>(view: &V, args: &Args) -> String {
    if args.has("json") { pretty(view) } else { view.to_string() }
}
