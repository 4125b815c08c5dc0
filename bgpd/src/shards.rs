//! The threads of the routing table's shards. A shard's thread carries out what the shard wants: octets go to the
//! writers and routes to zebra without a detour, the rest is the instance's.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use bgp_core::rib::{PeerId, Shard, ShardAction, ShardEvent};
use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::io::Writer;
use crate::queue::{Input, ShardQueue};
use crate::zebra::ZebraQueue;

/// What a shard has for the instance.
#[derive(Debug)]
pub struct Report {
    pub shard: usize,
    pub action: ShardAction,
}

/// The shards' threads with their queues.
#[derive(Debug)]
pub struct Shards {
    queues: Arc<[Arc<ShardQueue>]>,
    threads: Vec<JoinHandle<()>>,
}

impl Shards {
    pub fn start(
        number: usize,
        clock: Clock,
        zebra: &ZebraQueue,
        reports: &mpsc::UnboundedSender<Report>,
    ) -> std::io::Result<Self> {
        let queues: Arc<[Arc<ShardQueue>]> = (0..number.max(1)).map(|_| Arc::default()).collect();
        let mut threads = Vec::new();
        for index in 0..queues.len() {
            let worker = Worker {
                index,
                shard: Shard::new(index, queues.len()),
                queues: Arc::clone(&queues),
                writers: HashMap::new(),
                zebra: zebra.clone(),
                reports: reports.clone(),
                clock,
            };
            threads.push(std::thread::Builder::new().name(format!("rib-{index}")).spawn(|| worker.run())?);
        }
        Ok(Self { queues, threads })
    }

    pub fn queues(&self) -> &Arc<[Arc<ShardQueue>]> {
        &self.queues
    }

    pub fn push(&self, shard: usize, event: ShardEvent) {
        if let Some(queue) = self.queues.get(shard) {
            queue.push(Input::Event(event));
        }
    }

    pub fn push_all(&self, input: impl Fn() -> Input) {
        self.queues.iter().for_each(|queue| queue.push(input()));
    }

    /// Ends the threads; what is queued is not worth waiting for.
    pub fn stop(self) {
        self.push_all(|| Input::Stop);
        for thread in self.threads {
            // A thread that failed has said why.
            let _ = thread.join();
        }
    }
}

struct Worker {
    index: usize,
    shard: Shard,
    queues: Arc<[Arc<ShardQueue>]>,
    writers: HashMap<PeerId, Arc<Writer>>,
    zebra: ZebraQueue,
    reports: mpsc::UnboundedSender<Report>,
    clock: Clock,
}

impl Worker {
    /// A failure of a shard cannot be survived by the table, so the process ends and is started again by its watcher:
    /// half a table that goes on answering would be worse.
    fn run(mut self) {
        let index = self.index;
        if std::panic::catch_unwind(AssertUnwindSafe(|| self.work())).is_err() {
            tracing::error!("shard {index} of the routing table failed; ending");
            std::process::exit(70);
        }
    }

    fn work(&mut self) {
        let Some(queue) = self.queues.get(self.index).cloned() else { return };
        let mut out = Vec::new();
        loop {
            let wait = self.shard.next_deadline().map(|deadline| self.clock.until(deadline));
            let input = queue.take(wait);
            let now = self.clock.now();
            match input {
                Some(Input::Event(event)) => self.shard.handle(now, event, &mut out),
                Some(Input::Writer(peer, writer)) => {
                    self.writers.insert(peer, writer);
                }
                Some(Input::WriterGone(peer)) => {
                    self.writers.remove(&peer);
                }
                Some(Input::Stop) => return,
                None => {}
            }
            if self.shard.next_deadline().is_some_and(|deadline| deadline <= now)
                || wait == Some(Duration::ZERO)
            {
                self.shard.tick(now, &mut out);
            }
            for action in out.drain(..) {
                self.perform(action);
            }
        }
    }

    fn perform(&self, action: ShardAction) {
        match action {
            ShardAction::Send { peers, bytes, stats, .. } => {
                let writers = peers.iter().filter_map(|peer| self.writers.get(peer));
                writers.for_each(|w| w.send_bulk(Some(self.index), bytes.clone(), stats.messages));
            }
            ShardAction::Zebra(batch) => self.zebra.send_routes(self.index, batch),
            ShardAction::Contribute { to, part } => {
                if let Some(queue) = self.queues.get(to) {
                    queue.push(Input::Event(ShardEvent::Contribution(part)));
                }
            }
            action => {
                // The instance outlives its shards, except while the process ends.
                let _ = self.reports.send(Report { shard: self.index, action });
            }
        }
    }
}
