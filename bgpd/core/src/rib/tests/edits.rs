//! Edits of policy: what they touch is judged again, counted by prefix, neighbour and direction, and nothing else is; and
//! what comes out is what a router would have that began with the policy.

use std::sync::Arc;

use ferrite_cli::{Context, Engine, Registry, numbered};
use ferrite_policy::commands::{Access, Scope as Daemon, register};
use ferrite_policy::{Policies, PolicyConfig};
use ferrite_types::{Afi, Asn};
use proptest::prelude::*;

use super::*;
use crate::config::PolicyName;
use crate::instance::edits::import_scope;
use crate::instance::filter::{ChainKey, Filters, Place};

/// Policy as the instance keeps it: compiled, with the chains in use.
pub(super) struct Desk {
    engine: Engine<PolicyConfig, ()>,
    policies: Policies,
    filters: Filters,
}

impl Desk {
    pub(super) fn new(text: &str) -> Self {
        let mut registry = Registry::new();
        register(&mut registry, Daemon::Bgp, Access { get: |c| c, get_mut: |c| c });
        let mut engine = Engine::new(registry);
        let config = engine.load(PolicyConfig::default(), &numbered(text)).unwrap_or_default();
        engine.commit(config);
        let policies = Policies::compile(engine.running(), None);
        Self { engine, policies, filters: Filters::default() }
    }

    pub(super) fn edit(&mut self, text: &str) {
        let mut context = Context::default();
        for line in text.lines() {
            self.engine.configure(&mut context, line).unwrap();
        }
        self.policies = Policies::compile(self.engine.running(), Some(&self.policies));
    }

    pub(super) fn key(&self, place: Place, prefix_list: Option<&str>, map: Option<&str>) -> ChainKey {
        ChainKey {
            place,
            afi: Afi::Ipv4,
            distribute_list: None,
            prefix_list: prefix_list.map(PolicyName::new),
            filter_list: None,
            route_map: map.map(PolicyName::new),
        }
    }

    pub(super) fn map(&mut self, place: Place, name: &str) -> Arc<dyn crate::rib::Filter> {
        let key = self.key(place, None, Some(name));
        self.filters.get(&key, &self.policies, &Default::default(), Asn(65000))
    }

    /// A session's parameters under the present policies.
    fn params(&mut self, peer: PeerParams, import: Option<ChainKey>, export: Option<ChainKey>) -> PeerParams {
        let mut chain = |key: Option<ChainKey>| {
            key.map(|key| self.filters.get(&key, &self.policies, &Default::default(), Asn(65000)))
        };
        let (import, export) = (chain(import), chain(export));
        with_family(peer, |family| {
            family.import = import;
            family.export = export;
        })
    }
}

/// Gives a peer new parameters as the instance does.
pub(super) fn apply(world: &mut World, id: u32, params: PeerParams) {
    let old = Arc::clone(world.remote(id).params.family(V4).unwrap());
    let scope = import_scope(&old, params.family(V4).unwrap());
    world.change(id, params);
    let peers: Arc<[PeerId]> = Arc::from([PeerId(id)]);
    if !scope.is_none() {
        world.feed_all(|| ShardEvent::Reimport {
            peers: Arc::clone(&peers),
            family: V4,
            scope: scope.clone(),
        });
    }
}

/// Routes that went through import and export in all shards.
pub(super) fn evaluated(world: &World) -> (u64, u64) {
    let memory = world.shards.iter().map(Shard::memory);
    memory.fold((0, 0), |sum, view| (sum.0 + view.imported, sum.1 + view.exported))
}

/// 10.A.B.0/24 for a thousand routes.
pub(super) fn thousand() -> Vec<Prefix> {
    (0..1000u32).map(|n| prefix(&format!("10.{}.{}.0/24", n / 250, n % 250))).collect()
}

pub(super) fn external(n: u8) -> PeerParams {
    peer(PeerKind::External, n, 65000 + u32::from(n))
}

/// A sends a thousand routes; B and C get them, each through a policy of its own.
struct Edited {
    desk: Desk,
    world: World,
}

const A: u32 = 1;
const B: u32 = 2;
const C: u32 = 3;

impl Edited {
    fn new(text: &str, shards: usize) -> Self {
        let (desk, world) = (Desk::new(text), World::new(shards));
        let mut edited = Self { desk, world };
        for id in [A, B, C] {
            let params = edited.params(id);
            edited.world.up(id, params);
        }
        edited.world.announce(A, &thousand(), &Arc::new(route(&[65001])));
        edited.world.settle();
        edited
    }

