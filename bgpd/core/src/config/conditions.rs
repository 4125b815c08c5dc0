//! Settings of the instance about link bandwidth and about routes whose announcement hangs on a condition.

use ferrite_cli::Negation;

use super::router::RouterRow;

/// `bgp bestpath bandwidth …`: what multipath makes of link bandwidths. Without it the paths are weighted where all of them
/// have one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BandwidthMode {
    /// Equal shares.
    Ignore,
    /// Paths without a bandwidth get nothing.
    SkipMissing,
    /// They get the smallest share.
    DefaultWeight,
}

impl BandwidthMode {
    const fn word(self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::SkipMissing => "skip-missing",
            Self::DefaultWeight => "default-weight-for-missing",
        }
    }
}

/// Seconds between two looks at the conditions of `advertise-map`, and of `default-originate route-map`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConditionTimers {
    pub advertise: u8,
    /// Zero: the condition is looked at once.
    pub default_originate: u16,
}

impl Default for ConditionTimers {
    fn default() -> Self {
        Self { advertise: 60, default_originate: 5 }
    }
}

const BGP: &str = "BGP specific commands";

pub(super) static ROWS: &[RouterRow] = &[
    RouterRow {
        syntax: "bgp bestpath bandwidth <ignore|skip-missing|default-weight-for-missing>$mode",
        help: &[
            BGP,
            "Change the default bestpath selection",
            "Link Bandwidth attribute",
            "Ignore link bandwidth (do regular ECMP, not weighted)",
            "Ignore paths without link bandwidth for ECMP (if other paths have it)",
            "Assign default weight (value 1) to paths without link bandwidth",
        ],
        no: Negation::Syntax("no bgp bestpath bandwidth [<ignore|skip-missing|default-weight-for-missing>]"),
        set: |router, args| {
            let modes = [BandwidthMode::Ignore, BandwidthMode::SkipMissing, BandwidthMode::DefaultWeight];
            router.bandwidth = modes.into_iter().find(|mode| Some(mode.word()) == args.get("mode"));
            Ok(())
        },
        unset: |router, _, _| {
            router.bandwidth = None;
            Ok(())
        },
        render: |router, lines, _| {
            if let Some(mode) = router.bandwidth {
                lines.line(format!("bgp bestpath bandwidth {}", mode.word()));
            }
        },
        examples: &["bgp bestpath bandwidth ignore", "bgp bestpath bandwidth skip-missing"],
    },
    RouterRow {
        syntax: "bgp conditional-advertisement timer (5-240)$value",
        help: &[
            BGP,
            "Conditional advertisement settings",
            "Set period to rescan BGP table to check if condition is met",
            "Period between BGP table scans, in seconds; default 60",
        ],
        no: Negation::Derived,
        set: |router, args| {
            router.condition_timers.advertise = args.parse("value")?;
            Ok(())
        },
        unset: |router, _, default| {
            router.condition_timers.advertise = default.condition_timers.advertise;
            Ok(())
        },
        render: |router, lines, default| {
            let value = router.condition_timers.advertise;
            if value != default.condition_timers.advertise {
                lines.line(format!("bgp conditional-advertisement timer {value}"));
            }
        },
        examples: &["bgp conditional-advertisement timer 10"],
    },
    RouterRow {
        syntax: "bgp default-originate timer (0-65535)$value",
        help: &[
            BGP,
            "Control default-originate",
            "Set period to rescan BGP table to check if default-originate condition is met",
            "Period between BGP table scans, in seconds; default 5",
        ],
        no: Negation::Derived,
        set: |router, args| {
            router.condition_timers.default_originate = args.parse("value")?;
            Ok(())
        },
        unset: |router, _, default| {
            router.condition_timers.default_originate = default.condition_timers.default_originate;
            Ok(())
        },
        render: |router, lines, default| {
            let value = router.condition_timers.default_originate;
            if value != default.condition_timers.default_originate {
                lines.line(format!("bgp default-originate timer {value}"));
            }
        },
        examples: &["bgp default-originate timer 30"],
    },
];
