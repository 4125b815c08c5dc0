//! What FRR 10.3 says to lines it refuses, and what becomes of neighbours and groups.

use ferrite_cli::{Context, Effect};

use super::*;

/// A configuration that lines are entered into, as in a shell.
struct Shell {
    engine: Engine<BgpConfig, ()>,
    config: BgpConfig,
    context: Context,
}

impl Shell {
    fn new() -> Self {
        let mut shell = Self { engine: engine(), config: BgpConfig::default(), context: Context::default() };
        shell.enter("router bgp 65001");
        shell
    }

    fn enter(&mut self, line: &str) -> &mut Self {
        assert_eq!(self.say(line), "", "{line}");
        self
    }

    /// The refusal of a line; empty when it was taken.
    fn say(&mut self, line: &str) -> String {
        match self.engine.edit(&mut self.config, &mut self.context, line) {
            Ok(Effect::Nothing) => panic!("{line} does nothing"),
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        }
    }

    fn router(&self) -> &RouterBgp {
        self.config.default_instance().unwrap()
    }

    fn effective(&self, addr: &str) -> EffectiveNeighbor {
        let name = NeighborName::read(addr);
        let neighbor = self.router().neighbors.get(&name).unwrap();
        self.router().effective_neighbor(&self.config, name.clone(), neighbor)
    }

    fn text(&self) -> String {
        router_section(&self.engine, &self.config)
    }
}

/// Enters the lines of the first text, then the last line, which must be answered so.
#[track_caller]
fn refuses(before: &str, line: &str, message: &str) {
    let mut shell = Shell::new();
    for line in before.split(';').map(str::trim).filter(|line| !line.is_empty()) {
        shell.enter(line);
    }
    assert_eq!(shell.say(line), message, "{line}");
}

const EBGP: &str = "neighbor 10.0.0.1 remote-as 65002";
const IBGP: &str = "neighbor 10.0.0.1 remote-as 65001";

#[test]
fn a_setting_needs_its_neighbor() {
    let message = "% Specify remote-as or peer-group commands first";
    refuses("", "neighbor 10.0.0.1 passive", message);
    refuses("", "neighbor PG passive", message);
    refuses("address-family ipv6 unicast", "neighbor 2001:db8::1 activate", message);
    refuses("", "neighbor PG remote-as 65002", "% Create the peer-group or interface first");
    refuses("", "neighbor 10.0.0.1 peer-group PG", "% Configure the peer-group first");
    refuses("", "no neighbor PG peer-group", "% Create the peer-group first");
    refuses(EBGP, "no neighbor 10.0.0.77", "");
}

#[test]
fn peer_groups_keep_to_one_kind_and_one_as() {
    let external = "neighbor PG peer-group; neighbor PG remote-as 65002; neighbor 10.0.0.1 peer-group PG";
    let message = "% Peer-group member cannot override remote-as of peer-group.";
    refuses(external, "neighbor 10.0.0.1 remote-as 65003", message);
    let message = "% Cannot change the peer-group. Deconfigure first";
    refuses(&format!("{external}; neighbor QG peer-group"), "neighbor 10.0.0.1 peer-group QG", message);
    let message = "% Peer-group members must be all internal or all external.";
    let internal = "neighbor PG peer-group; neighbor PG remote-as internal";
    refuses(&format!("{EBGP}; {internal}"), "neighbor 10.0.0.1 peer-group PG", message);
    let first = "neighbor QG peer-group; neighbor 10.0.0.2 remote-as 65002; neighbor 10.0.0.2 peer-group QG";
    refuses(&format!("{IBGP}; {first}"), "neighbor 10.0.0.1 peer-group QG", message);
}

#[test]
fn session_settings_that_exclude_each_other_are_refused() {
    let message = "% ebgp-multihop and ttl-security cannot be configured together";
    refuses(
        &format!("{EBGP}; neighbor 10.0.0.1 ebgp-multihop"),
        "neighbor 10.0.0.1 ttl-security hops 2",
        message,
    );
    refuses(
        &format!("{EBGP}; neighbor 10.0.0.1 ttl-security hops 2"),
        "neighbor 10.0.0.1 ebgp-multihop 3",
        message,
    );
    let message = "% Can't set override-capability and strict-capability-match at the same time";
    refuses(
        &format!("{EBGP}; neighbor 10.0.0.1 override-capability"),
        "neighbor 10.0.0.1 strict-capability-match",
        message,
    );
    let message = "% Prefix/distribute list can not co-exist";
    refuses(
        &format!("{EBGP}; neighbor 10.0.0.1 prefix-list A in"),
        "neighbor 10.0.0.1 distribute-list B in",
        message,
    );
    refuses(
        &format!("{EBGP}; neighbor 10.0.0.1 prefix-list A in"),
        "neighbor 10.0.0.1 distribute-list B out",
        "",
    );
}

