//! `show rpki …`. Wording, columns and keys are FRR 10.3's; members that FRR has not stand behind its own.

use std::fmt;
use std::net::IpAddr;

use ferrite_rpki::Vrp;
use ferrite_types::{Asn, Prefix};
use serde::{Serialize, Serializer};

/// FRR's words where nothing is known.
pub const NO_CONNECTION: &str = "No connection to RPKI cache server.";

/// What JSON says there.
#[derive(Clone, Debug, Serialize)]
pub struct RpkiError {
    pub error: &'static str,
}

/// One VRP.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VrpRow {
    pub prefix: IpAddr,
    pub prefix_len_min: u8,
    pub prefix_len_max: u8,
    pub asn: Asn,
}

impl From<Vrp> for VrpRow {
    fn from(vrp: Vrp) -> Self {
        Self {
            prefix: vrp.prefix.addr(),
            prefix_len_min: vrp.prefix.len(),
            prefix_len_max: vrp.max_length,
            asn: vrp.asn,
        }
    }
}

const COLUMNS: &str = "Prefix                                   Prefix Length  Origin-AS\n";

impl fmt::Display for VrpRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { prefix, prefix_len_min, prefix_len_max, asn } = self;
        writeln!(f, "{prefix:<40}   {prefix_len_min:>3} - {prefix_len_max:>3}   {asn}")
    }
}

/// How many VRPs there are.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct VrpCounts {
    #[serde(rename = "ipv4PrefixCount")]
    pub ipv4: usize,
    #[serde(rename = "ipv6PrefixCount")]
    pub ipv6: usize,
}

impl fmt::Display for VrpCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Number of IPv4 Prefixes: {}\nNumber of IPv6 Prefixes: {}", self.ipv4, self.ipv6)
    }
}

/// `show rpki prefix-table`, `as-number`.
#[derive(Clone, Debug, Serialize)]
pub struct VrpTableView {
    pub prefixes: Vec<VrpRow>,
    #[serde(flatten)]
    pub counts: VrpCounts,
}

impl VrpTableView {
    pub fn new(vrps: impl Iterator<Item = Vrp>) -> Self {
        let prefixes: Vec<VrpRow> = vrps.map(VrpRow::from).collect();
        let ipv4 = prefixes.iter().filter(|row| row.prefix.is_ipv4()).count();
        let counts = VrpCounts { ipv4, ipv6: prefixes.len() - ipv4 };
        Self { prefixes, counts }
    }
}

impl fmt::Display for VrpTableView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RPKI/RTR prefix table\n{COLUMNS}")?;
        self.prefixes.iter().try_for_each(|row| row.fmt(f))?;
        self.counts.fmt(f)
    }
}

/// `show rpki prefix`: the VRPs that make a route valid.
#[derive(Clone, Debug, Serialize)]
pub struct PrefixVrps {
    pub prefixes: Vec<VrpRow>,
}

impl fmt::Display for PrefixVrps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(COLUMNS)?;
        self.prefixes.iter().try_for_each(|row| row.fmt(f))
    }
}

/// `"8282"` where FRR writes a port so, a number where not.
#[derive(Clone, Copy, Debug)]
pub struct Port {
    pub number: u16,
    pub quoted: bool,
}

impl Serialize for Port {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if self.quoted { to.collect_str(&self.number) } else { to.serialize_u16(self.number) }
    }
}

/// A cache with its session.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    pub mode: &'static str,
    pub host: String,
    pub port: Port,
    pub preference: u8,
    pub state: &'static str,
    /// What it says is in force.
    pub in_use: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol_version: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_update_secs: Option<u64>,
    pub refresh_interval_seconds: u64,
    pub retry_interval_seconds: u64,
    pub expire_interval_seconds: u64,
    pub prefixes: usize,
    pub aspas: usize,
    pub router_keys: usize,
    pub connects: u64,
    pub updates: u64,
    pub resets: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// `show rpki cache-connection`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionsView {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected_group: Option<u8>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub connections: Vec<Connection>,
}

impl fmt::Display for ConnectionsView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.connected_group {
            Some(group) => writeln!(f, "Connected to group {group}")?,
            None => writeln!(f, "{NO_CONNECTION}")?,
        }
        for Connection { mode, host, port, preference, state, .. } in &self.connections {
            writeln!(f, "rpki {mode} cache {host} {} pref {preference} ({state})", port.number)?;
        }
        Ok(())
    }
}

/// A cache as it is configured.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Server {
    pub mode: &'static str,
    pub host: String,
    pub port: Port,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_hostkey_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_privkey_path: Option<String>,
    pub preference: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<IpAddr>,
}

/// `show rpki cache-server`.
#[derive(Clone, Debug, Serialize)]
pub struct ServersView {
    pub servers: Vec<Server>,
}

