//! `show ip ospf graceful-restart helper`, and what the details of neighbours say of restarts (RFC 3623).

use std::fmt;
use std::net::IpAddr;

use ferrite_ospf::neighbor::Neighbor;
use ferrite_ospf::packet::opaque::RestartReason;
use ferrite_ospf::restart::HelpEnd;
use ferrite_ospf::{Instance, Version};
use indexmap::IndexMap;
use serde::Serialize;

use crate::show::At;

pub fn reason(reason: RestartReason) -> &'static str {
    match reason {
        RestartReason::Unknown => "Unknown restart",
        RestartReason::SoftwareRestart => "Software restart",
        RestartReason::SoftwareReload => "Software reload/upgrade",
        RestartReason::SwitchToRedundant => "Switch to redundant RE",
    }
}

/// How FRR calls the end of help; it knows fewer reasons.
fn exit_reason(end: HelpEnd) -> &'static str {
    match end {
        HelpEnd::Completed => "Successful graceful restart",
        HelpEnd::Expired => "Grace timer expiry",
        HelpEnd::TopologyChange | HelpEnd::ChangePending => "Topology Change",
        _ => "Unknown reason",
    }
}

/// Whether a neighbour is being helped.
#[derive(Serialize)]
pub struct Status {
    #[serde(rename = "grHelperStatus")]
    status: &'static str,
    #[serde(rename = "graceInterval", skip_serializing_if = "Option::is_none")]
    period: Option<u64>,
    #[serde(rename = "grRestartReason", skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

impl Status {
    pub fn new(neighbor: &Neighbor) -> Self {
        match neighbor.help {
            None => Self { status: "None", period: None, reason: None },
            Some(help) => Self {
                status: "Inprogress",
                period: Some(help.period.as_secs()),
                reason: Some(reason(help.reason)),
            },
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "    Graceful restart Helper info:")?;
        writeln!(f, "      Graceful Restart HELPER Status : {}", self.status)?;
        if let (Some(period), Some(reason)) = (self.period, self.reason) {
            writeln!(f, "      Graceful Restart grace period time: {period} (seconds).")?;
            writeln!(f, "      Graceful Restart reason: {reason}.")?;
        }
        Ok(())
    }
}

/// `graceful-restart helper [detail]`, the same in both versions but for the line above it.
#[derive(Serialize)]
pub struct Helper {
    #[serde(rename = "routerId")]
    router: String,
    #[serde(rename = "helperSupport")]
    support: &'static str,
    #[serde(rename = "strictLsaCheck")]
    strict: &'static str,
    #[serde(rename = "restartSupport")]
    planned: &'static str,
    #[serde(rename = "supportedGracePeriod")]
    longest: u64,
    #[serde(rename = "enabledRouterIds", skip_serializing_if = "Vec::is_empty")]
    routers: Vec<EnabledRouter>,
    #[serde(rename = "lastExitReason", skip_serializing_if = "Option::is_none")]
    last_end: Option<&'static str>,
    #[serde(rename = "activeRestarterCnt", skip_serializing_if = "Option::is_none")]
    active: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    neighbors: Option<IndexMap<String, Helped>>,
    #[serde(skip)]
    version: u8,
}

#[derive(Serialize)]
struct EnabledRouter {
    #[serde(rename = "routerId")]
    id: String,
}

/// A neighbour that is being helped.
#[derive(Serialize)]
struct Helped {
    #[serde(rename = "srcAddr", skip_serializing_if = "Option::is_none")]
    address: Option<IpAddr>,
    #[serde(rename = "routerid")]
    router: String,
    /// Seconds, as are the next two.
    #[serde(rename = "recvdGraceInterval")]
    period: u64,
    #[serde(rename = "actualGraceInterval")]
    granted: u64,
    #[serde(rename = "remainGracetime")]
    remaining: u64,
    #[serde(rename = "restartReason")]
    reason: &'static str,
}

impl Helper {
    pub fn new<V: Version>(at: At<'_, V>, detail: bool) -> Self {
        let core: &Instance<V> = &at.process.core;
        let helper = &core.config().restart.helper;
        let on = |on: bool| if on { "Enabled" } else { "Disabled" };
        let all = at.interfaces();
        let neighbors = all.iter().flat_map(|i| i.core.neighbors.values().map(|n| (i.name.as_str(), n)));
        let helped = neighbors.filter_map(|(interface, neighbor)| {
            let help = neighbor.help?;
            let name = match V::VERSION {
                2 => neighbor.address.to_string(),
                _ => format!("{}%{interface}", neighbor.id),
            };
            let helped = Helped {
                address: (V::VERSION == 2).then_some(neighbor.address),
                router: neighbor.id.to_string(),
                period: help.period.as_secs(),
                granted: help.period.as_secs(),
                remaining: help.until.since(at.now).as_secs(),
                reason: reason(help.reason),
            };
            Some((name, helped))
        });
        let helped: IndexMap<String, Helped> = helped.collect();
        Self {
            router: core.id().to_string(),
            support: on(helper.everybody),
            strict: on(helper.strict),
            planned: if helper.planned_only {
                "Planned Restart only"
            } else {
                "Planned and Unplanned Restarts"
            },
            longest: helper.max_period.as_secs(),
            routers: helper.routers.iter().map(|id| EnabledRouter { id: id.to_string() }).collect(),
            last_end: core.last_help_end().map(exit_reason),
            active: Some(helped.len()).filter(|count| *count > 0),
            neighbors: detail.then_some(helped),
            version: V::VERSION,
        }
    }
}

impl Helped {
    fn write(&self, number: u32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, " Neighbour {number} :")?;
        if let Some(address) = self.address {
            writeln!(f, "   Address  : {address}")?;
        }
        writeln!(f, "   Routerid : {}", self.router)?;
        writeln!(f, "   Received Grace period : {}(in seconds).", self.period)?;
        writeln!(f, "   Actual Grace period : {}(in seconds)", self.granted)?;
        writeln!(f, "   Remaining GraceTime:{}(in seconds).", self.remaining)?;
        writeln!(f, "   Graceful Restart reason: {}.", self.reason)
    }
}

