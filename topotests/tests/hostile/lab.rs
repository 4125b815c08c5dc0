//! The network of the tables: one router, and one host from which every neighbour speaks.

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use topotests::bgp::Prefix;
use topotests::{Failure, Kind, Net, Result, Router, ensure, wait_until};

use super::bystander::Bystander;
use super::case::{Case, Ctx, HOSTILE_AS, ROUTER, ROUTER_AS};
use super::shows::Vty;
use super::sockets::Sockets;
use super::station::{self, Station};

pub const BYSTANDER: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 2);
const BYSTANDER_AS: u32 = 65200;

/// One neighbour in the router's configuration.
#[derive(Debug)]
pub struct Neighbour {
    pub addr: Ipv4Addr,
    pub asn: u32,
    /// Lines of both families, and of the session.
    pub family: Vec<String>,
    pub session: Vec<String>,
}

impl Neighbour {
    pub fn passive(addr: Ipv4Addr, asn: u32) -> Neighbour {
        Neighbour { addr, asn, family: Vec::new(), session: vec!["passive".to_owned()] }
    }

    /// As a case wants it.
    pub fn of(ctx: &Ctx, case: &Case) -> Neighbour {
        let mut peer = Neighbour::passive(ctx.local, ctx.asn());
        peer.family = case.settings.iter().map(ToString::to_string).collect();
        peer.session.extend(case.session.iter().map(ToString::to_string));
        peer
    }
}

pub struct Lab {
    pub router: Router,
    pub sockets: Sockets,
    pub bystander: Bystander,
    /// What the bystander announces.
    pub calm: Vec<Prefix>,
    pid: u32,
    station: Option<Station>,
    vty: Option<Vty>,
}

impl Lab {
    pub fn new(net: &mut Net, kind: Kind, neighbours: &[Neighbour]) -> Result<Lab> {
        Lab::with(net, kind, neighbours, "", "", |_| Ok(()))
    }

    /// With more configuration before and under `router bgp`, and with what has to be there before the router starts.
    pub fn with(
        net: &mut Net,
        kind: Kind,
        neighbours: &[Neighbour],
        before: &str,
        under: &str,
        prepare: impl FnOnce(&Sockets) -> Result<()>,
    ) -> Result<Lab> {
        let router = net.router("router", kind)?;
        let host = net.router("host", Kind::Host)?;
        net.link(&router, "10.1.0.1/16 2001:db8:1::1/64", &host, "10.1.0.2/16 2001:db8:1::2/64")?;
        // Every address of the range is the host's, without giving it each one.
        host.ip("route add local 10.1.8.0/21 dev lo")?;
        resolve_all(&router, &host)?;
        let sockets = Sockets::of(&host)?;
        prepare(&sockets)?;
        let ours = kind == Kind::Ours;
        let station = if ours { Some(Station::start(&sockets, BYSTANDER)?) } else { None };
        let vty = if ours { Some(Vty::prepare(&router)?) } else { None };
        router.start(&format!("{before}{}", config(kind, neighbours, under)))?;
        let calm = vec![Prefix::v4(0xcb00_7100, 24).ok_or("prefix")?];
        let bystander = Bystander::start(&sockets, BYSTANDER, ROUTER, BYSTANDER_AS, &calm)?;
        let pid = router.daemon_pid("bgpd")?;
        Ok(Lab { router, sockets, bystander, calm, pid, station, vty })
    }

    /// The daemon is the one that was started, the bystander's session never dropped, its routes are there.
    pub fn unharmed(&self) -> Result<()> {
        ensure!(self.router.daemon_pid("bgpd")? == self.pid, "bgpd was started anew");
        self.router.signal(self.pid, "0").map_err(|e| e.during("bgpd is gone"))?;
        if let Some(why) = self.bystander.ended() {
            return Err(Failure::new(format!("the bystander's session ended: {why}")));
        }
        let neighbours = self.router.vtysh_json(&format!("show bgp neighbors {BYSTANDER} json"))?;
        let peer = neighbours.get(BYSTANDER.to_string()).ok_or("the bystander is not shown")?;
        let number = |key: &str| peer.get(key).and_then(serde_json::Value::as_u64);
        let (up, dropped) = (number("connectionsEstablished"), number("connectionsDropped"));
        ensure!((up, dropped) == (Some(1), Some(0)), "established {up:?} times, dropped {dropped:?} times");
        for prefix in &self.calm {
            self.router.bgp_route(&prefix.to_string())?;
        }
        let said = ["log/bgpd.log", "log/bgpd.out"].map(|name| std::fs::read(self.router.dir().join(name)));
        let said = said.into_iter().flatten().any(|text| text.windows(9).any(|words| words == b"panicked "));
        ensure!(!said, "a part of bgpd has panicked, says its log");
        Ok(())
    }

