//! The loop around the instance: whatever happens becomes an event, whatever the instance wants is carried out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bgp_core::commands::Command;
use bgp_core::config::BgpConfig;
use bgp_core::config::InstanceName;
use bgp_core::instance::{Host, LocalClock};
use bgp_core::peer::{ConnId, Ends, Signing, Transport};
use bgp_core::rib::PeerId;
use bgp_core::{AcceptId, Action, Event, InstanceId, Speaker};
use ferrite_daemon::time::{Clock, local_to_utc};
use ferrite_daemon::{Daemon, Event as VtyEvent, Failure};
use ferrite_rpc::zebra::{ClientEvent, ZebraClient, ZebraSender};
use ferrite_types::RouteProtocol;
use ferrite_types::zclient::Hello;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::MissedTickBehavior;

use crate::BgpOptions;
use crate::bmp::Bmp;
use crate::dump::Dumps;
use crate::exec::Execs;
use crate::io::{self, Connection, Incoming, Listeners, Rekeying, Session, Signed, Turns};
use crate::log;
use crate::queue::Input;
use crate::rpki::{CacheEvent, Caches};
use crate::shards::{Report, Shards};
use crate::tap::Tap;
use crate::zebra::{self, ZebraQueue};

/// Events of connections that may wait for the instance.
const INBOX: usize = 4096;
/// Events taken at once before deadlines are looked at.
const BATCH: usize = 256;
/// How often the lifetimes of keys are looked at.
const KEY_TIMES: Duration = Duration::from_secs(1);
/// How long the last words to neighbours and to zebra may take.
const FAREWELL: Duration = Duration::from_millis(700);

/// A connection by its peer and its number.
type Key = (PeerId, ConnId);

/// A connection that was asked for.
struct Made {
    key: Key,
    transport: Arc<Transport>,
    result: std::io::Result<(TcpStream, Option<Signed>)>,
}

struct Shell {
    clock: Clock,
    speaker: Speaker,
    out: Vec<(InstanceId, Action)>,
    /// Instances by the names that the log gives them.
    names: HashMap<InstanceId, InstanceName>,
    events: mpsc::Sender<Event>,
    made: mpsc::Sender<Made>,
    shards: Shards,
    zebra: ZebraQueue,
    listeners: HashMap<InstanceId, Listeners>,
    incoming_sender: mpsc::Sender<Incoming>,
    /// Whose connection it is.
    instances: HashMap<Key, InstanceId>,
    listen: Vec<IpAddr>,
    port: u16,
    /// zebra keeps our routes when we end.
    retain: bool,
    connecting: HashMap<Key, AbortHandle>,
    connections: HashMap<Key, Connection>,
    accepted: HashMap<AcceptId, Incoming>,
    rekeying: Rekeying,
    turns: HashMap<InstanceName, Arc<Turns>>,
    next_accept: u64,
    execs: Execs,
    tap: Arc<Tap>,
    dumps: Dumps,
    caches: Caches,
    bmp: Bmp,
    /// Cloned into every connection that still has something to say.
    flushed: mpsc::Sender<()>,
    finished: bool,
}

