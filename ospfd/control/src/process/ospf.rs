//! ospfd as a whole: what every process sees of the world, and the processes of both versions.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use ferrite_keychain::ToUtc;
use ferrite_ospf::IfId;
use ferrite_ospf_packet::{Family, Inet4, Inet6, V2, V3};
use ferrite_policy::Policies;
use ferrite_types::ids::{IfIndex, RouterId, VrfId};
use ferrite_types::link_params::LinkParams;
use ferrite_types::zclient::{LdpSync, ToZebra};
use ferrite_types::{Prefix, Timestamp};

use super::boots::Boots;
use super::event::{Action, Event};
use super::filters::Filters;
use super::flavor::{Flavor, on_link};
use super::redistribute::Learned;
use super::sockets::Reach;
use super::zebra::ZebraState;
use super::{KernelLink, Process, ProcessName, RestartNote};
use crate::api::Api;
use crate::{Roles, Settings};

/// What the machine says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Host {
    /// Seconds since 1970 at the daemon's start, and by now.
    pub epoch: u32,
    pub wall: i64,
    pub to_utc: ToUtc,
}

/// What all processes see.
#[derive(Debug)]
pub struct World {
    pub roles: Roles,
    pub host: Host,
    pub settings: Arc<Settings>,
    pub policies: Policies,
    pub links: BTreeMap<IfIndex, KernelLink>,
    /// What links offer to traffic engineering.
    pub link_params: BTreeMap<IfIndex, Box<LinkParams>>,
    pub(super) ldp: super::ldp_sync::Ldp,
    /// Beside the default one.
    pub vrfs: BTreeMap<String, VrfId>,
    /// What zebra chose, by VRF.
    pub router_ids: BTreeMap<VrfId, RouterId>,
    pub(super) learned: Learned,
    pub(super) zebra: ZebraState,
    pub(super) filters: Filters,
    /// Somebody debugs: what happens inside is told.
    pub(super) traced: bool,
    /// What an earlier program wrote down, of processes that are not configured yet.
    pub(super) found: Vec<RestartNote>,
    pub(super) boots: Boots,
}

pub(super) type Processes<V> = BTreeMap<ProcessName, Process<V>>;

#[derive(Debug)]
pub struct Ospf {
    pub world: World,
    pub v2: Processes<V2>,
    pub v3: Processes<V3>,
    /// OSPFv3 that routes IPv4.
    pub v3_ipv4: Processes<V3<Inet4>>,
    pub(super) reach: Reach,
    /// Something changed that processes are made of.
    pub(super) stale: bool,
    /// We end, by then at the latest.
    ending: Option<Timestamp>,
    /// We were told to end.
    ended: bool,
    pub(super) remembered: Vec<RestartNote>,
    /// What zebra was told of how long it keeps our routes.
    held: Option<u32>,
    pub(super) api: Api,
}

impl World {
    /// Seconds since 1970.
    pub fn wall_at(&self, now: Timestamp) -> i64 {
        i64::from(self.host.epoch).saturating_add(i64::try_from(now.as_micros() / 1_000_000).unwrap_or(0))
    }

    pub fn vrf(&self, name: &ProcessName) -> Option<VrfId> {
        match &name.vrf {
            None => Some(VrfId::DEFAULT),
            Some(vrf) => self.vrfs.get(vrf).copied(),
        }
    }

    /// Links of the VRF of a process.
    pub fn links_of(&self, name: &ProcessName) -> impl Iterator<Item = &KernelLink> {
        let vrf = self.vrf(name);
        self.links.values().filter(move |link| Some(link.interface.vrf) == vrf)
    }

    /// The network of an address of a link.
    pub fn network_of(&self, ifindex: IfIndex, own: Ipv4Addr) -> Option<Prefix> {
        let link = self.links.get(&ifindex)?;
        link.addresses.iter().find(|address| address.addr == IpAddr::V4(own))?.network()
    }
}

