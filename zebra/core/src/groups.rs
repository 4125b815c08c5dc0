//! Next-hop objects of the kernel: what many routes lead through stands there once, and a route names it by number.
//!
//! Every set of next hops that routes name (`rib::intern`) has a group, and keeps its number while its resolution changes:
//! then one message changes the group, and no route. The members are objects of their own, shared by all groups and
//! counted. A group lives as long as its set. A set of one next hop on a network of ours names the single object, as in
//! FRR; what is found through another route has a group even of one, for that other route may change.
//!
//! What the kernel does by itself is followed: it drops the objects of a link that goes down, takes them out of their
//! groups, drops the groups that are left without a member, and with those their routes, all without a word. A group that
//! has lost a member so is not written again where it then is what is wanted: for each write the kernel walks all routes
//! that name the group.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use ferrite_types::{Afi, IfIndex, Nexthop, NexthopKind, Prefix, Timestamp};
use rustc_hash::FxHashMap;

use crate::action::{FibOpKind, Members, NexthopId, NexthopObject, NexthopOp, Single};
use crate::client::family;
use crate::event::{KernelNexthop, NexthopResult};
use crate::instance::Zebra;
use crate::netns::Netns;
use crate::rib::{DestState, OwnerId, SetId, ShapeId};

const RETRY_MIN: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(64);
const REPAIR_AFTER: Duration = Duration::from_millis(200);
const EOPNOTSUPP: i32 = 95;

/// Where the kernel stands with an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ObjectState {
    Queued,
    Installed,
    /// The kernel has dropped it, or lacks it.
    Lost,
    /// It answered with this errno.
    Rejected(i32),
}

#[derive(Clone, Debug)]
pub struct Object {
    pub content: NexthopObject,
    /// Groups and sets that name it.
    pub users: u32,
    /// Sets whose routes name it: a group has one at most.
    pub sets: Vec<(SetId, Afi)>,
    pub state: ObjectState,
    /// The members that the kernel has left in a group after it took out others.
    shrunk: Option<Vec<(NexthopId, u8)>>,
    /// Routes that name it are gone with it.
    broken: bool,
    attempts: u32,
    due: Timestamp,
    pub seq: u32,
    pub since: Timestamp,
}

impl Object {
    /// One that stands in the kernel and that nothing names yet.
    pub fn standing(content: NexthopObject, now: Timestamp) -> Self {
        Self {
            content,
            users: 0,
            sets: Vec::new(),
            state: ObjectState::Installed,
            shrunk: None,
            broken: false,
            attempts: 0,
            due: Timestamp::ZERO,
            seq: 0,
            since: now,
        }
    }
}

#[derive(Debug, Default)]
pub struct Groups {
    /// The kernel has objects, and the configuration lets us use them.
    pub enabled: bool,
    objects: BTreeMap<NexthopId, Object>,
    singles: FxHashMap<Single, NexthopId>,
    /// Left by an earlier run and not taken over yet.
    pool: BTreeMap<NexthopId, NexthopObject>,
    /// Other people's, as far as they are of a kind that we know.
    foreign: BTreeMap<NexthopId, Option<NexthopObject>>,
    last: u32,
    retries: BTreeMap<Timestamp, Vec<NexthopId>>,
    /// Groups that no route names any more, by when they go.
    kept: BTreeMap<Timestamp, Vec<NexthopId>>,
    /// Messages about objects, for `show zebra dplane`.
    pub messages: u64,
    pub errors: u64,
}

impl Groups {
    pub fn objects(&self) -> impl Iterator<Item = (NexthopId, &Object)> {
        self.objects.iter().map(|(id, object)| (*id, object))
    }

    /// What others have put into the kernel.
    pub fn foreign(&self) -> impl Iterator<Item = (NexthopId, &NexthopObject)> {
        self.foreign.iter().filter_map(|(id, object)| Some((*id, object.as_ref()?)))
    }

    pub fn get(&self, id: NexthopId) -> Option<&Object> {
        self.objects.get(&id)
    }

    pub fn next_retry(&self) -> Option<Timestamp> {
        let first = |times: &BTreeMap<Timestamp, Vec<NexthopId>>| times.first_key_value().map(|(at, _)| *at);
        [first(&self.retries), first(&self.kept)].into_iter().flatten().min()
    }

