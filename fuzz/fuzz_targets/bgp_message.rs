//! A stream of octets from a neighbour: framed and decoded as a session does, whatever the octets are.
#![no_main]

use bgp_packet::attr::{DecodeContext, SessionKind};
use bgp_packet::update::{self, AttributeCache};
use bgp_packet::{Family, MessageType, Notification, Open, RouteRefresh, next_frame};
use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let Some((&flags, stream)) = octets.split_first() else { return };
    let max_len = if flags & 1 == 0 { 4096 } else { 65_535 };
    let kind = [SessionKind::External, SessionKind::Internal, SessionKind::Confederation][usize::from(flags >> 6) % 3];
    let context = DecodeContext {
        four_octet: flags & 2 == 0,
        families: Family::ALL.into_iter().collect(),
        add_path: if flags & 4 == 0 { Default::default() } else { Family::ALL.into_iter().collect() },
        extended_next_hop: flags & 8 == 0,
        local_pref: false,
        martian_next_hops: false,
        aigp: flags & 16 == 0,
        ..DecodeContext::new(kind)
    };
    let mut cache = AttributeCache::default();
    let mut buf = BytesMut::from(stream);
    while let Ok(Some(frame)) = next_frame(&mut buf, max_len) {
        let answer = match frame.kind {
            MessageType::Open => Open::decode(&frame.body).map(drop).err(),
            MessageType::Update => update::decode(&frame.body, &context, &mut cache).map(drop).err().map(|e| e.notification),
            MessageType::Capability => bgp_packet::CapabilityChange::decode_all(&frame.body).map(drop).err(),
            MessageType::RouteRefresh => RouteRefresh::decode(&frame.body).map(drop).err(),
            MessageType::Notification => Some(Notification::decode(&frame.body)),
            MessageType::Keepalive => None,
        };
        if let Some(answer) = answer {
            let _ = (answer.to_string(), answer.shutdown_text(), answer.inner());
            assert!(answer.encode().len() <= 4096);
        }
    }
});
