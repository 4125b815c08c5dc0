//! What routes share, kept once and counted: shapes (everything about a route but its prefix) and next-hop sets.

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use ferrite_types::zclient::OspfRoute;
use ferrite_types::{Afi, Distance, Metric, Nexthop, RouteProtocol, Tag};
use rustc_hash::FxHashMap;

use super::resolve::{Resolved, Trust};
use crate::action::{FibRoute, NexthopId, Resilience};
use crate::groups::groupable;

/// Who brought a route: the kernel, zebra itself, or a client, across its reconnects.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OwnerId(pub u16);

impl OwnerId {
    /// zebra: connected, local and static routes.
    pub const SELF: Self = Self(0);
    pub const KERNEL: Self = Self(1);
    /// Found in the kernel at the start, installed by an earlier run.
    pub const ADOPTED: Self = Self(2);
    pub const FIRST_CLIENT: u16 = 3;
}

/// Everything about a route but its prefix.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Shape {
    pub owner: OwnerId,
    pub protocol: RouteProtocol,
    pub instance: u16,
    pub distance: Distance,
    pub metric: Metric,
    pub tag: Tag,
    pub mtu: u32,
    pub internal: bool,
    /// What OSPF says of it, for shows.
    pub ospf: Option<OspfRoute>,
    /// What `set src` of a route map asks for.
    pub source: Option<IpAddr>,
    /// Family of the prefix.
    pub afi: Afi,
    /// For packets from some source only: the kernel takes no objects for those.
    pub sourced: bool,
    /// Of a route of an earlier run: the object that it names.
    pub adopted: Option<NexthopId>,
    pub set: SetId,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(NonZeroU32);

        impl $name {
            pub fn from_index(index: usize) -> Self {
                let number = u32::try_from(index).ok().and_then(|index| index.checked_add(1));
                Self(number.and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MAX))
            }

            /// As shown to the operator.
            pub fn number(self) -> u32 {
                self.0.get()
            }

            fn index(self) -> usize {
                self.0.get() as usize - 1
            }
        }
    };
}
id!(
    /// Number of an interned [`Shape`].
    ShapeId
);
id!(
    /// Number of an interned next-hop set.
    SetId
);

/// Counted slots with a reverse index.
#[derive(Debug)]
struct Slab<T> {
    slots: Vec<Option<Slot<T>>>,
    free: Vec<usize>,
}

#[derive(Debug)]
struct Slot<T> {
    refs: u32,
    value: T,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// A new slot with one reference.
    fn insert(&mut self, value: T) -> usize {
        let slot = Some(Slot { refs: 1, value });
        match self.free.pop() {
            Some(index) => {
                self.slots[index] = slot;
                index
            }
            None => {
                self.slots.push(slot);
                self.slots.len() - 1
            }
        }
    }

    fn get(&self, index: usize) -> Option<&Slot<T>> {
        self.slots.get(index)?.as_ref()
    }

    fn get_mut(&mut self, index: usize) -> Option<&mut Slot<T>> {
        self.slots.get_mut(index)?.as_mut()
    }

    fn acquire(&mut self, index: usize) {
        if let Some(slot) = self.get_mut(index) {
            slot.refs += 1;
        }
    }

    /// Gives a reference back; the value where it was the last.
    fn release(&mut self, index: usize) -> Option<T> {
        let slot = self.slots.get_mut(index)?;
        let counted = slot.as_mut()?;
        counted.refs -= 1;
        if counted.refs > 0 {
            return None;
        }
        self.free.push(index);
        slot.take().map(|slot| slot.value)
    }
}

#[derive(Debug)]
struct ShapeSlot {
    shape: Shape,
    /// The kernel's form at a generation of the set.
    fib: Option<(u32, Arc<FibRoute>)>,
}

/// Next hops of a route, and what became of them.
#[derive(Debug)]
pub struct NexthopSet {
    pub nexthops: Arc<[Nexthop]>,
    pub trust: Trust,
    /// Of a `nexthop-group` that says so: its group in the kernel is of that kind.
    pub resilience: Option<Resilience>,
    pub resolved: Resolved,
    /// Counts the changes of `resolved`.
    pub generation: u32,
    /// Its groups in the kernel, for IPv4 and IPv6 routes.
    pub groups: [Option<NexthopId>; 2],
}

