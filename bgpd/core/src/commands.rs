//! Commands outside configuration: `show`, `clear`. Each is declared in [`registry`] with a [`Command`] as its handler;
//! the instance answers it, asking the shards where the table is needed.
//!
//! ```text
//!  Exec ─► questions to every shard ─► answers complete ─► view struct ─► one Reply
//!       └► counts, then a walk ─► rows of all shards merged by prefix ─► Reply, ReplyTaken, Reply, …
//! ```

use std::collections::BTreeMap;

use bgp_packet::Family;
use ferrite_cli::{Args, Registry};
use ferrite_policy::view::{Daemon, PolicyShow};
use ferrite_types::{Afi, Safi, Timestamp};

use crate::Action;
use crate::config::{BgpConfig, NeighborName};
use crate::event::ExecId;
use crate::instance::Instance;
use crate::rib::query::WalkSource;
use crate::rib::{Answer, Query, QueryToken, ShardEvent};

mod bmp;
mod clear;
mod dampening;
mod declare;
mod explain;
mod filter;
mod graceful;
mod neighbors;
mod optimal;
mod prefix;
mod rpki;
mod statistics;
mod summary;
mod table;
mod unsupported;
mod various;

use filter::RowFilter;
use table::{Walk, counts};

/// The handler of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    Policy(PolicyShow),
    Summary,
    /// The table, or what a filter leaves of it.
    Table,
    Prefix,
    /// Why a prefix is as it is.
    Explain,
    Neighbors,
    GracefulNeighbors,
    /// A table of one neighbour.
    Adjacency(Side),
    Nexthops,
    UpdateGroups,
    PeerGroups,
    Memory,
    Statistics,
    AllStatistics,
    PrefixCounts,
    OptimalReflection,
    Router,
    Vrfs,
    KeyChains,
    Bmp,
    Clear,
    ClearSoft,
    DampeningParameters,
    Flaps,
    ClearDampening,
    /// What a neighbour does not want to be sent.
    ReceivedFilter,
    Rpki(rpki::RpkiCommand),
}

/// Which of a neighbour's tables.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    Advertised,
    Received,
    Filtered,
    Accepted,
    /// Accepted and best.
    Best,
    /// What it could be sent and is not.
    Withheld,
}

/// Every command and configuration line of bgpd.
pub fn registry() -> Registry<BgpConfig, Command> {
    let mut registry = Registry::new();
    crate::config::register(&mut registry);
    ferrite_policy::view::register(&mut registry, true, Command::Policy);
    declare::register(&mut registry);
    rpki::register(&mut registry);
    unsupported::register(&mut registry);
    registry
}

impl Instance {
    /// Values that can stand for a variable of the grammar, for completion.
    pub fn complete(&self, variable: &str) -> Vec<String> {
        let policy = &self.config.policy;
        let names = |names: &mut dyn Iterator<Item = &String>| names.cloned().collect();
        match variable {
            "A.B.C.D" | "X:X::X:X" => {
                let v6 = variable == "X:X::X:X";
                let addrs = self.by_name.keys().filter_map(NeighborName::addr);
                let fits = addrs.filter(|addr| addr.is_ipv6() == v6);
                fits.map(|addr| addr.to_string()).collect()
            }
            "PGNAME" => self
                .router()
                .map(|router| router.groups.keys().map(ToString::to_string).collect())
                .unwrap_or_default(),
            "KEYCHAIN_NAME" => self.config.key_chains.iter().map(|(name, _)| name.to_owned()).collect(),
            "RMAP_NAME" => names(&mut policy.route_maps.keys()),
            "PREFIXLIST4_NAME" => names(&mut policy.prefix_lists_v4.keys()),
            "PREFIXLIST6_NAME" => names(&mut policy.prefix_lists_v6.keys()),
            "ACCESSLIST4_NAME" => names(&mut policy.access_lists_v4.keys()),
            "ACCESSLIST6_NAME" => names(&mut policy.access_lists_v6.keys()),
            "AS_PATH_FILTER_NAME" => names(&mut policy.as_path_lists.keys()),
            "COMMUNITY_LIST_NAME" => names(&mut policy.community_lists.keys()),
            "LCOMMUNITY_LIST_NAME" => names(&mut policy.large_community_lists.keys()),
            "EXTCOMMUNITY_LIST_NAME" => names(&mut policy.ext_community_lists.keys()),
            _ => Vec::new(),
        }
    }
}

