//! Policies edited while sessions are up, between FRR neighbours: what an edit touches follows, what it does not touch is
//! not judged again, no session ends, and `explain` says why.

use std::time::Duration;

use topotests::{Kind, Needs, Net, Result, Router, ensure, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(60);

fn eventually(what: &str, condition: impl FnMut() -> Result<()>) -> Result<()> {
    wait_until(PATIENCE, what, condition)
}

/// Networks that the first neighbour announces.
const COUNT: usize = 40;

fn network(n: usize) -> String {
    format!("198.51.{n}.0/24")
}

const OURS: &str = "bgp route-map delay-timer 1
ip prefix-list NETS seq 5 permit 198.51.0.0/16 ge 24 le 24
ip prefix-list OUT seq 5 permit any
route-map IN permit 10
 match ip address prefix-list NETS
 set local-preference 150
route-map TO-F2 permit 10
 match ip address prefix-list OUT
 set community 65001:1
route-map FROM-F2 permit 10
router bgp 65001
 bgp router-id 192.0.2.1
 neighbor 10.0.1.2 remote-as 65002
 neighbor 10.0.1.2 timers connect 2
 neighbor 10.0.2.2 remote-as 65003
 neighbor 10.0.2.2 timers connect 2
 address-family ipv4 unicast
  neighbor 10.0.1.2 soft-reconfiguration inbound
  neighbor 10.0.1.2 route-map IN in
  neighbor 10.0.1.2 route-map TO-F2 out
  neighbor 10.0.2.2 route-map FROM-F2 in
  neighbor 10.0.2.2 route-map TO-F2 out
";

/// What the second neighbour announces.
const OF_F2: &str = "203.0.113.0/24";

/// A neighbour that announces these networks, and does not send back what it hears: it would be refused for its AS path,
/// but be counted as taken in, at a time of its own.
fn frr(asn: u32, ours: &str, networks: &[String]) -> String {
    let lines: String = networks.iter().map(|net| format!("  network {net}\n")).collect();
    format!(
        "router bgp {asn}\n no bgp ebgp-requires-policy\n no bgp network import-check\n neighbor {ours} remote-as 65001\n neighbor {ours} timers connect 2\n neighbor {ours} sender-as-path-loop-detection\n address-family ipv4 unicast\n{lines} exit-address-family\n"
    )
}

/// f1 (FRR) announces, r1 is ours, f2 (FRR) receives, and announces one network.
fn line(net: &mut Net) -> Result<[Router; 3]> {
    let r1 = net.router("r1", Kind::Ours)?;
    let (f1, f2) = (net.router("f1", Kind::Frr)?, net.router("f2", Kind::Frr)?);
    net.link(&r1, "10.0.1.1/24", &f1, "10.0.1.2/24")?;
    net.link(&r1, "10.0.2.1/24", &f2, "10.0.2.2/24")?;
    r1.start(OURS)?;
    let networks: Vec<String> = (0..COUNT).map(network).collect();
    f1.start(&frr(65002, "10.0.1.1", &networks))?;
    f2.start(&frr(65003, "10.0.2.1", &[OF_F2.to_owned()]))?;
    eventually("both have every network", || {
        for router in [&f1, &f2] {
            let table = router.vtysh_json("show bgp ipv4 unicast json")?;
            let count = table["routes"].as_object().map_or(0, serde_json::Map::len);
            ensure!(count == COUNT + 1, "{}: {count} of {}", router.name(), COUNT + 1);
        }
        Ok(())
    })?;
    Ok([r1, f1, f2])
}

/// Routes that went through import and export so far.
fn evaluations(router: &Router) -> Result<(u64, u64)> {
    let memory = router.vtysh_json("show bgp memory json")?;
    let count = |key: &str| memory[key].as_u64().unwrap_or(u64::MAX);
    Ok((count("importEvaluations"), count("exportEvaluations")))
}

fn has(router: &Router, prefix: &str) -> Result<serde_json::Value> {
    let route = router.vtysh_json(&format!("show bgp ipv4 unicast {prefix} json"))?;
    let path = route["paths"][0].clone();
    ensure!(path.is_object(), "{prefix} is not there: {route}");
    Ok(path)
}

fn lacks(router: &Router, prefix: &str) -> Result<()> {
    let route = router.vtysh_json(&format!("show bgp ipv4 unicast {prefix} json"))?;
    ensure!(route["paths"][0].is_null(), "{prefix} is there: {route}");
    Ok(())
}

#[test]
fn edits_reach_the_neighbours_and_judge_only_what_they_touch() {
    run(&Needs::ours_and_peers(), |net| {
        let [r1, _, f2] = line(net)?;
        let before = evaluations(&r1)?;
        r1.configure(&["ip prefix-list OUT seq 1 deny 198.51.7.0/24"])?;
        eventually("an export edit withdraws one network", || lacks(&f2, &network(7)))?;
        let after = evaluations(&r1)?;
        ensure!(after.0 == before.0, "import ran again: {before:?} {after:?}");
        ensure!(after.1 - before.1 <= 4, "more than one network was judged: {before:?} {after:?}");
        has(&f2, &network(8))?;

        r1.configure(&["ip prefix-list NETS seq 1 deny 198.51.9.0/24"])?;
        eventually("an import edit takes one network away", || lacks(&f2, &network(9)))?;
        let last = evaluations(&r1)?;
        ensure!(last.0 - after.0 == 1, "more than one network came in again: {after:?} {last:?}");

        r1.configure(&["no ip prefix-list NETS seq 1", "no ip prefix-list OUT seq 1"])?;
        eventually("both are back", || {
            has(&f2, &network(7))?;
            has(&f2, &network(9)).map(drop)
        })?;
        r1.configure(&["route-map TO-F2 permit 10", "set metric 77"])?;
        eventually("a set clause reaches everything", || {
            let path = has(&f2, &network(3))?;
            ensure!(path["metric"] == 77 || path["med"] == 77, "{path}");
            Ok(())
        })?;
        let summary = r1.vtysh_json("show bgp ipv4 unicast summary json")?;
        for peer in ["10.0.1.2", "10.0.2.2"] {
            let ups = &summary["peers"][peer]["connectionsEstablished"];
            ensure!(*ups == 1, "{peer}: {summary}");
        }
        Ok(())
    });
}

#[test]
fn a_map_that_is_rewritten_is_applied_once_and_whole() {
    run(&Needs::ours_and_peers(), |net| {
        let [r1, _, f2] = line(net)?;
        r1.configure(&["bgp route-map delay-timer 0"])?;
        r1.configure(&["no route-map TO-F2", "route-map TO-F2 permit 10", "set community 65001:2"])?;
        let path = has(&f2, &network(1))?;
        ensure!(path["community"]["string"] == "65001:1", "without the timer nothing is applied: {path}");
        r1.vtysh("clear bgp ipv4 unicast * soft")?;
        eventually("the operator's word applies it", || {
            let path = has(&f2, &network(1))?;
            ensure!(path["community"]["string"] == "65001:2", "{path}");
            Ok(())
        })
    });
}

#[test]
fn explain_says_what_happened() {
    run(&Needs::ours_and_peers(), |net| {
        let [r1, _, f2] = line(net)?;
        r1.configure(&["ip prefix-list OUT seq 1 deny 198.51.7.0/24"])?;
        eventually("the network is withdrawn", || lacks(&f2, &network(7)))?;
        let why = r1.vtysh_json("show bgp ipv4 unicast 198.51.7.0/24 explain json")?;
        let path = &why["paths"][0];
        ensure!(path["standing"] == "best" && path["import"]["verdict"] == "accepted", "{why}");
        let change = &path["import"]["policy"][0]["entries"][0]["sets"][0]["effects"][0];
        ensure!(change["attribute"] == "local-preference" && change["after"] == "150", "{why}");
        let to =
            why["neighbors"].as_array().and_then(|all| all.iter().find(|to| to["neighbor"] == "10.0.2.2"));
        let export = to.map(|to| to["paths"][0].clone()).unwrap_or_default();
        ensure!(export["reason"]["code"] == "policy", "{why}");
        ensure!(export["policy"][0]["entries"][0]["failedClause"] == "ip address prefix-list OUT", "{why}");
        let text = r1.vtysh("show bgp ipv4 unicast 198.51.8.0/24 explain neighbor 10.0.2.2 out")?;
        ensure!(text.contains("To 10.0.2.2: sent"), "{text}");
        ensure!(text.contains("set community 65001:1: community none -> 65001:1"), "{text}");
        Ok(())
    });
}

#[test]
fn neighbours_by_group_and_communities_by_name_are_matched() {
    run(&Needs::ours_and_peers(), |net| {
        let [r1, _, f2] = line(net)?;
        r1.configure(&["bgp community alias 65001:1 MARKED"])?;
        r1.configure(&["router bgp 65001", "neighbor G peer-group", "neighbor 10.0.1.2 peer-group G"])?;
        r1.configure(&["route-map IN permit 5", "match peer G", "set local-preference 170"])?;
        r1.configure(&["route-map IN permit 10", "set local-preference 160"])?;
        r1.configure(&["route-map TO-F2 permit 20", "match alias MARKED", "set metric 33"])?;
        r1.configure(&["route-map TO-F2 permit 10", "on-match next"])?;
        eventually("the group is known by its name", || {
            let path = has(&r1, &network(3))?;
            ensure!(path["locPrf"] == 170, "{path}");
            Ok(())
        })?;
        let metric = |wanted: u64| {
            eventually("the alias is known by its name", || {
                let path = has(&f2, &network(3))?;
                ensure!(path["metric"].as_u64().unwrap_or(0) == wanted, "{path}");
                Ok(())
            })
        };
        metric(33)?;
        // Another name for the community: the map no longer matches, and the routes are judged again.
        r1.configure(&["no bgp community alias 65001:1 MARKED", "bgp community alias 65001:1 RENAMED"])?;
        r1.configure(&["route-map TO-F2 permit 30"])?;
        eventually("the old name is nobody's", || {
            let path = has(&f2, &network(3))?;
            ensure!(path["metric"].as_u64() != Some(33), "{path}");
            Ok(())
        })
    });
}

/// ROUTE-REFRESH messages that a neighbour has heard from us, and sessions with it so far.
fn asked(neighbour: &Router, us: &str) -> Result<(u64, u64)> {
    let view = neighbour.vtysh_json(&format!("show bgp neighbors {us} json"))?;
    let of =
        |pointer: &str| view[us].pointer(pointer).and_then(serde_json::Value::as_u64).unwrap_or(u64::MAX);
    Ok((of("/messageStats/routeRefreshRecv"), of("/connectionsEstablished")))
}

#[test]
fn an_import_edit_asks_only_neighbours_whose_routes_it_can_touch_and_who_can_be_asked() {
    run(&Needs::ours_and_peers(), |net| {
        let [r1, f1, f2] = line(net)?;
        let (first, second) = (asked(&f1, "10.0.1.1")?, asked(&f2, "10.0.2.1")?);
        // The routes of the first are kept, the second is asked.
        r1.configure(&["route-map IN permit 10", "set metric 70"])?;
        r1.configure(&["route-map FROM-F2 permit 10", "set metric 80"])?;
        let metric = |prefix: &str, wanted: u64| {
            eventually("the edit reached the table", || {
                let path = has(&r1, prefix)?;
                ensure!(path["metric"].as_u64() == Some(wanted), "{path}");
                Ok(())
            })
        };
        metric(&network(1), 70)?;
        metric(OF_F2, 80)?;
        ensure!(asked(&f1, "10.0.1.1")? == first, "the first was asked: {first:?}");
        let now = asked(&f2, "10.0.2.1")?;
        ensure!(now == (second.0 + 1, second.1), "the second was not asked once: {second:?} {now:?}");
        // An edit that touches none of its routes asks nobody: the map is the other's.
        r1.configure(&["route-map IN permit 10", "set metric 71"])?;
        metric(&network(1), 71)?;
        ensure!(asked(&f2, "10.0.2.1")?.0 == second.0 + 1, "it was asked for the edit of another's map");
        // Who cannot be asked keeps its session, and its routes stand as they were judged, as in FRR.
        f2.configure(&["router bgp 65003", "neighbor 10.0.2.1 dont-capability-negotiate"])?;
        r1.configure(&["router bgp 65001", "neighbor 10.0.2.2 dont-capability-negotiate"])?;
        eventually("it is up without capabilities", || {
            let now = asked(&f2, "10.0.2.1")?;
            ensure!(now.1 > second.1, "{now:?}");
            r1.bgp_established("10.0.2.2")?;
            has(&r1, OF_F2).map(drop)
        })?;
        let before = asked(&f2, "10.0.2.1")?;
        r1.configure(&["route-map FROM-F2 permit 10", "set metric 90"])?;
        r1.configure(&["route-map IN permit 10", "set metric 72"])?;
        metric(&network(1), 72)?;
        metric(OF_F2, 80)?;
        ensure!(asked(&f2, "10.0.2.1")? == before, "it was asked, or its session ended");
        r1.vtysh("clear bgp 10.0.2.2")?;
        metric(OF_F2, 90)
    });
}
