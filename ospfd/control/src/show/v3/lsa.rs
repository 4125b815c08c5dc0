//! One LSA of OSPFv3: a line per thing it tells, or in full, or as octets.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use ferrite_ospf::lsdb::Entry;
use ferrite_ospf::packet::v3::{
    ExternalLsa, InterAreaPrefixLsa, InterAreaRouterLsa, IntraAreaPrefixLsa, LinkKind, LinkLsa, LsaPrefix,
    NetworkLsa, RouterLsa, ty,
};
use ferrite_ospf::packet::{Family, LsType};
use ferrite_types::Timestamp;
use serde::Serialize;

use super::{no_address, written};
use crate::show::text;

const UNKNOWN: &str = "Unknown";

/// What FRR calls a type: in full, and in the table of contents.
pub fn names(kind: LsType) -> (&'static str, &'static str) {
    match kind {
        ty::ROUTER => ("Router", "Rtr"),
        ty::NETWORK => ("Network", "Net"),
        ty::INTER_AREA_PREFIX => ("Inter-Prefix", "IAP"),
        ty::INTER_AREA_ROUTER => ("Inter-Router", "IAR"),
        ty::EXTERNAL => ("AS-External", "ASE"),
        ty::NSSA => ("NSSA", "Type7"),
        ty::LINK => ("Link", "Lnk"),
        ty::INTRA_AREA_PREFIX => ("Intra-Prefix", "INP"),
        ty::GRACE => ("Grace", "GR"),
        _ => (UNKNOWN, UNKNOWN),
    }
}

/// What an LSA tells, as the last column of the table of contents has it: a line for each.
pub fn payloads<F: Family>(entry: &Entry) -> Vec<String> {
    let octets = entry.lsa.body();
    let told = match entry.lsa.header().key.ty {
        ty::ROUTER => RouterLsa::read(octets).map(|lsa| {
            let end = |link: &ferrite_ospf::packet::v3::RouterLink| {
                format!("{}/{}", link.neighbor, Ipv4Addr::from_bits(link.neighbor_interface))
            };
            lsa.links.iter().map(end).collect()
        }),
        ty::NETWORK => {
            NetworkLsa::read(octets).map(|lsa| lsa.routers.iter().map(ToString::to_string).collect())
        }
        ty::INTER_AREA_PREFIX => {
            InterAreaPrefixLsa::read(octets).map(|lsa| vec![written::<F>(lsa.prefix.prefix)])
        }
        ty::INTER_AREA_ROUTER => InterAreaRouterLsa::read(octets).map(|lsa| vec![lsa.router.to_string()]),
        ty::EXTERNAL | ty::NSSA => ExternalLsa::read(octets).map(|lsa| vec![external_prefix::<F>(&lsa)]),
        // As FRR counts: a line per prefix, the first of which is the address on the link.
        ty::LINK => LinkLsa::read(octets).map(|lsa| {
            let others = lsa.prefixes.iter().skip(1).map(|prefix| prefix.prefix.addr());
            let all = std::iter::once(lsa.address).chain(others);
            all.map(|address| F::address(address).to_string()).collect()
        }),
        ty::INTRA_AREA_PREFIX => IntraAreaPrefixLsa::read(octets)
            .map(|lsa| lsa.prefixes.iter().map(|entry| written::<F>(entry.prefix.prefix)).collect()),
        ty::GRACE => Ok(vec![grace(entry).map_or(String::new(), |grace| grace.period.to_string())]),
        _ => Ok(Vec::new()),
    };
    told.unwrap_or_default()
}

/// FRR writes the default route without its length.
fn external_prefix<F: Family>(lsa: &ExternalLsa) -> String {
    let prefix = lsa.prefix.prefix;
    if prefix.len() == 0 { no_address::<F>().to_owned() } else { written::<F>(prefix) }
}

fn grace(entry: &Entry) -> Option<ferrite_ospf::packet::opaque::Grace> {
    ferrite_ospf::packet::opaque::Grace::read(&entry.lsa.body_bytes()).ok()
}

/// The header, as all forms but the table of contents print it.
#[derive(Serialize)]
pub struct Header {
    age: u16,
    #[serde(rename = "type")]
    ty: &'static str,
    #[serde(rename = "linkStateId")]
    id: String,
    #[serde(rename = "advertisingRouter")]
    adv: String,
    #[serde(rename = "lsSequenceNumber")]
    sequence: u32,
    checksum: u16,
    length: u16,
}

