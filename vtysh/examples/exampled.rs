//! A daemon that routes nothing, for the tests of the shell: it has every kind of command that a daemon can have.
//! Its name is taken from `EXAMPLED_NAME`, so that several can run.

use std::net::Ipv4Addr;
use std::process::ExitCode;

use ferrite_cli::node::{CONFIG, INTERFACE, order};
use ferrite_cli::{
    CliError, CommonConfig, ConfigCommand, Context, DaemonConfig, DebugFlag, ExecCommand, Mount, Negation,
    Node, Registry, Setting,
};
use ferrite_daemon::{Daemon, Event, Failure, Info, NoOptions, Output, run};

#[derive(Clone, PartialEq, Default)]
struct Config {
    common: CommonConfig,
    router_id: Option<Ipv4Addr>,
    interfaces: Vec<Interface>,
    routers: Vec<Router>,
}

#[derive(Clone, PartialEq, Default)]
struct Interface {
    name: String,
    description: Option<String>,
}

#[derive(Clone, PartialEq, Default)]
struct Router {
    asn: u32,
    networks: Vec<String>,
}

impl DaemonConfig for Config {
    fn common(&self) -> &CommonConfig {
        &self.common
    }
    fn common_mut(&mut self) -> &mut CommonConfig {
        &mut self.common
    }
}

#[derive(Clone, Copy)]
enum Handler {
    Summary,
    Long,
    Missing,
}

static ROUTER: Node = Node {
    name: "example",
    prompt: "config-router",
    parent: Some(&CONFIG),
    exit: "exit",
    order: order::ROUTER,
};
static FAMILY: Node = Node {
    name: "example-ipv4",
    prompt: "config-router-af",
    parent: Some(&ROUTER),
    exit: "exit-address-family",
    order: order::ROUTER,
};

static SETTINGS: &[Setting<Config>] = &[Setting {
    syntax: "example router-id A.B.C.D",
    help: &["Example", "Router identifier", "Identifier"],
    no: Negation::Derived,
    set: |config, args| {
        config.router_id = Some(args.ipv4("A.B.C.D")?);
        Ok(())
    },
    unset: |config, _| {
        config.router_id = None;
        Ok(())
    },
    render: |config, lines| {
        if let Some(id) = config.router_id {
            lines.line(format!("example router-id {id}"));
        }
    },
    examples: &["example router-id 1.1.1.1"],
}];

static INTERFACE_SETTINGS: &[Setting<Interface>] = &[Setting {
    syntax: "description LINE...",
    help: &["Interface specific description", "Characters describing this interface"],
    no: Negation::Derived,
    set: |interface, args| {
        interface.description = args.get("LINE").map(str::to_owned);
        Ok(())
    },
    unset: |interface, _| {
        interface.description = None;
        Ok(())
    },
    render: |interface, lines| {
        if let Some(text) = &interface.description {
            lines.line(format!("description {text}"));
        }
    },
    examples: &["description uplink"],
}];

static DEBUGS: &[DebugFlag] = &[DebugFlag {
    line: "debug example events",
    help: &["Debugging functions", "Example", "Events"],
    text: "Example events debugging is on",
    target: "exampled::events",
}];

fn router<'c>(config: &'c mut Config, context: &Context) -> Result<&'c mut Router, CliError> {
    let asn: u32 = context.args(&ROUTER).ok_or(CliError::Unknown)?.parse("ASNUM")?;
    config
        .routers
        .iter_mut()
        .find(|router| router.asn == asn)
        .ok_or_else(|| CliError::refused("No such instance"))
}

fn registry() -> Registry<Config, Handler> {
    let mut registry = Registry::new();
    registry.common_commands();
    registry.debug_flags(DEBUGS);
    registry.mount(Mount::at(&CONFIG), SETTINGS, |config: &mut Config, _, _| Ok(config));
    registry.renderer(order::STATIC, |config: &Config, lines| lines.settings(SETTINGS, config));
    interfaces(&mut registry);
    routers(&mut registry);
    let help = &["Show running system information", "Example", "Summary", "JSON"];
    registry.exec(ExecCommand::new("show example summary [json]", help, Handler::Summary));
    let help = &["Show running system information", "Example", "Many lines", "Count"];
    registry.exec(ExecCommand::new("show example long (1-10000000)", help, Handler::Long));
    let help = &["Show running system information", "Example", "Neighbor", "Address"];
    registry.exec(ExecCommand::new("show example neighbor A.B.C.D", help, Handler::Missing));
    registry
}

