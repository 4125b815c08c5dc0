//! Restarting without losing routes: `bgp graceful-restart …` (RFC 4724, RFC 8538), `bgp long-lived-graceful-restart`
//! (RFC 9494), and what delays the first announcements: `update-delay`, `bgp max-med`, `bgp suppress-fib-pending`.
//!
//! Most of it stands under `configure terminal` for all instances and under `router bgp` for one. As in FRR a line under
//! `configure terminal` takes the place of what instances said before; what an instance says later holds for it.
//! None of these settings ends a session: what goes into the OPEN is said with the next one.

use ferrite_cli::node::{CONFIG, order};
use ferrite_cli::{Args, CliError, ConfigCommand, Edit, Lines, Negation, Registry};

use super::router::RouterRow;
use super::{BgpConfig, InstanceName, RouterBgp};

/// What a neighbour, or a router as a whole, does about restarts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum GracefulMode {
    /// `graceful-restart`: we restart gracefully, and help others.
    Restart,
    /// `graceful-restart-helper`, the default: we help others.
    Helper,
    /// `graceful-restart-disable`: neither; the capability is not announced.
    Disabled,
}

/// What may be said for all instances and for one; `None` says nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GracefulSettings {
    pub mode: Option<GracefulMode>,
    /// Seconds that neighbours are asked to wait for us, 12 bits.
    pub restart_time: Option<u16>,
    /// Seconds that routes of a neighbour that restarts are kept at most.
    pub stalepath_time: Option<u16>,
    /// Seconds that the first decisions wait for the neighbours' tables at most.
    pub select_defer_time: Option<u16>,
    /// Seconds that zebra keeps the routes of a bgpd that is gone.
    pub rib_stale_time: Option<u16>,
    /// We say that forwarding goes on while we restart (the F bit).
    pub preserve_fw_state: bool,
    /// Routes are announced once the kernel has them.
    pub suppress_fib_pending: bool,
    pub update_delay: Option<UpdateDelay>,
}

/// `update-delay N [M]`: after a start nothing is decided for so long, unless all neighbours have told their tables.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct UpdateDelay {
    /// Seconds.
    pub delay: u16,
    /// Seconds within which a neighbour must be there to be waited for; `None` is all of `delay`.
    pub establish_wait: Option<u16>,
}

/// What only an instance says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RestartSettings {
    pub graceful: GracefulSettings,
    /// NOTIFICATIONs and hold timers are restarts too (RFC 8538).
    pub notification: bool,
    /// End-of-RIB is not sent; for tests of other implementations.
    pub disable_eor: bool,
    /// Seconds that neighbours are asked to keep our routes after the restart time, 24 bits (RFC 9494).
    pub long_lived_time: Option<u32>,
    /// MED of everything we announce for the first seconds after the first neighbour is up.
    pub max_med_on_startup: Option<MaxMedOnStartup>,
    /// MED of everything we announce.
    pub max_med_administrative: Option<u32>,
    /// A session ends as soon as its neighbour cannot be reached any more.
    pub fast_convergence: bool,
}

/// `bgp max-med on-startup SECONDS [MED]`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MaxMedOnStartup {
    /// Seconds.
    pub time: u32,
    pub med: u32,
}

/// MED that puts our routes behind every other, where none is given.
pub const MAX_MED: u32 = u32::MAX - 1;

pub const RESTART_TIME: u16 = 120;
pub const STALEPATH_TIME: u16 = 360;
pub const SELECT_DEFER_TIME: u16 = 360;
/// FRR's default; what zebra does where nobody says is `zebra client-hold-time`.
pub const RIB_STALE_TIME: u16 = 500;

impl Default for RestartSettings {
    fn default() -> Self {
        Self {
            graceful: GracefulSettings::default(),
            notification: true,
            disable_eor: false,
            long_lived_time: None,
            max_med_on_startup: None,
            max_med_administrative: None,
            fast_convergence: false,
        }
    }
}

