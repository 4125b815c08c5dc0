//! Feeds many routes: to our zebra over its stream, to FRR's zebra over its client protocol, or straight to the kernel.
//!
//! The three paths carry the same routes, so what lies between the first two and the third is what a zebra costs. Route
//! number `n` is a /24: 20.0.0.0/24, 20.0.1.0/24 and so on; all have the same next hops. Events are JSON lines on standard
//! output; the command `announce` on standard input sends the routes, and the end of the input ends the program, and with
//! it what the client had announced.

use std::io::BufRead as _;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser};
use serde_json::json;
use topotests::bgp::speaker::{emit, now_ms};
use topotests::{Failure, Result};

mod kernel;
mod stream;
mod zapi;

#[derive(Debug, Parser)]
#[command(name = "route-feed", version, about = "Feeds many routes to a zebra or to the kernel")]
struct Cli {
    #[command(flatten)]
    to: To,
    /// Number of routes
    #[arg(long)]
    count: u32,
    /// Next hops of every route
    #[arg(long, value_delimiter = ',', required = true)]
    via: Vec<Ipv4Addr>,
    /// A nexthop-group of our zebra's that all routes lead through
    #[arg(long, requires = "stream")]
    group: Option<String>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct To {
    /// Our zebra's socket
    #[arg(long, value_name = "SOCKET")]
    stream: Option<PathBuf>,
    /// FRR's zebra's socket
    #[arg(long, value_name = "SOCKET")]
    zapi: Option<PathBuf>,
    /// Route messages to the kernel, of the main table
    #[arg(long)]
    kernel: bool,
}

/// What is announced.
#[derive(Clone, Debug)]
struct Feed {
    count: u32,
    via: Vec<Ipv4Addr>,
    group: Option<String>,
}

impl Feed {
    /// The first address of each route, in order.
    fn prefixes(&self) -> impl Iterator<Item = Ipv4Addr> + use<> {
        let first = u32::from(Ipv4Addr::new(20, 0, 0, 0));
        (0..self.count).map(move |n| Ipv4Addr::from(first.wrapping_add(n << 8)))
    }
}

const PREFIX_LEN: u8 = 24;

/// Where routes go.
trait Target {
    fn announce(&mut self, feed: &Feed) -> Result<()>;
}

fn main() -> ExitCode {
    match feed(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            emit(&json!({"event": "failed", "reason": failure.to_string(), "ms": now_ms()}));
            ExitCode::FAILURE
        }
    }
}

fn feed(cli: &Cli) -> Result<()> {
    let feed = Feed { count: cli.count, via: cli.via.clone(), group: cli.group.clone() };
    let mut target: Box<dyn Target> = match (&cli.to.stream, &cli.to.zapi) {
        (Some(socket), _) => Box::new(stream::Stream::connect(socket)?),
        (None, Some(socket)) => Box::new(zapi::Zapi::connect(socket)?),
        (None, None) => Box::new(kernel::Kernel::open()?),
    };
    emit(&json!({"event": "connected", "ms": now_ms()}));
    for line in std::io::stdin().lock().lines() {
        match line?.trim() {
            "" => {}
            "announce" => {
                emit(&json!({"event": "sending", "ms": now_ms()}));
                target.announce(&feed)?;
                emit(&json!({"event": "sent", "ms": now_ms()}));
            }
            other => return Err(Failure::new(format!("unknown command: {other}"))),
        }
    }
    Ok(())
}
