//! Measures ours, FRR and BIRD in one run on the same tables and prints figures and ratios.
//!
//! One router stands between senders and a receiver, both `bgp-replay`. All three routers have the same setup: no
//! policy, no logs beyond warnings; bgpd alone (`-Z`, no zebra) where no kernel takes part, zebra beside it where one
//! does. CPU is of all daemons of the router, from start to rest; memory is the sum of their peaks. Senders and
//! receiver share the machine's cores with the router, the same for all. FRR alone is tuned: its input queue is made
//! unlimited, else a whole table takes it a keepalive interval more.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use serde_json::{Value, json};
use topotests::daemon::{frr, ours};
use topotests::measure::Cost;
use topotests::{Failure, Kind, Needs, Net, Result, Router, ensure, output_dir, wait_until};

mod configuration;
mod fib;
mod liveness;
mod ospf;
mod server;

#[derive(Debug, Parser)]
#[command(name = "ferrite-bench", version, about = "Ours, FRR and BIRD on the same tables, in one run")]
struct Cli {
    /// What to measure; everything when nothing is named
    names: Vec<Scenario>,
    /// Scale: prefixes of a whole table (the kernel gets half of them)
    #[arg(long, default_value_t = 1_000_000)]
    prefixes: usize,
    /// Whom to measure
    #[arg(long, value_delimiter = ',', default_value = "ours,frr,bird,raw")]
    only: Vec<Who>,
    /// How often each is measured; the best time counts
    #[arg(long, default_value_t = 1)]
    repeat: usize,
    /// Writes the figures as JSON too
    #[arg(long, value_name = "FILE")]
    json: Option<std::path::PathBuf>,
    /// Seconds one measurement may take
    #[arg(long, default_value_t = 600)]
    patience: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Scenario {
    /// A whole table from one peer through the router to another
    OnePeer,
    /// A tenth of the table from each of ten peers
    TenPeers,
    /// The same tenth of the table from ten peers, each on paths of its own
    TenPeersSame,
    /// Half of the table from one peer into the kernel
    Kernel,
    /// A twentieth of the table among 200 clients of a route server, each with policies of its own
    RouteServer,
    /// How late a keepalive comes while a table is loaded
    Keepalives,
    /// A whole table from a client of zebra into the kernel
    Fib,
    /// A next hop fails under half of the table
    NexthopFailure,
    /// Ten thousand static routes through the shell into the kernel
    Statics,
    /// 400,000 lines of configuration through the shell
    Lines,
    /// An OSPF adjacency with 10,000 external LSAs, until their routes are in the kernel
    Ospf,
    /// 200 OSPF adjacencies while nothing happens
    OspfIdle,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Who {
    Ours,
    Frr,
    Bird,
    /// No suite: one writer of netlink messages
    Raw,
}

/// One measurement.
#[derive(Clone, Copy, Debug)]
struct Figures {
    time: Duration,
    cost: Cost,
}

const ALL: [Scenario; 12] = [
    Scenario::OnePeer,
    Scenario::TenPeers,
    Scenario::TenPeersSame,
    Scenario::Kernel,
    Scenario::RouteServer,
    Scenario::Keepalives,
    Scenario::Fib,
    Scenario::NexthopFailure,
    Scenario::Statics,
    Scenario::Lines,
    Scenario::Ospf,
    Scenario::OspfIdle,
];

impl Scenario {
    /// Whether that one can do it at all: BIRD has no client that feeds it, a writer has no sessions.
    fn suits(self, who: Who) -> bool {
        match self {
            Scenario::Fib => who != Who::Bird,
            Scenario::NexthopFailure | Scenario::Statics | Scenario::Lines => {
                matches!(who, Who::Ours | Who::Frr)
            }
            _ => who != Who::Raw,
        }
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match bench(&cli) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn bench(cli: &Cli) -> Result<bool> {
    Needs { ours: cli.only.contains(&Who::Ours), peers: true, ..Needs::default() }.unmet()?;
    let scenarios = if cli.names.is_empty() { ALL.to_vec() } else { cli.names.clone() };
    let mut all: BTreeMap<(Scenario, Who), Figures> = BTreeMap::new();
    let mut good = true;
    println!("{}", machine());
    for scenario in scenarios {
        println!("\n{}", title(scenario, cli.prefixes));
        if scenario == Scenario::Keepalives {
            good &= keepalives(cli);
            continue;
        }
        for round in 0..cli.repeat {
            for who in cli.only.iter().filter(|who| scenario.suits(**who)) {
                match measure(cli, scenario, *who, round == 0 && cli.only.first() == Some(who)) {
                    Ok(figures) => keep_best(&mut all, (scenario, *who), figures),
                    Err(failure) => {
                        good = false;
                        println!("  {:<5} failed: {failure}", name(*who));
                    }
                }
            }
        }
        print!("{}", table(&all, scenario));
    }
    if let Some(path) = &cli.json {
        std::fs::write(path, format!("{:#}\n", as_json(&all)))?;
    }
    Ok(good)
}

/// Prints how late keepalives came; whether all could be measured.
fn keepalives(cli: &Cli) -> bool {
    let mut good = true;
    for who in cli.only.iter().filter(|who| Scenario::Keepalives.suits(**who)) {
        match liveness::measure(cli, *who) {
            Ok(late) => println!("  {:<5} {late:>6} ms late at most", name(*who)),
            Err(failure) => {
                good = false;
                println!("  {:<5} failed: {failure}", name(*who));
            }
        }
    }
    good
}

fn keep_best(all: &mut BTreeMap<(Scenario, Who), Figures>, key: (Scenario, Who), figures: Figures) {
    let better = all.get(&key).is_none_or(|old| figures.time < old.time);
    if better {
        all.insert(key, figures);
    }
}

fn name(who: Who) -> &'static str {
    match who {
        Who::Ours => "ours",
        Who::Frr => "FRR",
        Who::Bird => "BIRD",
        Who::Raw => "raw",
    }
}

fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|l| l.strip_prefix("model name"))
        .map_or("", |l| l.trim_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} cores, {model}; no policy, warnings logged only, no zebra except into a kernel")
}

fn title(scenario: Scenario, prefixes: usize) -> String {
    let (part, half) = (prefixes / 10, prefixes / 2);
    match scenario {
        Scenario::OnePeer => {
            format!("one-peer: {prefixes} prefixes from one peer through the router to another")
        }
        Scenario::TenPeers => format!("ten-peers: {part} prefixes from each of ten peers to another"),
        Scenario::TenPeersSame => {
            format!("ten-peers-same: the same {part} prefixes from ten peers to another")
        }
        Scenario::Kernel => format!("kernel: {half} prefixes from one peer into the kernel"),
        Scenario::RouteServer => server::title(prefixes),
        Scenario::Keepalives => liveness::title(prefixes),
        Scenario::Fib => fib::title(prefixes),
        Scenario::NexthopFailure => fib::failure_title(prefixes),
        Scenario::Statics | Scenario::Lines => configuration::title(scenario, prefixes),
        Scenario::Ospf => ospf::title(),
        Scenario::OspfIdle => ospf::idle_title(),
    }
}

fn table(all: &BTreeMap<(Scenario, Who), Figures>, scenario: Scenario) -> String {
    let frr = all.get(&(scenario, Who::Frr));
    let mut text = format!(
        "  {:<5} {:>9} {:>9} {:>9}   {}\n",
        "", "time s", "CPU s", "peak MiB", "against FRR: time, CPU, memory"
    );
    for ((_, who), figures) in all.iter().filter(|((s, _), _)| *s == scenario) {
        let mib = |cost: &Cost| cost.peak as f64 / 1_048_576.0;
        let (time, cpu, peak) =
            (figures.time.as_secs_f64(), figures.cost.cpu.as_secs_f64(), mib(&figures.cost));
        let _ = write!(text, "  {:<5} {time:>9.2} {cpu:>9.2} {peak:>9.0}", name(*who));
        if let Some(frr) = frr {
            let ratio = |a: f64, b: f64| if b > 0.0 { format!("{:.2}", a / b) } else { "-".to_owned() };
            let ratios = [
                ratio(time, frr.time.as_secs_f64()),
                ratio(cpu, frr.cost.cpu.as_secs_f64()),
                ratio(peak, mib(&frr.cost)),
            ];
            let _ = write!(text, "   {}", ratios.join("  "));
        }
        text.push('\n');
    }
    text
}

fn as_json(all: &BTreeMap<(Scenario, Who), Figures>) -> Value {
    let row = |((scenario, who), figures): (&(Scenario, Who), &Figures)| {
        json!({
            "scenario": format!("{scenario:?}"), "who": name(*who), "seconds": figures.time.as_secs_f64(),
            "cpuSeconds": figures.cost.cpu.as_secs_f64(), "peakBytes": figures.cost.peak,
        })
    };
    all.iter().map(row).collect()
}

/// How a scenario is laid out.
struct Plan {
    peers: usize,
    each: usize,
    same: bool,
    /// Prefixes the receiver has in the end; none where the kernel is the receiver.
    expect: Option<usize>,
}

fn plan(scenario: Scenario, prefixes: usize) -> Plan {
    match scenario {
        Scenario::OnePeer => Plan { peers: 1, each: prefixes, same: false, expect: Some(prefixes) },
        Scenario::TenPeers => {
            Plan { peers: 10, each: prefixes / 10, same: false, expect: Some(prefixes / 10 * 10) }
        }
        Scenario::TenPeersSame => {
            Plan { peers: 10, each: prefixes / 10, same: true, expect: Some(prefixes / 10) }
        }
        _ => Plan { peers: 1, each: prefixes / 2, same: false, expect: None },
    }
}

fn kind(who: Who) -> Kind {
    match who {
        Who::Ours => Kind::Ours,
        Who::Frr => Kind::Frr,
        Who::Bird => Kind::Bird,
        Who::Raw => Kind::Host,
    }
}

fn network(scenario: &str, who: Who) -> Result<Net> {
    let mut net = Net::new(&output_dir().join(format!("bench.{scenario}.{who:?}")))?;
    net.without_capture();
    Ok(net)
}

fn measure(cli: &Cli, scenario: Scenario, who: Who, tell_origin: bool) -> Result<Figures> {
    match scenario {
        Scenario::RouteServer => return server::measure(cli, who, tell_origin),
        Scenario::Fib => return fib::measure(cli, who),
        Scenario::NexthopFailure => return fib::measure_failure(cli, who),
        Scenario::Statics | Scenario::Lines => return configuration::measure(cli, scenario, who),
        Scenario::Ospf => return ospf::measure(cli, who),
        Scenario::OspfIdle => return ospf::measure_idle(cli, who),
        _ => {}
    }
    let plan = plan(scenario, cli.prefixes);
    let patience = Duration::from_secs(cli.patience);
    let mut net = network(&format!("{scenario:?}"), who)?;
    let sender = net.router("sender", Kind::Host)?;
    let router = net.router("router", kind(who))?;
    let receiver = net.router("receiver", Kind::Host)?;
    let addrs: Vec<String> = (10..10 + plan.peers).map(|n| format!("10.0.1.{n}/24")).collect();
    net.link(&sender, &addrs.join(" "), &router, "10.0.1.1/24")?;
    net.link(&receiver, "10.0.2.2/24", &router, "10.0.2.1/24")?;
    start(&router, who, &plan)?;

    let mut args = format!(
        "replay --wait --target 10.0.1.1 --from 10.0.1.10 --as 65100 --peers {} --generate {} --patience {}",
        plan.peers, plan.each, cli.patience
    );
    if plan.same {
        args.push_str(" --same");
    }
    let mut replay = sender.bgp_replay(&args)?;
    let origin = replay.wait_event("table", patience)?;
    if tell_origin {
        println!("  table: {}", origin.get("origin").cloned().unwrap_or_default());
    }
    replay.wait_event("all-established", patience)?;
    let mut sink = match plan.expect {
        Some(expect) => {
            let sink = receiver
                .bgp_replay(&format!("sink --target 10.0.2.1 --from 10.0.2.2 --as 65200 --expect {expect}"));
            let mut sink = sink?;
            sink.wait_event("all-established", patience)?;
            Some(sink)
        }
        None => None,
    };
    let before = router.kernel_size()?;
    replay.tell("announce")?;
    let started = millis(&replay.wait_event("sending", patience)?);
    let ended = match &mut sink {
        Some(sink) => millis(&sink.wait_event("complete", patience)?),
        None => kernel_holds(&router, before + plan.each, patience)?,
    };
    let cost = router.cost_at_rest(patience)?;
    // Of the same prefixes from many, better paths may still come when all prefixes are there.
    let ended = match (&mut sink, plan.same) {
        (Some(sink), true) => {
            let state = sink.state()?;
            state.first().and_then(|s| s.pointer("/counts/last_ms")).and_then(Value::as_u64).unwrap_or(ended)
        }
        _ => ended,
    };
    if let Some(sink) = &mut sink {
        for session in sink.state()? {
            let clean =
                session.get("violations").and_then(Value::as_object).is_some_and(serde_json::Map::is_empty);
            ensure!(clean, "{}: what it sent on is wrong: {session}", name(who));
        }
    }
    Ok(Figures { time: Duration::from_millis(ended.saturating_sub(started)), cost })
}

fn millis(event: &Value) -> u64 {
    event.get("ms").and_then(Value::as_u64).unwrap_or(0)
}

/// Polls the kernel's own count; the answer is good to a tenth of a second.
fn kernel_holds(router: &Router, wanted: usize, patience: Duration) -> Result<u64> {
    let start = Instant::now();
    let ended = wait_until(patience, "the kernel has all routes", || {
        let count = router.kernel_size()?;
        ensure!(count >= wanted, "{count} of {wanted}");
        Ok(topotests::bgp::speaker::now_ms())
    });
    ended.map_err(|e| Failure::new(format!("{e} ({:.0} s)", start.elapsed().as_secs_f32())))
}

fn start(router: &Router, who: Who, plan: &Plan) -> Result<()> {
    let into_kernel = plan.expect.is_none();
    match who {
        Who::Bird => router.start(&bird(plan, into_kernel)),
        Who::Frr if into_kernel => {
            frr::start_daemons(router, &frr_tuned(plan), &["mgmtd", "zebra", "bgpd"], &[])
        }
        Who::Frr => frr::start_daemons(router, &frr_tuned(plan), &["bgpd"], &["-Z"]),
        Who::Ours if into_kernel => {
            ours::start_daemons(router, &frr_conf(plan), &[("zebra", &[]), ("bgpd", &[])], "warnings")
        }
        Who::Ours => ours::start_daemons(router, &frr_conf(plan), &[("bgpd", &["-Z"])], "warnings"),
        Who::Raw => Ok(()),
    }
}

/// With its default, FRR 10.3 stops reading a peer after 10,000 queued messages until the peer's next keepalive.
fn frr_tuned(plan: &Plan) -> String {
    format!("bgp input-queue-limit 4294967295\n{}", frr_conf(plan))
}

fn frr_conf(plan: &Plan) -> String {
    let mut text =
        String::from("log file /run/t/log/all.log warnings\nrouter bgp 65000\n bgp router-id 10.0.1.1\n");
    text.push_str(" no bgp ebgp-requires-policy\n");
    for n in 0..plan.peers {
        let _ = writeln!(text, " neighbor 10.0.1.{} remote-as {}", 10 + n, 65100 + n);
    }
    text.push_str(" neighbor 10.0.2.2 remote-as 65200\n");
    text
}

fn bird(plan: &Plan, into_kernel: bool) -> String {
    let mut text = String::from("router id 10.0.1.1;\nprotocol device {}\n");
    if into_kernel {
        text.push_str("protocol kernel { ipv4 { export all; }; }\n");
    }
    let mut peer = |name: String, local: &str, addr: String, asn: usize| {
        let _ = writeln!(
            text,
            "protocol bgp {name} {{ local {local} as 65000; neighbor {addr} as {asn}; ipv4 {{ import all; export all; }}; }}"
        );
    };
    for n in 0..plan.peers {
        peer(format!("sender{n}"), "10.0.1.1", format!("10.0.1.{}", 10 + n), 65100 + n);
    }
    peer("receiver".to_owned(), "10.0.2.1", "10.0.2.2".to_owned(), 65200);
    text
}
