//! UPDATE (RFC 4271 §4.3, RFC 4760, RFC 7606).
//!
//! ```text
//! +-----------------------------------------------------+
//! |   Withdrawn Routes Length (2 octets)                |
//! +-----------------------------------------------------+
//! |   Withdrawn Routes (variable)                       |
//! +-----------------------------------------------------+
//! |   Total Path Attribute Length (2 octets)            |
//! +-----------------------------------------------------+
//! |   Path Attributes (variable)                        |
//! +-----------------------------------------------------+
//! |   Network Layer Reachability Information (variable) |
//! +-----------------------------------------------------+
//! ```
//!
//! [`decode`] reads one. Faults that cost only an attribute or the routes come out as part of the [`Update`], whose
//! routes are then in `withdrawn` already; a fault that costs the session comes out as an [`UpdateError`]. The writing
//! side is in [`pack`](mod@pack).

use std::sync::Arc;

use bytes::Bytes;
use ferrite_wire::Reader;

use crate::attr::{
    AttrCode, AttributeError, Attributes, Builder, DecodeContext, Fault, NextHop, Penalty, split_header,
};
use crate::notification::{Notification, update as codes};
use crate::{Family, Nlri, NlriError};

mod cache;
mod mp;
mod pack;

pub use cache::AttributeCache;
pub use pack::{AttributeBlock, TooLong, announce, end_of_rib, withdraw};

use crate::attr::Needs;
use cache::Key;
use mp::{Reach, Unreach};

/// Routes announced together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Announced {
    pub attrs: Arc<Attributes>,
    pub nlri: Nlri,
}

/// What an UPDATE says, after every fault has been dealt with.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Update {
    /// Withdrawn on purpose, or because of a fault in their attributes.
    pub withdrawn: Vec<Nlri>,
    pub announced: Vec<Announced>,
    /// The initial table of this family is complete (RFC 4724 §2).
    pub end_of_rib: Option<Family>,
    /// What was wrong and passed over.
    pub faults: Vec<Fault>,
}

impl Update {
    /// The harshest penalty that was paid.
    pub fn penalty(&self) -> Option<Penalty> {
        self.faults.iter().map(|fault| fault.penalty).max()
    }
}

/// An UPDATE that ends the session: the error for the log, and what the other end is told.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{error}")]
pub struct UpdateError {
    pub error: AttributeError,
    pub notification: Notification,
}

impl UpdateError {
    /// The codes of RFC 4271 §6.3 with the attribute that is to blame.
    fn new(error: AttributeError, data: &[u8]) -> Self {
        let subcode = match &error {
            AttributeError::UnknownWellKnown { .. } => codes::UNKNOWN_WELL_KNOWN,
            AttributeError::Routes(_) => codes::NETWORK,
            AttributeError::Nlri { .. } | AttributeError::Length { .. } => codes::OPTIONAL,
            _ => codes::MALFORMED_LIST,
        };
        let data = if subcode == codes::MALFORMED_LIST || subcode == codes::NETWORK { &[] } else { data };
        Self { error, notification: Notification::new(codes::CODE, subcode, data) }
    }
}

/// The three fields of the message.
struct Fields {
    withdrawn: Bytes,
    attributes: Bytes,
    nlri: Bytes,
}

fn split(body: &Bytes) -> Option<Fields> {
    let mut reader = Reader::new(body);
    let len = usize::from(reader.u16().ok()?);
    let withdrawn = reader.take(len).ok()?;
    let len = usize::from(reader.u16().ok()?);
    let attributes = reader.take(len).ok()?;
    Some(Fields {
        withdrawn: body.slice_ref(withdrawn),
        attributes: body.slice_ref(attributes),
        nlri: body.slice_ref(reader.rest()),
    })
}

/// Attributes by their place only: the two of RFC 4760 found, the others not yet looked at.
#[derive(Default)]
struct Walk<'a> {
    reach: Option<crate::attr::RawRef<'a>>,
    unreach: Option<crate::attr::RawRef<'a>>,
    /// Number of attributes.
    count: usize,
    /// Cut off before the end.
    overrun: bool,
}

fn walk(attributes: &[u8]) -> Result<Walk<'_>, UpdateError> {
    let mut reader = Reader::new(attributes);
    let mut walk = Walk::default();
    while !reader.is_empty() {
        let Ok(raw) = split_header(&mut reader) else {
            walk.overrun = true;
            break;
        };
        walk.count += 1;
        let slot = match raw.code {
            AttrCode::MP_REACH_NLRI => &mut walk.reach,
            AttrCode::MP_UNREACH_NLRI => &mut walk.unreach,
            _ => continue,
        };
        if slot.replace(raw).is_some() {
            return Err(UpdateError::new(AttributeError::Duplicate { code: raw.code }, raw.whole));
        }
    }
    Ok(walk)
}

/// Reads the body of an UPDATE.
pub fn decode(
    body: &Bytes,
    context: &DecodeContext,
    cache: &mut AttributeCache,
) -> Result<Update, UpdateError> {
    let fields = split(body).ok_or_else(|| UpdateError::new(AttributeError::Overrun, &[]))?;
    let mut update = Update::default();
    if !fields.withdrawn.is_empty() {
        update.withdrawn.extend(classic(fields.withdrawn, context)?);
    }
    let nlri = if fields.nlri.is_empty() { None } else { classic(fields.nlri, context)? };
    let walk = walk(&fields.attributes)?;
    let reach = match walk.reach {
        Some(raw) => mp::read_reach(body, raw, context)?,
        None => None,
    };
    let unreach = match walk.unreach {
        Some(raw) => mp::read_unreach(body, raw, context)?,
        None => None,
    };
    update.end_of_rib = end_of_rib_family(&update, nlri.as_ref(), &walk, unreach.as_ref(), context);
    if let Some(Unreach { nlri }) = unreach.filter(|unreach| !unreach.nlri.is_empty()) {
        update.withdrawn.push(nlri);
    }
    if walk.count > 0 || walk.overrun || nlri.is_some() {
        judge(&fields.attributes, &walk, nlri, reach, context, cache, &mut update)?;
    }
    Ok(update)
}

