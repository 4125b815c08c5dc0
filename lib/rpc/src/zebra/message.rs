//! Whole messages of the stream, both directions.

use ferrite_types::zclient::{
    CONTRACT_MAJOR, CONTRACT_MINOR, FromZebra, Hello, LdpSync, RouteBatch, RouteResult, ToZebra,
};
use ferrite_types::{TableId, VrfId};
use prost::Message;

use super::pb::client_message::Message as ToPb;
use super::pb::server_message::Message as FromPb;
use super::value::{narrow, protocol, protocol_number};
use super::{ConvertError, interfaces, labels, link_params, pb, routes};

/// Routes and results per message: large enough to amortise the framing, small enough to keep latency and the
/// octets in flight low.
const MAX_ROUTES: usize = 8192;

impl From<&Hello> for pb::Hello {
    fn from(hello: &Hello) -> Self {
        Self {
            major: CONTRACT_MAJOR,
            minor: CONTRACT_MINOR,
            daemon: hello.daemon.clone(),
            protocol: protocol_number(hello.protocol),
            instance: hello.instance.into(),
            restarting: hello.restarting,
        }
    }
}

impl TryFrom<pb::Hello> for Hello {
    type Error = ConvertError;
    fn try_from(pb: pb::Hello) -> Result<Self, ConvertError> {
        if pb.major != CONTRACT_MAJOR {
            return Err(ConvertError::Version { theirs: pb.major, ours: CONTRACT_MAJOR });
        }
        Ok(Self {
            daemon: pb.daemon,
            protocol: protocol(pb.protocol)?,
            instance: narrow("instance", pb.instance)?,
            restarting: pb.restarting,
        })
    }
}

/// The protobuf messages for one message of a daemon: more than one where a batch is long.
pub fn encode_client(message: ToZebra) -> Vec<pb::ClientMessage> {
    let one = |message| vec![pb::ClientMessage { message: Some(message) }];
    match message {
        ToZebra::Routes(batch) => encode_routes(batch),
        ToZebra::TrackNexthops(items) => {
            one(ToPb::TrackNexthops(pb::TrackNexthops { items: items.iter().map(Into::into).collect() }))
        }
        ToZebra::Redistribute(request) => one(ToPb::Redistribute(request.into())),
        ToZebra::RouterAdvertisements(wish) => {
            one(ToPb::RouterAdvertisements(interfaces::advertisements(wish)))
        }
        ToZebra::WantResults(all) => one(ToPb::WantResults(pb::WantResults { all })),
        ToZebra::HoldRoutes(seconds) => one(ToPb::HoldRoutes(pb::HoldRoutes { seconds })),
        ToZebra::GetLabels(request) => one(ToPb::GetLabels(request.into())),
        ToZebra::ReleaseLabels(block) => one(ToPb::ReleaseLabels(block.into())),
        ToZebra::Lsps(updates) => updates
            .chunks(MAX_ROUTES)
            .map(|chunk| pb::ClientMessage { message: Some(ToPb::Lsps(labels::lsp_batch(chunk))) })
            .collect(),
        ToZebra::TrackRpf(items) => {
            one(ToPb::TrackRpfs(pb::TrackRpfs { items: items.iter().map(Into::into).collect() }))
        }
        ToZebra::WatchFecs(items) => {
            one(ToPb::WatchFecs(pb::FecWatches { items: items.iter().map(Into::into).collect() }))
        }
        ToZebra::LdpSync(said) => one(ToPb::LdpSync(ldp_sync(said))),
        ToZebra::Resolve(wanted) => one(ToPb::ResolveNeighbor(interfaces::resolve(wanted))),
        ToZebra::ReplayDone => one(ToPb::ReplayDone(pb::ReplayDone {})),
        ToZebra::Goodbye { keep_routes } => one(ToPb::Goodbye(pb::Goodbye { keep_routes })),
    }
}

fn ldp_sync(said: LdpSync) -> pb::LdpSync {
    match said {
        LdpSync::Link { ifindex, in_sync } => pb::LdpSync { ifindex: ifindex.0, in_sync, gone: false },
        LdpSync::Gone => pb::LdpSync { ifindex: 0, in_sync: false, gone: true },
    }
}

fn ldp_said(pb: pb::LdpSync) -> LdpSync {
    if pb.gone {
        return LdpSync::Gone;
    }
    LdpSync::Link { ifindex: ferrite_types::IfIndex(pb.ifindex), in_sync: pb.in_sync }
}

fn encode_routes(batch: RouteBatch) -> Vec<pb::ClientMessage> {
    let (vrf, safi, table, instance, group) =
        (batch.vrf, batch.safi, batch.table, batch.instance, batch.group);
    let mut rest = batch.updates;
    let mut out = Vec::new();
    while !rest.is_empty() {
        let tail = rest.split_off(rest.len().min(MAX_ROUTES));
        let updates = std::mem::replace(&mut rest, tail);
        let group = group.clone();
        let part = RouteBatch { vrf, safi, table, instance, group, updates };
        out.push(pb::ClientMessage { message: Some(ToPb::Routes((&part).into())) });
    }
    out
}

