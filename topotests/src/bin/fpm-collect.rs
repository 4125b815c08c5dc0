//! A forwarding plane manager for tests. Commands beside those of every collector: `state`, `table`, `close`, `mark FLAGS`
//! (answers with every route and these flags of `struct rtmsg`, hexadecimal).

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::sync::Mutex;

use clap::Parser;
use serde_json::json;
use topotests::bgp::pause::Stall;
use topotests::bgp::speaker::{emit, now_ms};
use topotests::collect::{self, Collect, lock};
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

impl Collect for Kept {
    fn read(kept: &Mutex<Self>, mut stream: TcpStream, gate: &Stall) -> String {
        lock(kept).stream = stream.try_clone().ok();
        let mut buffer = vec![0; 1 << 16];
        loop {
            gate.wait();
            match stream.read(&mut buffer) {
                Ok(0) => return "closed".to_owned(),
                Ok(count) => lock(kept).manager.read(&buffer[..count]),
                Err(error) => return error.to_string(),
            }
        }
    }

    fn command(&mut self, words: &[&str]) -> Result<bool> {
        match words {
            ["state"] => emit(&json!({"event": "state", "manager": self.manager.state(), "ms": now_ms()})),
            ["table"] => emit(&json!({"event": "table", "routes": self.manager.table(), "ms": now_ms()})),
            ["close"] => {
                if let Some(stream) = self.stream.take() {
                    stream.shutdown(std::net::Shutdown::Both)?;
                }
            }
            ["mark", flags] => {
                let flags = u32::from_str_radix(flags, 16)
                    .map_err(|_| Failure::new("flags: a hexadecimal number"))?;
                let octets = self.manager.notices(flags);
                if let Some(stream) = &mut self.stream {
                    stream.write_all(&octets)?;
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn main() -> ExitCode {
    collect::main::<Kept>(Cli::parse().listen)
}
