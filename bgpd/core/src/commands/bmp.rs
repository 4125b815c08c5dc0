//! `show bmp`: targets, and who is connected. FRR 10.3 prints text only; the JSON is ours.

use std::fmt;

use ferrite_cli::Args;
use ferrite_types::Timestamp;
use indexmap::IndexMap;
use serde::Serialize;

use super::json;
use crate::instance::Instance;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Connected {
    #[serde(skip)]
    outgoing: bool,
    remote: String,
    /// Seconds.
    uptime_sec: u64,
    messages_sent: u64,
    mirrored: u64,
    mirror_lost: u64,
    bytes_sent: u64,
    bytes_queued: usize,
    tables_pending: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Targets {
    mirroring: bool,
    monitors: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statistics_interval_msec: Option<u32>,
    listeners: Vec<String>,
    connects: Vec<String>,
    clients: Vec<Connected>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BmpView {
    vrf: String,
    routes_too_large: u64,
    targets: IndexMap<String, Targets>,
}

impl Instance {
    pub(super) fn show_bmp(&self, now: Timestamp, args: &Args) -> String {
        let mut view = BmpView {
            vrf: self.label().to_owned(),
            routes_too_large: self.bmp.too_large,
            targets: IndexMap::new(),
        };
        let Some(router) = self.router() else { return String::new() };
        for (name, targets) in &router.bmp {
            let clients = self.bmp.collectors.values().filter(|collector| collector.target == *name);
            let clients = clients.map(|collector| Connected {
                outgoing: collector.connect.is_some(),
                remote: collector.remote.to_string(),
                uptime_sec: now.since(collector.since).as_secs(),
                messages_sent: collector.messages,
                mirrored: collector.mirrored.messages,
                mirror_lost: collector.mirrored.lost,
                bytes_sent: collector.octets,
                bytes_queued: collector.outstanding,
                tables_pending: collector.pending(),
            });
            let monitors = targets.monitors.iter().map(|(family, rib)| {
                let afi = if family.afi == ferrite_types::Afi::Ipv6 { "IPv6" } else { "IPv4" };
                format!("{afi} {} {rib}", family.safi)
            });
            let one = Targets {
                mirroring: targets.mirror,
                monitors: monitors.collect(),
                statistics_interval_msec: targets.statistics,
                listeners: targets.listeners.iter().map(|(addr, port)| format!("{addr}:{port}")).collect(),
                connects: targets.connects.keys().map(|c| format!("{}:{}", c.host, c.port)).collect(),
                clients: clients.collect(),
            };
            view.targets.insert(name.to_string(), one);
        }
        if args.has("json") { json(&view) } else { view.to_string() }
    }
}

impl fmt::Display for BmpView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "BMP state for BGP VRF {}:\n", self.vrf)?;
        for (name, targets) in &self.targets {
            writeln!(f, "  Targets \"{name}\":")?;
            if targets.mirroring {
                writeln!(f, "    Route Mirroring enabled")?;
            }
            for monitor in &targets.monitors {
                writeln!(f, "    Route Monitoring {monitor}")?;
            }
            writeln!(f, "    Listeners:")?;
            for listener in &targets.listeners {
                writeln!(f, "      {listener}")?;
            }
            writeln!(f, "\n    Outbound connections:")?;
            writeln!(f, " {:<24} state", "remote")?;
            writeln!(f, " {}", "-".repeat(34))?;
            let up = targets.clients.iter().filter(|client| client.outgoing).count();
            for (index, connect) in targets.connects.iter().enumerate() {
                let state = if up > index { "Up" } else { "RetryWait" };
                writeln!(f, " {connect:<24} {state}")?;
            }
            writeln!(f, "\n    {} connected clients:", targets.clients.len())?;
            writeln!(
                f,
                " {:<24} {:>8} {:>10} {:>10} {:>10} {:>12} {:>10}",
                "remote", "uptime", "MonSent", "MirrSent", "MirrLost", "ByteSent", "ByteQ"
            )?;
            for client in &targets.clients {
                let Connected { remote, uptime_sec: up, messages_sent, bytes_sent, bytes_queued, .. } =
                    client;
                let Connected { mirrored, mirror_lost, .. } = client;
                let monitored = messages_sent.saturating_sub(*mirrored);
                let uptime = format!("{:02}:{:02}:{:02}", up / 3600, up / 60 % 60, up % 60);
                writeln!(
                    f,
                    " {remote:<24} {uptime:>8} {monitored:>10} {mirrored:>10} {mirror_lost:>10} {bytes_sent:>12} \
                     {bytes_queued:>10}"
                )?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
