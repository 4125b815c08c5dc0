//! Bringing the running state to a file: only what differs changes, and a file with a mistake changes nothing.

use std::time::Duration;

use serde_json::Value;
use topotests::daemon::ours;
use topotests::sandbox::output;
use topotests::{Kind, Needs, Net, Result, Router, ensure, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(60);

fn config(network: &str, third: bool) -> String {
    let third = if third { " neighbor 10.0.14.2 remote-as 65004\n" } else { "" };
    format!(
        "hostname r1
ip route 203.0.113.0/24 blackhole
ip prefix-list MINE seq 5 permit {network}
router bgp 65001
 bgp router-id 192.0.2.1
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor 10.0.12.2 remote-as 65002
 neighbor 10.0.12.2 timers connect 1
 neighbor 10.0.13.2 remote-as 65003
 neighbor 10.0.13.2 timers connect 1
{third} address-family ipv4 unicast
  network {network}
  neighbor 10.0.12.2 prefix-list MINE out
 exit-address-family
exit
"
    )
}

/// r1 is ours; a and b hear what it announces.
fn network(net: &mut Net) -> Result<(Router, topotests::Tool, topotests::Tool)> {
    let r1 = net.router("r1", Kind::Ours)?;
    let (a, b) = (net.router("a", Kind::Host)?, net.router("b", Kind::Host)?);
    net.link(&r1, "10.0.12.1/24", &a, "10.0.12.2/24")?;
    net.link(&r1, "10.0.13.1/24", &b, "10.0.13.2/24")?;
    r1.start(&config("192.0.2.0/24", false))?;
    let hear = |router: &Router, n: u32, asn: u32| {
        router.bgp_replay(&format!(
            "sink --target 10.0.{n}.1 --from 10.0.{n}.2 --as {asn} --keep-attributes --expect 1"
        ))
    };
    let (mut a, mut b) = (hear(&a, 12, 65002)?, hear(&b, 13, 65003)?);
    a.wait_event("complete", PATIENCE)?;
    b.wait_event("complete", PATIENCE)?;
    Ok((r1, a, b))
}

/// (UPDATE messages heard, still up) of a receiver's only session.
fn heard(tool: &mut topotests::Tool) -> Result<(u64, bool)> {
    let state = tool.state()?;
    let session = state.first().ok_or("no session")?;
    let updates = session.pointer("/counts/updates").and_then(Value::as_u64).ok_or("no count")?;
    Ok((updates, session.get("up").and_then(Value::as_bool) == Some(true)))
}

#[test]
fn the_same_file_a_hundred_times_resets_no_session_and_sends_no_update() {
    run(&Needs::ours(), |net| {
        let (r1, mut a, mut b) = network(net)?;
        let before = (heard(&mut a)?, heard(&mut b)?);
        for _ in 0..100 {
            ours::reload(&r1, &config("192.0.2.0/24", false))?;
        }
        ensure!(
            (heard(&mut a)?, heard(&mut b)?) == before,
            "{before:?}, then {:?} {:?}",
            heard(&mut a)?,
            heard(&mut b)?
        );
        ensure!(before.0.1 && before.1.1, "sessions were up");
        Ok(())
    });
}

#[test]
fn a_changed_file_changes_what_it_says_and_no_session_it_does_not_name() {
    run(&Needs::ours(), |net| {
        let (r1, mut a, mut b) = network(net)?;
        ours::reload(&r1, &config("198.51.100.0/24", true))?;
        for tool in [&mut a, &mut b] {
            wait_until(PATIENCE, "the new network is heard instead of the old", || {
                let file = r1.dir().join("log/heard.txt");
                let text = tool.dump(0, &file)?;
                ensure!(text.starts_with("198.51.100.0/24|65001|") && text.lines().count() == 1, "{text}");
                Ok(())
            })?;
            ensure!(heard(tool)?.1, "the session was reset");
        }
        let summary = r1.vtysh_json("show bgp summary json")?;
        ensure!(summary.pointer("/ipv4Unicast/peers/10.0.14.2").is_some(), "{summary}");
        ours::reload(&r1, &config("198.51.100.0/24", false))?;
        let summary = r1.vtysh_json("show bgp summary json")?;
        ensure!(summary.pointer("/ipv4Unicast/peers/10.0.14.2").is_none(), "{summary}");
        r1.kernel_route("203.0.113.0/24").map(drop)
    });
}

#[test]
fn a_file_with_a_mistake_changes_nothing_and_names_the_line() {
    run(&Needs::ours(), |net| {
        let (r1, mut a, _b) = network(net)?;
        let before = (r1.vtysh("show running-config")?, heard(&mut a)?);
        let broken = format!(
            "{}router bgp 65001\n neighbor 10.0.12.2 remote-as 65002 nonsense\n",
            config("198.51.100.0/24", true)
        );
        let path = r1.write("etc/broken.conf", &broken)?;
        let said = output(r1.vtysh_command()?.args(["-f", &path, "--reload"]))?;
        let text =
            format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
        ensure!(!said.status.success(), "accepted: {text}");
        let line = broken.lines().count();
        ensure!(text.contains(&line.to_string()), "line {line} is not named: {text}");
        ensure!((r1.vtysh("show running-config")?, heard(&mut a)?) == before, "something changed");
        Ok(())
    });
}

#[test]
fn what_is_shown_as_running_configuration_loads_into_the_same() {
    run(&Needs::ours(), |net| {
        let (r1, mut a, mut b) = network(net)?;
        let shown = |r1: &Router| r1.vtysh("show running-config no-header");
        let first = shown(&r1)?;
        let before = (heard(&mut a)?, heard(&mut b)?);
        let lines: Vec<&str> =
            first.lines().filter(|l| !l.starts_with("Building") && !l.starts_with("Current")).collect();
        ours::reload(&r1, &format!("{}\n", lines.join("\n")))?;
        ensure!(shown(&r1)? == first, "was:\n{first}\nis:\n{}", shown(&r1)?);
        ensure!((heard(&mut a)?, heard(&mut b)?) == before, "something was sent");
        Ok(())
    });
}
