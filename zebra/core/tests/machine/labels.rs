//! MPLS: label-switched paths, labels of clients, labelled routes.

use std::sync::Arc;
use std::time::Duration;

use ferrite_types::zclient::{
    FecLabel, FromZebra, LabelBlock, LabelChunkAnswer, LabelChunkRequest, LspResult, LspUpdate, ToZebra,
    WatchFec,
};
use ferrite_types::{Label, Nexthop, NexthopKind, RouteProtocol, TableId};
use zebra_core::commands::{Answer, Show};
use zebra_core::{ClientKey, MplsChange};

use crate::world::{Timed, World, via};

fn label(value: u32) -> Label {
    Label::new(value).unwrap()
}

/// Two links, and a kernel with MPLS.
fn world() -> World {
    let mut world = World::new();
    world.zebra.note_mpls(Some(1 << 20));
    for index in [2, 3] {
        world.link(index, true);
        world.address(index, &format!("10.0.{index}.1/24"));
    }
    world
}

fn path(world: &World, incoming: u32) -> Option<String> {
    let hop = |nexthop: &Nexthop| {
        let NexthopKind::Gateway(gateway, Some(exit)) = nexthop.kind else { return format!("{nexthop:?}") };
        let labels: Vec<String> = nexthop.labels.iter().map(|label| label.value().to_string()).collect();
        format!("{} via {gateway} dev {exit}", labels.join("/"))
    };
    let path = world.lsps.get(&label(incoming))?;
    Some(path.iter().map(hop).collect::<Vec<_>>().join(" + "))
}

