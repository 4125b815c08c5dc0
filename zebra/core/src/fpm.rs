//! The stream of the forwarding plane manager, as SONiC's fpmsyncd reads it: everything that is to be forwarded by, told to a
//! program that drives other hardware, beside the kernel.
//!
//! ```text
//!   Rib, Groups, Lfib --(what has changed)--> Fpm --(when the peer can take more)--> shell --> peer
//! ```
//!
//! What waits for the peer is a list of names (prefixes, next-hop objects, labels), each at most once; what a name stands for is
//! looked up when it is its turn. So a peer that reads slowly costs a name for every prefix that changed and never more, and it is told
//! what counts now, not what has counted meanwhile. A new peer is told everything: a walk through the tables, a slice whenever it
//! can take more, while changes go beside it.
//!
//! Names of what is gone could grow without end where new prefixes come and go and nobody reads: with [`SPARE`] more of them than there
//! have been destinations at once the connection ends, the list is dropped, and the peer is told everything when it is back.
//!
//! A next-hop object is told before the first route that names it, and its end after the last: names stand in the order of their
//! changes, and an object ends after its routes have changed. The stream carries what the RIB has chosen, the kernel's own routes
//! among it; a limit of the kernel's tables (`zebra fib limit`) is not the peer's.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use ferrite_types::{Label, Prefix, RouteProtocol, Safi};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::action::{Action, FibOp, FibOpKind, FibRoute, NexthopId, NexthopObject, NexthopOp};
use crate::event::Offload;
use crate::instance::Zebra;
use crate::lfib::LfibOp;
use crate::rib::{ShapeId, TableKey};

pub mod settings;

use settings::FpmSettings;

/// Destinations that one slice of the walk looks at.
const SLICE: usize = 1024;
/// Names beyond one for every destination.
const SPARE: usize = 1 << 17;

/// Something that the peer has to be told.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Item {
    Route(TableKey, Prefix),
    /// An object that the peer knows is another now.
    Object(NexthopId),
    ObjectGone(NexthopId),
    Lsp(Label),
}

/// What goes to the peer, in order.
#[derive(Clone, Debug)]
pub enum FpmMessage {
    Route(FibOp),
    Nexthop(NexthopOp),
    Lsp(LfibOp),
}

/// The shell's side of the connection, for the shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FpmLink {
    pub connected: bool,
    pub bytes_read: u64,
    pub bytes_sent: u64,
    /// Octets that are made and not sent.
    pub buffered: u64,
    pub buffered_peak: u64,
    pub closes: u64,
    pub errors: u64,
    /// Times that there was more to say than the peer took.
    pub full: u64,
    /// Times that the peer's notices came faster than we took them, and had to wait.
    pub held_back: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FpmStats {
    /// Names that were queued, and that were told.
    pub noted: u64,
    pub told: u64,
    pub queue_peak: u64,
    pub configured: u64,
    pub disabled: u64,
    /// Notices of offloading that the peer sent.
    pub notices: u64,
    /// Times that so much had changed for a peer that does not read that it is told everything anew.
    pub resyncs: u64,
}

#[derive(Debug, Default)]
pub struct Fpm {
    /// A peer listens.
    pub on: bool,
    queue: VecDeque<Item>,
    queued: FxHashSet<Item>,
    /// Whose a route was that is gone.
    gone: FxHashMap<(TableKey, Prefix), RouteProtocol>,
    /// Tables to come, and where the walk is in the last of them.
    walk: Option<(Vec<TableKey>, Option<Prefix>)>,
    /// Destinations that there have been at once since the peer came.
    most: usize,
    /// Objects that the peer knows.
    known: FxHashSet<NexthopId>,
    pub link: FpmLink,
    pub stats: FpmStats,
}

impl Fpm {
    fn push(&mut self, item: Item) {
        if self.queued.insert(item) {
            self.queue.push_back(item);
            self.stats.noted += 1;
            self.stats.queue_peak = self.stats.queue_peak.max(self.queue.len() as u64);
        }
    }

    pub fn queue_len(&self) -> usize {
        self.queue.len()
    }

    /// There is something to tell.
    pub fn pending(&self) -> bool {
        self.on && (self.walk.is_some() || !self.queue.is_empty())
    }

    fn forget(&mut self) {
        self.queue = VecDeque::new();
        self.queued = FxHashSet::default();
        self.gone = FxHashMap::default();
        self.known = FxHashSet::default();
        self.walk = None;
        self.most = 0;
    }

