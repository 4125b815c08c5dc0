//! What a client may send: octets of the stream, decoded, converted and handed to the whole machine. Nothing it says
//! breaks zebra, and what it leaves behind goes with it.
#![no_main]

use ferrite_rpc::zebra::{decode_client, decode_server};
use ferrite_types::RouteProtocol;
use ferrite_types::zclient::{Hello, ToZebra};
use libfuzzer_sys::fuzz_target;
use zebra_core::{ClientKey, Event};

#[path = "zebra_world.rs"]
mod world;

fuzz_target!(|input: &[u8]| {
    let mut world = world::World::new();
    let client = ClientKey(1);
    let protocol = RouteProtocol::Bgp;
    let hello = Hello { daemon: "bgpd".to_owned(), protocol, instance: 0, restarting: false };
    world.event(Event::ClientConnected { client, hello });
    let mut rest = input;
    while let Some((&len, tail)) = rest.split_first() {
        let (message, tail) = tail.split_at(usize::from(len).min(tail.len()));
        rest = tail;
        let _ = decode_server(message);
        if let Ok(message) = decode_client(message) {
            world.event(Event::Client { client, message });
        }
    }
    world.pass(std::time::Duration::from_secs(3));
    world.event(Event::Client { client, message: ToZebra::Goodbye { keep_routes: false } });
    assert!(world.kernel.is_empty(), "left in the kernel: {:?}", world.kernel);
});
