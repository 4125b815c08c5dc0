//! One LSA in full, as `show ip ospf database router` and its like print it.

use std::fmt;
use std::net::Ipv4Addr;

use ferrite_ospf::lsdb::Entry;
use ferrite_ospf::packet::LsType;
use ferrite_ospf::packet::opaque;
use ferrite_ospf::packet::v2::{
    ExternalLsa, LinkKind, NetworkLsa, RouterFlags, RouterLink, RouterLsa, SummaryLsa, mask_len, ty,
};
use ferrite_types::Timestamp;
use indexmap::IndexMap;
use serde::Serialize;

use super::opaque::Values;
use crate::show::{is_false, text};

/// FRR's marks of an LSA: its own, looked at, received, given out, made of one of type 7.
mod mark {
    pub const OWN: u8 = 0x03;
    pub const RECEIVED: u8 = 0x06;
    pub const APPROVED: u8 = 0x08;
    pub const TRANSLATED: u8 = 0x20;
}

#[derive(Serialize)]
pub struct Lsa {
    #[serde(rename = "lsaAge")]
    age: u16,
    /// It does not age: ours, or another router's.
    #[serde(skip)]
    lasting: &'static str,
    options: String,
    #[serde(skip)]
    option_bits: u32,
    #[serde(rename = "lsaFlags")]
    marks: u8,
    #[serde(rename = "translatedFromType7", skip_serializing_if = "is_false")]
    translated: bool,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    router: Option<RouterBits>,
    #[serde(rename = "lsaType")]
    ty: &'static str,
    #[serde(rename = "linkStateId")]
    id: String,
    #[serde(skip)]
    id_is: &'static str,
    #[serde(rename = "advertisingRouter")]
    adv: String,
    #[serde(rename = "lsaSeqNumber")]
    sequence: String,
    #[serde(skip)]
    checksum_number: u16,
    checksum: String,
    length: u16,
    #[serde(flatten)]
    body: Body,
}

#[derive(Serialize)]
struct RouterBits {
    flags: u8,
    #[serde(rename = "abr", skip_serializing_if = "is_false")]
    border: bool,
    #[serde(rename = "asbr", skip_serializing_if = "is_false")]
    boundary: bool,
    #[serde(rename = "vlEndpoint", skip_serializing_if = "is_false")]
    virtual_end: bool,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Body {
    Router {
        #[serde(rename = "numOfLinks")]
        count: usize,
        #[serde(rename = "routerLinks", skip_serializing_if = "IndexMap::is_empty")]
        links: IndexMap<String, Link>,
    },
    Network {
        #[serde(rename = "networkMask")]
        mask: u8,
        /// FRR's spelling.
        #[serde(rename = "attchedRouters")]
        routers: IndexMap<String, Attached>,
    },
    Summary {
        #[serde(rename = "networkMask")]
        mask: u8,
        #[serde(rename = "tos0Metric")]
        metric: u32,
    },
    External {
        #[serde(rename = "networkMask")]
        mask: u8,
        #[serde(rename = "metricType")]
        kind: &'static str,
        tos: u8,
        metric: u32,
        #[serde(rename = "forwardAddress", skip_serializing_if = "Option::is_none")]
        forwarding: Option<Ipv4Addr>,
        #[serde(rename = "nssaForwardAddress", skip_serializing_if = "Option::is_none")]
        nssa_forwarding: Option<Ipv4Addr>,
        #[serde(rename = "externalRouteTag")]
        tag: u32,
    },
    Opaque {
        #[serde(skip)]
        number: u8,
        #[serde(rename = "opaqueType")]
        kind: &'static str,
        #[serde(rename = "opaqueId")]
        id: u32,
        #[serde(rename = "opaqueLength")]
        len: usize,
        #[serde(rename = "opaqueLengthValid")]
        valid: bool,
        #[serde(rename = "opaqueValues", skip_serializing_if = "Values::is_empty")]
        values: Values,
    },
    /// What does not read as its type asks for.
    Unknown {},
}

#[derive(Serialize)]
struct Attached {
    #[serde(rename = "attachedRouterId")]
    router: String,
}

#[derive(Serialize)]
struct Link {
    #[serde(rename = "linkType")]
    kind: &'static str,
    #[serde(flatten)]
    ends: Ends,
    #[serde(rename = "numOfTosMetrics")]
    services: u8,
    #[serde(rename = "tos0Metric")]
    metric: u16,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Ends {
    Transit {
        #[serde(rename = "designatedRouterAddress")]
        designated: Ipv4Addr,
        #[serde(rename = "routerInterfaceAddress")]
        own: Ipv4Addr,
    },
    Stub {
        #[serde(rename = "networkAddress")]
        network: Ipv4Addr,
        #[serde(rename = "networkMask")]
        mask: Ipv4Addr,
    },
    Router {
        #[serde(rename = "neighborRouterId")]
        neighbor: Ipv4Addr,
        #[serde(rename = "routerInterfaceAddress")]
        own: Ipv4Addr,
    },
}

impl Lsa {
    pub fn new(entry: &Entry, now: Timestamp) -> Self {
        let header = entry.header(now);
        let (body, router) = Self::read(header.key.ty, entry);
        let translated = header.key.ty == ty::EXTERNAL && entry.own && has_forwarding(&body);
        let approved = !matches!(header.key.ty, ty::ROUTER | ty::NETWORK);
        let own = mark::OWN | if approved { mark::APPROVED } else { 0 };
        let mut marks = if entry.own { own } else { mark::RECEIVED };
        if translated {
            marks |= mark::TRANSLATED;
        }
        let (name, id_is) = names(header.key.ty);
        Self {
            age: header.age,
            lasting: match (entry.lsa.header().does_not_age(), entry.own) {
                (false, _) => "",
                (true, true) => "(S-DNA)",
                (true, false) => "(DNA)",
            },
            options: text::options(header.options),
            option_bits: header.options.0,
            marks,
            translated,
            router,
            ty: name,
            id: header.key.id.to_string(),
            id_is,
            adv: header.key.adv.to_string(),
            sequence: format!("{:08x}", header.sequence.0),
            checksum_number: header.checksum,
            checksum: format!("{:x}", header.checksum),
            length: header.length,
            body,
        }
    }

