//! The receiving half of a connection: frames, decodes, and passes on. Routes go to the shards, everything else to the
//! instance. UPDATEs wait for the session to be established, because only then it is agreed how they are read.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bgp_core::Event;
use bgp_core::peer::{ConnId, Faults, PeerMessage};
use bgp_core::rib::{PeerId, ShardEvent};
use bgp_packet::attr::{DecodeContext, Penalty};
use bgp_packet::header::MAX_LEN;
use bgp_packet::mrt::{Ends, Reading};
use bgp_packet::orf::OrfUpdate;
use bgp_packet::update::{self, AttributeCache};
use bgp_packet::{Frame, MessageType, Notification, Open, RefreshKind, RouteRefresh, next_frame};
use bytes::{Bytes, BytesMut};
use ferrite_daemon::RateLimit;
use ferrite_types::Asn;
use tokio::io::AsyncReadExt;
use tokio::net::tcp::OwnedReadHalf;
use tokio::sync::{mpsc, oneshot};

use super::routes::{Batches, PATIENCE};
use super::spoken;
use super::turns::{Backlog, Held, Turns};
use crate::queue::ShardQueue;
use crate::tap::{Tap, Tapped};

/// Octets asked for at once.
const CHUNK: usize = 64 * 1024;
/// A session without UPDATEs for this long gives its cache back.
const QUIET: Duration = Duration::from_secs(10);
/// Octets of a faulty UPDATE that a log line shows.
const SHOWN: usize = 512;
/// Messages that a tap may miss nothing of before a session is established: OPEN and KEEPALIVE.
const HELD: usize = 4;

/// What was agreed on, for the reader.
#[derive(Debug)]
pub struct SessionTerms {
    pub session: u64,
    pub context: DecodeContext,
    /// How to read what we write ourselves, for the log.
    pub sent: DecodeContext,
    pub max_len: usize,
    /// Theirs and ours.
    pub asns: (Asn, Asn),
}

/// Why a reader stops.
enum End {
    /// The stream ended or broke.
    Closed(String),
    /// The instance was told why already.
    Told,
}

pub struct Reader {
    peer: PeerId,
    conn: ConnId,
    name: String,
    socket: OwnedReadHalf,
    events: mpsc::Sender<Event>,
    shards: Arc<[Arc<ShardQueue>]>,
    terms: Option<oneshot::Receiver<SessionTerms>>,
    established: Option<Established>,
    /// A KEEPALIVE was passed on before the session was established: the terms are on their way.
    confirmed: bool,
    max_len: usize,
    turns: Arc<Turns>,
    /// Read UPDATEs that wait for the tables.
    backlog: Arc<Backlog>,
    tap: Arc<Tap>,
    /// For the tap; the neighbour's AS is known from its OPEN on.
    ends: Ends,
    /// What came before it was known how it reads.
    held: Vec<Tapped>,
    /// Messages that found no room to be mirrored.
    unmirrored: u64,
}

/// What exists once UPDATEs may be read.
struct Established {
    session: u64,
    context: DecodeContext,
    cache: AttributeCache,
    batches: Batches,
    updates: u64,
    /// UPDATEs in the batches that are being filled.
    gathered: u32,
    /// What was wrong with them, not yet reported.
    faults: Faults,
    told: Instant,
    last_update: Instant,
    fault_log: RateLimit,
}

impl Reader {
    pub fn new(
        peer: PeerId,
        conn: ConnId,
        socket: OwnedReadHalf,
        events: mpsc::Sender<Event>,
        shards: Arc<[Arc<ShardQueue>]>,
        terms: oneshot::Receiver<SessionTerms>,
        tap: Arc<Tap>,
        turns: Arc<Turns>,
    ) -> Self {
        let name = socket.peer_addr().map_or_else(|_| "?".to_owned(), |addr| addr.ip().to_string());
        let unknown = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let ends = Ends {
            remote_as: Asn(0),
            local_as: Asn(0),
            ifindex: 0,
            remote: socket.peer_addr().map_or(unknown, |addr| addr.ip().to_canonical()),
            local: socket.local_addr().map_or(unknown, |addr| addr.ip().to_canonical()),
        };
        Self {
            peer,
            conn,
            name,
            socket,
            events,
            shards,
            terms: Some(terms),
            established: None,
            confirmed: false,
            max_len: MAX_LEN,
            turns,
            backlog: Arc::default(),
            tap,
            ends,
            held: Vec::new(),
            unmirrored: 0,
        }
    }

