//! MRT files: the table as the instance hands it over, and messages as the readers do.
//!
//! A table appears under its name when it is whole: it is written beside it, synced and renamed. Messages are appended as they
//! come; where an interval is set the file is begun anew at its multiples, under the name that the clock then gives.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bgp_core::config::Dump;
use bgp_core::{DumpAction, Event};
use bgp_packet::MessageType;
use bgp_packet::mrt::{self, Ends, Stamp};
use bytes::{Bytes, BytesMut};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use crate::tap::{Tap, Tapped};

/// Octets gathered before they are written.
const GATHER: usize = 64 * 1024;
/// How long a message may lie in memory.
const SOON: Duration = Duration::from_secs(1);

/// A change of state, with its time.
#[derive(Debug)]
struct StateChange {
    time: SystemTime,
    ends: Ends,
    old: u16,
    new: u16,
}

#[derive(Debug)]
pub struct Dumps {
    tap: Arc<Tap>,
    events: mpsc::Sender<Event>,
    table: Option<mpsc::UnboundedSender<(Bytes, bool)>>,
    messages: Option<AbortHandle>,
    states: Option<mpsc::UnboundedSender<StateChange>>,
}

impl Dumps {
    pub fn new(tap: Arc<Tap>, events: mpsc::Sender<Event>) -> Self {
        Self { tap, events, table: None, messages: None, states: None }
    }

    pub fn perform(&mut self, action: DumpAction) {
        match action {
            DumpAction::Messages { all, updates } => self.follow(all, updates),
            DumpAction::Table { path, octets, done, .. } => self.table(&path, octets, done),
            DumpAction::State { ends, old, new } => {
                if let Some(states) = &self.states {
                    // A task that is gone has said why.
                    let _ = states.send(StateChange { time: SystemTime::now(), ends, old, new });
                }
            }
        }
    }

    fn table(&mut self, path: &str, octets: Bytes, done: bool) {
        let sender = self.table.take().unwrap_or_else(|| {
            // One piece is under way at a time.
            let (sender, pieces) = mpsc::unbounded_channel();
            tokio::spawn(write_table(name(path), pieces, self.events.clone()));
            sender
        });
        if sender.send((octets, done)).is_ok() && !done {
            self.table = Some(sender);
        }
    }

    fn follow(&mut self, all: Option<Dump>, updates: Option<Dump>) {
        if let Some(task) = self.messages.take() {
            task.abort();
        }
        self.states = None;
        self.tap.close();
        if all.is_none() && updates.is_none() {
            return;
        }
        let messages = self.tap.open(all.is_some());
        let (sender, states) = mpsc::unbounded_channel();
        self.states = all.is_some().then_some(sender);
        let files =
            [all.map(|dump| MessageFile::new(dump, true)), updates.map(|dump| MessageFile::new(dump, false))];
        let task = follow(files.into_iter().flatten().collect(), messages, states, Arc::clone(&self.tap));
        self.messages = Some(tokio::spawn(task).abort_handle());
    }
}

/// A path with its conversions done; one that strftime does not know is taken as it is.
fn name(template: &str) -> PathBuf {
    let mut text = String::new();
    let written = write!(text, "{}", chrono::Local::now().format(template));
    PathBuf::from(if written.is_ok() { &text } else { template })
}

async fn write_table(
    path: PathBuf,
    mut pieces: mpsc::UnboundedReceiver<(Bytes, bool)>,
    events: mpsc::Sender<Event>,
) {
    let result = table_pieces(&path, &mut pieces, &events).await;
    if let Err(error) = result {
        tracing::warn!("dump bgp routes-mrt: {}: {error}", path.display());
        // Asked for no more; an instance that is gone needs no word.
        let _ = events.send(Event::DumpTaken(false)).await;
    }
}

