//! The threads of the routing tables' shards. Every instance has as many shards as there are threads, one on each, so that
//! hundreds of VRFs cost no thread more. A thread carries out what its shards want: octets go to the writers and routes to
//! zebra without a detour, the rest is the instance's.

use std::collections::{BTreeSet, HashMap};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use bgp_core::InstanceId;
use bgp_core::rib::{PeerId, Shard, ShardAction, ShardEvent};
use ferrite_daemon::time::Clock;
use ferrite_types::Timestamp;
use tokio::sync::mpsc;

use crate::batch;
use crate::io::Writer;
use crate::queue::{Input, ShardQueue, ThreadQueue};
use crate::zebra::ZebraQueue;

/// What a shard has for its instance.
#[derive(Debug)]
pub struct Report {
    pub instance: InstanceId,
    pub shard: usize,
    pub action: ShardAction,
}

/// The ways to the shards of one instance.
type Queues = Arc<[Arc<ShardQueue>]>;

/// The threads, and the shards of each instance.
#[derive(Debug)]
pub struct Shards {
    threads: Vec<(Arc<ThreadQueue>, JoinHandle<()>)>,
    instances: HashMap<InstanceId, Queues>,
}

impl Shards {
    pub fn start(
        number: usize,
        clock: Clock,
        zebra: &ZebraQueue,
        reports: &mpsc::UnboundedSender<Report>,
    ) -> std::io::Result<Self> {
        let mut threads = Vec::new();
        for index in 0..number.max(1) {
            let queue = Arc::new(ThreadQueue::default());
            let worker = Worker {
                index,
                queue: Arc::clone(&queue),
                hosted: HashMap::new(),
                deadlines: BTreeSet::new(),
                zebra: zebra.clone(),
                reports: reports.clone(),
                clock,
            };
            let thread = std::thread::Builder::new().name(format!("rib-{index}")).spawn(|| worker.run())?;
            threads.push((queue, thread));
        }
        Ok(Self { threads, instances: HashMap::new() })
    }

    /// Makes the shards of an instance.
    pub fn begin(&mut self, instance: InstanceId) {
        let of = self.threads.len();
        let queues: Queues = self
            .threads
            .iter()
            .map(|(thread, _)| Arc::new(ShardQueue::new(instance, Arc::clone(thread))))
            .collect();
        for (index, queue) in queues.iter().enumerate() {
            queue.push(Input::Shard(Box::new(Shard::new(index, of)), Arc::clone(&queues)));
        }
        self.instances.insert(instance, queues);
    }

    pub fn end(&mut self, instance: InstanceId) {
        self.push_all(instance, || Input::Over);
        self.instances.remove(&instance);
    }

    /// The ways to the shards of an instance that is there.
    pub fn queues(&self, instance: InstanceId) -> Option<&Queues> {
        self.instances.get(&instance)
    }

    pub fn push(&self, instance: InstanceId, shard: usize, event: ShardEvent) {
        if let Some(queue) = self.queues(instance).and_then(|queues| queues.get(shard)) {
            queue.push(Input::Event(event));
        }
    }

    pub fn push_all(&self, instance: InstanceId, input: impl Fn() -> Input) {
        if let Some(queues) = self.queues(instance) {
            queues.iter().for_each(|queue| queue.push(input()));
        }
    }

    /// Ends the threads; what is queued is not worth waiting for.
    pub fn stop(self) {
        for (thread, _) in &self.threads {
            ShardQueue::new(InstanceId::DEFAULT, Arc::clone(thread)).push(Input::Stop);
        }
        for (_, thread) in self.threads {
            // A thread that failed has said why.
            let _ = thread.join();
        }
    }
}

/// A shard with what it needs to be heard.
struct Hosted {
    shard: Shard,
    queues: Queues,
    writers: HashMap<PeerId, Arc<Writer>>,
    deadline: Option<Timestamp>,
}

struct Worker {
    index: usize,
    queue: Arc<ThreadQueue>,
    hosted: HashMap<InstanceId, Hosted>,
    /// Of the shards that have one.
    deadlines: BTreeSet<(Timestamp, InstanceId)>,
    zebra: ZebraQueue,
    reports: mpsc::UnboundedSender<Report>,
    clock: Clock,
}

