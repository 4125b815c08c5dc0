//! Next-hop groups against a kernel that has them, and that does by itself what Linux does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ferrite_types::zclient::{Hello, RouteBatch, RouteUpdate, ToZebra};
use ferrite_types::{IfIndex, Ipv4Prefix, Nexthop, Prefix, RouteProtocol, Safi, TableId, Timestamp, VrfId};
use zebra_core::{
    Action, ClientKey, Event, FibOpKind, FibResult, FibRoute, KernelNexthop, NexthopId, NexthopObject,
    NexthopResult, Options, WallClock, Zebra,
};

use crate::world::{Timed, address, attrs, link, listed, show, via};

const ENOENT: i32 = 2;
const EINVAL: i32 = 22;
const ENETDOWN: i32 = 100;
const BGP: ClientKey = ClientKey(1);
const OSPF: ClientKey = ClientKey(2);

#[derive(Default)]
struct Kernel {
    objects: BTreeMap<NexthopId, NexthopObject>,
    routes: BTreeMap<Prefix, FibRoute>,
    down: Vec<IfIndex>,
    route_messages: usize,
    object_messages: usize,
    /// Groups that were written: for each, Linux walks the routes that name it.
    group_messages: usize,
    /// Counts routes, keeps none: for half a million.
    forget: bool,
}

impl Kernel {
    fn nexthop(&mut self, id: NexthopId, object: Option<NexthopObject>) -> i32 {
        self.object_messages += 1;
        let Some(object) = object else { return if self.remove(id) { 0 } else { ENOENT } };
        match &object {
            NexthopObject::Single(single) if self.down.iter().any(|i| single.ifindex() == Some(*i)) => {
                return ENETDOWN;
            }
            NexthopObject::Group(members) => {
                self.group_messages += 1;
                let known = |id| matches!(self.objects.get(id), Some(NexthopObject::Single(_)));
                if members.is_empty() || !members.iter().all(|(id, _)| known(id)) {
                    return EINVAL;
                }
            }
            NexthopObject::Single(_) => {}
        }
        self.objects.insert(id, object);
        0
    }

    /// An object takes its routes with it, and the groups that it was the last member of.
    fn remove(&mut self, id: NexthopId) -> bool {
        let there = self.objects.remove(&id).is_some();
        self.routes.retain(|_, route| route.group != Some(id));
        let mut empty = Vec::new();
        for (group, object) in &mut self.objects {
            if let NexthopObject::Group(members) = object {
                members.list.retain(|(member, _)| *member != id);
                if members.is_empty() {
                    empty.push(*group);
                }
            }
        }
        empty.into_iter().for_each(|group| _ = self.remove(group));
        there
    }

    fn link_down(&mut self, ifindex: IfIndex) {
        self.down.push(ifindex);
        let through = |object: &NexthopObject| match object {
            NexthopObject::Single(single) => single.ifindex() == Some(ifindex),
            NexthopObject::Group(_) => false,
        };
        let lost: Vec<NexthopId> =
            self.objects.iter().filter(|(_, o)| through(o)).map(|(id, _)| *id).collect();
        lost.into_iter().for_each(|id| _ = self.remove(id));
    }

    fn route(&mut self, prefix: Prefix, kind: FibOpKind) -> i32 {
        self.route_messages += 1;
        match kind {
            FibOpKind::Install(route) => {
                if route.group.is_some_and(|group| !self.objects.contains_key(&group)) {
                    return EINVAL;
                }
                if !self.forget {
                    self.routes.insert(prefix, (*route).clone());
                }
            }
            FibOpKind::Remove { .. } => drop(self.routes.remove(&prefix)),
        }
        0
    }
}

struct Lab {
    zebra: Zebra,
    now: Timestamp,
    kernel: Kernel,
    /// The kernel's answers about objects wait.
    late: bool,
    waiting: Vec<NexthopResult>,
}

fn hello(protocol: RouteProtocol) -> Hello {
    Hello { daemon: protocol.name().to_owned(), protocol, instance: 0, restarting: false }
}

impl Timed for Lab {
    fn machine(&mut self) -> (&mut Zebra, &mut Timestamp) {
        (&mut self.zebra, &mut self.now)
    }

    fn perform(&mut self, actions: Vec<Action>) {
        self.perform(actions);
    }
}

