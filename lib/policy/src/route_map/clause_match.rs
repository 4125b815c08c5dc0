//! Match clauses: every one must hold for the entry to match.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ferrite_types::{Afi, ExtCommunity, RouteProtocol, Tag};

use crate::PolicyOrigin;
use crate::community_list::CommunityMatch;

/// A peer named by a clause.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PeerSpec {
    /// Routes that this router originates.
    Local,
    Addr(IpAddr),
    /// Interface or peer group.
    Name(String),
}

/// A tag, where zero is written as a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TagValue(pub Tag);

impl fmt::Display for TagValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.0 == 0 { f.write_str("untagged") } else { self.0.fmt(f) }
    }
}

impl std::str::FromStr for TagValue {
    type Err = ferrite_types::ParseError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "untagged" { Ok(Self(Tag(0))) } else { text.parse().map(Self) }
    }
}

/// What a next-hop or source clause looks the address up in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NextHopList {
    Access(String),
    Prefix(String),
}

/// What the RPKI says of a route's origin (RFC 6811).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OriginValidity {
    Valid,
    Invalid,
    NotFound,
}

/// What the RPKI says of a route's AS path (draft-ietf-sidrops-aspa-verification).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PathValidity {
    Valid,
    Invalid,
    Unknown,
}

impl OriginValidity {
    const ALL: [Self; 3] = [Self::Valid, Self::Invalid, Self::NotFound];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::NotFound => "notfound",
        }
    }

    /// The community that carries it between the routers of an AS (RFC 8097 §2).
    pub const fn community(self) -> ExtCommunity {
        let state = match self {
            Self::Valid => 0,
            Self::NotFound => 1,
            Self::Invalid => 2,
        };
        ExtCommunity([0x43, 0x00, 0, 0, 0, 0, 0, state])
    }
}

impl PathValidity {
    const ALL: [Self; 3] = [Self::Valid, Self::Invalid, Self::Unknown];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Unknown => "unknown",
        }
    }
}

impl std::str::FromStr for OriginValidity {
    type Err = ferrite_types::ParseError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|state| state.word() == text);
        found.ok_or_else(|| ferrite_types::ParseError::new(text, "valid, invalid or notfound"))
    }
}

impl std::str::FromStr for PathValidity {
    type Err = ferrite_types::ParseError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|state| state.word() == text);
        found.ok_or_else(|| ferrite_types::ParseError::new(text, "valid, invalid or unknown"))
    }
}

#[derive(Clone, PartialEq, Debug)]
pub enum Match {
    AccessList(Afi, String),
    PrefixList(Afi, String),
    PrefixLen(Afi, u8),
    NextHop(Afi, NextHopList),
    NextHopAddrV4(Ipv4Addr),
    NextHopAddrV6(Ipv6Addr),
    NextHopLen(u8),
    NextHopBlackhole(Afi),
    RouteSource(NextHopList),
    AsPath(String),
    Community(String, CommunityMatch),
    LargeCommunity(String, CommunityMatch),
    ExtCommunity(String),
    /// A standard or large community that the configuration gives this name.
    Alias(String),
    CommunityLimit(u16),
    Interface(String),
    LocalPreference(u32),
    Metric(u32),
    Origin(PolicyOrigin),
    Peer(PeerSpec),
    SourcePeer(PeerSpec),
    Probability(u8),
    Rpki(OriginValidity),
    RpkiExtCommunity(OriginValidity),
    Aspa(PathValidity),
    SourceProtocol(RouteProtocol),
    SourceInstance(u8),
    Tag(TagValue),
}

const fn ip(afi: Afi, v4: &'static str, v6: &'static str) -> &'static str {
    match afi {
        Afi::Ipv6 => v6,
        Afi::Ipv4 | Afi::L2vpn => v4,
    }
}