impl NexthopSet {
    /// One next hop on a network of ours: its routes name it, and need no group.
    pub fn stands_alone(&self) -> bool {
        self.resilience.is_none()
            && matches!(self.resolved.nexthops.as_slice(), [only] if !only.recursive && only.paths.len() == 1)
    }
}

/// The generation of routes that name an object: what its next hops come to is not theirs to know.
const fn grouped(id: NexthopId) -> u32 {
    1 << 31 | id.0
}

#[derive(Debug, Default)]
pub struct Interner {
    shapes: Slab<ShapeSlot>,
    shape_index: FxHashMap<Shape, ShapeId>,
    sets: Slab<NexthopSet>,
    set_index: FxHashMap<(Arc<[Nexthop]>, Trust, Option<Resilience>), SetId>,
    /// Routes name groups where their sets have one.
    pub grouping: bool,
    /// Objects that sets do not name any more; routes may, until what is under way is done.
    pub released: Vec<(NexthopId, (SetId, Afi))>,
}

impl Interner {
    /// A reference to the set; `true` where it is new and must be resolved.
    pub fn acquire_set(
        &mut self,
        nexthops: &Arc<[Nexthop]>,
        trust: Trust,
        resilience: Option<Resilience>,
    ) -> (SetId, bool) {
        let key = (nexthops.clone(), trust, resilience);
        if let Some(&id) = self.set_index.get(&key) {
            self.sets.acquire(id.index());
            return (id, false);
        }
        let set = NexthopSet {
            nexthops: nexthops.clone(),
            trust,
            resilience,
            resolved: Resolved::default(),
            generation: 0,
            groups: [None; 2],
        };
        let id = SetId::from_index(self.sets.insert(set));
        self.set_index.insert(key, id);
        (id, true)
    }

    /// True where the set is no longer there.
    pub fn release_set(&mut self, id: SetId) -> bool {
        let Some(set) = self.sets.release(id.index()) else { return false };
        self.set_index.remove(&(set.nexthops, set.trust, set.resilience));
        for (group, afi) in set.groups.into_iter().zip([Afi::Ipv4, Afi::Ipv6]) {
            self.released.extend(group.map(|group| (group, (id, afi))));
        }
        true
    }

    /// Whether a route of this shape would name a group that is not there yet.
    pub fn lacks_group(&self, id: ShapeId) -> bool {
        let Some(shape) = self.shape(id).filter(|shape| shape.adopted.is_none() && !shape.sourced) else {
            return false;
        };
        let Some(set) = self.set(shape.set) else { return false };
        set.groups.get(usize::from(shape.afi == Afi::Ipv6)).is_some_and(Option::is_none)
            && groupable(&set.resolved.fib, shape.afi)
    }

    /// Routes of this shape name a group.
    pub fn names_group(&self, id: ShapeId) -> bool {
        let Some(shape) = self.shape(id).filter(|shape| shape.adopted.is_none() && !shape.sourced) else {
            return false;
        };
        let Some(set) = self.set(shape.set).filter(|_| self.grouping) else { return false };
        set.groups.get(usize::from(shape.afi == Afi::Ipv6)).is_some_and(Option::is_some)
            && groupable(&set.resolved.fib, shape.afi)
    }

    /// Groups are no longer used.
    pub fn forget_groups(&mut self) {
        for slot in self.sets.slots.iter_mut().flatten() {
            slot.value.groups = [None; 2];
        }
    }

    pub fn take_released_groups(&mut self) -> Vec<(NexthopId, (SetId, Afi))> {
        std::mem::take(&mut self.released)
    }

    pub fn set(&self, id: SetId) -> Option<&NexthopSet> {
        self.sets.get(id.index()).map(|slot| &slot.value)
    }

    pub fn set_mut(&mut self, id: SetId) -> Option<&mut NexthopSet> {
        self.sets.get_mut(id.index()).map(|slot| &mut slot.value)
    }

    pub fn sets(&self) -> impl Iterator<Item = (SetId, &NexthopSet)> {
        let slots = self.sets.slots.iter().enumerate();
        slots.filter_map(|(index, slot)| Some((SetId::from_index(index), &slot.as_ref()?.value)))
    }

    /// A reference to the shape, which holds one of its set.
    pub fn acquire_shape(&mut self, shape: Shape) -> ShapeId {
        if let Some(&id) = self.shape_index.get(&shape) {
            self.shapes.acquire(id.index());
            return id;
        }
        self.sets.acquire(shape.set.index());
        let id = ShapeId::from_index(self.shapes.insert(ShapeSlot { shape, fib: None }));
        self.shape_index.insert(shape, id);
        id
    }

