//! Flap dampening (RFC 2439 §4.4, RFC 7196): routes of external neighbours that come and go gather a penalty; from the
//! suppress value on they are not used, until the penalty has decayed to the reuse value.
//!
//! Only routes that have flapped cost memory: a table beside the paths, by prefix, neighbour and path identifier. A path that
//! is held back carries [`PathFlags::DAMPED`]. A session that ends forgets what it gathered, as in FRR.

use std::collections::BTreeSet;
use std::time::Duration;

use ferrite_types::Timestamp;
use rustc_hash::FxHashMap;

use super::attrs::AttrId;
use super::ctx::Ctx;
use super::family::Rib;
use super::peers::PeerIdx;
use super::query::FlapView;
use super::settings::{PeerId, PeerKind, PeerParams};
use super::table::{Handle, Key, PathFlags};

const WITHDRAWN: f64 = 1000.0;
const CHANGED: f64 = 500.0;

/// How routes are held back.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Dampening {
    pub half_life: Duration,
    pub reuse: f64,
    pub suppress: f64,
    pub max_suppress: Duration,
}

impl Dampening {
    /// The penalty that decays to the reuse value in the longest time that a route may be held back.
    pub fn ceiling(&self) -> f64 {
        let halvings = self.max_suppress.as_secs_f64() / self.half_life.as_secs_f64().max(1.0);
        (self.reuse * halvings.exp2()).min(1e12)
    }

    fn decayed(&self, penalty: f64, over: Duration) -> f64 {
        penalty * (-over.as_secs_f64() / self.half_life.as_secs_f64().max(1.0)).exp2()
    }

    /// How long a penalty takes to fall to a value.
    fn time_to(&self, penalty: f64, value: f64) -> Duration {
        if penalty <= value {
            return Duration::ZERO;
        }
        let halvings = (penalty / value.max(1.0)).log2();
        Duration::from_secs_f64((halvings * self.half_life.as_secs_f64()).clamp(0.0, 1e7))
    }
}

/// A route that has flapped.
#[derive(Clone, Copy, Debug)]
struct Flap {
    settings: Dampening,
    penalty: f64,
    /// When the penalty was as it stands.
    at: Timestamp,
    since: Timestamp,
    count: u32,
    suppressed: bool,
    /// Not announced at present.
    withdrawn: bool,
    /// What was announced last, for shows; a reference is counted.
    attrs: AttrId,
    /// Its place in the queue.
    due: Timestamp,
}

impl Flap {
    fn penalty_at(&self, now: Timestamp) -> f64 {
        self.settings.decayed(self.penalty, now.since(self.at))
    }
}

type FlapKey<P> = (P, PeerIdx, u32);

/// The routes of a family that have flapped.
#[derive(Debug)]
pub struct Damping<P> {
    flaps: FxHashMap<FlapKey<P>, Flap>,
    /// When each is to be looked at again.
    queue: BTreeSet<(Timestamp, FlapKey<P>)>,
}

impl<P> Default for Damping<P> {
    fn default() -> Self {
        Self { flaps: FxHashMap::default(), queue: BTreeSet::new() }
    }
}

impl<P: Key> Damping<P> {
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.queue.first().map(|(due, _)| *due)
    }

    pub fn is_empty(&self) -> bool {
        self.flaps.is_empty()
    }

    fn put(&mut self, key: FlapKey<P>, mut flap: Flap) {
        if let Some(old) = self.flaps.get(&key) {
            self.queue.remove(&(old.due, key));
        }
        let (settings, reuse) = (flap.settings, flap.settings.reuse);
        let target = if flap.suppressed { reuse } else { reuse / 2.0 };
        // A moment later than computed: then the penalty is below the value and not just about it.
        flap.due = flap.at + settings.time_to(flap.penalty, target) + Duration::from_millis(10);
        self.queue.insert((flap.due, key));
        self.flaps.insert(key, flap);
    }

    fn forget(&mut self, key: &FlapKey<P>) -> Option<Flap> {
        let flap = self.flaps.remove(key)?;
        self.queue.remove(&(flap.due, *key));
        Some(flap)
    }
}

/// What of an announcement or withdrawal counts against a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FlapEvent {
    Withdrawn,
    Announced(AttrId),
}

impl<P: Key> Rib<P> {
    /// The settings for a neighbour: its own, else the family's; external ones only.
    pub fn dampening_for(&self, ctx: &Ctx, params: &PeerParams) -> Option<Dampening> {
        if params.kind != PeerKind::External {
            return None;
        }
        let own = params.family(self.family).and_then(|family| family.dampening);
        own.or_else(|| ctx.config.family(self.family)?.dampening)
    }

    /// Notes what a neighbour did to a route, before the table changes; whether the route is held back now.
    pub fn flapped(
        &mut self,
        ctx: &mut Ctx,
        settings: Dampening,
        prefix: P,
        peer: PeerIdx,
        path_id: u32,
        event: FlapEvent,
    ) -> bool {
        let key = (prefix, peer, path_id);
        let present = self.table.find(&prefix).and_then(|handle| self.table.get(handle)).and_then(|entry| {
            let same = |path: &&super::table::Path| {
                path.peer == peer && path.path_id == path_id && !path.flags.has(PathFlags::SHADOW)
            };
            entry.paths.iter().find(same).map(|path| path.attrs)
        });
        let known = self.damping.flaps.get(&key).copied();
        let cost = match (event, present) {
            (FlapEvent::Withdrawn, Some(_)) => WITHDRAWN,
            (FlapEvent::Announced(new), Some(old)) if new != old => CHANGED,
            _ => 0.0,
        };
        if known.is_none() && cost == 0.0 {
            return false;
        }
        let now = ctx.now;
        let old = known.map_or(0.0, |flap| flap.penalty_at(now));
        let penalty = (old + cost).min(settings.ceiling());
        let was = known.is_some_and(|flap| flap.suppressed);
        let suppressed = if was { penalty >= settings.reuse } else { penalty >= settings.suppress };
        let attrs = match (event, present, known) {
            (FlapEvent::Announced(id), ..) | (_, Some(id), _) => id,
            (_, None, Some(flap)) => flap.attrs,
            _ => return false,
        };
        ctx.attrs.retain(attrs);
        if let Some(flap) = known {
            ctx.attrs.release(flap.attrs);
        }
        let flap = Flap {
            settings,
            penalty,
            at: now,
            since: known.map_or(now, |flap| flap.since),
            count: known.map_or(0, |flap| flap.count) + u32::from(cost > 0.0),
            suppressed,
            withdrawn: event == FlapEvent::Withdrawn,
            attrs,
            due: now,
        };
        self.damping.put(key, flap);
        suppressed
    }

