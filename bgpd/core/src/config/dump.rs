//! `dump bgp …`: MRT files of what is received and of the table (RFC 6396). The shell writes them; times are kept by the core.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use ferrite_cli::node::{CONFIG, order};
use ferrite_cli::{Args, CliError, ConfigCommand, Lines, Negation, Registry};

use super::BgpConfig;

/// How often a file is begun anew, as it was written: `5m`, `1h30m`, `90`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Interval {
    text: Arc<str>,
    /// Seconds.
    pub seconds: u32,
}

impl FromStr for Interval {
    type Err = CliError;

    fn from_str(text: &str) -> Result<Self, CliError> {
        let malformed = || CliError::refused("Malformed interval string");
        let (mut sum, mut number): (u32, Option<u32>) = (0, None);
        for c in text.chars() {
            if let Some(digit) = c.to_digit(10) {
                let grown = number.unwrap_or(0).checked_mul(10).and_then(|n| n.checked_add(digit));
                number = Some(grown.ok_or_else(malformed)?);
                continue;
            }
            let unit = match c {
                'h' | 'H' => 3600,
                'm' | 'M' => 60,
                _ => return Err(malformed()),
            };
            let part = number.take().and_then(|n| n.checked_mul(unit)).ok_or_else(malformed)?;
            sum = sum.checked_add(part).ok_or_else(malformed)?;
        }
        let seconds = sum.checked_add(number.unwrap_or(0)).filter(|s| *s > 0).ok_or_else(malformed)?;
        Ok(Self { text: Arc::from(text), seconds })
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A file and when it is begun.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dump {
    /// May hold the conversions of strftime.
    pub path: Arc<str>,
    pub interval: Option<Interval>,
    /// Microseconds are written too.
    pub extended: bool,
}

/// All three kinds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Dumps {
    /// Every message received and every change of a session's state.
    pub all: Option<Dump>,
    /// UPDATEs received.
    pub updates: Option<Dump>,
    /// The table of the default instance.
    pub routes: Option<Dump>,
}

impl Dumps {
    fn slot(&mut self, kind: &str) -> &mut Option<Dump> {
        match kind {
            "all" | "all-et" => &mut self.all,
            "updates" | "updates-et" => &mut self.updates,
            _ => &mut self.routes,
        }
    }
}

const HELP: [&str; 9] = [
    "Dump packet",
    "BGP packet dump",
    "Dump all BGP packets",
    "Dump all BGP packets with extended timestamps",
    "Dump BGP updates only",
    "Dump BGP updates only with extended timestamps",
    "Dump whole BGP routing table",
    "Output filename, with the conversions of strftime",
    "Interval of output, such as 5m or 1h30m",
];
const KINDS: &str = "<all|all-et|updates|updates-et|routes-mrt>$kind";

pub(super) fn register<H>(registry: &mut Registry<BgpConfig, H>) {
    let set = ConfigCommand::new(
        &[&CONFIG],
        format!("dump bgp {KINDS} PATH$path [INTERVAL$interval]"),
        &HELP,
        |config: &mut BgpConfig, edit| set(&mut config.dumps, edit.args),
    );
    registry.command(
        set.no(Negation::Never)
            .example("dump bgp all /var/log/frr/bgp.%Y%m%d-%H%M 15m")
            .example("dump bgp updates-et /var/log/frr/updates")
            .example("dump bgp routes-mrt /var/log/frr/rib.%s 2h"),
    );
    let mut help = vec![super::NO_HELP];
    help.extend(HELP);
    let unset = ConfigCommand::new(
        &[&CONFIG],
        format!("no dump bgp {KINDS} [PATH$path [INTERVAL$interval]]"),
        &help,
        |config: &mut BgpConfig, edit| {
            *config.dumps.slot(edit.args.get("kind").unwrap_or_default()) = None;
            Ok(())
        },
    );
    registry.command(unset.no(Negation::Never));
    registry.renderer(order::HEADER, |config: &BgpConfig, lines| render(&config.dumps, lines));
}

fn set(dumps: &mut Dumps, args: &Args) -> Result<(), CliError> {
    let kind = args.get("kind").unwrap_or_default();
    let interval = args.get("interval").map(str::parse).transpose()?;
    let path = Arc::from(args.get("path").unwrap_or_default());
    *dumps.slot(kind) = Some(Dump { path, interval, extended: kind.ends_with("-et") });
    Ok(())
}

fn render(dumps: &Dumps, lines: &mut Lines) {
    for (kind, dump) in [("all", &dumps.all), ("updates", &dumps.updates), ("routes-mrt", &dumps.routes)] {
        let Some(dump) = dump else { continue };
        let extended = if dump.extended { "-et" } else { "" };
        let interval = dump.interval.as_ref().map(|interval| format!(" {interval}")).unwrap_or_default();
        lines.line(format!("dump bgp {kind}{extended} {}{interval}", dump.path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_read_as_frr_reads_them() {
        let seconds = |text: &str| text.parse::<Interval>().map(|interval| interval.seconds).ok();
        assert_eq!(seconds("5m"), Some(300));
        assert_eq!(seconds("1h30m"), Some(5400));
        assert_eq!(seconds("90"), Some(90));
        assert_eq!(seconds("1H1"), Some(3601));
        for text in ["5x", "", "m", "0", "99999999999", "4294967295h", "-5"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
