//! TCP-AO of a socket (RFC 5925): what a key chain asks for at a time, what the socket has, and the steps between.
//!
//! A key chain's key is a key of TCP-AO under the same number, 0 to 255, for both directions. Keys in their accept lifetime are
//! on the socket; the one that signs (`send_key` of the chain) is the current one, and the other end is asked for it as well
//! (RNextKeyID), so that both ends change without losing a segment: new keys come first, then the change, then old keys go.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;

use ferrite_daemon::time::{local_to_utc, wall};
use ferrite_keychain::{self as keychain, KeyChain};
use ferrite_sockopt::ao::{self, Algorithm, Key, Use};
use ferrite_types::Prefix;

/// Keys of a chain, as a socket has them or should.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Keys {
    by_id: BTreeMap<u8, Key>,
    signs: Option<u8>,
}

/// One thing to do to a socket.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Step {
    Add(Key),
    Use(u8),
    Delete(Key),
}

/// A socket's keys for one network.
#[derive(Clone, Debug)]
pub struct Signed {
    network: Prefix,
    chain: Arc<KeyChain>,
    have: Keys,
    /// Listeners have keys, but sign nothing themselves.
    listener: bool,
    /// The last refresh failed, which was said.
    failed: bool,
}

impl Signed {
    pub fn connection(network: Prefix, chain: Arc<KeyChain>) -> Self {
        Self { network, chain, have: Keys::default(), listener: false, failed: false }
    }

    pub fn listener(network: Prefix, chain: Arc<KeyChain>) -> Self {
        Self { listener: true, ..Self::connection(network, chain) }
    }

    /// What a connection accepted from the listener with these keys has.
    pub fn accepted(&self) -> Self {
        Self { listener: false, have: Keys { signs: None, ..self.have.clone() }, ..self.clone() }
    }

    /// Another chain holds from the next [`Self::refresh`] on.
    pub fn follow(&mut self, chain: Arc<KeyChain>) {
        self.chain = chain;
    }

    /// Brings the socket to what the chain says now.
    pub fn refresh(&mut self, socket: impl AsFd) -> io::Result<()> {
        let wanted = wanted(&self.chain, self.network, wall(), local_to_utc);
        if wanted.signs.is_none() && !self.listener {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                "no key of the chain is usable for TCP-AO now",
            ));
        }
        for step in steps(&self.have, &wanted) {
            let socket = socket.as_fd();
            match &step {
                Step::Add(key) => ao::add_key(socket, key)?,
                Step::Use(_) if self.listener => {}
                Step::Use(id) => ao::use_keys(socket, Use { current: Some(*id), rnext: Some(*id) }, true)?,
                Step::Delete(key) => ao::delete_key(socket, key, Use::default())?,
            }
            self.have.done(step);
        }
        Ok(())
    }

    /// The same for a socket in use: a failure is for the log, once.
    pub fn keep(&mut self, socket: impl AsFd) {
        let result = self.refresh(socket);
        if let (Err(error), false) = (&result, self.failed) {
            tracing::error!("{}: cannot change the keys of TCP-AO: {error}", self.network);
        }
        self.failed = result.is_err();
    }

    /// Takes all keys away.
    pub fn clear(&mut self, socket: impl AsFd) -> io::Result<()> {
        for step in steps(&self.have, &Keys::default()) {
            if let Step::Delete(key) = step {
                ao::delete_key(socket.as_fd(), &key, Use::default())?;
            }
        }
        self.have = Keys::default();
        Ok(())
    }
}

impl Keys {
    fn done(&mut self, step: Step) {
        match step {
            Step::Add(key) => drop(self.by_id.insert(key.send_id, key)),
            Step::Use(id) => self.signs = Some(id),
            Step::Delete(key) => drop(self.by_id.remove(&key.send_id)),
        }
    }
}

fn wanted(chain: &KeyChain, network: Prefix, now: i64, utc: keychain::ToUtc) -> Keys {
    let signs = chain.send_key(now, utc).filter(|(id, key)| key_of(network, *id, key).is_some());
    // What signs is taken too, whatever its other lifetime says: TCP-AO has one key for both directions.
    let all = chain.accepted(now, utc).map(|(id, key, _)| (id, key)).chain(signs);
    let by_id = all.filter_map(|(id, key)| key_of(network, id, key)).map(|key| (key.send_id, key)).collect();
    Keys { by_id, signs: signs.and_then(|(id, _)| u8::try_from(id).ok()) }
}

/// A key for TCP-AO; `None` where its number or algorithm is none of it. HMAC-SHA-1 where nothing is said (RFC 5926 §3.1).
fn key_of(network: Prefix, id: u32, key: &keychain::Key) -> Option<Key> {
    let algorithm = match key.algorithm {
        None | Some(keychain::Algorithm::HmacSha1) => Algorithm::HmacSha1,
        Some(keychain::Algorithm::HmacSha256) => Algorithm::HmacSha256,
        Some(keychain::Algorithm::AesCmac) => Algorithm::AesCmac,
        Some(_) => return None,
    };
    let id = u8::try_from(id).ok()?;
    let secret = key.secret.as_ref()?.as_bytes().to_vec();
    Some(Key { network, vrf: None, send_id: id, receive_id: id, algorithm, secret })
}

