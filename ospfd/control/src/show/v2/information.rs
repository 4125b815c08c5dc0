//! `show ip ospf router-info` and `show ip ospf reachable-routers`.

use std::fmt;

use ferrite_ospf::packet::V2;
use ferrite_ospf::version::Vertex;
use serde::Serialize;

use super::opaque::PceView;
use super::route::Path;
use crate::process::te;
use crate::show::At;

/// What we say of ourselves (RFC 7770).
#[derive(Serialize)]
pub struct RouterInfo {
    capabilities: Option<u32>,
    hostname: Option<String>,
    pce: PceInfo,
}

impl RouterInfo {
    pub fn new(at: At<'_, V2>) -> Self {
        let core = &at.process.core;
        let information = &core.config().router_information;
        let hostname = information.as_ref().and_then(|information| information.hostname.clone());
        Self { capabilities: core.capabilities(), hostname, pce: PceInfo::new(at) }
    }
}

impl fmt::Display for RouterInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(bits) = self.capabilities else {
            return writeln!(f, "  Router Information is disabled on this router");
        };
        writeln!(f, "--- Router Information parameters ---")?;
        writeln!(f, "  Router Capabilities: 0x{bits:08x}")?;
        if let Some(name) = &self.hostname {
            writeln!(f, "  Dynamic hostname: {name}")?;
        }
        self.pce.fmt(f)
    }
}

/// The path computation element that we tell of (RFC 5088).
#[derive(Serialize)]
pub struct PceInfo(Option<PceView>);

impl PceInfo {
    pub fn new(at: At<'_, V2>) -> Self {
        let told = at.router.info.scope.and_then(|_| te::pce(&at.router.info.pce));
        Self(told.and_then(|tlv| PceView::new(&tlv)))
    }
}

impl fmt::Display for PceInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => writeln!(f, "  PCE info is disabled on this router"),
            Some(pce) => write!(f, "--- PCE parameters ---\n{pce}"),
        }
    }
}

/// Routers that the shortest paths reach.
#[derive(Serialize)]
pub struct Reachable {
    routers: Vec<Router>,
}

#[derive(Serialize)]
struct Router {
    id: String,
    area: String,
    cost: u32,
    nexthops: Vec<Path>,
}

impl Reachable {
    pub fn new(at: At<'_, V2>) -> Self {
        let core = &at.process.core;
        let routers = core.areas().keys().flat_map(|area| {
            core.reached(*area).into_iter().filter_map(move |reached| match reached.vertex {
                Vertex::Router(router) if router != core.id() => Some(Router {
                    id: router.to_string(),
                    area: area.to_string(),
                    cost: reached.cost,
                    nexthops: reached.hops.iter().map(|hop| Path::new(at, hop, None)).collect(),
                }),
                _ => None,
            })
        });
        Self { routers: routers.collect() }
    }
}

impl fmt::Display for Reachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.routers.is_empty() {
            return writeln!(f, "No OSPF reachable router information exist");
        }
        writeln!(f, "============ OSPF reachable router table =============")?;
        for router in &self.routers {
            writeln!(f, "R    {:<21} [{}] area: {}", router.id, router.cost, router.area)?;
            router.nexthops.iter().try_for_each(|path| path.write(f, false))?;
        }
        writeln!(f)
    }
}
