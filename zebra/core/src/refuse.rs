//! What clients ask for and cannot have: refused with a reason, and nothing else changes. Whatever is merely not possible
//! now (a gateway that nothing leads to, an interface that is not there) is no mistake: it waits.

use std::net::IpAddr;
use std::sync::Arc;

use ferrite_types::zclient::{FromZebra, RouteBatch, RouteOutcome, RouteResult};
use ferrite_types::{Afi, Nexthop, NexthopKind, Prefix, TableId, VrfId};

use crate::client::ClientKey;
use crate::instance::Zebra;
use crate::rib::{MAX_PATHS, OwnerId};

/// Labels of one next hop, as FRR has it.
pub const MAX_LABELS: usize = 16;
/// What a client is told of a route that is refused: EINVAL.
const EINVAL: i32 = 22;
/// The kernel's own: unspecified, default, local.
const KERNELS_TABLES: [TableId; 3] = [TableId(0), TableId(253), TableId(255)];

/// Why a route cannot be.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RouteError {
    #[error("no VRF {0}")]
    NoVrf(VrfId),
    #[error("table {0} is the kernel's own")]
    KernelsTable(TableId),
    #[error("table {0} is the one of VRF {1}")]
    OtherVrf(TableId, String),
    #[error("no next hops")]
    NoNexthops,
    #[error("{0} next hops, at most 256 can be used")]
    TooMany(usize),
    #[error("gateway {0} is no unicast address")]
    Gateway(IpAddr),
    #[error("an IPv6 prefix leads through the IPv4 gateway {0}")]
    Family(IpAddr),
    #[error("{0} labels, at most 16 can be pushed")]
    Labels(usize),
}

fn no_neighbour(gateway: IpAddr) -> bool {
    match gateway {
        IpAddr::V4(addr) => addr.is_unspecified() || addr.is_multicast() || addr.is_broadcast(),
        IpAddr::V6(addr) => addr.is_unspecified() || addr.is_multicast(),
    }
}

/// Judges the next hops of a route for a family.
pub fn check_nexthops(afi: Option<Afi>, nexthops: &[Nexthop]) -> Result<(), RouteError> {
    match nexthops.len() {
        0 => return Err(RouteError::NoNexthops),
        count if count > MAX_PATHS => return Err(RouteError::TooMany(count)),
        _ => {}
    }
    nexthops.iter().try_for_each(|nexthop| match nexthop.kind {
        _ if nexthop.labels.len() > MAX_LABELS => Err(RouteError::Labels(nexthop.labels.len())),
        NexthopKind::Gateway(gateway, _) if no_neighbour(gateway) => Err(RouteError::Gateway(gateway)),
        NexthopKind::Gateway(gateway, _) if gateway.is_ipv4() && afi == Some(Afi::Ipv6) => {
            Err(RouteError::Family(gateway))
        }
        _ => Ok(()),
    })
}

/// Judges routes one after the other: those that follow each other mostly share their next hops.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    /// The set that was judged last, by where it lies, for a family, and the verdict.
    last: Option<(Arc<[Nexthop]>, Afi, Result<(), RouteError>)>,
    refused: u64,
    first: Option<(Prefix, RouteError)>,
}

impl Judge {
    pub fn permits(&mut self, prefix: Prefix, nexthops: &Arc<[Nexthop]>) -> bool {
        let afi = prefix.afi();
        let verdict = match &self.last {
            Some((known, of, verdict)) if Arc::ptr_eq(known, nexthops) && *of == afi => verdict.clone(),
            _ => {
                let verdict = check_nexthops(Some(afi), nexthops);
                self.last = Some((Arc::clone(nexthops), afi, verdict.clone()));
                verdict
            }
        };
        let Err(error) = verdict else { return true };
        self.refused += 1;
        self.first.get_or_insert((prefix, error));
        false
    }
}

impl Zebra {
    /// The table that a batch is for.
    pub(crate) fn table_for(&self, batch: &RouteBatch) -> Result<TableId, RouteError> {
        let own = self.interfaces.table_of(batch.vrf).ok_or(RouteError::NoVrf(batch.vrf))?;
        let Some(table) = batch.table else { return Ok(own) };
        if KERNELS_TABLES.contains(&table) {
            return Err(RouteError::KernelsTable(table));
        }
        // Where VRFs are namespaces, each has all numbers of tables for itself.
        let other = self.interfaces.vrfs().find(|(vrf, info)| *vrf != batch.vrf && info.table == table);
        match other.filter(|_| !self.options.netns) {
            Some((_, info)) => Err(RouteError::OtherVrf(table, info.name.clone())),
            None => Ok(table),
        }
    }

    /// Tells a client that a request was not carried out.
    pub(crate) fn refuse(&mut self, client: ClientKey, request: &str, reason: String) {
        if let Some(client) = self.clients.get_mut(client) {
            client.counts.refused += 1;
        }
        self.send(client, FromZebra::Refused { request: request.to_owned(), reason });
    }

    /// Once for a batch: the first route that was refused, why, and how many.
    pub(crate) fn refuse_judged(&mut self, client: ClientKey, judge: Judge) {
        let Some((prefix, error)) = judge.first else { return };
        let reason = format!("{prefix}: {error} ({} such)", judge.refused);
        self.refuse(client, "routes", reason);
    }

    pub(crate) fn refuse_route(
        &mut self,
        owner: OwnerId,
        (vrf, instance): (VrfId, u16),
        update: &ferrite_types::zclient::RouteUpdate,
    ) {
        let (prefix, protocol) = (update.prefix, update.protocol);
        let result = RouteResult { vrf, prefix, protocol, instance, outcome: RouteOutcome::Rejected(EINVAL) };
        self.clients.push_result(owner, result);
    }
}
