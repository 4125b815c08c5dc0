//! From the next hops that a route names to next hops that the kernel can use.
//!
//! A gateway is looked up in its VRF's table. A connected network answers with its interface; another route, where
//! recursion is allowed, answers with its own next hops, each resolved in turn. Two guards keep that finite and stable: a
//! prefix that is already part of the walk is passed over in favour of a shorter one, and the walk is at most
//! [`MAX_DEPTH`] deep. A route never resolves through itself or through something shorter that only shows because the
//! route itself is not used: [`ResolvedNexthop::usable_for`].

use std::net::IpAddr;
use std::sync::Arc;

use ferrite_types::{Afi, Distance, Label, Metric, Nexthop, NexthopKind, Prefix, RouteProtocol, VrfId};
use smallvec::SmallVec;

use super::dest::DestState;
use super::{Rib, Shape};
use crate::iface::Interfaces;
use crate::settings::{Settings, VrfSettings};

const MAX_DEPTH: usize = 8;
/// Next hops of one route in the kernel.
pub const MAX_PATHS: usize = 256;

/// How far the next hops of a route are taken at their word.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Trust {
    /// They stand in the kernel: only the interface has to be up.
    Kernel,
    /// Gateways must be on connected networks.
    Connected,
    /// Gateways may be found through any route.
    Recursive,
}

/// What became of a next-hop set.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Resolved {
    /// One per next hop of the set, in its order.
    pub nexthops: Vec<ResolvedNexthop>,
    /// All active ones without duplicates: what the kernel gets.
    pub fib: Arc<[Nexthop]>,
}

impl Resolved {
    pub fn active(&self) -> bool {
        !self.fib.is_empty()
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ResolvedNexthop {
    /// Empty: not reachable now.
    pub paths: SmallVec<[Nexthop; 1]>,
    /// Found through a route that is not connected.
    pub recursive: bool,
    /// The prefix that the gateway was found in.
    pub via: Option<Prefix>,
}

impl ResolvedNexthop {
    /// Whether a route for `prefix` may use this: not where it covers the gateway more closely than what answered.
    pub fn usable_for(&self, nexthop: &Nexthop, prefix: Prefix) -> bool {
        let Some(gateway) = nexthop.gateway_addr() else { return true };
        let Some(via) = self.via else { return true };
        !(prefix.contains(gateway) && via.len() <= prefix.len())
    }
}

/// The route that answers for an address.
#[derive(Clone, PartialEq, Debug)]
pub struct Via {
    pub prefix: Prefix,
    pub protocol: RouteProtocol,
    pub distance: Distance,
    pub metric: Metric,
    pub paths: SmallVec<[Nexthop; 1]>,
    /// Only through networks that are directly connected.
    pub connected: bool,
}

/// Looks addresses up.
#[derive(Clone, Copy, Debug)]
pub struct Resolver<'a> {
    pub rib: &'a Rib,
    pub interfaces: &'a Interfaces,
    pub settings: &'a Settings,
}

/// The prefixes on the way to where we are, and how many steps the whole resolution may still take: what clients send
/// decides the shape of the walk, so its cost has a limit of its own.
struct Walk {
    prefixes: SmallVec<[Prefix; MAX_DEPTH]>,
    steps: u32,
}

impl Walk {
    fn new() -> Self {
        Self { prefixes: SmallVec::new(), steps: 8192 }
    }
}

impl Resolver<'_> {
    /// Resolves a whole set.
    pub fn set(&self, nexthops: &[Nexthop], trust: Trust) -> Resolved {
        let nexthops: Vec<_> = nexthops.iter().map(|nexthop| self.nexthop(nexthop, trust)).collect();
        let mut fib: Vec<Nexthop> = Vec::with_capacity(nexthops.len());
        for path in nexthops.iter().flat_map(|nexthop| &nexthop.paths) {
            let same = |f: &Nexthop| {
                (f.kind, f.vrf, &f.labels, &f.seg6) == (path.kind, path.vrf, &path.labels, &path.seg6)
            };
            let known = fib.iter().any(same);
            if !known && fib.len() < MAX_PATHS {
                let mut path = path.clone();
                // It says that nothing is pushed, and is on no wire.
                path.labels.retain(|label| *label != Label::IMPLICIT_NULL);
                fib.push(path);
            }
        }
        // A blackhole beside a gateway cannot be told to the kernel; the gateway counts.
        if fib.len() > 1 && fib.iter().any(|f| !matches!(f.kind, NexthopKind::Blackhole(_))) {
            fib.retain(|f| !matches!(f.kind, NexthopKind::Blackhole(_)));
        } else {
            let blackholes = matches!(fib.first().map(|f| f.kind), Some(NexthopKind::Blackhole(_)));
            if blackholes {
                fib.truncate(1);
            }
        }
        Resolved { nexthops, fib: fib.into() }
    }

    fn nexthop(&self, nexthop: &Nexthop, trust: Trust) -> ResolvedNexthop {
        self.step(nexthop, trust, &mut Walk::new())
    }

    fn step(&self, nexthop: &Nexthop, trust: Trust, walk: &mut Walk) -> ResolvedNexthop {
        let direct = |paths| ResolvedNexthop { paths, recursive: false, via: None };
        if trust == Trust::Kernel {
            let up = nexthop.ifindex().is_none_or(|ifindex| self.interfaces.is_up(ifindex));
            return direct(if up { SmallVec::from_elem(nexthop.clone(), 1) } else { SmallVec::new() });
        }
        let operative = |ifindex| self.interfaces.operative(ifindex);
        match nexthop.kind {
            NexthopKind::Blackhole(_) => direct(SmallVec::from_elem(nexthop.clone(), 1)),
            NexthopKind::Interface(ifindex) if operative(ifindex) => {
                direct(SmallVec::from_elem(nexthop.clone(), 1))
            }
            NexthopKind::Interface(_) => direct(SmallVec::new()),
            NexthopKind::Gateway(gateway, Some(ifindex)) if nexthop.onlink || is_link_local(gateway) => {
                let up = operative(ifindex);
                direct(if up { SmallVec::from_elem(nexthop.clone(), 1) } else { SmallVec::new() })
            }
            NexthopKind::Gateway(gateway, ifindex) => self.gateway(nexthop, gateway, ifindex, trust, walk),
        }
    }

