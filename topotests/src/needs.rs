//! What a test needs of the machine beyond namespaces. An unmet need skips the test, and says so aloud.

use std::io::Write as _;

use crate::failure::{Failure, Result};
use crate::peers_root;
use crate::sandbox::{Sandbox, run};

/// Unmet ones make a test `SKIPPED`; the default needs nothing but namespaces.
#[derive(Clone, Debug)]
pub struct Needs {
    pub ours: bool,
    /// Which of ours beside zebra and vtysh; a network that names none needs bgpd.
    pub daemons: &'static [&'static str],
    /// The Debian root with FRR, BIRD and the others.
    pub peers: bool,
    /// The folder of real tables.
    pub data: bool,
    pub mpls: bool,
    pub vrf: bool,
}

impl Default for Needs {
    fn default() -> Needs {
        Needs { ours: false, daemons: &["bgpd"], peers: false, data: false, mpls: false, vrf: false }
    }
}

impl Needs {
    pub fn ours() -> Needs {
        Needs { ours: true, ..Needs::default() }
    }

    pub fn peers() -> Needs {
        Needs { peers: true, ..Needs::default() }
    }

    pub fn ours_and_peers() -> Needs {
        Needs { ours: true, peers: true, ..Needs::default() }
    }

    /// The same with these of our daemons, beside zebra and vtysh, in bgpd's place.
    #[must_use]
    pub fn daemons(self, daemons: &'static [&'static str]) -> Needs {
        Needs { daemons, ..self }
    }

    /// The same with VRF devices.
    #[must_use]
    pub fn vrf(self) -> Needs {
        Needs { vrf: true, ..self }
    }

    /// The same with MPLS.
    #[must_use]
    pub fn mpls(self) -> Needs {
        Needs { mpls: true, ..self }
    }

    /// The first need of the kernel that this machine's does not meet.
    pub fn kernel_unmet(&self) -> Result<()> {
        if !self.vrf && !self.mpls {
            return Ok(());
        }
        let sandbox = Sandbox::new()?;
        let probe = |what: &str, args: &str| {
            let probe = run(sandbox.command("ip").args(args.split_whitespace()));
            probe.map(drop).map_err(|_| Failure::new(format!("this kernel has no {what}")))
        };
        if self.vrf {
            probe("VRF devices", "link add probe type vrf table 10")?;
        }
        if self.mpls {
            probe("MPLS routes", "-family mpls route show")?;
            let labels = run(sandbox.command("cat").arg("/proc/sys/net/mpls/platform_labels"));
            labels.map_err(|_| Failure::new("this kernel has no MPLS"))?;
        }
        Ok(())
    }

    /// The first need but those of the kernel that this machine does not meet.
    pub fn unmet(&self) -> Result<()> {
        if self.ours && crate::Kind::Ours.subject() == crate::Kind::Ours {
            crate::daemon::ours::binaries_with(self.daemons)?;
        }
        if self.data && crate::data::folder().is_none() {
            return Err(Failure::new(
                "no folder of real tables (FERRITE_DATA, or ../shared/data beside the workspace)",
            ));
        }
        Sandbox::new().map(drop)?;
        if self.peers {
            peers_root::provide()?;
        }
        Ok(())
    }
}

/// Leaves a test whose kernel needs are not met here to the virtual machine, where there is to be one
/// (`$FERRITE_VM_LOG`); whether that was done.
pub fn defer(name: &str, reason: &Failure) -> Result<bool> {
    let Some(log) = std::env::var_os("FERRITE_VM_LOG") else { return Ok(false) };
    // The machine has no network: the root that it runs on is made here.
    let root = peers_root::provide()?.display().to_string();
    let program = std::env::current_exe()?;
    let test = name.split_once('.').map_or(name, |(_, test)| test).replace('.', "::");
    let reason = reason.to_string().replace(['\n', '\t'], " ");
    let line = format!("{}\t{test}\t{reason}\t{root}\n", program.display());
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(log)?;
    // One write per line: several test processes share the file.
    file.write_all(line.as_bytes())?;
    Ok(true)
}

/// Whether this is the virtual machine: what its kernel lacks, none has.
pub fn in_vm() -> bool {
    std::env::var_os("FERRITE_VM").is_some()
}

/// Says that a test was skipped: to people, and as a line of `$FERRITE_SKIP_LOG` to the one who counts.
pub fn report_skip(name: &str, reason: &Failure) {
    let reason = reason.to_string().replace('\n', " ");
    eprintln!("SKIPPED {name}: {reason}");
    if let Some(path) = std::env::var_os("FERRITE_SKIP_LOG") {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        if let Ok(mut file) = file {
            // One write per line: several test processes share the file.
            let _ = file.write_all(format!("{name}\t{reason}\n").as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_need_names_the_daemons_and_asks_for_bgpd_where_it_names_none() {
        assert_eq!(Needs::ours().daemons, ["bgpd"]);
        assert_eq!(Needs::ours_and_peers().daemons(&["ospfd"]).daemons, ["ospfd"]);
        let unmet = Needs::ours().daemons(&["no-such-daemon"]).unmet().expect_err("there is none");
        assert!(unmet.to_string().starts_with("zebra, vtysh, no-such-daemon are not built"), "{unmet}");
    }
}
