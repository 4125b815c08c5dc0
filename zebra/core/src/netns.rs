//! VRFs that are network namespaces (`-w`): what other namespaces say, made fit for one machine.
//!
//! Every namespace numbers its links and tables by itself. A link of namespace K, other than zebra's own, is known by a number
//! that says so (the highest bit, K, the kernel's number); the kernel gives out no such numbers. The VRF of namespace K
//! has the number K and the namespace's main table. Each kernel has next-hop objects of its own; their numbers are told apart
//! in the same way. Label tables are used in zebra's own namespace only.

use std::collections::BTreeMap;
use std::sync::Arc;

use ferrite_types::interface::Interface;
use ferrite_types::{IfIndex, Nexthop, NexthopKind, TableId, VrfId};

use crate::action::{Members, NexthopId, NexthopObject, Single};
use crate::event::{Event, KernelNexthop, KernelRoute};
use crate::iface::Vrf;
use crate::instance::Zebra;
use crate::kernel::Seen;
use crate::rib::OwnerId;
use crate::settings::{DEFAULT_VRF_NAME, InterfaceSettings};

/// Numbers the namespaces beside zebra's own, which is zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Netns(u16);

const SHIFT: u32 = IfIndex::NETNS_SHIFT;
const MARK: u32 = IfIndex::NETNS_MARK;
const NUMBER: u32 = (1 << SHIFT) - 1;
/// The last number of a namespace.
pub const MAX_NETNS: u16 = (1 << (31 - SHIFT)) - 1;

impl Netns {
    pub const OWN: Self = Self(0);

    pub fn new(number: u16) -> Option<Self> {
        (number <= MAX_NETNS).then_some(Self(number))
    }

    pub fn number(self) -> u16 {
        self.0
    }

    /// The namespace of a link.
    pub fn of_link(ifindex: IfIndex) -> Self {
        Self(split(ifindex.0).0)
    }

    /// The namespace of a VRF, where VRFs are namespaces.
    pub fn of_vrf(vrf: VrfId) -> Self {
        u16::try_from(vrf.0).map_or(Self::OWN, Self)
    }

    /// The namespace of a next-hop object.
    pub fn of_object(id: NexthopId) -> Self {
        Self(split(id.0).0)
    }

    /// An object of this namespace by a number that is free in all of them: large ones begin anew.
    pub(crate) fn object(self, number: u32) -> NexthopId {
        match self.0 {
            0 => NexthopId((number & !MARK).max(1)),
            _ => NexthopId(self.join(number % NUMBER + 1).unwrap_or(1)),
        }
    }

    pub fn vrf(self) -> VrfId {
        VrfId(self.0.into())
    }

    /// A number of this namespace's kernel; none where it is too large to be told apart.
    fn join(self, number: u32) -> Option<u32> {
        match self.0 {
            0 => Some(number),
            own => (number <= NUMBER).then(|| MARK | u32::from(own) << SHIFT | number),
        }
    }

    fn link(self, ifindex: IfIndex) -> Option<IfIndex> {
        self.join(ifindex.0).map(IfIndex)
    }

    fn nexthop(self, nexthop: &Nexthop) -> Option<Nexthop> {
        let kind = match nexthop.kind {
            NexthopKind::Interface(exit) => NexthopKind::Interface(self.link(exit)?),
            NexthopKind::Gateway(gateway, Some(exit)) => {
                NexthopKind::Gateway(gateway, Some(self.link(exit)?))
            }
            kind => kind,
        };
        Some(Nexthop { kind, vrf: self.vrf(), ..nexthop.clone() })
    }

    fn route(self, route: KernelRoute) -> Option<KernelRoute> {
        let nexthops: Option<Arc<[Nexthop]>> =
            route.nexthops.iter().map(|nexthop| self.nexthop(nexthop)).collect();
        let table = TableId(self.join(route.table.0)?);
        let group = route.group.and_then(|id| self.named(id));
        Some(KernelRoute { nexthops: nexthops?, table, group, ..route })
    }

    fn named(self, id: NexthopId) -> Option<NexthopId> {
        self.join(id.0).map(NexthopId)
    }

    fn told(self, told: KernelNexthop) -> Option<KernelNexthop> {
        let object = told.object.and_then(|object| match object {
            NexthopObject::Single(single) => {
                let plain = self.nexthop(&Nexthop::new(single.kind))?;
                Some(NexthopObject::Single(Single { kind: plain.kind, ..single }))
            }
            NexthopObject::Group(members) => {
                let list = members.iter().map(|(id, weight)| Some((self.named(*id)?, *weight)));
                let list: Option<_> = list.collect();
                list.map(|list| NexthopObject::Group(Members { list, ..members }))
            }
        });
        Some(KernelNexthop { id: self.named(told.id)?, object, ..told })
    }

