//! The label manager: which MPLS labels (RFC 3032) are whose.
//!
//! Labels 16 to 1048575 can be used; 0 to 15 have meanings of their own. Daemons ask for runs of labels ("chunks"), out of
//! the dynamic block (`mpls label dynamic-block A B`) or, where they name the first label, anywhere. Labels that the operator
//! wrote down (`mpls lsp`, `mpls label bind`) and blocks that the operator reserved (`mpls label global-block`) are passed over.
//!
//! A chunk goes when its daemon gives it back, says goodbye, does not name it again before `ReplayDone` after a restart, or does
//! not come back in time; one that is to be kept stays the daemon's until it gives it back itself.

use std::collections::BTreeMap;

use ferrite_types::Label;
use ferrite_types::zclient::{LabelBlock, LabelChunkRequest};

use crate::rib::OwnerId;

/// The first label without a meaning of its own, and the last there is.
pub const FIRST: u32 = 16;
pub const LAST: u32 = 1_048_575;
/// Chunks of one owner; a daemon that asks for labels one by one is mistaken.
const MAX_CHUNKS: usize = 4096;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Chunk {
    pub block: LabelBlock,
    pub owner: OwnerId,
    pub keep: bool,
    /// Connection of the owner that last named it.
    pub epoch: u16,
}

/// Why labels were not given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LabelError {
    #[error("no labels were asked for")]
    Nothing,
    #[error("labels {first} to {last} are not all between 16 and 1048575")]
    Range { first: u32, last: u64 },
    #[error("labels {first} to {last} are another client's")]
    Taken { first: u32, last: u32 },
    #[error("label {0} is configured")]
    Configured(u32),
    #[error("the dynamic block has no {0} labels in a row left")]
    Exhausted(u32),
    #[error("a client can have 4096 chunks")]
    TooMany,
    #[error("labels {first} to {last} are no chunk of this client")]
    NotYours { first: u32, last: u32 },
}

#[derive(Debug)]
pub struct Labels {
    chunks: BTreeMap<Label, Chunk>,
    /// Where chunks are cut that name no place.
    pub dynamic: LabelBlock,
    /// What the operator uses, as runs by their first label that do not overlap.
    configured: BTreeMap<Label, LabelBlock>,
}

impl Default for Labels {
    fn default() -> Self {
        let end = |value| Label::new(value).unwrap_or(Label::IMPLICIT_NULL);
        let dynamic = LabelBlock { first: end(FIRST), last: end(LAST) };
        Self { chunks: BTreeMap::new(), dynamic, configured: BTreeMap::new() }
    }
}

impl Labels {
    pub fn chunks(&self) -> impl Iterator<Item = &Chunk> {
        self.chunks.values()
    }

    /// What the configuration says. Chunks that are given stay where they are.
    pub fn configure(&mut self, dynamic: Option<LabelBlock>, used: impl IntoIterator<Item = LabelBlock>) {
        self.dynamic = dynamic.unwrap_or(Self::default().dynamic);
        let mut runs: Vec<LabelBlock> = used.into_iter().collect();
        runs.sort_unstable();
        self.configured.clear();
        for run in runs {
            match self.configured.last_entry() {
                Some(mut last) if last.get().overlaps(run) => {
                    let end = last.get().last.max(run.last);
                    last.get_mut().last = end;
                }
                _ => {
                    self.configured.insert(run.first, run);
                }
            }
        }
    }

