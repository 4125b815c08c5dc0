//! Signed packets: a link for each kind of key, both versions with FRR 10.3 and BIRD. Debian's FRR is built without OpenSSL and knows
//! MD5 and HMAC-SHA-256 alone, so the other digests are BIRD's. A chain goes over to its next key while the adjacency stays; packets with another key are counted by reason.

use std::time::Duration;

use serde_json::Value;
use topotests::{Family, Kind, Needs, Net, Result, Router, ensure, holds_for, run, wait_until};

use super::speak::{PATIENCE, has, start};
use topotests::daemon::{frr, ours as program};

fn chain(name: &str, algorithm: &str) -> String {
    format!(
        "key chain {name}\n key 7\n  key-string secret{name}\n  cryptographic-algorithm {algorithm}\n exit\nexit\n"
    )
}

/// Chains that FRR has too: one for each algorithm, and one whose key changes at a moment.
fn chains(moment: &str) -> String {
    let key = |id: u8, send: &str| {
        format!(
            " key {id}\n  key-string roll{id}\n  cryptographic-algorithm hmac-sha-256\n  \
             accept-lifetime 00:00:00 Jan 1 2020 infinite\n  send-lifetime {send}\n exit\n"
        )
    };
    let rolling = key(1, &format!("00:00:00 Jan 1 2020 {moment}")) + &key(2, &format!("{moment} infinite"));
    chain("K5", "md5") + &chain("K256", "hmac-sha-256") + &format!("key chain ROLL\n{rolling}exit\n")
}

const V2: &str = " ip ospf area 0
 ip ospf network point-to-point
 ip ospf hello-interval 1
 ip ospf dead-interval 4
";

const V3: &str = " ipv6 ospf6 area 0
 ipv6 ospf6 network point-to-point
 ipv6 ospf6 hello-interval 1
 ipv6 ospf6 dead-interval 4
";

/// What the links with FRR say of keys in OSPFv2, in their order; the last one does not fit.
const KINDS: &[&[&str]] = &[
    &["ip ospf authentication", "ip ospf authentication-key opensesa"],
    &["ip ospf authentication message-digest", "ip ospf message-digest-key 3 md5 abcdefgh"],
    &["ip ospf authentication key-chain K5"],
    &["ip ospf authentication key-chain K256"],
    &["ip ospf authentication key-chain ROLL"],
    &["ip ospf authentication message-digest", "ip ospf message-digest-key 3 md5 WRONG"],
];
const WRONG: usize = 5;
const ROLLING: usize = 4;
/// Those with FRR's ospf6d come after them.
const KINDS6: &[&str] = &[
    "ipv6 ospf6 authentication key-id 9 hash-algo hmac-sha-256 key sesame",
    "ipv6 ospf6 authentication keychain K256",
    "ipv6 ospf6 authentication key-id 9 hash-algo hmac-sha-256 key WRONG",
];
/// And those with BIRD, both versions: chain, BIRD's word for the algorithm.
const BIRDS: &[(&str, &str)] =
    &[("K1", "hmac sha1"), ("K256", "hmac sha256"), ("K384", "hmac sha384"), ("K512", "hmac sha512")];

fn interface(at: usize, lines: &str) -> String {
    format!("interface eth{at}\n{lines}exit\n")
}

fn kind(at: usize) -> String {
    let said: String = KINDS[at].iter().map(|line| format!(" {line}\n")).collect();
    interface(at, &format!("{V2}{said}"))
}

fn ours(moment: &str) -> String {
    let mut config = chains(moment);
    for (name, algorithm) in [("K1", "hmac-sha-1"), ("K384", "hmac-sha-384"), ("K512", "hmac-sha-512")] {
        config.push_str(&chain(name, algorithm));
    }
    (0..KINDS.len()).for_each(|at| config.push_str(&kind(at)));
    for (at, line) in (KINDS.len()..).zip(KINDS6) {
        config.push_str(&interface(at, &format!("{V3} {line}\n")));
    }
    for (at, (chain, _)) in (KINDS.len() + KINDS6.len()..).zip(BIRDS) {
        let keys = format!(
            " ip ospf authentication key-chain {chain}\n ipv6 ospf6 authentication keychain {chain}\n"
        );
        config.push_str(&interface(at, &format!("{V2}{V3}{keys}")));
    }
    config + "router ospf\n ospf router-id 1.1.1.1\nexit\nrouter ospf6\n ospf6 router-id 1.1.1.1\nexit\n"
}

