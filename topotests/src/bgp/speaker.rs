//! Several sessions at once, each announcing its table and taking in what it is told.
//!
//! ```text
//! commands (stdin) ──> speaker ──> per peer: writer thread (table), reader thread (Rib, pauses), keepalive thread
//!                         └─────> JSON lines: established, sent, progress, complete, down, dumped
//! ```

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::mrt;
use super::pause::{Gap, Stall};
use super::rib::{Expectation, Rib};
use super::session::{Session, Settings, Writer, establish, hex};
use super::table::{self, Table, encode_stream, family_of};
use super::wire;
use crate::data;
use crate::failure::{Failure, Result};

const ROUTE_REFRESH: u8 = 5;

/// One session to bring up, and what to announce on it.
#[derive(Clone, Debug)]
pub struct PeerPlan {
    pub local: IpAddr,
    pub asn: u32,
    /// UPDATEs, one after another.
    pub stream: Arc<Vec<u8>>,
    /// UPDATEs that take back all of it, where that is known.
    pub withdrawal: Arc<Vec<u8>>,
    pub messages: usize,
    pub prefixes: usize,
}

/// What the sessions announce.
#[derive(Clone, Debug)]
pub enum Source {
    /// Nothing: receivers only.
    Nothing { peers: usize },
    /// One session per feed of a TABLE_DUMP_V2 file, at most `feeds`.
    Dump { file: std::path::PathBuf, feeds: usize },
    /// One session per peer of a BGP4MP file.
    Updates { file: std::path::PathBuf, feeds: usize },
    /// A generated table: `each` prefixes per peer; with `same` all peers announce the same prefixes on other paths.
    Generated { peers: usize, each: usize, seed: u64, same: bool },
}

/// The address `n` after `first`.
pub fn nth(first: IpAddr, n: usize) -> IpAddr {
    match first {
        IpAddr::V4(a) => Ipv4Addr::from(u32::from(a).wrapping_add(n as u32)).into(),
        IpAddr::V6(a) => Ipv6Addr::from(u128::from(a).wrapping_add(n as u128)).into(),
    }
}

/// Reads or makes the tables. Peer `n` speaks from the address `n` after `from`; AS numbers are the feeds' own,
/// else they start at `asn`. Also tells where the tables come from.
pub fn plan(source: &Source, from: IpAddr, asn: u32) -> Result<(Vec<PeerPlan>, Value)> {
    match source {
        Source::Nothing { peers } => {
            let plans = (0..*peers).map(|n| PeerPlan::silent(nth(from, n), asn + n as u32)).collect();
            Ok((plans, json!("nothing to announce")))
        }
        Source::Dump { file, feeds } => {
            let list = table::feeds(&data::read(file)?, family_of(from))?;
            let plans = list
                .into_iter()
                .take(*feeds)
                .enumerate()
                .map(|(n, (asn, table))| table_plan(nth(from, n), asn, &table));
            Ok((plans.collect::<Result<_>>()?, json!(format!("dump {}", file.display()))))
        }
        Source::Updates { file, feeds } => {
            let streams = mrt::read_updates(&data::read(file)?)?;
            let streams = streams.into_iter().filter(|(peer, _)| family_of(peer.addr) == family_of(from));
            let plans = streams.take(*feeds).enumerate().map(|(n, (peer, stream))| {
                let local = nth(from, n);
                let (octets, messages) = encode_stream(&stream, peer.asn, local)?;
                Ok(PeerPlan { stream: Arc::new(octets), messages, ..PeerPlan::silent(local, peer.asn) })
            });
            Ok((plans.collect::<Result<_>>()?, json!(format!("updates {}", file.display()))))
        }
        Source::Generated { peers, each, seed, same } => generated(*peers, *each, *seed, *same, from, asn),
    }
}

fn generated(
    peers: usize,
    each: usize,
    seed: u64,
    same: bool,
    from: IpAddr,
    asn: u32,
) -> Result<(Vec<PeerPlan>, Value)> {
    let family = family_of(from);
    let mut tables = Vec::new();
    let origin;
    if same {
        let made: Vec<_> =
            (0..peers).map(|n| table::generate(family, each, seed, n as u64)).collect::<Result<_>>()?;
        origin = made.first().map(|(_, origin)| origin.clone()).unwrap_or_default();
        tables.extend(made.into_iter().map(|(table, _)| table));
    } else {
        let (table, from) = table::generate(family, each * peers, seed, 0)?;
        origin = from;
        tables = table.split(peers);
    }
    let plans = tables.iter().enumerate().map(|(n, table)| table_plan(nth(from, n), asn + n as u32, table));
    let plans = plans.collect::<Result<Vec<_>>>()?;
    Ok((plans, json!({"prefixes": origin.prefixes, "attributes": origin.attributes, "seed": seed})))
}

