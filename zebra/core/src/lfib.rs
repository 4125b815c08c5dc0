//! Label-switched paths: what operators and daemons want done with packets that come with a label (RFC 3031 §3.10, RFC 3032), and
//! what of it stands in the kernel.
//!
//! A path belongs to its label. What the operator wrote (`mpls lsp`) goes before what a daemon wants. Gateways must be on
//! connected networks (unless `mpls fec nexthop-resolution` lets other routes answer); a path none of whose next hops can be used is taken out until one can. Next hops are looked at anew when links or
//! addresses change, never because of routes.

mod kernel;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use ferrite_types::zclient::{
    FecLabel, FromZebra, LabelBlock, LabelChunkAnswer, LabelChunkRequest, LspResult, LspUpdate, WatchFec,
};
use ferrite_types::{IfIndex, Label, Nexthop, Prefix, RouteProtocol, Timestamp};

use crate::action::{Action, MplsChange};
use crate::client::ClientKey;
use crate::instance::Zebra;
use crate::labels::{FIRST, Labels};
use crate::netns::Netns;
use crate::refuse::check_nexthops;
use crate::rib::{OwnerId, Trust};
use crate::settings::Settings;

pub use kernel::{KernelLsp, LspVerdict};

const RETRY_MIN: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(64);
/// How long we wait before putting back a path that somebody took out.
const REPAIR_AFTER: Duration = Duration::from_millis(200);
/// Paths of one client: more than its labels can be is a mistake, and costs memory.
const MAX_LSPS: usize = 1 << 20;

/// One change of the label table.
#[derive(Clone, Debug)]
pub struct LfibOp {
    pub label: Label,
    /// Comes back in the [`LfibResult`].
    pub seq: u32,
    pub protocol: RouteProtocol,
    /// Resolved; `None` takes the path out.
    pub nexthops: Option<Arc<[Nexthop]>>,
}

/// The kernel's answer to one [`LfibOp`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LfibResult {
    pub label: Label,
    pub seq: u32,
    /// Zero or a positive errno.
    pub errno: i32,
}

#[derive(Debug, Default)]
pub struct Lfib {
    pub labels: Labels,
    lsps: BTreeMap<Label, Lsp>,
    /// Left by an earlier run and not claimed yet.
    adopted: BTreeMap<Label, KernelLsp>,
    /// Who wants to know about which bound prefix.
    watchers: BTreeMap<Prefix, BTreeSet<ClientKey>>,
    /// Links and what we last asked of them.
    inputs: BTreeMap<IfIndex, bool>,
    /// Highest label of the kernel and one more; `None` where it has no MPLS.
    platform: Option<u32>,
    /// Paths whose state must be looked at.
    touched: BTreeSet<Label>,
    /// Something that the next hops of all of them depend on has changed.
    stale: bool,
    /// Refused paths, by when we ask again.
    retries: BTreeMap<Timestamp, Vec<Label>>,
    ops: Vec<LfibOp>,
    next_seq: u32,
    /// Operations, and those that the kernel refused.
    pub updates: u64,
    pub errors: u64,
}

/// What is wanted for a label, and what was done.
#[derive(Debug, Default)]
pub struct Lsp {
    wanted: BTreeMap<OwnerId, Wanted>,
    /// What the kernel was last asked to hold.
    pub fib: Option<Arc<[Nexthop]>>,
    pub state: LspState,
    seq: u32,
    attempts: u32,
    /// It was refused or changed by others, and its time has come.
    again: bool,
    /// Somebody changed it while an operation of ours was under way.
    doubtful: bool,
}

#[derive(Debug)]
pub struct Wanted {
    pub protocol: RouteProtocol,
    pub nexthops: Arc<[Nexthop]>,
    epoch: u16,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LspState {
    #[default]
    Idle,
    Queued,
    Installed,
    /// Somebody else took it out.
    Lost,
    /// The kernel's errno.
    Rejected(i32),
}

impl Lsp {
    /// The operator's before a daemon's.
    pub fn chosen(&self) -> Option<(OwnerId, &Wanted)> {
        self.wanted.iter().next().map(|(owner, wanted)| (*owner, wanted))
    }

    pub fn seq(&self) -> u32 {
        self.seq
    }

    pub fn installed(&self) -> bool {
        self.state == LspState::Installed && self.fib.is_some()
    }
}

impl Lfib {
    pub fn lsps(&self) -> impl Iterator<Item = (Label, &Lsp)> {
        self.lsps.iter().map(|(label, lsp)| (*label, lsp))
    }

    pub fn lsp(&self, label: Label) -> Option<&Lsp> {
        self.lsps.get(&label)
    }

    pub fn platform(&self) -> Option<u32> {
        self.platform
    }

