//! The neighbour that does nothing wrong: its session must live through everything, and what it is told must be sound.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use topotests::bgp::session::hex;
use topotests::bgp::update::{Packer, decode};
use topotests::bgp::{Prefix, attrs, wire};
use topotests::{Failure, Result};

use super::client::{Client, Heard};
use super::judge;
use super::octets::{OT, OpenSpec, attr, nlri, reach, update};
use super::sockets::Sockets;

#[derive(Debug)]
pub struct Bystander {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    seen: Mutex<Seen>,
    changed: Condvar,
}

/// What it was told.
#[derive(Debug, Default)]
pub struct Seen {
    /// Attributes of each prefix that is announced now.
    pub routes: BTreeMap<Prefix, Vec<u8>>,
    /// What was wrong with what it was told.
    pub violations: Vec<String>,
    /// Why its session ended.
    pub ended: Option<String>,
    stop: bool,
}

impl Seen {
    /// The value of an attribute of a route.
    pub fn attribute(&self, prefix: &Prefix, code: u8) -> Result<Option<Vec<u8>>> {
        let octets = self.routes.get(prefix).ok_or_else(|| Failure::new(format!("{prefix} is not there")))?;
        let list = attrs::split(octets)?;
        Ok(list.iter().find(|a| a.code == code).map(|a| a.value.to_vec()))
    }
}

/// A path as a well-behaved eBGP neighbour sends it.
pub fn good_path(asn: u32) -> Vec<u8> {
    [attr(0x40, attrs::ORIGIN, &[0]), attr(0x40, attrs::AS_PATH, &attrs::sequence(&[asn]))].concat()
}

impl Bystander {
    /// Establishes its session, announces `prefixes` and listens.
    pub fn start(
        sockets: &Sockets,
        local: Ipv4Addr,
        remote: Ipv4Addr,
        asn: u32,
        prefixes: &[Prefix],
    ) -> Result<Bystander> {
        let mut client = Client::establish(sockets, local, remote, &OpenSpec::usual(asn, local))?;
        let mut packer = Packer::new(IpAddr::V4(local));
        packer.announce(&good_path(asn), prefixes);
        client.send(&packer.finish().0)?;
        let shared = Arc::new(Shared::default());
        let bystander = Bystander { shared: Arc::clone(&shared) };
        std::thread::spawn(move || listen(&mut client, &shared));
        Ok(bystander)
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until what it has seen satisfies `condition`; fails at once when its own session ends.
    pub fn wait<T>(
        &self,
        what: &str,
        patience: Duration,
        mut condition: impl FnMut(&Seen) -> Result<T>,
    ) -> Result<T> {
        let end = Instant::now() + patience;
        let mut seen = self.lock();
        loop {
            if let Some(why) = &seen.ended {
                return Err(Failure::new(format!("the bystander's session ended: {why}")));
            }
            let last = match condition(&seen) {
                Ok(value) => return Ok(value),
                Err(last) => last,
            };
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(last.during(&format!("the bystander waited for {what}")));
            }
            let waited = self.shared.changed.wait_timeout(seen, left);
            seen = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    pub fn wait_has(&self, prefix: &Prefix, patience: Duration) -> Result<()> {
        self.wait(&format!("{prefix}"), patience, |seen| {
            seen.routes.get(prefix).map(drop).ok_or_else(|| Failure::new("it is not announced"))
        })
    }

    pub fn wait_lacks(&self, prefix: &Prefix, patience: Duration) -> Result<()> {
        self.wait(&format!("the end of {prefix}"), patience, |seen| match seen.routes.get(prefix) {
            None => Ok(()),
            Some(path) => Err(Failure::new(format!("still announced with {}", hex(path)))),
        })
    }

    /// What was wrong since the last time this was asked.
    pub fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().violations)
    }

    pub fn ended(&self) -> Option<String> {
        self.lock().ended.clone()
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        self.lock().stop = true;
    }
}

fn listen(client: &mut Client, shared: &Shared) {
    let mut kept_alive = Instant::now();
    loop {
        let heard = client.next(Duration::from_millis(500));
        let mut seen = shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.stop {
            return;
        }
        let problem = match heard {
            Ok(Heard::Message(wire::UPDATE, body)) => take_in(&mut seen, &body).err().map(|e| e.to_string()),
            Ok(Heard::Message(wire::NOTIFICATION, body)) => Some(format!("NOTIFICATION {}", hex(&body))),
            Ok(Heard::Closed) => Some("connection closed".to_owned()),
            Ok(_) => None,
            Err(error) => Some(error.to_string()),
        };
        shared.changed.notify_all();
        if problem.is_some() {
            seen.ended = problem;
            return;
        }
        if kept_alive.elapsed() > Duration::from_secs(20) {
            kept_alive = Instant::now();
            client.send_anyway(&wire::keepalive());
        }
    }
}

fn take_in(seen: &mut Seen, body: &[u8]) -> Result<()> {
    let update =
        decode(body).map_err(|m| Failure::new(format!("malformed UPDATE: {} in {}", m.0, hex(body))))?;
    let strict = judge::faults(update.attrs)?;
    let loose = update.violations.iter().map(ToString::to_string);
    seen.violations.extend(loose.chain(strict).map(|what| format!("{what} in {}", hex(body))));
    for prefix in &update.withdrawn {
        seen.routes.remove(prefix);
    }
    for prefix in update.announced {
        seen.routes.insert(prefix, update.attrs.to_vec());
    }
    Ok(())
}

/// An UPDATE that announces one prefix of either family as it should be, marked with a community.
pub fn announcement(
    path: &[u8],
    prefix: Prefix,
    hop4: Ipv4Addr,
    hop6: &[u8],
    mark: Option<[u8; 4]>,
) -> Vec<u8> {
    let community = mark.map(|mark| attr(OT, attrs::COMMUNITIES, &mark)).unwrap_or_default();
    match prefix.family {
        topotests::Family::V4 => {
            let hop = attr(0x40, attrs::NEXT_HOP, &hop4.octets());
            update(&[], &[path, &hop, &community].concat(), &nlri(&[prefix]))
        }
        topotests::Family::V6 => {
            let value = reach(prefix.family, hop6.len() as u8, hop6, &nlri(&[prefix]));
            update(&[], &[&attr(0x80, attrs::MP_REACH, &value), path, &community].concat(), &[])
        }
    }
}
