//! The keys of every `show … json` against FRR's, with the same configuration, the same neighbour and the same routes.
//!
//! Scripts read these keys. What FRR has must be there with the same type; what is ours alone may be more.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use serde_json::Value;
use topotests::daemon::{frr, ours};
use topotests::{Kind, Needs, Net, Result, Router, ensure, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(60);

const COMMANDS: &[&str] = &[
    "show bgp summary json",
    "show bgp summary established json",
    "show bgp summary failed json",
    "show bgp summary terse json",
    "show bgp summary remote-as external json",
    "show bgp ipv4 unicast summary json",
    "show bgp ipv6 unicast summary json",
    "show bgp vrf all summary json",
    "show bgp vrf all ipv4 unicast summary json",
    "show bgp neighbors json",
    "show bgp neighbors 10.0.0.2 json",
    "show bgp neighbors 10.0.0.9 json",
    "show bgp neighbors 10.0.0.2 graceful-restart json",
    "show bgp ipv4 unicast json",
    "show bgp ipv4 unicast detail json",
    "show bgp ipv6 unicast json",
    "show bgp ipv4 unicast cidr-only json",
    "show bgp ipv4 unicast community json",
    "show bgp ipv4 unicast community 65002:1 json",
    "show bgp ipv4 unicast large-community json",
    "show bgp ipv4 unicast regexp _65002_ json",
    "show bgp ipv4 unicast version 1 json",
    "show bgp ipv4 unicast 10.1.0.0/16 longer-prefixes json",
    "show bgp ipv4 unicast 10.1.0.0/16 json",
    "show bgp ipv4 unicast 10.2.0.0/16 json",
    "show bgp ipv4 unicast 192.0.2.0/24 json",
    "show bgp ipv4 unicast 10.1.0.0/16 bestpath json",
    "show bgp ipv6 unicast 2001:db8:1::/48 json",
    "show bgp ipv4 unicast neighbors 10.0.0.2 advertised-routes json",
    "show bgp ipv4 unicast neighbors 10.0.0.2 received-routes json",
    "show bgp ipv4 unicast neighbors 10.0.0.2 filtered-routes json",
    "show bgp ipv4 unicast neighbors 10.0.0.2 routes json",
    "show bgp ipv4 unicast neighbors 10.0.0.2 advertised-routes detail json",
    "show bgp ipv4 unicast neighbors 10.0.0.2 received-routes detail json",
    "show bgp ipv4 unicast neighbors 10.0.0.2 bestpath-routes json",
    "show bgp ipv4 unicast neighbors 10.0.0.2 prefix-counts json",
    "show bgp ipv4 unicast dampening parameters json",
    "show bgp ipv4 unicast statistics json",
    "show bgp statistics-all json",
    "show bgp nexthop json",
    "show bgp nexthop detail json",
    "show bgp update-groups json",
    "show bgp peer-group json",
    "show bgp vrfs json",
    "show bgp router json",
    "show bgp as-path-access-list json",
    "show ip prefix-list json",
    "show ip prefix-list summary json",
    "show ip prefix-list detail json",
    "show ip access-list json",
    "show route-map json",
    "show rpki prefix-count json",
    "show rpki prefix-table json",
    "show rpki cache-connection json",
    "show rpki cache-server json",
    "show rpki configuration json",
    "show rpki as-number 65002 json",
    "show rpki prefix 10.1.0.0/16 json",
];

/// Keys that FRR has and ours do not, each with its reason: command (its beginning), key (with all that is in it).
///
/// Most are of a session that is not there: FRR fills in a word for what nobody knows, ours leave the key out.
const LEFT_OUT: &[(&str, &str, &str)] = &[
    ("show bgp summary failed", ".lastResetCode", "no session has been reset"),
    ("show bgp summary failed", ".lastResetDueTo", "no session has been reset"),
    ("show bgp summary failed", ".ipv6Unicast.failedPeersCount", "no neighbor of the family has failed"),
    ("show bgp neighbors", ".subGroupId", "groups are not split"),
    ("show bgp neighbors", ".updateGroupId", "the shards number groups, see update-groups"),
    (
        "show bgp neighbors",
        ".bgpTimerConfiguredConditionalAdvertisementsSec",
        "conditions follow the table at once",
    ),
    ("show bgp neighbors", ".estimatedRttInMsecs", "known after the first KEEPALIVE"),
    ("show bgp neighbors", ".configuredLlgrStaleTime", "only where it is configured"),
    ("show bgp neighbors", ".lastResetCode", "no session has been reset"),
    ("show bgp neighbors", ".lastResetDueTo", "no session has been reset"),
    ("show bgp neighbors", ".lastResetTimerMsecs", "no session has been reset"),
    (
        "show bgp neighbors",
        ".pathsLimit.ipv4Unicast.advertisedAndReceived",
        "only where a limit is configured",
    ),
    (
        "show bgp neighbors",
        ".pathsLimit.ipv4Unicast.advertisedPathsLimit",
        "only where a limit is configured",
    ),
    (
        "show bgp neighbors",
        ".pathsLimit.ipv6Unicast.advertisedAndReceived",
        "only where a limit is configured",
    ),
    (
        "show bgp neighbors",
        ".pathsLimit.ipv6Unicast.advertisedPathsLimit",
        "only where a limit is configured",
    ),
    ("show bgp neighbors", ".softwareVersion", "only where the neighbor has told it"),
    ("show bgp neighbors 10.0.0.9", ".bgpConnection", "there is no session"),
    ("show bgp neighbors 10.0.0.9", ".bgpInUpdateElapsedTimeMsecs", "there is no session"),
    ("show bgp neighbors 10.0.0.9", ".bgpTimerLastWrite", "there is no session"),
    ("show bgp neighbors 10.0.0.9", ".endOfRibRecv", "there is no session"),
    ("show bgp neighbors 10.0.0.9", ".endOfRibSend", "there is no session"),
    ("show bgp neighbors 10.0.0.9", ".hostForeign", "there is no session"),
    ("show bgp neighbors 10.0.0.9", ".hostLocal", "there is no session"),
    ("show bgp neighbors 10.0.0.9", ".hostname", "there is no session"),
    ("show bgp neighbors 10.0.0.9", ".nexthop", "there is no session"),
    ("show bgp neighbors 10.0.0.9", ".nexthopGlobal", "there is no session"),
    ("show bgp neighbors 10.0.0.9", ".nexthopLocal", "there is no session"),
    ("show bgp neighbors 10.0.0.9", ".portForeign", "there is no session"),
    ("show bgp neighbors 10.0.0.9", ".portLocal", "there is no session"),
    ("show bgp ipv4 unicast neighbors 10.0.0.2 advertised-routes", ".locPrf", "not sent to another AS"),
    (
        "show bgp ipv4 unicast neighbors 10.0.0.2 advertised-routes",
        "paths[].locPrf",
        "not sent to another AS",
    ),
    (
        "show bgp ipv4 unicast neighbors 10.0.0.2 advertised-routes detail",
        ".selectionReason",
        "what is sent is no candidate",
    ),
    (
        "show bgp ipv4 unicast neighbors 10.0.0.2 advertised-routes detail",
        ".peer.hostname",
        "the sender is known by its address",
    ),
    (
        "show bgp ipv4 unicast neighbors 10.0.0.2 advertised-routes detail",
        ".peer.type",
        "the sender is known by its address",
    ),
    (
        "show bgp ipv4 unicast neighbors 10.0.0.2 received-routes detail",
        ".aggregated",
        "judged after policy only",
    ),
    (
        "show bgp ipv4 unicast neighbors 10.0.0.2 received-routes detail",
        ".locPrf",
        "judged after policy only",
    ),
    ("show bgp ipv4 unicast neighbors 10.0.0.2 received-routes detail", ".local", "judged after policy only"),
    (
        "show bgp ipv4 unicast neighbors 10.0.0.2 received-routes detail",
        ".sourced",
        "judged after policy only",
    ),
    (
        "show bgp ipv4 unicast neighbors 10.0.0.2 received-routes detail",
        ".weight",
        "judged after policy only",
    ),
    ("show bgp ipv", ".advertisedTo", "a route is not sent back to whom it came from"),
    ("show bgp nexthop detail", ".paths", "which paths depend on it is asked by prefix"),
    ("show bgp statistics-all", ".ipv4Encap", "not a family of ours"),
    ("show bgp statistics-all", ".ipv4Flowspec", "not a family of ours"),
    ("show bgp statistics-all", ".ipv4LabeledUnicast", "not a family of ours"),
    ("show bgp statistics-all", ".ipv4Vpn", "not a family of ours"),
    ("show bgp statistics-all", ".ipv6Encap", "not a family of ours"),
    ("show bgp statistics-all", ".ipv6Flowspec", "not a family of ours"),
    ("show bgp statistics-all", ".ipv6LabeledUnicast", "not a family of ours"),
    ("show bgp statistics-all", ".ipv6Vpn", "not a family of ours"),
    ("show bgp statistics-all", ".l2VpnEvpn", "not a family of ours"),
];

/// Ours and FRR's, but for their addresses.
fn config(addr: &str) -> String {
    format!(
        "ip prefix-list P seq 5 permit any
access-list A seq 5 permit 10.0.0.0/8
bgp as-path access-list AP seq 5 permit _65002_
route-map IN permit 10
 match ip address prefix-list P
 set local-preference 150
exit
route-map OUT permit 10
 set community 65001:1
exit
rpki
 rpki retry_interval 1
 rpki cache tcp 10.0.0.2 8282 preference 1
exit
router bgp 65001
 bgp router-id {addr}
 bgp log-neighbor-changes
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor G peer-group
 neighbor G remote-as 65002
 neighbor 10.0.0.2 peer-group G
 neighbor 10.0.0.2 description the sender
 neighbor 10.0.0.2 timers connect 1
 neighbor 10.0.0.9 remote-as 65009
 address-family ipv4 unicast
  network 192.0.2.0/24
  aggregate-address 198.51.0.0/16
  neighbor 10.0.0.2 soft-reconfiguration inbound
  neighbor 10.0.0.2 route-map IN in
  neighbor 10.0.0.2 route-map OUT out
  neighbor 10.0.0.2 maximum-prefix 1000
 exit-address-family
 address-family ipv6 unicast
  neighbor 10.0.0.2 activate
 exit-address-family
exit
"
    )
}

const SENDER: &str = "ip prefix-list TWO seq 5 permit 10.2.0.0/16
route-map OUT permit 10
 match ip address prefix-list TWO
 set metric 7
 set community 65002:1 no-export
 set large-community 65002:1:2
 set extcommunity rt 65002:1
 set as-path prepend 65002 65002
exit
route-map OUT permit 20
exit
router bgp 65002
 bgp router-id 10.0.0.2
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor 10.0.0.1 remote-as 65001
 neighbor 10.0.0.1 timers connect 1
 neighbor 10.0.0.4 remote-as 65001
 neighbor 10.0.0.4 timers connect 1
 address-family ipv4 unicast
  network 10.1.0.0/16
  network 10.2.0.0/16
  network 198.51.100.0/24
  neighbor 10.0.0.1 route-map OUT out
  neighbor 10.0.0.4 route-map OUT out
 exit-address-family
 address-family ipv6 unicast
  network 2001:db8:1::/48
  neighbor 10.0.0.1 activate
  neighbor 10.0.0.4 activate
 exit-address-family
exit
";

const ROAS: &str = r#"{"metadata": {}, "roas": [{"prefix": "10.1.0.0/16", "maxLength": 24, "asn": 65002, "ta": "t"}], "bgpsec_keys": []}"#;

struct Lab {
    ours: Router,
    theirs: Router,
}

fn lab(net: &mut Net) -> Result<Lab> {
    net.without_capture();
    let ours = net.router("r1", Kind::Ours)?;
    let sender = net.router("r2", Kind::Frr)?;
    let theirs = net.router("r4", Kind::Frr)?;
    let lan = |n: u8| format!("10.0.0.{n}/24 2001:db8::{n}/64");
    net.lan("lan", &[(&ours, &lan(1)), (&sender, &lan(2)), (&theirs, &lan(4))])?;
    sender.write("etc/vrps.json", ROAS)?;
    let cache = ["-bind", ":8282", "-cache", "/run/t/etc/vrps.json", "-checktime=false", "-export.path", ""];
    let cache: Vec<String> = cache.iter().map(ToString::to_string).collect();
    sender.start_foreground("/usr/bin/stayrtr", &cache, &[])?;
    frr::start(&sender, SENDER)?;
    let daemons = ["zebra", "mgmtd", "staticd", "bgpd"];
    frr::start_daemons(&theirs, &config("10.0.0.4"), &daemons, &["-M", "rpki"])?;
    ours::start(&ours, &config("10.0.0.1"))?;
    for router in [&ours, &theirs] {
        wait_until(PATIENCE, "all is learnt", || {
            let of = |family: &str| router.vtysh_json(&format!("show bgp {family} unicast json"));
            let count = |table: &Value| table["routes"].as_object().map_or(0, |routes| routes.len());
            let (v4, v6) = (of("ipv4")?, of("ipv6")?);
            ensure!(count(&v4) == 5 && count(&v6) == 1, "{v4} {v6}");
            let roas = router.vtysh_json("show rpki prefix-count json")?;
            ensure!(roas["ipv4PrefixCount"] == 1, "{roas}");
            let valid = v4["routes"]["10.1.0.0/16"][0]["rpkiValid"] == true;
            ensure!(valid, "{}: not judged yet: {v4}", router.name());
            Ok(())
        })?;
        wait_until(PATIENCE, "the other neighbor has failed", || {
            let sent =
                router.vtysh_json("show bgp ipv4 unicast neighbors 10.0.0.2 advertised-routes json")?;
            ensure!(sent["totalPrefixCounter"].as_u64().is_some_and(|count| count >= 2), "{sent}");
            Ok(())
        })?;
    }
    Ok(Lab { ours, theirs })
}

/// What is a name of something rather than of a field: an address, a prefix, a number, a name of the configuration.
fn is_datum(key: &str) -> bool {
    let address = key.split('/').next().is_some_and(|addr| addr.parse::<IpAddr>().is_ok());
    let names = ["G", "P", "A", "AP", "IN", "OUT"];
    address || key.chars().all(|c| c.is_ascii_digit() || c == ':') || names.contains(&key)
}

/// Every key with its path, and the kind of its value.
fn shape(value: &Value, path: &str, found: &mut BTreeMap<String, &'static str>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    found.insert(path.to_owned(), kind);
    match value {
        Value::Array(items) => items.iter().for_each(|item| shape(item, &format!("{path}[]"), found)),
        Value::Object(fields) => {
            for (key, value) in fields {
                let key = if is_datum(key) { "*" } else { key };
                shape(value, &format!("{path}.{key}"), found);
            }
        }
        _ => {}
    }
}

fn shape_of(router: &Router, command: &str) -> Result<BTreeMap<String, &'static str>> {
    let mut found = BTreeMap::new();
    shape(&router.vtysh_json(command)?, "", &mut found);
    Ok(found)
}