    /// Gives labels out. A daemon that names a chunk of its own again has it confirmed.
    pub fn get(
        &mut self,
        owner: OwnerId,
        epoch: u16,
        request: &LabelChunkRequest,
    ) -> Result<LabelBlock, LabelError> {
        let size = request.size;
        if size == 0 {
            return Err(LabelError::Nothing);
        }
        let block = match request.base {
            Some(base) => {
                let last = u64::from(base.value()) + u64::from(size) - 1;
                let range = LabelError::Range { first: base.value(), last };
                let last = u32::try_from(last).map_err(|_| range)?;
                let block = LabelBlock::new(base.value(), last).filter(|_| base.value() >= FIRST);
                block.ok_or(range)?
            }
            None => self.free_run(size).ok_or(LabelError::Exhausted(size))?,
        };
        if let Some(chunk) = self.chunks.get_mut(&block.first)
            && (chunk.owner, chunk.block) == (owner, block)
        {
            chunk.epoch = epoch;
            chunk.keep = request.keep;
            return Ok(block);
        }
        if let Some(run) = below(&self.configured, block, |run| *run) {
            return Err(LabelError::Configured(run.first.max(block.first).value()));
        }
        if let Some(taken) = below(&self.chunks, block, |chunk| chunk.block) {
            return Err(LabelError::Taken { first: taken.first.value(), last: taken.last.value() });
        }
        if self.chunks.values().filter(|chunk| chunk.owner == owner).count() >= MAX_CHUNKS {
            return Err(LabelError::TooMany);
        }
        self.chunks.insert(block.first, Chunk { block, owner, keep: request.keep, epoch });
        Ok(block)
    }

    /// The first run of free labels in the dynamic block.
    fn free_run(&self, size: u32) -> Option<LabelBlock> {
        let mut first = self.dynamic.first.value();
        loop {
            let block = LabelBlock::new(first, first.checked_add(size)?.checked_sub(1)?)?;
            if block.last > self.dynamic.last {
                return None;
            }
            let chunk = below(&self.chunks, block, |chunk| chunk.block);
            let run = below(&self.configured, block, |run| *run);
            match chunk.into_iter().chain(run).map(|taken| taken.last.value()).max() {
                Some(taken) => first = taken.checked_add(1)?,
                None => return Some(block),
            }
        }
    }

    pub fn release(&mut self, owner: OwnerId, block: LabelBlock) -> Result<(), LabelError> {
        match self.chunks.get(&block.first) {
            Some(chunk) if (chunk.owner, chunk.block) == (owner, block) => {
                self.chunks.remove(&block.first);
                Ok(())
            }
            _ => Err(LabelError::NotYours { first: block.first.value(), last: block.last.value() }),
        }
    }

    /// The chunks of an owner that is gone, or those that it did not name in this connection.
    pub fn sweep(&mut self, owner: OwnerId, named_in: Option<u16>) {
        self.chunks.retain(|_, chunk| {
            chunk.owner != owner || chunk.keep || named_in.is_some_and(|epoch| chunk.epoch == epoch)
        });
    }

    pub fn owner_of(&self, label: Label) -> Option<OwnerId> {
        let (_, chunk) = self.chunks.range(..=label).next_back()?;
        chunk.block.contains(label).then_some(chunk.owner)
    }
}

