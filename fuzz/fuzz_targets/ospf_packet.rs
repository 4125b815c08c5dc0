//! OSPF packets of both versions from frame to LSAs and their TLVs: read or refused, and what is read is written as the same.
#![no_main]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::{Bytes, BytesMut};
use ferrite_ospf_packet::auth::{Accept, Algorithm, Key};
use ferrite_ospf_packet::opaque::{ExtendedLink, ExtendedPrefix, Grace, RouterInformation, TrafficEngineering};
use ferrite_ospf_packet::{Body, Codec, Endpoints, Inet4, Kind, V2, V3};
use libfuzzer_sys::fuzz_target;

fn all<C: Codec>(octets: &Bytes) {
    let ends = Endpoints {
        source: IpAddr::V6(Ipv6Addr::LOCALHOST),
        destination: IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 5)),
    };
    let four = Endpoints {
        source: IpAddr::V4(Ipv4Addr::LOCALHOST),
        destination: IpAddr::V4(Ipv4Addr::new(224, 0, 0, 5)),
    };
    if let Ok(frame) = C::frame(octets) {
        let _ = C::verify(&frame, &Accept::None, ends);
        let key = |algorithm| Key { id: 1, algorithm, secret: b"secret".to_vec() };
        let keys: Vec<Key> = Algorithm::ALL.into_iter().map(key).collect();
        let _ = C::verify(&frame, &Accept::Keys(&keys), ends);
        let _ = C::verify(&frame, &Accept::Extended(&keys), four);
    }
    for kind in Kind::ALL {
        let Ok(body) = Body::decode::<C>(kind, octets.clone()) else { continue };
        if let Body::LinkStateUpdate(lsas) = &body {
            for lsa in lsas {
                let _ = lsa.check::<C>();
                let _ = C::check_body(lsa.key().ty, lsa.body());
            }
        }
        let mut written = BytesMut::new();
        body.put::<C>(&mut written);
        assert_eq!(Body::decode::<C>(kind, written.freeze()).as_ref(), Ok(&body));
    }
}

fuzz_target!(|octets: &[u8]| {
    let octets = Bytes::copy_from_slice(octets);
    all::<V2>(&octets);
    all::<V3>(&octets);
    all::<V3<Inet4>>(&octets);
    let _ = Grace::read(&octets);
    let _ = RouterInformation::read(&octets);
    let _ = TrafficEngineering::read(&octets);
    let _ = ExtendedPrefix::read_all(&octets);
    let _ = ExtendedLink::read(&octets);
});
