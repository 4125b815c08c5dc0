//! From an old configuration to a new one by comparing what each means.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use ferrite_policy::{Policies, Scope};
use ferrite_types::{Prefix, Timestamp};

use super::edits::import_scope;
use super::params::Surroundings;
use super::unnumbered::resolve;
use super::zebra;
use super::{Action, Instance, PeerEntry};
use crate::config::{BgpConfig, EffectiveNeighbor, NeighborName};
use crate::peer::{Negotiated, PeerEvent, SessionConfig};
use crate::rib::same::{same_params, same_shard};
use crate::rib::{PeerId, PeerParams, ShardEvent};

/// What an apply makes of one neighbour.
struct Wanted {
    effective: EffectiveNeighbor,
    session: SessionConfig,
}

impl Instance {
    pub(super) fn configure(&mut self, now: Timestamp, config: Arc<BgpConfig>, out: &mut Vec<Action>) {
        if self.finishing {
            return;
        }
        let edited = self.config.policy != config.policy;
        if edited {
            let given = self.given_policies.take();
            self.policies =
                given.unwrap_or_else(|| Arc::new(Policies::compile(&config.policy, Some(&self.policies))));
        }
        let before = std::mem::replace(&mut self.config, config);
        self.configure_dumps(now, &before, out);
        let bmp_before = before.instances.get(&self.name).map(|router| &router.bmp);
        self.configure_bmp(now, bmp_before, out);
        self.initial_configured(now, out);
        if edited {
            self.hold_policy(now);
        }
        self.policy_delay_changed(now);
        self.configure_rpki(now, out);
        let wanted = self.subscriptions_wanted();
        if self.zebra_connected && self.snapshot.is_none() {
            out.extend(
                zebra::changes(self.vrf_id(), &self.subscriptions, &wanted).into_iter().map(Action::Zebra),
            );
            self.subscriptions = wanted;
        }
        self.apply(now, out);
        self.initial_progress(now, out);
    }

    /// Brings sessions and shards to what configuration and interfaces ask for; whatever is so already is left alone.
    pub(super) fn apply(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        if self.finishing {
            return;
        }
        self.tell_zebra(out);
        self.configure_shards(out);
        self.range_keys(out);
        let wanted = self.wanted();
        let keep: BTreeSet<NeighborName> =
            wanted.iter().map(|wanted| wanted.effective.name.clone()).collect();
        let gone: Vec<(NeighborName, PeerId)> = self
            .by_name
            .iter()
            .filter(|(name, _)| !keep.contains(name))
            .map(|(name, id)| (name.clone(), *id))
            .collect();
        for (name, id) in gone {
            self.remove_peer(now, &name, id, out);
        }
        for wanted in wanted {
            self.configure_peer(now, wanted, out);
        }
        self.send_reimports(out);
        self.advertise(out);
        self.track_neighbours(out);
        self.filters.sweep();
    }

    /// The neighbours that have a session, with its settings.
    fn wanted(&mut self) -> Vec<Wanted> {
        let config = Arc::clone(&self.config);
        let Some(router) = config.instances.get(&self.name) else { return Vec::new() };
        let mut neighbors: Vec<_> = router.effective(&config).collect();
        let dynamic = self.peers.values().filter(|entry| entry.dynamic).map(|entry| entry.addr);
        let dynamic = dynamic.filter(|addr| !router.neighbors.contains_key(&NeighborName::Addr(*addr)));
        neighbors.extend(dynamic.filter_map(|addr| super::dynamic::effective(&config, router, addr)));
        neighbors.iter_mut().for_each(|neighbor| resolve(&self.interfaces, neighbor));
        let Some(surroundings) = self.surroundings(&config) else { return Vec::new() };
        neighbors
            .into_iter()
            .filter_map(|effective| Some(Wanted { session: surroundings.session(&effective)?, effective }))
            .collect()
    }

    fn surroundings<'a>(&'a mut self, config: &'a BgpConfig) -> Option<Surroundings<'a>> {
        let (router_id, max_med) = (self.router_id(), self.max_med());
        Some(Surroundings {
            config,
            router: config.instances.get(&self.name)?,
            name: &self.name,
            vrf: self.vrf,
            host: &self.host,
            router_id,
            interfaces: &self.interfaces,
            policies: &self.policies,
            filters: &mut self.filters,
            restarting: self.initial.is_restarting(),
            rpki_ready: self.rpki.ready(),
            max_med,
        })
    }