impl Lab {
    fn new(kernel: Kernel) -> Self {
        let options = Options { nexthop_objects: true, ..Options::default() };
        let mut lab = Self {
            zebra: Zebra::new(options, WallClock::default()),
            now: Timestamp::ZERO,
            kernel,
            late: false,
            waiting: Vec::new(),
        };
        lab.event(Event::DumpBegin);
        for index in 1..=3 {
            lab.event(Event::Link(link(index, true)));
            let address = address(&format!("10.{index}.0.1/24"));
            lab.event(Event::Address { ifindex: IfIndex(index), address });
        }
        for (id, object) in lab.kernel.objects.clone() {
            lab.event(Event::KernelNexthop(KernelNexthop { id, ours: true, object: Some(object) }));
        }
        for (prefix, route) in lab.kernel.routes.clone() {
            let mut told = listed(TableId::MAIN, prefix, &route);
            told.nexthops = [via("10.1.0.2")].into();
            lab.event(Event::KernelRoute(told));
        }
        lab.event(Event::DumpEnd);
        lab.event(Event::ClientConnected { client: BGP, hello: hello(RouteProtocol::Bgp) });
        lab.event(Event::ClientConnected { client: OSPF, hello: hello(RouteProtocol::Ospf) });
        lab
    }

    fn event(&mut self, event: Event) {
        let mut actions = Vec::new();
        self.zebra.handle(self.now, event, &mut actions);
        self.perform(actions);
    }

    fn perform(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Fib(ops) => {
                    let mut results = Vec::with_capacity(ops.len());
                    for op in ops {
                        let removal = match op.kind {
                            FibOpKind::Remove { protocol } => Some(protocol),
                            FibOpKind::Install(_) => None,
                        };
                        let errno = self.kernel.route(op.prefix, op.kind);
                        let (vrf, table, prefix, seq) = (op.vrf, op.table, op.prefix, op.seq);
                        results.push(FibResult { vrf, table, prefix, from: None, seq, errno, removal });
                    }
                    self.event(Event::FibDone(results));
                }
                Action::Nexthops(ops) => {
                    let results = ops.into_iter().map(|op| {
                        let (id, seq) = (op.id, op.seq);
                        NexthopResult { id, seq, errno: self.kernel.nexthop(op.id, op.object) }
                    });
                    self.waiting.extend(results);
                    if !self.late {
                        self.answer_late();
                    }
                }
                Action::Audit { audit, .. } => self.audit(audit),
                _ => {}
            }
        }
    }

    fn answer_late(&mut self) {
        let results = std::mem::take(&mut self.waiting);
        self.event(Event::NexthopsDone(results));
    }

    /// What a command prints.
    fn show(&self, line: &str) -> String {
        show(&self.zebra, line)
    }

    fn audit(&mut self, audit: u64) {
        let told = |(id, object): (&NexthopId, &NexthopObject)| KernelNexthop {
            id: *id,
            ours: true,
            object: Some(object.clone()),
        };
        let nexthops = self.kernel.objects.iter().map(told).collect();
        let routes = self.kernel.routes.iter().map(|(p, r)| listed(TableId::MAIN, *p, r)).collect();
        self.event(Event::Audited { audit, nexthops, routes });
        self.event(Event::AuditEnd { audit, error: None });
    }

    fn announce(&mut self, client: ClientKey, prefix: &str, nexthops: &[Nexthop]) {
        let protocol = if client == BGP { RouteProtocol::Bgp } else { RouteProtocol::Ospf };
        let route = Some(attrs(protocol, nexthops));
        let update = RouteUpdate { prefix: prefix.parse().unwrap(), protocol, route };
        self.say(client, vec![update]);
    }

    fn withdraw(&mut self, client: ClientKey, prefix: &str) {
        let protocol = if client == BGP { RouteProtocol::Bgp } else { RouteProtocol::Ospf };
        self.say(client, vec![RouteUpdate { prefix: prefix.parse().unwrap(), protocol, route: None }]);
    }

    fn say(&mut self, client: ClientKey, updates: Vec<RouteUpdate>) {
        let batch = RouteBatch {
            vrf: VrfId::DEFAULT,
            table: None,
            safi: Safi::Unicast,
            instance: 0,
            group: None,
            updates,
        };
        self.event(Event::Client { client, message: ToZebra::Routes(batch) });
    }

    fn link_down(&mut self, index: u32) {
        self.kernel.link_down(IfIndex(index));
        self.event(Event::Link(link(index, false)));
    }

    fn link_up(&mut self, index: u32) {
        self.kernel.down.retain(|down| *down != IfIndex(index));
        self.event(Event::Link(link(index, true)));
    }

    /// The gateways that a route of the kernel leads to.
    fn gateways(&self, prefix: &str) -> Vec<String> {
        let Some(route) = self.kernel.routes.get(&prefix.parse::<Prefix>().unwrap()) else {
            return Vec::new();
        };
        let gateway = |object: &NexthopObject| match object {
            NexthopObject::Single(single) => Nexthop::new(single.kind).gateway_addr().unwrap().to_string(),
            NexthopObject::Group(_) => "a group".to_owned(),
        };
        let weighted = |(id, weight): &(NexthopId, u8)| match gateway(&self.kernel.objects[id]) {
            gateway if *weight > 1 => format!("{gateway}*{weight}"),
            gateway => gateway,
        };
        match route.group.and_then(|id| self.kernel.objects.get(&id)) {
            Some(NexthopObject::Group(members)) => members.iter().map(weighted).collect(),
            Some(single) => vec![gateway(single)],
            None => vec!["no object".to_owned()],
        }
    }

    /// Whether a route names a group, and which object.
    fn named(&self, prefix: &str) -> (bool, NexthopId) {
        let id = self.kernel.routes[&prefix.parse::<Prefix>().unwrap()].group.unwrap();
        (matches!(self.kernel.objects[&id], NexthopObject::Group(_)), id)
    }

    /// Routes and objects that were written since the last call.
    fn messages(&mut self) -> (usize, usize) {
        let counts = (self.kernel.route_messages, self.kernel.object_messages);
        (self.kernel.route_messages, self.kernel.object_messages) = (0, 0);
        self.kernel.group_messages = 0;
        counts
    }
}

