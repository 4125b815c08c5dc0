//! A router or a switch as a node of the simulation: actions become packets on ports, packets that are for others are forwarded.

use std::collections::BTreeMap;
use std::net::IpAddr;

use bytes::Bytes;
use ferrite_ospf::{Action, Event, IfId, Instance, Link, Version};
use ferrite_sim::{Node, Outbox, Port};
use ferrite_types::{Prefix, Timestamp};

use crate::address::Plan;

/// A datagram on a link.
#[derive(Clone, Debug)]
pub struct Datagram {
    /// Who on the link is to take it.
    pub next: IpAddr,
    pub source: IpAddr,
    pub destination: IpAddr,
    pub hops: u8,
    pub octets: Bytes,
}

pub struct Router<V: Version> {
    pub core: Instance<V>,
    /// By port.
    pub links: Vec<Link>,
    /// Links that are not ports: loopbacks.
    pub other: BTreeMap<IfId, Link>,
    /// Ports on which it is a member of AllDRouters.
    pub designated: Vec<IfId>,
    pub actions: Vec<Action>,
    /// What happened, for a test that looks for it.
    pub log: Vec<ferrite_ospf::LogLine>,
    pub sent: usize,
    /// What the kernel has; it survives a restart of the process.
    pub forwarding: BTreeMap<ferrite_types::Prefix, ferrite_ospf::routes::Route>,
    /// No process runs: nothing is heard or said.
    pub silent: bool,
    pub prepared: bool,
    pub restarted: Option<ferrite_ospf::restart::RestartEnd>,
    pub stopped: bool,
    /// Copies of what is sent are damaged: one octet in every so many packets.
    pub damage: Option<usize>,
}

impl<V: Plan> Router<V> {
    pub fn new(core: Instance<V>, links: Vec<Link>, other: BTreeMap<IfId, Link>) -> Self {
        Self {
            core,
            links,
            other,
            designated: vec![],
            actions: vec![],
            log: vec![],
            sent: 0,
            forwarding: BTreeMap::new(),
            silent: false,
            prepared: false,
            restarted: None,
            stopped: false,
            damage: None,
        }
    }

    /// Its loopbacks come up.
    pub fn start(&mut self, now: Timestamp, out: &mut Outbox<Datagram>) {
        for (id, link) in self.other.clone() {
            self.feed(now, Event::Link(id, link), out);
        }
    }

    pub fn feed(&mut self, now: Timestamp, event: Event, out: &mut Outbox<Datagram>) {
        let mut actions = std::mem::take(&mut self.actions);
        self.core.handle(now, event, &mut actions);
        self.perform(&mut actions, out);
        self.actions = actions;
    }

    fn perform(&mut self, actions: &mut Vec<Action>, out: &mut Outbox<Datagram>) {
        for action in actions.drain(..) {
            match action {
                Action::Send { interface, source, destination, mut octets } => {
                    self.sent += 1;
                    if self.damage.is_some_and(|every| self.sent.is_multiple_of(every)) {
                        let at = self.sent * 7 % octets.len();
                        let mut changed = octets.to_vec();
                        changed[at] ^= 0x55;
                        octets = changed.into();
                    }
                    let (interface, next) = self.next_hop(interface, destination);
                    let datagram = Datagram { next, source, destination, hops: 64, octets };
                    out.push((Port(interface.0 as usize), datagram));
                }
                Action::Designated { interface, member } => {
                    self.designated.retain(|id| *id != interface);
                    if member {
                        self.designated.push(interface);
                    }
                }
                Action::Log(line) => self.log.push(line),
                Action::Routes(changes) => {
                    for (prefix, route) in changes {
                        match route {
                            Some(route) => drop(self.forwarding.insert(prefix, route)),
                            None => drop(self.forwarding.remove(&prefix)),
                        }
                    }
                }
                Action::Prepared { .. } => self.prepared = true,
                // What was installed before the restart and is not any more goes now.
                Action::Restarted(end) => {
                    self.restarted = Some(end);
                    self.forwarding = self.core.routes().clone();
                }
                Action::Stopped => self.stopped = true,
            }
        }
    }

    /// On the link the destination itself, else whatever the best route says: so does a kernel.
    fn next_hop(&self, interface: IfId, destination: IpAddr) -> (IfId, IpAddr) {
        let on_link = self.links.get(interface.0 as usize).is_some_and(|link| on_link(link, destination));
        if destination.is_multicast() || on_link {
            return (interface, destination);
        }
        let routes = self.core.routes().iter().filter(|(prefix, _)| contains(prefix, destination));
        let best = routes.max_by_key(|(prefix, _)| prefix.len());
        let hop = best.and_then(|(_, route)| route.hops.first());
        hop.map_or((interface, destination), |hop| (hop.interface, hop.address.unwrap_or(destination)))
    }

