//! TCP sockets inside a router's network, used from the test process (see `ns-sockets`).

use std::io::{IoSliceMut, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
use socket2::Socket;
use topotests::{Failure, Result, Router};

#[derive(Debug)]
pub struct Sockets {
    child: Child,
    ask: Mutex<UnixStream>,
}

impl Sockets {
    pub fn of(router: &Router) -> Result<Sockets> {
        // A host may listen on BGP's port without being root out here.
        let lift = "echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start";
        router.run("sh", &["-c", lift])?;
        let (ours, theirs) = UnixStream::pair()?;
        let mut cmd = router.host_command(&program()?.to_string_lossy());
        let child = cmd.stdin(OwnedFd::from(theirs)).stdout(Stdio::null()).spawn()?;
        Ok(Sockets { child, ask: Mutex::new(ours) })
    }

    /// A fresh socket of the address's family.
    pub fn tcp(&self, addr: IpAddr) -> Result<Socket> {
        self.asked(if addr.is_ipv4() { b"4" } else { b"6" })
    }

    /// For messages of ICMPv6 of one's own making; the kernel fills the checksum in.
    pub fn icmp6(&self) -> Result<Socket> {
        self.asked(b"r")
    }

    fn asked(&self, kind: &[u8; 1]) -> Result<Socket> {
        let mut ask = self.ask.lock().unwrap_or_else(PoisonError::into_inner);
        ask.write_all(kind)?;
        let mut octet = [0];
        let mut space = nix::cmsg_space!([RawFd; 1]);
        let mut parts = [IoSliceMut::new(&mut octet)];
        let answer = recvmsg::<()>(ask.as_raw_fd(), &mut parts, Some(&mut space), MsgFlags::MSG_CMSG_CLOEXEC)
            .map_err(|e| Failure::new(format!("ns-sockets: {e}")))?;
        let messages = answer.cmsgs().map_err(|e| Failure::new(format!("ns-sockets: {e}")))?;
        let fds = messages.filter_map(|message| match message {
            ControlMessageOwned::ScmRights(fds) => fds.first().copied(),
            _ => None,
        });
        let fd = fds.last().ok_or("ns-sockets sent no socket")?;
        Ok(Socket::from(received::owned(fd)))
    }

    /// A connection from one address to port 179 of another.
    pub fn connect(&self, local: IpAddr, remote: IpAddr) -> Result<TcpStream> {
        let socket = self.tcp(local)?;
        socket.bind(&SocketAddr::new(local, 0).into())?;
        socket.connect_timeout(&SocketAddr::new(remote, 179).into(), Duration::from_secs(5))?;
        socket.set_tcp_nodelay(true)?;
        Ok(socket.into())
    }

    /// Accepts on port 179.
    pub fn listen(&self, local: IpAddr) -> Result<Socket> {
        self.listen_on(local, 179)
    }

    pub fn listen_on(&self, local: IpAddr, port: u16) -> Result<Socket> {
        let socket = self.tcp(local)?;
        socket.set_reuse_address(true)?;
        socket.bind(&SocketAddr::new(local, port).into())?;
        socket.listen(8)?;
        Ok(socket)
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let near = own.ancestors().skip(1).take(2).map(|dir| dir.join("ns-sockets")).find(|path| path.is_file());
    near.ok_or_else(|| Failure::new(format!("ns-sockets is not beside {}", own.display())))
}

/// A descriptor that arrives in a control message is a plain number; only here it becomes something that is closed.
#[allow(unsafe_code)]
mod received {
    use std::os::fd::{FromRawFd, OwnedFd, RawFd};

    pub fn owned(fd: RawFd) -> OwnedFd {
        // SAFETY: the kernel has just made this descriptor for us and nobody else knows it.
        unsafe { OwnedFd::from_raw_fd(fd) }
    }
}
