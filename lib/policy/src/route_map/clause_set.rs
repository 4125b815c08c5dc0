//! Set clauses: applied in alphabetical order of their words, which takes communities away before it adds any.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ferrite_types::{Asn, Community, Distance, ExtCommunity, LargeCommunity, ParseError, RouterId, TableId};

use crate::PolicyOrigin;
use crate::route_map::TagValue;

/// A number that replaces, adds or subtracts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Adjust {
    To(u32),
    Plus(u32),
    Minus(u32),
}

impl Adjust {
    /// Saturating at both ends.
    pub fn apply(self, value: u32) -> u32 {
        match self {
            Self::To(to) => to,
            Self::Plus(by) => value.saturating_add(by),
            Self::Minus(by) => value.saturating_sub(by),
        }
    }
}

impl fmt::Display for Adjust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::To(value) => write!(f, "{value}"),
            Self::Plus(value) => write!(f, "+{value}"),
            Self::Minus(value) => write!(f, "-{value}"),
        }
    }
}

impl FromStr for Adjust {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let number =
            |digits: &str| digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
        let parsed = match text.split_at_checked(1) {
            Some(("+", digits)) => number(digits).map(Self::Plus),
            Some(("-", digits)) => number(digits).map(Self::Minus),
            _ => number(text).map(Self::To),
        };
        parsed.ok_or(ParseError::new(text, "a number, +number or -number"))
    }
}

/// What a value that is found out becomes of the one that is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sign {
    Replace,
    Add,
    Subtract,
}

impl Sign {
    /// The edit with the value found.
    pub fn with(self, value: u32) -> Adjust {
        match self {
            Self::Replace => Adjust::To(value),
            Self::Add => Adjust::Plus(value),
            Self::Subtract => Adjust::Minus(value),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MetricEdit {
    Value(Adjust),
    /// The metric of the route to the next hop.
    Igp,
    /// The accumulated IGP metric that the route carries.
    Aigp,
    /// Milliseconds to the neighbour and back.
    RoundTrip(Sign),
}

impl MetricEdit {
    const WORDS: [(&'static str, Self); 5] = [
        ("igp", Self::Igp),
        ("aigp", Self::Aigp),
        ("rtt", Self::RoundTrip(Sign::Replace)),
        ("+rtt", Self::RoundTrip(Sign::Add)),
        ("-rtt", Self::RoundTrip(Sign::Subtract)),
    ];
}

impl fmt::Display for MetricEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => write!(f, "{value}"),
            found => {
                let word = Self::WORDS.iter().find(|(_, edit)| edit == found);
                f.write_str(word.map_or("", |(word, _)| word))
            }
        }
    }
}

impl FromStr for MetricEdit {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let word = Self::WORDS.iter().find(|(word, _)| *word == text);
        word.map_or_else(|| text.parse().map(Self::Value), |(_, edit)| Ok(*edit))
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Prepend {
    Asns(Vec<Asn>),
    /// The leftmost AS, this many times.
    LastAs(u8),
}

/// Which AS numbers of a path a clause acts on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AsPathFilter {
    All,
    Asns(Vec<Asn>),
    /// Those that the AS-path access list permits, each taken alone.
    List(String),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CommunityEdit<C> {
    None,
    /// In the order entered.
    Values {
        values: Vec<C>,
        additive: bool,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ipv4NextHop {
    Addr(Ipv4Addr),
    PeerAddress,
    Unchanged,
}

/// Link bandwidth (draft-ietf-idr-link-bandwidth) as a clause gives it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BandwidthValue {
    /// Megabits per second.
    Mbps(u32),
    /// That of all paths that share the prefix's traffic.
    Cumulative,
    /// One megabit per second for each of these paths.
    NumMultipaths,
}

impl fmt::Display for BandwidthValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mbps(value) => write!(f, "{value}"),
            Self::Cumulative => f.write_str("cumulative"),
            Self::NumMultipaths => f.write_str("num-multipaths"),
        }
    }
}

