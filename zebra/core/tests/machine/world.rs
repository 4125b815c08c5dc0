//! A world for the machine: a kernel that is a map, clients that are lists, a clock that is a number.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ferrite_types::interface::{Interface, InterfaceAddress};
use ferrite_types::zclient::{FromZebra, Hello, RouteAttrs, RouteBatch, RouteUpdate, ToZebra};
use ferrite_types::{
    IfIndex, Ipv6Prefix, Label, Metric, Nexthop, NexthopKind, Prefix, RouteProtocol, Safi, TableId, Tag,
    Timestamp, VrfId,
};
use zebra_core::commands::Answer;
use zebra_core::{
    Action, ClientKey, Event, FibOp, FibOpKind, FibResult, FibRoute, KernelLsp, KernelRoute, LfibOp,
    LfibResult, LinkChange, LinkInfo, LinkKind, MplsChange, NexthopId, NexthopObject, NexthopResult, Options,
    Settings, WallClock, Zebra,
};

/// A zebra in virtual time, whoever performs its actions.
pub trait Timed {
    fn machine(&mut self) -> (&mut Zebra, &mut Timestamp);
    fn perform(&mut self, actions: Vec<Action>);

    /// Lets time pass, deadline by deadline.
    fn pass(&mut self, time: Duration) {
        let until = *self.machine().1 + time;
        loop {
            let (zebra, now) = self.machine();
            let Some(deadline) = zebra.next_deadline().filter(|at| *at <= until) else { break };
            *now = (*now).max(deadline);
            let mut actions = Vec::new();
            zebra.tick(*now, &mut actions);
            self.perform(actions);
        }
        *self.machine().1 = until;
    }
}

pub struct World {
    pub zebra: Zebra,
    pub now: Timestamp,
    pub kernel: BTreeMap<(TableId, Prefix), FibRoute>,
    /// Routes for packets of some source.
    pub sourced: BTreeMap<(TableId, Prefix, Ipv6Prefix), FibRoute>,
    pub objects: BTreeMap<NexthopId, NexthopObject>,
    pub sent: Vec<(ClientKey, FromZebra)>,
    /// What the kernel answers for a prefix in place of success.
    pub refuse: BTreeMap<Prefix, i32>,
    pub writes: usize,
    pub advertised: Vec<(Timestamp, IfIndex, Vec<u8>)>,
    pub drifts: Vec<Arc<zebra_core::audit::Drift>>,
    /// The kernel takes everything and remembers nothing.
    pub forget_kernel: bool,
    pub lsps: BTreeMap<Label, Arc<[Nexthop]>>,
    pub lsp_protocols: BTreeMap<Label, RouteProtocol>,
    pub lsp_writes: usize,
    /// What the kernel answers for a label in place of success.
    pub refuse_labels: BTreeMap<Label, i32>,
    pub mpls: Vec<MplsChange>,
    /// Where the forwarding plane manager is said to be.
    pub fpm: Option<Option<std::net::SocketAddr>>,
    pub link_changes: Vec<LinkChange>,
}

impl Timed for World {
    fn machine(&mut self) -> (&mut Zebra, &mut Timestamp) {
        (&mut self.zebra, &mut self.now)
    }

    fn perform(&mut self, actions: Vec<Action>) {
        self.perform(actions);
    }
}

impl World {
    pub fn new() -> Self {
        Self::with(Options::default())
    }

    pub fn with(options: Options) -> Self {
        let mut world = Self {
            zebra: Zebra::new(options, WallClock::default()),
            now: Timestamp::ZERO,
            kernel: BTreeMap::new(),
            sourced: BTreeMap::new(),
            objects: BTreeMap::new(),
            sent: Vec::new(),
            refuse: BTreeMap::new(),
            writes: 0,
            advertised: Vec::new(),
            drifts: Vec::new(),
            forget_kernel: false,
            lsps: BTreeMap::new(),
            lsp_protocols: BTreeMap::new(),
            lsp_writes: 0,
            refuse_labels: BTreeMap::new(),
            mpls: Vec::new(),
            fpm: None,
            link_changes: Vec::new(),
        };
        world.event(Event::DumpBegin);
        world.event(Event::DumpEnd);
        world
    }

