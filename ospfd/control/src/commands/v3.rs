//! `show ipv6 ospf6 …`, and of the processes that route IPv4 `show ip ospf6 …`.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::Ipv4Addr;

use ferrite_cli::{Args, CliError, ExecCommand};
use ferrite_ospf::packet::{AreaId, Inet4, Inet6, V3};
use ferrite_types::ids::RouterId;
use ferrite_types::{Afi, Timestamp};
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::json;

use super::v2::vrfs;
use super::{Command, Commands};
use crate::Ospf;
use crate::process::{Process, ProcessName};
use crate::settings::Configured;
use crate::show::v2::restart::Helper;
use crate::show::v2::summary::Summaries;
use crate::show::v2::traffic::Traffic;
use crate::show::v3::border::{LinkState, Routers, Wanted};
use crate::show::v3::database::{Database, Query as DatabaseQuery};
use crate::show::v3::interface::{Interfaces, Prefixes};
use crate::show::v3::neighbor::{Form, View as Neighbors};
use crate::show::v3::process::Summary;
use crate::show::v3::redistribute::{Redistribution, Zebra};
use crate::show::v3::route::{Query as RouteQuery, View as Routes};
use crate::show::v3::tree::Trees;
use crate::show::{At, OfVrf, Scope, help, pretty, render, vrf_name};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Show3 {
    Process,
    Neighbors,
    DrChoice,
    Interface,
    Prefixes,
    Traffic,
    Database,
    Route,
    BorderRouters,
    LinkState,
    Tree,
    Simulate,
    SummaryAddress,
    Helper,
    Redistribute,
    Zebra,
    Vrfs,
}

const VRF: &str = "[vrf <NAME$vrf_name|all$vrf_name>]";
const TYPES: &str = "<router|network|inter-prefix|inter-router|as-external|group-membership|type-7|link|intra-prefix>$lsatype";
const FORM: &str = "[<detail|dump|internal>] [json]";

pub fn register(registry: &mut Commands) {
    register_for::<Inet6>(registry);
    register_for::<Inet4>(registry);
}

fn register_for<F: Configured>(registry: &mut Commands) {
    let word = F::WORD;
    let mut show = |tail: &str, what: Show3| {
        let tail = if F::AFI == Afi::Ipv4 { tail.replace("X:X::X:X", "A.B.C.D") } else { tail.to_owned() };
        let syntax = format!("show {word} ospf6 {VRF} {tail}");
        let texts = help::texts(&syntax);
        registry.exec(ExecCommand::new(syntax, &texts, Command::Show3(what, F::AFI)));
    };
    show("[json]", Show3::Process);
    show("neighbor [detail] [json]", Show3::Neighbors);
    show("neighbor drchoice [json]", Show3::DrChoice);
    show("neighbor A.B.C.D$rid [json]", Show3::Neighbors);
    show("interface [IFNAME$ifname] [json]", Show3::Interface);
    let prefixes = "[<detail|<X:X::X:X$address|X:X::X:X/M$pfx> [<match|detail>]>] [json]";
    show(&format!("interface IFNAME$ifname prefix {prefixes}"), Show3::Prefixes);
    show(&format!("interface prefix {prefixes}"), Show3::Prefixes);
    show("interface traffic [IFNAME$ifname] [json]", Show3::Traffic);
    show("border-routers [<A.B.C.D$rid|detail>]", Show3::BorderRouters);
    show("linkstate <router A.B.C.D$rid|network A.B.C.D$rid A.B.C.D$lsid>", Show3::LinkState);
    show("linkstate detail", Show3::LinkState);
    show("area A.B.C.D$areaid spf tree", Show3::Tree);
    show("spf tree [json]", Show3::Tree);
    show("simulate spf-tree A.B.C.D$rid area A.B.C.D$areaid", Show3::Simulate);
    show("redistribute [json]", Show3::Redistribute);
    show("summary-address [detail] [json]", Show3::SummaryAddress);
    show("graceful-restart helper [detail] [json]", Show3::Helper);
    show("zebra [json]", Show3::Zebra);
    let path = "<intra-area|inter-area|external-1|external-2>$pathtype";
    show(&format!("route [<{path}|X:X::X:X$address|X:X::X:X/M$pfx|detail|summary>] [json]"), Show3::Route);
    show("route X:X::X:X/M$pfx <match|longer> [json]", Show3::Route);
    show("route X:X::X:X/M$pfx match detail [json]", Show3::Route);
    show(&format!("route {path} detail [json]"), Show3::Route);
    database(&mut show);
    let syntax = format!("show {word} ospf6 vrfs [json]");
    let texts = help::texts(&syntax);
    registry.exec(ExecCommand::new(syntax, &texts, Command::Show3(Show3::Vrfs, F::AFI)));
}

