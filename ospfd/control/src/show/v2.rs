//! `show ip ospf …`.

pub mod border;
pub mod database;
mod extended_sequence;
pub mod information;
pub mod interface;
pub mod ldp_sync;
pub mod lsa;
pub mod neighbor;
pub mod opaque;
pub mod process;
pub mod restart;
pub mod route;
pub mod summary;
pub mod te;
pub mod traffic;
