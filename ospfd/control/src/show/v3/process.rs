//! `show ipv6 ospf6`: the process and its areas.

use std::fmt;
use std::time::Duration;

use ferrite_ospf::config::AreaKind;
use ferrite_ospf::instance::Place;
use ferrite_ospf::packet::{AreaId, V3};
use ferrite_types::Afi;
use indexmap::IndexMap;
use serde::Serialize;

use crate::settings::Configured;
use crate::settings::LogAdjacency;
use crate::show::backoff::Backoff;
use crate::show::limit::LsaLimit;
use crate::show::{At, text};

#[derive(Serialize)]
pub struct Summary {
    #[serde(rename = "routerId")]
    router: String,
    /// Said of what is not IPv6 alone.
    #[serde(rename = "addressFamily", skip_serializing_if = "Option::is_none")]
    family: Option<&'static str>,
    running: String,
    #[serde(rename = "lsaMinimumArrivalMsecs")]
    min_arrival: u64,
    #[serde(rename = "spfScheduleDelayMsecs")]
    delay: u64,
    #[serde(rename = "holdTimeMinMsecs")]
    hold_min: u64,
    #[serde(rename = "holdTimeMaxMsecs")]
    hold_max: u64,
    #[serde(rename = "holdTimeMultiplier")]
    multiplier: u64,
    #[serde(rename = "maximumPaths")]
    paths: usize,
    preference: u8,
    #[serde(rename = "spfHasRun")]
    has_run: bool,
    #[serde(rename = "spfLastExecutedMsecs", skip_serializing_if = "Option::is_none")]
    last: Option<String>,
    #[serde(rename = "spfLastExecutedReason", skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(rename = "spfLastDurationSecs", skip_serializing_if = "Option::is_none")]
    duration_secs: Option<u64>,
    #[serde(rename = "spfLastDurationMsecs", skip_serializing_if = "Option::is_none")]
    duration_micros: Option<u64>,
    #[serde(rename = "spfTimerActive")]
    active: bool,
    #[serde(rename = "spfTimerDueInMsecs", skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    #[serde(rename = "spfDelayIetf", skip_serializing_if = "Option::is_none")]
    backoff: Option<Backoff>,
    #[serde(rename = "lsaLimit", skip_serializing_if = "Option::is_none")]
    limit: Option<LsaLimit>,
    #[serde(rename = "routerIsStubRouter")]
    stub: bool,
    #[serde(rename = "numberOfAsScopedLsa")]
    domain: usize,
    #[serde(rename = "numberOfAreaInRouter")]
    count: usize,
    #[serde(rename = "AuthTrailerHigherSeqNo")]
    sequence_high: u32,
    #[serde(rename = "AuthTrailerLowerSeqNo")]
    sequence_low: u32,
    #[serde(rename = "adjacencyChanges")]
    logged: &'static str,
    areas: IndexMap<String, AreaView>,
}

#[derive(Serialize)]
struct AreaView {
    #[serde(rename = "areaIsStub")]
    stub: bool,
    #[serde(rename = "areaIsNSSA")]
    nssa: bool,
    #[serde(rename = "areaNoSummary", skip_serializing_if = "Option::is_none")]
    no_summary: Option<bool>,
    #[serde(rename = "numberOfAreaScopedLsa")]
    lsas: usize,
    /// LSAs by the number of their type, of the area and its links.
    #[serde(rename = "lsaStatistics")]
    statistics: Vec<usize>,
    #[serde(rename = "interfacesAttachedToArea")]
    interfaces: Vec<String>,
    #[serde(rename = "spfHasRun")]
    has_run: bool,
    #[serde(rename = "spfLastExecutedSecs", skip_serializing_if = "Option::is_none")]
    last_secs: Option<u64>,
    #[serde(rename = "spfLastExecutedMicroSecs", skip_serializing_if = "Option::is_none")]
    last_micros: Option<u32>,
}

/// Function codes that FRR counts.
const CODES: u16 = 12;

impl AreaView {
    fn new<F: Configured>(at: At<'_, V3<F>>, id: AreaId) -> Self {
        let core = &at.process.core;
        let config = core.config().area(id);
        let status = core.area_status(id);
        let lsdb = core.lsdb(Place::Area(id));
        let of =
            |code: u16| lsdb.map_or(0, |l| l.iter().filter(|(key, _)| key.ty.0 & 0x1fff == code).count());
        let inside = at.interfaces().into_iter().filter(|interface| interface.core.config.area == id);
        let last = status.spf_last.map(|last| at.now.since(last));
        Self {
            stub: config.kind == AreaKind::Stub,
            nssa: config.kind == AreaKind::Nssa,
            no_summary: (config.kind != AreaKind::Normal).then_some(config.no_summary),
            lsas: lsdb.map_or(0, |lsdb| lsdb.iter().count()),
            statistics: (0..CODES).map(of).collect(),
            interfaces: inside.map(|interface| interface.name).collect(),
            has_run: last.is_some(),
            last_secs: last.map(|ago| ago.as_secs()),
            last_micros: last.map(|ago| ago.subsec_micros()),
        }
    }
}