impl Worker {
    /// A failure of a shard cannot be survived by the table, so the process ends and is started again by its watcher:
    /// half a table that goes on answering would be worse.
    fn run(mut self) {
        let index = self.index;
        batch::begin();
        if std::panic::catch_unwind(AssertUnwindSafe(|| self.work())).is_err() {
            tracing::error!("shard {index} of the routing table failed; ending");
            std::process::exit(70);
        }
    }

    /// One input and one piece of work that is due, in turns; the shard that waits longest comes first.
    fn work(&mut self) {
        let mut out = Vec::new();
        loop {
            let wait = self.deadlines.first().map(|(at, _)| self.clock.until(*at));
            let input = self.queue.take(wait);
            let now = self.clock.now();
            match input {
                Some((_, Input::Stop)) => return,
                Some((instance, input)) => self.take_in(now, instance, input, &mut out),
                None => {}
            }
            if let Some((at, instance)) = self.deadlines.first().copied()
                && (at <= now || wait == Some(Duration::ZERO))
            {
                self.tick(now, instance, &mut out);
            }
        }
    }

    fn take_in(&mut self, now: Timestamp, instance: InstanceId, input: Input, out: &mut Vec<ShardAction>) {
        if let Input::Shard(shard, queues) = input {
            let hosted = Hosted { shard: *shard, queues, writers: HashMap::new(), deadline: None };
            self.hosted.insert(instance, hosted);
            return;
        }
        let Some(hosted) = self.hosted.get_mut(&instance) else { return };
        match input {
            Input::Event(event) => {
                hosted.shard.handle(now, event, out);
                self.carry_out(instance, out);
            }
            Input::Writer(peer, writer) => {
                hosted.writers.insert(peer, writer);
            }
            Input::WriterGone(peer) => {
                hosted.writers.remove(&peer);
            }
            Input::Over => {
                if let Some(at) = self.hosted.remove(&instance).and_then(|hosted| hosted.deadline) {
                    self.deadlines.remove(&(at, instance));
                }
            }
            Input::Shard(..) | Input::Stop => {}
        }
    }

    fn tick(&mut self, now: Timestamp, instance: InstanceId, out: &mut Vec<ShardAction>) {
        if let Some(hosted) = self.hosted.get_mut(&instance) {
            hosted.shard.tick(now, out);
        }
        self.carry_out(instance, out);
    }

    /// Does what the shard wants, and notes when it has work next.
    fn carry_out(&mut self, instance: InstanceId, out: &mut Vec<ShardAction>) {
        let Some(hosted) = self.hosted.get_mut(&instance) else { return out.clear() };
        let deadline = hosted.shard.next_deadline();
        if deadline != hosted.deadline {
            let before = std::mem::replace(&mut hosted.deadline, deadline);
            before.map(|at| self.deadlines.remove(&(at, instance)));
            deadline.map(|at| self.deadlines.insert((at, instance)));
        }
        let Some(hosted) = self.hosted.get(&instance) else { return };
        for action in out.drain(..) {
            self.perform(instance, hosted, action);
        }
    }

    fn perform(&self, instance: InstanceId, hosted: &Hosted, action: ShardAction) {
        match action {
            ShardAction::Send { peers, bytes, stats, .. } => {
                let writers = peers.iter().filter_map(|peer| hosted.writers.get(peer));
                writers.for_each(|w| w.send_bulk(Some(self.index), bytes.clone(), stats.messages));
            }
            ShardAction::Zebra(batch) => {
                if let Some(queue) = hosted.queues.get(self.index) {
                    self.zebra.send_routes(queue, batch);
                }
            }
            ShardAction::Contribute { to, part } => {
                if let Some(queue) = hosted.queues.get(to) {
                    queue.push(Input::Event(ShardEvent::Contribution(part)));
                }
            }
            action => {
                // The instance outlives its shards, except while the process ends.
                let _ = self.reports.send(Report { instance, shard: self.index, action });
            }
        }
    }
}
