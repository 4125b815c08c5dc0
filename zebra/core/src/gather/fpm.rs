//! What the shows of the forwarding plane manager's stream return.

use crate::fpm::settings::PORT;
use crate::instance::Zebra;
use crate::view::fpm::{FpmCounters, FpmStatus};

impl Zebra {
    pub(crate) fn fpm_counters(&self) -> FpmCounters {
        let (link, stats) = (self.fpm.link, self.fpm.stats);
        FpmCounters {
            bytes_read: link.bytes_read,
            bytes_sent: link.bytes_sent,
            obuf_bytes: link.buffered,
            obuf_bytes_peak: link.buffered_peak,
            connection_closes: link.closes,
            connection_errors: link.errors,
            data_plane_contexts: stats.told,
            data_plane_contexts_queue: self.fpm.queue_len() as u64,
            data_plane_contexts_queue_peak: stats.queue_peak,
            buffer_full_hits: link.full,
            user_configures: stats.configured,
            user_disables: stats.disabled,
            offload_notices: stats.notices,
            offload_notices_held_back: link.held_back,
            resyncs: stats.resyncs,
        }
    }

    pub(crate) fn fpm_status(&self) -> FpmStatus {
        let settings = self.settings.fpm;
        FpmStatus {
            connected: self.fpm.link.connected,
            use_groups: !settings.no_groups,
            use_route_replace: !settings.no_replace,
            disabled: settings.address.is_none(),
            address: settings
                .address
                .map_or_else(|| "Unknown".to_owned(), |address| address.ip().to_string()),
            port: settings.address.map_or(PORT, |address| address.port()),
        }
    }
}
