//! One machine of a peer, and the effects of the table in [`fsm`](super::fsm).

use std::sync::Arc;
use std::time::Duration;

use bgp_packet::MessageType;
use bgp_packet::notification::{self, Notification};
use ferrite_types::Timestamp;

use super::config::SessionConfig;
use super::fsm::{self, Effect, State, Step};
use super::open::{self, Negotiated};
use super::reason::{DownReason, LastReset};
use super::timers::{Timer, Timers};
use super::{
    Cause, ConnId, Ends, IDLE_HOLD_MAX, IDLE_HOLD_MIN, OPEN_HOLD, Peer, PeerAction, RETRY_MIN, STABLE,
    keepalive,
};

/// Whose connection a machine drives.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Slot {
    Ours,
    Theirs,
}

impl Slot {
    pub const BOTH: [Self; 2] = [Self::Ours, Self::Theirs];

    pub const fn other(self) -> Self {
        match self {
            Self::Ours => Self::Theirs,
            Self::Theirs => Self::Ours,
        }
    }
}

/// The state with what exists only in it.
#[derive(Debug)]
enum Phase {
    Idle,
    /// Before OPEN; with a connection while it is being made or OPEN is delayed.
    Opening {
        state: State,
        conn: Option<ConnId>,
    },
    OpenSent(ConnId),
    OpenConfirm(ConnId, Box<Negotiated>),
    Established(ConnId, Arc<Negotiated>),
}

#[derive(Debug)]
pub struct Machine {
    pub slot: Slot,
    phase: Phase,
    pub ends: Option<Ends>,
    pub timers: Timers,
    /// What was agreed on, in seconds; zero before.
    hold_time: u16,
}

impl Machine {
    pub fn new(slot: Slot) -> Self {
        Self { slot, phase: Phase::Idle, ends: None, timers: Timers::default(), hold_time: 0 }
    }

    pub fn state(&self) -> State {
        match &self.phase {
            Phase::Idle => State::Idle,
            // An accepted connection whose OPEN is delayed is not yet a state of its own.
            Phase::Opening { state, .. } => *state,
            Phase::OpenSent(_) => State::OpenSent,
            Phase::OpenConfirm(..) => State::OpenConfirm,
            Phase::Established(..) => State::Established,
        }
    }

    pub fn conn(&self) -> Option<ConnId> {
        match &self.phase {
            Phase::Idle => None,
            Phase::Opening { conn, .. } => *conn,
            Phase::OpenSent(conn) | Phase::OpenConfirm(conn, _) | Phase::Established(conn, _) => Some(*conn),
        }
    }

    pub fn negotiated(&self) -> Option<&Arc<Negotiated>> {
        match &self.phase {
            Phase::Established(_, negotiated) => Some(negotiated),
            _ => None,
        }
    }

    /// What was agreed on, to be changed under way.
    pub fn negotiated_mut(&mut self) -> Option<&mut Arc<Negotiated>> {
        match &mut self.phase {
            Phase::Established(_, negotiated) => Some(negotiated),
            _ => None,
        }
    }

    /// Takes an accepted connection in.
    pub fn begin(&mut self, conn: ConnId, ends: Option<Ends>) {
        self.phase = Phase::Opening { state: State::Active, conn: Some(conn) };
        self.ends = ends;
    }

    /// RFC 9687 §3.2: twice the hold time, and eight minutes at least.
    pub fn restart_send_hold(&mut self, now: Timestamp) {
        if self.hold_time > 0 && matches!(self.phase, Phase::Established(..)) {
            let time = Duration::from_secs(u64::from(self.hold_time) * 2).max(Duration::from_mins(8));
            self.timers.arm(Timer::SendHold, now + time);
        }
    }

    fn restart_hold(&mut self, now: Timestamp) {
        if self.hold_time > 0 {
            self.timers.arm(Timer::Hold, now + Duration::from_secs(self.hold_time.into()));
        }
    }
}

impl Peer {
    /// One event of one machine: looks up the step and takes it.
    pub(super) fn step(
        &mut self,
        now: Timestamp,
        slot: Slot,
        event: fsm::Event,
        cause: Cause,
        out: &mut Vec<PeerAction>,
    ) {
        match fsm::step(self.machine(slot).state(), event) {
            Step::Ignore => {}
            Step::Begin => self.begin(now, slot, out),
            Step::Stay(effect) => self.perform(now, slot, effect, cause, out),
            Step::Go(State::Idle, effect) => self.end(now, slot, effect, cause, out),
            Step::Go(State::Active, _) => self.end_attempt(now, slot, cause, out),
            Step::Go(_, effect) => self.perform(now, slot, effect, cause, out),
        }
    }

