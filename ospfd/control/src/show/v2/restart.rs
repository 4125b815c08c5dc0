//! `show ip ospf graceful-restart helper`, and what the details of neighbours say of restarts (RFC 3623).

use std::fmt;
use std::net::IpAddr;

use ferrite_ospf::neighbor::Neighbor;
use ferrite_ospf::packet::opaque::RestartReason;
use ferrite_ospf::{Instance, Version};
use indexmap::IndexMap;
use serde::Serialize;

use crate::show::{At, text};

pub fn reason(reason: RestartReason) -> &'static str {
    match reason {
        RestartReason::Unknown => "Unknown restart",
        RestartReason::SoftwareRestart => "Software restart",
        RestartReason::SoftwareReload => "Software reload/upgrade",
        RestartReason::SwitchToRedundant => "Switch to redundant RE",
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
    #[serde(rename = "srcIpAddr")]
    address: IpAddr,
    #[serde(rename = "routerId")]
    router: String,
    #[serde(rename = "graceInterval")]
    period: u64,
    #[serde(rename = "grRestartReason")]
    reason: &'static str,
    #[serde(rename = "graceRemainingMsec")]
    remaining: u64,
}

impl Helper {
    pub fn new<V: Version>(at: At<'_, V>, detail: bool) -> Self {
        let core: &Instance<V> = &at.process.core;
        let helper = &core.config().restart.helper;
        let on = |on: bool| if on { "Enabled" } else { "Disabled" };
        let all = at.interfaces();
        let neighbors = all.iter().flat_map(|i| i.core.neighbors.values());
        let helped = neighbors.filter_map(|neighbor| {
            let help = neighbor.help?;
            let helped = Helped {
                address: neighbor.address,
                router: neighbor.id.to_string(),
                period: help.period.as_secs(),
                reason: reason(help.reason),
                remaining: text::millis(help.until.since(at.now)),
            };
            Some((neighbor.address.to_string(), helped))
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
            neighbors: detail.then_some(helped),
            version: V::VERSION,
        }
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
        for helped in self.neighbors.iter().flat_map(IndexMap::values) {
            writeln!(f, " Neighbour {} : GR helper in progress", helped.address)?;
            writeln!(f, "   Router-id: {}, Grace period: {}", helped.router, helped.period)?;
            let left = std::time::Duration::from_millis(helped.remaining);
            writeln!(f, "   Grace period remaining: {}, reason: {}", text::elapsed(left), helped.reason)?;
        }
        writeln!(f)
    }
}
