//! Route batches, redistribution and install results: the messages that come in millions.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::net::Ipv4Addr;
use std::sync::Arc;

use ferrite_types::zclient::{
    OspfPath, OspfRoute, RedistributeRequest, RedistributedRoute, RouteAttrs, RouteBatch, RouteOutcome,
    RouteResult, RouteUpdate,
};
use ferrite_types::{Metric, Nexthop, RouteProtocol, TableId, Tag, VrfId};

use super::value::{afi, distance, narrow, pack_prefix, protocol, protocol_number, safi, unpack_prefix};
use super::{ConvertError, pb};

/// A next-hop set by identity: routes of a batch share the allocation, so a pointer tells most of them apart.
struct ByPointer<'a>(&'a Arc<[Nexthop]>);

impl PartialEq for ByPointer<'_> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(self.0, other.0)
    }
}
impl Eq for ByPointer<'_> {}
impl Hash for ByPointer<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(self.0).cast::<u8>().hash(state);
    }
}

/// A shape without its next hops, which are a number by then.
type ShapeKey = (RouteProtocol, Option<ShapeColumns>);
/// What `shape` takes apart.
type ShapeColumns = (u32, u8, u32, u32, u32, bool, bool, Option<OspfRoute>);

/// Collects what the routes of a batch share.
#[derive(Default)]
struct Columns<'a> {
    sets: HashMap<ByPointer<'a>, u32>,
    shapes: HashMap<ShapeKey, u32>,
    last: Option<(ShapeKey, u32)>,
    batch: pb::RouteBatch,
}

impl<'a> Columns<'a> {
    fn set_index(&mut self, nexthops: &'a Arc<[Nexthop]>) -> u32 {
        let batch = &mut self.batch;
        *self.sets.entry(ByPointer(nexthops)).or_insert_with(|| {
            batch.nexthop_sets.push(pb::NexthopSet { nexthops: nexthops.iter().map(Into::into).collect() });
            batch.nexthop_sets.len() as u32 - 1
        })
    }

    fn shape_index(&mut self, protocol: RouteProtocol, route: Option<&'a RouteAttrs>) -> u32 {
        let attrs = route.map(|r| {
            let set = self.set_index(&r.nexthops);
            (set, r.distance.0, r.metric.0, r.tag.0, r.mtu, r.allow_recursion, r.internal, r.ospf)
        });
        let key = (protocol, attrs);
        if let Some((last, index)) = &self.last
            && *last == key
        {
            return *index;
        }
        let batch = &mut self.batch;
        let index = *self.shapes.entry(key).or_insert_with(|| {
            batch.shapes.push(shape(protocol, attrs));
            batch.shapes.len() as u32 - 1
        });
        self.last = Some((key, index));
        index
    }

    fn push(
        &mut self,
        prefix: ferrite_types::Prefix,
        protocol: RouteProtocol,
        route: Option<&'a RouteAttrs>,
    ) {
        let index = self.shape_index(protocol, route);
        pack_prefix(prefix, &mut self.batch.prefixes);
        self.batch.shape_of.push(index);
    }
}

fn shape(protocol: RouteProtocol, attrs: Option<ShapeColumns>) -> pb::RouteShape {
    let protocol = protocol_number(protocol);
    match attrs {
        None => pb::RouteShape { protocol, withdraw: true, ..Default::default() },
        Some((nexthop_set, distance, metric, tag, mtu, allow_recursion, internal, ospf)) => pb::RouteShape {
            protocol,
            withdraw: false,
            nexthop_set,
            distance: distance.into(),
            metric,
            tag,
            mtu,
            allow_recursion,
            internal,
            ospf: ospf.map(ospf_route),
        },
    }
}

impl From<&RouteBatch> for pb::RouteBatch {
    fn from(batch: &RouteBatch) -> Self {
        let mut columns = Columns::default();
        columns.batch.prefixes.reserve(batch.updates.len() * 5);
        columns.batch.shape_of.reserve(batch.updates.len());
        for update in &batch.updates {
            columns.push(update.prefix, update.protocol, update.route.as_ref());
        }
        Self {
            vrf: batch.vrf.0,
            table: batch.table.map(|table| table.0),
            safi: batch.safi.code().into(),
            instance: batch.instance.into(),
            group: batch.group.as_deref().unwrap_or_default().to_owned(),
            ..columns.batch
        }
    }
}

