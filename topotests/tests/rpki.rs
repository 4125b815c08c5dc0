//! RPKI against StayRTR, with FRR beside us on the same cache and the same routes.

use std::time::Duration;

use serde_json::{Value, json};
use topotests::daemon::{frr, ours};
use topotests::{Failure, Kind, Needs, Net, Result, Router, ensure, holds_for, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(60);
const PORT: u16 = 8282;

/// A cache's data as StayRTR reads them.
fn roas(roas: &[(&str, u8, u32)]) -> String {
    let roas: Vec<Value> = roas
        .iter()
        .map(|(prefix, max, asn)| json!({"prefix": prefix, "maxLength": max, "asn": asn, "ta": "t"}))
        .collect();
    json!({"metadata": {}, "roas": roas, "bgpsec_keys": []}).to_string()
}

const FIRST: &[(&str, u8, u32)] =
    &[("10.1.0.0/16", 24, 65002), ("10.2.0.0/16", 16, 65009), ("2001:db8:1::/48", 48, 65002)];

const SLURM: &str = r#"{"slurmVersion": 2,
 "validationOutputFilters": {"prefixFilters": [], "bgpsecFilters": [], "aspaFilters": []},
 "locallyAddedAssertions": {"prefixAssertions": [], "bgpsecAssertions": [],
  "aspaAssertions": [{"customerAsn": 65002, "providers": [65001, 65010]}]}}"#;

/// Starts a cache that looks at its file every second.
fn start_cache(router: &Router, port: u16) -> Result<u32> {
    let args = [
        "-bind",
        &format!(":{port}"),
        "-cache",
        "/run/t/etc/vrps.json",
        "-checktime=false",
        "-refresh",
        "1",
        "-export.path",
        "",
        "-rtr.retry",
        "1",
        "-metrics.addr",
        &format!(":{}", port + 1000),
    ];
    let args: Vec<String> = args.iter().map(ToString::to_string).collect();
    router.start_foreground("/usr/bin/stayrtr", &args, &[])
}

fn config(addr: &str, peer: &str, more: &str) -> String {
    format!(
        "{more}router bgp 65001
 bgp router-id {addr}
 no bgp ebgp-requires-policy
 neighbor {peer} remote-as 65002
 neighbor {peer} timers connect 1
exit
"
    )
}

/// The sender, FRR of AS 65002: three prefixes, one of each state.
fn sender() -> String {
    "router bgp 65002
 bgp router-id 10.0.0.2
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor 10.0.0.1 remote-as 65001
 neighbor 10.0.0.1 timers connect 1
 neighbor 10.0.0.4 remote-as 65001
 neighbor 10.0.0.4 timers connect 1
 address-family ipv4 unicast
  network 10.1.0.0/24
  network 10.2.0.0/16
  network 10.9.0.0/16
 exit-address-family
exit
"
    .to_owned()
}

struct Lab {
    ours: Router,
    beside: Router,
    cache: Router,
}

/// Ours and FRR on one network with the sender and the cache.
fn lab(net: &mut Net, policy: &str) -> Result<Lab> {
    let ours = net.router("r1", Kind::Ours)?;
    let sender_router = net.router("r2", Kind::Frr)?;
    let cache = net.router("r3", Kind::Frr)?;
    let beside = net.router("r4", Kind::Frr)?;
    net.lan(
        "lan",
        &[
            (&ours, "10.0.0.1/24"),
            (&sender_router, "10.0.0.2/24"),
            (&cache, "10.0.0.3/24"),
            (&beside, "10.0.0.4/24"),
        ],
    )?;
    cache.write("etc/vrps.json", &roas(FIRST))?;
    start_cache(&cache, PORT)?;
    let rpki = format!("rpki\n rpki retry_interval 1\n rpki cache tcp 10.0.0.3 {PORT} preference 1\nexit\n");
    frr::start(&sender_router, &sender())?;
    let daemons = ["zebra", "mgmtd", "staticd", "bgpd"];
    frr::start_daemons(&beside, &config("10.0.0.4", "10.0.0.2", &rpki), &daemons, &["-M", "rpki"])?;
    // StayRTR speaks no version 2, so authorisations come as local exceptions.
    let file = ours.write("etc/exceptions.json", SLURM)?;
    let rpki = rpki.replace("exit\n", &format!(" rpki slurm {file}\nexit\n"));
    ours::start(&ours, &config("10.0.0.1", "10.0.0.2", &format!("{rpki}{policy}")))?;
    Ok(Lab { ours, beside, cache })
}

