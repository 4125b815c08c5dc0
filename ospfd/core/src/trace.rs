//! What happens inside, step by step, for who debugs. Nothing is gathered unless somebody asked for it
//! ([`Instance::set_trace`]): the lines of a large network are many.

use std::net::IpAddr;

use ferrite_ospf_packet::{AreaId, LsaHeader, LsaKey};
use ferrite_types::Prefix;
use ferrite_types::ids::RouterId;

use crate::event::{Action, IfId, LogLine};
use crate::instance::{Instance, Place};
use crate::interface::{self, fsm as ifsm};
use crate::neighbor::{self, fsm as nfsm};
use crate::version::Version;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trace {
    InterfaceEvent {
        interface: IfId,
        state: interface::State,
        event: ifsm::Event,
    },
    InterfaceTimer {
        interface: IfId,
        timer: &'static str,
    },
    NeighborEvent {
        interface: IfId,
        neighbor: RouterId,
        state: neighbor::State,
        event: nfsm::Event,
    },
    NeighborTimer {
        interface: IfId,
        neighbor: RouterId,
        timer: &'static str,
    },
    /// An LSA of ours was made.
    Generated(Place, LsaHeader),
    /// One of ours was old and is made anew.
    Refreshed(Place, LsaKey),
    /// An LSA came from a neighbour, and is looked at.
    Examined {
        interface: IfId,
        neighbor: RouterId,
        header: LsaHeader,
    },
    /// An LSA was put into a database.
    Installed(Place, LsaHeader),
    /// One at MaxAge is gone everywhere.
    Removed(Place, LsaKey),
    /// An LSA goes out on an interface.
    Flooded {
        interface: IfId,
        key: LsaKey,
    },
    /// A route of another protocol lies in a prefix under which such routes are gathered.
    Aggregated {
        range: Prefix,
        prefix: Prefix,
        present: bool,
    },
    /// A calculation waits for more changes.
    Scheduled,
    /// The tree of an area is up to date: vertices in it, vertices that moved.
    Tree {
        area: AreaId,
        vertices: usize,
        moved: usize,
    },
    /// A border or boundary router is reached in another way, or not any more.
    Border {
        area: AreaId,
        router: RouterId,
        cost: Option<u32>,
    },
    /// A calculation is over: routes that are told.
    Calculated {
        whole: bool,
        changed: usize,
    },
    /// A packet goes out with a digest.
    Signed {
        interface: IfId,
        key: u32,
    },
    /// A packet's digest fits.
    Verified {
        interface: IfId,
        source: IpAddr,
    },
}

impl<V: Version> Instance<V> {
    /// Whether what happens inside is told.
    pub fn set_trace(&mut self, on: bool) {
        self.traced = on;
    }

    pub fn is_traced(&self) -> bool {
        self.traced
    }

    pub(crate) fn trace(&mut self, line: impl FnOnce() -> Trace) {
        if self.traced {
            self.out.push(Action::Log(LogLine::Trace(line())));
        }
    }
}
