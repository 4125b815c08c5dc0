//! The program: options, and the runtime it serves in.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use ferrite_lg::cache::Cache;
use ferrite_lg::glass::Glass;
use ferrite_lg::http::{Limits, Server};
use ferrite_lg::vty::Bgpd;
use ferrite_types::Prefix;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Serve what bgpd knows as birdwatcher's JSON, for looking glasses
#[derive(Parser, Debug)]
#[command(name = "ferrite-lg", version)]
struct Options {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "[::1]:29184")]
    listen: Vec<SocketAddr>,
    /// Directory of bgpd's socket
    #[arg(long, value_name = "DIR", env = "FERRITE_RUN", default_value = "/run/frr")]
    socket: PathBuf,
    /// The daemon's -N
    #[arg(short = 'N', long, value_name = "NAME")]
    pathspace: Option<String>,
    /// Show the instance of a VRF
    #[arg(long, value_name = "NAME", conflicts_with = "view")]
    vrf: Option<String>,
    /// Show a view
    #[arg(long, value_name = "NAME")]
    view: Option<String>,
    /// Who may ask; without it, anybody who can connect
    #[arg(long, value_name = "PREFIX")]
    allow: Vec<Prefix>,
    /// Seconds that a reply is kept
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(0..=86400))]
    ttl: u64,
    /// Seconds that bgpd has for an answer
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=3600))]
    patience: u64,
    /// Commands that bgpd is given at once
    #[arg(long, value_name = "NUMBER", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    commands: u16,
    /// Connections at once; more wait
    #[arg(long, value_name = "NUMBER", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,
    /// Megabytes of one answer, and of all replies that are kept
    #[arg(long, value_name = "MEGABYTES", default_value_t = 512, value_parser = clap::value_parser!(u16).range(1..))]
    size: u16,
}

/// A name that is one word of a command.
fn word(kind: &str, name: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    if name.is_empty() || !name.chars().all(plain) {
        return Err(format!("{name} is no name of a {kind}"));
    }
    Ok(format!("{kind} {name} "))
}

impl Options {
    fn server(&self) -> Result<std::sync::Arc<Server>, String> {
        let size = usize::from(self.size) << 20;
        let instance = match (&self.vrf, &self.view) {
            (Some(name), _) => word("vrf", name)?,
            (None, Some(name)) => word("view", name)?,
            (None, None) => String::new(),
        };
        let directory =
            self.pathspace.as_ref().map_or_else(|| self.socket.clone(), |name| self.socket.join(name));
        let bgpd = Bgpd {
            socket: directory.join("bgpd.vty"),
            patience: Duration::from_secs(self.patience),
            // Ours is the shorter form.
            limit: (size as u64).saturating_mul(4),
        };
        let glass = Glass { bgpd, instance, limit: size };
        let limits = Limits {
            allow: self.allow.clone(),
            connections: self.connections.into(),
            commands: self.commands.into(),
            lifetime: Duration::from_secs(self.patience + 300),
        };
        Ok(Server::new(glass, Cache::new(Duration::from_secs(self.ttl), size), limits))
    }
}

async fn serve(options: Options) -> Result<(), String> {
    let server = options.server()?;
    let mut tasks = tokio::task::JoinSet::new();
    for address in &options.listen {
        let listener = TcpListener::bind(address).await.map_err(|error| format!("{address}: {error}"))?;
        println!("ferrite-lg listens on {}", listener.local_addr().unwrap_or(*address));
        tasks.spawn(server.clone().serve(listener));
    }
    let mut stop = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    tokio::select! {
        _ = stop.recv() => Ok(()),
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let done = match runtime {
        Ok(runtime) => {
            let done = runtime.block_on(serve(options));
            runtime.shutdown_background();
            done
        }
        Err(error) => Err(error.to_string()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ferrite-lg: {error}");
            ExitCode::FAILURE
        }
    }
}