    fn read(kind: LsType, entry: &Entry) -> (Body, Option<RouterBits>) {
        let octets = entry.lsa.body();
        let body = match kind {
            ty::ROUTER => {
                let Ok(lsa) = RouterLsa::read(octets) else { return (Body::Unknown {}, None) };
                let bits = RouterBits {
                    flags: lsa.flags.0,
                    border: lsa.flags.has(RouterFlags::BORDER),
                    boundary: lsa.flags.has(RouterFlags::BOUNDARY),
                    virtual_end: lsa.flags.has(RouterFlags::VIRTUAL),
                };
                let links = lsa.links.iter().enumerate();
                let links: IndexMap<String, Link> =
                    links.map(|(at, link)| (format!("link{at}"), Link::new(link))).collect();
                return (Body::Router { count: links.len(), links }, Some(bits));
            }
            ty::NETWORK => NetworkLsa::read(octets).map(|lsa| Body::Network {
                mask: mask_len(lsa.mask).unwrap_or_default(),
                routers: lsa
                    .routers
                    .iter()
                    .map(|router| (router.to_string(), Attached { router: router.to_string() }))
                    .collect(),
            }),
            ty::SUMMARY_NETWORK | ty::SUMMARY_ASBR => SummaryLsa::read(octets).map(|lsa| Body::Summary {
                mask: mask_len(lsa.mask).unwrap_or_default(),
                metric: lsa.metric,
            }),
            ty::EXTERNAL | ty::NSSA => ExternalLsa::read(octets).map(|lsa| Body::External {
                mask: mask_len(lsa.mask).unwrap_or_default(),
                kind: if lsa.type2 { "E2 (Larger than any link state path)" } else { "E1" },
                tos: 0,
                metric: lsa.metric,
                forwarding: (kind == ty::EXTERNAL).then_some(lsa.forwarding),
                nssa_forwarding: (kind == ty::NSSA).then_some(lsa.forwarding),
                tag: lsa.tag,
            }),
            _ => Ok(opaque_body(entry)),
        };
        (body.unwrap_or(Body::Unknown {}), None)
    }
}

fn has_forwarding(body: &Body) -> bool {
    matches!(body, Body::External { forwarding: Some(address), .. } if !address.is_unspecified())
}

/// FRR's name of a type, and what its Link State ID is.
fn names(kind: LsType) -> (&'static str, &'static str) {
    match kind {
        ty::ROUTER => ("router-LSA", ""),
        ty::NETWORK => ("network-LSA", "(address of Designated Router)"),
        ty::SUMMARY_NETWORK => ("summary-LSA", "(summary Network Number)"),
        ty::SUMMARY_ASBR => ("summary-LSA", "(AS Boundary Router address)"),
        ty::EXTERNAL => ("AS-external-LSA", "(External Network Number)"),
        ty::NSSA => ("NSSA-LSA", "(External Network Number for NSSA)"),
        ty::OPAQUE_LINK => ("Link-Local Opaque-LSA", "(Link-Local Opaque-Type/ID)"),
        ty::OPAQUE_AREA => ("Area-Local Opaque-LSA", "(Area-Local Opaque-Type/ID)"),
        ty::OPAQUE_AS => ("AS-external Opaque-LSA", "(AS-external Opaque-Type/ID)"),
        _ => ("unknown", ""),
    }
}

impl Link {
    fn new(link: &RouterLink) -> Self {
        let (id, data) = (Ipv4Addr::from_bits(link.id), Ipv4Addr::from_bits(link.data));
        let (kind, ends) = match link.kind {
            LinkKind::PointToPoint => {
                ("another Router (point-to-point)", Ends::Router { neighbor: id, own: data })
            }
            LinkKind::Transit => ("a Transit Network", Ends::Transit { designated: id, own: data }),
            LinkKind::Stub => ("Stub Network", Ends::Stub { network: id, mask: data }),
            LinkKind::Virtual => ("a Virtual Link", Ends::Router { neighbor: id, own: data }),
        };
        Self { kind, ends, services: 0, metric: link.metric }
    }
}

fn opaque_body(entry: &Entry) -> Body {
    let header = entry.lsa.header();
    let kind = opaque::kind_of(header.key.id);
    let octets = entry.lsa.body_bytes();
    let values = Values::new(kind, &octets);
    let id = header.key.id.0 & 0xff_ffff;
    Body::Opaque { number: kind, kind: super::opaque::name(kind), id, len: octets.len(), valid: true, values }
}

impl fmt::Display for Lsa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  LS age: {}{}", self.age, self.lasting)?;
        writeln!(f, "  Options: {:<4} : {}", format!("{:#x}", self.option_bits), self.options)?;
        let translated = if self.translated { "(Translated from Type-7)" } else { "" };
        writeln!(f, "  LS Flags: {:#x}  {translated}", self.marks)?;
        if let Some(bits) = &self.router {
            write!(f, "  Flags: {:#x}", bits.flags)?;
            let names = [(bits.border, " ABR"), (bits.boundary, " ASBR"), (bits.virtual_end, " VL-endpoint")];
            let set: String = names.into_iter().filter(|(on, _)| *on).map(|(_, name)| name).collect();
            writeln!(f, "{}{set}", if bits.flags == 0 { "" } else { " :" })?;
        }
        writeln!(f, "  LS Type: {}", self.ty)?;
        writeln!(f, "  Link State ID: {} {}", self.id, self.id_is)?;
        writeln!(f, "  Advertising Router: {}", self.adv)?;
        writeln!(f, "  LS Seq Number: {}", self.sequence)?;
        writeln!(f, "  Checksum: {:#06x}", self.checksum_number)?;
        writeln!(f, "  Length: {}\n", self.length)?;
        self.body.fmt(f)
    }
}

