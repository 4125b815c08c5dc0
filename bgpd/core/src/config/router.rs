//! `router bgp`: the instance and its own settings, those of no neighbour and no address family.
//!
//! Values are settled when the instance is made, from the profile that is then in force (`frr defaults`), and rendered
//! where they differ from the profile's. Rows in the order of FRR's running configuration; some stand behind the
//! neighbours.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use bgp_packet::{Family, PerFamily};
use ferrite_cli::common::Defaults;
use ferrite_cli::{Args, CliError, Lines, Negation};
use ferrite_types::{Asn, AsnNotation, RouterId};

use super::bmp::BmpTargets;
use super::conditions::{self, BandwidthMode, ConditionTimers};
use super::family::FamilyConfig;
use super::graceful::{self, RestartSettings};
use super::limits::{self, Limits};
use super::name::NeighborName;
use super::peer::{Neighbor, PeerGroup, PeerSettings};
use super::reflection;
use super::session::{checked_message, checked_timers};
use super::sessions::{self, InstanceSessions};
use super::types::{GroupName, RemoteAs, SessionKind, Timers, WrittenAsn};

/// `bgp bestpath as-path multipath-relax [as-set|no-as-set]`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MultipathRelax {
    NoAsSet,
    /// What is told of several paths that share the traffic is made of all of them.
    AsSet,
}

/// One BGP instance.
#[derive(Clone, PartialEq, Debug)]
pub struct RouterBgp {
    pub asn: WrittenAsn,
    /// `bmp targets …`, by name.
    pub bmp: BTreeMap<Arc<str>, BmpTargets>,
    /// `bmp mirror buffer-limit`: octets that may wait for a collector before messages are left out.
    pub bmp_mirror_limit: Option<u32>,
    /// How shows write AS numbers; `None` as plain numbers.
    pub notation: Option<AsnNotation>,
    pub fast_external_failover: bool,
    /// `None` takes zebra's.
    pub router_id: Option<RouterId>,
    pub log_neighbor_changes: bool,
    pub always_compare_med: bool,
    /// RFC 8212.
    pub ebgp_requires_policy: bool,
    /// The default of `neighbor X enforce-first-as`.
    pub enforce_first_as: bool,
    /// Routes with an AS_SET or AS_CONFED_SET are rejected, and none is sent (RFC 9774).
    pub reject_as_sets: bool,
    /// Families that a new neighbour is activated in.
    pub default_families: PerFamily<bool>,
    pub default_local_preference: u32,
    /// Shows name the neighbour by its hostname capability.
    pub show_hostname: bool,
    /// The same for next hops.
    pub client_to_client_reflection: bool,
    /// `None` is the router ID.
    pub cluster_id: Option<Ipv4Addr>,
    /// eBGP next hops need not be connected.
    pub disable_connected_check: bool,
    pub deterministic_med: bool,
    /// All our routes carry GRACEFUL_SHUTDOWN (RFC 8326).
    pub graceful_shutdown: bool,
    pub as_path_ignore: bool,
    pub as_path_confed: bool,
    pub multipath_relax: Option<MultipathRelax>,
    /// Route maps change reflected routes too.
    pub reflector_outbound_policy: bool,
    pub compare_router_id: bool,
    pub bestpath_aigp: bool,
    pub med_confed: bool,
    pub med_missing_as_worst: bool,
    pub peer_type_multipath_relax: bool,
    pub bandwidth: Option<BandwidthMode>,
    pub condition_timers: ConditionTimers,
    pub limits: Limits,
    /// A `network` needs its prefix in the RIB.
    pub import_check: bool,
    /// What a session proposes whose neighbour has no `timers`.
    pub timers: Timers,
    /// Shortest hold time accepted from a neighbour, seconds; `None` only RFC 4271's three.
    pub minimum_hold_time: Option<u16>,
    /// By name, in the order of the running configuration.
    pub groups: BTreeMap<GroupName, PeerGroup>,
    pub neighbors: BTreeMap<NeighborName, Arc<Neighbor>>,
    /// New neighbours begin shut down.
    pub default_shutdown: bool,
    /// Zebra is asked for router advertisements where a neighbour is known by its interface.
    pub auto_ra: bool,
    /// Every session is shut down; the message goes with the NOTIFICATION (RFC 9003).
    pub shutdown: Option<super::session::Shutdown>,
    pub families: PerFamily<FamilyConfig>,
    pub sessions: InstanceSessions,
    /// Restarts, and what delays the first announcements.
    pub restart: RestartSettings,
}