fn ospf_route(route: OspfRoute) -> pb::OspfRoute {
    let path = match route.path {
        OspfPath::IntraArea(_) => 1,
        OspfPath::InterArea(_) => 2,
        OspfPath::External1 => 3,
        OspfPath::External2 => 4,
    };
    pb::OspfRoute { path, area: route.path.area().unwrap_or(Ipv4Addr::UNSPECIFIED).to_bits() }
}

fn ospf_said(pb: &pb::OspfRoute) -> Result<OspfRoute, ConvertError> {
    let area = Ipv4Addr::from_bits(pb.area);
    let path = match pb.path {
        1 => OspfPath::IntraArea(area),
        2 => OspfPath::InterArea(area),
        3 => OspfPath::External1,
        4 => OspfPath::External2,
        other => return Err(ConvertError::Range { field: "ospf.path", value: other.into() }),
    };
    Ok(OspfRoute { path })
}

/// A decoded shape, ready to be cloned for each of its routes.
fn decode_shape(
    pb: &pb::RouteShape,
    sets: &[Arc<[Nexthop]>],
) -> Result<(RouteProtocol, Option<RouteAttrs>), ConvertError> {
    let protocol = protocol(pb.protocol)?;
    if pb.withdraw {
        return Ok((protocol, None));
    }
    let nexthops = sets
        .get(pb.nexthop_set as usize)
        .ok_or(ConvertError::Range { field: "nexthop_set", value: pb.nexthop_set.into() })?;
    let attrs = RouteAttrs {
        nexthops: nexthops.clone(),
        distance: distance(pb.distance)?,
        metric: Metric(pb.metric),
        tag: Tag(pb.tag),
        mtu: pb.mtu,
        allow_recursion: pb.allow_recursion,
        internal: pb.internal,
        ospf: pb.ospf.as_ref().map(ospf_said).transpose()?,
    };
    Ok((protocol, Some(attrs)))
}

impl TryFrom<pb::RouteBatch> for RouteBatch {
    type Error = ConvertError;
    fn try_from(pb: pb::RouteBatch) -> Result<Self, ConvertError> {
        let set = |set: &pb::NexthopSet| set.nexthops.iter().map(Nexthop::try_from).collect::<Result<_, _>>();
        let sets: Vec<Arc<[Nexthop]>> = pb.nexthop_sets.iter().map(set).collect::<Result<_, _>>()?;
        let shapes: Vec<_> =
            pb.shapes.iter().map(|shape| decode_shape(shape, &sets)).collect::<Result<_, _>>()?;
        let mut packed = pb.prefixes.as_slice();
        let mut updates = Vec::with_capacity(pb.shape_of.len().min(pb.prefixes.len()));
        for &index in &pb.shape_of {
            let prefix = unpack_prefix(&mut packed)?;
            let (protocol, route) = shapes
                .get(index as usize)
                .ok_or(ConvertError::Range { field: "shape_of", value: index.into() })?;
            updates.push(RouteUpdate { prefix, protocol: *protocol, route: route.clone() });
        }
        if !packed.is_empty() {
            return Err(ConvertError::Columns { prefixes: updates.len() + 1, numbers: updates.len() });
        }
        Ok(Self {
            vrf: VrfId(pb.vrf),
            safi: safi(pb.safi)?,
            table: pb.table.map(TableId),
            instance: narrow("instance", pb.instance)?,
            group: (!pb.group.is_empty()).then(|| pb.group.into()),
            updates,
        })
    }
}

/// Splits redistributed routes into runs of one VRF and instance, each a message.
pub fn redistributed_batches(
    routes: &[RedistributedRoute],
) -> impl Iterator<Item = pb::RedistributedBatch> + '_ {
    routes.chunk_by(|a, b| (a.vrf, a.instance) == (b.vrf, b.instance)).map(|run| {
        let mut columns = Columns::default();
        for route in run {
            columns.push(route.prefix, route.protocol, route.route.as_ref());
        }
        let (vrf, instance) = run.first().map_or((VrfId::DEFAULT, 0), |route| (route.vrf, route.instance));
        pb::RedistributedBatch { instance, routes: Some(pb::RouteBatch { vrf: vrf.0, ..columns.batch }) }
    })
}

