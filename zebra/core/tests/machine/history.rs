//! Whatever happened on the way, the kernel ends as if only the last state had ever been: a machine that went through a
//! random history is compared with a fresh one that is told the final state alone.
//!
//! That holds where routes do not resolve through each other in a ring: of a ring, which member is used may depend on who
//! came first. So here the IGPs name neighbours, and only BGP names addresses that others lead to.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::world::{Timed, World, via};
use ferrite_types::RouteProtocol;
use ferrite_types::zclient::ToZebra;
use proptest::prelude::*;
use zebra_core::{ClientKey, Event};

#[derive(Clone, Debug)]
enum Step {
    Announce {
        client: usize,
        prefix: usize,
        gateway: usize,
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
        6 => (0..4_usize, 0..PREFIXES.len(), 0..GATEWAYS.len())
            .prop_map(|(client, prefix, gateway)| Step::Announce { client, prefix, gateway }),
        3 => (0..4_usize, 0..PREFIXES.len()).prop_map(|(client, prefix)| Step::Withdraw { client, prefix }),
        2 => (1..3_u32, any::<bool>()).prop_map(|(index, up)| Step::Link { index, up }),
        1 => (0..4_usize).prop_map(|client| Step::Restart { client }),
        1 => Just(Step::Pass),
    ]
}

/// What is true at the end of the steps.
#[derive(Default)]
struct State {
    routes: BTreeMap<(usize, usize), usize>,
    down: BTreeMap<u32, bool>,
}

fn start() -> World {
    let mut world = World::new();
    for index in [1, 2] {
        world.link(index, true);
        world.address(index, &format!("10.{index}.0.1/24"));
    }
    world
}

/// The first client is BGP; the others name neighbours only.
fn announce(world: &mut World, client: ClientKey, at: usize, prefix: usize, gateway: usize) {
    let gateway = if at == 0 { gateway } else { gateway % 2 };
    let prefix = if at == 0 { prefix.max(4) } else { prefix };
    world.announce(client, protocol(at), PREFIXES[prefix], &[via(GATEWAYS[gateway])]);
}

fn protocol(client: usize) -> RouteProtocol {
    [RouteProtocol::Bgp, RouteProtocol::Ospf, RouteProtocol::Isis, RouteProtocol::Sharp][client]
}

fn play(steps: &[Step]) -> (World, State) {
    let mut world = start();
    let mut state = State::default();
    let mut keys: Vec<ClientKey> = (0..4).map(|at| world.connect(at as u64 + 1, protocol(at))).collect();
    let mut next_key = 100;
    for step in steps {
        match *step {
            Step::Announce { client, prefix, gateway } => {
                let prefix = if client == 0 { prefix.max(4) } else { prefix };
                state.routes.insert((client, prefix), gateway);
                announce(&mut world, keys[client], client, prefix, gateway);
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
                for ((of, prefix), gateway) in state.routes.clone() {
                    if of == client {
                        announce(&mut world, keys[client], client, prefix, gateway);
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

fn fresh(state: &State) -> World {
    let mut world = start();
    for (index, down) in &state.down {
        world.link(*index, !down);
    }
    let keys: Vec<ClientKey> = (0..4).map(|at| world.connect(at as u64 + 1, protocol(at))).collect();
    for ((client, prefix), gateway) in &state.routes {
        announce(&mut world, keys[*client], *client, *prefix, *gateway);
    }
    world.pass(Duration::from_secs(100));
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_kernel_ends_as_if_only_the_last_state_had_been(steps in prop::collection::vec(step(), 1..30)) {
        let (played, state) = play(&steps);
        let expected = fresh(&state);
        let show = |world: &World| -> Vec<String> {
            world.kernel.keys().map(|(_, prefix)| {
                let text = prefix.to_string();
                format!("{text} {}", world.kernel(&text).unwrap_or_default())
            }).collect()
        };
        prop_assert_eq!(show(&played), show(&expected));
    }

    #[test]
    fn what_all_clients_took_back_leaves_nothing(steps in prop::collection::vec(step(), 1..30)) {
        let (mut world, _) = play(&steps);
        for (at, key) in (0..4).map(|at| (at, 1000 + at as u64)) {
            let client = world.connect(key, protocol(at));
            world.say(client, ToZebra::Goodbye { keep_routes: false });
        }
        prop_assert!(world.kernel.is_empty(), "{:?}", world.kernel);
    }
}
