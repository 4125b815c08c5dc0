//! Link bandwidth (draft-ietf-idr-link-bandwidth): how traffic is shared among the paths of a prefix, and what a neighbour is
//! told of all of them together.

use bgp_packet::attr::{AttrCode, Attributes, RareAttributes, RawAttribute, flags};
use ferrite_types::{Asn, ExtCommunity, Ipv6ExtCommunity};

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
    let Some(found) = attrs.ext_communities.iter().copied().find(is_bandwidth) else {
        return extended(attrs).map(|(_, octets)| octets as f64);
    };
    let octets = f64::from(f32::from_be_bytes(value(found)));
    (octets.is_finite() && octets >= 0.0).then_some(octets)
}

/// The first bandwidth of 64 bits, and its octets per second.
fn extended(attrs: &Attributes) -> Option<(Ipv6ExtCommunity, u64)> {
    let mut all = attrs.rare.as_deref()?.ipv6_ext_communities();
    all.find_map(|community| community.as_link_bandwidth().map(|(_, octets)| (community, octets)))
}

/// Writes the communities of 20 octets anew without a bandwidth, and with `more`.
fn put_extended(attrs: &mut Attributes, more: Option<Ipv6ExtCommunity>) {
    if more.is_none() && extended(attrs).is_none() {
        return;
    }
    let mut rare = attrs.rare.take().map_or_else(RareAttributes::default, |rare| *rare);
    let kept = rare.ipv6_ext_communities().filter(|community| community.as_link_bandwidth().is_none());
    let value: Vec<u8> = kept.chain(more).flat_map(|community| community.0).collect();
    let code = AttrCode::IPV6_EXT_COMMUNITIES.0;
    let mut unknown = std::mem::take(&mut rare.unknown).into_vec();
    unknown.retain(|raw| raw.code != code);
    if !value.is_empty() {
        unknown.push(RawAttribute { flags: flags::OPTIONAL_TRANSITIVE, code, value: value.into() });
        unknown.sort_by_key(|raw| raw.code);
    }
    rare.unknown = unknown.into();
    attrs.rare = (rare != RareAttributes::default()).then(|| Box::new(rare));
}

/// Gives a route a bandwidth instead of any that it has; in 64 bits where the neighbour is to have it so
/// (`neighbor X extended-link-bandwidth`).
pub fn set(attrs: &mut Attributes, asn: Asn, octets: f64, transitive: bool, wide: bool) {
    let mut all = attrs.ext_communities.to_vec();
    all.retain(|community| !is_bandwidth(community));
    if !wide {
        all.push(community(asn, octets, transitive));
        all.sort_unstable();
    }
    attrs.ext_communities = all.into();
    let more = wide.then(|| Ipv6ExtCommunity::link_bandwidth(asn.0, octets as u64, transitive));
    put_extended(attrs, more);
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
    attrs.ext_communities.iter().any(is_bandwidth) || extended(attrs).is_some()
}

/// `disable-link-bw-encoding-ieee`: what the neighbour wrote as an integer, as the number it means.
pub fn from_integer(attrs: &mut Attributes) {
    rewrite(attrs, |octets| (u32::from_be_bytes(octets) as f32).to_be_bytes());
}

/// The other way round.
pub fn to_integer(attrs: &mut Attributes) {
    rewrite(attrs, |octets| (f32::from_be_bytes(octets) as u32).to_be_bytes());
}

/// Replaces a route's bandwidth, its kind and form kept.
pub fn replace(attrs: &mut Attributes, asn: Asn, octets: f64) {
    let plain = attrs.ext_communities.iter().find(|c| is_bandwidth(c)).map(|c| c.is_transitive());
    let wide = extended(attrs).map(|(community, _)| community.is_transitive());
    set(attrs, asn, octets, plain.or(wide).unwrap_or(true), plain.is_none() && wide.is_some());
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
    fn a_route_has_one_bandwidth_in_one_form() {
        let mut attrs = crate::rib::tests::route(&[65001]);
        let plain = attrs.clone();
        set(&mut attrs, Asn(70_000), 1.25e9, true, true);
        assert_eq!((bandwidth(&attrs), has_any(&attrs)), (Some(1.25e9), true));
        assert!(attrs.ext_communities.is_empty());
        // The form stays when the sum of several paths is told.
        replace(&mut attrs, Asn(65002), 5e9);
        let wide: Vec<_> = attrs.rare.as_ref().unwrap().ipv6_ext_communities().collect();
        assert_eq!(wide, [Ipv6ExtCommunity::link_bandwidth(65002, 5_000_000_000, true)]);
        set(&mut attrs, Asn(65002), 1000.0, false, false);
        assert_eq!(attrs.ext_communities[..], [community(Asn(65002), 1000.0, false)]);
        assert_eq!(attrs.rare, plain.rare);
    }

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
