//! `show ip ospf interface [NAME]`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use ferrite_ospf::config::{Authentication, NetworkType};
use ferrite_ospf::interface::{Interface, State};
use ferrite_ospf::neighbor;
use ferrite_ospf::packet::V2;
use indexmap::IndexMap;
use serde::Serialize;

use super::extended_sequence::Extended;
use crate::settings::area::AreaAuth;
use crate::settings::interface::AuthKind;
use crate::show::{At, Named, text};

#[derive(Serialize)]
pub struct Row {
    #[serde(rename = "ifUp")]
    up: bool,
    #[serde(rename = "ifIndex")]
    ifindex: u32,
    #[serde(rename = "mtuBytes")]
    mtu: u32,
    #[serde(rename = "bandwidthMbit")]
    bandwidth: u32,
    #[serde(rename = "ifFlags")]
    flags: String,
    #[serde(rename = "ospfEnabled")]
    enabled: bool,
    #[serde(rename = "ifUnnumbered", skip_serializing_if = "crate::show::is_false")]
    unnumbered: bool,
    #[serde(rename = "ipAddress", skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(rename = "ipAddressPrefixlen", skip_serializing_if = "Option::is_none")]
    len: Option<u8>,
    #[serde(rename = "ospfIfType", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(rename = "localIfUsed", skip_serializing_if = "Option::is_none")]
    broadcast: Option<String>,
    #[serde(rename = "vlinkPeer", skip_serializing_if = "Option::is_none")]
    peer: Option<String>,
    area: String,
    #[serde(rename = "ospfMtuIgnore", skip_serializing_if = "crate::show::is_false")]
    mtu_ignore: bool,
    #[serde(rename = "routerId")]
    router: String,
    #[serde(rename = "networkType")]
    network: &'static str,
    cost: u16,
    #[serde(rename = "transmitDelaySecs")]
    transmit_delay: u16,
    state: &'static str,
    priority: u8,
    #[serde(rename = "opaqueCapable")]
    opaque: bool,
    #[serde(rename = "drId", skip_serializing_if = "Option::is_none")]
    designated_id: Option<String>,
    #[serde(rename = "drAddress", skip_serializing_if = "Option::is_none")]
    designated: Option<Ipv4Addr>,
    #[serde(rename = "bdrId", skip_serializing_if = "Option::is_none")]
    backup_id: Option<String>,
    #[serde(rename = "bdrAddress", skip_serializing_if = "Option::is_none")]
    backup: Option<Ipv4Addr>,
    #[serde(rename = "networkLsaSequence", skip_serializing_if = "Option::is_none")]
    sequence: Option<u32>,
    #[serde(rename = "mcastMemberOspfAllRouters", skip_serializing_if = "crate::show::is_false")]
    member_all: bool,
    #[serde(rename = "mcastMemberOspfDesignatedRouters", skip_serializing_if = "crate::show::is_false")]
    member_designated: bool,
    #[serde(rename = "timerMsecs")]
    hello: u64,
    #[serde(rename = "timerDeadSecs")]
    dead: u64,
    #[serde(rename = "timerWaitSecs")]
    wait: u64,
    #[serde(rename = "timerRetransmitSecs")]
    retransmit: u64,
    #[serde(rename = "timerRetransmitWindowMsecs")]
    window: u64,
    #[serde(rename = "timerHelloInMsecs", skip_serializing_if = "Option::is_none")]
    hello_in: Option<u64>,
    #[serde(rename = "timerPassiveIface", skip_serializing_if = "crate::show::is_false")]
    passive: bool,
    #[serde(skip)]
    hello_runs: bool,
    #[serde(rename = "nbrCount")]
    neighbors: usize,
    #[serde(rename = "nbrAdjacentCount")]
    adjacent: usize,
    #[serde(rename = "grHelloDelaySecs")]
    hello_delay: u64,
    #[serde(rename = "prefixSuppression")]
    suppressed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    authentication: Option<&'static str>,
    #[serde(rename = "keychain", skip_serializing_if = "Option::is_none")]
    key_chain: Option<String>,
    #[serde(skip)]
    sending: Option<String>,
    #[serde(rename = "extendedSequence", skip_serializing_if = "Option::is_none")]
    extended: Option<Extended>,
    #[serde(rename = "nbrFilterPrefixList")]
    filter: String,
    #[serde(rename = "lsaRetransmissions")]
    retransmitted: u64,
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

/// Flags of the kernel's link as FRR writes them.
pub fn flags(interface: &ferrite_types::interface::Interface) -> String {
    let names = [
        (interface.up, "UP"),
        (interface.running, "LOWER_UP"),
        (interface.broadcast, "BROADCAST"),
        (interface.loopback, "LOOPBACK"),
        (interface.point_to_point, "POINTOPOINT"),
        (interface.running, "RUNNING"),
        (!interface.multicast && !interface.loopback, "NOARP"),
        (interface.multicast, "MULTICAST"),
    ];
    let set: Vec<&str> = names.into_iter().filter(|(on, _)| *on).map(|(_, name)| name).collect();
    format!("<{}>", set.join(","))
}

fn broadcast(address: Ipv4Addr, len: u8) -> Ipv4Addr {
    let host = u32::MAX.checked_shr(u32::from(len)).unwrap_or(0);
    Ipv4Addr::from_bits(address.to_bits() | host)
}

/// Who a designated router is: its router ID.
fn identify(at: At<'_, V2>, interface: &Interface, address: Ipv4Addr) -> Option<String> {
    if address.is_unspecified() {
        return None;
    }
    if interface.link.address == Some(IpAddr::V4(address)) {
        return Some(at.process.core.id().to_string());
    }
    let known = interface.neighbors.values().find(|n| n.address == IpAddr::V4(address));
    known.map(|neighbor| neighbor.id.to_string())
}

impl Row {
    fn new(at: At<'_, V2>, named: &Named<'_>) -> Self {
        let (core, config) = (named.core, &named.core.config);
        let way = core.way();
        let address = match way.map(|way| way.source).or(core.link.address) {
            Some(IpAddr::V4(address)) => address,
            _ => Ipv4Addr::UNSPECIFIED,
        };
        let own = |(other, _): &&(IpAddr, u8)| *other == IpAddr::V4(address);
        let through = way.and_then(|way| at.process.core.interface(way.interface)).unwrap_or(core);
        let len = through.link.prefixes.iter().find(own).map_or(32, |(_, len)| *len);
        let loopback = config.network == NetworkType::Loopback;
        let unnumbered = len == 32 && !loopback && !core.is_virtual();
        let settings = at.settings.interfaces.get(&named.name).map(|interface| &interface.v2);
        let elects = config.network.elects();
        let designated = identify(at, core, core.designated).filter(|_| elects);
        let backup = identify(at, core, core.backup).filter(|_| elects);
        let talks = core.state > State::Loopback && !config.passive && !core.is_virtual();
        let (kind, chain) = authentication(at, named);
        let link = named.link.map(|link| &link.interface);
        let area = at.process.core.areas().get(&config.area);
        let network_lsa = area.and_then(|area| {
            use ferrite_ospf::packet::v2::ty;
            let mut own = area.lsdb.with_id(ty::NETWORK, address.into());
            own.find(|(key, _)| key.adv == at.process.core.id())
                .map(|(_, e)| e.lsa.header().sequence.0 as u32)
        });
        Self {
            up: link.is_none_or(ferrite_types::interface::Interface::operative),
            ifindex: link.map_or(0, |link| link.ifindex.0),
            mtu: link.map_or(1500, |link| link.mtu),
            bandwidth: link.map_or(0, |link| link.speed),
            flags: link.map_or("<UP>".to_owned(), flags),
            enabled: true,
            address: (!unnumbered).then(|| address.to_string()),
            len: (!unnumbered).then_some(len),
            unnumbered,
            kind: (!unnumbered).then_some(if core.is_virtual() { "Peer" } else { "Broadcast" }),
            broadcast: (!core.is_virtual() && !unnumbered).then(|| broadcast(address, len).to_string()),
            peer: way.map(|way| way.destination.to_string()),
            area: text::area(config.area, at.area_kind(config.area)),
            mtu_ignore: config.mtu_ignore,
            router: at.process.core.id().to_string(),
            network: network(config.network),
            cost: if config.network == NetworkType::Loopback { 0 } else { core.cost() },
            transmit_delay: config.transmit_delay,
            state: text::interface_state(core.state),
            priority: config.priority,
            opaque: config.opaque,
            designated: designated.is_some().then_some(core.designated),
            designated_id: designated,
            backup: backup.is_some().then_some(core.backup),
            backup_id: backup,
            sequence: network_lsa.filter(|_| core.state == State::Dr),
            member_all: talks,
            member_designated: talks && matches!(core.state, State::Dr | State::Backup),
            hello: text::millis(config.hello_every()),
            dead: config.dead_after().as_secs(),
            wait: config.dead_after().as_secs(),
            retransmit: config.retransmit.as_secs(),
            window: text::millis(config.retransmit_window),
            hello_in: (!config.passive)
                .then(|| core.hello_at().map_or(0, |next| text::millis(next.since(at.now)))),
            passive: config.passive,
            hello_runs: core.hello_at().is_some(),
            neighbors: core.neighbors_from(neighbor::State::Init).count(),
            adjacent: core.full().count(),
            hello_delay: config.hello_delay.as_secs(),
            suppressed: config.prefix_suppression,
            authentication: kind,
            sending: sending(at, named, chain.as_deref()),
            key_chain: chain,
            extended: Extended::new(at, config),
            filter: settings.and_then(|s| s.all.neighbor_filter.clone()).unwrap_or_else(|| "N/A".to_owned()),
            retransmitted: core.neighbors.values().map(|neighbor| neighbor.retransmitted).sum(),
        }
    }
}

/// FRR's word for how packets are signed here, and the key chain's name.
fn authentication(at: At<'_, V2>, named: &Named<'_>) -> (Option<&'static str>, Option<String>) {
    let settings = at.settings.interfaces.get(&named.name).map(|interface| &interface.v2.all.auth);
    match settings.and_then(|auth| auth.kind.as_ref()) {
        Some(AuthKind::KeyChain(chain)) => return (Some("authenticationKeyChain"), Some(chain.clone())),
        Some(AuthKind::Digest) => return (Some("authenticationMessageDigest"), None),
        Some(AuthKind::Simple) => return (Some("authenticationSimplePassword"), None),
        Some(AuthKind::Null) => return (None, None),
        None => {}
    }
    let area = at.router.areas.get(&named.core.config.area).and_then(|area| area.authentication);
    match (area, &named.core.config.authentication) {
        (Some(AreaAuth::Digest), _) => (Some("authenticationMessageDigest"), None),
        (Some(AreaAuth::Simple), _) => (Some("authenticationSimplePassword"), None),
        (None, Authentication::Keys(_)) => (Some("authenticationMessageDigest"), None),
        (None, Authentication::Simple(_)) => (Some("authenticationSimplePassword"), None),
        _ => (None, None),
    }
}

/// The key that signs now.
fn sending(at: At<'_, V2>, named: &Named<'_>, chain: Option<&str>) -> Option<String> {
    let name = chain?;
    let key = at.process.core.signing_key(at.now, named.id)?;
    Some(format!("Key {}, Algorithm {} - key chain {name}", key.id, algorithm(key.algorithm)))
}

fn algorithm(algorithm: ferrite_ospf::packet::auth::Algorithm) -> &'static str {
    use ferrite_ospf::packet::auth::Algorithm;
    match algorithm {
        Algorithm::KeyedMd5 => "md5",
        Algorithm::HmacSha1 => "hmac-sha-1",
        Algorithm::HmacSha256 => "hmac-sha-256",
        Algorithm::HmacSha384 => "hmac-sha-384",
        Algorithm::HmacSha512 => "hmac-sha-512",
    }
}

