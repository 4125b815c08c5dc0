//! What a cache of the RPKI may say, in pieces of any size, with connections that end and time that passes: the decoder and
//! the client's machine. Whatever it says, nothing is in force that was not told whole.
#![no_main]

use std::time::Duration;

use ferrite_rpki::rtr::{Action, Cache, CacheConfig, Event};
use ferrite_types::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut cache = Cache::new(CacheConfig::default());
    let mut now = Timestamp::ZERO;
    let mut actions = Vec::new();
    cache.start(now);
    cache.tick(now, &mut actions);
    cache.handle(now, Event::Connected, &mut actions);
    let mut rest = input;
    // An octet says what happens next, and for how long or how much.
    while let Some((&step, after)) = rest.split_first() {
        rest = after;
        match step & 0b11 {
            0 => {
                now = now + Duration::from_secs(u64::from(step >> 2) * 60);
                cache.tick(now, &mut actions);
            }
            1 => {
                cache.handle(now, Event::Closed("ended"), &mut actions);
                cache.tick(now + Duration::from_secs(7200), &mut actions);
                now = now + Duration::from_secs(7200);
                cache.handle(now, Event::Connected, &mut actions);
            }
            _ => {
                let (piece, after) = rest.split_at(usize::from(step).min(rest.len()));
                rest = after;
                cache.handle(now, Event::Received(piece), &mut actions);
            }
        }
        // Data are there because a cache told them to their end, or they have expired.
        let told = actions.drain(..).any(|action| action == Action::Updated);
        assert!(!told || cache.synced_at().is_some() || cache.data().vrps.is_empty());
        let _ = (cache.next_deadline(), cache.progress());
    }
});
