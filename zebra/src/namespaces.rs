//! Network namespaces beside zebra's own (`-n`): found by their files below `/run/netns`, each followed and programmed through
//! sockets of its own.
//!
//! A thread looks at the folder; the loop makes and drops what belongs to a namespace. A thread that listens within a
//! namespace keeps it alive, so it looks twice a second whether it still should.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use ferrite_daemon::netns;
use tokio::sync::mpsc;
use zebra_core::netns::{MAX_NETNS, NETNS_DIR};
use zebra_core::{Event, Netns};

use crate::dataplane::{self, Done, Job};
use crate::nd::NdSocket;
use crate::netlink::KernelDataplane;
use crate::netlink::monitor::Monitor;

const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What became of a namespace.
#[derive(Debug)]
pub enum Notice {
    Appeared { netns: Netns, name: String, path: PathBuf },
    Gone(Netns),
}

/// What tells one namespace from another: the device and the number of its file.
type Identity = (u64, u64);

/// Looks at the folder of namespaces.
#[derive(Debug)]
pub struct Watch {
    dir: PathBuf,
    own: Option<Identity>,
    known: BTreeMap<String, (Identity, Netns)>,
    last: u16,
}

impl Default for Watch {
    fn default() -> Self {
        let own = identity(Path::new("/proc/self/ns/net"));
        Self { dir: NETNS_DIR.into(), own, known: BTreeMap::new(), last: 0 }
    }
}

fn identity(path: &Path) -> Option<Identity> {
    let file = std::fs::metadata(path).ok()?;
    Some((file.dev(), file.ino()))
}

impl Watch {
    /// What has changed since the last look.
    pub fn look(&mut self) -> Vec<Notice> {
        let mut present = BTreeMap::new();
        for entry in std::fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            let Some(id) = identity(&path).filter(|id| Some(*id) != self.own) else { continue };
            // Of several names of one namespace the one that is known, or else the first counts.
            present.entry(id).or_insert_with(Vec::new).push((name, path));
        }
        let mut notices = Vec::new();
        self.known.retain(|name, (id, netns)| {
            let there = present.get(id).is_some_and(|names| names.iter().any(|(present, _)| present == name));
            if !there {
                notices.push(Notice::Gone(*netns));
            }
            there
        });
        for (id, mut names) in present {
            if self.known.values().any(|(known, _)| *known == id) {
                continue;
            }
            names.sort();
            // A file that is no namespace (yet) is looked at again.
            let first = names.into_iter().find(|(_, path)| netns::within(path, || Ok(())).is_ok());
            let (Some((name, path)), Some(netns)) = (first, self.free_number()) else { continue };
            self.known.insert(name.clone(), (id, netns));
            notices.push(Notice::Appeared { netns, name, path });
        }
        notices
    }

    fn free_number(&mut self) -> Option<Netns> {
        let taken = |number: u16| self.known.values().any(|(_, netns)| netns.number() == number);
        let after = (1..=MAX_NETNS).map(|step| (self.last + step - 1) % MAX_NETNS + 1);
        let number = after.into_iter().find(|number| !taken(*number))?;
        self.last = number;
        Netns::new(number)
    }

    /// Goes on looking in a thread, until nobody listens.
    pub fn spawn(mut self, out: mpsc::Sender<Notice>) -> io::Result<()> {
        std::thread::Builder::new().name("namespaces".to_owned()).spawn(move || {
            while !out.is_closed() {
                std::thread::sleep(LOOK_EVERY);
                for notice in self.look() {
                    let _ = out.blocking_send(notice);
                }
            }
        })?;
        Ok(())
    }
}

/// A namespace at work.
#[derive(Debug)]
pub struct Namespace {
    pub jobs: mpsc::UnboundedSender<Job>,
    pub path: PathBuf,
    /// None where it has no IPv6, or we no right to a raw socket.
    pub nd: Option<NdSocket>,
    stop: Arc<AtomicBool>,
    writer: JoinHandle<()>,
}

impl Namespace {
    pub fn start(
        netns: Netns,
        path: PathBuf,
        buffer: usize,
        results: mpsc::UnboundedSender<Done>,
        kernel: mpsc::Sender<Vec<Event>>,
    ) -> io::Result<Self> {
        let plane = netns::within(&path, KernelDataplane::open)?;
        let port = plane.port()?;
        let (jobs, queue) = mpsc::unbounded_channel();
        let writer = dataplane::spawn(plane, queue, results)?;
        let stop = Arc::new(AtomicBool::new(false));
        let (flag, place) = (Arc::clone(&stop), path.clone());
        let heard = kernel.clone();
        let nd = netns::within(&path, || Ok(NdSocket::start(netns, heard)))?;
        std::thread::Builder::new().name("netlink".to_owned()).spawn(move || {
            let followed =
                netns::enter(&place).and_then(|()| Monitor::follow(netns, buffer, port, kernel, flag));
            if let Err(error) = followed {
                tracing::error!(%error, netns = %place.display(), "lost the events of a namespace");
            }
        })?;
        Ok(Self { jobs, path, nd, stop, writer })
    }

    /// No more work for it; what is under way is done when the handle says so.
    pub fn end(self) -> JoinHandle<()> {
        self.stop.store(true, Ordering::Relaxed);
        self.writer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_given_out_once_and_again_when_they_are_free() {
        let mut watch = Watch { last: MAX_NETNS - 1, ..Watch::default() };
        watch.known.insert("a".to_owned(), ((0, 1), Netns::new(1).unwrap()));
        let numbers: Vec<_> = (0..3).filter_map(|_| watch.free_number()).map(Netns::number).collect();
        assert_eq!(numbers, [MAX_NETNS, 2, 3]);
    }
}
