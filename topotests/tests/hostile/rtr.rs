//! An RPKI cache that says what no cache may say (RFC 8210 §5, §8, §12), something else on each connection, and is honest in
//! the end.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use topotests::{Result, Router, ensure, wait_until};

use super::shows;
use super::sockets::Sockets;

const PORT: u16 = 8299;
/// Records that a cache may tell.
const LIMIT: u8 = 200;
/// The router waits a second between attempts.
const PATIENCE: Duration = Duration::from_secs(90);
/// What neither side has anything to say to is ended after this long.
const QUIET: Duration = Duration::from_millis(400);

/// What the router does about it.
#[derive(Clone, Copy, Debug)]
enum Answer {
    /// An Error Report with one of these codes, and the end of the connection.
    Report(&'static [u16]),
    /// The end of the connection without a report: one is never answered with one.
    Hangs,
    /// Whatever; it must live.
    Any,
}

struct Row {
    name: &'static str,
    answer: Answer,
    /// To a query in this version.
    octets: fn(u8) -> Vec<u8>,
}

fn pdu(version: u8, kind: u8, field: u16, body: &[u8]) -> Vec<u8> {
    claiming(version, kind, field, body.len() as u32 + 8, body)
}

fn claiming(version: u8, kind: u8, field: u16, length: u32, body: &[u8]) -> Vec<u8> {
    [&[version, kind][..], &field.to_be_bytes(), &length.to_be_bytes(), body].concat()
}

fn response(version: u8) -> Vec<u8> {
    pdu(version, 3, 7, &[])
}

fn vrp(version: u8, announce: bool, len: u8, max: u8, third: u8) -> Vec<u8> {
    pdu(version, 4, 0, &[u8::from(announce), len, max, 0, 10, 77, third, 0, 0, 0, 0xfe, 0x4c])
}

fn end(version: u8, session: u16) -> Vec<u8> {
    let intervals: &[u8] = if version == 0 { &[] } else { &[0, 0, 14, 16, 0, 0, 0, 60, 0, 0, 28, 32] };
    pdu(version, 7, session, &[&[0, 0, 0, 9][..], intervals].concat())
}

fn error(code: u16, quoted: u32, text: u32, body: &[u8]) -> Vec<u8> {
    pdu(2, 10, code, &[&quoted.to_be_bytes()[..], &text.to_be_bytes(), body].concat())
}

const CORRUPT: Answer = Answer::Report(&[0]);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    Row { name: "RTR: a length of 7", answer: CORRUPT, octets: |v| claiming(v, 3, 7, 7, &[]) },
    Row { name: "RTR: a length of 4,294,967,295", answer: CORRUPT, octets: |v| claiming(v, 3, 7, u32::MAX, &[0; 64]) },
    Row { name: "RTR: a prefix of 21 octets", answer: CORRUPT, octets: |v| [response(v), claiming(v, 4, 0, 21, &[0; 13])].concat() },
    Row { name: "RTR: a type nobody knows", answer: Answer::Report(&[5]), octets: |v| [response(v), pdu(v, 99, 0, &[])].concat() },
    Row { name: "RTR: version 99", answer: Answer::Report(&[4, 8]), octets: |_| response(99) },
    Row { name: "RTR: text of another protocol", answer: Answer::Report(&[0, 4, 5, 8]), octets: |_| b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec() },
    Row { name: "RTR: an error whose text is past the end", answer: Answer::Any, octets: |_| error(0, 0, 0xffff_ffff, b"x") },
    Row { name: "RTR: an error that quotes past the end", answer: Answer::Any, octets: |_| error(0, 0x7fff_ffff, 0, b"x") },
    Row { name: "RTR: an error of code 200 with control characters", answer: Answer::Any, octets: |_| error(200, 0, 9, b"\x1b[2J\r\n\x00\xff\x9b") },
    Row { name: "RTR: an error shorter than its lengths", answer: Answer::Hangs, octets: |v| claiming(v, 10, 0, 9, &[0]) },
    Row { name: "RTR: a longest length below the prefix's", answer: CORRUPT, octets: |v| [response(v), vrp(v, true, 24, 16, 1)].concat() },
    Row { name: "RTR: a prefix of 33 bits", answer: CORRUPT, octets: |v| [response(v), vrp(v, true, 33, 33, 1)].concat() },
    Row { name: "RTR: a longest length of 200", answer: CORRUPT, octets: |v| [response(v), vrp(v, true, 24, 200, 1)].concat() },
    Row { name: "RTR: records before the response", answer: CORRUPT, octets: |v| vrp(v, true, 24, 24, 1) },
    Row { name: "RTR: the end of another version's size", answer: CORRUPT, octets: |v| [response(v), pdu(v, 7, 7, &[0, 0, 0, 9])].concat() },
    Row { name: "RTR: another version within an update", answer: Answer::Report(&[8]), octets: |v| [response(v), vrp(v.saturating_sub(1), true, 24, 24, 1)].concat() },
    Row { name: "RTR: another session within an update", answer: CORRUPT, octets: |v| [response(v), vrp(v, true, 24, 24, 1), end(v, 8)].concat() },
    Row { name: "RTR: withdrawal of what was never announced", answer: Answer::Report(&[6]), octets: |v| [response(v), vrp(v, false, 24, 24, 1)].concat() },
    Row { name: "RTR: one record twice", answer: Answer::Report(&[7]), octets: |v| [response(v), vrp(v, true, 24, 24, 1).repeat(2)].concat() },
    Row { name: "RTR: a reset in answer to a question for everything", answer: CORRUPT, octets: |v| pdu(v, 8, 0, &[]) },
    Row { name: "RTR: 100,000 notifications", answer: Answer::Any, octets: |v| pdu(v, 0, 7, &[0, 0, 0, 1]).repeat(100_000) },
    Row { name: "RTR: a response and then nothing", answer: Answer::Any, octets: response },
    Row { name: "RTR: one octet and then nothing", answer: Answer::Any, octets: |v| vec![v] },
    Row { name: "RTR: intervals of zero and of for ever", answer: Answer::Any, octets: |v| {
        [response(v), pdu(v, 7, 7, &[&[0, 0, 0, 9][..], &[0; 4], &[0xff; 4], &[0; 4]].concat())].concat()
    } },
    Row { name: "RTR: an authorisation that names no provider", answer: Answer::Any, octets: |v| {
        [response(v), pdu(v, 11, 0x0100, &[0, 0, 0xfe, 0x4c])].concat()
    } },
    Row { name: "RTR: an authorisation with half a provider", answer: Answer::Any, octets: |v| {
        [response(v), pdu(v, 11, 0x0100, &[0, 0, 0xfe, 0x4c, 0, 0])].concat()
    } },
    Row { name: "RTR: a router key cut short", answer: CORRUPT, octets: |v| [response(v), pdu(v, 9, 0x0100, &[1; 10])].concat() },
    Row { name: "RTR: more records than the limit", answer: Answer::Report(&[1]), octets: |v| {
        (0..=LIMIT).fold(response(v), |sent, third| [sent, vrp(v, true, 24, 24, third)].concat())
    } },
    Row { name: "RTR: one record told and taken back for ever", answer: Answer::Report(&[1]), octets: |v| {
        [response(v), [vrp(v, true, 24, 24, 1), vrp(v, false, 24, 24, 1)].concat().repeat(100_000)].concat()
    } },
    Row { name: "RTR: a query, as if it were the router", answer: Answer::Any, octets: |v| pdu(v, 2, 0, &[]) },
];

