//! Packets through a network and back, every one of which counts.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Stdio};

use topotests::{Result, Router, ensure};

/// Packets through the network and back, counted one by one.
pub struct Traffic {
    /// Sends back what comes as long as it is there.
    _echo: Program,
    sender: Program,
    to: &'static str,
}

/// One end of it, and what it says.
struct Program {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    fn start(at: &Router, args: &[&str]) -> Result<Program> {
        let mut cmd = at.host_command(env!("CARGO_BIN_EXE_udp-traffic"));
        cmd.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = cmd.spawn()?;
        let out = child.stdout.take().ok_or("udp-traffic has no output")?;
        Ok(Program { child, out: BufReader::new(out) })
    }

    fn says(&mut self, wanted: &str) -> Result<()> {
        let mut line = String::new();
        self.out.read_line(&mut line)?;
        ensure!(line.trim_end() == wanted, "udp-traffic said {line:?}, not {wanted:?}");
        Ok(())
    }
}

/// Returns when the far end listens and the first packet is back: each one that is lost is lost by the network, and
/// what happens next happens amid the stream.
pub fn traffic(from: &Router, at: &Router, to: &'static str) -> Result<Traffic> {
    let there = format!("{to}:7007");
    let mut echo = Program::start(at, &["echo", &there])?;
    echo.says("ready")?;
    let mut sender = Program::start(from, &["send", &there, "5"])?;
    sender.says("flows")?;
    Ok(Traffic { _echo: echo, sender, to })
}

impl Traffic {
    /// Ends it; fails unless every packet came back.
    pub fn end(mut self) -> Result<()> {
        drop(self.sender.child.stdin.take());
        let mut text = String::new();
        self.sender.out.read_to_string(&mut text)?;
        let numbers: Vec<u64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let [sent, back, longest, at] = numbers.as_slice() else {
            return Err(format!("said {text:?}").into());
        };
        ensure!(*sent > 100, "only {sent} packets to {}", self.to);
        ensure!(
            sent == back,
            "{} of {sent} packets to {} were lost, {longest} in a row from number {at} on",
            sent - back,
            self.to
        );
        Ok(())
    }
}
