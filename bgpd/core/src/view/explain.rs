//! `show bgp PREFIX explain`: why a prefix is as it is. One struct behind text and JSON; the keys are our own, for FRR has
//! no such command.

use std::fmt;

use ferrite_policy::Effect;
use serde::Serialize;

use crate::rib::policy::PolicyStep;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplainView {
    pub prefix: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paths: Option<Vec<PathView>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub neighbors: Option<Vec<NeighborView>>,
}

/// A path: what import made of it, and how it stands.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PathView {
    pub from: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub path_id: u32,
    pub as_path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub import: Option<ImportView>,
    /// `best`, `multipath`, `notBest`, `unusable`, `refused`.
    pub standing: &'static str,
    /// The rule of the decision process, or why the path is no candidate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportView {
    pub verdict: &'static str,
    /// `received` or `accepted`: which state of the route policy was asked about.
    pub basis: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReasonView>,
    pub policy: Vec<PolicyStep>,
    pub changes: Vec<Effect>,
}

#[derive(Debug, Serialize)]
pub struct ReasonView {
    pub code: &'static str,
    pub text: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NeighborView {
    pub neighbor: String,
    pub sent: bool,
    pub paths: Vec<ExportView>,
    /// Policy was not asked for by name, so text says only what came out.
    #[serde(skip)]
    pub brief: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportView {
    pub from: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub path_id: u32,
    pub told: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReasonView>,
    pub policy: Vec<PolicyStep>,
    pub changes: Vec<Effect>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(id: &u32) -> bool {
    *id == 0
}

fn steps(steps: &[PolicyStep], depth: usize, out: &mut Vec<String>) {
    let pad = "  ".repeat(depth);
    for step in steps {
        match step {
            PolicyStep::List { kind, name, verdict, rule } => {
                let by =
                    rule.as_ref().map_or_else(|| "no rule matched".to_owned(), |rule| format!("by {rule}"));
                out.push(format!("{pad}{kind} {name}: {verdict}, {by}"));
            }
            PolicyStep::Missing { kind, name } => {
                out.push(format!("{pad}{kind} {name}: deny, there is none of that name"));
            }
            PolicyStep::RouteMap(map) => map.lines(depth, out),
        }
    }
}

fn changes(changes: &[Effect], depth: usize, out: &mut Vec<String>) {
    let pad = "  ".repeat(depth);
    out.extend(changes.iter().map(|effect| format!("{pad}changed: {effect}")));
}

fn named(from: &str, path_id: u32) -> String {
    if path_id == 0 { from.to_owned() } else { format!("{from}, path {path_id}") }
}

impl PathView {
    fn lines(&self, out: &mut Vec<String>) {
        let path = if self.as_path.is_empty() { "Local" } else { &self.as_path };
        out.push(format!("  Path from {}: {path}", named(&self.from, self.path_id)));
        if let Some(import) = &self.import {
            let why = import.reason.as_ref().map_or_else(String::new, |reason| format!(": {}", reason.text));
            out.push(format!("    Import: {}{why}", import.verdict));
            if import.basis == "accepted" {
                out.push(
                    "      as accepted; what was received is not kept (soft-reconfiguration inbound)"
                        .to_owned(),
                );
            }
            steps(&import.policy, 3, out);
            changes(&import.changes, 3, out);
        }
        let standing = match (self.standing, &self.reason) {
            ("best", Some(reason)) => format!("best ({reason})"),
            ("multipath", Some(reason)) => format!("multipath, behind the best by {reason}"),
            ("notBest", Some(reason)) => format!("not best: the best path is preferred by {reason}"),
            ("unusable", Some(reason)) => format!("not usable: {reason}"),
            (other, _) => other.to_owned(),
        };
        out.push(format!("    Decision: {standing}"));
    }
}

impl NeighborView {
    fn lines(&self, out: &mut Vec<String>) {
        let sent = if self.sent { "sent" } else { "not sent" };
        out.push(format!("  To {}: {sent}", self.neighbor));
        for path in &self.paths {
            let why = match &path.reason {
                Some(reason) => format!("not told, {}", reason.text),
                None => "told".to_owned(),
            };
            out.push(format!("    path from {}: {why}", named(&path.from, path.path_id)));
            if !self.brief {
                steps(&path.policy, 3, out);
                changes(&path.changes, 3, out);
            }
        }
    }
}

impl fmt::Display for ExplainView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = vec![format!("BGP routing table entry for {}", self.prefix)];
        self.paths.iter().flatten().for_each(|path| path.lines(&mut out));
        if self.paths.as_ref().is_some_and(Vec::is_empty) {
            out.push(
                "  No path is stored; what policy refuses is kept only with soft-reconfiguration inbound"
                    .to_owned(),
            );
        }
        self.neighbors.iter().flatten().for_each(|neighbor| neighbor.lines(&mut out));
        out.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
