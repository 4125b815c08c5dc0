//! A network from a plan: who is on which segment, in which area, at what cost. And what must hold when it is quiet.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;
use std::time::Duration;

use ferrite_ospf::config::{AbrType, AreaConfig, Config, InterfaceConfig, NetworkType, VirtualLink};
use ferrite_ospf::event::RestartReason;
use ferrite_ospf::instance::Place;
use ferrite_ospf::packet::{AreaId, LsaKey};
use ferrite_ospf::{Event, IfId, Instance};
use ferrite_sim::{Link, LinkId, Network, NodeId};

use crate::address::{Plan, router_id};
use crate::device::{Device, Router};
use crate::oracle::{self, Oracle};

pub const LOOPBACK: IfId = IfId(100_000);

/// A segment: two routers with a link, or several on a switch.
#[derive(Clone, Debug)]
pub struct Segment {
    pub area: AreaId,
    pub network: NetworkType,
    /// Router and its cost.
    pub ends: Vec<(usize, u16)>,
    pub up: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Topology {
    pub routers: usize,
    pub segments: Vec<Segment>,
    pub areas: BTreeMap<AreaId, AreaConfig>,
    /// Areas of loopbacks that are not in the area of the router's first segment.
    pub loopbacks: BTreeMap<usize, AreaId>,
    pub hello: Option<(u16, u32)>,
    /// Databases that are exchanged at a time.
    pub exchanges: Option<usize>,
    /// Everybody restarts gracefully and helps.
    pub graceful: bool,
    /// Area, and the two border routers at the ends.
    pub virtual_links: Vec<(AreaId, usize, usize)>,
    pub abr: AbrType,
    /// Loop-free alternates stand by.
    pub alternates: bool,
    /// Networks between routers are not announced: only loopbacks are.
    pub suppressed: bool,
}

impl Topology {
    pub fn new(routers: usize) -> Self {
        Self { routers, ..Self::default() }
    }

    pub fn p2p(&mut self, a: usize, b: usize, cost: u16) -> usize {
        self.segment(AreaId::BACKBONE, NetworkType::PointToPoint, &[a, b], cost)
    }

    pub fn segment(&mut self, area: AreaId, network: NetworkType, routers: &[usize], cost: u16) -> usize {
        let ends = routers.iter().map(|router| (*router, cost)).collect();
        self.segments.push(Segment { area, network, ends, up: true });
        self.segments.len() - 1
    }

    pub fn loopback_area(&self, router: usize) -> AreaId {
        let first = self.segments.iter().find(|segment| segment.ends.iter().any(|(end, _)| *end == router));
        let natural = first.map_or(AreaId::BACKBONE, |segment| segment.area);
        self.loopbacks.get(&router).copied().unwrap_or(natural)
    }

    /// The segments of a router, in the order of its ports.
    pub fn ports(&self, router: usize) -> Vec<usize> {
        let on = |segment: &Segment| segment.ends.iter().any(|(end, _)| *end == router);
        self.segments.iter().enumerate().filter(|(_, s)| on(s)).map(|(at, _)| at).collect()
    }

