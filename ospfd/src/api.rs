//! The OSPF API's connections: a client connects for its requests, and is connected to, one port further, for notices. What goes
//! over them is [`ferrite_ospf_control::api`]'s.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use ferrite_ospf_control::ApiEvent;
use ferrite_ospf_control::api::{ClientId, Header, message::HEADER};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::AbortHandle;

/// FRR's port.
const PORT: u16 = 2607;
/// Clients at a time.
const CLIENTS: usize = 16;
/// Octets that may wait for a client before it is given up.
const WAITING: usize = 64 << 20;
/// Requests that may wait for the loop; clients wait then.
const REQUESTS: usize = 256;
/// How long the second connection may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What comes of a client.
pub enum FromClient {
    Connected(ClientId, Outboxes),
    Event(ApiEvent),
}

/// What waits to be sent on a connection.
struct Outbox {
    queue: mpsc::UnboundedSender<Bytes>,
    waiting: Arc<AtomicUsize>,
}

impl Outbox {
    fn new(stream: OwnedWriteHalf) -> Self {
        let (queue, messages) = mpsc::unbounded_channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        tokio::spawn(write(stream, messages, Arc::clone(&waiting)));
        Self { queue, waiting }
    }

    /// False where too much waits, or nobody is there.
    fn send(&self, octets: Bytes) -> bool {
        let len = octets.len();
        self.waiting.fetch_add(len, Ordering::Relaxed) + len <= WAITING && self.queue.send(octets).is_ok()
    }
}

async fn write(
    mut stream: OwnedWriteHalf,
    mut messages: mpsc::UnboundedReceiver<Bytes>,
    waiting: Arc<AtomicUsize>,
) {
    while let Some(message) = messages.recv().await {
        if stream.write_all(&message).await.is_err() {
            return;
        }
        waiting.fetch_sub(message.len(), Ordering::Relaxed);
    }
}

/// Both connections of a client, and who reads from them.
pub struct Outboxes {
    replies: Outbox,
    notices: Outbox,
    reader: AbortHandle,
}

impl Drop for Outboxes {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// The clients that there are.
#[derive(Default)]
pub struct Clients(BTreeMap<ClientId, Outboxes>);

impl Clients {
    pub fn add(&mut self, client: ClientId, outboxes: Outboxes) {
        self.0.insert(client, outboxes);
    }

    pub fn remove(&mut self, client: ClientId) {
        self.0.remove(&client);
    }

    /// Sends, or gives the client up; its task tells then that it went.
    pub fn send(&mut self, client: ClientId, reply: bool, octets: Bytes) {
        let Some(outboxes) = self.0.get(&client) else { return };
        let outbox = if reply { &outboxes.replies } else { &outboxes.notices };
        if !outbox.send(octets) {
            tracing::warn!(client = client.0, "a client of the API does not read and is given up");
            self.0.remove(&client);
        }
    }
}

/// Begins to listen. Without a port there are no clients, and ospfd runs all the same.
pub fn listen(address: IpAddr) -> mpsc::Receiver<FromClient> {
    let (events, received) = mpsc::channel(REQUESTS);
    tokio::spawn(async move {
        match TcpListener::bind((address, PORT)).await {
            Ok(listener) => accept(listener, events).await,
            Err(error) => tracing::error!(%error, %address, "cannot listen for clients of the API"),
        }
    });
    received
}

async fn accept(listener: TcpListener, events: mpsc::Sender<FromClient>) {
    let places = Arc::new(Semaphore::new(CLIENTS));
    let mut number = 0;
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot take a client of the API");
                tokio::time::sleep(PATIENCE).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tracing::warn!(%peer, "too many clients of the API");
            continue;
        };
        number += 1;
        let (client, events) = (ClientId(number), events.clone());
        tokio::spawn(async move {
            serve(client, stream, peer, events).await;
            drop(place);
        });
    }
}

/// The second connection, then requests until there are no more.
async fn serve(client: ClientId, stream: TcpStream, peer: SocketAddr, events: mpsc::Sender<FromClient>) {
    let Some(port) = peer.port().checked_add(1) else { return };
    let back = tokio::time::timeout(PATIENCE, TcpStream::connect((peer.ip(), port))).await;
    let Ok(Ok(back)) = back else {
        tracing::warn!(%peer, "a client of the API is not there for notices");
        return;
    };
    let _ = stream.set_nodelay(true);
    let (requests, replies) = stream.into_split();
    // Nothing is read there; when its other half goes, it is closed.
    let (_unread, notices) = back.into_split();
    let (replies, notices) = (Outbox::new(replies), Outbox::new(notices));
    let reading = events.clone();
    let (known, begin) = oneshot::channel();
    let reader = tokio::spawn(async move {
        if begin.await.is_ok() {
            read(client, requests, &reading).await;
        }
    });
    let outboxes = Outboxes { replies, notices, reader: reader.abort_handle() };
    tracing::info!(%peer, client = client.0, "a client of the API came");
    if events.send(FromClient::Connected(client, outboxes)).await.is_ok() {
        let _ = known.send(());
        let _ = reader.await;
        let _ = events.send(FromClient::Event(ApiEvent::Gone(client))).await;
        tracing::info!(%peer, client = client.0, "a client of the API went");
    }
}

/// Until the client closes, or speaks another version.
async fn read(client: ClientId, mut stream: OwnedReadHalf, events: &mpsc::Sender<FromClient>) {
    let mut octets = [0; HEADER];
    while stream.read_exact(&mut octets).await.is_ok() {
        let Some(header) = Header::read(octets) else { return };
        let mut body = vec![0; usize::from(header.len)];
        if stream.read_exact(&mut body).await.is_err() {
            return;
        }
        let request = ApiEvent::Request(client, header, body.into());
        if events.send(FromClient::Event(request)).await.is_err() {
            return;
        }
    }
}
