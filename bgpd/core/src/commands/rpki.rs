//! `show rpki …`, `rpki start|stop|reset`: grammar and answers.

use std::fmt::Display;

use ferrite_cli::node::ENABLE;
use ferrite_cli::{Args, ExecCommand, Registry};
use ferrite_rpki::rtr::{Cache, Progress};
use ferrite_rpki::transport::{Kind, Transport};
use ferrite_rpki::{Tables, VrpTable};
use ferrite_types::{Asn, Prefix, Timestamp};
use serde::Serialize;

use super::{Command, json};
use crate::Action;
use crate::config::{BgpConfig, EXPIRE_INTERVAL, POLLING_PERIOD, RETRY_INTERVAL};
use crate::instance::Instance;
use crate::view::rpki::*;

/// Which of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RpkiCommand {
    PrefixTable,
    PrefixCount,
    Prefix,
    AsNumber,
    Connections,
    Servers,
    Configuration,
    Aspas,
    Keys,
    Start,
    Stop,
    Reset,
    ReloadSlurm,
}
use RpkiCommand as Rpki;

pub(super) fn register(registry: &mut Registry<BgpConfig, Command>) {
    const SHOW: [&str; 2] = ["Show running system information", "Show RPKI/RTR info"];
    const TAIL: [&str; 3] = ["Specify the VRF", "The VRF name", "JavaScript Object Notation"];
    let mut show = |words: &str, help: &[&'static str], command: RpkiCommand| {
        let syntax = format!("show rpki {words} [vrf NAME$vrf] [json]");
        registry.exec(ExecCommand::new(syntax, &[&SHOW, help, &TAIL].concat(), Command::Rpki(command)));
    };
    show("prefix-table", &["Show validated prefixes which were received from RPKI Cache"], Rpki::PrefixTable);
    show("prefix-count", &["Show the number of validated prefixes"], Rpki::PrefixCount);
    show("cache-connection", &["Show to which RPKI Cache Servers have a connection"], Rpki::Connections);
    show("cache-server", &["Show configured cache server"], Rpki::Servers);
    show("configuration", &["Show RPKI configuration"], Rpki::Configuration);
    show(
        "as-number <0|ASNUM>$asn",
        &[
            "Lookup by ASN in prefix table",
            "Prefixes that nobody may originate",
            "AS number of route's origin",
        ],
        Rpki::AsNumber,
    );
    show(
        "prefix <A.B.C.D/M|X:X::X:X/M>$prefix [<0|ASNUM>$asn]",
        &[
            "Lookup IP prefix and optionally ASN in prefix table",
            "IPv4 prefix",
            "IPv6 prefix",
            "Nobody",
            "AS Number",
        ],
        Rpki::Prefix,
    );
    show("aspa [ASNUM$asn]", &["Show provider authorisations", "Customer"], Rpki::Aspas);
    show("router-key", &["Show keys of routers"], Rpki::Keys);
    let root = "Control rpki specific settings";
    for (word, help, command) in [
        ("start", "start rpki support", Rpki::Start),
        ("stop", "stop rpki support", Rpki::Stop),
        ("reset", "reset rpki", Rpki::Reset),
    ] {
        let syntax = format!("rpki {word} [vrf NAME$vrf]");
        let command = ExecCommand::new(syntax, &[root, help, TAIL[0], TAIL[1]], Command::Rpki(command));
        registry.exec(command.nodes(&[&ENABLE]));
    }
    let help = [root, "Local exceptions (RFC 8416)", "Read the file again"];
    let reload = ExecCommand::new("rpki slurm reload", &help, Command::Rpki(Rpki::ReloadSlurm));
    registry.exec(reload.nodes(&[&ENABLE]));
}

fn shown<T: Serialize + Display>(view: &T, args: &Args) -> String {
    if args.has("json") { json(view) } else { view.to_string() }
}

