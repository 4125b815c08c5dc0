//! `ip ospf authentication extended-sequence`: what it wants kept for the next program, and what shows say of it.

use ferrite_ospf_control::Action;

use crate::lab::{Lab, link};

fn config(address: u8) -> String {
    format!(
        "key chain KC
 key 1
  key-string secret
  cryptographic-algorithm md5
 exit
 key 70000
  key-string secret
  cryptographic-algorithm hmac-sha-256
 exit
exit
interface a
 ip ospf area 0
 ip ospf network point-to-point
 ip ospf authentication key-chain KC
 ip ospf authentication extended-sequence
exit
router ospf
 ospf router-id {address}.{address}.{address}.{address}
exit
"
    )
}

fn counts(lab: &Lab, router: usize) -> Vec<u32> {
    let own = lab.wanted.iter().filter(|(from, _)| *from == router);
    own.filter_map(|(_, action)| match action {
        Action::BootCount(count) => Some(*count),
        _ => None,
    })
    .collect()
}

fn pair() -> Lab {
    let mut lab = Lab::default();
    lab.wire(&[(0, 2), (1, 3)]);
    lab.router(&config(1), &[link("a", 2, &["10.0.0.1/24"])], |_| {});
    lab.router(&config(2), &[link("a", 3, &["10.0.0.2/24"])], |_| {});
    lab.run(60);
    lab
}

#[test]
fn the_count_of_boots_is_kept_and_rises_with_every_new_process() {
    let mut lab = pair();
    let full = |lab: &mut Lab| {
        lab.json(0, "show ip ospf neighbor")["neighbors"]["2.2.2.2"][0]["converged"] == "Full"
    };
    assert!(full(&mut lab));
    // The lab's clock says so little.
    assert_eq!(counts(&lab, 0), [1]);
    let row = lab.json(0, "show ip ospf interface a")["interfaces"]["a"].clone();
    assert_eq!(row["extendedSequence"], serde_json::json!({"state": "inUse", "bootCount": 1}));
    let text = lab.exec(0, "show ip ospf interface a");
    assert!(text.contains("    Sending SA: Key 70000, Algorithm hmac-sha-256 - key chain KC\n"), "{text}");
    assert!(text.contains("  Extended sequence numbers: in use, boot count 1\n"), "{text}");
    // Other edits change nothing about it; a process that is new has forgotten what it sent.
    lab.configure(0, "interface a\n ip ospf cost 7\n");
    assert_eq!(counts(&lab, 0), [1]);
    lab.configure(0, "no router ospf\n");
    lab.configure(0, "router ospf\n ospf router-id 1.1.1.1\n");
    let all = counts(&lab, 0);
    assert!(all.len() == 2 && all[1] > all[0], "{all:?}");
    lab.run(60);
    assert!(full(&mut lab));
}

#[test]
fn where_nothing_can_be_signed_so_the_show_says_it() {
    let mut lab = pair();
    let state = |lab: &mut Lab| {
        lab.json(0, "show ip ospf interface a")["interfaces"]["a"]["extendedSequence"].clone()
    };
    // Keyed MD5 alone: nothing goes out with less than what was asked for.
    lab.configure(
        0,
        "interface a\n ip ospf authentication message-digest\n ip ospf message-digest-key 1 md5 abc\n",
    );
    assert_eq!(state(&mut lab), serde_json::json!({"state": "noKey"}));
    let text = lab.exec(0, "show ip ospf interface a");
    assert!(
        text.contains("  Extended sequence numbers: no HMAC-SHA key, nothing is sent or taken\n"),
        "{text}"
    );
    lab.run(60);
    assert_eq!(lab.json(1, "show ip ospf neighbor")["neighbors"], serde_json::json!({}));
    lab.configure(0, "interface a\n no ip ospf authentication message-digest\n");
    assert_eq!(state(&mut lab), serde_json::json!({"state": "withoutEffect"}));
    lab.configure(0, "interface a\n no ip ospf authentication extended-sequence\n");
    assert_eq!(state(&mut lab), serde_json::Value::Null);
}
