//! Room in a real kernel's tables: the smallest table decides as all routes do, a limit holds, and what is left out is what the
//! operator's order says.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::time::Duration;

use topotests::daemon::ours;
use topotests::{Family, Kind, Needs, Result, Router, ensure, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(60);
/// RTPROT_ZEBRA, which imported routes carry.
const IMPORTED: &str = "11";

/// Networks and their gateways: a /16 and what differs from it below, from a seed.
fn routes() -> BTreeMap<(Ipv4Addr, u8), &'static str> {
    let mut dice = 0x2545_f491_4f6c_dd1d_u64;
    let mut roll = |limit: u32| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        (dice >> 33) as u32 % limit
    };
    let mut routes = BTreeMap::from([((Ipv4Addr::new(20, 0, 0, 0), 16), "10.9.1.2")]);
    for _ in 0..600 {
        let len = 20 + roll(9);
        let mask = u32::MAX << (32 - len);
        let bits = (0x1400_0000 | roll(1 << 16)) & mask;
        routes.insert((Ipv4Addr::from(bits), len as u8), if roll(4) == 0 { "10.9.2.2" } else { "10.9.1.2" });
    }
    routes
}

/// The gateway that the longest prefix says.
fn decision(routes: &BTreeMap<(Ipv4Addr, u8), &'static str>, addr: Ipv4Addr) -> Option<&'static str> {
    let within =
        |(net, len): &(Ipv4Addr, u8)| (net.to_bits() ^ addr.to_bits()) >> (32 - u32::from(*len)) == 0;
    routes.iter().filter(|(key, _)| within(key)).max_by_key(|((_, len), _)| *len).map(|(_, gateway)| *gateway)
}

fn held(router: &Router) -> Result<usize> {
    router.kernel_count(Family::V4, IMPORTED)
}

/// What the kernel does with each of these addresses.
fn decides(router: &Router, routes: &BTreeMap<(Ipv4Addr, u8), &'static str>) -> Result<()> {
    let mut asked = Vec::new();
    let mut lines = String::new();
    for index in 0..400_u32 {
        let addr = Ipv4Addr::from(0x1400_0000 | (index * 163) & 0xffff);
        asked.push(addr);
        let _ = writeln!(lines, "route get {addr}");
    }
    let file = router.write("asked", &lines)?;
    let text = router.run("ip", &["-batch", &file])?;
    let answers: Vec<&str> = text.lines().filter(|line| line.contains(" via ")).collect();
    ensure!(answers.len() == asked.len(), "{} answers for {} addresses", answers.len(), asked.len());
    for (addr, answer) in asked.iter().zip(answers) {
        let wanted = decision(routes, *addr).unwrap_or_default();
        ensure!(answer.contains(&format!("via {wanted} ")), "{addr}: {answer}, not {wanted}");
    }
    Ok(())
}

#[test]
fn a_small_table_decides_as_the_whole_and_a_limit_holds() {
    run(&Needs::ours().daemons(&[]), |net| {
        net.without_capture();
        let r1 = net.router("r1", Kind::Ours)?;
        let routes = routes();
        let mut lines = String::new();
        for link in 1..=2 {
            let _ = writeln!(
                lines,
                "link add p{link} type veth peer name f{link}\nlink set f{link} up\nlink set p{link} up\naddr add 10.9.{link}.1/24 dev p{link}"
            );
        }
        for ((net, len), gateway) in &routes {
            let _ = writeln!(lines, "route add {net}/{len} via {gateway} table 10");
        }
        let _ = writeln!(lines, "route add 30.0.0.0/24 via 10.9.1.2 table 10");
        let file = r1.write("lines", &lines)?;
        r1.run("ip", &["-batch", &file])?;
        ours::start_daemons(&r1, "ip import-table 10\n", &[("zebra", &[])], "informational")?;
        let all = routes.len() + 1;
        wait_until(PATIENCE, "the kernel has every route", || {
            ensure!(held(&r1)? == all, "{} of {all}", held(&r1)?);
            Ok(())
        })?;
        decides(&r1, &routes)?;
        r1.configure(&["zebra fib compress"])?;
        wait_until(PATIENCE, "the table is smaller", || {
            ensure!(held(&r1)? < all * 9 / 10, "{} of {all}", held(&r1)?);
            Ok(())
        })?;
        decides(&r1, &routes)?;
        println!("{} entries in place of {all} routes", held(&r1)?);
        // Others come and go under it.
        let mut changed = routes.clone();
        let mut lines = String::new();
        for ((net, len), gateway) in routes.iter().filter(|((_, len), _)| *len > 16).step_by(3) {
            let _ = writeln!(lines, "route del {net}/{len} via {gateway} table 10");
            changed.remove(&(*net, *len));
        }
        let file = r1.write("lines", &lines)?;
        r1.run("ip", &["-batch", &file])?;
        wait_until(PATIENCE, "the kernel decides as what is left", || decides(&r1, &changed))?;
        // A limit, with an order: the longest go first, what is to be kept does not.
        r1.configure(&["zebra fib keep 30.0.0.0/24", "zebra fib limit 60"])?;
        wait_until(PATIENCE, "the limit holds", || {
            ensure!(held(&r1)? <= 60, "{} entries", held(&r1)?);
            Ok(())
        })?;
        let capacity = r1.vtysh_json("show zebra fib capacity json")?;
        ensure!(
            capacity["leftOut"].as_u64() > Some(0) && capacity["entries"].as_u64() <= Some(60),
            "{capacity}"
        );
        r1.kernel_route_via("30.0.0.0/24", &["10.9.1.2"])?;
        wait_until(PATIENCE, "no drift", || {
            let drift = r1.vtysh_json("show zebra fib drift json")?;
            ensure!(drift["inSync"] == true && drift["settling"] == 0, "{drift}");
            Ok(())
        })?;
        r1.configure(&["no zebra fib limit", "no zebra fib compress"])?;
        wait_until(PATIENCE, "every route is back", || {
            ensure!(held(&r1)? == changed.len() + 1, "{} of {}", held(&r1)?, changed.len() + 1);
            Ok(())
        })?;
        decides(&r1, &changed)
    });
}
