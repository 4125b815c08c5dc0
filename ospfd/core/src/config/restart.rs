//! Graceful restart (RFC 3623, RFC 5187): our own, and that of neighbours we help.

use std::collections::BTreeSet;
use std::time::Duration;

use ferrite_types::ids::RouterId;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GracefulRestart {
    /// We ask for grace when we restart (`graceful-restart [grace-period N]`).
    pub enabled: bool,
    /// How long we ask for.
    pub period: Duration,
    pub helper: Helper,
}

impl Default for GracefulRestart {
    /// FRR's: off, 120 seconds.
    fn default() -> Self {
        Self { enabled: false, period: Duration::from_secs(120), helper: Helper::default() }
    }
}

/// Whom we help, and how long (RFC 3623 §3, §B.2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Helper {
    /// Everybody is helped.
    pub everybody: bool,
    /// These are helped, where not everybody is.
    pub routers: BTreeSet<RouterId>,
    /// A change of the topology ends the help (RestartHelperStrictLSAChecking).
    pub strict: bool,
    /// No help for restarts that were not planned: those of reason unknown.
    pub planned_only: bool,
    /// The longest period that is granted; who asks for more is not helped.
    pub max_period: Duration,
}

impl Default for Helper {
    /// FRR's: nobody, strict, 1800 seconds.
    fn default() -> Self {
        Self {
            everybody: false,
            routers: BTreeSet::new(),
            strict: true,
            planned_only: false,
            max_period: Duration::from_secs(1800),
        }
    }
}

impl Helper {
    pub fn helps(&self, router: RouterId) -> bool {
        self.everybody || self.routers.contains(&router)
    }
}
