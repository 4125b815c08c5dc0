//! Traffic engineering and router information: what links offer is told, and becomes the database; the shows are FRR's.

use ferrite_ospf_control::Event;
use ferrite_types::IfIndex;
use ferrite_types::link_params::{Bandwidth, Delay, LinkParams, Loss};
use ferrite_types::zclient::{FromZebra, LdpSync};

use crate::lab::{Lab, link};

fn config(router: u8, more: &str) -> String {
    format!(
        "interface lo\n ip ospf area 0\nexit\ninterface e0\n ip ospf area 0\n ip ospf network point-to-point\nexit\n\
         interface e1\n ip ospf area 0\nexit\ninterface out\n ip ospf area 0\n ip ospf passive\nexit\n\
         router ospf\n ospf router-id {router}.{router}.{router}.{router}\n capability opaque\n mpls-te on\n \
         mpls-te router-address {router}.{router}.{router}.{router}\n{more}exit\n"
    )
}

fn params() -> LinkParams {
    let rate = Some(Bandwidth(1.25e8));
    LinkParams {
        metric: Some(100),
        max_bandwidth: rate,
        max_reservable: rate,
        unreserved: [rate; 8],
        admin_group: Some(0xab),
        delay: Some(Delay { average: 1000, bounds: Some((900, 1100)) }),
        delay_variation: Some(50),
        loss: Some(Loss(3000)),
        utilized: Some(Bandwidth(1e7)),
        ..LinkParams::default()
    }
}

/// Two routers with a point-to-point link and a LAN between them; the first has a link to another system.
fn network(more: &str) -> Lab {
    let mut lab = Lab::default();
    for router in 1..=2u8 {
        let (lo, e0) = (format!("{router}.{router}.{router}.{router}/32"), format!("10.0.1.{router}/24"));
        let (e1, out) = (format!("10.0.2.{router}/24"), format!("10.{router}.9.1/24"));
        let (lo, e0, e1, out) = ([&*lo], [&*e0], [&*e1], [&*out]);
        let links = [link("lo", 1, &lo), link("e0", 2, &e0), link("e1", 3, &e1), link("out", 4, &out)];
        let at = lab.router(&config(router, if router == 1 { more } else { "" }), &links, |_| {});
        let remote = LinkParams { neighbor: Some(([8, 8, 8, 8].into(), 65_002)), ..LinkParams::default() };
        for (ifindex, params) in [(2, params()), (3, LinkParams::default()), (4, remote)] {
            let (ifindex, params) = (IfIndex(ifindex), Some(Box::new(params)));
            lab.feed(at, Event::Zebra(FromZebra::LinkParams { ifindex, params }));
        }
    }
    lab.wire(&[(0, 2), (1, 2)]);
    lab.wire(&[(0, 3), (1, 3)]);
    lab.run(90);
    lab
}

const LINK: &str = "\
-- MPLS-TE link parameters for e0 --
  Link-Type: Point-to-point (1)
  Link-ID: 2.2.2.2
  Local Interface IP Address(es): 1
    #0: 10.0.1.1
  Remote Interface IP Address(es): 1
    #0: 10.0.1.2
  Traffic Engineering Metric: 100
  Maximum Bandwidth: 1.25e+08 (Bytes/sec)
  Maximum Reservable Bandwidth: 1.25e+08 (Bytes/sec)
  Unreserved Bandwidth per Class Type in Byte/s:
    [0]: 1.25e+08 (Bytes/sec),\t[1]: 1.25e+08 (Bytes/sec)
    [2]: 1.25e+08 (Bytes/sec),\t[3]: 1.25e+08 (Bytes/sec)
    [4]: 1.25e+08 (Bytes/sec),\t[5]: 1.25e+08 (Bytes/sec)
    [6]: 1.25e+08 (Bytes/sec),\t[7]: 1.25e+08 (Bytes/sec)
  Resource class/color: 0xab
  Normal Average Link Delay: 1000 (micro-sec)
  Normal Min/Max Link Delay: 900/1100 (micro-sec)
  Delay Variation: 50 (micro-sec)
  Normal Link Loss: 0.003 (%)
  Unidirectional Utilized Bandwidth: 1e+07 (Bytes/sec)
---------------

";

