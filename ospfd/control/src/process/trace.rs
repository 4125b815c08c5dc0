//! What happens inside a core, in words for who debugs.

use std::fmt::Display;

use ferrite_ospf::IfId;
use ferrite_ospf::instance::Place;
use ferrite_ospf::trace::Trace;
use ferrite_ospf_packet::{LsaHeader, LsaKey};

use super::topics::{self, Deed, Topic};
use super::{Flavor, Process, log};

pub(super) fn words<V: Flavor>(process: &Process<V>, line: &Trace) -> (Topic, String) {
    let version = V::VERSION;
    let on = |interface: &IfId| log::place(process, *interface);
    let key = |key: &LsaKey| format!("type {:#x}, ID {}, of {}", key.ty.0, key.id, key.adv);
    let header = |lsa: &LsaHeader| {
        format!("{}, sequence {:#010x}, age {}", key(&lsa.key), lsa.sequence.0 as u32, lsa.age)
    };
    // Grace-LSAs are about a restart whatever else they are.
    let lsa = |of: &LsaKey, deed| {
        if V::is_grace(of) { topics::restart(version) } else { topics::lsa(version, of.ty, deed) }
    };
    let place = |place: &Place| match place {
        Place::Link(interface) => format!("link {}", on(interface)),
        Place::Area(area) => format!("area {area}"),
        Place::As => "AS".to_owned(),
    };
    let (topic, text): (Topic, String) = match line {
        Trace::InterfaceEvent { interface, state, event } => {
            (topics::interface_event(version), format!("{}: {event:?} in {state:?}", on(interface)))
        }
        Trace::InterfaceTimer { interface, timer } => {
            (topics::interface_timer(version), format!("{}: {timer} timer", on(interface)))
        }
        Trace::NeighborEvent { interface, neighbor, state, event } => (
            topics::neighbor_event(version),
            format!("neighbor {neighbor} on {}: {event:?} in {state:?}", on(interface)),
        ),
        Trace::NeighborTimer { interface, neighbor, timer } => (
            topics::neighbor_timer(version),
            format!("neighbor {neighbor} on {}: {timer} timer", on(interface)),
        ),
        Trace::Generated(at, made) => {
            (lsa(&made.key, Deed::Generated), format!("LSA made for {}: {}", place(at), header(made)))
        }
        Trace::Refreshed(at, made) => {
            (lsa(made, Deed::Refreshed), format!("LSA due for refresh in {}: {}", place(at), key(made)))
        }
        Trace::Examined { interface, neighbor, header: came } => (
            lsa(&came.key, Deed::Examined),
            format!("LSA from {neighbor} on {}: {}", on(interface), header(came)),
        ),
        Trace::Installed(at, came) => {
            (lsa(&came.key, Deed::Installed), format!("LSA put into {}: {}", place(at), header(came)))
        }
        Trace::Removed(at, gone) => {
            let topic = if V::is_grace(gone) { topics::restart(version) } else { topics::removed(version) };
            (topic, format!("LSA gone from {}: {}", place(at), key(gone)))
        }
        Trace::Flooded { interface, key: out } => {
            (lsa(out, Deed::Flooded), format!("LSA flooded on {}: {}", on(interface), key(out)))
        }
        Trace::Aggregated { range, prefix, present } => {
            let what = if *present { "lies in" } else { "is gone from" };
            (topics::aggregate(version), format!("external route {prefix} {what} {range}"))
        }
        Trace::Scheduled => (topics::scheduled(version), "shortest paths are to be computed".to_owned()),
        Trace::Tree { area, vertices, moved } => (
            topics::tree(version),
            format!("shortest paths of area {area}: {vertices} vertices, {moved} looked at"),
        ),
        Trace::Border { area, router, cost } => {
            (topics::border(version), format!("border router {router} in area {area}: {}", or_none(*cost)))
        }
        Trace::Calculated { whole, changed } => {
            let what = if *whole { "whole" } else { "partial" };
            (topics::calculated(version), format!("{what} calculation: {changed} routes differ"))
        }
        Trace::Signed { interface, key } => {
            (topics::signed(version), format!("packet signed with key {key} on {}", on(interface)))
        }
        Trace::Verified { interface, source } => {
            (topics::verified(version), format!("digest of {source} on {} fits", on(interface)))
        }
    };
    (topic, format!("{text} (vrf {})", process.named()))
}

fn or_none(cost: Option<impl Display>) -> String {
    cost.map_or("not reached".to_owned(), |cost| format!("cost {cost}"))
}