    /// Reads until the connection ends, and tells the instance how.
    pub async fn run(mut self) {
        let mut buf = BytesMut::new();
        let end = loop {
            if let Err(end) = self.frames(&mut buf).await {
                break end;
            }
            if let Err(end) = self.fill(&mut buf).await {
                break end;
            }
        };
        if let End::Closed(error) = end {
            self.tell(Event::Closed { peer: self.peer, conn: self.conn, error }).await;
        }
        self.drain().await;
    }

    /// Reads more; meanwhile says what is to be said in time.
    async fn fill(&mut self, buf: &mut BytesMut) -> Result<(), End> {
        loop {
            match tokio::time::timeout(PATIENCE, self.socket.readable()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Err(End::Closed(error.to_string())),
                Err(_) => {
                    self.quiet(buf).await;
                    continue;
                }
            }
            buf.reserve(CHUNK);
            match self.socket.try_read_buf(buf) {
                Ok(0) => return Err(End::Closed("closed by the neighbour".to_owned())),
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(End::Closed(error.to_string())),
            }
        }
    }

    /// Nothing came for a while: memory goes back, and UPDATEs not yet reported are.
    async fn quiet(&mut self, buf: &mut BytesMut) {
        if buf.is_empty() {
            *buf = BytesMut::new();
        }
        if let Some(established) = &mut self.established
            && established.last_update.elapsed() >= QUIET
            && !established.cache.is_empty()
        {
            established.cache.clear();
        }
        if self.established.as_ref().is_some_and(|established| established.updates > 0) {
            self.report_activity().await;
        }
    }

    /// Everything complete in the buffer, then what was gathered goes out.
    async fn frames(&mut self, buf: &mut BytesMut) -> Result<(), End> {
        let mut handled = 0;
        loop {
            match next_frame(buf, self.max_len) {
                Ok(Some(frame)) => {
                    self.frame(frame).await?;
                    handled += 1;
                    if self.turns.read().is_some_and(|most| handled >= most) {
                        handled = 0;
                        self.flush().await;
                        tokio::task::yield_now().await;
                    }
                }
                Ok(None) => break,
                Err(notification) => return self.fault(notification).await,
            }
        }
        self.flush().await;
        let overdue = |e: &Established| e.updates > 0 && e.told.elapsed() >= PATIENCE;
        if self.established.as_ref().is_some_and(overdue) {
            self.report_activity().await;
        }
        Ok(())
    }

    async fn frame(&mut self, frame: Frame) -> Result<(), End> {
        if self.tap.wants(frame.kind) {
            self.tapped(&frame);
        }
        if self.tap.mirrors() {
            self.mirror(&frame);
        }
        let message = match frame.kind {
            MessageType::Update => return self.update(&frame.body).await,
            MessageType::Keepalive => PeerMessage::Keepalive,
            MessageType::Notification => {
                self.flush().await;
                let message = PeerMessage::Notification(Notification::decode(&frame.body));
                self.tell(Event::Received { peer: self.peer, conn: self.conn, message }).await;
                return Err(End::Told);
            }
            MessageType::Capability => PeerMessage::Capability(frame.body),
            MessageType::Open => match Open::decode(&frame.body) {
                Ok(open) => PeerMessage::Open(open),
                Err(notification) => return self.fault(notification).await,
            },
            MessageType::RouteRefresh => match RouteRefresh::decode(&frame.body) {
                Ok(refresh) => self.refresh(refresh, &frame.body).await,
                Err(notification) => return self.fault(notification).await,
            },
        };
        let keepalive = matches!(message, PeerMessage::Keepalive);
        if keepalive && self.established.is_some() {
            self.measure().await;
        }
        self.tell(Event::Received { peer: self.peer, conn: self.conn, message }).await;
        if keepalive && self.established.is_none() {
            self.confirmed = true;
            self.await_terms().await?;
        }
        Ok(())
    }

    /// Hands a message to whoever listens in; what comes before the session is up waits until it is known how it reads.
    fn tapped(&mut self, frame: &Frame) {
        let mut message = Tapped {
            time: SystemTime::now(),
            ends: self.ends,
            reading: Reading { four_octet: true, add_path: false },
            kind: frame.kind,
            body: frame.body.clone(),
        };
        match &self.established {
            Some(established) => {
                message.reading = reading(&established.context);
                self.tap.offer(message);
            }
            None if self.held.len() < HELD => self.held.push(message),
            None => {}
        }
    }

