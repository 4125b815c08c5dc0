//! Why the table is as it is: what import made of each path of a prefix, how each stands against the best, and what export
//! makes of each towards a neighbour. Import, decision and export themselves are run again here, watched.

use std::sync::Arc;

use bgp_packet::attr::Attributes;
use ferrite_policy::Effect;
use ferrite_policy::trace::effects;
use ferrite_types::Prefix;

use super::adj_in::import_traced;
use super::attrs::Local;
use super::ctx::Ctx;
use super::decision;
use super::family::{Rib, candidates_of};
use super::policy::PolicyStep;
use super::query::PathSource;
use super::reason::{Refusal, Withheld};
use super::settings::PeerId;
use super::table::{Entry, Handle, Key, Path, PathFlags};

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ExplainScope {
    /// One neighbour only.
    pub peer: Option<PeerId>,
    pub import: bool,
    pub export: bool,
}

/// A prefix with everything that was decided about it.
#[derive(Clone, Debug)]
pub struct Explained {
    pub prefix: Prefix,
    pub paths: Vec<ExplainedPath>,
    pub neighbors: Vec<ExplainedNeighbor>,
}

#[derive(Clone, Debug)]
pub struct ExplainedPath {
    pub source: PathSource,
    /// As received; zero without identifiers.
    pub path_id: u32,
    /// As it stands in the table, or as it was received where it was refused.
    pub attrs: Arc<Attributes>,
    /// `None` for our own routes, or where only export was asked for.
    pub import: Option<ExplainedImport>,
    pub standing: Standing,
}

#[derive(Clone, Debug)]
pub struct ExplainedImport {
    /// The route is kept as it was received. Otherwise policy was run over what it made of the route when it came.
    pub as_received: bool,
    pub steps: Vec<PolicyStep>,
    pub refusal: Option<Refusal>,
    /// What import changed in all.
    pub effects: Vec<Effect>,
}

/// How a path stands in the decision process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Best; the rule that put it before the strongest of the others.
    Best(decision::Reason),
    /// Shares the traffic with the best, which this rule puts before it.
    Multipath(decision::Reason),
    /// Behind the best by this rule.
    Behind(decision::Reason),
    /// No candidate.
    Unusable(Unusable),
    /// Refused by import.
    Refused,
}

/// Why a path is no candidate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unusable {
    NextHopUnreachable,
    /// `bgp network import-check`.
    ImportCheck,
    Dampened,
}

/// What one neighbour is told of a prefix.
#[derive(Clone, Debug)]
pub struct ExplainedNeighbor {
    pub peer: PeerId,
    /// The neighbour has the prefix from us.
    pub sent: bool,
    pub paths: Vec<ExplainedExport>,
}

#[derive(Clone, Debug)]
pub struct ExplainedExport {
    pub source: PathSource,
    pub path_id: u32,
    /// `None`: it is what the neighbour is told.
    pub withheld: Option<Withheld>,
    pub steps: Vec<PolicyStep>,
    /// What export changed in all.
    pub effects: Vec<Effect>,
}

/// Attributes as names and texts, in the order of shows. What a route has not is left out.
pub fn describe(attrs: &Attributes) -> Vec<(&'static str, String)> {
    fn joined<T: ToString>(values: &[T]) -> Option<String> {
        let texts: Vec<_> = values.iter().map(ToString::to_string).collect();
        (!texts.is_empty()).then(|| texts.join(" "))
    }
    let rare = attrs.rare.as_deref();
    let clusters = rare.and_then(|rare| joined(&rare.cluster_list));
    let all = [
        ("as-path", Some(attrs.as_path.to_string()).filter(|text| !text.is_empty())),
        ("origin", Some(format!("{:?}", attrs.origin).to_lowercase())),
        ("next-hop", Some(attrs.next_hop.addr().to_string())),
        ("metric", attrs.med.map(|value| value.to_string())),
        ("local-preference", attrs.local_pref.map(|value| value.to_string())),
        ("community", joined(&attrs.communities)),
        ("large-community", joined(&attrs.large_communities)),
        ("extcommunity", joined(&attrs.ext_communities)),
        ("atomic-aggregate", attrs.atomic_aggregate.then(|| "set".to_owned())),
        ("aggregator", rare.and_then(|rare| rare.aggregator.map(|a| format!("{} {}", a.asn, a.router_id)))),
        ("originator-id", rare.and_then(|rare| rare.originator_id.map(|id| id.to_string()))),
        ("cluster-list", clusters),
        ("aigp-metric", rare.and_then(|rare| rare.aigp.map(|value| value.to_string()))),
    ];
    all.into_iter().filter_map(|(name, text)| Some((name, text?))).collect()
}

fn with_local(attrs: &Attributes, local: Local) -> Vec<(&'static str, String)> {
    let mut all = describe(attrs);
    all.push(("weight", local.weight.to_string()));
    all.push(("tag", local.tag.to_string()));
    all
}

