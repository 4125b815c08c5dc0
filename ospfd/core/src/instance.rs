//! The instance: interfaces, areas, databases, routes, and the order in which an event's consequences are drawn.

mod hello;
mod machine;
mod requests;
mod timers;

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use ferrite_ospf_packet::auth::{Accept, Key};
use ferrite_ospf_packet::{
    AreaId, Body, DatabaseDescription, Endpoints, LsType, Lsa, LsaKey, Options, Refusal, Scope,
};
use ferrite_types::ids::RouterId;
use ferrite_types::{Prefix, Timestamp};

use crate::config::{AbrType, AreaKind, Authentication, Config, InterAs, Shortcut, accepted};
use crate::event::{Action, Event, External, IfId, Link, LogLine};
use crate::interface::{Interface, State, fsm};
use crate::lsdb::Lsdb;
use crate::neighbor::{self, Neighbor, NeighborKey};
use crate::replay::Order;
use crate::restart::{HelpEnd, Preparing, Restarting};
use crate::routes::Table;
use crate::schedule::Schedule;
use crate::spf::{AreaSpf, Known};
use crate::times::Times;
use crate::trace::Trace;
use crate::tracked::Tracked;
use crate::version::{IdPool, Target, Version};

/// External routes of ours from which on changes are gathered for a moment.
const MANY: usize = 100;
const GATHER: Duration = Duration::from_millis(20);

/// A database by its scope.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Place {
    Link(IfId),
    Area(AreaId),
    As,
}

/// An area we have an interface in.
#[derive(Debug, Default)]
pub struct Area {
    pub lsdb: Lsdb,
    pub(crate) spf: AreaSpf,
    pub(crate) summary_ids: IdPool<Target>,
    pub(crate) nssa_ids: IdPool<Prefix>,
    /// Virtual links of any routers lead through (TransitCapability, §16.1).
    pub(crate) transit: bool,
}

/// One OSPF process: one router ID, one set of areas.
#[derive(Debug)]
pub struct Instance<V: Version> {
    pub(crate) config: Config,
    pub(crate) interfaces: Tracked<IfId, Interface>,
    pub(crate) timers: timers::Timers,
    /// Neighbours that exchange or load.
    pub(crate) exchanging: BTreeSet<(IfId, NeighborKey)>,
    /// Neighbours that wait in ExStart for others to be done, with what they opened the exchange with.
    pub(crate) queued: BTreeMap<(IfId, NeighborKey), DatabaseDescription>,
    /// LSAs at MaxAge that may be free to go, and databases all of whose may be.
    pub(crate) sweepable: BTreeSet<(Place, LsaKey)>,
    pub(crate) sweepable_places: BTreeSet<Place>,
    pub(crate) areas: BTreeMap<AreaId, Area>,
    /// LSAs of AS scope.
    pub(crate) externals: Lsdb,
    pub(crate) external_ids: IdPool<Prefix>,
    pub(crate) redistributed: BTreeMap<Prefix, External>,
    pub(crate) known_externals: Known,
    /// LSAs of AS scope that changed since the last calculation.
    pub(crate) stale_externals: BTreeSet<LsaKey>,
    /// Routes that took their other way when a neighbour was lost; the next calculation looks at them.
    pub(crate) repaired: BTreeSet<Prefix>,
    /// More changed than LSAs: all routes are computed anew.
    pub(crate) whole: bool,
    /// The way to a boundary router is another since LSAs were made from routes.
    pub(crate) boundaries_moved: bool,
    pub(crate) routes: Table,
    /// Since when they are there, and as they are.
    pub(crate) route_times: Times<Prefix>,
    /// Databases whose own LSAs are to be compared with what they ought to be.
    /// The area whose alternates stand in for what lies outside of it too.
    pub(crate) sheltered: Option<AreaId>,
    pub(crate) dirty: BTreeSet<Place>,
    /// Databases in which an own LSA has to wait for MinLSInterval.
    pub(crate) held: BTreeMap<Place, Timestamp>,
    /// Since when somebody is fully adjacent.
    pub(crate) heard_since: Option<Timestamp>,
    pub(crate) schedule: Schedule,
    pub(crate) out: Vec<Action>,
    pub(crate) refusals: BTreeMap<(IfId, Refusal), u64>,
    /// Signed packets sent.
    pub(crate) signed: u64,
    pub(crate) stopping: bool,
    /// What time it was, and when that was.
    pub(crate) clock: Option<(Timestamp, u64)>,
    /// Opaque LSAs of others outside, by where they are kept, their opaque type and ID.
    pub(crate) opaque: BTreeMap<(Place, u8, u32), Bytes>,
    /// A restart of ours is near.
    pub(crate) preparing: Option<Preparing>,
    /// We are back from one.
    pub(crate) restart: Option<Restarting>,
    /// How the help for a neighbour ended that we helped last.
    pub(crate) last_help_end: Option<HelpEnd>,
    /// When the first event came.
    pub(crate) started: Option<Timestamp>,
    /// Until when we are a stub router because we have just started (RFC 6987).
    pub(crate) stub_until: Option<Timestamp>,
    /// When what we announced is flushed, after a while as a stub router.
    pub(crate) stop_at: Option<Timestamp>,
    /// The shell has been told that all is flushed.
    pub(crate) stopped: bool,
    /// The databases have refused an LSA for want of room, and there is not enough of it again.
    pub(crate) full: bool,
    /// Areas where all take LSAs that do not age, if we are to send such.
    pub(crate) reducing: BTreeSet<AreaId>,
    /// Neighbours that take the mark of what does not age for an age, by area (see [`crate::reduction`]).
    pub(crate) astray: BTreeSet<(AreaId, RouterId)>,
    /// LSAs that came since somebody looked last; none where nobody does.
    pub(crate) watched: Option<BTreeMap<(Place, LsaKey), Lsa>>,
    /// What happens inside is told.
    pub(crate) traced: bool,
    deadline: Option<Timestamp>,
    version: PhantomData<V>,
}

