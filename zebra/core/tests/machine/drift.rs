//! A kernel that others change, that refuses, answers late, loses events and drops routes without a word: once it is
//! left alone, it has exactly what it should.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use ferrite_types::zclient::{Hello, RouteUpdate, ToZebra};
use ferrite_types::{IfIndex, Nexthop, NexthopKind, Prefix, RouteProtocol, TableId, Timestamp};
use proptest::prelude::*;
use zebra_core::audit::{Drift, DriftKind};
use zebra_core::{
    Action, ClientKey, Event, FIB_METRIC, FibOp, FibOpKind, FibResult, FibRoute, KernelRoute, Offload,
    Options, WallClock, Zebra,
};

use crate::world::{Timed, World, address, attrs, batch, link, listed, via};

const BGP: ClientKey = ClientKey(1);
const EPERM: i32 = 1;
const ENOBUFS: i32 = 105;

type Table = BTreeMap<(TableId, Prefix), FibRoute>;

/// Everything between the machine and the kernel takes its time.
struct Rough {
    zebra: Zebra,
    now: Timestamp,
    kernel: Table,
    ops: VecDeque<FibOp>,
    results: VecDeque<FibResult>,
    events: VecDeque<Event>,
    /// Events were lost, and the kernel has said so.
    overrun: bool,
    /// The kernel refuses so many operations more.
    refuse: Vec<i32>,
    audits: VecDeque<u64>,
    reports: Vec<Arc<Drift>>,
}

impl Timed for Rough {
    fn machine(&mut self) -> (&mut Zebra, &mut Timestamp) {
        (&mut self.zebra, &mut self.now)
    }

    fn perform(&mut self, actions: Vec<Action>) {
        self.perform(actions);
    }
}

impl Rough {
    fn new() -> Self {
        let mut rough = Self {
            zebra: Zebra::new(Options::default(), WallClock::default()),
            now: Timestamp::ZERO,
            kernel: Table::new(),
            ops: VecDeque::new(),
            results: VecDeque::new(),
            events: VecDeque::new(),
            overrun: false,
            refuse: Vec::new(),
            audits: VecDeque::new(),
            reports: Vec::new(),
        };
        rough.say(Event::DumpBegin);
        for index in [1, 2] {
            rough.say(Event::Link(link(index, true)));
            let address = address(&format!("10.{index}.0.1/24"));
            rough.say(Event::Address { ifindex: IfIndex(index), address });
        }
        rough.say(Event::DumpEnd);
        let hello =
            Hello { daemon: "bgpd".to_owned(), protocol: RouteProtocol::Bgp, instance: 0, restarting: false };
        rough.say(Event::ClientConnected { client: BGP, hello });
        rough
    }

    fn say(&mut self, event: Event) {
        let mut actions = Vec::new();
        self.zebra.handle(self.now, event, &mut actions);
        self.perform(actions);
    }

    fn perform(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Fib(ops) => self.ops.extend(ops),
                Action::Audit { audit, .. } => self.audits.push_back(audit),
                Action::Drift { drift, .. } => self.reports.push(drift),
                _ => {}
            }
        }
    }

    /// The kernel works some operations off; their answers are on the way.
    fn work(&mut self, count: usize) {
        for _ in 0..count {
            let Some(op) = self.ops.pop_front() else { return };
            let errno = self.refuse.pop().unwrap_or(0);
            let key = (op.table, op.prefix);
            let removal = match op.kind {
                FibOpKind::Remove { protocol } => Some(protocol),
                FibOpKind::Install(_) => None,
            };
            match op.kind {
                _ if errno != 0 => {}
                FibOpKind::Install(route) => drop(self.kernel.insert(key, (*route).clone())),
                FibOpKind::Remove { .. } => drop(self.kernel.remove(&key)),
            }
            let (vrf, table, prefix, seq) = (op.vrf, op.table, op.prefix, op.seq);
            self.results.push_back(FibResult { vrf, table, prefix, from: None, seq, errno, removal });
        }
    }

    fn deliver_results(&mut self) {
        let results: Vec<FibResult> = self.results.drain(..).collect();
        self.say(Event::FibDone(results));
    }

    /// What others did is told, or a dump after events were lost, or a list that was asked for.
    fn deliver_events(&mut self, count: usize) {
        for _ in 0..count {
            let Some(event) = self.events.pop_front() else { break };
            self.say(event);
        }
        if self.events.is_empty() && std::mem::take(&mut self.overrun) {
            self.say(Event::DumpBegin);
            for index in [1, 2] {
                self.say(Event::Link(link(index, true)));
                let address = address(&format!("10.{index}.0.1/24"));
                self.say(Event::Address { ifindex: IfIndex(index), address });
            }
            for route in self.list() {
                self.say(Event::KernelRoute(route));
            }
            self.say(Event::DumpEnd);
        }
        if let Some(audit) = self.audits.pop_front() {
            let routes = self.list();
            self.say(Event::Audited { audit, nexthops: Vec::new(), routes });
            self.say(Event::AuditEnd { audit, error: None });
        }
    }

    fn list(&self) -> Vec<KernelRoute> {
        self.kernel.iter().map(|((table, prefix), route)| listed(*table, *prefix, route)).collect()
    }

    /// Lines of configuration, as a file holds them.
    fn lines(&mut self, text: &str) {
        let engine = ferrite_cli::Engine::new(zebra_core::registry());
        let settings = engine.load(zebra_core::Settings::default(), &ferrite_cli::numbered(text)).unwrap();
        self.say(Event::Configured(Arc::new(settings)));
    }

    /// Nobody disturbs any more.
    fn settle(&mut self) {
        self.refuse.clear();
        for _ in 0..40 {
            for _ in 0..50 {
                self.work(usize::MAX);
                self.deliver_results();
                self.deliver_events(usize::MAX);
                self.pass(Duration::from_millis(100));
            }
            self.pass(Duration::from_secs(30));
        }
    }

    fn drift(&mut self) -> Arc<Drift> {
        self.say(Event::DriftWanted { token: 1 });
        self.deliver_events(0);
        self.pass(Duration::from_millis(1));
        self.reports.pop().expect("a report")
    }
}

