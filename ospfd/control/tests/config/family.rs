//! IPv4 routed by OSPFv3: its lines are those of IPv6 in other words, and some cannot be.

use ferrite_cli::{Context, numbered};
use ferrite_ospf_control::Settings;

use super::engine;

#[test]
fn what_is_said_of_ipv4_is_rendered_as_it_was_said() {
    let engine = engine();
    let text = include_str!("ipv4.conf");
    let settings = engine.load(Settings::default(), &numbered(text)).unwrap_or_else(|errors| {
        panic!("{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    });
    assert_eq!(engine.render_text(&settings).trim_matches(['!', '\n']), text.trim_matches(['!', '\n']));
    assert_eq!((settings.v3.len(), settings.v3_ipv4.len()), (1, 2));
    let eth0 = &settings.interfaces["eth0"];
    assert_eq!((eth0.v3.cost, eth0.v3_ipv4.cost), (Some(8), Some(7)));
}

/// What a line inside a block is answered.
fn answer(before: &str, header: &str, line: &str) -> String {
    let mut engine = engine();
    let settings = engine.load(Settings::default(), &numbered(before)).expect("a configuration");
    engine.commit(settings);
    let mut context = Context::default();
    engine.configure(&mut context, header).expect("a block is entered");
    engine.configure(&mut context, line).err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn lines_of_another_family_are_no_lines_of_it() {
    let taken = |line: &str| answer("", "router ospf6 ipv4", line).is_empty();
    assert!(taken("area 1 range 10.0.0.0/8") && !taken("area 1 range 2001:db8::/32"));
    assert!(taken("summary-address 10.0.0.0/8") && !taken("summary-address 2001:db8::/32"));
    assert!(taken("redistribute rip") && !taken("redistribute ripng") && taken("redistribute ospf"));
    let ipv6 = |line: &str| answer("", "router ospf6", line).is_empty();
    assert!(!ipv6("area 1 range 10.0.0.0/8") && !ipv6("redistribute ospf"));
}

#[test]
fn virtual_links_are_refused_by_name() {
    let said = answer("", "router ospf6 ipv4", "area 1 virtual-link 10.0.0.9");
    assert!(said.contains("area 1 virtual-link 10.0.0.9 is not supported by this version"), "{said}");
}

#[test]
fn instances_of_one_link_are_told_apart() {
    let link = "interface eth0";
    let refused = |before: &str, line: &str| {
        let said = answer(&format!("{link}\n {before}\nexit\n"), link, line);
        assert!(said.is_empty() || said.contains("is one of IPv4's (64-95)"), "{said}");
        !said.is_empty()
    };
    assert!(refused("ip ospf6 area 0", "ipv6 ospf6 instance-id 70"));
    assert!(refused("ipv6 ospf6 instance-id 70", "ip ospf6 area 0"));
    assert!(!refused("ip ospf6 area 0", "ipv6 ospf6 instance-id 63"));
    assert!(!refused("ipv6 ospf6 area 0", "ipv6 ospf6 instance-id 70"), "FRR takes it");
    for number in ["63", "96", "0"] {
        let said = answer("", link, &format!("ip ospf6 instance-id {number}"));
        assert!(said.contains("is not one of IPv4's (64-95)"), "{number}: {said}");
    }
}

#[test]
fn what_is_refused_changes_nothing() {
    let mut engine = engine();
    let text = "interface eth0\n ip ospf6 area 0\n ipv6 ospf6 instance-id 3\nexit\n";
    engine.commit(engine.load(Settings::default(), &numbered(text)).expect("a configuration"));
    let mut context = Context::default();
    engine.configure(&mut context, "interface eth0").expect("a block is entered");
    engine.configure(&mut context, "ipv6 ospf6 instance-id 64").expect_err("it is IPv4's");
    assert_eq!(engine.running().interfaces["eth0"].v3.instance, Some(3));
}
