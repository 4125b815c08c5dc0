//! What readers hand on of the messages they read, beside what they do with them: for dumps. A reader asks one atomic; what
//! cannot be taken in time is counted and left out, for a disk must not hold up a session.

use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use bgp_packet::MessageType;
use bgp_packet::mrt::{Ends, Reading};
use bytes::Bytes;
use tokio::sync::mpsc;

/// Messages that may wait to be written.
const WAITING: usize = 8192;

const UPDATES: u8 = 1;
const ALL: u8 = 2;

/// A message that was received.
#[derive(Clone, Debug)]
pub struct Tapped {
    pub time: SystemTime,
    pub ends: Ends,
    pub reading: Reading,
    pub kind: MessageType,
    pub body: Bytes,
}

#[derive(Debug, Default)]
pub struct Tap {
    wanted: AtomicU8,
    lost: AtomicU64,
    sender: Mutex<Option<mpsc::Sender<Tapped>>>,
    /// Instances some collector of which wants everything mirrored.
    mirrors: AtomicUsize,
}

impl Tap {
    /// Begins anew: `all` messages or only UPDATEs; what came before goes to nobody.
    pub fn open(self: &Arc<Self>, all: bool) -> mpsc::Receiver<Tapped> {
        let (sender, receiver) = mpsc::channel(WAITING);
        *self.lock() = Some(sender);
        self.wanted.store(if all { ALL } else { UPDATES }, Ordering::Relaxed);
        receiver
    }

    pub fn close(&self) {
        self.wanted.store(0, Ordering::Relaxed);
        *self.lock() = None;
    }

    /// One instance more that wants everything mirrored, or one less.
    pub fn mirror(&self, on: bool) {
        if on {
            self.mirrors.fetch_add(1, Ordering::Relaxed);
        } else {
            let less = |count: usize| Some(count.saturating_sub(1));
            let _ = self.mirrors.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        }
    }

    pub fn mirrors(&self) -> bool {
        self.mirrors.load(Ordering::Relaxed) > 0
    }

    pub fn wants(&self, kind: MessageType) -> bool {
        match self.wanted.load(Ordering::Relaxed) {
            0 => false,
            UPDATES => kind == MessageType::Update,
            _ => true,
        }
    }

    pub fn offer(&self, message: Tapped) {
        let taken = self.lock().as_ref().is_some_and(|sender| sender.try_send(message).is_ok());
        if !taken {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Messages left out since this was last asked.
    pub fn take_lost(&self) -> u64 {
        self.lost.swap(0, Ordering::Relaxed)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<mpsc::Sender<Tapped>>> {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_wanted_is_asked_for() {
        let tap = Arc::new(Tap::default());
        assert!(!tap.wants(MessageType::Update));
        let receiver = tap.open(false);
        assert!(tap.wants(MessageType::Update) && !tap.wants(MessageType::Keepalive));
        drop(receiver);
        let _receiver = tap.open(true);
        assert!(tap.wants(MessageType::Keepalive));
        tap.close();
        assert!(!tap.wants(MessageType::Update));
    }
}
