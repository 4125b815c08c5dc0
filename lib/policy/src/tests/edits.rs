//! The edit index: outside its scope, an edit changes no verdict; and the scope of a small edit is small.

use proptest::prelude::*;

use super::*;
use crate::{Differences, Scope};

/// Two lists and two maps from a few numbers, so that states are often close to each other.
#[derive(Clone, Debug)]
struct State {
    rules: Vec<(bool, u8, u8)>,
    access: Vec<(bool, u8, bool)>,
    entries: Vec<(bool, u8, u8, bool)>,
}

fn state() -> impl Strategy<Value = State> {
    let rules = proptest::collection::vec((any::<bool>(), 0u8..6, 8u8..12), 0..6);
    let access = proptest::collection::vec((any::<bool>(), 0u8..6, any::<bool>()), 0..4);
    let entries = proptest::collection::vec((any::<bool>(), 0u8..7, 0u8..4, any::<bool>()), 1..6);
    (rules, access, entries).prop_map(|(rules, access, entries)| State { rules, access, entries })
}

fn word(permit: bool) -> &'static str {
    if permit { "permit" } else { "deny" }
}

/// The state as lines: map R over lists P and A, calling map Q.
fn text(state: &State) -> String {
    let mut out = String::new();
    for (at, (permit, net, le)) in state.rules.iter().enumerate() {
        let seq = at * 5 + 5;
        out.push_str(&format!("ip prefix-list P seq {seq} {} {net}.0.0.0/8 le {le}\n", word(*permit)));
    }
    for (at, (permit, net, exact)) in state.access.iter().enumerate() {
        let seq = at * 5 + 5;
        let exact = if *exact { " exact-match" } else { "" };
        out.push_str(&format!("access-list A seq {seq} {} {net}.0.0.0/8{exact}\n", word(*permit)));
    }
    out.push_str("route-map Q deny 5\n match ip address A\nroute-map Q permit 10\n");
    for (at, (permit, clause, exit, weight)) in state.entries.iter().enumerate() {
        out.push_str(&format!("route-map R {} {}\n", word(*permit), at * 10 + 10));
        match clause {
            0 => out.push_str(" match ip address prefix-list P\n"),
            1 => out.push_str(" match ip address A\n"),
            2 => out.push_str(" match ip address prefix-len 8\n"),
            3 => out.push_str(" call Q\n"),
            4 => out.push_str(" match ip address prefix-list NONE\n"),
            5 => out.push_str(" match ip address prefix-list P\n match ip address prefix-len 9\n"),
            _ => {}
        }
        if *weight {
            out.push_str(&format!(" set weight {}\n", at + 1));
        }
        match exit {
            0 => out.push_str(" on-match next\n"),
            1 => out.push_str(&format!(" on-match goto {}\n", at * 10 + 30)),
            _ => {}
        }
    }
    out
}

fn verdict(policies: &Policies, prefix: Prefix) -> (bool, u32) {
    let mut route = Route { prefix, ..route() };
    let permitted = policies.route_map("R").unwrap().apply(&mut route).is_permit();
    // What a denied route was changed into is nobody's.
    (permitted, if permitted { route.weight } else { 0 })
}

fn prefixes() -> impl Iterator<Item = Prefix> {
    (0u8..6).flat_map(|net| {
        (8u8..13).map(move |len| Prefix::new(std::net::Ipv4Addr::new(net, 0, 0, 0).into(), len).unwrap())
    })
}

proptest! {
    #[test]
    fn outside_its_scope_an_edit_changes_nothing(before in state(), after in state()) {
        let old = Policies::compile(&load(&text(&before)), None);
        let new = Policies::compile(&load(&text(&after)), Some(&old));
        let scope = Differences::default().route_map(old.route_map("R"), new.route_map("R"));
        for prefix in prefixes().filter(|prefix| !scope.contains(*prefix)) {
            prop_assert_eq!(verdict(&old, prefix), verdict(&new, prefix), "{} outside {:?}", prefix, scope);
        }
    }
}

fn edited(text: &str, line: &str) -> (Policies, Policies) {
    let before = Policies::compile(&load(text), None);
    let mut engine = Engine::new(registry());
    engine.commit(load(text));
    engine.configure(&mut Context::default(), line).unwrap();
    let after = Policies::compile(engine.running(), Some(&before));
    (before, after)
}

#[test]
fn one_rule_of_a_thousand_touches_its_own_range() {
    let mut text: String =
        (0..1000).map(|n| format!("ip prefix-list L permit 10.{}.{}.0/24\n", n / 250, n % 250)).collect();
    text.push_str("route-map R permit 10\n match ip address prefix-list L\nroute-map S permit 10\n call R\n");
    let (before, after) = edited(&text, "no ip prefix-list L seq 500");
    let scopes = after.changed(&before);
    assert_eq!(scopes.len(), 3);
    for scope in scopes.values() {
        let Scope::Within(ranges) = scope else { panic!("{scope:?}") };
        let ranges: Vec<_> = ranges.iter().collect();
        assert_eq!(ranges, [&Range::exactly("10.0.99.0/24".parse().unwrap())]);
    }
}

#[test]
fn an_entry_touches_what_its_prefix_clauses_let_through() {
    let text = "ip prefix-list L permit 10.0.0.0/8 le 24\nroute-map R permit 10\n match ip address prefix-list L\nroute-map R permit 20\n";
    let before = Policies::compile(&load(text), None);
    let changed = |text: &str| {
        let after = Policies::compile(&load(text), Some(&before));
        after.changed(&before).remove(&(ListKind::RouteMap, "R".to_owned()))
    };
    let of = |lines: &str| changed(&text.replace(" match ip", &format!("{lines} match ip"))).unwrap();
    let p = |text: &str| text.parse::<Prefix>().unwrap();
    let scope = of(" set weight 5\n");
    assert!(scope.contains(p("10.1.0.0/16")) && !scope.contains(p("11.0.0.0/8")));
    assert!(of(" description only a note\n").is_none());
    assert!(changed(&format!("{text} set weight 5\n")).unwrap().is_all());
    assert!(changed(text).is_none());
}

#[test]
fn counts_go_on_through_an_edit() {
    let text = "ip prefix-list L permit 10.0.0.0/8\nip prefix-list L permit 11.0.0.0/8\nroute-map R permit 10\n match ip address prefix-list L\n";
    let before = Policies::compile(&load(text), None);
    let mut route = Route { prefix: "10.0.0.0/8".parse().unwrap(), ..route() };
    before.route_map("R").unwrap().apply(&mut route);
    let hits = |policies: &Policies| policies.prefix_list(Afi::Ipv4, "L").unwrap().rules[0].hits.get();
    let map = |policies: &Policies| {
        let map = policies.route_map("R").unwrap();
        (map.invoked.get(), map.entries[0].hits.get())
    };
    assert_eq!((hits(&before), map(&before)), (1, (1, 1)));
    let after =
        Policies::compile(&load(&format!("{text}ip prefix-list L permit 12.0.0.0/8\n")), Some(&before));
    assert_eq!((hits(&after), map(&after)), (1, (1, 1)));
}
