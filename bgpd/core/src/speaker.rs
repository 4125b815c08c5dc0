//! All BGP instances of the process: the default one, views and those of VRFs. Each is an [`Instance`] with shards of its
//! own; what they share is here: the configuration, the stream to zebra, the numbers of neighbours, the operator's commands.
//!
//! ```text
//!  shell ── Event ──► Speaker ──► Instance (by neighbour, VRF, name) ──► Action with its InstanceId ──► shell
//! ```
//!
//! The default instance is always there, configured or not. Another one is made when the configuration names it
//! ([`Action::Start`]), and ends ([`Action::Stop`]) when its last route has left zebra. The instance of a VRF that the
//! kernel does not have (any more) stays with its sessions blocked; when the VRF comes (back), under whatever number,
//! the instance gets a snapshot of it as after a connection to zebra, and everything goes on from there.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use ferrite_types::zclient::{FromZebra, ToZebra};
use ferrite_types::{Timestamp, VrfId};

use crate::action::Action;
use crate::config::{BgpConfig, InstanceName};
use crate::event::{AcceptId, Event};
use crate::instance::bmp::CollectorId;
use crate::instance::rpki::RpkiEvent;
use crate::instance::{Host, Instance, PeerIds};
use crate::peer::Ends;
use crate::rib::{PeerId, ShardAction};

mod exec;
mod monitored;
mod shows;
mod world;

#[cfg(test)]
mod tests;

use exec::Runs;
use monitored::Station;
use world::World;

/// An instance in the life of the process; a number is given once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct InstanceId(pub u32);

impl InstanceId {
    pub const DEFAULT: Self = Self(0);
}

/// What an instance wants done.
pub type Acts = Vec<(InstanceId, Action)>;

#[derive(Debug)]
struct Member {
    instance: Instance,
    deadline: Option<Timestamp>,
    /// No longer configured: the shards that have nothing left to do.
    retiring: Option<BTreeSet<usize>>,
}

#[derive(Debug)]
pub struct Speaker {
    host: Host,
    peer_ids: PeerIds,
    next: u32,
    members: BTreeMap<InstanceId, Member>,
    /// Those that are configured, and the default one.
    by_name: BTreeMap<InstanceName, InstanceId>,
    deadlines: BTreeSet<(Timestamp, InstanceId)>,
    /// Whose neighbour it is that has a connection.
    owners: HashMap<PeerId, InstanceId>,
    config: Arc<BgpConfig>,
    world: World,
    /// Instances that have not replayed on this connection to zebra; `None` once it has heard so.
    replaying: Option<BTreeSet<InstanceId>>,
    runs: Runs,
    /// BMP collectors that are connected, of whichever instance.
    stations: BTreeMap<CollectorId, Station>,
    finishing: bool,
}

impl Speaker {
    pub fn new(host: Host) -> Self {
        let peer_ids = PeerIds::default();
        let instance = Instance::named(host.clone(), InstanceName::Default, peer_ids.clone());
        let member = Member { instance, deadline: None, retiring: None };
        Self {
            host,
            peer_ids,
            next: 1,
            members: BTreeMap::from([(InstanceId::DEFAULT, member)]),
            by_name: BTreeMap::from([(InstanceName::Default, InstanceId::DEFAULT)]),
            deadlines: BTreeSet::new(),
            owners: HashMap::new(),
            config: Arc::default(),
            world: World::default(),
            replaying: None,
            runs: Runs::default(),
            stations: BTreeMap::new(),
            finishing: false,
        }
    }

