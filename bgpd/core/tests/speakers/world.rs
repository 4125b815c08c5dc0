//! Whole speakers, instance and shards, joined by links of the simulated network. What the shell does with sockets is done
//! here with segments: connect, accept, refuse, data, close.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bgp_core::commands::{Command, registry};
use bgp_core::config::BgpConfig;
use bgp_core::instance::{Host, LocalClock};
use bgp_core::peer::{ConnId, Ends, PeerMessage};
use bgp_core::rib::{PeerId, RouteBatch, Shard, ShardAction, ShardEvent, shard_of};
use bgp_core::{AcceptId, Action, Event, ExecId, Instance};
use bgp_packet::attr::DecodeContext;
use bgp_packet::update::{AttributeCache, decode};
use bgp_packet::{MessageType, Notification, Open, RefreshKind, RouteRefresh, next_frame};
use bytes::{Bytes, BytesMut};
use ferrite_cli::{Engine, Outcome, numbered};
use ferrite_sim::{Link, LinkId, Network, Node, NodeId, Outbox, Port};
use ferrite_types::zclient::RouteAttrs;
use ferrite_types::{Prefix, Timestamp};

/// What goes over a link: a TCP connection reduced to what a speaker notices of it.
#[derive(Clone, Debug)]
pub enum Segment {
    Syn { wire: u64, from: IpAddr, to: IpAddr },
    SynAck { wire: u64 },
    Refused { wire: u64 },
    Data { wire: u64, bytes: Bytes },
    Fin { wire: u64 },
}

/// One end of a connection.
struct Wire {
    peer: PeerId,
    conn: ConnId,
    port: Port,
    ends: Ends,
    buf: BytesMut,
    terms: Option<(u64, DecodeContext, usize)>,
    cache: AttributeCache,
}

/// A speaker with its shards and its share of the links.
pub struct Speaker {
    name: String,
    pub instance: Instance,
    shards: Vec<Shard>,
    engine: Engine<BgpConfig, Command>,
    /// Our address and the neighbour's on each link.
    links: BTreeMap<Port, (IpAddr, IpAddr)>,
    next_port: usize,
    wires: HashMap<u64, Wire>,
    next_wire: u64,
    replies: HashMap<ExecId, (String, bool)>,
    next_exec: u64,
    pub fib: BTreeMap<Prefix, RouteAttrs>,
    host: Host,
    /// The process is not there.
    down: bool,
    /// UPDATEs sent since the start, and messages of every other kind.
    pub updates_sent: u64,
    pub sessions_lost: u64,
}

impl Speaker {
    fn new(name: &str, number: u64, shards: usize) -> Self {
        let host = Host {
            ecmp: u16::MAX,
            hostname: name.to_owned(),
            shards,
            zebra: false,
            install: false,
            port: 179,
            seed: number,
            epoch: 1_700_000_000,
            version: "bgpd test".to_owned(),
            local_clock: LocalClock::UTC,
        };
        Self {
            name: name.to_owned(),
            instance: Instance::new(host.clone()),
            host,
            down: false,
            shards: (0..shards).map(|index| Shard::new(index, shards)).collect(),
            engine: Engine::new(registry()),
            links: BTreeMap::new(),
            next_port: 0,
            wires: HashMap::new(),
            next_wire: number << 32,
            replies: HashMap::new(),
            next_exec: 0,
            fib: BTreeMap::new(),
            updates_sent: 0,
            sessions_lost: 0,
        }
    }

