//! The connections that are signed with TCP-AO: their keys change while they live.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use bgp_core::peer::ConnId;
use bgp_core::rib::PeerId;
use ferrite_keychain::KeyChain;

use super::ao::Signed;

type Key = (PeerId, ConnId);

/// A second descriptor of each such socket, and what is on it.
#[derive(Debug, Default)]
pub struct Rekeying(HashMap<Key, (OwnedFd, Signed)>);

impl Rekeying {
    /// Brings a new connection's keys to what its chain says, and keeps them so. Nothing for one that is not signed.
    pub fn follow(&mut self, key: Key, socket: impl AsFd, signed: Option<Signed>) -> io::Result<()> {
        let Some(mut signed) = signed else { return Ok(()) };
        let socket = socket.as_fd().try_clone_to_owned()?;
        signed.refresh(&socket)?;
        self.0.insert(key, (socket, signed));
        Ok(())
    }

    pub fn change(&mut self, key: Key, chain: Arc<KeyChain>) {
        if let Some((_, signed)) = self.0.get_mut(&key) {
            signed.follow(chain);
        }
        self.refresh();
    }

    pub fn refresh(&mut self) {
        for (socket, signed) in self.0.values_mut() {
            signed.keep(socket);
        }
    }

    pub fn forget(&mut self, key: Key) {
        self.0.remove(&key);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