/// The last run that a block touches, of runs that do not overlap each other.
fn below<T>(
    runs: &BTreeMap<Label, T>,
    block: LabelBlock,
    of: impl Fn(&T) -> LabelBlock,
) -> Option<LabelBlock> {
    let (_, run) = runs.range(..=block.last).next_back()?;
    Some(of(run)).filter(|run| run.overlaps(block))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LDP: OwnerId = OwnerId(3);
    const BGP: OwnerId = OwnerId(4);

    fn block(first: u32, last: u32) -> LabelBlock {
        LabelBlock::new(first, last).unwrap()
    }

    fn ask(size: u32, base: Option<u32>) -> LabelChunkRequest {
        LabelChunkRequest { id: 0, size, base: base.and_then(Label::new), keep: false }
    }

    #[test]
    fn chunks_are_cut_one_after_the_other_and_gaps_are_used_again() {
        let mut labels = Labels::default();
        assert_eq!(labels.get(LDP, 1, &ask(64, None)), Ok(block(16, 79)));
        assert_eq!(labels.get(BGP, 1, &ask(100, None)), Ok(block(80, 179)));
        assert_eq!(labels.release(BGP, block(16, 79)), Err(LabelError::NotYours { first: 16, last: 79 }));
        assert_eq!(labels.release(LDP, block(16, 78)), Err(LabelError::NotYours { first: 16, last: 78 }));
        assert_eq!(labels.release(LDP, block(16, 79)), Ok(()));
        assert_eq!(labels.get(BGP, 1, &ask(65, None)), Ok(block(180, 244)));
        assert_eq!(labels.get(BGP, 1, &ask(64, None)), Ok(block(16, 79)));
        assert_eq!(labels.owner_of(Label::new(79).unwrap()), Some(BGP));
        assert_eq!(labels.owner_of(Label::new(245).unwrap()), None);
    }

    #[test]
    fn what_cannot_be_given_is_refused_with_the_reason() {
        let mut labels = Labels::default();
        assert_eq!(labels.get(LDP, 1, &ask(10, Some(1000))), Ok(block(1000, 1009)));
        for (request, reason) in [
            (ask(0, None), "no labels were asked for"),
            (ask(10, Some(10)), "labels 10 to 19 are not all between 16 and 1048575"),
            (ask(u32::MAX, Some(16)), "labels 16 to 4294967310 are not all between 16 and 1048575"),
            (ask(2_000_000, None), "the dynamic block has no 2000000 labels in a row left"),
            (ask(10, Some(991)), "labels 1000 to 1009 are another client's"),
            (ask(1, Some(1005)), "labels 1000 to 1009 are another client's"),
        ] {
            assert_eq!(labels.get(BGP, 1, &request).unwrap_err().to_string(), reason);
        }
        labels.configure(LabelBlock::new(16, 30), [block(20, 20), block(20, 25)]);
        assert_eq!(labels.get(BGP, 1, &ask(10, None)), Err(LabelError::Exhausted(10)));
        assert_eq!(labels.get(BGP, 1, &ask(3, Some(24))), Err(LabelError::Configured(24)));
        assert_eq!(labels.get(BGP, 1, &ask(5, None)), Ok(block(26, 30)));
    }

    #[test]
    fn a_daemon_that_replays_has_its_chunks_confirmed_and_loses_the_others() {
        let mut labels = Labels::default();
        labels.get(LDP, 1, &ask(10, None)).unwrap();
        labels.get(LDP, 1, &ask(10, None)).unwrap();
        labels.get(LDP, 1, &LabelChunkRequest { keep: true, ..ask(10, None) }).unwrap();
        assert_eq!(labels.get(LDP, 3, &ask(10, Some(16))), Ok(block(16, 25)));
        labels.sweep(LDP, Some(3));
        let left: Vec<_> = labels.chunks().map(|chunk| chunk.block).collect();
        assert_eq!(left, [block(16, 25), block(36, 45)]);
        labels.sweep(LDP, None);
        assert_eq!(labels.chunks().count(), 1);
    }

    proptest! {
        #[test]
        fn chunks_never_overlap_and_never_hold_what_is_configured(
            requests in prop::collection::vec((3..6u16, 0..40u32, prop::option::of(10..200u32)), 0..60),
            used in prop::collection::vec((16..180u32, 0..6u32), 0..6),
        ) {
            let mut labels = Labels::default();
            let used: Vec<_> = used.iter().map(|(first, more)| block(*first, first + more)).collect();
            labels.configure(LabelBlock::new(16, 300), used.iter().copied());
            for (owner, size, base) in requests {
                if let Ok(given) = labels.get(OwnerId(owner), 1, &ask(size, base)) {
                    prop_assert_eq!(given.size(), size);
                    if size % 5 == 0 {
                        labels.release(OwnerId(owner), given).unwrap();
                    }
                }
            }
            let chunks: Vec<_> = labels.chunks().map(|chunk| chunk.block).collect();
            for pair in chunks.windows(2) {
                prop_assert!(pair[0].last < pair[1].first);
            }
            prop_assert!(chunks.iter().all(|chunk| used.iter().all(|used| !used.overlaps(*chunk))));
        }
    }
}
