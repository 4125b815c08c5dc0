//! How late a KEEPALIVE comes while the router has much to do: a table load, and during it a policy reload, two full shows as
//! JSON, and an RPKI cache that changes the origins of half its prefixes, which every route is judged by.
//!
//! A watcher holds a session with a hold time of three seconds, so that a KEEPALIVE is due every second, and hears nothing else. The
//! figure is the longest time between two of them, less that second.

use std::fmt::Write as _;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::Value;
use topotests::daemon::{frr, ours};
use topotests::{Kind, Result, Router, ensure, wait_until};

use crate::{Cli, Who, kind, network};

const WATCHERS: usize = 5;
const DUE_MS: u64 = 1000;
/// Half of them change each time.
const RECORDS: u32 = 50_000;
const CACHE: &str = "10.0.1.10";
const CACHE_PORT: u16 = 8282;

pub fn title(prefixes: usize) -> String {
    format!(
        "keepalives: the latest while {prefixes} prefixes are loaded, policies reloaded, the table shown, {RECORDS} VRPs changed"
    )
}

/// Milliseconds that a KEEPALIVE was late at most.
pub fn measure(cli: &Cli, who: Who) -> Result<u64> {
    let patience = Duration::from_secs(cli.patience);
    let mut net = network("Keepalives", who)?;
    let sender = net.router("sender", Kind::Host)?;
    let router = net.router("router", kind(who))?;
    let receiver = net.router("receiver", Kind::Host)?;
    net.link(&sender, "10.0.1.10/24", &router, "10.0.1.1/24")?;
    let addrs: Vec<String> = (2..=2 + WATCHERS).map(|n| format!("10.0.2.{n}/24")).collect();
    net.link(&receiver, &addrs.join(" "), &router, "10.0.2.1/24")?;
    let mut cache = sender.rtr_cache(&format!("{CACHE}:{CACHE_PORT}"), RECORDS)?;
    cache.wait_event("listening", patience)?;
    match who {
        Who::Bird => router.start(&bird(100)),
        Who::Frr => frr::start_daemons(&router, &frr_conf(100, true), &["bgpd"], &["-Z", "-M", "rpki"]),
        Who::Ours => ours::start_daemons(&router, &frr_conf(100, false), &[("bgpd", &["-Z"])], "warnings"),
        Who::Raw => return Err("a writer has no neighbours".into()),
    }?;
    let mut watch = receiver.bgp_replay(&format!(
        "sink --target 10.0.2.1 --from 10.0.2.3 --as 65301 --peers {WATCHERS} --hold 3 --patience {}",
        cli.patience
    ))?;
    let mut sink = receiver.bgp_replay(&format!(
        "sink --target 10.0.2.1 --from 10.0.2.2 --as 65200 --expect {}",
        cli.prefixes
    ))?;
    let mut replay = sender.bgp_replay(&format!(
        "replay --wait --target 10.0.1.1 --from 10.0.1.10 --as 65100 --generate {} --patience {}",
        cli.prefixes, cli.patience
    ))?;
    watch.wait_event("all-established", patience)?;
    sink.wait_event("all-established", patience)?;
    replay.wait_event("all-established", patience)?;
    cache.wait_for("its records were fetched", patience, whole)?;
    watch.tell("mark")?;
    replay.tell("announce")?;
    replay.wait_event("sending", patience)?;

    // In the middle of the load, the policy changes and somebody wants to see everything.
    wait_until(patience, "a tenth of the table has come through", || {
        let heard = prefixes(&mut sink)?;
        ensure!(heard >= cli.prefixes as u64 / 10, "{heard} prefixes");
        Ok(())
    })?;
    cache.tell("change")?;
    reload(&router, who, 200)?;
    let mut shows: Vec<Child> = (0..2).map(|_| show(&router, who)).collect::<Result<_>>()?;
    sink.wait_event("complete", patience)?;
    cache.tell("change")?;
    shows.push(show(&router, who)?);
    reload(&router, who, 300)?;
    for show in &mut shows {
        show.wait()?;
    }
    router.cost_at_rest(patience)?;
    let mut latest = 0;
    for session in watch.state()? {
        ensure!(
            session.get("up").and_then(Value::as_bool) == Some(true),
            "a watcher's session ended: {session}"
        );
        let gap = session.get("keepaliveGapMs").and_then(Value::as_u64).unwrap_or(u64::MAX);
        latest = latest.max(gap.saturating_sub(DUE_MS));
    }
    Ok(latest)
}

