//! Neighbours and peer groups: what both hold, and the table rows of the commands that edit them.
//!
//! A member of a group has what it does not set itself from the group. A member's `no neighbor X …` gives a setting back
//! to the group; it cannot switch off what the group switches on, except where FRR has it so (`activate`,
//! `send-community`, `capability fqdn`, `enforce-first-as`). What a member sets to the very value of its group is not
//! kept apart where FRR does not ([`Part::normalise`]).

use bgp_packet::{Family, PerFamily};
use ferrite_cli::{Args, CliError, Lines};
use ferrite_types::Asn;

use super::name::NeighborName;
use super::peer_family::PeerFamily;
use super::router::RouterBgp;
use super::session::SessionSettings;
use super::types::{GroupName, RemoteAs, SessionKind};

/// What a neighbour and a peer group have in common.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PeerSettings {
    /// `None`: a group without one, or a member that has it from its group.
    pub remote_as: Option<RemoteAs>,
    pub session: SessionSettings,
    pub families: PerFamily<PeerFamily>,
}

/// A neighbour, by its name in [`super::RouterBgp::neighbors`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Neighbor {
    pub group: Option<GroupName>,
    pub settings: PeerSettings,
}

/// A peer group, by its name in [`super::RouterBgp::groups`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PeerGroup {
    pub settings: PeerSettings,
}

/// What stands between `neighbor` and the setting: an address, an interface, or else a group's name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum PeerKey {
    Neighbor(NeighborName),
    Group(GroupName),
}

impl PeerKey {
    /// A word is an interface's name where a neighbour has been made of it, else a group's.
    pub fn read(router: &RouterBgp, text: &str) -> Self {
        match NeighborName::read(text) {
            name @ NeighborName::Interface(_) if !router.neighbors.contains_key(&name) => {
                Self::Group(GroupName::new(text))
            }
            name => Self::Neighbor(name),
        }
    }
}

/// A part of a peer's settings that commands edit and members inherit.
pub(super) trait Part: Clone + PartialEq + 'static {
    fn of(settings: &PeerSettings, family: Family) -> Option<&Self>;
    fn of_mut(settings: &mut PeerSettings, family: Family) -> Option<&mut Self>;
    /// Forgets what says no more than would hold without it.
    fn normalise(&mut self, group: Option<&Self>);
    /// Why the part cannot stand beside the group's, if so.
    fn conflict(&self, group: Option<&Self>) -> Option<&'static str>;
    /// Drops what makes no sense in a session of this kind; called when the kind may have changed.
    fn settle(&mut self, kind: Option<SessionKind>);
    /// What a change of the group (`self`, until now `before`) does to its members at once.
    fn spread(&self, before: &Self, member: &mut Self) {
        let _ = (before, member);
    }
}

/// What a command of a neighbour or group is given to edit.
pub(super) struct Target<'a, T> {
    pub own: &'a mut T,
    /// The same part of the group that the neighbour is a member of.
    pub group: Option<&'a T>,
    /// As far as the configuration tells.
    pub kind: Option<SessionKind>,
    pub router_asn: Asn,
    /// Of a neighbour that is known by its interface.
    pub interface: Option<&'a str>,
}

/// How a row is undone.
#[derive(Clone, Copy)]
pub(super) enum No {
    /// `no`, then the command; values at its end may be left out.
    Derived,
    /// A grammar of its own, without `no neighbor X`, and its help.
    Syntax(&'static str, &'static [&'static str]),
}

/// A command under `neighbor X`.
pub(super) struct PeerRow<T: 'static> {
    pub syntax: &'static str,
    pub help: &'static [&'static str],
    pub no: No,
    pub set: fn(&mut Target<'_, T>, &Args) -> Result<(), CliError>,
    pub unset: fn(&mut Target<'_, T>, &Args) -> Result<(), CliError>,
    pub render: fn(&T, &mut PeerLines<'_>),
    /// What renders to itself, without `neighbor X` (or `no neighbor X`, where it begins with `no`).
    pub examples: &'static [&'static str],
}

/// Collects the lines of one neighbour or group.
pub(super) struct PeerLines<'a> {
    pub lines: &'a mut Lines,
    pub name: &'a str,
    /// A neighbour that is in a group.
    pub member: bool,
    /// Whether the family is active where nothing is said.
    pub active_by_default: bool,
}

impl PeerLines<'_> {
    pub fn yes(&mut self, text: impl std::fmt::Display) {
        self.lines.line(format!("neighbor {} {text}", self.name));
    }

    pub fn no(&mut self, text: impl std::fmt::Display) {
        self.lines.line(format!("no neighbor {} {text}", self.name));
    }

    /// `text` or its `no`, where the setting was given.
    pub fn either(&mut self, value: Option<bool>, text: &str) {
        match value {
            Some(true) => self.yes(text),
            Some(false) => self.no(text),
            None => {}
        }
    }

    /// The name of the setting and its value, where there is one.
    pub fn value(&mut self, name: &str, value: Option<impl std::fmt::Display>) {
        if let Some(value) = value {
            self.yes(format!("{name} {value}"));
        }
    }
}

/// A row for a setting that is either there or not.
macro_rules! flag {
    ($field:ident, $syntax:literal, $help:expr) => {
        PeerRow {
            syntax: $syntax,
            help: $help,
            no: No::Derived,
            set: |target, _| {
                target.own.$field = true;
                Ok(())
            },
            unset: |target, _| {
                target.own.$field = false;
                Ok(())
            },
            render: |settings, out| {
                if settings.$field {
                    out.yes($syntax);
                }
            },
            examples: &[$syntax],
        }
    };
}
pub(super) use flag;

/// A row for a setting with one number, named `$value` in the grammar.
macro_rules! number {
    ($field:ident, $name:literal, $range:literal, $help:expr, $example:literal) => {
        PeerRow {
            syntax: concat!($name, " ", $range, "$value"),
            help: $help,
            no: No::Derived,
            set: |target, args| {
                target.own.$field = Some(args.parse("value")?);
                Ok(())
            },
            unset: |target, _| {
                target.own.$field = None;
                Ok(())
            },
            render: |settings, out| out.value($name, settings.$field),
            examples: &[concat!($name, " ", $example)],
        }
    };
}
pub(super) use number;
