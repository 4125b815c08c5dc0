//! `show ip protocol`, `show ip nht route-map`: which route map judges the routes of each source.

use std::fmt;

use indexmap::IndexMap;

#[derive(Clone, Debug)]
pub struct SourceMaps {
    pub vrf: String,
    /// Every source that FRR knows, with `none` where no map is.
    pub maps: IndexMap<&'static str, String>,
}

impl fmt::Display for SourceMaps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "VRF: {}\nProtocol                  : route-map\n{}", self.vrf, "-".repeat(37))?;
        for (word, map) in &self.maps {
            match map.as_str() {
                "none" => writeln!(f, "{word:<26}: none")?,
                map => writeln!(f, "{word:<26}: {map:<10}")?,
            }
        }
        Ok(())
    }
}
