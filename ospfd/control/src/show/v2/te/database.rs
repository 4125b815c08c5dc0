//! The traffic engineering database: routers, their links with what these offer, and the networks behind them, of router-LSAs
//! and TE LSAs of all areas. It is made when it is asked for.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;

use ferrite_cli::{Args, CliError};
use ferrite_ospf::instance::Place;
use ferrite_ospf::lsdb::Lsdb;
use ferrite_ospf::packet::opaque::{Tlv, kind, kind_of};
use ferrite_ospf::packet::v2::{LinkKind, RouterFlags, RouterLsa, mask_len, ty};
use ferrite_ospf::packet::{LsaKey, V2};
use ferrite_types::Ipv4Prefix;
use ferrite_types::link_params::Bandwidth;
use indexmap::IndexMap;
use serde::Serialize;

use super::super::opaque::link::{Rate, TeLink};
use crate::show::{At, pretty};

const STATUS: &str = "Sync";
const ORIGIN: &str = "OSPFv2";

#[derive(Serialize)]
struct Vertex {
    #[serde(rename = "vertex-id")]
    id: u32,
    status: &'static str,
    origin: &'static str,
    #[serde(rename = "router-id")]
    router: Ipv4Addr,
    #[serde(rename = "vertex-type")]
    kind: &'static str,
    /// Of a router of another system.
    #[serde(rename = "asn", skip_serializing_if = "Option::is_none")]
    system: Option<u32>,
}

#[derive(Serialize)]
struct Edge {
    #[serde(rename = "edge-id")]
    id: Ipv4Addr,
    status: &'static str,
    origin: &'static str,
    #[serde(rename = "advertised-router")]
    router: Ipv4Addr,
    #[serde(rename = "local-vertex-id")]
    from: u32,
    #[serde(rename = "remote-vertex-id", skip_serializing_if = "Option::is_none")]
    to: Option<u32>,
    metric: u32,
    #[serde(rename = "edge-attributes")]
    attributes: Attributes,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "kebab-case")]
struct Attributes {
    #[serde(skip_serializing_if = "Option::is_none")]
    te_metric: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    admin_group: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    extended_admin_group: Vec<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    local_address: Option<Ipv4Addr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_address: Option<Ipv4Addr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_link_bandwidth: Option<Rate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_resv_link_bandwidth: Option<Rate>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreserved_bandwidth: Vec<IndexMap<String, Rate>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_asn: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_as_address: Option<Ipv4Addr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delay: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_delay: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_delay: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jitter: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    loss: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    available_bandwidth: Option<Rate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    residual_bandwidth: Option<Rate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    utilized_bandwidth: Option<Rate>,
}

impl Attributes {
    fn of(link: &TeLink) -> Self {
        let classes = link.unreserved.iter().flatten().enumerate();
        Self {
            te_metric: link.metric,
            admin_group: link.group,
            extended_admin_group: link.groups.clone(),
            local_address: link.local.first().copied(),
            remote_address: link.remote.first().copied(),
            max_link_bandwidth: link.max,
            max_resv_link_bandwidth: link.reservable,
            unreserved_bandwidth: classes
                .map(|(class, rate)| IndexMap::from([(format!("class-type-{class}"), *rate)]))
                .collect(),
            remote_asn: link.system,
            remote_as_address: link.asbr,
            delay: link.delay.as_ref().map(|delay| delay.value),
            min_delay: link.bounds.as_ref().map(|bounds| bounds.least),
            max_delay: link.bounds.as_ref().map(|bounds| bounds.most),
            jitter: link.variation,
            loss: link.loss.as_ref().map(|loss| loss.value.percent()),
            available_bandwidth: link.available,
            residual_bandwidth: link.residual,
            utilized_bandwidth: link.utilized,
        }
    }
}

#[derive(Serialize)]
struct Subnet {
    #[serde(rename = "subnet-id")]
    id: String,
    status: &'static str,
    origin: &'static str,
    #[serde(rename = "advertised-router")]
    router: Ipv4Addr,
    #[serde(rename = "vertex-id")]
    vertex: u32,
    metric: u32,
}

