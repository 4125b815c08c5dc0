//! How long configuration takes: a file of static routes through `vtysh -f` until the kernel has them, and a file of many lines of
//! all kinds until the shell has its prompt back.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use topotests::daemon::{frr, ours};
use topotests::{Kind, Result, Router, ensure, sandbox, wait_until};

use crate::{Cli, Figures, Scenario, Who, network};

/// Static routes of the first, lines of the second, at the scale of a whole table.
const STATICS: usize = 10_000;
const LINES: usize = 400_000;
const WHOLE: usize = 1_000_000;

fn scaled(count: usize, prefixes: usize) -> usize {
    (count * prefixes / WHOLE).max(1)
}

pub fn title(scenario: Scenario, prefixes: usize) -> String {
    match scenario {
        Scenario::Statics => {
            let count = scaled(STATICS, prefixes);
            format!("statics: {count} static routes through `vtysh -f` into the kernel (aim: 10000 in 2 s)")
        }
        _ => {
            let count = scaled(LINES, prefixes);
            format!("lines: {count} lines of configuration through `vtysh -f` (aim: 400000 in 10 s)")
        }
    }
}

fn statics(count: usize) -> String {
    let mut text = String::new();
    for index in 0..count {
        let _ = writeln!(text, "ip route 20.{}.{}.0/24 10.9.1.{}", index / 250, index % 250, 2 + index % 8);
    }
    text
}

/// Half of it prefix-list entries as a filter generator writes them, the rest route maps, community lists and static routes.
fn many_lines(count: usize) -> String {
    let mut text = String::new();
    for index in 0..count / 2 {
        let (list, seq) = (index / 1000, 5 * (1 + index % 1000));
        let (a, b, c) = (1 + index % 223, index / 223 % 256, index / 57_088 % 256);
        let _ = writeln!(text, "ip prefix-list L{list} seq {seq} permit {a}.{b}.{c}.0/24 le 28");
    }
    for index in 0..count / 16 {
        let map = index / 50;
        let _ = write!(
            text,
            "route-map M{map} permit {}\n match ip address prefix-list L{}\n set tag {}\nexit\n",
            10 * (1 + index % 50),
            index % 100,
            1 + index % 1000
        );
    }
    for index in 0..count / 4 {
        let (a, b, c) = (20 + index / 62_500, index / 250 % 250, index % 250);
        let _ = writeln!(text, "ip route {a}.{b}.{c}.0/24 10.9.1.{}", 2 + index % 8);
    }
    text
}

fn start(router: &Router, who: Who) -> Result<()> {
    for line in [
        "link set lo up",
        "link add p1 type veth peer name f1",
        "link set f1 up",
        "link set p1 up",
        "addr add 10.9.1.1/24 dev p1",
    ] {
        router.ip(line)?;
    }
    match who {
        Who::Frr => frr::start_daemons(router, "", &["zebra", "mgmtd", "staticd"], &[]),
        _ => ours::start_daemons(router, "", &[("zebra", &[])], "warnings"),
    }
}

pub fn measure(cli: &Cli, scenario: Scenario, who: Who) -> Result<Figures> {
    let kind = if who == Who::Frr { Kind::Frr } else { Kind::Ours };
    let mut net = network(if scenario == Scenario::Statics { "statics" } else { "lines" }, who)?;
    let router = net.router("r1", kind)?;
    start(&router, who)?;
    let text = match scenario {
        Scenario::Statics => statics(scaled(STATICS, cli.prefixes)),
        _ => many_lines(scaled(LINES, cli.prefixes)),
    };
    let file = router.write("many.conf", &text)?;
    let before = router.cost()?;
    let began = Instant::now();
    let mut shell = router.vtysh_command()?;
    shell.args(["-f", &file]);
    let said = sandbox::run(&mut shell)?;
    ensure!(!said.contains("% "), "{}", said.lines().take(3).collect::<String>());
    if scenario == Scenario::Statics {
        let wanted = text.lines().count();
        wait_until(Duration::from_secs(cli.patience), "the kernel has every route", || {
            let held = router.kernel_count(topotests::Family::V4, "196")?;
            ensure!(held >= wanted, "{held} of {wanted}");
            Ok(())
        })?;
    }
    let time = began.elapsed();
    let mut cost = router.cost()?;
    cost.cpu = cost.cpu.saturating_sub(before.cpu);
    Ok(Figures { time, cost })
}
