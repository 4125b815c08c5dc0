//! Rows of sessions that only some neighbours have, and of `router bgp` that sessions depend on: roles (RFC 9234), round-trip
//! limits, dynamic neighbours, confederations (RFC 5065), capabilities, TCP. The tables of `session.rs` and `router.rs` name them
//! at their place in FRR's running configuration.

use std::collections::BTreeMap;
use std::fmt;

use bgp_packet::capability::Role;
use ferrite_cli::node::{CONFIG, order};
use ferrite_cli::{Args, CliError, ConfigCommand, Lines, Negation, Registry};
use ferrite_types::{Asn, Prefix};

use super::BgpConfig;
use super::peer::{No, PeerRow, flag};
use super::router::{RouterBgp, RouterRow};
use super::session::SessionSettings;
use super::types::{GroupName, SessionKind, WrittenAsn};

/// Most dynamic neighbours where nobody says otherwise.
pub const LISTEN_LIMIT: u16 = 100;
/// FRR's defaults of what is read and written at once, and of the wait before update groups are formed, milliseconds.
pub const READ_QUANTA: u8 = 10;
pub const WRITE_QUANTA: u8 = 64;
pub const COALESCE_TIME: u32 = 1000;
/// FRR's `BGP_DEFAULT_SUBGROUP_PKT_QUEUE_MAX`.
pub const SUBGROUP_QUEUE: u8 = 40;

/// `neighbor X local-role ROLE [strict-mode]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LocalRole {
    pub role: Role,
    /// A neighbour without a role has no session.
    pub strict: bool,
}

/// A role as configurations and shows write it.
pub const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Provider => "provider",
        Role::RouteServer => "rs-server",
        Role::RouteServerClient => "rs-client",
        Role::Customer => "customer",
        Role::Peer => "peer",
    }
}

fn role_of(word: &str) -> Option<Role> {
    let roles = [Role::Provider, Role::RouteServer, Role::RouteServerClient, Role::Customer, Role::Peer];
    roles.into_iter().find(|role| role_name(*role) == word)
}

/// `neighbor X shutdown rtt MILLISECONDS [count N]`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RttLimit {
    /// Milliseconds.
    pub rtt: u16,
    /// Keepalives in a row that found it exceeded.
    pub count: u8,
}

impl fmt::Display for RttLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} count {}", self.rtt, self.count)
    }
}

/// `bgp tcp-keepalive IDLE INTERVAL PROBES`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TcpKeepalive {
    /// Seconds without traffic before the first probe.
    pub idle: u16,
    /// Seconds between probes.
    pub interval: u16,
    pub probes: u8,
}

/// `bgp confederation …`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Confederation {
    /// The AS that the world outside sees.
    pub identifier: Option<WrittenAsn>,
    /// Other member ASes, in the order given.
    pub peers: Vec<WrittenAsn>,
}

/// `bgp listen …`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Listen {
    pub limit: Option<u16>,
    /// Whoever connects from there is a member of the group.
    pub ranges: BTreeMap<Prefix, GroupName>,
}

impl Listen {
    pub fn limit(&self) -> usize {
        self.limit.unwrap_or(LISTEN_LIMIT).into()
    }

    /// The group of whoever connects from this address.
    pub fn group_of(&self, addr: std::net::IpAddr) -> Option<&GroupName> {
        self.ranges.iter().find(|(range, _)| range.contains(addr)).map(|(_, group)| group)
    }

    /// The ranges of a group.
    pub fn of_group<'a>(&'a self, group: &'a GroupName) -> impl Iterator<Item = &'a Prefix> {
        self.ranges.iter().filter(move |(_, name)| *name == group).map(|(range, _)| range)
    }
}

