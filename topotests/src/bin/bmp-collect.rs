//! A BMP collector for tests: listens, takes one connection after another, keeps the tables of the latest.
//!
//! Events are JSON lines on standard output. Commands on standard input, one a line: `state`, `dump TABLE PEER FILE`, `stall`,
//! `resume`. The end of the input ends it.

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use clap::Parser;
use serde_json::json;
use topotests::bgp::bmp::Collector;
use topotests::bgp::pause::Stall;
use topotests::bgp::speaker::{emit, now_ms};
use topotests::{Failure, Result};

#[derive(Debug, Parser)]
#[command(name = "bmp-collect", version, about = "A BMP collector for tests")]
struct Cli {
    #[arg(long, default_value = "0.0.0.0:1790")]
    listen: SocketAddr,
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
    let (collector, stall) = (Arc::new(Mutex::new(Collector::default())), Arc::new(Stall::default()));
    let (kept, gate) = (Arc::clone(&collector), Arc::clone(&stall));
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(std::result::Result::ok) {
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = Collector::default();
            emit(&json!({"event": "connected", "ms": now_ms()}));
            let mut stream = BufReader::with_capacity(1 << 16, stream);
            let reason = loop {
                gate.wait();
                // The head of a message may be long in coming, so the lock is taken when there is one.
                match stream.fill_buf() {
                    Ok([]) => break "closed".to_owned(),
                    Ok(_) => {}
                    Err(error) => break error.to_string(),
                }
                let read = kept.lock().unwrap_or_else(PoisonError::into_inner).read(&mut stream, now_ms());
                match read {
                    Ok(true) => {}
                    Ok(false) => break "closed".to_owned(),
                    Err(failure) => break failure.to_string(),
                }
            };
            emit(&json!({"event": "over", "reason": reason, "ms": now_ms()}));
        }
    });
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let known = || collector.lock().unwrap_or_else(PoisonError::into_inner);
        match words.as_slice() {
            [] => {}
            ["state"] => emit(&json!({"event": "state", "collector": known().state(), "ms": now_ms()})),
            ["dump", table, peer, file] => {
                let text = known().dump(table, peer);
                std::fs::write(file, text)?;
                emit(&json!({"event": "dumped", "file": file, "ms": now_ms()}));
            }
            ["stall"] => stall.set(true),
            ["resume"] => stall.set(false),
            _ => return Err(Failure::new(format!("unknown command: {line}"))),
        }
    }
    Ok(())
}