    /// Takes a group that is kept for nobody; it stands in the kernel as it should.
    fn reuse(&mut self, content: &NexthopObject) -> Option<NexthopId> {
        let id = self.kept.values().flatten().copied().find(|id| {
            let object = self.objects.get(id);
            object.is_some_and(|o| o.content == *content && o.state == ObjectState::Installed)
        })?;
        self.kept.values_mut().for_each(|ids| ids.retain(|kept| *kept != id));
        Some(id)
    }

    /// The namespace is gone, and what stood there with it.
    pub fn forget(&mut self, netns: Netns) {
        self.pool.retain(|id, _| Netns::of_object(*id) != netns);
        self.foreign.retain(|id, _| Netns::of_object(*id) != netns);
    }

    fn fresh_id(&mut self, netns: Netns) -> NexthopId {
        loop {
            self.last = self.last.wrapping_add(1);
            let id = netns.object(self.last);
            let taken = self.objects.contains_key(&id)
                || self.pool.contains_key(&id)
                || self.foreign.contains_key(&id);
            if !taken {
                return id;
            }
        }
    }

    /// An object of an earlier run with this content; the one that is hinted at, if it fits.
    fn claim(&mut self, content: &NexthopObject, hint: Option<NexthopId>) -> Option<NexthopId> {
        let hinted = hint.filter(|id| self.pool.get(id) == Some(content));
        let id = hinted.or_else(|| self.pool.iter().find(|(_, held)| *held == content).map(|(id, _)| *id))?;
        self.pool.remove(&id);
        Some(id)
    }

    fn schedule(&mut self, now: Timestamp, id: NexthopId, repair: bool) {
        let Some(object) = self.objects.get_mut(&id) else { return };
        let wait = RETRY_MIN.saturating_mul(1 << object.attempts.min(6)).min(RETRY_MAX);
        object.due = now + if repair { REPAIR_AFTER } else { wait };
        if !repair {
            object.attempts = object.attempts.saturating_add(1);
        }
        self.retries.entry(object.due).or_default().push(id);
    }

    /// Groups that have a member.
    pub fn groups_of(&self, member: NexthopId) -> Vec<NexthopId> {
        let has = |object: &Object| match &object.content {
            NexthopObject::Group(members) => members.iter().any(|(id, _)| *id == member),
            NexthopObject::Single(_) => false,
        };
        self.objects.iter().filter(|(_, object)| has(object)).map(|(id, _)| *id).collect()
    }

    /// A refusal may have become groundless.
    pub fn cure(&mut self, now: Timestamp) {
        let refused = |object: &Object| matches!(object.state, ObjectState::Rejected(_) | ObjectState::Lost);
        let ids: Vec<NexthopId> =
            self.objects.iter().filter(|(_, object)| refused(object)).map(|(id, _)| *id).collect();
        for id in ids {
            if let Some(object) = self.objects.get_mut(&id) {
                object.attempts = 0;
            }
            self.schedule(now, id, true);
        }
    }
}

/// The namespace that next hops lead out of.
fn place(nexthops: &[Nexthop]) -> Netns {
    nexthops.first().and_then(Nexthop::ifindex).map_or(Netns::OWN, Netns::of_link)
}

/// Whether the kernel can have these as members of a group for routes of the family.
pub fn groupable(nexthops: &[Nexthop], afi: Afi) -> bool {
    let netns = place(nexthops);
    let fits = |nexthop: &Nexthop| {
        let known = match nexthop.kind {
            // A group is one kernel's.
            _ if nexthop.ifindex().is_some_and(|exit| Netns::of_link(exit) != netns) => false,
            NexthopKind::Interface(_) => true,
            NexthopKind::Gateway(gateway, Some(_)) => afi != Afi::Ipv6 || gateway.is_ipv6(),
            NexthopKind::Gateway(_, None) | NexthopKind::Blackhole(_) => false,
        };
        known && nexthop.labels.is_empty()
    };
    !nexthops.is_empty() && nexthops.iter().all(fits)
}

fn is_group(content: &NexthopObject) -> bool {
    matches!(content, NexthopObject::Group(_))
}

fn single(nexthop: &Nexthop, afi: Afi) -> Single {
    let afi = match nexthop.gateway_addr() {
        Some(gateway) if gateway.is_ipv6() => Afi::Ipv6,
        Some(_) => Afi::Ipv4,
        None => afi,
    };
    Single {
        afi,
        kind: nexthop.kind,
        onlink: nexthop.onlink,
        seg6: nexthop.seg6.as_deref().map(|seg6| Box::new(seg6.kept())),
    }
}

