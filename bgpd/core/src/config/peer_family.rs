//! Settings of a neighbour or peer group in one address family: what stands under `neighbor X` inside
//! `address-family …`. Rows in the order of FRR's running configuration.

use std::fmt;

use bgp_packet::Family;
use ferrite_cli::{Args, CliError};

use super::add_path::{self, AddPath};
use super::peer::{No, Part, PeerLines, PeerRow, PeerSettings, Target, flag, number};
use super::peer_filters::PeerFilters;
use super::reflection::{self, RejectCommunity};
use super::types::{PolicyName, SessionKind};

/// Names for the two directions.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct InOut {
    pub import: Option<PolicyName>,
    pub export: Option<PolicyName>,
}

impl InOut {
    fn slot(&mut self, args: &Args) -> &mut Option<PolicyName> {
        if args.get("direction") == Some("in") { &mut self.import } else { &mut self.export }
    }

    fn set(&mut self, args: &Args) {
        let name = args.get("name").map(PolicyName::new);
        *self.slot(args) = name;
    }

    fn render(&self, what: &str, out: &mut PeerLines<'_>) {
        if let Some(name) = &self.import {
            out.yes(format!("{what} {name} in"));
        }
        if let Some(name) = &self.export {
            out.yes(format!("{what} {name} out"));
        }
    }

    /// What is the group's is not the member's own.
    fn normalise(&mut self, group: &Self) {
        if self.import == group.import {
            self.import = None;
        }
        if self.export == group.export {
            self.export = None;
        }
    }
}

/// Which kinds of communities are sent. `None` says nothing: the group's, else sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SendCommunity {
    pub standard: Option<bool>,
    pub extended: Option<bool>,
    pub large: Option<bool>,
}

impl SendCommunity {
    fn set(&mut self, kind: Option<&str>, send: bool) {
        let (standard, extended, large) = match kind {
            Some("both") => (true, true, false),
            Some("all") => (true, true, true),
            Some("extended") => (false, true, false),
            Some("large") => (false, false, true),
            _ => (true, false, false),
        };
        for (meant, slot) in
            [(standard, &mut self.standard), (extended, &mut self.extended), (large, &mut self.large)]
        {
            if meant {
                *slot = Some(send);
            }
        }
    }

    fn normalise(&mut self, group: Self) {
        for (slot, inherited) in [
            (&mut self.standard, group.standard),
            (&mut self.extended, group.extended),
            (&mut self.large, group.large),
        ] {
            if slot.unwrap_or(true) == inherited.unwrap_or(true) {
                *slot = None;
            }
        }
    }

    fn render(self, out: &mut PeerLines<'_>) {
        match (self.standard, self.extended, self.large) {
            (Some(a), Some(b), Some(c)) if a == b && b == c => out.either(Some(a), "send-community all"),
            (standard, extended, large) => {
                out.either(standard, "send-community");
                out.either(extended, "send-community extended");
                out.either(large, "send-community large");
            }
        }
    }
}

/// What happens to a session whose neighbour sends more prefixes than `maximum-prefix` allows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum PrefixLimitAction {
    /// The session ends (RFC 4486 Cease/1) and stays down until cleared.
    #[default]
    Shutdown,
    Warn,
    /// The session ends and is tried again after that many minutes.
    Restart(u16),
}

/// `neighbor X maximum-prefix N [THRESHOLD] [restart MINUTES|warning-only] [force]`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MaximumPrefix {
    pub limit: u32,
    /// Percent of the limit from which on a warning is logged.
    pub threshold: u8,
    pub action: PrefixLimitAction,
    /// Prefixes that the import policy denied count too (without it only accepted ones do).
    pub force: bool,
}

/// FRR's `MAXIMUM_PREFIX_THRESHOLD_DEFAULT`, percent.
const THRESHOLD: u8 = 75;

