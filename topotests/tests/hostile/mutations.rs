//! Every row again, damaged at random: whatever comes of it, nobody else may suffer.
//!
//! `FERRITE_SEED` chooses other damage; a failure names the seed.

use std::time::Duration;

use topotests::bgp::session::hex;
use topotests::bgp::wire::HEADER;
use topotests::{Failure, Kind, Net, Result, ensure};

use super::case::{Act, Case, Ctx, ROUTER, every};
use super::client::Client;
use super::lab::{Lab, Neighbour};

/// Damaged copies of each row, one after another on one session.
const COPIES: usize = 4;
/// A hard reset that is damaged may be an end that promises to come back (RFC 8538 §4): routes are kept then, but not
/// for the two minutes that the neighbour asks for.
const STALE: &str = " bgp graceful-restart stalepath-time 2\n";
/// Octets that a log line of a failure shows.
const SHOWN: usize = 400;

/// Numbers that look random and are the same every time (xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % below.max(1)
    }
}

pub fn run_all(net: &mut Net, kind: Kind) -> Result<()> {
    net.without_capture();
    let seed = std::env::var("FERRITE_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(0x5eed_1234);
    println!("seed {seed}");
    let mut random = Random(seed | 1);
    let cases = every().into_iter().enumerate();
    let rows: Vec<(Ctx, Case)> = cases.map(|(index, case)| (Ctx::of(index, &case), case)).collect();
    let neighbours: Vec<Neighbour> = rows.iter().map(|(ctx, case)| Neighbour::of(ctx, case)).collect();
    let lab = Lab::with(net, kind, &neighbours, "", STALE, |_| Ok(()))?;
    let mut sessions = Vec::new();
    for (ctx, case) in &rows {
        let sent = play(&lab, ctx, case, &mut random, &mut sessions)?;
        let violations = lab.bystander.take_violations();
        let ended = lab.bystander.ended();
        if ended.is_some() || !violations.is_empty() {
            let shown = hex(sent.get(..sent.len().min(SHOWN)).unwrap_or_default());
            return Err(Failure::new(format!(
                "seed {seed}, around {}: {ended:?} {violations:?}; sent {shown}",
                case.name
            )));
        }
    }
    lab.unharmed().map_err(|e| e.during(&format!("seed {seed}")))?;
    for command in ["show bgp ipv4 unicast json", "show bgp ipv6 unicast json", "show bgp neighbors json"] {
        lab.router.vtysh_json(command)?;
    }
    drop(sessions);
    lab.bystander.wait("the end of all hostile routes", Duration::from_secs(30), |seen| {
        let left = seen.routes.keys().next();
        let own = left.is_none_or(|prefix| lab.calm.contains(prefix));
        ensure!(own, "{} routes are left, {left:?} first", seen.routes.len());
        Ok(())
    })?;
    lab.unharmed().map_err(|e| e.during(&format!("seed {seed}, after the sessions' ends")))
}

/// Sends one row in damaged copies, between two good routes; returns what was sent.
fn play(
    lab: &Lab,
    ctx: &Ctx,
    case: &Case,
    random: &mut Random,
    sessions: &mut Vec<Client>,
) -> Result<Vec<u8>> {
    let (mut client, octets) = match &case.act {
        Act::Opening(build) => (Client::connect(&lab.sockets, ctx.local, ROUTER)?, build(ctx)),
        Act::Established(build) => {
            let mut client = Client::establish(&lab.sockets, ctx.local, ROUTER, &ctx.open())?;
            client.send(&ctx.good(ctx.v4))?;
            (client, build(ctx))
        }
    };
    let sent: Vec<u8> = (0..COPIES).flat_map(|_| damage(&octets, random)).collect();
    client.send_anyway(&sent);
    client.send_anyway(&ctx.good(ctx.fence));
    if matches!(case.act, Act::Opening(_)) {
        // One answer of the router, or its silence, whichever it is.
        let _ = client.next(Duration::from_millis(20));
    }
    sessions.push(client);
    Ok(sent)
}

/// A copy with a few octets changed, inserted, left out or doubled; mostly with a header that is right again.
fn damage(octets: &[u8], random: &mut Random) -> Vec<u8> {
    let mut out = octets.to_vec();
    for _ in 0..=random.next(3) {
        let at = HEADER + random.next(out.len().saturating_sub(HEADER));
        match random.next(6) {
            0 if at < out.len() => {
                out.remove(at);
            }
            1 if at <= out.len() => out.insert(at, random.next(256) as u8),
            2 => {
                let chunk: Vec<u8> = out.iter().skip(at).take(random.next(12)).copied().collect();
                let at = at.min(out.len());
                out.splice(at..at, chunk);
            }
            3 => out.truncate(at.max(HEADER)),
            kind => {
                if let Some(octet) = out.get_mut(at) {
                    *octet = if kind == 4 {
                        *octet ^ 1 << random.next(8)
                    } else {
                        [0, 1, 0x7f, 0xff][random.next(4)]
                    };
                }
            }
        }
    }
    // The rows of several messages keep the header of their first.
    let length = out.len().clamp(HEADER, 65535) as u16;
    if random.next(8) > 0
        && let Some(field) = out.get_mut(16..18)
    {
        field.copy_from_slice(&length.to_be_bytes());
    }
    out
}
