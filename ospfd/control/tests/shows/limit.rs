//! `max-lsa`: where it is configured or reached the shows say how much is kept, and what is beyond is counted.

use crate::lab::{Lab, link, link_local};

const ALL: [&str; 3] = ["show ip ospf", "show ipv6 ospf6", "show ip ospf6"];

/// Two routers; the first takes no more than some LSAs, the second announces routes.
fn pair(most: u32) -> Lab {
    let mut lab = Lab::default();
    let limit = format!(" max-lsa {most}\n");
    for (id, more) in [(1u8, limit.as_str()), (2, "")] {
        let mut config =
            "interface eth0\n ip ospf area 0\n ip ospf network point-to-point\n ipv6 ospf6 area 0\n \
             ipv6 ospf6 network point-to-point\n ip ospf6 area 0\n ip ospf6 network point-to-point\nexit\n\
             interface lo\n ip ospf area 0\n ipv6 ospf6 area 0\n ip ospf6 area 0\nexit\n"
                .to_owned();
        for (router, word) in [("ospf", "ospf"), ("ospf6", "ospf6"), ("ospf6 ipv4", "ospf6")] {
            config += &format!("router {router}\n {word} router-id {id}.{id}.{id}.{id}\n{more}");
            config += " default-information originate always\nexit\n";
        }
        let own: &'static [&'static str] = Box::leak(Box::new([
            &*Box::leak(format!("10.0.0.{id}/24").into_boxed_str()),
            &*Box::leak(link_local(id).into_boxed_str()),
        ]));
        lab.router(
            &config,
            &[link("lo", 1, &["192.0.2.7/32", "2001:db8::7/128"]), link("eth0", 2, own)],
            |_| {},
        );
    }
    lab.wire(&[(0, 2), (1, 2)]);
    lab.run(120);
    lab
}

#[test]
fn the_bound_of_databases_and_what_they_hold_is_shown() {
    let mut lab = pair(100);
    for command in ALL {
        let limit = lab.json(0, command)["lsaLimit"].clone();
        assert_eq!(limit["lsaMax"], 100, "{command}: {limit}");
        assert_eq!(limit["reached"], false, "{command}: {limit}");
        assert!(limit["lsaCount"].as_u64() >= Some(3), "{command}: {limit}");
        assert!(lab.exec(0, command).contains(" of at most 100, octets "), "{command}");
        assert!(lab.json(1, command).get("lsaLimit").is_none(), "{command}");
    }
}

#[test]
fn a_bound_that_is_reached_is_a_state_of_its_own() {
    let mut lab = pair(2);
    for command in ALL {
        let limit = lab.json(0, command)["lsaLimit"].clone();
        assert_eq!(limit["reached"], true, "{command}: {limit}");
        assert!(lab.exec(0, command).contains("The limit is reached"), "{command}");
    }
    let traffic = lab.json(0, "show ip ospf interface traffic");
    assert!(traffic["eth0"]["dropped"]["the database is full"].as_u64() > Some(0), "{traffic}");
    // Neighbours go on sending what does not fit, and once it does all is as if nothing had been.
    lab.configure(
        0,
        "router ospf\n no max-lsa\nrouter ospf6\n max-lsa 200\nrouter ospf6 ipv4\n max-lsa 200\n",
    );
    lab.run(30);
    for command in ALL {
        let limit = lab.json(0, command)["lsaLimit"].clone();
        assert_ne!(limit["reached"], true, "{command}: {limit}");
    }
    let neighbors = lab.exec(0, "show ip ospf neighbor");
    assert!(neighbors.contains("Full/-"), "{neighbors}");
}
