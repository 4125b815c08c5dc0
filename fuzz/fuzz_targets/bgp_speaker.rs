//! The whole speaker, its instance and a shard, under what neighbours, zebra's absence and time may do to it.
#![no_main]

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bgp_core::commands::{self, Command};
use bgp_core::config::BgpConfig;
use bgp_core::instance::{Host, LocalClock};
use bgp_core::peer::{ConnId, Ends, PeerMessage};
use bgp_core::rib::{PeerId, RouteBatch, Shard, ShardAction, ShardEvent};
use bgp_core::{AcceptId, Action, Event, Instance};
use bgp_packet::attr::DecodeContext;
use bgp_packet::capability::Capability;
use bgp_packet::update::{self, AttributeCache};
use bgp_packet::{Family, Frame, MessageType, Notification, Open, RouteRefresh, header, next_frame};
use bytes::{Bytes, BytesMut};
use ferrite_cli::{Engine, numbered};
use ferrite_types::{Asn, RouterId, Timestamp};
use libfuzzer_sys::fuzz_target;

const CONFIG: &str = "\
router bgp 65001
 bgp router-id 10.0.0.1
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor 10.0.0.2 remote-as 65002
 neighbor 10.0.0.2 passive
 neighbor 10.0.0.3 remote-as 65001
 neighbor 10.0.0.3 passive
 neighbor 10.0.0.4 remote-as external
 neighbor 10.0.0.4 passive
 !
 address-family ipv4 unicast
  network 192.0.2.0/24
  aggregate-address 10.0.0.0/8 summary-only
  neighbor 10.0.0.2 maximum-prefix 50 restart 1
  neighbor 10.0.0.3 route-reflector-client
  neighbor 10.0.0.4 soft-reconfiguration inbound
 exit-address-family
 !
 address-family ipv6 unicast
  neighbor 10.0.0.2 activate
  neighbor 10.0.0.3 activate
 exit-address-family
";

thread_local! {
    static CONFIGS: RefCell<[Arc<BgpConfig>; 2]> = RefCell::new([load(CONFIG), load(&CONFIG.replace("65001", "65009"))]);
}

fn load(text: &str) -> Arc<BgpConfig> {
    let engine: Engine<BgpConfig, Command> = Engine::new(commands::registry());
    match engine.load(BgpConfig::default(), &numbered(text)) {
        Ok(config) => Arc::new(config),
        Err(errors) => panic!("{errors:?}"),
    }
}

struct Session {
    number: u64,
    context: DecodeContext,
    max_len: usize,
    cache: AttributeCache,
}

/// What the shell does, in one thread and without sockets.
struct World {
    now: Timestamp,
    instance: Instance,
    shard: Shard,
    conns: HashMap<u8, (PeerId, ConnId)>,
    sessions: HashMap<(PeerId, ConnId), Session>,
    adopted: Option<(PeerId, ConnId)>,
}

