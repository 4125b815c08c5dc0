//! Clients of the OSPF API: what they announce is flooded, what they follow is told, what they get wrong is answered.

use bytes::{BufMut, Bytes, BytesMut};
use ferrite_ospf_control::api::{ClientId, Header};
use ferrite_ospf_control::{Action, ApiEvent, Event};

use crate::lab::{Lab, link};

const CONFIG: &str = "interface e0\n ip ospf area 0\n ip ospf network point-to-point\nexit\nrouter ospf\n capability opaque\nexit\n";
const ONE: ClientId = ClientId(1);
const TWO: ClientId = ClientId(2);

fn network() -> Lab {
    network_of("")
}

/// Processes of that instance.
fn network_of(instance: &str) -> Lab {
    let mut lab = Lab::default();
    for router in 1..=2u8 {
        let config =
            format!("{CONFIG}router ospf\n ospf router-id {router}.{router}.{router}.{router}\nexit\n");
        let config = match instance {
            "" => config,
            of => config
                .replace("router ospf\n", &format!("router ospf {of}\n"))
                .replace(" ip ospf area", &format!(" ip ospf {of} area")),
        };
        lab.router(&config, &[link("e0", 2, &[&*format!("10.0.1.{router}/24")])], |_| {});
    }
    lab.wire(&[(0, 2), (1, 2)]);
    lab.run(90);
    for client in [ONE, TWO] {
        lab.feed(0, Event::Api(ApiEvent::Connected(client)));
    }
    lab
}

/// What clients were told since this was last asked: whether it is an answer, and the octets.
fn told(lab: &mut Lab) -> Vec<(bool, Bytes)> {
    let wanted = std::mem::take(&mut lab.wanted).into_iter();
    let api = wanted.filter_map(|(_, action)| match action {
        Action::Api { reply, octets, .. } => Some((reply, octets)),
        _ => None,
    });
    api.collect()
}

/// Asks; the code of the answer, and the notices behind it.
fn ask(lab: &mut Lab, client: ClientId, kind: u8, body: &[u8]) -> (i8, Vec<Bytes>) {
    told(lab);
    let header = Header { kind, len: body.len() as u16, sequence: 7 };
    lab.feed(0, Event::Api(ApiEvent::Request(client, header, Bytes::copy_from_slice(body))));
    let mut told = told(lab);
    let (reply, octets) = told.remove(0);
    assert!(reply, "the answer comes first");
    assert_eq!(octets[..8], [1, 10, 0, 4, 0, 0, 0, 7]);
    (octets[8] as i8, told.into_iter().map(|(_, octets)| octets).collect())
}

fn originate(lsa_type: u8, kind: u8, address: [u8; 4], data: &[u8]) -> Vec<u8> {
    let mut body = BytesMut::new();
    body.put_slice(if lsa_type == 9 { &address } else { &[0; 4] });
    body.put_slice(if lsa_type == 10 { &address } else { &[0; 4] });
    body.put_slice(&[0, 0, 0, lsa_type, kind, 0, 0, 1]);
    body.put_bytes(0, 10);
    body.put_u16(20 + data.len() as u16);
    body.put_slice(data);
    body.to_vec()
}

const DATABASE: &str = "show ip ospf database opaque-area adv-router 1.1.1.1";

#[test]
fn what_a_client_announces_is_flooded_and_goes_with_it() {
    let mut lab = network();
    let (code, notices) = ask(&mut lab, ONE, 1, &[10, 226, 0, 0]);
    assert_eq!(code, 0);
    assert_eq!(notices[0][..], [1, 11, 0, 8, 0, 0, 0, 0, 10, 226, 0, 0, 0, 0, 0, 0], "ready in area 0");
    assert_eq!(ask(&mut lab, ONE, 5, &originate(10, 226, [0; 4], &[1, 2, 3, 4])).0, 0);
    lab.run(10);
    let heard = lab.exec(1, DATABASE);
    assert!(heard.contains("  Opaque-Type 226 (Private/Experimental)\n"), "{heard}");
    assert!(heard.contains("  Link State ID: 226.0.0.1 "), "{heard}");
    lab.feed(0, Event::Api(ApiEvent::Gone(ONE)));
    lab.run(30);
    assert!(!lab.exec(1, DATABASE).contains("226"), "it was withdrawn");
}