#[test]
fn values_that_cannot_be_are_refused() {
    refuses(EBGP, "neighbor 10.0.0.1 local-as 65001", "% Cannot have local-as same as BGP AS number");
    refuses(EBGP, "neighbor 10.0.0.1 timers 30 2", "% Invalid value");
    refuses(EBGP, &format!("neighbor 10.0.0.1 password {}", "x".repeat(81)), "% Invalid value");
    refuses(EBGP, "neighbor 10.0.0.1 path-attribute discard 2", "% Can't discard path-attribute AS_PATH");
    refuses("", "timers bgp 3 2", "% hold time value must be either 0 or greater than 3");
    refuses("bgp router-id 1.1.1.1", "no bgp router-id 1.1.1.2", "% BGP router-id doesn't match");
    refuses(EBGP, "neighbor 10.0.0.1 route-reflector-client", "% Invalid command. Not an internal neighbor");
    refuses(IBGP, "neighbor 10.0.0.1 as-override", "% as-override cannot be configured for IBGP peers");
    refuses(
        IBGP,
        "neighbor 10.0.0.1 remove-private-AS",
        "% remove-private-AS cannot be configured for IBGP peers",
    );
    refuses("", "neighbor 10.0.0.9 peer-group", "% A peer-group cannot have an address as its name");
    assert!(Shell::new().say("neighbor 10.0.0.1 remote-as 0").starts_with('%'));
}

#[test]
fn an_instance_has_one_as() {
    refuses("exit", "router bgp 65002", "% BGP is already running; AS is 65001");
    refuses("exit", "router bgp", "");
    refuses("exit", "no router bgp 65002", "% Can't find BGP instance");
    refuses("exit; no router bgp", "no router bgp", "% No BGP process is configured");
    refuses("exit; no router bgp 65001", "router bgp", "% No BGP process is configured");
    refuses("exit; no router bgp; router bgp 1.10; exit", "router bgp 65546", "");
}

#[test]
fn originations_that_are_not_there_cannot_be_removed() {
    refuses("", "no network 10.0.0.0/8", "% Can't find static route specified");
    refuses("", "no aggregate-address 10.0.0.0/8", "% There is no aggregate-address configuration.");
    refuses("network 10.0.0.0", "no network 10.0.0.0/8", "");
    refuses(
        "",
        "aggregate-address 10.0.0.0/8 suppress-map A summary-only",
        "% 'summary-only' and 'suppress-map' can't be used at the same time",
    );
    refuses(
        "",
        "aggregate-address 10.0.0.1/32",
        "% Specified prefix: 10.0.0.1/32 will not result in any useful aggregation, disallowing",
    );
    refuses("distance 4 10.0.0.0/8", "no distance 5 10.0.0.0/8", "% Distance does not match configured");
}

#[test]
fn what_is_not_built_is_refused_by_name() {
    refuses(EBGP, "neighbor 10.0.0.1 bfd", "% neighbor 10.0.0.1 bfd is not supported by this version");
    refuses(
        EBGP,
        "neighbor 10.0.0.1 bfd profile X",
        "% neighbor 10.0.0.1 bfd profile X is not supported by this version",
    );
    refuses("", "address-family l2vpn evpn", "% address-family l2vpn evpn is not supported by this version");
    refuses("address-family ipv4", "import vrf BLUE", "% import vrf BLUE is not supported by this version");
    refuses("", "no synchronization", "");
}

#[test]
fn members_inherit_what_they_do_not_say() {
    let mut shell = Shell::new();
    for line in [
        "neighbor PG peer-group",
        "neighbor PG remote-as 65002",
        "neighbor PG timers 5 15",
        "neighbor PG password group",
        "neighbor PG ebgp-multihop 3",
        "neighbor PG description of the group",
        "neighbor 10.0.0.1 peer-group PG",
        "neighbor 10.0.0.2 peer-group PG",
        "neighbor 10.0.0.1 timers 6 18",
        "no neighbor 10.0.0.2 password",
        "address-family ipv4 unicast",
        "neighbor PG route-map A in",
        "neighbor PG weight 5",
        "no neighbor PG send-community",
        "neighbor 10.0.0.1 route-map B in",
        "no neighbor 10.0.0.2 weight",
    ] {
        shell.enter(line);
    }
    let (one, two) = (shell.effective("10.0.0.1"), shell.effective("10.0.0.2"));
    assert_eq!(one.session.timers, Timers { keepalive: 6, hold: 18 });
    assert_eq!(two.session.timers, Timers { keepalive: 5, hold: 15 });
    assert_eq!(two.session.password.as_deref(), Some("group"));
    assert_eq!(two.session.description, None);
    assert_eq!((two.session.ttl, two.session.connected_check), (3, false));
    assert_eq!(two.kind, Some(SessionKind::External));
    let family = bgp_packet::Family::IPV4_UNICAST;
    let (one, two) = (one.families.get(family).unwrap(), two.families.get(family).unwrap());
    assert_eq!(one.route_map.import, Some(PolicyName::new("B")));
    assert_eq!(two.route_map.import, Some(PolicyName::new("A")));
    assert_eq!((one.weight, two.weight), (Some(5), Some(5)));
    assert!(!one.send_community && one.send_large_community);
    assert!(one.has_import_policy() && !one.has_export_policy());
}

