//! `bgp bestpath as-path multipath-relax as-set`: where several paths share a prefix's traffic, what is told is made of all of
//! them (RFC 4271 §9.2.2.2): the AS numbers that they do not share as a set, and the communities of each.

use bgp_packet::attr::{AsPath, Attributes};

use super::super::aggregate::union;
use super::super::ctx::Ctx;
use super::super::export::own_attributes;
use super::super::table::{Entry, Key, Path, PathFlags};
use bgp_packet::Family;

/// What stands in the place of the best path's attributes; `None` where nothing does.
pub fn merged<P: Key>(ctx: &Ctx, family: Family, entry: &Entry<P>, path: &Path) -> Option<Attributes> {
    let wanted = ctx.config.decision.as_path_as_set && path.flags.has(PathFlags::BEST);
    let shares = |other: &&Path| other.flags.has(PathFlags::MULTIPATH);
    if !wanted || !entry.paths.iter().any(|other| shares(&other)) {
        return None;
    }
    let best = ctx.attrs.get(path.attrs)?;
    let others = entry.paths.iter().filter(shares).filter_map(|other| ctx.attrs.get(other.attrs));
    let all: Vec<&Attributes> =
        std::iter::once(&*best.attrs).chain(others.map(|interned| &*interned.attrs)).collect();
    Some(Attributes {
        as_path: AsPath::aggregate(all.iter().map(|attrs| &attrs.as_path)),
        communities: union(all.iter().flat_map(|attrs| attrs.communities.iter().copied())),
        large_communities: union(all.iter().flat_map(|attrs| attrs.large_communities.iter().copied())),
        ext_communities: union(all.iter().flat_map(|attrs| attrs.ext_communities.iter().copied())),
        next_hop: own_attributes(family).next_hop,
        ..(*best.attrs).clone()
    })
}
