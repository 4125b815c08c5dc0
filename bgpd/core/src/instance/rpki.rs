//! The caches of the RPKI and what they say: connections are asked for as actions, and what is in force goes to every shard
//! together with where it judges differently.

use std::collections::BTreeMap;
use std::sync::Arc;

use bgp_packet::attr::Attributes;
use ferrite_rpki::rtr::{Cache, CacheId, Event as CacheEvent, Manager, ManagerAction, Setup};
use ferrite_rpki::transport::Transport;
use ferrite_rpki::{AspaState, OriginState, Slurm, Tables};
use ferrite_types::{Asn, Prefix, Timestamp};

use super::{Action, Instance, LogLine, PeerEntry};
use crate::config::InstanceName;
use crate::rib::ShardEvent;
use crate::rib::rpki::{Judge, RpkiView};

/// What happened to a cache's connection, or to the file of exceptions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RpkiEvent {
    Connected(CacheId),
    ConnectFailed(CacheId, String),
    Received(CacheId, Vec<u8>),
    Closed(CacheId, String),
    /// The contents of a file that [`RpkiAction::ReadSlurm`] asked for.
    Slurm {
        file: String,
        contents: Result<String, String>,
    },
}

/// What must be done for a cache.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RpkiAction {
    /// Within a VRF: over the device of its name.
    Connect {
        cache: CacheId,
        transport: Transport,
        device: Option<Arc<str>>,
    },
    Send {
        cache: CacheId,
        octets: Vec<u8>,
    },
    Close {
        cache: CacheId,
    },
    ReadSlurm {
        file: String,
    },
}

/// A configured cache.
#[derive(Debug)]
pub struct CacheEntry {
    pub id: CacheId,
    pub transport: Transport,
}

#[derive(Debug, Default)]
pub struct Rpki {
    manager: Manager,
    /// By preference.
    caches: BTreeMap<u8, CacheEntry>,
    next: u32,
    /// `rpki stop`.
    pub stopped: bool,
    /// Data were there once.
    ready: bool,
    slurm_file: Option<String>,
    /// The last try of the file failed.
    pub slurm_error: Option<String>,
    pub slurm: Option<Arc<Slurm>>,
}

impl Rpki {
    /// Whether neighbours with `rpki strict` may have a session.
    pub fn ready(&self) -> bool {
        self.ready
    }

    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.manager.next_deadline()
    }

    /// What is in force.
    pub fn tables(&self) -> Option<&Arc<Tables>> {
        self.manager.tables()
    }

    /// The caches with their sessions, by preference.
    pub fn caches(&self) -> impl Iterator<Item = (u8, &CacheEntry, Option<&Cache>)> {
        self.caches.iter().map(|(preference, entry)| (*preference, entry, self.manager.cache(entry.id)))
    }

    /// The preference of the cache whose word is in force.
    pub fn active(&self) -> Option<u8> {
        let active = self.manager.active()?;
        self.caches.iter().find(|(_, entry)| entry.id == active).map(|(preference, _)| *preference)
    }

    fn transport(&self, cache: CacheId) -> Option<&Transport> {
        self.caches.values().find(|entry| entry.id == cache).map(|entry| &entry.transport)
    }
}

impl Instance {
    /// Brings the caches to the configuration's.
    pub(super) fn configure_rpki(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        let config = Arc::clone(&self.config);
        let wanted = config.rpki.of(&self.name);
        let rpki = &mut self.rpki;
        rpki.caches.retain(|preference, entry| wanted.caches.get(preference) == Some(&entry.transport));
        for (preference, transport) in &wanted.caches {
            let next = &mut rpki.next;
            rpki.caches.entry(*preference).or_insert_with(|| {
                *next += 1;
                CacheEntry { id: CacheId(*next), transport: transport.clone() }
            });
        }
        let session = wanted.cache();
        let setups: Vec<Setup> = rpki
            .caches
            .iter()
            .filter(|_| !rpki.stopped)
            .map(|(preference, entry)| Setup { id: entry.id, preference: *preference, config: session })
            .collect();
        let mut actions = Vec::new();
        rpki.manager.configure(now, &setups, &mut actions);
        self.rpki_carry_out(now, actions, out);
        if self.rpki.slurm_file != wanted.slurm {
            self.rpki.slurm_file.clone_from(&wanted.slurm);
            self.rpki.slurm_error = None;
            match &wanted.slurm {
                Some(file) => out.push(Action::Rpki(RpkiAction::ReadSlurm { file: file.clone() })),
                None => self.set_slurm(now, None, out),
            }
        }
    }

    /// `rpki start`, `stop`.
    pub(crate) fn run_rpki(&mut self, now: Timestamp, run: bool, out: &mut Vec<Action>) {
        self.rpki.stopped = !run;
        self.configure_rpki(now, out);
    }

    /// `rpki reset`: every connection begins anew, and the file of exceptions is read again.
    pub(crate) fn reset_rpki(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        if self.rpki.stopped {
            return self.run_rpki(now, true, out);
        }
        let mut actions = Vec::new();
        self.rpki.manager.reset(now, &mut actions);
        self.rpki_carry_out(now, actions, out);
        self.reload_slurm(out);
    }

    /// Reads the file of exceptions again; false where there is none.
    pub(crate) fn reload_slurm(&mut self, out: &mut Vec<Action>) -> bool {
        let file = self.rpki.slurm_file.clone();
        out.extend(file.iter().map(|file| Action::Rpki(RpkiAction::ReadSlurm { file: file.clone() })));
        file.is_some()
    }