#[test]
fn activation_follows_the_group_until_a_member_says_otherwise() {
    let mut shell = Shell::new();
    for line in [
        "neighbor PG peer-group",
        "neighbor PG remote-as 65002",
        "neighbor 10.0.0.1 peer-group PG",
        "neighbor 10.0.0.2 peer-group PG",
        "address-family ipv6 unicast",
        "neighbor PG activate",
        "no neighbor 10.0.0.1 activate",
        "exit-address-family",
        "address-family ipv4 unicast",
        "no neighbor PG activate",
        "neighbor 10.0.0.2 activate",
    ] {
        shell.enter(line);
    }
    let active = |addr| shell.effective(addr).active_families().collect::<Vec<_>>();
    assert_eq!(active("10.0.0.1"), []);
    assert_eq!(active("10.0.0.2"), [Family::IPV4_UNICAST, Family::IPV6_UNICAST]);
    assert!(shell.text().contains("  no neighbor 10.0.0.1 activate\n"), "{}", shell.text());
}

#[test]
fn a_new_neighbor_is_activated_by_the_defaults_of_its_time() {
    let mut shell = Shell::new();
    shell.enter(EBGP).enter("no bgp default ipv4-unicast").enter("neighbor 10.0.0.2 remote-as 65002");
    let active = |addr| shell.effective(addr).active_families().count();
    assert_eq!((active("10.0.0.1"), active("10.0.0.2")), (1, 0));
    assert!(shell.text().contains("  neighbor 10.0.0.1 activate\n"), "{}", shell.text());
}

#[test]
fn a_neighbor_goes_with_its_group() {
    let mut shell = Shell::new();
    let group = "neighbor PG peer-group; neighbor PG remote-as 65002; neighbor 10.0.0.1 peer-group PG";
    for line in group.split("; ") {
        shell.enter(line);
    }
    shell.enter("no neighbor PG remote-as 65002");
    assert_eq!(shell.effective("10.0.0.1").remote_as, None);
    shell.enter("no neighbor PG peer-group");
    assert!(shell.router().neighbors.is_empty() && shell.router().groups.is_empty());
    for line in group.split("; ") {
        shell.enter(line);
    }
    shell.enter("no neighbor 10.0.0.1 peer-group PG");
    assert!(shell.router().neighbors.is_empty());
}

#[test]
fn spelling_out_a_default_changes_nothing_that_is_compared() {
    let mut shell = Shell::new();
    shell.enter(EBGP);
    let before = shell.effective("10.0.0.1");
    for line in [
        "neighbor 10.0.0.1 port 179",
        "neighbor 10.0.0.1 timers 60 180",
        "neighbor 10.0.0.1 timers connect 30",
        "neighbor 10.0.0.1 ebgp-multihop 1",
        "neighbor 10.0.0.1 enforce-first-as",
        "neighbor 10.0.0.1 advertisement-interval 0",
        "neighbor 10.0.0.1 capability fqdn",
        "neighbor 10.0.0.1 send-community all",
        "neighbor 10.0.0.1 activate",
    ] {
        shell.enter(line);
    }
    assert_eq!(shell.effective("10.0.0.1"), before);
}

#[test]
fn ttl_says_how_far_a_neighbor_may_be() {
    let mut shell = Shell::new();
    shell.enter(EBGP).enter("neighbor 10.0.0.2 remote-as 65001").enter("neighbor 10.0.0.3 remote-as 65003");
    shell.enter("neighbor 10.0.0.3 ttl-security hops 3");
    let ttl = |addr| {
        let session = shell.effective(addr).session;
        (session.ttl, session.minimum_ttl, session.connected_check)
    };
    assert_eq!(ttl("10.0.0.1"), (1, None, true));
    assert_eq!(ttl("10.0.0.2"), (255, None, false));
    assert_eq!(ttl("10.0.0.3"), (255, Some(253), false));
}

