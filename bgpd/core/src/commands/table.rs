//! Tables, streamed: the rows of all shards merged by prefix, a chunk at a time. No more is held than a chunk and what
//! the shards have sent ahead.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bgp_packet::Family;
use bgp_packet::attr::{Attributes, NextHop};
use ferrite_cli::Args;
use ferrite_types::{Afi, RouterId, Timestamp};

use super::prefix::PathIdsInUse;
use super::{Answers, RowFilter, Side};
use crate::instance::Instance;
use crate::rib::query::{FibState, PathSource, PathView, PrefixView, TableCounts, WalkSource};
use crate::rib::settings::PeerKind;
use crate::rib::{Answer, Query};
use crate::view::routes::{AdjacencyFooter, NexthopCell, PathRow, TableFooter, TableHeader};

/// Octets of a chunk before it is handed out.
const CHUNK: usize = 64 * 1024;
/// Prefixes asked of a shard at once.
const ROWS: usize = 512;

/// A piece of the output.
pub(super) struct Chunk {
    pub text: String,
    pub done: bool,
}

/// What one shard has sent ahead.
#[derive(Debug, Default)]
struct Ahead {
    rows: VecDeque<PrefixView>,
    asked: bool,
    done: bool,
}

#[derive(Debug)]
enum Kind {
    Table(RowFilter),
    /// A neighbour's table, under this member of the JSON object.
    Adjacency(&'static str, RowFilter),
}

#[derive(Debug)]
pub(super) struct Walk {
    source: WalkSource,
    family: Family,
    kind: Kind,
    json: bool,
    /// Every attribute of every path, as of this moment.
    detail: Option<(Timestamp, PathIdsInUse)>,
    header: TableHeader,
    ahead: Vec<Ahead>,
    text: String,
    opened: bool,
    finished: bool,
    /// A chunk is with the shell.
    waiting: bool,
    prefixes: u64,
    /// Paths in the table.
    paths: u64,
    /// Prefixes that policy, or the filter asked for, denies.
    filtered: u64,
}

/// Sum of the shards' counts; the version is the sum of theirs, so that it grows with every change.
pub(super) fn counts(answers: &Answers, question: usize) -> TableCounts {
    let mut sum = TableCounts::default();
    for answer in answers.get(question).into_iter().flatten() {
        if let Answer::Counts(counts) = answer {
            sum.prefixes += counts.prefixes;
            sum.paths += counts.paths;
            sum.best += counts.best;
            sum.attributes += counts.attributes;
            sum.table_version += counts.table_version;
            sum.prefix_length_sum += counts.prefix_length_sum;
        }
    }
    sum
}

impl Instance {
    pub(super) fn table_header(&self, answers: &Answers) -> TableHeader {
        let router = self.router();
        TableHeader {
            table_version: counts(answers, 0).table_version,
            router_id: self.router_id(),
            vrf_id: self.vrf_number(),
            vrf_name: self.label().to_owned(),
            default_local_pref: router.map_or(100, |router| router.default_local_preference),
            local_as: router.map_or(ferrite_types::Asn(0), |router| router.asn.asn),
        }
    }

    /// A path as a row. `received` rows show what came, so they carry no state of the table.
    fn row(&self, prefix: &PrefixView, path: &PathView, adjacency: bool) -> PathRow {
        let peer = match path.source {
            PathSource::Peer(id) => self.peers.get(&id),
            _ => None,
        };
        let internal = peer
            .and_then(|entry| entry.params.as_ref())
            .is_some_and(|params| params.kind == PeerKind::Internal);
        let own = !matches!(path.source, PathSource::Peer(_));
        PathRow {
            valid: path.valid || adjacency || path.damped,
            // Of several paths sent one is the best; a plain session has nothing else.
            best: path.best || (adjacency && path.sent_id == 0),
            multipath: path.multipath && !path.best,
            suppressed: path.suppressed || prefix.suppressed,
            stale: path.stale,
            damped: path.damped,
            internal,
            rpki: if adjacency { None } else { self.origin_state(prefix.prefix, &path.attrs) },
            rib_failure: path.best && prefix.fib == FibState::Rejected,
            selection_reason: prefix.reason.map(|reason| reason.text()),
            version: prefix.version,
            metric: path.attrs.med.or_else(|| own.then_some(0)),
            local_pref: path.attrs.local_pref,
            weight: path.weight,
            peer: peer.map(|entry| entry.addr),
            as_path: self.path_text(&path.attrs.as_path),
            origin: Some(path.attrs.origin),
            nexthops: self.row_cells(path),
            refused: peer.filter(|_| path.filtered).and_then(|entry| {
                let family = entry.effective.family(prefix.family)?;
                let reason = family.reject_community?;
                let list = path.attrs.large_communities.iter();
                let found = list.copied().find(|c| (c.global, c.local1) == (reason.asn, reason.function));
                found.map(|community| community.to_string())
            }),
            ..PathRow::default()
        }
    }
}

impl Instance {
    /// A path's next hops with the name of whoever it came from.
    pub(super) fn named_cells(&self, path: &PathView) -> Vec<NexthopCell> {
        let peer = match path.source {
            PathSource::Peer(id) => self.peers.get(&id),
            _ => None,
        };
        let hostname = match path.source {
            PathSource::Peer(_) => peer.and_then(|entry| entry.hostname()),
            _ => Some(self.hostname().to_owned()),
        };
        let mut cells = nexthop_cells(&path.attrs, path.uses_link_local);
        for cell in &mut cells {
            cell.hostname.clone_from(&hostname);
        }
        cells
    }

