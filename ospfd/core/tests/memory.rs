//! What an external route costs in memory: octets of all that an instance keeps for it, and at most while they come in. The figures
//! are printed; the limits are what a change may not exceed unnoticed.

mod pair;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::Ipv4Addr;
use std::time::Duration;

use bytes::BytesMut;
use ferrite_ospf::event::External;
use ferrite_ospf::packet::auth::Sign;
use ferrite_ospf::packet::codec::Origin;
use ferrite_ospf::packet::v2::{ExternalLsa, ty};
use ferrite_ospf::packet::{
    AreaId, Body, Codec, Endpoints, LsId, Lsa, LsaHeader, LsaKey, Options, Sequence, V2,
};
use ferrite_ospf::{Event, IfId};
use ferrite_types::ids::RouterId;
use ferrite_types::{Ipv4Prefix, Prefix};

use pair::{ALL, Pair, address};

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

fn router(side: usize) -> RouterId {
    RouterId(Ipv4Addr::from_bits(side as u32 + 1))
}

/// Adjacent; the second announces something of its own, so it is a boundary router.
fn adjacent() -> Pair {
    let mut pair = Pair::new([router(0), router(1)]);
    pair.up(0);
    pair.up(1);
    let external = External { metric: 1, type2: true, tag: 0, forwarding: None };
    pair.feed(1, Event::Redistribute(Prefix::V4(Ipv4Prefix::DEFAULT), Some(external)));
    pair.run(60);
    pair
}

impl Pair {
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
    let mut pair = adjacent();
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