fn theirs() -> String {
    let mut config = String::new();
    (0..KINDS.len()).for_each(|at| config.push_str(&kind(at).replace("WRONG", "abcdefgh")));
    config + "router ospf\n ospf router-id 2.2.2.2\n redistribute connected\nexit\n"
}

fn theirs6() -> String {
    let mut config = chain("K256", "hmac-sha-256");
    for (at, line) in KINDS6.iter().enumerate() {
        config.push_str(&interface(at, &format!("{V3} {}\n", line.replace("WRONG", "sesame"))));
    }
    config + "interface lo\n ipv6 ospf6 area 0\nexit\nrouter ospf6\n ospf6 router-id 3.3.3.3\nexit\n"
}

fn bird() -> String {
    let links = |_: u8| -> String {
        let link = |(at, (chain, algorithm)): (usize, &(&str, &str))| {
            format!(
                "  interface \"eth{at}\" {{ type ptp; hello 1; dead 4; authentication cryptographic;
   password \"secret{chain}\" {{ id 7; algorithm {algorithm}; }}; }};\n"
            )
        };
        BIRDS.iter().enumerate().map(link).collect()
    };
    format!(
        "router id 4.4.4.4;
protocol device {{}}
protocol ospf v2 ospf2 {{
 ipv4 {{ import all; export none; }};
 area 0 {{
{}  interface \"lo\" {{ stub; }};
 }};
}}
protocol ospf v3 ospf3 {{
 ipv6 {{ import all; export none; }};
 area 0 {{
{}  interface \"lo\" {{ stub; }};
 }};
}}
",
        links(2),
        links(3)
    )
}

/// The interfaces on which ours is fully adjacent.
pub fn full_on(router: &Router, version: u8) -> Result<Vec<String>> {
    let mut found: Vec<String> = if version == 2 {
        let json = router.vtysh_json("show ip ospf neighbor json")?;
        let all = json["neighbors"].as_object().cloned().unwrap_or_default();
        let rows = all.values().filter_map(Value::as_array).flatten();
        let full = rows.filter(|row| row["converged"] == "Full");
        full.filter_map(|row| Some(row["ifaceName"].as_str()?.split(':').next()?.to_owned())).collect()
    } else {
        let json = router.vtysh_json("show ipv6 ospf6 neighbor json")?;
        let rows = json["neighbors"].as_array().cloned().unwrap_or_default();
        let full = rows.iter().filter(|row| row["state"] == "Full");
        full.filter_map(|row| Some(row["interfaceName"].as_str()?.to_owned())).collect()
    };
    found.sort();
    Ok(found)
}

fn interfaces(of: impl Iterator<Item = usize>) -> Vec<String> {
    let mut names: Vec<String> = of.map(|at| format!("eth{at}")).collect();
    names.sort();
    names
}

struct Around {
    r1: Router,
    moment: String,
}

fn network(net: &mut Net) -> Result<Around> {
    net.without_capture();
    let r1 = net.router("r1", Kind::Ours)?;
    let (frr, frr6) = (net.router("frr", Kind::Frr)?, net.router("frr6", Kind::Frr)?);
    let bird_ = net.router("bird", Kind::Bird)?;
    for at in 0..KINDS.len() {
        net.link(&r1, &format!("10.0.{at}.1/24"), &frr, &format!("10.0.{at}.2/24"))?;
    }
    for _ in KINDS6 {
        net.link(&r1, "", &frr6, "")?;
    }
    for at in 0..BIRDS.len() {
        net.link(&r1, &format!("10.1.{at}.1/24"), &bird_, &format!("10.1.{at}.4/24"))?;
    }
    net.loopback(&frr, "10.255.0.2/32")?;
    net.loopback(&frr6, "2001:db8:ff::3/128")?;
    net.loopback(&bird_, "10.255.0.4/32 2001:db8:ff::4/128")?;
    // Late enough for the adjacencies to be there before.
    let moment = r1.run("date", &["-d", "+15 seconds", "+%H:%M:%S %b %-d %Y"])?.trim().to_owned();
    frr::start_daemons(&frr, &theirs(), &["zebra", "mgmtd", "ospfd"], &[])?;
    // FRR's daemons end at a file with several chains; one after the other they take them.
    for chain in chains(&moment).split_inclusive("\nexit\n") {
        frr.configure(&chain.lines().map(str::trim).collect::<Vec<_>>())?;
    }
    frr::start_daemons(&frr6, &theirs6(), &["zebra", "mgmtd", "ospf6d"], &[])?;
    start(&bird_, &bird())?;
    start(&r1, &ours(&moment))?;
    Ok(Around { r1, moment })
}

