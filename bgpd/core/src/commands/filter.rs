//! What `show bgp` leaves of the table: `community`, `regexp`, `prefix-list`, `longer-prefixes` and the rest.

use std::sync::Arc;

use ferrite_cli::Args;
use ferrite_policy::access_list::CompiledAccessList;
use ferrite_policy::as_path_list::CompiledAsPathList;
use ferrite_policy::community_list::{CommunityMatch, CompiledCommunityList};
use ferrite_policy::prefix_list::CompiledPrefixList;
use ferrite_rpki::OriginState;
use ferrite_types::{Afi, Community, LargeCommunity, Prefix, RouteProtocol};

use crate::instance::Instance;
use crate::instance::filter::{ChainKey, Filters, Place};
use crate::rib::policy::Filter;
use crate::rib::query::{PathSource, PathView, PrefixView};
use crate::rib::rpki::{Judge, RpkiView};
use crate::rib::{PeerId, PolicyInput, Verdict};

/// A test of one path.
#[derive(Debug)]
pub enum RowFilter {
    All,
    /// `neighbors X routes`.
    From(PeerId),
    Within(Prefix),
    Exactly(Prefix),
    /// `neighbors X bestpath-routes`.
    BestFrom(PeerId),
    CidrOnly,
    Since(u64),
    SelfOriginated,
    Communities {
        values: Vec<Community>,
        exact: bool,
    },
    LargeCommunities {
        values: Vec<LargeCommunity>,
        exact: bool,
    },
    CommunityList(Arc<CompiledCommunityList<Community>>, CommunityMatch),
    LargeCommunityList(Arc<CompiledCommunityList<LargeCommunity>>, CommunityMatch),
    PathList(Arc<CompiledAsPathList>),
    PathRegex(ferrite_policy::regex::Regex),
    PrefixList(Arc<CompiledPrefixList>),
    AccessList(Arc<CompiledAccessList>),
    RouteMap(Arc<dyn Filter>, Judge),
    Rpki(OriginState, Judge),
}

impl RowFilter {
    /// The filter of a command line; the error is what the operator is told.
    pub fn read(instance: &Instance, afi: Afi, args: &Args) -> Result<Self, String> {
        let policies = &instance.policies;
        let how = if args.has("exact-match") { CommunityMatch::Exact } else { CommunityMatch::Included };
        let list = |name: &str, what: &str| format!("% {name} {what} not found\n");
        let bad = |error: ferrite_types::ParseError| format!("% {error}\n");
        Ok(if args.has("longer-prefixes") {
            Self::Within(args.parse("prefix").map_err(|error| format!("{error}\n"))?)
        } else if let Ok(Some(prefix)) = args.parse_opt("prefix") {
            Self::Exactly(prefix)
        } else if args.has("cidr-only") {
            Self::CidrOnly
        } else if args.has("self-originate") {
            Self::SelfOriginated
        } else if let Ok(Some(since)) = args.parse_opt("since") {
            Self::Since(since)
        } else if args.has("community") {
            let values = args.all("communities").map(str::parse).collect::<Result<Vec<Community>, _>>();
            let words = || args.all("communities").collect::<Vec<_>>().join(" ");
            let mut values = values.map_err(|_| format!("% Community malformed: {}\n", words()))?;
            values.sort_unstable();
            Self::Communities { values, exact: args.has("exact-match") }
        } else if args.has("large-community") {
            let values = args.all("large").map(str::parse).collect::<Result<Vec<LargeCommunity>, _>>();
            let mut values = values.map_err(bad)?;
            values.sort_unstable();
            Self::LargeCommunities { values, exact: args.has("exact-match") }
        } else if let Some(name) = args.get("alias") {
            let value = instance.config.community_aliases.value(name);
            let value = value.ok_or_else(|| format!("% {name} is not a community alias\n"))?;
            match (value.parse(), value.parse()) {
                (Ok(community), _) => Self::Communities { values: vec![community], exact: false },
                (Err(_), Ok(large)) => Self::LargeCommunities { values: vec![large], exact: false },
                (Err(_), Err(error)) => return Err(bad(error)),
            }
        } else if let Some(name) = args.get("community_list") {
            let found = policies.community_list(name).cloned();
            Self::CommunityList(found.ok_or_else(|| list(name, "community-list"))?, how)
        } else if let Some(name) = args.get("large_list") {
            let found = policies.large_community_list(name).cloned();
            Self::LargeCommunityList(found.ok_or_else(|| list(name, "large-community-list"))?, how)
        } else if let Some(name) = args.get("filter_list") {
            let found = policies.as_path_list(name).cloned();
            Self::PathList(found.ok_or_else(|| list(name, "AS-path access-list"))?)
        } else if args.has("pattern") {
            let pattern = args.all("pattern").collect::<Vec<_>>().join(" ");
            let compiled = ferrite_policy::regex::compile(&pattern);
            Self::PathRegex(compiled.map_err(|_| format!("Can't compile regexp {pattern}\n"))?)
        } else if let Some(name) = args.get("prefix_list") {
            let found = policies.prefix_list(afi, name).cloned();
            Self::PrefixList(found.ok_or_else(|| list(name, "prefix-list"))?)
        } else if let Some(name) = args.get("access_list") {
            let found = policies.access_list(afi, name).cloned();
            Self::AccessList(found.ok_or_else(|| list(name, "access-list"))?)
        } else if let Some(name) = args.get("route_map") {
            if policies.route_map(name).is_none() {
                return Err(list(name, "route-map"));
            }
            let key = ChainKey::map(Place::Local, afi, &crate::config::PolicyName::new(name));
            let asn = instance.router().map_or(ferrite_types::Asn(0), |router| router.asn.asn);
            Self::RouteMap(
                Filters::default().get(&key, policies, &instance.config.community_aliases, asn),
                instance.judge(),
            )
        } else if let Some(Ok(state)) = args.get("rpki_state").map(str::parse) {
            Self::Rpki(state, instance.judge())
        } else {
            Self::All
        })
    }

