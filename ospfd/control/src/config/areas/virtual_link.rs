//! `area X virtual-link …`: links of the backbone through another area.

use ferrite_cli::{Args, CliError, Lines, Negation};

use super::{AREA, ID, Router, area};
use crate::config::setting;
use crate::settings::interface::AuthKind;
use crate::settings::{AreaKindSettings, RouterSettings, VirtualLinkSettings};

fn virtual_link<'r>(
    router: &'r mut RouterSettings,
    args: &Args,
) -> Result<&'r mut VirtualLinkSettings, CliError> {
    let other = args.parse("router")?;
    let area = area(router, args)?;
    if area.name.id.is_backbone() {
        return Err(CliError::refused("Configuring VLs over the backbone is not allowed"));
    }
    if area.kind != AreaKindSettings::Normal {
        return Err(CliError::refused("Area is a stub or nssa, can't configure virtual-link"));
    }
    Ok(area.virtual_links.entry(other).or_default())
}

pub const VIRTUAL_TIMES: Router = setting!(
    "area <A.B.C.D|(0-4294967295)>$area virtual-link A.B.C.D$router {hello-interval (1-65535)$hello|\
     retransmit-interval (1-65535)$again|retransmit-window (20-10000)$window|transmit-delay (1-65535)$delay|\
     dead-interval (1-65535)$dead}",
    [
        AREA,
        ID,
        ID,
        "A link of the backbone through this area",
        "The router at its other end",
        "Time between two Hellos",
        "Seconds",
        "Time until an LSA is sent again",
        "Seconds",
        "LSAs due in this time are sent together",
        "Milliseconds",
        "Time that sending takes",
        "Seconds",
        "Time after which the other end is gone if it is not heard",
        "Seconds"
    ],
    Negation::Syntax(
        "no area <A.B.C.D|(0-4294967295)>$area virtual-link A.B.C.D$router {hello-interval$no_hello [(1-65535)$hello]|\
         retransmit-interval$no_again [(1-65535)$again]|retransmit-window$no_window [(20-1000)$window]|\
         transmit-delay$no_delay [(1-65535)$delay]|dead-interval$no_dead [(1-65535)$dead]}"
    ),
    |router, args| {
        let said = VirtualLinkSettings {
            hello_interval: args.parse_opt("hello")?,
            retransmit: args.parse_opt("again")?,
            retransmit_window: args.parse_opt("window")?,
            transmit_delay: args.parse_opt("delay")?,
            dead_interval: args.parse_opt("dead")?,
            ..VirtualLinkSettings::default()
        };
        let link = virtual_link(router, args)?;
        link.hello_interval = said.hello_interval.or(link.hello_interval).filter(|value| *value != 10);
        link.retransmit = said.retransmit.or(link.retransmit).filter(|value| *value != 5);
        link.retransmit_window =
            said.retransmit_window.or(link.retransmit_window).filter(|value| *value != 50);
        link.transmit_delay = said.transmit_delay.or(link.transmit_delay).filter(|value| *value != 1);
        link.dead_interval = said.dead_interval.or(link.dead_interval).filter(|value| *value != 40);
        Ok(())
    },
    |router, args| {
        let other = args.parse("router")?;
        let Some(link) = area(router, args)?.virtual_links.get_mut(&other) else { return Ok(()) };
        if args.has("no_hello") {
            link.hello_interval = None;
        }
        if args.has("no_again") {
            link.retransmit = None;
        }
        if args.has("no_window") {
            link.retransmit_window = None;
        }
        if args.has("no_delay") {
            link.transmit_delay = None;
        }
        if args.has("no_dead") {
            link.dead_interval = None;
        }
        Ok(())
    },
    show_virtual_links,
    [
        "area 3 virtual-link 9.9.9.9 hello-interval 5 retransmit-interval 4 retransmit-window 50 transmit-delay 2 dead-interval 20"
    ]
);

