//! One end of a BGP connection whose every octet the test decides.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use topotests::bgp::session::hex;
use topotests::bgp::wire::{self, HEADER};
use topotests::{Failure, Result, ensure};

use super::octets::OpenSpec;
use super::sockets::Sockets;

/// How long a daemon may take to answer.
pub const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub struct Client {
    pub stream: TcpStream,
    pending: Vec<u8>,
    eof: bool,
}

/// What the other side did next.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    Message(u8, Vec<u8>),
    /// The connection ended, in whatever way.
    Closed,
    Silence,
}

impl Client {
    pub fn new(stream: TcpStream) -> Client {
        Client { stream, pending: Vec::new(), eof: false }
    }

    pub fn connect(sockets: &Sockets, local: Ipv4Addr, remote: Ipv4Addr) -> Result<Client> {
        sockets.connect(IpAddr::V4(local), IpAddr::V4(remote)).map(Client::new)
    }

    /// Brings a session up, trying again while the router is not ready for this neighbour.
    pub fn establish(
        sockets: &Sockets,
        local: Ipv4Addr,
        remote: Ipv4Addr,
        open: &OpenSpec,
    ) -> Result<Client> {
        let start = Instant::now();
        loop {
            let attempt = Client::connect(sockets, local, remote).and_then(|client| client.open(open));
            match attempt {
                Ok(client) => return Ok(client),
                Err(error) if start.elapsed() > PATIENCE => {
                    return Err(error.during(&format!("session from {local}")));
                }
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    fn open(mut self, open: &OpenSpec) -> Result<Client> {
        self.send(&open.encode())?;
        self.expect(wire::OPEN)?;
        self.send(&wire::keepalive())?;
        self.expect(wire::KEEPALIVE)?;
        Ok(self)
    }

    pub fn send(&mut self, octets: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(octets)?)
    }

    /// Sends what a router that has closed already need not take.
    pub fn send_anyway(&mut self, octets: &[u8]) {
        let _ = self.stream.write_all(octets);
    }

    pub fn expect(&mut self, wanted: u8) -> Result<Vec<u8>> {
        match self.next(PATIENCE)? {
            Heard::Message(kind, body) if kind == wanted => Ok(body),
            Heard::Message(kind, body) => {
                Err(Failure::new(format!("message of type {kind} ({}) instead of {wanted}", hex(&body))))
            }
            other => Err(Failure::new(format!("{other:?} instead of a message of type {wanted}"))),
        }
    }

    /// The next message, the end of the connection, or nothing within `patience`.
    pub fn next(&mut self, patience: Duration) -> Result<Heard> {
        let end = Instant::now() + patience;
        loop {
            if let Some(message) = self.take_message()? {
                return Ok(message);
            }
            if self.eof {
                return Ok(Heard::Closed);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Heard::Silence);
            }
            self.stream.set_read_timeout(Some(left))?;
            self.read_some();
        }
    }

    fn read_some(&mut self) {
        let mut chunk = [0; 16384];
        match self.stream.read(&mut chunk) {
            Ok(0) => self.eof = true,
            Ok(n) => self.pending.extend(chunk.iter().take(n)),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => self.eof = true,
        }
    }

    fn take_message(&mut self) -> Result<Option<Heard>> {
        let Some(head) = self.pending.first_chunk::<HEADER>() else { return Ok(None) };
        let (length, kind) = wire::header(head)?;
        if self.pending.len() < HEADER + length {
            return Ok(None);
        }
        let rest = self.pending.split_off(HEADER + length);
        let body = std::mem::replace(&mut self.pending, rest).split_off(HEADER);
        Ok(Some(Heard::Message(kind, body)))
    }

    /// Waits for NOTIFICATION or the end, passing over whatever else comes. `None` when it ended without a word.
    pub fn verdict(&mut self, patience: Duration) -> Result<Option<(u8, u8)>> {
        let end = Instant::now() + patience;
        loop {
            match self.next(end.saturating_duration_since(Instant::now()))? {
                Heard::Message(wire::NOTIFICATION, body) => {
                    let mut octets = body.iter().copied();
                    return Ok(Some((octets.next().unwrap_or(0), octets.next().unwrap_or(0))));
                }
                Heard::Message(..) => {}
                Heard::Closed => return Ok(None),
                Heard::Silence => {
                    return Err(Failure::new("neither NOTIFICATION nor an end of the connection"));
                }
            }
        }
    }

    /// Reads what has come and fails if the session has ended.
    pub fn still_up(&mut self) -> Result<()> {
        self.stream.set_nonblocking(true)?;
        loop {
            let had = self.pending.len();
            self.read_some();
            if self.eof || self.pending.len() == had {
                break;
            }
        }
        self.stream.set_nonblocking(false)?;
        while let Some(Heard::Message(kind, body)) = self.take_message()? {
            ensure!(kind != wire::NOTIFICATION, "NOTIFICATION {}", hex(&body));
        }
        ensure!(!self.eof, "the connection was closed");
        Ok(())
    }

    /// Ends the session politely.
    pub fn cease(mut self) {
        self.send_anyway(&wire::cease());
    }
}
