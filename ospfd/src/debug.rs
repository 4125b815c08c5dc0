//! What `debug ospf …` and `debug ospf6 …` let through. A line has the longest name of those that ask for it, so that each of
//! the shorter ones asks for it too.

use std::fmt;
use std::net::IpAddr;

use ferrite_ospf_control::Topic;
use ferrite_types::IfIndex;

use crate::socket::Packet;

/// Says a text under the first of the names that somebody asks for; it is made only then.
macro_rules! say {
    ($text:expr, $($target:expr),+ $(,)?) => {
        $(if tracing::enabled!(target: $target, tracing::Level::DEBUG) {
            tracing::debug!(target: $target, "{}", $text);
        } else)+ {}
    };
}

/// A packet by the kind in its second octet; `$way` is `recv` or `send`.
macro_rules! packet {
    ($version:expr, $kind:expr, $text:expr, $way:literal) => {
        match ($version, $kind) {
            (2, Some(1)) => packet!(@v2 "hello", $way, $text),
            (2, Some(2)) => packet!(@v2 "dd", $way, $text),
            (2, Some(3)) => packet!(@v2 "ls_request", $way, $text),
            (2, Some(4)) => packet!(@v2 "ls_update", $way, $text),
            (2, Some(5)) => packet!(@v2 "ls_ack", $way, $text),
            (3, Some(1)) => packet!(@v3 "hello", $way, $text),
            (3, Some(2)) => packet!(@v3 "dbdesc", $way, $text),
            (3, Some(3)) => packet!(@v3 "lsreq", $way, $text),
            (3, Some(4)) => packet!(@v3 "lsupdate", $way, $text),
            (3, Some(5)) => packet!(@v3 "lsack", $way, $text),
            (3, _) => packet!(@v3 "unknown", $way, $text),
            _ => {}
        }
    };
    (@v2 $name:literal, $way:literal, $text:expr) => {
        say!(
            $text,
            concat!("ospfd::packet::", $name, "::", $way, "::detail"),
            concat!("ospfd::packet::", $name, "::detail"),
            concat!("ospfd::packet::all::", $way, "::detail"),
            "ospfd::packet::all::detail",
        )
    };
    (@v3 $name:literal, $way:literal, $text:expr) => {
        say!(
            $text,
            concat!("ospf6d::message::", $name, "::", $way),
            concat!("ospf6d::message::", $name, "::", $way, "_hdr"),
            concat!("ospf6d::message::all::", $way),
            concat!("ospf6d::message::all::", $way, "_hdr"),
        )
    };
}

/// A packet in words: its kind, who sent it, how long it is.
struct Words<'a> {
    way: &'static str,
    version: u8,
    ifindex: IfIndex,
    ends: (IpAddr, IpAddr),
    octets: &'a [u8],
}

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [
            "Hello",
            "Database Description",
            "Link State Request",
            "Link State Update",
            "Link State Acknowledgment",
        ];
        let code = usize::from(self.octets.get(1).copied().unwrap_or(0));
        let kind = code.checked_sub(1).and_then(|at| kinds.get(at)).copied().unwrap_or("unknown");
        let (source, destination) = self.ends;
        let router = self.octets.get(4..8).and_then(|octets| <[u8; 4]>::try_from(octets).ok());
        let router = std::net::Ipv4Addr::from(router.unwrap_or_default());
        write!(
            f,
            "{} OSPFv{} {kind} of router {router}, {} octets, {source} to {destination}, interface {}",
            self.way,
            self.version,
            self.octets.len(),
            self.ifindex
        )
    }
}

pub fn received(packet: &Packet) {
    let Packet { version, ifindex, source, destination, octets } = packet;
    let (version, ifindex, ends) = (*version, *ifindex, (*source, *destination));
    let words = Words { way: "received", version, ifindex, ends, octets };
    packet!(version, octets.get(1), words, "recv");
}

pub fn sent(version: u8, ifindex: IfIndex, source: IpAddr, destination: IpAddr, octets: &[u8]) {
    let words = Words { way: "sent", version, ifindex, ends: (source, destination), octets };
    packet!(version, octets.get(1), words, "send");
}

pub fn say(topic: Topic, text: &str) {
    match topic {
        Topic::Interface { version: 2 } => say!(text, "ospfd::ism::status", "ospfd::ism::events"),
        Topic::Interface { .. } => say!(text, "ospf6d::interface"),
        Topic::Neighbor { version: 2 } => say!(text, "ospfd::nsm::status", "ospfd::nsm::events"),
        Topic::Neighbor { .. } => say!(text, "ospf6d::neighbor::state", "ospf6d::neighbor::event"),
        Topic::Lsa { version: 2 } => say!(text, "ospfd::lsa::flooding"),
        Topic::Lsa { .. } => say!(text, "ospf6d::flooding"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_told_in_words_however_short_it_is() {
        let ends = ("10.0.0.1".parse().unwrap(), "224.0.0.5".parse().unwrap());
        let words = |octets: &[u8]| {
            Words { way: "received", version: 2, ifindex: IfIndex(3), ends, octets }.to_string()
        };
        let hello = [2, 1, 0, 44, 192, 0, 2, 1];
        assert_eq!(
            words(&hello),
            "received OSPFv2 Hello of router 192.0.2.1, 8 octets, 10.0.0.1 to 224.0.0.5, interface 3"
        );
        assert!(words(&[]).contains("unknown") && words(&[2, 0]).contains("unknown"));
    }
}
