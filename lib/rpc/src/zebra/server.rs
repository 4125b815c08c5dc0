//! zebra's end of the stream. Each connection is a task that decodes and hands over; what it hands over waits in one
//! bounded queue, so a busy zebra slows its clients. Towards a client nothing waits: zebra puts messages into the client's
//! own queue and drops a client that does not read them.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ferrite_types::zclient::{CONTRACT_MAJOR, CONTRACT_MINOR, FromZebra, Hello, ToZebra};
use tokio::net::UnixListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, UnixListenerStream};
use tokio_stream::{Stream, StreamExt};
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

use super::message::encode_server;
use super::pb::zebra_server::{Zebra, ZebraServer};
use super::{ConvertError, MAX_MESSAGE, pb};

/// Messages that may wait for a client that does not read.
const CLIENT_QUEUE: usize = 4096;
const WINDOW: u32 = 4 << 20;

/// Numbers the connections that zebra has accepted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ClientId(pub u64);

#[derive(Debug)]
pub enum ServerEvent {
    Connected { client: ClientId, hello: Hello, sender: ClientSender },
    Message { client: ClientId, message: ToZebra },
    Disconnected { client: ClientId, reason: String },
}

/// The way to one client.
#[derive(Debug)]
pub struct ClientSender {
    queue: mpsc::Sender<Result<pb::ServerMessage, Status>>,
}

/// The client has gone or does not read; dropping its sender ends the connection.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error("the client is gone")]
    Gone,
    #[error("the client does not read: {CLIENT_QUEUE} messages wait")]
    Slow,
}

impl ClientSender {
    /// Never waits.
    pub fn send(&self, message: &FromZebra) -> Result<(), SendError> {
        for part in encode_server(message) {
            self.queue.try_send(Ok(part)).map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => SendError::Slow,
                mpsc::error::TrySendError::Closed(_) => SendError::Gone,
            })?;
        }
        Ok(())
    }

    /// Messages that wait for the client.
    pub fn waiting(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }
}

/// Serves clients until the listener fails. Runs inside a tokio runtime.
pub async fn serve(
    listener: UnixListener,
    events: mpsc::Sender<ServerEvent>,
) -> Result<(), tonic::transport::Error> {
    let service = ZebraServer::new(Service { events, next: Arc::new(AtomicU64::new(1)) })
        .max_decoding_message_size(MAX_MESSAGE)
        .max_encoding_message_size(MAX_MESSAGE);
    Server::builder()
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .add_service(service)
        .serve_with_incoming(UnixListenerStream::new(listener))
        .await
}

struct Service {
    events: mpsc::Sender<ServerEvent>,
    next: Arc<AtomicU64>,
}

type Outbound = Pin<Box<dyn Stream<Item = Result<pb::ServerMessage, Status>> + Send>>;

#[tonic::async_trait]
impl Zebra for Service {
    type SessionStream = Outbound;

    async fn session(
        &self,
        request: Request<Streaming<pb::ClientMessage>>,
    ) -> Result<Response<Outbound>, Status> {
        let inbound = request.into_inner();
        let (queue, wire) = mpsc::channel(CLIENT_QUEUE);
        let client = ClientId(self.next.fetch_add(1, Ordering::Relaxed));
        tokio::spawn(session(client, inbound, queue, self.events.clone()));
        Ok(Response::new(Box::pin(ReceiverStream::new(wire))))
    }
}

/// One client from its hello to its end.
async fn session(
    client: ClientId,
    mut inbound: Streaming<pb::ClientMessage>,
    queue: mpsc::Sender<Result<pb::ServerMessage, Status>>,
    events: mpsc::Sender<ServerEvent>,
) {
    let hello = match greet(&mut inbound).await {
        Ok(hello) => hello,
        Err(error) => {
            tracing::warn!(%error, "zebra client refused");
            let refused = pb::server_message::Message::Refused(pb::Refused { reason: error.to_string() });
            let _ = queue.send(Ok(pb::ServerMessage { message: Some(refused) })).await;
            return;
        }
    };
    let welcome = pb::Welcome { major: CONTRACT_MAJOR, minor: CONTRACT_MINOR };
    let welcome = pb::ServerMessage { message: Some(pb::server_message::Message::Welcome(welcome)) };
    if queue.send(Ok(welcome)).await.is_err() {
        return;
    }
    let gone = queue.downgrade();
    let sender = ClientSender { queue };
    if events.send(ServerEvent::Connected { client, hello, sender }).await.is_err() {
        return;
    }
    let reason = receive(client, &mut inbound, &events, &gone).await;
    let _ = events.send(ServerEvent::Disconnected { client, reason }).await;
}

async fn greet(inbound: &mut Streaming<pb::ClientMessage>) -> Result<Hello, ConvertError> {
    let first = inbound.message().await.map_err(|status| ConvertError::Protobuf(status.to_string()))?;
    match first.and_then(|message| message.message) {
        Some(pb::client_message::Message::Hello(hello)) => hello.try_into(),
        _ => Err(ConvertError::HelloExpected),
    }
}

/// Hands messages over until the stream ends; returns why it did.
async fn receive(
    client: ClientId,
    inbound: &mut Streaming<pb::ClientMessage>,
    events: &mpsc::Sender<ServerEvent>,
    gone: &mpsc::WeakSender<Result<pb::ServerMessage, Status>>,
) -> String {
    while let Some(received) = inbound.next().await {
        if gone.upgrade().is_none() {
            return "closed by zebra".to_owned();
        }
        let message = match received {
            Ok(message) => message,
            Err(status) => return status.message().to_owned(),
        };
        match message.try_into() {
            Ok(message) => {
                if events.send(ServerEvent::Message { client, message }).await.is_err() {
                    return "zebra ends".to_owned();
                }
            }
            Err(error) => {
                tracing::warn!(client = client.0, %error, "client sent what is not valid");
                return format!("not valid: {error}");
            }
        }
    }
    "closed by the client".to_owned()
}