    /// Replaces the configuration by a text; the text must be right.
    pub fn load(&mut self, now: Timestamp, text: &str, out: &mut Outbox<Segment>) {
        let config = self.engine.load(BgpConfig::default(), &numbered(text)).unwrap_or_else(|errors| {
            panic!("{}: {}", self.name, errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        });
        if self.engine.commit(config).is_some() {
            let config = Arc::clone(self.engine.running());
            self.event(now, Event::Configured(config), out);
        }
    }

    /// The process is killed: connections break, nothing is said.
    fn kill(&mut self, out: &mut Outbox<Segment>) {
        self.down = true;
        for (id, wire) in std::mem::take(&mut self.wires) {
            out.push((wire.port, Segment::Fin { wire: id }));
        }
        self.instance = Instance::new(self.host.clone());
        let of = self.shards.len();
        self.shards = (0..of).map(|index| Shard::new(index, of)).collect();
    }

    /// It is started again with the configuration that it had.
    fn start(&mut self, now: Timestamp, out: &mut Outbox<Segment>) {
        self.down = false;
        let config = Arc::clone(self.engine.running());
        self.event(now, Event::Configured(config), out);
    }

    /// Edits the running configuration line by line, as at a prompt.
    pub fn configure(&mut self, now: Timestamp, text: &str, out: &mut Outbox<Segment>) {
        let rendered = self.engine.render_text(self.engine.running());
        self.load(now, &format!("{rendered}{text}"), out);
    }

    /// Gives the instance a configuration that it has already.
    pub fn load_again(&mut self, now: Timestamp, out: &mut Outbox<Segment>) {
        let config = BgpConfig::clone(self.engine.running());
        self.event(now, Event::Configured(Arc::new(config)), out);
    }

    pub fn impact(&self, text: &str) -> Vec<String> {
        let config = self.engine.load(BgpConfig::default(), &numbered(text)).expect("a configuration");
        self.instance.impact(&config)
    }

    fn exec(&mut self, now: Timestamp, line: &str, out: &mut Outbox<Segment>) -> String {
        let outcome = self.engine.exec(&ferrite_cli::node::ENABLE, line);
        let Ok(Outcome::Exec { handler, args, .. }) = outcome else {
            panic!("{line}: {outcome:?}", outcome = outcome.err())
        };
        let exec = ExecId(self.next_exec);
        self.next_exec += 1;
        self.replies.insert(exec, (String::new(), false));
        self.event(now, Event::Exec { exec, command: handler, args }, out);
        let (text, done) = self.replies.remove(&exec).expect("a reply");
        assert!(done, "{line} is not done: {text}");
        text
    }

    fn event(&mut self, now: Timestamp, event: Event, out: &mut Outbox<Segment>) {
        let mut actions = Vec::new();
        self.instance.handle(now, event, &mut actions);
        self.carry_out(now, actions, out);
    }

    fn carry_out(&mut self, now: Timestamp, actions: Vec<Action>, out: &mut Outbox<Segment>) {
        for action in actions {
            match action {
                Action::Connect { peer, conn, transport } => {
                    self.connect(now, peer, conn, transport.remote.ip(), out);
                }
                Action::Adopt { accept, peer, conn, .. } => {
                    let Some(wire) = self.wires.get_mut(&accept.0) else { continue };
                    (wire.peer, wire.conn) = (peer, conn);
                    out.push((wire.port, Segment::SynAck { wire: accept.0 }));
                }
                Action::Refuse { accept } => {
                    if let Some(wire) = self.wires.remove(&accept.0) {
                        out.push((wire.port, Segment::Refused { wire: accept.0 }));
                    }
                }
                Action::Send { peer, conn, bytes } | Action::SendBehind { peer, conn, bytes } => {
                    self.send(peer, Some(conn), bytes, out);
                }
                Action::Close { peer, conn } => {
                    let found = self.wires.iter().find(|(_, wire)| wire.peer == peer && wire.conn == conn);
                    if let Some(id) = found.map(|(id, _)| *id)
                        && let Some(wire) = self.wires.remove(&id)
                    {
                        out.push((wire.port, Segment::Fin { wire: id }));
                    }
                }
                Action::SessionUp { peer, conn, session, config, negotiated } => {
                    let context = negotiated.decode_context(&config);
                    let found = self.wires.values_mut().find(|wire| wire.peer == peer && wire.conn == conn);
                    if let Some(wire) = found {
                        wire.terms = Some((session, context, negotiated.max_len()));
                    }
                }
                Action::SessionDown { .. } => self.sessions_lost += 1,
                Action::Shard { shard, event } => self.shard_event(now, shard, event, out),
                Action::Reply { exec, text, done } => {
                    if let Some(reply) = self.replies.get_mut(&exec) {
                        reply.0.push_str(&text);
                        reply.1 = done;
                        if !done {
                            self.event(now, Event::ReplyTaken(exec), out);
                        }
                    }
                }
                Action::SetSigning { .. }
                | Action::Rekey { .. }
                | Action::Zebra(_)
                | Action::Rpki(_)
                | Action::Dump(_)
                | Action::Log(_)
                | Action::Bmp(_)
                | Action::Finished => {}
                // The default instance says none of these.
                Action::Start { .. } | Action::Stop | Action::Listen { .. } => {}
            }
        }
    }

    fn connect(&mut self, now: Timestamp, peer: PeerId, conn: ConnId, to: IpAddr, out: &mut Outbox<Segment>) {
        let Some((port, (from, _))) = self.links.iter().find(|(_, (_, theirs))| *theirs == to) else {
            let error = "no route to host".to_owned();
            return self.event(now, Event::ConnectFailed { peer, conn, error }, out);
        };
        let id = self.next_wire;
        self.next_wire += 1;
        let ends = Ends { local: SocketAddr::new(*from, 40_000), remote: SocketAddr::new(to, 179) };
        out.push((*port, Segment::Syn { wire: id, from: *from, to }));
        self.wires.insert(id, wire(peer, conn, *port, ends));
    }

    fn send(&mut self, peer: PeerId, conn: Option<ConnId>, bytes: Bytes, out: &mut Outbox<Segment>) {
        let of_peer =
            |wire: &Wire| wire.peer == peer && conn.map_or(wire.terms.is_some(), |conn| wire.conn == conn);
        if let Some((id, wire)) = self.wires.iter().find(|(_, wire)| of_peer(wire)) {
            out.push((wire.port, Segment::Data { wire: *id, bytes }));
        }
    }

    fn shard_event(&mut self, now: Timestamp, shard: usize, event: ShardEvent, out: &mut Outbox<Segment>) {
        let mut actions = Vec::new();
        let Some(core) = self.shards.get_mut(shard) else { return };
        core.handle(now, event, &mut actions);
        self.shard_actions(now, shard, actions, out);
    }

    fn shard_actions(
        &mut self,
        now: Timestamp,
        shard: usize,
        actions: Vec<ShardAction>,
        out: &mut Outbox<Segment>,
    ) {
        for action in actions {
            match action {
                ShardAction::Send { peers, bytes, stats, .. } => {
                    for peer in peers.iter() {
                        self.updates_sent += u64::from(stats.messages);
                        let octets = bytes.len();
                        self.send(*peer, None, bytes.clone(), out);
                        let credit = ShardEvent::Credit { peer: *peer, octets, messages: stats.messages };
                        self.shard_event(now, shard, credit, out);
                    }
                }
                ShardAction::Zebra(batch) => {
                    let updates = batch.updates.len();
                    for update in batch.updates {
                        match update.route {
                            Some(route) => self.fib.insert(update.prefix, route),
                            None => self.fib.remove(&update.prefix),
                        };
                    }
                    self.shard_event(now, shard, ShardEvent::ZebraCredit { updates }, out);
                }
                ShardAction::Contribute { to, part } => {
                    self.shard_event(now, to, ShardEvent::Contribution(part), out);
                }
                other => self.event(now, Event::Shard { shard, action: other }, out),
            }
        }
    }

    fn data(&mut self, now: Timestamp, id: u64, bytes: &[u8], out: &mut Outbox<Segment>) {
        if let Some(wire) = self.wires.get_mut(&id) {
            wire.buf.extend_from_slice(bytes);
        }
        while let Some(wire) = self.wires.get_mut(&id) {
            let (peer, conn) = (wire.peer, wire.conn);
            let max_len = wire.terms.as_ref().map_or(4096, |(_, _, max_len)| *max_len);
            let frame = match next_frame(&mut wire.buf, max_len) {
                Ok(Some(frame)) => frame,
                Ok(None) => return,
                Err(notification) => return self.event(now, Event::Fault { peer, conn, notification }, out),
            };
            let message = match frame.kind {
                MessageType::Update => {
                    self.update(now, id, &frame.body, out);
                    continue;
                }
                MessageType::Keepalive => PeerMessage::Keepalive,
                MessageType::Open => PeerMessage::Open(Open::decode(&frame.body).expect("an OPEN")),
                MessageType::Notification => PeerMessage::Notification(Notification::decode(&frame.body)),
                MessageType::Capability => PeerMessage::Capability(frame.body.clone()),
                MessageType::RouteRefresh => {
                    let refresh = RouteRefresh::decode(&frame.body).expect("a refresh");
                    self.refresh_marker(now, id, refresh, out);
                    PeerMessage::Refresh(refresh)
                }
            };
            self.event(now, Event::Received { peer, conn, message }, out);
        }
    }

    /// Markers of a refresh go to the shards in order with the routes.
    fn refresh_marker(
        &mut self,
        now: Timestamp,
        id: u64,
        refresh: Option<RouteRefresh>,
        out: &mut Outbox<Segment>,
    ) {
        let (Some(wire), Some(RouteRefresh { family, kind })) = (self.wires.get(&id), refresh) else {
            return;
        };
        let (peer, Some((session, _, _))) = (wire.peer, &wire.terms) else { return };
        let session = *session;
        for shard in 0..self.shards.len() {
            let event = match kind {
                RefreshKind::Request => return,
                RefreshKind::Begin => ShardEvent::RefreshInBegin { peer, session, family },
                RefreshKind::End => ShardEvent::RefreshInEnd { peer, session, family },
            };
            self.shard_event(now, shard, event, out);
        }
    }

    fn update(&mut self, now: Timestamp, id: u64, body: &Bytes, out: &mut Outbox<Segment>) {
        let Some(wire) = self.wires.get_mut(&id) else { return };
        let (peer, conn) = (wire.peer, wire.conn);
        let Some((session, context, _)) = &wire.terms else {
            let message = PeerMessage::EarlyUpdate;
            return self.event(now, Event::Received { peer, conn, message }, out);
        };
        let update = decode(body, context, &mut wire.cache).expect("an UPDATE that costs no session");
        assert!(update.faults.is_empty(), "{}: {:?}", self.name, update.faults);
        let (session, of) = (*session, self.shards.len());
        self.event(now, Event::Activity { peer, conn, updates: 1 }, out);
        for nlri in &update.withdrawn {
            for entry in nlri {
                let mut batch = RouteBatch::new(peer, session, nlri.family());
                batch.withdraw(entry.prefix, entry.path_id);
                self.shard_event(now, shard_of(entry.prefix, of), ShardEvent::Routes(batch), out);
            }
        }
        for announced in &update.announced {
            for entry in &announced.nlri {
                let mut batch = RouteBatch::new(peer, session, announced.nlri.family());
                let attrs = batch.attrs(&announced.attrs);
                batch.reach(entry.prefix, entry.path_id, attrs);
                self.shard_event(now, shard_of(entry.prefix, of), ShardEvent::Routes(batch), out);
            }
        }
        if let Some(family) = update.end_of_rib {
            for shard in 0..of {
                self.shard_event(now, shard, ShardEvent::EndOfRib { peer, session, family }, out);
            }
        }
    }
}

fn wire(peer: PeerId, conn: ConnId, port: Port, ends: Ends) -> Wire {
    Wire { peer, conn, port, ends, buf: BytesMut::new(), terms: None, cache: AttributeCache::default() }
}

impl Node for Speaker {
    type Packet = Segment;

