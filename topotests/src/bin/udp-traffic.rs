//! Traffic that is counted packet by packet.
//!
//! ```text
//! udp-traffic echo ADDR:PORT        prints `ready` when it listens, then sends back what comes, until killed
//! udp-traffic send ADDR:PORT MSEC   sends a numbered packet every so many milliseconds until its standard input ends,
//!                                   prints `flows` when the first one is back (and gives up if none is for long), at
//!                                   the end waits a moment for stragglers and prints `sent N back M longest L at A`:
//!                                   L packets in a row were lost at worst, A being the number of the first of them
//! ```

use std::io::{Read as _, Write as _};
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long the last packets may take.
const STRAGGLERS: Duration = Duration::from_secs(1);
/// How long none may come back at the start.
const START: Duration = Duration::from_secs(10);

fn main() -> std::io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["echo", at] => echo(at),
        ["send", to, msec] => send(to, Duration::from_millis(msec.parse().unwrap_or(10))),
        _ => Err(std::io::Error::other("usage: udp-traffic echo ADDR:PORT | send ADDR:PORT MSEC")),
    }
}

fn echo(at: &str) -> std::io::Result<()> {
    let socket = UdpSocket::bind(at)?;
    say("ready")?;
    let mut octets = [0; 64];
    loop {
        let (len, from) = socket.recv_from(&mut octets)?;
        // While the way back is missing the packet is lost, which is what the other end counts.
        let _ = socket.send_to(octets.get(..len).unwrap_or_default(), from);
    }
}

fn send(to: &str, every: Duration) -> std::io::Result<()> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.connect(to)?;
    let ended = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&ended);
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        flag.store(true, Ordering::Relaxed);
    });
    let (mut sent, mut back): (u64, Vec<u64>) = (0, Vec::new());
    let (start, mut flows) = (Instant::now(), false);
    let mut next = start;
    while !ended.load(Ordering::Relaxed) {
        // Refused by a host on the way: lost, and counted so.
        let _ = socket.send(&sent.to_be_bytes());
        sent += 1;
        next += every;
        listen(&socket, next, &mut back)?;
        if !flows && !back.is_empty() {
            flows = true;
            say("flows")?;
        }
        if !flows && start.elapsed() > START {
            break;
        }
    }
    listen(&socket, Instant::now() + STRAGGLERS, &mut back)?;
    back.sort_unstable();
    back.dedup();
    let (longest, at) = longest_gap(&back, sent);
    say(&format!("sent {sent} back {} longest {longest} at {at}", back.len()))
}

/// A line that is read while this program goes on.
fn say(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Takes in what comes until then.
fn listen(socket: &UdpSocket, until: Instant, back: &mut Vec<u64>) -> std::io::Result<()> {
    let mut octets = [0; 8];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        socket.set_read_timeout(Some(left))?;
        if socket.recv(&mut octets).is_ok_and(|len| len == octets.len()) {
            back.push(u64::from_be_bytes(octets));
        }
    }
}

/// How many in a row did not come back at worst, and the first of them.
fn longest_gap(back: &[u64], sent: u64) -> (u64, u64) {
    let (mut expected, mut worst) = (0, (0, 0));
    for number in back.iter().copied().chain([sent]) {
        let gap = number.saturating_sub(expected);
        if gap > worst.0 {
            worst = (gap, expected);
        }
        expected = number + 1;
    }
    worst
}