impl Header {
    fn new(entry: &Entry, now: Timestamp) -> Self {
        let header = entry.header(now);
        Self {
            age: header.age,
            ty: names(header.key.ty).0,
            id: header.key.id.to_string(),
            adv: header.key.adv.to_string(),
            sequence: header.sequence.0 as u32,
            checksum: header.checksum,
            length: header.length,
        }
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Age: {:>4} Type: {}", self.age, self.ty)?;
        writeln!(f, "Link State ID: {}", self.id)?;
        writeln!(f, "Advertising Router: {}", self.adv)?;
        writeln!(f, "LS Sequence Number: {:#010x}", self.sequence)?;
        writeln!(f, "CheckSum: {:#06x} Length: {}", self.checksum, self.length)
    }
}

/// `detail`
#[derive(Serialize)]
pub struct Detail {
    #[serde(flatten)]
    header: Header,
    duration: String,
    #[serde(flatten)]
    body: Body,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Body {
    Router {
        bits: String,
        options: String,
        #[serde(rename = "lsaDescription")]
        links: Vec<Link>,
    },
    Network {
        options: String,
        #[serde(rename = "attachedRouter")]
        routers: Vec<String>,
    },
    InterPrefix {
        metric: u32,
        #[serde(rename = "prefixOptions")]
        options: String,
        prefix: String,
    },
    InterRouter {
        options: String,
        metric: u32,
        #[serde(rename = "destinationRouterId")]
        router: String,
    },
    External {
        bits: String,
        metric: u32,
        #[serde(rename = "prefixOptions")]
        options: String,
        #[serde(rename = "referenceLsType")]
        referenced: u16,
        prefix: String,
        #[serde(rename = "forwardingAddressPresent")]
        has_forwarding: bool,
        #[serde(rename = "forwardingAddress", skip_serializing_if = "Option::is_none")]
        forwarding: Option<IpAddr>,
        #[serde(rename = "tagPresent")]
        has_tag: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        tag: Option<u32>,
    },
    Link {
        priority: u8,
        options: String,
        #[serde(rename = "linkLocalAddress")]
        address: IpAddr,
        #[serde(rename = "numberOfPrefix")]
        count: usize,
        prefix: Vec<Inside>,
    },
    IntraPrefix {
        #[serde(rename = "numberOfPrefix")]
        count: usize,
        reference: &'static str,
        #[serde(rename = "referenceId")]
        id: String,
        #[serde(rename = "referenceAdv")]
        adv: String,
        prefix: Vec<Inside>,
    },
    Grace {
        #[serde(rename = "gracePeriod")]
        period: u32,
        #[serde(rename = "restartReason")]
        reason: &'static str,
    },
    Unknown {},
}

#[derive(Serialize)]
struct Link {
    #[serde(rename = "type")]
    kind: &'static str,
    metric: u16,
    #[serde(rename = "interfaceId")]
    interface: Ipv4Addr,
    #[serde(rename = "neighborInterfaceId")]
    neighbor_interface: Ipv4Addr,
    #[serde(rename = "neighborRouterId")]
    neighbor: String,
}

#[derive(Serialize)]
struct Inside {
    #[serde(rename = "prefixOption")]
    options: String,
    prefix: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    metric: Option<u16>,
}

fn inside<F: Family>(prefix: &LsaPrefix, metric: Option<u16>) -> Inside {
    Inside { options: text::prefix_options(prefix.options), prefix: written::<F>(prefix.prefix), metric }
}

fn external<F: Family>(lsa: ExternalLsa) -> Body {
    let letter = |on: bool, name: char| if on { name } else { '-' };
    Body::External {
        bits: [letter(lsa.type2, 'E'), letter(lsa.forwarding.is_some(), 'F'), letter(lsa.tag.is_some(), 'T')]
            .iter()
            .collect(),
        metric: lsa.metric,
        options: text::prefix_options(lsa.prefix.options),
        referenced: lsa.referenced.map_or(0, |(kind, _)| kind.0),
        prefix: external_prefix::<F>(&lsa),
        has_forwarding: lsa.forwarding.is_some(),
        forwarding: lsa.forwarding.map(F::address),
        has_tag: lsa.tag.is_some(),
        tag: lsa.tag,
    }
}

fn read<F: Family>(entry: &Entry) -> Option<Body> {
    let octets = entry.lsa.body();
    Some(match entry.lsa.header().key.ty {
        ty::ROUTER => {
            let lsa = RouterLsa::read(octets).ok()?;
            let links = lsa.links.iter().map(|link| Link {
                kind: match link.kind {
                    LinkKind::PointToPoint => "Point-To-Point",
                    LinkKind::Transit => "Transit-Network",
                    LinkKind::Stub => "Stub-Network",
                    LinkKind::Virtual => "Virtual-Link",
                },
                metric: link.metric,
                interface: Ipv4Addr::from_bits(link.interface),
                neighbor_interface: Ipv4Addr::from_bits(link.neighbor_interface),
                neighbor: link.neighbor.to_string(),
            });
            Body::Router {
                bits: text::router_bits6(lsa.flags),
                options: text::options6(lsa.options),
                links: links.collect(),
            }
        }
        ty::NETWORK => {
            let lsa = NetworkLsa::read(octets).ok()?;
            let routers = lsa.routers.iter().map(ToString::to_string).collect();
            Body::Network { options: text::options6(lsa.options), routers }
        }
        ty::INTER_AREA_PREFIX => {
            let lsa = InterAreaPrefixLsa::read(octets).ok()?;
            let options = text::prefix_options(lsa.prefix.options);
            Body::InterPrefix { metric: lsa.metric, options, prefix: written::<F>(lsa.prefix.prefix) }
        }
        ty::INTER_AREA_ROUTER => {
            let lsa = InterAreaRouterLsa::read(octets).ok()?;
            Body::InterRouter {
                options: text::options6(lsa.options),
                metric: lsa.metric,
                router: lsa.router.to_string(),
            }
        }
        ty::EXTERNAL | ty::NSSA => external::<F>(ExternalLsa::read(octets).ok()?),
        ty::LINK => {
            let lsa = LinkLsa::read(octets).ok()?;
            Body::Link {
                priority: lsa.priority,
                options: text::options6(lsa.options),
                address: F::address(lsa.address),
                count: lsa.prefixes.len(),
                prefix: lsa.prefixes.iter().map(|prefix| inside::<F>(prefix, None)).collect(),
            }
        }
        ty::INTRA_AREA_PREFIX => {
            let lsa = IntraAreaPrefixLsa::read(octets).ok()?;
            Body::IntraPrefix {
                count: lsa.prefixes.len(),
                reference: names(lsa.referenced.ty).0,
                id: lsa.referenced.id.to_string(),
                adv: lsa.referenced.adv.to_string(),
                prefix: lsa
                    .prefixes
                    .iter()
                    .map(|entry| inside::<F>(&entry.prefix, Some(entry.metric)))
                    .collect(),
            }
        }
        ty::GRACE => {
            let grace = grace(entry)?;
            Body::Grace { period: grace.period, reason: crate::show::v2::restart::reason(grace.reason) }
        }
        _ => return None,
    })
}

impl Detail {
    pub fn new<F: Family>(entry: &Entry, now: Timestamp) -> Self {
        Self {
            header: Header::new(entry, now),
            duration: text::clock(now.since(entry.changed)),
            body: read::<F>(entry).unwrap_or(Body::Unknown {}),
        }
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.header)?;
        writeln!(f, "Duration: {}", self.duration)?;
        writeln!(f, "{}", self.body)
    }
}

