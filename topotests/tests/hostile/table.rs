//! Runs the tables: every case on a neighbour of its own, all in one network, all failures told at the end.

use std::time::{Duration, Instant};

use topotests::bgp::attrs;
use topotests::bgp::session::hex;
use topotests::bgp::wire;
use topotests::sandbox::run;
use topotests::{Failure, Family, Kind, Net, Result, ensure};

use super::bystander::Seen;
use super::case::{Act, Case, Ctx, Expect, ROUTER, every};
use super::client::Client;
use super::deviations;
use super::lab::{Lab, Neighbour};
use super::shows::{self, Samples};

/// How often idle sessions are kept alive.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// The daemon need not be fast to be right, but a row that waits in vain should not hold up the table.
const ROW: Duration = Duration::from_secs(5);
/// Octets that bgpd and zebra together may take for some 700 sessions with hardly any routes.
const BOUND: u64 = 512 << 20;
/// FRR at times leaves an UPDATE lying for ten seconds that came right behind the last KEEPALIVE of the handshake.
const GOOD: Duration = Duration::from_secs(30);
const GLANCE: Duration = Duration::from_millis(300);

pub fn run_all(net: &mut Net, kind: Kind) -> Result<()> {
    net.without_capture();
    let wanted = std::env::var("FERRITE_CASE").unwrap_or_default();
    let rows: Vec<(Ctx, Case)> = every()
        .into_iter()
        .enumerate()
        .map(|(index, case)| (Ctx::of(index, &case), case))
        .filter(|(_, case)| case.name.contains(&wanted) && deviations::is_sent(kind, case))
        .collect();
    let neighbours: Vec<Neighbour> = rows.iter().map(|(ctx, case)| Neighbour::of(ctx, case)).collect();
    let mut table = Table { lab: Lab::new(net, kind, &neighbours)?, kind, living: Vec::new() };
    if kind == Kind::Ours
        && let Some((ctx, _)) = rows.first()
    {
        println!("{} debugs", table.lab.vty()?.debug_all(&samples(ctx))?);
    }
    let mut failures = table.play(&rows)?;
    failures.extend(table.after(&rows));
    ensure!(
        failures.is_empty(),
        "{} of {} rows and checks failed:\n{}",
        failures.len(),
        rows.len(),
        failures.join("\n")
    );
    Ok(())
}

struct Table {
    lab: Lab,
    kind: Kind,
    /// Sessions that outlived their case: their routes stay for the shows.
    living: Vec<Client>,
}

impl Table {
    fn expectation(&self, case: &Case) -> Expect {
        let known = (self.kind == Kind::Frr).then(|| deviations::of_frr(&case.name)).flatten();
        known.unwrap_or_else(|| case.expect.clone())
    }

    fn play(&mut self, rows: &[(Ctx, Case)]) -> Result<Vec<String>> {
        let mut failures = Vec::new();
        let mut kept_alive = Instant::now();
        for (ctx, case) in rows {
            let expect = self.expectation(case);
            let start = Instant::now();
            let mut verdict = self.play_one(ctx, case, &expect);
            // On a busy machine FRR's send hold timer sometimes ends a session that has just begun (NOTIFICATION 8/0).
            if self.kind == Kind::Frr && verdict.is_err() {
                verdict = self.play_one(ctx, case, &expect);
            }
            let violations = self.lab.bystander.take_violations();
            let verdict = verdict.and_then(|()| {
                let known = self.kind == Kind::Frr && deviations::spoils(&case.name);
                ensure!(
                    violations.is_empty() || known,
                    "passed on to the bystander: {}",
                    violations.join("; ")
                );
                Ok(())
            });
            let word = if verdict.is_ok() { "ok" } else { "FAILED" };
            println!("{word:6} {:5} ms  {}", start.elapsed().as_millis(), case.name);
            if let Err(error) = verdict {
                println!("       {error}");
                let octets = match &case.act {
                    Act::Established(build) | Act::Opening(build) => build(ctx),
                };
                let shown = hex(octets.get(..octets.len().min(300)).unwrap_or_default());
                failures.push(format!(
                    "- {} [{}]: {error}; expected {expect:?}; sent {shown}",
                    case.name, ctx.local
                ));
            }
            if let Some(why) = self.lab.bystander.ended() {
                failures.push(format!("- {}: ended the bystander's session: {why}", case.name));
                return Err(Failure::new(failures.join("\n")));
            }
            if kept_alive.elapsed() > KEEP_ALIVE {
                kept_alive = Instant::now();
                self.living.iter_mut().for_each(|client| client.send_anyway(&wire::keepalive()));
            }
        }
        Ok(failures)
    }

