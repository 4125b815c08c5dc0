//! `show ip ospf`: the process and its areas.

use std::fmt;
use std::time::Duration;

use ferrite_ospf::config::AreaKind;
use ferrite_ospf::interface::State;
use ferrite_ospf::lsdb::Lsdb;
use ferrite_ospf::packet::v2::ty;
use ferrite_ospf::packet::{AreaId, LsType, V2};
use indexmap::IndexMap;
use serde::Serialize;

use crate::process::WRITE_MULTIPLIER;
use crate::settings::area::AreaAuth;
use crate::settings::{AbrType, LogAdjacency};
use crate::show::backoff::Backoff;
use crate::show::limit::LsaLimit;
use crate::show::{At, is_false, text};

/// LSAs of a type, and the sum of their checksums.
fn count(lsdb: Option<&Lsdb>, kind: LsType) -> (usize, u32) {
    let lsas = lsdb.into_iter().flat_map(|lsdb| lsdb.of_type(kind));
    lsas.fold((0, 0u32), |(many, sum), (_, entry)| {
        (many + 1, sum.wrapping_add(u32::from(entry.lsa.header().checksum)))
    })
}

#[derive(Serialize)]
pub struct Summary {
    #[serde(rename = "routerId")]
    router: String,
    #[serde(rename = "tosRoutesOnly")]
    one_service: bool,
    #[serde(rename = "rfc2328Conform")]
    conforms: bool,
    #[serde(rename = "rfc1583Compatibility", skip_serializing_if = "is_false")]
    rfc1583: bool,
    #[serde(rename = "opaqueCapable", skip_serializing_if = "is_false")]
    opaque: bool,
    #[serde(flatten)]
    stub: Stub,
    #[serde(rename = "spfScheduleDelayMsecs")]
    delay: u64,
    #[serde(rename = "holdtimeMinMsecs")]
    hold_min: u64,
    #[serde(rename = "holdtimeMaxMsecs")]
    hold_max: u64,
    /// FRR's spelling.
    #[serde(rename = "holdtimeMultplier")]
    multiplier: u64,
    #[serde(rename = "spfLastExecutedMsecs", skip_serializing_if = "Option::is_none")]
    last: Option<u64>,
    #[serde(rename = "spfLastDurationMsecs", skip_serializing_if = "Option::is_none")]
    duration: Option<u64>,
    #[serde(skip)]
    duration_exact: Duration,
    #[serde(rename = "spfHasNotRun", skip_serializing_if = "is_false")]
    not_run: bool,
    #[serde(rename = "spfTimerDueInMsecs", skip_serializing_if = "Option::is_none")]
    due: Option<u64>,
    #[serde(rename = "spfDelayIetf", skip_serializing_if = "Option::is_none")]
    backoff: Option<Backoff>,
    #[serde(rename = "lsaLimit", skip_serializing_if = "Option::is_none")]
    limit: Option<LsaLimit>,
    #[serde(rename = "lsaMinIntervalMsecs")]
    min_interval: u64,
    #[serde(rename = "lsaMinArrivalMsecs")]
    min_arrival: u64,
    #[serde(rename = "writeMultiplier")]
    write: u8,
    #[serde(rename = "refreshTimerMsecs")]
    refresh: u64,
    #[serde(rename = "maximumPaths")]
    paths: usize,
    preference: u8,
    #[serde(rename = "floodReduction", skip_serializing_if = "Option::is_none")]
    reduction: Option<&'static str>,
    #[serde(rename = "abrType", skip_serializing_if = "Option::is_none")]
    abr: Option<&'static str>,
    #[serde(rename = "asbrRouter", skip_serializing_if = "Option::is_none")]
    asbr: Option<&'static str>,
    #[serde(rename = "lsaExternalCounter")]
    externals: usize,
    #[serde(rename = "lsaExternalChecksum")]
    externals_sum: u32,
    #[serde(rename = "lsaAsopaqueCounter")]
    opaques: usize,
    #[serde(rename = "lsaAsOpaqueChecksum")]
    opaques_sum: u32,
    #[serde(rename = "attachedAreaCounter")]
    attached: usize,
    #[serde(rename = "adjacencyChangesLogged", skip_serializing_if = "is_false")]
    logged: bool,
    #[serde(rename = "adjacencyChangesLoggedAll", skip_serializing_if = "is_false")]
    logged_all: bool,
    areas: IndexMap<String, AreaView>,
}

