//! Programs the kernel's routes: hundreds of messages per send, and an acknowledgement only for the last of them.
//!
//! The kernel answers every message that failed, and the last in any case, in order. So when the last answer is
//! there, a message without an answer of its own has succeeded: a million routes need a few thousand answers.

use std::io;

use nix::errno::Errno;
use rustc_hash::FxHashMap;
use zebra_core::{FibOp, FibOpKind, FibResult, LfibOp, LfibResult, LinkChange, NexthopOp, NexthopResult};

use super::links;
use super::socket::Socket;
use super::wire::{self, Builder, NLM_F_ACK, NLMSG_ERROR, RTM_GETNEXTHOP};
use crate::dataplane::{Dataplane, removal};

/// Octets of one send.
const SEND: usize = 96 << 10;
const RECEIVE_BUFFER: usize = 16 << 20;

#[derive(Debug)]
pub struct KernelDataplane {
    pub(super) socket: Socket,
    pub(super) message: Builder,
}

impl KernelDataplane {
    pub fn open() -> io::Result<Self> {
        Ok(Self { socket: Socket::open(0, RECEIVE_BUFFER)?, message: Builder::default() })
    }

    pub fn port(&self) -> io::Result<u32> {
        self.socket.port()
    }

    /// Whether the kernel knows next-hop objects (Linux 5.3).
    pub fn has_nexthops(&mut self) -> bool {
        self.socket.dump(RTM_GETNEXTHOP, &[0; 8], |_| {}).is_ok()
    }

    /// Sends operations up to the size of one send; returns how many.
    fn send_some(&mut self, ops: &[FibOp], results: &mut Vec<FibResult>) -> usize {
        self.message.octets.clear();
        let first = self.socket.next_seq();
        let mut last = first;
        let mut count = 0;
        for op in ops {
            if count > 0 {
                last = self.socket.next_seq();
            }
            super::encode::operation(op, last, &mut self.message);
            count += 1;
            if self.message.octets.len() >= SEND {
                break;
            }
        }
        self.message.add_flags(NLM_F_ACK);
        let outcome = self.socket.send(&self.message.octets).map_err(errno_of);
        let failed = outcome.and_then(|()| self.answers(last));
        results.extend(ops.iter().take(count).enumerate().map(|(index, op)| {
            let errno = match &failed {
                Ok(failed) => failed.get(&first.wrapping_add(index as u32)).copied().unwrap_or(0),
                Err(errno) => *errno,
            };
            FibResult {
                vrf: op.vrf,
                table: op.table,
                prefix: op.prefix,
                from: op.from,
                seq: op.seq,
                errno: forgive(&op.kind, errno),
                removal: removal(op),
            }
        }));
        count
    }

    /// Reads answers up to the last; what failed, by message number.
    fn answers(&mut self, last: u32) -> Result<FxHashMap<u32, i32>, i32> {
        let mut failed = FxHashMap::default();
        loop {
            let datagram = self.socket.receive().map_err(|errno| errno as i32)?;
            for message in wire::messages(datagram).filter(|message| message.kind == NLMSG_ERROR) {
                let errno = wire::i32_at(message.payload, 0).unwrap_or(0).saturating_neg();
                if errno != 0 {
                    failed.insert(message.seq, errno);
                }
                if message.seq == last {
                    return Ok(failed);
                }
            }
        }
    }
}

/// Removing what is not there is what was wanted.
fn forgive(kind: &FibOpKind, errno: i32) -> i32 {
    let gone = [Errno::ESRCH as i32, Errno::ENOENT as i32, Errno::ENODEV as i32].contains(&errno);
    if matches!(kind, FibOpKind::Remove { .. }) && gone { 0 } else { errno }
}

fn errno_of(error: io::Error) -> i32 {
    error.raw_os_error().unwrap_or(Errno::EIO as i32)
}

impl Dataplane for KernelDataplane {
    fn program(&mut self, ops: &[FibOp], results: &mut Vec<FibResult>) {
        let mut rest = ops;
        while !rest.is_empty() {
            let done = self.send_some(rest, results);
            rest = rest.get(done..).unwrap_or_default();
        }
    }

    fn program_lsps(&mut self, ops: &[LfibOp], results: &mut Vec<LfibResult>) {
        self.change_lsps(ops, results);
    }

    fn program_nexthops(&mut self, ops: &[NexthopOp], results: &mut Vec<NexthopResult>) {
        for op in ops {
            let seq = self.socket.next_seq();
            self.message.octets.clear();
            super::nexthop::operation(op, seq, &mut self.message);
            let answer = self.socket.request(&self.message.octets, seq).map_err(errno_of);
            let gone = op.object.is_none() && answer == Err(Errno::ENOENT as i32);
            let errno = if gone { 0 } else { answer.err().unwrap_or(0) };
            results.push(NexthopResult { id: op.id, seq: op.seq, errno });
        }
    }

    fn change_link(&mut self, change: &LinkChange) -> io::Result<()> {
        links::change(&mut self.socket, change)
    }
}
