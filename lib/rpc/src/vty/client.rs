//! The caller's side of the contract.

use std::path::Path;

use tokio_stream::StreamExt;
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Request, Status as Refusal, Streaming};

use super::pb::vty_client;
use super::types::*;
use super::{CONTRACT, VERSION_KEY, pb};
use crate::transport::{MAX_MESSAGE, connect_unix};

/// Lines of a configuration per message.
const LINES_PER_MESSAGE: usize = 4096;

/// Why a call came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum VtyError {
    #[error("cannot connect: {0}")]
    Connect(#[from] tonic::transport::Error),
    #[error("{}", .0.message())]
    Refused(#[from] Refusal),
}

/// A connection to one daemon.
#[derive(Debug, Clone)]
pub struct VtyClient {
    inner: vty_client::VtyClient<Channel>,
}

impl VtyClient {
    pub async fn connect(socket: &Path) -> Result<Self, VtyError> {
        let channel = connect_unix(socket).await?;
        let inner = vty_client::VtyClient::new(channel).max_decoding_message_size(MAX_MESSAGE);
        Ok(Self { inner })
    }

    pub async fn describe(&mut self) -> Result<Description, VtyError> {
        Ok(self.inner.describe(versioned(pb::DescribeRequest {})).await?.into_inner().into())
    }

    pub async fn execute(&mut self, line: ExecuteLine) -> Result<ExecuteStream, VtyError> {
        let stream = self.inner.execute(versioned(line.into())).await?.into_inner();
        Ok(ExecuteStream { stream, result: None })
    }

    pub async fn complete(&mut self, variable: &str) -> Result<Vec<String>, VtyError> {
        let request = pb::CompleteRequest { variable: variable.to_owned() };
        Ok(self.inner.complete(versioned(request)).await?.into_inner().values)
    }

    pub async fn running_config(&mut self) -> Result<Vec<ConfigItem>, VtyError> {
        let mut stream =
            self.inner.running_config(versioned(pb::RunningConfigRequest {})).await?.into_inner();
        let mut items = Vec::new();
        while let Some(message) = stream.next().await {
            items.extend(message?.items.into_iter().map(ConfigItem::from));
        }
        Ok(items)
    }

    pub async fn prepare(
        &mut self,
        replace: bool,
        lines: Vec<ConfigLine>,
    ) -> Result<Result<Prepared, Vec<LineError>>, VtyError> {
        let mut lines = lines.into_iter().map(Into::into).peekable();
        let mut first = true;
        let messages = std::iter::from_fn(move || {
            let any = std::mem::take(&mut first) || lines.peek().is_some();
            any.then(|| pb::PrepareRequest {
                replace,
                lines: lines.by_ref().take(LINES_PER_MESSAGE).collect(),
            })
        });
        let reply = self.inner.prepare(versioned(tokio_stream::iter(messages))).await?.into_inner();
        if !reply.errors.is_empty() {
            return Ok(Err(reply.errors.into_iter().map(Into::into).collect()));
        }
        let changes = reply.changes.into_iter().map(Into::into).collect();
        Ok(Ok(Prepared {
            token: reply.token,
            changes,
            more_changes: reply.more_changes,
            resets: reply.resets,
        }))
    }

    pub async fn commit(&mut self, token: u64) -> Result<bool, VtyError> {
        Ok(self.inner.commit(versioned(pb::CommitRequest { token })).await?.into_inner().changed)
    }

    pub async fn abort(&mut self, token: u64) -> Result<(), VtyError> {
        self.inner.abort(versioned(pb::AbortRequest { token })).await?;
        Ok(())
    }

    pub async fn rollback(&mut self, commits: u32) -> Result<bool, VtyError> {
        Ok(self.inner.rollback(versioned(pb::RollbackRequest { commits })).await?.into_inner().changed)
    }
}

fn versioned<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    let (major, minor) = CONTRACT;
    if let Ok(version) = MetadataValue::try_from(format!("{major}.{minor}")) {
        request.metadata_mut().insert(VERSION_KEY, version);
    }
    request
}

/// The output of a line, piece by piece, then its result.
pub struct ExecuteStream {
    stream: Streaming<pb::ExecuteReply>,
    result: Option<ExecuteResult>,
}

impl ExecuteStream {
    /// The next piece of output; `None` when all is read.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, VtyError> {
        while let Some(reply) = self.stream.next().await {
            match reply?.part {
                Some(pb::execute_reply::Part::Output(piece)) => return Ok(Some(piece)),
                Some(pb::execute_reply::Part::Result(result)) => self.result = Some(result.into()),
                None => {}
            }
        }
        Ok(None)
    }

    /// The result, after [`ExecuteStream::next`] has given `None`. A daemon that fell silent counts as a warning.
    pub fn result(self) -> ExecuteResult {
        self.result.unwrap_or_else(|| ExecuteResult {
            status: Status::Warning,
            message: "% The daemon ended before it answered".to_owned(),
            ..ExecuteResult::default()
        })
    }
}