    /// The next hops of a row: those of a neighbour on an interface name it, and where the global address is a link-local
    /// one as well that one counts, as FRR has it.
    fn row_cells(&self, path: &PathView) -> Vec<NexthopCell> {
        let mut cells = self.named_cells(path);
        let PathSource::Peer(id) = path.source else { return cells };
        let name = self.peers.get(&id).and_then(|entry| entry.name.interface());
        let is_link_local = |cell: &NexthopCell| crate::instance::is_link_local(cell.ip);
        if let Some(name) = name
            && let Some(last) = cells.iter_mut().rev().find(|cell| is_link_local(cell))
        {
            last.interface = Some(name.to_owned());
        }
        if let [first, second] = cells.as_mut_slice()
            && is_link_local(first)
        {
            (first.used, second.used) = (true, false);
        }
        cells
    }

    /// Our own name.
    pub(super) fn hostname(&self) -> &str {
        self.config.common.hostname.as_deref().unwrap_or(&self.host.hostname)
    }
}

/// The addresses of a next hop; packets go to the one that is used.
fn nexthop_cells(attrs: &Attributes, link_local_used: bool) -> Vec<NexthopCell> {
    match attrs.next_hop {
        NextHop::V4(addr) => vec![NexthopCell::new(IpAddr::V4(addr), true)],
        NextHop::V6 { global, link_local } => {
            let used = !link_local_used || link_local.is_none();
            let first = NexthopCell { scope: Some("global"), ..NexthopCell::new(IpAddr::V6(global), used) };
            let mut cells = vec![first];
            cells.extend(link_local.map(|addr| NexthopCell::new(IpAddr::V6(addr), link_local_used)));
            cells
        }
    }
}

/// The next hop of our own routes.
pub(super) fn unspecified(afi: Afi) -> IpAddr {
    if afi == Afi::Ipv6 { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() }
}

impl Walk {
    fn new(
        source: WalkSource,
        family: Family,
        kind: Kind,
        header: TableHeader,
        args: &Args,
        shards: usize,
    ) -> Self {
        Self {
            source,
            family,
            kind,
            json: args.has("json"),
            detail: None,
            header,
            ahead: (0..shards).map(|_| Ahead::default()).collect(),
            text: String::new(),
            opened: false,
            finished: false,
            waiting: false,
            prefixes: 0,
            paths: 0,
            filtered: 0,
        }
    }

    /// `total` is the number of paths in the whole table, which the footer names.
    pub fn table(
        family: Family,
        filter: RowFilter,
        header: TableHeader,
        total: u64,
        args: &Args,
        shards: usize,
    ) -> Self {
        let walk = Self::new(WalkSource::Table, family, Kind::Table(filter), header, args, shards);
        Self { paths: total, ..walk }
    }

