//! What is written is read as the same, in both versions, signed in every way; what is cut or damaged is refused.

use std::net::{IpAddr, Ipv4Addr};

use bytes::{Bytes, BytesMut};
use ferrite_ospf_packet::auth::{Accept, Algorithm, Key, Sign};
use ferrite_ospf_packet::codec::Origin;
use ferrite_ospf_packet::packet::DdFlags;
use ferrite_ospf_packet::{
    AreaId, Body, Codec, DatabaseDescription, Endpoints, Family, Hello, Inet4, Inet6, LsId, LsType, Lsa,
    LsaHeader, LsaKey, Options, Refusal, Sequence, V2, V3,
};
use ferrite_types::ids::RouterId;
use proptest::prelude::*;

fn router() -> impl Strategy<Value = RouterId> {
    any::<u32>().prop_map(|bits| RouterId(Ipv4Addr::from_bits(bits)))
}

/// Fields that both versions have, in the width of the narrower one.
fn hello() -> impl Strategy<Value = Hello> {
    let timers = (any::<u16>(), any::<u16>(), any::<u8>(), any::<u8>());
    (any::<u32>(), timers, any::<u32>(), any::<u32>(), prop::collection::vec(router(), 0..40)).prop_map(
        |(link, (hello, dead, options, priority), designated, backup, neighbors)| Hello {
            link,
            hello_interval: hello,
            dead_interval: u32::from(dead),
            options: Options(u32::from(options)),
            priority,
            designated: Ipv4Addr::from_bits(designated),
            backup: Ipv4Addr::from_bits(backup),
            neighbors,
        },
    )
}

fn header<C: Codec>() -> impl Strategy<Value = LsaHeader> {
    (0..=3600_u16, any::<u8>(), 1..12_u16, any::<u32>(), router(), any::<i32>(), any::<u16>(), 20..u16::MAX)
        .prop_map(|(age, options, ty, id, adv, sequence, checksum, length)| LsaHeader {
            age,
            options: if C::VERSION == 2 { Options(u32::from(options)) } else { Options::default() },
            key: LsaKey { ty: LsType(if C::VERSION == 2 { ty } else { ty | 0x2000 }), id: LsId(id), adv },
            sequence: Sequence(sequence),
            checksum,
            length,
        })
}

fn lsa<C: Codec>() -> impl Strategy<Value = Lsa> {
    (header::<C>(), prop::collection::vec(any::<u8>(), 0..80))
        .prop_map(|(header, body)| Lsa::build::<C>(header, &body).expect("short"))
}

fn body<C: Codec>() -> impl Strategy<Value = Body> {
    prop_oneof![
        hello().prop_map(Body::Hello),
        (any::<u16>(), any::<u8>(), 0..8_u8, any::<u32>(), prop::collection::vec(header::<C>(), 0..20))
            .prop_map(|(mtu, options, flags, sequence, headers)| Body::DatabaseDescription(
                DatabaseDescription {
                    mtu,
                    options: Options(u32::from(options)),
                    flags: DdFlags::from_bits(flags),
                    sequence,
                    headers,
                }
            )),
        prop::collection::vec(header::<C>(), 0..20)
            .prop_map(|headers| Body::LinkStateRequest(headers.iter().map(|header| header.key).collect())),
        prop::collection::vec(lsa::<C>(), 0..10).prop_map(Body::LinkStateUpdate),
        prop::collection::vec(header::<C>(), 0..20).prop_map(Body::LinkStateAck),
    ]
}

fn ends(version: u8) -> Endpoints {
    if version == 2 {
        Endpoints { source: IpAddr::from([10, 0, 0, 1]), destination: IpAddr::from([224, 0, 0, 5]) }
    } else {
        let ends: [IpAddr; 2] = ["fe80::1".parse().expect("address"), "ff02::5".parse().expect("address")];
        Endpoints { source: ends[0], destination: ends[1] }
    }
}

fn origin(version: u8) -> Origin {
    Origin {
        router: RouterId(Ipv4Addr::new(1, 2, 3, 4)),
        area: AreaId::from_bits(7),
        instance: if version == 3 { 5 } else { 0 },
    }
}

fn keys(secret: &[u8]) -> Vec<Key> {
    let key = |(id, algorithm)| Key { id: id as u32 + 1, algorithm, secret: secret.to_vec() };
    Algorithm::ALL.into_iter().enumerate().map(key).collect()
}

fn there_and_back<C: Codec>(body: &Body) {
    let ends = ends(C::VERSION);
    let octets = C::seal(&origin(C::VERSION), body, &Sign::None, ends);
    let frame = C::frame(&octets).expect("a frame");
    assert_eq!((frame.router, frame.area), (RouterId(Ipv4Addr::new(1, 2, 3, 4)), AreaId::from_bits(7)));
    assert_eq!(C::verify(&frame, &Accept::None, ends), Ok(None));
    assert_eq!(Body::decode::<C>(frame.kind, frame.body.clone()).as_ref(), Ok(body));
    for cut in 0..octets.len() {
        // Whatever is cut off, nothing panics and the frame says so.
        let short = C::frame(&octets.slice(..cut)).map(drop);
        assert!(matches!(short, Err(Refusal::Short | Refusal::Length)), "{cut}: {short:?}");
        if let Some(body) = (cut >= C::HEADER).then(|| octets.slice(C::HEADER..cut)) {
            drop(Body::decode::<C>(frame.kind, body));
        }
    }
}