impl fmt::Display for ServersView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for server in &self.servers {
            let Server { mode, host, port, preference, .. } = server;
            match &server.username {
                None => write!(f, "host: {host} port: {}", port.number)?,
                Some(user) => {
                    let known = server.server_hostkey_path.as_deref().unwrap_or("(null)");
                    let key = server.client_privkey_path.as_deref().unwrap_or_default();
                    write!(f, "host: {host}, port: {}, username: {user}, ", port.number)?;
                    write!(f, "server_hostkey_path: {known}, client_privkey_path: {key}")?;
                }
            }
            if let Some(source) = server.source {
                write!(f, ", source: {source}")?;
            }
            writeln!(f, ", preference: {preference}, protocol: {mode}")?;
        }
        Ok(())
    }
}

/// Local exceptions in force.
#[derive(Clone, Debug, Serialize)]
pub struct SlurmView {
    pub file: String,
    pub filters: usize,
    pub assertions: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// `show rpki configuration`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigurationView {
    pub enabled: bool,
    pub servers_count: usize,
    pub polling_period_seconds: u32,
    pub retry_interval_seconds: u32,
    pub expire_interval_seconds: u32,
    pub record_limit: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slurm: Option<SlurmView>,
}

impl fmt::Display for ConfigurationView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.enabled { "Enabled" } else { "Disabled" };
        writeln!(f, "rpki is {state} ({} cache servers configured)", self.servers_count)?;
        writeln!(f, "\tpolling period {}", self.polling_period_seconds)?;
        writeln!(f, "\tretry interval {}", self.retry_interval_seconds)?;
        writeln!(f, "\texpire interval {}", self.expire_interval_seconds)?;
        writeln!(f, "\trecords of a cache at most {}", self.record_limit)?;
        let Some(SlurmView { file, filters, assertions, error }) = &self.slurm else { return Ok(()) };
        writeln!(f, "\texceptions {file} ({filters} filters, {assertions} assertions)")?;
        if let Some(error) = error {
            writeln!(f, "\texceptions not read: {error}")?;
        }
        Ok(())
    }
}

/// A customer with its providers.
#[derive(Clone, Debug, Serialize)]
pub struct AspaRow {
    pub customer: Asn,
    pub providers: Vec<Asn>,
}

/// `show rpki aspa`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AspasView {
    pub aspas: Vec<AspaRow>,
    pub aspa_count: usize,
}

impl fmt::Display for AspasView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "RPKI/RTR provider authorisations\nCustomer-AS  Provider-ASes")?;
        for row in &self.aspas {
            let providers: Vec<String> = row.providers.iter().map(Asn::to_string).collect();
            writeln!(f, "{:<12} {}", row.customer.0, providers.join(" "))?;
        }
        writeln!(f, "Number of authorisations: {}", self.aspa_count)
    }
}

/// A router's key.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyRow {
    pub asn: Asn,
    /// Subject key identifier, hexadecimal.
    pub ski: String,
    /// Octets of the key.
    pub key_length: usize,
}

/// `show rpki router-key`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeysView {
    pub router_keys: Vec<KeyRow>,
    pub router_key_count: usize,
}

impl fmt::Display for KeysView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "RPKI/RTR router keys\nAS         Subject key identifier")?;
        for row in &self.router_keys {
            writeln!(f, "{:<10} {}", row.asn.0, row.ski)?;
        }
        writeln!(f, "Number of router keys: {}", self.router_key_count)
    }
}

/// Whether a VRP is among those `show rpki prefix` lists.
pub fn listed(vrp: &Vrp, route: Prefix, origin: Option<Asn>) -> bool {
    route.len() <= vrp.max_length && origin.is_none_or(|origin| origin == vrp.asn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_those_of_frr() {
        let vrp = |prefix: &str, max, asn| Vrp::new(prefix.parse().unwrap(), max, Asn(asn)).unwrap();
        let vrps = [vrp("10.1.0.0/16", 24, 65002), vrp("2001:db8:1::/48", 48, 65002)];
        let view = VrpTableView::new(vrps.into_iter());
        assert_eq!(
            view.to_string(),
            "RPKI/RTR prefix table\n\
             Prefix                                   Prefix Length  Origin-AS\n\
             10.1.0.0                                    16 -  24   65002\n\
             2001:db8:1::                                48 -  48   65002\n\
             Number of IPv4 Prefixes: 1\n\
             Number of IPv6 Prefixes: 1\n"
        );
        assert_eq!(
            serde_json::to_string(&view).unwrap(),
            r#"{"prefixes":[{"prefix":"10.1.0.0","prefixLenMin":16,"prefixLenMax":24,"asn":65002},{"prefix":"2001:db8:1::","prefixLenMin":48,"prefixLenMax":48,"asn":65002}],"ipv4PrefixCount":1,"ipv6PrefixCount":1}"#
        );
    }
}
