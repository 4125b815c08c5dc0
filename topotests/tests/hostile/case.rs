//! One row of a table: what is sent on which kind of session, and what must come of it.

use std::net::{Ipv4Addr, Ipv6Addr};

use topotests::Family;
use topotests::bgp::{Prefix, attrs};

use super::bystander::announcement;
use super::octets::{OT, OpenSpec, attr, capability, four_octet_as, nlri, reach, update};

pub const ROUTER_AS: u32 = 65000;
pub const HOSTILE_AS: u32 = 65100;
pub const ROUTER: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 1);
pub const HOP6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 2);

/// What kind of neighbour is hostile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    External,
    Internal,
    /// External, without the capability for AS numbers of four octets.
    TwoOctet,
    /// External, with extended messages.
    Extended,
    /// External, with graceful restart.
    Restarting,
}

/// What must come of it.
#[derive(Clone, Debug)]
pub enum Expect {
    /// NOTIFICATION with one of these; subcode 255 stands for any.
    Reset(&'static [(u8, u8)]),
    /// The connection ends without NOTIFICATION.
    Closed,
    /// The session lives, these routes of its are withdrawn and the others not.
    Withdrawn(Which),
    /// The session lives, the route of that family has been replaced, has none of the attributes `absent`, and has
    /// those of `present` (flags, code, value).
    Kept { family: Family, absent: Vec<u8>, present: Vec<(u8, u8, Vec<u8>)> },
    /// The session lives and its routes are as before.
    Ignored,
    /// The session lives. If the route is still there, it lacks the attribute that is named.
    Lives(Option<u8>),
    /// The rules leave it open; only others must not suffer.
    Open,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    V4,
    V6,
    Both,
}

impl Which {
    pub fn has(self, family: Family) -> bool {
        match self {
            Which::V4 => family == Family::V4,
            Which::V6 => family == Family::V6,
            Which::Both => true,
        }
    }
}

pub type Build = Box<dyn Fn(&Ctx) -> Vec<u8>>;

pub enum Act {
    /// Sent on an established session that has announced a good route of each family.
    Established(Build),
    /// Sent first of all on a new connection.
    Opening(Build),
}

pub struct Case {
    pub name: String,
    pub peer: Peer,
    pub act: Act,
    pub expect: Expect,
    /// Further configuration of this neighbour, `neighbor ADDRESS` in front: the address family's.
    pub settings: &'static [&'static str],
    /// The same of the session.
    pub session: &'static [&'static str],
    /// Further capabilities of an OPEN that is not the case itself.
    pub caps: Vec<Vec<u8>>,
    /// IPv4 routes are sent with path identifiers: `caps` says so.
    pub add_path: bool,
    /// About what only this suite does; FRR is not asked.
    pub ours_only: bool,
    /// The number of the neighbour's `prefixStats` that must be one afterwards.
    pub counted: Option<&'static str>,
}

impl Case {
    pub fn update(
        name: impl Into<String>,
        build: impl Fn(&Ctx) -> Vec<u8> + 'static,
        expect: Expect,
    ) -> Case {
        Case::new(name.into(), Act::Established(Box::new(build)), expect)
    }

    pub fn opening(
        name: impl Into<String>,
        build: impl Fn(&Ctx) -> Vec<u8> + 'static,
        expect: Expect,
    ) -> Case {
        Case::new(name.into(), Act::Opening(Box::new(build)), expect)
    }

    fn new(name: String, act: Act, expect: Expect) -> Case {
        Case {
            name,
            peer: Peer::External,
            act,
            expect,
            settings: &[],
            session: &[],
            caps: Vec::new(),
            add_path: false,
            ours_only: false,
            counted: None,
        }
    }

    pub fn from(mut self, peer: Peer) -> Case {
        self.peer = peer;
        self
    }

    pub fn counted(mut self, key: &'static str) -> Case {
        self.counted = Some(key);
        self
    }

    pub fn with(mut self, settings: &'static [&'static str]) -> Case {
        self.settings = settings;
        self
    }

    pub fn configured(mut self, session: &'static [&'static str]) -> Case {
        self.session = session;
        self
    }

    pub fn agreeing(mut self, caps: &[Vec<u8>]) -> Case {
        self.caps = caps.to_vec();
        self
    }

    /// IPv4 routes carry path identifiers from the neighbour to the router.
    pub fn with_path_ids(mut self) -> Case {
        self.caps.push(capability(69, &[0, 1, 1, 2]));
        self.add_path = true;
        self
    }

    pub fn for_ours(mut self) -> Case {
        self.ours_only = true;
        self
    }
}

/// All that the tables hold.
pub fn every() -> Vec<Case> {
    let mut cases = super::attribute_cases::all();
    cases.extend(super::session_cases::all());
    cases.extend(super::update_cases::all());
    cases.extend(super::capability_cases::all());
    cases.extend(super::feature_cases::all());
    cases.extend(super::family_cases::all());
    cases
}

pub fn kept() -> Expect {
    Expect::Kept { family: Family::V4, absent: Vec::new(), present: Vec::new() }
}

pub fn kept_without(code: u8) -> Expect {
    Expect::Kept { family: Family::V4, absent: vec![code], present: Vec::new() }
}

pub fn kept_with(flags: u8, code: u8, value: &[u8]) -> Expect {
    Expect::Kept { family: Family::V4, absent: Vec::new(), present: vec![(flags, code, value.to_vec())] }
}

