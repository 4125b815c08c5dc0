//! Lists of the policy as filters of the core. A filter stays the same one while its list does, so that a configuration that
//! did not change is equal to what it was.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use ferrite_ospf::config::Filter;
use ferrite_policy::access_list::CompiledAccessList;
use ferrite_policy::prefix_list::CompiledPrefixList;
use ferrite_types::Afi;

use super::ospf::World;

#[derive(Debug, Default)]
pub struct Filters {
    prefix: RefCell<BTreeMap<(Afi, String), (Arc<CompiledPrefixList>, Filter)>>,
    access: RefCell<BTreeMap<(Afi, String), (Arc<CompiledAccessList>, Filter)>>,
}

impl World {
    /// None where there is no such list: it keeps nothing back.
    pub(super) fn prefix_filter(&self, afi: Afi, name: &str) -> Option<Filter> {
        let list = self.policies.prefix_list(afi, name)?;
        let mut known = self.filters.prefix.borrow_mut();
        if let Some((of, filter)) = known.get(&(afi, name.to_owned()))
            && Arc::ptr_eq(of, list)
        {
            return Some(filter.clone());
        }
        let of = Arc::clone(list);
        let filter = Filter::new(move |prefix| of.permits(prefix));
        known.insert((afi, name.to_owned()), (Arc::clone(list), filter.clone()));
        Some(filter)
    }

    /// The same for access lists.
    pub(super) fn access_filter(&self, afi: Afi, name: &str) -> Option<Filter> {
        let list = self.policies.access_list(afi, name)?;
        let mut known = self.filters.access.borrow_mut();
        if let Some((of, filter)) = known.get(&(afi, name.to_owned()))
            && Arc::ptr_eq(of, list)
        {
            return Some(filter.clone());
        }
        let of = Arc::clone(list);
        let filter = Filter::new(move |prefix| of.permits(prefix));
        known.insert((afi, name.to_owned()), (Arc::clone(list), filter.clone()));
        Some(filter)
    }
}
