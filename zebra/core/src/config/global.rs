//! Lines about the whole router: forwarding, how long a dead client's routes stay, and the kernel's tables.

use ferrite_cli::node::CONFIG;
use ferrite_cli::{Mount, Negation, Registry, Setting};

use super::HEADER;
use crate::settings::{DEFAULT_AUDIT, DEFAULT_HOLD, Settings};

const ZEBRA: &str = "Zebra information";
const FIB: &str = "Forwarding information base";

/// A switch of the kernel: on, off, or left alone.
macro_rules! forwarding {
    ($line:literal, $field:ident, $help:expr) => {
        Setting {
            syntax: $line,
            help: $help,
            no: Negation::Derived,
            set: |s, _| {
                s.$field = Some(true);
                Ok(())
            },
            unset: |s, _| {
                s.$field = Some(false);
                Ok(())
            },
            render: |s, lines| match s.$field {
                Some(true) => lines.line($line),
                Some(false) => lines.line(concat!("no ", $line)),
                None => {}
            },
            examples: &[$line, concat!("no ", $line)],
        }
    };
}

/// A number; what is the default, if there is one, is as if it were not said.
macro_rules! number {
    ($line:literal, $range:literal, $field:ident, $default:expr, $help:expr, $examples:expr) => {
        Setting {
            syntax: concat!($line, " ", $range, "$number"),
            help: $help,
            no: Negation::Derived,
            set: |s, args| {
                s.$field = Some(args.parse("number")?).filter(|&number| Some(number) != $default);
                Ok(())
            },
            unset: |s, _| {
                s.$field = None;
                Ok(())
            },
            render: |s, lines| {
                if let Some(number) = s.$field {
                    lines.line(format!(concat!($line, " {}"), number));
                }
            },
            examples: $examples,
        }
    };
}

/// Lines of which there may be many, each with a key; `no` without one takes all of them out.
macro_rules! many {
    ($syntax:literal, $help:expr, $($map:ident).+, $key:literal, $set:expr, $render:expr, $examples:expr) => {
        Setting {
            syntax: $syntax,
            help: $help,
            no: Negation::Derived,
            set: $set,
            unset: |s, args| {
                match args.get($key) {
                    Some(_) => drop(s.$($map).+.remove(&args.parse($key)?)),
                    None => s.$($map).+.clear(),
                }
                Ok(())
            },
            render: $render,
            examples: $examples,
        }
    };
}

