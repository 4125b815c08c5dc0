//! Links, their addresses and VRFs, as the kernel told them.

use std::collections::BTreeMap;

use ferrite_types::interface::InterfaceAddress;
use ferrite_types::zclient::FromZebra;
use ferrite_types::{IfIndex, TableId, Timestamp, VrfId};

use crate::event::{LinkInfo, LinkKind};

pub use crate::settings::DEFAULT_VRF_NAME;

/// A link with its addresses and what happened to it.
#[derive(Clone, Debug)]
pub struct Link {
    pub info: LinkInfo,
    pub addresses: Vec<InterfaceAddress>,
    pub ups: Changes,
    pub downs: Changes,
}

impl Link {
    pub fn operative(&self) -> bool {
        self.info.interface.operative()
    }
}

/// How often something happened, and when last.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Changes {
    pub count: u32,
    pub last: Option<Timestamp>,
}

impl Changes {
    pub fn note(&mut self, now: Timestamp) {
        self.count = self.count.saturating_add(1);
        self.last = Some(now);
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Vrf {
    pub name: String,
    pub table: TableId,
    /// The file of the network namespace that it is.
    pub netns: Option<String>,
}

impl Vrf {
    /// What clients are told of it.
    pub fn told(&self, vrf: VrfId) -> FromZebra {
        FromZebra::Vrf { vrf, name: self.name.clone(), table: self.table, netns: self.netns.clone() }
    }
}

#[derive(Debug)]
pub struct Interfaces {
    links: BTreeMap<IfIndex, Link>,
    vrfs: BTreeMap<VrfId, Vrf>,
}

impl Default for Interfaces {
    fn default() -> Self {
        let default = Vrf { name: DEFAULT_VRF_NAME.to_owned(), table: TableId::MAIN, netns: None };
        Self { links: BTreeMap::new(), vrfs: BTreeMap::from([(VrfId::DEFAULT, default)]) }
    }
}

impl Interfaces {
    pub fn links(&self) -> impl Iterator<Item = &Link> + Clone {
        self.links.values()
    }

    pub fn get(&self, ifindex: IfIndex) -> Option<&Link> {
        self.links.get(&ifindex)
    }

    pub fn get_mut(&mut self, ifindex: IfIndex) -> Option<&mut Link> {
        self.links.get_mut(&ifindex)
    }

    /// A link of a VRF, or else any of that name.
    pub fn by_name_in(&self, name: &str, vrf: VrfId) -> Option<&Link> {
        let mut named = self.links().filter(|link| link.info.interface.name == name);
        named.clone().find(|link| link.info.interface.vrf == vrf).or_else(|| named.next())
    }

    pub fn insert(&mut self, link: Link) {
        self.links.insert(link.info.interface.ifindex, link);
    }

    pub fn remove(&mut self, ifindex: IfIndex) -> Option<Link> {
        self.links.remove(&ifindex)
    }

    pub fn name(&self, ifindex: IfIndex) -> Option<&str> {
        Some(&self.get(ifindex)?.info.interface.name)
    }

    pub fn operative(&self, ifindex: IfIndex) -> bool {
        self.get(ifindex).is_some_and(Link::operative)
    }

    pub fn is_up(&self, ifindex: IfIndex) -> bool {
        self.get(ifindex).is_some_and(|link| link.info.interface.up)
    }

    /// The VRF that a link with this master is in.
    pub fn vrf_of_master(&self, master: Option<IfIndex>) -> VrfId {
        master.map(|master| VrfId(master.0)).filter(|vrf| self.vrfs.contains_key(vrf)).unwrap_or_default()
    }

    // VRFs.

    pub fn vrfs(&self) -> impl Iterator<Item = (VrfId, &Vrf)> {
        self.vrfs.iter().map(|(id, vrf)| (*id, vrf))
    }

    pub fn vrf(&self, vrf: VrfId) -> Option<&Vrf> {
        self.vrfs.get(&vrf)
    }

    pub fn vrf_by_name(&self, name: &str) -> Option<VrfId> {
        self.vrfs().find(|(_, vrf)| vrf.name == name).map(|(id, _)| id)
    }

    pub fn vrf_by_table(&self, table: TableId) -> Option<VrfId> {
        self.vrfs().find(|(_, vrf)| vrf.table == table).map(|(id, _)| id)
    }

    /// Whether the table is the one that its VRF forwards by.
    pub fn is_own_table(&self, key: crate::rib::TableKey) -> bool {
        key.safi == ferrite_types::Safi::Unicast
            && key.from.is_none()
            && self.table_of(key.vrf) == Some(key.table)
    }

    pub fn table_of(&self, vrf: VrfId) -> Option<TableId> {
        self.vrf(vrf).map(|vrf| vrf.table)
    }

    /// The VRF that a link is the device of, with what is known of it.
    pub fn vrf_device(info: &LinkInfo) -> Option<(VrfId, Vrf)> {
        match info.kind {
            LinkKind::Vrf(table) => Some((
                VrfId(info.interface.ifindex.0),
                Vrf { name: info.interface.name.clone(), table, netns: None },
            )),
            _ => None,
        }
    }

    pub fn insert_vrf(&mut self, id: VrfId, vrf: Vrf) {
        self.vrfs.insert(id, vrf);
    }

    pub fn remove_vrf(&mut self, id: VrfId) -> Option<Vrf> {
        if id == VrfId::DEFAULT { None } else { self.vrfs.remove(&id) }
    }
}
