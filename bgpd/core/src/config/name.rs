//! What a neighbour is called: by its address, or by the interface it is found on (`neighbor eth0 interface …`).

use std::cmp::Ordering;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// A neighbour's name in the configuration. Interfaces sort before addresses, and by number where names end in one
/// (`eth2` before `eth10`), as in FRR.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum NeighborName {
    /// The router at the other end of a link, whatever its address.
    Interface(Arc<str>),
    Addr(IpAddr),
}

impl NeighborName {
    /// An address, or else the name of an interface.
    pub fn read(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Interface(text.into()), Self::Addr)
    }

    pub const fn addr(&self) -> Option<IpAddr> {
        match self {
            Self::Addr(addr) => Some(*addr),
            Self::Interface(_) => None,
        }
    }

    pub fn interface(&self) -> Option<&str> {
        match self {
            Self::Interface(name) => Some(name),
            Self::Addr(_) => None,
        }
    }
}

impl From<IpAddr> for NeighborName {
    fn from(addr: IpAddr) -> Self {
        Self::Addr(addr)
    }
}

impl fmt::Display for NeighborName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interface(name) => f.pad(name),
            Self::Addr(addr) => addr.fmt(f),
        }
    }
}

impl Ord for NeighborName {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Interface(a), Self::Interface(b)) => interface_order(a, b),
            (Self::Interface(_), Self::Addr(_)) => Ordering::Less,
            (Self::Addr(_), Self::Interface(_)) => Ordering::Greater,
            (Self::Addr(a), Self::Addr(b)) => a.cmp(b),
        }
    }
}

impl PartialOrd for NeighborName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Runs of digits compare as numbers, all else as text; equal so far, the plain text decides.
fn interface_order(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    while !left.is_empty() && !right.is_empty() {
        let ((word_l, digits_l, rest_l), (word_r, digits_r, rest_r)) = (split(left), split(right));
        let number = |digits: &str| digits.parse::<u64>().unwrap_or(u64::MAX);
        let order = word_l.cmp(word_r).then_with(|| match (digits_l, digits_r) {
            ("", "") => Ordering::Equal,
            ("", _) => Ordering::Less,
            (_, "") => Ordering::Greater,
            (l, r) => number(l).cmp(&number(r)),
        });
        if order != Ordering::Equal {
            return order;
        }
        (left, right) = (rest_l, rest_r);
    }
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
}

/// The text before the first digits, those digits, and the rest.
fn split(text: &str) -> (&str, &str, &str) {
    let word = text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len());
    let (word, rest) = text.split_at(word);
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, rest) = rest.split_at(digits);
    (word, digits, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_come_first_and_by_number() {
        let mut names: Vec<NeighborName> =
            ["10.0.0.1", "eth10", "swp1.20", "eth2", "swp1", "eth02", "2001:db8::1", "10.0.0.0"]
                .into_iter()
                .map(NeighborName::read)
                .collect();
        names.sort();
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        assert_eq!(
            names,
            ["eth02", "eth2", "eth10", "swp1", "swp1.20", "10.0.0.0", "10.0.0.1", "2001:db8::1"]
        );
    }
}
