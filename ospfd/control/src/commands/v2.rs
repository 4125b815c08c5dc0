//! `show ip ospf …`: which processes a line asks for, and what it prints of each.

use std::fmt::{self, Display};

use ferrite_cli::{Args, CliError, ExecCommand};
use ferrite_ospf::packet::V2;
use ferrite_types::Timestamp;
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::json;

use super::{Command, Commands};
use crate::Ospf;
use crate::show::v2::border::Routers;
use crate::show::v2::database::Database;
use crate::show::v2::information::{PceInfo, Reachable, RouterInfo};
use crate::show::v2::interface::Interfaces;
use crate::show::v2::neighbor::{Choice, View as Neighbors};
use crate::show::v2::process::Summary;
use crate::show::v2::restart::Helper;
use crate::show::v2::route::Table;
use crate::show::v2::summary::Summaries;
use crate::show::v2::traffic::Traffic;
use crate::show::v2::{ldp_sync, te};
use crate::show::{At, OfVrf, Scope, help, pretty, render, vrf_name};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Show2 {
    Process,
    Neighbors,
    Interface,
    Traffic,
    Database,
    Route,
    BorderRouters,
    SummaryAddress,
    Helper,
    RouterInfo,
    Vrfs,
    Reachable,
    TeInterface,
    TeRouter,
    TeDatabase,
    Pce,
    LdpSync,
}

const VRF: &str = "[vrf <NAME$vrf_name|all$vrf_name>]";
const NUMBER: &str = "(1-65535)$instance";

fn add(registry: &mut Commands, syntax: String, show: Show2) {
    let texts = help::texts(&syntax);
    registry.exec(ExecCommand::new(syntax, &texts, Command::Show2(show)));
}

pub fn register(registry: &mut Commands) {
    for of in [VRF, NUMBER] {
        let ip = format!("show ip ospf {of}");
        let mut show = |tail: &str, what| add(registry, format!("{ip} {tail}"), what);
        show("[json]", Show2::Process);
        show("neighbor [all$every] [json]", Show2::Neighbors);
        show("neighbor detail [all$every] [json]", Show2::Neighbors);
        show("neighbor A.B.C.D$rid [detail] [json]", Show2::Neighbors);
        show("neighbor IFNAME$ifname [json]", Show2::Neighbors);
        show("neighbor IFNAME$ifname detail [json]", Show2::Neighbors);
        show("interface [INTERFACE$ifname] [json]", Show2::Interface);
        show("interface traffic [INTERFACE$ifname] [json]", Show2::Traffic);
        show("route [detail] [json]", Show2::Route);
        show("border-routers [json]", Show2::BorderRouters);
        show("reachable-routers", Show2::Reachable);
        show("summary-address [detail] [json]", Show2::SummaryAddress);
        show("graceful-restart helper [detail] [json]", Show2::Helper);
        show("database [<max-age|self-originate>] [json]", Show2::Database);
        show(
            "database <detail|<asbr-summary|external|network|router|summary|nssa-external|opaque-link|opaque-area|\
             opaque-as>$lsatype> [{A.B.C.D$lsid|<adv-router A.B.C.D$adv|self-originate>}] [json]",
            Show2::Database,
        );
        show(
            "database detail <asbr-summary|external|network|router|summary|nssa-external|opaque-link|opaque-area|\
             opaque-as>$lsatype [{A.B.C.D$lsid|<adv-router A.B.C.D$adv|self-originate>}] [json]",
            Show2::Database,
        );
    }
    add(registry, "show ip ospf vrfs [json]".to_owned(), Show2::Vrfs);
    add(registry, "show ip ospf router-info".to_owned(), Show2::RouterInfo);
    add(registry, "show ip ospf router-info pce".to_owned(), Show2::Pce);
    add(registry, "show ip ospf mpls-te interface [INTERFACE$ifname]".to_owned(), Show2::TeInterface);
    add(registry, "show ip ospf mpls-te router".to_owned(), Show2::TeRouter);
    add(
        registry,
        "show ip ospf mpls ldp-sync [interface <INTERFACE|all>$ifname] [json]".to_owned(),
        Show2::LdpSync,
    );
    let database = "show ip ospf mpls-te database [<vertex [<self-originate|adv-router A.B.C.D$adv>]|\
                    edge [A.B.C.D$edge_id]|subnet [A.B.C.D/M$prefix]>] [verbose|json]";
    add(registry, database.to_owned(), Show2::TeDatabase);
}

/// The processes that are asked for, with their blocks.
fn chosen<'a>(ospf: &'a Ospf, now: Timestamp, scope: Scope<'_>) -> Vec<At<'a, V2>> {
    let settings = &*ospf.world.settings;
    let held = ospf.v2.iter().filter(|(_, process)| scope.holds(process));
    held.filter_map(|(name, process)| Some(At { process, settings, router: settings.v2.get(name)?, now }))
        .collect()
}

/// Text with the VRF's name above it.
struct Titled<'a, T>(&'a str, T);

impl<T: Display> Display for Titled<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "VRF Name: {}", self.0)?;
        self.1.fmt(f)
    }
}