    pub fn config(&self, router: usize) -> Config {
        let mut config = Config::new(router_id(router));
        config.areas = self.areas.clone();
        config.abr = self.abr;
        config.loop_free_alternates = self.alternates;
        for (area, a, b) in &self.virtual_links {
            for (_, other) in [(*a, *b), (*b, *a)].into_iter().filter(|(own, _)| *own == router) {
                let area = config.areas.entry(*area).or_default();
                area.virtual_links.insert(router_id(other), VirtualLink::default());
            }
        }
        config.pacing.exchanges = self.exchanges.unwrap_or(config.pacing.exchanges);
        config.restart.enabled = self.graceful;
        config.restart.helper.everybody = self.graceful;
        for (port, at) in self.ports(router).into_iter().enumerate() {
            let segment = &self.segments[at];
            let mut interface = InterfaceConfig::new(segment.area, segment.network);
            let cost = segment.ends.iter().find(|(end, _)| *end == router).map_or(10, |(_, cost)| *cost);
            interface.cost = cost;
            interface.prefix_suppression = self.suppressed;
            if let Some((hello, dead)) = self.hello {
                (interface.hello_interval, interface.dead_interval) = (hello, dead);
            }
            config.interfaces.insert(IfId(port as u32), interface);
        }
        let loopback = InterfaceConfig::new(self.loopback_area(router), NetworkType::Loopback);
        config.interfaces.insert(LOOPBACK, loopback);
        config
    }
}

pub struct World<V: Plan> {
    pub net: Network<Device<V>>,
    pub topology: Topology,
    /// By segment: the links to take down with it.
    pub links: Vec<Vec<LinkId>>,
    /// By router: the segments of its ports.
    pub ports: Vec<Vec<usize>>,
    version: PhantomData<V>,
}

impl<V: Plan> World<V> {
    pub fn new(topology: Topology, seed: u64, link: Link) -> Self {
        let mut net = Network::new(seed);
        for router in 0..topology.routers {
            net.add(Device::Router(Box::new(device(&topology, router))));
        }
        let mut links = Vec::new();
        for segment in &topology.segments {
            let mut joined = Vec::new();
            if let ([(a, _), (b, _)], NetworkType::PointToPoint) = (&segment.ends[..], segment.network) {
                joined.push(net.join(NodeId(*a), NodeId(*b), link).0);
            } else {
                let switch = net.add(Device::Switch { ports: Vec::new() });
                joined.extend(segment.ends.iter().map(|(end, _)| net.join(NodeId(*end), switch, link).0));
            }
            links.push(joined);
        }
        for router in 0..topology.routers {
            net.act(NodeId(router), |device, now, out| device.router_mut().start(now, out));
        }
        let ports = (0..topology.routers).map(|router| topology.ports(router)).collect();
        Self { net, topology, links, ports, version: PhantomData }
    }

    pub fn core(&self, router: usize) -> &Instance<V> {
        &self.net.node(NodeId(router)).router().core
    }

    pub fn run(&mut self, seconds: u64) {
        let end = self.net.now() + Duration::from_secs(seconds);
        self.net.run_until(end);
    }

    pub fn feed(&mut self, router: usize, event: Event) {
        self.net.act(NodeId(router), |device, now, out| device.router_mut().feed(now, event, out));
    }

    pub fn set_segment(&mut self, segment: usize, up: bool) {
        self.topology.segments[segment].up = up;
        for link in self.links[segment].clone() {
            self.net.set_link(link, up);
        }
    }

    /// Another cost for one end of a segment.
    pub fn set_cost(&mut self, segment: usize, end: usize, cost: u16) {
        self.topology.segments[segment].ends[end].1 = cost;
        let router = self.topology.segments[segment].ends[end].0;
        let config = self.topology.config(router);
        self.feed(router, Event::Configured(Box::new(config)));
    }

    /// A router loses all it knew; its links stay.
    pub fn crash(&mut self, router: usize) {
        let fresh = device::<V>(&self.topology, router);
        self.net.replace(NodeId(router), Device::Router(Box::new(fresh)));
        self.net.act(NodeId(router), |device, now, out| device.router_mut().start(now, out));
        self.links_up(router);
    }

    /// A router tells that it will restart.
    pub fn prepare(&mut self, router: usize) {
        self.feed(router, Event::PrepareRestart(RestartReason::SoftwareRestart));
        for _ in 0..10 {
            if self.net.node(NodeId(router)).router().prepared {
                return;
            }
            self.run(1);
        }
        panic!("router {router} is not ready to restart");
    }