    fn begin(&mut self, now: Timestamp, slot: Slot, out: &mut Vec<PeerAction>) {
        let Some(config) = self.config.clone().filter(|_| slot == Slot::Ours && self.may_run()) else {
            return;
        };
        self.machine(slot).timers.disarm(Timer::IdleHold);
        if config.passive {
            self.machine(slot).phase = Phase::Opening { state: State::Active, conn: None };
        } else {
            self.dial(now, out);
        }
    }

    fn dial(&mut self, now: Timestamp, out: &mut Vec<PeerAction>) {
        let Some(config) = self.config.clone() else { return };
        // While theirs gets somewhere, ours would only collide with it.
        if config.passive || self.machine(Slot::Theirs).conn().is_some() {
            self.await_retry(now);
            return;
        }
        let conn = self.new_conn();
        let wait = self.jitter.apply(Duration::from_secs(config.connect_retry.max(1).into()));
        let machine = self.machine(Slot::Ours);
        machine.phase = Phase::Opening { state: State::Connect, conn: Some(conn) };
        machine.timers.arm(Timer::ConnectRetry, now + wait);
        out.push(PeerAction::Connect { conn });
    }

    /// Numbers of our connections are odd, so that they never meet those of accepted ones.
    fn new_conn(&mut self) -> ConnId {
        self.next_conn += 1;
        ConnId(self.next_conn * 2 + 1)
    }

    /// Active: theirs is welcome, ours comes later.
    fn await_retry(&mut self, now: Timestamp) {
        let Some(config) = self.config.clone() else { return };
        let limit = Duration::from_secs(config.connect_retry.max(1).into());
        let wait = self.jitter.apply(self.retry.min(limit));
        self.retry = (self.retry * 2).min(limit);
        let machine = self.machine(Slot::Ours);
        machine.timers.disarm_all();
        machine.phase = Phase::Opening { state: State::Active, conn: None };
        if !config.passive {
            machine.timers.arm(Timer::ConnectRetry, now + wait);
        }
    }

    fn perform(
        &mut self,
        now: Timestamp,
        slot: Slot,
        effect: Effect,
        cause: Cause,
        out: &mut Vec<PeerAction>,
    ) {
        match effect {
            Effect::Dial => self.dial(now, out),
            Effect::Redial => {
                if let Some(conn) = self.machine(slot).conn() {
                    out.push(PeerAction::Close { conn });
                }
                self.dial(now, out);
            }
            Effect::OpenOrDelay => self.open_or_delay(now, slot, out),
            Effect::SendOpen => self.send_open(now, slot, out),
            Effect::SendOpenAndConfirm => {
                self.send_open(now, slot, out);
                self.confirm(now, slot, cause, out);
            }
            Effect::Confirm => self.confirm(now, slot, cause, out),
            Effect::Establish => self.establish(now, slot, out),
            Effect::SendKeepalive => {
                self.send(slot, MessageType::Keepalive, keepalive(), out);
                self.arm_keepalive(now, slot);
            }
            Effect::RestartHold => self.machine(slot).restart_hold(now),
            Effect::PassRefresh => {
                self.machine(slot).restart_hold(now);
                if let Cause::Refresh(Some(refresh)) = cause {
                    out.push(PeerAction::Refresh { session: self.session, refresh });
                }
            }
            Effect::AwaitRetry
            | Effect::Notify
            | Effect::NotifyHold
            | Effect::NotifySendHold
            | Effect::NotifyFsm(_)
            | Effect::Drop => self.end(now, slot, effect, cause, out),
        }
    }

    fn open_or_delay(&mut self, now: Timestamp, slot: Slot, out: &mut Vec<PeerAction>) {
        let delay = self.config.as_ref().and_then(|config| config.delay_open);
        let machine = self.machine(slot);
        machine.timers.disarm(Timer::ConnectRetry);
        match delay {
            Some(delay) => {
                machine.timers.arm(Timer::DelayOpen, now + Duration::from_secs(delay.into()));
                machine.timers.arm(Timer::Hold, now + OPEN_HOLD);
            }
            None => self.send_open(now, slot, out),
        }
    }