/// The database as a whole.
#[derive(Default)]
struct Ted {
    vertices: BTreeMap<Ipv4Addr, Vertex>,
    /// By router and its own address.
    edges: BTreeMap<Ipv4Addr, Edge>,
    subnets: BTreeMap<Ipv4Prefix, Subnet>,
}

impl Ted {
    fn new(at: At<'_, V2>) -> Self {
        let mut ted = Self::default();
        let areas = at.process.core.areas().keys().map(|area| Place::Area(*area));
        let places: Vec<Place> = areas.chain([Place::As]).collect();
        let lsdbs = || places.iter().filter_map(|place| at.process.core.lsdb(*place));
        for lsdb in lsdbs() {
            for (key, entry) in lsdb.of_type(ty::ROUTER).filter(|(_, entry)| !entry.is_max_age(at.now)) {
                if let Ok(lsa) = RouterLsa::read(entry.lsa.body()) {
                    ted.router(key.adv.0, &lsa);
                }
            }
        }
        for lsdb in lsdbs() {
            ted.links(at, lsdb);
        }
        // Links to routers that say nothing of themselves lead nowhere yet.
        let known: Vec<u32> = ted.vertices.values().map(|vertex| vertex.id).collect();
        ted.edges.values_mut().for_each(|edge| edge.to = edge.to.filter(|to| known.contains(to)));
        ted
    }

    fn vertex(&mut self, router: Ipv4Addr, kind: &'static str) -> &mut Vertex {
        let (id, status, origin) = (router.to_bits(), STATUS, ORIGIN);
        self.vertices.entry(router).or_insert(Vertex { id, status, origin, router, kind, system: None })
    }

    fn edge(&mut self, router: Ipv4Addr, own: Ipv4Addr) -> &mut Edge {
        self.edges.entry(own).or_insert_with(|| Edge {
            id: own,
            status: STATUS,
            origin: ORIGIN,
            router,
            from: router.to_bits(),
            to: None,
            metric: 0,
            attributes: Attributes { local_address: Some(own), ..Attributes::default() },
        })
    }

    fn subnet(&mut self, router: Ipv4Addr, network: Ipv4Addr, metric: u32) {
        let Some(prefix) = Ipv4Prefix::new(network, 32) else { return };
        let (status, origin, vertex) = (STATUS, ORIGIN, router.to_bits());
        self.subnets
            .insert(prefix, Subnet { id: prefix.to_string(), status, origin, router, vertex, metric });
    }

    /// Links between two routers are edges by themselves; of networks those of one address are known.
    fn router(&mut self, router: Ipv4Addr, lsa: &RouterLsa) {
        let kind = match (lsa.flags.has(RouterFlags::BOUNDARY), lsa.flags.has(RouterFlags::BORDER)) {
            (true, _) => "ASBR",
            (false, true) => "ABR",
            (false, false) => "Standard",
        };
        self.vertex(router, kind).kind = kind;
        for link in &lsa.links {
            let (id, data) = (Ipv4Addr::from_bits(link.id), Ipv4Addr::from_bits(link.data));
            match link.kind {
                LinkKind::PointToPoint => {
                    let edge = self.edge(router, data);
                    edge.metric = link.metric.into();
                    edge.to = Some(link.id);
                    self.subnet(router, data, link.metric.into());
                }
                LinkKind::Stub if mask_len(link.data) == Some(32) => {
                    self.subnet(router, id, link.metric.into());
                }
                _ => {}
            }
        }
    }

