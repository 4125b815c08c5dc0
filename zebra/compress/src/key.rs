//! Addresses as the tree sees them: bits, the first one the highest.

use std::fmt::Debug;
use std::hash::Hash;

/// The bits of an address.
pub trait Key: Copy + Eq + Ord + Hash + Debug {
    const BITS: u8;
    const ZERO: Self;
    /// The bit at a place, 0 or 1; 0 past the end.
    fn bit(self, at: u8) -> usize;
    /// The other value at a place.
    fn flip(self, at: u8) -> Self;
    /// Clears everything from a place on.
    fn truncate(self, len: u8) -> Self;
    /// How many bits two addresses have in common.
    fn common(self, other: Self) -> u8;
}

macro_rules! key {
    ($int:ty) => {
        impl Key for $int {
            const BITS: u8 = <$int>::BITS as u8;
            const ZERO: Self = 0;

            fn bit(self, at: u8) -> usize {
                (self.checked_shl(u32::from(at)).unwrap_or(0) >> (<$int>::BITS - 1)) as usize
            }

            fn flip(self, at: u8) -> Self {
                let highest: $int = 1 << (<$int>::BITS - 1);
                self ^ highest.checked_shr(u32::from(at)).unwrap_or(0)
            }

            fn truncate(self, len: u8) -> Self {
                self & !<$int>::MAX.checked_shr(u32::from(len)).unwrap_or(0)
            }

            fn common(self, other: Self) -> u8 {
                (self ^ other).leading_zeros() as u8
            }
        }
    };
}

key!(u32);
key!(u128);
