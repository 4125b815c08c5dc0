//! A whole instance, either version: packets that are well signed but say anything, from neighbours on a link and on a LAN, between
//! them time. Nothing panics, databases stay under their limit, and a tick leaves nothing due. Octets in, from a test with random
//! ones or from the fuzzer.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use bytes::Bytes;
use ferrite_ospf::config::{Config, InterfaceConfig, NetworkType};
use ferrite_ospf::event::RestartReason;
use ferrite_ospf::instance::Place;
use ferrite_ospf::packet::auth::Sign;
use ferrite_ospf::packet::codec::Origin;
use ferrite_ospf::packet::{AreaId, Body, Endpoints, Kind, Lsa};
use ferrite_ospf::{Event, IfId, Instance, Link, Version};
use ferrite_types::ids::{IfIndex, RouterId};
use ferrite_types::{Prefix, Timestamp};

const LIMIT: usize = 64;

fn address<V: Version>(port: u32, host: u8) -> IpAddr {
    if V::VERSION == 2 {
        IpAddr::V4(Ipv4Addr::new(10, 0, port as u8, host))
    } else {
        IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, port as u16, u16::from(host)))
    }
}

/// LSAs get the checksums they need to be looked at.
fn mended<V: Version>(body: Body) -> Body {
    match body {
        Body::LinkStateUpdate(lsas) => {
            let mend = |lsa: Lsa| Lsa::build::<V>(*lsa.header(), lsa.body());
            Body::LinkStateUpdate(lsas.into_iter().filter_map(mend).collect())
        }
        other => other,
    }
}

/// What else may happen: restarts, opaque LSAs of a client, neighbours that are lost.
fn request(head: u8, chunk: &[u8]) -> Event {
    let first = chunk.first().copied().unwrap_or(0);
    match head {
        250 => Event::PrepareRestart(RestartReason::SoftwareRestart),
        251 => Event::Restarting {
            remaining: Duration::from_secs(u64::from(first)),
            reason: RestartReason::Unknown,
            announce: first & 1 == 0,
        },
        252 => Event::Opaque {
            place: [Place::Link(IfId(1)), Place::Area(AreaId::BACKBONE), Place::As][usize::from(first) % 3],
            kind: first,
            id: u32::from(first),
            body: chunk.get(1..).map(Bytes::copy_from_slice),
        },
        253 => Event::ClearNeighbors(None),
        254 => Event::ClearInterface(IfId(u32::from(first & 1))),
        _ => Event::ClearProcess,
    }
}

pub fn run<V: Version>(mut octets: &[u8]) {
    let mut config = Config::new(RouterId(Ipv4Addr::new(5, 5, 5, 5)));
    config.max_lsas = LIMIT;
    config.restart.enabled = true;
    config.restart.helper.everybody = true;
    config.loop_free_alternates = true;
    for (port, network) in [NetworkType::PointToPoint, NetworkType::Broadcast].into_iter().enumerate() {
        let area = AreaId::from_bits(port as u32);
        config.interfaces.insert(IfId(port as u32), InterfaceConfig::new(area, network));
    }
    let mut core = Instance::<V>::new(config);
    let mut now = Timestamp::ZERO;
    let mut out = Vec::new();
    for port in 0..2 {
        let own = address::<V>(port, 1);
        // Of the family that is routed, which the packets need not be of.
        let inside = if matches!(V::DEFAULT_ROUTE, Prefix::V4(_)) {
            IpAddr::V4(Ipv4Addr::new(10, 0, port as u8, 1))
        } else {
            own
        };
        let prefixes = vec![(inside, 24)];
        let ifindex = IfIndex(port + 1);
        let link =
            Link { up: true, ifindex, mtu: 1500, address: Some(own), next_hop: Some(inside), prefixes };
        core.handle(now, Event::Link(IfId(port), link), &mut out);
    }
    while let [head, wait, len, rest @ ..] = octets {
        let (chunk, after) = rest.split_at(rest.len().min(usize::from(*len)));
        octets = after;
        now = now + Duration::from_millis(u64::from(*wait) * u64::from(*wait));
        core.tick(now, &mut out);
        if *head >= 250 {
            core.handle(now, request(*head, chunk), &mut out);
        }
        let kind = Kind::ALL[usize::from(*head) % 5];
        let Ok(body) = Body::decode::<V>(kind, Bytes::copy_from_slice(chunk)) else { continue };
        let port = u32::from(*head >> 4 & 1);
        let host = 2 + (*head >> 5 & 3);
        let source = address::<V>(port, host);
        let destination = V::ALL_SPF_ROUTERS;
        let router = RouterId(Ipv4Addr::new(host, host, host, host));
        let origin = Origin { router, area: AreaId::from_bits(port), instance: 0 };
        let octets = V::seal(&origin, &mended::<V>(body), &Sign::None, Endpoints { source, destination });
        core.handle(now, Event::Received { interface: IfId(port), source, destination, octets }, &mut out);
        core.tick(now, &mut out);
        assert!(core.next_deadline().is_none_or(|at| at > now), "due again at once");
        assert!(core.is_armed(), "a deadline was missed");
        out.clear();
        for port in 0..2 {
            let lsdb = core.lsdb(Place::Area(AreaId::from_bits(port))).expect("a database");
            // As many again may be said in our name, which are flushed.
            assert!(lsdb.len() <= 2 * LIMIT + 16);
        }
    }
}
