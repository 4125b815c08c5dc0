//! What a request asks for: birdwatcher's paths.

use std::net::IpAddr;

use ferrite_types::Prefix;

/// A table by BIRD's name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Table {
    V4,
    V6,
}

impl Table {
    pub const ALL: [Self; 2] = [Self::V4, Self::V6];

    /// `master` alone is BIRD 1's name.
    fn read(name: &str) -> Option<Self> {
        match name {
            "master4" | "master" | "ipv4" => Some(Self::V4),
            "master6" | "ipv6" => Some(Self::V6),
            _ => None,
        }
    }

    pub const fn of(addr: IpAddr) -> Self {
        if addr.is_ipv6() { Self::V6 } else { Self::V4 }
    }

    pub const fn family(self) -> &'static str {
        match self {
            Self::V4 => "ipv4 unicast",
            Self::V6 => "ipv6 unicast",
        }
    }
}

/// Which of a neighbour's routes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Side {
    Accepted,
    Filtered,
    Exported,
    NotExported,
}

impl Side {
    /// The word of the command.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Accepted => "routes",
            Self::Filtered => "filtered-routes",
            Self::Exported => "advertised-routes",
            Self::NotExported => "not-advertised-routes",
        }
    }
}

/// What is looked up.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Target {
    Prefix(Prefix),
    /// The longest prefix that covers it.
    Address(IpAddr),
}

impl Target {
    fn read(text: &str) -> Option<Self> {
        text.parse().map(Self::Prefix).or_else(|_| text.parse().map(Self::Address)).ok()
    }

    pub const fn table(self) -> Table {
        match self {
            Self::Prefix(prefix) => Table::of(prefix.addr()),
            Self::Address(addr) => Table::of(addr),
        }
    }
}

/// A request that can be answered; equal ones have one reply.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Endpoint {
    Version,
    Status,
    Protocols,
    ProtocolsShort,
    Symbols,
    SymbolTables,
    SymbolProtocols,
    /// Of a neighbour, by its name; `None`: of both families.
    Routes {
        side: Side,
        neighbor: String,
        table: Option<Table>,
    },
    Table(Table),
    TableFiltered(Table),
    CountProtocol(String),
    CountPrimary(String),
    CountTable(Table),
    Lookup(Target),
    /// There are no pipes between tables here, so nothing is filtered in one.
    PipeFiltered,
    PipeFilteredCount,
}

/// A request as it came, without what only matters to HTTP.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    pub endpoint: Endpoint,
    /// `?uncached=true`.
    pub uncached: bool,
}

/// Longest name of a neighbour, or other part of a path.
const LONGEST: usize = 128;

/// `%2F` and its like; `None` where the result is no text.
fn decode(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            octet => octet,
        });
    }
    String::from_utf8(octets).ok().filter(|text| text.len() <= LONGEST && !text.contains(char::is_control))
}

impl Asked {
    /// `None`: there is no such thing.
    pub fn read(path: &str, query: Option<&str>) -> Option<Self> {
        let parts: Option<Vec<String>> = path.split('/').skip(1).map(decode).collect();
        let parts = parts?;
        let mut words: Vec<&str> = parts.iter().map(String::as_str).collect();
        // A path may end in a slash.
        if words.last() == Some(&"") && words.first() != Some(&"routes") {
            words.pop();
        }
        let pairs: Vec<(&str, String)> = query
            .into_iter()
            .flat_map(|query| query.split('&'))
            .filter_map(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                Some((key, decode(&value.replace('+', " "))?))
            })
            .collect();
        let parameter =
            |key: &str| pairs.iter().find(|(known, _)| *known == key).map(|(_, value)| value.as_str());
        let endpoint = endpoint(&words, parameter)?;
        let uncached = parameter("uncached").is_some_and(|value| value == "true" || value == "1");
        Some(Self { endpoint, uncached })
    }
}

