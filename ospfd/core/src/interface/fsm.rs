//! The interface state machine (§9.1-§9.3): a pure table. What a cell asks for is done by the instance.

/// Interface states (§9.1), in the RFC's order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum State {
    #[default]
    Down,
    Loopback,
    Waiting,
    PointToPoint,
    DrOther,
    Backup,
    Dr,
}

/// Events (§9.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    InterfaceUp,
    WaitTimer,
    BackupSeen,
    NeighborChange,
    LoopInd,
    UnloopInd,
    InterfaceDown,
}

/// What a cell of the table asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    Ignore,
    /// To the first state of the network's type: Loopback, PointToPoint, DrOther (not eligible) or Waiting.
    Start,
    /// The election of designated routers decides (§9.4).
    Elect,
    /// All timers and neighbours go.
    Reset(State),
}

pub const STATES: [State; 7] = [
    State::Down,
    State::Loopback,
    State::Waiting,
    State::PointToPoint,
    State::DrOther,
    State::Backup,
    State::Dr,
];

pub const EVENTS: [Event; 7] = [
    Event::InterfaceUp,
    Event::WaitTimer,
    Event::BackupSeen,
    Event::NeighborChange,
    Event::LoopInd,
    Event::UnloopInd,
    Event::InterfaceDown,
];

/// The table (§9.3).
pub fn step(state: State, event: Event) -> Step {
    match (state, event) {
        (State::Down, Event::InterfaceUp) => Step::Start,
        (State::Waiting, Event::BackupSeen | Event::WaitTimer) => Step::Elect,
        (State::DrOther | State::Backup | State::Dr, Event::NeighborChange) => Step::Elect,
        (_, Event::InterfaceDown) => Step::Reset(State::Down),
        (State::Loopback, Event::UnloopInd) => Step::Reset(State::Down),
        (State::Loopback, Event::LoopInd) => Step::Ignore,
        (_, Event::LoopInd) => Step::Reset(State::Loopback),
        (
            _,
            Event::InterfaceUp
            | Event::WaitTimer
            | Event::BackupSeen
            | Event::NeighborChange
            | Event::UnloopInd,
        ) => Step::Ignore,
    }
}