    /// Feeds in one event; whatever must happen outside is appended to `out`. What a shard or a listener says goes to
    /// [`Self::reported`] and [`Self::accepted`] instead, unless it is the default instance's.
    pub fn handle(&mut self, now: Timestamp, event: Event, out: &mut Acts) {
        match event {
            Event::Configured(config) => self.configure(now, config, out),
            Event::Accepted { accept, ends } => self.accepted(now, InstanceId::DEFAULT, accept, ends, out),
            Event::Shard { shard, action } => self.reported(now, InstanceId::DEFAULT, shard, action, out),
            Event::ZebraConnected => self.world.begin(),
            Event::ZebraGone => self.zebra_gone(now, out),
            Event::Zebra(message) => self.zebra_said(now, message, out),
            Event::Exec { exec, command, args } => self.exec(now, exec, command, args, out),
            Event::ReplyTaken(exec) => self.reply_taken(now, exec, out),
            Event::ReplyGone(exec) => self.reply_gone(now, exec, out),
            Event::Bmp { instance, event } => self.monitored(now, instance, event, out),
            Event::DumpTaken(_) => self.give(now, InstanceId::DEFAULT, event, out),
            Event::Rpki(event) => self.rpki(now, InstanceId::DEFAULT, event, out),
            Event::Shutdown => self.shutdown(now, out),
            event => {
                if let Some(id) = event.peer().and_then(|peer| self.owners.get(&peer)).copied() {
                    self.give(now, id, event, out);
                }
            }
        }
    }

    /// A listener of an instance accepted a connection. The default instance's listeners serve the views as well.
    pub fn accepted(
        &mut self,
        now: Timestamp,
        listener: InstanceId,
        accept: AcceptId,
        ends: Ends,
        out: &mut Acts,
    ) {
        let mut candidates = vec![listener];
        if listener == InstanceId::DEFAULT {
            candidates.extend(self.views());
        }
        for id in candidates {
            let before = out.len();
            self.give(now, id, Event::Accepted { accept, ends }, out);
            let refused = |(_, action): &(InstanceId, Action)| matches!(action, Action::Refuse { accept: refused } if *refused == accept);
            let Some(at) = out.iter().skip(before).position(refused) else { return };
            out.remove(before + at);
        }
        out.push((listener, Action::Refuse { accept }));
    }

    /// What a shard has for its instance.
    pub fn reported(
        &mut self,
        now: Timestamp,
        id: InstanceId,
        shard: usize,
        action: ShardAction,
        out: &mut Acts,
    ) {
        if matches!(action, ShardAction::ReplayDone) && self.is_retiring(id) {
            return self.idle(now, id, shard, out);
        }
        self.give(now, id, Event::Shard { shard, action }, out);
    }

    /// What happened to a cache of the RPKI that an instance asks.
    pub fn rpki(&mut self, now: Timestamp, id: InstanceId, event: RpkiEvent, out: &mut Acts) {
        self.give(now, id, Event::Rpki(event), out);
    }

    /// Fires every deadline at or before `now`. Calling early changes nothing.
    pub fn tick(&mut self, now: Timestamp, out: &mut Acts) {
        let due: Vec<InstanceId> =
            self.deadlines.iter().take_while(|(at, _)| *at <= now).map(|(_, id)| *id).collect();
        for id in due {
            self.with(now, id, out, |instance, acts| instance.tick(now, acts));
        }
    }

    /// When `tick` next has work, or `None` while nothing is pending.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Values that can stand for a variable of the grammar, for completion.
    pub fn complete(&self, variable: &str) -> Vec<String> {
        if variable == "VIEWVRFNAME" {
            return self.by_name.keys().map(|name| name.label().to_owned()).collect();
        }
        let all = self.members.values().flat_map(|member| member.instance.complete(variable));
        all.collect::<BTreeSet<String>>().into_iter().collect()
    }

    /// The sessions that a configuration would reset or end, and why, for `--test`.
    pub fn impact(&self, config: &BgpConfig) -> Vec<String> {
        let lines = |member: &Member| {
            let place = match member.instance.name() {
                InstanceName::Default => String::new(),
                InstanceName::View(name) => format!("view {name} "),
                InstanceName::Vrf(name) => format!("vrf {name} "),
            };
            let lines = member.instance.impact(config);
            lines.into_iter().map(move |line| format!("{place}{line}")).collect::<Vec<_>>()
        };
        self.members.values().flat_map(lines).collect()
    }

    /// An instance that is there.
    pub fn instance(&self, id: InstanceId) -> Option<&Instance> {
        self.members.get(&id).map(|member| &member.instance)
    }

