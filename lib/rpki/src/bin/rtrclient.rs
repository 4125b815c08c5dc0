//! `rtrclient`: asks a cache over RTR and prints what it says, follows its changes, or validates routes by it.

use std::io::{BufRead, Write as _};
use std::net::IpAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, Parser, Subcommand, ValueEnum};
use ferrite_rpki::client::{Link, LinkEvent};
use ferrite_rpki::rtr::{Action, Cache, CacheConfig, Event, MAX_VERSION};
use ferrite_rpki::transport::{Kind, Transport};
use ferrite_rpki::{Slurm, Tables};
use ferrite_types::{Asn, Prefix, Timestamp};
use serde_json::json;
use tokio::sync::mpsc;

/// Ask an RPKI cache over the RPKI-to-Router protocol
#[derive(Parser, Debug)]
#[command(name = "rtrclient", version)]
struct Options {
    #[command(subcommand)]
    command: Ask,
}

#[derive(Subcommand, Debug)]
enum Ask {
    /// Print what the cache says, once
    Dump(Common),
    /// Print what the cache says, then every change, until interrupted
    Follow(Common),
    /// Validate routes by what the cache says; without any, they are read from standard input, one a line
    Validate {
        #[command(flatten)]
        common: Common,
        /// PREFIX,AS
        #[arg(long = "route", value_name = "PREFIX,AS")]
        routes: Vec<String>,
    },
}

