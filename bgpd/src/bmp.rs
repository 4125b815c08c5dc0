//! Connections with BMP collectors: made and accepted, written to, and nothing else. What is written is the instance's.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bgp_core::config::{BmpTargets, Connect, ConnectHow};
use bgp_core::{BmpAction, BmpEvent, CollectorId, Event, InstanceId};
use bytes::Bytes;
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use crate::tap::Tap;

/// How long an attempt may take.
const ATTEMPT: Duration = Duration::from_secs(10);
/// How long what is left may take to go out.
const LINGER: Duration = Duration::from_secs(2);

/// A collector's socket, before it has a number.
#[derive(Debug)]
pub struct Incoming {
    instance: InstanceId,
    target: Arc<str>,
    connect: Option<Connect>,
    remote: SocketAddr,
    stream: TcpStream,
    /// Dropped when the connection is over, which the connector waits for.
    over: Option<mpsc::Sender<()>>,
}

/// Listeners and connectors of one instance's targets, by what they serve.
#[derive(Debug, Default)]
struct Ends {
    targets: BTreeMap<Arc<str>, BmpTargets>,
    tasks: HashMap<(Arc<str>, End), AbortHandle>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum End {
    Listen(SocketAddr),
    Connect(Connect),
}

#[derive(Debug)]
struct Collector {
    /// With the instance that says it: more than one may speak of their tables.
    sender: mpsc::UnboundedSender<(InstanceId, Bytes)>,
    task: AbortHandle,
}

#[derive(Debug)]
pub struct Bmp {
    tap: Arc<Tap>,
    events: mpsc::Sender<Event>,
    incoming: mpsc::Sender<Incoming>,
    next: u64,
    ends: HashMap<InstanceId, Ends>,
    collectors: HashMap<CollectorId, Collector>,
}

impl Bmp {
    /// The receiver's items go to [`Self::connected`].
    pub fn new(tap: Arc<Tap>, events: mpsc::Sender<Event>) -> (Self, mpsc::Receiver<Incoming>) {
        let (incoming, receiver) = mpsc::channel(16);
        (Self { tap, events, incoming, next: 0, ends: HashMap::new(), collectors: HashMap::new() }, receiver)
    }

    pub fn perform(&mut self, instance: InstanceId, action: BmpAction) {
        match action {
            BmpAction::Configure(targets) => self.configure(instance, targets),
            BmpAction::Send { collector, bytes } => {
                if let Some(known) = self.collectors.get(&collector) {
                    // A task that is gone has said so.
                    let _ = known.sender.send((instance, bytes));
                }
            }
            BmpAction::Mirror(on) => self.tap.mirror(on),
            BmpAction::Close { collector } => {
                if let Some(known) = self.collectors.remove(&collector) {
                    drop(known.sender);
                    tokio::spawn(async move {
                        tokio::time::sleep(LINGER).await;
                        known.task.abort();
                    });
                }
            }
        }
    }

    /// A collector's connection is there: it gets a number.
    pub fn connected(&mut self, incoming: Incoming) -> Event {
        self.next += 1;
        let collector = CollectorId(self.next);
        let Incoming { instance, target, connect, remote, stream, over } = incoming;
        let (sender, octets) = mpsc::unbounded_channel();
        let task = tokio::spawn(serve(instance, collector, stream, octets, self.events.clone(), over));
        self.collectors.insert(collector, Collector { sender, task: task.abort_handle() });
        Event::Bmp { instance, event: BmpEvent::Connected { collector, target, connect, remote } }
    }

    /// An instance is gone.
    pub fn end(&mut self, instance: InstanceId) {
        self.configure(instance, BTreeMap::new());
        self.ends.remove(&instance);
    }

