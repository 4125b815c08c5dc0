//! The frame of the programs that listen for one router's stream and keep what it said: connections one after another,
//! events as JSON lines on standard output, commands on standard input, one a line. `stall` and `resume` are every program's;
//! the end of the input ends it.

use std::io::BufRead as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::json;

use crate::bgp::pause::Stall;
use crate::bgp::speaker::{emit, now_ms};
use crate::failure::{Failure, Result};

/// What is kept of the latest connection.
pub trait Collect: Default + Send + 'static {
    /// Reads a connection until it ends, and says why it did. Reads nothing while the gate is shut, and holds the lock no
    /// longer than one message takes.
    fn read(kept: &Mutex<Self>, stream: TcpStream, gate: &Stall) -> String;

    /// Carries a command out; false where it is none.
    fn command(&mut self, words: &[&str]) -> Result<bool>;
}

pub fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The whole program, after its arguments.
pub fn main<C: Collect>(listen: SocketAddr) -> ExitCode {
    match collect::<C>(listen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            emit(&json!({"event": "failed", "reason": failure.to_string(), "ms": now_ms()}));
            ExitCode::FAILURE
        }
    }
}

fn collect<C: Collect>(listen: SocketAddr) -> Result<()> {
    let listener = TcpListener::bind(listen)?;
    emit(&json!({"event": "listening", "ms": now_ms()}));
    let (kept, stall) = (Arc::new(Mutex::new(C::default())), Arc::new(Stall::default()));
    let (shared, gate) = (Arc::clone(&kept), Arc::clone(&stall));
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(std::result::Result::ok) {
            *lock(&shared) = C::default();
            emit(&json!({"event": "connected", "ms": now_ms()}));
            let reason = C::read(&shared, stream, &gate);
            emit(&json!({"event": "over", "reason": reason, "ms": now_ms()}));
        }
    });
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [] => {}
            ["stall"] => stall.set(true),
            ["resume"] => stall.set(false),
            words if lock(&kept).command(words)? => {}
            _ => return Err(Failure::new(format!("unknown command: {line}"))),
        }
    }
    Ok(())
}
