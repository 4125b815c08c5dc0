//! Logs: `tracing` events written in FRR's line format to the destinations that the configuration names.
//!
//! `2026/11/22 17:00:00 BGP: [ABCDE-FGHIJ] text field=value`. Events below INFO pass only when a `debug` line has switched
//! their target on. The identifier in brackets names the place in the program that the line comes from.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use ferrite_cli::common::{LogConfig, LogLevel};
use ferrite_types::text::steers;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::clock;
use crate::options::Info;

/// Names of syslog's facilities in the order of their numbers.
const FACILITIES: [&str; 12] =
    ["kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"];
/// `local0`
const FIRST_LOCAL: usize = 16;

/// The destinations, shared by the layer and the daemon.
#[derive(Debug, Clone)]
pub struct Log(Arc<Mutex<Destinations>>);

#[derive(Debug)]
struct Destinations {
    info: Info,
    config: LogConfig,
    /// From the command line: there as long as the configuration names none of its kind.
    initial: LogConfig,
    file: Option<(PathBuf, File)>,
    syslog: Option<UnixDatagram>,
    /// Targets that `debug` lines let through.
    debug: BTreeSet<&'static str>,
    /// Before the daemon serves, what is wrong is told on the terminal too.
    starting: bool,
}

impl Log {
    /// Installs the log of this process. Options are `--log` and `--log-level`.
    pub fn install(info: Info, log: Option<&str>, level: Option<LogLevel>) -> Result<Self, String> {
        let this = Self::new(info, log, level)?;
        let subscriber = tracing_subscriber::registry().with(LogLayer(this.clone()));
        // A second daemon in one process (tests) shares the first one's log.
        let _ = tracing::subscriber::set_global_default(subscriber);
        Ok(this)
    }

    fn new(info: Info, log: Option<&str>, level: Option<LogLevel>) -> Result<Self, String> {
        let level = level.unwrap_or(LogLevel::Debugging);
        let mut initial = LogConfig::default();
        match log {
            None => {}
            Some("stdout") => initial.stdout = Some(level),
            Some("syslog") => initial.syslog = Some(level),
            Some("monitor") => {}
            Some(destination) => match destination.strip_prefix("file:").filter(|name| !name.is_empty()) {
                Some(name) => initial.file = Some((name.to_owned(), level)),
                None => return Err(format!("--log {destination}: not stdout, syslog or file:NAME")),
            },
        }
        let destinations = Destinations {
            info,
            config: LogConfig::default(),
            initial,
            file: None,
            syslog: None,
            debug: BTreeSet::new(),
            starting: true,
        };
        let this = Self(Arc::new(Mutex::new(destinations)));
        this.lock().open().map_err(|error| format!("log file: {error}"))?;
        Ok(this)
    }

    /// Takes over the configuration's destinations. A file that cannot be opened is told and left out.
    pub fn configure(&self, config: &LogConfig) {
        let opened = {
            let mut log = self.lock();
            log.config = config.clone();
            log.open()
        };
        if let Err(error) = opened {
            tracing::error!("log file cannot be opened: {error}");
        }
    }

    /// Whether any line of `debug` is on.
    pub fn debugs(&self) -> bool {
        !self.lock().debug.is_empty()
    }

    /// The targets whose debug lines are wanted.
    pub fn set_debug(&self, targets: BTreeSet<&'static str>) {
        self.lock().debug = targets;
        tracing::callsite::rebuild_interest_cache();
    }

    /// Opens the file anew, after it was moved away.
    pub fn reopen(&self) {
        let opened = {
            let mut log = self.lock();
            log.file = None;
            log.open()
        };
        if let Err(error) = opened {
            tracing::error!("log file cannot be opened: {error}");
        }
    }

    pub(crate) fn started(&self) {
        self.lock().starting = false;
    }

    /// `show logging`
    pub fn show(&self) -> String {
        let log = self.lock();
        let mut text = format!("Logging configuration for {}:\n", log.info.name);
        match log.syslog() {
            Some(level) => {
                let (facility, name) = (&log.config.facility, log.info.name);
                let _ = writeln!(
                    text,
                    "Syslog logging: level {}, facility {facility}, ident {name}",
                    level.name()
                );
            }
            None => text.push_str("Syslog logging: disabled\n"),
        }
        match log.stdout() {
            Some(level) => {
                let _ = writeln!(text, "Stdout logging: level {}", level.name());
            }
            None => text.push_str("Stdout logging: disabled\n"),
        }
        match log.file_wanted() {
            Some((name, level)) => {
                let _ = writeln!(text, "File logging: level {}, filename {name}", level.name());
            }
            None => text.push_str("File logging: disabled\n"),
        }
        let _ = writeln!(text, "Protocol name: {}", log.info.log_name);
        let _ = writeln!(
            text,
            "Record priority: {}",
            if log.config.record_priority { "enabled" } else { "disabled" }
        );
        let _ = writeln!(text, "Timestamp precision: {}", log.config.timestamp_precision);
        text
    }

