//! The `nexthop-group` node: groups of next hops that an operator names, for daemons that steer by them (PBR). zebra
//! keeps them as FRR's do; a daemon's routes may lead through one by its name (`named.rs`), and what they then name in the kernel
//! is shown by `show nexthop-group rib`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ferrite_cli::node::{CONFIG, order};
use ferrite_cli::{
    Args, CliError, ConfigCommand, Context, Edit, Lines, Mount, Negation, Node, Registry, Setting,
};

use ferrite_types::Label;
use smallvec::SmallVec;

use super::statics::label_stack;
use crate::action::Resilience;
use crate::settings::Settings;

pub static NEXTHOP_GROUP: Node = Node {
    name: "nexthop-group",
    prompt: "config-nh-group",
    parent: Some(&CONFIG),
    exit: "exit",
    order: order::NEXTHOP_GROUP,
};

/// Groups by their names.
pub type NamedGroups = BTreeMap<String, NamedGroup>;

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NamedGroup {
    pub resilience: Option<Resilience>,
    /// The group whose members stand in for failed ones (`backup-idx`).
    pub backup: Option<String>,
    pub nexthops: BTreeMap<MemberKey, MemberTerms>,
}

/// What tells members apart, in FRR's order: what is not said comes last.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct MemberKey {
    pub addr: (bool, Option<IpAddr>),
    pub interface: (bool, Option<String>),
    pub vrf: (bool, Option<String>),
    pub onlink: bool,
    pub labels: Option<String>,
    vni: Option<u32>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MemberTerms {
    pub weight: Option<u8>,
    backup: Option<String>,
}

const NEXTHOP: &str = "Specify one of the nexthops in this ECMP group";
const OPTIONS: &str = "nexthop-vrf NAME$vrf|label WORD$labels|vni (1-16777215)$vni|weight (1-255)$weight|backup-idx (0-254)$backup";
const OPTIONS_HELP: [&str; 10] = [
    "If the nexthop is in a different vrf tell us",
    "The nexthop-vrf Name",
    "Specify label(s) for this nexthop",
    "One or more labels in the range (16-1048575) separated by '/'",
    "VXLAN network identifier",
    "VNI in the range 1-16777215",
    "Weight to be used by the nexthop for purposes of ECMP",
    "Weight value to be used",
    "Specify backup nexthop indexes in another group",
    "Nexthop index",
];

static SETTINGS: &[Setting<NamedGroup>] = &[
    Setting {
        syntax: "resilient buckets (1-256)$buckets idle-timer (1-4294967295)$idle unbalanced-timer (1-4294967295)$unbalanced",
        help: &[
            "A resilient Nexthop Group",
            "Buckets in the Hash for this Group",
            "Number of buckets",
            "The Idle timer for this Resilient Nexthop Group in seconds",
            "Number of seconds of Idle time",
            "The length of time that the Nexthop Group can be unbalanced",
            "Number of seconds of Unbalanced time",
        ],
        no: Negation::Derived,
        set: |group, args| {
            let (idle, unbalanced) = (args.parse("idle")?, args.parse("unbalanced")?);
            group.resilience = Some(Resilience { buckets: args.parse("buckets")?, idle, unbalanced });
            Ok(())
        },
        unset: |group, _| {
            group.resilience = None;
            Ok(())
        },
        render: |group, lines| {
            if let Some(Resilience { buckets, idle, unbalanced }) = group.resilience {
                let timers = format!("idle-timer {idle} unbalanced-timer {unbalanced}");
                lines.line(format!("resilient buckets {buckets} {timers}"));
            }
        },
        examples: &["resilient buckets 64 idle-timer 10 unbalanced-timer 20"],
    },
    Setting {
        syntax: "backup-group WORD$name",
        help: &["Specify a group name containing backup nexthops", "The name of the backup group"],
        no: Negation::Derived,
        set: |group, args| {
            group.backup = args.get("name").map(str::to_owned);
            Ok(())
        },
        unset: |group, _| {
            group.backup = None;
            Ok(())
        },
        render: |group, lines| {
            if let Some(name) = &group.backup {
                lines.line(format!("backup-group {name}"));
            }
        },
        examples: &["backup-group SPARE"],
    },
];

