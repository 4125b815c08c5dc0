//! A route server configured whole, as generators for exchanges do it (arouteserver, IXP Manager): per client a map in and a map
//! out, a prefix list and an AS list from the IRR, control communities in both forms, blackholes, refused routes kept with the
//! reason; 22 clients, two of them FRR and BIRD with GTSM. Who hears what, and what a change of one client does to the others.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};
use topotests::daemon::ours;
use topotests::sandbox::output;
use topotests::{Kind, Needs, Net, Result, Router, Tool, ensure, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(60);
/// Clients that only listen: 65101 and on, from 10.0.0.101.
const LISTENERS: u32 = 20;
/// Entries of the IRR that nobody announces.
const IRR: u32 = 3000;

/// What holds for every client.
fn common(out: &mut String) {
    out.push_str(
        "ip prefix-list BOGONS seq 5 permit 10.0.0.0/8
ip prefix-list BOGONS seq 10 permit 192.168.0.0/16 le 32
ip prefix-list TOO-LONG seq 5 permit 0.0.0.0/0 ge 25
ip prefix-list HOST seq 5 permit 0.0.0.0/0 ge 32
bgp as-path access-list BOGON-AS seq 5 permit _(0|23456|64496)_
bgp community-list standard BLACKHOLE seq 5 permit blackhole
bgp community-list standard NOT-ANY seq 5 permit 0:65000
bgp community-list expanded CONTROL seq 5 permit ^(0|65000|65501):
bgp large-community-list expanded CONTROL seq 5 permit ^65000:(0|1):
",
    );
}

/// What a client may announce, and what it wants of others; `quiet`: nothing.
fn client(out: &mut String, asn: u32, prefixes: &[&str], quiet: bool) {
    let mut seq = 0;
    for n in 0..if prefixes.is_empty() { 0 } else { IRR } {
        seq += 1;
        let _ =
            writeln!(out, "ip prefix-list IRR-{asn} seq {seq} permit 172.{}.{}.0/24", 16 + n / 256, n % 256);
    }
    for prefix in prefixes {
        seq += 1;
        let _ = writeln!(out, "ip prefix-list IRR-{asn} seq {seq} permit {prefix}");
    }
    let end = if quiet { "deny" } else { "permit" };
    let _ = write!(
        out,
        "bgp as-path access-list ORIGIN-{asn} seq 5 permit ^{asn}(_{asn})*$
bgp community-list standard NOT-{asn} seq 5 permit 0:{asn}
bgp community-list standard ONLY-{asn} seq 5 permit 65000:{asn}
bgp community-list standard PREPEND-{asn} seq 5 permit 65501:{asn}
bgp large-community-list standard NOT-{asn} seq 5 permit 65000:0:{asn}
bgp large-community-list standard ONLY-{asn} seq 5 permit 65000:1:{asn}
route-map FROM-{asn} deny 10
 match as-path BOGON-AS
exit
route-map FROM-{asn} deny 20
 match ip address prefix-list BOGONS
exit
route-map FROM-{asn} deny 30
 match rpki invalid
exit
route-map FROM-{asn} permit 40
 match ip address prefix-list HOST
 match as-path ORIGIN-{asn}
 match community BLACKHOLE
 set ip next-hop 10.0.0.66
exit
route-map FROM-{asn} deny 50
 match ip address prefix-list TOO-LONG
exit
route-map FROM-{asn} permit 60
 match ip address prefix-list IRR-{asn}
 match as-path ORIGIN-{asn}
exit
route-map FROM-{asn} deny 70
exit
route-map TO-{asn} deny 10
 match community NOT-{asn}
exit
route-map TO-{asn} deny 11
 match large-community NOT-{asn}
exit
route-map TO-{asn} permit 20
 match community ONLY-{asn}
 set comm-list CONTROL delete
exit
route-map TO-{asn} permit 21
 match large-community ONLY-{asn}
 set large-comm-list CONTROL delete
exit
route-map TO-{asn} deny 30
 match community NOT-ANY
exit
route-map TO-{asn} permit 40
 match community PREPEND-{asn}
 set as-path prepend last-as 1
 set comm-list CONTROL delete
exit
route-map TO-{asn} {end} 50
 set comm-list CONTROL delete
 set large-comm-list CONTROL delete
exit
"
    );
}

/// The whole configuration; `quiet`: this client wants nothing any more.
fn config(quiet: Option<u32>) -> String {
    let mut out = String::new();
    common(&mut out);
    let listeners: Vec<(u32, u32)> = (1..=LISTENERS).map(|n| (65100 + n, 100 + n)).collect();
    let announced = ["10.2.0.0/16 le 24"];
    client(&mut out, 65002, &announced, false);
    client(&mut out, 65003, &["10.3.1.0/24"], false);
    for (asn, _) in &listeners {
        client(&mut out, *asn, &[], quiet == Some(*asn));
    }
    out.push_str("router bgp 65000\n bgp router-id 10.0.0.1\n no bgp enforce-first-as\n bgp bestpath compare-routerid\n");
    let clients = [(65002, 2), (65003, 3)].into_iter().chain(listeners);
    let clients: Vec<(u32, u32)> = clients.collect();
    for (asn, n) in &clients {
        let _ =
            writeln!(out, " neighbor 10.0.0.{n} remote-as {asn}\n neighbor 10.0.0.{n} description AS{asn}");
        let _ = writeln!(out, " neighbor 10.0.0.{n} timers connect 1");
        if *asn < 65100 {
            let _ = writeln!(out, " neighbor 10.0.0.{n} ttl-security hops 1");
        }
    }
    out.push_str(" address-family ipv4 unicast\n");
    for (asn, n) in &clients {
        let _ = write!(
            out,
            "  neighbor 10.0.0.{n} route-server-client
  neighbor 10.0.0.{n} route-map FROM-{asn} in
  neighbor 10.0.0.{n} route-map TO-{asn} out
  neighbor 10.0.0.{n} maximum-prefix 100
  neighbor 10.0.0.{n} reject-community 65000:65666
"
        );
    }
    out.push_str(" exit-address-family\nexit\n");
    out
}

/// What FRR announces, with what it asks of the route server.
const ASKED: &[(&str, &str)] = &[
    ("10.2.1.0/24", "community 65002:1"),
    ("10.2.2.0/24", "community 0:65101"),
    ("10.2.3.0/24", "community 0:65000 65000:65102"),
    ("10.2.4.0/24", "large-community 65000:0:65103"),
    ("10.2.5.0/24", "community 65501:65104"),
    ("10.2.8.0/24", "community no-export"),
    ("10.2.1.10/32", "community 65002:1"),
    ("10.9.9.0/24", "community 65002:1"),
    ("10.0.0.0/8", "community 65002:1"),
];

fn frr() -> String {
    let mut out = String::new();
    for (n, (prefix, set)) in ASKED.iter().enumerate() {
        let _ = write!(
            out,
            "ip prefix-list P{n} permit {prefix}\nroute-map OUT permit {}\n match ip address prefix-list P{n}\n set {set}\nexit\n",
            n + 1
        );
    }
    out.push_str(
        "router bgp 65002
 bgp router-id 10.0.0.2
 no bgp ebgp-requires-policy
 no bgp network import-check
 no bgp enforce-first-as
 neighbor 10.0.0.1 remote-as 65000
 neighbor 10.0.0.1 timers connect 1
 neighbor 10.0.0.1 ttl-security hops 1
 address-family ipv4 unicast
  neighbor 10.0.0.1 route-map OUT out
",
    );
    ASKED.iter().for_each(|(prefix, _)| {
        let _ = writeln!(out, "  network {prefix}");
    });
    out + " exit-address-family\nexit\n"
}

const BIRD: &str = "router id 10.0.0.3;
protocol device {}
protocol static {
  ipv4;
  route 10.3.1.0/24 blackhole;
  route 10.3.1.9/32 blackhole { bgp_community.add((65535, 666)); };
}
protocol bgp rs {
  local 10.0.0.3 as 65003;
  neighbor 10.0.0.1 as 65000;
  connect retry time 1;
  connect delay time 1;
  enforce first as off;
  ttl security on;
  ipv4 { import all; export where source = RTS_STATIC; };
}
";

/// What a listener holds: AS path by prefix.
fn held(tool: &mut Tool, server: &Router, peer: u32) -> Result<BTreeMap<String, String>> {
    let text = tool.dump(peer as usize, &server.dir().join("log/heard.txt"))?;
    let rows = text.lines().filter_map(|line| {
        let mut parts = line.split('|');
        Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
    });
    Ok(rows.collect())
}

/// UPDATE messages of each listener, and whether it is up.
fn heard(tool: &mut Tool) -> Result<Vec<(u64, bool)>> {
    let state = tool.state()?;
    let one = |session: &Value| {
        let updates = session.pointer("/counts/updates").and_then(Value::as_u64).unwrap_or(0);
        (updates, session.get("up").and_then(Value::as_bool) == Some(true))
    };
    Ok(state.iter().map(one).collect())
}

fn network(net: &mut Net) -> Result<(Router, Router, Router, Tool)> {
    let server = net.router("rs", Kind::Ours)?;
    let frr_client = net.router("c2", Kind::Frr)?;
    let bird = net.router("c3", Kind::Bird)?;
    let host = net.router("c", Kind::Host)?;
    let addrs: Vec<String> = (1..=LISTENERS).map(|n| format!("10.0.0.{}/24", 100 + n)).collect();
    let addrs = addrs.join(" ");
    net.lan(
        "ixp",
        &[(&server, "10.0.0.1/24"), (&frr_client, "10.0.0.2/24"), (&bird, "10.0.0.3/24"), (&host, &addrs)],
    )?;
    let text = config(None);
    let path = server.write("etc/new.conf", &text)?;
    server.start("hostname rs\n")?;
    let checked = output(server.vtysh_command()?.args(["-C", "-f", &path]))?;
    ensure!(checked.status.success(), "the check refuses it: {checked:?}");
    ours::reload(&server, &text)?;
    frr_client.start(&frr())?;
    bird.start(BIRD)?;
    let listeners = host.bgp_replay(&format!(
        "sink --target 10.0.0.1 --from 10.0.0.101 --as 65101 --peers {LISTENERS} --keep-attributes"
    ))?;
    server.wait_bgp_established("10.0.0.2")?;
    server.wait_bgp_established("10.0.0.3")?;
    Ok((server, frr_client, bird, listeners))
}

/// What a client without wishes about it hears of each, with its AS path.
fn plain() -> BTreeMap<String, String> {
    let all = ["10.2.1.0/24", "10.2.2.0/24", "10.2.4.0/24", "10.2.5.0/24"];
    let mut heard: BTreeMap<String, String> =
        all.into_iter().map(|prefix| (prefix.to_owned(), "65002".to_owned())).collect();
    heard.insert("10.3.1.0/24".into(), "65003".into());
    heard
}

fn expected(asn: u32) -> BTreeMap<String, String> {
    let mut heard = plain();
    match asn {
        65101 => drop(heard.remove("10.2.2.0/24")),
        65102 => drop(heard.insert("10.2.3.0/24".into(), "65002".into())),
        65103 => drop(heard.remove("10.2.4.0/24")),
        65104 => drop(heard.insert("10.2.5.0/24".into(), "65002 65002".into())),
        _ => {}
    }
    heard
}

#[test]
fn a_generated_configuration_tells_each_client_what_the_others_want() {
    run(&Needs::ours_and_peers(), |net| {
        let (server, frr_client, bird, mut listeners) = network(net)?;
        for n in 0..LISTENERS {
            let asn = 65101 + n;
            wait_until(PATIENCE, &format!("client {asn} hears what it is to hear"), || {
                let held = held(&mut listeners, &server, n)?;
                ensure!(held == expected(asn), "{held:?}");
                Ok(())
            })?;
        }
        wait_until(PATIENCE, "FRR and BIRD hear of each other", || {
            frr_client.bgp_route("10.3.1.0/24")?;
            bird.bgp_route("10.2.1.0/24").map(drop)
        })?;
        refused(&server)?;
        one_client_changes(&server, &mut listeners)
    });
}

/// Refused routes are kept with the entry that refuses them; what is not sent says why.
fn refused(server: &Router) -> Result<()> {
    let show = "show bgp ipv4 unicast neighbors 10.0.0.2 filtered-routes detail json";
    let json = server.vtysh_json(show)?;
    let reasons = [("10.0.0.0/8", 1020), ("10.2.1.10/32", 1050), ("10.9.9.0/24", 1070)];
    let table = json.get("receivedRoutes").and_then(Value::as_object).cloned().unwrap_or_default();
    ensure!(table.len() == reasons.len(), "{table:?}");
    for (prefix, number) in reasons {
        let text = table.get(prefix).and_then(|row| row.pointer("/paths/0/largeCommunity/string"));
        ensure!(text == Some(&json!(format!("65000:65666:{number}"))), "{prefix}: {text:?}");
    }
    let show = "show bgp ipv4 unicast neighbors 10.0.0.101 not-advertised-routes detail json";
    let json = server.vtysh_json(show)?;
    let reason = |prefix: &str| {
        let row = json.get("notAdvertisedRoutes").and_then(|table| table.get(prefix));
        row.and_then(|row| row.pointer("/paths/0/notAdvertisedReason")).cloned().unwrap_or_default()
    };
    for (prefix, why) in [("10.2.2.0/24", "policy"), ("10.2.3.0/24", "policy"), ("10.2.8.0/24", "community")]
    {
        ensure!(reason(prefix) == json!(why), "{prefix}: {}", reason(prefix));
    }
    let json = server.vtysh_json("show bgp ipv4 unicast neighbors 10.0.0.2 prefix-counts json")?;
    ensure!(json.get("pfxCounter") == Some(&json!(6)), "{json}");
    // 10.3.1.9/32 is within 10.3.1.0/24; all others are apart.
    let json = server.vtysh_json("show bgp ipv4 unicast statistics json")?;
    let row = json.pointer("/ipv4Unicast/0").cloned().unwrap_or_default();
    let numbers = json!({ "totalPrefixes": 8, "unaggregateablePrefixes": 7, "longestAsPath": 1 });
    topotests::json_contains(&numbers, &row)
}

/// The others are told nothing, and no session is reset.
fn one_client_changes(server: &Router, listeners: &mut Tool) -> Result<()> {
    let before = heard(listeners)?;
    ensure!(before.len() == LISTENERS as usize && before.iter().all(|(_, up)| *up), "all are up: {before:?}");
    ours::reload(server, &config(Some(65105)))?;
    wait_until(PATIENCE, "client 65105 hears nothing any more", || {
        let held = held(listeners, server, 4)?;
        ensure!(held.is_empty(), "{held:?}");
        Ok(())
    })?;
    let after = heard(listeners)?;
    for (n, (before, after)) in before.iter().zip(&after).enumerate().filter(|(n, _)| *n != 4) {
        ensure!(before == after, "client {} was told something: {before:?}, then {after:?}", 65101 + n);
    }
    ensure!(after.iter().all(|(_, up)| *up), "a session was reset: {after:?}");
    Ok(())
}
