//! Compiles the contracts with protox, so that nobody installs protoc.

use std::error::Error;

const CONTRACTS: &[&str] = &["proto/zebra.proto", "proto/vty.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile(CONTRACTS, ["proto"])?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
