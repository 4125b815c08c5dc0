//! OSPF: an adjacency with a router that announces 10,000 external routes, from its first packet until all are in the kernel; and what
//! two hundred adjacencies cost while nothing happens.
//!
//! The other side is `ospf-feed`, the same for all. Point-to-point links, a Hello a second.

use std::fmt::Write as _;
use std::time::Duration;

use topotests::daemon::{frr, ours};
use topotests::{Kind, Result, Router, ensure, wait_until};

use crate::{Cli, Figures, Who, kernel_holds, kind, millis, network};

const EXTERNALS: usize = 10_000;
const LINKS: usize = 200;
/// How long nothing happens.
const IDLE: Duration = Duration::from_secs(30);

pub fn title() -> String {
    format!("ospf: an adjacency with {EXTERNALS} external LSAs, until their routes are in the kernel")
}

pub fn idle_title() -> String {
    format!("ospf-idle: {LINKS} adjacencies, a Hello every 10 s; CPU over {} s", IDLE.as_secs())
}

fn config(links: &[String], hello: u32) -> String {
    let mut text = String::from("log file /run/t/log/all.log warnings\n");
    for link in links {
        let _ = writeln!(
            text,
            "interface {link}\n ip ospf area 0\n ip ospf network point-to-point\n ip ospf hello-interval {hello}\n ip ospf \
             dead-interval {}\nexit",
            hello * 4
        );
    }
    text.push_str("router ospf\n ospf router-id 1.1.1.1\nexit\n");
    text
}

fn bird(links: &[String], hello: u32) -> String {
    let mut text = String::from(
        "router id 1.1.1.1;\nprotocol device {}\nprotocol kernel { ipv4 { import none; export where source ~ [RTS_OSPF, \
         RTS_OSPF_IA, RTS_OSPF_EXT1, RTS_OSPF_EXT2]; }; }\nprotocol ospf v2 ospf2 {\n ipv4 { import all; export none; };\n area 0 {\n",
    );
    for link in links {
        let _ = writeln!(text, "  interface \"{link}\" {{ type ptp; hello {hello}; dead {}; }};", hello * 4);
    }
    text.push_str(" };\n}\n");
    text
}

fn start(router: &Router, who: Who, links: &[String], hello: u32) -> Result<()> {
    match who {
        Who::Ours => {
            let daemons: [(&str, &[&str]); 2] = [("zebra", &[]), ("ospfd", &[])];
            ours::start_daemons(router, &config(links, hello), &daemons, "warnings")
        }
        Who::Frr => frr::start_daemons(router, &config(links, hello), &["mgmtd", "zebra", "ospfd"], &[]),
        Who::Bird => router.start(&bird(links, hello)),
        Who::Raw => Err("a writer has no neighbours".into()),
    }
}

/// From the generator's first packet until the kernel has all routes.
pub fn measure(cli: &Cli, who: Who) -> Result<Figures> {
    let patience = Duration::from_secs(cli.patience);
    let mut net = network("Ospf", who)?;
    let (router, neighbor) = (net.router("router", kind(who))?, net.router("neighbor", Kind::Host)?);
    net.link(&router, "10.0.1.1/24", &neighbor, "10.0.1.2/24")?;
    start(&router, who, &["eth0".to_owned()], 1)?;
    let before = router.kernel_size()?;
    let mut feed = neighbor.ospf_feed(&[
        "--link",
        "eth0,10.0.1.2/24,9.9.9.9",
        "--hello",
        "1",
        "--dead",
        "4",
        "--point-to-point",
        "--externals",
        &EXTERNALS.to_string(),
    ])?;
    let started = millis(&feed.wait_event("up", patience)?);
    let ended = kernel_holds(&router, before + EXTERNALS, patience)?;
    let cost = router.cost_at_rest(patience)?;
    Ok(Figures { time: Duration::from_millis(ended.saturating_sub(started)), cost })
}

/// CPU of a router with many neighbours while nothing happens; the time is how long they took to come up.
pub fn measure_idle(cli: &Cli, who: Who) -> Result<Figures> {
    let patience = Duration::from_secs(cli.patience);
    let mut net = network("OspfIdle", who)?;
    let (router, neighbor) = (net.router("router", kind(who))?, net.router("neighbor", Kind::Host)?);
    let mut links = Vec::new();
    let mut args: Vec<String> = vec!["--hello".into(), "10".into(), "--dead".into(), "40".into()];
    args.push("--point-to-point".into());
    for n in 0..LINKS {
        let (own, far) =
            net.link(&router, &format!("10.100.{n}.1/24"), &neighbor, &format!("10.100.{n}.2/24"))?;
        links.push(own);
        args.extend(["--link".to_owned(), format!("{far},10.100.{n}.2/24,9.9.0.{}", n + 1)]);
    }
    // FRR joins groups on one socket, which the kernel lets join 20; its manual has the operator raise that.
    router.run("sh", &["-c", "echo 1000 > /proc/sys/net/ipv4/igmp_max_memberships"])?;
    start(&router, who, &links, 10)?;
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut feed = neighbor.ospf_feed(&args)?;
    let started = millis(&feed.wait_event("up", patience)?);
    let mut full = 0;
    let mut ended = started;
    while full < LINKS {
        let event = feed.wait_event("full", patience)?;
        ended = millis(&event);
        full += 1;
    }
    router.cost_at_rest(patience)?;
    let before = router.cost()?;
    let until = std::time::Instant::now() + IDLE;
    wait_until(IDLE * 4, "nothing happens for a while", || {
        ensure!(std::time::Instant::now() >= until, "it is not over");
        Ok(())
    })?;
    let mut cost = router.cost()?;
    cost.cpu = cost.cpu.saturating_sub(before.cpu);
    Ok(Figures { time: Duration::from_millis(ended.saturating_sub(started)), cost })
}
