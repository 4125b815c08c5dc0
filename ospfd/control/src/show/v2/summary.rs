//! `show ip ospf summary-address`, `show ipv6 ospf6 summary-address`: external routes that are gathered under a prefix.

use std::fmt;

use ferrite_ospf::Version;
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::show::At;

struct Range {
    kind: u8,
    metric: u32,
    tag: u32,
    inside: Vec<String>,
}

pub struct Summaries {
    delay: u64,
    ranges: IndexMap<String, Range>,
    detail: bool,
    version: u8,
}

impl Summaries {
    pub fn new<V: Version>(at: At<'_, V>, detail: bool) -> Self {
        let core = &at.process.core;
        let config = core.config();
        let ranges = config.external_ranges.iter().map(|(prefix, range)| {
            let inside = || core.redistributed().iter().filter(|(inner, _)| prefix.covers(**inner));
            let type2 = range.type2.unwrap_or_else(|| inside().any(|(_, route)| route.type2));
            let largest = inside().map(|(_, route)| route.metric).max().unwrap_or(20);
            let range = Range {
                kind: if type2 { 2 } else { 1 },
                metric: range.metric.unwrap_or(largest),
                tag: range.tag,
                inside: inside().map(|(inner, _)| inner.to_string()).collect(),
            };
            (prefix.to_string(), range)
        });
        Self { delay: config.external_delay.as_secs(), ranges: ranges.collect(), detail, version: V::VERSION }
    }
}

impl Serialize for Summaries {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (metric, tag) = if self.version == 2 { ("metric", "tag") } else { ("Metric", "Tag") };
        let mut map = Map::new();
        map.insert("aggregationDelayInterval".into(), self.delay.into());
        for (prefix, range) in &self.ranges {
            let mut one = Map::new();
            one.insert("summaryAddress".into(), prefix.as_str().into());
            one.insert("metricType".into(), format!("E{}", range.kind).into());
            one.insert(metric.into(), range.metric.into());
            one.insert(tag.into(), range.tag.into());
            one.insert("externalRouteCount".into(), range.inside.len().into());
            if self.detail {
                for (at, inner) in range.inside.iter().enumerate() {
                    one.insert(format!("Exnl Addr-{at}"), inner.as_str().into());
                }
            }
            map.insert(prefix.clone(), Value::Object(one));
        }
        map.serialize(serializer)
    }
}

impl fmt::Display for Summaries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let delay = format!("aggregation delay interval: {}(in seconds)", self.delay);
        let wide = if self.version == 2 { 19 } else { 21 };
        let titles =
            format!("{:<wide$} Metric-type     Metric     Tag         External_Rt_count", "Summary-address");
        match self.version {
            2 => writeln!(f, "{titles}\n\n{delay}\n")?,
            _ => writeln!(f, "{delay}\n\n{titles}\n")?,
        }
        for (prefix, range) in &self.ranges {
            let (kind, many) = (format!("E{}", range.kind), range.inside.len());
            writeln!(f, "{prefix:<wide$} {kind:<15} {:<10} {:<11} {many:<4} ", range.metric, range.tag)?;
            if self.detail {
                writeln!(f, "Matched External routes:")?;
                let end = if self.version == 2 { ", " } else { " " };
                range.inside.iter().try_for_each(|inner| write!(f, "{inner}{end}"))?;
                writeln!(f)?;
            }
            writeln!(f)?;
        }
        if self.version == 2 { writeln!(f) } else { Ok(()) }
    }
}
