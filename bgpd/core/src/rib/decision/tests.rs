use super::*;

fn path() -> Candidate {
    Candidate {
        weight: 0,
        local_pref: 100,
        local: None,
        aigp: None,
        hops: 2,
        confed_hops: 0,
        origin: Origin::Igp,
        med: 10,
        neighbor: Some(Asn(65001)),
        kind: PeerKind::External,
        igp_metric: 10,
        cluster_length: 1,
        router_id: Ipv4Addr::new(10, 0, 0, 5),
        peer: Some(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 5))),
        path_id: 5,
        selected: false,
        stale: false,
        as_path_hash: 1,
    }
}

fn changed(change: impl FnOnce(&mut Candidate)) -> Candidate {
    let mut candidate = path();
    change(&mut candidate);
    candidate
}

/// Each row: what makes a path better than the plain one, and the reason that is given.
#[test]
fn each_rule_decides_on_its_own() {
    let settings = DecisionSettings::default();
    let rows: Vec<(Candidate, Reason)> = vec![
        (changed(|c| c.weight = 1), Reason::Weight),
        (changed(|c| c.local_pref = 101), Reason::LocalPref),
        (changed(|c| c.local = Some(1)), Reason::LocalRoute),
        (changed(|c| c.hops = 1), Reason::AsPath),
        (changed(|c| c.med = 9), Reason::Med),
        (changed(|c| c.igp_metric = 9), Reason::IgpMetric),
        (changed(|c| c.selected = true), Reason::OlderPath),
        (changed(|c| c.router_id = Ipv4Addr::new(10, 0, 0, 4)), Reason::RouterId),
        (changed(|c| c.cluster_length = 0), Reason::ClusterLength),
        (changed(|c| c.peer = Some(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 4)))), Reason::NeighborIp),
        (changed(|c| c.path_id = 4), Reason::NothingLeft),
    ];
    for (better, reason) in rows {
        assert_eq!(compare(&better, &path(), &settings), (Ordering::Less, reason), "{better:?}");
        assert_eq!(compare(&path(), &better, &settings), (Ordering::Greater, reason), "{better:?}");
    }
    let worse: Vec<(Candidate, Reason)> = vec![
        (changed(|c| c.stale = true), Reason::Stale),
        (changed(|c| c.origin = Origin::Egp), Reason::Origin),
        (changed(|c| c.kind = PeerKind::Internal), Reason::PeerType),
    ];
    for (worse, reason) in worse {
        assert_eq!(compare(&worse, &path(), &settings), (Ordering::Greater, reason), "{worse:?}");
    }
    let confed = changed(|c| c.kind = PeerKind::Confederation);
    let internal = changed(|c| c.kind = PeerKind::Internal);
    assert_eq!(compare(&confed, &internal, &settings), (Ordering::Less, Reason::ConfedPeerType));
}

/// Each row: a candidate that an earlier rule prefers, though every later rule is against it.
#[test]
fn earlier_rules_outweigh_later_ones() {
    let settings = DecisionSettings::default();
    let mut strong = changed(|c| {
        c.weight = 1;
        c.local_pref = 200;
        c.hops = 1;
        c.med = 0;
        c.igp_metric = 0;
        c.router_id = Ipv4Addr::new(1, 1, 1, 1);
    });
    let mut weak = path();
    let steps: Vec<(Reason, fn(&mut Candidate, &mut Candidate))> = vec![
        (Reason::Weight, |s, w| s.weight = w.weight),
        (Reason::LocalPref, |s, w| s.local_pref = w.local_pref),
        (Reason::AsPath, |s, w| s.hops = w.hops),
        (Reason::Med, |s, w| s.med = w.med),
        (Reason::IgpMetric, |s, w| s.igp_metric = w.igp_metric),
        (Reason::RouterId, |_, w| w.router_id = Ipv4Addr::new(1, 1, 1, 1)),
    ];
    for (reason, level) in steps {
        assert_eq!(compare(&strong, &weak, &settings), (Ordering::Less, reason));
        level(&mut strong, &mut weak);
    }
}