impl fmt::Display for MaximumPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.limit)?;
        if self.threshold != THRESHOLD {
            write!(f, " {}", self.threshold)?;
        }
        match self.action {
            PrefixLimitAction::Shutdown => {}
            PrefixLimitAction::Warn => f.write_str(" warning-only")?,
            PrefixLimitAction::Restart(minutes) => write!(f, " restart {minutes}")?,
        }
        if self.force { f.write_str(" force") } else { Ok(()) }
    }
}

/// `neighbor X default-originate [route-map NAME]`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DefaultOriginate {
    pub route_map: Option<PolicyName>,
}

/// `neighbor X allowas-in [N|origin]`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AllowAsIn {
    /// Our own AS may stand that many times in the path.
    Times(u8),
    /// Only as the path's origin.
    Origin,
}

/// `neighbor X remove-private-AS [all] [replace-AS]`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct RemovePrivateAs {
    /// Every private AS, not only paths that have no other.
    pub all: bool,
    /// Replaced by our AS, not removed.
    pub replace: bool,
}

impl RemovePrivateAs {
    fn read(args: &Args) -> Self {
        Self { all: args.has("all"), replace: args.has("replace") }
    }
}

impl fmt::Display for RemovePrivateAs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("remove-private-AS")?;
        if self.all {
            f.write_str(" all")?;
        }
        if self.replace { f.write_str(" replace-AS") } else { Ok(()) }
    }
}

/// `neighbor X attribute-unchanged [{as-path|next-hop|med}]`: what is sent on as it came.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Unchanged {
    pub as_path: bool,
    pub next_hop: bool,
    pub med: bool,
}

impl Unchanged {
    const ALL: Self = Self { as_path: true, next_hop: true, med: true };
    const NEXT_HOP: Self = Self { as_path: false, next_hop: true, med: false };

    fn read(args: &Args) -> Self {
        let given =
            Self { as_path: args.has("as_path"), next_hop: args.has("next_hop"), med: args.has("med") };
        if given == Self::default() { Self::ALL } else { given }
    }

    fn without(self, other: Self) -> Self {
        Self {
            as_path: self.as_path && !other.as_path,
            next_hop: self.next_hop && !other.next_hop,
            med: self.med && !other.med,
        }
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self {
            as_path: self.as_path || other.as_path,
            next_hop: self.next_hop || other.next_hop,
            med: self.med || other.med,
        }
    }
}

impl fmt::Display for Unchanged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("attribute-unchanged")?;
        for (given, word) in [(self.as_path, "as-path"), (self.next_hop, "next-hop"), (self.med, "med")] {
            if given {
                write!(f, " {word}")?;
            }
        }
        Ok(())
    }
}

/// What a neighbour or group says in one family. As in [`super::SessionSettings`], `None` and `false` say nothing.
/// [`super::EffectiveFamily`] is the outcome.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PeerFamily {
    /// The family is negotiated. Settled when the neighbour is made (`bgp default …`) and when it joins a group.
    pub activate: bool,
    pub add_path: AddPath,
    pub route_reflector_client: bool,
    /// Our address as next hop, on reflected routes too.
    pub next_hop_self_force: bool,
    pub next_hop_self: bool,
    pub remove_private_as: Option<RemovePrivateAs>,
    /// The neighbour's AS in paths sent to it becomes ours.
    pub as_override: bool,
    pub send_community: SendCommunity,
    pub default_originate: Option<DefaultOriginate>,
    /// What the neighbour sent is kept as it came, beside what the policy made of it.
    pub soft_reconfiguration: bool,
    /// Over iBGP, the validation state as a community (RFC 8097).
    pub send_rpki_state: bool,
    pub maximum_prefix: Option<MaximumPrefix>,
    /// Most prefixes sent to the neighbour.
    pub maximum_prefix_out: Option<u32>,
    pub route_server_client: bool,
    pub secondary_path: bool,
    pub reject_community: Option<RejectCommunity>,
    /// Optimal route reflection: the group whose root's view it is told.
    pub optimal_group: Option<PolicyName>,
    /// IPv6: a link-local next hop is passed on.
    pub nexthop_local_unchanged: bool,
    pub allowas_in: Option<AllowAsIn>,
    pub weight: Option<u16>,
    /// Access list.
    pub distribute_list: InOut,
    pub prefix_list: InOut,
    pub route_map: InOut,
    /// Route map whose matches are sent although an aggregate suppresses them.
    /// AS-path list.
    pub filter_list: InOut,
    pub unchanged: Unchanged,
    pub filters: PeerFilters,
}

