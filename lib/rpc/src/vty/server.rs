//! The daemon's side of the contract.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, UnixListenerStream};
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status as Refusal, Streaming};

use super::pb::vty_server::{Vty, VtyServer};
use super::types::*;
use super::{CONTRACT, OUTPUT_PIECE, VERSION_KEY, pb};
use crate::transport::MAX_MESSAGE;

/// Items of the running configuration per message.
const ITEMS_PER_MESSAGE: usize = 1024;
/// Pieces of output that wait to be sent.
const PIECES: usize = 64;
/// Most lines of one configuration.
const MAX_LINES: usize = 4_000_000;

pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What a daemon does for the contract. Calls may come at the same time.
pub trait VtyBackend: Send + Sync + 'static {
    fn describe(&self) -> Description;
    /// Carries out a line. Output goes into the channel while it is made (a full channel is back-pressure, a closed one
    /// means that nobody listens any more).
    fn execute(&self, line: ExecuteLine, output: mpsc::Sender<String>) -> BoxFuture<ExecuteResult>;
    fn complete(&self, variable: String) -> BoxFuture<Vec<String>>;
    fn running(&self) -> BoxFuture<Vec<ConfigItem>>;
    fn prepare(&self, replace: bool, lines: Vec<ConfigLine>) -> BoxFuture<Result<Prepared, Vec<LineError>>>;
    /// Whether anything changed; the text of a refusal (an unknown token, a configuration that moved meanwhile).
    fn commit(&self, token: u64) -> BoxFuture<Result<bool, String>>;
    fn abort(&self, token: u64) -> BoxFuture<()>;
    fn rollback(&self, commits: u32) -> BoxFuture<Result<bool, String>>;
}

/// Serves the contract until `stop` completes.
pub async fn serve(
    incoming: UnixListenerStream,
    backend: Arc<dyn VtyBackend>,
    stop: impl Future<Output = ()> + Send,
) -> Result<(), tonic::transport::Error> {
    let service = VtyServer::new(Service(backend)).max_decoding_message_size(MAX_MESSAGE);
    tonic::transport::Server::builder()
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20)
        .add_service(service)
        .serve_with_incoming_shutdown(incoming, stop)
        .await
}

/// The generated trait over a backend.
struct Service(Arc<dyn VtyBackend>);

type Answer<T> = Result<Response<T>, Refusal>;
type BoxStream<T> = Pin<Box<dyn Stream<Item = Result<T, Refusal>> + Send>>;

fn check_version<T>(request: &Request<T>) -> Result<(), Refusal> {
    let (major, minor) = CONTRACT;
    let ours = format!("this daemon speaks version {major}.{minor} of the vty contract");
    let version = request.metadata().get(VERSION_KEY).and_then(|value| value.to_str().ok());
    match version.and_then(|text| text.split('.').next()?.parse::<u32>().ok()) {
        Some(theirs) if theirs == major => Ok(()),
        Some(theirs) => Err(Refusal::failed_precondition(format!("{ours}, the caller version {theirs}"))),
        None => Err(Refusal::failed_precondition(format!("{ours}, the caller names none"))),
    }
}

#[tonic::async_trait]
impl Vty for Service {
    type ExecuteStream = BoxStream<pb::ExecuteReply>;
    type RunningConfigStream = BoxStream<pb::RunningConfigReply>;

    async fn describe(&self, request: Request<pb::DescribeRequest>) -> Answer<pb::DescribeReply> {
        check_version(&request)?;
        Ok(Response::new(self.0.describe().into()))
    }

