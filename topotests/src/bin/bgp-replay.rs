//! Speaks BGP as any number of peers: replays dumps and update files, generates tables, counts what it hears.
//!
//! Peer `n` speaks from the address `n` after `--from`. Events are JSON lines on standard output. Commands on standard
//! input, one a line: `announce`, `withdraw`, `state`, `dump PEER FILE`, `send PEER HEX`, `stall PEER`, `resume PEER`, `mark`, `stop`. The end of the input
//! or SIGTERM ends all sessions with Cease.

use std::io::BufRead as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use nix::sys::signal::{SigSet, Signal};
use serde_json::json;
use topotests::bgp::session::{self, Settings, connect, hex, read_message, unhex};
use topotests::bgp::speaker::{Options, Source, Speaker, emit, now_ms, plan};
use topotests::bgp::table::family_of;
use topotests::bgp::wire;
use topotests::{Failure, Result};

#[derive(Debug, Parser)]
#[command(name = "bgp-replay", version, about = "BGP peers for tests and benchmarks")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Announce a table: a dump (one session per feed), an update file, or generated.
    Replay(Replay),
    /// Announce nothing; count, judge and dump what is heard.
    Sink {
        #[command(flatten)]
        session: SessionArgs,
        /// Number of sessions
        #[arg(long, default_value_t = 1)]
        peers: usize,
    },
    /// One session; octets given in hexadecimal on standard input are sent as they are, what comes back is printed.
    Raw {
        #[command(flatten)]
        session: SessionArgs,
        /// Send no OPEN: the input begins with it
        #[arg(long)]
        no_open: bool,
        /// After the end of the input, end when nothing came for this long
        #[arg(long, default_value_t = 3000, value_name = "MS")]
        idle: u64,
    },
}

#[derive(Debug, Args)]
struct SessionArgs {
    /// Address of the router
    #[arg(long)]
    target: IpAddr,
    /// Own address of the first session
    #[arg(long)]
    from: IpAddr,
    /// AS of the first session, the next has the next number; feeds of a dump have their own
    #[arg(long = "as", default_value_t = 64512)]
    asn: u32,
    #[arg(long, default_value_t = 179)]
    port: u16,
    /// Hold time in seconds
    #[arg(long, default_value_t = 180)]
    hold: u16,
    /// Wait for the router to connect
    #[arg(long)]
    passive: bool,
    /// Keep the attributes of what is heard, for `dump`
    #[arg(long)]
    keep_attributes: bool,
    /// Say `complete` when a session holds so many prefixes
    #[arg(long, value_name = "PREFIXES")]
    expect: Option<usize>,
    /// Octets of each session's receive buffer
    #[arg(long, value_name = "OCTETS")]
    receive_buffer: Option<usize>,
    /// Seconds a session may take to come up
    #[arg(long, default_value_t = 60)]
    patience: u64,
}

#[derive(Debug, Args)]
struct Replay {
    #[command(flatten)]
    session: SessionArgs,
    /// TABLE_DUMP_V2 file, plain, gzip or bzip2
    #[arg(long, value_name = "FILE", conflicts_with_all = ["updates", "generate"])]
    mrt: Option<PathBuf>,
    /// BGP4MP file
    #[arg(long, value_name = "FILE", conflicts_with = "generate")]
    updates: Option<PathBuf>,
    /// Generate so many prefixes for each peer
    #[arg(long, value_name = "PREFIXES")]
    generate: Option<usize>,
    /// Take at most so many feeds of a file
    #[arg(long, default_value_t = usize::MAX)]
    feeds: usize,
    /// Sessions of a generated table
    #[arg(long, default_value_t = 1)]
    peers: usize,
    /// All peers announce the same prefixes, each on paths of its own
    #[arg(long)]
    same: bool,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Announce only when told so on standard input
    #[arg(long)]
    wait: bool,
}

fn main() -> ExitCode {
    let mut term = SigSet::empty();
    term.add(Signal::SIGTERM);
    // Blocked before any thread exists, so that only the one that waits for it gets it.
    let _ = term.thread_block();
    match Cli::parse().command.run(term) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            emit(&json!({"event": "failed", "reason": failure.to_string(), "ms": now_ms()}));
            eprintln!("bgp-replay: {failure}");
            ExitCode::FAILURE
        }
    }
}

impl Command {
    fn run(self, term: SigSet) -> Result<()> {
        match self {
            Command::Replay(replay) => {
                let source = replay.source()?;
                speak(&replay.session, &source, !replay.wait, term)
            }
            Command::Sink { session, peers } => speak(&session, &Source::Nothing { peers }, false, term),
            Command::Raw { session, no_open, idle } => raw(&session, no_open, Duration::from_millis(idle)),
        }
    }
}

impl Replay {
    fn source(&self) -> Result<Source> {
        match (&self.mrt, &self.updates, self.generate) {
            (Some(file), _, _) => Ok(Source::Dump { file: file.clone(), feeds: self.feeds }),
            (_, Some(file), _) => Ok(Source::Updates { file: file.clone(), feeds: self.feeds }),
            (_, _, Some(each)) => {
                Ok(Source::Generated { peers: self.peers, each, seed: self.seed, same: self.same })
            }
            _ => Err(Failure::new("one of --mrt, --updates, --generate is needed")),
        }
    }
}

