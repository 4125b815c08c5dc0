//! Settings of a session: everything under `neighbor X` that belongs to no address family.
//!
//! Field, meaning and unit here; command, `no` and rendering in the row of the same name below, in the order of FRR's
//! running configuration.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use bgp_packet::Family;
use ferrite_cli::CliError;

use super::effective::BGP_PORT;
use super::graceful::GracefulMode;
use super::peer::{No, Part, PeerRow, PeerSettings, flag, number};
use super::sessions::{self, LocalRole, RttLimit};
use super::types::{SessionKind, Timers, WrittenAsn};

/// Longest TCP MD5 key (Linux, `TCP_MD5SIG_MAXKEYLEN`), octets.
const PASSWORD_MAX: usize = 80;
/// Longest shutdown communication (RFC 9003 §2), octets.
pub(super) const MESSAGE_MAX: usize = 255;

/// `neighbor X local-as ASN [no-prepend [replace-as [dual-as]]]`: the AS we show this neighbour.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LocalAs {
    pub asn: WrittenAsn,
    /// The AS is not prepended to what the neighbour sends.
    pub no_prepend: bool,
    /// The neighbour sees the AS only, not that of `router bgp` behind it.
    pub replace_as: bool,
    /// Where the neighbour refuses the AS, that of `router bgp` is tried, and the other way round.
    pub dual_as: bool,
}

/// `neighbor X shutdown [message …]`.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Shutdown {
    /// Shutdown communication for the NOTIFICATION (RFC 9003), at most 255 octets.
    pub message: Option<String>,
}

/// `neighbor X update-source …`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum UpdateSource {
    Address(IpAddr),
    /// The address of that interface which fits.
    Interface(String),
}

impl FromStr for UpdateSource {
    type Err = std::convert::Infallible;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text.parse().map_or_else(|_| Self::Interface(text.to_owned()), Self::Address))
    }
}

impl fmt::Display for UpdateSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(addr) => addr.fmt(f),
            Self::Interface(name) => f.write_str(name),
        }
    }
}

/// What a neighbour or group says about its session. `None`, `false` and the empty set say nothing: a member then has the
/// group's, anybody else the default. [`super::EffectiveSession`] is the outcome.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SessionSettings {
    pub local_as: Option<LocalAs>,
    /// The only one that members do not inherit.
    pub description: Option<String>,
    pub shutdown: Option<Shutdown>,
    /// The session ends where the way to the neighbour takes longer.
    pub shutdown_rtt: Option<RttLimit>,
    pub password: Option<String>,
    /// `tcp-ao key-chain NAME` (RFC 5925), instead of a password.
    pub tcp_ao: Option<String>,
    /// An update group of its own.
    pub solo: bool,
    /// TCP port of the neighbour.
    pub port: Option<u16>,
    /// Octets.
    pub tcp_mss: Option<u16>,
    pub passive: bool,
    /// TTL of what we send on an eBGP session.
    pub ebgp_multihop: Option<u8>,
    /// AIGP is taken and given (RFC 7311).
    pub aigp: bool,
    /// No session before a cache has told its data.
    pub rpki_strict: bool,
    /// Our routes carry GRACEFUL_SHUTDOWN, theirs are put last (RFC 8326).
    pub graceful_shutdown: bool,
    /// Role towards the neighbour (RFC 9234).
    pub local_role: Option<LocalRole>,
    /// The neighbour's AS is under one administration with ours: it is told what only iBGP tells.
    pub oad: bool,
    /// GTSM: hops the neighbour may be away (RFC 5082).
    pub ttl_security: Option<u8>,
    pub disable_connected_check: bool,
    pub enforce_first_as: Option<bool>,
    /// OPEN in the form of RFC 9072, whatever its length.
    pub extended_optional_parameters: bool,
    pub update_source: Option<UpdateSource>,
    /// `neighbor ADDRESS interface IFNAME`; not inherited.
    pub interface: Option<String>,
    /// `neighbor IFNAME interface v6only`; not inherited. Rendered with the neighbour's first line.
    pub v6only: bool,
    /// IPv4 routes may have IPv6 next hops (RFC 8950). A neighbour on an interface always has it.
    pub extended_next_hop: bool,
    /// Seconds between runs of UPDATEs.
    pub advertisement_interval: Option<u16>,
    pub timers: Option<Timers>,
    /// Seconds between attempts to connect.
    pub connect_retry: Option<u16>,
    /// Seconds to wait for the neighbour's OPEN before sending ours (RFC 4271 §8, DelayOpen).
    pub delay_open: Option<u8>,
    pub capability_dynamic: Option<bool>,
    pub capability_software_version: Option<bool>,
    pub dont_capability_negotiate: bool,
    /// The hostname capability is sent.
    pub capability_fqdn: Option<bool>,
    /// Families are taken as configured here, whatever the OPEN says.
    pub override_capability: bool,
    /// A session comes up only with the same capabilities on both sides.
    pub strict_capability_match: bool,
    /// A route whose path holds the neighbour's AS is not sent.
    pub sender_loop_detection: bool,
    /// Attributes to drop on receipt, by type code.
    pub path_attribute_discard: BTreeSet<u8>,
    /// Attributes for which a route is treated as withdrawn, by type code.
    pub path_attribute_withdraw: BTreeSet<u8>,
    /// What we do about restarts with this neighbour.
    pub graceful: Option<GracefulMode>,
    /// Link bandwidths are written as an integer, not as a floating point number.
    pub link_bandwidth_integer: bool,
    /// Link bandwidths that policy sets have 64 bits.
    pub link_bandwidth_extended: bool,
}

