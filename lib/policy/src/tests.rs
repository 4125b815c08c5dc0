//! The crate as a daemon uses it: lines in, running configuration out, routes judged.

use std::net::{IpAddr, Ipv4Addr};

use ferrite_cli::{Context, Engine, Registry, check_registry, numbered};
use ferrite_types::*;

use crate::commands::{Access, Scope, register};
use crate::*;

mod edits;

fn registry() -> Registry<PolicyConfig, ()> {
    let mut registry = Registry::new();
    register(&mut registry, Scope::Bgp, Access { get: |c| c, get_mut: |c| c });
    registry
}

fn load(text: &str) -> PolicyConfig {
    let engine = Engine::new(registry());
    engine.load(PolicyConfig::default(), &numbered(text)).unwrap_or_else(|errors| {
        panic!("{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    })
}

#[test]
fn every_declaration_holds_what_it_promises() {
    if let Err(faults) = check_registry(registry) {
        panic!("{}", faults.join("\n"));
    }
}

/// Entered lines and what FRR 10.3 shows for them.
#[test]
fn running_configuration_is_what_frr_shows() {
    let config = load(include_str!("../tests/policy.conf"));
    let engine = Engine::new(registry());
    assert_eq!(engine.render_text(&config), include_str!("../tests/policy.shown"));
    let again = load(include_str!("../tests/policy.shown"));
    assert_eq!(again, config);
}

#[test]
fn entering_a_file_again_changes_nothing() {
    let text = include_str!("../tests/policy.conf");
    let once = load(text);
    assert_eq!(load(&format!("{text}\n{text}")), once);
}

#[test]
fn a_line_that_cannot_be_is_refused_with_its_reason() {
    for (line, reason) in [
        ("ip prefix-list P permit 10.0.0.0/8 le 7", "Invalid prefix range"),
        ("bgp as-path access-list A permit (", "Can't compile regexp"),
        ("bgp community-list standard C permit internet", "Malformed community-list value"),
        ("no bgp as-path access-list NONE", "bgp as-path access-list NONE doesn't exist"),
        ("route-map R permit 10\n set metric far", "Invalid value far"),
        ("route-map R permit 10\n set extcommunity bandwidth some", "Unknown command"),
        ("route-map R permit 10\n set community 5", "Malformed communities attribute '5'"),
        ("route-map R permit 10\n on-match goto 5", "can't jump backwards"),
    ] {
        let errors = Engine::new(registry()).load(PolicyConfig::default(), &numbered(line)).unwrap_err();
        assert!(errors[0].to_string().contains(reason), "{line}: {}", errors[0]);
    }
}

#[derive(Clone, PartialEq, Debug)]
struct Route {
    prefix: Prefix,
    next_hop: Option<IpAddr>,
    path: Vec<u32>,
    metric: Option<u32>,
    local_pref: Option<u32>,
    weight: u32,
    tag: u32,
    origin: PolicyOrigin,
    communities: Vec<Community>,
    large: Vec<LargeCommunity>,
    ext: Vec<ExtCommunity>,
    next_hop_set: Option<NextHopSet>,
    distance: Option<u8>,
}

fn route() -> Route {
    Route {
        prefix: "10.1.0.0/16".parse().unwrap(),
        next_hop: Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))),
        path: vec![65001, 65002],
        metric: Some(50),
        local_pref: None,
        weight: 0,
        tag: 7,
        origin: PolicyOrigin::Igp,
        communities: vec![Community::new(65001, 1), Community::new(65001, 2)],
        large: vec!["65001:1:2".parse().unwrap()],
        ext: vec!["RT:65001:5".parse().unwrap()],
        next_hop_set: None,
        distance: None,
    }
}

