//! BMP: what a collector is told of every table is what the table holds, from the start and after every change.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use topotests::daemon::{frr, ours};
use topotests::{Kind, Needs, Net, Result, Router, Tool, ensure, run, wait_until};

const PREFIXES: usize = 3000;
const PATIENCE: Duration = Duration::from_secs(60);

const MONITOR: &str = " bmp targets C
  bmp stats interval 500
  bmp monitor ipv4 unicast pre-policy
  bmp monitor ipv4 unicast post-policy
  bmp monitor ipv4 unicast loc-rib
  bmp monitor ipv4 unicast adj-rib-out
  bmp connect 10.0.3.2 port 1790 min-retry 100 max-retry 1000
 exit
";

fn config(preference: u32, bmp: &str) -> String {
    format!(
        "ip prefix-list SHORT seq 5 permit 0.0.0.0/0 le 20
route-map IN permit 10
 match ip address prefix-list SHORT
 set local-preference {preference}
exit
router bgp 65000
 bgp router-id 10.0.1.1
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor 10.0.1.10 remote-as 65100
 neighbor 10.0.2.2 remote-as 65200
 address-family ipv4 unicast
  network 192.0.2.0/24
  neighbor 10.0.1.10 route-map IN in
 exit-address-family
{bmp}exit
"
    )
}

struct Lab {
    router: Router,
    replay: Tool,
    sink: Tool,
    collector: Tool,
    /// Keeps its namespace.
    others: [Router; 3],
}

fn lab(net: &mut Net, bmp: &str) -> Result<Lab> {
    net.without_capture();
    let router = net.router("r1", Kind::Ours)?;
    let others = [
        net.router("sender", Kind::Host)?,
        net.router("receiver", Kind::Host)?,
        net.router("station", Kind::Host)?,
    ];
    let [sender, receiver, station] = &others;
    net.link(&router, "10.0.1.1/24", sender, "10.0.1.10/24")?;
    net.link(&router, "10.0.2.1/24", receiver, "10.0.2.2/24")?;
    net.link(&router, "10.0.3.1/24", station, "10.0.3.2/24")?;
    ours::start_daemons(&router, &config(100, bmp), &[("bgpd", &["-Z"])], "debugging")?;
    let mut collector = station.bmp_collect("10.0.3.2:1790")?;
    collector.wait_event("listening", PATIENCE)?;
    let mut sink =
        receiver.bgp_replay("sink --target 10.0.2.1 --from 10.0.2.2 --as 65200 --keep-attributes")?;
    sink.wait_event("all-established", PATIENCE)?;
    let mut replay = sender
        .bgp_replay(&format!("replay --target 10.0.1.1 --from 10.0.1.10 --as 65100 --generate {PREFIXES}"))?;
    replay.wait_event("sent", PATIENCE)?;
    Ok(Lab { router, replay, sink, collector, others })
}

fn state(collector: &mut Tool) -> Result<Value> {
    collector.tell("state")?;
    let event = collector.wait_event("state", Duration::from_secs(20))?;
    Ok(event.get("collector").cloned().unwrap_or_default())
}

fn prefixes(state: &Value, table: &str, peer: &str) -> u64 {
    let tables = state.get("tables").and_then(Value::as_array).cloned().unwrap_or_default();
    let is = |t: &&Value| {
        t.get("table").and_then(Value::as_str) == Some(table)
            && t.get("peer").and_then(Value::as_str) == Some(peer)
    };
    tables.iter().find(is).and_then(|t| t.get("prefixes")).and_then(Value::as_u64).unwrap_or(0)
}

/// What the router itself says of the table.
fn accepted(router: &Router) -> Result<u64> {
    let summary = router.vtysh_json("show bgp ipv4 unicast summary json")?;
    Ok(summary.pointer("/peers/10.0.1.10/pfxRcd").and_then(Value::as_u64).unwrap_or(0))
}

/// All four tables hold what they should.
fn complete(lab: &mut Lab, received: u64) -> Result<()> {
    let accepted = accepted(&lab.router)?;
    let state = state(&mut lab.collector)?;
    let got = [
        ("pre-policy", prefixes(&state, "pre-policy", "10.0.1.10"), received),
        ("post-policy", prefixes(&state, "post-policy", "10.0.1.10"), accepted),
        ("loc-rib", prefixes(&state, "loc-rib", "self"), accepted + 1),
        ("out", prefixes(&state, "out-post-policy", "10.0.2.2"), accepted + 1),
    ];
    for (table, got, wanted) in got {
        ensure!(got == wanted, "{table}: {got} prefixes instead of {wanted}");
    }
    let violations = state.get("violations").and_then(Value::as_object).map_or(1, serde_json::Map::len);
    ensure!(violations == 0, "{state}");
    Ok(())
}

