//! A few ospfds in one process: configuration lines in, packets carried from one to the others on a wire, time by hand.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ferrite_cli::node::ENABLE;
use ferrite_cli::{Engine, NumberedLine, Outcome};
use ferrite_ospf_control::{Action, Command, Event, Host, Ospf, Roles, Settings, registry};
use ferrite_types::Timestamp;
use ferrite_types::ids::{IfIndex, VrfId};
use ferrite_types::interface::{Interface, InterfaceAddress};
use ferrite_types::zclient::FromZebra;

const BOTH: Roles = Roles { v2: true, v3: true };

struct Router {
    ospf: Ospf,
    addresses: Vec<IpAddr>,
    engine: Engine<Settings, Command>,
    settings: Settings,
}

/// An end of a wire: router and link.
type End = (usize, IfIndex);

#[derive(Default)]
pub struct Lab {
    routers: Vec<Router>,
    wires: Vec<Vec<End>>,
    now: Timestamp,
    /// Packets on their way.
    flying: VecDeque<(usize, Event)>,
    /// Somebody debugs.
    pub traced: bool,
    /// What the routers wanted beside packets.
    pub wanted: Vec<(usize, Action)>,
}

/// A link of the kernel: its name, number and addresses.
pub fn link<'a>(name: &'a str, ifindex: u32, addresses: &'a [&'a str]) -> (&'a str, u32, &'a [&'a str]) {
    (name, ifindex, addresses)
}

pub fn interface(name: &str, ifindex: u32) -> Interface {
    let loopback = name == "lo";
    Interface {
        name: name.to_owned(),
        ifindex: IfIndex(ifindex),
        vrf: VrfId::DEFAULT,
        up: true,
        running: true,
        loopback,
        point_to_point: false,
        broadcast: !loopback,
        multicast: !loopback,
        mtu: if loopback { 65536 } else { 1500 },
        speed: if loopback { 0 } else { 10_000 },
        mac: None,
    }
}

fn address(text: &str) -> InterfaceAddress {
    let (addr, len) = text.split_once('/').expect("an address with its length");
    InterfaceAddress {
        addr: addr.parse().expect("an address"),
        prefix_len: len.parse().expect("a length"),
        peer: None,
        secondary: false,
    }
}

impl Lab {
    /// Adds a router with a configuration and links.
    pub fn router(&mut self, config: &str, links: &[(&str, u32, &[&str])], more: fn(&mut Settings)) -> usize {
        let host = Host { epoch: 1, wall: 1_700_000_000, to_utc: |_| 0 };
        let mut router = Router {
            ospf: Ospf::new(BOTH, host),
            addresses: links
                .iter()
                .flat_map(|(_, _, all)| all.iter().map(|text| address(text).addr))
                .collect(),
            engine: Engine::new(registry(BOTH)),
            settings: Settings::default(),
        };
        let lines: Vec<NumberedLine> = (1..)
            .zip(config.lines())
            .map(|(number, text)| NumberedLine { number, text: text.to_owned() })
            .collect();
        let mut settings = router.engine.load(Settings::default(), &lines).expect("a configuration");
        more(&mut settings);
        router.settings = settings.clone();
        router.ospf.set_trace(self.traced);
        let mut events = vec![Event::Configured(Arc::new(settings)), Event::ZebraConnected];
        for (name, ifindex, addresses) in links {
            events.push(Event::Zebra(FromZebra::Interface(interface(name, *ifindex))));
            let address =
                |text: &&str| FromZebra::Address { ifindex: IfIndex(*ifindex), address: address(text) };
            events.extend(addresses.iter().map(address).map(Event::Zebra));
        }
        events.push(Event::Zebra(FromZebra::SnapshotDone));
        self.routers.push(router);
        let number = self.routers.len() - 1;
        events.into_iter().for_each(|event| self.feed(number, event));
        number
    }

    /// Joins links.
    pub fn wire(&mut self, ends: &[(usize, u32)]) {
        self.wires.push(ends.iter().map(|(router, ifindex)| (*router, IfIndex(*ifindex))).collect());
    }

    pub fn feed(&mut self, router: usize, event: Event) {
        self.flying.push_back((router, event));
        self.deliver();
    }

    /// Puts packets on their wires: to all, or to the one who has the address.
    fn carry(&mut self, from: usize, actions: Vec<Action>) {
        for action in actions {
            let Action::Send { version, ifindex, source, destination, octets, .. } = action else {
                self.wanted.push((from, action));
                continue;
            };
            let on = |wire: &&Vec<End>| wire.contains(&(from, ifindex));
            let Some(wire) = self.wires.iter().find(on) else { continue };
            let takes =
                |to: usize| destination.is_multicast() || self.routers[to].addresses.contains(&destination);
            let others = wire.iter().filter(|end| **end != (from, ifindex) && takes(end.0));
            for (to, at) in others {
                let octets = octets.clone();
                let event = Event::Received { version, ifindex: *at, source, destination, octets };
                self.flying.push_back((*to, event));
            }
        }
    }

    /// Delivers what is on its way.
    fn deliver(&mut self) {
        while let Some((router, event)) = self.flying.pop_front() {
            let mut out = Vec::new();
            self.routers[router].ospf.handle(self.now, event, &mut out);
            self.carry(router, out);
        }
    }

    /// Types lines into a router's configuration.
    pub fn configure(&mut self, router: usize, lines: &str) {
        let numbered = (1..).zip(lines.lines());
        let lines: Vec<NumberedLine> =
            numbered.map(|(number, text)| NumberedLine { number, text: text.to_owned() }).collect();
        let Router { engine, settings, .. } = &mut self.routers[router];
        *settings = engine.load(settings.clone(), &lines).expect("lines of a configuration");
        let event = Event::Configured(Arc::new(settings.clone()));
        self.feed(router, event);
    }

    /// Lets time pass.
    pub fn run(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        loop {
            let due = (0..self.routers.len())
                .filter_map(|router| Some((self.routers[router].ospf.next_deadline()?, router)))
                .min()
                .filter(|(at, _)| *at <= end);
            let Some((at, router)) = due else { break };
            self.now = at.max(self.now);
            let mut out = Vec::new();
            self.routers[router].ospf.tick(self.now, &mut out);
            self.carry(router, out);
            self.deliver();
        }
        self.now = end;
    }

    pub fn ospf(&self, router: usize) -> &Ospf {
        &self.routers[router].ospf
    }

    /// What a command prints.
    pub fn exec(&mut self, router: usize, line: &str) -> String {
        let now = self.now;
        let Router { ospf, engine, .. } = &mut self.routers[router];
        let outcome = engine.exec(&ENABLE, line).unwrap_or_else(|error| panic!("{line}: {error:?}"));
        let Outcome::Exec { handler, args, .. } = outcome else { panic!("{line}: no command") };
        let mut out = Vec::new();
        let text = ferrite_ospf_control::commands::run(ospf, now, handler, &args, &mut out);
        let text = text.unwrap_or_else(|error| panic!("{line}: {error}"));
        self.carry(router, out);
        self.deliver();
        text
    }

    pub fn json(&mut self, router: usize, line: &str) -> serde_json::Value {
        let text = self.exec(router, &format!("{line} json"));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{line}: {error}: {text}"))
    }
}

/// The address of a router's link in OSPFv3.
pub fn link_local(router: u8) -> String {
    let address: IpAddr = format!("fe80::{router}").parse().expect("an address");
    format!("{address}/64")
}

impl Lab {
    /// Takes every wire away.
    pub fn cut(&mut self) {
        self.wires.clear();
    }
}