#[test]
fn a_failed_next_hop_under_half_a_million_routes_costs_a_handful_of_messages() {
    const ROUTES: u32 = 500_000;
    let mut lab = Lab::new(Kernel { forget: true, ..Kernel::default() });
    lab.announce(OSPF, "40.0.0.0/24", &[via("10.1.0.2"), via("10.2.0.2")]);
    let nexthops: Arc<[Nexthop]> = [via("40.0.0.7")].into();
    for start in (0..ROUTES).step_by(8192) {
        let update = |index: u32| RouteUpdate {
            prefix: Ipv4Prefix::from_bits(0x1400_0000 + (index << 8), 24).unwrap().into(),
            protocol: RouteProtocol::Bgp,
            route: Some(ferrite_types::zclient::RouteAttrs {
                nexthops: nexthops.clone(),
                ..attrs(RouteProtocol::Bgp, &[])
            }),
        };
        lab.say(BGP, (start..(start + 8192).min(ROUTES)).map(update).collect());
    }
    let (routes, objects) = lab.messages();
    assert!(routes >= ROUTES as usize && objects <= 4, "{routes} routes, {objects} objects");
    // A member of the multipath fails with its link.
    let walks = lab.zebra.route_walks();
    lab.link_down(1);
    let (routes, objects) = lab.messages();
    assert!(routes <= 1 && objects <= 8, "{routes} routes, {objects} objects");
    assert_eq!(lab.zebra.route_walks(), walks, "nothing is done for each route");
    lab.link_up(1);
    let (routes, objects) = lab.messages();
    assert!(routes <= 1 && objects <= 8, "{routes} routes, {objects} objects");
    // The router behind fails: the IGP finds another way.
    lab.announce(OSPF, "40.0.0.0/24", &[via("10.3.0.2")]);
    let (routes, objects) = lab.messages();
    assert!(routes <= 1 && objects <= 8, "{routes} routes, {objects} objects");
}