fn database(show: &mut impl FnMut(&str, Show3)) {
    let mut add = |tail: String| show(&format!("database {tail}"), Show3::Database);
    add(FORM.to_owned());
    add(format!("<*|linkstate-id> A.B.C.D$lsid {FORM}"));
    add(format!("adv-router A.B.C.D$adv linkstate-id A.B.C.D$lsid {FORM}"));
    add(format!("* A.B.C.D$lsid A.B.C.D$adv {FORM}"));
    add("<*|adv-router> * A.B.C.D$adv <detail|dump|internal> [json]".to_owned());
    add(format!("self-originated {FORM}"));
    add(format!("{TYPES} {FORM}"));
    add(format!("{TYPES} adv-router A.B.C.D$adv linkstate-id A.B.C.D$lsid [<dump|internal>] [json]"));
    add(format!("{TYPES} linkstate-id A.B.C.D$lsid {FORM}"));
    add(format!("{TYPES} A.B.C.D$lsid A.B.C.D$adv [<dump|internal>] [json]"));
    add(format!("{TYPES} A.B.C.D$lsid self-originated {FORM}"));
    add(format!("{TYPES} <*|adv-router> A.B.C.D$adv {FORM}"));
    add(format!("{TYPES} self-originated {FORM}"));
    add(format!("{TYPES} self-originated linkstate-id A.B.C.D$lsid {FORM}"));
}

