//! Virtual links (§15): point-to-point links of the backbone between two border routers, over the paths of another area.

use std::collections::BTreeMap;

use ferrite_ospf_packet::AreaId;
use ferrite_types::Timestamp;
use ferrite_types::ids::RouterId;

use crate::config::{AreaConfig, AreaKind, InterfaceConfig, NetworkType};
use crate::event::IfId;
use crate::instance::Instance;
use crate::interface::{Interface, State, Through, fsm};
use crate::version::{INFINITY, Version};

/// Numbers of virtual links begin here; the shell numbers its interfaces below.
const FIRST: u32 = 1 << 31;

impl<V: Version> Instance<V> {
    /// Brings the interfaces of virtual links in line with the configuration.
    pub(crate) fn configure_virtual_links(&mut self, now: Timestamp) {
        let mut wanted: BTreeMap<(AreaId, RouterId), InterfaceConfig> = BTreeMap::new();
        let led = |(id, area): &(&AreaId, &AreaConfig)| {
            V::VIRTUAL_LINKS && !id.is_backbone() && area.kind == AreaKind::Normal
        };
        for (area, config) in self.config.areas.iter().filter(led) {
            for (router, link) in &config.virtual_links {
                let mut interface = InterfaceConfig::new(AreaId::BACKBONE, NetworkType::Virtual);
                interface.hello_interval = link.hello_interval;
                interface.dead_interval = link.dead_interval;
                interface.retransmit = link.retransmit;
                interface.retransmit_window = link.retransmit_window;
                interface.transmit_delay = link.transmit_delay;
                interface.authentication = link.authentication.clone();
                wanted.insert((*area, *router), interface);
            }
        }
        let there: Vec<(IfId, (AreaId, RouterId))> =
            self.interfaces.iter().filter_map(|(id, i)| Some((*id, i.virtual_to?))).collect();
        for (id, end) in there {
            let same = self.interfaces.get(&id).map(|i| &i.config) == wanted.get(&end);
            if same {
                wanted.remove(&end);
            } else {
                self.interface_event(now, id, fsm::Event::InterfaceDown);
                self.interfaces.remove(&id);
            }
        }
        for (end, config) in wanted {
            let free = (FIRST..=u32::MAX).map(IfId).find(|id| !self.interfaces.contains_key(id));
            let mut interface = Interface::new(config);
            interface.virtual_to = Some(end);
            if let Some(id) = free {
                interface.link.ifindex = ferrite_types::ids::IfIndex(id.0);
                self.interfaces.insert(id, interface);
                self.areas.entry(AreaId::BACKBONE).or_default();
            }
        }
    }

    /// A virtual link is up while its other end can be reached through the transit area; its cost is the path's. True if that
    /// changed for any.
    pub(crate) fn find_virtual_links(&mut self, now: Timestamp) -> bool {
        let links: Vec<(IfId, AreaId, RouterId)> = self
            .interfaces
            .iter()
            .filter_map(|(id, interface)| interface.virtual_to.map(|(area, router)| (*id, area, router)))
            .collect();
        let mut changed = false;
        for (id, area, router) in links {
            let through = self.way(area, router);
            let Some(interface) = self.interfaces.get_mut(&id) else { continue };
            if interface.through == through {
                continue;
            }
            changed = true;
            let moved = interface.through.map(|was| was.destination) != through.map(|is| is.destination);
            interface.through = through;
            if through.is_none() || moved && interface.state > State::Down {
                self.interface_event(now, id, fsm::Event::InterfaceDown);
            }
            if through.is_some() {
                self.interface_event(now, id, fsm::Event::InterfaceUp);
            }
            self.mark_interface(id);
        }
        changed
    }

    fn way(&self, id: AreaId, router: RouterId) -> Option<Through> {
        let area = self.areas.get(&id)?;
        let route = area.spf.routers.get(&router).filter(|route| route.cost < INFINITY)?;
        let interface = route.hops.first()?.interface;
        let cost = u16::try_from(route.cost).ok()?;
        let destination = V::router_address(&area.lsdb, router, self.config.router_id)?;
        let link = &self.interfaces.get(&interface)?.link;
        let source = match V::VERSION {
            2 => link.address,
            // A link-local address does not reach that far.
            _ => V::router_address(&area.lsdb, self.config.router_id, router),
        }?;
        Some(Through { interface, source, destination, cost })
    }
}
