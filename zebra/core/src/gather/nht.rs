//! Tracked next hops.

use std::net::IpAddr;

use ferrite_types::{Afi, RouteProtocol, VrfId};
use rustc_hash::FxHashSet;

use crate::instance::Zebra;
use crate::nht::Watch;
use crate::rib::{OwnerId, SetId, Shape};
use crate::settings::VrfSettings;
use crate::view::nht::{NexthopTracking, TrackedNexthop, TrackingClient};

impl Zebra {
    pub(crate) fn nht_view(&self, vrf: VrfId, afi: Afi, only: Option<IpAddr>) -> NexthopTracking {
        let vrf_name = self.vrf_name(vrf);
        let (v4, v6) = self.settings.vrf(&vrf_name).map_or((true, true), VrfSettings::via_default);
        let wanted =
            |addr: IpAddr| addr.is_ipv4() == (afi == Afi::Ipv4) && only.is_none_or(|only| only == addr);
        let statics = self.static_sets();
        let entries = self
            .tracker
            .watched()
            .filter(|((of, addr), _)| *of == vrf && wanted(*addr))
            .map(|((_, addr), watch)| self.tracked(addr, watch, &statics))
            .filter(|tracked| !tracked.client_list.is_empty())
            .collect();
        let resolve_via_default = if afi == Afi::Ipv6 { v6 } else { v4 };
        NexthopTracking { vrf_name, afi, resolve_via_default, entries }
    }

    /// The next hops of static routes: in FRR a daemon of its own asks about them.
    fn static_sets(&self) -> FxHashSet<SetId> {
        let shapes = self.rib.shared.shapes().map(|(_, shape)| shape);
        let ours = |shape: &&Shape| shape.protocol == RouteProtocol::Static && shape.owner == OwnerId::SELF;
        shapes.filter(ours).map(|shape| shape.set).collect()
    }

    fn tracked(&self, addr: IpAddr, watch: &Watch, statics: &FxHashSet<SetId>) -> TrackedNexthop {
        let of_statics = watch.sets.iter().any(|set| statics.contains(set));
        let statics = of_statics.then(|| TrackingClient {
            protocol: RouteProtocol::Static.name().to_owned(),
            socket: 0,
            protocol_filtered: "none",
        });
        let clients = watch.clients.keys().filter_map(|key| {
            let protocol = self.clients.get(*key)?.hello.protocol.name().to_owned();
            Some(TrackingClient { protocol, socket: key.0, protocol_filtered: "none" })
        });
        let paths = watch.via.iter().flat_map(|via| &via.paths).map(|path| {
            let mut view = self.nexthop_view(path, path.vrf);
            // Here the VRF always stands.
            view.vrf = Some(self.vrf_name(path.vrf));
            (view.active, view.fib) = (true, true);
            view.with_flags()
        });
        TrackedNexthop {
            addr,
            connected_only: watch.clients.values().any(|connected_only| *connected_only),
            client_list: statics.into_iter().chain(clients).collect(),
            nexthops: paths.collect(),
            protocol: watch.via.as_ref().map(|via| via.protocol),
            prefix: watch.via.as_ref().map(|via| via.prefix),
        }
    }
}
