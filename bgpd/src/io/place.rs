//! Where a VRF's sockets are opened: bound to its device, or within the network namespace that it is.
//!
//! zebra tells which namespace a VRF is (`zebra -n`); everywhere else a VRF goes by its name.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use ferrite_types::zclient::FromZebra;
use socket2::{Domain, Protocol, Socket, Type};

/// Files of the namespaces of VRFs. Sockets of every instance and task ask for it, and it changes a few times in a daemon's life.
static NAMESPACES: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());

/// Notes what zebra says of VRFs.
pub fn learn(message: &FromZebra) {
    if let FromZebra::Vrf { name, netns, .. } = message {
        let mut namespaces = NAMESPACES.lock().unwrap_or_else(PoisonError::into_inner);
        match netns {
            Some(path) => drop(namespaces.insert(name.clone(), path.into())),
            None => drop(namespaces.remove(name)),
        }
    }
}

/// A TCP socket of a VRF, or of the default one.
pub fn tcp(domain: Domain, vrf: Option<&str>) -> io::Result<Socket> {
    let open = || Socket::new(domain, Type::STREAM, Some(Protocol::TCP));
    let Some(vrf) = vrf else { return open() };
    let netns = NAMESPACES.lock().unwrap_or_else(PoisonError::into_inner).get(vrf).cloned();
    match netns {
        Some(path) => ferrite_daemon::netns::within(&path, open),
        None => {
            let socket = open()?;
            socket.bind_device(Some(vrf.as_bytes()))?;
            Ok(socket)
        }
    }
}
