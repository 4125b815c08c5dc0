//! `show ip ospf database …`: the table of contents, or LSAs in full, with their filters.

use std::fmt;
use std::net::Ipv4Addr;

use ferrite_cli::{Args, CliError};
use ferrite_ospf::instance::Place;
use ferrite_ospf::lsdb::Entry;
use ferrite_ospf::packet::v2::{ExternalLsa, RouterLsa, SummaryLsa, mask_len, ty};
use ferrite_ospf::packet::{AreaId, LsType, LsaKey, V2};
use ferrite_types::ids::RouterId;
use indexmap::IndexMap;
use serde::Serialize;

use super::lsa::Lsa;
use crate::show::{At, text};

/// A type with what FRR calls it.
struct Kind {
    ty: LsType,
    /// As a command names it.
    word: &'static str,
    /// Over its LSAs in text.
    title: &'static str,
    /// Over its LSAs in JSON.
    list: &'static str,
}

const KINDS: [Kind; 9] = [
    kind(ty::ROUTER, "router", "Router Link States", "routerLinkStates"),
    kind(ty::NETWORK, "network", "Net Link States", "networkLinkStates"),
    kind(ty::SUMMARY_NETWORK, "summary", "Summary Link States", "summaryLinkStates"),
    kind(ty::SUMMARY_ASBR, "asbr-summary", "ASBR-Summary Link States", "asbrSummaryLinkStates"),
    kind(ty::EXTERNAL, "external", "AS External Link States", "asExternalLinkStates"),
    kind(ty::NSSA, "nssa-external", "NSSA-external Link States", "nssaExternalLinkStates"),
    kind(ty::OPAQUE_LINK, "opaque-link", "Link-Local Opaque-LSA", "linkLocalOpaqueLsa"),
    kind(ty::OPAQUE_AREA, "opaque-area", "Area-Local Opaque-LSA", "areaLocalOpaqueLsa"),
    kind(ty::OPAQUE_AS, "opaque-as", "AS-external Opaque-LSA", "asExternalOpaqueLsa"),
];

const fn kind(ty: LsType, word: &'static str, title: &'static str, list: &'static str) -> Kind {
    Kind { ty, word, title, list }
}

fn is_as_scope(ty: LsType) -> bool {
    matches!(ty, ty::EXTERNAL | ty::OPAQUE_AS)
}

/// Which LSAs are asked for.
#[derive(Clone, Copy, Default)]
pub struct Filter {
    id: Option<Ipv4Addr>,
    adv: Option<RouterId>,
    own: bool,
    max_age: bool,
}

impl Filter {
    pub fn of(args: &Args) -> Result<Self, CliError> {
        Ok(Self {
            id: args.parse_opt("lsid")?,
            adv: args.parse_opt::<Ipv4Addr>("adv")?.map(RouterId),
            own: args.has("self-originate"),
            max_age: args.has("max-age"),
        })
    }

    fn takes(&self, key: &LsaKey, own: RouterId) -> bool {
        self.id.is_none_or(|id| id.to_bits() == key.id.0)
            && self.adv.is_none_or(|adv| adv == key.adv)
            && (!self.own || key.adv == own)
    }
}

/// LSAs of a type in a place, in the order of their keys.
fn of_type(at: At<'_, V2>, place: Place, kind: LsType) -> Vec<(&LsaKey, &Entry)> {
    at.process.core.lsdb(place).map(|lsdb| lsdb.of_type(kind).collect()).unwrap_or_default()
}

/// LSAs of a type of an area: those of its links too.
fn of_area(at: At<'_, V2>, area: AreaId, kind: LsType) -> Vec<(&LsaKey, &Entry)> {
    if kind != ty::OPAQUE_LINK {
        return of_type(at, Place::Area(area), kind);
    }
    let links = at.process.core.interfaces().iter().filter(|(_, i)| i.config.area == area);
    links.flat_map(|(id, _)| of_type(at, Place::Link(*id), kind)).collect()
}

fn area_name(at: At<'_, V2>, area: AreaId) -> String {
    text::area(area, at.process.core.config().area(area).kind)
}

/// A line of the table of contents.
#[derive(Serialize)]
struct Row {
    #[serde(rename = "lsId")]
    id: String,
    #[serde(rename = "advertisedRouter")]
    adv: String,
    #[serde(rename = "lsaAge")]
    age: u16,
    #[serde(rename = "sequenceNumber")]
    sequence: String,
    checksum: String,
    #[serde(rename = "numOfRouterLinks", skip_serializing_if = "Option::is_none")]
    links: Option<usize>,
    #[serde(rename = "summaryAddress", skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    #[serde(rename = "metricType", skip_serializing_if = "Option::is_none")]
    metric: Option<&'static str>,
    #[serde(rename = "route", skip_serializing_if = "Option::is_none")]
    route: Option<String>,
    #[serde(rename = "tag", skip_serializing_if = "Option::is_none")]
    tag: Option<u32>,
    #[serde(skip)]
    checksum_number: u16,
}

