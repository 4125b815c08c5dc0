//! A database of LSAs that say anything, then every show in text and JSON, with all debugging on: the drive is shared with a test.
#![no_main]

#[path = "../../ospfd/control/tests/anything/asked.rs"]
mod asked;
#[path = "../../ospfd/control/tests/anything/pair.rs"]
mod pair;
#[path = "../../ospfd/control/tests/anything/shows.rs"]
mod shows;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    shows::run(octets);
});
