//! What each fault costs: the table of RFC 7606 §7 and the rows of the list of known failures.

use super::*;

#[derive(Clone, Copy, PartialEq, Debug)]
enum Cost {
    /// Nothing: the route stays with all it has.
    Nothing,
    Discard,
    Withdraw,
    Reset(u8),
}

use Cost::{Discard, Nothing, Reset, Withdraw};

fn cost(message: &Bytes, context: &DecodeContext) -> Cost {
    match decode_with(message, context) {
        Err(error) => {
            assert_eq!(error.notification.code, 3);
            Reset(error.notification.subcode)
        }
        Ok(update) => match update.penalty() {
            None => Nothing,
            Some(Penalty::DiscardAttribute) => {
                assert!(!update.announced.is_empty());
                Discard
            }
            Some(_) => {
                assert!(update.announced.is_empty(), "a faulty route was announced");
                assert!(update.end_of_rib.is_none());
                Withdraw
            }
        },
    }
}

fn without(missing: u8) -> Vec<u8> {
    let all = [(1, origin()), (2, as_path()), (3, next_hop()), (5, local_pref())];
    all.into_iter().filter(|(code, _)| *code != missing).flat_map(|(_, octets)| octets).collect()
}

/// One more attribute after the mandatory ones; one of theirs takes their place.
fn with(flags: u8, code: u8, value: &[u8]) -> Bytes {
    body(&[], &[without(code), attr(flags, code, value)].concat(), PREFIX)
}