static SETTINGS: &[Setting<Settings>] = &[
    forwarding!("ip forwarding", ipv4_forwarding, &["IP information", "Turn on IP forwarding"]),
    forwarding!("ipv6 forwarding", ipv6_forwarding, &["IPv6 information", "Doing IPv6 forwarding"]),
    // Ours: FRR removes a client's routes at once.
    number!(
        "zebra client-hold-time",
        "(0-86400)",
        hold_time,
        Some(DEFAULT_HOLD),
        &[ZEBRA, "Time for which routes of a client that died are kept", "Seconds"],
        &["zebra client-hold-time 5"]
    ),
    Setting {
        syntax: "zebra nexthop kernel enable",
        help: &[ZEBRA, "Nexthop configuration", "Configure use of kernel nexthops", "Enable kernel nexthops"],
        no: Negation::Derived,
        set: |s, _| {
            s.nexthop_objects = None;
            Ok(())
        },
        unset: |s, _| {
            s.nexthop_objects = Some(false);
            Ok(())
        },
        render: |s, lines| {
            if s.nexthop_objects == Some(false) {
                lines.line("no zebra nexthop kernel enable");
            }
        },
        examples: &["no zebra nexthop kernel enable"],
    },
    // FRR keeps groups for three minutes unless told otherwise; here they go with their last route.
    number!(
        "zebra nexthop-group keep",
        "(1-3600)",
        group_keep,
        None,
        &[
            ZEBRA,
            "Nexthop-Group",
            "How long to keep nexthop-groups no longer in use",
            "Time in seconds from 1-3600",
        ],
        &["zebra nexthop-group keep 5"]
    ),
    // Ours: FRR does not look again at what it once installed.
    number!(
        "zebra fib audit-interval",
        "(0-86400)",
        audit_interval,
        Some(DEFAULT_AUDIT),
        &[ZEBRA, FIB, "Time between two comparisons with the kernel's whole table", "Seconds; 0 is never"],
        &["zebra fib audit-interval 0", "zebra fib audit-interval 60"]
    ),
    // Ours: FRR has no way to keep a smaller table.
    Setting {
        syntax: "zebra fib compress",
        help: &[ZEBRA, FIB, "Keep the smallest table in the kernel that decides as all routes do"],
        no: Negation::Derived,
        set: |s, _| {
            s.fib_compress = true;
            Ok(())
        },
        unset: |s, _| {
            s.fib_compress = false;
            Ok(())
        },
        render: |s, lines| {
            if s.fib_compress {
                lines.line("zebra fib compress");
            }
        },
        examples: &["zebra fib compress"],
    },
    number!(
        "zebra fib limit",
        "(1-4294967295)",
        fib_limit,
        None,
        &[ZEBRA, FIB, "Most entries that the kernel's tables may have", "Entries of all tables"],
        &["zebra fib limit 100000"]
    ),
    many!(
        "zebra fib share <static|rip|ripng|ospf|ospf6|isis|bgp|table>$protocol percent (1-100)$percent",
        &[
            ZEBRA,
            FIB,
            "A protocol's part of the limit",
            "Static routes",
            "RIP",
            "RIPng",
            "OSPFv2",
            "OSPFv3",
            "IS-IS",
            "BGP",
            "Routes of other tables",
            "Hundredths of the limit",
            "Hundredths",
        ],
        fib_shares,
        "protocol",
        |s, args| {
            s.fib_shares.insert(args.parse("protocol")?, args.parse("percent")?);
            Ok(())
        },
        |s, lines| {
            for (protocol, percent) in &s.fib_shares {
                lines.line(format!("zebra fib share {protocol} percent {percent}"));
            }
        },
        &["zebra fib share bgp percent 80"]
    ),
    many!(
        "zebra fib priority <rip|ripng|ospf|ospf6|isis|bgp|table>$protocol (1-255)$priority",
        &[
            ZEBRA,
            FIB,
            "Which protocol's routes are left out first where there is no room",
            "RIP",
            "RIPng",
            "OSPFv2",
            "OSPFv3",
            "IS-IS",
            "BGP",
            "Routes of other tables",
            "Its default distance otherwise; the greatest is left out first",
        ],
        fib_order.priorities,
        "protocol",
        |s, args| {
            s.fib_order.priorities.insert(args.parse("protocol")?, args.parse("priority")?);
            Ok(())
        },
        |s, lines| {
            for (protocol, priority) in &s.fib_order.priorities {
                lines.line(format!("zebra fib priority {protocol} {priority}"));
            }
        },
        &["zebra fib priority bgp 5"]
    ),
    many!(
        "zebra fib keep <A.B.C.D/M|X:X::X:X/M>$prefix",
        &[
            ZEBRA,
            FIB,
            "Routes that are left out last where there is no room",
            "Of this network",
            "Of this network",
        ],
        fib_order.keep,
        "prefix",
        |s, args| {
            s.fib_order.keep.insert(args.parse("prefix")?);
            Ok(())
        },
        |s, lines| {
            for prefix in &s.fib_order.keep {
                lines.line(format!("zebra fib keep {prefix}"));
            }
        },
        &["zebra fib keep 192.0.2.0/24", "zebra fib keep 2001:db8::/32"]
    ),
];

pub fn register<H: 'static>(registry: &mut Registry<Settings, H>) {
    registry.mount(Mount::at(&CONFIG), SETTINGS, |settings, _, _| Ok(settings));
    registry.mount(Mount::at(&CONFIG), crate::fpm::settings::SETTINGS, |settings, _, _| Ok(settings));
    registry.renderer(HEADER, |settings, lines| {
        lines.settings(SETTINGS, settings);
        lines.settings(crate::fpm::settings::SETTINGS, settings);
    });
}
