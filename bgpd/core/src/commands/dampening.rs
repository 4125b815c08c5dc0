//! `show bgp … dampening …`, `clear ip bgp dampening`, and what a neighbour filters.

use std::fmt::Write as _;

use bgp_packet::Family;
use ferrite_cli::Args;
use ferrite_types::{Ipv4Prefix, Prefix, Timestamp};
use indexmap::IndexMap;
use serde_json::{Value, json as object};

use super::{Answers, family_or_ipv6, json, named_family};
use crate::Action;
use crate::config::Dampening;
use crate::instance::Instance;
use crate::rib::query::FlapView;
use crate::rib::{Answer, Query, ShardEvent};
use crate::view::dampening::{DAMPED_COLUMNS, FLAP_COLUMNS, FlapRow, Parameters};
use crate::view::routes::TableFooter;
use crate::view::text;

/// Lines of the header of every table, before the columns' heads.
const LEGEND_LINES: usize = 7;

impl Instance {
    pub(super) fn dampening_parameters(&self, args: &Args) -> String {
        let family = named_family(args).unwrap_or(Family::IPV4_UNICAST);
        let configured = match self.named_peer(args) {
            Some((_, entry)) => entry.effective.family(family).and_then(|part| part.filters.dampening),
            None if args.has("neighbor") => return "% No such neighbor in this view/vrf\n".to_owned(),
            None => self.router().and_then(|router| router.families.get(family)?.dampening),
        };
        match (configured, args.has("json")) {
            (Some(settings), true) => json(&parameters(settings)),
            (Some(settings), false) => parameters(settings).to_string(),
            (None, true) => "{}\n".to_owned(),
            (None, false) => format!("% dampening not enabled for {family}\n"),
        }
    }

    pub(super) fn flap_questions(&self, args: &Args) -> Result<Vec<Query>, String> {
        let family = family_or_ipv6(args);
        let peer = match self.named_peer(args) {
            Some((id, _)) => Some(id),
            None if args.has("neighbor") => return Err("% No such neighbor in this view/vrf\n".to_owned()),
            None => None,
        };
        Ok(vec![Query::Counts { family }, Query::Flaps { family, peer }])
    }

    pub(super) fn flaps(&self, now: Timestamp, args: &Args, answers: &Answers) -> String {
        let damped_only = args.has("dampened-paths") || args.has("dampened-routes");
        let mut views: Vec<&FlapView> = answers
            .get(1)
            .into_iter()
            .flatten()
            .filter_map(|answer| match answer {
                Answer::Flaps(views) => Some(views),
                _ => None,
            })
            .flatten()
            .filter(|view| !damped_only || (view.suppressed && !view.withdrawn))
            .collect();
        views.sort_by_key(|view| (view.prefix, view.peer, view.path_id));
        let rows: Vec<FlapRow> =
            views.into_iter().filter_map(|view| self.flap_row(now, view, damped_only)).collect();
        let header = self.table_header(answers);
        let paths = super::table::counts(answers, 0).paths;
        let footer = TableFooter { prefixes: rows.len() as u64, paths, filtered: true };
        if args.has("json") {
            let mut routes: IndexMap<String, Vec<&FlapRow>> = IndexMap::new();
            for row in &rows {
                let key = row.prefix.map(|prefix| prefix.to_string()).unwrap_or_default();
                routes.entry(key).or_default().push(row);
            }
            let members = serde_json::to_string(&routes).unwrap_or_default();
            let inner = members.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or_default();
            return header.json_open() + inner + &footer.json();
        }
        if rows.is_empty() {
            return String::new();
        }
        let mut out = String::new();
        for line in header.to_string().lines().take(LEGEND_LINES) {
            let _ = writeln!(out, "{line}");
        }
        let _ = writeln!(out, "\n{}", if damped_only { DAMPED_COLUMNS } else { FLAP_COLUMNS });
        rows.iter().for_each(|row| row.write(&mut out));
        out + &footer.text()
    }

    fn flap_row(&self, now: Timestamp, view: &FlapView, damped_only: bool) -> Option<FlapRow> {
        let entry = self.peers.get(&view.peer)?;
        let since = now.since(view.since);
        Some(FlapRow {
            prefix: Some(view.prefix),
            valid: !view.withdrawn,
            damped: view.suppressed && !view.withdrawn,
            history: view.withdrawn,
            path_from: "external",
            peer_host: entry.addr,
            flaps: (!damped_only).then_some(view.flaps),
            since: (!damped_only).then(|| text::uptime(since)),
            since_msec: (!damped_only).then_some(since.as_millis() as u64),
            reuse_timer_msecs: view.reuse_in.map(|time| time.as_millis() as u64),
            reuse: view.reuse_in.map(text::uptime).unwrap_or_default(),
            as_path: self.path_text(&view.attrs.as_path),
            origin: view.attrs.origin,
        })
    }