impl GracefulSettings {
    /// The settings of one instance with what is said for all.
    pub fn over(&self, all: &Self) -> Self {
        Self {
            mode: self.mode.or(all.mode),
            restart_time: self.restart_time.or(all.restart_time),
            stalepath_time: self.stalepath_time.or(all.stalepath_time),
            select_defer_time: self.select_defer_time.or(all.select_defer_time),
            rib_stale_time: self.rib_stale_time.or(all.rib_stale_time),
            preserve_fw_state: self.preserve_fw_state || all.preserve_fw_state,
            suppress_fib_pending: self.suppress_fib_pending || all.suppress_fib_pending,
            update_delay: self.update_delay.or(all.update_delay),
        }
    }

    /// Forgets what says no more than would hold without it.
    fn normalise(&mut self, all: &Self) {
        let same = |own: &mut Option<u16>, above: Option<u16>, default: u16| {
            *own = own.filter(|value| *value != above.unwrap_or(default));
        };
        same(&mut self.restart_time, all.restart_time, RESTART_TIME);
        same(&mut self.stalepath_time, all.stalepath_time, STALEPATH_TIME);
        same(&mut self.select_defer_time, all.select_defer_time, SELECT_DEFER_TIME);
        same(&mut self.rib_stale_time, all.rib_stale_time, RIB_STALE_TIME);
        self.mode = self.mode.filter(|mode| Some(*mode) != all.mode);
        self.preserve_fw_state &= !all.preserve_fw_state;
        self.suppress_fib_pending &= !all.suppress_fib_pending;
    }
}

impl BgpConfig {
    /// The settings in force for an instance.
    pub fn graceful(&self, router: &RouterBgp) -> GracefulSettings {
        router.restart.graceful.over(&self.graceful)
    }
}

/// Brings what instances say into its shortest form, after an edit.
pub(super) fn normalise(config: &mut BgpConfig) -> Result<(), CliError> {
    config.graceful.normalise(&GracefulSettings::default());
    for router in config.instances.values_mut() {
        let own = &mut router.restart.graceful;
        own.normalise(&config.graceful);
        if config.graceful.update_delay.is_some() && own.update_delay.take().is_some() {
            return Err(CliError::refused(
                "%Failed: per-vrf update-delay config not permitted with global update-delay",
            ));
        }
    }
    Ok(())
}

const BGP: &str = "BGP specific commands";
const GRACEFUL: &str = "Graceful restart capability parameters";
const NOT_VALID: &str = "The Graceful Restart command used is not valid at this moment.";

/// A line that stands under `configure terminal` and under `router bgp`.
struct Row {
    syntax: &'static str,
    help: &'static [&'static str],
    no: Negation,
    set: fn(&mut GracefulSettings, &Args) -> Result<(), CliError>,
    unset: fn(&mut GracefulSettings, &Args) -> Result<(), CliError>,
    /// Forgets the setting, so that what is said for all instances holds.
    forget: fn(&mut GracefulSettings),
    render: fn(&GracefulSettings, &mut Lines),
    examples: &'static [&'static str],
}

macro_rules! number {
    ($field:ident, $word:literal, $range:literal, $help:expr, $example:literal) => {
        Row {
            syntax: concat!("bgp graceful-restart ", $word, " ", $range, "$value"),
            help: &[BGP, GRACEFUL, $help, "Delay value (seconds)"],
            no: Negation::Derived,
            set: |settings, args| {
                settings.$field = Some(args.parse("value")?);
                Ok(())
            },
            unset: |settings, _| {
                settings.$field = None;
                Ok(())
            },
            forget: |settings| settings.$field = None,
            render: |settings, lines| {
                if let Some(value) = settings.$field {
                    lines.line(format!(concat!("bgp graceful-restart ", $word, " {}"), value));
                }
            },
            examples: &[concat!("bgp graceful-restart ", $word, " ", $example)],
        }
    };
}

macro_rules! switch {
    ($field:ident, $syntax:literal, $help:expr) => {
        Row {
            syntax: $syntax,
            help: $help,
            no: Negation::Derived,
            set: |settings, _| {
                settings.$field = true;
                Ok(())
            },
            unset: |settings, _| {
                settings.$field = false;
                Ok(())
            },
            forget: |settings| settings.$field = false,
            render: |settings, lines| {
                if settings.$field {
                    lines.line($syntax);
                }
            },
            examples: &[$syntax],
        }
    };
}