    fn is_mine(&self, address: IpAddr) -> bool {
        let all = self.links.iter().chain(self.other.values());
        all.into_iter()
            .any(|link| link.address == Some(address) || link.prefixes.iter().any(|(own, _)| *own == address))
    }

    fn forward(&mut self, mut datagram: Datagram, out: &mut Outbox<Datagram>) {
        let routes = self.core.routes().iter().filter(|(prefix, _)| contains(prefix, datagram.destination));
        let Some((_, route)) = routes.max_by_key(|(prefix, _)| prefix.len()) else { return };
        let Some(hop) = route.hops.first() else { return };
        if datagram.hops == 0 {
            return;
        }
        datagram.hops -= 1;
        datagram.next = hop.address.unwrap_or(datagram.destination);
        out.push((Port(hop.interface.0 as usize), datagram));
    }
}

fn on_link(link: &Link, destination: IpAddr) -> bool {
    let local = matches!(destination, IpAddr::V6(address) if address.is_unicast_link_local());
    local
        || link
            .prefixes
            .iter()
            .any(|(own, len)| Prefix::new(*own, *len).is_some_and(|net| contains(&net, destination)))
}

pub fn contains(prefix: &ferrite_types::Prefix, address: IpAddr) -> bool {
    match (prefix, address) {
        (ferrite_types::Prefix::V4(prefix), IpAddr::V4(address)) => prefix.contains(address),
        (ferrite_types::Prefix::V6(prefix), IpAddr::V6(address)) => prefix.contains(address),
        _ => false,
    }
}

pub enum Device<V: Version> {
    Router(Box<Router<V>>),
    /// Repeats what comes in on one port on all others.
    Switch {
        ports: Vec<Port>,
    },
}

impl<V: Plan> Device<V> {
    pub fn router(&self) -> &Router<V> {
        match self {
            Self::Router(router) => router,
            Self::Switch { .. } => panic!("a switch is no router"),
        }
    }

    pub fn router_mut(&mut self) -> &mut Router<V> {
        match self {
            Self::Router(router) => router,
            Self::Switch { .. } => panic!("a switch is no router"),
        }
    }
}

impl<V: Plan> Node for Device<V> {
    type Packet = Datagram;

    fn receive(&mut self, now: Timestamp, port: Port, packet: Datagram, out: &mut Outbox<Datagram>) {
        match self {
            Self::Switch { ports } => {
                out.extend(
                    ports.iter().filter(|other| **other != port).map(|other| (*other, packet.clone())),
                );
            }
            Self::Router(router) if router.silent => {}
            Self::Router(router) => {
                let id = IfId(port.0 as u32);
                let for_all = packet.destination == V::ALL_SPF_ROUTERS
                    || packet.destination == V::ALL_D_ROUTERS && router.designated.contains(&id);
                if for_all || router.is_mine(packet.destination) {
                    let Datagram { source, destination, octets, .. } = packet;
                    router.feed(now, Event::Received { interface: id, source, destination, octets }, out);
                } else if !packet.destination.is_multicast() && router.is_mine(packet.next) {
                    router.forward(packet, out);
                }
            }
        }
    }

    fn link_changed(&mut self, now: Timestamp, port: Port, up: bool, out: &mut Outbox<Datagram>) {
        match self {
            Self::Switch { ports } => {
                ports.retain(|other| *other != port);
                if up {
                    ports.push(port);
                }
            }
            Self::Router(router) => {
                let Some(link) = router.links.get(port.0).cloned() else { return };
                router.feed(now, Event::Link(IfId(port.0 as u32), Link { up, ..link }), out);
            }
        }
    }

    fn tick(&mut self, now: Timestamp, out: &mut Outbox<Datagram>) {
        if let Self::Router(router) = self {
            let mut actions = std::mem::take(&mut router.actions);
            router.core.tick(now, &mut actions);
            router.perform(&mut actions, out);
            router.actions = actions;
        }
    }

    fn next_deadline(&self) -> Option<Timestamp> {
        match self {
            Self::Router(router) if router.silent => None,
            Self::Router(router) => router.core.next_deadline(),
            Self::Switch { .. } => None,
        }
    }
}
