//! Checksums: the internet checksum (RFC 1071) and Fletcher's in the form of ISO 8473 Annex C (RFC 905 Annex B), which
//! link-state protocols put into their announcements. Octets in, sixteen bits out.

/// The internet checksum over the concatenation of some parts; each part but the last has an even length.
///
/// Over data that holds its own correct checksum the result is 0.
#[inline]
pub fn internet(parts: &[&[u8]]) -> u16 {
    let mut sum = 0_u64;
    for part in parts {
        let (words, tail) = part.as_chunks::<2>();
        sum += words.iter().map(|word| u64::from(u16::from_be_bytes(*word))).sum::<u64>();
        sum += tail.first().map_or(0, |octet| u64::from(*octet) << 8);
    }
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// The two running sums, modulo 255.
#[inline]
fn sums(octets: impl Iterator<Item = u8>) -> (u32, u32) {
    let (mut c0, mut c1, mut since) = (0_u32, 0_u32, 0_u32);
    for octet in octets {
        c0 += u32::from(octet);
        c1 += c0;
        since += 1;
        // So many fit before the second sum could overflow.
        if since == 4096 {
            (c0, c1, since) = (c0 % 255, c1 % 255, 0);
        }
    }
    (c0 % 255, c1 % 255)
}

/// Fletcher's checksum for a field of two octets at `at`, whose present content does not count.
#[inline]
pub fn fletcher(octets: &[u8], at: usize) -> u16 {
    let field = at..at.saturating_add(2);
    let zeroed = octets.iter().enumerate().map(|(i, octet)| if field.contains(&i) { 0 } else { *octet });
    let (c0, c1) = sums(zeroed);
    let left = (octets.len().saturating_sub(at + 1) % 255) as u32;
    // Of the two ways to write 0 the sum takes 255: a field of zeros would mean "not computed".
    let x = (left * c0 + 255 - c1) % 255;
    let x = if x == 0 { 255 } else { x };
    let y = (510 - c0).wrapping_sub(x);
    let y = if y > 255 { y - 255 } else { y };
    ((x << 8) | y) as u16
}

/// Whether octets that hold their Fletcher checksum are undamaged.
#[inline]
pub fn fletcher_holds(octets: &[u8]) -> bool {
    sums(octets.iter().copied()) == (0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_internet_checksum_of_a_known_header() {
        // An IPv4 header of RFC 1071's kind, its checksum field at 10 being 0xb861.
        let header =
            [0x45, 0, 0, 0x73, 0, 0, 0x40, 0, 0x40, 0x11, 0xb8, 0x61, 0xc0, 0xa8, 0, 1, 0xc0, 0xa8, 0, 0xc7];
        assert_eq!(internet(&[&header]), 0);
        assert_eq!(internet(&[&header[..10], &header[12..]]), 0xb861);
        assert_eq!(internet(&[&[1]]), !0x100);
    }

    #[test]
    fn every_damaged_octet_is_noticed() {
        for len in [4_usize, 18, 255, 256, 1000, 4102] {
            let mut octets: Vec<u8> = (0..len).map(|i| (i * 7 % 251) as u8).collect();
            let at = len / 2;
            let sum = fletcher(&octets, at);
            octets[at..at + 2].copy_from_slice(&sum.to_be_bytes());
            assert!(fletcher_holds(&octets), "{len}");
            assert_ne!(sum, 0);
            for place in 0..len {
                octets[place] = octets[place].wrapping_add(1) ^ 0x40;
                assert!(!fletcher_holds(&octets), "{len} {place}");
                octets[place] = (octets[place] ^ 0x40).wrapping_sub(1);
            }
        }
    }
}
