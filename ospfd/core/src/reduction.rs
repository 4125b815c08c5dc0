//! Flood reduction (RFC 4136): where every router takes LSAs that do not age (RFC 1793), ours are sent once and not renewed. A router
//! says that it takes them by the DC bit of its LSAs' options; while one in an area does not, all age there as ever. What does
//! not age of a router that has long been out of reach is flushed (RFC 1793 §2.3).
//!
//! Everybody's LSAs that do not age are taken, whether we announce that we do or not.
//!
//! FRR 10.3 has the mark in the wrong octet where integers are little-endian: what it does not age comes with an age of 128 seconds,
//! would expire here after an hour, and our own is at the end of its age there. Where a neighbour is seen to do so we take back
//! that we keep what does not age, and with it everybody in the area goes back to LSAs that do.

use std::ops::RangeInclusive;
use std::time::Duration;

use ferrite_ospf_packet::{AreaId, DO_NOT_AGE, LsaHeader, LsaKey, MAX_AGE, Options};
use ferrite_types::Timestamp;
use ferrite_types::ids::RouterId;

use crate::config::AreaKind;
use crate::event::{Action, IfId, LogLine};
use crate::instance::{Instance, Place};
use crate::neighbor::{NeighborKey, State};
use crate::version::{Version, Vertex, Wanted};

/// For how long a router must be out of reach.
const LONELY: Duration = Duration::from_secs(MAX_AGE as u64);
/// Ages, in seconds, of what a neighbour has just said of itself, that are a mark in the wrong octet and the delay of a link.
const MARK_ASTRAY: RangeInclusive<u16> = 128..=160;

impl<V: Version> Instance<V> {
    /// Whether we are to announce in a place what does not age, if all take it. OSPFv2 only.
    pub fn wants_reduction(&self, place: Place) -> bool {
        V::VERSION == 2
            && match place {
                Place::Link(_) => false,
                Place::Area(area) => self.config.flood_reduction || self.config.area(area).flood_reduction,
                Place::As => self.config.flood_reduction,
            }
    }

    /// Routers of an area that take LSAs that do not age, and whether all do.
    pub fn capable(&self, id: AreaId) -> (usize, bool) {
        let Some(area) = self.areas.get(&id) else { return (0, false) };
        let routers = area.lsdb.of_type(V::ROUTER).filter(|(_, entry)| !entry.lsa.header().is_max_age());
        let (mut capable, mut all) = (0, 0);
        for (_, entry) in routers {
            all += 1;
            let header = entry.lsa.header();
            let astray = self.astray.contains(&(id, header.key.adv));
            capable += usize::from(header.options.has(Options::DC) && !astray);
        }
        (capable, all > 0 && capable == all)
    }

    /// Whether LSAs of ours in a place do not age. What crosses areas crosses them all.
    pub fn reduces(&self, place: Place) -> bool {
        self.wants_reduction(place)
            && match place {
                Place::Link(_) => false,
                Place::Area(area) => self.reducing.contains(&area),
                Place::As => {
                    let mut normal = self.areas.keys().filter(|a| self.area_kind(**a) == AreaKind::Normal);
                    normal.all(|area| self.reducing.contains(area))
                }
            }
    }

    /// The DC bit in what we announce.
    pub(crate) fn say_capable(&self, place: Place, wanted: &mut Wanted) {
        let astray = self.astray.iter().any(|(area, _)| place == Place::As || place == Place::Area(*area));
        if self.wants_reduction(place) && !astray {
            wanted.values_mut().for_each(|(options, _)| *options = options.with(Options::DC));
        }
    }

    /// The age with which an LSA of ours begins.
    pub(crate) fn first_age(&self, place: Place) -> u16 {
        if self.reduces(place) { DO_NOT_AGE } else { 0 }
    }

    /// A router-LSA came: whether all take what does not age may be another answer now.
    pub(crate) fn judge_capable(&mut self, area: AreaId) {
        self.forget_astray(area);
        if !self.wants_reduction(Place::Area(area)) {
            if self.reducing.remove(&area) {
                self.dirty.extend([Place::Area(area), Place::As]);
            }
            return;
        }
        let (_, all) = self.capable(area);
        let changed = if all { self.reducing.insert(area) } else { self.reducing.remove(&area) };
        if changed {
            self.dirty.extend([Place::Area(area), Place::As]);
        }
    }

