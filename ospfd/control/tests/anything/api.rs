//! Clients of the OSPF API that say anything, two of them, beside a neighbour that hears what comes of it. Octets in, from a test or
//! the fuzzer: a client, a type of message, a length, the body.

use bytes::Bytes;
use ferrite_ospf_control::api::{ClientId, Header};
use ferrite_ospf_control::{Action, ApiEvent, Event};

use super::asked::prepared;
use super::pair::Pair;

/// Messages of one input.
const MOST: usize = 48;
/// Octets of a message's header.
const HEADER: usize = 8;

/// What clients were told: every message is whole, and says how long it is.
fn told(pair: &mut Pair) -> usize {
    let mut told = 0;
    for (_, action) in std::mem::take(&mut pair.wanted) {
        let Action::Api { octets, .. } = action else { continue };
        let len = octets.get(2..4).map_or(0, |len| usize::from(u16::from_be_bytes([len[0], len[1]])));
        assert_eq!(octets.len(), HEADER + len, "a message that is not as long as it says: {octets:?}");
        told += 1;
    }
    told
}

/// How many messages clients were told.
pub fn run(mut octets: &[u8]) -> usize {
    let (prepared, _) = prepared();
    let mut pair = Pair::new(prepared);
    for client in [1, 2] {
        pair.feed(0, Event::Api(ApiEvent::Connected(ClientId(client))));
    }
    let mut answered = 0;
    for _ in 0..MOST {
        let Some((head, rest)) = octets.split_first_chunk::<3>() else { break };
        let [client, kind, len] = *head;
        let (body, rest) = rest.split_at(usize::from(len).min(rest.len()));
        octets = rest;
        let id = ClientId(u64::from(client % 3));
        let event = match kind {
            254 => ApiEvent::Gone(id),
            255 => ApiEvent::Connected(id),
            _ => {
                let sequence = u32::from(client);
                // As they come from a socket.
                let raw = [1, kind, 0, body.len() as u8, 0, 0, 0, client];
                let Some(header) = Header::read(raw) else { continue };
                assert_eq!((header.kind, header.sequence), (kind, sequence));
                ApiEvent::Request(id, header, Bytes::copy_from_slice(body))
            }
        };
        pair.feed(0, Event::Api(event));
        if client & 0x80 != 0 {
            pair.run(1);
        }
        answered += told(&mut pair);
    }
    pair.run(8);
    pair.shows(1, prepared);
    answered + told(&mut pair)
}
