//! Extended sequence numbers (RFC 7474): packets as a computation outside of ours makes them, and everything that is not such one.

use std::net::{IpAddr, Ipv4Addr};

use bytes::{Bytes, BytesMut};
use ferrite_ospf_packet::auth::{Accept, Algorithm, Key, Sign};
use ferrite_ospf_packet::codec::Origin;
use ferrite_ospf_packet::{AreaId, Body, Codec, Endpoints, Refusal, V2};
use ferrite_types::ids::RouterId;

const SEQUENCE: u64 = 7 << 32 | 9;
const ENDS: Endpoints = from([192, 0, 2, 1]);

const fn from(source: [u8; 4]) -> Endpoints {
    let [a, b, c, d] = source;
    Endpoints {
        source: IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
        destination: IpAddr::V4(Ipv4Addr::new(224, 0, 0, 5)),
    }
}

fn key(algorithm: Algorithm, secret: &[u8]) -> Key {
    Key { id: 0x1_0203, algorithm, secret: secret.to_vec() }
}

/// An acknowledgment of nothing: a header alone.
fn sealed(sign: &Sign<'_>) -> Bytes {
    let origin =
        Origin { router: RouterId(Ipv4Addr::new(1, 2, 3, 4)), area: AreaId::from_bits(7), instance: 0 };
    V2::seal(&origin, &Body::LinkStateAck(Vec::new()), sign, ENDS)
}

fn judged(octets: &Bytes, accept: &Accept<'_>, ends: Endpoints) -> Result<Option<u64>, Refusal> {
    V2::verify(&V2::frame(octets).expect("a frame"), accept, ends)
}

fn octets(hex: &str) -> Bytes {
    let digits: Vec<u8> =
        hex.chars().filter_map(|digit| digit.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// Made with the hash functions of another language by the steps of RFC 5709 §3.3 and RFC 7474 §3, §5 and §6.
#[test]
fn packets_are_as_others_compute_them() {
    let head = "02050018010203040000000700000003";
    let behind = "000102030000000700000009";
    let cases: [(Algorithm, &[u8], &str, &str); 3] = [
        (Algorithm::HmacSha1, b"between routers", "00000014", "9281c187ecd423c2a87da12c96e55c07e916b5ec"),
        (
            Algorithm::HmacSha256,
            b"a key that is longer than the digest is, by a few octets",
            "00000020",
            "bc8fa16b0d090e19647b281a0598263405442a5de43116d031b120ab7c495f91",
        ),
        (
            Algorithm::HmacSha512,
            b"k",
            "00000040",
            "7d824d5f1476ea3ccf093ac3c64680d3cf3977b1d5cb02bd710ba23268919e5b\
             3a87fda6663471bbabdc6cfe0d5617d42045ce88fb86bbe8438d3d594a98bdda",
        ),
    ];
    for (algorithm, secret, len, digest) in cases {
        let keys = [key(algorithm, secret)];
        let wanted = octets(&[head, len, behind, digest].concat());
        assert_eq!(sealed(&Sign::Extended { key: &keys[0], sequence: SEQUENCE }), wanted, "{algorithm:?}");
        assert_eq!(judged(&wanted, &Accept::Extended(&keys), ENDS), Ok(Some(SEQUENCE)));
    }
}

#[test]
fn what_was_changed_cut_or_sent_by_another_is_refused() {
    for algorithm in Algorithm::ALL.into_iter().filter(|algorithm| algorithm.signs_extended()) {
        let keys = [key(algorithm, b"secret")];
        let accept = Accept::Extended(&keys);
        let good = sealed(&Sign::Extended { key: &keys[0], sequence: SEQUENCE });
        assert_eq!(judged(&good, &accept, from([192, 0, 2, 2])), Err(Refusal::AuthDigest));
        // Each octet of router, area, reserved bits, sequence number and digest.
        for at in (4..12).chain(16..19).chain(24..good.len()) {
            let mut bad = BytesMut::from(&good[..]);
            bad[at] ^= 0x80;
            assert_eq!(judged(&bad.freeze(), &accept, ENDS), Err(Refusal::AuthDigest), "octet {at}");
        }
        for cut in 24..good.len() {
            assert_eq!(judged(&good.slice(..cut), &accept, ENDS), Err(Refusal::AuthTrailer), "at {cut}");
        }
        let mut other = BytesMut::from(&good[..]);
        other[23] ^= 1;
        assert_eq!(judged(&other.freeze(), &accept, ENDS), Err(Refusal::AuthKey));
    }
}

#[test]
fn the_two_types_do_not_take_each_other() {
    let keys = [key(Algorithm::HmacSha256, b"secret")];
    let short = [Key { id: 3, ..keys[0].clone() }];
    let plain = sealed(&Sign::Digest { key: &short[0], sequence: SEQUENCE });
    assert_eq!(judged(&plain, &Accept::Extended(&short), ENDS), Err(Refusal::AuthType));
    let extended = sealed(&Sign::Extended { key: &keys[0], sequence: SEQUENCE });
    assert_eq!(judged(&extended, &Accept::Keys(&keys), ENDS), Err(Refusal::AuthType));
    assert_eq!(judged(&extended, &Accept::None, ENDS), Err(Refusal::AuthType));
    // Keyed MD5 has no place for the source.
    let md5 = [key(Algorithm::KeyedMd5, b"secret")];
    let unsigned = sealed(&Sign::Extended { key: &md5[0], sequence: SEQUENCE });
    assert_eq!(unsigned.len(), 32);
    let refused = judged(&unsigned, &Accept::Extended(&md5), ENDS);
    assert!(refused.is_err_and(Refusal::is_authentication), "{refused:?}");
}
