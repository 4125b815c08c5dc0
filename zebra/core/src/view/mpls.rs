//! `show mpls table|fec|status` and `show debugging label-table`.

use std::fmt;
use std::net::IpAddr;

use ferrite_types::{Label, Prefix};
use indexmap::IndexMap;
use serde::Serialize;

use super::is_false;

/// A label-switched path.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LspView {
    pub in_label: Label,
    #[serde(skip_serializing_if = "is_false")]
    pub installed: bool,
    /// Why the kernel refused it; FRR says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<String>,
    pub nexthops: Vec<NhlfeView>,
}

/// What is done with a packet at one next hop.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NhlfeView {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub out_label: Label,
    pub out_label_stack: Vec<Label>,
    pub distance: u8,
    #[serde(skip_serializing_if = "is_false")]
    pub installed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nexthop: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
}

impl NhlfeView {
    fn via(&self) -> String {
        match (&self.nexthop, &self.interface) {
            (Some(gateway), _) => gateway.to_string(),
            (None, Some(name)) => name.clone(),
            (None, None) => String::new(),
        }
    }

    fn labels(&self) -> String {
        self.out_label_stack.iter().map(Label::to_string).collect::<Vec<_>>().join("/")
    }
}

/// A path alone.
impl fmt::Display for LspView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let installed = |installed| if installed { " (installed)" } else { "" };
        writeln!(f, "Local label: {}{}", self.in_label, installed(self.installed))?;
        if let Some(reason) = &self.failure_reason {
            writeln!(f, " not installed: {reason}")?;
        }
        for hop in &self.nexthops {
            writeln!(f, " type: {} remote label: {} distance: {}", hop.kind, hop.labels(), hop.distance)?;
            match (&hop.nexthop, &hop.interface) {
                (Some(gateway), Some(name)) => write!(f, "  via {gateway} dev {name}")?,
                (Some(gateway), None) => write!(f, "  via {gateway}")?,
                (None, name) => write!(f, "  dev {}", name.as_deref().unwrap_or("unknown"))?,
            }
            writeln!(f, "{}", installed(hop.installed))?;
        }
        Ok(())
    }
}

/// All paths, by label.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct LspTable(pub IndexMap<Label, LspView>);

impl fmt::Display for LspTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut rows = vec![["Inbound Label", "Type", "Nexthop", "Outbound Label"].map(str::to_owned)];
        for lsp in self.0.values() {
            for hop in &lsp.nexthops {
                rows.push([lsp.in_label.to_string(), hop.kind.to_owned(), hop.via(), hop.labels()]);
            }
        }
        let width = |column: usize| rows.iter().map(|row| row.get(column).map_or(0, String::len)).max();
        let widths: Vec<usize> = (0..4).map(|column| width(column).unwrap_or(0) + 2).collect();
        for (index, row) in rows.iter().enumerate() {
            f.write_str(" ")?;
            for (cell, width) in row.iter().zip(&widths) {
                write!(f, "{cell:<width$}")?;
            }
            writeln!(f)?;
            if index == 0 {
                writeln!(f, " {}", "-".repeat(widths.iter().sum()))?;
            }
        }
        writeln!(f)
    }
}

/// `show mpls fec`.
#[derive(Clone, Debug)]
pub struct FecTable(pub Vec<FecView>);

#[derive(Clone, Debug)]
pub struct FecView {
    pub prefix: Prefix,
    pub label: Label,
    /// Daemons that are told of it.
    pub clients: Vec<String>,
}

impl fmt::Display for FecTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fec in &self.0 {
            writeln!(f, "{}\n  Label: {}", fec.prefix, fec.label)?;
            if !fec.clients.is_empty() {
                writeln!(f, "  Client list: {}", fec.clients.join(" "))?;
            }
        }
        Ok(())
    }
}

/// `show debugging label-table`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LabelTableView {
    pub dynamic_block: BoundsView,
    pub chunks: Vec<ChunkView>,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BoundsView {
    pub lower_bound: Label,
    pub upper_bound: Label,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChunkView {
    pub protocol: String,
    pub instance: u16,
    pub start: Label,
    pub end: Label,
    pub dynamic: bool,
    /// Kept when its daemon ends.
    pub keep: bool,
}

impl fmt::Display for LabelTableView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BoundsView { lower_bound, upper_bound } = self.dynamic_block;
        writeln!(f, "Dynamic block: lower-bound {lower_bound}, upper-bound {upper_bound}")?;
        for chunk in &self.chunks {
            let yes_no = |yes| if yes { "Yes" } else { "No" };
            writeln!(
                f,
                "Proto: {:<9} Instance: {:<5} Label-Range: {}-{} Dynamic: {} Keep: {}",
                chunk.protocol,
                chunk.instance,
                chunk.start,
                chunk.end,
                yes_no(chunk.dynamic),
                yes_no(chunk.keep)
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(gateway: &str, label: Label) -> NhlfeView {
        NhlfeView {
            kind: "Static",
            out_label: label,
            out_label_stack: vec![label],
            distance: 1,
            installed: true,
            nexthop: Some(gateway.parse().unwrap()),
            interface: Some("e0".to_owned()),
        }
    }

    fn lsp(incoming: u32, nexthops: Vec<NhlfeView>) -> (Label, LspView) {
        let in_label = Label::new(incoming).unwrap();
        (in_label, LspView { in_label, installed: true, failure_reason: None, nexthops })
    }

    #[test]
    fn the_table_is_that_of_frr() {
        let label = |value| Label::new(value).unwrap();
        let table = LspTable(IndexMap::from([
            lsp(100, vec![hop("10.0.0.2", label(200))]),
            lsp(102, vec![hop("10.0.0.2", Label::IPV4_EXPLICIT_NULL)]),
            lsp(103, vec![hop("10.0.0.3", label(301)), hop("10.0.0.2", label(300))]),
            lsp(105, vec![hop("2001:db8::2", Label::IMPLICIT_NULL)]),
        ]));
        assert_eq!(
            table.to_string(),
            " Inbound Label  Type    Nexthop      Outbound Label      \n \
             --------------------------------------------------------\n \
             100            Static  10.0.0.2     200                 \n \
             102            Static  10.0.0.2     IPv4 Explicit Null  \n \
             103            Static  10.0.0.3     301                 \n \
             103            Static  10.0.0.2     300                 \n \
             105            Static  2001:db8::2  implicit-null       \n\n"
        );
        assert_eq!(LspTable(IndexMap::new()).to_string(), "");
    }

    #[test]
    fn a_path_alone_is_that_of_frr() {
        let label = |value| Label::new(value).unwrap();
        let (_, path) = lsp(103, vec![hop("10.0.0.3", label(301)), hop("10.0.0.2", label(300))]);
        assert_eq!(
            path.to_string(),
            "Local label: 103 (installed)\n type: Static remote label: 301 distance: 1\n  \
             via 10.0.0.3 dev e0 (installed)\n type: Static remote label: 300 distance: 1\n  \
             via 10.0.0.2 dev e0 (installed)\n"
        );
        let json = serde_json::to_value(&path).unwrap();
        assert_eq!(json["nexthops"][0]["outLabelStack"], serde_json::json!([301]));
        assert_eq!(json["inLabel"], 103);
    }
}
