//! How much the databases of a process hold at most: a number of LSAs, and as many KiB of them, since an LSA may have 64. What is
//! beyond is refused and not acknowledged, so that it comes again when there is room. What we originate is always taken.
//!
//! RFC 1765 has every router of an AS agree on a number of external LSAs and has their originators step back. This is one router's
//! own bound, about LSAs of all kinds, and the others need not know of it.

use ferrite_ospf_packet::{Lsa, Refusal};

use crate::event::{Action, LogLine};
use crate::instance::{Instance, Place};
use crate::version::Version;

/// Octets of LSAs for each that is allowed.
const OCTETS: usize = 1024;

/// What the databases hold, and whether that is as much as they may.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Load {
    pub lsas: usize,
    pub octets: usize,
    pub max_lsas: usize,
    pub max_octets: usize,
    /// LSAs have been refused, and there is no room to speak of yet.
    pub reached: bool,
}

impl Load {
    fn fits(&self, times: usize) -> bool {
        self.lsas <= self.max_lsas.saturating_mul(times)
            && self.octets <= self.max_octets.saturating_mul(times)
    }

    /// A sixteenth is free again: one LSA that goes while others wait for its place is not the end of it.
    fn has_room(&self) -> bool {
        let most = |limit: usize| limit - limit / 16;
        self.lsas < self.max_lsas && self.lsas <= most(self.max_lsas) && self.octets <= most(self.max_octets)
    }
}

impl<V: Version> Instance<V> {
    /// What all databases hold together.
    pub fn load_of_databases(&self) -> Load {
        let areas = self.areas.values().map(|area| &area.lsdb);
        let links = self.interfaces.values().map(|interface| &interface.links);
        let all = areas.chain(links).chain([&self.externals]);
        let (lsas, octets) =
            all.fold((0, 0), |(lsas, octets), lsdb| (lsas + lsdb.len(), octets + lsdb.octets()));
        let max_lsas = self.config.max_lsas;
        Load { lsas, octets, max_lsas, max_octets: max_lsas.saturating_mul(OCTETS), reached: self.full }
    }

    /// Whether an LSA of somebody has room, with the instance gone that it replaces.
    pub(crate) fn make_room(&mut self, place: Place, lsa: &Lsa) -> Result<(), Refusal> {
        let key = lsa.key();
        let old = self.database(place).and_then(|database| database.get(&key)).map(|old| old.lsa.len());
        if old.is_some_and(|old| lsa.len() <= old) {
            return Ok(());
        }
        let mut load = self.load_of_databases();
        load.lsas += usize::from(old.is_none());
        load.octets = load.octets.saturating_sub(old.unwrap_or(0)) + lsa.len();
        // What is said in our name must be known to be flushed: it has the same room once more, and not without end.
        let ours = key.adv == self.config.router_id;
        if load.fits(if ours { 2 } else { 1 }) {
            return Ok(());
        }
        if !std::mem::replace(&mut self.full, true) {
            self.out.push(Action::Log(LogLine::DatabaseFull { lsas: load.max_lsas }));
        }
        Err(Refusal::LsaLimit)
    }

    /// The end of it is told too.
    pub(crate) fn check_room(&mut self) {
        if !self.full {
            return;
        }
        let load = self.load_of_databases();
        if load.has_room() {
            self.full = false;
            self.out.push(Action::Log(LogLine::DatabaseHasRoom { lsas: load.lsas }));
        }
    }
}