impl Summary {
    pub fn new<F: Configured>(at: At<'_, V3<F>>) -> Self {
        let core = &at.process.core;
        let (config, status) = (core.config(), core.spf());
        let spf = config.timers.spf;
        let hold = status.hold.unwrap_or(spf.initial_hold);
        let ran = status.last.is_some();
        let took = at.process.spf_took.unwrap_or_default();
        let areas = core.areas().keys().map(|id| (at.area6(*id), AreaView::new(at, *id)));
        Self {
            router: core.id().to_string(),
            family: (F::AFI == Afi::Ipv4).then_some("ipv4"),
            running: text::clock(at.now.since(at.process.started)),
            min_arrival: text::millis(config.timers.min_arrival),
            delay: text::millis(spf.delay),
            hold_min: text::millis(spf.initial_hold),
            hold_max: text::millis(spf.max_hold),
            multiplier: (text::millis(hold) / text::millis(spf.initial_hold).max(1)).max(1),
            paths: config.max_paths,
            preference: at.router.distance.unwrap_or(110),
            has_run: ran,
            last: status.last.map(|last| text::clock(at.now.since(last))),
            reason: ran.then_some("L+"),
            duration_secs: ran.then_some(took.as_secs()),
            duration_micros: ran.then_some(took.subsec_micros().into()),
            active: status.next.is_some(),
            due: status.next.map(|next| text::clock(next.since(at.now))),
            backoff: Backoff::new(config.timers.backoff, &status),
            limit: LsaLimit::new(at.router, core.load_of_databases()),
            stub: config.stub_router,
            domain: core.lsdb(Place::As).map_or(0, |lsdb| lsdb.len()),
            count: core.areas().len(),
            sequence_high: config.sequence_base,
            sequence_low: 0,
            logged: match at.router.log_adjacency {
                LogAdjacency::No => "NotLogged",
                LogAdjacency::Yes => "Logged",
                LogAdjacency::Detail => "LoggedAll",
            },
            areas: areas.collect(),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, " OSPFv3 Routing Process (0) with Router-ID {}", self.router)?;
        if self.family.is_some() {
            writeln!(f, " Address family IPv4 unicast (RFC 5838)")?;
        }
        writeln!(f, " Running {}", self.running)?;
        writeln!(f, " LSA minimum arrival {} msecs", self.min_arrival)?;
        writeln!(f, " Maximum-paths {}", self.paths)?;
        writeln!(f, " Administrative distance {}", self.preference)?;
        writeln!(f, " Initial SPF scheduling delay {} millisec(s)", self.delay)?;
        writeln!(f, " Minimum hold time between consecutive SPFs {} millsecond(s)", self.hold_min)?;
        writeln!(f, " Maximum hold time between consecutive SPFs {} millsecond(s)", self.hold_max)?;
        writeln!(f, " Hold time multiplier is currently {}", self.multiplier)?;
        match (&self.last, self.reason) {
            (Some(last), Some(reason)) => {
                writeln!(f, " SPF algorithm last executed {last} ago, reason {reason}")?;
                let micros = self.duration_micros.unwrap_or(0);
                writeln!(f, " Last SPF duration {} sec {micros} usec", self.duration_secs.unwrap_or(0))?;
            }
            _ => writeln!(f, " SPF algorithm has not been run")?,
        }
        match &self.due {
            Some(due) => writeln!(f, " SPF timer due in {due}")?,
            None => writeln!(f, " SPF timer is inactive")?,
        }
        self.backoff.iter().try_for_each(|backoff| backoff.fmt(f))?;
        self.limit.iter().try_for_each(|limit| limit.fmt(f))?;
        if self.stub {
            writeln!(f, " Router Is Stub Router")?;
        }
        writeln!(f, " Number of AS scoped LSAs is {}", self.domain)?;
        writeln!(f, " Number of areas in this router is {}", self.count)?;
        writeln!(f, " Authentication Sequence number info")?;
        let (high, low) = (self.sequence_high, self.sequence_low);
        writeln!(f, "  Higher sequence no {high}, Lower sequence no {low}")?;
        match self.logged {
            "Logged" => writeln!(f, " Adjacency changes are logged")?,
            "LoggedAll" => writeln!(f, " All adjacency changes are logged")?,
            _ => {}
        }
        writeln!(f)?;
        self.areas.iter().try_for_each(|(name, area)| area.write(name, f))
    }
}

impl AreaView {
    fn write(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match (self.stub, self.nssa, self.no_summary) {
            (true, _, Some(true)) => "[Stub, No Summary]",
            (true, ..) => "[Stub]",
            (_, true, Some(true)) => "[NSSA, No Summary]",
            (_, true, _) => "[NSSA]",
            _ => "",
        };
        writeln!(f, " Area {name}{kind}")?;
        writeln!(f, "     Number of Area scoped LSAs is {}", self.lsas)?;
        write!(f, "     Interface attached to this area:")?;
        self.interfaces.iter().try_for_each(|name| write!(f, " {name}"))?;
        writeln!(f)?;
        match (self.last_secs, self.last_micros) {
            (Some(secs), Some(micros)) => {
                let ago = Duration::new(secs, micros.saturating_mul(1000)).as_micros();
                let (secs, micros) = (ago / 1_000_000, ago % 1_000_000);
                writeln!(f, "     SPF last executed {secs}.{micros}s ago")
            }
            _ => writeln!(f, "     SPF has not been run"),
        }
    }
}
