//! How fast a router is out of a failure: alternates that stand by, and the delays of RFC 8405 instead of FRR's throttle. FRR's
//! ospfd and ospf6d have neither; the commands are those of its isisd.

use ferrite_cli::{Args, CliError, Negation, Setting};

use super::{setting, switch};
use crate::settings::{Backoff, RouterSettings};

const DELAYS: &str = "Delays of the calculation that grow with the changes (RFC 8405)";

pub static ROUTER: &[Setting<RouterSettings>] = &[
    switch!(
        fast_reroute,
        "fast-reroute lfa",
        "fast-reroute lfa",
        ["Another way at once when a neighbour is lost", "Loop-free alternates (RFC 5286)"],
        Negation::Derived
    ),
    setting!(
        "timers spf-delay-ietf init-delay (0-60000)$initial short-delay (0-60000)$short long-delay (0-60000)$long \
         holddown (0-60000)$hold time-to-learn (0-60000)$learn",
        [
            "Timers",
            DELAYS,
            "Of the first change",
            "Milliseconds",
            "Of changes that follow it",
            "Milliseconds",
            "When they do not end",
            "Milliseconds",
            "Quiet for so long is the end of them",
            "Milliseconds",
            "All of a single failure is heard of within this time",
            "Milliseconds"
        ],
        Negation::Syntax("no timers spf-delay-ietf"),
        |router, args| {
            router.backoff = Some(backoff(args)?);
            Ok(())
        },
        |router, _| {
            router.backoff = None;
            Ok(())
        },
        |router, lines| {
            if let Some(Backoff { initial, short, long, hold, learn }) = router.backoff {
                lines.line(format!(
                    "timers spf-delay-ietf init-delay {initial} short-delay {short} long-delay {long} holddown {hold} time-to-learn {learn}"
                ));
            }
        },
        [
            "timers spf-delay-ietf init-delay 50 short-delay 200 long-delay 5000 holddown 10000 time-to-learn 500"
        ]
    ),
];

fn backoff(args: &Args) -> Result<Backoff, CliError> {
    Ok(Backoff {
        initial: args.parse("initial")?,
        short: args.parse("short")?,
        long: args.parse("long")?,
        hold: args.parse("hold")?,
        learn: args.parse("learn")?,
    })
}