    pub(super) fn rpki_event(&mut self, now: Timestamp, event: RpkiEvent, out: &mut Vec<Action>) {
        let mut actions = Vec::new();
        let manager = &mut self.rpki.manager;
        match &event {
            RpkiEvent::Connected(cache) => manager.handle(now, *cache, CacheEvent::Connected, &mut actions),
            RpkiEvent::ConnectFailed(cache, error) => {
                manager.handle(now, *cache, CacheEvent::ConnectFailed(error), &mut actions);
            }
            RpkiEvent::Received(cache, octets) => {
                manager.handle(now, *cache, CacheEvent::Received(octets), &mut actions);
            }
            RpkiEvent::Closed(cache, error) => {
                manager.handle(now, *cache, CacheEvent::Closed(error), &mut actions);
            }
            RpkiEvent::Slurm { file, contents } => return self.slurm_read(now, file, contents, out),
        }
        self.rpki_carry_out(now, actions, out);
    }

    pub(super) fn rpki_tick(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        let mut actions = Vec::new();
        self.rpki.manager.tick(now, &mut actions);
        self.rpki_carry_out(now, actions, out);
    }

    /// A file that cannot be read, or is not right in every part, changes nothing.
    fn slurm_read(
        &mut self,
        now: Timestamp,
        file: &str,
        contents: &Result<String, String>,
        out: &mut Vec<Action>,
    ) {
        if self.rpki.slurm_file.as_deref() != Some(file) {
            return;
        }
        let parsed = contents.clone().and_then(|text| text.parse().map_err(|error| format!("{error}")));
        let parsed: Result<Slurm, String> = parsed;
        let result = parsed.as_ref().map(Slurm::len).map_err(Clone::clone);
        out.push(Action::Log(LogLine::RpkiSlurm { file: file.to_owned(), result }));
        match parsed {
            Ok(slurm) => {
                self.rpki.slurm_error = None;
                self.set_slurm(now, Some(Arc::new(slurm)), out);
            }
            Err(error) => self.rpki.slurm_error = Some(error),
        }
    }

    fn set_slurm(&mut self, now: Timestamp, slurm: Option<Arc<Slurm>>, out: &mut Vec<Action>) {
        let mut actions = Vec::new();
        self.rpki.slurm.clone_from(&slurm);
        self.rpki.manager.set_slurm(slurm, &mut actions);
        self.rpki_carry_out(now, actions, out);
    }

    fn rpki_carry_out(&mut self, now: Timestamp, actions: Vec<ManagerAction>, out: &mut Vec<Action>) {
        for action in actions {
            match action {
                ManagerAction::Connect(cache) => {
                    let transport = self.rpki.transport(cache).cloned();
                    let device = match &self.name {
                        InstanceName::Vrf(name) => Some(Arc::clone(name)),
                        InstanceName::Default | InstanceName::View(_) => None,
                    };
                    let connect = |transport| RpkiAction::Connect { cache, transport, device };
                    out.extend(transport.map(|transport| Action::Rpki(connect(transport))));
                }
                ManagerAction::Send(cache, octets) => {
                    out.push(Action::Rpki(RpkiAction::Send { cache, octets }));
                }
                ManagerAction::Close(cache) => out.push(Action::Rpki(RpkiAction::Close { cache })),
                ManagerAction::Failed(cache, error) => {
                    let cache = self.rpki.transport(cache).map(ToString::to_string).unwrap_or_default();
                    out.push(Action::Log(LogLine::RpkiCache { cache, error }));
                }
                ManagerAction::Published(tables, delta) => {
                    let counts = tables.as_ref().map(|tables| (tables.vrps.len(), tables.aspas.len()));
                    let (vrps, aspas) = counts.unwrap_or_default();
                    let ranges = delta.ranges();
                    out.push(Action::Log(LogLine::RpkiPublished { vrps, aspas, ranges }));
                    let event = || ShardEvent::Rpki { tables: tables.clone(), delta: Arc::clone(&delta) };
                    self.all_shards(event, out);
                    if tables.is_some() && !self.rpki.ready {
                        self.rpki.ready = true;
                        self.apply(now, out);
                    }
                }
            }
        }
    }

    /// What the RPKI says of a path's origin.
    pub(crate) fn origin_state(&self, prefix: Prefix, attrs: &Attributes) -> Option<OriginState> {
        let own = self.router().map_or(Asn(0), |router| router.asn.asn);
        RpkiView::new(self.rpki.tables().map(|tables| &**tables), own).origin_state(prefix, attrs)
    }

    /// What it says of the AS path; `None` unless there are authorisations and it came over eBGP.
    pub(crate) fn path_state(&self, from: Option<&PeerEntry>, attrs: &Attributes) -> Option<AspaState> {
        let tables = self.rpki.tables().filter(|tables| !tables.aspas.is_empty())?;
        let params = from?.params.as_ref()?;
        let from = crate::rib::rpki::direction(params.kind, params.rules.role)?;
        Some(crate::rib::rpki::path_state(tables, from, &attrs.as_path))
    }

    /// The RPKI at hand, for shows.
    pub(crate) fn judge(&self) -> Judge {
        let own = self.router().map_or(Asn(0), |router| router.asn.asn);
        Judge { tables: self.rpki.tables().cloned(), own }
    }
}
