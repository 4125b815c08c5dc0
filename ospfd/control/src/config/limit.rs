//! `max-lsa`: how much the databases of a process hold at most. FRR's ospfd and ospf6d have no such bound.

use ferrite_cli::{Negation, Setting};

use super::value;
use crate::settings::RouterSettings;

pub static ROUTER: &[Setting<RouterSettings>] = &[value!(
    max_lsas,
    "max-lsa",
    "(1-10000000)$value",
    ["Bound of the databases of this process", "LSAs in all of them, and as many KiB"],
    Negation::Syntax("no max-lsa [(1-10000000)]"),
    "max-lsa 100000"
)];