/// NLRI of the message's own fields; ignored where the family was not negotiated.
fn classic(octets: Bytes, context: &DecodeContext) -> Result<Option<Nlri>, UpdateError> {
    let family = Family::IPV4_UNICAST;
    let add_path = context.add_path.contains(family);
    let nlri = Nlri::new(family, add_path, octets)
        .map_err(|error| UpdateError::new(AttributeError::Routes(error), &[]))?;
    Ok(context.families.contains(family).then_some(nlri))
}

fn nlri_error(code: AttrCode, error: NlriError, data: &[u8]) -> UpdateError {
    UpdateError::new(AttributeError::Nlri { code, error }, data)
}

/// RFC 4724 §2: nothing at all, or an MP_UNREACH_NLRI alone and without a route.
fn end_of_rib_family(
    update: &Update,
    nlri: Option<&Nlri>,
    walk: &Walk<'_>,
    unreach: Option<&Unreach>,
    context: &DecodeContext,
) -> Option<Family> {
    if walk.overrun || nlri.is_some() || !update.withdrawn.is_empty() {
        return None;
    }
    match (walk.count, unreach) {
        (0, _) => Some(Family::IPV4_UNICAST).filter(|family| context.families.contains(*family)),
        (1, Some(unreach)) if unreach.nlri.is_empty() => Some(unreach.nlri.family()),
        _ => None,
    }
}

/// Decodes the attributes, or finds them decoded, and decides what becomes of the routes.
fn judge(
    attributes: &Bytes,
    walk: &Walk<'_>,
    nlri: Option<Nlri>,
    reach: Option<Reach>,
    context: &DecodeContext,
    cache: &mut AttributeCache,
    update: &mut Update,
) -> Result<(), UpdateError> {
    // Only what announces routes of one kind, and all of it readable, is worth remembering.
    let cacheable = !walk.overrun && walk.unreach.is_none() && nlri.is_some() != reach.is_some();
    let key = cacheable.then(|| Key::new(attributes, walk.reach));
    if let Some(attrs) = key.as_ref().and_then(|key| cache.get(key)) {
        let nlri = nlri.or(reach.map(|reach| reach.nlri));
        update.announced.extend(nlri.map(|nlri| Announced { attrs, nlri }));
        return Ok(());
    }
    let mut builder = read_attributes(attributes, context)?;
    if walk.overrun {
        builder.fault(AttributeError::Overrun);
    }
    let needs = Needs {
        classic: nlri.is_some(),
        multiprotocol: reach.as_ref().is_some_and(|reach| !reach.nlri.is_empty()),
    };
    builder.complete(context, needs);
    let mp_next_hop = reach.as_ref().and_then(|reach| match &reach.next_hop {
        Ok(next_hop) => Some(*next_hop),
        Err(error) => {
            builder.fault(error.clone());
            None
        }
    });
    // RFC 7606 §5.2: where no route was found, the fault may have hidden some.
    if walk.overrun && nlri.is_none() && reach.is_none() {
        return Err(UpdateError::new(AttributeError::Overrun, &[]));
    }
    let withdraw = builder.penalty() >= Some(Penalty::TreatAsWithdraw);
    let classic_next_hop = builder.classic_next_hop();
    let routes = [(nlri, classic_next_hop), (reach.map(|reach| reach.nlri), mp_next_hop)];
    for (nlri, next_hop) in routes {
        let Some(nlri) = nlri.filter(|nlri| !nlri.is_empty()) else { continue };
        match next_hop {
            Some(next_hop) if !withdraw => {
                announce_one(&builder, next_hop, nlri, key.as_ref(), cache, update);
            }
            _ => update.withdrawn.push(nlri),
        }
    }
    update.faults = builder.faults;
    Ok(())
}

fn announce_one(
    builder: &Builder,
    next_hop: NextHop,
    nlri: Nlri,
    key: Option<&Key<'_>>,
    cache: &mut AttributeCache,
    update: &mut Update,
) {
    let attrs = Arc::new(builder.attributes(next_hop));
    if let Some(key) = key.filter(|_| builder.faults.is_empty()) {
        cache.insert(key, &attrs);
    }
    update.announced.push(Announced { attrs, nlri });
}

/// Every attribute judged; ends at the one that runs past the end, and at a fault that costs the session.
fn read_attributes(attributes: &[u8], context: &DecodeContext) -> Result<Builder, UpdateError> {
    let mut builder = Builder::default();
    let mut reader = Reader::new(attributes);
    while let Ok(raw) = split_header(&mut reader) {
        match raw.code {
            AttrCode::MP_REACH_NLRI | AttrCode::MP_UNREACH_NLRI => {
                if let Err(error) = builder.check_header(raw) {
                    builder.fault(error);
                }
            }
            _ => builder.add(raw, context),
        }
        if let Some(fault) = builder.faults.last().filter(|fault| fault.penalty == Penalty::SessionReset) {
            return Err(UpdateError::new(fault.error.clone(), raw.whole));
        }
    }
    Ok(builder)
}

#[cfg(test)]
mod tests;
