//! What `show segment-routing srv6 …` says.

use crate::instance::Zebra;
use crate::view::srv6::{LocatorTable, LocatorView, ManagerView, SidView};

impl Zebra {
    pub(crate) fn locator_table(&self) -> LocatorTable {
        let locators = self.settings.srv6.locators.iter().enumerate();
        let view = |(at, (name, locator)): (usize, (&String, &crate::srv6::Locator))| {
            let prefix = locator.prefix.map(|prefix| prefix.prefix);
            LocatorView::new(name, at + 1, prefix, locator.structure(), locator.is_usid())
        };
        LocatorTable { locators: locators.map(view).collect() }
    }

    pub(crate) fn locator_view(&self, name: &str) -> Option<LocatorView> {
        let mut all = self.locator_table().locators.into_iter();
        all.find(|locator| locator.name == name).map(LocatorView::detailed)
    }

    pub(crate) fn srv6_manager(&self) -> ManagerView {
        let srv6 = &self.settings.srv6;
        let view = |(prefix, sid): (&ferrite_types::Ipv6Prefix, &crate::srv6::StaticSid)| SidView {
            sid: *prefix,
            locator: sid.locator.clone(),
            behavior: sid.behavior.word(),
            failure: self.sid_nexthop(*prefix, sid).err(),
        };
        ManagerView { static_sids: srv6.sids.iter().map(view).collect() }
    }
}
