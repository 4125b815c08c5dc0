//! Candidate routes as `show ip route` lists them.

use ferrite_types::{IfIndex, Nexthop, NexthopKind, Prefix, RouteProtocol, Safi, VrfId};

use crate::action::NexthopId;
use crate::event::Offload;
use crate::fib::{errno_text, is_system, usable};
use crate::instance::Zebra;
use crate::rib::{Dest, DestState, Entry, OwnerId, ResolvedNexthop, Shape, TableKey, Trust};
use crate::view::ospf::OspfView;
use crate::view::route::{Destination, NexthopView, RouteView};
use crate::view::uptime;

impl Zebra {
    pub(crate) fn interface_name(&self, ifindex: IfIndex) -> String {
        self.interfaces.name(ifindex).map_or_else(|| format!("ifindex {ifindex}"), str::to_owned)
    }

    pub(crate) fn vrf_name(&self, vrf: VrfId) -> String {
        self.interfaces.vrf(vrf).map(|vrf| vrf.name.clone()).unwrap_or_default()
    }

    /// A next hop with what can be said of it alone.
    pub(crate) fn nexthop_view(&self, nexthop: &Nexthop, vrf: VrfId) -> NexthopView {
        let mut view = match nexthop.kind {
            NexthopKind::Blackhole(kind) => NexthopView::blackhole(kind),
            NexthopKind::Interface(_) => NexthopView { directly_connected: true, ..NexthopView::default() },
            NexthopKind::Gateway(gateway, _) => NexthopView {
                ip: Some(gateway),
                afi: Some(if gateway.is_ipv4() { "ipv4" } else { "ipv6" }),
                ..NexthopView::default()
            },
        };
        view.interface_index = nexthop.ifindex().map(ferrite_types::IfIndex::in_kernel);
        view.interface_name = nexthop.ifindex().map(|ifindex| self.interface_name(ifindex));
        view.weight = nexthop.weight;
        view.on_link = nexthop.onlink;
        view.source = nexthop.source;
        view.labels = nexthop.labels.to_vec();
        view = view.with_seg6(nexthop.seg6.as_deref());
        if nexthop.vrf != vrf && !view.unreachable {
            view.vrf = Some(self.vrf_name(nexthop.vrf));
        }
        view
    }

    /// The candidates of a destination, the newest first as FRR lists them.
    pub(crate) fn route_views(&self, key: TableKey, prefix: Prefix, dest: &Dest) -> Vec<RouteView> {
        let selected = dest.selected_index();
        let mut views: Vec<RouteView> = dest
            .entries()
            .enumerate()
            .filter_map(|(index, entry)| self.route_view(key, prefix, dest, entry, selected == Some(index)))
            .collect();
        views.reverse();
        views
    }

    fn route_view(
        &self,
        key: TableKey,
        prefix: Prefix,
        dest: &Dest,
        entry: &Entry,
        selected: bool,
    ) -> Option<RouteView> {
        let shape = self.rib.shared.shape(entry.shape)?;
        let set = self.rib.shared.set(shape.set)?;
        let system = is_system(shape.protocol);
        let active = usable(entry, prefix, &self.rib.shared);
        // Static routes that cannot be used are no candidates in FRR: staticd keeps them to itself.
        let denied = entry.policy == crate::rib::Policy::Deny;
        if !active && !denied && hides_inactive(shape) {
            return None;
        }
        // The kernel has no table of multicast's own: what is selected there is in use.
        let looked_up = key.safi == Safi::Multicast && selected;
        let installed =
            if system { active } else { looked_up || (selected && dest.state == DestState::Installed) };
        let stands = selected && !system && self.capacity.active();
        let (fib_left_out, fib_covered_by) =
            if stands { self.capacity.place(key, prefix) } else { (false, None) };
        // Sets without an object of the kernel have numbers of their own.
        let object = set.groups.get(crate::client::family(shape.afi)).copied().flatten();
        let group = object.map_or(shape.set.number(), NexthopId::in_kernel);
        let mut nexthops = Vec::new();
        for pair in set.nexthops.iter().zip(&set.resolved.nexthops) {
            self.push_nexthop(key, prefix, shape, pair, installed, &mut nexthops);
        }
        let rejected = selected && !system && dest.state == DestState::Rejected;
        let failure = self.fib.failure(key, prefix).filter(|_| rejected);
        Some(RouteView {
            prefix: Destination { prefix, from: key.from },
            prefix_len: prefix.len(),
            protocol: shape.protocol,
            instance: shape.instance,
            vrf_id: key.vrf,
            vrf_name: self.vrf_name(key.vrf),
            selected,
            dest_selected: selected,
            distance: shape.distance,
            metric: shape.metric,
            installed,
            failed: rejected,
            queued: selected && !system && (dest.state == DestState::Queued || self.awaits_offload(dest)),
            fib_left_out,
            fib_covered_by,
            offloaded: installed && selected && dest.offload == Offload::Offloaded,
            trapped: installed && selected && dest.offload == Offload::Trapped,
            offload_failed: installed && selected && dest.offload == Offload::Failed,
            tag: shape.tag,
            table: key.table,
            failure_reason: failure.map(|failure| errno_text(failure.errno)),
            internal_status: if installed { 16 } else { 0 },
            internal_flags: internal_flags(shape, set.trust, selected),
            nexthop_count: nexthops.len(),
            active_count: nexthops.iter().filter(|nexthop| nexthop.active).count(),
            nexthop_group_id: group,
            installed_nexthop_group_id: (installed && selected).then_some(group),
            uptime: uptime(self.now.since(ferrite_types::Timestamp::from_secs(entry.since.into()))),
            nexthops,
            ospf: shape.ospf.map(|route| OspfView::new(route, shape.tag)),
        })
    }

    fn push_nexthop(
        &self,
        key: TableKey,
        prefix: Prefix,
        shape: &Shape,
        (nexthop, resolved): (&Nexthop, &ResolvedNexthop),
        installed: bool,
        out: &mut Vec<NexthopView>,
    ) {
        let active = !resolved.paths.is_empty() && resolved.usable_for(nexthop, prefix);
        if !active && hides_inactive(shape) {
            return;
        }
        let mut view = self.nexthop_view(nexthop, key.vrf);
        view.active = active;
        view.source = shape.source.or(view.source);
        if resolved.recursive && active {
            view.recursive = true;
            out.push(view.with_flags());
            for path in &resolved.paths {
                let mut view = self.nexthop_view(path, key.vrf);
                (view.active, view.fib, view.resolver) = (true, installed, true);
                view.source = shape.source.or(view.source);
                out.push(view.with_flags());
            }
            return;
        }
        if let (true, [path]) = (active, resolved.paths.as_slice()) {
            view.interface_index = path.ifindex().map(ferrite_types::IfIndex::in_kernel);
            view.interface_name = path.ifindex().map(|ifindex| self.interface_name(ifindex));
        }
        view.fib = active && installed;
        out.push(view.with_flags());
    }
}

fn hides_inactive(shape: &Shape) -> bool {
    shape.protocol == RouteProtocol::Static && shape.owner == OwnerId::SELF
}

/// FRR's ZEBRA_FLAG_*: allow recursion 1, iBGP 4, selected 8, told apart by distance 64.
fn internal_flags(shape: &Shape, trust: Trust, selected: bool) -> u32 {
    u32::from(trust == Trust::Recursive)
        | u32::from(shape.internal) << 2
        | u32::from(selected) << 3
        | u32::from(shape.protocol == RouteProtocol::Static) << 6
}