    fn lock(&self) -> MutexGuard<'_, Destinations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Destinations {
    fn stdout(&self) -> Option<LogLevel> {
        self.config.stdout.or(self.initial.stdout)
    }

    fn syslog(&self) -> Option<LogLevel> {
        self.config.syslog.or(self.initial.syslog)
    }

    fn file_wanted(&self) -> Option<&(String, LogLevel)> {
        self.config.file.as_ref().or(self.initial.file.as_ref())
    }

    fn open(&mut self) -> io::Result<()> {
        let wanted = self.file_wanted().map(|(name, _)| PathBuf::from(name));
        if self.file.as_ref().map(|(path, _)| path) != wanted.as_ref() {
            self.file = None;
        }
        if self.syslog().is_some() && self.syslog.is_none() {
            let socket = UnixDatagram::unbound()?;
            // Without a syslog daemon there is nobody to tell.
            self.syslog = socket.connect("/dev/log").is_ok().then_some(socket);
        }
        match (wanted, &self.file) {
            (Some(path), None) => {
                let file = OpenOptions::new().append(true).create(true).mode(0o640).open(&path)?;
                self.file = Some((path, file));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn write(&mut self, level: LogLevel, place: &str, text: &str) {
        let priority =
            if self.config.record_priority { format!("{}: ", level.name()) } else { String::new() };
        let place = if self.config.unique_id { format!("[{place}] ") } else { String::new() };
        let body = format!("{priority}{}: {place}{text}", self.info.log_name);
        let line = format!("{} {body}\n", clock::stamp(SystemTime::now(), self.config.timestamp_precision));
        // A destination that fails must not stop the daemon, and there is nowhere left to tell it.
        if self.file_wanted().is_some_and(|(_, wanted)| level <= *wanted)
            && let Some((_, file)) = &mut self.file
        {
            let _ = file.write_all(line.as_bytes());
        }
        if self.stdout().is_some_and(|wanted| level <= wanted) {
            let _ = io::stdout().write_all(line.as_bytes());
        } else if self.starting && level <= LogLevel::Warnings {
            let _ = io::stderr().write_all(line.as_bytes());
        }
        if self.syslog().is_some_and(|wanted| level <= wanted)
            && let Some(socket) = &self.syslog
        {
            let priority = facility(&self.config.facility) * 8 + level as usize;
            let _ = socket
                .send(format!("<{priority}>{}[{}]: {body}", self.info.name, std::process::id()).as_bytes());
        }
    }
}

fn facility(name: &str) -> usize {
    match name.strip_prefix("local").and_then(|number| number.parse::<usize>().ok()) {
        Some(number) => FIRST_LOCAL + number.min(7),
        None => FACILITIES.iter().position(|known| *known == name).unwrap_or(3),
    }
}

/// The `tracing` side.
struct LogLayer(Log);

impl<S: Subscriber> Layer<S> for LogLayer {
    /// `tracing` keeps the answer beside each place that asks, until [`Log::set_debug`] has all of them asked again.
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        // Libraries that we use are heard only when something is wrong.
        if ["h2", "tonic", "hyper", "tower", "rustyline"]
            .iter()
            .any(|name| metadata.target().starts_with(name))
        {
            return *metadata.level() <= Level::WARN;
        }
        if *metadata.level() <= Level::INFO {
            return true;
        }
        self.0.lock().debug.iter().any(|target| {
            metadata
                .target()
                .strip_prefix(target)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        })
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = Text::default();
        event.record(&mut text);
        let metadata = event.metadata();
        let level = match *metadata.level() {
            Level::ERROR => LogLevel::Errors,
            Level::WARN => LogLevel::Warnings,
            Level::INFO => LogLevel::Informational,
            _ => LogLevel::Debugging,
        };
        self.0.lock().write(level, &place(metadata), &text.finish());
    }
}

/// An event's message and fields in one line.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message.push_str(value);
        } else {
            let _ = write!(self.fields, " {}={value}", field.name());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.message, "{value:?}");
        } else {
            let _ = write!(self.fields, " {}={value:?}", field.name());
        }
    }
}