fn signing(router: &Router, at: usize) -> Result<String> {
    let text = router.vtysh(&format!("show ip ospf interface eth{at}"))?;
    let line = text.lines().find_map(|line| line.trim().strip_prefix("Sending SA: "));
    Ok(line.unwrap_or_default().to_owned())
}

/// How many packets of an interface were dropped for a reason.
fn dropped(router: &Router, command: &str, at: usize, reason: &str) -> Result<u64> {
    let json = router.vtysh_json(&format!("{command} interface traffic json"))?;
    let text = json.to_string();
    let row = json.as_object().into_iter().flat_map(|map| map.values()).find_map(|level| {
        level
            .get(format!("eth{at}"))
            .or_else(|| level.as_object()?.values().find_map(|l| l.get(format!("eth{at}"))))
    });
    let row = row.or_else(|| json.get(format!("eth{at}")));
    ensure!(row.is_some(), "no eth{at}: {text}");
    Ok(row.and_then(|row| row["dropped"][reason].as_u64()).unwrap_or(0))
}

#[test]
fn every_kind_of_key_with_frr_and_bird_and_a_wrong_one_is_counted() {
    run(&Needs::ours_and_peers().daemons(&["ospfd"]), |net| {
        let Around { r1, moment } = network(net)?;
        let (six, birds) = (KINDS.len(), KINDS.len() + KINDS6.len());
        let birds = || birds..birds + BIRDS.len();
        let v2 = interfaces((0..WRONG).chain(birds()));
        let v3 = interfaces((six..six + 2).chain(birds()));
        let adjacent = || -> Result<()> {
            let found = full_on(&r1, 2)?;
            ensure!(found == v2, "OSPFv2 on {found:?}, not on {v2:?}");
            let found = full_on(&r1, 3)?;
            ensure!(found == v3, "OSPFv3 on {found:?}, not on {v3:?}");
            Ok(())
        };
        wait_until(PATIENCE, "adjacencies with every kind of key but the wrong ones", adjacent)?;
        has(&r1, Family::V4, &["10.255.0.2/32", "10.255.0.4/32"])?;
        has(&r1, Family::V6, &["2001:db8:ff::3/128"])?;
        let wrong = "wrong password or digest";
        wait_until(PATIENCE, "packets with another key are counted", || {
            let count = dropped(&r1, "show ip ospf", WRONG, wrong)?;
            ensure!(count > 1, "OSPFv2: {count}");
            let count = dropped(&r1, "show ipv6 ospf6", six + 2, wrong)?;
            ensure!(count > 1, "OSPFv3: {count}");
            Ok(())
        })?;
        // Its counters begin anew.
        let counted = |at: usize| -> Result<u64> {
            let json = r1.vtysh_json(&format!("show ipv6 ospf6 interface eth{at} json"))?;
            Ok(json[format!("eth{at}")]["authInfo"]["rxPktDrop"].as_u64().unwrap_or(u64::MAX))
        };
        let before = counted(six + 2)?;
        r1.vtysh(&format!("clear ipv6 ospf6 auth-counters interface eth{}", six + 2))?;
        let after = counted(six + 2)?;
        ensure!(after < before, "{before} packets, and {after} after they were cleared");
        wait_until(PATIENCE, &format!("the next key signs, at {moment}"), || {
            adjacent()?;
            let key = signing(&r1, ROLLING)?;
            ensure!(key.starts_with("Key 2,"), "{key}");
            Ok(())
        })?;
        // As long as it takes to be missed.
        holds_for(Duration::from_secs(5), "and the adjacency stays", adjacent)
    });
}

