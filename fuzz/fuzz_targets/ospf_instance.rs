//! A whole OSPF instance, both versions and families, under packets that say anything: the drive is shared with a test of the core.
#![no_main]

#[path = "../../ospfd/core/tests/any_packets/drive.rs"]
mod drive;

use ferrite_ospf::packet::{Inet4, V2, V3};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    drive::run::<V2>(octets);
    drive::run::<V3>(octets);
    drive::run::<V3<Inet4>>(octets);
});
