//! Follows the kernel: a dump of links, addresses and routes, then its events. When events were lost (ENOBUFS), the
//! receive buffer grows and a new dump brings everything back into step.

use std::io;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use tokio::sync::mpsc;
use zebra_core::Event;

use super::encode::{AF_INET, AF_INET6};
use super::parse;
use super::socket::Socket;
use super::wire::{
    self, RTM_DELNEXTHOP, RTM_DELROUTE, RTM_GETADDR, RTM_GETLINK, RTM_GETNEXTHOP, RTM_GETROUTE,
    RTM_NEWNEXTHOP, RTM_NEWROUTE,
};

/// RTMGRP_LINK, IPV4_IFADDR, IPV4_ROUTE, IPV6_IFADDR, IPV6_ROUTE, and RTNLGRP_NEXTHOP.
const GROUPS: u32 = 0x1 | 0x10 | 0x40 | 0x100 | 0x400 | 1 << 31;
const MAX_BUFFER: usize = 256 << 20;
/// Events that are handed over together.
const BATCH: usize = 1024;

/// What zebra wants of the monitor while it runs.
#[derive(Debug)]
pub struct Monitor {
    events: Socket,
    buffer: usize,
    out: mpsc::Sender<Vec<Event>>,
    /// Socket of the writer: what it caused is no news.
    writer_port: u32,
}

impl Monitor {
    /// Opens the event socket before the first dump, so that nothing falls between the two.
    pub fn open(buffer: usize, writer_port: u32, out: mpsc::Sender<Vec<Event>>) -> io::Result<Self> {
        Ok(Self { events: Socket::open(GROUPS, buffer)?, buffer, out, writer_port })
    }

    /// Follows the kernel in a thread until nobody listens.
    pub fn spawn(mut self) -> io::Result<JoinHandle<()>> {
        std::thread::Builder::new().name("netlink".to_owned()).spawn(move || {
            if let Err(error) = self.run() {
                tracing::error!(%error, "lost the kernel's events");
            }
        })
    }

    fn run(&mut self) -> io::Result<()> {
        self.dump_or_retry()?;
        loop {
            let mut lost = false;
            let mut batch = Vec::new();
            match self.events.receive() {
                Ok(datagram) => collect(datagram, self.writer_port, &mut batch),
                Err(Errno::ENOBUFS) => lost = true,
                Err(error) => return Err(error.into()),
            }
            while batch.len() < BATCH && !lost {
                match self.events.receive_ready() {
                    Ok(Some(datagram)) => collect(datagram, self.writer_port, &mut batch),
                    Ok(None) => break,
                    Err(Errno::ENOBUFS) => lost = true,
                    Err(error) => return Err(error.into()),
                }
            }
            if !batch.is_empty() && self.out.blocking_send(batch).is_err() {
                return Ok(());
            }
            if lost {
                self.resync()?;
            }
            if self.out.is_closed() {
                return Ok(());
            }
        }
    }

    fn resync(&mut self) -> io::Result<()> {
        self.buffer = (self.buffer * 2).min(MAX_BUFFER);
        tracing::warn!(octets = self.buffer, "the kernel dropped events; reading everything again");
        self.events.set_receive_buffer(self.buffer);
        self.dump_or_retry()
    }

    /// A dump that fails is tried again: the kernel may be short of memory just now.
    fn dump_or_retry(&self) -> io::Result<()> {
        let mut wait = Duration::from_millis(100);
        loop {
            match self.dump() {
                Err(error) if wait < Duration::from_secs(10) => {
                    tracing::warn!(%error, "the kernel did not list everything; asking again");
                    std::thread::sleep(wait);
                    wait *= 2;
                }
                outcome => return outcome,
            }
        }
    }

