//! Our zebra: batches of the contract's stream, as bgpd sends them.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use ferrite_rpc::zebra::{ClientEvent, ZebraClient, ZebraSender};
use ferrite_types::zclient::{Hello, RouteAttrs, RouteBatch, RouteUpdate, ToZebra};
use ferrite_types::{
    Distance, Ipv4Prefix, Metric, Nexthop, NexthopKind, Prefix, RouteProtocol, Safi, Tag, VrfId,
};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::Receiver;
use topotests::{Failure, Result};

use super::{Feed, PREFIX_LEN, Target};

/// Routes of one message.
const BATCH: usize = 4096;

pub struct Stream {
    sender: ZebraSender,
    // Both live as long as the connection shall.
    _runtime: Runtime,
}

impl Stream {
    pub fn connect(socket: &Path) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let hello = Hello {
            daemon: "route-feed".to_owned(),
            protocol: RouteProtocol::Bgp,
            instance: 0,
            restarting: false,
        };
        let (sender, mut events) = runtime.block_on(async { ZebraClient::spawn(socket, hello) });
        let session = loop {
            match events.blocking_recv() {
                Some(ClientEvent::Connected(session)) => break session,
                Some(ClientEvent::Refused { reason }) => return Err(Failure::new(reason)),
                Some(ClientEvent::Message(_) | ClientEvent::Disconnected { .. }) => {}
                None => return Err(Failure::new("the client has ended")),
            }
        };
        sender.begin(session);
        std::thread::spawn(move || drain(&mut events));
        Ok(Self { sender, _runtime: runtime })
    }
}

/// What zebra says is not needed, but has to be read.
fn drain(events: &mut Receiver<ClientEvent>) {
    while events.blocking_recv().is_some() {}
}

impl Target for Stream {
    fn announce(&mut self, feed: &Feed) -> Result<()> {
        let gateway = |addr: &std::net::Ipv4Addr| Nexthop::new(NexthopKind::Gateway(IpAddr::V4(*addr), None));
        let nexthops: Arc<[Nexthop]> = feed.via.iter().map(gateway).collect();
        let attrs = RouteAttrs {
            nexthops,
            distance: Distance(20),
            metric: Metric(0),
            tag: Tag(0),
            mtu: 0,
            allow_recursion: true,
            internal: false,
            ospf: None,
        };
        let update = |addr| {
            let prefix = Ipv4Prefix::new(addr, PREFIX_LEN).ok_or("a prefix length")?;
            Ok(RouteUpdate {
                prefix: Prefix::V4(prefix),
                protocol: RouteProtocol::Bgp,
                route: Some(attrs.clone()),
            })
        };
        let closed = |_| Failure::new("zebra has gone");
        let mut prefixes = feed.prefixes().peekable();
        while prefixes.peek().is_some() {
            let updates = prefixes.by_ref().take(BATCH).map(update).collect::<Result<Vec<_>>>()?;
            let batch = RouteBatch {
                vrf: VrfId::DEFAULT,
                safi: Safi::Unicast,
                table: None,
                instance: 0,
                group: feed.group.as_deref().map(Into::into),
                updates,
            };
            self.sender.blocking_send(ToZebra::Routes(batch)).map_err(closed)?;
        }
        self.sender.blocking_send(ToZebra::ReplayDone).map_err(closed)
    }
}
