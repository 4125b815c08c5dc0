//! One raw socket: OSPF of one version in one VRF (RFC 2328 §A.1, RFC 5340 §A.1).
//!
//! A task reads it and hands packets on in bounded numbers: where the loop does not keep up, the kernel's buffer fills, and
//! what does not fit is lost, as on any link; timers are not kept waiting.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use bytes::Bytes;
use ferrite_ospf_control::SocketTerms;
use ferrite_types::IfIndex;
use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrIn, SockaddrIn6, recvmsg, sendmsg, setsockopt,
    sockopt,
};
use socket2::{Domain, Protocol, SockFilter, SockRef, Socket, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// OSPFIGP.
const PROTOCOL: i32 = 89;
/// Octets; what neighbours flood while we compute waits in it.
const RECEIVE_BUFFER: usize = 8 << 20;
const SEND_BUFFER: usize = 4 << 20;
/// The kernel counts in signed numbers, and doubles what it is told.
const LARGEST_BUFFER: u32 = 1 << 30;
/// Longer packets are cut, and refused for it.
const LONGEST: usize = 65_536;
/// Internetwork control.
const TRAFFIC_CLASS: u32 = 0xc0;

/// A packet without its IP header.
#[derive(Debug)]
pub struct Packet {
    pub version: u8,
    pub ifindex: IfIndex,
    pub source: IpAddr,
    pub destination: IpAddr,
    pub octets: Bytes,
}

#[derive(Debug)]
pub struct OspfSocket {
    /// The runtime knows sockets of datagrams as UDP's; nothing of UDP is used.
    fd: Arc<UdpSocket>,
    reader: AbortHandle,
    sender: Sender,
}

impl Drop for OspfSocket {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl OspfSocket {
    /// Opens a socket and begins to read. With a device, of that VRF.
    pub fn open(version: u8, terms: &SocketTerms, packets: mpsc::Sender<Packet>) -> io::Result<Self> {
        let socket = raw(version, terms.device.as_deref())?;
        hear(&socket, version)?;
        let sender = Sender(socket.try_clone()?);
        let fd = std::net::UdpSocket::from(OwnedFd::from(socket));
        let fd = Arc::new(UdpSocket::from_std(fd)?);
        let task = tokio::spawn(read(Arc::clone(&fd), version, packets));
        let open = Self { fd, reader: task.abort_handle(), sender };
        open.set_buffers(terms)?;
        Ok(open)
    }

    /// What is said, or as much as we take by ourselves; more than the system allows where we may.
    pub fn set_buffers(&self, terms: &SocketTerms) -> io::Result<()> {
        let octets = |said: Option<u32>, own: usize| {
            said.map_or(own, |octets| usize::try_from(octets.min(LARGEST_BUFFER)).unwrap_or(own))
        };
        let socket = SockRef::from(&*self.fd);
        let receive = octets(terms.receive, RECEIVE_BUFFER);
        if setsockopt(&*self.fd, sockopt::RcvBufForce, &receive).is_err() {
            socket.set_recv_buffer_size(receive)?;
        }
        let send = octets(terms.send, SEND_BUFFER);
        if setsockopt(&*self.fd, sockopt::SndBufForce, &send).is_err() {
            socket.set_send_buffer_size(send)?;
        }
        Ok(())
    }

    /// For links that have no socket of their own.
    pub fn sender(&self) -> &Sender {
        &self.sender
    }
}

/// A socket that packets are sent by.
#[derive(Debug)]
pub struct Sender(Socket);

impl Sender {
    /// A socket for one link of OSPFv2. It hears nothing.
    pub fn of_link(terms: &SocketTerms) -> io::Result<Self> {
        let socket = raw(2, terms.device.as_deref())?;
        // The kernel would queue for it what nobody reads.
        let refuse = SockFilter::new(u16::try_from(libc::BPF_RET).unwrap_or_default(), 0, 0, 0);
        socket.attach_filter(&[refuse])?;
        if let Some(octets) = terms.send {
            socket
                .set_send_buffer_size(usize::try_from(octets.min(LARGEST_BUFFER)).unwrap_or(SEND_BUFFER))?;
        }
        Ok(Self(socket))
    }

    /// Sends a packet from an address out of a link.
    pub fn send(
        &self,
        ifindex: IfIndex,
        source: IpAddr,
        destination: IpAddr,
        octets: &[u8],
        routed: bool,
    ) -> io::Result<()> {
        let parts = [IoSlice::new(octets)];
        let fd = self.0.as_raw_fd();
        // A packet to a neighbour on the link goes no further; over a virtual link it crosses routers.
        let ttl: libc::c_int = if routed { 64 } else { 1 };
        match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let info = libc::in_pktinfo {
                    ipi_ifindex: if routed { 0 } else { index(ifindex) },
                    ipi_spec_dst: libc::in_addr { s_addr: u32::from_ne_bytes(source.octets()) },
                    ipi_addr: libc::in_addr { s_addr: 0 },
                };
                let to = SockaddrIn::from(SocketAddrV4::new(destination, 0));
                let control = [ControlMessage::Ipv4PacketInfo(&info), ControlMessage::Ipv4Ttl(&ttl)];
                sendmsg(fd, &parts, &control, MsgFlags::MSG_DONTWAIT, Some(&to))?;
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                let info = libc::in6_pktinfo {
                    ipi6_addr: libc::in6_addr { s6_addr: source.octets() },
                    ipi6_ifindex: if routed { 0 } else { ifindex.0 },
                };
                let scope = if routed { 0 } else { ifindex.0 };
                let to = SockaddrIn6::from(SocketAddrV6::new(destination, 0, 0, scope));
                let control = [ControlMessage::Ipv6PacketInfo(&info), ControlMessage::Ipv6HopLimit(&ttl)];
                sendmsg(fd, &parts, &control, MsgFlags::MSG_DONTWAIT, Some(&to))?;
            }
            _ => return Err(io::Error::from(io::ErrorKind::InvalidInput)),
        }
        Ok(())
    }
}

