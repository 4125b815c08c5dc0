//! The listening sockets: one per address family, or one per address given with `-l`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bgp_core::peer::Ends;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::md5;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// A connection that a neighbour, or somebody else, has made.
#[derive(Debug)]
pub struct Incoming {
    pub stream: TcpStream,
    pub ends: Ends,
}

#[derive(Debug, Default)]
pub struct Listeners {
    sockets: Vec<Arc<TcpListener>>,
}

impl Listeners {
    /// Opens the sockets and passes on what they accept. Without addresses: every address of both families; a host
    /// without IPv6 does without it.
    pub fn open(addresses: &[IpAddr], port: u16, incoming: &mpsc::Sender<Incoming>) -> io::Result<Self> {
        let mut listeners = Self::default();
        let any = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
        for addr in if addresses.is_empty() { &any[..] } else { addresses } {
            match open_one(SocketAddr::new(*addr, port)) {
                Ok(listener) => {
                    let listener = Arc::new(listener);
                    tokio::spawn(accept(Arc::clone(&listener), incoming.clone()));
                    listeners.sockets.push(listener);
                }
                Err(error) if addresses.is_empty() && error.raw_os_error() == Some(libc::EAFNOSUPPORT) => {}
                Err(error) => {
                    return Err(io::Error::new(
                        error.kind(),
                        format!("cannot listen on {addr} port {port}: {error}"),
                    ));
                }
            }
        }
        Ok(listeners)
    }

    /// The key that connections from `addr` must be signed with; `None` takes it away.
    pub fn set_password(&self, addr: IpAddr, password: Option<String>) {
        let key = password.unwrap_or_default();
        let suitable = |socket: &Arc<TcpListener>| {
            socket.local_addr().is_ok_and(|local| local.is_ipv4() == addr.is_ipv4())
        };
        for socket in self.sockets.iter().filter(|socket| suitable(socket)) {
            if let Err(error) = md5::set_key(socket.as_ref(), addr, &key) {
                tracing::error!("{addr}: cannot set the TCP MD5 key of the listener: {error}");
            }
        }
    }
}

fn open_one(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_reuse_address(true)?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
        socket.set_tclass_v6(48 << 2)?;
    } else {
        socket.set_tos_v4(48 << 2)?;
    }
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

async fn accept(listener: Arc<TcpListener>, incoming: mpsc::Sender<Incoming>) {
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => {
                // A connection that is gone already is nobody's loss.
                let Ok(local) = stream.local_addr() else { continue };
                if incoming.send(Incoming { stream, ends: Ends { local, remote } }).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                // Out of descriptors, mostly: trying at once would only burn time.
                tracing::warn!("cannot accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}
