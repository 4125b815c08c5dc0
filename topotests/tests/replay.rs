//! The tool that speaks BGP as many peers, proven on FRR and BIRD before it judges ours.

use std::fmt::Write as _;
use std::time::Duration;

use topotests::bgp::speaker::{Source, plan};
use topotests::{Kind, Needs, Net, Result, Router, Tool, data, ensure, run, wait_until};

const PATIENCE: Duration = Duration::from_mins(2);

/// A router of AS 65000 between senders (10.0.1.10 and up) and a receiver (10.0.2.2, AS 65200).
fn between(net: &mut Net, kind: Kind) -> Result<(Router, Router, Router)> {
    net.without_capture();
    let sender = net.router("sender", Kind::Host)?;
    let router = net.router("router", kind)?;
    let receiver = net.router("receiver", Kind::Host)?;
    let addrs: Vec<String> = (10..20).map(|n| format!("10.0.1.{n}/24")).collect();
    net.link(&sender, &addrs.join(" "), &router, "10.0.1.1/24")?;
    net.link(&receiver, "10.0.2.2/24", &router, "10.0.2.1/24")?;
    Ok((sender, router, receiver))
}

fn frr(senders: &[(String, u32)]) -> String {
    let mut text = String::from("router bgp 65000\n bgp router-id 10.0.1.1\n no bgp ebgp-requires-policy\n");
    for (addr, asn) in senders {
        let _ = writeln!(text, " neighbor {addr} remote-as {asn}");
    }
    text + " neighbor 10.0.2.2 remote-as 65200\n neighbor 10.0.2.2 timers connect 2\n"
}

fn receive(receiver: &Router, expect: usize) -> Result<Tool> {
    receiver.bgp_replay(&format!(
        "sink --target 10.0.2.1 --from 10.0.2.2 --as 65200 --keep-attributes --expect {expect}"
    ))
}

/// No rule of BGP was broken towards any session.
fn no_violations(tool: &mut Tool) -> Result<()> {
    for session in tool.state()? {
        let violations = session.get("violations").and_then(|v| v.as_object());
        ensure!(violations.is_some_and(serde_json::Map::is_empty), "violations: {session}");
    }
    Ok(())
}

#[test]
fn a_generated_table_sent_through_frr_arrives_whole_and_is_withdrawn_again() {
    run(&Needs::peers(), |net| {
        let (sender, router, receiver) = between(net, Kind::Frr)?;
        let senders: Vec<(String, u32)> = (0..3).map(|n| (format!("10.0.1.{}", 10 + n), 65100 + n)).collect();
        router.start(&frr(&senders))?;
        let mut sink = receive(&receiver, 6000)?;
        sink.wait_event("all-established", PATIENCE)?;
        let args = "replay --target 10.0.1.1 --from 10.0.1.10 --as 65100 --peers 3 --generate 2000";
        let mut replay = sender.bgp_replay(args)?;
        replay.wait_event("sent", PATIENCE)?;
        sink.wait_event("complete", PATIENCE)?;
        no_violations(&mut sink)?;
        let text = sink.dump(0, &net.dir().join("received.txt"))?;
        ensure!(text.lines().count() == 6000, "{} lines", text.lines().count());
        let first = text.lines().next().unwrap_or_default();
        ensure!(first.contains("|65000 6510") && first.contains("|10.0.2.1|"), "{first}");
        replay.tell("withdraw")?;
        wait_until(PATIENCE, "all is withdrawn", || {
            let state = sink.state()?;
            let left = state.first().and_then(|s| s.get("prefixes")).and_then(serde_json::Value::as_u64);
            ensure!(left == Some(0), "{left:?} prefixes left");
            Ok(())
        })?;
        replay.stop()
    });
}

#[test]
fn a_real_dump_sent_through_bird_keeps_every_path_of_its_feed() {
    run(&Needs { data: true, ..Needs::peers() }, |net| {
        let file = data::file("mrt/bird-mrtdump_rib.mrt").ok_or("the data folder has no such dump")?;
        let source = Source::Dump { file: file.clone(), feeds: 1 };
        let (plans, _) = plan(&source, "10.0.1.10".parse().map_err(|_| "address")?, 0)?;
        let feed = plans.first().ok_or("the dump has no IPv4 feed")?;
        let (sender, router, receiver) = between(net, Kind::Bird)?;
        let asn = feed.asn;
        router.start(&format!(
            "router id 10.0.1.1;
protocol device {{}}
protocol bgp a {{ local 10.0.1.1 as 65530; neighbor 10.0.1.10 as {asn}; ipv4 {{ import all; export all; }}; }}
protocol bgp b {{ local 10.0.2.1 as 65530; neighbor 10.0.2.2 as 65200; ipv4 {{ import all; export all; }}; }}"
        ))?;
        let mut sink = receive(&receiver, feed.prefixes)?;
        sink.wait_event("all-established", PATIENCE)?;
        let args = format!("replay --target 10.0.1.1 --from 10.0.1.10 --feeds 1 --mrt {}", file.display());
        let mut replay = sender.bgp_replay(&args)?;
        replay.wait_event("sent", PATIENCE)?;
        sink.wait_event("complete", PATIENCE)?;
        no_violations(&mut sink)?;
        let text = sink.dump(0, &net.dir().join("received.txt"))?;
        ensure!(text.lines().all(|l| l.contains(&format!("|65530 {asn}"))), "{text}");
        replay.stop()
    });
}

#[test]
fn raw_octets_reach_the_router_and_its_answer_comes_back() {
    run(&Needs::peers(), |net| {
        let (sender, router, _) = between(net, Kind::Frr)?;
        router.start(&frr(&[("10.0.1.10".to_owned(), 65100)]))?;
        let mut raw = sender.bgp_replay("raw --target 10.0.1.1 --from 10.0.1.10 --as 65100")?;
        raw.wait_event("established", PATIENCE)?;
        // A message of an unknown type: FRR must answer with NOTIFICATION 1/3, bad message type.
        raw.tell(&format!("{} 0013 09", "ff".repeat(16)))?;
        let answer = raw.wait_for("NOTIFICATION", PATIENCE, |e| e.get("type").is_some_and(|t| t == 3))?;
        let octets = answer.get("hex").and_then(|h| h.as_str()).unwrap_or_default();
        ensure!(octets.starts_with("0103"), "{answer}");
        raw.wait_event("closed", PATIENCE).map(drop)
    });
}
