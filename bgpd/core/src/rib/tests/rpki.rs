//! Routes judged again when the RPKI says something else: those, and no others; without asking the neighbour.

use ferrite_rpki::{AspaState, Delta, Direction, OriginState, Tables, Vrp};

use super::*;
use crate::rib::policy::{Filter, PolicyInput, Verdict};

const A: u32 = 1;
const B: u32 = 2;

/// `match rpki invalid` denies, `match rpki valid` sets a MED.
#[derive(Debug)]
struct Rov;

impl Filter for Rov {
    fn apply(&self, route: &mut PolicyInput<'_>) -> Verdict {
        match route.rpki.origin_state(route.prefix, &route.attrs) {
            Some(OriginState::Invalid) => Verdict::Deny,
            Some(OriginState::Valid) => {
                route.attrs_mut().med = Some(1);
                Verdict::Permit
            }
            Some(OriginState::NotFound) | None => Verdict::Permit,
        }
    }
    fn depends_on_rpki(&self) -> bool {
        true
    }
}

fn external(n: u8, remote_as: u32) -> PeerParams {
    peer(PeerKind::External, n, remote_as)
}

/// Without soft-reconfiguration.
fn judged(n: u8, remote_as: u32) -> PeerParams {
    with_family(external(n, remote_as), |family| {
        family.soft_reconfiguration = false;
        family.import = Some(Arc::new(Rov));
    })
}

fn vrp(prefix_text: &str, max: u8, asn: u32) -> Vrp {
    Vrp::new(prefix(prefix_text), max, Asn(asn)).unwrap()
}

struct Rpki(Option<Arc<Tables>>);

impl Rpki {
    /// What all shards are told.
    fn say(&mut self, world: &mut World, vrps: &[Vrp]) -> Arc<Delta> {
        self.say_all(world, Tables { vrps: vrps.iter().copied().collect(), ..Tables::default() })
    }

    fn say_all(&mut self, world: &mut World, new: Tables) -> Arc<Delta> {
        let delta = match &self.0 {
            Some(old) => Arc::new(old.delta(&new)),
            None => Arc::new(Delta::everything()),
        };
        self.0 = Some(Arc::new(new));
        world.feed_all(|| ShardEvent::Rpki { tables: self.0.clone(), delta: Arc::clone(&delta) });
        world.settle();
        delta
    }
}

fn revalidated(world: &World) -> u64 {
    world.shards.iter().map(|shard| shard.memory().revalidated).sum()
}

#[test]
fn a_route_that_was_invalid_comes_back_without_being_asked_for() {
    let mut world = World::new(1);
    let mut rpki = Rpki(None);
    world.up(A, judged(1, 65001));
    world.up(B, external(2, 65002));
    rpki.say(&mut world, &[vrp("10.1.0.0/16", 16, 7)]);
    world.announce(A, &[prefix("10.1.0.0/16"), prefix("10.2.0.0/16")], &Arc::new(route(&[65001])));
    world.settle();
    assert_eq!(world.path(B, "10.1.0.0/16"), None);
    assert!(world.path(B, "10.2.0.0/16").is_some());
    rpki.say(&mut world, &[vrp("10.1.0.0/16", 16, 7), vrp("10.1.0.0/16", 16, 65001)]);
    assert!(world.path(B, "10.1.0.0/16").is_some(), "valid now");
    rpki.say(&mut world, &[vrp("10.1.0.0/16", 16, 7), vrp("10.2.0.0/16", 16, 7)]);
    assert_eq!(world.path(B, "10.1.0.0/16"), None);
    assert_eq!(world.path(B, "10.2.0.0/16"), None);
    rpki.say(&mut world, &[]);
    assert!(world.path(B, "10.1.0.0/16").is_some() && world.path(B, "10.2.0.0/16").is_some());
    // What policy changed is judged as it was received, not as it was changed.
    rpki.say(&mut world, &[vrp("10.1.0.0/16", 16, 65001)]);
    let Answer::Prefix(Some(view)) =
        world.ask(0, 1, Query::Prefix { family: V4, prefix: prefix("10.1.0.0/16") })
    else {
        panic!()
    };
    assert_eq!(view.paths[0].attrs.med, Some(1));
    rpki.say(&mut world, &[]);
    let Answer::Prefix(Some(view)) =
        world.ask(0, 2, Query::Prefix { family: V4, prefix: prefix("10.1.0.0/16") })
    else {
        panic!()
    };
    assert_eq!(view.paths[0].attrs.med, None);
}

