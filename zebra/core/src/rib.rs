//! The routing tables: per (VRF, family, table) an ordered map from prefix to a [`Dest`], which holds the candidates.
//!
//! Designed for a million routes: what routes share (`Shape`, next-hop sets) is interned and referred to by number, so
//! a route with one candidate takes one map slot and no allocation of its own.

mod dest;
mod intern;
mod resolve;
mod select;
mod table;

pub use dest::{Dest, DestState, Entry, Policy};
pub use intern::{Interner, NexthopSet, OwnerId, SetId, Shape, ShapeId};
pub use resolve::{MAX_PATHS, Resolved, ResolvedNexthop, Resolver, Trust, Via, is_direct, is_link_local};
pub use select::{Rank, best};
pub use table::{Table, TableKey};

use std::collections::BTreeMap;
use std::ops::Bound;

use ferrite_types::{Afi, Ipv6Prefix, Prefix, Safi, TableId, VrfId};

/// All tables and what their routes share.
#[derive(Debug, Default)]
pub struct Rib {
    pub tables: BTreeMap<TableKey, Table>,
    pub shared: Interner,
}

impl Rib {
    pub fn dest(&self, key: TableKey, prefix: Prefix) -> Option<&Dest> {
        self.tables.get(&key)?.get(prefix)
    }

    pub fn dest_mut(&mut self, key: TableKey, prefix: Prefix) -> Option<&mut Dest> {
        self.tables.get_mut(&key)?.get_mut(prefix)
    }

    /// The tables beside this one that are for some source.
    pub fn sourced(&self, key: TableKey) -> impl Iterator<Item = (Ipv6Prefix, TableKey, &Table)> {
        let after = self.tables.range((Bound::Excluded(key), Bound::Unbounded));
        let same = after.take_while(move |(other, _)| other.is_of(key));
        same.filter_map(|(other, table)| Some((other.from?, *other, table)))
    }

    /// Destinations of all tables.
    pub fn destinations(&self) -> usize {
        self.tables.values().map(Table::len).sum()
    }

    /// The table of a family, made where it is missing.
    pub fn table_mut(&mut self, key: TableKey) -> &mut Table {
        self.tables.entry(key).or_insert_with(|| Table::new(key.afi))
    }
}

/// Names a unicast table of a VRF.
pub fn key(vrf: VrfId, afi: Afi, table: TableId) -> TableKey {
    TableKey { vrf, afi, safi: Safi::Unicast, table, from: None }
}
