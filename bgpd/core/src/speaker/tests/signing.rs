//! TCP MD5 and TCP-AO: what listeners and connections are told.

use ferrite_types::Prefix;

use super::*;
use crate::peer::{ConnId, Signing};

const CHAIN: &str =
    "key chain K\n key 1\n  key-string one\n  cryptographic-algorithm hmac-sha-256\n exit\nexit\n";

fn router(neighbor: &str) -> String {
    format!("router bgp 65001\n bgp router-id 1.1.1.1\n no bgp ebgp-requires-policy\n{neighbor}exit\n")
}

impl Lab {
    /// What was said since the last look: `network kind`, and `rekey`.
    fn signings(&mut self) -> Vec<String> {
        let acts = std::mem::take(&mut self.acts);
        let told = acts.into_iter().filter_map(|(_, action)| match action {
            Action::SetSigning { network, signing } => Some(match signing {
                None => format!("{network} none"),
                Some(Signing::Md5(key)) => format!("{network} md5 {key}"),
                Some(Signing::Ao(chain)) => {
                    format!("{network} ao {:?}", chain.keys.keys().collect::<Vec<_>>())
                }
            }),
            Action::Rekey { chain, .. } => Some(format!("rekey {:?}", chain.keys.keys().collect::<Vec<_>>())),
            _ => None,
        });
        told.collect()
    }

    fn connecting(&self) -> bool {
        self.acts.iter().any(|(_, action)| matches!(action, Action::Connect { .. }))
    }
}

#[test]
fn the_keys_of_a_chain_follow_its_edits_without_a_new_session() {
    let mut lab = Lab::new();
    let neighbor = " neighbor 10.0.0.2 remote-as 65002\n neighbor 10.0.0.2 tcp-ao key-chain K\n neighbor 10.0.0.2 disable-connected-check\n";
    lab.configure(&format!("{CHAIN}{}", router(neighbor)));
    assert!(lab.connecting());
    assert_eq!(lab.signings(), ["10.0.0.2/32 ao [1]"]);
    let more = CHAIN.replace("exit\nexit\n", "exit\n key 2\n  key-string two\n exit\nexit\n");
    lab.configure(&format!("{more}{}", router(neighbor)));
    let told = lab.signings();
    assert_eq!(told, ["10.0.0.2/32 ao [1, 2]", "rekey [1, 2]"]);
    lab.configure(&router(" neighbor 10.0.0.2 remote-as 65002\n neighbor 10.0.0.2 password P\n"));
    assert_eq!(lab.signings(), ["10.0.0.2/32 md5 P"]);
    lab.configure(&router(" neighbor 10.0.0.2 remote-as 65002\n"));
    assert_eq!(lab.signings(), ["10.0.0.2/32 none"]);
}

#[test]
fn without_its_key_chain_a_session_does_not_come_up_unsigned() {
    let mut lab = Lab::new();
    let neighbor = " neighbor 10.0.0.2 remote-as 65002\n neighbor 10.0.0.2 tcp-ao key-chain K\n neighbor 10.0.0.2 disable-connected-check\n";
    lab.configure(&router(neighbor));
    assert!(!lab.connecting());
    lab.configure(&format!("{CHAIN}{}", router(neighbor)));
    lab.now = lab.now + std::time::Duration::from_secs(5);
    let mut out = Vec::new();
    lab.speaker.tick(lab.now, &mut out);
    lab.carry_out(out);
    assert!(lab.connecting());
    assert_eq!(lab.signings(), ["10.0.0.2/32 ao [1]"]);
}

#[test]
fn a_listen_range_is_signed_with_its_groups_chain() {
    let mut lab = Lab::new();
    let group = " neighbor PG peer-group\n neighbor PG remote-as external\n neighbor PG tcp-ao key-chain K\n bgp listen range 10.9.0.0/16 peer-group PG\n";
    lab.configure(&format!("{CHAIN}{}", router(group)));
    assert_eq!(lab.signings(), ["10.9.0.0/16 ao [1]"]);
    let range: Prefix = "10.9.0.0/16".parse().unwrap();
    lab.configure(&router(" neighbor PG peer-group\n"));
    assert_eq!(lab.signings(), [format!("{range} none")]);
}

#[test]
fn why_a_signed_connection_failed_is_shown() {
    let mut lab = Lab::new();
    let neighbor = " neighbor 10.0.0.2 remote-as 65002\n neighbor 10.0.0.2 tcp-ao key-chain K\n neighbor 10.0.0.2 disable-connected-check\n";
    lab.configure(&format!("{CHAIN}{}", router(neighbor)));
    let attempt = lab.acts.iter().find_map(|(_, action)| match action {
        Action::Connect { peer, conn, .. } => Some((*peer, *conn)),
        _ => None,
    });
    let (peer, conn): (_, ConnId) = attempt.expect("it connects");
    let error = "TCP-AO is not in this kernel".to_owned();
    lab.give(Event::ConnectFailed { peer, conn, error: error.clone() });
    let view = lab.run("show bgp neighbors 10.0.0.2 json");
    assert!(
        view.contains(&format!("\"tcpAo\": {{\n      \"keyChain\": \"K\",\n      \"error\": \"{error}\"")),
        "{view}"
    );
    let text = lab.run("show bgp neighbors 10.0.0.2");
    assert!(
        text.contains("TCP-AO with key chain K\n  No connection: TCP-AO is not in this kernel\n"),
        "{text}"
    );
    for line in ["show key chain K json", "show key chain json"] {
        let chains = lab.run(line);
        assert!(chains.contains("\"sendKey\": 1") && !chains.contains("one"), "{line}: {chains}");
    }
    assert!(lab.run("show key chain").contains("Key-chain K:"));
}
