//! What a neighbour or group says in one family beyond its plain policy: conditional advertisement, routes that an
//! aggregate would hide, outbound route filtering (RFC 5291, RFC 5292), site of origin, dampening.

use std::fmt;

use ferrite_types::ExtCommunity;

use super::dampening::{self, Dampening};
use super::peer::{No, PeerRow};
use super::peer_family::PeerFamily;
use super::types::PolicyName;
use ferrite_cli::CliError;

/// `neighbor X advertise-map A exist-map|non-exist-map B`: routes that A permits are sent only while the table has
/// (or has not) a route that B permits.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct AdvertiseMap {
    pub routes: PolicyName,
    pub condition: PolicyName,
    /// `exist-map`; otherwise `non-exist-map`.
    pub exists: bool,
}

impl fmt::Display for AdvertiseMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.exists { "exist-map" } else { "non-exist-map" };
        write!(f, "{} {word} {}", self.routes, self.condition)
    }
}

/// `capability orf prefix-list send|receive|both`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Orf {
    pub send: bool,
    pub receive: bool,
}

impl Orf {
    fn word(self) -> &'static str {
        match (self.send, self.receive) {
            (true, true) => "both",
            (true, false) => "send",
            (false, _) => "receive",
        }
    }

    fn read(word: &str) -> Self {
        Self { send: matches!(word, "send" | "both"), receive: matches!(word, "receive" | "both") }
    }

    pub const fn any(self) -> bool {
        self.send || self.receive
    }
}

/// `None` and the default say nothing: a member then has its group's.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PeerFilters {
    pub dampening: Option<Dampening>,
    pub orf: Orf,
    /// Added to what comes; what has it already is not sent.
    pub soo: Option<ExtCommunity>,
    /// Routes that it permits are sent although an aggregate suppresses them.
    pub unsuppress_map: Option<PolicyName>,
    pub advertise_map: Option<AdvertiseMap>,
}

impl PeerFilters {
    pub(super) fn over(&self, group: &Self) -> Self {
        Self {
            dampening: self.dampening.or(group.dampening),
            orf: if self.orf.any() { self.orf } else { group.orf },
            soo: self.soo.or(group.soo),
            unsuppress_map: self.unsuppress_map.clone().or_else(|| group.unsuppress_map.clone()),
            advertise_map: self.advertise_map.clone().or_else(|| group.advertise_map.clone()),
        }
    }
}

pub(super) static ROWS: &[PeerRow<PeerFamily>] = &[
    PeerRow {
        syntax: "dampening [(1-45)$half [(1-20000)$reuse (1-20000)$suppress (1-255)$max]]",
        help: &dampening::HELP,
        no: No::Syntax("dampening [(1-45) [(1-20000) (1-20000) (1-255)]]", &dampening::HELP),
        set: |target, args| {
            target.own.filters.dampening = Some(Dampening::read(args)?);
            Ok(())
        },
        unset: |target, _| {
            target.own.filters.dampening = None;
            Ok(())
        },
        render: |settings, out| {
            if let Some(value) = settings.filters.dampening {
                out.yes(format!("dampening{value}"));
            }
        },
        examples: &["dampening", "dampening 10", "dampening 5 700 1900 20"],
    },
    PeerRow {
        syntax: "capability orf prefix-list <both|send|receive>$mode",
        help: &[
            "Advertise capability to the peer",
            "Advertise ORF capability to the peer",
            "Advertise prefixlist ORF capability to this neighbor",
            "Capability to SEND and RECEIVE the ORF to/from this neighbor",
            "Capability to SEND the ORF to this neighbor",
            "Capability to RECEIVE the ORF from this neighbor",
        ],
        no: No::Derived,
        set: |target, args| {
            target.own.filters.orf = Orf::read(args.get("mode").unwrap_or_default());
            Ok(())
        },
        unset: |target, args| {
            let named = args.get("mode").map_or(Orf { send: true, receive: true }, Orf::read);
            let orf = &mut target.own.filters.orf;
            *orf = Orf { send: orf.send && !named.send, receive: orf.receive && !named.receive };
            Ok(())
        },
        render: |settings, out| {
            let orf = settings.filters.orf;
            out.value("capability orf prefix-list", orf.any().then(|| orf.word()));
        },
        examples: &["capability orf prefix-list both", "capability orf prefix-list send"],
    },
    PeerRow {
        syntax: "unsuppress-map WORD$name",
        help: &["Route-map to selectively unsuppress suppressed routes", "Name of route map"],
        no: No::Derived,
        set: |target, args| {
            target.own.filters.unsuppress_map = args.get("name").map(PolicyName::new);
            Ok(())
        },
        unset: |target, _| {
            target.own.filters.unsuppress_map = None;
            Ok(())
        },
        render: |settings, out| out.value("unsuppress-map", settings.filters.unsuppress_map.as_ref()),
        examples: &["unsuppress-map FOO"],
    },
    PeerRow {
        syntax: "advertise-map RMAP_NAME$routes <exist-map|non-exist-map>$when RMAP_NAME$condition",
        help: &[
            "Route-map to conditionally advertise routes",
            "Name of advertise map",
            "Advertise routes only if prefixes in exist-map are installed in BGP table",
            "Advertise routes only if prefixes in non-exist-map are not installed in BGP table",
            "Name of the exist or non-exist map",
        ],
        no: No::Derived,
        set: |target, args| {
            let (Some(routes), Some(condition)) = (args.get("routes"), args.get("condition")) else {
                return Err(CliError::Unknown);
            };
            target.own.filters.advertise_map = Some(AdvertiseMap {
                routes: PolicyName::new(routes),
                condition: PolicyName::new(condition),
                exists: args.get("when") == Some("exist-map"),
            });
            Ok(())
        },
        unset: |target, _| {
            target.own.filters.advertise_map = None;
            Ok(())
        },
        render: |settings, out| out.value("advertise-map", settings.filters.advertise_map.as_ref()),
        examples: &["advertise-map FOO exist-map BAR", "advertise-map FOO non-exist-map BAR"],
    },
];

/// Without an old place right under `router bgp`.
pub(super) static IN_FAMILY: &[PeerRow<PeerFamily>] = &[PeerRow {
    syntax: "soo ASN:NN_OR_IP-ADDRESS:NN$soo",
    help: &["Set the Site-of-Origin (SoO) extended community", "VPN extended community"],
    no: No::Derived,
    set: |target, args| {
        let text = args.get("soo").unwrap_or_default();
        let soo = ExtCommunity::parse_admin(ExtCommunity::SITE_OF_ORIGIN, text);
        target.own.filters.soo =
            Some(soo.map_err(|_| CliError::refused("% Malformed SoO extended community"))?);
        Ok(())
    },
    unset: |target, _| {
        target.own.filters.soo = None;
        Ok(())
    },
    render: |settings, out| out.value("soo", settings.filters.soo.and_then(ExtCommunity::admin_text)),
    examples: &["soo 65001:3"],
}];

/// All of them, in the order of the running configuration.
pub(super) fn all() -> impl Iterator<Item = &'static PeerRow<PeerFamily>> {
    ROWS.iter().chain(IN_FAMILY)
}
