//! Lines about the whole router: forwarding, and how long a dead client's routes stay.

use ferrite_cli::node::CONFIG;
use ferrite_cli::{Mount, Negation, Registry, Setting};

use super::HEADER;
use crate::settings::{DEFAULT_AUDIT, DEFAULT_HOLD, Settings};

static SETTINGS: &[Setting<Settings>] = &[
    Setting {
        syntax: "ip forwarding",
        help: &["IP information", "Turn on IP forwarding"],
        no: Negation::Derived,
        set: |s, _| {
            s.ipv4_forwarding = Some(true);
            Ok(())
        },
        unset: |s, _| {
            s.ipv4_forwarding = Some(false);
            Ok(())
        },
        render: |s, lines| match s.ipv4_forwarding {
            Some(true) => lines.line("ip forwarding"),
            Some(false) => lines.line("no ip forwarding"),
            None => {}
        },
        examples: &["ip forwarding", "no ip forwarding"],
    },
    Setting {
        syntax: "ipv6 forwarding",
        help: &["IPv6 information", "Doing IPv6 forwarding"],
        no: Negation::Derived,
        set: |s, _| {
            s.ipv6_forwarding = Some(true);
            Ok(())
        },
        unset: |s, _| {
            s.ipv6_forwarding = Some(false);
            Ok(())
        },
        render: |s, lines| match s.ipv6_forwarding {
            Some(true) => lines.line("ipv6 forwarding"),
            Some(false) => lines.line("no ipv6 forwarding"),
            None => {}
        },
        examples: &["ipv6 forwarding", "no ipv6 forwarding"],
    },
    // Ours: FRR removes a client's routes at once.
    Setting {
        syntax: "zebra client-hold-time (0-86400)$seconds",
        help: &["Zebra information", "Time for which routes of a client that died are kept", "Seconds"],
        no: Negation::Derived,
        set: |s, args| {
            s.hold_time = Some(args.parse("seconds")?).filter(|&time| time != DEFAULT_HOLD);
            Ok(())
        },
        unset: |s, _| {
            s.hold_time = None;
            Ok(())
        },
        render: |s, lines| {
            if let Some(time) = s.hold_time {
                lines.line(format!("zebra client-hold-time {time}"));
            }
        },
        examples: &["zebra client-hold-time 5"],
    },
    Setting {
        syntax: "zebra nexthop kernel enable",
        help: &[
            "Zebra information",
            "Nexthop configuration",
            "Configure use of kernel nexthops",
            "Enable kernel nexthops",
        ],
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
    Setting {
        syntax: "zebra nexthop-group keep (1-3600)$seconds",
        help: &[
            "Zebra information",
            "Nexthop-Group",
            "How long to keep nexthop-groups no longer in use",
            "Time in seconds from 1-3600",
        ],
        no: Negation::Derived,
        set: |s, args| {
            s.group_keep = Some(args.parse("seconds")?);
            Ok(())
        },
        unset: |s, _| {
            s.group_keep = None;
            Ok(())
        },
        render: |s, lines| {
            if let Some(seconds) = s.group_keep {
                lines.line(format!("zebra nexthop-group keep {seconds}"));
            }
        },
        examples: &["zebra nexthop-group keep 5"],
    },
    // Ours: FRR does not look again at what it once installed.
    Setting {
        syntax: "zebra fib audit-interval (0-86400)$seconds",
        help: &[
            "Zebra information",
            "Forwarding information base",
            "Time between two comparisons with the kernel's whole table",
            "Seconds; 0 is never",
        ],
        no: Negation::Derived,
        set: |s, args| {
            s.audit_interval = Some(args.parse("seconds")?).filter(|&time| time != DEFAULT_AUDIT);
            Ok(())
        },
        unset: |s, _| {
            s.audit_interval = None;
            Ok(())
        },
        render: |s, lines| {
            if let Some(time) = s.audit_interval {
                lines.line(format!("zebra fib audit-interval {time}"));
            }
        },
        examples: &["zebra fib audit-interval 0", "zebra fib audit-interval 60"],
    },
    // Ours: FRR has no way to keep a smaller table.
    Setting {
        syntax: "zebra fib compress",
        help: &[
            "Zebra information",
            "Forwarding information base",
            "Keep the smallest table in the kernel that decides as all routes do",
        ],
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
    Setting {
        syntax: "zebra fib limit (1-4294967295)$entries",
        help: &[
            "Zebra information",
            "Forwarding information base",
            "Most entries that the kernel's tables may have",
            "Entries of all tables",
        ],
        no: Negation::Derived,
        set: |s, args| {
            s.fib_limit = Some(args.parse("entries")?);
            Ok(())
        },
        unset: |s, _| {
            s.fib_limit = None;
            Ok(())
        },
        render: |s, lines| {
            if let Some(limit) = s.fib_limit {
                lines.line(format!("zebra fib limit {limit}"));
            }
        },
        examples: &["zebra fib limit 100000"],
    },
    Setting {
        syntax: "zebra fib share <static|rip|ripng|ospf|ospf6|isis|bgp|table>$protocol percent (1-100)$percent",
        help: &[
            "Zebra information",
            "Forwarding information base",
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
        no: Negation::Derived,
        set: |s, args| {
            s.fib_shares.insert(args.parse("protocol")?, args.parse("percent")?);
            Ok(())
        },
        unset: |s, args| {
            match args.get("protocol") {
                Some(_) => drop(s.fib_shares.remove(&args.parse("protocol")?)),
                None => s.fib_shares.clear(),
            }
            Ok(())
        },
        render: |s, lines| {
            for (protocol, percent) in &s.fib_shares {
                lines.line(format!("zebra fib share {protocol} percent {percent}"));
            }
        },
        examples: &["zebra fib share bgp percent 80"],
    },
    Setting {
        syntax: "zebra fib priority <rip|ripng|ospf|ospf6|isis|bgp|table>$protocol (1-255)$priority",
        help: &[
            "Zebra information",
            "Forwarding information base",
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
        no: Negation::Derived,
        set: |s, args| {
            s.fib_order.priorities.insert(args.parse("protocol")?, args.parse("priority")?);
            Ok(())
        },
        unset: |s, args| {
            match args.get("protocol") {
                Some(_) => drop(s.fib_order.priorities.remove(&args.parse("protocol")?)),
                None => s.fib_order.priorities.clear(),
            }
            Ok(())
        },
        render: |s, lines| {
            for (protocol, priority) in &s.fib_order.priorities {
                lines.line(format!("zebra fib priority {protocol} {priority}"));
            }
        },
        examples: &["zebra fib priority bgp 5"],
    },
    Setting {
        syntax: "zebra fib keep <A.B.C.D/M|X:X::X:X/M>$prefix",
        help: &[
            "Zebra information",
            "Forwarding information base",
            "Routes that are left out last where there is no room",
            "Of this network",
            "Of this network",
        ],
        no: Negation::Derived,
        set: |s, args| {
            s.fib_order.keep.insert(args.parse("prefix")?);
            Ok(())
        },
        unset: |s, args| {
            match args.get("prefix") {
                Some(_) => drop(s.fib_order.keep.remove(&args.parse("prefix")?)),
                None => s.fib_order.keep.clear(),
            }
            Ok(())
        },
        render: |s, lines| {
            for prefix in &s.fib_order.keep {
                lines.line(format!("zebra fib keep {prefix}"));
            }
        },
        examples: &["zebra fib keep 192.0.2.0/24", "zebra fib keep 2001:db8::/32"],
    },
];

pub fn register<H: 'static>(registry: &mut Registry<Settings, H>) {
    registry.mount(Mount::at(&CONFIG), SETTINGS, |settings, _, _| Ok(settings));
    registry.mount(Mount::at(&CONFIG), crate::fpm::settings::SETTINGS, |settings, _, _| Ok(settings));
    registry.renderer(HEADER, |settings, lines| {
        lines.settings(SETTINGS, settings);
        lines.settings(crate::fpm::settings::SETTINGS, settings);
    });
}