#[test]
fn links_with_parameters_are_announced_and_others_are_not() {
    let mut lab = network("");
    assert_eq!(lab.exec(0, "show ip ospf mpls-te interface e0"), LINK);
    let all = lab.exec(0, "show ip ospf mpls-te interface");
    assert!(all.contains("  lo: MPLS-TE is disabled on this interface\n"), "{all}");
    assert_eq!(lab.exec(0, "show ip ospf mpls-te interface nope"), "No such interface name in vrf default\n");
    // The neighbour decodes what was sent as we show it.
    let heard = lab.exec(1, "show ip ospf database opaque-area adv-router 1.1.1.1");
    let link = LINK.lines().skip(1).take(LINK.lines().count() - 3);
    link.for_each(|line| assert!(heard.contains(line), "{line} in {heard}"));
    assert!(heard.contains("  Opaque-Type 1 (Traffic Engineering LSA)\n"), "{heard}");
    assert!(heard.contains("  Router-Address: 1.1.1.1\n"), "{heard}");
}

#[test]
fn the_database_is_made_of_what_all_routers_say() {
    let mut lab = network("");
    let text = lab.exec(1, "show ip ospf mpls-te database");
    let vertex = "  Vertex (16843009): 1.1.1.1\tRouter Id: 1.1.1.1\tOrigin: OSPFv2\tStatus: Sync\n\t2 Outgoing Edges, \
                  1 Incoming Edges, 2 Subnets\n";
    assert!(text.contains(vertex), "{text}");
    assert!(text.contains("\tTotal: 2 Vertices, 4 Edges, 4 Subnets\n"), "{text}");
    let edge = lab.json(1, "show ip ospf mpls-te database edge 10.0.1.1");
    assert_eq!(edge["remote-vertex-id"], 33_686_018);
    assert_eq!(edge["metric"], 10);
    assert_eq!(edge["edge-attributes"]["te-metric"], 100);
    assert_eq!(edge["edge-attributes"]["unreserved-bandwidth"][7]["class-type-7"], 125_000_000.0);
    assert_eq!(edge["edge-attributes"]["max-delay"], 1100);
    let subnet = lab.json(1, "show ip ospf mpls-te database subnet 10.0.1.1/32");
    assert_eq!(subnet["metric"], 10);
    assert_eq!(lab.json(1, "show ip ospf mpls-te database")["ted"]["edgesCount"], 4);
    let missing = lab.exec(1, "show ip ospf mpls-te database vertex adv-router 9.9.9.9");
    assert_eq!(missing, "No vertex found for ID 9.9.9.9\n");
    let own = lab.exec(1, "show ip ospf mpls-te database vertex self-originate verbose");
    assert!(own.contains("      To:\t1.1.1.1(1.1.1.1)\tLocal:  10.0.1.2\tRemote: 10.0.1.1\n"), "{own}");
}

#[test]
fn links_to_other_systems_are_told_as_far_as_is_asked_for() {
    let mut lab = network(" mpls-te inter-as as\n");
    let heard = lab.exec(1, "show ip ospf database opaque-as");
    assert!(heard.contains("  Opaque-Type 6 (Inter-AS TE-v2 LSA)\n"), "{heard}");
    assert!(heard.contains("  Inter-AS TE Remote AS number: 65002\n"), "{heard}");
    assert!(heard.contains("  Inter-AS TE Remote ASBR IP address: 8.8.8.8\n"), "{heard}");
    let asbr = lab.json(1, "show ip ospf mpls-te database vertex adv-router 8.8.8.8");
    assert_eq!(asbr["vertex-type"], "Remote ASBR");
    let mut lab = network(" mpls-te inter-as area 0\n");
    assert!(lab.exec(1, "show ip ospf database opaque-area").contains("Inter-AS TE-v2 LSA"));
    assert!(!lab.exec(1, "show ip ospf database opaque-as").contains("Inter-AS TE-v2 LSA"));
}

