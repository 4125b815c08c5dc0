//! Hostile neighbours at the level of octets, against running daemons.
//!
//! One bgpd, one session per case of the tables in `hostile/`, and beside them a bystander whose session and routes
//! must never be touched. The same tables run against FRR first: an implementation that is known to work proves that
//! the octets are what the names say. Where FRR answers otherwise than the RFCs, the row says so.

mod hostile {
    pub mod attribute_cases;
    pub mod bystander;
    pub mod case;
    pub mod client;
    pub mod deviations;
    pub mod judge;
    pub mod lab;
    pub mod mutations;
    pub mod octets;
    pub mod scenarios;
    pub mod session_cases;
    pub mod sockets;
    pub mod table;
    pub mod update_cases;
}

use topotests::{Kind, Needs, run};

use hostile::{mutations, scenarios, table};

#[test]
fn frr_answers_every_hostile_message_as_its_row_says() {
    run(&Needs::peers(), |net| table::run_all(net, Kind::Frr));
}

#[test]
fn every_hostile_message_costs_its_sender_only_what_the_rfcs_say() {
    run(&Needs::ours(), |net| table::run_all(net, Kind::Ours));
}

#[test]
fn frr_stands_floods_silence_and_collisions() {
    run(&Needs::peers(), |net| scenarios::run_all(net, Kind::Frr));
}

#[test]
fn floods_silence_and_collisions_leave_other_sessions_alone() {
    run(&Needs::ours(), |net| scenarios::run_all(net, Kind::Ours));
}

#[test]
fn every_hostile_message_damaged_at_random_leaves_other_sessions_alone() {
    run(&Needs::ours(), |net| mutations::run_all(net, Kind::Ours));
}
