//! The connection to a forwarding plane manager: SONiC's fpmsyncd, or whatever reads FRR's `dplane_fpm_nl` stream.
//!
//! Each message is a netlink message behind a header of four octets, in network order:
//!
//! ```text
//!  0                   1                   2                   3
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  version = 1  |  type = 1     |  length, header included      |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```
//!
//! A task holds the connection and makes it anew when it ends. The loop makes octets of what the core has to tell only while fewer than
//! [`MAX_CHUNKS`] chunks wait for the peer: what a peer does not read costs that much and the core's list of names. The other way
//! round, a peer whose notices come faster than the loop takes them finds that nobody reads: at most [`MAX_EVENTS`] pieces wait.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::mpsc;
use zebra_core::{FpmMessage, KernelRoute, Zebra};

use crate::netlink::wire::{self, Builder, RTM_NEWROUTE};
use crate::netlink::{encode, mpls, nexthop, parse};

const VERSION: u8 = 1;
const NETLINK: u8 = 1;
const HEADER: usize = 4;
/// Between two attempts to connect, as FRR's.
const RECONNECT: Duration = Duration::from_secs(3);
/// Messages of one chunk; they are some sixty octets each.
const CHUNK: usize = 512;
const MAX_CHUNKS: usize = 4;
/// Pieces of notices, and other news of the connection, that wait for the loop.
pub const MAX_EVENTS: usize = 16;

/// What the connection's task says. The number tells connections of different configurations apart.
#[derive(Debug)]
pub struct FpmEvent {
    epoch: u64,
    what: What,
}

#[derive(Debug)]
enum What {
    Connected(mpsc::Sender<Vec<u8>>),
    Failed(io::Error),
    Ended(io::Error),
    Written(usize),
    Read {
        octets: usize,
        notices: Vec<KernelRoute>,
        /// The loop was behind: the peer had to wait before this.
        held_back: bool,
    },
}

/// The loop's end of the connection.
#[derive(Debug)]
pub struct FpmPort {
    events: mpsc::Sender<FpmEvent>,
    epoch: u64,
    task: Option<tokio::task::JoinHandle<()>>,
    peer: Option<mpsc::Sender<Vec<u8>>>,
    chunks: usize,
    builder: Builder,
}

impl FpmPort {
    pub fn new(events: mpsc::Sender<FpmEvent>) -> Self {
        Self { events, epoch: 0, task: None, peer: None, chunks: 0, builder: Builder::default() }
    }

    /// Connects to another peer, or to none; what is there ends.
    pub fn listen_to(&mut self, address: Option<SocketAddr>, core: &mut Zebra) {
        self.epoch += 1;
        if let Some(task) = self.task.take() {
            task.abort();
            if self.peer.is_some() {
                core.fpm_link().closes += 1;
            }
        }
        self.ended(core);
        if let Some(address) = address {
            let teller = Teller { epoch: self.epoch, events: self.events.clone() };
            self.task = Some(tokio::spawn(hold(address, teller)));
        }
    }

    fn ended(&mut self, core: &mut Zebra) {
        self.peer = None;
        self.chunks = 0;
        core.fpm_link().buffered = 0;
        core.fpm_connected(false);
    }

    pub fn event(&mut self, event: FpmEvent, core: &mut Zebra) {
        if event.epoch != self.epoch {
            return;
        }
        match event.what {
            What::Connected(peer) => {
                tracing::info!("connected to the forwarding plane manager");
                self.peer = Some(peer);
                core.fpm_connected(true);
            }
            What::Failed(error) => {
                tracing::debug!(%error, "no connection to the forwarding plane manager");
                core.fpm_link().errors += 1;
            }
            What::Ended(error) => {
                tracing::warn!(%error, "lost the forwarding plane manager");
                core.fpm_link().closes += 1;
                self.ended(core);
            }
            What::Written(octets) => {
                self.chunks = self.chunks.saturating_sub(1);
                let link = core.fpm_link();
                link.bytes_sent += octets as u64;
                link.buffered = link.buffered.saturating_sub(octets as u64);
            }
            What::Read { octets, notices, held_back } => {
                let link = core.fpm_link();
                link.bytes_read += octets as u64;
                link.held_back += u64::from(held_back);
                notices.iter().for_each(|route| core.fpm_told(route));
            }
        }
    }

    /// Makes octets while the peer takes them.
    pub fn pump(&mut self, core: &mut Zebra) {
        let Some(peer) = &self.peer else { return };
        while core.fpm_pending() {
            if self.chunks >= MAX_CHUNKS {
                core.fpm_link().full += 1;
                return;
            }
            let mut octets = Vec::new();
            for message in core.fpm_next(CHUNK) {
                frame(&message, &mut self.builder, &mut octets);
            }
            if octets.is_empty() {
                continue;
            }
            let link = core.fpm_link();
            link.buffered += octets.len() as u64;
            link.buffered_peak = link.buffered_peak.max(link.buffered);
            // The task has ended where this fails, and will say so.
            if peer.try_send(octets).is_err() {
                return;
            }
            self.chunks += 1;
        }
    }
}

fn frame(message: &FpmMessage, builder: &mut Builder, out: &mut Vec<u8>) {
    builder.octets.clear();
    match message {
        FpmMessage::Route(op) => encode::operation(op, 0, builder),
        FpmMessage::Nexthop(op) => nexthop::operation(op, 0, builder),
        FpmMessage::Lsp(op) => mpls::operation(op, 0, builder),
    }
    // A group of many members would not fit; none that the kernel takes is so large.
    let Ok(length) = u16::try_from(HEADER + builder.octets.len()) else { return };
    out.extend([VERSION, NETLINK]);
    out.extend(length.to_be_bytes());
    out.extend(&builder.octets);
}

/// The task's way to the loop.
struct Teller {
    epoch: u64,
    events: mpsc::Sender<FpmEvent>,
}

impl Teller {
    /// Waits for room; false where nobody listens any more.
    async fn tell(&self, what: What) -> bool {
        self.events.send(FpmEvent { epoch: self.epoch, what }).await.is_ok()
    }
}

/// Connects, serves the connection, and connects again.
async fn hold(address: SocketAddr, teller: Teller) {
    loop {
        let connected = tokio::time::timeout(RECONNECT, TcpStream::connect(address)).await;
        let stream = match connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(stream) => stream,
            Err(error) => {
                if !teller.tell(What::Failed(error)).await {
                    return;
                }
                tokio::time::sleep(RECONNECT).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let (chunks_in, chunks) = mpsc::channel(MAX_CHUNKS);
        if !teller.tell(What::Connected(chunks_in)).await {
            return;
        }
        let (reader, writer) = stream.into_split();
        let error = tokio::select! {
            error = write(writer, chunks, &teller) => error,
            error = read(reader, &teller) => error,
        };
        if !teller.tell(What::Ended(error)).await {
            return;
        }
        tokio::time::sleep(RECONNECT).await;
    }
}

async fn write(
    mut stream: OwnedWriteHalf,
    mut chunks: mpsc::Receiver<Vec<u8>>,
    teller: &Teller,
) -> io::Error {
    while let Some(chunk) = chunks.recv().await {
        if let Err(error) = stream.write_all(&chunk).await {
            return error;
        }
        if !teller.tell(What::Written(chunk.len())).await {
            break;
        }
    }
    io::ErrorKind::BrokenPipe.into()
}

async fn read(mut stream: impl AsyncRead + Unpin, teller: &Teller) -> io::Error {
    let mut buffer = Vec::new();
    loop {
        let octets = match stream.read_buf(&mut buffer).await {
            Ok(0) => return io::ErrorKind::UnexpectedEof.into(),
            Ok(octets) => octets,
            Err(error) => return error,
        };
        let (notices, used) = match notices(&buffer) {
            Ok(read) => read,
            Err(error) => return error,
        };
        buffer.drain(..used);
        let held_back = teller.events.capacity() == 0;
        // Until the loop has taken it nothing more is read, and then the peer's own queue fills.
        if !teller.tell(What::Read { octets, notices, held_back }).await {
            return io::ErrorKind::BrokenPipe.into();
        }
        tokio::task::yield_now().await;
    }
}

/// The routes that whole frames tell of, and how many octets those frames are. Messages of other kinds are passed over.
pub fn notices(buffer: &[u8]) -> io::Result<(Vec<KernelRoute>, usize)> {
    let mut found = Vec::new();
    let mut used = 0;
    while let Some(header) = buffer.get(used..).and_then(|rest| rest.first_chunk::<HEADER>()) {
        let [version, kind, high, low] = *header;
        let length = usize::from(u16::from_be_bytes([high, low]));
        if version != VERSION || length < HEADER {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "this is not the manager's framing"));
        }
        let Some(body) = buffer.get(used + HEADER..used + length) else { break };
        if kind == NETLINK {
            let routes = wire::messages(body).filter(|message| message.kind == RTM_NEWROUTE);
            found.extend(routes.filter_map(|message| parse::any_route(message.payload)));
        }
        used += length;
    }
    Ok((found, used))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ferrite_types::{Nexthop, RouteProtocol, TableId, VrfId};
    use zebra_core::{FibOp, FibOpKind, FibRoute, Offload};

    use super::*;

    fn framed() -> Vec<u8> {
        let nexthops: Arc<[Nexthop]> = Arc::new([Nexthop::gateway("10.0.0.2".parse().unwrap())]);
        let route = FibRoute { protocol: RouteProtocol::Bgp, nexthops, mtu: 0, source: None, group: None };
        let op = FibOp {
            vrf: VrfId::DEFAULT,
            table: TableId::MAIN,
            prefix: "192.0.2.0/24".parse().unwrap(),
            from: None,
            seq: 0,
            kind: FibOpKind::Install(route.into()),
        };
        let mut out = Vec::new();
        frame(&FpmMessage::Route(op), &mut Builder::default(), &mut out);
        out
    }

    /// A peer with an endless stream of notices, read in the order of its octets.
    struct Flood(Vec<u8>, usize, std::sync::Arc<std::sync::atomic::AtomicUsize>);

    impl AsyncRead for Flood {
        fn poll_read(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            buffer: &mut tokio::io::ReadBuf<'_>,
        ) -> std::task::Poll<io::Result<()>> {
            let part = &self.0[self.1..];
            let take = part.len().min(buffer.remaining());
            buffer.put_slice(&part[..take]);
            self.1 = (self.1 + take) % self.0.len();
            self.2.fetch_add(take, std::sync::atomic::Ordering::Relaxed);
            std::task::Poll::Ready(Ok(()))
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_peer_that_floods_us_with_notices_is_not_read_further() {
        let read_octets = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let (events_in, mut events) = mpsc::channel(MAX_EVENTS);
        let teller = Teller { epoch: 1, events: events_in };
        let flood = Flood(framed(), 0, read_octets.clone());
        let task = tokio::spawn(async move { read(flood, &teller).await });
        let octets = || read_octets.load(std::sync::atomic::Ordering::Relaxed);
        // The loop is busy elsewhere: the task comes to rest with its pieces full.
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        let rested = octets();
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        assert_eq!(octets(), rested);
        assert!(rested < 64 << 10, "{rested} octets");
        // It takes them up: the peer is read again, and was counted as held back.
        let mut held = false;
        for _ in 0..3 * MAX_EVENTS {
            let Some(FpmEvent { what: What::Read { held_back, notices, .. }, .. }) = events.recv().await
            else {
                panic!("the task ended");
            };
            held |= held_back;
            assert!(notices.iter().all(|route| route.prefix == "192.0.2.0/24".parse().unwrap()));
        }
        assert!(held && octets() > rested);
        drop(events);
        assert_eq!(task.await.unwrap().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn frames_are_cut_where_the_header_says() {
        let one = framed();
        assert_eq!(one.first_chunk(), Some(&[1, 1, 0, one.len() as u8]));
        let mut offloaded = one.clone();
        // RTM_F_OFFLOAD in the flags of struct rtmsg.
        offloaded[4 + 16 + 8..][..4].copy_from_slice(&0x4000u32.to_ne_bytes());
        let mut stream = [one.as_slice(), &offloaded, &one[..9]].concat();
        let (read, used) = notices(&stream).unwrap();
        assert_eq!(used, one.len() * 2);
        assert_eq!(
            read.iter().map(|route| route.offload).collect::<Vec<_>>(),
            [Offload::None, Offload::Offloaded]
        );
        for cut in 0..stream.len() {
            let (read, used) = notices(&stream[..cut]).unwrap();
            assert_eq!((read.len(), used), (cut / one.len(), cut / one.len() * one.len()));
        }
        stream[0] = 9;
        assert!(notices(&stream).is_err());
        assert!(notices(&[1, 1, 0, 3]).is_err());
    }
}