    /// The process of a router ends; what it installed stays.
    pub fn silence(&mut self, router: usize) {
        let mut fresh = device::<V>(&self.topology, router);
        fresh.silent = true;
        fresh.forwarding = self.net.node(NodeId(router)).router().forwarding.clone();
        self.net.replace(NodeId(router), Device::Router(Box::new(fresh)));
    }

    /// It is back.
    pub fn resume(&mut self, router: usize, remaining: Duration, announce: bool) {
        let reason = if announce { RestartReason::Unknown } else { RestartReason::SoftwareRestart };
        self.net.act(NodeId(router), |device, _, _| device.router_mut().silent = false);
        self.feed(router, Event::Restarting { remaining, reason, announce });
        self.net.act(NodeId(router), |device, now, out| device.router_mut().start(now, out));
        self.links_up(router);
    }

    /// A router starts with another configuration.
    pub fn replace(&mut self, router: usize, config: Config) {
        let mut fresh = device::<V>(&self.topology, router);
        fresh.core = Instance::new(config);
        self.net.replace(NodeId(router), Device::Router(Box::new(fresh)));
        self.net.act(NodeId(router), |device, now, out| device.router_mut().start(now, out));
        self.links_up(router);
    }

    fn links_up(&mut self, router: usize) {
        for (port, segment) in self.topology.ports(router).into_iter().enumerate() {
            if self.topology.segments[segment].up {
                self.net.act(NodeId(router), |device, now, out| {
                    ferrite_sim::Node::link_changed(device, now, ferrite_sim::Port(port), true, out);
                });
            }
        }
    }

    /// Everything that must hold when nothing happens any more.
    pub fn check(&self) {
        self.check_databases();
        oracle::check_routes(self);
        oracle::check_forwarding(self);
    }

    /// Routers that reach each other inside an area have the same LSAs there, none of them at MaxAge, and nothing left to send.
    pub fn check_databases(&self) {
        let now = self.net.now();
        let mut seen: BTreeMap<(AreaId, usize), (usize, BTreeSet<(LsaKey, i32, u16)>)> = BTreeMap::new();
        let oracle = Oracle::new(&self.topology);
        for router in 0..self.topology.routers {
            let core = self.core(router);
            assert!(core.is_armed(), "router {router} missed a deadline");
            for (area, group) in oracle.groups(router) {
                let lsdb = core.lsdb(Place::Area(area)).expect("the area's database");
                for (key, entry) in lsdb.iter() {
                    assert!(!entry.is_max_age(now), "router {router} holds {key:?} at MaxAge");
                }
                let lsas = lsdb
                    .iter()
                    .map(|(key, entry)| (*key, entry.lsa.header().sequence.0, entry.lsa.header().checksum));
                let lsas: BTreeSet<_> =
                    lsas.filter(|(key, ..)| group.contains(&(key.adv.0.to_bits() as usize - 1))).collect();
                let leader = *group.first().expect("a group");
                let (first, theirs) = seen.entry((area, leader)).or_insert_with(|| (router, lsas.clone()));
                let missing: Vec<_> = theirs.symmetric_difference(&lsas).take(5).collect();
                assert!(
                    missing.is_empty(),
                    "area {area}: routers {first} and {router} differ in {missing:?}"
                );
            }
            for (id, interface) in core.interfaces() {
                for neighbor in interface.neighbors.values() {
                    assert_eq!(neighbor.retransmissions(), 0, "router {router} {id:?} to {:?}", neighbor.id);
                    assert_eq!(neighbor.open_requests(), 0, "router {router} {id:?} of {:?}", neighbor.id);
                }
            }
        }
    }
}

fn device<V: Plan>(topology: &Topology, router: usize) -> Router<V> {
    let ports = topology.ports(router);
    let links =
        ports.iter().enumerate().map(|(port, segment)| V::link(*segment, router, port as u32)).collect();
    let other = BTreeMap::from([(LOOPBACK, V::loopback(router))]);
    Router::new(Instance::new(topology.config(router)), links, other)
}