#[test]
fn every_attribute_costs_what_its_rule_says() {
    let label_index = [1, 0, 7, 0, 0, 0, 0, 0, 0, 1];
    let srv6 = |structure: &[u8]| {
        let info = [&[0][..], &[0; 16], &[0, 0, 0x13, 0], structure].concat();
        let sub = [&[1][..], &(info.len() as u16).to_be_bytes(), &info].concat();
        [&[5][..], &(sub.len() as u16 + 1).to_be_bytes(), &[0], &sub].concat()
    };
    // Flags, code, value, cost from inside the AS, cost from outside.
    let rows: &[(&str, u8, u8, Vec<u8>, Cost, Cost)] = &[
        ("ORIGIN of 0 octets", 0x40, 1, vec![], Withdraw, Withdraw),
        ("ORIGIN of 2 octets", 0x40, 1, vec![0, 0], Withdraw, Withdraw),
        ("ORIGIN 3", 0x40, 1, vec![3], Withdraw, Withdraw),
        ("ORIGIN flagged optional", 0xc0, 1, vec![0], Withdraw, Withdraw),
        ("AS_PATH segment type 5", 0x40, 2, vec![5, 1, 0, 0, 0, 1], Withdraw, Withdraw),
        ("AS_PATH segment of nothing", 0x40, 2, vec![2, 0], Withdraw, Withdraw),
        ("AS_PATH past its end", 0x40, 2, vec![2, 2, 0, 0, 0, 1], Withdraw, Withdraw),
        ("AS_PATH with an octet left", 0x40, 2, vec![2, 1, 0, 0, 0, 1, 2], Withdraw, Withdraw),
        ("AS_PATH with AS 0", 0x40, 2, vec![2, 1, 0, 0, 0, 0], Withdraw, Withdraw),
        ("AS_PATH empty", 0x40, 2, vec![], Nothing, Nothing),
        ("AS_PATH from a confederation", 0x40, 2, vec![3, 1, 0, 0, 0, 1], Nothing, Withdraw),
        ("NEXT_HOP of 3 octets", 0x40, 3, vec![192, 0, 2], Withdraw, Withdraw),
        ("NEXT_HOP of 16 octets", 0x40, 3, vec![1; 16], Withdraw, Withdraw),
        ("NEXT_HOP 0.0.0.0", 0x40, 3, vec![0; 4], Withdraw, Withdraw),
        ("NEXT_HOP 127.0.0.1", 0x40, 3, vec![127, 0, 0, 1], Withdraw, Withdraw),
        ("NEXT_HOP multicast", 0x40, 3, vec![224, 0, 0, 5], Withdraw, Withdraw),
        ("MED of 3 octets", 0x80, 4, vec![0; 3], Withdraw, Withdraw),
        ("MED flagged transitive", 0xc0, 4, vec![0; 4], Withdraw, Withdraw),
        ("LOCAL_PREF of 3 octets", 0x40, 5, vec![0; 3], Withdraw, Nothing),
        ("ATOMIC_AGGREGATE of 1 octet", 0x40, 6, vec![0], Discard, Discard),
        ("ATOMIC_AGGREGATE flagged optional", 0xc0, 6, vec![], Withdraw, Withdraw),
        ("AGGREGATOR of 6 octets", 0xc0, 7, vec![1; 6], Discard, Discard),
        ("AGGREGATOR of 7 octets", 0xc0, 7, vec![1; 7], Discard, Discard),
        ("AGGREGATOR of AS 0", 0xc0, 7, vec![0, 0, 0, 0, 1, 1, 1, 1], Discard, Discard),
        ("COMMUNITIES of 0 octets", 0xc0, 8, vec![], Withdraw, Withdraw),
        ("COMMUNITIES of 5 octets", 0xc0, 8, vec![0; 5], Withdraw, Withdraw),
        ("COMMUNITIES not transitive", 0x80, 8, vec![0; 4], Withdraw, Withdraw),
        ("hundreds of COMMUNITIES", 0xc0, 8, vec![7; 4 * 700], Nothing, Nothing),
        ("ORIGINATOR_ID of 5 octets", 0x80, 9, vec![0; 5], Withdraw, Nothing),
        ("CLUSTER_LIST of 0 octets", 0x80, 10, vec![], Withdraw, Nothing),
        ("CLUSTER_LIST of 5 octets", 0x80, 10, vec![0; 5], Withdraw, Nothing),
        ("CLUSTER_LIST of 400 octets", 0x80, 10, vec![9; 400], Nothing, Nothing),
        ("EXT_COMMUNITIES of 0 octets", 0xc0, 16, vec![], Withdraw, Withdraw),
        ("EXT_COMMUNITIES of 9 octets", 0xc0, 16, vec![0; 9], Withdraw, Withdraw),
        ("EXT_COMMUNITIES of unknown types", 0xc0, 16, vec![0xee; 16], Nothing, Nothing),
        ("AS4_PATH on a four-octet session", 0xc0, 17, vec![9, 9, 9], Nothing, Nothing),
        ("AS4_AGGREGATOR on a four-octet session", 0xc0, 18, vec![9], Nothing, Nothing),
        ("PMSI of 4 octets", 0xc0, 22, vec![0; 4], Withdraw, Withdraw),
        ("PMSI of ingress replication without address", 0xc0, 22, vec![0, 6, 0, 0, 0], Withdraw, Withdraw),
        ("PMSI of ingress replication", 0xc0, 22, vec![0, 6, 0, 0, 0, 10, 0, 0, 1], Nothing, Nothing),
        ("tunnel encapsulation past its end", 0xc0, 23, vec![0, 1, 0, 9, 1], Withdraw, Withdraw),
        ("tunnel encapsulation sub-TLV past its end", 0xc0, 23, vec![0, 8, 0, 2, 1, 9], Withdraw, Withdraw),
        ("tunnel encapsulation long sub-TLV cut", 0xc0, 23, vec![0, 8, 0, 2, 128, 0], Withdraw, Withdraw),
        ("tunnel encapsulation of a corrupt octet", 0xc0, 23, vec![0xff], Withdraw, Withdraw),
        ("very many small tunnel TLVs", 0xc0, 23, [0, 1, 0, 0].repeat(900), Nothing, Nothing),
        ("IPv6 ext. communities of 19 octets", 0xc0, 25, vec![0; 19], Withdraw, Withdraw),
        ("IPv6 ext. communities of 20 octets", 0xc0, 25, vec![0; 20], Nothing, Nothing),
        ("AIGP of 2 octets", 0x80, 26, vec![1, 0], Discard, Discard),
        ("AIGP TLV of length 10", 0x80, 26, [&[1, 0, 10][..], &[0; 7]].concat(), Discard, Discard),
        ("AIGP TLV of length 2", 0x80, 26, vec![1, 0, 2], Discard, Discard),
        ("AIGP flagged transitive", 0xc0, 26, [&[1, 0, 11][..], &[0; 8]].concat(), Discard, Discard),
        ("AIGP", 0x80, 26, [&[1, 0, 11][..], &[0; 8]].concat(), Nothing, Nothing),
        ("BGP-LS past its end", 0x80, 29, vec![4, 0, 0, 9], Discard, Discard),
        ("LARGE_COMMUNITIES of 0 octets", 0xc0, 32, vec![], Withdraw, Withdraw),
        ("LARGE_COMMUNITIES of 13 octets", 0xc0, 32, vec![0; 13], Withdraw, Withdraw),
        ("OTC of 3 octets", 0xc0, 35, vec![0; 3], Withdraw, Withdraw),
        ("OTC of AS 0", 0xc0, 35, vec![0; 4], Withdraw, Withdraw),
        ("next hop capability of wrapping length", 0xc0, 39, vec![0, 1, 0, 2, 0, 4], Nothing, Nothing),
        ("prefix SID of 0 octets", 0xc0, 40, vec![], Discard, Discard),
        ("prefix SID past its end", 0xc0, 40, vec![1, 0, 9, 0], Discard, Discard),
        ("prefix SID label index of 6 octets", 0xc0, 40, vec![1, 0, 6, 0, 0, 0, 0, 0, 0], Discard, Discard),
        ("prefix SID flagged well-known", 0x40, 40, label_index.to_vec(), Discard, Discard),
        ("prefix SID", 0xc0, 40, label_index.to_vec(), Nothing, Nothing),
        (
            "prefix SID with only the old VPN SID",
            0xc0,
            40,
            [&[4, 0, 19][..], &[0; 19]].concat(),
            Nothing,
            Nothing,
        ),
        ("SRv6 service sub-TLV past its end", 0xc0, 40, vec![5, 0, 4, 0, 1, 0, 200], Withdraw, Withdraw),
        ("SRv6 structure", 0xc0, 40, srv6(&[1, 0, 6, 40, 24, 16, 0, 16, 64]), Nothing, Nothing),
        (
            "SRv6 structure over 128 bits",
            0xc0,
            40,
            srv6(&[1, 0, 6, 100, 24, 16, 0, 0, 0]),
            Withdraw,
            Withdraw,
        ),
        (
            "SRv6 transposition of 255 at 128",
            0xc0,
            40,
            srv6(&[1, 0, 6, 40, 24, 16, 0, 255, 128]),
            Withdraw,
            Withdraw,
        ),
        ("SRv6 structure with slack", 0xc0, 40, srv6(&[1, 0, 7, 40, 24, 16, 0, 0, 0, 0]), Withdraw, Withdraw),
        ("attribute set without AS", 0xc0, 128, vec![0; 3], Withdraw, Withdraw),
        ("attribute set past its end", 0xc0, 128, vec![0, 0, 0, 1, 0x40, 1, 9, 0], Withdraw, Withdraw),
        ("attribute 255 of development", 0xc0, 255, vec![0xff; 40], Nothing, Nothing),
        ("attribute 0", 0xc0, 0, vec![], Nothing, Nothing),
        ("unknown, flagged well-known", 0x40, 254, vec![1], Reset(2), Reset(2)),
    ];
    for (name, flags, code, value, inside, outside) in rows {
        let message = with(*flags, *code, value);
        assert_eq!(cost(&message, &context(SessionKind::Internal)), *inside, "{name}, from inside");
        assert_eq!(cost(&message, &context(SessionKind::External)), *outside, "{name}, from outside");
    }
}