fn table_plan(local: IpAddr, asn: u32, table: &Table) -> Result<PeerPlan> {
    let (octets, messages) = table.encode(asn, local)?;
    let withdrawal = Arc::new(table.encode_withdrawal(local).0);
    Ok(PeerPlan { local, asn, stream: Arc::new(octets), withdrawal, messages, prefixes: table.len() })
}

impl PeerPlan {
    pub fn silent(local: IpAddr, asn: u32) -> PeerPlan {
        PeerPlan { local, asn, stream: Arc::default(), withdrawal: Arc::default(), messages: 0, prefixes: 0 }
    }
}

/// How sessions are brought up and what is kept of what they hear.
#[derive(Clone, Debug)]
pub struct Options {
    pub remote: IpAddr,
    pub port: u16,
    pub hold: u16,
    pub passive: bool,
    pub keep_attrs: bool,
    /// A receiver is complete when it has this many prefixes.
    pub expect: Option<usize>,
    /// How long a session may take to come up.
    pub patience: Duration,
    /// Octets; small ones make a peer that does not read felt soon.
    pub receive_buffer: Option<usize>,
}

#[derive(Debug)]
struct Peer {
    plan: PeerPlan,
    writer: Writer,
    heard: Arc<Heard>,
}

/// What a session's reader shares with those who ask.
#[derive(Debug)]
struct Heard {
    rib: Mutex<Rib>,
    complete: Mutex<Option<u64>>,
    keepalives: Mutex<Gap>,
    stall: Stall,
}

/// Running sessions.
#[derive(Debug)]
pub struct Speaker {
    peers: Vec<Peer>,
}

pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
}

/// Prints one line of JSON and flushes: a test waits for it.
pub fn emit(event: &Value) {
    let mut out = std::io::stdout().lock();
    // Nobody listening any more is no reason to stop keeping sessions up.
    let _ = writeln!(out, "{event}").and_then(|()| out.flush());
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Speaker {
    /// Brings all sessions up, side by side; every one must come up.
    pub fn establish(plans: Vec<PeerPlan>, options: &Options) -> Result<Speaker> {
        let tries: Vec<_> = plans
            .into_iter()
            .enumerate()
            .map(|(n, plan)| {
                let options = options.clone();
                std::thread::spawn(move || open_peer(n, plan, &options))
            })
            .collect();
        let join = |t: std::thread::JoinHandle<Result<Peer>>| {
            t.join().map_err(|_| Failure::new("a session's thread failed"))?
        };
        let peers = tries.into_iter().map(join).collect::<Result<Vec<_>>>()?;
        emit(&json!({"event": "all-established", "peers": peers.len(), "ms": now_ms()}));
        Ok(Speaker { peers })
    }

    /// Sends every table, all peers at once; returns when the last octet is in the socket.
    pub fn announce(&self) {
        self.send("sent", |plan| &plan.stream);
    }

    pub fn withdraw(&self) {
        self.send("withdrawn", |plan| &plan.withdrawal);
    }

    fn send(&self, event: &str, what: impl Fn(&PeerPlan) -> &Arc<Vec<u8>>) {
        emit(&json!({"event": "sending", "ms": now_ms()}));
        let threads: Vec<_> = self
            .peers
            .iter()
            .map(|peer| {
                let (writer, octets) = (peer.writer.clone(), Arc::clone(what(&peer.plan)));
                std::thread::spawn(move || writer.send(&octets).is_ok())
            })
            .collect();
        let good = threads.into_iter().map(|t| t.join().unwrap_or(false)).filter(|ok| *ok).count();
        let sum = |f: fn(&PeerPlan) -> usize| self.peers.iter().map(|p| f(&p.plan)).sum::<usize>();
        emit(&json!({
            "event": event, "ms": now_ms(), "peers": good,
            "prefixes": sum(|p| p.prefixes), "messages": sum(|p| p.messages),
        }));
    }

    /// Sends octets as they are on one session.
    pub fn send_raw(&self, peer: usize, octets: &[u8]) -> Result<()> {
        self.peers.get(peer).ok_or("no such peer")?.writer.send(octets)
    }

    /// Makes a session stop reading, or read again.
    pub fn stall(&self, peer: usize, stalled: bool) -> Result<()> {
        self.peers.get(peer).ok_or("no such peer")?.heard.stall.set(stalled);
        Ok(())
    }

    /// From now on the longest silences are measured anew.
    pub fn mark(&self) {
        self.peers.iter().for_each(|peer| locked(&peer.heard.keepalives).restart());
    }

    pub fn len(&self) -> usize {
        self.peers.len()
    }

    pub fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }

    /// What each session holds now.
    pub fn state(&self) -> Value {
        let rows = self.peers.iter().map(|peer| {
            let rib = locked(&peer.heard.rib);
            json!({
                "local": peer.plan.local, "as": peer.plan.asn, "up": !peer.writer.is_closed(), "prefixes": rib.total(),
                "counts": rib.counts, "violations": rib.violations, "completeMs": *locked(&peer.heard.complete), "keepaliveGapMs": locked(&peer.heard.keepalives).longest_ms(),
            })
        });
        rows.collect()
    }

    /// Writes what peer `n` holds as sorted text.
    pub fn dump(&self, peer: usize, path: &Path) -> Result<()> {
        let peer = self.peers.get(peer).ok_or("no such peer")?;
        let text = locked(&peer.heard.rib).dump();
        std::fs::write(path, text).map_err(|e| Failure::new(format!("{}: {e}", path.display())))
    }

    pub fn close(&self) {
        self.peers.iter().for_each(|peer| peer.writer.close());
    }
}

