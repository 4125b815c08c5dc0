//! The whole program's library against a bgpd made up for it: what it makes of answers, of bad ones, and of bad requests.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferrite_lg::cache::Cache;
use ferrite_lg::glass::Glass;
use ferrite_lg::http::{Limits, Server};
use ferrite_lg::vty::Bgpd;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Answers by command, each with the NULs and the status that end it.
type Answers = HashMap<&'static str, Vec<u8>>;

/// A bgpd that knows some answers by heart.
struct Fake {
    dir: tempfile::TempDir,
    asked: Arc<Mutex<Vec<String>>>,
}

fn text(text: &str) -> Vec<u8> {
    [text.as_bytes(), &[0, 0, 0, 0]].concat()
}

impl Fake {
    fn new(answers: Answers) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(dir.path().join("bgpd.vty")).unwrap();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = asked.clone();
        // Ends with the process: what it serves lives as long.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut command = Vec::new();
                let mut octet = [0];
                while stream.read(&mut octet).is_ok_and(|read| read == 1) && octet != [0] {
                    command.extend(octet);
                }
                let command = String::from_utf8(command).unwrap();
                let answer =
                    answers.get(command.as_str()).cloned().unwrap_or_else(|| text("% Unknown command\n"));
                log.lock().unwrap().push(command);
                let _ = stream.write_all(&answer);
            }
        });
        Self { dir, asked }
    }

    async fn served(&self, change: impl FnOnce(&mut Bgpd, &mut Glass, &mut Limits)) -> SocketAddr {
        let mut bgpd = Bgpd {
            socket: self.dir.path().join("bgpd.vty"),
            patience: Duration::from_secs(10),
            limit: 1 << 20,
        };
        let mut glass = Glass { bgpd: bgpd.clone(), instance: String::new(), limit: 1 << 20 };
        let mut limits =
            Limits { allow: vec![], connections: 8, commands: 2, lifetime: Duration::from_secs(60) };
        change(&mut bgpd, &mut glass, &mut limits);
        glass.bgpd = bgpd;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::new(glass, Cache::new(Duration::from_hours(1), 1 << 20), limits);
        tokio::spawn(server.serve(listener));
        address
    }

    fn commands(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Sends octets, and reads to the end of what comes back.
async fn raw(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The server may have hung up before all of it was written.
    let _ = stream.write_all(request).await;
    let mut reply = Vec::new();
    let _ = stream.read_to_end(&mut reply).await;
    String::from_utf8_lossy(&reply).into_owned()
}

async fn get(address: SocketAddr, path: &str) -> (u16, Value) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: lg\r\nConnection: close\r\n\r\n");
    let reply = raw(address, request.as_bytes()).await;
    let status = reply.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    let body = reply.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

const NEIGHBORS: &str = r#"{"10.0.0.2":{"bgpNeighborAddr":"10.0.0.2","remoteAs":65002,"localAs":65000,"nbrDesc":"Two",
"bgpState":"Established","bgpTimerUpEstablishedEpoch":1795393044,"remoteRouterId":"10.0.0.2","bgpTimerHoldTimeMsecs":180000,
"addressFamilyInfo":{"ipv4Unicast":{"acceptedPrefixCounter":2,"sentPrefixCounter":5,"prefixAllowedMax":100}}},
"2001:db8::3":{"remoteAs":65003,"localAs":65000,"bgpState":"Active","lastResetDueTo":"Waiting for NHT",
"addressFamilyInfo":{"ipv6Unicast":{"acceptedPrefixCounter":0}}}}"#;

const ROUTER: &str = r#"{"bgpStartedAt":1795393000,"bgpInstanceCount":1}"#;

const FILTERED: &str = r#"{
"bgpTableVersion":2,"bgpLocalRouterId":"10.9.0.1","defaultLocPrf":100,"localAS":65001,"receivedRoutes": {"10.22.2.0/24":
{"prefix":"10.22.2.0/24","version":0,"paths":[{"aspath":{"string":"65002","segments":[{"type":"as-sequence","list":[65002]}],
"length":1},"origin":"IGP","metric":0,"valid":false,"largeCommunity":{"string":"65000:1:1010","list":["65000:1:1010"]},
"lastUpdate":{"epoch":1795368437,"string":"x"},"nexthops":[{"ip":"10.0.0.2","afi":"ipv4","used":true}],
"peer":{"peerId":"10.0.0.2","routerId":"10.0.0.2","type":"external"}}]}}
,"totalPrefixCounter":1,"filteredPrefixCounter":0}"#;

