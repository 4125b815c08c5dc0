//! The bound of the databases as the shows have it: where it is configured, and wherever it is reached.

use std::fmt;

use ferrite_ospf::limit::Load;
use serde::Serialize;

use crate::settings::RouterSettings;

#[derive(Serialize)]
pub struct LsaLimit {
    #[serde(rename = "lsaCount")]
    lsas: usize,
    #[serde(rename = "lsaMax")]
    most: usize,
    octets: usize,
    #[serde(rename = "octetsMax")]
    most_octets: usize,
    reached: bool,
}

impl LsaLimit {
    pub fn new(router: &RouterSettings, load: Load) -> Option<Self> {
        let Load { lsas, octets, max_lsas, max_octets, reached } = load;
        let said = router.max_lsas.is_some() || reached;
        said.then_some(Self { lsas, most: max_lsas, octets, most_octets: max_octets, reached })
    }
}

impl fmt::Display for LsaLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lsas, most, octets, most_octets, .. } = self;
        writeln!(f, " Number of LSAs {lsas} of at most {most}, octets {octets} of at most {most_octets}")?;
        if self.reached {
            writeln!(f, "   The limit is reached: LSAs of others are refused until there is room")?;
        }
        Ok(())
    }
}
