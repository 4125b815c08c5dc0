//! Two processes of one VRF (`router ospf N`), each with FRR 10.3 as its neighbour: both have a route to one prefix, and the second's
//! takes over when the first's goes; what one has is told by the other (`redistribute ospf N`).

use topotests::{Family, Kind, Needs, ensure, run, wait_until};

use super::speak::{PATIENCE, has, kernel, start};

const LINK: &str = " ip ospf network point-to-point\n ip ospf hello-interval 1\n ip ospf dead-interval 4\n";

fn theirs(id: &str) -> String {
    format!(
        "interface eth0\n ip ospf area 0\n{LINK}exit\ninterface lo\n ip ospf area 0\nexit\nrouter ospf\n ospf router-id {id}\nexit\n"
    )
}

#[test]
fn two_processes_have_one_prefix_and_one_tells_what_the_other_has() {
    run(&Needs::ours_and_peers().daemons(&["ospfd"]), |net| {
        net.without_capture();
        let r1 = net.router("r1", Kind::Ours)?;
        let (a, b) = (net.router("a", Kind::Frr)?, net.router("b", Kind::Frr)?);
        net.link(&r1, "10.0.3.1/24", &a, "10.0.3.2/24")?;
        net.link(&r1, "10.0.4.1/24", &b, "10.0.4.2/24")?;
        net.loopback(&a, "10.255.0.3/32 10.255.0.9/32")?;
        net.loopback(&b, "10.255.0.4/32 10.255.0.9/32")?;
        start(&a, &theirs("3.3.3.3"))?;
        start(&b, &theirs("4.4.4.4"))?;
        let ours = format!(
            "interface eth0\n ip ospf 3 area 0\n{LINK}exit\ninterface eth1\n ip ospf 4 area 0\n{LINK}exit
router ospf 3\n ospf router-id 1.1.1.3\n redistribute ospf 4 metric 7\nexit
router ospf 4\n ospf router-id 1.1.1.4\nexit\n"
        );
        start(&r1, &ours)?;
        has(&r1, Family::V4, &["10.255.0.3/32", "10.255.0.4/32", "10.255.0.9/32"])?;
        has(&a, Family::V4, &["10.255.0.4/32"])?;
        ensure!(!kernel(&b, Family::V4)?.contains_key("10.255.0.3/32"), "told the other way too");
        let over = || -> topotests::Result<String> {
            let routes = kernel(&r1, Family::V4)?;
            let (_, hops) = routes.get("10.255.0.9/32").cloned().unwrap_or_default();
            Ok(hops.into_iter().map(|(address, _)| address).collect())
        };
        let first = over()?;
        ensure!(first == "10.0.3.2" || first == "10.0.4.2", "over {first}");
        let (left, other) = if first == "10.0.3.2" { (&a, "10.0.4.2") } else { (&b, "10.0.3.2") };
        left.ip("addr del 10.255.0.9/32 dev lo")?;
        wait_until(PATIENCE, "the other process's route takes over", || {
            let now = over()?;
            ensure!(now == other, "over {now}, not {other}");
            Ok(())
        })
    });
}