    /// Hands a message on as it is, where there is room for it: a collector holds up no session.
    fn mirror(&mut self, frame: &Frame) {
        let (kind, body) = (frame.kind, frame.body.clone());
        let event = Event::Mirrored { peer: self.peer, kind, body, lost: self.unmirrored };
        // The last places are the sessions' own.
        let room = self.events.capacity() > self.events.max_capacity() / 2;
        if room && self.events.try_send(event).is_ok() {
            self.unmirrored = 0;
        } else {
            self.unmirrored += 1;
        }
    }

    /// With a KEEPALIVE the way to the neighbour is measured.
    async fn measure(&mut self) {
        if let Ok(measured) = ferrite_sockopt::measure(self.socket.as_ref()) {
            let (msec, mss) = (measured.round_trip, measured.mss);
            self.tell(Event::Rtt { peer: self.peer, conn: self.conn, msec, mss }).await;
        }
    }

    /// Markers of a refresh belong between the routes before and behind them.
    async fn refresh(&mut self, refresh: Option<RouteRefresh>, body: &Bytes) -> PeerMessage {
        if let (Some(RouteRefresh { family, kind: RefreshKind::Request }), Some(established)) =
            (refresh, &self.established)
            && established.context.orf.contains(family)
            && let Some(update) = OrfUpdate::decode(body)
        {
            // The filter says itself when the table is to be sent again.
            self.tell(Event::Orf { peer: self.peer, update }).await;
            return PeerMessage::Refresh(None);
        }
        if let (Some(RouteRefresh { family, kind }), Some(established)) = (refresh, &self.established) {
            let (peer, session) = (self.peer, established.session);
            let marker = match kind {
                RefreshKind::Request => return PeerMessage::Refresh(refresh),
                RefreshKind::Begin => {
                    established.batches.for_all(|| ShardEvent::RefreshInBegin { peer, session, family })
                }
                RefreshKind::End => {
                    established.batches.for_all(|| ShardEvent::RefreshInEnd { peer, session, family })
                }
            };
            self.flush().await;
            self.push(marker).await;
        }
        PeerMessage::Refresh(refresh)
    }

    /// The terms come with the session; a session that never is has its connection closed.
    async fn await_terms(&mut self) -> Result<(), End> {
        let Some(terms) = self.terms.take() else { return Ok(()) };
        let Ok(terms) = terms.await else { return Err(End::Told) };
        self.max_len = terms.max_len;
        (self.ends.remote_as, self.ends.local_as) = terms.asns;
        let reading = reading(&terms.context);
        for message in std::mem::take(&mut self.held) {
            self.tap.offer(Tapped { ends: self.ends, reading, ..message });
        }
        self.established = Some(Established {
            session: terms.session,
            context: terms.context,
            cache: AttributeCache::default(),
            batches: Batches::new(self.peer, terms.session, Arc::clone(&self.shards)),
            updates: 0,
            gathered: 0,
            faults: Faults::default(),
            told: Instant::now(),
            last_update: Instant::now(),
            fault_log: RateLimit::new(5, Duration::from_mins(1)),
        });
        Ok(())
    }

    /// Waits while the tables are behind with as many UPDATEs as may wait.
    async fn await_tables(&mut self) {
        let Some(limit) = self.turns.input() else { return };
        let gathered = self.established.as_ref().map_or(0, |established| established.gathered);
        if gathered.saturating_add(self.backlog.held()) < limit {
            return;
        }
        self.flush().await;
        let backlog = Arc::clone(&self.backlog);
        let mut room = std::pin::pin!(backlog.below(limit));
        while tokio::time::timeout(PATIENCE, room.as_mut()).await.is_err() {
            self.report_activity().await;
        }
    }

