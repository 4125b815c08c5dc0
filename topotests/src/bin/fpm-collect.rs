//! A forwarding plane manager for tests: listens, takes one connection after another, keeps the table of the latest.
//!
//! Events are JSON lines on standard output. Commands on standard input, one a line: `state`, `table`, `stall`, `resume`, `close`,
//! `mark FLAGS` (answers with every route and these flags of `struct rtmsg`, hexadecimal). The end of the input ends it.

use std::io::{BufRead as _, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use clap::Parser;
use serde_json::json;
use topotests::bgp::pause::Stall;
use topotests::bgp::speaker::{emit, now_ms};
use topotests::fpm::Manager;
use topotests::{Failure, Result};

#[derive(Debug, Parser)]
#[command(name = "fpm-collect", version, about = "A forwarding plane manager for tests")]
struct Cli {
    #[arg(long, default_value = "127.0.0.1:2620")]
    listen: SocketAddr,
}

#[derive(Default)]
struct Kept {
    manager: Manager,
    stream: Option<TcpStream>,
}

fn main() -> ExitCode {
    match collect(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            emit(&json!({"event": "failed", "reason": failure.to_string(), "ms": now_ms()}));
            ExitCode::FAILURE
        }
    }
}

fn collect(cli: &Cli) -> Result<()> {
    let listener = TcpListener::bind(cli.listen)?;
    emit(&json!({"event": "listening", "ms": now_ms()}));
    let (kept, stall) = (Arc::new(Mutex::new(Kept::default())), Arc::new(Stall::default()));
    let (shared, gate) = (Arc::clone(&kept), Arc::clone(&stall));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(std::result::Result::ok) {
            *shared.lock().unwrap_or_else(PoisonError::into_inner) =
                Kept { manager: Manager::default(), stream: stream.try_clone().ok() };
            emit(&json!({"event": "connected", "ms": now_ms()}));
            let mut buffer = vec![0; 1 << 16];
            loop {
                gate.wait();
                let Ok(count) = stream.read(&mut buffer) else { break };
                if count == 0 {
                    break;
                }
                shared.lock().unwrap_or_else(PoisonError::into_inner).manager.read(&buffer[..count]);
            }
            emit(&json!({"event": "over", "ms": now_ms()}));
        }
    });
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let known = || kept.lock().unwrap_or_else(PoisonError::into_inner);
        match words.as_slice() {
            [] => {}
            ["state"] => emit(&json!({"event": "state", "manager": known().manager.state(), "ms": now_ms()})),
            ["table"] => emit(&json!({"event": "table", "routes": known().manager.table(), "ms": now_ms()})),
            ["stall"] => stall.set(true),
            ["resume"] => stall.set(false),
            ["close"] => {
                if let Some(stream) = known().stream.take() {
                    stream.shutdown(std::net::Shutdown::Both)?;
                }
            }
            ["mark", flags] => {
                let flags = u32::from_str_radix(flags, 16)
                    .map_err(|_| Failure::new("flags: a hexadecimal number"))?;
                let mut known = known();
                let octets = known.manager.notices(flags);
                if let Some(stream) = &mut known.stream {
                    stream.write_all(&octets)?;
                }
            }
            _ => return Err(Failure::new(format!("unknown command: {line}"))),
        }
    }
    Ok(())
}
