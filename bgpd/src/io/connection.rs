//! A connection: its tasks, and the handle that the shell keeps.

use std::sync::Arc;
use std::time::Duration;

use bgp_core::Event;
use bgp_core::peer::{ConnId, Transport};
use bgp_core::rib::PeerId;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, JoinHandle};

use super::reader::{Reader, SessionTerms};
use super::socket;
use super::spoken::Spoken;
use super::turns::Turns;
use super::writer::{self, Reports, Writer};
use crate::queue::ShardQueue;
use crate::tap::Tap;

/// How long what is left to say may take.
const LINGER: Duration = Duration::from_secs(5);
/// How long a closed connection may take to be read to its end.
const DRAIN: Duration = Duration::from_secs(2);

/// What was agreed on; see [`SessionTerms`].
pub type Session = SessionTerms;

/// An open connection. Dropping it ends it at once.
#[derive(Debug)]
pub struct Connection {
    name: String,
    writer: Arc<Writer>,
    terms: Option<oneshot::Sender<SessionTerms>>,
    writing: Option<JoinHandle<()>>,
    reading: Option<AbortHandle>,
}

impl Connection {
    /// Starts the two tasks of a connection that is there.
    pub fn start(
        peer: PeerId,
        conn: ConnId,
        stream: TcpStream,
        transport: &Transport,
        events: mpsc::Sender<Event>,
        shards: Arc<[Arc<ShardQueue>]>,
        tap: Arc<Tap>,
        turns: Arc<Turns>,
    ) -> Self {
        if let Err(error) = socket::apply(&SockRef::from(&stream), transport) {
            tracing::warn!("{}: socket options: {error}", transport.remote.ip());
        }
        let (read, write) = stream.into_split();
        let writer = Arc::new(Writer::default());
        let (terms, receiver) = oneshot::channel();
        let reader = Reader::new(
            peer,
            conn,
            read,
            events.clone(),
            Arc::clone(&shards),
            receiver,
            tap,
            Arc::clone(&turns),
        );
        let reading = tokio::spawn(reader.run()).abort_handle();
        let reports = Reports { peer, conn, events, shards };
        let name = transport.remote.ip();
        let task = writer::run(Arc::clone(&writer), write, reports, turns);
        let writing = tokio::spawn(async move {
            if let Err(error) = task.await {
                tracing::debug!("{name}: writing ended: {error}");
            }
        });
        Self {
            name: name.to_string(),
            writer,
            terms: Some(terms),
            writing: Some(writing),
            reading: Some(reading),
        }
    }

    pub fn writer(&self) -> &Arc<Writer> {
        &self.writer
    }

    /// The session is established: UPDATEs are read from here on.
    pub fn establish(&mut self, session: SessionTerms) {
        self.writer.establish(Spoken { to: self.name.clone(), context: session.sent.clone() });
        if let Some(terms) = self.terms.take() {
            // A reader that is gone has said so.
            let _ = terms.send(session);
        }
    }

    /// Lets what was said go out, and what comes be read away, then ends. `flushed` is dropped when all has been said.
    pub fn close(mut self, flushed: mpsc::Sender<()>) {
        self.writer.close();
        self.terms = None;
        let (Some(mut writing), Some(reading)) = (self.writing.take(), self.reading.take()) else { return };
        tokio::spawn(async move {
            // A neighbour that takes nothing does not get our last words either.
            if tokio::time::timeout(LINGER, &mut writing).await.is_err() {
                writing.abort();
            }
            drop(flushed);
            tokio::time::sleep(DRAIN).await;
            reading.abort();
        });
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(writing) = &self.writing {
            writing.abort();
        }
        if let Some(reading) = &self.reading {
            reading.abort();
        }
    }
}