    fn configure(&mut self, now: Timestamp, config: Arc<BgpConfig>, out: &mut Acts) {
        if self.finishing {
            return;
        }
        self.config = Arc::clone(&config);
        self.give(now, InstanceId::DEFAULT, Event::Configured(Arc::clone(&config)), out);
        let policies = self.members.get(&InstanceId::DEFAULT).map(|m| Arc::clone(&m.instance.policies));
        let known: Vec<(InstanceName, InstanceId)> =
            self.by_name.iter().map(|(name, id)| (name.clone(), *id)).collect();
        for (name, id) in known.into_iter().filter(|(_, id)| *id != InstanceId::DEFAULT) {
            if let (Some(member), Some(policies)) = (self.members.get_mut(&id), &policies) {
                member.instance.give_policies(Arc::clone(policies));
            }
            self.give(now, id, Event::Configured(Arc::clone(&config)), out);
            if !config.instances.contains_key(&name) {
                self.by_name.remove(&name);
                self.retire(now, id, out);
            }
        }
        self.make_missing(now, out);
    }

    /// Makes the instances that are configured and not there. One whose namesake still takes its routes back waits for it.
    fn make_missing(&mut self, now: Timestamp, out: &mut Acts) {
        let config = Arc::clone(&self.config);
        for name in config.instances.keys() {
            let namesake = |member: &Member| member.instance.name() == name;
            if !self.by_name.contains_key(name) && !self.members.values().any(namesake) {
                self.make(now, name.clone(), out);
            }
        }
    }

    fn make(&mut self, now: Timestamp, name: InstanceName, out: &mut Acts) {
        let id = InstanceId(self.next);
        self.next += 1;
        out.push((id, Action::Start { name: name.clone() }));
        let mut instance = Instance::named(self.host.clone(), name.clone(), self.peer_ids.clone());
        if let Some(default) = self.members.get(&InstanceId::DEFAULT) {
            instance.give_policies(Arc::clone(&default.instance.policies));
        }
        self.members.insert(id, Member { instance, deadline: None, retiring: None });
        self.by_name.insert(name, id);
        let config = Arc::clone(&self.config);
        self.give(now, id, Event::Configured(config), out);
        self.settle(now, id, out);
        self.lend_all(now, id, out);
    }

    /// Its neighbours are gone; it ends when its routes are.
    fn retire(&mut self, now: Timestamp, id: InstanceId, out: &mut Acts) {
        let Some(member) = self.members.get_mut(&id) else { return };
        member.retiring = Some(BTreeSet::new());
        if matches!(member.instance.name(), InstanceName::Vrf(_)) {
            out.push((id, Action::Listen { device: None }));
        }
        self.with(now, id, out, |instance, acts| instance.ask_whether_idle(acts));
    }

    fn is_retiring(&self, id: InstanceId) -> bool {
        self.members.get(&id).is_some_and(|member| member.retiring.is_some())
    }

    /// A shard of an instance that ends has nothing left to do.
    fn idle(&mut self, now: Timestamp, id: InstanceId, shard: usize, out: &mut Acts) {
        let shards = self.host.shards.max(1);
        let Some(idle) = self.members.get_mut(&id).and_then(|member| member.retiring.as_mut()) else {
            return;
        };
        idle.insert(shard);
        if idle.len() < shards {
            return;
        }
        if let Some(at) = self.members.remove(&id).and_then(|member| member.deadline) {
            self.deadlines.remove(&(at, id));
        }
        self.owners.retain(|_, owner| *owner != id);
        self.drop_runs_of(id, out);
        out.push((id, Action::Stop));
        self.replayed(id, out);
        self.make_missing(now, out);
    }

    fn views(&self) -> Vec<InstanceId> {
        let views = self.by_name.iter().filter(|(name, _)| matches!(name, InstanceName::View(_)));
        views.map(|(_, id)| *id).collect()
    }

    /// Gives one event to one instance.
    fn give(&mut self, now: Timestamp, id: InstanceId, event: Event, out: &mut Acts) {
        self.with(now, id, out, |instance, acts| instance.handle(now, event, acts));
    }