    /// Marks a path as held back, or no longer.
    pub fn set_damped(&mut self, handle: Handle, peer: PeerIdx, path_id: u32, damped: bool) {
        let Some(entry) = self.table.get_mut(handle) else { return };
        let mut changed = false;
        for path in entry.paths.iter_mut().filter(|path| path.peer == peer && path.path_id == path_id) {
            if !path.flags.has(PathFlags::SHADOW) && path.flags.has(PathFlags::DAMPED) != damped {
                path.flags.set(PathFlags::DAMPED, damped);
                changed = true;
            }
        }
        if changed {
            self.touch(handle);
        }
    }

    /// Releases what has been quiet for long enough, and forgets what no longer matters.
    pub fn tick_damping(&mut self, ctx: &mut Ctx) {
        while let Some((due, key)) = self.damping.queue.first().copied().filter(|(due, _)| *due <= ctx.now) {
            self.damping.queue.remove(&(due, key));
            let Some(mut flap) = self.damping.flaps.get(&key).copied() else { continue };
            let penalty = flap.penalty_at(ctx.now);
            if flap.suppressed {
                self.release_path(&key);
                flap.suppressed = false;
            }
            if penalty <= flap.settings.reuse / 2.0 {
                if let Some(flap) = self.damping.forget(&key) {
                    ctx.attrs.release(flap.attrs);
                }
                continue;
            }
            flap.penalty = penalty;
            flap.at = ctx.now;
            self.damping.put(key, flap);
        }
    }

    fn release_path(&mut self, (prefix, peer, path_id): &FlapKey<P>) {
        if let Some(handle) = self.table.find(prefix) {
            self.set_damped(handle, *peer, *path_id, false);
        }
    }

    /// Forgets flaps: of a neighbour, of a prefix or of all, and uses the routes again.
    pub fn clear_damping(&mut self, ctx: &mut Ctx, wanted: impl Fn(&P, PeerIdx) -> bool) {
        let keys: Vec<FlapKey<P>> =
            self.damping.flaps.keys().filter(|(prefix, peer, _)| wanted(prefix, *peer)).copied().collect();
        for key in keys {
            if let Some(flap) = self.damping.forget(&key) {
                ctx.attrs.release(flap.attrs);
            }
            self.release_path(&key);
        }
    }

    /// Flaps whose settings are not in force any more are forgotten.
    pub fn recheck_damping(&mut self, ctx: &mut Ctx) {
        if self.damping.is_empty() {
            return;
        }
        let mut stale: Vec<FlapKey<P>> = Vec::new();
        for (key, flap) in &self.damping.flaps {
            let slot = ctx.peers.get(key.1);
            if slot.and_then(|slot| self.dampening_for(ctx, &slot.params)) != Some(flap.settings) {
                stale.push(*key);
            }
        }
        for key in stale {
            if let Some(flap) = self.damping.forget(&key) {
                ctx.attrs.release(flap.attrs);
            }
            self.release_path(&key);
        }
    }

    /// Rows of `show bgp dampening …`, in order.
    pub fn flap_views(&self, ctx: &Ctx, of: Option<PeerId>) -> Vec<FlapView> {
        let mut views: Vec<FlapView> = self
            .damping
            .flaps
            .iter()
            .filter_map(|((prefix, peer, path_id), flap)| {
                let slot = ctx.peers.get(*peer)?;
                let attrs = ctx.attrs.get(flap.attrs)?;
                let penalty = flap.penalty_at(ctx.now);
                Some(FlapView {
                    prefix: (*prefix).into(),
                    peer: slot.id,
                    path_id: *path_id,
                    attrs: std::sync::Arc::clone(&attrs.attrs),
                    penalty: penalty as u32,
                    flaps: flap.count,
                    since: flap.since,
                    suppressed: flap.suppressed,
                    withdrawn: flap.withdrawn,
                    reuse_in: flap.suppressed.then(|| flap.settings.time_to(penalty, flap.settings.reuse)),
                })
            })
            .filter(|view| of.is_none_or(|peer| view.peer == peer))
            .collect();
        views.sort_by_key(|view| (view.prefix, view.peer, view.path_id));
        views
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn penalties_halve_and_the_ceiling_holds_for_the_longest_time() {
        let settings = Dampening {
            half_life: Duration::from_mins(15),
            reuse: 750.0,
            suppress: 2000.0,
            max_suppress: Duration::from_mins(60),
        };
        assert!((settings.ceiling() - 12000.0).abs() < 0.5);
        assert!((settings.decayed(1000.0, Duration::from_mins(15)) - 500.0).abs() < 1e-9);
        assert_eq!(settings.time_to(12000.0, 750.0), Duration::from_mins(60));
        assert_eq!(settings.time_to(700.0, 750.0), Duration::ZERO);
    }
}
