//! Segments of a next hop in JSON, with FRR's keys: whichever of the two a next hop has, both kinds are named.

use std::net::Ipv6Addr;

use ferrite_types::{Seg6, SidStructure};
use serde::Serialize;

#[derive(Clone, Debug, Serialize)]
pub struct Seg6View {
    seg6local: LocalView,
    #[serde(rename = "seg6localContext")]
    context: ContextView,
    #[serde(skip_serializing_if = "Option::is_none")]
    seg6: Option<SegmentsView>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LocalView {
    action: &'static str,
    sid_structure: StructureView,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StructureView {
    block_len: u8,
    node_len: u8,
    func_len: u8,
    arg_len: u8,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
enum ContextView {
    Unknown(bool),
    Table(u32),
    #[serde(untagged)]
    Empty {},
}

/// A list of one is an object in FRR.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum SegmentsView {
    One { segs: Ipv6Addr },
    Several(Vec<Ipv6Addr>),
}

impl From<SidStructure> for StructureView {
    fn from(bits: SidStructure) -> Self {
        Self { block_len: bits.block, node_len: bits.node, func_len: bits.function, arg_len: bits.argument }
    }
}

impl From<&Seg6> for Seg6View {
    fn from(seg6: &Seg6) -> Self {
        match seg6 {
            Seg6::Encap(segments) => Self {
                seg6local: LocalView { action: "unspec", sid_structure: SidStructure::default().into() },
                context: ContextView::Unknown(true),
                seg6: Some(match segments.as_slice() {
                    [only] => SegmentsView::One { segs: *only },
                    several => SegmentsView::Several(several.to_vec()),
                }),
            },
            Seg6::Local(local) => Self {
                seg6local: LocalView { action: local.action.name(), sid_structure: local.structure.into() },
                context: local
                    .action
                    .table()
                    .map_or(ContextView::Empty {}, |table| ContextView::Table(table.0)),
                seg6: None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use ferrite_types::{Seg6Action, Seg6Local, TableId};
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_those_of_frr() {
        let nothing = json!({"blockLen": 0, "nodeLen": 0, "funcLen": 0, "argLen": 0});
        let encap = |segments: &[&str]| {
            Seg6::Encap(segments.iter().map(|segment| segment.parse().unwrap()).collect())
        };
        let local = |action| {
            Seg6::Local(Seg6Local {
                action,
                structure: SidStructure { block: 32, node: 16, function: 16, argument: 0 },
            })
        };
        let bits = json!({"blockLen": 32, "nodeLen": 16, "funcLen": 16, "argLen": 0});
        let rows = [
            (
                encap(&["fc00::3"]),
                json!({"seg6local": {"action": "unspec", "sidStructure": nothing}, "seg6localContext": {"unknown": true},
                    "seg6": {"segs": "fc00::3"}}),
            ),
            (
                encap(&["fc00::1", "fc00::2"]),
                json!({"seg6local": {"action": "unspec", "sidStructure": nothing}, "seg6localContext": {"unknown": true},
                    "seg6": ["fc00::1", "fc00::2"]}),
            ),
            (
                local(Seg6Action::Dt6(TableId(254))),
                json!({"seg6local": {"action": "End.DT6", "sidStructure": bits}, "seg6localContext": {"table": 254}}),
            ),
            (
                local(Seg6Action::End { shift: false }),
                json!({"seg6local": {"action": "End", "sidStructure": bits}, "seg6localContext": {}}),
            ),
        ];
        for (seg6, expected) in rows {
            assert_eq!(serde_json::to_value(Seg6View::from(&seg6)).unwrap(), expected, "{seg6}");
        }
    }
}