    /// Routers of an area that are known to have the mark in the wrong octet.
    pub fn astray(&self, id: AreaId) -> impl Iterator<Item = RouterId> {
        self.astray.iter().filter(move |(area, _)| *area == id).map(|(_, router)| *router)
    }

    /// A neighbour's LSA of itself came while we have all of its database: so it is as old as the link is slow.
    pub(crate) fn judge_age(&mut self, id: IfId, key: NeighborKey, header: &LsaHeader) {
        let fresh = self.neighbor(id, key).is_some_and(|n| n.state == State::Full && n.id == header.key.adv);
        if fresh && header.options.has(Options::DC) && MARK_ASTRAY.contains(&header.age) {
            self.note_astray(id, header.key.adv);
        }
    }

    /// A neighbour acknowledged what does not age as if it were at the end of its age.
    pub(crate) fn judge_ack(&mut self, id: IfId, key: NeighborKey, ours: &LsaHeader, theirs: &LsaHeader) {
        let same = ours.sequence == theirs.sequence && ours.checksum == theirs.checksum;
        if same && !ours.is_max_age() && theirs.is_max_age() {
            let neighbor = self.neighbor(id, key).map(|neighbor| neighbor.id);
            neighbor.into_iter().for_each(|router| self.note_astray(id, router));
        }
    }

    fn note_astray(&mut self, id: IfId, router: RouterId) {
        let Some(area) = self.interfaces.get(&id).map(|interface| interface.config.area) else { return };
        if self.wants_reduction(Place::Area(area)) && self.astray.insert((area, router)) {
            self.out.push(Action::Log(LogLine::NoReduction { area, router }));
            self.dirty.extend([Place::Area(area), Place::As]);
            self.judge_capable(area);
        }
    }

    /// Those that have left the area, or no longer say that they keep what does not age.
    fn forget_astray(&mut self, id: AreaId) {
        if self.astray(id).next().is_none() {
            return;
        }
        let Some(area) = self.areas.get(&id) else { return };
        let routers = area.lsdb.of_type(V::ROUTER).map(|(key, entry)| (key, entry.lsa.header()));
        let says = routers.filter(|(_, header)| !header.is_max_age() && header.options.has(Options::DC));
        let there: Vec<RouterId> = says.map(|(key, _)| key.adv).collect();
        let before = self.astray.len();
        self.astray.retain(|(area, router)| *area != id || there.contains(router));
        if self.astray.len() < before {
            self.dirty.extend([Place::Area(id), Place::As]);
        }
    }

    pub(crate) fn judge_all_capable(&mut self) {
        let areas: Vec<AreaId> = self.areas.keys().copied().collect();
        areas.into_iter().for_each(|area| self.judge_capable(area));
    }

    /// An LSA that does not age is due to be looked at: its router may have been out of reach for too long.
    pub(crate) fn look_at(&mut self, now: Timestamp, place: Place, key: &LsaKey) {
        let reached = self.reaches(place, key.adv);
        let Some(entry) = self.database_mut(place).and_then(|database| database.get_mut(key)) else { return };
        let lonely = (!reached).then(|| entry.lonely.unwrap_or(now));
        entry.lonely = lonely;
        if lonely.is_some_and(|since| now.since(since) >= LONELY) {
            return self.flush(now, place, key);
        }
        if let Some(database) = self.database_mut(place) {
            database.look_again(key, now + LONELY);
        }
    }

    fn reaches(&self, place: Place, router: RouterId) -> bool {
        let inside = |area: &AreaId| {
            self.areas.get(area).is_some_and(|area| area.spf.cost(Vertex::Router(router)).is_some())
        };
        match place {
            Place::Area(area) => inside(&area),
            Place::As => {
                self.areas.keys().any(inside)
                    || self.table().to_boundary(router, self.config.rfc1583).is_some()
            }
            Place::Link(id) => {
                let interface = self.interfaces.get(&id);
                interface.is_some_and(|i| i.neighbors.values().any(|neighbor| neighbor.id == router))
            }
        }
    }
}