/// bgpd's main function.
pub async fn run(mut daemon: Daemon<BgpOptions, BgpConfig, Command>) -> Result<(), Failure> {
    let clock = Clock::start();
    let (events, mut inbox) = mpsc::channel(INBOX);
    let (made, mut connections_made) = mpsc::channel(64);
    let (incoming_sender, mut incoming) = mpsc::channel(64);
    let (reports_sender, mut reports) = mpsc::unbounded_channel();
    let (flushed, mut all_flushed) = mpsc::channel(1);
    let (caches, mut cache_events) = Caches::new();
    let host = host(&daemon);
    let (zebra, feed) = zebra::queue();
    let mut shards = Shards::start(host.shards, clock, &zebra, &reports_sender)?;
    shards.begin(InstanceId::DEFAULT);
    let mut listeners = Listeners::new(InstanceId::DEFAULT);
    if daemon.own.port != 0 {
        listeners.open(&daemon.own.listen, daemon.own.port, None, &incoming_sender)?;
    }
    let (sender, mut zebra_events) = connect_zebra(&daemon);
    let feed = tokio::spawn(feed.run(sender.clone()));
    let tap = Arc::<Tap>::default();
    let dumps = Dumps::new(Arc::clone(&tap), events.clone());
    let (bmp, mut collectors) = Bmp::new(Arc::clone(&tap), events.clone());
    let mut shell = Shell {
        clock,
        speaker: Speaker::new(host),
        names: HashMap::new(),
        out: Vec::new(),
        events,
        made,
        shards,
        zebra,
        listeners: HashMap::from([(InstanceId::DEFAULT, listeners)]),
        incoming_sender,
        instances: HashMap::new(),
        listen: daemon.own.listen.clone(),
        port: daemon.own.port,
        retain: daemon.own.retain,
        connecting: HashMap::new(),
        connections: HashMap::new(),
        accepted: HashMap::new(),
        rekeying: Rekeying::default(),
        turns: HashMap::new(),
        next_accept: 0,
        execs: Execs::default(),
        dumps,
        bmp,
        tap,
        caches,
        flushed,
        finished: false,
    };
    daemon.serve()?;
    let mut key_times = tokio::time::interval(KEY_TIMES);
    key_times.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !shell.finished {
        let deadline = shell.speaker.next_deadline().map(|deadline| clock.until(deadline));
        tokio::select! {
            Some(event) = inbox.recv() => {
                shell.handle(event);
                for _ in 0..BATCH {
                    let Ok(event) = inbox.try_recv() else { break };
                    shell.handle(event);
                }
            }
            Some(report) = reports.recv() => {
                shell.report(report);
                for _ in 0..BATCH {
                    let Ok(report) = reports.try_recv() else { break };
                    shell.report(report);
                }
            }
            Some(event) = cache_events.recv() => shell.cache_event(event),
            Some(collector) = collectors.recv() => {
                let event = shell.bmp.connected(collector);
                shell.handle(event);
            }
            Some(made) = connections_made.recv() => shell.connection_made(made),
            Some(connection) = incoming.recv() => shell.incoming(connection),
            Some(event) = zebra_events.recv() => shell.zebra_event(event, sender.as_ref()),
            event = daemon.events.recv() => shell.vty_event(event),
            _ = key_times.tick(), if shell.has_keys_with_times() => shell.refresh_keys(),
            () = tokio::time::sleep(deadline.unwrap_or(Duration::MAX)), if deadline.is_some() => {}
        }
        shell.tick();
    }
    shell.farewell(sender, feed, &mut all_flushed).await;
    Ok(())
}

fn host(daemon: &Daemon<BgpOptions, BgpConfig, Command>) -> Host {
    let options = &daemon.own;
    let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Host {
        hostname: hostname.trim().to_owned(),
        shards: options.shards.unwrap_or(1).clamp(1, 64),
        zebra: !options.no_zebra,
        install: !options.no_kernel && !options.no_zebra,
        ecmp: options.ecmp.unwrap_or(u16::MAX).max(1),
        port: options.port,
        seed: epoch.as_nanos() as u64 ^ u64::from(std::process::id()),
        epoch: epoch.as_secs(),
        version: format!("{} {}", daemon.info.name, daemon.info.version),
        local_clock: LocalClock(local_to_utc),
    }
}

/// Without zebra nothing ever comes from it.
fn connect_zebra(
    daemon: &Daemon<BgpOptions, BgpConfig, Command>,
) -> (Option<ZebraSender>, mpsc::Receiver<ClientEvent>) {
    if daemon.own.no_zebra {
        return (None, mpsc::channel(1).1);
    }
    let hello = Hello {
        daemon: daemon.info.name.to_owned(),
        protocol: RouteProtocol::Bgp,
        instance: 0,
        restarting: true,
    };
    let socket = daemon.options.socket.clone().unwrap_or_else(|| daemon.paths.zserv());
    let (sender, events) = ZebraClient::spawn(socket, hello);
    (Some(sender), events)
}

