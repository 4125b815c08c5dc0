//! zebra's own options: FRR's, taken as FRR takes them where they mean something here, refused with a reason where not.

use std::time::Duration;

use clap::Args;
use zebra_core::AsicNotify;

/// Octets of the receive buffer for the kernel's events, as FRR's default.
const NETLINK_BUFFER: usize = 4 << 20;
/// Seconds for which routes of an earlier run may stand unclaimed.
const ADOPT_FOR: u64 = 60;

#[derive(Clone, Debug, Default, Args)]
pub struct ZebraOptions {
    /// Seconds for which routes of an earlier run stay until their daemon has replayed
    #[arg(short = 'K', long = "graceful_restart", value_name = "SECONDS", num_args = 0..=1,
          default_missing_value = "60")]
    pub graceful_restart: Option<u64>,
    /// Leave the routes in the kernel when zebra ends
    #[arg(short = 'r', long)]
    pub retain: bool,
    /// Do not delete kernel routes that an earlier run left
    #[arg(short = 'k', long = "keep_kernel")]
    pub keep_kernel: bool,
    /// Receive buffer for the kernel's events, octets
    #[arg(short = 's', long = "nl-bufsize", value_name = "OCTETS")]
    pub nl_bufsize: Option<usize>,
    /// Largest number of next hops of a route (accepted up to 256)
    #[arg(short = 'e', long, value_name = "NUMBER")]
    pub ecmp: Option<u32>,
    /// The same as -w, which every daemon takes
    #[arg(short = 'n')]
    pub netns: bool,
    /// Name of the default VRF (only `default` is supported)
    #[arg(short = 'o', long, value_name = "NAME")]
    pub vrfdefaultname: Option<String>,
    /// Replace semantics of IPv6 routes; always used, accepted for scripts made for FRR
    #[arg(long = "v6-rr-semantics")]
    pub v6_rr_semantics: bool,
    /// A switch's hardware forwards: tell daemons of their routes when the kernel has them (notify_on_ack) or when the hardware
    /// has them (notify_on_offload)
    #[arg(long = "asic-offload", value_name = "HOW", num_args = 0..=1, require_equals = true,
          default_missing_value = "notify_on_ack")]
    pub asic_offload: Option<String>,
    /// Keep routes out of the kernel altogether
    #[arg(long = "no-kernel")]
    pub no_kernel: bool,
}

/// Whether `-w` or `-n` is among the words of a command line, alone or beside other letters.
pub fn wants_netns(mut words: impl Iterator<Item = String>) -> bool {
    /// Options of one letter without a value.
    const FLAGS: &str = "dnrkwS";
    words.any(|word| match word.strip_prefix('-') {
        Some("-vrfwnetns") => true,
        Some(letters) => letters.contains(['n', 'w']) && letters.chars().all(|letter| FLAGS.contains(letter)),
        None => false,
    })
}

impl ZebraOptions {
    /// What cannot be done is said at the start.
    pub fn check(&self) -> Result<(), String> {
        if self.asic_offload.is_some() && self.asic().is_none() {
            return Err("--asic-offload: notify_on_ack or notify_on_offload".to_owned());
        }
        if self.vrfdefaultname.as_ref().is_some_and(|name| name != "default") {
            return Err("-o: the default VRF has no other name".to_owned());
        }
        if self.ecmp.is_some_and(|paths| paths == 0 || paths > 256) {
            return Err("-e: between 1 and 256 next hops".to_owned());
        }
        Ok(())
    }

    fn asic(&self) -> Option<AsicNotify> {
        match self.asic_offload.as_deref()? {
            "notify_on_ack" => Some(AsicNotify::OnAck),
            "notify_on_offload" => Some(AsicNotify::OnOffload),
            _ => None,
        }
    }

    /// `netns`: VRFs are network namespaces.
    pub fn core(&self, netns: bool) -> zebra_core::Options {
        let seconds = if self.keep_kernel { u64::from(u32::MAX) } else { ADOPT_FOR };
        zebra_core::Options {
            adopt_for: Duration::from_secs(self.graceful_restart.unwrap_or(seconds)),
            retain: self.retain,
            nexthop_objects: false,
            asic: self.asic(),
            netns,
        }
    }

    pub fn netlink_buffer(&self) -> usize {
        self.nl_bufsize.unwrap_or(NETLINK_BUFFER).max(64 << 10)
    }
}
