//! Looking at an instance from outside: for shows, tests and simulations.

use std::collections::BTreeMap;

use ferrite_ospf_packet::{AreaId, Refusal};
use ferrite_types::Prefix;
use ferrite_types::ids::RouterId;

use crate::config::Config;
use crate::event::IfId;
use crate::instance::{Area, Instance, Place};
use crate::interface::Interface;
use crate::lsdb::Lsdb;
use crate::routes::{Route, Table};
use crate::version::Version;

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

    /// Packets and LSAs that were not taken, by interface and reason.
    pub fn refusals(&self) -> &BTreeMap<(IfId, Refusal), u64> {
        &self.refusals
    }
}
