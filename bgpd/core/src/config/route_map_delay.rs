//! `bgp route-map delay-timer`: how long an edit of lists and maps waits for the next one before routes are judged again.

use ferrite_cli::node::{CONFIG, order};
use ferrite_cli::{ConfigCommand, Registry};

use super::BgpConfig;

/// Seconds, where nobody says otherwise.
const DEFAULT: u16 = 5;

impl BgpConfig {
    /// Seconds from an edit of policy until it is applied to routes; zero leaves that to `clear bgp … soft`.
    pub fn policy_delay(&self) -> u16 {
        self.route_map_delay.unwrap_or(DEFAULT)
    }
}

pub(super) fn register<H>(registry: &mut Registry<BgpConfig, H>) {
    registry.command(
        ConfigCommand::new(
            &[&CONFIG],
            "bgp route-map delay-timer (0-600)$seconds",
            &[
                "BGP information",
                "Changes of lists and route maps",
                "Time to wait for further changes before routes are judged again",
                "Seconds; 0: only when told by clear bgp soft",
            ],
            |config: &mut BgpConfig, edit| {
                let seconds = if edit.negated { None } else { Some(edit.args.parse("seconds")?) };
                config.route_map_delay = seconds.filter(|seconds| *seconds != DEFAULT);
                Ok(())
            },
        )
        .no(ferrite_cli::Negation::Syntax("no bgp route-map delay-timer [(0-600)]"))
        .example("bgp route-map delay-timer 3"),
    );
    registry.renderer(order::HEADER, |config: &BgpConfig, lines| {
        if let Some(seconds) = config.route_map_delay {
            lines.line(format!("bgp route-map delay-timer {seconds}"));
        }
    });
}
