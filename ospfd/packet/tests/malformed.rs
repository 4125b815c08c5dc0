//! Malformed packets and LSAs, each refused for its reason: what has hurt other implementations, and RFC 2328 §8.2 and §13.

use std::net::{IpAddr, Ipv4Addr};

use bytes::{BufMut, Bytes, BytesMut};
use ferrite_ospf_packet::auth::{Accept, Algorithm, Key, Sign};
use ferrite_ospf_packet::codec::Origin;
use ferrite_ospf_packet::opaque::*;
use ferrite_ospf_packet::{
    AreaId, Body, Codec, Endpoints, Hello, Kind, LsId, LsType, Lsa, LsaHeader, LsaKey, Options, Refusal,
    Sequence, V2, V3, v2, v3,
};
use ferrite_types::ids::RouterId;

const ORIGIN: Origin =
    Origin { router: RouterId(Ipv4Addr::new(9, 9, 9, 9)), area: AreaId::BACKBONE, instance: 0 };

fn ends2() -> Endpoints {
    Endpoints { source: IpAddr::from([10, 0, 0, 1]), destination: IpAddr::from([224, 0, 0, 5]) }
}

fn ends3() -> Endpoints {
    Endpoints {
        source: "fe80::1".parse().expect("address"),
        destination: "ff02::5".parse().expect("address"),
    }
}

fn hello(options: Options) -> Body {
    Body::Hello(Hello {
        link: 1,
        hello_interval: 10,
        dead_interval: 40,
        options,
        priority: 1,
        designated: Ipv4Addr::UNSPECIFIED,
        backup: Ipv4Addr::UNSPECIFIED,
        neighbors: Vec::new(),
    })
}

fn header(ty: LsType) -> LsaHeader {
    LsaHeader {
        age: 1,
        options: Options::default(),
        key: LsaKey { ty, id: LsId(1), adv: RouterId(Ipv4Addr::new(1, 1, 1, 1)) },
        sequence: Sequence::INITIAL,
        checksum: 0,
        length: 0,
    }
}

fn with(octets: &Bytes, at: usize, value: &[u8]) -> Bytes {
    let mut changed = BytesMut::from(&octets[..]);
    changed[at..at + value.len()].copy_from_slice(value);
    changed.freeze()
}

#[test]
fn frames_that_do_not_fit() {
    let good = V2::seal(&ORIGIN, &hello(Options::E), &Sign::None, ends2());
    let refused = |octets: Bytes| V2::frame(&octets).map(drop).unwrap_err();
    assert_eq!(refused(good.slice(..23)), Refusal::Short);
    assert_eq!(refused(with(&good, 0, &[3])), Refusal::Version);
    assert_eq!(refused(with(&good, 1, &[0])), Refusal::Kind);
    assert_eq!(refused(with(&good, 1, &[6])), Refusal::Kind);
    assert_eq!(refused(with(&good, 2, &[0, 23])), Refusal::Length);
    assert_eq!(refused(with(&good, 2, &[0xff, 0xff])), Refusal::Length);
    let verify = |octets: Bytes| V2::verify(&V2::frame(&octets).expect("a frame"), &Accept::None, ends2());
    assert_eq!(verify(with(&good, 30, &[99])), Err(Refusal::Checksum));
    assert_eq!(verify(with(&good, 14, &[0, 3])), Err(Refusal::AuthType));
    let good = <V3>::seal(&ORIGIN, &hello(Options::E), &Sign::None, ends3());
    assert_eq!(<V3>::frame(&with(&good, 2, &[0, 15])).map(drop), Err(Refusal::Length));
    let frame = <V3>::frame(&with(&good, 20, &[99])).expect("a frame");
    assert_eq!(<V3>::verify(&frame, &Accept::None, ends3()), Err(Refusal::Checksum));
}

