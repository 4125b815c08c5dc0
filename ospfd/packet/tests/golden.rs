//! Packets of other implementations, recorded: genuine by their key, decoded, and written again octet by octet.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use bytes::Bytes;
use ferrite_ospf_packet::auth::{Accept, Algorithm, Key, Sign};
use ferrite_ospf_packet::codec::Origin;
use ferrite_ospf_packet::{Body, Codec, Endpoints, V2, V3};

struct Recorded {
    name: String,
    ends: Endpoints,
    octets: Bytes,
}

fn recorded(version: &str) -> Vec<Recorded> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packets");
    let mut all = Vec::new();
    for file in fs::read_dir(folder).expect("the folder") {
        let path = file.expect("a file").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if !name.starts_with(version) {
            continue;
        }
        let text = fs::read_to_string(path).expect("text");
        let mut lines = text.lines().skip(1);
        let ends: Vec<IpAddr> =
            lines.next().expect("ends").split(' ').map(|end| end.parse().expect("an address")).collect();
        let hex: String = lines.collect();
        let octet = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex");
        let octets = (0..hex.len()).step_by(2).map(octet).collect();
        all.push(Recorded { name, ends: Endpoints { source: ends[0], destination: ends[1] }, octets });
    }
    assert_eq!(all.len(), 10, "five kinds of packets of two implementations");
    all
}

fn check<C: Codec>(version: &str, key: &Key) {
    for Recorded { name, ends, octets } in recorded(version) {
        let frame = C::frame(&octets).unwrap_or_else(|error| panic!("{name}: {error}"));
        let keys = [key.clone()];
        let sequence =
            C::verify(&frame, &Accept::Keys(&keys), ends).unwrap_or_else(|error| panic!("{name}: {error}"));
        let body = Body::decode::<C>(frame.kind, frame.body.clone())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        if let Body::LinkStateUpdate(lsas) = &body {
            assert!(!lsas.is_empty());
            for lsa in lsas {
                assert_eq!(lsa.check::<C>(), Ok(()), "{name}: {lsa:?}");
            }
        }
        let origin = Origin { router: frame.router, area: frame.area, instance: frame.instance };
        let sign = Sign::Digest { key, sequence: sequence.expect("a number") };
        let written = C::seal(&origin, &body, &sign, ends);
        // The checksum of a signed packet is nobody's business; OSPFv3's is computed by the kernel for some.
        let blind = |octets: &[u8]| {
            let mut octets = octets.to_vec();
            octets[12..14].fill(0);
            octets
        };
        let packet = frame.packet.len();
        assert_eq!(blind(&written)[..packet], blind(&octets)[..packet], "{name}");
        if octets.get(12..14) == written.get(12..14) {
            assert_eq!(written, octets, "{name}");
        }
    }
}

#[test]
fn packets_of_others_in_version_2() {
    check::<V2>("v2", &Key { id: 1, algorithm: Algorithm::KeyedMd5, secret: b"secret".to_vec() });
}

#[test]
fn packets_of_others_in_version_3() {
    check::<V3>("v3", &Key { id: 3, algorithm: Algorithm::HmacSha256, secret: b"secret".to_vec() });
}
