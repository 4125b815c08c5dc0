//! BIRD 2, read through `birdc` in text, its only format.

use super::{BgpRoute, BgpTable};
use crate::failure::{Failure, Result};
use crate::kernel::Family;
use crate::router::{INSIDE, Router};

pub fn start(router: &Router, config: &str) -> Result<()> {
    let logged = format!("log \"{INSIDE}/log/bird.log\" all;\n{config}");
    let path = router.write("etc/bird.conf", &logged)?;
    let args: Vec<String> =
        ["-c", &path, "-s", "/run/bird/bird.ctl", "-P", "/run/bird/bird.pid"].map(Into::into).into();
    router.start_daemon("/usr/sbin/bird", &args, &[])
}

impl Router {
    pub fn birdc(&self, command: &str) -> Result<String> {
        let mut args = vec!["-r"];
        args.extend(command.split_whitespace());
        self.run("birdc", &args)
    }
}

/// The protocol with that neighbour is `Established`, whatever its name.
pub fn bgp_established(router: &Router, neighbor: &str) -> Result<()> {
    let text = router.birdc("show protocols all")?;
    let mut state = "unknown";
    for line in text.lines() {
        let line = line.trim();
        if let Some(s) = line.strip_prefix("BGP state:") {
            state = s.trim();
        } else if let Some(address) = line.strip_prefix("Neighbor address:")
            && address.trim().split('%').next() == Some(neighbor)
        {
            crate::ensure!(state == "Established", "{}: {neighbor} is {state}", router.name());
            return Ok(());
        }
    }
    Err(Failure::new(format!("{}: BIRD has no neighbor {neighbor}", router.name())))
}

pub fn bgp_table(router: &Router, family: Family) -> Result<BgpTable> {
    // Selected routes only, from the default table of the family.
    let table = if family == Family::V4 { "master4" } else { "master6" };
    Ok(parse(&router.birdc(&format!("show route table {table} primary all"))?))
}

/// Reads `show route all`: a route starts with its prefix in the first column, its attributes are indented.
fn parse(text: &str) -> BgpTable {
    let mut table = BgpTable::new();
    let mut current: Option<(String, BgpRoute, bool)> = None;
    let mut keep = |entry: Option<(String, BgpRoute, bool)>| {
        if let Some((prefix, route, true)) = entry {
            table.insert(prefix, route);
        }
    };
    for line in text.lines() {
        let first = line.split_whitespace().next().unwrap_or_default();
        if !line.starts_with([' ', '\t']) && first.contains('/') {
            keep(current.take());
            current = Some((first.to_owned(), BgpRoute::default(), false));
            continue;
        }
        let Some((_, route, is_bgp)) = &mut current else { continue };
        if let Some((key, value)) = line.trim().split_once(':') {
            *is_bgp |= attribute(route, key, value.trim());
        }
    }
    keep(current.take());
    table
}

fn attribute(route: &mut BgpRoute, key: &str, value: &str) -> bool {
    match key {
        "BGP.as_path" => route.as_path = value.to_owned(),
        // Of a v6 route the global address stands first, the link-local one after it.
        "BGP.next_hop" => route.next_hop = value.split_whitespace().next().unwrap_or_default().to_owned(),
        "BGP.local_pref" => route.local_pref = value.parse().ok(),
        "BGP.med" => route.med = value.parse().ok(),
        "BGP.community" => {
            let pairs = value.split(") (").map(|c| c.trim_matches(['(', ')']).replace(',', ":"));
            route.communities = pairs.collect();
        }
        "BGP.origin" => {}
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_of_show_route_all_is_read_with_its_attributes() {
        let text = "BIRD 2.17.1 ready.\nTable master4:\n\
            10.1.0.0/24          unicast [up 10:00:00.000] * (100) [AS65001i]\n\tvia 10.0.12.1 on eth0\n\
            \tType: BGP univ\n\tBGP.origin: IGP\n\tBGP.as_path: 65001 65002\n\tBGP.next_hop: 10.0.12.1\n\
            \tBGP.local_pref: 100\n\tBGP.community: (65001,1) (65001,2)\n\
            10.9.0.0/24          unicast [direct1 10:00:00.000] * (240)\n\tdev eth1\n\tType: device univ\n";
        let table = parse(text);
        assert_eq!(table.len(), 1);
        let route = table.get("10.1.0.0/24").cloned().unwrap_or_default();
        assert_eq!((route.as_path.as_str(), route.next_hop.as_str()), ("65001 65002", "10.0.12.1"));
        assert_eq!(
            (route.local_pref, route.communities),
            (Some(100), vec!["65001:1".into(), "65001:2".into()])
        );
    }
}
