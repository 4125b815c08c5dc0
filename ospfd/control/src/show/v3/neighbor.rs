//! `show ipv6 ospf6 neighbor …`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use ferrite_ospf::config::NetworkType;
use ferrite_ospf::interface::Interface;
use ferrite_ospf::neighbor::{Neighbor, State};
use ferrite_ospf::packet::V3;
use indexmap::IndexMap;
use serde::Serialize;

use crate::settings::Configured;
use crate::show::{At, Named, text};

/// What a neighbour is on the link.
fn role(interface: &Interface, neighbor: &Neighbor) -> &'static str {
    match interface.config.network {
        NetworkType::PointToPoint | NetworkType::Virtual => "PointToPoint",
        NetworkType::PointToMultipoint => "PtMultipoint",
        _ if neighbor.id.0 == interface.designated => "DR",
        _ if neighbor.id.0 == interface.backup => "BDR",
        _ => "DROther",
    }
}

fn interface_state(interface: &Interface) -> &'static str {
    match (interface.config.network, interface.state) {
        (NetworkType::PointToMultipoint, ferrite_ospf::interface::State::PointToPoint) => "PtMultipoint",
        (_, state) => text::interface_state6(state),
    }
}

#[derive(Serialize)]
pub struct Row {
    #[serde(rename = "neighborId")]
    id: String,
    priority: u8,
    #[serde(rename = "deadTime")]
    dead: String,
    state: &'static str,
    #[serde(rename = "ifState")]
    role: &'static str,
    duration: String,
    #[serde(rename = "interfaceName")]
    interface: String,
    #[serde(rename = "interfaceState")]
    interface_state: &'static str,
}

#[derive(Serialize)]
pub struct Choice {
    #[serde(rename = "routerId")]
    id: String,
    state: &'static str,
    duration: String,
    #[serde(rename = "dRouter")]
    designated: Ipv4Addr,
    #[serde(rename = "bdRouter")]
    backup: Ipv4Addr,
    #[serde(rename = "interfaceName")]
    interface: String,
    #[serde(rename = "interfaceState")]
    interface_state: &'static str,
}

fn since<F: Configured>(at: At<'_, V3<F>>, neighbor: &Neighbor) -> String {
    text::clock(at.now.since(neighbor.since))
}

impl Row {
    fn new<F: Configured>(at: At<'_, V3<F>>, interface: &Named<'_>, neighbor: &Neighbor) -> Self {
        let dead = neighbor.dead_at().map(|until| until.since(at.now)).unwrap_or_default();
        Self {
            id: neighbor.id.to_string(),
            priority: neighbor.priority,
            dead: text::clock(dead),
            state: text::neighbor_state6(neighbor.state),
            role: role(interface.core, neighbor),
            duration: since(at, neighbor),
            interface: interface.name.clone(),
            interface_state: interface_state(interface.core),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<15} {:>3} {:>11} {:>8}/{:<12} {:>11} {}[{}]",
            self.id,
            self.priority,
            self.dead,
            self.state,
            self.role,
            self.duration,
            self.interface,
            self.interface_state
        )
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<15} {:>8}/{:<11} {:<15} {:<15} {}[{}]",
            self.id,
            self.state,
            self.duration,
            self.designated,
            self.backup,
            self.interface,
            self.interface_state
        )
    }
}

/// A neighbour in full. FRR's lists and threads of what waits to be sent have no place here: what there is to send is sent with the
/// event that asks for it.
#[derive(Serialize)]
pub struct Detail {
    area: String,
    interface: String,
    #[serde(rename = "interfaceIndex")]
    ifindex: u32,
    #[serde(rename = "neighborInterfaceIndex")]
    neighbor_ifindex: u32,
    #[serde(rename = "localLinkLocalAddress", skip_serializing_if = "Option::is_none")]
    own: Option<IpAddr>,
    #[serde(rename = "linkLocalAddress")]
    address: IpAddr,
    #[serde(rename = "neighborState")]
    state: &'static str,
    #[serde(rename = "neighborStateDuration")]
    duration: String,
    #[serde(rename = "neighborDRouter")]
    designated: Ipv4Addr,
    #[serde(rename = "neighborBdRouter")]
    backup: Ipv4Addr,
    #[serde(rename = "dbDescStatus")]
    exchange: &'static str,
    #[serde(rename = "dbDescSeqNumber")]
    sequence: u32,
    #[serde(rename = "summaryListCount")]
    summaries: usize,
    #[serde(rename = "summaryListLsa")]
    summary_list: Vec<String>,
    #[serde(rename = "requestListCount")]
    requests: usize,
    #[serde(rename = "requestListLsa")]
    request_list: Vec<String>,
    #[serde(rename = "reTransListCount")]
    retransmissions: usize,
    #[serde(rename = "reTransListLsa")]
    retransmission_list: Vec<String>,
    #[serde(flatten)]
    pending: IndexMap<String, serde_json::Value>,
    #[serde(rename = "authStatus")]
    authentication: &'static str,
    #[serde(skip)]
    priority: u8,
}

fn name_of(key: &ferrite_ospf::packet::LsaKey) -> String {
    format!("{} Id:{} Adv:{}", super::lsa::names(key.ty).0, key.id, key.adv)
}

/// What FRR says of its threads; ours never wait.
pub fn pending(kinds: &[(&str, &str)]) -> IndexMap<String, serde_json::Value> {
    let mut map = IndexMap::new();
    for (kind, thread) in kinds {
        map.insert(format!("pendingLsa{kind}Count"), 0.into());
        map.insert(format!("pendingLsa{kind}Time"), "00:00:00".into());
        map.insert(format!("{thread}SendThread"), "off".into());
        map.insert(format!("pendingLsa{kind}"), serde_json::Value::Array(Vec::new()));
    }
    map
}

