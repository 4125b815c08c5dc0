//! Which LSAs came, changed or are being flushed, for those who follow a database from outside.

use std::collections::BTreeMap;

use ferrite_ospf_packet::{Lsa, LsaKey};

use crate::instance::{Instance, Place};
use crate::version::Version;

impl<V: Version> Instance<V> {
    /// Begins or ends to note changes. Whoever follows takes them after each event.
    pub fn watch(&mut self, on: bool) {
        if self.watched.is_some() != on {
            self.watched = on.then(BTreeMap::new);
        }
    }

    /// What has changed since the last time; of an LSA at MaxAge that it is being flushed.
    pub fn take_watched(&mut self) -> BTreeMap<(Place, LsaKey), Lsa> {
        self.watched.as_mut().map(std::mem::take).unwrap_or_default()
    }
}