    fn links(&mut self, at: At<'_, V2>, lsdb: &Lsdb) {
        let opaque = [ty::OPAQUE_AREA, ty::OPAQUE_AS].into_iter().flat_map(|ty| lsdb.of_type(ty));
        let te = |key: &LsaKey| matches!(kind_of(key.id), kind::TRAFFIC_ENGINEERING | kind::INTER_AS);
        for (key, entry) in opaque.filter(|(key, entry)| te(key) && !entry.is_max_age(at.now)) {
            let Ok(tlvs) = Tlv::read_all(&entry.lsa.body_bytes()) else { continue };
            for tlv in tlvs.iter().filter(|tlv| tlv.ty == 2) {
                if let Ok(sub) = Tlv::read_all(&tlv.value) {
                    self.link(key.adv.0, &TeLink::new(&sub, tlv.value.len()));
                }
            }
        }
    }

    fn link(&mut self, router: Ipv4Addr, link: &TeLink) {
        let Some(own) = link.local.first().copied() else { return };
        self.vertex(router, "Standard");
        let to = match (link.asbr, link.kind) {
            (Some(asbr), _) => {
                self.vertex(asbr, "Remote ASBR").system = link.system;
                self.subnet(asbr, asbr, 0);
                self.subnet(router, own, 0);
                Some(asbr)
            }
            (None, Some(1)) => link.id,
            (None, _) => None,
        };
        let edge = self.edge(router, own);
        edge.to = edge.to.or(to.map(Ipv4Addr::to_bits));
        edge.attributes = Attributes::of(link);
    }

    fn name(&self, vertex: Option<u32>) -> String {
        match vertex.map(Ipv4Addr::from_bits).and_then(|id| self.vertices.get(&id)) {
            Some(vertex) => format!("{0}({0})", vertex.router),
            None => "- (0.0.0.0)".to_owned(),
        }
    }
}

/// What is asked for of it.
#[derive(Clone, Copy)]
enum Part {
    All,
    Vertices(Option<Ipv4Addr>),
    Edges(Option<Ipv4Addr>),
    Subnets(Option<Ipv4Prefix>),
}

/// What the command prints: of an element that is not there FRR says so, in text, for JSON too.
pub fn show(at: At<'_, V2>, args: &Args) -> Result<String, CliError> {
    if !at.router.te.on {
        return Ok("MPLS-TE database is not enabled\n".to_owned());
    }
    let ted = Ted::new(at);
    let part = if args.has("vertex") {
        let own = args.has("self-originate").then(|| at.process.core.id().0);
        Part::Vertices(args.parse_opt("adv")?.or(own))
    } else if args.has("edge") {
        Part::Edges(args.parse_opt("edge_id")?)
    } else if args.has("subnet") {
        Part::Subnets(args.parse_opt("prefix")?)
    } else {
        Part::All
    };
    let missing = match part {
        Part::Vertices(Some(id)) if !ted.vertices.contains_key(&id) => Some(("vertex", id.to_string())),
        Part::Edges(Some(id)) if !ted.edges.contains_key(&id) => Some(("edge", id.to_string())),
        Part::Subnets(Some(id)) if !ted.subnets.contains_key(&id) => Some(("subnet", id.to_string())),
        _ => None,
    };
    if let Some((what, id)) = missing {
        return Ok(format!("No {what} found for ID {id}\n"));
    }
    let key = at.process.name.instance.max(1);
    Ok(if args.has("json") {
        ted.json(part, key)
    } else {
        Text { ted: &ted, part, key, verbose: args.has("verbose") }.to_string()
    })
}

#[derive(Serialize)]
struct Whole<'a> {
    name: &'static str,
    key: u16,
    #[serde(rename = "verticesCount")]
    vertex_count: usize,
    #[serde(rename = "edgesCount")]
    edge_count: usize,
    #[serde(rename = "subnetsCount")]
    subnet_count: usize,
    vertices: Vec<&'a Vertex>,
    edges: Vec<&'a Edge>,
    subnets: Vec<&'a Subnet>,
}

