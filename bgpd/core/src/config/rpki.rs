//! `rpki`: the caches we ask, how often, and local exceptions.
//!
//! As in FRR 10.3 a cache is known by its preference. Our own are `password` (TCP MD5) and `rpki slurm FILE`; FRR's older
//! form without `tcp` or `ssh` is taken too.

use std::collections::BTreeMap;
use std::time::Duration;

use ferrite_cli::node::{CONFIG, VRF, order};
use ferrite_cli::{Args, CliError, ConfigCommand, Context, Lines, Mount, Negation, Node, Registry, Setting};
use ferrite_rpki::rtr::{CacheConfig, MAX_RECORDS};
use ferrite_rpki::transport::{Kind, Transport};

use super::BgpConfig;
use super::types::InstanceName;

pub static RPKI: Node =
    Node { name: "rpki", prompt: "config-rpki", parent: Some(&CONFIG), exit: "exit", order: order::RPKI };

pub static RPKI_VRF: Node = Node {
    name: "rpki vrf",
    prompt: "config-vrf-rpki",
    parent: Some(&VRF),
    exit: "exit",
    order: order::RPKI,
};

/// FRR's defaults, seconds; a cache may say otherwise (RFC 8210 §6).
pub const POLLING_PERIOD: u32 = 3600;
pub const EXPIRE_INTERVAL: u32 = 7200;
pub const RETRY_INTERVAL: u32 = 600;

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RpkiConfig {
    /// By preference; lower is better.
    pub caches: BTreeMap<u8, Transport>,
    /// Seconds between questions; `None`: what the cache says, else [`POLLING_PERIOD`]. Likewise the others.
    pub polling_period: Option<u32>,
    /// Seconds until data are too old to be used.
    pub expire_interval: Option<u32>,
    /// Seconds between attempts at most.
    pub retry_interval: Option<u32>,
    /// Records that a cache may tell; `None`: [`MAX_RECORDS`].
    pub record_limit: Option<u32>,
    /// File of local exceptions (RFC 8416).
    pub slurm: Option<String>,
}

/// What each VRF has; one that says nothing is as good as none.
#[derive(Clone, Debug, Default)]
pub struct RpkiConfigs {
    default: RpkiConfig,
    vrfs: BTreeMap<String, RpkiConfig>,
}

impl PartialEq for RpkiConfigs {
    fn eq(&self, other: &Self) -> bool {
        self.default == other.default && self.of_vrfs().eq(other.of_vrfs())
    }
}

impl RpkiConfigs {
    /// What an instance asks: a view the caches of the default VRF.
    pub fn of(&self, name: &InstanceName) -> &RpkiConfig {
        static NONE: RpkiConfig = RpkiConfig {
            caches: BTreeMap::new(),
            polling_period: None,
            expire_interval: None,
            retry_interval: None,
            record_limit: None,
            slurm: None,
        };
        match name {
            InstanceName::Default | InstanceName::View(_) => &self.default,
            InstanceName::Vrf(name) => self.vrfs.get(&**name).unwrap_or(&NONE),
        }
    }

    /// VRFs that say something.
    fn of_vrfs(&self) -> impl Iterator<Item = (&String, &RpkiConfig)> {
        self.vrfs.iter().filter(|(_, config)| **config != RpkiConfig::default())
    }

    fn edited(&mut self, context: &Context) -> &mut RpkiConfig {
        match context.args(&VRF).and_then(|args| args.get("name").or(args.get("NAME"))) {
            Some(name) => self.vrfs.entry(name.to_owned()).or_default(),
            None => &mut self.default,
        }
    }
}

impl RpkiConfig {
    /// How many records a cache may tell.
    pub fn records(&self) -> usize {
        self.record_limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(MAX_RECORDS)
    }

    /// Terms of a cache's session.
    pub fn cache(&self) -> CacheConfig {
        let seconds = |value: Option<u32>| value.map(|seconds| Duration::from_secs(seconds.into()));
        CacheConfig {
            refresh: seconds(self.polling_period),
            retry: seconds(self.retry_interval),
            expire: seconds(self.expire_interval),
            max_records: self.records(),
            ..CacheConfig::default()
        }
    }
}

const ROOT: &str = "Control rpki specific settings";
const CACHE: &str = "Install a cache server to current group";
const HOST: [&str; 2] = ["IP address of cache server", "Hostname of cache server"];
const SOURCE: [&str; 3] = ["Configure source address of RPKI connection", "Source address", "Source address"];
const PREFERENCE: [&str; 2] = ["Preference of the cache server", "Preference value"];
const TCP: &str = "<A.B.C.D|WORD>$host (1-65535)$port [source <A.B.C.D|X:X::X:X>$source] [password WORD$password] preference (1-255)$preference";
const PASSWORD: [&str; 2] = ["Sign segments by TCP MD5", "The key"];