fn answers() -> Answers {
    HashMap::from([
        ("show bgp neighbors json", text(NEIGHBORS)),
        ("show bgp router json", text(ROUTER)),
        ("show bgp ipv4 unicast summary json", text(r#"{"routerId":"10.0.0.1","as":65000}"#)),
        (
            "show bgp ipv4 unicast prefix-counts json",
            text(r#"{"neighbors":{"10.0.0.2":{"accepted":2,"best":1,"filtered":3}}}"#),
        ),
        ("show bgp ipv6 unicast prefix-counts json", text("{}")),
        ("show bgp ipv4 unicast neighbors 10.0.0.2 filtered-routes detail json", text(FILTERED)),
        (
            "show bgp ipv4 unicast neighbors 10.0.0.2 routes detail json",
            text(r#"{ "warning": "Inbound soft reconfiguration not enabled" }"#),
        ),
    ])
}

#[tokio::test]
async fn neighbours_are_protocols() {
    let fake = Fake::new(answers());
    let address = fake.served(|_, _, _| {}).await;
    let (status, reply) = get(address, "/protocols/bgp").await;
    assert_eq!(status, 200);
    assert_eq!(reply["api"]["result_from_cache"], false);
    let two = &reply["protocols"]["10.0.0.2"];
    assert_eq!(
        (&two["state"], &two["neighbor_as"], &two["description"]),
        (&json!("up"), &json!(65002), &json!("Two"))
    );
    let numbers = json!({ "imported": 2, "filtered": 3, "exported": 5, "preferred": 1, "accepted": 2 });
    assert_eq!(two["routes"], numbers);
    assert_eq!((&two["table"], &two["import_limit"]), (&json!("master4"), &json!(100)));
    let three = &reply["protocols"]["2001:db8::3"];
    assert_eq!((&three["state"], &three["last_error"]), (&json!("start"), &json!("Waiting for NHT")));
    let (_, reply) = get(address, "/protocols/short?uncached=true").await;
    assert_eq!(reply["protocols"]["10.0.0.2"]["since"], "2026-11-23 00:17:24");
    let (_, reply) = get(address, "/status").await;
    assert_eq!(
        (&reply["status"]["router_id"], &reply["status"]["last_reboot"]),
        (&json!("10.0.0.1"), &json!("2026-11-23 00:16:40"))
    );
}

#[tokio::test]
async fn a_refused_route_says_why() {
    let fake = Fake::new(answers());
    let address = fake.served(|_, _, _| {}).await;
    let (_, reply) = get(address, "/routes/filtered/10.0.0.2").await;
    let route = &reply["routes"][0];
    assert_eq!((&route["network"], &route["learnt_from"]), (&json!("10.22.2.0/24"), &json!("10.0.0.2")));
    assert_eq!(route["bgp"]["large_communities"], json!([[65000, 1, 1010]]));
    // What bgpd was not told to keep is not an error.
    let (status, reply) = get(address, "/routes/protocol/10.0.0.2").await;
    assert_eq!((status, &reply["routes"]), (200, &json!([])));
}

#[tokio::test]
async fn the_same_thing_is_asked_of_bgpd_once() {
    let fake = Fake::new(answers());
    let address = fake.served(|_, _, _| {}).await;
    let (_, first) = get(address, "/routes/filtered/10.0.0.2").await;
    let (_, again) = get(address, "/routes/filtered/10.0.0.2").await;
    assert_eq!(
        (&first["api"]["result_from_cache"], &again["api"]["result_from_cache"]),
        (&json!(false), &json!(true))
    );
    assert_eq!((&first["routes"], &first["ttl"]), (&again["routes"], &again["ttl"]));
    assert_eq!(fake.commands().len(), 2, "the neighbours, and their routes: {:?}", fake.commands());
}

#[tokio::test]
async fn only_names_that_bgpd_told_get_into_a_command() {
    let fake = Fake::new(answers());
    let address = fake.served(|_, _, _| {}).await;
    for name in ["10.0.0.9", "10.0.0.2%20routes", "*", "10.0.0.2%3bx"] {
        let (status, reply) = get(address, &format!("/routes/protocol/{name}")).await;
        assert_eq!(status, 404, "{name}: {reply}");
    }
    let commands = fake.commands();
    assert!(commands.iter().all(|command| command == "show bgp neighbors json"), "{commands:?}");
}

#[tokio::test]
async fn bad_answers_are_errors_and_nothing_else() {
    let broken: [(&str, Vec<u8>); 9] = [
        ("no JSON", text("% Unknown command\n")),
        ("cut short", b"{\"10.0.0.2\":{".to_vec()),
        ("cut short and ended", text("{\"10.0.0.2\":{")),
        ("another type", text("[1,2,3]")),
        ("a member of another type", text("{\"x\":{\"remoteAs\":\"many\"}}")),
        ("nothing", Vec::new()),
        ("no text", text("")),
        ("deep", text(&"[".repeat(100_000))),
        ("not UTF-8", [b"{\"".as_slice(), &[0xff, 0xfe], b"\":{}}\0\0\0\0"].concat()),
    ];
    for (what, answer) in broken {
        let fake = Fake::new(HashMap::from([
            ("show bgp neighbors json", answer),
            ("show bgp router json", text(ROUTER)),
        ]));
        let address = fake.served(|_, _, _| {}).await;
        let (status, reply) = get(address, "/protocols/short").await;
        assert!(status >= 500 && reply["error"].is_string(), "{what}: {status} {reply}");
        // It goes on serving.
        assert_eq!(get(address, "/version").await.0, 200, "{what}");
    }
}

#[tokio::test]
async fn answers_beyond_the_limit_are_not_read_on() {
    let long = format!("{{\"x\":{{\"nbrDesc\":\"{}\"}}}}", "y".repeat(10_000));
    let fake = Fake::new(HashMap::from([("show bgp neighbors json", text(&long))]));
    let address = fake.served(|bgpd, _, _| bgpd.limit = 1000).await;
    let (status, reply) = get(address, "/symbols/protocols").await;
    assert!(status >= 500 && reply["error"].as_str().is_some_and(|text| text.contains("larger")), "{reply}");
    let fake = Fake::new(answers());
    let address = fake.served(|_, glass, _| glass.limit = 100).await;
    let (status, reply) = get(address, "/routes/filtered/10.0.0.2").await;
    assert!(status >= 500 && reply["error"].as_str().is_some_and(|text| text.contains("larger")), "{reply}");
}

#[tokio::test]
async fn a_bgpd_that_is_away_is_said_to_be() {
    let fake = Fake::new(Answers::new());
    let address = fake.served(|bgpd, _, _| bgpd.socket = "/nowhere/bgpd.vty".into()).await;
    let (status, reply) = get(address, "/status").await;
    assert_eq!((status, reply["error"].is_string()), (503, true), "{reply}");
}

#[tokio::test]
async fn who_is_not_allowed_is_told_so() {
    let fake = Fake::new(answers());
    let address = fake.served(|_, _, limits| limits.allow = vec!["192.0.2.0/24".parse().unwrap()]).await;
    assert_eq!(get(address, "/status").await.0, 403);
    let address = fake.served(|_, _, limits| limits.allow = vec!["127.0.0.0/8".parse().unwrap()]).await;
    assert_eq!(get(address, "/status").await.0, 200);
    assert!(fake.commands().len() == 2, "only the second was asked: {:?}", fake.commands());
}

#[tokio::test]
async fn bad_requests_cost_nothing() {
    let fake = Fake::new(answers());
    let address = fake.served(|_, _, _| {}).await;
    let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(40_000));
    let headers = format!("GET /status HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(5_000));
    let requests: [&[u8]; 8] = [
        b"\0\0\0\0\r\n\r\n",
        b"GET\r\n\r\n",
        b"POST /status HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        b"DELETE /routes/protocol/10.0.0.2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /routes/protocol/%%%% HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /nothing HTTP/9.9\r\n\r\n",
        long.as_bytes(),
        headers.as_bytes(),
    ];
    let asked = AtomicUsize::new(0);
    for request in requests {
        let reply = raw(address, request).await;
        assert!(!reply.starts_with("HTTP/1.1 200"), "{reply}");
        asked.fetch_add(1, Ordering::Relaxed);
    }
    assert_eq!(asked.into_inner(), 8);
    assert_eq!(fake.commands(), Vec::<String>::new());
    assert_eq!(get(address, "/version").await.0, 200);
}
