//! Keys for the core: passwords and keys of interfaces and areas, key chains at the time it is.

use std::net::Ipv4Addr;

use ferrite_keychain::Algorithm as ChainAlgorithm;
use ferrite_ospf::config::{Authentication, ChainKey, Lifetime};
use ferrite_ospf_packet::auth::{Algorithm, Key};

use super::ospf::World;
use crate::settings::LinkAuth;
use crate::settings::area::AreaAuth;
use crate::settings::interface::{AuthKind, AuthV3, InterfaceV2, InterfaceV3};

/// OSPFv2: of the address before the interface, of the interface before the area.
pub fn v2(world: &World, v2: Option<&InterfaceV2>, own: Ipv4Addr, area: Option<AreaAuth>) -> Authentication {
    let mut auth = LinkAuth::default();
    if let Some(v2) = v2 {
        auth = v2.all.auth.clone();
        if let Some(address) = v2.addresses.get(&own) {
            auth.kind = address.auth.kind.clone().or(auth.kind);
            auth.password = address.auth.password.clone().or(auth.password);
            if !address.auth.keys.is_empty() {
                auth.keys.clone_from(&address.auth.keys);
            }
        }
    }
    of_link(world, &auth, area)
}

pub fn of_link(world: &World, auth: &LinkAuth, area: Option<AreaAuth>) -> Authentication {
    let kind = auth.kind.clone().or(area.map(|area| match area {
        AreaAuth::Simple => AuthKind::Simple,
        AreaAuth::Digest => AuthKind::Digest,
    }));
    match kind {
        None | Some(AuthKind::Null) => Authentication::None,
        Some(AuthKind::Simple) => {
            let mut password = [0; 8];
            let text = auth.password.as_deref().unwrap_or_default();
            password.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
            Authentication::Simple(password)
        }
        Some(AuthKind::Digest) => {
            let key = |(id, text): &(u8, String)| Key {
                id: u32::from(*id),
                algorithm: Algorithm::KeyedMd5,
                secret: text.clone().into_bytes(),
            };
            // The last one signs. Without any, what is sent is signed with nothing, as FRR does it.
            let mut keys: Vec<Key> = auth.keys.iter().rev().map(key).collect();
            if keys.is_empty() {
                keys.push(Key { id: 0, algorithm: Algorithm::KeyedMd5, secret: Vec::new() });
            }
            Authentication::Keys(keys)
        }
        Some(AuthKind::KeyChain(name)) => chain(world, &name, 2),
    }
}

/// What is left of it where digests have extended sequence numbers, which keyed MD5 does not make (RFC 7474 §5). Where nothing is
/// left, nothing is sent and nothing taken.
pub fn extended(authentication: Authentication) -> Authentication {
    match authentication {
        Authentication::Keys(mut keys) => {
            keys.retain(|key| key.algorithm.signs_extended());
            Authentication::Keys(keys)
        }
        Authentication::Chain(mut keys) => {
            keys.retain(|key| key.key.algorithm.signs_extended());
            Authentication::Chain(keys)
        }
        other => other,
    }
}

pub fn v3(world: &World, v3: &InterfaceV3) -> Authentication {
    match &v3.auth {
        None => Authentication::None,
        Some(AuthV3::Key { id, algorithm, secret }) => match of_chain(*algorithm, 3) {
            Some(algorithm) => {
                let secret = secret.clone().into_bytes();
                Authentication::Keys(vec![Key { id: u32::from(*id), algorithm, secret }])
            }
            None => Authentication::None,
        },
        Some(AuthV3::KeyChain(name)) => chain(world, name, 3),
    }
}

/// The keys of a chain with their times, in the order in which they sign: the one whose time began last first, of several such
/// the lowest. A chain that is not there lets nothing through.
fn chain(world: &World, name: &str, version: u8) -> Authentication {
    let utc = world.host.to_utc;
    let mut keys = Vec::new();
    if let Some(chain) = world.settings.key_chains.get(name) {
        for (id, key) in &chain.keys {
            let Some(secret) = key.secret.as_ref() else { continue };
            let Some(algorithm) = key.algorithm.and_then(|algorithm| of_chain(algorithm, version)) else {
                continue;
            };
            let begins = key.send.map(|lifetime| lifetime.span(utc).begin);
            let key = ChainKey {
                key: Key { id: *id, algorithm, secret: secret.clone().into_bytes() },
                send: span(key.send, utc),
                accept: span(key.accept, utc),
            };
            keys.push((begins, *id, key));
        }
    }
    keys.sort_by_key(|(begins, id, _)| (std::cmp::Reverse(*begins), *id));
    Authentication::Chain(keys.into_iter().map(|(_, _, key)| key).collect())
}

/// The last second belongs to a lifetime as it is written, and not to the core's.
fn span(said: Option<ferrite_keychain::Lifetime>, utc: ferrite_keychain::ToUtc) -> Lifetime {
    let Some(span) = said.map(|lifetime| lifetime.span(utc)) else { return Lifetime::default() };
    Lifetime {
        from: u64::try_from(span.begin).ok(),
        until: span.end.map(|end| u64::try_from(end.saturating_add(1)).unwrap_or(0)),
    }
}

fn of_chain(algorithm: ChainAlgorithm, version: u8) -> Option<Algorithm> {
    match algorithm {
        ChainAlgorithm::Md5 if version == 2 => Some(Algorithm::KeyedMd5),
        ChainAlgorithm::Md5 | ChainAlgorithm::AesCmac => None,
        ChainAlgorithm::HmacSha1 => Some(Algorithm::HmacSha1),
        ChainAlgorithm::HmacSha256 => Some(Algorithm::HmacSha256),
        ChainAlgorithm::HmacSha384 => Some(Algorithm::HmacSha384),
        ChainAlgorithm::HmacSha512 => Some(Algorithm::HmacSha512),
    }
}