    fn gateway(
        &self,
        nexthop: &Nexthop,
        gateway: IpAddr,
        ifindex: Option<ferrite_types::IfIndex>,
        trust: Trust,
        walk: &mut Walk,
    ) -> ResolvedNexthop {
        let mut out = ResolvedNexthop::default();
        if ifindex.is_some_and(|ifindex| !self.interfaces.operative(ifindex)) {
            return out;
        }
        let Some(via) = self.lookup(nexthop.vrf, gateway, trust, walk) else { return out };
        out.via = Some(via.prefix);
        // The gateway is one of our own addresses.
        if via.protocol == RouteProtocol::Local {
            return out;
        }
        if is_direct(via.protocol) {
            let mut exits = via.paths.iter().filter_map(Nexthop::ifindex);
            let exit = match ifindex {
                Some(wanted) => exits.any(|exit| exit == wanted).then_some(wanted),
                None => exits.next(),
            };
            out.paths.extend(
                exit.map(|exit| Nexthop {
                    kind: NexthopKind::Gateway(gateway, Some(exit)),
                    ..nexthop.clone()
                }),
            );
            return out;
        }
        out.recursive = true;
        // A route that must leave through one interface takes of the answer only what does.
        let fits = |path: &&Nexthop| ifindex.is_none_or(|wanted| path.ifindex() == Some(wanted));
        out.paths.extend(via.paths.iter().filter(fits).map(|path| Nexthop {
            // Where the answer is a bare interface, the gateway is a neighbour on it.
            kind: match path.kind {
                NexthopKind::Interface(exit) => NexthopKind::Gateway(gateway, Some(exit)),
                kind => kind,
            },
            // The share of this next hop; the labels of both, its own innermost.
            weight: nexthop.weight,
            labels: path.labels.iter().chain(&nexthop.labels).copied().collect(),
            source: nexthop.source.or(path.source),
            seg6: nexthop.seg6.clone().or_else(|| path.seg6.clone()),
            ..path.clone()
        }));
        out
    }

    /// The route for an address, as next-hop tracking reports it.
    pub fn track(&self, vrf: VrfId, addr: IpAddr) -> Option<Via> {
        self.lookup(vrf, addr, Trust::Recursive, &mut Walk::new())
    }

    fn lookup(&self, vrf: VrfId, addr: IpAddr, trust: Trust, walk: &mut Walk) -> Option<Via> {
        let known = self.interfaces.vrf(vrf)?;
        let settings = self.settings.vrf(&known.name);
        let (v4_default, v6_default) = settings.map_or((true, true), VrfSettings::via_default);
        let (max, afi, via_default) = match addr {
            IpAddr::V4(_) => (32, Afi::Ipv4, v4_default),
            IpAddr::V6(_) => (128, Afi::Ipv6, v6_default),
        };
        let table = self.rib.tables.get(&super::key(vrf, afi, known.table))?;
        for (prefix, dest) in table.covering(addr, max) {
            if prefix.len() == 0 && !via_default {
                return None;
            }
            let Some(entry) = dest.selected().filter(|_| dest.state != DestState::Rejected) else { continue };
            let Some(shape) = self.rib.shared.shape(entry.shape) else { continue };
            // What is already part of the walk leads nowhere new.
            if walk.prefixes.contains(&prefix) || shape.protocol == RouteProtocol::Table {
                continue;
            }
            if !is_direct(shape.protocol) && trust != Trust::Recursive {
                return None;
            }
            return self.answer(shape, prefix, walk);
        }
        None
    }

    fn answer(&self, shape: &Shape, prefix: Prefix, walk: &mut Walk) -> Option<Via> {
        let set = self.rib.shared.set(shape.set)?;
        let mut via = Via {
            prefix,
            protocol: shape.protocol,
            distance: shape.distance,
            metric: shape.metric,
            paths: SmallVec::new(),
            connected: is_direct(shape.protocol),
        };
        if is_direct(shape.protocol) {
            via.paths.extend(set.nexthops.iter().cloned());
            return Some(via);
        }
        if walk.prefixes.len() >= MAX_DEPTH || walk.steps == 0 {
            return None;
        }
        walk.prefixes.push(prefix);
        for nexthop in set.nexthops.iter() {
            walk.steps = walk.steps.saturating_sub(1);
            if walk.steps == 0 {
                break;
            }
            let resolved = self.step(nexthop, set.trust, walk);
            if resolved.usable_for(nexthop, prefix) {
                via.paths.extend(resolved.paths.into_iter().take(MAX_PATHS));
            }
        }
        walk.prefixes.pop();
        via.connected = set.nexthops.iter().all(|nexthop| matches!(nexthop.kind, NexthopKind::Interface(_)));
        (!via.paths.is_empty()).then_some(via)
    }
}

/// Sources whose routes are networks on our own interfaces.
pub fn is_direct(protocol: RouteProtocol) -> bool {
    matches!(protocol, RouteProtocol::Connected | RouteProtocol::Local)
}

pub fn is_link_local(addr: IpAddr) -> bool {
    matches!(addr, IpAddr::V6(addr) if addr.is_unicast_link_local())
}
