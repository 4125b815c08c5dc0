//! Two ospfds on a link, in one process, and a time that is moved by hand: the first is ours, in the name of the second packets come
//! that say anything. Shared with fuzz targets, so nothing here panics on what comes in.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ferrite_cli::node::ENABLE;
use ferrite_cli::{Args, Engine, NumberedLine, Outcome};
use ferrite_ospf_control::{Action, Command, Event, Host, Ospf, Roles, Settings, commands, registry};
use ferrite_types::Timestamp;
use ferrite_types::ids::{IfIndex, VrfId};
use ferrite_types::interface::{Interface, InterfaceAddress};
use ferrite_types::zclient::FromZebra;

const BOTH: Roles = Roles { v2: true, v3: true };
pub const LINK: IfIndex = IfIndex(2);
/// Time in which the two are adjacent in both versions.
const FORMING: u64 = 20;

fn config(router: u8) -> String {
    format!(
        "interface e0
 ip ospf area 0
 ip ospf network point-to-point
 ip ospf hello-interval 1
 ip ospf dead-interval 100
 ipv6 ospf6 area 0
 ipv6 ospf6 network point-to-point
 ipv6 ospf6 hello-interval 1
 ipv6 ospf6 dead-interval 100
exit
router ospf
 ospf router-id {router}.{router}.{router}.{router}
 capability opaque
 mpls-te on
 mpls-te router-address 10.255.0.{router}
 mpls-te export
 router-info area
exit
router ospf6
 ospf6 router-id {router}.{router}.{router}.{router}
exit
"
    )
}

/// What is made once: configurations, and commands as they are understood.
pub struct Prepared {
    settings: Vec<Arc<Settings>>,
    shows: Vec<(Command, Args)>,
}

impl Prepared {
    /// Lines that are no command are left out; a test asks whether there are any.
    pub fn new(shows: &[String]) -> (Self, Vec<String>) {
        let engine: Engine<Settings, Command> = Engine::new(registry(BOTH));
        let load = |router: u8| {
            let text = config(router);
            let line = |(number, text): (u32, &str)| NumberedLine { number, text: text.to_owned() };
            let lines: Vec<NumberedLine> = (1..).zip(text.lines()).map(line).collect();
            Arc::new(engine.load(Settings::default(), &lines).unwrap_or_default())
        };
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for line in shows {
            match engine.exec(&ENABLE, line) {
                Ok(Outcome::Exec { handler, args, .. }) => known.push((handler, args)),
                _ => unknown.push(line.clone()),
            }
        }
        (Self { settings: vec![load(1), load(2)], shows: known }, unknown)
    }
}

pub struct Pair {
    routers: Vec<Ospf>,
    flying: VecDeque<(usize, Event)>,
    now: Timestamp,
    /// What both wanted beside packets.
    pub wanted: Vec<(usize, Action)>,
}

fn interface() -> Interface {
    Interface {
        name: "e0".to_owned(),
        ifindex: LINK,
        vrf: VrfId::DEFAULT,
        up: true,
        running: true,
        loopback: false,
        point_to_point: false,
        broadcast: true,
        multicast: true,
        mtu: 1500,
        speed: 10_000,
        mac: None,
    }
}

/// An address of a router on the link.
pub fn address(version: u8, router: u8) -> IpAddr {
    if version == 2 {
        IpAddr::from([10, 0, 0, router])
    } else {
        IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, u16::from(router)])
    }
}

impl Pair {
    /// Both, adjacent.
    pub fn new(prepared: &Prepared) -> Self {
        let host = || Host { epoch: 1, wall: 1_700_000_000, to_utc: |_| 0 };
        let mut pair = Self {
            routers: vec![Ospf::new(BOTH, host()), Ospf::new(BOTH, host())],
            flying: VecDeque::new(),
            now: Timestamp::default(),
            wanted: Vec::new(),
        };
        for (router, settings) in prepared.settings.iter().enumerate() {
            // Every line of debugging is made, and thrown away.
            pair.routers[router].set_trace(true);
            pair.feed(router, Event::Configured(Arc::clone(settings)));
            pair.feed(router, Event::ZebraConnected);
            pair.feed(router, Event::Zebra(FromZebra::Interface(interface())));
            for version in [2, 3] {
                let addr = address(version, router as u8 + 1);
                let prefix_len = if version == 2 { 24 } else { 64 };
                let address = InterfaceAddress { addr, prefix_len, peer: None, secondary: false };
                pair.feed(router, Event::Zebra(FromZebra::Address { ifindex: LINK, address }));
            }
            pair.feed(router, Event::Zebra(FromZebra::SnapshotDone));
        }
        pair.run(FORMING);
        pair
    }

    pub fn feed(&mut self, router: usize, event: Event) {
        self.flying.push_back((router, event));
        while let Some((router, event)) = self.flying.pop_front() {
            let mut out = Vec::new();
            self.routers[router].handle(self.now, event, &mut out);
            self.carry(router, out);
        }
    }

    fn carry(&mut self, from: usize, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Send { version, source, destination, octets, .. } => {
                    let event = Event::Received { version, ifindex: LINK, source, destination, octets };
                    self.flying.push_back((1 - from, event));
                }
                other => self.wanted.push((from, other)),
            }
        }
    }

    /// Lets time pass.
    pub fn run(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        loop {
            let due =
                self.routers.iter().enumerate().filter_map(|(at, one)| Some((one.next_deadline()?, at)));
            let Some((at, router)) = due.min().filter(|(at, _)| *at <= end) else { break };
            self.now = at.max(self.now);
            let mut out = Vec::new();
            self.routers[router].tick(self.now, &mut out);
            self.carry(router, out);
            if let Some((router, event)) = self.flying.pop_front() {
                self.feed(router, event);
            }
        }
        self.now = end;
    }

    /// Every show of a router; their octets.
    pub fn shows(&mut self, router: usize, prepared: &Prepared) -> usize {
        let mut printed = 0;
        for (command, args) in &prepared.shows {
            let mut out = Vec::new();
            let text = commands::run(&mut self.routers[router], self.now, *command, args, &mut out);
            printed += text.map_or(0, |text| text.len());
        }
        printed
    }
}
