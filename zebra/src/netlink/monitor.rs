//! Follows the kernel: a dump of links, addresses and routes, then its events. When events were lost (ENOBUFS), a new
//! socket with a larger receive buffer takes over, and a new dump brings everything back into step.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use tokio::sync::mpsc;
use zebra_core::{Event, Netns};

use super::encode::{AF_INET, AF_INET6};
use super::mpls::AF_MPLS;
use super::parse;
use super::socket::Socket;
use super::speed::Speeds;
use super::wire::{
    self, RTM_DELNEXTHOP, RTM_DELROUTE, RTM_GETADDR, RTM_GETLINK, RTM_GETNEXTHOP, RTM_GETROUTE,
    RTM_NEWNEXTHOP, RTM_NEWROUTE,
};

/// RTMGRP_LINK, IPV4_IFADDR, IPV4_ROUTE, IPV6_IFADDR, IPV6_ROUTE, RTNLGRP_MPLS_ROUTE and RTNLGRP_NEXTHOP.
const GROUPS: u32 = 0x1 | 0x10 | 0x40 | 0x100 | 0x400 | 1 << 26 | 1 << 31;
const MAX_BUFFER: usize = 256 << 20;
/// How long a namespace that is gone may stand because we listen there.
const PATIENCE: Duration = Duration::from_millis(500);
/// Events that are handed over together.
const BATCH: usize = 1024;

/// The kernel's events and lists, as the monitor meets them.
trait Source {
    /// Waits for a datagram of events. ENOBUFS says that some were lost.
    fn receive(&mut self) -> Result<&[u8], Errno>;

    /// The same without waiting; `None` where nothing is there.
    fn receive_ready(&mut self) -> Result<Option<&[u8]>, Errno>;

    /// Hears, in a buffer of that size, what others than that writer do from now on; what waits to be read is forgotten.
    fn listen_anew(&mut self, buffer: usize, writer_port: u32) -> io::Result<()>;

