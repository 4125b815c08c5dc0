//! Routes that stand in the kernel: those of others are learned, those of an earlier run of ours are adopted, and a
//! dump tells what is missing.
//!
//! An adopted route is a candidate like any other until its source names it again; it goes when the source has replayed
//! without it, or when nobody claimed it in time.

use ferrite_types::zclient::RouteAttrs;
use ferrite_types::{Distance, Metric, Prefix, RouteProtocol, Tag, Timestamp};
use rustc_hash::FxHashSet;

use crate::action::FibOpKind;
use crate::client::Source;
use crate::event::KernelRoute;
use crate::instance::Zebra;
use crate::rib::{DestState, OwnerId, TableKey};

#[derive(Debug, Default)]
pub struct Kernel {
    /// When adopted routes go that nobody claimed.
    pub adopt_until: Option<Timestamp>,
    /// The first dump is over: a route of ours that we do not know is no inheritance any more.
    started: bool,
    dump: Option<Dump>,
    /// Dumps after the first.
    pub resyncs: u64,
}

/// What a dump has named so far.
#[derive(Debug, Default)]
struct Dump {
    ours: FxHashSet<(TableKey, Prefix)>,
    foreign: FxHashSet<(TableKey, Prefix, Metric)>,
}

impl Zebra {
    fn kernel_key(&self, route: &KernelRoute) -> Option<TableKey> {
        let vrf = self.interfaces.vrf_by_table(route.table)?;
        Some(crate::rib::key(vrf, route.prefix.afi(), route.table))
    }

    pub(crate) fn kernel_route(&mut self, route: KernelRoute) {
        let Some(key) = self.kernel_key(&route) else { return };
        if route.protocol == RouteProtocol::Kernel {
            if let Some(dump) = &mut self.kernel.dump {
                dump.foreign.insert((key, route.prefix, route.metric));
            }
            self.learn(key, &route);
        } else if !self.kernel.started {
            self.adopt(key, &route);
        } else if let Some(dump) = &mut self.kernel.dump {
            dump.ours.insert((key, route.prefix));
        }
    }

    pub(crate) fn kernel_route_gone(&mut self, route: &KernelRoute) {
        let Some(key) = self.kernel_key(route) else { return };
        if route.protocol == RouteProtocol::Kernel {
            let metric = route_metric(route).1;
            self.withdraw_matching(key, route.prefix, |shape| {
                shape.owner == OwnerId::KERNEL && shape.metric == metric
            });
        } else {
            self.repair(key, route.prefix);
        }
    }

    fn learn(&mut self, key: TableKey, route: &KernelRoute) {
        let source =
            Source { owner: OwnerId::KERNEL, protocol: RouteProtocol::Kernel, instance: 0, epoch: 0 };
        let (distance, metric) = route_metric(route);
        self.add_route(key, route.prefix, source, &attrs(route, distance, metric));
    }

    fn adopt(&mut self, key: TableKey, route: &KernelRoute) {
        let protocol = route.protocol;
        let source = Source { owner: OwnerId::ADOPTED, protocol, instance: 0, epoch: 0 };
        self.add_route(key, route.prefix, source, &attrs(route, protocol.default_distance(), Metric(0)));
        self.kernel.adopt_until = Some(self.now + self.options.adopt_for);
    }

    pub(crate) fn expire_adopted(&mut self) {
        if self.kernel.adopt_until.is_some_and(|at| at <= self.now) {
            self.kernel.adopt_until = None;
            self.sweep(|shape, _| shape.owner == OwnerId::ADOPTED);
        }
    }

    pub(crate) fn dump_begin(&mut self) {
        self.kernel.resyncs += u64::from(self.kernel.started);
        self.kernel.dump = Some(Dump::default());
    }

    /// Whatever the dump did not name is not in the kernel.
    pub(crate) fn dump_end(&mut self) {
        let first = !std::mem::replace(&mut self.kernel.started, true);
        let Some(dump) = self.kernel.dump.take() else { return };
        if first {
            return;
        }
        let mut missing = Vec::new();
        let mut gone = Vec::new();
        for (key, table) in &self.rib.tables {
            table.for_each(|prefix, dest| {
                if dest.state == DestState::Installed && !dump.ours.contains(&(*key, prefix)) {
                    missing.push((*key, prefix));
                }
                for entry in dest.entries() {
                    let Some(shape) = self.rib.shared.shape(entry.shape) else { continue };
                    let metric = kernel_metric(shape.distance, shape.metric);
                    if shape.owner == OwnerId::KERNEL && !dump.foreign.contains(&(*key, prefix, metric)) {
                        gone.push((*key, prefix, shape.metric));
                    }
                }
            });
        }
        for (key, prefix) in missing {
            self.repair(key, prefix);
        }
        for (key, prefix, metric) in gone {
            self.withdraw_matching(key, prefix, |shape| {
                shape.owner == OwnerId::KERNEL && shape.metric == metric
            });
        }
        for (key, prefix) in &dump.ours {
            self.remove_orphan(*key, *prefix);
        }
    }

    /// A route with our mark that we do not hold: left over from an operation that was lost.
    fn remove_orphan(&mut self, key: TableKey, prefix: Prefix) {
        let held = self.rib.dest(key, prefix).is_some_and(|dest| dest.fib.is_some());
        if !held {
            self.fib.push_removal(key, prefix, FibOpKind::Remove { protocol: RouteProtocol::System });
        }
    }
}

/// The kernel keeps one number; its upper octet is the distance.
fn route_metric(route: &KernelRoute) -> (Distance, Metric) {
    (Distance((route.metric.0 >> 24) as u8), Metric(route.metric.0 & 0x00ff_ffff))
}

fn kernel_metric(distance: Distance, metric: Metric) -> Metric {
    Metric(u32::from(distance.0) << 24 | metric.0)
}

fn attrs(route: &KernelRoute, distance: Distance, metric: Metric) -> RouteAttrs {
    RouteAttrs {
        nexthops: route.nexthops.clone(),
        distance,
        metric,
        tag: Tag(0),
        mtu: route.mtu,
        allow_recursion: false,
        internal: false,
    }
}