impl PolicyRoute for Route {
    fn prefix(&self) -> Prefix {
        self.prefix
    }
    fn next_hop(&self) -> Option<IpAddr> {
        self.next_hop
    }
    fn source(&self) -> Option<IpAddr> {
        Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9)))
    }
    fn is_peer(&self, peer: &route_map::PeerSpec) -> bool {
        let names = ["192.0.2.9", "UPSTREAMS"];
        names.iter().any(|name| *peer == route_map::PeerSpec::parse(name))
    }
    fn has_alias(&self, name: &str) -> bool {
        name == "CUSTOMER"
    }
    fn aigp(&self) -> Option<u64> {
        Some(u64::from(u32::MAX) + 5)
    }
    fn round_trip(&self) -> Option<u32> {
        Some(12)
    }
    fn protocol(&self) -> Option<RouteProtocol> {
        Some(RouteProtocol::Static)
    }
    fn tag(&self) -> Tag {
        Tag(self.tag)
    }
    fn metric(&self) -> Option<u32> {
        self.metric
    }
    fn igp_metric(&self) -> Option<u32> {
        Some(77)
    }
    fn local_preference(&self) -> Option<u32> {
        self.local_pref
    }
    fn unset_local_preference(&self) -> Option<u32> {
        Some(100)
    }
    fn origin(&self) -> Option<PolicyOrigin> {
        Some(self.origin)
    }
    fn as_path_text(&self, out: &mut String) -> bool {
        out.push_str(&self.path.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
        true
    }
    fn communities(&self) -> &[Community] {
        &self.communities
    }
    fn large_communities(&self) -> &[LargeCommunity] {
        &self.large
    }
    fn ext_communities(&self) -> &[ExtCommunity] {
        &self.ext
    }
    fn dice(&mut self) -> u8 {
        40
    }
    fn set_tag(&mut self, tag: Tag) {
        self.tag = tag.0;
    }
    fn set_metric(&mut self, metric: u32) {
        self.metric = Some(metric);
    }
    fn set_local_preference(&mut self, value: u32) {
        self.local_pref = Some(value);
    }
    fn set_origin(&mut self, origin: PolicyOrigin) {
        self.origin = origin;
    }
    fn set_weight(&mut self, weight: u32) {
        self.weight = weight;
    }
    fn set_distance(&mut self, distance: Distance) {
        self.distance = Some(distance.0);
    }
    fn set_next_hop(&mut self, next_hop: NextHopSet) {
        self.next_hop_set = Some(next_hop);
    }
    fn set_communities(&mut self, communities: Vec<Community>) {
        self.communities = communities;
    }
    fn set_large_communities(&mut self, communities: Vec<LargeCommunity>) {
        self.large = communities;
    }
    fn set_ext_communities(&mut self, communities: Vec<ExtCommunity>) {
        self.ext = communities;
    }
    fn prepend(&mut self, asns: &[Asn]) {
        self.path.splice(0..0, asns.iter().map(|asn| asn.0));
    }
    fn prepend_last_as(&mut self, times: u8) {
        let first = self.path[0];
        self.path.splice(0..0, std::iter::repeat_n(first, usize::from(times)));
    }
    fn exclude_asns(&mut self, excluded: &dyn Fn(Asn) -> bool) {
        self.path.retain(|asn| !excluded(Asn(*asn)));
    }
    fn replace_asns(&mut self, replaced: &dyn Fn(Asn) -> bool, with: Option<Asn>) {
        for asn in self.path.iter_mut().filter(|asn| replaced(Asn(**asn))) {
            *asn = with.unwrap_or(Asn(65000)).0;
        }
    }
}

const LISTS: &str = "\
access-list NET seq 5 permit 10.0.0.0/8
access-list HOST seq 5 permit 192.0.2.1
ip prefix-list NET seq 5 permit 10.0.0.0/8 le 16
ip prefix-list HOSTS seq 5 permit 192.0.2.0/24 le 32
ipv6 prefix-list SIX seq 5 permit any
bgp as-path access-list P seq 5 permit ^65001_
bgp as-path access-list TWO seq 5 permit ^65002$
bgp community-list standard C seq 5 permit 65001:1
bgp community-list standard BOTH seq 5 permit 65001:1 65001:2
bgp community-list standard OTHER seq 5 permit 65001:1 65009:1
bgp large-community-list standard L seq 5 permit 65001:1:2
bgp extcommunity-list standard E seq 5 permit rt 65001:5
";

fn judge(map: &str, route: &mut Route) -> Decision {
    let config = load(&format!("{LISTS}{map}"));
    Policies::compile(&config, None).route_map("R").expect("a map R").apply(route)
}

#[test]
fn each_match_clause_matches_and_does_not() {
    for (clause, expected) in [
        ("ip address NET", true),
        ("ip address NONE", false),
        ("ip address prefix-list NET", true),
        ("ipv6 address prefix-list SIX", false),
        ("ip address prefix-len 16", true),
        ("ip address prefix-len 17", false),
        ("ip next-hop HOST", true),
        ("ip next-hop NET", false),
        ("ip next-hop prefix-list HOSTS", true),
        ("ip next-hop address 192.0.2.1", true),
        ("ip next-hop address 192.0.2.2", false),
        ("ip next-hop type blackhole", false),
        ("ip route-source prefix-list HOSTS", true),
        ("ip route-source HOST", false),
        ("as-path P", true),
        ("as-path TWO", false),
        ("community C", true),
        ("community C exact-match", false),
        ("community BOTH exact-match", true),
        ("community OTHER", false),
        ("community OTHER any", true),
        ("large-community L", true),
        ("extcommunity E", true),
        ("community-limit 2", true),
        ("community-limit 1", false),
        ("metric 50", true),
        ("metric 51", false),
        ("local-preference 100", true),
        ("local-preference 0", false),
        ("origin igp", true),
        ("origin egp", false),
        ("peer 192.0.2.9", true),
        ("peer local", false),
        ("peer UPSTREAMS", true),
        ("peer eth9", false),
        ("alias CUSTOMER", true),
        ("alias OTHER", false),
        ("tag 7", true),
        ("tag untagged", false),
        ("source-protocol static", true),
        ("source-protocol bgp", false),
        ("probability 41", true),
        ("probability 40", false),
        ("interface eth0", false),
    ] {
        let decision = judge(&format!("route-map R permit 10\n match {clause}\n"), &mut route());
        assert_eq!(decision.is_permit(), expected, "{clause}");
    }
}