#[test]
fn settings_change_what_is_compared() {
    let longer = changed(|c| c.hops = 9);
    let other_as = changed(|c| {
        c.neighbor = Some(Asn(65002));
        c.med = 0;
    });
    let old = changed(|c| c.selected = true);
    let young = changed(|c| c.router_id = Ipv4Addr::new(10, 0, 0, 4));
    let with = |change: fn(&mut DecisionSettings)| {
        let mut settings = DecisionSettings::default();
        change(&mut settings);
        settings
    };
    let plain = DecisionSettings::default();
    assert_eq!(compare(&path(), &longer, &plain).1, Reason::AsPath);
    assert_ne!(compare(&path(), &longer, &with(|s| s.as_path_ignore = true)).1, Reason::AsPath);
    assert_ne!(compare(&other_as, &path(), &plain).1, Reason::Med);
    assert_eq!(compare(&other_as, &path(), &with(|s| s.always_compare_med = true)).1, Reason::Med);
    assert_eq!(compare(&old, &young, &plain), (Ordering::Less, Reason::OlderPath));
    let by_id = with(|s| s.compare_router_id = true);
    assert_eq!(compare(&old, &young, &by_id), (Ordering::Greater, Reason::RouterId));
    let confed = changed(|c| c.confed_hops = 3);
    assert_eq!(compare(&path(), &confed, &with(|s| s.as_path_confed = true)).1, Reason::ConfedAsPath);
    let aigp = changed(|c| c.aigp = Some(7));
    assert_eq!(compare(&aigp, &path(), &with(|s| s.aigp = true)), (Ordering::Less, Reason::Aigp));
}

#[test]
fn deterministic_med_does_not_depend_on_the_order() {
    // The known circle of RFC 3345: whichever comes first would win without groups.
    let a = changed(|c| {
        c.neighbor = Some(Asn(1));
        c.med = 10;
        c.router_id = Ipv4Addr::new(1, 0, 0, 1);
    });
    let b = changed(|c| {
        c.neighbor = Some(Asn(2));
        c.med = 0;
        c.router_id = Ipv4Addr::new(2, 0, 0, 2);
    });
    let c = changed(|c| {
        c.neighbor = Some(Asn(1));
        c.med = 5;
        c.router_id = Ipv4Addr::new(3, 0, 0, 3);
    });
    let settings = DecisionSettings { deterministic_med: true, ..DecisionSettings::default() };
    let orders = [[&a, &b, &c], [&a, &c, &b], [&b, &a, &c], [&b, &c, &a], [&c, &a, &b], [&c, &b, &a]];
    for order in orders {
        let list: Vec<Candidate> = order.into_iter().cloned().collect();
        let winner = best(&list, &settings).unwrap();
        assert_eq!(list[winner], b);
    }
}

#[test]
fn multipath_takes_equals_up_to_its_limit() {
    let limits = Multipath { ebgp: 3, ibgp: 1, equal_cluster_length: false };
    let settings = DecisionSettings::default();
    let list: Vec<Candidate> = (1..=5u8)
        .map(|n| {
            changed(|c| {
                c.router_id = Ipv4Addr::new(10, 0, 0, n);
                c.as_path_hash = u64::from(n == 4);
                c.igp_metric = if n == 5 { 99 } else { 10 };
            })
        })
        .collect();
    let winner = best(&list, &settings).unwrap();
    assert_eq!(winner, 0);
    assert_eq!(multipath(&list, winner, limits, &settings), [1, 2]);
    assert_eq!(multipath(&list, winner, Multipath { ebgp: 9, ..limits }, &settings), [1, 2]);
    let relax = DecisionSettings { as_path_multipath_relax: true, ..settings };
    assert_eq!(multipath(&list, winner, Multipath { ebgp: 9, ..limits }, &relax), [1, 2, 3]);
    assert!(multipath(&list, winner, Multipath { ebgp: 1, ..limits }, &settings).is_empty());
    assert_eq!(reason(&list, winner, &settings), Reason::RouterId);
    assert_eq!(reason(&list[..1], 0, &settings), Reason::FirstPath);
}
