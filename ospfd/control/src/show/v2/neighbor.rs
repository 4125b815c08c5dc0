//! `show ip ospf neighbor …`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use ferrite_ospf::config::NetworkType;
use ferrite_ospf::interface::Interface;
use ferrite_ospf::neighbor::{Neighbor, State};
use ferrite_ospf::packet::V2;
use indexmap::IndexMap;
use serde::Serialize;

use super::restart;
use crate::show::{At, Named, text};

/// A line of the table.
#[derive(Serialize)]
pub struct Row {
    #[serde(skip)]
    id: String,
    #[serde(rename = "nbrState")]
    state: String,
    #[serde(rename = "nbrPriority")]
    priority: u8,
    converged: &'static str,
    role: &'static str,
    #[serde(rename = "upTimeInMsec")]
    up_millis: u64,
    #[serde(rename = "routerDeadIntervalTimerDueMsec")]
    dead_millis: u64,
    #[serde(rename = "upTime")]
    up: String,
    #[serde(rename = "deadTime")]
    dead: String,
    #[serde(rename = "ifaceAddress")]
    address: String,
    #[serde(rename = "ifaceName")]
    interface: String,
    #[serde(rename = "linkStateRetransmissionListCounter")]
    retransmit: usize,
    #[serde(rename = "linkStateRequestListCounter")]
    request: usize,
    #[serde(rename = "databaseSummaryListCounter")]
    summary: usize,
}

/// What a neighbour is on its network.
fn role(interface: &Interface, neighbor: &Neighbor) -> &'static str {
    let is = |of: Ipv4Addr| !of.is_unspecified() && neighbor.address == IpAddr::V4(of);
    if is(interface.designated) {
        "DR"
    } else if is(interface.backup) {
        "Backup"
    } else {
        "DROther"
    }
}

fn state(interface: &Interface, neighbor: &Neighbor) -> String {
    let role = match interface.config.network {
        NetworkType::PointToPoint => "-",
        _ => role(interface, neighbor),
    };
    format!("{}/{role}", text::neighbor_state(neighbor.state))
}

fn own_address(interface: &Interface) -> Option<IpAddr> {
    interface.way().map(|way| way.source).or(interface.link.address)
}

impl Row {
    fn new(at: At<'_, V2>, interface: &Named<'_>, neighbor: &Neighbor) -> Self {
        let up = neighbor.progressed.map(|since| at.now.since(since)).unwrap_or_default();
        let dead = neighbor.dead_at().map(|until| until.since(at.now)).unwrap_or_default();
        let name = match (own_address(interface.core), interface.core.is_virtual()) {
            (Some(address), false) => format!("{}:{address}", interface.name),
            _ => interface.name.clone(),
        };
        Self {
            id: neighbor.id.to_string(),
            state: state(interface.core, neighbor),
            priority: neighbor.priority,
            converged: text::neighbor_state(neighbor.state),
            role: role(interface.core, neighbor),
            up_millis: text::millis(up),
            dead_millis: text::millis(dead),
            up: text::elapsed(up),
            dead: text::elapsed(dead),
            address: neighbor.address.to_string(),
            interface: name,
            retransmit: neighbor.retransmissions(),
            request: neighbor.open_requests(),
            summary: neighbor.summaries(),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<15} {:>3} {:<15} {:<15} {:>9} {:<15} {:<32} {:>5} {:>5} {:>5}",
            self.id,
            self.priority,
            self.state,
            self.up,
            self.dead,
            self.address,
            self.interface,
            self.retransmit,
            self.request,
            self.summary
        )
    }
}