pub fn redistributed(pb: pb::RedistributedBatch) -> Result<Vec<RedistributedRoute>, ConvertError> {
    let instance = pb.instance;
    let RouteBatch { vrf, updates, .. } = pb.routes.ok_or(ConvertError::Empty)?.try_into()?;
    let route = |u: RouteUpdate| RedistributedRoute {
        vrf,
        prefix: u.prefix,
        protocol: u.protocol,
        instance,
        route: u.route,
    };
    Ok(updates.into_iter().map(route).collect())
}

impl From<RedistributeRequest> for pb::RedistributeRequest {
    fn from(request: RedistributeRequest) -> Self {
        Self {
            vrf: request.vrf.0,
            afi: request.afi.code().into(),
            protocol: protocol_number(request.protocol),
            instance: request.instance,
            subscribe: request.subscribe,
        }
    }
}

impl TryFrom<pb::RedistributeRequest> for RedistributeRequest {
    type Error = ConvertError;
    fn try_from(pb: pb::RedistributeRequest) -> Result<Self, ConvertError> {
        Ok(Self {
            vrf: VrfId(pb.vrf),
            afi: afi(pb.afi)?,
            protocol: protocol(pb.protocol)?,
            instance: pb.instance,
            subscribe: pb.subscribe,
        })
    }
}

pub fn result_batch(results: &[RouteResult]) -> pb::ResultBatch {
    let mut kinds: HashMap<(VrfId, RouteProtocol, u16, u32, i32), u32> = HashMap::new();
    let mut batch = pb::ResultBatch::default();
    for result in results {
        let (outcome, errno) = match result.outcome {
            RouteOutcome::Installed => (1, 0),
            RouteOutcome::Removed => (2, 0),
            RouteOutcome::BetterAdminWon => (3, 0),
            RouteOutcome::Rejected(errno) => (4, errno),
        };
        let kind = (result.vrf, result.protocol, result.instance, outcome, errno);
        let index = *kinds.entry(kind).or_insert_with(|| {
            let (protocol, instance) = (protocol_number(result.protocol), result.instance.into());
            batch.kinds.push(pb::ResultKind { vrf: result.vrf.0, protocol, outcome, errno, instance });
            batch.kinds.len() as u32 - 1
        });
        pack_prefix(result.prefix, &mut batch.prefixes);
        batch.kind_of.push(index);
    }
    batch
}

pub fn results(pb: &pb::ResultBatch) -> Result<Vec<RouteResult>, ConvertError> {
    let mut packed = pb.prefixes.as_slice();
    let mut out = Vec::with_capacity(pb.kind_of.len().min(pb.prefixes.len()));
    for &index in &pb.kind_of {
        let prefix = unpack_prefix(&mut packed)?;
        let kind = pb
            .kinds
            .get(index as usize)
            .ok_or(ConvertError::Range { field: "kind_of", value: index.into() })?;
        let outcome = match kind.outcome {
            1 => RouteOutcome::Installed,
            2 => RouteOutcome::Removed,
            3 => RouteOutcome::BetterAdminWon,
            4 => RouteOutcome::Rejected(kind.errno),
            other => return Err(ConvertError::Range { field: "outcome", value: other.into() }),
        };
        out.push(RouteResult {
            vrf: VrfId(kind.vrf),
            prefix,
            protocol: protocol(kind.protocol)?,
            instance: narrow("instance", kind.instance)?,
            outcome,
        });
    }
    if packed.is_empty() {
        Ok(out)
    } else {
        Err(ConvertError::Columns { prefixes: out.len() + 1, numbers: out.len() })
    }
}

#[cfg(test)]
mod tests {
    use ferrite_types::Distance;

    use super::*;

    fn attrs(nexthops: Arc<[Nexthop]>, metric: u32) -> RouteAttrs {
        RouteAttrs {
            nexthops,
            distance: Distance(20),
            metric: Metric(metric),
            tag: Tag(7),
            mtu: 0,
            allow_recursion: true,
            internal: false,
            ospf: None,
        }
    }

