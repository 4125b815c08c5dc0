//! FRR's OSPF API: programs outside follow the database of the default VRF's OSPFv2 process and have opaque LSAs of theirs
//! announced (RFC 5250). Two connections each: requests with their answers on one, notices on the other. All that a client
//! announced goes with it.
//!
//! ```text
//!   shell ── connected, request, gone ──► Api ── Notice per client ──► shell
//!                                          │ ▲
//!                     core: Event::Opaque ─┘ └─ what changed in the databases, states of links and neighbours
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use ferrite_ospf::instance::Place;
use ferrite_ospf::interface::State as LinkState;
use ferrite_ospf::neighbor::State as NeighborState;
use ferrite_ospf::version::Vertex;
use ferrite_ospf::{Event as CoreEvent, IfId, Instance};
use ferrite_ospf_packet::opaque::kind;
use ferrite_ospf_packet::v2::ty;
use ferrite_ospf_packet::{AreaId, Lsa, LsaKey, V2};
use ferrite_types::Timestamp;
use ferrite_types::ids::RouterId;

use crate::process::ProcessName;

pub mod message;

pub use message::{Code, Filter, Header, Notice, Request};

/// LSAs of one client; beyond that it is told that there is no room.
const LSAS: usize = 10_000;
/// Opaque types that we announce ourselves.
const RESERVED: [u8; 4] = [kind::TRAFFIC_ENGINEERING, kind::GRACE, kind::ROUTER_INFORMATION, kind::INTER_AS];

/// A client's number, given by the shell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ClientId(pub u64);

#[derive(Debug, Default)]
struct Client {
    /// LSA type and opaque type.
    registered: BTreeSet<(u8, u8)>,
    follows: Option<Filter>,
    reachable: bool,
    /// What it announces.
    lsas: BTreeSet<(Place, u8, u32)>,
}

/// What clients were told last.
#[derive(Debug, Default)]
struct Told {
    router: Option<RouterId>,
    links: BTreeMap<IfId, (Ipv4Addr, AreaId, u8)>,
    neighbors: BTreeMap<(Ipv4Addr, Ipv4Addr), (RouterId, u8)>,
    reachable: BTreeSet<RouterId>,
    /// Calculations that had been made by then.
    runs: u64,
}

#[derive(Debug, Default)]
pub struct Api {
    clients: BTreeMap<ClientId, Client>,
    told: Told,
    /// The process that clients follow.
    pub(crate) served: ProcessName,
}

type Core = Instance<V2>;
/// What goes to whom.
pub type Notices = Vec<(ClientId, Notice)>;

/// FRR counts states from another beginning.
fn link_state(state: LinkState) -> u8 {
    match state {
        LinkState::Down => 1,
        LinkState::Loopback => 2,
        LinkState::Waiting => 3,
        LinkState::PointToPoint => 4,
        LinkState::DrOther => 5,
        LinkState::Backup => 6,
        LinkState::Dr => 7,
    }
}

fn neighbor_state(state: NeighborState) -> u8 {
    match state {
        NeighborState::Down => 2,
        NeighborState::Attempt => 3,
        NeighborState::Init => 4,
        NeighborState::TwoWay => 5,
        NeighborState::ExStart => 6,
        NeighborState::Exchange => 7,
        NeighborState::Loading => 8,
        NeighborState::Full => 9,
    }
}

fn v4(address: Option<IpAddr>) -> Ipv4Addr {
    match address {
        Some(IpAddr::V4(address)) => address,
        _ => Ipv4Addr::UNSPECIFIED,
    }
}

fn links(core: &Core) -> BTreeMap<IfId, (Ipv4Addr, AreaId, u8)> {
    let all = core.interfaces().iter().filter(|(_, interface)| !interface.is_virtual());
    all.map(|(id, i)| (*id, (v4(i.link.address), i.config.area, link_state(i.state)))).collect()
}

fn neighbors(core: &Core) -> BTreeMap<(Ipv4Addr, Ipv4Addr), (RouterId, u8)> {
    let all = core.interfaces().values().flat_map(|interface| {
        let own = v4(interface.link.address);
        let of = interface.neighbors.values();
        of.map(move |n| ((own, v4(Some(n.address))), (n.id, neighbor_state(n.state))))
    });
    all.collect()
}

