//! One neighbour of five hundred stops reading: nobody else waits for it, and what is held for it is bounded.

use std::time::Duration;

use serde_json::Value;
use topotests::daemon::ours;
use topotests::{Kind, Needs, Result, Tool, ensure, run, wait_until};

const NEIGHBORS: usize = 500;
const STUCK: usize = 7;
const PREFIXES: usize = 5_000;
/// What the router may hold for the one that does not read, in octets: its queue has a limit, sockets have theirs.
const HELD: u64 = 64 << 20;
const PATIENCE: Duration = Duration::from_secs(120);

fn config() -> String {
    let mut text = String::from(
        "router bgp 65000\n bgp router-id 10.0.1.1\n no bgp ebgp-requires-policy\n neighbor 10.0.2.2 remote-as 64999\n \
         neighbor CLIENTS peer-group\n neighbor CLIENTS remote-as external\n neighbor CLIENTS passive\n",
    );
    for n in 0..NEIGHBORS {
        text.push_str(&format!(" neighbor {} peer-group CLIENTS\n", address(n)));
    }
    text
}

fn address(n: usize) -> String {
    format!("10.1.{}.{}", n / 250, n % 250 + 1)
}

/// Sessions that hold exactly `wanted` prefixes, and those that are up.
fn holding(tool: &mut Tool, wanted: usize) -> Result<(usize, usize)> {
    let sessions = tool.state()?;
    let has = |s: &&Value| s.get("prefixes").and_then(Value::as_u64) == Some(wanted as u64);
    let up = |s: &&Value| s.get("up").and_then(Value::as_bool) == Some(true);
    Ok((sessions.iter().filter(has).count(), sessions.iter().filter(up).count()))
}

#[test]
fn one_that_does_not_read_among_five_hundred_delays_nobody_and_costs_bounded_memory() {
    run(&Needs::ours(), |net| {
        net.without_capture();
        let router = net.router("router", Kind::Ours)?;
        let (clients, sender) = (net.router("clients", Kind::Host)?, net.router("sender", Kind::Host)?);
        net.link(&router, "10.1.255.254/16", &clients, "10.1.255.253/16")?;
        net.link(&router, "10.0.2.1/24", &sender, "10.0.2.2/24")?;
        let script: String =
            (0..NEIGHBORS).map(|n| format!("address add {}/16 dev eth0\n", address(n))).collect();
        let script = clients.write("etc/addresses", &script)?;
        clients.run("ip", &["-batch", &script])?;
        // Small buffers in the kernel, so that it is the daemon that must hold what is not read.
        router.run("sh", &["-c", "echo '4096 16384 65536' > /proc/sys/net/ipv4/tcp_wmem"])?;
        ours::start_daemons(&router, &config(), &[("bgpd", &["-Z"])], "warnings")?;

        // Addresses of one process are consecutive, so each block of 250 is a process of its own.
        let mut blocks = Vec::new();
        for block in 0..NEIGHBORS / 250 {
            let (first, asn) = (address(block * 250), 64000 - 500 + block * 250);
            let args = format!(
                "sink --target 10.1.255.254 --from {first} --as {asn} --peers 250 --receive-buffer 8192"
            );
            blocks.push(clients.bgp_replay(&args)?);
        }
        for block in &mut blocks {
            block.wait_event("all-established", PATIENCE)?;
        }
        let mut replay = sender.bgp_replay(&format!(
            "replay --wait --target 10.0.2.1 --from 10.0.2.2 --as 64999 --generate {PREFIXES}"
        ))?;
        replay.wait_event("all-established", PATIENCE)?;
        blocks.first_mut().ok_or("no block")?.tell(&format!("stall {STUCK}"))?;
        let before = router.cost()?.peak;

        // Again and again the table comes and goes; all but one must follow each time.
        for round in 0..4 {
            replay.tell(if round % 2 == 0 { "announce" } else { "withdraw" })?;
            let wanted = if round % 2 == 0 { PREFIXES } else { 0 };
            wait_until(PATIENCE, "all that read have followed", || {
                let mut sum = (0, 0);
                for block in &mut blocks {
                    let (holding, up) = holding(block, wanted)?;
                    sum = (sum.0 + holding, sum.1 + up);
                }
                ensure!(sum.0 >= NEIGHBORS - 1, "round {round}: {} have {wanted} prefixes", sum.0);
                ensure!(sum.1 >= NEIGHBORS - 1, "round {round}: {} are up", sum.1);
                Ok(())
            })?;
        }
        let peak = router.cost()?.peak;
        println!("peak {} KiB before, {} KiB after", before / 1024, peak / 1024);
        ensure!(peak - before < HELD, "{} octets more", peak - before);

        // It reads again, and learns where things stand now.
        blocks.first_mut().ok_or("no block")?.tell(&format!("resume {STUCK}"))?;
        replay.tell("announce")?;
        wait_until(PATIENCE, "the one that slept has the whole table", || {
            let mut sum = 0;
            for block in &mut blocks {
                sum += holding(block, PREFIXES)?.0;
            }
            ensure!(sum == NEIGHBORS, "{sum} have all prefixes");
            Ok(())
        })
    });
}
