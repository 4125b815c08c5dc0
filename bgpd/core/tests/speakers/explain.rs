//! `show bgp PREFIX explain`: what import, decision and export did, from the policy that ran.

use super::chain;

const POLICY: &str = "ip prefix-list NET permit 10.0.0.0/8 le 24
bgp as-path access-list OWN permit ^65001$
route-map LOCAL permit 10
 set community 65002:7
route-map IN deny 5
 match ip address prefix-list NONE
route-map IN permit 10
 match ip address prefix-list NET
 match as-path OWN
 set local-preference 250
 set metric 9
 call LOCAL
 on-match next
route-map IN permit 20
 set as-path prepend 65002
route-map OUT deny 10
 match community C7
route-map OUT permit 20
bgp community-list standard C7 permit 65002:7
router bgp 65002
 address-family ipv4 unicast
  neighbor 10.0.1.1 soft-reconfiguration inbound
  neighbor 10.0.1.1 route-map IN in
  neighbor 10.0.2.3 route-map OUT out
";

#[test]
fn explain_names_every_entry_change_and_reason() {
    for shards in [1, 2] {
        let mut world = chain(9, shards);
        world.configure("b", POLICY);
        world.run(40);
        let why = world.json("b", "show bgp ipv4 unicast 10.1.0.0/16 explain json");
        let path = &why["paths"][0];
        assert_eq!((&path["from"], &path["standing"]), (&"10.0.1.1".into(), &"best".into()), "{why}");
        assert_eq!(
            (&path["import"]["verdict"], &path["import"]["basis"]),
            (&"accepted".into(), &"received".into())
        );
        let map = &path["import"]["policy"][0];
        assert_eq!((&map["type"], &map["routeMap"]), (&"routeMap".into(), &"IN".into()), "{why}");
        let entries = map["entries"].as_array().unwrap();
        let sequences: Vec<_> = entries.iter().map(|entry| entry["sequence"].as_u64().unwrap()).collect();
        assert_eq!(sequences, [5, 10, 20]);
        assert_eq!(entries[0]["failedClause"], "ip address prefix-list NONE");
        assert_eq!(entries[1]["call"]["routeMap"], "LOCAL");
        let set = |at: usize| &entries[1]["sets"][at]["effects"][0];
        assert_eq!(
            (&set(0)["attribute"], &set(0)["before"], &set(0)["after"]),
            (&"local-preference".into(), &"".into(), &"250".into())
        );
        assert_eq!(map["by"], 20);
        // Not sent to c, by the first entry of OUT; sent back to nobody.
        let to = |neighbor: &str| {
            let all = why["neighbors"].as_array().unwrap();
            all.iter().find(|to| to["neighbor"] == neighbor).unwrap().clone()
        };
        assert_eq!(to("10.0.2.3")["sent"], false);
        assert_eq!(to("10.0.2.3")["paths"][0]["reason"]["code"], "policy");
        assert_eq!(to("10.0.2.3")["paths"][0]["policy"][0]["by"], 10);
        assert_eq!(to("10.0.1.1")["paths"][0]["reason"]["code"], "splitHorizon");
        let text = world.show("b", "show bgp ipv4 unicast 10.1.0.0/16 explain neighbor 10.0.2.3 out");
        for line in [
            "  To 10.0.2.3: not sent",
            "    path from 10.0.1.1: not told, export policy denies it",
            "        deny 10: matches: match community C7",
            "      route-map OUT: deny, by entry 10",
        ] {
            assert!(text.lines().any(|known| known == line), "{line}\n{text}");
        }
        // The policy as it is now, and an address instead of a prefix.
        world.configure("b", "no route-map OUT deny 10\nip prefix-list NET seq 1 deny 10.1.0.0/16\n");
        world.run(8);
        let why = world.json("b", "show bgp ipv4 10.1.2.3 explain json");
        assert_eq!(why["prefix"], "10.1.0.0/16", "{why}");
        assert_eq!(why["paths"][0]["standing"], "best", "{why}");
        let entries = &why["paths"][0]["import"]["policy"][0]["entries"];
        assert_eq!(entries[1]["failedClause"], "ip address prefix-list NET", "{why}");
        let c = why["neighbors"]
            .as_array()
            .unwrap()
            .iter()
            .find(|to| to["neighbor"] == "10.0.2.3")
            .unwrap()
            .clone();
        assert_eq!((&c["sent"], &c["paths"][0]["told"]), (&true.into(), &true.into()), "{why}");
        world.configure("b", "route-map IN deny 20\n");
        world.run(8);
        let why = world.show("b", "show bgp ipv4 10.1.0.0/16 explain neighbor 10.0.1.1 in");
        assert!(why.contains("Import: refused: import policy denies it"), "{why}");
        assert!(why.contains("Decision: refused"), "{why}");
        assert_eq!(world.show("b", "show bgp ipv4 10.9.0.0/16 explain"), "% Network not in table\n");
    }
}

#[test]
fn explaining_counts_nothing() {
    let mut world = chain(10, 1);
    world.configure("b", POLICY);
    world.run(40);
    let counts = |world: &mut super::World| {
        (world.show("b", "show route-map json"), world.show("b", "show ip prefix-list detail json"))
    };
    let before = counts(&mut world);
    world.show("b", "show bgp ipv4 unicast 10.1.0.0/16 explain");
    assert_eq!(counts(&mut world), before);
}