#[test]
fn only_what_a_changed_vrp_covers_is_judged_again() {
    const SETS: u32 = 100;
    const EACH: u32 = 500;
    let mut world = World::new(2);
    let mut rpki = Rpki(None);
    world.up(A, judged(1, 65001));
    for set in 0..SETS {
        let prefixes: Vec<Prefix> = (0..EACH)
            .map(|n| {
                let number = set * EACH + n;
                prefix(&format!("{}.{}.{}.0/24", 10 + (number >> 16), (number >> 8) & 0xff, number & 0xff))
            })
            .collect();
        world.announce(A, &prefixes, &Arc::new(route(&[65001, 100 + set])));
    }
    world.settle();
    rpki.say(&mut world, &[vrp("10.0.0.0/24", 24, 100)]);
    let before = revalidated(&world);
    assert_eq!(before, u64::from(SETS * EACH), "from nothing to something all are judged");
    let delta = rpki.say(&mut world, &[vrp("10.0.0.0/24", 24, 100), vrp("10.200.16.0/20", 24, 7)]);
    assert_eq!(delta.ranges(), 1);
    assert_eq!(revalidated(&world) - before, 0, "nobody announces anything there");
    rpki.say(&mut world, &[vrp("10.0.0.0/24", 24, 100), vrp("10.0.16.0/20", 24, 7)]);
    assert_eq!(revalidated(&world) - before, 16, "a /20 of /24s, and nothing under 10.200.16.0/20");
    // Gone from the table, and still there to be judged.
    rpki.say(&mut world, &[vrp("10.0.0.0/24", 24, 100)]);
    assert_eq!(revalidated(&world) - before, 32);
}

/// Entries looked at to find what a change touches.
fn looked_at(world: &World) -> u64 {
    world.shards.iter().map(|shard| shard.memory().looked_at).sum()
}

#[test]
fn what_a_changed_vrp_covers_is_found_without_walking_the_table() {
    const SETS: u32 = 400;
    const EACH: u32 = 256;
    let mut world = World::new(2);
    let mut rpki = Rpki(None);
    world.up(A, judged(1, 65001));
    let first = vrp("240.0.0.0/20", 20, 1);
    rpki.say(&mut world, &[first]);
    let announce = |world: &mut World, sets: std::ops::Range<u32>| {
        for set in sets {
            let nets = (0..EACH).map(|n| prefix(&format!("{}.{}.{n}.0/24", 10 + (set >> 8), set & 0xff)));
            world.announce(A, &nets.collect::<Vec<_>>(), &Arc::new(route(&[65001, 100 + set])));
        }
        world.settle();
    };
    announce(&mut world, 0..SETS);
    let all = u64::from(SETS * EACH);
    assert!(all > 100_000);
    let mut step = |world: &mut World, vrps: &[Vrp]| {
        let (looked, judged) = (looked_at(world), revalidated(world));
        rpki.say(world, &[&[first], vrps].concat());
        (looked_at(world) - looked, revalidated(world) - judged)
    };
    assert_eq!(step(&mut world, &[vrp("10.7.16.0/20", 24, 7)]), (16, 16));
    assert_eq!(step(&mut world, &[vrp("10.7.16.0/20", 24, 8)]), (16, 16), "invalid ones are found too");
    assert_eq!(step(&mut world, &[]), (16, 16));
    assert_eq!(step(&mut world, &[vrp("10.9.0.0/25", 32, 7)]), (0, 0), "longer than anything there");
    assert_eq!(step(&mut world, &[vrp("11.0.0.0/8", 24, 7)]), (144 * 256, 144 * 256));
    // Those that come and go later are found, or not, all the same.
    world.withdraw(A, prefix("10.7.3.0/24"));
    world.announce(A, &[prefix("10.7.0.0/22")], &Arc::new(route(&[65001])));
    world.settle();
    assert_eq!(step(&mut world, &[vrp("10.7.0.0/16", 24, 7)]), (144 * 256 + 256, 144 * 256 + 256));
    // Much at once: a walk is no more work.
    let many: Vec<Vrp> = (0..SETS * EACH / 4)
        .map(|n| vrp(&format!("{}.{}.{}.0/24", 10 + (n >> 16), n >> 8 & 0xff, n & 0xff), 24, 7))
        .collect();
    let (looked, _) = step(&mut world, &many);
    assert!(looked >= all, "{looked}");
    // A table that has gone and comes back is in order as before.
    step(&mut world, &[]);
    world.down(A);
    world.settle();
    world.up(A, judged(1, 65001));
    announce(&mut world, 0..32);
    assert_eq!(step(&mut world, &[vrp("10.7.16.0/20", 24, 7)]), (16, 16));
}

