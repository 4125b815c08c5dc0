//! OPEN and its capabilities: what is read, written, and read again is the same.
#![no_main]

use bgp_packet::Open;
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let Ok(open) = Open::decode(&Bytes::copy_from_slice(octets)) else { return };
    let whole = open.encode();
    assert!(whole.len() <= 4096);
    let again = Open::decode(&whole.slice(19..)).expect("what we write can be read");
    // Names are cut when they are written, and what was too long for a message is left out.
    if again.capabilities.len() == open.capabilities.len() && again.capabilities != open.capabilities {
        let third = Open::decode(&again.encode().slice(19..)).expect("what we write can be read");
        assert_eq!(third.capabilities, again.capabilities);
    }
});
