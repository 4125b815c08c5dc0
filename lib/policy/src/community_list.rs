//! Community lists of the three kinds (standard, large, extended), each in two styles: standard rules name
//! values, expanded rules are regular expressions over the text.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use ferrite_types::{Community, ExtCommunity, LargeCommunity, ParseError};

use crate::Action;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Style {
    #[default]
    Standard,
    Expanded,
}

/// A kind of community that lists can hold.
pub trait ListedCommunity: Copy + Ord + Display + Send + Sync + 'static {
    /// `community-list`, `large-community-list`, `extcommunity-list`.
    const LIST: &'static str;
    /// As `show` heads a list: "Community", "large community", "extended community".
    const TITLE: &'static str;
    /// Reads the values of a standard rule; the text may need several words per value (`rt 1:2`).
    fn parse_values(text: &str) -> Result<Vec<Self>, ParseError>;
    /// Writes them as the rule's line does.
    fn format_values(values: &[Self]) -> String;
}

fn joined<T: Display>(values: &[T]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn words<T: std::str::FromStr<Err = ParseError> + Ord>(text: &str) -> Result<Vec<T>, ParseError> {
    let mut values = text.split_ascii_whitespace().map(str::parse).collect::<Result<Vec<T>, _>>()?;
    values.sort_unstable();
    values.dedup();
    Ok(values)
}

/// Communities as configuration writes them: names and `AA:NN`; a bare number is refused, as FRR does.
pub fn parse_communities(text: &str) -> Result<Vec<Community>, ParseError> {
    if let Some(word) = text.split_ascii_whitespace().find(|word| word.bytes().all(|b| b.is_ascii_digit())) {
        return Err(ParseError::new(word, "a community"));
    }
    words(text)
}

impl ListedCommunity for Community {
    const LIST: &'static str = "community-list";
    const TITLE: &'static str = "Community";

    fn parse_values(text: &str) -> Result<Vec<Self>, ParseError> {
        parse_communities(text)
    }

    fn format_values(values: &[Self]) -> String {
        joined(values)
    }
}

impl ListedCommunity for LargeCommunity {
    const LIST: &'static str = "large-community-list";
    const TITLE: &'static str = "large community";

    fn parse_values(text: &str) -> Result<Vec<Self>, ParseError> {
        words(text)
    }

    fn format_values(values: &[Self]) -> String {
        joined(values)
    }
}

impl ListedCommunity for ExtCommunity {
    const LIST: &'static str = "extcommunity-list";
    const TITLE: &'static str = "extended community";

    /// `rt ADMIN:N soo ADMIN:N nt ROUTER:N color FLAGS:N …`; a kind holds until the next one is named.
    fn parse_values(text: &str) -> Result<Vec<Self>, ParseError> {
        type Read = fn(&str) -> Result<ExtCommunity, ParseError>;
        let mut kind: Option<Read> = None;
        let mut values = Vec::new();
        for word in text.split_ascii_whitespace() {
            match (word, kind) {
                ("rt", _) => kind = Some(|word| Self::parse_admin(Self::ROUTE_TARGET, word)),
                ("soo", _) => kind = Some(|word| Self::parse_admin(Self::SITE_OF_ORIGIN, word)),
                ("nt", _) => kind = Some(Self::parse_node_target),
                ("color", _) => kind = Some(Self::parse_color),
                (word, Some(read)) => values.push(read(word)?),
                (word, None) => {
                    return Err(ParseError::new(word, "an extended community (rt, soo, nt or color)"));
                }
            }
        }
        if values.is_empty() {
            return Err(ParseError::new(text, "an extended community"));
        }
        values.sort_unstable();
        values.dedup();
        Ok(values)
    }

    fn format_values(values: &[Self]) -> String {
        let word = |value: &Self| {
            if let Some((flags, color)) = value.color() {
                return format!("color {}{}:{color}", flags >> 1, flags & 1);
            }
            let kind = match value.subtype() {
                _ if value.node_target().is_some() => "nt",
                Self::SITE_OF_ORIGIN => "soo",
                _ => "rt",
            };
            format!("{kind} {}", value.admin_text().unwrap_or_default())
        };
        values.iter().map(word).collect::<Vec<_>>().join(" ")
    }
}

/// One rule. Its text is checked when it is entered and kept in canonical form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommunityRule {
    pub action: Action,
    pub text: String,
}

/// A named list as configured; all its rules are of one style.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CommunityList {
    pub style: Style,
    pub rules: BTreeMap<u32, CommunityRule>,
}

/// Checks a rule's text for the kind and style and returns its canonical form.
pub fn canonical<C: ListedCommunity>(style: Style, text: &str) -> Result<String, String> {
    match style {
        Style::Standard => {
            let values = C::parse_values(text).map_err(|error| error.to_string())?;
            Ok(C::format_values(&values))
        }
        Style::Expanded => crate::regex::compile(text).map(|_| text.to_owned()),
    }
}

#[derive(Debug)]
enum Matcher<C> {
    Values(Vec<C>),
    Regex(regex::Regex),
    /// Text that no longer parses; the command refuses it, so nothing matches it.
    Nothing,
}

