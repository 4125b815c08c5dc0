//! zebra's shell: netlink and gRPC around [`zebra_core::Zebra`]. The library exists so that fuzzers and tests reach the
//! decoders; the program is `main.rs`.

pub mod dataplane;
mod forwarding;
pub mod fpm;
mod mpls;
mod namespaces;
mod nd;
pub mod netlink;
pub mod options;
mod refusals;
pub mod shell;
mod wall;
