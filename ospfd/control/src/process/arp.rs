//! `proactive-arp`: the link address of a neighbour is asked for while it comes up, before packets that are sent through it wait
//! for it. In: the neighbour's changes of state. Out: [`ToZebra::Resolve`], when it is first heard, when it hears us, and when
//! the adjacency begins, each at most once for every time that it comes up. OSPFv3 needs none: its packets to the neighbour, and
//! its next hops, have the address that the kernel's own neighbour discovery knows by then.

use ferrite_ospf::LogLine;
use ferrite_ospf::neighbor::State;
use ferrite_types::zclient::{ResolveNeighbor, ToZebra};

use super::Process;
use super::event::Action;
use super::flavor::Flavor;
use super::zebra::ZebraState;
use crate::settings::RouterSettings;

pub(super) fn wanted<V: Flavor>(
    process: &Process<V>,
    router: Option<&RouterSettings>,
    zebra: &ZebraState,
    line: &LogLine,
) -> Option<Action> {
    let LogLine::Neighbor { interface, address, from, to, .. } = line else { return None };
    let comes_up = to > from && matches!(to, State::Init | State::TwoWay | State::ExStart);
    let wanted = V::VERSION == 2 && comes_up && router.is_some_and(|router| !router.no_proactive_arp);
    if !wanted || !zebra.takes_routes() {
        return None;
    }
    // A virtual link is no link.
    let ifindex = process.links.get(interface)?.interface.ifindex;
    Some(Action::Zebra(ToZebra::Resolve(ResolveNeighbor { ifindex, addr: *address })))
}
