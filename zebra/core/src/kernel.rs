//! Routes that stand in the kernel: those of others are learned, those of an earlier run of ours are adopted, and a
//! dump tells what is missing.
//!
//! An adopted route is a candidate like any other until its source names it again; it goes when the source has replayed
//! without it, or when nobody claimed it in time. What is to be done about a route of ours that is not as it should be
//! stands in [`audit`](crate::audit).

use std::collections::BTreeSet;
use std::net::IpAddr;

use ferrite_types::interface::InterfaceAddress;
use ferrite_types::zclient::RouteAttrs;
use ferrite_types::{Distance, IfIndex, Metric, RouteProtocol, TableId, Tag, Timestamp, VrfId};

use crate::client::Source;
use crate::event::KernelRoute;
use crate::instance::Zebra;
use crate::netns::{Netns, split_table};
use crate::rib::{OwnerId, TableKey};

/// RTA_PRIORITY of every route of ours, as FRR's.
pub const FIB_METRIC: Metric = Metric(20);

type AddressId = (IfIndex, IpAddr, u8, Option<IpAddr>);

#[derive(Debug, Default)]
pub struct Kernel {
    /// When adopted routes go that nobody claimed.
    pub adopt_until: Option<Timestamp>,
    /// The first dump is over: a route of ours that we do not know is no inheritance any more.
    pub started: bool,
    /// The next-hop object that the route names which is being adopted.
    pub adopting: Option<crate::action::NexthopId>,
    /// What the dump that is under way has named of links and addresses.
    dump: Option<Seen>,
    /// Counts dumps; foreign routes carry the one that named them last.
    pub epoch: u16,
    /// Dumps after the first.
    pub resyncs: u64,
}

/// What a dump has named of links and addresses.
#[derive(Debug, Default)]
pub struct Seen {
    links: BTreeSet<IfIndex>,
    addresses: BTreeSet<AddressId>,
    pub epoch: u16,
}

impl Seen {
    pub fn of(epoch: u16) -> Self {
        Self { epoch, ..Self::default() }
    }
}

impl Kernel {
    pub fn dumping(&self) -> bool {
        self.dump.is_some()
    }
}

/// The kernel's own: unspecified, default, main and local.
const RESERVED_TABLES: [TableId; 4] = [TableId(0), TableId(253), TableId(254), TableId(255)];

impl Zebra {
    /// The dump under way in a link's namespace.
    fn seen_in(&mut self, ifindex: IfIndex) -> Option<&mut Seen> {
        match Netns::of_link(ifindex) {
            Netns::OWN => self.kernel.dump.as_mut(),
            netns => self.namespaces.dumps.get_mut(&netns),
        }
    }

    pub(crate) fn saw_link(&mut self, ifindex: IfIndex) {
        if let Some(seen) = self.seen_in(ifindex) {
            seen.links.insert(ifindex);
        }
    }

    pub(crate) fn saw_address(&mut self, ifindex: IfIndex, address: &InterfaceAddress) {
        if let Some(seen) = self.seen_in(ifindex) {
            seen.addresses.insert((ifindex, address.addr, address.prefix_len, address.peer));
        }
    }

    pub(crate) fn kernel_key(&self, route: &KernelRoute) -> Option<TableKey> {
        self.table_of_kernel(route).map(|key| TableKey { from: route.from, ..key })
    }

    fn table_of_kernel(&self, route: &KernelRoute) -> Option<TableKey> {
        if self.options.netns {
            let (netns, table) = split_table(route.table);
            let known = self.interfaces.vrf(netns.vrf()).is_some();
            let kept = table == TableId::MAIN || !RESERVED_TABLES.contains(&table);
            return (known && kept).then(|| crate::rib::key(netns.vrf(), route.prefix.afi(), table));
        }
        // A table that no VRF forwards by is kept for redistribution and for shows. As in FRR it counts to the default VRF.
        let vrf = self
            .interfaces
            .vrf_by_table(route.table)
            .or_else(|| (!RESERVED_TABLES.contains(&route.table)).then_some(VrfId::DEFAULT))?;
        Some(crate::rib::key(vrf, route.prefix.afi(), route.table))
    }

