//! Capabilities (RFC 5492): what a speaker says in its OPEN that it can do. Unknown ones are kept as they are.

use bytes::{BufMut, BytesMut};
use ferrite_types::{Asn, printable};
use ferrite_wire::{LengthField, Reader};

use crate::Family;

/// Family numbers as they stand on the wire: a peer may speak families that we do not know.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FamilyCode {
    pub afi: u16,
    pub safi: u8,
}

impl FamilyCode {
    pub fn known(self) -> Option<Family> {
        Family::from_codes(self.afi, self.safi)
    }
}

impl From<Family> for FamilyCode {
    fn from(family: Family) -> Self {
        Self { afi: family.afi.code(), safi: family.safi.code() }
    }
}

/// Which way path identifiers are used (RFC 7911 §4).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AddPathMode {
    Receive = 1,
    Send = 2,
    Both = 3,
}

impl AddPathMode {
    pub const fn sends(self) -> bool {
        matches!(self, Self::Send | Self::Both)
    }

    pub const fn receives(self) -> bool {
        matches!(self, Self::Receive | Self::Both)
    }
}

/// Which way outbound route filters go.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OrfMode {
    Receive = 1,
    Send = 2,
    Both = 3,
}

impl OrfMode {
    const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Receive),
            2 => Some(Self::Send),
            3 => Some(Self::Both),
            _ => None,
        }
    }

    pub const fn sends(self) -> bool {
        matches!(self, Self::Send | Self::Both)
    }

    pub const fn receives(self) -> bool {
        matches!(self, Self::Receive | Self::Both)
    }
}

/// Graceful restart (RFC 4724 §3, RFC 8538 §2).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct GracefulRestart {
    pub restarting: bool,
    /// NOTIFICATION and hold timer expiry are restarts too.
    pub notification: bool,
    /// Seconds, 12 bits.
    pub time: u16,
    /// Families with the forwarding-state bit.
    pub families: Vec<(FamilyCode, bool)>,
}

/// A family kept long after its restart time (RFC 9494 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LongLived {
    pub family: FamilyCode,
    /// Forwarding state was kept.
    pub forwarding: bool,
    /// Seconds, 24 bits.
    pub stale_time: u32,
}

impl LongLived {
    /// Longest stale time, seconds.
    pub const MAX_TIME: u32 = 0xff_ffff;
}

/// BGP role of the speaker (RFC 9234 §4.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Role {
    Provider = 0,
    RouteServer = 1,
    RouteServerClient = 2,
    Customer = 3,
    Peer = 4,
}

impl Role {
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Provider),
            1 => Some(Self::RouteServer),
            2 => Some(Self::RouteServerClient),
            3 => Some(Self::Customer),
            4 => Some(Self::Peer),
            _ => None,
        }
    }

    /// Whether the two ends' roles belong together (RFC 9234 §4.2).
    pub const fn fits(self, other: Self) -> bool {
        matches!(
            (self, other),
            (Self::Provider, Self::Customer)
                | (Self::Customer, Self::Provider)
                | (Self::RouteServer, Self::RouteServerClient)
                | (Self::RouteServerClient, Self::RouteServer)
                | (Self::Peer, Self::Peer)
        )
    }
}

/// One capability.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Capability {
    Multiprotocol(FamilyCode),
    RouteRefresh,
    /// The code Cisco used before RFC 2918.
    RouteRefreshOld,
    /// Families whose IPv4 routes may have next hops of the address family given (RFC 8950).
    ExtendedNextHop(Vec<(FamilyCode, u16)>),
    ExtendedMessage,
    /// Outbound route filters (RFC 5291 §5): family, type of filter, direction.
    Orf(Vec<(FamilyCode, u8, OrfMode)>),
    Role(u8),
    GracefulRestart(GracefulRestart),
    LongLivedGracefulRestart(Vec<LongLived>),
    FourOctetAs(Asn),
    AddPath(Vec<(FamilyCode, AddPathMode)>),
    /// Capabilities may change during the session (draft-ietf-idr-dynamic-cap).
    Dynamic,
    EnhancedRouteRefresh,
    /// Paths of a prefix that the speaker wants at most (draft-abraitis-idr-addpath-paths-limit); zero is no limit.
    PathsLimit(Vec<(FamilyCode, u16)>),
    /// Host and domain name (draft-walton-bgp-hostname-capability).
    Hostname {
        host: String,
        domain: String,
    },
    /// Software version (draft-abraitis-bgp-version-capability).
    SoftwareVersion(String),
    Unknown {
        code: u8,
        value: Vec<u8>,
    },
}