    fn sample() -> RouteBatch {
        let one: Arc<[Nexthop]> = Arc::new([Nexthop::gateway("192.0.2.1".parse().unwrap())]);
        let two: Arc<[Nexthop]> = Arc::new([
            Nexthop::gateway("fe80::1".parse().unwrap()),
            Nexthop::interface(ferrite_types::IfIndex(7)),
        ]);
        let update = |text: &str, route| RouteUpdate {
            prefix: text.parse().unwrap(),
            protocol: RouteProtocol::Bgp,
            route,
        };
        RouteBatch {
            vrf: VrfId(3),
            safi: ferrite_types::Safi::Multicast,
            table: None,
            instance: 5,
            group: Some("WEB".into()),
            updates: vec![
                update("10.0.0.0/8", Some(attrs(one.clone(), 0))),
                update("10.1.0.0/16", Some(attrs(one.clone(), 0))),
                update("2001:db8::/32", Some(attrs(two, 5))),
                update("10.2.0.0/16", None),
                update("10.3.0.0/16", Some(attrs(one, 0))),
            ],
        }
    }

    #[test]
    fn a_batch_leads_back_and_carries_each_set_once() {
        let batch = sample();
        let encoded = pb::RouteBatch::from(&batch);
        assert_eq!(encoded.nexthop_sets.len(), 2);
        assert_eq!(encoded.shapes.len(), 3);
        let back = RouteBatch::try_from(encoded).unwrap();
        assert_eq!(back, batch);
        let sets: Vec<_> = back.updates.iter().filter_map(|u| u.route.as_ref()).collect();
        assert!(Arc::ptr_eq(&sets[0].nexthops, &sets[3].nexthops));
    }

    #[test]
    fn what_ospf_says_of_its_routes_leads_back() {
        let area = "0.0.0.5".parse().unwrap();
        let paths = [
            None,
            Some(OspfPath::IntraArea(area)),
            Some(OspfPath::InterArea(area)),
            Some(OspfPath::External1),
            Some(OspfPath::External2),
        ];
        let mut batch = sample();
        let one = batch.updates.first().cloned().unwrap();
        batch.updates = paths
            .iter()
            .map(|path| {
                let mut update = one.clone();
                update.route.as_mut().unwrap().ospf = path.map(|path| OspfRoute { path });
                update
            })
            .collect();
        let mut encoded = pb::RouteBatch::from(&batch);
        assert_eq!((encoded.nexthop_sets.len(), encoded.shapes.len()), (1, 5));
        assert_eq!(RouteBatch::try_from(encoded.clone()).unwrap(), batch);
        encoded.shapes[1].ospf.as_mut().unwrap().path = 5;
        assert!(RouteBatch::try_from(encoded).is_err());
    }

    #[test]
    fn numbers_that_point_nowhere_are_refused() {
        let mut encoded = pb::RouteBatch::from(&sample());
        encoded.shape_of[0] = 99;
        assert!(RouteBatch::try_from(encoded).is_err());
        let mut encoded = pb::RouteBatch::from(&sample());
        encoded.shapes[0].nexthop_set = 99;
        assert!(RouteBatch::try_from(encoded).is_err());
        let mut encoded = pb::RouteBatch::from(&sample());
        encoded.shape_of.pop();
        assert!(matches!(RouteBatch::try_from(encoded), Err(ConvertError::Columns { .. })));
        let mut encoded = pb::RouteBatch::from(&sample());
        encoded.shapes[0].distance = 256;
        assert!(RouteBatch::try_from(encoded).is_err());
    }

    #[test]
    fn results_lead_back() {
        let result = |text: &str, outcome| RouteResult {
            vrf: VrfId::DEFAULT,
            prefix: text.parse().unwrap(),
            protocol: RouteProtocol::Static,
            instance: 7,
            outcome,
        };
        let all = vec![
            result("10.0.0.0/8", RouteOutcome::Installed),
            result("10.0.0.0/9", RouteOutcome::Rejected(-101)),
            result("::/0", RouteOutcome::Installed),
            result("1.0.0.0/8", RouteOutcome::BetterAdminWon),
        ];
        assert_eq!(results(&result_batch(&all)), Ok(all));
    }
}
