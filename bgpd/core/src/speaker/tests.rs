//! A speaker with several instances, fed by hand: who hears what, what comes of VRFs that come and go.

mod signing;

use std::net::SocketAddr;

use ferrite_cli::{Engine, Outcome, numbered};
use ferrite_types::interface::{Interface, InterfaceAddress};
use ferrite_types::{IfIndex, TableId};

use super::*;
use crate::commands::{Command, registry};
use crate::event::ExecId;
use crate::peer::DownReason;
use crate::rib::{Shard, ShardEvent};

struct Lab {
    speaker: Speaker,
    shards: BTreeMap<InstanceId, Shard>,
    /// What came out and was not for a shard.
    acts: Acts,
    engine: Engine<BgpConfig, Command>,
    now: Timestamp,
}

const TWO: &str = "router bgp 65001\n neighbor 10.0.0.2 remote-as 65002\nexit\nrouter bgp 65010 vrf RED\n \
                   neighbor 10.0.0.2 remote-as 65012\nexit\nrouter bgp 65020 view V1\n neighbor 10.0.0.3 remote-as 65003\n \
                   neighbor 10.0.0.2 remote-as 65002\n address-family ipv4 unicast\n  network 10.7.0.0/24\n exit-address-family\n";

impl Lab {
    fn new() -> Self {
        let host = Host {
            hostname: "lab".into(),
            shards: 1,
            zebra: true,
            install: true,
            ecmp: u16::MAX,
            port: 179,
            seed: 1,
            epoch: 0,
            version: "bgpd test".into(),
            local_clock: crate::instance::LocalClock::UTC,
        };
        Self {
            speaker: Speaker::new(host),
            shards: BTreeMap::from([(InstanceId::DEFAULT, Shard::new(0, 1))]),
            acts: Vec::new(),
            engine: Engine::new(registry()),
            now: Timestamp::ZERO,
        }
    }

    fn configure(&mut self, text: &str) {
        let config =
            self.engine.load(BgpConfig::default(), &numbered(text)).expect("the configuration loads");
        self.give(Event::Configured(Arc::new(config)));
    }

    fn give(&mut self, event: Event) {
        let mut out = Vec::new();
        self.speaker.handle(self.now, event, &mut out);
        self.carry_out(out);
    }

    fn zebra(&mut self, message: FromZebra) {
        self.give(Event::Zebra(message));
    }

    /// Runs shards until nothing is left to do.
    fn carry_out(&mut self, mut out: Acts) {
        while !out.is_empty() {
            let mut next = Vec::new();
            for (id, action) in out {
                match action {
                    Action::Start { .. } => {
                        self.shards.insert(id, Shard::new(0, 1));
                        self.acts.push((id, action));
                    }
                    Action::Stop => {
                        self.shards.remove(&id);
                        self.acts.push((id, action));
                    }
                    Action::Shard { event, .. } => self.shard(id, event, &mut next),
                    action => self.acts.push((id, action)),
                }
            }
            out = next;
        }
    }

    fn shard(&mut self, id: InstanceId, event: ShardEvent, out: &mut Acts) {
        let mut actions = Vec::new();
        let shard = self.shards.get_mut(&id).expect("a shard is told of only while it is there");
        shard.handle(self.now, event, &mut actions);
        while shard.next_deadline().is_some_and(|at| at <= self.now) {
            shard.tick(self.now, &mut actions);
        }
        for action in actions {
            match action {
                ShardAction::Zebra(batch) => self.acts.push((id, Action::Zebra(ToZebra::Routes(batch)))),
                ShardAction::Send { .. } | ShardAction::Contribute { .. } => {}
                action => self.speaker.reported(self.now, id, 0, action, out),
            }
        }
    }

    fn snapshot(&mut self, vrfs: &[(u32, &str)]) {
        self.give(Event::ZebraConnected);
        for (vrf, name) in vrfs {
            self.zebra(vrf_message(*vrf, name));
        }
        for (index, vrf) in [(2, 0), (3, 7)] {
            self.link(index, vrf);
        }
        self.zebra(FromZebra::SnapshotDone);
    }

    /// An interface with 10.0.0.1/24, in whatever VRF.
    fn link(&mut self, index: u32, vrf: u32) {
        let interface = Interface {
            name: format!("eth{index}"),
            ifindex: IfIndex(index),
            vrf: VrfId(vrf),
            up: true,
            running: true,
            loopback: false,
            point_to_point: false,
            broadcast: true,
            multicast: true,
            mtu: 1500,
            speed: 0,
            mac: None,
        };
        self.zebra(FromZebra::Interface(interface));
        let address = InterfaceAddress {
            addr: "10.0.0.1".parse().unwrap(),
            prefix_len: 24,
            peer: None,
            secondary: false,
        };
        self.zebra(FromZebra::Address { ifindex: IfIndex(index), address });
        self.zebra(FromZebra::RouterId { vrf: VrfId(vrf), router_id: "192.0.2.1".parse().unwrap() });
    }

