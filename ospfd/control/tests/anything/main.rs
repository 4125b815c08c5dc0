//! Whatever comes in, over the wire or from programs outside: nothing panics, and all of it can be shown. The drives are the fuzzer's.

mod api;
mod asked;
mod pair;
mod shows;

/// A small generator: the same octets in every run.
struct Random(u64);

impl Random {
    fn octet(&mut self) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 24) as u8
    }

    fn small(&mut self) -> u8 {
        if self.octet() < 180 { self.octet() % 8 } else { self.octet() }
    }
}

/// TLVs whose lengths are right, wrong, or nothing at all.
fn body(random: &mut Random) -> Vec<u8> {
    let mut body = Vec::new();
    for _ in 0..random.octet() % 6 {
        let len = random.octet() % 24;
        body.extend([0, random.small(), 0, if random.octet() < 200 { len } else { random.octet() }]);
        body.extend((0..len).map(|_| random.small()));
    }
    body.truncate(240);
    body
}

#[test]
fn every_show_reads_a_database_of_anything() {
    let (_, unknown) = asked::prepared();
    assert!(unknown.is_empty(), "no such commands: {unknown:#?}");
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let empty = shows::run(&[]);
    assert!(empty > 1000, "the shows of a quiet network have {empty} octets");
    for round in 0..40 {
        let mut octets = Vec::new();
        for _ in 0..12 {
            let body = body(&mut random);
            let opaque = [1, 4, 7, 8, 3, 0][usize::from(random.octet() % 6)];
            octets.extend([random.octet(), random.octet(), random.octet(), 0x42]);
            octets.extend([opaque, 0, 0, random.octet() % 4, body.len() as u8]);
            octets.extend(body);
        }
        let printed = shows::run(&octets);
        assert!(printed > empty / 2, "round {round}: {printed} octets");
    }
}

#[test]
fn clients_that_say_anything_are_answered() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for _ in 0..40 {
        let mut octets = Vec::new();
        for _ in 0..24 {
            let len = random.octet() % 40;
            octets.extend([random.octet(), random.small().saturating_add(1), len]);
            octets.extend((0..len).map(|_| random.small()));
        }
        assert!(api::run(&octets) > 0, "nobody was answered");
    }
}
