//! What the version of OSPF decides besides octets: addressing, which LSAs describe what we have, and how a calculation reads
//! the LSAs of others.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use bytes::BytesMut;
use ferrite_ospf_packet::{AreaId, Codec, LsId, LsType, LsaKey, Options};
use ferrite_types::Prefix;
use ferrite_types::ids::RouterId;

use crate::event::IfId;
use crate::instance::Instance;
use crate::interface::Interface;
use crate::lsdb::Lsdb;
use crate::neighbor::{Neighbor, NeighborKey};

/// Metric of what cannot be reached (LSInfinity, §B).
pub const INFINITY: u32 = 0xff_ffff;

/// LSAs that ought to be in a database in our name: options and body.
pub type Wanted = BTreeMap<LsaKey, (Options, BytesMut)>;

/// A vertex of an area's graph (§16.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Vertex {
    Router(RouterId),
    /// A transit network: in OSPFv2 the address of its designated router, in OSPFv3 that router and its interface ID.
    Network(RouterId, u32),
}

/// An arc before both ends have been checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reach {
    pub to: Vertex,
    pub cost: u32,
    /// By what the router that announces the link knows it: its address or interface ID on it.
    pub link: u32,
}

/// A network or a router that a summary is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Target {
    Network(Prefix),
    Router(RouterId),
}

/// A summary-LSA or inter-area LSA as the calculation reads it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Summary {
    pub target: Target,
    pub metric: u32,
}

/// An AS-external-LSA or NSSA-LSA as the calculation reads it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ExternalRoute {
    pub prefix: Prefix,
    pub metric: u32,
    pub type2: bool,
    pub forwarding: Option<IpAddr>,
    pub tag: u32,
    /// An NSSA's border router may translate it.
    pub propagate: bool,
}

/// What a router says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RouterBits {
    pub border: bool,
    pub boundary: bool,
    /// Endpoint of a virtual link through this area.
    pub virtual_end: bool,
    /// Translates NSSA-LSAs unconditionally.
    pub translator: bool,
    /// A border router that takes its area as a shortcut.
    pub shortcut: bool,
    /// It has virtual links in the area, which is the backbone.
    pub virtual_links: bool,
}

/// Link State IDs for what has no natural one, kept while it is announced.
#[derive(Debug)]
pub struct IdPool<K> {
    by_key: BTreeMap<K, u32>,
    used: std::collections::BTreeSet<u32>,
    next: u32,
}

impl<K> Default for IdPool<K> {
    fn default() -> Self {
        Self { by_key: BTreeMap::new(), used: Default::default(), next: 0 }
    }
}

impl<K: Ord + Copy> IdPool<K> {
    pub fn id(&mut self, key: K) -> u32 {
        if let Some(id) = self.by_key.get(&key) {
            return *id;
        }
        loop {
            self.next = self.next.wrapping_add(1);
            if self.next != 0 && self.used.insert(self.next) {
                self.by_key.insert(key, self.next);
                return self.next;
            }
        }
    }

    /// The ID that a key has, or else the first of these that nobody has.
    pub fn claim(&mut self, key: K, candidates: [u32; 2]) -> Option<u32> {
        if let Some(id) = self.by_key.get(&key) {
            return Some(*id);
        }
        let id = candidates.into_iter().find(|id| self.used.insert(*id))?;
        self.by_key.insert(key, id);
        Some(id)
    }

    /// Frees what is announced no longer.
    pub fn retain(&mut self, mut keep: impl FnMut(&K) -> bool) {
        let used = &mut self.used;
        self.by_key.retain(|key, id| {
            let stays = keep(key);
            if !stays {
                used.remove(id);
            }
            stays
        });
    }
}

/// OSPFv2 or OSPFv3.
pub trait Version: Codec {
    const ROUTER: LsType;
    const NETWORK: LsType;
    const SUMMARY_NETWORK: LsType;
    const SUMMARY_ROUTER: LsType;
    const EXTERNAL: LsType;
    const NSSA: LsType;
    const ALL_SPF_ROUTERS: IpAddr;
    const ALL_D_ROUTERS: IpAddr;
    /// The default route of the family that is routed.
    const DEFAULT_ROUTE: Prefix;
    /// The backbone can be led through other areas.
    const VIRTUAL_LINKS: bool = true;

