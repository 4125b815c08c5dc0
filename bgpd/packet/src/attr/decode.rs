//! Attributes off the wire, each judged by itself (RFC 7606 §3, §7) and gathered in a [`Builder`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ferrite_types::{Asn, Community, ExtCommunity, LargeCommunity, RouterId};
use ferrite_wire::{Reader, Short};

use super::code::flags;
use super::opaque::{self, PrefixSidFault};
use super::{
    Aggregator, AsPath, AttrCode, AttributeError, AttributeLimits, Attributes, CodeSet, Fault, LimitKind,
    NextHop, Origin, Penalty, RareAttributes, RawAttribute,
};
use crate::FamilySet;

/// What the neighbour is to us.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SessionKind {
    Internal,
    External,
    /// Another member of our confederation.
    Confederation,
}

/// What two ends agreed on, and what is configured, as far as reading an UPDATE depends on it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DecodeContext {
    pub kind: SessionKind,
    /// AS numbers have four octets.
    pub four_octet: bool,
    /// Families that both ends announced.
    pub families: FamilySet,
    /// Families received with path identifiers.
    pub add_path: FamilySet,
    /// IPv4 routes may have IPv6 next hops (RFC 8950).
    pub extended_next_hop: bool,
    /// The path must begin with this AS.
    pub enforce_first_as: Option<Asn>,
    /// LOCAL_PREF is taken from outside too: one administration has both ASes.
    pub local_pref: bool,
    /// Next hops that are no host's address are let pass.
    pub martian_next_hops: bool,
    /// AIGP is wanted from this peer.
    pub aigp: bool,
    /// `path-attribute discard`.
    pub discard: CodeSet,
    /// `path-attribute treat-as-withdraw`.
    pub withdraw: CodeSet,
    pub limits: AttributeLimits,
    /// Families whose outbound route filters are taken (RFC 5291).
    pub orf: FamilySet,
}

impl DecodeContext {
    /// IPv4 unicast with four-octet AS numbers and nothing else.
    pub fn new(kind: SessionKind) -> Self {
        Self {
            kind,
            four_octet: true,
            families: FamilySet::EMPTY.with(crate::Family::IPV4_UNICAST),
            add_path: FamilySet::EMPTY,
            extended_next_hop: false,
            enforce_first_as: None,
            local_pref: false,
            martian_next_hops: false,
            aigp: false,
            discard: CodeSet::EMPTY,
            withdraw: CodeSet::EMPTY,
            limits: AttributeLimits::default(),
            orf: FamilySet::EMPTY,
        }
    }
}

/// One attribute, not yet looked into.
#[derive(Clone, Copy, Debug)]
pub struct RawRef<'a> {
    pub flags: u8,
    pub code: AttrCode,
    pub value: &'a [u8],
    /// The attribute with its header, for NOTIFICATION data.
    pub whole: &'a [u8],
}

/// Cuts the next attribute off.
#[inline]
pub fn split_header<'a>(reader: &mut Reader<'a>) -> Result<RawRef<'a>, Short> {
    let start = reader.rest();
    let [flags, code] = reader.array()?;
    let len =
        if flags & flags::EXTENDED_LENGTH != 0 { reader.u16()?.into() } else { usize::from(reader.u8()?) };
    let value = reader.take(len)?;
    let whole = start.get(..start.len() - reader.len()).unwrap_or(start);
    Ok(RawRef { flags, code: AttrCode(code), value, whole })
}

/// Attributes as they are gathered from one UPDATE.
#[derive(Debug, Default)]
pub struct Builder {
    seen: CodeSet,
    origin: Option<Origin>,
    as_path: Option<AsPath>,
    as4_path: Option<AsPath>,
    next_hop: Option<Ipv4Addr>,
    med: Option<u32>,
    local_pref: Option<u32>,
    atomic_aggregate: bool,
    aggregator: Option<Aggregator>,
    as4_aggregator: Option<Aggregator>,
    communities: Box<[Community]>,
    large_communities: Box<[LargeCommunity]>,
    ext_communities: Box<[ExtCommunity]>,
    rare: RareAttributes,
    unknown: Vec<RawAttribute>,
    pub faults: Vec<Fault>,
}

impl Builder {
    /// The harshest penalty so far.
    pub fn penalty(&self) -> Option<Penalty> {
        self.faults.iter().map(|fault| fault.penalty).max()
    }

    pub fn fault(&mut self, error: AttributeError) {
        self.faults.push(error.into());
    }