impl fmt::Display for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Router { bits, options, links } => {
                writeln!(f, "    Bits: {bits} Options: {options}")?;
                links.iter().try_for_each(|link| {
                    writeln!(f, "    Type: {} Metric: {}", link.kind, link.metric)?;
                    writeln!(f, "    Interface ID: {}", link.interface)?;
                    writeln!(f, "    Neighbor Interface ID: {}", link.neighbor_interface)?;
                    writeln!(f, "    Neighbor Router ID: {}", link.neighbor)
                })
            }
            Self::Network { options, routers } => {
                writeln!(f, "     Options: {options}")?;
                routers.iter().try_for_each(|router| writeln!(f, "     Attached Router: {router}"))
            }
            Self::InterPrefix { metric, options, prefix } => {
                writeln!(f, "     Metric: {metric}\n     Prefix Options: {options}\n     Prefix: {prefix}")
            }
            Self::InterRouter { options, metric, router } => {
                writeln!(f, "     Options: {options}\n     Metric: {metric}")?;
                writeln!(f, "     Destination Router ID: {router}")
            }
            Self::External { bits, metric, options, referenced, prefix, forwarding, tag, .. } => {
                writeln!(f, "     Bits: {bits}\n     Metric: {metric:>5}")?;
                writeln!(f, "     Prefix Options: {options}\n     Referenced LSType: {referenced}")?;
                writeln!(f, "     Prefix: {prefix}")?;
                if let Some(address) = forwarding {
                    writeln!(f, "     Forwarding-Address: {address}")?;
                }
                match tag {
                    Some(tag) => writeln!(f, "     Tag: {tag}"),
                    None => Ok(()),
                }
            }
            Self::Link { priority, options, address, count, prefix } => {
                writeln!(f, "     Priority: {priority} Options: {options}")?;
                writeln!(f, "     LinkLocal Address: {address}\n     Number of Prefix: {count}")?;
                prefix.iter().try_for_each(|inside| inside.fmt(f))
            }
            Self::IntraPrefix { count, reference, id, adv, prefix } => {
                writeln!(f, "     Number of Prefix: {count}")?;
                writeln!(f, "     Reference: {reference} Id: {id} Adv: {adv}")?;
                prefix.iter().try_for_each(|inside| inside.fmt(f))
            }
            Self::Grace { period, reason } => {
                writeln!(f, "     Grace Period: {period}\n     Restart Reason: {reason}")
            }
            Self::Unknown {} => Ok(()),
        }
    }
}