/// Neither FRR 10.3 nor BIRD speaks RFC 7474: all three are ours.
fn extended(router: u8, links: &[&str]) -> String {
    let mut config = chain("K256", "hmac-sha-256");
    for (at, more) in links.iter().enumerate() {
        let said = format!("{V2} ip ospf authentication key-chain K256\n{more}");
        config.push_str(&interface(at, &said));
    }
    format!("{config}router ospf\n ospf router-id {router}.{router}.{router}.{router}\nexit\n")
}

fn boots(router: &Router) -> Result<u64> {
    let json = router.vtysh_json("show ip ospf interface eth0 json")?;
    let said = &json["interfaces"]["eth0"]["extendedSequence"];
    ensure!(said["state"] == "inUse", "{said}");
    let kept = router.run("cat", &[&format!("{}/state/ospfd.boots", topotests::router::INSIDE)])?;
    let count = said["bootCount"].as_u64().unwrap_or(0);
    ensure!(kept.trim() == count.to_string(), "{count} is said, and kept {kept}");
    Ok(count)
}

#[test]
fn extended_sequence_numbers_outlive_a_restart_and_others_are_counted() {
    const EXTENDED: &str = " ip ospf authentication extended-sequence\n";
    run(&Needs::ours(), |net| {
        net.without_capture();
        let (r1, r2) = (net.router("r1", Kind::Ours)?, net.router("r2", Kind::Ours)?);
        let r3 = net.router("r3", Kind::Ours)?;
        net.link(&r1, "10.0.0.1/24", &r2, "10.0.0.2/24")?;
        net.link(&r1, "10.0.1.1/24", &r3, "10.0.1.3/24")?;
        start(&r1, &extended(1, &[EXTENDED, EXTENDED]))?;
        start(&r2, &extended(2, &[EXTENDED]))?;
        // It has the keys, and signs as RFC 5709 does.
        start(&r3, &extended(3, &[""]))?;
        let adjacent = || -> Result<()> {
            let found = full_on(&r1, 2)?;
            ensure!(found == ["eth0"], "adjacent on {found:?}");
            Ok(())
        };
        wait_until(PATIENCE, "those that sign alike are adjacent", adjacent)?;
        wait_until(PATIENCE, "who signs with less is refused and counted", || {
            for (router, at) in [(&r1, 1), (&r3, 0)] {
                let count = dropped(router, "show ip ospf", at, "another type of authentication")?;
                ensure!(count > 2, "{} counted {count}", router.name());
            }
            Ok(())
        })?;
        let mut before = boots(&r2)?;
        for file in ["as it was", "lost"] {
            let pid = r2.daemon_pid("ospfd")?;
            r2.signal(pid, "KILL")?;
            r2.wait_gone(pid, PATIENCE)?;
            if file == "lost" {
                r2.run("rm", &[&format!("{}/state/ospfd.boots", topotests::router::INSIDE)])?;
            }
            program::start_one(&r2, "ospfd", &[], "debugging")?;
            program::load(&r2)?;
            wait_until(PATIENCE, &format!("it is heard again, the file {file}"), || {
                adjacent()?;
                let found = full_on(&r2, 2)?;
                ensure!(found == ["eth0"], "r2 is adjacent on {found:?}");
                Ok(())
            })?;
            let after = boots(&r2)?;
            ensure!(after > before, "{before} boots, then {after}, the file {file}");
            before = after;
            let back = dropped(&r1, "show ip ospf", 0, "cryptographic sequence number went back")?;
            ensure!(back == 0, "{back} packets seemed old, the file {file}");
        }
        // Who takes it up is heard.
        r3.configure(&["interface eth0", "ip ospf authentication extended-sequence"])?;
        wait_until(PATIENCE, "the third is adjacent too", || {
            let found = full_on(&r1, 2)?;
            ensure!(found == ["eth0", "eth1"], "adjacent on {found:?}");
            Ok(())
        })
    });
}