/// Prefixes of the table with their states.
fn states(router: &Router) -> Result<Vec<(String, &'static str)>> {
    let table = router.vtysh_json("show bgp ipv4 unicast json")?;
    let routes = table["routes"].as_object().ok_or_else(|| Failure::new("no routes"))?;
    let state = |path: &Value| {
        ["rpkiValid", "rpkiInvalid", "rpkiNotFound"]
            .into_iter()
            .find(|key| path[*key] == true)
            .unwrap_or("none")
    };
    let mut all: Vec<_> = routes.iter().map(|(prefix, paths)| (prefix.clone(), state(&paths[0]))).collect();
    all.sort();
    Ok(all)
}

fn wait_states(router: &Router, expected: &[(&str, &str)]) -> Result<()> {
    wait_until(PATIENCE, "the validation states are as expected", || {
        let states = states(router)?;
        let same =
            states.iter().map(|(prefix, state)| (prefix.as_str(), *state)).eq(expected.iter().copied());
        ensure!(same, "{states:?}");
        Ok(())
    })
}

#[test]
fn states_and_tables_are_those_of_frr_on_the_same_cache() {
    run(&Needs::ours_and_peers(), |net| {
        let lab = lab(net, "")?;
        let expected =
            [("10.1.0.0/24", "rpkiValid"), ("10.2.0.0/16", "rpkiInvalid"), ("10.9.0.0/16", "rpkiNotFound")];
        wait_states(&lab.ours, &expected)?;
        wait_states(&lab.beside, &expected)?;
        let sorted = |router: &Router, command: &str| -> Result<Vec<String>> {
            let table = router.vtysh_json(command)?;
            let rows = table["prefixes"].as_array().ok_or_else(|| Failure::new("no prefixes"))?;
            let mut rows: Vec<String> = rows.iter().map(ToString::to_string).collect();
            rows.sort();
            Ok(rows)
        };
        for command in [
            "show rpki prefix-table json",
            "show rpki prefix 10.1.0.0/24 json",
            "show rpki prefix 10.2.0.0/16 65002 json",
            "show rpki as-number 65002 json",
        ] {
            let (a, b) = (sorted(&lab.ours, command)?, sorted(&lab.beside, command)?);
            ensure!(a == b, "{command}: {a:?} and {b:?}");
        }
        let aspas = lab.ours.vtysh_json("show rpki aspa json")?;
        ensure!(aspas["aspas"][0] == json!({"customer": 65002, "providers": [65001, 65010]}), "{aspas}");
        let path = lab.ours.vtysh_json("show bgp ipv4 unicast 10.9.0.0/16 json")?;
        ensure!(path["paths"][0]["aspaVerificationState"] == "valid", "{path}");
        let filtered = lab.ours.vtysh("show bgp ipv4 unicast rpki invalid")?;
        ensure!(filtered.contains("I*>  10.2.0.0/16") && !filtered.contains("10.1.0.0/24"), "{filtered}");
        let detail = lab.ours.vtysh("show bgp ipv4 unicast 10.9.0.0/16")?;
        ensure!(detail.contains("rpki validation-state: not found"), "{detail}");
        Ok(())
    });
}

#[test]
fn a_change_of_the_cache_brings_routes_back_and_takes_them_away() {
    let policy = "route-map IN deny 10\n match rpki invalid\nexit\nroute-map IN permit 20\nexit\n";
    run(&Needs::ours_and_peers(), |net| {
        let lab = lab(net, policy)?;
        let valid = ("10.1.0.0/24", "rpkiValid");
        let found = [valid, ("10.2.0.0/16", "rpkiInvalid"), ("10.9.0.0/16", "rpkiNotFound")];
        wait_states(&lab.ours, &found)?;
        let map = "neighbor 10.0.0.2 route-map IN in";
        lab.ours.configure(&["router bgp 65001", "address-family ipv4 unicast", map])?;
        wait_states(&lab.ours, &[valid, ("10.9.0.0/16", "rpkiNotFound")])?;
        let refreshes = |router: &Router| -> Result<Value> {
            let neighbor = router.vtysh_json("show bgp neighbors 10.0.0.2 json")?;
            Ok(neighbor["10.0.0.2"]["messageStats"]["routeRefreshSent"].clone())
        };
        let before = refreshes(&lab.ours)?;
        let now = [FIRST[0], ("10.2.0.0/16", 16, 65002), ("10.9.0.0/16", 16, 65009)];
        lab.cache.write("etc/vrps.json", &roas(&now))?;
        wait_states(&lab.ours, &[valid, ("10.2.0.0/16", "rpkiValid")])?;
        lab.cache.write("etc/vrps.json", &roas(FIRST))?;
        wait_states(&lab.ours, &[valid, ("10.9.0.0/16", "rpkiNotFound")])?;
        let after = refreshes(&lab.ours)?;
        ensure!(before == after, "the neighbor was asked again: {before} and {after}");
        Ok(())
    });
}

