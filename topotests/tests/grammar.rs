//! FRR's own lists of commands against our daemons: each command is understood or refused by name, none is unknown.
//!
//! A running FRR lists the grammar of each node. Every alternative of every command is typed to our daemon in the same
//! place; a test of this kind needs no list of its own that would age.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use topotests::daemon::{frr, ours};
use topotests::sandbox::{output, text};
use topotests::text_vty::{TextVty, open_run_directory};
use topotests::{Kind, Needs, Result, Router, ensure, notation, run};

/// A daemon that has the commands of a node in FRR, the name of the node, the way there, and what is asked there.
type Place = (&'static str, &'static str, &'static [&'static str], fn(&str) -> bool);

const PLACES: &[Place] = &[
    ("bgpd", "enable", &[], in_exec),
    ("zebra", "enable", &[], in_exec),
    ("bgpd", "config", &[C], in_config),
    ("zebra", "config", &[C], in_config),
    ("bgpd", "route-map", &[C, "route-map X permit 10"], in_config),
    ("bgpd", "router bgp", &[C, BGP], in_config),
    ("bgpd", "ipv4 unicast", &[C, BGP, "address-family ipv4 unicast"], in_config),
    ("bgpd", "ipv6 unicast", &[C, BGP, "address-family ipv6 unicast"], in_config),
    ("bgpd", "rpki", &[C, "rpki"], in_config),
    ("bgpd", "bmp", &[C, BGP, "bmp targets x"], in_config),
    ("bgpd", "vrf", &[C, "vrf red"], in_config),
    ("bgpd", "vrf rpki", &[C, "vrf red", "rpki"], in_config),
    ("bgpd", "interface", &[C, "interface lo"], in_config),
    ("ospfd", "config", &[C], in_config),
    ("ospfd", "router ospf", &[C, "router ospf"], in_config),
    ("ospfd", "interface", &[C, "interface lo"], in_config),
    ("ospfd", "enable", &[], in_exec),
    ("ospf6d", "config", &[C], in_config),
    ("ospf6d", "router ospf6", &[C, "router ospf6"], in_config),
    ("ospf6d", "interface", &[C, "interface lo"], in_config),
    ("ospf6d", "enable", &[], in_exec),
    ("mgmtd", "link-params", &[C, "interface lo", "link-params"], in_config),
    ("mgmtd", "config", &[C], of_zebra),
    ("mgmtd", "interface", &[C, "interface lo"], of_zebra),
    ("mgmtd", "vrf", &[C, "vrf red"], of_zebra),
];
const C: &str = "configure terminal";
const BGP: &str = "router bgp 64500";

/// Commands that belong to FRR's own making, not to routing: its threads, its YANG trees, developers' switches.
const FOREIGN: &[&str] =
    &["rfapi", "northbound", "yang", "debug memstats-at-exit", "show commandtree", "XFRR_", "rfp "];

/// Lines that FRR's notation allows and that mean nothing: half a value, the words of another transport.
const SENSELESS: &[&str] = &[
    "no set extended-comm-list delete",
    "no rpki cache ssh 192.0.2.1 3323",
    "no rpki cache tcp 192.0.2.1 1 Xyzzy",
    "no rpki cache tcp Xyzzy 1 Xyzzy",
    "no neighbor 192.0.2.1 dampening Xyzzy",
    "no neighbor 192.0.2.1 local-as 64496 no-prepend dual-as",
    "redistribute table-direct metric",
    "redistribute table-direct route-map",
    // Notation without its brackets.
    "no aggregation timer 5-1800",
    "no timers throttle spf 0-600000)",
    // Of a line that is `grace-period` where it is set.
    "no graceful-restart period",
];

/// Nor does it say of which instance or table.
const OF_WHICH: &[&str] = &["redistribute table-direct", "no redistribute ospf", "no redistribute table"];

fn in_exec(syntax: &str) -> bool {
    !FOREIGN.iter().any(|word| syntax.contains(word))
}

fn in_config(syntax: &str) -> bool {
    in_exec(syntax)
}

/// FRR reads a part of zebra's lines and all of staticd's in mgmtd, among those of daemons that are none of ours.
fn of_zebra(syntax: &str) -> bool {
    const OURS: [&str; 16] = [
        "ip route",
        "ipv6 route",
        "ip router-id",
        "ipv6 router-id",
        "router-id",
        "vni",
        "netns",
        "ip nht",
        "ipv6 nht",
        "ip protocol",
        "ipv6 protocol",
        "ip table",
        "mpls",
        "ip address",
        "ipv6 address",
        "zebra",
    ];
    let syntax = syntax.strip_prefix("[no] ").or_else(|| syntax.strip_prefix("no ")).unwrap_or(syntax);
    OURS.iter().any(|beginning| syntax.starts_with(beginning))
}

