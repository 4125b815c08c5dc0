//! The sending half of a connection. What the instance sends goes out before the UPDATEs that wait, and never inside one.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use bgp_core::Event;
use bgp_core::peer::ConnId;
use bgp_core::rib::{PeerId, ShardEvent};
use bgp_packet::header::HEADER_LEN;
use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::{Notify, mpsc};

use super::spoken::Spoken;
use super::turns::Turns;
use crate::queue::{Input, ShardQueue};

/// Octets of UPDATEs handed to the kernel at once. A keepalive waits for this much at most.
const SLICE: usize = 64 * 1024;
const SLICES: usize = 32;
/// How long what is left may take when the connection is closed.
const LINGER: Duration = Duration::from_secs(3);
/// How often the instance hears that octets leave.
const REPORT: Duration = Duration::from_secs(1);

/// UPDATEs of one shard.
#[derive(Debug)]
struct Bulk {
    /// `None`: of the instance, which wants no credit.
    shard: Option<usize>,
    bytes: Bytes,
    /// Messages that are credited when the last of the octets is gone.
    messages: u32,
}

#[derive(Debug, Default)]
struct Waiting {
    control: VecDeque<Bytes>,
    bulk: VecDeque<Bulk>,
    closing: bool,
}

/// Where the octets for one connection are put.
#[derive(Debug, Default)]
pub struct Writer {
    waiting: Mutex<Waiting>,
    filled: Notify,
    /// UPDATEs taken in and not yet reported.
    updates: AtomicU64,
    /// Set once the session is established: no UPDATE is sent before.
    spoken: OnceLock<Spoken>,
}

impl Writer {
    /// A whole message, ahead of UPDATEs that wait.
    pub fn send(&self, bytes: Bytes) {
        self.put(|waiting| waiting.control.push_back(bytes));
    }

    /// Whole UPDATEs of a shard, or of the instance; `messages` is their number.
    pub fn send_bulk(&self, shard: Option<usize>, bytes: Bytes, messages: u32) {
        self.updates.fetch_add(messages.into(), Ordering::Relaxed);
        if let Some(spoken) = self.spoken.get() {
            spoken.sent(bytes.clone());
        }
        self.put(|waiting| waiting.bulk.push_back(Bulk { shard, bytes, messages }));
    }

    /// From here on what is sent can be told in the log.
    pub fn establish(&self, spoken: Spoken) {
        let _ = self.spoken.set(spoken); // a connection is established once
    }

    /// Nothing follows: what was sent by `send` goes out, then the connection ends.
    pub fn close(&self) {
        self.put(|waiting| {
            waiting.closing = true;
            waiting.bulk.clear();
        });
    }

