//! Autonomous System Provider Authorisations and the verification of AS paths by them
//! (draft-ietf-sidrops-aspa-verification §5, §6).
//!
//! A path is read as the way a route took: up from the origin through providers, over at most one lateral step, down to
//! us. Each hop is a question to the table: may `x` name `y` as its provider?

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use ferrite_types::Asn;
use serde::Serialize;

/// What the RPKI says about a path.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AspaState {
    Valid,
    /// Some hop is not attested.
    Unknown,
    Invalid,
}

impl AspaState {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Unknown => "unknown",
            Self::Invalid => "invalid",
        }
    }
}

impl fmt::Display for AspaState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for AspaState {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Valid, Self::Unknown, Self::Invalid].into_iter().find(|s| s.word() == text).ok_or(())
    }
}

/// Where a route came from, which decides how its path may look.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Direction {
    /// From a customer, a lateral peer, or (as a route server) a client: the path only goes up.
    Upstream,
    /// From a provider: it may go up, then down. The more lenient of the two.
    Downstream,
}

/// One hop's answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Hop {
    Provider,
    NotProvider,
    NoAttestation,
}

/// Providers by customer. A copy costs a pointer.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AspaTable {
    by_customer: Arc<BTreeMap<Asn, Arc<[Asn]>>>,
    /// Providers of all customers together.
    named: usize,
}

impl AspaTable {
    /// Sets the providers of a customer, replacing what was there (8210bis §5.12).
    pub fn insert(&mut self, customer: Asn, mut providers: Vec<Asn>) {
        providers.sort_unstable();
        providers.dedup();
        self.named += providers.len();
        if let Some(before) = Arc::make_mut(&mut self.by_customer).insert(customer, providers.into()) {
            self.named -= before.len();
        }
    }

    /// False where the customer was not there.
    pub fn remove(&mut self, customer: Asn) -> bool {
        if !self.by_customer.contains_key(&customer) {
            return false;
        }
        let gone = Arc::make_mut(&mut self.by_customer).remove(&customer);
        self.named -= gone.as_ref().map_or(0, |providers| providers.len());
        gone.is_some()
    }

    /// Providers of all customers together.
    pub fn named(&self) -> usize {
        self.named
    }

    pub fn len(&self) -> usize {
        self.by_customer.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_customer.is_empty()
    }

    pub fn providers(&self, customer: Asn) -> Option<&[Asn]> {
        self.by_customer.get(&customer).map(|providers| &**providers)
    }

    /// In order of customer.
    pub fn iter(&self) -> impl Iterator<Item = (Asn, &[Asn])> {
        self.by_customer.iter().map(|(customer, providers)| (*customer, &**providers))
    }

    /// Customers whose providers differ, ascending.
    pub(crate) fn differing(&self, other: &Self) -> Vec<Asn> {
        if Arc::ptr_eq(&self.by_customer, &other.by_customer) {
            return Vec::new();
        }
        let gone = |a: &Self, b: &Self| -> Vec<Asn> {
            a.by_customer.keys().filter(|asn| !b.by_customer.contains_key(asn)).copied().collect()
        };
        let mut found = gone(self, other);
        let changed = other.by_customer.iter().filter(|(asn, set)| self.by_customer.get(asn) != Some(set));
        found.extend(changed.map(|(asn, _)| *asn));
        found.sort_unstable();
        found
    }

    fn hop(&self, customer: Asn, provider: Asn) -> Hop {
        match self.by_customer.get(&customer) {
            None => Hop::NoAttestation,
            Some(providers) if providers.binary_search(&provider).is_ok() => Hop::Provider,
            Some(_) => Hop::NotProvider,
        }
    }

    /// The state of a path as received, nearest AS first. `has_set` says that it has an AS_SET, which cannot be verified.
    pub fn verify(&self, path: &[Asn], has_set: bool, direction: Direction) -> AspaState {
        if path.is_empty() || has_set {
            return AspaState::Invalid;
        }
        let mut hops: Vec<Asn> = path.to_vec();
        hops.dedup();
        hops.reverse();
        match direction {
            Direction::Upstream => self.verify_upstream(&hops),
            Direction::Downstream => self.verify_downstream(&hops),
        }
    }

