//! The stream between a daemon and zebra: protobuf on one side, [`ferrite_types::zclient`] on the other.
//!
//! `pb` is the generated code and is used nowhere else; `value`, `routes`, `nexthops`, `interfaces` and `labels` convert, a file
//! per group of messages, and refuse what is not valid with the reason; `message` puts them together; `client` is a
//! daemon's end (reconnects for ever), `server` is zebra's.

mod client;
mod interfaces;
mod labels;
mod link_params;
mod message;
mod nexthops;
mod routes;
mod rpf;
mod server;
mod value;

pub use client::{ClientEvent, SessionId, ZebraClient, ZebraSender};
pub use message::{decode_client, decode_server};
pub use server::{ClientId, ClientSender, ServerEvent, serve};

/// Generated from `proto/zebra.proto`.
#[allow(clippy::pedantic, clippy::all, rust_2018_idioms)]
pub mod pb {
    tonic::include_proto!("ferrite.zebra.v1");
}

/// Octets that one message of the stream may have.
const MAX_MESSAGE: usize = 16 << 20;

/// A message of the stream that is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    #[error("message without content")]
    Empty,
    #[error("{field}: {len} octets are no address")]
    AddressLength { field: &'static str, len: usize },
    #[error("{field}: {value} is out of range")]
    Range { field: &'static str, value: u64 },
    #[error("packed prefix: octet {0} is no length")]
    PrefixLength(u8),
    #[error("packed prefix is cut off")]
    PrefixTruncated,
    #[error("{prefixes} prefixes but {numbers} numbers")]
    Columns { prefixes: usize, numbers: usize },
    #[error("next hop without gateway, interface or blackhole kind")]
    EmptyNexthop,
    #[error("hello expected as the first message")]
    HelloExpected,
    #[error("hello in the middle of a session")]
    SecondHello,
    #[error("contract version {theirs} is not supported; this side speaks {ours}")]
    Version { theirs: u32, ours: u32 },
    #[error("{0}")]
    Protobuf(String),
}