    pub fn next_deadline(&self) -> Option<Timestamp> {
        if self.stale {
            return Some(Timestamp::ZERO);
        }
        self.retries.first_key_value().map(|(at, _)| *at)
    }

    pub fn watchers(&self, prefix: Prefix) -> impl Iterator<Item = ClientKey> {
        self.watchers.get(&prefix).into_iter().flatten().copied()
    }

    /// Links or addresses are not what they were.
    pub fn links_changed(&mut self) {
        self.stale = true;
    }

    fn want(&mut self, label: Label, owner: OwnerId, wanted: Wanted) {
        self.lsps.entry(label).or_default().wanted.insert(owner, wanted);
        self.touched.insert(label);
    }

    fn unwant(&mut self, label: Label, owner: OwnerId) {
        let Some(lsp) = self.lsps.get_mut(&label) else { return };
        if lsp.wanted.remove(&owner).is_some() {
            self.touched.insert(label);
        }
    }

    /// Drops what an owner wants, where `stale` says so of the connection that named it.
    fn sweep(&mut self, owner: OwnerId, stale: impl Fn(u16) -> bool) {
        let labels: Vec<Label> = self
            .lsps
            .iter()
            .filter(|(_, lsp)| lsp.wanted.get(&owner).is_some_and(|wanted| stale(wanted.epoch)))
            .map(|(label, _)| *label)
            .collect();
        for label in labels {
            self.unwant(label, owner);
        }
    }

    fn push(&mut self, label: Label, protocol: RouteProtocol, nexthops: Option<Arc<[Nexthop]>>) -> u32 {
        self.next_seq = self.next_seq.wrapping_add(1);
        self.ops.push(LfibOp { label, seq: self.next_seq, protocol, nexthops });
        self.next_seq
    }
}

impl Zebra {
    // The configuration.

    pub(crate) fn apply_mpls(&mut self, old: &Settings) {
        let settings = self.settings.clone();
        if settings.mpls == old.mpls && settings.interfaces == old.interfaces {
            return;
        }
        // `mpls enable` may have changed.
        self.lfib.stale = true;
        let mpls = &settings.mpls;
        let single = |label: &Label| LabelBlock { first: *label, last: *label };
        let bound = mpls.bindings.values().filter(|label| label.value() >= FIRST).map(single);
        let used = mpls.lsps.keys().map(|(label, _)| single(label)).chain(bound).chain(mpls.global_block);
        self.lfib.labels.configure(mpls.dynamic_block, used);
        let mut wanted: BTreeMap<Label, Vec<Nexthop>> = BTreeMap::new();
        for ((label, gateway), out) in &mpls.lsps {
            let mut nexthop = Nexthop::gateway(*gateway);
            nexthop.labels.extend(Some(*out).filter(|out| *out != Label::IMPLICIT_NULL));
            wanted.entry(*label).or_default().push(nexthop);
        }
        let gone: Vec<Label> =
            self.lfib.lsps.keys().filter(|label| !wanted.contains_key(label)).copied().collect();
        for label in gone {
            self.lfib.unwant(label, OwnerId::SELF);
        }
        for (label, nexthops) in wanted {
            let wanted = Wanted { protocol: RouteProtocol::Static, nexthops: nexthops.into(), epoch: 0 };
            self.lfib.want(label, OwnerId::SELF, wanted);
        }
        self.tell_bindings(&old.mpls.bindings);
    }

    /// Tells watchers what changed of the labels that the operator bound to prefixes.
    fn tell_bindings(&mut self, old: &BTreeMap<Prefix, Label>) {
        let new = self.settings.mpls.bindings.clone();
        let changed: BTreeSet<Prefix> = old
            .keys()
            .chain(new.keys())
            .filter(|prefix| old.get(prefix) != new.get(prefix))
            .copied()
            .collect();
        for prefix in changed {
            let fec = FecLabel { prefix, label: new.get(&prefix).copied() };
            let watchers: Vec<ClientKey> = self.lfib.watchers(prefix).collect();
            for client in watchers {
                self.send(client, FromZebra::FecLabels(vec![fec]));
            }
        }
    }

    /// Labelled packets are taken on the links that say so; the kernel's table has room where something is to go into it.
    fn apply_inputs(&mut self) {
        if self.lfib.platform.is_none() {
            return;
        }
        let mut present = BTreeMap::new();
        for link in self.interfaces.links() {
            let ifindex = link.info.interface.ifindex;
            let wish =
                self.settings.interfaces.get(&link.info.interface.name).and_then(|settings| settings.mpls);
            if Netns::of_link(ifindex) != Netns::OWN {
                continue;
            }
            let asked = self.lfib.inputs.get(&ifindex).copied();
            // A line that is taken back is as if it said no.
            if let Some(on) = wish.or(asked.map(|_| false)) {
                present.insert(ifindex, on);
                if asked != Some(on) {
                    let name = link.info.interface.name.clone();
                    self.actions.push(Action::Mpls(MplsChange::Input { name, on }));
                }
            }
        }
        self.lfib.inputs = present;
        let used = self.lfib.inputs.values().any(|on| *on) || !self.lfib.lsps.is_empty();
        if used && self.lfib.platform == Some(0) {
            self.actions.push(Action::Mpls(MplsChange::PlatformLabels(crate::labels::LAST)));
        }
    }

