//! Caches reached over SSH and over signed TCP: StayRTR behind both, and what happens when keys do not fit.

use std::time::Duration;

use serde_json::{Value, json};
use topotests::daemon::ours;
use topotests::{Failure, Kind, Needs, Net, Result, Router, ensure, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(60);
const SSH: u16 = 8222;
const TCP: u16 = 8282;
/// Where segments must be signed; behind it is [`TCP`].
const SIGNED: u16 = 8283;
const VRPS: &str = r#"{"metadata": {}, "bgpsec_keys": [],
 "roas": [{"prefix": "10.1.0.0/16", "maxLength": 24, "asn": 65002, "ta": "t"}]}"#;

/// A relay whose kernel takes only segments that 10.0.0.1 has signed (RFC 2385), and signs its own:
/// `struct tcp_md5sig` of `linux/tcp.h` is an address, flags, prefix length, the key's length, an interface, the key.
const RELAY: &str = r#"
import socket, struct, sys, threading
port, behind = int(sys.argv[1]), int(sys.argv[2])
key = sys.argv[3].encode()
peer = struct.pack("=HH4s120x", socket.AF_INET, 0, socket.inet_aton("10.0.0.1"))
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.setsockopt(socket.IPPROTO_TCP, 14, peer + struct.pack("=BBHi80s", 0, 0, len(key), 0, key))
server.bind(("0.0.0.0", port))
server.listen(8)
def pipe(a, b):
    try:
        while octets := a.recv(65536):
            b.sendall(octets)
    except OSError:
        pass
    for one in (a, b):
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
while True:
    client, _ = server.accept()
    cache = socket.create_connection(("127.0.0.1", behind))
    for ends in ((client, cache), (cache, client)):
        threading.Thread(target=pipe, args=ends, daemon=True).start()
"#;

/// A pair of keys, by the router's own `ssh-keygen`; the public one's text.
fn keys(router: &Router, name: &str) -> Result<String> {
    let file = router.dir().join("etc").join(name);
    router.run(
        "ssh-keygen",
        &["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", &file.display().to_string()],
    )?;
    let public = std::fs::read_to_string(file.with_extension("pub"))?;
    let mut words = public.split_whitespace();
    match (words.next(), words.next()) {
        (Some(kind), Some(key)) => Ok(format!("{kind} {key}")),
        _ => Err(Failure::new(format!("no key in {public}"))),
    }
}

fn start_cache(cache: &Router) -> Result<u32> {
    let bind = format!(":{TCP}");
    let ssh = format!(":{SSH}");
    let args = [
        "-bind",
        &bind,
        "-ssh.bind",
        &ssh,
        "-ssh.key",
        "/run/t/etc/host",
        "-ssh.method.key",
        "-ssh.auth.user",
        "rpki",
        "-ssh.auth.key.file",
        "/run/t/etc/authorized",
        "-cache",
        "/run/t/etc/vrps.json",
        "-checktime=false",
        "-refresh",
        "1",
        "-export.path",
        "",
        "-rtr.retry",
        "1",
        "-metrics.addr",
        ":9282",
    ];
    let args: Vec<String> = args.iter().map(ToString::to_string).collect();
    cache.start_foreground("/usr/bin/stayrtr", &args, &[])
}

/// The cache's keys and data, its processes, and which one is StayRTR.
fn prepare(net: &mut Net) -> Result<(Router, Router, u32)> {
    let r1 = net.router("r1", Kind::Ours)?;
    let cache = net.router("r2", Kind::Frr)?;
    net.lan("lan", &[(&r1, "10.0.0.1/24"), (&cache, "10.0.0.2/24")])?;
    let (host, known, _stranger) = (keys(&r1, "host")?, keys(&r1, "known")?, keys(&r1, "stranger")?);
    std::fs::copy(r1.dir().join("etc/host"), cache.dir().join("etc/host"))?;
    cache.write("etc/authorized", &format!("{known}\n"))?;
    r1.write("etc/known_hosts", &format!("[10.0.0.2]:{SSH} {host}\n"))?;
    // An impostor's: the address is known, by another key.
    r1.write("etc/other_hosts", &format!("[10.0.0.2]:{SSH} {known}\n"))?;
    cache.write("etc/vrps.json", VRPS)?;
    let relay = cache.write("etc/relay.py", RELAY)?;
    let pid = start_cache(&cache)?;
    let args = [relay, SIGNED.to_string(), TCP.to_string(), "secret".to_owned()];
    cache.start_foreground("/usr/bin/python3", &args, &[])?;
    Ok((r1, cache, pid))
}