/// A neighbour in full.
#[derive(Serialize)]
pub struct Detail {
    #[serde(skip)]
    id: String,
    #[serde(rename = "ifaceAddress")]
    address: String,
    #[serde(rename = "areaId")]
    area: String,
    #[serde(rename = "ifaceName")]
    interface: String,
    #[serde(rename = "localIfaceAddress", skip_serializing_if = "Option::is_none")]
    own: Option<IpAddr>,
    #[serde(rename = "nbrPriority")]
    priority: u8,
    #[serde(rename = "nbrState")]
    state: String,
    role: &'static str,
    #[serde(rename = "stateChangeCounter")]
    changes: u32,
    #[serde(rename = "lsaRetransmissions")]
    retransmitted: u64,
    #[serde(rename = "lastPrgrsvChangeMsec", skip_serializing_if = "Option::is_none")]
    progressed: Option<u64>,
    #[serde(rename = "lastRegressiveChangeMsec", skip_serializing_if = "Option::is_none")]
    regressed: Option<u64>,
    #[serde(rename = "lastRegressiveChangeReason", skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(rename = "routerDesignatedId", skip_serializing_if = "Option::is_none")]
    designated: Option<String>,
    #[serde(rename = "routerDesignatedBackupId", skip_serializing_if = "Option::is_none")]
    backup: Option<String>,
    #[serde(rename = "optionsCounter")]
    option_bits: u32,
    #[serde(rename = "optionsList")]
    options: String,
    #[serde(rename = "routerDeadIntervalTimerDueMsec")]
    dead: u64,
    #[serde(rename = "databaseSummaryListCounter")]
    summary: usize,
    #[serde(rename = "linkStateRequestListCounter")]
    request: usize,
    #[serde(rename = "linkStateRetransmissionListCounter")]
    retransmit: usize,
    #[serde(rename = "threadInactivityTimer", skip_serializing_if = "Option::is_none")]
    inactivity: Option<&'static str>,
    #[serde(rename = "threadDatabaseDescriptionRetransmission", skip_serializing_if = "Option::is_none")]
    describes: Option<&'static str>,
    #[serde(rename = "threadLinkStateRequestRetransmission", skip_serializing_if = "Option::is_none")]
    requests: Option<&'static str>,
    #[serde(rename = "threadLinkStateUpdateRetransmission", skip_serializing_if = "Option::is_none")]
    updates: Option<&'static str>,
    #[serde(flatten)]
    help: restart::Status,
}

fn on(running: bool) -> Option<&'static str> {
    running.then_some("on")
}

/// The router ID behind an address of a network's designated routers.
fn router_of(at: At<'_, V2>, interface: &Interface, address: Ipv4Addr) -> Option<String> {
    if address.is_unspecified() {
        return None;
    }
    if interface.link.address == Some(IpAddr::V4(address)) {
        return Some(at.process.core.id().to_string());
    }
    let known = interface.neighbors.values().find(|neighbor| neighbor.address == IpAddr::V4(address));
    Some(known.map_or(address.to_string(), |neighbor| neighbor.id.to_string()))
}

impl Detail {
    fn new(at: At<'_, V2>, interface: &Named<'_>, neighbor: &Neighbor) -> Self {
        let core = interface.core;
        let ago = |since| text::millis(at.now.since(since));
        let elects = core.config.network.elects();
        let named = |address: Ipv4Addr| if elects { router_of(at, core, address) } else { None };
        Self {
            id: neighbor.id.to_string(),
            address: neighbor.address.to_string(),
            area: text::area(core.config.area, at.area_kind(core.config.area)),
            interface: interface.name.clone(),
            own: own_address(core),
            priority: neighbor.priority,
            state: state(core, neighbor),
            role: role(core, neighbor),
            changes: neighbor.changes,
            retransmitted: neighbor.retransmitted,
            progressed: neighbor.progressed.map(ago),
            regressed: neighbor.regressed.map(|(since, _)| ago(since)),
            reason: neighbor.regressed.map(|(_, event)| event_name(event)),
            designated: named(core.designated),
            backup: named(core.backup),
            option_bits: neighbor.options.0,
            options: text::options(neighbor.options),
            dead: neighbor.dead_at().map_or(0, |until| text::millis(until.since(at.now))),
            summary: neighbor.summaries(),
            request: neighbor.open_requests(),
            retransmit: neighbor.retransmissions(),
            inactivity: on(neighbor.dead_at().is_some()),
            describes: on(matches!(neighbor.state, State::ExStart | State::Exchange)),
            // FRR's timer runs on when nothing is left to ask for.
            requests: on(neighbor.state >= State::Exchange),
            updates: on(neighbor.retransmits_at().is_some()),
            help: restart::Status::new(neighbor),
        }
    }
}

