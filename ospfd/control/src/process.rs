//! A process: one `router ospf` or `router ospf6` with its core, and what its shows need beside that.

use std::collections::BTreeMap;

use ferrite_ospf::{IfId, Instance, Version};
use ferrite_types::Timestamp;
use ferrite_types::ids::VrfId;
use ferrite_types::interface::{Interface, InterfaceAddress};

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
}
