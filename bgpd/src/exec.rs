//! Commands that wait for their output: the instance gives a piece, a task writes it, and asks for the next one when
//! the reader has taken it.

use std::collections::HashMap;

use bgp_core::{Event, ExecId};
use ferrite_daemon::Output;
use tokio::sync::mpsc;

/// The replies under way.
#[derive(Debug, Default)]
pub struct Execs {
    next: u64,
    open: HashMap<ExecId, mpsc::UnboundedSender<(String, bool)>>,
}

impl Execs {
    /// A command's output, and the number by which the instance knows it.
    pub fn open(&mut self, output: Output, events: mpsc::Sender<Event>) -> ExecId {
        self.next += 1;
        let exec = ExecId(self.next);
        // One piece is under way at a time: the next one comes when it was taken.
        let (sender, pieces) = mpsc::unbounded_channel();
        self.open.insert(exec, sender);
        tokio::spawn(write(exec, output, pieces, events));
        exec
    }

    pub fn reply(&mut self, exec: ExecId, text: String, done: bool) {
        let Some(sender) = self.open.get(&exec) else { return };
        // A task that is gone has told the instance.
        let _ = sender.send((text, done));
        if done {
            self.open.remove(&exec);
        }
    }
}

async fn write(
    exec: ExecId,
    output: Output,
    mut pieces: mpsc::UnboundedReceiver<(String, bool)>,
    events: mpsc::Sender<Event>,
) {
    while let Some((text, done)) = pieces.recv().await {
        let read = text.is_empty() || output.write(text).await;
        let event = match (read, done) {
            (true, true) => return,
            (true, false) => Event::ReplyTaken(exec),
            (false, _) => Event::ReplyGone(exec),
        };
        if events.send(event).await.is_err() || !read {
            return;
        }
    }
}