#[derive(Clone, Debug)]
enum Step {
    Announce(usize, usize),
    Withdraw(usize),
    /// Somebody removes a route of ours, changes it, or adds one with our mark.
    Delete(usize, Telling),
    Replace(usize, Telling),
    Add(usize, Telling),
    Flush(Telling),
    Refuse(i32, usize),
    Flap(u32),
    Work(usize),
    Results,
    Events(usize),
    Pass(u64),
}

/// Whether the machine hears of a change.
#[derive(Clone, Copy, Debug)]
enum Telling {
    Told,
    Overrun,
    Silent,
}

const PREFIXES: usize = 12;

fn prefix(index: usize) -> Prefix {
    format!("20.0.{index}.0/24").parse().unwrap()
}

fn gateway(index: usize) -> Vec<Nexthop> {
    match index {
        0 => vec![via("10.1.0.2")],
        1 => vec![via("10.2.0.2")],
        _ => vec![via("10.1.0.2"), via("10.2.0.3")],
    }
}

fn telling() -> impl Strategy<Value = Telling> {
    prop_oneof![3 => Just(Telling::Told), 1 => Just(Telling::Overrun), 1 => Just(Telling::Silent)]
}

fn step() -> impl Strategy<Value = Step> {
    let errno = prop_oneof![Just(EPERM), Just(ENOBUFS), Just(17), Just(101)];
    prop_oneof![
        6 => (0..PREFIXES, 0..3_usize).prop_map(|(prefix, gateway)| Step::Announce(prefix, gateway)),
        2 => (0..PREFIXES).prop_map(Step::Withdraw),
        2 => (0..PREFIXES, telling()).prop_map(|(prefix, how)| Step::Delete(prefix, how)),
        2 => (0..PREFIXES, telling()).prop_map(|(prefix, how)| Step::Replace(prefix, how)),
        2 => (0..PREFIXES, telling()).prop_map(|(prefix, how)| Step::Add(prefix, how)),
        1 => telling().prop_map(Step::Flush),
        1 => (errno, 1..5_usize).prop_map(|(errno, count)| Step::Refuse(errno, count)),
        1 => (1..3_u32).prop_map(Step::Flap),
        3 => (1..8_usize).prop_map(Step::Work),
        3 => Just(Step::Results),
        3 => (1..4_usize).prop_map(Step::Events),
        1 => (1..5000_u64).prop_map(Step::Pass),
    ]
}

fn foreign_change(prefix: Prefix) -> FibRoute {
    let nexthop = Nexthop::new(NexthopKind::Gateway("10.1.0.99".parse().unwrap(), Some(IfIndex(1))));
    FibRoute {
        protocol: RouteProtocol::Bgp,
        nexthops: [nexthop].into(),
        mtu: u32::from(prefix.len()),
        source: None,
        group: None,
    }
}

impl Rough {
    fn tell(&mut self, how: Telling, event: Event) {
        match how {
            Telling::Told => self.events.push_back(event),
            Telling::Overrun => self.overrun = true,
            Telling::Silent => {}
        }
    }

    fn delete(&mut self, prefix: Prefix, how: Telling) {
        if let Some(route) = self.kernel.remove(&(TableId::MAIN, prefix)) {
            self.tell(how, Event::KernelRouteGone(listed(TableId::MAIN, prefix, &route)));
        }
    }

