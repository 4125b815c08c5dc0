//! `show key chain [NAME] [json]`: which keys there are and what each may do now. Secrets are not shown.

use std::fmt;

use serde::Serialize;

use crate::{KeyChains, Lifetime, ToUtc};

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub struct KeyChainsView {
    pub key_chains: Vec<ChainView>,
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub struct ChainView {
    pub name: String,
    /// The key that signs now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_key: Option<u32>,
    pub keys: Vec<KeyView>,
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub struct KeyView {
    pub key: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cryptographic_algorithm: Option<&'static str>,
    pub key_string_set: bool,
    pub accept_lifetime: String,
    pub accept_active: bool,
    pub send_lifetime: String,
    pub send_active: bool,
}

impl KeyChainsView {
    /// Of the chain of that name, or of all, at a time in seconds since 1970.
    pub fn new(chains: &KeyChains, name: Option<&str>, now: i64, utc: ToUtc) -> Self {
        let shown = chains.iter().filter(|(of, _)| name.is_none_or(|name| name == *of));
        let key_chains = shown.map(|(name, chain)| ChainView {
            name: name.to_owned(),
            send_key: chain.send_key(now, utc).map(|(id, _)| id),
            keys: chain
                .keys
                .iter()
                .map(|(id, key)| KeyView {
                    key: *id,
                    cryptographic_algorithm: key.algorithm.map(crate::Algorithm::name),
                    key_string_set: key.secret.is_some(),
                    accept_lifetime: lifetime(key.accept),
                    accept_active: key.secret.is_some() && key.accepts_at(now, utc),
                    send_lifetime: lifetime(key.send),
                    send_active: key.secret.is_some() && key.sends_at(now, utc),
                })
                .collect(),
        });
        Self { key_chains: key_chains.collect() }
    }
}

fn lifetime(lifetime: Option<Lifetime>) -> String {
    lifetime.map_or_else(|| "always valid".to_owned(), |lifetime| lifetime.to_string())
}

impl fmt::Display for KeyChainsView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let valid = |active: bool| if active { " [valid now]" } else { "" };
        for chain in &self.key_chains {
            writeln!(f, "Key-chain {}:", chain.name)?;
            for key in &chain.keys {
                let text = if key.key_string_set { "set" } else { "not set" };
                let used = if chain.send_key == Some(key.key) { " (signs)" } else { "" };
                writeln!(f, "    key {} -- text {text}{used}", key.key)?;
                if let Some(algorithm) = key.cryptographic_algorithm {
                    writeln!(f, "        algorithm {algorithm}")?;
                }
                writeln!(f, "        accept lifetime ({}){}", key.accept_lifetime, valid(key.accept_active))?;
                writeln!(f, "        send lifetime ({}){}", key.send_lifetime, valid(key.send_active))?;
            }
        }
        Ok(())
    }
}
