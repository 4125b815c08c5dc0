//! Hostile neighbours at the level of octets, against running daemons.
//!
//! One bgpd, one session per case of the tables in `hostile/`, and beside them a bystander whose session and routes
//! must never be touched. The same tables run against FRR first: an implementation that is known to work proves that
//! the octets are what the names say. Where FRR answers otherwise than the RFCs, the row says so.

mod hostile {
    pub mod attribute_cases;
    pub mod bystander;
    pub mod capability_cases;
    pub mod case;
    pub mod client;
    pub mod deviations;
    pub mod family_cases;
    pub mod feature_cases;
    pub mod judge;
    pub mod lab;
    pub mod link;
    pub mod martians;
    pub mod mutations;
    pub mod octets;
    pub mod rtr;
    pub mod scenarios;
    pub mod security;
    pub mod session_cases;
    pub mod shows;
    pub mod sides;
    pub mod sockets;
    pub mod station;
    pub mod table;
    pub mod update_cases;
}

use topotests::{Kind, Needs, run};

use hostile::{link, martians, mutations, scenarios, security, sides, table};

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

#[test]
fn caches_stations_and_shells_that_misbehave_leave_the_sessions_alone() {
    run(&Needs::ours(), sides::run_all);
}

#[test]
fn a_link_full_of_odd_advertisements_brings_no_router_and_no_harm() {
    run(&Needs::ours(), link::run_all);
}

#[test]
fn frr_takes_martian_next_hops_only_where_the_line_allows_them() {
    run(&Needs::peers(), |net| martians::run_all(net, Kind::Frr));
}

#[test]
fn martian_next_hops_are_taken_only_where_the_line_allows_them() {
    run(&Needs::ours(), |net| martians::run_all(net, Kind::Ours));
}

#[test]
fn every_known_failure_has_its_cases() {
    security::every_row_has_its_cases();
}

#[test]
fn every_known_failure_of_the_list_is_in_the_table() {
    security::every_row_of_the_list_is_here();
}
