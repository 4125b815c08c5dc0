//! `bgp community alias VALUE NAME`: a name that shows write in place of a standard or large community.

use std::collections::BTreeMap;

use ferrite_cli::node::CONFIG;
use ferrite_cli::{CliError, ConfigCommand, Lines, Negation, Registry};
use ferrite_types::{Community, LargeCommunity};

use super::BgpConfig;

/// Longest name that FRR takes, octets.
const NAME_MAX: usize = 63;

/// Names by the text of their community.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CommunityAliases(BTreeMap<String, String>);

impl CommunityAliases {
    /// What shows write for a community.
    pub fn shown(&self, community: &str) -> String {
        self.0.get(community).cloned().unwrap_or_else(|| community.to_owned())
    }

    /// The name of a community.
    pub fn name(&self, community: &str) -> Option<&str> {
        self.0.get(community).map(String::as_str)
    }

    /// The community that a name stands for.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(_, known)| *known == name).map(|(value, _)| value.as_str())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(value, name)| (value.as_str(), name.as_str()))
    }

    pub(super) fn render(&self, lines: &mut Lines) {
        for (value, name) in &self.0 {
            lines.line(format!("bgp community alias {value} {name}"));
        }
    }
}

/// The canonical text of a standard or large community.
fn canonical(text: &str) -> Option<String> {
    let standard = text.parse::<Community>().map(|community| community.to_string());
    standard.or_else(|_| text.parse::<LargeCommunity>().map(|community| community.to_string())).ok()
}

pub(super) fn register<H>(registry: &mut Registry<BgpConfig, H>) {
    let help = [
        "BGP information",
        "Add community specific parameters",
        "Create an alias for a community",
        "Community (AA:BB or AA:BB:CC)",
        "Alias name",
    ];
    registry.command(
        ConfigCommand::new(
            &[&CONFIG],
            "bgp community alias WORD$community ALIAS_NAME$name",
            &help,
            |config: &mut BgpConfig, edit| {
                let text = edit.args.get("community").unwrap_or_default();
                let Some(community) = canonical(text) else {
                    return Err(CliError::refused("Invalid community format"));
                };
                let aliases = &mut config.community_aliases.0;
                if edit.negated {
                    aliases.remove(&community);
                    return Ok(());
                }
                let name = edit.args.get("name").unwrap_or_default();
                if name.len() > NAME_MAX {
                    return Err(CliError::refused(format!("An alias has at most {NAME_MAX} octets")));
                }
                if aliases.iter().any(|(other, known)| known == name && *other != community) {
                    return Err(CliError::refused("community alias already exists"));
                }
                aliases.insert(community, name.to_owned());
                Ok(())
            },
        )
        .no(Negation::Derived)
        .example("bgp community alias 65001:1 ONE"),
    );
}
