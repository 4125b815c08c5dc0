//! What listens beside the sessions while hostile messages are played: a BMP station, and the MRT file of all messages.
//! Both must stay whole whatever was sent (2026-05, #22045, CVE-2016-4049).

use std::io::{ErrorKind, Read};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use topotests::{Failure, Result, ensure};

use super::sockets::Sockets;

pub const PORT: u16 = 1790;
/// Octets of a message's common header (RFC 7854 §4.1), and of a peer's (§4.2).
const COMMON: usize = 6;
const PER_PEER: usize = 42;
/// No message about routes of 65,535 octets is longer.
const LONGEST: usize = 70_000;

/// Lines of the configuration under `router bgp`.
pub fn settings(address: Ipv4Addr) -> String {
    format!(
        " bmp targets STATION
  bmp stats interval 1000
  bmp monitor ipv4 unicast pre-policy
  bmp monitor ipv4 unicast post-policy
  bmp monitor ipv4 unicast loc-rib
  bmp monitor ipv6 unicast pre-policy
  bmp monitor ipv6 unicast post-policy
  bmp connect {address} port {PORT} min-retry 100 max-retry 1000
 exit
"
    )
}

#[derive(Debug, Default)]
struct Told {
    messages: AtomicU64,
    stop: AtomicBool,
    fault: Mutex<Option<String>>,
}

#[derive(Debug)]
pub struct Station {
    told: Arc<Told>,
}

impl Station {
    pub fn start(sockets: &Sockets, address: Ipv4Addr) -> Result<Station> {
        let listener = sockets.listen_on(IpAddr::V4(address), PORT)?;
        listener.set_read_timeout(Some(Duration::from_millis(500)))?;
        let told = Arc::new(Told::default());
        let shared = Arc::clone(&told);
        std::thread::spawn(move || {
            while !shared.stop.load(Ordering::Relaxed) {
                if let Ok((stream, _)) = listener.accept()
                    && let Err(error) = read_all(stream.into(), &shared)
                {
                    *shared.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
                }
            }
        });
        Ok(Station { told })
    }

    /// Something was told, and all of it was whole.
    pub fn content(&self) -> Result<()> {
        if let Some(fault) = self.told.fault.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Err(Failure::new(fault));
        }
        let messages = self.told.messages.load(Ordering::Relaxed);
        println!("{messages} messages to the BMP station");
        ensure!(messages > 10, "{messages} messages");
        Ok(())
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        self.told.stop.store(true, Ordering::Relaxed);
    }
}

fn read_all(mut stream: TcpStream, told: &Told) -> Result<()> {
    stream.set_read_timeout(Some(Duration::from_millis(500)))?;
    let mut pending = Vec::new();
    let mut chunk = vec![0; 65_536];
    while !told.stop.load(Ordering::Relaxed) {
        match stream.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(n) => pending.extend(chunk.iter().take(n)),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
            Err(_) => return Ok(()),
        }
        while let Some(&[version, a, b, c, d, kind]) = pending.first_chunk::<COMMON>() {
            let length = u32::from_be_bytes([a, b, c, d]) as usize;
            ensure!(version == 3 && kind <= 6, "BMP version {version}, type {kind}");
            ensure!((COMMON..LONGEST).contains(&length), "a BMP message of {length} octets");
            if pending.len() < length {
                break;
            }
            let message: Vec<u8> = pending.drain(..length).collect();
            if kind == 0 {
                whole_update(message.get(COMMON + PER_PEER..).unwrap_or_default())?;
            }
            told.messages.fetch_add(1, Ordering::Relaxed);
        }
    }
    Ok(())
}

/// Exactly one UPDATE, whose parts fit into it.
fn whole_update(pdu: &[u8]) -> Result<()> {
    let header = pdu.get(..19).ok_or("Route Monitoring without a message")?;
    let length = header.get(16..18).map_or(0, |two| usize::from(two[0]) << 8 | usize::from(two[1]));
    ensure!(
        length == pdu.len() && header.get(18) == Some(&2),
        "an UPDATE of {} octets says {length}",
        pdu.len()
    );
    Ok(())
}

/// Records of an MRT file (RFC 6396 §2), which end where the file ends.
pub fn whole_dump(path: &Path) -> Result<usize> {
    let file = std::fs::read(path)?;
    let mut rest = file.as_slice();
    let mut count = 0;
    while let Some((head, tail)) = rest.split_first_chunk::<12>() {
        let [_, _, _, _, kind_hi, kind_lo, .., a, b, c, d] = *head;
        let kind = u16::from_be_bytes([kind_hi, kind_lo]);
        ensure!(matches!(kind, 13 | 16 | 17), "record {count} is of type {kind}");
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        // The last may still be on its way to the disk.
        let Some(next) = tail.get(length..) else { return Ok(count) };
        rest = next;
        count += 1;
    }
    Ok(count)
}