fn open_peer(number: usize, plan: PeerPlan, options: &Options) -> Result<Peer> {
    let settings = Settings {
        local: plan.local,
        remote: options.remote,
        port: options.port,
        asn: plan.asn,
        router_id: router_id(plan.local),
        hold: options.hold,
        families: vec![family_of(plan.local)],
        passive: options.passive,
        receive_buffer: options.receive_buffer,
    };
    let session = establish(&settings, options.patience)?;
    emit(&json!({
        "event": "established", "peer": number, "local": plan.local, "as": plan.asn,
        "remoteAs": session.theirs.asn, "ms": now_ms(),
    }));
    let first_as = (session.theirs.asn != plan.asn).then_some(session.theirs.asn);
    let heard = Arc::new(Heard {
        rib: Mutex::new(Rib::new(options.keep_attrs, Expectation { first_as })),
        complete: Mutex::default(),
        keepalives: Mutex::default(),
        stall: Stall::default(),
    });
    let peer = Peer { writer: session.writer(), heard, plan };
    let (heard, stream) = (Arc::clone(&peer.heard), Arc::clone(&peer.plan.stream));
    let expect = options.expect;
    std::thread::spawn(move || listen(number, session, &heard, expect, &stream));
    Ok(peer)
}

/// Identifiers differ as the addresses do, whatever their family.
fn router_id(local: IpAddr) -> Ipv4Addr {
    match local {
        IpAddr::V4(a) => a,
        IpAddr::V6(a) => Ipv4Addr::from((u128::from(a) as u32 & 0x00ff_ffff) | 0xf000_0000 >> 1),
    }
}

/// Reads a session to its end.
fn listen(number: usize, mut session: Session, heard: &Heard, expect: Option<usize>, stream: &Arc<Vec<u8>>) {
    let writer = session.writer();
    let mut buffer = Vec::new();
    let reason = loop {
        heard.stall.wait();
        match session.read_into(&mut buffer) {
            Ok((wire::UPDATE, body)) => {
                let mut rib = locked(&heard.rib);
                if let Err(malformed) = rib.update(body, now_ms()) {
                    break format!("malformed UPDATE: {}: {}", malformed.0, hex(body));
                }
                if expect.is_some_and(|n| rib.total() >= n) && locked(&heard.complete).is_none() {
                    let ms = now_ms();
                    *locked(&heard.complete) = Some(ms);
                    emit(&json!({"event": "complete", "peer": number, "ms": ms, "counts": rib.counts}));
                }
            }
            Ok((wire::KEEPALIVE, _)) => locked(&heard.keepalives).seen(),
            Ok((wire::NOTIFICATION, body)) => break format!("NOTIFICATION {}", hex(body)),
            Ok((ROUTE_REFRESH, _)) => {
                emit(&json!({"event": "refresh", "peer": number, "ms": now_ms()}));
                let (writer, stream) = (writer.clone(), Arc::clone(stream));
                std::thread::spawn(move || writer.send(&stream));
            }
            Ok(_) => {}
            Err(error) => break error.to_string(),
        }
    };
    if !writer.is_closed() {
        emit(&json!({"event": "down", "peer": number, "reason": reason, "ms": now_ms()}));
    }
    writer.close();
}