const STALEPATH: Row = number!(
    stalepath_time,
    "stalepath-time",
    "(1-4095)",
    "Set the max time to hold onto restarting peer's stale paths",
    "300"
);
const RESTART: Row = number!(
    restart_time,
    "restart-time",
    "(0-4095)",
    "Set the time to wait to delete stale routes before a BGP open message is received",
    "100"
);
const SELECT_DEFER: Row = number!(
    select_defer_time,
    "select-defer-time",
    "(0-3600)",
    "Set the time to defer the BGP route selection after restart",
    "60"
);
const RIB_STALE: Row = number!(
    rib_stale_time,
    "rib-stale-time",
    "(1-3600)",
    "Specify the stale route removal timer in rib",
    "77"
);
const PRESERVE: Row = switch!(
    preserve_fw_state,
    "bgp graceful-restart preserve-fw-state",
    &[BGP, GRACEFUL, "Sets F-bit indication that fib is preserved while doing Graceful Restart"]
);
const SUPPRESS: Row = switch!(
    suppress_fib_pending,
    "bgp suppress-fib-pending",
    &[BGP, "Advertise only routes that are programmed in kernel to peers"]
);

const MODE: Row = Row {
    syntax: "bgp graceful-restart",
    help: &[BGP, GRACEFUL],
    no: Negation::Derived,
    set: |settings, _| {
        settings.mode = Some(GracefulMode::Restart);
        Ok(())
    },
    unset: |settings, _| leave(settings, GracefulMode::Restart),
    forget: |settings| settings.mode = None,
    render: |settings, lines| match settings.mode {
        Some(GracefulMode::Restart) => lines.line("bgp graceful-restart"),
        Some(GracefulMode::Disabled) => lines.line("bgp graceful-restart-disable"),
        Some(GracefulMode::Helper) | None => {}
    },
    examples: &["bgp graceful-restart"],
};
const DISABLE: Row = Row {
    syntax: "bgp graceful-restart-disable",
    help: &[BGP, "Graceful restart disable"],
    no: Negation::Derived,
    set: |settings, _| {
        settings.mode = Some(GracefulMode::Disabled);
        Ok(())
    },
    unset: |settings, _| leave(settings, GracefulMode::Disabled),
    forget: |settings| settings.mode = None,
    render: |_, _| {}, // by `bgp graceful-restart`
    examples: &["bgp graceful-restart-disable"],
};

/// `no` of a mode that another one has taken the place of is no slip that passes.
fn leave(settings: &mut GracefulSettings, mode: GracefulMode) -> Result<(), CliError> {
    if settings.mode.is_some_and(|other| other != mode) {
        return Err(CliError::refused(NOT_VALID));
    }
    settings.mode = None;
    Ok(())
}

/// Under `configure terminal`, in the order of FRR's running configuration.
const GLOBAL: &[&Row] =
    &[&SUPPRESS, &STALEPATH, &RESTART, &SELECT_DEFER, &MODE, &DISABLE, &PRESERVE, &RIB_STALE];

/// A row of an instance out of one that both have.
const fn of_router(row: &Row, how: RouterFns) -> RouterRow {
    RouterRow {
        syntax: row.syntax,
        help: row.help,
        no: Negation::Derived,
        set: how.0,
        unset: how.1,
        render: how.2,
        examples: row.examples,
    }
}

type RouterFns = (
    fn(&mut RouterBgp, &Args) -> Result<(), CliError>,
    fn(&mut RouterBgp, &Args, &RouterBgp) -> Result<(), CliError>,
    fn(&RouterBgp, &mut Lines, &RouterBgp),
);

macro_rules! of_router {
    ($name:ident, $row:ident) => {
        pub(super) const $name: RouterRow = of_router(
            &$row,
            (
                |router, args| ($row.set)(&mut router.restart.graceful, args),
                |router, args, _| ($row.unset)(&mut router.restart.graceful, args),
                |router, lines, _| ($row.render)(&router.restart.graceful, lines),
            ),
        );
    };
}

of_router!(ROUTER_STALEPATH, STALEPATH);
of_router!(ROUTER_RESTART, RESTART);
of_router!(ROUTER_SELECT_DEFER, SELECT_DEFER);
of_router!(ROUTER_RIB_STALE, RIB_STALE);
of_router!(ROUTER_PRESERVE, PRESERVE);
of_router!(ROUTER_SUPPRESS, SUPPRESS);
of_router!(ROUTER_MODE, MODE);
of_router!(ROUTER_DISABLE, DISABLE);