impl Ospf {
    pub fn new(roles: Roles, host: Host) -> Self {
        let settings = Settings::default();
        Self {
            world: World {
                roles,
                host,
                policies: Policies::compile(&settings.policy, None),
                settings: Arc::new(settings),
                links: BTreeMap::new(),
                link_params: BTreeMap::new(),
                ldp: Default::default(),
                vrfs: BTreeMap::new(),
                router_ids: BTreeMap::new(),
                learned: Learned::default(),
                zebra: ZebraState::default(),
                filters: Filters::default(),
                traced: false,
                found: Vec::new(),
                boots: Boots::default(),
            },
            v2: BTreeMap::new(),
            v3: BTreeMap::new(),
            v3_ipv4: BTreeMap::new(),
            reach: Reach::default(),
            stale: false,
            ending: None,
            ended: false,
            remembered: Vec::new(),
            held: None,
            api: Api::default(),
        }
    }

    /// Feeds in one event; what must happen outside is appended to `out`.
    pub fn handle(&mut self, now: Timestamp, event: Event, out: &mut Vec<Action>) {
        match event {
            Event::Configured(settings) => self.configure(settings, out),
            Event::ZebraConnected => {
                self.held = None;
                self.world.zebra.connected();
                // What is known of LDP is told again.
                self.world.ldp.said(LdpSync::Gone);
            }
            Event::ZebraGone => self.world.zebra.gone(),
            Event::Zebra(message) => self.zebra_said(now, message, out),
            Event::Received { version, ifindex, source, destination, octets } => {
                let packet = Packet { ifindex, source, destination, octets };
                match version {
                    2 => deliver(&mut self.v2, &self.world, now, packet, out),
                    _ if self.is_for_ipv4(&packet) => {
                        deliver(&mut self.v3_ipv4, &self.world, now, packet, out);
                    }
                    _ => deliver(&mut self.v3, &self.world, now, packet, out),
                }
            }
            Event::Api(event) => self.api_event(now, event, out),
            Event::Wall(wall) => self.wall(now, wall, out),
            Event::Shutdown => return self.shut_down(now, out),
        }
        self.settle(now, out);
    }

    /// Does what is due at or before `now`.
    pub fn tick(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        let World { settings, zebra, .. } = &self.world;
        tick(&mut self.v2, settings, zebra, now, out);
        tick(&mut self.v3, settings, zebra, now, out);
        tick(&mut self.v3_ipv4, settings, zebra, now, out);
        self.stale |= self.world.ldp.expire(now);
        self.replay_when_due(now, out);
        self.end_when_done(now, out);
        if self.keeps_routes() {
            self.remember(now, out);
        }
        self.settle(now, out);
    }