impl Zebra {
    // Making and changing.

    /// Gives a shape's set its group, before a route names it.
    pub(crate) fn prepare_group(&mut self, id: ShapeId, hint: Option<NexthopId>) {
        if !self.groups.enabled {
            return;
        }
        let Some(shape) = self.rib.shared.shape(id).copied() else { return };
        if matches!(shape.owner, OwnerId::ADOPTED | OwnerId::KERNEL) || shape.sourced {
            return;
        }
        let Some(set) = self.rib.shared.set(shape.set) else { return };
        let slot = family(shape.afi);
        if set.groups.get(slot).is_none_or(Option::is_some) || !groupable(&set.resolved.fib, shape.afi) {
            return;
        }
        let (fib, alone) = (set.resolved.fib.clone(), set.stands_alone());
        let named = self.object_for(&fib, alone, (shape.set, shape.afi), hint);
        if let Some(place) = self.rib.shared.set_mut(shape.set).and_then(|set| set.groups.get_mut(slot)) {
            *place = Some(named);
        }
    }

    /// What the routes of a set are to name, held for the set.
    fn object_for(
        &mut self,
        fib: &[Nexthop],
        alone: bool,
        set: (SetId, Afi),
        hint: Option<NexthopId>,
    ) -> NexthopId {
        let (true, [nexthop]) = (alone, fib) else {
            let resilience = self.rib.shared.set(set.0).and_then(|set| set.resilience);
            let content = NexthopObject::Group(Members { list: self.members(fib, set.1), resilience });
            return self.make_object(content, place(fib), Some(set), hint);
        };
        let id = self.hold_single(nexthop, set.1, hint);
        if let Some(object) = self.groups.objects.get_mut(&id) {
            object.sets.push(set);
        }
        id
    }

    /// The object of one next hop, held once more.
    fn hold_single(&mut self, nexthop: &Nexthop, afi: Afi, hint: Option<NexthopId>) -> NexthopId {
        let key = single(nexthop, afi);
        let id = match self.groups.singles.get(&key) {
            Some(id) => *id,
            None => {
                let netns = key.ifindex().map_or(Netns::OWN, Netns::of_link);
                let id = self.make_object(NexthopObject::Single(key.clone()), netns, None, hint);
                self.groups.singles.insert(key, id);
                id
            }
        };
        if let Some(object) = self.groups.objects.get_mut(&id) {
            object.users += 1;
        }
        id
    }

    /// The members for some next hops, each held once more.
    fn members(&mut self, nexthops: &[Nexthop], afi: Afi) -> Vec<(NexthopId, u8)> {
        let mut members: Vec<(NexthopId, u8)> = Vec::with_capacity(nexthops.len());
        for nexthop in nexthops {
            let held = self.groups.singles.get(&single(nexthop, afi));
            if held.is_some_and(|id| members.iter().any(|(present, _)| present == id)) {
                continue;
            }
            members.push((self.hold_single(nexthop, afi, None), nexthop.weight.max(1)));
        }
        members
    }

    fn make_object(
        &mut self,
        content: NexthopObject,
        netns: Netns,
        set: Option<(SetId, Afi)>,
        hint: Option<NexthopId>,
    ) -> NexthopId {
        if set.is_some()
            && !self.groups.kept.is_empty()
            && let Some(id) = self.groups.reuse(&content)
        {
            if let Some(object) = self.groups.objects.get_mut(&id) {
                object.sets.extend(set);
            }
            // It has held its members all the time.
            self.release_members(&content);
            return id;
        }
        let adopted = self.groups.claim(&content, hint);
        let id = adopted.unwrap_or_else(|| self.groups.fresh_id(netns));
        let object = Object { sets: set.into_iter().collect(), ..Object::standing(content, self.now) };
        self.groups.objects.insert(id, object);
        if adopted.is_none() {
            self.install_group(id);
        }
        id
    }

    /// An object, after those of its members that are not there.
    fn install_group(&mut self, id: NexthopId) {
        let content = self.groups.get(id).map(|object| object.content.clone());
        if let Some(NexthopObject::Group(members)) = content {
            for (member, _) in &members {
                let member = *member;
                let state = self.groups.get(member).map(|object| object.state);
                if matches!(state, Some(ObjectState::Lost | ObjectState::Rejected(_))) {
                    self.install_object(member);
                }
            }
        }
        self.install_object(id);
    }