    /// `clear ip bgp dampening [PREFIX]`: of IPv4 unicast, as in FRR.
    pub(super) fn clear_dampening(&self, args: &Args, out: &mut Vec<Action>) -> String {
        let prefix = match named_prefix(args) {
            Ok(prefix) => prefix,
            Err(text) => return text,
        };
        let family = Family::IPV4_UNICAST;
        self.all_shards(|| ShardEvent::ClearDampening { family, prefix }, out);
        String::new()
    }

    /// `show bgp neighbors X received prefix-filter`.
    pub(super) fn received_filter(&self, args: &Args) -> String {
        let is_json = args.has("json");
        let Some((_, entry)) = self.named_peer(args) else {
            let text = "No such neighbor";
            return if is_json { json(&object!({ "warning": text })) } else { format!("% {text}\n") };
        };
        let family = named_family(args).unwrap_or(Family::IPV4_UNICAST);
        let Some(list) = entry.orf.of(family) else {
            return if is_json { "{}\n".to_owned() } else { "No functional output\n".to_owned() };
        };
        let name = format!("{}.{}.{}", entry.addr, family.afi.code(), family.safi.code());
        let word = if family.afi == ferrite_types::Afi::Ipv6 { "ipv6" } else { "ip" };
        if !is_json {
            let mut out =
                format!("Address Family: {family}\n{word} prefix-list {name}: {} entries\n", list.len());
            for entry in list.sorted() {
                let action = if entry.permit { "permit" } else { "deny" };
                let _ = write!(out, "   seq {} {action} {}", entry.sequence, entry.prefix);
                let _ = entry.min.map_or(Ok(()), |min| write!(out, " ge {min}"));
                let _ = entry.max.map_or(Ok(()), |max| write!(out, " le {max}"));
                out.push('\n');
            }
            return out;
        }
        let mut members = serde_json::Map::new();
        members.insert("prefixListCounter".into(), list.len().into());
        members.insert("prefixListName".into(), name.into());
        for entry in list.sorted() {
            let mut value = serde_json::Map::new();
            value.insert("seq".into(), entry.sequence.into());
            value.insert("seqPrefixListType".into(), if entry.permit { "permit" } else { "deny" }.into());
            value.extend(entry.min.map(|min| ("ge".to_owned(), Value::from(min))));
            value.extend(entry.max.map(|max| ("le".to_owned(), Value::from(max))));
            members.insert(entry.prefix.to_string(), value.into());
        }
        json(&object!({ format!("{word}PrefixList"): members }))
    }
}

/// `A.B.C.D/M`, `A.B.C.D MASK` or `A.B.C.D`; none is all of them.
fn named_prefix(args: &Args) -> Result<Option<Prefix>, String> {
    let malformed = || "% Malformed address\n".to_owned();
    if args.has("prefix") {
        return args.parse("prefix").map(Some).map_err(|_| malformed());
    }
    if !args.has("addr") {
        return Ok(None);
    }
    let addr = args.ipv4("addr").map_err(|_| malformed())?;
    let mask = args.parse_opt::<std::net::Ipv4Addr>("mask").map_err(|_| malformed())?;
    let len = match mask.map(u32::from) {
        Some(mask) if mask.leading_ones() != mask.count_ones() => return Err(malformed()),
        Some(mask) => mask.leading_ones() as u8,
        None => 32,
    };
    Ipv4Prefix::new(addr, len).map(|prefix| Some(Prefix::V4(prefix))).ok_or_else(malformed)
}

fn parameters(settings: Dampening) -> Parameters {
    let minutes = |minutes: u8| u64::from(minutes) * 60;
    let halvings = f64::from(settings.max_suppress) / f64::from(settings.half_life.max(1));
    Parameters {
        half_life_secs: minutes(settings.half_life),
        reuse_penalty: settings.reuse.into(),
        suppress_penalty: settings.suppress.into(),
        max_suppress_time_secs: minutes(settings.max_suppress),
        max_suppress_penalty: (f64::from(settings.reuse) * halvings.exp2()) as u32,
    }
}
