//! A BMP collector (RFC 7854, 8671, 9069): takes one speaker's messages and keeps the tables that they describe.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::{Value, json};

use super::rib::{Expectation, Rib};
use super::wire::{HEADER, UPDATE};
use super::{Malformed, Octets};
use crate::failure::Result;

/// Octets of the common header.
const COMMON: usize = 6;

/// Everything a speaker has said.
#[derive(Debug, Default)]
pub struct Collector {
    /// By the table's name and the neighbour's address.
    tables: BTreeMap<(&'static str, String), Rib>,
    up: BTreeMap<String, bool>,
    pub initiated: bool,
    pub terminated: bool,
    pub statistics: u64,
    pub messages: u64,
    /// The headers that came, as kind of message, type of peer, flags, distinguisher, address, AS and identifier; behind them
    /// the name that a table was given.
    headers: BTreeSet<String>,
    /// What a correct speaker would not say.
    pub violations: BTreeMap<String, u64>,
}

struct PeerHeader {
    table: &'static str,
    peer: String,
}

fn peer_header(octets: &mut Octets<'_>) -> std::result::Result<PeerHeader, Malformed> {
    let kind = octets.u8("peer type")?;
    let flags = octets.u8("peer flags")?;
    let distinguisher = u64::from_be_bytes(octets.array::<8>("distinguisher")?);
    let addr = octets.array::<16>("peer address")?;
    octets.take(4 + 4 + 8, "AS, identifier, time")?;
    let v6 = flags & 0x80 != 0;
    let peer = match addr {
        [.., a, b, c, d] if !v6 => IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
        _ => IpAddr::V6(Ipv6Addr::from(addr)),
    };
    let table = match (kind, flags & 0x40 != 0, flags & 0x10 != 0) {
        (3, _, _) => "loc-rib",
        (_, false, false) => "pre-policy",
        (_, true, false) => "post-policy",
        (_, false, true) => "out-pre-policy",
        (_, true, true) => "out-post-policy",
    };
    let peer = if kind == 3 { "self".to_owned() } else { peer.to_string() };
    // Neighbours of instances other than the default one (RFC 7854 §4.2).
    let peer = if distinguisher == 0 { peer } else { format!("{peer}@{distinguisher}") };
    Ok(PeerHeader { table, peer })
}

fn header_text(kind: u8, mut octets: Octets<'_>) -> Result<String> {
    let [peer_type, flags] = octets.array::<2>("type and flags")?;
    let distinguisher = u64::from_be_bytes(octets.array::<8>("distinguisher")?);
    let addr = Ipv6Addr::from(octets.array::<16>("peer address")?);
    let asn = u32::from_be_bytes(octets.array::<4>("AS")?);
    let id = Ipv4Addr::from(octets.array::<4>("identifier")?);
    octets.take(8, "time")?;
    let message = if kind == 3 { "up" } else { "monitoring" };
    let mut text = format!("{message} {peer_type} {flags:#04x} {distinguisher:#x} {addr} {asn} {id}");
    if kind == 3 {
        octets.take(16 + 4, "local address and ports")?;
        for _ in 0..2 {
            let open = octets.take(HEADER, "OPEN")?;
            let length = usize::from(Octets(&open[16..]).u16("length of OPEN")?);
            octets.take(length.saturating_sub(HEADER), "OPEN")?;
        }
        while !octets.0.is_empty() {
            octets.u16("type of information")?;
            let length = octets.u16("length of information")?;
            text = format!(
                "{text} {}",
                String::from_utf8_lossy(octets.take(usize::from(length), "information")?)
            );
        }
    }
    Ok(text)
}

impl Collector {
    /// Reads one message from a stream; `false` at its end.
    pub fn read(&mut self, stream: &mut impl Read, now_ms: u64) -> Result<bool> {
        let mut head = [0; COMMON];
        if stream.read_exact(&mut head).is_err() {
            return Ok(false);
        }
        let [version, a, b, c, d, kind] = head;
        crate::ensure!(version == 3, "version {version}");
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        crate::ensure!((COMMON..1 << 20).contains(&length), "a message of {length} octets");
        let mut body = vec![0; length - COMMON];
        stream.read_exact(&mut body)?;
        self.message(kind, &body, now_ms)?;
        Ok(true)
    }

