//! The first convergence after a start.
//!
//! * With `bgp graceful-restart` nothing is decided before the neighbours that hold our routes have told their tables
//!   again, each ended by End-of-RIB, or `select-defer-time` is over (RFC 4724 §4.1); `update-delay` does the same for any
//!   neighbour, from the moment the first is there. Neighbours that restart themselves, or know nothing of restarts, are
//!   not waited for; nor are, after [`ABSENCE`], those that do not come back.
//! * Zebra keeps the routes that an earlier bgpd left in the kernel until this one has said `ReplayDone`. That waits for the
//!   decisions, and in any case for the neighbours' tables, but no longer than [`PATIENCE`].

use std::time::Duration;

use bgp_packet::{Family, FamilySet};
use ferrite_types::Timestamp;

use super::{Instance, PeerEntry};
use crate::action::{Action, LogLine};
use crate::config::graceful::{RESTART_TIME, SELECT_DEFER_TIME};
use crate::config::{GracefulMode, GracefulSettings, UpdateDelay};
use crate::rib::ShardEvent;

/// How long stale routes forward at most while their neighbours are not back, where nobody says.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a neighbour may take to come back before decisions are taken without it.
const ABSENCE: Duration = Duration::from_secs(30);

/// The families that decisions wait in.
const FAMILIES: [Family; Family::COUNT] = Family::ALL;

/// Gone for good once the first convergence is over.
#[derive(Debug, Default)]
pub struct Initial {
    /// Zebra was told that all is there, or may be.
    over: bool,
    /// When there was an instance to speak of.
    started: Option<Timestamp>,
    /// Set when zebra is first connected.
    deadline: Option<Timestamp>,
    /// Families in which nothing is decided yet.
    deferred: FamilySet,
    /// Why: until this at most for restarts.
    select_by: Option<Timestamp>,
    /// Neighbours that are not back are waited for.
    absent_until: Option<Timestamp>,
    /// Our OPENs say that we have restarted.
    restarting_until: Option<Timestamp>,
    /// The first neighbour was there: `bgp max-med on-startup` counts from then.
    first_up: Option<Timestamp>,
    max_med_over: bool,
    max_med_until: Option<Timestamp>,
    pub delay: Delay,
}

/// `update-delay`, for shows: when what happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Delay {
    pub settings: Option<UpdateDelay>,
    /// The first neighbour was there.
    pub first: Option<Timestamp>,
    /// Decisions, routes to zebra and to neighbours went on.
    pub resumed: Option<Timestamp>,
    /// The time is over: of all, or for neighbours that are not there.
    over: bool,
    established: bool,
}

impl Delay {
    fn ends(&self) -> Option<Timestamp> {
        let end = self.first? + Duration::from_secs(self.settings?.delay.into());
        Some(end).filter(|_| !self.over)
    }

    fn establish_by(&self) -> Option<Timestamp> {
        let settings = self.settings?;
        let wait = settings.establish_wait.unwrap_or(settings.delay);
        Some(self.first? + Duration::from_secs(wait.into())).filter(|_| !self.established)
    }

    fn tick(&mut self, now: Timestamp) {
        self.established |= self.establish_by().is_some_and(|at| at <= now);
        self.over |= self.ends().is_some_and(|at| at <= now);
    }

    /// Nothing is decided because of it.
    pub fn active(&self) -> bool {
        self.settings.is_some() && self.resumed.is_none()
    }
}

impl Initial {
    pub fn is_over(&self) -> bool {
        self.over
    }

    pub fn deferring(&self) -> bool {
        !self.deferred.is_empty()
    }

    pub fn deadline(&self) -> Option<Timestamp> {
        let zebra = self.deadline.filter(|_| !self.over && !self.deferring());
        let waiting = [self.select_by, self.absent_until, self.delay.ends(), self.delay.establish_by()];
        let waiting = waiting.into_iter().flatten().filter(|_| self.deferring());
        waiting.chain(zebra).chain(self.restarting_until).chain(self.max_med_until).min()
    }

    /// Zebra is there: it keeps what it has for so long.
    pub fn begin(&mut self, now: Timestamp) {
        self.deadline.get_or_insert(now + PATIENCE);
    }

    /// Whether our OPENs say that we have restarted.
    pub fn is_restarting(&self) -> bool {
        self.restarting_until.is_some()
    }

    pub fn session_up(&mut self, now: Timestamp) {
        if self.delay.settings.is_some() {
            self.delay.first.get_or_insert(now);
        }
        self.first_up.get_or_insert(now);
    }
}

impl Instance {
    /// The first configuration with an instance in it: from here on times count.
    pub(super) fn initial_configured(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        let Some(router) = self.router() else { return };
        if self.initial.started.is_some() {
            return;
        }
        let settings = self.config.graceful(router);
        let restarts =
            router.effective(&self.config).any(|neighbor| neighbor.session.graceful == GracefulMode::Restart);
        let seconds = |time: u16| Duration::from_secs(time.into());
        self.initial.started = Some(now);
        self.initial.delay.settings = settings.update_delay;
        let restart_time = settings.restart_time.unwrap_or(RESTART_TIME);
        self.initial.restarting_until = (restart_time > 0).then(|| now + seconds(restart_time));
        let defer = settings.select_defer_time.unwrap_or(SELECT_DEFER_TIME);
        if restarts && defer > 0 {
            self.initial.select_by = Some(now + seconds(defer));
            self.initial.absent_until = Some(now + ABSENCE.min(seconds(restart_time)));
        }
        if self.initial.select_by.is_some() || self.initial.delay.settings.is_some() {
            self.initial.deferred = FAMILIES.into_iter().collect();
            self.tell_deferred(out);
        }
    }

