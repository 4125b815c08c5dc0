//! `show fpm counters`, `show fpm status`.

use std::fmt;

use serde::Serialize;

/// FRR writes these keys with hyphens.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FpmCounters {
    pub bytes_read: u64,
    pub bytes_sent: u64,
    pub obuf_bytes: u64,
    pub obuf_bytes_peak: u64,
    pub connection_closes: u64,
    pub connection_errors: u64,
    pub data_plane_contexts: u64,
    pub data_plane_contexts_queue: u64,
    pub data_plane_contexts_queue_peak: u64,
    pub buffer_full_hits: u64,
    pub user_configures: u64,
    pub user_disables: u64,
    /// Ours: what the peer said of its hardware.
    pub offload_notices: u64,
    /// Ours: how often they had to wait, and how often the peer had to be told everything for not reading.
    pub offload_notices_held_back: u64,
    pub resyncs: u64,
}

impl fmt::Display for FpmCounters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>30}\n{:>30}", "FPM counters", "============")?;
        let rows = [
            ("Input bytes", self.bytes_read),
            ("Output bytes", self.bytes_sent),
            ("Output buffer current size", self.obuf_bytes),
            ("Output buffer peak size", self.obuf_bytes_peak),
            ("Connection closes", self.connection_closes),
            ("Connection errors", self.connection_errors),
            ("Data plane items processed", self.data_plane_contexts),
            ("Data plane items enqueued", self.data_plane_contexts_queue),
            ("Data plane items queue peak", self.data_plane_contexts_queue_peak),
            ("Buffer full hits", self.buffer_full_hits),
            ("User FPM configurations", self.user_configures),
            ("User FPM disable requests", self.user_disables),
            ("Offload notices", self.offload_notices),
            ("Offload notices held back", self.offload_notices_held_back),
            ("Resyncs of a slow peer", self.resyncs),
        ];
        rows.iter().try_for_each(|(name, value)| writeln!(f, "{name:>28}: {value}"))
    }
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FpmStatus {
    pub connected: bool,
    #[serde(rename = "useNHG")]
    pub use_groups: bool,
    pub use_route_replace: bool,
    pub disabled: bool,
    /// `Unknown` where none is configured.
    pub address: String,
    pub port: u16,
}

impl fmt::Display for FpmStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |yes: bool| if yes { "Yes" } else { "No" }.to_owned();
        let rows = [
            ("Address to connect to", self.address.clone()),
            ("Port", self.port.to_string()),
            ("Connected", word(self.connected)),
            ("Use Nexthop Groups", word(self.use_groups)),
            ("Use Route Replace Semantics", word(self.use_route_replace)),
            ("Disabled", word(self.disabled)),
        ];
        // FRR's table: a column as wide as its widest cell, and room behind it.
        let width = rows.iter().map(|(_, value)| value.len()).max().unwrap_or_default();
        rows.iter().try_for_each(|(name, value)| writeln!(f, " {name:<29} {value:<width$}   "))?;
        writeln!(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_of_frr() {
        let status = FpmStatus {
            connected: true,
            use_groups: true,
            use_route_replace: true,
            disabled: false,
            address: "127.0.0.1".to_owned(),
            port: 2620,
        };
        let text = status.to_string();
        assert!(text.starts_with(
            " Address to connect to         127.0.0.1   \n Port                          2620        \n"
        ));
        let counters = FpmCounters { bytes_sent: 6920, ..FpmCounters::default() }.to_string();
        assert!(counters.starts_with("                  FPM counters\n                  ============\n                 Input bytes: 0\n                Output bytes: 6920\n"));
        assert_eq!(serde_json::to_value(&status).unwrap()["useNHG"], true);
    }
}
