//! Hostility in time rather than in octets: odd segments, floods, silence, slowness, resets, collisions.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use socket2::SockRef;
use topotests::bgp::update::Packer;
use topotests::bgp::{Prefix, wire};
use topotests::{Failure, Kind, Net, Result, ensure, wait_until};

use super::bystander::good_path;
use super::case::{Ctx, HOSTILE_AS, Peer, ROUTER};
use super::client::{Client, PATIENCE};
use super::lab::{Lab, Neighbour};
use super::octets::{OpenSpec, attr};

/// A whole table may take this long to reach the bystander on a busy machine.
const TABLE: Duration = Duration::from_secs(40);
/// Longer than the shortest hold time.
const HOLD: Duration = Duration::from_secs(12);

type Play = fn(&Lab, &Ctx) -> Result<()>;

const SCENARIOS: &[(&str, Play)] = &[
    ("several messages in one segment", several_messages_in_one_segment),
    ("one octet in each segment", one_octet_in_each_segment),
    ("a neighbour nobody configured", unknown_neighbour),
    ("300 connections that say nothing", silent_connections),
    ("100 connections that say garbage", garbage),
    ("200 sessions reset as soon as they speak", quick_resets),
    ("a session reset in the middle of a message", reset_inside_a_message),
    ("5,000 keepalives at once", keepalive_flood),
    ("5,000 malformed UPDATEs at once", malformed_flood),
    ("a neighbour that hangs up on every call", hangs_up),
    ("a neighbour that falls silent", silence),
    ("a neighbour over its limit that hangs up by itself", over_the_limit),
    ("a second connection beside an established session", second_connection),
    ("collision won by the neighbour", collision_won_by_the_neighbour),
    ("collision won by the router", collision_won_by_the_router),
    ("a reader that is stuck while a table goes out", stuck_reader),
];

/// The rows that need the router to connect by itself.
const ACTIVE: &[&str] = &[
    "collision won by the neighbour",
    "collision won by the router",
    "a neighbour that hangs up on every call",
];

pub fn names() -> impl Iterator<Item = &'static str> {
    SCENARIOS.iter().map(|(name, _)| *name)
}

pub fn run_all(net: &mut Net, kind: Kind) -> Result<()> {
    net.without_capture();
    let rows: Vec<(&str, Play, Ctx)> = SCENARIOS
        .iter()
        .enumerate()
        // Some take more than one neighbour: those with the numbers after their own.
        .map(|(index, (name, play))| (*name, *play, Ctx::new(index * 50, Peer::External)))
        .collect();
    let mut neighbours = Vec::new();
    for (name, _, ctx) in &rows {
        for n in 0..25 {
            let addr = Ipv4Addr::from(u32::from(ctx.local) + n);
            let mut peer = Neighbour::passive(addr, HOSTILE_AS);
            if ACTIVE.contains(name) && n == 0 {
                peer.session = vec!["timers connect 1".to_owned()];
            }
            if name.contains("limit") {
                peer.family.push("maximum-prefix 10".to_owned());
            }
            neighbours.push(peer);
        }
    }
    let lab = Lab::new(net, kind, &neighbours)?;
    let mut failures = Vec::new();
    for (name, play, ctx) in &rows {
        let start = Instant::now();
        let verdict = play(&lab, ctx).and_then(|()| lab.unharmed());
        println!(
            "{} {:6} ms  {name}",
            if verdict.is_ok() { "ok    " } else { "FAILED" },
            start.elapsed().as_millis()
        );
        failures.extend(verdict.err().map(|e| format!("- {name}: {e}")));
        ensure!(lab.bystander.ended().is_none(), "{}", failures.join("\n"));
    }
    let cost = lab.router.cost_at_rest(PATIENCE)?;
    println!("at rest again: {} ms of CPU, {} MiB at most", cost.cpu.as_millis(), cost.peak >> 20);
    let violations = lab.bystander.take_violations();
    failures.extend(violations.into_iter().map(|what| format!("- passed on to the bystander: {what}")));
    ensure!(failures.is_empty(), "{} of {} failed:\n{}", failures.len(), rows.len(), failures.join("\n"));
    Ok(())
}

fn good(ctx: &Ctx, prefix: Prefix) -> Vec<u8> {
    ctx.good(prefix)
}

/// The whole beginning of a session in the order it is sent.
fn beginning(ctx: &Ctx) -> Vec<u8> {
    [ctx.open().encode(), wire::keepalive(), good(ctx, ctx.v4), good(ctx, ctx.v6)].concat()
}