    fn tell_deferred(&mut self, out: &mut Vec<Action>) {
        let families = self.initial.deferred;
        self.all_shards(|| ShardEvent::Defer(families), out);
    }

    /// Neighbours that are meant to be up.
    fn wanted_peers(&self) -> impl Iterator<Item = &PeerEntry> {
        self.peers.values().filter(|entry| entry.session.may_run() && entry.peer.hold_down().is_none())
    }

    /// Whether decisions need not wait for restarts any more.
    fn restarts_over(&self, family: Family) -> bool {
        if self.initial.select_by.is_none() {
            return true;
        }
        self.wanted_peers().all(|entry| {
            let session = &entry.effective.session;
            if session.graceful == GracefulMode::Disabled || !entry.session.families.contains(family) {
                return true;
            }
            match entry.graceful.negotiated.as_ref().filter(|_| entry.established()) {
                Some(agreed) => {
                    !agreed.families.contains(family)
                        || agreed.their_restart().is_none_or(|theirs| theirs.restarting)
                        || entry.graceful.told(family)
                }
                None => self.initial.absent_until.is_none(),
            }
        })
    }

    /// Whether `update-delay` holds decisions no longer.
    fn delay_over(&self, family: Family) -> bool {
        let delay = &self.initial.delay;
        if delay.settings.is_none() || delay.over {
            return true;
        }
        delay.first.is_some()
            && self.wanted_peers().all(|entry| {
                match entry.graceful.negotiated.as_ref().filter(|_| entry.established()) {
                    Some(agreed) => !agreed.families.contains(family) || entry.graceful.told(family),
                    None => delay.established,
                }
            })
    }

    /// Something happened that the first convergence may have waited for.
    pub(super) fn initial_progress(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        let released: Vec<Family> = self
            .initial
            .deferred
            .iter()
            .filter(|family| self.restarts_over(*family) && self.delay_over(*family))
            .collect();
        if !released.is_empty() {
            for family in released {
                self.initial.deferred = self.initial.deferred.without(family);
                let seconds = self.initial.started.map_or(0, |at| now.since(at).as_secs());
                out.push(Action::Log(LogLine::DecisionsBegin { family, seconds }));
            }
            if !self.initial.deferring() {
                (self.initial.select_by, self.initial.absent_until) = (None, None);
                self.initial.delay.resumed.get_or_insert(now);
            }
            self.tell_deferred(out);
        }
        let late = self.initial.deadline.is_some_and(|at| at <= now);
        if !self.initial.over && !self.initial.deferring() && (late || self.all_tables_told()) {
            self.end_initial(out);
        }
    }

    /// Whether every neighbour that is meant to be up is up and has ended each table.
    fn all_tables_told(&self) -> bool {
        self.peers.values().filter(|entry| entry.effective.session.shutdown.is_none()).all(|entry| {
            let negotiated = entry.peer.negotiated().filter(|_| entry.established());
            negotiated.is_some_and(|negotiated| {
                negotiated.families.iter().all(|family| entry.graceful.told(family))
            })
        })
    }

    pub(super) fn initial_tick(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        if self.initial.deadline().is_none_or(|at| at > now) {
            return;
        }
        let due = |at: Option<Timestamp>| at.filter(|at| *at > now);
        self.initial.select_by = due(self.initial.select_by);
        self.initial.absent_until = due(self.initial.absent_until);
        self.initial.delay.tick(now);
        let was_restarting = self.initial.is_restarting();
        let max_med_ends = self.initial.max_med_until.is_some_and(|at| at <= now);
        self.initial.max_med_over |= max_med_ends;
        self.initial.max_med_until = due(self.initial.max_med_until);
        self.initial.restarting_until = due(self.initial.restarting_until);
        if max_med_ends || (was_restarting && !self.initial.is_restarting()) {
            self.apply(now, out);
        }
        self.initial_progress(now, out);
    }

    /// Zebra hears `ReplayDone` once the shards have sent what they hold.
    fn end_initial(&mut self, out: &mut Vec<Action>) {
        self.initial.over = true;
        if self.zebra_connected && self.snapshot.is_none() {
            self.replaying = self.host.shards;
            self.all_shards(|| ShardEvent::FibBarrier, out);
        }
    }

    /// The first neighbour is there: from here on `bgp max-med on-startup` counts.
    pub(super) fn start_max_med(&mut self) {
        let settings = self.router().and_then(|router| router.restart.max_med_on_startup);
        let (Some(settings), Some(first)) = (settings, self.initial.first_up) else { return };
        if !self.initial.max_med_over {
            self.initial.max_med_until = Some(first + Duration::from_secs(settings.time.into()));
        }
    }

    /// Whether `bgp max-med on-startup` holds.
    pub(crate) fn max_med_on_startup(&self) -> bool {
        let set = self.router().is_some_and(|router| router.restart.max_med_on_startup.is_some());
        set && !self.initial.max_med_over
    }

    /// MED of everything we announce, where it is not the routes' own.
    pub(crate) fn max_med(&self) -> Option<u32> {
        let restart = &self.router()?.restart;
        let startup = restart.max_med_on_startup.filter(|_| self.max_med_on_startup());
        startup.map(|startup| startup.med).or(restart.max_med_administrative)
    }

    /// The settings in force.
    pub(crate) fn graceful_settings(&self) -> GracefulSettings {
        self.router().map(|router| self.config.graceful(router)).unwrap_or_default()
    }
}
