//! Lists of the policy as filters of the core. A filter stays the same one while its list does, so that a configuration that
//! did not change is equal to what it was.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use ferrite_ospf::config::Filter;
use ferrite_policy::access_list::CompiledAccessList;
use ferrite_policy::prefix_list::CompiledPrefixList;
use ferrite_types::{Afi, Prefix};

use super::ospf::World;

/// Filters by the list that they were made of.
type Known<L> = RefCell<BTreeMap<(Afi, String), (Arc<L>, Filter)>>;

#[derive(Debug, Default)]
pub struct Filters {
    prefix: Known<CompiledPrefixList>,
    access: Known<CompiledAccessList>,
}

impl World {
    /// None where there is no such list: it keeps nothing back.
    pub(super) fn prefix_filter(&self, afi: Afi, name: &str) -> Option<Filter> {
        let list = self.policies.prefix_list(afi, name)?;
        Some(filter(&self.filters.prefix, afi, name, list, CompiledPrefixList::permits))
    }

    /// The same for access lists.
    pub(super) fn access_filter(&self, afi: Afi, name: &str) -> Option<Filter> {
        let list = self.policies.access_list(afi, name)?;
        Some(filter(&self.filters.access, afi, name, list, CompiledAccessList::permits))
    }
}

fn filter<L: Send + Sync + 'static>(
    known: &Known<L>,
    afi: Afi,
    name: &str,
    list: &Arc<L>,
    permits: fn(&L, Prefix) -> bool,
) -> Filter {
    let key = (afi, name.to_owned());
    let mut known = known.borrow_mut();
    match known.get(&key) {
        Some((of, filter)) if Arc::ptr_eq(of, list) => filter.clone(),
        _ => {
            let of = Arc::clone(list);
            let filter = Filter::new(move |prefix| permits(&of, prefix));
            known.insert(key, (Arc::clone(list), filter.clone()));
            filter
        }
    }
}
