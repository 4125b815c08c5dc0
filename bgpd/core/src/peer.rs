//! A neighbour's session as a machine without IO (RFC 4271 §8, RFC 6286, RFC 6608, RFC 9003, RFC 9687).
//!
//! ```text
//!  configuration, timers ─┐                       ┌─ Connect, Send, Close ──► sockets
//!  sockets, messages ─────┴─► Peer::handle, tick ─┴─ Established, Down ─────► instance
//! ```
//!
//! A peer has two machines, one for the connection that we make and one for a connection that the neighbour makes;
//! each follows the table in [`fsm`]. Where both get as far as an OPEN, [`collision`] says which one stays. [`open`]
//! writes our OPEN, judges theirs and says what the two agreed on. UPDATEs do not come here: whoever reads them only
//! says that they came.
//!
//! Where we differ from the RFC: a connection that was refused is tried again soon, and ever later up to the connect
//! retry time, not only after that time; an OPEN collides with a connection in OpenSent as well.

use std::sync::Arc;
use std::time::Duration;

use bgp_packet::attr::{AttributeError, Fault, Penalty};
use bgp_packet::header;
use bgp_packet::notification::{self, Notification};
use bgp_packet::update::Update;
use bgp_packet::{MessageType, Open, RouteRefresh};
use bytes::Bytes;
use ferrite_types::Timestamp;

pub mod collision;
pub mod config;
mod dynamic;
pub mod fsm;
mod graceful;
mod machine;
pub mod open;
pub mod reason;
mod timers;

pub use config::{
    Confederation, HoldDown, RemoteAs, SessionConfig, Shutdown, Signing, TcpKeepalive, Transport,
    TtlSecurity, UpdateSource,
};
pub use fsm::State;
pub use open::Negotiated;
pub use reason::{DownReason, LastReset};
pub use timers::Timer;

use machine::{Machine, Slot};
use timers::Jitter;

/// A connection, numbered by the peer (ours) or by whoever accepted it (theirs); never used twice in one peer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConnId(pub u64);

/// Hold time of a connection whose OPEN is awaited: the RFC's "large value" (§8.2.2).
const OPEN_HOLD: Duration = Duration::from_mins(4);
const IDLE_HOLD_MIN: Duration = Duration::from_secs(1);
const IDLE_HOLD_MAX: Duration = Duration::from_mins(1);
/// First wait after a connection that could not be made.
const RETRY_MIN: Duration = Duration::from_secs(2);
/// A session that lived this long has made up for earlier failures.
const STABLE: Duration = Duration::from_mins(1);

/// What the world did.
#[derive(Clone, Debug)]
pub enum PeerEvent {
    /// The session's configuration. The first one starts the peer; a later one resets the session only where a change
    /// cannot be had without.
    Configured(Arc<SessionConfig>),
    /// Ends the session with this notification and starts again soon: `clear bgp`, or another reason from outside.
    Reset {
        reason: DownReason,
        notification: Notification,
    },
    /// As `Reset`, but stays down until the time has passed, or until a `Clear` where there is none.
    Suspend {
        hold_down: HoldDown,
        notification: Notification,
    },
    /// Ends what `Suspend` began.
    Clear,
    /// The neighbour is removed from the configuration.
    Deconfigured,
    /// The connection asked for by `Connect` is there.
    Connected {
        conn: ConnId,
        ends: Ends,
    },
    ConnectFailed {
        conn: ConnId,
        error: String,
    },
    /// The neighbour connected.
    Accepted {
        conn: ConnId,
        ends: Ends,
    },
    /// The connection ended without our doing.
    Closed {
        conn: ConnId,
        error: String,
    },
    Received {
        conn: ConnId,
        message: PeerMessage,
    },
    /// What came was no message, or one that costs the session.
    Fault {
        conn: ConnId,
        notification: Notification,
    },
    /// UPDATEs came since the last word of this, or have been waiting in the socket for us.
    Activity {
        conn: ConnId,
        updates: u64,
    },
    /// Octets of ours left the host's send queue.
    Written {
        conn: ConnId,
    },
}

