//! Memberships in AllSPFRouters and AllDRouters. The kernel lets a socket be a member of few groups
//! (`net.ipv4.igmp_max_memberships`, 20), and hands what any socket of the host is a member of to all raw sockets: so
//! memberships are spread over as many sockets as they need, and the one that reads has none.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;

use ferrite_types::IfIndex;
use socket2::{InterfaceIndexOrAddress, Socket};

use crate::socket::idle;

#[derive(Debug, Default)]
pub struct Groups {
    sockets: Vec<Socket>,
    /// Which of the sockets has a membership.
    members: BTreeMap<(IfIndex, IpAddr), usize>,
}

impl Groups {
    pub fn join(
        &mut self,
        version: u8,
        device: Option<&str>,
        ifindex: IfIndex,
        group: IpAddr,
    ) -> io::Result<()> {
        if self.members.contains_key(&(ifindex, group)) {
            return Ok(());
        }
        for (at, socket) in self.sockets.iter().enumerate() {
            match change(socket, ifindex, group, true) {
                Ok(()) => {
                    self.members.insert((ifindex, group), at);
                    return Ok(());
                }
                // This one is full.
                Err(error) if is_full(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let socket = idle(version, device)?;
        change(&socket, ifindex, group, true)?;
        self.members.insert((ifindex, group), self.sockets.len());
        self.sockets.push(socket);
        Ok(())
    }

    /// A link that is gone has taken its memberships with it.
    pub fn leave(&mut self, ifindex: IfIndex, group: IpAddr) {
        let Some(at) = self.members.remove(&(ifindex, group)) else { return };
        if let Some(Err(error)) = self.sockets.get(at).map(|socket| change(socket, ifindex, group, false)) {
            tracing::debug!(%error, %ifindex, %group, "cannot leave a group");
        }
    }
}

fn change(socket: &Socket, ifindex: IfIndex, group: IpAddr, join: bool) -> io::Result<()> {
    let link = InterfaceIndexOrAddress::Index(ifindex.0);
    let result = match (group, join) {
        (IpAddr::V4(group), true) => socket.join_multicast_v4_n(&group, &link),
        (IpAddr::V4(group), false) => socket.leave_multicast_v4_n(&group, &link),
        (IpAddr::V6(group), true) => socket.join_multicast_v6(&group, ifindex.0),
        (IpAddr::V6(group), false) => socket.leave_multicast_v6(&group, ifindex.0),
    };
    match result {
        // It is one already, as of a link that went and came back.
        Err(error) if join && error.kind() == io::ErrorKind::AddrInUse => Ok(()),
        result => result,
    }
}

fn is_full(error: &io::Error) -> bool {
    let full = [nix::libc::ENOBUFS, nix::libc::ENOMEM];
    error.raw_os_error().is_some_and(|code| full.contains(&code))
}