    pub fn event(&mut self, event: Event) {
        let mut actions = Vec::new();
        self.zebra.handle(self.now, event, &mut actions);
        self.perform(actions);
    }

    pub fn perform(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Fib(ops) => {
                    let results = ops.into_iter().map(|op| self.program(op)).collect();
                    self.event(Event::FibDone(results));
                }
                Action::Lfib(ops) => {
                    let results = ops.into_iter().map(|op| self.program_lsp(op)).collect();
                    self.event(Event::LfibDone(results));
                }
                Action::Mpls(change) => self.mpls.push(change),
                Action::Send { client, message } => self.sent.push((client, message)),
                Action::Fpm(address) => self.fpm = Some(address),
                Action::Advertise { ifindex, octets } => self.advertised.push((self.now, ifindex, octets)),
                Action::Audit { audit, .. } => self.audit(audit),
                Action::Drift { drift, .. } => self.drifts.push(drift),
                Action::Nexthops(ops) => {
                    let done = ops.iter().map(|op| NexthopResult { id: op.id, seq: op.seq, errno: 0 });
                    let done = done.collect();
                    for op in ops {
                        match op.object {
                            Some(object) => drop(self.objects.insert(op.id, object)),
                            None => drop(self.objects.remove(&op.id)),
                        }
                    }
                    self.event(Event::NexthopsDone(done));
                }
                Action::Link(change) => self.link_changes.push(change),
                Action::Forwarding { .. } | Action::HearSolicitations { .. } => {}
            }
        }
    }

    /// Lists the kernel.
    fn audit(&mut self, audit: u64) {
        let routes = self.kernel.iter().map(|((table, prefix), route)| listed(*table, *prefix, route));
        let sourced = self.sourced.iter().map(|((table, prefix, from), route)| zebra_core::KernelRoute {
            from: Some(*from),
            ..listed(*table, *prefix, route)
        });
        let routes = routes.chain(sourced).collect();
        self.event(Event::Audited { audit, nexthops: Vec::new(), routes });
        let lsps = self.lsps.iter().map(|(label, nexthops)| KernelLsp {
            label: *label,
            protocol: self.lsp_protocols.get(label).copied().unwrap_or(RouteProtocol::Static),
            nexthops: nexthops.clone(),
        });
        self.event(Event::AuditedLsps { audit, lsps: lsps.collect() });
        self.event(Event::AuditEnd { audit, error: None });
    }

    /// How the kernel differs, as an operator asks it.
    pub fn drift(&mut self) -> Arc<zebra_core::audit::Drift> {
        self.event(Event::DriftWanted { token: 1 });
        self.pass(Duration::from_millis(1));
        self.drifts.pop().expect("a report")
    }

    fn program(&mut self, op: FibOp) -> FibResult {
        self.writes += 1;
        let errno = self.refuse.get(&op.prefix).copied().unwrap_or(0);
        let key = (op.table, op.prefix);
        let removal = match op.kind {
            FibOpKind::Remove { protocol } => Some(protocol),
            FibOpKind::Install(_) => None,
        };
        if let Some(from) = op.from {
            let key = (op.table, op.prefix, from);
            match op.kind {
                FibOpKind::Install(route) => drop(self.sourced.insert(key, (*route).clone())),
                FibOpKind::Remove { .. } => drop(self.sourced.remove(&key)),
            }
            let FibOp { vrf, table, prefix, from, seq, .. } = op;
            return FibResult { vrf, table, prefix, from, seq, errno, removal };
        }
        match op.kind {
            FibOpKind::Install(_) if self.forget_kernel => {}
            FibOpKind::Install(route) if errno == 0 => drop(self.kernel.insert(key, (*route).clone())),
            FibOpKind::Install(_) => {}
            FibOpKind::Remove { .. } => drop(self.kernel.remove(&key)),
        }
        FibResult {
            vrf: op.vrf,
            table: op.table,
            prefix: op.prefix,
            from: op.from,
            seq: op.seq,
            errno,
            removal,
        }
    }

    fn program_lsp(&mut self, op: LfibOp) -> LfibResult {
        let errno = self.refuse_labels.get(&op.label).copied().unwrap_or(0);
        self.lsp_writes += 1;
        match op.nexthops {
            Some(nexthops) if errno == 0 => {
                self.lsp_protocols.insert(op.label, op.protocol);
                self.lsps.insert(op.label, nexthops);
            }
            Some(_) => {}
            None => drop(self.lsps.remove(&op.label)),
        }
        LfibResult { label: op.label, seq: op.seq, errno }
    }

    /// Lets what was stirred up settle, without an event.
    pub fn pass_nothing(&mut self) {
        let mut actions = Vec::new();
        self.zebra.settle_now(&mut actions);
        self.perform(actions);
    }

    pub fn link(&mut self, index: u32, up: bool) {
        self.event(Event::Link(link(index, up)));
    }

    /// One that is up and has that name.
    pub fn named_link(&mut self, index: u32, name: &str) {
        let mut info = link(index, true);
        info.interface.name = name.to_owned();
        self.event(Event::Link(info));
    }

    pub fn address(&mut self, index: u32, text: &str) {
        self.event(Event::Address { ifindex: IfIndex(index), address: address(text) });
    }

    /// What a command prints.
    pub fn show(&self, line: &str) -> String {
        show(&self.zebra, line)
    }

    /// Lines of configuration, as a file holds them.
    pub fn lines(&mut self, text: &str) {
        let engine = ferrite_cli::Engine::new(zebra_core::registry());
        let lines = ferrite_cli::numbered(text);
        let settings = engine.load(Settings::default(), &lines).unwrap_or_else(|errors| panic!("{errors:?}"));
        self.event(Event::Configured(Arc::new(settings)));
    }

    pub fn connect(&mut self, key: u64, protocol: RouteProtocol) -> ClientKey {
        let client = ClientKey(key);
        let hello = Hello { daemon: protocol.name().to_owned(), protocol, instance: 0, restarting: false };
        self.event(Event::ClientConnected { client, hello });
        client
    }

    pub fn say(&mut self, client: ClientKey, message: ToZebra) {
        self.event(Event::Client { client, message });
    }

    pub fn announce(
        &mut self,
        client: ClientKey,
        protocol: RouteProtocol,
        prefix: &str,
        nexthops: &[Nexthop],
    ) {
        let route = attrs(protocol, nexthops);
        self.say(client, ToZebra::Routes(batch(protocol, prefix, Some(route))));
    }

    pub fn withdraw(&mut self, client: ClientKey, protocol: RouteProtocol, prefix: &str) {
        self.say(client, ToZebra::Routes(batch(protocol, prefix, None)));
    }

    /// The next hops that the kernel has for a prefix of the main table, as text.
    pub fn kernel(&self, prefix: &str) -> Option<String> {
        let route = self.kernel.get(&(TableId::MAIN, prefix.parse().unwrap()))?;
        let hop = |nexthop: &Nexthop| match nexthop.kind {
            NexthopKind::Interface(ifindex) => format!("dev {ifindex}"),
            NexthopKind::Gateway(gateway, ifindex) => {
                format!("{gateway} dev {}", ifindex.unwrap_or_default())
            }
            NexthopKind::Blackhole(kind) => format!("{kind:?}"),
        };
        let hops: Vec<String> = match route.group {
            Some(id) => self.members(id).iter().map(hop).collect(),
            None => route.nexthops.iter().map(hop).collect(),
        };
        Some(format!("{} {}", route.protocol, hops.join(" + ")))
    }

    /// The next hops of an object.
    fn members(&self, id: NexthopId) -> Vec<Nexthop> {
        match self.objects.get(&id) {
            None => Vec::new(),
            Some(NexthopObject::Single(single)) => vec![Nexthop::new(single.kind)],
            Some(NexthopObject::Group(members)) => {
                members.iter().flat_map(|(member, _)| self.members(*member)).collect()
            }
        }
    }

    /// What a client was told since the last call.
    pub fn told(&mut self, client: ClientKey) -> Vec<FromZebra> {
        let (mine, others) = std::mem::take(&mut self.sent).into_iter().partition(|(key, _)| *key == client);
        self.sent = others;
        let mine: Vec<(ClientKey, FromZebra)> = mine;
        mine.into_iter().map(|(_, message)| message).collect()
    }
}

