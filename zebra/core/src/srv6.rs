//! Segment routing over IPv6: locators, and segment identifiers that an operator gives (`static-sids`). In: the configuration and
//! the links that are there. Out: static routes that are identifiers of this router (RFC 8986, RFC 9800), and why one is none.

use std::collections::BTreeMap;

use ferrite_types::{
    Ipv6Prefix, Nexthop, NexthopKind, Prefix, Seg6, Seg6Action, Seg6Local, SidStructure, VrfId,
};

use crate::instance::Zebra;
use crate::settings::DEFAULT_VRF_NAME;

/// `segment-routing`, `srv6`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Srv6Settings {
    pub locators: BTreeMap<String, Locator>,
    pub sids: BTreeMap<Ipv6Prefix, StaticSid>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Locator {
    pub prefix: Option<LocatorPrefix>,
    /// `behavior usid`: several segments stand in one address.
    pub usid: bool,
    pub format: Option<SidFormat>,
}

/// A locator's prefix and bits of the parts that its identifiers have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LocatorPrefix {
    pub prefix: Ipv6Prefix,
    pub block: u8,
    pub node: u8,
    pub function: u8,
}

/// FRR's formats of identifiers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SidFormat {
    UsidF3216,
    UncompressedF4024,
}

impl SidFormat {
    pub const ALL: [Self; 2] = [Self::UsidF3216, Self::UncompressedF4024];

    pub fn word(self) -> &'static str {
        match self {
            Self::UsidF3216 => "usid-f3216",
            Self::UncompressedF4024 => "uncompressed-f4024",
        }
    }

    pub fn structure(self) -> SidStructure {
        let (block, node) = match self {
            Self::UsidF3216 => (32, 16),
            Self::UncompressedF4024 => (40, 24),
        };
        SidStructure { block, node, function: 16, argument: 0 }
    }
}

impl Locator {
    /// A format says it before the prefix does.
    pub fn structure(&self) -> SidStructure {
        match (self.format, self.prefix) {
            (Some(format), _) => format.structure(),
            (None, Some(LocatorPrefix { block, node, function, .. })) => {
                SidStructure { block, node, function, argument: 0 }
            }
            (None, None) => SidStructure::default(),
        }
    }

    pub fn is_usid(&self) -> bool {
        self.usid || self.format == Some(SidFormat::UsidF3216)
    }
}

/// `sid P locator NAME behavior B [vrf V]`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StaticSid {
    pub locator: String,
    pub behavior: Behavior,
    /// Of what is unpacked only; the default one has its name.
    pub vrf: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Behavior {
    Un,
    Udt6,
    Udt4,
    Udt46,
}

impl Behavior {
    pub const ALL: [Self; 4] = [Self::Un, Self::Udt6, Self::Udt4, Self::Udt46];

    pub fn word(self) -> &'static str {
        match self {
            Self::Un => "uN",
            Self::Udt6 => "uDT6",
            Self::Udt4 => "uDT4",
            Self::Udt46 => "uDT46",
        }
    }
}

/// The device that FRR has packets come back by.
const DEVICE: &str = "sr0";
const LOOPBACK: &str = "lo";

impl Zebra {
    /// The routes that static identifiers are now.
    pub(crate) fn sid_routes(&self) -> impl Iterator<Item = (Prefix, Nexthop)> {
        let sids = self.settings.srv6.sids.iter();
        sids.filter_map(|(prefix, sid)| Some((Prefix::V6(*prefix), self.sid_nexthop(*prefix, sid).ok()?)))
    }

    /// What an identifier does, or why it is none.
    pub(crate) fn sid_nexthop(&self, prefix: Ipv6Prefix, sid: &StaticSid) -> Result<Nexthop, &'static str> {
        let locator = self.settings.srv6.locators.get(&sid.locator).ok_or("no such locator")?;
        let within = locator.prefix.ok_or("the locator has no prefix")?.prefix;
        if !locator.is_usid() {
            return Err("the locator is not of uSIDs");
        }
        if !within.covers(prefix) {
            return Err("not of the locator's prefix");
        }
        let (action, device, structure) = self.sid_action(prefix, within, sid, locator.structure())?;
        let named = self.interfaces.by_name_in(device, VrfId::DEFAULT);
        let link = named.ok_or(if device == DEVICE { "no interface sr0" } else { "no such interface" })?;
        let mut nexthop = Nexthop::new(NexthopKind::Interface(link.info.interface.ifindex));
        nexthop.vrf = link.info.interface.vrf;
        nexthop.seg6 = Some(Box::new(Seg6::Local(Seg6Local { action, structure })));
        Ok(nexthop)
    }

    fn sid_action<'s>(
        &self,
        prefix: Ipv6Prefix,
        within: Ipv6Prefix,
        sid: &'s StaticSid,
        structure: SidStructure,
    ) -> Result<(Seg6Action, &'s str, SidStructure), &'static str> {
        if sid.behavior == Behavior::Un {
            let node = SidStructure { function: 0, ..structure };
            let whole = prefix == within;
            return whole
                .then_some((Seg6Action::End { shift: true }, DEVICE, node))
                .ok_or("uN is the locator's prefix");
        }
        if prefix == within {
            return Err("no function behind the locator's prefix");
        }
        let vrf = self.interfaces.vrf_by_name(&sid.vrf).ok_or("no such VRF")?;
        if self.options.netns && vrf != VrfId::DEFAULT {
            return Err("the VRF is another namespace");
        }
        let table = self.interfaces.table_of(vrf).ok_or("no such VRF")?;
        let action = match sid.behavior {
            Behavior::Udt4 => Seg6Action::Dt4(table),
            Behavior::Udt46 => Seg6Action::Dt46(table),
            Behavior::Udt6 | Behavior::Un => Seg6Action::Dt6(table),
        };
        let device = if sid.vrf == DEFAULT_VRF_NAME { LOOPBACK } else { &sid.vrf };
        Ok((action, device, structure))
    }
}