impl RouterBgp {
    pub fn new(asn: WrittenAsn, profile: Defaults) -> Self {
        let datacenter = profile == Defaults::Datacenter;
        let timers =
            if datacenter { Timers { keepalive: 3, hold: 9 } } else { Timers { keepalive: 60, hold: 180 } };
        Self {
            asn,
            bmp: BTreeMap::new(),
            bmp_mirror_limit: None,
            notation: None,
            fast_external_failover: true,
            router_id: None,
            log_neighbor_changes: datacenter,
            always_compare_med: false,
            ebgp_requires_policy: !datacenter,
            enforce_first_as: true,
            reject_as_sets: false,
            default_families: PerFamily::new(|family| family == Family::IPV4_UNICAST),
            default_local_preference: 100,
            show_hostname: datacenter,
            client_to_client_reflection: true,
            cluster_id: None,
            disable_connected_check: false,
            deterministic_med: datacenter,
            graceful_shutdown: false,
            as_path_ignore: false,
            as_path_confed: false,
            multipath_relax: None,
            reflector_outbound_policy: false,
            compare_router_id: false,
            bestpath_aigp: false,
            med_confed: false,
            med_missing_as_worst: false,
            peer_type_multipath_relax: false,
            bandwidth: None,
            condition_timers: ConditionTimers::default(),
            limits: Limits::default(),
            import_check: true,
            timers,
            minimum_hold_time: None,
            groups: BTreeMap::new(),
            neighbors: BTreeMap::new(),
            default_shutdown: false,
            auto_ra: true,
            shutdown: None,
            families: PerFamily::default(),
            sessions: InstanceSessions::new(datacenter),
            restart: RestartSettings::default(),
        }
    }

    pub fn group_of(&self, neighbor: &Neighbor) -> Option<&PeerGroup> {
        neighbor.group.as_ref().and_then(|name| self.groups.get(name))
    }

    pub fn members(&self, group: &GroupName) -> impl Iterator<Item = (&NeighborName, &Arc<Neighbor>)> {
        self.neighbors.iter().filter(move |(_, neighbor)| neighbor.group.as_ref() == Some(group))
    }

    /// Whose AS the neighbour has: a group's counts for its members.
    pub fn remote_as_of(&self, neighbor: &Neighbor) -> Option<RemoteAs> {
        let group = self.group_of(neighbor);
        group.and_then(|group| group.settings.remote_as).or(neighbor.settings.remote_as)
    }

    fn remote_as_from(&self, own: &PeerSettings, group: Option<&PeerSettings>) -> Option<RemoteAs> {
        group.and_then(|group| group.remote_as).or(own.remote_as)
    }

    /// The AS that the neighbour sees us in.
    pub(super) fn local_as_of(&self, own: &PeerSettings, group: Option<&PeerSettings>) -> Asn {
        if let Some(local) = own.session.local_as.or_else(|| group.and_then(|group| group.session.local_as)) {
            return local.asn.asn;
        }
        // RFC 5065 §4: outside the confederation only its identifier is known.
        match (self.sessions.confederation.identifier, self.remote_as_from(own, group)) {
            (Some(id), Some(RemoteAs::External)) => id.asn,
            (Some(id), Some(RemoteAs::Number(remote)))
                if remote.asn != self.asn.asn && !self.confederates(remote.asn) =>
            {
                id.asn
            }
            _ => self.asn.asn,
        }
    }

    pub(super) fn kind_of(&self, own: &PeerSettings, group: Option<&PeerSettings>) -> Option<SessionKind> {
        let remote = self.remote_as_from(own, group)?;
        if matches!(remote, RemoteAs::Number(remote) if remote.asn == self.asn.asn) {
            return Some(SessionKind::Internal);
        }
        remote.kind(self.local_as_of(own, group))
    }