impl fmt::Display for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "     Prefix Options: {}\n     Prefix: {}", self.options, self.prefix)?;
        match self.metric {
            Some(metric) => writeln!(f, "     Metric: {metric}"),
            None => Ok(()),
        }
    }
}

/// `internal`: how we keep it. FRR's locks and threads are not ours; what stands for them is said.
#[derive(Serialize)]
pub struct Internal {
    #[serde(flatten)]
    header: Header,
    flag: u8,
    lock: u8,
    #[serde(rename = "reTxCount")]
    waiting: usize,
    #[serde(skip)]
    due: Option<Duration>,
}

impl Internal {
    pub fn new(entry: &Entry, now: Timestamp, waiting: usize) -> Self {
        let header = Header::new(entry, now);
        let left = u64::from(3600u16.saturating_sub(header.age));
        Self { header, flag: 0, lock: 2, waiting, due: Some(Duration::from_secs(left)) }
    }
}

impl fmt::Display for Internal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{}", self.header)?;
        writeln!(f, "Flag: {:x} \nLock: {} \nReTx Count: {}", self.flag, self.lock, self.waiting)?;
        match self.due {
            Some(due) => writeln!(f, "Expires in: {}\n", text::clock(due)),
            None => writeln!(f),
        }
    }
}

/// `dump`: its octets.
#[derive(Serialize)]
pub struct Dump {
    #[serde(rename = "linkStateId")]
    id: String,
    #[serde(rename = "advertisingRouter")]
    adv: String,
    header: String,
    #[serde(skip)]
    ty: &'static str,
}

impl Dump {
    pub fn new(entry: &Entry, now: Timestamp) -> Self {
        let key = entry.lsa.header().key;
        let octets = entry.lsa.at_age(entry.age(now));
        Self {
            id: key.id.to_string(),
            adv: key.adv.to_string(),
            header: octets.octets().iter().map(|octet| format!("{octet:02x}")).collect(),
            ty: names(key.ty).0,
        }
    }
}

impl fmt::Display for Dump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n[{} Id:{} Adv:{}]:\n", self.ty, self.id, self.adv)?;
        for (at, word) in self.header.as_bytes().chunks(8).enumerate() {
            write!(f, "{}", if at % 4 == 0 { "\n        " } else { " " })?;
            write!(f, "{}", String::from_utf8_lossy(word))?;
        }
        writeln!(f, "\n")
    }
}

/// A line of the table of contents.
#[derive(Serialize)]
pub struct Row {
    #[serde(rename = "type")]
    ty: &'static str,
    #[serde(rename = "lsId")]
    id: String,
    #[serde(rename = "advRouter")]
    adv: String,
    age: u16,
    #[serde(rename = "seqNum")]
    sequence: u32,
    payload: String,
}

impl Row {
    /// A line for each thing an LSA tells; one for an LSA of a type that is not known.
    pub fn all<F: Family>(entry: &Entry, now: Timestamp) -> Vec<Self> {
        let header = entry.header(now);
        let told = payloads::<F>(entry);
        let row = |payload| Self {
            ty: names(header.key.ty).1,
            id: header.key.id.to_string(),
            adv: header.key.adv.to_string(),
            age: header.age,
            sequence: header.sequence.0 as u32,
            payload,
        };
        if names(header.key.ty).0 == UNKNOWN {
            return vec![row(String::new())];
        }
        told.into_iter().map(row).collect()
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<4} {:<15}{:<15}{:>4} {:>8x} {:>30}",
            self.ty, self.id, self.adv, self.age, self.sequence, self.payload
        )
    }
}