    /// `hops` from the origin to the nearest.
    fn verify_upstream(&self, hops: &[Asn]) -> AspaState {
        let mut state = AspaState::Valid;
        for (low, high) in hops.iter().zip(hops.iter().skip(1)) {
            match self.hop(*low, *high) {
                Hop::NotProvider => return AspaState::Invalid,
                Hop::NoAttestation => state = AspaState::Unknown,
                Hop::Provider => {}
            }
        }
        state
    }

    fn verify_downstream(&self, hops: &[Asn]) -> AspaState {
        let count = hops.len();
        // How many ASes from one end can be on a slope, whose hops all pass.
        let ramp = |passes: &dyn Fn(Hop) -> bool, down: bool| {
            let mut length = 1;
            let pairs = hops.iter().zip(hops.iter().skip(1));
            let mut step = |customer: &Asn, provider: &Asn| {
                let fine = passes(self.hop(*customer, *provider));
                length += usize::from(fine);
                fine
            };
            if down {
                let _ = pairs.rev().all(|(provider, customer)| step(customer, provider));
            } else {
                let _ = pairs.into_iter().all(|(customer, provider)| step(customer, provider));
            }
            length
        };
        let possible = |hop: Hop| hop != Hop::NotProvider;
        let attested = |hop: Hop| hop == Hop::Provider;
        if ramp(&possible, false) + ramp(&possible, true) < count {
            AspaState::Invalid
        } else if ramp(&attested, false) + ramp(&attested, true) < count {
            AspaState::Unknown
        } else {
            AspaState::Valid
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(entries: &[(u32, &[u32])]) -> AspaTable {
        let mut table = AspaTable::default();
        for (customer, providers) in entries {
            table.insert(Asn(*customer), providers.iter().map(|asn| Asn(*asn)).collect());
        }
        table
    }

    fn path(asns: &[u32]) -> Vec<Asn> {
        asns.iter().map(|asn| Asn(*asn)).collect()
    }

    #[test]
    fn a_path_from_a_customer_only_goes_up() {
        let table = table(&[(1, &[2]), (2, &[3]), (9, &[0])]);
        let up = |asns: &[u32]| table.verify(&path(asns), false, Direction::Upstream);
        assert_eq!(up(&[1]), AspaState::Valid);
        assert_eq!(up(&[3, 2, 2, 1]), AspaState::Valid);
        assert_eq!(up(&[4, 3, 2, 1]), AspaState::Unknown);
        assert_eq!(up(&[4, 2, 1]), AspaState::Invalid, "2 does not name 4");
        assert_eq!(up(&[3, 9]), AspaState::Invalid, "9 names nobody");
        assert_eq!(up(&[]), AspaState::Invalid);
        assert_eq!(table.verify(&path(&[3, 2, 1]), true, Direction::Upstream), AspaState::Invalid);
    }

    #[test]
    fn a_path_from_a_provider_goes_up_and_down() {
        // 1 and 5 are customers of 2 and 4, which are customers of 3, which has no provider; 6 is attested to have no provider but 7.
        let table = table(&[(1, &[2]), (2, &[3]), (4, &[3]), (5, &[4]), (6, &[7]), (3, &[0])]);
        let down = |asns: &[u32]| table.verify(&path(asns), false, Direction::Downstream);
        assert_eq!(down(&[5, 4, 3, 2, 1]), AspaState::Valid);
        assert_eq!(down(&[4, 2, 1]), AspaState::Valid, "4 and 2 may be lateral peers");
        assert_eq!(down(&[4, 3]), AspaState::Valid);
        assert_eq!(down(&[8, 3, 2, 1]), AspaState::Valid);
        assert_eq!(down(&[9, 8, 3, 2, 1]), AspaState::Unknown);
        assert_eq!(down(&[3, 6, 2, 1]), AspaState::Invalid, "6 leaks from 2 to 3");
        assert_eq!(down(&[1]), AspaState::Valid);
    }

    #[test]
    fn what_differs_is_told_by_customer() {
        let a = table(&[(1, &[2]), (2, &[3])]);
        let b = table(&[(1, &[2, 9]), (4, &[3])]);
        assert_eq!(a.differing(&b), path(&[1, 2, 4]));
        assert_eq!(a.differing(&a.clone()), path(&[]));
    }
}