#[test]
fn what_is_missing_costs_the_routes() {
    let all: [(u8, &[SessionKind]); 4] = [
        (1, &[SessionKind::Internal, SessionKind::External]),
        (2, &[SessionKind::Internal, SessionKind::External]),
        (3, &[SessionKind::Internal, SessionKind::External]),
        (5, &[SessionKind::Internal]),
    ];
    for (code, kinds) in all {
        for kind in kinds {
            let message = body(&[], &without(code), PREFIX);
            assert_eq!(cost(&message, &context(*kind)), Withdraw, "{code} of {kind:?}");
        }
    }
    let external = context(SessionKind::External);
    assert_eq!(cost(&body(&[], &without(5), PREFIX), &external), Nothing);
    // Routes without a single attribute, and with nothing but an unknown one.
    assert_eq!(cost(&body(&[], &[], PREFIX), &external), Withdraw);
    assert_eq!(cost(&body(&[], &attr(0xc0, 99, &[1]), PREFIX), &external), Withdraw);
    // Withdrawals need none.
    assert_eq!(cost(&body(&[8, 10], &[], &[]), &external), Nothing);
}

#[test]
fn the_message_itself_out_of_joint_costs_the_session() {
    let context = context(SessionKind::External);
    let rows: &[(&str, &[u8], u8)] = &[
        ("nothing", &[], 1),
        ("withdrawn routes past the end", &[0, 9, 0, 0], 1),
        ("attributes past the end", &[0, 0, 0, 9], 1),
        ("no attribute length", &[0, 0], 1),
        ("withdrawn prefix of 33 bits", &[0, 6, 33, 1, 2, 3, 4, 5, 0, 0], 10),
        ("withdrawn prefix cut off", &[0, 2, 24, 1, 0, 0], 10),
        ("announced prefix of 255 bits", &[0, 0, 0, 0, 255], 10),
        ("announced prefix cut off", &[0, 0, 0, 0, 24, 1, 2], 10),
    ];
    for (name, octets, subcode) in rows {
        assert_eq!(cost(&Bytes::copy_from_slice(octets), &context), Reset(*subcode), "{name}");
    }
}

