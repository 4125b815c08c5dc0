//! A destination: the candidates for one prefix, which of them is selected, and what stands in the kernel.

use super::intern::ShapeId;
use crate::event::Offload;

/// One candidate route. Twelve octets: the rest is in its shape.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    pub shape: ShapeId,
    /// Seconds since the daemon started when the route came or changed.
    pub since: u32,
    /// Connection of the owner that last named the route; older ones are stale.
    pub epoch: u16,
    /// What `ip protocol … route-map` made of it.
    pub policy: Policy,
}

/// The verdict of the route map at installation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Policy {
    #[default]
    Permit,
    Deny,
}

/// Where the kernel stands with the destination.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DestState {
    /// Nothing of ours is in the kernel and nothing is asked for.
    #[default]
    Idle,
    /// An operation is on its way.
    Queued,
    Installed,
    /// The kernel refused; `Rib::failed` knows why and when to try again.
    Rejected,
}

/// The place of one prefix in a table.
#[derive(Debug, Default)]
pub struct Dest {
    first: Option<Entry>,
    /// Candidates after the first: rare, so boxed.
    #[allow(clippy::box_collection)]
    more: Option<Box<Vec<Entry>>>,
    /// What we last asked the kernel to hold.
    pub fib: Option<ShapeId>,
    /// Generation of the next-hop set's resolution at that time.
    pub fib_generation: u32,
    /// Number of the last operation; answers to older ones do not count.
    pub seq: u32,
    pub state: DestState,
    /// What the hardware made of it.
    pub offload: Offload,
    /// The look at the kernel that last found the route as it should be.
    pub seen: u8,
    selected: u8,
}

/// `selected` while no candidate is.
const NONE: u8 = u8::MAX;
/// Candidates of one prefix; one more per source would need more sources than there are.
const MAX_CANDIDATES: usize = 200;

impl Dest {
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.first.iter().chain(self.more.iter().flat_map(|more| more.iter()))
    }

    pub fn entries_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.first.iter_mut().chain(self.more.iter_mut().flat_map(|more| more.iter_mut()))
    }

    pub fn len(&self) -> usize {
        self.entries().count()
    }

    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub fn get(&self, index: usize) -> Option<&Entry> {
        self.entries().nth(index)
    }

    /// Appends a candidate; the caller has looked that its like is not there. False where there are too many.
    pub fn push(&mut self, entry: Entry) -> bool {
        if self.first.is_none() {
            self.first = Some(entry);
            self.selected = NONE;
            return true;
        }
        let more = self.more.get_or_insert_default();
        if more.len() >= MAX_CANDIDATES {
            return false;
        }
        more.push(entry);
        true
    }

    /// Takes the candidate at `index` out; the selection moves with its entry.
    pub fn remove(&mut self, index: usize) -> Option<Entry> {
        let removed = if index == 0 {
            let next = match &mut self.more {
                Some(more) if !more.is_empty() => Some(more.remove(0)),
                _ => None,
            };
            std::mem::replace(&mut self.first, next)
        } else {
            let more = self.more.as_mut()?;
            (index <= more.len()).then(|| more.remove(index - 1))
        }?;
        if self.more.as_ref().is_some_and(|more| more.is_empty()) {
            self.more = None;
        }
        self.selected = match usize::from(self.selected) {
            selected if selected == index => NONE,
            selected if selected > index && self.selected != NONE => self.selected - 1,
            _ => self.selected,
        };
        Some(removed)
    }

    pub fn selected_index(&self) -> Option<usize> {
        (self.first.is_some() && self.selected != NONE).then_some(usize::from(self.selected))
    }

    pub fn selected(&self) -> Option<&Entry> {
        self.get(self.selected_index()?)
    }

    pub fn select(&mut self, index: Option<usize>) {
        self.selected = index.and_then(|index| u8::try_from(index).ok()).unwrap_or(NONE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(n: u32) -> Entry {
        Entry { shape: ShapeId::from_index(n as usize), since: n, epoch: 0, policy: Policy::Permit }
    }

    #[test]
    fn the_selection_follows_its_entry_when_others_go() {
        let mut dest = Dest::default();
        (0..4).for_each(|n| assert!(dest.push(entry(n))));
        dest.select(Some(2));
        assert_eq!(dest.remove(0).unwrap().since, 0);
        assert_eq!(dest.selected().unwrap().since, 2);
        assert_eq!(dest.remove(2).unwrap().since, 3);
        assert_eq!(dest.selected().unwrap().since, 2);
        dest.remove(1);
        assert_eq!(dest.selected(), None);
        assert_eq!(dest.remove(5), None);
        assert_eq!(dest.len(), 1);
    }

    #[test]
    fn sizes_are_those_the_table_is_designed_for() {
        assert_eq!(size_of::<Entry>(), 12);
        assert!(size_of::<Dest>() <= 40, "{}", size_of::<Dest>());
    }
}
