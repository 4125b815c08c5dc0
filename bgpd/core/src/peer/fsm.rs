//! The state machine of one connection (RFC 4271 §8.2.2) as a table. It says what happens; `machine` does it.
//!
//! Idle, Connect and Active with their timers belong to the machine of our own connections. The machine of theirs is in
//! Active when a connection was accepted, and falls back to Idle with it.

use std::fmt;

/// States in the order of progress.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, serde::Serialize)]
pub enum State {
    #[default]
    Idle,
    Connect,
    Active,
    OpenSent,
    OpenConfirm,
    Established,
}

impl State {
    pub const ALL: [Self; 6] =
        [Self::Idle, Self::Connect, Self::Active, Self::OpenSent, Self::OpenConfirm, Self::Established];
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Idle => "Idle",
            Self::Connect => "Connect",
            Self::Active => "Active",
            Self::OpenSent => "OpenSent",
            Self::OpenConfirm => "OpenConfirm",
            Self::Established => "Established",
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Event {
    /// The configuration, or the end of the idle hold time, lets the peer begin.
    Start,
    /// Ended from outside, with a Cease.
    Stop,
    RetryExpired,
    DelayOpenExpired,
    HoldExpired,
    KeepaliveExpired,
    SendHoldExpired,
    /// The connection is there, made or accepted.
    TcpOpen,
    /// It could not be made, or has ended.
    TcpFail,
    /// An OPEN that suits us.
    Open,
    Keepalive,
    Update,
    Refresh,
    Notification,
    /// A message that costs the session, with the NOTIFICATION it costs.
    Fault,
    /// The other connection stays (§6.8).
    Collision,
}

impl Event {
    pub const ALL: [Self; 16] = [
        Self::Start,
        Self::Stop,
        Self::RetryExpired,
        Self::DelayOpenExpired,
        Self::HoldExpired,
        Self::KeepaliveExpired,
        Self::SendHoldExpired,
        Self::TcpOpen,
        Self::TcpFail,
        Self::Open,
        Self::Keepalive,
        Self::Update,
        Self::Refresh,
        Self::Notification,
        Self::Fault,
        Self::Collision,
    ];
}

/// What is done on the way.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Effect {
    /// Make a connection.
    Dial,
    /// Give up the one in the making and make another.
    Redial,
    /// Wait for theirs, and for the time to try again.
    AwaitRetry,
    /// OPEN now, or after the delay that is configured.
    OpenOrDelay,
    SendOpen,
    /// OPEN, as it is still owed, then KEEPALIVE.
    SendOpenAndConfirm,
    /// KEEPALIVE, and the timers that were agreed on.
    Confirm,
    Establish,
    SendKeepalive,
    RestartHold,
    PassRefresh,
    /// Close with the NOTIFICATION that came with the event.
    Notify,
    /// Close with "hold timer expired".
    NotifyHold,
    /// Close with "send hold timer expired".
    NotifySendHold,
    /// Close with a finite state machine error of this subcode.
    NotifyFsm(u8),
    /// Close without a word.
    Drop,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    Go(State, Effect),
    Stay(Effect),
    /// Connect where connections are ours to make, Active where only theirs are awaited, Idle where neither may be.
    Begin,
    Ignore,
}

/// The table of RFC 4271 §8.2.2, with RFC 6608 for unexpected messages and RFC 9687 for the send hold timer.
#[rustfmt::skip]
pub fn step(state: State, event: Event) -> Step {
    use Effect::*;
    use Event::{
        Collision, DelayOpenExpired, Fault, HoldExpired, Keepalive, KeepaliveExpired, Notification, Open, Refresh,
        RetryExpired, SendHoldExpired, Start, Stop, TcpFail, TcpOpen, Update,
    };
    use State::*;
    use Step::*;
    match (state, event) {
        (Idle, Start)                                       => Begin,
        (_, Start)                                          => Ignore,
        (_, Stop)                                           => Go(Idle, Notify),

        (Idle, _)                                           => Ignore,

        (Connect, RetryExpired)                             => Stay(Redial),
        (Active, RetryExpired)                              => Go(Connect, Dial),
        (Connect | Active, TcpOpen)                         => Stay(OpenOrDelay),
        (Connect | Active, DelayOpenExpired)                => Go(OpenSent, SendOpen),
        (Connect | Active, Open)                            => Go(OpenConfirm, SendOpenAndConfirm), // while delayed
        (Connect | Active | OpenSent, TcpFail)              => Go(Active, AwaitRetry),
        (Connect | Active | OpenSent | OpenConfirm, Collision) => Go(Active, AwaitRetry),
        (Connect | Active, Fault)                           => Go(Idle, Notify),
        (Connect | Active, Keepalive | Update | Refresh | Notification) => Go(Idle, Drop),
        (Connect | Active, _)                               => Ignore,

        (OpenSent, Open)                                    => Go(OpenConfirm, Confirm),
        (OpenSent, Keepalive | Update | Refresh)            => Go(Idle, NotifyFsm(1)),

        (OpenConfirm, Keepalive)                            => Go(Established, Establish),
        (OpenConfirm, KeepaliveExpired)                     => Stay(SendKeepalive),
        (OpenConfirm, Open | Update | Refresh)              => Go(Idle, NotifyFsm(2)),

        (Established, Keepalive | Update)                   => Stay(RestartHold),
        (Established, Refresh)                              => Stay(PassRefresh),
        (Established, KeepaliveExpired)                     => Stay(SendKeepalive),
        (Established, SendHoldExpired)                      => Go(Idle, NotifySendHold),
        (Established, Open)                                 => Go(Idle, NotifyFsm(3)),
        (Established, Collision)                            => Ignore, // the older connection stays

        (_, HoldExpired)                                    => Go(Idle, NotifyHold),
        (_, Notification)                                   => Go(Idle, Drop),
        (_, Fault)                                          => Go(Idle, Notify),
        (_, TcpFail)                                        => Go(Idle, Drop),
        (OpenSent | OpenConfirm | Established,
            RetryExpired | DelayOpenExpired | TcpOpen)      => Ignore,
        (OpenSent, KeepaliveExpired | SendHoldExpired) | (OpenConfirm, SendHoldExpired) => Ignore,
    }
}