    fn play_one(&mut self, ctx: &Ctx, case: &Case, expect: &Expect) -> Result<()> {
        match &case.act {
            Act::Opening(build) => self.open_with(ctx, &build(ctx), expect),
            Act::Established(build) => self.send(ctx, &build(ctx), expect),
        }
    }

    fn open_with(&mut self, ctx: &Ctx, octets: &[u8], expect: &Expect) -> Result<()> {
        let mut client = Client::connect(&self.lab.sockets, ctx.local, ROUTER)?;
        client.send(octets)?;
        match expect {
            Expect::Reset(codes) => expect_reset(&mut client, codes),
            Expect::Closed => expect_closed(&mut client),
            Expect::Open => {
                let _ = client.verdict(Duration::from_millis(200));
                Ok(())
            }
            _ => {
                client.expect(wire::OPEN)?;
                client.send(&wire::keepalive())?;
                client.expect(wire::KEEPALIVE)?;
                self.pass_fence(&mut client, ctx)?;
                self.living.push(client);
                Ok(())
            }
        }
    }

    fn send(&mut self, ctx: &Ctx, octets: &[u8], expect: &Expect) -> Result<()> {
        let mut client = Client::establish(&self.lab.sockets, ctx.local, ROUTER, &ctx.open())?;
        for prefix in [ctx.v4, ctx.v6] {
            client.send(&ctx.good(prefix))?;
        }
        let by = &self.lab.bystander;
        for prefix in [ctx.v4, ctx.v6] {
            by.wait_has(&prefix, GOOD).map_err(|e| e.during("the good route"))?;
        }
        client.send_anyway(octets);
        let ended = match expect {
            Expect::Reset(codes) => Some(expect_reset(&mut client, codes)),
            Expect::Closed => Some(expect_closed(&mut client)),
            Expect::Open => Some(client.verdict(Duration::from_millis(300)).map_or(Ok(()), |_| Ok(()))),
            _ => None,
        };
        if let Some(verdict) = ended {
            verdict?;
            drop(client);
            by.wait_lacks(&ctx.v4, ROW)?;
            return by.wait_lacks(&ctx.v6, ROW);
        }
        let start = Instant::now();
        while let Err(error) = self.check_routes(ctx, expect) {
            client.still_up().map_err(|end| end.during("the session ended"))?;
            ensure!(start.elapsed() < ROW, "{error}");
        }
        self.pass_fence(&mut client, ctx)?;
        self.check_after(ctx, expect)?;
        self.living.push(client);
        Ok(())
    }

    /// What must come about; asked again and again, so that the end of the session is noticed meanwhile.
    fn check_routes(&self, ctx: &Ctx, expect: &Expect) -> Result<()> {
        let by = &self.lab.bystander;
        match expect {
            Expect::Withdrawn(which) => {
                let mut gone = [ctx.v4, ctx.v6].into_iter().filter(|p| which.has(p.family));
                gone.try_for_each(|prefix| by.wait_lacks(&prefix, GLANCE))
            }
            Expect::Kept { family, .. } => {
                by.wait("the route with its mark", GLANCE, |seen| is_marked(seen, ctx, *family))
            }
            _ => Ok(()),
        }
    }

    /// What must be so when everything has been dealt with.
    fn check_after(&self, ctx: &Ctx, expect: &Expect) -> Result<()> {
        self.lab.bystander.wait("the end of the case", Duration::ZERO, |seen| match expect {
            Expect::Withdrawn(which) => {
                for prefix in [ctx.v4, ctx.v6] {
                    let there = seen.routes.contains_key(&prefix);
                    ensure!(there != which.has(prefix.family), "{prefix} is there: {there}");
                }
                Ok(())
            }
            Expect::Kept { family, absent, present } => {
                is_marked(seen, ctx, *family)?;
                has_attributes(seen, ctx, *family, absent, present)
            }
            Expect::Ignored => {
                for family in [Family::V4, Family::V6] {
                    ensure!(is_marked(seen, ctx, family).is_err(), "the route was replaced");
                    ensure!(seen.routes.contains_key(&of(ctx, family)), "the route of {family:?} is gone");
                }
                Ok(())
            }
            Expect::Lives(Some(code)) if seen.routes.contains_key(&ctx.v4) => {
                has_attributes(seen, ctx, Family::V4, &[*code], &[])
            }
            _ => Ok(()),
        })
    }

    /// A good route sent last, and seen by the bystander: the session lives and is in step.
    fn pass_fence(&self, client: &mut Client, ctx: &Ctx) -> Result<()> {
        let sent = client.send(&ctx.good(ctx.fence));
        let seen = sent.and_then(|()| self.lab.bystander.wait_has(&ctx.fence, ROW));
        client.still_up()?;
        seen.map_err(|e| e.during("the route sent afterwards"))
    }

