//! What happens to ospfd as a whole, and what it wants done.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use ferrite_types::ids::{IfIndex, VrfId};
use ferrite_types::zclient::{FromZebra, ToZebra};

use super::RestartNote;
use crate::Settings;

#[derive(Clone, Debug)]
pub enum Event {
    Configured(Arc<Settings>),
    ZebraConnected,
    ZebraGone,
    Zebra(FromZebra),
    /// An OSPF packet without its IP header.
    Received {
        version: u8,
        ifindex: IfIndex,
        source: IpAddr,
        destination: IpAddr,
        octets: Bytes,
    },
    /// Seconds since 1970, for the lifetimes of keys.
    Wall(i64),
    /// The daemon ends: everything of ours is flushed, then [`Action::Finished`].
    Shutdown,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    Send {
        version: u8,
        vrf: VrfId,
        ifindex: IfIndex,
        source: IpAddr,
        destination: IpAddr,
        octets: Bytes,
        /// The packet crosses other routers (virtual links).
        routed: bool,
    },
    Membership {
        version: u8,
        vrf: VrfId,
        ifindex: IfIndex,
        group: IpAddr,
        join: bool,
    },
    /// Opens or closes the socket of a version in a VRF.
    Socket {
        version: u8,
        vrf: VrfId,
        /// The VRF's device; none is the default VRF.
        device: Option<String>,
        open: bool,
    },
    Zebra(ToZebra),
    /// What is to be found by the program that comes after this one.
    Remember(Vec<RestartNote>),
    Log(LogLevel, String),
    Finished,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogLevel {
    Warning,
    Notice,
    Info,
    /// Shown where `debug` asks for it.
    Debug(Topic),
}

/// What a line for `debug` is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Topic {
    Interface { version: u8 },
    Neighbor { version: u8 },
    Lsa { version: u8 },
}