#[test]
fn what_the_kernel_took_out_of_a_group_is_not_taken_out_again() {
    const ROUTES: u32 = 500_000;
    let mut lab = Lab::new(Kernel { forget: true, ..Kernel::default() });
    let nexthops: Arc<[Nexthop]> = [via("10.1.0.2"), via("10.2.0.2"), via("10.3.0.2")].into();
    for start in (0..ROUTES).step_by(8192) {
        let update = |index: u32| RouteUpdate {
            prefix: Ipv4Prefix::from_bits(0x1400_0000 + (index << 8), 24).unwrap().into(),
            protocol: RouteProtocol::Bgp,
            route: Some(ferrite_types::zclient::RouteAttrs {
                nexthops: nexthops.clone(),
                ..attrs(RouteProtocol::Bgp, &[])
            }),
        };
        lab.say(BGP, (start..(start + 8192).min(ROUTES)).map(update).collect());
    }
    lab.messages();
    let group =
        |lab: &Lab| lab.kernel.objects.values().filter(|o| matches!(o, NexthopObject::Group(_))).count();
    for (index, left) in [(1, 2), (2, 1)] {
        lab.link_down(index);
        assert_eq!((lab.kernel.group_messages, lab.kernel.route_messages), (0, 0), "{left} left");
        lab.pass(Duration::from_secs(1));
        assert_eq!((lab.kernel.group_messages, lab.kernel.route_messages), (0, 0), "{left} left, later");
    }
    assert_eq!(group(&lab), 1);
    lab.pass(Duration::from_secs(301));
    assert_eq!(lab.kernel.group_messages, 0, "an audit finds it right");
    lab.messages();
    for index in [2, 1] {
        lab.link_up(index);
        lab.pass(Duration::from_secs(1));
        assert_eq!((lab.kernel.group_messages, lab.kernel.route_messages), (1, 0), "one write for each link");
        lab.kernel.group_messages = 0;
    }
    let members = |object: &NexthopObject| match object {
        NexthopObject::Group(members) => Some(members.len()),
        NexthopObject::Single(_) => None,
    };
    assert_eq!(lab.kernel.objects.values().find_map(members), Some(3));
}

#[test]
fn a_group_that_was_being_written_when_a_link_went_is_written_again() {
    let mut lab = Lab::new(Kernel::default());
    let three = [via("10.1.0.2"), via("10.2.0.2"), via("10.3.0.2")];
    lab.announce(BGP, "20.0.0.0/24", &three);
    // Its answer comes after the word of the link: whether it was done before or after, nobody knows.
    lab.link_down(1);
    lab.late = true;
    lab.link_up(1);
    lab.messages();
    lab.link_down(1);
    assert_eq!(lab.kernel.group_messages, 1);
    lab.late = false;
    lab.answer_late();
    lab.pass(Duration::from_secs(2));
    assert_eq!(lab.gateways("20.0.0.0/24"), ["10.2.0.2", "10.3.0.2"]);
}

#[test]
fn one_next_hop_is_named_itself_and_what_was_found_through_a_route_by_a_group() {
    let mut lab = Lab::new(Kernel::default());
    lab.announce(BGP, "20.0.0.0/24", &[via("10.1.0.2")]);
    lab.announce(BGP, "20.0.1.0/24", &[via("10.1.0.2"), via("10.2.0.2")]);
    lab.announce(BGP, "20.0.2.0/24", &[via("20.0.0.7")]);
    let (group, single) = lab.named("20.0.0.0/24");
    assert!(!group && lab.named("20.0.1.0/24").0 && lab.named("20.0.2.0/24").0);
    assert_eq!(lab.kernel.objects.len(), 4, "two next hops and two groups");
    // From one to several and back.
    lab.announce(BGP, "20.0.0.0/24", &[via("10.1.0.2"), via("10.2.0.2")]);
    assert_eq!(lab.named("20.0.0.0/24"), lab.named("20.0.1.0/24"));
    lab.announce(BGP, "20.0.0.0/24", &[via("10.1.0.2")]);
    assert_eq!(lab.named("20.0.0.0/24"), (false, single));
    let told = lab.show("show ip route 20.0.0.0/24 json");
    assert!(told.contains(&format!("\"installedNexthopGroupId\":{single}")), "{told}");
    for prefix in ["20.0.0.0/24", "20.0.1.0/24", "20.0.2.0/24"] {
        lab.withdraw(BGP, prefix);
    }
    assert!(lab.kernel.routes.is_empty() && lab.kernel.objects.is_empty());
}