    fn put(&mut self, prefix: Prefix, how: Telling) {
        let route = foreign_change(prefix);
        self.tell(how, Event::KernelRoute(listed(TableId::MAIN, prefix, &route)));
        self.kernel.insert((TableId::MAIN, prefix), route);
    }

    /// Down and up: the kernel drops what leads through the link, and says nothing of it.
    fn flap(&mut self, index: u32) {
        let through = |n: &Nexthop| n.ifindex() == Some(IfIndex(index));
        self.kernel.retain(|_, route| !route.nexthops.iter().all(through));
        for up in [false, true] {
            self.events.push_back(Event::Link(link(index, up)));
        }
    }

    fn step(&mut self, step: &Step, wanted: &mut BTreeMap<usize, usize>) {
        match *step {
            Step::Announce(at, gate) => {
                wanted.insert(at, gate);
                self.update(at, Some(gate));
            }
            Step::Withdraw(at) => {
                wanted.remove(&at);
                self.update(at, None);
            }
            Step::Delete(at, how) => self.delete(prefix(at), how),
            Step::Replace(at, how) if self.kernel.contains_key(&(TableId::MAIN, prefix(at))) => {
                self.put(prefix(at), how);
            }
            Step::Replace(..) => {}
            Step::Add(at, how) => self.put(prefix(at + PREFIXES), how),
            Step::Flush(how) => {
                let all: Vec<Prefix> = self.kernel.keys().map(|(_, prefix)| *prefix).collect();
                all.into_iter().for_each(|prefix| self.delete(prefix, how));
            }
            Step::Refuse(errno, count) => self.refuse.extend(std::iter::repeat_n(errno, count)),
            Step::Flap(index) => self.flap(index),
            Step::Work(count) => self.work(count),
            Step::Results => self.deliver_results(),
            Step::Events(count) => self.deliver_events(count),
            Step::Pass(millis) => self.pass(Duration::from_millis(millis)),
        }
    }

