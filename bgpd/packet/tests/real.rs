//! Messages recorded from real routers: update files of route collectors, packet captures, and a whole table for the
//! speed of decoding. The recordings are not part of the project; where they are absent a line says so.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use bgp_packet::attr::{DecodeContext, Penalty, SessionKind};
use bgp_packet::header::MAX_LEN_EXTENDED;
use bgp_packet::update::{self, AttributeCache};
use bgp_packet::{Family, FamilySet, MessageType, Notification, Open, RouteRefresh, next_frame};
use bytes::{Bytes, BytesMut};

/// A recording, unpacked; `None` where there is none on this machine.
fn recording(name: &str) -> Option<Vec<u8>> {
    let root = std::env::var_os("FERRITE_DATA").map(PathBuf::from);
    let root = root.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"));
    let Ok(file) = File::open(root.join(name)) else {
        eprintln!("SKIPPED: no recording {name}; FERRITE_DATA names the folder that has it");
        return None;
    };
    let mut octets = Vec::new();
    let read = match name.rsplit('.').next() {
        Some("gz") => flate2::read::MultiGzDecoder::new(file).read_to_end(&mut octets),
        Some("bz2") => bzip2::read::MultiBzDecoder::new(file).read_to_end(&mut octets),
        _ => { file }.read_to_end(&mut octets),
    };
    read.expect("the recording can be unpacked");
    Some(octets)
}

fn u16_at(octets: &[u8], at: usize) -> u16 {
    u16::from_be_bytes(octets[at..at + 2].try_into().unwrap())
}

fn u32_at(octets: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(octets[at..at + 4].try_into().unwrap())
}

/// The messages of an MRT file (RFC 6396 §4.4), each with whether its AS numbers have four octets.
fn mrt_messages(octets: &[u8]) -> Vec<(bool, Vec<u8>)> {
    let mut messages = Vec::new();
    let mut at = 0;
    while at + 12 <= octets.len() {
        let (kind, subtype, len) =
            (u16_at(octets, at + 4), u16_at(octets, at + 6), u32_at(octets, at + 8) as usize);
        let record = &octets[at + 12..at + 12 + len];
        at += 12 + len;
        if !matches!(kind, 16 | 17) || !matches!(subtype, 1 | 4) {
            continue;
        }
        let record = if kind == 17 { &record[4..] } else { record };
        let four_octet = subtype == 4;
        let ases = if four_octet { 8 } else { 4 };
        let addresses = if u16_at(record, ases + 2) == 1 { 8 } else { 32 };
        messages.push((four_octet, record[ases + 4 + addresses..].to_vec()));
    }
    messages
}

fn context(four_octet: bool, kind: SessionKind) -> DecodeContext {
    let families: FamilySet = Family::ALL.into_iter().collect();
    DecodeContext { four_octet, families, extended_next_hop: true, ..DecodeContext::new(kind) }
}

#[derive(Default, Debug, PartialEq)]
struct Counts {
    updates: usize,
    others: usize,
    announced: usize,
    withdrawn: usize,
}

/// Decodes every message.
fn decode_all(name: &str) -> Option<Counts> {
    let octets = recording(name)?;
    let mut counts = Counts::default();
    let mut caches = [AttributeCache::default(), AttributeCache::default()];
    for (four_octet, message) in mrt_messages(&octets) {
        let mut buf = BytesMut::from(&message[..]);
        let frame = next_frame(&mut buf, MAX_LEN_EXTENDED).unwrap().expect("a whole message");
        match frame.kind {
            MessageType::Update => {
                let context = context(four_octet, SessionKind::External);
                let cache = &mut caches[usize::from(four_octet)];
                let update =
                    update::decode(&frame.body, &context, cache).unwrap_or_else(|e| panic!("{name}: {e}"));
                counts.updates += 1;
                counts.announced += update.announced.iter().map(|a| a.nlri.len()).sum::<usize>();
                counts.withdrawn += update.withdrawn.iter().map(|nlri| nlri.len()).sum::<usize>();
                assert_eq!(update.faults, [], "{name}");
            }
            MessageType::Open => assert!(Open::decode(&frame.body).is_ok()),
            MessageType::Capability => assert!(bgp_packet::CapabilityChange::decode_all(&frame.body).is_ok()),
            MessageType::RouteRefresh => assert!(RouteRefresh::decode(&frame.body).is_ok()),
            MessageType::Notification => assert!(!Notification::decode(&frame.body).to_string().is_empty()),
            MessageType::Keepalive => {}
        }
        counts.others += usize::from(frame.kind != MessageType::Update);
    }
    Some(counts)
}

