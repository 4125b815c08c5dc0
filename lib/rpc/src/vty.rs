//! The vty contract as plain types, its server and its client.
//!
//! A daemon implements [`VtyBackend`] and calls [`serve`]; vtysh connects a [`VtyClient`]. prost types stay inside.

mod client;
mod convert;
mod server;
mod types;

pub use client::{ExecuteStream, VtyClient, VtyError};
pub use server::{BoxFuture, VtyBackend, serve};
pub use types::*;

pub(crate) mod pb {
    #![allow(clippy::all, clippy::pedantic)]
    tonic::include_proto!("ferrite.vty.v1");
}

/// Version of the contract. Another minor version is understood, another major version is refused.
pub const CONTRACT: (u32, u32) = (1, 0);

/// Name of the metadata that carries the caller's version.
const VERSION_KEY: &str = "ferrite-vty";

/// Largest piece of output in one message, octets.
pub const OUTPUT_PIECE: usize = 64 << 10;

#[cfg(test)]
mod tests;