fn transport(args: &Args) -> Result<Transport, CliError> {
    let kind = match (args.get("user"), args.get("key")) {
        (Some(user), Some(key)) => Kind::Ssh {
            user: user.to_owned(),
            key: key.to_owned(),
            known_hosts: args.get("known_hosts").map(str::to_owned),
        },
        _ => Kind::Tcp { password: args.get("password").map(str::to_owned) },
    };
    let source = args.has("source").then(|| args.parse("source")).transpose()?;
    Ok(Transport { host: args.parse("host")?, port: args.parse("port")?, source, kind })
}

/// A cache as a line says it.
fn cache_line(transport: &Transport, preference: u8) -> String {
    let Transport { host, port, source, kind } = transport;
    let source = source.map(|addr| format!(" source {addr}")).unwrap_or_default();
    match kind {
        Kind::Tcp { password } => {
            let password = password.as_ref().map(|key| format!(" password {key}")).unwrap_or_default();
            format!("rpki cache tcp {host} {port}{source}{password} preference {preference}")
        }
        Kind::Ssh { user, key, known_hosts } => {
            let known = known_hosts.as_ref().map(|file| format!(" {file}")).unwrap_or_default();
            format!("rpki cache ssh {host} {port} {user} {key}{known}{source} preference {preference}")
        }
    }
}

fn set_cache(config: &mut RpkiConfig, args: &Args) -> Result<(), CliError> {
    let preference: u8 = args.parse("preference")?;
    let transport = transport(args)?;
    match config.caches.get(&preference) {
        Some(known) if *known == transport => Ok(()),
        Some(_) => {
            Err(CliError::refused(format!("Cache with preference {preference} is already configured")))
        }
        None => {
            config.caches.insert(preference, transport);
            Ok(())
        }
    }
}

fn unset_cache(config: &mut RpkiConfig, args: &Args) -> Result<(), CliError> {
    let preference: u8 = args.parse("preference")?;
    match config.caches.remove(&preference) {
        Some(_) => Ok(()),
        None => Err(CliError::refused(format!("Could not find cache with preference {preference}"))),
    }
}

macro_rules! interval {
    ($field:ident, $name:literal, $range:literal, $help:expr, $example:literal) => {
        Setting {
            syntax: concat!("rpki ", $name, " ", $range, "$seconds"),
            help: $help,
            no: Negation::Derived,
            set: |config: &mut RpkiConfig, args| {
                config.$field = Some(args.parse("seconds")?);
                Ok(())
            },
            unset: |config, _| {
                config.$field = None;
                Ok(())
            },
            render: |config, lines| {
                if let Some(seconds) = config.$field {
                    lines.line(format!(concat!("rpki ", $name, " {}"), seconds));
                }
            },
            examples: &[concat!("rpki ", $name, " ", $example)],
        }
    };
}

static SETTINGS: &[Setting<RpkiConfig>] = &[
    interval!(
        polling_period,
        "polling_period",
        "(1-86400)",
        &[ROOT, "Set polling period", "Polling period value"],
        "100"
    ),
    interval!(
        retry_interval,
        "retry_interval",
        "(1-7200)",
        &[ROOT, "Set retry interval", "retry interval value"],
        "20"
    ),
    interval!(
        expire_interval,
        "expire_interval",
        "(600-172800)",
        &[ROOT, "Set expire interval", "Expire interval value"],
        "700"
    ),
    Setting {
        syntax: "rpki limit records (1-100000000)$records",
        help: &[ROOT, "What a cache may cost", "Records that a cache may tell", "Their number"],
        no: Negation::Derived,
        set: |config, args| {
            config.record_limit = Some(args.parse("records")?);
            Ok(())
        },
        unset: |config, _| {
            config.record_limit = None;
            Ok(())
        },
        render: |config, lines| {
            if let Some(records) = config.record_limit {
                lines.line(format!("rpki limit records {records}"));
            }
        },
        examples: &["rpki limit records 1000000"],
    },
    Setting {
        syntax: "rpki slurm FILE$file",
        help: &[ROOT, "Local exceptions (RFC 8416)", "File of exceptions"],
        no: Negation::Derived,
        set: |config, args| {
            config.slurm = Some(args.parse("file")?);
            Ok(())
        },
        unset: |config, _| {
            config.slurm = None;
            Ok(())
        },
        render: |config, lines| {
            if let Some(file) = &config.slurm {
                lines.line(format!("rpki slurm {file}"));
            }
        },
        examples: &["rpki slurm /etc/frr/exceptions.json"],
    },
];

