//! Starting, configuring and reading the daemons, one file per implementation, and what all of them have in common:
//! is a BGP session up, what does the BGP table hold.

pub mod bird;
pub mod exabgp;
pub mod frr;
pub mod gobgp;
pub mod openbgpd;
pub mod ours;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::failure::{Failure, Result};
use crate::kernel::Family;
use crate::net::Net;
use crate::router::{Kind, Router};
use crate::sandbox::output;
use crate::wait::wait_until;

/// The best path of a prefix, in terms that every implementation can tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BgpRoute {
    /// AS numbers separated by single spaces; sets as `{64500,64501}`.
    pub as_path: String,
    pub next_hop: String,
    pub local_pref: Option<u32>,
    pub med: Option<u32>,
    pub communities: Vec<String>,
}

/// Best paths by prefix.
pub type BgpTable = BTreeMap<String, BgpRoute>;

impl Router {
    /// Starts the router's daemons on a configuration in their own language; returns when they serve.
    pub fn start(&self, config: &str) -> Result<()> {
        match self.kind() {
            Kind::Ours => ours::start(self, config),
            Kind::Frr => frr::start(self, config),
            Kind::Bird => bird::start(self, config),
            Kind::GoBgp => gobgp::start(self, config),
            Kind::OpenBgpd => openbgpd::start(self, config),
            Kind::ExaBgp => exabgp::start(self, config),
            Kind::Host => Ok(()),
        }
    }

    /// The best paths that the router's BGP table holds.
    pub fn bgp_table(&self, family: Family) -> Result<BgpTable> {
        match self.kind() {
            Kind::Ours | Kind::Frr => frr::bgp_table(self, family),
            Kind::Bird => bird::bgp_table(self, family),
            Kind::GoBgp => gobgp::bgp_table(self, family),
            Kind::OpenBgpd => openbgpd::bgp_table(self, family),
            Kind::ExaBgp => exabgp::bgp_table(self, family),
            Kind::Host => Err(Failure::new(format!("{} runs no BGP", self.name()))),
        }
    }

    /// Fails unless the session with that address is established.
    pub fn bgp_established(&self, neighbor: &str) -> Result<()> {
        match self.kind() {
            Kind::Ours | Kind::Frr => frr::bgp_established(self, neighbor),
            Kind::Bird => bird::bgp_established(self, neighbor),
            Kind::GoBgp => gobgp::bgp_established(self, neighbor),
            Kind::OpenBgpd => openbgpd::bgp_established(self, neighbor),
            Kind::ExaBgp | Kind::Host => Ok(()),
        }
    }

    /// Waits until the session is up: a first attempt may meet a closed port and be retried after seconds.
    pub fn wait_bgp_established(&self, neighbor: &str) -> Result<()> {
        let what = format!("{}: session with {neighbor} is established", self.name());
        wait_until(Duration::from_mins(1), &what, || self.bgp_established(neighbor))
    }

    /// The best path of one prefix.
    pub fn bgp_route(&self, prefix: &str) -> Result<BgpRoute> {
        let family = if prefix.contains(':') { Family::V6 } else { Family::V4 };
        let table = self.bgp_table(family)?;
        let listed = || table.keys().map(String::as_str).take(30).collect::<Vec<_>>().join(" ");
        let missing = || Failure::new(format!("{}: BGP has no {prefix}, only {}", self.name(), listed()));
        table.get(prefix).cloned().ok_or_else(missing)
    }

    /// Fails if the BGP table holds the prefix.
    pub fn bgp_lacks(&self, prefix: &str) -> Result<()> {
        let family = if prefix.contains(':') { Family::V6 } else { Family::V4 };
        match self.bgp_table(family)?.get(prefix) {
            None => Ok(()),
            Some(route) => Err(Failure::new(format!("{}: BGP still has {prefix}: {route:?}", self.name()))),
        }
    }
}

/// Writes down what every router says of itself, for the reader of a failure.
pub fn collect_evidence(net: &Net) {
    for router in net.routers() {
        let mut page = String::new();
        let mut add = |title: &str, cmd: &mut std::process::Command| {
            let said = output(cmd).map_or_else(
                |e| e.to_string(),
                |o| String::from_utf8_lossy(&[o.stdout, o.stderr].concat()).into_owned(),
            );
            let _ = writeln!(page, "### {title}\n{said}");
        };
        for args in ["-br address", "-4 route", "-6 route", "-s link"] {
            add(args, router.host_command("ip").args(args.split_whitespace()));
        }
        add("ps", router.command("ps").arg("axf"));
        for (program, args) in shows(router.kind()) {
            // A daemon that hangs must not hang the report too.
            add(
                &args.join(" "),
                router.command("timeout").arg("10").arg(program_path(router, program)).args(*args),
            );
        }
        let _ = std::fs::write(router.dir().join("log/evidence.txt"), page);
    }
}

fn program_path(router: &Router, program: &str) -> String {
    match (router.kind(), program) {
        (Kind::Ours, "vtysh") => {
            ours::binaries().map(|b| b.join("vtysh").display().to_string()).unwrap_or_default()
        }
        (_, other) => other.to_owned(),
    }
}

fn shows(kind: Kind) -> &'static [(&'static str, &'static [&'static str])] {
    match kind {
        Kind::Ours | Kind::Frr => &[
            ("vtysh", &["-c", "show running-config"]),
            ("vtysh", &["-c", "show bgp summary"]),
            ("vtysh", &["-c", "show bgp neighbors"]),
            ("vtysh", &["-c", "show ip route"]),
            ("vtysh", &["-c", "show ipv6 route"]),
        ],
        Kind::Bird => &[("birdc", &["show", "protocols", "all"]), ("birdc", &["show", "route", "count"])],
        Kind::GoBgp => &[("gobgp", &["neighbor"]), ("gobgp", &["global", "rib", "summary"])],
        Kind::OpenBgpd => &[("bgpctl", &["show"]), ("bgpctl", &["show", "neighbor"])],
        Kind::ExaBgp | Kind::Host => &[],
    }
}
