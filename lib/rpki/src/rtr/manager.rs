//! Several caches, and whose word is in force.
//!
//! All caches are connected at all times. In force is what the most preferred of them says that is connected and has told
//! everything; while none is connected, what the most preferred said whose data have not expired. So a cache that goes
//! leaves no gap, and only what two caches say differently is judged again when one takes over.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ferrite_types::Timestamp;

use super::cache::{Action, Cache, CacheConfig, Event, Progress};
use crate::slurm::Slurm;
use crate::tables::{Delta, Tables};

/// How long what was in force outlives a reset that no cache answers.
const HOLD: Duration = Duration::from_secs(7200);

/// A cache, as its user numbers it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CacheId(pub u32);

/// A cache that is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Setup {
    pub id: CacheId,
    /// Lower is better; of equals the lower number is.
    pub preference: u8,
    pub config: CacheConfig,
}

/// What must be done.
#[derive(Clone, Debug)]
pub enum ManagerAction {
    Connect(CacheId),
    Send(CacheId, Vec<u8>),
    Close(CacheId),
    /// What is in force is another (`None`: nothing is, no cache has told its data), and where it judges differently from before.
    Published(Option<Arc<Tables>>, Arc<Delta>),
    /// For the log.
    Failed(CacheId, String),
}

#[derive(Debug)]
struct Entry {
    preference: u8,
    cache: Cache,
}

#[derive(Debug, Default)]
pub struct Manager {
    entries: BTreeMap<CacheId, Entry>,
    slurm: Option<Arc<Slurm>>,
    active: Option<CacheId>,
    published: Option<Arc<Tables>>,
    /// After a reset: until then what was published stays, whether or not a cache has told its data again.
    hold: Option<Timestamp>,
}

impl Manager {
    /// Brings the caches to those wanted: new ones start, others end, what stays keeps connection and data.
    pub fn configure(&mut self, now: Timestamp, wanted: &[Setup], out: &mut Vec<ManagerAction>) {
        let gone: Vec<CacheId> =
            self.entries.keys().filter(|id| !wanted.iter().any(|setup| setup.id == **id)).copied().collect();
        for id in gone {
            self.with(id, out, |cache, actions| cache.stop(actions));
            self.entries.remove(&id);
        }
        for setup in wanted {
            let entry = self
                .entries
                .entry(setup.id)
                .or_insert_with(|| Entry { preference: setup.preference, cache: Cache::new(setup.config) });
            entry.preference = setup.preference;
            entry.cache.reconfigure(setup.config);
            entry.cache.start(now);
        }
        self.choose(out);
    }

    /// Ends and begins again all connections, with nothing known. What is in force stays until a cache has told its data.
    pub fn reset(&mut self, now: Timestamp, out: &mut Vec<ManagerAction>) {
        for (id, entry) in &mut self.entries {
            let mut actions = Vec::new();
            entry.cache.stop(&mut actions);
            entry.cache.start(now);
            out.extend(
                actions
                    .into_iter()
                    .filter(|action| *action == Action::Close)
                    .map(|_| ManagerAction::Close(*id)),
            );
        }
        self.active = None;
        self.hold = Some(now + HOLD);
    }

    /// Sets or takes away local exceptions.
    pub fn set_slurm(&mut self, slurm: Option<Arc<Slurm>>, out: &mut Vec<ManagerAction>) {
        self.slurm = slurm;
        self.publish(out);
    }

    pub fn handle(&mut self, now: Timestamp, id: CacheId, event: Event<'_>, out: &mut Vec<ManagerAction>) {
        if self.with(id, out, |cache, actions| cache.handle(now, event, actions)) {
            self.active = self.best();
            self.publish(out);
        }
    }

    /// Does what is due. Calling early changes nothing.
    pub fn tick(&mut self, now: Timestamp, out: &mut Vec<ManagerAction>) {
        if self.hold.is_some_and(|at| at <= now) {
            self.hold = None;
            self.publish(out);
        }
        let due: Vec<CacheId> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.cache.next_deadline().is_some_and(|at| at <= now))
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            if self.with(id, out, |cache, actions| cache.tick(now, actions)) {
                self.active = self.best();
                self.publish(out);
            }
        }
    }

    pub fn next_deadline(&self) -> Option<Timestamp> {
        let caches = self.entries.values().filter_map(|entry| entry.cache.next_deadline());
        caches.chain(self.hold).min()
    }

    pub fn cache(&self, id: CacheId) -> Option<&Cache> {
        self.entries.get(&id).map(|entry| &entry.cache)
    }

    /// The cache whose word is in force.
    pub fn active(&self) -> Option<CacheId> {
        self.active
    }

    /// What is in force; `None` while no cache has told its data.
    pub fn tables(&self) -> Option<&Arc<Tables>> {
        self.published.as_ref()
    }

    /// Runs one cache and passes its actions on; true where its standing or data may have changed.
    fn with(
        &mut self,
        id: CacheId,
        out: &mut Vec<ManagerAction>,
        run: impl FnOnce(&mut Cache, &mut Vec<Action>),
    ) -> bool {
        let Some(entry) = self.entries.get_mut(&id) else { return false };
        let mut actions = Vec::new();
        run(&mut entry.cache, &mut actions);
        let mut changed = false;
        for action in actions {
            match action {
                Action::Connect => out.push(ManagerAction::Connect(id)),
                Action::Send(octets) => out.push(ManagerAction::Send(id, octets)),
                Action::Close => out.push(ManagerAction::Close(id)),
                Action::Updated => changed = true,
                Action::Failed(error) => {
                    changed = true;
                    out.push(ManagerAction::Failed(id, error));
                }
            }
        }
        changed
    }

    fn best(&self) -> Option<CacheId> {
        let usable = self.entries.iter().filter(|(_, entry)| entry.cache.synced_at().is_some());
        let rank = |entry: &Entry| {
            let connected = matches!(entry.cache.progress(), Progress::Synced | Progress::Updating);
            (!connected, entry.preference)
        };
        usable.min_by_key(|(id, entry)| (rank(entry), **id)).map(|(id, _)| *id)
    }

    /// Chooses again; publishes where the choice is another.
    fn choose(&mut self, out: &mut Vec<ManagerAction>) {
        let best = self.best();
        if best != self.active {
            self.active = best;
            self.publish(out);
        }
    }

    fn publish(&mut self, out: &mut Vec<ManagerAction>) {
        match self.active {
            Some(_) => self.hold = None,
            None if self.hold.is_some() => return,
            None => {}
        }
        let said = self.active.and_then(|id| self.entries.get(&id)).map(|entry| entry.cache.data().clone());
        let tables = said.map(|tables| match &self.slurm {
            Some(slurm) => slurm.apply(tables),
            None => tables,
        });
        let delta = match (&self.published, &tables) {
            (Some(old), Some(new)) => old.delta(new),
            (None, None) => return,
            _ => Delta::everything(),
        };
        if !delta.is_empty() {
            self.published = tables.map(Arc::new);
            out.push(ManagerAction::Published(self.published.clone(), Arc::new(delta)));
        }
    }
}