fn reachable(core: &Core) -> BTreeSet<RouterId> {
    let all = core.areas().keys().flat_map(|area| core.reached(*area));
    let routers = all.filter_map(|reached| match reached.vertex {
        Vertex::Router(router) if router != core.id() => Some(router),
        _ => None,
    });
    routers.collect()
}

fn runs(core: &Core) -> u64 {
    core.areas().keys().map(|area| core.area_status(*area).spf_runs).sum()
}

/// How an LSA is told of.
fn lsa_notice(core: &Core, place: Place, lsa: &Lsa) -> Notice {
    let (interface, area) = match place {
        Place::Link(id) => {
            let interface = core.interface(id);
            let address = interface.map_or(Ipv4Addr::UNSPECIFIED, |i| v4(i.link.address));
            (address, interface.map_or(AreaId::BACKBONE, |i| i.config.area))
        }
        Place::Area(area) => (Ipv4Addr::UNSPECIFIED, area),
        Place::As => (Ipv4Addr::UNSPECIFIED, AreaId::BACKBONE),
    };
    let (gone, own) = (lsa.header().is_max_age(), is_own(core, &lsa.key()));
    Notice::Lsa { gone, interface, area, own, octets: lsa.octets().clone() }
}

fn is_own(core: &Core, key: &LsaKey) -> bool {
    key.adv == core.id()
}

fn area_of(core: &Core, place: Place) -> Option<AreaId> {
    match place {
        Place::Link(id) => core.interface(id).map(|interface| interface.config.area),
        Place::Area(area) => Some(area),
        Place::As => None,
    }
}

impl Filter {
    fn wants(&self, core: &Core, place: Place, key: &LsaKey) -> bool {
        let kind = u8::try_from(key.ty.0).unwrap_or(u8::MAX);
        self.takes(kind, is_own(core, key), area_of(core, place))
    }
}

impl Api {
    pub fn is_idle(&self) -> bool {
        self.clients.is_empty()
    }

    pub fn connected(&mut self, client: ClientId) {
        self.clients.insert(client, Client::default());
    }

    /// What the client announced; it is to be withdrawn.
    pub fn gone(&mut self, client: ClientId) -> Vec<CoreEvent> {
        let lsas = self.clients.remove(&client).map(|client| client.lsas).unwrap_or_default();
        lsas.into_iter().map(|(place, kind, id)| CoreEvent::Opaque { place, kind, id, body: None }).collect()
    }

    /// Carries a request out. The events are the core's; the answer goes out first.
    pub fn request(
        &mut self,
        core: Option<&Core>,
        now: Timestamp,
        client: ClientId,
        (header, body): (Header, &Bytes),
        out: &mut Notices,
    ) -> Vec<CoreEvent> {
        let mut notices = Vec::new();
        let mut events = Vec::new();
        let code = match (Request::read(header.kind, body), core) {
            (None, _) => Code::Error,
            (Some(_), None) => Code::NotReady,
            (Some(request), Some(core)) => {
                self.carry_out(core, now, client, request, &mut notices, &mut events)
            }
        };
        out.push((client, Notice::Reply { sequence: header.sequence, code }));
        out.extend(notices.into_iter().map(|notice| (client, notice)));
        events
    }

    fn carry_out(
        &mut self,
        core: &Core,
        now: Timestamp,
        client: ClientId,
        request: Request,
        notices: &mut Vec<Notice>,
        events: &mut Vec<CoreEvent>,
    ) -> Code {
        match request {
            Request::Register(lsa_type, kind) => return self.register(core, client, lsa_type, kind, notices),
            Request::Unregister(lsa_type, kind) => return self.unregister(client, (lsa_type, kind), events),
            Request::Originate { interface, area, lsa_type, id, body } => {
                let place = place(core, lsa_type, interface, area);
                return self.originate(core, client, place, lsa_type, id, body, events);
            }
            Request::Delete { address, lsa_type, kind, id } => {
                return match place(core, lsa_type, address, AreaId(address)) {
                    Ok(place) => self.delete(client, (place, kind, id), events),
                    Err(code) => code,
                };
            }
            Request::Follow(filter) => {
                if let Some(client) = self.clients.get_mut(&client) {
                    client.follows = Some(filter);
                }
            }
            Request::Database(filter) => {
                let all = places(core).into_iter().flat_map(|place| {
                    core.lsdb(place)
                        .into_iter()
                        .flat_map(move |lsdb| lsdb.iter().map(move |lsa| (place, lsa)))
                });
                let wanted = all.filter(|(place, (key, _))| filter.wants(core, *place, key));
                let alive = wanted.filter(|(_, (_, entry))| !entry.is_max_age(now));
                notices.extend(
                    alive.map(|(place, (_, entry))| {
                        lsa_notice(core, place, &entry.lsa.at_age(entry.age(now)))
                    }),
                );
            }
            Request::Reachable => {
                if let Some(client) = self.clients.get_mut(&client) {
                    client.reachable = true;
                }
                self.told.reachable = reachable(core);
                self.told.runs = runs(core);
                let new = self.told.reachable.iter().copied().collect();
                notices.push(Notice::Reachable { new, gone: Vec::new() });
            }
            Request::Interfaces => {
                let all = links(core).into_values();
                notices.extend(all.map(|(address, area, state)| Notice::Interface { address, area, state }));
            }
            Request::Neighbors => {
                let notice = |((interface, address), (router, state))| Notice::Neighbor {
                    interface,
                    address,
                    router,
                    state,
                };
                notices.extend(neighbors(core).into_iter().map(notice));
            }
            Request::RouterId => notices.push(Notice::RouterId(core.id())),
        }
        Code::Ok
    }