pub const WITHDRAWN: Expect = Expect::Withdrawn(Which::V4);

/// What is particular to one case: addresses, prefixes, the mark of its hostile route.
#[derive(Clone, Debug)]
pub struct Ctx {
    pub peer: Peer,
    pub local: Ipv4Addr,
    pub v4: Prefix,
    pub v6: Prefix,
    /// Announced last to learn that all before it has been dealt with.
    pub fence: Prefix,
    pub mark: [u8; 4],
    pub caps: Vec<Vec<u8>>,
    pub add_path: bool,
}

impl Ctx {
    /// That of a case.
    pub fn of(index: usize, case: &Case) -> Ctx {
        Ctx { caps: case.caps.clone(), add_path: case.add_path, ..Ctx::new(index, case.peer) }
    }

    pub fn new(index: usize, peer: Peer) -> Ctx {
        let n = index as u32;
        let v4 = |base: u32| Prefix { family: Family::V4, bits: u128::from(base | n << 8) << 96, len: 24 };
        let v6 = Prefix { family: Family::V6, bits: (0x2a00_u128 << 112) | u128::from(n) << 80, len: 48 };
        let [.., hi, lo] = n.to_be_bytes();
        Ctx {
            peer,
            local: Ipv4Addr::from(0x0a01_0800 + n + 1),
            v4: v4(0x1400_0000),
            v6,
            fence: v4(0x1500_0000),
            mark: [0xfe, 0x4c, hi, lo],
            caps: Vec::new(),
            add_path: false,
        }
    }

    pub fn asn(&self) -> u32 {
        if self.peer == Peer::Internal { ROUTER_AS } else { HOSTILE_AS }
    }

    pub fn open(&self) -> OpenSpec {
        let (asn, id) = (self.asn(), self.local);
        let mut caps = match self.peer {
            Peer::External | Peer::Internal => vec![four_octet_as(asn)],
            Peer::TwoOctet => Vec::new(),
            Peer::Extended => vec![four_octet_as(asn), capability(6, &[])],
            Peer::Restarting => vec![four_octet_as(asn), capability(64, &[0, 120, 0, 1, 1, 0])],
        };
        caps.extend(self.caps.iter().cloned());
        OpenSpec::with(asn, id, &caps)
    }

    /// Announces a route as it should be, without a mark.
    pub fn good(&self, prefix: Prefix) -> Vec<u8> {
        if prefix.family == Family::V4 && self.add_path {
            let attributes = self.all_but(&[attrs::COMMUNITIES]);
            return update(&[], &attributes, &self.nlri(prefix));
        }
        announcement(&self.path(), prefix, self.local, &HOP6.octets(), None)
    }

    /// A prefix of IPv4 as this session has it.
    pub fn nlri(&self, prefix: Prefix) -> Vec<u8> {
        let id: &[u8] = if self.add_path { &[0, 0, 0, 1] } else { &[] };
        [id, &nlri(&[prefix])].concat()
    }

    /// AS_PATH as this kind of session has it.
    pub fn path_value(&self) -> Vec<u8> {
        match self.peer {
            Peer::Internal => Vec::new(),
            Peer::TwoOctet => [&[2, 1][..], &(HOSTILE_AS as u16).to_be_bytes()].concat(),
            _ => attrs::sequence(&[HOSTILE_AS]),
        }
    }

    /// ORIGIN and AS_PATH, with LOCAL_PREF where it belongs.
    pub fn path(&self) -> Vec<u8> {
        self.all_but(&[attrs::NEXT_HOP, attrs::COMMUNITIES])
    }

    /// The attributes of a good, marked route, but some.
    pub fn all_but(&self, left_out: &[u8]) -> Vec<u8> {
        let mut list = vec![
            (attrs::ORIGIN, attr(0x40, attrs::ORIGIN, &[0])),
            (attrs::AS_PATH, attr(0x40, attrs::AS_PATH, &self.path_value())),
            (attrs::NEXT_HOP, attr(0x40, attrs::NEXT_HOP, &self.local.octets())),
        ];
        if self.peer == Peer::Internal {
            list.push((attrs::LOCAL_PREF, attr(0x40, attrs::LOCAL_PREF, &[0, 0, 0, 100])));
        }
        list.push((attrs::COMMUNITIES, attr(OT, attrs::COMMUNITIES, &self.mark)));
        list.into_iter().filter(|(code, _)| !left_out.contains(code)).flat_map(|(_, octets)| octets).collect()
    }

    /// Announces the IPv4 route anew, marked, with `octets` in the place of attribute `code`.
    pub fn with(&self, code: u8, octets: &[u8]) -> Vec<u8> {
        self.announce(&[&self.all_but(&[code])[..], octets].concat())
    }

    /// Announces the IPv4 route with exactly these attributes.
    pub fn announce(&self, attributes: &[u8]) -> Vec<u8> {
        update(&[], attributes, &self.nlri(self.v4))
    }

    /// Announces the IPv6 route with this as the value of MP_REACH_NLRI.
    pub fn with_reach(&self, value: &[u8]) -> Vec<u8> {
        let rest = self.all_but(&[attrs::NEXT_HOP]);
        update(&[], &[attr(0x80, attrs::MP_REACH, value), rest].concat(), &[])
    }

    /// Announces the IPv6 route with this next hop.
    pub fn with_hop6(&self, hop: &[u8]) -> Vec<u8> {
        self.with_reach(&reach(Family::V6, hop.len() as u8, hop, &nlri(&[self.v6])))
    }
}