impl Row {
    fn write(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{name} is {}", if self.up { "up" } else { "down" })?;
        writeln!(
            f,
            "  ifindex {}, MTU {} bytes, BW {} Mbit {}",
            self.ifindex, self.mtu, self.bandwidth, self.flags
        )?;
        match (&self.address, self.len) {
            (Some(address), Some(len)) => write!(f, "  Internet Address {address}/{len}, ")?,
            _ => write!(f, "  This interface is UNNUMBERED, ")?,
        }
        match (self.broadcast.as_ref().filter(|_| !self.unnumbered), &self.peer) {
            (Some(broadcast), _) => writeln!(f, "Broadcast {broadcast}, Area {}", self.area)?,
            (None, Some(peer)) => writeln!(f, "Peer {peer}, Area {}", self.area)?,
            (None, None) => writeln!(f, "Area {}", self.area)?,
        }
        writeln!(f, "  MTU mismatch detection: {}", if self.mtu_ignore { "disabled" } else { "enabled" })?;
        writeln!(f, "  Router ID {}, Network Type {}, Cost: {}", self.router, self.network, self.cost)?;
        writeln!(
            f,
            "  Transmit Delay is {} sec, State {}, Priority {}",
            self.transmit_delay, self.state, self.priority
        )?;
        if let (Some(id), Some(address)) = (&self.designated_id, self.designated) {
            writeln!(
                f,
                "  Designated Router (ID) {id} Interface Address {address}/{}",
                self.len.unwrap_or(32)
            )?;
        }
        match (&self.backup_id, self.backup) {
            (Some(id), Some(address)) => {
                writeln!(f, "  Backup Designated Router (ID) {id}, Interface Address {address}")?;
            }
            _ => writeln!(f, "  No backup designated router on this network")?,
        }
        if let Some(sequence) = self.sequence {
            writeln!(f, "  Saved Network-LSA sequence number {sequence:#010x}")?;
        }
        write!(f, "  Multicast group memberships:")?;
        match (self.member_all, self.member_designated) {
            (false, false) => writeln!(f, " <None>")?,
            (true, false) => writeln!(f, " OSPFAllRouters")?,
            _ => writeln!(f, " OSPFAllRouters OSPFDesignatedRouters")?,
        }
        write!(f, "  Timer intervals configured, Hello ")?;
        match self.hello % 1000 {
            0 => write!(f, "{}s", self.hello / 1000)?,
            _ => write!(f, "{}ms", self.hello)?,
        }
        writeln!(f, ", Dead {}s, Wait {}s, Retransmit {}", self.dead, self.wait, self.retransmit)?;
        match (self.passive, self.hello_runs) {
            (true, _) => writeln!(f, "    No Hellos (Passive interface)")?,
            (false, true) => {
                let due = Duration::from_millis(self.hello_in.unwrap_or_default());
                writeln!(f, "    Hello due in {}", text::elapsed(due))?;
            }
            (false, false) => writeln!(f, "    Hello due in inactive")?,
        }
        writeln!(f, "  Neighbor Count is {}, Adjacent neighbor count is {}", self.neighbors, self.adjacent)?;
        writeln!(f, "  Graceful Restart hello delay: {}s", self.hello_delay)?;
        if self.suppressed {
            writeln!(f, "  Suppress advertisement of interface IP prefix")?;
        }
        match self.authentication {
            Some("authenticationSimplePassword") => {
                writeln!(f, "  Simple password authentication enabled")?;
            }
            Some("authenticationMessageDigest") => {
                writeln!(f, "  Cryptographic authentication enabled\n  Algorithm:MD5")?;
            }
            Some(_) => {
                writeln!(f, "  Cryptographic authentication enabled")?;
                if let Some(sending) = &self.sending {
                    writeln!(f, "    Sending SA: {sending}")?;
                }
            }
            None => {}
        }
        if let Some(extended) = &self.extended {
            extended.write(f)?;
        }
        if self.filter != "N/A" {
            writeln!(f, "  Neighbor filter prefix-list: {}", self.filter)?;
        }
        writeln!(f, "  LSA retransmissions: {}", self.retransmitted)
    }
}

#[derive(Serialize)]
pub struct Interfaces {
    interfaces: IndexMap<String, Row>,
}

impl Interfaces {
    pub fn new(at: At<'_, V2>, name: Option<&str>) -> Self {
        let wanted = at.interfaces_named(name);
        Self { interfaces: wanted.iter().map(|i| (i.name.clone(), Row::new(at, i))).collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.interfaces.is_empty()
    }
}

impl fmt::Display for Interfaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.interfaces.iter().try_for_each(|(name, row)| row.write(name, f))?;
        writeln!(f)
    }
}
