//! Follows the kernel: a dump of links, addresses and routes, then its events. When events were lost (ENOBUFS), the
//! receive buffer grows and a new dump brings everything back into step.

use std::io;
use std::thread::JoinHandle;

use nix::errno::Errno;
use tokio::sync::mpsc;
use zebra_core::Event;

use super::encode::{AF_INET, AF_INET6};
use super::parse;
use super::socket::Socket;
use super::wire::{self, RTM_GETADDR, RTM_GETLINK, RTM_GETROUTE};

/// RTMGRP_LINK, IPV4_IFADDR, IPV4_ROUTE, IPV6_IFADDR, IPV6_ROUTE.
const GROUPS: u32 = 0x1 | 0x10 | 0x40 | 0x100 | 0x400;
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
        self.dump()?;
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
        self.dump()
    }

    fn dump(&mut self) -> io::Result<()> {
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

/// The events of a datagram, without what our own writer caused.
fn collect(datagram: &[u8], writer_port: u32, batch: &mut Vec<Event>) {
    let news = wire::messages(datagram).filter(|message| message.port != writer_port || writer_port == 0);
    batch.extend(news.filter_map(|message| parse::event(&message)));
}