    /// Lets an instance work, and passes on what it wants.
    fn with(
        &mut self,
        now: Timestamp,
        id: InstanceId,
        out: &mut Acts,
        work: impl FnOnce(&mut Instance, &mut Vec<Action>),
    ) {
        let Some(member) = self.members.get_mut(&id) else { return };
        let mut acts = Vec::new();
        work(&mut member.instance, &mut acts);
        let deadline = member.instance.next_deadline();
        if deadline != member.deadline {
            let before = std::mem::replace(&mut member.deadline, deadline);
            before.map(|at| self.deadlines.remove(&(at, id)));
            deadline.map(|at| self.deadlines.insert((at, id)));
        }
        for action in acts {
            self.pass_on(now, id, action, out);
        }
    }

    fn pass_on(&mut self, now: Timestamp, id: InstanceId, action: Action, out: &mut Acts) {
        match &action {
            Action::Connect { peer, .. } | Action::Adopt { peer, .. } => {
                self.owners.insert(*peer, id);
                self.prune();
            }
            Action::Zebra(ToZebra::ReplayDone) => return self.replayed(id, out),
            Action::Finished => return,
            Action::Reply { .. } => {
                if let Action::Reply { exec, text, done } = action {
                    self.replied(now, id, exec, text, done, out);
                }
                return;
            }
            // Neighbours of views come to the default instance's listeners.
            Action::SetSigning { .. } if self.is_view(id) => {
                return out.push((InstanceId::DEFAULT, action));
            }
            _ => {}
        }
        out.push((id, action));
    }

    fn is_view(&self, id: InstanceId) -> bool {
        self.instance(id).is_some_and(|instance| matches!(instance.name(), InstanceName::View(_)))
    }

    /// Forgets neighbours that are gone, once they may be half of those known.
    fn prune(&mut self) {
        let live: usize = self.members.values().map(|member| member.instance.peers.len()).sum();
        if self.owners.len() > 2 * live + 1024 {
            let members = &self.members;
            self.owners.retain(|peer, id| {
                members.get(id).is_some_and(|member| member.instance.peers.contains_key(peer))
            });
        }
    }

    /// An instance has replayed; zebra sweeps when all have.
    fn replayed(&mut self, id: InstanceId, out: &mut Acts) {
        let Some(waiting) = &mut self.replaying else { return };
        waiting.remove(&id);
        if waiting.is_empty() && self.world.is_connected() {
            self.replaying = None;
            out.push((InstanceId::DEFAULT, Action::Zebra(ToZebra::ReplayDone)));
        }
    }

    fn zebra_gone(&mut self, now: Timestamp, out: &mut Acts) {
        self.world.end();
        self.replaying = None;
        for id in self.members.keys().copied().collect::<Vec<_>>() {
            self.give(now, id, Event::ZebraGone, out);
        }
    }

    fn shutdown(&mut self, now: Timestamp, out: &mut Acts) {
        self.finishing = true;
        for id in self.members.keys().copied().collect::<Vec<_>>() {
            self.give(now, id, Event::Shutdown, out);
        }
        out.push((InstanceId::DEFAULT, Action::Finished));
    }
}

impl Event {
    /// The neighbour that it is about.
    fn peer(&self) -> Option<PeerId> {
        match self {
            Self::Connected { peer, .. }
            | Self::ConnectFailed { peer, .. }
            | Self::Closed { peer, .. }
            | Self::Received { peer, .. }
            | Self::Fault { peer, .. }
            | Self::Orf { peer, .. }
            | Self::Activity { peer, .. }
            | Self::Faulty { peer, .. }
            | Self::Rtt { peer, .. }
            | Self::Mirrored { peer, .. }
            | Self::Written { peer, .. } => Some(*peer),
            Self::Configured(_)
            | Self::Accepted { .. }
            | Self::Shard { .. }
            | Self::Rpki(_)
            | Self::ZebraConnected
            | Self::ZebraGone
            | Self::Zebra(_)
            | Self::Exec { .. }
            | Self::ReplyTaken(_)
            | Self::ReplyGone(_)
            | Self::DumpTaken(_)
            | Self::Bmp { .. }
            | Self::Shutdown => None,
        }
    }
}

/// The VRF that a message of zebra is about, where it is about one alone.
fn vrf_of(message: &FromZebra) -> Option<VrfId> {
    match message {
        FromZebra::RouterId { vrf, .. } => Some(*vrf),
        FromZebra::Interface(interface) => Some(interface.vrf),
        _ => None,
    }
}