/// What sessions of an instance have in common beyond timers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InstanceSessions {
    /// What reads as it did is not told again.
    pub suppress_duplicates: bool,
    /// An administrative reset or shutdown is told as a hard reset where graceful restart on notification was agreed on.
    pub hard_administrative_reset: bool,
    /// The default of `neighbor X capability software-version`.
    pub software_version: bool,
    /// The default of `neighbor X capability dynamic`.
    pub dynamic: bool,
    /// Messages outstanding to the slowest live member of an update group; the default leaves it to the octets.
    pub subgroup_queue: u8,
    pub confederation: Confederation,
    /// Messages written and read in one turn; the defaults leave it to the octets of a buffer.
    pub write_quanta: u8,
    pub read_quanta: u8,
    /// Milliseconds that a new update group waits for members and changes; the default is not waited for.
    pub coalesce_time: u32,
    pub tcp_keepalive: Option<TcpKeepalive>,
    pub listen: Listen,
    /// Next hops that are no host's address are taken too.
    pub allow_martian_nexthop: bool,
}

impl InstanceSessions {
    pub fn new(datacenter: bool) -> Self {
        Self {
            suppress_duplicates: true,
            hard_administrative_reset: true,
            software_version: datacenter,
            dynamic: datacenter,
            subgroup_queue: SUBGROUP_QUEUE,
            confederation: Confederation::default(),
            write_quanta: WRITE_QUANTA,
            read_quanta: READ_QUANTA,
            coalesce_time: COALESCE_TIME,
            tcp_keepalive: None,
            listen: Listen::default(),
            allow_martian_nexthop: false,
        }
    }
}

// ---- `neighbor X …`

const ROLE_HELP: [&str; 7] = [
    "Set session role",
    "Providing transit",
    "RS server",
    "RS client",
    "Using transit",
    "Public/private peering",
    "Use additional restriction on peer",
];

pub(super) const LOCAL_ROLE: PeerRow<SessionSettings> = PeerRow {
    syntax: "local-role <provider|rs-server|rs-client|customer|peer>$role [strict-mode$strict]",
    help: &ROLE_HELP,
    no: No::Syntax("local-role [<provider|rs-server|rs-client|customer|peer> [strict-mode]]", &ROLE_HELP),
    set: |target, args| {
        if target.kind == Some(SessionKind::Internal) {
            return Err(CliError::refused("External roles can be set only on eBGP session"));
        }
        let role = args.get("role").and_then(role_of).ok_or(CliError::Unknown)?;
        target.own.local_role = Some(LocalRole { role, strict: args.has("strict") });
        Ok(())
    },
    unset: |target, _| {
        target.own.local_role = None;
        Ok(())
    },
    render: |settings, out| {
        if let Some(LocalRole { role, strict }) = settings.local_role {
            let strict = if strict { " strict-mode" } else { "" };
            out.yes(format!("local-role {}{strict}", role_name(role)));
        }
    },
    examples: &["local-role customer", "local-role peer strict-mode"],
};

pub(super) const SHUTDOWN_RTT: PeerRow<SessionSettings> = PeerRow {
    syntax: "shutdown rtt (1-65535)$rtt [count (1-255)$count]",
    help: &[
        "Administratively shut down this neighbor",
        "Shutdown if round-trip-time is higher than expected",
        "Round-trip-time in milliseconds",
        "Specify the number of keepalives before shutdown",
        "The number of keepalives with higher RTT to shutdown",
    ],
    no: No::Syntax(
        "shutdown rtt [(1-65535) [count (1-255)]]",
        &[
            "Administratively shut down this neighbor",
            "Shutdown if round-trip-time is higher than expected",
            "Round-trip-time in milliseconds",
            "Specify the number of keepalives before shutdown",
            "The number of keepalives with higher RTT to shutdown",
        ],
    ),
    set: |target, args| {
        target.own.shutdown_rtt =
            Some(RttLimit { rtt: args.parse("rtt")?, count: args.parse_opt("count")?.unwrap_or(1) });
        Ok(())
    },
    unset: |target, _| {
        target.own.shutdown_rtt = None;
        Ok(())
    },
    render: |settings, out| out.value("shutdown rtt", settings.shutdown_rtt),
    examples: &["shutdown rtt 100 count 3"],
};

pub(super) const ONE_SIGNATURE: &str = "password and tcp-ao cannot be configured together";