impl Shell {
    fn handle(&mut self, event: Event) {
        let now = self.clock.now();
        self.speaker.handle(now, event, &mut self.out);
        self.perform_all();
    }

    fn cache_event(&mut self, event: CacheEvent) {
        if let Some((instance, event)) = self.caches.happened(event) {
            let now = self.clock.now();
            self.speaker.rpki(now, instance, event, &mut self.out);
            self.perform_all();
        }
    }

    fn tick(&mut self) {
        let now = self.clock.now();
        self.speaker.tick(now, &mut self.out);
        self.perform_all();
    }

    fn report(&mut self, report: Report) {
        let now = self.clock.now();
        self.speaker.reported(now, report.instance, report.shard, report.action, &mut self.out);
        self.perform_all();
    }

    fn incoming(&mut self, connection: Incoming) {
        self.next_accept += 1;
        let accept = AcceptId(self.next_accept);
        let (listener, ends) = (connection.listener, connection.ends);
        self.accepted.insert(accept, connection);
        let now = self.clock.now();
        self.speaker.accepted(now, listener, accept, ends, &mut self.out);
        self.perform_all();
        // What the instance did not want in the same turn it will not want later.
        self.accepted.remove(&accept);
    }

    fn connection_made(&mut self, made: Made) {
        let (peer, conn) = made.key;
        if self.connecting.remove(&made.key).is_none() {
            return; // given up meanwhile
        }
        let result = made.result.and_then(|(stream, signed)| {
            let ends = Ends { local: stream.local_addr()?, remote: stream.peer_addr()? };
            self.rekeying.follow(made.key, &stream, signed)?;
            Ok((stream, ends))
        });
        match result {
            Ok((stream, ends)) => {
                self.start(made.key, stream, &made.transport);
                self.handle(Event::Connected { peer, conn, ends });
            }
            Err(error) => self.handle(Event::ConnectFailed { peer, conn, error: error.to_string() }),
        }
    }

    fn start(&mut self, key: Key, stream: TcpStream, transport: &Transport) {
        let (peer, conn) = key;
        let instance = self.instances.get(&key).copied().unwrap_or_default();
        let Some(queues) = self.shards.queues(instance).cloned() else { return };
        let connection = Connection::start(
            peer,
            conn,
            stream,
            transport,
            self.events.clone(),
            queues,
            Arc::clone(&self.tap),
            self.turns(instance),
        );
        self.connections.insert(key, connection);
    }

    fn zebra_event(&mut self, event: ClientEvent, sender: Option<&ZebraSender>) {
        match event {
            ClientEvent::Connected(session) => {
                if let Some(sender) = sender {
                    zebra::begin(&self.zebra, sender, session);
                }
                tracing::info!("connected to zebra");
                self.handle(Event::ZebraConnected);
            }
            ClientEvent::Message(message) => {
                crate::io::place::learn(&message);
                self.handle(Event::Zebra(message));
            }
            ClientEvent::Disconnected { reason } => {
                tracing::warn!("connection to zebra lost: {reason}");
                self.handle(Event::ZebraGone);
            }
            ClientEvent::Refused { reason } => tracing::error!("zebra refuses us: {reason}"),
        }
    }