    pub(crate) fn kernel_route(&mut self, route: &KernelRoute) {
        let Some(key) = self.kernel_key(route) else { return };
        if route.protocol == RouteProtocol::Kernel {
            self.learn(key, route);
        } else if route.metric != FIB_METRIC {
            // It carries the mark of a protocol, but it is nothing that we install.
        } else if !self.started_in(Netns::of_vrf(key.vrf)) {
            self.adopt(key, route);
        } else {
            self.observe(key, route);
        }
    }

    pub(crate) fn kernel_route_gone(&mut self, route: &KernelRoute) {
        let Some(key) = self.kernel_key(route) else { return };
        if route.protocol == RouteProtocol::Kernel {
            let metric = route_metric(route).1;
            self.withdraw_matching(key, route.prefix, |shape| {
                shape.owner == OwnerId::KERNEL && shape.metric == metric
            });
        } else if route.metric == FIB_METRIC {
            self.capacity.renew(key, route.prefix);
            self.repair(key, route.prefix);
        }
    }

    /// What a namespace had before we knew it is an inheritance.
    pub(crate) fn started_in(&self, netns: Netns) -> bool {
        if netns == Netns::OWN || !self.options.netns {
            self.kernel.started
        } else {
            self.namespaces.listed(netns)
        }
    }

    fn learn(&mut self, key: TableKey, route: &KernelRoute) {
        let epoch = self.kernel.epoch;
        let source = Source { owner: OwnerId::KERNEL, protocol: RouteProtocol::Kernel, instance: 0, epoch };
        let (distance, metric) = route_metric(route);
        self.add_route(key, route.prefix, source, &attrs(route, distance, metric));
    }

    fn adopt(&mut self, key: TableKey, route: &KernelRoute) {
        let protocol = route.protocol;
        let source = Source { owner: OwnerId::ADOPTED, protocol, instance: 0, epoch: 0 };
        self.kernel.adopting = route.group;
        self.add_route(key, route.prefix, source, &attrs(route, protocol.default_distance(), Metric(0)));
        self.kernel.adopting = None;
        self.kernel.adopt_until = Some(self.now + self.options.adopt_for);
    }

    pub(crate) fn expire_adopted(&mut self) {
        if self.kernel.adopt_until.is_some_and(|at| at <= self.now) {
            self.kernel.adopt_until = None;
            self.sweep(|shape, _| shape.owner == OwnerId::ADOPTED);
            self.sweep_pool();
            self.sweep_adopted_lsps(None);
        }
    }

    pub(crate) fn dump_begin(&mut self) {
        self.kernel.resyncs += u64::from(self.kernel.started);
        self.kernel.epoch = self.kernel.epoch.wrapping_add(1);
        self.kernel.dump = Some(Seen::default());
        self.resync_begin();
    }

    /// Whatever the dump did not name is not in the kernel.
    pub(crate) fn dump_end(&mut self) {
        let first = !std::mem::replace(&mut self.kernel.started, true);
        let Some(seen) = self.kernel.dump.take() else { return };
        if !first {
            self.forget_unseen(Netns::OWN, &seen);
            let epoch = self.kernel.epoch;
            let netns = self.options.netns;
            self.sweep_table(
                |key| !netns || key.vrf == VrfId::DEFAULT,
                |shape, entry| shape.owner == OwnerId::KERNEL && entry.epoch != epoch,
            );
        }
        self.resync_end(first);
    }

    /// Links and addresses that went while nobody listened.
    pub(crate) fn forget_unseen(&mut self, netns: Netns, seen: &Seen) {
        let (links, addresses) = (&seen.links, &seen.addresses);
        let mut gone_links = Vec::new();
        let mut gone = Vec::new();
        for link in self.interfaces.links() {
            let ifindex = link.info.interface.ifindex;
            if Netns::of_link(ifindex) != netns {
                continue;
            }
            if !links.contains(&ifindex) {
                gone_links.push(ifindex);
            }
            let unseen =
                |a: &&InterfaceAddress| !addresses.contains(&(ifindex, a.addr, a.prefix_len, a.peer));
            gone.extend(link.addresses.iter().filter(unseen).map(|address| (ifindex, *address)));
        }
        for (ifindex, address) in gone {
            self.address_gone(ifindex, address);
        }
        for ifindex in gone_links {
            self.link_gone(ifindex);
        }
    }
}

/// The kernel keeps one number; its upper octet is the distance.
fn route_metric(route: &KernelRoute) -> (Distance, Metric) {
    (Distance((route.metric.0 >> 24) as u8), Metric(route.metric.0 & 0x00ff_ffff))
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
        ospf: None,
    }
}