pub(super) fn register<H>(registry: &mut Registry<BgpConfig, H>) {
    // The VRF itself is zebra's; here it is only the way to its caches.
    registry.command(
        ConfigCommand::new(
            &[&CONFIG],
            "vrf NAME$name",
            &["Select a VRF to configure", "VRF's name"],
            |config: &mut BgpConfig, edit| {
                if edit.negated {
                    config.rpki.vrfs.remove(edit.args.get("name").unwrap_or_default());
                }
                Ok(())
            },
        )
        .enters(&VRF)
        .way("vrf RED"),
    );
    for (node, inner) in [(&CONFIG, &RPKI), (&VRF, &RPKI_VRF)] {
        let enter = |config: &mut BgpConfig, edit: &ferrite_cli::Edit<'_>| {
            if edit.negated {
                *config.rpki.edited(edit.context) = RpkiConfig::default();
            }
            Ok(())
        };
        let help = ["Enable rpki and enter rpki configuration mode"];
        registry.command(ConfigCommand::new(&[node], "rpki", &help, enter).enters(inner).way("rpki"));
        registry.mount(Mount::at(inner), SETTINGS, |config: &mut BgpConfig, context, _| {
            Ok(config.rpki.edited(context))
        });
        caches(registry, inner);
    }
    registry.renderer(order::VRF, |config: &BgpConfig, lines| {
        for (name, rpki) in config.rpki.of_vrfs() {
            lines.section(format!("vrf {name}"), &VRF, |lines| {
                lines.section("rpki", &RPKI_VRF, |lines| render(rpki, lines));
            });
        }
    });
    registry.renderer(order::RPKI, |config: &BgpConfig, lines| {
        lines.section_if_any("rpki", &RPKI, |lines| render(&config.rpki.default, lines));
    });
}

fn caches<H>(registry: &mut Registry<BgpConfig, H>, node: &'static Node) {
    let edit = |config: &mut BgpConfig, edit: &ferrite_cli::Edit<'_>| {
        let caches = config.rpki.edited(edit.context);
        if edit.negated { unset_cache(caches, edit.args) } else { set_cache(caches, edit.args) }
    };
    let help = [&[ROOT, CACHE, "Use TCP"], &HOST[..], &["TCP port number"], &SOURCE, &PASSWORD, &PREFERENCE];
    registry.command(
        ConfigCommand::new(&[node], format!("rpki cache tcp {TCP}"), &help.concat(), edit)
            .example("rpki cache tcp 10.0.0.1 8282 source 10.0.0.2 password secret preference 1")
            .example("rpki cache tcp cache.example 323 preference 2"),
    );
    let ssh = "rpki cache ssh <A.B.C.D|WORD>$host (1-65535)$port SSH_UNAME$user SSH_PRIVKEY$key \
               [KNOWN_HOSTS_PATH$known_hosts] [source <A.B.C.D|X:X::X:X>$source] preference (1-255)$preference";
    let keys =
        ["SSH port number", "SSH user name", "Path to own SSH private key", "Path to the known hosts file"];
    let help = [&[ROOT, CACHE, "Use SSH"], &HOST[..], &keys, &SOURCE, &PREFERENCE];
    registry.command(
        ConfigCommand::new(&[node], ssh, &help.concat(), edit)
            .example("rpki cache ssh 10.0.0.1 22 rtr /etc/frr/id_rtr /etc/frr/known_hosts preference 3")
            .example("rpki cache ssh 10.0.0.1 22 rtr /etc/frr/id_rtr source 10.0.0.2 preference 4"),
    );
    // FRR's form before it asked for the transport.
    let help = [&[ROOT, CACHE], &HOST[..], &["TCP port number"], &SOURCE, &PASSWORD, &PREFERENCE];
    let old = format!("rpki cache {TCP}");
    registry.command(ConfigCommand::new(&[node], old, &help.concat(), edit).hidden());
    let old = ssh.replace("cache ssh", "cache");
    let help = [&[ROOT, CACHE], &HOST[..], &keys, &SOURCE, &PREFERENCE];
    registry.command(ConfigCommand::new(&[node], old, &help.concat(), edit).hidden());
}

fn render(config: &RpkiConfig, lines: &mut Lines) {
    for setting in SETTINGS {
        (setting.render)(config, lines);
    }
    for (preference, transport) in &config.caches {
        lines.line(cache_line(transport, *preference));
    }
}