impl Ted {
    fn json(&self, part: Part, key: u16) -> String {
        fn all<T: Serialize>(name: &str, values: Vec<&T>) -> String {
            pretty(&IndexMap::from([(name, values)]))
        }
        match part {
            Part::All => pretty(&IndexMap::from([(
                "ted",
                Whole {
                    name: "OSPF",
                    key,
                    vertex_count: self.vertices.len(),
                    edge_count: self.edges.len(),
                    subnet_count: self.subnets.len(),
                    vertices: self.vertices.values().collect(),
                    edges: self.edges.values().collect(),
                    subnets: self.subnets.values().collect(),
                },
            )])),
            Part::Vertices(Some(id)) => self.vertices.get(&id).map(pretty).unwrap_or_default(),
            Part::Edges(Some(id)) => self.edges.get(&id).map(pretty).unwrap_or_default(),
            Part::Subnets(Some(id)) => self.subnets.get(&id).map(pretty).unwrap_or_default(),
            Part::Vertices(None) => all("vertices", self.vertices.values().collect()),
            Part::Edges(None) => all("edges", self.edges.values().collect()),
            Part::Subnets(None) => all("subnets", self.subnets.values().collect()),
        }
    }
}

struct Text<'a> {
    ted: &'a Ted,
    part: Part,
    key: u16,
    verbose: bool,
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = matches!(self.part, Part::All);
        if whole {
            writeln!(f, "\n\tTraffic Engineering Database: OSPF (key: {})\n", self.key)?;
        }
        let ted = self.ted;
        if let Part::All | Part::Vertices(_) = self.part {
            let only = if let Part::Vertices(only) = self.part { only } else { None };
            let all = ted.vertices.values().filter(|vertex| only.is_none_or(|id| id == vertex.router));
            all.into_iter().try_for_each(|vertex| self.vertex(f, vertex))?;
        }
        if let Part::All | Part::Edges(_) = self.part {
            let only = if let Part::Edges(only) = self.part { only } else { None };
            let all = ted.edges.values().filter(|edge| only.is_none_or(|id| id == edge.id));
            all.into_iter().try_for_each(|edge| self.edge(f, edge))?;
        }
        if let Part::All | Part::Subnets(_) = self.part {
            let only = if let Part::Subnets(only) = self.part { only } else { None };
            let all = ted.subnets.iter().filter(|(prefix, _)| only.is_none_or(|id| id == **prefix));
            all.into_iter().try_for_each(|(_, subnet)| self.subnet(f, subnet))?;
        }
        if whole {
            let (vertices, edges, subnets) = (ted.vertices.len(), ted.edges.len(), ted.subnets.len());
            writeln!(f, "\n\tTotal: {vertices} Vertices, {edges} Edges, {subnets} Subnets\n")?;
        }
        Ok(())
    }
}

