//! `show ipv6 ospf6 …`

use ferrite_ospf_control::Event;
use ferrite_types::zclient::FromZebra;
use serde_json::json;

use crate::lab::interface;
use crate::network;

#[test]
fn neighbors_in_their_three_forms() {
    let mut lab = network();
    let text = lab.exec(0, "show ipv6 ospf6 neighbor");
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["Neighbor", "ID", "Pri", "DeadTime", "State/IfState", "Duration", "I/F[State]"]);
    assert_eq!([rows[1][0], rows[1][3], rows[1][5]], ["2.2.2.2", "Full/DR", "lan[DROther]"]);
    assert_eq!([rows[2][0], rows[2][3]], ["3.3.3.3", "Full/BDR"]);
    assert_eq!([rows[3][0], rows[3][3], rows[3][5]], ["5.5.5.5", "Full/PointToPoint", "ae[PointToPoint]"]);
    let choice = &lab.json(0, "show ipv6 ospf6 neighbor drchoice")["neighbors"][0];
    assert_eq!((&choice["dRouter"], &choice["bdRouter"]), (&json!("2.2.2.2"), &json!("3.3.3.3")));
    let detail = lab.json(0, "show ipv6 ospf6 neighbor detail");
    assert_eq!(detail["2.2.2.2%lan"]["linkLocalAddress"], "fe80::2");
    assert_eq!(detail["5.5.5.5%ae"]["area"], "2");
    let one = lab.exec(0, "show ipv6 ospf6 neighbor 2.2.2.2");
    assert!(one.starts_with(" Neighbor 2.2.2.2%lan\n    Area 0 via interface lan (ifindex 2)\n"), "{one}");
}

#[test]
fn the_database_by_scope_type_and_form() {
    let mut lab = network();
    let text = lab.exec(0, "show ipv6 ospf6 database");
    let start = "\n        Area Scoped Link State Database (Area 0)\n\nType LSId           AdvRouter       Age   SeqNum                        Payload\nRtr  0.0.0.0        1.1.1.1  ";
    assert!(text.starts_with(start), "{text}");
    assert!(text.contains("\n        I/F Scoped Link State Database (I/F lan in Area 0)\n"), "{text}");
    assert!(text.contains("\n        AS Scoped Link State Database\n"), "{text}");
    let json = lab.json(0, "show ipv6 ospf6 database router detail");
    assert!(json.get("asScopedLinkStateDb").is_none() && json.get("interfaceScopedLinkStateDb").is_none());
    let lsa = &json["areaScopedLinkStateDb"][0]["lsa"][0];
    assert_eq!(lsa["bits"], "------EB");
    assert_eq!(lsa["options"], "--|-|--|-|-|--|R|-|--|E|V6");
    assert_eq!(lsa["lsaDescription"][0]["type"], "Transit-Network");
    let links = lab.exec(0, "show ipv6 ospf6 database link detail");
    assert!(links.contains("     LinkLocal Address: fe80::2\n     Number of Prefix: 1\n"), "{links}");
    let own = lab.json(0, "show ipv6 ospf6 database self-originated");
    let all = own["areaScopedLinkStateDb"][0]["lsa"].as_array().cloned().unwrap_or_default();
    assert!(!all.is_empty() && all.iter().all(|lsa| lsa["advRouter"] == "1.1.1.1"), "{own}");
    let external = lab.json(0, "show ipv6 ospf6 database as-external adv-router 3.3.3.3");
    assert_eq!(external["asScopedLinkStateDb"][0]["lsa"][0]["payload"], "::");
    let dump = lab.json(0, "show ipv6 ospf6 database network dump");
    let octets = dump["areaScopedLinkStateDb"][0]["lsa"][0]["header"].as_str().unwrap_or_default().to_owned();
    assert_eq!(octets.get(4..8), Some("2002"), "{octets}");
    assert!(lab.exec(0, "show ipv6 ospf6 database internal").contains("Lock: 2 \nReTx Count: 0\n"));
}