impl Match {
    /// The clause's words without its value: what `no` names, and what another clause must not repeat.
    pub fn key(&self) -> &'static str {
        use NextHopList::{Access, Prefix};
        match self {
            Self::AccessList(afi, _) => ip(*afi, "ip address", "ipv6 address"),
            Self::PrefixList(afi, _) => ip(*afi, "ip address prefix-list", "ipv6 address prefix-list"),
            Self::PrefixLen(afi, _) => ip(*afi, "ip address prefix-len", "ipv6 address prefix-len"),
            Self::NextHop(afi, Access(_)) => ip(*afi, "ip next-hop", "ipv6 next-hop"),
            Self::NextHop(afi, Prefix(_)) => ip(*afi, "ip next-hop prefix-list", "ipv6 next-hop prefix-list"),
            Self::NextHopAddrV4(_) => "ip next-hop address",
            Self::NextHopAddrV6(_) => "ipv6 next-hop address",
            Self::NextHopLen(_) => "ip next-hop prefix-len",
            Self::NextHopBlackhole(afi) => ip(*afi, "ip next-hop type", "ipv6 next-hop type"),
            Self::RouteSource(Access(_)) => "ip route-source",
            Self::RouteSource(Prefix(_)) => "ip route-source prefix-list",
            Self::AsPath(_) => "as-path",
            Self::Community(..) => "community",
            Self::LargeCommunity(..) => "large-community",
            Self::ExtCommunity(_) => "extcommunity",
            Self::Alias(_) => "alias",
            Self::CommunityLimit(_) => "community-limit",
            Self::Interface(_) => "interface",
            Self::LocalPreference(_) => "local-preference",
            Self::Metric(_) => "metric",
            Self::Origin(_) => "origin",
            Self::Peer(_) => "peer",
            Self::SourcePeer(_) => "src-peer",
            Self::Probability(_) => "probability",
            Self::Rpki(_) => "rpki",
            Self::RpkiExtCommunity(_) => "rpki-extcommunity",
            Self::Aspa(_) => "aspa",
            Self::SourceProtocol(_) => "source-protocol",
            Self::SourceInstance(_) => "source-instance",
            Self::Tag(_) => "tag",
        }
    }
}

/// The clause without the leading `match`.
impl fmt::Display for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suffix = |how: CommunityMatch| match how {
            CommunityMatch::Included => "",
            CommunityMatch::Exact => " exact-match",
            CommunityMatch::Any => " any",
        };
        write!(f, "{} ", self.key())?;
        match self {
            Self::AccessList(_, name)
            | Self::PrefixList(_, name)
            | Self::NextHop(_, NextHopList::Access(name) | NextHopList::Prefix(name))
            | Self::RouteSource(NextHopList::Access(name) | NextHopList::Prefix(name))
            | Self::AsPath(name)
            | Self::ExtCommunity(name)
            | Self::Alias(name)
            | Self::Interface(name) => f.write_str(name),
            Self::PrefixLen(_, len) | Self::NextHopLen(len) => write!(f, "{len}"),
            Self::NextHopAddrV4(addr) => write!(f, "{addr}"),
            Self::NextHopAddrV6(addr) => write!(f, "{addr}"),
            Self::NextHopBlackhole(_) => f.write_str("blackhole"),
            Self::Community(name, how) | Self::LargeCommunity(name, how) => {
                write!(f, "{name}{}", suffix(*how))
            }
            Self::CommunityLimit(limit) => write!(f, "{limit}"),
            Self::LocalPreference(value) | Self::Metric(value) => write!(f, "{value}"),
            Self::Origin(origin) => write!(f, "{origin}"),
            Self::Peer(peer) | Self::SourcePeer(peer) => write!(f, "{peer}"),
            Self::Probability(percent) => write!(f, "{percent}"),
            Self::Rpki(state) | Self::RpkiExtCommunity(state) => f.write_str(state.word()),
            Self::Aspa(state) => f.write_str(state.word()),
            Self::SourceProtocol(protocol) => write!(f, "{protocol}"),
            Self::SourceInstance(instance) => write!(f, "{instance}"),
            Self::Tag(tag) => write!(f, "{tag}"),
        }
    }
}
