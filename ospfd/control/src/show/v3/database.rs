//! `show ipv6 ospf6 database …`: the databases by their scope, with FRR's filters.

use std::fmt;
use std::net::Ipv4Addr;

use ferrite_cli::{Args, CliError};
use ferrite_ospf::instance::Place;
use ferrite_ospf::lsdb::Entry;
use ferrite_ospf::packet::v3::ty;
use ferrite_ospf::packet::{LsType, LsaKey, V3};
use ferrite_types::ids::RouterId;
use serde::Serialize;

use super::lsa::{Detail, Dump, Internal, Row};
use crate::settings::Configured;
use crate::show::{At, text};

/// How an LSA is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Row,
    Detail,
    Dump,
    Internal,
}

/// Which LSAs, and how.
#[derive(Clone, Copy, Debug)]
pub struct Query {
    ty: Option<LsType>,
    id: Option<Ipv4Addr>,
    adv: Option<RouterId>,
    form: Form,
}

/// FRR's words for types.
const WORDS: [(&str, LsType); 9] = [
    ("router", ty::ROUTER),
    ("network", ty::NETWORK),
    ("inter-prefix", ty::INTER_AREA_PREFIX),
    ("inter-router", ty::INTER_AREA_ROUTER),
    ("as-external", ty::EXTERNAL),
    ("group-membership", LsType(0x2006)),
    ("type-7", ty::NSSA),
    ("link", ty::LINK),
    ("intra-prefix", ty::INTRA_AREA_PREFIX),
];

impl Query {
    pub fn of(args: &Args, own: RouterId) -> Result<Self, CliError> {
        let word = args.get("lsatype");
        let form = if args.has("detail") {
            Form::Detail
        } else if args.has("dump") {
            Form::Dump
        } else if args.has("internal") {
            Form::Internal
        } else {
            Form::Row
        };
        let adv = args.parse_opt::<Ipv4Addr>("adv")?.map(RouterId);
        Ok(Self {
            ty: word.and_then(|word| WORDS.iter().find(|(known, _)| *known == word)).map(|(_, ty)| *ty),
            id: args.parse_opt("lsid")?,
            adv: if args.has("self-originated") { Some(own) } else { adv },
            form,
        })
    }

    fn takes(&self, key: &LsaKey) -> bool {
        self.ty.is_none_or(|ty| ty == key.ty)
            && self.id.is_none_or(|id| id.to_bits() == key.id.0)
            && self.adv.is_none_or(|adv| adv == key.adv)
    }

    /// Whether the databases of a scope are shown at all: those that the type is in.
    fn shows(&self, scope: u16) -> bool {
        self.ty.is_none_or(|ty| ty.0 & 0x6000 == scope)
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Lsa {
    Row(Row),
    Detail(Box<Detail>),
    Dump(Dump),
    Internal(Internal),
}

impl fmt::Display for Lsa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(lsa) => lsa.fmt(f),
            Self::Detail(lsa) => lsa.fmt(f),
            Self::Dump(lsa) => lsa.fmt(f),
            Self::Internal(lsa) => lsa.fmt(f),
        }
    }
}

#[derive(Serialize)]
struct Scope {
    #[serde(rename = "areaId", skip_serializing_if = "Option::is_none")]
    area: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interface: Option<String>,
    lsa: Vec<Lsa>,
}

#[derive(Serialize)]
pub struct Database {
    #[serde(rename = "areaScopedLinkStateDb", skip_serializing_if = "Option::is_none")]
    areas: Option<Vec<Scope>>,
    #[serde(rename = "interfaceScopedLinkStateDb", skip_serializing_if = "Option::is_none")]
    links: Option<Vec<Scope>>,
    #[serde(rename = "asScopedLinkStateDb", skip_serializing_if = "Option::is_none")]
    domain: Option<Vec<Scope>>,
    #[serde(skip)]
    form: Form,
}