    pub fn adjacency(
        side: Side,
        family: Family,
        source: WalkSource,
        header: TableHeader,
        filter: RowFilter,
        total: u64,
        args: &Args,
        shards: usize,
    ) -> Self {
        // `neighbors X routes` is a table like any other, filtered by its source.
        let kind = match side {
            Side::Accepted => {
                let filter = match source {
                    WalkSource::Accepted(peer) => RowFilter::From(peer),
                    _ => RowFilter::All,
                };
                return Self { source, ..Self::table(family, filter, header, total, args, shards) };
            }
            Side::Advertised => Kind::Adjacency("advertisedRoutes", filter),
            Side::Received | Side::Filtered => Kind::Adjacency("receivedRoutes", filter),
            Side::Withheld => Kind::Adjacency("notAdvertisedRoutes", filter),
            Side::Best => match source {
                WalkSource::Accepted(peer) => Kind::Adjacency("receivedRoutes", RowFilter::BestFrom(peer)),
                _ => Kind::Adjacency("receivedRoutes", filter),
            },
        };
        Self::new(source, family, kind, header, args, shards)
    }

    /// Paths are shown in detail.
    pub fn detailed(self, now: Timestamp, ids: PathIdsInUse) -> Self {
        Self { detail: Some((now, ids)), ..self }
    }

    pub fn query(&self) -> Query {
        let (source, family) = (self.source, self.family);
        let within = self.filter().within();
        // JSON of a whole table does not name the neighbours that have a prefix.
        let holders = self.detail.is_some() && !(self.json && matches!(self.kind, Kind::Table(_)));
        if holders {
            Query::WalkHolders { source, family, within, limit: ROWS }
        } else {
            Query::Walk { source, family, within, limit: ROWS }
        }
    }

    fn filter(&self) -> &RowFilter {
        match &self.kind {
            Kind::Table(filter) | Kind::Adjacency(_, filter) => filter,
        }
    }

    pub fn received(&mut self, shard: usize, rows: Vec<PrefixView>, done: bool) {
        if let Some(ahead) = self.ahead.get_mut(shard) {
            ahead.rows.extend(rows);
            ahead.asked = false;
            ahead.done = done;
        }
    }

    pub fn taken(&mut self) {
        self.waiting = false;
    }

    /// Shards to ask for more, each once.
    pub fn ask(&mut self) -> Vec<usize> {
        if self.waiting && self.text.len() >= CHUNK {
            return Vec::new();
        }
        let mut ask = Vec::new();
        for (shard, ahead) in self.ahead.iter_mut().enumerate() {
            if ahead.rows.is_empty() && !ahead.done && !ahead.asked {
                ahead.asked = true;
                ask.push(shard);
            }
        }
        ask
    }

    /// Writes rows while every shard's next one is known and the chunk is not full.
    pub fn advance(&mut self, instance: &Instance) {
        while self.text.len() < CHUNK && !self.finished {
            if self.ahead.iter().any(|ahead| ahead.rows.is_empty() && !ahead.done) {
                return;
            }
            let next = self
                .ahead
                .iter()
                .enumerate()
                .filter_map(|(shard, ahead)| Some((ahead.rows.front()?.prefix, shard)))
                .min();
            let row = next.and_then(|(_, shard)| self.ahead.get_mut(shard)?.rows.pop_front());
            match row {
                Some(row) => self.write(instance, &row),
                None => self.close(),
            }
        }
    }

    /// What is ready for the shell: a full chunk, or the end.
    pub fn take_chunk(&mut self) -> Option<Chunk> {
        if self.waiting || !(self.finished || self.text.len() >= CHUNK) {
            return None;
        }
        self.waiting = true;
        Some(Chunk { text: std::mem::take(&mut self.text), done: self.finished })
    }

    fn write(&mut self, instance: &Instance, row: &PrefixView) {
        let adjacency = matches!(self.kind, Kind::Adjacency(..));
        let filter = self.filter();
        let shown: Vec<&PathView> = row.paths.iter().filter(|path| filter.shows(row, path)).collect();
        let denied =
            matches!(self.source, WalkSource::Received(_)) && row.paths.iter().any(|path| path.filtered);
        let hidden = shown.is_empty() && filter.counts_hidden();
        self.filtered += u64::from(hidden || denied);
        if shown.is_empty() {
            return;
        }
        self.open();
        if let Some((now, ids)) = self.detail {
            self.write_detail(instance, now, ids, row, &shown);
            self.prefixes += 1;
            return;
        }
        let rows: Vec<PathRow> = shown.iter().map(|path| instance.row(row, path, adjacency)).collect();
        if self.json {
            self.write_json(row, &rows);
        } else {
            for (position, path) in rows.iter().enumerate() {
                let begin = self.text.len();
                path.write_text((position == 0).then_some(row.prefix), &mut self.text);
                // FRR gives what a neighbour sent one column less.
                if matches!(self.source, WalkSource::Received(_) | WalkSource::Filtered(_)) {
                    self.text.replace_range(begin + 3..begin + 4, "");
                }
            }
        }
        self.prefixes += 1;
    }