/// Who has the commands of one of FRR's daemons; ospfd serves both versions.
fn ours_for(daemon: &'static str) -> &'static str {
    match daemon {
        "mgmtd" => "zebra",
        "ospf6d" => "ospfd",
        same => same,
    }
}

/// What changes the place, ends the conversation or the daemon's configuration: not typed in the middle of a list.
fn moves(line: &str) -> bool {
    matches!(line, "show" | "exit" | "quit" | "end" | "disable" | "enable")
        || line.starts_with("configure")
        || line.starts_with("exit-")
        || line.starts_with("no router ")
        // There is one already, of the AS that later places name.
        || line.starts_with("router bgp")
}

fn senseless(line: &str) -> bool {
    OF_WHICH.contains(&line) || SENSELESS.iter().any(|senseless| line.starts_with(senseless))
}

/// `% Unknown command: …` from the shell, `% [BGP] Unknown command: …` from a daemon.
fn unknown(answer: &str) -> bool {
    const SAID: [&str; 3] = ["Unknown command", "Command incomplete", "Ambiguous command"];
    answer.lines().any(|line| line.starts_with('%') && SAID.iter().any(|said| line.contains(said)))
}

/// What the shell itself answers is asked from the shell.
fn unknown_to_shell(router: &Router, way: &[&str], line: &str) -> Result<bool> {
    let mut shell = router.vtysh_command()?;
    for line in way.iter().chain([&line]) {
        shell.args(["-c", line]);
    }
    let said = output(shell.stdin(std::process::Stdio::null()))?;
    Ok(unknown(&text(&said.stdout)) || unknown(&text(&said.stderr)))
}

#[test]
fn every_command_of_frr_is_understood_or_refused_by_name() {
    run(&Needs::ours_and_peers().daemons(&["bgpd", "ospfd"]), |net| {
        net.without_capture();
        let them = net.router("r1", Kind::Frr)?;
        let us = net.router("r2", Kind::Ours)?;
        let (their_dir, our_dir) = (open_run_directory(&them)?, open_run_directory(&us)?);
        let modules = &["-M", "rpki", "-M", "bmp"];
        frr::start_daemons(&them, "hostname r1\n", &["zebra", "mgmtd", "bgpd", "ospfd", "ospf6d"], modules)?;
        let daemons: [(&str, &[&str]); 3] = [("zebra", &[]), ("bgpd", &[]), ("ospfd", &[])];
        ours::start_daemons(&us, "hostname r2\n", &daemons, "informational")?;
        let mut faults: BTreeSet<String> = BTreeSet::new();
        let mut report = String::new();
        // One daemon's lists alone, while it is worked on.
        let only = std::env::var("FERRITE_GRAMMAR_DAEMON").unwrap_or_default();
        for (daemon, node, way, wanted) in
            PLACES.iter().filter(|place| only.is_empty() || place.0.starts_with(&only))
        {
            let mut theirs = TextVty::connect(&their_dir, daemon)?;
            let mut our = TextVty::connect(&our_dir, ours_for(daemon))?;
            theirs.go(way)?;
            let (list, _) = theirs.ask("list")?;
            let mut asked = 0;
            for syntax in list.lines().map(str::trim).filter(|syntax| !syntax.is_empty() && wanted(syntax)) {
                for line in notation::samples(syntax)?.iter().filter(|line| !moves(line) && !senseless(line))
                {
                    // A node may be another daemon's of ours: then the shell leads there.
                    let inside = our.go(way).is_ok();
                    asked += 1;
                    let (answer, _) = our.ask(line)?;
                    if (!inside || unknown(&answer)) && unknown_to_shell(&us, way, line)? {
                        faults.insert(format!("{daemon} {node}: {line}"));
                    }
                }
            }
            ensure!(asked > 0, "FRR lists nothing in {node}");
            let _ = writeln!(report, "{daemon} {node}: {asked} lines asked");
        }
        eprint!("{report}");
        if let Some(path) = std::env::var_os("FERRITE_GRAMMAR_REPORT") {
            let all: Vec<String> = faults.iter().cloned().collect();
            std::fs::write(path, all.join("\n"))?;
        }
        let shown: Vec<&str> = faults.iter().map(String::as_str).take(60).collect();
        ensure!(faults.is_empty(), "{} lines are unknown:\n{}", faults.len(), shown.join("\n"));
        Ok(())
    });
}
