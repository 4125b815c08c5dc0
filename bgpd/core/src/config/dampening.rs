//! Flap dampening (RFC 2439, RFC 7196): `bgp dampening …` of a family and `neighbor X dampening …`.

use std::fmt;

use ferrite_cli::{Args, CliError};

/// How flapping routes are held back. Penalties grow by 1,000 for a withdrawal and by 500 for a change of attributes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Dampening {
    /// Minutes in which a penalty falls to a half.
    pub half_life: u8,
    /// Penalty below which a route is used again.
    pub reuse: u16,
    /// Penalty from which on it is not used.
    pub suppress: u16,
    /// Minutes that a route is held back at most.
    pub max_suppress: u8,
}

impl Default for Dampening {
    fn default() -> Self {
        Self { half_life: 15, reuse: 750, suppress: 2000, max_suppress: 60 }
    }
}

impl Dampening {
    /// What follows the half-life is four times that, where only the half-life is given.
    pub fn with_half_life(half_life: u8) -> Self {
        Self { half_life, max_suppress: half_life.saturating_mul(4), ..Self::default() }
    }

    pub(super) fn read(args: &Args) -> Result<Self, CliError> {
        let Some(half_life) = args.parse_opt("half")? else { return Ok(Self::default()) };
        let Some(reuse) = args.parse_opt("reuse")? else { return Ok(Self::with_half_life(half_life)) };
        let (suppress, max_suppress) = (args.parse("suppress")?, args.parse("max")?);
        if suppress < reuse {
            return Err(CliError::refused("Suppress value cannot be less than reuse value"));
        }
        Ok(Self { half_life, reuse, suppress, max_suppress })
    }
}

/// What stands behind `dampening`, with a space before each number; nothing for the defaults.
impl fmt::Display for Dampening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::default() {
            return Ok(());
        }
        write!(f, " {}", self.half_life)?;
        if *self == Self::with_half_life(self.half_life) {
            return Ok(());
        }
        write!(f, " {} {} {}", self.reuse, self.suppress, self.max_suppress)
    }
}

pub(super) const HELP: [&str; 5] = [
    "Enable route-flap dampening",
    "Half-life time for the penalty, minutes",
    "Value to start reusing a route",
    "Value to start suppressing a route",
    "Maximum duration to suppress a stable route, minutes",
];
