//! `show zebra client [summary]`.

use std::fmt;

use serde::Serialize;

/// Connected daemons.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Clients(pub Vec<ClientView>);

#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientView {
    pub name: String,
    pub instance: u16,
    /// Number of the connection.
    pub socket: u64,
    /// As `HH:MM:SS`, like all times here.
    pub connect_time: String,
    pub last_read: String,
    pub last_write: String,
    pub ipv4: RouteCounts,
    pub ipv6: RouteCounts,
    pub redistributed_v4: RouteCounts,
    pub redistributed_v6: RouteCounts,
    pub nexthops_v4: u64,
    pub nexthops_v6: u64,
    pub interfaces: u64,
    pub addresses: u64,
    pub notified: bool,
    pub errors: u64,
    /// Messages waiting now, and ever handled.
    pub input_queue: (u64, u64),
    pub output_queue: (u64, u64),
    /// The client is gone and its routes are kept until then, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale_for: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct RouteCounts {
    pub added: u64,
    pub updated: u64,
    pub deleted: u64,
}

/// The rows of `show zebra client summary`.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct ClientSummary(pub Clients);

impl ClientView {
    fn label(&self) -> String {
        if self.instance > 0 { format!("{}[{}]", self.name, self.instance) } else { self.name.clone() }
    }
}

impl fmt::Display for ClientSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Name      Connect Time    Last Read  Last Write      IPv4 Routes           IPv6 Routes"
        )?;
        writeln!(f, "{}", "-".repeat(90))?;
        for client in &self.0.0 {
            let counts = |c: &RouteCounts| format!("{}/{}", c.added + c.updated, c.deleted);
            writeln!(
                f,
                "{:<10} {:>11} {:>12} {:>11} {:>12}          {:>12}         ",
                client.label(),
                client.connect_time,
                client.last_read,
                client.last_write,
                counts(&client.ipv4),
                counts(&client.ipv6)
            )?;
        }
        writeln!(f, "Routes column shows (added+updated)/deleted")
    }
}

impl fmt::Display for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|client| client.fmt(f))
    }
}

impl fmt::Display for ClientView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client: {}", self.name)?;
        if self.instance > 0 {
            write!(f, " [{}]", self.instance)?;
        }
        writeln!(f, "\n------------------------ ")?;
        writeln!(f, "FD: {} ", self.socket)?;
        writeln!(f, "Connect Time: {} ", self.connect_time)?;
        if let Some(secs) = self.stale_for {
            writeln!(f, "Disconnected; its routes are kept for {secs} more seconds ")?;
        }
        if self.nexthops_v4 + self.nexthops_v6 == 0 {
            writeln!(f, "Not registered for Nexthop Updates")?;
        }
        let notified = if self.notified { "be" } else { "Not be" };
        writeln!(f, "Client will {notified} notified about the status of its routes.")?;
        writeln!(f, "Last Msg Rx Time: {} ", self.last_read)?;
        writeln!(f, "Last Msg Tx Time: {} ", self.last_write)?;
        writeln!(f, "\nType        Add         Update      Del ")?;
        writeln!(f, "================================================== ")?;
        let counts = |c: RouteCounts| (c.added, c.updated, c.deleted);
        let rows = [
            ("IPv4", counts(self.ipv4)),
            ("IPv6", counts(self.ipv6)),
            ("Redist:v4", counts(self.redistributed_v4)),
            ("Redist:v6", counts(self.redistributed_v6)),
            ("Interface", (self.interfaces, 0, 0)),
            ("Intf Addr", (self.addresses, 0, 0)),
            ("NHT v4", (self.nexthops_v4, 0, 0)),
            ("NHT v6", (self.nexthops_v6, 0, 0)),
        ];
        for (name, (added, updated, deleted)) in rows {
            writeln!(f, "{name:<12}{added:<12}{updated:<12}{deleted:<12}")?;
        }
        writeln!(f, "Errors: {}", self.errors)?;
        writeln!(
            f,
            "Input Fifo: {}:{} Output Fifo: {}:{}\n\n",
            self.input_queue.0, self.input_queue.1, self.output_queue.0, self.output_queue.1
        )
    }
}
