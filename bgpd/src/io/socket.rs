//! One connection's socket: made with the options that a neighbour's configuration asks for.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bgp_core::peer::{Signing, Transport, UpdateSource};
use ferrite_types::Prefix;
use socket2::{Domain, Socket, TcpKeepalive};
use tokio::net::{TcpSocket, TcpStream};

use super::ao::Signed;
use super::place;

/// Makes a connection. The kernel's own time limit applies; whoever waits may give up sooner.
pub async fn connect(transport: &Transport) -> io::Result<(TcpStream, Option<Signed>)> {
    let remote = remote_of(transport);
    let socket = place::tcp(Domain::for_address(remote), transport.device.as_deref())?;
    socket.set_nonblocking(true)?;
    apply(&socket, transport)?;
    let network = Prefix::host(remote.ip());
    let mut signed = None;
    match &transport.signing {
        Some(Signing::Md5(password)) => ferrite_sockopt::md5::set_key(&socket, network, None, password)?,
        Some(Signing::Ao(chain)) => {
            signed.insert(Signed::connection(network, Arc::clone(chain))).refresh(&socket)?;
        }
        None => {}
    }
    if let Some(mss) = transport.tcp_mss {
        socket.set_tcp_mss(mss.into())?;
    }
    match &transport.source {
        Some(UpdateSource::Address(addr)) => {
            socket.bind(&on_link(SocketAddr::new(*addr, 0), transport).into())?;
        }
        Some(UpdateSource::Interface(name)) => {
            let addr = address_of(name, remote.ip()).ok_or_else(|| {
                let text = format!("interface {name} has no address of the neighbour's family");
                io::Error::new(io::ErrorKind::AddrNotAvailable, text)
            })?;
            socket.bind(&on_link(SocketAddr::new(addr, 0), transport).into())?;
        }
        None => {}
    }
    Ok((TcpSocket::from_std_stream(socket.into()).connect(remote).await?, signed))
}

/// What applies to a connection whoever made it.
pub fn apply(socket: &Socket, transport: &Transport) -> io::Result<()> {
    let remote = transport.remote.ip();
    // RFC 5082 §3: what is checked on one side must be sent on the other.
    let ttl = if transport.ttl_security.is_some() { Some(255) } else { transport.ttl };
    let tos = u32::from(transport.dscp) << 2;
    match remote {
        IpAddr::V4(_) => {
            ttl.map_or(Ok(()), |ttl| socket.set_ttl_v4(ttl.into()))?;
            socket.set_tos_v4(tos)?;
        }
        IpAddr::V6(_) => {
            ttl.map_or(Ok(()), |ttl| socket.set_unicast_hops_v6(ttl.into()))?;
            socket.set_tclass_v6(tos)?;
        }
    }
    if let Some(security) = transport.ttl_security {
        ferrite_sockopt::set_min_ttl(socket, remote, 255 - security.hops.saturating_sub(1))?;
    }
    if let Some(keepalive) = transport.keepalive {
        let time = |secs: u16| Duration::from_secs(secs.into());
        let keepalive = TcpKeepalive::new()
            .with_time(time(keepalive.idle))
            .with_interval(time(keepalive.interval))
            .with_retries(keepalive.probes.into());
        socket.set_tcp_keepalive(&keepalive)?;
    }
    socket.set_tcp_nodelay(true)?;
    Ok(())
}

/// A link-local neighbour is one on an interface.
fn remote_of(transport: &Transport) -> SocketAddr {
    on_link(transport.remote, transport)
}

/// The address with the session's interface, where it means nothing without one.
fn on_link(addr: SocketAddr, transport: &Transport) -> SocketAddr {
    match (addr, transport.ifindex) {
        (SocketAddr::V6(mut addr), Some(ifindex)) if addr.ip().is_unicast_link_local() => {
            addr.set_scope_id(ifindex.in_kernel().0);
            addr.into()
        }
        (addr, _) => addr,
    }
}

/// The first address of an interface that is of `like`'s family; for IPv6 a global one before a link-local one.
fn address_of(interface: &str, like: IpAddr) -> Option<IpAddr> {
    let addresses = nix::ifaddrs::getifaddrs().ok()?;
    let of_interface = addresses.filter(|entry| entry.interface_name == interface).filter_map(|entry| {
        let address = entry.address?;
        match like {
            IpAddr::V4(_) => address.as_sockaddr_in().map(|addr| IpAddr::V4(addr.ip())),
            IpAddr::V6(_) => address.as_sockaddr_in6().map(|addr| IpAddr::V6(addr.ip())),
        }
    });
    of_interface.min_by_key(|addr| matches!(addr, IpAddr::V6(addr) if addr.is_unicast_link_local()))
}