#[test]
fn every_json_has_the_keys_of_frr() {
    run(&Needs::ours_and_peers(), |net| {
        let lab = lab(net)?;
        let (mut faults, mut compared) = (Vec::new(), 0);
        for command in COMMANDS {
            // Where FRR has nothing to say in JSON there is nothing to be read.
            let Ok(theirs) = shape_of(&lab.theirs, command) else { continue };
            compared += 1;
            let ours = match shape_of(&lab.ours, command) {
                Ok(ours) => ours,
                Err(error) => {
                    faults
                        .push(format!("{command}: {}", error.to_string().lines().next().unwrap_or_default()));
                    continue;
                }
            };
            let left_out = |key: &str| {
                let within = |part: &str| {
                    key.ends_with(part)
                        || ["[]", "."].iter().any(|next| key.contains(&format!("{part}{next}")))
                };
                LEFT_OUT.iter().any(|(start, part, _)| command.starts_with(start) && within(part))
            };
            for (key, kind) in theirs.iter().filter(|(key, _)| !left_out(key)) {
                match ours.get(key) {
                    None => faults.push(format!("{command}: no {key} ({kind})")),
                    Some(own) if own != kind => faults.push(format!("{command}: {key} is {own}, not {kind}")),
                    Some(_) => {}
                }
            }
        }
        ensure!(compared > COMMANDS.len() * 3 / 4, "only {compared} of FRR's answers are JSON");
        ensure!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
        Ok(())
    });
}