pub(super) const TCP_AO: PeerRow<SessionSettings> = PeerRow {
    syntax: "tcp-ao key-chain KEYCHAIN_NAME$chain",
    help: &["TCP Authentication Option (RFC 5925)", "Keys of a key chain", "Key-chain name"],
    no: No::Derived,
    set: |target, args| {
        if target.own.password.is_some() {
            return Err(CliError::refused(ONE_SIGNATURE));
        }
        target.own.tcp_ao = Some(args.parse("chain")?);
        Ok(())
    },
    unset: |target, _| {
        target.own.tcp_ao = None;
        Ok(())
    },
    render: |settings, out| out.value("tcp-ao key-chain", settings.tcp_ao.as_deref()),
    examples: &["tcp-ao key-chain CORE"],
};

pub(super) const SOLO: PeerRow<SessionSettings> =
    flag!(solo, "solo", &["Solo peer - part of its own update group"]);

pub(super) const OAD: PeerRow<SessionSettings> = flag!(oad, "oad", &["Set peering session type to EBGP-OAD"]);

pub(super) const EXTENDED_PARAMETERS: PeerRow<SessionSettings> = flag!(
    extended_optional_parameters,
    "extended-optional-parameters",
    &["Force the extended optional parameters format for OPEN messages"]
);

pub(super) const SENDER_LOOP_DETECTION: PeerRow<SessionSettings> = flag!(
    sender_loop_detection,
    "sender-as-path-loop-detection",
    &["Detect AS loops before sending to neighbor"]
);

/// A capability whose default the instance gives.
macro_rules! capability {
    ($name:ident, $field:ident, $syntax:literal, $help:literal) => {
        pub(super) const $name: PeerRow<SessionSettings> = PeerRow {
            syntax: $syntax,
            help: &["Advertise capability to the peer", $help],
            no: No::Derived,
            set: |target, _| {
                target.own.$field = Some(true);
                Ok(())
            },
            unset: |target, _| {
                target.own.$field = Some(false);
                Ok(())
            },
            render: |settings, out| out.either(settings.$field, $syntax),
            examples: &[$syntax, concat!("no ", $syntax)],
        };
    };
}

capability!(
    CAPABILITY_DYNAMIC,
    capability_dynamic,
    "capability dynamic",
    "Advertise dynamic capability to this neighbor"
);
capability!(
    CAPABILITY_SOFTWARE_VERSION,
    capability_software_version,
    "capability software-version",
    "Advertise Software Version capability to the peer"
);

// ---- `router bgp`

const BGP: &str = "BGP specific commands";
const DEFAULTS: &str = "Configure BGP defaults";
const CONFEDERATION: &str = "AS confederation parameters";
const LISTEN: &str = "Set up dynamic listening";

/// A row for a setting that is on or off.
macro_rules! switch {
    ($name:ident, $field:ident, $syntax:literal, $help:expr, $example:literal) => {
        pub(super) const $name: RouterRow = RouterRow {
            syntax: $syntax,
            help: $help,
            no: Negation::Derived,
            set: |router, _| {
                router.sessions.$field = true;
                Ok(())
            },
            unset: |router, _, _| {
                router.sessions.$field = false;
                Ok(())
            },
            render: |router, lines, default| {
                if router.sessions.$field != default.sessions.$field {
                    lines.line(if router.sessions.$field { $syntax } else { concat!("no ", $syntax) });
                }
            },
            examples: &[$example],
        };
    };
}

/// A row for a number.
macro_rules! number {
    ($name:ident, $field:ident, $command:literal, $range:literal, $help:expr, $example:literal) => {
        pub(super) const $name: RouterRow = RouterRow {
            syntax: concat!($command, " ", $range, "$value"),
            help: $help,
            no: Negation::Derived,
            set: |router, args| {
                router.sessions.$field = args.parse("value")?;
                Ok(())
            },
            unset: |router, _, default| {
                router.sessions.$field = default.sessions.$field;
                Ok(())
            },
            render: |router, lines, default| {
                if router.sessions.$field != default.sessions.$field {
                    lines.line(format!(concat!($command, " {}"), router.sessions.$field));
                }
            },
            examples: &[$example],
        };
    };
}

