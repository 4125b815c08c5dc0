//! Edits of what stands beside plain policy (aggregates and their maps, `unsuppress-map`, `advertise-map`,
//! `default-originate`): what they can touch is judged again, counted, and nothing else.

use std::sync::Arc;

use super::edits::{Desk, apply, evaluated, external, thousand};
use super::*;
use crate::instance::filter::Place;
use crate::rib::settings::{AggregateStatement, Conditional, DefaultOriginate};

const A: u32 = 1;
const B: u32 = 2;

const POLICY: &str = "ip prefix-list TEN seq 5 permit 10.1.10.0/24
ip prefix-list FEW seq 5 permit 10.1.0.0/24
ip prefix-list SEVEN seq 5 permit 10.0.7.0/24
ip prefix-list EIGHT seq 5 permit 10.0.8.0/24
ip prefix-list ANY seq 5 permit 0.0.0.0/0 le 32
ip prefix-list NOBODY seq 5 permit 172.16.0.0/16
route-map TEN permit 10
 match ip address prefix-list TEN
route-map MARK permit 10
 set metric 5
route-map ANY permit 10
 match ip address prefix-list ANY
route-map FEW permit 10
 match ip address prefix-list FEW
route-map SEVEN permit 10
 match ip address prefix-list SEVEN
 set metric 3
route-map CHANGES permit 10
 match ip address prefix-list EIGHT
 set metric 10
 set community 1:1
route-map CHANGES permit 20
 match ip address prefix-list SEVEN
 set metric +20
route-map NOBODY permit 10
 match ip address prefix-list NOBODY
";

fn table() -> (Desk, World) {
    let desk = Desk::new(POLICY);
    let mut world = World::new(3);
    world.up(A, external(1));
    world.up(B, external(2));
    world.announce(A, &thousand(), &Arc::new(route(&[65001])));
    world.settle();
    (desk, world)
}

/// Exports that a change costs.
fn cost(world: &mut World, change: impl FnOnce(&mut World)) -> u64 {
    let before = evaluated(world);
    change(world);
    world.settle();
    let after = evaluated(world);
    assert_eq!(before.0, after.0, "import ran");
    after.1 - before.1
}

fn under(desk: &mut Desk, suppress: bool, map: bool) -> Vec<AggregateStatement> {
    vec![AggregateStatement {
        prefix: prefix("10.1.0.0/16"),
        as_set: false,
        summary_only: false,
        matching_med_only: false,
        map: map.then(|| desk.map(Place::Local, "MARK")),
        suppress_map: suppress.then(|| desk.map(Place::Local, "TEN")),
        origin: None,
    }]
}

fn set(world: &mut World, statements: Vec<AggregateStatement>) -> u64 {
    cost(world, |world| world.configure(|config| config.v4().aggregates = statements))
}

#[test]
fn an_edit_of_an_aggregate_touches_what_lies_under_it() {
    let (mut desk, mut world) = table();
    // A policy that looks at prefixes, so that no two exports share a result.
    let looking = desk.map(Place::Export, "ANY");
    apply(&mut world, B, with_family(external(2), |family| family.export = Some(looking)));
    world.settle();
    let has = |world: &World, text: &str| world.remote(B).table.contains_key(&prefix(text));
    // 250 of the thousand lie under it; it is a route itself.
    let statements = under(&mut desk, true, false);
    let first = set(&mut world, statements);
    assert!((250..=253).contains(&first), "{first}");
    assert!(has(&world, "10.1.0.0/16") && !has(&world, "10.1.10.0/24") && has(&world, "10.1.11.0/24"));
    // Another route is hidden: that one, and its like, are looked at.
    desk.edit("ip prefix-list TEN seq 10 permit 10.1.11.0/24");
    let statements = under(&mut desk, true, false);
    let second = set(&mut world, statements);
    assert!(second <= 1, "{second}");
    assert!(!has(&world, "10.1.10.0/24") && !has(&world, "10.1.11.0/24"));
    // Its attributes: the aggregate alone, for each of the two neighbours.
    let statements = under(&mut desk, true, true);
    assert_eq!(set(&mut world, statements), 2);
    assert_eq!(world.remote(B).table[&prefix("10.1.0.0/16")].med, Some(5));
    // The same again costs nothing, and its end what its beginning did.
    let statements = under(&mut desk, true, true);
    assert_eq!(set(&mut world, statements), 0);
    let last = set(&mut world, Vec::new());
    assert!((248..=253).contains(&last), "{last}");
    assert_eq!(world.remote(B).table.len(), 1000);
}

#[test]
fn sums_are_kept_and_made_of_what_is_known() {
    let (mut desk, mut world) = table();
    let mut statements = under(&mut desk, false, false);
    statements.push(AggregateStatement { prefix: prefix("10.0.0.0/8"), ..statements[0].clone() });
    set(&mut world, statements.clone());
    // With as-set the paths are counted, which they were not before.
    statements[0].as_set = true;
    let cost = set(&mut world, statements.clone());
    assert!(cost <= 2, "{cost}");
    assert_eq!(world.remote(B).table[&prefix("10.1.0.0/16")].as_path.to_string(), "65000 65001");
    statements.remove(0);
    set(&mut world, statements);
    assert_eq!(world.remote(B).table.len(), 1001);
    // The last route under the one that is left goes, and so does it.
    for prefix in thousand() {
        world.withdraw(A, prefix);
    }
    world.settle();
    assert!(world.remote(B).table.is_empty());
}

