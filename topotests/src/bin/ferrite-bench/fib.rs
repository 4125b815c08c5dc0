//! zebra alone: a client feeds it a table, and a next hop fails under many routes.
//!
//! All have the same routes over the same two links. The raw writer is the floor: the same messages from one process that
//! knows nothing. For it, CPU and memory of a zebra are none. Memory of a route is what zebra's peak grew by, divided.

use std::time::Duration;

use topotests::bgp::speaker::now_ms;
use topotests::daemon::{frr, ours};
use topotests::measure::Cost;
use topotests::{Kind, Result, Router, ensure, wait_until};

use crate::{Cli, Figures, Who, kernel_holds, kind, millis, name, network};

pub fn title(prefixes: usize) -> String {
    format!("fib: {prefixes} routes from a client through zebra into the kernel")
}

pub fn failure_title(prefixes: usize) -> String {
    format!("nexthop-failure: one of two next hops of {} routes fails", prefixes / 2)
}

/// A router between two links, a client's socket, and where to look.
struct Place {
    net: topotests::Net,
    router: Router,
    neighbor: Router,
    /// The far end of the first link.
    far: String,
}

fn place(cli: &Cli, scenario: &str, who: Who) -> Result<Place> {
    let mut net = network(scenario, who)?;
    let (router, neighbor) = (net.router("router", kind(who))?, net.router("neighbor", Kind::Host)?);
    let (far, _) = net.link(&neighbor, "10.0.1.2/24", &router, "10.0.1.1/24")?;
    net.link(&neighbor, "10.0.2.2/24", &router, "10.0.2.1/24")?;
    let socket = ["-z", "/run/t/log/zserv"];
    match who {
        Who::Ours => ours::start_daemons(&router, "", &[("zebra", &socket)], "warnings")?,
        Who::Frr => frr::start_with(&router, "", &[("mgmtd", &[]), ("zebra", &socket)])?,
        Who::Bird | Who::Raw => return Ok(Place { net, router, neighbor, far }),
    }
    // FRR does not look again at routes that came before it knew of the link.
    wait_until(Duration::from_secs(cli.patience), "zebra knows both links", || {
        for via in ["10.0.1.0/24", "10.0.2.0/24"] {
            let route = router.vtysh_json(&format!("show ip route {via} json"))?;
            ensure!(route.to_string().contains("\"installed\":true"), "{via}: {route}");
        }
        Ok(())
    })?;
    Ok(Place { net, router, neighbor, far })
}

impl Place {
    /// Feeds the routes; when they were first sent and when the kernel had them all.
    fn feed(&self, cli: &Cli, who: Who, count: usize, via: &str) -> Result<(topotests::Tool, Duration)> {
        let patience = Duration::from_secs(cli.patience);
        let socket = self.router.dir().join("log/zserv").display().to_string();
        let count_arg = count.to_string();
        let mut args = vec!["--count", &count_arg, "--via", via];
        match who {
            Who::Ours => args.extend(["--stream", &socket]),
            Who::Frr => args.extend(["--zapi", &socket]),
            Who::Bird | Who::Raw => args.push("--kernel"),
        }
        let mut feed = self.router.route_feed(&args)?;
        feed.wait_event("connected", patience)?;
        let before = self.router.kernel_size()?;
        feed.tell("announce")?;
        let started = millis(&feed.wait_event("sending", patience)?);
        let ended = kernel_holds(&self.router, before + count, patience)?;
        Ok((feed, Duration::from_millis(ended.saturating_sub(started))))
    }
}

pub fn measure(cli: &Cli, who: Who) -> Result<Figures> {
    let place = place(cli, "Fib", who)?;
    let before = place.router.cost()?;
    let (_feed, time) = place.feed(cli, who, cli.prefixes, "10.0.1.2")?;
    if who == Who::Raw {
        return Ok(Figures { time, cost: Cost::default() });
    }
    let cost = place.router.cost_at_rest(Duration::from_secs(cli.patience))?;
    let per_route = cost.peak.saturating_sub(before.peak) / cli.prefixes.max(1) as u64;
    println!("  {:<5} {per_route} octets of memory a route", name(who));
    Ok(Figures { time, cost })
}

/// From the loss of the link until no route looked at uses it any more; CPU is what zebra needs for it until it rests.
pub fn measure_failure(cli: &Cli, who: Who) -> Result<Figures> {
    let patience = Duration::from_secs(cli.patience);
    let count = cli.prefixes / 2;
    let place = place(cli, "NexthopFailure", who)?;
    let (_feed, _) = place.feed(cli, who, count, "10.0.1.2,10.0.2.2")?;
    let before = place.router.cost_at_rest(patience)?;
    let samples = [0, count / 2, count.saturating_sub(1)].map(address);
    for sample in &samples {
        let route = place.router.ip(&format!("route get fibmatch {sample}"))?;
        ensure!(route.contains("10.0.1.2") && route.contains("10.0.2.2"), "{}: {route}", name(who));
    }
    let started = now_ms();
    place.neighbor.ip(&format!("link set {} down", place.far))?;
    wait_until(patience, "no route uses the lost link", || {
        for sample in &samples {
            let route = place.router.ip(&format!("route get fibmatch {sample}"))?;
            ensure!(!route.contains("10.0.1.2") && route.contains("10.0.2.2"), "{route}");
        }
        Ok(())
    })?;
    let ended = now_ms();
    let mut cost = place.router.cost_at_rest(patience)?;
    cost.cpu = cost.cpu.saturating_sub(before.cpu);
    drop(place.net);
    Ok(Figures { time: Duration::from_millis(ended.saturating_sub(started)), cost })
}

/// An address of the route of that number, as the feeder counts.
fn address(n: usize) -> String {
    format!("{}.{}.{}.1", 20 + (n >> 16), n >> 8 & 0xff, n & 0xff)
}
