//! Graceful restart across the end of the program: what is written down for the one that comes after it, and what that one
//! makes of it (RFC 3623 §2, RFC 5187).

use std::time::Duration;

use ferrite_ospf::config::Config;
use ferrite_ospf::event::RestartReason;
use ferrite_ospf::{Event as CoreEvent, Instance};
use ferrite_types::{Afi, Timestamp};
use serde::{Deserialize, Serialize};

use super::event::Action;
use super::flavor::Flavor;
use super::ospf::{HasProcesses, Ospf, Processes, World};
use super::{Process, ProcessName};
use crate::settings::RouterSettings;

/// FRR's, where nothing is said; seconds.
const PERIOD: u32 = 120;

/// A process that wants to be found again as it was.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RestartNote {
    pub version: u8,
    /// IPv4 routed by OSPFv3.
    #[serde(default)]
    pub ipv4: bool,
    pub instance: u16,
    pub vrf: Option<String>,
    /// The neighbours were told, and wait until then: seconds since 1970. None: they were not, and only a crash makes this a
    /// restart.
    pub until: Option<i64>,
    /// Seconds.
    pub period: u32,
}

impl RestartNote {
    fn is_of<V: Flavor>(&self, name: &ProcessName) -> bool {
        (self.version, self.ipv4) == kind::<V>() && self.instance == name.instance && self.vrf == name.vrf
    }

    /// What a process that comes back says first; none where its time is over.
    fn event(&self, wall: i64) -> Option<CoreEvent> {
        let (remaining, reason) = match self.until {
            Some(until) => (u64::try_from(until.saturating_sub(wall)).ok()?, RestartReason::SoftwareRestart),
            None => (u64::from(self.period), RestartReason::Unknown),
        };
        let remaining = Duration::from_secs(remaining.min(u64::from(self.period)));
        let announce = self.until.is_none();
        (!remaining.is_zero()).then_some(CoreEvent::Restarting { remaining, reason, announce })
    }
}

impl<V: Flavor> Process<V> {
    /// A process that was found written down goes on where it was: that is the first thing its core hears.
    pub(super) fn take_up(
        &mut self,
        note: &RestartNote,
        world: &World,
        router: &RouterSettings,
        config: &Config,
        now: Timestamp,
        out: &mut Vec<Action>,
    ) {
        let event = note.event(world.wall_at(now)).filter(|_| router.restart.enabled);
        if let Some(event) = event {
            self.core = Instance::new(config.clone());
            self.core.set_trace(world.traced);
            self.restarting = true;
            self.tell_core(world, now, event, out);
            self.tell_time(world, now, out);
        }
    }

    /// Neighbours wait from now on.
    fn note_time(&mut self, wall: i64) {
        if let (Some(grace), None) = (self.prepared, self.waited_until) {
            self.waited_until = Some(wall.saturating_add(i64::try_from(grace.as_secs()).unwrap_or(0)));
        }
    }

    fn note(&self, world: &World) -> Option<RestartNote> {
        let router = V::routers(&world.settings).get(&self.name)?;
        let ProcessName { instance, vrf } = self.name.clone();
        let period = router.restart.grace_period.unwrap_or(PERIOD);
        let until = self.waited_until;
        let wanted = router.restart.enabled || until.is_some();
        let (version, ipv4) = kind::<V>();
        wanted.then_some(RestartNote { version, ipv4, instance, vrf, until, period })
    }
}

/// What tells processes of one name apart.
fn kind<V: Flavor>() -> (u8, bool) {
    (V::VERSION, V::VERSION == 3 && V::AFI == Afi::Ipv4)
}

/// Takes a process's note out of those that were found.
pub(super) fn find<V: Flavor>(notes: &mut Vec<RestartNote>, name: &ProcessName) -> Option<RestartNote> {
    let at = notes.iter().position(|note| note.is_of::<V>(name))?;
    Some(notes.swap_remove(at))
}

fn notes<V: Flavor>(processes: &Processes<V>, world: &World) -> Vec<RestartNote> {
    processes.values().filter_map(|process| process.note(world)).collect()
}

impl Ospf {
    /// Tells neighbours of the processes of a kind that we are about to restart (`graceful-restart prepare …`).
    pub fn prepare_restart<V: Flavor>(&mut self, now: Timestamp, out: &mut Vec<Action>)
    where
        Self: HasProcesses<V>,
    {
        let event = CoreEvent::PrepareRestart(RestartReason::SoftwareRestart);
        let (processes, world) = self.split();
        for (name, process) in processes {
            let said = V::routers(&world.settings).get(name).and_then(|router| router.restart.grace_period);
            process.preparing = Some(Duration::from_secs(said.unwrap_or(PERIOD).into()));
            process.tell_core(world, now, event.clone(), out);
        }
        self.remember(now, out);
    }

    /// Writes down what the next program is to find, where it is not what stands there.
    pub(super) fn remember(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        let wall = self.world.wall_at(now);
        self.v2.values_mut().for_each(|process| process.note_time(wall));
        self.v3.values_mut().for_each(|process| process.note_time(wall));
        self.v3_ipv4.values_mut().for_each(|process| process.note_time(wall));
        let mut all = notes(&self.v2, &self.world);
        all.extend(notes(&self.v3, &self.world));
        all.extend(notes(&self.v3_ipv4, &self.world));
        // Those of processes that are not configured yet.
        all.extend(self.world.found.iter().cloned());
        if self.ending() {
            all.retain(|note| note.until.is_some());
        }
        if all != self.remembered {
            self.remembered.clone_from(&all);
            out.push(Action::Remember(all));
        }
    }

    /// Whether zebra is to keep our routes when we end: our neighbours go on using them.
    pub(super) fn keeps_routes(&self) -> bool {
        let v2 = self.v2.values().any(|process| process.prepared.is_some());
        let v3_ipv4 = self.v3_ipv4.values().any(|process| process.prepared.is_some());
        v2 || v3_ipv4 || self.v3.values().any(|process| process.prepared.is_some())
    }

    /// How long zebra keeps routes of a daemon that died; none leaves it to zebra.
    pub(super) fn hold_time(&self) -> Option<u32> {
        let restarting = self.world.settings.routers().filter(|router| router.restart.enabled);
        restarting.map(|router| router.restart.grace_period.unwrap_or(PERIOD)).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_holds_as_long_as_neighbours_wait() {
        let note =
            |until| RestartNote { version: 2, ipv4: false, instance: 0, vrf: None, until, period: 100 };
        let left = |note: RestartNote, wall| match note.event(wall) {
            Some(CoreEvent::Restarting { remaining, announce, .. }) => Some((remaining.as_secs(), announce)),
            _ => None,
        };
        assert_eq!(left(note(Some(1040)), 1000), Some((40, false)));
        assert_eq!(left(note(Some(1040)), 1040), None);
        assert_eq!(left(note(Some(1040)), 2000), None);
        // A clock that was set back makes no neighbour wait longer.
        assert_eq!(left(note(Some(1040)), 0), Some((100, false)));
        assert_eq!(left(note(None), 1000), Some((100, true)));
    }
}
