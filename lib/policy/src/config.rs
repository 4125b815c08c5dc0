//! A daemon's policy as one value. Lists are shared by `Arc`: a copy of the configuration costs a pointer per list, and an
//! equal pointer says that nothing changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use ferrite_types::Afi;

use crate::access_list::AccessList;
use crate::as_path_list::AsPathList;
use crate::community_list::CommunityList;
use crate::prefix_list::PrefixList;
use crate::route_map::RouteMapConfig;

/// Lists or maps of one kind by name.
pub type Named<T> = BTreeMap<String, Arc<T>>;

/// What a name can stand for, for telling what changed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ListKind {
    PrefixList(Afi),
    AccessList(Afi),
    AsPathList,
    CommunityList,
    LargeCommunityList,
    ExtCommunityList,
    RouteMap,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct PolicyConfig {
    pub prefix_lists_v4: Named<PrefixList>,
    pub prefix_lists_v6: Named<PrefixList>,
    pub access_lists_v4: Named<AccessList>,
    pub access_lists_v6: Named<AccessList>,
    pub as_path_lists: Named<AsPathList>,
    pub community_lists: Named<CommunityList>,
    pub large_community_lists: Named<CommunityList>,
    pub ext_community_lists: Named<CommunityList>,
    pub route_maps: Named<RouteMapConfig>,
    /// `no route-map optimization`.
    pub no_optimization: bool,
}

impl PolicyConfig {
    pub fn prefix_lists(&self, afi: Afi) -> &Named<PrefixList> {
        if afi == Afi::Ipv6 { &self.prefix_lists_v6 } else { &self.prefix_lists_v4 }
    }

    pub fn prefix_lists_mut(&mut self, afi: Afi) -> &mut Named<PrefixList> {
        if afi == Afi::Ipv6 { &mut self.prefix_lists_v6 } else { &mut self.prefix_lists_v4 }
    }

    pub fn access_lists(&self, afi: Afi) -> &Named<AccessList> {
        if afi == Afi::Ipv6 { &self.access_lists_v6 } else { &self.access_lists_v4 }
    }

    pub fn access_lists_mut(&mut self, afi: Afi) -> &mut Named<AccessList> {
        if afi == Afi::Ipv6 { &mut self.access_lists_v6 } else { &mut self.access_lists_v4 }
    }
}

/// The list of that name to edit; made where it is not there, copied where the old configuration shares it.
pub fn edit<'a, T: Clone + Default>(lists: &'a mut Named<T>, name: &str) -> &'a mut T {
    Arc::make_mut(lists.entry(name.to_owned()).or_default())
}
