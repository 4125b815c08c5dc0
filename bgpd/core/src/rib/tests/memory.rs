//! Octets per path, counted.

use super::*;

/// A table of `count` prefixes with attributes that repeat about as in the Internet's: six prefixes to a set.
pub fn fill(world: &mut World, id: u32, count: u32, first_as: u32) {
    for set in 0..count.div_ceil(6) {
        let path: Vec<u32> =
            std::iter::once(first_as).chain((0..3).map(|hop| 1000 + (set * 7 + hop) % 60_000)).collect();
        let mut attrs = route(&path);
        attrs.communities =
            (0..4u32).map(|c| ferrite_types::Community((first_as << 16) | ((set + c) % 1000))).collect();
        attrs.communities.sort_unstable();
        let prefixes: Vec<Prefix> = (set * 6..(set * 6 + 6).min(count))
            .map(|n| {
                let addr = Ipv4Addr::from_bits(0x0100_0000 + (n << 8));
                Prefix::new(addr.into(), 24).unwrap()
            })
            .collect();
        world.announce(id, &prefixes, &Arc::new(attrs));
    }
}

#[test]
fn a_path_costs_what_the_design_says() {
    use crate::rib::table::{Entry, Path};
    assert_eq!(size_of::<Path>(), 16);
    assert_eq!(size_of::<Entry<ferrite_types::Ipv4Prefix>>(), 40);
    const COUNT: u32 = 60_000;
    let mut world = World::new(1);
    world.configure(|config| config.install = true);
    world.feed(0, ShardEvent::ReplayFib);
    world.up(1, peer(PeerKind::External, 1, 65001));
    world.up(2, peer(PeerKind::External, 2, 65002));
    fill(&mut world, 1, COUNT, 65001);
    world.settle();
    assert_eq!(world.remote(2).table.len(), COUNT as usize);
    let memory = world.shards[0].memory();
    let per = |octets: u64| octets as f64 / f64::from(COUNT);
    println!(
        "octets per prefix: table {:.1}, attributes {:.1} ({} sets), adj-out {:.1}, FIB {:.1}",
        per(memory.table_octets),
        per(memory.attribute_octets),
        memory.attributes,
        per(memory.adj_out_octets),
        per(memory.fib_octets)
    );
    assert!(per(memory.table_octets) < 64.0);
    assert!(per(memory.adj_out_octets) < 64.0);
    assert!(per(memory.fib_octets) < 8.0);
    // A second full feed adds a path to every prefix.
    fill(&mut world, 2, COUNT, 65002);
    world.settle();
    let second = world.shards[0].memory();
    println!("a second path: table {:.1}", per(second.table_octets - memory.table_octets));
    assert!(per(second.table_octets - memory.table_octets) < 48.0);
}