    fn put(&self, change: impl FnOnce(&mut Waiting)) {
        let mut waiting = self.lock();
        if !waiting.closing {
            change(&mut waiting);
        }
        drop(waiting);
        self.filled.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is written next; UPDATEs are at most `most` messages, where that is said.
    fn take(&self, most: Option<u32>) -> Next {
        let mut waiting = self.lock();
        if !waiting.control.is_empty() {
            let control = waiting.control.drain(..).collect();
            return Next::Control(control);
        }
        if waiting.closing {
            return Next::End;
        }
        let mut slices = Vec::new();
        let mut octets = 0;
        let mut left = most.unwrap_or(u32::MAX);
        while let Some(bulk) = waiting.bulk.pop_front() {
            let room = SLICE - octets;
            let (fits, taken) = whole_messages(&bulk.bytes, room, octets == 0, most.map(|_| left));
            left -= taken;
            let mut bytes = bulk.bytes;
            let rest = bytes.split_off(fits);
            octets += bytes.len();
            let messages = if rest.is_empty() { bulk.messages } else { 0 };
            if !bytes.is_empty() {
                slices.push(Bulk { shard: bulk.shard, bytes, messages });
            }
            if !rest.is_empty() {
                waiting.bulk.push_front(Bulk { bytes: rest, ..bulk });
                break;
            }
            if octets >= SLICE || slices.len() >= SLICES || left == 0 {
                break;
            }
        }
        if slices.is_empty() { Next::Nothing } else { Next::Bulk(slices) }
    }
}

/// How many octets of whole messages are within `room`, at least the first message where `force` is given; and how many
/// messages, where at most so many are wanted.
fn whole_messages(bytes: &Bytes, room: usize, force: bool, most: Option<u32>) -> (usize, u32) {
    if bytes.len() <= room && most.is_none() {
        return (bytes.len(), 0);
    }
    let (mut end, mut messages) = (0, 0);
    while most.is_none_or(|most| messages < most)
        && let Some(head) = bytes.get(end..).and_then(<[u8]>::first_chunk::<HEADER_LEN>)
    {
        let [.., high, low, _] = head;
        let len = usize::from(u16::from_be_bytes([*high, *low])).max(HEADER_LEN);
        if end + len > room && !(force && end == 0) {
            break;
        }
        end += len;
        messages += 1;
    }
    (end.min(bytes.len()), messages.min(most.unwrap_or(0)))
}

enum Next {
    Control(Vec<Bytes>),
    Bulk(Vec<Bulk>),
    Nothing,
    End,
}

/// Whom a writer tells about what has left.
#[derive(Clone, Debug)]
pub struct Reports {
    pub peer: PeerId,
    pub conn: ConnId,
    pub events: mpsc::Sender<Event>,
    pub shards: Arc<[Arc<ShardQueue>]>,
}

/// Writes until the connection is closed by us or broken. The error is for the log: the reader sees the end as well.
pub async fn run(
    writer: Arc<Writer>,
    mut socket: OwnedWriteHalf,
    reports: Reports,
    turns: Arc<Turns>,
) -> io::Result<()> {
    let result = write_all(&writer, &mut socket, &reports, &turns).await;
    // The other end sees the end of the stream; an error means that it has seen it.
    let _ = tokio::time::timeout(LINGER, socket.shutdown()).await;
    result
}

async fn write_all(
    writer: &Writer,
    socket: &mut OwnedWriteHalf,
    reports: &Reports,
    turns: &Turns,
) -> io::Result<()> {
    let mut told = Instant::now();
    let mut untold = false;
    loop {
        let filled = writer.filled.notified();
        match writer.take(turns.write()) {
            Next::Control(messages) => {
                let closing = writer.lock().closing;
                let write = write_slices(socket, &messages);
                if closing {
                    // Nobody waits for a neighbour that no longer reads.
                    tokio::time::timeout(LINGER, write).await??;
                } else {
                    write.await?;
                }
                untold = true;
            }
            Next::Bulk(bulk) => {
                let bytes: Vec<Bytes> = bulk.iter().map(|bulk| bulk.bytes.clone()).collect();
                write_slices(socket, &bytes).await?;
                give_credit(&bulk, reports);
                if turns.write().is_some() {
                    tokio::task::yield_now().await;
                }
                untold = true;
            }
            Next::End => return Ok(()),
            Next::Nothing if untold => {
                // What is not yet reported is, a while after the last octet.
                if tokio::time::timeout(REPORT, filled).await.is_err() {
                    untold = !report(writer, reports);
                    told = Instant::now();
                }
                continue;
            }
            Next::Nothing => {
                filled.await;
                continue;
            }
        }
        if untold && told.elapsed() >= REPORT {
            untold = !report(writer, reports);
            told = Instant::now();
        }
    }
}

/// Says that octets left; a full inbox hears it the next time.
fn report(writer: &Writer, reports: &Reports) -> bool {
    let updates = writer.updates.swap(0, Ordering::Relaxed);
    let event = Event::Written { peer: reports.peer, conn: reports.conn, updates };
    let told = reports.events.try_send(event).is_ok();
    if !told {
        writer.updates.fetch_add(updates, Ordering::Relaxed);
    }
    told
}

/// Tells each shard how many of its octets are gone.
fn give_credit(bulk: &[Bulk], reports: &Reports) {
    for (index, queue) in reports.shards.iter().enumerate() {
        let of_shard = || bulk.iter().filter(|bulk| bulk.shard == Some(index));
        let octets: usize = of_shard().map(|bulk| bulk.bytes.len()).sum();
        let messages = of_shard().map(|bulk| bulk.messages).sum();
        if octets > 0 {
            queue.push(Input::Event(ShardEvent::Credit { peer: reports.peer, octets, messages }));
        }
    }
}

async fn write_slices(socket: &mut OwnedWriteHalf, messages: &[Bytes]) -> io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> = messages.iter().map(|bytes| IoSlice::new(bytes)).collect();
    let mut left = &mut slices[..];
    while !left.is_empty() {
        let written = socket.write_vectored(left).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        IoSlice::advance_slices(&mut left, written);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bgp_packet::header::{self, MessageType};
    use bytes::{BufMut, BytesMut};

    use super::*;

    fn updates(lengths: &[usize]) -> Bytes {
        let mut buf = BytesMut::new();
        for len in lengths {
            let at = header::start(&mut buf, MessageType::Update);
            buf.put_bytes(0, len - HEADER_LEN);
            header::finish(&mut buf, at);
        }
        buf.freeze()
    }

    #[test]
    fn keepalives_come_before_updates_and_never_inside_one() {
        let writer = Writer::default();
        writer.send_bulk(Some(0), updates(&[4000; 40]), 40);
        let Next::Bulk(first) = writer.take(None) else { panic!() };
        let octets: usize = first.iter().map(|bulk| bulk.bytes.len()).sum();
        assert_eq!(octets, 64_000, "whole messages up to the limit");
        writer.send(header::keepalive());
        assert!(matches!(writer.take(None), Next::Control(_)));
        assert!(matches!(writer.take(None), Next::Bulk(_)));
    }

    #[test]
    fn closing_drops_updates_and_keeps_the_notification() {
        let writer = Writer::default();
        writer.send_bulk(Some(0), updates(&[4000; 40]), 40);
        writer.send(header::keepalive());
        writer.close();
        assert!(matches!(writer.take(None), Next::Control(messages) if messages.len() == 1));
        assert!(matches!(writer.take(None), Next::End));
        writer.send(header::keepalive());
        assert!(matches!(writer.take(None), Next::End));
    }

    #[test]
    fn no_more_messages_than_the_quanta_go_at_once_and_credit_comes_with_the_last() {
        let writer = Writer::default();
        writer.send_bulk(Some(0), updates(&[100; 5]), 5);
        writer.send_bulk(Some(0), updates(&[100; 2]), 2);
        let mut turns = Vec::new();
        while let Next::Bulk(bulk) = writer.take(Some(3)) {
            let octets: usize = bulk.iter().map(|bulk| bulk.bytes.len()).sum();
            turns.push((octets, bulk.iter().map(|bulk| bulk.messages).sum::<u32>()));
        }
        assert_eq!(turns, [(300, 0), (300, 5), (100, 2)]);
    }

    #[test]
    fn a_message_over_the_limit_still_goes_out_whole() {
        let bytes = updates(&[65_535, 100]);
        assert_eq!(whole_messages(&bytes, 1000, true, None).0, 65_535);
        assert_eq!(whole_messages(&bytes, 1000, false, None).0, 0);
        assert_eq!(whole_messages(&bytes, 65_600, false, None).0, 65_535);
    }
}
