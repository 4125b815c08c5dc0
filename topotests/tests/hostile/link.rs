//! A link on which somebody sends odd router advertisements and solicitations (RFC 4861 §6.1), while an unnumbered neighbour
//! is expected there: none of them may bring a session, a crash, or memory that grows with their number (CVE-2016-1245).

use std::net::{Ipv6Addr, SocketAddrV6};
use std::time::Duration;

use serde_json::Value;
use socket2::Socket;
use topotests::{Failure, Kind, Net, Result, Router, ensure, wait_until};

use super::shows::{Samples, Vty};
use super::sockets::Sockets;

const PATIENCE: Duration = Duration::from_secs(20);
/// Addresses of the sender that are link-local.
const SENDERS: u16 = 100;
const BOUND: u64 = 200 << 20;

const CONFIG: &str = "hostname router
interface eth0
 no ipv6 nd suppress-ra
 ipv6 nd ra-interval 1
exit
router bgp 65000
 bgp router-id 10.0.0.1
 no bgp ebgp-requires-policy
 neighbor eth0 interface remote-as external
 neighbor eth0 timers connect 1
exit
";

struct Row {
    name: &'static str,
    /// As it arrives.
    hop_limit: u32,
    /// From an address that is not of the link alone.
    global: bool,
    octets: fn() -> Vec<u8>,
}

fn advertisement(options: &[u8]) -> Vec<u8> {
    [&[134, 0, 0, 0, 64, 0, 0, 30, 0, 0, 0, 0, 0, 0, 0, 0][..], options].concat()
}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    Row { name: "RA: from afar", hop_limit: 64, global: false, octets: || advertisement(&[]) },
    Row { name: "RA: from an address that is not of the link", hop_limit: 255, global: true, octets: || advertisement(&[]) },
    Row { name: "RA: of 4 octets", hop_limit: 255, global: false, octets: || vec![134, 0, 0, 0] },
    Row { name: "RA: of 15 octets", hop_limit: 255, global: false, octets: || advertisement(&[])[..15].to_vec() },
    Row { name: "RA: of code 1", hop_limit: 255, global: false, octets: || [&[134, 1][..], &advertisement(&[])[2..]].concat() },
    Row { name: "RA: an option of length 0", hop_limit: 255, global: false, octets: || advertisement(&[1, 0, 0, 0, 0, 0, 0, 0]) },
    Row { name: "RA: an option past the end", hop_limit: 255, global: false, octets: || advertisement(&[3, 4, 64, 0xc0]) },
    Row { name: "RA: an option of one octet", hop_limit: 255, global: false, octets: || advertisement(&[1]) },
    Row { name: "RA: of 1,500 octets of options of length 0 (CVE-2016-1245)", hop_limit: 255, global: false, octets: || advertisement(&[0; 1400]) },
    Row { name: "RA: of 60,000 octets in fragments (CVE-2016-1245)", hop_limit: 255, global: false, octets: || advertisement(&[250, 0].repeat(29_900)) },
    Row { name: "RA: a solicitation of 7 octets", hop_limit: 255, global: false, octets: || vec![133, 0, 0, 0, 0, 0, 0] },
    Row { name: "RA: a solicitation whose option runs past the end", hop_limit: 255, global: false, octets: || vec![133, 0, 0, 0, 0, 0, 0, 0, 1, 9] },
    Row { name: "RA: noise", hop_limit: 255, global: false, octets: || (0..200_u32).map(|n| if n == 0 { 134 } else { (n.wrapping_mul(2_654_435_761) >> 11) as u8 }).collect() },
];

pub fn names() -> impl Iterator<Item = &'static str> {
    ROWS.iter().map(|row| row.name)
}

struct Link {
    router: Router,
    sockets: Sockets,
    /// The link's number at the sender.
    index: u32,
}

impl Link {
    fn send(&self, from: Ipv6Addr, hop_limit: u32, octets: &[u8]) -> Result<()> {
        let socket: Socket = self.sockets.icmp6()?;
        socket.set_multicast_hops_v6(hop_limit)?;
        socket.set_multicast_if_v6(self.index)?;
        socket.bind(&SocketAddrV6::new(from, 0, 0, self.index).into())?;
        let all_nodes = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
        socket.send_to(octets, &SocketAddrV6::new(all_nodes, 0, 0, self.index).into())?;
        Ok(())
    }

