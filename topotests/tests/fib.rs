//! The kernel's table under disturbance: whatever others do to routes, links and addresses, once they leave it alone it
//! is what the configuration says, and zebra knows that it is.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use topotests::daemon::ours;
use topotests::sandbox::run as run_command;
use topotests::{Failure, Family, Kind, Needs, Net, Result, Router, ensure, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(60);
const CHANGES: usize = 10_000;
/// Static routes through each link, and through both.
const EACH: u32 = 60;

/// Takes another seed, to replay a run.
const SEED_VARIABLE: &str = "FERRITE_SOAK_SEED";

struct Dice(u64);

impl Dice {
    /// Below `limit`, by xorshift.
    fn roll(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as u32 % limit
    }
}

fn prefix(index: u32) -> String {
    format!("20.{}.{}.0/24", index / 250, index % 250)
}

fn prefix_v6(index: u32) -> String {
    format!("2001:db8:{:x}::/48", 0x1000 + index)
}

fn config() -> String {
    let mut config = "ip forwarding\n".to_owned();
    for index in 0..3 * EACH {
        let gates: &[u32] = match index / EACH {
            0 => &[1],
            1 => &[2],
            _ => &[1, 2],
        };
        for gate in gates {
            let _ = writeln!(config, "ip route {} 10.9.{gate}.2", prefix(index));
            let _ = writeln!(config, "ipv6 route {} 2001:db8:{gate}::2", prefix_v6(index));
        }
    }
    config.push_str("ip route 198.18.0.0/15 blackhole\nip route 198.51.100.0/24 reject\n");
    config
}

/// The lines that bring a link and its addresses (back).
fn whole_link(out: &mut String, link: u32) {
    let _ = writeln!(out, "link add p{link} type veth peer name p{link}.far");
    let _ = writeln!(out, "link set p{link}.far up");
    let _ = writeln!(out, "link set p{link} up");
    let _ = writeln!(out, "addr add 10.9.{link}.1/24 dev p{link}");
    let _ = writeln!(out, "addr add 2001:db8:{link}::1/64 dev p{link} nodad");
}

/// One change by somebody else, as lines of `ip -batch`.
fn change(dice: &mut Dice, out: &mut String) {
    let index = dice.roll(3 * EACH);
    let link = 1 + dice.roll(2);
    let (v4, v6) = (prefix(index), prefix_v6(index));
    let line = match dice.roll(1000) {
        0..300 => format!("route del {v4} metric 20"),
        300..500 => format!("-6 route del {v6} metric 20"),
        500..620 => format!("route replace {v4} via 10.9.{link}.77 proto 196 metric 20"),
        620..700 => format!("-6 route replace {v6} via 2001:db8:{link}::77 proto 196 metric 20"),
        700..780 => format!("route replace blackhole {v4} proto 196 metric 20"),
        780..840 => format!("route add 21.0.{index}.0/24 via 10.9.{link}.7 proto 186 metric 20"),
        840..880 => format!("route append {v4} via 10.9.{link}.78 proto 196 metric 20"),
        // The kernel's own routes are left alone: a flush takes what has our mark.
        880..890 => "route flush proto 196".to_owned(),
        890..900 => "-6 route flush proto 196".to_owned(),
        900..930 => format!("addr del 10.9.{link}.1/24 dev p{link}\naddr add 10.9.{link}.1/24 dev p{link}"),
        930..950 => format!(
            "-6 addr del 2001:db8:{link}::1/64 dev p{link}\naddr add 2001:db8:{link}::1/64 dev p{link} nodad"
        ),
        950..960 => "nexthop flush proto 11".to_owned(),
        960..995 => format!(
            "link set p{link} down\nlink set p{link} up\naddr add 2001:db8:{link}::1/64 dev p{link} nodad"
        ),
        _ => {
            let mut lines = format!("link del p{link}\n");
            whole_link(&mut lines, link);
            lines.trim_end().to_owned()
        }
    };
    out.push_str(&line);
    out.push('\n');
}

fn batch(router: &Router, lines: &str) -> Result<()> {
    let file = router.write("changes", lines)?;
    // What is not there cannot be removed: the changes are random.
    let _ = router.run("ip", &["-force", "-batch", &file]);
    Ok(())
}

/// What the kernel must have: every route of the configuration with its gateways.
fn agrees(router: &Router) -> Result<()> {
    for family in Family::BOTH {
        let routes = router.kernel_routes(family)?;
        for index in 0..3 * EACH {
            let gates: &[u32] = match index / EACH {
                0 => &[1],
                1 => &[2],
                _ => &[1, 2],
            };
            let (prefix, gate): (String, fn(u32) -> String) = match family {
                Family::V4 => (prefix(index), |gate| format!("10.9.{gate}.2")),
                Family::V6 => (prefix_v6(index), |gate| format!("2001:db8:{gate}::2")),
            };
            let wanted: BTreeSet<String> = gates.iter().map(|gate_index| gate(*gate_index)).collect();
            let found: BTreeSet<String> = routes
                .get(&prefix)
                .map(|route| route.gateways().into_iter().map(str::to_owned).collect())
                .unwrap_or_default();
            ensure!(found == wanted, "{prefix}: {found:?} in place of {wanted:?}");
        }
        let stray = routes.keys().find(|prefix| prefix.starts_with("21."));
        ensure!(stray.is_none(), "{stray:?} is nobody's route");
    }
    Ok(())
}

/// zebra, asked for a comparison with a fresh dump, finds none.
fn no_drift(router: &Router) -> Result<()> {
    let drift = router.vtysh_json("show zebra fib drift json")?;
    ensure!(drift["inSync"] == true && drift["settling"] == 0, "{drift}");
    Ok(())
}

fn lab(net: &mut Net, options: &[&str]) -> Result<Router> {
    let r1 = net.router("r1", Kind::Ours)?;
    let mut lines = String::new();
    (1..=2).for_each(|link| whole_link(&mut lines, link));
    batch(&r1, &lines)?;
    ours::start_daemons(&r1, &config(), &[("zebra", options)], "informational")?;
    wait_until(PATIENCE, "every route is in the kernel", || agrees(&r1))?;
    no_drift(&r1)?;
    Ok(r1)
}

#[test]
fn ten_thousand_changes_by_others_leave_no_drift() {
    run(&Needs::ours().daemons(&[]), |net| {
        let given = std::env::var(SEED_VARIABLE).ok().and_then(|text| text.parse().ok());
        let seed: u64 = given.unwrap_or_else(|| u64::from(std::process::id()) * 0x9e37_79b9 + 1);
        println!("{SEED_VARIABLE}={seed}");
        // A small buffer for the kernel's events: some are lost.
        let r1 = lab(net, &["-s", "65536"])?;
        let mut dice = Dice(seed);
        let mut lines = String::new();
        (0..CHANGES).for_each(|_| change(&mut dice, &mut lines));
        batch(&r1, &lines)?;
        wait_until(PATIENCE, &format!("the kernel is as configured again (seed {seed})"), || agrees(&r1))?;
        wait_until(PATIENCE, &format!("no drift is left (seed {seed})"), || no_drift(&r1))?;
        println!("{}", r1.vtysh("show zebra fib")?);
        // A route that is right may be written once more a moment later: what was heard of it crossed with our own change.
        wait_until(PATIENCE, "nothing fails any more", || {
            let failed = r1.vtysh("show zebra fib failed")?;
            ensure!(failed.trim().is_empty(), "{failed}");
            Ok(())
        })
    });
}

#[test]
fn drift_is_shown_by_kind_and_an_audit_mends_it() {
    run(&Needs::ours().daemons(&[]), |net| {
        let r1 = lab(net, &[])?;
        // zebra does not hear while it is stopped, and what it hears then is mended at once.
        r1.ip(&format!("route del {} metric 20", prefix(0)))?;
        r1.ip(&format!("route replace {} via 10.9.1.77 proto 196 metric 20", prefix(1)))?;
        r1.ip("route add 21.0.0.0/24 via 10.9.1.7 proto 186 metric 20")?;
        wait_until(PATIENCE, "all three are put right", || agrees(&r1))?;
        wait_until(PATIENCE, "no drift is left", || no_drift(&r1))?;
        let fib = r1.vtysh_json("show zebra fib json")?;
        ensure!(fib["repairs"].as_u64() >= Some(2), "{fib}");
        ensure!(fib["rejected"] == 0 && fib["queued"] == 0, "{fib}");
        // A route that the kernel refuses is named with its reason, and asked again.
        r1.configure(&["ip route 192.0.2.0/24 10.9.1.2 table 77"])?;
        ensure!(r1.vtysh("show ip route failed")?.trim().is_empty(), "nothing is refused");
        r1.configure(&["zebra fib audit-interval 60"])?;
        let config = r1.vtysh("show running-config")?;
        ensure!(config.contains("zebra fib audit-interval 60"), "{config}");
        Ok(())
    });
}

/// zebra is busy elsewhere while links come and go: it hears of a link's coming, and not of its going.
#[test]
fn a_link_whose_going_was_not_heard_is_forgotten_with_the_lost_events() {
    run(&Needs::ours().daemons(&[]), |net| {
        let r1 = lab(net, &["-s", "65536"])?;
        let zebra = r1.daemon_pid("zebra")?;
        r1.signal(zebra, "STOP")?;
        // What is heard of the first p1 fits; what follows it does not, nor does what comes during the dump.
        let mut lines = "link del p1\n".to_owned();
        whole_link(&mut lines, 1);
        for round in 0..3000 {
            let _ = writeln!(lines, "route add 21.1.{}.0/24 via 10.9.2.7 proto 186 metric 20", round % 250);
            let _ = writeln!(lines, "route del 21.1.{}.0/24 metric 20", round % 250);
        }
        lines.push_str("link del p1\n");
        whole_link(&mut lines, 1);
        let outcome = batch(&r1, &lines);
        r1.signal(zebra, "CONT")?;
        outcome?;
        wait_until(PATIENCE, "the kernel is as configured again", || agrees(&r1))?;
        wait_until(PATIENCE, "no drift is left", || no_drift(&r1))?;
        wait_until(PATIENCE, "one link has the network", || {
            let routes = r1.vtysh_json("show ip route 10.9.1.0/24 json")?;
            let known = routes["10.9.1.0/24"].as_array().map_or(0, Vec::len);
            ensure!(known == 1, "{routes}");
            Ok(())
        })
    });
}

/// The counters of `show zebra dplane`: changes of routes and of next-hop objects so far.
fn written(router: &Router) -> Result<(u64, u64)> {
    let text = router.vtysh("show zebra dplane")?;
    let count = |name: &str| -> Result<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|rest| rest.trim_start_matches(':').trim().parse().ok());
        number.ok_or_else(|| Failure::new(format!("{name} is not in {text}")))
    };
    Ok((count("Route updates")?, count("Nexthop updates")?))
}

