//! A list of another part of the configuration (prefix list, access list) as the core asks it: whether it lets a prefix by.

use std::fmt;
use std::sync::Arc;

use ferrite_types::Prefix;

/// Whether a prefix passes. Two filters are equal when they are the same one: whoever builds a configuration hands the same
/// filter on as long as the list it stands for does not change.
#[derive(Clone)]
pub struct Filter(Arc<dyn Fn(Prefix) -> bool + Send + Sync>);

impl Filter {
    pub fn new(permits: impl Fn(Prefix) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(permits))
    }

    pub fn permits(&self, prefix: Prefix) -> bool {
        (self.0)(prefix)
    }
}

impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Filter {}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Filter")
    }
}

/// What no filter stops.
pub(crate) fn permits(filter: &Option<Filter>, prefix: Prefix) -> bool {
    filter.as_ref().is_none_or(|filter| filter.permits(prefix))
}
