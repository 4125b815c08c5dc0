//! `debug bgp updates [in|out]`: what neighbours and we say of routes, a line for each set of attributes.
//!
//! What is sent is read from the octets on their way out, so that the log tells what was said and not what was meant. Nothing
//! is read or written while nobody asked for it; each place that asks knows that by a flag of its own, without a lock (see the
//! log of `ferrite_daemon`). `debug bgp updates detail` adds the octets.

use std::fmt::Write as _;

use bgp_packet::attr::{Attributes, DecodeContext, NextHop};
use bgp_packet::header::HEADER_LEN;
use bgp_packet::update::{self, AttributeCache, Update};
use bgp_packet::{Nlri, NlriEntry};
use bytes::Bytes;

/// Prefixes that a line names; of the others it gives the number.
const NAMED: usize = 20;
const UPDATE: u8 = 2;

/// How to read our own UPDATEs, and to whom they go.
#[derive(Debug)]
pub struct Spoken {
    pub to: String,
    pub context: DecodeContext,
}

impl Spoken {
    /// Whole messages that are on their way out.
    pub fn sent(&self, mut messages: Bytes) {
        let detail = wants_octets();
        if !detail && !tracing::enabled!(target: "bgpd::updates::out", tracing::Level::DEBUG) {
            return;
        }
        let mut cache = AttributeCache::default();
        while let Some([.., high, low, kind]) = messages.first_chunk::<HEADER_LEN>().copied() {
            let len = usize::from(u16::from_be_bytes([high, low])).max(HEADER_LEN).min(messages.len());
            let message = messages.split_to(len);
            if kind != UPDATE {
                continue;
            }
            if detail {
                octets(&self.to, "send", &message);
            }
            if let Ok(update) = update::decode(&message.slice(HEADER_LEN..), &self.context, &mut cache) {
                for line in lines(&update) {
                    tracing::debug!(target: "bgpd::updates::out", "{} send UPDATE {line}", self.to);
                }
            }
        }
    }
}

fn wants_octets() -> bool {
    tracing::enabled!(target: "bgpd::updates::detail", tracing::Level::DEBUG)
}

fn octets(name: &str, way: &str, octets: &[u8]) {
    let text: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    tracing::debug!(target: "bgpd::updates::detail", "{name} {way} UPDATE of {} octets: {text}", octets.len());
}

/// A neighbour's UPDATE was read.
pub fn received(from: &str, update: &Update, body: &[u8]) {
    if wants_octets() {
        octets(from, "rcvd", body);
    }
    if !tracing::enabled!(target: "bgpd::updates::in", tracing::Level::DEBUG) {
        return;
    }
    for line in lines(update) {
        tracing::debug!(target: "bgpd::updates::in", "{from} rcvd UPDATE {line}");
    }
}

fn lines(update: &Update) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for nlri in &update.withdrawn {
        lines.push(format!("about {} -- withdrawn{}", nlri.family(), prefixes(nlri)));
    }
    for announced in &update.announced {
        let (family, told) = (announced.nlri.family(), attributes(&announced.attrs));
        lines.push(format!("about {family} w/ attr: {told}:{}", prefixes(&announced.nlri)));
    }
    if let Some(family) = update.end_of_rib {
        lines.push(format!("End-of-RIB for {family}"));
    }
    lines
}

fn prefixes(nlri: &Nlri) -> String {
    let mut text = String::new();
    for NlriEntry { path_id, prefix } in nlri.iter().take(NAMED) {
        let _ = write!(text, " {prefix}");
        if path_id != 0 {
            let _ = write!(text, " (path {path_id})");
        }
    }
    let rest = nlri.iter().skip(NAMED).count();
    if rest > 0 {
        let _ = write!(text, " and {rest} more");
    }
    text
}

fn attributes(attrs: &Attributes) -> String {
    let mut text = match attrs.next_hop {
        NextHop::V4(addr) => format!("nexthop {addr}"),
        NextHop::V6 { global, .. } => format!("nexthop {global}"),
    };
    let _ = write!(text, ", origin {:?}", attrs.origin);
    for (name, value) in [("localpref", attrs.local_pref), ("metric", attrs.med)] {
        if let Some(value) = value {
            let _ = write!(text, ", {name} {value}");
        }
    }
    let mut list = |name: &str, values: Vec<String>| {
        if !values.is_empty() {
            let _ = write!(text, ", {name} {}", values.join(" "));
        }
    };
    list("community", attrs.communities.iter().map(ToString::to_string).collect());
    list("large-community", attrs.large_communities.iter().map(ToString::to_string).collect());
    list("extcommunity", attrs.ext_communities.iter().map(ToString::to_string).collect());
    let _ = write!(text, ", path {}", attrs.as_path);
    text
}

#[cfg(test)]
mod tests {
    use bgp_packet::attr::SessionKind;

    use super::*;

    #[test]
    fn a_line_names_attributes_and_prefixes() {
        // ORIGIN IGP, AS_PATH 65001, NEXT_HOP 10.0.0.1, MED 5; 192.0.2.0/24 withdrawn, 198.51.100.0/24 announced.
        let body = [
            &[0, 4, 24, 192, 0, 2][..],
            &[0, 27],
            &[0x40, 1, 1, 0],
            &[0x40, 2, 6, 2, 1, 0, 0, 0xfd, 0xe9],
            &[0x40, 3, 4, 10, 0, 0, 1],
            &[0x80, 4, 4, 0, 0, 0, 5],
            &[24, 198, 51, 100],
        ]
        .concat();
        let context = DecodeContext::new(SessionKind::External);
        let update = update::decode(&Bytes::from(body), &context, &mut AttributeCache::default()).unwrap();
        assert_eq!(
            lines(&update),
            [
                "about IPv4 Unicast -- withdrawn 192.0.2.0/24",
                "about IPv4 Unicast w/ attr: nexthop 10.0.0.1, origin Igp, metric 5, path 65001: 198.51.100.0/24"
            ]
        );
    }
}
