//! zebra and bgpd killed, stopped and upgraded one after the other while packets flow: none is lost that the network could have
//! carried, what is not wanted any more goes, and only after the replay.

use std::path::Path;
use std::time::Duration;

use topotests::daemon::ours;
use topotests::{Family, Kind, Needs, Net, Result, Router, ensure, run, wait_until};
use traffic::traffic;

#[path = "common/traffic.rs"]
mod traffic;

const PATIENCE: Duration = Duration::from_secs(60);
/// Routes of the neighbour beside the one that packets follow.
const MORE: u32 = 200;

const OURS: &str = "hostname r1
ip route 192.0.2.9/32 10.0.3.9
router bgp 65001
 no bgp ebgp-requires-policy
 bgp graceful-restart
 bgp graceful-restart preserve-fw-state
 neighbor 10.0.2.2 remote-as 65002
 neighbor 10.0.2.2 timers connect 1
exit
";

fn neighbour() -> String {
    let mut text = "ip route 0.0.0.0/0 10.0.2.1\nrouter bgp 65002\n no bgp ebgp-requires-policy\n no bgp network import-check\n \
         neighbor 10.0.2.1 remote-as 65001\n neighbor 10.0.2.1 timers connect 1\n address-family ipv4 unicast\n  \
         network 192.0.2.2/32\n"
        .to_owned();
    (0..MORE).for_each(|n| text.push_str(&format!("  network 20.0.{n}.0/24\n")));
    text + " exit-address-family\nexit\n"
}

/// What is done to a daemon.
#[derive(Clone, Copy, Debug)]
enum How {
    Killed,
    Stopped,
    /// Stopped, and another file is started.
    Upgraded,
}

/// They leave their routes where they are when they are stopped.
const OPTIONS: &[&str] = &["-r"];

/// A copy in another place, as an upgrade puts one there.
fn start_copy(r1: &Router, daemon: &str, dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir)?;
    let copy = dir.join(daemon);
    std::fs::copy(ours::binaries_with(&[daemon])?.join(daemon), &copy)?;
    let log = format!("file:{}/log/{daemon}.log", "/run/t");
    let mut args: Vec<String> = ["-d", "--log", &log, "--log-level", "debugging"].map(str::to_owned).to_vec();
    args.extend(OPTIONS.iter().map(ToString::to_string));
    r1.start_daemon(&copy.to_string_lossy(), &args, &ours::environment()?)
}

fn restart(r1: &Router, daemon: &str, how: How, dir: &Path) -> Result<()> {
    let pid = r1.daemon_pid(daemon)?;
    r1.signal(pid, if matches!(how, How::Killed) { "KILL" } else { "TERM" })?;
    r1.wait_gone(pid, PATIENCE)?;
    if daemon == "zebra" {
        // A route of an earlier bgpd that nobody wants any more.
        r1.ip("route add 203.0.113.99/32 via 10.0.2.2 proto 186 metric 20")?;
    }
    whole(r1)?;
    match how {
        How::Upgraded => start_copy(r1, daemon, dir)?,
        How::Killed | How::Stopped => ours::start_one(r1, daemon, OPTIONS, "debugging")?,
    }
    ours::load(r1)
}

/// Every route stands in the kernel.
fn whole(r1: &Router) -> Result<()> {
    let routes = r1.kernel_routes(Family::V4)?;
    let of_bgp = routes.values().filter(|route| route.gateways() == ["10.0.2.2"]).count();
    ensure!(of_bgp > MORE as usize, "{of_bgp} routes of BGP are in the kernel");
    ensure!(routes.contains_key("192.0.2.9/32"), "the static route is not in the kernel");
    Ok(())
}

/// The daemons agree with the kernel, and nothing stale is left.
fn settled(r1: &Router) -> Result<()> {
    r1.bgp_established("10.0.2.2")?;
    whole(r1)?;
    r1.kernel_lacks("203.0.113.99/32")?;
    let known = r1.vtysh_json("show ip route bgp json")?.as_object().map_or(0, serde_json::Map::len);
    ensure!(known == MORE as usize + 1, "zebra knows {known} routes of BGP");
    let drift = r1.vtysh_json("show zebra fib drift json")?;
    ensure!(drift["inSync"] == true, "{drift}");
    Ok(())
}

#[test]
fn no_packet_is_lost_while_daemons_are_killed_stopped_and_upgraded_in_a_loop() {
    run(&Needs::ours_and_peers(), |net: &mut Net| {
        net.without_capture();
        let r1 = net.router("r1", Kind::Ours)?;
        let host = net.router("host", Kind::Host)?;
        let frr = net.router("frr", Kind::Frr)?;
        let far = net.router("far", Kind::Host)?;
        net.link(&r1, "10.0.1.1/24", &host, "10.0.1.2/24")?;
        net.link(&r1, "10.0.2.1/24", &frr, "10.0.2.2/24")?;
        net.link(&r1, "10.0.3.1/24", &far, "10.0.3.9/24")?;
        host.ip("route add default via 10.0.1.1")?;
        far.ip("route add default via 10.0.3.1")?;
        net.loopback(&frr, "192.0.2.2/32")?;
        net.loopback(&far, "192.0.2.9/32")?;
        frr.start(&neighbour())?;
        ours::start_daemons(&r1, OURS, &[("zebra", OPTIONS), ("bgpd", OPTIONS)], "debugging")?;
        wait_until(PATIENCE, "all routes are in place", || settled(&r1))?;
        let streams = [traffic(&host, &frr, "192.0.2.2")?, traffic(&host, &far, "192.0.2.9")?];
        let rounds = [
            ("zebra", How::Killed),
            ("bgpd", How::Killed),
            ("zebra", How::Stopped),
            ("bgpd", How::Stopped),
            ("zebra", How::Upgraded),
            ("bgpd", How::Upgraded),
            ("zebra", How::Killed),
        ];
        for (number, (daemon, how)) in rounds.into_iter().enumerate() {
            let dir = net.dir().join(format!("upgrade-{number}"));
            restart(&r1, daemon, how, &dir).map_err(|e| e.during(&format!("{daemon} {how:?}")))?;
            wait_until(PATIENCE, &format!("{daemon} {how:?}: all is settled"), || settled(&r1))?;
        }
        streams.into_iter().try_for_each(traffic::Traffic::end)
    });
}