const THREADS: [(&str, &str); 4] =
    [("DbDesc", "dbDesc"), ("LsReq", "lsReq"), ("LsUpdate", "lsUpdate"), ("LsAck", "lsAck")];

impl Detail {
    fn new<F: Configured>(at: At<'_, V3<F>>, interface: &Named<'_>, neighbor: &Neighbor) -> Self {
        let core = interface.core;
        let kept: Vec<String> = neighbor.retransmission_list().map(name_of).collect();
        let asked: Vec<String> = neighbor.request_list().map(|header| name_of(&header.key)).collect();
        Self {
            area: at.area6(core.config.area),
            interface: interface.name.clone(),
            ifindex: core.link.ifindex.0,
            neighbor_ifindex: neighbor.interface,
            own: core.link.address,
            address: neighbor.address,
            state: text::neighbor_state6(neighbor.state),
            duration: since(at, neighbor),
            designated: neighbor.designated,
            backup: neighbor.backup,
            exchange: if neighbor.is_slave() { "Slave" } else { "Master" },
            sequence: neighbor.description_sequence(),
            summaries: neighbor.summaries(),
            summary_list: Vec::new(),
            requests: asked.len(),
            request_list: asked,
            retransmissions: kept.len(),
            retransmission_list: kept,
            pending: pending(&THREADS),
            authentication: if core.config.authentication.signs() { "enabled" } else { "disabled" },
            priority: neighbor.priority,
        }
    }

    fn write(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, " Neighbor {name}")?;
        writeln!(f, "    Area {} via interface {} (ifindex {})", self.area, self.interface, self.ifindex)?;
        writeln!(f, "    His IfIndex: {} Link-local address: {}", self.neighbor_ifindex, self.address)?;
        writeln!(f, "    State {} for a duration of {}", self.state, self.duration)?;
        let (designated, backup) = (self.designated, self.backup);
        writeln!(f, "    His choice of DR/BDR {designated}/{backup}, Priority {}", self.priority)?;
        writeln!(f, "    DbDesc status: {} SeqNum: {:#x}", self.exchange, self.sequence)?;
        writeln!(f, "    Summary-List: {} LSAs", self.summaries)?;
        writeln!(f, "    Request-List: {} LSAs", self.requests)?;
        self.request_list.iter().try_for_each(|name| writeln!(f, "      [{name}]"))?;
        writeln!(f, "    Retrans-List: {} LSAs", self.retransmissions)?;
        self.retransmission_list.iter().try_for_each(|name| writeln!(f, "      [{name}]"))?;
        for kind in ["DbDesc", "LSReq", "LSUpdate", "LSAck"] {
            writeln!(f, "    0 Pending LSAs for {kind} in Time 00:00:00 [thread off]")?;
        }
        match self.authentication {
            "enabled" => writeln!(f, "    Authentication header present"),
            _ => writeln!(f, "    Authentication header not present"),
        }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
pub enum View {
    Table { neighbors: Vec<Row> },
    Choices { neighbors: Vec<Choice> },
    Details(IndexMap<String, Detail>),
}

/// Which form is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Table,
    Choices,
    Details(Option<Ipv4Addr>),
}

impl View {
    pub fn new<F: Configured>(at: At<'_, V3<F>>, form: Form) -> Self {
        let interfaces = by_area(at);
        let all = interfaces.iter().flat_map(|interface| {
            let up = interface.core.neighbors.values().filter(|neighbor| neighbor.state > State::Down);
            up.map(move |neighbor| (interface, neighbor))
        });
        match form {
            Form::Table => Self::Table { neighbors: all.map(|(i, n)| Row::new(at, i, n)).collect() },
            Form::Choices => {
                let choice = |(interface, neighbor): (&Named<'_>, &Neighbor)| Choice {
                    id: neighbor.id.to_string(),
                    state: text::neighbor_state6(neighbor.state),
                    duration: since(at, neighbor),
                    designated: neighbor.designated,
                    backup: neighbor.backup,
                    interface: interface.name.clone(),
                    interface_state: interface_state(interface.core),
                };
                Self::Choices { neighbors: all.map(choice).collect() }
            }
            Form::Details(router) => {
                let wanted = all.filter(|(_, neighbor)| router.is_none_or(|router| router == neighbor.id.0));
                Self::Details(
                    wanted.map(|(i, n)| (format!("{}%{}", n.id, i.name), Detail::new(at, i, n))).collect(),
                )
            }
        }
    }
}

/// Interfaces in FRR's order: area by area.
pub fn by_area<F: Configured>(at: At<'_, V3<F>>) -> Vec<Named<'_>> {
    let mut interfaces = at.interfaces();
    interfaces.sort_by_key(|interface| interface.core.config.area);
    interfaces
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table { neighbors } => {
                writeln!(
                    f,
                    "{:<15} {:>3} {:>11} {:>8}/{:<12} {:>11} I/F[State]",
                    "Neighbor ID", "Pri", "DeadTime", "State", "IfState", "Duration"
                )?;
                neighbors.iter().try_for_each(|row| row.fmt(f))
            }
            Self::Choices { neighbors } => {
                writeln!(
                    f,
                    "{:<15} {:>8}/{:<11} {:<15} {:<15} I/F[State]",
                    "RouterID", "State", "Duration", "DR", "BDR"
                )?;
                neighbors.iter().try_for_each(|row| row.fmt(f))
            }
            Self::Details(neighbors) => neighbors.iter().try_for_each(|(name, detail)| detail.write(name, f)),
        }
    }
}
