//! `show ip ospf …`

use serde_json::{Value, json};

use crate::network;

/// Lines of a text that begin with one of these are left out: times and counts of messages.
fn without(text: &str, words: &[&str]) -> String {
    let keep = |line: &&str| !words.iter().any(|word| line.contains(word));
    text.lines().filter(keep).map(|line| format!("{line}\n")).collect()
}

#[test]
fn neighbors_are_told_with_their_roles() {
    let mut lab = network();
    let text = lab.exec(0, "show ip ospf neighbor");
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    let columns = |row: usize| [rows[row][0], rows[row][1], rows[row][2], rows[row][5], rows[row][6]];
    assert_eq!(columns(2), ["5.5.5.5", "1", "Full/-", "10.0.15.5", "ae:10.0.15.1"]);
    assert_eq!(columns(3), ["2.2.2.2", "10", "Full/DR", "10.0.0.2", "lan:10.0.0.1"]);
    assert_eq!(columns(4), ["3.3.3.3", "1", "Full/Backup", "10.0.0.3", "lan:10.0.0.1"]);
    let json = lab.json(0, "show ip ospf neighbor");
    let one = &json["neighbors"]["2.2.2.2"][0];
    assert_eq!(one["nbrState"], "Full/DR");
    assert_eq!(one["role"], "DR");
    assert_eq!(one["ifaceName"], "lan:10.0.0.1");
    // One neighbour stands under its VRF, those of an interface under nothing.
    assert!(lab.json(0, "show ip ospf neighbor 3.3.3.3")["default"]["3.3.3.3"].is_array());
    assert!(lab.json(0, "show ip ospf neighbor lan")["3.3.3.3"].is_array());
    assert!(lab.json(0, "show ip ospf neighbor all")["5.5.5.5"].is_array());
    let detail = lab.exec(0, "show ip ospf neighbor 2.2.2.2 detail");
    let expected = "    In the area 0.0.0.0 via interface lan local interface IP 10.0.0.1
    Neighbor priority is 10, State is Full/DR, Role is DR,    6 state changes
";
    assert!(detail.contains(expected), "{detail}");
    assert!(detail.contains("    DR is 2.2.2.2,     BDR is 3.3.3.3\n"), "{detail}");
    assert!(detail.contains("    Options 2 *|-|-|-|-|-|E|-\n"), "{detail}");
}

const ROUTES: &str = "\
============ OSPF network routing table ============
N    10.0.0.0/24           [10] area: 0.0.0.0
                           directly attached to lan
N    10.0.15.0/24          [10] area: 0.0.0.2
                           directly attached to ae
N IA 10.3.0.0/24           [20] area: 0.0.0.0
                           via 10.0.0.2, lan
N    10.255.0.1/32         [0] area: 0.0.0.0
                           directly attached to lo
N    10.255.0.2/32         [10] area: 0.0.0.0
                           via 10.0.0.2, lan

============ OSPF router routing table =============
R    2.2.2.2               [10] area: 0.0.0.0, ABR
                           via 10.0.0.2, lan
R    3.3.3.3               [10] area: 0.0.0.0, ASBR
                           via 10.0.0.3, lan

============ OSPF external routing table ===========
N E2 0.0.0.0/0             [10/1] tag: 0
                           via 10.0.0.3, lan


";

#[test]
fn the_routing_table_is_frrs() {
    let mut lab = network();
    assert_eq!(lab.exec(0, "show ip ospf route"), ROUTES);
    let detail = lab.exec(0, "show ip ospf route detail");
    assert!(detail.contains("N T  10.0.0.0/24           [10] area: 0.0.0.0\n"), "{detail}");
    let adv = "                           via 10.0.0.2, lan\n                           adv 2.2.2.2\n";
    assert!(detail.contains(adv), "{detail}");
    let json = lab.json(0, "show ip ospf route");
    assert_eq!(
        json["10.3.0.0/24"],
        json!({"routeType": "N IA", "cost": 20, "area": "0.0.0.0",
            "nexthops": [{"ip": "10.0.0.2", "via": "lan", "advertisedRouter": "2.2.2.2"}]})
    );
    assert_eq!(
        json["10.0.0.0/24"],
        json!({"routeType": "N", "transit": true, "cost": 10, "area": "0.0.0.0",
            "nexthops": [{"ip": " ", "directlyAttachedTo": "lan"}]})
    );
    assert_eq!(
        json["0.0.0.0/0"],
        json!({"routeType": "N E2", "cost": 10, "type2cost": 1, "tag": 0,
            "nexthops": [{"ip": "10.0.0.3", "via": "lan", "advertisedRouter": "3.3.3.3"}]})
    );
    assert_eq!(json["2.2.2.2"]["routerType"], "abr");
    let all = lab.json(0, "show ip ospf vrf all route");
    assert_eq!(all["default"]["vrfName"], "default");
    assert_eq!(all["default"]["10.3.0.0/24"]["cost"], 20);
}

