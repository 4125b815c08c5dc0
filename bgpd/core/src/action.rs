//! What the instance wants done.

use std::net::IpAddr;
use std::sync::Arc;

use bgp_packet::{Family, FamilySet};
use bytes::Bytes;
use ferrite_keychain::KeyChain;
use ferrite_types::Prefix;
use ferrite_types::zclient::ToZebra;

use crate::config::{InstanceName, NeighborName};
use crate::event::{AcceptId, ExecId};
use crate::instance::bmp::BmpAction;
use crate::instance::dump::DumpAction;
use crate::instance::rpki::RpkiAction;
use crate::peer::{ConnId, Negotiated, SessionConfig, Signing, State, Transport};
use crate::rib::{PeerId, ShardEvent};

#[derive(Debug)]
pub enum Action {
    /// Make a connection; answered by `Connected` or `ConnectFailed`.
    Connect {
        peer: PeerId,
        conn: ConnId,
        transport: Arc<Transport>,
    },
    /// The accepted connection is this peer's.
    Adopt {
        accept: AcceptId,
        peer: PeerId,
        conn: ConnId,
        transport: Arc<Transport>,
    },
    /// The accepted connection is nobody's: close it.
    Refuse {
        accept: AcceptId,
    },
    /// A whole message, ahead of any UPDATE that waits.
    Send {
        peer: PeerId,
        conn: ConnId,
        bytes: Bytes,
    },
    /// A whole UPDATE, behind those that wait (End-of-RIB).
    SendBehind {
        peer: PeerId,
        conn: ConnId,
        bytes: Bytes,
    },
    /// Closes the connection, or stops making it. What was sent by `Send` still goes out; UPDATEs that wait do not.
    Close {
        peer: PeerId,
        conn: ConnId,
    },
    /// The session is up: UPDATEs of this connection are decoded (`negotiated.decode_context(config)`) and go to the
    /// shards as batches of `session`; what the shards send to the peer goes out on it. Comes after the shards' `PeerUp`.
    SessionUp {
        peer: PeerId,
        conn: ConnId,
        session: u64,
        config: Arc<SessionConfig>,
        negotiated: Arc<Negotiated>,
    },
    SessionDown {
        peer: PeerId,
        session: u64,
    },
    /// How connections that come from there to the listeners are signed; `None`: they are not.
    SetSigning {
        network: Prefix,
        signing: Option<Signing>,
    },
    /// The connection is signed with the keys of this chain from now on (TCP-AO).
    Rekey {
        peer: PeerId,
        conn: ConnId,
        chain: Arc<KeyChain>,
    },
    /// For one shard, in order.
    Shard {
        shard: usize,
        event: ShardEvent,
    },
    Zebra(ToZebra),
    /// A piece of a command's output. The next one comes after `ReplyTaken`, unless `done`.
    Reply {
        exec: ExecId,
        text: String,
        done: bool,
    },
    /// For BMP collectors.
    Bmp(BmpAction),
    /// For MRT files.
    Dump(DumpAction),
    /// For the log.
    /// Of the caches of the RPKI.
    Rpki(RpkiAction),
    Log(LogLine),
    /// An instance begins: it gets shards of its own. Not said of the default one, which is there from the start.
    Start {
        name: InstanceName,
    },
    /// The instance is over, with everything it had.
    Stop,
    /// Listen for connections of the instance's VRF, through this device, or no longer. Keys set before hold.
    Listen {
        device: Option<Arc<str>>,
    },
    /// Nothing is left to do before the process ends.
    Finished,
}

/// What is worth a line in the log.
#[derive(Clone, PartialEq, Debug)]
pub enum LogLine {
    /// `bgp log-neighbor-changes`.
    NeighborUp {
        addr: NeighborName,
        hostname: Option<String>,
    },
    NeighborDown {
        addr: NeighborName,
        hostname: Option<String>,
        reason: String,
    },
    /// Every change of state, for `debug bgp neighbor-events`.
    State {
        addr: NeighborName,
        from: State,
        to: State,
    },
    AttemptFailed {
        addr: NeighborName,
        reason: String,
    },
    /// `shutdown rtt`, milliseconds.
    RoundTrip {
        addr: IpAddr,
        msec: u32,
        expected: u16,
    },
    /// Connections from a listen range that has no room left.
    ListenLimit {
        addr: IpAddr,
        limit: usize,
        /// Since the last such line.
        refused: u64,
    },
    PrefixWarning {
        addr: NeighborName,
        family: Family,
        count: u64,
        limit: u32,
    },
    PrefixLimit {
        addr: NeighborName,
        family: Family,
        count: u64,
        limit: u32,
    },
    /// Routes of a neighbour passed a limit, or do not fit; `prefix` is one of them.
    RouteLimit {
        addr: IpAddr,
        family: Family,
        what: &'static str,
        prefix: ferrite_types::Prefix,
        count: u64,
    },
    /// A cache of the RPKI: lost, refused, or not to be reached.
    RpkiCache {
        cache: String,
        error: String,
    },
    /// The tables in force are others.
    RpkiPublished {
        vrps: usize,
        aspas: usize,
        ranges: usize,
    },
    /// Local exceptions were not taken, or taken.
    RpkiSlurm {
        file: String,
        result: Result<(usize, usize), String>,
    },
    /// The session is gone, and routes are kept until the neighbour is back.
    RoutesKept {
        addr: IpAddr,
        families: FamilySet,
        seconds: u16,
    },
    /// What was kept of a family goes, or has long to live, because its time is over.
    RoutesExpired {
        addr: IpAddr,
        family: Family,
        long_lived: bool,
    },
    /// Decisions begin, so long after the start.
    DecisionsBegin {
        family: Family,
        seconds: u64,
    },
    /// Zebra did not carry out a request.
    ZebraRefused {
        request: String,
        reason: String,
    },
}
