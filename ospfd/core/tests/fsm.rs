//! The two state machines, every cell: a change of the tables shows up here in review.

use std::fmt::Write;

use ferrite_ospf::interface::fsm as interface;
use ferrite_ospf::neighbor::fsm as neighbor;

fn compare(name: &str, dump: &str, golden: &str) {
    assert_eq!(dump, golden, "{name} differs from its golden dump:\n{dump}");
}

#[test]
fn every_cell_of_the_interface_machine_is_decided() {
    let mut dump = String::new();
    for state in interface::STATES {
        for event in interface::EVENTS {
            writeln!(dump, "{state:?} {event:?}: {:?}", interface::step(state, event)).expect("a string");
        }
    }
    compare("interface", &dump, include_str!("golden/interface.txt"));
}

#[test]
fn every_cell_of_the_neighbor_machine_is_decided() {
    let mut dump = String::new();
    for state in neighbor::STATES {
        for event in neighbor::EVENTS {
            writeln!(dump, "{state:?} {event:?}: {:?}", neighbor::step(state, event)).expect("a string");
        }
    }
    compare("neighbor", &dump, include_str!("golden/neighbor.txt"));
}