switch!(
    SUPPRESS_DUPLICATES,
    suppress_duplicates,
    "bgp suppress-duplicates",
    &[BGP, "Suppress duplicate updates if the route actually not changed"],
    "no bgp suppress-duplicates"
);
switch!(
    HARD_ADMINISTRATIVE_RESET,
    hard_administrative_reset,
    "bgp hard-administrative-reset",
    &[BGP, "Send Hard Reset CEASE Notification for 'Administrative Reset'"],
    "no bgp hard-administrative-reset"
);
switch!(
    DEFAULT_SOFTWARE_VERSION,
    software_version,
    "bgp default software-version-capability",
    &[BGP, DEFAULTS, "Advertise software version capability for all neighbors"],
    "bgp default software-version-capability"
);
switch!(
    DEFAULT_DYNAMIC,
    dynamic,
    "bgp default dynamic-capability",
    &[BGP, DEFAULTS, "Advertise dynamic capability for all neighbors"],
    "bgp default dynamic-capability"
);
switch!(
    ALLOW_MARTIAN,
    allow_martian_nexthop,
    "bgp allow-martian-nexthop",
    &[BGP, "Allow Martian nexthops to be received in the NLRI from a peer"],
    "bgp allow-martian-nexthop"
);
number!(
    SUBGROUP,
    subgroup_queue,
    "bgp default subgroup-pkt-queue-max",
    "(20-100)",
    &[BGP, DEFAULTS, "subgroup-pkt-queue-max", "Configure subgroup packet queue max"],
    "bgp default subgroup-pkt-queue-max 30"
);
number!(
    WRITE,
    write_quanta,
    "write-quanta",
    "(1-64)",
    &["How many packets to write to peer socket per run", "Number of packets"],
    "write-quanta 20"
);
number!(
    READ,
    read_quanta,
    "read-quanta",
    "(1-10)",
    &["How many packets to read from peer socket per I/O cycle", "Number of packets"],
    "read-quanta 5"
);
number!(
    COALESCE,
    coalesce_time,
    "coalesce-time",
    "(0-4294967295)",
    &["Subgroup coalesce timer", "Subgroup coalesce timer value (in ms)"],
    "coalesce-time 2000"
);

pub(super) const KEEPALIVE: RouterRow = RouterRow {
    syntax: "bgp tcp-keepalive (1-65535)$idle (1-65535)$interval (1-30)$probes",
    help: &[
        BGP,
        "TCP keepalive parameters",
        "TCP keepalive idle time (seconds)",
        "TCP keepalive interval (seconds)",
        "TCP keepalive maximum probes",
    ],
    no: Negation::Derived,
    set: |router, args| {
        router.sessions.tcp_keepalive = Some(TcpKeepalive {
            idle: args.parse("idle")?,
            interval: args.parse("interval")?,
            probes: args.parse("probes")?,
        });
        Ok(())
    },
    unset: |router, _, _| {
        router.sessions.tcp_keepalive = None;
        Ok(())
    },
    render: |router, lines, _| {
        if let Some(TcpKeepalive { idle, interval, probes }) = router.sessions.tcp_keepalive {
            lines.line(format!("bgp tcp-keepalive {idle} {interval} {probes}"));
        }
    },
    examples: &["bgp tcp-keepalive 10 20 3"],
};

pub(super) const CONFEDERATION_ID: RouterRow = RouterRow {
    syntax: "bgp confederation identifier ASNUM$asn",
    help: &[
        BGP,
        CONFEDERATION,
        "AS number in plain <1-4294967295> or dotted <0-65535>.<0-65535> format",
        "Set routing domain confederation AS",
    ],
    no: Negation::Derived,
    set: |router, args| {
        router.sessions.confederation.identifier = Some(args.parse("asn")?);
        Ok(())
    },
    unset: |router, _, _| {
        router.sessions.confederation.identifier = None;
        Ok(())
    },
    render: |router, lines, _| {
        if let Some(asn) = router.sessions.confederation.identifier {
            lines.line(format!("bgp confederation identifier {asn}"));
        }
    },
    examples: &["bgp confederation identifier 100"],
};