const TTL_CONFLICT: &str = "ebgp-multihop and ttl-security cannot be configured together";

impl Part for SessionSettings {
    fn of(settings: &PeerSettings, _: Family) -> Option<&Self> {
        Some(&settings.session)
    }

    fn of_mut(settings: &mut PeerSettings, _: Family) -> Option<&mut Self> {
        Some(&mut settings.session)
    }

    fn normalise(&mut self, group: Option<&Self>) {
        if self.port == Some(BGP_PORT) && group.is_none_or(|group| group.port.is_none()) {
            self.port = None;
        }
        let Some(group) = group else { return };
        if self.ebgp_multihop == group.ebgp_multihop {
            self.ebgp_multihop = None;
        }
        if self.ttl_security == group.ttl_security {
            self.ttl_security = None;
        }
        if self.enforce_first_as == group.enforce_first_as {
            self.enforce_first_as = None;
        }
        if self.capability_fqdn.unwrap_or(true) == group.capability_fqdn.unwrap_or(true) {
            self.capability_fqdn = None;
        }
    }

    fn conflict(&self, group: Option<&Self>) -> Option<&'static str> {
        let either = |of: fn(&Self) -> bool| of(self) || group.is_some_and(of);
        if either(|part| part.ebgp_multihop.is_some()) && either(|part| part.ttl_security.is_some()) {
            return Some(TTL_CONFLICT);
        }
        if either(|part| part.override_capability) && either(|part| part.strict_capability_match) {
            return Some("Can't set override-capability and strict-capability-match at the same time");
        }
        None
    }

    fn settle(&mut self, kind: Option<SessionKind>) {
        if kind == Some(SessionKind::Internal) {
            self.ebgp_multihop = None;
            self.local_role = None;
        }
    }
}

/// Attributes without which no session works; those are never discarded by choice (FRR's list).
const NEEDED: &[(u8, &str)] = &[
    (1, "ORIGIN"),
    (2, "AS_PATH"),
    (3, "NEXT_HOP"),
    (4, "MULTI_EXIT_DISC"),
    (14, "MP_REACH_NLRI"),
    (15, "MP_UNREACH_NLRI"),
    (16, "EXT_COMMUNITIES"),
];

fn attribute_codes(args: &ferrite_cli::Args, what: &str) -> Result<BTreeSet<u8>, CliError> {
    let mut codes = BTreeSet::new();
    for text in args.all("code") {
        let code = text.parse().map_err(|_| CliError::refused(format!("Invalid attribute {text}")))?;
        if let Some((_, name)) = NEEDED.iter().find(|(needed, _)| *needed == code) {
            return Err(CliError::refused(format!("Can't {what} path-attribute {name}")));
        }
        codes.insert(code);
    }
    Ok(codes)
}

