//! Alternates that stand by and RFC 8405's delays: what is shown of them, and what zebra hears when a link goes.

use ferrite_ospf_control::{Action, Event};
use ferrite_types::ids::IfIndex;
use ferrite_types::nexthop::{Nexthop, NexthopKind};
use ferrite_types::zclient::{FromZebra, ToZebra};

use crate::lab::{Lab, link, link_local};

/// Three routers, each joined to both others, and a loopback at each.
fn triangle() -> Lab {
    let mut lab = Lab::default();
    let ends = [("ab", "ac"), ("ab", "bc"), ("ac", "bc")];
    for (at, (one, two)) in ends.into_iter().enumerate() {
        let id = at as u32 + 1;
        let mut config = String::new();
        for name in ["lo", one, two] {
            config += &format!("interface {name}\n ip ospf area 0\n ipv6 ospf6 area 0\n");
            if name != "lo" {
                config += " ip ospf network point-to-point\n ipv6 ospf6 network point-to-point\n";
            }
            config += "exit\n";
        }
        for (version, id) in [("ospf", id), ("ospf6", id)] {
            config += &format!("router {version}\n {version} router-id {id}.{id}.{id}.{id}\n");
            if at == 0 {
                config += " fast-reroute lfa\n timers spf-delay-ietf init-delay 50 short-delay 200 \
                           long-delay 5000 holddown 10000 time-to-learn 500\n";
            }
            config += "exit\n";
        }
        let number = |name: &str| ["ab", "ac", "bc"].iter().position(|other| *other == name).unwrap_or(0);
        let own = |name: &str| format!("10.0.{}.{id}/24", number(name));
        let local = |name: &str| link_local((at * 3 + number(name) + 1) as u8);
        let loopback = [format!("192.0.2.{id}/32"), format!("2001:db8::{id}/128")];
        let addresses = [[own(one), local(one)], [own(two), local(two)]];
        let texts = |all: &'static [String; 2]| -> &'static [&'static str] {
            Box::leak(Box::new([all[0].as_str(), all[1].as_str()]))
        };
        let leaked = |all: [String; 2]| texts(Box::leak(Box::new(all)));
        let [first, second] = addresses;
        let links = [
            link("lo", 1, leaked(loopback)),
            link(one, number(one) as u32 + 2, leaked(first)),
            link(two, number(two) as u32 + 2, leaked(second)),
        ];
        lab.router(&config, &links, |_| {});
    }
    lab.wire(&[(0, 2), (1, 2)]);
    lab.wire(&[(0, 3), (2, 3)]);
    lab.wire(&[(1, 4), (2, 4)]);
    lab.run(120);
    lab
}

#[test]
fn an_alternate_stands_by_and_takes_over_before_anything_is_calculated() {
    let mut lab = triangle();
    let route = lab.json(0, "show ip ospf route")["192.0.2.2/32"].clone();
    assert_eq!(route["nexthops"][0]["via"], "ab", "{route}");
    assert_eq!(route["nexthops"][0]["backup"]["via"], "ac", "{route}");
    assert!(lab.exec(0, "show ip ospf route").contains("backup via 10.0.1.3, ac"));
    let route = lab.json(0, "show ipv6 ospf6 route")["routes"]["2001:db8::2/128"].clone();
    assert_eq!(route["backupNextHops"][0]["interfaceName"], "ac", "{route}");
    // What lies outside has those of the way to who announces it.
    lab.configure(1, "router ospf\n default-information originate always\n");
    lab.configure(1, "router ospf6\n default-information originate always\n");
    lab.run(30);
    let route = lab.json(0, "show ip ospf route")["0.0.0.0/0"].clone();
    assert_eq!((&route["routeType"], &route["nexthops"][0]["backup"]["via"]), (&"N E2".into(), &"ac".into()));
    let route = lab.json(0, "show ipv6 ospf6 route")["routes"]["::/0"].clone();
    assert_eq!(route["backupNextHops"][0]["interfaceName"], "ac", "{route}");
    lab.wanted.clear();
    // The link goes; no time passes.
    let gone =
        ferrite_types::interface::Interface { up: false, running: false, ..crate::lab::interface("ab", 2) };
    lab.feed(0, Event::Zebra(FromZebra::Interface(gone)));
    let own = lab.wanted.iter().filter(|(router, _)| *router == 0);
    let updates = own.flat_map(|(_, action)| match action {
        Action::Zebra(ToZebra::Routes(batch)) => batch.updates.as_slice(),
        _ => &[],
    });
    let over = |hop: &Nexthop| matches!(hop.kind, NexthopKind::Gateway(_, Some(IfIndex(3))));
    let moved: Vec<String> = updates
        .filter(|update| update.route.as_ref().is_some_and(|route| route.nexthops.iter().all(over)))
        .map(|update| update.prefix.to_string())
        .collect();
    for prefix in ["192.0.2.2/32", "2001:db8::2/128", "0.0.0.0/0", "::/0"] {
        assert!(moved.iter().any(|other| other == prefix), "{prefix}: {moved:?}");
    }
}

#[test]
fn the_delays_and_where_they_stand_are_shown() {
    let mut lab = triangle();
    for command in ["show ip ospf", "show ipv6 ospf6"] {
        let json = lab.json(0, command);
        assert_eq!(json["spfDelayIetf"]["state"], "QUIET", "{json}");
        assert_eq!(json["spfDelayIetf"]["longDelayMsecs"], 5000);
        assert!(lab.exec(0, command).contains("SPF delays of RFC 8405, state QUIET"));
        // Without them FRR's throttle is at work, and nothing is said of delays.
        assert!(lab.json(1, command).get("spfDelayIetf").is_none());
    }
}
