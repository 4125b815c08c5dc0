//! Traffic that is counted packet by packet.
//!
//! ```text
//! udp-traffic echo ADDR:PORT        sends back what comes, until killed
//! udp-traffic send ADDR:PORT MSEC   sends a numbered packet every so many milliseconds until its standard input ends,
//!                                   waits a moment for stragglers and prints `sent N back M longest L`: L packets in a
//!                                   row were lost at worst
//! ```

use std::io::Read as _;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long the last packets may take.
const STRAGGLERS: Duration = Duration::from_secs(1);

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
    let mut next = Instant::now();
    while !ended.load(Ordering::Relaxed) {
        // Refused by a host on the way: lost, and counted so.
        let _ = socket.send(&sent.to_be_bytes());
        sent += 1;
        next += every;
        listen(&socket, next, &mut back)?;
    }
    listen(&socket, Instant::now() + STRAGGLERS, &mut back)?;
    back.sort_unstable();
    back.dedup();
    println!("sent {sent} back {} longest {}", back.len(), longest_gap(&back, sent));
    Ok(())
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

fn longest_gap(back: &[u64], sent: u64) -> u64 {
    let ends = back.iter().copied().chain([sent]);
    let mut expected = 0;
    ends.map(|number| {
        let gap = number.saturating_sub(expected);
        expected = number + 1;
        gap
    })
    .max()
    .unwrap_or(0)
}
