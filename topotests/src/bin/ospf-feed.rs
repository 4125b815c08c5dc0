//! Routers that speak OSPFv2 on links of the namespace this runs in, each with a router ID of its own: they come up, announce external
//! routes, and send octets of a test's making.
//!
//! Commands on standard input, one per line: `externals N` announces that many routes from the first router, `raw HEX` sends a
//! packet from the first router to AllSPFRouters, `raw-to A.B.C.D HEX` to an address. Events on standard output, one JSON object per
//! line: `full` with the router's number, `lost`, `routes` with how many the first router knows.

use std::io::{BufRead, ErrorKind, Read};
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::Parser;
use ferrite_ospf::config::{InterfaceConfig, NetworkType};
use ferrite_ospf::event::External;
use ferrite_ospf::neighbor::State;
use ferrite_ospf::packet::{AreaId, V2};
use ferrite_ospf::{Action, Config, Event, IfId, Instance, Link, LogLine};
use ferrite_types::ids::{IfIndex, RouterId};
use ferrite_types::{Ipv4Prefix, Prefix, Timestamp};
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};
use topotests::bgp::speaker::now_ms;

#[derive(Parser)]
struct Options {
    /// `INTERFACE,ADDRESS/LENGTH,ROUTER-ID`; may be given often.
    #[arg(long = "link", required = true)]
    links: Vec<String>,
    #[arg(long, default_value_t = 10)]
    hello: u16,
    #[arg(long, default_value_t = 40)]
    dead: u32,
    /// Point-to-point links instead of broadcast networks.
    #[arg(long)]
    point_to_point: bool,
    /// Not to be elected.
    #[arg(long, default_value_t = 0)]
    priority: u8,
    /// External routes that the first router announces from the start.
    #[arg(long, default_value_t = 0)]
    externals: u32,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What a router is told.
enum Order {
    Externals(u32),
    Raw(Ipv4Addr, Vec<u8>),
}

const ALL: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 5);
const DESIGNATED: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 6);
const ID: IfId = IfId(1);

struct Router {
    number: usize,
    core: Instance<V2>,
    socket: Socket,
    start: Instant,
    index: u32,
    orders: Receiver<Order>,
}