#[test]
fn update_files_of_route_collectors_decode_without_a_fault() {
    for (name, updates) in [
        ("mrt/updates.20190101.0000.gz", 54_107),
        ("mrt/updates.route-views6.20151009.1230.bz2", 15_044),
        ("mrt/updates.20070211.0141.gz", 23_394),
    ] {
        let Some(counts) = decode_all(name) else { continue };
        println!("{name}: {counts:?}");
        assert_eq!(counts.updates, updates, "{name}");
        assert!(counts.announced > counts.updates / 2, "{name}");
    }
}

#[test]
fn the_routes_of_an_update_file_are_those_that_another_decoder_printed() {
    let Some(expected) = recording("mrt/updates.20070211.0141.expected.txt.gz") else { return };
    let Some(octets) = recording("mrt/updates.20070211.0141.gz") else { return };
    // `BGP4MP|time|A|peer|AS|prefix|path|origin|…` and `BGP4MP|time|W|peer|AS|prefix`.
    let expected = String::from_utf8(expected).unwrap();
    let mut wanted: Vec<String> = expected
        .lines()
        .map(|line| {
            let fields: Vec<&str> = line.split('|').collect();
            match fields[2] {
                "A" => format!("A {} {} {} {}", fields[5], fields[6], fields[7], fields[8]),
                kind => format!("{kind} {}", fields[5]),
            }
        })
        .collect();
    let mut got = Vec::new();
    let mut cache = AttributeCache::default();
    for (four_octet, message) in mrt_messages(&octets) {
        let mut buf = BytesMut::from(&message[..]);
        let frame = next_frame(&mut buf, MAX_LEN_EXTENDED).unwrap().unwrap();
        let update =
            update::decode(&frame.body, &context(four_octet, SessionKind::External), &mut cache).unwrap();
        got.extend(update.withdrawn.iter().flat_map(|nlri| nlri.iter()).map(|e| format!("W {}", e.prefix)));
        for announced in &update.announced {
            let attrs = &announced.attrs;
            let origin = ["IGP", "EGP", "INCOMPLETE"][attrs.origin as usize];
            let (path, hop) = (&attrs.as_path, attrs.next_hop.addr());
            got.extend(announced.nlri.iter().map(|e| format!("A {} {path} {origin} {hop}", e.prefix)));
        }
    }
    wanted.sort_unstable();
    got.sort_unstable();
    let differ = wanted.iter().zip(&got).find(|(a, b)| a != b);
    assert_eq!((wanted.len(), differ), (got.len(), None));
}

#[test]
fn dumps_of_whole_sessions_decode() {
    for name in ["mrt/quagga_bgp.mrt", "mrt/bird_bgp.mrt", "mrt/bird6_bgp.mrt"] {
        let Some(octets) = recording(name) else { continue };
        let mut kinds = [0; 6];
        for (four_octet, message) in mrt_messages(&octets) {
            let mut buf = BytesMut::from(&message[..]);
            let Some(frame) = next_frame(&mut buf, MAX_LEN_EXTENDED).unwrap() else { continue };
            kinds[frame.kind as usize] += 1;
            if frame.kind == MessageType::Open {
                Open::decode(&frame.body).unwrap();
            }
            if frame.kind == MessageType::Update {
                let context = context(four_octet, SessionKind::Internal);
                let _ = update::decode(&frame.body, &context, &mut AttributeCache::default());
            }
        }
        println!("{name}: {kinds:?}");
        assert!(kinds[MessageType::Open as usize] > 0 && kinds[MessageType::Update as usize] > 0, "{name}");
    }
}

/// Whether an UPDATE of an unknown session is taken as one of some kind of session.
fn readable(body: &Bytes) -> Result<(), String> {
    let mut last = Ok(());
    for (four_octet, kind) in [
        (true, SessionKind::External),
        (false, SessionKind::External),
        (true, SessionKind::Internal),
        (false, SessionKind::Internal),
    ] {
        let update = update::decode(body, &context(four_octet, kind), &mut AttributeCache::default());
        last = update.map_err(|error| error.to_string()).and_then(|update| match update.penalty() {
            Some(Penalty::TreatAsWithdraw) => Err(update.faults[0].error.to_string()),
            _ => Ok(()),
        });
        if last.is_ok() {
            break;
        }
    }
    last
}

/// Every run of sixteen octets of ones in a capture is taken for the start of a message.
fn messages_in(capture: &[u8]) -> Vec<Bytes> {
    let mut found = Vec::new();
    let mut at = 0;
    while at + 19 <= capture.len() {
        if capture[at..at + 16].iter().all(|octet| *octet == 0xff) && capture.get(at + 16) != Some(&0xff) {
            let len = usize::from(u16_at(capture, at + 16));
            if let Some(message) = capture.get(at..at + len).filter(|_| len >= 19) {
                found.push(Bytes::copy_from_slice(message));
                at += len;
                continue;
            }
        }
        at += 1;
    }
    found
}

