//! Links as `show interface` lists them.

use crate::event::LinkKind;
use crate::iface::Link;
use crate::instance::Zebra;
use crate::view::interface::{
    AddressView, EvpnMultihoming, InterfaceBrief, InterfaceView, Interfaces, InterfacesBrief, NOT_SPECIFIED,
};

/// IFF_* in FRR's order.
const FLAGS: &[(u32, &str)] = &[
    (0x1, "UP"),
    (0x10000, "LOWER_UP"),
    (0x2, "BROADCAST"),
    (0x4, "DEBUG"),
    (0x8, "LOOPBACK"),
    (0x10, "POINTOPOINT"),
    (0x20, "NOTRAILERS"),
    (0x40, "RUNNING"),
    (0x80, "NOARP"),
    (0x100, "PROMISC"),
    (0x200, "ALLMULTI"),
    (0x1000, "MULTICAST"),
];

fn flags_text(flags: u32) -> String {
    let set: Vec<&str> = FLAGS.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, name)| *name).collect();
    format!("<{}>", set.join(","))
}

/// ARPHRD_* as FRR names it.
fn hardware_text(hardware: u16) -> &'static str {
    match hardware {
        1 => "Ethernet",
        772 => "Loopback",
        768 => "IPinIP Tunnel",
        769 => "IPinIP6 Tunnel",
        776 => "IPv6-in-IPv4 SIT",
        778 => "GRE over IP",
        823 => "GRE over IPv6",
        512 => "PPP",
        32 => "InfiniBand",
        _ => "Unknown",
    }
}

fn kind_text(kind: LinkKind) -> &'static str {
    match kind {
        LinkKind::Vrf(_) => "VRF",
        LinkKind::Bridge => "Bridge",
        LinkKind::Bond => "Bond",
        LinkKind::Vlan => "Vlan",
        LinkKind::Vxlan => "Vxlan",
        LinkKind::Veth => "VETH",
        LinkKind::Macvlan => "MACVLAN",
        LinkKind::Gre => "GRE",
        LinkKind::Other | LinkKind::Dummy => "Other",
    }
}

fn status(up: bool) -> &'static str {
    if up { "up" } else { "down" }
}

impl Zebra {
    /// Links of a VRF (of all where none is named), by name.
    pub(crate) fn links_of(&self, vrf: Option<&str>) -> impl Iterator<Item = &Link> {
        let wanted = vrf.map(|name| self.interfaces.vrf_by_name(name));
        let mut links: Vec<&Link> = self.interfaces.links().collect();
        links.sort_by(|a, b| a.info.interface.name.cmp(&b.info.interface.name));
        links
            .into_iter()
            .filter(move |link| wanted.is_none_or(|wanted| wanted == Some(link.info.interface.vrf)))
    }

    pub(crate) fn interface_views(&self, vrf: Option<&str>, name: Option<&str>) -> Interfaces {
        let links =
            self.links_of(vrf).filter(|link| name.is_none_or(|name| link.info.interface.name == name));
        Interfaces(links.map(|link| (link.info.interface.name.clone(), self.interface_view(link))).collect())
    }

    fn interface_view(&self, link: &Link) -> InterfaceView {
        let info = &link.info;
        let i = &info.interface;
        let settings = self.settings_of(i).cloned().unwrap_or_default();
        let master = info.master.and_then(|master| self.interfaces.get(master)).map(|m| m.info.kind);
        let mut addresses: Vec<_> = link.addresses.iter().collect();
        addresses.sort_by_key(|address| address.addr.is_ipv6());
        InterfaceView {
            administrative_status: status(i.up),
            operational_status: status(link.operative()),
            link_detection: !settings.no_link_detect,
            link_ups: link.ups.count.into(),
            link_downs: link.downs.count.into(),
            last_up: link.ups.last.map(|at| self.wall.text(at)),
            last_down: link.downs.last.map(|at| self.wall.text(at)),
            vrf_name: self.vrf_name(i.vrf),
            description: settings.description,
            pseudo_interface: false,
            index: i.ifindex.in_kernel(),
            metric: 0,
            mtu: i.mtu,
            mtu6: None,
            speed: i.speed,
            tx_queue: info.tx_queue_len,
            flags: flags_text(info.flags),
            link_type: hardware_text(info.hardware),
            hardware_address: i.mac.map(|mac| mac.to_string()),
            bandwidth: settings.bandwidth,
            shutdown_config: match settings.shutdown {
                Some(true) => "Shutdown",
                Some(false) => "Not shutdown",
                None => NOT_SPECIFIED,
            },
            multicast_config: NOT_SPECIFIED,
            mpls_config: NOT_SPECIFIED,
            mpls_enabled: self
                .settings
                .interfaces
                .get(&info.interface.name)
                .is_some_and(|i| i.mpls == Some(true))
                && self.lfib.platform().is_some(),
            link_down: false,
            link_down_v6: false,
            mc_forwarding_v4: false,
            mc_forwarding_v6: false,
            lacp_bypass: false,
            evpn_mh: EvpnMultihoming {},
            ip_addresses: addresses
                .into_iter()
                .map(|a| AddressView {
                    address: format!("{}/{}", a.addr, a.prefix_len),
                    peer: a.peer.map(|peer| format!("{peer}/{}", a.prefix_len)),
                    secondary: a.secondary,
                    no_prefix_route: false,
                    unnumbered: false,
                    ipv6: a.addr.is_ipv6(),
                })
                .collect(),
            interface_type: kind_text(info.kind).to_owned(),
            interface_slave_type: match master {
                Some(LinkKind::Vrf(_)) => "Vrf",
                Some(LinkKind::Bridge) => "Bridge",
                Some(LinkKind::Bond) => "Bond",
                Some(_) => "Other",
                None => "None",
            },
            link_params: settings.link_params.as_deref().map(|params| {
                let named = settings.affinities.groups(&self.settings).0;
                crate::view::te::LinkParamsView::new(params, settings.bandwidth, named)
            }),
            nd: self.nd_view(link),
            protodown: if info.protodown { "on" } else { "off" },
            parent_interface: info.parent.and_then(|parent| self.interfaces.name(parent)).map(str::to_owned),
        }
    }

    pub(crate) fn brief_views(&self, vrf: Option<&str>) -> InterfacesBrief {
        let brief = |link: &Link| InterfaceBrief {
            status: status(link.operative()),
            vrf_name: self.vrf_name(link.info.interface.vrf),
            addresses: link.addresses.iter().map(|a| format!("{}/{}", a.addr, a.prefix_len)).collect(),
        };
        InterfacesBrief(
            self.links_of(vrf).map(|link| (link.info.interface.name.clone(), brief(link))).collect(),
        )
    }

    /// `show interface description`: name, administrative and operational state, text.
    pub(crate) fn descriptions(
        &self,
        vrf: Option<&str>,
    ) -> Vec<(String, &'static str, &'static str, Option<String>)> {
        self.links_of(vrf)
            .map(|link| {
                let interface = &link.info.interface;
                let settings = self.settings_of(interface);
                let text = settings.and_then(|settings| settings.description.clone());
                (interface.name.clone(), status(interface.up), status(link.operative()), text)
            })
            .collect()
    }
}