    fn register(
        &mut self,
        core: &Core,
        client: ClientId,
        lsa_type: u8,
        kind: u8,
        notices: &mut Vec<Notice>,
    ) -> Code {
        if !(9..=11).contains(&lsa_type) {
            return Code::LsaType;
        }
        let taken = self.clients.values().any(|client| client.registered.contains(&(lsa_type, kind)));
        if taken || RESERVED.contains(&kind) {
            return Code::InUse;
        }
        let Some(client) = self.clients.get_mut(&client) else { return Code::Error };
        client.registered.insert((lsa_type, kind));
        let ready = |address| Notice::Ready { lsa_type, kind, address };
        match lsa_type {
            9 => notices.extend(links(core).into_values().map(|(address, ..)| ready(address))),
            10 => notices.extend(core.areas().keys().map(|area| ready(area.0))),
            _ => notices.push(ready(Ipv4Addr::UNSPECIFIED)),
        }
        Code::Ok
    }

    fn unregister(&mut self, client: ClientId, of: (u8, u8), events: &mut Vec<CoreEvent>) -> Code {
        let Some(client) = self.clients.get_mut(&client) else { return Code::Error };
        if !client.registered.remove(&of) {
            return Code::NotRegistered;
        }
        let (lsa_type, opaque) = of;
        let theirs = |(place, kind, _): &(Place, u8, u32)| *kind == opaque && scope(*place) == lsa_type;
        for (place, kind, id) in client.lsas.extract_if(.., theirs) {
            events.push(CoreEvent::Opaque { place, kind, id, body: None });
        }
        Code::Ok
    }

    #[expect(clippy::too_many_arguments, reason = "what a request has")]
    fn originate(
        &mut self,
        core: &Core,
        client: ClientId,
        place: Result<Place, Code>,
        lsa_type: u8,
        id: u32,
        body: Bytes,
        events: &mut Vec<CoreEvent>,
    ) -> Code {
        let (kind, id) = ((id >> 24) as u8, id & 0xff_ffff);
        let place = match place {
            Ok(place) => place,
            Err(code) => return code,
        };
        let Some(client) = self.clients.get_mut(&client) else { return Code::Error };
        if !client.registered.contains(&(lsa_type, kind)) {
            return Code::NotRegistered;
        }
        if !core.config().opaque {
            return Code::NotReady;
        }
        if !body.len().is_multiple_of(4) {
            return Code::Error;
        }
        if client.lsas.len() >= LSAS && !client.lsas.contains(&(place, kind, id)) {
            return Code::NoMemory;
        }
        client.lsas.insert((place, kind, id));
        events.push(CoreEvent::Opaque { place, kind, id, body: Some(body) });
        Code::Ok
    }

    fn delete(&mut self, client: ClientId, of: (Place, u8, u32), events: &mut Vec<CoreEvent>) -> Code {
        let Some(client) = self.clients.get_mut(&client) else { return Code::Error };
        let (place, kind, id) = of;
        if !client.registered.contains(&(scope(place), kind)) {
            return Code::NotRegistered;
        }
        if !client.lsas.remove(&of) {
            return Code::NoLsa;
        }
        events.push(CoreEvent::Opaque { place, kind, id, body: None });
        Code::Ok
    }