/// FRR's ospf6d prints the answers of several VRFs one after the other, without their names but for a few shows.
fn answer<F: Configured, T: Serialize + Display>(
    ats: &[At<'_, V3<F>>],
    scope: Scope<'_>,
    json: bool,
    build: impl Fn(At<'_, V3<F>>) -> Result<T, CliError>,
) -> Result<String, CliError> {
    if ats.is_empty() && scope != Scope::All {
        return Ok(absent(json));
    }
    let texts = ats.iter().map(|at| Ok(render(&build(*at)?, json)));
    texts.collect::<Result<String, CliError>>()
}

fn absent(json: bool) -> String {
    if json { pretty(&json!({})) } else { "% OSPFv3 instance not found\n".to_owned() }
}

/// A view under the name of its VRF, even where only one is asked for.
fn named<F: Configured, T: Serialize + Display>(
    ats: &[At<'_, V3<F>>],
    json: bool,
    build: impl Fn(At<'_, V3<F>>) -> T,
) -> String {
    if !json {
        return ats.iter().map(|at| format!("VRF Name: {}\n{}", vrf_name(at.process), build(*at))).collect();
    }
    let view = |at: &At<'_, V3<F>>| {
        let name = vrf_name(at.process).to_owned();
        (name.clone(), OfVrf { name, id: at.process.vrf.0, view: build(*at) })
    };
    pretty(&ats.iter().map(view).collect::<IndexMap<_, _>>())
}

fn links<F: Configured>(ospf: &Ospf, at: At<'_, V3<F>>, ifname: Option<&str>) -> Interfaces {
    let kernel = ospf.world.links.values().map(|link| &link.interface);
    Interfaces::new(at, ifname, kernel)
}

pub fn run<F: Configured>(
    ospf: &Ospf,
    processes: &BTreeMap<ProcessName, Process<V3<F>>>,
    now: Timestamp,
    show: Show3,
    args: &Args,
) -> Result<String, CliError> {
    let scope = Scope::of(args);
    let settings = &*ospf.world.settings;
    let held = processes.iter().filter(|(_, process)| scope.holds(process));
    let routers = F::routers(settings);
    let ats =
        held.filter_map(|(name, process)| Some(At { process, settings, router: routers.get(name)?, now }));
    let ats: Vec<At<'_, V3<F>>> = ats.collect();
    let (json, detail, ifname) = (args.has("json"), args.has("detail"), args.get("ifname"));
    let router = args.parse_opt::<Ipv4Addr>("rid")?;
    match show {
        Show3::Process => answer(&ats, scope, json, |at| Ok(Summary::new(at))),
        Show3::Neighbors => {
            let form = if detail || router.is_some() { Form::Details(router) } else { Form::Table };
            answer(&ats, scope, json, |at| Ok(Neighbors::new(at, form)))
        }
        Show3::DrChoice => answer(&ats, scope, json, |at| Ok(Neighbors::new(at, Form::Choices))),
        Show3::Interface => {
            match ifname
                .filter(|_| !ats.is_empty() && ats.iter().all(|at| links(ospf, *at, ifname).is_empty()))
            {
                Some(name) if json => Ok(pretty(&json!({ "noSuchInterface": name }))),
                Some(name) => Ok(format!("No such Interface: {name}\n")),
                None => answer(&ats, scope, json, |at| Ok(links(ospf, at, ifname))),
            }
        }
        Show3::Prefixes => {
            let query = RouteQuery::of(args)?;
            let absent = |name: &&str| ats.iter().all(|at| links(ospf, *at, Some(*name)).is_empty());
            match ifname.filter(|_| !ats.is_empty() && !json).filter(absent) {
                Some(name) => Ok(format!("No such Interface: {name}\n")),
                None => answer(&ats, scope, json, |at| Ok(Prefixes::new(at, ifname, query))),
            }
        }
        Show3::Traffic => answer(&ats, scope, json, |at| Ok(Traffic::new(at, ifname))),
        Show3::Database => answer(&ats, scope, json, |at| {
            Ok(Database::new(at, DatabaseQuery::of(args, at.process.core.id())?))
        }),
        Show3::Route => {
            let query = RouteQuery::of(args)?;
            answer(&ats, scope, json, |at| Ok(Routes::new(at, query)))
        }
        Show3::BorderRouters => answer(&ats, scope, false, |at| Ok(Routers::new(at, router, detail))),
        Show3::LinkState => {
            let id = args.parse_opt::<Ipv4Addr>("lsid")?;
            let wanted = match (router, id) {
                (Some(router), Some(id)) => Wanted::Network(RouterId(router), id.to_bits()),
                (Some(router), None) => Wanted::Router(RouterId(router)),
                (None, _) => Wanted::All,
            };
            Ok(ats.iter().map(|at| LinkState::new(*at, wanted).to_string()).collect())
        }
        Show3::Tree => {
            let area = args.parse_opt::<Ipv4Addr>("areaid")?.map(AreaId);
            answer(&ats, scope, json, |at| Ok(Trees::new(at, area)))
        }
        Show3::Simulate => {
            let (router, area) = (RouterId(args.parse("rid")?), AreaId(args.parse("areaid")?));
            answer(&ats, scope, false, |at| Trees::of(at, area, router))
        }
        Show3::SummaryAddress if ats.is_empty() => Ok(absent(json)),
        Show3::SummaryAddress => Ok(named(&ats, json, |at| Summaries::new(at, detail))),
        Show3::Helper => answer(&ats, scope, json, |at| Ok(Helper::new(at, detail))),
        Show3::Redistribute => answer(&ats, scope, json, |at| Ok(Redistribution::new(at, &ospf.world))),
        Show3::Zebra => answer(&ats, scope, json, |at| Ok(Zebra::new(at))),
        Show3::Vrfs => Ok(vrfs(processes.values().map(|p| (vrf_name(p), p.vrf.0, p.core.id())), json)),
    }
}
