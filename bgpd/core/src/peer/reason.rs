//! Why a session ended, with FRR's numbers and texts.

use bgp_packet::Notification;
use ferrite_types::Timestamp;

/// Reasons as `show bgp neighbors` gives them (`lastResetDueTo`, `lastResetCode`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DownReason {
    RouterIdChanged,
    RemoteAsChanged,
    LocalAsChanged,
    ClusterIdChanged,
    ConfedIdChanged,
    ConfedPeersChanged,
    RrClientChanged,
    RsClientChanged,
    UpdateSourceChanged,
    FamilyActivated,
    AdminShutdown,
    UserReset,
    NotificationReceived,
    NotificationSent,
    PeerClosed,
    Deleted,
    GroupJoined,
    GroupLeft,
    CapabilityChanged,
    PassiveChanged,
    MultihopChanged,
    /// The connection ended, and the neighbour is thought to come back (RFC 4724).
    RestartClosed,
    InterfaceDown,
    AddressLost,
    NoPath,
    NoFamily,
    NoVrf,
    WaitingForOpen,
    PrefixLimit,
    SocketError,
    PasswordChanged,
    /// Ours: `rpki strict`, and no cache has told its data yet.
    WaitingForRpki,
    /// Ours: the key chain of TCP-AO is not there.
    NoKeyChain,
}

impl DownReason {
    /// FRR's number and text.
    pub const fn row(self) -> (u8, &'static str) {
        match self {
            Self::RouterIdChanged => (1, "Router ID changed"),
            Self::RemoteAsChanged => (2, "Remote AS changed"),
            Self::LocalAsChanged => (3, "Local AS change"),
            Self::ClusterIdChanged => (4, "Cluster ID changed"),
            Self::ConfedIdChanged => (5, "Confederation identifier changed"),
            Self::ConfedPeersChanged => (6, "Confederation peer changed"),
            Self::RrClientChanged => (7, "RR client config change"),
            Self::RsClientChanged => (8, "RS client config change"),
            Self::UpdateSourceChanged => (9, "Update source change"),
            Self::FamilyActivated => (10, "Address family activated"),
            Self::AdminShutdown => (11, "Admin. shutdown"),
            Self::UserReset => (12, "User reset"),
            Self::NotificationReceived => (13, "BGP Notification received"),
            Self::NotificationSent => (14, "BGP Notification send"),
            Self::PeerClosed => (15, "Peer closed the session"),
            Self::Deleted => (16, "Neighbor deleted"),
            Self::GroupJoined => (17, "Peer-group add member"),
            Self::GroupLeft => (18, "Peer-group delete member"),
            Self::CapabilityChanged => (19, "Capability changed"),
            Self::PassiveChanged => (20, "Passive config change"),
            Self::MultihopChanged => (21, "Multihop config change"),
            Self::RestartClosed => (22, "NSF peer closed the session"),
            Self::InterfaceDown => (25, "Interface down"),
            Self::AddressLost => (26, "Neighbor address lost"),
            Self::NoPath => (27, "No path to specified Neighbor"),
            Self::NoFamily => (30, "No AFI/SAFI activated for peer"),
            Self::NoVrf => (31, "Vrf not initialized"),
            Self::WaitingForOpen => (32, "Waiting for peer OPEN"),
            Self::PrefixLimit => (33, "Reached received prefix count"),
            Self::SocketError => (34, "Socket Error"),
            Self::PasswordChanged => (36, "Password config change"),
            Self::WaitingForRpki => (44, "Waiting for RPKI data"),
            Self::NoKeyChain => (45, "Key chain of TCP-AO is not configured"),
        }
    }

    pub const fn text(self) -> &'static str {
        self.row().1
    }
}

/// The end of a session, or of an attempt to have one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LastReset {
    pub at: Timestamp,
    pub reason: DownReason,
    /// What was sent or received.
    pub notification: Option<Notification>,
    /// The socket's word, where it was its doing.
    pub error: Option<String>,
    /// Asked for by configuration or a command, so nobody's fault.
    pub by_request: bool,
    /// A hard reset (RFC 8538 §3): `notification` is what was inside.
    pub hard: bool,
}

impl LastReset {
    fn new(at: Timestamp, reason: DownReason) -> Self {
        Self { at, reason, notification: None, error: None, by_request: false, hard: false }
    }

    pub(super) fn closed(at: Timestamp, error: String) -> Self {
        let error = Some(error).filter(|error| !error.is_empty());
        Self { error, ..Self::new(at, DownReason::PeerClosed) }
    }

    pub(super) fn received(at: Timestamp, notification: Notification) -> Self {
        let inner = notification.inner();
        let hard = notification.is_hard();
        let notification = Some(inner.unwrap_or(notification));
        Self { notification, hard, ..Self::new(at, DownReason::NotificationReceived) }
    }

    pub(super) fn sent(at: Timestamp, notification: Notification) -> Self {
        Self { notification: Some(notification), ..Self::new(at, DownReason::NotificationSent) }
    }

    pub(super) fn requested(at: Timestamp, reason: DownReason, notification: Notification) -> Self {
        Self { notification: Some(notification), by_request: true, ..Self::new(at, reason) }
    }
}
