//! What the instance has for the log, in words.

use bgp_core::LogLine;

/// `vrf` is the instance's name.
pub fn write(vrf: &str, line: LogLine) {
    match line {
        LogLine::NeighborUp { addr, hostname } => {
            tracing::info!(
                "%ADJCHANGE: neighbor {addr}({}) in vrf {vrf} Up",
                hostname.unwrap_or("Unknown".into())
            );
        }
        LogLine::NeighborDown { addr, hostname, reason } => {
            let hostname = hostname.unwrap_or("Unknown".into());
            tracing::info!("%ADJCHANGE: neighbor {addr}({hostname}) in vrf {vrf} Down {reason}");
        }
        LogLine::State { addr, from, to } => {
            tracing::debug!(target: "bgpd::neighbor_events", "{addr} (vrf {vrf}) went from {from} to {to}");
        }
        LogLine::AttemptFailed { addr, reason } => {
            tracing::debug!(target: "bgpd::neighbor_events", "{addr} (vrf {vrf}): no session: {reason}");
        }
        LogLine::PrefixWarning { addr, family, count, limit } => {
            tracing::warn!(
                "%MAXPFX: No. of {family} prefix received from {addr} (vrf {vrf}) reaches {count}, max {limit}"
            );
        }
        LogLine::PrefixLimit { addr, family, count, limit } => {
            tracing::warn!(
                "%MAXPFXEXCEED: No. of {family} prefix received from {addr} (vrf {vrf}) {count} exceed, limit {limit}"
            );
        }
        LogLine::RouteLimit { addr, family, what, prefix, count } => {
            tracing::warn!("%ROUTELIMIT: {addr}: {family}: {what}: {count} so far, last {prefix}");
        }
        LogLine::RoundTrip { addr, msec, expected } => {
            tracing::warn!("{addr} shutdown due to high round-trip-time ({msec}ms > {expected}ms)");
        }
        LogLine::ListenLimit { addr, limit, refused } => tracing::warn!(
            "{addr}: dynamic neighbor refused, bgp listen limit {limit} is reached ({refused} refused)"
        ),
        LogLine::RpkiCache { cache, error } => tracing::warn!(target: "bgpd::rpki", "cache {cache}: {error}"),
        LogLine::RpkiPublished { vrps, aspas, ranges } => {
            tracing::info!(
                target: "bgpd::rpki",
                "{vrps} VRPs and {aspas} ASPAs in force; routes below {ranges} prefixes are judged again"
            );
        }
        LogLine::RpkiSlurm { file, result: Ok((filters, assertions)) } => {
            tracing::info!(target: "bgpd::rpki", "{file}: {filters} filters, {assertions} assertions");
        }
        LogLine::RpkiSlurm { file, result: Err(error) } => {
            tracing::error!(target: "bgpd::rpki", "{file}: {error}; nothing of it is taken");
        }
        LogLine::RoutesKept { addr, families, seconds } => {
            let families: Vec<String> = families.iter().map(|family| family.to_string()).collect();
            tracing::info!(
                "{addr} (vrf {vrf}) restarts: its routes are kept for {seconds} seconds ({})",
                families.join(", ")
            );
        }
        LogLine::RoutesExpired { addr, family, long_lived } => {
            let what = if long_lived { "have long to live from now on" } else { "are removed" };
            tracing::info!("{addr} (vrf {vrf}): stale {family} routes {what}");
        }
        LogLine::DecisionsBegin { family, seconds } => {
            tracing::info!("{family} (vrf {vrf}): decisions begin {seconds} seconds after the start");
        }
        LogLine::ZebraRefused { request, reason } => tracing::warn!("zebra refused {request}: {reason}"),
    }
}
