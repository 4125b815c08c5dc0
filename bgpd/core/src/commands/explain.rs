//! `show bgp PREFIX explain [neighbor X [in|out]]`.

use std::net::IpAddr;

use ferrite_cli::Args;
use ferrite_types::{Afi, Prefix};

use super::{Answers, family_of, json, named_family};
use crate::instance::Instance;
use crate::rib::explain::{ExplainScope, Explained, ExplainedExport, ExplainedPath, Standing, Unusable};
use crate::rib::query::PathSource;
use crate::rib::{Answer, Query};
use crate::view::explain::{ExplainView, ExportView, ImportView, NeighborView, PathView, ReasonView};

impl Instance {
    pub(super) fn explain_question(&self, args: &Args) -> Result<Query, String> {
        let text = args.get("prefix").unwrap_or_default();
        let (prefix, longest) = match (text.parse::<Prefix>(), text.parse::<IpAddr>()) {
            (Ok(prefix), _) if text.contains('/') => (prefix, false),
            (_, Ok(addr)) => (Prefix::host(addr), true),
            _ => return Err("% address is malformed\n".to_owned()),
        };
        if named_family(args).is_some_and(|family| family.afi != prefix.afi()) {
            return Err(match prefix.afi() {
                Afi::Ipv6 => "% Cannot specify IPv6 address or prefix with IPv4 AFI\n".to_owned(),
                _ => "% Cannot specify IPv4 address or prefix with IPv6 AFI\n".to_owned(),
            });
        }
        let peer = match (args.has("neighbor"), self.named_peer(args)) {
            (true, None) => return Err("% No such neighbor\n".to_owned()),
            (_, found) => found.map(|(id, _)| id),
        };
        let direction = args.get("direction");
        let scope = ExplainScope { peer, import: direction != Some("out"), export: direction != Some("in") };
        Ok(Query::Explain { family: family_of(prefix.afi(), args), prefix, longest, scope })
    }

    pub(super) fn explain(&self, args: &Args, answers: &Answers) -> String {
        let found = answers.iter().flatten().filter_map(|answer| match answer {
            Answer::Explained(Some(found)) => Some(found),
            _ => None,
        });
        let Some(found) = found.max_by_key(|found| found.prefix.len()) else {
            return if args.has("json") { "{}\n".to_owned() } else { "% Network not in table\n".to_owned() };
        };
        let view = self.explained(found, args);
        if args.has("json") { json(&view) } else { view.to_string() }
    }

    fn explained(&self, found: &Explained, args: &Args) -> ExplainView {
        let direction = args.get("direction");
        let named = args.has("neighbor");
        let paths = found.paths.iter().map(|path| self.explained_path(path)).collect();
        let neighbors = found.neighbors.iter().map(|neighbor| NeighborView {
            neighbor: self.source_name(PathSource::Peer(neighbor.peer)),
            sent: neighbor.sent,
            paths: neighbor.paths.iter().map(|path| self.explained_export(path)).collect(),
            brief: !named,
        });
        ExplainView {
            prefix: found.prefix.to_string(),
            paths: (direction != Some("out")).then_some(paths),
            neighbors: (direction != Some("in")).then(|| neighbors.collect()),
        }
    }

    fn explained_path(&self, path: &ExplainedPath) -> PathView {
        let import = path.import.as_ref().map(|import| ImportView {
            verdict: if import.refusal.is_some() { "refused" } else { "accepted" },
            basis: if import.as_received { "received" } else { "accepted" },
            reason: import
                .refusal
                .map(|refusal| ReasonView { code: refusal.code(), text: refusal.to_string() }),
            policy: import.steps.clone(),
            changes: if import.as_received { import.effects.clone() } else { Vec::new() },
        });
        let (standing, reason) = match path.standing {
            Standing::Best(reason) => ("best", Some(reason.to_string())),
            Standing::Multipath(reason) => ("multipath", Some(reason.to_string())),
            Standing::Behind(reason) => ("notBest", Some(reason.to_string())),
            Standing::Unusable(why) => ("unusable", Some(unusable(why).to_owned())),
            Standing::Refused => ("refused", None),
        };
        PathView {
            from: self.source_name(path.source),
            path_id: path.path_id,
            as_path: self.path_text(&path.attrs.as_path),
            import,
            standing,
            reason,
        }
    }

    fn explained_export(&self, path: &ExplainedExport) -> ExportView {
        ExportView {
            from: self.source_name(path.source),
            path_id: path.path_id,
            told: path.withheld.is_none(),
            reason: path
                .withheld
                .map(|withheld| ReasonView { code: withheld.code(), text: withheld.to_string() }),
            policy: path.steps.clone(),
            changes: path.effects.clone(),
        }
    }

    /// Whoever a path comes from, in a word.
    fn source_name(&self, source: PathSource) -> String {
        match source {
            PathSource::Peer(id) => {
                self.peers.get(&id).map(|entry| entry.addr.to_string()).unwrap_or_default()
            }
            PathSource::Network => "network".to_owned(),
            PathSource::Aggregate => "aggregate-address".to_owned(),
            PathSource::Redistributed(protocol) => format!("redistribute {protocol}"),
            PathSource::DefaultOriginate => "default-originate".to_owned(),
        }
    }
}

fn unusable(why: Unusable) -> &'static str {
    match why {
        Unusable::NextHopUnreachable => "the next hop cannot be reached",
        Unusable::ImportCheck => "the prefix is not in the RIB (bgp network import-check)",
        Unusable::Dampened => "it flaps and is dampened",
    }
}
