//! Running as the user `frr` with just the capabilities that routing needs.
//!
//! Happens before any thread exists, since capabilities belong to threads. Where the user does not exist, or we are not
//! root, the program goes on as it is.

use std::io;

use caps::{CapSet, Capability, CapsHashSet};
use nix::unistd::{Gid, Group, Uid, User, setgid, setgroups, setuid};

/// Kept when root is given up: sockets below port 1024, raw sockets, routes and interfaces, namespaces.
const KEPT: [Capability; 4] = [
    Capability::CAP_NET_BIND_SERVICE,
    Capability::CAP_NET_ADMIN,
    Capability::CAP_NET_RAW,
    Capability::CAP_SYS_ADMIN,
];

/// The owners that sockets and directories get.
#[derive(Debug, Clone, Copy, Default)]
pub struct Owners {
    pub user: Option<Uid>,
    pub group: Option<Gid>,
    /// Group `frrvty`: whoever may use vtysh.
    pub vty: Option<Gid>,
}

impl Owners {
    pub fn find(user: &str, group: &str) -> Self {
        let group_of = |name: &str| Group::from_name(name).ok().flatten().map(|group| group.gid);
        Owners {
            user: User::from_name(user).ok().flatten().map(|user| user.uid),
            group: group_of(group),
            vty: group_of("frrvty"),
        }
    }
}

/// Gives up root. `Ok(false)` when there was nothing to give up or nobody to become.
pub fn drop_root(owners: Owners) -> io::Result<bool> {
    let (Some(user), Some(group)) = (owners.user, owners.group) else { return Ok(false) };
    if !Uid::effective().is_root() || user.is_root() {
        return Ok(false);
    }
    let held = caps::read(None, CapSet::Permitted).map_err(io::Error::other)?;
    let kept: CapsHashSet = KEPT.into_iter().filter(|capability| held.contains(capability)).collect();
    let groups: Vec<Gid> = owners.vty.into_iter().chain([group]).collect();
    if setgroups(&groups).is_err() || setgid(group).is_err() {
        // A user namespace without that group: there is no root to give up either.
        return Ok(false);
    }
    caps::securebits::set_keepcaps(true).map_err(io::Error::other)?;
    setuid(user)?;
    caps::set(None, CapSet::Permitted, &kept).map_err(io::Error::other)?;
    caps::set(None, CapSet::Effective, &kept).map_err(io::Error::other)?;
    Ok(true)
}