    fn params(&mut self, id: u32) -> PeerParams {
        let desk = &mut self.desk;
        let import = (id == A).then(|| desk.key(Place::Import, None, Some("IN")));
        let export = match id {
            B => Some(desk.key(Place::Export, Some("OUT"), None)),
            C => Some(desk.key(Place::Export, None, Some("C"))),
            _ => None,
        };
        desk.params(external(id as u8), import, export)
    }

    /// Edits policy; how many routes went through import and export for it.
    fn edit(&mut self, text: &str) -> (u64, u64) {
        let before = evaluated(&self.world);
        self.desk.edit(text);
        for id in [A, B, C] {
            let params = self.params(id);
            apply(&mut self.world, id, params);
        }
        self.world.settle();
        let after = evaluated(&self.world);
        (after.0 - before.0, after.1 - before.1)
    }
}

/// A list of a thousand rules for each direction, and a map that looks at prefixes for C.
fn lists() -> String {
    let rules = |name: &str| {
        let rule = |p: Prefix| format!("ip prefix-list {name} permit {p}\n");
        thousand().into_iter().map(rule).collect::<String>()
    };
    format!(
        "{}{}ip prefix-list SOME permit 10.1.0.0/16 le 32\nroute-map IN permit 10\n match ip address prefix-list ALL\nroute-map C deny 10\n match ip address prefix-list SOME\nroute-map C permit 20\n",
        rules("ALL"),
        rules("OUT"),
    )
}

#[test]
fn one_rule_of_a_thousand_has_one_route_judged_again() {
    for shards in [1, 3] {
        let mut at = Edited::new(&lists(), shards);
        assert_eq!(at.world.remote(B).table.len(), 1000);
        assert_eq!(at.world.remote(C).table.len(), 750);
        let (b, c) = (at.world.remote(B).withdrawn, at.world.remote(C).withdrawn);
        // An export list of B: one route towards B, none towards C, no import.
        assert_eq!(at.edit("no ip prefix-list OUT seq 500"), (0, 1));
        assert_eq!(at.world.remote(B).table.len(), 999);
        assert_eq!((at.world.remote(B).withdrawn, at.world.remote(C).withdrawn), (b + 1, c));
        assert_eq!(at.edit("ip prefix-list OUT seq 500 permit 10.0.99.0/24"), (0, 1));
        // A list that import uses: one route comes in again, and what it changes is told to both.
        assert_eq!(at.edit("no ip prefix-list ALL seq 500").0, 1);
        assert_eq!((at.world.remote(B).table.len(), at.world.remote(C).table.len()), (999, 749));
        assert_eq!(at.edit("ip prefix-list ALL seq 500 permit 10.0.99.0/24"), (1, 2));
        assert_eq!((at.world.remote(B).table.len(), at.world.remote(C).table.len()), (1000, 750));
        // A list that nobody uses, and a note.
        assert_eq!(at.edit("ip prefix-list NOBODY permit any"), (0, 0));
        assert_eq!(at.edit("route-map C permit 20\n description the rest"), (0, 0));
    }
}

#[test]
fn an_entry_of_a_map_has_what_it_can_match_judged_again() {
    let mut at = Edited::new(&lists(), 1);
    // 10.1.0.0/16 le 32 holds 250 of the thousand.
    assert_eq!(at.edit("route-map C permit 10\n set metric 5"), (0, 250));
    assert_eq!(at.world.remote(C).table.len(), 1000);
    let med = |at: &Edited, text: &str| at.world.remote(C).table[&prefix(text)].med;
    assert_eq!((med(&at, "10.1.7.0/24"), med(&at, "10.2.7.0/24")), (Some(5), None));
    // Half of the range, by the list.
    assert_eq!(at.edit("ip prefix-list SOME seq 1 deny 10.1.0.0/17 le 32"), (0, 128));
    assert_eq!((med(&at, "10.1.7.0/24"), med(&at, "10.1.200.0/24")), (None, Some(5)));
    // The last entry has no prefix clause: everything.
    assert_eq!(at.edit("route-map C permit 20\n set metric 9"), (0, 1000));
    assert_eq!((med(&at, "10.1.7.0/24"), med(&at, "10.1.200.0/24")), (Some(9), Some(5)));
}

