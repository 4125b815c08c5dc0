//! The configuration as a value: what the lines say, by name. [`process`](crate::process) makes the core's configuration of it
//! with the links that are there.

use ferrite_cli::{CommonConfig, DaemonConfig};

#[derive(Clone, PartialEq, Debug, Default)]
pub struct Settings {
    pub common: CommonConfig,
}

impl DaemonConfig for Settings {
    fn common(&self) -> &CommonConfig {
        &self.common
    }

    fn common_mut(&mut self) -> &mut CommonConfig {
        &mut self.common
    }
}
