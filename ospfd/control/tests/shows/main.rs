//! What the shows print, of a small network: three routers on a LAN with designated routers, a point-to-point link into an NSSA with
//! an external route, a stub area. The texts are FRR 10.3's but for what is ours: numbers of the messages and times.

mod api;
mod convergence;
mod extended;
mod family;
mod lab;
mod limit;
mod outside;
mod te;
mod v2;
mod v3;

use ferrite_ospf_control::Settings;
use ferrite_ospf_control::settings::{AreaKindSettings, DefaultOriginate, RouterSettings};
use ferrite_ospf_packet::AreaId;
use lab::{Lab, link, link_local};

const A: &str = "\
interface lo
 ip ospf area 0
 ipv6 ospf6 area 0
exit
interface lan
 ip ospf area 0
 ipv6 ospf6 area 0
exit
interface ae
 ip ospf area 2
 ip ospf network point-to-point
 ipv6 ospf6 area 2
 ipv6 ospf6 network point-to-point
exit
router ospf
 ospf router-id 1.1.1.1
exit
router ospf6
 ospf6 router-id 1.1.1.1
exit
";

const B: &str = "\
interface lo
 ip ospf area 0
 ipv6 ospf6 area 0
exit
interface lan
 ip ospf area 0
 ip ospf priority 10
 ipv6 ospf6 area 0
 ipv6 ospf6 priority 10
exit
interface stub0
 ip ospf area 3
 ip ospf passive
 ipv6 ospf6 area 3
 ipv6 ospf6 passive
exit
router ospf
 ospf router-id 2.2.2.2
exit
router ospf6
 ospf6 router-id 2.2.2.2
exit
";

const C: &str = "\
interface lan
 ip ospf area 0
 ipv6 ospf6 area 0
exit
router ospf
 ospf router-id 3.3.3.3
exit
router ospf6
 ospf6 router-id 3.3.3.3
exit
";

const E: &str = "\
interface ea
 ip ospf area 2
 ip ospf network point-to-point
 ipv6 ospf6 area 2
 ipv6 ospf6 network point-to-point
exit
router ospf
 ospf router-id 5.5.5.5
exit
router ospf6
 ospf6 router-id 5.5.5.5
exit
";

fn routers(settings: &mut Settings) -> impl Iterator<Item = &mut RouterSettings> {
    settings.v2.values_mut().chain(settings.v3.values_mut())
}

/// An NSSA, or a stub without summaries, in both versions.
fn area(settings: &mut Settings, id: u32, kind: AreaKindSettings) {
    for router in routers(settings) {
        let area = router.areas.entry(AreaId::from_bits(id)).or_default();
        area.kind = kind;
        area.no_summary = kind == AreaKindSettings::Stub;
        area.name.number = true;
        area.name.id = AreaId::from_bits(id);
    }
}

/// `default-information originate always`
fn default_route(settings: &mut Settings) {
    for router in routers(settings) {
        router.default_originate = Some(DefaultOriginate { always: true, ..DefaultOriginate::default() });
    }
}

/// The routers a, b, c, e by their numbers: 0, 1, 2, 3.
fn network() -> Lab {
    built(Lab::default())
}

/// The same with all that happens told.
fn network_traced() -> Lab {
    let mut lab = Lab::default();
    lab.traced = true;
    built(lab)
}

fn built(mut lab: Lab) -> Lab {
    let own: Vec<String> = (1..=6).map(link_local).collect();
    let (a, b, c, ae, e, stub) = (&own[0], &own[1], &own[2], &own[3], &own[4], &own[5]);
    lab.wire(&[(0, 2), (1, 2), (2, 2)]);
    lab.wire(&[(0, 3), (3, 2)]);
    lab.router(
        A,
        &[
            link("lo", 1, &["10.255.0.1/32", "2001:db8:ff::1/128"]),
            link("lan", 2, &["10.0.0.1/24", a, "2001:db8::1/64"]),
            link("ae", 3, &["10.0.15.1/24", ae, "2001:db8:15::1/64"]),
        ],
        |settings| area(settings, 2, AreaKindSettings::Nssa(Default::default())),
    );
    lab.router(
        B,
        &[
            link("lo", 1, &["10.255.0.2/32", "2001:db8:ff::2/128"]),
            link("lan", 2, &["10.0.0.2/24", b, "2001:db8::2/64"]),
            link("stub0", 3, &["10.3.0.1/24", stub, "2001:db8:3::1/64"]),
        ],
        |settings| area(settings, 3, AreaKindSettings::Stub),
    );
    lab.router(C, &[link("lan", 2, &["10.0.0.3/24", c, "2001:db8::3/64"])], default_route);
    lab.router(E, &[link("ea", 2, &["10.0.15.5/24", e, "2001:db8:15::5/64"])], |settings| {
        area(settings, 2, AreaKindSettings::Nssa(Default::default()));
    });
    lab.run(120);
    lab
}

#[test]
fn every_command_holds_what_it_declares() {
    use ferrite_ospf_control::{Roles, registry};
    for (v2, v3) in [(true, true), (true, false), (false, true)] {
        let made = || registry(Roles { v2, v3 });
        if let Err(faults) = ferrite_cli::check_registry(made) {
            panic!("{}", faults.join("\n"));
        }
    }
}

#[test]
fn shows_of_what_does_not_run_say_so() {
    let mut lab = Lab::default();
    let router = lab.router("", &[], |_| {});
    assert_eq!(lab.exec(router, "show ip ospf neighbor"), "% OSPF is not enabled in vrf default\n");
    assert_eq!(lab.exec(router, "show ip ospf 7 neighbor"), "% OSPF instance not found\n");
    assert_eq!(lab.exec(router, "show ip ospf vrf red route"), "% OSPF is not enabled in vrf red\n");
    assert_eq!(lab.exec(router, "show ip ospf neighbor json"), "{}\n");
    assert_eq!(lab.exec(router, "show ipv6 ospf6 neighbor"), "% OSPFv3 instance not found\n");
}

#[test]
fn clearing_begins_anew_and_ends_the_same() {
    let mut lab = network();
    let routes = lab.exec(0, "show ip ospf route");
    let routes6 = lab.json(0, "show ipv6 ospf6 route detail")["routes"].as_object().map(|all| all.len());
    for line in [
        "clear ip ospf neighbor",
        "clear ip ospf interface",
        "clear ip ospf process",
        "clear ipv6 ospf6 interface lan",
        "clear ipv6 ospf6 process",
    ] {
        assert_eq!(lab.exec(0, line), "", "{line}");
        lab.run(120);
    }
    assert_eq!(lab.exec(0, "show ip ospf route"), routes);
    let again = lab.json(0, "show ipv6 ospf6 route detail")["routes"].as_object().map(|all| all.len());
    assert_eq!(again, routes6);
}
