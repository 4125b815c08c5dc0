//! What a line for `debug` is about: the names under which it is written. Each is the longest of those that `debug` lines ask for,
//! so that each of the shorter ones asks for it too; a line is written once, under the first of its names that is asked for.

use std::collections::BTreeSet;

use ferrite_ospf_packet::LsType;
use ferrite_ospf_packet::{v2, v3};

pub type Topic = &'static [&'static str];

/// What zebra says is for both.
pub const ZEBRA_INTERFACE: Topic = &["ospfd::zebra::interface", "ospf6d::zebra::recv"];
pub const ZEBRA_REDISTRIBUTE: Topic = &["ospfd::zebra::redistribute", "ospf6d::zebra::recv"];

/// Of OSPFv2 alone.
pub const CLIENT_API: Topic = &["ospfd::client_api"];
pub const TRAFFIC_ENGINEERING: Topic = &["ospfd::te"];
pub const LDP_SYNC: Topic = &["ospfd::ldp_sync"];

/// A topic of each version.
macro_rules! topics {
    ($($name:ident: [$($v2:literal),*] [$($v3:literal),*];)*) => {
        $(pub const fn $name(version: u8) -> Topic {
            if version == 2 { &[$(concat!("ospfd::", $v2)),*] } else { &[$(concat!("ospf6d::", $v3)),*] }
        })*
        const ALL: &[fn(u8) -> Topic] = &[$($name),*];
    };
}

topics! {
    interface_state: ["ism::status", "ism::events"] ["interface"];
    interface_event: ["ism::events"] ["interface"];
    interface_timer: ["ism::timers"] ["interface"];
    neighbor_state: ["nsm::status", "nsm::events"] ["neighbor::state", "neighbor::event"];
    neighbor_event: ["nsm::events"] ["neighbor::event"];
    neighbor_timer: ["nsm::timers"] ["neighbor::event"];
    flooding: ["lsa::flooding"] ["flooding"];
    removed: ["lsa::install"] ["flooding"];
    aggregate: ["lsa::aggregate"] ["asbr"];
    scheduled: ["event"] ["spf::process"];
    calculated: ["event"] ["spf::process"];
    tree: ["event"] ["spf::database"];
    took: ["event"] ["spf::time"];
    border: ["event"] ["border_routers"];
    restart: ["graceful_restart"] ["graceful_restart"];
    zebra_routes: ["zebra::redistribute"] ["zebra::send"];
    signed: ["packet::all::send"] ["authentication::tx"];
    verified: ["packet::all::recv"] ["authentication::rx"];
}

/// What is done with an LSA.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deed {
    Generated,
    Refreshed,
    Examined,
    Installed,
    Flooded,
}

/// The topic of something done with an LSA of a type.
pub fn lsa(version: u8, ty: LsType, deed: Deed) -> Topic {
    if version == 2 { of_v2(ty, deed) } else { of_v3(ty, deed) }
}

fn of_v2(ty: LsType, deed: Deed) -> Topic {
    let nssa = ty == v2::ty::NSSA;
    match deed {
        Deed::Generated if nssa => &["ospfd::lsa::generate", "ospfd::nssa"],
        Deed::Generated => &["ospfd::lsa::generate"],
        Deed::Refreshed => &["ospfd::lsa::refresh"],
        Deed::Examined => &["ospfd::lsa::flooding"],
        Deed::Installed if nssa => &["ospfd::lsa::install", "ospfd::nssa"],
        Deed::Installed => &["ospfd::lsa::install"],
        Deed::Flooded => &["ospfd::lsa::flooding"],
    }
}

fn of_v3(ty: LsType, deed: Deed) -> Topic {
    macro_rules! kind {
        ($name:literal $(, $more:literal)?) => {
            match deed {
                Deed::Generated | Deed::Refreshed => {
                    &[concat!("ospf6d::lsa::", $name, "::originate") $(, concat!("ospf6d::", $more))?]
                }
                Deed::Examined | Deed::Installed => {
                    &[concat!("ospf6d::lsa::", $name, "::examine") $(, concat!("ospf6d::", $more))?]
                }
                Deed::Flooded => &[concat!("ospf6d::lsa::", $name, "::flooding"), "ospf6d::flooding"],
            }
        };
    }
    match ty {
        v3::ty::ROUTER => kind!("router"),
        v3::ty::NETWORK => kind!("network"),
        v3::ty::INTER_AREA_PREFIX => kind!("inter_prefix", "abr"),
        v3::ty::INTER_AREA_ROUTER => kind!("inter_router", "abr"),
        v3::ty::EXTERNAL => kind!("as_external", "asbr"),
        v3::ty::NSSA => kind!("nssa", "nssa"),
        v3::ty::LINK => kind!("link"),
        v3::ty::INTRA_AREA_PREFIX => kind!("intra_prefix"),
        _ => kind!("unknown"),
    }
}