    /// Takes in one attribute other than MP_REACH_NLRI and MP_UNREACH_NLRI.
    pub fn add(&mut self, raw: RawRef<'_>, context: &DecodeContext) {
        if context.discard.contains(raw.code) {
            return;
        }
        if context.withdraw.contains(raw.code) {
            self.fault(AttributeError::Configured(raw.code));
            return;
        }
        if let Err(error) = self.check_header(raw).and_then(|()| self.read(raw, context)) {
            self.fault(error);
        }
    }

    /// Duplicates and flags: the same rules for every attribute.
    pub fn check_header(&mut self, raw: RawRef<'_>) -> Result<(), AttributeError> {
        if !self.seen.insert(raw.code) {
            return Err(AttributeError::Duplicate { code: raw.code });
        }
        match raw.code.defined_flags() {
            Some(defined) if raw.flags & flags::OPTIONAL_TRANSITIVE != defined => {
                Err(AttributeError::Flags { code: raw.code, flags: raw.flags })
            }
            None if raw.flags & flags::OPTIONAL == 0 => {
                Err(AttributeError::UnknownWellKnown { code: raw.code })
            }
            _ => Ok(()),
        }
    }

    fn read(&mut self, raw: RawRef<'_>, context: &DecodeContext) -> Result<(), AttributeError> {
        let external = context.kind == SessionKind::External;
        match raw.code {
            AttrCode::ORIGIN => {
                let [value] = fixed(raw)?;
                self.origin = Some(Origin::from_code(value).ok_or(AttributeError::OriginValue(value))?);
            }
            AttrCode::AS_PATH => {
                let path = AsPath::decode(raw.value, context.four_octet).map_err(AttributeError::AsPath)?;
                check_path(&path, context)?;
                self.as_path = Some(path);
            }
            AttrCode::NEXT_HOP => {
                self.next_hop = Some(fixed::<4>(raw)?.into());
            }
            AttrCode::MED => self.med = Some(u32::from_be_bytes(fixed(raw)?)),
            // From outside they mean nothing, whatever they hold (§7.5, §7.9, §7.10).
            AttrCode::LOCAL_PREF if external && !context.local_pref => {}
            AttrCode::ORIGINATOR_ID | AttrCode::CLUSTER_LIST if external => {}
            AttrCode::LOCAL_PREF => self.local_pref = Some(u32::from_be_bytes(fixed(raw)?)),
            AttrCode::ATOMIC_AGGREGATE => {
                let [] = fixed::<0>(raw)?;
                self.atomic_aggregate = true;
            }
            AttrCode::AGGREGATOR => self.aggregator = Some(read_aggregator(raw, context.four_octet)?),
            AttrCode::COMMUNITIES => self.communities = list(raw, |o| Community(u32::from_be_bytes(o)))?,
            AttrCode::ORIGINATOR_ID => self.rare.originator_id = Some(RouterId(fixed::<4>(raw)?.into())),
            AttrCode::CLUSTER_LIST => self.rare.cluster_list = ordered_list(raw, Ipv4Addr::from)?,
            AttrCode::EXT_COMMUNITIES => self.ext_communities = list(raw, ExtCommunity)?,
            AttrCode::LARGE_COMMUNITIES => self.large_communities = list(raw, large_community)?,
            // Of a speaker that knows four octets these two are not expected (RFC 6793 §6).
            AttrCode::AS4_PATH | AttrCode::AS4_AGGREGATOR if context.four_octet => {}
            AttrCode::AS4_PATH => {
                self.as4_path = Some(AsPath::decode(raw.value, true).map_err(AttributeError::As4Path)?);
            }
            AttrCode::AS4_AGGREGATOR => self.as4_aggregator = Some(read_aggregator(raw, true)?),
            AttrCode::AIGP => {
                let metric = opaque::read_aigp(raw.value)?;
                self.rare.aigp = metric.filter(|_| context.aigp);
            }
            AttrCode::OTC => {
                let asn = Asn(u32::from_be_bytes(fixed(raw)?));
                if asn.0 == 0 {
                    return Err(AttributeError::Value { code: raw.code, reason: "AS 0" });
                }
                self.rare.otc = Some(asn);
            }
            AttrCode::BGP_LS => opaque::check_link_state(raw.value)?,
            AttrCode::PMSI_TUNNEL => opaque::check_pmsi(raw.value).map(|()| self.keep(raw))?,
            AttrCode::TUNNEL_ENCAP => opaque::check_tunnel_encap(raw.value).map(|()| self.keep(raw))?,
            AttrCode::ATTR_SET => opaque::check_attr_set(raw.value).map(|()| self.keep(raw))?,
            AttrCode::IPV6_EXT_COMMUNITIES => {
                whole_items(raw, 20)?;
                self.keep(raw);
            }
            AttrCode::PREFIX_SID => match opaque::check_prefix_sid(raw.value) {
                Ok(()) => self.keep(raw),
                Err(PrefixSidFault::Attribute(error)) => return Err(error),
                Err(PrefixSidFault::Service) => {
                    let error =
                        AttributeError::Value { code: raw.code, reason: "SRv6 service TLV malformed" };
                    self.faults.push(Fault { error, penalty: Penalty::TreatAsWithdraw });
                }
            },
            _ if raw.flags & flags::TRANSITIVE != 0 => {
                self.keep(RawRef { flags: raw.flags | flags::PARTIAL, ..raw });
            }
            // Unknown, optional, not transitive: quietly ignored (RFC 4271 §9).
            _ => {}
        }
        Ok(())
    }