    pub fn hold_shape(&mut self, id: ShapeId) {
        self.shapes.acquire(id.index());
    }

    /// The set, where it went with the shape.
    pub fn release_shape(&mut self, id: ShapeId) -> Option<SetId> {
        let slot = self.shapes.release(id.index())?;
        self.shape_index.remove(&slot.shape);
        self.release_set(slot.shape.set).then_some(slot.shape.set)
    }

    pub fn shape(&self, id: ShapeId) -> Option<&Shape> {
        self.shapes.get(id.index()).map(|slot| &slot.value.shape)
    }

    /// The set of a shape.
    pub fn set_of(&self, id: ShapeId) -> Option<&NexthopSet> {
        self.set(self.shape(id)?.set)
    }

    /// What the kernel is asked to hold for a shape now, with the generation.
    pub fn fib_route(&mut self, id: ShapeId) -> Option<(u32, Arc<FibRoute>)> {
        let slot = &mut self.shapes.get_mut(id.index())?.value;
        let set = &self.sets.get(slot.shape.set.index())?.value;
        let group = set.groups.get(usize::from(slot.shape.afi == Afi::Ipv6)).copied().flatten();
        let group = group
            .filter(|_| self.grouping && !slot.shape.sourced && groupable(&set.resolved.fib, slot.shape.afi));
        let group = slot.shape.adopted.or(group);
        let now = group.map_or(set.generation, grouped);
        if let Some((generation, route)) = &slot.fib
            && *generation == now
        {
            return Some((now, route.clone()));
        }
        let source = slot.shape.source.or_else(|| set.resolved.fib.iter().find_map(|nexthop| nexthop.source));
        let nexthops = if group.is_some() { Arc::default() } else { set.resolved.fib.clone() };
        let (protocol, mtu) = (slot.shape.protocol, slot.shape.mtu);
        let route = Arc::new(FibRoute { protocol, nexthops, mtu, source, group });
        slot.fib = Some((now, route.clone()));
        Some((now, route))
    }

    /// Whether the kernel is asked for the same as before; also where it was never asked for a route of this shape.
    pub fn asks_for_the_same(&mut self, id: ShapeId) -> bool {
        let before = self.shapes.get(id.index()).and_then(|slot| slot.value.fib.clone());
        before.is_none_or(|before| self.fib_route(id) == Some(before))
    }

    pub fn shapes(&self) -> impl Iterator<Item = (ShapeId, &Shape)> {
        let slots = self.shapes.slots.iter().enumerate();
        slots.filter_map(|(index, slot)| Some((ShapeId::from_index(index), &slot.as_ref()?.value.shape)))
    }

    /// What the kernel was asked to hold for a shape, where that is of this generation.
    pub fn fib_route_of(&self, id: ShapeId, generation: u32) -> Option<&Arc<FibRoute>> {
        let (held, route) = self.shapes.get(id.index())?.value.fib.as_ref()?;
        (*held == generation).then_some(route)
    }

    /// Shapes and sets in use; for accounting.
    pub fn counts(&self) -> (usize, usize) {
        (self.shape_index.len(), self.set_index.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_holds_is_gone_and_its_number_is_used_again() {
        let mut shared = Interner::default();
        let nexthops: Arc<[Nexthop]> = Arc::new([Nexthop::gateway("10.0.0.1".parse().unwrap())]);
        let (set, new) = shared.acquire_set(&nexthops, Trust::Recursive, None);
        assert!(new);
        let shape = Shape {
            owner: OwnerId::SELF,
            protocol: RouteProtocol::Static,
            instance: 0,
            distance: Distance(1),
            metric: Metric(0),
            tag: Tag(0),
            mtu: 0,
            internal: false,
            ospf: None,
            source: None,
            afi: Afi::Ipv4,
            sourced: false,
            adopted: None,
            set,
        };
        let first = shared.acquire_shape(shape);
        assert_eq!(shared.acquire_shape(shape), first);
        assert!(!shared.release_set(set));
        assert_eq!(shared.release_shape(first), None);
        assert_eq!(shared.release_shape(first), Some(set));
        assert_eq!(shared.counts(), (0, 0));
        assert!(shared.shape(first).is_none());
        assert_eq!(shared.acquire_set(&nexthops, Trust::Recursive, None), (set, true));
    }
}