    fn install_object(&mut self, id: NexthopId) {
        self.fpm.object_written(id);
        let Some(object) = self.groups.objects.get_mut(&id) else { return };
        object.state = ObjectState::Queued;
        object.shrunk = None;
        object.seq = self.fib.push_nexthop(NexthopOp { id, seq: 0, object: Some(object.content.clone()) });
        self.groups.messages += 1;
    }

    /// The set's next hops have come out differently: its groups follow, and their routes with them.
    pub(crate) fn regroup(&mut self, id: SetId) {
        let Some(set) = self.rib.shared.set(id) else { return };
        let (fib, groups, alone) = (set.resolved.fib.clone(), set.groups, set.stands_alone());
        for (group, afi) in groups.into_iter().zip([Afi::Ipv4, Afi::Ipv6]) {
            let Some(group) = group.filter(|_| groupable(&fib, afi)) else { continue };
            let Some(object) = self.groups.get(group) else { continue };
            if is_group(&object.content) {
                self.change_group(group, &fib, afi);
            } else {
                self.change_named(group, &fib, alone, (id, afi));
            }
        }
    }

    fn change_group(&mut self, group: NexthopId, fib: &[Nexthop], afi: Afi) {
        let list = self.members(fib, afi);
        let Some(object) = self.groups.objects.get_mut(&group) else { return };
        let resilience = match &object.content {
            NexthopObject::Group(members) => members.resilience,
            NexthopObject::Single(_) => None,
        };
        let members = Members { list, resilience };
        // The kernel has done it already.
        let done = object.state == ObjectState::Lost
            && !object.broken
            && object.shrunk.take_if(|left| *left == members.list).is_some();
        if done {
            object.state = ObjectState::Installed;
        }
        let content = NexthopObject::Group(members);
        let there = matches!(object.state, ObjectState::Installed | ObjectState::Queued);
        let same = object.content == content;
        let old = std::mem::replace(&mut object.content, content);
        if done {
            self.fpm.object_written(group);
        } else if !same || !there {
            self.install_group(group);
        }
        self.release_members(&old);
    }

    /// A set that names a single object leads elsewhere: perhaps its routes name another now. They let go of the old one
    /// afterwards, or they would go with it.
    fn change_named(&mut self, old: NexthopId, fib: &[Nexthop], alone: bool, set: (SetId, Afi)) {
        let new = self.object_for(fib, alone, set, None);
        let slot = family(set.1);
        if let Some(place) = self.rib.shared.set_mut(set.0).and_then(|set| set.groups.get_mut(slot)) {
            *place = Some(new);
        }
        self.rib.shared.released.push((old, set));
        let state = self.groups.get(new).map(|object| object.state);
        if new == old && !matches!(state, Some(ObjectState::Installed | ObjectState::Queued)) {
            self.install_object(new);
        }
    }

    fn release_members(&mut self, content: &NexthopObject) {
        let NexthopObject::Group(members) = content else { return };
        for (id, _) in members {
            self.release_single(*id);
        }
    }

    fn release_single(&mut self, id: NexthopId) {
        let Some(object) = self.groups.objects.get_mut(&id) else { return };
        object.users = object.users.saturating_sub(1);
        if object.users > 0 {
            return;
        }
        if let NexthopObject::Single(key) = &object.content {
            self.groups.singles.remove(key);
        }
        self.remove_object(id);
    }

    fn remove_object(&mut self, id: NexthopId) {
        self.groups.objects.remove(&id);
        self.fpm.object_gone(id);
        self.groups.messages += 1;
        self.fib.push_nexthop(NexthopOp { id, seq: 0, object: None });
    }

    /// Sets that nobody names any more leave their groups behind; the routes are out of the kernel before.
    pub(crate) fn drop_groups(&mut self) {
        let keep = self.settings.group_keep.filter(|_| self.groups.enabled);
        let until = keep.map(|seconds| self.now + Duration::from_secs(seconds.into()));
        for (id, set) in self.rib.shared.take_released_groups() {
            let Some(object) = self.groups.objects.get_mut(&id) else { continue };
            if let Some(at) = object.sets.iter().position(|of| *of == set) {
                object.sets.swap_remove(at);
            }
            match until {
                Some(until) => self.groups.kept.entry(until).or_default().push(id),
                None => self.drop_group(id),
            }
        }
    }

    fn drop_group(&mut self, id: NexthopId) {
        let Some(content) = self.groups.get(id).map(|object| object.content.clone()) else { return };
        if !is_group(&content) {
            return self.release_single(id);
        }
        self.remove_object(id);
        self.release_members(&content);
    }

