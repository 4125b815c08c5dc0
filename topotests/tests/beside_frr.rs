//! Ours and FRR 10.3 side by side: two routers with one and the same configuration, each among neighbours of its own that
//! announce the same. After every edit both tables, and what every neighbour hears, must be the same; and the edit must have
//! changed something, or it would show nothing.

mod beside;

use beside::{Step, steps, twins};
use topotests::{Needs, Net, Result, run};

fn rows(net: &mut Net, maps: &str, rows: &[Step]) -> Result<()> {
    let twins = twins(net, maps)?;
    steps(&twins, rows)
}

/// What is taken in and how it is told on.
#[test]
fn paths_and_their_as_numbers_are_handled_as_frr_does() {
    let family = |line| Step::family(line);
    let router = |line| Step::router(line);
    run(&Needs::ours_and_peers(), |net| {
        rows(
            net,
            "",
            &[
                // B47
                family("neighbor 10.0.0.2 allowas-in 1"),
                family("neighbor 10.0.0.2 allowas-in 3"),
                family("neighbor 10.0.0.4 allowas-in origin"),
                family("neighbor 10.0.0.5 remove-private-AS"),
                family("neighbor 10.0.0.5 remove-private-AS all"),
                family("neighbor 10.0.0.5 remove-private-AS replace-AS"),
                family("neighbor 10.0.0.5 remove-private-AS all replace-AS"),
                family("neighbor 10.0.0.5 as-override"),
                router("no neighbor 10.0.0.3 enforce-first-as").cleared(),
                // B46
                router("bgp reject-as-sets"),
                // B40, B49
                router("neighbor 10.0.0.2 path-attribute discard 8 32"),
                router("neighbor 10.0.0.2 path-attribute treat-as-withdraw 32"),
                // B44
                family("no neighbor 10.0.0.5 send-community"),
                family("no neighbor 10.0.0.5 send-community extended"),
                family("no neighbor 10.0.0.5 send-community large"),
                family("no neighbor 10.0.0.5 send-community all"),
                // B61, B53
                family("neighbor 10.0.0.6 next-hop-self"),
                family("neighbor 10.0.0.6 next-hop-self force"),
                family("neighbor 10.0.0.5 attribute-unchanged"),
                family("neighbor 10.0.0.5 attribute-unchanged med"),
                family("neighbor 10.0.0.5 attribute-unchanged as-path"),
                family("neighbor 10.0.0.5 attribute-unchanged next-hop").changes_nothing(),
                family("neighbor 10.0.0.4 route-reflector-client"),
                // B63
                family("neighbor 10.0.0.3 weight 77"),
                family("distance bgp 21 201 202"),
                family("table-map TABLE"),
                // L14, L15
                family("neighbor 10.0.0.2 prefix-list NARROW in"),
                family("neighbor 10.0.0.5 prefix-list NARROW out"),
                family("neighbor 10.0.0.5 distribute-list 10 out"),
                family("neighbor 10.0.0.2 filter-list PRIVATE in"),
                family("neighbor 10.0.0.5 filter-list PRIVATE out"),
                // B57
                family("neighbor 10.0.0.5 default-originate"),
                family("neighbor 10.0.0.5 default-originate route-map HAS-TEN"),
                family("neighbor 10.0.0.5 default-originate route-map HAS-NONE").changes_nothing(),
                family("neighbor 10.0.0.5 default-originate route-map SECOND-FIRST"),
                family("neighbor 10.0.0.5 default-originate route-map CALLS"),
                family("neighbor 10.0.0.5 default-originate route-map CALLED-DENIES").changes_nothing(),
                family("neighbor 10.0.0.5 default-originate route-map GOES-ON"),
            ],
        )
    });
}

/// `default-originate` with a map comes and goes with the route that passes, as soon as the timer lets it.
#[test]
fn a_default_route_comes_and_goes_with_its_condition_as_in_frr() {
    run(&Needs::ours_and_peers(), |net| {
        let twins = twins(net, "ip route 172.20.0.0/24 blackhole\n")?;
        twins.configure(&[
            "router bgp 1001",
            "bgp default-originate timer 1",
            "address-family ipv4 unicast",
            "neighbor 10.0.0.5 default-originate route-map HAS-STATIC",
        ])?;
        let heard = Step::family("redistribute static").says("R", "0.0.0.0/0");
        steps(&twins, &[heard, Step::family("network 172.20.0.0/24").says("R", "0.0.0.0/0")])
    });
}