/// A route as the kernel tells of it.
pub fn listed(table: TableId, prefix: Prefix, route: &FibRoute) -> KernelRoute {
    KernelRoute {
        table,
        prefix,
        from: None,
        protocol: RouteProtocol::from_kernel_number(route.protocol.kernel_number())
            .unwrap_or(RouteProtocol::Kernel),
        metric: zebra_core::FIB_METRIC,
        nexthops: route.nexthops.clone(),
        mtu: route.mtu,
        source: route.source,
        group: route.group,
        offload: zebra_core::Offload::None,
    }
}

/// What a command prints.
pub fn show(zebra: &Zebra, line: &str) -> String {
    let engine = ferrite_cli::Engine::new(zebra_core::registry());
    let found = engine.exec(&ferrite_cli::node::ENABLE, line);
    let Ok(ferrite_cli::Outcome::Exec { handler, args, .. }) = found else { panic!("{line}: {found:?}") };
    match zebra.answer(handler, &args) {
        Ok(Answer::Text(text)) => text,
        Ok(Answer::Routes(mut walk)) => {
            std::iter::from_fn(|| walk.next_piece(zebra)).collect::<Vec<_>>().concat()
        }
        other => panic!("{line}: {other:?}"),
    }
}

pub fn link(index: u32, up: bool) -> LinkInfo {
    LinkInfo {
        interface: Interface {
            name: format!("e{index}"),
            ifindex: IfIndex(index),
            vrf: VrfId::DEFAULT,
            up,
            running: up,
            loopback: false,
            point_to_point: false,
            broadcast: true,
            multicast: true,
            mtu: 1500,
            speed: 0,
            mac: None,
        },
        // UP, RUNNING and LOWER_UP.
        flags: if up { 0x10041 } else { 0 },
        hardware: 1,
        kind: LinkKind::Veth,
        master: None,
        parent: None,
        tx_queue_len: 1000,
        protodown: false,
    }
}

pub fn address(text: &str) -> InterfaceAddress {
    let (addr, len) = text.split_once('/').unwrap();
    InterfaceAddress {
        addr: addr.parse().unwrap(),
        prefix_len: len.parse().unwrap(),
        peer: None,
        secondary: false,
    }
}

pub fn via(gateway: &str) -> Nexthop {
    Nexthop::gateway(gateway.parse().unwrap())
}

pub fn attrs(protocol: RouteProtocol, nexthops: &[Nexthop]) -> RouteAttrs {
    RouteAttrs {
        nexthops: nexthops.into(),
        distance: protocol.default_distance(),
        metric: Metric(0),
        tag: Tag(0),
        mtu: 0,
        allow_recursion: true,
        internal: false,
        ospf: None,
    }
}

pub fn batch(protocol: RouteProtocol, prefix: &str, route: Option<RouteAttrs>) -> RouteBatch {
    let update = RouteUpdate { prefix: prefix.parse().unwrap(), protocol, route };
    RouteBatch {
        vrf: VrfId::DEFAULT,
        safi: Safi::Unicast,
        table: None,
        instance: 0,
        group: None,
        updates: vec![update],
    }
}
