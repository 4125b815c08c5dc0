//! Clients of the OSPF API that say anything: the drive is shared with a test.
#![no_main]

#[path = "../../ospfd/control/tests/anything/api.rs"]
mod api;
#[path = "../../ospfd/control/tests/anything/asked.rs"]
mod asked;
#[path = "../../ospfd/control/tests/anything/pair.rs"]
mod pair;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    api::run(octets);
});