fn code_list(codes: &BTreeSet<u8>) -> String {
    codes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// Timers as FRR takes them: no hold time below three seconds but zero, and a keepalive interval of at most a third.
pub(super) fn checked_timers(args: &ferrite_cli::Args, refusal: &'static str) -> Result<Timers, CliError> {
    let Timers { keepalive, hold } =
        Timers { keepalive: args.parse("keepalive")?, hold: args.parse("hold")? };
    if hold != 0 && hold < 3 {
        return Err(CliError::refused(refusal));
    }
    let keepalive = if hold == 0 { keepalive } else { keepalive.min(hold / 3) };
    Ok(Timers { keepalive, hold })
}

pub(super) fn checked_message(args: &ferrite_cli::Args) -> Result<String, CliError> {
    let text = words(args);
    if text.len() > MESSAGE_MAX {
        return Err(CliError::refused(format!("Shutdown message is longer than {MESSAGE_MAX} octets")));
    }
    Ok(text)
}

/// The words named `text`, with one space between them.
fn words(args: &ferrite_cli::Args) -> String {
    args.all("text").collect::<Vec<_>>().join(" ")
}

/// The rows of what a neighbour says about restarts; the first renders for all.
macro_rules! graceful {
    ($syntax:literal, $help:literal, $mode:expr, $render:expr) => {
        PeerRow {
            syntax: $syntax,
            help: &[$help],
            no: No::Derived,
            set: |target, _| {
                target.own.graceful = Some($mode);
                Ok(())
            },
            unset: |target, _| match target.own.graceful {
                Some(other) if other != $mode => {
                    Err(CliError::refused("The Graceful Restart command used is not valid at this moment."))
                }
                _ => {
                    target.own.graceful = None;
                    Ok(())
                }
            },
            render: $render,
            examples: &[$syntax],
        }
    };
}

pub(super) static ROWS: &[PeerRow<SessionSettings>] = &[
    PeerRow {
        syntax: "local-as ASNUM$asn [no-prepend$no_prepend [replace-as$replace_as [dual-as$dual_as]]]",
        help: &[
            "Specify a local-as number",
            "AS number expressed in dotted or plain format used as local AS",
            "Do not prepend local-as to updates from ebgp peers",
            "Do not prepend local-as to updates from ibgp peers",
            "Allow peering with a global AS number or local-as number",
        ],
        no: No::Derived,
        set: |target, args| {
            let asn: WrittenAsn = args.parse("asn")?;
            if asn.asn == target.router_asn {
                return Err(CliError::refused("Cannot have local-as same as BGP AS number"));
            }
            target.own.local_as = Some(LocalAs {
                asn,
                no_prepend: args.has("no_prepend"),
                replace_as: args.has("replace_as"),
                dual_as: args.has("dual_as"),
            });
            Ok(())
        },
        unset: |target, _| {
            target.own.local_as = None;
            Ok(())
        },
        render: |settings, out| {
            if let Some(local) = settings.local_as {
                let mut text = format!("local-as {}", local.asn);
                for (given, word) in [
                    (local.no_prepend, "no-prepend"),
                    (local.replace_as, "replace-as"),
                    (local.dual_as, "dual-as"),
                ] {
                    if given {
                        text = format!("{text} {word}");
                    }
                }
                out.yes(text);
            }
        },
        examples: &[
            "local-as 65100",
            "local-as 65100 no-prepend",
            "local-as 65100 no-prepend replace-as dual-as",
        ],
    },
    PeerRow {
        syntax: "description LINE$text...",
        help: &["Neighbor specific description", "Up to 80 characters describing this neighbor"],
        no: No::Derived,
        set: |target, args| {
            target.own.description = Some(words(args));
            Ok(())
        },
        unset: |target, _| {
            target.own.description = None;
            Ok(())
        },
        render: |settings, out| out.value("description", settings.description.as_deref()),
        examples: &["description to the north"],
    },
    PeerRow {
        syntax: "shutdown",
        help: &["Administratively shut down this neighbor"],
        no: No::Derived,
        set: |target, _| {
            target.own.shutdown.get_or_insert_default();
            Ok(())
        },
        unset: |target, _| {
            target.own.shutdown = None;
            Ok(())
        },
        render: |settings, out| match &settings.shutdown {
            Some(Shutdown { message: None }) => out.yes("shutdown"),
            Some(Shutdown { message: Some(text) }) => out.yes(format!("shutdown message {text}")),
            None => {}
        },
        examples: &["shutdown"],
    },
    PeerRow {
        syntax: "shutdown message MSG$text...",
        help: &[
            "Administratively shut down this neighbor",
            "Add a shutdown message (RFC 8203)",
            "Shutdown message",
        ],
        no: No::Derived,
        set: |target, args| {
            let message = Some(checked_message(args)?);
            target.own.shutdown = Some(Shutdown { message });
            Ok(())
        },
        unset: |target, _| {
            target.own.shutdown = None;
            Ok(())
        },
        render: |_, _| {}, // by `shutdown`
        examples: &["shutdown message maintenance until noon"],
    },
    sessions::SHUTDOWN_RTT,
    PeerRow {
        syntax: "password LINE$password",
        help: &["Set a password", "The password"],
        no: No::Derived,
        set: |target, args| {
            let password: String = args.parse("password")?;
            if password.len() > PASSWORD_MAX {
                return Err(CliError::refused("Invalid value"));
            }
            if target.own.tcp_ao.is_some() {
                return Err(CliError::refused(sessions::ONE_SIGNATURE));
            }
            target.own.password = Some(password);
            Ok(())
        },
        unset: |target, _| {
            target.own.password = None;
            Ok(())
        },
        render: |settings, out| out.value("password", settings.password.as_deref()),
        examples: &["password secret"],
    },
    sessions::TCP_AO,
    sessions::SOLO,
    number!(port, "port", "(0-65535)", &["Neighbor's BGP port", "TCP port number"], "1790"),
    PeerRow {
        syntax: "interface WORD$interface",
        help: &["Interface", "Interface name"],
        // Without a name the line is that of `neighbor IFNAME interface`, which takes care of both.
        no: No::Syntax("interface WORD$interface", &["Interface", "Interface name"]),
        set: |target, args| {
            if target.interface.is_some() {
                return Err(CliError::refused("The neighbor is known by its interface already"));
            }
            target.own.interface = Some(args.parse("interface")?);
            Ok(())
        },
        unset: |target, _| {
            target.own.interface = None;
            Ok(())
        },
        render: |settings, out| out.value("interface", settings.interface.as_deref()),
        examples: &["interface eth0"],
    },
    number!(
        tcp_mss,
        "tcp-mss",
        "(1-65535)",
        &["TCP max segment size", "TCP max segment size in bytes"],
        "1400"
    ),
    flag!(passive, "passive", &["Don't send open messages to this neighbor"]),
    PeerRow {
        syntax: "ebgp-multihop [(1-255)$hops]",
        help: &["Allow EBGP neighbors not on directly connected networks", "maximum hop count"],
        no: No::Derived,
        set: |target, args| {
            // As in FRR: iBGP sessions have the full TTL anyhow, and one hop is the default.
            if target.kind == Some(SessionKind::Internal) {
                return Ok(());
            }
            let hops = args.parse_opt("hops")?.unwrap_or(255);
            let secured = |session: &SessionSettings| session.ttl_security.is_some();
            if secured(target.own) || target.group.is_some_and(secured) {
                return Err(CliError::refused(TTL_CONFLICT));
            }
            target.own.ebgp_multihop = (hops != 1).then_some(hops);
            Ok(())
        },
        unset: |target, _| {
            target.own.ebgp_multihop = None;
            Ok(())
        },
        render: |settings, out| match settings.ebgp_multihop {
            Some(255) => out.yes("ebgp-multihop"),
            hops => out.value("ebgp-multihop", hops),
        },
        examples: &["ebgp-multihop", "ebgp-multihop 5"],
    },
    flag!(aigp, "aigp", &["Enable AIGP attribute"]),
    flag!(rpki_strict, "rpki strict", &["RPKI parameters", "No session before RPKI data are there"]),
    flag!(graceful_shutdown, "graceful-shutdown", &["Graceful shutdown"]),
    sessions::LOCAL_ROLE,
    sessions::OAD,
    PeerRow {
        syntax: "ttl-security hops (1-254)$hops",
        help: &[
            "BGP ttl-security parameters",
            "Specify the maximum number of hops to the BGP peer",
            "Number of hops to BGP peer",
        ],
        no: No::Derived,
        set: |target, args| {
            target.own.ttl_security = Some(args.parse("hops")?);
            Ok(())
        },
        unset: |target, _| {
            target.own.ttl_security = None;
            Ok(())
        },
        render: |settings, out| out.value("ttl-security hops", settings.ttl_security),
        examples: &["ttl-security hops 1"],
    },
    PeerRow {
        syntax: "<disable-connected-check|enforce-multihop>",
        help: &["one-hop away EBGP peer using loopback address", "Enforce EBGP neighbors perform multihop"],
        no: No::Derived,
        set: |target, _| {
            target.own.disable_connected_check = true;
            Ok(())
        },
        unset: |target, _| {
            target.own.disable_connected_check = false;
            Ok(())
        },
        render: |settings, out| {
            if settings.disable_connected_check {
                out.yes("disable-connected-check");
            }
        },
        examples: &["disable-connected-check"],
    },
    PeerRow {
        syntax: "enforce-first-as",
        help: &["Enforce the first AS for EBGP routes"],
        no: No::Derived,
        set: |target, _| {
            target.own.enforce_first_as = Some(true);
            Ok(())
        },
        unset: |target, _| {
            target.own.enforce_first_as = Some(false);
            Ok(())
        },
        render: |settings, out| out.either(settings.enforce_first_as, "enforce-first-as"),
        examples: &["enforce-first-as", "no enforce-first-as"],
    },
    sessions::EXTENDED_PARAMETERS,
    PeerRow {
        syntax: "update-source <A.B.C.D|X:X::X:X|WORD>$source",
        help: &["Source of routing updates", "IPv4 address", "IPv6 address", "Interface name"],
        no: No::Derived,
        set: |target, args| {
            target.own.update_source = Some(args.parse("source")?);
            Ok(())
        },
        unset: |target, _| {
            target.own.update_source = None;
            Ok(())
        },
        render: |settings, out| out.value("update-source", settings.update_source.as_ref()),
        examples: &["update-source lo", "update-source 10.0.0.9"],
    },
    number!(
        advertisement_interval,
        "advertisement-interval",
        "(0-600)",
        &["Minimum interval between sending BGP routing updates", "time in seconds"],
        "5"
    ),
    PeerRow {
        syntax: "timers (0-65535)$keepalive (0-65535)$hold",
        help: &["BGP per neighbor timers", "Keepalive interval", "Holdtime"],
        no: No::Derived,
        set: |target, args| {
            target.own.timers = Some(checked_timers(args, "Invalid value")?);
            Ok(())
        },
        unset: |target, _| {
            target.own.timers = None;
            Ok(())
        },
        render: |settings, out| out.value("timers", settings.timers),
        examples: &["timers 10 30", "timers 0 0"],
    },
    number!(
        connect_retry,
        "timers connect",
        "(1-65535)",
        &["BGP per neighbor timers", "BGP connect timer", "Connect timer"],
        "10"
    ),
    PeerRow {
        syntax: "timers delayopen (1-240)$value",
        help: &["BGP per neighbor timers", "RFC 4271 DelayOpenTimer", "DelayOpenTime timer interval"],
        no: No::Syntax(
            "timers delayopen [(0-65535)$value]",
            &["BGP per neighbor timers", "RFC 4271 DelayOpenTimer", "DelayOpenTime timer interval"],
        ),
        set: |target, args| {
            target.own.delay_open = Some(args.parse("value")?);
            Ok(())
        },
        unset: |target, _| {
            target.own.delay_open = None;
            Ok(())
        },
        render: |settings, out| out.value("timers delayopen", settings.delay_open),
        examples: &["timers delayopen 5"],
    },
    sessions::CAPABILITY_DYNAMIC,
    PeerRow {
        syntax: "capability extended-nexthop",
        help: &["Advertise capability to the peer", "Advertise extended next-hop capability to the peer"],
        no: No::Derived,
        set: |target, _| {
            target.own.extended_next_hop = target.interface.is_none();
            Ok(())
        },
        unset: |target, _| match target.interface {
            Some(name) => Err(CliError::refused(format!(
                "Peer {name} cannot have capability extended-nexthop turned off"
            ))),
            None => {
                target.own.extended_next_hop = false;
                Ok(())
            }
        },
        render: |settings, out| {
            if settings.extended_next_hop {
                out.yes("capability extended-nexthop");
            }
        },
        examples: &["capability extended-nexthop"],
    },
    sessions::CAPABILITY_SOFTWARE_VERSION,
    flag!(dont_capability_negotiate, "dont-capability-negotiate", &["Do not perform capability negotiation"]),
    PeerRow {
        syntax: "capability fqdn",
        help: &["Advertise capability to the peer", "Advertise fqdn capability to the peer"],
        no: No::Derived,
        set: |target, _| {
            let says_more = target.group.is_some();
            target.own.capability_fqdn = says_more.then_some(true);
            Ok(())
        },
        unset: |target, _| {
            target.own.capability_fqdn = Some(false);
            Ok(())
        },
        render: |settings, out| out.either(settings.capability_fqdn, "capability fqdn"),
        examples: &["no capability fqdn"],
    },
    flag!(override_capability, "override-capability", &["Override capability negotiation result"]),
    flag!(
        link_bandwidth_integer,
        "disable-link-bw-encoding-ieee",
        &["Disable IEEE floating-point encoding for extended community bandwidth"]
    ),
    flag!(
        link_bandwidth_extended,
        "extended-link-bandwidth",
        &["Send Extended (64-bit) version of encoding for Link-Bandwidth"]
    ),
    flag!(strict_capability_match, "strict-capability-match", &["Strict capability negotiation match"]),
    sessions::SENDER_LOOP_DETECTION,
    PeerRow {
        syntax: "path-attribute discard (1-255)$code...",
        help: &[
            "Manipulate path attributes from incoming UPDATE messages",
            "Drop specified attributes from incoming UPDATE messages",
            "Attribute number",
        ],
        no: No::Derived,
        set: |target, args| {
            target.own.path_attribute_discard = attribute_codes(args, "discard")?;
            Ok(())
        },
        unset: |target, _| {
            target.own.path_attribute_discard.clear();
            Ok(())
        },
        render: |settings, out| {
            let codes = &settings.path_attribute_discard;
            out.value("path-attribute discard", (!codes.is_empty()).then(|| code_list(codes)));
        },
        examples: &["path-attribute discard 22 35"],
    },
    PeerRow {
        syntax: "path-attribute treat-as-withdraw (1-255)$code...",
        help: &[
            "Manipulate path attributes from incoming UPDATE messages",
            "Treat-as-withdraw any incoming BGP UPDATE messages containing the specified attribute",
            "Attribute number",
        ],
        no: No::Derived,
        set: |target, args| {
            target.own.path_attribute_withdraw = attribute_codes(args, "treat-as-withdraw")?;
            Ok(())
        },
        unset: |target, _| {
            target.own.path_attribute_withdraw.clear();
            Ok(())
        },
        render: |settings, out| {
            let codes = &settings.path_attribute_withdraw;
            out.value("path-attribute treat-as-withdraw", (!codes.is_empty()).then(|| code_list(codes)));
        },
        examples: &["path-attribute treat-as-withdraw 22 35"],
    },
    graceful!(
        "graceful-restart",
        "Graceful restart capability parameters",
        GracefulMode::Restart,
        |settings, out| match settings.graceful {
            Some(GracefulMode::Restart) => out.yes("graceful-restart"),
            Some(GracefulMode::Helper) => out.yes("graceful-restart-helper"),
            Some(GracefulMode::Disabled) => out.yes("graceful-restart-disable"),
            None => {}
        }
    ),
    graceful!("graceful-restart-helper", "Graceful restart helper mode", GracefulMode::Helper, |_, _| {}),
    graceful!("graceful-restart-disable", "Graceful restart disable", GracefulMode::Disabled, |_, _| {}),
];