impl FromStr for BandwidthValue {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text {
            "cumulative" => Ok(Self::Cumulative),
            "num-multipaths" => Ok(Self::NumMultipaths),
            _ => text.parse().map(Self::Mbps).map_err(|_| ParseError::new(text, "megabits per second")),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MetricType {
    Type1,
    Type2,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Set {
    Aggregator {
        asn: Asn,
        addr: Ipv4Addr,
    },
    AsPathExclude(AsPathFilter),
    AsPathPrepend(Prepend),
    /// `with` absent: this router's own AS.
    AsPathReplace {
        what: AsPathFilter,
        with: Option<Asn>,
    },
    AtomicAggregate,
    CommListDelete(String),
    Community(CommunityEdit<Community>),
    Distance(Distance),
    ExtCommListDelete(String),
    /// AIGP metric (RFC 7311); `None` is the metric of the route to the next hop.
    AigpMetric(Option<u32>),
    Bandwidth {
        value: BandwidthValue,
        non_transitive: bool,
    },
    ExtCommunityNone,
    RouteTargets(Vec<ExtCommunity>),
    SitesOfOrigin(Vec<ExtCommunity>),
    NodeTargets(Vec<ExtCommunity>),
    Colors(Vec<ExtCommunity>),
    Ipv4NextHop(Ipv4NextHop),
    Ipv6NextHopGlobal(Ipv6Addr),
    Ipv6NextHopLocal(Ipv6Addr),
    Ipv6NextHopPeerAddress,
    Ipv6NextHopPreferGlobal,
    LargeCommListDelete(String),
    LargeCommunity(CommunityEdit<LargeCommunity>),
    LocalPreference(Adjust),
    MaxMetric(u32),
    Metric(MetricEdit),
    MetricType(MetricType),
    MinMetric(u32),
    Origin(PolicyOrigin),
    OriginatorId(RouterId),
    Source(IpAddr),
    Table(TableId),
    Tag(TagValue),
    Weight(u32),
}

impl Set {
    /// The clause's words without its value.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Aggregator { .. } => "aggregator as",
            Self::AigpMetric(_) => "aigp-metric",
            Self::AsPathExclude(_) => "as-path exclude",
            Self::AsPathPrepend(_) => "as-path prepend",
            Self::AsPathReplace { .. } => "as-path replace",
            Self::AtomicAggregate => "atomic-aggregate",
            Self::CommListDelete(_) => "comm-list",
            Self::Community(_) => "community",
            Self::Distance(_) => "distance",
            Self::ExtCommListDelete(_) => "extended-comm-list",
            Self::Bandwidth { .. } => "extcommunity bandwidth",
            Self::ExtCommunityNone => "extcommunity none",
            Self::RouteTargets(_) => "extcommunity rt",
            Self::SitesOfOrigin(_) => "extcommunity soo",
            Self::NodeTargets(_) => "extcommunity nt",
            Self::Colors(_) => "extcommunity color",
            Self::Ipv4NextHop(_) => "ip next-hop",
            Self::Ipv6NextHopGlobal(_) => "ipv6 next-hop global",
            Self::Ipv6NextHopLocal(_) => "ipv6 next-hop local",
            Self::Ipv6NextHopPeerAddress => "ipv6 next-hop peer-address",
            Self::Ipv6NextHopPreferGlobal => "ipv6 next-hop prefer-global",
            Self::LargeCommListDelete(_) => "large-comm-list",
            Self::LargeCommunity(_) => "large-community",
            Self::LocalPreference(_) => "local-preference",
            Self::MaxMetric(_) => "max-metric",
            Self::Metric(_) => "metric",
            Self::MetricType(_) => "metric-type",
            Self::MinMetric(_) => "min-metric",
            Self::Origin(_) => "origin",
            Self::OriginatorId(_) => "originator-id",
            Self::Source(_) => "src",
            Self::Table(_) => "table",
            Self::Tag(_) => "tag",
            Self::Weight(_) => "weight",
        }
    }
}

fn join<T: fmt::Display>(f: &mut fmt::Formatter<'_>, values: &[T]) -> fmt::Result {
    for (at, value) in values.iter().enumerate() {
        write!(f, "{}{value}", if at == 0 { "" } else { " " })?;
    }
    Ok(())
}

fn admins(f: &mut fmt::Formatter<'_>, values: &[ExtCommunity]) -> fmt::Result {
    let texts: Vec<_> = values.iter().map(|value| value.admin_text().unwrap_or_default()).collect();
    join(f, &texts)
}

impl<C: fmt::Display> fmt::Display for CommunityEdit<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Values { values, additive } => {
                join(f, values)?;
                f.write_str(if *additive { " additive" } else { "" })
            }
        }
    }
}

