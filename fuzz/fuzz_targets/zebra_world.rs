//! A machine with two links, static routes and a kernel that takes everything.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ferrite_types::interface::{Interface, InterfaceAddress};
use ferrite_types::{IfIndex, Prefix, TableId, Timestamp, VrfId};
use zebra_core::{
    Action, Event, FibOpKind, FibResult, LinkInfo, LinkKind, NexthopResult, Options, Settings, WallClock, Zebra,
};

pub struct World {
    pub zebra: Zebra,
    now: Timestamp,
    pub kernel: BTreeSet<(TableId, Prefix)>,
}

impl World {
    pub fn new() -> Self {
        let zebra = Zebra::new(Options { nexthop_objects: true, ..Options::default() }, WallClock::default());
        let mut world = Self { zebra, now: Timestamp::ZERO, kernel: BTreeSet::new() };
        world.event(Event::DumpBegin);
        for index in 1..=2_u8 {
            world.event(Event::Link(link(index.into())));
            let address = InterfaceAddress {
                addr: [10, index, 0, 1].into(),
                prefix_len: 24,
                peer: None,
                secondary: false,
            };
            world.event(Event::Address { ifindex: IfIndex(index.into()), address });
        }
        world.event(Event::DumpEnd);
        world.event(Event::Configured(Arc::new(Settings::default())));
        world
    }

    pub fn event(&mut self, event: Event) {
        let mut actions = Vec::new();
        self.zebra.handle(self.now, event, &mut actions);
        self.perform(actions);
    }

    pub fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(deadline) = self.zebra.next_deadline().filter(|at| *at <= until) {
            self.now = self.now.max(deadline);
            let mut actions = Vec::new();
            self.zebra.tick(self.now, &mut actions);
            self.perform(actions);
        }
        self.now = until;
    }

    fn perform(&mut self, actions: Vec<Action>) {
        for action in actions {
            let ops = match action {
                Action::Fib(ops) => ops,
                Action::Nexthops(ops) => {
                    let done = ops.iter().map(|op| NexthopResult { id: op.id, seq: op.seq, errno: 0 });
                    self.event(Event::NexthopsDone(done.collect()));
                    continue;
                }
                _ => continue,
            };
            let mut results = Vec::new();
            for op in ops {
                match op.kind {
                    FibOpKind::Install(_) => drop(self.kernel.insert((op.table, op.prefix))),
                    FibOpKind::Remove { .. } => drop(self.kernel.remove(&(op.table, op.prefix))),
                }
                let removal = match op.kind {
                    FibOpKind::Remove { protocol } => Some(protocol),
                    FibOpKind::Install(_) => None,
                };
                let (vrf, table, prefix, seq) = (op.vrf, op.table, op.prefix, op.seq);
                results.push(FibResult { vrf, table, prefix, from: None, seq, errno: 0, removal });
            }
            self.event(Event::FibDone(results));
        }
    }
}

fn link(index: u32) -> LinkInfo {
    LinkInfo {
        interface: Interface {
            name: format!("e{index}"),
            ifindex: IfIndex(index),
            vrf: VrfId::DEFAULT,
            up: true,
            running: true,
            loopback: false,
            point_to_point: false,
            broadcast: true,
            multicast: true,
            mtu: 1500,
            speed: 0,
            mac: None,
        },
        flags: 0x1043,
        hardware: 1,
        kind: LinkKind::Other,
        master: None,
        parent: None,
        tx_queue_len: 0,
        protodown: false,
    }
}
