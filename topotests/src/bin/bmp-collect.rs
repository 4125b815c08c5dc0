//! A BMP collector for tests. Commands beside those of every collector: `state`, `dump TABLE PEER FILE`.

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::sync::Mutex;

use clap::Parser;
use serde_json::json;
use topotests::Result;
use topotests::bgp::bmp::Collector;
use topotests::bgp::pause::Stall;
use topotests::bgp::speaker::{emit, now_ms};
use topotests::collect::{self, Collect, lock};

#[derive(Debug, Parser)]
#[command(name = "bmp-collect", version, about = "A BMP collector for tests")]
struct Cli {
    #[arg(long, default_value = "0.0.0.0:1790")]
    listen: SocketAddr,
}

#[derive(Default)]
struct Kept(Collector);

impl Collect for Kept {
    fn read(kept: &Mutex<Self>, stream: TcpStream, gate: &Stall) -> String {
        let mut stream = BufReader::with_capacity(1 << 16, stream);
        loop {
            gate.wait();
            // The head of a message may be long in coming, so the lock is taken when there is one.
            match stream.fill_buf() {
                Ok([]) => return "closed".to_owned(),
                Ok(_) => {}
                Err(error) => return error.to_string(),
            }
            let read = lock(kept).0.read(&mut stream, now_ms());
            match read {
                Ok(true) => {}
                Ok(false) => return "closed".to_owned(),
                Err(failure) => return failure.to_string(),
            }
        }
    }

    fn command(&mut self, words: &[&str]) -> Result<bool> {
        match words {
            ["state"] => emit(&json!({"event": "state", "collector": self.0.state(), "ms": now_ms()})),
            ["dump", table, peer, file] => {
                std::fs::write(file, self.0.dump(table, peer))?;
                emit(&json!({"event": "dumped", "file": file, "ms": now_ms()}));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn main() -> ExitCode {
    collect::main::<Kept>(Cli::parse().listen)
}