impl TryFrom<pb::ClientMessage> for ToZebra {
    type Error = ConvertError;
    fn try_from(pb: pb::ClientMessage) -> Result<Self, ConvertError> {
        Ok(match pb.message.ok_or(ConvertError::Empty)? {
            ToPb::Hello(_) => return Err(ConvertError::SecondHello),
            ToPb::Routes(batch) => Self::Routes(batch.try_into()?),
            ToPb::TrackNexthops(list) => {
                Self::TrackNexthops(list.items.iter().map(TryInto::try_into).collect::<Result<_, _>>()?)
            }
            ToPb::Redistribute(request) => Self::Redistribute(request.try_into()?),
            ToPb::RouterAdvertisements(wish) => {
                Self::RouterAdvertisements(interfaces::advertisements_wanted(&wish))
            }
            ToPb::WantResults(want) => Self::WantResults(want.all),
            ToPb::HoldRoutes(hold) => Self::HoldRoutes(hold.seconds),
            ToPb::GetLabels(request) => Self::GetLabels(request.try_into()?),
            ToPb::ReleaseLabels(block) => Self::ReleaseLabels(block.try_into()?),
            ToPb::Lsps(batch) => {
                Self::Lsps(batch.items.iter().map(TryInto::try_into).collect::<Result<_, _>>()?)
            }
            ToPb::TrackRpfs(list) => {
                Self::TrackRpf(list.items.iter().map(TryInto::try_into).collect::<Result<_, _>>()?)
            }
            ToPb::WatchFecs(list) => {
                Self::WatchFecs(list.items.iter().map(TryInto::try_into).collect::<Result<_, _>>()?)
            }
            ToPb::LdpSync(pb) => Self::LdpSync(ldp_said(pb)),
            ToPb::ResolveNeighbor(pb) => Self::Resolve(interfaces::resolve_wanted(&pb)?),
            ToPb::ReplayDone(_) => Self::ReplayDone,
            ToPb::Goodbye(goodbye) => Self::Goodbye { keep_routes: goodbye.keep_routes },
        })
    }
}

/// The protobuf messages for one message of zebra: more than one where a batch is long.
pub fn encode_server(message: &FromZebra) -> Vec<pb::ServerMessage> {
    let one = |message| vec![pb::ServerMessage { message: Some(message) }];
    match message {
        FromZebra::Interface(interface) => one(FromPb::Interface(interface.into())),
        FromZebra::InterfaceGone(ifindex) => {
            one(FromPb::InterfaceGone(pb::InterfaceGone { ifindex: ifindex.0 }))
        }
        FromZebra::Address { ifindex, address } => {
            one(FromPb::Address(interfaces::address_change(false, *ifindex, address)))
        }
        FromZebra::AddressGone { ifindex, address } => {
            one(FromPb::Address(interfaces::address_change(true, *ifindex, address)))
        }
        FromZebra::Vrf { vrf, name, table, netns } => one(FromPb::Vrf(pb::Vrf {
            vrf: vrf.0,
            name: name.clone(),
            table: table.0,
            netns: netns.clone().unwrap_or_default(),
        })),
        FromZebra::VrfGone(vrf) => one(FromPb::VrfGone(pb::VrfGone { vrf: vrf.0 })),
        FromZebra::RouterId { vrf, router_id } => {
            one(FromPb::RouterId(interfaces::router_id_message(*vrf, *router_id)))
        }
        FromZebra::LinkNeighbor { ifindex, addr, present } => {
            one(FromPb::LinkNeighbor(interfaces::link_neighbor_message(*ifindex, *addr, *present)))
        }
        FromZebra::LinkParams { ifindex, params } => {
            one(FromPb::LinkParams(link_params::message(*ifindex, params.as_deref())))
        }
        FromZebra::LdpSync(said) => one(FromPb::LdpSync(ldp_sync(*said))),
        FromZebra::SnapshotDone => one(FromPb::SnapshotDone(pb::SnapshotDone {})),
        FromZebra::Nexthops(states) => {
            one(FromPb::Nexthops(pb::NexthopStates { items: states.iter().map(Into::into).collect() }))
        }
        FromZebra::Rpf(states) => {
            one(FromPb::RpfStates(pb::RpfStates { items: states.iter().map(Into::into).collect() }))
        }
        FromZebra::Redistributed(list) => list
            .chunks(MAX_ROUTES)
            .flat_map(routes::redistributed_batches)
            .map(|batch| pb::ServerMessage { message: Some(FromPb::Redistributed(batch)) })
            .collect(),
        FromZebra::Results(results) => results
            .chunks(MAX_ROUTES)
            .map(|chunk: &[RouteResult]| pb::ServerMessage {
                message: Some(FromPb::Results(routes::result_batch(chunk))),
            })
            .collect(),
        FromZebra::LabelChunk(answer) => one(FromPb::LabelChunk(answer.into())),
        FromZebra::LspResults(results) => {
            one(FromPb::LspResults(pb::LspResults { items: results.iter().map(Into::into).collect() }))
        }
        FromZebra::FecLabels(fecs) => {
            one(FromPb::FecLabels(pb::FecLabels { items: fecs.iter().map(Into::into).collect() }))
        }
        FromZebra::Refused { request, reason } => one(FromPb::RequestRefused(pb::RequestRefused {
            request: request.clone(),
            reason: reason.clone(),
        })),
    }
}

