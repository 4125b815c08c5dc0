//! What the core has for the log, in FRR's words.

use ferrite_ospf::{IfId, LogLine, neighbor};
use ferrite_ospf_packet::Refusal;

use super::event::LogLevel;
use super::{Flavor, Process, topics, trace};
use crate::settings::LogAdjacency;

/// A neighbour's state as FRR writes it.
pub fn state_name(version: u8, state: neighbor::State) -> &'static str {
    match state {
        neighbor::State::Down => "Down",
        neighbor::State::Attempt => "Attempt",
        neighbor::State::Init => "Init",
        neighbor::State::TwoWay if version == 3 => "Twoway",
        neighbor::State::TwoWay => "2-Way",
        neighbor::State::ExStart if version == 3 => "ExStart",
        neighbor::State::ExStart => "ExStart",
        neighbor::State::Exchange if version == 3 => "ExChange",
        neighbor::State::Exchange => "Exchange",
        neighbor::State::Loading => "Loading",
        neighbor::State::Full => "Full",
    }
}

/// An interface, in OSPFv2 with its address: there may be several on a link.
pub(super) fn place<V: Flavor>(process: &Process<V>, interface: IfId) -> String {
    let name = process.links.get(&interface).map_or("VLINK", |link| link.interface.name.as_str());
    match process.told.get(&interface).and_then(|link| link.address) {
        Some(address) if V::VERSION == 2 => format!("{name}:{address}"),
        _ => name.to_owned(),
    }
}

pub(super) fn words<V: Flavor>(
    process: &Process<V>,
    adjacency: LogAdjacency,
    line: &LogLine,
) -> Option<(LogLevel, String)> {
    let (vrf, version) = (process.named(), V::VERSION);
    let place = |interface: &IfId| place(process, *interface);
    Some(match line {
        LogLine::Neighbor { interface, neighbor, from, to, reason, .. } => {
            let wanted = match adjacency {
                LogAdjacency::No => false,
                LogAdjacency::Yes => *to == neighbor::State::Full || to < from,
                LogAdjacency::Detail => true,
            };
            let (from, to) = (state_name(V::VERSION, *from), state_name(V::VERSION, *to));
            let place = place(interface);
            let text = format!("AdjChg: Nbr {neighbor}({vrf}) on {place}: {from} -> {to} ({reason:?})");
            (if wanted { LogLevel::Notice } else { LogLevel::Debug(topics::neighbor_state(version)) }, text)
        }
        LogLine::Interface { interface, from, to } => (
            LogLevel::Debug(topics::interface_state(version)),
            format!("interface {} (vrf {vrf}): {from:?} -> {to:?}", place(interface)),
        ),
        LogLine::Refused { interface, source, reason } => {
            let place = place(interface);
            let text = format!("{place}: packet of {source} (vrf {vrf}) not taken: {reason}");
            (
                if is_usual(*reason) {
                    LogLevel::Debug(topics::flooding(version))
                } else {
                    LogLevel::Warning
                },
                text,
            )
        }
        LogLine::OwnReceived { area, key } => (
            LogLevel::Debug(topics::flooding(version)),
            format!("an LSA in our name that is not ours: {key:?}, area {area:?} (vrf {vrf})"),
        ),
        LogLine::Helping { interface, neighbor, period, reason } => (
            LogLevel::Notice,
            format!(
                "GR helper: {neighbor} on {} (vrf {vrf}) restarts ({reason:?}), helped for {} seconds",
                place(interface),
                period.as_secs()
            ),
        ),
        LogLine::NotHelping { interface, neighbor, reason } => (
            LogLevel::Notice,
            format!("GR helper: {neighbor} on {} (vrf {vrf}) is not helped: {reason:?}", place(interface)),
        ),
        LogLine::Helped { interface, neighbor, reason } => (
            LogLevel::Notice,
            format!("GR helper: {neighbor} on {} (vrf {vrf}): help ends: {reason:?}", place(interface)),
        ),
        LogLine::Restarted(reason) => {
            (LogLevel::Notice, format!("graceful restart (vrf {vrf}) ends: {reason:?}"))
        }
        LogLine::Trace(line) => {
            let (topic, text) = trace::words(process, line);
            (LogLevel::Debug(topic), text)
        }
        LogLine::DatabaseFull { lsas } => {
            let text = format!(
                "max-lsa {lsas} is reached (vrf {vrf}): LSAs of others are refused until there is room"
            );
            (LogLevel::Warning, text)
        }
        LogLine::NoReduction { area, router } => {
            let text = format!(
                "no flood reduction in area {area} (vrf {vrf}): {router} has the mark of LSAs that do not age in the wrong octet"
            );
            (LogLevel::Warning, text)
        }
        LogLine::DatabaseHasRoom { lsas } => {
            (LogLevel::Notice, format!("there is room for LSAs again (vrf {vrf}): {lsas} are kept"))
        }
    })
}

/// What happens while neighbours come up and databases settle; it is counted, and says nothing to an operator.
fn is_usual(reason: Refusal) -> bool {
    matches!(
        reason,
        Refusal::LsaMinArrival | Refusal::NeighborState | Refusal::NoNeighbor | Refusal::Destination
    )
}
