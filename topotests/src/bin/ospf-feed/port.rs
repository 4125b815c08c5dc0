//! A raw socket on one link: OSPF over IPv4 or IPv6, whichever version the router speaks.

use std::io::{self, ErrorKind, IoSliceMut, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};
use std::os::fd::AsRawFd;
use std::time::Duration;

use bytes::Bytes;
use nix::libc;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrIn6, recvmsg, setsockopt, sockopt};
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};

const DESIGNATED: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 6);
const DESIGNATED_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 6);

/// A packet without its IP header.
pub struct Packet {
    pub source: IpAddr,
    pub destination: IpAddr,
    pub octets: Bytes,
}

pub struct Port {
    socket: Socket,
    index: u32,
}

impl Port {
    /// Opens a socket that speaks from an address and hears a group.
    pub fn open(interface: &str, index: u32, own: IpAddr, group: IpAddr) -> io::Result<Self> {
        let domain = if own.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
        let socket = Socket::new(domain, Type::RAW, Some(Protocol::from(89)))?;
        socket.bind_device(Some(interface.as_bytes()))?;
        socket.set_recv_buffer_size(8 << 20)?;
        socket.set_send_buffer_size(8 << 20)?;
        match (own, group) {
            (IpAddr::V4(own), IpAddr::V4(group)) => {
                socket.set_multicast_if_v4(&own)?;
                socket.set_multicast_loop_v4(false)?;
                socket.set_multicast_ttl_v4(1)?;
                socket.set_ttl_v4(1)?;
                socket.join_multicast_v4_n(&group, &InterfaceIndexOrAddress::Index(index))?;
            }
            (IpAddr::V6(_), IpAddr::V6(group)) => {
                socket.set_multicast_if_v6(index)?;
                socket.set_multicast_loop_v6(false)?;
                socket.set_multicast_hops_v6(1)?;
                socket.set_unicast_hops_v6(1)?;
                setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
                socket.join_multicast_v6(&group, index)?;
            }
            _ => return Err(io::Error::from(ErrorKind::InvalidInput)),
        }
        Ok(Self { socket, index })
    }

    pub fn send(&self, to: IpAddr, octets: &[u8]) {
        let to = match to {
            IpAddr::V4(to) => SocketAddrV4::new(to, 0).into(),
            IpAddr::V6(to) => SocketAddrV6::new(to, 0, 0, self.index).into(),
        };
        // A full buffer is a lost packet, as on any link.
        let _ = self.socket.send_to(octets, &to);
    }

    /// Whether to hear what is sent to designated routers. It may be a member already; that is as good.
    pub fn designated(&self, v6: bool, member: bool) {
        let index = InterfaceIndexOrAddress::Index(self.index);
        let _ = match (v6, member) {
            (false, true) => self.socket.join_multicast_v4_n(&DESIGNATED, &index),
            (false, false) => self.socket.leave_multicast_v4_n(&DESIGNATED, &index),
            (true, true) => self.socket.join_multicast_v6(&DESIGNATED_V6, self.index),
            (true, false) => self.socket.leave_multicast_v6(&DESIGNATED_V6, self.index),
        };
    }

    /// The next packet, if one comes within the time.
    pub fn receive(&self, v6: bool, wait: Duration, buffer: &mut [u8]) -> io::Result<Option<Packet>> {
        self.socket.set_read_timeout(Some(wait))?;
        let received = if v6 { self.receive_v6(buffer) } else { self.receive_v4(buffer) };
        match received {
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) =>
            {
                Ok(None)
            }
            other => other,
        }
    }

    fn receive_v4(&self, buffer: &mut [u8]) -> io::Result<Option<Packet>> {
        let len = (&self.socket).read(buffer)?;
        let octets = buffer.get(..len).unwrap_or_default();
        let header = octets.first().map_or(0, |first| usize::from(first & 15) * 4);
        let address = |at: usize| {
            let four = octets.get(at..at + 4).and_then(|four| <[u8; 4]>::try_from(four).ok());
            four.map(|four| IpAddr::from(Ipv4Addr::from(four)))
        };
        let packet = || {
            let octets = Bytes::copy_from_slice(octets.get(header..)?);
            Some(Packet { source: address(12)?, destination: address(16)?, octets })
        };
        Ok(packet())
    }

    fn receive_v6(&self, buffer: &mut [u8]) -> io::Result<Option<Packet>> {
        let mut control = nix::cmsg_space!(libc::in6_pktinfo);
        let (destination, source, len) = {
            let mut parts = [IoSliceMut::new(buffer)];
            let fd = self.socket.as_raw_fd();
            let message = recvmsg::<SockaddrIn6>(fd, &mut parts, Some(&mut control), MsgFlags::empty())?;
            let info = message.cmsgs()?.find_map(|part| match part {
                ControlMessageOwned::Ipv6PacketInfo(info) => Some(Ipv6Addr::from(info.ipi6_addr.s6_addr)),
                _ => None,
            });
            (info, message.address.map(|address| address.ip()), message.bytes)
        };
        let packet = || {
            let octets = Bytes::copy_from_slice(buffer.get(..len)?);
            Some(Packet { source: source?.into(), destination: destination?.into(), octets })
        };
        Ok(packet())
    }
}

/// The link-local address of an interface, as the kernel made it.
pub fn link_local(interface: &str) -> Option<Ipv6Addr> {
    let all = nix::ifaddrs::getifaddrs().ok()?;
    all.filter(|entry| entry.interface_name == interface).find_map(|entry| {
        let address = entry.address?.as_sockaddr_in6()?.ip();
        (address.segments().first()? & 0xffc0 == 0xfe80).then_some(address)
    })
}