pub(super) const CONFEDERATION_PEERS: RouterRow = RouterRow {
    syntax: "bgp confederation peers ASNUM$asn...",
    help: &[
        BGP,
        CONFEDERATION,
        "Peer ASs in BGP confederation",
        "AS number expressed in dotted or plain format used as local AS",
    ],
    no: Negation::Derived,
    set: |router, args| {
        for asn in given_asns(args)? {
            let peers = &mut router.sessions.confederation.peers;
            if !peers.iter().any(|known| known.asn == asn.asn) {
                peers.push(asn);
            }
        }
        Ok(())
    },
    unset: |router, args, _| {
        let gone = given_asns(args)?;
        router.sessions.confederation.peers.retain(|known| !gone.iter().any(|asn| asn.asn == known.asn));
        Ok(())
    },
    render: |router, lines, _| {
        let peers: Vec<String> =
            router.sessions.confederation.peers.iter().map(ToString::to_string).collect();
        if !peers.is_empty() {
            lines.line(format!("bgp confederation peers {}", peers.join(" ")));
        }
    },
    examples: &["bgp confederation peers 65010 65011"],
};

fn given_asns(args: &Args) -> Result<Vec<WrittenAsn>, CliError> {
    args.all("asn")
        .map(|text| text.parse().map_err(|_| CliError::refused(format!("Invalid AS number {text}"))))
        .collect()
}

pub(super) const LISTEN_LIMIT_ROW: RouterRow = RouterRow {
    syntax: "bgp listen limit (1-65535)$limit",
    help: &[
        BGP,
        LISTEN,
        "Maximum number of BGP Dynamic Neighbors that can be created",
        "Configure Dynamic Neighbors listen limit value",
    ],
    no: Negation::Derived,
    set: |router, args| {
        let limit: u16 = args.parse("limit")?;
        router.sessions.listen.limit = (limit != LISTEN_LIMIT).then_some(limit);
        Ok(())
    },
    unset: |router, _, _| {
        router.sessions.listen.limit = None;
        Ok(())
    },
    render: |router, lines, _| {
        if let Some(limit) = router.sessions.listen.limit {
            lines.line(format!("bgp listen limit {limit}"));
        }
    },
    examples: &["bgp listen limit 50"],
};

pub(super) const LISTEN_RANGE: RouterRow = RouterRow {
    syntax: "bgp listen range <A.B.C.D/M|X:X::X:X/M>$range peer-group PGNAME$group",
    help: &[
        BGP,
        "Configure BGP dynamic neighbors listen range",
        "Configure BGP dynamic neighbors listen range",
        "Neighbor address",
        "Neighbor IPv6 address",
        "Member of the peer-group",
        "Peer-group name",
    ],
    no: Negation::Derived,
    set: add_range,
    unset: remove_range,
    render: render_ranges,
    examples: &[],
};

fn range_of(args: &Args) -> Result<(Prefix, GroupName), CliError> {
    let range: Prefix = args.parse("range")?;
    Ok((range, GroupName::new(args.get("group").unwrap_or_default())))
}

fn add_range(router: &mut RouterBgp, args: &Args) -> Result<(), CliError> {
    let (range, group) = range_of(args)?;
    if let Some(present) = router.sessions.listen.ranges.get(&range) {
        if *present == group {
            return Ok(());
        }
        return Err(CliError::refused(format!("Same listen range is attached to peer-group {present}")));
    }
    let overlaps = |other: &Prefix| other.covers(range) || range.covers(*other);
    if router.sessions.listen.ranges.keys().any(overlaps) {
        return Err(CliError::refused("Listen range overlaps with existing listen range"));
    }
    if !router.groups.contains_key(&group) {
        return Err(CliError::refused("Configure the peer-group first"));
    }
    router.sessions.listen.ranges.insert(range, group);
    Ok(())
}

