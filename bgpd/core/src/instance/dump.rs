//! MRT dumps (RFC 6396): what the shell writes of the messages it reads, and the table, which is walked here.
//!
//! A table goes out in pieces, one at a time: the next rows are asked of a shard when the shell has taken the last ones,
//! so neither the shards nor memory notice how large it is.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use bgp_packet::Family;
use bgp_packet::mrt::{self, IndexedPeer, RibEntry};
use bytes::{Bytes, BytesMut};
use ferrite_types::{Asn, Safi, Timestamp};

use super::{Action, Instance};
use crate::config::{Dump, InstanceName};
use crate::event::ExecId;
use crate::rib::query::{PathSource, PrefixView, WalkSource};
use crate::rib::{PeerId, Query, QueryToken, ShardEvent};

/// Numbers of table dumps begin here; operators' commands never come so far.
const FIRST: u64 = 1 << 55;
/// Prefixes asked of a shard at once.
const ROWS: usize = 512;

/// FRR writes the unicast ones only.
const FAMILIES: [Family; 4] = Family::ALL;

/// What the shell does about dumps.
#[derive(Debug)]
pub enum DumpAction {
    /// From now on these are written; none ends it.
    Messages { all: Option<Dump>, updates: Option<Dump> },
    /// The next octets of a table, for the file `path`; answered by [`crate::Event::DumpTaken`] unless `done`.
    Table { exec: ExecId, path: Arc<str>, octets: Bytes, done: bool },
    /// A session changed its state: the numbers of RFC 6396 §4.4.1.
    State { ends: mrt::Ends, old: u16, new: u16 },
}

/// What is under way.
#[derive(Debug, Default)]
pub struct Dumps {
    started: u64,
    /// When the table is next due; `None` where it is not wanted or was written once for all.
    due: Option<Timestamp>,
    table: Option<TableDump>,
}

#[derive(Debug)]
struct TableDump {
    exec: ExecId,
    path: Arc<str>,
    /// Seconds since 1970, the same for all records.
    seconds: u32,
    index: BTreeMap<PeerId, u16>,
    sequence: u32,
    /// Where the walk is: a family, then a shard.
    family: usize,
    shard: usize,
}

impl TableDump {
    /// Each walk has a token of its own.
    fn token(&self, shards: usize) -> QueryToken {
        QueryToken((self.exec.0 << 8) | ((self.family * shards + self.shard) as u64 & 0xff))
    }
}

impl Dumps {
    pub fn deadline(&self) -> Option<Timestamp> {
        self.due.filter(|_| self.table.is_none())
    }
}

impl Instance {
    /// Only the default instance's table is written, as FRR does.
    pub(super) fn configure_dumps(
        &mut self,
        now: Timestamp,
        before: &crate::config::BgpConfig,
        out: &mut Vec<Action>,
    ) {
        let wanted = Arc::clone(&self.config);
        if self.name != InstanceName::Default || before.dumps == wanted.dumps {
            return;
        }
        let (old, new) = (&before.dumps, &wanted.dumps);
        if (&old.all, &old.updates) != (&new.all, &new.updates) {
            let messages = DumpAction::Messages { all: new.all.clone(), updates: new.updates.clone() };
            out.push(Action::Dump(messages));
        }
        if old.routes != new.routes {
            self.dumps.due = new.routes.as_ref().map(|dump| self.next_dump(now, dump, true));
        }
    }

    /// Without an interval at once and never again; else at its next multiple on the wall clock.
    fn next_dump(&self, now: Timestamp, dump: &Dump, first: bool) -> Timestamp {
        let Some(interval) = &dump.interval else { return now };
        let every = u64::from(interval.seconds);
        let clock = self.wall_clock(now);
        let left = if first || 86_400 % every == 0 { every - clock % every } else { every };
        now + Duration::from_secs(left)
    }

    pub(super) fn dump_tick(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        if self.dumps.deadline().is_none_or(|at| at > now) {
            return;
        }
        self.dumps.due = None;
        let config = Arc::clone(&self.config);
        let Some(dump) = &config.dumps.routes else { return };
        if dump.interval.is_some() {
            self.dumps.due = Some(self.next_dump(now, dump, false));
        }
        if self.router().is_some() {
            self.begin_table_dump(now, dump, out);
        }
    }