    fn dump(&self) -> io::Result<()> {
        let mut socket = Socket::open(0, self.buffer)?;
        let mut batch = vec![Event::DumpBegin];
        let out = &self.out;
        let mut hand_over = |message: &wire::Message<'_>| {
            batch.extend(parse::event(message));
            if batch.len() >= BATCH {
                // Nobody listens only while zebra ends.
                let _ = out.blocking_send(std::mem::take(&mut batch));
            }
        };
        // struct ifinfomsg, struct ifaddrmsg, struct rtmsg: only the family is read.
        socket.dump(RTM_GETLINK, &[0; 16], &mut hand_over)?;
        socket.dump(RTM_GETADDR, &[0; 8], &mut hand_over)?;
        dump_nexthops(&mut socket, &mut hand_over)?;
        for family in [AF_INET, AF_INET6] {
            let mut rtmsg = [0; 12];
            rtmsg[0] = family;
            socket.dump(RTM_GETROUTE, &rtmsg, &mut hand_over)?;
        }
        batch.push(Event::DumpEnd);
        let _ = out.blocking_send(batch);
        Ok(())
    }
}

/// Lists the kernel's routes beside what goes on, in a thread that ends with the list. Without hurry it rests as long as
/// it works: nobody waits.
pub fn audit(audit: u64, hurry: bool, buffer: usize, out: mpsc::Sender<Vec<Event>>) -> io::Result<()> {
    std::thread::Builder::new().name("audit".to_owned()).spawn(move || {
        let listed = list(audit, hurry, buffer, &out);
        let error = listed.err().map(|error| error.to_string());
        // zebra may have ended meanwhile.
        let _ = out.blocking_send(vec![Event::AuditEnd { audit, error }]);
    })?;
    Ok(())
}

fn list(audit: u64, hurry: bool, buffer: usize, out: &mpsc::Sender<Vec<Event>>) -> io::Result<()> {
    let mut socket = Socket::open(0, buffer)?;
    let (mut nexthops, mut routes) = (Vec::new(), Vec::new());
    let mut worked = Instant::now();
    let mut hand_over = |message: &wire::Message<'_>| {
        match parse::event(message) {
            Some(Event::KernelRoute(route)) => routes.push(route),
            Some(Event::KernelNexthop(nexthop)) => nexthops.push(nexthop),
            _ => {}
        }
        if routes.len() + nexthops.len() >= BATCH {
            if !hurry {
                std::thread::sleep(worked.elapsed());
            }
            let _ = out.blocking_send(vec![Event::Audited {
                audit,
                nexthops: std::mem::take(&mut nexthops),
                routes: std::mem::take(&mut routes),
            }]);
            worked = Instant::now();
        }
    };
    dump_nexthops(&mut socket, &mut hand_over)?;
    for family in [AF_INET, AF_INET6] {
        let mut rtmsg = [0; 12];
        rtmsg[0] = family;
        socket.dump(RTM_GETROUTE, &rtmsg, &mut hand_over)?;
    }
    let _ = out.blocking_send(vec![Event::Audited { audit, nexthops, routes }]);
    Ok(())
}

/// The next-hop objects, of a kernel that has them.
fn dump_nexthops(socket: &mut Socket, visit: impl FnMut(&wire::Message<'_>)) -> io::Result<()> {
    match socket.dump(RTM_GETNEXTHOP, &[0; 8], visit) {
        Err(error) if error.raw_os_error() == Some(Errno::EOPNOTSUPP as i32) => Ok(()),
        outcome => outcome,
    }
}

/// The events of a datagram, without the routes that our own writer caused. What it did to links and addresses is news.
fn collect(datagram: &[u8], writer_port: u32, batch: &mut Vec<Event>) {
    let ours = |message: &wire::Message<'_>| {
        writer_port != 0
            && message.port == writer_port
            && matches!(message.kind, RTM_NEWROUTE | RTM_DELROUTE | RTM_NEWNEXTHOP | RTM_DELNEXTHOP)
    };
    let news = wire::messages(datagram).filter(|message| !ours(message));
    batch.extend(news.filter_map(|message| parse::event(&message)));
}
