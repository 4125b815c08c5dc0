//! `show bgp … dampening …`: parameters, and the routes that have flapped.

use std::fmt::{self, Write as _};
use std::net::IpAddr;

use bgp_packet::attr::Origin;
use ferrite_types::Prefix;
use serde::Serialize;

use super::routes::origin_code;

/// `dampening parameters`.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Parameters {
    pub half_life_secs: u64,
    pub reuse_penalty: u32,
    pub suppress_penalty: u32,
    pub max_suppress_time_secs: u64,
    pub max_suppress_penalty: u32,
}

impl fmt::Display for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Half-life time: {} min", self.half_life_secs / 60)?;
        writeln!(f, "Reuse penalty: {}", self.reuse_penalty)?;
        writeln!(f, "Suppress penalty: {}", self.suppress_penalty)?;
        writeln!(f, "Max suppress time: {} min", self.max_suppress_time_secs / 60)?;
        writeln!(f, "Max suppress penalty: {}\n", self.max_suppress_penalty)
    }
}

/// A route of `dampening flap-statistics` or `dampening dampened-paths`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FlapRow {
    #[serde(skip)]
    pub prefix: Option<Prefix>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub valid: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub damped: bool,
    /// Withdrawn, and remembered.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub history: bool,
    pub path_from: &'static str,
    pub peer_host: IpAddr,
    #[serde(rename = "bdiFlap", skip_serializing_if = "Option::is_none")]
    pub flaps: Option<u32>,
    /// Since the first flap.
    #[serde(rename = "peerUptime", skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    #[serde(rename = "peerUptimeMsec", skip_serializing_if = "Option::is_none")]
    pub since_msec: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reuse_timer_msecs: Option<u64>,
    #[serde(skip)]
    pub reuse: String,
    pub as_path: String,
    #[serde(serialize_with = "letter")]
    pub origin: Origin,
}

fn letter<S: serde::Serializer>(origin: &Origin, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_char(origin_code(*origin))
}

/// The columns' heads of the two tables.
pub const FLAP_COLUMNS: &str = "   Network          From            Flaps Duration Reuse    Path";
pub const DAMPED_COLUMNS: &str = "   Network          From             Reuse    Path";

impl FlapRow {
    /// Appends the text row.
    pub fn write(&self, out: &mut String) {
        let status = match (self.history, self.damped) {
            (true, _) => "  h ",
            (false, true) => " *d ",
            (false, false) => " *  ",
        };
        let network = self.prefix.map(|prefix| prefix.to_string()).unwrap_or_default();
        let _ = write!(out, "{status} {network:<17}");
        let peer = self.peer_host.to_string();
        match (self.flaps, &self.since) {
            (Some(flaps), Some(since)) => {
                let _ = write!(out, "{peer:<16}{flaps:<4} {since} {:<8} ", self.reuse);
            }
            _ => {
                let _ = write!(out, "{peer:<17}{:<8} ", self.reuse);
            }
        }
        if !self.as_path.is_empty() {
            let _ = write!(out, "{} ", self.as_path);
        }
        out.push(origin_code(self.origin));
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_those_of_frr() {
        let row = FlapRow {
            prefix: Some("192.0.2.1/32".parse().unwrap()),
            valid: true,
            damped: true,
            history: false,
            path_from: "external",
            peer_host: "10.9.0.2".parse().unwrap(),
            flaps: Some(3),
            since: Some("00:00:06".into()),
            since_msec: Some(6000),
            reuse_timer_msecs: Some(600_000),
            reuse: "00:10:00".into(),
            as_path: "65002".into(),
            origin: Origin::Igp,
        };
        let text = |row: &FlapRow| {
            let mut out = String::new();
            row.write(&mut out);
            out
        };
        assert_eq!(text(&row), " *d  192.0.2.1/32     10.9.0.2        3    00:00:06 00:10:00 65002 i\n");
        let damped = FlapRow { flaps: None, since: None, ..row };
        assert_eq!(text(&damped), " *d  192.0.2.1/32     10.9.0.2         00:10:00 65002 i\n");
    }
}
