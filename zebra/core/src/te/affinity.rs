//! Affinities: names for bits of a link's administrative group (`affinity-map`), and the names that a link has in its
//! `link-params`. Protocols announce them as the standard group of 32 bits (RFC 3630, 5305), the extended one (RFC 7308),
//! or both.

use std::collections::BTreeSet;

use ferrite_cli::node::{CONFIG, order};
use ferrite_cli::{CliError, ConfigCommand, Edit, Lines, Negation, Registry};

use super::config::{LINK_PARAMS, interface};
use crate::settings::{InterfaceSettings, Settings};

/// Beside the maps there is nothing at this place.
const PLACE: u16 = order::STATIC - 2;
/// Bits of the standard group.
const STANDARD: u16 = 32;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AffinityMode {
    Standard,
    #[default]
    Extended,
    Both,
}

impl AffinityMode {
    fn of(word: &str) -> Self {
        match word {
            "standard" => Self::Standard,
            "both" => Self::Both,
            _ => Self::Extended,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Extended => "extended",
            Self::Both => "both",
        }
    }
}

/// Of one link.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Affinities {
    pub names: BTreeSet<String>,
    pub mode: AffinityMode,
}

impl Affinities {
    /// The standard group, where it is announced, and the extended one: 32 bits a word, the lowest first.
    pub fn groups(&self, settings: &Settings) -> (Option<u32>, Vec<u32>) {
        let mut words = Vec::new();
        for bit in self.names.iter().filter_map(|name| settings.affinity_maps.get(name)) {
            let (word, bit) = (usize::from(bit / STANDARD), bit % STANDARD);
            if words.len() <= word {
                words.resize(word + 1, 0);
            }
            if let Some(word) = words.get_mut(word) {
                *word |= 1 << bit;
            }
        }
        let standard = (self.mode != AffinityMode::Extended && !words.is_empty()).then(|| words[0]);
        if self.mode == AffinityMode::Standard {
            words.clear();
        }
        (standard, words)
    }
}

fn unknown(name: &str) -> CliError {
    CliError::refused(format!("There is no affinity-map {name}"))
}

fn too_high(name: &str) -> CliError {
    CliError::refused(format!(
        "{name}: affinity bit-position must be less than 32 when used with standard affinity mode"
    ))
}

fn links_with<'s>(settings: &'s Settings, name: &str) -> impl Iterator<Item = &'s Affinities> {
    let links = settings.interfaces.values().map(|interface| &interface.affinities);
    links.filter(move |affinities| affinities.names.contains(name))
}

fn map(settings: &mut Settings, edit: &Edit<'_>) -> Result<(), CliError> {
    let name = edit.args.get("NAME").unwrap_or_default();
    if edit.negated {
        if links_with(settings, name).next().is_some() {
            return Err(CliError::refused(format!("affinity-map {name} is used by an interface")));
        }
        settings.affinity_maps.remove(name);
        return Ok(());
    }
    let bit: u16 = edit.args.parse("bit")?;
    if let Some((other, _)) = settings.affinity_maps.iter().find(|(other, of)| **of == bit && *other != name)
    {
        return Err(CliError::refused(format!("Bit position {bit} is that of affinity-map {other}")));
    }
    if bit >= STANDARD && links_with(settings, name).any(|link| link.mode == AffinityMode::Standard) {
        return Err(too_high(name));
    }
    settings.affinity_maps.insert(name.to_owned(), bit);
    Ok(())
}

fn affinity(settings: &mut Settings, edit: &Edit<'_>) -> Result<(), CliError> {
    let names: BTreeSet<String> = edit.args.all("NAME").map(str::to_owned).collect();
    let mode = interface(settings, edit.context).affinities.mode;
    if edit.negated {
        let held = &mut interface(settings, edit.context).affinities.names;
        held.retain(|name| !names.is_empty() && !names.contains(name));
        return Ok(());
    }
    for name in &names {
        let bit = settings.affinity_maps.get(name).ok_or_else(|| unknown(name))?;
        if mode == AffinityMode::Standard && *bit >= STANDARD {
            return Err(too_high(name));
        }
    }
    let interface = interface(settings, edit.context);
    interface.affinities.names.extend(names);
    // Names take the place of a pattern, and the other way round.
    interface.link_params.get_or_insert_default().admin_group = None;
    Ok(())
}

fn mode(settings: &mut Settings, edit: &Edit<'_>) -> Result<(), CliError> {
    let mode = if edit.negated {
        AffinityMode::default()
    } else {
        AffinityMode::of(edit.args.get("mode").unwrap_or_default())
    };
    let names = interface(settings, edit.context).affinities.names.clone();
    let high = |name: &&String| settings.affinity_maps.get(*name).is_some_and(|bit| *bit >= STANDARD);
    if let (AffinityMode::Standard, Some(name)) = (mode, names.iter().find(high)) {
        return Err(too_high(name));
    }
    let interface = interface(settings, edit.context);
    interface.link_params.get_or_insert_default();
    interface.affinities.mode = mode;
    Ok(())
}

/// With `0x` or without, as FRR's.
fn pattern(text: &str) -> Result<u32, CliError> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let short = !digits.is_empty() && digits.len() <= 8;
    let value = u32::from_str_radix(digits, 16).ok().filter(|_| short);
    value.ok_or_else(|| CliError::refused("The pattern is at most eight hexadecimal digits"))
}