impl<V: Version> Instance<V> {
    pub fn new(config: Config) -> Self {
        let mut instance = Self {
            schedule: Schedule::new(&config.timers),
            config: Config::new(config.router_id),
            interfaces: Tracked::default(),
            timers: timers::Timers::default(),
            exchanging: BTreeSet::new(),
            queued: BTreeMap::new(),
            sweepable: BTreeSet::new(),
            sweepable_places: BTreeSet::new(),
            areas: BTreeMap::new(),
            externals: Lsdb::default(),
            external_ids: IdPool::default(),
            redistributed: BTreeMap::new(),
            known_externals: Known::default(),
            stale_externals: BTreeSet::new(),
            repaired: BTreeSet::new(),
            whole: true,
            boundaries_moved: false,
            routes: Table::default(),
            route_times: Times::default(),
            sheltered: None,
            dirty: BTreeSet::new(),
            held: BTreeMap::new(),
            heard_since: None,
            out: Vec::new(),
            refusals: BTreeMap::new(),
            signed: 0,
            stopping: false,
            clock: None,
            opaque: BTreeMap::new(),
            preparing: None,
            restart: None,
            last_help_end: None,
            started: None,
            stub_until: None,
            stop_at: None,
            stopped: false,
            full: false,
            reducing: BTreeSet::new(),
            astray: BTreeSet::new(),
            watched: None,
            traced: false,
            deadline: None,
            version: PhantomData,
        };
        instance.configure(Timestamp::ZERO, config);
        instance
    }

