//! Attributes that are passed on as they came but whose structure their RFCs want checked: tunnel encapsulation, PMSI,
//! prefix SID, BGP-LS, AIGP, attribute sets. Every function says whether the value holds together.

use ferrite_wire::{Reader, Short};

use super::{AttrCode, AttributeError, decode::split_header};

type Checked = Result<(), AttributeError>;

fn broken(code: AttrCode, reason: &'static str) -> AttributeError {
    AttributeError::Value { code, reason }
}

fn overrun(code: AttrCode) -> impl Fn(Short) -> AttributeError {
    move |_| broken(code, "TLV runs past the end")
}

/// Tunnel encapsulation (RFC 9012 §2, §13): TLVs of sub-TLVs, whose length field has two octets from type 128 on.
pub fn check_tunnel_encap(value: &[u8]) -> Checked {
    let error = overrun(AttrCode::TUNNEL_ENCAP);
    let mut tlvs = Reader::new(value);
    while !tlvs.is_empty() {
        let _kind = tlvs.u16().map_err(&error)?;
        let len = usize::from(tlvs.u16().map_err(&error)?);
        let mut subs = tlvs.sub(len).map_err(&error)?;
        while !subs.is_empty() {
            let kind = subs.u8().map_err(&error)?;
            let len = if kind < 128 {
                usize::from(subs.u8().map_err(&error)?)
            } else {
                usize::from(subs.u16().map_err(&error)?)
            };
            subs.take(len).map_err(&error)?;
        }
    }
    Ok(())
}

/// PMSI tunnel (RFC 6514 §5): flags, type, label, tunnel identifier whose length the type decides.
pub fn check_pmsi(value: &[u8]) -> Checked {
    let code = AttrCode::PMSI_TUNNEL;
    let mut reader = Reader::new(value);
    let length = |_: Short| AttributeError::Length { code, len: value.len() };
    let [_flags, kind, _, _, _] = reader.array::<5>().map_err(length)?;
    let fits = match kind {
        0 => reader.is_empty(),
        1 => matches!(reader.len(), 12 | 24),
        2 => reader.len() >= 17,
        3..=5 => matches!(reader.len(), 8 | 32),
        6 => matches!(reader.len(), 4 | 16),
        _ => true,
    };
    if fits { Ok(()) } else { Err(broken(code, "tunnel identifier does not fit its type")) }
}

/// BGP-LS attribute (RFC 9552 §5.3): only the TLVs' lengths are for everybody to check (§8.2.2).
pub fn check_link_state(value: &[u8]) -> Checked {
    let error = overrun(AttrCode::BGP_LS);
    let mut tlvs = Reader::new(value);
    while !tlvs.is_empty() {
        let _kind = tlvs.u16().map_err(&error)?;
        let len = usize::from(tlvs.u16().map_err(&error)?);
        tlvs.take(len).map_err(&error)?;
    }
    Ok(())
}

/// A fault in the prefix SID attribute: the SRv6 service TLVs cost the route, the others only the attribute.
pub enum PrefixSidFault {
    Attribute(AttributeError),
    Service,
}

/// Prefix SID (RFC 8669 §3, §6; RFC 9252 §2, §7).
pub fn check_prefix_sid(value: &[u8]) -> Result<(), PrefixSidFault> {
    let code = AttrCode::PREFIX_SID;
    let fail = |reason| PrefixSidFault::Attribute(broken(code, reason));
    let error = |_: Short| fail("TLV runs past the end");
    let mut tlvs = Reader::new(value);
    if tlvs.is_empty() {
        return Err(PrefixSidFault::Attribute(AttributeError::Length { code, len: 0 }));
    }
    while !tlvs.is_empty() {
        let kind = tlvs.u8().map_err(error)?;
        let len = usize::from(tlvs.u16().map_err(error)?);
        let tlv = tlvs.sub(len).map_err(error)?;
        match kind {
            1 if len != 7 => return Err(fail("label index TLV of a wrong length")),
            3 if len < 8 || !(len - 2).is_multiple_of(6) => return Err(fail("SRGB TLV of a wrong length")),
            5 | 6 => check_srv6_service(tlv).ok_or(PrefixSidFault::Service)?,
            _ => {}
        }
    }
    Ok(())
}

/// SRv6 L3 or L2 service TLV; `None` where it does not hold together.
fn check_srv6_service(mut tlv: Reader<'_>) -> Option<()> {
    tlv.u8().ok()?;
    while !tlv.is_empty() {
        let kind = tlv.u8().ok()?;
        let len = usize::from(tlv.u16().ok()?);
        let mut sub = tlv.sub(len).ok()?;
        if kind != 1 {
            continue;
        }
        // SID information: reserved, SID, flags, behaviour, reserved.
        sub.take(21).ok()?;
        while !sub.is_empty() {
            let kind = sub.u8().ok()?;
            let len = usize::from(sub.u16().ok()?);
            let mut structure = sub.sub(len).ok()?;
            if kind == 1 {
                let [block, node, function, argument, transposed, offset] = structure.array::<6>().ok()?;
                let sum: u16 = [block, node, function, argument].into_iter().map(u16::from).sum();
                let fits = sum <= 128 && u16::from(transposed) + u16::from(offset) <= 128;
                (fits && structure.is_empty() && transposed <= 24).then_some(())?;
            }
        }
    }
    Some(())
}

/// AIGP (RFC 7311 §3): the metric of its first AIGP TLV.
pub fn read_aigp(value: &[u8]) -> Result<Option<u64>, AttributeError> {
    let error = overrun(AttrCode::AIGP);
    let mut tlvs = Reader::new(value);
    let mut metric = None;
    while !tlvs.is_empty() {
        let kind = tlvs.u8().map_err(&error)?;
        let len = usize::from(tlvs.u16().map_err(&error)?);
        let body = len.checked_sub(3).ok_or(broken(AttrCode::AIGP, "TLV shorter than its header"))?;
        let mut tlv = tlvs.sub(body).map_err(&error)?;
        if kind == 1 {
            if len != 11 {
                return Err(broken(AttrCode::AIGP, "AIGP TLV of a wrong length"));
            }
            let value = tlv.u64().map_err(&error)?;
            metric = metric.or(Some(value));
        }
    }
    Ok(metric)
}

/// Attribute set (RFC 6368 §5): an AS number and whole attributes.
pub fn check_attr_set(value: &[u8]) -> Checked {
    let mut reader = Reader::new(value);
    reader.u32().map_err(|_| AttributeError::Length { code: AttrCode::ATTR_SET, len: value.len() })?;
    while !reader.is_empty() {
        split_header(&mut reader).map_err(|_| broken(AttrCode::ATTR_SET, "attribute runs past the end"))?;
    }
    Ok(())
}
