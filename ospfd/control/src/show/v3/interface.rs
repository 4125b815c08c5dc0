//! `show ipv6 ospf6 interface [NAME]` and `… interface prefix`.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use ferrite_ospf::config::NetworkType;
use ferrite_ospf::interface::{Interface, State};
use ferrite_ospf::packet::V3;
use ferrite_types::interface::Interface as KernelInterface;
use ferrite_types::{Afi, Prefix};
use indexmap::IndexMap;
use serde::Serialize;

use super::neighbor::pending;
use super::route::{Entry, Hop, Query};
use crate::settings::Configured;
use crate::settings::interface::AuthV3;
use crate::show::{At, Named, natural, text};

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
    mtu: u32,
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

fn own_type(link: &KernelInterface) -> NetworkType {
    match link {
        link if link.loopback => NetworkType::Loopback,
        link if link.point_to_point => NetworkType::PointToPoint,
        _ => NetworkType::Broadcast,
    }
}

impl Row {
    fn new<F: Configured>(at: At<'_, V3<F>>, named: &Named<'_>) -> Self {
        let (core, config) = (named.core, &named.core.config);
        let link = named.link.map(|link| &link.interface);
        let own = link.map_or(NetworkType::Virtual, own_type);
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
            // The core counts octets of packets, of which there are fewer than Linux's loopback takes.
            mtu: link.filter(|link| link.loopback).map_or(u32::from(core.link.mtu), |link| link.mtu),
            detected: link.map_or(0, |link| link.mtu),
            mismatch: if config.mtu_ignore { "disabled" } else { "enabled" },
            area: config.area.to_string(),
            cost: if core.state == State::Loopback { 0 } else { core.cost() },
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

/// An interface that OSPF does not run on.
#[derive(Serialize)]
pub struct Silent {
    status: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "interfaceId")]
    id: u32,
}

impl Silent {
    fn new(link: &KernelInterface) -> Self {
        Self {
            status: if link.operative() { "up" } else { "down" },
            kind: network(own_type(link)),
            id: link.ifindex.0,
        }
    }

    fn write(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{name} is {}, type {}", self.status, self.kind)?;
        writeln!(f, "  Interface ID: {}", self.id)?;
        writeln!(f, "   OSPF not enabled on this interface")
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Known {
    Speaking(Box<Row>),
    Silent(Silent),
}

#[derive(Serialize)]
#[serde(transparent)]
pub struct Interfaces {
    rows: IndexMap<String, Known>,
}

impl Interfaces {
    /// Of all that the kernel has in the VRF.
    pub fn new<'a, F: Configured>(
        at: At<'_, V3<F>>,
        name: Option<&str>,
        kernel: impl Iterator<Item = &'a KernelInterface>,
    ) -> Self {
        let speaking = at.interfaces_named(name);
        let others = kernel.filter(|link| {
            link.vrf == at.process.vrf
                && name.is_none_or(|name| name == link.name)
                && speaking.iter().all(|known| known.name != link.name)
        });
        let others = others.map(|link| (link.name.clone(), Known::Silent(Silent::new(link))));
        let rows = speaking.iter().map(|i| (i.name.clone(), Known::Speaking(Box::new(Row::new(at, i)))));
        let mut rows: Vec<(String, Known)> = rows.chain(others).collect();
        rows.sort_by(|(a, _), (b, _)| natural(a).cmp(&natural(b)));
        Self { rows: rows.into_iter().collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl fmt::Display for Interfaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rows.iter().try_for_each(|(name, known)| match known {
            Known::Speaking(row) => row.write(name, f),
            Known::Silent(silent) => silent.write(name, f),
        })
    }
}

/// The prefixes that are announced for links.
#[derive(Serialize)]
pub struct Prefixes {
    routes: IndexMap<String, Announced>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Announced {
    Row(Connected),
    Entry(Box<Entry>),
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

/// What is announced for a link: its networks, and where it has none of its own our addresses themselves.
fn announced(interface: &Interface) -> BTreeMap<Prefix, bool> {
    let mut announced = BTreeMap::new();
    let own = matches!(
        interface.config.network,
        NetworkType::PointToPoint | NetworkType::PointToMultipoint | NetworkType::Loopback
    );
    for (address, len) in &interface.link.prefixes {
        let network = Prefix::new(*address, *len).filter(|_| interface.state != State::Loopback);
        announced.extend(network.map(|prefix| (prefix, false)));
        if own || interface.state == State::Loopback {
            announced.insert(Prefix::host(*address), true);
        }
    }
    announced
}

impl Prefixes {
    pub fn new<F: Configured>(at: At<'_, V3<F>>, name: Option<&str>, query: Query) -> Self {
        let duration = text::clock(at.now.since(at.process.started));
        let mut routes = IndexMap::new();
        let own = if F::AFI == Afi::Ipv4 { "127.0.0.1" } else { "::1" };
        let interfaces = at.interfaces_named(name).into_iter().filter(|named| !named.core.is_virtual());
        for interface in interfaces {
            let (core, area) = (interface.core, interface.core.config.area);
            for (prefix, local) in announced(core).into_iter().filter(|(prefix, _)| query.names(prefix)) {
                let hop = Hop { address: own.to_owned(), interface: interface.name.clone() };
                let cost = if local { 0 } else { u32::from(core.cost()) };
                let told = if query.is_detailed() {
                    Announced::Entry(Box::new(Entry::connected(at, (prefix, area), local, cost, hop)))
                } else {
                    Announced::Row(Connected {
                        best: true,
                        destination: "N",
                        path: "IA",
                        duration: duration.clone(),
                        hops: vec![hop],
                    })
                };
                routes.insert(prefix.to_string(), told);
            }
        }
        Self { routes }
    }
}

impl fmt::Display for Prefixes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (prefix, told) in &self.routes {
            let route = match told {
                Announced::Row(route) => route,
                Announced::Entry(entry) => {
                    entry.fmt(f)?;
                    continue;
                }
            };
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