/// An answer with records in it.
fn whole(event: &Value) -> bool {
    event.get("octets").and_then(Value::as_u64).is_some_and(|octets| octets > u64::from(RECORDS))
}

fn prefixes(sink: &mut topotests::Tool) -> Result<u64> {
    let state = sink.state()?;
    Ok(state.first().and_then(|s| s.get("prefixes")).and_then(Value::as_u64).unwrap_or(0))
}

fn reload(router: &Router, who: Who, preference: u32) -> Result<()> {
    match who {
        Who::Ours => ours::reload(router, &frr_conf(preference, false)).map(drop),
        Who::Frr => {
            let lines = [
                "configure terminal",
                "route-map IN permit 10",
                &format!("set local-preference {preference}"),
                "end",
                "clear bgp * soft in",
            ];
            let args: Vec<&str> = lines.iter().flat_map(|line| ["-c", line]).collect();
            router.run("vtysh", &args).map(drop)
        }
        Who::Bird | Who::Raw => {
            router.write("etc/bird.conf", &bird(preference))?;
            router.run("birdc", &["configure"]).map(drop)
        }
    }
}

/// A whole table on its way to a reader that takes it as it comes.
fn show(router: &Router, who: Who) -> Result<Child> {
    let mut cmd = match who {
        Who::Ours => {
            let mut cmd = router.vtysh_command()?;
            cmd.args(["-c", "show bgp ipv4 unicast json"]);
            cmd
        }
        Who::Frr => {
            let mut cmd = router.command("vtysh");
            cmd.args(["-c", "show bgp ipv4 unicast json"]);
            cmd
        }
        Who::Bird | Who::Raw => {
            let mut cmd = router.command("birdc");
            cmd.args(["show", "route", "all"]);
            cmd
        }
    };
    Ok(cmd.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
}

fn frr_conf(preference: u32, tuned: bool) -> String {
    let mut text = String::from("log file /run/t/log/all.log warnings\n");
    if tuned {
        text.push_str("bgp input-queue-limit 4294967295\n");
    }
    let _ = write!(
        text,
        "rpki
 rpki cache tcp {CACHE} {CACHE_PORT} preference 1
exit
route-map IN permit 5
 match rpki invalid
 set local-preference 50
exit
route-map IN permit 10
 set local-preference {preference}
exit
route-map NOTHING deny 10
exit
router bgp 65000
 bgp router-id 10.0.1.1
 no bgp ebgp-requires-policy
 neighbor 10.0.1.10 remote-as 65100
 neighbor 10.0.2.2 remote-as 65200
"
    );
    for n in 0..WATCHERS {
        let _ = writeln!(text, " neighbor 10.0.2.{} remote-as {}", 3 + n, 65301 + n);
    }
    text.push_str(" address-family ipv4 unicast\n  neighbor 10.0.1.10 route-map IN in\n");
    for n in 0..WATCHERS {
        let _ = writeln!(text, "  neighbor 10.0.2.{} route-map NOTHING out", 3 + n);
    }
    text.push_str(" exit-address-family\nexit\n");
    text
}

fn bird(preference: u32) -> String {
    let mut text = format!(
        "router id 10.0.1.1;\nprotocol device {{}}\nroa4 table roas;\nprotocol rpki {{ roa4 {{ table roas; }}; remote {CACHE} \
         port {CACHE_PORT}; retry keep 5; }}\n"
    );
    let mut peer = |name: String, local: &str, addr: String, asn: usize, policy: String| {
        let _ = writeln!(
            text,
            "protocol bgp {name} {{ local {local} as 65000; neighbor {addr} as {asn}; ipv4 {{ {policy} }}; }}"
        );
    };
    let take = format!(
        "import filter {{ bgp_local_pref = {preference}; if roa_check(roas, net, bgp_path.last) = ROA_INVALID then \
         bgp_local_pref = 50; accept; }}; export all;"
    );
    peer("sender".into(), "10.0.1.1", "10.0.1.10".into(), 65100, take);
    peer("receiver".into(), "10.0.2.1", "10.0.2.2".into(), 65200, "import all; export all;".into());
    for n in 0..WATCHERS {
        let policy = "import all; export none;".into();
        peer(format!("watcher{n}"), "10.0.2.1", format!("10.0.2.{}", 3 + n), 65301 + n, policy);
    }
    text
}
