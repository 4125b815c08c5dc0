//! The stream to zebra: what the shards and the instance have for it, in one order, without either of them waiting.
//! A shard has a bounded number of updates on their way and gets its credit back when they are in the stream.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bgp_core::rib::ShardEvent;
use ferrite_rpc::zebra::{SessionId, ZebraSender};
use ferrite_types::zclient::{RouteBatch, ToZebra};
use tokio::sync::mpsc;

use crate::queue::{Input, ShardQueue};

#[derive(Debug)]
struct Item {
    /// The connection to zebra that it was meant for.
    connection: u64,
    message: ToZebra,
    /// Who gets credit for how many updates.
    credit: Option<(Arc<ShardQueue>, usize)>,
}

/// Where messages for zebra are put. Clones share one queue.
#[derive(Clone, Debug)]
pub struct ZebraQueue {
    items: mpsc::UnboundedSender<Item>,
    connection: Arc<AtomicU64>,
    /// What zebra has is to stay: nothing more is said.
    silent: Arc<AtomicBool>,
}

/// The other end of a [`ZebraQueue`], to be run.
#[derive(Debug)]
pub struct ZebraFeed {
    items: mpsc::UnboundedReceiver<Item>,
    connection: Arc<AtomicU64>,
    silent: Arc<AtomicBool>,
}

pub fn queue() -> (ZebraQueue, ZebraFeed) {
    let (sender, items) = mpsc::unbounded_channel();
    let connection = Arc::new(AtomicU64::new(0));
    let silent = Arc::new(AtomicBool::new(false));
    let queue =
        ZebraQueue { items: sender, connection: Arc::clone(&connection), silent: Arc::clone(&silent) };
    (queue, ZebraFeed { items, connection, silent })
}

impl ZebraQueue {
    pub fn send(&self, message: ToZebra) {
        self.put(message, None);
    }

    pub fn send_routes(&self, shard: &Arc<ShardQueue>, batch: RouteBatch) {
        let updates = batch.updates.len();
        self.put(ToZebra::Routes(batch), Some((Arc::clone(shard), updates)));
    }

    /// From now on zebra hears nothing of us: it keeps our routes as after a crash (`-r`).
    pub fn retain(&self) {
        self.silent.store(true, Ordering::Release);
    }

    /// A new connection: what was meant for the one before is not sent on it.
    pub fn begin(&self) {
        self.connection.fetch_add(1, Ordering::AcqRel);
    }

    fn put(&self, message: ToZebra, credit: Option<(Arc<ShardQueue>, usize)>) {
        let connection = self.connection.load(Ordering::Acquire);
        // The feed ends with the process.
        let _ = self.items.send(Item { connection, message, credit });
    }
}

impl ZebraFeed {
    /// Sends on, as fast as the stream takes it. Without a sender (`-Z`) everything is taken and forgotten.
    pub async fn run(mut self, sender: Option<ZebraSender>) {
        while let Some(item) = self.items.recv().await {
            let current = item.connection == self.connection.load(Ordering::Acquire)
                && !self.silent.load(Ordering::Acquire);
            if let Some(sender) = sender.as_ref().filter(|_| current)
                && sender.send(item.message).await.is_err()
            {
                return;
            }
            if let Some((queue, updates)) = item.credit {
                queue.push(Input::Event(ShardEvent::ZebraCredit { updates }));
            }
        }
    }
}

/// Marks the beginning of a connection on both ends.
pub fn begin(queue: &ZebraQueue, sender: &ZebraSender, session: SessionId) {
    sender.begin(session);
    queue.begin();
}
