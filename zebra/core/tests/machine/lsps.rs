//! Label-switched paths that an earlier run left, that others change, and that the kernel drops without a word.

use std::sync::Arc;
use std::time::Duration;

use ferrite_types::zclient::{FromZebra, LabelChunkRequest, LspResult, LspUpdate, ToZebra};
use ferrite_types::{IfIndex, Label, Nexthop, NexthopKind, RouteProtocol};
use zebra_core::{ClientKey, Event, KernelLsp, Options, WallClock, Zebra};

use crate::world::{Timed, World};

const LDP: RouteProtocol = RouteProtocol::Ldp;

fn label(value: u32) -> Label {
    Label::new(value).unwrap()
}

fn hop(gateway: &str, index: u32, out: u32) -> Nexthop {
    let mut hop = Nexthop::new(NexthopKind::Gateway(gateway.parse().unwrap(), Some(IfIndex(index))));
    hop.labels.push(label(out));
    hop
}

fn told(incoming: u32, protocol: RouteProtocol, hop: &Nexthop) -> KernelLsp {
    KernelLsp { label: label(incoming), protocol, nexthops: [hop.clone()].into() }
}

/// A zebra that finds some paths in the kernel when it starts.
fn after_restart(left: &[KernelLsp]) -> World {
    let mut world = World::new();
    world.zebra = Zebra::new(Options::default(), WallClock::default());
    world.zebra.note_mpls(Some(1 << 20));
    world.event(Event::DumpBegin);
    for index in [2, 3] {
        world.link(index, true);
        world.address(index, &format!("10.0.{index}.1/24"));
    }
    for path in left {
        world.lsps.insert(path.label, path.nexthops.clone());
        world.lsp_protocols.insert(path.label, path.protocol);
        world.event(Event::KernelLsp(path.clone()));
    }
    world.event(Event::DumpEnd);
    world
}

fn labels(world: &World) -> Vec<u32> {
    world.lsps.keys().map(|label| label.value()).collect()
}

/// Somebody else changes the label table.
fn others(world: &mut World, path: &KernelLsp) {
    world.lsps.insert(path.label, path.nexthops.clone());
    world.lsp_protocols.insert(path.label, path.protocol);
    world.event(Event::KernelLsp(path.clone()));
}

fn announce(world: &mut World, client: ClientKey, paths: &[(u32, &Nexthop)]) {
    let base = Some(label(1000));
    let block = ToZebra::GetLabels(LabelChunkRequest { id: 1, size: 100, base, keep: false });
    world.say(client, block);
    let update = |(incoming, hop): &(u32, &Nexthop)| LspUpdate {
        label: label(*incoming),
        protocol: LDP,
        nexthops: Some(Arc::from([(*hop).clone()])),
    };
    world.say(client, ToZebra::Lsps(paths.iter().map(update).collect()));
}

#[test]
fn paths_of_an_earlier_run_stay_until_their_source_has_replayed() {
    let (same, other) = (hop("10.0.2.2", 2, 200), hop("10.0.3.2", 3, 300));
    let mut world = after_restart(&[
        told(100, RouteProtocol::Static, &same),
        told(1001, LDP, &same),
        told(1002, LDP, &same),
        told(1003, LDP, &same),
        told(5000, RouteProtocol::Kernel, &same),
    ]);
    world.lines("mpls lsp 100 10.0.2.2 200\n");
    assert_eq!(world.lsp_writes, 0, "what is there already is not written");
    let ldp = world.connect(1, LDP);
    announce(&mut world, ldp, &[(1001, &same), (1002, &other)]);
    assert_eq!(world.lsp_writes, 1, "only what is different is written");
    assert_eq!(world.lsps[&label(1002)][..], [other]);
    assert_eq!(labels(&world), [100, 1001, 1002, 1003, 5000], "nothing is swept before the replay is over");
    world.say(ldp, ToZebra::ReplayDone);
    assert_eq!(labels(&world), [100, 1001, 1002, 5000]);
    let results: Vec<LspResult> = world
        .told(ldp)
        .into_iter()
        .filter_map(|message| if let FromZebra::LspResults(results) = message { Some(results) } else { None })
        .flatten()
        .collect();
    let fine = |value| LspResult { label: label(value), errno: 0 };
    assert_eq!(results, [fine(1001), fine(1002)]);
    assert_eq!(world.drift().total(), 0);
}

