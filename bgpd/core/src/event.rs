//! What the world does to the instance.

use std::sync::Arc;

use ferrite_cli::Args;
use ferrite_types::zclient::FromZebra;

use crate::commands::Command;
use crate::config::BgpConfig;
use crate::instance::bmp::BmpEvent;
use crate::instance::rpki::RpkiEvent;
use crate::peer::{ConnId, Ends, Faults, PeerMessage};
use crate::rib::{PeerId, ShardAction};
use crate::speaker::InstanceId;

/// A connection that a listener accepted, numbered by the shell until the instance says whose it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AcceptId(pub u64);

/// A command of an operator that waits for its output; chosen by the shell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ExecId(pub u64);

#[derive(Debug)]
pub enum Event {
    /// The whole configuration: at the start and after every change.
    Configured(Arc<BgpConfig>),
    /// A listener accepted a connection; answered by [`crate::Action::Adopt`] or [`crate::Action::Refuse`].
    Accepted {
        accept: AcceptId,
        ends: Ends,
    },
    /// The connection asked for by [`crate::Action::Connect`] is there.
    Connected {
        peer: PeerId,
        conn: ConnId,
        ends: Ends,
    },
    ConnectFailed {
        peer: PeerId,
        conn: ConnId,
        error: String,
    },
    /// The connection ended without our doing.
    Closed {
        peer: PeerId,
        conn: ConnId,
        error: String,
    },
    /// A message other than UPDATE. Markers of an enhanced refresh go to the shards directly, in order with the routes.
    Received {
        peer: PeerId,
        conn: ConnId,
        message: PeerMessage,
    },
    /// The neighbour says what it does not want to be sent (RFC 5291); agreed on for the family.
    Orf {
        peer: PeerId,
        update: bgp_packet::orf::OrfUpdate,
    },
    /// What came costs the session.
    Fault {
        peer: PeerId,
        conn: ConnId,
        notification: bgp_packet::Notification,
    },
    /// UPDATEs came since the last word of this; at least once a second while any come.
    Activity {
        peer: PeerId,
        conn: ConnId,
        updates: u64,
    },
    /// UPDATEs were malformed since the last word of this, but not so that it costs the session.
    Faulty {
        peer: PeerId,
        faults: Faults,
    },
    /// How long the way to the neighbour and back takes, as a KEEPALIVE came; milliseconds.
    /// A message as it came, where [`crate::BmpAction::Mirror`] asked for it; `lost` before it were left out.
    Mirrored {
        peer: PeerId,
        kind: bgp_packet::MessageType,
        body: bytes::Bytes,
        lost: u64,
    },
    Rtt {
        peer: PeerId,
        conn: ConnId,
        msec: u32,
        mss: u32,
    },
    /// Octets left for the neighbour, `updates` of them whole UPDATEs.
    Written {
        peer: PeerId,
        conn: ConnId,
        updates: u64,
    },
    /// Anything of a shard but `Send`, `Zebra` and `Contribute`, which the shell carries out itself.
    Shard {
        shard: usize,
        action: ShardAction,
    },
    /// The stream to zebra is open; a snapshot follows.
    ZebraConnected,
    ZebraGone,
    Zebra(FromZebra),
    /// A command outside configuration; answered by [`crate::Action::Reply`].
    Exec {
        exec: ExecId,
        command: Command,
        args: Args,
    },
    /// Of the caches of the RPKI.
    Rpki(RpkiEvent),
    /// The shell has taken the last chunk of a reply and can take another.
    ReplyTaken(ExecId),
    /// Nobody waits for the reply any more.
    ReplyGone(ExecId),
    /// A connection with a BMP collector of an instance.
    Bmp {
        instance: InstanceId,
        event: BmpEvent,
    },
    /// A piece of a table dump was written, or could not be.
    DumpTaken(bool),
    /// The daemon is asked to end: sessions are told, then [`crate::Action::Finished`].
    Shutdown,
}
