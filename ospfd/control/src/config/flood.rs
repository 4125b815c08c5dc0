//! `flood-reduction`, of the process and of areas (RFC 4136).

use ferrite_cli::{Negation, Setting};

use super::{setting, switch};
use crate::settings::{AreaName, AreaSettings, RouterSettings};

const TEXT: &str = "LSAs are not renewed where all routers keep them (RFC 4136)";

pub static ROUTER: &[Setting<RouterSettings>] =
    &[switch!(flood_reduction, "flood-reduction", "flood-reduction", [TEXT], Negation::Derived)];

/// Rendered with what else is said of the area.
pub static AREA: &[Setting<RouterSettings>] = &[setting!(
    "area <A.B.C.D|(0-4294967295)>$area flood-reduction",
    ["What is said of an area", "Area", "Area", TEXT],
    Negation::Derived,
    |router, args| {
        let name: AreaName = args.parse("area")?;
        let new = || AreaSettings { name, ..AreaSettings::default() };
        router.areas.entry(name.id).or_insert_with(new).flood_reduction = true;
        Ok(())
    },
    |router, args| {
        let name: AreaName = args.parse("area")?;
        router.areas.entry(name.id).or_default().flood_reduction = false;
        Ok(())
    },
    |_, _| {},
    ["area 0 flood-reduction"]
)];