/// FRR leaves what came in one segment with the last KEEPALIVE of the handshake lying for ten seconds.
fn arrives(lab: &Lab, ctx: &Ctx) -> Result<()> {
    lab.bystander.wait_has(&ctx.v4, TABLE)?;
    lab.bystander.wait_has(&ctx.v6, TABLE)
}

/// A session like any other comes up on this address, and its route arrives.
fn works(lab: &Lab, ctx: &Ctx) -> Result<()> {
    let mut client = Client::establish(&lab.sockets, ctx.local, ROUTER, &ctx.open())?;
    client.send(&good(ctx, ctx.fence))?;
    lab.bystander.wait_has(&ctx.fence, PATIENCE)?;
    client.cease();
    lab.bystander.wait_lacks(&ctx.fence, PATIENCE)
}

fn several_messages_in_one_segment(lab: &Lab, ctx: &Ctx) -> Result<()> {
    let mut client = Client::connect(&lab.sockets, ctx.local, ROUTER)?;
    client.send(&beginning(ctx))?;
    arrives(lab, ctx)?;
    client.still_up()
}

fn one_octet_in_each_segment(lab: &Lab, ctx: &Ctx) -> Result<()> {
    let mut client = Client::connect(&lab.sockets, ctx.local, ROUTER)?;
    for octet in beginning(ctx) {
        client.send(&[octet])?;
    }
    arrives(lab, ctx)?;
    client.still_up()
}

fn unknown_neighbour(lab: &Lab, ctx: &Ctx) -> Result<()> {
    let stranger = Ctx { local: Ipv4Addr::new(10, 1, 15, 250), ..ctx.clone() };
    let Ok(mut client) = Client::connect(&lab.sockets, stranger.local, ROUTER) else { return Ok(()) };
    client.send_anyway(&beginning(&stranger));
    let verdict = client.verdict(PATIENCE)?;
    ensure!(matches!(verdict, None | Some((6, 5))), "NOTIFICATION {verdict:?}");
    works(lab, ctx)
}

/// From one neighbour and from strangers; some stop in the middle of a header.
fn silent_connections(lab: &Lab, ctx: &Ctx) -> Result<()> {
    let mut held = Vec::new();
    for n in 0..300u32 {
        let local = if n % 2 == 0 { ctx.local } else { Ipv4Addr::from(0x0a01_0e00 + n) };
        // Refused or reset at once is as good.
        if let Ok(mut client) = Client::connect(&lab.sockets, local, ROUTER) {
            if n % 3 == 0 {
                client.send_anyway(&[0xff; 10]);
            }
            held.push(client);
        }
    }
    let other = Ctx { local: Ipv4Addr::from(u32::from(ctx.local) + 1), ..ctx.clone() };
    works(lab, &other).map_err(|e| e.during("another neighbour meanwhile"))?;
    drop(held);
    works(lab, ctx).map_err(|e| e.during("the same neighbour afterwards"))
}

fn garbage(lab: &Lab, ctx: &Ctx) -> Result<()> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for n in 0..100 {
        let octets: Vec<u8> = (0..=n * 13 % 997)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state as u8
            })
            .collect();
        if let Ok(mut client) = Client::connect(&lab.sockets, ctx.local, ROUTER) {
            // Some look like the beginning of a message.
            let head = if n % 2 == 0 { vec![0xff; 16] } else { Vec::new() };
            client.send_anyway(&[head, octets].concat());
        }
    }
    works(lab, ctx)
}

fn reset(client: &Client) -> Result<()> {
    Ok(SockRef::from(&client.stream).set_linger(Some(Duration::ZERO))?)
}

fn quick_resets(lab: &Lab, ctx: &Ctx) -> Result<()> {
    for n in 0..200u32 {
        let peer = Ctx { local: Ipv4Addr::from(u32::from(ctx.local) + n % 20), ..ctx.clone() };
        let Ok(mut client) = Client::connect(&lab.sockets, peer.local, ROUTER) else { continue };
        let whole = beginning(&peer);
        // The reset comes at another place each time.
        client.send_anyway(whole.get(..whole.len() * (n as usize % 11) / 10).unwrap_or(&whole));
        reset(&client)?;
    }
    for n in 0..20 {
        let peer = Ctx { local: Ipv4Addr::from(u32::from(ctx.local) + n), ..ctx.clone() };
        works(lab, &peer)?;
    }
    Ok(())
}

fn reset_inside_a_message(lab: &Lab, ctx: &Ctx) -> Result<()> {
    let mut client = Client::establish(&lab.sockets, ctx.local, ROUTER, &ctx.open())?;
    client.send(&good(ctx, ctx.v4))?;
    lab.bystander.wait_has(&ctx.v4, PATIENCE)?;
    let second = good(ctx, ctx.fence);
    client.send(second.get(..second.len() - 2).unwrap_or_default())?;
    drop(client);
    lab.bystander.wait_lacks(&ctx.v4, PATIENCE)?;
    works(lab, ctx)
}

