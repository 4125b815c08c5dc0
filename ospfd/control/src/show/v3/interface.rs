//! `show ipv6 ospf6 interface [NAME]` and `… interface prefix`.

use std::fmt;
use std::time::Duration;

use ferrite_ospf::config::NetworkType;
use ferrite_ospf::packet::V3;
use ferrite_types::Afi;
use indexmap::IndexMap;
use serde::Serialize;

use super::neighbor::{by_area, pending};
use super::route::Hop;
use crate::settings::Configured;
use crate::settings::interface::AuthV3;
use crate::show::{At, Named, text};

#[derive(Serialize)]
struct Address {
    #[serde(rename = "type")]
    family: &'static str,
    address: String,
}

#[derive(Serialize)]
struct Trailer {
    #[serde(rename = "authType", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(rename = "keychainName", skip_serializing_if = "Option::is_none")]
    chain: Option<String>,
    #[serde(rename = "authKeyId", skip_serializing_if = "Option::is_none")]
    key: Option<u16>,
    #[serde(rename = "txPktDrop", skip_serializing_if = "Option::is_none")]
    sent: Option<u64>,
    #[serde(rename = "rxPktDrop", skip_serializing_if = "Option::is_none")]
    received: Option<u64>,
}

#[derive(Serialize)]
pub struct Row {
    status: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "interfaceId")]
    id: u32,
    #[serde(rename = "operatingAsType", skip_serializing_if = "Option::is_none")]
    operating: Option<&'static str>,
    #[serde(rename = "internetAddress")]
    addresses: Vec<Address>,
    #[serde(rename = "attachedToArea")]
    attached: bool,
    #[serde(rename = "instanceId")]
    instance: u8,
    #[serde(rename = "interfaceMtu")]
    mtu: u16,
    #[serde(rename = "autoDetect")]
    detected: u32,
    #[serde(rename = "mtuMismatchDetection")]
    mismatch: &'static str,
    #[serde(rename = "areaId")]
    area: String,
    cost: u16,
    #[serde(rename = "ospf6InterfaceState")]
    state: &'static str,
    #[serde(rename = "transmitDelaySec")]
    transmit_delay: u16,
    priority: u8,
    #[serde(rename = "timerIntervalsConfigHello")]
    hello: u64,
    #[serde(skip)]
    due: Option<Duration>,
    #[serde(rename = "timerIntervalsConfigDead")]
    dead: u64,
    #[serde(rename = "timerIntervalsConfigRetransmit")]
    retransmit: u64,
    #[serde(rename = "timerPassiveIface")]
    passive: bool,
    dr: String,
    bdr: String,
    #[serde(rename = "numberOfInterfaceScopedLsa")]
    lsas: usize,
    #[serde(flatten)]
    pending: IndexMap<String, serde_json::Value>,
    #[serde(rename = "grHelloDelaySecs")]
    hello_delay: u64,
    #[serde(rename = "authInfo")]
    trailer: Trailer,
}

fn network(kind: NetworkType) -> &'static str {
    match kind {
        NetworkType::Broadcast => "BROADCAST",
        NetworkType::NonBroadcast => "NBMA",
        NetworkType::PointToPoint => "POINTOPOINT",
        NetworkType::PointToMultipoint => "POINTOMULTIPOINT",
        NetworkType::Loopback => "LOOPBACK",
        NetworkType::Virtual => "VIRTUALLINK",
    }
}

impl Row {
    fn new<F: Configured>(at: At<'_, V3<F>>, named: &Named<'_>) -> Self {
        let (core, config) = (named.core, &named.core.config);
        let link = named.link.map(|link| &link.interface);
        let own = match link {
            Some(link) if link.loopback => NetworkType::Loopback,
            Some(link) if link.point_to_point => NetworkType::PointToPoint,
            Some(_) => NetworkType::Broadcast,
            None => NetworkType::Virtual,
        };
        let settings = at.settings.interfaces.get(&named.name).map(F::link);
        let addresses = named.link.map(|link| link.addresses.as_slice()).unwrap_or_default();
        let address = |address: &ferrite_types::interface::InterfaceAddress| Address {
            family: if address.addr.is_ipv4() { "inet" } else { "inet6" },
            address: format!("{}/{}", address.addr, address.prefix_len),
        };
        let loops = |address: &ferrite_types::interface::InterfaceAddress| address.addr.is_loopback();
        let refused = at.process.core.refusals().iter();
        let dropped = refused.filter(|((id, reason), _)| *id == named.id && reason.is_authentication());
        let dropped: u64 = dropped.map(|(_, count)| *count).sum();
        let trailer = match settings.and_then(|settings| settings.auth.as_ref()) {
            None => Trailer { kind: Some("NULL"), chain: None, key: None, sent: None, received: None },
            Some(AuthV3::KeyChain(chain)) => Trailer {
                kind: Some("keychain"),
                chain: Some(chain.clone()),
                key: None,
                sent: Some(0),
                received: Some(dropped),
            },
            Some(AuthV3::Key { id, .. }) => Trailer {
                kind: Some("manualkey"),
                chain: None,
                key: Some(*id),
                sent: Some(0),
                received: Some(dropped),
            },
        };
        Self {
            status: if link.is_none_or(|link| link.operative()) { "up" } else { "down" },
            kind: network(own),
            id: core.link.ifindex.0,
            operating: (own != config.network).then(|| network(config.network)),
            addresses: addresses.iter().filter(|address| !loops(address)).map(address).collect(),
            attached: true,
            instance: config.instance,
            mtu: core.link.mtu,
            detected: link.map_or(0, |link| link.mtu),
            mismatch: if config.mtu_ignore { "disabled" } else { "enabled" },
            area: config.area.to_string(),
            cost: core.cost(),
            state: text::interface_state6(core.state),
            transmit_delay: config.transmit_delay,
            priority: config.priority,
            hello: u64::from(config.hello_interval),
            due: core.hello_at().map(|next| next.since(at.now)),
            dead: u64::from(config.dead_interval),
            retransmit: config.retransmit.as_secs(),
            passive: config.passive,
            dr: core.designated.to_string(),
            bdr: core.backup.to_string(),
            lsas: core.links.len(),
            pending: pending(&[("LsUpdate", "lsUpdate"), ("LsAck", "lsAck")]),
            hello_delay: config.hello_delay.as_secs(),
            trailer,
        }
    }