/// A message other than UPDATE.
#[derive(Clone, Debug)]
pub enum PeerMessage {
    Open(Open),
    Keepalive,
    Notification(Notification),
    /// `None`: of a family or kind that is ignored.
    Refresh(Option<RouteRefresh>),
    /// The body of a CAPABILITY message.
    Capability(Bytes),
    /// An UPDATE that came before the session was established.
    EarlyUpdate,
}

/// Both ends of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ends {
    pub local: std::net::SocketAddr,
    pub remote: std::net::SocketAddr,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub enum PeerAction {
    /// Make a connection as the configuration's `transport` says; the answer is `Connected` or `ConnectFailed`.
    Connect { conn: ConnId },
    /// A whole message.
    Send { conn: ConnId, bytes: Bytes },
    /// Closes the connection, or stops making it. What was sent before still goes out.
    Close { conn: ConnId },
    /// The session is up: routes may flow. `session` grows by one each time.
    Established { conn: ConnId, session: u64, negotiated: Arc<Negotiated> },
    /// The session was up and is no more.
    Down { session: u64, reset: LastReset },
    /// The neighbour asks for our routes again, or marks what it sends as such.
    Refresh { session: u64, refresh: RouteRefresh },
    /// For the log: what every change of state is worth saying.
    StateChanged { from: State, to: State },
    /// For the log: an attempt failed before the session was up.
    AttemptFailed { reset: LastReset },
}

/// Messages by kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Counters {
    pub opens: u64,
    pub notifications: u64,
    pub updates: u64,
    pub keepalives: u64,
    pub refreshes: u64,
    pub capabilities: u64,
}

impl Counters {
    pub const fn total(&self) -> u64 {
        self.opens + self.notifications + self.updates + self.keepalives + self.refreshes + self.capabilities
    }

    fn count(&mut self, kind: MessageType) {
        match kind {
            MessageType::Open => self.opens += 1,
            MessageType::Update => self.updates += 1,
            MessageType::Notification => self.notifications += 1,
            MessageType::Keepalive => self.keepalives += 1,
            MessageType::RouteRefresh => self.refreshes += 1,
            MessageType::Capability => self.capabilities += 1,
        }
    }
}

/// Malformed UPDATEs that did not cost the session (RFC 7606).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Faults {
    /// UPDATEs whose routes were treated as withdrawn.
    pub withdrawn: u64,
    /// Attributes that were dropped from routes that were kept.
    pub discarded: u64,
    /// Of the UPDATEs treated as withdrawn, those that passed a limit (`bgp maxas-limit`, `bgp limit …`).
    pub limited: u64,
}

impl Faults {
    /// Takes in what was wrong with one UPDATE.
    pub fn count(&mut self, update: &Update) {
        match update.penalty() {
            Some(Penalty::TreatAsWithdraw | Penalty::SessionReset) => self.withdrawn += 1,
            Some(Penalty::DiscardAttribute) => self.discarded += update.faults.len() as u64,
            None => {}
        }
        let limited = |fault: &Fault| matches!(fault.error, AttributeError::Limit { .. });
        self.limited += u64::from(update.faults.iter().any(limited));
    }
}

/// What shows tell about a peer's past.
#[derive(Clone, Debug, Default)]
pub struct History {
    pub sent: Counters,
    pub received: Counters,
    pub faults: Faults,
    /// Sessions that were established, and that ended again.
    pub established: u64,
    pub dropped: u64,
    pub last_reset: Option<LastReset>,
    /// When the session was established last, and when it ended.
    pub up_since: Option<Timestamp>,
    pub down_since: Option<Timestamp>,
    pub last_read: Option<Timestamp>,
    pub last_update: Option<Timestamp>,
    pub last_write: Option<Timestamp>,
}