#[test]
fn routes_by_their_kind() {
    let mut lab = network();
    let text = lab.exec(0, "show ipv6 ospf6 route inter-area");
    let start = "*N IE 2001:db8:3::/64                fe80::2                      lan ";
    assert!(text.starts_with(start), "{text}");
    let detail = lab.json(0, "show ipv6 ospf6 route 2001:db8:3::/64");
    let route = &detail["routes"]["2001:db8:3::/64"];
    assert_eq!((&route["pathType"], &route["metricCost"]), (&json!("Inter-Area"), &json!(20)));
    assert_eq!(
        (&route["lsOriginRoutePathType"], &route["lsAdvertisingRouter"]),
        (&json!("Inter-Prefix"), &json!("2.2.2.2"))
    );
    let summary = lab.json(0, "show ipv6 ospf6 route summary");
    assert_eq!(
        (&summary["numberOfInterAreaRoutes"], &summary["numberOfExternal2Routes"]),
        (&json!(1), &json!(1))
    );
    let longer = lab.json(0, "show ipv6 ospf6 route 2001:db8:ff::/48 longer");
    assert_eq!(longer["routes"].as_object().map(|all| all.len()), Some(2), "{longer}");
    let address = lab.json(0, "show ipv6 ospf6 route 2001:db8:3::77");
    assert_eq!(address["routes"].as_object().map(|all| all.len()), Some(1), "{address}");
}

const TREE: &str = "\
+-1.1.1.1 [0]
   +-2.2.2.2 Net-ID: 0.0.0.2 [10]
      +-2.2.2.2 [10]
      +-3.3.3.3 [10]
+-1.1.1.1 [0]
   +-5.5.5.5 [10]
";

#[test]
fn trees_border_routers_and_the_process() {
    let mut lab = network();
    assert_eq!(lab.exec(0, "show ipv6 ospf6 spf tree"), TREE);
    let json = lab.json(0, "show ipv6 ospf6 spf tree");
    assert_eq!(json["2"]["1.1.1.1"]["children"]["5.5.5.5"], json!({"cost": 10, "isLeafNode": true}));
    let border = lab.exec(0, "show ipv6 ospf6 border-routers");
    let row = "2.2.2.2         -------B --|-|--|-|-|--|R|-|--|E|V6 Intra-Area 0.0.0.0        \n";
    assert!(border.contains(row), "{border}");
    let state = lab.exec(0, "show ipv6 ospf6 linkstate router 2.2.2.2");
    assert!(state.contains("Destination: 2.2.2.2\nDestination type: Linkstate\n"), "{state}");
    let process = lab.json(0, "show ipv6 ospf6");
    assert_eq!(process["numberOfAreaInRouter"], 2);
    assert_eq!(process["areas"]["2"]["areaIsNSSA"], true);
    assert_eq!(process["areas"]["0"]["interfacesAttachedToArea"], json!(["lan", "lo"]));
    let interface = lab.json(0, "show ipv6 ospf6 interface lan");
    assert_eq!(interface["lan"]["dr"], "2.2.2.2");
    assert_eq!(interface["lan"]["numberOfInterfaceScopedLsa"], 3);
    let prefixes = lab.json(0, "show ipv6 ospf6 interface prefix");
    assert!(prefixes["routes"]["2001:db8:15::/64"].is_object(), "{prefixes}");
    assert!(lab.json(0, "show ipv6 ospf6 interface traffic")["lan"]["helloRx"].as_u64() > Some(5));
    assert_eq!(lab.json(2, "show ipv6 ospf6 redistribute")["routes"][0]["destination"], "::/0");
    assert_eq!(lab.json(0, "show ipv6 ospf6 vrfs")["totalVrfs"], 1);
    assert_eq!(lab.json(0, "show ipv6 ospf6 zebra")["zebraInformation"]["redistribute"], json!(["ospf6"]));
    assert_eq!(lab.json(0, "show ipv6 ospf6 graceful-restart helper")["strictLsaCheck"], "Enabled");
    assert_eq!(lab.json(0, "show ipv6 ospf6 summary-address")["default"]["vrfId"], 0);
}

/// As FRR 10.3 prints them.
#[test]
fn a_border_router_lists_itself_for_each_area() {
    let mut lab = network();
    let text = lab.exec(0, "show ipv6 ospf6 border-routers");
    let rows: Vec<Vec<&str>> =
        text.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
    assert_eq!([rows[0][0], rows[0][1], rows[0][4]], ["1.1.1.1", "------EB", "0.0.0.0"], "{text}");
    assert_eq!([rows[1][0], rows[1][1], rows[1][4]], ["1.1.1.1", "------EB", "0.0.0.2"], "{text}");
    let detail = lab.exec(0, "show ipv6 ospf6 border-routers 2.2.2.2");
    assert!(detail.contains("Metric: 10 (1)\n"), "{detail}");
    let own = lab.exec(0, "show ipv6 ospf6 border-routers 1.1.1.1");
    assert!(own.contains("Metric: 0 (0)\nPaths count: 0\nNexthop count: 0\nNexthop:\n\n"), "{own}");
    let missing = lab.exec(0, "show ipv6 ospf6 border-routers 9.9.9.9");
    assert_eq!(missing, "No Route found for Router ID: 9.9.9.9\n");
}

