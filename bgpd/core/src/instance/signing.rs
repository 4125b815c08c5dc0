//! How connections are signed: TCP MD5 or TCP-AO, on the listeners by network, on connections by neighbour; and the change to
//! other keys under way.

use std::sync::Arc;

use ferrite_types::Prefix;

use super::Instance;
use crate::Action;
use crate::config::{BgpConfig, EffectiveSession, GroupName};
use crate::peer::Signing;
use crate::rib::PeerId;

/// A session's; `None` where it is not signed, or where its key chain is missing.
pub(super) fn of(config: &BgpConfig, from: &EffectiveSession) -> Option<Signing> {
    signing(config, from.tcp_ao.as_deref(), from.password.as_ref())
}

fn signing(config: &BgpConfig, chain: Option<&str>, password: Option<&String>) -> Option<Signing> {
    match chain {
        Some(name) => config.key_chains.get(name).map(|chain| Signing::Ao(Arc::clone(chain))),
        None => password.map(|password| Signing::Md5(password.clone())),
    }
}

impl Instance {
    /// What those of a listen range sign with.
    pub(super) fn range_signing(&self, group: &GroupName) -> Option<Signing> {
        let session = &self.router()?.groups.get(group)?.settings.session;
        signing(&self.config, session.tcp_ao.as_deref(), session.password.as_ref())
    }

    /// The listeners' keys for a neighbour that had been signed and is to be.
    pub(super) fn listener_keys(
        before: Option<(Prefix, Option<&Signing>)>,
        now: (Prefix, Option<&Signing>),
        out: &mut Vec<Action>,
    ) {
        let (network, signing) = now;
        let moved = before.filter(|(at, old)| *at != network && old.is_some());
        out.extend(moved.map(|(network, _)| Action::SetSigning { network, signing: None }));
        let same = before.is_some_and(|before| before == now) || before.is_none() && signing.is_none();
        if !same {
            out.push(Action::SetSigning { network, signing: signing.cloned() });
        }
    }

    /// A connection that goes on is signed with the keys that its chain has now.
    pub(super) fn rekey(&self, id: PeerId, old: Option<&Signing>, out: &mut Vec<Action>) {
        let Some(entry) = self.peers.get(&id) else { return };
        let signing = entry.session.transport.signing.as_ref();
        if let (Some(Signing::Ao(chain)), Some(Signing::Ao(_))) = (signing, old)
            && signing != old
        {
            for conn in entry.peer.conns() {
                out.push(Action::Rekey { peer: id, conn, chain: Arc::clone(chain) });
            }
        }
    }
}
