//! What the version of OSPF decides about octets.

use std::fmt::Debug;
use std::hash::Hash;
use std::net::IpAddr;

use bytes::{Bytes, BytesMut};
use ferrite_types::ids::RouterId;
use ferrite_wire::Reader;

use crate::auth::{Accept, AuthField, Sign};
use crate::{AreaId, Body, DatabaseDescription, Hello, Kind, LsType, Options, Refusal};

/// How far an LSA is flooded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Scope {
    Link,
    Area,
    As,
}

/// Who a packet is from and to; OSPFv3's checksum and digests cover them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Endpoints {
    pub source: IpAddr,
    pub destination: IpAddr,
}

/// A packet whose header fits; nothing about its authenticity is known yet.
#[derive(Clone, Debug)]
pub struct Frame {
    pub kind: Kind,
    pub router: RouterId,
    pub area: AreaId,
    /// Instance ID; 0 in OSPFv2.
    pub instance: u8,
    pub checksum: u16,
    pub auth: AuthField,
    /// Header and body.
    pub packet: Bytes,
    pub body: Bytes,
    /// What follows the length that the header states: digests, link-local signalling.
    pub trailer: Bytes,
}

/// What goes into a header that is sent.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    pub router: RouterId,
    pub area: AreaId,
    pub instance: u8,
}

/// A version's way with octets.
pub trait Codec: Copy + Default + Debug + PartialEq + Eq + Hash + Send + 'static {
    const VERSION: u8;
    /// Octets of the packet header.
    const HEADER: usize;
    /// Octets of a Database Description before its LSA headers.
    const DESCRIPTION: usize;

    /// Cuts a packet into header, body and what follows.
    fn frame(octets: &Bytes) -> Result<Frame, Refusal>;
    /// Checksum and authentication of a frame; the cryptographic sequence number of one that is signed.
    fn verify(frame: &Frame, accept: &Accept<'_>, ends: Endpoints) -> Result<Option<u64>, Refusal>;
    /// Header and body, checksummed or signed.
    fn seal(origin: &Origin, body: &Body, sign: &Sign<'_>, ends: Endpoints) -> Bytes;

    fn read_hello(reader: &mut Reader<'_>) -> Result<Hello, Refusal>;
    fn put_hello(hello: &Hello, buf: &mut BytesMut);
    fn read_description(reader: &mut Reader<'_>) -> Result<DatabaseDescription, Refusal>;
    fn put_description(description: &DatabaseDescription, buf: &mut BytesMut);

    /// Octets 2 and 3 of an LSA header.
    fn split_type(field: u16) -> (Options, LsType);
    fn join_type(options: Options, ty: LsType) -> u16;
    /// How far LSAs of a type go; none for a type that is not taken.
    fn scope(ty: LsType) -> Option<Scope>;
    /// Whether a body can be read as its type asks for.
    fn check_body(ty: LsType, body: &[u8]) -> Result<(), Refusal>;
}
