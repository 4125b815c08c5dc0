//! `show nexthop-group rib` from the machine's state.

use ferrite_types::{Afi, Nexthop, VrfId};

use crate::action::{NexthopId, NexthopObject, Single};
use crate::fib::errno_text;
use crate::groups::{Object, ObjectState};
use crate::instance::Zebra;
use crate::view::groups::{GroupNexthop, GroupView, ResilienceView};
use crate::view::uptime;

const OURS: &str = "zebra";
const KERNEL: &str = "kernel";

/// What of the objects is to be shown.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct GroupFilter<'a> {
    pub id: Option<u32>,
    /// No groups, and one family.
    pub singletons: Option<Afi>,
    /// FRR's word for who made it.
    pub owner: Option<&'a str>,
    pub vrf: Option<&'a str>,
}

impl Zebra {
    /// The objects that a filter leaves: ours, and those that others have put into the kernel.
    pub(crate) fn group_views(&self, filter: &GroupFilter<'_>) -> Vec<GroupView> {
        let named = |of: NexthopId| filter.id.is_none_or(|id| id == of.in_kernel());
        let of_family = |content: &NexthopObject| {
            filter
                .singletons
                .is_none_or(|afi| matches!(content, NexthopObject::Single(single) if single.afi == afi))
        };
        let owned = |kind: &str| filter.owner.is_none_or(|owner| owner == kind);
        let mut views = Vec::new();
        if owned(OURS) {
            let ours = self.groups.objects().filter(|(id, object)| named(*id) && of_family(&object.content));
            views.extend(ours.map(|(id, object)| self.group_view(id, object)));
        }
        if owned(KERNEL) {
            let theirs = self.groups.foreign().filter(|(id, content)| named(*id) && of_family(content));
            views.extend(theirs.map(|(id, content)| self.foreign_view(id, content)));
        }
        views.retain(|view| filter.vrf.is_none_or(|vrf| vrf == view.vrf));
        views.sort_by_key(|view| view.id);
        views
    }

    /// The VRF that all next hops leave through; a group may have several, and is the default one's then.
    fn vrf_of_object(&self, content: &NexthopObject) -> VrfId {
        let of = |single: &Single| {
            let link = single.ifindex().and_then(|exit| self.interfaces.get(exit));
            link.map(|link| link.info.interface.vrf).unwrap_or_default()
        };
        match content {
            NexthopObject::Single(single) => of(single),
            NexthopObject::Group(members) => {
                let mut vrfs = members.iter().map(|(id, _)| match self.groups.get(*id).map(|o| &o.content) {
                    Some(NexthopObject::Single(single)) => of(single),
                    _ => VrfId::DEFAULT,
                });
                let first = vrfs.next().unwrap_or_default();
                if vrfs.all(|vrf| vrf == first) { first } else { VrfId::DEFAULT }
            }
        }
    }

    /// What somebody else put into the kernel.
    fn foreign_view(&self, id: NexthopId, content: &NexthopObject) -> GroupView {
        let object = Object::standing(content.clone(), self.now);
        GroupView { kind: KERNEL, ..self.group_view(id, &object) }
    }

    fn group_view(&self, id: NexthopId, object: &Object) -> GroupView {
        let (depends, nexthops, afi, interface_index) = match &object.content {
            NexthopObject::Single(single) => {
                let nexthop = self.group_nexthop(single, 1, object);
                (Vec::new(), vec![nexthop], single.afi, single.ifindex().map(|ifindex| ifindex.in_kernel().0))
            }
            NexthopObject::Group(members) => {
                let nexthops = members.iter().filter_map(|(id, weight)| {
                    let member = self.groups.get(*id)?;
                    match &member.content {
                        NexthopObject::Single(single) => Some(self.group_nexthop(single, *weight, object)),
                        NexthopObject::Group(_) => None,
                    }
                });
                let depends = members.iter().map(|(id, _)| *id).collect();
                (depends, nexthops.collect(), object.sets.first().map_or(Afi::Ipv4, |(_, afi)| *afi), None)
            }
        };
        let dependents = match &object.content {
            NexthopObject::Single(_) => self.groups.groups_of(id),
            NexthopObject::Group(_) => Vec::new(),
        };
        GroupView {
            id,
            kind: OURS,
            ref_count: object.users.max(1),
            uptime: uptime(self.now.since(object.since)),
            vrf: self.vrf_name(self.vrf_of_object(&object.content)),
            afi: if afi == Afi::Ipv6 { "IPv6" } else { "IPv4" },
            valid: true,
            installed: object.state == ObjectState::Installed,
            queued: object.state == ObjectState::Queued,
            failure_reason: match object.state {
                ObjectState::Rejected(errno) => Some(errno_text(errno)),
                _ => None,
            },
            interface_index,
            resilience: match &object.content {
                NexthopObject::Group(members) => members.resilience.map(|kind| ResilienceView {
                    buckets: kind.buckets,
                    idle_timer: kind.idle,
                    unbalanced_timer: kind.unbalanced,
                }),
                NexthopObject::Single(_) => None,
            },
            depends,
            nexthops,
            dependents,
        }
    }

    fn group_nexthop(&self, single: &Single, weight: u8, object: &Object) -> GroupNexthop {
        let nexthop =
            Nexthop { weight, onlink: single.onlink, seg6: single.seg6.clone(), ..Nexthop::new(single.kind) };
        let mut view = self.nexthop_view(&nexthop, VrfId::DEFAULT);
        (view.active, view.fib) = (true, object.state == ObjectState::Installed);
        let vrf = self.vrf_of_object(&NexthopObject::Single(single.clone()));
        GroupNexthop { view: view.with_flags(), vrf: self.vrf_name(vrf) }
    }
}
