//! Hostility beside the sessions and between them: RPKI caches, BMP stations and the vty's sockets that misbehave; and
//! neighbours whose messages would do harm only further on, at a reflector's clients, in a dump, at a station.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use topotests::bgp::wire::message;
use topotests::bgp::{Prefix, attrs};
use topotests::{Failure, Kind, Net, Result, ensure, wait_until};

use super::bystander::Bystander;
use super::case::{Ctx, HOSTILE_AS, Peer, ROUTER, ROUTER_AS};
use super::client::{Client, PATIENCE};
use super::lab::{BYSTANDER, Lab, Neighbour};
use super::octets::{OPTIONAL, OT, attr, capability, tlv2, update};
use super::rtr::{self, Caches};
use super::table::samples;

const TABLE: Duration = Duration::from_secs(40);
/// Ports of stations that misbehave.
const GARBAGE: u16 = 1791;
const DEAF: u16 = 1792;
/// Octets that bgpd may hold for a station that does not read, and for everything else of this network.
const BOUND: u64 = 400 << 20;

type Play = fn(&Lab, &Ctx) -> Result<()>;

struct Scene {
    name: &'static str,
    play: Play,
    /// Configuration of each neighbour: kind, lines of the session, lines of the families.
    peers: &'static [(Peer, &'static [&'static str], &'static [&'static str])],
}

const CLIENT: (Peer, &[&str], &[&str]) = (Peer::Internal, &[], &["route-reflector-client"]);
const FILTERED: (Peer, &[&str], &[&str]) = (Peer::External, &[], &["capability orf prefix-list both"]);
const PLAIN: (Peer, &[&str], &[&str]) = (Peer::External, &[], &[]);

const SCENES: &[Scene] = &[
    Scene {
        name: "a malformed OTC never leaves a reflector",
        play: otc_at_a_reflector,
        peers: &[CLIENT, CLIENT],
    },
    Scene {
        name: "a cluster list that grows over 255 octets when it is reflected",
        play: long_cluster_list,
        peers: &[CLIENT, CLIENT],
    },
    Scene {
        name: "a filter given up while its neighbours come and go",
        play: filters_come_and_go,
        peers: &[FILTERED, FILTERED, PLAIN],
    },
    Scene {
        name: "an oversized route while everything is dumped and monitored",
        play: oversized_route,
        peers: &[(Peer::Extended, &[], &[])],
    },
    Scene { name: "a BMP station that sends garbage", play: station_of_garbage, peers: &[PLAIN] },
    Scene { name: "a BMP station that never reads", play: deaf_station, peers: &[PLAIN] },
    Scene { name: "the vty socket: garbage", play: vty_garbage, peers: &[] },
    Scene { name: "the vty socket: an endless line", play: vty_endless, peers: &[] },
    Scene { name: "the vty socket: 200 clients that say nothing", play: vty_silent, peers: &[] },
    Scene {
        name: "every limit of a route says which it was",
        play: limits,
        peers: &[(Peer::External, &[], &[])],
    },
    Scene { name: "paths beyond the limit of a prefix", play: too_many_paths, peers: &[PLAIN] },
    Scene { name: "prefixes beyond the router's general limit", play: too_many_prefixes, peers: &[PLAIN] },
];

pub fn names() -> impl Iterator<Item = &'static str> {
    SCENES.iter().map(|scene| scene.name).chain(rtr::names())
}

/// What the configuration has beside neighbours: limits that the scenes meet, stations that misbehave.
fn more(text: &mut String) {
    text.push_str(&format!(
        " bgp maxas-limit 50
 bgp limit communities 100
 bgp limit attributes 10
 bgp limit paths-per-prefix 5
 bgp limit prefixes 60000
 bmp targets GARBAGE
  bmp monitor ipv4 unicast pre-policy
  bmp connect {BYSTANDER} port {GARBAGE} min-retry 100 max-retry 200
 exit
 bmp targets DEAF
  bmp monitor ipv4 unicast pre-policy
  bmp monitor ipv4 unicast loc-rib
  bmp connect {BYSTANDER} port {DEAF} min-retry 100 max-retry 200
 exit
"
    ));
}

fn ctx_of(index: usize, peer: Peer) -> Ctx {
    Ctx::new(index, peer)
}

pub fn run_all(net: &mut Net) -> Result<()> {
    net.without_capture();
    let mut neighbours = Vec::new();
    let mut rows = Vec::new();
    for (index, scene) in SCENES.iter().enumerate() {
        for (n, (peer, session, family)) in scene.peers.iter().enumerate() {
            let ctx = ctx_of(index * 10 + n, *peer);
            let mut one = Neighbour::passive(ctx.local, ctx.asn());
            one.session.extend(session.iter().map(ToString::to_string));
            one.family.extend(family.iter().map(ToString::to_string));
            neighbours.push(one);
        }
        let peer = scene.peers.first().map_or(Peer::External, |(peer, _, _)| *peer);
        rows.push((scene, ctx_of(index * 10, peer)));
    }
    let mut before = String::new();
    more(&mut before);
    let mut caches = None;
    let lab = Lab::with(net, Kind::Ours, &neighbours, &rtr::settings(BYSTANDER), &before, |sockets| {
        caches = Some(Caches::start(sockets, BYSTANDER)?);
        Ok(())
    })?;
    let (_, any) = rows.first().ok_or("no scenes")?;
    println!("{} debugs", lab.vty()?.debug_all(&samples(any))?);
    let mut failures = Vec::new();
    for (scene, ctx) in &rows {
        let start = Instant::now();
        let verdict = (scene.play)(&lab, ctx).and_then(|()| lab.unharmed());
        let word = if verdict.is_ok() { "ok    " } else { "FAILED" };
        println!("{word} {:6} ms  {}", start.elapsed().as_millis(), scene.name);
        failures.extend(verdict.err().map(|e| format!("- {}: {e}", scene.name)));
    }
    if let Some(caches) = &caches {
        let checked = caches.check(&lab.router, &mut failures);
        failures.extend(checked.err().map(|e| format!("- RTR: {e}")));
    }
    let count = lab.vty()?.ask_all(&samples(any), &mut failures)?;
    println!("{count} shows");
    failures.extend(lab.well_told().err().map(|e| format!("- BMP and MRT: {e}")));
    let peak = lab.router.cost()?.peak;
    println!("{} MiB at most", peak >> 20);
    if peak > BOUND {
        failures.push(format!("- {} MiB", peak >> 20));
    }
    failures.extend(lab.unharmed().err().map(|e| format!("- afterwards: {e}")));
    ensure!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join("\n"));
    Ok(())
}

