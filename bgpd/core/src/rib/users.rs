//! Which entries name a set of attributes, kept while policy asks the RPKI about paths: who changes its providers concerns the
//! paths it is in, and those are told by their sets.
//!
//! A table knows the set of a path and not the paths of a set. With this index beside it a change of one authorisation looks
//! at each set once and at the entries of those that name the AS. It costs some 12 octets for each set of an entry and an
//! insertion for each new path; a speaker that hears no authorisations has none. It is filled a slice at a time, and until it
//! is complete the table is walked.

use std::collections::BTreeSet;

use super::attrs::AttrId;
use super::table::Handle;

/// See the module.
#[derive(Debug, Default)]
pub enum Users {
    /// Nobody needs it.
    #[default]
    None,
    /// What came since the job began, and what the job has reached.
    Filling(BTreeSet<(AttrId, Handle)>),
    Complete(BTreeSet<(AttrId, Handle)>),
}

impl Users {
    pub fn is_wanted(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// Begins to be kept; the table's paths must be put in, and then [`Self::complete`] called.
    pub fn begin(&mut self) {
        if !self.is_wanted() {
            *self = Self::Filling(BTreeSet::new());
        }
    }

    pub fn complete(&mut self) {
        if let Self::Filling(users) = self {
            *self = Self::Complete(std::mem::take(users));
        }
    }

    #[inline]
    pub fn insert(&mut self, attrs: AttrId, handle: Handle) {
        if let Self::Filling(users) | Self::Complete(users) = self {
            users.insert((attrs, handle));
        }
    }

    /// No path of the entry names the set any more.
    pub fn remove(&mut self, attrs: AttrId, handle: Handle) {
        if let Self::Filling(users) | Self::Complete(users) = self {
            users.remove(&(attrs, handle));
        }
    }

    /// The entries with a path of this set; `None` while that is not known.
    pub fn of(&self, attrs: AttrId) -> Option<impl Iterator<Item = Handle>> {
        let Self::Complete(users) = self else { return None };
        let range = (attrs, Handle(0))..=(attrs, Handle(u32::MAX));
        Some(users.range(range).map(|(_, handle)| *handle))
    }

    /// Octets, about: nodes of a B-tree are two thirds full.
    pub fn octets(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Filling(users) | Self::Complete(users) => {
                users.len() * size_of::<(AttrId, Handle)>() * 3 / 2
            }
        }
    }
}