#[test]
fn an_attribute_past_the_end_costs_the_routes_that_were_found_and_the_session_where_none_were() {
    let context = context(SessionKind::External);
    for broken in [&[0x40][..], &[0xc0, 8], &[0xc0, 8, 200, 1], &[0xd0, 8, 1], &[0xd0, 8, 255, 255, 0]] {
        let attributes = [&without(5)[..], broken].concat();
        assert_eq!(cost(&body(&[], &attributes, PREFIX), &context), Withdraw, "{broken:?}");
        let attributes = [&mp_reach(&GLOBAL)[..], &origin(), &as_path(), broken].concat();
        assert_eq!(cost(&body(&[], &attributes, &[]), &context), Withdraw, "{broken:?}");
        assert_eq!(
            cost(&body(&[], &[&origin()[..], broken].concat(), &[]), &context),
            Reset(1),
            "{broken:?}"
        );
    }
}

#[test]
fn an_attribute_given_twice_counts_once_and_a_family_list_given_twice_costs_the_session() {
    let context = context(SessionKind::External);
    let twice = [without(5), attr(0x80, 4, &[0, 0, 0, 1]), attr(0x80, 4, &[0, 0, 0, 2])].concat();
    let update = decode_with(&body(&[], &twice, PREFIX), &context).unwrap();
    assert_eq!((update.announced[0].attrs.med, update.penalty()), (Some(1), Some(Penalty::DiscardAttribute)));
    let reach = [mp_reach(&GLOBAL), mp_reach(&GLOBAL), without(5)].concat();
    assert_eq!(cost(&body(&[], &reach, &[]), &context), Reset(1));
    let unreach = [attr(0x80, 15, &[0, 2, 1]), attr(0x80, 15, &[0, 2, 1])].concat();
    assert_eq!(cost(&body(&[], &unreach, &[]), &context), Reset(1));
}

#[test]
fn multiprotocol_faults_cost_the_session_and_martian_next_hops_the_routes() {
    let rest = [origin(), as_path()].concat();
    let context = context(SessionKind::External);
    let of = |value: &[u8]| cost(&body(&[], &[attr(0x80, 14, value), rest.clone()].concat(), &[]), &context);
    let hop = |addr: &[u8]| {
        let attributes = [mp_reach(addr), rest.clone()].concat();
        cost(&body(&[], &attributes, &[]), &context)
    };
    assert_eq!(hop(&GLOBAL), Nothing);
    for (name, octets) in [
        ("of 0 octets", &[][..]),
        ("of 4 octets", &[10, 0, 0, 1]),
        ("of 15 octets", &GLOBAL[..15]),
        ("of 24 octets", &[1; 24]),
        ("of 48 octets", &[1; 48]),
    ] {
        assert_eq!(hop(octets), Reset(9), "next hop {name}");
    }
    assert_eq!(hop(&[0; 16]), Withdraw, "unspecified");
    assert_eq!(hop(&[[0; 15].as_slice(), &[1]].concat()), Withdraw, "loopback");
    assert_eq!(hop(&[0xff; 16]), Withdraw, "multicast");
    let zeros = [mp_reach(&GLOBAL), rest.clone(), attr(0x40, 3, &[0; 4])].concat();
    assert_eq!(cost(&body(&[], &zeros, &[]), &context), Nothing, "NEXT_HOP of zeros beside MP_REACH_NLRI");
    assert_eq!(of(&[]), Reset(9), "empty");
    assert_eq!(of(&[0, 2, 1]), Reset(9), "no next hop length");
    assert_eq!(of(&[0, 2, 1, 200, 1, 2]), Reset(9), "next hop past the end");
    assert_eq!(of(&[&[0, 2, 1, 16][..], &GLOBAL].concat()), Reset(9), "no reserved octet");
    assert_eq!(of(&[&[0, 2, 1, 16][..], &GLOBAL, &[0, 129, 0]].concat()), Reset(9), "prefix of 129 bits");
    assert_eq!(of(&[&[0, 2, 1, 16][..], &GLOBAL, &[0, 64, 1, 2]].concat()), Reset(9), "prefix cut off");
    let unreach = |value: &[u8]| cost(&body(&[], &attr(0x80, 15, value), &[]), &context);
    assert_eq!(unreach(&[0, 2]), Reset(9));
    assert_eq!(unreach(&[0, 2, 1, 200]), Reset(9));
}