impl Row {
    fn new(at: At<'_, V2>, key: &LsaKey, entry: &Entry) -> Self {
        let header = entry.header(at.now);
        let network = |mask: u32| format!("{}/{}", masked(key, mask), mask_len(mask).unwrap_or_default());
        let octets = entry.lsa.body();
        let mut row = Self {
            id: key.id.to_string(),
            adv: key.adv.to_string(),
            age: header.age,
            sequence: format!("{:08x}", header.sequence.0),
            checksum: format!("{:x}", header.checksum),
            checksum_number: header.checksum,
            links: None,
            summary: None,
            metric: None,
            route: None,
            tag: None,
        };
        match key.ty {
            ty::ROUTER => row.links = RouterLsa::read(octets).ok().map(|lsa| lsa.links.len()),
            ty::SUMMARY_NETWORK => {
                row.summary = SummaryLsa::read(octets).ok().map(|lsa| network(lsa.mask));
            }
            ty::EXTERNAL | ty::NSSA => {
                if let Ok(lsa) = ExternalLsa::read(octets) {
                    row.metric = Some(if lsa.type2 { "E2" } else { "E1" });
                    row.route = Some(network(lsa.mask));
                    row.tag = Some(lsa.tag);
                }
            }
            _ => {}
        }
        row
    }
}

fn masked(key: &LsaKey, mask: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(key.id.0 & mask)
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, adv, age) = (&self.id, &self.adv, self.age);
        write!(f, "{id:<14} {adv:<15} {age:>4} 0x{} {:#06x}", self.sequence, self.checksum_number)?;
        if let Some(links) = self.links {
            write!(f, " {links}")?;
        }
        if let Some(summary) = &self.summary {
            write!(f, " {summary}")?;
        }
        if let (Some(metric), Some(route), Some(tag)) = (self.metric, &self.route, self.tag) {
            write!(f, " {metric} {route} [{tag:#x}]")?;
        }
        writeln!(f)
    }
}

fn heading(ty: LsType) -> &'static str {
    match ty {
        ty::ROUTER => "  Link count",
        ty::SUMMARY_NETWORK | ty::EXTERNAL | ty::NSSA => "  Route",
        ty::OPAQUE_LINK | ty::OPAQUE_AREA | ty::OPAQUE_AS => "  Opaque-Type/ID",
        _ => "",
    }
}

/// Rows of a type under their key, and how many there are.
type Lists = IndexMap<String, serde_json::Value>;

/// The table of contents.
#[derive(Serialize)]
pub struct Contents {
    #[serde(rename = "routerId")]
    router: String,
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    areas: IndexMap<String, Lists>,
    #[serde(flatten)]
    external: Lists,
    #[serde(skip)]
    text: String,
}

impl Contents {
    pub fn new(at: At<'_, V2>, filter: Filter) -> Self {
        let core = &at.process.core;
        let mut contents = Self {
            router: core.id().to_string(),
            areas: IndexMap::new(),
            external: Lists::new(),
            text: format!("\n       OSPF Router with ID ({})\n\n", core.id()),
        };
        for area in core.areas().keys() {
            let mut lists = Lists::new();
            for kind in KINDS.iter().filter(|kind| !is_as_scope(kind.ty)) {
                let title = format!("{} (Area {})", kind.title, area_name(at, *area));
                contents.add(at, filter, kind, &title, of_area(at, *area, kind.ty), &mut lists);
            }
            contents.areas.insert(area.to_string(), lists);
        }
        for kind in KINDS.iter().filter(|kind| is_as_scope(kind.ty)) {
            let mut lists = Lists::new();
            contents.add(at, filter, kind, kind.title, of_type(at, Place::As, kind.ty), &mut lists);
            contents.external.extend(lists);
        }
        contents.text.push('\n');
        contents
    }

    fn add(
        &mut self,
        at: At<'_, V2>,
        filter: Filter,
        kind: &Kind,
        title: &str,
        lsas: Vec<(&LsaKey, &Entry)>,
        lists: &mut Lists,
    ) {
        if lsas.is_empty() {
            return;
        }
        let own = at.process.core.id();
        let all = lsas.len();
        let rows = lsas.into_iter().filter(|(key, _)| filter.takes(key, own));
        let rows: Vec<Row> = rows.map(|(key, entry)| Row::new(at, key, entry)).collect();
        let lines: String = rows.iter().map(ToString::to_string).collect();
        if rows.is_empty() {
            return;
        }
        {
            let columns = "Link ID         ADV Router      Age  Seq#       CkSum";
            self.text
                .push_str(&format!("                {title}\n\n{columns}{}\n{lines}\n", heading(kind.ty)));
        }
        // FRR counts all LSAs of the type, whatever is asked for.
        lists.insert(kind.list.to_owned(), serde_json::to_value(rows).unwrap_or_default());
        lists.insert(format!("{}Count", kind.list), all.into());
    }
}

impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// LSAs in full.
#[derive(Serialize)]
pub struct Details {
    #[serde(rename = "routerId")]
    router: String,
    #[serde(flatten)]
    kinds: IndexMap<&'static str, Place4>,
    #[serde(skip)]
    text: String,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Place4 {
    Areas { areas: IndexMap<String, Vec<Lsa>> },
    As(Vec<Lsa>),
}

impl Details {
    /// Of a type by its word in a command, or of all.
    pub fn new(at: At<'_, V2>, word: Option<&str>, filter: Filter) -> Self {
        let core = &at.process.core;
        let mut text = format!("\n       OSPF Router with ID ({})\n\n", core.id());
        let mut kinds = IndexMap::new();
        for kind in KINDS.iter().filter(|kind| word.is_none_or(|word| word == kind.word)) {
            if is_as_scope(kind.ty) {
                text.push_str(&format!("                {} \n\n", kind.title));
                let lsas = Self::read(at, filter, of_type(at, Place::As, kind.ty), &mut text);
                text.push('\n');
                kinds.insert(kind.list, Place4::As(lsas));
                continue;
            }
            let mut areas = IndexMap::new();
            for area in core.areas().keys() {
                text.push_str(&format!(
                    "\n                {} (Area {})\n\n",
                    kind.title,
                    area_name(at, *area)
                ));
                let lsas = Self::read(at, filter, of_area(at, *area, kind.ty), &mut text);
                areas.insert(area.to_string(), lsas);
            }
            if !core.areas().is_empty() {
                text.push('\n');
            }
            kinds.insert(kind.list, Place4::Areas { areas });
        }
        Self { router: core.id().to_string(), kinds, text }
    }

    fn read(at: At<'_, V2>, filter: Filter, lsas: Vec<(&LsaKey, &Entry)>, text: &mut String) -> Vec<Lsa> {
        let own = at.process.core.id();
        let wanted = lsas.into_iter().filter(|(key, _)| filter.takes(key, own));
        let lsas: Vec<Lsa> = wanted.map(|(_, entry)| Lsa::new(entry, at.now)).collect();
        lsas.iter().for_each(|lsa| text.push_str(&lsa.to_string()));
        lsas
    }
}

impl fmt::Display for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// `max-age`: what is being flushed.
#[derive(Serialize)]
pub struct MaxAge {
    #[serde(rename = "routerId")]
    router: String,
    #[serde(rename = "maxAgeLinkStates")]
    lsas: IndexMap<String, Dying>,
}

#[derive(Serialize)]
struct Dying {
    #[serde(rename = "linkType")]
    ty: u16,
    #[serde(rename = "linkStateId")]
    id: String,
    #[serde(rename = "advertisingRouter")]
    adv: String,
    #[serde(rename = "lsaLockCount")]
    locks: u32,
}

impl MaxAge {
    pub fn new(at: At<'_, V2>) -> Self {
        let core = &at.process.core;
        let mut places: Vec<Place> = core.interfaces().keys().map(|id| Place::Link(*id)).collect();
        places.extend(core.areas().keys().map(|area| Place::Area(*area)));
        places.push(Place::As);
        let all = places.into_iter().filter_map(|place| core.lsdb(place)).flat_map(|lsdb| lsdb.iter());
        let dying = all.filter(|(_, entry)| entry.is_max_age(at.now)).map(|(key, _)| {
            let lsa = Dying { ty: key.ty.0, id: key.id.to_string(), adv: key.adv.to_string(), locks: 1 };
            (key.id.to_string(), lsa)
        });
        Self { router: core.id().to_string(), lsas: dying.collect() }
    }
}

impl fmt::Display for MaxAge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n       OSPF Router with ID ({})\n", self.router)?;
        writeln!(f, "\n                MaxAge Link States:\n")?;
        for lsa in self.lsas.values() {
            writeln!(f, "Link type: {}", lsa.ty)?;
            writeln!(f, "Link State ID: {}", lsa.id)?;
            writeln!(f, "Advertising Router: {}", lsa.adv)?;
            writeln!(f, "LSA lock count: {}\n", lsa.locks)?;
        }
        writeln!(f)
    }
}

/// What `show ip ospf database …` prints.
pub enum Database {
    Contents(Contents),
    Details(Details),
    MaxAge(MaxAge),
}

impl Database {
    pub fn new(at: At<'_, V2>, args: &Args) -> Result<Self, CliError> {
        let filter = Filter::of(args)?;
        let word = args.get("lsatype");
        Ok(match (filter.max_age, args.has("detail") || word.is_some()) {
            (true, _) => Self::MaxAge(MaxAge::new(at)),
            (false, true) => Self::Details(Details::new(at, word, filter)),
            (false, false) => Self::Contents(Contents::new(at, filter)),
        })
    }
}

impl Serialize for Database {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Contents(view) => view.serialize(serializer),
            Self::Details(view) => view.serialize(serializer),
            Self::MaxAge(view) => view.serialize(serializer),
        }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contents(view) => view.fmt(f),
            Self::Details(view) => view.fmt(f),
            Self::MaxAge(view) => view.fmt(f),
        }
    }
}