pub fn names() -> impl Iterator<Item = &'static str> {
    ROWS.iter().map(|row| row.name)
}

/// Lines of the configuration.
pub fn settings(address: Ipv4Addr) -> String {
    format!(
        "rpki\n rpki retry_interval 1\n rpki limit records {LIMIT}\n rpki cache tcp {address} {PORT} preference 1\nexit\n"
    )
}

/// How a connection went.
#[derive(Clone, Debug, Default)]
struct Seen {
    queries: usize,
    report: Option<u16>,
    /// By the router.
    ended: bool,
}

pub struct Caches {
    seen: Arc<Mutex<Vec<Seen>>>,
    stop: Arc<AtomicBool>,
}

impl Drop for Caches {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Caches {
    /// Before the router starts.
    pub fn start(sockets: &Sockets, address: Ipv4Addr) -> Result<Caches> {
        let (seen, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let listener = sockets.listen_on(IpAddr::V4(address), PORT)?;
        listener.set_read_timeout(Some(Duration::from_millis(500)))?;
        let (shared, end) = (Arc::clone(&seen), Arc::clone(&stop));
        std::thread::spawn(move || {
            let mut rows = ROWS.iter();
            let mut row = rows.next();
            while !end.load(Ordering::Relaxed) {
                let Ok((stream, _)) = listener.accept() else { continue };
                let went = serve(stream.into(), row, &end);
                // One that was given up before it asked anything is not yet played.
                if row.is_some() && went.queries > 0 {
                    shared.lock().unwrap_or_else(PoisonError::into_inner).push(went);
                    row = rows.next();
                }
            }
        });
        Ok(Caches { seen, stop })
    }

    /// Every row was answered as it says, the honest cache is heard, and the log says why the others were not.
    pub fn check(&self, router: &Router, wrong: &mut Vec<String>) -> Result<()> {
        wait_until(PATIENCE, "the honest cache is heard", || {
            let table = router.vtysh("show rpki prefix-table")?;
            ensure!(table.contains("10.77.200.0"), "{} connections; {table}", self.seen().len());
            Ok(())
        })?;
        let seen = self.seen();
        ensure!(seen.len() == ROWS.len(), "{} connections", seen.len());
        let mut reports = 0;
        for (row, seen) in ROWS.iter().zip(&seen) {
            let good = match row.answer {
                Answer::Report(codes) => seen.report.is_some_and(|code| codes.contains(&code)) && seen.ended,
                Answer::Hangs => seen.report.is_none() && seen.ended,
                Answer::Any => true,
            };
            reports += usize::from(matches!(row.answer, Answer::Report(_) | Answer::Hangs));
            if !good {
                wrong.push(format!("- {}: {seen:?} instead of {:?}", row.name, row.answer));
            }
            if seen.queries > 2 {
                wrong.push(format!("- {}: asked {} times on one connection", row.name, seen.queries));
            }
        }
        let log = std::fs::read(router.dir().join("log/bgpd.log"))?;
        let log = String::from_utf8_lossy(&log);
        let port = format!("{PORT}");
        let lines = log.lines().filter(|line| line.contains("cache") && line.contains(&port)).count();
        if lines < reports {
            wrong.push(format!("- the log has {lines} lines of the cache for {reports} refusals"));
        }
        if !log.contains(&format!("more than the limit of {LIMIT} records")) {
            wrong.push("- the log does not say that records were too many".to_owned());
        }
        if let Some(line) = log.lines().find(|line| line.chars().any(shows::steers)) {
            wrong.push(format!("- the log: {line:?}"));
        }
        Ok(())
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Answers each query with the row's octets, or honestly, and reads what comes back.
fn serve(mut stream: TcpStream, row: Option<&Row>, stop: &AtomicBool) -> Seen {
    let _ = stream.set_read_timeout(Some(QUIET));
    let (mut pending, mut chunk) = (Vec::new(), [0; 4096]);
    let mut seen = Seen::default();
    while !stop.load(Ordering::Relaxed) {
        match stream.read(&mut chunk) {
            Ok(0) => {
                seen.ended = true;
                break;
            }
            Ok(n) => pending.extend(chunk.iter().take(n)),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if row.is_some() {
                    break;
                }
            }
            Err(_) => {
                seen.ended = true;
                break;
            }
        }
        while let Some(&[version, kind, hi, lo, a, b, c, d]) = pending.first_chunk::<8>() {
            let length = (u32::from_be_bytes([a, b, c, d]) as usize).max(8);
            if pending.len() < length {
                break;
            }
            pending.drain(..length);
            match kind {
                1 | 2 => {
                    seen.queries += 1;
                    let honest =
                        || [response(version), vrp(version, true, 24, 24, 200), end(version, 7)].concat();
                    let octets = row.map_or_else(honest, |row| (row.octets)(version));
                    let _ = stream.write_all(&octets);
                }
                10 => seen.report = Some(u16::from_be_bytes([hi, lo])),
                _ => {}
            }
        }
    }
    seen
}
