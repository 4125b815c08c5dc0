//! A dump of a million paths streams: while it runs the daemon grows by less than 50 MiB, and sessions with the shortest
//! hold time stay up.

use std::time::Duration;

use topotests::daemon::ours;
use topotests::{Kind, Needs, Result, Router, ensure, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(240);

/// 250,000 prefixes, each with a path of every neighbour.
const PREFIXES: usize = 250_000;
const PEERS: usize = 4;

const CONFIG: &str = "router bgp 65000
 bgp router-id 10.0.1.1
 no bgp ebgp-requires-policy
 neighbor 10.0.1.10 remote-as 65100
 neighbor 10.0.1.11 remote-as 65101
 neighbor 10.0.1.12 remote-as 65102
 neighbor 10.0.1.13 remote-as 65103
exit
";

const GROWTH: u64 = 50 << 20;

/// bgpd's resident memory now and at its peak, octets.
fn memory(router: &Router) -> Result<(u64, u64)> {
    let text = router.run("sh", &["-c", "cat /proc/$(cat /run/frr/bgpd.pid)/status"])?;
    let field = |name: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(name))?;
        Some(value.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
    };
    let missing = || topotests::Failure::new(format!("no memory in {text}"));
    Ok((field("VmRSS:").ok_or_else(missing)?, field("VmHWM:").ok_or_else(missing)?))
}

/// Forgets the peak, does something, and says by how much the daemon grew meanwhile.
fn growth(router: &Router, what: &str, act: impl FnOnce() -> Result<()>) -> Result<()> {
    router.run("sh", &["-c", "echo 5 > /proc/$(cat /run/frr/bgpd.pid)/clear_refs"])?;
    let (before, _) = memory(router)?;
    act()?;
    let (_, peak) = memory(router)?;
    let grown = peak.saturating_sub(before);
    println!("{what}: {} MiB more than the {} MiB before", grown >> 20, before >> 20);
    ensure!(grown < GROWTH, "{what}: the daemon grew by {} MiB", grown >> 20);
    Ok(())
}

#[test]
fn a_dump_of_a_million_paths_streams() {
    run(&Needs::ours(), |net| {
        net.without_capture();
        let (router, sender) = (net.router("r1", Kind::Ours)?, net.router("sender", Kind::Host)?);
        let addrs = "10.0.1.10/24 10.0.1.11/24 10.0.1.12/24 10.0.1.13/24";
        net.link(&sender, addrs, &router, "10.0.1.1/24")?;
        ours::start_daemons(&router, CONFIG, &[("bgpd", &["-Z"])], "warnings")?;
        let mut replay = sender.bgp_replay(&format!(
            "replay --target 10.0.1.1 --from 10.0.1.10 --as 65100 --peers {PEERS} --generate {PREFIXES} --same --hold 9"
        ))?;
        replay.wait_event("sent", PATIENCE)?;
        let paths = || -> Result<u64> {
            let summary = router.vtysh_json("show bgp ipv4 unicast summary json")?;
            let peers = summary["peers"].as_object().cloned().unwrap_or_default();
            Ok(peers.values().filter_map(|peer| peer["pfxRcd"].as_u64()).sum())
        };
        wait_until(PATIENCE, "the table is complete", || {
            let paths = paths()?;
            ensure!(paths == (PREFIXES * PEERS) as u64, "{paths} paths");
            Ok(())
        })?;
        // What the load left behind is settled before anything is measured.
        router.cost_at_rest(PATIENCE)?;
        let flaps = |router: &Router| -> Result<Vec<u64>> {
            let summary = router.vtysh_json("show bgp ipv4 unicast summary json")?;
            let peers = summary["peers"].as_object().cloned().unwrap_or_default();
            Ok(peers.values().filter_map(|peer| peer["connectionsDropped"].as_u64()).collect())
        };
        let before = flaps(&router)?;
        growth(&router, "show bgp ipv4 unicast json", || {
            let vtysh = ours::binaries()?.join("vtysh");
            let command = format!("{} -c 'show bgp ipv4 unicast json' | wc -c", vtysh.display());
            let mut shell = router.command("sh");
            shell.args(["-c", &command]).envs(ours::environment()?);
            let octets: u64 = topotests::sandbox::run(&mut shell)?.trim().parse().unwrap_or(0);
            ensure!(octets > 100 * (PREFIXES * PEERS) as u64, "the show has {octets} octets");
            Ok(())
        })?;
        growth(&router, "dump bgp routes-mrt", || {
            router.configure(&["dump bgp routes-mrt /run/t/log/rib.mrt"])?;
            let file = router.dir().join("log/rib.mrt");
            let mut last = 0;
            wait_until(PATIENCE, "the dump is written", || {
                let size = std::fs::metadata(&file)?.len();
                let still = size == std::mem::replace(&mut last, size);
                ensure!(still && size > 30 * (PREFIXES * PEERS) as u64, "{size} octets");
                Ok(())
            })
        })?;
        ensure!(flaps(&router)? == before, "a session went down meanwhile");
        ensure!(paths()? == (PREFIXES * PEERS) as u64, "routes are missing");
        replay.stop()
    });
}