fn endpoint<'a>(words: &[&str], parameter: impl Fn(&str) -> Option<&'a str>) -> Option<Endpoint> {
    let routes =
        |side, neighbor: &str, table| Endpoint::Routes { side, neighbor: neighbor.to_owned(), table };
    Some(match words {
        ["version"] => Endpoint::Version,
        ["status"] => Endpoint::Status,
        ["protocols" | "protocol"] | ["protocols", "bgp"] => Endpoint::Protocols,
        ["protocols", "short"] => Endpoint::ProtocolsShort,
        ["symbols"] => Endpoint::Symbols,
        ["symbols", "tables"] => Endpoint::SymbolTables,
        ["symbols", "protocols"] => Endpoint::SymbolProtocols,
        ["routes", "pipe", "filtered"] | ["routes", "pipe", "filtered", ""] => Endpoint::PipeFiltered,
        ["routes", "pipe", "filtered", "count"] => Endpoint::PipeFilteredCount,
        ["routes", "protocol" | "peer", name] => routes(Side::Accepted, name, None),
        ["routes", "filtered", name] => routes(Side::Filtered, name, None),
        ["routes", "export", name] => routes(Side::Exported, name, None),
        ["routes", "noexport", name] => routes(Side::NotExported, name, None),
        ["routes", "table", table] => Endpoint::Table(Table::read(table)?),
        ["routes", "table", table, "filtered"] => Endpoint::TableFiltered(Table::read(table)?),
        ["routes", "table", table, "peer", name] => routes(Side::Accepted, name, Some(Table::read(table)?)),
        ["routes", "count", "protocol", name] => Endpoint::CountProtocol((*name).to_owned()),
        ["routes", "count", "primary", name] => Endpoint::CountPrimary((*name).to_owned()),
        ["routes", "count", "table", table] => Endpoint::CountTable(Table::read(table)?),
        ["routes", "prefix"] | ["routes", "prefix", ""] => {
            Endpoint::Lookup(Target::read(parameter("prefix")?)?)
        }
        ["route" | "routes", "net", target] => Endpoint::Lookup(Target::read(target)?),
        // A slash that was not written as %2F.
        ["route" | "routes", "net", addr, length] => {
            Endpoint::Lookup(Target::read(&format!("{addr}/{length}"))?)
        }
        ["route" | "routes", "net", addr, "mask", length] => {
            Endpoint::Lookup(Target::read(&format!("{addr}/{length}"))?)
        }
        ["route" | "routes", "net", target, "table", table] => {
            let target = Target::read(target)?;
            (Table::read(table)? == target.table()).then_some(Endpoint::Lookup(target))?
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str) -> Option<Endpoint> {
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        Asked::read(path, query).map(|asked| asked.endpoint)
    }

    #[test]
    fn paths_of_birdwatcher_are_known() {
        let lookup = |text: &str| Some(Endpoint::Lookup(Target::read(text).unwrap()));
        assert_eq!(read("/protocols/bgp"), Some(Endpoint::Protocols));
        assert_eq!(read("/protocols/bgp/"), Some(Endpoint::Protocols));
        assert_eq!(read("/routes/prefix?prefix=10.0.0.0/8"), lookup("10.0.0.0/8"));
        assert_eq!(read("/routes/prefix?prefix=2001:db8::%2F32"), lookup("2001:db8::/32"));
        assert_eq!(read("/route/net/10.0.0.0%2F8"), lookup("10.0.0.0/8"));
        assert_eq!(read("/route/net/10.0.0.0/8"), lookup("10.0.0.0/8"));
        assert_eq!(read("/route/net/10.0.0.1/table/master4"), lookup("10.0.0.1"));
        assert_eq!(read("/route/net/10.0.0.1/table/master6"), None);
        assert_eq!(read("/routes/table/master6/filtered"), Some(Endpoint::TableFiltered(Table::V6)));
        let of = |side, name: &str, table| Some(Endpoint::Routes { side, neighbor: name.into(), table });
        assert_eq!(read("/routes/protocol/2001:db8::2"), of(Side::Accepted, "2001:db8::2", None));
        assert_eq!(read("/routes/noexport/"), of(Side::NotExported, "", None));
        assert_eq!(
            read("/routes/table/master4/peer/10.0.0.2"),
            of(Side::Accepted, "10.0.0.2", Some(Table::V4))
        );
    }

    #[test]
    fn what_is_not_birdwatchers_is_nothing() {
        let strange = [
            "",
            "/",
            "//",
            "/routes",
            "/routes/table/T1",
            "/routes/prefix",
            "/routes/prefix?prefix=x",
            "/status/x",
            "/routes/protocol/%",
            "/routes/protocol/%zz",
            "/routes/protocol/%00",
            "/routes/protocol/%0a",
            "/../etc/passwd",
            "/routes/protocol/%ff",
        ];
        for path in strange {
            assert_eq!(read(path), None, "{path}");
        }
        assert_eq!(read(&format!("/routes/protocol/{}", "x".repeat(200))), None);
    }

    #[test]
    fn a_reply_may_be_asked_for_fresh() {
        assert!(Asked::read("/protocols/short", Some("uncached=true")).unwrap().uncached);
        assert!(!Asked::read("/protocols/short", Some("uncached=false&x")).unwrap().uncached);
    }

    proptest::proptest! {
        #[test]
        fn no_path_is_too_strange(path in ".*", query in proptest::option::of(".*")) {
            let _ = Asked::read(&path, query.as_deref());
        }
    }
}
