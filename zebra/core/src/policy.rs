//! Policy at installation: `ip protocol PROTO route-map NAME`.

use ferrite_types::Prefix;

use crate::instance::Zebra;
use crate::rib::{Policy, Shape, TableKey};
use crate::settings::Settings;

impl Zebra {
    /// What the route map of the route's source says; may set the shape's source address.
    pub(crate) fn install_policy(&self, _key: TableKey, _prefix: Prefix, _shape: &mut Shape) -> Policy {
        Policy::Permit
    }

    pub(crate) fn apply_policy(&mut self, _old: &Settings) {}
}
