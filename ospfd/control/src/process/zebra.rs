//! What zebra says, and what it is told after a connection was made.

use std::collections::BTreeSet;

use ferrite_types::Timestamp;
use ferrite_types::ids::IfIndex;
use ferrite_types::zclient::{FromZebra, ToZebra};

use super::KernelLink;
use super::event::{Action, LogLevel};
use super::flavor::Flavor;
use super::ospf::{Ospf, Processes, REPLAY_LIMIT, World};
use super::topics;

/// Where the connection to zebra stands.
#[derive(Debug, Default)]
pub struct ZebraState {
    connected: bool,
    /// The links that the snapshot has named so far; none when it is complete.
    naming: Option<BTreeSet<IfIndex>>,
    /// When what was not told again is swept at the latest; none when zebra was told.
    replay_until: Option<Timestamp>,
    /// It was once told that everything is there.
    replayed: bool,
}

impl ZebraState {
    pub(super) fn connected(&mut self) {
        self.connected = true;
        self.naming = Some(BTreeSet::new());
        self.replay_until = None;
    }

    pub(super) fn gone(&mut self) {
        self.connected = false;
        self.naming = None;
        self.replay_until = None;
    }

    /// The snapshot of a connection is under way.
    pub(super) fn is_listening(&self) -> bool {
        self.naming.is_some()
    }

    pub(super) fn takes_routes(&self) -> bool {
        self.connected && self.naming.is_none()
    }

    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        self.replay_until
    }
}

impl Ospf {
    pub(super) fn zebra_said(&mut self, now: Timestamp, message: FromZebra, out: &mut Vec<Action>) {
        let world = &mut self.world;
        if world.traced
            && let Some(text) = news(world, &message)
        {
            out.push(Action::Log(LogLevel::Debug(topics::ZEBRA_INTERFACE), text));
        }
        match message {
            FromZebra::Interface(interface) => {
                let ifindex = interface.ifindex;
                let first = world.zebra.naming.as_mut().is_some_and(|named| named.insert(ifindex));
                let link = world
                    .links
                    .entry(ifindex)
                    .or_insert_with(|| KernelLink { interface: interface.clone(), addresses: Vec::new() });
                link.interface = interface;
                if first {
                    // They follow.
                    link.addresses.clear();
                    world.link_params.remove(&ifindex);
                }
            }
            FromZebra::LinkParams { ifindex, params: Some(params) } => {
                let text = format!("parameters of interface {ifindex}: {params:?}");
                out.push(Action::Log(LogLevel::Debug(topics::TRAFFIC_ENGINEERING), text));
                drop(world.link_params.insert(ifindex, params));
            }
            FromZebra::LinkParams { ifindex, params: None } => drop(world.link_params.remove(&ifindex)),
            FromZebra::LdpSync(said) => {
                out.push(Action::Log(LogLevel::Debug(topics::LDP_SYNC), format!("zebra says {said:?}")));
                world.ldp.said(said);
            }
            FromZebra::InterfaceGone(ifindex) => {
                world.links.remove(&ifindex);
                world.link_params.remove(&ifindex);
            }
            FromZebra::Address { ifindex, address } => {
                if let Some(link) = world.links.get_mut(&ifindex) {
                    link.addresses.retain(|known| !same(known, &address));
                    link.addresses.push(address);
                }
            }
            FromZebra::AddressGone { ifindex, address } => {
                if let Some(link) = world.links.get_mut(&ifindex) {
                    link.addresses.retain(|known| !same(known, &address));
                }
            }
            FromZebra::Vrf { vrf, name, .. } => {
                world.vrfs.retain(|_, known| *known != vrf);
                world.vrfs.insert(name, vrf);
            }
            FromZebra::VrfGone(vrf) => world.vrfs.retain(|_, known| *known != vrf),
            FromZebra::RouterId { vrf, router_id } => drop(world.router_ids.insert(vrf, router_id)),
            FromZebra::SnapshotDone => return self.snapshot_done(now, out),
            FromZebra::Redistributed(routes) => return self.learn(now, routes, out),
            FromZebra::Nexthops(states) => return self.defaults_changed(now, &states, out),
            FromZebra::Refused { request, reason } => {
                out.push(Action::Log(LogLevel::Warning, format!("zebra refused {request}: {reason}")));
                return;
            }
            _ => return,
        }
        self.stale = true;
    }

