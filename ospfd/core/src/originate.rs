//! Origination (§12.4) as a comparison: what ought to be in a database in our name against what is there.
//!
//! Not more often than MinLSInterval for one LSA; what has to wait is looked at again when its time has come. An instance of ours
//! that came from elsewhere (§13.4) is never what we want, so it is answered with a newer one or flushed. At the end of the
//! sequence space an LSA is flushed first and comes back when it is gone everywhere (§12.1.6).

use std::collections::BTreeSet;

use bytes::BytesMut;
use ferrite_ospf_packet::{LsType, Lsa, LsaHeader, LsaKey, Options, Sequence};
use ferrite_types::Timestamp;

use crate::instance::{Instance, Place};
use crate::trace::Trace;
use crate::version::{Version, Wanted};

impl<V: Version> Instance<V> {
    /// Compares every database that something has changed for.
    pub(crate) fn originate(&mut self, now: Timestamp) {
        while let Some(place) = self.dirty.pop_first() {
            // What was announced before a restart stands until it is over; then all is compared.
            let frozen = self.restart.is_some() || self.preparing.is_some() && !self.stopping;
            if frozen && !matches!(place, Place::Link(_)) {
                continue;
            }
            let wanted = if self.stopping { Wanted::new() } else { self.wanted(place) };
            self.reconcile(now, place, wanted);
        }
    }

    fn wanted(&mut self, place: Place) -> Wanted {
        let mut wanted = Wanted::new();
        match place {
            Place::Link(id) => {
                V::link_lsas(self, id, &mut wanted);
                let grace = self.interfaces.get(&id).and_then(|interface| self.grace(interface));
                wanted.extend(grace.map(|(key, options, body)| (key, (options, body))));
            }
            Place::Area(area) => {
                V::area_lsas(self, area, &mut wanted);
                self.summarize(area, &mut wanted);
                self.announce_nssa(area, &mut wanted);
            }
            Place::As => {
                V::as_lsas(self, &mut wanted);
                self.announce_externals(&mut wanted);
            }
        }
        self.say_capable(place, &mut wanted);
        wanted
    }

    /// LSAs that others handed to us in our name and that we do not know how to make are flushed as well.
    fn reconcile(&mut self, now: Timestamp, place: Place, mut wanted: Wanted) {
        let own = self.config.router_id;
        let Some(database) = self.database(place) else { return };
        let here: Vec<LsaKey> = database.iter().map(|(key, _)| *key).filter(|key| key.adv == own).collect();
        let mut wait: Option<Timestamp> = None;
        for key in here {
            match wanted.remove(&key) {
                Some((options, body)) => {
                    let until = self.update(now, place, key, options, &body);
                    wait = wait.into_iter().chain(until).min();
                }
                None if self.restart.is_some() => {}
                None if self.is_alive(now, place, &key) => self.flush(now, place, &key),
                None => {}
            }
        }
        for (key, (options, body)) in wanted {
            self.build(now, place, key, options, &body, Sequence::INITIAL);
        }
        if let Some(at) = wait {
            self.held.insert(place, at);
        }
    }

    fn is_alive(&self, now: Timestamp, place: Place, key: &LsaKey) -> bool {
        let entry = self.database(place).and_then(|database| database.get(key));
        entry.is_some_and(|entry| !entry.is_max_age(now))
    }

    /// Brings an LSA that is there up to date. What has to wait says until when.
    fn update(
        &mut self,
        now: Timestamp,
        place: Place,
        key: LsaKey,
        options: Options,
        body: &BytesMut,
    ) -> Option<Timestamp> {
        let entry = self.database(place)?.get(&key)?;
        let header = *entry.lsa.header();
        let dead = entry.is_max_age(now);
        let same_age = header.does_not_age() == self.reduces(place);
        if entry.own && !dead && header.options == options && same_age && entry.lsa.body() == &body[..] {
            return None;
        }
        let Some(next) = header.sequence.next() else {
            if !dead {
                self.flush(now, place, &key);
            }
            return None; // it comes back when it has been swept
        };
        let earliest = self.spaced(now, entry.since);
        if entry.own && earliest > now {
            return Some(earliest);
        }
        self.build(now, place, key, options, body, next);
        None
    }

    /// When an LSA that was made at some time may be made again: MinLSInterval later (§12.4). What was made while nobody was
    /// adjacent was flooded to nobody, so that there is nobody to spare: the first adjacency of a router leads somewhere at once.
    fn spaced(&self, now: Timestamp, made: Timestamp) -> Timestamp {
        let alone = self.heard_since.is_none_or(|heard| made <= heard);
        if alone { now } else { made + self.config.timers.min_interval }
    }

    fn build(
        &mut self,
        now: Timestamp,
        place: Place,
        key: LsaKey,
        options: Options,
        body: &BytesMut,
        sequence: Sequence,
    ) {
        let age = self.first_age(place);
        let header = LsaHeader { age, options, key, sequence, checksum: 0, length: 0 };
        if let Some(lsa) = Lsa::build::<V>(header, body) {
            let header = *lsa.header();
            self.trace(|| Trace::Generated(place, header));
            self.install(now, place, lsa, true, None);
        }
    }

    /// The same LSA under the next number (§12.4: every LSRefreshTime).
    pub(crate) fn renew(&mut self, now: Timestamp, place: Place, key: &LsaKey) {
        let Some(entry) = self.database(place).and_then(|database| database.get(key)) else { return };
        let (header, body) = (*entry.lsa.header(), BytesMut::from(entry.lsa.body()));
        self.trace(|| Trace::Refreshed(place, *key));
        match header.sequence.next() {
            Some(next) => self.build(now, place, *key, header.options, &body, next),
            None => {
                self.flush(now, place, key);
                self.dirty.insert(place);
            }
        }
    }

    /// Types of LSAs in a database, for shows.
    pub fn types(&self, place: Place) -> BTreeSet<LsType> {
        self.database(place).map(|d| d.iter().map(|(key, _)| key.ty).collect()).unwrap_or_default()
    }
}
