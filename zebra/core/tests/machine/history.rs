//! Whatever happened on the way, the kernel ends as if only the last state had ever been: a machine that went through a
//! random history is compared with a fresh one that is told the final state alone.
//!
//! That holds where routes do not resolve through each other in a ring: of a ring, which member is used may depend on who
//! came first. So here the IGPs name neighbours, and only BGP names addresses that others lead to.

use std::collections::BTreeMap;
use std::time::Duration;

use std::net::IpAddr;

use crate::world::{Timed, World, via};
use ferrite_types::zclient::{FromZebra, ToZebra, TrackNexthop};
use ferrite_types::{Nexthop, Prefix, RouteProtocol, VrfId};
use proptest::prelude::*;
use zebra_core::{ClientKey, Event, Options};

#[derive(Clone, Debug)]
enum Step {
    Announce {
        client: usize,
        prefix: usize,
        gateway: usize,
        /// A second next hop.
        also: Option<usize>,
    },
    Withdraw {
        client: usize,
        prefix: usize,
    },
    Link {
        index: u32,
        up: bool,
    },
    /// Dies, comes back and names again what it has.
    Restart {
        client: usize,
    },
    Pass,
}

/// The last two are BGP's, whose gateways they do not cover.
const PREFIXES: [&str; 6] =
    ["0.0.0.0/0", "10.1.0.0/24", "40.0.0.0/8", "40.1.0.0/16", "50.0.0.0/16", "50.0.1.1/32"];
const GATEWAYS: [&str; 6] = ["10.1.0.2", "10.2.0.2", "40.0.0.1", "40.1.0.1", "10.3.0.1", "99.0.0.1"];

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..4_usize, 0..PREFIXES.len(), 0..GATEWAYS.len(), prop::option::of(0..GATEWAYS.len()))
            .prop_map(|(client, prefix, gateway, also)| Step::Announce { client, prefix, gateway, also }),
        3 => (0..4_usize, 0..PREFIXES.len()).prop_map(|(client, prefix)| Step::Withdraw { client, prefix }),
        2 => (1..3_u32, any::<bool>()).prop_map(|(index, up)| Step::Link { index, up }),
        1 => (0..4_usize).prop_map(|client| Step::Restart { client }),
        1 => Just(Step::Pass),
    ]
}

/// What is true at the end of the steps.
#[derive(Default)]
struct State {
    routes: BTreeMap<(usize, usize), (usize, Option<usize>)>,
    down: BTreeMap<u32, bool>,
}

/// Follows how addresses are reached, and never restarts.
const FOLLOWER: ClientKey = ClientKey(50);

fn start(nexthop_objects: bool) -> World {
    let mut world = World::with(Options { nexthop_objects, ..Options::default() });
    for index in [1, 2] {
        world.link(index, true);
        world.address(index, &format!("10.{index}.0.1/24"));
    }
    world.connect(FOLLOWER.0, RouteProtocol::Rip);
    let addresses = GATEWAYS.iter().chain(&["50.0.1.1", "50.0.9.9"]);
    let track = |addr: &&str| TrackNexthop {
        vrf: VrfId::DEFAULT,
        addr: addr.parse().unwrap(),
        connected_only: false,
        exact: None,
        track: true,
    };
    world.say(FOLLOWER, ToZebra::TrackNexthops(addresses.map(track).collect()));
    world
}

/// The last that the follower was told of each address.
fn followed(world: &mut World) -> BTreeMap<IpAddr, Option<(Prefix, Vec<Nexthop>)>> {
    let mut last = BTreeMap::new();
    for message in world.told(FOLLOWER) {
        let FromZebra::Nexthops(states) = message else { continue };
        for state in states {
            let resolved = state.resolved.map(|r| {
                let mut nexthops = r.nexthops.to_vec();
                nexthops.sort_by_key(|n| format!("{n:?}"));
                (r.prefix, nexthops)
            });
            last.insert(state.addr, resolved);
        }
    }
    last
}

