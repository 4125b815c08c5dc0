//! A route server and its clients: each announces its part of the table and hears everybody else's, each has an import and an
//! export policy of its own.
//!
//! Import of client `n` looks prefixes up in a list, marks them with the community `server:n` and sets a preference; export to it
//! refuses what came from itself or from the client after it, and what is marked `0:n` (RFC 7947 §2.3.2).

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;
use topotests::daemon::{frr, ours};
use topotests::{Net, Result, Router, ensure};

use crate::{Cli, Figures, Who, kind, millis, name, network};

const CLIENTS: usize = 200;
const SERVER_AS: usize = 65000;
const FIRST_AS: usize = 64000;
/// A whole table is divided by this: each prefix goes to all clients.
const SHARE: usize = 20;

pub fn title(prefixes: usize) -> String {
    format!(
        "route-server: {CLIENTS} clients with individual policies, {} prefixes from each to all",
        prefixes / SHARE / CLIENTS
    )
}

fn address(n: usize) -> String {
    format!("10.0.1.{}", 10 + n)
}

pub fn measure(cli: &Cli, who: Who, tell_origin: bool) -> Result<Figures> {
    let patience = Duration::from_secs(cli.patience);
    let each = cli.prefixes / SHARE / CLIENTS;
    let mut net = network("RouteServer", who)?;
    let (server, clients) = place(&mut net, who)?;
    match who {
        Who::Bird => server.start(&bird()),
        Who::Frr => frr::start_daemons(&server, &frr_conf(true), &["bgpd"], &["-Z"]),
        Who::Ours => ours::start_daemons(&server, &frr_conf(false), &[("bgpd", &["-Z"])], "warnings"),
        Who::Raw => Ok(()),
    }?;
    let expect = (CLIENTS - 2) * each;
    let mut replay = clients.bgp_replay(&format!(
        "replay --wait --target 10.0.1.1 --from {} --as {FIRST_AS} --peers {CLIENTS} --generate {each} --expect {expect} \
         --patience {}",
        address(0),
        cli.patience
    ))?;
    let origin = replay.wait_event("table", patience)?;
    if tell_origin {
        println!("  table: {}", origin.get("origin").cloned().unwrap_or_default());
    }
    replay.wait_event("all-established", patience)?;
    replay.tell("announce")?;
    let started = millis(&replay.wait_event("sending", patience)?);
    let mut ended = started;
    for _ in 0..CLIENTS {
        ended = ended.max(millis(&replay.wait_event("complete", patience)?));
    }
    let cost = server.cost_at_rest(patience)?;
    for session in replay.state()? {
        let count = session.get("prefixes").and_then(Value::as_u64);
        ensure!(count == Some(expect as u64), "{}: {session} should have {expect} prefixes", name(who));
    }
    Ok(Figures { time: Duration::from_millis(ended.saturating_sub(started)), cost })
}

fn place(net: &mut Net, who: Who) -> Result<(Router, Router)> {
    let (server, clients) = (net.router("server", kind(who))?, net.router("clients", topotests::Kind::Host)?);
    let addrs: Vec<String> = (0..CLIENTS).map(|n| format!("{}/24", address(n))).collect();
    net.link(&clients, &addrs.join(" "), &server, "10.0.1.1/24")?;
    Ok((server, clients))
}

fn frr_conf(tuned: bool) -> String {
    let mut text = String::from("log file /run/t/log/all.log warnings\n");
    if tuned {
        text.push_str("bgp input-queue-limit 4294967295\n");
    }
    text.push_str("ip prefix-list SANE seq 5 permit 0.0.0.0/0 le 32\n");
    for n in 0..CLIENTS {
        let next = (n + 1) % CLIENTS;
        let _ = write!(
            text,
            "bgp community-list standard FROM-{n} seq 5 permit {SERVER_AS}:{n}
bgp community-list standard NOT-{n} seq 5 permit 0:{n}
route-map IN-{n} permit 10
 match ip address prefix-list SANE
 set community {SERVER_AS}:{n} additive
 set local-preference {}
exit
route-map OUT-{n} deny 10
 match community FROM-{n}
exit
route-map OUT-{n} deny 20
 match community FROM-{next}
exit
route-map OUT-{n} deny 30
 match community NOT-{n}
exit
route-map OUT-{n} permit 40
exit
",
            100 + n
        );
    }
    let _ = writeln!(text, "router bgp {SERVER_AS}\n bgp router-id 10.0.1.1");
    for n in 0..CLIENTS {
        let (addr, asn) = (address(n), FIRST_AS + n);
        let _ = writeln!(text, " neighbor {addr} remote-as {asn}");
    }
    text.push_str(" address-family ipv4 unicast\n");
    for n in 0..CLIENTS {
        let addr = address(n);
        let _ = writeln!(
            text,
            "  neighbor {addr} route-server-client\n  neighbor {addr} route-map IN-{n} in\n  neighbor {addr} route-map OUT-{n} out"
        );
    }
    text.push_str(" exit-address-family\nexit\n");
    text
}

fn bird() -> String {
    let mut text = String::from("router id 10.0.1.1;\nprotocol device {}\n");
    for n in 0..CLIENTS {
        let (next, addr, asn, preference) = ((n + 1) % CLIENTS, address(n), FIRST_AS + n, 100 + n);
        let _ = write!(
            text,
            "filter in_{n} {{ if net ~ [ 0.0.0.0/0{{0,32}} ] then {{ bgp_community.add(({SERVER_AS},{n})); \
             bgp_local_pref = {preference}; accept; }} reject; }}
filter out_{n} {{ if ({SERVER_AS},{n}) ~ bgp_community then reject; if ({SERVER_AS},{next}) ~ bgp_community then reject; \
             if (0,{n}) ~ bgp_community then reject; accept; }}
protocol bgp client{n} {{ local 10.0.1.1 as {SERVER_AS}; neighbor {addr} as {asn}; rs client; \
             ipv4 {{ import filter in_{n}; export filter out_{n}; }}; }}
"
        );
    }
    text
}