    fn id(&self, name: &str) -> InstanceId {
        let found = self.speaker.by_name.iter().find(|(known, _)| known.label() == name);
        *found.map(|(_, id)| id).expect("such an instance")
    }

    fn blocked(&self, name: &str) -> Vec<Option<DownReason>> {
        let instance = self.speaker.instance(self.id(name)).unwrap();
        instance.peers.values().map(|entry| entry.session.blocked).collect()
    }

    fn took(&mut self, wanted: impl Fn(&Action) -> bool) -> Vec<InstanceId> {
        let found = self.acts.iter().filter(|(_, action)| wanted(action)).map(|(id, _)| *id).collect();
        self.acts.clear();
        found
    }

    fn run(&mut self, line: &str) -> String {
        let Ok(Outcome::Exec { handler, args, .. }) = self.engine.exec(&ferrite_cli::node::ENABLE, line)
        else {
            panic!("{line} is a command")
        };
        let exec = ExecId(1);
        self.give(Event::Exec { exec, command: handler, args });
        let mut text = String::new();
        loop {
            let replies: Vec<(String, bool)> = std::mem::take(&mut self.acts)
                .into_iter()
                .filter_map(|(_, action)| match action {
                    Action::Reply { text, done, .. } => Some((text, done)),
                    _ => None,
                })
                .collect();
            assert!(!replies.is_empty(), "{line} is answered");
            for (piece, done) in replies {
                text.push_str(&piece);
                if done {
                    return text;
                }
                self.give(Event::ReplyTaken(exec));
            }
        }
    }
}

fn vrf_message(vrf: u32, name: &str) -> FromZebra {
    FromZebra::Vrf { vrf: VrfId(vrf), name: name.to_owned(), table: TableId(vrf), netns: None }
}

fn connects(action: &Action) -> bool {
    matches!(action, Action::Connect { .. })
}

#[test]
fn a_vrf_that_is_not_there_blocks_its_sessions_and_no_others() {
    let mut lab = Lab::new();
    lab.configure(TWO);
    lab.snapshot(&[]);
    assert_eq!(lab.blocked("RED"), [Some(DownReason::NoVrf)]);
    assert_eq!(lab.blocked("default"), [None]);
    assert_eq!(lab.blocked("V1"), [None, None]);
    let red = lab.id("RED");
    assert!(!lab.took(connects).contains(&red));

    lab.zebra(vrf_message(7, "RED"));
    assert_eq!(lab.blocked("RED"), [None], "its interface was known before it");
    assert!(
        lab.took(|action| matches!(action, Action::Listen { device: Some(name) } if &**name == "RED"))
            .contains(&red)
    );
}

#[test]
fn a_vrf_that_comes_back_under_another_number_is_told_everything_anew() {
    let mut lab = Lab::new();
    lab.configure(TWO);
    lab.snapshot(&[(7, "RED")]);
    let red = lab.id("RED");
    lab.zebra(FromZebra::InterfaceGone(IfIndex(3)));
    lab.zebra(FromZebra::VrfGone(VrfId(7)));
    assert_eq!(lab.blocked("RED"), [Some(DownReason::NoVrf)]);
    assert!(lab.took(|action| matches!(action, Action::Listen { device: None })).contains(&red));
    lab.zebra(vrf_message(9, "RED"));
    assert_eq!(lab.blocked("RED"), [Some(DownReason::NoPath)], "no interface yet");
    lab.link(4, 9);
    assert_eq!(lab.blocked("RED"), [None]);
    assert_eq!(lab.speaker.instance(red).unwrap().vrf_id(), VrfId(9));
}

#[test]
fn an_interface_that_changes_its_vrf_takes_its_neighbours_along() {
    let mut lab = Lab::new();
    lab.configure(TWO);
    lab.snapshot(&[(7, "RED")]);
    lab.zebra(FromZebra::InterfaceGone(IfIndex(3)));
    assert_eq!(lab.blocked("RED"), [Some(DownReason::NoPath)]);
    lab.link(2, 7);
    assert_eq!(lab.blocked("RED"), [None]);
    assert_eq!(lab.blocked("default"), [Some(DownReason::NoPath)]);
}