impl fmt::Display for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Router { count, links } => {
                writeln!(f, "   Number of Links: {count}\n")?;
                links.values().try_for_each(|link| write!(f, "{link}"))?;
                writeln!(f)
            }
            Self::Network { mask, routers } => {
                writeln!(f, "  Network Mask: /{mask}")?;
                routers.keys().try_for_each(|router| writeln!(f, "        Attached Router: {router}\n"))
            }
            Self::Summary { mask, metric } => {
                writeln!(f, "  Network Mask: /{mask}\n        TOS: 0  Metric: {metric}\n")
            }
            Self::External { mask, kind, tos, metric, forwarding, nssa_forwarding, tag } => {
                writeln!(f, "  Network Mask: /{mask}")?;
                let kind = kind.strip_prefix('E').unwrap_or(kind);
                writeln!(f, "        Metric Type: {kind}\n        TOS: {tos}\n        Metric: {metric}")?;
                if let Some(address) = nssa_forwarding {
                    writeln!(f, "        NSSA: Forward Address: {address}")?;
                }
                if let Some(address) = forwarding {
                    writeln!(f, "        Forward Address: {address}")?;
                }
                writeln!(f, "        External Route Tag: {tag}\n")
            }
            Self::Opaque { number, kind, id, len, values, .. } => {
                writeln!(f, "  Opaque-Type {number} ({kind})")?;
                writeln!(f, "  Opaque-ID   {id:#x}")?;
                writeln!(f, "  Opaque-Info: {len} octets of data")?;
                writeln!(f, "{values}")
            }
            Self::Unknown {} => writeln!(f),
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "    Link connected to: {}", self.kind)?;
        match &self.ends {
            Ends::Transit { designated, own } => {
                writeln!(f, "     (Link ID) Designated Router address: {designated}")?;
                writeln!(f, "     (Link Data) Router Interface address: {own}")?;
            }
            Ends::Stub { network, mask } => {
                writeln!(f, "     (Link ID) Net: {network}")?;
                writeln!(f, "     (Link Data) Network Mask: {mask}")?;
            }
            Ends::Router { neighbor, own } => {
                writeln!(f, "     (Link ID) Neighboring Router ID: {neighbor}")?;
                writeln!(f, "     (Link Data) Router Interface address: {own}")?;
            }
        }
        writeln!(f, "      Number of TOS metrics: {}", self.services)?;
        writeln!(f, "       TOS 0 Metric: {}\n", self.metric)
    }
}