fn show_virtual_links(router: &RouterSettings, lines: &mut Lines) {
    for area in router.areas.values() {
        for (other, link) in &area.virtual_links {
            let times = VirtualLinkSettings { auth: link.auth.clone(), ..VirtualLinkSettings::default() };
            if *link == times {
                lines.line(format!("area {} virtual-link {other}", area.name));
            }
            lines.with_prefix(&format!("area {} virtual-link {other}", area.name), |lines| {
                show_virtual_link(link, lines);
            });
        }
    }
}

fn show_virtual_link(link: &VirtualLinkSettings, lines: &mut Lines) {
    let times = VirtualLinkSettings { auth: link.auth.clone(), ..VirtualLinkSettings::default() };
    if *link != times {
        lines.line(format!(
            "hello-interval {} retransmit-interval {} retransmit-window {} transmit-delay {} dead-interval {}",
            link.hello_interval.unwrap_or(10),
            link.retransmit.unwrap_or(5),
            link.retransmit_window.unwrap_or(50),
            link.transmit_delay.unwrap_or(1),
            link.dead_interval.unwrap_or(40)
        ));
    }
    match &link.auth.kind {
        None => {}
        Some(AuthKind::Null) => lines.line("authentication null"),
        Some(AuthKind::Simple) => lines.line("authentication"),
        Some(AuthKind::Digest) => lines.line("authentication message-digest"),
        Some(AuthKind::KeyChain(chain)) => lines.line(format!("authentication key-chain {chain}")),
    }
    if let Some(password) = &link.auth.password {
        lines.line(format!("authentication-key {password}"));
    }
    for (id, key) in &link.auth.keys {
        lines.line(format!("message-digest-key {id} md5 {key}"));
    }
}

pub const VIRTUAL_AUTH: Router = setting!(
    "area <A.B.C.D|(0-4294967295)>$area virtual-link A.B.C.D$router [authentication$auth \
     [<key-chain KEYCHAIN_NAME$chain|message-digest$digest|null$null>]] \
     [<message-digest-key (1-255)$id md5 KEY$key|authentication-key AUTH_KEY$password>]",
    [
        AREA,
        ID,
        ID,
        "A link of the backbone through this area",
        "The router at its other end",
        "Packets carry a password",
        "A digest with keys of a chain",
        "Key chain",
        "A digest",
        "Nothing",
        "Key of the digest",
        "Number",
        "MD5",
        "Key",
        "The password",
        "Password"
    ],
    Negation::Derived,
    |router, args| {
        let kind = args.has("auth").then(|| {
            if let Some(chain) = args.get("chain") {
                AuthKind::KeyChain(chain.to_owned())
            } else if args.has("digest") {
                AuthKind::Digest
            } else if args.has("null") {
                AuthKind::Null
            } else {
                AuthKind::Simple
            }
        });
        let id: Option<u8> = args.parse_opt("id")?;
        let key = args.get("key").map(str::to_owned);
        let password = args.get("password").map(str::to_owned);
        let link = virtual_link(router, args)?;
        link.auth.kind = kind.or(link.auth.kind.take());
        link.auth.password = password.or(link.auth.password.take());
        if let (Some(id), Some(key)) = (id, key) {
            if link.auth.keys.iter().any(|(known, _)| *known == id) {
                return Err(CliError::refused(format!("OSPF: Key {id} already exists")));
            }
            link.auth.keys.push((id, key));
        }
        Ok(())
    },
    |router, args| {
        let other = args.parse("router")?;
        let id: Option<u8> = args.parse_opt("id")?;
        let (auth, password) = (args.has("auth"), args.has("password"));
        let area = area(router, args)?;
        let Some(link) = area.virtual_links.get_mut(&other) else { return Ok(()) };
        if auth {
            link.auth.kind = None;
        }
        if password {
            link.auth.password = None;
        }
        if let Some(id) = id {
            link.auth.keys.retain(|(known, _)| *known != id);
        }
        if !auth && !password && id.is_none() {
            area.virtual_links.remove(&other);
        }
        Ok(())
    },
    |_, _| {},
    [
        "area 3 virtual-link 9.9.9.9",
        "area 3 virtual-link 9.9.9.9 authentication message-digest",
        "area 3 virtual-link 9.9.9.9 message-digest-key 3 md5 xyz"
    ]
);
