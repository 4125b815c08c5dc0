//! `show ipv6 ospf6 spf tree`: the shortest-path trees of the areas.

use std::fmt;

use ferrite_cli::CliError;
use ferrite_ospf::packet::{AreaId, LsId, V3};
use ferrite_ospf::version::Vertex;
use ferrite_types::ids::RouterId;
use indexmap::IndexMap;
use serde::Serialize;

use crate::settings::Configured;
use crate::show::At;

#[derive(Serialize)]
struct Branch {
    cost: u32,
    #[serde(rename = "isLeafNode")]
    leaf: bool,
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    children: IndexMap<String, Branch>,
}

#[derive(Serialize)]
#[serde(transparent)]
pub struct Trees {
    areas: IndexMap<String, IndexMap<String, Branch>>,
}

fn name(vertex: Vertex) -> String {
    match vertex {
        Vertex::Router(router) => router.to_string(),
        Vertex::Network(router, id) => format!("{router} Net-ID: {}", LsId(id)),
    }
}

/// The branch of a vertex: below it those that are reached over it first.
fn branch(parents: &[(Vertex, Vertex, u32)], vertex: Vertex, cost: u32, depth: usize) -> Branch {
    let below = parents.iter().filter(|(_, parent, _)| *parent == vertex && depth > 0);
    let children: IndexMap<String, Branch> =
        below.map(|(child, _, cost)| (name(*child), branch(parents, *child, *cost, depth - 1))).collect();
    Branch { cost, leaf: children.is_empty(), children }
}

fn tree(parents: &[(Vertex, Vertex, u32)], root: RouterId) -> IndexMap<String, Branch> {
    let root = Vertex::Router(root);
    // A path is no longer than there are vertices; a bound for the recursion all the same.
    let depth = parents.len().min(1000);
    IndexMap::from([(name(root), branch(parents, root, 0, depth))])
}

impl Trees {
    pub fn new<F: Configured>(at: At<'_, V3<F>>, only: Option<AreaId>) -> Self {
        let core = &at.process.core;
        let areas = core
            .areas()
            .keys()
            .filter(|id| only.is_none_or(|only| only == **id))
            .map(|id| (at.area6(*id), tree(&core.tree(*id), core.id())));
        Self { areas: areas.collect() }
    }
}

/// The tree of an area as another router has it (`simulate`).
impl Trees {
    pub fn of<F: Configured>(at: At<'_, V3<F>>, area: AreaId, router: RouterId) -> Result<Self, CliError> {
        let core = &at.process.core;
        if !core.areas().contains_key(&area) {
            return Err(CliError::refused(format!("No such Area: {area}")));
        }
        let whole = core.tree_of(area, router).map(|parents| tree(&parents, router));
        Ok(Self { areas: whole.into_iter().map(|whole| (at.area6(area), whole)).collect() })
    }
}

fn write(f: &mut fmt::Formatter<'_>, name: &str, branch: &Branch, depth: usize) -> fmt::Result {
    writeln!(f, "{}+-{name} [{}]", "   ".repeat(depth), branch.cost)?;
    branch.children.iter().try_for_each(|(name, child)| write(f, name, child, depth + 1))
}

impl fmt::Display for Trees {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trees = self.areas.values().flatten();
        trees.into_iter().try_for_each(|(name, tree)| write(f, name, tree, 0))
    }
}
