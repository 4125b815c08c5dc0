use std::time::Duration;

use super::*;

/// Sends a counter every second and keeps what it hears.
#[derive(Default)]
struct Beacon {
    ports: Vec<Port>,
    next: Option<Timestamp>,
    count: u32,
    heard: Vec<(Timestamp, u32)>,
}

impl Node for Beacon {
    type Packet = u32;

    fn receive(&mut self, now: Timestamp, _port: Port, packet: u32, _out: &mut Outbox<u32>) {
        self.heard.push((now, packet));
    }

    fn link_changed(&mut self, now: Timestamp, port: Port, up: bool, _out: &mut Outbox<u32>) {
        self.ports.retain(|p| *p != port);
        if up {
            self.ports.push(port);
            self.next.get_or_insert(now);
        }
    }

    fn tick(&mut self, now: Timestamp, out: &mut Outbox<u32>) {
        if self.next.is_some_and(|next| next <= now) {
            self.count += 1;
            out.extend(self.ports.iter().map(|port| (*port, self.count)));
            self.next = Some(now + Duration::from_secs(1));
        }
    }

    fn next_deadline(&self) -> Option<Timestamp> {
        self.next
    }
}

fn pair(seed: u64, link: Link) -> (Network<Beacon>, NodeId, NodeId, LinkId) {
    let mut net = Network::new(seed);
    let a = net.add(Beacon::default());
    let b = net.add(Beacon::default());
    let (id, _, _) = net.join(a, b, link);
    (net, a, b, id)
}

#[test]
fn packets_arrive_after_the_delay_of_their_link() {
    let (mut net, _, b, _) = pair(1, Link::reliable(Duration::from_millis(20)));
    net.run_until(Timestamp::from_secs(1));
    assert_eq!(net.node(b).heard, [(Timestamp::from_micros(20_000), 1)]);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let link = Link {
        jitter: Duration::from_millis(1500),
        loss: 0.3,
        duplication: 0.2,
        ordered: false,
        ..Link::reliable(Duration::from_millis(5))
    };
    let run = |seed| {
        let (mut net, a, b, _) = pair(seed, link);
        net.run_until(Timestamp::from_secs(60));
        (net.node(a).heard.clone(), net.node(b).heard.clone())
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}

#[test]
fn an_ordered_link_keeps_the_order_under_jitter() {
    let link = Link { jitter: Duration::from_secs(5), ..Link::reliable(Duration::from_millis(5)) };
    let (mut net, _, b, _) = pair(3, link);
    net.run_until(Timestamp::from_secs(60));
    assert!(net.node(b).heard.len() > 50);
    assert!(net.node(b).heard.is_sorted_by_key(|(_, packet)| *packet));
}

#[test]
fn a_link_that_is_down_carries_nothing() {
    let (mut net, _, b, id) = pair(1, Link::reliable(Duration::from_millis(1)));
    net.run_until(Timestamp::from_secs(3));
    let before = net.node(b).heard.len();
    net.set_link(id, false);
    net.run_until(Timestamp::from_secs(10));
    assert_eq!(net.node(b).heard.len(), before);
    net.set_link(id, true);
    assert!(net.run_while_waiting(Timestamp::from_secs(20), |net| net.node(b).heard.len() > before));
}

#[test]
fn chance_is_even_enough() {
    let mut random = Random::new(5);
    let hits = (0..10_000).filter(|_| random.chance(0.25)).count();
    assert!((2300..2700).contains(&hits), "{hits}");
    assert!((0..1000).all(|_| random.below(7) < 7));
    assert_eq!(random.below(0), 0);
}
