//! Networks of real cores under virtual time: shaped and random topologies, links that fail, packets that are lost, repeated and
//! reordered. At every quiet point databases agree, routes are what an independent oracle says, and packets arrive.

mod abuse;
mod address;
mod areas;
mod device;
mod oracle;
mod random;
mod shapes;
mod world;