#[test]
fn routers_say_what_they_are_able_to_do() {
    let pce = " router-info as\n pce address 9.9.9.9\n pce domain as 65000\n pce neighbor as 65001\n pce flag 0x80\n \
               pce scope 0x7\n";
    let mut lab = network(pce);
    let lines = "  PCE Address: 9.9.9.9\n  PCE Path Scope: 0x7\n  PCE Domain AS: 65000\n  PCE Neighbor AS: 65001\n  \
                 PCE Capabilities Flag: 0x80\n";
    let own = lab.exec(0, "show ip ospf router-info");
    assert!(own.contains("  Router Capabilities: 0x30000000\n") && own.contains(lines), "{own}");
    assert!(lab.exec(0, "show ip ospf router-info pce").contains(lines));
    let heard = lab.exec(1, "show ip ospf database opaque-as");
    assert!(heard.contains("  Opaque-Type 4 (Router Information LSA)\n"), "{heard}");
    assert!(heard.contains(lines), "{heard}");
    assert_eq!(lab.exec(1, "show ip ospf router-info pce"), "  PCE info is disabled on this router\n");
}

#[test]
fn without_traffic_engineering_there_is_none() {
    let mut lab = Lab::default();
    lab.router("router ospf\n ospf router-id 1.1.1.1\nexit\n", &[link("lo", 1, &["1.1.1.1/32"])], |_| {});
    assert_eq!(lab.exec(0, "show ip ospf mpls-te database"), "MPLS-TE database is not enabled\n");
    assert_eq!(lab.exec(0, "show ip ospf mpls-te router"), "");
    assert_eq!(lab.exec(0, "show ip ospf router-info"), "  Router Information is disabled on this router\n");
}

fn ldp(ifindex: u32, in_sync: bool) -> Event {
    Event::Zebra(FromZebra::LdpSync(LdpSync::Link { ifindex: IfIndex(ifindex), in_sync }))
}

fn cost(lab: &mut Lab) -> serde_json::Value {
    lab.json(0, "show ip ospf interface e0")["interfaces"]["e0"]["cost"].clone()
}

const SYNC: &str = "show ip ospf mpls ldp-sync";

#[test]
fn a_link_without_ldp_is_avoided_until_it_is_in_sync() {
    let mut lab = network(" mpls ldp-sync\n");
    assert_eq!(cost(&mut lab), 65_535);
    let text = "e0        \n  LDP-IGP Synchronization enabled: yes\n  Holddown timer in seconds: 0\n  State: Sync not achieved\n";
    assert_eq!(lab.exec(0, &format!("{SYNC} interface e0")), text);
    let all = lab.json(0, SYNC);
    assert_eq!(all["lo"], serde_json::json!({}));
    assert_eq!(all["e1"]["ldpIgpSyncState"], "Sync not required: non-p2p link");
    lab.feed(0, ldp(2, true));
    assert_eq!(cost(&mut lab), 10);
    assert_eq!(lab.json(0, SYNC)["e0"]["ldpIgpSyncState"], "Sync achieved");
    lab.feed(0, ldp(2, false));
    assert_eq!(cost(&mut lab), 65_535);
    lab.feed(0, ldp(2, true));
    lab.feed(0, Event::Zebra(FromZebra::LdpSync(LdpSync::Gone)));
    assert_eq!(cost(&mut lab), 65_535);
    // The neighbour hears it.
    lab.run(30);
    let lsa = lab.exec(1, "show ip ospf database router adv-router 1.1.1.1");
    assert!(lsa.contains("TOS 0 Metric: 65535\n"), "{lsa}");
    assert_eq!(lab.exec(1, SYNC), "LDP-sync is disabled\n");
    assert_eq!(lab.json(1, SYNC), serde_json::json!({}));
}

#[test]
fn the_hold_down_time_ends_the_wait() {
    let mut lab = network(" mpls ldp-sync\n mpls ldp-sync holddown 200\n");
    assert_eq!(cost(&mut lab), 65_535);
    let held = lab.json(0, SYNC)["e0"].clone();
    assert_eq!(held["ldpIgpSyncState"], "Holding down until Sync");
    assert_eq!(held["ldpIgpSyncTimeRemainInMsec"], 110_000);
    assert!(lab.exec(0, SYNC).contains("  Holddown timer is running 1m50s remaining\n"));
    lab.run(111);
    assert_eq!(cost(&mut lab), 10);
    assert_eq!(lab.json(0, SYNC)["e0"]["ldpIgpSyncState"], "Sync achieved");
    // A session that is lost begins the wait anew.
    lab.feed(0, ldp(2, true));
    lab.feed(0, ldp(2, false));
    assert_eq!(cost(&mut lab), 65_535);
}