#[test]
fn an_update_that_counts_more_than_it_holds() {
    for count in [1_u32, 65_536, u32::MAX] {
        let body = Bytes::from(count.to_be_bytes().to_vec());
        assert_eq!(Body::decode::<V2>(Kind::LinkStateUpdate, body), Err(Refusal::Body));
    }
    let lsa = Lsa::build::<V2>(header(v2::ty::NETWORK), &[0; 8]).expect("an LSA");
    let update = |count: u32, octets: &[u8]| {
        let mut body = BytesMut::new();
        body.put_u32(count);
        body.put_slice(octets);
        Body::decode::<V2>(Kind::LinkStateUpdate, body.freeze()).map(drop)
    };
    assert_eq!(update(1, lsa.octets()), Ok(()));
    assert_eq!(update(0, lsa.octets()), Err(Refusal::Body));
    assert_eq!(update(1, &with(lsa.octets(), 18, &[0, 19])), Err(Refusal::LsaLength));
    assert_eq!(update(1, &with(lsa.octets(), 18, &[0, 29])), Err(Refusal::LsaLength));
    assert_eq!(update(1, &lsa.octets()[..27]), Err(Refusal::LsaLength));
}

#[test]
fn a_request_for_a_type_over_16_bits() {
    let body = Bytes::from(vec![0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(Body::decode::<V3>(Kind::LinkStateRequest, body), Err(Refusal::Body));
}

#[test]
fn lsas_judged_before_the_database() {
    let lsa = |octets: Bytes| Lsa::read::<V2>(&mut octets.clone()).expect("framed").check::<V2>();
    let good = Lsa::build::<V2>(header(v2::ty::NETWORK), &[255, 255, 255, 0, 1, 1, 1, 1]).expect("an LSA");
    assert_eq!(good.check::<V2>(), Ok(()));
    assert_eq!(lsa(with(good.octets(), 24, &[7])), Err(Refusal::LsaChecksum));
    assert_eq!(lsa(with(good.octets(), 16, &[0, 0])), Err(Refusal::LsaChecksum));
    assert_eq!(lsa(with(good.octets(), 0, &[0x0e, 0x11])), Err(Refusal::LsaAge));
    let built =
        |header: LsaHeader, body: &[u8]| Lsa::build::<V2>(header, body).expect("an LSA").check::<V2>();
    assert_eq!(built(header(LsType(6)), &[]), Err(Refusal::LsaType));
    let reserved = LsaHeader { sequence: Sequence::RESERVED, ..header(v2::ty::NETWORK) };
    assert_eq!(built(reserved, &[0; 8]), Err(Refusal::LsaSequence));
    assert_eq!(built(header(v2::ty::NETWORK), &[0; 3]), Err(Refusal::LsaBody));
    assert_eq!(built(header(v2::ty::EXTERNAL), &[0; 15]), Err(Refusal::LsaBody));
}

#[test]
fn a_router_lsa_whose_links_or_metrics_run_over_its_end() {
    let body = |links: u16, services: u8| {
        let mut body = vec![0, 0];
        body.extend(links.to_be_bytes());
        body.extend([1, 1, 1, 1, 2, 2, 2, 2, 1, services, 0, 10]);
        V2::check_body(v2::ty::ROUTER, &body)
    };
    assert_eq!(body(1, 0), Ok(()));
    assert_eq!(body(2, 0), Err(Refusal::LsaBody));
    assert_eq!(body(65_535, 0), Err(Refusal::LsaBody));
    assert_eq!(body(1, 1), Err(Refusal::LsaBody));
    assert_eq!(body(1, 255), Err(Refusal::LsaBody));
    assert_eq!(<V3>::check_body(v3::ty::ROUTER, &[0, 0, 0, 0x33, 1, 0, 0]), Err(Refusal::LsaBody));
}

#[test]
fn prefixes_longer_than_an_address() {
    let mut body = vec![0, 0, 0, 1, 129, 0, 0, 0];
    body.extend([0xff; 20]);
    assert_eq!(<V3>::check_body(v3::ty::INTER_AREA_PREFIX, &body), Err(Refusal::LsaBody));
    // A link-LSA that counts four thousand million prefixes.
    let mut body = vec![0; 20];
    body.extend([0xff; 4]);
    assert!(<V3>::check_body(v3::ty::LINK, &body).is_err());
}

#[test]
fn tlvs_that_wrap_or_lie_about_their_size() {
    let cases: [&[u8]; 4] = [
        &[0, 1, 0xff, 0xff],       // padded, its length would wrap sixteen bits
        &[0, 1, 0, 8, 1, 2, 3, 4], // longer than what is there
        &[0, 1, 0],                // the header is cut off
        &[0, 1, 0, 4, 1, 2, 3, 4, 0, 2, 0xff, 0xfd, 0], // the second one lies
    ];
    for case in cases {
        let body = Bytes::copy_from_slice(case);
        assert!(Grace::read(&body).is_err(), "{case:?}");
        assert!(RouterInformation::read(&body).is_err(), "{case:?}");
        assert!(ExtendedPrefix::read_all(&body).is_err(), "{case:?}");
        assert!(ExtendedLink::read(&body).is_err(), "{case:?}");
        assert!(Tlv::read_all(&body).is_err(), "{case:?}");
        // Flooded all the same.
        assert_eq!(V2::check_body(v2::ty::OPAQUE_AREA, &body), Ok(()));
    }
    // A grace period of three octets; an extended prefix shorter than it claims; a TE LSA without a TLV.
    assert!(Grace::read(&Bytes::from_static(&[0, 1, 0, 3, 0, 0, 9, 0])).is_err());
    assert!(ExtendedPrefix::read_all(&Bytes::from_static(&[0, 1, 0, 4, 1, 32, 0, 0])).is_err());
    assert!(TrafficEngineering::read(&Bytes::new()).is_err());
    assert_eq!(
        TrafficEngineering::read(&Bytes::from_static(&[0, 2, 0, 0])),
        Ok(TrafficEngineering::Link(vec![]))
    );
}

#[test]
fn a_trailer_that_reaches_beyond_the_packet() {
    let keys = [Key { id: 1, algorithm: Algorithm::HmacSha256, secret: b"k".to_vec() }];
    let sign = Sign::Digest { key: &keys[0], sequence: 5 };
    let good = <V3>::seal(&ORIGIN, &hello(Options::E.with(Options::AT)), &sign, ends3());
    let verify =
        |octets: Bytes| <V3>::verify(&<V3>::frame(&octets).expect("a frame"), &Accept::Keys(&keys), ends3());
    assert_eq!(verify(good.clone()), Ok(Some(5)));
    let at = <V3>::frame(&good).expect("a frame").packet.len();
    assert_eq!(verify(with(&good, at + 2, &[0xff, 0xff])), Err(Refusal::AuthTrailer));
    assert_eq!(verify(with(&good, at + 2, &[0, 15])), Err(Refusal::AuthTrailer));
    assert_eq!(verify(with(&good, at, &[0, 2])), Err(Refusal::AuthType));
    // A later number does not pass unless the digest covers it.
    assert_eq!(verify(with(&good, at + 8, &[0xff])), Err(Refusal::AuthDigest));
    // A packet that says it has a signalling block, whose length is beyond the end, or none.
    let linked = <V3>::seal(&ORIGIN, &hello(Options::E.with(Options::L3)), &sign, ends3());
    assert_eq!(verify(with(&linked, at + 2, &[0xff, 0xff])), Err(Refusal::AuthTrailer));
    assert_eq!(verify(with(&linked, at + 2, &[0, 0])), Err(Refusal::AuthTrailer));
}

#[test]
fn a_digest_of_another_length_than_its_key_makes() {
    let keys = [Key { id: 1, algorithm: Algorithm::KeyedMd5, secret: b"k".to_vec() }];
    let sign = Sign::Digest { key: &keys[0], sequence: 5 };
    let good = V2::seal(&ORIGIN, &hello(Options::E), &sign, ends2());
    let verify =
        |octets: Bytes| V2::verify(&V2::frame(&octets).expect("a frame"), &Accept::Keys(&keys), ends2());
    assert_eq!(verify(good.clone()), Ok(Some(5)));
    for len in [0, 15, 17, 255] {
        assert_eq!(verify(with(&good, 19, &[len])), Err(Refusal::AuthTrailer));
    }
    assert_eq!(verify(with(&good, 18, &[2])), Err(Refusal::AuthKey));
}