    /// What a neighbour or group begins with.
    pub(super) fn fresh_peer(&self) -> PeerSettings {
        let mut settings = PeerSettings::default();
        for (family, slot) in settings.families.iter_mut() {
            slot.activate = self.active_by_default(family);
        }
        settings
    }

    fn set_default_family(&mut self, family: Family, active: bool) {
        if let Some(slot) = self.default_families.get_mut(family) {
            *slot = active;
        }
    }

    pub(super) fn active_by_default(&self, family: Family) -> bool {
        self.default_families.get(family).copied().unwrap_or_default()
    }
}

/// A command right under `router bgp`.
pub(super) struct RouterRow {
    pub syntax: &'static str,
    pub help: &'static [&'static str],
    pub no: Negation,
    pub set: fn(&mut RouterBgp, &Args) -> Result<(), CliError>,
    pub unset: fn(&mut RouterBgp, &Args, &RouterBgp) -> Result<(), CliError>,
    /// Renders what differs from the third argument, a new instance of the profile in force.
    pub render: fn(&RouterBgp, &mut Lines, &RouterBgp),
    pub examples: &'static [&'static str],
}

/// A row for a setting that is on or off.
macro_rules! switch {
    ($($field:ident).+, $syntax:literal, $help:expr, $example:literal) => {
        RouterRow {
            syntax: $syntax,
            help: $help,
            no: Negation::Derived,
            set: |router, _| {
                router.$($field).+ = true;
                Ok(())
            },
            unset: |router, _, _| {
                router.$($field).+ = false;
                Ok(())
            },
            render: |router, lines, default| {
                if router.$($field).+ != default.$($field).+ {
                    lines.line(if router.$($field).+ { $syntax } else { concat!("no ", $syntax) });
                }
            },
            examples: &[$example],
        }
    };
}

/// `bgp default FAMILY`: neighbours speak it unless told otherwise.
macro_rules! default_family {
    ($family:expr, $word:literal, $example:literal) => {
        RouterRow {
            syntax: concat!("bgp default ", $word),
            help: &[BGP, DEFAULTS, concat!("Activate ", $word, " for a peer by default")],
            no: Negation::Derived,
            set: |router, _| {
                router.set_default_family($family, true);
                Ok(())
            },
            unset: |router, _, _| {
                router.set_default_family($family, false);
                Ok(())
            },
            render: |router, lines, default| {
                let active = router.active_by_default($family);
                if active != default.active_by_default($family) {
                    lines.line(format!("{}bgp default {}", if active { "" } else { "no " }, $word));
                }
            },
            examples: &[concat!($example, "bgp default ", $word)],
        }
    };
}

const BGP: &str = "BGP specific commands";
const BESTPATH: &str = "Change the default bestpath selection";
const AS_PATH: &str = "AS-path attribute";
const MED: &str = "MED attribute";
const DEFAULTS: &str = "Configure BGP defaults";