macro_rules! router_switch {
    ($name:ident, $field:ident, $syntax:literal, $help:expr, $example:literal) => {
        pub(super) const $name: RouterRow = RouterRow {
            syntax: $syntax,
            help: $help,
            no: Negation::Derived,
            set: |router, _| {
                router.restart.$field = true;
                Ok(())
            },
            unset: |router, _, _| {
                router.restart.$field = false;
                Ok(())
            },
            render: |router, lines, default| {
                if router.restart.$field != default.restart.$field {
                    lines.line(if router.restart.$field { $syntax } else { concat!("no ", $syntax) });
                }
            },
            examples: &[$example],
        };
    };
}

router_switch!(
    ROUTER_NOTIFICATION,
    notification,
    "bgp graceful-restart notification",
    &[BGP, GRACEFUL, "Indicate Graceful Restart support for BGP NOTIFICATION messages"],
    "no bgp graceful-restart notification"
);
router_switch!(
    ROUTER_DISABLE_EOR,
    disable_eor,
    "bgp graceful-restart disable-eor",
    &[BGP, GRACEFUL, "Disable EOR Check"],
    "bgp graceful-restart disable-eor"
);
router_switch!(
    ROUTER_FAST_CONVERGENCE,
    fast_convergence,
    "bgp fast-convergence",
    &[BGP, "Fast convergence for bgp sessions"],
    "bgp fast-convergence"
);

pub(super) const ROUTER_LONG_LIVED: RouterRow = RouterRow {
    syntax: "bgp long-lived-graceful-restart stale-time (1-16777215)$value",
    help: &[
        BGP,
        "Enable Long-lived Graceful Restart",
        "Specifies maximum time to wait before purging long-lived stale routes",
        "Stale time value (seconds)",
    ],
    no: Negation::Derived,
    set: |router, args| {
        router.restart.long_lived_time = Some(args.parse("value")?);
        Ok(())
    },
    unset: |router, _, _| {
        router.restart.long_lived_time = None;
        Ok(())
    },
    render: |router, lines, _| {
        if let Some(time) = router.restart.long_lived_time {
            lines.line(format!("bgp long-lived-graceful-restart stale-time {time}"));
        }
    },
    examples: &["bgp long-lived-graceful-restart stale-time 600"],
};

pub(super) const ROUTER_MAX_MED_STARTUP: RouterRow = RouterRow {
    syntax: "bgp max-med on-startup (5-86400)$time [(0-4294967295)$med]",
    help: &[
        BGP,
        "Advertise routes with max-med",
        "Effective on a startup",
        "Time (seconds) period for max-med",
        "Max MED value to be used",
    ],
    no: Negation::Syntax("no bgp max-med on-startup [(5-86400)$time [(0-4294967295)$med]]"),
    set: |router, args| {
        let med = args.parse_opt("med")?.unwrap_or(MAX_MED);
        router.restart.max_med_on_startup = Some(MaxMedOnStartup { time: args.parse("time")?, med });
        Ok(())
    },
    unset: |router, _, _| {
        router.restart.max_med_on_startup = None;
        Ok(())
    },
    render: |router, lines, _| match router.restart.max_med_on_startup {
        Some(MaxMedOnStartup { time, med: MAX_MED }) => lines.line(format!("bgp max-med on-startup {time}")),
        Some(MaxMedOnStartup { time, med }) => lines.line(format!("bgp max-med on-startup {time} {med}")),
        None => {}
    },
    examples: &["bgp max-med on-startup 60", "bgp max-med on-startup 60 99"],
};

pub(super) const ROUTER_MAX_MED: RouterRow = RouterRow {
    syntax: "bgp max-med administrative [(0-4294967295)$med]",
    help: &[
        BGP,
        "Advertise routes with max-med",
        "Administratively applied, for an indefinite period",
        "Max MED value to be used",
    ],
    no: Negation::Derived,
    set: |router, args| {
        router.restart.max_med_administrative = Some(args.parse_opt("med")?.unwrap_or(MAX_MED));
        Ok(())
    },
    unset: |router, _, _| {
        router.restart.max_med_administrative = None;
        Ok(())
    },
    render: |router, lines, _| match router.restart.max_med_administrative {
        Some(MAX_MED) => lines.line("bgp max-med administrative"),
        Some(med) => lines.line(format!("bgp max-med administrative {med}")),
        None => {}
    },
    examples: &["bgp max-med administrative", "bgp max-med administrative 7"],
};

