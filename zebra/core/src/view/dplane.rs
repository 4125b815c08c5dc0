//! `show zebra dplane [detailed]`, `show zebra dplane providers`.

use std::fmt;

use serde::Serialize;

/// Counters of the dataplane since the start.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DataplaneView {
    pub route_updates: u64,
    pub route_update_errors: u64,
    /// Updates that failed and wait for another try.
    pub route_retries: u64,
    pub other_errors: u64,
    /// Updates that may wait for the kernel at once.
    pub queue_limit: u64,
    pub queue_depth: u64,
    pub queue_max: u64,
    /// Changes of next-hop objects.
    pub nexthop_updates: u64,
    pub nexthop_errors: u64,
    pub lsp_updates: u64,
    pub lsp_errors: u64,
    pub address_updates: u64,
    pub link_updates: u64,
    /// Times the kernel's events were lost and everything was read again.
    pub resyncs: u64,
}

impl fmt::Display for DataplaneView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Zebra dataplane:")?;
        let rows = [
            ("Route updates:", self.route_updates),
            ("Route update errors:", self.route_update_errors),
            ("Route update retries:", self.route_retries),
            ("Nexthop updates:", self.nexthop_updates),
            ("Nexthop update errors:", self.nexthop_errors),
            ("Other errors       :", self.other_errors),
            ("Route update queue limit:", self.queue_limit),
            ("Route update queue depth:", self.queue_depth),
            ("Route update queue max:", self.queue_max),
            ("LSP updates:", self.lsp_updates),
            ("LSP update errors:", self.lsp_errors),
            ("Intf addr updates:", self.address_updates),
            ("Intf change updates:", self.link_updates),
            ("Kernel resyncs:", self.resyncs),
        ];
        rows.iter().try_for_each(|(name, value)| writeln!(f, "{name:<25} {value}"))
    }
}

/// What carries routes out, in order: the kernel, and the forwarding plane manager's stream where one is configured.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Providers(pub Vec<Provider>);

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Provider {
    pub name: &'static str,
    /// What it was given, what waits in it, and the most that ever waited.
    pub taken: u64,
    pub waiting: u64,
    pub waiting_max: u64,
    pub done: u64,
}

impl fmt::Display for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "dataplane Incoming Queue from Zebra: 0")?;
        writeln!(f, "Zebra dataplane providers:")?;
        for (number, provider) in self.0.iter().enumerate() {
            let Provider { name, taken, waiting, waiting_max, done } = provider;
            let number = number + 1;
            writeln!(
                f,
                "  {name} ({number}): in: {taken}, q: {waiting}, q_max: {waiting_max}, out: {done}, q: 0, q_max: 0"
            )?;
        }
        writeln!(f, "dataplane Outgoing Queue to Zebra: 0")
    }
}