    /// The text sockets of ours.
    pub fn vty(&self) -> Result<&Vty> {
        self.vty.as_ref().ok_or_else(|| Failure::new("it is another's daemon"))
    }

    /// Who listens beside the sessions was told only what is whole.
    pub fn well_told(&self) -> Result<()> {
        let Some(station) = &self.station else { return Ok(()) };
        station.content()?;
        let records = station::whole_dump(&self.router.dir().join("log/all.mrt"))?;
        println!("{records} records in the dump");
        ensure!(records > 10, "{records} records in the dump");
        Ok(())
    }

    /// bgpd ends when it is told to, with a word to its neighbours, however many they are; ours soon.
    pub fn ends_well(&self) -> Result<()> {
        let ours = self.router.kind() == Kind::Ours;
        // Two seconds do on a machine that has nothing else to do.
        let patience = Duration::from_secs(if ours { 15 } else { 30 });
        let start = Instant::now();
        self.router.signal(self.pid, "TERM")?;
        self.router.wait_gone(self.pid, patience + Duration::from_secs(7))?;
        let took = start.elapsed();
        ensure!(took < patience, "it took {took:?}");
        wait_until(Duration::from_secs(5), "the bystander is told", || {
            let last = self.bystander.ended().unwrap_or_default();
            ensure!(last.starts_with("NOTIFICATION 06"), "{last:?}");
            Ok(())
        })
    }

    /// Lines of bgpd's log that hold both words.
    pub fn log_lines(&self, one: &str, other: &str) -> Result<usize> {
        let text = std::fs::read(self.router.dir().join("log/bgpd.log"))?;
        let text = String::from_utf8_lossy(&text);
        Ok(text.lines().filter(|line| line.contains(one) && line.contains(other)).count())
    }
}

/// Tells the router where each address of 10.1.8.0/21 is. The kernel learns 1,024 for all networks of the machine
/// together and takes back none for five seconds: two of these networks at a time are more, and the router's answers to
/// connections would get lost.
fn resolve_all(router: &Router, host: &Router) -> Result<()> {
    let link = host.ip("-br link show eth0")?;
    let mac = link.split_whitespace().nth(2).ok_or("eth0 of the host has no address")?;
    let mut lines = String::new();
    for low in 0..0x800 {
        let addr = Ipv4Addr::from(0x0a01_0800_u32 | low);
        let _ = writeln!(lines, "neigh add {addr} lladdr {mac} dev eth0 nud permanent");
    }
    router.write("etc/neighbours", &lines)?;
    let file = router.dir().join("etc/neighbours");
    router.ip(&format!("-batch {}", file.display())).map(drop)
}

fn config(kind: Kind, neighbours: &[Neighbour], under: &str) -> String {
    let mut text = format!(
        "hostname router
debug bgp neighbor-events
debug bgp keepalives
debug bgp nht
debug bgp zebra
bgp as-path access-list MASK seq 5 permit _{HOSTILE_AS}_.*_2500_
route-map MASKED permit 10
 match as-path MASK
 set as-path prepend 64999
route-map MASKED permit 20
 set as-path prepend 64998
router bgp {ROUTER_AS}
 bgp router-id 10.0.0.1
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
"
    );
    let bystander = Neighbour::passive(BYSTANDER, BYSTANDER_AS);
    let all = || std::iter::once(&bystander).chain(neighbours);
    for peer in all() {
        let _ = writeln!(text, " neighbor {} remote-as {}", peer.addr, peer.asn);
        for line in &peer.session {
            let _ = writeln!(text, " neighbor {} {line}", peer.addr);
        }
    }
    if kind == Kind::Ours {
        text.insert_str(0, "dump bgp all /run/t/log/all.mrt\n");
        text.push_str(&station::settings(BYSTANDER));
        text.push_str(under);
    }
    for family in ["ipv4", "ipv6"] {
        let _ = writeln!(text, " address-family {family} unicast");
        for peer in all() {
            let _ = writeln!(text, "  neighbor {} activate", peer.addr);
            for line in &peer.family {
                let _ = writeln!(text, "  neighbor {} {line}", peer.addr);
            }
        }
        text.push_str(" exit-address-family\n");
    }
    text
}
