use bytes::Bytes;

use super::*;
use crate::capability::{AddPathMode, FamilyCode, GracefulRestart, LongLived};
use crate::{Family, Frame, next_frame};

fn decode(octets: &[u8]) -> Result<Open, Notification> {
    Open::decode(&Bytes::copy_from_slice(octets))
}

/// An OPEN of AS 65001 with this optional parameter field, its length included.
fn with_parameters(parameters: &[u8]) -> Vec<u8> {
    [&[4, 0xfd, 0xe9, 0, 180, 10, 0, 0, 1][..], parameters].concat()
}

/// An OPEN with one capability.
fn with_capability(code: u8, value: &[u8]) -> Vec<u8> {
    let len = value.len() as u8;
    with_parameters(&[&[len + 4, 2, len + 2, code, len][..], value].concat())
}

fn all_capabilities() -> Vec<Capability> {
    let v4 = FamilyCode::from(Family::IPV4_UNICAST);
    let v6 = FamilyCode::from(Family::IPV6_UNICAST);
    vec![
        Capability::Multiprotocol(v4),
        Capability::Multiprotocol(FamilyCode { afi: 25, safi: 70 }),
        Capability::RouteRefreshOld,
        Capability::RouteRefresh,
        Capability::EnhancedRouteRefresh,
        Capability::FourOctetAs(Asn(4_200_000_000)),
        Capability::ExtendedMessage,
        Capability::ExtendedNextHop(vec![(v4, 2)]),
        Capability::AddPath(vec![(v4, AddPathMode::Receive), (v6, AddPathMode::Both)]),
        Capability::GracefulRestart(GracefulRestart {
            restarting: true,
            notification: true,
            time: 120,
            families: vec![(v4, true), (v6, false)],
        }),
        Capability::LongLivedGracefulRestart(vec![
            LongLived { family: v4, forwarding: true, stale_time: LongLived::MAX_TIME },
            LongLived { family: v6, forwarding: false, stale_time: 0 },
        ]),
        Capability::Hostname { host: "r1".into(), domain: "example.org".into() },
        Capability::Role(3),
        Capability::SoftwareVersion("Ferrite/0.1.0".into()),
        Capability::Unknown { code: 200, value: vec![1, 2, 3] },
    ]
}

#[test]
fn an_open_with_everything_round_trips() {
    let open = Open::new(Asn(4_200_000_000), 90, RouterId("10.0.0.1".parse().unwrap()), all_capabilities());
    let body = open.encode().slice(header::HEADER_LEN..);
    assert_eq!(open.two_octet_as, 23456);
    assert_eq!(Open::decode(&body), Ok(open));
}

#[test]
fn too_many_capabilities_for_one_octet_use_the_extended_form() {
    let mut capabilities = all_capabilities();
    capabilities.extend((0..20).map(|n| Capability::Unknown { code: 100 + n, value: vec![n; 40] }));
    let open = Open::new(Asn(1), 90, RouterId("10.0.0.1".parse().unwrap()), capabilities);
    let open = Open { asn: Asn(4_200_000_000), ..open };
    let mut buf = BytesMut::from(&open.encode()[..]);
    let Frame { body, .. } = next_frame(&mut buf, header::MAX_LEN).unwrap().unwrap();
    assert_eq!(body.get(9..11), Some(&[255, 255][..]));
    assert_eq!(Open::decode(&body).unwrap().capabilities, open.capabilities);
}

#[test]
fn an_open_that_would_outgrow_its_message_loses_capabilities_not_octets() {
    let capabilities = (0..=255).map(|n| Capability::Unknown { code: n, value: vec![n; 200] }).collect();
    let open = Open::new(Asn(1), 90, RouterId("10.0.0.1".parse().unwrap()), capabilities);
    assert!(open.encode().len() <= header::MAX_LEN);
    let body = open.encode().slice(header::HEADER_LEN..);
    assert!(Open::decode(&body).is_err() || !Open::decode(&body).unwrap().capabilities.is_empty());
}