#[test]
fn routes_follow_when_the_network_of_their_next_hop_is_found_elsewhere() {
    let mut lab = Lab::new(Kernel::default());
    lab.announce(OSPF, "10.1.0.0/16", &[via("10.2.0.2")]);
    lab.announce(BGP, "20.0.0.0/24", &[via("10.1.0.2")]);
    assert!(!lab.named("20.0.0.0/24").0);
    // Its address goes, and the gateway is found through the route of OSPF: first a group, then the routes, then
    // what they named before.
    lab.event(Event::AddressGone { ifindex: IfIndex(1), address: address("10.1.0.1/24") });
    assert_eq!(lab.gateways("20.0.0.0/24"), ["10.2.0.2"]);
    assert!(lab.named("20.0.0.0/24").0);
    lab.announce(OSPF, "10.1.0.0/16", &[via("10.2.0.2"), via("10.3.0.2")]);
    assert_eq!(lab.gateways("20.0.0.0/24").len(), 2);
    lab.event(Event::Address { ifindex: IfIndex(1), address: address("10.1.0.1/24") });
    assert_eq!(lab.gateways("20.0.0.0/24"), ["10.1.0.2"]);
    lab.withdraw(BGP, "20.0.0.0/24");
    lab.withdraw(OSPF, "10.1.0.0/16");
    assert!(lab.kernel.routes.is_empty() && lab.kernel.objects.is_empty());
}

#[test]
fn a_route_that_covers_its_gateway_goes_with_what_was_longer() {
    let mut lab = Lab::new(Kernel::default());
    lab.announce(OSPF, "0.0.0.0/0", &[via("10.1.0.2")]);
    lab.announce(OSPF, "40.0.0.0/16", &[via("10.2.0.2")]);
    lab.announce(BGP, "40.0.0.0/8", &[via("40.0.0.1")]);
    lab.announce(BGP, "41.0.0.0/8", &[via("40.0.0.1")]);
    assert_eq!(lab.gateways("40.0.0.0/8"), ["10.2.0.2"]);
    // The gateway is reached by the default route now; for the other route that changes nothing but its group.
    lab.withdraw(OSPF, "40.0.0.0/16");
    assert_eq!(lab.gateways("41.0.0.0/8"), ["10.1.0.2"]);
    assert!(lab.gateways("40.0.0.0/8").is_empty());
}

#[test]
fn routes_share_groups_and_what_nobody_names_is_taken_out() {
    let mut lab = Lab::new(Kernel::default());
    let two = [Nexthop { weight: 5, ..via("10.1.0.2") }, via("10.2.0.2")];
    lab.announce(BGP, "20.0.0.0/24", &two);
    lab.announce(BGP, "20.0.1.0/24", &two);
    lab.announce(BGP, "20.0.2.0/24", &[via("10.1.0.2")]);
    assert_eq!(lab.gateways("20.0.0.0/24"), ["10.1.0.2*5", "10.2.0.2"]);
    assert_eq!(lab.gateways("20.0.2.0/24"), ["10.1.0.2"]);
    assert_eq!(lab.kernel.objects.len(), 3, "two next hops and a group");
    let goodbye = ToZebra::Goodbye { keep_routes: false };
    lab.event(Event::Client { client: BGP, message: goodbye });
    assert!(lab.kernel.routes.is_empty() && lab.kernel.objects.is_empty());
}

#[test]
fn two_hundred_and_fifty_six_next_hops_are_one_group() {
    let mut lab = Lab::new(Kernel::default());
    let many: Vec<Nexthop> =
        (0..256).map(|n| via(&format!("10.{}.0.{}", 1 + n / 128, 2 + n % 128))).collect();
    lab.announce(BGP, "20.0.0.0/24", &many);
    assert_eq!(lab.gateways("20.0.0.0/24").len(), 256);
}

#[test]
fn routes_that_the_kernel_dropped_with_their_link_come_back_with_it() {
    let mut lab = Lab::new(Kernel::default());
    lab.announce(BGP, "20.0.0.0/24", &[via("10.1.0.2")]);
    lab.announce(BGP, "20.0.1.0/24", &[via("10.1.0.2"), via("10.2.0.2")]);
    for _ in 0..3 {
        lab.link_down(1);
        assert_eq!(lab.gateways("20.0.0.0/24"), Vec::<String>::new());
        assert_eq!(lab.gateways("20.0.1.0/24"), ["10.2.0.2"]);
        lab.pass(Duration::from_secs(5));
        lab.link_up(1);
        assert_eq!(lab.gateways("20.0.0.0/24"), ["10.1.0.2"]);
        assert_eq!(lab.gateways("20.0.1.0/24").len(), 2);
    }
}

