//! MPLS with static label-switched paths: ours pushes, FRR swaps, ours takes the label off; and what the shows and the kernel say.

use std::time::Duration;

use serde_json::{Value, json};
use topotests::daemon::ours;
use topotests::{Kind, Needs, Net, Result, Router, ensure, json_contains, run, wait_until};

fn eventually(what: &str, condition: impl FnMut() -> Result<()>) -> Result<()> {
    wait_until(Duration::from_secs(60), what, condition)
}

const INGRESS: &str =
    "hostname r1\nip route 10.0.34.0/24 10.0.12.2 label 100\ninterface eth0\n mpls enable\nexit\n";
const TRANSIT: &str = "hostname r2\ninterface eth0\n mpls enable\nexit\ninterface eth1\n mpls enable\nexit\n\
    mpls lsp 100 10.0.23.3 300\nmpls lsp 200 10.0.12.1 implicit-null\n";
const EGRESS: &str = "hostname r3\nip forwarding\nip route 10.0.12.0/24 10.0.23.2 label 200\ninterface eth0\n mpls enable\nexit\n\
    mpls lsp 300 10.0.34.4 implicit-null\nmpls lsp 301 10.0.23.2 401\nmpls lsp 301 10.0.34.4 402\n\
    mpls lsp 302 2001:db8:23::2 explicit-null\n";

/// The routers, started; and the host behind them, which no daemon runs on.
fn network(net: &mut Net) -> Result<(Router, Router, Router)> {
    let r1 = net.router("r1", Kind::Ours)?;
    let r2 = net.router("r2", Kind::Frr)?;
    let r3 = net.router("r3", Kind::Ours)?;
    let host = net.router("h4", Kind::Host)?;
    net.link(&r1, "10.0.12.1/24", &r2, "10.0.12.2/24")?;
    net.link(&r2, "10.0.23.2/24 2001:db8:23::2/64", &r3, "10.0.23.3/24 2001:db8:23::3/64")?;
    net.link(&r3, "10.0.34.3/24", &host, "10.0.34.4/24")?;
    host.ip("route add default via 10.0.34.3")?;
    // FRR leaves the room of the label table to the operator.
    r2.run("sh", &["-c", "echo 1000000 > /proc/sys/net/mpls/platform_labels"])?;
    r1.start(INGRESS)?;
    r2.start(TRANSIT)?;
    r3.start(EGRESS)?;
    Ok((r1, r2, r3))
}

/// Labels in the kernel's table with what becomes of them.
fn kernel(router: &Router) -> Result<Vec<Value>> {
    let text = router.ip("-json -family mpls route show")?;
    Ok(if text.trim().is_empty() { Vec::new() } else { serde_json::from_str(&text)? })
}

fn kernel_label(router: &Router, label: u32) -> Result<Value> {
    let label = label.to_string();
    let row = kernel(router)?.into_iter().find(|row| row["dst"].as_str() == Some(&label));
    row.ok_or_else(|| format!("{}: label {label} is not in the kernel", router.name()).into())
}