    fn begin_table_dump(&mut self, now: Timestamp, dump: &Dump, out: &mut Vec<Action>) {
        self.dumps.started += 1;
        let exec = ExecId(FIRST + self.dumps.started);
        let own_as = self.router().map_or(Asn(0), |router| router.asn.asn);
        // What we originate is told by ourselves, the first of the index.
        let own = IndexedPeer { id: self.router_id(), addr: Ipv4Addr::UNSPECIFIED.into(), asn: own_as };
        let mut peers = vec![own];
        let mut index = BTreeMap::new();
        for (id, entry) in self.peers.iter().take(usize::from(u16::MAX) - 1) {
            let remote = entry.params.as_deref().map_or((own.id, Asn(0)), |p| (p.remote_id, p.remote_as));
            index.insert(*id, peers.len() as u16);
            peers.push(IndexedPeer { id: remote.0, addr: entry.addr, asn: remote.1 });
        }
        let mut octets = BytesMut::new();
        let seconds = self.wall_clock(now) as u32;
        if let Err(error) = mrt::peer_index(&mut octets, seconds, own.id, "", &peers) {
            tracing::warn!("dump bgp routes-mrt: {error}");
            return;
        }
        let path = Arc::clone(&dump.path);
        out.push(Action::Dump(DumpAction::Table {
            exec,
            path: Arc::clone(&path),
            octets: octets.freeze(),
            done: false,
        }));
        self.dumps.table = Some(TableDump { exec, path, seconds, index, sequence: 0, family: 0, shard: 0 });
    }

    /// The shell has written a piece, or cannot.
    pub(super) fn dump_taken(&mut self, good: bool, out: &mut Vec<Action>) {
        let shards = self.host.shards;
        let Some(table) = &self.dumps.table else { return };
        let (token, shard) = (table.token(shards), table.shard);
        if !good {
            self.dumps.table = None;
            out.push(Action::Shard { shard, event: ShardEvent::Query(token, Query::EndWalk) });
            return;
        }
        let Some(family) = FAMILIES.get(table.family).copied() else { return };
        let query = Query::Walk { source: WalkSource::Table, family, within: None, limit: ROWS };
        out.push(Action::Shard { shard, event: ShardEvent::Query(token, query) });
    }

    /// Whether rows that a shard sent belong to a dump; if so they are written.
    pub(crate) fn dump_answered(
        &mut self,
        token: QueryToken,
        rows: &[PrefixView],
        done: bool,
        out: &mut Vec<Action>,
    ) -> bool {
        let shards = self.host.shards;
        let Some(mut table) = self.dumps.table.take_if(|table| table.token(shards) == token) else {
            return false;
        };
        let mut octets = BytesMut::new();
        if let Some(family) = FAMILIES.get(table.family) {
            for row in rows {
                self.dump_row(&mut table, family.safi, row, &mut octets);
            }
        }
        if done {
            table.shard += 1;
            if table.shard == shards {
                (table.shard, table.family) = (0, table.family + 1);
            }
        }
        let ended = table.family == FAMILIES.len();
        let (exec, path) = (table.exec, Arc::clone(&table.path));
        if !ended {
            self.dumps.table = Some(table);
        }
        out.push(Action::Dump(DumpAction::Table { exec, path, octets: octets.freeze(), done: ended }));
        true
    }

    fn dump_row(&self, table: &mut TableDump, safi: Safi, row: &PrefixView, octets: &mut BytesMut) {
        let entries: Vec<RibEntry<'_>> = row
            .paths
            .iter()
            .map(|path| {
                let peer = match path.source {
                    PathSource::Peer(id) => table.index.get(&id).copied().unwrap_or(0),
                    _ => 0,
                };
                let originated = self.wall_clock(path.since) as u32;
                RibEntry { peer, originated, path_id: path.path_id, attrs: &path.attrs }
            })
            .collect();
        match mrt::rib(octets, table.seconds, table.sequence, (safi, row.prefix), &entries) {
            Ok(()) => table.sequence = table.sequence.wrapping_add(1),
            Err(error) => tracing::warn!("dump bgp routes-mrt: {}: {error}", row.prefix),
        }
    }

    /// A change of state, where all messages are dumped.
    pub(super) fn dump_state(
        &self,
        id: PeerId,
        old: crate::peer::State,
        new: crate::peer::State,
        out: &mut Vec<Action>,
    ) {
        if self.config.dumps.all.is_none() {
            return;
        }
        let Some(entry) = self.peers.get(&id) else { return };
        let negotiated = entry.peer.negotiated();
        let local: IpAddr =
            negotiated.map_or(Ipv4Addr::UNSPECIFIED.into(), |n| n.ends.local.ip().to_canonical());
        let ends = mrt::Ends {
            remote_as: negotiated.map_or(Asn(0), |n| n.remote_as),
            local_as: negotiated.map_or_else(|| self.router().map_or(Asn(0), |r| r.asn.asn), |n| n.local_as),
            ifindex: 0,
            remote: entry.addr,
            local,
        };
        out.push(Action::Dump(DumpAction::State { ends, old: state_number(old), new: state_number(new) }));
    }
}

/// RFC 6396 §4.4.1.
fn state_number(state: crate::peer::State) -> u16 {
    use crate::peer::State;
    match state {
        State::Idle => 1,
        State::Connect => 2,
        State::Active => 3,
        State::OpenSent => 4,
        State::OpenConfirm => 5,
        State::Established => 6,
    }
}
