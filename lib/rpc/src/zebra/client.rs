//! A daemon's end of the stream. One task connects, says hello, carries messages both ways and reconnects for ever.
//!
//! ```text
//! daemon --ZebraSender.send--> [queue 64] --> task --> gRPC stream --> zebra
//! daemon <--Receiver---------- [queue 256] <-- task <-- gRPC stream <-- zebra
//! ```
//!
//! Both queues are bounded, so a slow side slows the other. While there is no connection, what is sent is dropped:
//! the replay after the next [`ClientEvent::Connected`] carries the whole state anyway. A message belongs to the
//! connection for which the daemon last called [`ZebraSender::begin`]; one that was queued for an earlier connection is
//! dropped too, or an old `ReplayDone` would end the new replay too early.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ferrite_types::zclient::{FromZebra, Hello, ToZebra};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::transport::Endpoint;

use super::message::encode_client;
use super::pb::zebra_client::ZebraClient as Grpc;
use super::{MAX_MESSAGE, pb};

const SEND_QUEUE: usize = 64;
const EVENT_QUEUE: usize = 256;
/// Messages between the task and the transport.
const WIRE_QUEUE: usize = 16;
const BACK_OFF_MIN: Duration = Duration::from_millis(100);
const BACK_OFF_MAX: Duration = Duration::from_secs(5);
/// Flow-control window of the stream, octets.
const WINDOW: u32 = 4 << 20;

/// Numbers the connections of a client, from one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct SessionId(u64);

#[derive(Debug)]
pub enum ClientEvent {
    /// zebra answered. Call [`ZebraSender::begin`] with this, then send the whole state and `ReplayDone`.
    Connected(SessionId),
    Message(FromZebra),
    Disconnected {
        reason: String,
    },
    /// zebra does not want us as we are (another version); the client asks again later.
    Refused {
        reason: String,
    },
}

/// The daemon no longer has its client task.
#[derive(Debug, thiserror::Error)]
#[error("the zebra client has ended")]
pub struct Closed;

/// Sends to zebra; clones share one queue and one session.
#[derive(Clone, Debug)]
pub struct ZebraSender {
    queue: mpsc::Sender<(SessionId, ToZebra)>,
    session: Arc<AtomicU64>,
}

impl ZebraSender {
    /// From here on messages belong to this connection.
    pub fn begin(&self, session: SessionId) {
        self.session.store(session.0, Ordering::Release);
    }

    /// Waits while the queue is full.
    pub async fn send(&self, message: ToZebra) -> Result<(), Closed> {
        self.queue.send((self.session(), message)).await.map_err(|_| Closed)
    }

    /// As `send`, for a thread outside the runtime.
    pub fn blocking_send(&self, message: ToZebra) -> Result<(), Closed> {
        self.queue.blocking_send((self.session(), message)).map_err(|_| Closed)
    }

    /// Gives the message back where the queue is full.
    pub fn try_send(&self, message: ToZebra) -> Result<(), ToZebra> {
        self.queue.try_send((self.session(), message)).map_err(|error| error.into_inner().1)
    }

    /// Room in the queue, messages.
    pub fn capacity(&self) -> usize {
        self.queue.capacity()
    }

    fn session(&self) -> SessionId {
        SessionId(self.session.load(Ordering::Acquire))
    }
}

/// Starts the client task; dropping every sender and the receiver ends it.
#[derive(Debug)]
pub struct ZebraClient;

impl ZebraClient {
    /// Must be called inside a tokio runtime.
    pub fn spawn(socket: impl Into<PathBuf>, hello: Hello) -> (ZebraSender, mpsc::Receiver<ClientEvent>) {
        let (queue, requests) = mpsc::channel(SEND_QUEUE);
        let (events, receiver) = mpsc::channel(EVENT_QUEUE);
        let task = Task { socket: socket.into(), hello, requests, events, session: SessionId::default() };
        tokio::spawn(task.run());
        (ZebraSender { queue, session: Arc::default() }, receiver)
    }
}

/// Why a connection ended.
enum End {
    Lost(String),
    Refused(String),
    /// The daemon is gone.
    Closed,
}

struct Task {
    socket: PathBuf,
    hello: Hello,
    requests: mpsc::Receiver<(SessionId, ToZebra)>,
    events: mpsc::Sender<ClientEvent>,
    session: SessionId,
}

struct Connection {
    outbound: mpsc::Sender<pb::ClientMessage>,
    inbound: Streaming<pb::ServerMessage>,
}