    fn message(&mut self, kind: u8, body: &[u8], now_ms: u64) -> Result<()> {
        self.messages += 1;
        if self.messages == 1 && kind != 4 {
            self.violate("the first message is no Initiation");
        }
        let mut octets = Octets(body);
        if let 0 | 3 = kind {
            self.headers.insert(header_text(kind, Octets(body))?);
        }
        match kind {
            0 => {
                let header = peer_header(&mut octets)?;
                self.monitored(&header, octets, now_ms)?;
            }
            1 => {
                peer_header(&mut octets)?;
                self.statistics += 1;
            }
            2 => {
                let header = peer_header(&mut octets)?;
                let reason = octets.u8("reason")?;
                crate::ensure!((1..=6).contains(&reason), "Peer Down for reason {reason}");
                if self.up.insert(header.peer.clone(), false) != Some(true) {
                    self.violate("Peer Down of a peer that was not up");
                }
                self.tables.retain(|(_, peer), _| *peer != header.peer);
            }
            3 => self.peer_up(octets)?,
            4 => self.initiated = true,
            5 => self.terminated = true,
            6 => self.mirrored(octets, now_ms)?,
            _ => self.violate("unknown message"),
        }
        Ok(())
    }

    fn peer_up(&mut self, mut octets: Octets<'_>) -> Result<()> {
        let header = peer_header(&mut octets)?;
        octets.take(16 + 4, "local address and ports")?;
        for _ in 0..2 {
            let open = octets.take(HEADER, "OPEN")?;
            let length = usize::from(Octets(&open[16..]).u16("length of OPEN")?);
            crate::ensure!(open.get(18) == Some(&1), "no OPEN in Peer Up");
            octets.take(length.saturating_sub(HEADER), "OPEN")?;
        }
        if self.up.insert(header.peer, true) == Some(true) {
            self.violate("Peer Up twice");
        }
        Ok(())
    }

    fn monitored(&mut self, header: &PeerHeader, mut octets: Octets<'_>, now_ms: u64) -> Result<()> {
        if self.up.get(&header.peer) != Some(&true) {
            self.violate("Route Monitoring of a peer that is not up");
        }
        let pdu = octets.take(HEADER, "UPDATE")?;
        crate::ensure!(pdu.get(18) == Some(&UPDATE), "no UPDATE in Route Monitoring");
        let key = (header.table, header.peer.clone());
        let rib = self.tables.entry(key).or_insert_with(|| Rib::new(true, Expectation::default()));
        Ok(rib.update(octets.0, now_ms)?)
    }

    /// Messages as they came from the neighbour (RFC 7854 §4.7): a table of its own.
    fn mirrored(&mut self, mut octets: Octets<'_>, now_ms: u64) -> Result<()> {
        let header = peer_header(&mut octets)?;
        while !octets.0.is_empty() {
            let kind = octets.u16("type of a mirrored part")?;
            let length = usize::from(octets.u16("length of a mirrored part")?);
            let value = octets.take(length, "mirrored part")?;
            match (kind, value.get(18)) {
                (0, Some(&UPDATE)) => {
                    let key = ("mirror", header.peer.clone());
                    let rib =
                        self.tables.entry(key).or_insert_with(|| Rib::new(true, Expectation::default()));
                    rib.update(&value[HEADER..], now_ms)?;
                }
                (0, Some(_)) => {}
                _ => self.violate("mirrored messages were lost, or none is there"),
            }
        }
        Ok(())
    }

    fn violate(&mut self, what: &str) {
        *self.violations.entry(what.to_owned()).or_default() += 1;
    }

    pub fn state(&self) -> Value {
        let tables: Vec<Value> = self
            .tables
            .iter()
            .map(|((table, peer), rib)| {
                json!({"table": table, "peer": peer, "prefixes": rib.total(), "counts": rib.counts})
            })
            .collect();
        json!({
            "tables": tables, "up": self.up, "initiated": self.initiated, "terminated": self.terminated,
            "headers": self.headers, "statistics": self.statistics, "messages": self.messages, "violations": self.violations,
        })
    }

    /// What is known of one table, as [`Rib::dump`] writes it.
    pub fn dump(&self, table: &str, peer: &str) -> String {
        let found = self.tables.iter().find(|((t, p), _)| *t == table && p == peer);
        found.map(|(_, rib)| rib.dump()).unwrap_or_default()
    }
}
