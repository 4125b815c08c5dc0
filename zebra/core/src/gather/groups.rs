//! `show nexthop-group rib` from the machine's state.

use ferrite_types::{Afi, Nexthop, VrfId};

use crate::action::{NexthopId, NexthopObject, Single};
use crate::fib::errno_text;
use crate::groups::{Object, ObjectState};
use crate::instance::Zebra;
use crate::view::groups::{GroupNexthop, GroupView};
use crate::view::uptime;

impl Zebra {
    /// Every object, or those of one family that are no groups.
    pub(crate) fn group_views(&self, id: Option<NexthopId>, singletons: Option<Afi>) -> Vec<GroupView> {
        let wanted = |(of, object): &(NexthopId, &Object)| {
            id.is_none_or(|id| id == *of)
                && singletons.is_none_or(
                    |afi| matches!(&object.content, NexthopObject::Single(single) if single.afi == afi),
                )
        };
        self.groups.objects().filter(wanted).map(|(id, object)| self.group_view(id, object)).collect()
    }

    fn group_view(&self, id: NexthopId, object: &Object) -> GroupView {
        let (depends, nexthops, afi, interface_index) = match &object.content {
            NexthopObject::Single(single) => {
                let nexthop = self.group_nexthop(single, 1, object);
                (Vec::new(), vec![nexthop], single.afi, single.ifindex().map(|ifindex| ifindex.0))
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
                (depends, nexthops.collect(), object.set.map_or(Afi::Ipv4, |(_, afi)| afi), None)
            }
        };
        let dependents = match &object.content {
            NexthopObject::Single(_) => self.groups.groups_of(id),
            NexthopObject::Group(_) => Vec::new(),
        };
        GroupView {
            id,
            kind: "zebra",
            ref_count: object.users.max(1),
            uptime: uptime(self.now.since(object.since)),
            vrf: self.vrf_name(VrfId::DEFAULT),
            afi: if afi == Afi::Ipv6 { "IPv6" } else { "IPv4" },
            valid: true,
            installed: object.state == ObjectState::Installed,
            queued: object.state == ObjectState::Queued,
            failure_reason: match object.state {
                ObjectState::Rejected(errno) => Some(errno_text(errno)),
                _ => None,
            },
            interface_index,
            depends,
            nexthops,
            dependents,
        }
    }

    fn group_nexthop(&self, single: &Single, weight: u8, object: &Object) -> GroupNexthop {
        let nexthop = Nexthop { weight, onlink: single.onlink, ..Nexthop::new(single.kind) };
        let mut view = self.nexthop_view(&nexthop, VrfId::DEFAULT);
        (view.active, view.fib) = (true, object.state == ObjectState::Installed);
        GroupNexthop { view: view.with_flags(), vrf: self.vrf_name(VrfId::DEFAULT) }
    }
}