/// What stands before the neighbours.
pub(super) static BEFORE: &[RouterRow] = &[
    switch!(
        fast_external_failover,
        "bgp fast-external-failover",
        &[BGP, "Immediately reset session if a link to a directly connected external peer goes down"],
        "no bgp fast-external-failover"
    ),
    RouterRow {
        syntax: "bgp router-id A.B.C.D$id",
        help: &[BGP, "Override configured router identifier", "Manually configured router identifier"],
        no: Negation::Derived,
        set: |router, args| {
            let id = RouterId(args.ipv4("id")?);
            router.router_id = (!id.is_unset()).then_some(id);
            Ok(())
        },
        unset: |router, args, _| {
            let named = args.parse_opt::<RouterId>("id")?;
            if named.is_some() && named != router.router_id {
                return Err(CliError::refused("BGP router-id doesn't match"));
            }
            router.router_id = None;
            Ok(())
        },
        render: |router, lines, _| {
            if let Some(id) = router.router_id {
                lines.line(format!("bgp router-id {id}"));
            }
        },
        examples: &["bgp router-id 10.0.0.1"],
    },
    graceful::ROUTER_SUPPRESS,
    switch!(
        log_neighbor_changes,
        "bgp log-neighbor-changes",
        &[BGP, "Log neighbor up/down and reset reason"],
        "bgp log-neighbor-changes"
    ),
    switch!(
        always_compare_med,
        "bgp always-compare-med",
        &[BGP, "Allow comparing MED from different neighbors"],
        "bgp always-compare-med"
    ),
    switch!(
        ebgp_requires_policy,
        "bgp ebgp-requires-policy",
        &[BGP, "Require in and out policy for eBGP peers (RFC8212)"],
        "no bgp ebgp-requires-policy"
    ),
    switch!(
        enforce_first_as,
        "bgp enforce-first-as",
        &[BGP, "Enforce the first AS for EBGP routes"],
        "no bgp enforce-first-as"
    ),
    switch!(
        reject_as_sets,
        "bgp reject-as-sets",
        &[BGP, "Reject routes with AS_SET or AS_CONFED_SET flag"],
        "bgp reject-as-sets"
    ),
    sessions::SUPPRESS_DUPLICATES,
    sessions::HARD_ADMINISTRATIVE_RESET,
    default_family!(Family::IPV4_UNICAST, "ipv4-unicast", "no "),
    default_family!(Family::IPV4_MULTICAST, "ipv4-multicast", ""),
    default_family!(Family::IPV6_UNICAST, "ipv6-unicast", ""),
    default_family!(Family::IPV6_MULTICAST, "ipv6-multicast", ""),
    RouterRow {
        syntax: "bgp default local-preference (0-4294967295)$value",
        help: &[
            BGP,
            DEFAULTS,
            "local preference (higher=more preferred)",
            "Configure default local preference value",
        ],
        no: Negation::Derived,
        set: |router, args| {
            router.default_local_preference = args.parse("value")?;
            Ok(())
        },
        unset: |router, _, default| {
            router.default_local_preference = default.default_local_preference;
            Ok(())
        },
        render: |router, lines, default| {
            if router.default_local_preference != default.default_local_preference {
                lines.line(format!("bgp default local-preference {}", router.default_local_preference));
            }
        },
        examples: &["bgp default local-preference 200"],
    },
    switch!(
        show_hostname,
        "bgp default show-hostname",
        &[BGP, DEFAULTS, "Show hostname in certain command outputs"],
        "bgp default show-hostname"
    ),
    sessions::DEFAULT_SOFTWARE_VERSION,
    sessions::DEFAULT_DYNAMIC,
    sessions::SUBGROUP,
    switch!(
        client_to_client_reflection,
        "bgp client-to-client reflection",
        &[BGP, "Configure client to client route reflection", "reflection of routes allowed"],
        "no bgp client-to-client reflection"
    ),
    RouterRow {
        syntax: "bgp cluster-id <A.B.C.D|(1-4294967295)>$id",
        help: &[
            BGP,
            "Configure Route-Reflector Cluster-id",
            "Route-Reflector Cluster-id in IP address format",
            "Route-Reflector Cluster-id as 32 bit quantity",
        ],
        no: Negation::Derived,
        set: |router, args| {
            let text = args.get("id").unwrap_or_default();
            let id = text.parse::<u32>().map(Ipv4Addr::from).or_else(|_| args.ipv4("id"))?;
            router.cluster_id = Some(id);
            Ok(())
        },
        unset: |router, _, _| {
            router.cluster_id = None;
            Ok(())
        },
        render: |router, lines, _| {
            if let Some(id) = router.cluster_id {
                lines.line(format!("bgp cluster-id {id}"));
            }
        },
        examples: &["bgp cluster-id 1.2.3.4"],
    },
    switch!(
        disable_connected_check,
        "bgp disable-ebgp-connected-route-check",
        &[BGP, "Disable checking if nexthop is connected on ebgp sessions"],
        "bgp disable-ebgp-connected-route-check"
    ),
    sessions::CONFEDERATION_ID,
    sessions::CONFEDERATION_PEERS,
    RouterRow {
        syntax: "bgp deterministic-med",
        help: &[BGP, "Pick the best-MED path among paths advertised from the neighboring AS"],
        no: Negation::Derived,
        set: |router, _| {
            router.deterministic_med = true;
            Ok(())
        },
        unset: |router, _, _| {
            if router.deterministic_med && router.uses_best_per_as() {
                return Err(CliError::refused(
                    "bgp deterministic-med cannot be disabled while addpath-tx-bestpath-per-AS is in use",
                ));
            }
            router.deterministic_med = false;
            Ok(())
        },
        render: |router, lines, default| {
            if router.deterministic_med != default.deterministic_med {
                let no = if router.deterministic_med { "" } else { "no " };
                lines.line(format!("{no}bgp deterministic-med"));
            }
        },
        examples: &["bgp deterministic-med"],
    },
    graceful::ROUTER_UPDATE_DELAY,
    graceful::ROUTER_MAX_MED_STARTUP,
    graceful::ROUTER_MAX_MED,
    sessions::WRITE,
    sessions::READ,
    sessions::COALESCE,
    switch!(
        graceful_shutdown,
        "bgp graceful-shutdown",
        &[BGP, "Graceful shutdown parameters"],
        "bgp graceful-shutdown"
    ),
    graceful::ROUTER_LONG_LIVED,
    graceful::ROUTER_STALEPATH,
    graceful::ROUTER_RESTART,
    graceful::ROUTER_NOTIFICATION,
    graceful::ROUTER_SELECT_DEFER,
    graceful::ROUTER_MODE,
    graceful::ROUTER_DISABLE,
    graceful::ROUTER_PRESERVE,
    graceful::ROUTER_RIB_STALE,
    graceful::ROUTER_DISABLE_EOR,
    sessions::KEEPALIVE,
    switch!(
        as_path_ignore,
        "bgp bestpath as-path ignore",
        &[BGP, BESTPATH, AS_PATH, "Ignore as-path length in selecting a route"],
        "bgp bestpath as-path ignore"
    ),
    switch!(
        as_path_confed,
        "bgp bestpath as-path confed",
        &[
            BGP,
            BESTPATH,
            AS_PATH,
            "Compare path lengths including confederation sets & sequences in selecting a route"
        ],
        "bgp bestpath as-path confed"
    ),
    RouterRow {
        syntax: "bgp bestpath as-path multipath-relax [<as-set$as_set|no-as-set>]",
        help: &[
            BGP,
            BESTPATH,
            AS_PATH,
            "Allow load sharing across routes that have different AS paths (but same length)",
            "Generate an AS_SET",
            "Do not generate an AS_SET",
        ],
        no: Negation::Derived,
        set: |router, args| {
            let relax = if args.has("as_set") { MultipathRelax::AsSet } else { MultipathRelax::NoAsSet };
            router.multipath_relax = Some(relax);
            Ok(())
        },
        unset: |router, _, _| {
            router.multipath_relax = None;
            Ok(())
        },
        render: |router, lines, _| match router.multipath_relax {
            Some(MultipathRelax::NoAsSet) => lines.line("bgp bestpath as-path multipath-relax"),
            Some(MultipathRelax::AsSet) => lines.line("bgp bestpath as-path multipath-relax as-set"),
            None => {}
        },
        examples: &["bgp bestpath as-path multipath-relax", "bgp bestpath as-path multipath-relax as-set"],
    },
    reflection::OUTBOUND_POLICY,
    switch!(
        compare_router_id,
        "bgp bestpath compare-routerid",
        &[BGP, BESTPATH, "Compare router-id for identical EBGP paths"],
        "bgp bestpath compare-routerid"
    ),
    switch!(
        bestpath_aigp,
        "bgp bestpath aigp",
        &[BGP, BESTPATH, "Evaluate the AIGP attribute during the best path selection process"],
        "bgp bestpath aigp"
    ),
    RouterRow {
        syntax: "bgp bestpath med {confed$confed|missing-as-worst$worst}",
        help: &[
            BGP,
            BESTPATH,
            MED,
            "Compare MED among confederation paths",
            "Treat missing MED as the least preferred one",
        ],
        no: Negation::Derived,
        set: |router, args| {
            router.med_confed |= args.has("confed");
            router.med_missing_as_worst |= args.has("worst");
            Ok(())
        },
        unset: |router, args, _| {
            router.med_confed &= !args.has("confed");
            router.med_missing_as_worst &= !args.has("worst");
            Ok(())
        },
        render: |router, lines, _| match (router.med_confed, router.med_missing_as_worst) {
            (true, true) => lines.line("bgp bestpath med confed missing-as-worst"),
            (true, false) => lines.line("bgp bestpath med confed"),
            (false, true) => lines.line("bgp bestpath med missing-as-worst"),
            (false, false) => {}
        },
        examples: &["bgp bestpath med confed", "bgp bestpath med confed missing-as-worst"],
    },
    switch!(
        peer_type_multipath_relax,
        "bgp bestpath peer-type multipath-relax",
        &[BGP, BESTPATH, "Peer type", "Allow load sharing across routes learned from different peer types"],
        "bgp bestpath peer-type multipath-relax"
    ),
    switch!(
        import_check,
        "bgp network import-check",
        &[BGP, "BGP network command", "Check BGP network route exists in IGP"],
        "no bgp network import-check"
    ),
    RouterRow {
        syntax: "timers bgp (0-65535)$keepalive (0-65535)$hold",
        help: &["Adjust routing timers", "BGP timers", "Keepalive interval", "Holdtime"],
        no: Negation::Derived,
        set: |router, args| {
            router.timers = checked_timers(args, "hold time value must be either 0 or greater than 3")?;
            Ok(())
        },
        unset: |router, _, default| {
            router.timers = default.timers;
            Ok(())
        },
        render: |router, lines, default| {
            if router.timers != default.timers {
                lines.line(format!("timers bgp {}", router.timers));
            }
        },
        examples: &["timers bgp 4 12"],
    },
    RouterRow {
        syntax: "bgp minimum-holdtime (1-65535)$value",
        help: &[BGP, "BGP minimum holdtime", "Seconds"],
        no: Negation::Derived,
        set: |router, args| {
            router.minimum_hold_time = Some(args.parse("value")?);
            Ok(())
        },
        unset: |router, _, _| {
            router.minimum_hold_time = None;
            Ok(())
        },
        render: |router, lines, _| {
            if let Some(value) = router.minimum_hold_time {
                lines.line(format!("bgp minimum-holdtime {value}"));
            }
        },
        examples: &["bgp minimum-holdtime 10"],
    },
];

