//! What is understood of an opaque LSA (RFC 5250), as `show ip ospf database opaque-*` prints it: traffic engineering
//! (RFC 3630, RFC 5392), router information (RFC 7770), attributes of prefixes and links (RFC 7684), restarts (RFC 3623). Of a
//! body that does not read nothing is said; single parts that do not are told by their length.

use std::fmt;

use bytes::Bytes;
use ferrite_ospf::packet::opaque::{self, Grace, Tlv, kind};
use serde::Serialize;

mod extended;
mod information;
pub mod link;

use extended::{ExtendedLink, ExtendedPrefix};
use information::Information;
pub use information::PceView;
use link::TeLink;

/// FRR's name of an opaque type.
pub fn name(kind: u8) -> &'static str {
    match kind {
        kind::TRAFFIC_ENGINEERING => "Traffic Engineering LSA",
        2 => "Sycamore Optical Topology Descriptions",
        kind::GRACE => "Grace-LSA",
        kind::ROUTER_INFORMATION => "Router Information LSA",
        5 => "L1VPN LSA",
        kind::INTER_AS => "Inter-AS TE-v2 LSA",
        kind::EXTENDED_PREFIX => "Extended Prefix Opaque LSA",
        kind::EXTENDED_LINK => "Extended Link Opaque LSA",
        128.. => "Private/Experimental",
        _ => "Unassigned",
    }
}

#[derive(Serialize, Default)]
pub struct Values {
    #[serde(rename = "teRouterAddress", skip_serializing_if = "Option::is_none")]
    router: Option<RouterAddress>,
    #[serde(rename = "teLink", skip_serializing_if = "Option::is_none")]
    link: Option<TeLink>,
    #[serde(rename = "routerInformation", skip_serializing_if = "Option::is_none")]
    information: Option<Information>,
    #[serde(rename = "extendedPrefix", skip_serializing_if = "Few::is_empty")]
    prefixes: Few<ExtendedPrefix>,
    #[serde(rename = "extendedLink", skip_serializing_if = "Option::is_none")]
    extended_link: Option<ExtendedLink>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    grace: Option<GraceView>,
    #[serde(skip)]
    unknown: Vec<Unknown>,
}

#[derive(Serialize)]
struct RouterAddress {
    #[serde(rename = "routerAddress")]
    address: std::net::Ipv4Addr,
}

#[derive(Serialize)]
struct GraceView {
    #[serde(rename = "gracePeriod")]
    period: u32,
    #[serde(rename = "restartReason")]
    reason: &'static str,
    #[serde(rename = "restarterAddress", skip_serializing_if = "Option::is_none")]
    address: Option<std::net::Ipv4Addr>,
}

/// What is not understood, by its type and length.
#[derive(Serialize, Clone, Copy)]
pub struct Unknown {
    ty: u16,
    len: usize,
}

impl Unknown {
    pub fn of(tlv: &Tlv) -> Self {
        Self { ty: tlv.ty, len: tlv.value.len() }
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  Unknown TLV: [type({:#06x}), length({:#06x})]", self.ty, self.len)
    }
}

/// One in JSON by itself, several as a list.
#[derive(Serialize)]
#[serde(untagged)]
enum Few<T> {
    One(Box<T>),
    Several(Vec<T>),
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

impl<T> Few<T> {
    fn of(mut all: Vec<T>) -> Self {
        match (all.len(), all.pop()) {
            (1, Some(one)) => Self::One(Box::new(one)),
            (_, last) => Self::Several(all.into_iter().chain(last).collect()),
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Several(all) if all.is_empty())
    }

    fn iter(&self) -> std::slice::Iter<'_, T> {
        match self {
            Self::One(one) => std::slice::from_ref(&**one).iter(),
            Self::Several(all) => all.iter(),
        }
    }
}

impl Values {
    /// Nothing of a body that is malformed.
    pub fn new(kind: u8, body: &Bytes) -> Self {
        let Ok(tlvs) = Tlv::read_all(body) else { return Self::default() };
        match kind {
            kind::TRAFFIC_ENGINEERING | kind::INTER_AS => Self::te(&tlvs),
            kind::ROUTER_INFORMATION => {
                Self { information: Some(Information::new(&tlvs)), ..Self::default() }
            }
            kind::EXTENDED_PREFIX => {
                let prefixes = opaque::ExtendedPrefix::read_all(body).unwrap_or_default();
                let lens = tlvs.iter().filter(|tlv| tlv.ty == 1).map(|tlv| tlv.value.len());
                let prefixes =
                    prefixes.iter().zip(lens).map(|(prefix, len)| ExtendedPrefix::new(prefix, len));
                Self { prefixes: Few::of(prefixes.collect()), ..Self::default() }
            }
            kind::EXTENDED_LINK => {
                let len = tlvs.iter().find(|tlv| tlv.ty == 1).map_or(0, |tlv| tlv.value.len());
                let link = opaque::ExtendedLink::read(body).ok();
                Self { extended_link: link.map(|link| ExtendedLink::new(&link, len)), ..Self::default() }
            }
            kind::GRACE => {
                let grace = Grace::read(body).ok().map(|grace| GraceView {
                    period: grace.period,
                    reason: super::restart::reason(grace.reason),
                    address: grace.address,
                });
                Self { grace, ..Self::default() }
            }
            _ => Self::default(),
        }
    }

    fn te(tlvs: &[Tlv]) -> Self {
        let mut values = Self::default();
        for tlv in tlvs {
            match (tlv.ty, <[u8; 4]>::try_from(&tlv.value[..])) {
                (1, Ok(address)) => values.router = Some(RouterAddress { address: address.into() }),
                (2, _) => {
                    let sub = Tlv::read_all(&tlv.value).ok();
                    values.link = sub.map(|sub| TeLink::new(&sub, tlv.value.len()));
                }
                _ => values.unknown.push(Unknown::of(tlv)),
            }
        }
        values
    }

    pub fn is_empty(&self) -> bool {
        self.router.is_none()
            && self.link.is_none()
            && self.information.is_none()
            && self.prefixes.is_empty()
            && self.extended_link.is_none()
            && self.grace.is_none()
    }
}

impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(router) = &self.router {
            writeln!(f, "  Router-Address: {}", router.address)?;
        }
        if let Some(link) = &self.link {
            writeln!(f, "  Link: {} octets of data", link.len())?;
            link.fmt(f)?;
        }
        if let Some(information) = &self.information {
            information.fmt(f)?;
        }
        self.prefixes.iter().try_for_each(|prefix| prefix.fmt(f))?;
        if let Some(link) = &self.extended_link {
            link.fmt(f)?;
        }
        if let Some(grace) = &self.grace {
            writeln!(f, "   Grace period:{}\n   Restart reason:{}", grace.period, grace.reason)?;
            if let Some(address) = grace.address {
                writeln!(f, "   Restarter address:{address}")?;
            }
        }
        self.unknown.iter().try_for_each(|unknown| unknown.fmt(f))
    }
}
