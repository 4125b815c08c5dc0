//! The queue in front of a shard: what the instance says, and the routes that readers have decoded.
//!
//! Readers wait while a shard is behind, so its lag stays bounded and ends up in the neighbours' TCP windows. The instance
//! never waits. Both parts are under one lock, and the instance's part is taken first: what it queued before
//! a reader could queue routes is seen before them.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bgp_core::rib::{PeerId, ShardEvent};
use tokio::sync::Notify;

use crate::io::Writer;

/// Batches of routes that may wait for one shard.
const ROUTE_BATCHES: usize = 64;

/// What a shard's thread is told.
#[derive(Debug)]
pub enum Input {
    Event(ShardEvent),
    /// Where to send what is for this peer.
    Writer(PeerId, Arc<Writer>),
    WriterGone(PeerId),
    /// The thread ends.
    Stop,
}

#[derive(Debug, Default)]
struct Parts {
    control: VecDeque<Input>,
    routes: VecDeque<ShardEvent>,
}

#[derive(Debug, Default)]
pub struct ShardQueue {
    parts: Mutex<Parts>,
    filled: Condvar,
    room: Notify,
}

impl ShardQueue {
    /// For the instance and other shards.
    pub fn push(&self, input: Input) {
        self.lock().control.push_back(input);
        self.filled.notify_one();
    }

    /// For readers: waits while the shard is behind.
    pub async fn push_routes(&self, event: ShardEvent) {
        let mut event = Some(event);
        loop {
            // Registered before looking, so that no wake-up is missed in between.
            let room = self.room.notified();
            {
                let mut parts = self.lock();
                if parts.routes.len() < ROUTE_BATCHES {
                    parts.routes.extend(event.take());
                }
            }
            if event.is_none() {
                self.filled.notify_one();
                return;
            }
            room.await;
        }
    }

    /// The next input; `None` when `wait` is over without one.
    pub fn take(&self, wait: Option<Duration>) -> Option<Input> {
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
        let event = parts.routes.pop_front()?;
        drop(parts);
        self.room.notify_one();
        Some(Input::Event(event))
    }

    fn lock(&self) -> MutexGuard<'_, Parts> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credit(octets: usize) -> ShardEvent {
        ShardEvent::Credit { peer: PeerId(1), octets }
    }

    #[tokio::test]
    async fn a_reader_waits_while_the_shard_is_behind_and_the_instance_does_not() {
        let queue = Arc::new(ShardQueue::default());
        for n in 0..ROUTE_BATCHES {
            queue.push_routes(credit(n)).await;
        }
        let behind = Arc::clone(&queue);
        let reader = tokio::spawn(async move { behind.push_routes(credit(999)).await });
        tokio::task::yield_now().await;
        assert!(!reader.is_finished());
        queue.push(Input::WriterGone(PeerId(7)));
        assert!(matches!(queue.take(None), Some(Input::WriterGone(PeerId(7)))), "the instance comes first");
        assert!(matches!(queue.take(None), Some(Input::Event(ShardEvent::Credit { octets: 0, .. }))));
        reader.await.unwrap();
    }

    #[test]
    fn an_empty_queue_gives_nothing_when_the_time_is_over() {
        assert!(ShardQueue::default().take(Some(Duration::from_millis(1))).is_none());
    }
}
