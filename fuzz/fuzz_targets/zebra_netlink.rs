//! What the kernel may say: datagrams of netlink, read and handed to the whole machine.
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
    world.pass(std::time::Duration::from_secs(3));
});