mod code {
    pub const MULTIPROTOCOL: u8 = 1;
    pub const ROUTE_REFRESH: u8 = 2;
    pub const ORF: u8 = 3;
    pub const EXTENDED_NEXT_HOP: u8 = 5;
    pub const EXTENDED_MESSAGE: u8 = 6;
    pub const ROLE: u8 = 9;
    pub const GRACEFUL_RESTART: u8 = 64;
    pub const FOUR_OCTET_AS: u8 = 65;
    pub const DYNAMIC: u8 = 67;
    pub const ADD_PATH: u8 = 69;
    pub const ENHANCED_ROUTE_REFRESH: u8 = 70;
    pub const LONG_LIVED_GRACEFUL_RESTART: u8 = 71;
    pub const HOSTNAME: u8 = 73;
    pub const SOFTWARE_VERSION: u8 = 75;
    pub const PATHS_LIMIT: u8 = 76;
    pub const ROUTE_REFRESH_OLD: u8 = 128;
}

/// What a faulty capability costs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CapabilityFault {
    /// It is passed over, as if it had not been sent.
    Ignored { code: u8, reason: &'static str },
    /// The session cannot be: the length of a capability that decides how everything else is read.
    Fatal { code: u8 },
}

impl Capability {
    pub const fn code(&self) -> u8 {
        match self {
            Self::Multiprotocol(_) => code::MULTIPROTOCOL,
            Self::RouteRefresh => code::ROUTE_REFRESH,
            Self::RouteRefreshOld => code::ROUTE_REFRESH_OLD,
            Self::ExtendedNextHop(_) => code::EXTENDED_NEXT_HOP,
            Self::ExtendedMessage => code::EXTENDED_MESSAGE,
            Self::Orf(_) => code::ORF,
            Self::Role(_) => code::ROLE,
            Self::GracefulRestart(_) => code::GRACEFUL_RESTART,
            Self::LongLivedGracefulRestart(_) => code::LONG_LIVED_GRACEFUL_RESTART,
            Self::FourOctetAs(_) => code::FOUR_OCTET_AS,
            Self::Dynamic => code::DYNAMIC,
            Self::AddPath(_) => code::ADD_PATH,
            Self::EnhancedRouteRefresh => code::ENHANCED_ROUTE_REFRESH,
            Self::Hostname { .. } => code::HOSTNAME,
            Self::SoftwareVersion(_) => code::SOFTWARE_VERSION,
            Self::PathsLimit(_) => code::PATHS_LIMIT,
            Self::Unknown { code, .. } => *code,
        }
    }

