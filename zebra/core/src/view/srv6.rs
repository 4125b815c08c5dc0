//! `show segment-routing srv6 …`: locators and static identifiers.

use std::fmt;

use ferrite_types::{Ipv6Prefix, SidStructure};
use serde::Serialize;

/// `show segment-routing srv6 locator`
#[derive(Clone, Debug, Default, Serialize)]
pub struct LocatorTable {
    pub locators: Vec<LocatorView>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LocatorView {
    pub name: String,
    #[serde(skip)]
    pub id: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<Ipv6Prefix>,
    block_bits_length: u8,
    node_bits_length: u8,
    function_bits_length: u8,
    argument_bits_length: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    behavior: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algo_num: Option<u8>,
    status_up: bool,
    chunks: Vec<Chunk>,
}

/// A locator is given out whole, by zebra.
#[derive(Clone, Debug, Serialize)]
struct Chunk {
    prefix: Ipv6Prefix,
    #[serde(flatten)]
    detail: Option<ChunkDetail>,
    proto: &'static str,
    #[serde(flatten)]
    owner: Option<ChunkOwner>,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct ChunkDetail {
    block_bits_length: u8,
    node_bits_length: u8,
    function_bits_length: u8,
    argument_bits_length: u8,
    keep: u8,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct ChunkOwner {
    instance: u16,
    session_id: u32,
}

impl LocatorView {
    pub fn new(name: &str, id: usize, prefix: Option<Ipv6Prefix>, bits: SidStructure, usid: bool) -> Self {
        let chunk = |prefix| Chunk { prefix, detail: None, proto: "system", owner: None };
        Self {
            name: name.to_owned(),
            id,
            prefix,
            block_bits_length: bits.block,
            node_bits_length: bits.node,
            function_bits_length: bits.function,
            argument_bits_length: bits.argument,
            behavior: usid.then_some("usid"),
            algo_num: None,
            status_up: true,
            chunks: prefix.map(chunk).into_iter().collect(),
        }
    }

    /// What its JSON has more when it is asked for alone.
    pub fn detailed(mut self) -> Self {
        self.algo_num = Some(0);
        for chunk in &mut self.chunks {
            chunk.detail = Some(ChunkDetail::default());
            chunk.owner = Some(ChunkOwner::default());
        }
        self
    }

    fn prefix_text(&self) -> String {
        self.prefix.map_or_else(|| "UNK prefix".to_owned(), |prefix| prefix.to_string())
    }
}

impl fmt::Display for LocatorTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Locator:\nName                 ID      Prefix                   Status")?;
        writeln!(f, "-------------------- ------- ------------------------ -------")?;
        for row in &self.locators {
            writeln!(f, "{:<20} {:>7} {:<24} Up", row.name, row.id, row.prefix_text())?;
        }
        writeln!(f)
    }
}

impl fmt::Display for LocatorView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Name: {}\nPrefix: {}", self.name, self.prefix_text())?;
        writeln!(f, "Block-Bit-Len: {}\nNode-Bit-Len: {}", self.block_bits_length, self.node_bits_length)?;
        writeln!(f, "Function-Bit-Len: {}", self.function_bits_length)?;
        writeln!(f, "Argument-Bit-Len: {}", self.argument_bits_length)?;
        if self.behavior.is_some() {
            writeln!(f, "Behavior: uSID")?;
        }
        writeln!(f, "Chunks:")?;
        self.chunks
            .iter()
            .try_for_each(|chunk| writeln!(f, "- prefix: {}, owner: {}", chunk.prefix, chunk.proto))
    }
}

/// `show segment-routing srv6 manager`: the static identifiers, which FRR does not show.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ManagerView {
    pub static_sids: Vec<SidView>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SidView {
    pub sid: Ipv6Prefix,
    pub locator: String,
    pub behavior: &'static str,
    /// Why it is not in the table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<&'static str>,
}

impl fmt::Display for ManagerView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.static_sids.is_empty() {
            writeln!(f, "Static SIDs:")?;
        }
        for row in &self.static_sids {
            let state =
                row.failure.map_or("in the table".to_owned(), |why| format!("not in the table: {why}"));
            writeln!(f, "  {} {} of {}, {state}", row.sid, row.behavior, row.locator)?;
        }
        Ok(())
    }
}
