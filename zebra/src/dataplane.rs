//! Where routes go: a trait with the kernel as one implementation and `none` as another, and the thread that runs it.

use std::io;
use std::thread::JoinHandle;

use ferrite_types::RouteProtocol;
use tokio::sync::mpsc;
use zebra_core::{FibOp, FibOpKind, FibResult, LfibOp, LfibResult, LinkChange, NexthopOp, NexthopResult};

/// Carries out what the core wants of a forwarding plane.
pub trait Dataplane: Send + 'static {
    /// Programs routes, in order; every operation has one result.
    fn program(&mut self, ops: &[FibOp], results: &mut Vec<FibResult>);

    /// Programs label-switched paths, in order; every operation has one result.
    fn program_lsps(&mut self, ops: &[LfibOp], results: &mut Vec<LfibResult>);

    /// The same for next-hop objects.
    fn program_nexthops(&mut self, ops: &[NexthopOp], results: &mut Vec<NexthopResult>);

    fn change_link(&mut self, change: &LinkChange) -> io::Result<()>;
}

/// Forwards nothing and accepts everything: for route servers and tests without privileges.
#[derive(Debug, Default)]
pub struct NoDataplane;

impl Dataplane for NoDataplane {
    fn program(&mut self, ops: &[FibOp], results: &mut Vec<FibResult>) {
        results.extend(ops.iter().map(|op| FibResult {
            vrf: op.vrf,
            table: op.table,
            prefix: op.prefix,
            from: op.from,
            seq: op.seq,
            errno: 0,
            removal: removal(op),
        }));
    }

    fn program_lsps(&mut self, ops: &[LfibOp], results: &mut Vec<LfibResult>) {
        results.extend(ops.iter().map(|op| LfibResult { label: op.label, seq: op.seq, errno: 0 }));
    }

    fn program_nexthops(&mut self, ops: &[NexthopOp], results: &mut Vec<NexthopResult>) {
        results.extend(ops.iter().map(|op| NexthopResult { id: op.id, seq: op.seq, errno: 0 }));
    }

    fn change_link(&mut self, _: &LinkChange) -> io::Result<()> {
        Ok(())
    }
}

/// Of a removal: whose route it was.
pub fn removal(op: &FibOp) -> Option<RouteProtocol> {
    match op.kind {
        FibOpKind::Remove { protocol } => Some(protocol),
        FibOpKind::Install(_) => None,
    }
}

/// Work for the dataplane's thread.
#[derive(Debug)]
pub enum Job {
    Routes(Vec<FibOp>),
    Lsps(Vec<LfibOp>),
    Nexthops(Vec<NexthopOp>),
    Link(LinkChange),
}

/// What the dataplane's thread says of its work.
#[derive(Debug)]
pub enum Done {
    Routes(Vec<FibResult>),
    Lsps(Vec<LfibResult>),
    Nexthops(Vec<NexthopResult>),
}

/// Runs a dataplane in a thread until nobody has work for it. The queue is unbounded: the core counts what is in flight, and
/// the shell stops reading clients while that is too much.
pub fn spawn(
    mut dataplane: impl Dataplane,
    mut jobs: mpsc::UnboundedReceiver<Job>,
    results: mpsc::UnboundedSender<Done>,
) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("dataplane".to_owned()).spawn(move || {
        while let Some(job) = jobs.blocking_recv() {
            match job {
                Job::Routes(ops) => {
                    let mut done = Vec::with_capacity(ops.len());
                    dataplane.program(&ops, &mut done);
                    log_failures(&ops, &done);
                    // When zebra ends the rest of the work still counts, its results do not.
                    let _ = results.send(Done::Routes(done));
                }
                Job::Lsps(ops) => {
                    let mut done = Vec::with_capacity(ops.len());
                    dataplane.program_lsps(&ops, &mut done);
                    let failed = done.iter().filter(|result| result.errno != 0);
                    if let Some((first, error, more)) = refused(failed, |result| result.errno) {
                        let of = done.len();
                        tracing::warn!(target: "zebra::mpls", label = %first.label, %error, more, of, "the kernel refused a label-switched path");
                    }
                    let _ = results.send(Done::Lsps(done));
                }
                Job::Nexthops(ops) => {
                    let mut done = Vec::with_capacity(ops.len());
                    dataplane.program_nexthops(&ops, &mut done);
                    let failed = done.iter().filter(|result| result.errno != 0);
                    if let Some((first, error, more)) = refused(failed, |result| result.errno) {
                        tracing::warn!(nexthop = %first.id, %error, more, of = done.len(), "the kernel refused a next hop");
                    }
                    let _ = results.send(Done::Nexthops(done));
                }
                Job::Link(change) => {
                    if let Err(error) = dataplane.change_link(&change) {
                        tracing::warn!(?change, %error, "the kernel refused a change of a link");
                    }
                }
            }
        }
    })
}

/// The first of a batch that was refused, why, and how many more: one line per batch, for a kernel that refuses a whole table
/// must not fill the log with it.
fn refused<'a, T>(
    mut failed: impl Iterator<Item = &'a T>,
    errno: impl Fn(&T) -> i32,
) -> Option<(&'a T, io::Error, usize)> {
    let first = failed.next()?;
    Some((first, io::Error::from_raw_os_error(errno(first)), failed.count()))
}

fn log_failures(ops: &[FibOp], results: &[FibResult]) {
    let failed = results.iter().filter(|result| result.errno != 0);
    let Some((first, error, more)) = refused(failed, |result| result.errno) else { return };
    tracing::warn!(prefix = %first.prefix, %error, more, of = ops.len(), "the kernel refused a route");
}
