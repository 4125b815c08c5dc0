//! Optimal route reflection (RFC 9107): groups of clients that are told the best path as seen from somewhere else.
//!
//! ```text
//! address-family ipv4 unicast
//!  optimal-route-reflection WEST 192.0.2.1 192.0.2.2
//!  bgp optimal-route-reflection cost 192.0.2.1 198.51.100.7/32 10
//!  neighbor 10.0.0.5 optimal-route-reflection WEST
//! ```
//! FRR 10.3 has none of it; the group and the neighbour's line are those of the IGP-driven feature that FRR had proposed. What
//! a root's IGP knows is told by the `cost` lines, which are ours.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ferrite_cli::{Lines, Negation};
use ferrite_types::Prefix;

use super::PolicyName;
use super::family::FamilyRow;
use super::peer::{No, PeerRow};
use super::peer_family::PeerFamily;

/// What one family says of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OptimalReflection {
    /// The roots of each group: the first whose costs are known counts.
    pub groups: BTreeMap<String, Vec<IpAddr>>,
    /// Cost of the way from a root to the next hops within a prefix.
    pub costs: BTreeMap<(IpAddr, Prefix), u32>,
}

impl OptimalReflection {
    /// The costs that a root was given.
    pub fn costs_of(&self, root: IpAddr) -> impl Iterator<Item = (Prefix, u32)> + '_ {
        let of_root = self.costs.iter().filter(move |((known, _), _)| *known == root);
        of_root.map(|((_, prefix), cost)| (*prefix, *cost))
    }

    /// The root that counts for a group.
    pub fn active_root(&self, group: &str) -> Option<IpAddr> {
        let roots = self.groups.get(group)?;
        roots.iter().copied().find(|root| self.costs_of(*root).next().is_some())
    }

    pub(super) fn render(&self, lines: &mut Lines) {
        for (group, roots) in &self.groups {
            let roots: Vec<String> = roots.iter().map(IpAddr::to_string).collect();
            lines.line(format!("optimal-route-reflection {group} {}", roots.join(" ")));
        }
        for ((root, prefix), cost) in &self.costs {
            lines.line(format!("bgp optimal-route-reflection cost {root} {prefix} {cost}"));
        }
    }
}

const WHAT: &str = "Optimal route reflection";

pub(super) const GROUP: FamilyRow = FamilyRow {
    syntax: "optimal-route-reflection WORD$group <A.B.C.D|X:X::X:X>$primary [<A.B.C.D|X:X::X:X>$secondary [<A.B.C.D|X:X::X:X>$tertiary]]",
    help: &[
        WHAT,
        "Name of a group of clients",
        "Root: the router from which costs are seen",
        "Root: the router from which costs are seen",
        "Root in the place of the first",
        "Root in the place of the first",
        "Root in the place of both",
        "Root in the place of both",
    ],
    no: Negation::Derived,
    set: |family, args| {
        let mut roots: Vec<IpAddr> = Vec::new();
        for name in ["primary", "secondary", "tertiary"] {
            roots.extend(args.parse_opt::<IpAddr>(name)?);
        }
        family.optimal.groups.insert(args.get("group").unwrap_or_default().to_owned(), roots);
        Ok(())
    },
    unset: |family, args| {
        family.optimal.groups.remove(args.get("group").unwrap_or_default());
        Ok(())
    },
    examples: &[
        "optimal-route-reflection WEST 192.0.2.1",
        "optimal-route-reflection EAST 192.0.2.1 2001:db8::1 192.0.2.3",
    ],
};

pub(super) const COST: FamilyRow = FamilyRow {
    syntax: "bgp optimal-route-reflection cost <A.B.C.D|X:X::X:X>$root <A.B.C.D/M|X:X::X:X/M>$prefix (0-4294967294)$cost",
    help: &[
        "BGP specific commands",
        WHAT,
        "Cost of the way from a root",
        "Root of a group",
        "Root of a group",
        "Next hops",
        "Next hops",
        "Cost",
    ],
    no: Negation::Derived,
    set: |family, args| {
        family.optimal.costs.insert((args.ip("root")?, args.parse("prefix")?), args.parse("cost")?);
        Ok(())
    },
    unset: |family, args| {
        family.optimal.costs.remove(&(args.ip("root")?, args.parse("prefix")?));
        Ok(())
    },
    examples: &["bgp optimal-route-reflection cost 192.0.2.1 198.51.100.0/24 10"],
};

pub(super) const NEIGHBOR: PeerRow<PeerFamily> = PeerRow {
    syntax: "optimal-route-reflection WORD$group",
    help: &["Tell this client the best path as seen from the root of a group", "Name of the group"],
    no: No::Derived,
    set: |target, args| {
        target.own.optimal_group = args.get("group").map(PolicyName::new);
        Ok(())
    },
    unset: |target, _| {
        target.own.optimal_group = None;
        Ok(())
    },
    render: |settings, out| out.value("optimal-route-reflection", settings.optimal_group.as_ref()),
    examples: &["optimal-route-reflection WEST"],
};