fn interfaces(registry: &mut Registry<Config, Handler>) {
    let edit = |config: &mut Config, edit: &ferrite_cli::Edit<'_>| {
        let name = edit.args.get("IFNAME").unwrap_or_default();
        config.interfaces.retain(|known| !edit.negated || known.name != name);
        if !edit.negated && !config.interfaces.iter().any(|known| known.name == name) {
            config.interfaces.push(Interface { name: name.to_owned(), description: None });
        }
        Ok(())
    };
    registry.command(
        ConfigCommand::new(
            &[&CONFIG],
            "interface IFNAME",
            &["Select an interface to configure", "Interface's name"],
            edit,
        )
        .enters(&INTERFACE)
        .example("interface eth0"),
    );
    registry.mount(Mount::at(&INTERFACE), INTERFACE_SETTINGS, |config: &mut Config, context, _| {
        let name =
            context.args(&INTERFACE).and_then(|args| args.get("IFNAME")).unwrap_or_default().to_owned();
        let found = config.interfaces.iter_mut().find(|known| known.name == name);
        found.ok_or_else(|| CliError::refused("No such interface"))
    });
    registry.renderer(order::INTERFACE, |config: &Config, lines| {
        for interface in &config.interfaces {
            lines.section(format!("interface {}", interface.name), &INTERFACE, |lines| {
                lines.settings(INTERFACE_SETTINGS, interface);
            });
        }
    });
}

fn routers(registry: &mut Registry<Config, Handler>) {
    let edit = |config: &mut Config, edit: &ferrite_cli::Edit<'_>| {
        let asn = edit.args.parse("ASNUM")?;
        config.routers.retain(|router| !edit.negated || router.asn != asn);
        if !edit.negated && !config.routers.iter().any(|router| router.asn == asn) {
            config.routers.push(Router { asn, networks: vec![] });
        }
        Ok(())
    };
    registry.command(
        ConfigCommand::new(
            &[&CONFIG],
            "router example ASNUM",
            &["Enable a routing process", "Example", "AS number"],
            edit,
        )
        .enters(&ROUTER)
        .example("router example 65001"),
    );
    let help = &["Enter Address Family command mode", "Address Family", "Modifier"];
    registry.command(
        ConfigCommand::new(&[&ROUTER], "address-family ipv4 [unicast]", help, |_: &mut Config, _| Ok(()))
            .no(Negation::Never)
            .enters(&FAMILY)
            .way("address-family ipv4 unicast"),
    );
    let edit = |config: &mut Config, edit: &ferrite_cli::Edit<'_>| {
        let network = edit.args.get("A.B.C.D/M").unwrap_or_default().to_owned();
        let networks = &mut router(config, edit.context)?.networks;
        networks.retain(|known| !edit.negated || *known != network);
        if !edit.negated && !networks.contains(&network) {
            networks.push(network);
        }
        Ok(())
    };
    let help = &["Specify a network to announce", "IPv4 prefix"];
    registry.command(
        ConfigCommand::new(&[&FAMILY, &ROUTER], "network A.B.C.D/M", help, edit)
            .example("network 10.0.0.0/8"),
    );
    registry.renderer(order::ROUTER, |config: &Config, lines| {
        for router in &config.routers {
            lines.section(format!("router example {}", router.asn), &ROUTER, |lines| {
                lines.section_if_any("address-family ipv4 unicast", &FAMILY, |lines| {
                    router.networks.iter().for_each(|network| lines.line(format!("network {network}")));
                });
            });
        }
    });
}

/// Many lines, in a task of their own: the main function stays free.
fn long(output: Output, count: u32) {
    tokio::spawn(async move {
        for number in 0..count {
            if !output.write(format!("line {number}\n")).await {
                break;
            }
        }
    });
}

async fn main_function(mut daemon: Daemon<NoOptions, Config, Handler>) -> Result<(), Failure> {
    daemon.serve()?;
    tracing::info!("{} starts", daemon.info.name);
    let mut applied = 0;
    while let Some(event) = daemon.events.recv().await {
        match event {
            Event::Configured { after, done, .. } => {
                applied += 1;
                tracing::debug!(target: "exampled::events", routers = after.routers.len(), "configured");
                drop(done);
            }
            Event::Exec { handler: Handler::Summary, args, output } if args.has("json") => {
                output.reply(format!("{{\"applied\":{applied}}}\n"));
            }
            Event::Exec { handler: Handler::Summary, output, .. } => {
                output.reply(format!("applied {applied}\n"));
            }
            Event::Exec { handler: Handler::Long, args, output } => {
                long(output, args.parse("(1-10000000)").unwrap_or(0));
            }
            Event::Exec { handler: Handler::Missing, output, .. } => output.fail("No such neighbor"),
            Event::Complete { variable, reply } => {
                let values =
                    if variable == "IFNAME" { vec!["eth0".to_owned(), "lo".to_owned()] } else { vec![] };
                // Whoever asked may be gone.
                let _ = reply.send(values);
            }
            Event::Impact { before, after, reply } => {
                let gone =
                    before.routers.iter().filter(|old| !after.routers.iter().any(|new| new.asn == old.asn));
                // As above.
                let _ = reply.send(gone.map(|router| format!("instance {} ends", router.asn)).collect());
            }
            Event::Stop => break,
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    let name = std::env::var("EXAMPLED_NAME").unwrap_or_else(|_| "exampled".to_owned());
    let info = Info {
        name: Box::leak(name.into_boxed_str()),
        log_name: "EXAMPLE",
        version: env!("CARGO_PKG_VERSION"),
        about: "a daemon for tests",
    };
    run(info, registry(), main_function)
}
