//! The commands under `neighbor X`: making, grouping and removing neighbours here, and the registration of the rows that
//! edit a session ([`super::session`]) or one of its families ([`super::peer_family`]).

use std::sync::Arc;

use bgp_packet::Family;
use ferrite_cli::{CliError, ConfigCommand, Edit, Lines, Negation, Node, Registry};

use super::name::NeighborName;
use super::peer::{Neighbor, No, Part, PeerGroup, PeerKey, PeerLines, PeerRow, PeerSettings, Target};
use super::router::RouterBgp;
use super::types::{GroupName, RemoteAs, SessionKind};
use super::{BgpConfig, FAMILY_PLACES, FamilyPlace, ROUTER_BGP, peer_family, peer_filters, session};

/// What stands before every setting of a neighbour or group.
const PREFIX: &str = "neighbor <A.B.C.D|X:X::X:X|WORD>$neighbor";
const PREFIX_HELP: [&str; 4] = [
    "Specify neighbor router",
    "Neighbor address",
    "Neighbor IPv6 address",
    "Interface name or neighbor tag",
];

/// The neighbour of the examples; it is there when they are tried ([`WAY`]).
const EXAMPLE: &str = "neighbor 10.0.0.1";
/// How the examples enter `router bgp`.
pub(super) const WAY: &str = "router bgp 65001\nneighbor 10.0.0.1 remote-as 65002";

const UNKNOWN_PEER: &str = "Specify remote-as or peer-group commands first";

fn key(router: &RouterBgp, edit: &Edit<'_>) -> PeerKey {
    PeerKey::read(router, edit.args.get("neighbor").unwrap_or_default())
}

fn refused<T>(reason: &str) -> Result<T, CliError> {
    Err(CliError::refused(reason))
}

// ---- making, grouping, removing

fn set_remote_as(router: &mut RouterBgp, key: PeerKey, remote: RemoteAs) -> Result<(), CliError> {
    match key {
        PeerKey::Neighbor(addr) => {
            let neighbor = neighbor_or_new(router, &addr);
            let group = router.group_of(&neighbor);
            if group.is_some_and(|group| group.settings.remote_as.is_some()) {
                return refused("Peer-group member cannot override remote-as of peer-group.");
            }
            let mut neighbor = neighbor;
            neighbor.settings.remote_as = Some(remote);
            router.neighbors.insert(addr.clone(), Arc::new(neighbor));
            settle_neighbor(router, &addr);
            Ok(())
        }
        PeerKey::Group(name) => {
            let Some(group) = router.groups.get_mut(&name) else {
                return refused("Create the peer-group or interface first");
            };
            group.settings.remote_as = Some(remote);
            for_members(router, &name, |member| member.remote_as = None);
            settle_group(router, &name);
            Ok(())
        }
    }
}

/// `neighbor IFNAME interface …`
pub(super) fn interface_neighbor(
    router: &mut RouterBgp,
    name: NeighborName,
    v6only: bool,
    group: Option<GroupName>,
    remote: Option<RemoteAs>,
) -> Result<(), CliError> {
    let Some(interface) = name.interface() else {
        return refused("An address cannot stand for an interface");
    };
    if router.groups.contains_key(interface) {
        return refused("Name conflict with peer-group ");
    }
    if group.as_ref().is_some_and(|group| !router.groups.contains_key(group)) {
        return refused("Configure the peer-group first");
    }
    let before = router.neighbors.get(&name).cloned();
    let mut neighbor = neighbor_or_new(router, &name);
    neighbor.settings.session.v6only = v6only;
    router.neighbors.insert(name.clone(), Arc::new(neighbor));
    let remote =
        remote.map_or(Ok(()), |remote| set_remote_as(router, PeerKey::Neighbor(name.clone()), remote));
    let joined = remote.and_then(|()| {
        group.map_or(Ok(()), |group| join(router, PeerKey::Neighbor(name.clone()), group.as_str()))
    });
    if joined.is_err() {
        // A refusal changes nothing.
        match before {
            Some(before) => router.neighbors.insert(name, before),
            None => router.neighbors.remove(&name),
        };
    }
    joined
}

