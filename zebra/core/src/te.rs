//! `link-params`: what a link offers to traffic engineering. zebra keeps, shows and tells it; routing protocols announce it.
//! Clients hear of it after the interface itself, and again when it changes.

use ferrite_types::IfIndex;
pub use ferrite_types::link_params::{Bandwidth, Delay, LinkParams, Loss};
use ferrite_types::zclient::FromZebra;

use crate::instance::Zebra;
use crate::settings::{InterfaceSettings, Settings};

pub mod affinity;
pub mod config;

/// Of an interface whose bandwidth nobody gave, megabits per second.
const DEFAULT_MEGABITS: u32 = 10;

/// What the bandwidths are that were not given.
pub fn default_bandwidth(megabits: Option<u32>) -> Bandwidth {
    Bandwidth(megabits.unwrap_or(DEFAULT_MEGABITS) as f32 * 1e6 / 8.0)
}

/// What clients are told of an interface.
fn told(all: &Settings, settings: &InterfaceSettings) -> Option<LinkParams> {
    let otherwise = default_bandwidth(settings.bandwidth);
    let (standard, extended_group) = settings.affinities.groups(all);
    settings.link_params.as_deref().map(|params| LinkParams {
        admin_group: params.admin_group.or(standard),
        extended_group,
        max_bandwidth: Some(params.max_bandwidth.unwrap_or(otherwise)),
        max_reservable: Some(params.max_reservable.unwrap_or(otherwise)),
        unreserved: params.unreserved.map(|value| Some(value.unwrap_or(otherwise))),
        ..params.clone()
    })
}

impl Zebra {
    /// What a client hears of a link's parameters, where it has any.
    pub(crate) fn te_message(&self, ifindex: IfIndex) -> Option<FromZebra> {
        let settings = self.settings.interfaces.get(self.interfaces.name(ifindex)?)?;
        Some(FromZebra::LinkParams { ifindex, params: Some(Box::new(told(&self.settings, settings)?)) })
    }

    pub(crate) fn tell_te(&mut self, ifindex: IfIndex) {
        if let Some(message) = self.te_message(ifindex) {
            self.broadcast(&message);
        }
    }

    /// Clients hear of the parameters that have changed.
    pub(crate) fn apply_te(&mut self, old: &Settings) {
        let of = |settings: &Settings, name: &str| {
            settings.interfaces.get(name).and_then(|interface| told(settings, interface))
        };
        let links = self.interfaces.links().map(|link| &link.info.interface);
        let changed: Vec<FromZebra> = links
            .filter_map(|link| {
                let (before, after) = (of(old, &link.name), of(&self.settings, &link.name));
                let params = after.clone().map(Box::new);
                (before != after).then_some(FromZebra::LinkParams { ifindex: link.ifindex, params })
            })
            .collect();
        changed.iter().for_each(|message| self.broadcast(message));
    }
}