fn index(ifindex: IfIndex) -> libc::c_int {
    libc::c_int::try_from(ifindex.0).unwrap_or_default()
}

/// A raw socket that may send.
fn raw(version: u8, device: Option<&str>) -> io::Result<Socket> {
    let domain = if version == 2 { Domain::IPV4 } else { Domain::IPV6 };
    let socket = Socket::new(domain, Type::RAW.nonblocking(), Some(Protocol::from(PROTOCOL)))?;
    if let Some(device) = device {
        socket.bind_device(Some(device.as_bytes()))?;
    }
    if version == 2 {
        socket.set_multicast_loop_v4(false)?;
        socket.set_multicast_ttl_v4(1)?;
        socket.set_tos_v4(TRAFFIC_CLASS)?;
    } else {
        socket.set_multicast_loop_v6(false)?;
        socket.set_multicast_hops_v6(1)?;
        socket.set_tclass_v6(TRAFFIC_CLASS)?;
        // The checksum is left to the codec: signed packets have none, and the kernel would put one in (RFC 7166 §4.5).
    }
    Ok(socket)
}

/// Packets come with the link that they came in on.
fn hear(socket: &Socket, version: u8) -> io::Result<()> {
    if version == 2 {
        setsockopt(socket, sockopt::Ipv4PacketInfo, &true)?;
    } else {
        setsockopt(socket, sockopt::Ipv6RecvPacketInfo, &true)?;
    }
    Ok(())
}

async fn read(fd: Arc<UdpSocket>, version: u8, packets: mpsc::Sender<Packet>) {
    let mut buffer = vec![0; LONGEST];
    loop {
        let received = fd.async_io(Interest::READABLE, || Ok(receive(&fd, version, &mut buffer)?)).await;
        match received {
            Ok(Some(packet)) => {
                if packets.send(packet).await.is_err() {
                    return;
                }
            }
            Ok(None) => {}
            Err(error) if is_passing(&error) => {}
            Err(error) => {
                tracing::error!(%error, version, "OSPF packets are no longer heard");
                return;
            }
        }
    }
}

/// Of a link or of a moment, not of the socket.
fn is_passing(error: &io::Error) -> bool {
    let passing = [Errno::EINTR, Errno::ENETDOWN, Errno::ENOBUFS, Errno::ENOMEM, Errno::ENETUNREACH];
    error.raw_os_error().is_some_and(|code| passing.contains(&Errno::from_raw(code)))
}

