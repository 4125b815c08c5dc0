//! OPENs that suit and that do not.

use bgp_packet::capability::{Capability, Role};
use bgp_packet::{Family, Open};
use ferrite_types::{Asn, RouterId};

use super::super::open::{negotiate, our_open};
use super::super::{RemoteAs, SessionConfig};
use super::*;

fn theirs() -> Open {
    our_open(&config(2, 1))
}

fn refused(config: &SessionConfig, open: Open) -> (u8, u8) {
    let error = negotiate(config, open, ends(1, 2)).expect_err("refused");
    (error.code, error.subcode)
}

fn without(mut open: Open, unwanted: fn(&Capability) -> bool) -> Open {
    open.capabilities.retain(|capability| !unwanted(capability));
    open
}

fn with(mut open: Open, capability: Capability) -> Open {
    open.capabilities.push(capability);
    open
}

#[test]
fn opens_that_do_not_suit_are_refused_with_their_codes() {
    let ours = config(1, 2);
    let internal = SessionConfig { remote_as: RemoteAs::Internal, ..config(1, 2) };
    let external = SessionConfig { remote_as: RemoteAs::External, ..config(1, 2) };
    let id = |text: &str| RouterId(text.parse().unwrap());
    let same_as = |open: Open| Open { asn: Asn(65001), two_octet_as: 65001, ..open };
    let rows: Vec<(&str, &SessionConfig, Open, (u8, u8))> = vec![
        ("another AS", &ours, Open { asn: Asn(7), two_octet_as: 7, ..theirs() }, (2, 2)),
        ("AS 0", &external, Open { asn: Asn(0), two_octet_as: 0, ..theirs() }, (2, 2)),
        ("AS_TRANS", &external, Open { asn: Asn::TRANS, two_octet_as: 23456, ..theirs() }, (2, 2)),
        ("AS 0 in the capability", &external, Open { asn: Asn(0), two_octet_as: 23456, ..theirs() }, (2, 2)),
        ("two forms of the AS that differ", &ours, Open { two_octet_as: 9, ..theirs() }, (2, 2)),
        ("internal wanted, external came", &internal, theirs(), (2, 2)),
        ("external wanted, internal came", &external, same_as(theirs()), (2, 2)),
        ("identifier zero", &ours, Open { router_id: RouterId::UNSET, ..theirs() }, (2, 3)),
        (
            "our identifier within our AS",
            &internal,
            same_as(Open { router_id: id("1.1.1.1"), ..theirs() }),
            (2, 3),
        ),
        (
            "no family in common",
            &ours,
            {
                let open = without(theirs(), |c| matches!(c, Capability::Multiprotocol(_)));
                with(open, Capability::Multiprotocol(Family::IPV6_UNICAST.into()))
            },
            (2, 7),
        ),
    ];
    for (name, config, open, expected) in rows {
        assert_eq!(refused(config, open), expected, "{name}");
    }
    let patient = SessionConfig { minimum_hold_time: 20, ..config(1, 2) };
    assert_eq!(refused(&patient, Open { hold_time: 19, ..theirs() }), (2, 6));
    assert!(negotiate(&patient, Open { hold_time: 0, ..theirs() }, ends(1, 2)).is_ok());
}

#[test]
fn our_identifier_in_another_as_is_no_fault() {
    let open = Open { router_id: RouterId("1.1.1.1".parse().unwrap()), ..theirs() };
    assert!(negotiate(&config(1, 2), open, ends(1, 2)).is_ok());
}

#[test]
fn the_shorter_hold_time_counts_and_keepalives_are_a_third_of_it_at_most() {
    for (ours, theirs_hold, hold, keepalive) in
        [(180, 90, 90, 30), (90, 180, 90, 30), (180, 0, 0, 0), (9, 200, 9, 3)]
    {
        let ours = SessionConfig { hold_time: ours, ..config(1, 2) };
        let agreed = negotiate(&ours, Open { hold_time: theirs_hold, ..theirs() }, ends(1, 2)).unwrap();
        assert_eq!((agreed.hold_time, agreed.keepalive), (hold, keepalive));
    }
}

#[test]
fn an_open_without_capabilities_means_ipv4_unicast_and_two_octets() {
    let open = without(theirs(), |_| true);
    let agreed = negotiate(&config(1, 2), open, ends(1, 2)).unwrap();
    assert_eq!(agreed.families.iter().collect::<Vec<_>>(), [Family::IPV4_UNICAST]);
    assert!(!agreed.four_octet && !agreed.route_refresh && !agreed.extended_message);
}

#[test]
fn strict_matching_wants_every_capability_of_ours() {
    let strict = SessionConfig { strict_capabilities: true, ..config(1, 2) };
    assert!(negotiate(&strict, theirs(), ends(1, 2)).is_ok());
    let open = without(theirs(), |c| matches!(c, Capability::ExtendedMessage));
    assert_eq!(refused(&strict, open), (2, 7));
}

#[test]
fn add_path_needs_one_end_that_sends_and_one_that_receives() {
    let v4 = FamilySet::EMPTY.with(Family::IPV4_UNICAST);
    let receiver = SessionConfig { add_path_receive: v4, ..config(1, 2) };
    let sender = our_open(&SessionConfig { add_path_send: v4, ..config(2, 1) });
    let agreed = negotiate(&receiver, sender, ends(1, 2)).unwrap();
    assert_eq!((agreed.add_path_receive, agreed.add_path_send), (v4, FamilySet::EMPTY));
    let other_receiver = our_open(&SessionConfig { add_path_receive: v4, ..config(2, 1) });
    assert!(negotiate(&receiver, other_receiver, ends(1, 2)).unwrap().add_path_receive.is_empty());
}

#[test]
fn roles_must_fit() {
    let provider = SessionConfig { role: Some((Role::Provider, false)), ..config(1, 2) };
    let strict = SessionConfig { role: Some((Role::Provider, true)), ..config(1, 2) };
    let customer = with(theirs(), Capability::Role(3));
    assert_eq!(negotiate(&strict, customer.clone(), ends(1, 2)).unwrap().remote_role, Some(Role::Customer));
    assert_eq!(refused(&provider, with(theirs(), Capability::Role(4))), (2, 11));
    assert_eq!(refused(&provider, with(theirs(), Capability::Role(77))), (2, 11));
    assert_eq!(refused(&provider, with(customer.clone(), Capability::Role(0))), (2, 11));
    assert!(
        negotiate(&provider, with(customer, Capability::Role(3)), ends(1, 2)).is_ok(),
        "the same twice is one"
    );
    assert_eq!(refused(&strict, theirs()), (2, 11));
    assert!(negotiate(&provider, theirs(), ends(1, 2)).is_ok());
}