    /// Feeds in one event; what must happen outside is appended to `out`.
    pub fn handle(&mut self, now: Timestamp, event: Event, out: &mut Vec<Action>) {
        if self.started.is_none() {
            self.started = Some(now);
            self.stub_until = self.config.stub_on_startup.map(|while_| now + while_);
        }
        match event {
            Event::Configured(config) => self.configure(now, *config),
            Event::Link(id, link) => self.link_changed(now, id, link),
            Event::Received { interface, source, destination, octets } => {
                let ends = Endpoints { source, destination };
                if let Err(reason) = self.receive(now, interface, ends, &octets) {
                    self.refuse(interface, source, reason);
                }
            }
            Event::Redistribute(prefix, external) => self.redistribute(now, prefix, external),
            Event::Clock(unix) => self.clock = Some((now, unix)),
            Event::NeighborLost { interface, address } => self.neighbor_lost(now, interface, address),
            Event::ClearNeighbors(router) => self.clear_neighbors(now, router),
            Event::ClearInterface(id) => self.clear_interface(now, id),
            Event::ClearAuthCounters(id) => {
                self.refusals.retain(|(of, reason), _| *of != id || !reason.is_authentication());
            }
            Event::ClearProcess => self.clear_process(now),
            Event::Opaque { place, kind, id, body } => self.announce_opaque(place, kind, id, body),
            Event::PrepareRestart(reason) => self.prepare_restart(now, reason),
            Event::Restarting { remaining, reason, announce } => {
                self.restarting(now, remaining, reason, announce);
            }
            Event::Shutdown => {
                self.shut_down(now);
            }
        }
        self.settle(now, out);
    }

    /// Does what is due at or before `now`; calling early changes nothing.
    pub fn tick(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        if self.deadline.is_none_or(|at| at > now) {
            return;
        }
        for (id, neighbor) in self.timers.due(now) {
            match neighbor {
                None => self.tick_interface(now, id),
                Some(key) => self.tick_neighbor(now, id, key),
            }
        }
        self.age(now);
        if self.schedule.due(now) {
            self.calculate(now);
        }
        self.pass_away(now);
        let ready: Vec<Place> =
            self.held.iter().filter(|(_, at)| **at <= now).map(|(place, _)| *place).collect();
        for place in ready {
            self.held.remove(&place);
            self.dirty.insert(place);
        }
        self.settle(now, out);
    }