/// The first client is BGP; the others name neighbours only.
fn announce(world: &mut World, client: ClientKey, at: usize, prefix: usize, to: (usize, Option<usize>)) {
    let gateway = |n: usize| via(GATEWAYS[if at == 0 { n } else { n % 2 }]);
    let prefix = if at == 0 { prefix.max(4) } else { prefix };
    let nexthops: Vec<Nexthop> = [Some(to.0), to.1].into_iter().flatten().map(gateway).collect();
    world.announce(client, protocol(at), PREFIXES[prefix], &nexthops);
}

fn protocol(client: usize) -> RouteProtocol {
    [RouteProtocol::Bgp, RouteProtocol::Ospf, RouteProtocol::Isis, RouteProtocol::Sharp][client]
}

fn play(steps: &[Step], nexthop_objects: bool) -> (World, State) {
    let mut world = start(nexthop_objects);
    let mut state = State::default();
    let mut keys: Vec<ClientKey> = (0..4).map(|at| world.connect(at as u64 + 1, protocol(at))).collect();
    let mut next_key = 100;
    for step in steps {
        match *step {
            Step::Announce { client, prefix, gateway, also } => {
                let prefix = if client == 0 { prefix.max(4) } else { prefix };
                state.routes.insert((client, prefix), (gateway, also));
                announce(&mut world, keys[client], client, prefix, (gateway, also));
            }
            Step::Withdraw { client, prefix } => {
                let prefix = if client == 0 { prefix.max(4) } else { prefix };
                state.routes.remove(&(client, prefix));
                world.withdraw(keys[client], protocol(client), PREFIXES[prefix]);
            }
            Step::Link { index, up } => {
                state.down.insert(index, !up);
                world.link(index, up);
            }
            Step::Restart { client } => {
                world.event(Event::ClientGone { client: keys[client] });
                next_key += 1;
                keys[client] = world.connect(next_key, protocol(client));
                for ((of, prefix), to) in state.routes.clone() {
                    if of == client {
                        announce(&mut world, keys[client], client, prefix, to);
                    }
                }
                world.say(keys[client], ToZebra::ReplayDone);
            }
            Step::Pass => world.pass(Duration::from_secs(1)),
        }
    }
    world.pass(Duration::from_secs(100));
    (world, state)
}

fn fresh(state: &State, nexthop_objects: bool) -> World {
    let mut world = start(nexthop_objects);
    for (index, down) in &state.down {
        world.link(*index, !down);
    }
    let keys: Vec<ClientKey> = (0..4).map(|at| world.connect(at as u64 + 1, protocol(at))).collect();
    for ((client, prefix), to) in &state.routes {
        announce(&mut world, keys[*client], *client, *prefix, *to);
    }
    world.pass(Duration::from_secs(100));
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_kernel_ends_as_if_only_the_last_state_had_been(
        steps in prop::collection::vec(step(), 1..30),
        objects in any::<bool>(),
    ) {
        let (mut played, state) = play(&steps, objects);
        let mut expected = fresh(&state, objects);
        let show = |world: &World| -> Vec<String> {
            world.kernel.keys().map(|(_, prefix)| {
                let text = prefix.to_string();
                format!("{text} {}", world.kernel(&text).unwrap_or_default())
            }).collect()
        };
        prop_assert_eq!(show(&played), show(&expected));
        prop_assert_eq!(followed(&mut played), followed(&mut expected));
    }

    #[test]
    fn what_all_clients_took_back_leaves_nothing(steps in prop::collection::vec(step(), 1..30)) {
        let (mut world, _) = play(&steps, false);
        for (at, key) in (0..4).map(|at| (at, 1000 + at as u64)) {
            let client = world.connect(key, protocol(at));
            world.say(client, ToZebra::Goodbye { keep_routes: false });
        }
        prop_assert!(world.kernel.is_empty(), "{:?}", world.kernel);
    }
}