pub(super) fn remove_interface_neighbor(router: &mut RouterBgp, name: &NeighborName) -> Result<(), CliError> {
    if let (Some(_), Some(neighbor)) = (name.addr(), router.neighbors.get_mut(name)) {
        // `no neighbor ADDRESS interface`
        Arc::make_mut(neighbor).settings.session.interface = None;
        return Ok(());
    }
    if router.neighbors.remove(name).is_none() {
        return refused("Create the bgp interface first");
    }
    Ok(())
}

/// A copy of the neighbour, or what a new one begins with.
fn neighbor_or_new(router: &RouterBgp, name: &NeighborName) -> Neighbor {
    router.neighbors.get(name).map_or_else(
        || {
            let mut settings = router.fresh_peer();
            if router.default_shutdown {
                settings.session.shutdown.get_or_insert_default();
            }
            Neighbor { group: None, settings }
        },
        |neighbor| Neighbor::clone(neighbor),
    )
}

/// Changes the members of a group; those that stay as they are keep their shared value.
fn for_members(router: &mut RouterBgp, group: &GroupName, change: impl Fn(&mut PeerSettings)) {
    for neighbor in router.neighbors.values_mut().filter(|n| n.group.as_ref() == Some(group)) {
        let mut settings = neighbor.settings.clone();
        change(&mut settings);
        if settings != neighbor.settings {
            Arc::make_mut(neighbor).settings = settings;
        }
    }
}

fn remove(router: &mut RouterBgp, key: PeerKey, only_remote_as: bool) -> Result<(), CliError> {
    match key {
        // An interface stays a neighbour without an AS.
        PeerKey::Neighbor(name @ NeighborName::Interface(_)) if only_remote_as => {
            if let Some(neighbor) = router.neighbors.get_mut(&name) {
                Arc::make_mut(neighbor).settings.remote_as = None;
            }
            settle_neighbor(router, &name);
            Ok(())
        }
        PeerKey::Neighbor(addr) => {
            router.neighbors.remove(&addr);
            Ok(())
        }
        PeerKey::Group(name) if only_remote_as => match router.groups.get_mut(&name) {
            Some(group) => {
                group.settings.remote_as = None;
                settle_group(router, &name);
                Ok(())
            }
            None => refused("Create the peer-group first"),
        },
        PeerKey::Group(name) => remove_group(router, &name),
    }
}

fn make_group(router: &mut RouterBgp, name: &str) -> Result<(), CliError> {
    let name = match PeerKey::read(router, name) {
        PeerKey::Group(name) => name,
        PeerKey::Neighbor(NeighborName::Addr(_)) => {
            return refused("A peer-group cannot have an address as its name");
        }
        PeerKey::Neighbor(NeighborName::Interface(_)) => return refused("Name conflict with interface: "),
    };
    let settings = router.fresh_peer();
    router.groups.entry(name).or_insert(PeerGroup { settings });
    Ok(())
}

/// Removes a group with its members, as FRR does.
fn remove_group(router: &mut RouterBgp, name: &GroupName) -> Result<(), CliError> {
    let ranges = router.sessions.listen.of_group(name).count();
    if ranges > 0 {
        return Err(CliError::refused(format!(
            "Peer-group {name} is attached to {ranges} listen-range(s), delete them first"
        )));
    }
    if router.groups.remove(name).is_none() {
        return refused("Create the peer-group first");
    }
    router.neighbors.retain(|_, neighbor| neighbor.group.as_ref() != Some(name));
    Ok(())
}