fn signed<C: Codec>(body: &Body, secret: &[u8]) {
    let (ends, keys) = (ends(C::VERSION), keys(secret));
    for key in keys.iter().filter(|key| C::VERSION == 2 || key.algorithm != Algorithm::KeyedMd5) {
        let octets = C::seal(&origin(C::VERSION), body, &Sign::Digest { key, sequence: 77 }, ends);
        let frame = C::frame(&octets).expect("a frame");
        assert_eq!(C::verify(&frame, &Accept::Keys(&keys), ends), Ok(Some(77)));
        assert_eq!(Body::decode::<C>(frame.kind, frame.body.clone()).as_ref(), Ok(body));
        for at in [C::HEADER, octets.len() - 1] {
            let mut bad = BytesMut::from(&octets[..]);
            bad[at] ^= 1;
            let frame = C::frame(&bad.freeze()).expect("a frame");
            let judged = C::verify(&frame, &Accept::Keys(&keys), ends);
            assert!(judged.is_err(), "{:?} at {at}", key.algorithm);
        }
        for cut in frame.packet.len()..octets.len() {
            let frame = C::frame(&octets.slice(..cut)).expect("a frame");
            assert!(C::verify(&frame, &Accept::Keys(&keys), ends).is_err());
        }
        let others: Vec<Key> = keys.iter().filter(|other| other.id != key.id).cloned().collect();
        assert_eq!(C::verify(&frame, &Accept::Keys(&others), ends), Err(Refusal::AuthKey));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn packets_of_version_2_survive(body in body::<V2>()) {
        there_and_back::<V2>(&body);
    }

    #[test]
    fn packets_of_version_3_survive(body in body::<V3>()) {
        there_and_back::<V3>(&body);
    }

    #[test]
    fn ipv4_survives_in_the_place_of_ipv6(bits in any::<u32>(), len in 0..=32_u8, longer in 33..=128_u8) {
        let prefix = ferrite_types::Prefix::new(IpAddr::V4(bits.into()), len).expect("a prefix");
        let wire = Inet4::wire(prefix).expect("a place");
        prop_assert_eq!((wire.len(), Inet4::prefix(wire)), (len, Some(prefix)));
        let address = IpAddr::V4(bits.into());
        prop_assert_eq!(Inet4::wire_address(address).map(Inet4::address), Some(address));
        let wide = ferrite_types::Ipv6Prefix::from_bits(u128::from(bits) << 96, longer).expect("a prefix");
        prop_assert_eq!(Inet4::prefix(wide), None);
        prop_assert_eq!(Inet6::wire(prefix), None);
    }

    #[test]
    fn signed_packets_survive_and_damage_is_seen(
        two in body::<V2>(), three in body::<V3>(), secret in prop::collection::vec(any::<u8>(), 1..80),
    ) {
        // A packet of a header alone has no octet behind it to damage but its digest.
        signed::<V2>(&two, &secret);
        signed::<V3>(&three, &secret);
    }

    #[test]
    fn any_octets_are_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..200), kind in 1..6_u8, ty in any::<u16>()) {
        let bytes = Bytes::from(octets);
        let kind = ferrite_ospf_packet::Kind::from_code(kind).expect("a kind");
        let _ = V2::frame(&bytes);
        let _ = <V3>::frame(&bytes);
        let _ = Body::decode::<V2>(kind, bytes.clone());
        let _ = Body::decode::<V3>(kind, bytes.clone());
        for ty in [ty, ty & 0xf, ty & 0xf | 0x2000, ty & 0xf | 0x4000] {
            let _ = V2::check_body(LsType(ty), &bytes);
            let _ = <V3>::check_body(LsType(ty), &bytes);
        }
        use ferrite_ospf_packet::opaque::*;
        let _ = Grace::read(&bytes);
        let _ = RouterInformation::read(&bytes);
        let _ = TrafficEngineering::read(&bytes);
        let _ = ExtendedPrefix::read_all(&bytes);
        let _ = ExtendedLink::read(&bytes);
    }
}

#[test]
fn simple_passwords_are_compared() {
    let body = Body::LinkStateAck(Vec::new());
    let octets = V2::seal(&origin(2), &body, &Sign::Simple(*b"secret\0\0"), ends(2));
    let frame = V2::frame(&octets).expect("a frame");
    assert_eq!(V2::verify(&frame, &Accept::Simple(*b"secret\0\0"), ends(2)), Ok(None));
    assert_eq!(V2::verify(&frame, &Accept::Simple(*b"Secret\0\0"), ends(2)), Err(Refusal::AuthDigest));
    assert_eq!(V2::verify(&frame, &Accept::None, ends(2)), Err(Refusal::AuthType));
    assert_eq!(V2::verify(&frame, &Accept::Keys(&[]), ends(2)), Err(Refusal::AuthType));
}

#[test]
fn a_packet_from_elsewhere_does_not_pass_version_3() {
    let body = Body::LinkStateAck(Vec::new());
    let other = Endpoints { source: "fe80::2".parse().expect("address"), ..ends(3) };
    let octets = <V3>::seal(&origin(3), &body, &Sign::None, ends(3));
    let frame = <V3>::frame(&octets).expect("a frame");
    assert_eq!(<V3>::verify(&frame, &Accept::None, other), Err(Refusal::Checksum));
    let keys = keys(b"secret");
    let octets = <V3>::seal(&origin(3), &body, &Sign::Digest { key: &keys[2], sequence: 1 }, ends(3));
    let frame = <V3>::frame(&octets).expect("a frame");
    assert_eq!(<V3>::verify(&frame, &Accept::Keys(&keys), other), Err(Refusal::AuthDigest));
}
