//! What `debug ospf …` and `debug ospf6 …` let through. A line is written under the first of its names that somebody asks for.

use std::fmt;
use std::net::IpAddr;

use ferrite_ospf_control::packet::{Body, V2, V3, codec::Codec};
use ferrite_ospf_control::{Topic, topics};
use ferrite_types::IfIndex;

use crate::socket::Packet;

/// Names under which lines are written: each has to stand in the program as it is.
macro_rules! names {
    ($($name:literal),* $(,)?) => {
        fn write(name: &str, text: &dyn fmt::Display) -> bool {
            match name {
                $($name if tracing::enabled!(target: $name, tracing::Level::DEBUG) => {
                    tracing::debug!(target: $name, "{text}");
                    true
                })*
                _ => false,
            }
        }

        #[cfg(test)]
        const NAMES: &[&str] = &[$($name),*];
    };
}

names! {
    "ospfd::event", "ospfd::ism::status", "ospfd::ism::events", "ospfd::ism::timers", "ospfd::nsm::status",
    "ospfd::nsm::events", "ospfd::nsm::timers", "ospfd::lsa::generate", "ospfd::lsa::flooding", "ospfd::lsa::install",
    "ospfd::lsa::refresh", "ospfd::lsa::aggregate", "ospfd::nssa", "ospfd::graceful_restart", "ospfd::te",
    "ospfd::ldp_sync", "ospfd::client_api",
    "ospfd::zebra::interface", "ospfd::zebra::redistribute", "ospfd::packet::hello::send",
    "ospfd::packet::hello::recv", "ospfd::packet::dd::send", "ospfd::packet::dd::recv",
    "ospfd::packet::ls_request::send", "ospfd::packet::ls_request::recv", "ospfd::packet::ls_update::send",
    "ospfd::packet::ls_update::recv", "ospfd::packet::ls_ack::send", "ospfd::packet::ls_ack::recv",
    "ospfd::packet::all::send", "ospfd::packet::all::recv", "ospfd::packet_detail::hello::send",
    "ospfd::packet_detail::hello::recv", "ospfd::packet_detail::dd::send", "ospfd::packet_detail::dd::recv",
    "ospfd::packet_detail::ls_request::send", "ospfd::packet_detail::ls_request::recv",
    "ospfd::packet_detail::ls_update::send", "ospfd::packet_detail::ls_update::recv",
    "ospfd::packet_detail::ls_ack::send", "ospfd::packet_detail::ls_ack::recv", "ospfd::packet_detail::all::send",
    "ospfd::packet_detail::all::recv", "ospf6d::abr", "ospf6d::asbr", "ospf6d::authentication::tx",
    "ospf6d::authentication::rx", "ospf6d::border_routers", "ospf6d::flooding", "ospf6d::interface",
    "ospf6d::neighbor::state", "ospf6d::neighbor::event", "ospf6d::nssa", "ospf6d::graceful_restart",
    "ospf6d::spf::database", "ospf6d::spf::process", "ospf6d::spf::time", "ospf6d::zebra::send",
    "ospf6d::zebra::recv", "ospf6d::lsa::router::originate", "ospf6d::lsa::router::examine",
    "ospf6d::lsa::router::flooding", "ospf6d::lsa::network::originate", "ospf6d::lsa::network::examine",
    "ospf6d::lsa::network::flooding", "ospf6d::lsa::inter_prefix::originate", "ospf6d::lsa::inter_prefix::examine",
    "ospf6d::lsa::inter_prefix::flooding", "ospf6d::lsa::inter_router::originate",
    "ospf6d::lsa::inter_router::examine", "ospf6d::lsa::inter_router::flooding",
    "ospf6d::lsa::as_external::originate", "ospf6d::lsa::as_external::examine", "ospf6d::lsa::as_external::flooding",
    "ospf6d::lsa::nssa::originate", "ospf6d::lsa::nssa::examine", "ospf6d::lsa::nssa::flooding",
    "ospf6d::lsa::link::originate", "ospf6d::lsa::link::examine", "ospf6d::lsa::link::flooding",
    "ospf6d::lsa::intra_prefix::originate", "ospf6d::lsa::intra_prefix::examine",
    "ospf6d::lsa::intra_prefix::flooding", "ospf6d::lsa::unknown::originate", "ospf6d::lsa::unknown::examine",
    "ospf6d::lsa::unknown::flooding", "ospf6d::message::hello::send", "ospf6d::message::hello::recv",
    "ospf6d::message::hello::send_hdr", "ospf6d::message::hello::recv_hdr", "ospf6d::message::dbdesc::send",
    "ospf6d::message::dbdesc::recv", "ospf6d::message::dbdesc::send_hdr", "ospf6d::message::dbdesc::recv_hdr",
    "ospf6d::message::lsreq::send", "ospf6d::message::lsreq::recv", "ospf6d::message::lsreq::send_hdr",
    "ospf6d::message::lsreq::recv_hdr", "ospf6d::message::lsupdate::send", "ospf6d::message::lsupdate::recv",
    "ospf6d::message::lsupdate::send_hdr", "ospf6d::message::lsupdate::recv_hdr", "ospf6d::message::lsack::send",
    "ospf6d::message::lsack::recv", "ospf6d::message::lsack::send_hdr", "ospf6d::message::lsack::recv_hdr",
    "ospf6d::message::unknown::send", "ospf6d::message::unknown::recv", "ospf6d::message::unknown::send_hdr",
    "ospf6d::message::unknown::recv_hdr", "ospf6d::message::all::send", "ospf6d::message::all::recv",
    "ospf6d::message::all::send_hdr", "ospf6d::message::all::recv_hdr",
}

