//! A network of protocol cores in one process under virtual time.
//!
//! Nodes are anything that implements [`Node`]: a core with the little glue that turns its actions into packets on ports.
//! [`Network`] joins ports by links with delay, jitter, loss, duplication and reordering, delivers packets and fires
//! deadlines in order of time, and jumps the clock to whatever is due next. Everything random comes from one seed, so a
//! failing run replays exactly. Knows no protocol.

mod link;
mod random;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use ferrite_types::Timestamp;

pub use link::{Link, LinkId};
pub use random::Random;

/// Position of a node in its network.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeId(pub usize);

/// Where a link ends at a node; numbered by the node's own links, in the order they were joined.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Port(pub usize);

/// What a node wants sent: a packet on each named port.
pub type Outbox<P> = Vec<(Port, P)>;

/// A protocol core as the network sees it.
pub trait Node {
    type Packet: Clone;

    /// A packet arrives.
    fn receive(&mut self, now: Timestamp, port: Port, packet: Self::Packet, out: &mut Outbox<Self::Packet>);

    /// A link went up or down under the node.
    fn link_changed(&mut self, now: Timestamp, port: Port, up: bool, out: &mut Outbox<Self::Packet>);

    /// Does what is due at or before `now`; calling early changes nothing.
    fn tick(&mut self, now: Timestamp, out: &mut Outbox<Self::Packet>);

    /// When `tick` next has work.
    fn next_deadline(&self) -> Option<Timestamp>;
}

/// A packet on its way. Ordered by arrival, then by the order of sending, so that equal times replay equally.
struct InFlight<P> {
    at: Timestamp,
    sequence: u64,
    to: NodeId,
    port: Port,
    link: LinkId,
    packet: P,
}

impl<P> PartialEq for InFlight<P> {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.sequence) == (other.at, other.sequence)
    }
}

impl<P> Eq for InFlight<P> {}

impl<P> PartialOrd for InFlight<P> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<P> Ord for InFlight<P> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}

struct Joint {
    link: Link,
    ends: [(NodeId, Port); 2],
    up: bool,
    /// Latest arrival per direction, which keeps an ordered link in order.
    latest: [Timestamp; 2],
}

/// Nodes, links, packets in flight and the clock.
pub struct Network<N: Node> {
    now: Timestamp,
    nodes: Vec<N>,
    ports: BTreeMap<(NodeId, Port), LinkId>,
    joints: Vec<Joint>,
    flying: BinaryHeap<Reverse<InFlight<N::Packet>>>,
    /// Deadlines of nodes in order of time; of each node the one that `armed` says.
    due: BTreeSet<(Timestamp, NodeId)>,
    armed: Vec<Option<Timestamp>>,
    sequence: u64,
    steps: u64,
    random: Random,
}

impl<N: Node> Network<N> {
    pub fn new(seed: u64) -> Self {
        Self {
            now: Timestamp::ZERO,
            nodes: Vec::new(),
            ports: BTreeMap::new(),
            joints: Vec::new(),
            flying: BinaryHeap::new(),
            due: BTreeSet::new(),
            armed: Vec::new(),
            sequence: 0,
            steps: 0,
            random: Random::new(seed),
        }
    }

    pub fn now(&self) -> Timestamp {
        self.now
    }

    pub fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    pub fn add(&mut self, node: N) -> NodeId {
        let id = NodeId(self.nodes.len());
        self.nodes.push(node);
        self.armed.push(None);
        self.arm(id);
        id
    }

    /// Takes down when a node wants to be called.
    fn arm(&mut self, id: NodeId) {
        let at = self.nodes[id.0].next_deadline();
        let old = std::mem::replace(&mut self.armed[id.0], at);
        if old != at {
            if let Some(old) = old {
                self.due.remove(&(old, id));
            }
            self.due.extend(at.map(|at| (at, id)));
        }
    }