    /// When [`tick`](Self::tick) next has work.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let v2 = self.v2.values().filter_map(|process| process.core.next_deadline());
        let v3 = self.v3.values().filter_map(|process| process.core.next_deadline());
        let v3_ipv4 = self.v3_ipv4.values().filter_map(|process| process.core.next_deadline());
        v2.chain(v3)
            .chain(v3_ipv4)
            .chain(self.world.zebra.next_deadline())
            .chain(self.world.ldp.next_deadline())
            .chain(self.ending)
            .min()
    }

    fn configure(&mut self, settings: Arc<Settings>, out: &mut Vec<Action>) {
        if self.world.settings.policy != settings.policy {
            self.world.policies = Policies::compile(&settings.policy, Some(&self.world.policies));
        }
        let before = std::mem::replace(&mut self.world.settings, settings);
        self.stale = true;
        if self.world.zebra.takes_routes() {
            tell_where_attributes_changed(&self.v2, &before, &self.world.settings, out);
            tell_where_attributes_changed(&self.v3, &before, &self.world.settings, out);
            tell_where_attributes_changed(&self.v3_ipv4, &before, &self.world.settings, out);
        }
    }

    /// The cores count the time themselves; they are told again, since clocks are set.
    fn wall(&mut self, now: Timestamp, wall: i64, out: &mut Vec<Action>) {
        self.world.host.wall = wall;
        for process in self.v2.values_mut() {
            process.tell_time(&self.world, now, out);
        }
        for process in self.v3.values_mut() {
            process.tell_time(&self.world, now, out);
        }
        for process in self.v3_ipv4.values_mut() {
            process.tell_time(&self.world, now, out);
        }
    }

    /// Whether lifetimes of keys are to be watched.
    pub fn watches_time(&self) -> bool {
        self.world.settings.key_chains.iter().next().is_some()
    }

    /// Brings the processes in line with the configuration and the links.
    pub(super) fn settle(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        // What starts to speak does so by a socket that is open; what ends has its last words before it is closed.
        let from = out.len();
        // Half a snapshot is no news: what is missing of it has not gone.
        if self.stale && !self.world.zebra.is_listening() {
            self.stale = false;
            self.world.watch_ldp(now);
            self.reach.stale = true;
            super::run::sync(&mut self.v2, &mut self.world, now, out);
            super::run::sync(&mut self.v3, &mut self.world, now, out);
            super::run::sync(&mut self.v3_ipv4, &mut self.world, now, out);
            self.subscribe(out);
            self.remember(now, out);
            let hold = self.hold_time();
            if self.world.zebra.takes_routes() && self.held != hold {
                self.held = hold;
                out.push(Action::Zebra(ToZebra::HoldRoutes(hold)));
            }
        }
        let said = out.split_off(from);
        let mut sockets = Vec::new();
        self.open_sockets(&mut sockets);
        let opens = |action: &Action| {
            matches!(action, Action::Socket { terms: Some(_), .. } | Action::Membership { join: true, .. })
        };
        let (first, last): (Vec<Action>, Vec<Action>) = sockets.into_iter().partition(opens);
        out.extend(first);
        out.extend(said);
        out.extend(last);
        self.follow(out);
    }

    /// Everything is flushed; when that is acknowledged, or after a moment, we are done.
    fn shut_down(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        let World { settings, zebra, .. } = &self.world;
        for process in self.v2.values_mut() {
            process.leave(settings, zebra, now, out);
        }
        for process in self.v3.values_mut() {
            process.leave(settings, zebra, now, out);
        }
        for process in self.v3_ipv4.values_mut() {
            process.leave(settings, zebra, now, out);
        }
        // Who says so first leads others around itself (`max-metric router-lsa on-shutdown`).
        self.ending = Some(now + Duration::from_secs(self.last_words().into()) + FAREWELL);
        self.ended = true;
        self.end_when_done(now, out);
    }

    /// Seconds that an end takes because the configuration says so.
    pub fn last_words(&self) -> u32 {
        self.world.settings.routers().filter_map(|router| router.max_metric.on_shutdown).max().unwrap_or(0)
    }

    fn end_when_done(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        let stopped = self.v2.values().all(|process| process.stopped)
            && self.v3.values().all(|process| process.stopped)
            && self.v3_ipv4.values().all(|process| process.stopped);
        if self.ending.is_some_and(|limit| stopped || limit <= now) {
            self.ending = None;
            self.v2.values_mut().for_each(Process::wait_no_longer);
            self.v3.values_mut().for_each(Process::wait_no_longer);
            self.v3_ipv4.values_mut().for_each(Process::wait_no_longer);
            let keep_routes = self.keeps_routes();
            self.remember(now, out);
            out.push(Action::Zebra(ToZebra::Goodbye { keep_routes }));
            out.push(Action::Finished);
        }
    }

    /// Whether what happens inside is told ([`LogLevel::Debug`](super::LogLevel)): while any `debug` line is on.
    pub fn set_trace(&mut self, on: bool) {
        if self.world.traced == on {
            return;
        }
        self.world.traced = on;
        self.v2.values_mut().for_each(|process| process.core.set_trace(on));
        self.v3.values_mut().for_each(|process| process.core.set_trace(on));
        self.v3_ipv4.values_mut().for_each(|process| process.core.set_trace(on));
    }

    /// How long the calculations took that ran since somebody last said so, as measured outside.
    pub fn measured(&mut self, took: Duration, out: &mut Vec<Action>) {
        let traced = self.world.traced;
        self.v2.values_mut().for_each(|process| process.measured(took, traced, out));
        self.v3.values_mut().for_each(|process| process.measured(took, traced, out));
        self.v3_ipv4.values_mut().for_each(|process| process.measured(took, traced, out));
    }

    /// What an earlier program wrote down, before anything else happens.
    pub fn found(&mut self, notes: Vec<RestartNote>) {
        self.remembered.clone_from(&notes);
        self.world.found = notes;
    }

    /// The count of boots that an earlier program signed packets with.
    pub fn found_boots(&mut self, count: Option<u32>) {
        self.world.boots.found(count);
    }

    pub(super) fn ending(&self) -> bool {
        self.ended
    }

    /// Whether a packet of OSPFv3 is for a process that routes IPv4: its instance ID says so (RFC 5838 §2.1). One that is for
    /// nobody goes to a process of the link that will say so.
    fn is_for_ipv4(&self, packet: &Packet) -> bool {
        let instance = packet.octets.get(INSTANCE_AT).copied();
        let runs = || self.v3_ipv4.values().any(|process| on_link(process, packet.ifindex).next().is_some());
        let runs_ipv6 = || self.v3.values().any(|process| on_link(process, packet.ifindex).next().is_some());
        runs() && (instance.is_some_and(|id| Inet4::INSTANCES.contains(&id)) || !runs_ipv6())
    }

    /// Looks at everything anew, as after `clear ip ospf process`: another router ID may be taken now.
    pub fn refresh(&mut self) {
        self.stale = true;
    }
}