    fn receive(&mut self, now: Timestamp, port: Port, packet: Segment, out: &mut Outbox<Segment>) {
        if self.down {
            if let Segment::Syn { wire, .. } = packet {
                out.push((port, Segment::Refused { wire }));
            }
            return;
        }
        match packet {
            Segment::Syn { wire: id, from, to } => {
                let ends = Ends { local: SocketAddr::new(to, 179), remote: SocketAddr::new(from, 40_000) };
                self.wires.insert(id, wire(PeerId(0), ConnId(0), port, ends));
                self.event(now, Event::Accepted { accept: AcceptId(id), ends }, out);
            }
            Segment::SynAck { wire } => {
                if let Some(wire) = self.wires.get(&wire) {
                    let (peer, conn, ends) = (wire.peer, wire.conn, wire.ends);
                    self.event(now, Event::Connected { peer, conn, ends }, out);
                }
            }
            Segment::Refused { wire } => {
                if let Some(Wire { peer, conn, .. }) = self.wires.remove(&wire) {
                    let error = "connection refused".to_owned();
                    self.event(now, Event::ConnectFailed { peer, conn, error }, out);
                }
            }
            Segment::Data { wire, bytes } => self.data(now, wire, &bytes, out),
            Segment::Fin { wire } => {
                if let Some(Wire { peer, conn, .. }) = self.wires.remove(&wire) {
                    let error = "closed by the neighbour".to_owned();
                    self.event(now, Event::Closed { peer, conn, error }, out);
                }
            }
        }
    }

