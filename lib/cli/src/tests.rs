use crate::common::{Banner, CommonConfig, CommonExec, DaemonConfig, DebugFlag, LogLevel};
use crate::node::{CONFIG, ENABLE, INTERFACE, VIEW};
use crate::*;

#[derive(Clone, PartialEq, Default, Debug)]
struct Config {
    common: CommonConfig,
    routers: Vec<Router>,
    descriptions: Vec<(String, Option<String>)>,
}

#[derive(Clone, PartialEq, Default, Debug)]
struct Router {
    asn: u32,
    neighbors: Vec<(String, u32, Option<String>)>,
    networks: Vec<String>,
}

impl DaemonConfig for Config {
    fn common(&self) -> &CommonConfig {
        &self.common
    }
    fn common_mut(&mut self) -> &mut CommonConfig {
        &mut self.common
    }
}

static ROUTER: Node = Node {
    name: "router",
    prompt: "config-router",
    parent: Some(&CONFIG),
    exit: "exit",
    order: node::order::ROUTER,
};
static FAMILY: Node = Node {
    name: "router-ipv4",
    prompt: "config-router-af",
    parent: Some(&ROUTER),
    exit: "exit-address-family",
    order: node::order::ROUTER,
};

static NEIGHBOR: &[Setting<(String, u32, Option<String>)>] = &[Setting {
    syntax: "description LINE...",
    help: &["Neighbor specific description", "Up to 80 characters describing this neighbor"],
    no: Negation::Derived,
    set: |neighbor, args| {
        neighbor.2 = args.get("LINE").map(str::to_owned);
        Ok(())
    },
    unset: |neighbor, _| {
        neighbor.2 = None;
        Ok(())
    },
    render: |neighbor, lines| {
        if let Some(text) = &neighbor.2 {
            lines.line(format!("description {text}"));
        }
    },
    examples: &["description to the north"],
}];

fn router<'c>(config: &'c mut Config, context: &Context) -> Result<&'c mut Router, CliError> {
    let asn: u32 = context.args(&ROUTER).ok_or(CliError::Unknown)?.parse("ASNUM")?;
    config
        .routers
        .iter_mut()
        .find(|router| router.asn == asn)
        .ok_or_else(|| CliError::refused("No such router"))
}

static DEBUGS: &[DebugFlag] = &[DebugFlag {
    line: "debug test updates",
    help: &["Debugging functions", "Test", "Updates"],
    text: "Test updates debugging is on",
    target: "test::updates",
}];