#[test]
fn captures_of_every_kind_of_session_decode_and_survive_being_cut() {
    let folder = std::env::var_os("FERRITE_DATA").map(PathBuf::from);
    let folder = folder
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"))
        .join("bgp");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("SKIPPED: no captures; FERRITE_DATA names the folder that has them");
        return;
    };
    let mut counts = [0; 7];
    let mut unreadable = Vec::new();
    for entry in entries {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(capture) = recording(&format!("bgp/{name}")) else { continue };
        for message in messages_in(&capture) {
            let mut buf = BytesMut::from(&message[..]);
            let Ok(Some(frame)) = next_frame(&mut buf, MAX_LEN_EXTENDED) else {
                unreadable.push(format!("{name}: header"));
                continue;
            };
            counts[frame.kind as usize] += 1;
            for len in (0..=frame.body.len()).rev() {
                let body = frame.body.slice(..len);
                let whole = len == frame.body.len();
                let result = match frame.kind {
                    MessageType::Open => Open::decode(&body).map(drop).map_err(|n| n.to_string()),
                    MessageType::RouteRefresh => {
                        RouteRefresh::decode(&body).map(drop).map_err(|n| n.to_string())
                    }
                    MessageType::Update => readable(&body),
                    MessageType::Notification | MessageType::Keepalive | MessageType::Capability => Ok(()),
                };
                if let (true, Err(error)) = (whole, result) {
                    unreadable.push(format!("{name}: {error}"));
                }
            }
        }
    }
    unreadable.dedup();
    println!("by type {counts:?}; not taken: {unreadable:#?}");
    assert!(counts[MessageType::Open as usize] > 20 && counts[MessageType::Update as usize] > 100);
    // What is left has path identifiers, which only the session's OPENs would tell, or is faulty on purpose.
    assert!(unreadable.len() <= 4, "{unreadable:#?}");
}

/// The UPDATEs that would announce an RRC06-like table: each route of a TABLE_DUMP_V2 with the attributes recorded.
fn table_updates(octets: &[u8]) -> Vec<Bytes> {
    let mut updates: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let mut at = 0;
    while at + 12 <= octets.len() {
        let (kind, subtype, len) =
            (u16_at(octets, at + 4), u16_at(octets, at + 6), u32_at(octets, at + 8) as usize);
        let record = &octets[at + 12..at + 12 + len];
        at += 12 + len;
        if kind != 13 || subtype != 2 {
            continue;
        }
        let prefix = &record[4..5 + usize::from(record[4]).div_ceil(8)];
        let entries = &record[4 + prefix.len()..];
        // The first entry: peer, time, attributes.
        let attributes = &entries[10..10 + usize::from(u16_at(entries, 8))];
        match updates.last_mut() {
            Some((last, nlri)) if last == attributes && nlri.len() < 3000 => nlri.extend(prefix),
            _ => updates.push((attributes.to_vec(), prefix.to_vec())),
        }
    }
    let bodies = updates.into_iter().map(|(attributes, nlri)| {
        [&[0, 0][..], &(attributes.len() as u16).to_be_bytes(), &attributes, &nlri].concat().into()
    });
    bodies.collect()
}

/// Nanoseconds that this thread has computed; a busy machine does not make it more.
fn cpu_time() -> usize {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or_default()
}

#[test]
fn a_real_table_is_decoded_at_a_known_speed() {
    let Some(octets) = recording("mrt/rib.rrc06.20100701.0759.reencoded.mrt.gz") else { return };
    let updates = table_updates(&octets);
    let context = context(true, SessionKind::External);
    for round in ["cold", "again"] {
        let mut cache = AttributeCache::default();
        let start = cpu_time();
        let (mut prefixes, mut bits) = (0, 0u64);
        for body in &updates {
            let update = update::decode(body, &context, &mut cache).unwrap();
            for announced in &update.announced {
                for entry in &announced.nlri {
                    prefixes += 1;
                    bits += u64::from(entry.prefix.len());
                }
            }
        }
        let nanos = cpu_time() - start;
        println!(
            "{round}: {} UPDATEs, {prefixes} prefixes ({bits} bits): {} ns per prefix, {} ns per UPDATE; cache {} of {}",
            updates.len(),
            nanos / prefixes,
            nanos / updates.len(),
            cache.hits,
            cache.hits + cache.misses,
        );
        assert_eq!(prefixes, 323_487);
    }
}