    fn drop_kept(&mut self) {
        while let Some(first) = self.groups.kept.first_entry().filter(|first| *first.key() <= self.now) {
            first.remove().into_iter().for_each(|id| self.drop_group(id));
        }
    }

    /// The configuration or the kernel lets us use objects, or no longer.
    pub(crate) fn apply_groups(&mut self) {
        // A table that is made to fit asks the kernel for routes of its own.
        let enabled = self.options.nexthop_objects
            && self.settings.nexthop_objects != Some(false)
            && !self.capacity.active();
        if enabled != self.groups.enabled {
            self.groups.enabled = enabled;
            self.rib.shared.grouping = enabled;
            self.reprogram_all();
            if !enabled {
                self.rib.shared.forget_groups();
                self.remove_all_objects();
                self.groups.singles.clear();
            }
        }
    }

    // What the kernel says.

    pub(crate) fn nexthops_done(&mut self, results: &[NexthopResult]) {
        for result in results {
            let failed = result.errno != 0;
            self.groups.errors += u64::from(failed);
            if result.errno == EOPNOTSUPP && self.groups.enabled {
                self.options.nexthop_objects = false;
                self.apply_groups();
                return;
            }
            let Some(object) = self.groups.objects.get_mut(&result.id) else { continue };
            if object.seq != result.seq || object.state != ObjectState::Queued {
                continue;
            }
            if failed {
                object.state = ObjectState::Rejected(result.errno);
                object.broken = true;
                self.groups.schedule(self.now, result.id, false);
                continue;
            }
            object.state = ObjectState::Installed;
            object.attempts = 0;
            if std::mem::take(&mut object.broken) {
                self.rewrite_users(result.id);
            }
        }
    }

    /// Routes that went with their group, or never came to be for want of it.
    fn rewrite_users(&mut self, named: NexthopId) {
        const SLICE: usize = 4096;
        let Some(sets) = self.groups.get(named).map(|object| object.sets.clone()) else { return };
        let of_family = |key: &&crate::rib::TableKey| sets.iter().any(|(_, afi)| *afi == key.afi);
        let keys: Vec<_> = self.rib.tables.keys().filter(of_family).copied().collect();
        for key in keys {
            let mut cursor: Option<Prefix> = None;
            loop {
                let mut found = Vec::new();
                let Some(table) = self.rib.tables.get(&key) else { break };
                let shared = &self.rib.shared;
                table.walk(cursor, |prefix, dest| {
                    cursor = Some(prefix);
                    let shape = dest.fib.and_then(|id| shared.shape(id));
                    let uses = shape.is_some_and(|shape| sets.contains(&(shape.set, shape.afi)));
                    if uses && matches!(dest.state, DestState::Installed | DestState::Rejected) {
                        found.push(prefix);
                    }
                    if found.len() < SLICE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                });
                if found.is_empty() {
                    break;
                }
                for prefix in found {
                    self.write_again(key, prefix);
                }
            }
        }
    }

    /// The kernel has dropped what leads through a link.
    pub(crate) fn link_lost(&mut self, ifindex: IfIndex) {
        let through = |object: &Object| match &object.content {
            NexthopObject::Single(single) => single.ifindex() == Some(ifindex),
            NexthopObject::Group(_) => false,
        };
        let lost: Vec<NexthopId> =
            self.groups.objects.iter().filter(|(_, object)| through(object)).map(|(id, _)| *id).collect();
        for id in lost {
            self.object_lost(id);
        }
    }

    /// An object is not in the kernel any more, nor in its groups there.
    fn object_lost(&mut self, id: NexthopId) {
        let now = self.now;
        let Some(object) = self.groups.objects.get_mut(&id) else { return };
        if object.state == ObjectState::Queued {
            // Before our own operation or after: it is done once more.
            self.install_object(id);
            return;
        }
        object.state = ObjectState::Lost;
        object.broken = !object.sets.is_empty();
        self.groups.schedule(now, id, true);
        for group in self.groups.groups_of(id) {
            self.member_lost(group, id);
        }
    }

