//! Networks of real cores under virtual time: shaped and random topologies, links that fail, packets that are lost, repeated and
//! reordered. At every quiet point databases agree, routes are what an independent oracle says, and packets arrive.

/// A test for each of some versions, of a function that is generic over it.
macro_rules! versions {
    ($name:ident, $body:expr, $($test:ident: $version:ty),+) => {
        mod $name {
            use super::*;
            $(
                #[test]
                fn $test() {
                    let run: fn() = || ($body)(std::marker::PhantomData::<$version>);
                    run();
                }
            )+
        }
    };
}

macro_rules! both {
    ($name:ident, $body:expr) => {
        versions!($name, $body, version_2: V2, version_3: V3);
    };
}

/// Both, and IPv4 over OSPFv3 (RFC 5838).
macro_rules! all {
    ($name:ident, $body:expr) => {
        versions!($name, $body, version_2: V2, version_3: V3, version_3_for_ipv4: V3<ferrite_ospf::packet::Inet4>);
    };
}

mod abuse;
mod address;
mod alternates;
mod areas;
mod device;
mod family;
mod graceful;
mod large;
mod options;
mod oracle;
mod policy;
mod random;
mod random_areas;
mod random_virtual;
mod reduction;
mod replay;
mod shape;
mod shapes;
mod world;
