//! What `debug ospf …` and `debug ospf6 …` switch on: the log lines of these targets. A line with more words is a part of the
//! one with fewer.

use super::Commands;
use crate::Roles;

/// The flags of a version, told apart by what stands after `debug ospf` or `debug ospf6`.
macro_rules! flags {
    ($name:ident $word:literal $daemon:literal $title:literal $about:literal;
     $($words:literal $target:literal $text:literal [$($help:literal),*];)*) => {
        pub static $name: &[ferrite_cli::DebugFlag] = &[$(ferrite_cli::DebugFlag {
            line: concat!("debug ", $word, " ", $words),
            target: concat!($daemon, "::", $target),
            text: concat!($title, " ", $text, " debugging is on"),
            help: &["Debugging functions", $about, $($help),*],
        }),*];
    };
    ($name:ident $word:literal $daemon:literal $about:literal;
     $($words:literal $target:literal [$($help:literal),*];)*) => {
        pub static $name: &[ferrite_cli::DebugFlag] = &[$(ferrite_cli::DebugFlag {
            line: concat!("debug ", $word, " ", $words),
            target: concat!($daemon, "::", $target),
            text: concat!("debug ", $word, " ", $words),
            help: &["Debugging functions", $about, $($help),*],
        }),*];
    };
}
use flags;

pub mod v2;
pub mod v3;

use v2::V2;
use v3::V3;

pub fn register(registry: &mut Commands, roles: Roles) {
    if roles.v2 {
        registry.debug_flags(V2);
    }
    if roles.v3 {
        registry.debug_flags(V3);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What FRR 10.3 says where one thing is debugged.
    const SHOWN: &[(&str, &str)] = &[
        ("debug ospf event", "OSPF event debugging is on"),
        ("debug ospf ism", "OSPF ISM debugging is on"),
        ("debug ospf ism status", "OSPF ISM status debugging is on"),
        ("debug ospf ism events", "OSPF ISM event debugging is on"),
        ("debug ospf ism timers", "OSPF ISM timer debugging is on"),
        ("debug ospf nsm", "OSPF NSM debugging is on"),
        ("debug ospf nsm status", "OSPF NSM status debugging is on"),
        ("debug ospf nsm events", "OSPF NSM event debugging is on"),
        ("debug ospf nsm timers", "OSPF NSM timer debugging is on"),
        ("debug ospf lsa", "OSPF LSA debugging is on"),
        ("debug ospf lsa generate", "OSPF LSA generation debugging is on"),
        ("debug ospf lsa flooding", "OSPF LSA flooding debugging is on"),
        ("debug ospf lsa install", "OSPF LSA install debugging is on"),
        ("debug ospf lsa refresh", "OSPF LSA refresh debugging is on"),
        ("debug ospf zebra interface", "OSPF Zebra interface debugging is on"),
        ("debug ospf zebra redistribute", "OSPF Zebra redistribute debugging is on"),
        ("debug ospf nssa", "OSPF NSSA debugging is on"),
        ("debug ospf te", "OSPF TE debugging is on"),
        ("debug ospf ldp-sync", "OSPF ldp-sync debugging is on"),
        ("debug ospf graceful-restart", "OSPF Graceful Restart debugging is on"),
        ("debug ospf client-api", "OSPF client-api debugging is on"),
        ("debug ospf packet hello recv", "OSPF packet Hello receive debugging is on"),
        ("debug ospf packet hello", "OSPF packet Hello debugging is on"),
        ("debug ospf packet hello detail", "OSPF packet Hello detail debugging is on"),
        ("debug ospf packet dd send detail", "OSPF packet Database Description send detail debugging is on"),
        ("debug ospf packet dd", "OSPF packet Database Description debugging is on"),
        ("debug ospf packet ls-request recv", "OSPF packet Link State Request receive debugging is on"),
        ("debug ospf packet ls-update", "OSPF packet Link State Update debugging is on"),
        (
            "debug ospf packet ls-ack recv detail",
            "OSPF packet Link State Acknowledgment receive detail debugging is on",
        ),
    ];

    #[test]
    fn what_is_debugged_is_shown_in_frrs_words() {
        for (line, text) in SHOWN {
            let flag = V2.iter().find(|flag| flag.line == *line);
            assert_eq!(flag.map(|flag| flag.text), Some(*text), "{line}");
        }
        assert!(V3.iter().all(|flag| flag.text == flag.line));
    }
}