fn registry() -> Registry<Config, &'static str> {
    let mut registry = Registry::new();
    registry.common_commands();
    registry.debug_flags(DEBUGS);
    registry.command(
        ConfigCommand::new(
            &[&CONFIG],
            "router bgp ASNUM",
            &["Router", "BGP", "AS number"],
            |c: &mut Config, edit| {
                let asn = edit.args.parse("ASNUM")?;
                c.routers.retain(|router| !edit.negated || router.asn != asn);
                if !edit.negated && !c.routers.iter().any(|router| router.asn == asn) {
                    c.routers.push(Router { asn, ..Router::default() });
                }
                Ok(())
            },
        )
        .enters(&ROUTER)
        .example("router bgp 65001"),
    );
    registry.command(
        ConfigCommand::new(
            &[&ROUTER],
            "neighbor <A.B.C.D|X:X::X:X|WORD>$neighbor remote-as <ASNUM|internal|external>$as",
            &["Neighbor", "Address", "Address", "Tag", "Remote AS", "AS number", "Internal", "External"],
            |c: &mut Config, edit| {
                let router = router(c, edit.context)?;
                let name = edit.args.get("neighbor").unwrap_or_default().to_owned();
                router.neighbors.retain(|known| known.0 != name);
                if !edit.negated {
                    router.neighbors.push((name, edit.args.parse("as")?, None));
                }
                Ok(())
            },
        )
        .example("neighbor 10.0.0.1 remote-as 65002"),
    );
    registry.mount(
        Mount::at(&ROUTER)
            .prefix("neighbor <A.B.C.D|X:X::X:X|WORD>$neighbor", &["Neighbor", "Address", "Address", "Tag"])
            .example("neighbor 10.0.0.1", &["neighbor 10.0.0.1 remote-as 65002"]),
        NEIGHBOR,
        |c: &mut Config, context, args| {
            let name = args.get("neighbor").unwrap_or_default();
            let found = router(c, context)?.neighbors.iter_mut().find(|neighbor| neighbor.0 == name);
            found.ok_or_else(|| CliError::refused("Specify remote-as or peer-group commands first"))
        },
    );
    registry.command(
        ConfigCommand::new(
            &[&ROUTER],
            "address-family ipv4 [unicast]",
            &["Address family", "IPv4", "Unicast"],
            |_: &mut Config, _| Ok(()),
        )
        .no(Negation::Never)
        .enters(&FAMILY)
        .way("address-family ipv4 unicast"),
    );
    registry.command(
        ConfigCommand::new(
            &[&FAMILY],
            "network A.B.C.D/M",
            &["Network", "Prefix"],
            |c: &mut Config, edit| {
                let network = edit.args.get("A.B.C.D/M").unwrap_or_default().to_owned();
                let networks = &mut router(c, edit.context)?.networks;
                networks.retain(|known| *known != network);
                if !edit.negated {
                    networks.push(network);
                }
                Ok(())
            },
        )
        .example("network 10.0.0.0/8"),
    );
    registry.command(
        ConfigCommand::new(&[&CONFIG], "interface IFNAME", &["Interface", "Name"], |c: &mut Config, edit| {
            let name = edit.args.get("IFNAME").unwrap_or_default();
            c.descriptions.retain(|known| !edit.negated || known.0 != name);
            if !edit.negated && !c.descriptions.iter().any(|known| known.0 == name) {
                c.descriptions.push((name.to_owned(), None));
            }
            Ok(())
        })
        .enters(&INTERFACE)
        .example("interface lo"),
    );
    registry.renderer(node::order::INTERFACE, |c: &Config, lines| {
        for (name, _) in &c.descriptions {
            lines.section(format!("interface {name}"), &INTERFACE, |_| {});
        }
    });
    registry.renderer(node::order::ROUTER, |c: &Config, lines| {
        for router in &c.routers {
            lines.section(format!("router bgp {}", router.asn), &ROUTER, |lines| {
                for neighbor in &router.neighbors {
                    lines.line(format!("neighbor {} remote-as {}", neighbor.0, neighbor.1));
                    lines
                        .with_prefix(&format!("neighbor {}", neighbor.0), |l| l.settings(NEIGHBOR, neighbor));
                }
                lines.section_if_any("address-family ipv4 unicast", &FAMILY, |lines| {
                    router.networks.iter().for_each(|network| lines.line(format!("network {network}")));
                });
            });
        }
    });
    let show = "show bgp [ipv4 [unicast]] <summary$summary|A.B.C.D$address|neighbors [WORD$peer]> [{json$json|wide}]";
    let help = &["Show", "BGP", "v4", "Unicast", "Summary", "Address", "Neighbors", "Peer", "JSON", "Wide"];
    registry.exec(ExecCommand::new(show, help, "show-bgp"));
    registry.exec(ExecCommand::new(
        "show bgp regexp LINE...",
        &["Show", "BGP", "Regexp", "Text"],
        "show-regexp",
    ));
    registry.exec(ExecCommand::new("show tie <unicast|unknown>", &["Show", "Tie", "One", "Other"], "tie"));
    registry.exec(ExecCommand::new("clear bgp *", &["Clear", "BGP", "All"], "clear").privileged());
    registry
        .exec(ExecCommand::new("set community AA:NN...", &["Set", "Community", "Value"], "set").privileged());
    registry
}

fn engine() -> Engine<Config, &'static str> {
    Engine::new(registry())
}

const TEXT: &str = "\
hostname r1
log file /tmp/x.log
!
debug test updates
!
interface lo
exit
!
router bgp 65001
 neighbor 10.0.0.2 remote-as 65002
 neighbor 10.0.0.2 description a b
 !
 address-family ipv4 unicast
  network 10.0.0.0/24
 exit-address-family
exit
!
line vty
 exec-timeout 5 0
exit
!
";

#[test]
fn the_registry_has_no_fault() {
    assert_eq!(check_registry(registry), Ok(()));
}

#[test]
fn a_configuration_renders_as_frr_writes_it() {
    let engine = engine();
    let config = engine.load(Config::default(), &numbered(TEXT)).unwrap();
    assert_eq!(config.common.log.file, Some(("/tmp/x.log".into(), LogLevel::Debugging)));
    assert_eq!(engine.render_text(&config), TEXT);
}

#[test]
fn a_line_that_the_node_does_not_know_is_asked_of_its_parents() {
    let text = "router bgp 1\naddress-family ipv4 unicast\nnetwork 10.0.0.0/8\nneighbor 1.1.1.1 remote-as 2\n\
                hostname x\nrouter bgp 1\nneighbor 1.1.1.2 remote-as 3\nend\nbanner motd line hi";
    let config = engine().load(Config::default(), &numbered(text)).unwrap();
    assert_eq!(config.routers[0].neighbors.len(), 2);
    assert_eq!(config.routers[0].networks.len(), 1);
    assert_eq!(config.common.banner, Banner::Line("hi".into()));
}