/// A packet and the way it goes.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    pub version: u8,
    pub ifindex: IfIndex,
    pub source: IpAddr,
    pub destination: IpAddr,
    pub octets: &'a [u8],
}

pub fn say(topic: Topic, text: &dyn fmt::Display) {
    let _ = topic.iter().any(|name| write(name, text));
}

pub fn received(packet: &Packet) {
    let Packet { version, ifindex, source, destination, octets } = packet;
    let (version, ifindex, source, destination) = (*version, *ifindex, *source, *destination);
    tell(Seen { version, ifindex, source, destination, octets }, false);
}

pub fn sent(packet: Seen<'_>) {
    tell(packet, true);
}

fn tell(packet: Seen<'_>, sent: bool) {
    let (header, inside) = topics::packet(packet.version, packet.octets.get(1).copied().unwrap_or(0), sent);
    say(header, &Words { way: if sent { "sent" } else { "received" }, packet });
    say(inside, &Inside(packet));
}

/// What is in a packet.
struct Inside<'a>(Seen<'a>);

impl fmt::Display for Inside<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let octets = bytes::Bytes::copy_from_slice(self.0.octets);
        let body = if self.0.version == 2 { body::<V2>(&octets) } else { body::<V3>(&octets) };
        match body {
            Some(body) => write!(f, "  {body:?}"),
            None => write!(f, "  not an OSPFv{} packet", self.0.version),
        }
    }
}

fn body<V: Codec>(octets: &bytes::Bytes) -> Option<Body> {
    let frame = V::frame(octets).ok()?;
    Body::decode::<V>(frame.kind, frame.body).ok()
}

/// A packet in words: its kind, who sent it, how long it is.
struct Words<'a> {
    way: &'static str,
    packet: Seen<'a>,
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
        let Seen { version, ifindex, source, destination, octets } = self.packet;
        let code = usize::from(octets.get(1).copied().unwrap_or(0));
        let kind = code.checked_sub(1).and_then(|at| kinds.get(at)).copied().unwrap_or("unknown");
        let router = octets.get(4..8).and_then(|octets| <[u8; 4]>::try_from(octets).ok());
        let router = std::net::Ipv4Addr::from(router.unwrap_or_default());
        write!(
            f,
            "{} OSPFv{version} {kind} of router {router}, {} octets, {source} to {destination}, interface {ifindex}",
            self.way,
            octets.len(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_told_in_words_however_short_it_is() {
        let packet = |octets| Seen {
            version: 2,
            ifindex: IfIndex(3),
            source: "10.0.0.1".parse().unwrap(),
            destination: "224.0.0.5".parse().unwrap(),
            octets,
        };
        let words = |octets| Words { way: "received", packet: packet(octets) }.to_string();
        let hello = [2, 1, 0, 44, 192, 0, 2, 1];
        assert_eq!(
            words(&hello),
            "received OSPFv2 Hello of router 192.0.2.1, 8 octets, 10.0.0.1 to 224.0.0.5, interface 3"
        );
        assert!(words(&[]).contains("unknown") && words(&[2, 0]).contains("unknown"));
        assert_eq!(Inside(packet(&hello)).to_string(), "  not an OSPFv2 packet");
    }

    #[test]
    fn every_name_that_a_line_may_have_is_known_here() {
        for version in [2, 3] {
            for name in topics::written(version) {
                assert!(NAMES.contains(&name), "{name}");
            }
        }
    }
}
