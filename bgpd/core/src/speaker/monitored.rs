//! BMP collectors among the instances: one that `bmp import-vrf-view` lends to others is told of what they hold, too.

use std::sync::Arc;

use ferrite_types::Timestamp;

use super::{Acts, InstanceId, Speaker};
use crate::event::Event;
use crate::instance::bmp::{BmpEvent, Lent};

/// A collector that is connected, as it was configured when it came.
#[derive(Debug)]
pub(super) struct Station {
    owner: InstanceId,
    lent: Lent,
}

impl Speaker {
    pub(super) fn monitored(&mut self, now: Timestamp, id: InstanceId, event: BmpEvent, out: &mut Acts) {
        match event {
            BmpEvent::Connected { collector, ref target, ref connect, remote } => {
                let config = Arc::clone(&self.config);
                let router = self.instance(id).and_then(|instance| config.instances.get(instance.name()));
                let targets = router.and_then(|router| router.bmp.get(target)).cloned().map(Arc::new);
                let (target, connect) = (Arc::clone(target), connect.clone());
                self.give(now, id, Event::Bmp { instance: id, event }, out);
                let Some(targets) = targets.filter(|targets| !targets.imports.is_empty()) else { return };
                let others: Vec<InstanceId> =
                    targets.imports.iter().filter_map(|name| self.named(name)).collect();
                let lent = Lent { collector, target, targets, connect, remote };
                self.stations.insert(collector, Station { owner: id, lent: lent.clone() });
                for other in others {
                    self.lend(now, id, other, lent.clone(), out);
                }
            }
            BmpEvent::Gone { collector } => {
                self.give(now, id, Event::Bmp { instance: id, event }, out);
                let Some(station) = self.stations.remove(&collector) else { return };
                for name in &station.lent.targets.imports {
                    if let Some(other) = self.named(name).filter(|other| *other != id) {
                        let event = Event::Bmp { instance: other, event: BmpEvent::Gone { collector } };
                        self.give(now, other, event, out);
                    }
                }
            }
            BmpEvent::Written { .. } | BmpEvent::Lent(_) => {
                self.give(now, id, Event::Bmp { instance: id, event }, out);
            }
        }
    }

    /// An instance is there (again): collectors that import it are told of it.
    pub(super) fn lend_all(&mut self, now: Timestamp, id: InstanceId, out: &mut Acts) {
        let Some(name) = self.instance(id).map(|instance| instance.label().to_owned()) else { return };
        let imports = |station: &&Station| station.lent.targets.imports.contains(name.as_str());
        let all = self.stations.values().filter(imports);
        let all: Vec<(InstanceId, Lent)> = all.map(|station| (station.owner, station.lent.clone())).collect();
        for (owner, lent) in all {
            self.lend(now, owner, id, lent, out);
        }
    }

    fn lend(&mut self, now: Timestamp, owner: InstanceId, to: InstanceId, lent: Lent, out: &mut Acts) {
        // Of the default instance and of itself it has its own tables.
        if to != owner && to != InstanceId::DEFAULT {
            self.give(now, to, Event::Bmp { instance: to, event: BmpEvent::Lent(lent) }, out);
        }
    }
}
