//! Where a command's handler writes to.

use ferrite_rpc::vty::{ExecuteResult, Status};
use tokio::sync::{mpsc, oneshot};

/// The answer to one command. Dropping it ends the answer, with success unless something else was said.
#[derive(Debug)]
pub struct Output {
    pieces: mpsc::Sender<String>,
    result: Option<oneshot::Sender<ExecuteResult>>,
}

impl Output {
    pub(crate) fn new(pieces: mpsc::Sender<String>) -> (Self, oneshot::Receiver<ExecuteResult>) {
        let (result, ended) = oneshot::channel();
        (Self { pieces, result: Some(result) }, ended)
    }

    /// Writes one piece and waits while the reader is behind. `false` when nobody reads any more.
    pub async fn write(&self, text: impl Into<String>) -> bool {
        self.pieces.send(text.into()).await.is_ok()
    }

    /// As [`Output::write`], for threads outside the runtime.
    pub fn blocking_write(&self, text: impl Into<String>) -> bool {
        self.pieces.blocking_send(text.into()).is_ok()
    }

    /// Whether the reader is gone, so that the rest need not be made.
    pub fn is_closed(&self) -> bool {
        self.pieces.is_closed()
    }

    /// The whole answer at once. Never blocks: a task hands it on as the reader takes it.
    pub fn reply(self, text: impl Into<String>) {
        let text = text.into();
        if let Err(mpsc::error::TrySendError::Full(text)) = self.pieces.try_send(text) {
            tokio::spawn(async move { self.write(text).await });
        }
    }

    /// Ends the answer with a text that says what is wrong; printed after a `% `.
    pub fn fail(mut self, reason: impl AsRef<str>) {
        self.end(ExecuteResult {
            status: Status::Warning,
            message: format!("% {}", reason.as_ref()),
            ..ExecuteResult::default()
        });
    }

    /// Ends the answer as a failure after something was written (FRR's `CMD_WARNING`).
    pub fn warn(mut self) {
        self.end(ExecuteResult { status: Status::Warning, ..ExecuteResult::default() });
    }

    fn end(&mut self, result: ExecuteResult) {
        if let Some(ended) = self.result.take() {
            // Whoever asked may be gone.
            let _ = ended.send(result);
        }
    }
}
