//! One neighbour among five hundred stops reading, and refused routes are kept with their reason.

use ferrite_policy::{Action, MapTrace};

use super::*;
use crate::rib::policy::{Filter, PolicyInput, PolicyStep, Verdict};
use crate::rib::query::WalkSource;
use crate::rib::reject::RejectCommunity;

const NEIGHBORS: u32 = 500;
const STUCK: u32 = 7;
const PREFIXES: u32 = 150;

fn table() -> Vec<Prefix> {
    let addr = |n: u32| Ipv4Addr::from_bits(0x0a00_0000 + (n << 8));
    (0..PREFIXES).map(|n| Prefix::new(addr(n).into(), 24).unwrap()).collect()
}

#[test]
fn a_reader_that_stops_among_five_hundred_holds_up_nobody_and_owes_two_bits_a_prefix() {
    let limits = Limits { send_window: 2_000, zebra_window: 64, slice: 64 };
    let mut world = World::with_limits(1, limits);
    for id in 1..=NEIGHBORS {
        world.up(id, peer(PeerKind::External, (id % 250) as u8 + 1, 65001));
    }
    world.up(1000, peer(PeerKind::External, 251, 65009));
    world.settle();
    world.remotes.get_mut(&PeerId(STUCK)).unwrap().stuck = true;
    let prefixes = table();
    let mut after_first = 0;
    for round in 0..4 {
        // Every prefix in a message of its own, so that windows fill.
        for (n, prefix) in prefixes.iter().enumerate() {
            let attrs = route(&[65009, 100 + round, 1000 + n as u32]);
            world.announce(1000, &[*prefix], &Arc::new(attrs));
        }
        world.settle();
        for id in (1..=NEIGHBORS).filter(|id| *id != STUCK) {
            assert_eq!(world.remote(id).table.len(), prefixes.len(), "round {round}, neighbour {id}");
        }
        let path = world.path(1, "10.0.5.0/24").unwrap();
        assert_eq!(path, format!("65000 65009 {} 1005", 100 + round));
        // What the stuck one has been sent is bounded by its window and one buffer, whatever changes.
        let owed: usize = world.remote(STUCK).owed.iter().map(|(_, octets, _)| octets).sum();
        assert!(owed <= limits.send_window + 64 * 1024, "{owed} octets wait for one neighbour");
        let octets = world.shards[0].memory().adj_out_octets;
        match round {
            0 => after_first = octets,
            _ => assert!(octets <= after_first + 4096, "{after_first} octets became {octets}"),
        }
    }
    // It reads again, and gets the last state once.
    let before = world.remote(STUCK).announced;
    world.unstick(STUCK);
    world.settle();
    assert_eq!(world.remote(STUCK).table, world.remote(1).table);
    assert!(world.remote(STUCK).announced - before <= prefixes.len());
}

/// Denies by an entry of a route map.
#[derive(Debug)]
struct Entry(u16);

impl Filter for Entry {
    fn apply(&self, route: &mut PolicyInput<'_>) -> Verdict {
        if route.prefix == prefix("192.0.2.0/24") { Verdict::Deny } else { Verdict::Permit }
    }
    fn trace(&self, route: &mut PolicyInput<'_>, steps: &mut Vec<PolicyStep>) -> Verdict {
        let verdict = self.apply(route);
        let by = Some(self.0);
        let action = if verdict == Verdict::Deny { Action::Deny } else { Action::Permit };
        let (route_map, entries) = ("IN".to_owned(), Vec::new());
        steps.push(PolicyStep::RouteMap(MapTrace { route_map, entries, verdict: action, by }));
        verdict
    }
}

#[test]
fn a_refused_route_is_kept_and_shown_with_its_reason() {
    let mut world = World::new(1);
    world.up(
        1,
        with_family(peer(PeerKind::External, 1, 65001), |family| {
            family.soft_reconfiguration = false;
            family.import = Some(Arc::new(Entry(13)));
            family.reject_community = Some(RejectCommunity { asn: 65000, function: 65666 });
        }),
    );
    world.up(2, peer(PeerKind::External, 2, 65002));
    let refused = [prefix("192.0.2.0/24"), prefix("198.51.100.0/24"), prefix("203.0.113.0/24")];
    world.announce(1, &refused[..1], &Arc::new(route(&[65001])));
    world.announce(1, &refused[1..2], &Arc::new(route(&[65003, 65001]))); // not its own AS in front
    world.announce(1, &refused[2..], &Arc::new(route(&[65001])));
    world.settle();
    assert_eq!(world.remote(2).table.keys().copied().collect::<Vec<_>>(), [refused[2]]);
    let source = WalkSource::Filtered(PeerId(1));
    let answer = world.ask(0, 1, Query::Walk { source, family: V4, within: None, limit: 10 });
    let Answer::Rows { rows, .. } = answer else { panic!("{answer:?}") };
    let shown: Vec<(Prefix, String)> = rows
        .iter()
        .flat_map(|row| {
            row.paths.iter().map(|path| (row.prefix, path.attrs.large_communities[0].to_string()))
        })
        .collect();
    assert_eq!(
        shown,
        [(refused[0], "65000:65666:1013".to_owned()), (refused[1], "65000:65666:2".to_owned())]
    );
    // Accepted after all: nothing of it is left.
    world.announce(1, &refused[1..2], &Arc::new(route(&[65001])));
    world.withdraw(1, refused[0]);
    world.settle();
    let answer = world.ask(0, 2, Query::Walk { source, family: V4, within: None, limit: 10 });
    let Answer::Rows { rows, .. } = answer else { panic!("{answer:?}") };
    assert!(rows.is_empty(), "{rows:?}");
    assert_eq!(world.remote(2).table.len(), 2);
    world.down(1);
    world.down(2);
    world.settle();
    assert_eq!(world.shards[0].memory().attributes, 0);
}