#[test]
fn every_error_of_a_file_is_told_with_its_place() {
    let text = "router bgp 65001\n neighbour 1.2.3.4 remote-as 3\n neighbor 1.1.1.1 remote-as\n!\nfoo bar\n";
    let errors = engine().load(Config::default(), &numbered(text)).unwrap_err();
    let places: Vec<_> = errors.iter().map(|e| (e.line, e.column, e.kind.clone())).collect();
    assert_eq!(places, [(2, 2, CliError::Unknown), (3, 28, CliError::Incomplete), (5, 1, CliError::Unknown)]);
    assert_eq!(errors[1].expected, ["ASNUM", "external", "internal"]);
    assert_eq!(
        errors[1].to_string(),
        "line 3: % Command incomplete: neighbor 1.1.1.1 remote-as\n  column 28, expected ASNUM, external, internal"
    );
}

#[test]
fn what_stands_in_an_unknown_block_is_not_told_line_by_line() {
    let text = "unknown block\n inner one\n  deeper\n exit\nanother\nhostname x\n third\n";
    let errors = engine().load(Config::default(), &numbered(text)).unwrap_err();
    assert_eq!(errors.iter().map(|error| error.line).collect::<Vec<_>>(), [1, 5, 7]);
}

#[test]
fn a_block_that_is_not_supported_is_told_by_its_header_alone() {
    let mut registry = registry();
    registry.refuse_on(&[&ROUTER], "address-family l2vpn evpn");
    let engine = Engine::new(registry);
    let text = [
        "router bgp 1",
        " address-family l2vpn evpn",
        "  advertise-all-vni",
        " !",
        "  exit",
        " exit-address-family",
        " neighbor 1.2.3.4 remote-as 3",
        "exit",
        "hostname",
    ]
    .join("\n");
    let errors = engine.load(Config::default(), &numbered(&text)).unwrap_err();
    let told: Vec<(u32, String)> = errors.iter().map(|error| (error.line, error.kind.to_string())).collect();
    let evpn = "% address-family l2vpn evpn is not supported by this version";
    assert_eq!(told, [(2, evpn.to_owned()), (9, "% Command incomplete".to_owned())]);
}

#[test]
fn one_declaration_in_other_words_is_another_line() {
    let mut registry = registry();
    let own = |words| {
        let help = ["Of IPv6", "A number", "Number"];
        let line =
            ConfigCommand::new(&[&CONFIG], "six number (1-9)$n", &help, |config: &mut Config, line| {
                config.common.banner =
                    if line.negated { Banner::default() } else { Banner::Line(line.args.line()) };
                Ok(())
            });
        line.no(Negation::Syntax("no six number [(1-9)$n]")).reworded(words)
    };
    registry.command(own(&[]));
    registry.command(own(&[("six", "four"), ("IPv6", "IPv4"), ("(1-9)", "(5-9)")]));
    assert_eq!(registry.faults, Vec::<String>::new());
    let engine = Engine::new(registry);
    let load = |text: &str| engine.load(Config::default(), &numbered(text));
    let said = |text: &str| load(text).map(|config| config.common.banner).ok();
    assert_eq!(said("six number 3"), Some(Banner::Line("six number 3".into())));
    assert_eq!(said("four number 7"), Some(Banner::Line("four number 7".into())));
    assert_eq!(said("four number 3"), None);
    assert_eq!(said("four number 7\nno four number"), Some(Banner::default()));
}

#[test]
fn of_keywords_that_differ_in_a_number_at_the_end_the_shorter_is_abbreviated() {
    let mut registry = registry();
    for syntax in ["show ospf6 tree", "show ospf6 route", "show ospf route", "show ospx route"] {
        registry.exec(ExecCommand::new(syntax, &["x"; 3], "show"));
    }
    let engine = Engine::new(registry);
    let line = |text: &str| match engine.exec(&ENABLE, text) {
        Ok(Outcome::Exec { args, .. }) => Ok(args.line()),
        Ok(_) => panic!("{text} is no handler"),
        Err(error) => Err(error.kind),
    };
    assert_eq!(line("show ospf r"), Ok("show ospf route".into()));
    assert_eq!(line("show osp t"), Ok("show ospf6 tree".into()));
    assert_eq!(line("show ospf6 r"), Ok("show ospf6 route".into()));
    assert_eq!(line("show osp r"), Err(CliError::Ambiguous), "ospf or ospx");
    let mut registry = self::registry();
    for syntax in ["show ospf6 route", "show ospf route"] {
        registry.exec(ExecCommand::new(syntax, &["x"; 3], "show"));
    }
    let engine = Engine::new(registry);
    let Ok(Outcome::Exec { args, .. }) = engine.exec(&ENABLE, "sh o r") else { panic!("no handler") };
    assert_eq!(args.line(), "show ospf route");
}