    /// The checks over all that is left: the daemon, the bystander, every show, the counters.
    fn after(&mut self, rows: &[(Ctx, Case)]) -> Vec<String> {
        let mut failures = Vec::new();
        let mut note = |what: &str, verdict: Result<()>| {
            failures.extend(verdict.err().map(|e| format!("- afterwards, {what}: {e}")));
        };
        note("unharmed", self.lab.unharmed());
        for command in SHOWS {
            note(command, self.show(command));
            note(command, self.lab.router.vtysh_json(&format!("{command} json")).map(drop));
        }
        if self.kind == Kind::Ours {
            note("every show", self.show_all(rows));
            note("the log", self.clean_log());
            note("memory", self.bounded());
            note("BMP and MRT", self.lab.well_told());
        }
        note("every route that stayed", self.show_routes(rows));
        match self.lab.router.vtysh_json("show bgp neighbors json") {
            Ok(shown) => {
                for (ctx, case) in rows {
                    note(&case.name, self.counted(&shown, ctx, case));
                }
            }
            Err(error) => note("counters", Err(error)),
        }
        note("unharmed at the end", self.lab.unharmed());
        note("SIGTERM", self.lab.ends_well());
        failures
    }

    fn show(&self, command: &str) -> Result<()> {
        let text = self.lab.router.vtysh(command)?;
        // FRR prints a neighbour's control characters as they are.
        let clean = !text.contains('\u{1b}') && !text.contains('\0');
        ensure!(clean || self.kind == Kind::Frr, "control characters are shown");
        ensure!(!text.trim_start().starts_with('%'), "{}", text.trim());
        Ok(())
    }

    /// Every show of the grammar, about a session that lives with routes of its.
    fn show_all(&self, rows: &[(Ctx, Case)]) -> Result<()> {
        let living = |(_, case): &&(Ctx, Case)| matches!(case.expect, Expect::Kept { .. } | Expect::Ignored);
        let mut wrong = Vec::new();
        if let Some((ctx, _)) = rows.iter().find(living) {
            let start = Instant::now();
            let count = self.lab.vty()?.ask_all(&samples(ctx), &mut wrong)?;
            println!("{count} shows about {} in {} ms", ctx.local, start.elapsed().as_millis());
        }
        ensure!(wrong.is_empty(), "{} answers:\n{}", wrong.len(), wrong.join("\n"));
        Ok(())
    }

    /// What a neighbour says does not reach the log as it is.
    fn clean_log(&self) -> Result<()> {
        for name in ["log/bgpd.log", "log/zebra.log"] {
            let octets = std::fs::read(self.lab.router.dir().join(name)).unwrap_or_default();
            let text = String::from_utf8(octets).map_err(|_| format!("{name} is no UTF-8"))?;
            if let Some(line) = text.lines().find(|line| line.chars().any(shows::steers)) {
                return Err(Failure::new(format!("{name}: {line:?}")));
            }
        }
        Ok(())
    }

    /// Everything that was sent is forgotten or small.
    fn bounded(&self) -> Result<()> {
        let peak = self.lab.router.cost()?.peak;
        println!("{} MiB at most", peak >> 20);
        ensure!(peak < BOUND, "{} MiB", peak >> 20);
        Ok(())
    }

    /// Each prefix of a row whose route may have stayed, as text and as JSON.
    fn show_routes(&self, rows: &[(Ctx, Case)]) -> Result<()> {
        let prefixes: Vec<String> = rows
            .iter()
            .filter(|(_, case)| matches!(case.expect, Expect::Kept { .. } | Expect::Lives(_)))
            .map(|(ctx, _)| ctx.v4.to_string())
            .collect();
        let mut texts = self.lab.router.vtysh_command()?;
        let mut jsons = self.lab.router.vtysh_command()?;
        for prefix in &prefixes {
            texts.args(["-c", &format!("show bgp ipv4 unicast {prefix}")]);
            jsons.args(["-c", &format!("show bgp ipv4 unicast {prefix} json")]);
        }
        run(&mut texts)?;
        let text = run(&mut jsons)?;
        let read = serde_json::Deserializer::from_str(&text).into_iter::<serde_json::Value>();
        let values = read.collect::<std::result::Result<Vec<_>, _>>()?;
        ensure!(values.len() == prefixes.len(), "{} answers for {} prefixes", values.len(), prefixes.len());
        Ok(())
    }

