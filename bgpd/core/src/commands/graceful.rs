//! `show bgp neighbors graceful-restart`, and what other shows tell about restarts and delayed starts.

use bgp_packet::Family;
use ferrite_cli::Args;
use ferrite_types::Timestamp;

use super::json;
use crate::config::GracefulMode;
use crate::config::graceful::{RESTART_TIME, SELECT_DEFER_TIME, STALEPATH_TIME};
use crate::instance::graceful::Phase;
use crate::instance::{Instance, PeerEntry};
use crate::view::graceful::{
    EndOfRib, FamilyTimers, GracefulFamily, GracefulNeighbor, GracefulNeighbors, GracefulTimers, GracefulView,
};
use crate::view::summary::{Delayed, UpdateDelayView};
use crate::view::{family_key, text};

const fn mode_name(mode: GracefulMode) -> &'static str {
    match mode {
        GracefulMode::Restart => "Restart",
        GracefulMode::Helper => "Helper",
        GracefulMode::Disabled => "Disable",
    }
}

impl Instance {
    pub(super) fn graceful_neighbors(&self, now: Timestamp, args: &Args) -> String {
        let shown = match self.shown_neighbors(args) {
            Ok(shown) => shown.into_iter(),
            Err(text) => return text,
        };
        let neighbors = shown
            .map(|entry| {
                let addr = entry.name.to_string();
                (addr.clone(), GracefulNeighbor { neighbor_addr: addr, info: self.graceful_view(now, entry) })
            })
            .collect();
        let mode = mode_name(self.graceful_settings().mode.unwrap_or(GracefulMode::Helper));
        let view = GracefulNeighbors { neighbors, mode };
        if args.has("json") { json(&view) } else { view.to_string() }
    }

    pub(super) fn graceful_view(&self, now: Timestamp, entry: &PeerEntry) -> GracefulView {
        let settings = self.graceful_settings();
        let session = &entry.effective.session;
        let inherited = if session.graceful_inherited { "*" } else { "" };
        let agreed = entry.peer.negotiated();
        let theirs = agreed.and_then(|agreed| agreed.their_restart());
        let graceful = &entry.graceful;
        let last = graceful.negotiated.as_ref().and_then(|agreed| agreed.their_restart());
        let left = |at: Timestamp| at.since(now).as_secs();
        let stale = graceful.kept.iter().map(|kept| left(kept.until)).max();
        let long_lived = self.router().and_then(|router| router.restart.long_lived_time);
        GracefulView {
            local_gr_mode: format!("{}{inherited}", mode_name(session.graceful)),
            remote_gr_mode: match (agreed, theirs) {
                (None, _) => "NotApplicable",
                (Some(_), None) => "Disable",
                (Some(_), Some(restart)) if restart.families.is_empty() => "Helper",
                (Some(_), Some(_)) => "Restart",
            },
            r_bit: theirs.is_some_and(|restart| restart.restarting),
            n_bit: theirs.is_some_and(|restart| restart.notification),
            timers: GracefulTimers {
                configured_restart_timer: settings.restart_time.unwrap_or(RESTART_TIME).into(),
                configured_llgr_stale_time: long_lived.map(u64::from),
                received_restart_timer: last.map_or(0, |restart| restart.time.into()),
                restart_timer_remaining: graceful.back_by.map(left),
                stale_remaining: stale,
            },
            families: agreed
                .into_iter()
                .flat_map(|agreed| agreed.families.iter())
                .map(|family| (family_key(family.afi, family.safi), self.graceful_family(now, entry, family)))
                .collect(),
        }
    }

    fn graceful_family(&self, now: Timestamp, entry: &PeerEntry, family: Family) -> GracefulFamily {
        let settings = self.graceful_settings();
        let graceful = &entry.graceful;
        let agreed = graceful.negotiated.as_ref();
        let sent = graceful.end_sent.contains(family);
        let defers = entry.effective.session.graceful == GracefulMode::Restart;
        let kept = graceful.kept.iter().find(|kept| kept.family == family);
        GracefulFamily {
            f_bit: agreed.is_some_and(|agreed| agreed.forwarding_families().contains(family)),
            end_of_rib_status: EndOfRib {
                end_of_rib_send: sent,
                end_of_rib_sent_after_update: sent,
                end_of_rib_recv: graceful.end_received.contains(family),
            },
            timers: FamilyTimers {
                stale_path_timer: settings.stalepath_time.unwrap_or(STALEPATH_TIME).into(),
                stale_path_timer_remaining: kept.map(|kept| kept.until.since(now).as_secs()),
                llgr_stale_time: agreed
                    .and_then(|agreed| agreed.long_lived_time(family))
                    .map_or(0, |time| time.as_secs()),
                selection_deferral_timer: defers
                    .then(|| settings.select_defer_time.unwrap_or(SELECT_DEFER_TIME).into()),
            },
            stale_prefix_counter: entry.stale(family),
        }
    }

    /// Seconds until a stale path of a neighbour goes, and whether it has long to live.
    pub(super) fn stale_left(
        &self,
        now: Timestamp,
        entry: &PeerEntry,
        family: Family,
    ) -> Option<(bool, u64)> {
        let kept = entry.graceful.kept.iter().find(|kept| kept.family == family)?;
        let long_lived = kept.phase == Phase::LongLived;
        let back_by = entry.graceful.back_by.filter(|_| !long_lived);
        Some((long_lived, back_by.map_or(kept.until, |at| at.min(kept.until)).since(now).as_secs()))
    }

    /// What a summary says about `update-delay` and `bgp max-med`.
    pub(super) fn delayed(&self) -> Delayed {
        let restart = self.router().map(|router| &router.restart);
        let delay = &self.initial().delay;
        let at = |at: Option<Timestamp>| at.map(|at| text::stamp(self.wall_clock(at)));
        let settings = self.graceful_settings().update_delay;
        Delayed {
            update_delay: settings.map(|settings| UpdateDelayView {
                limit: settings.delay,
                establish_wait: settings.establish_wait,
                first_neighbor: at(delay.first),
                in_progress: delay.first.is_some() && delay.active(),
                bestpath_resumed: at(delay.resumed),
                zebra_resumed: at(delay.resumed),
                peers_resumed: at(delay.resumed),
            }),
            max_med_on_startup: self.max_med_on_startup(),
            max_med_administrative: restart.is_some_and(|restart| restart.max_med_administrative.is_some()),
        }
    }
}
