//! Labels: blocks, label-switched paths, bound prefixes.

use ferrite_types::zclient::{
    FecLabel, LabelBlock, LabelChunkAnswer, LabelChunkRequest, LspResult, LspUpdate, WatchFec,
};
use ferrite_types::{Label, Nexthop};

use super::value::{pack_prefix, protocol, protocol_number, unpack_prefix};
use super::{ConvertError, pb};

fn label(value: u32) -> Result<Label, ConvertError> {
    Label::new(value).ok_or(ConvertError::Range { field: "label", value: value.into() })
}

impl From<LabelBlock> for pb::LabelBlock {
    fn from(block: LabelBlock) -> Self {
        Self { first: block.first.value(), last: block.last.value() }
    }
}

impl TryFrom<pb::LabelBlock> for LabelBlock {
    type Error = ConvertError;
    fn try_from(pb: pb::LabelBlock) -> Result<Self, ConvertError> {
        Self::new(pb.first, pb.last)
            .ok_or(ConvertError::Range { field: "label block", value: pb.last.into() })
    }
}

impl From<LabelChunkRequest> for pb::LabelChunkRequest {
    fn from(request: LabelChunkRequest) -> Self {
        let LabelChunkRequest { id, size, base, keep } = request;
        Self { id, size, base: base.map(Label::value), keep }
    }
}

impl TryFrom<pb::LabelChunkRequest> for LabelChunkRequest {
    type Error = ConvertError;
    fn try_from(pb: pb::LabelChunkRequest) -> Result<Self, ConvertError> {
        Ok(Self { id: pb.id, size: pb.size, base: pb.base.map(label).transpose()?, keep: pb.keep })
    }
}

impl From<&LabelChunkAnswer> for pb::LabelChunkAnswer {
    fn from(answer: &LabelChunkAnswer) -> Self {
        let (block, reason) = match &answer.outcome {
            Ok(block) => (Some((*block).into()), String::new()),
            Err(reason) => (None, reason.clone()),
        };
        Self { id: answer.id, block, reason }
    }
}

impl TryFrom<pb::LabelChunkAnswer> for LabelChunkAnswer {
    type Error = ConvertError;
    fn try_from(pb: pb::LabelChunkAnswer) -> Result<Self, ConvertError> {
        let outcome = match pb.block {
            Some(block) => Ok(block.try_into()?),
            None => Err(pb.reason),
        };
        Ok(Self { id: pb.id, outcome })
    }
}

pub fn lsp_batch(updates: &[LspUpdate]) -> pb::LspBatch {
    pb::LspBatch { items: updates.iter().map(Into::into).collect() }
}

impl From<&LspUpdate> for pb::Lsp {
    fn from(update: &LspUpdate) -> Self {
        Self {
            label: update.label.value(),
            protocol: protocol_number(update.protocol),
            withdraw: update.nexthops.is_none(),
            nexthops: update.nexthops.iter().flat_map(|nexthops| nexthops.iter()).map(Into::into).collect(),
        }
    }
}

impl TryFrom<&pb::Lsp> for LspUpdate {
    type Error = ConvertError;
    fn try_from(pb: &pb::Lsp) -> Result<Self, ConvertError> {
        let nexthops = if pb.withdraw {
            None
        } else {
            let nexthops: Vec<Nexthop> =
                pb.nexthops.iter().map(Nexthop::try_from).collect::<Result<_, _>>()?;
            Some(nexthops.into())
        };
        Ok(Self { label: label(pb.label)?, protocol: protocol(pb.protocol)?, nexthops })
    }
}

impl From<&LspResult> for pb::LspResult {
    fn from(result: &LspResult) -> Self {
        Self { label: result.label.value(), errno: result.errno }
    }
}

impl TryFrom<&pb::LspResult> for LspResult {
    type Error = ConvertError;
    fn try_from(pb: &pb::LspResult) -> Result<Self, ConvertError> {
        Ok(Self { label: label(pb.label)?, errno: pb.errno })
    }
}

impl From<&WatchFec> for pb::FecWatch {
    fn from(item: &WatchFec) -> Self {
        let mut prefix = Vec::new();
        pack_prefix(item.prefix, &mut prefix);
        Self { prefix, watch: item.watch }
    }
}

impl TryFrom<&pb::FecWatch> for WatchFec {
    type Error = ConvertError;
    fn try_from(pb: &pb::FecWatch) -> Result<Self, ConvertError> {
        Ok(Self { prefix: unpack_prefix(&mut pb.prefix.as_slice())?, watch: pb.watch })
    }
}

impl From<&FecLabel> for pb::FecLabel {
    fn from(fec: &FecLabel) -> Self {
        let mut prefix = Vec::new();
        pack_prefix(fec.prefix, &mut prefix);
        Self { prefix, label: fec.label.map(Label::value) }
    }
}

impl TryFrom<&pb::FecLabel> for FecLabel {
    type Error = ConvertError;
    fn try_from(pb: &pb::FecLabel) -> Result<Self, ConvertError> {
        Ok(Self {
            prefix: unpack_prefix(&mut pb.prefix.as_slice())?,
            label: pb.label.map(label).transpose()?,
        })
    }
}