    /// Reads the value of the capability with this code.
    pub fn decode(code: u8, value: &[u8]) -> Result<Self, CapabilityFault> {
        let ignored = |reason| CapabilityFault::Ignored { code, reason };
        let length = |ok: bool, capability| if ok { Ok(capability) } else { Err(ignored("length")) };
        match code {
            code::MULTIPROTOCOL => match value {
                [a, b, _reserved, safi] => Ok(Self::Multiprotocol(family_code([*a, *b], *safi))),
                _ => Err(CapabilityFault::Fatal { code }),
            },
            code::FOUR_OCTET_AS => match value.try_into() {
                Ok(octets) => Ok(Self::FourOctetAs(Asn(u32::from_be_bytes(octets)))),
                Err(_) => Err(CapabilityFault::Fatal { code }),
            },
            code::ROUTE_REFRESH => length(value.is_empty(), Self::RouteRefresh),
            code::ROUTE_REFRESH_OLD => length(value.is_empty(), Self::RouteRefreshOld),
            // Old speakers list the codes they can change.
            code::DYNAMIC => Ok(Self::Dynamic),
            code::EXTENDED_MESSAGE => length(value.is_empty(), Self::ExtendedMessage),
            code::ENHANCED_ROUTE_REFRESH => length(value.is_empty(), Self::EnhancedRouteRefresh),
            code::EXTENDED_NEXT_HOP => items(value, |[a, b, _, safi, c, d]| {
                Some((family_code([a, b], safi), u16::from_be_bytes([c, d])))
            })
            .map(Self::ExtendedNextHop)
            .ok_or(ignored("length")),
            code::ORF => orf(value).map(Self::Orf).ok_or(ignored("length")),
            code::ROLE => match value {
                [role] => Ok(Self::Role(*role)),
                _ => Err(ignored("length")),
            },
            code::GRACEFUL_RESTART => {
                graceful_restart(value).map(Self::GracefulRestart).ok_or(ignored("length"))
            }
            code::LONG_LIVED_GRACEFUL_RESTART => items(value, |[a, b, safi, flags, t0, t1, t2]| {
                Some(LongLived {
                    family: family_code([a, b], safi),
                    forwarding: flags & 0x80 != 0,
                    stale_time: u32::from_be_bytes([0, t0, t1, t2]),
                })
            })
            .map(Self::LongLivedGracefulRestart)
            .ok_or(ignored("length")),
            code::ADD_PATH => items(value, |[a, b, safi, mode]| {
                let mode = match mode {
                    1 => AddPathMode::Receive,
                    2 => AddPathMode::Send,
                    3 => AddPathMode::Both,
                    _ => return None, // RFC 7911 §4: the entry is ignored
                };
                Some((family_code([a, b], safi), mode))
            })
            .map(Self::AddPath)
            .ok_or(ignored("length")),
            code::PATHS_LIMIT => items(value, |[a, b, safi, c, d]| {
                Some((family_code([a, b], safi), u16::from_be_bytes([c, d])))
            })
            .map(Self::PathsLimit)
            .ok_or(ignored("length")),
            code::HOSTNAME => hostname(value).ok_or(ignored("name runs past the end")),
            code::SOFTWARE_VERSION => {
                let mut reader = Reader::new(value);
                let text = counted_text(&mut reader).ok_or(ignored("text runs past the end"))?;
                if text.is_empty() { Err(ignored("empty")) } else { Ok(Self::SoftwareVersion(text)) }
            }
            _ => Ok(Self::Unknown { code, value: value.to_vec() }),
        }
    }

    /// Appends the capability with its code and length. A value over 255 octets does not fit and is left out.
    pub fn encode(&self, buf: &mut BytesMut) {
        let start = buf.len();
        buf.put_u8(self.code());
        let len = LengthField::one(buf);
        self.put_value(buf);
        if len.close(buf).is_err() {
            buf.truncate(start);
        }
    }

