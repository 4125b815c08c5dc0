//! What a link may bring as ICMPv6: read by itself, and by the whole machine that advertises there.
#![no_main]

use std::net::Ipv6Addr;

use ferrite_types::IfIndex;
use libfuzzer_sys::fuzz_target;
use zebra_core::Event;
use zebra_core::ra::packet;

#[path = "zebra_world.rs"]
mod world;

fuzz_target!(|input: &[u8]| {
    let mut world = world::World::new();
    let mut rest = input;
    // Messages behind their length, hop limit, link and the end of their source.
    while let [length, hop_limit, link, host, tail @ ..] = rest {
        let (octets, after) = tail.split_at(tail.len().min(usize::from(*length)));
        rest = after;
        let source = match host % 4 {
            0 => Ipv6Addr::UNSPECIFIED,
            1 => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1),
            _ => Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, u16::from(*host)),
        };
        let hop_limit = (*hop_limit != 0).then_some(255 - hop_limit % 3);
        let judged = packet::read(octets, source, hop_limit);
        assert!(hop_limit == Some(255) || !matches!(judged, Some(Ok(_))), "from afar and taken");
        let ifindex = IfIndex(u32::from(link % 4));
        world.event(Event::Icmp6 { ifindex, source, hop_limit, octets: octets.to_vec() });
    }
    world.pass(std::time::Duration::from_secs(3));
});
