//! `bgp-replay` as a test drives it: started in a router's network, told what to do, listened to.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::failure::{Failure, Result};
use crate::router::Router;

#[derive(Debug)]
pub struct Tool {
    child: Child,
    stdin: Option<ChildStdin>,
    events: Receiver<Value>,
    /// All that was said so far, also what no one waited for.
    heard: Vec<Value>,
    name: String,
}

impl Router {
    /// Starts `bgp-replay` here; its messages are kept in the router's log folder too.
    pub fn bgp_replay(&self, args: &str) -> Result<Tool> {
        let words: Vec<&str> = args.split_whitespace().collect();
        self.bgp_replay_args(&words)
    }

    /// The same with arguments that may hold spaces.
    pub fn bgp_replay_args(&self, args: &[&str]) -> Result<Tool> {
        self.tool("bgp-replay", args)
    }

    /// Starts `bmp-collect` here.
    pub fn bmp_collect(&self, listen: &str) -> Result<Tool> {
        self.tool("bmp-collect", &["--listen", listen])
    }

    /// Starts `fpm-collect` here.
    pub fn fpm_collect(&self, listen: &str) -> Result<Tool> {
        self.tool("fpm-collect", &["--listen", listen])
    }

    /// Starts `rtr-cache` here.
    pub fn rtr_cache(&self, listen: &str, records: u32) -> Result<Tool> {
        self.tool("rtr-cache", &["--listen", listen, "--records", &records.to_string()])
    }

    /// Starts `route-feed` here.
    pub fn route_feed(&self, args: &[&str]) -> Result<Tool> {
        self.tool("route-feed", args)
    }

    /// Starts `ospf-feed` here.
    pub fn ospf_feed(&self, args: &[&str]) -> Result<Tool> {
        self.tool("ospf-feed", args)
    }

    /// Asks a server of HTTP for a path, from here; its status and its JSON.
    pub fn http_get(&self, address: &str, path: &str) -> Result<(u64, Value)> {
        let mut cmd = self.host_command(&program("http-get")?.to_string_lossy());
        let text = crate::sandbox::run(cmd.args([address, path]))?;
        let reply: Value = serde_json::from_str(text.trim())?;
        let status = reply.get("status").and_then(Value::as_u64).unwrap_or(0);
        Ok((status, reply.get("body").cloned().unwrap_or_default()))
    }

    fn tool(&self, name: &str, args: &[&str]) -> Result<Tool> {
        let log = self.dir().join(format!("log/{name}.jsonl"));
        let mut log = std::fs::OpenOptions::new().create(true).append(true).open(log)?;
        let errors = self.dir().join(format!("log/{name}.err"));
        let errors = std::fs::OpenOptions::new().create(true).append(true).open(errors)?;
        let mut cmd = self.host_command(&program(name)?.to_string_lossy());
        cmd.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        let mut child = cmd.spawn()?;
        let stdin = child.stdin.take();
        let out = child.stdout.take().ok_or("bgp-replay has no output")?;
        let (tx, events) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(std::result::Result::ok) {
                let _ = writeln!(log, "{line}");
                let Ok(event) = serde_json::from_str(&line) else { continue };
                if tx.send(event).is_err() {
                    return;
                }
            }
        });
        Ok(Tool { child, stdin, events, heard: Vec::new(), name: self.name().to_owned() })
    }
}

/// Beside the program that asks, or one folder above it, where cargo puts a package's programs.
fn program(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let near = own.ancestors().skip(1).take(2).map(|dir| dir.join(name));
    let found = near.into_iter().find(|path| path.is_file());
    found.ok_or_else(|| Failure::new(format!("{name} is not beside {}", own.display())))
}

impl Tool {
    /// One command (see `bgp-replay --help`).
    pub fn tell(&mut self, command: &str) -> Result<()> {
        let stdin = self.stdin.as_mut().ok_or("bgp-replay's input is closed")?;
        writeln!(stdin, "{command}").map_err(|e| Failure::new(format!("{}: bgp-replay: {e}", self.name)))
    }

    /// No more commands.
    pub fn close_input(&mut self) {
        self.stdin = None;
    }

    /// Waits for the next event of that name; `failed` fails at once.
    pub fn wait_event(&mut self, name: &str, timeout: Duration) -> Result<Value> {
        self.wait_for(name, timeout, |event| is(event, name))
    }

    /// Waits for the next event that satisfies `wanted`.
    pub fn wait_for(
        &mut self,
        what: &str,
        timeout: Duration,
        wanted: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let end = Instant::now() + timeout;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Ok(event) => {
                    self.heard.push(event.clone());
                    if wanted(&event) {
                        return Ok(event);
                    }
                    crate::ensure!(!is(&event, "failed"), "{}: bgp-replay: {event}", self.name);
                }
                Err(RecvTimeoutError::Timeout) => {
                    let secs = timeout.as_secs();
                    return Err(Failure::new(format!(
                        "{}: no `{what}` in {secs} s; {}",
                        self.name,
                        self.last()
                    )));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Failure::new(format!(
                        "{}: bgp-replay ended before `{what}`; {}",
                        self.name,
                        self.last()
                    )));
                }
            }
        }
    }

    /// What the sessions hold now.
    pub fn state(&mut self) -> Result<Vec<Value>> {
        self.tell("state")?;
        let event = self.wait_event("state", Duration::from_secs(20))?;
        Ok(event.get("sessions").and_then(Value::as_array).cloned().unwrap_or_default())
    }

    /// Writes what session `peer` holds to a file of the host.
    pub fn dump(&mut self, peer: usize, file: &std::path::Path) -> Result<String> {
        self.tell(&format!("dump {peer} {}", file.display()))?;
        self.wait_event("dumped", Duration::from_mins(1))?;
        Ok(std::fs::read_to_string(file)?)
    }

    /// Events so far, waiting for none.
    pub fn heard(&mut self) -> &[Value] {
        self.heard.extend(self.events.try_iter());
        &self.heard
    }

    fn last(&self) -> String {
        self.heard.last().map_or_else(|| "it said nothing".to_owned(), |e| format!("last heard: {e}"))
    }

    /// Ends all sessions with Cease and waits for the end.
    pub fn stop(mut self) -> Result<()> {
        self.stdin = None;
        self.child.wait()?;
        Ok(())
    }
}

fn is(event: &Value, name: &str) -> bool {
    event.get("event").and_then(Value::as_str) == Some(name)
}

impl Drop for Tool {
    fn drop(&mut self) {
        self.stdin = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