fn speak(args: &SessionArgs, source: &Source, announce: bool, term: SigSet) -> Result<()> {
    let (plans, origin) = plan(source, args.from, args.asn)?;
    let prefixes: usize = plans.iter().map(|p| p.prefixes).sum();
    emit(&json!({"event": "table", "peers": plans.len(), "prefixes": prefixes, "origin": origin}));
    let options = Options {
        remote: args.target,
        port: args.port,
        hold: args.hold,
        passive: args.passive,
        keep_attrs: args.keep_attributes,
        expect: args.expect,
        patience: Duration::from_secs(args.patience),
        receive_buffer: args.receive_buffer,
    };
    let speaker = std::sync::Arc::new(Speaker::establish(plans, &options)?);
    let on_term = std::sync::Arc::clone(&speaker);
    std::thread::spawn(move || {
        if term.wait().is_ok() {
            finish(&on_term);
        }
    });
    progress(&speaker);
    if announce {
        speaker.announce();
    }
    for line in std::io::stdin().lock().lines() {
        if !obey(&speaker, &line?)? {
            break;
        }
    }
    finish(&speaker)
}

fn finish(speaker: &Speaker) -> ! {
    emit(&json!({"event": "state", "sessions": speaker.state(), "ms": now_ms()}));
    speaker.close();
    std::process::exit(0)
}

/// More sessions than these tell their state only when asked.
const CHATTY: usize = 64;

/// Tells of changes, at most five times a second.
fn progress(speaker: &std::sync::Arc<Speaker>) {
    if speaker.len() > CHATTY {
        return;
    }
    let speaker = std::sync::Arc::clone(speaker);
    std::thread::spawn(move || {
        let mut last = speaker.state();
        loop {
            std::thread::sleep(Duration::from_millis(200));
            let now = speaker.state();
            if now != last {
                emit(&json!({"event": "progress", "sessions": now, "ms": now_ms()}));
                last = now;
            }
        }
    });
}

/// Does what one line asks for; `false` ends everything.
fn obey(speaker: &Speaker, line: &str) -> Result<bool> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        [] => {}
        ["announce"] => speaker.announce(),
        ["withdraw"] => speaker.withdraw(),
        ["state"] => emit(&json!({"event": "state", "sessions": speaker.state(), "ms": now_ms()})),
        ["dump", peer, file] => {
            let peer = peer.parse().map_err(|_| Failure::new("dump: which peer?"))?;
            speaker.dump(peer, std::path::Path::new(file))?;
            emit(&json!({"event": "dumped", "peer": peer, "file": file, "ms": now_ms()}));
        }
        ["send", peer, octets @ ..] => {
            let peer = peer.parse().map_err(|_| Failure::new("send: which peer?"))?;
            speaker.send_raw(peer, &unhex(&octets.concat())?)?;
        }
        [word @ ("stall" | "resume"), peer] => {
            let peer = peer.parse().map_err(|_| Failure::new("which peer?"))?;
            speaker.stall(peer, *word == "stall")?;
        }
        ["mark"] => speaker.mark(),
        ["stop"] => return Ok(false),
        _ => return Err(Failure::new(format!("unknown command: {line}"))),
    }
    Ok(true)
}

/// Brings a session up (or only a connection), then passes octets on as they are.
fn raw(args: &SessionArgs, no_open: bool, idle: Duration) -> Result<()> {
    let router_id = match args.from {
        IpAddr::V4(a) => a,
        IpAddr::V6(_) => Ipv4Addr::new(127, 1, 1, 1),
    };
    let settings = Settings {
        local: args.from,
        remote: args.target,
        port: args.port,
        asn: args.asn,
        router_id,
        hold: args.hold,
        families: vec![family_of(args.from)],
        passive: args.passive,
        receive_buffer: args.receive_buffer,
    };
    if no_open {
        let mut stream = connect(&settings)?;
        emit(&json!({"event": "connected", "ms": now_ms()}));
        let reader = stream.try_clone()?;
        let listener = std::thread::spawn(move || hear(std::io::BufReader::new(reader)));
        for line in std::io::stdin().lock().lines() {
            // The other side may have closed already, which the listener tells.
            let _ = std::io::Write::write_all(&mut stream, &unhex(&line?)?);
        }
        stream.set_read_timeout(Some(idle))?;
        return listener.join().map_err(|_| Failure::new("listener failed"));
    }
    let mut session = session::establish(&settings, Duration::from_secs(args.patience))?;
    emit(&json!({"event": "established", "remoteAs": session.theirs.asn, "ms": now_ms()}));
    let writer = session.writer();
    let listener = std::thread::spawn(move || {
        loop {
            match session.read() {
                Ok((kind, body)) => received(kind, &body),
                Err(error) => return closed(&error),
            }
        }
    });
    for line in std::io::stdin().lock().lines() {
        let _ = writer.send(&unhex(&line?)?);
    }
    let start = std::time::Instant::now();
    while !listener.is_finished() && start.elapsed() < idle {
        std::thread::sleep(Duration::from_millis(50));
    }
    if !listener.is_finished() {
        emit(&json!({"event": "still-up", "ms": now_ms()}));
    }
    writer.close();
    Ok(())
}

fn hear(mut reader: impl std::io::Read) {
    loop {
        match read_message(&mut reader) {
            Ok((kind, body)) => received(kind, &body),
            Err(error) => return closed(&error),
        }
    }
}

fn received(kind: u8, body: &[u8]) {
    if kind != wire::KEEPALIVE {
        emit(&json!({"event": "received", "type": kind, "hex": hex(body), "ms": now_ms()}));
    }
}

fn closed(error: &Failure) {
    emit(&json!({"event": "closed", "reason": error.to_string(), "ms": now_ms()}));
}