/// The session with one neighbour.
#[derive(Debug)]
pub struct Peer {
    config: Option<Arc<SessionConfig>>,
    /// Ours, then theirs.
    machines: [Machine; 2],
    /// Kept down by something other than the configuration.
    hold_down: Option<(HoldDown, Option<Timestamp>)>,
    idle_hold: Duration,
    retry: Duration,
    jitter: Jitter,
    next_conn: u64,
    session: u64,
    /// `dual-as`: the AS of `router bgp` is shown, because the other one was refused.
    global_as: bool,
    reported: State,
    history: History,
}

impl Peer {
    /// `seed` decides the jitter of the timers.
    pub fn new(seed: u64) -> Self {
        Self {
            config: None,
            machines: [Machine::new(Slot::Ours), Machine::new(Slot::Theirs)],
            hold_down: None,
            idle_hold: IDLE_HOLD_MIN,
            retry: RETRY_MIN,
            jitter: Jitter::new(seed),
            next_conn: 0,
            session: 0,
            global_as: false,
            reported: State::Idle,
            history: History::default(),
        }
    }

    /// The state to show: that of the machine that got further.
    pub fn state(&self) -> State {
        self.machines.iter().map(Machine::state).max().unwrap_or(State::Idle)
    }

    /// What the established session agreed on.
    pub fn negotiated(&self) -> Option<&Arc<Negotiated>> {
        self.machines.iter().find_map(Machine::negotiated)
    }

    /// The number of the established session.
    pub fn session(&self) -> Option<u64> {
        self.negotiated().map(|_| self.session)
    }

    /// The connection that the state shown belongs to.
    pub fn conn(&self) -> Option<ConnId> {
        self.machines.iter().max_by_key(|machine| machine.state()).and_then(Machine::conn)
    }