fn group(settings: &mut Settings, edit: &Edit<'_>) -> Result<(), CliError> {
    let group = match edit.args.get("BITPATTERN").filter(|_| !edit.negated) {
        Some(text) => Some(pattern(text)?),
        None => None,
    };
    let interface = interface(settings, edit.context);
    interface.link_params.get_or_insert_default().admin_group = group;
    if group.is_some() {
        interface.affinities.names.clear();
    }
    Ok(())
}

pub fn register<H: 'static>(registry: &mut Registry<Settings, H>) {
    registry.command(
        ConfigCommand::new(
            &[&CONFIG],
            "affinity-map NAME bit-position (0-1023)$bit",
            &[
                "Affinity map configuration",
                "Affinity attribute name",
                "Bit position for affinity attribute value",
                "Bit position",
            ],
            map,
        )
        .no(Negation::After(2))
        .example("affinity-map RED bit-position 3")
        .example("affinity-map BLUE bit-position 40"),
    );
    registry.command(
        ConfigCommand::new(
            &[&LINK_PARAMS],
            "admin-grp BITPATTERN",
            &["Administrative group membership", "32-bit Hexadecimal value (e.g. 0xa1)"],
            group,
        )
        .example("admin-grp 0x10"),
    );
    registry.command(ConfigCommand::new(
        &[&LINK_PARAMS],
        "affinity NAME...",
        &["Interface affinities", "Affinity names"],
        affinity,
    ));
    registry.command(
        ConfigCommand::new(
            &[&LINK_PARAMS],
            "affinity-mode <standard|extended|both>$mode",
            &[
                "Interface affinity mode",
                "Standard Admin-Group only (RFC3630,5305,5329) mode",
                "Extended Admin-Group only (RFC7308) mode (default)",
                "Standard and extended Admin-Group format",
            ],
            mode,
        )
        .no(Negation::After(1))
        .example("affinity-mode both"),
    );
    registry.renderer(PLACE, |settings: &Settings, lines| {
        for (name, bit) in &settings.affinity_maps {
            lines.line(format!("affinity-map {name} bit-position {bit}"));
        }
    });
}

/// Between the bandwidths and the neighbour, where FRR has them.
pub fn render(interface: &InterfaceSettings, lines: &mut Lines) {
    if let Some(group) = interface.link_params.as_deref().and_then(|params| params.admin_group) {
        lines.line(format!("admin-grp {group:#x}"));
    }
    let Affinities { names, mode } = &interface.affinities;
    if !names.is_empty() {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        lines.line(format!("affinity {}", names.join(" ")));
    }
    if *mode != AffinityMode::default() {
        lines.line(format!("affinity-mode {}", mode.word()));
    }
}

#[cfg(test)]
mod tests {
    use ferrite_cli::{Engine, numbered};

    use super::*;

    const LINES: &str = "affinity-map BLUE bit-position 40\naffinity-map RED bit-position 5\ninterface e1\n link-params\n  \
                         affinity BLUE RED\n  affinity-mode both\n exit-link-params\nexit\n";

    fn load(text: &str) -> Result<Settings, String> {
        let engine = Engine::new(crate::registry());
        engine.load(Settings::default(), &numbered(text)).map_err(|errors| format!("{errors:?}"))
    }

    #[test]
    fn names_become_bits_of_one_group_or_of_both() {
        let settings = load(LINES).unwrap();
        let mut link = settings.interfaces["e1"].affinities.clone();
        assert_eq!(link.groups(&settings), (Some(1 << 5), vec![1 << 5, 1 << 8]));
        link.mode = AffinityMode::Extended;
        assert_eq!(link.groups(&settings), (None, vec![1 << 5, 1 << 8]));
        link.names.remove("BLUE");
        link.mode = AffinityMode::Standard;
        assert_eq!(link.groups(&settings), (Some(1 << 5), Vec::new()));
        assert_eq!(Affinities::default().groups(&settings), (None, Vec::new()));
    }

    #[test]
    fn what_is_written_reads_back() {
        let settings = load(LINES).unwrap();
        let text = Engine::new(crate::registry()).render_text(&settings);
        assert!(text.contains("  affinity BLUE RED\n  affinity-mode both\n"), "{text}");
        assert_eq!(load(&text).unwrap(), settings);
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        for (more, word) in [
            ("affinity-map GREEN bit-position 5\n", "is that of affinity-map RED"),
            ("no affinity-map RED\n", "is used by an interface"),
            ("interface e2\n link-params\n  affinity NOBODY\n", "no affinity-map NOBODY"),
            ("interface e1\n link-params\n  affinity-mode standard\n", "less than 32"),
        ] {
            let refused = load(&format!("{LINES}{more}")).unwrap_err();
            assert!(refused.contains(word), "{more}: {refused}");
        }
        // A pattern takes the place of names.
        let settings = load(&format!("{LINES}interface e1\n link-params\n  admin-grp 0x10\n")).unwrap();
        assert!(settings.interfaces["e1"].affinities.names.is_empty());
        load(&format!("{LINES}interface e1\n link-params\n  no affinity RED BLUE\n")).unwrap();
    }
}
