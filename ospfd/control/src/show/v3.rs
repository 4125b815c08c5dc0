//! `show ipv6 ospf6 …`.

pub mod border;
pub mod database;
pub mod interface;
pub mod lsa;
pub mod neighbor;
pub mod process;
pub mod redistribute;
pub mod route;
pub mod tree;
