//! `show zebra dplane`.

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
    pub address_updates: u64,
    pub address_errors: u64,
    /// Changes of next-hop objects.
    pub nexthop_updates: u64,
    pub nexthop_errors: u64,
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
            ("Other errors       :", self.other_errors),
            ("Route update queue limit:", self.queue_limit),
            ("Route update queue depth:", self.queue_depth),
            ("Route update queue max:", self.queue_max),
            ("Intf addr updates:", self.address_updates),
            ("Intf addr errors:", self.address_errors),
            ("Nexthop updates:", self.nexthop_updates),
            ("Nexthop update errors:", self.nexthop_errors),
            ("Kernel resyncs:", self.resyncs),
        ];
        rows.iter().try_for_each(|(name, value)| writeln!(f, "{name:<25} {value}"))
    }
}
