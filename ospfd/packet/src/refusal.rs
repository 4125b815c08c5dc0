//! Why a packet or an LSA is not taken. One value per reason: what is counted and shown is the reason, not the octets.

use ferrite_wire::Short;

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// A reason to drop a packet, or one LSA of it.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, thiserror::Error)]
        pub enum Refusal {
            $($(#[$doc])* #[error($text)] $name,)*
        }

        impl Refusal {
            /// All reasons, in the order of their counters.
            pub const ALL: &[Self] = &[$(Self::$name,)*];
        }
    };
}

refusals! {
    Short = "the packet ends before its header does",
    Version = "another version of OSPF",
    Kind = "unknown packet type",
    Length = "the length field does not fit the packet",
    Body = "the body does not fit its packet type",
    Checksum = "wrong packet checksum",
    AuthType = "another type of authentication",
    AuthKey = "unknown authentication key",
    AuthDigest = "wrong password or digest",
    AuthTrailer = "the authentication trailer does not fit",
    AuthSequence = "cryptographic sequence number went back",
    Instance = "another instance",
    Area = "another area",
    OwnRouterId = "our own router ID",
    RouterIdZero = "router ID 0",
    NetworkMask = "another network mask",
    HelloInterval = "another hello interval",
    DeadInterval = "another dead interval",
    Options = "another kind of area",
    Family = "a router that does not tell address families apart",
    Source = "a source that is not on the network",
    Destination = "sent to the designated router, which we are not",
    Filtered = "a source that the neighbour filter denies",
    NoNeighbor = "no such neighbour",
    NeighborState = "the neighbour is not that far",
    NeighborLimit = "too many neighbours",
    Passive = "the interface is passive or down",
    Mtu = "interface MTU larger than ours",
    LsaLength = "LSA length does not fit",
    LsaChecksum = "wrong LSA checksum",
    LsaType = "unknown LSA type",
    LsaBody = "LSA body does not fit its type",
    LsaAge = "LSA age over MaxAge",
    LsaSequence = "reserved LSA sequence number",
    LsaScope = "LSA not allowed in this kind of area",
    LsaMinArrival = "LSA came again too soon",
    LsaLimit = "the database is full",
}

impl Refusal {
    /// Whether the packet's password or digest is at fault.
    pub const fn is_authentication(self) -> bool {
        matches!(
            self,
            Self::AuthType | Self::AuthKey | Self::AuthDigest | Self::AuthTrailer | Self::AuthSequence
        )
    }
}

impl From<Short> for Refusal {
    fn from(_: Short) -> Self {
        Self::Body
    }
}