#[test]
fn traffic_goes_through_a_static_path_of_ours_and_frr() {
    run(&Needs::ours_and_peers().mpls(), |net| {
        let (r1, r2, r3) = network(net)?;
        eventually("the label tables are in place", || {
            kernel_label(&r2, 100)?;
            json_contains(&json!({"via": {"host": "10.0.34.4"}}), &kernel_label(&r3, 300)?)?;
            json_contains(&json!({"to": "2"}), &kernel_label(&r3, 302)?)
        })?;
        let several = kernel_label(&r3, 301)?;
        ensure!(several["nexthops"].as_array().is_some_and(|hops| hops.len() == 2), "{several}");
        let route = r1.ip("route show 10.0.34.0/24")?;
        ensure!(route.contains("encap mpls  100 via 10.0.12.2"), "{route}");
        eventually("packets come through and back", || {
            r1.run("ping", &["-c1", "-W2", "10.0.34.4"]).map(drop)
        })?;
        let table = r3.vtysh_json("show mpls table json")?;
        let hop = json!({"type": "Static", "outLabel": 3, "outLabelStack": [3], "distance": 1, "installed": true,
            "nexthop": "10.0.34.4", "interface": "eth1"});
        json_contains(&json!({"300": {"inLabel": 300, "installed": true, "nexthops": [hop]}}), &table)?;
        // The text is FRR's, line by line.
        let lines = |router: &Router| -> Result<Vec<String>> {
            let text = router.vtysh("show mpls table")?;
            Ok(text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect())
        };
        ensure!(lines(&r2)?.contains(&"100 Static 10.0.23.3 300".to_owned()), "{:?}", lines(&r2)?);
        ensure!(lines(&r3)?.contains(&"301 Static 10.0.23.2 401".to_owned()), "{:?}", lines(&r3)?);
        ensure!(lines(&r2)?.first() == lines(&r3)?.first(), "{:?}", lines(&r3)?);
        for router in [&r1, &r2, &r3] {
            let status = router.vtysh("show mpls status")?;
            ensure!(status.trim() == "MPLS support enabled: yes", "{status}");
        }

        // A link that goes takes its paths along, and brings them back.
        r3.ip("link set eth1 down")?;
        eventually("the path is gone with its link", || {
            ensure!(kernel_label(&r3, 300).is_err(), "label 300 is still there");
            Ok(())
        })?;
        r3.ip("link set eth1 up")?;
        eventually("packets come through again", || r1.run("ping", &["-c1", "-W2", "10.0.34.4"]).map(drop))?;
        r3.configure(&["no mpls lsp 301", "mpls lsp 302 2001:db8:23::2 implicit-null"])?;
        eventually("what is taken back is out of the kernel", || {
            ensure!(kernel_label(&r3, 301).is_err(), "label 301 is still there");
            ensure!(kernel_label(&r3, 302)?["to"].is_null(), "label 302 is not taken off");
            Ok(())
        })
    });
}

/// Packets through r3's path all the time; how many of them came back.
fn pings(r1: &Router, count: u32) -> Result<u32> {
    let count = count.to_string();
    // Lost packets make it fail; the line that counts them is what we are after.
    let text = r1.run("sh", &["-c", &format!("ping -c{count} -i0.05 -W1 10.0.34.4 || true")])?;
    let line = text.lines().find(|line| line.contains("received")).unwrap_or_default();
    let received = line.split(',').find_map(|part| part.trim().strip_suffix(" received"));
    received.and_then(|number| number.trim().parse().ok()).ok_or_else(|| format!("ping: {text}").into())
}

#[test]
fn paths_outlive_a_killed_zebra_and_what_others_take_out_is_put_back() {
    run(&Needs::ours_and_peers().mpls(), |net| {
        let (r1, r2, r3) = network(net)?;
        eventually("packets come through and back", || {
            kernel_label(&r2, 100)?;
            r1.run("ping", &["-c1", "-W2", "10.0.34.4"]).map(drop)
        })?;
        let before = kernel(&r3)?;
        let pid = r3.daemon_pid("zebra")?;
        r3.signal(pid, "KILL")?;
        r3.wait_gone(pid, Duration::from_secs(10))?;
        // While nobody is there: one path goes, one of ours that nothing wants comes.
        r3.ip("-family mpls route del 302")?;
        r3.ip("-family mpls route add 777 via inet 10.0.34.4 proto 196")?;
        ensure!(pings(&r1, 20)? == 20, "packets were lost without zebra");
        ours::start_one(&r3, "zebra", &[], "debugging")?;
        ours::load(&r3)?;
        ensure!(pings(&r1, 20)? == 20, "packets were lost while zebra started");
        eventually("the missing path is back", || kernel_label(&r3, 302).map(drop))?;
        ensure!(kernel_label(&r3, 777).is_ok(), "a path that may yet be claimed was swept");

        // Others change it while zebra runs.
        r3.ip("-family mpls route del 300")?;
        r3.ip("-family mpls route replace 302 via inet 10.0.34.4 proto 196")?;
        r3.ip("-family mpls route add 778 via inet 10.0.34.4 proto 196")?;
        eventually("all of it is put right", || {
            ensure!(kernel_label(&r3, 778).is_err(), "label 778 is nobody's");
            let now: Vec<Value> = kernel(&r3)?.into_iter().filter(|row| row["dst"] != "777").collect();
            ensure!(now == before, "{now:?} in place of {before:?}");
            let drift = r3.vtysh_json("show zebra fib drift json")?;
            ensure!(drift["inSync"] == true, "{drift}");
            Ok(())
        })?;
        ensure!(pings(&r1, 5)? == 5, "packets are lost");
        Ok(())
    });
}
