//! The listening sockets: one per address family, or one per address given with `-l`; the same again for each VRF, bound to
//! its device. The default VRF's do not hear what comes in through a VRF.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bgp_core::InstanceId;
use bgp_core::peer::{Ends, Signing};
use ferrite_sockopt::md5;
use ferrite_types::Prefix;
use socket2::Domain;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::ao::Signed;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// A connection that a neighbour, or somebody else, has made.
#[derive(Debug)]
pub struct Incoming {
    pub stream: TcpStream,
    pub ends: Ends,
    /// Whose listener it was.
    pub listener: InstanceId,
}

#[derive(Debug)]
pub struct Listeners {
    owner: InstanceId,
    sockets: Vec<(Arc<TcpListener>, AbortHandle)>,
    /// Set on sockets that are opened later as well.
    keys: BTreeMap<Prefix, Signing>,
    /// Keys of TCP-AO by network, on each socket that could be given them.
    signed: HashMap<(Prefix, usize), Signed>,
}

impl Listeners {
    pub fn new(owner: InstanceId) -> Self {
        Self { owner, sockets: Vec::new(), keys: BTreeMap::new(), signed: HashMap::new() }
    }

    /// Opens the sockets and passes on what they accept. Without addresses: every address of both families; a host
    /// without IPv6 does without it.
    pub fn open(
        &mut self,
        addresses: &[IpAddr],
        port: u16,
        device: Option<&str>,
        incoming: &mpsc::Sender<Incoming>,
    ) -> io::Result<()> {
        self.close();
        let any = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
        for addr in if addresses.is_empty() { &any[..] } else { addresses } {
            match open_one(SocketAddr::new(*addr, port), device) {
                Ok(listener) => {
                    let listener = Arc::new(listener);
                    let task = tokio::spawn(accept(self.owner, Arc::clone(&listener), incoming.clone()));
                    self.sockets.push((listener, task.abort_handle()));
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
        let keys = std::mem::take(&mut self.keys);
        keys.into_iter().for_each(|(addr, key)| self.set_signing(addr, Some(key)));
        Ok(())
    }

    /// Listens no longer; the keys are kept.
    pub fn close(&mut self) {
        self.sockets.drain(..).for_each(|(_, task)| task.abort());
        self.signed.clear();
    }

    /// How connections from `network` must be signed; `None`: not at all.
    pub fn set_signing(&mut self, network: Prefix, signing: Option<Signing>) {
        let before = match &signing {
            Some(signing) => self.keys.insert(network, signing.clone()),
            None => self.keys.remove(&network),
        };
        let suitable = |socket: &Arc<TcpListener>| {
            socket.local_addr().is_ok_and(|local| local.is_ipv4() == network.addr().is_ipv4())
        };
        let sockets = self.sockets.iter().map(|(socket, _)| socket).enumerate();
        for (at, socket) in sockets.filter(|(_, socket)| suitable(socket)) {
            let signed = &mut self.signed;
            let mut apply = || -> io::Result<()> {
                // A network has keys of one kind.
                match (&before, &signing) {
                    (Some(Signing::Md5(_)), None | Some(Signing::Ao(_))) => {
                        md5::set_key(socket.as_ref(), network, None, "")?;
                    }
                    (Some(Signing::Ao(_)), None | Some(Signing::Md5(_))) => {
                        signed.remove(&(network, at)).map_or(Ok(()), |mut old| old.clear(socket.as_ref()))?;
                    }
                    _ => {}
                }
                match &signing {
                    Some(Signing::Md5(key)) => md5::set_key(socket.as_ref(), network, None, key),
                    Some(Signing::Ao(chain)) => {
                        let mut keys = signed
                            .remove(&(network, at))
                            .unwrap_or_else(|| Signed::listener(network, Arc::clone(chain)));
                        keys.follow(Arc::clone(chain));
                        keys.refresh(socket.as_ref())?;
                        signed.insert((network, at), keys);
                        Ok(())
                    }
                    None => Ok(()),
                }
            };
            if let Err(error) = apply() {
                tracing::error!("{network}: cannot set the key of the listener: {error}");
            }
        }
    }

    /// What a connection from there has of TCP-AO; `None` where no listener could be given the keys.
    pub fn accepted_keys(&self, addr: IpAddr) -> Option<Signed> {
        let addr = addr.to_canonical();
        let fits = self.signed.iter().filter(|((network, _), _)| network.contains(addr));
        fits.max_by_key(|((network, _), _)| network.len()).map(|(_, signed)| signed.accepted())
    }

    /// Keys come and go with their times.
    pub fn refresh_keys(&mut self) {
        for ((_, at), signed) in &mut self.signed {
            if let Some((socket, _)) = self.sockets.get(*at) {
                signed.keep(socket.as_ref());
            }
        }
    }

    pub fn has_keys_with_times(&self) -> bool {
        !self.signed.is_empty()
    }
}

/// Of the kernel's answers to connections: a neighbour with `ttl-security` looks at nothing less (RFC 5082).
const TTL: u32 = 255;

fn open_one(addr: SocketAddr, device: Option<&str>) -> io::Result<TcpListener> {
    let socket = super::place::tcp(Domain::for_address(addr), device)?;
    socket.set_nonblocking(true)?;
    socket.set_reuse_address(true)?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
        socket.set_tclass_v6(48 << 2)?;
        socket.set_unicast_hops_v6(TTL)?;
    } else {
        socket.set_tos_v4(48 << 2)?;
        socket.set_ttl_v4(TTL)?;
    }
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

async fn accept(owner: InstanceId, listener: Arc<TcpListener>, incoming: mpsc::Sender<Incoming>) {
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => {
                // A connection that is gone already is nobody's loss.
                let Ok(local) = stream.local_addr() else { continue };
                if incoming
                    .send(Incoming { stream, ends: Ends { local, remote }, listener: owner })
                    .await
                    .is_err()
                {
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