impl TryFrom<pb::ServerMessage> for FromZebra {
    type Error = ConvertError;
    fn try_from(pb: pb::ServerMessage) -> Result<Self, ConvertError> {
        Ok(match pb.message.ok_or(ConvertError::Empty)? {
            FromPb::Welcome(_) | FromPb::Refused(_) => return Err(ConvertError::SecondHello),
            FromPb::Interface(interface) => Self::Interface(interface.try_into()?),
            FromPb::InterfaceGone(gone) => Self::InterfaceGone(ferrite_types::IfIndex(gone.ifindex)),
            FromPb::Address(change) => {
                let (ifindex, address) = interfaces::address(&change)?;
                if change.gone {
                    Self::AddressGone { ifindex, address }
                } else {
                    Self::Address { ifindex, address }
                }
            }
            FromPb::Vrf(vrf) => Self::Vrf {
                vrf: VrfId(vrf.vrf),
                name: vrf.name,
                table: TableId(vrf.table),
                netns: Some(vrf.netns).filter(|path| !path.is_empty()),
            },
            FromPb::VrfGone(gone) => Self::VrfGone(VrfId(gone.vrf)),
            FromPb::RouterId(id) => {
                let (vrf, router_id) = interfaces::router_id(&id)?;
                Self::RouterId { vrf, router_id }
            }
            FromPb::LinkNeighbor(neighbor) => {
                let (ifindex, addr) = interfaces::link_neighbor(&neighbor)?;
                Self::LinkNeighbor { ifindex, addr, present: !neighbor.gone }
            }
            FromPb::LinkParams(pb) => {
                let (ifindex, params) = link_params::read(&pb)?;
                Self::LinkParams { ifindex, params: params.map(Box::new) }
            }
            FromPb::LdpSync(pb) => Self::LdpSync(ldp_said(pb)),
            FromPb::SnapshotDone(_) => Self::SnapshotDone,
            FromPb::Nexthops(states) => {
                Self::Nexthops(states.items.iter().map(TryInto::try_into).collect::<Result<_, _>>()?)
            }
            FromPb::RpfStates(states) => {
                Self::Rpf(states.items.iter().map(TryInto::try_into).collect::<Result<_, _>>()?)
            }
            FromPb::Redistributed(batch) => Self::Redistributed(routes::redistributed(batch)?),
            FromPb::Results(batch) => Self::Results(routes::results(&batch)?),
            FromPb::LabelChunk(answer) => Self::LabelChunk(answer.try_into()?),
            FromPb::LspResults(list) => {
                Self::LspResults(list.items.iter().map(TryInto::try_into).collect::<Result<_, _>>()?)
            }
            FromPb::FecLabels(list) => {
                Self::FecLabels(list.items.iter().map(TryInto::try_into).collect::<Result<_, _>>()?)
            }
            FromPb::RequestRefused(refused) => {
                Self::Refused { request: refused.request, reason: refused.reason }
            }
        })
    }
}

/// Octets of one message of a daemon to plain data; what a fuzzer drives.
pub fn decode_client(octets: &[u8]) -> Result<ToZebra, ConvertError> {
    pb::ClientMessage::decode(octets).map_err(|error| ConvertError::Protobuf(error.to_string()))?.try_into()
}

/// Octets of one message of zebra to plain data.
pub fn decode_server(octets: &[u8]) -> Result<FromZebra, ConvertError> {
    pb::ServerMessage::decode(octets).map_err(|error| ConvertError::Protobuf(error.to_string()))?.try_into()
}

#[cfg(test)]
mod tests {
    use ferrite_types::IfIndex;
    use ferrite_types::zclient::ResolveNeighbor;

    use super::*;

    #[test]
    fn a_neighbour_to_be_found_leads_back() {
        for addr in ["10.0.0.2", "fe80::1"] {
            let wanted =
                ToZebra::Resolve(ResolveNeighbor { ifindex: IfIndex(7), addr: addr.parse().unwrap() });
            let encoded = encode_client(wanted.clone()).pop().unwrap();
            assert_eq!(ToZebra::try_from(encoded), Ok(wanted));
        }
    }
}