/// From what a socket has to what it should have. A key that changed under its number goes before it comes.
fn steps(have: &Keys, wanted: &Keys) -> Vec<Step> {
    let same = |id: &u8, key: &Key| have.by_id.get(id) == Some(key);
    let (changed, new): (Vec<_>, Vec<_>) = wanted
        .by_id
        .iter()
        .filter(|(id, key)| !same(id, key))
        .partition(|(id, _)| have.by_id.contains_key(id));
    let mut steps: Vec<Step> = new.into_iter().map(|(_, key)| Step::Add(key.clone())).collect();
    for (id, key) in changed {
        steps.extend(have.by_id.get(id).map(|old| Step::Delete(old.clone())));
        steps.push(Step::Add(key.clone()));
    }
    steps.extend(wanted.signs.filter(|id| have.signs != Some(*id)).map(Step::Use));
    let gone = have.by_id.iter().filter(|(id, _)| !wanted.by_id.contains_key(id));
    steps.extend(gone.map(|(_, key)| Step::Delete(key.clone())));
    steps
}

#[cfg(test)]
mod tests {
    use ferrite_keychain::{End, Lifetime, LocalTime};

    use super::*;

    fn plain(time: LocalTime) -> i64 {
        time.0
    }

    fn lifetime(begin: i64, end: i64) -> Option<Lifetime> {
        Some(Lifetime { begin: LocalTime(begin), end: End::At(LocalTime(end)) })
    }

    fn key(accept: (i64, i64), send: (i64, i64)) -> keychain::Key {
        keychain::Key {
            secret: Some("secret".into()),
            algorithm: None,
            accept: lifetime(accept.0, accept.1),
            send: lifetime(send.0, send.1),
        }
    }

    fn told(steps: &[Step]) -> Vec<String> {
        let text = |step: &Step| match step {
            Step::Add(key) => format!("add {}", key.send_id),
            Step::Use(id) => format!("use {id}"),
            Step::Delete(key) => format!("delete {}", key.send_id),
        };
        steps.iter().map(text).collect()
    }

    #[test]
    fn keys_roll_over_without_a_moment_in_which_none_is_there() {
        let network: Prefix = "10.0.0.1/32".parse().unwrap();
        let keys = BTreeMap::from([(1, key((0, 120), (0, 100))), (2, key((80, 900), (101, 900)))]);
        let chain = KeyChain { keys };
        let mut have = Keys::default();
        let mut at = |now: i64| {
            let steps = steps(&have, &wanted(&chain, network, now, plain));
            steps.iter().for_each(|step| have.done(step.clone()));
            told(&steps)
        };
        assert_eq!(at(10), ["add 1", "use 1"]);
        assert_eq!(at(50), Vec::<String>::new());
        assert_eq!(at(80), ["add 2"], "the other end may be ahead of us");
        assert_eq!(at(101), ["use 2"]);
        assert_eq!(at(121), ["delete 1"], "nobody signs with it any more");
    }

    #[test]
    fn a_key_that_changes_under_its_number_is_taken_off_first() {
        let network: Prefix = "10.0.0.0/24".parse().unwrap();
        let chain = |secret: &str| KeyChain {
            keys: BTreeMap::from([(7, keychain::Key { secret: Some(secret.into()), ..Default::default() })]),
        };
        let have = wanted(&chain("a"), network, 0, plain);
        assert_eq!(told(&steps(&have, &wanted(&chain("b"), network, 0, plain))), ["delete 7", "add 7"]);
    }

    #[test]
    fn only_numbers_and_algorithms_of_tcp_ao_are_used() {
        let network: Prefix = "10.0.0.1/32".parse().unwrap();
        let key = |algorithm| keychain::Key { secret: Some("s".into()), algorithm, ..Default::default() };
        let keys = BTreeMap::from([
            (1, key(Some(keychain::Algorithm::Md5))),
            (3, key(Some(keychain::Algorithm::AesCmac))),
            (256, key(None)),
        ]);
        let found = wanted(&KeyChain { keys }, network, 0, plain);
        assert_eq!(found.by_id.keys().copied().collect::<Vec<_>>(), [3]);
        assert_eq!(found.signs, None, "the chain's first key is none for TCP-AO");
    }

    #[test]
    fn a_chain_without_keys_is_an_error_for_a_connection() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let network: Prefix = "127.0.0.1/32".parse().unwrap();
        let chain = Arc::new(KeyChain::default());
        assert!(Signed::connection(network, Arc::clone(&chain)).refresh(&socket).is_err());
        Signed::listener(network, chain).refresh(&socket).unwrap();
    }
}
