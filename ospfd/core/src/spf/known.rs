//! What the LSAs of a database say to the calculation, read once when they come: which prefixes hang on which vertex, what
//! summaries and external routes there are, each found by prefix, by vertex and by the router that says it.

use std::collections::{BTreeMap, BTreeSet};

use ferrite_ospf_packet::LsaKey;
use ferrite_types::ids::RouterId;
use ferrite_types::{Prefix, Timestamp};

use crate::lsdb::Lsdb;
use crate::version::{ExternalRoute, Summary, Target, Version, Vertex};

/// What one LSA says.
#[derive(Clone, PartialEq, Debug)]
enum Said {
    Hung(Vec<(Vertex, Prefix, u32)>),
    Summary(Summary),
    External(ExternalRoute),
}

/// What has to be computed anew.
#[derive(Debug, Default)]
pub(crate) struct Affected {
    pub prefixes: BTreeSet<Prefix>,
    /// Ways to boundary routers.
    pub boundaries: bool,
    /// Everything.
    pub all: bool,
}

impl Affected {
    fn target(&mut self, target: Target) {
        match target {
            Target::Network(prefix) => drop(self.prefixes.insert(prefix)),
            Target::Router(_) => self.boundaries = true,
        }
    }

    fn said(&mut self, said: &Said) {
        match said {
            Said::Hung(hung) => self.prefixes.extend(hung.iter().map(|(_, prefix, _)| *prefix)),
            Said::Summary(summary) => self.target(summary.target),
            Said::External(external) => drop(self.prefixes.insert(external.prefix)),
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Known {
    of: BTreeMap<LsaKey, Said>,
    hung: BTreeMap<(Prefix, Vertex, LsaKey), u32>,
    on: BTreeSet<(Vertex, Prefix, LsaKey)>,
    summaries: BTreeSet<(Target, LsaKey)>,
    externals: BTreeSet<(Prefix, LsaKey)>,
    /// Summaries and external routes by who says them.
    by_router: BTreeSet<(RouterId, LsaKey)>,
    /// External routes that lead to a forwarding address.
    forwarded: BTreeSet<(Prefix, LsaKey)>,
}

const LOWEST_PREFIX: Prefix = Prefix::V4(ferrite_types::Ipv4Prefix::DEFAULT);
const LOWEST_VERTEX: Vertex = Vertex::Router(RouterId::UNSET);

fn lowest() -> LsaKey {
    let (ty, id) = (ferrite_ospf_packet::LsType(0), ferrite_ospf_packet::LsId(0));
    LsaKey { ty, id, adv: RouterId::UNSET }
}

impl Known {
    /// Reads an LSA anew that came, changed or went.
    pub fn update<V: Version>(&mut self, lsdb: &Lsdb, key: LsaKey, now: Timestamp, affected: &mut Affected) {
        let alive = lsdb.get(&key).filter(|entry| !entry.is_max_age(now));
        let new = alive.and_then(|entry| {
            let (options, body) = (entry.lsa.header().options, entry.lsa.body());
            if key.ty == V::SUMMARY_NETWORK || key.ty == V::SUMMARY_ROUTER {
                V::read_summary(&key, body).map(Said::Summary)
            } else if key.ty == V::EXTERNAL || key.ty == V::NSSA {
                V::read_external(&key, options, body).map(Said::External)
            } else {
                Some(V::prefixes_of(&key, body)).filter(|hung| !hung.is_empty()).map(Said::Hung)
            }
        });
        if self.of.get(&key) == new.as_ref() {
            return;
        }
        if let Some(old) = self.of.remove(&key) {
            affected.said(&old);
            self.index(key, &old, false);
        }
        if let Some(new) = new {
            affected.said(&new);
            self.index(key, &new, true);
            self.of.insert(key, new);
        }
    }

    fn index(&mut self, key: LsaKey, said: &Said, add: bool) {
        fn set<T: Ord>(set: &mut BTreeSet<T>, value: T, add: bool) {
            if add {
                set.insert(value);
            } else {
                set.remove(&value);
            }
        }
        match said {
            Said::Hung(hung) => {
                for (vertex, prefix, metric) in hung {
                    set(&mut self.on, (*vertex, *prefix, key), add);
                    let place = (*prefix, *vertex, key);
                    if add {
                        let there = self.hung.entry(place).or_insert(*metric);
                        *there = (*there).min(*metric);
                    } else {
                        self.hung.remove(&place);
                    }
                }
            }
            Said::Summary(summary) => {
                set(&mut self.summaries, (summary.target, key), add);
                set(&mut self.by_router, (key.adv, key), add);
            }
            Said::External(external) => {
                set(&mut self.externals, (external.prefix, key), add);
                set(&mut self.by_router, (key.adv, key), add);
                if external.forwarding.is_some() {
                    set(&mut self.forwarded, (external.prefix, key), add);
                }
            }
        }
    }

    /// The prefixes that are known.
    pub fn prefixes(&self) -> impl Iterator<Item = Prefix> + '_ {
        let hung = self.hung.keys().map(|(prefix, ..)| *prefix);
        let summaries = self.summaries.iter().filter_map(|(target, _)| match target {
            Target::Network(prefix) => Some(*prefix),
            Target::Router(_) => None,
        });
        hung.chain(summaries).chain(self.externals.iter().map(|(prefix, _)| *prefix))
    }

    /// Vertices that a prefix hangs on, with the cost from there.
    pub fn vertices(&self, prefix: Prefix) -> impl Iterator<Item = (Vertex, u32)> + '_ {
        let first = (prefix, LOWEST_VERTEX, lowest());
        let here = self.hung.range(first..).take_while(move |((of, ..), _)| *of == prefix);
        here.map(|((_, vertex, _), metric)| (*vertex, *metric))
    }

    /// Prefixes that hang on a vertex.
    pub fn hanging(&self, vertex: Vertex) -> impl Iterator<Item = Prefix> + '_ {
        let first = (vertex, LOWEST_PREFIX, lowest());
        let here = self.on.range(first..).take_while(move |(of, ..)| *of == vertex);
        here.map(|(_, prefix, _)| *prefix)
    }

