//! `key chain NAME`, `key N` and what stands inside, in FRR's words and order.

use ferrite_cli::node::{CONFIG, KEYCHAIN, KEYCHAIN_KEY, order};
use ferrite_cli::{Args, CliError, ConfigCommand, Context, Edit, Lines, Negation, Registry};

use crate::{Algorithm, End, Key, KeyChains, Lifetime, LocalTime};

/// How a daemon's configuration leads to its key chains.
pub struct Access<C> {
    pub get: fn(&C) -> &KeyChains,
    pub get_mut: fn(&mut C) -> &mut KeyChains,
}

impl<C> Clone for Access<C> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<C> Copy for Access<C> {}

/// Octets of a secret at most, as in FRR's YANG model and the kernel's keys.
const SECRET_MAX: usize = 80;

const LIFETIMES: [(&str, &str, fn(&mut Key) -> &mut Option<Lifetime>); 2] = [
    ("accept-lifetime", "Set accept lifetime of the key", |key| &mut key.accept),
    ("send-lifetime", "Set send lifetime of the key", |key| &mut key.send),
];

/// A date in the two orders that FRR takes, and the words that name its parts.
const BEGINS: [&str; 2] = ["(1-31)$day MONTH$month", "MONTH$month (1-31)$day"];
const ENDS: [&str; 2] = ["(1-31)$end_day MONTH$end_month", "MONTH$end_month (1-31)$end_day"];

pub fn register<C: 'static, H>(registry: &mut Registry<C, H>, access: Access<C>) {
    nodes(registry, access);
    settings(registry, access);
    for (name, help, slot) in LIFETIMES {
        lifetime(registry, access, name, help, slot);
    }
    registry.renderer(order::KEYCHAIN, move |c, lines| render((access.get)(c), lines));
}

fn nodes<C: 'static, H>(registry: &mut Registry<C, H>, access: Access<C>) {
    let help = ["Authentication key management", "Key-chain management", "Key-chain name"];
    registry.command(
        ConfigCommand::new(
            &[&CONFIG, &KEYCHAIN, &KEYCHAIN_KEY],
            "key chain WORD$chain",
            &help,
            move |c, e| {
                let chains = (access.get_mut)(c);
                let name = e.args.get("chain").unwrap_or_default();
                if e.negated {
                    chains.0.remove(name);
                } else {
                    chains.chain(name);
                }
                Ok(())
            },
        )
        .enters(&KEYCHAIN)
        .example("key chain CORE"),
    );
    let help = ["Configure a key", "Key identifier number"];
    registry.command(
        ConfigCommand::new(&[&KEYCHAIN, &KEYCHAIN_KEY], "key (0-2147483647)$key", &help, move |c, e| {
            let id: u32 = e.args.parse("key")?;
            let chain = (access.get_mut)(c).chain(chain_name(e.context)?);
            if e.negated {
                chain.keys.remove(&id);
            } else {
                chain.keys.entry(id).or_default();
            }
            Ok(())
        })
        .enters(&KEYCHAIN_KEY)
        .example("key 1"),
    );
}

fn settings<C: 'static, H>(registry: &mut Registry<C, H>, access: Access<C>) {
    let edit = move |change: fn(&mut Key, &Edit<'_>) -> Result<(), CliError>| {
        move |c: &mut C, e: &Edit<'_>| change(key_of((access.get_mut)(c), e.context)?, e)
    };
    let help = ["Set key string", "The key"];
    registry.command(
        ConfigCommand::new(
            &[&KEYCHAIN_KEY],
            "key-string LINE$secret",
            &help,
            edit(|key, e| {
                key.secret = if e.negated { None } else { Some(e.args.parse("secret")?) };
                match &key.secret {
                    Some(secret) if secret.len() > SECRET_MAX => {
                        Err(CliError::refused(format!("A key has at most {SECRET_MAX} octets")))
                    }
                    _ => Ok(()),
                }
            }),
        )
        .example("key-string secret"),
    );
    let help = [
        "Authenticate with a cryptographic algorithm",
        "Use MD5",
        "Use HMAC-SHA-1",
        "Use HMAC-SHA-256",
        "Use HMAC-SHA-384",
        "Use HMAC-SHA-512",
        "Use AES-128-CMAC",
    ];
    let names: Vec<&str> = Algorithm::ALL.iter().map(|algorithm| algorithm.name()).collect();
    registry.command(
        ConfigCommand::new(
            &[&KEYCHAIN_KEY],
            format!("cryptographic-algorithm <{}>$algorithm", names.join("|")),
            &help,
            edit(|key, e| {
                key.algorithm = if e.negated { None } else { Some(e.args.parse("algorithm")?) };
                Ok(())
            }),
        )
        .example("cryptographic-algorithm hmac-sha-256"),
    );
}