    /// Keeps an attribute to be passed on; the lower four flag bits are not ours to pass on (RFC 7606 §3 c).
    fn keep(&mut self, raw: RawRef<'_>) {
        let kept = flags::OPTIONAL_TRANSITIVE | flags::PARTIAL;
        self.unknown.push(RawAttribute {
            flags: raw.flags & kept,
            code: raw.code.0,
            value: raw.value.into(),
        });
    }

    /// Closes the gathering: joins the two- and four-octet forms, then looks for what routes must have.
    pub fn complete(&mut self, context: &DecodeContext, needs: Needs) {
        self.merge_as4();
        self.check_limits(&context.limits);
        let internal = context.kind == SessionKind::Internal;
        let wanted = [
            (AttrCode::ORIGIN, needs.any()),
            (AttrCode::AS_PATH, needs.any()),
            (AttrCode::NEXT_HOP, needs.classic),
            (AttrCode::LOCAL_PREF, needs.any() && internal),
        ];
        for (code, needed) in wanted {
            if needed && !self.seen.contains(code) {
                self.fault(AttributeError::Missing(code));
            }
        }
        // Beside MP_REACH_NLRI alone NEXT_HOP means nothing (RFC 4760 §3), and some speakers then send zeros.
        let checked = needs.classic && !context.martian_next_hops;
        if let Some(Err(error)) = self.next_hop.filter(|_| checked).map(check_ipv4_next_hop) {
            self.fault(error);
        }
    }

    /// More than the operator lets one route carry costs the routes, and the fault names the limit.
    fn check_limits(&mut self, limits: &AttributeLimits) {
        let wide = self.unknown.iter().filter(|raw| raw.code == AttrCode::IPV6_EXT_COMMUNITIES.0);
        let communities = self.communities.len()
            + self.large_communities.len()
            + self.ext_communities.len()
            + wide.map(|raw| raw.value.len() / 20).sum::<usize>();
        let path = self.as_path.as_ref().map_or(0, |path| path.asns().count());
        let counts = [
            (LimitKind::AsPath, path, limits.as_path),
            (LimitKind::Communities, communities, limits.communities),
            (LimitKind::Attributes, self.seen.len(), limits.attributes),
        ];
        for (kind, count, limit) in counts {
            if count > usize::from(limit) {
                self.fault(AttributeError::Limit { kind, count, limit });
            }
        }
    }

    /// RFC 6793 §4.2.3.
    fn merge_as4(&mut self) {
        let as4_path = self.as4_path.take();
        let as4_aggregator = self.as4_aggregator.take();
        match &mut self.aggregator {
            // An old speaker aggregated after the four-octet forms were written: both are stale.
            Some(aggregator) if aggregator.asn != Asn::TRANS && as4_aggregator.is_some() => return,
            Some(aggregator) => *aggregator = as4_aggregator.unwrap_or(*aggregator),
            None => {}
        }
        if let (Some(path), Some(as4)) = (&self.as_path, as4_path) {
            self.as_path = Some(path.merge_as4(&as4));
        }
    }

    /// The next hop of routes in the UPDATE's own NLRI field.
    pub fn classic_next_hop(&self) -> Option<NextHop> {
        self.next_hop.map(NextHop::V4)
    }

    /// The finished attributes, for routes with this next hop. Only after [`Builder::complete`] found nothing wrong.
    pub fn attributes(&self, next_hop: NextHop) -> Attributes {
        let mut rare = self.rare.clone();
        rare.aggregator = self.aggregator;
        rare.unknown = self.unknown.clone().into();
        rare.unknown.sort_by_key(|attribute| attribute.code);
        Attributes {
            origin: self.origin.unwrap_or_default(),
            atomic_aggregate: self.atomic_aggregate,
            as_path: self.as_path.clone().unwrap_or_default(),
            next_hop,
            med: self.med,
            local_pref: self.local_pref,
            communities: self.communities.clone(),
            large_communities: self.large_communities.clone(),
            ext_communities: self.ext_communities.clone(),
            rare: (rare != RareAttributes::default()).then(|| Box::new(rare)),
        }
    }
}