    fn vty_event(&mut self, event: Option<VtyEvent<BgpConfig, Command>>) {
        match event {
            Some(VtyEvent::Configured { after, done, .. }) => {
                self.set_turns(&after);
                self.handle(Event::Configured(after));
                drop(done);
            }
            Some(VtyEvent::Exec { handler, args, output }) => {
                let exec = self.execs.open(output, self.events.clone());
                self.handle(Event::Exec { exec, command: handler, args });
            }
            Some(VtyEvent::Complete { variable, reply }) => {
                // Whoever asked may be gone.
                let _ = reply.send(self.speaker.complete(&variable));
            }
            Some(VtyEvent::Impact { after, reply, .. }) => {
                let _ = reply.send(self.speaker.impact(&after));
            }
            Some(VtyEvent::Stop) | None => {
                if self.retain {
                    self.zebra.retain();
                }
                self.handle(Event::Shutdown);
            }
        }
    }

    /// Carries everything out, in order, except that a writer is made known to the shards before they are told of its
    /// session: what they send must find it.
    fn perform_all(&mut self) {
        let actions = std::mem::take(&mut self.out);
        for (instance, action) in &actions {
            if let Action::SessionUp { peer, conn, .. } = action
                && let Some(connection) = self.connections.get(&(*peer, *conn))
            {
                let writer = connection.writer();
                self.shards.push_all(*instance, || Input::Writer(*peer, Arc::clone(writer)));
            }
        }
        for (instance, action) in actions {
            self.perform(instance, action);
        }
    }

    fn perform(&mut self, instance: InstanceId, action: Action) {
        match action {
            Action::Connect { peer, conn, transport } => {
                self.instances.insert((peer, conn), instance);
                self.connect((peer, conn), transport);
            }
            Action::Adopt { accept, peer, conn, transport } => {
                if let Some(incoming) = self.accepted.remove(&accept) {
                    self.instances.insert((peer, conn), instance);
                    self.adopt((peer, conn), incoming, &transport);
                }
            }
            Action::Refuse { accept } => drop(self.accepted.remove(&accept)),
            Action::Send { peer, conn, bytes } => {
                if let Some(connection) = self.connections.get(&(peer, conn)) {
                    connection.writer().send(bytes);
                }
            }
            Action::SendBehind { peer, conn, bytes } => {
                if let Some(connection) = self.connections.get(&(peer, conn)) {
                    connection.writer().send_bulk(None, bytes, 1);
                }
            }
            Action::Close { peer, conn } => self.close((peer, conn)),
            Action::SessionUp { peer, conn, session, config, negotiated } => {
                if let Some(connection) = self.connections.get_mut(&(peer, conn)) {
                    let context = negotiated.decode_context(&config);
                    let sent = negotiated.sent_context();
                    let asns = (negotiated.remote_as, negotiated.local_as);
                    let max_len = negotiated.max_len();
                    connection.establish(Session { session, context, sent, max_len, asns });
                }
            }
            Action::SessionDown { peer, .. } => self.shards.push_all(instance, || Input::WriterGone(peer)),
            Action::SetSigning { network, signing } => {
                let listeners = self.listeners.entry(instance).or_insert_with(|| Listeners::new(instance));
                listeners.set_signing(network, signing);
            }
            Action::Rekey { peer, conn, chain } => self.rekeying.change((peer, conn), chain),
            Action::Shard { shard, event } => self.shards.push(instance, shard, event),
            Action::Zebra(message) => self.zebra.send(message),
            Action::Rpki(action) => self.caches.perform(instance, action),
            Action::Reply { exec, text, done } => self.execs.reply(exec, text, done),
            Action::Bmp(action) => self.bmp.perform(instance, action),
            Action::Dump(action) => self.dumps.perform(action),
            Action::Log(line) => {
                log::write(self.names.get(&instance).map_or("default", InstanceName::label), line);
            }
            Action::Start { name } => {
                self.names.insert(instance, name);
                self.shards.begin(instance);
            }
            Action::Stop => {
                self.names.remove(&instance);
                self.listeners.remove(&instance);
                self.bmp.end(instance);
                self.shards.end(instance);
                self.caches.forget(instance);
            }
            Action::Listen { device } => self.listen(instance, device.as_deref()),
            Action::Finished => self.finished = true,
        }
    }

