//! MP_REACH_NLRI and MP_UNREACH_NLRI (RFC 4760 §3, §4). Families that were not negotiated are ignored whole (§6).

use bytes::Bytes;
use ferrite_types::Afi;
use ferrite_wire::Reader;

use super::{UpdateError, nlri_error};
use crate::attr::{AttributeError, DecodeContext, NextHop, RawRef, check_ipv4_next_hop, check_ipv6_next_hop};
use crate::{Family, Nlri};

/// Routes of one family with their next hop. A next hop that is no unicast address costs the routes only.
#[derive(Debug)]
pub struct Reach {
    pub nlri: Nlri,
    pub next_hop: Result<NextHop, AttributeError>,
}

#[derive(Debug)]
pub struct Unreach {
    pub nlri: Nlri,
}

fn short(raw: RawRef<'_>) -> UpdateError {
    let error = AttributeError::Length { code: raw.code, len: raw.value.len() };
    UpdateError::new(error, raw.whole)
}

/// The family, where it is one that both ends announced.
fn family(
    reader: &mut Reader<'_>,
    raw: RawRef<'_>,
    context: &DecodeContext,
) -> Result<Option<Family>, UpdateError> {
    let (Ok(afi), Ok(safi)) = (reader.u16(), reader.u8()) else { return Err(short(raw)) };
    Ok(Family::from_codes(afi, safi).filter(|family| context.families.contains(*family)))
}

/// ```text
/// AFI (2) | SAFI (1) | next hop length (1) | next hop | reserved (1) | NLRI
/// ```
pub fn read_reach(
    body: &Bytes,
    raw: RawRef<'_>,
    context: &DecodeContext,
) -> Result<Option<Reach>, UpdateError> {
    let mut reader = Reader::new(raw.value);
    let Some(family) = family(&mut reader, raw, context)? else { return Ok(None) };
    let len = reader.u8().map_err(|_| short(raw))?;
    let octets = reader.take(usize::from(len)).map_err(|_| short(raw))?;
    let next_hop = next_hop(family, octets, context).ok_or_else(|| short(raw))?;
    reader.u8().map_err(|_| short(raw))?;
    let nlri = nlri(body, reader, family, raw, context)?;
    Ok(Some(Reach { nlri, next_hop }))
}

/// ```text
/// AFI (2) | SAFI (1) | NLRI
/// ```
pub fn read_unreach(
    body: &Bytes,
    raw: RawRef<'_>,
    context: &DecodeContext,
) -> Result<Option<Unreach>, UpdateError> {
    let mut reader = Reader::new(raw.value);
    let Some(family) = family(&mut reader, raw, context)? else { return Ok(None) };
    Ok(Some(Unreach { nlri: nlri(body, reader, family, raw, context)? }))
}

fn nlri(
    body: &Bytes,
    reader: Reader<'_>,
    family: Family,
    raw: RawRef<'_>,
    context: &DecodeContext,
) -> Result<Nlri, UpdateError> {
    let octets = body.slice_ref(reader.rest());
    Nlri::new(family, context.add_path.contains(family), octets)
        .map_err(|error| nlri_error(raw.code, error, raw.whole))
}

/// `None`: no next hop of the family has this length (RFC 7606 §7.11).
fn next_hop(
    family: Family,
    octets: &[u8],
    context: &DecodeContext,
) -> Option<Result<NextHop, AttributeError>> {
    let mut reader = Reader::new(octets);
    let tame = |next_hop: Result<NextHop, AttributeError>, as_is: NextHop| {
        if context.martian_next_hops { Ok(as_is) } else { next_hop }
    };
    let ipv6_allowed = family.afi == Afi::Ipv6 || context.extended_next_hop;
    match octets.len() {
        4 if family.afi == Afi::Ipv4 => {
            let addr = reader.ipv4().ok()?;
            Some(tame(check_ipv4_next_hop(addr).map(NextHop::V4), NextHop::V4(addr)))
        }
        16 if ipv6_allowed => {
            let global = reader.ipv6().ok()?;
            Some(tame(check_ipv6_next_hop(global, None), NextHop::V6 { global, link_local: None }))
        }
        32 if ipv6_allowed => {
            let (global, second) = (reader.ipv6().ok()?, reader.ipv6().ok()?);
            Some(check_ipv6_next_hop(global, Some(second)))
        }
        _ => None,
    }
}
