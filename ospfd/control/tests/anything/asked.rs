//! What is asked of routers: every show that reads the database, or what is made of it.

use std::sync::OnceLock;

use super::pair::Prepared;

/// Every show that reads the database, or what is made of it.
pub fn lines() -> Vec<String> {
    let v2 = [
        "",
        "neighbor",
        "neighbor detail",
        "interface",
        "interface traffic",
        "route",
        "route detail",
        "border-routers",
        "database",
        "database detail",
        "database max-age",
        "database self-originate",
        "summary-address",
        "graceful-restart helper detail",
    ];
    let kinds = [
        "router",
        "network",
        "summary",
        "asbr-summary",
        "external",
        "nssa-external",
        "opaque-link",
        "opaque-area",
        "opaque-as",
    ];
    let v3 = [
        "",
        "neighbor",
        "neighbor detail",
        "interface",
        "interface traffic",
        "route",
        "route detail",
        "spf tree",
        "summary-address",
        "graceful-restart helper detail",
        "redistribute",
        "database",
        "database detail",
        "database dump",
        "database internal",
    ];
    let kinds3 = [
        "router",
        "network",
        "inter-prefix",
        "inter-router",
        "as-external",
        "group-membership",
        "type-7",
        "link",
        "intra-prefix",
    ];
    let mut all = Vec::new();
    for json in ["", " json"] {
        all.extend(v2.map(|tail| format!("show ip ospf {tail}{json}")));
        all.extend(kinds.map(|kind| format!("show ip ospf database {kind}{json}")));
        all.extend(v3.map(|tail| format!("show ipv6 ospf6 {tail}{json}")));
        all.extend(kinds3.map(|kind| format!("show ipv6 ospf6 database {kind} detail{json}")));
        all.push(format!("show ip ospf mpls-te database{json}"));
    }
    let only_text = [
        "show ip ospf mpls-te database verbose",
        "show ip ospf reachable-routers",
        "show ip ospf router-info",
        "show ip ospf router-info pce",
        "show ip ospf mpls-te router",
        "show ip ospf mpls-te interface",
        "show ipv6 ospf6 border-routers detail",
        "show ipv6 ospf6 linkstate detail",
        "show ipv6 ospf6 area 0.0.0.0 spf tree",
    ];
    all.extend(only_text.map(str::to_owned));
    all
}

pub fn prepared() -> &'static (Prepared, Vec<String>) {
    static PREPARED: OnceLock<(Prepared, Vec<String>)> = OnceLock::new();
    PREPARED.get_or_init(|| Prepared::new(&lines()))
}
