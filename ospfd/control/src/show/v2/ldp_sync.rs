//! `show ip ospf mpls ldp-sync`.

use std::fmt;
use std::time::Duration;

use ferrite_ospf::packet::V2;
use indexmap::IndexMap;
use serde::Serialize;

use crate::process::ldp_sync::{State, enabled, hold_down};
use crate::process::{KernelLink, World};
use crate::show::{At, text};

/// Links by name; of one without OSPF or without an end nothing is said.
#[derive(Serialize)]
pub struct Links(IndexMap<String, Link>);

#[derive(Serialize)]
struct Link {
    #[serde(rename = "ldpIgpSyncEnabled", skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    #[serde(rename = "holdDownTimeInSec", skip_serializing_if = "Option::is_none")]
    hold_down: Option<u16>,
    #[serde(rename = "ldpIgpSyncTimeRemainInMsec", skip_serializing_if = "Option::is_none")]
    remaining: Option<u64>,
    #[serde(rename = "ldpIgpSyncState", skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
}

impl Links {
    /// None where nothing is synchronised.
    pub fn new(at: At<'_, V2>, world: &World, only: Option<&str>) -> Option<Self> {
        let of = |link: &KernelLink| at.settings.interfaces.get(&link.interface.name).map(|i| &i.v2);
        if !at.router.ldp_sync.on && !world.links_of(&at.process.name).any(|l| enabled(at.router, of(l))) {
            return None;
        }
        let mut links: Vec<&KernelLink> = world
            .links_of(&at.process.name)
            .filter(|link| only.is_none_or(|name| name == "all" || name == link.interface.name))
            .filter(|link| crate::process::on_link(at.process, link.interface.ifindex).next().is_some())
            .collect();
        links.sort_by(|a, b| a.interface.name.cmp(&b.interface.name));
        let view = |link: &KernelLink| {
            if link.interface.loopback {
                return Link { enabled: None, hold_down: None, remaining: None, state: None };
            }
            let v2 = of(link);
            let (remaining, state) = match world.ldp_state(at.router, link) {
                State::NotRequired => (None, "Sync not required"),
                State::NotPointToPoint => (None, "Sync not required: non-p2p link"),
                State::Down => (None, "Interface down"),
                State::Achieved => (None, "Sync achieved"),
                State::Waiting(Some(until)) => (Some(until.since(at.now)), "Holding down until Sync"),
                State::Waiting(None) => (None, "Sync not achieved"),
            };
            Link {
                enabled: Some(enabled(at.router, v2)),
                hold_down: Some(hold_down(at.router, v2)),
                remaining: remaining.map(text::millis),
                state: Some(state),
            }
        };
        Some(Self(links.iter().map(|link| (link.interface.name.clone(), view(link))).collect()))
    }
}

impl fmt::Display for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, link) in &self.0 {
            let (Some(enabled), Some(seconds), Some(state)) = (link.enabled, link.hold_down, link.state)
            else {
                continue;
            };
            if state == "Interface down" {
                writeln!(f, "{name}\n  {state}")?;
                continue;
            }
            writeln!(f, "{name:<10}")?;
            writeln!(f, "  LDP-IGP Synchronization enabled: {}", if enabled { "yes" } else { "no" })?;
            writeln!(f, "  Holddown timer in seconds: {seconds}")?;
            if let Some(remaining) = link.remaining {
                let remaining = text::elapsed(Duration::from_millis(remaining));
                writeln!(f, "  Holddown timer is running {remaining} remaining")?;
            }
            writeln!(f, "  State: {state}")?;
        }
        Ok(())
    }
}