    /// An object is written (again).
    pub fn object_written(&mut self, id: NexthopId) {
        if self.on && self.known.contains(&id) {
            self.push(Item::Object(id));
        }
    }

    pub fn object_gone(&mut self, id: NexthopId) {
        if self.on && self.known.contains(&id) {
            self.push(Item::ObjectGone(id));
        }
    }

    pub fn lsp_changed(&mut self, label: Label) {
        if self.on {
            self.push(Item::Lsp(label));
        }
    }
}

impl Zebra {
    /// A peer listens, or has gone.
    pub fn fpm_connected(&mut self, on: bool) {
        self.fpm.forget();
        self.fpm.on = on;
        self.fpm.link.connected = on;
        if !on {
            return;
        }
        self.fpm.most = self.rib.destinations();
        let keys = self.rib.tables.keys().rev().filter(|key| key.safi == Safi::Unicast);
        self.fpm.walk = Some((keys.copied().collect(), None));
        let labels: Vec<Label> = self.lfib.lsps().map(|(label, _)| label).collect();
        for label in labels {
            self.fpm.push(Item::Lsp(label));
        }
    }

    pub fn fpm_pending(&self) -> bool {
        self.fpm.pending()
    }

    pub fn fpm_link(&mut self) -> &mut FpmLink {
        &mut self.fpm.link
    }

    pub fn fpm_clear(&mut self) {
        let FpmLink { connected, buffered, .. } = self.fpm.link;
        self.fpm.link = FpmLink { connected, buffered, buffered_peak: buffered, ..FpmLink::default() };
        self.fpm.stats = FpmStats::default();
    }

    /// The peer says what its hardware made of a route.
    pub fn fpm_notice(&mut self, key: TableKey, prefix: Prefix, offload: Offload) {
        self.fpm.stats.notices += 1;
        self.offload_told(key, prefix, offload);
    }

    /// A destination has changed.
    pub(crate) fn fpm_changed(
        &mut self,
        key: TableKey,
        prefix: Prefix,
        old: Option<ShapeId>,
        new: Option<ShapeId>,
    ) {
        if !self.fpm.on || key.safi != Safi::Unicast {
            return;
        }
        // What leads elsewhere is its group, and that is told once.
        let grouped = |id| !self.settings.fpm.no_groups && self.rib.shared.names_group(id);
        if old == new && new.is_some_and(grouped) {
            return;
        }
        let protocol = old.and_then(|old| self.rib.shared.shape(old)).map(|shape| shape.protocol);
        if let Some(protocol) = protocol {
            self.fpm.gone.insert((key, prefix), protocol);
        }
        self.fpm.push(Item::Route(key, prefix));
        // Now and then is often enough.
        let names = self.fpm.queue.len();
        if names.is_multiple_of(1024) {
            self.fpm.most = self.fpm.most.max(self.rib.destinations());
            if names > SPARE + self.fpm.most {
                self.fpm_overflown();
            }
        }
    }

    /// The peer does not read, and the list of what it would have to hear is longer than telling it everything.
    fn fpm_overflown(&mut self) {
        self.fpm.forget();
        self.fpm.on = false;
        self.fpm.stats.resyncs += 1;
        self.actions.push(Action::Fpm(self.settings.fpm.address));
    }

    pub(crate) fn apply_fpm(&mut self, old: &FpmSettings) {
        let new = self.settings.fpm;
        if *old == new {
            return;
        }
        if old.address != new.address {
            match new.address {
                Some(_) => self.fpm.stats.configured += 1,
                None => self.fpm.stats.disabled += 1,
            }
        }
        // Another form is told from the beginning.
        self.actions.push(Action::Fpm(new.address));
    }

    /// What the peer is told next: about as many messages as `room`, none where there is nothing to tell.
    pub fn fpm_next(&mut self, room: usize) -> Vec<FpmMessage> {
        let mut out = Vec::new();
        while out.len() < room {
            let before = out.len();
            for _ in 0..room {
                if out.len() >= room || !self.fpm_one(&mut out) {
                    break;
                }
            }
            // The walk goes beside the changes: neither waits for the other's end.
            if !self.fpm_walk(&mut out) && out.len() == before {
                break;
            }
        }
        self.fpm.stats.told += out.len() as u64;
        out
    }

