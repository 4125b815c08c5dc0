//! One TCP session: connected from an address of our choice or accepted, OPENs exchanged, kept alive.
//!
//! Blocking sockets and threads: a handful of peers need no more, and a test's counterpart should be easy to trust.

use std::io::{BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};

use super::wire::{self, HEADER, Open};
use crate::failure::{Failure, Result};
use crate::kernel::Family;

#[derive(Clone, Debug)]
pub struct Settings {
    pub local: IpAddr,
    pub remote: IpAddr,
    pub port: u16,
    pub asn: u32,
    pub router_id: Ipv4Addr,
    /// seconds
    pub hold: u16,
    pub families: Vec<Family>,
    pub passive: bool,
    /// octets; the kernel's choice without
    pub receive_buffer: Option<usize>,
}

/// A session in Established.
#[derive(Debug)]
pub struct Session {
    pub theirs: Open,
    reader: BufReader<TcpStream>,
    writer: Writer,
}

/// The sending half, which several threads may hold.
#[derive(Clone, Debug)]
pub struct Writer {
    stream: Arc<Mutex<TcpStream>>,
    closed: Arc<AtomicBool>,
}

impl Writer {
    /// Sends octets as they are.
    pub fn send(&self, octets: &[u8]) -> Result<()> {
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(stream.write_all(octets)?)
    }

    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Says Cease and closes.
    pub fn close(&self) {
        if !self.closed.swap(true, Ordering::Relaxed) {
            let _ = self.send(&wire::cease());
            let stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// A connection, before any message.
pub fn connect(settings: &Settings) -> Result<TcpStream> {
    if settings.passive {
        return accept(settings);
    }
    let socket = Socket::new(domain(settings.remote), Type::STREAM, Some(Protocol::TCP))?;
    socket.bind(&SocketAddr::new(settings.local, 0).into())?;
    if let Some(octets) = settings.receive_buffer {
        socket.set_recv_buffer_size(octets)?;
    }
    let remote = SocketAddr::new(settings.remote, settings.port);
    socket.connect_timeout(&remote.into(), Duration::from_secs(5))?;
    socket.set_tcp_nodelay(true)?;
    Ok(socket.into())
}

fn accept(settings: &Settings) -> Result<TcpStream> {
    let socket = Socket::new(domain(settings.local), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::new(settings.local, settings.port).into())?;
    socket.listen(8)?;
    loop {
        let (stream, from) = socket.accept()?;
        if from.as_socket().map(|a| a.ip()) == Some(settings.remote) {
            return Ok(stream.into());
        }
    }
}

fn domain(addr: IpAddr) -> Domain {
    if addr.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 }
}

/// Brings a session up, trying again for `patience`: the other side may not listen yet, or hold the old session.
pub fn establish(settings: &Settings, patience: Duration) -> Result<Session> {
    let start = Instant::now();
    loop {
        match attempt(settings) {
            Ok(session) => return Ok(session),
            Err(error) if start.elapsed() >= patience => {
                return Err(error.during(&format!("session {} to {}", settings.local, settings.remote)));
            }
            Err(_) => std::thread::sleep(Duration::from_millis(200)),
        }
    }
}

fn attempt(settings: &Settings) -> Result<Session> {
    let stream = connect(settings)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let writer = Writer { stream: Arc::new(Mutex::new(stream.try_clone()?)), closed: Arc::default() };
    let mut reader = BufReader::with_capacity(1 << 18, stream);
    let ours = Open {
        asn: settings.asn,
        hold: settings.hold,
        router_id: settings.router_id,
        families: settings.families.clone(),
        four_octet_as: true,
    };
    writer.send(&ours.encode())?;
    let theirs = Open::decode(&expect(&mut reader, wire::OPEN)?)?;
    writer.send(&wire::keepalive())?;
    expect(&mut reader, wire::KEEPALIVE)?;
    reader.get_ref().set_read_timeout(None)?;
    keep_alive(&writer, ours.hold.min(theirs.hold));
    Ok(Session { theirs, reader, writer })
}

fn expect(reader: &mut impl Read, wanted: u8) -> Result<Vec<u8>> {
    let (kind, body) = read_message(reader)?;
    match kind {
        k if k == wanted => Ok(body),
        wire::NOTIFICATION => Err(Failure::new(format!("NOTIFICATION {}", hex(&body)))),
        other => Err(Failure::new(format!("message of type {other} instead of {wanted}"))),
    }
}

/// One message: its type and body.
pub fn read_message(reader: &mut impl Read) -> Result<(u8, Vec<u8>)> {
    let mut head = [0; HEADER];
    reader.read_exact(&mut head)?;
    let (length, kind) = wire::header(&head)?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok((kind, body))
}

/// Sends keepalives from a thread of its own until the session is closed.
fn keep_alive(writer: &Writer, hold: u16) {
    if hold == 0 {
        return;
    }
    let writer = writer.clone();
    let interval = Duration::from_secs(u64::from(hold)) / 3;
    std::thread::spawn(move || {
        let tick = Duration::from_millis(200);
        let mut sent = Instant::now();
        while !writer.is_closed() {
            std::thread::sleep(tick);
            if sent.elapsed() >= interval {
                sent = Instant::now();
                if writer.send(&wire::keepalive()).is_err() {
                    return;
                }
            }
        }
    });
}

impl Session {
    pub fn writer(&self) -> Writer {
        self.writer.clone()
    }

    /// The next message; an error when the session is gone.
    pub fn read(&mut self) -> Result<(u8, Vec<u8>)> {
        read_message(&mut self.reader)
    }

    pub fn read_into<'a>(&mut self, buffer: &'a mut Vec<u8>) -> Result<(u8, &'a [u8])> {
        let mut head = [0; HEADER];
        self.reader.read_exact(&mut head)?;
        let (length, kind) = wire::header(&head)?;
        buffer.resize(length, 0);
        self.reader.read_exact(buffer)?;
        Ok((kind, buffer))
    }
}

pub fn hex(octets: &[u8]) -> String {
    let digit = |n: u8| char::from_digit(u32::from(n), 16).unwrap_or('?');
    octets.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

/// Octets from hexadecimal digits; white space and colons between them do not count.
pub fn unhex(text: &str) -> Result<Vec<u8>> {
    let digits: Vec<u32> =
        text.chars().filter(|c| !c.is_whitespace() && *c != ':').map_while(|c| c.to_digit(16)).collect();
    let wanted = text.chars().filter(|c| !c.is_whitespace() && *c != ':').count();
    crate::ensure!(digits.len() == wanted && wanted.is_multiple_of(2), "not octets in hexadecimal: {text}");
    Ok(digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |n, d| n << 4 | *d as u8)).collect())
}