    /// What the shell found of MPLS in the kernel: the number of labels it has room for.
    pub fn note_mpls(&mut self, platform: Option<u32>) {
        if self.lfib.platform != platform {
            self.lfib.platform = platform;
            self.lfib.stale = true;
        }
    }

    // Clients.

    pub(crate) fn labels_wanted(&mut self, client: ClientKey, request: &LabelChunkRequest) {
        let Some((owner, epoch)) = self.owner_and_epoch(client) else { return };
        let outcome = self.lfib.labels.get(owner, epoch, request).map_err(|error| error.to_string());
        self.send(client, FromZebra::LabelChunk(LabelChunkAnswer { id: request.id, outcome }));
    }

    pub(crate) fn labels_released(&mut self, client: ClientKey, block: LabelBlock) {
        let Some((owner, _)) = self.owner_and_epoch(client) else { return };
        if let Err(error) = self.lfib.labels.release(owner, block) {
            self.refuse(client, "release of labels", error.to_string());
            return;
        }
        let named: Vec<Label> =
            self.lfib.lsps.range(block.first..=block.last).map(|(label, _)| *label).collect();
        for label in named {
            self.lfib.unwant(label, owner);
        }
    }

    pub(crate) fn client_lsps(&mut self, client: ClientKey, updates: Vec<LspUpdate>) {
        let Some((owner, epoch)) = self.owner_and_epoch(client) else { return };
        let mut foreign = Vec::new();
        let mut absurd = None;
        for update in updates {
            let LspUpdate { label, protocol, nexthops } = update;
            match nexthops {
                None => self.lfib.unwant(label, owner),
                _ if self.lfib.labels.owner_of(label) != Some(owner) => foreign.push(label),
                _ if self.lfib.lsps.len() >= MAX_LSPS && self.lfib.lsp(label).is_none() => {
                    foreign.push(label);
                }
                Some(nexthops) => match check_nexthops(None, &nexthops) {
                    Ok(()) => self.lfib.want(label, owner, Wanted { protocol, nexthops, epoch }),
                    Err(error) => drop(absurd.get_or_insert((label, error))),
                },
            }
        }
        if let Some((label, error)) = absurd {
            self.refuse(client, "label-switched path", format!("label {}: {error}", label.value()));
        }
        if let Some(first) = foreign.first() {
            let reason = format!("label {} is not of this client ({} such)", first.value(), foreign.len());
            self.refuse(client, "label-switched path", reason);
        }
    }

    pub(crate) fn watch_fecs(&mut self, client: ClientKey, items: &[WatchFec]) {
        let mut known = Vec::new();
        for item in items {
            let watchers = self.lfib.watchers.entry(item.prefix).or_default();
            if item.watch {
                watchers.insert(client);
                let label = self.settings.mpls.bindings.get(&item.prefix).copied();
                known.push(FecLabel { prefix: item.prefix, label });
            } else {
                watchers.remove(&client);
            }
        }
        self.lfib.watchers.retain(|_, watchers| !watchers.is_empty());
        if !known.is_empty() {
            self.send(client, FromZebra::FecLabels(known));
        }
    }

    fn owner_and_epoch(&self, client: ClientKey) -> Option<(OwnerId, u16)> {
        let owner = self.clients.get(client)?.owner;
        Some((owner, self.clients.owner(owner)?.epoch))
    }

    /// A connection is gone; its daemon's labels and paths wait for it.
    pub(crate) fn forget_fecs(&mut self, client: ClientKey) {
        self.lfib.watchers.retain(|_, watchers| {
            watchers.remove(&client);
            !watchers.is_empty()
        });
    }

    /// What a daemon had goes: all of it, or what it did not name in this connection.
    pub(crate) fn sweep_labels(&mut self, owner: OwnerId, named_in: Option<u16>) {
        self.lfib.labels.sweep(owner, named_in);
        self.lfib.sweep(owner, |epoch| named_in != Some(epoch));
    }

    // The kernel.

