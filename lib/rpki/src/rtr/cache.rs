//! One cache: when to connect, what to ask, what it has said so far.
//!
//! ```text
//!  Stopped ─start─► Waiting ─due─► Connecting ─Connected─► Asking ─Response─► Receiving ─EndOfData─► Idle
//!                      ▲               │                     │  ▲                 │                   │
//!                      └── failed, closed, a fault ──────────┴──┼─────────────────┴───────────────────┤
//!                                                               └──── notified, refresh is due ───────┘
//! ```
//! What an update says is collected in a copy and takes effect with End of Data; an update that breaks off leaves no trace.
//! Data outlive the connection until they expire (RFC 8210 §6). Versions: we ask in the newest, and follow the cache down,
//! whether it answers in an older one, refuses ours with an Error Report, or twice hangs up on it (RFC 8210 §7).

use std::time::Duration;

use ferrite_types::Timestamp;

use super::pdu::{
    ErrorCode, Fault, HEADER, Header, MAX_VERSION, Pdu, decode, error_report, reset_query, serial_query,
};
use crate::tables::{Misfit, Payload, Tables};

/// How long a cache may keep us waiting for the next octets of an answer.
const PATIENCE: Duration = Duration::from_mins(1);
/// The first pause after a failure; it doubles up to the retry interval.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Records that a cache may have told us, unless it is set otherwise: several times what the whole RPKI holds.
pub const MAX_RECORDS: usize = 4_000_000;

/// Seconds between questions, between attempts, and until data are too old (RFC 8210 §6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Intervals {
    pub refresh: Duration,
    pub retry: Duration,
    pub expire: Duration,
}

impl Default for Intervals {
    fn default() -> Self {
        Self {
            refresh: Duration::from_secs(3600),
            retry: Duration::from_secs(600),
            expire: Duration::from_secs(7200),
        }
    }
}

/// Settings of a cache. An interval that is not set is the cache's own (End of Data, from version 1 on), else the default.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CacheConfig {
    pub refresh: Option<Duration>,
    pub retry: Option<Duration>,
    pub expire: Option<Duration>,
    /// The version we begin with.
    pub version: u8,
    /// Records it may tell: as many may be held (see [`Tables::weight`]), and an update may change each of them once, by a
    /// withdrawal and an announcement. Else the connection ends, with an Error Report of an internal error.
    pub max_records: usize,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self { refresh: None, retry: None, expire: None, version: MAX_VERSION, max_records: MAX_RECORDS }
    }
}

/// What happened to the connection.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    Connected,
    ConnectFailed(&'a str),
    Received(&'a [u8]),
    Closed(&'a str),
}

/// What must be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    Connect,
    Send(Vec<u8>),
    Close,
    /// [`Cache::data`] is another.
    Updated,
    /// For the log.
    Failed(String),
}

#[derive(Clone, Debug)]
enum Phase {
    Stopped,
    Waiting { until: Timestamp },
    Connecting,
    Asking { since: Timestamp },
    Receiving { since: Timestamp, session: u16, staged: Box<Tables>, reset: bool, told: usize },
    Idle { until: Timestamp },
}

/// How far a cache is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    Stopped,
    /// Not connected; the next attempt is due then.
    Waiting(Timestamp),
    Connecting,
    /// Connected, an update is on its way.
    Updating,
    /// Connected, all is there.
    Synced,
}

#[derive(Clone, Debug, Default)]
pub struct CacheStats {
    pub connects: u64,
    pub updates: u64,
    pub resets: u64,
    pub announced: u64,
    pub withdrawn: u64,
    pub notifies: u64,
    pub last_error: Option<String>,
}

/// One cache. See the module above.
#[derive(Clone, Debug)]
pub struct Cache {
    config: CacheConfig,
    phase: Phase,
    /// The version of the next query.
    version: u8,
    /// The cache has answered in it.
    settled: bool,
    /// Connections in a row that were closed before the cache said anything.
    silent: u32,
    failures: u32,
    /// Session and serial of `data`.
    session: Option<(u16, u32)>,
    data: Tables,
    synced_at: Option<Timestamp>,
    told: Option<Intervals>,
    buffer: Vec<u8>,
    stats: CacheStats,
}

impl Cache {
    /// Stopped.
    pub fn new(config: CacheConfig) -> Self {
        Self {
            config,
            phase: Phase::Stopped,
            version: config.version.min(MAX_VERSION),
            settled: false,
            silent: 0,
            failures: 0,
            session: None,
            data: Tables::default(),
            synced_at: None,
            told: None,
            buffer: Vec::new(),
            stats: CacheStats::default(),
        }
    }