/// What a failed next hop costs does not depend on the number of routes: their group is changed, not they.
#[test]
fn a_failed_next_hop_is_a_few_messages_under_many_routes() {
    const ROUTES: u32 = 5000;
    run(&Needs::ours().daemons(&[]), |net| {
        let r1 = lab(net, &[])?;
        let mut lines = String::new();
        for index in 0..ROUTES {
            for gate in [1, 2] {
                let _ = writeln!(lines, "ip route 22.{}.{}.0/24 10.9.{gate}.2", index / 250, index % 250);
            }
        }
        let file = r1.write("many.conf", &lines)?;
        run_command(r1.vtysh_command()?.args(["-f", &file]))?;
        let through = |gate: u32| -> Result<usize> {
            let gateway = format!("10.9.{gate}.2");
            let routes = r1.kernel_routes(Family::V4)?;
            let many = routes.iter().filter(|(prefix, _)| prefix.starts_with("22."));
            Ok(many.filter(|(_, route)| route.gateways().contains(&gateway.as_str())).count())
        };
        wait_until(PATIENCE, "every route goes both ways", || {
            ensure!(through(1)? == ROUTES as usize && through(2)? == ROUTES as usize, "not yet");
            Ok(())
        })?;
        let before = written(&r1)?;
        // The far end goes down: the kernel keeps the routes, and would keep using them.
        r1.ip("link set p1.far down")?;
        wait_until(PATIENCE, "no route goes where nobody is", || {
            let left = (through(1)?, through(2)?);
            ensure!(left == (0, ROUTES as usize), "{left:?}");
            Ok(())
        })?;
        let after = written(&r1)?;
        let (routes, objects) = (after.0 - before.0, after.1 - before.1);
        // The routes that have no other way are taken out one by one: those of the lab's configuration.
        let alone = u64::from(4 * EACH);
        ensure!(routes <= alone && objects <= 20, "{routes} routes and {objects} objects were written");
        println!("{ROUTES} routes: {routes} routes and {objects} objects were written");
        wait_until(PATIENCE, "what the kernel did by itself is known", || no_drift(&r1))?;
        r1.ip("link set p1.far up")?;
        wait_until(PATIENCE, "every route goes both ways again", || {
            ensure!(through(1)? >= ROUTES as usize && through(2)? >= ROUTES as usize, "not yet");
            no_drift(&r1)
        })
    });
}