    /// When [`tick`](Self::tick) next has work.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.deadline
    }

    /// Draws the consequences of what happened, until there are none left.
    fn settle(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        self.elect_where_needed(now);
        self.load(now);
        self.admit(now);
        self.check_restart(now);
        self.originate(now);
        self.flush_updates(now);
        self.sweep(now);
        self.originate(now);
        self.flush_updates(now);
        self.check_room();
        self.check_prepared(now);
        self.check_stopped();
        self.arm();
        self.deadline = self.earliest();
        out.append(&mut self.out);
    }

    fn earliest(&self) -> Option<Timestamp> {
        let areas = self.areas.values().filter_map(|area| area.lsdb.next_deadline());
        let others = [self.externals.next_deadline(), self.schedule.next_deadline()];
        let held = self.held.values().copied();
        let phases = self.phases().into_iter().flatten();
        areas.chain(self.timers.first()).chain(others.into_iter().flatten()).chain(held).chain(phases).min()
    }

    pub(crate) fn router_id(&self) -> RouterId {
        self.config.router_id
    }

    pub(crate) fn interface_ids(&self) -> Vec<IfId> {
        self.interfaces.keys().copied().collect()
    }

    pub(crate) fn neighbor(&self, id: IfId, key: NeighborKey) -> Option<&Neighbor> {
        self.interfaces.get(&id)?.neighbors.get(&key)
    }

    pub(crate) fn neighbor_mut(&mut self, id: IfId, key: NeighborKey) -> Option<&mut Neighbor> {
        self.interfaces.get_mut(&id)?.neighbors.get_mut(&key)
    }

    // Configuration

    fn configure(&mut self, now: Timestamp, new: Config) {
        let old = std::mem::replace(&mut self.config, new.clone());
        self.schedule.configure(now, &old.timers, &new.timers);
        // It is a start as long as nothing runs yet.
        if old.interfaces.is_empty() && old.stub_on_startup.is_none() {
            self.stub_until = new.stub_on_startup.map(|while_| now + while_).or(self.stub_until);
        }
        let renamed = old.router_id != new.router_id;
        if renamed {
            // Everything we are known by has another name now.
            for id in self.interface_ids() {
                self.interface_event(now, id, fsm::Event::InterfaceDown);
            }
            self.areas.clear();
            self.forget_externals();
        }
        let real: Vec<IfId> =
            self.interfaces.iter().filter(|(_, i)| !i.is_virtual()).map(|(id, _)| *id).collect();
        for id in real.into_iter().filter(|id| !new.interfaces.contains_key(id)) {
            self.interface_event(now, id, fsm::Event::InterfaceDown);
            self.interfaces.remove(&id);
        }
        for (id, config) in &new.interfaces {
            let area_changed = old.area(config.area).kind != new.area(config.area).kind;
            let (link, heard) = match self.interfaces.get_mut(id) {
                None => {
                    self.interfaces.insert(*id, Interface::new(config.clone()));
                    continue;
                }
                Some(interface) if interface.config == *config && !area_changed && !renamed => continue,
                Some(interface) if !area_changed && !renamed && interface.config.same_adjacencies(config) => {
                    interface.adapt(now, config.clone());
                    continue;
                }
                Some(interface) => (interface.link.clone(), std::mem::take(&mut interface.heard)),
            };
            self.interface_event(now, *id, fsm::Event::InterfaceDown);
            // Of neighbours that the new one does not have, too.
            self.timers.forget(*id);
            self.interfaces.insert(*id, Interface { heard, ..Interface::new(config.clone()) });
            self.link_changed(now, *id, link);
        }
        let in_use: BTreeSet<AreaId> =
            self.interfaces.values().map(|interface| interface.config.area).collect();
        self.areas.retain(|area, _| in_use.contains(area));
        for area in in_use {
            self.areas.entry(area).or_default();
        }
        self.configure_virtual_links(now);
        self.reducing.retain(|area| self.areas.contains_key(area));
        self.astray.retain(|(area, _)| self.areas.contains_key(area));
        self.judge_all_capable();
        self.mark_all();
        self.recalculate(now);
    }

    pub(crate) fn forget_externals(&mut self) {
        self.externals = Lsdb::default();
        self.known_externals = Known::default();
        self.stale_externals.clear();
    }

    /// More than an LSA changed: what is sent where, and which areas there are.
    pub(crate) fn recalculate(&mut self, now: Timestamp) {
        self.whole = true;
        self.schedule.changed(now);
    }

    /// Everything is compared anew with what it ought to be.
    pub(crate) fn mark_all(&mut self) {
        self.dirty.insert(Place::As);
        self.dirty.extend(self.areas.keys().map(|area| Place::Area(*area)));
        self.dirty.extend(self.interfaces.keys().map(|id| Place::Link(*id)));
    }

    fn link_changed(&mut self, now: Timestamp, id: IfId, link: Link) {
        let Some(interface) = self.interfaces.get_mut(&id) else { return };
        let old = std::mem::replace(&mut interface.link, link.clone());
        let usable = link.up && link.address.is_some();
        let moved = old.address != link.address || old.ifindex != link.ifindex;
        if interface.state > State::Down && (!usable || moved) {
            self.interface_event(now, id, fsm::Event::InterfaceDown);
        }
        if usable {
            self.interface_event(now, id, fsm::Event::InterfaceUp);
        }
        self.mark_interface(id);
        self.recalculate(now);
    }

    /// What we say of an interface, or because of it, may have to change.
    pub(crate) fn mark_interface(&mut self, id: IfId) {
        if let Some(interface) = self.interfaces.get(&id) {
            self.dirty.insert(Place::Link(id));
            self.dirty.insert(Place::Area(interface.config.area));
            if let Some((transit, _)) = interface.virtual_to {
                self.dirty.insert(Place::Area(transit));
            }
            if interface.config.link_params.as_ref().is_some_and(|params| params.remote.is_some()) {
                // Links to other systems are told elsewhere than in the area of the link.
                let told = self.config.traffic_engineering.and_then(|te| te.inter_as);
                self.dirty.extend(told.map(|told| match told {
                    InterAs::As => Place::As,
                    InterAs::Area(area) => Place::Area(area),
                }));
            }
        }
    }

    fn redistribute(&mut self, now: Timestamp, prefix: Prefix, external: Option<External>) {
        let boundary = self.is_boundary_router();
        match external {
            Some(external) => drop(self.redistributed.insert(prefix, external)),
            None => drop(self.redistributed.remove(&prefix)),
        }
        if boundary != self.is_boundary_router() {
            return self.mark_all();
        }
        let nssa = self.areas.keys().filter(|area| self.area_kind(**area) == AreaKind::Nssa);
        let places: Vec<Place> = nssa.map(|area| Place::Area(*area)).chain([Place::As]).collect();
        // A range is not made anew with each of its routes, nor are thousands compared for each of them.
        let gathered = self.config.external_ranges.keys().find(|range| range.covers(prefix)).copied();
        if let Some(range) = gathered {
            self.trace(|| Trace::Aggregated { range, prefix, present: external.is_some() });
        }
        let delay = match (gathered.is_some(), self.redistributed.len()) {
            (true, _) => self.config.external_delay,
            (false, ..MANY) => return self.dirty.extend(places),
            (false, _) => GATHER,
        };
        for place in places {
            self.held.entry(place).or_insert(now + delay);
        }
    }

    // Areas and databases

    pub(crate) fn area_kind(&self, area: AreaId) -> AreaKind {
        self.config.areas.get(&area).map_or(AreaKind::Normal, |area| area.kind)
    }

    /// Areas with an interface that is not down.
    pub(crate) fn active_areas(&self) -> BTreeSet<AreaId> {
        let up = self.interfaces.values().filter(|interface| interface.state > State::Down);
        up.map(|interface| interface.config.area).collect()
    }

    /// Whether we connect areas (RFC 3509 §2.1).
    pub fn is_border_router(&self) -> bool {
        let active = self.active_areas();
        active.len() > 1
            && match self.config.abr {
                AbrType::Standard | AbrType::Shortcut => true,
                AbrType::Cisco => active.contains(&AreaId::BACKBONE),
                AbrType::Ibm => {
                    self.config.areas.contains_key(&AreaId::BACKBONE)
                        || self.areas.contains_key(&AreaId::BACKBONE)
                }
            }
    }

    /// Whether summaries of an area count (§16.2, RFC 3509 §2.2): between areas everything goes by the backbone, so a border
    /// router hears of it there, unless it has nobody there and is of a type that then looks elsewhere.
    pub(crate) fn believes_summaries(&self, id: AreaId) -> bool {
        if id.is_backbone() || !self.is_border_router() {
            return true;
        }
        match self.config.abr {
            AbrType::Standard => false,
            AbrType::Cisco | AbrType::Ibm => {
                let backbone = self.interfaces.values().filter(|i| i.config.area.is_backbone());
                backbone.flat_map(Interface::full).next().is_none()
            }
            AbrType::Shortcut => self.is_shortcut(id),
        }
    }

    /// Whether an area is one that others may lead through, all its border routers agreeing.
    fn is_shortcut(&self, id: AreaId) -> bool {
        let own = self.config.router_id;
        let agree = self.areas.get(&id).is_some_and(|area| {
            let borders = area.spf.routers.iter().filter(|(router, way)| **router != own && way.bits.border);
            borders.into_iter().all(|(_, way)| way.bits.shortcut)
        });
        self.offers_shortcut(id) && agree
    }

    /// Whether we say so of an area (the S bit): where it is asked for, or nothing is and there is no backbone here.
    pub(crate) fn offers_shortcut(&self, id: AreaId) -> bool {
        let wanted = self.config.areas.get(&id).map_or(Shortcut::Default, |area| area.shortcut);
        let enabled = match wanted {
            Shortcut::Default => !self.areas.contains_key(&AreaId::BACKBONE),
            Shortcut::Enable => true,
            Shortcut::Disable => false,
        };
        self.config.abr == AbrType::Shortcut && !id.is_backbone() && enabled
    }

    pub fn is_boundary_router(&self) -> bool {
        (self.config.boundary || !self.redistributed.is_empty()) && !self.stopping
    }

    /// Where LSAs of a type that come in on an interface are kept; none where they are not taken.
    pub(crate) fn place_for(&self, id: IfId, ty: LsType) -> Option<Place> {
        let interface = self.interfaces.get(&id)?;
        match V::scope(ty)? {
            Scope::Link => Some(Place::Link(id)),
            Scope::Area => Some(Place::Area(interface.config.area)),
            Scope::As => Some(Place::As),
        }
    }

    /// Whether LSAs of a type belong on an interface (§3.6, RFC 3101 §2.2, RFC 5250 §3).
    pub(crate) fn belongs(&self, interface: &Interface, ty: LsType) -> bool {
        let kind = self.area_kind(interface.config.area);
        let opaque = self.config.opaque && interface.config.opaque;
        if !opaque && !V::takes(ty, Options::default()) {
            return false;
        }
        match V::scope(ty) {
            None => false,
            Some(Scope::As) => kind == AreaKind::Normal && !interface.is_virtual(),
            Some(Scope::Link) => !interface.is_virtual(),
            Some(Scope::Area) => {
                (ty != V::NSSA || kind == AreaKind::Nssa)
                    && (ty != V::SUMMARY_ROUTER || kind == AreaKind::Normal)
            }
        }
    }

    pub(crate) fn database(&self, place: Place) -> Option<&Lsdb> {
        match place {
            Place::Link(id) => self.interfaces.get(&id).map(|interface| &interface.links),
            Place::Area(area) => self.areas.get(&area).map(|area| &area.lsdb),
            Place::As => Some(&self.externals),
        }
    }

    pub(crate) fn database_mut(&mut self, place: Place) -> Option<&mut Lsdb> {
        match place {
            Place::Link(id) => self.interfaces.get_mut(&id).map(|interface| &mut interface.links),
            Place::Area(area) => self.areas.get_mut(&area).map(|area| &mut area.lsdb),
            Place::As => Some(&mut self.externals),
        }
    }

    /// Whether an interface takes part in flooding what is kept in a place.
    pub(crate) fn shares(id: IfId, interface: &Interface, place: Place) -> bool {
        match place {
            Place::Link(link) => link == id,
            Place::Area(area) => interface.config.area == area,
            Place::As => !interface.is_virtual(),
        }
    }

    pub(crate) fn places(&self) -> Vec<Place> {
        let links = self.interfaces.keys().map(|id| Place::Link(*id));
        let areas = self.areas.keys().map(|area| Place::Area(*area));
        links.chain(areas).chain([Place::As]).collect()
    }

    // Packets

    pub(crate) fn refuse(&mut self, interface: IfId, source: IpAddr, reason: Refusal) {
        let count = self.refusals.entry((interface, reason)).or_insert(0);
        *count += 1;
        // The first of its kind, and then fewer and fewer: a flood does not fill the log.
        if count.is_power_of_two() {
            self.out.push(Action::Log(LogLine::Refused { interface, source, reason }));
        }
    }

    /// A packet from frame to body (§8.2).
    fn receive(&mut self, now: Timestamp, id: IfId, ends: Endpoints, octets: &Bytes) -> Result<(), Refusal> {
        let frame = V::frame(octets)?;
        if frame.router == RouterId::UNSET {
            return Err(Refusal::RouterIdZero);
        }
        if frame.router == self.config.router_id {
            return Err(Refusal::OwnRouterId);
        }
        let id = self.receiver(id, frame.area, frame.router).ok_or(Refusal::Area)?;
        let interface = self.interfaces.get(&id).ok_or(Refusal::Passive)?;
        if !interface.speaks() {
            return Err(Refusal::Passive);
        }
        if frame.instance != interface.config.instance {
            return Err(Refusal::Instance);
        }
        if ends.destination == V::ALL_D_ROUTERS && !matches!(interface.state, State::Dr | State::Backup) {
            return Err(Refusal::Destination);
        }
        if !interface.is_virtual() && !V::source_fits(interface, ends.source) {
            return Err(Refusal::Source);
        }
        if interface.config.named_only && !interface.config.neighbors.contains_key(&ends.source) {
            return Err(Refusal::Filtered);
        }
        if let Some(filter) = &interface.config.neighbor_filter
            && !filter.permits(Prefix::host(ends.source))
        {
            return Err(Refusal::Filtered);
        }
        let extended = interface.config.signs_extended();
        let valid: Vec<Key>;
        let accept = match &interface.config.authentication {
            Authentication::None => Accept::None,
            Authentication::Simple(password) => Accept::Simple(*password),
            Authentication::Keys(keys) if extended => Accept::Extended(keys),
            Authentication::Keys(keys) => Accept::Keys(keys),
            Authentication::Chain(chain) => {
                valid = accepted(chain, self.wall_time(now));
                if extended { Accept::Extended(&valid) } else { Accept::Keys(&valid) }
            }
        };
        let sequence = V::verify(&frame, &accept, ends)?;
        let signed = sequence.is_some();
        let key = V::neighbor_key(interface, frame.router, ends.source);
        let order = if extended || V::VERSION == 3 { Order::ByType } else { Order::Shared };
        let heard = if extended {
            interface.heard.get(&key)
        } else {
            interface.neighbors.get(&key).map(|neighbor| &neighbor.heard)
        };
        if let (Some(sequence), Some(heard)) = (sequence, heard)
            && !heard.admits(order, frame.kind, sequence)
        {
            return Err(Refusal::AuthSequence);
        }
        let body = Body::decode::<V>(frame.kind, frame.body.clone())?;
        if let Some(interface) = self.interfaces.get_mut(&id) {
            interface.received.count(&body, octets.len());
        }
        if signed {
            self.trace(|| Trace::Verified { interface: id, source: ends.source });
        }
        self.dispatch(now, id, key, &frame, ends, body)?;
        if let Some(sequence) = sequence
            && let Some(interface) = self.interfaces.get_mut(&id)
        {
            let neighbors = &mut interface.neighbors;
            if extended {
                let present = |key: &NeighborKey| neighbors.contains_key(key);
                interface.heard.note(key, (frame.kind, sequence), hello::MAX_NEIGHBORS, present);
            } else if let Some(neighbor) = neighbors.get_mut(&key) {
                neighbor.heard.note(order, frame.kind, sequence);
            }
        }
        Ok(())
    }

    /// The interface a packet belongs to: the one it came in on, or a virtual link.
    fn receiver(&self, id: IfId, area: AreaId, router: RouterId) -> Option<IfId> {
        let interface = self.interfaces.get(&id)?;
        if interface.config.area == area {
            return Some(id);
        }
        let transit = interface.config.area;
        let over = |(_, link): &(&IfId, &Interface)| link.virtual_to == Some((transit, router));
        self.interfaces.iter().find(over).filter(|_| area.is_backbone()).map(|(id, _)| *id)
    }

    fn dispatch(
        &mut self,
        now: Timestamp,
        id: IfId,
        key: NeighborKey,
        frame: &ferrite_ospf_packet::Frame,
        ends: Endpoints,
        body: Body,
    ) -> Result<(), Refusal> {
        if let Body::Hello(hello) = body {
            return self.receive_hello(now, id, key, frame.router, ends, hello);
        }
        let neighbor = self.neighbor(id, key).ok_or(Refusal::NoNeighbor)?;
        if neighbor.id != frame.router {
            return Err(Refusal::NoNeighbor);
        }
        if neighbor.state < neighbor::State::Exchange && !matches!(body, Body::DatabaseDescription(_)) {
            return Err(Refusal::NeighborState);
        }
        match body {
            Body::Hello(_) => Ok(()),
            Body::DatabaseDescription(description) => self.receive_description(now, id, key, description),
            Body::LinkStateRequest(keys) => {
                self.receive_request(now, id, key, &keys);
                Ok(())
            }
            Body::LinkStateUpdate(lsas) => {
                self.receive_update(now, id, key, lsas);
                Ok(())
            }
            Body::LinkStateAck(headers) => {
                self.receive_ack(now, id, key, &headers);
                Ok(())
            }
        }
    }

    /// An LSA's content changed: its vertex, and what follows from it, is computed anew.
    pub(crate) fn touched(&mut self, now: Timestamp, place: Place, key: &LsaKey) {
        match place {
            Place::Area(area) => {
                if let Some(area) = self.areas.get_mut(&area) {
                    area.spf.stale.insert(*key);
                }
                if key.ty == V::ROUTER {
                    self.judge_capable(area);
                }
            }
            Place::As => drop(self.stale_externals.insert(*key)),
            Place::Link(_) => {}
        }
        if let Place::Link(id) = place {
            self.whole |= V::tells_next_hops(key.ty);
            // Prefixes of the link are announced by its designated router (RFC 5340 §4.4.3.9).
            self.mark_interface(id);
        }
        self.schedule.changed(now);
        self.trace(|| Trace::Scheduled);
    }
}