/// What FRR's shell prints before what this daemon says.
const DAEMON: Daemon = Daemon { title: "BGP", name: "bgpd" };

/// Commands whose output is not complete.
#[derive(Debug, Default)]
pub struct Execs(BTreeMap<ExecId, Exec>);

#[derive(Debug)]
enum Exec {
    Gather(Gather),
    Walk(Box<Walk>),
}

/// Questions that every shard answers, and what they have answered.
#[derive(Debug)]
pub(crate) struct Gather {
    command: Command,
    args: Args,
    /// Answers by question, then by shard.
    answers: Vec<Vec<Answer>>,
    waiting: usize,
}

/// Answers by question, then by shard, in order of arrival.
pub(crate) type Answers = [Vec<Answer>];

/// Questions of one command are told apart by the low bits of their token.
const QUESTIONS: u64 = 16;

fn token(exec: ExecId, question: usize) -> QueryToken {
    QueryToken(exec.0 * QUESTIONS + question as u64)
}

fn exec_of(token: QueryToken) -> (ExecId, usize) {
    (ExecId(token.0 / QUESTIONS), (token.0 % QUESTIONS) as usize)
}

/// The family that a command names; `show ip bgp` is IPv4, and so is what names none but may be either.
fn named_family(args: &Args) -> Option<Family> {
    let afi = if args.has("ipv6") {
        Afi::Ipv6
    } else if args.has("ipv4") || args.has("ip") {
        Afi::Ipv4
    } else {
        return None;
    };
    Some(family_of(afi, args))
}

/// The families that a command is about: the one it names, or all.
fn families_of(args: &Args) -> Vec<Family> {
    named_family(args).map_or_else(|| Family::ALL.to_vec(), |family| vec![family])
}

/// FRR's default for tables: `show bgp` alone is IPv6.
fn family_or_ipv6(args: &Args) -> Family {
    named_family(args).unwrap_or(Family::IPV6_UNICAST)
}

