//! Connections to the caches of the RPKI, and the file of local exceptions.

use std::collections::HashMap;

use bgp_core::InstanceId;
use bgp_core::instance::rpki::{RpkiAction, RpkiEvent};
use ferrite_rpki::client::{Link, LinkEvent};
use ferrite_rpki::rtr::CacheId;
use tokio::sync::mpsc;

/// Pieces of what caches say that may wait for the instance.
const INBOX: usize = 16;
/// Octets of the largest file of exceptions.
const FILE_MAX: u64 = 64 * 1024 * 1024;

/// A cache of an instance.
type Key = (InstanceId, CacheId);

/// What happened outside.
#[derive(Debug)]
pub enum CacheEvent {
    /// Of the connection with this number.
    Link(Key, u64, LinkEvent),
    File(InstanceId, String, Result<String, String>),
}

/// The connections, each with a number of its own: what an earlier one of a cache still has to say is not listened to.
#[derive(Debug)]
pub struct Caches {
    links: HashMap<Key, (u64, Link)>,
    next: u64,
    events: mpsc::Sender<CacheEvent>,
}

impl Caches {
    pub fn new() -> (Self, mpsc::Receiver<CacheEvent>) {
        let (events, inbox) = mpsc::channel(INBOX);
        (Self { links: HashMap::new(), next: 0, events }, inbox)
    }

    /// The instance is no more.
    pub fn forget(&mut self, gone: InstanceId) {
        self.links.retain(|(instance, _), _| *instance != gone);
    }

    pub fn perform(&mut self, instance: InstanceId, action: RpkiAction) {
        match action {
            RpkiAction::Connect { cache, transport, device } => {
                self.next += 1;
                let (key, number) = ((instance, cache), self.next);
                let event = move |event| CacheEvent::Link(key, number, event);
                let device = device.map(|name| name.to_string());
                self.links.insert(key, (number, Link::open(transport, device, self.events.clone(), event)));
            }
            RpkiAction::Send { cache, octets } => {
                if let Some((_, link)) = self.links.get(&(instance, cache)) {
                    link.send(octets);
                }
            }
            RpkiAction::Close { cache } => {
                self.links.remove(&(instance, cache));
            }
            RpkiAction::ReadSlurm { file } => {
                let events = self.events.clone();
                tokio::spawn(async move {
                    let contents = read(&file).await.map_err(|error| error.to_string());
                    // The shell ends with the process.
                    let _ = events.send(CacheEvent::File(instance, file, contents)).await;
                });
            }
        }
    }

    /// Which instance is told of it, and what.
    pub fn happened(&mut self, event: CacheEvent) -> Option<(InstanceId, RpkiEvent)> {
        let (key, number, event) = match event {
            CacheEvent::Link(key, number, event) => (key, number, event),
            CacheEvent::File(instance, file, contents) => {
                return Some((instance, RpkiEvent::Slurm { file, contents }));
            }
        };
        if self.links.get(&key).is_none_or(|(current, _)| *current != number) {
            return None;
        }
        if matches!(event, LinkEvent::ConnectFailed(_) | LinkEvent::Closed(_)) {
            self.links.remove(&key);
        }
        let (instance, cache) = key;
        let event = match event {
            LinkEvent::Connected => RpkiEvent::Connected(cache),
            LinkEvent::ConnectFailed(error) => RpkiEvent::ConnectFailed(cache, error),
            LinkEvent::Received(octets) => RpkiEvent::Received(cache, octets),
            LinkEvent::Closed(error) => RpkiEvent::Closed(cache, error),
        };
        Some((instance, event))
    }
}

async fn read(file: &str) -> std::io::Result<String> {
    if tokio::fs::metadata(file).await?.len() > FILE_MAX {
        return Err(std::io::Error::other("the file is too large"));
    }
    tokio::fs::read_to_string(file).await
}