fn receive(fd: &UdpSocket, version: u8, buffer: &mut [u8]) -> Result<Option<Packet>, Errno> {
    if version == 2 { receive_v4(fd, buffer) } else { receive_v6(fd, buffer) }
}

fn receive_v4(fd: &UdpSocket, buffer: &mut [u8]) -> Result<Option<Packet>, Errno> {
    let mut control = nix::cmsg_space!(libc::in_pktinfo);
    let (ifindex, length) = {
        let mut parts = [IoSliceMut::new(buffer)];
        let flags = MsgFlags::MSG_DONTWAIT;
        let message = recvmsg::<SockaddrIn>(fd.as_raw_fd(), &mut parts, Some(&mut control), flags)?;
        let ifindex = message.cmsgs()?.find_map(|part| match part {
            ControlMessageOwned::Ipv4PacketInfo(info) => u32::try_from(info.ipi_ifindex).ok(),
            _ => None,
        });
        (ifindex, message.bytes)
    };
    Ok(ifindex.and_then(|ifindex| without_header(IfIndex(ifindex), buffer.get(..length)?)))
}

/// Cuts the IP header off, and what stands behind the datagram's end.
fn without_header(ifindex: IfIndex, datagram: &[u8]) -> Option<Packet> {
    let header = usize::from(datagram.first()? & 0x0f) * 4;
    let address = |at: usize| {
        let octets: [u8; 4] = datagram.get(at..at + 4)?.try_into().ok()?;
        Some(IpAddr::V4(Ipv4Addr::from(octets)))
    };
    let total = usize::from(u16::from_be_bytes(datagram.get(2..4)?.try_into().ok()?));
    let octets = datagram.get(header..total.min(datagram.len()))?;
    (header >= 20).then_some(())?;
    Some(Packet {
        version: 2,
        ifindex,
        source: address(12)?,
        destination: address(16)?,
        octets: Bytes::copy_from_slice(octets),
    })
}

fn receive_v6(fd: &UdpSocket, buffer: &mut [u8]) -> Result<Option<Packet>, Errno> {
    let mut control = nix::cmsg_space!(libc::in6_pktinfo);
    let (info, source, length) = {
        let mut parts = [IoSliceMut::new(buffer)];
        let flags = MsgFlags::MSG_DONTWAIT;
        let message = recvmsg::<SockaddrIn6>(fd.as_raw_fd(), &mut parts, Some(&mut control), flags)?;
        let info = message.cmsgs()?.find_map(|part| match part {
            ControlMessageOwned::Ipv6PacketInfo(info) => Some(info),
            _ => None,
        });
        (info, message.address.map(|address| address.ip()), message.bytes)
    };
    let packet = || {
        let (info, source) = (info?, source?);
        Some(Packet {
            version: 3,
            ifindex: IfIndex(info.ipi6_ifindex),
            source: IpAddr::V6(source),
            destination: IpAddr::V6(info.ipi6_addr.s6_addr.into()),
            octets: Bytes::copy_from_slice(buffer.get(..length)?),
        })
    };
    Ok(packet())
}

/// A raw socket that nothing is read from: it holds memberships.
pub fn idle(version: u8, device: Option<&str>) -> io::Result<Socket> {
    let domain = if version == 2 { Domain::IPV4 } else { Domain::IPV6 };
    let socket = Socket::new(domain, Type::DGRAM, None)?;
    if let Some(device) = device {
        SockRef::from(&socket).bind_device(Some(device.as_bytes()))?;
    }
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_cut_off_whatever_it_says() {
        let mut datagram = vec![0x45, 0, 0, 24, 0, 0, 0, 0, 1, 89, 0, 0, 10, 0, 0, 1, 224, 0, 0, 5];
        datagram.extend([1, 2, 3, 4, 0, 0]);
        let packet = without_header(IfIndex(3), &datagram).unwrap();
        assert_eq!(packet.octets.as_ref(), [1, 2, 3, 4]);
        assert_eq!(packet.destination.to_string(), "224.0.0.5");
        for damaged in [&datagram[..3], &datagram[..19], &[0x4f; 24][..], &[0x41; 24][..], &[][..]] {
            assert!(without_header(IfIndex(3), damaged).is_none());
        }
    }
}