    /// The configuration as our OPEN tells it: only the first session after a start is after a restart (RFC 4724 §4.1).
    pub(super) fn said_config(&self) -> Option<Arc<SessionConfig>> {
        let config = self.terms()?;
        let restarting = config.graceful_restart.as_ref().is_some_and(|restart| restart.restarting);
        if !restarting || self.history.established == 0 {
            return Some(config);
        }
        let mut said = SessionConfig::clone(&config);
        if let Some(restart) = &mut said.graceful_restart {
            restart.restarting = false;
        }
        Some(Arc::new(said))
    }

    fn send_open(&mut self, now: Timestamp, slot: Slot, out: &mut Vec<PeerAction>) {
        let (Some(config), Some(conn)) = (self.said_config(), self.machine(slot).conn()) else { return };
        let machine = self.machine(slot);
        machine.timers.disarm_all();
        machine.timers.arm(Timer::Hold, now + OPEN_HOLD);
        machine.phase = Phase::OpenSent(conn);
        self.send(slot, MessageType::Open, open::our_open(&config).encode(), out);
    }

    fn confirm(&mut self, now: Timestamp, slot: Slot, cause: Cause, out: &mut Vec<PeerAction>) {
        let (Some(conn), Cause::Open(negotiated)) = (self.machine(slot).conn(), cause) else { return };
        let machine = self.machine(slot);
        machine.hold_time = negotiated.hold_time;
        machine.timers.disarm(Timer::Hold);
        machine.restart_hold(now);
        machine.phase = Phase::OpenConfirm(conn, negotiated);
        self.send(slot, MessageType::Keepalive, keepalive(), out);
        self.arm_keepalive(now, slot);
    }

    fn arm_keepalive(&mut self, now: Timestamp, slot: Slot) {
        let keepalive = match &self.machine(slot).phase {
            Phase::OpenConfirm(_, negotiated) => negotiated.keepalive,
            Phase::Established(_, negotiated) => negotiated.keepalive,
            _ => 0,
        };
        if keepalive > 0 {
            let wait = self.jitter.apply(Duration::from_secs(keepalive.into()));
            self.machine(slot).timers.arm(Timer::Keepalive, now + wait);
        }
    }

    fn establish(&mut self, now: Timestamp, slot: Slot, out: &mut Vec<PeerAction>) {
        let machine = self.machine(slot);
        let Phase::OpenConfirm(conn, negotiated) = std::mem::replace(&mut machine.phase, Phase::Idle) else {
            return;
        };
        let negotiated: Arc<Negotiated> = Arc::from(negotiated);
        machine.phase = Phase::Established(conn, Arc::clone(&negotiated));
        machine.restart_hold(now);
        machine.restart_send_hold(now);
        // Nothing else of the peer may go on beside an established session.
        let other = slot.other();
        if let Some(conn) = self.machine(other).conn() {
            out.push(PeerAction::Close { conn });
        }
        *self.machine(other) = Machine::new(other);
        self.retry = RETRY_MIN;
        self.session += 1;
        self.history.established += 1;
        self.history.up_since = Some(now);
        out.push(PeerAction::Established { conn, session: self.session, negotiated });
    }

    /// The connection ends, but the attempt to have a session goes on.
    fn end_attempt(&mut self, now: Timestamp, slot: Slot, cause: Cause, out: &mut Vec<PeerAction>) {
        let conn = self.machine(slot).conn();
        match (conn, cause) {
            (Some(conn), Cause::Notify(notification)) => {
                self.send(slot, MessageType::Notification, notification.encode(), out);
                out.push(PeerAction::Close { conn });
            }
            (_, Cause::Reset(reset)) => out.push(PeerAction::AttemptFailed { reset }),
            (Some(conn), _) => out.push(PeerAction::Close { conn }),
            (None, _) => {}
        }
        match slot {
            Slot::Ours => self.await_retry(now),
            Slot::Theirs => *self.machine(slot) = Machine::new(slot),
        }
    }