    async fn execute(&self, request: Request<pb::ExecuteRequest>) -> Answer<Self::ExecuteStream> {
        check_version(&request)?;
        let (replies, stream) = mpsc::channel(4);
        let (output, mut pieces) = mpsc::channel::<String>(PIECES);
        let backend = self.0.clone();
        let line: ExecuteLine = request.into_inner().into();
        tokio::spawn(async move {
            let result = backend.execute(line, output);
            let forward = async {
                while let Some(mut text) = pieces.recv().await {
                    // Many small pieces travel as one message.
                    while text.len() < OUTPUT_PIECE
                        && let Ok(more) = pieces.try_recv()
                    {
                        text.push_str(&more);
                    }
                    for piece in text.as_bytes().chunks(OUTPUT_PIECE) {
                        let part = Some(pb::execute_reply::Part::Output(piece.to_vec()));
                        if replies.send(Ok(pb::ExecuteReply { part })).await.is_err() {
                            // Nobody reads: whoever writes learns it from the closed channel.
                            pieces.close();
                            break;
                        }
                    }
                }
            };
            let (result, ()) = tokio::join!(result, forward);
            let part = Some(pb::execute_reply::Part::Result(result.into()));
            // A caller that is gone needs no result.
            let _ = replies.send(Ok(pb::ExecuteReply { part })).await;
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }

    async fn complete(&self, request: Request<pb::CompleteRequest>) -> Answer<pb::CompleteReply> {
        check_version(&request)?;
        let values = self.0.complete(request.into_inner().variable).await;
        Ok(Response::new(pb::CompleteReply { values }))
    }

    async fn running_config(
        &self,
        request: Request<pb::RunningConfigRequest>,
    ) -> Answer<Self::RunningConfigStream> {
        check_version(&request)?;
        let items: Vec<pb::Item> = self.0.running().await.into_iter().map(Into::into).collect();
        let mut items = items.into_iter().peekable();
        let messages = std::iter::from_fn(move || {
            items.peek()?;
            Some(Ok(pb::RunningConfigReply { items: items.by_ref().take(ITEMS_PER_MESSAGE).collect() }))
        });
        Ok(Response::new(Box::pin(tokio_stream::iter(messages))))
    }

    async fn prepare(&self, request: Request<Streaming<pb::PrepareRequest>>) -> Answer<pb::PrepareReply> {
        check_version(&request)?;
        let mut messages = request.into_inner();
        let mut replace = None;
        let mut lines: Vec<ConfigLine> = Vec::new();
        while let Some(message) = messages.next().await {
            let message = message?;
            replace.get_or_insert(message.replace);
            lines.extend(message.lines.into_iter().map(ConfigLine::from));
            if lines.len() > MAX_LINES {
                return Err(Refusal::resource_exhausted(format!("more than {MAX_LINES} lines")));
            }
        }
        let reply = match self.0.prepare(replace.unwrap_or(false), lines).await {
            Ok(Prepared { token, changes, more_changes, resets }) => pb::PrepareReply {
                token,
                errors: vec![],
                changes: changes.into_iter().map(Into::into).collect(),
                resets,
                more_changes,
            },
            Err(errors) => pb::PrepareReply {
                errors: errors.into_iter().map(Into::into).collect(),
                ..pb::PrepareReply::default()
            },
        };
        Ok(Response::new(reply))
    }

    async fn commit(&self, request: Request<pb::CommitRequest>) -> Answer<pb::CommitReply> {
        check_version(&request)?;
        committed(self.0.commit(request.into_inner().token).await)
    }

    async fn abort(&self, request: Request<pb::AbortRequest>) -> Answer<pb::AbortReply> {
        check_version(&request)?;
        self.0.abort(request.into_inner().token).await;
        Ok(Response::new(pb::AbortReply {}))
    }

    async fn rollback(&self, request: Request<pb::RollbackRequest>) -> Answer<pb::CommitReply> {
        check_version(&request)?;
        committed(self.0.rollback(request.into_inner().commits).await)
    }
}

fn committed(result: Result<bool, String>) -> Answer<pb::CommitReply> {
    match result {
        Ok(changed) => Ok(Response::new(pb::CommitReply { changed })),
        Err(reason) => Err(Refusal::failed_precondition(reason)),
    }
}
