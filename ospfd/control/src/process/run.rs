//! Processes in step with the configuration, the links and what other protocols have.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ferrite_ospf::config::{Config, InterfaceConfig};
use ferrite_ospf::{Event as CoreEvent, IfId, Version, neighbor};
use ferrite_types::Timestamp;
use ferrite_types::ids::RouterId;

use super::areas;
use super::boots::Boots;
use super::event::{Action, LogLevel};
use super::flavor::Flavor;
use super::ospf::{Processes, World};
use super::zebra::ZebraState;
use super::{Process, ProcessName, RestartNote, restart, topics};
use crate::Settings;
use crate::settings::RouterSettings;

/// Makes, changes and ends processes of a version.
pub(super) fn sync<V: Flavor>(
    processes: &mut Processes<V>,
    world: &mut World,
    now: Timestamp,
    out: &mut Vec<Action>,
) {
    let mut found = std::mem::take(&mut world.found);
    let mut boots = std::mem::take(&mut world.boots);
    sync_all(processes, world, (&mut found, &mut boots), now, out);
    (world.found, world.boots) = (found, boots);
}

fn sync_all<V: Flavor>(
    processes: &mut Processes<V>,
    world: &World,
    (found, boots): (&mut Vec<RestartNote>, &mut Boots),
    now: Timestamp,
    out: &mut Vec<Action>,
) {
    let routers = V::routers(&world.settings);
    let wanted = |name: &ProcessName, process: &Process<V>| {
        routers.contains_key(name) && world.vrf(name) == Some(process.vrf)
    };
    let gone: Vec<ProcessName> = processes
        .iter()
        .filter(|(name, process)| !wanted(name, process))
        .map(|(name, _)| name.clone())
        .collect();
    for name in gone {
        if let Some(mut process) = processes.remove(&name) {
            process.end(&world.settings, &world.zebra, now, out);
            process.withdraw_all(&world.zebra, out);
        }
    }
    for (name, router) in routers {
        let Some(vrf) = world.vrf(name) else { continue };
        let mut new = false;
        let process = processes.entry(name.clone()).or_insert_with(|| {
            new = true;
            Process::new(name.clone(), vrf, now)
        });
        if new {
            process.noted = restart::find::<V>(found, name);
            process.tell_time(world, now, out);
        }
        process.sync(world, router, boots, now, out);
    }
}

impl<V: Flavor> Process<V> {
    fn sync(
        &mut self,
        world: &World,
        router: &RouterSettings,
        boots: &mut Boots,
        now: Timestamp,
        out: &mut Vec<Action>,
    ) {
        self.core.set_trace(world.traced);
        self.choose_router_id(world, router);
        let mut config = Config::new(self.router_id);
        areas::configure(world, (V::VERSION, V::AFI), router, &mut config);
        let mut links = BTreeMap::new();
        let mut told = BTreeMap::new();
        if self.router_id != RouterId::UNSET {
            for attachment in V::attachments(world, &self.name, router) {
                let id = self.id_of(attachment.key);
                config.interfaces.insert(id, attachment.config);
                links.insert(id, attachment.kernel);
                told.insert(id, attachment.link);
            }
        }
        if self.boots.is_none() && config.interfaces.values().any(InterfaceConfig::signs_extended) {
            let count = boots.next(world.wall_at(now));
            self.boots = Some(count);
            out.push(Action::BootCount(count));
        }
        config.boot_count = self.boots.unwrap_or(0);
        if self.router_id != RouterId::UNSET
            && let Some(note) = self.noted.take()
        {
            self.take_up(&note, world, router, &config, now, out);
        }
        // What goes, goes while its link is still known: its last words leave there.
        let changed = *self.core.config() != config;
        self.links.extend(links.clone());
        if changed {
            self.feed(world, now, CoreEvent::Configured(Box::new(config)), out);
        }
        for (id, link) in &told {
            if self.told.get(id) != Some(link) {
                self.told.insert(*id, link.clone());
                self.feed(world, now, CoreEvent::Link(*id, link.clone()), out);
            }
        }
        self.links = links;
        self.told = told;
        let alive: BTreeSet<IfId> = self.links.keys().copied().collect();
        self.designated.retain(|id| alive.contains(id));
        self.announce(world, router, now, out);
    }