    fn write(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{name} is {}, type {}", self.status, self.kind)?;
        writeln!(f, "  Interface ID: {}", self.id)?;
        if let Some(operating) = self.operating {
            writeln!(f, "  Operating as type {operating}")?;
        }
        writeln!(f, "  Internet Address:")?;
        for address in &self.addresses {
            writeln!(f, "    {:<5}: {}", address.family, address.address)?;
        }
        let (mtu, detected) = (self.mtu, self.detected);
        writeln!(f, "  Instance ID {}, Interface MTU {mtu} (autodetect: {detected})", self.instance)?;
        writeln!(f, "  MTU mismatch detection: {}", self.mismatch)?;
        writeln!(f, "  Area ID {}, Cost {}", self.area, self.cost)?;
        let (state, delay) = (self.state, self.transmit_delay);
        writeln!(f, "  State {state}, Transmit Delay {delay} sec, Priority {}", self.priority)?;
        writeln!(f, "  Timer intervals configured:")?;
        if self.passive {
            writeln!(f, "   No Hellos (Passive interface)")?;
        } else {
            let due = self.due.map(|due| format!("{}.{:03}", due.as_secs(), due.subsec_millis()));
            let due = due.as_deref().unwrap_or("-");
            writeln!(
                f,
                "   Hello {}({due}), Dead {}, Retransmit {}",
                self.hello, self.dead, self.retransmit
            )?;
        }
        writeln!(f, "  DR: {} BDR: {}", self.dr, self.bdr)?;
        writeln!(f, "  Number of I/F scoped LSAs is {}", self.lsas)?;
        writeln!(f, "    0 Pending LSAs for LSUpdate in Time 00:00:00 [thread off]")?;
        writeln!(f, "    0 Pending LSAs for LSAck in Time 00:00:00 [thread off]")?;
        writeln!(f, "  Graceful Restart hello delay: {}s", self.hello_delay)?;
        match (&self.trailer.chain, self.trailer.key) {
            (Some(chain), _) => writeln!(f, "  Authentication Trailer is enabled with key-chain {chain}")?,
            (None, Some(key)) => writeln!(f, "  Authentication Trailer is enabled with manual key id {key}")?,
            (None, None) => return writeln!(f, "  Authentication Trailer is disabled"),
        }
        let (sent, received) = (self.trailer.sent.unwrap_or(0), self.trailer.received.unwrap_or(0));
        writeln!(f, "    Packet drop Tx {sent}, Packet drop Rx {received}")
    }
}

#[derive(Serialize)]
#[serde(transparent)]
pub struct Interfaces {
    rows: IndexMap<String, Row>,
}

impl Interfaces {
    pub fn new<F: Configured>(at: At<'_, V3<F>>, name: Option<&str>) -> Self {
        let wanted = at.interfaces_named(name);
        Self { rows: wanted.iter().map(|i| (i.name.clone(), Row::new(at, i))).collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl fmt::Display for Interfaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rows.iter().try_for_each(|(name, row)| row.write(name, f))
    }
}

/// The prefixes that are announced for a link.
#[derive(Serialize)]
pub struct Prefixes {
    routes: IndexMap<String, Connected>,
}

#[derive(Serialize)]
struct Connected {
    #[serde(rename = "isBestRoute")]
    best: bool,
    #[serde(rename = "destinationType")]
    destination: &'static str,
    #[serde(rename = "pathType")]
    path: &'static str,
    duration: String,
    #[serde(rename = "nextHops")]
    hops: Vec<Hop>,
}

impl Prefixes {
    pub fn new<F: Configured>(
        at: At<'_, V3<F>>,
        name: Option<&str>,
        only: Option<ferrite_types::Prefix>,
    ) -> Self {
        let duration = text::clock(at.now.since(at.process.started));
        let mut routes = IndexMap::new();
        let interfaces = by_area(at);
        let own = if F::AFI == Afi::Ipv4 { "127.0.0.1" } else { "::1" };
        for interface in interfaces.iter().filter(|i| name.is_none_or(|name| name == i.name)) {
            for (address, len) in &interface.core.link.prefixes {
                let prefix = ferrite_types::Prefix::new(*address, *len);
                let Some(prefix) = prefix.filter(|p| only.is_none_or(|only| only == *p)) else { continue };
                routes.insert(
                    prefix.to_string(),
                    Connected {
                        best: true,
                        destination: "N",
                        path: "IA",
                        duration: duration.clone(),
                        hops: vec![Hop { address: own.to_owned(), interface: interface.name.clone() }],
                    },
                );
            }
        }
        Self { routes }
    }
}

impl fmt::Display for Prefixes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (prefix, route) in &self.routes {
            for hop in &route.hops {
                writeln!(
                    f,
                    "*N IA {prefix:<30} {:<25} {:>6} {}",
                    hop.address, hop.interface, route.duration
                )?;
            }
        }
        Ok(())
    }
}