    fn interface(&self) -> Result<Value> {
        let all = self.router.vtysh_json("show interface eth0 json")?;
        all.get("eth0").cloned().ok_or_else(|| Failure::new(format!("{all}")))
    }

    fn dropped(&self) -> Result<u64> {
        let text = self.router.vtysh("show interface eth0")?;
        let line = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("ND router messages dropped as malformed: "));
        Ok(line.and_then(|count| count.trim().parse().ok()).unwrap_or(0))
    }

    fn session_tried(&self) -> Result<bool> {
        let shown = self.router.vtysh_json("show bgp neighbors json")?;
        let state = shown.pointer("/eth0/bgpState").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(!matches!(state.as_str(), "" | "Idle"))
    }
}

fn sender(n: u16) -> Ipv6Addr {
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0xbad, n)
}

pub fn run_all(net: &mut Net) -> Result<()> {
    net.without_capture();
    let (router, host) = (net.router("router", Kind::Ours)?, net.router("host", Kind::Host)?);
    net.link(&router, "10.1.0.1/24 2001:db8:1::1/64", &host, "10.1.0.2/24 2001:db8:1::2/64")?;
    for n in 1..=SENDERS {
        host.ip(&format!("address add {}/64 dev eth0 nodad", sender(n)))?;
    }
    let text = host.ip("-o link show dev eth0")?;
    let index = text.split(':').next().and_then(|n| n.trim().parse().ok()).ok_or("no link number")?;
    let link = Link { sockets: Sockets::of(&host)?, router, index };
    let vty = Vty::prepare(&link.router)?;
    link.router.start(CONFIG)?;
    let pids = [link.router.daemon_pid("zebra")?, link.router.daemon_pid("bgpd")?];
    let global = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 2);
    let mut failures = Vec::new();
    for row in ROWS {
        let before = link.dropped()?;
        link.send(if row.global { global } else { sender(1) }, row.hop_limit, &(row.octets)())?;
        let counted = wait_until(PATIENCE, "it is dropped and counted", || {
            let now = link.dropped()?;
            ensure!(now > before, "{now} dropped, as before");
            Ok(())
        });
        println!("{} {}", if counted.is_ok() { "ok    " } else { "FAILED" }, row.name);
        failures.extend(counted.err().map(|e| format!("- {}: {e}", row.name)));
    }
    ensure!(!link.session_tried()?, "a malformed advertisement brought a neighbour");
    // Routers by the hundred, each honest to look at.
    for round in 0..20 {
        for n in 1..=SENDERS {
            link.send(sender(n), 255, &advertisement(&[5, 1, 0, 0, 0, 0, 5, 220]))?;
            link.send(sender(n), 255, &[133, 0, 0, 0, 0, 0, 0, round])?;
        }
    }
    wait_until(PATIENCE, "an honest advertisement is heard", || {
        ensure!(link.session_tried()?, "{}", link.interface()?);
        Ok(())
    })?;
    let samples = Samples {
        v4: "10.1.0.2".to_owned(),
        v4_prefix: "10.1.0.0/24".to_owned(),
        v6: global.to_string(),
        v6_prefix: "2001:db8:1::/64".to_owned(),
        words: &[("VIEWVRFNAME", "default"), ("vrf", "default"), ("neighbor", "eth0"), ("IFNAME", "eth0")],
    };
    vty.ask_all(&samples, &mut failures)?;
    let now = [link.router.daemon_pid("zebra")?, link.router.daemon_pid("bgpd")?];
    ensure!(now == pids, "daemons were started anew: {pids:?} {now:?}");
    for pid in pids {
        link.router.signal(pid, "0")?;
    }
    let peak = link.router.cost()?.peak;
    ensure!(peak < BOUND, "{} MiB", peak >> 20);
    ensure!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join("\n"));
    Ok(())
}