    fn fpm_one(&mut self, out: &mut Vec<FpmMessage>) -> bool {
        let Some(item) = self.fpm.queue.pop_front() else { return false };
        self.fpm.queued.remove(&item);
        match item {
            Item::Route(key, prefix) => self.fpm_route(key, prefix, false, out),
            Item::Object(id) => {
                self.fpm.known.remove(&id);
                self.fpm_object(id, out);
            }
            Item::ObjectGone(id) => {
                if self.groups.get(id).is_none() && self.fpm.known.remove(&id) {
                    out.push(FpmMessage::Nexthop(NexthopOp { id, seq: 0, object: None }));
                }
            }
            Item::Lsp(label) => self.fpm_lsp(label, out),
        }
        true
    }

    /// A slice of the tables; false where there is no more.
    fn fpm_walk(&mut self, out: &mut Vec<FpmMessage>) -> bool {
        let Some((mut keys, mut cursor)) = self.fpm.walk.take() else { return false };
        let Some(key) = keys.last().copied() else { return false };
        let mut found = Vec::new();
        let mut seen = 0;
        if let Some(table) = self.rib.tables.get(&key) {
            table.walk(cursor, |prefix, dest| {
                cursor = Some(prefix);
                seen += 1;
                if dest.selected().is_some() {
                    found.push(prefix);
                }
                if seen < SLICE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
        }
        if seen < SLICE {
            keys.pop();
            cursor = None;
        }
        self.fpm.walk = Some((keys, cursor));
        for prefix in found {
            self.fpm_route(key, prefix, true, out);
        }
        true
    }

    /// `first`: the peer has not heard of it before.
    fn fpm_route(&mut self, key: TableKey, prefix: Prefix, first: bool, out: &mut Vec<FpmMessage>) {
        let gone = self.fpm.gone.remove(&(key, prefix));
        let TableKey { vrf, table, from, .. } = key;
        let op = |kind| FpmMessage::Route(FibOp { vrf, table, prefix, from, seq: 0, kind });
        let selected = self.rib.dest(key, prefix).and_then(|dest| dest.selected()).map(|entry| entry.shape);
        let route = selected.and_then(|id| self.fpm_form(id));
        let remove = route.is_none() || (self.settings.fpm.no_replace && !first);
        if let (true, Some(protocol)) = (remove, gone) {
            out.push(op(FibOpKind::Remove { protocol }));
        }
        let Some(route) = route else { return };
        if let Some(group) = route.group {
            self.fpm_object(group, out);
        }
        out.push(op(FibOpKind::Install(route.into())));
    }

    /// What the peer is told of a shape: with the number of its group where it takes groups, else with the next hops.
    fn fpm_form(&mut self, id: ShapeId) -> Option<FibRoute> {
        let (_, route) = self.rib.shared.fib_route(id)?;
        let known = route.group.filter(|group| self.groups.get(*group).is_some());
        let group = known.filter(|_| !self.settings.fpm.no_groups);
        let nexthops = match group {
            Some(_) => route.nexthops.clone(),
            None => self.rib.shared.set_of(id)?.resolved.fib.clone(),
        };
        (group.is_some() || !nexthops.is_empty()).then(|| FibRoute { nexthops, group, ..(*route).clone() })
    }

    /// An object after its members, where the peer does not know them.
    fn fpm_object(&mut self, id: NexthopId, out: &mut Vec<FpmMessage>) {
        if self.fpm.known.contains(&id) {
            return;
        }
        let Some(object) = self.groups.get(id).map(|object| object.content.clone()) else { return };
        if let NexthopObject::Group(members) = &object {
            for (member, _) in members {
                self.fpm_object(*member, out);
            }
        }
        self.fpm.known.insert(id);
        out.push(FpmMessage::Nexthop(NexthopOp { id, seq: 0, object: Some(object) }));
    }

    fn fpm_lsp(&mut self, label: Label, out: &mut Vec<FpmMessage>) {
        let lsp = self.lfib.lsp(label);
        let nexthops = lsp.and_then(|lsp| lsp.fib.clone());
        let protocol = lsp.and_then(|lsp| lsp.chosen()).map_or(RouteProtocol::Static, |(_, w)| w.protocol);
        out.push(FpmMessage::Lsp(LfibOp { label, seq: 0, protocol, nexthops }));
    }
}