#[derive(Args, Debug)]
struct Common {
    /// Name or address of the cache
    host: String,
    /// Port (RTR over TCP: 323; over SSH: 22)
    port: u16,
    #[arg(short, long, value_enum, default_value_t = Protocol::Tcp)]
    protocol: Protocol,
    /// Our address
    #[arg(long, value_name = "ADDRESS")]
    source: Option<IpAddr>,
    /// Key of TCP MD5 signatures, read from a file
    #[arg(long, value_name = "FILE")]
    md5_key_file: Option<std::path::PathBuf>,
    /// User name for SSH
    #[arg(long, default_value = "rpki")]
    user: String,
    /// Private key for SSH
    #[arg(long, value_name = "FILE", required_if_eq("protocol", "ssh"))]
    key: Option<String>,
    /// Known hosts for SSH
    #[arg(long, value_name = "FILE")]
    known_hosts: Option<String>,
    /// Newest protocol version to ask in
    #[arg(long, default_value_t = MAX_VERSION, value_parser = clap::value_parser!(u8).range(0..=2))]
    rtr_version: u8,
    /// Local exceptions (RFC 8416)
    #[arg(long, value_name = "FILE")]
    slurm: Option<std::path::PathBuf>,
    /// Give up where the cache has not told its data after so many seconds
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    timeout: u64,
    /// JSON, one value a line
    #[arg(long)]
    json: bool,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Protocol {
    Tcp,
    Ssh,
}

type Error = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = runtime.map_err(Error::from).and_then(|runtime| runtime.block_on(run(options.command)));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rtrclient: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(ask: Ask) -> Result<(), Error> {
    match ask {
        Ask::Dump(common) => {
            let mut client = Client::new(&common)?;
            let tables = client.next().await?;
            print(&Tables::default(), &tables, common.json)
        }
        Ask::Follow(common) => {
            let mut client = Client::new(&common)?;
            let mut old = Tables::default();
            loop {
                let new = client.next().await?;
                print(&old, &new, common.json)?;
                old = new;
            }
        }
        Ask::Validate { common, routes } => {
            let mut client = Client::new(&common)?;
            let tables = client.next().await?;
            if routes.is_empty() {
                for line in std::io::stdin().lock().lines() {
                    validate(&tables, &line?, common.json)?;
                }
            }
            routes.iter().try_for_each(|route| validate(&tables, route, common.json))
        }
    }
}

/// One cache and its connection.
struct Client {
    transport: Transport,
    cache: Cache,
    slurm: Option<Slurm>,
    link: Option<Link>,
    attempt: u64,
    sender: mpsc::Sender<(u64, LinkEvent)>,
    events: mpsc::Receiver<(u64, LinkEvent)>,
    start: Instant,
    deadline: Option<Instant>,
}

impl Client {
    fn new(common: &Common) -> Result<Self, Error> {
        let read = |file: &std::path::PathBuf| {
            std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))
        };
        let kind = match common.protocol {
            Protocol::Tcp => {
                let password = common.md5_key_file.as_ref().map(read).transpose()?;
                Kind::Tcp { password: password.map(|text| text.trim_end().to_owned()) }
            }
            Protocol::Ssh => Kind::Ssh {
                user: common.user.clone(),
                key: common.key.clone().ok_or("ssh needs --key")?,
                known_hosts: common.known_hosts.clone(),
            },
        };
        let slurm = common.slurm.as_ref().map(read).transpose()?.map(|text| text.parse()).transpose()?;
        let transport =
            Transport { host: common.host.clone(), port: common.port, source: common.source, kind };
        let mut cache = Cache::new(CacheConfig { version: common.rtr_version, ..CacheConfig::default() });
        cache.start(Timestamp::ZERO);
        let (sender, events) = mpsc::channel(16);
        let start = Instant::now();
        let deadline = Some(start + Duration::from_secs(common.timeout));
        Ok(Self { transport, cache, slurm, link: None, attempt: 0, sender, events, start, deadline })
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_micros(u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// What the cache says, when it next says something else than before.
    async fn next(&mut self) -> Result<Tables, Error> {
        loop {
            let mut actions = Vec::new();
            self.cache.tick(self.now(), &mut actions);
            if self.perform(actions)? {
                break;
            }
            let due = self.cache.next_deadline().map_or(Duration::MAX, |at| at.since(self.now()));
            let left = self.deadline.map_or(Duration::MAX, |at| at.saturating_duration_since(Instant::now()));
            tokio::select! {
                event = self.events.recv() => {
                    let Some((attempt, event)) = event else { return Err("no connection".into()) };
                    if attempt == self.attempt && self.happened(&event)? {
                        break;
                    }
                }
                () = tokio::time::sleep(due.min(left)) => {
                    if left.is_zero() {
                        let why = self.cache.stats().last_error.clone().unwrap_or_default();
                        return Err(format!("{} has not told its data in time {why}", self.transport).into());
                    }
                }
            }
        }
        self.deadline = None;
        let tables = self.cache.data().clone();
        Ok(self.slurm.as_ref().map_or_else(|| tables.clone(), |slurm| slurm.apply(tables.clone())))
    }

    fn happened(&mut self, event: &LinkEvent) -> Result<bool, Error> {
        let event = match event {
            LinkEvent::Connected => Event::Connected,
            LinkEvent::ConnectFailed(error) => Event::ConnectFailed(error),
            LinkEvent::Received(octets) => Event::Received(octets),
            LinkEvent::Closed(error) => Event::Closed(error),
        };
        let mut actions = Vec::new();
        self.cache.handle(self.now(), event, &mut actions);
        self.perform(actions)
    }

    /// True where the cache has told something new.
    fn perform(&mut self, actions: Vec<Action>) -> Result<bool, Error> {
        let mut updated = false;
        for action in actions {
            match action {
                Action::Connect => {
                    self.attempt += 1;
                    let attempt = self.attempt;
                    let event = move |event| (attempt, event);
                    self.link = Some(Link::open(self.transport.clone(), None, self.sender.clone(), event));
                }
                Action::Send(octets) => {
                    if let Some(link) = &self.link {
                        link.send(octets);
                    }
                }
                Action::Close => self.link = None,
                Action::Updated => updated = true,
                Action::Failed(error) => eprintln!("rtrclient: {}: {error}", self.transport),
            }
        }
        Ok(updated)
    }
}

/// Prints what was added and what was taken away.
fn print(old: &Tables, new: &Tables, as_json: bool) -> Result<(), Error> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut line = |sign: char, text: String, value: serde_json::Value| {
        if as_json {
            let mut value = value;
            value["action"] = json!(if sign == '+' { "announce" } else { "withdraw" });
            writeln!(out, "{value}")
        } else {
            writeln!(out, "{sign} {text}")
        }
    };
    for (sign, a, b) in [('-', new, old), ('+', old, new)] {
        let delta = a.delta(b);
        for vrp in b.vrps.iter().filter(|vrp| delta.covers(vrp.prefix)) {
            let known = a.vrps.covering(vrp.prefix).contains(&vrp);
            if !known {
                let value =
                    json!({"type": "vrp", "prefix": vrp.prefix, "maxLength": vrp.max_length, "asn": vrp.asn});
                line(sign, vrp.to_string(), value)?;
            }
        }
        for (customer, providers) in b.aspas.iter().filter(|(customer, _)| delta.concerns(*customer)) {
            let names: Vec<String> = providers.iter().map(|asn| format!("AS{asn}")).collect();
            let value = json!({"type": "aspa", "customer": customer, "providers": providers});
            line(sign, format!("AS{customer} => {}", names.join(" ")), value)?;
        }
        for key in b.keys.iter().filter(|key| !a.keys.iter().any(|other| other == *key)) {
            let ski: String = key.ski.iter().map(|octet| format!("{octet:02X}")).collect();
            line(
                sign,
                format!("AS{} key {ski}", key.asn),
                json!({"type": "routerKey", "asn": key.asn, "ski": ski}),
            )?;
        }
    }
    out.flush()?;
    Ok(())
}

fn validate(tables: &Tables, route: &str, as_json: bool) -> Result<(), Error> {
    let wrong = || format!("{route} is not PREFIX,AS");
    let (prefix, asn) = route.trim().split_once([',', ' ']).ok_or_else(wrong)?;
    let prefix: Prefix = prefix.trim().parse().map_err(|_| wrong())?;
    let asn: Asn = asn.trim().trim_start_matches("AS").parse().map_err(|_| wrong())?;
    let state = tables.vrps.validate(prefix, Some(asn));
    if as_json {
        let covering: Vec<_> = tables.vrps.covering(prefix);
        println!("{}", json!({"prefix": prefix, "asn": asn, "state": state, "vrps": covering}));
    } else {
        println!("{prefix},{asn} {state}");
    }
    Ok(())
}
