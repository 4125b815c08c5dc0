//! What the kernel may say: datagrams of netlink, read and handed to the whole machine; and the same octets as the peer of the
//! forwarding plane manager's stream may send them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zebra::netlink::{parse, wire};

#[path = "zebra_world.rs"]
mod world;

fuzz_target!(|input: &[u8]| {
    let mut world = world::World::new();
    for message in wire::messages(input) {
        if let Some(event) = parse::event(&message) {
            world.event(event);
        }
    }
    if let Ok((routes, _)) = zebra::fpm::notices(input) {
        routes.iter().for_each(|route| world.zebra.fpm_told(route));
    }
    world.pass(std::time::Duration::from_secs(3));
});