    /// Every connection there is, made or being made.
    pub fn conns(&self) -> impl Iterator<Item = ConnId> + '_ {
        self.machines.iter().filter_map(Machine::conn)
    }

    /// Both ends of that connection.
    pub fn ends(&self) -> Option<Ends> {
        self.machines.iter().max_by_key(|machine| machine.state()).and_then(|machine| machine.ends)
    }

    pub fn config(&self) -> Option<&Arc<SessionConfig>> {
        self.config.as_ref()
    }

    pub const fn history(&self) -> &History {
        &self.history
    }

    /// Why the peer is kept down, where it is not by its configuration.
    pub fn hold_down(&self) -> Option<&HoldDown> {
        self.hold_down.as_ref().map(|(hold_down, _)| hold_down)
    }

    /// Time left on a timer.
    pub fn time_left(&self, timer: Timer, now: Timestamp) -> Option<Duration> {
        self.machines
            .iter()
            .filter_map(|machine| machine.timers.deadline(timer))
            .max()
            .map(|at| at.since(now))
    }

    /// UPDATEs that whoever sends them has put on their way.
    pub fn count_updates_sent(&mut self, messages: u64) {
        self.history.sent.updates += messages;
    }

    /// A ROUTE-REFRESH that somebody else has put on its way.
    pub fn count_refresh_sent(&mut self) {
        self.history.sent.refreshes += 1;
    }

    /// What was wrong with UPDATEs since the last time.
    pub fn count_faults(&mut self, faults: Faults) {
        self.history.faults.withdrawn += faults.withdrawn;
        self.history.faults.discarded += faults.discarded;
        self.history.faults.limited += faults.limited;
    }

    /// Feeds in one event; whatever must happen outside is appended to `out`.
    pub fn handle(&mut self, now: Timestamp, event: PeerEvent, out: &mut Vec<PeerAction>) {
        match event {
            PeerEvent::Configured(config) => self.configure(now, config, out),
            PeerEvent::Reset { reason, notification } => self.reset(now, reason, &notification, out),
            PeerEvent::Suspend { hold_down, notification } => {
                let until = hold_down.time.map(|time| now + time);
                let reason = hold_down.reason;
                self.hold_down = Some((hold_down, until));
                self.reset(now, reason, &notification, out);
            }
            PeerEvent::Clear => {
                self.hold_down = None;
                self.idle_hold = IDLE_HOLD_MIN;
                self.try_start(now, out);
            }
            PeerEvent::Deconfigured => {
                let notification = Notification::cease(notification::cease::DECONFIGURED);
                self.config = None;
                self.reset(now, DownReason::Deleted, &notification, out);
            }
            PeerEvent::Accepted { conn, ends } => self.accept(now, conn, ends, out),
            PeerEvent::Connected { conn, ends } => self.connected(now, conn, ends, out),
            PeerEvent::ConnectFailed { conn, error } | PeerEvent::Closed { conn, error } => {
                let reset = LastReset::closed(now, error);
                self.on_conn(now, conn, fsm::Event::TcpFail, Cause::Reset(reset), out);
            }
            PeerEvent::Received { conn, message } => self.received(now, conn, message, out),
            PeerEvent::Fault { conn, notification } => {
                self.on_conn(now, conn, fsm::Event::Fault, Cause::Notify(notification), out);
            }
            PeerEvent::Activity { conn, updates } => self.activity(now, conn, updates, out),
            PeerEvent::Written { conn } => self.written(now, conn),
        }
        self.report(out);
    }

    /// Fires every deadline at or before `now`. Calling early changes nothing.
    pub fn tick(&mut self, now: Timestamp, out: &mut Vec<PeerAction>) {
        if let Some((_, Some(until))) = &self.hold_down
            && *until <= now
        {
            self.hold_down = None;
            self.try_start(now, out);
        }
        for slot in Slot::BOTH {
            while let Some(timer) = self.machine(slot).timers.take_due(now) {
                self.expired(now, slot, timer, out);
            }
        }
        self.report(out);
    }

    /// When `tick` next has work, or `None` while nothing is pending.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let hold_down = self.hold_down.as_ref().and_then(|(_, until)| *until);
        self.machines.iter().filter_map(|machine| machine.timers.next()).chain(hold_down).min()
    }

    fn machine(&mut self, slot: Slot) -> &mut Machine {
        let [ours, theirs] = &mut self.machines;
        match slot {
            Slot::Ours => ours,
            Slot::Theirs => theirs,
        }
    }

    fn slot_of(&self, conn: ConnId) -> Option<Slot> {
        self.machines.iter().find(|machine| machine.conn() == Some(conn)).map(|machine| machine.slot)
    }

    /// Says what became of the state shown.
    fn report(&mut self, out: &mut Vec<PeerAction>) {
        let state = self.state();
        if state != self.reported {
            out.push(PeerAction::StateChanged { from: self.reported, to: state });
            self.reported = state;
        }
    }

    fn configure(&mut self, now: Timestamp, config: Arc<SessionConfig>, out: &mut Vec<PeerAction>) {
        let old = self.config.replace(Arc::clone(&config));
        let way_lost = config.blocked == Some(DownReason::NoPath) && self.state() == State::Established;
        let spared = (config.outlives_link && way_lost)
            .then(|| Arc::new(SessionConfig { blocked: None, ..(*config).clone() }));
        let judged = spared.as_ref().unwrap_or(&config);
        let reset = old.as_deref().and_then(|old| old.reset_by(judged));
        match reset {
            Some((reason, notification)) => {
                self.idle_hold = IDLE_HOLD_MIN;
                self.reset(now, reason, &notification, out);
            }
            None => {
                self.tell_capabilities(out);
                self.try_start(now, out);
            }
        }
    }

    /// Starts where nothing keeps the peer down and it is not waiting already.
    fn try_start(&mut self, now: Timestamp, out: &mut Vec<PeerAction>) {
        let waiting = self.machine(Slot::Ours).timers.deadline(Timer::IdleHold).is_some();
        if !waiting && self.machine(Slot::Ours).state() == State::Idle {
            self.step(now, Slot::Ours, fsm::Event::Start, Cause::None, out);
        }
    }

    /// Whether the peer may be anything else than idle.
    fn may_run(&self) -> bool {
        self.hold_down.is_none() && self.config.as_ref().is_some_and(|config| config.may_run())
    }

    fn reset(&mut self, now: Timestamp, reason: DownReason, cease: &Notification, out: &mut Vec<PeerAction>) {
        for slot in Slot::BOTH {
            let cause = Cause::Stop(reason, cease.clone());
            self.step(now, slot, fsm::Event::Stop, cause, out);
        }
    }

    fn accept(&mut self, now: Timestamp, conn: ConnId, ends: Ends, out: &mut Vec<PeerAction>) {
        if !self.may_run() {
            self.refuse(conn, out);
            return;
        }
        // A second connection of theirs: the first is dead, or the neighbour would not try again.
        if matches!(self.machine(Slot::Theirs).state(), State::Established) {
            self.refuse(conn, out);
            return;
        }
        if self.machine(Slot::Theirs).conn().is_some() {
            let cease = Notification::cease(notification::cease::COLLISION);
            let cause = Cause::Notify(cease);
            self.step(now, Slot::Theirs, fsm::Event::Fault, cause, out);
        }
        let machine = self.machine(Slot::Theirs);
        machine.begin(conn, Some(ends));
        self.step(now, Slot::Theirs, fsm::Event::TcpOpen, Cause::None, out);
    }

    fn refuse(&mut self, conn: ConnId, out: &mut Vec<PeerAction>) {
        let bytes = Notification::cease(notification::cease::REJECTED).encode();
        self.history.sent.count(MessageType::Notification);
        out.push(PeerAction::Send { conn, bytes });
        out.push(PeerAction::Close { conn });
    }

    fn connected(&mut self, now: Timestamp, conn: ConnId, ends: Ends, out: &mut Vec<PeerAction>) {
        if self.machine(Slot::Ours).conn() != Some(conn) {
            out.push(PeerAction::Close { conn });
            return;
        }
        // Theirs came through meanwhile: a second one would only collide.
        if self.machine(Slot::Theirs).state() >= State::OpenConfirm {
            let cease = Notification::cease(notification::cease::COLLISION);
            self.step(now, Slot::Ours, fsm::Event::Fault, Cause::Notify(cease), out);
            return;
        }
        self.machine(Slot::Ours).ends = Some(ends);
        self.step(now, Slot::Ours, fsm::Event::TcpOpen, Cause::None, out);
    }

    fn received(&mut self, now: Timestamp, conn: ConnId, message: PeerMessage, out: &mut Vec<PeerAction>) {
        self.history.last_read = Some(now);
        let (event, cause, kind) = match message {
            PeerMessage::Open(open) => {
                self.history.received.count(MessageType::Open);
                self.received_open(now, conn, open, out);
                return;
            }
            PeerMessage::Keepalive => (fsm::Event::Keepalive, Cause::None, MessageType::Keepalive),
            PeerMessage::Notification(notification) => {
                self.try_other_as(conn, &notification);
                let cause = Cause::Reset(LastReset::received(now, notification));
                (fsm::Event::Notification, cause, MessageType::Notification)
            }
            PeerMessage::Refresh(refresh) => {
                (fsm::Event::Refresh, Cause::Refresh(refresh), MessageType::RouteRefresh)
            }
            PeerMessage::Capability(body) => return self.received_capability(now, conn, &body, out),
            PeerMessage::EarlyUpdate => (fsm::Event::Update, Cause::None, MessageType::Update),
        };
        self.history.received.count(kind);
        self.on_conn(now, conn, event, cause, out);
    }

    /// An OPEN is judged, then seen against the other connection, and only then is it an event of the machine.
    fn received_open(&mut self, now: Timestamp, conn: ConnId, open: Open, out: &mut Vec<PeerAction>) {
        let (Some(slot), Some(config)) = (self.slot_of(conn), self.said_config()) else { return };
        let Some(ends) = self.machine(slot).ends else { return };
        let negotiated = match open::negotiate(&config, open, ends) {
            Ok(negotiated) => negotiated,
            Err(notification) => {
                self.step(now, slot, fsm::Event::Fault, Cause::Notify(notification), out);
                return;
            }
        };
        if self.machine(slot).state() <= State::OpenSent {
            let other = slot.other();
            let state = self.machine(other).state();
            match collision::resolve(slot, state, &config, &negotiated) {
                collision::Verdict::Apart => {}
                collision::Verdict::CloseOther => self.close_collided(now, other, out),
                collision::Verdict::CloseThis => {
                    self.close_collided(now, slot, out);
                    return;
                }
            }
        }
        self.step(now, slot, fsm::Event::Open, Cause::Open(Box::new(negotiated)), out);
    }

    fn close_collided(&mut self, now: Timestamp, slot: Slot, out: &mut Vec<PeerAction>) {
        let cease = Notification::cease(notification::cease::COLLISION);
        self.step(now, slot, fsm::Event::Collision, Cause::Notify(cease), out);
    }

    /// `local-as … dual-as`: a neighbour that does not know us by one AS may know us by the other.
    fn try_other_as(&mut self, conn: ConnId, notification: &Notification) {
        let refused = (notification.code, notification.subcode)
            == (notification::open::CODE, notification::open::BAD_PEER_AS);
        let dual = self.config.as_ref().is_some_and(|config| config.dual_as);
        if refused && dual && self.slot_of(conn).is_some() {
            self.global_as = !self.global_as;
            self.idle_hold = IDLE_HOLD_MIN;
        }
    }

    /// The configuration as it holds for the next OPEN.
    fn terms(&self) -> Option<Arc<SessionConfig>> {
        let config = self.config.as_ref()?;
        if !(self.global_as && config.dual_as) {
            return Some(Arc::clone(config));
        }
        Some(Arc::new(SessionConfig { local_as: None, ..SessionConfig::clone(config) }))
    }

    fn activity(&mut self, now: Timestamp, conn: ConnId, updates: u64, out: &mut Vec<PeerAction>) {
        self.history.last_read = Some(now);
        if updates > 0 {
            self.history.received.updates += updates;
            self.history.last_update = Some(now);
        }
        self.on_conn(now, conn, fsm::Event::Update, Cause::None, out);
    }

    fn written(&mut self, now: Timestamp, conn: ConnId) {
        self.history.last_write = Some(now);
        if let Some(slot) = self.slot_of(conn) {
            self.machine(slot).restart_send_hold(now);
        }
    }

    fn expired(&mut self, now: Timestamp, slot: Slot, timer: Timer, out: &mut Vec<PeerAction>) {
        let event = match timer {
            Timer::IdleHold => fsm::Event::Start,
            Timer::ConnectRetry => fsm::Event::RetryExpired,
            Timer::Hold => fsm::Event::HoldExpired,
            Timer::Keepalive => fsm::Event::KeepaliveExpired,
            Timer::SendHold => fsm::Event::SendHoldExpired,
            Timer::DelayOpen => fsm::Event::DelayOpenExpired,
        };
        self.step(now, slot, event, Cause::None, out);
    }

    /// An event of a connection; one that the peer no longer has is nobody's.
    fn on_conn(
        &mut self,
        now: Timestamp,
        conn: ConnId,
        event: fsm::Event,
        cause: Cause,
        out: &mut Vec<PeerAction>,
    ) {
        if let Some(slot) = self.slot_of(conn) {
            self.step(now, slot, event, cause, out);
        }
    }
}

/// What came with an event of the machine.
#[derive(Debug)]
enum Cause {
    None,
    Open(Box<Negotiated>),
    Refresh(Option<RouteRefresh>),
    /// The connection ends with this word to the neighbour.
    Notify(Notification),
    /// Asked for from outside.
    Stop(DownReason, Notification),
    /// The connection has ended.
    Reset(LastReset),
}

/// The whole message that a machine sends on its own.
fn keepalive() -> Bytes {
    header::keepalive()
}

#[cfg(test)]
mod tests;