#[test]
fn caches_are_reached_over_ssh_and_signed_tcp_or_it_is_said_why_not() {
    run(&Needs::ours_and_peers(), |net| {
        let (r1, cache, stayrtr) = prepare(net)?;
        let ssh = |key: &str, known: &str| {
            format!("rpki cache ssh 10.0.0.2 {SSH} rpki /run/t/etc/{key} /run/t/etc/{known}")
        };
        let tcp = |password: &str| format!("rpki cache tcp 10.0.0.2 {SIGNED}{password}");
        let lines = [
            ssh("known", "known_hosts"),
            ssh("stranger", "known_hosts"),
            ssh("known", "other_hosts"),
            tcp(" password secret"),
            tcp(" password another"),
            tcp(""),
        ];
        let mut config = String::from("rpki\n rpki retry_interval 1\n");
        for (line, preference) in lines.iter().zip(1..) {
            config.push_str(&format!(" {line} preference {preference}\n"));
        }
        config.push_str("exit\nrouter bgp 65001\n bgp router-id 10.0.0.1\nexit\n");
        ours::start(&r1, &config)?;
        let connection = |at: usize| -> Result<Value> {
            let all = r1.vtysh_json("show rpki cache-connection json")?;
            Ok(all["connections"][at].clone())
        };
        let told = |at: usize| {
            wait_until(PATIENCE, &format!("cache {} tells its data", at + 1), || {
                let one = connection(at)?;
                ensure!(one["state"] == "connected" && one["prefixes"] == 1, "{one}");
                Ok(())
            })
        };
        let refused = |at: usize, why: &[&str]| {
            wait_until(PATIENCE, &format!("cache {} is refused: {why:?}", at + 1), || {
                let one = connection(at)?;
                let error = one["lastError"].as_str().unwrap_or_default();
                ensure!(why.iter().any(|word| error.contains(word)), "{one}");
                ensure!(one["connects"] == 0 || one["updates"] == 0, "{one}");
                ensure!(one["prefixes"] == 0, "{one}");
                Ok(())
            })
        };
        told(0)?;
        told(3)?;
        ensure!(connection(0)?["mode"] == "ssh" && connection(3)?["mode"] == "tcp", "{}", connection(0)?);
        refused(1, &["Permission denied"])?;
        refused(2, &["Host key verification failed", "host key"])?;
        // A segment with a wrong signature, or with none, is as good as lost.
        refused(4, &["timed out"])?;
        refused(5, &["timed out"])?;
        let view = r1.vtysh_json("show rpki cache-connection json")?;
        ensure!(view["connectedGroup"] == 1, "{view}");
        // The cache goes: data stay. It comes back with others: they are told over both ways.
        cache.signal(stayrtr, "KILL")?;
        wait_until(PATIENCE, "both ways are lost", || {
            for at in [0, 3] {
                let one = connection(at)?;
                ensure!(one["state"] != "connected", "{one}");
            }
            Ok(())
        })?;
        let count = r1.vtysh_json("show rpki prefix-count json")?;
        ensure!(count["ipv4PrefixCount"] == 1, "{count}");
        cache.write("etc/vrps.json", &VRPS.replace("10.1.0.0/16", "10.7.0.0/16"))?;
        start_cache(&cache)?;
        told(0)?;
        told(3)?;
        wait_until(PATIENCE, "the new data are in force", || {
            let table = r1.vtysh_json("show rpki prefix-table json")?;
            ensure!(table["prefixes"][0]["prefix"] == json!("10.7.0.0"), "{table}");
            Ok(())
        })
    });
}