#[test]
fn objects_that_somebody_takes_out_come_back_with_their_routes() {
    let mut lab = Lab::new(Kernel::default());
    lab.announce(BGP, "20.0.0.0/24", &[via("10.1.0.2")]);
    let ids: Vec<NexthopId> = lab.kernel.objects.keys().copied().collect();
    for told in [true, false] {
        for id in ids.clone() {
            lab.kernel.remove(id);
            assert!(lab.kernel.routes.is_empty());
            if told {
                lab.event(Event::KernelNexthopGone(id));
                lab.pass(Duration::from_secs(1));
            } else {
                lab.pass(Duration::from_secs(301));
            }
            assert_eq!(lab.gateways("20.0.0.0/24"), ["10.1.0.2"], "{id} {told}");
        }
    }
}

#[test]
fn the_objects_of_an_earlier_run_are_taken_over_and_the_rest_swept() {
    let mut lab = Lab::new(Kernel::default());
    lab.announce(BGP, "20.0.0.0/24", &[via("10.1.0.2")]);
    lab.announce(BGP, "20.0.1.0/24", &[via("10.2.0.2")]);
    let mut kernel = std::mem::take(&mut lab.kernel);
    (kernel.route_messages, kernel.object_messages) = (0, 0);
    let before = kernel.routes.clone();
    let mut lab = Lab::new(kernel);
    lab.announce(BGP, "20.0.0.0/24", &[via("10.1.0.2")]);
    assert_eq!(lab.messages(), (0, 0), "everything is there already");
    lab.event(Event::Client { client: BGP, message: ToZebra::ReplayDone });
    lab.pass(Duration::from_secs(61));
    let kept: Prefix = "20.0.0.0/24".parse().unwrap();
    assert_eq!(lab.kernel.routes.get(&kept), before.get(&kept));
    assert_eq!(lab.kernel.routes.len(), 1);
    assert_eq!(lab.kernel.objects.len(), 1);
}

#[test]
fn without_objects_the_same_routes_stand_with_their_next_hops() {
    let mut lab = Lab::new(Kernel::default());
    lab.announce(BGP, "20.0.0.0/24", &[via("10.1.0.2"), via("10.2.0.2")]);
    let settings = |text: &str| {
        let engine = ferrite_cli::Engine::new(zebra_core::registry());
        engine.load(zebra_core::Settings::default(), &ferrite_cli::numbered(text)).unwrap()
    };
    lab.event(Event::Configured(Arc::new(settings("no zebra nexthop kernel enable\n"))));
    let prefix: Prefix = "20.0.0.0/24".parse().unwrap();
    assert_eq!(lab.kernel.routes[&prefix].nexthops.len(), 2);
    assert!(lab.kernel.objects.is_empty());
    lab.event(Event::Configured(Arc::new(settings(""))));
    assert_eq!(lab.gateways("20.0.0.0/24").len(), 2);
}

fn withdraw(lab: &mut Lab, prefix: &str) {
    let update = RouteUpdate { prefix: prefix.parse().unwrap(), protocol: RouteProtocol::Bgp, route: None };
    lab.say(BGP, vec![update]);
}

/// Groups and others of the kernel's objects.
fn counts(lab: &Lab) -> (usize, usize) {
    let group = |object: &&NexthopObject| matches!(object, NexthopObject::Group(_));
    let groups = lab.kernel.objects.values().filter(group).count();
    (groups, lab.kernel.objects.len() - groups)
}

#[test]
fn a_group_that_no_route_names_is_kept_as_long_as_the_operator_says() {
    let mut lab = Lab::new(Kernel::default());
    let settings = zebra_core::Settings { group_keep: Some(5), ..Default::default() };
    lab.event(Event::Configured(Arc::new(settings)));
    let two = [via("10.1.0.2"), via("10.2.0.2")];
    lab.announce(BGP, "192.0.2.0/24", &two);
    let id = lab.kernel.routes[&"192.0.2.0/24".parse().unwrap()].group;
    withdraw(&mut lab, "192.0.2.0/24");
    assert_eq!(counts(&lab), (1, 2));
    lab.pass(Duration::from_secs(4));
    let messages = lab.kernel.object_messages;
    lab.announce(BGP, "198.51.100.0/24", &two);
    assert_eq!(lab.kernel.routes[&"198.51.100.0/24".parse().unwrap()].group, id, "it is used again");
    assert_eq!(lab.kernel.object_messages, messages);
    lab.pass(Duration::from_secs(10));
    assert_eq!(counts(&lab), (1, 2), "what is in use stays");
    withdraw(&mut lab, "198.51.100.0/24");
    lab.pass(Duration::from_secs(6));
    assert_eq!(counts(&lab), (0, 0));
}