    /// By what a neighbour is known on an interface.
    fn neighbor_key(interface: &Interface, router: RouterId, source: IpAddr) -> NeighborKey;
    /// What names a router in the fields of designated routers.
    fn designated_name(router: RouterId, address: IpAddr) -> Ipv4Addr;
    /// The field of a Hello that says where we are: network mask or interface ID.
    fn hello_link(interface: &Interface) -> u32;
    /// Whether a Hello's field of that kind fits the interface (§10.5).
    fn hello_link_fits(interface: &Interface, link: u32) -> bool;
    /// Whether a source can be a neighbour's on this interface.
    fn source_fits(interface: &Interface, source: IpAddr) -> bool;
    /// Options of Hellos and descriptions besides those that say the kind of area.
    fn base_options() -> Options;
    /// Whether Hellos with these options are of routers that route the same family (RFC 5838 §2.4).
    fn family_fits(_: Options) -> bool {
        true
    }
    /// Where packets go that are to take a neighbour's way: what its Hellos come from, if that is of the family.
    fn next_hop(_: &Interface, neighbor: &Neighbor) -> Option<IpAddr> {
        Some(neighbor.address)
    }
    /// Whether next hops may be others when an LSA of a link changes.
    fn tells_next_hops(_: LsType) -> bool {
        false
    }
    /// Whether a neighbour takes LSAs of a type.
    fn takes(ty: LsType, options: Options) -> bool;
    /// Whether LSAs of a type say something about paths, as opposed to opaque ones and those of a link (RFC 3623 §2).
    fn is_topology(ty: LsType) -> bool;
    /// Whether it is a Grace-LSA (RFC 3623 §A, RFC 5187 §2).
    fn is_grace(key: &LsaKey) -> bool;
    fn grace_key(interface: &Interface, router: RouterId) -> LsaKey;
    /// An LSA is ours although another router is named in it (§13.4).
    fn is_ours(instance: &Instance<Self>, key: &LsaKey) -> bool;

    /// Link scope: what we announce on an interface.
    fn link_lsas(instance: &Instance<Self>, interface: IfId, wanted: &mut Wanted);
    /// Area scope: router, networks we are designated for, and their prefixes.
    fn area_lsas(instance: &Instance<Self>, area: AreaId, wanted: &mut Wanted);
    /// AS scope, besides external routes.
    fn as_lsas(instance: &Instance<Self>, wanted: &mut Wanted);
    /// A summary for an area; the Link State ID is taken from the names used so far.
    fn summary(
        ids: &mut IdPool<Target>,
        used: &Wanted,
        router: RouterId,
        summary: Summary,
    ) -> Option<(LsaKey, BytesMut)>;
    /// An external route, type 5 or 7.
    fn external(
        ids: &mut IdPool<Prefix>,
        used: &Wanted,
        router: RouterId,
        ty: LsType,
        route: &ExternalRoute,
    ) -> Option<(LsaKey, BytesMut)>;

    /// The vertex whose links an LSA of the area tells; none for other LSAs.
    fn vertex_of(key: &LsaKey) -> Option<Vertex>;
    /// Links of a vertex as its LSAs tell them.
    fn links_of(lsdb: &Lsdb, vertex: Vertex, now: ferrite_types::Timestamp) -> Vec<Reach>;
    /// Whether paths may lead through a router.
    fn is_transit(lsdb: &Lsdb, router: RouterId) -> bool;
    fn router_bits(lsdb: &Lsdb, router: RouterId) -> Option<RouterBits>;
    /// Prefixes that an LSA tells of, with the vertex they hang on and the cost from there.
    fn prefixes_of(key: &LsaKey, body: &[u8]) -> Vec<(Vertex, Prefix, u32)>;
    /// A router's address on a network with designated routers, as its LSAs tell it (§16.1.1).
    fn address_on(lsdb: &Lsdb, interface: &Interface, router: RouterId) -> Option<IpAddr>;
    /// The interface that one of our own links names.
    fn own_link(instance: &Instance<Self>, area: AreaId, link: u32) -> Option<IfId>;
    fn read_summary(key: &LsaKey, body: &[u8]) -> Option<Summary>;
    fn read_external(key: &LsaKey, options: Options, body: &[u8]) -> Option<ExternalRoute>;
    /// An address of a router in an area that packets over a virtual link can be sent to.
    fn router_address(lsdb: &Lsdb, router: RouterId, to: RouterId) -> Option<IpAddr>;
}

/// A Link State ID that other LSAs do not use yet.
pub(crate) fn is_free(used: &Wanted, ty: LsType, id: LsId, adv: RouterId) -> bool {
    !used.contains_key(&LsaKey { ty, id, adv })
}

/// The network of an address.
pub(crate) fn prefix_of(address: IpAddr, len: u8) -> Option<Prefix> {
    match address {
        IpAddr::V4(address) => ferrite_types::Ipv4Prefix::new(address, len).map(Prefix::V4),
        IpAddr::V6(address) => ferrite_types::Ipv6Prefix::new(address, len).map(Prefix::V6),
    }
}
