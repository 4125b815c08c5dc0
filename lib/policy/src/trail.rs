//! The entries of a map by which a route passes, apart from what they change. `default-originate route-map` asks routes of the
//! table whether they pass, and changes the default route as the entries would change the one that does: those of called
//! maps, and all that `on-match next` leads through. Conditions see the route as it is, as in FRR.

use std::sync::Arc;

use crate::Action;
use crate::apply::{Call, PolicyRoute, RouteMap};
use crate::route_map::Exit;

/// First the number of the entry by which the map is left; then those of the entries in the order of their changes. Those of
/// a called map stand behind the entry that calls it.
pub type Trail = Arc<[u16]>;

/// Ends the numbers of one map; no entry has it.
const END: u16 = 0;

impl RouteMap {
    /// The entries by which a route passes; `None` where it is denied.
    pub fn trail(&self, route: &mut dyn PolicyRoute) -> Option<Trail> {
        let mut steps = vec![END];
        let left_by = self.follow(route, &mut steps)?;
        if let Some(first) = steps.first_mut() {
            *first = left_by;
        }
        Some(steps.into())
    }

    /// The last entry that matches, if the route is permitted.
    fn follow(&self, route: &mut dyn PolicyRoute, steps: &mut Vec<u16>) -> Option<u16> {
        self.invoked.hit();
        let (mut permitted, mut from) = (None, 0);
        for entry in &self.entries {
            if entry.seq < from || !entry.tests.iter().all(|test| test.holds(route, true)) {
                continue;
            }
            entry.hits.hit();
            if entry.action == Action::Deny {
                return None;
            }
            steps.push(entry.seq);
            match &entry.call {
                Call::None => {}
                Call::Map(map) if map.follow(route, steps).is_some() => {}
                Call::Map(_) | Call::Loop => return None,
            }
            permitted = Some(entry.seq);
            match entry.exit {
                Exit::Done => break,
                Exit::Next => {}
                Exit::Goto(seq) => from = seq,
            }
        }
        steps.push(END);
        permitted
    }

    /// Changes a route as the entries of a trail do, whatever they match.
    pub fn retrace(&self, trail: &[u16], route: &mut dyn PolicyRoute) {
        self.replay(&mut trail.iter().skip(1).copied(), route);
    }

    fn replay(&self, steps: &mut dyn Iterator<Item = u16>, route: &mut dyn PolicyRoute) {
        while let Some(seq) = steps.next().filter(|seq| *seq != END) {
            let place = self.entries.binary_search_by_key(&seq, |entry| entry.seq).ok();
            // An edit may have taken the entry away: the trail of the new state follows.
            let Some(entry) = place.and_then(|place| self.entries.get(place)) else { return };
            entry.changes.iter().for_each(|change| change.apply(route));
            if let Call::Map(map) = &entry.call {
                map.replay(steps, route);
            }
        }
    }
}
