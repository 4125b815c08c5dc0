//! `router bgp ASN view|vrf NAME`: several of them in one configuration.

use super::*;

const THREE: &str = "router bgp 65001
 neighbor 10.0.0.1 remote-as 65002
exit
!
router bgp 65100 view EXCHANGE
 bgp router-id 192.0.2.100
 neighbor 10.0.0.1 remote-as 65003
 !
 address-family ipv4 unicast
  network 198.51.100.0/24
 exit-address-family
exit
!
router bgp 1.10 vrf RED as-notation dot+
 neighbor 10.0.0.1 remote-as 65001
 !
 address-family ipv6 unicast
  redistribute connected
 exit-address-family
exit
";

#[test]
fn instances_render_as_they_were_entered() {
    let engine = engine();
    let config = load(&engine, THREE);
    assert_eq!(config.instances.len(), 3);
    let text = engine.render_text(&config);
    assert!(text.contains(THREE), "{text}");
    check_round_trip(&engine, &config).unwrap();
}

#[test]
fn a_line_edits_the_instance_it_stands_in() {
    let engine = engine();
    let config = load(&engine, THREE);
    let without = load(&engine, &format!("{THREE}no router bgp 1.10 vrf RED\n"));
    assert_eq!(without.instances.len(), 2);
    let red = InstanceName::Vrf("RED".into());
    assert!(config.instances[&red].neighbors.len() == 1 && !without.instances.contains_key(&red));
    assert_eq!(config.instances[&InstanceName::View("EXCHANGE".into())].asn.asn.0, 65100);
}

#[test]
fn an_instance_that_cannot_be_is_refused() {
    let engine = engine();
    for (line, message) in [
        ("router bgp", "Please specify ASN and VRF"),
        ("no router bgp", "Please specify ASN and VRF"),
        ("router bgp 65099 vrf RED", "BGP instance is already running; AS is 1.10"),
        ("router bgp 65100 vrf EXCHANGE", "BGP instance name and AS number mismatch"),
        ("no router bgp 65100 vrf BLUE", "Can't find BGP instance"),
    ] {
        let errors = engine.load(BgpConfig::default(), &numbered(&format!("{THREE}{line}\n"))).unwrap_err();
        assert!(errors[0].to_string().contains(message), "{line}: {}", errors[0]);
    }
}