/// Which routes an UPDATE announces, and so which attributes it must have.
#[derive(Clone, Copy, Debug)]
pub struct Needs {
    pub classic: bool,
    pub multiprotocol: bool,
}

impl Needs {
    const fn any(self) -> bool {
        self.classic || self.multiprotocol
    }
}

/// The value, where it has exactly the length its definition gives it.
fn fixed<const N: usize>(raw: RawRef<'_>) -> Result<[u8; N], AttributeError> {
    raw.value.try_into().map_err(|_| AttributeError::Length { code: raw.code, len: raw.value.len() })
}

/// A list must have at least one item, and only whole ones.
fn whole_items(raw: RawRef<'_>, item: usize) -> Result<(), AttributeError> {
    let len = raw.value.len();
    if len == 0 || !len.is_multiple_of(item) {
        return Err(AttributeError::Length { code: raw.code, len });
    }
    Ok(())
}

fn ordered_list<const N: usize, T>(
    raw: RawRef<'_>,
    item: fn([u8; N]) -> T,
) -> Result<Box<[T]>, AttributeError> {
    whole_items(raw, N)?;
    Ok(raw.value.as_chunks::<N>().0.iter().map(|octets| item(*octets)).collect())
}

/// A list whose order means nothing: sorted, each item once.
fn list<const N: usize, T: Ord>(raw: RawRef<'_>, item: fn([u8; N]) -> T) -> Result<Box<[T]>, AttributeError> {
    let items = ordered_list(raw, item)?;
    if items.is_sorted_by(|a, b| a < b) {
        return Ok(items);
    }
    let mut items = items.into_vec();
    items.sort_unstable();
    items.dedup();
    Ok(items.into())
}

fn large_community(octets: [u8; 12]) -> LargeCommunity {
    let [a, b, c, d, e, f, g, h, i, j, k, l] = octets;
    LargeCommunity {
        global: u32::from_be_bytes([a, b, c, d]),
        local1: u32::from_be_bytes([e, f, g, h]),
        local2: u32::from_be_bytes([i, j, k, l]),
    }
}

fn read_aggregator(raw: RawRef<'_>, four_octet: bool) -> Result<Aggregator, AttributeError> {
    let (asn, addr) = if four_octet {
        let [a, b, c, d, addr @ ..] = fixed::<8>(raw)?;
        (u32::from_be_bytes([a, b, c, d]), addr)
    } else {
        let [a, b, addr @ ..] = fixed::<6>(raw)?;
        (u32::from(u16::from_be_bytes([a, b])), addr)
    };
    if asn == 0 {
        return Err(AttributeError::Value { code: raw.code, reason: "AS 0" });
    }
    Ok(Aggregator { asn: Asn(asn), router_id: addr.into() })
}

/// What the session demands of a path beyond being readable.
fn check_path(path: &AsPath, context: &DecodeContext) -> Result<(), AttributeError> {
    if context.kind == SessionKind::External {
        if path.has_confed() {
            return Err(AttributeError::ConfedSegment); // RFC 5065 §5
        }
        if let Some(asn) = context.enforce_first_as {
            let leads = path.neighbor() == Some(asn);
            return if leads { Ok(()) } else { Err(AttributeError::FirstAs(asn)) };
        }
    }
    if context.kind == SessionKind::Confederation && !path.starts_with_confed() {
        return Err(AttributeError::ConfedSegment);
    }
    Ok(())
}

pub fn check_ipv4_next_hop(addr: Ipv4Addr) -> Result<Ipv4Addr, AttributeError> {
    let [first, ..] = addr.octets();
    let martian = first == 0 || first == 127 || first >= 224;
    if martian { Err(AttributeError::NextHop(IpAddr::V4(addr))) } else { Ok(addr) }
}

/// A next hop of 16 or 32 octets (RFC 2545 §3). The second address counts only where it is link-local.
pub fn check_ipv6_next_hop(global: Ipv6Addr, second: Option<Ipv6Addr>) -> Result<NextHop, AttributeError> {
    let link_local = second.filter(|addr| addr.is_unicast_link_local());
    // Some speakers without a global address send only the link-local one, or zeros before it.
    let global = match link_local {
        Some(addr) if global.is_unspecified() => addr,
        _ => global,
    };
    let martian = global.is_unspecified() || global.is_loopback() || global.is_multicast();
    if martian || global.to_ipv4_mapped().is_some_and(|v4| check_ipv4_next_hop(v4).is_err()) {
        return Err(AttributeError::NextHop(IpAddr::V6(global)));
    }
    Ok(NextHop::V6 { global, link_local })
}
