//! What a million routes cost. The figure is printed; the limit is what a change may not exceed unnoticed.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use ferrite_types::zclient::{RouteBatch, RouteUpdate, ToZebra};
use ferrite_types::{Ipv4Prefix, Nexthop, RouteProtocol, Safi, VrfId};

use crate::world::{World, attrs, via};

/// Counts what the thread has in use: other tests run beside this one.
struct Counting;

thread_local! {
    static IN_USE: Cell<usize> = const { Cell::new(0) };
}

/// Allocations of a thread that ends are nobody's.
fn count(change: impl FnOnce(usize) -> usize) {
    let _ = IN_USE.try_with(|in_use| in_use.set(change(in_use.get())));
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

#[test]
fn a_route_costs_less_than_a_hundred_octets() {
    const ROUTES: u32 = 200_000;
    let mut world = World::new();
    world.link(1, true);
    world.address(1, "10.1.0.1/24");
    let bgp = world.connect(1, RouteProtocol::Bgp);
    let sets: Vec<Arc<[Nexthop]>> = (2..66).map(|host| [via(&format!("10.1.0.{host}"))].into()).collect();
    world.forget_kernel = true;
    let before = IN_USE.get();
    for start in (0..ROUTES).step_by(4096) {
        let update = |i: u32| RouteUpdate {
            prefix: Ipv4Prefix::from_bits(0x1400_0000 + (i << 8), 24).unwrap().into(),
            protocol: RouteProtocol::Bgp,
            route: Some(ferrite_types::zclient::RouteAttrs {
                nexthops: sets[i as usize % sets.len()].clone(),
                ..attrs(RouteProtocol::Bgp, &[])
            }),
        };
        let updates = (start..(start + 4096).min(ROUTES)).map(update).collect();
        world.say(
            bgp,
            ToZebra::Routes(RouteBatch {
                vrf: VrfId::DEFAULT,
                safi: Safi::Unicast,
                table: None,
                instance: 0,
                group: None,
                updates,
            }),
        );
    }
    let octets = IN_USE.get().saturating_sub(before) as f64 / f64::from(ROUTES);
    println!("{octets:.1} octets per route");
    assert!(octets < 100.0, "{octets:.1} octets per route");
}