/// The processes of a version.
pub trait HasProcesses<V: Flavor> {
    fn split(&mut self) -> (&mut BTreeMap<ProcessName, Process<V>>, &World);
}

impl HasProcesses<V2> for Ospf {
    fn split(&mut self) -> (&mut Processes<V2>, &World) {
        (&mut self.v2, &self.world)
    }
}

impl HasProcesses<V3<Inet6>> for Ospf {
    fn split(&mut self) -> (&mut Processes<V3>, &World) {
        (&mut self.v3, &self.world)
    }
}

impl HasProcesses<V3<Inet4>> for Ospf {
    fn split(&mut self) -> (&mut Processes<V3<Inet4>>, &World) {
        (&mut self.v3_ipv4, &self.world)
    }
}

fn tell_where_attributes_changed<V: Flavor>(
    processes: &Processes<V>,
    before: &Settings,
    after: &Settings,
    out: &mut Vec<Action>,
) {
    for (name, process) in processes {
        let told =
            |router: &crate::settings::RouterSettings| (router.distance, router.distances, router.extra_data);
        let of = |settings| V::routers(settings).get(name).map(told);
        if of(before) != of(after) {
            process.tell_all(after, out);
        }
    }
}

fn tick<V: Flavor>(
    processes: &mut Processes<V>,
    settings: &Settings,
    zebra: &ZebraState,
    now: Timestamp,
    out: &mut Vec<Action>,
) {
    for process in processes.values_mut() {
        let mut actions = Vec::new();
        process.core.tick(now, &mut actions);
        process.carry(actions, settings, zebra, out);
    }
}

/// A packet as it came in on a link.
struct Packet {
    ifindex: IfIndex,
    source: IpAddr,
    destination: IpAddr,
    octets: bytes::Bytes,
}

/// Hands a packet to the network of the link that it is for; where it is for none, to one that will say so.
fn deliver<V: Flavor>(
    processes: &mut Processes<V>,
    world: &World,
    now: Timestamp,
    packet: Packet,
    out: &mut Vec<Action>,
) {
    let Packet { ifindex, source, destination, octets } = packet;
    let mut second: Option<(ProcessName, IfId)> = None;
    let mut first: Option<(ProcessName, IfId)> = None;
    for (name, process) in processes.iter() {
        let ids: Vec<IfId> = on_link(process, ifindex).collect();
        let fits = ids.iter().find(|id| V::serves(process, **id, source, destination));
        if let (Some(id), None) = (fits, &first) {
            first = Some((name.clone(), *id));
        }
        let unnumbered = |id: &&IfId| {
            let network = process.core.interface(**id).map(|interface| interface.config.network);
            network == Some(ferrite_ospf::config::NetworkType::PointToPoint)
        };
        // An address of another link of ours: a virtual link's packets come in anywhere.
        let elsewhere =
            || process.told.iter().find(|(_, link)| link.address == Some(destination)).map(|(id, _)| id);
        if let (Some(id), None) =
            (ids.iter().find(unnumbered).or_else(elsewhere).or_else(|| ids.first()), &second)
        {
            second = Some((name.clone(), *id));
        }
    }
    let Some((name, interface)) = first.or(second) else { return };
    let Some(process) = processes.get_mut(&name) else { return };
    let event = ferrite_ospf::Event::Received { interface, source, destination, octets };
    process.tell_core(world, now, event, out);
}

/// Where the instance ID is in an OSPFv3 header (RFC 5340 §A.3.1).
const INSTANCE_AT: usize = 14;
/// How long neighbours may take to acknowledge that we go.
const FAREWELL: Duration = Duration::from_millis(800);
/// How long routes of an earlier run are kept for this one to find them again.
pub(super) const REPLAY_LIMIT: Duration = Duration::from_secs(60);
