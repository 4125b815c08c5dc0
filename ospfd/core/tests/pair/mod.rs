//! Two instances of OSPFv2 on a link without delay, in virtual time: what one sends the other has at once.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use ferrite_ospf::config::{Config, InterfaceConfig, NetworkType};
use ferrite_ospf::packet::{AreaId, V2};
use ferrite_ospf::{Action, Event, IfId, Instance, Link};
use ferrite_types::Timestamp;
use ferrite_types::ids::{IfIndex, RouterId};

/// All routers of the link.
pub const ALL: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 5));

/// One end's address.
pub fn address(side: usize) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 255, 255, side as u8 + 1))
}

pub struct Pair {
    pub now: Timestamp,
    pub cores: [Instance<V2>; 2],
    pub flying: VecDeque<(usize, Event)>,
}

impl Pair {
    pub fn new(routers: [RouterId; 2]) -> Self {
        let cores = routers.map(|router| {
            let mut config = Config::new(router);
            let interface = InterfaceConfig::new(AreaId::BACKBONE, NetworkType::PointToPoint);
            config.interfaces.insert(IfId(0), interface);
            Instance::new(config)
        });
        Self { now: Timestamp::ZERO, cores, flying: VecDeque::new() }
    }

    /// One end of the link comes up.
    pub fn up(&mut self, side: usize) {
        let own = address(side);
        let link = Link {
            up: true,
            ifindex: IfIndex(1),
            mtu: 1500,
            address: Some(own),
            prefixes: vec![(own, 30)],
            ..Link::default()
        };
        self.feed(side, Event::Link(IfId(0), link));
    }

    pub fn feed(&mut self, side: usize, event: Event) {
        let mut out = Vec::new();
        self.cores[side].handle(self.now, event, &mut out);
        self.carry(side, out);
    }

    fn carry(&mut self, side: usize, out: Vec<Action>) {
        for action in out {
            if let Action::Send { interface, source, destination, octets } = action {
                let event = Event::Received { interface, source, destination, octets };
                self.flying.push_back((1 - side, event));
            }
        }
    }

    pub fn run(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        loop {
            while let Some((side, event)) = self.flying.pop_front() {
                self.feed(side, event);
            }
            let next = self.cores.iter().filter_map(Instance::next_deadline).min();
            let Some(at) = next.filter(|at| *at <= end) else { break };
            self.now = self.now.max(at);
            for side in 0..2 {
                let mut out = Vec::new();
                self.cores[side].tick(self.now, &mut out);
                self.carry(side, out);
            }
        }
        self.now = end;
    }
}