impl Router {
    fn new(
        number: usize,
        text: &str,
        options: &Options,
        start: Instant,
        orders: Receiver<Order>,
    ) -> Result<Self, Failure> {
        let mut parts = text.split(',');
        let (Some(interface), Some(address), Some(id)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(format!("{text}: not INTERFACE,ADDRESS/LENGTH,ROUTER-ID").into());
        };
        let (address, len) = address.split_once('/').ok_or("an address without its length")?;
        let (address, len): (Ipv4Addr, u8) = (address.parse()?, len.parse()?);
        let index = nix::net::if_::if_nametoindex(interface)?;
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(89)))?;
        socket.bind_device(Some(interface.as_bytes()))?;
        socket.set_recv_buffer_size(8 << 20)?;
        socket.set_send_buffer_size(8 << 20)?;
        socket.set_multicast_if_v4(&address)?;
        socket.set_multicast_loop_v4(false)?;
        socket.set_multicast_ttl_v4(1)?;
        socket.set_ttl_v4(1)?;
        socket.join_multicast_v4_n(&ALL, &InterfaceIndexOrAddress::Index(index))?;
        let mut config = Config::new(RouterId(id.parse()?));
        let network = if options.point_to_point { NetworkType::PointToPoint } else { NetworkType::Broadcast };
        let mut link = InterfaceConfig::new(AreaId::BACKBONE, network);
        (link.hello_interval, link.dead_interval) = (options.hello, options.dead);
        link.priority = options.priority;
        config.interfaces.insert(ID, link);
        let mut router = Self { number, core: Instance::new(config), socket, start, index, orders };
        let up = Link {
            up: true,
            ifindex: IfIndex(index),
            mtu: 1500,
            address: Some(IpAddr::V4(address)),
            prefixes: vec![(IpAddr::V4(address), len)],
            next_hop: None,
        };
        if number == 0 {
            router.announce(options.externals);
        }
        router.tell("up", &[]);
        router.feed(Event::Link(ID, up));
        Ok(router)
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.start.elapsed().as_micros() as u64)
    }

    /// An event for the test, with the time as the other tools tell it.
    fn tell(&self, event: &str, more: &[(&str, serde_json::Value)]) {
        let mut line = serde_json::json!({ "event": event, "router": self.number, "ms": now_ms() });
        for (key, value) in more {
            line[*key] = value.clone();
        }
        println!("{line}");
    }

    fn announce(&mut self, externals: u32) {
        for n in 0..externals {
            let Some(prefix) = Ipv4Prefix::from_bits(0x6400_0000 + (n << 8), 24) else { continue };
            let external = External { metric: 20, type2: true, tag: 0, forwarding: None };
            self.feed(Event::Redistribute(Prefix::V4(prefix), Some(external)));
        }
    }

    fn feed(&mut self, event: Event) {
        let mut actions = Vec::new();
        self.core.handle(self.now(), event, &mut actions);
        self.carry(actions);
    }

    fn carry(&self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Send { destination: IpAddr::V4(to), octets, .. } => self.send(to, &octets),
                Action::Designated { member, .. } => {
                    let index = InterfaceIndexOrAddress::Index(self.index);
                    // It may be a member already; that is as good.
                    let _ = if member {
                        self.socket.join_multicast_v4_n(&DESIGNATED, &index)
                    } else {
                        self.socket.leave_multicast_v4_n(&DESIGNATED, &index)
                    };
                }
                Action::Routes(_) => {
                    self.tell("routes", &[("count", self.core.routes().len().into())]);
                }
                Action::Log(LogLine::Neighbor { to, from, neighbor, .. }) => {
                    let event = match (from, to) {
                        (_, State::Full) => "full",
                        (State::Full, _) => "lost",
                        _ => continue,
                    };
                    self.tell(event, &[("neighbor", neighbor.to_string().into())]);
                }
                _ => {}
            }
        }
    }

    fn send(&self, to: Ipv4Addr, octets: &[u8]) {
        // A full buffer is a lost packet, as on any link.
        let _ = self.socket.send_to(octets, &SocketAddrV4::new(to, 0).into());
    }

    fn obey(&mut self) {
        while let Ok(order) = self.orders.try_recv() {
            match order {
                Order::Externals(count) => self.announce(count),
                Order::Raw(to, octets) => self.send(to, &octets),
            }
        }
    }

    fn run(mut self) -> Result<(), Failure> {
        let mut buffer = vec![0; 65_536];
        loop {
            self.obey();
            let now = self.now();
            let due = self.core.next_deadline().map_or(Duration::from_millis(50), |at| at.since(now));
            let wait = due.clamp(Duration::from_millis(1), Duration::from_millis(50));
            self.socket.set_read_timeout(Some(wait))?;
            match (&self.socket).read(&mut buffer) {
                Ok(len) => self.received(buffer.get(..len).unwrap_or_default()),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
            let mut actions = Vec::new();
            let now = self.now();
            self.core.tick(now, &mut actions);
            self.carry(actions);
        }
    }

    /// A packet with its IP header.
    fn received(&mut self, octets: &[u8]) {
        let header = octets.first().map_or(0, |first| usize::from(first & 15) * 4);
        let address = |at: usize| {
            let four = octets.get(at..at + 4).and_then(|four| <[u8; 4]>::try_from(four).ok());
            four.map(Ipv4Addr::from)
        };
        let (Some(source), Some(destination), Some(body)) = (address(12), address(16), octets.get(header..))
        else {
            return;
        };
        let octets = Bytes::copy_from_slice(body);
        let (source, destination) = (IpAddr::V4(source), IpAddr::V4(destination));
        self.feed(Event::Received { interface: ID, source, destination, octets });
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let pairs = (0..text.len() / 2).map(|at| u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok());
    pairs.collect()
}

fn order(line: &str) -> Option<Order> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        ["externals", count] => Some(Order::Externals(count.parse().ok()?)),
        ["raw", octets] => Some(Order::Raw(ALL, hex(octets)?)),
        ["raw-to", to, octets] => Some(Order::Raw(to.parse().ok()?, hex(octets)?)),
        _ => None,
    }
}

fn main() -> Result<(), Failure> {
    let options = Arc::new(Options::parse());
    let start = Instant::now();
    let mut first: Option<Sender<Order>> = None;
    for (number, link) in options.links.iter().enumerate() {
        let (sender, orders) = channel();
        first.get_or_insert(sender);
        let router = Router::new(number, link, &options, start, orders)?;
        std::thread::spawn(move || {
            if let Err(error) = router.run() {
                println!("{}", serde_json::json!({ "event": "failed", "reason": error.to_string() }));
            }
        });
    }
    for line in std::io::stdin().lock().lines() {
        let Some(order) = order(&line?) else { return Err("not a command".into()) };
        if let Some(first) = &first {
            first.send(order)?;
        }
    }
    Ok(())
}
