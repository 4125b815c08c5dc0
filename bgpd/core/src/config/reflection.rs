//! Route reflection and route servers (RFC 4456, RFC 7947): what an instance and a neighbour say about it beyond
//! `route-reflector-client` and `route-server-client`.

use ferrite_cli::node::{CONFIG, order};
use ferrite_cli::{ConfigCommand, Lines, Negation, Registry};

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
