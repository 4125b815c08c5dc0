//! `bgp allow-martian-nexthop`: next hops that can be nobody's, octet by octet, with the line and without.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use topotests::bgp::{Prefix, attrs};
use topotests::{Kind, Net, Result, Router, ensure, wait_until};

use super::case::{Ctx, Peer, ROUTER};
use super::client::Client;
use super::lab::{Lab, Neighbour};
use super::octets::attr;

const PATIENCE: Duration = Duration::from_secs(20);

/// Next hops, and whether their route is taken: without the line, and with it.
const V4: &[(Ipv4Addr, bool, bool)] = &[
    (Ipv4Addr::UNSPECIFIED, false, true),
    (Ipv4Addr::new(0, 1, 2, 3), false, true),
    (Ipv4Addr::LOCALHOST, false, true),
    (Ipv4Addr::new(224, 0, 0, 5), false, true),
    (Ipv4Addr::new(240, 0, 0, 1), false, true),
    (Ipv4Addr::BROADCAST, false, true),
    (Ipv4Addr::new(10, 1, 0, 99), true, true),
    // The router itself is no martian.
    (ROUTER, false, false),
];

const V6: &[(Ipv6Addr, bool, bool)] = &[
    (Ipv6Addr::UNSPECIFIED, false, true),
    (Ipv6Addr::LOCALHOST, false, true),
    (Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1), false, true),
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0x7f00, 1), false, true),
    (Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 0x99), true, true),
];

/// FRR looks at no address inside an IPv6 one, and with the line it takes the router's own too, which RFC 4271 §5.1.3 forbids
/// to install: those next hops, and whether the line is there.
const FRR_TAKES: &[(IpAddr, bool)] =
    &[(IpAddr::V6(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0x7f00, 1)), false), (IpAddr::V4(ROUTER), true)];

/// One next hop on a session of its own: FRR ends the session where RFC 7606 wants the route withdrawn.
struct Row {
    hop: IpAddr,
    ctx: Ctx,
    without: bool,
    with: bool,
}

fn rows() -> Vec<Row> {
    let v4 = V4.iter().map(|(hop, without, with)| (IpAddr::V4(*hop), *without, *with));
    let v6 = V6.iter().map(|(hop, without, with)| (IpAddr::V6(*hop), *without, *with));
    let row =
        |(index, (hop, without, with))| Row { hop, ctx: Ctx::new(index, Peer::External), without, with };
    v4.chain(v6).enumerate().map(row).collect()
}

/// Whether the table has a path of the prefix, usable or not.
fn has(router: &Router, prefix: Prefix) -> Result<bool> {
    let family = if prefix.family == topotests::Family::V4 { "ipv4" } else { "ipv6" };
    let view = router.vtysh_json(&format!("show bgp {family} unicast {prefix} json"))?;
    Ok(view["paths"].as_array().is_some_and(|paths| !paths.is_empty()))
}

pub fn run_all(net: &mut Net, kind: Kind) -> Result<()> {
    net.without_capture();
    let rows = rows();
    let neighbours: Vec<Neighbour> =
        rows.iter().map(|row| Neighbour::passive(row.ctx.local, row.ctx.asn())).collect();
    let lab = Lab::new(net, kind, &neighbours)?;
    let mut failures = Vec::new();
    for allowed in [false, true] {
        if allowed {
            // It holds at once, for sessions that are up too.
            lab.router.configure(&["router bgp 65000", "bgp allow-martian-nexthop"])?;
        }
        for row in &rows {
            let known = kind == Kind::Frr && FRR_TAKES.contains(&(row.hop, allowed));
            let expected = known || if allowed { row.with } else { row.without };
            let taken = taken(&lab, row).map_err(|e| e.during(&format!("next hop {}", row.hop)))?;
            if taken != expected {
                let line = if allowed { "with the line" } else { "without the line" };
                let word = if taken { "taken" } else { "not taken" };
                failures.push(format!("- next hop {}, {line}: {word}", row.hop));
            }
        }
    }
    ensure!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join("\n"));
    lab.unharmed()
}

/// Announces a route with the next hop, waits until it has been read, and tells whether it is there.
fn taken(lab: &Lab, row: &Row) -> Result<bool> {
    let ctx = &row.ctx;
    let mut client = Client::establish(&lab.sockets, ctx.local, ROUTER, &ctx.open())?;
    let (octets, prefix) = match row.hop {
        IpAddr::V4(hop) => (ctx.with(attrs::NEXT_HOP, &attr(0x40, attrs::NEXT_HOP, &hop.octets())), ctx.v4),
        IpAddr::V6(hop) => (ctx.with_hop6(&hop.octets()), ctx.v6),
    };
    client.send_anyway(&octets);
    client.send_anyway(&ctx.good(ctx.fence));
    let reset = wait_until(PATIENCE, "the routes have been read", || {
        if client.still_up().is_err() {
            return Ok(true);
        }
        ensure!(has(&lab.router, ctx.fence)?, "the last route is not there");
        Ok(false)
    })?;
    let taken = !reset && has(&lab.router, prefix)?;
    client.cease();
    wait_until(PATIENCE, "the session's routes are gone", || {
        ensure!(!has(&lab.router, ctx.fence)?, "the last route is there yet");
        Ok(())
    })?;
    Ok(taken)
}
