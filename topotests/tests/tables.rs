//! Real tables: every feed of a route collector's dump as a peer, through our bgpd and zebra into the kernel, and on to
//! FRR, BIRD and a strict receiver. Afterwards all of them hold the same prefixes, with the paths that BGP demands.
//!
//! Without the data folder a generated table of the same shape takes the dumps' place, and the output says so.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use rustc_hash::FxHashMap;
use serde_json::Value;
use topotests::bgp::Prefix;
use topotests::bgp::attrs;
use topotests::bgp::table::{Table, feeds, generate};
use topotests::{Family, Kind, Needs, Net, Result, Router, Tool, data, ensure, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(600);

struct Layout {
    family: Family,
    router: Router,
    sender: Router,
    frr: Router,
    bird: Router,
    receiver: Router,
}

/// Addresses of the router towards senders, FRR, BIRD and the receiver; each neighbour has the next one.
fn near(family: Family, n: usize) -> String {
    match family {
        Family::V4 => format!("10.0.{n}.1"),
        Family::V6 => format!("2001:db8:{n}::1"),
    }
}

fn far(family: Family, n: usize, host: usize) -> String {
    match family {
        Family::V4 => format!("10.0.{n}.{host}"),
        Family::V6 => format!("2001:db8:{n}::{host:x}"),
    }
}

/// The router's neighbours: senders from host number 16 up with their AS numbers.
fn build(net: &mut Net, family: Family, senders: &[u32]) -> Result<Layout> {
    net.without_capture();
    let len = if family == Family::V4 { 24 } else { 64 };
    let router = net.router("router", Kind::Ours)?;
    let sender = net.router("sender", Kind::Host)?;
    let (frr, bird) = (net.router("frr", Kind::Frr)?, net.router("bird", Kind::Bird)?);
    let receiver = net.router("receiver", Kind::Host)?;
    let hosts: Vec<String> =
        (0..senders.len()).map(|i| format!("{}/{len}", far(family, 1, 16 + i))).collect();
    net.link(&router, &format!("{}/{len}", near(family, 1)), &sender, &hosts.join(" "))?;
    for (n, neighbor) in [(2, &frr), (3, &bird), (4, &receiver)] {
        net.link(
            &router,
            &format!("{}/{len}", near(family, n)),
            neighbor,
            &format!("{}/{len}", far(family, n, 2)),
        )?;
    }
    let word = family.word();
    let mut conf = String::from(
        "router bgp 65000\n bgp router-id 10.0.1.1\n no bgp ebgp-requires-policy\n no bgp default ipv4-unicast\n",
    );
    let mut names: Vec<(String, u32)> =
        (0..).map(|i| far(family, 1, 16 + i)).zip(senders.iter().copied()).collect();
    names.extend([(far(family, 2, 2), 65202), (far(family, 3, 2), 65203), (far(family, 4, 2), 65204)]);
    for (addr, asn) in &names {
        let _ = writeln!(conf, " neighbor {addr} remote-as {asn}\n neighbor {addr} timers connect 2");
    }
    let _ = writeln!(conf, " address-family {word} unicast");
    for (addr, _) in &names {
        let _ = writeln!(conf, "  neighbor {addr} activate");
    }
    conf.push_str(" exit-address-family\n");
    if router.kind() == Kind::Frr {
        conf.insert_str(0, "bgp input-queue-limit 4294967295\n"); // it would stop reading for a keepalive interval
    }
    frr.start(&format!(
        "bgp input-queue-limit 4294967295\nrouter bgp 65202\n bgp router-id 10.0.2.2\n no bgp ebgp-requires-policy\n \
         no bgp default ipv4-unicast\n neighbor {0} remote-as 65000\n neighbor {0} timers connect 2\n \
         address-family {word} unicast\n neighbor {0} activate\n",
        near(family, 2)
    ))?;
    bird.start(&format!(
        "router id 10.0.3.2;\nprotocol device {{}}\nprotocol bgp up {{ local as 65203; neighbor {} as 65000; \
         {word} {{ import all; export none; }}; }}\n",
        near(family, 3)
    ))?;
    start_quietly(&router, &conf)?;
    Ok(Layout { family, router, sender, frr, bird, receiver })
}

/// Whole tables and debug logs do not go together.
fn start_quietly(router: &Router, conf: &str) -> Result<()> {
    if router.kind() != Kind::Ours {
        return router.start(conf);
    }
    topotests::daemon::ours::start_daemons(router, conf, &[("zebra", &[]), ("bgpd", &[])], "warnings")
}

/// What the senders offer: for each prefix, its candidates as (sender, path without the router's AS, …) text.
type Offers = FxHashMap<Prefix, Vec<Candidate>>;

#[derive(Clone, Debug)]
struct Candidate {
    sender: usize,
    hops: usize,
    origin: u8,
    /// AS path and communities as a receiver behind the router must see them.
    path: String,
    communities: String,
}

fn offers(senders: &[(u32, Table)]) -> Result<Offers> {
    let mut all = Offers::default();
    for (sender, (asn, table)) in senders.iter().enumerate() {
        for (octets, prefixes) in &table.groups {
            let sent = attrs::for_ebgp(octets, *asn, false)?;
            let candidate = candidate(sender, &sent)?;
            // A router drops a path that it stands in, and so does every receiver behind it.
            if candidate.path.split([' ', '{', '}', ',']).any(|word| word == "65000") {
                continue;
            }
            for prefix in prefixes {
                all.entry(*prefix).or_default().push(candidate.clone());
            }
        }
    }
    Ok(all)
}

fn candidate(sender: usize, sent: &[u8]) -> Result<Candidate> {
    let list = attrs::split(sent)?;
    let value = |code: u8| list.iter().find(|a| a.code == code).map(|a| a.value).unwrap_or_default();
    let segments = attrs::path_segments(value(attrs::AS_PATH))?;
    // A set counts as one (RFC 4271 §9.1.2.2).
    let hops = segments.iter().map(|(kind, numbers)| if *kind == 1 { 1 } else { numbers.len() }).sum();
    let text = attrs::text(sent)?;
    let columns: Vec<&str> = text.split('|').collect();
    let column = |n: usize| columns.get(n).copied().unwrap_or_default().to_owned();
    let origin = value(attrs::ORIGIN).first().copied().unwrap_or(2);
    Ok(Candidate { sender, hops, origin, path: column(0), communities: column(2) })
}

/// The candidates that no rule of the decision process before "older or lower identifier" tells apart.
fn best(candidates: &[Candidate]) -> Vec<&Candidate> {
    let hops = candidates.iter().map(|c| c.hops).min().unwrap_or(0);
    let shortest = candidates.iter().filter(|c| c.hops == hops);
    let origin = shortest.clone().map(|c| c.origin).min().unwrap_or(0);
    shortest.filter(|c| c.origin == origin).collect()
}

/// Brings the senders up, waits for the receiver to have everything, then compares all tables.
fn flow(layout: &Layout, senders: &[(u32, Table)], replay_args: &str) -> Result<()> {
    let offers = offers(senders)?;
    let family = layout.family;
    let mut sink = layout.receiver.bgp_replay(&format!(
        "sink --target {} --from {} --as 65204 --keep-attributes --expect {}",
        near(family, 4),
        far(family, 4, 2),
        offers.len()
    ))?;
    sink.wait_event("all-established", PATIENCE)?;
    layout.frr.wait_bgp_established(&near(family, 2))?;
    layout.bird.wait_bgp_established(&near(family, 3))?;
    let target = near(family, 1);
    let from = far(family, 1, 16);
    let mut replay =
        layout.sender.bgp_replay(&format!("replay --target {target} --from {from} {replay_args}"))?;
    replay.wait_event("sent", PATIENCE)?;
    sink.wait_event("complete", PATIENCE)?;
    settle(&mut sink)?;
    check_receiver(layout, &mut sink, &offers)?;
    check_kernel(layout, &offers)?;
    check_neighbors(layout, offers.len())?;
    replay.tell("withdraw")?;
    wait_until(PATIENCE, "all is withdrawn", || {
        let left = prefixes(&mut sink)?;
        ensure!(left == 0, "{left} prefixes left");
        let kernel = layout.router.kernel_count(family, "bgp")?;
        ensure!(kernel == 0, "{kernel} routes left in the kernel");
        Ok(())
    })
}

fn prefixes(sink: &mut Tool) -> Result<u64> {
    let state = sink.state()?;
    Ok(state.first().and_then(|s| s.get("prefixes")).and_then(Value::as_u64).unwrap_or(0))
}

/// Waits until the receiver hears nothing new for two seconds: better paths may follow the first ones.
fn settle(sink: &mut Tool) -> Result<()> {
    let updates = |sink: &mut Tool| -> Result<Value> {
        Ok(sink.state()?.first().and_then(|s| s.pointer("/counts/updates").cloned()).unwrap_or_default())
    };
    let mut last = (updates(sink)?, std::time::Instant::now());
    wait_until(PATIENCE, "the receiver hears nothing new", || {
        let now = updates(sink)?;
        if now != last.0 {
            last = (now, std::time::Instant::now());
        }
        ensure!(last.1.elapsed() > Duration::from_secs(2), "updates still come");
        Ok(())
    })
}

/// Every prefix once, on one of its best paths, with that path's communities, and the router as next hop.
fn check_receiver(layout: &Layout, sink: &mut Tool, offers: &Offers) -> Result<()> {
    let state = sink.state()?;
    let clean =
        |s: &Value| s.get("violations").and_then(Value::as_object).is_some_and(serde_json::Map::is_empty);
    ensure!(state.iter().all(clean), "the router broke rules: {state:?}");
    let text = sink.dump(0, &layout.receiver.dir().join("log/heard.txt"))?;
    let own = near(layout.family, 4);
    let mut wrong = Vec::new();
    let mut seen = 0;
    for line in text.lines() {
        let columns: Vec<&str> = line.split('|').collect();
        let [prefix, path, hop, communities, ..] = columns.as_slice() else { continue };
        let candidates = offers.get(&prefix.parse::<Prefix>()?).map(Vec::as_slice).unwrap_or_default();
        let fits = |c: &&Candidate| *path == format!("65000 {}", c.path) && *communities == c.communities;
        seen += 1;
        if *hop != own || !best(candidates).iter().any(fits) {
            wrong.push(format!("{line}, candidates {:?}", best(candidates)));
        }
    }
    ensure!(seen == offers.len(), "{seen} prefixes instead of {}", offers.len());
    let shown = wrong.iter().take(3).cloned().collect::<Vec<_>>().join("\n");
    ensure!(wrong.is_empty(), "{} prefixes on wrong paths, such as\n{shown}", wrong.len());
    Ok(())
}

/// The router's kernel has exactly the prefixes, each through a sender that offers it.
fn check_kernel(layout: &Layout, offers: &Offers) -> Result<()> {
    wait_until(PATIENCE, "the kernel has as many routes", || {
        let count = layout.router.kernel_count(layout.family, "bgp")?;
        ensure!(count == offers.len(), "{count} of {}", offers.len());
        Ok(())
    })?;
    let routes = layout.router.kernel_routes(layout.family)?;
    let mut wrong = Vec::new();
    for (prefix, candidates) in offers {
        let gateways: BTreeSet<String> =
            best(candidates).iter().map(|c| far(layout.family, 1, 16 + c.sender)).collect();
        let route = routes.get(&prefix.to_string());
        // The kernel may know an IPv6 gateway by its link-local address.
        let fits = |g: &&str| gateways.contains(*g) || g.starts_with("fe80:");
        if !route.is_some_and(|r| !r.gateways().is_empty() && r.gateways().iter().all(fits)) {
            wrong.push(format!("{prefix}: {route:?}, should be one of {gateways:?}"));
        }
    }
    let shown = wrong.iter().take(3).cloned().collect::<Vec<_>>().join("\n");
    ensure!(wrong.is_empty(), "{} kernel routes are wrong, such as\n{shown}", wrong.len());
    Ok(())
}

/// FRR and BIRD count as many prefixes.
fn check_neighbors(layout: &Layout, wanted: usize) -> Result<()> {
    wait_until(PATIENCE, "FRR has all", || {
        let summary = layout.frr.vtysh_json("show bgp summary json")?;
        let pointer = format!(
            "/{}Unicast/peers/{}/pfxRcd",
            layout.family.word(),
            near(layout.family, 2).replace('/', "~1")
        );
        let count = summary.pointer(&pointer).and_then(Value::as_u64).unwrap_or(0);
        ensure!(count as usize == wanted, "FRR has {count} of {wanted}");
        Ok(())
    })?;
    wait_until(PATIENCE, "BIRD has all", || {
        let table = if layout.family == Family::V4 { "master4" } else { "master6" };
        let text = layout.bird.birdc(&format!("show route table {table} count"))?;
        let found = text.contains(&format!("{wanted} of {wanted} routes for {wanted} networks"));
        ensure!(found, "{}", text.trim());
        Ok(())
    })
}

/// The dump's feeds and the arguments that replay them; or as many generated ones of the same size.
fn feeds_or_generated(family: Family, file: &str, made: usize) -> Result<(Vec<(u32, Table)>, String)> {
    if let Some(path) = data::file(file) {
        let feeds = feeds(&data::read(&path)?, family)?;
        return Ok((feeds, format!("--mrt {}", path.display())));
    }
    eprintln!("no data folder: a generated table of {made} prefixes stands in for {file}");
    let tables = (0..2).map(|n| Ok((65100 + n as u32, generate(family, made, 1, n)?.0)));
    Ok((tables.collect::<Result<_>>()?, format!("--as 65100 --peers 2 --generate {made} --same --seed 1")))
}

fn replay_real(net: &mut Net, family: Family, file: &str, made: usize) -> Result<()> {
    let (senders, args) = feeds_or_generated(family, file, made)?;
    let numbers: Vec<u32> = senders.iter().map(|(asn, _)| *asn).collect();
    let layout = build(net, family, &numbers)?;
    flow(&layout, &senders, &args)
}

#[test]
fn a_real_ipv4_table_of_several_feeds_is_the_same_everywhere() {
    run(&Needs::ours_and_peers(), |net| {
        replay_real(net, Family::V4, "mrt/rib.rrc06.20100701.0759.reencoded.mrt.gz", 323_487)
    });
}

#[test]
fn a_real_ipv6_table_of_27_feeds_is_the_same_everywhere() {
    run(&Needs::ours_and_peers(), |net| {
        replay_real(net, Family::V6, "mrt/rib.route-views6.20150922.1200.bz2", 25_878)
    });
}

#[test]
fn a_table_of_todays_size_goes_through_and_into_the_kernel() {
    run(&Needs::ours_and_peers(), |net| {
        let made = vec![(65100, generate(Family::V4, 901_899, 1, 0)?.0)];
        let layout = build(net, Family::V4, &[65100])?;
        flow(&layout, &made, "--as 65100 --generate 901899 --seed 1")
    });
}

#[test]
fn an_ipv6_table_of_todays_size_goes_through_and_into_the_kernel() {
    run(&Needs::ours_and_peers(), |net| {
        let made = vec![(65100, generate(Family::V6, 160_147, 1, 0)?.0)];
        let layout = build(net, Family::V6, &[65100])?;
        flow(&layout, &made, "--as 65100 --generate 160147 --seed 1")
    });
}

/// Plays a file of real UPDATEs, one session per peer, and compares the tables at the end.
fn updates(net: &mut Net, family: Family, file: &str) -> Result<()> {
    let path = data::file(file).ok_or("the data folder has no such file")?;
    let streams = topotests::bgp::mrt::read_updates(&data::read(&path)?)?;
    let version = |addr: &IpAddr| if addr.is_ipv4() { Family::V4 } else { Family::V6 };
    let senders: Vec<u32> = streams.keys().filter(|p| version(&p.addr) == family).map(|p| p.asn).collect();
    let mut held: BTreeMap<Prefix, BTreeSet<usize>> = BTreeMap::new();
    for (n, (_, stream)) in streams.iter().filter(|(p, _)| version(&p.addr) == family).enumerate() {
        for (body, _) in &stream.updates {
            let update = topotests::bgp::update::decode(body)?;
            for prefix in update.withdrawn.iter().filter(|p| p.family == family) {
                held.entry(*prefix).or_default().remove(&n);
            }
            for prefix in update.announced.iter().filter(|p| p.family == family) {
                held.entry(*prefix).or_default().insert(n);
            }
        }
    }
    let wanted = held.values().filter(|peers| !peers.is_empty()).count();
    eprintln!("{} peers, {wanted} prefixes in the end", senders.len());
    let layout = build(net, family, &senders)?;
    let mut sink = layout.receiver.bgp_replay(&format!(
        "sink --target {} --from {} --as 65204 --keep-attributes",
        near(family, 4),
        far(family, 4, 2)
    ))?;
    sink.wait_event("all-established", PATIENCE)?;
    let args = format!(
        "replay --target {} --from {} --updates {}",
        near(family, 1),
        far(family, 1, 16),
        path.display()
    );
    let mut replay = layout.sender.bgp_replay(&args)?;
    replay.wait_event("sent", PATIENCE)?;
    wait_until(PATIENCE, "the receiver holds what is announced in the end", || {
        let now = prefixes(&mut sink)?;
        ensure!(now as usize == wanted, "{now} of {wanted}");
        Ok(())
    })?;
    settle(&mut sink)?;
    ensure!(prefixes(&mut sink)? as usize == wanted, "it stays so");
    for session in replay.state()? {
        ensure!(session.get("up").and_then(Value::as_bool) == Some(true), "a session went down: {session}");
    }
    check_neighbors(&layout, wanted)?;
    wait_until(PATIENCE, "the kernel has as many routes", || {
        let count = layout.router.kernel_count(family, "bgp")?;
        ensure!(count == wanted, "{count} of {wanted}");
        Ok(())
    })
}

#[test]
fn real_ipv4_updates_end_in_the_same_table_everywhere() {
    run(&Needs { data: true, ..Needs::ours_and_peers() }, |net| {
        updates(net, Family::V4, "mrt/updates.20190101.0000.gz")
    });
}

#[test]
fn real_ipv6_updates_end_in_the_same_table_everywhere() {
    run(&Needs { data: true, ..Needs::ours_and_peers() }, |net| {
        updates(net, Family::V6, "mrt/updates.route-views6.20151009.1230.bz2")
    });
}
