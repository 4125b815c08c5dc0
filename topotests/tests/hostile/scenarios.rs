//! Hostility in time rather than in octets: floods, silence, slowness, collisions.

use topotests::{Kind, Net, Result};

pub fn run_all(_net: &mut Net, _kind: Kind) -> Result<()> {
    Ok(())
}