#[test]
fn areas_and_links_stand_a_blank_line_apart() {
    let mut lab = network();
    for form in ["", " detail", " dump", " internal"] {
        let text = lab.exec(0, &format!("show ipv6 ospf6 database{form}"));
        assert!(!text.contains("\n\n\n\n        "), "{form}: {text}");
        assert!(text.ends_with("\n\n") && !text.ends_with("\n\n\n\n"), "{form}: {text}");
    }
    let state = lab.exec(0, "show ipv6 ospf6 linkstate router 9.9.9.9");
    assert_eq!(state, "\n        SPF Result in Area 0\n\n\n        SPF Result in Area 2\n\n\n");
    assert!(!lab.exec(0, "show ipv6 ospf6 graceful-restart helper").ends_with("\n\n"));
}

#[test]
fn interfaces_without_ospf_are_listed_too() {
    let mut lab = network();
    lab.feed(0, Event::Zebra(FromZebra::Interface(interface("free", 77))));
    let text = lab.exec(0, "show ipv6 ospf6 interface free");
    let free = "free is up, type BROADCAST\n  Interface ID: 77\n   OSPF not enabled on this interface\n";
    assert_eq!(text, free);
    let all = lab.exec(0, "show ipv6 ospf6 interface");
    assert!(all.contains(free) && all.contains("lan is up"), "{all}");
    let json = lab.json(0, "show ipv6 ospf6 interface");
    assert_eq!(json["free"], json!({"status": "up", "type": "BROADCAST", "interfaceId": 77}));
    let lo = &json["lo"];
    assert_eq!((&lo["cost"], &lo["interfaceMtu"]), (&json!(0), &json!(65536)));
    assert_eq!(lab.exec(0, "show ipv6 ospf6 interface none"), "No such Interface: none\n");
    assert_eq!(lab.json(0, "show ipv6 ospf6 interface none"), json!({"noSuchInterface": "none"}));
}

#[test]
fn prefixes_of_links_in_short_and_in_full() {
    let mut lab = network();
    let text = lab.exec(0, "show ipv6 ospf6 interface ae prefix");
    let known: Vec<Option<&str>> = text.lines().map(|line| line.split_whitespace().nth(2)).collect();
    assert_eq!(known, [Some("2001:db8:15::/64"), Some("2001:db8:15::1/128")], "{text}");
    let detail = lab.json(0, "show ipv6 ospf6 interface prefix 2001:db8:15::1/128");
    let host = &detail["routes"]["2001:db8:15::1/128"];
    assert_eq!((&host["metricCost"], &host["prefixOptions"]), (&json!(0), &json!("--|--|--|LA|--")));
    let text = lab.exec(0, "show ipv6 ospf6 interface prefix 2001:db8:15::77");
    assert!(text.starts_with("Destination: 2001:db8:15::/64\n"), "{text}");
    assert!(text.contains("LS Origin: 0x0000 Id: 0.0.0.0 Adv: 0.0.0.0\n"), "{text}");
    assert_eq!(lab.exec(0, "show ipv6 ospf6 interface prefix 2001:db8::/32 match").lines().count(), 4);
}

#[test]
fn routes_in_full_say_what_is_said_of_their_prefix() {
    let mut lab = network();
    let json = lab.json(0, "show ipv6 ospf6 route detail");
    assert_eq!(json["routes"]["2001:db8:ff::2/128"]["prefixOptions"], "--|--|--|LA|--");
    assert_eq!(json["routes"]["2001:db8:15::/64"]["prefixOptions"], "--|--|--|--|--");
    let matching = lab.json(0, "show ipv6 ospf6 route 2001:db8:ff::/48 match");
    assert_eq!(matching["routes"].as_object().map(|all| all.len()), Some(2), "{matching}");
}