    /// What is served already goes on; the rest ends or begins.
    fn configure(&mut self, instance: InstanceId, targets: BTreeMap<Arc<str>, BmpTargets>) {
        let ends = self.ends.entry(instance).or_default();
        let before = std::mem::replace(&mut ends.targets, targets);
        let wanted = ends_of(&ends.targets);
        let had = ends_of(&before);
        ends.tasks.retain(|key, task| {
            let keep = wanted.get(key).is_some_and(|how| had.get(key) == Some(how));
            if !keep {
                task.abort();
            }
            keep
        });
        for ((target, end), how) in wanted {
            let key = (Arc::clone(&target), end.clone());
            if ends.tasks.contains_key(&key) {
                continue;
            }
            let incoming = self.incoming.clone();
            let task = match end {
                End::Listen(addr) => tokio::spawn(listen(instance, target, addr, incoming)),
                End::Connect(connect) => {
                    let how = how.unwrap_or_default();
                    tokio::spawn(connect_again_and_again(instance, target, connect, how, incoming))
                }
            };
            ends.tasks.insert(key, task.abort_handle());
        }
    }
}

fn ends_of(targets: &BTreeMap<Arc<str>, BmpTargets>) -> HashMap<(Arc<str>, End), Option<ConnectHow>> {
    let mut ends = HashMap::new();
    for (name, targets) in targets {
        for (addr, port) in &targets.listeners {
            ends.insert((Arc::clone(name), End::Listen(SocketAddr::new(*addr, *port))), None);
        }
        for (connect, how) in &targets.connects {
            ends.insert((Arc::clone(name), End::Connect(connect.clone())), Some(how.clone()));
        }
    }
    ends
}

/// Accepts until it is ended; an address that is not there (yet) is tried again.
async fn listen(instance: InstanceId, target: Arc<str>, addr: SocketAddr, incoming: mpsc::Sender<Incoming>) {
    let mut told = false;
    let listener = loop {
        match TcpListener::bind(addr).await {
            Ok(listener) => break listener,
            Err(error) if !told => {
                tracing::warn!("bmp listener {addr}: {error}");
                told = true;
            }
            Err(_) => {}
        }
        tokio::time::sleep(ATTEMPT).await;
    };
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => {
                let target = Arc::clone(&target);
                let one = Incoming { instance, target, connect: None, remote, stream, over: None };
                if incoming.send(one).await.is_err() {
                    return;
                }
            }
            // Out of descriptors, most likely: others may give theirs back.
            Err(error) => {
                tracing::warn!("bmp listener {addr}: {error}");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// Keeps one connection up. The pause between attempts doubles from the least to the most.
async fn connect_again_and_again(
    instance: InstanceId,
    target: Arc<str>,
    connect: Connect,
    how: ConnectHow,
    incoming: mpsc::Sender<Incoming>,
) {
    let (min, max) =
        (Duration::from_millis(how.min_retry.into()), Duration::from_millis(how.max_retry.into()));
    let mut pause = min;
    loop {
        match attempt(&connect, &how).await {
            Ok((stream, remote)) => {
                pause = min;
                let (over, mut ended) = mpsc::channel(1);
                let (target, made) = (Arc::clone(&target), Some(connect.clone()));
                let one = Incoming { instance, target, connect: made, remote, stream, over: Some(over) };
                if incoming.send(one).await.is_err() {
                    return;
                }
                ended.recv().await;
            }
            Err(error) => tracing::debug!("bmp connect {} port {}: {error}", connect.host, connect.port),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(max);
    }
}

async fn attempt(connect: &Connect, how: &ConnectHow) -> std::io::Result<(TcpStream, SocketAddr)> {
    let work = async {
        let mut last = std::io::Error::from(std::io::ErrorKind::AddrNotAvailable);
        for remote in tokio::net::lookup_host((&*connect.host, connect.port)).await? {
            let socket = if remote.is_ipv4() {
                tokio::net::TcpSocket::new_v4()?
            } else {
                tokio::net::TcpSocket::new_v6()?
            };
            if let Some(source) = &how.source {
                SockRef::from(&socket).bind_device(Some(source.as_bytes()))?;
            }
            match socket.connect(remote).await {
                Ok(stream) => return Ok((stream, remote)),
                Err(error) => last = error,
            }
        }
        Err(last)
    };
    tokio::time::timeout(ATTEMPT, work)
        .await
        .map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))?
}

/// Writes what the instance has for the collector, and tells it how far that is.
async fn serve(
    instance: InstanceId,
    collector: CollectorId,
    stream: TcpStream,
    mut octets: mpsc::UnboundedReceiver<(InstanceId, Bytes)>,
    events: mpsc::Sender<Event>,
    over: Option<mpsc::Sender<()>>,
) {
    let (mut read, mut write) = stream.into_split();
    let mut sink = [0; 512];
    loop {
        tokio::select! {
            // A collector has nothing to say (RFC 7854 §3.2); the end of its side is the end.
            got = read.read(&mut sink) => {
                if got.map_or(true, |got| got == 0) {
                    break;
                }
            }
            bytes = octets.recv() => {
                let Some((from, bytes)) = bytes else { break };
                let octets = bytes.len();
                if write.write_all(&bytes).await.is_err() {
                    break;
                }
                let event = BmpEvent::Written { collector, octets };
                if events.send(Event::Bmp { instance: from, event }).await.is_err() {
                    break;
                }
            }
        }
    }
    // Either the socket or the instance is done with the other.
    let _ = write.shutdown().await;
    let _ = events.send(Event::Bmp { instance, event: BmpEvent::Gone { collector } }).await;
    drop(over);
}
