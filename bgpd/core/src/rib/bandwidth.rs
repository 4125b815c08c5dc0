//! Link bandwidth (draft-ietf-idr-link-bandwidth): how traffic is shared among the paths of a prefix, and what a neighbour is
//! told of all of them together.

use bgp_packet::attr::Attributes;
use ferrite_types::{Asn, ExtCommunity};

/// Subtype of the community.
const LINK_BANDWIDTH: u8 = 0x04;

/// What multipath makes of bandwidths (`bgp bestpath bandwidth`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum BandwidthUse {
    /// Weighted where every path has one.
    #[default]
    IfAll,
    Ignore,
    /// Paths without one get nothing, where another has one.
    SkipMissing,
    /// Paths without one get the least share.
    LeastForMissing,
}

/// All paths that share a prefix's traffic.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Shared {
    pub paths: u32,
    /// Octets per second of all of them; `None` where one has no bandwidth.
    pub octets: Option<f64>,
}

pub fn is_bandwidth(community: &ExtCommunity) -> bool {
    community.kind() & !0x40 == 0 && community.subtype() == LINK_BANDWIDTH
}

fn value(community: ExtCommunity) -> [u8; 4] {
    let [_, _, _, _, value @ ..] = community.0;
    value
}

/// Octets per second.
pub fn bandwidth(attrs: &Attributes) -> Option<f64> {
    let found = attrs.ext_communities.iter().copied().find(is_bandwidth)?;
    let octets = f64::from(f32::from_be_bytes(value(found)));
    (octets.is_finite() && octets >= 0.0).then_some(octets)
}

/// The community for so many octets per second.
pub fn community(asn: Asn, octets: f64, transitive: bool) -> ExtCommunity {
    let [a, b] = u16::try_from(asn.0).unwrap_or(Asn::TRANS.0 as u16).to_be_bytes();
    let [c, d, e, f] = (octets as f32).to_be_bytes();
    ExtCommunity([if transitive { 0x00 } else { 0x40 }, LINK_BANDWIDTH, a, b, c, d, e, f])
}

/// Writes every bandwidth of a route anew, `convert`ed.
fn rewrite(attrs: &mut Attributes, convert: fn([u8; 4]) -> [u8; 4]) {
    let mut all = attrs.ext_communities.to_vec();
    for community in all.iter_mut().filter(|community| is_bandwidth(community)) {
        let [kind, subtype, a, b, ..] = community.0;
        let [c, d, e, f] = convert(value(*community));
        *community = ExtCommunity([kind, subtype, a, b, c, d, e, f]);
    }
    all.sort_unstable();
    attrs.ext_communities = all.into();
}

pub fn has_any(attrs: &Attributes) -> bool {
    attrs.ext_communities.iter().any(is_bandwidth)
}

/// `disable-link-bw-encoding-ieee`: what the neighbour wrote as an integer, as the number it means.
pub fn from_integer(attrs: &mut Attributes) {
    rewrite(attrs, |octets| (u32::from_be_bytes(octets) as f32).to_be_bytes());
}

/// The other way round.
pub fn to_integer(attrs: &mut Attributes) {
    rewrite(attrs, |octets| (f32::from_be_bytes(octets) as u32).to_be_bytes());
}

/// Replaces a route's bandwidth, its kind kept.
pub fn replace(attrs: &mut Attributes, asn: Asn, octets: f64) {
    let transitive = attrs.ext_communities.iter().find(|c| is_bandwidth(c)).is_none_or(|c| c.is_transitive());
    let mut all: Vec<ExtCommunity> =
        attrs.ext_communities.iter().copied().filter(|c| !is_bandwidth(c)).collect();
    all.push(community(asn, octets, transitive));
    all.sort_unstable();
    attrs.ext_communities = all.into();
}

/// Shares of paths with these bandwidths, 1 to 100; `None` leaves the path out. Equal shares are one each.
pub fn weights(how: BandwidthUse, paths: &[Option<f64>]) -> Vec<Option<u8>> {
    let known: f64 = paths.iter().flatten().sum();
    let any = paths.iter().any(Option::is_some) && known > 0.0;
    let complete = paths.iter().all(Option::is_some);
    let weighted =
        any && paths.len() > 1 && how != BandwidthUse::Ignore && (complete || how != BandwidthUse::IfAll);
    if !weighted {
        return vec![Some(1); paths.len()];
    }
    let share = |octets: f64| ((octets * 100.0 / known) as u8).clamp(1, 100);
    let missing = (how == BandwidthUse::LeastForMissing).then_some(1);
    paths.iter().map(|octets| octets.map_or(missing, |octets| Some(share(octets)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_follow_the_bandwidths_where_the_mode_says_so() {
        let all = [Some(1000.0), Some(3000.0)];
        assert_eq!(weights(BandwidthUse::IfAll, &all), [Some(25), Some(75)]);
        assert_eq!(weights(BandwidthUse::Ignore, &all), [Some(1), Some(1)]);
        let missing = [Some(1000.0), None, Some(1000.0)];
        assert_eq!(weights(BandwidthUse::IfAll, &missing), [Some(1), Some(1), Some(1)]);
        assert_eq!(weights(BandwidthUse::SkipMissing, &missing), [Some(50), None, Some(50)]);
        assert_eq!(weights(BandwidthUse::LeastForMissing, &missing), [Some(50), Some(1), Some(50)]);
        assert_eq!(weights(BandwidthUse::SkipMissing, &[None, None]), [Some(1), Some(1)]);
        assert_eq!(weights(BandwidthUse::IfAll, &[Some(0.0), Some(0.0)]), [Some(1), Some(1)]);
    }
}
