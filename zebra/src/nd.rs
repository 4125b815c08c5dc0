//! The socket of neighbour discovery: sends router advertisements, and hears advertisements and solicitations of every link
//! with the hop limit they came with (RFC 3542 §4, §6). What they mean is the core's business.
//!
//! A thread reads; where the loop does not keep up, what comes is dropped: the next advertisement comes soon enough.
//! Where VRFs are namespaces, each has a socket of its own, which goes with it.

use std::io::{self, IoSliceMut};
use std::net::{Ipv6Addr, SocketAddrV6};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ferrite_types::IfIndex;
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn6, recvmsg,
    sendto, setsockopt, socket, sockopt,
};
use nix::sys::time::TimeVal;
use tokio::sync::mpsc;
use zebra_core::{Event, Netns};

const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);
/// Longer messages are cut: no link's advertisement is that long.
const LONGEST: usize = 9216;

/// The message types that the kernel passes on.
#[allow(unsafe_code, reason = "the option of RFC 3542 §3.2 is not among those of nix")]
mod filter {
    use std::io;
    use std::os::fd::{AsRawFd as _, OwnedFd};

    use nix::libc;

    /// `ICMPV6_FILTER` of Linux.
    const ICMPV6_FILTER: libc::c_int = 1;

    /// Lets nothing but router solicitations and advertisements through.
    pub fn set(fd: &OwnedFd) -> io::Result<()> {
        let blocked = routers_only();
        let length = libc::socklen_t::try_from(size_of_val(&blocked)).unwrap_or_default();
        // SAFETY: the kernel reads `length` octets from where the array begins, and keeps no reference to it.
        let result = unsafe {
            libc::setsockopt(
                fd.as_raw_fd(),
                libc::IPPROTO_ICMPV6,
                ICMPV6_FILTER,
                blocked.as_ptr().cast(),
                length,
            )
        };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// A bit per type that is blocked: all but router solicitations (133) and advertisements (134).
    fn routers_only() -> [u32; 8] {
        let mut blocked = [u32::MAX; 8];
        for kind in [133_usize, 134] {
            if let Some(word) = blocked.get_mut(kind / 32) {
                *word &= !(1 << (kind % 32));
            }
        }
        blocked
    }
}

/// The sending end; the receiving end is a thread's.
#[derive(Debug)]
pub struct NdSocket {
    fd: Arc<OwnedFd>,
    end: Arc<AtomicBool>,
}

impl Drop for NdSocket {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
    }
}

/// How often a thread looks whether its socket is still wanted.
const LOOK_EVERY: TimeVal = TimeVal::new(1, 0);

impl NdSocket {
    /// Opens the socket and follows it until nobody listens. Without IPv6, or without the right to a raw socket, zebra
    /// does without router advertisements.
    pub fn start(netns: Netns, events: mpsc::Sender<Vec<Event>>) -> Option<Self> {
        let opened = open().and_then(|fd| {
            let (fd, end) = (Arc::new(fd), Arc::new(AtomicBool::new(false)));
            let (reader, flag) = (Arc::clone(&fd), Arc::clone(&end));
            std::thread::Builder::new().name("nd".to_owned()).spawn(move || {
                if let Err(error) = read(netns, &reader, &flag, &events) {
                    tracing::error!(%error, "router advertisements are no longer heard");
                }
            })?;
            Ok(Self { fd, end })
        });
        opened
            .inspect_err(|error| tracing::warn!(%error, "no router advertisements: cannot open the socket"))
            .ok()
    }

    /// To all nodes of a link.
    pub fn advertise(&self, ifindex: IfIndex, octets: &[u8]) -> io::Result<()> {
        let to = SockaddrIn6::from(SocketAddrV6::new(ALL_NODES, 0, 0, ifindex.in_kernel().0));
        sendto(self.fd.as_raw_fd(), octets, &to, MsgFlags::MSG_DONTWAIT)?;
        Ok(())
    }

    /// Joins or leaves the group of all routers on a link.
    pub fn hear_solicitations(&self, ifindex: IfIndex, on: bool) {
        let socket = socket2::SockRef::from(&*self.fd);
        let changed = if on {
            socket.join_multicast_v6(&ALL_ROUTERS, ifindex.in_kernel().0)
        } else {
            socket.leave_multicast_v6(&ALL_ROUTERS, ifindex.in_kernel().0)
        };
        // A link that is gone has taken the membership with it; one that came back may have it still.
        if let Err(error) = changed {
            tracing::debug!(target: "zebra::events", %error, %ifindex, on, "the group of all routers");
        }
    }
}

fn open() -> io::Result<OwnedFd> {
    let fd = socket(AddressFamily::Inet6, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::IcmpV6)?;
    filter::set(&fd)?;
    setsockopt(&fd, sockopt::Ipv6RecvPacketInfo, &true)?;
    setsockopt(&fd, sockopt::Ipv6RecvHopLimit, &true)?;
    setsockopt(&fd, sockopt::ReceiveTimeout, &LOOK_EVERY)?;
    // RFC 4861 §6.1.2: anything but 255 has come from afar.
    socket2::SockRef::from(&fd).set_multicast_hops_v6(255)?;
    socket2::SockRef::from(&fd).set_unicast_hops_v6(255)?;
    socket2::SockRef::from(&fd).set_multicast_loop_v6(false)?;
    Ok(fd)
}

fn read(netns: Netns, fd: &OwnedFd, end: &AtomicBool, events: &mpsc::Sender<Vec<Event>>) -> io::Result<()> {
    let mut buffer = vec![0; LONGEST];
    let mut control = nix::cmsg_space!(nix::libc::in6_pktinfo, nix::libc::c_int);
    while !end.load(Ordering::Relaxed) {
        let (event, length) = {
            let mut parts = [IoSliceMut::new(&mut buffer)];
            let received =
                recvmsg::<SockaddrIn6>(fd.as_raw_fd(), &mut parts, Some(&mut control), MsgFlags::empty());
            let message = match received {
                Ok(message) => message,
                Err(Errno::EINTR | Errno::EAGAIN | Errno::ENETDOWN | Errno::ENOBUFS | Errno::ENOMEM) => {
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let (mut ifindex, mut hop_limit) = (None, None);
            for part in message.cmsgs()? {
                match part {
                    ControlMessageOwned::Ipv6PacketInfo(info) => {
                        ifindex = Some(info.ipi6_ifindex);
                    }
                    ControlMessageOwned::Ipv6HopLimit(limit) => hop_limit = u8::try_from(limit).ok(),
                    _ => {}
                }
            }
            let (Some(ifindex), Some(source)) = (ifindex, message.address) else { continue };
            ((IfIndex(ifindex), source.ip(), hop_limit), message.bytes)
        };
        let (ifindex, source, hop_limit) = event;
        let octets = buffer.get(..length).unwrap_or_default().to_vec();
        let heard = netns.hear(Event::Icmp6 { ifindex, source, hop_limit, octets });
        if let Err(mpsc::error::TrySendError::Closed(_)) = events.try_send(heard.into_iter().collect()) {
            return Ok(());
        }
    }
    Ok(())
}