/// The neighbour of the same scene with this number.
fn peer(ctx: &Ctx, n: u32, kind: Peer) -> Ctx {
    let Ctx { local, .. } = ctx;
    let at = u32::from(*local) - u32::from(Ipv4Addr::new(10, 1, 8, 1)) + n;
    Ctx::new(at as usize, kind)
}

fn establish(lab: &Lab, ctx: &Ctx) -> Result<Client> {
    Client::establish(&lab.sockets, ctx.local, ROUTER, &ctx.open())
}

/// A client of the reflector that only listens, strictly.
fn listener(lab: &Lab, ctx: &Ctx) -> Result<Bystander> {
    Bystander::start(&lab.sockets, ctx.local, ROUTER, ROUTER_AS, &[])
}

fn sound(listener: &Bystander) -> Result<()> {
    let violations = listener.take_violations();
    ensure!(violations.is_empty(), "{}", violations.join("; "));
    listener
        .ended()
        .map_or(Ok(()), |why| Err(Failure::new(format!("the other client's session ended: {why}"))))
}

fn otc_at_a_reflector(lab: &Lab, ctx: &Ctx) -> Result<()> {
    let other = listener(lab, &peer(ctx, 1, Peer::Internal))?;
    let mut client = establish(lab, ctx)?;
    client.send(&ctx.with(35, &attr(OT, 35, &[0, 0, 0, 9])))?;
    other.wait_has(&ctx.v4, PATIENCE)?;
    let kept = other.wait("the OTC", Duration::ZERO, |seen| seen.attribute(&ctx.v4, 35))?;
    ensure!(kept.as_deref() == Some(&[0, 0, 0, 9]), "OTC became {kept:?}");
    for broken in [vec![0x41; 1024], vec![0, 0, 9], vec![0; 4], Vec::new()] {
        client.send(&ctx.with(35, &attr(OT, 35, &broken)))?;
        other.wait_lacks(&ctx.v4, PATIENCE)?;
        lab.bystander.wait_lacks(&ctx.v4, PATIENCE)?;
        client.send(&ctx.good(ctx.v4))?;
        other.wait_has(&ctx.v4, PATIENCE)?;
    }
    client.still_up()?;
    sound(&other)
}