/// `match aspa invalid` denies.
#[derive(Debug)]
struct Aspa;

impl Filter for Aspa {
    fn apply(&self, route: &mut PolicyInput<'_>) -> Verdict {
        match route.rpki.path_state(Some(Direction::Upstream), &route.attrs) {
            Some(AspaState::Invalid) => Verdict::Deny,
            _ => Verdict::Permit,
        }
    }
    fn depends_on_rpki(&self) -> bool {
        true
    }
}

/// Providers by customer, beside one VRP.
fn attested(aspas: &[(u32, &[u32])]) -> Tables {
    let mut tables = Tables { vrps: [vrp("240.0.0.0/20", 20, 1)].into_iter().collect(), ..Tables::default() };
    for (customer, providers) in aspas {
        tables.aspas.insert(Asn(*customer), providers.iter().map(|asn| Asn(*asn)).collect());
    }
    tables
}

#[test]
fn a_changed_customer_is_found_in_the_paths_without_walking_the_table() {
    const SETS: u32 = 400;
    const EACH: u32 = 256;
    let mut world = World::new(2);
    let mut rpki = Rpki(None);
    let params = with_family(external(1, 65001), |family| {
        family.soft_reconfiguration = false;
        family.import = Some(Arc::new(Aspa));
    });
    world.up(A, params);
    world.up(B, external(2, 65002));
    rpki.say_all(&mut world, attested(&[]));
    let nets = |set: u32| {
        (0..EACH)
            .map(move |n| prefix(&format!("{}.{}.{n}.0/24", 10 + (set >> 8), set & 0xff)))
            .collect::<Vec<_>>()
    };
    let path = |set: u32| Arc::new(route(&[65001, 10_000 + set / 4, 100 + set]));
    for set in 0..SETS {
        world.announce(A, &nets(set), &path(set));
    }
    world.settle();
    let all = u64::from(SETS * EACH);
    assert!(all > 100_000);
    let mut step = |world: &mut World, aspas: &[(u32, &[u32])]| {
        let (looked, judged) = (looked_at(world), revalidated(world));
        rpki.say_all(world, attested(aspas));
        (looked_at(world) - looked, revalidated(world) - judged)
    };
    assert_eq!(step(&mut world, &[(7, &[8])]), (0, 0), "in nobody's path");
    assert_eq!(step(&mut world, &[(105, &[10_001])]), (256, 256), "the origin of one set");
    assert_eq!(world.remote(B).table.len() as u64, all);
    assert_eq!(step(&mut world, &[(105, &[5])]), (256, 256));
    assert_eq!(world.remote(B).table.len() as u64, all - 256, "invalid now");
    assert_eq!(step(&mut world, &[(105, &[10_001])]), (256, 256), "refused ones are found too");
    assert_eq!(world.remote(B).table.len() as u64, all);
    assert_eq!(step(&mut world, &[(105, &[10_001]), (10_002, &[65_001])]), (4 * 256, 4 * 256));
    // Paths that come, go and change later are found all the same.
    world.announce(A, &nets(5)[..100], &path(9));
    for prefix in &nets(9)[..16] {
        world.withdraw(A, *prefix);
    }
    world.settle();
    assert_eq!(step(&mut world, &[(109, &[3]), (10_002, &[65_001])]), (256 + 240, 256 + 240), "105 and 109");
    assert_eq!(world.remote(B).table.len() as u64, all - 16 - 340);
    assert_eq!(step(&mut world, &[(10_002, &[65_001])]), (340, 340));
    world.down(A);
    world.settle();
    let octets: u64 = world.shards.iter().map(|shard| shard.memory().table_octets).sum();
    assert!(octets < 4 << 20, "{octets}: what is gone is forgotten");
}

