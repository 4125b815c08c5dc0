//! How much a neighbour may make this router hold: `bgp maxas-limit` and `bgp limit …`. The names of the latter are our
//! own; FRR has no such settings. Every limit has a default that no honest table meets, and what passes one is logged and
//! counted with the limit's name.

use bgp_packet::attr::AttributeLimits;
use ferrite_cli::{Args, CliError, Lines, Negation};

use super::router::{RouterBgp, RouterRow};

/// The instance's limits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Of one route; beyond them it is treated as withdrawn.
    pub attributes: AttributeLimits,
    /// Paths of one neighbour for one prefix (RFC 7911 lets it send any number); further ones are not taken.
    pub paths: u16,
    /// Prefixes of a neighbour in one family where it has no `maximum-prefix` of its own; beyond them the session ends
    /// (RFC 4486 Cease/1).
    pub prefixes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { attributes: AttributeLimits::default(), paths: 256, prefixes: 10_000_000 }
    }
}

fn render(lines: &mut Lines, name: &str, value: u32, default: u32) {
    if value != default {
        lines.line(format!("{name} {value}"));
    }
}

/// A row for one number of the limits.
macro_rules! limit {
    ($($field:ident).+, $name:literal, $range:literal, $help:expr, $example:literal) => {
        RouterRow {
            syntax: concat!($name, " ", $range, "$value"),
            help: $help,
            no: Negation::Derived,
            set: |router: &mut RouterBgp, args: &Args| -> Result<(), CliError> {
                router.limits.$($field).+ = args.parse("value")?;
                Ok(())
            },
            unset: |router, _, default| {
                router.limits.$($field).+ = default.limits.$($field).+;
                Ok(())
            },
            render: |router, lines, default| {
                render(lines, $name, router.limits.$($field).+.into(), default.limits.$($field).+.into());
            },
            examples: &[concat!($name, " ", $example)],
        }
    };
}

const BGP: &str = "BGP specific commands";
const LIMIT: &str = "Limit what neighbors may send";

pub(super) static ROWS: &[RouterRow] = &[
    limit!(
        attributes.as_path,
        "bgp maxas-limit",
        "(1-4096)",
        &[BGP, "Treat routes with longer AS paths as withdrawn", "AS numbers in the path (default 1000)"],
        "200"
    ),
    limit!(
        attributes.communities,
        "bgp limit communities",
        "(1-65535)",
        &[BGP, LIMIT, "Communities of all kinds of one route", "Number (default 4000)"],
        "100"
    ),
    limit!(
        attributes.attributes,
        "bgp limit attributes",
        "(4-255)",
        &[BGP, LIMIT, "Path attributes of one route", "Number (default 64)"],
        "20"
    ),
    limit!(
        paths,
        "bgp limit paths-per-prefix",
        "(1-65535)",
        &[BGP, LIMIT, "Paths of one neighbor for one prefix", "Number (default 256)"],
        "16"
    ),
    limit!(
        prefixes,
        "bgp limit prefixes",
        "(1-4294967295)",
        &[
            BGP,
            LIMIT,
            "Prefixes of a neighbor without maximum-prefix in a family",
            "Number (default 10000000)",
        ],
        "2000000"
    ),
];