/// JSON as FRR prints it, with the line end.
pub(crate) fn json(value: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

impl Instance {
    pub(crate) fn exec(
        &mut self,
        now: Timestamp,
        exec: ExecId,
        command: Command,
        args: &Args,
        out: &mut Vec<Action>,
    ) {
        let other = args.get("vrf").filter(|name| *name != "all" && *name != self.label());
        if let Some(name) = other.filter(|_| !matches!(command, Command::Policy(_) | Command::Rpki(_))) {
            return reply(exec, unknown_instance(command, args, name), out);
        }
        if self.router().is_none() && !matches!(command, Command::Policy(_) | Command::Rpki(_)) {
            let text = if args.has("json") { "{}\n" } else { "" };
            return reply(exec, text.to_owned(), out);
        }
        match self.questions(command, args) {
            Err(text) => reply(exec, text, out),
            Ok(questions) if questions.is_empty() => {
                let text = self.answer(now, command, args, &[], out);
                reply(exec, text, out);
            }
            Ok(questions) => {
                let gather = Gather {
                    command,
                    args: args.clone(),
                    answers: questions.iter().map(|_| Vec::new()).collect(),
                    waiting: questions.len() * self.host.shards,
                };
                for (number, question) in questions.iter().enumerate() {
                    self.all_shards(|| ShardEvent::Query(token(exec, number), question.clone()), out);
                }
                self.execs.0.insert(exec, Exec::Gather(gather));
            }
        }
    }

    /// What the shards must be asked first; or the reply at once.
    fn questions(&self, command: Command, args: &Args) -> Result<Vec<Query>, String> {
        Ok(match command {
            Command::Summary => Family::ALL.map(|family| Query::Counts { family }).to_vec(),
            Command::Table => vec![Query::Counts { family: family_or_ipv6(args) }],
            Command::Adjacency(side) => {
                let (_, family) = self.adjacency(side, args)?;
                vec![Query::Counts { family }]
            }
            Command::Prefix => vec![self.prefix_question(args)?],
            Command::Explain => vec![self.explain_question(args)?],
            Command::Statistics => vec![Query::Statistics { family: family_or_ipv6(args) }],
            Command::AllStatistics => Family::ALL.map(|family| Query::Statistics { family }).to_vec(),
            Command::PrefixCounts => vec![self.tally_question(args)?],
            Command::Flaps => self.flap_questions(args)?,
            Command::Nexthops => vec![Query::Nexthops],
            Command::UpdateGroups => {
                families_of(args).into_iter().map(|family| Query::UpdateGroups { family }).collect()
            }
            Command::Memory => {
                let mut questions = vec![Query::Memory];
                questions.extend(Family::ALL.map(|family| Query::Counts { family }));
                questions
            }
            Command::Policy(_)
            | Command::Rpki(_)
            | Command::Neighbors
            | Command::GracefulNeighbors
            | Command::PeerGroups
            | Command::Router
            | Command::Vrfs
            | Command::KeyChains
            | Command::Bmp
            | Command::Clear
            | Command::ClearSoft
            | Command::DampeningParameters
            | Command::ClearDampening
            | Command::OptimalReflection
            | Command::ReceivedFilter => Vec::new(),
        })
    }

    /// The whole output, once everything needed is there.
    fn answer(
        &mut self,
        now: Timestamp,
        command: Command,
        args: &Args,
        answers: &Answers,
        out: &mut Vec<Action>,
    ) -> String {
        match command {
            Command::Policy(show) => show.run(&self.policies, DAEMON, args),
            Command::Rpki(command) => self.rpki_command(now, command, args, out),
            Command::Summary => self.summary(now, args, answers),
            Command::Prefix => self.prefix_detail(now, args, answers),
            Command::Explain => self.explain(args, answers),
            Command::Neighbors => self.neighbors(now, args),
            Command::GracefulNeighbors => self.graceful_neighbors(now, args),
            Command::Nexthops => self.nexthops(args, answers),
            Command::UpdateGroups => self.update_groups(args, answers),
            Command::PeerGroups => self.peer_groups(args),
            Command::Memory => self.memory(args, answers),
            Command::Statistics => self.statistics(args, answers),
            Command::AllStatistics => self.all_statistics(args, answers),
            Command::PrefixCounts => self.prefix_counts(args, answers),
            Command::OptimalReflection => self.optimal_reflection(args),
            Command::Clear => self.clear(now, args, out),
            Command::ClearSoft => self.clear_soft(now, args, out),
            Command::DampeningParameters => self.dampening_parameters(args),
            Command::Flaps => self.flaps(now, args, answers),
            Command::ClearDampening => self.clear_dampening(args, out),
            Command::ReceivedFilter => self.received_filter(args),
            // Streamed; they do not come here.
            Command::Table | Command::Adjacency(_) => String::new(),
            // About all instances at once; they do not come here either.
            Command::Bmp => self.show_bmp(now, args),
            Command::Router | Command::Vrfs | Command::KeyChains => String::new(),
        }
    }

    /// A shard's answer.
    pub(crate) fn answered(
        &mut self,
        now: Timestamp,
        shard: usize,
        token: QueryToken,
        answer: Answer,
        out: &mut Vec<Action>,
    ) {
        if let Answer::Rows { rows, done } = &answer
            && (self.dump_answered(token, rows, *done, out)
                || self.bmp_answered(now, token, rows, *done, out))
        {
            return;
        }
        let (exec, question) = exec_of(token);
        match self.execs.0.get_mut(&exec) {
            Some(Exec::Gather(gather)) => {
                if let Some(answers) = gather.answers.get_mut(question) {
                    answers.push(answer);
                    gather.waiting = gather.waiting.saturating_sub(1);
                }
                if gather.waiting == 0 {
                    self.gathered(now, exec, out);
                }
            }
            Some(Exec::Walk(walk)) => {
                if let Answer::Rows { rows, done } = answer {
                    walk.received(shard, rows, done);
                    self.advance(exec, out);
                }
            }
            None => {}
        }
    }

    fn gathered(&mut self, now: Timestamp, exec: ExecId, out: &mut Vec<Action>) {
        let Some(Exec::Gather(gather)) = self.execs.0.remove(&exec) else { return };
        match self.walk_of(now, &gather) {
            Some(Ok(walk)) => {
                self.execs.0.insert(exec, Exec::Walk(Box::new(walk)));
                self.advance(exec, out);
            }
            Some(Err(text)) => reply(exec, text, out),
            None => {
                let text = self.answer(now, gather.command, &gather.args, &gather.answers, out);
                reply(exec, text, out);
            }
        }
    }

    /// The walk that a streamed command goes on with.
    fn walk_of(&self, now: Timestamp, gather: &Gather) -> Option<Result<Walk, String>> {
        let args = &gather.args;
        match gather.command {
            Command::Table => {
                let walk = self.table_walk(args, &gather.answers);
                Some(walk.map(|walk| self.in_detail(now, args, walk)))
            }
            Command::Adjacency(side) => {
                let walk = self.adjacency_walk(side, args, &gather.answers);
                Some(walk.map(|walk| self.in_detail(now, args, walk)))
            }
            _ => None,
        }
    }

    fn adjacency_walk(&self, side: Side, args: &Args, answers: &Answers) -> Result<Walk, String> {
        let (source, family) = self.adjacency(side, args)?;
        let filter = RowFilter::read(self, family.afi, args)?;
        let header = self.table_header(answers);
        let total = counts(answers, 0).paths;
        Ok(Walk::adjacency(side, family, source, header, filter, total, args, self.host.shards))
    }

    /// `detail`, which a prefix of a neighbour's table implies.
    fn in_detail(&self, now: Timestamp, args: &Args, walk: Walk) -> Walk {
        let exact = args.get("prefix").is_some() && !args.has("longer-prefixes");
        if exact || ["detail", "detail-routes", "detail_json"].iter().any(|word| args.has(word)) {
            walk.detailed(now, self.path_ids_in_use())
        } else {
            walk
        }
    }

    fn table_walk(&self, args: &Args, answers: &Answers) -> Result<Walk, String> {
        let family = family_or_ipv6(args);
        let filter = RowFilter::read(self, family.afi, args)?;
        let header = self.table_header(answers);
        let total = counts(answers, 0).paths;
        Ok(Walk::table(family, filter, header, total, args, self.host.shards))
    }

    /// Writes what can be written, asks shards for what is missing.
    fn advance(&mut self, exec: ExecId, out: &mut Vec<Action>) {
        let Some(Exec::Walk(mut walk)) = self.execs.0.remove(&exec) else { return };
        walk.advance(self);
        for shard in walk.ask() {
            out.push(Action::Shard { shard, event: ShardEvent::Query(token(exec, 0), walk.query()) });
        }
        match walk.take_chunk() {
            Some(chunk) if chunk.done => reply(exec, chunk.text, out),
            Some(chunk) => {
                out.push(Action::Reply { exec, text: chunk.text, done: false });
                self.execs.0.insert(exec, Exec::Walk(walk));
            }
            None => {
                self.execs.0.insert(exec, Exec::Walk(walk));
            }
        }
    }

    pub(crate) fn reply_taken(&mut self, _now: Timestamp, exec: ExecId, out: &mut Vec<Action>) {
        if let Some(Exec::Walk(walk)) = self.execs.0.get_mut(&exec) {
            walk.taken();
            self.advance(exec, out);
        }
    }

    pub(crate) fn reply_gone(&mut self, exec: ExecId, out: &mut Vec<Action>) {
        if let Some(Exec::Walk(_)) = self.execs.0.remove(&exec) {
            self.all_shards(|| ShardEvent::Query(token(exec, 0), Query::EndWalk), out);
        }
    }

    /// The neighbour and family that a table of one neighbour is about.
    fn adjacency(&self, side: Side, args: &Args) -> Result<(WalkSource, Family), String> {
        let warn = |text: &str| warning(args, text);
        let entry = self.named_peer(args);
        let Some((id, entry)) = entry else { return Err(warn("No such neighbor or address family")) };
        let active = |family: &Family| entry.effective.family(*family).is_some_and(|part| part.active);
        let family = named_family(args)
            .or_else(|| [Family::IPV6_UNICAST, Family::IPV4_UNICAST].into_iter().find(active))
            .or_else(|| Family::ALL.into_iter().find(active));
        let Some(family) = family.filter(active) else {
            return Err(warn("No such neighbor or address family"));
        };
        // What is refused may be kept without the rest.
        let stored = entry.effective.family(family).is_some_and(|part| {
            part.soft_reconfiguration || (side == Side::Filtered && part.reject_community.is_some())
        });
        let source = match side {
            Side::Advertised => WalkSource::Advertised(id),
            Side::Accepted | Side::Best => WalkSource::Accepted(id),
            Side::Withheld => WalkSource::Withheld(id),
            Side::Received | Side::Filtered if !stored => {
                return Err(warn("Inbound soft reconfiguration not enabled"));
            }
            Side::Received => WalkSource::Received(id),
            Side::Filtered => WalkSource::Filtered(id),
        };
        Ok((source, family))
    }

    /// The neighbour that `$neighbor` names, by address, interface or host name.
    pub(crate) fn named_peer(
        &self,
        args: &Args,
    ) -> Option<(crate::rib::PeerId, &crate::instance::PeerEntry)> {
        let name = args.get("neighbor")?;
        let by_own_name = self.by_name.get(&NeighborName::read(name)).copied();
        let by_name = || {
            let named = |entry: &crate::instance::PeerEntry| entry.hostname().as_deref() == Some(name);
            self.peers.iter().find(|(_, entry)| named(entry)).map(|(id, _)| *id)
        };
        let id = by_own_name.or_else(by_name)?;
        Some((id, self.peers.get(&id)?))
    }

    /// Seconds since 1970 at a moment.
    pub(crate) fn wall_clock(&self, at: Timestamp) -> u64 {
        self.host.epoch + at.as_micros() / 1_000_000
    }
}

fn warning(args: &Args, text: &str) -> String {
    if args.has("json") { format!("{{ \"warning\": \"{text}\" }}\n") } else { format!("% {text}\n") }
}

fn no_such_neighbor(args: &Args) -> String {
    warning(args, "No such neighbor or address family")
}

/// FRR's words for an instance that is not there.
fn unknown_instance(command: Command, args: &Args, name: &str) -> String {
    match (args.has("json"), command) {
        (_, Command::Clear | Command::ClearSoft) => format!("Can't find BGP instance {name}\n"),
        (true, Command::Summary | Command::Neighbors) => "{}\n".to_owned(),
        (false, Command::Summary | Command::Neighbors) => "% BGP instance not found\n".to_owned(),
        (true, _) => json(&serde_json::json!({ "warning": "View/Vrf is unknown" })),
        (false, _) => format!("View/Vrf {name} is unknown\n"),
    }
}

fn reply(exec: ExecId, text: String, out: &mut Vec<Action>) {
    out.push(Action::Reply { exec, text, done: true });
}

/// The family of a prefix or address, with the routes that a command is about.
fn family_of(afi: Afi, args: &Args) -> Family {
    Family { afi, safi: if args.has("multicast") { Safi::Multicast } else { Safi::Unicast } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_declared_with_its_help() {
        if let Err(faults) = ferrite_cli::check_registry(registry) {
            panic!("{}", faults.join("\n"));
        }
    }
}
