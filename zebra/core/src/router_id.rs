//! Router identifiers: the configured one, else the highest address of a loopback, else the highest of all.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use ferrite_types::zclient::FromZebra;
use ferrite_types::{RouterId, VrfId};

use crate::instance::Zebra;

#[derive(Debug, Default)]
pub struct RouterIds {
    current: BTreeMap<VrfId, RouterId>,
}

impl RouterIds {
    pub fn get(&self, vrf: VrfId) -> RouterId {
        self.current.get(&vrf).copied().unwrap_or_default()
    }
}

impl Zebra {
    /// Chooses anew for every VRF and tells what changed.
    pub(crate) fn apply_router_ids(&mut self) {
        let vrfs: Vec<VrfId> = self.interfaces.vrfs().map(|(vrf, _)| vrf).collect();
        self.router_ids.current.retain(|vrf, _| vrfs.contains(vrf));
        for vrf in vrfs {
            let router_id = self.choose_router_id(vrf);
            if self.router_ids.get(vrf) != router_id {
                self.router_ids.current.insert(vrf, router_id);
                self.broadcast(&FromZebra::RouterId { vrf, router_id });
            }
        }
    }

    fn choose_router_id(&self, vrf: VrfId) -> RouterId {
        let name = self.interfaces.vrf(vrf).map(|vrf| vrf.name.as_str()).unwrap_or_default();
        if let Some(configured) = self.settings.vrf(name).and_then(|vrf| vrf.router_id) {
            return RouterId(configured);
        }
        let candidates = |loopback: bool| {
            self.interfaces
                .links()
                .filter(move |link| link.info.interface.vrf == vrf && link.operative())
                .filter(move |link| link.info.interface.loopback || !loopback)
                .flat_map(|link| &link.addresses)
                .filter_map(|address| match address.addr {
                    IpAddr::V4(addr) => Some(addr),
                    IpAddr::V6(_) => None,
                })
                .filter(|addr: &Ipv4Addr| !addr.is_loopback() && !addr.is_unspecified())
                .max()
        };
        candidates(true).or_else(|| candidates(false)).map(RouterId).unwrap_or_default()
    }
}
