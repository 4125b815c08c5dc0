//! Election of the designated router and its backup (§9.4): routers on a network in, the two elected out. Pure.

use std::net::Ipv4Addr;

use ferrite_types::ids::RouterId;

/// A router as the election sees it: ourselves, or a neighbour in 2-Way or above.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Candidate {
    pub router: RouterId,
    /// What names it in Hellos: its address in OSPFv2, its router ID in OSPFv3.
    pub name: Ipv4Addr,
    /// 0 is not eligible.
    pub priority: u8,
    /// What it says in its Hellos.
    pub designated: Ipv4Addr,
    pub backup: Ipv4Addr,
}

/// The designated router and its backup; 0.0.0.0 is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Elected {
    pub designated: Option<Ipv4Addr>,
    pub backup: Option<Ipv4Addr>,
}

/// Steps (1) to (4): our own claims are those of the first candidate, and the calculation is repeated once if it changes them.
pub fn elect(candidates: &[Candidate]) -> Elected {
    let Some(ours) = candidates.first().copied() else { return Elected::default() };
    let first = calculate(candidates);
    let mine = Some(ours.name);
    let was = (ours.designated == ours.name, ours.backup == ours.name);
    if was == (first.designated == mine, first.backup == mine) {
        return first;
    }
    let claim = |name: Option<Ipv4Addr>| name.unwrap_or(Ipv4Addr::UNSPECIFIED);
    let mut again = candidates.to_vec();
    if let Some(own) = again.first_mut() {
        own.designated = claim(first.designated);
        own.backup = claim(first.backup);
    }
    calculate(&again)
}

/// Steps (2) and (3).
fn calculate(candidates: &[Candidate]) -> Elected {
    let eligible = || candidates.iter().filter(|c| c.priority > 0);
    let rank = |c: &&Candidate| (c.priority, c.router);
    let name = |c: &Candidate| c.name;
    // Who calls itself designated is no candidate for backup.
    let others = || eligible().filter(|c| c.designated != c.name);
    let backup =
        others().filter(|c| c.backup == c.name).max_by_key(rank).or_else(|| others().max_by_key(rank));
    let designated = eligible().filter(|c| c.designated == c.name).max_by_key(rank);
    let backup = backup.map(name);
    Elected { designated: designated.map(name).or(backup), backup }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router(id: u8, priority: u8, designated: u8, backup: u8) -> Candidate {
        let name = |id: u8| if id == 0 { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::new(10, 0, 0, id) };
        Candidate {
            router: RouterId(Ipv4Addr::new(id, id, id, id)),
            name: name(id),
            priority,
            designated: name(designated),
            backup: name(backup),
        }
    }

    fn elected(candidates: &[Candidate]) -> (u8, u8) {
        let last = |name: Option<Ipv4Addr>| name.map_or(0, |name| name.octets()[3]);
        let elected = elect(candidates);
        (last(elected.designated), last(elected.backup))
    }

    #[test]
    fn the_first_router_alone_becomes_designated() {
        assert_eq!(elected(&[router(1, 1, 0, 0)]), (1, 0));
    }

    #[test]
    fn of_two_new_routers_the_higher_one_is_designated() {
        // Seen from the lower one it is both until it says that it is designated (step 4 is for oneself only).
        assert_eq!(elected(&[router(1, 1, 0, 0), router(2, 1, 0, 0)]), (2, 2));
        assert_eq!(elected(&[router(1, 1, 0, 0), router(2, 1, 2, 0)]), (2, 1));
        assert_eq!(elected(&[router(2, 1, 0, 0), router(1, 1, 0, 0)]), (2, 1));
        assert_eq!(elected(&[router(1, 9, 0, 0), router(2, 1, 0, 0)]), (1, 2));
    }

    #[test]
    fn who_is_designated_stays_so_when_a_better_one_comes() {
        assert_eq!(elected(&[router(9, 200, 0, 0), router(1, 1, 1, 2), router(2, 1, 1, 2)]), (1, 2));
    }

    #[test]
    fn the_backup_takes_over_and_a_new_backup_is_found() {
        assert_eq!(elected(&[router(2, 1, 1, 2), router(3, 1, 1, 2), router(4, 1, 1, 2)]), (2, 4));
    }

    #[test]
    fn priority_zero_is_never_elected() {
        assert_eq!(elected(&[router(1, 0, 0, 0), router(2, 0, 0, 0)]), (0, 0));
        assert_eq!(elected(&[router(5, 0, 0, 0), router(2, 1, 2, 0)]), (2, 0));
    }

    #[test]
    fn of_two_that_both_claim_it_the_higher_priority_wins() {
        assert_eq!(elected(&[router(1, 3, 1, 0), router(2, 1, 2, 0)]), (1, 0));
        assert_eq!(elected(&[router(1, 3, 1, 0), router(2, 1, 1, 0)]), (1, 2));
    }
}
