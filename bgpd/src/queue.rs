//! The queue in front of a thread of shards: what instances say, and the routes that readers have decoded.
//!
//! Readers wait while a thread is behind, so its lag stays bounded and ends up in the neighbours' TCP windows. The instance
//! never waits. Both parts are under one lock, and the instance's part is taken first: what it queued before
//! a reader could queue routes is seen before them.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bgp_core::InstanceId;
use bgp_core::rib::{PeerId, Shard, ShardEvent};
use tokio::sync::Notify;

use crate::io::{Held, Writer};

/// Batches of routes that may wait for one shard.
const ROUTE_BATCHES: usize = 64;

/// What a thread is told about one of its shards.
#[derive(Debug)]
pub enum Input {
    Event(ShardEvent),
    /// Where to send what is for this peer.
    Writer(PeerId, Arc<Writer>),
    WriterGone(PeerId),
    /// The instance begins, with this shard of it on the thread.
    Shard(Box<Shard>, Arc<[Arc<ShardQueue>]>),
    /// The instance is over.
    Over,
    /// The thread ends.
    Stop,
}

#[derive(Debug, Default)]
struct Parts {
    control: VecDeque<(InstanceId, Input)>,
    /// With the hold that they have on their reader.
    routes: VecDeque<(InstanceId, ShardEvent, Option<Arc<Held>>)>,
}

/// The queue of a thread, which holds a shard of every instance.
#[derive(Debug, Default)]
pub struct ThreadQueue {
    parts: Mutex<Parts>,
    filled: Condvar,
    room: Notify,
}

impl ThreadQueue {
    fn push(&self, instance: InstanceId, input: Input) {
        self.lock().control.push_back((instance, input));
        self.filled.notify_one();
    }

    /// The next input and whose it is; `None` when `wait` is over without one.
    pub fn take(&self, wait: Option<Duration>) -> Option<(InstanceId, Input)> {
        let mut parts = self.lock();
        if parts.control.is_empty() && parts.routes.is_empty() {
            parts = match wait {
                Some(Duration::ZERO) => parts,
                Some(wait) => self.filled.wait_timeout(parts, wait).unwrap_or_else(PoisonError::into_inner).0,
                None => self.filled.wait(parts).unwrap_or_else(PoisonError::into_inner),
            };
        }
        if let Some(input) = parts.control.pop_front() {
            return Some(input);
        }
        let (instance, event, held) = parts.routes.pop_front()?;
        drop(parts);
        drop(held);
        self.room.notify_one();
        Some((instance, Input::Event(event)))
    }

    fn lock(&self) -> MutexGuard<'_, Parts> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The way to one shard of one instance.
#[derive(Debug, Default)]
pub struct ShardQueue {
    instance: InstanceId,
    thread: Arc<ThreadQueue>,
}

impl ShardQueue {
    pub fn new(instance: InstanceId, thread: Arc<ThreadQueue>) -> Self {
        Self { instance, thread }
    }

    /// For the instance and other shards.
    pub fn push(&self, input: Input) {
        self.thread.push(self.instance, input);
    }

    /// For readers: waits while the thread is behind.
    pub async fn push_routes(&self, event: ShardEvent, held: Option<Arc<Held>>) {
        let mut event = Some((event, held));
        loop {
            // Registered before looking, so that no wake-up is missed in between.
            let room = self.thread.room.notified();
            {
                let mut parts = self.thread.lock();
                if parts.routes.len() < ROUTE_BATCHES {
                    parts.routes.extend(event.take().map(|(event, held)| (self.instance, event, held)));
                }
            }
            if event.is_none() {
                self.thread.filled.notify_one();
                return;
            }
            room.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credit(octets: usize) -> ShardEvent {
        ShardEvent::Credit { peer: PeerId(1), octets, messages: 1 }
    }

    #[tokio::test]
    async fn a_reader_waits_while_the_shard_is_behind_and_the_instance_does_not() {
        let queue = Arc::new(ShardQueue::default());
        for n in 0..ROUTE_BATCHES {
            queue.push_routes(credit(n), None).await;
        }
        let behind = Arc::clone(&queue);
        let reader = tokio::spawn(async move { behind.push_routes(credit(999), None).await });
        tokio::task::yield_now().await;
        assert!(!reader.is_finished());
        queue.push(Input::WriterGone(PeerId(7)));
        let first = queue.thread.take(None).map(|(_, input)| input);
        assert!(matches!(first, Some(Input::WriterGone(PeerId(7)))), "the instance comes first");
        let next = queue.thread.take(None).map(|(_, input)| input);
        assert!(matches!(next, Some(Input::Event(ShardEvent::Credit { octets: 0, .. }))));
        reader.await.unwrap();
    }

    #[test]
    fn an_empty_queue_gives_nothing_when_the_time_is_over() {
        assert!(ThreadQueue::default().take(Some(Duration::from_millis(1))).is_none());
    }
}