/// What stands before the neighbours, of all files.
pub(super) fn before() -> impl Iterator<Item = &'static RouterRow> {
    BEFORE.iter().chain(limits::ROWS).chain(conditions::ROWS)
}

pub(super) fn rows() -> impl Iterator<Item = &'static RouterRow> {
    before().chain(AFTER)
}

/// What stands behind them.
pub(super) static AFTER: &[RouterRow] = &[
    sessions::LISTEN_LIMIT_ROW,
    sessions::LISTEN_RANGE,
    switch!(auto_ra, "bgp ipv6-auto-ra", &[BGP, "Allow enabling IPv6 ND RA sending"], "no bgp ipv6-auto-ra"),
    switch!(
        default_shutdown,
        "bgp default shutdown",
        &[BGP, DEFAULTS, "Apply administrative shutdown to newly configured peers"],
        "bgp default shutdown"
    ),
    RouterRow {
        syntax: "bgp shutdown",
        help: &[BGP, "Administrative shutdown of the BGP instance"],
        no: Negation::Derived,
        set: |router, _| {
            router.shutdown.get_or_insert_default();
            Ok(())
        },
        unset: |router, _, _| {
            router.shutdown = None;
            Ok(())
        },
        render: |router, lines, _| match router.shutdown.as_ref().map(|shutdown| &shutdown.message) {
            Some(None) => lines.line("bgp shutdown"),
            Some(Some(text)) => lines.line(format!("bgp shutdown message {text}")),
            None => {}
        },
        examples: &["bgp shutdown"],
    },
    RouterRow {
        syntax: "bgp shutdown message MSG$text...",
        help: &[
            BGP,
            "Administrative shutdown of the BGP instance",
            "Add a shutdown message (RFC 8203)",
            "Shutdown message",
        ],
        no: Negation::Derived,
        set: |router, args| {
            router.shutdown.get_or_insert_default().message = Some(checked_message(args)?);
            Ok(())
        },
        unset: |router, _, _| {
            router.shutdown = None;
            Ok(())
        },
        render: |_, _, _| {}, // by `bgp shutdown`
        examples: &["bgp shutdown message moving house"],
    },
    sessions::ALLOW_MARTIAN,
    graceful::ROUTER_FAST_CONVERGENCE,
];
