//! Networks of real cores under virtual time: shaped and random topologies, links that fail, packets that are lost, repeated and
//! reordered. At every quiet point databases agree, routes are what an independent oracle says, and packets arrive.

/// A test for each version, of a function that is generic over it.
macro_rules! both {
    ($(#[$meta:meta])* $name:ident, $body:expr) => {
        mod $name {
            use super::*;
            #[test]
            fn version_2() {
                let run: fn() = || ($body)(std::marker::PhantomData::<V2>);
                run();
            }
            #[test]
            fn version_3() {
                let run: fn() = || ($body)(std::marker::PhantomData::<V3>);
                run();
            }
        }
    };
}

mod abuse;
mod address;
mod areas;
mod device;
mod graceful;
mod large;
mod options;
mod oracle;
mod policy;
mod random;
mod random_areas;
mod random_virtual;
mod reduction;
mod shape;
mod shapes;
mod world;