    /// A connection that was accepted is signed as its neighbour's must be, or it is none.
    fn adopt(&mut self, key: Key, incoming: Incoming, transport: &Transport) {
        if matches!(transport.signing, Some(Signing::Ao(_))) {
            let keys = self.listeners.get(&incoming.listener);
            let keys = keys.and_then(|keys| keys.accepted_keys(incoming.ends.remote.ip()));
            let unsigned = || std::io::Error::other("accepted without TCP-AO");
            let signed = keys
                .ok_or_else(unsigned)
                .and_then(|keys| self.rekeying.follow(key, &incoming.stream, Some(keys)));
            if let Err(error) = signed {
                let events = self.events.clone();
                let (peer, conn) = key;
                let event = Event::Closed { peer, conn, error: error.to_string() };
                // Behind what is being carried out.
                tokio::spawn(async move {
                    let _ = events.send(event).await;
                });
                return;
            }
        }
        self.start(key, incoming.stream, transport);
    }

    /// Keys of TCP-AO whose time has come are used, and others go.
    fn refresh_keys(&mut self) {
        self.listeners.values_mut().for_each(Listeners::refresh_keys);
        self.rekeying.refresh();
    }

    /// The knobs of an instance's sessions.
    fn turns(&mut self, instance: InstanceId) -> Arc<Turns> {
        let name = self.names.get(&instance).cloned().unwrap_or(InstanceName::Default);
        Arc::clone(self.turns.entry(name).or_default())
    }

    fn set_turns(&mut self, config: &BgpConfig) {
        self.turns.retain(|name, _| config.instances.contains_key(name));
        for (name, router) in &config.instances {
            self.turns.entry(name.clone()).or_default().configure(config, router);
        }
    }

    fn has_keys_with_times(&self) -> bool {
        !self.rekeying.is_empty() || self.listeners.values().any(Listeners::has_keys_with_times)
    }

    /// Opens or closes the listeners of a VRF. A failure costs that VRF the connections that neighbours make.
    fn listen(&mut self, instance: InstanceId, device: Option<&str>) {
        let listeners = self.listeners.entry(instance).or_insert_with(|| Listeners::new(instance));
        let Some(device) = device else { return listeners.close() };
        if self.port == 0 {
            return;
        }
        if let Err(error) = listeners.open(&self.listen, self.port, Some(device), &self.incoming_sender) {
            tracing::error!("vrf {device}: {error}");
        }
    }

    fn connect(&mut self, key: Key, transport: Arc<Transport>) {
        let made = self.made.clone();
        let task = tokio::spawn(async move {
            let result = io::connect(&transport).await;
            // The shell ends with the process.
            let _ = made.send(Made { key, transport, result }).await;
        });
        self.connecting.insert(key, task.abort_handle());
    }

    fn close(&mut self, key: Key) {
        self.instances.remove(&key);
        self.rekeying.forget(key);
        if let Some(task) = self.connecting.remove(&key) {
            task.abort();
        }
        if let Some(connection) = self.connections.remove(&key) {
            connection.close(self.flushed.clone());
        }
    }

    /// Neighbours and zebra hear the last words, for a moment at most.
    async fn farewell(
        mut self,
        sender: Option<ZebraSender>,
        feed: JoinHandle<()>,
        all_flushed: &mut mpsc::Receiver<()>,
    ) {
        for (_, connection) in self.connections.drain() {
            connection.close(self.flushed.clone());
        }
        self.shards.stop();
        drop((self.zebra, self.flushed, sender));
        let said = async {
            // Both end when the last sender is gone.
            let _ = feed.await;
            while all_flushed.recv().await.is_some() {}
        };
        if tokio::time::timeout(FAREWELL, said).await.is_err() {
            tracing::warn!("some neighbours did not take our last words in time");
        }
    }
}