#[test]
fn each_set_clause_sets_its_value_and_nothing_else() {
    let c = |text: &str| community_list::parse_communities(text).unwrap();
    type Expect = (&'static str, fn(&mut Route, &dyn Fn(&str) -> Vec<Community>));
    let rows: &[Expect] = &[
        ("as-path prepend 1 2", |r, _| r.path = vec![1, 2, 65001, 65002]),
        ("as-path prepend last-as 2", |r, _| r.path = vec![65001, 65001, 65001, 65002]),
        ("as-path exclude 65001", |r, _| r.path = vec![65002]),
        ("as-path exclude all", |r, _| r.path = vec![]),
        ("as-path exclude as-path-access-list TWO", |r, _| r.path = vec![65001]),
        ("as-path replace any 5", |r, _| r.path = vec![5, 5]),
        ("as-path replace 65002", |r, _| r.path = vec![65001, 65000]),
        ("as-path replace as-path-access-list TWO 9", |r, _| r.path = vec![65001, 9]),
        ("comm-list C delete", |r, c| r.communities = c("65001:2")),
        ("comm-list OTHER delete", |r, c| r.communities = c("65001:2")),
        ("community 1:1", |r, c| r.communities = c("1:1")),
        ("community 1:1 additive", |r, c| r.communities = c("1:1 65001:1 65001:2")),
        ("community none", |r, _| r.communities = vec![]),
        ("large-comm-list L delete", |r, _| r.large = vec![]),
        ("large-community none", |r, _| r.large = vec![]),
        ("extended-comm-list E delete", |r, _| r.ext = vec![]),
        ("extcommunity rt 65001:6", |r, _| {
            r.ext = vec!["RT:65001:5".parse().unwrap(), "RT:65001:6".parse().unwrap()];
        }),
        ("extcommunity rt 65001:5", |_, _| {}),
        ("extcommunity none\n set extcommunity rt 65001:6", |r, _| {
            r.ext = vec!["RT:65001:6".parse().unwrap()];
        }),
        ("extcommunity soo 65001:6", |r, _| {
            r.ext = vec!["RT:65001:5".parse().unwrap(), "SoO:65001:6".parse().unwrap()];
        }),
        ("extcommunity nt 192.0.2.9:0", |r, _| {
            r.ext.push(ExtCommunity::parse_node_target("192.0.2.9:0").unwrap());
        }),
        ("extcommunity color 01:100", |r, _| r.ext.push(ExtCommunity::parse_color("01:100").unwrap())),
        ("extcommunity none", |r, _| r.ext = vec![]),
        ("local-preference 300", |r, _| r.local_pref = Some(300)),
        ("local-preference +5", |r, _| r.local_pref = Some(105)),
        ("local-preference -500", |r, _| r.local_pref = Some(0)),
        ("metric 9", |r, _| r.metric = Some(9)),
        ("metric +9", |r, _| r.metric = Some(59)),
        ("metric -60", |r, _| r.metric = Some(0)),
        ("metric igp", |r, _| r.metric = Some(77)),
        ("metric aigp", |r, _| r.metric = Some(u32::MAX)),
        ("metric rtt", |r, _| r.metric = Some(12)),
        ("metric +rtt", |r, _| r.metric = Some(62)),
        ("metric -rtt", |r, _| r.metric = Some(38)),
        ("max-metric 20", |r, _| r.metric = Some(20)),
        ("min-metric 90", |r, _| r.metric = Some(90)),
        ("origin incomplete", |r, _| r.origin = PolicyOrigin::Incomplete),
        ("weight 5", |r, _| r.weight = 5),
        ("tag 9", |r, _| r.tag = 9),
        ("distance 9", |r, _| r.distance = Some(9)),
        ("ip next-hop peer-address", |r, _| r.next_hop_set = Some(NextHopSet::PeerAddress)),
        ("ip next-hop unchanged", |r, _| r.next_hop_set = Some(NextHopSet::Unchanged)),
        ("ipv6 next-hop prefer-global", |r, _| r.next_hop_set = Some(NextHopSet::PreferGlobal)),
    ];
    for (clause, change) in rows {
        let (mut got, mut expected) = (route(), route());
        assert!(judge(&format!("route-map R permit 10\n set {clause}\n"), &mut got).is_permit(), "{clause}");
        change(&mut expected, &c);
        assert_eq!(got, expected, "{clause}");
    }
}

#[test]
fn entries_are_left_as_their_exits_say() {
    for (map, permitted, entry, weight) in [
        ("route-map R permit 10\n match tag 8\n", false, None, 0),
        ("route-map R deny 10\n match tag 7\nroute-map R permit 20\n", false, Some(10), 0),
        ("route-map R deny 10\n match tag 8\nroute-map R permit 20\n", true, Some(20), 0),
        ("route-map R permit 10\n on-match next\n set weight 5\nroute-map R deny 20\n", false, Some(20), 5),
        ("route-map R permit 10\n on-match next\n set weight 5\n", true, Some(10), 5),
        (
            "route-map R permit 10\n continue 30\nroute-map R deny 20\nroute-map R permit 30\n set weight 9\n",
            true,
            Some(30),
            9,
        ),
        ("route-map R permit 10\n call Q\nroute-map Q permit 5\n set weight 3\n", true, Some(10), 3),
        ("route-map R permit 10\n call Q\nroute-map Q deny 5\n", false, Some(10), 0),
        ("route-map R permit 10\n call NONE\n", true, Some(10), 0),
        ("route-map R permit 10\n call R\n", false, Some(10), 0),
        ("route-map R permit 10\n call Q\nroute-map Q permit 10\n call R\n", false, Some(10), 0),
    ] {
        let mut judged = route();
        let decision = judge(map, &mut judged);
        assert_eq!(
            (decision.is_permit(), decision.entry, judged.weight),
            (permitted, entry, weight),
            "{map}"
        );
        // What it does apart from whether it does it.
        let policies = Policies::compile(&load(&format!("{LISTS}{map}")), None);
        let map = policies.route_map("R").expect("a map R");
        let mut other = route();
        let trail = map.trail(&mut other);
        assert_eq!((trail.is_some(), &other), (permitted, &route()), "{trail:?}");
        if let Some(trail) = trail {
            map.retrace(&trail, &mut other);
            assert_eq!(other, judged, "{trail:?}");
        }
    }
}

#[test]
fn a_change_names_every_map_that_uses_it_and_no_other() {
    let text = format!(
        "{LISTS}route-map A permit 10\n match ip address prefix-list NET\nroute-map B permit 10\n call A\nroute-map C permit 10\n"
    );
    let before = Policies::compile(&load(&text), None);
    let same = Policies::compile(&load(&text), Some(&before));
    assert!(same.changed(&before).is_empty());
    let mut engine = Engine::new(registry());
    engine.commit(load(&text));
    engine.configure(&mut Context::default(), "ip prefix-list NET permit 11.0.0.0/8").unwrap();
    let after = Policies::compile(engine.running(), Some(&before));
    let changed: Vec<_> = after.changed(&before).into_keys().collect();
    assert_eq!(
        changed,
        [
            (ListKind::PrefixList(Afi::Ipv4), "NET".to_owned()),
            (ListKind::RouteMap, "A".to_owned()),
            (ListKind::RouteMap, "B".to_owned()),
        ]
    );
}

/// FRR's JSON is the same value in other white space.
fn same_output(ours: &str, frr: &str) -> bool {
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    match json(frr) {
        Some(value) => json(ours).as_ref() == Some(&value),
        None => ours == frr,
    }
}

/// Output of FRR 10.3 for the same configuration, a section per command, without its note on the list edited last.
#[test]
fn shows_are_those_of_frr() {
    let mut shows: Registry<PolicyConfig, view::PolicyShow> = Registry::new();
    view::register(&mut shows, true, |show| show);
    let engine = Engine::new(shows);
    let policies = Policies::compile(&load(include_str!("../tests/shows.conf")), None);
    let daemon = view::Daemon { title: "BGP", name: "bgpd" };
    for section in include_str!("../tests/shows.txt").split("$ ").skip(1) {
        let (line, frr) = section.split_once('\n').unwrap();
        let outcome = engine.exec(&ferrite_cli::node::ENABLE, line);
        let Ok(ferrite_cli::Outcome::Exec { handler, args, .. }) = outcome else { panic!("{line}") };
        let ours = handler.run(&policies, daemon, &args);
        assert!(same_output(&ours, frr), "{line}\nours:\n{ours}\nFRR:\n{frr}");
    }
}