    pub fn reconfigure(&mut self, config: CacheConfig) {
        if self.config.version != config.version {
            self.version = config.version.min(MAX_VERSION);
            self.settled = false;
        }
        self.config = config;
    }

    /// Begins with the next tick.
    pub fn start(&mut self, now: Timestamp) {
        if matches!(self.phase, Phase::Stopped) {
            self.phase = Phase::Waiting { until: now };
            self.failures = 0;
        }
    }

    /// Hangs up and forgets everything.
    pub fn stop(&mut self, out: &mut Vec<Action>) {
        if self.is_open() || matches!(self.phase, Phase::Connecting) {
            out.push(Action::Close);
        }
        self.phase = Phase::Stopped;
        if self.synced_at.take().is_some() {
            out.push(Action::Updated);
        }
        (self.data, self.session, self.settled) = (Tables::default(), None, false);
        self.version = self.config.version.min(MAX_VERSION);
        self.buffer = Vec::new();
    }

    pub fn data(&self) -> &Tables {
        &self.data
    }

    /// When the data were last known to be true; `None` while there are none.
    pub fn synced_at(&self) -> Option<Timestamp> {
        self.synced_at
    }

    pub fn session(&self) -> Option<(u16, u32)> {
        self.session
    }

    /// The version spoken, once the cache has answered.
    pub fn version(&self) -> Option<u8> {
        self.settled.then_some(self.version)
    }

    pub fn stats(&self) -> &CacheStats {
        &self.stats
    }

