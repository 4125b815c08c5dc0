//! Routes judged by the RPKI: what policy asks, and what is judged again when the RPKI says something else.
//!
//! No state is stored with a path: it follows from prefix, AS path and table, and is looked up when policy or a show asks.
//! When the table changes, a job visits the entries that a changed VRP covers: they are found in the prefixes' order, which is
//! kept while some policy asks. An authorisation of providers concerns the paths that the customer is in: they are found by
//! their attributes, once the first such change was heard. Where very much has changed, the job goes over all entries and
//! passes by the others. Of what remains, import runs again where the neighbour's policy asks the RPKI, from what
//! was received: a path that such a policy changed or denied keeps a shadow, as with soft-reconfiguration, so no neighbour
//! has to be asked. Groups whose export asks the RPKI evaluate the entry again.

use std::sync::Arc;

use bgp_packet::attr::{AsPath, Attributes, SegmentKind};
use ferrite_policy::route_map::OriginValidity;
use ferrite_rpki::{AspaState, Delta, Direction, OriginState, Tables};
use ferrite_types::{Asn, ExtCommunity, Prefix};

use super::ctx::Ctx;
use super::family::{JobKind, Rib};
use super::order::Order;
use super::peers::PeerIdx;
use super::policy::{Filter, PolicyInput};
use super::settings::{FamilySettings, PeerKind};
use super::table::{Entry, Handle, Key};
use super::users::Users;

/// To find what one prefix covers costs as much as walking by this many entries.
const LOOKUP_COST: usize = 8;

/// The RPKI on a route's way through policy.
#[derive(Clone, Copy, Debug, Default)]
pub struct RpkiView<'a> {
    /// `None` while no cache has told its data.
    tables: Option<&'a Tables>,
    own: Asn,
    /// The policy has asked: another table might have another verdict.
    pub asked: bool,
}

impl<'a> RpkiView<'a> {
    pub fn new(tables: Option<&'a Tables>, own: Asn) -> Self {
        Self { tables, own, asked: false }
    }

    pub fn origin_state(&mut self, prefix: Prefix, attrs: &Attributes) -> Option<OriginState> {
        self.asked = true;
        Some(self.tables?.vrps.validate(prefix, origin_of(&attrs.as_path, self.own)))
    }

    /// `None` for a route that did not come over eBGP, which has been verified where it entered the AS.
    pub fn path_state(&mut self, from: Option<Direction>, attrs: &Attributes) -> Option<AspaState> {
        self.asked = true;
        Some(path_state(self.tables?, from?, &attrs.as_path))
    }
}

/// The RPKI at hand, for shows.
#[derive(Clone, Debug, Default)]
pub struct Judge {
    pub tables: Option<Arc<Tables>>,
    pub own: Asn,
}

impl Judge {
    pub fn view(&self) -> RpkiView<'_> {
        RpkiView::new(self.tables.as_deref(), self.own)
    }

    pub fn origin_state(&self, prefix: Prefix, attrs: &Attributes) -> Option<OriginState> {
        self.view().origin_state(prefix, attrs)
    }
}

/// The state of a path that came from a neighbour.
pub fn path_state(tables: &Tables, from: Direction, path: &AsPath) -> AspaState {
    let (mut asns, mut has_set) = (Vec::new(), false);
    for segment in path.segments() {
        match segment.kind {
            SegmentKind::Sequence => asns.extend(segment.asns()),
            SegmentKind::Set => has_set = true,
            // The confederation is one AS to the world.
            SegmentKind::ConfedSequence | SegmentKind::ConfedSet => {}
        }
    }
    tables.aspas.verify(&asns, has_set, from)
}

/// The AS that originates a route (RFC 6811 §2, RFC 6907 §7.1.9): our own where the path names none, and none where it
/// ends in a set.
pub fn origin_of(path: &AsPath, own: Asn) -> Option<Asn> {
    let Some(last) = path.segments().last() else { return Some(own) };
    match last.kind {
        SegmentKind::Sequence => last.asns().last(),
        SegmentKind::Set => None,
        SegmentKind::ConfedSequence | SegmentKind::ConfedSet => Some(own),
    }
}

/// Puts the validation state into a route for our own AS, in place of what another router said (RFC 8097 §4).
pub fn tell_state(route: &mut PolicyInput<'_>) {
    let Some(state) = route.rpki.origin_state(route.prefix, &route.attrs) else { return };
    let told = validity(state).community();
    let kind = |community: &ExtCommunity| community.0.first_chunk::<2>().copied();
    if route.attrs.ext_communities.contains(&told) {
        return;
    }
    let others = route.attrs.ext_communities.iter().copied().filter(|other| kind(other) != kind(&told));
    let mut all: Vec<ExtCommunity> = others.chain([told]).collect();
    all.sort_unstable();
    route.attrs_mut().ext_communities = all.into();
}

/// The state as policy names it.
pub fn validity(state: OriginState) -> OriginValidity {
    match state {
        OriginState::Valid => OriginValidity::Valid,
        OriginState::NotFound => OriginValidity::NotFound,
        OriginState::Invalid => OriginValidity::Invalid,
    }
}