    /// Prefixes that a walk can leave out from the start.
    pub fn within(&self) -> Option<Prefix> {
        match self {
            Self::Within(prefix) | Self::Exactly(prefix) => Some(*prefix),
            _ => None,
        }
    }

    /// What it hides is counted as filtered below a neighbour's table.
    pub const fn counts_hidden(&self) -> bool {
        matches!(self, Self::RouteMap(..))
    }

    pub fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// Whether a path is shown.
    pub fn shows(&self, row: &PrefixView, path: &PathView) -> bool {
        let attrs = &path.attrs;
        match self {
            Self::All => true,
            Self::From(peer) => path.source == PathSource::Peer(*peer) && !path.filtered,
            Self::BestFrom(peer) => path.source == PathSource::Peer(*peer) && path.best,
            Self::Within(prefix) => prefix.covers(row.prefix),
            Self::Exactly(prefix) => *prefix == row.prefix,
            Self::CidrOnly => !classful(row.prefix),
            Self::Since(version) => row.version >= *version,
            Self::SelfOriginated => !matches!(path.source, PathSource::Peer(_)),
            Self::Communities { values, exact: true } => **values == *attrs.communities,
            Self::Communities { values, exact: false } if values.is_empty() => !attrs.communities.is_empty(),
            Self::Communities { values, exact: false } => {
                values.iter().all(|value| attrs.communities.binary_search(value).is_ok())
            }
            Self::LargeCommunities { values, .. } if values.is_empty() => !attrs.large_communities.is_empty(),
            Self::LargeCommunities { values, exact: true } => **values == *attrs.large_communities,
            Self::LargeCommunities { values, exact: false } => {
                values.iter().all(|value| attrs.large_communities.binary_search(value).is_ok())
            }
            Self::CommunityList(list, how) => list.permits(&attrs.communities, *how),
            Self::LargeCommunityList(list, how) => list.permits(&attrs.large_communities, *how),
            Self::PathList(list) => list.permits(&attrs.as_path.to_string()),
            Self::PathRegex(regex) => regex.is_match(&attrs.as_path.to_string()),
            Self::PrefixList(list) => list.permits(row.prefix),
            Self::AccessList(list) => list.permits(row.prefix),
            Self::RouteMap(map, judge) => permitted(&**map, row, path, judge.view()),
            Self::Rpki(state, judge) => judge.origin_state(row.prefix, attrs) == Some(*state),
        }
    }
}

/// What a route map says; what it would change is not shown, as in FRR.
fn permitted(map: &dyn Filter, row: &PrefixView, path: &PathView, rpki: RpkiView<'_>) -> bool {
    let mut input = PolicyInput {
        prefix: row.prefix,
        attrs: std::borrow::Cow::Borrowed(&path.attrs),
        source: None,
        peer: None,
        source_protocol: match path.source {
            PathSource::Redistributed(protocol) => protocol,
            _ => RouteProtocol::Bgp,
        },
        weight: path.weight,
        tag: path.tag,
        distance: None,
        table: None,
        fib_metric: None,
        interface: None,
        nexthop_set: false,
        link_local_set: false,
        nexthop_unchanged: false,
        prefer_global: false,
        nexthop_peer_address: false,
        received_med: None,
        default_local_pref: 100,
        rpki,
        shared: crate::rib::bandwidth::Shared::default(),
        igp_metric: path.igp_metric,
    };
    map.apply(&mut input) == Verdict::Permit
}

/// Whether the length is that of the address's class.
fn classful(prefix: Prefix) -> bool {
    let Prefix::V4(prefix) = prefix else { return false };
    let class = match prefix.addr().octets()[0] {
        0..=127 => 8,
        128..=191 => 16,
        192..=223 => 24,
        _ => return false,
    };
    prefix.len() == class
}