    pub fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Asking { .. } | Phase::Receiving { .. } | Phase::Idle { .. })
    }

    pub fn progress(&self) -> Progress {
        match self.phase {
            Phase::Stopped => Progress::Stopped,
            Phase::Waiting { until } => Progress::Waiting(until),
            Phase::Connecting => Progress::Connecting,
            Phase::Asking { .. } | Phase::Receiving { .. } => Progress::Updating,
            Phase::Idle { .. } => Progress::Synced,
        }
    }

    /// The intervals in force.
    pub fn intervals(&self) -> Intervals {
        let told = self.told.unwrap_or_default();
        Intervals {
            refresh: self.config.refresh.unwrap_or(told.refresh),
            retry: self.config.retry.unwrap_or(told.retry),
            expire: self.config.expire.unwrap_or(told.expire),
        }
    }

    /// When the data are too old.
    fn expires(&self) -> Option<Timestamp> {
        Some(self.synced_at? + self.intervals().expire)
    }

    /// Feeds in what happened to the connection.
    pub fn handle(&mut self, now: Timestamp, event: Event<'_>, out: &mut Vec<Action>) {
        match event {
            Event::Connected if matches!(self.phase, Phase::Connecting) => {
                self.stats.connects += 1;
                self.buffer.clear();
                self.ask(now, out);
            }
            Event::Connected => {}
            Event::ConnectFailed(error) if matches!(self.phase, Phase::Connecting) => {
                self.failed(now, error, out);
            }
            Event::ConnectFailed(_) => {}
            Event::Closed(error) if self.is_open() => self.closed(now, error, out),
            Event::Closed(_) => {}
            Event::Received(octets) if self.is_open() => self.received(now, octets, out),
            Event::Received(_) => {}
        }
    }

    /// Does what is due. Calling early changes nothing.
    pub fn tick(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        match self.phase {
            Phase::Waiting { until } if until <= now => {
                self.phase = Phase::Connecting;
                out.push(Action::Connect);
            }
            Phase::Idle { until } if until <= now => self.ask(now, out),
            Phase::Asking { since } | Phase::Receiving { since, .. } if since + PATIENCE <= now => {
                out.push(Action::Close);
                self.failed(now, "the cache does not answer", out);
            }
            _ => {}
        }
        if self.expires().is_some_and(|at| at <= now) {
            (self.data, self.session, self.synced_at) = (Tables::default(), None, None);
            self.stats.last_error = Some("data expired".into());
            out.push(Action::Updated);
            out.push(Action::Failed("data expired".into()));
        }
    }

    pub fn next_deadline(&self) -> Option<Timestamp> {
        let phase = match self.phase {
            Phase::Waiting { until } | Phase::Idle { until } => Some(until),
            Phase::Asking { since } | Phase::Receiving { since, .. } => Some(since + PATIENCE),
            Phase::Stopped | Phase::Connecting => None,
        };
        phase.into_iter().chain(self.expires()).min()
    }

    fn ask(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        let query = match self.session {
            Some((session, serial)) => serial_query(self.version, session, serial),
            None => reset_query(self.version),
        };
        self.phase = Phase::Asking { since: now };
        out.push(Action::Send(query));
    }

    /// Waits for the next attempt, longer each time.
    fn failed(&mut self, now: Timestamp, error: &str, out: &mut Vec<Action>) {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16)).min(self.intervals().retry);
        self.failures += 1;
        self.wait(now + pause, error, out);
    }

    fn wait(&mut self, until: Timestamp, error: &str, out: &mut Vec<Action>) {
        self.phase = Phase::Waiting { until };
        self.buffer = Vec::new();
        self.stats.last_error = Some(error.to_owned());
        out.push(Action::Failed(error.to_owned()));
    }

    fn closed(&mut self, now: Timestamp, error: &str, out: &mut Vec<Action>) {
        if !self.settled {
            self.silent += 1;
            if self.silent >= 2 && self.version > 0 {
                self.silent = 0;
                self.version -= 1;
            }
        }
        self.failed(now, error, out);
    }

    /// Ends the connection because of what the cache sent.
    fn refuse(&mut self, now: Timestamp, fault: &Fault, about: &[u8], out: &mut Vec<Action>) {
        out.push(Action::Send(error_report(self.version, fault, about)));
        out.push(Action::Close);
        // Whether the serial still says what we have is not certain any more.
        self.session = None;
        self.failed(now, &fault.text, out);
    }

    fn received(&mut self, now: Timestamp, octets: &[u8], out: &mut Vec<Action>) {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.extend_from_slice(octets);
        let mut rest = buffer.as_slice();
        while self.is_open()
            && let Some(header) = Header::read(rest)
        {
            let pdu = match self.accept(header, rest) {
                Ok(None) => break,
                Ok(Some(pdu)) => pdu,
                Err(fault) => {
                    // An Error Report is never answered with one (RFC 8210 §5.11).
                    if header.kind == rpki::rtr::pdu::Error::PDU {
                        out.push(Action::Close);
                        self.session = None;
                        return self.failed(now, &fault.text, out);
                    }
                    return self.refuse(now, &fault, rest, out);
                }
            };
            let (this, after) = rest.split_at(header.length.min(rest.len()));
            rest = after;
            if let Err(fault) = self.pdu(now, header, pdu, out) {
                return self.refuse(now, &fault, this, out);
            }
        }
        if self.is_open() {
            let used = buffer.len() - rest.len();
            buffer.drain(..used);
            self.buffer = buffer;
            if let Phase::Asking { since } | Phase::Receiving { since, .. } = &mut self.phase {
                *since = now;
            }
        }
    }

    /// The next PDU, if all of it is there and it may come.
    fn accept(&mut self, header: Header, octets: &[u8]) -> Result<Option<Pdu>, Fault> {
        if header.version > self.version || (self.settled && header.version != self.version) {
            let code =
                if self.settled { ErrorCode::UnexpectedVersion } else { ErrorCode::UnsupportedVersion };
            // An Error Report about our version may come in any.
            if header.kind != rpki::rtr::pdu::Error::PDU {
                return Err(Fault::new(
                    code,
                    format!("version {} where it is {}", header.version, self.version),
                ));
            }
        }
        header.check()?;
        match octets.get(..header.length.max(HEADER)) {
            Some(whole) => decode(header, whole).map(Some),
            None => Ok(None),
        }
    }

    fn settle(&mut self, version: u8) {
        if !self.settled {
            (self.version, self.settled, self.silent) = (version, true, 0);
        }
    }

    fn pdu(&mut self, now: Timestamp, header: Header, pdu: Pdu, out: &mut Vec<Action>) -> Result<(), Fault> {
        let unexpected =
            || Fault::new(ErrorCode::CorruptData, format!("PDU type {} out of turn", header.kind));
        match pdu {
            Pdu::Notify { session, serial } => {
                self.stats.notifies += 1;
                // During an update, and before a version is agreed on, it says nothing new (RFC 8210 §7).
                if matches!(self.phase, Phase::Idle { .. }) {
                    if self.session.is_some_and(|(ours, _)| ours != session) {
                        self.session = None;
                    }
                    if self.session != Some((session, serial)) {
                        self.ask(now, out);
                    }
                }
                Ok(())
            }
            Pdu::Response { session } => {
                if !matches!(self.phase, Phase::Asking { .. }) {
                    return Err(unexpected());
                }
                self.settle(header.version);
                let reset = self.session.is_none();
                if self.session.is_some_and(|(ours, _)| ours != session) {
                    return Err(Fault::new(ErrorCode::CorruptData, "the session is another"));
                }
                let staged = Box::new(if reset { Tables::default() } else { self.data.clone() });
                self.phase = Phase::Receiving { since: now, session, staged, reset, told: 0 };
                Ok(())
            }
            Pdu::Announce(payload) => self.record(payload, true).unwrap_or_else(|| Err(unexpected())),
            Pdu::Withdraw(payload) => self.record(payload, false).unwrap_or_else(|| Err(unexpected())),
            Pdu::EndOfData { session, serial, timing } => {
                self.end_of_data(now, session, serial, timing, out).unwrap_or_else(|| Err(unexpected()))
            }
            Pdu::CacheReset => {
                // To a question for everything it is no answer (RFC 8210 §8.1): the two would go on for ever.
                if !matches!(self.phase, Phase::Asking { .. }) || self.session.is_none() {
                    return Err(unexpected());
                }
                self.settle(header.version);
                self.session = None;
                self.ask(now, out);
                Ok(())
            }
            Pdu::Error { code, text } => {
                self.error(now, header.version, code, &text, out);
                Ok(())
            }
        }
    }

    /// `None` where no record may come.
    fn record(&mut self, payload: Payload, announced: bool) -> Option<Result<(), Fault>> {
        let Phase::Receiving { staged, told, .. } = &mut self.phase else { return None };
        *told += 1;
        let result = if announced {
            self.stats.announced += 1;
            staged.announce(payload)
        } else {
            self.stats.withdrawn += 1;
            staged.withdraw(&payload)
        };
        let limit = self.config.max_records;
        if staged.weight() > limit || *told > limit.saturating_mul(2) {
            let text = format!("more than the limit of {limit} records");
            return Some(Err(Fault::new(ErrorCode::InternalError, text)));
        }
        Some(result.map_err(|misfit| {
            let code = match misfit {
                Misfit::Duplicate => ErrorCode::Duplicate,
                Misfit::Unknown => ErrorCode::UnknownWithdrawal,
            };
            Fault::new(code, misfit.to_string())
        }))
    }

    fn end_of_data(
        &mut self,
        now: Timestamp,
        session: u16,
        serial: u32,
        timing: Option<[Duration; 3]>,
        out: &mut Vec<Action>,
    ) -> Option<Result<(), Fault>> {
        let Phase::Receiving { session: ours, staged, reset, .. } = &mut self.phase else { return None };
        if *ours != session {
            return Some(Err(Fault::new(ErrorCode::CorruptData, "the session changed within an update")));
        }
        self.data = std::mem::take(staged);
        self.stats.updates += 1;
        self.stats.resets += u64::from(*reset);
        self.session = Some((session, serial));
        if let Some([refresh, retry, expire]) = timing {
            let within = |value: Duration, low: u64, high: u64| {
                value.clamp(Duration::from_secs(low), Duration::from_secs(high))
            };
            self.told = Some(Intervals {
                refresh: within(refresh, 1, 86400),
                retry: within(retry, 1, 7200),
                expire: within(expire, 600, 172_800),
            });
        }
        self.synced_at = Some(now);
        self.failures = 0;
        self.stats.last_error = None;
        self.phase = Phase::Idle { until: now + self.intervals().refresh };
        out.push(Action::Updated);
        Some(Ok(()))
    }

    /// What the cache complains of, or that it has nothing.
    fn error(&mut self, now: Timestamp, version: u8, code: u16, text: &str, out: &mut Vec<Action>) {
        if code == ErrorCode::UnsupportedVersion as u16 && !self.settled && self.version > 0 {
            // The cache's own version stands in the header; one that is no lower would have us ask for ever.
            self.version = version.min(self.version - 1);
            out.push(Action::Close);
            let error = format!("the cache wants version {}", self.version);
            return self.wait(now, &error, out);
        }
        let mut error = format!("the cache reports error {code}");
        if !text.is_empty() {
            error.push_str(&format!(": {text}"));
        }
        if code != ErrorCode::NoData as u16 {
            self.session = None;
        }
        out.push(Action::Close);
        self.failed(now, &error, out);
    }
}