/// `max-metric router-lsa`
#[derive(Serialize)]
struct Stub {
    #[serde(rename = "adminStubRouter", skip_serializing_if = "is_false")]
    administrative: bool,
    #[serde(rename = "postStartEnabledMsecs", skip_serializing_if = "Option::is_none")]
    startup: Option<u64>,
    #[serde(rename = "preShutdownEnabledMsecs", skip_serializing_if = "Option::is_none")]
    shutdown: Option<u64>,
}

#[derive(Serialize)]
struct AreaView {
    #[serde(skip_serializing_if = "is_false")]
    backbone: bool,
    #[serde(rename = "stubNoSummary", skip_serializing_if = "is_false")]
    stub_no_summary: bool,
    #[serde(rename = "stubShortcut", skip_serializing_if = "is_false")]
    stub: bool,
    #[serde(rename = "nssaNoSummary", skip_serializing_if = "is_false")]
    nssa_no_summary: bool,
    #[serde(rename = "shortcuttingMode", skip_serializing_if = "Option::is_none")]
    shortcut: Option<&'static str>,
    /// FRR's spelling.
    #[serde(rename = "sBitConcensus", skip_serializing_if = "is_false")]
    consensus: bool,
    #[serde(rename = "areaIfTotalCounter")]
    interfaces: usize,
    #[serde(rename = "areaIfActiveCounter")]
    active: usize,
    #[serde(skip_serializing_if = "is_false")]
    nssa: bool,
    #[serde(skip_serializing_if = "is_false")]
    abr: bool,
    #[serde(rename = "nssaTranslatorElected", skip_serializing_if = "is_false")]
    elected: bool,
    #[serde(rename = "nssaTranslatorAlways", skip_serializing_if = "is_false")]
    always: bool,
    #[serde(rename = "nbrFullAdjacentCounter")]
    full: usize,
    authentication: &'static str,
    #[serde(rename = "virtualAdjacenciesPassingCounter", skip_serializing_if = "Option::is_none")]
    passing: Option<usize>,
    #[serde(rename = "spfExecutedCounter")]
    runs: u64,
    #[serde(rename = "lsaNumber")]
    lsas: usize,
    #[serde(flatten)]
    counts: IndexMap<String, u64>,
    #[serde(rename = "areaFloodReduction", skip_serializing_if = "Option::is_none")]
    reduction: Option<&'static str>,
    #[serde(rename = "areaFloodReductionEnabled", skip_serializing_if = "is_false")]
    reduces: bool,
    #[serde(rename = "lsasRecvDCbitSet", skip_serializing_if = "is_false")]
    some_capable: bool,
    /// Routers for whose sake it is off: they take the mark of what does not age for an age.
    #[serde(rename = "areaFloodReductionOffFor", skip_serializing_if = "Vec::is_empty")]
    off_for: Vec<String>,
    /// Routers that take LSAs that do not age, we not among them.
    #[serde(skip)]
    capable: usize,
    #[serde(skip)]
    name: String,
    #[serde(skip)]
    border: bool,
}

const CONFIGURED: &str = "configured";

/// Types in an area with FRR's words for them in JSON and text.
const TYPES: [(LsType, &str, &str); 7] = [
    (ty::ROUTER, "Router", "router"),
    (ty::NETWORK, "Network", "network"),
    (ty::SUMMARY_NETWORK, "Summary", "summary"),
    (ty::SUMMARY_ASBR, "Asbr", "ASBR summary"),
    (ty::NSSA, "Nssa", "NSSA"),
    (ty::OPAQUE_LINK, "OpaqueLink", "opaque link"),
    (ty::OPAQUE_AREA, "OpaqueArea", "opaque area"),
];

/// Whether every other router of an area takes part in shortcuts (its S bit).
fn all_shortcut(at: At<'_, V2>, id: AreaId) -> bool {
    const SHORTCUT: u8 = 0x08;
    let core = &at.process.core;
    let lsdb = core.areas().get(&id).map(|area| &area.lsdb);
    let lsas = lsdb.into_iter().flat_map(|lsdb| lsdb.of_type(ty::ROUTER));
    let others = lsas.filter(|(key, _)| key.adv != core.id());
    others.into_iter().all(|(_, entry)| entry.lsa.body().first().is_some_and(|bits| bits & SHORTCUT != 0))
}