    fn write_detail(
        &mut self,
        instance: &Instance,
        now: Timestamp,
        ids: PathIdsInUse,
        row: &PrefixView,
        shown: &[&PathView],
    ) {
        let separator = if self.prefixes > 0 { "," } else { "" };
        match (&self.kind, self.json) {
            (Kind::Table(_), true) => {
                let paths: Vec<_> =
                    shown.iter().map(|path| instance.path_detail(now, row, path, ids)).collect();
                let value = serde_json::to_string(&paths).unwrap_or_default();
                let _ = write!(self.text, "{separator}\"{}\": {value}", row.prefix);
            }
            (Kind::Adjacency(..), true) => {
                let detail = instance.detail_of(now, row, shown.iter().copied(), ids);
                let value = serde_json::to_string(&detail).unwrap_or_default();
                let _ = write!(self.text, "{separator}\"{}\": {value}", row.prefix);
            }
            // FRR heads each path of a table with the prefix.
            (Kind::Table(_), false) => {
                for path in shown {
                    let detail = instance.detail_of(now, row, std::iter::once(*path), ids);
                    let _ = write!(self.text, "{detail}");
                }
            }
            (Kind::Adjacency(..), false) => {
                let detail = instance.detail_of(now, row, shown.iter().copied(), ids);
                let _ = write!(self.text, "{detail}");
            }
        }
    }

    fn write_json(&mut self, row: &PrefixView, rows: &[PathRow]) {
        let separator = if self.prefixes > 0 { "," } else { "" };
        let value = match self.kind {
            Kind::Table(_) => {
                let paths: Vec<_> = rows.iter().map(|path| path.json(row.prefix)).collect();
                serde_json::to_string(&paths)
            }
            Kind::Adjacency(..) => match rows.first() {
                Some(path) => serde_json::to_string(&path.json_adjacency(row.prefix)),
                None => return,
            },
        };
        let _ = write!(self.text, "{separator}\"{}\": {}", row.prefix, value.unwrap_or_default());
    }

    /// Header, before the first row.
    fn open(&mut self) {
        if std::mem::replace(&mut self.opened, true) {
            return;
        }
        match (&self.kind, self.json) {
            (Kind::Table(_), true) => self.text.push_str(&self.header.json_open()),
            (Kind::Adjacency(member, _), true) => {
                self.text.push_str(&self.header.json_open_adjacency(member));
            }
            (_, false) if self.detail.is_some() => self.text.push_str(&self.header.short()),
            (_, false) => {
                let _ = write!(self.text, "{}", self.header);
            }
        }
    }

    /// Footer, after the last row.
    fn close(&mut self) {
        self.finished = true;
        let footer = TableFooter {
            prefixes: self.prefixes,
            paths: self.paths,
            filtered: matches!(&self.kind, Kind::Table(filter) if !filter.is_all()),
        };
        let adjacency = AdjacencyFooter { prefixes: self.prefixes, filtered: self.filtered };
        match (&self.kind, self.json) {
            (Kind::Table(_), true) => {
                self.open();
                self.text.push_str(&footer.json());
            }
            (Kind::Table(_), false) if self.prefixes == 0 && footer.filtered => {}
            (Kind::Table(_), false) => self.text.push_str(&footer.text()),
            (Kind::Adjacency(..), true) => {
                self.open();
                self.text.push_str(&adjacency.json());
            }
            (Kind::Adjacency(..), false) if self.prefixes == 0 => {}
            (Kind::Adjacency(..), false) => self.text.push_str(&adjacency.text()),
        }
    }
}

/// Identifier of the speaker a path came from.
pub(super) fn remote_id(instance: &Instance, source: PathSource) -> RouterId {
    match source {
        PathSource::Peer(id) => {
            let negotiated = instance.peers.get(&id).and_then(|entry| entry.peer.negotiated());
            negotiated.map_or(RouterId::UNSET, |negotiated| negotiated.remote_id)
        }
        _ => instance.router_id(),
    }
}
