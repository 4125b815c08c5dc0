//! What zebra's show commands return: owned structs rendered as FRR's text (`Display` or a `write_…`) and as FRR's JSON
//! (serde) from the same fields. Gathering them is not done here. Widths, words and keys are those of FRR 10.3; the
//! texts in the tests were recorded from it.

pub mod capacity;
pub mod client;
pub mod dplane;
pub mod fib;
pub mod fpm;
pub mod groups;
pub mod interface;
pub mod mpls;
pub mod nd;
pub mod nht;
pub mod ospf;
pub mod policy;
pub mod route;
pub mod seg6;
pub mod srv6;
pub mod summary;
pub mod te;

use std::time::Duration;

/// How long ago, as the columns of `show ip route` write it: `00:17:04`, `1d02h03m`, `02w1d03h`.
pub fn uptime(elapsed: Duration) -> String {
    const DAY: u64 = 86_400;
    let secs = elapsed.as_secs();
    let (days, hours, minutes) = (secs / DAY, secs / 3600 % 24, secs / 60 % 60);
    match days {
        0 => format!("{hours:02}:{minutes:02}:{:02}", secs % 60),
        1..=6 => format!("{days}d{hours:02}h{minutes:02}m"),
        _ => format!("{:02}w{}d{hours:02}h", days / 7, days % 7),
    }
}

pub(crate) fn is_false(value: &bool) -> bool {
    !value
}