    /// The session that a neighbour is to have; `None` without an AS.
    pub(super) fn session_of(&mut self, neighbor: &EffectiveNeighbor) -> Option<SessionConfig> {
        let config = Arc::clone(&self.config);
        self.surroundings(&config)?.session(neighbor)
    }

    /// Parameters of a session under the present configuration.
    pub(super) fn params_of(&mut self, id: PeerId, negotiated: &Negotiated) -> Option<PeerParams> {
        let config = Arc::clone(&self.config);
        let effective = self.peers.get(&id)?.effective.clone();
        let mut params = self.surroundings(&config)?.peer(&effective, negotiated);
        let entry = self.peers.get(&id)?;
        entry.orf.fill(&mut params);
        if self.host.shards > 1 {
            for (family, settings) in &mut params.families {
                let quota = family.index().and_then(|index| entry.quotas.get(index));
                if let Some(quota) = quota.filter(|_| settings.maximum_prefix_out.is_some()) {
                    Arc::make_mut(settings).quota = Some(Arc::clone(quota));
                }
            }
        }
        params.round_trip = entry.rtt.last.filter(|_| params.asks_round_trip());
        Some(params)
    }

    fn configure_shards(&mut self, out: &mut Vec<Action>) {
        let config = Arc::clone(&self.config);
        let own: Vec<IpAddr> = self.interfaces.addresses().collect();
        let interfaces = self.interfaces.names().collect();
        let Some(mut surroundings) = self.surroundings(&config) else {
            // Without `router bgp` the shards are left with an empty configuration.
            if self.shard_config.take().is_some() {
                let empty = Arc::new(crate::rib::ShardConfig {
                    vrf: self.vrf_id(),
                    zebra: self.uses_zebra(),
                    install: self.host.install && !config.no_rib && self.uses_zebra(),
                    ..Default::default()
                });
                self.all_shards(|| ShardEvent::Configured(Arc::clone(&empty)), out);
            }
            return;
        };
        let new = surroundings.shard(own, interfaces);
        if self.shard_config.as_ref().is_some_and(|old| same_shard(old, &new)) {
            return;
        }
        let new = Arc::new(new);
        let old = self.shard_config.replace(Arc::clone(&new));
        self.all_shards(|| ShardEvent::Configured(Arc::clone(&new)), out);
        let judging = |config: &crate::rib::ShardConfig| (config.reject_as_sets, config.graceful_shutdown);
        if old.is_some_and(|old| judging(&old) != judging(&new)) {
            self.judge_all_again(out);
        }
    }

    /// Everything that came in is judged again, and what was refused is asked for.
    fn judge_all_again(&mut self, out: &mut Vec<Action>) {
        let families = self.peers.iter().filter_map(|(id, entry)| Some((*id, entry.params.as_ref()?)));
        let all: Vec<(PeerId, bgp_packet::Family)> = families
            .flat_map(|(id, params)| params.families.iter().map(move |(family, _)| (id, *family)))
            .collect();
        for (id, family) in all {
            self.reimports.add(id, family, Scope::All);
            self.reapply_import(id, family, out);
        }
    }

    pub(super) fn remove_peer(
        &mut self,
        now: Timestamp,
        name: &NeighborName,
        id: PeerId,
        out: &mut Vec<Action>,
    ) {
        self.peer_event(now, id, PeerEvent::Deconfigured, out);
        self.drop_all_stale(id, out);
        if let Some(entry) = self.peers.remove(&id) {
            if entry.dynamic {
                self.dynamic.count = self.dynamic.count.saturating_sub(1);
            } else if entry.session.transport.signing.is_some() {
                out.push(Action::SetSigning { network: Prefix::host(entry.addr), signing: None });
            }
        }
        self.by_name.remove(name);
    }

