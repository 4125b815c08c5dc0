//! MRT files: the table and the messages are what neighbours announced, read back by our reader and by `bgpdump`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use topotests::bgp::{mrt, table};
use topotests::daemon::ours;
use topotests::{Family, Kind, Needs, Net, Result, Router, Tool, ensure, run, wait_until};

const PREFIXES: usize = 2000;
const PATIENCE: Duration = Duration::from_secs(60);

const CONFIG: &str = "dump bgp updates-et /run/t/log/updates.mrt
dump bgp all /run/t/log/all.%Y.mrt 1h
router bgp 65000
 bgp router-id 10.0.1.1
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor 10.0.1.10 remote-as 65100
 neighbor 10.0.1.11 remote-as 65101
 address-family ipv4 unicast
  network 192.0.2.0/24
 exit-address-family
 address-family ipv6 unicast
  network 2001:db8:5::/48
 exit-address-family
 address-family ipv4 multicast
  network 198.51.100.0/24
 exit-address-family
 address-family ipv6 multicast
  network 2001:db8:6::/48
 exit-address-family
exit
";

/// Ours with two neighbours that have announced their tables.
fn network(net: &mut Net) -> Result<(Router, Router, Tool)> {
    net.without_capture();
    let (router, sender) = (net.router("r1", Kind::Ours)?, net.router("sender", Kind::Host)?);
    net.link(&sender, "10.0.1.10/24 10.0.1.11/24", &router, "10.0.1.1/24")?;
    ours::start_daemons(&router, CONFIG, &[("bgpd", &["-Z"])], "debugging")?;
    let mut replay = sender.bgp_replay(&format!(
        "replay --target 10.0.1.1 --from 10.0.1.10 --as 65100 --peers 2 --generate {PREFIXES}"
    ))?;
    replay.wait_event("sent", PATIENCE)?;
    wait_until(PATIENCE, "the table is complete", || {
        let summary = router.vtysh_json("show bgp ipv4 unicast summary json")?;
        let count = summary.pointer("/ribCount").and_then(serde_json::Value::as_u64);
        ensure!(count == Some(2 * PREFIXES as u64 + 1), "{count:?} prefixes");
        Ok(())
    })?;
    Ok((router, sender, replay))
}

fn log_file(router: &Router, start: &str) -> Result<PathBuf> {
    for entry in std::fs::read_dir(router.dir().join("log"))? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with(start) && Path::new(&name).extension().is_some_and(|e| e == "mrt") {
            return Ok(path);
        }
    }
    Err(topotests::Failure::new(format!("no {start}*.mrt")))
}

#[test]
fn the_table_is_written_whole_and_bgpdump_reads_it() {
    run(&Needs::ours_and_peers(), |net| {
        let (router, _sender, _replay) = network(net)?;
        router.configure(&["dump bgp routes-mrt /run/t/log/rib.mrt"])?;
        wait_until(PATIENCE, "the file is there", || log_file(&router, "rib").map(drop))?;
        let data = std::fs::read(log_file(&router, "rib")?)?;
        let feeds = table::feeds(&data, Family::V4)?;
        let sizes: Vec<(u32, usize)> = feeds.iter().map(|(asn, table)| (*asn, table.len())).collect();
        for asn in [65100, 65101] {
            ensure!(sizes.contains(&(asn, PREFIXES)), "of AS {asn}: {sizes:?}");
        }
        let multicast: Vec<String> =
            mrt::read_dump(&data)?.multicast.iter().map(ToString::to_string).collect();
        ensure!(multicast == ["198.51.100.0/24", "2001:db8:6::/48"], "of multicast: {multicast:?}");
        let reader = net.router("reader", Kind::Frr)?;
        std::fs::copy(log_file(&router, "rib")?, reader.dir().join("log/rib.mrt"))?;
        let text = reader.run("bgpdump", &["-m", "/run/t/log/rib.mrt"])?;
        // It leaves multicast out.
        ensure!(text.lines().count() == 2 * PREFIXES + 2, "{} lines", text.lines().count());
        ensure!(
            text.contains("|192.0.2.0/24|") && text.contains("|2001:db8:5::/48|"),
            "own routes are missing"
        );
        ensure!(text.contains("|10.0.1.11|65101|"), "no path of the second neighbour");
        Ok(())
    });
}

#[test]
fn messages_are_written_as_they_come_and_a_table_does_not_disturb_them() {
    run(&Needs::ours_and_peers(), |net| {
        let (router, _sender, mut replay) = network(net)?;
        replay.tell("withdraw")?;
        replay.wait_event("withdrawn", PATIENCE)?;
        let heard = || -> Result<usize> {
            let streams = mrt::read_updates(&std::fs::read(log_file(&router, "updates")?)?)?;
            Ok(streams.values().map(|stream| stream.updates.len()).sum())
        };
        wait_until(PATIENCE, "withdrawals of both are in the file", || {
            let reader = heard()?;
            ensure!(reader > 0, "{reader} updates");
            Ok(())
        })?;
        let reader = net.router("reader", Kind::Frr)?;
        wait_until(PATIENCE, "bgpdump reads what was received", || {
            std::fs::copy(log_file(&router, "updates")?, reader.dir().join("log/updates.mrt"))?;
            let text = reader.run("bgpdump", &["-m", "/run/t/log/updates.mrt"])?;
            let count = |kind: &str| text.lines().filter(|line| line.split('|').nth(2) == Some(kind)).count();
            ensure!(count("A") == 2 * PREFIXES, "{} announcements", count("A"));
            ensure!(count("W") == 2 * PREFIXES, "{} withdrawals", count("W"));
            Ok(())
        })?;
        std::fs::copy(log_file(&router, "all")?, reader.dir().join("log/all.mrt"))?;
        let text = reader.run("bgpdump", &["-m", "/run/t/log/all.mrt"])?;
        ensure!(
            text.lines().any(|line| line.contains("|STATE|") && line.ends_with("|5|6")),
            "no session came up: {text}"
        );
        Ok(())
    });
}