fn nothing_known(args: &Args) -> String {
    if args.has("json") {
        json(&RpkiError { error: "No Connection to RPKI cache server." })
    } else {
        format!("{NO_CONNECTION}\n")
    }
}

impl Instance {
    pub(super) fn rpki_command(
        &mut self,
        now: Timestamp,
        command: RpkiCommand,
        args: &Args,
        out: &mut Vec<Action>,
    ) -> String {
        // Of a VRF that has no instance, FRR says nothing.
        if args.get("vrf").is_some_and(|name| name != "all" && name != self.label()) {
            return if args.has("json") { "{}\n".to_owned() } else { String::new() };
        }
        match command {
            Rpki::Connections => shown(&self.rpki_connections(now), args),
            Rpki::Servers => shown(&self.rpki_servers(), args),
            Rpki::Configuration => shown(&self.rpki_configuration(), args),
            Rpki::Start => {
                self.run_rpki(now, true, out);
                String::new()
            }
            Rpki::Stop => {
                self.run_rpki(now, false, out);
                String::new()
            }
            Rpki::Reset => {
                self.reset_rpki(now, out);
                String::new()
            }
            Rpki::ReloadSlurm if self.reload_slurm(out) => String::new(),
            Rpki::ReloadSlurm => "% No file of exceptions is configured\n".to_owned(),
            Rpki::PrefixTable
            | Rpki::PrefixCount
            | Rpki::Prefix
            | Rpki::AsNumber
            | Rpki::Aspas
            | Rpki::Keys => match self.rpki.tables() {
                Some(tables) => table_view(command, tables, args).unwrap_or_else(|error| error),
                None => nothing_known(args),
            },
        }
    }

    fn rpki_connections(&self, now: Timestamp) -> ConnectionsView {
        let active = self.rpki.active();
        let connections: Vec<Connection> = self
            .rpki
            .caches()
            .map(|(preference, entry, cache)| Connection {
                in_use: active == Some(preference),
                ..connection(now, preference, &entry.transport, cache)
            })
            .collect();
        let connected = connections.iter().any(|one| one.in_use && one.state == "connected");
        ConnectionsView {
            error: (!connected).then_some(NO_CONNECTION),
            connected_group: active.filter(|_| connected),
            connections,
        }
    }

    fn rpki_servers(&self) -> ServersView {
        let servers = self.config.rpki.of(self.name()).caches.iter().map(|(preference, transport)| {
            let ssh = match &transport.kind {
                Kind::Ssh { user, key, known_hosts } => Some((user, key, known_hosts)),
                Kind::Tcp { .. } => None,
            };
            Server {
                mode: transport.kind.word(),
                host: transport.host.clone(),
                port: port(transport),
                username: ssh.map(|(user, ..)| user.clone()),
                server_hostkey_path: ssh.and_then(|(_, _, known)| known.clone()),
                client_privkey_path: ssh.map(|(_, key, _)| key.clone()),
                preference: *preference,
                source: transport.source,
            }
        });
        ServersView { servers: servers.collect() }
    }

    fn rpki_configuration(&self) -> ConfigurationView {
        let config = self.config.rpki.of(self.name());
        let (filters, assertions) = self.rpki.slurm.as_ref().map(|slurm| slurm.len()).unwrap_or_default();
        ConfigurationView {
            enabled: !self.rpki.stopped && !config.caches.is_empty(),
            servers_count: config.caches.len(),
            polling_period_seconds: config.polling_period.unwrap_or(POLLING_PERIOD),
            retry_interval_seconds: config.retry_interval.unwrap_or(RETRY_INTERVAL),
            expire_interval_seconds: config.expire_interval.unwrap_or(EXPIRE_INTERVAL),
            record_limit: config.records(),
            slurm: config.slurm.clone().map(|file| SlurmView {
                file,
                filters,
                assertions,
                error: self.rpki.slurm_error.clone(),
            }),
        }
    }
}

