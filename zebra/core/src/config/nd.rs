//! `ipv6 nd …` in the `interface` node: what router advertisements say (RFC 4861, 4191, 6275, 8106, 8781).

use ferrite_cli::{Args, CliError, Negation, Setting};

use crate::ra::packet::nat64_code;
use crate::ra::settings::{HOP_LIMIT, INTERVAL, NdPrefix, RaInterval, RouterPreference, Timed};
use crate::settings::InterfaceSettings;

const IPV6: &str = "Interface IPv6 config commands";
const ND: &str = "Neighbor discovery";
const CONFLICT: &str = "This ra-lifetime conflicts with configured ra-interval";

/// A row for a setting that is either there or not.
macro_rules! flag {
    ($field:ident, $syntax:literal, $help:literal) => {
        Setting {
            syntax: $syntax,
            help: &[IPV6, ND, $help],
            no: Negation::Derived,
            set: |i, _| {
                i.nd.$field = true;
                Ok(())
            },
            unset: |i, _| {
                i.nd.$field = false;
                Ok(())
            },
            render: |i, lines| {
                if i.nd.$field {
                    lines.line($syntax);
                }
            },
            examples: &[$syntax],
        }
    };
}

/// A row for a setting with one number; the last argument is the value that says nothing.
macro_rules! number {
    ($field:ident, $name:literal, $range:literal, $help:expr, $example:literal, $default:expr) => {
        Setting {
            syntax: concat!($name, " ", $range, "$value"),
            help: &[IPV6, ND, $help.0, $help.1],
            no: Negation::Derived,
            set: |i, args| {
                let value = args.parse("value")?;
                i.nd.$field = Some(value).filter(|value| Some(*value) != $default);
                Ok(())
            },
            unset: |i, _| {
                i.nd.$field = None;
                Ok(())
            },
            render: |i, lines| {
                if let Some(value) = i.nd.$field {
                    lines.line(format!(concat!($name, " {}"), value));
                }
            },
            examples: &[concat!($name, " ", $example)],
        }
    };
}

/// A row for a list of things with a lifetime.
macro_rules! timed {
    ($field:ident: $type:ty, $name:literal, $variable:literal, $help:literal, $value:literal, $check:expr, $example:literal) => {
        Setting {
            syntax: concat!($name, " ", $variable, "$value [<(0-4294967295)|infinite>$lifetime]"),
            help: &[IPV6, ND, $help, $value, "Valid lifetime in seconds", "Infinite valid lifetime"],
            no: Negation::Derived,
            set: |i, args| {
                let value: $type = args.parse("value")?;
                let check: fn(&$type) -> Result<(), CliError> = $check;
                check(&value)?;
                let lifetime = lifetime(args, "lifetime")?;
                i.nd.$field.retain(|present| present.value != value);
                i.nd.$field.push(Timed { value, lifetime });
                Ok(())
            },
            unset: |i, args| {
                let value: $type = args.parse("value")?;
                i.nd.$field.retain(|present| present.value != value);
                Ok(())
            },
            render: |i, lines| {
                let mut texts: Vec<String> = i
                    .nd
                    .$field
                    .iter()
                    .map(|item| match item.lifetime {
                        Some(lifetime) => format!(concat!($name, " {} {}"), item.value, seconds(lifetime)),
                        None => format!(concat!($name, " {}"), item.value),
                    })
                    .collect();
                texts.sort_unstable();
                texts.into_iter().for_each(|text| lines.line(text));
            },
            examples: &[concat!($name, " ", $example), concat!($name, " ", $example, " infinite")],
        }
    };
}

fn lifetime(args: &Args, name: &str) -> Result<Option<u32>, CliError> {
    match args.get(name) {
        None => Ok(None),
        Some("infinite") => Ok(Some(u32::MAX)),
        Some(_) => args.parse(name).map(Some),
    }
}

fn seconds(lifetime: u32) -> String {
    if lifetime == u32::MAX { "infinite".to_owned() } else { lifetime.to_string() }
}

fn any<T>(_: &T) -> Result<(), CliError> {
    Ok(())
}

/// A name as DNS has it: labels of at most 63 octets, 253 in all.
fn domain(name: &str) -> Result<(), CliError> {
    let labels = || name.trim_end_matches('.').split('.');
    if name.len() > 253 || labels().any(|label| label.is_empty() || label.len() > 63) {
        return Err(CliError::refused("Malformed DNS search domain"));
    }
    Ok(())
}

fn nat64(prefix: &ferrite_types::Prefix) -> Result<(), CliError> {
    match nat64_code(*prefix) {
        Some(_) => Ok(()),
        None => Err(CliError::refused("A NAT64 prefix has 32, 40, 48, 56, 64 or 96 bits")),
    }
}