    /// What changed since clients were told last.
    pub fn notify(&mut self, core: &Core, changed: &BTreeMap<(Place, LsaKey), Lsa>, out: &mut Notices) {
        for ((place, key), lsa) in changed {
            let followers = self.clients.iter().filter(|(_, client)| {
                client.follows.as_ref().is_some_and(|filter| filter.wants(core, *place, key))
            });
            out.extend(followers.map(|(client, _)| (*client, lsa_notice(core, *place, lsa))));
        }
        let mut all = Vec::new();
        self.states(core, &mut all);
        for client in self.clients.keys() {
            out.extend(all.iter().map(|notice| (*client, notice.clone())));
        }
        self.routers(core, out);
    }

    fn states(&mut self, core: &Core, all: &mut Vec<Notice>) {
        let told = &mut self.told;
        if told.router.replace(core.id()).is_some_and(|old| old != core.id()) {
            all.push(Notice::RouterId(core.id()));
        }
        let links = links(core);
        for (id, (address, area, state)) in &links {
            let old = told.links.get(id);
            if old.is_none_or(|old| old.0 != *address) {
                all.push(Notice::NewInterface { address: *address, area: *area });
            }
            if old != Some(&(*address, *area, *state)) {
                all.push(Notice::Interface { address: *address, area: *area, state: *state });
            }
        }
        let gone = told.links.iter().filter(|(id, _)| !links.contains_key(id));
        all.extend(gone.map(|(_, (address, ..))| Notice::InterfaceGone { address: *address }));
        told.links = links;
        let neighbors = neighbors(core);
        for ((interface, address), (router, state)) in &neighbors {
            if told.neighbors.get(&(*interface, *address)) != Some(&(*router, *state)) {
                let (interface, address, router, state) = (*interface, *address, *router, *state);
                all.push(Notice::Neighbor { interface, address, router, state });
            }
        }
        // One that is forgotten was deleted.
        let gone = told.neighbors.iter().filter(|(at, _)| !neighbors.contains_key(at));
        all.extend(gone.map(|((interface, address), (router, _))| Notice::Neighbor {
            interface: *interface,
            address: *address,
            router: *router,
            state: 1,
        }));
        told.neighbors = neighbors;
    }

    /// Looked at only after a calculation, and only where somebody asked.
    fn routers(&mut self, core: &Core, out: &mut Notices) {
        let runs = runs(core);
        if runs == self.told.runs || !self.clients.values().any(|client| client.reachable) {
            return;
        }
        self.told.runs = runs;
        let now = reachable(core);
        let before = std::mem::replace(&mut self.told.reachable, now);
        let new: Vec<RouterId> = self.told.reachable.difference(&before).copied().collect();
        let gone: Vec<RouterId> = before.difference(&self.told.reachable).copied().collect();
        if new.is_empty() && gone.is_empty() {
            return;
        }
        for (client, _) in self.clients.iter().filter(|(_, client)| client.reachable) {
            out.push((*client, Notice::Reachable { new: new.clone(), gone: gone.clone() }));
        }
    }

    /// The first client is there: what is now is what it knows from asking.
    pub fn begin(&mut self, core: &Core) {
        let (links, neighbors) = (links(core), neighbors(core));
        self.told = Told { router: Some(core.id()), links, neighbors, ..Told::default() };
    }
}

fn scope(place: Place) -> u8 {
    match place {
        Place::Link(_) => ty::OPAQUE_LINK.0 as u8,
        Place::Area(_) => ty::OPAQUE_AREA.0 as u8,
        Place::As => ty::OPAQUE_AS.0 as u8,
    }
}

/// Where an LSA of a type belongs: on the network of one of our addresses, in an area, or everywhere.
fn place(core: &Core, lsa_type: u8, interface: Ipv4Addr, area: AreaId) -> Result<Place, Code> {
    match lsa_type {
        9 => {
            let all = links(core);
            let found = all.iter().find(|(_, (address, ..))| *address == interface);
            found.map(|(id, _)| Place::Link(*id)).ok_or(Code::NoInterface)
        }
        10 if core.areas().contains_key(&area) => Ok(Place::Area(area)),
        10 => Err(Code::NoArea),
        11 => Ok(Place::As),
        _ => Err(Code::LsaType),
    }
}

fn places(core: &Core) -> Vec<Place> {
    let links = core.interfaces().keys().map(|id| Place::Link(*id));
    let areas = core.areas().keys().map(|area| Place::Area(*area));
    links.chain(areas).chain([Place::As]).collect()
}