    fn put_value(&self, buf: &mut BytesMut) {
        let put_family = |buf: &mut BytesMut, family: FamilyCode| {
            buf.put_u16(family.afi);
            buf.put_u8(family.safi);
        };
        match self {
            Self::RouteRefresh
            | Self::RouteRefreshOld
            | Self::ExtendedMessage
            | Self::Dynamic
            | Self::EnhancedRouteRefresh => {}
            Self::Multiprotocol(family) => {
                buf.put_u16(family.afi);
                buf.put_slice(&[0, family.safi]);
            }
            Self::ExtendedNextHop(entries) => {
                for (family, next_hop_afi) in entries {
                    buf.put_u16(family.afi);
                    buf.put_slice(&[0, family.safi]);
                    buf.put_u16(*next_hop_afi);
                }
            }
            Self::Orf(entries) => {
                for (family, kind, mode) in entries {
                    buf.put_u16(family.afi);
                    buf.put_slice(&[0, family.safi, 1, *kind, *mode as u8]);
                }
            }
            Self::Role(role) => buf.put_u8(*role),
            Self::GracefulRestart(restart) => {
                let flags = u16::from(restart.restarting) << 15 | u16::from(restart.notification) << 14;
                buf.put_u16(flags | restart.time.min(0xfff));
                for (family, forwarding) in &restart.families {
                    put_family(buf, *family);
                    buf.put_u8(u8::from(*forwarding) << 7);
                }
            }
            Self::LongLivedGracefulRestart(families) => {
                for entry in families {
                    put_family(buf, entry.family);
                    let time = entry.stale_time.min(LongLived::MAX_TIME);
                    buf.put_u32(u32::from(entry.forwarding) << 31 | time);
                }
            }
            Self::FourOctetAs(asn) => buf.put_u32(asn.0),
            Self::AddPath(entries) => {
                for (family, mode) in entries {
                    put_family(buf, *family);
                    buf.put_u8(*mode as u8);
                }
            }
            Self::PathsLimit(entries) => {
                for (family, limit) in entries {
                    put_family(buf, *family);
                    buf.put_u16(*limit);
                }
            }
            Self::Hostname { host, domain } => {
                put_counted_text(buf, host);
                put_counted_text(buf, domain);
            }
            Self::SoftwareVersion(text) => put_counted_text(buf, text),
            Self::Unknown { value, .. } => buf.put_slice(value),
        }
    }
}

fn family_code(afi: [u8; 2], safi: u8) -> FamilyCode {
    FamilyCode { afi: u16::from_be_bytes(afi), safi }
}

/// Entries of a fixed size; `None` where they do not fill the value.
fn items<const N: usize, T>(value: &[u8], item: impl Fn([u8; N]) -> Option<T>) -> Option<Vec<T>> {
    let (chunks, rest) = value.as_chunks::<N>();
    (rest.is_empty()).then(|| chunks.iter().filter_map(|chunk| item(*chunk)).collect())
}

fn graceful_restart(value: &[u8]) -> Option<GracefulRestart> {
    let (head, families) = value.split_first_chunk::<2>()?;
    let head = u16::from_be_bytes(*head);
    Some(GracefulRestart {
        restarting: head & 0x8000 != 0,
        notification: head & 0x4000 != 0,
        time: head & 0x0fff,
        families: items(families, |[a, b, safi, flags]| {
            Some((family_code([a, b], safi), flags & 0x80 != 0))
        })?,
    })
}

/// ```text
/// AFI (2) | reserved (1) | SAFI (1) | number (1) | type (1) send/receive (1) …, and so for every family
/// ```
fn orf(value: &[u8]) -> Option<Vec<(FamilyCode, u8, OrfMode)>> {
    let mut reader = Reader::new(value);
    let mut entries = Vec::new();
    while !reader.is_empty() {
        let [a, b, _, safi, number] = reader.array().ok()?;
        for _ in 0..number {
            let [kind, mode] = reader.array().ok()?;
            // A direction that is none is ignored (RFC 5291 §5).
            entries.extend(OrfMode::from_code(mode).map(|mode| (family_code([a, b], safi), kind, mode)));
        }
    }
    Some(entries)
}

fn hostname(value: &[u8]) -> Option<Capability> {
    let mut reader = Reader::new(value);
    let host = counted_text(&mut reader)?;
    // Some speakers leave the domain out altogether.
    let domain = if reader.is_empty() { String::new() } else { counted_text(&mut reader)? };
    Some(Capability::Hostname { host, domain })
}

/// A text behind its length, made fit to be shown: what is no UTF-8 or no printable character is replaced.
fn counted_text(reader: &mut Reader<'_>) -> Option<String> {
    let len = reader.u8().ok()?;
    let octets = reader.take(usize::from(len)).ok()?;
    Some(printable(octets))
}

/// Names are cut at 64 octets, as FRR does.
fn put_counted_text(buf: &mut BytesMut, text: &str) {
    let mut end = text.len().min(64);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    buf.put_u8(end as u8);
    buf.put_slice(text.as_bytes().get(..end).unwrap_or_default());
}
