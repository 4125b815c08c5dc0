//! Lookups of sources of multicast for a daemon.

use ferrite_types::zclient::{FromZebra, RpfMode, RpfState, ToZebra, TrackRpf};
use ferrite_types::{RouteProtocol, Safi, VrfId};
use zebra_core::ClientKey;

use crate::world::World;

fn world() -> (World, ClientKey) {
    let mut world = World::new();
    for index in [1, 2] {
        world.link(index, true);
        world.address(index, &format!("10.0.{index}.1/24"));
    }
    let pim = world.connect(1, RouteProtocol::Pim);
    (world, pim)
}

fn ask(world: &mut World, pim: ClientKey, addr: &str, mode: RpfMode, track: bool) {
    let item = TrackRpf { vrf: VrfId::DEFAULT, addr: addr.parse().unwrap(), mode, track };
    world.say(pim, ToZebra::TrackRpf(vec![item]));
}

/// What the daemon was told since: the table, the prefix and the gateway of each answer.
fn told(world: &mut World, pim: ClientKey) -> Vec<Option<String>> {
    let text = |state: RpfState| {
        let (safi, route) = state.found?;
        let table = if safi == Safi::Multicast { "mrib" } else { "urib" };
        let via = route.nexthops.first().and_then(|hop| hop.gateway_addr());
        Some(format!("{table} {} {}", route.prefix, via.map_or("direct".to_owned(), |via| via.to_string())))
    };
    let lists = world.told(pim).into_iter().filter_map(|message| match message {
        FromZebra::Rpf(list) => Some(list),
        _ => None,
    });
    lists.flatten().map(text).collect()
}

#[test]
fn each_mode_has_its_answer() {
    let (mut world, pim) = world();
    world.lines(
        "ip route 192.0.2.0/24 10.0.1.2\nip mroute 192.0.0.0/16 10.0.2.2 7\n\
         ip route 198.51.100.0/24 10.0.1.2 9\nip mroute 198.51.100.0/24 10.0.2.2 9\n",
    );
    world.told(pim);
    let rows = [
        ("192.0.2.9", RpfMode::MribOnly, Some("mrib 192.0.0.0/16 10.0.2.2")),
        ("192.0.2.9", RpfMode::UribOnly, Some("urib 192.0.2.0/24 10.0.1.2")),
        ("192.0.2.9", RpfMode::MribThenUrib, Some("mrib 192.0.0.0/16 10.0.2.2")),
        ("192.0.2.9", RpfMode::LowerDistance, Some("urib 192.0.2.0/24 10.0.1.2")),
        ("192.0.2.9", RpfMode::LongerPrefix, Some("urib 192.0.2.0/24 10.0.1.2")),
        // Alike: multicast's.
        ("198.51.100.1", RpfMode::LowerDistance, Some("mrib 198.51.100.0/24 10.0.2.2")),
        ("198.51.100.1", RpfMode::LongerPrefix, Some("mrib 198.51.100.0/24 10.0.2.2")),
        ("203.0.113.1", RpfMode::MribThenUrib, None),
        ("10.0.1.77", RpfMode::MribThenUrib, Some("mrib 10.0.1.0/24 direct")),
        ("10.0.1.77", RpfMode::UribOnly, Some("urib 10.0.1.0/24 direct")),
    ];
    for (addr, mode, expected) in rows {
        ask(&mut world, pim, addr, mode, true);
        assert_eq!(told(&mut world, pim), [expected.map(str::to_owned)], "{addr} {mode:?}");
    }
}

#[test]
fn a_change_is_told_and_nothing_else() {
    let (mut world, pim) = world();
    ask(&mut world, pim, "192.0.2.9", RpfMode::MribThenUrib, true);
    assert_eq!(told(&mut world, pim), [None]);
    let unicast = "ip route 192.0.2.0/24 10.0.1.2\n";
    world.lines(unicast);
    assert_eq!(told(&mut world, pim), [Some("urib 192.0.2.0/24 10.0.1.2".to_owned())]);
    world.lines(&format!("{unicast}ip route 198.51.100.0/24 10.0.1.2\n"));
    assert_eq!(told(&mut world, pim), []);
    world.lines(&format!("{unicast}ip mroute 192.0.0.0/16 10.0.2.2\n"));
    assert_eq!(told(&mut world, pim), [Some("mrib 192.0.0.0/16 10.0.2.2".to_owned())]);
    // The link of multicast's way goes.
    world.link(2, false);
    assert_eq!(told(&mut world, pim), [Some("urib 192.0.2.0/24 10.0.1.2".to_owned())]);
    world.link(2, true);
    assert_eq!(told(&mut world, pim), [Some("mrib 192.0.0.0/16 10.0.2.2".to_owned())]);
    ask(&mut world, pim, "192.0.2.9", RpfMode::MribThenUrib, false);
    world.lines("");
    assert_eq!(told(&mut world, pim), []);
}
