//! Next-hop objects beside FRR's under the same configuration: what routes name in the kernel, `show nexthop-group rib` with its
//! filters, and the `nexthop-group` blocks of an operator.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use topotests::daemon::{frr, ours};
use topotests::{Kind, Needs, Result, Router, ensure, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(60);

const CONFIG: &str = "ip route 20.0.0.0/24 10.9.1.2
ip route 20.0.1.0/24 10.9.1.2
ip route 20.0.1.0/24 10.9.2.2
ip route 20.0.2.0/24 20.0.1.7
ip route 20.0.3.0/24 10.9.2.2
ipv6 route 2001:db8:20::/48 2001:db8:1::2
nexthop-group WEB
 resilient buckets 64 idle-timer 10 unbalanced-timer 20
 backup-group SPARE
 nexthop 10.9.1.2 weight 5
 nexthop 10.9.2.2 p2 onlink
 nexthop 2001:db8:1::2 nexthop-vrf RED label 16/17
exit
nexthop-group SPARE
 nexthop p1
exit
";

fn links(router: &Router) -> Result<()> {
    router.ip("link set lo up")?;
    for link in 1..=2 {
        router.ip(&format!("link add p{link} type veth peer name f{link}"))?;
        router.ip(&format!("link set f{link} up"))?;
        router.ip(&format!("link set p{link} up"))?;
        router.ip(&format!("addr add 10.9.{link}.1/24 dev p{link}"))?;
        router.ip(&format!("addr add 2001:db8:{link}::1/64 dev p{link} nodad"))?;
    }
    Ok(())
}

fn json(router: &Router, arguments: &str) -> Result<Value> {
    serde_json::from_str(&router.ip(arguments)?).map_err(|error| topotests::Failure::new(error.to_string()))
}

/// The gateways of the object that a route names in the kernel, and whether that is a group.
fn named(router: &Router, prefix: &str) -> Result<(bool, BTreeSet<String>)> {
    let route = json(router, &format!("-j route show {prefix}"))?;
    let id = route[0]["nhid"].as_u64().unwrap_or(0);
    let object = json(router, &format!("-j nexthop show id {id}"))?;
    let members: Vec<u64> = match object[0]["group"].as_array() {
        Some(members) => members.iter().filter_map(|member| member["id"].as_u64()).collect(),
        None => vec![id],
    };
    let mut gateways = BTreeSet::new();
    for member in members {
        let single = json(router, &format!("-j nexthop show id {member}"))?;
        gateways.insert(single[0]["gateway"].as_str().unwrap_or("none").to_owned());
    }
    Ok((object[0]["group"].is_array(), gateways))
}

/// The next hops of each object that a show lists, those of connected networks left out: here they have no objects.
fn shown(router: &Router, filter: &str) -> Result<BTreeSet<Vec<String>>> {
    let all = router.vtysh_json(&format!("show nexthop-group rib {filter} json"))?;
    let mut out = BTreeSet::new();
    for group in all.as_object().into_iter().flatten().map(|(_, group)| group) {
        let hops = group["nexthops"].as_array().into_iter().flatten();
        let gateways =
            hops.filter(|hop| hop["resolver"] != true).filter_map(|hop| Some(hop["ip"].as_str()?.to_owned()));
        let gateways: Vec<String> = gateways.collect();
        if !gateways.is_empty() && group["installed"] == true {
            out.insert(gateways);
        }
    }
    Ok(out)
}

/// A daemon's routes lead through a block by its name: in the kernel that is a resilient group, and they follow its changes.
fn through_a_block(r1: &Router) -> Result<()> {
    // Its path in the router's folder may be too long for a socket.
    let short = std::env::temp_dir().join(format!("zserv-{}", std::process::id()));
    std::os::unix::fs::symlink(r1.dir().join("log/zserv"), &short)?;
    let socket = short.display().to_string();
    let args = ["--stream", &socket, "--count", "6", "--via", "10.9.1.2", "--group", "WEB"];
    let mut feed = r1.route_feed(&args)?;
    let connected = feed.wait_event("connected", PATIENCE);
    std::fs::remove_file(&short)?;
    connected?;
    feed.tell("announce")?;
    feed.wait_event("sent", PATIENCE)?;
    let group = |gateways: &[&str]| -> Result<u64> {
        let (is_group, found) = named(r1, "20.0.5.0/24")?;
        let wanted: BTreeSet<String> = gateways.iter().map(|gateway| (*gateway).to_owned()).collect();
        ensure!(is_group && found == wanted, "{found:?}");
        let id = json(r1, "-j route show 20.0.5.0/24")?[0]["nhid"].as_u64().unwrap_or(0);
        let text = r1.ip(&format!("nexthop show id {id}"))?;
        ensure!(text.contains("type resilient buckets 64 idle_timer 10 unbalanced_timer 20"), "{text}");
        Ok(id)
    };
    wait_until(PATIENCE, "a resilient group", || group(&["10.9.1.2", "10.9.2.2"]).map(drop))?;
    r1.configure(&["nexthop-group WEB", "nexthop 10.9.1.7"])?;
    wait_until(PATIENCE, "it has another member", || {
        let id = group(&["10.9.1.2", "10.9.1.7", "10.9.2.2"])?;
        let all = r1.vtysh_json(&format!("show nexthop-group rib {id} json"))?;
        ensure!(all[id.to_string()]["buckets"] == 64, "{all}");
        Ok(())
    })?;
    wait_until(PATIENCE, "the kernel has what it should", || {
        let drift = r1.vtysh_json("show zebra fib drift json")?;
        ensure!(drift["inSync"] == true, "{drift}");
        Ok(())
    })
}

#[test]
fn routes_name_what_frrs_name_and_the_shows_tell_of_it() {
    run(&Needs::ours_and_peers(), |net| {
        net.without_capture();
        let (r1, r2) = (net.router("r1", Kind::Ours)?, net.router("r2", Kind::Frr)?);
        links(&r1)?;
        links(&r2)?;
        ours::start_daemons(&r1, CONFIG, &[("zebra", &["-z", "/run/t/log/zserv"])], "informational")?;
        frr::start_with(&r2, CONFIG, &[("zebra", &[]), ("mgmtd", &[]), ("staticd", &[]), ("pbrd", &[])])?;
        for prefix in ["20.0.0.0/24", "20.0.1.0/24", "20.0.2.0/24", "20.0.3.0/24"] {
            wait_until(PATIENCE, prefix, || {
                let (a, b) = (named(&r1, prefix)?, named(&r2, prefix)?);
                ensure!(a == b && !a.1.contains("none"), "ours and FRR's: {a:?} {b:?}");
                Ok(())
            })?;
        }
        for filter in ["", "singleton ip", "singleton ipv6", "zebra", "bgp", "kernel"] {
            wait_until(PATIENCE, filter, || {
                let (a, b) = (shown(&r1, filter)?, shown(&r2, filter)?);
                ensure!(a == b, "`{filter}`, ours and FRR's: {a:?} {b:?}");
                Ok(())
            })?;
        }
        // What others make is shown as the kernel's, and an object by its number.
        for router in [&r1, &r2] {
            router.ip("nexthop add id 900 via 10.9.1.9 dev p1")?;
            wait_until(PATIENCE, "the object of another", || {
                let all = router.vtysh_json("show nexthop-group rib kernel json")?;
                ensure!(all["900"]["type"] == "kernel", "{all}");
                let one = router.vtysh_json("show nexthop-group rib 900 json")?;
                ensure!(one["900"]["nexthops"][0]["ip"] == "10.9.1.9", "{one}");
                Ok(())
            })?;
            ensure!(router.vtysh_json("show nexthop-group rib 4999 json")? == serde_json::json!({}), "4999");
            let told = router.vtysh("show nexthop-group rib 4999").unwrap_or_else(|e| e.to_string());
            ensure!(told.contains("Nexthop Group ID: 4999 does not exist"), "{told}");
        }
        // The number that a route's show gives is that of the object in the kernel.
        for router in [&r1, &r2] {
            let routes = router.vtysh_json("show ip route 20.0.0.0/24 json")?;
            let told = routes["20.0.0.0/24"][0]["installedNexthopGroupId"].as_u64();
            let kernel = json(router, "-j route show 20.0.0.0/24")?[0]["nhid"].as_u64();
            ensure!(told.is_some() && told == kernel, "{told:?} and in the kernel {kernel:?}");
        }
        let ours_vrf = r1.vtysh_json("show nexthop-group rib vrf default json")?;
        ensure!(ours_vrf.as_object().is_some_and(|all| all.len() > 3), "{ours_vrf}");
        // The blocks of the operator are told again as FRR's daemons for them do.
        let blocks = |router: &Router| -> Result<Vec<String>> {
            let text = router.vtysh("show running-config")?;
            let wanted = |line: &&str| {
                ["nexthop-group ", " nexthop ", " backup-group", " resilient"]
                    .iter()
                    .any(|word| line.starts_with(word))
            };
            Ok(text.lines().filter(wanted).map(str::to_owned).collect())
        };
        let (a, b) = (blocks(&r1)?, blocks(&r2)?);
        ensure!(a == b && a.len() == 8, "ours and FRR's:\n{a:#?}\n{b:#?}");
        through_a_block(&r1)
    });
}