/// How a route-map's `match` compares a list with a route's communities.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum CommunityMatch {
    /// Every value of the rule is on the route.
    #[default]
    Included,
    /// The rule's values are all the route has.
    Exact,
    /// One value of the rule is on the route.
    Any,
}

/// A list ready for evaluation.
#[derive(Debug)]
pub struct CompiledCommunityList<C> {
    pub source: Arc<CommunityList>,
    rules: Vec<(Action, Matcher<C>)>,
}

impl<C: ListedCommunity> CompiledCommunityList<C> {
    pub fn new(source: Arc<CommunityList>) -> Self {
        let compile = |text: &str| match source.style {
            Style::Standard => C::parse_values(text).map_or(Matcher::Nothing, Matcher::Values),
            Style::Expanded => crate::regex::compile(text).map_or(Matcher::Nothing, Matcher::Regex),
        };
        let rules = source.rules.values().map(|rule| (rule.action, compile(&rule.text))).collect();
        Self { source, rules }
    }

    /// Whether a route with these communities (ascending) is permitted; what nothing matches is denied.
    pub fn permits(&self, communities: &[C], how: CommunityMatch) -> bool {
        let has = |value: &C| communities.binary_search(value).is_ok();
        let matched = |matcher: &Matcher<C>| match (matcher, how) {
            (Matcher::Values(values), CommunityMatch::Included) => values.iter().all(has),
            (Matcher::Values(values), CommunityMatch::Exact) => values.as_slice() == communities,
            (Matcher::Values(values), CommunityMatch::Any) => values.iter().any(has),
            (Matcher::Regex(regex), _) => regex.is_match(&joined(communities)),
            (Matcher::Nothing, _) => false,
        };
        self.rules.iter().find(|(_, matcher)| matched(matcher)).is_some_and(|(action, _)| action.is_permit())
    }

    /// Whether `set comm-list … delete` takes this one community off a route.
    pub fn deletes(&self, community: C) -> bool {
        let matched = |matcher: &Matcher<C>| match matcher {
            Matcher::Values(values) => values.contains(&community),
            Matcher::Regex(regex) => regex.is_match(&community.to_string()),
            Matcher::Nothing => false,
        };
        self.rules.iter().find(|(_, matcher)| matched(matcher)).is_some_and(|(action, _)| action.is_permit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list<C: ListedCommunity>(style: Style, rules: &[(Action, &str)]) -> CompiledCommunityList<C> {
        let rules = rules.iter().enumerate().map(|(at, (action, text))| {
            (at as u32, CommunityRule { action: *action, text: canonical::<C>(style, text).unwrap() })
        });
        CompiledCommunityList::new(Arc::new(CommunityList { style, rules: rules.collect() }))
    }

    #[test]
    fn the_three_ways_to_compare_differ() {
        use CommunityMatch::*;
        let list = list::<Community>(Style::Standard, &[(Action::Permit, "65001:1 65001:2")]);
        let c = |text: &str| parse_communities(text).unwrap();
        for (route, how, expected) in [
            ("65001:1 65001:2 65001:3", Included, true),
            ("65001:1", Included, false),
            ("65001:1 65001:2", Exact, true),
            ("65001:1 65001:2 65001:3", Exact, false),
            ("65001:1 65001:9", Any, true),
            ("65001:9", Any, false),
        ] {
            assert_eq!(list.permits(&c(route), how), expected, "{route} {how:?}");
        }
    }

    #[test]
    fn expanded_lists_see_the_whole_text_and_delete_one_by_one() {
        let list =
            list::<Community>(Style::Expanded, &[(Action::Deny, "65001:666"), (Action::Permit, "^65001:")]);
        let c = |text: &str| parse_communities(text).unwrap();
        assert!(list.permits(&c("65001:1 65002:5"), CommunityMatch::Included));
        assert!(!list.permits(&c("65001:1 65001:666"), CommunityMatch::Included));
        assert!(list.deletes(Community::new(65001, 5)) && !list.deletes(Community::new(65001, 666)));
        assert!(!list.deletes(Community::new(65002, 5)));
    }

    #[test]
    fn rules_are_kept_in_canonical_form() {
        assert_eq!(
            canonical::<Community>(Style::Standard, "65001:2 65001:1 65001:2").unwrap(),
            "65001:1 65001:2"
        );
        assert_eq!(
            canonical::<ExtCommunity>(Style::Standard, "rt 65001:100 soo 10.0.0.1:5").unwrap(),
            "rt 65001:100 soo 10.0.0.1:5"
        );
        let others = "nt 192.0.2.1:0 color 01:100";
        assert_eq!(canonical::<ExtCommunity>(Style::Standard, others).unwrap(), others);
        for text in ["internet", "5", "65001", "gshut", "1:2:3"] {
            assert!(canonical::<Community>(Style::Standard, text).is_err(), "{text}");
        }
        assert!(canonical::<LargeCommunity>(Style::Standard, "1:2").is_err());
        assert!(canonical::<ExtCommunity>(Style::Standard, "65001:1").is_err());
    }
}
