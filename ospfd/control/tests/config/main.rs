//! The configuration: what FRR renders is read and rendered the same; whatever lines were typed, what is rendered of them reads
//! back as the same settings.

mod family;

use std::sync::{LazyLock, Mutex, PoisonError};

use ferrite_cli::{Context, Engine, check_round_trip, numbered};
use ferrite_ospf_control::{Command, Roles, Settings, registry};
use proptest::prelude::*;

fn engine() -> Engine<Settings, Command> {
    Engine::new(registry(Roles { v2: true, v3: true }))
}

/// `frr.conf` is what FRR 10.3 rendered of a configuration with every line that both have.
#[test]
fn frrs_own_rendering_is_rendered_the_same() {
    let engine = engine();
    let text = include_str!("frr.conf");
    let settings = engine.load(Settings::default(), &numbered(text)).unwrap_or_else(|errors| {
        panic!("{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    });
    let rendered = engine.render_text(&settings);
    assert_eq!(rendered.trim_matches(['!', '\n']), text.trim_matches(['!', '\n']));
}

static BLOCKS: LazyLock<Vec<(&str, Vec<String>)>> = LazyLock::new(|| {
    let own = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    // The same lines about another family.
    let ipv4 = |lines: &[&str]| {
        let said = lines.iter().filter(|line| !line.starts_with("ip ospf"));
        said.map(|line| line.replace("ipv6 ospf6", "ip ospf6").replace("2001:db8:N::/48", "10.N.0.0/16"))
            .collect()
    };
    let both: Vec<String> = [own(LINK), ipv4(LINK)].concat();
    vec![
        ("router ospf", own(ROUTER)),
        ("router ospf vrf RED", own(ROUTER)),
        ("router ospf 4", own(ROUTER)),
        ("router ospf6", own(ROUTER6)),
        ("router ospf6 vrf RED", own(ROUTER6)),
        ("router ospf6 ipv4", ipv4(ROUTER6)),
        ("router ospf6 ipv4 vrf RED", ipv4(ROUTER6)),
        ("interface eth0", both.clone()),
        ("interface eth1 vrf RED", both),
    ]
});

/// `N` stands for a small number, `A` for an area.
const ROUTER: &[&str] = &[
    "ospf router-id 10.0.0.N",
    "ospf abr-type ibm",
    "ospf abr-type shortcut",
    "log-adjacency-changes",
    "log-adjacency-changes detail",
    "compatible rfc1583",
    "auto-cost reference-bandwidth N",
    "timers throttle spf N N N",
    "timers throttle lsa all N",
    "timers lsa min-arrival N",
    "ospf write-multiplier N",
    "maximum-paths N",
    "max-lsa N",
    "max-metric router-lsa administrative",
    "max-metric router-lsa on-startup 1N",
    "max-metric router-lsa on-shutdown 1N",
    "refresh timer 1N",
    "socket-per-interface",
    "redistribute static",
    "redistribute bgp metric N metric-type 1 route-map RM",
    "redistribute table N metric-type 1",
    "redistribute ospf6 metric N",
    "distribute-list L out ospf6",
    "redistribute table-direct metric N",
    "graceful-restart",
    "graceful-restart grace-period N",
    "graceful-restart helper enable",
    "graceful-restart helper enable 10.0.0.N",
    "graceful-restart helper strict-lsa-checking",
    "graceful-restart helper planned-only",
    "graceful-restart helper supported-grace-time 1N",
    "aggregation timer 1N",
    "summary-address 10.N.0.0/16 tag N",
    "summary-address 10.N.0.0/16 no-advertise",
    "passive-interface default",
    "proactive-arp",
    "network 10.N.0.0/16 area A",
    "area A authentication",
    "area A authentication message-digest",
    "area A shortcut enable",
    "area A stub",
    "area A stub no-summary",
    "area A nssa",
    "area A nssa translate-always default-information-originate metric N no-summary suppress-fa",
    "area A nssa range 10.N.0.0/16 cost N",
    "area A default-cost N",
    "area A range 10.N.0.0/16",
    "area A range 10.N.0.0/16 not-advertise",
    "area A range 10.N.0.0/16 cost N",
    "area A range 10.N.0.0/16 substitute 11.N.0.0/16",
    "area A export-list L",
    "area A import-list L",
    "area A filter-list prefix L in",
    "area A filter-list prefix L out",
    "area A virtual-link 10.0.0.N",
    "area A virtual-link 10.0.0.N hello-interval N dead-interval N",
    "area A virtual-link 10.0.0.N authentication message-digest message-digest-key N md5 abc",
    "area A virtual-link 10.0.0.N authentication key-chain KC",
    "area A virtual-link 10.0.0.N authentication-key abc",
    "neighbor 10.0.0.N",
    "neighbor 10.0.0.N priority N poll-interval N",
    "default-metric N",
    "distribute-list L out static",
    "distribute-list L out table",
    "distribute-list L out table-direct",
    "default-information originate",
    "default-information originate always metric N route-map RM",
    "distance N",
    "distance ospf intra-area N",
    "distance ospf external N inter-area N",
    "capability opaque",
    "socket buffer send N",
    "socket buffer all N",
    "flood-reduction",
    "area A flood-reduction",
    "mpls-te on",
    "mpls-te router-address 10.0.0.N",
    "mpls-te inter-as as",
    "mpls-te inter-as area A",
    "mpls-te export",
    "router-info as",
    "router-info area",
    "pce address 10.0.0.N",
    "pce domain as N",
    "pce neighbor as N",
    "pce flag 0xN",
    "pce scope N",
    "mpls ldp-sync",
    "mpls ldp-sync holddown N",
];

const ROUTER6: &[&str] = &[
    "ospf6 router-id 10.0.0.N",
    "log-adjacency-changes",
    "log-adjacency-changes detail",
    "auto-cost reference-bandwidth N",
    "write-multiplier N",
    "timers lsa min-arrival N",
    "timers throttle spf N N N",
    "max-lsa N",
    "maximum-paths N",
    "stub-router administrative",
    "redistribute static metric N metric-type 1 route-map RM",
    "redistribute connected",
    "area A range 2001:db8:N::/48",
    "area A range 2001:db8:N::/48 not-advertise",
    "area A range 2001:db8:N::/48 cost N",
    "area A filter-list prefix L in",
    "area A import-list L",
    "area A stub",
    "area A stub no-summary",
    "area A nssa default-information-originate metric N",
    "area A nssa range 2001:db8:N::/48 not-advertise",
    "distance N",
    "distance ospf6 inter-area N",
    "default-information originate always metric-type 1",
    "aggregation timer 1N",
    "summary-address 2001:db8:N::/48 tag N metric N metric-type 2",
    "summary-address 2001:db8:N::/48 no-advertise",
    "graceful-restart grace-period N",
    "graceful-restart helper enable",
    "graceful-restart helper lsa-check-disable",
    "graceful-restart helper enable 10.0.0.N",
];

const LINK: &[&str] = &[
    "ip ospf area A",
    "ip ospf 3 area A",
    "ip ospf area A 10.0.0.N",
    "ip ospf authentication",
    "ip ospf authentication message-digest 10.0.0.N",
    "ip ospf authentication key-chain KC",
    "ip ospf authentication extended-sequence",
    "ip ospf authentication extended-sequence 10.0.0.N",
    "ip ospf authentication-key abc",
    "ip ospf message-digest-key N md5 abc",
    "ip ospf message-digest-key N md5 abc 10.0.0.N",
    "ip ospf capability opaque",
    "ip ospf cost N",
    "ip ospf cost N 10.0.0.N",
    "ip ospf dead-interval N",
    "ip ospf dead-interval minimal hello-multiplier 1N 10.0.0.N",
    "ip ospf graceful-restart hello-delay N",
    "ip ospf hello-interval N",
    "ip ospf mpls ldp-sync",
    "no ip ospf mpls ldp-sync",
    "ip ospf mpls ldp-sync holddown N",
    "ip ospf mtu-ignore",
    "ip ospf mtu-ignore 10.0.0.N",
    "ip ospf neighbor-filter L",
    "ip ospf network point-to-point dmvpn",
    "ip ospf network point-to-multipoint delay-reflood",
    "ip ospf network broadcast",
    "ip ospf passive",
    "ip ospf passive 10.0.0.N",
    "ip ospf prefix-suppression",
    "ip ospf priority N",
    "ip ospf retransmit-interval N",
    "ip ospf retransmit-window 2N",
    "ip ospf transmit-delay N 10.0.0.N",
    "ipv6 ospf6 area A",
    "ipv6 ospf6 advertise prefix-list L",
    "ipv6 ospf6 cost N",
    "ipv6 ospf6 dead-interval N",
    "ipv6 ospf6 hello-interval N",
    "ipv6 ospf6 graceful-restart hello-delay N",
    "ipv6 ospf6 ifmtu N",
    "ipv6 ospf6 instance-id N",
    "ipv6 ospf6 authentication key-id N hash-algo hmac-sha-256 key abc",
    "ipv6 ospf6 authentication keychain KC",
    "ipv6 ospf6 mtu-ignore",
    "ipv6 ospf6 network point-to-multipoint",
    "bandwidth N",
    "ipv6 ospf6 neighbor fe80::N",
    "ipv6 ospf6 neighbor fe80::N poll-interval N",
    "ipv6 ospf6 neighbor fe80::N cost N",
    "ipv6 ospf6 p2p-p2mp disable-multicast-hello",
    "ipv6 ospf6 p2p-p2mp config-neighbors-only",
    "ipv6 ospf6 p2p-p2mp connected-prefixes include",
    "ipv6 ospf6 p2p-p2mp connected-prefixes exclude",
    "ipv6 ospf6 passive",
    "ipv6 ospf6 priority N",
    "ipv6 ospf6 retransmit-interval N",
    "ipv6 ospf6 transmit-delay N",
];

/// Made once: there are hundreds of commands.
static SHARED: LazyLock<Mutex<Engine<Settings, Command>>> = LazyLock::new(|| Mutex::new(engine()));

/// A block, a line of it, numbers for it, and whether it is taken back.
type Typed = (usize, prop::sample::Index, u8, usize, bool);

fn typed() -> impl Strategy<Value = Typed> {
    (0..BLOCKS.len(), any::<prop::sample::Index>(), 1u8..9, 0usize..4, prop::bool::weighted(0.2))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn whatever_is_typed_renders_to_itself(lines in prop::collection::vec(typed(), 1..60)) {
        let mut engine = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        engine.commit(Settings::default());
        let mut taken = 0;
        for (block, line, number, area, negated) in lines {
            let (header, table) = &BLOCKS[block];
            let area = ["0", "1", "0.0.0.2", "3"][area];
            let line = &table[line.index(table.len())];
            let is_instance = line.starts_with("ip ospf6 instance-id");
            let number = if is_instance { number + 70 } else { number };
            let line = line.replace('N', &number.to_string());
            let line = line.replace(" A ", &format!(" {area} "));
            let line = line.strip_suffix(" A").map_or(line.clone(), |line| format!("{line} {area}"));
            let line = if negated { format!("no {line}") } else { line };
            let mut context = Context::default();
            engine.configure(&mut context, header).expect("a block is entered");
            // Some are refused because of what was said before.
            taken += usize::from(engine.configure(&mut context, &line).is_ok());
        }
        let settings = Settings::clone(engine.running());
        check_round_trip(&engine, &settings).map_err(TestCaseError::fail)?;
        prop_assert!(taken > 0 || settings == *engine.running().clone());
    }
}

/// The lines of the property are lines of the daemon, all of them.
#[test]
fn every_line_that_is_typed_is_known() {
    for (header, table) in &*BLOCKS {
        let mut engine = engine();
        for line in table {
            engine.commit(Settings::default());
            let mut context = Context::default();
            engine.configure(&mut context, header).unwrap();
            let number = if line.starts_with("ip ospf6 instance-id") { "70" } else { "5" };
            let line = line.replace('N', number);
            let line = line.replace(" A ", " 1 ");
            let line = line.strip_suffix(" A").map_or(line.clone(), |line| format!("{line} 1"));
            if line.contains("nssa range") {
                engine.configure(&mut context, "area 1 nssa").unwrap();
            }
            engine
                .configure(&mut context, &line)
                .unwrap_or_else(|error| panic!("{header}: {line}: {error:?}"));
        }
    }
}

/// What a block cannot say because of another is refused in FRR's words.
#[test]
fn lines_that_contradict_others_are_refused() {
    let refusal = |before: &str, header: &str, line: &str| {
        let mut engine = engine();
        let settings = engine.load(Settings::default(), &numbered(before)).expect("a configuration");
        engine.commit(settings);
        let mut context = Context::default();
        engine.configure(&mut context, header).expect("a block is entered");
        engine.configure(&mut context, line).err().map(|error| error.to_string()).unwrap_or_default()
    };
    let network = "router ospf\n network 10.0.0.0/8 area 0\nexit\n";
    let area = "interface e0\n ip ospf area 0\nexit\n";
    let said = refusal(network, "interface e0", "ip ospf area 0");
    assert!(said.contains("Please remove all network commands first."), "{said}");
    let said = refusal(area, "router ospf", "network 10.0.0.0/8 area 0");
    assert!(said.contains("Please remove all ip ospf area x.x.x.x commands first."), "{said}");
    // Other instances and VRFs are none of its business.
    assert_eq!(refusal(network, "interface e0", "ip ospf 3 area 0"), "");
    assert_eq!(refusal(area, "router ospf vrf RED", "network 10.0.0.0/8 area 0"), "");
    let said = refusal("", "router ospf", "redistribute ospf 3");
    assert!(said.contains("non-instanced"), "{said}");
    let said = refusal("", "router ospf 3", "redistribute ospf 3");
    assert!(said.contains("Same instance"), "{said}");
    assert_eq!(refusal("", "router ospf 3", "redistribute ospf 4 metric 7"), "");
}