impl Part for PeerFamily {
    fn of(settings: &PeerSettings, family: Family) -> Option<&Self> {
        settings.families.get(family)
    }

    fn of_mut(settings: &mut PeerSettings, family: Family) -> Option<&mut Self> {
        settings.families.get_mut(family)
    }

    fn normalise(&mut self, group: Option<&Self>) {
        self.send_community.normalise(group.map(|group| group.send_community).unwrap_or_default());
        let Some(group) = group else {
            if self.route_server_client && self.unchanged == Unchanged::NEXT_HOP {
                self.unchanged = Unchanged::default();
            }
            return;
        };
        self.distribute_list.normalise(&group.distribute_list);
        self.prefix_list.normalise(&group.prefix_list);
        self.route_map.normalise(&group.route_map);
        self.filter_list.normalise(&group.filter_list);
    }

    fn conflict(&self, group: Option<&Self>) -> Option<&'static str> {
        let either = |of: fn(&Self) -> &Option<PolicyName>| {
            of(self).is_some() || group.is_some_and(|group| of(group).is_some())
        };
        let import = either(|part| &part.prefix_list.import) && either(|part| &part.distribute_list.import);
        let export = either(|part| &part.prefix_list.export) && either(|part| &part.distribute_list.export);
        (import || export).then_some("Prefix/distribute list can not co-exist")
    }

    fn settle(&mut self, kind: Option<SessionKind>) {
        if kind == Some(SessionKind::Internal) {
            self.as_override = false;
            self.remove_private_as =
                self.remove_private_as.filter(|remove| *remove != RemovePrivateAs::default());
        } else {
            self.route_reflector_client = false;
        }
    }

    fn spread(&self, before: &Self, member: &mut Self) {
        if self.activate != before.activate {
            member.activate = self.activate;
        }
    }
}

impl Target<'_, PeerFamily> {
    fn internal(&self) -> bool {
        self.kind == Some(SessionKind::Internal)
    }
}

fn maximum_prefix(args: &Args) -> Result<MaximumPrefix, CliError> {
    let action = match args.parse_opt("minutes")? {
        Some(minutes) => PrefixLimitAction::Restart(minutes),
        None if args.has("warn") => PrefixLimitAction::Warn,
        None => PrefixLimitAction::Shutdown,
    };
    Ok(MaximumPrefix {
        limit: args.parse("limit")?,
        threshold: args.parse_opt("threshold")?.unwrap_or(THRESHOLD),
        action,
        force: args.has("force"),
    })
}

/// A row for names in the two directions.
macro_rules! in_out {
    ($field:ident, $name:literal, $variable:literal, $help:expr) => {
        PeerRow {
            syntax: concat!($name, " ", $variable, "$name <in|out>$direction"),
            help: $help,
            no: No::Derived,
            set: |target, args| {
                target.own.$field.set(args);
                Ok(())
            },
            unset: |target, args| {
                *target.own.$field.slot(args) = None;
                Ok(())
            },
            render: |settings, out| settings.$field.render($name, out),
            examples: &[concat!($name, " FOO in"), concat!($name, " FOO out")],
        }
    };
}