impl AreaView {
    fn new(at: At<'_, V2>, id: AreaId) -> Self {
        let core = &at.process.core;
        let config = core.config().area(id);
        let inside = || core.interfaces().values().filter(|i| i.config.area == id && !i.is_virtual());
        let lsdb = core.areas().get(&id).map(|area| &area.lsdb);
        let mut counts = IndexMap::new();
        for (kind, word, _) in TYPES {
            let (many, sum) = if kind == ty::OPAQUE_LINK {
                let links = inside().map(|interface| count(Some(&interface.links), kind));
                links.fold((0, 0u32), |(many, sum), (more, other)| (many + more, sum.wrapping_add(other)))
            } else {
                count(lsdb, kind)
            };
            counts.insert(format!("lsa{word}Number"), many as u64);
            counts.insert(format!("lsa{word}Checksum"), u64::from(sum));
        }
        let passing = core
            .interfaces()
            .values()
            .filter(|i| i.virtual_to.is_some_and(|(area, _)| area == id) && i.full().next().is_some());
        let members = core.interfaces().values().filter(|i| i.config.area == id);
        let nssa = config.kind == AreaKind::Nssa;
        let border = core.is_border_router();
        let authentication = at.router.areas.get(&id).and_then(|area| area.authentication);
        let reduces = core.reduces(ferrite_ospf::instance::Place::Area(id));
        let capable = core.capable(id).0.saturating_sub(usize::from(reduces));
        Self {
            backbone: id.is_backbone(),
            stub_no_summary: config.kind == AreaKind::Stub && config.no_summary,
            stub: config.kind == AreaKind::Stub && !config.no_summary,
            nssa_no_summary: nssa && config.no_summary,
            shortcut: (!id.is_backbone()).then_some(
                match at.router.areas.get(&id).and_then(|a| a.shortcut) {
                    None => "Default",
                    Some(true) => "Enabled",
                    Some(false) => "Disabled",
                },
            ),
            consensus: !id.is_backbone() && all_shortcut(at, id),
            interfaces: inside().count(),
            active: inside().filter(|interface| interface.state > State::Down).count(),
            nssa,
            abr: nssa && border,
            elected: nssa && core.translates(id),
            always: nssa && config.translator == ferrite_ospf::config::Translator::Always,
            full: members.map(|interface| interface.full().count()).sum(),
            authentication: match authentication {
                None => "authenticationNone",
                Some(AreaAuth::Simple) => "authenticationSimplePassword",
                Some(AreaAuth::Digest) => "authenticationMessageDigest",
            },
            passing: (!id.is_backbone()).then(|| passing.count()),
            runs: core.area_status(id).spf_runs,
            lsas: lsdb.map_or(0, Lsdb::len),
            counts,
            reduction: config.flood_reduction.then_some(CONFIGURED),
            reduces,
            some_capable: reduces && capable > 0,
            off_for: core.astray(id).map(|router| router.to_string()).collect(),
            capable,
            name: id.to_string(),
            border,
        }
    }
}

/// External routes are announced, or those of an NSSA are handed on.
fn is_boundary(at: At<'_, V2>) -> bool {
    let core = &at.process.core;
    core.is_boundary_router() || core.areas().keys().any(|area| core.translates(*area))
}