fn long_cluster_list(lab: &Lab, ctx: &Ctx) -> Result<()> {
    let other = listener(lab, &peer(ctx, 1, Peer::Internal))?;
    let mut client = establish(lab, ctx)?;
    for (count, n) in [(63_usize, 0_u32), (64, 1), (900, 2)] {
        let ids: Vec<u8> = (0..count).flat_map(|id| [9, 9, (id >> 8) as u8, id as u8]).collect();
        let prefix = Prefix::v4(0x1700_0000 + (n << 8), 24).ok_or("prefix")?;
        let body = [ctx.all_but(&[]), attr(OPTIONAL, 9, &[8, 8, 8, 8]), attr(OPTIONAL, 10, &ids)].concat();
        client.send(&update(&[], &body, &super::octets::nlri(&[prefix])))?;
        other.wait_has(&prefix, PATIENCE)?;
        let list = other.wait("the cluster list", Duration::ZERO, |seen| seen.attribute(&prefix, 10))?;
        let list = list.unwrap_or_default();
        ensure!(list.len() == ids.len() + 4 && list.ends_with(&ids), "{} octets of cluster list", list.len());
    }
    client.still_up()?;
    sound(&other)
}

/// 2026-05: filters that are still used when their neighbour is gone.
fn filters_come_and_go(lab: &Lab, ctx: &Ctx) -> Result<()> {
    let orf = capability(3, &[0, 1, 0, 1, 1, 64, 3]);
    let filter = |entries: &[u8]| {
        message(5, &[&[0, 1, 0, 1, 1][..], &tlv2(64, entries.len() as u16, entries)].concat())
    };
    let feeder = peer(ctx, 2, Peer::External);
    let mut feed = establish(lab, &feeder)?;
    feed.send(&feeder.good(feeder.v4))?;
    lab.bystander.wait_has(&feeder.v4, PATIENCE)?;
    for round in 0..20_u32 {
        let mut clients = Vec::new();
        for n in 0..2 {
            let one = Ctx { caps: vec![orf.clone()], ..peer(ctx, n, Peer::External) };
            let mut client = establish(lab, &one)?;
            client.send(&filter(&[0, 0, 0, 0, n as u8, 0, 0, 8, 20]))?;
            client.send(&one.good(one.v4))?;
            if round % 3 == 0 {
                client.send(&filter(&[0x80]))?;
            }
            clients.push(client);
        }
        // In the middle of what they were about to be told.
        feed.send(&[update(&super::octets::nlri(&[feeder.v4]), &[], &[]), feeder.good(feeder.v4)].concat())?;
        if round % 2 == 0
            && let Some(a) = clients.pop()
        {
            Client::cease(a);
        }
    }
    feed.still_up()?;
    lab.bystander.wait_has(&feeder.v4, PATIENCE)
}

/// Just below what a message may be, so that every copy with something added to it is too long.
fn oversized_route(lab: &Lab, ctx: &Ctx) -> Result<()> {
    let mut client = establish(lab, ctx)?;
    client.send(&ctx.good(ctx.v6))?;
    lab.bystander.wait_has(&ctx.v6, PATIENCE)?;
    for size in [4_000_usize, 4_090, 30_000, 65_300, 65_400, 65_440] {
        client.send(&ctx.announce(&[ctx.all_but(&[]), attr(OT, 99, &vec![7; size])].concat()))?;
    }
    let communities: Vec<u8> = (0..90_u32).flat_map(|n| (0x1234_0000 + n).to_be_bytes()).collect();
    client.send(&ctx.with(8, &attr(OT, 8, &communities)))?;
    client.send(&ctx.good(ctx.fence))?;
    lab.bystander.wait_has(&ctx.fence, PATIENCE)?;
    client.still_up()?;
    lab.well_told()
}