/// The clause without the leading `set`.
impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())?;
        if matches!(
            self,
            Self::AtomicAggregate
                | Self::ExtCommunityNone
                | Self::Ipv6NextHopPeerAddress
                | Self::Ipv6NextHopPreferGlobal
        ) {
            return Ok(());
        }
        f.write_str(" ")?;
        match self {
            Self::Aggregator { asn, addr } => write!(f, "{asn} {addr}"),
            Self::AsPathExclude(AsPathFilter::All) => f.write_str("all"),
            Self::AsPathExclude(AsPathFilter::Asns(asns)) => join(f, asns),
            Self::AsPathExclude(AsPathFilter::List(name)) => write!(f, "as-path-access-list {name}"),
            Self::AsPathPrepend(Prepend::Asns(asns)) => join(f, asns),
            Self::AsPathPrepend(Prepend::LastAs(times)) => write!(f, "last-as {times}"),
            Self::AsPathReplace { what, with } => {
                match what {
                    AsPathFilter::All => f.write_str("any")?,
                    AsPathFilter::Asns(asns) => join(f, asns)?,
                    AsPathFilter::List(name) => write!(f, "as-path-access-list {name}")?,
                }
                with.map_or(Ok(()), |asn| write!(f, " {asn}"))
            }
            Self::CommListDelete(name) | Self::ExtCommListDelete(name) | Self::LargeCommListDelete(name) => {
                write!(f, "{name} delete")
            }
            Self::Community(edit) => write!(f, "{edit}"),
            Self::Distance(distance) => write!(f, "{distance}"),
            Self::AigpMetric(Some(value)) => write!(f, "{value}"),
            Self::AigpMetric(None) => f.write_str("igp-metric"),
            Self::Bandwidth { value, non_transitive } => {
                write!(f, "{value}{}", if *non_transitive { " non-transitive" } else { "" })
            }
            Self::RouteTargets(values) | Self::SitesOfOrigin(values) | Self::NodeTargets(values) => {
                admins(f, values)
            }
            Self::Colors(values) => {
                let color = |value: &ExtCommunity| value.to_string().trim_start_matches("Color:").to_owned();
                join(f, &values.iter().map(color).collect::<Vec<_>>())
            }
            Self::Ipv4NextHop(Ipv4NextHop::Addr(addr)) => write!(f, "{addr}"),
            Self::Ipv4NextHop(Ipv4NextHop::PeerAddress) => f.write_str("peer-address"),
            Self::Ipv4NextHop(Ipv4NextHop::Unchanged) => f.write_str("unchanged"),
            Self::Ipv6NextHopGlobal(addr) | Self::Ipv6NextHopLocal(addr) => write!(f, "{addr}"),
            Self::LargeCommunity(edit) => write!(f, "{edit}"),
            Self::LocalPreference(adjust) => write!(f, "{adjust}"),
            Self::MaxMetric(value) | Self::MinMetric(value) | Self::Weight(value) => write!(f, "{value}"),
            Self::Metric(edit) => write!(f, "{edit}"),
            Self::MetricType(MetricType::Type1) => f.write_str("type-1"),
            Self::MetricType(MetricType::Type2) => f.write_str("type-2"),
            Self::Origin(origin) => write!(f, "{origin}"),
            Self::OriginatorId(id) => write!(f, "{id}"),
            Self::Source(addr) => write!(f, "{addr}"),
            Self::Table(table) => write!(f, "{table}"),
            Self::Tag(tag) => write!(f, "{tag}"),
            Self::AtomicAggregate
            | Self::ExtCommunityNone
            | Self::Ipv6NextHopPeerAddress
            | Self::Ipv6NextHopPreferGlobal => Ok(()),
        }
    }
}