#[test]
fn what_is_wrong_is_answered() {
    let mut lab = network();
    assert_eq!(ask(&mut lab, ONE, 1, &[8, 226, 0, 0]).0, -4, "no type of opaque LSAs");
    assert_eq!(ask(&mut lab, ONE, 1, &[10, 1, 0, 0]).0, -5, "traffic engineering is ours");
    assert_eq!(ask(&mut lab, ONE, 1, &[10]).0, -9, "short");
    assert_eq!(ask(&mut lab, ONE, 200, &[]).0, -9, "unknown");
    assert_eq!(ask(&mut lab, ONE, 5, &originate(10, 226, [0; 4], &[])).0, -6, "not registered");
    assert_eq!(ask(&mut lab, ONE, 1, &[10, 226, 0, 0]).0, 0);
    assert_eq!(ask(&mut lab, TWO, 1, &[10, 226, 0, 0]).0, -5, "another one has it");
    assert_eq!(ask(&mut lab, ONE, 5, &originate(10, 226, [0, 0, 0, 9], &[])).0, -2, "no such area");
    assert_eq!(ask(&mut lab, ONE, 5, &originate(9, 226, [9; 4], &[])).0, -1, "no such address");
    assert_eq!(ask(&mut lab, ONE, 5, &originate(10, 226, [0; 4], &[1, 2])).0, -9, "half a word");
    assert_eq!(ask(&mut lab, ONE, 6, &[0, 0, 0, 0, 10, 226, 0, 0, 0, 0, 0, 1]).0, -3, "nothing to delete");
    assert_eq!(ask(&mut lab, TWO, 2, &[10, 226, 0, 0]).0, -6, "not the other's to give back");
    assert_eq!(ask(&mut lab, ONE, 2, &[10, 226, 0, 0]).0, 0);
}

#[test]
fn the_database_and_what_happens_are_told() {
    let mut lab = network();
    let all = [0xff, 0xff, 2, 0];
    let (code, notices) = ask(&mut lab, ONE, 4, &all);
    assert_eq!((code, notices.len()), (0, 2), "a router-LSA of each");
    assert!(notices.iter().all(|notice| notice[1] == 12 && notice.len() > 8 + 12 + 20));
    assert_eq!(ask(&mut lab, ONE, 4, &[0, 2, 1, 0]).1.len(), 1, "ours alone");
    assert_eq!(ask(&mut lab, ONE, 3, &all).0, 0);
    let (_, links) = ask(&mut lab, ONE, 8, &[]);
    assert_eq!(links[0][..], [1, 16, 0, 12, 0, 0, 0, 0, 10, 0, 1, 1, 0, 0, 0, 0, 4, 0, 0, 0]);
    let (_, neighbors) = ask(&mut lab, ONE, 9, &[]);
    assert_eq!(neighbors[0][8..], [10, 0, 1, 1, 10, 0, 1, 2, 2, 2, 2, 2, 9, 0, 0, 0]);
    assert_eq!(ask(&mut lab, ONE, 7, &[]).1[0][8..], [0, 1, 0, 0, 2, 2, 2, 2]);
    assert_eq!(ask(&mut lab, ONE, 19, &[]).1[0][8..], [1, 1, 1, 1]);
    // Another client's LSA is told when it comes and when it goes.
    ask(&mut lab, TWO, 1, &[11, 226, 0, 0]);
    let lsas = |notices: &[Bytes], kind| notices.iter().filter(|notice| notice[1] == kind).count();
    let (_, heard) = ask(&mut lab, TWO, 5, &originate(11, 226, [0; 4], &[1, 2, 3, 4]));
    assert_eq!(lsas(&heard, 12), 1, "{heard:?}");
    lab.run(10);
    let (_, heard) = ask(&mut lab, TWO, 6, &[0, 0, 0, 0, 11, 226, 0, 0, 0, 0, 0, 1]);
    assert_eq!(lsas(&heard, 13), 1, "{heard:?}");
    // So is a neighbour that is lost.
    told(&mut lab);
    lab.cut();
    lab.run(60);
    let heard = told(&mut lab);
    assert!(heard.iter().any(|(_, notice)| notice[1] == 17), "the neighbour");
    assert!(
        heard.iter().any(|(_, notice)| notice[1] == 18 && notice[8..12] == [0, 0, 0, 1]),
        "is not reached"
    );
}

/// As FRR's `ospfd -n 3 -a`: a process of a number is followed where there is no other.
#[test]
fn an_instance_is_followed_where_there_is_no_plain_process() {
    let mut lab = network_of("3");
    assert_eq!(ask(&mut lab, ONE, 1, &[10, 226, 0, 0]).0, 0);
    assert_eq!(ask(&mut lab, ONE, 5, &originate(10, 226, [0; 4], &[1, 2, 3, 4])).0, 0);
    lab.run(10);
    let heard = lab.exec(1, "show ip ospf 3 database opaque-area adv-router 1.1.1.1");
    assert!(heard.contains("  Opaque-Type 226 (Private/Experimental)\n"), "{heard}");
    // Another that comes does not take its clients away.
    lab.configure(0, "router ospf\n ospf router-id 9.9.9.9\n");
    lab.feed(0, Event::Api(ApiEvent::Gone(ONE)));
    lab.run(30);
    let heard = lab.exec(1, "show ip ospf 3 database opaque-area adv-router 1.1.1.1");
    assert!(!heard.contains("226"), "it was withdrawn: {heard}");
}