fn join(router: &mut RouterBgp, key: PeerKey, name: &str) -> Result<(), CliError> {
    let name = GroupName::new(name);
    let PeerKey::Neighbor(addr) = key else { return refused(UNKNOWN_PEER) };
    let Some(group) = router.groups.get(&name) else { return refused("Configure the peer-group first") };
    let mut neighbor = neighbor_or_new(router, &addr);
    match &neighbor.group {
        Some(present) if *present == name => return Ok(()),
        Some(_) => return refused("Cannot change the peer-group. Deconfigure first"),
        None => {}
    }
    let first_member =
        router.members(&name).find_map(|(_, member)| router.kind_of(&member.settings, Some(&group.settings)));
    let group_kind = router.kind_of(&group.settings, None).or(first_member);
    let kind = router.kind_of(&neighbor.settings, None);
    if kind.is_some() && group_kind.is_some() && kind != group_kind {
        return refused("Peer-group members must be all internal or all external.");
    }
    if group.settings.remote_as.is_some() {
        neighbor.settings.remote_as = None;
    }
    for (family, slot) in neighbor.settings.families.iter_mut() {
        if let Some(inherited) = group.settings.families.get(family) {
            if let Some(reason) = slot.conflict(Some(inherited)) {
                return refused(reason);
            }
            slot.activate = inherited.activate;
            slot.normalise(Some(inherited));
        }
    }
    let inherited = Some(&group.settings.session);
    if let Some(reason) = neighbor.settings.session.conflict(inherited) {
        return refused(reason);
    }
    neighbor.settings.session.normalise(inherited);
    neighbor.group = Some(name);
    router.neighbors.insert(addr.clone(), Arc::new(neighbor));
    settle_neighbor(router, &addr);
    Ok(())
}

/// FRR removes a neighbour that leaves its group.
fn part(router: &mut RouterBgp, key: PeerKey, name: &str) -> Result<(), CliError> {
    let PeerKey::Neighbor(addr) = key else { return refused(UNKNOWN_PEER) };
    let Some(neighbor) = router.neighbors.get(&addr) else { return refused(UNKNOWN_PEER) };
    if !router.groups.contains_key(name) {
        return refused("Configure the peer-group first");
    }
    if neighbor.group.as_ref().is_none_or(|group| group.as_str() != name) {
        return refused("Cannot change the peer-group. Deconfigure first");
    }
    router.neighbors.remove(&addr);
    Ok(())
}

// ---- rows