impl Task {
    async fn run(mut self) {
        let mut back_off = BACK_OFF_MIN;
        loop {
            let before = self.session;
            let end = match self.connect().await {
                Ok(connection) => self.carry(connection).await,
                Err(end) => end,
            };
            let was_up = self.session != before;
            let report = match end {
                End::Closed => return,
                End::Refused(reason) => Some(ClientEvent::Refused { reason }),
                End::Lost(reason) if was_up => Some(ClientEvent::Disconnected { reason }),
                // Nobody is told twice that zebra is not there.
                End::Lost(_) => None,
            };
            back_off = match &report {
                Some(ClientEvent::Refused { .. }) => BACK_OFF_MAX,
                Some(_) => BACK_OFF_MIN,
                None => (back_off * 2).min(BACK_OFF_MAX),
            };
            if let Some(report) = report
                && self.events.send(report).await.is_err()
            {
                return;
            }
            if !self.drop_requests_for(back_off).await {
                return;
            }
        }
    }

    /// Waits, and drops what the daemon sends meanwhile. False once the daemon is gone.
    async fn drop_requests_for(&mut self, time: Duration) -> bool {
        let until = Instant::now() + time;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(until) => return true,
                request = self.requests.recv() => if request.is_none() { return false },
                () = self.events.closed() => return false,
            }
        }
    }

    async fn connect(&mut self) -> Result<Connection, End> {
        let lost = |error: &dyn std::error::Error| End::Lost(error_text(error));
        let path = self.socket.clone();
        let connector = tower::service_fn(move |_| {
            let path = path.clone();
            async move { UnixStream::connect(path).await.map(TokioIo::new) }
        });
        let channel = Endpoint::from_static("http://zebra")
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .connect_with_connector(connector)
            .await
            .map_err(|error| lost(&error))?;
        let mut grpc =
            Grpc::new(channel).max_decoding_message_size(MAX_MESSAGE).max_encoding_message_size(MAX_MESSAGE);
        let (outbound, wire) = mpsc::channel(WIRE_QUEUE);
        let hello = pb::client_message::Message::Hello((&self.hello).into());
        outbound
            .try_send(pb::ClientMessage { message: Some(hello) })
            .map_err(|_| End::Lost("the stream is full".to_owned()))?;
        let inbound =
            grpc.session(ReceiverStream::new(wire)).await.map_err(|status| lost(&status))?.into_inner();
        let mut connection = Connection { outbound, inbound };
        self.await_welcome(&mut connection).await?;
        Ok(connection)
    }

    async fn await_welcome(&mut self, connection: &mut Connection) -> Result<(), End> {
        let first = connection.inbound.message().await.map_err(|status| End::Lost(error_text(&status)))?;
        match first.and_then(|message| message.message) {
            Some(pb::server_message::Message::Welcome(_)) => {}
            Some(pb::server_message::Message::Refused(refused)) => return Err(End::Refused(refused.reason)),
            _ => return Err(End::Lost("zebra did not greet".to_owned())),
        }
        self.session = SessionId(self.session.0 + 1);
        // A daemon that restarts is one whose first connection this is; later ones replay by nature.
        self.hello.restarting = true;
        self.events.send(ClientEvent::Connected(self.session)).await.map_err(|_| End::Closed)
    }

    /// Carries messages until the connection or the daemon ends. Reading never waits for writing: zebra may be
    /// waiting for us to read before it goes on.
    async fn carry(&mut self, connection: Connection) -> End {
        let Connection { outbound, mut inbound } = connection;
        let events = self.events.clone();
        let mut reader = tokio::spawn(async move { read(&mut inbound, &events).await });
        loop {
            tokio::select! {
                end = &mut reader => {
                    return end.unwrap_or_else(|error| End::Lost(error.to_string()));
                }
                request = self.requests.recv() => {
                    let Some((session, message)) = request else {
                        // Closing our half lets zebra read what is still on its way.
                        drop(outbound);
                        let _ = reader.await;
                        return End::Closed;
                    };
                    if session != self.session {
                        continue;
                    }
                    for part in encode_client(message) {
                        if outbound.send(part).await.is_err() {
                            break; // The reader learns why.
                        }
                    }
                }
            }
        }
    }
}

async fn read(inbound: &mut Streaming<pb::ServerMessage>, events: &mpsc::Sender<ClientEvent>) -> End {
    loop {
        let message = match inbound.message().await {
            Ok(Some(message)) => message,
            Ok(None) => return End::Lost("zebra closed the stream".to_owned()),
            Err(status) => return End::Lost(error_text(&status)),
        };
        match message.try_into() {
            Ok(message) => {
                if events.send(ClientEvent::Message(message)).await.is_err() {
                    return End::Closed;
                }
            }
            Err(error) => return End::Lost(format!("zebra sent what is not valid: {error}")),
        }
    }
}

/// An error with its causes; tonic's own text names only the outermost.
fn error_text(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
