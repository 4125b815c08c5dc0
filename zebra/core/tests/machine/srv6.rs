//! Locators and static segment identifiers.

use ferrite_cli::{Context, Engine};
use ferrite_types::{Seg6, Seg6Action, TableId};
use serde_json::json;
use zebra_core::{NexthopObject, Options};

use crate::world::World;

const LOCATORS: &str = "segment-routing
 srv6
  locators
   locator MAIN
    prefix fc00:0:1::/48 block-len 32 node-len 16 func-bits 16
    behavior usid
   exit
   !
   locator PLAIN
    prefix fc01:0:1::/48
   exit
   !
   locator SHORT
    prefix fc03:0:1::/48
    format usid-f3216
   exit
   !
  exit
  !
  formats
   format usid-f3216
   exit
   !
  exit
  !
  static-sids
";
const SIDS: &str = "   sid fc00:0:1::/48 locator MAIN behavior uN
   sid fc00:0:1:e001::/64 locator MAIN behavior uDT6 vrf default
   sid fc00:0:1:e002::/64 locator MAIN behavior uDT4 vrf red
   sid fc00:0:1:e003::/64 locator MAIN behavior uDT46 vrf default
   sid fc00:0:2:e003::/64 locator MAIN behavior uDT6 vrf default
   sid fc01:0:1:e001::/64 locator PLAIN behavior uDT6 vrf default
   sid fc03:0:1:e001::/64 locator SHORT behavior uN
   sid fc09:0:1:e001::/64 locator NONE behavior uDT6 vrf default
";

/// With the devices that identifiers lead to.
fn world(nexthop_objects: bool) -> World {
    let mut world = World::with(Options { nexthop_objects, ..Options::default() });
    world.named_link(1, "lo");
    world.named_link(5, "sr0");
    world
}

fn action(world: &World, prefix: &str) -> Option<Seg6Action> {
    let route = world.kernel.get(&(TableId::MAIN, prefix.parse().unwrap()))?;
    match route.nexthops.first()?.seg6.as_deref()? {
        Seg6::Local(local) => Some(local.action),
        Seg6::Encap(_) => None,
    }
}

#[test]
fn identifiers_are_routes_and_those_that_are_none_say_why() {
    let mut world = world(false);
    world.lines(&format!("{LOCATORS}{SIDS}"));
    assert_eq!(action(&world, "fc00:0:1::/48"), Some(Seg6Action::End { shift: true }));
    assert_eq!(action(&world, "fc00:0:1:e001::/64"), Some(Seg6Action::Dt6(TableId::MAIN)));
    assert_eq!(action(&world, "fc00:0:1:e003::/64"), Some(Seg6Action::Dt46(TableId::MAIN)));
    assert_eq!(world.kernel.len(), 3);
    let text = world.show("show ipv6 route");
    for line in [
        "S>* fc00:0:1::/48 [1/0] is directly connected, sr0, seg6local End -, weight 1",
        "S>* fc00:0:1:e001::/64 [1/0] is directly connected, lo, seg6local End.DT6 table 254, weight 1",
    ] {
        assert!(text.contains(line), "{text}");
    }
    let manager: serde_json::Value =
        serde_json::from_str(&world.show("show segment-routing srv6 manager json")).unwrap();
    let failures: Vec<_> =
        manager["staticSids"].as_array().unwrap().iter().map(|sid| sid["failure"].clone()).collect();
    let wanted = json!([
        null,
        null,
        "no such VRF",
        null,
        "not of the locator's prefix",
        "the locator is not of uSIDs",
        "uN is the locator's prefix",
        "no such locator"
    ]);
    assert_eq!(json!(failures), wanted);
    assert_eq!(world.drift().total(), 0);
    // One goes, then all.
    world.lines(&format!("{LOCATORS}   sid fc00:0:1::/48 locator MAIN behavior uN\n"));
    assert_eq!(world.kernel.len(), 1);
    world.lines("");
    assert!(world.kernel.is_empty());
}

#[test]
fn objects_say_what_the_kernel_keeps() {
    let mut world = world(true);
    world.lines(&format!("{LOCATORS}{SIDS}"));
    assert!(world.kernel.len() == 3 && world.kernel.values().all(|route| route.group.is_some()));
    for object in world.objects.values() {
        let NexthopObject::Single(single) = object else { panic!("{object:?}") };
        assert_eq!(single.seg6.as_deref().map(Seg6::kept), single.seg6.as_deref().cloned());
    }
    let json: serde_json::Value = serde_json::from_str(&world.show("show ipv6 route json")).unwrap();
    let bits = &json["fc00:0:1:e001::/64"][0]["nexthops"][0]["seg6local"]["sidStructure"];
    assert_eq!(*bits, json!({"blockLen": 32, "nodeLen": 16, "funcLen": 16, "argLen": 0}));
}

#[test]
fn what_is_configured_reads_back_and_lengths_must_fit() {
    let mut engine = Engine::new(zebra_core::registry());
    let at = ["segment-routing", "srv6", "locators", "locator A"];
    let mut set = |lines: &[&str]| {
        let mut context = Context::default();
        at.iter().chain(lines).try_for_each(|line| engine.configure(&mut context, line).map(drop))
    };
    assert!(set(&["prefix fc00::/48 block-len 32 node-len 20"]).is_err());
    assert!(set(&["prefix fc00::/48 func-bits 32"]).is_err());
    assert!(set(&["prefix fc00::/64", "format usid-f3216"]).is_err());
    assert!(set(&["prefix fc00::/64", "format uncompressed-f4024"]).is_ok());
    assert!(set(&["prefix fc00::/48"]).is_err());
    assert!(set(&["no format", "prefix fc00::/48", "behavior usid"]).is_ok());
    let locator = &engine.running().srv6.locators["A"];
    let prefix = locator.prefix.unwrap();
    assert_eq!((prefix.block, prefix.node, prefix.function), (24, 24, 16));
    assert!(locator.usid && locator.format.is_none());
}

#[test]
fn locators_are_shown_as_frr_shows_them() {
    let mut world = world(false);
    world.lines(LOCATORS);
    let text = "Locator:
Name                 ID      Prefix                   Status
-------------------- ------- ------------------------ -------
MAIN                       1 fc00:0:1::/48            Up
PLAIN                      2 fc01:0:1::/48            Up
SHORT                      3 fc03:0:1::/48            Up

";
    assert_eq!(world.show("show segment-routing srv6 locator"), text);
    let text = "Name: SHORT
Prefix: fc03:0:1::/48
Block-Bit-Len: 32
Node-Bit-Len: 16
Function-Bit-Len: 16
Argument-Bit-Len: 0
Behavior: uSID
Chunks:
- prefix: fc03:0:1::/48, owner: system
";
    assert_eq!(world.show("show segment-routing srv6 locator SHORT detail"), text);
}