/// Lets a row edit a neighbour's or group's part `T`, then tidies what members inherit. A refusal changes nothing.
fn edit_part<T: Part>(
    router: &mut RouterBgp,
    key: PeerKey,
    family: Family,
    change: impl FnOnce(&mut Target<'_, T>) -> Result<(), CliError>,
) -> Result<(), CliError> {
    match key {
        PeerKey::Neighbor(addr) => edit_neighbor(router, &addr, family, change),
        PeerKey::Group(name) => edit_group(router, &name, family, change),
    }
}

fn edit_neighbor<T: Part>(
    router: &mut RouterBgp,
    addr: &NeighborName,
    family: Family,
    change: impl FnOnce(&mut Target<'_, T>) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let Some(neighbor) = router.neighbors.get(addr) else { return refused(UNKNOWN_PEER) };
    let group = router.group_of(neighbor).map(|group| &group.settings);
    let kind = router.kind_of(&neighbor.settings, group);
    let inherited = group.and_then(|group| T::of(group, family));
    let Some(mut own) = T::of(&neighbor.settings, family).cloned() else { return Ok(()) };
    let router_asn = router.asn.asn;
    let interface = addr.interface();
    change(&mut Target { own: &mut own, group: inherited, kind, router_asn, interface })?;
    if let Some(reason) = own.conflict(inherited) {
        return refused(reason);
    }
    own.normalise(inherited);
    if let Some(neighbor) = router.neighbors.get_mut(addr)
        && let Some(slot) = T::of_mut(&mut Arc::make_mut(neighbor).settings, family)
    {
        *slot = own;
    }
    if router.neighbors.get(addr).is_some_and(|neighbor| kind_in(router, neighbor) != kind) {
        settle_neighbor(router, addr);
    }
    Ok(())
}

/// The kind of a neighbour's session, as far as the configuration tells.
fn kind_in(router: &RouterBgp, neighbor: &Neighbor) -> Option<SessionKind> {
    router.kind_of(&neighbor.settings, router.group_of(neighbor).map(|group| &group.settings))
}

fn edit_group<T: Part>(
    router: &mut RouterBgp,
    name: &GroupName,
    family: Family,
    change: impl FnOnce(&mut Target<'_, T>) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let Some(group) = router.groups.get(name) else { return refused(UNKNOWN_PEER) };
    let kind = router.kind_of(&group.settings, None);
    let local_as = group.settings.session.local_as;
    let Some(before) = T::of(&group.settings, family).cloned() else { return Ok(()) };
    let mut own = before.clone();
    let router_asn = router.asn.asn;
    change(&mut Target { own: &mut own, group: None, kind, router_asn, interface: None })?;
    own.normalise(None);
    if own == before {
        return Ok(());
    }
    let parts = router.members(name).filter_map(|(_, member)| T::of(&member.settings, family));
    if let Some(reason) =
        own.conflict(None).or_else(|| parts.into_iter().find_map(|part| part.conflict(Some(&own))))
    {
        return refused(reason);
    }
    for_members(router, name, |member| {
        if let Some(part) = T::of_mut(member, family) {
            own.spread(&before, part);
            part.normalise(Some(&own));
        }
    });
    if let Some(group) = router.groups.get_mut(name)
        && let Some(slot) = T::of_mut(&mut group.settings, family)
    {
        *slot = own;
    }
    if router.groups.get(name).is_some_and(|group| group.settings.session.local_as != local_as) {
        settle_group(router, name);
    }
    Ok(())
}

/// Drops what a neighbour of its (new) kind cannot have.
fn settle_neighbor(router: &mut RouterBgp, addr: &NeighborName) {
    let Some(neighbor) = router.neighbors.get(addr) else { return };
    let kind = kind_in(router, neighbor);
    let mut settings = neighbor.settings.clone();
    settle(&mut settings, kind);
    if settings != neighbor.settings
        && let Some(neighbor) = router.neighbors.get_mut(addr)
    {
        Arc::make_mut(neighbor).settings = settings;
    }
}

fn settle_group(router: &mut RouterBgp, name: &GroupName) {
    let Some(group) = router.groups.get(name) else { return };
    let kind = router.kind_of(&group.settings, None);
    if let Some(group) = router.groups.get_mut(name) {
        settle(&mut group.settings, kind);
    }
    let members: Vec<NeighborName> = router.members(name).map(|(addr, _)| addr.clone()).collect();
    for addr in &members {
        settle_neighbor(router, addr);
    }
}

fn settle(settings: &mut PeerSettings, kind: Option<SessionKind>) {
    settings.session.settle(kind);
    for (_, part) in settings.families.iter_mut() {
        part.settle(kind);
    }
}

/// Registers a table of rows at a node; `hidden` are FRR's old places for IPv4 unicast, right under `router bgp`.
fn rows<T: Part, H>(
    registry: &mut Registry<BgpConfig, H>,
    node: &'static Node,
    family: Family,
    hidden: bool,
    rows: &'static [PeerRow<T>],
) {
    for row in rows {
        let syntax = format!("{PREFIX} {}", row.syntax);
        let set_help: Vec<&'static str> = PREFIX_HELP.iter().chain(row.help).copied().collect();
        let edit = move |negated: bool| {
            let change = if negated { row.unset } else { row.set };
            move |config: &mut BgpConfig, edit: &Edit<'_>| {
                let router = config.router(edit.context)?;
                edit_part::<T>(router, key(router, edit), family, |target| change(target, edit.args))
            }
        };
        let edit_either = move |config: &mut BgpConfig, given: &Edit<'_>| edit(given.negated)(config, given);
        let mut command = ConfigCommand::new(&[node], syntax, &set_help, edit_either);
        for text in row.examples.iter().filter(|_| !hidden) {
            command = command.example(match text.strip_prefix("no ") {
                Some(text) => format!("no {EXAMPLE} {text}"),
                None => format!("{EXAMPLE} {text}"),
            });
        }
        match row.no {
            No::Derived => registry.command(visible(command, hidden)),
            No::Syntax(no, no_help) => {
                registry.command(visible(command.no(Negation::Never), hidden));
                let help: Vec<&'static str> = std::iter::once(super::NO_HELP)
                    .chain(PREFIX_HELP)
                    .chain(no_help.iter().copied())
                    .collect();
                let command = ConfigCommand::new(&[node], format!("no {PREFIX} {no}"), &help, edit(true));
                registry.command(visible(command.no(Negation::Never), hidden));
            }
        }
    }
}

fn visible(command: ConfigCommand<BgpConfig>, hidden: bool) -> ConfigCommand<BgpConfig> {
    if hidden { command.hidden() } else { command }
}

pub(super) fn register<H>(registry: &mut Registry<BgpConfig, H>) {
    let remote_as = [
        "Specify a BGP neighbor",
        "AS of remote neighbor",
        "Internal BGP peer",
        "External BGP peer",
        "Automatically detect remote ASN",
    ];
    let help: Vec<&'static str> = PREFIX_HELP.iter().chain(&remote_as).copied().collect();
    let syntax = format!("{PREFIX} remote-as <ASNUM|internal|external|auto>$remote");
    registry.command(
        ConfigCommand::new(&[&ROUTER_BGP], syntax, &help, |config: &mut BgpConfig, edit| {
            let router = config.router(edit.context)?;
            set_remote_as(router, key(router, edit), edit.args.parse("remote")?)
        })
        .no(Negation::Never)
        .example("neighbor 10.0.0.1 remote-as 65002")
        .example("neighbor 2001:db8::1 remote-as internal"),
    );
    let help: Vec<&'static str> = std::iter::once(super::NO_HELP).chain(help).collect();
    let syntax = format!("no {PREFIX} [remote-as$only <ASNUM|internal|external|auto>]");
    registry.command(
        ConfigCommand::new(&[&ROUTER_BGP], syntax, &help, |config: &mut BgpConfig, edit| {
            let router = config.router(edit.context)?;
            remove(router, key(router, edit), edit.args.has("only"))
        })
        .no(Negation::Never),
    );
    register_groups(registry);
    rows(registry, &ROUTER_BGP, Family::IPV4_UNICAST, false, session::ROWS);
    rows(registry, &ROUTER_BGP, Family::IPV4_UNICAST, true, peer_family::ROWS);
    rows(registry, &ROUTER_BGP, Family::IPV4_UNICAST, true, peer_filters::ROWS);
    for FamilyPlace { family, node, .. } in FAMILY_PLACES {
        rows(registry, node, *family, false, peer_family::ROWS);
        rows(registry, node, *family, false, peer_filters::ROWS);
        rows(registry, node, *family, false, peer_filters::IN_FAMILY);
    }
}

fn register_groups<H>(registry: &mut Registry<BgpConfig, H>) {
    let [specify, _, _, tag] = PREFIX_HELP;
    registry.command(
        ConfigCommand::new(
            &[&ROUTER_BGP],
            "neighbor WORD$neighbor peer-group",
            &[specify, tag, "Configure peer-group"],
            |config: &mut BgpConfig, edit| {
                let name = edit.args.get("neighbor").unwrap_or_default();
                let router = config.router(edit.context)?;
                if edit.negated {
                    remove_group(router, &GroupName::new(name))
                } else {
                    make_group(router, name)
                }
            },
        )
        .example("neighbor PG peer-group"),
    );
    let membership = ["Member of the peer-group", "Peer-group name"];
    let help: Vec<&'static str> = PREFIX_HELP.iter().chain(&membership).copied().collect();
    let edit = |config: &mut BgpConfig, edit: &Edit<'_>| {
        let name = edit.args.get("group").unwrap_or_default();
        let router = config.router(edit.context)?;
        let key = key(router, edit);
        if edit.negated { part(router, key, name) } else { join(router, key, name) }
    };
    let syntax = format!("{PREFIX} peer-group PGNAME$group");
    let no_help: Vec<&'static str> = std::iter::once(super::NO_HELP).chain(help.iter().copied()).collect();
    let no_edit = |config: &mut BgpConfig, edit: &Edit<'_>| {
        let name = edit.args.get("group").unwrap_or_default();
        let router = config.router(edit.context)?;
        part(router, key(router, edit), name)
    };
    for (nodes, hidden) in [(&[&ROUTER_BGP][..], false), (&[&super::BGP_IPV4, &super::BGP_IPV6][..], true)] {
        let command = ConfigCommand::new(nodes, syntax.clone(), &help, edit).no(Negation::Never);
        registry.command(visible(command, hidden));
        let command =
            ConfigCommand::new(nodes, format!("no {syntax}"), &no_help, no_edit).no(Negation::Never);
        registry.command(visible(command, hidden));
    }
}