/// One view, or with `vrf all` one for each VRF.
fn answer<T: Serialize + Display>(
    ats: &[At<'_, V2>],
    scope: Scope<'_>,
    json: bool,
    build: impl Fn(At<'_, V2>) -> Result<T, CliError>,
) -> Result<String, CliError> {
    if scope != Scope::All {
        let Some(at) = ats.first() else { return Ok(absent(scope, json)) };
        return Ok(render(&build(*at)?, json));
    }
    if json {
        let mut all = IndexMap::new();
        for at in ats {
            let name = vrf_name(at.process).to_owned();
            let id = at.process.vrf.0;
            all.insert(name.clone(), OfVrf { name, id, view: build(*at)? });
        }
        return Ok(pretty(&all));
    }
    let mut text = String::new();
    for at in ats {
        text.push_str(&Titled(vrf_name(at.process), build(*at)?).to_string());
    }
    Ok(text)
}

fn absent(scope: Scope<'_>, json: bool) -> String {
    match (json, scope) {
        (true, _) => pretty(&json!({})),
        (false, Scope::Instance(number)) if number != 0 => "% OSPF instance not found\n".to_owned(),
        (false, _) => format!("% OSPF is not enabled in vrf {}\n", scope.vrf()),
    }
}

pub fn run(ospf: &Ospf, now: Timestamp, show: Show2, args: &Args) -> Result<String, CliError> {
    let scope = Scope::of(args);
    let ats = chosen(ospf, now, scope);
    let (json, detail, ifname) = (args.has("json"), args.has("detail"), args.get("ifname"));
    match show {
        Show2::Process => answer(&ats, scope, json, |at| Ok(Summary::new(at))),
        Show2::Neighbors => neighbors(&ats, scope, json, args),
        Show2::Interface => {
            let known = ats.iter().any(|at| !Interfaces::new(*at, ifname).is_empty());
            if let (Some(_), false, false) = (ifname, known, ats.is_empty()) {
                return Ok(no_interface(scope, json));
            }
            answer(&ats, scope, json, |at| Ok(Interfaces::new(at, ifname)))
        }
        Show2::Traffic => {
            let known = ats.iter().any(|at| !Traffic::new(*at, ifname).is_empty());
            if let (Some(_), false, false) = (ifname, known, ats.is_empty()) {
                return Ok(no_interface(scope, json));
            }
            answer(&ats, scope, json, |at| Ok(Traffic::new(at, ifname)))
        }
        Show2::Database => answer(&ats, scope, json, |at| Database::new(at, args)),
        Show2::Route => answer(&ats, scope, json, |at| Ok(Table::new(at, detail))),
        Show2::BorderRouters => answer(&ats, scope, json, |at| Ok(Routers::new(at))),
        Show2::SummaryAddress => answer(&ats, scope, json, |at| Ok(Summaries::new(at, detail))),
        Show2::Helper => answer(&ats, scope, json, |at| Ok(Helper::new(at, detail))),
        Show2::RouterInfo => answer(&ats, scope, json, |at| Ok(RouterInfo::new(at))),
        Show2::LdpSync => {
            let links = ats.first().and_then(|at| ldp_sync::Links::new(*at, &ospf.world, ifname));
            Ok(match links {
                Some(links) => render(&links, json),
                None if json => pretty(&json!({})),
                None => "LDP-sync is disabled\n".to_owned(),
            })
        }
        Show2::Pce => answer(&ats, scope, json, |at| Ok(PceInfo::new(at))),
        Show2::TeRouter => answer(&ats, scope, json, |at| Ok(te::Router::new(at))),
        Show2::TeInterface => {
            let links = |at: At<'_, V2>| te::Links::new(at, ospf.world.links_of(&at.process.name), ifname);
            if ifname.is_some() && ats.iter().all(|at| links(*at).is_empty()) {
                return Ok(no_interface(scope, json));
            }
            answer(&ats, scope, json, |at| Ok(links(at)))
        }
        Show2::TeDatabase => match ats.first() {
            Some(at) => te::database::show(*at, args),
            None => Ok("MPLS-TE database is not enabled\n".to_owned()),
        },
        Show2::Reachable => answer(&ats, scope, json, |at| Ok(Reachable::new(at))),
        Show2::Vrfs => Ok(vrfs(ospf.v2.values().map(|p| (vrf_name(p), p.vrf.0, p.core.id())), json)),
    }
}

fn no_interface(scope: Scope<'_>, json: bool) -> String {
    if json { pretty(&json!({})) } else { format!("No such interface name in vrf {}\n", scope.vrf()) }
}

fn neighbors(ats: &[At<'_, V2>], scope: Scope<'_>, json: bool, args: &Args) -> Result<String, CliError> {
    let choice = Choice {
        detail: args.has("detail"),
        all: args.has("every"),
        interface: args.get("ifname"),
        router: args.parse_opt("rid")?,
    };
    // FRR puts one neighbour under the name of its VRF.
    if let (true, Some(_), Some(at)) = (json && scope != Scope::All, choice.router, ats.first()) {
        let name = vrf_name(at.process).to_owned();
        return Ok(pretty(&IndexMap::from([(name, Neighbors::new(*at, choice))])));
    }
    answer(ats, scope, json, |at| Ok(Neighbors::new(at, choice)))
}

/// `vrfs`, of both versions.
pub fn vrfs<'a>(
    processes: impl Iterator<Item = (&'a str, u32, ferrite_types::ids::RouterId)>,
    json: bool,
) -> String {
    let all: Vec<(&str, u32, String)> =
        processes.map(|(name, id, router)| (name, id, router.to_string())).collect();
    if json {
        let vrfs: serde_json::Map<String, serde_json::Value> = all
            .iter()
            .map(|(name, id, router)| ((*name).to_owned(), json!({ "vrfId": id, "routerId": router })))
            .collect();
        return pretty(&json!({ "vrfs": vrfs, "totalVrfs": all.len() }));
    }
    let mut text = format!("{:<25}  {:<5}  {:<10}\n", "Name", "Id", "RouterId");
    for (name, id, router) in &all {
        text.push_str(&format!("{name:<25}  {id:<5}  {router:<16}  \n"));
    }
    text.push_str(&format!("\nTotal number of OSPF VRFs: {}\n", all.len()));
    text
}