impl Text {
    /// One line whatever a peer has put into it: characters that steer are written as escapes.
    fn finish(mut self) -> String {
        self.message.push_str(&self.fields);
        if self.message.chars().any(steers) {
            self.message
                .chars()
                .flat_map(|c| if steers(c) { c.escape_default().collect() } else { vec![c] })
                .collect()
        } else {
            self.message
        }
    }
}

/// Names the place in the program, in the form of FRR's identifiers.
fn place(metadata: &Metadata<'_>) -> String {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let line = metadata.line().unwrap_or(0).to_be_bytes();
    for octet in metadata.target().bytes().chain(metadata.file().unwrap_or_default().bytes()).chain(line) {
        hash = (hash ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    let digit = |at: usize| char::from(DIGITS.get((hash >> (at * 5)) as usize & 31).copied().unwrap_or(b'0'));
    (0..5).map(digit).chain(['-']).chain((5..10).map(digit)).collect()
}

/// Lets a few of many like messages through, and counts the rest.
#[derive(Debug)]
pub struct RateLimit {
    burst: u32,
    per: Duration,
    since: Option<Instant>,
    seen: u32,
}

impl RateLimit {
    /// At most `burst` messages in every `per`.
    pub const fn new(burst: u32, per: Duration) -> Self {
        Self { burst, per, since: None, seen: 0 }
    }

    /// Whether a message may be written now; with how many were kept back before it.
    pub fn allow(&mut self, now: Instant) -> Option<u32> {
        match self.since {
            Some(since) if now.saturating_duration_since(since) < self.per => {
                self.seen = self.seen.saturating_add(1);
                (self.seen <= self.burst).then_some(0)
            }
            _ => {
                let kept_back = self.seen.saturating_sub(self.burst);
                (self.since, self.seen) = (Some(now), 1);
                Some(kept_back)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: Info = Info { name: "testd", log_name: "TEST", version: "1", about: "" };

    #[test]
    fn lines_have_frrs_form_and_stay_one_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("t.log");
        let log = Log::new(INFO, Some(&format!("file:{}", path.display())), None).unwrap();
        let subscriber = tracing_subscriber::registry().with(LogLayer(log.clone()));
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(peer = %"10.0.0.1", "session up\nforged line");
            tracing::debug!(target: "testd::updates", "hidden");
            log.set_debug(BTreeSet::from(["testd::updates"]));
            tracing::debug!(target: "testd::updates", "shown");
            log.configure(&LogConfig { unique_id: false, record_priority: true, ..LogConfig::default() });
            tracing::warn!("careful");
        });
        let text = std::fs::read_to_string(path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(
            lines[0].contains(" TEST: [") && lines[0].ends_with("session up\\nforged line peer=10.0.0.1")
        );
        assert!(lines[1].ends_with("shown"));
        assert!(lines[2].ends_with(" warnings: TEST: careful"));
    }

    #[test]
    fn whether_a_line_is_wanted_is_known_without_the_lock() {
        // Some lines stand in the way of every message: asking must cost a look at a flag, until somebody switches them on.
        let log = Log::new(INFO, None, None).unwrap();
        let subscriber = tracing_subscriber::registry().with(LogLayer(log.clone()));
        let dispatch = tracing::Dispatch::new(subscriber);
        let asked = || tracing::enabled!(target: "testd::quiet", Level::DEBUG);
        assert!(!tracing::dispatcher::with_default(&dispatch, asked));
        let (answer, heard) = std::sync::mpsc::channel();
        {
            let _held = log.lock();
            let dispatch = dispatch.clone();
            std::thread::spawn(move || answer.send(tracing::dispatcher::with_default(&dispatch, asked)));
            assert_eq!(heard.recv_timeout(Duration::from_secs(10)), Ok(false));
        }
        // Where one subscriber is all there is, the answers are worked out anew by the one of the thread that changes them.
        tracing::dispatcher::with_default(&dispatch, || {
            log.set_debug(BTreeSet::from(["testd::quiet"]));
            assert!(asked());
        });
    }

    #[test]
    fn unknown_destinations_are_refused() {
        assert!(Log::new(INFO, Some("nowhere"), None).is_err());
        assert!(Log::new(INFO, Some("file:/nonexistent/x"), None).is_err());
    }

    #[test]
    fn a_flood_is_counted_and_not_written() {
        let mut limit = RateLimit::new(2, Duration::from_secs(1));
        let start = Instant::now();
        assert_eq!([0; 5].map(|_| limit.allow(start)), [Some(0), Some(0), None, None, None]);
        assert_eq!(limit.allow(start + Duration::from_secs(2)), Some(3));
    }
}