#[test]
fn meds_of_all_shards_must_agree() {
    let (mut desk, mut world) = table();
    let mut statements = under(&mut desk, false, false);
    statements[0].matching_med_only = true;
    statements[0].summary_only = true;
    set(&mut world, statements);
    assert_eq!(world.remote(B).table.len(), 751, "one MED: the aggregate hides its parts");
    let odd = Attributes { med: Some(9), ..route(&[65001]) };
    world.announce(A, &[prefix("10.1.200.0/24")], &Arc::new(odd));
    world.settle();
    assert_eq!(world.remote(B).table.len(), 1000, "two: there is no aggregate, and nothing is hidden");
    world.announce(A, &[prefix("10.1.200.0/24")], &Arc::new(route(&[65001])));
    world.settle();
    assert_eq!(world.remote(B).table.len(), 751);
}

#[test]
fn an_unsuppress_map_touches_what_is_hidden() {
    let (mut desk, mut world) = table();
    let mut statements = under(&mut desk, false, false);
    statements[0].summary_only = true;
    set(&mut world, statements);
    let params = |desk: &mut Desk| {
        let map = desk.map(Place::Export, "FEW");
        with_family(external(2), |family| family.unsuppress = Some(map))
    };
    let with = params(&mut desk);
    apply(&mut world, B, with);
    world.settle();
    assert_eq!(world.remote(B).table.len(), 752);
    desk.edit("ip prefix-list FEW seq 10 permit 10.0.0.0/8 ge 24 le 24");
    let with = params(&mut desk);
    // The edit names every route; 250 of them are hidden.
    assert_eq!(cost(&mut world, |world| apply(world, B, with)), 250);
    assert_eq!(world.remote(B).table.len(), 1001);
}

#[test]
fn maps_of_conditions_touch_what_they_name() {
    let (mut desk, mut world) = table();
    let params = |desk: &mut Desk| {
        let (routes, condition) = (desk.map(Place::Export, "SEVEN"), desk.map(Place::Local, "NOBODY"));
        with_family(external(2), |family| {
            family.advertise = Some(Conditional { routes, condition, exists: true });
        })
    };
    let with = params(&mut desk);
    apply(&mut world, B, with);
    world.settle();
    assert_eq!(world.remote(B).table.len(), 999);
    desk.edit("ip prefix-list SEVEN seq 10 permit 10.0.8.0/24");
    let with = params(&mut desk);
    assert_eq!(cost(&mut world, |world| apply(world, B, with)), 1);
    assert_eq!(world.remote(B).table.len(), 998);
    // The condition's map: nothing is told otherwise while it stays false.
    desk.edit("ip prefix-list NOBODY seq 10 permit 172.17.0.0/16");
    let with = params(&mut desk);
    assert_eq!(cost(&mut world, |world| apply(world, B, with)), 0);
    // And true by the edit alone.
    desk.edit("ip prefix-list NOBODY seq 15 permit 10.3.3.0/24");
    let with = params(&mut desk);
    apply(&mut world, B, with);
    world.settle_for(Duration::from_secs(120));
    assert_eq!(world.remote(B).table.len(), 1000);
}

#[test]
fn the_default_route_is_changed_by_the_first_entry_that_some_route_passes_by() {
    let (mut desk, mut world) = table();
    let params = |desk: &mut Desk| {
        let map = Some(desk.map(Place::Local, "CHANGES"));
        with_family(external(2), |family| family.default_originate = Some(DefaultOriginate { map }))
    };
    let told = |world: &World| {
        let attrs = world.remote(B).table.get(&prefix("0.0.0.0/0"))?;
        Some((attrs.med, attrs.communities.len()))
    };
    let with = params(&mut desk);
    apply(&mut world, B, with);
    world.settle_for(Duration::from_secs(60));
    assert_eq!(told(&world), Some((Some(10), 1)));
    for (prefixes, expected) in [("10.0.8.0/24", Some((Some(20), 0))), ("10.0.7.0/24", None)] {
        world.withdraw(A, prefix(prefixes));
        world.settle_for(Duration::from_secs(60));
        assert_eq!(told(&world), expected, "{prefixes}");
    }
}

#[test]
fn the_map_of_a_default_route_touches_the_default_route() {
    let (mut desk, mut world) = table();
    let params = |desk: &mut Desk, name: &str| {
        let map = Some(desk.map(Place::Local, name));
        with_family(external(2), |family| family.default_originate = Some(DefaultOriginate { map }))
    };
    let with = params(&mut desk, "SEVEN");
    apply(&mut world, B, with);
    world.settle_for(Duration::from_secs(60));
    assert_eq!(world.remote(B).table.len(), 1001);
    // Another route makes the condition true as well: the default route is looked at, and nothing else.
    desk.edit("ip prefix-list SEVEN seq 10 permit 10.0.8.0/24");
    let with = params(&mut desk, "SEVEN");
    assert!(cost(&mut world, |world| apply(world, B, with)) <= 1);
    // None does: it goes.
    desk.edit("no ip prefix-list SEVEN seq 5\nno ip prefix-list SEVEN seq 10\nip prefix-list SEVEN permit 172.16.0.0/12");
    let with = params(&mut desk, "SEVEN");
    apply(&mut world, B, with);
    world.settle_for(Duration::from_secs(60));
    assert_eq!(world.remote(B).table.len(), 1000);
}
