//! Routers that speak OSPFv2 or OSPFv3 on links of the namespace this runs in, each with a router ID of its own: they come up, announce
//! external routes, and send octets of a test's making.
//!
//! Commands on standard input, one per line: `externals N` announces that many routes from the first router, `raw HEX` sends a
//! packet from the first router to AllSPFRouters, `raw-to ADDRESS HEX` to an address. Events on standard output, one JSON object per
//! line: `up` with the address that packets come from, `full` with the router's number, `lost`, `routes` with how many the first router
//! knows.

mod port;

use std::io::BufRead;
use std::net::IpAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use clap::Parser;
use ferrite_ospf::config::{Authentication, InterfaceConfig, NetworkType};
use ferrite_ospf::event::External;
use ferrite_ospf::neighbor::State;
use ferrite_ospf::packet::auth::{Algorithm, Key};
use ferrite_ospf::packet::family::Inet4;
use ferrite_ospf::packet::{AreaId, V2, V3};
use ferrite_ospf::{Action, Config, Event, IfId, Instance, Link, LogLine, Version};
use ferrite_types::ids::{IfIndex, RouterId};
use ferrite_types::{Ipv4Prefix, Prefix, Timestamp};
use topotests::bgp::speaker::now_ms;

use port::Port;

#[derive(Parser)]
struct Options {
    #[arg(long, value_enum, default_value_t = Speaks::V2)]
    version: Speaks,
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
    /// A secret that OSPFv3's packets are signed with: HMAC-SHA-256, key ID 9.
    #[arg(long)]
    key: Option<String>,
    /// External routes that the first router announces from the start.
    #[arg(long, default_value_t = 0)]
    externals: u32,
}

/// OSPFv3 speaks from the link-local address of an interface.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Speaks {
    V2,
    V3,
    /// IPv4 by OSPFv3 (RFC 5838).
    V3Ipv4,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What a router is told.
enum Order {
    Externals(u32),
    /// To an address, or to AllSPFRouters.
    Raw(Option<IpAddr>, Vec<u8>),
}

const ID: IfId = IfId(1);

struct Router<V: Version> {
    number: usize,
    core: Instance<V>,
    port: Port,
    start: Instant,
    orders: Receiver<Order>,
}

impl<V: Version> Router<V> {
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
        let (address, len): (IpAddr, u8) = (address.parse()?, len.parse()?);
        let index = nix::net::if_::if_nametoindex(interface)?;
        let own = match options.version {
            Speaks::V2 => address,
            _ => IpAddr::V6(port::link_local(interface).ok_or("no link-local address")?),
        };
        let port = Port::open(interface, index, own, V::ALL_SPF_ROUTERS)?;
        let mut config = Config::new(RouterId(id.parse()?));
        let network = if options.point_to_point { NetworkType::PointToPoint } else { NetworkType::Broadcast };
        let mut link = InterfaceConfig::new(AreaId::BACKBONE, network);
        (link.hello_interval, link.dead_interval) = (options.hello, options.dead);
        link.priority = options.priority;
        link.instance = if options.version == Speaks::V3Ipv4 { 64 } else { 0 };
        let key =
            |text: &String| Key { id: 9, algorithm: Algorithm::HmacSha256, secret: text.as_bytes().to_vec() };
        if let Some(key) = options.key.as_ref().map(key) {
            link.authentication = Authentication::Keys(vec![key]);
        }
        config.interfaces.insert(ID, link);
        let mut router = Self { number, core: Instance::new(config), port, start, orders };
        let up = Link {
            up: true,
            ifindex: IfIndex(index),
            mtu: 1500,
            address: Some(own),
            prefixes: vec![(address, len)],
            next_hop: (options.version == Speaks::V3Ipv4).then_some(address),
        };
        if number == 0 {
            router.announce(options.externals);
        }
        router.tell("up", &[("address", own.to_string().into())]);
        router.feed(Event::Link(ID, up));
        Ok(router)
    }

    const V6: bool = V::VERSION == 3;

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
            let Some(prefix) = external::<V>(n) else { continue };
            let external = External { metric: 20, type2: true, tag: 0, forwarding: None };
            self.feed(Event::Redistribute(prefix, Some(external)));
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
                Action::Send { destination, octets, .. } => self.port.send(destination, &octets),
                Action::Designated { member, .. } => self.port.designated(Self::V6, member),
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

    fn obey(&mut self) {
        while let Ok(order) = self.orders.try_recv() {
            match order {
                Order::Externals(count) => self.announce(count),
                Order::Raw(to, octets) => self.port.send(to.unwrap_or(V::ALL_SPF_ROUTERS), &octets),
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
            if let Some(packet) = self.port.receive(Self::V6, wait, &mut buffer)? {
                let port::Packet { source, destination, octets } = packet;
                self.feed(Event::Received { interface: ID, source, destination, octets });
            }
            let mut actions = Vec::new();
            let now = self.now();
            self.core.tick(now, &mut actions);
            self.carry(actions);
        }
    }
}

/// One of many prefixes of the family that is routed.
fn external<V: Version>(n: u32) -> Option<Prefix> {
    match V::DEFAULT_ROUTE {
        Prefix::V4(_) => Ipv4Prefix::from_bits(0x6400_0000 + (n << 8), 24).map(Prefix::V4),
        Prefix::V6(_) => format!("3fff:{:x}:{:x}::/64", n >> 16, n & 0xffff).parse().ok(),
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
        ["raw", octets] => Some(Order::Raw(None, hex(octets)?)),
        ["raw-to", to, octets] => Some(Order::Raw(Some(to.parse().ok()?), hex(octets)?)),
        _ => None,
    }
}

fn spawn<V: Version + Send + 'static>(
    number: usize,
    link: &str,
    options: &Options,
    start: Instant,
    orders: Receiver<Order>,
) -> Result<(), Failure> {
    let router = Router::<V>::new(number, link, options, start, orders)?;
    std::thread::spawn(move || {
        if let Err(error) = router.run() {
            println!("{}", serde_json::json!({ "event": "failed", "reason": error.to_string() }));
        }
    });
    Ok(())
}

fn main() -> Result<(), Failure> {
    let options = Options::parse();
    let start = Instant::now();
    let mut first: Option<Sender<Order>> = None;
    for (number, link) in options.links.iter().enumerate() {
        let (sender, orders) = channel();
        first.get_or_insert(sender);
        match options.version {
            Speaks::V2 => spawn::<V2>(number, link, &options, start, orders)?,
            Speaks::V3 => spawn::<V3>(number, link, &options, start, orders)?,
            Speaks::V3Ipv4 => spawn::<V3<Inet4>>(number, link, &options, start, orders)?,
        }
    }
    for line in std::io::stdin().lock().lines() {
        let Some(order) = order(&line?) else { return Err("not a command".into()) };
        if let Some(first) = &first {
            first.send(order)?;
        }
    }
    Ok(())
}