    /// What the kernel says within this namespace, as the machine is to hear it.
    pub fn hear(self, event: Event) -> Option<Event> {
        if self == Self::OWN {
            return Some(event);
        }
        Some(match event {
            Event::Link(mut info) => {
                info.interface.ifindex = self.link(info.interface.ifindex)?;
                info.master = info.master.and_then(|master| self.link(master));
                // The other end of a cable may be in any namespace.
                info.parent = info.parent.and_then(|parent| self.link(parent));
                Event::Link(info)
            }
            Event::Icmp6 { ifindex, source, hop_limit, octets } => {
                Event::Icmp6 { ifindex: self.link(ifindex)?, source, hop_limit, octets }
            }
            Event::LinkGone(ifindex) => Event::LinkGone(self.link(ifindex)?),
            Event::Address { ifindex, address } => Event::Address { ifindex: self.link(ifindex)?, address },
            Event::AddressGone { ifindex, address } => {
                Event::AddressGone { ifindex: self.link(ifindex)?, address }
            }
            Event::KernelRoute(route) => Event::KernelRoute(self.route(route)?),
            Event::KernelRouteGone(route) => Event::KernelRouteGone(self.route(route)?),
            Event::DumpBegin => Event::NetnsDumpBegin(self),
            Event::DumpEnd => Event::NetnsDumpEnd(self),
            Event::KernelNexthop(told) => Event::KernelNexthop(self.told(told)?),
            Event::KernelNexthopGone(id) => Event::KernelNexthopGone(self.named(id)?),
            Event::Audited { audit, nexthops, routes } => {
                let nexthops = nexthops.into_iter().filter_map(|told| self.told(told)).collect();
                let routes = routes.into_iter().filter_map(|route| self.route(route)).collect();
                Event::Audited { audit, nexthops, routes }
            }
            _ => return None,
        })
    }
}

fn split(number: u32) -> (u16, u32) {
    if number & MARK == 0 {
        return (0, number);
    }
    (((number & !MARK) >> SHIFT) as u16, number & NUMBER)
}

/// The namespace of a table, and its number there.
pub(crate) fn split_table(table: TableId) -> (Netns, TableId) {
    let (netns, table) = split(table.0);
    (Netns(netns), TableId(table))
}

/// A namespace that is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct NetnsInfo {
    /// It has been listed once.
    listed: bool,
}

#[derive(Debug, Default)]
pub struct Namespaces {
    known: BTreeMap<Netns, NetnsInfo>,
    /// What the dumps that are under way have named.
    pub(crate) dumps: BTreeMap<Netns, Seen>,
}

impl Namespaces {
    /// Whether what is named for the first time is an inheritance.
    pub(crate) fn listed(&self, netns: Netns) -> bool {
        self.known.get(&netns).is_some_and(|info| info.listed)
    }
}

/// Where `ip netns` keeps namespaces by name.
pub const NETNS_DIR: &str = "/run/netns";

impl Zebra {
    pub(crate) fn netns_seen(&mut self, netns: Netns, name: String, path: String) {
        if !self.options.netns || netns == Netns::OWN {
            return;
        }
        self.namespaces.known.insert(netns, NetnsInfo::default());
        self.vrf_seen(netns.vrf(), Vrf { name, table: TableId::MAIN, netns: Some(path) });
    }

    /// It took its links and routes along.
    pub(crate) fn netns_gone(&mut self, netns: Netns) {
        if self.namespaces.known.remove(&netns).is_none() {
            return;
        }
        self.namespaces.dumps.remove(&netns);
        let of = |link: &crate::iface::Link| link.info.interface.ifindex;
        let links: Vec<IfIndex> =
            self.interfaces.links().map(of).filter(|ifindex| Netns::of_link(*ifindex) == netns).collect();
        for ifindex in links {
            self.link_gone(ifindex);
        }
        self.vrf_gone(netns.vrf());
        self.groups.forget(netns);
    }

    /// What the configuration says of a link. Namespaces may have links of one name: a line is about its VRF's.
    pub(crate) fn settings_of(&self, link: &Interface) -> Option<&InterfaceSettings> {
        let settings = self.settings.interfaces.get(&link.name)?;
        let vrf = self.interfaces.vrf(link.vrf).map(|vrf| vrf.name.as_str());
        let named = settings.vrf.as_deref().unwrap_or(DEFAULT_VRF_NAME);
        (!self.options.netns || vrf == Some(named)).then_some(settings)
    }

    pub(crate) fn netns_dump_begin(&mut self, netns: Netns) {
        self.kernel.epoch = self.kernel.epoch.wrapping_add(1);
        self.kernel.resyncs += u64::from(self.namespaces.listed(netns));
        self.namespaces.dumps.insert(netns, Seen::of(self.kernel.epoch));
    }

    /// Whatever the dump did not name is not in the kernel; routes of ours are looked for by an audit.
    pub(crate) fn netns_dump_end(&mut self, netns: Netns) {
        let Some(seen) = self.namespaces.dumps.remove(&netns) else { return };
        let Some(info) = self.namespaces.known.get_mut(&netns) else { return };
        if !std::mem::replace(&mut info.listed, true) {
            return;
        }
        self.forget_unseen(netns, &seen);
        self.sweep_table(
            |key| Netns::of_vrf(key.vrf) == netns,
            |shape, entry| shape.owner == OwnerId::KERNEL && entry.epoch < seen.epoch,
        );
        self.suspect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_other_namespaces_are_told_apart() {
        let blue = Netns::new(2).unwrap();
        let link = blue.link(IfIndex(7)).unwrap();
        assert_eq!((Netns::of_link(link), link.in_kernel()), (blue, IfIndex(7)));
        assert_eq!((Netns::of_link(IfIndex(7)), IfIndex(7).in_kernel()), (Netns::OWN, IfIndex(7)));
        assert_eq!(Netns::OWN.link(IfIndex(5_000_000)), Some(IfIndex(5_000_000)));
        assert_eq!(blue.link(IfIndex(5_000_000)), None);
        assert_eq!(blue.vrf(), VrfId(2));
        assert_eq!(Netns::of_vrf(VrfId::DEFAULT), Netns::OWN);
        assert_eq!(Netns::new(MAX_NETNS + 1), None);
        let last = Netns::new(MAX_NETNS).unwrap();
        assert_eq!(Netns::of_link(last.link(IfIndex(NUMBER)).unwrap()), last);
    }
}
