//! An RPKI cache whose data change when it is told to: RTR versions 0 and 1 (RFC 6810, RFC 8210), for measurements.
//!
//! Every /16 below 224.0.0.0/4 as far as `--records` goes is authorised up to /24 for one AS; `change` on standard input gives
//! half of them to another AS and back again. A line on standard output for each thing that happens, as JSON.

use std::io::{BufRead, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Parser;

#[derive(Debug, Parser)]
struct Cli {
    #[arg(long)]
    listen: SocketAddr,
    #[arg(long, default_value_t = 50_000)]
    records: u32,
}

const SESSION: u16 = 7;
const NOTIFY: u8 = 0;
const SERIAL_QUERY: u8 = 1;
const RESET_QUERY: u8 = 2;
const CACHE_RESPONSE: u8 = 3;
const IPV4_PREFIX: u8 = 4;
const END_OF_DATA: u8 = 7;
const CACHE_RESET: u8 = 8;
const ERROR: u8 = 10;
const UNSUPPORTED_VERSION: u16 = 4;
const HIGHEST: u8 = 1;

struct Cache {
    records: u32,
    serial: AtomicU32,
    /// Who wants to hear of a change: streams with the version agreed on.
    open: Mutex<Vec<(TcpStream, u8)>>,
}

fn put(out: &mut Vec<u8>, version: u8, kind: u8, field: u16, body: &[u8]) {
    out.extend([version, kind]);
    out.extend(field.to_be_bytes());
    out.extend((body.len() as u32 + 8).to_be_bytes());
    out.extend(body);
}

impl Cache {
    /// Records of a half change hands with every serial number.
    fn asn(&self, record: u32, serial: u32) -> u32 {
        if record.is_multiple_of(2) && serial.is_multiple_of(2) { 64_999 } else { 65_100 }
    }

    fn record(&self, out: &mut Vec<u8>, version: u8, record: u32, serial: u32, announce: bool) {
        let prefix = (record << 16).wrapping_add(0x0100_0000).to_be_bytes();
        let mut body = vec![u8::from(announce), 16, 24, 0];
        body.extend(prefix);
        body.extend(self.asn(record, serial).to_be_bytes());
        put(out, version, IPV4_PREFIX, 0, &body);
    }

    fn answer(&self, version: u8, kind: u8, body: &[u8]) -> Vec<u8> {
        let now = self.serial.load(Ordering::SeqCst);
        let mut out = Vec::new();
        let known = body.first_chunk::<4>().map(|octets| u32::from_be_bytes(*octets));
        match (kind, known) {
            (RESET_QUERY, _) => {
                put(&mut out, version, CACHE_RESPONSE, SESSION, &[]);
                (0..self.records).for_each(|n| self.record(&mut out, version, n, now, true));
            }
            (SERIAL_QUERY, Some(old)) if old == now || old.wrapping_add(1) == now => {
                put(&mut out, version, CACHE_RESPONSE, SESSION, &[]);
                for n in (0..self.records).filter(|n| self.asn(*n, old) != self.asn(*n, now)) {
                    self.record(&mut out, version, n, old, false);
                    self.record(&mut out, version, n, now, true);
                }
            }
            (SERIAL_QUERY, _) => {
                put(&mut out, version, CACHE_RESET, 0, &[]);
                return out;
            }
            _ => return out,
        }
        let mut end = now.to_be_bytes().to_vec();
        if version > 0 {
            end.extend([3600_u32, 600, 7200].iter().flat_map(|seconds| seconds.to_be_bytes()));
        }
        put(&mut out, version, END_OF_DATA, SESSION, &end);
        out
    }

    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut known = false;
        loop {
            let mut head = [0; 8];
            stream.read_exact(&mut head)?;
            let [version, kind, _, _, a, b, c, d] = head;
            let length = u32::from_be_bytes([a, b, c, d]).clamp(8, 4096) as usize;
            let mut body = vec![0; length - 8];
            stream.read_exact(&mut body)?;
            if version > HIGHEST {
                let mut out = Vec::new();
                put(&mut out, HIGHEST, ERROR, UNSUPPORTED_VERSION, &[0; 8]);
                return stream.write_all(&out);
            }
            let octets = self.answer(version, kind, &body);
            stream.write_all(&octets)?;
            println!("{{\"event\": \"answered\", \"kind\": {kind}, \"octets\": {}}}", octets.len());
            if !known {
                known = true;
                let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
                open.push((stream.try_clone()?, version));
            }
        }
    }

    fn change(&self) {
        let serial = self.serial.fetch_add(1, Ordering::SeqCst).wrapping_add(1);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain_mut(|(stream, version)| {
            let mut out = Vec::new();
            put(&mut out, *version, NOTIFY, SESSION, &serial.to_be_bytes());
            stream.write_all(&out).is_ok()
        });
        println!("{{\"event\": \"changed\", \"serial\": {serial}, \"told\": {}}}", open.len());
    }
}

fn main() -> std::io::Result<()> {
    let cli = Cli::parse();
    let cache =
        Arc::new(Cache { records: cli.records, serial: AtomicU32::new(1), open: Mutex::new(Vec::new()) });
    let listener = TcpListener::bind(cli.listen)?;
    println!("{{\"event\": \"listening\"}}");
    let shared = Arc::clone(&cache);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let cache = Arc::clone(&shared);
            let _ = stream.set_write_timeout(Some(Duration::from_secs(60)));
            std::thread::spawn(move || cache.serve(stream));
        }
    });
    for line in std::io::stdin().lock().lines() {
        if line?.trim() == "change" {
            cache.change();
        }
    }
    Ok(())
}