impl World {
    fn event(&mut self, event: Event) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            let mut out = Vec::new();
            self.instance.handle(self.now, event, &mut out);
            self.perform(out, &mut events);
        }
    }

    fn shard(&mut self, event: ShardEvent) {
        let mut events = VecDeque::new();
        self.shard_event(event, &mut events);
        while let Some(event) = events.pop_front() {
            let mut out = Vec::new();
            self.instance.handle(self.now, event, &mut out);
            self.perform(out, &mut events);
        }
    }

    fn perform(&mut self, actions: Vec<Action>, events: &mut VecDeque<Event>) {
        for action in actions {
            match action {
                Action::Adopt { peer, conn, .. } => self.adopted = Some((peer, conn)),
                Action::SessionUp { peer, conn, session, config, negotiated } => {
                    let context = negotiated.decode_context(&config);
                    let max_len = negotiated.max_len();
                    let session = Session { number: session, context, max_len, cache: AttributeCache::default() };
                    self.sessions.insert((peer, conn), session);
                }
                Action::Close { peer, conn } => {
                    self.sessions.remove(&(peer, conn));
                    self.conns.retain(|_, known| *known != (peer, conn));
                }
                Action::Shard { event, .. } => self.shard_event(event, events),
                Action::Send { bytes, .. } | Action::SendBehind { bytes, .. } => well_formed(&bytes),
                _ => {}
            }
        }
    }

    fn shard_event(&mut self, event: ShardEvent, events: &mut VecDeque<Event>) {
        let mut out = Vec::new();
        self.shard.handle(self.now, event, &mut out);
        self.shard_actions(out, events);
    }

    fn shard_actions(&mut self, actions: Vec<ShardAction>, events: &mut VecDeque<Event>) {
        let mut pending = VecDeque::from(actions);
        while let Some(action) = pending.pop_front() {
            let back = match action {
                ShardAction::Send { peers, bytes, stats, .. } => {
                    well_formed(&bytes);
                    let credit = |peer: &PeerId| ShardEvent::Credit {
                        peer: *peer,
                        octets: bytes.len(),
                        messages: stats.messages,
                    };
                    peers.iter().map(credit).collect()
                }
                ShardAction::Zebra(batch) => vec![ShardEvent::ZebraCredit { updates: batch.updates.len() }],
                ShardAction::Contribute { part, .. } => vec![ShardEvent::Contribution(part)],
                action => {
                    events.push_back(Event::Shard { shard: 0, action });
                    continue;
                }
            };
            for event in back {
                let mut out = Vec::new();
                self.shard.handle(self.now, event, &mut out);
                pending.extend(out);
            }
        }
    }

    fn tick(&mut self) {
        let mut events = VecDeque::new();
        let mut out = Vec::new();
        self.instance.tick(self.now, &mut out);
        self.perform(out, &mut events);
        for _ in 0..1000 {
            let due = self.shard.next_deadline().is_some_and(|deadline| deadline <= self.now);
            if !due && events.is_empty() {
                return;
            }
            let mut out = Vec::new();
            self.shard.tick(self.now, &mut out);
            self.shard_actions(out, &mut events);
            while let Some(event) = events.pop_front() {
                let mut out = Vec::new();
                self.instance.handle(self.now, event, &mut out);
                self.perform(out, &mut events);
            }
        }
        panic!("the shard never comes to rest");
    }

    fn connect(&mut self, host: u8) {
        let ends = Ends { local: ([10, 0, 0, 1], 179).into(), remote: ([10, 0, 0, host], 4000).into() };
        self.adopted = None;
        self.event(Event::Accepted { accept: AcceptId(1), ends });
        if let Some(adopted) = self.adopted.take() {
            self.conns.insert(host, adopted);
        }
    }

    /// Octets from a neighbour, as its reader would take them.
    fn octets(&mut self, host: u8, octets: &[u8]) {
        let mut buf = BytesMut::from(octets);
        while let Some(&(peer, conn)) = self.conns.get(&host) {
            let max_len = self.sessions.get(&(peer, conn)).map_or(header::MAX_LEN, |session| session.max_len);
            match next_frame(&mut buf, max_len) {
                Ok(Some(frame)) => self.frame(peer, conn, frame),
                Ok(None) => return,
                // A reader takes nothing more after a fault.
                Err(notification) => return self.event(Event::Fault { peer, conn, notification }),
            }
        }
    }

    fn frame(&mut self, peer: PeerId, conn: ConnId, Frame { kind, body }: Frame) {
        let message = match kind {
            MessageType::Open => Open::decode(&body).map(PeerMessage::Open),
            MessageType::Keepalive => Ok(PeerMessage::Keepalive),
            MessageType::Notification => Ok(PeerMessage::Notification(Notification::decode(&body))),
            MessageType::Capability => Ok(PeerMessage::Capability(body)),
            MessageType::RouteRefresh => RouteRefresh::decode(&body).map(PeerMessage::Refresh),
            MessageType::Update => match self.sessions.get_mut(&(peer, conn)) {
                None => Ok(PeerMessage::EarlyUpdate),
                Some(session) => match update::decode(&body, &session.context, &mut session.cache) {
                    Ok(update) => {
                        let number = session.number;
                        return self.routes(peer, number, &update);
                    }
                    Err(error) => Err(error.notification),
                },
            },
        };
        match message {
            Ok(message) => self.event(Event::Received { peer, conn, message }),
            Err(notification) => self.event(Event::Fault { peer, conn, notification }),
        }
    }

    fn routes(&mut self, peer: PeerId, session: u64, update: &update::Update) {
        for nlri in &update.withdrawn {
            let mut batch = RouteBatch::new(peer, session, nlri.family());
            nlri.iter().for_each(|entry| batch.withdraw(entry.prefix, entry.path_id));
            self.shard(ShardEvent::Routes(batch));
        }
        for announced in &update.announced {
            let mut batch = RouteBatch::new(peer, session, announced.nlri.family());
            let attrs = batch.attrs(&announced.attrs);
            announced.nlri.iter().for_each(|entry| batch.reach(entry.prefix, entry.path_id, attrs));
            self.shard(ShardEvent::Routes(batch));
        }
        if let Some(family) = update.end_of_rib {
            self.shard(ShardEvent::EndOfRib { peer, session, family });
        }
    }

    /// A good neighbour's OPEN and KEEPALIVE, so that the rest is about an established session.
    fn establish(&mut self, host: u8) {
        self.connect(host);
        let asn = if host == 3 { Asn(65001) } else { Asn(65000 + u32::from(host)) };
        let families = [Family::IPV4_UNICAST, Family::IPV6_UNICAST].map(|f| Capability::Multiprotocol(f.into()));
        let capabilities = families.into_iter().chain([Capability::FourOctetAs(asn), Capability::RouteRefresh]);
        let open = Open::new(asn, 90, RouterId([10, 0, 0, host].into()), capabilities.collect());
        self.octets(host, &open.encode());
        self.octets(host, &header::keepalive());
    }
}