#[test]
fn redistribution_lines_add_up_and_are_removed_whole() {
    let mut shell = Shell::new();
    shell.enter("address-family ipv4 unicast");
    shell.enter("redistribute static metric 3").enter("redistribute static route-map A");
    assert!(shell.text().contains("  redistribute static metric 3 route-map A\n"));
    shell.enter("no redistribute static metric 3");
    assert!(!shell.text().contains("redistribute"));
    // OSPFv3 may route IPv4 (RFC 5838).
    shell.enter("redistribute ospf6 metric 3").enter("redistribute ospf");
    assert!(
        shell.text().contains("  redistribute ospf\n")
            && shell.text().contains("  redistribute ospf6 metric 3\n")
    );
}

#[test]
fn listen_ranges_need_a_group_and_do_not_overlap() {
    refuses("", "bgp listen range 10.0.0.0/8 peer-group PG", "% Configure the peer-group first");
    let mut shell = Shell::new();
    for line in
        ["neighbor PG peer-group", "neighbor QG peer-group", "bgp listen range 10.0.0.0/8 peer-group PG"]
    {
        shell.enter(line);
    }
    for (line, refusal) in [
        ("bgp listen range 10.0.0.0/16 peer-group PG", "% Listen range overlaps with existing listen range"),
        ("bgp listen range 10.0.0.0/8 peer-group QG", "% Same listen range is attached to peer-group PG"),
        ("no neighbor PG peer-group", "% Peer-group PG is attached to 1 listen-range(s), delete them first"),
        (
            "no bgp listen range 11.0.0.0/8 peer-group PG",
            "% Range specified cannot be deleted because it is not part of current config.",
        ),
    ] {
        assert_eq!(shell.say(line), refusal, "{line}");
    }
}

const UNNUMBERED: &str = "neighbor PG peer-group; neighbor PG remote-as external; \
    neighbor eth2 interface v6only peer-group PG; neighbor eth10 interface remote-as internal; \
    neighbor ua interface remote-as external";

#[test]
fn neighbours_on_interfaces_are_refused_in_frrs_words() {
    for (line, message) in [
        ("neighbor PG interface remote-as external", "% Name conflict with peer-group "),
        (
            "neighbor eth2 interface remote-as external",
            "% Peer-group member cannot override remote-as of peer-group.",
        ),
        ("neighbor eth33 interface peer-group NOPE", "% Configure the peer-group first"),
        ("no neighbor eth77 interface", "% Create the bgp interface first"),
        ("neighbor eth78 remote-as 5", "% Create the peer-group or interface first"),
        (
            "no neighbor ua capability extended-nexthop",
            "% Peer ua cannot have capability extended-nexthop turned off",
        ),
        ("neighbor ua peer-group", "% Name conflict with interface: "),
        ("neighbor eth10 peer-group PG", "% Peer-group members must be all internal or all external."),
    ] {
        refuses(UNNUMBERED, line, message);
    }
}

/// As FRR 10.3 printed the same lines.
#[test]
fn neighbours_on_interfaces_render_as_frr_does() {
    let mut shell = Shell::new();
    for line in UNNUMBERED.split(';') {
        shell.enter(line.trim());
    }
    for line in [
        "neighbor eth9 interface peer-group PG",
        "neighbor eth10 description core",
        "neighbor 10.0.0.1 remote-as 65002",
        "neighbor 10.0.0.1 capability extended-nexthop",
        "neighbor fe80::1 remote-as 65007",
        "neighbor fe80::1 interface ua",
        "no bgp ipv6-auto-ra",
        "no neighbor eth10 remote-as internal",
    ] {
        shell.enter(line);
    }
    let lines = [
        " neighbor PG peer-group",
        " neighbor PG remote-as external",
        " neighbor eth2 interface v6only peer-group PG",
        " neighbor eth9 interface peer-group PG",
        " neighbor eth10 interface",
        " neighbor eth10 description core",
        " neighbor ua interface remote-as external",
        " neighbor 10.0.0.1 remote-as 65002",
        " neighbor 10.0.0.1 capability extended-nexthop",
        " neighbor fe80::1 remote-as 65007",
        " neighbor fe80::1 interface ua",
        " no bgp ipv6-auto-ra",
    ];
    let text = shell.text();
    assert!(text.contains(&lines.join("\n")), "{text}");
    let on_link = shell.effective("eth2");
    assert!(on_link.session.v6only && on_link.session.extended_next_hop);
    assert!(shell.effective("10.0.0.1").session.extended_next_hop);
    assert!(!shell.effective("fe80::1").session.extended_next_hop);
}
