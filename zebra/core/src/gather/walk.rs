//! `show ip route` of a whole table, handed over in pieces so that a million routes hold nothing up.

use std::collections::VecDeque;
use std::fmt::Write;
use std::ops::ControlFlow;

use ferrite_types::{Prefix, RouteProtocol, Tag};

use crate::instance::Zebra;
use crate::rib::{Dest, TableKey};
use crate::view::route::{RouteView, header, table_line};

/// What `show ip route` is asked for.
#[derive(Clone, Debug, Default)]
pub struct RouteFilter {
    pub protocol: Option<RouteProtocol>,
    /// Which process of that protocol.
    pub instance: Option<u16>,
    pub longer_than: Option<Prefix>,
    pub tag: Option<Tag>,
    pub supernets_only: bool,
    /// Only what is in the FIB.
    pub fib: bool,
    /// Only what the kernel refused.
    pub failed: bool,
}

/// A table on its way out, in pieces.
#[derive(Clone, Debug)]
pub struct RouteWalk {
    tables: VecDeque<TableKey>,
    cursor: Option<Prefix>,
    filter: RouteFilter,
    json: bool,
    /// A table number is part of the heading.
    name_table: bool,
    /// Several VRFs: JSON has a level for them.
    several: bool,
    header: bool,
    heading: bool,
    any: bool,
}

/// Routes per piece.
const PIECE: usize = 512;

impl RouteWalk {
    pub fn new(
        tables: Vec<TableKey>,
        filter: RouteFilter,
        json: bool,
        name_table: bool,
        several: bool,
    ) -> Self {
        Self {
            tables: tables.into(),
            cursor: None,
            filter,
            json,
            name_table,
            several,
            header: false,
            heading: false,
            any: false,
        }
    }

    /// The next piece; `None` at the end.
    pub fn next_piece(&mut self, zebra: &Zebra) -> Option<String> {
        let key = *self.tables.front()?;
        let mut out = String::new();
        if self.json && !self.any && !self.heading {
            out.push_str(&self.json_opening(zebra, key));
        }
        let rows = self.rows(zebra, key);
        let more = rows.1;
        for views in rows.0 {
            self.write(zebra, key, &views, &mut out);
        }
        if !more {
            self.end_table(&mut out);
        }
        Some(out)
    }

    fn json_opening(&mut self, zebra: &Zebra, key: TableKey) -> String {
        self.heading = true;
        let open = if !self.several {
            "{".to_owned()
        } else {
            let name = zebra.interfaces.vrf(key.vrf).map_or("", |vrf| vrf.name.as_str());
            let before = if self.header { "," } else { "{" };
            format!("{before}\"{name}\":{{")
        };
        self.header = true;
        open
    }

    /// Rows that the filter lets through, and whether more follow.
    fn rows(&mut self, zebra: &Zebra, key: TableKey) -> (Vec<Vec<RouteView>>, bool) {
        let mut sourced = self.sourced(zebra, key).into_iter().peekable();
        let mut rows = Vec::new();
        let mut seen = 0;
        let mut more = false;
        let mut cursor = self.cursor;
        let push = |rows: &mut Vec<_>, of: TableKey, prefix: Prefix, dest: &Dest| {
            if self.filter.longer_than.is_some_and(|outer| !outer.covers(prefix)) || !self.major(prefix) {
                return;
            }
            let mut views = zebra.route_views(of, prefix, dest);
            views.retain(|view| self.filter.wants(view));
            if !views.is_empty() {
                rows.push(views);
            }
        };
        if let Some(table) = zebra.rib.tables.get(&key) {
            table.walk(self.cursor, |prefix, dest| {
                if seen >= PIECE * 8 || rows.len() >= PIECE {
                    more = true;
                    return ControlFlow::Break(());
                }
                seen += 1;
                while let Some((at, of, dest)) = sourced.next_if(|(at, ..)| *at < prefix) {
                    push(&mut rows, of, at, dest);
                }
                cursor = Some(prefix);
                push(&mut rows, key, prefix, dest);
                ControlFlow::Continue(())
            });
        }
        // Those of the last prefix go with it.
        while let Some((at, of, dest)) = sourced.next_if(|(at, ..)| !more || Some(*at) <= cursor) {
            push(&mut rows, of, at, dest);
        }
        self.cursor = cursor;
        (rows, more)
    }

    /// What is for packets from some source only, in the order of the table: it stands behind the routes for all.
    fn sourced<'a>(&self, zebra: &'a Zebra, key: TableKey) -> Vec<(Prefix, TableKey, &'a Dest)> {
        let mut found = Vec::new();
        for (_, of, table) in zebra.rib.sourced(key) {
            table.walk(self.cursor, |prefix, dest| {
                found.push((prefix, of, dest));
                ControlFlow::Continue(())
            });
        }
        found.sort_by_key(|(prefix, of, _)| (*prefix, of.from));
        found
    }

    /// Whether a prefix shows under `supernets-only`: one that is wider than its class (RFC 791).
    fn major(&self, prefix: Prefix) -> bool {
        let Prefix::V4(network) = prefix else { return true };
        let class = match network.bits() >> 28 {
            0..8 => 8,
            8..12 => 16,
            12..14 => 24,
            _ => return true,
        };
        !self.filter.supernets_only || network.len() < class
    }

    fn write(&mut self, zebra: &Zebra, key: TableKey, views: &[RouteView], out: &mut String) {
        if self.json {
            let Some(first) = views.first() else { return };
            let text = serde_json::to_string(views).unwrap_or_else(|_| "[]".to_owned());
            let comma = if self.any { "," } else { "" };
            let _ = writeln!(out, "{comma}\"{}\":{text}", first.prefix);
            self.any = true;
            return;
        }
        if !self.header {
            out.push_str(header(key.afi));
            self.header = true;
        }
        if !self.heading {
            let vrf = zebra.interfaces.vrf(key.vrf).map_or("", |vrf| vrf.name.as_str());
            out.push_str(&table_line(key.afi, key.safi, vrf, self.name_table.then_some(key.table)));
            self.heading = true;
        }
        for view in views {
            view.write_lines(out);
        }
        self.any = true;
    }

    fn end_table(&mut self, out: &mut String) {
        self.tables.pop_front();
        self.cursor = None;
        if self.json {
            out.push_str("}\n");
            if self.several && self.tables.is_empty() {
                out.push_str("}\n");
            }
        } else if !self.tables.is_empty() && self.any {
            out.push('\n');
        }
        (self.heading, self.any) = (false, false);
    }
}

impl RouteFilter {
    fn wants(&self, view: &RouteView) -> bool {
        self.protocol.is_none_or(|protocol| view.protocol == protocol)
            && self.instance.is_none_or(|instance| view.instance == instance)
            && self.tag.is_none_or(|tag| view.tag == tag)
            && (!self.failed || view.failed)
            && (!self.fib || view.installed && view.selected)
    }
}