pub(super) static ROWS: &[PeerRow<PeerFamily>] = &[
    PeerRow {
        syntax: "activate",
        help: &["Enable the Address Family for this Neighbor"],
        no: No::Derived,
        set: |target, _| {
            target.own.activate = true;
            Ok(())
        },
        unset: |target, _| {
            target.own.activate = false;
            Ok(())
        },
        render: |settings, out| {
            if settings.activate != out.active_by_default {
                out.either(Some(settings.activate), "activate");
            }
        },
        examples: &[],
    },
    add_path::TX_ALL,
    add_path::TX_PER_AS,
    add_path::TX_BEST,
    add_path::DISABLE_RX,
    add_path::RX_LIMIT,
    PeerRow {
        syntax: "route-reflector-client",
        help: &["Configure a neighbor as Route Reflector client"],
        no: No::Derived,
        set: |target, _| {
            if !target.internal() {
                return Err(CliError::refused("Invalid command. Not an internal neighbor"));
            }
            target.own.route_reflector_client = true;
            Ok(())
        },
        unset: |target, _| {
            target.own.route_reflector_client = false;
            Ok(())
        },
        render: |settings, out| {
            if settings.route_reflector_client {
                out.yes("route-reflector-client");
            }
        },
        examples: &[], // the examples' neighbour is an external one
    },
    PeerRow {
        syntax: "next-hop-self <force|all>",
        help: &[
            "Disable the next hop calculation for this neighbor",
            "Set the next hop to self for reflected routes",
            "Set the next hop to self for reflected routes",
        ],
        no: No::Derived,
        set: |target, _| {
            target.own.next_hop_self_force = true;
            Ok(())
        },
        unset: |target, _| {
            target.own.next_hop_self_force = false;
            Ok(())
        },
        render: |settings, out| {
            if settings.next_hop_self_force {
                out.yes("next-hop-self force");
            }
        },
        examples: &["next-hop-self force"],
    },
    flag!(next_hop_self, "next-hop-self", &["Disable the next hop calculation for this neighbor"]),
    PeerRow {
        syntax: "remove-private-AS [all$all] [replace-AS$replace]",
        help: &[
            "Remove private ASNs in outbound updates",
            "Apply to all AS numbers",
            "Replace private ASNs with our ASN in outbound updates",
        ],
        no: No::Derived,
        set: |target, args| {
            let remove = RemovePrivateAs::read(args);
            // FRR looks at the plain form only; none of them does anything in a session within the AS.
            if target.internal() && remove == RemovePrivateAs::default() {
                return Err(CliError::refused("remove-private-AS cannot be configured for IBGP peers"));
            }
            target.own.remove_private_as = Some(remove);
            Ok(())
        },
        unset: |target, args| {
            let named = RemovePrivateAs::read(args);
            if named == RemovePrivateAs::default() || target.own.remove_private_as == Some(named) {
                target.own.remove_private_as = None;
            }
            Ok(())
        },
        render: |settings, out| {
            if let Some(remove) = settings.remove_private_as {
                out.yes(remove);
            }
        },
        examples: &[
            "remove-private-AS",
            "remove-private-AS all",
            "remove-private-AS replace-AS",
            "remove-private-AS all replace-AS",
        ],
    },
    PeerRow {
        syntax: "as-override",
        help: &["Override ASNs in outbound updates if aspath equals remote-as"],
        no: No::Derived,
        set: |target, _| {
            if target.internal() {
                return Err(CliError::refused("as-override cannot be configured for IBGP peers"));
            }
            target.own.as_override = true;
            Ok(())
        },
        unset: |target, _| {
            target.own.as_override = false;
            Ok(())
        },
        render: |settings, out| {
            if settings.as_override {
                out.yes("as-override");
            }
        },
        examples: &["as-override"],
    },
    PeerRow {
        syntax: "send-community [<both|all|extended|standard|large>$kind]",
        help: &[
            "Send Community attribute to this neighbor",
            "Send Standard and Extended Community attributes",
            "Send Standard, Large and Extended Community attributes",
            "Send Extended Community attributes",
            "Send Standard Community attributes",
            "Send Large Community attributes",
        ],
        no: No::Derived,
        set: |target, args| {
            target.own.send_community.set(args.get("kind"), true);
            Ok(())
        },
        unset: |target, args| {
            target.own.send_community.set(args.get("kind"), false);
            Ok(())
        },
        render: |settings, out| settings.send_community.render(out),
        examples: &["no send-community", "no send-community all", "no send-community extended"],
    },
    flag!(
        send_rpki_state,
        "send-community extended rpki",
        &[
            "Send Community attribute to this neighbor",
            "Send Extended Community attributes",
            "Send RPKI Extended Community attributes"
        ]
    ),
    PeerRow {
        syntax: "default-originate [route-map RMAP_NAME$name]",
        help: &[
            "Originate default route to this neighbor",
            "Route-map to specify criteria to originate default",
            "route-map name",
        ],
        no: No::Derived,
        set: |target, args| {
            let route_map = args.get("name").map(PolicyName::new);
            target.own.default_originate = Some(DefaultOriginate { route_map });
            Ok(())
        },
        unset: |target, _| {
            target.own.default_originate = None;
            Ok(())
        },
        render: |settings, out| match &settings.default_originate {
            Some(DefaultOriginate { route_map: None }) => out.yes("default-originate"),
            Some(DefaultOriginate { route_map }) => {
                out.value("default-originate route-map", route_map.as_ref());
            }
            None => {}
        },
        examples: &["default-originate", "default-originate route-map FOO"],
    },
    flag!(
        soft_reconfiguration,
        "soft-reconfiguration inbound",
        &["Per neighbor soft reconfiguration", "Allow inbound soft reconfiguration for this neighbor"]
    ),
    PeerRow {
        syntax: "maximum-prefix (1-4294967295)$limit [(1-100)$threshold] \
                 [<restart (1-65535)$minutes|warning-only$warn>] [force$force]",
        help: &[
            "Maximum number of prefix accept from this peer",
            "maximum no. of prefix limit",
            "Threshold value (%) at which to generate a warning msg",
            "Restart bgp connection after limit is exceeded",
            "Restart interval in minutes",
            "Only give warning message when limit is exceeded",
            "Force checking all received routes not only accepted",
        ],
        no: No::Syntax(
            "maximum-prefix [(1-4294967295) [(1-100)] [restart (1-65535)] [warning-only] [force]]",
            &[
                "Maximum number of prefix accept from this peer",
                "maximum no. of prefix limit",
                "Threshold value (%) at which to generate a warning msg",
                "Restart bgp connection after limit is exceeded",
                "Restart interval in minutes",
                "Only give warning message when limit is exceeded",
                "Force checking all received routes not only accepted",
            ],
        ),
        set: |target, args| {
            target.own.maximum_prefix = Some(maximum_prefix(args)?);
            Ok(())
        },
        unset: |target, _| {
            target.own.maximum_prefix = None;
            Ok(())
        },
        render: |settings, out| out.value("maximum-prefix", settings.maximum_prefix),
        examples: &[
            "maximum-prefix 1000",
            "maximum-prefix 1000 90 restart 5",
            "maximum-prefix 1000 warning-only force",
        ],
    },
    number!(
        maximum_prefix_out,
        "maximum-prefix-out",
        "(1-4294967295)",
        &["Maximum number of prefixes to be sent to this peer", "Maximum no. of prefix limit"],
        "500"
    ),
    PeerRow {
        syntax: "route-server-client",
        help: &["Configure a neighbor as Route Server client"],
        no: No::Derived,
        set: |target, _| {
            target.own.route_server_client = true;
            Ok(())
        },
        unset: |target, _| {
            target.own.route_server_client = false;
            Ok(())
        },
        render: |settings, out| {
            if settings.route_server_client {
                out.yes("route-server-client");
            }
        },
        examples: &["route-server-client"],
    },
    reflection::SECONDARY_PATH,
    reflection::REJECT_COMMUNITY,
    super::optimal::NEIGHBOR,
    PeerRow {
        syntax: "nexthop-local unchanged",
        help: &[
            "Configure treatment of outgoing link-local nexthop attribute",
            "Leave link-local nexthop unchanged for this peer",
        ],
        no: No::Derived,
        set: |target, _| {
            target.own.nexthop_local_unchanged = true;
            Ok(())
        },
        unset: |target, _| {
            target.own.nexthop_local_unchanged = false;
            Ok(())
        },
        render: |settings, out| {
            if settings.nexthop_local_unchanged {
                out.yes("nexthop-local unchanged");
            }
        },
        examples: &["nexthop-local unchanged"],
    },
    PeerRow {
        syntax: "allowas-in [<(1-10)$times|origin$origin>]",
        help: &[
            "Accept as-path with my AS present in it",
            "Number of occurrences of AS number",
            "Only accept my AS in the as-path if the route was originated in my AS",
        ],
        no: No::Derived,
        set: |target, args| {
            let times = args.parse_opt("times")?.unwrap_or(ALLOWAS_IN);
            let allowed = if args.has("origin") { AllowAsIn::Origin } else { AllowAsIn::Times(times) };
            target.own.allowas_in = Some(allowed);
            Ok(())
        },
        unset: |target, _| {
            target.own.allowas_in = None;
            Ok(())
        },
        render: |settings, out| match settings.allowas_in {
            Some(AllowAsIn::Origin) => out.yes("allowas-in origin"),
            Some(AllowAsIn::Times(ALLOWAS_IN)) => out.yes("allowas-in"),
            Some(AllowAsIn::Times(times)) => out.yes(format!("allowas-in {times}")),
            None => {}
        },
        examples: &["allowas-in", "allowas-in 5", "allowas-in origin"],
    },
    number!(
        weight,
        "weight",
        "(0-65535)",
        &["Set default weight for routes from this neighbor", "default weight"],
        "5"
    ),
    in_out!(
        distribute_list,
        "distribute-list",
        "ACCESSLIST_NAME",
        &[
            "Filter updates to/from this neighbor",
            "IP Access-list name",
            "Filter incoming updates",
            "Filter outgoing updates"
        ]
    ),
    in_out!(
        prefix_list,
        "prefix-list",
        "PREFIXLIST_NAME",
        &[
            "Filter updates to/from this neighbor",
            "Name of a prefix list",
            "Filter incoming updates",
            "Filter outgoing updates"
        ]
    ),
    in_out!(
        route_map,
        "route-map",
        "RMAP_NAME",
        &[
            "Apply route map to neighbor",
            "Name of route map",
            "Apply map to incoming routes",
            "Apply map to outbound routes"
        ]
    ),
    in_out!(
        filter_list,
        "filter-list",
        "AS_PATH_FILTER_NAME",
        &[
            "Establish BGP filters",
            "AS path access-list name",
            "Filter incoming routes",
            "Filter outgoing routes"
        ]
    ),
    PeerRow {
        syntax: "attribute-unchanged [{as-path$as_path|next-hop$next_hop|med$med}]",
        help: &[
            "BGP attribute is propagated unchanged to this neighbor",
            "As-path attribute",
            "Nexthop attribute",
            "Med attribute",
        ],
        no: No::Derived,
        set: |target, args| {
            target.own.unchanged = Unchanged::read(args);
            Ok(())
        },
        unset: |target, args| {
            target.own.unchanged = target.own.unchanged.without(Unchanged::read(args));
            Ok(())
        },
        render: |settings, out| {
            if settings.unchanged != Unchanged::default() {
                out.yes(settings.unchanged);
            } else if settings.route_server_client && !out.member {
                // A client is sent everything unchanged; FRR shows this much of it.
                out.yes(Unchanged::NEXT_HOP);
            }
        },
        examples: &["attribute-unchanged as-path", "attribute-unchanged as-path next-hop med"],
    },
];

/// What `allowas-in` without a number means.
const ALLOWAS_IN: u8 = 3;
