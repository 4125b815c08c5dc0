//! `show ip ospf mpls-te …`: what we say of our links, and the database made of what all routers say.

use std::fmt;
use std::net::Ipv4Addr;

use ferrite_ospf::packet::V2;
use serde::Serialize;

use super::opaque::link::TeLink;
use crate::process::KernelLink;
use crate::show::At;

pub mod database;

/// `mpls-te interface`
#[derive(Serialize)]
pub struct Links(Vec<Link>);

#[derive(Serialize)]
struct Link {
    name: String,
    params: Option<TeLink>,
}

impl Links {
    /// Every link of the VRF, whether we speak there or not.
    pub fn new<'a>(at: At<'_, V2>, links: impl Iterator<Item = &'a KernelLink>, only: Option<&str>) -> Self {
        let named = links.filter(|link| only.is_none_or(|name| link.interface.name == name));
        let mut all: Vec<Link> = named
            .map(|link| {
                let ids = crate::process::on_link(at.process, link.interface.ifindex);
                let tlvs = ids.into_iter().find_map(|id| at.process.core.te_link(id));
                let name = link.interface.name.clone();
                Link { name, params: tlvs.map(|tlvs| TeLink::new(&tlvs, 0)) }
            })
            .collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Self(all)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|link| match &link.params {
            None => writeln!(f, "  {}: MPLS-TE is disabled on this interface", link.name),
            Some(params) => {
                writeln!(f, "-- MPLS-TE link parameters for {} --", link.name)?;
                writeln!(f, "{params}---------------\n")
            }
        })
    }
}

/// `mpls-te router`
#[derive(Serialize)]
pub struct Router {
    on: bool,
    address: Option<Ipv4Addr>,
    export: bool,
}

impl Router {
    pub fn new(at: At<'_, V2>) -> Self {
        let te = at.router.te;
        Self { on: te.on, address: te.router_address, export: te.export }
    }
}

impl fmt::Display for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.on {
            return Ok(());
        }
        writeln!(f, "--- MPLS-TE router parameters ---")?;
        match self.address {
            Some(address) => writeln!(f, "  Router-Address: {address}")?,
            None => writeln!(f, "  N/A")?,
        }
        writeln!(f, "  Link State distribution is {}", if self.export { "Active" } else { "Inactive" })
    }
}