macro_rules! packet {
    (2, $name:literal) => {
        &[
            [
                concat!("ospfd::packet::", $name, "::recv"),
                "ospfd::packet::all::recv",
                concat!("ospfd::packet_detail::", $name, "::recv"),
                "ospfd::packet_detail::all::recv",
            ],
            [
                concat!("ospfd::packet::", $name, "::send"),
                "ospfd::packet::all::send",
                concat!("ospfd::packet_detail::", $name, "::send"),
                "ospfd::packet_detail::all::send",
            ],
        ]
    };
    (3, $name:literal) => {
        &[
            [
                concat!("ospf6d::message::", $name, "::recv_hdr"),
                "ospf6d::message::all::recv_hdr",
                concat!("ospf6d::message::", $name, "::recv"),
                "ospf6d::message::all::recv",
            ],
            [
                concat!("ospf6d::message::", $name, "::send_hdr"),
                "ospf6d::message::all::send_hdr",
                concat!("ospf6d::message::", $name, "::send"),
                "ospf6d::message::all::send",
            ],
        ]
    };
}

/// The topic of a packet that is sent or was received, by the kind in its second octet; the second one, of what is in it.
pub fn packet(version: u8, kind: u8, sent: bool) -> (Topic, Topic) {
    let ways: &'static [[&'static str; 4]; 2] = match (version, kind) {
        (2, 1) => packet!(2, "hello"),
        (2, 2) => packet!(2, "dd"),
        (2, 3) => packet!(2, "ls_request"),
        (2, 4) => packet!(2, "ls_update"),
        (2, 5) => packet!(2, "ls_ack"),
        (2, _) => &[["ospfd::packet::all::recv"; 4], ["ospfd::packet::all::send"; 4]],
        (_, 1) => packet!(3, "hello"),
        (_, 2) => packet!(3, "dbdesc"),
        (_, 3) => packet!(3, "lsreq"),
        (_, 4) => packet!(3, "lsupdate"),
        (_, 5) => packet!(3, "lsack"),
        _ => packet!(3, "unknown"),
    };
    let [received, out] = ways;
    let names: &'static [&'static str; 4] = if sent { out } else { received };
    let [_, _, detail @ ..] = names;
    (names, detail)
}

/// Every name under which a line may be written.
pub fn written(version: u8) -> BTreeSet<&'static str> {
    let mut all: BTreeSet<&str> = ALL.iter().flat_map(|topic| topic(version)).copied().collect();
    all.extend(ZEBRA_INTERFACE.iter().chain(ZEBRA_REDISTRIBUTE));
    all.extend(CLIENT_API.iter().chain(TRAFFIC_ENGINEERING).chain(LDP_SYNC));
    let deeds = [Deed::Generated, Deed::Refreshed, Deed::Examined, Deed::Installed, Deed::Flooded];
    for ty in (1..12).flat_map(|low| [0, 0x2000, 0x4000].map(|high| LsType(low | high))) {
        all.extend(deeds.iter().flat_map(|deed| lsa(version, ty, *deed)));
    }
    for (kind, sent) in (0..=5).flat_map(|kind| [(kind, true), (kind, false)]) {
        all.extend(packet(version, kind, sent).0);
    }
    all
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::commands::debug;

    #[test]
    fn every_flag_that_is_taken_lets_lines_through() {
        for (version, flags) in [(2, debug::v2::V2), (3, debug::v3::V3)] {
            let written = written(version);
            for flag in flags {
                let is_below = |name: &&str| {
                    name.strip_prefix(flag.target)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
                };
                assert!(written.iter().any(is_below), "{}: nothing is written for it", flag.line);
            }
        }
    }
}
