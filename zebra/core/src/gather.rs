//! Fills the views of `view/` from the machine's state, and lays JSON out as FRR does.

mod capacity;
mod clients;
mod fib;
mod fpm;
pub(crate) mod groups;
mod interfaces;

mod mpls;
mod nd;
mod nht;
mod routes;
mod srv6;
mod summary;
mod walk;

pub use ferrite_cli::json::pretty;
pub(crate) use groups::GroupFilter;
pub use walk::{RouteFilter, RouteWalk};