    async fn update(&mut self, body: &Bytes) -> Result<(), End> {
        self.await_tables().await;
        let Some(established) = &mut self.established else {
            let message = PeerMessage::EarlyUpdate;
            self.tell(Event::Received { peer: self.peer, conn: self.conn, message }).await;
            return Err(End::Told);
        };
        established.updates += 1;
        established.gathered += 1;
        established.last_update = Instant::now();
        if established.context.martian_next_hops != self.turns.martians() {
            established.context.martian_next_hops = self.turns.martians();
            // It holds what was judged by the other rule.
            established.cache.clear();
        }
        let update = match update::decode(body, &established.context, &mut established.cache) {
            Ok(update) => update,
            Err(error) => {
                tracing::warn!("{}: malformed UPDATE ends the session: {error}: {}", self.name, hex(body));
                self.flush().await;
                self.report_activity().await;
                return self.fault(error.notification).await;
            }
        };
        if !update.faults.is_empty() {
            established.faults.count(&update);
            log_faults(&self.name, &mut established.fault_log, &update, body);
        }
        spoken::received(&self.name, &update, body);
        let displaced = established.batches.add(&update);
        let full = established.batches.is_full();
        self.push(displaced).await;
        if let Some(family) = update.end_of_rib {
            self.flush().await;
            let peer = self.peer;
            let Some(established) = &self.established else { return Ok(()) };
            let session = established.session;
            let marker = established.batches.for_all(|| ShardEvent::EndOfRib { peer, session, family });
            self.push(marker).await;
        } else if full {
            self.flush().await;
        }
        Ok(())
    }

    async fn flush(&mut self) {
        let Some(established) = &mut self.established else { return };
        let batches = established.batches.take();
        let gathered = std::mem::take(&mut established.gathered);
        let held = self.turns.input().map(|_| Arc::new(Backlog::hold(&self.backlog, gathered)));
        self.push_held(batches, held).await;
    }

    /// Hands over to the shards. While one is behind, the neighbour is alive all the same: its octets wait for us.
    async fn push(&mut self, events: Vec<(usize, ShardEvent)>) {
        self.push_held(events, None).await;
    }

    async fn push_held(&mut self, events: Vec<(usize, ShardEvent)>, held: Option<Arc<Held>>) {
        for (shard, event) in events {
            let Some(queue) = self.shards.get(shard).cloned() else { continue };
            let mut push = std::pin::pin!(queue.push_routes(event, held.clone()));
            while tokio::time::timeout(PATIENCE, push.as_mut()).await.is_err() {
                self.report_activity().await;
            }
        }
    }

    async fn report_activity(&mut self) {
        let Some(established) = &mut self.established else { return };
        established.told = Instant::now();
        let updates = std::mem::take(&mut established.updates);
        let faults = std::mem::take(&mut established.faults);
        if faults != Faults::default() {
            self.tell(Event::Faulty { peer: self.peer, faults }).await;
        }
        self.tell(Event::Activity { peer: self.peer, conn: self.conn, updates }).await;
    }

    async fn fault(&mut self, notification: Notification) -> Result<(), End> {
        self.tell(Event::Fault { peer: self.peer, conn: self.conn, notification }).await;
        Err(End::Told)
    }

    /// An instance that is gone has no use for it.
    async fn tell(&self, event: Event) {
        let _ = self.events.send(event).await;
    }

    /// Reads on and forgets, so that the kernel does not cut off what we still have to say. Ended from outside.
    async fn drain(mut self) {
        let mut sink = [0; 4096];
        while self.socket.read(&mut sink).await.is_ok_and(|read| read > 0) {}
    }
}

fn reading(context: &DecodeContext) -> Reading {
    Reading { four_octet: context.four_octet, add_path: !context.add_path.is_empty() }
}

fn log_faults(name: &str, limit: &mut RateLimit, update: &update::Update, body: &Bytes) {
    let Some(kept_back) = limit.allow(Instant::now()) else { return };
    let what = match update.penalty() {
        Some(Penalty::DiscardAttribute) | None => "attribute discarded",
        Some(Penalty::TreatAsWithdraw | Penalty::SessionReset) => "routes withdrawn",
    };
    for fault in &update.faults {
        tracing::warn!(kept_back, "{name}: malformed UPDATE, {what}: {}: {}", fault.error, hex(body));
    }
}

/// The octets of a message, as many as a log line takes.
fn hex(body: &Bytes) -> String {
    let shown = body.get(..SHOWN).unwrap_or(body);
    let mut text = String::with_capacity(shown.len() * 2);
    for octet in shown {
        text.push_str(&format!("{octet:02x}"));
    }
    if shown.len() < body.len() {
        text.push_str(&format!("… ({} octets)", body.len()));
    }
    text
}