    /// The connection ends and the machine is idle. Ours begins again after the idle hold time.
    fn end(&mut self, now: Timestamp, slot: Slot, effect: Effect, cause: Cause, out: &mut Vec<PeerAction>) {
        let (mut reset, mut word) = Self::last_words(now, effect, cause);
        self.mind_restarts(slot, &mut reset, &mut word);
        let stopped = matches!(effect, Effect::Notify) && word.is_some() && reset.by_request;
        let machine = self.machine(slot);
        let (conn, state, session) = (machine.conn(), machine.state(), machine.negotiated().is_some());
        if let Some(conn) = conn {
            // Before OPEN a NOTIFICATION says nothing to anybody (RFC 4271 §8.2.2, Connect and Active).
            if let Some(word) = word.filter(|_| state >= State::OpenSent) {
                self.send(slot, MessageType::Notification, word.encode(), out);
            }
            out.push(PeerAction::Close { conn });
        }
        *self.machine(slot) = Machine::new(slot);
        if session {
            self.session_ended(now, reset, out);
        } else if conn.is_some() && !stopped {
            self.history.last_reset = Some(reset.clone());
            out.push(PeerAction::AttemptFailed { reset });
        }
        self.hold_idle(now, slot, session, stopped);
    }

    /// A NOTIFICATION that is to end the session for good is said as a hard reset; a connection that just ended is a
    /// restart, where both ends said that they mind those.
    fn mind_restarts(&mut self, slot: Slot, reset: &mut LastReset, word: &mut Option<Notification>) {
        // Without a configuration the neighbour was removed.
        let hard = self.config.as_ref().is_none_or(|config| config.hard_administrative_reset);
        let Some(negotiated) = self.machine(slot).negotiated() else { return };
        if let Some(said) = word.as_mut().filter(|said| negotiated.says_hard_reset(said, hard)) {
            *said = said.hard();
            reset.hard = true;
        }
        if reset.reason == DownReason::PeerClosed && !negotiated.kept_families().is_empty() {
            reset.reason = DownReason::RestartClosed;
        }
    }

    /// A peer that fails again and again is let in ever later; one that was asked to end is not to blame.
    fn hold_idle(&mut self, now: Timestamp, slot: Slot, session: bool, stopped: bool) {
        if slot == Slot::Theirs && !session {
            return;
        }
        let lived = self.history.up_since.map_or(Duration::ZERO, |up| now.since(up));
        if stopped || (session && lived >= STABLE) {
            self.idle_hold = IDLE_HOLD_MIN;
        }
        let wait = self.jitter.apply(self.idle_hold);
        self.idle_hold = (self.idle_hold * 2).min(IDLE_HOLD_MAX);
        if self.config.is_some() {
            self.machine(Slot::Ours).timers.arm(Timer::IdleHold, now + wait);
        }
    }

    fn session_ended(&mut self, now: Timestamp, reset: LastReset, out: &mut Vec<PeerAction>) {
        self.history.dropped += 1;
        self.history.down_since = Some(now);
        self.history.last_reset = Some(reset.clone());
        out.push(PeerAction::Down { session: self.session, reset });
    }

    /// Why it ended, and what the neighbour is told.
    fn last_words(now: Timestamp, effect: Effect, cause: Cause) -> (LastReset, Option<Notification>) {
        let word = match (effect, cause) {
            (Effect::Drop | Effect::AwaitRetry, Cause::Reset(reset)) => return (reset, None),
            (_, Cause::Stop(reason, notification)) => {
                return (LastReset::requested(now, reason, notification.clone()), Some(notification));
            }
            (Effect::NotifyHold, _) => Notification::new(notification::hold_timer::CODE, 0, &[]),
            (Effect::NotifySendHold, _) => Notification::new(notification::send_hold_timer::CODE, 0, &[]),
            (Effect::NotifyFsm(subcode), _) => Notification::new(notification::fsm::CODE, subcode, &[]),
            (_, Cause::Notify(notification)) => notification,
            _ => return (LastReset::closed(now, String::new()), None),
        };
        (LastReset::sent(now, word.clone()), Some(word))
    }

    pub(super) fn send(
        &mut self,
        slot: Slot,
        kind: MessageType,
        bytes: bytes::Bytes,
        out: &mut Vec<PeerAction>,
    ) {
        if let Some(conn) = self.machine(slot).conn() {
            self.history.sent.count(kind);
            out.push(PeerAction::Send { conn, bytes });
        }
    }
}