/// What we send must be readable: whole messages, and UPDATEs without a fault.
fn well_formed(bytes: &Bytes) {
    let mut buf = BytesMut::from(&bytes[..]);
    while !buf.is_empty() {
        next_frame(&mut buf, header::MAX_LEN_EXTENDED).expect("well framed").expect("whole");
    }
}

fuzz_target!(|octets: &[u8]| {
    let host = Host {
        ecmp: u16::MAX,
        hostname: "fuzz".to_owned(),
        shards: 1,
        zebra: false,
        install: false,
        port: 179,
        seed: 1,
        epoch: 0,
        version: "bgpd".to_owned(),
        local_clock: LocalClock::UTC,
    };
    let mut world = World {
        now: Timestamp::ZERO,
        instance: Instance::new(host),
        shard: Shard::new(0, 1),
        conns: HashMap::new(),
        sessions: HashMap::new(),
        adopted: None,
    };
    let configs = CONFIGS.with_borrow(Clone::clone);
    world.event(Event::Configured(Arc::clone(&configs[0])));
    world.tick();
    let mut rest = octets;
    while let [op, arg, tail @ ..] = rest {
        rest = tail;
        let host = 2 + arg % 3;
        match op % 8 {
            0 => world.establish(host),
            1 => world.connect(host),
            2 | 3 => {
                // A message around the octets that follow: any body, any type.
                let len = rest.len().min(usize::from(*arg) * 2);
                let (body, tail) = rest.split_at(len);
                rest = tail;
                let mut message = vec![0xff; 16];
                message.extend(((body.len() + 19) as u16).to_be_bytes());
                message.push(if op % 8 == 2 { 2 } else { 1 + arg % 5 });
                message.extend(body);
                world.octets(host, &message);
            }
            4 => world.octets(host, rest.get(..usize::from(*arg).min(rest.len())).unwrap_or_default()),
            5 => {
                if let Some((peer, conn)) = world.conns.remove(&host) {
                    world.sessions.remove(&(peer, conn));
                    world.event(Event::Closed { peer, conn, error: String::new() });
                }
            }
            6 => world.event(Event::Configured(Arc::clone(&configs[usize::from(*arg) % 2]))),
            _ => world.now = world.now + Duration::from_millis(u64::from(*arg) * 500),
        }
        world.tick();
    }
});