#[test]
fn all_four_tables_follow_announcements_policy_and_withdrawals() {
    run(&Needs::ours(), |net| {
        let mut lab = lab(net, MONITOR)?;
        lab.collector.wait_event("connected", PATIENCE)?;
        wait_until(PATIENCE, "all tables are told", || {
            let accepted = accepted(&lab.router)?;
            ensure!(accepted > 0 && accepted < PREFIXES as u64, "{accepted} accepted");
            complete(&mut lab, PREFIXES as u64)
        })?;
        // What is sent is told as it was sent: the receiver's table and the collector's agree, attributes and all.
        let (mine, theirs) = (net.dir().join("heard.txt"), net.dir().join("told.txt"));
        let heard = lab.sink.dump(0, &mine)?;
        lab.collector.tell(&format!("dump out-post-policy 10.0.2.2 {}", theirs.display()))?;
        lab.collector.wait_event("dumped", PATIENCE)?;
        ensure!(
            heard == std::fs::read_to_string(&theirs)?,
            "the receiver heard something else than the collector"
        );
        // A policy changes every accepted route; statistics come by the way.
        ours::reload(&lab.router, &config(200, MONITOR))?;
        wait_until(PATIENCE, "the new preference is in the table", || {
            lab.collector.tell(&format!("dump loc-rib self {}", theirs.display()))?;
            lab.collector.wait_event("dumped", PATIENCE)?;
            let text = std::fs::read_to_string(&theirs)?;
            let new = text.lines().filter(|line| line.contains("|200|")).count() as u64;
            ensure!(new == accepted(&lab.router)?, "{new} routes have it");
            Ok(())
        })?;
        lab.replay.tell("withdraw")?;
        lab.replay.wait_event("withdrawn", PATIENCE)?;
        wait_until(PATIENCE, "all is withdrawn", || complete(&mut lab, 0))?;
        wait_until(PATIENCE, "statistics came", || {
            let state = state(&mut lab.collector)?;
            ensure!(state.get("statistics").and_then(Value::as_u64) > Some(1), "{state}");
            Ok(())
        })
    });
}

#[test]
fn a_collector_that_comes_late_or_again_is_told_everything_and_a_session_that_ends_is_told_too() {
    run(&Needs::ours(), |net| {
        let mut lab = lab(net, "")?;
        wait_until(PATIENCE, "the table is complete", || {
            let count = accepted(&lab.router)?;
            ensure!(count > 0, "{count}");
            Ok(())
        })?;
        // Routes that policy refused before somebody monitors them come with the next refresh.
        ours::reload(&lab.router, &config(100, MONITOR))?;
        lab.collector.wait_event("connected", PATIENCE)?;
        lab.router.vtysh("clear bgp 10.0.1.10 soft in")?;
        wait_until(PATIENCE, "all tables are told", || complete(&mut lab, PREFIXES as u64))?;
        ours::reload(&lab.router, &config(100, ""))?;
        lab.collector.wait_event("over", PATIENCE)?;
        ensure!(state(&mut lab.collector)?.get("terminated") == Some(&Value::Bool(true)), "no Termination");
        ours::reload(&lab.router, &config(100, MONITOR))?;
        lab.collector.wait_event("connected", PATIENCE)?;
        wait_until(PATIENCE, "all tables are told again", || complete(&mut lab, PREFIXES as u64))?;
        lab.router.vtysh("clear bgp 10.0.1.10")?;
        wait_until(PATIENCE, "the neighbour is down or up again", || {
            let state = state(&mut lab.collector)?;
            let up = state.pointer("/up/10.0.1.10").and_then(Value::as_bool);
            ensure!(prefixes(&state, "loc-rib", "self") == 1 || up == Some(false), "{up:?}");
            Ok(())
        })
    });
}

const MIRROR: &str = " bmp targets C
  bmp mirror
  bmp connect 10.0.3.2 port 1790 min-retry 100 max-retry 1000
 exit
";