/// The decision, its knobs, and what is done with more than one path.
#[test]
fn the_decision_and_its_knobs_are_those_of_frr() {
    let router = |line| Step::router(line);
    let family = |line| Step::family(line);
    run(&Needs::ours_and_peers(), |net| {
        rows(
            net,
            "",
            &[
                // B41
                router("bgp always-compare-med"),
                router("bgp deterministic-med").changes_nothing(),
                router("no bgp deterministic-med").changes_nothing(),
                router("bgp bestpath as-path ignore"),
                router("bgp bestpath as-path confed"),
                router("bgp bestpath med missing-as-worst").changes_nothing(),
                router("bgp bestpath med confed").changes_nothing(),
                router("bgp bestpath peer-type multipath-relax").changes_nothing(),
                router("bgp default local-preference 250").cleared(),
                router("bgp bestpath aigp").changes_nothing(),
                // B42
                router("bgp bestpath as-path multipath-relax"),
                router("bgp bestpath as-path multipath-relax as-set"),
                family("maximum-paths 1").changes_nothing(),
                family("maximum-paths ibgp 4").changes_nothing(),
            ],
        )
    });
}

/// What a router makes itself.
#[test]
fn networks_aggregates_and_redistribution_are_those_of_frr() {
    let router = |line| Step::router(line);
    let family = |line| Step::family(line);
    run(&Needs::ours_and_peers(), |net| {
        rows(
            net,
            "ip route 172.20.0.0/24 blackhole\nip route 172.20.1.0/24 blackhole tag 7\nip import-table 20\n",
            &[
                // B56
                family("aggregate-address 10.32.0.0/16"),
                family("aggregate-address 10.32.0.0/16 as-set"),
                family("aggregate-address 10.32.0.0/16 summary-only"),
                family("aggregate-address 10.32.0.0/16 as-set summary-only"),
                family("aggregate-address 10.32.0.0/16 suppress-map TEN"),
                family("aggregate-address 10.32.0.0/16 route-map MARK"),
                family("aggregate-address 10.32.0.0/16 origin egp"),
                family("aggregate-address 10.32.0.0/16 matching-MED-only").changes_nothing(),
                family("aggregate-address 10.34.0.0/16 matching-MED-only"),
                family("aggregate-address 10.34.0.0/16 matching-MED-only summary-only"),
                family("aggregate-address 10.32.0.0/16 matching-MED-only summary-only").changes_nothing(),
                family("aggregate-address 10.99.0.0/16").changes_nothing(),
                // B57
                family("redistribute static"),
                family("redistribute static metric 44"),
                family("redistribute static route-map TAGGED"),
                family("redistribute connected"),
                family("redistribute table 20").says("R", "172.20.0.0/16"),
                family("redistribute table-direct 21").says("R", "172.21.0.0/16"),
                family("network 172.23.0.0/16"),
                family("network 172.23.0.0/16 route-map MARK"),
                router("bgp network import-check"),
            ],
        )
    });
}

/// Every clause of route maps that BGP routes meet, each for a network of its own.
#[test]
fn every_clause_of_a_route_map_does_what_it_does_in_frr() {
    run(&Needs::ours_and_peers(), |net| {
        let twins = twins(net, &beside::clauses())?;
        steps(
            &twins,
            &[
                Step::family("neighbor 10.0.0.2 route-map CLAUSES in"),
                Step::family("neighbor 10.0.0.5 route-map OUT out").with_a_new_session(),
                Step::family("neighbor 10.0.0.6 route-map OUT out").with_a_new_session(),
                Step::family_v6("neighbor 10.0.0.2 route-map CLAUSES6 in"),
                Step::family_v6("neighbor 10.0.0.5 route-map CLAUSES6 out").with_a_new_session(),
                Step::family_v6("neighbor 10.0.0.6 route-map CLAUSES6 out").with_a_new_session(),
                // B61
                Step::family_v6("neighbor 10.0.0.6 next-hop-self"),
                Step::family_v6("neighbor 10.0.0.6 next-hop-self force"),
                Step::family_v6("neighbor 10.0.0.5 attribute-unchanged next-hop"),
                Step::family_v6("neighbor 10.0.0.6 nexthop-local unchanged"),
                Step::family_v6("neighbor 10.0.0.5 default-originate"),
                Step::family_v6("network 2001:db8:30::/48"),
            ],
        )
    });
}