#[test]
fn a_withdrawal_of_one_family_stands_beside_routes_of_another_that_lack_their_attributes() {
    let attributes = attr(0x80, 15, &[0, 2, 1, 16, 0x20, 1]);
    let update = decode_with(&body(&[], &attributes, PREFIX), &context(SessionKind::External)).unwrap();
    assert_eq!(prefixes(&update.withdrawn), ["2001::/16", "10.1.2.0/24"]);
    assert!(update.announced.is_empty());
}

#[test]
fn what_looks_like_an_end_of_rib_but_has_faulty_attributes_is_none() {
    let context = context(SessionKind::External);
    let attributes = [attr(0x80, 15, &[0, 2, 1]), attr(0xc0, 8, &[1])].concat();
    let update = decode_with(&body(&[], &attributes, &[]), &context).unwrap();
    assert_eq!(update.end_of_rib, None);
    let update = decode_with(&body(&[], &attr(0x40, 1, &[9]), &[]), &context).unwrap();
    assert_eq!(update.end_of_rib, None);
}

#[test]
fn the_first_as_is_enforced_where_asked_for() {
    let enforce = |asn| DecodeContext { enforce_first_as: Some(asn), ..context(SessionKind::External) };
    let message = body(&[], &mandatory(), PREFIX);
    assert_eq!(cost(&message, &enforce(ferrite_types::Asn(65001))), Nothing);
    assert_eq!(cost(&message, &enforce(ferrite_types::Asn(65002))), Withdraw);
    assert_eq!(cost(&with(0x40, 2, &[]), &enforce(ferrite_types::Asn(65001))), Withdraw);
}

#[test]
fn an_aggregator_has_the_size_that_the_session_agreed_on() {
    let old = DecodeContext { four_octet: false, ..context(SessionKind::External) };
    let path = attr(0x40, 2, &[2, 1, 0xfd, 0xe9]);
    let message = |len| {
        let attributes = [origin(), path.clone(), next_hop(), attr(0xc0, 7, &vec![1; len])].concat();
        body(&[], &attributes, PREFIX)
    };
    assert_eq!(cost(&message(6), &old), Nothing);
    assert_eq!(cost(&message(8), &old), Discard);
}

#[test]
fn notification_data_holds_no_more_than_was_received() {
    let message = with(0x40, 254, &[7; 300]);
    let error = decode_with(&message, &context(SessionKind::External)).unwrap_err();
    assert!(error.notification.data.len() <= message.len());
    assert_eq!(error.notification.data.get(..4), Some(&[0x50, 254, 1, 44][..]));
}

#[test]
fn cut_off_at_every_length_nothing_panics() {
    let attributes = [
        mandatory(),
        attr(0xc0, 8, &[0, 1, 0, 2]),
        attr(0xc0, 23, &[0, 8, 0, 3, 1, 1, 0]),
        attr(0xc0, 40, &[1, 0, 7, 0, 0, 0, 0, 0, 0, 1]),
        mp_reach(&GLOBAL),
        attr(0x80, 15, &[0, 2, 1, 16, 0x20, 1]),
    ]
    .concat();
    let whole = body(&[8, 9], &attributes, PREFIX);
    for kind in [SessionKind::Internal, SessionKind::External, SessionKind::Confederation] {
        for len in 0..whole.len() {
            let _ = decode_with(&whole.slice(..len), &context(kind));
        }
        // And with the length fields made to fit.
        for len in 0..attributes.len() {
            let _ = decode_with(&body(&[8, 9], &attributes[..len], PREFIX), &context(kind));
        }
    }
}
