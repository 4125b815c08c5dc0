//! HTTP/1: who may ask, how much at once, and how a reply is sent.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use ferrite_types::Prefix;
use http_body_util::StreamBody;
use hyper::body::Frame;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::birdwatcher::Head;
use crate::cache::Cache;
use crate::endpoint::{Asked, Endpoint};
use crate::glass::{Glass, GlassError};
use crate::payload::Payload;

/// For the head of a request.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
/// Octets of the head of a request.
const HEAD_LIMIT: usize = 16 << 10;

/// What is allowed.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Who may ask; empty: anybody.
    pub allow: Vec<Prefix>,
    /// Connections at once.
    pub connections: usize,
    /// Commands that bgpd is given at once.
    pub commands: usize,
    /// The life of a connection, so that one who does not read does not keep its place.
    pub lifetime: Duration,
}

/// The program's state.
#[derive(Debug)]
pub struct Server {
    glass: Glass,
    cache: Cache,
    limits: Limits,
    commands: Semaphore,
}

type Pieces = tokio_stream::Iter<std::vec::IntoIter<Result<Frame<Bytes>, Infallible>>>;
type Reply = Response<StreamBody<Pieces>>;

impl Server {
    pub fn new(glass: Glass, cache: Cache, limits: Limits) -> Arc<Self> {
        let commands = Semaphore::new(limits.commands.max(1));
        Arc::new(Self { glass, cache, limits, commands })
    }

    fn allows(&self, addr: IpAddr) -> bool {
        let addr = addr.to_canonical();
        self.limits.allow.is_empty() || self.limits.allow.iter().any(|prefix| prefix.contains(addr))
    }

    /// Serves until the task is dropped.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) {
        let places = Arc::new(Semaphore::new(self.limits.connections.max(1)));
        loop {
            let Ok(place) = places.clone().acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, from)) => {
                    let server = self.clone();
                    tokio::spawn(async move {
                        server.connection(stream, from).await;
                        drop(place);
                    });
                }
                // Out of descriptors, most likely: the next one may fare better when a connection has gone.
                Err(error) => {
                    eprintln!("ferrite-lg: a connection failed: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, from: SocketAddr) {
        let lifetime = self.limits.lifetime;
        let service = service_fn(move |request: Request<hyper::body::Incoming>| {
            let server = self.clone();
            async move { Ok::<_, Infallible>(server.answer(&request, from.ip()).await) }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_PATIENCE)
            .max_buf_size(HEAD_LIMIT)
            .serve_connection(TokioIo::new(stream), service);
        // Whatever ends it is the client's affair.
        let _ = tokio::time::timeout(lifetime, connection).await;
    }

    async fn answer<B>(&self, request: &Request<B>, from: IpAddr) -> Reply {
        if !self.allows(from) {
            return failure(StatusCode::FORBIDDEN, "you are not allowed to ask");
        }
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return failure(StatusCode::METHOD_NOT_ALLOWED, "this only answers GET");
        }
        let Some(asked) = Asked::read(request.uri().path(), request.uri().query()) else {
            return failure(StatusCode::NOT_FOUND, "there is no such thing");
        };
        let now = Utc::now();
        let made = self.cache.get(&asked.endpoint, asked.uncached, now, || self.make(&asked.endpoint, now));
        match made.await {
            Ok((kept, from_cache)) => {
                let head = Head::new(kept.at, self.cache.ttl(), from_cache);
                success(&head, &kept.payload)
            }
            Err(error) => {
                let status =
                    StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                failure(status, &error.to_string())
            }
        }
    }

    /// bgpd's socket is read in a thread of its own: the answer is parsed as it comes.
    async fn make(&self, endpoint: &Endpoint, now: DateTime<Utc>) -> Result<Payload, GlassError> {
        let _place = self.commands.acquire().await;
        let (glass, endpoint) = (self.glass.clone(), endpoint.clone());
        let made = tokio::task::spawn_blocking(move || glass.reply(&endpoint, now)).await;
        made.unwrap_or_else(|_| Err(std::io::Error::other("the reply could not be made").into()))
    }
}

fn reply(status: StatusCode, pieces: Vec<Bytes>) -> Reply {
    let length: usize = pieces.iter().map(Bytes::len).sum();
    let frames: Vec<_> = pieces.into_iter().map(|piece| Ok(Frame::data(piece))).collect();
    let mut reply = Response::new(StreamBody::new(tokio_stream::iter(frames)));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    headers.insert(header::CONTENT_LENGTH, header::HeaderValue::from(length));
    reply
}

/// The head's members, then those of the payload, as one object.
fn success(head: &Head, payload: &Payload) -> Reply {
    let mut begin = serde_json::to_vec(head).unwrap_or_default();
    begin.pop(); // the brace that closes the head
    begin.push(b',');
    let mut pieces = vec![Bytes::from(begin)];
    pieces.extend(payload.pieces());
    pieces.push(Bytes::from_static(b"}"));
    reply(StatusCode::OK, pieces)
}

fn failure(status: StatusCode, text: &str) -> Reply {
    reply(status, vec![serde_json::json!({ "error": text }).to_string().into()])
}