fn show(world: &World, show: Show) -> String {
    match world.zebra.answer(show, &ferrite_cli::Args::default()) {
        Ok(Answer::Text(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn static_paths_follow_their_links() {
    let mut world = world();
    world.lines(
        "mpls lsp 100 10.0.2.2 200\nmpls lsp 101 10.0.2.2 implicit-null\nmpls lsp 102 10.0.3.2 explicit-null\n\
         mpls lsp 103 10.0.2.2 300\nmpls lsp 103 10.0.3.2 301\nmpls lsp 104 192.0.2.1 200\n",
    );
    assert_eq!(path(&world, 100).as_deref(), Some("200 via 10.0.2.2 dev 2"));
    assert_eq!(path(&world, 101).as_deref(), Some(" via 10.0.2.2 dev 2"));
    assert_eq!(path(&world, 102).as_deref(), Some("0 via 10.0.3.2 dev 3"));
    assert_eq!(path(&world, 103).as_deref(), Some("300 via 10.0.2.2 dev 2 + 301 via 10.0.3.2 dev 3"));
    assert_eq!(path(&world, 104), None);
    world.link(3, false);
    assert_eq!(path(&world, 103).as_deref(), Some("300 via 10.0.2.2 dev 2"));
    assert_eq!(path(&world, 102), None);
    world.link(3, true);
    assert_eq!(path(&world, 102).as_deref(), Some("0 via 10.0.3.2 dev 3"));
    world.lines("mpls lsp 100 10.0.3.2 201\n");
    assert_eq!(world.lsps.keys().copied().collect::<Vec<_>>(), [label(100)]);
    assert_eq!(path(&world, 100).as_deref(), Some("201 via 10.0.3.2 dev 3"));
    world.lines("");
    assert!(world.lsps.is_empty());
}

#[test]
fn without_mpls_in_the_kernel_everything_else_works() {
    let mut world = World::new();
    world.link(2, true);
    world.address(2, "10.0.2.1/24");
    world.lines(
        "ip route 192.0.2.0/24 10.0.2.2\ninterface e2\n mpls enable\nexit\nmpls lsp 100 10.0.2.2 200\n",
    );
    assert!(world.kernel("192.0.2.0/24").is_some());
    assert!(world.lsps.is_empty() && world.mpls.is_empty());
    assert_eq!(
        show(&world, Show::MplsStatus),
        "MPLS support enabled: no (mpls kernel extensions not detected)\n"
    );
    assert!(show(&world, Show::MplsTable).contains(" 100            Static  10.0.2.2"));
    // The modules come.
    world.zebra.note_mpls(Some(0));
    world.pass(Duration::from_secs(1));
    let input = MplsChange::Input { name: "e2".into(), on: true };
    assert_eq!(world.mpls, [input, MplsChange::PlatformLabels(1_048_575)]);
    assert_eq!(path(&world, 100).as_deref(), Some("200 via 10.0.2.2 dev 2"));
    assert_eq!(show(&world, Show::MplsStatus), "MPLS support enabled: yes\n");
    world.mpls.clear();
    world.lines("mpls lsp 100 10.0.2.2 200\n");
    assert_eq!(world.mpls.first(), Some(&MplsChange::Input { name: "e2".into(), on: false }));
}

#[test]
fn what_the_kernel_refuses_is_said_and_tried_again() {
    let mut world = world();
    world.refuse_labels.insert(label(100), 22);
    world.lines("mpls lsp 100 10.0.2.2 200\n");
    assert_eq!(path(&world, 100), None);
    assert!(show(&world, Show::MplsTable).contains("100"));
    world.refuse_labels.clear();
    world.pass(Duration::from_secs(2));
    assert_eq!(path(&world, 100).as_deref(), Some("200 via 10.0.2.2 dev 2"));
}

fn chunk(world: &mut World, client: ClientKey, size: u32, base: Option<u32>) -> Result<LabelBlock, String> {
    let request = LabelChunkRequest { id: 7, size, base: base.map(label), keep: false };
    world.say(client, ToZebra::GetLabels(request));
    let answer = world.told(client).into_iter().find_map(|message| match message {
        FromZebra::LabelChunk(LabelChunkAnswer { id: 7, outcome }) => Some(outcome),
        _ => None,
    });
    answer.expect("an answer")
}

fn lsp(world: &mut World, client: ClientKey, incoming: u32, out: Option<u32>) {
    let nexthops = out
        .map(|out| Arc::from([Nexthop { labels: std::iter::once(label(out)).collect(), ..via("10.0.2.2") }]));
    let update = LspUpdate { label: label(incoming), protocol: RouteProtocol::Ldp, nexthops };
    world.say(client, ToZebra::Lsps(vec![update]));
}

#[test]
fn a_client_uses_its_own_labels_only() {
    let mut world = world();
    world.lines("mpls label dynamic-block 1000 2000\nmpls lsp 1010 10.0.3.2 16\n");
    let ldp = world.connect(1, RouteProtocol::Ldp);
    let bgp = world.connect(2, RouteProtocol::Bgp);
    assert_eq!(chunk(&mut world, ldp, 10, None), Ok(LabelBlock::new(1000, 1009).unwrap()));
    assert_eq!(chunk(&mut world, bgp, 10, None), Ok(LabelBlock::new(1011, 1020).unwrap()));
    assert_eq!(chunk(&mut world, bgp, 2, Some(1009)), Err("label 1010 is configured".to_owned()));
    lsp(&mut world, ldp, 1000, Some(77));
    assert_eq!(path(&world, 1000).as_deref(), Some("77 via 10.0.2.2 dev 2"));
    assert!(
        world.told(ldp).contains(&FromZebra::LspResults(vec![LspResult { label: label(1000), errno: 0 }]))
    );
    for foreign in [1010, 1012, 5000] {
        lsp(&mut world, ldp, foreign, Some(77));
        let refused = FromZebra::Refused {
            request: "label-switched path".to_owned(),
            reason: format!("label {foreign} is not of this client (1 such)"),
        };
        assert!(world.told(ldp).contains(&refused));
    }
    assert_eq!(path(&world, 1010).as_deref(), Some("16 via 10.0.3.2 dev 3"));
    assert_eq!(path(&world, 1012), None);
    world.say(ldp, ToZebra::ReleaseLabels(LabelBlock::new(1000, 1009).unwrap()));
    assert_eq!(path(&world, 1000), None);
    assert_eq!(chunk(&mut world, bgp, 10, None), Ok(LabelBlock::new(1000, 1009).unwrap()));
    let table = show(&world, Show::LabelTable);
    assert!(table.starts_with("Dynamic block: lower-bound 1000, upper-bound 2000\nProto: bgp"), "{table}");
}

#[test]
fn labels_outlive_a_crash_until_the_daemon_has_replayed_or_its_time_is_over() {
    let mut world = world();
    let first = world.connect(1, RouteProtocol::Ldp);
    chunk(&mut world, first, 10, None).unwrap();
    chunk(&mut world, first, 10, None).unwrap();
    lsp(&mut world, first, 16, Some(77));
    lsp(&mut world, first, 26, Some(78));
    world.event(zebra_core::Event::ClientGone { client: first });
    assert!(path(&world, 16).is_some() && path(&world, 26).is_some());
    // It comes back, and names the first chunk again.
    let second = world.connect(2, RouteProtocol::Ldp);
    assert_eq!(chunk(&mut world, second, 10, Some(16)), Ok(LabelBlock::new(16, 25).unwrap()));
    lsp(&mut world, second, 16, Some(77));
    world.say(second, ToZebra::ReplayDone);
    assert!(path(&world, 16).is_some() && path(&world, 26).is_none());
    assert_eq!(chunk(&mut world, second, 10, None), Ok(LabelBlock::new(26, 35).unwrap()));
    // It dies, and stays away.
    world.event(zebra_core::Event::ClientGone { client: second });
    world.pass(Duration::from_mins(2));
    assert!(world.lsps.is_empty());
    let other = world.connect(3, RouteProtocol::Bgp);
    assert_eq!(chunk(&mut world, other, 5, None), Ok(LabelBlock::new(16, 20).unwrap()));
    world.say(other, ToZebra::Goodbye { keep_routes: false });
    let last = world.connect(4, RouteProtocol::Sharp);
    assert_eq!(chunk(&mut world, last, 5, None), Ok(LabelBlock::new(16, 20).unwrap()));
}

#[test]
fn who_watches_a_prefix_is_told_the_label_that_is_bound_to_it() {
    let mut world = world();
    let client = world.connect(1, RouteProtocol::Bgp);
    let prefix = "192.0.2.0/24".parse().unwrap();
    let told = |world: &mut World| {
        let messages = world.told(client).into_iter();
        let fecs = messages.filter_map(|message| match message {
            FromZebra::FecLabels(fecs) => Some(fecs),
            _ => None,
        });
        fecs.flatten().collect::<Vec<_>>()
    };
    world.say(client, ToZebra::WatchFecs(vec![WatchFec { prefix, watch: true }]));
    assert_eq!(told(&mut world), [FecLabel { prefix, label: None }]);
    world.lines("mpls label bind 192.0.2.0/24 1000\nmpls label bind 198.51.100.0/24 1001\n");
    assert_eq!(told(&mut world), [FecLabel { prefix, label: Some(label(1000)) }]);
    assert_eq!(
        show(&world, Show::MplsFec),
        "192.0.2.0/24\n  Label: 1000\n  Client list: bgp\n198.51.100.0/24\n  Label: 1001\n"
    );
    world.lines("");
    assert_eq!(told(&mut world), [FecLabel { prefix, label: None }]);
    world.say(client, ToZebra::WatchFecs(vec![WatchFec { prefix, watch: false }]));
    world.lines("mpls label bind 192.0.2.0/24 1000\n");
    assert_eq!(told(&mut world), []);
}

#[test]
fn a_route_takes_its_labels_and_those_of_what_resolves_it() {
    let mut world = world();
    world.lines(
        "ip route 192.0.2.0/24 10.0.2.2 label 16/17\nip route 198.51.100.0/24 192.0.2.1\n\
         ip route 203.0.113.0/24 192.0.2.1 label 99\n",
    );
    let labels = |prefix: &str| {
        let route = world.kernel.get(&(TableId::MAIN, prefix.parse().unwrap())).unwrap();
        route.nexthops[0].labels.iter().map(|label| label.value()).collect::<Vec<_>>()
    };
    assert_eq!(labels("192.0.2.0/24"), [16, 17]);
    assert_eq!(labels("198.51.100.0/24"), [16, 17]);
    assert_eq!(labels("203.0.113.0/24"), [16, 17, 99]);
}