    fn feed(&mut self, world: &World, now: Timestamp, event: CoreEvent, out: &mut Vec<Action>) {
        let mut actions = Vec::new();
        self.core.handle(now, event, &mut actions);
        self.carry(actions, &world.settings, &world.zebra, out);
    }

    pub(crate) fn tell_core(
        &mut self,
        world: &World,
        now: Timestamp,
        event: CoreEvent,
        out: &mut Vec<Action>,
    ) {
        self.feed(world, now, event, out);
    }

    /// What time it is, for the lifetimes of keys.
    pub(super) fn tell_time(&mut self, world: &World, now: Timestamp, out: &mut Vec<Action>) {
        let wall = u64::try_from(world.host.wall).unwrap_or(0);
        self.feed(world, now, CoreEvent::Clock(wall), out);
    }

    /// The configured one, else the one there is, else zebra's. Adjacencies stand under a router ID: while there is any, it
    /// stays until the process is cleared.
    fn choose_router_id(&mut self, world: &World, router: &RouterSettings) {
        let zebras = world.router_ids.get(&self.vrf).copied();
        let kept = Some(self.router_id).filter(|id| *id != RouterId::UNSET);
        let wanted = router.router_id.or(kept).or(zebras).unwrap_or(RouterId::UNSET);
        if kept.is_none() || !self.has_adjacency() {
            self.router_id = wanted;
        }
    }

    /// The time that a calculation took, if there was one since the last.
    pub(super) fn measured(&mut self, took: Duration, traced: bool, out: &mut Vec<Action>) {
        let runs = self.core.spf().runs;
        if runs == self.spf_runs {
            return;
        }
        (self.spf_runs, self.spf_took) = (runs, Some(took));
        if traced {
            let text = format!("shortest paths: {} us (vrf {})", took.as_micros(), self.named());
            out.push(Action::Log(LogLevel::Debug(topics::took(V::VERSION)), text));
        }
    }

    /// What tells it from others of its version: the VRF, and the family where that is not the version's own.
    pub(super) fn named(&self) -> String {
        format!("{}{}", self.vrf_name(), V::REMARK)
    }

    pub fn has_adjacency(&self) -> bool {
        self.core.interfaces().values().any(|interface| interface.full().next().is_some())
    }

    /// Whether a neighbour is on its way to an adjacency.
    pub fn is_exchanging(&self) -> bool {
        let exchanging =
            |n: &neighbor::Neighbor| (neighbor::State::ExStart..neighbor::State::Full).contains(&n.state);
        self.core.interfaces().values().any(|interface| interface.neighbors.values().any(exchanging))
    }

    /// The end of the daemon: a process that its neighbours expect back leaves everything as it is.
    pub(super) fn leave(
        &mut self,
        settings: &Settings,
        zebra: &ZebraState,
        now: Timestamp,
        out: &mut Vec<Action>,
    ) {
        if self.prepared.is_some() {
            self.stopped = true;
        } else if self.preparing.is_some() {
            self.parting = true;
        } else {
            self.end(settings, zebra, now, out);
            self.withdraw_all(zebra, out);
        }
    }

    /// Those who have not said that they know were told all the same.
    pub(super) fn wait_no_longer(&mut self) {
        if self.parting {
            self.prepared = self.prepared.or(self.preparing);
        }
    }

    /// The end of a process: what it announced is flushed.
    pub(super) fn end(
        &mut self,
        settings: &Settings,
        zebra: &ZebraState,
        now: Timestamp,
        out: &mut Vec<Action>,
    ) {
        let mut actions = Vec::new();
        self.core.handle(now, CoreEvent::Shutdown, &mut actions);
        // zebra takes all of them back at once.
        actions.retain(|action| !matches!(action, ferrite_ospf::Action::Routes(_)));
        self.carry(actions, settings, zebra, out);
    }
}

impl<V: Version> Process<V> {
    /// The configured name of the VRF.
    pub fn vrf_name(&self) -> &str {
        self.name.vrf.as_deref().unwrap_or("default")
    }
}