    /// Things that have happened so far: packets that arrived, deadlines of nodes.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    pub fn node(&self, id: NodeId) -> &N {
        &self.nodes[id.0]
    }

    pub fn node_ids(&self) -> impl Iterator<Item = NodeId> + use<N> {
        (0..self.nodes.len()).map(NodeId)
    }

    /// Joins two nodes and tells both that the link is up. Returns the ports it got at either end.
    pub fn join(&mut self, a: NodeId, b: NodeId, link: Link) -> (LinkId, Port, Port) {
        let id = LinkId(self.joints.len());
        let ends = [(a, self.free_port(a)), (b, self.free_port(b))];
        // A node joined to itself needs two ports.
        let ends = if a == b { [ends[0], (b, Port(ends[0].1.0 + 1))] } else { ends };
        for end in ends {
            self.ports.insert(end, id);
        }
        self.joints.push(Joint { link, ends, up: true, latest: [Timestamp::ZERO; 2] });
        for (node, port) in ends {
            self.act(node, |node, now, out| node.link_changed(now, port, true, out));
        }
        (id, ends[0].1, ends[1].1)
    }

    fn free_port(&self, node: NodeId) -> Port {
        Port(self.ports.range((node, Port(0))..=(node, Port(usize::MAX))).count())
    }

    /// Takes a link down or brings it up; what was on it is lost.
    pub fn set_link(&mut self, id: LinkId, up: bool) {
        let joint = &mut self.joints[id.0];
        if joint.up == up {
            return;
        }
        joint.up = up;
        let ends = joint.ends;
        self.flying.retain(|Reverse(packet)| packet.link != id);
        for (node, port) in ends {
            self.act(node, |node, now, out| node.link_changed(now, port, up, out));
        }
    }

    /// Replaces a node, as after a crash: what it knew is gone, its neighbours see nothing but silence.
    pub fn replace(&mut self, id: NodeId, node: N) -> N {
        let old = std::mem::replace(&mut self.nodes[id.0], node);
        self.arm(id);
        old
    }

    /// Lets the caller act on a node from outside; what it sends goes out.
    pub fn act<R>(
        &mut self,
        id: NodeId,
        action: impl FnOnce(&mut N, Timestamp, &mut Outbox<N::Packet>) -> R,
    ) -> R {
        let mut out = Vec::new();
        let result = action(&mut self.nodes[id.0], self.now, &mut out);
        self.steps += 1;
        self.arm(id);
        for (port, packet) in out {
            self.send(id, port, packet);
        }
        result
    }

    fn send(&mut self, from: NodeId, port: Port, packet: N::Packet) {
        let Some(&id) = self.ports.get(&(from, port)) else { return };
        let joint = &mut self.joints[id.0];
        if !joint.up {
            return;
        }
        let direction = usize::from(joint.ends[0] != (from, port));
        let (to, to_port) = joint.ends[1 - direction];
        for _ in 0..joint.link.copies(&mut self.random) {
            let mut at = self.now + joint.link.transit(&mut self.random);
            if joint.link.ordered {
                at = at.max(joint.latest[direction]);
                joint.latest[direction] = at;
            }
            self.sequence += 1;
            let sequence = self.sequence;
            self.flying.push(Reverse(InFlight {
                at,
                sequence,
                to,
                port: to_port,
                link: id,
                packet: packet.clone(),
            }));
        }
    }

    /// When anything happens next.
    pub fn next_event(&self) -> Option<Timestamp> {
        let arrival = self.flying.peek().map(|Reverse(packet)| packet.at);
        let deadline = self.due.first().map(|(at, _)| *at);
        [arrival, deadline].into_iter().flatten().min().map(|at| at.max(self.now))
    }

    /// Handles everything due at the next moment. False when nothing is left to happen.
    pub fn step(&mut self) -> bool {
        let Some(at) = self.next_event() else { return false };
        self.now = at;
        while self.flying.peek().is_some_and(|Reverse(packet)| packet.at <= at) {
            if let Some(Reverse(packet)) = self.flying.pop() {
                let InFlight { to, port, packet, .. } = packet;
                self.act(to, |node, now, out| node.receive(now, port, packet, out));
            }
        }
        let due: Vec<NodeId> =
            self.due.iter().take_while(|(deadline, _)| *deadline <= at).map(|(_, id)| *id).collect();
        for id in due {
            self.act(id, |node, now, out| node.tick(now, out));
        }
        true
    }

    /// Runs until `end`, or until nothing is left to happen.
    pub fn run_until(&mut self, end: Timestamp) {
        while self.next_event().is_some_and(|at| at <= end) {
            self.step();
        }
        self.now = self.now.max(end);
    }

    /// Runs until `done` holds; false when `end` came first.
    pub fn run_while_waiting(&mut self, end: Timestamp, done: impl Fn(&Self) -> bool) -> bool {
        while !done(self) {
            if self.next_event().is_none_or(|at| at > end) {
                return false;
            }
            self.step();
        }
        true
    }
}

#[cfg(test)]
mod tests;