#[test]
fn lines_are_found_by_the_best_reading() {
    let engine = engine();
    let handler = |line: &str| match engine.exec(&ENABLE, line) {
        Ok(Outcome::Exec { handler, args, .. }) => Ok((handler, args)),
        Ok(_) => panic!("{line} is no handler"),
        Err(error) => Err(error.kind),
    };
    let (_, args) = handler("sh bg sum js").unwrap();
    assert!(args.has("json") && args.has("summary") && !args.has("address"));
    assert_eq!(args.line(), "show bgp summary json");
    let (_, args) = handler("show bgp neighbors js").unwrap();
    assert_eq!(args.get("peer"), None, "an abbreviated keyword comes before any word");
    let (_, args) = handler("show bgp ipv4 uni 10.0.0.1 wide json").unwrap();
    assert_eq!(args.ipv4("address"), Ok("10.0.0.1".parse().unwrap()));
    assert!(args.has("wide") && args.has("json"));
    assert_eq!(handler("show bgp summary json json").unwrap_err(), CliError::Unknown);
    assert_eq!(handler("show bgp").unwrap_err(), CliError::Incomplete);
    assert_eq!(handler("show tie un").unwrap_err(), CliError::Ambiguous, "unicast or unknown");
    assert!(handler("show tie uni").is_ok());
    assert_eq!(handler("show bgp 10.0.0").unwrap_err(), CliError::Unknown);
    assert_eq!(handler("show bgp regexp ^1  2$").unwrap().1.get("LINE"), Some("^1 2$"));
    let (_, args) = handler("set community 1:2 3:4").unwrap();
    assert_eq!(args.all("AA:NN").collect::<Vec<_>>(), ["1:2", "3:4"]);
    assert!(engine.exec(&VIEW, "clear bgp *").is_err());
    assert!(matches!(engine.exec(&VIEW, "show vers"), Ok(Outcome::Common { what: CommonExec::Version, .. })));
    assert!(matches!(engine.exec(&VIEW, "! show"), Ok(Outcome::Nothing)));
}

#[test]
fn help_lists_what_may_follow() {
    let engine = engine();
    let texts = |line: &str| engine.help(&ENABLE, line).into_iter().map(|c| c.text).collect::<Vec<_>>();
    assert_eq!(texts("show bgp "), ["A.B.C.D", "ipv4", "neighbors", "regexp", "summary"]);
    assert_eq!(texts("show bgp s"), ["summary"]);
    assert_eq!(texts("show bgp summary "), ["json", "wide", "<cr>"]);
    assert_eq!(texts("show bgp summary json "), ["wide", "<cr>"]);
    assert_eq!(texts("show bgp neighbors "), ["WORD", "json", "wide", "<cr>"]);
    assert_eq!(texts("show bgp 10."), ["A.B.C.D"]);
    assert_eq!(texts("show nothing "), Vec::<String>::new());
}

#[test]
fn no_takes_the_command_with_or_without_its_value() {
    let mut engine = engine();
    let mut context = Context::default();
    for line in ["router bgp 65001", "neighbor 10.0.0.2 remote-as 65002", "neighbor 10.0.0.2 desc x"] {
        engine.configure(&mut context, line).unwrap();
    }
    assert_eq!(context.lines(), ["router bgp 65001"]);
    engine.configure(&mut context, "no neighbor 10.0.0.2 description").unwrap();
    assert_eq!(engine.running().routers[0].neighbors[0].2, None);
    engine.configure(&mut context, "no neighbor 10.0.0.2 remote-as 65002").unwrap();
    assert!(engine.running().routers[0].neighbors.is_empty());
    let refused = engine.configure(&mut context, "neighbor 10.0.0.2 desc x").unwrap_err();
    assert_eq!(refused.kind.to_string(), "% Specify remote-as or peer-group commands first");
    assert!(matches!(engine.configure(&mut context, "exit"), Ok(Outcome::Configured { entered: None, .. })));
    assert_eq!(context.node(), &CONFIG);
}