fn asks(filter: Option<&Arc<dyn Filter>>) -> bool {
    filter.is_some_and(|filter| filter.depends_on_rpki())
}

/// Whether policy that belongs to no neighbour asks the RPKI.
fn local_policy_asks(settings: &FamilySettings) -> bool {
    asks(settings.table_map.as_ref())
        || settings.networks.iter().any(|network| asks(network.map.as_ref()))
        || settings.redistribute.iter().any(|redistribute| asks(redistribute.map.as_ref()))
}

impl<P: Key> Rib<P> {
    /// The RPKI says something else: what that may touch is judged again.
    pub fn rpki_changed(&mut self, ctx: &mut Ctx, delta: &Arc<Delta>) {
        if !delta.touches_routes() {
            return;
        }
        let imports = |ctx: &Ctx| {
            ctx.peers.iter().any(|(_, slot)| {
                slot.is_up() && slot.family(self.family).is_some_and(|f| asks(f.import.as_ref()))
            })
        };
        let settings = ctx.config.family(self.family).cloned();
        let local = settings.as_ref().is_some_and(local_policy_asks);
        let exports = self.groups.iter().any(super::group::Group::asks_rpki);
        if imports(ctx) || exports || local {
            self.groups.iter_mut().for_each(super::group::Group::rpki_changed);
            let kind = JobKind::Revalidate(Arc::clone(delta));
            match self.places_under(ctx, delta) {
                Some(places) => self.start_at(kind, places),
                None => self.start(kind),
            }
            if !self.table.order.is_wanted() {
                self.table.order.begin();
                self.start(JobKind::Order);
            }
            if !self.table.users.is_wanted() && !delta.customers.is_empty() {
                self.table.users.begin();
                self.start(JobKind::Users);
            }
        } else {
            self.jobs.retain(|job| !matches!(job.kind, JobKind::Order | JobKind::Users));
            self.table.order = Order::None;
            self.table.users = Users::None;
        }
        if let Some(settings) = settings.filter(|_| local) {
            self.recheck_networks(ctx);
            self.redo_all_redistribution(ctx, &settings);
        }
    }

    /// The entries that changed VRPs cover and those whose paths have a changed customer; `None` where that is not known, or
    /// a walk over all is no more work.
    fn places_under(&self, ctx: &Ctx, delta: &Delta) -> Option<Vec<Handle>> {
        if delta.all || delta.ranges().saturating_mul(LOOKUP_COST) > self.table.len() {
            return None;
        }
        let mut places = Vec::new();
        for range in delta.prefixes().filter_map(P::from_prefix) {
            places.extend(self.table.order.within(range)?.filter_map(|prefix| self.table.find(&prefix)));
        }
        if !delta.customers.is_empty() {
            for (attrs, _) in ctx.attrs.iter().filter(|(_, set)| names_changed(&set.attrs, delta)) {
                places.extend(self.table.users.of(attrs)?);
            }
            places.sort_unstable();
            places.dedup();
        }
        Some(places)
    }

    /// Whether the change may touch an entry.
    fn concerned(ctx: &Ctx, entry: &Entry<P>, delta: &Delta) -> bool {
        if entry.paths.is_empty() {
            return false;
        }
        if delta.covers(entry.prefix.into()) {
            return true;
        }
        !delta.customers.is_empty()
            && entry.paths.iter().any(|path| {
                ctx.attrs.get(path.attrs).is_some_and(|interned| names_changed(&interned.attrs, delta))
            })
    }

    /// Judges an entry again, if the change may touch it.
    pub fn revalidate(&mut self, ctx: &mut Ctx, handle: Handle, delta: &Delta) {
        ctx.looked_at += 1;
        let Some(entry) = self.table.get(handle).filter(|entry| Self::concerned(ctx, entry, delta)) else {
            return;
        };
        ctx.revalidated += entry.paths.len() as u64;
        let mut peers: Vec<PeerIdx> = entry.paths.iter().map(|path| path.peer).collect();
        peers.sort_unstable();
        peers.dedup();
        peers.retain(|peer| {
            let family = ctx.peers.get(*peer).and_then(|slot| slot.family(self.family));
            family.is_some_and(|family| asks(family.import.as_ref()))
        });
        for group in self.groups.iter_mut().filter(|group| group.asks_rpki()) {
            group.mark(handle);
        }
        self.fib.mark(handle);
        for peer in peers {
            self.reimport(ctx, peer, handle);
        }
        self.table.release(handle);
    }
}

/// Whether a customer whose providers changed is in the path.
fn names_changed(attrs: &Attributes, delta: &Delta) -> bool {
    attrs.as_path.asns().any(|asn| delta.concerns(asn))
}

/// Where the path of a route from a neighbour of this kind and role may lead.
pub fn direction(kind: PeerKind, role: Option<bgp_packet::capability::Role>) -> Option<Direction> {
    use bgp_packet::capability::Role;
    match (kind, role) {
        (PeerKind::External, Some(Role::Customer) | None) => Some(Direction::Downstream),
        (PeerKind::External, Some(_)) => Some(Direction::Upstream),
        (PeerKind::Internal | PeerKind::Confederation, _) => None,
    }
}
