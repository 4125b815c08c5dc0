//! Random histories of a backbone in two parts that virtual links join: the area between them loses and finds its ways, the direct
//! link of the parts comes and goes, routers restart. A virtual link costs what the way through its area does, so all routes have
//! an independent answer.

use ferrite_ospf::config::NetworkType;
use ferrite_ospf::packet::{AreaId, V2, V3};
use ferrite_sim::Random;

use crate::address::Plan;
use crate::random::{edges, seeds, settle, weather};
use crate::world::{Topology, World};

const TRANSIT: AreaId = AreaId::from_bits(1);
const FAR: AreaId = AreaId::from_bits(2);

/// Two parts of the backbone with an area between their first routers, and an area behind the second part.
fn plan(random: &mut Random) -> (Topology, Vec<usize>) {
    let below = |random: &mut Random, n: u64| random.below(n) as usize;
    let cost = |random: &mut Random| 1 + random.below(20) as u16;
    let parts = [2 + below(random, 3), 2 + below(random, 3)];
    let between = 1 + below(random, 4);
    let behind = 1 + below(random, 3);
    let second = parts[0];
    let transit = second + parts[1];
    let far = transit + between;
    let mut topology = Topology::new(far + behind);
    for (first, count) in [(0, parts[0]), (second, parts[1])] {
        for (a, b) in edges(random, count) {
            let cost = cost(random);
            topology.p2p(first + a, first + b, cost);
        }
    }
    let mut mortal = vec![topology.p2p(0, second, 1 + random.below(60) as u16)];
    // 0 and the second part's first are ends of the area's chain, with some more links across.
    let chain: Vec<usize> = [0].into_iter().chain(transit..far).chain([second]).collect();
    let across =
        (0..below(random, 4)).map(|_| (below(random, chain.len() as u64), below(random, chain.len() as u64)));
    let across: Vec<(usize, usize)> = across.filter(|(a, b)| a != b).collect();
    for (a, b) in (1..chain.len()).map(|at| (at - 1, at)).chain(across) {
        let network = if random.chance(0.3) { NetworkType::Broadcast } else { NetworkType::PointToPoint };
        let cost = cost(random);
        mortal.push(topology.segment(TRANSIT, network, &[chain[a], chain[b]], cost));
    }
    for at in 0..behind {
        let to = if at == 0 { second + below(random, parts[1] as u64) } else { far + at - 1 };
        let cost = cost(random);
        mortal.push(topology.segment(FAR, NetworkType::PointToPoint, &[to, far + at], cost));
    }
    topology.loopbacks = (0..transit).map(|router| (router, AreaId::BACKBONE)).collect();
    topology.virtual_links = vec![(TRANSIT, 0, second)];
    (topology, mortal)
}

fn history<V: Plan>(seed: u64) {
    let mut random = Random::new(seed);
    let (topology, mortal) = plan(&mut random);
    let link = weather(&mut random, 0.3, 0.03);
    let mut world = World::<V>::new(topology, seed, link);
    for round in 0..3 {
        for _ in 0..=random.below(3) {
            match random.below(8) {
                0..=4 => {
                    let segment = mortal[random.below(mortal.len() as u64) as usize];
                    let up = !world.topology.segments[segment].up;
                    world.set_segment(segment, up);
                }
                5..=6 => {
                    let segment = random.below(world.topology.segments.len() as u64) as usize;
                    world.set_cost(segment, random.below(2) as usize, 1 + random.below(30) as u16);
                }
                _ => world.crash(random.below(world.topology.routers as u64) as usize),
            }
            world.run(random.below(40));
        }
        assert!(settle(&mut world), "seed {seed} round {round}: not quiet");
        world.check();
    }
}

#[test]
fn random_virtual_links_of_version_2() {
    seeds(5000, 60, history::<V2>);
}

#[test]
fn random_virtual_links_of_version_3() {
    seeds(6000, 60, history::<V3>);
}
