//! Connections to caches, under tokio: TCP, TCP with MD5 signatures, and SSH.
//!
//! SSH is the system's `ssh` program, asked for the subsystem `rpki-rtr` (RFC 6810 §7.1) without a terminal: ciphers, host
//! keys, agents and `ssh_config` are then those the operator knows, and the distribution keeps them secure; nothing of it
//! is linked into a daemon. The host's key must be known already.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use crate::transport::{Kind, Transport};

/// How long a connection may take to come up.
const CONNECT: Duration = Duration::from_secs(15);
/// Octets taken from the connection at once.
const CHUNK: usize = 64 * 1024;

/// What happened to a link.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LinkEvent {
    Connected,
    ConnectFailed(String),
    Received(Vec<u8>),
    Closed(String),
}

/// A connection that lives in a task of its own. Dropped, it sends what it was given and hangs up without another event.
#[derive(Debug)]
pub struct Link {
    octets: mpsc::UnboundedSender<Vec<u8>>,
}

impl Link {
    /// Connects, over a VRF's device where one is given; `event` makes of what happens whatever `events` carries.
    pub fn open<E: Send + 'static>(
        transport: Transport,
        device: Option<String>,
        events: mpsc::Sender<E>,
        event: impl Fn(LinkEvent) -> E + Send + Sync + 'static,
    ) -> Self {
        let (octets, queue) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            if let Some(last) = run(transport, device, queue, &events, &event).await {
                // Nobody listens any more where this fails.
                let _ = events.send(event(last)).await;
            }
        });
        Self { octets }
    }

    pub fn send(&self, octets: Vec<u8>) {
        // The task has told of its end where this fails.
        let _ = self.octets.send(octets);
    }
}

/// Both ends of a connection.
struct Connection {
    reader: Box<dyn AsyncRead + Send + Unpin>,
    writer: Box<dyn AsyncWrite + Send + Unpin>,
    /// The `ssh` that carries it; killed when dropped.
    child: Option<Child>,
}

/// The life of a connection; the last event, unless the link was dropped.
async fn run<E>(
    transport: Transport,
    device: Option<String>,
    mut queue: mpsc::UnboundedReceiver<Vec<u8>>,
    events: &mpsc::Sender<E>,
    event: &(impl Fn(LinkEvent) -> E + Send + Sync),
) -> Option<LinkEvent> {
    let connected = tokio::select! {
        connected = tokio::time::timeout(CONNECT, connect(&transport, device.as_deref())) => connected,
        _ = queue.recv() => return None,
    };
    let mut connection = match connected {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return Some(LinkEvent::ConnectFailed(error.to_string())),
        Err(_) => return Some(LinkEvent::ConnectFailed("timed out".into())),
    };
    events.send(event(LinkEvent::Connected)).await.ok()?;
    let mut buffer = vec![0; CHUNK];
    let ended = loop {
        tokio::select! {
            read = connection.reader.read(&mut buffer) => match read {
                Ok(0) => break "closed by the cache".to_owned(),
                Ok(count) => {
                    let octets = buffer.get(..count).unwrap_or_default().to_vec();
                    events.send(event(LinkEvent::Received(octets))).await.ok()?;
                }
                Err(error) => break error.to_string(),
            },
            octets = queue.recv() => match octets {
                None => {
                    // A farewell that the cache does not take is not worth waiting for.
                    let _ = tokio::time::timeout(Duration::from_secs(1), connection.writer.shutdown()).await;
                    return None;
                }
                Some(octets) => {
                    let write = connection.writer.write_all(&octets);
                    match tokio::time::timeout(CONNECT, write).await {
                        Ok(Ok(())) => {}
                        Ok(Err(error)) => break error.to_string(),
                        Err(_) => break "the cache takes nothing".to_owned(),
                    }
                }
            },
        }
    };
    Some(LinkEvent::Closed(reason(connection, ended).await))
}

/// Why `ssh` ended, in its own words where it has some.
async fn reason(mut connection: Connection, ended: String) -> String {
    let Some(stderr) = connection.child.as_mut().and_then(|child| child.stderr.take()) else { return ended };
    let mut said = Vec::new();
    let read = stderr.take(4096).read_to_end(&mut said).await;
    let said = String::from_utf8_lossy(&said);
    let last = said.lines().rfind(|line| !line.trim().is_empty());
    match (read, last) {
        (Ok(_), Some(line)) => line.trim().chars().filter(|c| !c.is_control()).collect(),
        _ => ended,
    }
}

async fn connect(transport: &Transport, device: Option<&str>) -> io::Result<Connection> {
    match &transport.kind {
        Kind::Tcp { password } => {
            let (reader, writer) = connect_tcp(transport, device, password.as_deref()).await?.into_split();
            Ok(Connection { reader: Box::new(reader), writer: Box::new(writer), child: None })
        }
        Kind::Ssh { .. } if device.is_some() => Err(io::Error::other("ssh cannot be bound to a VRF")),
        Kind::Ssh { user, key, known_hosts } => {
            let mut child = ssh(transport, user, key, known_hosts.as_deref()).spawn()?;
            let (Some(writer), Some(reader)) = (child.stdin.take(), child.stdout.take()) else {
                return Err(io::Error::other("ssh has no pipes"));
            };
            Ok(Connection { reader: Box::new(reader), writer: Box::new(writer), child: Some(child) })
        }
    }
}

async fn connect_tcp(
    transport: &Transport,
    device: Option<&str>,
    password: Option<&str>,
) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for addr in tokio::net::lookup_host((transport.host.as_str(), transport.port)).await? {
        if transport.source.is_some_and(|source| source.is_ipv4() != addr.is_ipv4()) {
            continue;
        }
        match connect_addr(addr, transport.source, device, password).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn connect_addr(
    addr: SocketAddr,
    source: Option<IpAddr>,
    device: Option<&str>,
    password: Option<&str>,
) -> io::Result<TcpStream> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_keepalive(true)?;
    socket.bind_device(device.map(str::as_bytes))?;
    if let Some(source) = source {
        socket.bind(SocketAddr::new(source, 0))?;
    }
    if let Some(password) = password {
        ferrite_sockopt::md5::set_key(&socket, ferrite_types::Prefix::host(addr.ip()), None, password)?;
    }
    socket.connect(addr).await
}

fn ssh(transport: &Transport, user: &str, key: &str, known_hosts: Option<&str>) -> Command {
    let mut command = Command::new("ssh");
    // Debian's ssh_config has LANG and LC_* sent along; StayRTR ends the connection of whoever sends it an environment.
    command.env_clear();
    command.envs(
        ["PATH", "HOME", "SSH_AUTH_SOCK"].iter().filter_map(|name| Some((name, std::env::var_os(name)?))),
    );
    for option in [
        "BatchMode=yes",
        "ConnectTimeout=10",
        "IdentitiesOnly=yes",
        "ServerAliveInterval=30",
        "ServerAliveCountMax=3",
        "StrictHostKeyChecking=yes",
        "LogLevel=ERROR",
    ] {
        command.args(["-o", option]);
    }
    if let Some(file) = known_hosts {
        // Quoted: the file's name may have blanks, which would otherwise part two files.
        command.arg("-o").arg(format!("UserKnownHostsFile=\"{file}\""));
    }
    if let Some(source) = transport.source {
        command.arg("-b").arg(source.to_string());
    }
    command.arg("-p").arg(transport.port.to_string()).args(["-l", user, "-i", key, "-T", "-s", "--"]);
    command.args([transport.host.as_str(), "rpki-rtr"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}
