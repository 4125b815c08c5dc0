//! `show ip route summary`.

use std::fmt;

use serde::Serialize;

#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteSummary {
    pub routes: Vec<SummaryRow>,
    pub routes_total: u64,
    pub routes_total_fib: u64,
    #[serde(skip)]
    pub vrf_name: String,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SummaryRow {
    pub fib: u64,
    pub rib: u64,
    #[serde(rename = "fibOffLoaded")]
    pub offloaded: u64,
    #[serde(rename = "fibTrapped")]
    pub trapped: u64,
    /// Source of the routes; BGP's are split into `ebgp` and `ibgp`.
    #[serde(rename = "type")]
    pub source: String,
}

impl RouteSummary {
    /// Sums the rows up.
    pub fn new(vrf_name: String, routes: Vec<SummaryRow>) -> Self {
        let routes_total = routes.iter().map(|row| row.rib).sum();
        let routes_total_fib = routes.iter().map(|row| row.fib).sum();
        Self { routes, routes_total, routes_total_fib, vrf_name }
    }
}

/// `show ip route summary prefix`: FRR's other names for the same, and nothing of hardware.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PrefixSummary {
    prefix_routes: Vec<PrefixRow>,
    prefix_routes_total: u64,
    prefix_routes_total_fib: u64,
}

#[derive(Clone, Debug, Serialize)]
struct PrefixRow {
    fib: u64,
    rib: u64,
    #[serde(rename = "type")]
    source: String,
}

impl From<&RouteSummary> for PrefixSummary {
    fn from(summary: &RouteSummary) -> Self {
        let row = |row: &SummaryRow| PrefixRow { fib: row.fib, rib: row.rib, source: row.source.clone() };
        Self {
            prefix_routes: summary.routes.iter().map(row).collect(),
            prefix_routes_total: summary.routes_total,
            prefix_routes_total_fib: summary.routes_total_fib,
        }
    }
}

impl RouteSummary {
    /// The text of `show ip route summary prefix`.
    pub fn prefix_text(&self) -> String {
        self.to_string().replacen(&format!("{:<20} ", "Routes"), &format!("{:<20} ", "Prefix Routes"), 1)
    }
}

impl fmt::Display for RouteSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<20} {:<20} FIB  (vrf {})", "Route Source", "Routes", self.vrf_name)?;
        for row in &self.routes {
            writeln!(f, "{:<20} {:<20} {:<20} ", row.source, row.rib, row.fib)?;
        }
        writeln!(f, "------")?;
        writeln!(f, "{:<20} {:<20} {:<20} ", "Totals", self.routes_total, self.routes_total_fib)?;
        writeln!(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_prefix_they_have_other_names() {
        let row = SummaryRow { fib: 1, rib: 2, offloaded: 0, trapped: 0, source: "static".into() };
        let summary = RouteSummary::new("default".into(), vec![row]);
        let head = "Route Source         Prefix Routes        FIB  (vrf default)\n";
        assert!(summary.prefix_text().starts_with(head), "{}", summary.prefix_text());
        let json = serde_json::to_value(PrefixSummary::from(&summary)).unwrap();
        assert_eq!(json["prefixRoutes"][0], serde_json::json!({"fib": 1, "rib": 2, "type": "static"}));
        assert_eq!((&json["prefixRoutesTotal"], &json["prefixRoutesTotalFib"]), (&2.into(), &1.into()));
    }

    #[test]
    fn columns_are_those_of_frr() {
        let row =
            |source: &str, rib, fib| SummaryRow { fib, rib, offloaded: 0, trapped: 0, source: source.into() };
        let summary = RouteSummary::new("default".into(), vec![row("kernel", 1, 1), row("static", 7, 6)]);
        assert_eq!(
            summary.to_string(),
            "Route Source         Routes               FIB  (vrf default)\n\
             kernel               1                    1                    \n\
             static               7                    6                    \n\
             ------\n\
             Totals               8                    7                    \n\n"
        );
    }
}
