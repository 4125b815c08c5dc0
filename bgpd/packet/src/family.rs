//! Address families as BGP negotiates them (RFC 4760 §5, §8).

use std::fmt;

use ferrite_types::{Afi, Safi};

/// An address family and its subsequent address family.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Family {
    pub afi: Afi,
    pub safi: Safi,
}

impl Family {
    pub const IPV4_UNICAST: Self = Self { afi: Afi::Ipv4, safi: Safi::Unicast };
    pub const IPV6_UNICAST: Self = Self { afi: Afi::Ipv6, safi: Safi::Unicast };
    pub const IPV4_MULTICAST: Self = Self { afi: Afi::Ipv4, safi: Safi::Multicast };
    pub const IPV6_MULTICAST: Self = Self { afi: Afi::Ipv6, safi: Safi::Multicast };

    /// How many families this speaker decodes.
    pub const COUNT: usize = 4;

    /// The families whose NLRI are prefixes, which this speaker decodes, in the order of FRR's running configuration.
    /// `index` is the place in this list.
    pub const ALL: [Self; Self::COUNT] =
        [Self::IPV4_UNICAST, Self::IPV4_MULTICAST, Self::IPV6_UNICAST, Self::IPV6_MULTICAST];

    /// The family of these numbers, where this speaker decodes it.
    pub fn from_codes(afi: u16, safi: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.afi.code() == afi && family.safi.code() == safi)
    }

    /// Place in [`Family::ALL`], for tables with a slot per family.
    pub const fn index(self) -> Option<usize> {
        match (self.afi, self.safi) {
            (Afi::Ipv4, Safi::Unicast) => Some(0),
            (Afi::Ipv4, Safi::Multicast) => Some(1),
            (Afi::Ipv6, Safi::Unicast) => Some(2),
            (Afi::Ipv6, Safi::Multicast) => Some(3),
            _ => None,
        }
    }

    /// The key that FRR's JSON gives the family: `ipv4Unicast`.
    pub fn json_key(self) -> String {
        let safi = match self.safi {
            Safi::Unicast => "Unicast",
            Safi::Multicast => "Multicast",
            Safi::LabeledUnicast => "LabeledUnicast",
            Safi::Evpn => "Evpn",
            Safi::MplsVpn => "Vpn",
            Safi::Flowspec => "Flowspec",
        };
        format!("{}{safi}", self.afi)
    }
}

/// `IPv4 Unicast`, as FRR's text output writes it.
impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let afi = match self.afi {
            Afi::Ipv4 => "IPv4",
            Afi::Ipv6 => "IPv6",
            Afi::L2vpn => "L2VPN",
        };
        let safi = match self.safi {
            Safi::Unicast => "Unicast",
            Safi::Multicast => "Multicast",
            Safi::LabeledUnicast => "Labeled Unicast",
            Safi::Evpn => "EVPN",
            Safi::MplsVpn => "VPN",
            Safi::Flowspec => "Flowspec",
        };
        f.pad(&format!("{afi} {safi}"))
    }
}

/// A set of the families in [`Family::ALL`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct FamilySet(u8);

impl FamilySet {
    pub const EMPTY: Self = Self(0);

    pub const fn contains(self, family: Family) -> bool {
        match family.index() {
            Some(index) => self.0 & (1 << index) != 0,
            None => false,
        }
    }

    /// Families outside [`Family::ALL`] are left out.
    pub const fn with(self, family: Family) -> Self {
        match family.index() {
            Some(index) => Self(self.0 | 1 << index),
            None => self,
        }
    }

    pub const fn without(self, family: Family) -> Self {
        match family.index() {
            Some(index) => Self(self.0 & !(1 << index)),
            None => self,
        }
    }

    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn iter(self) -> impl Iterator<Item = Family> {
        Family::ALL.into_iter().filter(move |family| self.contains(*family))
    }
}

impl FromIterator<Family> for FamilySet {
    fn from_iter<I: IntoIterator<Item = Family>>(families: I) -> Self {
        families.into_iter().fold(Self::EMPTY, Self::with)
    }
}

/// One `T` for each of the families in [`Family::ALL`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PerFamily<T>([T; Family::COUNT]);

impl<T> PerFamily<T> {
    pub fn new(of: impl FnMut(Family) -> T) -> Self {
        Self(Family::ALL.map(of))
    }

    /// The slot of a family; `None` for one without.
    pub fn get(&self, family: Family) -> Option<&T> {
        self.0.get(family.index()?)
    }

    pub fn get_mut(&mut self, family: Family) -> Option<&mut T> {
        self.0.get_mut(family.index()?)
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Family, &T)> {
        Family::ALL.into_iter().zip(&self.0)
    }

    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = (Family, &mut T)> {
        Family::ALL.into_iter().zip(&mut self.0)
    }

    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_has_its_place_and_its_numbers() {
        for (index, family) in Family::ALL.into_iter().enumerate() {
            assert_eq!(family.index(), Some(index));
            assert_eq!(Family::from_codes(family.afi.code(), family.safi.code()), Some(family));
        }
        assert_eq!(Family::from_codes(25, 70), None);
        assert_eq!(Family::IPV6_UNICAST.to_string(), "IPv6 Unicast");
        assert_eq!(Family::IPV4_UNICAST.json_key(), "ipv4Unicast");
    }

    #[test]
    fn a_set_holds_what_was_put_in() {
        let set: FamilySet = [Family::IPV6_UNICAST, Family::IPV4_UNICAST].into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), [Family::IPV4_UNICAST, Family::IPV6_UNICAST]);
        assert!(set.without(Family::IPV4_UNICAST).without(Family::IPV6_UNICAST).is_empty());
    }
}
