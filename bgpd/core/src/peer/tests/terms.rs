//! Terms of a session that few neighbours have: dual-as, extended parameters, confederations.

use super::*;

fn local(dual_as: bool) -> SessionConfig {
    SessionConfig { local_as: Some(Asn(65100)), dual_as, ..config(1, 2) }
}

#[test]
fn with_dual_as_a_neighbour_may_know_us_by_either_number() {
    for (known, up) in [(65100, true), (65001, true), (65007, false)] {
        let theirs = SessionConfig { remote_as: RemoteAs::Number(Asn(known)), ..config(2, 1) };
        let mut pair = Pair::new(local(true), theirs);
        pair.run(Duration::from_secs(60));
        assert_eq!(pair.states().0 == State::Established, up, "{known}");
        if up {
            assert_eq!(pair.ends[0].peer.negotiated().unwrap().local_as, Asn(known));
        }
    }
    let theirs = SessionConfig { remote_as: RemoteAs::Number(Asn(65001)), ..config(2, 1) };
    let mut pair = Pair::new(local(false), theirs);
    pair.run(Duration::from_secs(60));
    assert_ne!(pair.states().0, State::Established);
}

#[test]
fn parameters_of_the_extended_form_are_understood_by_both_ends() {
    let extended = SessionConfig { extended_parameters: true, ..config(1, 2) };
    let open = open::our_open(&extended).encode();
    assert_eq!(&open[28..30], [255, 255]);
    let pair = Pair::new(extended, config(2, 1)).up();
    assert!(pair.ends[1].peer.negotiated().unwrap().received.extended);
}

#[test]
fn outside_the_confederation_only_its_number_is_known() {
    let confederation = Some(Confederation { identifier: Asn(100), members: vec![Asn(65001), Asn(65002)] });
    let member =
        |host, remote| SessionConfig { confederation: confederation.clone(), ..config(host, remote) };
    let pair = Pair::new(member(1, 2), member(2, 1)).up();
    let negotiated = pair.ends[0].peer.negotiated().unwrap();
    assert_eq!((negotiated.kind, negotiated.remote_as), (SessionKind::Confederation, Asn(65002)));
    let outside = SessionConfig { remote_as: RemoteAs::Number(Asn(100)), ..config(2, 1) };
    let inside = Some(Confederation { identifier: Asn(100), members: vec![Asn(65003)] });
    let pair = Pair::new(SessionConfig { confederation: inside, ..config(1, 2) }, outside).up();
    let negotiated = pair.ends[0].peer.negotiated().unwrap();
    assert_eq!((negotiated.kind, negotiated.local_as), (SessionKind::External, Asn(100)));
}
