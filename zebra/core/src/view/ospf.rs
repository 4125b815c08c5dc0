//! What OSPF says of a route (`ospf send-extra-data zebra`), below it in the detailed view and beside it in JSON.

use std::fmt;
use std::net::Ipv4Addr;

use ferrite_types::Tag;
use ferrite_types::zclient::OspfRoute;
use serde::Serialize;

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct OspfView {
    #[serde(rename = "ospfPathType")]
    pub path: String,
    /// Paths to other domains are in no area.
    #[serde(rename = "ospfAreaId", skip_serializing_if = "Option::is_none")]
    pub area: Option<Ipv4Addr>,
    /// A string, as FRR has it.
    #[serde(rename = "ospfTag", skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

impl OspfView {
    pub fn new(route: OspfRoute, tag: Tag) -> Self {
        let tag = (tag.0 > 0).then(|| tag.to_string());
        Self { path: route.path.to_string(), area: route.path.area(), tag }
    }
}

impl fmt::Display for OspfView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "    OSPF path type        : {}", self.path)?;
        if let Some(area) = self.area {
            writeln!(f, "    OSPF area ID          : {area}")?;
        }
        if let Some(tag) = &self.tag {
            writeln!(f, "    OSPF tag              : {tag}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ferrite_types::zclient::OspfPath;

    use super::*;

    #[test]
    fn lines_and_keys_are_those_of_frr() {
        let inside = OspfRoute { path: OspfPath::IntraArea(Ipv4Addr::UNSPECIFIED) };
        let inside = OspfView::new(inside, Tag(0));
        assert_eq!(
            inside.to_string(),
            "    OSPF path type        : Intra-Area\n    OSPF area ID          : 0.0.0.0\n"
        );
        let outside = OspfView::new(OspfRoute { path: OspfPath::External2 }, Tag(77));
        assert_eq!(
            outside.to_string(),
            "    OSPF path type        : External-2\n    OSPF tag              : 77\n"
        );
        let json = |view| serde_json::to_string(&view).unwrap();
        assert_eq!(json(inside), r#"{"ospfPathType":"Intra-Area","ospfAreaId":"0.0.0.0"}"#);
        assert_eq!(json(outside), r#"{"ospfPathType":"External-2","ospfTag":"77"}"#);
    }
}