    /// Brings the kernel's label table to what is wanted.
    pub(crate) fn program_lsps(&mut self) {
        let looked = std::mem::take(&mut self.lfib.stale);
        if looked {
            self.apply_inputs();
            self.lfib.touched.extend(self.lfib.lsps.keys().copied());
        }
        if self.lfib.platform.is_none() {
            self.lfib.lsps.retain(|_, lsp| !lsp.wanted.is_empty());
            self.lfib.touched.clear();
            return;
        }
        for label in std::mem::take(&mut self.lfib.touched) {
            self.program_lsp(label);
        }
        let ops = std::mem::take(&mut self.lfib.ops);
        if !ops.is_empty() {
            if self.lfib.platform == Some(0) && !looked {
                self.apply_inputs();
            }
            self.lfib.updates += ops.len() as u64;
            ops.iter().for_each(|op| self.fpm.lsp_changed(op.label));
            self.actions.push(Action::Lfib(ops));
        }
    }

    /// How far the next hops of paths are taken at their word.
    pub(crate) fn path_trust(&self) -> Trust {
        if self.settings.mpls.fec_resolution { Trust::Recursive } else { Trust::Connected }
    }

    fn program_lsp(&mut self, label: Label) {
        let Some(lsp) = self.lfib.lsp(label) else { return };
        let wanted = lsp.chosen().map(|(_, wanted)| (wanted.protocol, wanted.nexthops.clone()));
        let resolved = wanted.and_then(|(protocol, nexthops)| {
            let fib = self.resolver().set(&nexthops, self.path_trust()).fib;
            (!fib.is_empty()).then_some((protocol, fib))
        });
        let again = lsp.again;
        let (same, empty) =
            (lsp.fib.as_ref() == resolved.as_ref().map(|(_, fib)| fib), lsp.wanted.is_empty());
        if !same || again {
            let (protocol, fib) = match resolved {
                Some((protocol, fib)) => (protocol, Some(fib)),
                None => (RouteProtocol::Static, None),
            };
            let claimed = !again && fib.as_ref().is_some_and(|fib| self.claim_lsp(label, protocol, fib));
            let seq = if claimed { self.lfib.next_seq } else { self.lfib.push(label, protocol, fib.clone()) };
            if let Some(lsp) = self.lfib.lsps.get_mut(&label) {
                lsp.state = match fib {
                    Some(_) if claimed => LspState::Installed,
                    Some(_) => LspState::Queued,
                    None => LspState::Idle,
                };
                (lsp.fib, lsp.seq, lsp.again, lsp.doubtful) = (fib, seq, false, false);
            }
        }
        if empty {
            self.lfib.lsps.remove(&label);
        }
    }

    /// The kernel's answers.
    pub(crate) fn lfib_done(&mut self, results: &[LfibResult]) {
        let mut told: BTreeMap<OwnerId, Vec<LspResult>> = BTreeMap::new();
        for result in results {
            self.lfib.errors += u64::from(result.errno != 0);
            let Some(lsp) = self.lfib.lsps.get_mut(&result.label) else { continue };
            if lsp.seq != result.seq || lsp.state != LspState::Queued {
                continue;
            }
            if result.errno == 0 {
                (lsp.state, lsp.attempts) = (LspState::Installed, 0);
                if std::mem::take(&mut lsp.doubtful) {
                    lsp.again = true;
                    self.lfib.touched.insert(result.label);
                }
            } else {
                lsp.state = LspState::Rejected(result.errno);
                let delay = RETRY_MIN.saturating_mul(1 << lsp.attempts.min(6)).min(RETRY_MAX);
                lsp.attempts = lsp.attempts.saturating_add(1);
                self.lfib.retries.entry(self.now + delay).or_default().push(result.label);
            }
            if let Some((owner, _)) = lsp.chosen() {
                let result = LspResult { label: result.label, errno: result.errno };
                told.entry(owner).or_default().push(result);
            }
        }
        for (owner, results) in told {
            if let Some(client) = self.clients.owner(owner).and_then(|owner| owner.client) {
                self.send(client, FromZebra::LspResults(results));
            }
        }
    }

    /// Asks the kernel again for what it refused.
    pub(crate) fn retry_lsps(&mut self) {
        while let Some(first) = self.lfib.retries.first_entry().filter(|first| *first.key() <= self.now) {
            for label in first.remove() {
                let Some(lsp) = self.lfib.lsps.get_mut(&label) else { continue };
                if matches!(lsp.state, LspState::Rejected(_) | LspState::Lost) {
                    self.fib.stats.repairs += u64::from(lsp.state == LspState::Lost);
                    lsp.again = true;
                    self.lfib.touched.insert(label);
                }
            }
        }
    }

    /// Takes everything of ours out of the kernel.
    pub(crate) fn remove_all_lsps(&mut self) {
        let held: Vec<Label> =
            self.lfib.lsps.iter().filter(|(_, lsp)| lsp.fib.is_some()).map(|(label, _)| *label).collect();
        for label in held {
            self.lfib.push(label, RouteProtocol::Static, None);
        }
        self.sweep_adopted_lsps(None);
    }
}