/// A BMP session has one direction: what a station says is read and forgotten.
fn station_of_garbage(lab: &Lab, ctx: &Ctx) -> Result<()> {
    let listener = lab.sockets.listen_on(IpAddr::V4(BYSTANDER), GARBAGE)?;
    listener.set_read_timeout(Some(PATIENCE))?;
    for round in 0..3 {
        let mut stream: std::net::TcpStream = listener.accept()?.0.into();
        let garbage: Vec<u8> =
            (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let _ = stream.write_all(if round == 0 { b"\x03\xff\xff\xff\xff\x00" } else { &garbage });
        let _ = stream.write_all(&[0xff; 1000]);
    }
    let mut client = establish(lab, ctx)?;
    client.send(&ctx.good(ctx.v4))?;
    lab.bystander.wait_has(&ctx.v4, PATIENCE)?;
    client.still_up()
}

/// Its queue is bounded, and nobody else waits for it.
fn deaf_station(lab: &Lab, ctx: &Ctx) -> Result<()> {
    let listener = lab.sockets.listen_on(IpAddr::V4(BYSTANDER), DEAF)?;
    listener.set_recv_buffer_size(2048)?;
    listener.set_read_timeout(Some(PATIENCE))?;
    let stream = listener.accept()?.0;
    let mut client = establish(lab, ctx)?;
    let start = Instant::now();
    // A route that changes its attributes each time, so that nothing can be left out or put together.
    for round in 0..40_u32 {
        let many: Vec<u8> = (0..1_000_u32)
            .flat_map(|n| {
                let value = (round << 16 | n).to_be_bytes();
                let prefix = Prefix::v4(0x3000_0000 + (n << 8), 24).map(|p| super::octets::nlri(&[p]));
                update(
                    &[],
                    &[ctx.all_but(&[]), attr(OT, 99, &[&value[..], &[7; 200]].concat())].concat(),
                    &prefix.unwrap_or_default(),
                )
            })
            .collect();
        client.send(&many)?;
    }
    client.send(&ctx.good(ctx.fence))?;
    lab.bystander.wait_has(&ctx.fence, TABLE)?;
    println!("       40,000 updates in {} ms beside a station that never reads", start.elapsed().as_millis());
    client.still_up()?;
    drop(stream);
    Ok(())
}

fn vty(lab: &Lab, name: &str) -> Result<UnixStream> {
    lab.vty()?.connect(name)
}

fn vty_garbage(lab: &Lab, _: &Ctx) -> Result<()> {
    let before = lab.router.vtysh("show running-config")?;
    let rows: [&[u8]; 6] = [
        &[0xff; 4096],
        &[0; 4096],
        b"show running-config \xff\xfe\x1b[2J\0",
        b"configure terminal\0no router bgp 1\xff\0",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\x01\x04\x00\x00\x00\x01",
        b"show bgp ipv4 unicast regexp ((((((((((((((((((((((((a*)*)*)*)*)*)*)*)*)*)*)*)*)*)*)*)*)*)*)*)*)*)*)*)*\0",
    ];
    for socket in ["bgpd.vty", "bgpd.grpc", "zebra.vty", "zebra.grpc", "zserv.grpc"] {
        for octets in rows {
            let mut stream = vty(lab, socket)?;
            // Refused in the middle is refused.
            let _ = stream.write_all(octets);
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let _ = stream.read_to_end(&mut Vec::new());
        }
    }
    ensure!(lab.router.vtysh("show running-config")? == before, "the configuration changed");
    Ok(())
}

/// CVE-2017-5495.
fn vty_endless(lab: &Lab, _: &Ctx) -> Result<()> {
    for socket in ["zebra.vty", "bgpd.vty"] {
        let mut stream = vty(lab, socket)?;
        let endless = vec![b'x'; 1 << 20];
        let refused = (0..64).any(|_| stream.write_all(&endless).is_err());
        ensure!(refused, "{socket} takes 64 MiB without an end");
    }
    Ok(())
}

fn vty_silent(lab: &Lab, _: &Ctx) -> Result<()> {
    let held: Vec<UnixStream> = (0..200)
        .map(|n| vty(lab, if n % 2 == 0 { "bgpd.vty" } else { "bgpd.grpc" }))
        .collect::<Result<_>>()?;
    lab.router.vtysh("show bgp summary")?;
    drop(held);
    lab.router.vtysh("show bgp summary").map(drop)
}

/// Each costs the route, not the session; the log says which it was and the counter counts.
fn limits(lab: &Lab, ctx: &Ctx) -> Result<()> {
    let mut client = establish(lab, ctx)?;
    let long: Vec<u32> = std::iter::once(HOSTILE_AS).chain(1..60).collect();
    let many: Vec<u8> = (0..101_u32).flat_map(|n| (0x1234_0000 + n).to_be_bytes()).collect();
    let large: Vec<u8> = (0..101_u32).flat_map(|n| [n, 1, 2]).flat_map(u32::to_be_bytes).collect();
    let attributes: Vec<u8> = (70..80_u8).flat_map(|code| attr(OT, code, &[1])).collect();
    let rows = [
        ("AS numbers in the path", ctx.with(2, &attr(0x40, 2, &attrs::sequence(&long)))),
        ("communities", ctx.with(8, &attr(OT, 8, &many))),
        ("communities", ctx.with(32, &attr(OT, 32, &large))),
        ("attributes", ctx.announce(&[ctx.all_but(&[]), attributes].concat())),
    ];
    for (at, (word, octets)) in rows.iter().enumerate() {
        client.send(&ctx.good(ctx.v4))?;
        lab.bystander.wait_has(&ctx.v4, PATIENCE)?;
        client.send(octets)?;
        lab.bystander.wait_lacks(&ctx.v4, PATIENCE).map_err(|e| e.during(word))?;
        client.still_up()?;
        wait_until(PATIENCE, "the log names the limit", || {
            let lines = lab.log_lines(&ctx.local.to_string(), word)?;
            ensure!(lines >= 1, "no line of the log has {word:?}");
            Ok(())
        })?;
        let pointer = format!("/{}/prefixStats/withdrawn", ctx.local);
        wait_until(PATIENCE, "it is counted", || {
            let shown = lab.router.vtysh_json(&format!("show bgp neighbors {} json", ctx.local))?;
            let count = shown.pointer(&pointer).and_then(serde_json::Value::as_u64);
            ensure!(count == Some(at as u64 + 1), "withdrawn is {count:?}");
            Ok(())
        })?;
    }
    // What is just within the limits is taken.
    let fits: Vec<u8> =
        ctx.mark.into_iter().chain((1..100_u32).flat_map(|n| (0x1234_0000 + n).to_be_bytes())).collect();
    client.send(&ctx.with(8, &attr(OT, 8, &fits)))?;
    lab.bystander.wait_has(&ctx.v4, PATIENCE)?;
    client.still_up()
}

fn too_many_paths(lab: &Lab, ctx: &Ctx) -> Result<()> {
    let ctx = Ctx { caps: vec![capability(69, &[0, 1, 1, 2])], add_path: true, ..ctx.clone() };
    let mut client = establish(lab, &ctx)?;
    let entry = |id: u32| [&id.to_be_bytes()[..], &super::octets::nlri(&[ctx.v4])].concat();
    let all: Vec<u8> = (1..=9).flat_map(entry).collect();
    client.send(&update(&[], &ctx.all_but(&[]), &all))?;
    lab.bystander.wait_has(&ctx.v4, PATIENCE)?;
    wait_until(PATIENCE, "five paths are kept", || {
        let shown = lab.router.vtysh_json(&format!("show bgp ipv4 unicast {} json", ctx.v4))?;
        let count = shown["paths"].as_array().map(Vec::len);
        ensure!(count == Some(5), "{count:?} paths");
        Ok(())
    })?;
    wait_until(PATIENCE, "the log names the limit", || {
        let lines = lab.log_lines(&ctx.local.to_string(), "bgp limit paths-per-prefix")?;
        ensure!(lines == 1, "{lines} lines");
        Ok(())
    })?;
    // One that goes makes room for one that comes.
    client.send(&[update(&entry(1), &[], &[]), update(&[], &ctx.all_but(&[]), &entry(20))].concat())?;
    client.send(&ctx.good(ctx.fence))?;
    lab.bystander.wait_has(&ctx.fence, PATIENCE)?;
    client.still_up()
}

fn too_many_prefixes(lab: &Lab, ctx: &Ctx) -> Result<()> {
    let mut client = establish(lab, ctx)?;
    let routes: Vec<u8> =
        (0..61_000_u32).flat_map(|n| [32, 60, (n >> 16) as u8, (n >> 8) as u8, n as u8]).collect();
    for part in routes.chunks(4000) {
        client.send_anyway(&update(&[], &ctx.all_but(&[]), part));
    }
    let verdict = client.verdict(TABLE)?;
    ensure!(verdict == Some((6, 1)), "{verdict:?} instead of NOTIFICATION 6/1");
    let lines = lab.log_lines(&ctx.local.to_string(), "MAXPFXEXCEED")?;
    ensure!(lines == 1, "{lines} lines of the log name the limit");
    lab.bystander.wait("the end of all its routes", TABLE, |seen| {
        let left = seen.routes.keys().filter(|p| p.bits >> 120 == 60).count();
        ensure!(left == 0, "{left} routes");
        Ok(())
    })
}
