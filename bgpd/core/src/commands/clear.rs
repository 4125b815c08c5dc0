//! `clear bgp …`.

use ferrite_cli::Args;
use ferrite_types::{Asn, Timestamp};

use super::families_of;
use crate::Action;
use crate::config::SessionKind;
use crate::instance::{Instance, PeerEntry};
use crate::rib::{PeerId, ReapplyDirection, ShardEvent};

impl Instance {
    /// The neighbours that a clear is about; or what the operator is told.
    fn to_clear(&self, args: &Args) -> Result<Vec<PeerId>, String> {
        if args.has("neighbor") {
            return match self.named_peer(args) {
                Some((id, _)) => Ok(vec![id]),
                None => {
                    let name = args.get("neighbor").unwrap_or_default();
                    Err(format!("% BGP: Unknown neighbor - \"{name}\"\n"))
                }
            };
        }
        let asn = args.parse_opt::<Asn>("asn").ok().flatten();
        let group = args.get("group");
        if let Some(name) = group
            && !self.router().is_some_and(|router| router.groups.contains_key(name))
        {
            return Err(format!("% BGP: No such peer-group {name}\n"));
        }
        let wanted = |entry: &PeerEntry| {
            if let Some(asn) = asn {
                return remote_as(entry) == Some(asn);
            }
            if let Some(group) = group {
                return entry.effective.group.as_ref().is_some_and(|name| name.as_str() == group);
            }
            !args.has("external") || entry.effective.kind == Some(SessionKind::External)
        };
        let found: Vec<PeerId> =
            self.peers.iter().filter(|(_, entry)| wanted(entry)).map(|(id, _)| *id).collect();
        match asn {
            Some(asn) if found.is_empty() => Err(format!("% BGP: No peer is configured with AS {asn}\n")),
            _ => Ok(found),
        }
    }

    pub(super) fn clear(&mut self, now: Timestamp, args: &Args, out: &mut Vec<Action>) -> String {
        // A session that begins anew begins under the policy as it is configured.
        self.release_policy(now, out);
        match self.to_clear(args) {
            Err(text) => text,
            Ok(peers) => {
                for id in peers {
                    self.reset_peer(now, id, out);
                }
                String::new()
            }
        }
    }

    /// `soft`, `soft in`, `soft out`, `in`, `out`: no session ends.
    pub(super) fn clear_soft(&mut self, now: Timestamp, args: &Args, out: &mut Vec<Action>) -> String {
        // What was asked for is the policy as it is configured now.
        self.release_policy(now, out);
        let peers = match self.to_clear(args) {
            Err(text) => return text,
            Ok(peers) => peers,
        };
        let direction = args.get("direction");
        let families = families_of(args);
        let mut text = String::new();
        for id in peers {
            for family in &families {
                let active = self.peers.get(&id).and_then(|entry| entry.params.as_ref());
                let Some(addr) = active.filter(|params| params.family(*family).is_some()).map(|p| p.addr)
                else {
                    continue;
                };
                // A filter asks for the table again by itself.
                let filtered = args.has("prefix-filter") && self.resend_filter(id, *family, out);
                if direction != Some("out") && !filtered && !self.reapply_import(id, *family, out) {
                    text.push_str(&format!(
                        "% BGP: Inbound soft reconfig for {addr} not possible as it\n      has neither refresh capability, nor inbound soft reconfig\n"
                    ));
                }
                if direction != Some("in") {
                    let reapply = || ShardEvent::Reapply {
                        peer: id,
                        family: Some(*family),
                        direction: ReapplyDirection::Out,
                    };
                    self.all_shards(reapply, out);
                }
            }
        }
        text
    }
}

/// The neighbour's AS: what it said, else what is configured.
pub(super) fn remote_as(entry: &PeerEntry) -> Option<Asn> {
    let configured = match entry.effective.remote_as {
        Some(crate::config::RemoteAs::Number(asn)) => Some(asn.asn),
        Some(crate::config::RemoteAs::Internal) => Some(entry.effective.session.local_as),
        _ => None,
    };
    entry.peer.negotiated().map(|negotiated| negotiated.remote_as).or(configured)
}