    /// Summaries about a network or router: who says it, and the metric.
    pub fn summaries(&self, target: Target) -> impl Iterator<Item = (RouterId, u32)> + '_ {
        let here = self.summaries.range((target, lowest())..).take_while(move |(of, _)| *of == target);
        here.filter_map(|(_, key)| match self.of.get(key) {
            Some(Said::Summary(summary)) => Some((key.adv, summary.metric)),
            _ => None,
        })
    }

    /// Routers that summaries are about.
    pub fn summarized_routers(&self) -> impl Iterator<Item = RouterId> + '_ {
        let first = (Target::Router(RouterId::UNSET), lowest());
        self.summaries.range(first..).filter_map(|(target, _)| match target {
            Target::Router(router) => Some(*router),
            Target::Network(_) => None,
        })
    }

    pub fn externals(&self, prefix: Prefix) -> impl Iterator<Item = (RouterId, &ExternalRoute)> + '_ {
        let here = self.externals.range((prefix, lowest())..).take_while(move |(of, _)| *of == prefix);
        here.filter_map(|(_, key)| match self.of.get(key) {
            Some(Said::External(external)) => Some((key.adv, external)),
            _ => None,
        })
    }

    /// External routes by way of an address.
    pub fn forwarded(&self) -> impl Iterator<Item = Prefix> + '_ {
        self.forwarded.iter().map(|(prefix, _)| *prefix)
    }

    /// The way to a router is another: what it says has to be looked at.
    pub fn of_router(&self, router: RouterId, affected: &mut Affected) {
        let here = self.by_router.range((router, lowest())..).take_while(move |(of, _)| *of == router);
        for (_, key) in here {
            if let Some(said) = self.of.get(key) {
                affected.said(said);
            }
        }
    }
}