#[test]
fn what_neighbours_say_is_mirrored_word_by_word() {
    run(&Needs::ours(), |net| {
        let mut lab = lab(net, MIRROR)?;
        lab.collector.wait_event("connected", PATIENCE)?;
        // What came before the station was there is said again.
        lab.router.vtysh("clear bgp 10.0.1.10 soft in")?;
        wait_until(PATIENCE, "every message of the sender is there", || {
            let state = state(&mut lab.collector)?;
            let got = prefixes(&state, "mirror", "10.0.1.10");
            ensure!(got == PREFIXES as u64, "{got} prefixes: {state}");
            let violations =
                state.get("violations").and_then(Value::as_object).map_or(1, serde_json::Map::len);
            ensure!(violations == 0, "{state}");
            Ok(())
        })?;
        // Policy has no part in it, and neither have tables.
        ensure!(accepted(&lab.router)? < PREFIXES as u64, "nothing was refused");
        ensure!(prefixes(&state(&mut lab.collector)?, "pre-policy", "10.0.1.10") == 0, "a table was told");
        lab.replay.tell("withdraw")?;
        lab.replay.wait_event("withdrawn", PATIENCE)?;
        wait_until(PATIENCE, "the withdrawals are there", || {
            let got = prefixes(&state(&mut lab.collector)?, "mirror", "10.0.1.10");
            ensure!(got == 0, "{got} left");
            Ok(())
        })
    });
}

const IMPORT: &str = " bmp targets C
  bmp monitor ipv4 unicast pre-policy
  bmp monitor ipv4 unicast loc-rib
  bmp monitor ipv4 unicast adj-rib-out
  bmp import-vrf-view red
  bmp connect 10.0.3.2 port 1790 min-retry 100 max-retry 1000
 exit
";

const RED: &str = "route-map NONE deny 10
exit
router bgp 65000 view red
 bgp router-id 10.0.3.1
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor 10.0.3.2 remote-as 65300
 address-family ipv4 unicast
  network 198.51.100.0/24
  network 203.0.113.0/24
  neighbor 10.0.3.2 route-map NONE in
 exit-address-family
exit
";

/// The instances whose tables are told, by their distinguishers, with what is known of each: routes, and its neighbour's
/// before policy and as they were sent.
fn instances(state: &Value) -> Vec<(String, [u64; 3])> {
    let tables = state.get("tables").and_then(Value::as_array).cloned().unwrap_or_default();
    let own = tables
        .iter()
        .filter_map(|table| table.get("peer")?.as_str()?.strip_prefix("self"))
        .map(str::to_owned);
    own.map(|suffix| {
        let neighbor = if suffix.is_empty() { "10.0.1.10" } else { "10.0.3.2" };
        let neighbor = format!("{neighbor}{suffix}");
        let counts = [
            prefixes(state, "loc-rib", &format!("self{suffix}")),
            prefixes(state, "pre-policy", &neighbor),
            prefixes(state, "out-post-policy", &neighbor),
        ];
        (suffix, counts)
    })
    .collect()
}

#[test]
fn the_tables_of_a_view_are_imported_under_a_distinguisher_of_their_own() {
    run(&Needs::ours(), |net| {
        let mut lab = lab(net, "")?;
        let both = |bmp: &str| format!("{}{RED}", config(100, bmp));
        ours::reload(&lab.router, &both(IMPORT))?;
        lab.collector.wait_event("connected", PATIENCE)?;
        let station = &lab.others[2];
        let mut red = station.bgp_replay(
            "replay --target 10.0.3.1 --from 10.0.3.2 --as 65300 --generate 100 --keep-attributes",
        )?;
        red.wait_event("sent", PATIENCE)?;
        let told = |collector: &mut Tool| {
            let state = state(collector)?;
            let violations =
                state.get("violations").and_then(Value::as_object).map_or(1, serde_json::Map::len);
            ensure!(violations == 0, "{state}");
            Ok(instances(&state))
        };
        let complete = |lab: &mut Lab| {
            let known = told(&mut lab.collector)?;
            let [(default, of_default), (view, of_view)] = &known[..] else {
                return Err(format!("{known:?}").into());
            };
            ensure!(default.is_empty() && view.starts_with('@'), "{known:?}");
            ensure!(of_default[0] > 2 && of_default[0] == accepted(&lab.router)? + 1, "{known:?}");
            ensure!(*of_view == [2, 100, 2], "{known:?}");
            Ok(())
        };
        wait_until(PATIENCE, "both instances are told", || complete(&mut lab))?;
        // The instance goes, and its peers with it; it comes back, and is told without a new connection.
        ours::reload(&lab.router, &config(100, IMPORT))?;
        wait_until(PATIENCE, "the view is gone", || {
            let known = told(&mut lab.collector)?;
            ensure!(known.len() == 1, "{known:?}");
            Ok(())
        })?;
        ours::reload(&lab.router, &both(IMPORT))?;
        wait_until(PATIENCE, "the view's own routes are told again", || {
            let known = told(&mut lab.collector)?;
            ensure!(
                known.iter().any(|(name, [routes, ..])| name.starts_with('@') && *routes == 2),
                "{known:?}"
            );
            Ok(())
        })?;
        // No longer imported: the station begins anew, with the default instance alone.
        ours::reload(&lab.router, &both(&IMPORT.replace("  bmp import-vrf-view red\n", "")))?;
        lab.collector.wait_event("over", PATIENCE)?;
        wait_until(PATIENCE, "the default instance alone is told", || {
            let known = told(&mut lab.collector)?;
            ensure!(known.len() == 1 && known[0].1[0] > 2, "{known:?}");
            Ok(())
        })
    });
}