#[test]
fn the_database_has_its_contents_details_and_filters() {
    let mut lab = network();
    let contents = lab.exec(0, "show ip ospf database");
    assert!(contents.starts_with("\n       OSPF Router with ID (1.1.1.1)\n\n                Router Link States (Area 0.0.0.0)\n\nLink ID         ADV Router      Age  Seq#       CkSum  Link count\n1.1.1.1        1.1.1.1 "), "{contents}");
    assert!(contents.contains("                Router Link States (Area 0.0.0.2 [NSSA])\n"), "{contents}");
    assert!(contents.contains(" E2 0.0.0.0/0 [0x0]\n"), "{contents}");
    let json = lab.json(0, "show ip ospf database");
    assert_eq!(json["areas"]["0.0.0.0"]["routerLinkStatesCount"], 3);
    assert_eq!(json["asExternalLinkStatesCount"], 1);
    let router = lab.json(0, "show ip ospf database router 2.2.2.2");
    let found = &router["routerLinkStates"]["areas"]["0.0.0.0"];
    assert_eq!(found.as_array().map(Vec::len), Some(1));
    assert_eq!(found[0]["numOfLinks"], 2);
    assert_eq!(found[0]["routerLinks"]["link0"]["networkAddress"], "10.255.0.2");
    assert_eq!(router["routerLinkStates"]["areas"]["0.0.0.2"], json!([]));
    let network = lab.exec(0, "show ip ospf database network");
    let expected = "  Network Mask: /24
        Attached Router: 2.2.2.2

        Attached Router: 1.1.1.1

        Attached Router: 3.3.3.3

";
    assert!(network.contains(expected), "{network}");
    let own = lab.json(0, "show ip ospf database external self-originate");
    assert_eq!(own["asExternalLinkStates"], json!([]));
    let theirs = lab.json(0, "show ip ospf database external adv-router 3.3.3.3");
    assert_eq!(theirs["asExternalLinkStates"][0]["metricType"], "E2 (Larger than any link state path)");
    assert_eq!(lab.json(0, "show ip ospf database max-age")["maxAgeLinkStates"], json!({}));
    let whole = lab.json(0, "show ip ospf database detail");
    for kind in ["routerLinkStates", "networkLinkStates", "summaryLinkStates", "asExternalLinkStates"] {
        assert!(!whole[kind].is_null(), "{kind}");
    }
}

const LAN: &str = "\
lan is up
  ifindex 2, MTU 1500 bytes, BW 10000 Mbit <UP,LOWER_UP,BROADCAST,RUNNING,MULTICAST>
  Internet Address 10.0.0.1/24, Broadcast 10.0.0.255, Area 0.0.0.0
  MTU mismatch detection: enabled
  Router ID 1.1.1.1, Network Type BROADCAST, Cost: 10
  Transmit Delay is 1 sec, State DROther, Priority 1
  Designated Router (ID) 2.2.2.2 Interface Address 10.0.0.2/24
  Backup Designated Router (ID) 3.3.3.3, Interface Address 10.0.0.3
  Multicast group memberships: OSPFAllRouters
  Timer intervals configured, Hello 10s, Dead 40s, Wait 40s, Retransmit 5
  Neighbor Count is 2, Adjacent neighbor count is 2
  Graceful Restart hello delay: 10s

";

#[test]
fn interfaces_and_their_traffic() {
    let mut lab = network();
    let text = lab.exec(0, "show ip ospf interface lan");
    assert_eq!(without(&text, &["Hello due", "LSA retransmissions"]), LAN);
    let json = lab.json(0, "show ip ospf interface");
    assert_eq!(json["interfaces"]["lan"]["drId"], "2.2.2.2");
    assert_eq!(json["interfaces"]["ae"]["networkType"], "POINTOPOINT");
    assert_eq!(json["interfaces"]["ae"]["area"], "0.0.0.2 [NSSA]");
    assert_eq!(lab.exec(0, "show ip ospf interface eth9"), "No such interface name in vrf default\n");
    let passive = lab.exec(1, "show ip ospf interface stub0");
    assert!(passive.contains("    No Hellos (Passive interface)\n"), "{passive}");
    let traffic = lab.json(0, "show ip ospf interface traffic");
    assert!(traffic["lan"]["helloIn"].as_u64() > Some(5), "{traffic}");
    assert!(traffic["lan"]["lsUpdOut"].as_u64() > Some(0), "{traffic}");
    assert_eq!(traffic["lo"]["helloOut"], 0);
}

#[test]
fn the_process_counts_its_lsas() {
    let mut lab = network();
    let json = lab.json(0, "show ip ospf");
    assert_eq!(json["routerId"], "1.1.1.1");
    assert_eq!(json["abrType"], "Alternative Cisco");
    assert_eq!(json["attachedAreaCounter"], 2);
    assert_eq!(json["lsaExternalCounter"], 1);
    let nssa = &json["areas"]["0.0.0.2"];
    assert_eq!(nssa["nssaTranslatorElected"], true);
    assert_eq!(nssa["lsaRouterNumber"], 2);
    assert_eq!(json["areas"]["0.0.0.0"]["backbone"], true);
    let text = lab.exec(1, "show ip ospf");
    assert!(text.contains(" Area ID: 0.0.0.3 (Stub, no summary)\n"), "{text}");
    assert!(text.contains("   Number of summary LSA 1. Checksum Sum 0x"), "{text}");
    assert_eq!(lab.json(0, "show ip ospf vrfs")["vrfs"]["default"]["routerId"], "1.1.1.1");
    assert_eq!(lab.json(0, "show ip ospf graceful-restart helper")["supportedGracePeriod"], 1800);
    assert_eq!(lab.json(0, "show ip ospf summary-address")["aggregationDelayInterval"], 5);
    let border: Value = lab.json(0, "show ip ospf border-routers");
    assert_eq!(border["routers"]["3.3.3.3"]["routerType"], "asbr");
}