// ---- rendering

/// Neighbours and groups in FRR's order: groups by name, then members by group and name, then the rest by name.
fn in_order(router: &RouterBgp) -> Vec<Rendered<'_>> {
    let mut all: Vec<Rendered<'_>> = Vec::with_capacity(router.groups.len() + router.neighbors.len());
    for (name, group) in &router.groups {
        all.push(Rendered {
            name: name.to_string(),
            settings: &group.settings,
            group: None,
            is_group: true,
            on_interface: false,
        });
    }
    let mut neighbors: Vec<(&NeighborName, &Arc<Neighbor>)> = router.neighbors.iter().collect();
    neighbors.sort_by_key(|(_, neighbor)| (neighbor.group.is_none(), neighbor.group.as_ref()));
    for (addr, neighbor) in neighbors {
        let group = neighbor.group.as_ref();
        all.push(Rendered {
            name: addr.to_string(),
            settings: &neighbor.settings,
            group,
            is_group: false,
            on_interface: addr.interface().is_some(),
        });
    }
    all
}

struct Rendered<'a> {
    name: String,
    settings: &'a PeerSettings,
    group: Option<&'a GroupName>,
    is_group: bool,
    on_interface: bool,
}

/// The lines of all neighbours and groups that belong to no family.
pub(super) fn render_sessions(router: &RouterBgp, lines: &mut Lines) {
    for Rendered { name, settings, group, is_group, on_interface } in in_order(router) {
        let mut out = PeerLines { lines, name: &name, member: group.is_some(), active_by_default: false };
        if is_group {
            out.yes("peer-group");
        }
        if on_interface {
            let v6only = if settings.session.v6only { " v6only" } else { "" };
            match (group, settings.remote_as) {
                (Some(group), _) => out.yes(format!("interface{v6only} peer-group {group}")),
                (None, Some(remote)) => out.yes(format!("interface{v6only} remote-as {remote}")),
                (None, None) => out.yes(format!("interface{v6only}")),
            }
        }
        out.value("remote-as", settings.remote_as.filter(|_| !on_interface || group.is_some()));
        out.value("peer-group", group.filter(|_| !on_interface));
        for row in session::ROWS {
            (row.render)(&settings.session, &mut out);
        }
    }
}

/// Their lines inside `address-family …`.
pub(super) fn render_family(router: &RouterBgp, family: Family, lines: &mut Lines) {
    for Rendered { name, settings, group, .. } in in_order(router) {
        let Some(own) = settings.families.get(family) else { continue };
        let group_part = group
            .and_then(|name| router.groups.get(name))
            .and_then(|group| group.settings.families.get(family));
        let active_by_default =
            group_part.map_or_else(|| router.active_by_default(family), |inherited| inherited.activate);
        let mut out = PeerLines { lines, name: &name, member: group.is_some(), active_by_default };
        for row in peer_family::ROWS.iter().chain(peer_filters::all()) {
            (row.render)(own, &mut out);
        }
    }
}