fn lifetime<C: 'static, H>(
    registry: &mut Registry<C, H>,
    access: Access<C>,
    name: &'static str,
    help: &'static str,
    slot: fn(&mut Key) -> &mut Option<Lifetime>,
) {
    let add = |registry: &mut Registry<C, H>, syntax: String, help: &[&'static str], example: &str| {
        let edit = move |c: &mut C, e: &Edit<'_>| {
            *slot(key_of((access.get_mut)(c), e.context)?) = Some(read(e.args)?);
            Ok(())
        };
        let command = ConfigCommand::new(&[&KEYCHAIN_KEY], syntax, help, edit).no(Negation::Never);
        registry.command(if example.is_empty() { command } else { command.example(example) });
    };
    let date = |at: usize| {
        let words = ["Day of th month to start", "Month of the year to start"];
        if at == 0 { [words[0], words[1]] } else { [words[1], words[0]] }
    };
    let end_date = |at: usize| {
        let words = ["Day of th month to expire", "Month of the year to expire"];
        if at == 0 { [words[0], words[1]] } else { [words[1], words[0]] }
    };
    for (at, begin) in BEGINS.iter().enumerate() {
        let start = format!("{name} HH:MM:SS$time {begin} (1993-2035)$year");
        let first = [&[help, "Time to start"][..], &date(at), &["Year to start"]].concat();
        let example = |text: &str| if at == 1 { format!("{name} {text}") } else { String::new() };
        add(
            registry,
            format!("{start} infinite$infinite"),
            &[&first[..], &["Never expires"]].concat(),
            &example("00:00:00 Jan  1 2024 infinite"),
        );
        add(
            registry,
            format!("{start} duration (1-2147483646)$duration"),
            &[&first[..], &["Duration of the key", "Duration seconds"]].concat(),
            &example("12:30:00 Feb 29 2024 duration 3600"),
        );
        for (at, end) in ENDS.iter().enumerate() {
            let text =
                if at == 1 { example("00:00:00 Jan  1 2024 23:59:59 Dec 31 2030") } else { String::new() };
            add(
                registry,
                format!("{start} HH:MM:SS$end_time {end} (1993-2035)$end_year"),
                &[&first[..], &["Time to expire"], &end_date(at), &["Year to expire"]].concat(),
                &text,
            );
        }
    }
    let no = format!("no {name} [LINE...]");
    let command = ConfigCommand::new(
        &[&KEYCHAIN_KEY],
        no,
        &["Negate a command or set its defaults", help, "Lifetime"],
        move |c, e| {
            *slot(key_of((access.get_mut)(c), e.context)?) = None;
            Ok(())
        },
    );
    registry.command(command.no(Negation::Never));
}

fn read(args: &Args) -> Result<Lifetime, CliError> {
    let word = |name: &str| args.get(name).unwrap_or_default();
    let time = |clock, day, month, year| {
        LocalTime::read(word(clock), word(day), word(month), word(year))
            .map_err(|error| CliError::refused(error.to_string()))
    };
    let begin = time("time", "day", "month", "year")?;
    let end = match args.parse_opt("duration")? {
        Some(seconds) => End::After(seconds),
        None if args.has("infinite") => End::Infinite,
        None => End::At(time("end_time", "end_day", "end_month", "end_year")?),
    };
    Ok(Lifetime { begin, end })
}

fn chain_name(context: &Context) -> Result<&str, CliError> {
    let name = context.args(&KEYCHAIN).and_then(|args| args.get("chain"));
    name.ok_or_else(|| CliError::refused("not inside a key chain"))
}

/// The key whose node we are in; it was made by the line that entered the node.
fn key_of<'a>(chains: &'a mut KeyChains, context: &Context) -> Result<&'a mut Key, CliError> {
    let missing = || CliError::refused("not inside a key");
    let id: u32 = context.args(&KEYCHAIN_KEY).ok_or_else(missing)?.parse("key")?;
    Ok(chains.chain(chain_name(context)?).keys.entry(id).or_default())
}

fn render(chains: &KeyChains, lines: &mut Lines) {
    for (name, chain) in chains.iter() {
        lines.section(format!("key chain {name}"), &KEYCHAIN, |lines| {
            for (id, key) in &chain.keys {
                lines.section(format!("key {id}"), &KEYCHAIN_KEY, |lines| render_key(key, lines));
            }
        });
    }
}

fn render_key(key: &Key, lines: &mut Lines) {
    if let Some(lifetime) = key.accept {
        lines.line(format!("accept-lifetime {lifetime}"));
    }
    if let Some(algorithm) = key.algorithm {
        lines.line(format!("cryptographic-algorithm {algorithm}"));
    }
    if let Some(secret) = &key.secret {
        lines.line(format!("key-string {secret}"));
    }
    if let Some(lifetime) = key.send {
        lines.line(format!("send-lifetime {lifetime}"));
    }
}