#[test]
fn earlier_configurations_are_kept() {
    let mut engine = engine();
    let mut context = Context::default();
    let host =
        |config: Option<&std::sync::Arc<Config>>| config.unwrap().common.hostname.clone().unwrap_or_default();
    engine.commit(engine.load(Config::default(), &numbered("hostname a")).unwrap());
    engine.configure(&mut context, "hostname b").unwrap();
    engine.configure(&mut context, "hostname c").unwrap();
    assert_eq!(host(engine.earlier(1)), "a", "lines in a row are one step");
    assert!(engine.commit(Config::clone(engine.running())).is_none());
    assert_eq!((host(engine.earlier(1)), host(engine.earlier(2))), ("c".into(), "a".into()));
    assert!(engine.earlier(4).is_none() && engine.earlier(0).is_none());
}

#[test]
fn a_pair_of_commands_that_reads_the_same_is_found() {
    let mut registry: Registry<Config, ()> = Registry::new();
    let help = &["Show", "Thing", "Name"];
    registry.exec(ExecCommand::new("show thing WORD", help, ()));
    registry.exec(ExecCommand::new("show thing NAME", help, ()));
    let graph = registry.graph(&ENABLE).unwrap();
    assert!(graph.find(&words("show thing x")).is_ok_and(|found| found.commands.len() == 2));
    let make = || {
        let mut registry: Registry<Config, ()> = Registry::new();
        registry.exec(ExecCommand::new("show thing WORD", help, ()));
        registry.exec(ExecCommand::new("show thing NAME", help, ()));
        registry
    };
    let faults = check_registry(make).unwrap_err();
    assert!(faults[0].contains("ambiguous"), "{faults:?}");
}

#[test]
fn trees_of_several_daemons_merge_and_differ_by_line() {
    let engine = engine();
    let tree =
        |text: &str| engine.registry().render(&engine.load(Config::default(), &numbered(text)).unwrap());
    let mut one = tree("hostname r1\ninterface lo\nexit\nrouter bgp 1\nneighbor 1.1.1.1 remote-as 2");
    let two = tree("hostname r1\nrouter bgp 1\nneighbor 1.1.1.2 remote-as 2");
    let changes = lines::diff(&one, &two);
    let told: Vec<_> = changes.iter().map(|c| (c.added, c.context.len(), c.line.as_str())).collect();
    assert_eq!(
        told,
        [
            (false, 0, "interface lo"),
            (false, 1, "neighbor 1.1.1.1 remote-as 2"),
            (true, 1, "neighbor 1.1.1.2 remote-as 2")
        ]
    );
    lines::merge(&mut one, two);
    assert_eq!(
        lines::print(&one),
        "hostname r1\n!\ninterface lo\nexit\n!\nrouter bgp 1\n neighbor 1.1.1.1 remote-as 2\n \
         neighbor 1.1.1.2 remote-as 2\nexit\n!\n"
    );
}

#[test]
fn a_line_made_to_branch_without_end_comes_to_an_end() {
    let mut registry: Registry<Config, ()> = Registry::new();
    let syntax = "x {[WORD]|[A.B.C.D]|[NAME]|[TAG]|[OTHER]|[MORE]|[LAST]|[AND]|[SOME]}...";
    registry.exec(ExecCommand::new(syntax, &["x"; 10], ()));
    let engine = Engine::new(registry);
    let line = format!("x {}", "1.1.1.1 ".repeat(60));
    let _ = engine.exec(&ENABLE, &line);
    let _ = engine.help(&ENABLE, &line);
}

#[test]
fn forty_thousand_lines_load_in_a_moment() {
    let mut text = String::from("router bgp 65001\naddress-family ipv4 unicast\n");
    for n in 0..2000 {
        text.push_str(&format!("network 10.{}.{}.0/24\n", n / 256, n % 256));
    }
    text.push_str(&"hostname some-name\n".repeat(38_000));
    let start = std::time::Instant::now();
    engine().load(Config::default(), &numbered(&text)).unwrap();
    // Generous: the test also runs unoptimised on a busy machine.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn what_is_debugged_is_shown_by_protocol() {
    let flag = |line, text| DebugFlag { line, help: &[], text, target: line };
    let flags = [
        flag("debug ospf event", "OSPF event debugging is on"),
        flag("debug ospf6 abr", "debug ospf6 abr"),
        flag("debug ospf6 asbr", "debug ospf6 asbr"),
    ];
    let all = crate::common::debugging("ospfd", flags.iter(), |flag| flag.line != "debug ospf6 asbr");
    let expected = "OSPF debugging status:\n  OSPF event debugging is on\n\n\
                    OSPF6 debugging status:\ndebug ospf6 abr\n\n";
    assert_eq!(all, expected);
    let none = crate::common::debugging("bgpd", [].iter(), |_| true);
    assert_eq!(none, "BGP debugging status:\n\n");
}