    fn link_changed(&mut self, _: Timestamp, _: Port, _: bool, _: &mut Outbox<Segment>) {}

    fn tick(&mut self, now: Timestamp, out: &mut Outbox<Segment>) {
        let mut actions = Vec::new();
        self.instance.tick(now, &mut actions);
        self.carry_out(now, actions, out);
        for shard in 0..self.shards.len() {
            let mut actions = Vec::new();
            self.shards[shard].tick(now, &mut actions);
            self.shard_actions(now, shard, actions, out);
        }
    }

    fn next_deadline(&self) -> Option<Timestamp> {
        let shards = self.shards.iter().filter_map(Shard::next_deadline);
        shards.chain(self.instance.next_deadline()).min()
    }
}

/// Speakers by name.
pub struct World {
    pub net: Network<Speaker>,
    names: BTreeMap<String, NodeId>,
}

impl World {
    pub fn new(seed: u64, names: &[&str], shards: usize) -> Self {
        let mut net = Network::new(seed);
        let ids = names.iter().enumerate().map(|(number, name)| {
            ((*name).to_owned(), net.add(Speaker::new(name, number as u64 + 1, shards)))
        });
        let names = ids.collect();
        Self { net, names }
    }

    pub fn id(&self, name: &str) -> NodeId {
        self.names[name]
    }

