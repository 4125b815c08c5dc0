//! Shows about all instances at once: `show bgp vrfs`, `show bgp router`.

use std::fmt::Write as _;

use ferrite_cli::Args;
use ferrite_keychain::view::KeyChainsView;
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::json as object;

use super::Speaker;
use crate::commands::{Command, json};
use crate::config::InstanceName;
use crate::instance::Instance;
use ferrite_types::{RouterId, Timestamp};

/// One row of `show bgp vrfs`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VrfRow {
    #[serde(rename = "type")]
    kind: &'static str,
    vrf_id: i64,
    router_id: RouterId,
    num_configured_peers: usize,
    num_established_peers: usize,
    l3vni: u32,
    rmac: &'static str,
    interface: &'static str,
}

impl VrfRow {
    fn of(instance: &Instance) -> Self {
        Self {
            kind: if *instance.name() == InstanceName::Default { "DFLT" } else { "VRF" },
            vrf_id: instance.vrf_number(),
            router_id: instance.router_id(),
            num_configured_peers: instance.peers.len(),
            num_established_peers: instance.peers.values().filter(|entry| entry.established()).count(),
            l3vni: 0,
            rmac: "00:00:00:00:00:00",
            interface: "unknown",
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Vrfs {
    vrfs: IndexMap<String, VrfRow>,
    total_vrfs: usize,
}

impl Speaker {
    /// The whole output of a command that is no single instance's; `None` for any other.
    pub(super) fn shared_answer(&self, now: Timestamp, command: Command, args: &Args) -> Option<String> {
        match command {
            Command::Vrfs => Some(self.vrfs(args)),
            Command::Router => Some(self.router_view(args)),
            Command::KeyChains => Some(self.key_chains(now, args)),
            _ => None,
        }
    }

    fn vrfs(&self, args: &Args) -> String {
        let is_vrf = |name: &InstanceName| !matches!(name, InstanceName::View(_));
        let configured = self.by_name.iter().filter(|(name, _)| self.config.instances.contains_key(*name));
        let rows = configured
            .filter(|(name, _)| is_vrf(name))
            .filter_map(|(name, id)| Some((name.label().to_owned(), VrfRow::of(self.instance(*id)?))));
        let vrfs: IndexMap<String, VrfRow> = rows.collect();
        let view = Vrfs { total_vrfs: vrfs.len(), vrfs };
        if args.has("json") {
            return json(&view);
        }
        let mut out = String::new();
        if view.vrfs.is_empty() {
            return out;
        }
        let name = "Name";
        let _ = writeln!(out, "Type  Id     routerId          #PeersCfg  #PeersEstb  {name:<37}");
        let _ = writeln!(out, "             L3-VNI            RouterMAC              Interface");
        for (name, row) in &view.vrfs {
            let _ = writeln!(
                out,
                "{:>4}  {:<5}  {:<16}  {:<9}  {:<10}  {name:<37}",
                row.kind, row.vrf_id, row.router_id, row.num_configured_peers, row.num_established_peers
            );
            let _ = writeln!(out, "{:11}  {:<16}  {:<21}  {:<20}", " ", row.l3vni, row.rmac, row.interface);
        }
        let _ = writeln!(out, "\nTotal number of VRFs (including default): {}", view.total_vrfs);
        out
    }

    fn key_chains(&self, now: Timestamp, args: &Args) -> String {
        let time = self.host.epoch + now.as_micros() / 1_000_000;
        let time = i64::try_from(time).unwrap_or(i64::MAX);
        let name = args.get("name");
        let view = KeyChainsView::new(&self.config.key_chains, name, time, self.host.local_clock.0);
        if args.has("json") { json(&view) } else { view.to_string() }
    }

    fn router_view(&self, args: &Args) -> String {
        let instances = self.config.instances.len();
        if args.has("json") {
            return json(&object!({
                "bgpStartedAt": self.host.epoch, "bgpStartedGracefully": false, "bgpInMaintenanceMode": false,
                "bgpInstanceCount": instances,
            }));
        }
        let started = crate::view::text::ctime(self.host.epoch);
        format!("BGP started at {started}\nNumber of BGP instances (including default): {instances}\n")
    }
}
