//! Traffic engineering, router information and synchronisation with LDP beside FRR: what each says of its links is in the other's
//! database, what we say of ourselves is read by FRR, and links without LDP are avoided as FRR avoids them.

use serde_json::Value;
use topotests::daemon::ours;
use topotests::{Kind, Needs, Result, Router, ensure, run, wait_until};

use super::speak::{PATIENCE, adjacent, start};

/// The link is a slow one for traffic engineering on either side; the path computation element is our own alone.
fn config(router: u8, more: &str) -> String {
    format!(
        "interface eth0\n ip ospf area 0\n ip ospf network point-to-point\n ip ospf hello-interval 1\n ip ospf dead-interval \
         4\n link-params\n  metric 100\n  max-bw 1.25e+08\n  max-rsv-bw 1e+08\n  unrsv-bw 7 1e+07\n  admin-grp 0xab\n  delay 1000 \
         min 900 max 1100\n  delay-variation 50\n  packet-loss 0.003\n  ava-bw 1e+06\n exit-link-params\nexit\ninterface lo\n ip \
         ospf area 0\nexit\nrouter ospf\n ospf router-id {router}.{router}.{router}.{router}\n capability opaque\n mpls-te on\n \
         mpls-te router-address {router}.{router}.{router}.{router}\n router-info area\n{more}exit\n"
    )
}

const PCE: &str = " pce address 9.9.9.9\n mpls ldp-sync\n";

/// What a router's database says of a link.
fn edge(router: &Router, address: &str) -> Result<Value> {
    let edge = router.vtysh_json(&format!("show ip ospf mpls-te database edge {address} json"))?;
    ensure!(edge["edge-attributes"]["te-metric"] == 100, "{}: {edge}", router.name());
    ensure!(edge["remote-vertex-id"].is_number(), "{}: {edge}", router.name());
    Ok(edge)
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

/// FRR prints more digits than a single has.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|b| same(value, b)))
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Number(_), Value::Number(_)) => (number(a) - number(b)).abs() <= number(a).abs() * 1e-6,
        _ => a == b,
    }
}

#[test]
fn what_links_offer_is_told_both_ways_and_links_without_ldp_are_avoided() {
    run(&Needs::ours_and_peers().daemons(&["ospfd"]), |net| {
        let (r1, r2) = (net.router("r1", Kind::Ours)?, net.router("r2", Kind::Frr)?);
        net.link(&r1, "10.0.1.1/24", &r2, "10.0.1.2/24")?;
        net.loopback(&r1, "1.1.1.1/32")?;
        net.loopback(&r2, "2.2.2.2/32")?;
        start(&r2, &config(2, ""))?;
        start(&r1, &config(1, PCE))?;
        // No LDP runs: the link is avoided until the hold-down time ends, and the neighbour hears of it.
        wait_until(PATIENCE, "the link is avoided", || {
            let lsa = r2.vtysh("show ip ospf database router adv-router 1.1.1.1")?;
            ensure!(lsa.contains("TOS 0 Metric: 65535"), "{lsa}");
            Ok(())
        })?;
        let sync = r1.vtysh_json("show ip ospf mpls ldp-sync json")?;
        ensure!(sync["eth0"]["ldpIgpSyncState"] == "Sync not achieved", "{sync}");
        adjacent(&r1, 2, &["2.2.2.2"])?;
        r1.configure(&["router ospf", "mpls ldp-sync holddown 1"])?;
        wait_until(PATIENCE, "the hold-down time ends", || {
            let lsa = r2.vtysh("show ip ospf database router adv-router 1.1.1.1")?;
            ensure!(!lsa.contains("TOS 0 Metric: 65535") && lsa.contains("TOS 0 Metric: 10"), "{lsa}");
            Ok(())
        })?;
        // Either router's link is the same in both databases.
        for address in ["10.0.1.1", "10.0.1.2"] {
            wait_until(PATIENCE, &format!("the link of {address} in both databases"), || {
                let (ours, theirs) = (edge(&r1, address)?, edge(&r2, address)?);
                ensure!(same(&ours, &theirs), "{ours}\nFRR: {theirs}");
                Ok(())
            })?;
        }
        wait_until(PATIENCE, "what we say of ourselves", || {
            let heard = r2.vtysh("show ip ospf database opaque-area adv-router 1.1.1.1")?;
            ensure!(heard.contains("Router Capabilities: 0x30000000"), "{heard}");
            ensure!(heard.contains("PCE Address: 9.9.9.9"), "{heard}");
            let heard = r1.vtysh("show ip ospf database opaque-area adv-router 2.2.2.2")?;
            ensure!(heard.contains("Router Capabilities: 0x10000000"), "{heard}");
            Ok(())
        })
    });
}

/// FRR's own client of the API, which announces an LSA in area 0 and one everywhere, and then follows the database.
const CLIENT: &str = "echo $$ > /run/client.pid; exec python3 /usr/lib/frr/ospfclient.py --server 10.0.1.1 \
                      ADD,10,0.0.0.0,230,2,deadbeef ADD,11,231,3,01020304 WAIT,600";

#[test]
fn a_program_announces_through_us_and_follows_the_database() {
    run(&Needs::ours_and_peers().daemons(&["ospfd"]), |net| {
        let (r1, r2) = (net.router("r1", Kind::Ours)?, net.router("r2", Kind::Frr)?);
        net.link(&r1, "10.0.1.1/24", &r2, "10.0.1.2/24")?;
        let config = |id: &str| {
            format!(
                "interface eth0\n ip ospf area 0\n ip ospf network point-to-point\n ip ospf hello-interval 1\n ip ospf \
                 dead-interval 4\nexit\nrouter ospf\n ospf router-id {id}\n capability opaque\nexit\n"
            )
        };
        start(&r2, &config("2.2.2.2"))?;
        let daemons: [(&str, &[&str]); 2] = [("zebra", &[]), ("ospfd", &["-a"])];
        ours::start_daemons(&r1, &config("1.1.1.1"), &daemons, "debugging")?;
        adjacent(&r1, 2, &["2.2.2.2"])?;
        let mut client = r2.command("sh");
        client.args(["-c", CLIENT]);
        let log = std::fs::File::create(r1.dir().join("client.log"))?;
        let mut client = client.stderr(log).spawn()?;
        let heard = wait_until(PATIENCE, "FRR hears what the program announces", || {
            let area = r2.vtysh("show ip ospf database opaque-area adv-router 1.1.1.1")?;
            let everywhere = r2.vtysh("show ip ospf database opaque-as adv-router 1.1.1.1")?;
            ensure!(
                area.contains("Link State ID: 230.0.0.2") && everywhere.contains("231.0.0.3"),
                "{area}{everywhere}"
            );
            let log = std::fs::read_to_string(r1.dir().join("client.log"))?;
            ensure!(log.contains("LSA 2.2.2.2 in area 0.0.0.0"), "{log}");
            ensure!(log.contains("nbraddr 10.0.1.2 router_id 2.2.2.2 state NSM_FULL"), "{log}");
            Ok(())
        });
        // What was started is not the program itself, which is in other namespaces.
        r2.run("sh", &["-c", "kill $(cat /run/client.pid)"])?;
        client.wait()?;
        heard?;
        wait_until(PATIENCE, "what it announced goes with it", || {
            let ours = r1.vtysh("show ip ospf database opaque-area self-originate")?;
            ensure!(!ours.contains("230.0.0.2"), "{ours}");
            Ok(())
        })
    });
}
