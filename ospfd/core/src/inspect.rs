//! Looking at an instance from outside: for shows, tests and simulations.

use std::collections::BTreeMap;

use ferrite_ospf_packet::auth::Key;
use ferrite_ospf_packet::{AreaId, LsType, Refusal};
use ferrite_types::ids::RouterId;
use ferrite_types::{Prefix, Timestamp};

use crate::config::{Authentication, Config, sending};
use crate::event::{External, IfId};
use crate::instance::{Area, Instance, Place};
use crate::interface::{Interface, State};
use crate::lsdb::Lsdb;
use crate::restart::{Help, HelpEnd};
use crate::routes::{Hops, PathType, Route, Table};
use crate::schedule::SpfStatus;
use crate::version::Version;

/// An area in numbers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AreaStatus {
    pub interfaces: usize,
    /// Of them those that are not down.
    pub active: usize,
    /// Neighbours that are fully adjacent.
    pub full: usize,
    /// Of them those over virtual links that lead through the area.
    pub virtual_full: usize,
    /// Times its tree was computed or repaired.
    pub spf_runs: u64,
    pub spf_last: Option<Timestamp>,
    /// Vertices whose path was computed, in all runs.
    pub spf_work: u64,
    /// Border and boundary routers that are reached inside, ourselves included.
    pub border_routers: usize,
    pub boundary_routers: usize,
    /// LSAs by type.
    pub lsas: BTreeMap<LsType, LsaCount>,
    /// Virtual links of any routers lead through it.
    pub transit: bool,
    /// We translate its external routes (RFC 3101).
    pub translates: bool,
}

/// LSAs of a type.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LsaCount {
    pub count: usize,
    /// Their checksums added.
    pub checksums: u64,
}

/// A router as `show ip ospf border-routers` and `show ip ospf route` tell of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RouterEntry {
    pub path: PathType,
    pub border: bool,
    pub boundary: bool,
    pub area: AreaId,
    pub cost: u32,
    pub hops: Hops,
}

/// What we do about restarts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RestartStatus {
    /// Until when we are restarting.
    pub until: Option<Timestamp>,
    /// Whether a restart has been announced and not come yet.
    pub prepared: bool,
    /// Neighbours that are helped.
    pub helped: Vec<(IfId, RouterId, Help)>,
}

/// LSAs of a database by type.
pub fn count(lsdb: &Lsdb) -> BTreeMap<LsType, LsaCount> {
    let mut counts: BTreeMap<LsType, LsaCount> = BTreeMap::new();
    for (key, entry) in lsdb.iter() {
        let count = counts.entry(key.ty).or_default();
        count.count += 1;
        count.checksums += u64::from(entry.lsa.header().checksum);
    }
    counts
}

impl<V: Version> Instance<V> {
    pub fn config(&self) -> &Config {
        &self.config
    }

    pub fn id(&self) -> RouterId {
        self.router_id()
    }

    pub fn routes(&self) -> &BTreeMap<Prefix, Route> {
        &self.routes.networks
    }

    pub fn table(&self) -> &Table {
        &self.routes
    }

    pub fn interface(&self, id: IfId) -> Option<&Interface> {
        self.interfaces.get(&id)
    }

    pub fn interfaces(&self) -> &BTreeMap<IfId, Interface> {
        &self.interfaces
    }

    pub fn areas(&self) -> &BTreeMap<AreaId, Area> {
        &self.areas
    }

    pub fn lsdb(&self, place: Place) -> Option<&Lsdb> {
        self.database(place)
    }

    /// Vertices of an area's graph.
    pub fn graph_size(&self, area: AreaId) -> usize {
        self.areas.get(&area).map_or(0, |area| area.spf.size())
    }

    /// The key of a chain that signs packets of an interface now.
    pub fn signing_key(&self, now: Timestamp, id: IfId) -> Option<&Key> {
        match &self.interface(id)?.config.authentication {
            Authentication::Chain(chain) => sending(chain, self.wall_time(now)),
            _ => None,
        }
    }

    /// Packets and LSAs that were not taken, by interface and reason.
    pub fn refusals(&self) -> &BTreeMap<(IfId, Refusal), u64> {
        &self.refusals
    }

    /// When routes were and will be computed.
    pub fn spf(&self) -> SpfStatus {
        self.schedule.status()
    }

    pub fn area_status(&self, id: AreaId) -> AreaStatus {
        let mut status = AreaStatus::default();
        for interface in self.interfaces.values().filter(|interface| interface.config.area == id) {
            status.interfaces += 1;
            status.active += usize::from(interface.state > State::Down);
            status.full += interface.full().count();
        }
        let through = |i: &&Interface| i.virtual_to.is_some_and(|(transit, _)| transit == id);
        status.virtual_full = self.interfaces.values().filter(through).map(|i| i.full().count()).sum();
        let Some(area) = self.areas.get(&id) else { return status };
        status.spf_runs = area.spf.runs;
        status.spf_last = area.spf.last;
        status.spf_work = area.spf.work;
        status.border_routers = area.spf.routers.values().filter(|router| router.bits.border).count();
        status.boundary_routers = area.spf.routers.values().filter(|router| router.bits.boundary).count();
        status.lsas = count(&area.lsdb);
        status.transit = area.transit;
        status.translates = self.translates(id);
        status
    }

    /// How the help for a neighbour ended that we helped last.
    pub fn last_help_end(&self) -> Option<HelpEnd> {
        self.last_help_end
    }

    /// Border and boundary routers with the ways to them, by area.
    pub fn routers(&self) -> BTreeMap<RouterId, Vec<RouterEntry>> {
        let own = self.config.router_id;
        let mut routers: BTreeMap<RouterId, Vec<RouterEntry>> = BTreeMap::new();
        for (id, area) in &self.areas {
            let told = area
                .spf
                .routers
                .iter()
                .filter(|(router, way)| **router != own && (way.bits.border || way.bits.boundary));
            for (router, way) in told {
                routers.entry(*router).or_default().push(RouterEntry {
                    path: PathType::Intra,
                    border: way.bits.border,
                    boundary: way.bits.boundary,
                    area: *id,
                    cost: way.cost,
                    hops: way.hops.clone(),
                });
            }
        }
        for (router, ways) in &self.routes.boundary {
            for way in ways.iter().filter(|way| way.path != PathType::Intra) {
                routers.entry(*router).or_default().push(RouterEntry {
                    path: way.path,
                    border: false,
                    boundary: true,
                    area: way.area,
                    cost: way.cost,
                    hops: way.hops.clone(),
                });
            }
        }
        routers
    }

    pub fn restart_status(&self) -> RestartStatus {
        let helped = self.interfaces.iter().flat_map(|(id, interface)| {
            let there = interface.neighbors.values();
            there.filter_map(|neighbor| Some((*id, neighbor.id, neighbor.help?)))
        });
        RestartStatus {
            until: self.restart.map(|restart| restart.until),
            prepared: self.preparing.is_some(),
            helped: helped.collect(),
        }
    }

    /// When we stop being a stub router because we have just started.
    pub fn stub_until(&self) -> Option<Timestamp> {
        self.stub_until
    }

    /// External routes of ours as they were handed in.
    pub fn redistributed(&self) -> &BTreeMap<Prefix, External> {
        &self.redistributed
    }
}