impl Text<'_> {
    fn vertex(&self, f: &mut fmt::Formatter<'_>, vertex: &Vertex) -> fmt::Result {
        let (id, router) = (vertex.id, vertex.router);
        writeln!(f, "  Vertex ({id}): {router}\tRouter Id: {router}\tOrigin: {ORIGIN}\tStatus: {STATUS}")?;
        let outgoing: Vec<&Edge> = self.ted.edges.values().filter(|edge| edge.from == id).collect();
        let incoming: Vec<&Edge> = self.ted.edges.values().filter(|edge| edge.to == Some(id)).collect();
        let subnets: Vec<&Subnet> = self.ted.subnets.values().filter(|subnet| subnet.vertex == id).collect();
        if !self.verbose {
            let (out, into, behind) = (outgoing.len(), incoming.len(), subnets.len());
            return writeln!(f, "\t{out} Outgoing Edges, {into} Incoming Edges, {behind} Subnets\n");
        }
        writeln!(f, "    Type: {}", vertex.kind)?;
        if let Some(system) = vertex.system {
            writeln!(f, "    AS number: {system}")?;
        }
        writeln!(f, "    Outgoing Edges: {}", outgoing.len())?;
        outgoing.iter().try_for_each(|edge| self.end(f, "To", edge.to, edge))?;
        writeln!(f, "    Incoming Edges: {}", incoming.len())?;
        incoming.iter().try_for_each(|edge| self.end(f, "From", Some(edge.from), edge))?;
        writeln!(f, "    Subnets: {}", subnets.len())?;
        subnets.iter().try_for_each(|subnet| writeln!(f, "      Prefix:\t{}", subnet.id))?;
        writeln!(f)
    }

    fn end(&self, f: &mut fmt::Formatter<'_>, way: &str, vertex: Option<u32>, edge: &Edge) -> fmt::Result {
        let address = |address: Option<Ipv4Addr>| address.unwrap_or(Ipv4Addr::UNSPECIFIED);
        let name = self.ted.name(vertex);
        let (local, remote) =
            (address(edge.attributes.local_address), address(edge.attributes.remote_address));
        writeln!(f, "      {way}:\t{name}\tLocal:  {local}\tRemote: {remote}")
    }

    fn edge(&self, f: &mut fmt::Formatter<'_>, edge: &Edge) -> fmt::Result {
        let (id, router, metric) = (edge.id, edge.router, edge.metric);
        writeln!(f, "  Edge ({id}): {id}\tAdv. Vertex: {router}\tMetric: {metric}\tStatus: {STATUS}")?;
        if self.verbose {
            writeln!(f, "    Origin: {ORIGIN}")?;
            write!(f, "{}", edge.attributes)?;
        }
        writeln!(f)
    }

    fn subnet(&self, f: &mut fmt::Formatter<'_>, subnet: &Subnet) -> fmt::Result {
        let Subnet { id, router, metric, .. } = subnet;
        writeln!(f, "  Subnet: {id}\tAdv. Vertex: {router}\tMetric: {metric}\tStatus: {STATUS}")?;
        if self.verbose {
            writeln!(f, "    Origin: {ORIGIN}")?;
        }
        writeln!(f)
    }
}

fn line<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    value: Option<T>,
    unit: &str,
) -> fmt::Result {
    match value {
        Some(value) => writeln!(f, "    {name}: {value}{unit}"),
        None => Ok(()),
    }
}

impl fmt::Display for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const RATE: &str = " (Bytes/s)";
        const TIME: &str = " (micro-sec)";
        line(f, "TE Metric", self.te_metric, "")?;
        line(f, "Admin Group", self.admin_group.map(|group| format!("{group:#x}")), "")?;
        line(f, "Local IPv4 address", self.local_address, "")?;
        line(f, "Remote IPv4 address", self.remote_address, "")?;
        line(f, "Maximum Bandwidth", self.max_link_bandwidth, RATE)?;
        line(f, "Maximum Reservable Bandwidth", self.max_resv_link_bandwidth, RATE)?;
        if !self.unreserved_bandwidth.is_empty() {
            writeln!(f, "    Unreserved Bandwidth per Class Type")?;
            let rates = self.unreserved_bandwidth.iter().flat_map(IndexMap::values);
            for (class, rate) in rates.enumerate() {
                // FRR's units.
                let (start, unit, end) =
                    if class % 2 == 0 { ("        ", "Bytes/sec", "\t") } else { ("", "Bytes/s", "\n") };
                write!(f, "{start}[{class}]: {rate} ({unit}){end}")?;
            }
        }
        line(f, "Remote AS", self.remote_asn, "")?;
        line(f, "Remote ASBR IPv4 address", self.remote_as_address, "")?;
        line(f, "Average Link Delay", self.delay, TIME)?;
        if let (Some(least), Some(most)) = (self.min_delay, self.max_delay) {
            writeln!(f, "    Min/Max Link Delay: {least}/{most} (micro-sec)")?;
        }
        line(f, "Delay Variation", self.jitter, TIME)?;
        line(f, "Link Loss", self.loss.map(|loss| Bandwidth(loss as f32)), " (%)")?;
        line(f, "Available Bandwidth", self.available_bandwidth, RATE)?;
        line(f, "Residual Bandwidth", self.residual_bandwidth, RATE)?;
        line(f, "Utilized Bandwidth", self.utilized_bandwidth, RATE)
    }
}