/// Today's whole IPv4 table where it is at hand, else as many prefixes of the same lengths.
fn whole_table() -> Vec<Prefix> {
    let named = std::env::var_os("FERRITE_DATA").map(std::path::PathBuf::from);
    let beside = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let path = named.unwrap_or(beside).join("tables/dfz-prefixes-bart.txt.gz");
    if let Ok(file) = std::fs::File::open(&path) {
        let text = std::io::read_to_string(flate2::read::GzDecoder::new(file)).unwrap();
        return text.lines().filter(|line| !line.contains(':')).map(prefix).collect();
    }
    eprintln!("no real table (FERRITE_DATA, or ../shared/data beside the workspace): a made-up one");
    let net = |n: u32| {
        let len = 24 - (n % 8).saturating_sub(5);
        Prefix::new(Ipv4Addr::from(((n << 9) + 0x0100_0000) & (u32::MAX << (32 - len))).into(), len as u8)
    };
    let all: BTreeSet<Prefix> = (0..800_000).filter_map(net).collect();
    all.into_iter().collect()
}

#[test]
fn on_a_whole_table_one_more_vrp_costs_what_it_covers() {
    let table = whole_table();
    assert!(table.len() > 100_000, "{} prefixes", table.len());
    let mut world = World::new(2);
    let mut rpki = Rpki(None);
    world.up(A, judged(1, 65001));
    for (n, some) in table.chunks(500).enumerate() {
        world.announce(A, some, &Arc::new(route(&[65001, 100 + n as u32])));
    }
    world.settle();
    let first = vrp("240.0.0.0/20", 20, 1);
    rpki.say(&mut world, &[first]);
    let mut before = revalidated(&world);
    assert_eq!(before, table.len() as u64, "from nothing to something all are judged");
    // Every 100,000th of the table, a little wider than it is, is authorised for somebody else.
    for place in table.iter().step_by(100_000) {
        let wide = Prefix::new(place.addr(), place.len().saturating_sub(4)).unwrap();
        let covered = table.iter().filter(|prefix| wide.covers(**prefix)).count() as u64;
        rpki.say(&mut world, &[first, Vrp::new(wide, 32, Asn(7)).unwrap()]);
        let judged = revalidated(&world) - before;
        rpki.say(&mut world, &[first]);
        let again = revalidated(&world) - before - judged;
        assert_eq!(
            (judged, again),
            (covered, covered),
            "{wide}: those it covers, when it comes and when it goes"
        );
        before += judged + again;
    }
}

#[test]
fn a_neighbor_whose_policy_does_not_ask_costs_nothing() {
    let mut world = World::new(1);
    let mut rpki = Rpki(None);
    world.up(A, external(1, 65001));
    world.announce(A, &[prefix("10.1.0.0/16")], &Arc::new(route(&[65001])));
    world.settle();
    rpki.say(&mut world, &[vrp("10.1.0.0/16", 16, 7)]);
    assert_eq!(revalidated(&world), 0);
}

#[test]
fn the_state_goes_to_internal_neighbors_and_follows_the_rpki() {
    let mut world = World::new(1);
    let mut rpki = Rpki(None);
    world.up(A, external(1, 65001));
    world.up(B, with_family(peer(PeerKind::Internal, 2, 65000), |family| family.send_rpki_state = true));
    world.announce(A, &[prefix("10.1.0.0/16")], &Arc::new(route(&[65001])));
    world.settle();
    let told = |world: &World| {
        let all = &world.remote(B).table[&prefix("10.1.0.0/16")].ext_communities;
        all.iter().map(|community| community.0).collect::<Vec<_>>()
    };
    let state = |state: u8| vec![[0x43, 0, 0, 0, 0, 0, 0, state]];
    assert_eq!(told(&world), Vec::<[u8; 8]>::new());
    rpki.say(&mut world, &[]);
    assert_eq!(told(&world), state(1));
    rpki.say(&mut world, &[vrp("10.1.0.0/16", 16, 7)]);
    assert_eq!(told(&world), state(2));
    rpki.say(&mut world, &[vrp("10.1.0.0/16", 16, 65001)]);
    assert_eq!(told(&world), state(0));
}
