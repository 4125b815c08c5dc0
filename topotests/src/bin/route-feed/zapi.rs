//! FRR's zebra: its client protocol, as `staticd` of FRR 10.3 was seen to speak it.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;

use topotests::Result;

use super::{Feed, PREFIX_LEN, Target};

const MARKER: u8 = 0xfe;
const VERSION: u8 = 6;
const COMMAND_ROUTE_ADD: u16 = 9;
const COMMAND_HELLO: u16 = 19;
/// The route's source: BGP.
const SOURCE: u8 = 10;
/// Recursion is allowed, and the distance is the message's.
const ROUTE_FLAGS: u32 = 0x41;
/// The message has next hops and a distance.
const HAS: u32 = 0x3;
const UNICAST: u8 = 1;
const AF_INET: u8 = 2;
const NEXTHOP_IPV4: u8 = 2;
const DISTANCE: u8 = 20;
/// Octets of one write.
const WRITE: usize = 64 << 10;

pub struct Zapi {
    stream: UnixStream,
}

/// A message with its header: length, marker, version, VRF, command.
fn message(command: u16, body: &[u8], out: &mut Vec<u8>) {
    let len = 10 + body.len() as u16;
    out.extend(len.to_be_bytes());
    out.extend([MARKER, VERSION, 0, 0, 0, 0]);
    out.extend(command.to_be_bytes());
    out.extend(body);
}

impl Zapi {
    pub fn connect(socket: &Path) -> Result<Self> {
        let mut stream = UnixStream::connect(socket)?;
        // Source, instance (2), session (4), and no results wanted.
        let mut hello = Vec::new();
        message(COMMAND_HELLO, &[SOURCE, 0, 0, 0, 0, 0, 0, 0], &mut hello);
        stream.write_all(&hello)?;
        let mut other_way = stream.try_clone()?;
        std::thread::spawn(move || {
            let mut octets = [0; 4096];
            while other_way.read(&mut octets).is_ok_and(|n| n > 0) {}
        });
        Ok(Self { stream })
    }
}

impl Target for Zapi {
    fn announce(&mut self, feed: &Feed) -> Result<()> {
        let mut out = Vec::with_capacity(WRITE + 256);
        let mut body = Vec::with_capacity(64);
        for prefix in feed.prefixes() {
            body.clear();
            body.extend([SOURCE, 0, 0]);
            body.extend(ROUTE_FLAGS.to_be_bytes());
            body.extend(HAS.to_be_bytes());
            body.extend([UNICAST, AF_INET, PREFIX_LEN]);
            body.extend(prefix.octets().iter().take(usize::from(PREFIX_LEN).div_ceil(8)));
            body.extend((feed.via.len() as u16).to_be_bytes());
            for via in &feed.via {
                // VRF, kind, flags, address, interface: any.
                body.extend([0, 0, 0, 0, NEXTHOP_IPV4, 0]);
                body.extend(via.octets());
                body.extend([0; 4]);
            }
            body.push(DISTANCE);
            message(COMMAND_ROUTE_ADD, &body, &mut out);
            if out.len() >= WRITE {
                self.stream.write_all(&out)?;
                out.clear();
            }
        }
        Ok(self.stream.write_all(&out)?)
    }
}
