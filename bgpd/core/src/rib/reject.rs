//! A reason community for refused routes: with `neighbor X reject-community ASN:FUNCTION` a route that is refused is kept
//! beside the table, and shows carry the large community `ASN:FUNCTION:NUMBER`, where the number says why. What the
//! neighbour sent stays as it came: the number stands with the attribute set, and the community is made for shows.
//!
//! | number | refused because |
//! | --- | --- |
//! | 1 | the session has no import policy (RFC 8212) |
//! | 2 | the first AS of the path is not the neighbour's |
//! | 3 | AS_SET in the path |
//! | 4 | our own AS in the path |
//! | 5, 6 | ORIGINATOR_ID or CLUSTER_LIST loop |
//! | 7, 9 | the next hop cannot be used; as received, as policy set it |
//! | 8 | policy denies it |
//! | 10 | route leak (RFC 9234) |
//! | 11 | it is for other routers (node target) |
//! | 20, 21, 22 | distribute list, prefix list, filter list |
//! | 23 | no entry of the route map matched, or there is no such map |
//! | 1000 + n | entry n of the route map denies it |
//!
//! Where a show is about what a neighbour is not sent, its community says why in the same way:
//!
//! | number | not sent because |
//! | --- | --- |
//! | 101 | the session has no export policy (RFC 8212) |
//! | 102 | a well-known community keeps it here |
//! | 104, 105 | iBGP to iBGP; between clients |
//! | 106 | export policy denies it |
//! | 107 | it is for customers only (RFC 9234) |
//! | 108 | the neighbour's AS is in the path |
//! | 109 | we have no next hop to give |
//! | 110 | an aggregate suppresses it |
//! | 111 | `maximum-prefix-out` |
//! | 112 | it does not fit into a message |
//! | 113 | the neighbour's outbound route filter denies it |
//! | 114 | the condition of `advertise-map` |
//! | 115 | the neighbour's site of origin |
//! | 199 | something else is told in its place |

use bgp_packet::attr::Attributes;
use ferrite_types::LargeCommunity;

use super::policy::PolicyStep;
use super::reason::{Refusal, Withheld};

/// The first two parts of the community.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RejectCommunity {
    pub asn: u32,
    pub function: u32,
}

/// The number of a reason; never zero. `step`: the last that policy took.
pub fn number(refusal: Refusal, step: Option<&PolicyStep>) -> u32 {
    match refusal {
        Refusal::NoPolicy => 1,
        Refusal::FirstAs => 2,
        Refusal::AsSet => 3,
        Refusal::AsLoop => 4,
        Refusal::OriginatorLoop => 5,
        Refusal::ClusterLoop => 6,
        Refusal::NextHop => 7,
        Refusal::NextHopAfterPolicy => 9,
        Refusal::RouteLeak => 10,
        Refusal::NodeTarget => 11,
        Refusal::Policy => match step {
            None => 8,
            Some(PolicyStep::List { kind, .. } | PolicyStep::Missing { kind, .. }) => match *kind {
                "distribute-list" => 20,
                "prefix-list" => 21,
                "filter-list" => 22,
                _ => 23,
            },
            Some(PolicyStep::RouteMap(trace)) => trace.by.map_or(23, |seq| 1000 + u32::from(seq)),
        },
    }
}

/// The number of a reason why a neighbour is not told.
pub const fn withheld_number(withheld: Withheld) -> u32 {
    match withheld {
        Withheld::NoPolicy => 101,
        Withheld::Community(_) => 102,
        Withheld::InternalToInternal => 104,
        Withheld::ClientToClient => 105,
        Withheld::Policy => 106,
        Withheld::OnlyToCustomer => 107,
        Withheld::AsLoop => 108,
        Withheld::NoNextHop => 109,
        Withheld::Suppressed => 110,
        Withheld::MaximumPrefixOut => 111,
        Withheld::TooBig => 112,
        Withheld::OutboundFilter => 113,
        Withheld::Condition => 114,
        Withheld::SiteOfOrigin => 115,
        Withheld::SplitHorizon | Withheld::DefaultOriginate | Withheld::NotChosen => 199,
    }
}

/// Adds the community to attributes about to be shown, in place of any of its kind that the neighbour made up.
pub fn mark(attrs: &mut Attributes, community: RejectCommunity, number: u32) {
    let mut list = attrs.large_communities.to_vec();
    list.retain(|other| (other.global, other.local1) != (community.asn, community.function));
    list.push(LargeCommunity { global: community.asn, local1: community.function, local2: number });
    list.sort_unstable();
    list.dedup();
    attrs.large_communities = list.into();
}