    fn update(&mut self, at: usize, gate: Option<usize>) {
        let route = gate.map(|gate| attrs(RouteProtocol::Bgp, &gateway(gate)));
        let update = RouteUpdate { prefix: prefix(at), protocol: RouteProtocol::Bgp, route };
        let mut batch = batch(RouteProtocol::Bgp, "20.0.0.0/24", None);
        batch.updates = vec![update];
        self.say(Event::Client { client: BGP, message: ToZebra::Routes(batch) });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_rough_kernel_ends_with_exactly_what_it_should_have(steps in prop::collection::vec(step(), 1..80)) {
        let mut rough = Rough::new();
        let mut wanted = BTreeMap::new();
        for step in &steps {
            rough.step(step, &mut wanted);
        }
        rough.settle();
        let found: BTreeMap<String, usize> =
            rough.kernel.iter().map(|((_, p), route)| (p.to_string(), route.nexthops.len())).collect();
        let expected: BTreeMap<String, usize> =
            wanted.iter().map(|(at, gate)| (prefix(*at).to_string(), gateway(*gate).len())).collect();
        prop_assert_eq!(found, expected);
        let drift = rough.drift();
        prop_assert_eq!(drift.total(), 0, "{:?}", drift);
        prop_assert_eq!(drift.held as usize, wanted.len());
    }
}

/// Where the kernel sends packets to each of the prefixes that the steps are about, and to those of nobody's routes.
fn decisions(table: &BTreeMap<Prefix, Vec<String>>) -> Vec<Option<&Vec<String>>> {
    let decide = |at: usize| {
        let address = prefix(at).addr();
        table.iter().filter(|(p, _)| p.contains(address)).max_by_key(|(p, _)| p.len()).map(|(_, hops)| hops)
    };
    (0..2 * PREFIXES).map(decide).collect()
}

fn hops(nexthops: &[Nexthop]) -> Vec<String> {
    nexthops.iter().filter_map(|hop| Some(hop.gateway_addr()?.to_string())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_rough_kernel_ends_with_the_smallest_table_of_what_it_should_have(steps in prop::collection::vec(step(), 1..80)) {
        let mut rough = Rough::new();
        rough.lines("zebra fib compress\n");
        let mut wanted = BTreeMap::new();
        for step in &steps {
            rough.step(step, &mut wanted);
        }
        rough.settle();
        let found = rough.kernel.iter().map(|((_, p), route)| (*p, hops(&route.nexthops))).collect();
        let expected = wanted.iter().map(|(at, gate)| (prefix(*at), hops(&gateway(*gate)))).collect();
        prop_assert_eq!(decisions(&found), decisions(&expected));
        prop_assert!(found.len() <= wanted.len());
        let drift = rough.drift();
        prop_assert_eq!(drift.total(), 0, "{:?}", drift);
    }
}

#[test]
fn what_was_under_way_while_events_were_lost_is_looked_at_once_more() {
    let mut rough = Rough::new();
    rough.update(0, Some(0));
    rough.work(usize::MAX);
    // It is in the kernel and goes, and the answer comes after the dump that did not list it.
    rough.delete(prefix(0), Telling::Overrun);
    rough.deliver_events(usize::MAX);
    rough.pass(Duration::from_millis(1));
    rough.deliver_results();
    assert!(rough.kernel.is_empty());
    for _ in 0..2 {
        rough.pass(Duration::from_secs(3));
        rough.deliver_events(usize::MAX);
        rough.work(usize::MAX);
    }
    assert_eq!(rough.kernel.len(), 1);
}

#[test]
fn drift_names_what_is_missing_different_and_orphaned_and_repairs_nothing() {
    let mut world = World::new();
    world.link(1, true);
    world.address(1, "10.1.0.1/24");
    let bgp = world.connect(1, RouteProtocol::Bgp);
    for prefix in ["20.0.0.0/24", "20.0.1.0/24", "20.0.2.0/24"] {
        world.announce(bgp, RouteProtocol::Bgp, prefix, &[via("10.1.0.2")]);
    }
    assert_eq!(world.drift().total(), 0);
    let at = |text: &str| (TableId::MAIN, text.parse().unwrap());
    world.kernel.remove(&at("20.0.0.0/24"));
    let changed = foreign_change("20.0.1.0/24".parse().unwrap());
    world.kernel.insert(at("20.0.1.0/24"), changed.clone());
    world.kernel.insert(at("20.0.9.0/24"), changed);
    let writes = world.writes;
    let drift = world.drift();
    let rows: Vec<(String, DriftKind)> =
        drift.rows.iter().map(|row| (row.prefix.to_string(), row.kind)).collect();
    assert_eq!(
        rows,
        [
            ("20.0.1.0/24".to_owned(), DriftKind::Different),
            ("20.0.9.0/24".to_owned(), DriftKind::Orphan),
            ("20.0.0.0/24".to_owned(), DriftKind::Missing),
        ]
    );
    assert_eq!(world.writes, writes);
    // The next audit puts it right.
    world.pass(Duration::from_secs(301));
    assert_eq!(world.drift().total(), 0);
    assert_eq!(world.writes, writes + 3);
}

#[test]
fn a_refused_route_is_asked_again_later_and_later_and_at_once_when_a_link_comes_up() {
    let mut world = World::new();
    world.link(1, true);
    world.link(2, false);
    world.address(1, "10.1.0.1/24");
    let bgp = world.connect(1, RouteProtocol::Bgp);
    let prefix: Prefix = "20.0.0.0/24".parse().unwrap();
    world.refuse.insert(prefix, 101);
    world.announce(bgp, RouteProtocol::Bgp, "20.0.0.0/24", &[via("10.1.0.2")]);
    // One at once, then after 1, 3, 7, 15, 31, 63 and 127 seconds, and every 64 from then on.
    world.pass(Duration::from_secs(130));
    assert_eq!(world.writes, 8);
    assert_eq!(world.drift().rejected, 1);
    world.refuse.clear();
    world.link(2, true);
    world.pass(Duration::from_millis(60));
    assert!(world.kernel("20.0.0.0/24").is_some());
    assert_eq!(world.drift().total(), 0);
}

#[test]
fn a_removal_that_fails_is_asked_again() {
    let mut rough = Rough::new();
    rough.update(0, Some(0));
    rough.work(usize::MAX);
    rough.deliver_results();
    rough.update(0, None);
    rough.refuse.push(ENOBUFS);
    rough.work(usize::MAX);
    rough.deliver_results();
    assert_eq!(rough.kernel.len(), 1);
    rough.pass(Duration::from_millis(1100));
    rough.work(usize::MAX);
    assert_eq!(rough.kernel.len(), 0);
}

#[test]
fn what_the_hardware_made_of_a_route_is_kept() {
    let mut world = World::new();
    world.link(1, true);
    world.address(1, "10.1.0.1/24");
    let bgp = world.connect(1, RouteProtocol::Bgp);
    world.announce(bgp, RouteProtocol::Bgp, "20.0.0.0/24", &[via("10.1.0.2")]);
    let prefix = "20.0.0.0/24".parse().unwrap();
    let mut told = listed(TableId::MAIN, prefix, &world.kernel[&(TableId::MAIN, prefix)]);
    assert_eq!(told.metric, FIB_METRIC);
    told.offload = Offload::Trapped;
    world.event(Event::KernelRoute(told));
    let writes = world.writes;
    world.pass(Duration::from_secs(5));
    assert_eq!(world.writes, writes);
}