    /// Lists everything as it is now.
    fn list(&self, buffer: usize, visit: &mut dyn FnMut(&wire::Message<'_>)) -> io::Result<()>;
}

impl Source for Socket {
    fn receive(&mut self) -> Result<&[u8], Errno> {
        Self::receive(self)
    }

    fn receive_ready(&mut self) -> Result<Option<&[u8]>, Errno> {
        Self::receive_ready(self)
    }

    fn listen_anew(&mut self, buffer: usize, writer_port: u32) -> io::Result<()> {
        let anew = listen(buffer, writer_port)?;
        anew.give_up_like(self)?;
        *self = anew;
        Ok(())
    }

    fn list(&self, buffer: usize, mut visit: &mut dyn FnMut(&wire::Message<'_>)) -> io::Result<()> {
        let mut socket = Self::open(0, buffer)?;
        // struct ifinfomsg, struct ifaddrmsg, struct rtmsg: only the family is read.
        socket.dump(RTM_GETLINK, &[0; 16], &mut visit)?;
        socket.dump(RTM_GETADDR, &[0; 8], &mut visit)?;
        dump_nexthops(&mut socket, &mut visit)?;
        for family in [AF_INET, AF_INET6] {
            let mut rtmsg = [0; 12];
            rtmsg[0] = family;
            socket.dump(RTM_GETROUTE, &rtmsg, &mut visit)?;
        }
        dump_lsps(&mut socket, &mut visit)
    }
}

/// What zebra wants of the monitor while it runs.
#[derive(Debug)]
pub struct Monitor {
    follower: Follower<Socket>,
}

impl Monitor {
    /// Opens the event socket before the first dump, so that nothing falls between the two.
    pub fn open(buffer: usize, writer_port: u32, out: mpsc::Sender<Vec<Event>>) -> io::Result<Self> {
        let events = listen(buffer, writer_port)?;
        let (netns, stop) = (Netns::OWN, Arc::default());
        Ok(Self {
            follower: Follower { events, buffer, out, writer_port, netns, stop, speeds: Speeds::open() },
        })
    }

    /// Follows the namespace that the calling thread is in, until `stop` is set.
    pub fn follow(
        netns: Netns,
        buffer: usize,
        writer_port: u32,
        out: mpsc::Sender<Vec<Event>>,
        stop: Arc<AtomicBool>,
    ) -> io::Result<()> {
        let events = listen(buffer, writer_port)?;
        events.give_up_after(PATIENCE)?;
        Follower { events, buffer, out, writer_port, netns, stop, speeds: Speeds::open() }.run()
    }

    /// Follows the kernel in a thread until nobody listens.
    pub fn spawn(mut self) -> io::Result<JoinHandle<()>> {
        std::thread::Builder::new().name("netlink".to_owned()).spawn(move || {
            if let Err(error) = self.follower.run() {
                tracing::error!(%error, "lost the kernel's events");
            }
        })
    }
}

#[derive(Debug)]
struct Follower<S> {
    events: S,
    buffer: usize,
    out: mpsc::Sender<Vec<Event>>,
    /// Socket of the writer: what it caused is no news.
    writer_port: u32,
    netns: Netns,
    /// Set when nobody wants to hear of the namespace any more.
    stop: Arc<AtomicBool>,
    speeds: Speeds,
}

impl<S: Source> Follower<S> {
    /// Hands a batch over, with what netlink does not tell of links; false where nobody listens.
    fn hand_over(&self, mut batch: Vec<Event>) -> bool {
        for event in &mut batch {
            if let Event::Link(info) = event {
                info.interface.speed = self.speeds.of(&info.interface.name);
            }
        }
        self.out.blocking_send(batch).is_ok()
    }

    fn run(&mut self) -> io::Result<()> {
        patiently(|| self.dump())?;
        loop {
            let mut lost = false;
            let mut batch = Vec::new();
            match self.events.receive() {
                Ok(datagram) => collect(datagram, self.writer_port, self.netns, &mut batch),
                Err(Errno::ENOBUFS) => lost = true,
                // Time to look whether anybody still wants to hear.
                Err(Errno::EAGAIN) => {}
                Err(error) => return Err(error.into()),
            }
            if self.stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            while batch.len() < BATCH && !lost {
                match self.events.receive_ready() {
                    Ok(Some(datagram)) => collect(datagram, self.writer_port, self.netns, &mut batch),
                    Ok(None) => break,
                    Err(Errno::ENOBUFS) => lost = true,
                    Err(error) => return Err(error.into()),
                }
            }
            if !batch.is_empty() && !self.hand_over(batch) {
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

    /// What still waits in the socket is older than what was lost, and until that is read to its end the kernel adds
    /// nothing and says nothing of it: read after the dump it would bring back links that are gone, and what happens
    /// during the dump would be missed. So a new socket hears everything from before the dump on.
    fn resync(&mut self) -> io::Result<()> {
        self.buffer = (self.buffer * 2).min(MAX_BUFFER);
        tracing::warn!(octets = self.buffer, "the kernel dropped events; reading everything again");
        patiently(|| self.events.listen_anew(self.buffer, self.writer_port))?;
        patiently(|| self.dump())
    }

    fn dump(&self) -> io::Result<()> {
        let mut batch: Vec<Event> = self.netns.hear(Event::DumpBegin).into_iter().collect();
        let netns = self.netns;
        self.events.list(self.buffer, &mut |message| {
            batch.extend(parse::event(message).and_then(|event| netns.hear(event)));
            if batch.len() >= BATCH {
                // Nobody listens only while zebra ends.
                let _ = self.hand_over(std::mem::take(&mut batch));
            }
        })?;
        batch.extend(netns.hear(Event::DumpEnd));
        let _ = self.hand_over(batch);
        Ok(())
    }
}

/// A million routes of our own would be a million events: the kernel keeps them to itself where it can. Where it cannot,
/// `collect` leaves them out.
fn listen(buffer: usize, writer_port: u32) -> io::Result<Socket> {
    let socket = Socket::open(GROUPS, buffer)?;
    if let Err(error) = socket.ignore(writer_port, &OURS) {
        tracing::info!(%error, "the kernel tells our own routes too");
    }
    Ok(socket)
}

/// What fails is tried again: the kernel may be short of memory just now.
fn patiently(mut attempt: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    let mut wait = Duration::from_millis(100);
    loop {
        match attempt() {
            Err(error) if wait < Duration::from_secs(10) => {
                tracing::warn!(%error, "the kernel did not list everything; asking again");
                std::thread::sleep(wait);
                wait *= 2;
            }
            outcome => return outcome,
        }
    }
}

/// Lists the kernel's routes beside what goes on, in a thread that ends with the list. Without hurry it rests as long as
/// it works: nobody waits.
pub fn audit(
    audit: u64,
    hurry: bool,
    buffer: usize,
    places: Vec<(Netns, PathBuf)>,
    out: mpsc::Sender<Vec<Event>>,
) -> io::Result<()> {
    std::thread::Builder::new().name("audit".to_owned()).spawn(move || {
        let mut listed = list(audit, hurry, buffer, Netns::OWN, &out);
        for (netns, path) in places {
            // What is gone is nothing to be looked at.
            if listed.is_ok() && ferrite_daemon::netns::enter(&path).is_ok() {
                listed = list(audit, hurry, buffer, netns, &out);
            }
        }
        let error = listed.err().map(|error| error.to_string());
        // zebra may have ended meanwhile.
        let _ = out.blocking_send(vec![Event::AuditEnd { audit, error }]);
    })?;
    Ok(())
}

fn list(
    audit: u64,
    hurry: bool,
    buffer: usize,
    netns: Netns,
    out: &mpsc::Sender<Vec<Event>>,
) -> io::Result<()> {
    let mut socket = Socket::open(0, buffer)?;
    let (mut nexthops, mut routes, mut lsps) = (Vec::new(), Vec::new(), Vec::new());
    let mut worked = Instant::now();
    let mut hand_over = |message: &wire::Message<'_>| {
        match parse::event(message) {
            Some(Event::KernelRoute(route)) => routes.push(route),
            Some(Event::KernelNexthop(nexthop)) => nexthops.push(nexthop),
            Some(Event::KernelLsp(lsp)) => lsps.push(lsp),
            _ => {}
        }
        if routes.len() + nexthops.len() + lsps.len() >= BATCH {
            if !hurry {
                std::thread::sleep(worked.elapsed());
            }
            let part = Event::Audited {
                audit,
                nexthops: std::mem::take(&mut nexthops),
                routes: std::mem::take(&mut routes),
            };
            let labels = Event::AuditedLsps { audit, lsps: std::mem::take(&mut lsps) };
            let _ = out.blocking_send([part, labels].into_iter().filter_map(|e| netns.hear(e)).collect());
            worked = Instant::now();
        }
    };
    dump_nexthops(&mut socket, &mut hand_over)?;
    for family in [AF_INET, AF_INET6] {
        let mut rtmsg = [0; 12];
        rtmsg[0] = family;
        socket.dump(RTM_GETROUTE, &rtmsg, &mut hand_over)?;
    }
    dump_lsps(&mut socket, &mut hand_over)?;
    let last = [Event::Audited { audit, nexthops, routes }, Event::AuditedLsps { audit, lsps }];
    let _ = out.blocking_send(last.into_iter().filter_map(|event| netns.hear(event)).collect());
    Ok(())
}

/// The next-hop objects, of a kernel that has them.
fn dump_nexthops(socket: &mut Socket, visit: impl FnMut(&wire::Message<'_>)) -> io::Result<()> {
    match socket.dump(RTM_GETNEXTHOP, &[0; 8], visit) {
        Err(error) if error.raw_os_error() == Some(Errno::EOPNOTSUPP as i32) => Ok(()),
        outcome => outcome,
    }
}

/// The label table, of a kernel that has one: without, such a request lists the routes of all families.
fn dump_lsps(socket: &mut Socket, visit: impl FnMut(&wire::Message<'_>)) -> io::Result<()> {
    if crate::mpls::platform_labels().is_none() {
        return Ok(());
    }
    let mut rtmsg = [0; 12];
    rtmsg[0] = AF_MPLS;
    socket.dump(RTM_GETROUTE, &rtmsg, visit)
}

/// The messages of our own writer that are no news. What it did to links and addresses is.
const OURS: [u16; 4] = [RTM_NEWROUTE, RTM_DELROUTE, RTM_NEWNEXTHOP, RTM_DELNEXTHOP];

/// The events of a datagram, without the routes that our own writer caused.
fn collect(datagram: &[u8], writer_port: u32, netns: Netns, batch: &mut Vec<Event>) {
    let ours = |message: &wire::Message<'_>| {
        writer_port != 0 && message.port == writer_port && OURS.contains(&message.kind)
    };
    let news = wire::messages(datagram).filter(|message| !ours(message));
    batch.extend(news.filter_map(|message| netns.hear(parse::event(&message)?)));
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::{BTreeSet, VecDeque};

    use zebra_core::{NexthopId, NexthopObject, NexthopOp};

    use super::*;

    /// A socket as Linux has it: what does not fit is lost, which is said once, and so is everything after it until the
    /// socket has been read to its end. The script is what others do each time that somebody reads.
    #[derive(Default)]
    struct Fake {
        state: RefCell<State>,
        datagram: Vec<u8>,
    }

    #[derive(Default)]
    struct State {
        script: VecDeque<Vec<(u32, bool)>>,
        objects: BTreeSet<u32>,
        queue: VecDeque<Vec<u8>>,
        room: usize,
        congested: bool,
        unsaid: bool,
    }

    fn octets(id: u32, there: bool) -> Vec<u8> {
        let mut out = wire::Builder::default();
        let object = there.then(|| NexthopObject::Group(vec![(NexthopId(1), 1)].into()));
        super::super::nexthop::operation(&NexthopOp { id: NexthopId(id), seq: 0, object }, 1, &mut out);
        out.octets
    }

    impl State {
        fn others(&mut self) {
            for (id, there) in self.script.pop_front().unwrap_or_default() {
                if there {
                    self.objects.insert(id)
                } else {
                    self.objects.remove(&id)
                };
                if self.congested || self.queue.len() >= self.room {
                    self.unsaid |= !self.congested;
                    self.congested = true;
                } else {
                    self.queue.push_back(octets(id, there));
                }
            }
        }

        fn read(&mut self) -> Result<Option<Vec<u8>>, Errno> {
            if std::mem::take(&mut self.unsaid) {
                return Err(Errno::ENOBUFS);
            }
            let datagram = self.queue.pop_front();
            self.congested &= !self.queue.is_empty();
            Ok(datagram)
        }
    }

    impl Source for Fake {
        fn receive(&mut self) -> Result<&[u8], Errno> {
            let state = self.state.get_mut();
            state.others();
            // Nothing will come any more: the end of the test.
            self.datagram = state.read()?.ok_or(Errno::EBADF)?;
            Ok(&self.datagram)
        }

        fn receive_ready(&mut self) -> Result<Option<&[u8]>, Errno> {
            let Some(datagram) = self.state.get_mut().read()? else { return Ok(None) };
            self.datagram = datagram;
            Ok(Some(&self.datagram))
        }

        fn listen_anew(&mut self, buffer: usize, _: u32) -> io::Result<()> {
            let state = self.state.get_mut();

            state.queue.clear();
            (state.congested, state.unsaid, state.room) = (false, false, buffer);
            Ok(())
        }

        fn list(&self, _: usize, visit: &mut dyn FnMut(&wire::Message<'_>)) -> io::Result<()> {
            let listed = self.state.borrow().objects.clone();
            for id in listed {
                wire::messages(&octets(id, true)).for_each(|message| visit(&message));
            }
            self.state.borrow_mut().others();
            Ok(())
        }
    }

    /// What somebody who takes the events at their word believes to be there in the end, and what is.
    fn follow(script: &[&[(u32, bool)]]) -> (BTreeSet<u32>, BTreeSet<u32>) {
        let (out, mut events) = mpsc::channel(1000);
        let script = script.iter().map(|changes| changes.to_vec()).collect();
        let state = State { script, room: 2, ..State::default() };
        let events_of = Fake { state: RefCell::new(state), datagram: Vec::new() };
        let (netns, stop) = (Netns::OWN, Arc::default());
        let speeds = Speeds::open();
        let mut follower =
            Follower { events: events_of, buffer: 2, out, writer_port: 0, netns, stop, speeds };
        assert_eq!(follower.run().unwrap_err().raw_os_error(), Some(Errno::EBADF as i32));
        let mut believed = BTreeSet::new();
        while let Ok(batch) = events.try_recv() {
            for event in batch {
                match event {
                    Event::DumpBegin => believed.clear(),
                    Event::KernelNexthop(told) => drop(believed.insert(told.id.0)),
                    Event::KernelNexthopGone(id) => drop(believed.remove(&id.0)),
                    _ => {}
                }
            }
        }
        (believed, follower.events.state.into_inner().objects)
    }

    #[test]
    fn what_was_heard_before_a_loss_does_not_outlive_it() {
        // The removal is lost, the addition before it still waits to be read.
        let (believed, there) = follow(&[&[], &[(5, true), (6, true), (5, false)]]);
        assert_eq!(there, BTreeSet::from([6]));
        assert_eq!(believed, there);
    }

    #[test]
    fn what_happens_during_the_dump_after_a_loss_is_heard() {
        let (believed, there) = follow(&[&[], &[(5, true), (6, true), (7, true)], &[(8, true), (6, false)]]);
        assert_eq!(there, BTreeSet::from([5, 7, 8]));
        assert_eq!(believed, there);
    }

    #[test]
    fn without_a_loss_the_events_follow_the_dump() {
        let (believed, there) = follow(&[&[(5, true)], &[(5, false)], &[(6, true), (7, true)]]);
        assert_eq!(there, BTreeSet::from([6, 7]));
        assert_eq!(believed, there);
    }
}
