//! Route reflection and route servers (RFC 4456, RFC 7947): what an instance and a neighbour say about it beyond
//! `route-reflector-client` and `route-server-client`.

use std::fmt;
use std::str::FromStr;

use ferrite_cli::node::{CONFIG, order};
use ferrite_cli::{CliError, ConfigCommand, Lines, Negation, Registry};

use super::BgpConfig;
use super::peer::{No, PeerRow, flag};
use super::peer_family::PeerFamily;
use super::router::RouterRow;

/// Route maps may change what is reflected; without it they only say what passes.
pub(super) const OUTBOUND_POLICY: RouterRow = RouterRow {
    syntax: "bgp route-reflector allow-outbound-policy",
    help: &["BGP specific commands", "Allow modifications made by out route-map", "on ibgp neighbors"],
    no: Negation::Derived,
    set: |router, _| {
        router.reflector_outbound_policy = true;
        Ok(())
    },
    unset: |router, _, _| {
        router.reflector_outbound_policy = false;
        Ok(())
    },
    render: |router, lines, _| {
        if router.reflector_outbound_policy {
            lines.line("bgp route-reflector allow-outbound-policy");
        }
    },
    examples: &["bgp route-reflector allow-outbound-policy"],
};

/// The next path that passes is told where policy hides the best one. FRR tells only the best, so it is off by default.
pub(super) const SECONDARY_PATH: PeerRow<PeerFamily> = flag!(
    secondary_path,
    "secondary-path",
    &["Send the next best path where outbound policy denies the best one"]
);

/// `neighbor X reject-community ASN:FUNCTION`: refused routes are kept, and shown with a large community that says why.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RejectCommunity {
    pub asn: u32,
    pub function: u32,
}

impl fmt::Display for RejectCommunity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.asn, self.function)
    }
}

impl FromStr for RejectCommunity {
    type Err = CliError;
    fn from_str(text: &str) -> Result<Self, CliError> {
        let parts = text.split_once(':').and_then(|(asn, function)| {
            Some(Self { asn: asn.parse().ok()?, function: function.parse().ok()? })
        });
        parts.ok_or_else(|| CliError::refused("Two numbers are expected, as 65000:65666"))
    }
}

pub(super) const REJECT_COMMUNITY: PeerRow<PeerFamily> = PeerRow {
    syntax: "reject-community AA:BB$community",
    help: &[
        "Keep refused routes and show them with a large community that says why",
        "The first two numbers of the community",
    ],
    no: No::Derived,
    set: |target, args| {
        target.own.reject_community = Some(args.get("community").unwrap_or_default().parse()?);
        Ok(())
    },
    unset: |target, _| {
        target.own.reject_community = None;
        Ok(())
    },
    render: |settings, out| out.value("reject-community", settings.reject_community),
    examples: &["reject-community 65000:65666"],
};

/// `bgp no-rib`: nothing is installed, as with the option `-n`.
pub(super) fn register<H>(registry: &mut Registry<BgpConfig, H>) {
    let help = ["BGP information", "Disable BGP route installation to RIB (Zebra)"];
    registry.command(
        ConfigCommand::new(&[&CONFIG], "bgp no-rib", &help, |config: &mut BgpConfig, edit| {
            config.no_rib = !edit.negated;
            Ok(())
        })
        .example("bgp no-rib"),
    );
    registry.renderer(order::HEADER, |config: &BgpConfig, lines: &mut Lines| {
        if config.no_rib {
            lines.line("bgp no-rib");
        }
    });
}