    /// Everything is told again, and what zebra still has beside that goes when we know all that we will know.
    fn snapshot_done(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        if let Some(named) = self.world.zebra.naming.take() {
            self.world.links.retain(|ifindex, _| named.contains(ifindex));
        }
        self.world.learned.forget_subscriptions();
        self.stale = true;
        self.settle(now, out);
        tell_all(&self.v2, self, out);
        tell_all(&self.v3, self, out);
        tell_all(&self.v3_ipv4, self, out);
        // A restart may take its grace period.
        let grace = std::time::Duration::from_secs(self.hold_time().unwrap_or(0).into());
        let limit = if self.world.zebra.replayed { now } else { now + REPLAY_LIMIT.max(grace) };
        self.world.zebra.replay_until = Some(limit);
    }

    /// After a start the routes of an earlier run stay until the neighbours have told everything again, or for a minute.
    pub(super) fn replay_when_due(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        let Some(limit) = self.world.zebra.replay_until else { return };
        let none = self.v2.is_empty() && self.v3.is_empty() && self.v3_ipv4.is_empty();
        let settled = settled(&self.v2) && settled(&self.v3) && settled(&self.v3_ipv4) && !none;
        if settled || limit <= now {
            self.world.zebra.replay_until = None;
            self.world.zebra.replayed = true;
            out.push(Action::Zebra(ToZebra::ReplayDone));
        }
    }
}

/// Every process has an adjacency with routes from it, and none is being formed.
fn settled<V: Flavor>(processes: &Processes<V>) -> bool {
    processes.values().all(|process| {
        !process.restarting
            && process.has_adjacency()
            && !process.is_exchanging()
            && process.core.routes().values().any(|route| route.hops.iter().any(|hop| hop.address.is_some()))
    })
}

fn tell_all<V: Flavor>(processes: &Processes<V>, ospf: &Ospf, out: &mut Vec<Action>) {
    for process in processes.values() {
        process.tell_all(&ospf.world.settings, out);
    }
}

/// What is said of links, addresses and VRFs, in words.
fn news(world: &World, message: &FromZebra) -> Option<String> {
    let name = |ifindex: &IfIndex| {
        world.links.get(ifindex).map_or_else(|| ifindex.to_string(), |link| link.interface.name.clone())
    };
    Some(match message {
        FromZebra::Interface(interface) => {
            let state = if interface.operative() { "up" } else { "down" };
            format!("zebra: interface {}, index {}, {state}", interface.name, interface.ifindex)
        }
        FromZebra::InterfaceGone(ifindex) => format!("zebra: interface {} is gone", name(ifindex)),
        FromZebra::Address { ifindex, address } => {
            format!("zebra: address {}/{} on {}", address.addr, address.prefix_len, name(ifindex))
        }
        FromZebra::AddressGone { ifindex, address } => {
            format!("zebra: address {}/{} is gone from {}", address.addr, address.prefix_len, name(ifindex))
        }
        FromZebra::Vrf { vrf, name, .. } => format!("zebra: VRF {name}, {vrf}"),
        FromZebra::VrfGone(vrf) => format!("zebra: VRF {vrf} is gone"),
        FromZebra::RouterId { vrf, router_id } => format!("zebra: router ID {router_id} for VRF {vrf}"),
        _ => return None,
    })
}

fn same(
    a: &ferrite_types::interface::InterfaceAddress,
    b: &ferrite_types::interface::InterfaceAddress,
) -> bool {
    (a.addr, a.prefix_len, a.peer) == (b.addr, b.prefix_len, b.peer)
}