    fn configure_peer(&mut self, now: Timestamp, wanted: Wanted, out: &mut Vec<Action>) {
        let Wanted { effective, session } = wanted;
        let addr = effective.addr;
        let Some(id) = self.by_name.get(&effective.name).copied() else {
            return self.add_peer(now, effective, session, out);
        };
        let configured = self.router().is_some_and(|router| router.neighbors.contains_key(&effective.name));
        let Some(entry) = self.peers.get_mut(&id) else { return };
        let changed = *entry.session != session;
        if entry.dynamic && configured {
            // Configured by its address meanwhile: it stays when its session ends.
            entry.dynamic = false;
            self.dynamic.count = self.dynamic.count.saturating_sub(1);
        }
        let signed = entry.session.transport.signing.clone();
        if !entry.dynamic {
            let before = (Prefix::host(entry.addr), signed.as_ref());
            let now = (Prefix::host(addr), session.transport.signing.as_ref());
            Self::listener_keys(Some(before), now, out);
        }
        entry.addr = addr;
        entry.effective = effective;
        if changed {
            entry.session = Arc::new(session);
            let event = PeerEvent::Configured(Arc::clone(&entry.session));
            let shut_down = entry.session.shutdown.is_some();
            self.peer_event(now, id, event, out);
            self.rekey(id, signed.as_ref(), out);
            if shut_down {
                self.drop_all_stale(id, out);
            }
        }
        self.refresh_params(id, out);
        self.send_filters(id, true, out);
        self.check_limits(now, id, out);
    }

    pub(super) fn add_peer(
        &mut self,
        now: Timestamp,
        effective: EffectiveNeighbor,
        session: SessionConfig,
        out: &mut Vec<Action>,
    ) {
        let (name, addr, id) = (effective.name.clone(), effective.addr, self.peer_ids.next());
        let configured = self.router().is_some_and(|router| router.neighbors.contains_key(&name));
        if configured {
            Self::listener_keys(None, (Prefix::host(addr), session.transport.signing.as_ref()), out);
        }
        let session = Arc::new(session);
        let seed = self.host.seed ^ u64::from(id.0).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let entry = PeerEntry::new(seed, effective, Arc::clone(&session));
        self.peers.insert(id, entry);
        self.by_name.insert(name, id);
        self.peer_event(now, id, PeerEvent::Configured(session), out);
    }

    /// Tells the shards what changed about an established session, and has import policy applied again where it did.
    pub(super) fn refresh_params(&mut self, id: PeerId, out: &mut Vec<Action>) {
        let Some((old, negotiated)) = self.peers.get(&id).and_then(|entry| {
            Some((Arc::clone(entry.params.as_ref()?), Arc::clone(entry.peer.negotiated()?)))
        }) else {
            return;
        };
        let Some(new) = self.params_of(id, &negotiated) else { return };
        if same_params(&old, &new) {
            return;
        }
        let new = Arc::new(new);
        if let Some(entry) = self.peers.get_mut(&id) {
            entry.params = Some(Arc::clone(&new));
        }
        self.all_shards(|| ShardEvent::PeerChanged { peer: id, params: Arc::clone(&new) }, out);
        for (family, now) in &new.families {
            let scope = old.family(*family).map_or_else(Scope::none, |before| import_scope(before, now));
            if scope.is_none() {
                continue;
            }
            if now.soft_reconfiguration {
                self.reimports.add(id, *family, scope);
            } else {
                self.reapply_import(id, *family, out);
            }
        }
    }

    /// The sessions that a configuration would reset or end, and why, for `--test`.
    pub fn impact(&self, config: &BgpConfig) -> Vec<String> {
        let router = config.instances.get(&self.name);
        let mut filters = super::filter::Filters::default();
        let router_id = router.and_then(|router| router.router_id).unwrap_or(self.zebra_router_id);
        let wanted = router.map(|router| {
            let surroundings = Surroundings {
                config,
                router,
                name: &self.name,
                vrf: self.vrf,
                host: &self.host,
                router_id,
                interfaces: &self.interfaces,
                policies: &self.policies,
                filters: &mut filters,
                restarting: self.initial.is_restarting(),
                rpki_ready: self.rpki.ready(),
                max_med: None,
            };
            let sessions = router.effective(config).map(|mut neighbor| {
                resolve(&self.interfaces, &mut neighbor);
                neighbor
            });
            sessions.filter_map(|n| Some((n.name.clone(), surroundings.session(&n)?))).collect::<Vec<_>>()
        });
        let wanted = wanted.unwrap_or_default();
        let verdict = |entry: &PeerEntry| match wanted.iter().find(|(name, _)| *name == entry.name) {
            None => Some("neighbor removed"),
            Some((_, session)) => entry.session.reset_by(session).map(|(reason, _)| reason.text()),
        };
        self.peers
            .values()
            .filter(|entry| entry.established())
            .filter_map(|entry| Some(format!("neighbor {}: {}", entry.name, verdict(entry)?)))
            .collect()
    }
}
