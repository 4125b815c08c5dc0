//! Measures the route writer alone: N routes into the kernel of the network namespace it is started in, and out again.
//!
//! `ip netns exec NAME million [N] [GATEWAY IFINDEX]`

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Instant;

use ferrite_types::{IfIndex, Ipv4Prefix, Nexthop, NexthopKind, RouteProtocol, TableId, VrfId};
use zebra::dataplane::Dataplane;
use zebra::netlink::KernelDataplane;
use zebra_core::{FibOp, FibOpKind, FibRoute};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let count: u32 = args.first().map_or(Ok(1_000_000), |text| text.parse())?;
    let gateway: Ipv4Addr = args.get(1).map_or(Ok(Ipv4Addr::new(10, 0, 0, 2)), |text| text.parse())?;
    let ifindex: u32 = args.get(2).map_or(Ok(2), |text| text.parse())?;
    let nexthop = Nexthop::new(NexthopKind::Gateway(gateway.into(), Some(IfIndex(ifindex))));
    let route = Arc::new(FibRoute {
        protocol: RouteProtocol::Bgp,
        nexthops: Arc::new([nexthop]),
        mtu: 0,
        source: None,
        group: None,
    });
    let mut plane = KernelDataplane::open()?;
    for remove in [false, true] {
        let ops: Vec<FibOp> = (0..count).map(|index| operation(index, &route, remove)).collect();
        let mut results = Vec::with_capacity(ops.len());
        let start = Instant::now();
        plane.program(&ops, &mut results);
        let refused = results.iter().filter(|result| result.errno != 0).count();
        println!(
            "{} {count} routes: {:.2} s, {refused} refused",
            if remove { "remove" } else { "install" },
            start.elapsed().as_secs_f64()
        );
    }
    Ok(())
}

fn operation(index: u32, route: &Arc<FibRoute>, remove: bool) -> FibOp {
    let bits = 0x1400_0000 + (index << 8);
    let kind = if remove {
        FibOpKind::Remove { protocol: RouteProtocol::Bgp }
    } else {
        FibOpKind::Install(route.clone())
    };
    FibOp {
        vrf: VrfId::DEFAULT,
        table: TableId::MAIN,
        prefix: Ipv4Prefix::from_bits(bits, 24).unwrap_or_default().into(),
        from: None,
        seq: index,
        kind,
    }
}