impl Summary {
    pub fn new(at: At<'_, V2>) -> Self {
        let core = &at.process.core;
        let (config, router) = (core.config(), at.router);
        let status = core.spf();
        let spf = config.timers.spf;
        let externals = count(core.lsdb(ferrite_ospf::instance::Place::As), ty::EXTERNAL);
        let opaques = count(core.lsdb(ferrite_ospf::instance::Place::As), ty::OPAQUE_AS);
        let areas = core.areas().keys().map(|id| (id.to_string(), AreaView::new(at, *id)));
        let abr = match router.abr {
            AbrType::Standard => "Standard (RFC2328)",
            AbrType::Ibm => "Alternative IBM",
            AbrType::Cisco => "Alternative Cisco",
            AbrType::Shortcut => "Alternative Shortcut",
        };
        let took = at.process.spf_took.unwrap_or_default();
        let hold = status.hold.unwrap_or(spf.initial_hold);
        Self {
            router: core.id().to_string(),
            one_service: true,
            conforms: true,
            rfc1583: config.rfc1583,
            opaque: config.opaque,
            stub: Stub {
                administrative: router.max_metric.administrative,
                startup: router.max_metric.on_startup.map(|seconds| u64::from(seconds) * 1000),
                shutdown: router.max_metric.on_shutdown.map(|seconds| u64::from(seconds) * 1000),
            },
            delay: text::millis(spf.delay),
            hold_min: text::millis(spf.initial_hold),
            hold_max: text::millis(spf.max_hold),
            multiplier: (text::millis(hold) / text::millis(spf.initial_hold).max(1)).max(1),
            last: status.last.map(|last| text::millis(at.now.since(last))),
            duration: status.last.map(|_| text::millis(took)),
            duration_exact: took,
            not_run: status.last.is_none(),
            due: status.next.map(|next| text::millis(next.since(at.now))),
            backoff: Backoff::new(config.timers.backoff, &status),
            limit: LsaLimit::new(at.router, core.load_of_databases()),
            min_interval: text::millis(config.timers.min_interval),
            min_arrival: text::millis(config.timers.min_arrival),
            write: router.write_multiplier.unwrap_or(WRITE_MULTIPLIER),
            refresh: u64::from(router.refresh.unwrap_or(10)) * 1000,
            paths: config.max_paths,
            preference: router.distance.unwrap_or(110),
            reduction: config.flood_reduction.then_some(CONFIGURED),
            abr: core.is_border_router().then_some(abr),
            asbr: is_boundary(at).then_some("injectingExternalRoutingInformation"),
            externals: externals.0,
            externals_sum: externals.1,
            opaques: opaques.0,
            opaques_sum: opaques.1,
            attached: core.areas().len(),
            logged: router.log_adjacency == LogAdjacency::Yes,
            logged_all: router.log_adjacency == LogAdjacency::Detail,
            areas: areas.collect(),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let enabled = |on: bool| if on { "enabled" } else { "disabled" };
        writeln!(f, " OSPF Routing Process, Router ID: {}", self.router)?;
        writeln!(f, " Supports only single TOS (TOS0) routes")?;
        writeln!(f, " This implementation conforms to RFC2328")?;
        writeln!(f, " RFC1583Compatibility flag is {}", enabled(self.rfc1583))?;
        writeln!(f, " OpaqueCapability flag is {}", enabled(self.opaque))?;
        if self.stub.administrative {
            writeln!(f, " Stub router advertisement is configured\n   Enabled by administrative action")?;
        } else if self.stub.startup.is_some() || self.stub.shutdown.is_some() {
            writeln!(f, " Stub router advertisement is configured")?;
        }
        if let Some(time) = self.stub.startup {
            writeln!(f, "   Enabled for {}s after start-up", time / 1000)?;
        }
        if let Some(time) = self.stub.shutdown {
            writeln!(f, "   Enabled for {}s prior to full shutdown", time / 1000)?;
        }
        writeln!(f, " Initial SPF scheduling delay {} millisec(s)", self.delay)?;
        writeln!(f, " Minimum hold time between consecutive SPFs {} millisec(s)", self.hold_min)?;
        writeln!(f, " Maximum hold time between consecutive SPFs {} millisec(s)", self.hold_max)?;
        writeln!(f, " Hold time multiplier is currently {}", self.multiplier)?;
        match self.last {
            Some(last) => {
                let ago = text::elapsed(Duration::from_millis(last));
                writeln!(f, " SPF algorithm last executed {ago} ago")?;
                writeln!(f, " Last SPF duration {}", text::elapsed(self.duration_exact))?;
            }
            None => writeln!(f, " SPF algorithm has not been run")?,
        }
        match self.due {
            Some(due) => {
                writeln!(f, " SPF timer due in {}", text::elapsed(Duration::from_millis(due)))?;
            }
            None => writeln!(f, " SPF timer is inactive")?,
        }
        self.backoff.iter().try_for_each(|backoff| backoff.fmt(f))?;
        self.limit.iter().try_for_each(|limit| limit.fmt(f))?;
        writeln!(f, " LSA minimum interval {} msecs", self.min_interval)?;
        writeln!(f, " LSA minimum arrival {} msecs", self.min_arrival)?;
        writeln!(f, " Write Multiplier set to {} ", self.write)?;
        writeln!(f, " Refresh timer {} secs", self.refresh / 1000)?;
        writeln!(f, " Maximum multiple paths(ECMP) supported {}", self.paths)?;
        writeln!(f, " Administrative distance {}", self.preference)?;
        if let Some(reduction) = self.reduction {
            writeln!(f, " Flood Reduction is {reduction}.")?;
        }
        if let Some(abr) = self.abr {
            writeln!(f, " This router is an ABR, ABR type is: {abr}")?;
        }
        if self.asbr.is_some() {
            writeln!(f, " This router is an ASBR (injecting external routing information)")?;
        }
        let (many, sum) = (self.externals, self.externals_sum);
        writeln!(f, " Number of external LSA {many}. Checksum Sum {sum:#010x}")?;
        let (many, sum) = (self.opaques, self.opaques_sum);
        writeln!(f, " Number of opaque AS LSA {many}. Checksum Sum {sum:#010x}")?;
        writeln!(f, " Number of areas attached to this router: {}", self.attached)?;
        if self.logged_all {
            writeln!(f, " All adjacency changes are logged")?;
        } else if self.logged {
            writeln!(f, " Adjacency changes are logged")?;
        }
        self.areas.values().try_for_each(|area| area.fmt(f))?;
        writeln!(f)
    }
}

impl fmt::Display for AreaView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.backbone {
            " (Backbone)"
        } else if self.stub_no_summary {
            " (Stub, no summary)"
        } else if self.stub {
            " (Stub)"
        } else if self.nssa_no_summary {
            " (NSSA, no summary)"
        } else if self.nssa {
            " (NSSA)"
        } else {
            ""
        };
        writeln!(f, " Area ID: {}{kind}", self.name)?;
        if let Some(mode) = self.shortcut {
            let consensus = if self.consensus { "ok" } else { "no" };
            writeln!(f, "   Shortcutting mode: {mode}, S-bit consensus: {consensus}")?;
        }
        let (all, active) = (self.interfaces, self.active);
        writeln!(f, "   Number of interfaces in this area: Total: {all}, Active: {active}")?;
        if self.nssa {
            writeln!(f, "   It is an NSSA configuration.")?;
            writeln!(f, "   Elected NSSA/ABR performs type-7/type-5 LSA translation.")?;
            let role = match (self.border, self.always, self.elected) {
                (false, ..) => "   It is not ABR, therefore not Translator.",
                (true, true, _) => "   We are an ABR and the NSSA Translator (always).",
                (true, false, true) => "   We are an ABR and the NSSA Elected Translator.",
                (true, false, false) => "   We are an ABR, but not the NSSA Elected Translator.",
            };
            writeln!(f, "{role}")?;
        }
        writeln!(f, "   Number of fully adjacent neighbors in this area: {}", self.full)?;
        let authentication = match self.authentication {
            "authenticationSimplePassword" => "simple password authentication",
            "authenticationMessageDigest" => "message digest authentication",
            _ => "no authentication",
        };
        writeln!(f, "   Area has {authentication}")?;
        if let Some(passing) = self.passing {
            writeln!(f, "   Number of full virtual adjacencies going through this area: {passing}")?;
        }
        writeln!(f, "   SPF algorithm executed {} times", self.runs)?;
        writeln!(f, "   Number of LSA {}", self.lsas)?;
        for (_, word, name) in TYPES {
            let get = |what: &str| self.counts.get(&format!("lsa{word}{what}")).copied().unwrap_or(0);
            let (many, sum) = (get("Number"), get("Checksum"));
            writeln!(f, "   Number of {name} LSA {many}. Checksum Sum {sum:#010x}")?;
        }
        if let Some(reduction) = self.reduction {
            writeln!(f, "   Flood Reduction is {reduction}.")?;
        }
        if !self.off_for.is_empty() {
            let routers = self.off_for.join(", ");
            writeln!(f, "   Flood Reduction is off: the mark is in the wrong octet at {routers}.")?;
        }
        if self.reduces {
            writeln!(f, "   Flood Reduction is enabled.")?;
            writeln!(f, "   No of LSAs rcv'd with DC bit set {}", self.capable)?;
        }
        writeln!(f)
    }
}