fn remove_range(router: &mut RouterBgp, args: &Args, _: &RouterBgp) -> Result<(), CliError> {
    let (range, group) = range_of(args)?;
    if !router.groups.contains_key(&group) {
        return Err(CliError::refused("Peer-group does not exist"));
    }
    if router.sessions.listen.ranges.get(&range) != Some(&group) {
        return Err(CliError::refused(
            "Range specified cannot be deleted because it is not part of current config.",
        ));
    }
    router.sessions.listen.ranges.remove(&range);
    Ok(())
}

/// By group, then IPv4 before IPv6, as FRR writes them.
fn render_ranges(router: &RouterBgp, lines: &mut Lines, _: &RouterBgp) {
    let mut ranges: Vec<_> = router.sessions.listen.ranges.iter().collect();
    ranges.sort_by_key(|(range, group)| ((*group).clone(), **range));
    for (range, group) in ranges {
        lines.line(format!("bgp listen range {range} peer-group {group}"));
    }
}

impl RouterBgp {
    /// Whether the AS is another member of our confederation.
    pub(super) fn confederates(&self, asn: Asn) -> bool {
        let confederation = &self.sessions.confederation;
        confederation.identifier.is_some() && confederation.peers.iter().any(|member| member.asn == asn)
    }
}

// ---- right under `configure terminal`

/// What all instances have in common.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GlobalSessions {
    /// Every instance is about to go down (RFC 8326).
    pub graceful_shutdown: bool,
    /// Messages of one neighbour that wait for the tables, and for it; without limits octets bound both.
    pub input_queue_limit: Option<u32>,
    pub output_queue_limit: Option<u32>,
}

/// FRR's defaults of both limits.
const QUEUE_LIMIT: u32 = 10_000;

pub(super) fn register<H>(registry: &mut Registry<BgpConfig, H>) {
    registry.command(
        ConfigCommand::new(
            &[&CONFIG],
            "bgp graceful-shutdown",
            &["BGP information", "Graceful shutdown parameters"],
            |config: &mut BgpConfig, edit| {
                let within = config.instances.values().any(|router| router.graceful_shutdown);
                if within && !edit.negated {
                    return Err(CliError::refused(
                        "graceful-shutdown configuration found in vrf default; global graceful-shutdown not permitted",
                    ));
                }
                config.sessions.graceful_shutdown = !edit.negated;
                Ok(())
            },
        )
        .example("bgp graceful-shutdown"),
    );
    queue_limit(registry, "input", |sessions| &mut sessions.input_queue_limit);
    queue_limit(registry, "output", |sessions| &mut sessions.output_queue_limit);
    registry.renderer(order::HEADER, |config: &BgpConfig, lines| {
        let sessions = &config.sessions;
        if let Some(limit) = sessions.input_queue_limit {
            lines.line(format!("bgp input-queue-limit {limit}"));
        }
        if let Some(limit) = sessions.output_queue_limit {
            lines.line(format!("bgp output-queue-limit {limit}"));
        }
        if sessions.graceful_shutdown {
            lines.line("bgp graceful-shutdown");
        }
    });
}

fn queue_limit<H>(
    registry: &mut Registry<BgpConfig, H>,
    way: &'static str,
    slot: fn(&mut GlobalSessions) -> &mut Option<u32>,
) {
    let command = ConfigCommand::new(
        &[&CONFIG],
        format!("bgp {way}-queue-limit (1-4294967295)$limit"),
        &["BGP information", "Set the queue limit for messages", "Queue limit"],
        move |config: &mut BgpConfig, edit| {
            let limit = if edit.negated { None } else { Some(edit.args.parse("limit")?) };
            *slot(&mut config.sessions) = limit.filter(|limit| *limit != QUEUE_LIMIT);
            Ok(())
        },
    );
    registry.command(command.example(format!("bgp {way}-queue-limit 500")));
}