#[test]
fn a_second_cache_takes_over_and_gives_back_and_data_outlive_both() {
    run(&Needs::ours_and_peers(), |net| {
        let ours = net.router("r1", Kind::Ours)?;
        let cache = net.router("r3", Kind::Frr)?;
        net.lan("lan", &[(&ours, "10.0.0.1/24"), (&cache, "10.0.0.3/24")])?;
        cache.write("etc/vrps.json", &roas(FIRST))?;
        let first = start_cache(&cache, PORT)?;
        let second = start_cache(&cache, PORT + 1)?;
        let rpki = format!(
            "rpki\n rpki retry_interval 1\n rpki cache tcp 10.0.0.3 {PORT} preference 1\n rpki cache tcp 10.0.0.3 {} \
             preference 2\nexit\nrouter bgp 65001\n bgp router-id 10.0.0.1\nexit\n",
            PORT + 1
        );
        ours::start(&ours, &rpki)?;
        let group = |expected: Value| {
            wait_until(PATIENCE, &format!("the cache in use is {expected}"), || {
                let view = ours.vtysh_json("show rpki cache-connection json")?;
                ensure!(view["connectedGroup"] == expected, "{view}");
                let count = ours.vtysh_json("show rpki prefix-count json")?;
                ensure!(count["ipv4PrefixCount"] == 2 && count["ipv6PrefixCount"] == 1, "{count}");
                Ok(())
            })
        };
        group(json!(1))?;
        wait_until(PATIENCE, "the second cache is connected as well", || {
            let view = ours.vtysh_json("show rpki cache-connection json")?;
            ensure!(view["connections"][1]["state"] == "connected", "{view}");
            Ok(())
        })?;
        cache.signal(first, "KILL")?;
        group(json!(2))?;
        cache.signal(second, "KILL")?;
        group(Value::Null)?;
        start_cache(&cache, PORT)?;
        group(json!(1))
    });
}

/// FRR in the same AS, which knows the RPKI by what ours says alone.
const INTERNAL: &str = "route-map STATE permit 10
 match rpki-extcommunity valid
 set local-preference 701
exit
route-map STATE permit 20
 match rpki-extcommunity invalid
 set local-preference 702
exit
route-map STATE permit 30
 match rpki-extcommunity notfound
 set local-preference 703
exit
router bgp 65001
 bgp router-id 10.0.0.4
 neighbor 10.0.0.1 remote-as 65001
 neighbor 10.0.0.1 timers connect 1
 address-family ipv4 unicast
  neighbor 10.0.0.1 route-map STATE in
 exit-address-family
exit
";

#[test]
fn a_strict_session_waits_for_the_cache_and_internal_neighbours_are_told_the_states() {
    run(&Needs::ours_and_peers(), |net| {
        let ours = net.router("r1", Kind::Ours)?;
        let sender_router = net.router("r2", Kind::Frr)?;
        let cache = net.router("r3", Kind::Frr)?;
        let internal = net.router("r4", Kind::Frr)?;
        let addrs = [
            (&ours, "10.0.0.1/24"),
            (&sender_router, "10.0.0.2/24"),
            (&cache, "10.0.0.3/24"),
            (&internal, "10.0.0.4/24"),
        ];
        net.lan("lan", &addrs)?;
        cache.write("etc/vrps.json", &roas(FIRST))?;
        frr::start(&sender_router, &sender())?;
        frr::start_daemons(&internal, INTERNAL, &["zebra", "bgpd"], &["-M", "rpki"])?;
        let rpki =
            format!("rpki\n rpki retry_interval 1\n rpki cache tcp 10.0.0.3 {PORT} preference 1\nexit\n");
        let family = " neighbor 10.0.0.2 rpki strict\n neighbor 10.0.0.4 remote-as 65001\n address-family ipv4 unicast\n  \
                      neighbor 10.0.0.4 send-community extended rpki\n  neighbor 10.0.0.4 next-hop-self\n exit-address-family\nexit\n";
        let text =
            config("10.0.0.1", "10.0.0.2", &rpki).replace(" timers connect 1\nexit\n", " timers connect 1\n");
        ours::start(&ours, &(text + family))?;
        // The one session is there, and the other waits.
        ours.wait_bgp_established("10.0.0.4")?;
        let waits = "the session waits for data";
        holds_for(Duration::from_secs(3), waits, || {
            let all = ours.vtysh_json("show bgp neighbors 10.0.0.2 json")?;
            ensure!(all["10.0.0.2"]["bgpState"] != "Established", "it came up");
            Ok(())
        })?;
        start_cache(&cache, PORT)?;
        ours.wait_bgp_established("10.0.0.2")?;
        let told = [("10.1.0.0/24", 701), ("10.2.0.0/16", 702), ("10.9.0.0/16", 703)];
        let all_told = |told: [(&str, u64); 3]| {
            wait_until(PATIENCE, "the internal neighbour knows every state", || {
                for (prefix, preference) in told {
                    let route = internal.vtysh_json(&format!("show bgp ipv4 unicast {prefix} json"))?;
                    ensure!(route["paths"][0]["locPrf"] == preference, "{prefix}: {route}");
                }
                Ok(())
            })
        };
        all_told(told)?;
        // The states change, and what is told of them.
        cache.write("etc/vrps.json", &roas(&[("10.9.0.0/16", 16, 65002), ("10.1.0.0/16", 24, 65009)]))?;
        all_told([("10.1.0.0/24", 702), ("10.2.0.0/16", 703), ("10.9.0.0/16", 701)])?;
        // A session that is up stays up without data.
        ours.bgp_established("10.0.0.2")
    });
}

