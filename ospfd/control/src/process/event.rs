//! What happens to ospfd as a whole, and what it wants done.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use ferrite_types::ids::{IfIndex, VrfId};
use ferrite_types::zclient::{FromZebra, ToZebra};

use super::RestartNote;
pub use super::topics::Topic;
use crate::Settings;
use crate::api::ClientId;

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
    /// A client of the OSPF API.
    Api(super::ApiEvent),
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
    /// Opens the socket of a version in a VRF, or changes what is asked of one that is open; without terms closes it.
    Socket {
        version: u8,
        vrf: VrfId,
        terms: Option<SocketTerms>,
    },
    Zebra(ToZebra),
    /// What is to be found by the program that comes after this one.
    Remember(Vec<RestartNote>),
    /// The count of boots that packets are signed with from now on; the next program is to find it, however this one ends.
    BootCount(u32),
    /// A message for a client of the OSPF API: on the connection of its requests, or on that of notices.
    Api {
        client: ClientId,
        reply: bool,
        octets: Bytes,
    },
    Log(LogLevel, String),
    Finished,
}

/// What is asked of a socket. Processes of one VRF share it: the largest of what they ask for counts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SocketTerms {
    /// The VRF's device; none is the default VRF.
    pub device: Option<String>,
    /// `socket buffer recv|send`, octets; none is as much as the daemon takes by itself.
    pub receive: Option<u32>,
    pub send: Option<u32>,
    /// Each link has a socket of its own for sending, so that one whose queue is full holds up no other
    /// (`socket-per-interface`).
    pub per_interface: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogLevel {
    Warning,
    Notice,
    Info,
    /// Shown where `debug` asks for it.
    Debug(Topic),
}