fn keepalive_flood(lab: &Lab, ctx: &Ctx) -> Result<()> {
    let mut client = Client::establish(&lab.sockets, ctx.local, ROUTER, &ctx.open())?;
    client.send(&wire::keepalive().repeat(5_000))?;
    client.send(&good(ctx, ctx.v4))?;
    lab.bystander.wait_has(&ctx.v4, PATIENCE)?;
    client.still_up()
}

/// Every one costs a withdrawal and a counter; the log says so a few times.
fn malformed_flood(lab: &Lab, ctx: &Ctx) -> Result<()> {
    let mut client = Client::establish(&lab.sockets, ctx.local, ROUTER, &ctx.open())?;
    client.send(&good(ctx, ctx.v4))?;
    lab.bystander.wait_has(&ctx.v4, PATIENCE)?;
    client.send(&ctx.with(1, &attr(0x40, 1, &[9])).repeat(5_000))?;
    lab.bystander.wait_lacks(&ctx.v4, PATIENCE)?;
    client.send(&good(ctx, ctx.fence))?;
    lab.bystander.wait_has(&ctx.fence, TABLE)?;
    client.still_up()?;
    let key = format!("/{}/prefixStats/withdrawn", ctx.local);
    wait_until(PATIENCE, "all are counted", || {
        let shown = lab.router.vtysh_json(&format!("show bgp neighbors {} json", ctx.local))?;
        let count = shown.pointer(&key).and_then(serde_json::Value::as_u64);
        ensure!(count == Some(5_000), "withdrawn is {count:?}");
        Ok(())
    })?;
    if lab.router.kind() == Kind::Ours {
        let lines = lab.log_lines(&ctx.local.to_string(), "malformed UPDATE")?;
        ensure!((1..=20).contains(&lines), "{lines} lines of the log tell of it");
    }
    Ok(())
}

/// The router calls again, but not without a pause.
fn hangs_up(lab: &Lab, ctx: &Ctx) -> Result<()> {
    let listener = lab.sockets.listen(IpAddr::V4(ctx.local))?;
    listener.set_read_timeout(Some(PATIENCE))?;
    let start = Instant::now();
    let mut calls = 0;
    while start.elapsed() < Duration::from_secs(3) && listener.accept().is_ok() {
        calls += 1;
    }
    ensure!((1..=15).contains(&calls), "{calls} calls in {:?}", start.elapsed());
    Ok(())
}

fn silence(lab: &Lab, ctx: &Ctx) -> Result<()> {
    let open = OpenSpec { hold: 3, ..ctx.open() };
    let mut client = Client::establish(&lab.sockets, ctx.local, ROUTER, &open)?;
    client.send(&good(ctx, ctx.v4))?;
    lab.bystander.wait_has(&ctx.v4, PATIENCE)?;
    let verdict = client.verdict(HOLD)?;
    ensure!(verdict == Some((4, 0)), "{verdict:?} instead of NOTIFICATION 4/0");
    lab.bystander.wait_lacks(&ctx.v4, PATIENCE)
}

/// The limit is met and the neighbour says NOTIFICATION in the same segment.
fn over_the_limit(lab: &Lab, ctx: &Ctx) -> Result<()> {
    let many =
        |octet: u32| (0..11).filter_map(move |n| Prefix::v4(0x1600_0000 + (octet << 16) + (n << 8), 24));
    for (octet, last_word) in [(0, wire::cease()), (1, Vec::new())] {
        let peer = Ctx { local: Ipv4Addr::from(u32::from(ctx.local) + octet), ..ctx.clone() };
        let mut client = Client::establish(&lab.sockets, peer.local, ROUTER, &peer.open())?;
        let updates: Vec<u8> = many(octet).flat_map(|prefix| good(&peer, prefix)).collect();
        let alone = last_word.is_empty();
        client.send_anyway(&[updates, last_word].concat());
        let verdict = client.verdict(PATIENCE)?;
        ensure!(!alone || verdict == Some((6, 1)), "{verdict:?} instead of NOTIFICATION 6/1");
        for prefix in many(octet) {
            lab.bystander.wait_lacks(&prefix, PATIENCE)?;
        }
    }
    Ok(())
}