async fn table_pieces(
    path: &Path,
    pieces: &mut mpsc::UnboundedReceiver<(Bytes, bool)>,
    events: &mpsc::Sender<Event>,
) -> std::io::Result<()> {
    let mut hidden = path.as_os_str().to_owned();
    hidden.push(".part");
    let mut file = tokio::io::BufWriter::with_capacity(GATHER, File::create(&hidden).await?);
    while let Some((octets, done)) = pieces.recv().await {
        file.write_all(&octets).await?;
        if done {
            file.flush().await?;
            file.get_ref().sync_all().await?;
            tokio::fs::rename(&hidden, path).await?;
            return Ok(());
        }
        if events.send(Event::DumpTaken(true)).await.is_err() {
            break;
        }
    }
    tokio::fs::remove_file(&hidden).await
}

/// A file that messages are appended to.
#[derive(Debug)]
struct MessageFile {
    dump: Dump,
    all: bool,
    file: Option<File>,
    gathered: BytesMut,
    /// Since 1970: when the file is begun anew.
    until: Option<Duration>,
}

impl MessageFile {
    fn new(dump: Dump, all: bool) -> Self {
        Self { dump, all, file: None, gathered: BytesMut::new(), until: None }
    }

    fn stamp(&self, time: SystemTime) -> Stamp {
        let time = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Stamp { time, extended: self.dump.extended }
    }

    async fn message(&mut self, message: &Tapped) {
        if !self.all && message.kind != MessageType::Update {
            return;
        }
        let stamp = self.stamp(message.time);
        self.roll(stamp.time).await;
        let Tapped { ends, reading, kind, body, .. } = message;
        // A message of the largest size fits any record.
        let _ = mrt::message(&mut self.gathered, stamp, ends, *reading, *kind as u8, body);
        if self.gathered.len() >= GATHER {
            self.write().await;
        }
    }

    async fn state(&mut self, change: &StateChange) {
        if self.all {
            let stamp = self.stamp(change.time);
            self.roll(stamp.time).await;
            let _ = mrt::state_change(&mut self.gathered, stamp, &change.ends, change.old, change.new);
        }
    }

    /// Begins the next file when its time has come.
    async fn roll(&mut self, now: Duration) {
        if self.until.is_some_and(|until| now >= until) {
            self.write().await;
            self.file = None;
        }
        if let Some(interval) = &self.dump.interval
            && self.until.is_none_or(|until| now >= until)
        {
            let every = u64::from(interval.seconds);
            self.until = Some(Duration::from_secs((now.as_secs() / every + 1) * every));
        }
    }

    async fn write(&mut self) {
        if self.gathered.is_empty() {
            return;
        }
        if let Err(error) = self.try_write().await {
            tracing::warn!("dump bgp: {}: {error}", self.dump.path);
            self.file = None;
        }
        self.gathered.clear();
    }

    async fn try_write(&mut self) -> std::io::Result<()> {
        if self.file.is_none() {
            let mut options = File::options();
            self.file = Some(options.create(true).append(true).open(name(&self.dump.path)).await?);
        }
        if let Some(file) = &mut self.file {
            file.write_all(&self.gathered).await?;
            file.flush().await?;
        }
        Ok(())
    }
}

async fn follow(
    mut files: Vec<MessageFile>,
    mut messages: mpsc::Receiver<Tapped>,
    mut states: mpsc::UnboundedReceiver<StateChange>,
    tap: Arc<Tap>,
) {
    let mut soon = tokio::time::interval(SOON);
    soon.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            message = messages.recv() => {
                let Some(message) = message else { return };
                for file in &mut files {
                    file.message(&message).await;
                }
            }
            Some(change) = states.recv() => {
                for file in &mut files {
                    file.state(&change).await;
                }
            }
            _ = soon.tick() => {
                for file in &mut files {
                    file.write().await;
                }
                let lost = tap.take_lost();
                if lost > 0 {
                    tracing::warn!("dump bgp: {lost} messages came faster than they could be written");
                }
            }
        }
    }
}