/// A subject in one link with its station, which is the view's neighbour too.
fn importer(net: &mut Net, n: u8, kind: Kind) -> Result<(Router, Router, Tool)> {
    let router = net.router(&format!("r{n}"), kind)?;
    let station = net.router(&format!("w{n}"), Kind::Frr)?;
    net.link(&router, "10.0.3.1/24", &station, "10.0.3.2/24")?;
    let mut collector = station.bmp_collect("10.0.3.2:1790")?;
    collector.wait_event("listening", PATIENCE)?;
    let config = "router bgp 65000
 bgp router-id 10.0.3.1
 no bgp ebgp-requires-policy
 no bgp network import-check
 address-family ipv4 unicast
  network 192.0.2.0/24
 exit-address-family
 bmp targets C
  bmp monitor ipv4 unicast pre-policy
  bmp monitor ipv4 unicast loc-rib
  bmp import-vrf-view red
  bmp connect 10.0.3.2 port 1790 min-retry 100 max-retry 1000
 exit
exit
router bgp 65001 view red
 bgp router-id 10.0.3.9
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor 10.0.3.2 remote-as 65300
 address-family ipv4 unicast
  network 198.51.100.0/24
 exit-address-family
exit
";
    match kind {
        Kind::Ours => ours::start_daemons(&router, config, &[("bgpd", &["-Z"])], "informational")?,
        _ => frr::start_daemons(&router, config, &["zebra", "bgpd"], &["-M", "bmp"])?,
    }
    let world = "router bgp 65300
 bgp router-id 10.0.3.2
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor 10.0.3.1 remote-as 65001
 neighbor 10.0.3.1 timers connect 1
 address-family ipv4 unicast
  network 203.0.113.0/24
 exit-address-family
exit
";
    frr::start_daemons(&station, world, &["zebra", "bgpd"], &[])?;
    Ok((router, station, collector))
}

/// The headers of a kind, their distinguishers apart. FRR tells the peers of a view as the default instance's.
fn headers(state: &Value, kind: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let all = state.get("headers").and_then(Value::as_array).cloned().unwrap_or_default();
    let words = all.iter().filter_map(|header| {
        let words: Vec<&str> = header.as_str()?.split(' ').collect();
        let [message, peer_type, flags, distinguisher, rest @ ..] = &words[..] else { return None };
        let what = if *peer_type == "3" { "table" } else { "neighbor" };
        let shown = format!("{what} {flags} {}", rest.join(" "));
        (*message == kind).then(|| (shown, format!("{peer_type} {}", distinguisher.len() > 3)))
    });
    words.unzip()
}

#[test]
fn what_is_imported_of_a_view_has_the_headers_that_frr_gives_it() {
    run(&Needs::ours_and_peers(), |net| {
        let (_ours, _world, mut mine) = importer(net, 1, Kind::Ours)?;
        let (_frr, _other, mut theirs) = importer(net, 2, Kind::Frr)?;
        wait_until(PATIENCE, "both tell the same of every table", || {
            let (ours, frr) = (state(&mut mine)?, state(&mut theirs)?);
            let ((told, how), (expected, _)) = (headers(&ours, "monitoring"), headers(&frr, "monitoring"));
            // Tables of both instances, and the neighbour's.
            ensure!(expected.len() == 3 && told == expected, "FRR {expected:?}\nours {told:?}");
            // RFC 7854 §4.2, RFC 9069 §4.2: another instance is told apart; FRR's distinguisher of a view is zero.
            let ways: Vec<&str> = how.iter().map(String::as_str).collect();
            ensure!(ways == ["2 true", "3 false", "3 true"], "{how:?}");
            let (up, expected) = (headers(&ours, "up").0, headers(&frr, "up").0);
            // FRR does not announce the table of the view, which it tells of all the same.
            let own = "table 0x00 :: 65001 10.0.3.9 red".to_owned();
            let missing: Vec<&String> = up.symmetric_difference(&expected).collect();
            ensure!(missing == [&own], "FRR {expected:?}\nours {up:?}");
            Ok(())
        })
    });
}