fn second_connection(lab: &Lab, ctx: &Ctx) -> Result<()> {
    let mut first = Client::establish(&lab.sockets, ctx.local, ROUTER, &ctx.open())?;
    first.send(&good(ctx, ctx.v4))?;
    lab.bystander.wait_has(&ctx.v4, PATIENCE)?;
    for _ in 0..5 {
        if let Ok(mut second) = Client::connect(&lab.sockets, ctx.local, ROUTER) {
            second.send_anyway(&ctx.open().encode());
            let verdict = second.verdict(PATIENCE)?;
            ensure!(matches!(verdict, None | Some((6, _))), "the second connection got {verdict:?}");
        }
        first.still_up()?;
    }
    first.send(&good(ctx, ctx.v6))?;
    arrives(lab, ctx)
}

/// Two connections, both with their OPENs under way: the router's own, and ours.
fn collide(lab: &Lab, ctx: &Ctx) -> Result<(Client, Client)> {
    let listener = lab.sockets.listen(IpAddr::V4(ctx.local))?;
    listener.set_read_timeout(Some(PATIENCE))?;
    let accepted =
        listener.accept().map_err(|e| Failure::new(format!("the router does not connect: {e}")))?;
    let mut theirs = Client::new(accepted.0.into());
    theirs.expect(wire::OPEN).map_err(|e| e.during("on the router's connection"))?;
    let mut ours = Client::connect(&lab.sockets, ctx.local, ROUTER)?;
    ours.expect(wire::OPEN).map_err(|e| e.during("on our connection"))?;
    Ok((theirs, ours))
}

fn survives(lab: &Lab, ctx: &Ctx, mut winner: Client, mut loser: Client) -> Result<()> {
    let verdict = loser.verdict(PATIENCE).map_err(|e| e.during("the connection that should end"))?;
    ensure!(verdict == Some((6, 7)), "the losing connection got {verdict:?} instead of NOTIFICATION 6/7");
    winner.send(&wire::keepalive())?;
    winner.expect(wire::KEEPALIVE).map_err(|e| e.during("the connection that should live"))?;
    winner.send(&[good(ctx, ctx.v4), good(ctx, ctx.v6)].concat())?;
    arrives(lab, ctx)?;
    winner.still_up()
}

/// RFC 4271 §6.8: the connection made by the end with the higher identifier is kept.
fn collision_won_by_the_neighbour(lab: &Lab, ctx: &Ctx) -> Result<()> {
    let (mut theirs, mut ours) = collide(lab, ctx)?;
    let open = OpenSpec { router_id: [200, 0, 0, 1].into(), ..ctx.open() }.encode();
    theirs.send(&open)?;
    ours.send(&open)?;
    survives(lab, ctx, ours, theirs)
}

fn collision_won_by_the_router(lab: &Lab, ctx: &Ctx) -> Result<()> {
    let (mut theirs, mut ours) = collide(lab, ctx)?;
    let open = OpenSpec { router_id: [1, 0, 0, 1].into(), ..ctx.open() }.encode();
    ours.send(&open)?;
    theirs.send(&open)?;
    survives(lab, ctx, theirs, ours)
}

/// A neighbour that keeps its session alive and reads nothing, while 100,000 routes go to everybody.
fn stuck_reader(lab: &Lab, ctx: &Ctx) -> Result<()> {
    let peer = |n: u32| Ctx { local: Ipv4Addr::from(u32::from(ctx.local) + n), ..ctx.clone() };
    let mut stuck = Client::establish(&lab.sockets, ctx.local, ROUTER, &ctx.open())?;
    SockRef::from(&stuck.stream).set_recv_buffer_size(2048)?;
    let mut feeder = Client::establish(&lab.sockets, peer(1).local, ROUTER, &peer(1).open())?;
    let table: Vec<Prefix> = (0..100_000).filter_map(|n| Prefix::v4(0x2800_0000 + (n << 8), 24)).collect();
    let mut packer = Packer::new(IpAddr::V4(peer(1).local));
    packer.announce(&good_path(HOSTILE_AS), &table);
    feeder.send(&packer.finish().0)?;
    let (first, last) = (table.first().ok_or("no table")?, table.last().ok_or("no table")?);
    for prefix in [first, last] {
        lab.bystander.wait_has(prefix, TABLE)?;
    }
    lab.bystander.wait("the whole table", TABLE, |seen| {
        let count = seen.routes.len();
        ensure!(count >= table.len(), "{count} routes");
        Ok(())
    })?;
    stuck.send(&wire::keepalive())?;
    works(lab, &peer(2)).map_err(|e| e.during("another neighbour meanwhile"))?;
    feeder.cease();
    lab.bystander.wait_lacks(last, TABLE)?;
    lab.bystander.wait_lacks(first, TABLE)?;
    works(lab, &peer(3))
}