#[test]
fn neighbours_of_all_instances_have_numbers_of_their_own() {
    let mut lab = Lab::new();
    lab.configure(TWO);
    let mut ids: Vec<PeerId> =
        lab.speaker.members.values().flat_map(|member| member.instance.peers.keys().copied()).collect();
    assert_eq!(ids.len(), 4);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

#[test]
fn a_connection_goes_to_the_view_that_knows_the_neighbour() {
    let mut lab = Lab::new();
    lab.configure(TWO);
    lab.snapshot(&[(7, "RED")]);
    let (view, red) = (lab.id("V1"), lab.id("RED"));
    let accept = |lab: &mut Lab, listener, remote: &str| {
        lab.acts.clear();
        let remote: SocketAddr = remote.parse().unwrap();
        let ends = Ends { local: "10.0.0.1:179".parse().unwrap(), remote };
        let mut out = Vec::new();
        lab.speaker.accepted(lab.now, listener, AcceptId(1), ends, &mut out);
        lab.carry_out(out);
        let adopted =
            lab.acts.iter().find(|(_, action)| matches!(action, Action::Adopt { .. })).map(|(id, _)| *id);
        let refused = lab.took(|action| matches!(action, Action::Refuse { .. })).len();
        assert_eq!(refused, usize::from(adopted.is_none()), "either, once");
        adopted
    };
    assert_eq!(accept(&mut lab, InstanceId::DEFAULT, "10.0.0.3:2000"), Some(view));
    assert_eq!(accept(&mut lab, InstanceId::DEFAULT, "10.0.0.2:2000"), Some(InstanceId::DEFAULT));
    assert_eq!(accept(&mut lab, InstanceId::DEFAULT, "10.0.0.9:2000"), None);
    assert_eq!(accept(&mut lab, red, "10.0.0.3:2000"), None);
    assert_eq!(accept(&mut lab, red, "10.0.0.2:2000"), Some(red));
}

#[test]
fn an_instance_ends_when_it_is_no_longer_configured_and_comes_back_as_another() {
    let mut lab = Lab::new();
    lab.configure(TWO);
    lab.snapshot(&[(7, "RED")]);
    let before = lab.id("RED");
    lab.acts.clear();
    lab.configure("router bgp 65001\n neighbor 10.0.0.2 remote-as 65002\n");
    let ended = lab.took(|action| matches!(action, Action::Stop));
    assert_eq!(ended.len(), 2, "the VRF's and the view");
    assert!(ended.contains(&before));
    assert!(lab.speaker.by_name.len() == 1 && lab.shards.len() == 1);
    lab.configure(TWO);
    assert!(lab.id("RED") > before);
    assert_eq!(lab.blocked("RED"), [None]);
}

#[test]
fn zebra_sweeps_only_when_every_instance_has_replayed() {
    let mut lab = Lab::new();
    lab.configure(TWO);
    lab.snapshot(&[(7, "RED")]);
    let done = |action: &Action| matches!(action, Action::Zebra(ToZebra::ReplayDone));
    assert!(lab.took(done).is_empty(), "neighbours have not told their tables");
    lab.now = Timestamp::from_secs(61);
    let mut out = Vec::new();
    lab.speaker.tick(lab.now, &mut out);
    lab.carry_out(out);
    assert_eq!(lab.took(done).len(), 1);
}

#[test]
fn shows_name_the_instance_and_all_shows_each() {
    let mut lab = Lab::new();
    lab.configure(TWO);
    lab.snapshot(&[]);
    let json = |text: &str| -> serde_json::Value { serde_json::from_str(text).expect(text) };
    let all = json(&lab.run("show bgp vrf all summary json"));
    assert_eq!(all["default"]["ipv4Unicast"]["as"], 65001);
    assert_eq!(all["RED"]["ipv4Unicast"]["vrfId"], -1);
    assert_eq!(all["V1"]["ipv4Unicast"]["peerCount"], 2);
    let all = json(&lab.run("show bgp vrf all ipv4 unicast json"));
    assert_eq!(all["V1"]["routes"]["10.7.0.0/24"][0]["valid"], true, "a view looks no next hop up");
    assert_eq!(all["RED"]["totalRoutes"], 0);
    assert_eq!(json(&lab.run("show bgp view V1 summary json"))["ipv4Unicast"]["vrfName"], "V1");
    assert_eq!(json(&lab.run("show bgp vrfs json"))["totalVrfs"], 2);
    assert!(lab.run("show bgp vrf RED summary").contains("local AS number 65010 VRF RED vrf-id -1"));
    assert_eq!(lab.run("show bgp vrf NOPE summary"), "% BGP instance not found\n");
    assert_eq!(lab.run("clear bgp vrf NOPE *"), "Can't find BGP instance NOPE\n");
    assert_eq!(lab.run("clear bgp vrf all *"), "");
}
