//! Router advertisements as shows have them.

use crate::iface::Link;
use crate::instance::Zebra;
use crate::ra::settings::HOP_LIMIT;
use crate::view::nd::{HomeAgentView, NdView, RaInterfaces};

impl Zebra {
    pub(crate) fn nd_view(&self, link: &Link) -> NdView {
        let ifindex = link.info.interface.ifindex;
        let nd = self.nd_settings(link);
        let state = self.advertisers.get(ifindex);
        NdView {
            reachable_time: nd.reachable_time.unwrap_or(0),
            retransmit: nd.retransmit.unwrap_or(0),
            hop_limit: nd.hop_limit.unwrap_or(HOP_LIMIT),
            sent: state.map_or(0, |state| state.sent),
            received: state.map_or(0, |state| state.received),
            malformed: state.map_or(0, |state| state.malformed),
            interval_msec: self.ra_interval(ifindex, &nd),
            lifetime: nd.lifetime,
            preference: nd.preference.word(),
            managed: nd.managed,
            other: nd.other,
            home_agent: nd.home_agent.then(|| HomeAgentView {
                lifetime: nd.home_agent_lifetime,
                preference: nd.home_agent_preference.unwrap_or(0),
            }),
            interval_option: nd.interval_option,
            active: state.is_some_and(crate::ra::Advertiser::active),
            neighbors: state.map_or_else(Vec::new, |state| {
                state.neighbors.iter().map(|addr| format!("{addr}/128")).collect()
            }),
        }
    }

    pub(crate) fn ra_interfaces(&self, vrf: Option<&str>) -> RaInterfaces {
        let wanted = self.interfaces.vrfs().filter(|(_, known)| vrf.is_none_or(|name| known.name == name));
        let vrfs = wanted.map(|(id, known)| {
            let of_vrf = |link: &&Link| link.info.interface.vrf == id;
            let active = |link: &&Link| {
                let state = self.advertisers.get(link.info.interface.ifindex);
                state.is_some_and(crate::ra::Advertiser::active)
            };
            let (mut seconds, mut milliseconds) = (Vec::new(), Vec::new());
            for link in self.interfaces.links().filter(of_vrf).filter(active) {
                let interval = self.ra_interval(link.info.interface.ifindex, &self.nd_settings(link));
                let names = if interval.is_multiple_of(1000) { &mut seconds } else { &mut milliseconds };
                names.push(link.info.interface.name.clone());
            }
            (known.name.clone(), seconds, milliseconds)
        });
        RaInterfaces { vrfs: vrfs.collect() }
    }
}
