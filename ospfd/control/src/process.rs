//! A process: one `router ospf` or `router ospf6` with its core, and what its shows need beside that.

mod api;
mod areas;
mod arp;
mod attach;
mod auth;
mod boots;
pub mod event;
mod filters;
mod flavor;
pub mod ldp_sync;
mod log;
mod ospf;
mod redistribute;
mod restart;
mod routes;
mod run;
mod sockets;
pub mod te;
pub mod topics;
mod trace;
mod zebra;

use std::collections::{BTreeMap, BTreeSet};

use ferrite_ospf::event::{External, Link};
use ferrite_ospf::{IfId, Instance, Version};
use ferrite_types::ids::{RouterId, VrfId};
use ferrite_types::interface::{Interface, InterfaceAddress};
use ferrite_types::{Prefix, Timestamp};

pub use api::ApiEvent;
pub use attach::NetKey;
pub use event::{Action, Event, LogLevel, SocketTerms, Topic};
pub use flavor::{Flavor, on_link};
pub use ospf::{HasProcesses, Host, Ospf, World};
pub use restart::RestartNote;
pub(crate) use sockets::WRITE_MULTIPLIER;

/// What a process is called.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct ProcessName {
    /// `router ospf (1-65535)`; 0 where none is named.
    pub instance: u16,
    /// `None` is the default VRF.
    pub vrf: Option<String>,
}

/// A link of the kernel, and its addresses.
#[derive(Clone, PartialEq, Debug)]
pub struct KernelLink {
    pub interface: Interface,
    pub addresses: Vec<InterfaceAddress>,
}

#[derive(Debug)]
pub struct Process<V: Version> {
    pub name: ProcessName,
    pub vrf: VrfId,
    pub core: Instance<V>,
    /// The kernel's link behind each of the core's interfaces.
    pub links: BTreeMap<IfId, KernelLink>,
    pub started: Timestamp,
    /// The router ID in use; it stays while it can.
    pub router_id: RouterId,
    /// What other protocols' routes are announced.
    pub externals: BTreeMap<Prefix, External>,
    /// Numbers of the core's interfaces; one that comes back has the number it had.
    ids: BTreeMap<NetKey, IfId>,
    /// What the core was told of them.
    told: BTreeMap<IfId, Link>,
    /// Where we are designated router or its backup.
    designated: BTreeSet<IfId>,
    /// All that was announced is flushed.
    stopped: bool,
    /// Neighbours know that we are about to restart, and wait for so long.
    prepared: Option<std::time::Duration>,
    /// They are being told, and are to wait for so long.
    preparing: Option<std::time::Duration>,
    /// The daemon ends as soon as they know.
    parting: bool,
    /// Seconds since 1970 at which they wait no longer.
    waited_until: Option<i64>,
    /// Its count of boots, once it signs with extended sequence numbers.
    boots: Option<u32>,
    /// What an earlier program wrote down of it, until it is heard.
    noted: Option<RestartNote>,
    /// Calculations whose time was measured, and the time of the last.
    spf_runs: u64,
    pub spf_took: Option<std::time::Duration>,
    /// What it needs of sockets and groups may have changed.
    moved: bool,
    /// We are back, and not yet what we were.
    pub restarting: bool,
}

impl<V: Version> Process<V> {
    fn new(name: ProcessName, vrf: VrfId, now: Timestamp) -> Self {
        Self {
            name,
            vrf,
            core: Instance::new(ferrite_ospf::Config::new(RouterId::UNSET)),
            links: BTreeMap::new(),
            started: now,
            router_id: RouterId::UNSET,
            externals: BTreeMap::new(),
            ids: BTreeMap::new(),
            told: BTreeMap::new(),
            designated: BTreeSet::new(),
            stopped: false,
            prepared: None,
            preparing: None,
            parting: false,
            waited_until: None,
            boots: None,
            noted: None,
            spf_runs: 0,
            spf_took: None,
            moved: true,
            restarting: false,
        }
    }

    /// The core's number of a network or link, the same for as long as the process lives.
    fn id_of(&mut self, key: NetKey) -> IfId {
        let next = IfId(self.ids.len() as u32 + 1);
        *self.ids.entry(key).or_insert(next)
    }
}