    /// The kernel has taken a member out of a group, and the group out where it was the last.
    fn member_lost(&mut self, group: NexthopId, member: NexthopId) {
        let Some(object) = self.groups.objects.get_mut(&group) else { return };
        let before = match (&object.state, &object.content) {
            (ObjectState::Installed, NexthopObject::Group(members)) => Some(members.list.clone()),
            // Of what we do not know that it came before, nobody knows what is left.
            _ => object.shrunk.take(),
        };
        object.shrunk = before.map(|mut members| {
            members.retain(|(id, _)| *id != member);
            members
        });
        object.state = ObjectState::Lost;
        let Some(NexthopObject::Group(members)) = self.groups.get(group).map(|object| &object.content) else {
            return;
        };
        let gone =
            |id: &NexthopId| self.groups.get(*id).is_none_or(|member| member.state == ObjectState::Lost);
        let empty = members.iter().all(|(id, _)| gone(id));
        if let Some(object) = self.groups.objects.get_mut(&group) {
            object.broken |= empty;
        }
        self.groups.schedule(self.now, group, true);
    }

    pub(crate) fn retry_objects(&mut self) {
        self.drop_kept();
        while let Some(first) = self.groups.retries.first_entry() {
            if *first.key() > self.now {
                break;
            }
            for id in first.remove() {
                self.retry_object(id);
            }
        }
    }

    /// Members come back with their groups, and those where a set leads anywhere.
    fn retry_object(&mut self, id: NexthopId) {
        let Some(object) = self.groups.objects.get(&id).filter(|object| object.due <= self.now) else {
            return;
        };
        if matches!(object.state, ObjectState::Installed | ObjectState::Queued) {
            return;
        }
        let leads = |(set, afi): &(SetId, Afi)| {
            self.rib.shared.set(*set).is_some_and(|set| groupable(&set.resolved.fib, *afi))
        };
        if object.sets.iter().any(leads) {
            self.install_group(id);
        }
    }

    /// An object stands in the kernel. True where it is as it should be, or nobody's business.
    pub(crate) fn kernel_nexthop(&mut self, told: &KernelNexthop) -> bool {
        if !told.ours {
            self.groups.foreign.insert(told.id, told.object.clone());
            return true;
        }
        let Some(content) = &told.object else { return true };
        if !self.started_in(Netns::of_object(told.id)) {
            self.groups.pool.insert(told.id, content.clone());
            self.kernel.adopt_until = Some(self.now + self.options.adopt_for);
            self.groups.last = self.groups.last.max(told.id.in_kernel().min(u32::MAX / 2));
            return true;
        }
        match self.groups.objects.get(&told.id) {
            Some(object) => object.state != ObjectState::Installed || object.content == *content,
            None => self.groups.pool.contains_key(&told.id),
        }
    }

    /// Puts an object right that is missing, changed, or nobody's.
    pub(crate) fn mend_nexthop(&mut self, id: NexthopId, missing: bool) {
        if !self.groups.objects.contains_key(&id) {
            self.remove_object(id);
        } else if missing {
            self.object_lost(id);
        } else {
            self.install_object(id);
        }
    }

    pub(crate) fn kernel_nexthop_gone(&mut self, id: NexthopId) {
        self.groups.pool.remove(&id);
        self.groups.foreign.remove(&id);
        self.object_lost(id);
    }

    /// Nobody took them over in time: groups first, for their members hold nothing.
    pub(crate) fn sweep_pool(&mut self) {
        let pool = std::mem::take(&mut self.groups.pool);
        let (groups, singles): (Vec<_>, Vec<_>) =
            pool.into_iter().partition(|(_, content)| matches!(content, NexthopObject::Group(_)));
        for (id, _) in groups.into_iter().chain(singles) {
            self.remove_object(id);
        }
    }

    /// At the end of zebra, after its routes.
    pub(crate) fn remove_all_objects(&mut self) {
        let (groups, singles): (Vec<_>, Vec<_>) = self
            .groups
            .objects
            .iter()
            .map(|(id, o)| (*id, is_group(&o.content)))
            .partition(|(_, group)| *group);
        self.groups.kept.clear();
        for (id, _) in groups.into_iter().chain(singles) {
            self.remove_object(id);
        }
    }

    /// A route is written once more as it should be.
    fn write_again(&mut self, key: crate::rib::TableKey, prefix: Prefix) {
        let Some(dest) = self.rib.tables.get_mut(&key).and_then(|table| table.get_mut(prefix)) else {
            return;
        };
        let Some((generation, route)) = dest.fib.and_then(|held| self.rib.shared.fib_route(held)) else {
            return;
        };
        dest.fib_generation = generation;
        dest.state = DestState::Queued;
        dest.seq = self.fib.push(key, prefix, FibOpKind::Install(route));
    }
}