pub fn register<H: 'static>(registry: &mut Registry<Settings, H>) {
    registry.command(
        ConfigCommand::new(
            &[&CONFIG],
            "nexthop-group NAME",
            &["Enter into the nexthop-group submode", "Specify the NAME of the nexthop-group"],
            |settings: &mut Settings, edit: &Edit<'_>| {
                let name = edit.args.get("NAME").unwrap_or_default();
                if edit.negated {
                    settings.named_groups.remove(name);
                } else {
                    settings.named_groups.entry(name.to_owned()).or_default();
                }
                Ok(())
            },
        )
        .enters(&NEXTHOP_GROUP)
        .example("nexthop-group WEB"),
    );
    registry.mount(Mount::at(&NEXTHOP_GROUP), SETTINGS, |settings, context, _| group_of(settings, context));
    let gateway: [&str; 3] = [
        "IP gateway address",
        "IPv6 gateway address",
        "Treat the nexthop as directly attached to the interface",
    ];
    let forms: [(String, Vec<&'static str>, &[&str]); 2] = [
        (
            format!("nexthop <A.B.C.D|X:X::X:X>$addr [INTERFACE$interface [onlink$onlink]] [{{{OPTIONS}}}]"),
            vec![gateway[0], gateway[1], "Interface to use", gateway[2]],
            &[
                "nexthop 192.0.2.1",
                "nexthop 192.0.2.2 eth0 onlink weight 5",
                "nexthop 2001:db8::1 nexthop-vrf RED label 16/17 vni 100 backup-idx 0",
            ],
        ),
        (
            format!("nexthop INTERFACE$interface [{{{OPTIONS}}}]"),
            vec!["Interface to use"],
            &["nexthop eth0", "nexthop eth1 weight 2"],
        ),
    ];
    for (syntax, own, examples) in forms {
        let help: Vec<&'static str> = [NEXTHOP].into_iter().chain(own).chain(OPTIONS_HELP).collect();
        // `no` names the whole next hop, as for static routes.
        let mut no_help = vec!["Negate a command or set its defaults"];
        no_help.extend(&help);
        let remove = |settings: &mut Settings, given: &Edit<'_>| {
            member(settings, &Edit { negated: true, context: given.context, args: given.args })
        };
        let no = ConfigCommand::new(&[&NEXTHOP_GROUP], format!("no {syntax}"), &no_help, remove);
        registry.command(no.no(Negation::Never));
        let mut command = ConfigCommand::new(&[&NEXTHOP_GROUP], syntax, &help, member).no(Negation::Never);
        for example in examples {
            command = command.example(*example);
        }
        registry.command(command);
    }
    registry.renderer(order::NEXTHOP_GROUP, |settings: &Settings, lines| {
        for (name, group) in &settings.named_groups {
            lines.section(format!("nexthop-group {name}"), &NEXTHOP_GROUP, |lines| render(group, lines));
        }
    });
}

/// Labels as a member keeps them.
pub fn label_list(text: &str) -> SmallVec<[Label; 2]> {
    text.split('/').filter_map(|label| label.parse().ok().and_then(Label::new)).collect()
}

fn group_of<'s>(settings: &'s mut Settings, context: &Context) -> Result<&'s mut NamedGroup, CliError> {
    let name = context.args(&NEXTHOP_GROUP).and_then(|args| args.get("NAME")).unwrap_or_default();
    Ok(settings.named_groups.entry(name.to_owned()).or_default())
}

fn member(settings: &mut Settings, edit: &Edit<'_>) -> Result<(), CliError> {
    let args: &Args = edit.args;
    // Said last where it is not said: `false` sorts before `true`.
    let text = |name| {
        let value = args.get(name).map(str::to_owned);
        (value.is_none(), value)
    };
    let addr: Option<IpAddr> = args.parse_opt("addr")?;
    let labels = args.get("labels").map(label_stack).transpose()?;
    let labels = labels.map(|labels| labels.iter().map(ToString::to_string).collect::<Vec<_>>().join("/"));
    let key = MemberKey {
        vrf: text("vrf"),
        addr: (addr.is_none(), addr),
        interface: text("interface"),
        onlink: args.has("onlink"),
        labels,
        vni: args.parse_opt("vni")?,
    };
    let terms =
        MemberTerms { weight: args.parse_opt("weight")?, backup: args.get("backup").map(str::to_owned) };
    let group = group_of(settings, edit.context)?;
    if edit.negated {
        group.nexthops.remove(&key);
    } else {
        group.nexthops.insert(key, terms);
    }
    Ok(())
}

fn render(group: &NamedGroup, lines: &mut Lines) {
    lines.settings(SETTINGS, group);
    for (key, terms) in &group.nexthops {
        let mut line = "nexthop".to_owned();
        let mut word = |said: Option<String>| {
            if let Some(said) = said {
                line.push(' ');
                line.push_str(&said);
            }
        };
        word(key.addr.1.map(|addr| addr.to_string()));
        word(key.interface.1.clone());
        word(key.onlink.then(|| "onlink".to_owned()));
        word(key.vrf.1.as_ref().map(|vrf| format!("nexthop-vrf {vrf}")));
        word(key.labels.as_ref().map(|labels| format!("label {labels}")));
        word(key.vni.map(|vni| format!("vni {vni}")));
        word(terms.weight.map(|weight| format!("weight {weight}")));
        word(terms.backup.as_ref().map(|backup| format!("backup-idx {backup}")));
        lines.line(line);
    }
}
