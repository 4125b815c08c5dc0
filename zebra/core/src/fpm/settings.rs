//! `fpm …`: where the forwarding plane manager listens, and in which form it wants its routes.

use std::net::{IpAddr, SocketAddr};

use ferrite_cli::{Negation, Setting};

use crate::settings::Settings;

/// SONiC's fpmsyncd, as FRR's default.
pub const PORT: u16 = 2620;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FpmSettings {
    pub address: Option<SocketAddr>,
    /// Every route carries its next hops.
    pub no_groups: bool,
    /// A route is taken out before it comes anew.
    pub no_replace: bool,
}

const FPM: &str = "Forwarding Plane Manager configuration";

pub static SETTINGS: &[Setting<Settings>] = &[
    Setting {
        syntax: "fpm address <A.B.C.D|X:X::X:X>$address [port (1-65535)$port]",
        help: &[
            FPM,
            "FPM remote listening server address",
            "Remote IPv4 FPM server",
            "Remote IPv6 FPM server",
            "FPM remote listening server port",
            "Remote FPM server port",
        ],
        no: Negation::Derived,
        set: |s, args| {
            let address: IpAddr = args.parse("address")?;
            let port = args.parse_opt("port")?.unwrap_or(PORT);
            s.fpm.address = Some(SocketAddr::new(address, port));
            Ok(())
        },
        unset: |s, _| {
            s.fpm.address = None;
            Ok(())
        },
        render: |s, lines| {
            if let Some(address) = s.fpm.address {
                let port =
                    if address.port() == PORT { String::new() } else { format!(" port {}", address.port()) };
                lines.line(format!("fpm address {}{port}", address.ip()));
            }
        },
        examples: &["fpm address 192.0.2.1", "fpm address 2001:db8::1 port 2621"],
    },
    Setting {
        syntax: "fpm use-next-hop-groups",
        help: &[FPM, "Use netlink next hop groups feature."],
        no: Negation::Derived,
        set: |s, _| {
            s.fpm.no_groups = false;
            Ok(())
        },
        unset: |s, _| {
            s.fpm.no_groups = true;
            Ok(())
        },
        render: |s, lines| {
            if s.fpm.no_groups {
                lines.line("no fpm use-next-hop-groups");
            }
        },
        examples: &["no fpm use-next-hop-groups"],
    },
    Setting {
        syntax: "fpm use-route-replace",
        help: &[FPM, "Use netlink route replace semantics"],
        no: Negation::Derived,
        set: |s, _| {
            s.fpm.no_replace = false;
            Ok(())
        },
        unset: |s, _| {
            s.fpm.no_replace = true;
            Ok(())
        },
        render: |s, lines| {
            if s.fpm.no_replace {
                lines.line("no fpm use-route-replace");
            }
        },
        examples: &["no fpm use-route-replace"],
    },
];
