//! zebra's configuration lines: FRR's syntax for what [`Settings`] holds, a file per topic. A line edits the value and
//! nothing else.

use ferrite_cli::common::DebugFlag;
use ferrite_cli::node::{VRF, order};
use ferrite_cli::{CliError, Context, Registry};
use ferrite_policy::commands::{Access, Scope};

use crate::settings::{DEFAULT_VRF_NAME, Settings, VrfSettings};

mod global;
mod import;
mod interface;
mod mpls;
mod nd;
pub(crate) mod nexthop_group;
mod protocol;
pub(crate) mod srv6;
mod statics;
pub(crate) mod vrf;

/// What `debug` can switch on; the targets are the modules whose log lines it lets through.
static DEBUG: &[DebugFlag] = &[
    DebugFlag {
        line: "debug zebra events",
        help: &["Debugging functions", "Zebra configuration", "Debug option set for zebra events"],
        text: "Zebra event debugging is on",
        target: "zebra::events",
    },
    DebugFlag {
        line: "debug zebra kernel",
        help: &[
            "Debugging functions",
            "Zebra configuration",
            "Debug option set for zebra between kernel interface",
        ],
        text: "Zebra kernel debugging is on",
        target: "zebra::kernel",
    },
    DebugFlag {
        line: "debug zebra rib",
        help: &["Debugging functions", "Zebra configuration", "Debug RIB events"],
        text: "Zebra RIB debugging is on",
        target: "zebra::rib",
    },
    DebugFlag {
        line: "debug zebra nht",
        help: &["Debugging functions", "Zebra configuration", "Debug option set for zebra next hop tracking"],
        text: "Zebra next-hop tracking debugging is on",
        target: "zebra::nht",
    },
    DebugFlag {
        line: "debug zebra mpls",
        help: &["Debugging functions", "Zebra configuration", "Debug option set for zebra MPLS LSPs"],
        text: "Zebra MPLS debugging is on",
        target: "zebra::mpls",
    },
    DebugFlag {
        line: "debug zebra packet",
        help: &["Debugging functions", "Zebra configuration", "Debug option set for zebra packet"],
        text: "Zebra packet debugging is on",
        target: "zebra::packet",
    },
];

/// Every configuration command of zebra; `netns`: VRFs are namespaces.
pub fn register<H: 'static>(registry: &mut Registry<Settings, H>, netns: bool) {
    registry.common_commands();
    registry.debug_flags(DEBUG);
    global::register(registry);
    import::register(registry);
    vrf::register(registry);
    statics::register(registry);
    protocol::register(registry);
    mpls::register(registry);
    interface::register(registry, netns);
    nexthop_group::register(registry);
    srv6::register(registry);
    let access = Access { get: |s: &Settings| &s.policy, get_mut: |s: &mut Settings| &mut s.policy };
    ferrite_policy::commands::register(registry, Scope::Zebra, access);
}

/// The VRF that a line is about: that of its node, else the default one.
fn vrf_of<'c>(settings: &'c mut Settings, context: &Context) -> Result<&'c mut VrfSettings, CliError> {
    let name = match context.args(&VRF) {
        Some(args) => args.get("NAME").unwrap_or(DEFAULT_VRF_NAME).to_owned(),
        None => DEFAULT_VRF_NAME.to_owned(),
    };
    Ok(settings.vrfs.entry(name).or_default())
}

/// Removes what no longer says anything, so that a line and its `no` leave nothing behind.
fn tidy(settings: &mut Settings) {
    settings.vrfs.retain(|name, vrf| name != DEFAULT_VRF_NAME || *vrf != VrfSettings::default());
}

/// Places of our lines.
const STATIC: u16 = order::STATIC;
const HEADER: u16 = order::HEADER;

#[cfg(test)]
mod tests {
    #[test]
    fn every_command_holds_what_it_declares() {
        if let Err(faults) = ferrite_cli::check_registry(crate::registry) {
            panic!("{}", faults.join("\n"));
        }
    }

    #[test]
    fn a_static_route_is_removed_by_any_way_of_naming_its_next_hop() {
        use ferrite_cli::{Context, Engine};
        let mut engine = Engine::new(crate::registry());
        for (add, remove) in [
            ("ip route 192.0.2.0/24 10.0.0.2", "no ip route 192.0.2.0/24 10.0.0.2"),
            ("ip route 192.0.2.0/24 10.0.0.2 20", "no ip route 192.0.2.0/24 10.0.0.2 20"),
            ("ip route 192.0.2.0/24 10.0.0.2 eth0", "no ip route 192.0.2.0/24 10.0.0.2 eth0"),
            ("ip route 192.0.2.0/24 eth0", "no ip route 192.0.2.0/24 eth0"),
            ("ip route 192.0.2.0/24 blackhole", "no ip route 192.0.2.0/24 blackhole"),
            ("ipv6 route 2001:db8::/32 fe80::1 eth0", "no ipv6 route 2001:db8::/32 fe80::1 eth0"),
        ] {
            let before = engine.running().clone();
            let mut context = Context::default();
            engine.configure(&mut context, add).unwrap_or_else(|error| panic!("{add}: {error:?}"));
            assert_ne!(*engine.running(), before, "{add}");
            engine.configure(&mut context, remove).unwrap_or_else(|error| panic!("{remove}: {error:?}"));
            assert_eq!(*engine.running(), before, "{remove}");
        }
    }
}