fn port(transport: &Transport) -> Port {
    Port { number: transport.port, quoted: matches!(transport.kind, Kind::Tcp { .. }) }
}

fn connection(now: Timestamp, preference: u8, transport: &Transport, cache: Option<&Cache>) -> Connection {
    let data = cache.map(Cache::data);
    let intervals = cache.map(Cache::intervals).unwrap_or_default();
    let stats = cache.map(|cache| cache.stats().clone()).unwrap_or_default();
    let progress = cache.map_or(Progress::Stopped, Cache::progress);
    Connection {
        mode: transport.kind.word(),
        host: transport.host.clone(),
        port: port(transport),
        preference,
        state: match progress {
            Progress::Synced => "connected",
            // An update on top of data that are there; the first one has nothing yet.
            Progress::Updating if cache.is_some_and(|cache| cache.synced_at().is_some()) => "connected",
            Progress::Updating => "syncing",
            Progress::Connecting => "connecting",
            Progress::Waiting(_) | Progress::Stopped => "disconnected",
        },
        in_use: false,
        protocol_version: cache.and_then(Cache::version),
        session_id: cache.and_then(Cache::session).map(|(session, _)| session),
        serial: cache.and_then(Cache::session).map(|(_, serial)| serial),
        last_update_secs: cache.and_then(Cache::synced_at).map(|at| now.since(at).as_secs()),
        refresh_interval_seconds: intervals.refresh.as_secs(),
        retry_interval_seconds: intervals.retry.as_secs(),
        expire_interval_seconds: intervals.expire.as_secs(),
        prefixes: data.map_or(0, |data| data.vrps.len()),
        aspas: data.map_or(0, |data| data.aspas.len()),
        router_keys: data.map_or(0, |data| data.keys.len()),
        connects: stats.connects,
        updates: stats.updates,
        resets: stats.resets,
        last_error: stats.last_error,
    }
}

fn counts(vrps: &VrpTable) -> VrpCounts {
    let (ipv4, ipv6) = vrps.counts();
    VrpCounts { ipv4, ipv6 }
}

/// What is asked of the tables; the error is for the operator.
fn table_view(command: RpkiCommand, tables: &Tables, args: &Args) -> Result<String, String> {
    let asn: Option<Asn> = args.parse_opt("asn").map_err(|error| format!("{error}\n"))?;
    Ok(match command {
        Rpki::PrefixTable => shown(&VrpTableView::new(tables.vrps.iter()), args),
        Rpki::PrefixCount => shown(&counts(&tables.vrps), args),
        Rpki::AsNumber => {
            shown(&VrpTableView::new(tables.vrps.iter().filter(|vrp| Some(vrp.asn) == asn)), args)
        }
        Rpki::Prefix => {
            let prefix: Prefix = args.parse("prefix").map_err(|error| format!("{error}\n"))?;
            let found = tables.vrps.covering(prefix).into_iter();
            let prefixes = found.filter(|vrp| listed(vrp, prefix, asn)).map(VrpRow::from).collect();
            shown(&PrefixVrps { prefixes }, args)
        }
        Rpki::Aspas => {
            let wanted = tables.aspas.iter().filter(|(customer, _)| asn.is_none_or(|asn| asn == *customer));
            let row =
                |(customer, providers): (Asn, &[Asn])| AspaRow { customer, providers: providers.to_vec() };
            let aspas: Vec<AspaRow> = wanted.map(row).collect();
            shown(&AspasView { aspa_count: aspas.len(), aspas }, args)
        }
        _ => {
            let keys = tables.keys.iter().map(|key| KeyRow {
                asn: key.asn,
                ski: key.ski.iter().map(|octet| format!("{octet:02X}")).collect(),
                key_length: key.spki.len(),
            });
            let router_keys: Vec<KeyRow> = keys.collect();
            shown(&KeysView { router_key_count: router_keys.len(), router_keys }, args)
        }
    })
}
