//! What zebra is asked for besides routes: to keep them while we are gone (`bgp graceful-restart rib-stale-time`), and to
//! say when the kernel has them (`bgp suppress-fib-pending`).

use ferrite_types::zclient::ToZebra;

use super::{Action, Instance};
use crate::config::GracefulMode;
use crate::config::graceful::RIB_STALE_TIME;

/// What zebra was told last, on this connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Terms {
    /// Seconds; `None` leaves it to zebra.
    hold: Option<u32>,
    results: bool,
}

impl Instance {
    fn kernel_terms(&self) -> Terms {
        let settings = self.graceful_settings();
        let restarts = settings.mode == Some(GracefulMode::Restart) || settings.rib_stale_time.is_some();
        let hold = restarts.then(|| settings.rib_stale_time.unwrap_or(RIB_STALE_TIME).into());
        Terms { hold, results: settings.suppress_fib_pending && self.host.install }
    }

    /// Tells zebra what is new of it.
    pub(super) fn tell_zebra(&mut self, out: &mut Vec<Action>) {
        if !self.zebra_connected || self.snapshot.is_some() {
            return;
        }
        let wanted = self.kernel_terms();
        if wanted.hold != self.kernel.hold {
            out.push(Action::Zebra(ToZebra::HoldRoutes(wanted.hold)));
        }
        if wanted.results != self.kernel.results {
            out.push(Action::Zebra(ToZebra::WantResults(wanted.results)));
        }
        self.kernel = wanted;
    }
}