impl fmt::Display for Helper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.version == 2 {
            writeln!(f, "\n\n       OSPF Router with ID ({})\n", self.router)?;
        } else {
            writeln!(f, " OSPFv3 Routing Process (0) with Router-ID {}", self.router)?;
        }
        writeln!(f, " Graceful restart helper support {}.", self.support.to_lowercase())?;
        writeln!(f, " Strict LSA check is {}.", self.strict.to_lowercase())?;
        match self.planned {
            "Planned Restart only" => writeln!(f, " Helper supported for Planned Restarts only.")?,
            both => writeln!(f, " Helper supported for {both}.")?,
        }
        writeln!(f, " Supported Graceful restart interval: {}(in seconds).", self.longest)?;
        if !self.routers.is_empty() {
            writeln!(f, " Enable Router list:")?;
            write!(f, "   ")?;
            self.routers.iter().try_for_each(|router| write!(f, "{}, ", router.id))?;
            writeln!(f)?;
        }
        if let Some(reason) = self.last_end {
            writeln!(f, " Last Helper exit Reason :{reason}")?;
        }
        if let Some(count) = self.active.filter(|_| self.version == 2) {
            writeln!(f, " Number of Active neighbours in graceful restart: {count}")?;
        }
        let helped = self.neighbors.iter().flat_map(IndexMap::values);
        for (number, helped) in (1..).zip(helped) {
            helped.write(number, f)?;
        }
        let listed = self.neighbors.as_ref().is_some_and(|neighbors| !neighbors.is_empty());
        let ended = self.version == 2 || self.last_end.is_some() || listed;
        if ended { writeln!(f) } else { Ok(()) }
    }
}