impl<P: Key> Rib<P> {
    /// Everything about one prefix; `None` where it is not in the table.
    pub fn explain(&self, ctx: &Ctx, prefix: Prefix, scope: ExplainScope) -> Option<Explained> {
        let handle = self.table.find(&P::from_prefix(prefix)?)?;
        let entry = self.table.get(handle)?;
        let paths = if scope.import { self.explain_paths(ctx, entry, scope.peer) } else { Vec::new() };
        let neighbors =
            if scope.export { self.explain_exports(ctx, handle, entry, scope.peer) } else { Vec::new() };
        Some(Explained { prefix, paths, neighbors })
    }

    fn explain_paths(&self, ctx: &Ctx, entry: &Entry<P>, peer: Option<PeerId>) -> Vec<ExplainedPath> {
        let wanted = peer.map(|id| ctx.peers.idx(id));
        let shadow_of = |path: &Path| {
            let same = |other: &&Path| {
                other.peer == path.peer && other.path_id == path.path_id && other.flags.has(PathFlags::SHADOW)
            };
            entry.paths.iter().find(same).copied()
        };
        // A shadow stands for itself where policy denied the route, else it is what its path was received as.
        let shown = entry.paths.iter().filter(|path| {
            wanted.is_none_or(|idx| idx == Some(path.peer))
                && (!path.flags.has(PathFlags::SHADOW) || path.flags.has(PathFlags::FILTERED))
        });
        let mut paths: Vec<(bool, ExplainedPath)> = shown
            .filter_map(|path| {
                let interned = ctx.attrs.get(path.attrs)?;
                let import = self.explain_import(ctx, entry, path, shadow_of(path).as_ref());
                let explained = ExplainedPath {
                    source: ctx.source(path),
                    path_id: if path.peer.is_local() { 0 } else { path.path_id },
                    attrs: Arc::clone(&interned.attrs),
                    import,
                    standing: standing(ctx, entry, path),
                };
                Some((path.flags.has(PathFlags::BEST), explained))
            })
            .collect();
        paths.sort_by_key(|(best, _)| !best);
        paths.into_iter().map(|(_, path)| path).collect()
    }

    fn explain_import(
        &self,
        ctx: &Ctx,
        entry: &Entry<P>,
        path: &Path,
        shadow: Option<&Path>,
    ) -> Option<ExplainedImport> {
        let params = &ctx.peers.get(path.peer)?.params;
        let family = params.family(self.family)?;
        let received = &ctx.attrs.get(shadow.unwrap_or(path).attrs)?.attrs;
        let mut steps = Vec::new();
        let outcome = {
            let steps = Some(&mut steps);
            import_traced(ctx, params, family, entry.prefix.into(), received, &mut false, steps)
        };
        let before = with_local(received, Local { weight: family.weight, ..Local::default() });
        let (refusal, effects) = match outcome {
            Ok((attrs, local)) => (None, effects(&before, &with_local(&attrs, local))),
            Err(refusal) => (Some(refusal), Vec::new()),
        };
        let as_received = shadow.is_some() || family.soft_reconfiguration;
        // A path that is there was let in.
        let refusal = refusal.filter(|_| as_received);
        Some(ExplainedImport { as_received, steps, refusal, effects })
    }

    fn explain_exports(
        &self,
        ctx: &Ctx,
        handle: Handle,
        entry: &Entry<P>,
        peer: Option<PeerId>,
    ) -> Vec<ExplainedNeighbor> {
        let mut all: Vec<ExplainedNeighbor> =
            self.groups.iter().flat_map(|group| group.explain(ctx, handle, entry, peer)).collect();
        all.sort_by_key(|neighbor| neighbor.peer);
        all
    }
}

/// What export changed, by name.
pub fn export_effects(before: &Attributes, after: &Attributes) -> Vec<Effect> {
    effects(&describe(before), &describe(after))
}

fn standing<P: Key>(ctx: &Ctx, entry: &Entry<P>, path: &Path) -> Standing {
    if path.flags.has(PathFlags::SHADOW) {
        return Standing::Refused;
    }
    if !path.flags.has(PathFlags::VALID) {
        return Standing::Unusable(if path.flags.has(PathFlags::DAMPED) {
            Unusable::Dampened
        } else if path.flags.has(PathFlags::UNUSABLE) {
            Unusable::ImportCheck
        } else {
            Unusable::NextHopUnreachable
        });
    }
    let candidates = candidates_of(ctx, entry);
    let place = |wanted: &dyn Fn(&Path) -> bool| {
        candidates.iter().position(|(index, _)| entry.paths.get(*index).is_some_and(wanted))
    };
    let best = place(&|path| path.flags.has(PathFlags::BEST));
    let own = place(&|other| other == path);
    let settings = &ctx.config.decision;
    match (best, own) {
        (Some(best), Some(own)) if best == own => {
            let plain: Vec<_> = candidates.iter().map(|(_, candidate)| candidate.clone()).collect();
            Standing::Best(decision::reason(&plain, best, settings))
        }
        (Some(best), Some(own)) => {
            let reason = match (candidates.get(best), candidates.get(own)) {
                (Some((_, best)), Some((_, own))) => decision::compare(best, own, settings).1,
                _ => decision::Reason::NothingLeft,
            };
            if path.flags.has(PathFlags::MULTIPATH) {
                Standing::Multipath(reason)
            } else {
                Standing::Behind(reason)
            }
        }
        _ => Standing::Behind(decision::Reason::NothingLeft),
    }
}