fn prefix(args: &Args) -> Result<NdPrefix, CliError> {
    let valid = lifetime(args, "valid")?;
    let preferred = lifetime(args, "preferred")?;
    let lifetimes = valid.zip(preferred);
    if lifetimes.is_some_and(|(valid, preferred)| preferred > valid) {
        return Err(CliError::refused("Invalid preferred lifetime"));
    }
    Ok(NdPrefix {
        prefix: args.parse("prefix")?,
        lifetimes,
        off_link: args.has("off_link"),
        no_autoconfig: args.has("no_autoconfig"),
        router_address: args.has("router_address"),
    })
}

fn prefix_line(prefix: &NdPrefix) -> String {
    let mut text = format!("ipv6 nd prefix {}", prefix.prefix);
    if let Some((valid, preferred)) = prefix.lifetimes {
        text.push_str(&format!(" {} {}", seconds(valid), seconds(preferred)));
    }
    let words = [
        (prefix.off_link, " off-link"),
        (prefix.no_autoconfig, " no-autoconfig"),
        (prefix.router_address, " router-address"),
    ];
    words.iter().filter(|(given, _)| *given).for_each(|(_, word)| text.push_str(word));
    text
}

/// In the order of FRR's running configuration.
pub(super) static SETTINGS: &[Setting<InterfaceSettings>] = &[
    flag!(interval_option, "ipv6 nd adv-interval-option", "Advertisement Interval Option"),
    timed!(dnssl: String, "ipv6 nd dnssl", "SUFFIX", "DNS search list information", "Domain name suffix", |name| domain(name), "example.com"),
    flag!(home_agent, "ipv6 nd home-agent-config-flag", "Home Agent configuration flag"),
    number!(
        home_agent_lifetime,
        "ipv6 nd home-agent-lifetime",
        "(1-65520)",
        ("Home Agent lifetime", "Home Agent lifetime in seconds"),
        "1000",
        None::<u16>
    ),
    number!(
        home_agent_preference,
        "ipv6 nd home-agent-preference",
        "(0-65535)",
        ("Home Agent preference", "preference value"),
        "10",
        Some(0_u16)
    ),
    flag!(managed, "ipv6 nd managed-config-flag", "Managed address configuration flag"),
    number!(mtu, "ipv6 nd mtu", "(1-65535)", ("Advertised MTU", "MTU in bytes"), "1400", None::<u16>),
    timed!(
        nat64: ferrite_types::Prefix,
        "ipv6 nd nat64",
        "X:X::X:X/M",
        "NAT64 prefix (RFC 8781)",
        "IPv6 prefix of 32, 40, 48, 56, 64 or 96 bits",
        nat64,
        "64:ff9b::/96"
    ),
    flag!(other, "ipv6 nd other-config-flag", "Other statefull configuration flag"),
    Setting {
        syntax: "ipv6 nd prefix X:X::X:X/M$prefix [<(0-4294967295)|infinite>$valid <(0-4294967295)|infinite>$preferred] \
                 [{router-address$router_address|off-link$off_link|no-autoconfig$no_autoconfig}]",
        help: &[
            IPV6,
            ND,
            "Prefix information",
            "IPv6 prefix",
            "Valid lifetime in seconds",
            "Infinite valid lifetime",
            "Preferred lifetime in seconds",
            "Infinite preferred lifetime",
            "Set Router Address flag",
            "Do not use prefix for onlink determination",
            "Do not use prefix for autoconfiguration",
        ],
        no: Negation::Derived,
        set: |i, args| {
            let new = prefix(args)?;
            i.nd.prefixes.retain(|present| present.prefix != new.prefix);
            i.nd.prefixes.push(new);
            i.nd.prefixes.sort_by_key(|prefix| prefix.prefix);
            Ok(())
        },
        unset: |i, args| {
            let gone = args.parse("prefix")?;
            i.nd.prefixes.retain(|present| present.prefix != gone);
            Ok(())
        },
        render: |i, lines| {
            let mut texts: Vec<String> = i.nd.prefixes.iter().map(prefix_line).collect();
            texts.sort_unstable();
            texts.into_iter().for_each(|text| lines.line(text));
        },
        examples: &[
            "ipv6 nd prefix 2001:db8::/64",
            "ipv6 nd prefix 2001:db8:1::/64 100 50 off-link no-autoconfig router-address",
        ],
    },
    number!(
        hop_limit,
        "ipv6 nd ra-hop-limit",
        "(0-255)",
        ("Advertisement Hop Limit", "Advertisement Hop Limit in hops"),
        "32",
        Some(HOP_LIMIT)
    ),
    Setting {
        syntax: "ipv6 nd ra-interval <(1-1800)$seconds|msec (70-1800000)$msec>",
        help: &[
            IPV6,
            ND,
            "Router Advertisement interval",
            "Router Advertisement interval in seconds",
            "Router Advertisement interval in milliseconds",
            "Router Advertisement interval in milliseconds",
        ],
        no: Negation::Derived,
        set: |i, args| {
            let seconds: Option<u32> = args.parse_opt("seconds")?;
            let msec = match seconds {
                Some(seconds) => seconds * 1000,
                None => args.parse("msec")?,
            };
            if i.nd.lifetime.is_some_and(|lifetime| lifetime > 0 && u32::from(lifetime) < msec / 1000) {
                return Err(CliError::refused(CONFLICT));
            }
            let interval = RaInterval { msec, as_msec: msec % 1000 != 0 };
            i.nd.interval = Some(interval).filter(|interval| interval.msec != INTERVAL);
            Ok(())
        },
        unset: |i, _| {
            i.nd.interval = None;
            Ok(())
        },
        render: |i, lines| match i.nd.interval {
            Some(RaInterval { msec, as_msec: true }) => {
                lines.line(format!("ipv6 nd ra-interval msec {msec}"));
            }
            Some(RaInterval { msec, .. }) => lines.line(format!("ipv6 nd ra-interval {}", msec / 1000)),
            None => {}
        },
        examples: &["ipv6 nd ra-interval 5", "ipv6 nd ra-interval msec 250"],
    },
    Setting {
        syntax: "ipv6 nd ra-lifetime (0-9000)$value",
        help: &[IPV6, ND, "Router lifetime", "Router lifetime in seconds (0 stands for a non-default gw)"],
        no: Negation::Derived,
        set: |i, args| {
            let value: u16 = args.parse("value")?;
            if value > 0 && u32::from(value) < i.nd.interval_msec() / 1000 {
                return Err(CliError::refused(CONFLICT));
            }
            i.nd.lifetime = Some(value);
            Ok(())
        },
        unset: |i, _| {
            i.nd.lifetime = None;
            Ok(())
        },
        render: |i, lines| {
            if let Some(value) = i.nd.lifetime {
                lines.line(format!("ipv6 nd ra-lifetime {value}"));
            }
        },
        examples: &["ipv6 nd ra-lifetime 1800", "ipv6 nd ra-lifetime 0"],
    },
    number!(
        retransmit,
        "ipv6 nd ra-retrans-interval",
        "(0-4294967295)",
        ("Advertisement Retransmit Interval", "Advertisement Retransmit Interval in msec"),
        "500",
        Some(0_u32)
    ),
    timed!(rdnss: std::net::Ipv6Addr, "ipv6 nd rdnss", "X:X::X:X", "Recursive DNS server information", "IPv6 address", any, "2001:db8::53"),
    number!(
        reachable_time,
        "ipv6 nd reachable-time",
        "(1-3600000)",
        ("Reachable time", "Reachable time in milliseconds"),
        "1000",
        None::<u32>
    ),
    Setting {
        syntax: "ipv6 nd router-preference <high|medium|low>$value",
        help: &[
            IPV6,
            ND,
            "Default router preference",
            "High default router preference",
            "Medium default router preference (default)",
            "Low default router preference",
        ],
        no: Negation::Derived,
        set: |i, args| {
            i.nd.preference = match args.get("value") {
                Some("high") => RouterPreference::High,
                Some("low") => RouterPreference::Low,
                _ => RouterPreference::Medium,
            };
            Ok(())
        },
        unset: |i, _| {
            i.nd.preference = RouterPreference::Medium;
            Ok(())
        },
        render: |i, lines| {
            if i.nd.preference != RouterPreference::Medium {
                lines.line(format!("ipv6 nd router-preference {}", i.nd.preference.word()));
            }
        },
        examples: &["ipv6 nd router-preference high"],
    },
    Setting {
        syntax: "ipv6 nd ra-fast-retrans",
        help: &[IPV6, ND, "Fast retransmit of RA packets"],
        no: Negation::Derived,
        set: |i, _| {
            i.nd.no_fast = false;
            Ok(())
        },
        unset: |i, _| {
            i.nd.no_fast = true;
            Ok(())
        },
        render: |i, lines| {
            if i.nd.no_fast {
                lines.line("no ipv6 nd ra-fast-retrans");
            }
        },
        examples: &["no ipv6 nd ra-fast-retrans"],
    },
    Setting {
        syntax: "ipv6 nd suppress-ra",
        help: &[IPV6, ND, "Suppress Router Advertisement"],
        no: Negation::Derived,
        set: |i, _| {
            i.nd.advertise = false;
            Ok(())
        },
        unset: |i, _| {
            i.nd.advertise = true;
            Ok(())
        },
        render: |i, lines| {
            if i.nd.advertise {
                lines.line("no ipv6 nd suppress-ra");
            }
        },
        examples: &["no ipv6 nd suppress-ra"],
    },
];