    /// Joins two speakers, each with its address on the link.
    pub fn link(&mut self, a: &str, a_addr: &str, b: &str, b_addr: &str) -> LinkId {
        let (a_addr, b_addr): (IpAddr, IpAddr) = (a_addr.parse().unwrap(), b_addr.parse().unwrap());
        for (name, ours, theirs) in [(a, a_addr, b_addr), (b, b_addr, a_addr)] {
            let id = self.id(name);
            self.net.act(id, |speaker, _, _| {
                speaker.links.insert(Port(speaker.next_port), (ours, theirs));
                speaker.next_port += 1;
            });
        }
        let delay = Link { jitter: Duration::from_millis(3), ..Link::reliable(Duration::from_millis(2)) };
        self.net.join(self.id(a), self.id(b), delay).0
    }

    pub fn load(&mut self, name: &str, text: &str) {
        self.net.act(self.id(name), |speaker, now, out| speaker.load(now, text, out));
    }

    pub fn configure(&mut self, name: &str, text: &str) {
        self.net.act(self.id(name), |speaker, now, out| speaker.configure(now, text, out));
    }

    pub fn kill(&mut self, name: &str) {
        self.net.act(self.id(name), |speaker, _, out| speaker.kill(out));
    }

    /// Asks the process to end.
    pub fn stop(&mut self, name: &str) {
        self.net.act(self.id(name), |speaker, now, out| speaker.event(now, Event::Shutdown, out));
    }

    pub fn start(&mut self, name: &str) {
        self.net.act(self.id(name), |speaker, now, out| speaker.start(now, out));
    }

    pub fn show(&mut self, name: &str, line: &str) -> String {
        self.net.act(self.id(name), |speaker, now, out| speaker.exec(now, line, out))
    }

    pub fn json(&mut self, name: &str, line: &str) -> serde_json::Value {
        let text = self.show(name, line);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{line}: {error}: {text}"))
    }

    pub fn speaker(&self, name: &str) -> &Speaker {
        self.net.node(self.id(name))
    }

    pub fn run(&mut self, seconds: u64) {
        let end = self.net.now() + Duration::from_secs(seconds);
        self.net.run_until(end);
    }

    /// The AS path by which a speaker reaches a prefix; `None` without a best route.
    pub fn path(&mut self, name: &str, prefix: &str) -> Option<String> {
        let route = self.json(name, &format!("show bgp ipv4 unicast {prefix} json"));
        let best = route["paths"].as_array()?.iter().find(|path| path["bestpath"]["overall"] == true)?;
        Some(best["aspath"]["string"].as_str()?.to_owned())
    }

    pub fn state(&mut self, name: &str, neighbor: &str) -> String {
        let summary = self.json(name, "show bgp ipv4 unicast summary json");
        summary["peers"][neighbor]["state"].as_str().unwrap_or("none").to_owned()
    }
}
