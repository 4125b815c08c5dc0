//! What shows print: for each a struct that is gathered from a process, and of it FRR's text (`Display`) and FRR's JSON (serde).
//! Widths, words and keys are FRR 10.3's.

mod backoff;
pub mod help;
pub mod limit;
pub mod text;
pub mod v2;
pub mod v3;

use std::fmt::Display;

pub use ferrite_cli::json::pretty;
use ferrite_ospf::config::AreaKind;
use ferrite_ospf::interface::Interface;
use ferrite_ospf::{IfId, Version};
use ferrite_ospf_packet::AreaId;
use ferrite_types::Timestamp;
use serde::Serialize;

use crate::process::{KernelLink, Process};
use crate::settings::{RouterSettings, Settings};

/// The VRF that has no name in the configuration.
pub const DEFAULT_VRF: &str = "default";

/// Whose processes a command asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope<'a> {
    /// The default VRF's, or of `(1-65535)`.
    Instance(u16),
    Vrf(&'a str),
    /// `vrf all`: each under its name.
    All,
}

impl<'a> Scope<'a> {
    pub fn of(args: &'a ferrite_cli::Args) -> Self {
        match (args.get("vrf_name"), args.get("instance")) {
            (Some("all"), _) => Self::All,
            (Some(DEFAULT_VRF), _) => Self::Instance(0),
            (Some(name), _) => Self::Vrf(name),
            (None, number) => Self::Instance(number.and_then(|number| number.parse().ok()).unwrap_or(0)),
        }
    }

    pub fn holds<V: Version>(self, process: &Process<V>) -> bool {
        match self {
            Self::Instance(number) => process.name.vrf.is_none() && process.name.instance == number,
            Self::Vrf(name) => process.name.vrf.as_deref() == Some(name),
            Self::All => true,
        }
    }

    pub fn vrf(self) -> &'a str {
        match self {
            Self::Vrf(name) => name,
            _ => DEFAULT_VRF,
        }
    }
}

pub fn vrf_name<V: Version>(process: &Process<V>) -> &str {
    process.name.vrf.as_deref().unwrap_or(DEFAULT_VRF)
}

/// What a show of a process is given.
pub struct At<'a, V: Version> {
    pub process: &'a Process<V>,
    pub settings: &'a Settings,
    /// The process's block.
    pub router: &'a RouterSettings,
    pub now: Timestamp,
}

// Derived they would ask for versions that can be copied.
#[expect(clippy::expl_impl_clone_on_copy)]
impl<V: Version> Clone for At<'_, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V: Version> Copy for At<'_, V> {}

/// An interface of the core with its name.
pub struct Named<'a> {
    pub name: String,
    pub id: IfId,
    pub core: &'a Interface,
    /// None for virtual links.
    pub link: Option<&'a KernelLink>,
}

impl<'a, V: Version> At<'a, V> {
    /// All interfaces in the order of their names.
    pub fn interfaces(self) -> Vec<Named<'a>> {
        let process = self.process;
        let all = process.core.interfaces().iter().map(|(id, core)| Named {
            name: self.name_of(*id),
            id: *id,
            core,
            link: process.links.get(id),
        });
        let mut all: Vec<Named<'_>> = all.collect();
        all.sort_by(|a, b| natural(&a.name).cmp(&natural(&b.name)).then(a.id.cmp(&b.id)));
        all
    }

    /// Of those the one that was named, or all of them.
    pub fn interfaces_named(self, name: Option<&str>) -> Vec<Named<'a>> {
        let mut all = self.interfaces();
        all.retain(|interface| name.is_none_or(|name| name == interface.name));
        all
    }

    /// The kernel's name; a virtual link's as FRR names it.
    pub fn name_of(self, id: IfId) -> String {
        match self.process.links.get(&id) {
            Some(link) => link.interface.name.clone(),
            None => format!("VLINK{}", id.0 & 0x7fff_ffff),
        }
    }

    pub fn area_kind(self, area: AreaId) -> AreaKind {
        self.process.core.config().area(area).kind
    }
}

/// `eth2` before `eth10`: the letters, then the number at the end.
pub(crate) fn natural(name: &str) -> (&str, u64, &str) {
    let letters = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = name.get(letters.len()..).unwrap_or_default();
    (letters, digits.parse().unwrap_or(0), name)
}

/// A view under the name of its VRF.
#[derive(Serialize)]
pub struct OfVrf<T> {
    #[serde(rename = "vrfName")]
    pub name: String,
    #[serde(rename = "vrfId")]
    pub id: u32,
    #[serde(flatten)]
    pub view: T,
}

/// One of the two renderings.
pub fn render(view: &(impl Serialize + Display), json: bool) -> String {
    if json { pretty(view) } else { view.to_string() }
}

/// JSON without line breaks, as FRR prints its larger tables.
pub fn compact(view: &impl Serialize) -> String {
    let mut text = serde_json::to_string(view).unwrap_or_else(|_| "{}".to_owned());
    text.push('\n');
    text
}

pub(crate) fn is_false(value: &bool) -> bool {
    !value
}