    /// Every NOTIFICATION on an established session, and every attribute that cost something, is counted where an
    /// operator looks.
    fn counted(&self, shown: &serde_json::Value, ctx: &Ctx, case: &Case) -> Result<()> {
        let expect = self.expectation(case);
        let peer = shown.get(ctx.local.to_string()).ok_or("not shown")?;
        let number = |path: &str| peer.pointer(path).and_then(serde_json::Value::as_u64).unwrap_or(0);
        // FRR does not count what it discards.
        let key = case.counted.filter(|key| self.kind != Kind::Frr || *key == "withdrawn");
        if let Some(key) = key {
            let count = number(&format!("/prefixStats/{key}"));
            ensure!(count == 1, "{key} is {count}");
        }
        let key = match (&expect, &case.act) {
            (Expect::Reset(_), Act::Established(_)) => "notificationsSent",
            (Expect::Closed, Act::Established(_)) => "notificationsRecv",
            _ => return Ok(()),
        };
        let count = number(&format!("/messageStats/{key}"));
        // FRR counts what it reads and what it acts on: a NOTIFICATION is two to it.
        ensure!(count == 1 || self.kind == Kind::Frr, "{key} is {count}");
        let dropped = number("/connectionsDropped");
        ensure!(dropped == 1, "connectionsDropped is {dropped}");
        Ok(())
    }
}

/// For FRR, whose own shows are not what is tested.
const SHOWS: &[&str] = &[
    "show bgp summary",
    "show bgp ipv4 unicast",
    "show bgp ipv6 unicast",
    "show bgp neighbors",
    "show bgp nexthop",
    "show bgp ipv4 unicast neighbors 10.1.0.2 advertised-routes",
];

/// Arguments of shows that have something to say.
pub fn samples(ctx: &Ctx) -> Samples {
    Samples {
        v4: ctx.local.to_string(),
        v4_prefix: ctx.v4.to_string(),
        v6: "2001:db8:1::2".to_owned(),
        v6_prefix: ctx.v6.to_string(),
        words: &[
            ("VIEWVRFNAME", "default"),
            ("vrf", "default"),
            ("neighbor", "router"),
            ("RMAP", "MASKED"),
            ("AS_PATH", "MASK"),
            ("REGEX", "_65100_"),
            ("IFNAME", "eth0"),
        ],
    }
}

fn of(ctx: &Ctx, family: Family) -> topotests::bgp::Prefix {
    if family == Family::V4 { ctx.v4 } else { ctx.v6 }
}

/// The route carries its case's community: it is the one that the hostile message announced.
fn is_marked(seen: &Seen, ctx: &Ctx, family: Family) -> Result<()> {
    let communities = seen.attribute(&of(ctx, family), attrs::COMMUNITIES)?.unwrap_or_default();
    let marked = communities.as_chunks::<4>().0.contains(&ctx.mark);
    ensure!(marked, "{} has not changed", of(ctx, family));
    Ok(())
}

fn has_attributes(
    seen: &Seen,
    ctx: &Ctx,
    family: Family,
    absent: &[u8],
    present: &[(u8, u8, Vec<u8>)],
) -> Result<()> {
    let prefix = of(ctx, family);
    let octets = seen.routes.get(&prefix).ok_or("the route is gone")?;
    let list = attrs::split(octets)?;
    for attr in &list {
        ensure!(!absent.contains(&attr.code), "attribute {} was passed on: {}", attr.code, hex(attr.value));
    }
    for (flags, code, value) in present {
        let attr = list.iter().find(|a| a.code == *code);
        let attr = attr.ok_or_else(|| Failure::new(format!("attribute {code} is missing")))?;
        let same = attr.flags & 0xe0 == *flags && attr.value == value.as_slice();
        ensure!(same, "attribute {code} became {:#04x} {}", attr.flags, hex(attr.value));
    }
    Ok(())
}

fn expect_reset(client: &mut Client, codes: &[(u8, u8)]) -> Result<()> {
    let verdict = client.verdict(ROW)?;
    let (code, subcode) = verdict.ok_or("closed without NOTIFICATION")?;
    let fits = codes.iter().any(|(c, s)| *c == code && (*s == subcode || *s == 255));
    ensure!(fits, "NOTIFICATION {code}/{subcode}");
    // What comes after the NOTIFICATION is nothing but the end.
    let rest = client.verdict(ROW)?;
    ensure!(rest.is_none(), "a second NOTIFICATION {rest:?}");
    Ok(())
}

fn expect_closed(client: &mut Client) -> Result<()> {
    let verdict = client.verdict(ROW)?;
    ensure!(verdict.is_none(), "NOTIFICATION {verdict:?} instead of an end");
    Ok(())
}