#[test]
fn neighbors_of_one_group_stay_together_through_an_edit() {
    let mut desk = Desk::new(&lists());
    let mut world = World::new(1);
    let export = desk.key(Place::Export, Some("OUT"), None);
    world.up(A, external(1));
    for id in 2..40 {
        let params = desk.params(external(id), None, Some(export.clone()));
        world.up(u32::from(id), params);
    }
    world.announce(A, &thousand(), &Arc::new(route(&[65001])));
    world.settle();
    let before = evaluated(&world).1;
    desk.edit("no ip prefix-list OUT seq 500\nno ip prefix-list OUT seq 505");
    for id in 2..40 {
        let params = desk.params(external(id), None, Some(export.clone()));
        apply(&mut world, u32::from(id), params);
    }
    world.settle();
    // Two routes for all 38 together.
    assert_eq!(evaluated(&world).1 - before, 2);
    assert!((2..40).all(|id| world.remote(id).table.len() == 998));
    let Answer::UpdateGroups(groups) = world.ask(0, 1, Query::UpdateGroups { family: V4 }) else { panic!() };
    assert_eq!(groups.len(), 2);
}

/// One random edit as lines.
fn edit() -> impl Strategy<Value = String> {
    let word = |permit: bool| if permit { "permit" } else { "deny" };
    let list = prop_oneof![Just("ALL"), Just("OUT"), Just("SOME")];
    prop_oneof![
        (list.clone(), 1u32..4, any::<bool>(), 0u8..4, 16u8..25).prop_map(move |(list, seq, permit, net, le)| {
            format!("ip prefix-list {list} seq {seq} {} 10.{net}.0.0/16 le {le}", word(permit))
        }),
        (list, 1u32..4).prop_map(|(list, seq)| format!("no ip prefix-list {list} seq {seq}")),
        (prop_oneof![Just("IN"), Just("C")], 1u16..4, any::<bool>(), 0u8..5, 0u8..4).prop_map(
            move |(map, seq, permit, clause, set)| {
                let clause = match clause {
                    0 => "\n match ip address prefix-list ALL",
                    1 => "\n match ip address prefix-list SOME",
                    2 => "\n match as-path A",
                    3 => "\n match ip address prefix-len 24",
                    _ => "\n no match ip address prefix-list\n no match ip address prefix-len\n no match as-path",
                };
                let set = match set {
                    0 => "\n set metric 7".to_owned(),
                    1 => "\n set as-path prepend 65099".to_owned(),
                    2 => "\n on-match next".to_owned(),
                    _ => "\n no set metric\n no set as-path prepend\n no on-match next".to_owned(),
                };
                format!("route-map {map} {} {}{clause}{set}", word(permit), seq * 10)
            }
        ),
        (1u16..4).prop_map(|seq| format!("no route-map C permit {}", seq * 10)),
        any::<bool>().prop_map(move |permit| format!("bgp as-path access-list A seq 5 {} _65077$", word(permit))),
    ]
}

/// A handful of routes over the nets that edits name, by two origins.
fn few() -> (Vec<Prefix>, Vec<Prefix>) {
    let nets = |last: &str| {
        (0..4)
            .flat_map(|net| [format!("10.{net}.{last}.0/24"), format!("10.{net}.{last}.0/20")])
            .map(|text| prefix(&text))
            .collect()
    };
    (nets("0"), nets("16"))
}

fn start(text: &str) -> Edited {
    let mut at = Edited { desk: Desk::new(text), world: World::new(2) };
    for id in [A, B, C] {
        let params = at.params(id);
        at.world.up(id, params);
    }
    let (one, other) = few();
    at.world.announce(A, &one, &Arc::new(route(&[65001])));
    at.world.announce(A, &other, &Arc::new(route(&[65001, 65077])));
    at.world.settle();
    at
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn after_any_edits_the_tables_are_those_of_a_fresh_start(edits in proptest::collection::vec(edit(), 1..12)) {
        let base = "ip prefix-list ALL seq 100 permit any\nip prefix-list OUT seq 100 permit any\nip prefix-list SOME seq 100 permit 10.1.0.0/16 le 24\nbgp as-path access-list A seq 5 permit _65077$\nroute-map IN permit 100\nroute-map C permit 100\n";
        let mut at = start(base);
        for text in &edits {
            at.edit(text);
        }
        let text = at.desk.engine.render_text(at.desk.engine.running());
        let fresh = start(&text);
        for id in [B, C] {
            prop_assert_eq!(&at.world.remote(id).table, &fresh.world.remote(id).table, "{} of\n{}", id, text);
        }
    }
}