#[test]
fn paths_that_nobody_claims_go_after_their_time() {
    let path = hop("10.0.2.2", 2, 200);
    let mut world = after_restart(&[told(100, RouteProtocol::Static, &path), told(1001, LDP, &path)]);
    world.pass(Duration::from_secs(59));
    assert_eq!(labels(&world), [100, 1001]);
    world.pass(Duration::from_secs(2));
    assert!(world.lsps.is_empty());
}

#[test]
fn a_path_that_others_take_out_or_change_is_put_back() {
    let mut world = after_restart(&[]);
    world.lines("mpls lsp 100 10.0.2.2 200\nmpls lsp 101 10.0.2.2 implicit-null\n");
    let wanted = world.lsps.clone();
    world.lsps.remove(&label(100));
    world.event(Event::KernelLspGone(label(100)));
    world.pass(Duration::from_secs(1));
    assert_eq!(world.lsps, wanted);
    // iproute2's own mark on our label.
    others(&mut world, &told(101, RouteProtocol::Kernel, &hop("10.0.3.2", 3, 9)));
    assert_eq!(world.lsps, wanted);
    // Our mark on a label that we do not use, and a label of others.
    others(&mut world, &told(700, RouteProtocol::Bgp, &hop("10.0.3.2", 3, 9)));
    others(&mut world, &told(701, RouteProtocol::Kernel, &hop("10.0.3.2", 3, 9)));
    assert_eq!(labels(&world), [100, 101, 701]);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.drift().total(), 0);
}

#[test]
fn drift_of_paths_is_reported_and_an_audit_mends_it() {
    let mut world = after_restart(&[]);
    world.lines("mpls lsp 100 10.0.2.2 200\nmpls lsp 101 10.0.2.2 201\n");
    let wanted = world.lsps.clone();
    // All of it without a word.
    world.lsps.remove(&label(100));
    world.lsps.insert(label(101), [hop("10.0.3.2", 3, 9)].into());
    world.lsps.insert(label(102), [hop("10.0.3.2", 3, 9)].into());
    let drift = world.drift();
    assert_eq!((drift.missing, drift.different, drift.orphans), (1, 1, 1));
    let text = world.zebra.drift_text(&drift, false);
    assert!(text.contains("missing label 100") && text.contains("orphan label 102"), "{text}");
    assert_ne!(world.lsps, wanted, "a report mends nothing");
    world.pass(Duration::from_secs(301));
    assert_eq!(world.lsps, wanted);
    assert_eq!(world.drift().total(), 0);
}

#[test]
fn a_refused_path_is_no_drift_that_is_written_in_a_loop() {
    let mut world = after_restart(&[]);
    world.refuse_labels.insert(label(100), 22);
    world.lines("mpls lsp 100 10.0.2.2 200\n");
    let before = world.lsp_writes;
    world.pass(Duration::from_secs(3));
    assert!(world.lsp_writes - before <= 2, "{}", world.lsp_writes);
    world.refuse_labels.clear();
    world.pass(Duration::from_secs(64));
    assert_eq!(labels(&world), [100]);
}

#[test]
fn paths_lead_through_other_routes_where_the_operator_says_so() {
    let mut world = after_restart(&[]);
    let lines = "mpls lsp 100 192.0.2.1 200\nip route 192.0.2.0/24 10.0.2.2\n";
    world.lines(lines);
    assert!(world.lsps.is_empty());
    world.lines(&format!("{lines}mpls fec nexthop-resolution\n"));
    assert_eq!(
        world.lsps[&label(100)][..],
        [hop("192.0.2.1", 2, 200)].map(|hop| Nexthop {
            kind: NexthopKind::Gateway("10.0.2.2".parse().unwrap(), Some(IfIndex(2))),
            ..hop
        })
    );
    let moved = lines.replace("10.0.2.2", "10.0.3.2");
    world.lines(&format!("{moved}mpls fec nexthop-resolution\n"));
    assert_eq!(world.lsps[&label(100)][0].ifindex(), Some(IfIndex(3)));
    world.lines(&moved);
    assert!(world.lsps.is_empty());
}