/// Rows of the list of known failures: OPENs that made other speakers read past the end, loop or crash.
#[test]
fn hostile_opens_are_answered_with_a_notification() {
    let rows: &[(&str, Vec<u8>, (u8, u8))] = &[
        ("version 3", [&[3][..], &with_parameters(&[0])[1..]].concat(), (2, 1)),
        ("hold time 1", vec![4, 0, 1, 0, 1, 1, 1, 1, 1, 0], (2, 6)),
        ("hold time 2", vec![4, 0, 1, 0, 2, 1, 1, 1, 1, 0], (2, 6)),
        ("multiprotocol of 0 octets", with_capability(1, &[]), (2, 0)),
        ("multiprotocol of 3 octets", with_capability(1, &[0, 1, 0]), (2, 0)),
        ("multiprotocol of 5 octets", with_capability(1, &[0, 1, 0, 1, 0]), (2, 0)),
        ("four-octet AS of 3 octets", with_capability(65, &[0, 1, 2]), (2, 0)),
        ("extended parameters, nothing behind", with_parameters(&[255, 255]), (2, 0)),
        ("extended parameters, one octet left", with_parameters(&[255, 255, 0]), (2, 0)),
        ("extended length past the end", with_parameters(&[255, 255, 0, 9, 2]), (2, 0)),
        ("extended parameter length past the end", with_parameters(&[255, 255, 0, 3, 2, 0, 9]), (2, 0)),
        ("short lengths inside extended ones", with_parameters(&[255, 255, 0, 4, 2, 2, 2, 0]), (2, 0)),
        ("parameters past the end", with_parameters(&[9, 2, 0]), (2, 0)),
        ("parameter past its field", with_parameters(&[2, 2, 9]), (2, 0)),
        ("octets behind the parameters", with_parameters(&[0, 1, 2]), (2, 0)),
        ("capability past its parameter", with_parameters(&[4, 2, 2, 1, 4]), (2, 0)),
        ("capability without length", with_parameters(&[3, 2, 1, 2]), (2, 0)),
        ("authentication parameter", with_parameters(&[3, 1, 1, 0]), (2, 4)),
    ];
    for (name, octets, expected) in rows {
        let error = decode(octets).expect_err(name);
        assert_eq!((error.code, error.subcode), *expected, "{name}");
    }
}

#[test]
fn faulty_capabilities_that_decide_nothing_are_passed_over() {
    let rows: &[(&str, u8, &[u8])] = &[
        ("graceful restart of 1 octet", 64, &[0]),
        ("graceful restart with half a family", 64, &[0, 120, 0, 1]),
        ("host name past the end", 73, &[9, b'r']),
        ("domain name past the end", 73, &[1, b'r', 9, b'x']),
        ("software version past the end", 75, &[200, b'x']),
        ("software version of nothing", 75, &[0]),
        ("software version empty", 75, &[]),
        ("role of two octets", 9, &[1, 2]),
        ("route refresh with a value", 2, &[0]),
        ("extended next hop of 5 octets", 5, &[0, 1, 0, 1, 0]),
        ("add-path of 3 octets", 69, &[0, 1, 1]),
    ];
    for (name, code, value) in rows {
        let open = decode(&with_capability(*code, value)).expect(name);
        assert_eq!(open.capabilities, [], "{name}");
        assert_eq!(open.ignored.len(), 1, "{name}");
    }
}

#[test]
fn names_that_are_no_text_are_made_fit_to_show() {
    let open = decode(&with_capability(73, &[3, 0xff, 0x1b, b'r', 0])).unwrap();
    let host = "\u{fffd}\u{fffd}r".to_string();
    assert_eq!(open.capabilities, [Capability::Hostname { host, domain: String::new() }]);
}

#[test]
fn an_unknown_capability_of_any_length_is_kept() {
    for (code, value) in [(9u8, &[1u8][..]), (72, &[0; 6]), (254, &[]), (0, &[1; 100])] {
        let open = decode(&with_capability(code, value)).unwrap();
        assert_eq!(open.capabilities.len(), 1, "{code}");
    }
}

#[test]
fn cut_off_at_every_length_an_open_is_an_error_and_no_more() {
    let open = Open::new(Asn(65001), 90, RouterId("10.0.0.1".parse().unwrap()), all_capabilities());
    let body = open.encode().slice(header::HEADER_LEN..);
    for len in 0..body.len() {
        assert!(Open::decode(&body.slice(..len)).is_err(), "{len}");
    }
}
