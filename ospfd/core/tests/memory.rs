//! What an external route costs in memory: octets of all that an instance keeps for it, and at most while they come in. The figures
//! are printed; the limits are what a change may not exceed unnoticed.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use bytes::BytesMut;
use ferrite_ospf::config::{Config, InterfaceConfig, NetworkType};
use ferrite_ospf::event::External;
use ferrite_ospf::packet::auth::Sign;
use ferrite_ospf::packet::codec::Origin;
use ferrite_ospf::packet::v2::{ExternalLsa, ty};
use ferrite_ospf::packet::{
    AreaId, Body, Codec, Endpoints, LsId, Lsa, LsaHeader, LsaKey, Options, Sequence, V2,
};
use ferrite_ospf::{Action, Event, IfId, Instance, Link};
use ferrite_types::ids::{IfIndex, RouterId};
use ferrite_types::{Ipv4Prefix, Prefix, Timestamp};

/// Counts what the thread has in use: other tests run beside this one.
struct Counting;

thread_local! {
    static IN_USE: Cell<usize> = const { Cell::new(0) };
    static MOST: Cell<usize> = const { Cell::new(0) };
}

/// Allocations of a thread that ends are nobody's.
fn count(change: impl FnOnce(usize) -> usize) {
    let _ = IN_USE.try_with(|in_use| {
        in_use.set(change(in_use.get()));
        let _ = MOST.try_with(|most| most.set(most.get().max(in_use.get())));
    });
}

// A counting allocator cannot be written without these four lines of `unsafe`; each hands the call on unchanged.
#[allow(unsafe_code)]
// SAFETY: every method keeps the contract of `System`, which it calls with the same arguments.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(|in_use| in_use.wrapping_add(layout.size()));
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(|in_use| in_use.wrapping_sub(layout.size()));
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ALL: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 5));

fn address(side: usize) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 255, 255, side as u8 + 1))
}

fn router(side: usize) -> RouterId {
    RouterId(Ipv4Addr::from_bits(side as u32 + 1))
}

/// Two instances on a link without delay; the second announces something of its own, so it is a boundary router.
struct Pair {
    now: Timestamp,
    cores: [Instance<V2>; 2],
    flying: VecDeque<(usize, Event)>,
}

impl Pair {
    fn new() -> Self {
        let make = |side: usize| {
            let mut config = Config::new(router(side));
            let interface = InterfaceConfig::new(AreaId::BACKBONE, NetworkType::PointToPoint);
            config.interfaces.insert(IfId(0), interface);
            Instance::new(config)
        };
        let mut pair = Self { now: Timestamp::ZERO, cores: [make(0), make(1)], flying: VecDeque::new() };
        for side in 0..2 {
            let own = address(side);
            let link = Link {
                up: true,
                ifindex: IfIndex(1),
                mtu: 1500,
                address: Some(own),
                prefixes: vec![(own, 30)],
                ..Link::default()
            };
            pair.feed(side, Event::Link(IfId(0), link));
        }
        let external = External { metric: 1, type2: true, tag: 0, forwarding: None };
        pair.feed(1, Event::Redistribute(Prefix::V4(Ipv4Prefix::DEFAULT), Some(external)));
        pair.run(60);
        pair
    }

    fn feed(&mut self, side: usize, event: Event) {
        let mut out = Vec::new();
        self.cores[side].handle(self.now, event, &mut out);
        self.carry(side, out);
    }

    fn carry(&mut self, side: usize, out: Vec<Action>) {
        for action in out {
            if let Action::Send { interface, source, destination, octets } = action {
                let event = Event::Received { interface, source, destination, octets };
                self.flying.push_back((1 - side, event));
            }
        }
    }

    fn run(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        loop {
            while let Some((side, event)) = self.flying.pop_front() {
                self.feed(side, event);
            }
            let next = self.cores.iter().filter_map(Instance::next_deadline).min();
            let Some(at) = next.filter(|at| *at <= end) else { break };
            self.now = self.now.max(at);
            for side in 0..2 {
                let mut out = Vec::new();
                self.cores[side].tick(self.now, &mut out);
                self.carry(side, out);
            }
        }
        self.now = end;
    }

    /// So many external LSAs of the second router come to the first.
    fn flood(&mut self, many: u32) {
        let ends = Endpoints { source: address(1), destination: ALL };
        let origin = Origin { router: router(1), area: AreaId::BACKBONE, instance: 0 };
        for start in (0..many).step_by(30) {
            let lsas: Vec<Lsa> = (start..(start + 30).min(many)).filter_map(external).collect();
            let octets = V2::seal(&origin, &Body::LinkStateUpdate(lsas), &Sign::None, ends);
            let event = Event::Received { interface: IfId(0), source: ends.source, destination: ALL, octets };
            // What it says to that is not heard: the second router never had them.
            self.cores[0].handle(self.now, event, &mut Vec::new());
        }
        let end = self.now + Duration::from_secs(5);
        while let Some(at) = self.cores[0].next_deadline().filter(|at| *at <= end) {
            self.cores[0].tick(at, &mut Vec::new());
        }
    }
}

fn external(number: u32) -> Option<Lsa> {
    let mut body = BytesMut::new();
    let network = 0x1400_0000 + (number << 8);
    ExternalLsa { mask: 0xffff_ff00, type2: true, metric: 20, forwarding: Ipv4Addr::UNSPECIFIED, tag: 0 }
        .put(&mut body);
    let key = LsaKey { ty: ty::EXTERNAL, id: LsId(network), adv: router(1) };
    let header =
        LsaHeader { age: 1, options: Options::E, key, sequence: Sequence(1), checksum: 0, length: 0 };
    Lsa::build::<V2>(header, &body)
}

fn octets_per_route(many: u32) -> (f64, f64) {
    let mut pair = Pair::new();
    let before = IN_USE.get();
    MOST.set(before);
    pair.flood(many);
    let routes = pair.cores[0].routes().len();
    assert!(routes > many as usize, "{routes} routes of {many} LSAs");
    let per = |octets: usize| octets.saturating_sub(before) as f64 / f64::from(many);
    (per(IN_USE.get()), per(MOST.get()))
}

#[test]
fn an_external_route_costs_a_bounded_number_of_octets() {
    for many in [10_000, 100_000] {
        let (kept, most) = octets_per_route(many);
        println!("{many} external LSAs: {kept:.0} octets each, {most:.0} at most");
        assert!(kept < 1000.0 && most < 1350.0, "{kept:.0} octets each, {most:.0} at most");
    }
}