impl Database {
    pub fn new<F: Configured>(at: At<'_, V3<F>>, query: Query) -> Self {
        let core = &at.process.core;
        let areas = || {
            let one = |area: &ferrite_ospf::packet::AreaId| Scope {
                area: Some(at.area6(*area)),
                interface: None,
                lsa: lsas(at, Place::Area(*area), query),
            };
            core.areas().keys().map(one).collect()
        };
        let links = || {
            let mut links = Vec::new();
            for area in core.areas().keys() {
                let inside = at
                    .interfaces()
                    .into_iter()
                    .filter(|interface| interface.core.config.area == *area && !interface.core.is_virtual());
                links.extend(inside.map(|interface| Scope {
                    area: Some(at.area6(*area)),
                    lsa: lsas(at, Place::Link(interface.id), query),
                    interface: Some(interface.name),
                }));
            }
            links
        };
        let domain = || vec![Scope { area: None, interface: None, lsa: lsas(at, Place::As, query) }];
        Self {
            areas: query.shows(0x2000).then(areas),
            links: query.shows(0).then(links),
            domain: query.shows(0x4000).then(domain),
            form: query.form,
        }
    }
}

fn lsas<F: Configured>(at: At<'_, V3<F>>, place: Place, query: Query) -> Vec<Lsa> {
    let Some(lsdb) = at.process.core.lsdb(place) else { return Vec::new() };
    let wanted = lsdb.iter().filter(|(key, _)| query.takes(key));
    // FRR's order: by type, advertising router, Link State ID.
    let mut wanted: Vec<(&LsaKey, &Entry)> = wanted.collect();
    wanted.sort_by_key(|(key, _)| (key.ty, key.adv, key.id));
    let print = |(key, entry): (&LsaKey, &Entry)| match query.form {
        Form::Row => Row::all::<F>(entry, at.now).into_iter().map(Lsa::Row).collect(),
        Form::Detail => vec![Lsa::Detail(Box::new(Detail::new::<F>(entry, at.now)))],
        Form::Dump => vec![Lsa::Dump(Dump::new(entry, at.now))],
        Form::Internal => vec![Lsa::Internal(Internal::new(entry, at.now, waiting(at, key)))],
    };
    wanted.into_iter().flat_map(print).collect()
}

/// Neighbours that have not acknowledged an LSA.
fn waiting<F: Configured>(at: At<'_, V3<F>>, key: &LsaKey) -> usize {
    let interfaces = at.process.core.interfaces().values();
    let neighbors = interfaces.flat_map(|interface| interface.neighbors.values());
    neighbors.filter(|neighbor| neighbor.retransmission_list().any(|waits| waits == key)).count()
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scopes = [&self.areas, &self.links, &self.domain];
        for scope in scopes.into_iter().flatten().flatten() {
            write!(f, "\n        ")?;
            match (&scope.area, &scope.interface) {
                (Some(area), Some(name)) => {
                    write!(f, "I/F Scoped Link State Database (I/F {name} in Area {area})")?;
                }
                (Some(area), None) => write!(f, "Area Scoped Link State Database (Area {area})")?,
                _ => write!(f, "AS Scoped Link State Database")?,
            }
            writeln!(f, "\n")?;
            if self.form == Form::Row {
                writeln!(
                    f,
                    "Type LSId           AdvRouter       Age   SeqNum                        Payload"
                )?;
            }
            scope.lsa.iter().try_for_each(|lsa| lsa.fmt(f))?;
        }
        writeln!(f)
    }
}

impl<F: Configured> At<'_, V3<F>> {
    /// An area as it was written in the configuration.
    pub fn area6(self, id: ferrite_ospf::packet::AreaId) -> String {
        let on_link = self.process.links.values().filter_map(|link| {
            self.settings.interfaces.get(&link.interface.name).and_then(|settings| F::link(settings).area)
        });
        let named = on_link.chain(self.router.areas.values().map(|area| area.name));
        let known = named.into_iter().find(|name| name.id == id);
        known.map_or_else(|| text::area6(id), |name| name.to_string())
    }
}
