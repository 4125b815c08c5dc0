//! Flood reduction (RFC 4136) beside FRR 10.3, which has the mark of LSAs that do not age in the wrong octet on little-endian machines:
//! ours notices, takes back that it keeps such LSAs, and all routers of the area have LSAs that age as ever.

use topotests::{Family, Kind, Needs, ensure, run, wait_until};

use super::speak::{PATIENCE, has, start};

fn config(id: &str, links: &[&str]) -> String {
    let link = |name: &&str| {
        format!(
            "interface {name}\n ip ospf area 0\n ip ospf network point-to-point\n ip ospf hello-interval 1\n ip ospf dead-interval 4\nexit\n"
        )
    };
    let links: String = links.iter().map(link).collect();
    format!(
        "interface lo\n ip ospf area 0\nexit\n{links}router ospf\n ospf router-id {id}\n flood-reduction\nexit\n"
    )
}

#[test]
fn frr_that_reduces_has_lsas_that_age_beside_ours() {
    run(&Needs::ours_and_peers().daemons(&["ospfd"]), |net| {
        net.without_capture();
        let ours = net.router("ours", Kind::Ours)?;
        let (near, far) = (net.router("near", Kind::Frr)?, net.router("far", Kind::Frr)?);
        net.link(&ours, "10.0.1.1/24", &near, "10.0.1.2/24")?;
        net.link(&near, "10.0.2.2/24", &far, "10.0.2.3/24")?;
        for (router, loopback) in
            [(&ours, "10.255.0.1/32"), (&near, "10.255.0.2/32"), (&far, "10.255.0.3/32")]
        {
            net.loopback(router, loopback)?;
        }
        start(&near, &config("2.2.2.2", &["eth0", "eth1"]))?;
        start(&far, &config("3.3.3.3", &["eth0"]))?;
        let reduces = |router: &topotests::Router| -> topotests::Result<bool> {
            Ok(router.vtysh("show ip ospf")?.contains("Flood Reduction is enabled."))
        };
        wait_until(PATIENCE, "FRR reduces among its own", || {
            ensure!(reduces(&near)? && reduces(&far)?, "not yet");
            Ok(())
        })?;
        start(&ours, &config("1.1.1.1", &["eth0"]))?;
        wait_until(PATIENCE, "ours knows", || {
            let json = ours.vtysh_json("show ip ospf json")?;
            let area = &json["areas"]["0.0.0.0"];
            ensure!(area["areaFloodReductionOffFor"] == serde_json::json!(["2.2.2.2"]), "{area}");
            Ok(())
        })?;
        wait_until(PATIENCE, "all age again", || {
            for router in [&ours, &near, &far] {
                ensure!(!reduces(router)?, "{} still reduces", router.name());
            }
            Ok(())
        })?;
        has(&ours, Family::V4, &["10.255.0.2/32", "10.255.0.3/32"])?;
        has(&far, Family::V4, &["10.255.0.1/32"])
    });
}
