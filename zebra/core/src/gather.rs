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
mod summary;
mod walk;

pub(crate) use groups::GroupFilter;
pub use ferrite_cli::json::pretty;
pub use walk::{RouteFilter, RouteWalk};
