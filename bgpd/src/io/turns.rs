//! FRR's knobs of sessions: how many messages are read and written in one turn, and how many may wait for the tables. Zero
//! stands for FRR's default, with which a turn is what a buffer holds and the tables push back by batches. And what else
//! holds for sessions that are up: which next hops are read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use bgp_core::config::{BgpConfig, READ_QUANTA, RouterBgp, WRITE_QUANTA};
use tokio::sync::Notify;

/// Of one instance; read at every turn, so that a change holds for sessions that are up.
#[derive(Debug, Default)]
pub struct Turns {
    read: AtomicU32,
    write: AtomicU32,
    input: AtomicU32,
    martians: AtomicBool,
}

impl Turns {
    pub fn configure(&self, config: &BgpConfig, router: &RouterBgp) {
        let unless = |value: u8, default: u8| if value == default { 0 } else { u32::from(value) };
        let sessions = &router.sessions;
        self.read.store(unless(sessions.read_quanta, READ_QUANTA), Ordering::Relaxed);
        self.write.store(unless(sessions.write_quanta, WRITE_QUANTA), Ordering::Relaxed);
        self.input.store(config.sessions.input_queue_limit.unwrap_or(0), Ordering::Relaxed);
        self.martians.store(sessions.allow_martian_nexthop, Ordering::Relaxed);
    }

    /// `read-quanta`: messages after which other sessions have their turn.
    pub fn read(&self) -> Option<u32> {
        Some(self.read.load(Ordering::Relaxed)).filter(|most| *most > 0)
    }

    /// `write-quanta`: messages handed to the kernel at once.
    pub fn write(&self) -> Option<u32> {
        Some(self.write.load(Ordering::Relaxed)).filter(|most| *most > 0)
    }

    /// `bgp allow-martian-nexthop`: for what is read from now on.
    pub fn martians(&self) -> bool {
        self.martians.load(Ordering::Relaxed)
    }

    /// `bgp input-queue-limit`: messages of one neighbour that may wait for the tables.
    pub fn input(&self) -> Option<u32> {
        Some(self.input.load(Ordering::Relaxed)).filter(|most| *most > 0)
    }
}

/// Messages of one connection that wait for the tables.
#[derive(Debug, Default)]
pub struct Backlog {
    held: AtomicU32,
    freed: Notify,
}

/// Some of them; they wait no longer when it goes.
#[derive(Debug)]
pub struct Held(Arc<Backlog>, u32);

impl Backlog {
    pub fn hold(backlog: &Arc<Self>, messages: u32) -> Held {
        backlog.held.fetch_add(messages, Ordering::AcqRel);
        Held(Arc::clone(backlog), messages)
    }

    pub fn held(&self) -> u32 {
        self.held.load(Ordering::Acquire)
    }

    /// Waits until fewer than that many wait.
    pub async fn below(&self, limit: u32) {
        loop {
            // Registered before looking, so that no wake-up is missed in between.
            let freed = self.freed.notified();
            if self.held() < limit {
                return;
            }
            freed.await;
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Self(backlog, messages) = self;
        backlog.held.fetch_sub(*messages, Ordering::AcqRel);
        backlog.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_reader_waits_for_the_tables_to_take_what_it_has_read() {
        let backlog = Arc::<Backlog>::default();
        let held = Backlog::hold(&backlog, 3);
        let waiting = Arc::clone(&backlog);
        let reader = tokio::spawn(async move { waiting.below(3).await });
        tokio::task::yield_now().await;
        assert!(!reader.is_finished());
        drop(held);
        reader.await.unwrap();
        assert_eq!(backlog.held(), 0);
    }
}