fn event_name(event: ferrite_ospf::neighbor::fsm::Event) -> &'static str {
    use ferrite_ospf::neighbor::fsm::Event;
    match event {
        Event::HelloReceived => "HelloReceived",
        Event::Start => "Start",
        Event::TwoWayReceived => "2-WayReceived",
        Event::NegotiationDone => "NegotiationDone",
        Event::ExchangeDone => "ExchangeDone",
        Event::BadLsReq => "BadLSReq",
        Event::LoadingDone => "LoadingDone",
        Event::AdjOk => "AdjOK?",
        Event::SeqNumberMismatch => "SeqNumberMismatch",
        Event::OneWay => "1-WayReceived",
        Event::KillNbr => "KillNbr",
        Event::InactivityTimer => "InactivityTimer",
        Event::LlDown => "LLDown",
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |millis: u64| text::elapsed(Duration::from_millis(millis));
        let thread = |on: Option<&'static str>| on.unwrap_or("off");
        writeln!(f, " Neighbor {}, interface address {}", self.id, self.address)?;
        write!(f, "    In the area {} via interface {}", self.area, self.interface)?;
        match self.own {
            Some(own) => writeln!(f, " local interface IP {own}")?,
            None => writeln!(f)?,
        }
        writeln!(
            f,
            "    Neighbor priority is {}, State is {}, Role is {},    {} state changes",
            self.priority, self.state, self.role, self.changes
        )?;
        writeln!(f, "    {} LSA retransmissions", self.retransmitted)?;
        if self.progressed.is_some() || self.regressed.is_some() {
            writeln!(f, "    Most recent state change statistics:")?;
        }
        if let Some(since) = self.progressed {
            writeln!(f, "      Progressive change {} ago", time(since))?;
        }
        if let (Some(since), Some(reason)) = (self.regressed, self.reason) {
            writeln!(f, "      Regressive change {} ago, due to {reason}", time(since))?;
        }
        match &self.designated {
            Some(router) => write!(f, "    DR is {router}, ")?,
            None => writeln!(f, "    No designated router on this network")?,
        }
        match &self.backup {
            Some(router) => writeln!(f, "    BDR is {router}")?,
            None => writeln!(f, "    No backup designated router on this network")?,
        }
        writeln!(f, "    Options {} {}", self.option_bits, self.options)?;
        writeln!(f, "    Dead timer due in {}", time(self.dead))?;
        writeln!(f, "    Database Summary List {}", self.summary)?;
        writeln!(f, "    Link State Request List {}", self.request)?;
        writeln!(f, "    Link State Retransmission List {}", self.retransmit)?;
        writeln!(f, "    Thread Inactivity Timer {}", thread(self.inactivity))?;
        writeln!(f, "    Thread Database Description Retransmision {}", thread(self.describes))?;
        writeln!(f, "    Thread Link State Request Retransmission {}", thread(self.requests))?;
        writeln!(f, "    Thread Link State Update Retransmission {}", thread(self.updates))?;
        writeln!(f, "\n{}", self.help)
    }
}

/// Which neighbours, and how their JSON is wrapped.
#[derive(Clone, Copy, Default)]
pub struct Choice<'a> {
    pub detail: bool,
    /// Neighbours that are named and not up too.
    pub all: bool,
    pub interface: Option<&'a str>,
    pub router: Option<Ipv4Addr>,
}

/// Neighbours by their router ID.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Neighbors {
    Under { neighbors: IndexMap<String, Vec<One>> },
    Bare(IndexMap<String, Vec<One>>),
}

#[derive(Serialize)]
#[serde(untagged)]
pub enum One {
    Row(Row),
    Detail(Box<Detail>),
}

/// What is shown; a table has a heading unless one neighbour was asked for.
#[derive(Serialize)]
pub struct View {
    #[serde(flatten)]
    neighbors: Neighbors,
    #[serde(skip)]
    heading: bool,
}

impl View {
    pub fn new(at: At<'_, V2>, choice: Choice<'_>) -> Self {
        let mut found: IndexMap<String, Vec<One>> = IndexMap::new();
        let interfaces = at.interfaces();
        let wanted = interfaces.iter().filter(|i| choice.interface.is_none_or(|name| name == i.name));
        for interface in wanted {
            let wanted = interface.core.neighbors.values().filter(|neighbor| {
                (choice.all || neighbor.state > State::Down)
                    && choice.router.is_none_or(|router| router == neighbor.id.0)
            });
            for neighbor in wanted {
                let one = if choice.detail {
                    One::Detail(Box::new(Detail::new(at, interface, neighbor)))
                } else {
                    One::Row(Row::new(at, interface, neighbor))
                };
                found.entry(neighbor.id.to_string()).or_default().push(one);
            }
        }
        let bare = choice.all || choice.interface.is_some() || choice.router.is_some();
        let neighbors = if bare { Neighbors::Bare(found) } else { Neighbors::Under { neighbors: found } };
        Self { neighbors, heading: !choice.detail && choice.router.is_none() }
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.heading {
            writeln!(
                f,
                "\n{:<15} {:>3} {:<15} {:<15} {:>9} {:<15} {:<32} {:>5} {:>5} {:>5}",
                "Neighbor ID",
                "Pri",
                "State",
                "Up Time",
                "Dead Time",
                "Address",
                "Interface",
                "RXmtL",
                "RqstL",
                "DBsmL"
            )?;
        }
        let (Neighbors::Under { neighbors } | Neighbors::Bare(neighbors)) = &self.neighbors;
        for one in neighbors.values().flatten() {
            match one {
                One::Row(row) => row.fmt(f)?,
                One::Detail(detail) => detail.fmt(f)?,
            }
        }
        writeln!(f)
    }
}