/// A table that takes a cache a while to tell.
fn large() -> String {
    let roas: Vec<Value> = (0..60_000)
        .map(|n| json!({"prefix": format!("100.{}.{}.0/24", n >> 8, n & 0xff), "maxLength": 24, "asn": n + 1, "ta": "t"}))
        .collect();
    json!({"metadata": {}, "roas": roas, "bgpsec_keys": []}).to_string()
}

#[test]
fn a_cache_that_dies_while_it_tells_its_data_leaves_no_gap() {
    run(&Needs::ours_and_peers(), |net| {
        let ours = net.router("r1", Kind::Ours)?;
        let cache = net.router("r3", Kind::Frr)?;
        net.lan("lan", &[(&ours, "10.0.0.1/24"), (&cache, "10.0.0.3/24")])?;
        cache.write("etc/vrps.json", &roas(FIRST))?;
        let mut pid = start_cache(&cache, PORT)?;
        let rpki = format!(
            "rpki\n rpki retry_interval 1\n rpki cache tcp 10.0.0.3 {PORT} preference 1\nexit\nrouter bgp 65001\n bgp router-id 10.0.0.1\nexit\n"
        );
        ours::start(&ours, &rpki)?;
        let whole = |count: &Value| {
            let counts = (count["ipv4PrefixCount"].as_u64(), count["ipv6PrefixCount"].as_u64());
            matches!(counts, (Some(2), Some(1)) | (Some(60_000), Some(0)))
        };
        let count = || ours.vtysh_json("show rpki prefix-count json");
        wait_until(PATIENCE, "the first table is there", || {
            let count = count()?;
            ensure!(whole(&count), "{count}");
            Ok(())
        })?;
        for round in 0..3 {
            cache.signal(pid, "KILL")?;
            cache.write("etc/vrps.json", &if round % 2 == 0 { large() } else { roas(FIRST) })?;
            pid = start_cache(&cache, PORT)?;
            wait_until(PATIENCE, "the cache has begun to speak", || {
                let now = count()?;
                ensure!(whole(&now), "in round {round} a part of a table is in force: {now}");
                let view = ours.vtysh_json("show rpki cache-connection json")?;
                let state = view["connections"][0]["state"].as_str().unwrap_or_default().to_owned();
                ensure!(state == "syncing" || state == "connected", "{state}");
                Ok(())
            })?;
        }
        cache.signal(pid, "KILL")?;
        let now = count()?;
        ensure!(whole(&now), "{now}");
        Ok(())
    });
}

#[test]
fn rtrclient_prints_and_validates_what_the_cache_says() {
    run(&Needs::ours_and_peers(), |net| {
        let host = net.router("r1", Kind::Host)?;
        let cache = net.router("r3", Kind::Frr)?;
        net.lan("lan", &[(&host, "10.0.0.1/24"), (&cache, "10.0.0.3/24")])?;
        cache.write("etc/vrps.json", &roas(FIRST))?;
        start_cache(&cache, PORT)?;
        let program = ours::binaries_with(&["rtrclient"])?.join("rtrclient");
        let program = program.to_string_lossy();
        let port = PORT.to_string();
        let mut said = String::new();
        wait_until(PATIENCE, "the cache tells its data", || {
            said = host.run(&program, &["dump", "10.0.0.3", &port])?;
            ensure!(said.contains("10.1.0.0/16") && said.contains("2001:db8:1::/48"), "{said}");
            Ok(())
        })?;
        let routes = ["10.1.0.0/24,65002", "10.2.0.0/16,65002", "10.9.0.0/16,65002"];
        let mut args = vec!["validate", "--json", "10.0.0.3", &port];
        routes.iter().for_each(|route| args.extend(["--route", route]));
        let judged = host.run(&program, &args)?.to_lowercase();
        let lines: Vec<&str> = judged.lines().collect();
        ensure!(lines.len() == 3, "{judged}");
        for (line, state) in lines.iter().zip(["\"valid\"", "\"invalid\"", "not"]) {
            ensure!(line.contains(state), "{state} is not in {line}");
        }
        Ok(())
    });
}
