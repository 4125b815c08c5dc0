//! The neighbour state machine (§10.1-§10.3): a pure table. What a cell asks for is done by the instance.

/// Neighbour states (§10.1), in the RFC's order: a state with more conversation is greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum State {
    #[default]
    Down,
    Attempt,
    Init,
    TwoWay,
    ExStart,
    Exchange,
    Loading,
    Full,
}

/// Events (§10.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    HelloReceived,
    Start,
    TwoWayReceived,
    NegotiationDone,
    ExchangeDone,
    BadLsReq,
    LoadingDone,
    AdjOk,
    SeqNumberMismatch,
    OneWay,
    KillNbr,
    InactivityTimer,
    LlDown,
}

/// What a cell of the table asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    Ignore,
    /// The inactivity timer starts anew.
    Hold,
    /// As `Hold`, in another state.
    Heard(State),
    /// A Hello goes out, the inactivity timer starts.
    Attempt,
    /// To ExStart if an adjacency is wanted, to TwoWay if not (§10.4).
    Decide,
    /// An adjacency that is no longer wanted falls back to TwoWay.
    Keep,
    /// The database is listed, the exchange begins.
    Describe,
    /// To Full, or to Loading while something is to be requested.
    Finish,
    /// All that was described has been received.
    Complete,
    /// Lists are cleared, a new exchange begins.
    Restart,
    /// Lists are cleared.
    Clear(State),
}

pub const STATES: [State; 8] = [
    State::Down,
    State::Attempt,
    State::Init,
    State::TwoWay,
    State::ExStart,
    State::Exchange,
    State::Loading,
    State::Full,
];

pub const EVENTS: [Event; 13] = [
    Event::HelloReceived,
    Event::Start,
    Event::TwoWayReceived,
    Event::NegotiationDone,
    Event::ExchangeDone,
    Event::BadLsReq,
    Event::LoadingDone,
    Event::AdjOk,
    Event::SeqNumberMismatch,
    Event::OneWay,
    Event::KillNbr,
    Event::InactivityTimer,
    Event::LlDown,
];

/// The table (§10.3).
pub fn step(state: State, event: Event) -> Step {
    match (state, event) {
        (State::Down, Event::Start) => Step::Attempt,
        (State::Down | State::Attempt, Event::HelloReceived) => Step::Heard(State::Init),
        (_, Event::HelloReceived) => Step::Hold,
        (State::Init, Event::TwoWayReceived) => Step::Decide,
        (State::ExStart, Event::NegotiationDone) => Step::Describe,
        (State::Exchange, Event::ExchangeDone) => Step::Finish,
        (State::Loading, Event::LoadingDone) => Step::Complete,
        (State::TwoWay, Event::AdjOk) => Step::Decide,
        (State::ExStart | State::Exchange | State::Loading | State::Full, Event::AdjOk) => Step::Keep,
        (State::Exchange | State::Loading | State::Full, Event::SeqNumberMismatch | Event::BadLsReq) => {
            Step::Restart
        }
        (State::Down, Event::KillNbr | Event::LlDown | Event::InactivityTimer) => Step::Ignore,
        (_, Event::KillNbr | Event::LlDown | Event::InactivityTimer) => Step::Clear(State::Down),
        (State::TwoWay | State::ExStart | State::Exchange | State::Loading | State::Full, Event::OneWay) => {
            Step::Clear(State::Init)
        }
        (
            _,
            Event::Start
            | Event::TwoWayReceived
            | Event::NegotiationDone
            | Event::ExchangeDone
            | Event::BadLsReq
            | Event::LoadingDone
            | Event::AdjOk
            | Event::SeqNumberMismatch
            | Event::OneWay,
        ) => Step::Ignore,
    }
}
