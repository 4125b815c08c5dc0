//! An instance under packets that say anything.

mod drive;

use ferrite_ospf::packet::{Inet4, V2, V3};
use ferrite_sim::Random;

/// Chunks of a kind, a time and a length, with octets that are often small numbers: those are types, counts and flags.
fn octets(random: &mut Random) -> Vec<u8> {
    let mut octets = Vec::new();
    for _ in 0..random.below(40) {
        let kind = random.next_u64() as u8;
        let hello = random.chance(0.3);
        let body =
            if hello { hello_body(random) } else { (0..random.below(120)).map(|_| octet(random)).collect() };
        let kind = if hello {
            kind / 5 * 5 % 250
        } else if random.chance(0.05) {
            kind | 0xfa
        } else {
            kind
        };
        octets.extend([kind, random.below(120) as u8, body.len() as u8]);
        octets.extend(body);
    }
    octets
}

fn octet(random: &mut Random) -> u8 {
    if random.chance(0.7) { random.below(4) as u8 } else { random.next_u64() as u8 }
}

/// A Hello that is taken in one of the versions, with us among the neighbours.
fn hello_body(random: &mut Random) -> Vec<u8> {
    let mut body = if random.chance(0.5) {
        vec![255, 255, 255, 0, 0, 10, 2, 1, 0, 0, 0, 40]
    } else {
        vec![0, 0, 0, 1, 1, 0, 1, 0x13, 0, 10, 0, 40]
    };
    body.extend([0; 8]);
    body.extend([5, 5, 5, 5]);
    body
}

#[test]
fn any_packets_leave_an_instance_sound() {
    let mut random = Random::new(99);
    for _ in 0..400 {
        let octets = octets(&mut random);
        drive::run::<V2>(&octets);
        drive::run::<V3>(&octets);
        drive::run::<V3<Inet4>>(&octets);
    }
}