const DELAY_HELP: [&str; 3] =
    ["Force initial delay for best-path and updates", "Max delay in seconds", "Establish-wait in seconds"];

fn delay_of(args: &Args) -> Result<Option<UpdateDelay>, CliError> {
    let delay = args.parse("delay")?;
    let establish_wait: Option<u16> = args.parse_opt("wait")?;
    if establish_wait.is_some_and(|wait| wait > delay) {
        return Err(CliError::refused("%Failed: update-delay less than the establish-wait!"));
    }
    let establish_wait = establish_wait.filter(|wait| *wait != delay);
    Ok((delay != 0).then_some(UpdateDelay { delay, establish_wait }))
}

fn render_delay(delay: Option<UpdateDelay>, before: &str, lines: &mut Lines) {
    match delay {
        Some(UpdateDelay { delay, establish_wait: None }) => {
            lines.line(format!("{before}update-delay {delay}"));
        }
        Some(UpdateDelay { delay, establish_wait: Some(wait) }) => {
            lines.line(format!("{before}update-delay {delay} {wait}"));
        }
        None => {}
    }
}

pub(super) const ROUTER_UPDATE_DELAY: RouterRow = RouterRow {
    syntax: "update-delay (0-3600)$delay [(1-3600)$wait]",
    help: &DELAY_HELP,
    no: Negation::Syntax("no update-delay [(0-3600)$delay [(1-3600)$wait]]"),
    set: |router, args| {
        router.restart.graceful.update_delay = delay_of(args)?;
        Ok(())
    },
    unset: |router, _, _| {
        router.restart.graceful.update_delay = None;
        Ok(())
    },
    render: |router, lines, _| render_delay(router.restart.graceful.update_delay, "", lines),
    examples: &["update-delay 30", "update-delay 30 10"],
};

pub(super) fn register<H>(registry: &mut Registry<BgpConfig, H>) {
    for row in GLOBAL {
        let edit = |config: &mut BgpConfig, edit: &Edit<'_>| {
            let change = if edit.negated { row.unset } else { row.set };
            change(&mut config.graceful, edit.args)?;
            // What instances said before gives way, as in FRR.
            config.instances.values_mut().for_each(|router| (row.forget)(&mut router.restart.graceful));
            normalise(config)
        };
        let command = ConfigCommand::new(&[&CONFIG], row.syntax, row.help, edit).no(row.no);
        registry.command(row.examples.iter().fold(command, |command, line| command.example(*line)));
    }
    register_update_delay(registry);
    registry.renderer(order::HEADER, |config: &BgpConfig, lines| {
        render_delay(config.graceful.update_delay, "bgp ", lines);
        GLOBAL.iter().for_each(|row| (row.render)(&config.graceful, lines));
    });
}

/// For all instances or for one, not both.
fn register_update_delay<H>(registry: &mut Registry<BgpConfig, H>) {
    let help: Vec<&'static str> = std::iter::once("BGP information").chain(DELAY_HELP).collect();
    let global = |config: &mut BgpConfig, edit: &Edit<'_>| {
        if edit.negated {
            config.graceful.update_delay = None;
            return Ok(());
        }
        let delays = |router: &RouterBgp| router.restart.graceful.update_delay.is_some();
        if let Some(name) = config.instances.iter().find(|(_, router)| delays(router)) {
            let name = match name.0 {
                InstanceName::Default => "default",
                InstanceName::View(name) | InstanceName::Vrf(name) => name,
            };
            return Err(CliError::refused(format!(
                "% update-delay configuration found in vrf {name}\n%Failed: global update-delay config not permitted"
            )));
        }
        config.graceful.update_delay = delay_of(edit.args)?;
        Ok(())
    };
    registry.command(
        ConfigCommand::new(&[&CONFIG], "bgp update-delay (0-3600)$delay [(1-3600)$wait]", &help, global)
            .no(Negation::Syntax("no bgp update-delay [(0-3600)$delay [(1-3600)$wait]]"))
            .example("bgp update-delay 40")
            .example("bgp update-delay 40 20"),
    );
}
