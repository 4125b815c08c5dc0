//! Several paths per prefix towards and from a neighbour (RFC 7911): which ones it is told, whether it may tell us of
//! several, and how many we want of it (draft-abraitis-idr-addpath-paths-limit).

use std::fmt;

use ferrite_cli::CliError;

use super::peer::{No, PeerLines, PeerRow};
use super::peer_family::PeerFamily;
use super::router::RouterBgp;

/// `neighbor X addpath-tx-…`: which paths the neighbour is told.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AddPathTx {
    All,
    /// The best of each neighbouring AS; MEDs are compared as with `bgp deterministic-med`.
    BestPerAs,
    /// That many, most preferred first.
    Best(u16),
}

impl fmt::Display for AddPathTx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("addpath-tx-all-paths"),
            Self::BestPerAs => f.write_str("addpath-tx-bestpath-per-AS"),
            Self::Best(count) => write!(f, "addpath-tx-best-selected {count}"),
        }
    }
}

/// What a neighbour or group says about it; nothing, unless said.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct AddPath {
    pub tx: Option<AddPathTx>,
    /// We do not take several paths.
    pub disable_rx: bool,
    /// The most paths of a prefix that we want.
    pub rx_limit: Option<u16>,
}

impl AddPath {
    pub(super) fn or(self, group: Self) -> Self {
        Self {
            tx: self.tx.or(group.tx),
            disable_rx: self.disable_rx || group.disable_rx,
            rx_limit: self.rx_limit.or(group.rx_limit),
        }
    }
}

impl RouterBgp {
    /// Whether some neighbour is to be told the best path of each AS, which needs deterministic MEDs.
    pub fn uses_best_per_as(&self) -> bool {
        let neighbors = self.neighbors.values().map(|neighbor| &neighbor.settings);
        let groups = self.groups.values().map(|group| &group.settings);
        let uses = |part: &PeerFamily| part.add_path.tx == Some(AddPathTx::BestPerAs);
        neighbors.chain(groups).any(|settings| settings.families.iter().any(|(_, part)| uses(part)))
    }
}

const NONE: &str = "not currently configured to transmit";

pub(super) const TX_ALL: PeerRow<PeerFamily> = PeerRow {
    syntax: "addpath-tx-all-paths",
    help: &["Use addpath to advertise all paths to a neighbor"],
    no: No::Derived,
    set: |target, _| {
        target.own.add_path.tx = Some(AddPathTx::All);
        Ok(())
    },
    unset: |target, _| {
        if target.own.add_path.tx != Some(AddPathTx::All) {
            return Err(CliError::refused(format!("Peer {NONE} all paths.")));
        }
        target.own.add_path.tx = None;
        Ok(())
    },
    render,
    examples: &["addpath-tx-all-paths"],
};

pub(super) const TX_PER_AS: PeerRow<PeerFamily> = PeerRow {
    syntax: "addpath-tx-bestpath-per-AS",
    help: &["Use addpath to advertise the bestpath per each neighboring AS"],
    no: No::Derived,
    set: |target, _| {
        target.own.add_path.tx = Some(AddPathTx::BestPerAs);
        Ok(())
    },
    unset: |target, _| {
        if target.own.add_path.tx != Some(AddPathTx::BestPerAs) {
            return Err(CliError::refused(format!("Peer {NONE} all best path per as.")));
        }
        target.own.add_path.tx = None;
        Ok(())
    },
    render: nothing,
    examples: &["addpath-tx-bestpath-per-AS"],
};

pub(super) const TX_BEST: PeerRow<PeerFamily> = PeerRow {
    syntax: "addpath-tx-best-selected (1-6)$count",
    help: &["Use addpath to advertise best selected paths", "The number of best paths"],
    no: No::Derived,
    set: |target, args| {
        target.own.add_path.tx = Some(AddPathTx::Best(args.parse("count")?));
        Ok(())
    },
    unset: |target, _| {
        if matches!(target.own.add_path.tx, Some(AddPathTx::Best(_))) {
            target.own.add_path.tx = None;
        }
        Ok(())
    },
    render: nothing,
    examples: &["addpath-tx-best-selected 3"],
};

pub(super) const DISABLE_RX: PeerRow<PeerFamily> = PeerRow {
    syntax: "disable-addpath-rx",
    help: &["Do not accept additional paths"],
    no: No::Derived,
    set: |target, _| {
        target.own.add_path.disable_rx = true;
        Ok(())
    },
    unset: |target, _| {
        target.own.add_path.disable_rx = false;
        Ok(())
    },
    render: |settings, out| {
        if settings.add_path.disable_rx {
            out.yes("disable-addpath-rx");
        }
    },
    examples: &["disable-addpath-rx"],
};

pub(super) const RX_LIMIT: PeerRow<PeerFamily> = PeerRow {
    syntax: "addpath-rx-paths-limit (1-65535)$limit",
    help: &["Paths Limit for Addpath to receive from the peer", "Maximum number of paths"],
    no: No::Derived,
    set: |target, args| {
        target.own.add_path.rx_limit = Some(args.parse("limit")?);
        Ok(())
    },
    unset: |target, _| {
        target.own.add_path.rx_limit = None;
        Ok(())
    },
    render: |settings, out| out.value("addpath-rx-paths-limit", settings.add_path.rx_limit),
    examples: &["addpath-rx-paths-limit 5"],
};

fn render(settings: &PeerFamily, out: &mut PeerLines<'_>) {
    if let Some(tx) = settings.add_path.tx {
        out.yes(tx);
    }
}

/// Rendered with the other strategies.
fn nothing(_: &PeerFamily, _: &mut PeerLines<'_>) {}
