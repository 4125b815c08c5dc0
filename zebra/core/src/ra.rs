//! Router advertisements (RFC 4861 §6.2): when they are sent on which interface, and which routers are heard there.
//!
//! An interface advertises while it is up, has a link-local address, and either its configuration says so
//! (`no ipv6 nd suppress-ra`) or a daemon asks for it. The first advertisements follow each other quickly, later ones at
//! the interval, less a random part of it; solicitations and routers heard for the first time bring one forward, within
//! the rate that §6.2.6 allows. The last one says that we are no router any more.
//!
//! In come octets of ICMPv6 with their hop limit ([`crate::Event::Icmp6`]), out go octets ([`crate::Action::Advertise`])
//! and what clients are told: the link-local addresses of the routers on a link, until the link goes down.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::time::Duration;

use ferrite_types::zclient::{FromZebra, RouterAdvertisements};
use ferrite_types::{Afi, IfIndex, Timestamp};

use crate::action::Action;
use crate::client::ClientKey;
use crate::iface::Link;
use crate::instance::Zebra;
use crate::rib::is_link_local;

pub mod packet;
pub mod settings;

use packet::Heard;
use settings::{NdPrefix, NdSettings};

/// Advertisements that follow each other quickly after the start, and the time between them: FRR's, shorter than
/// RFC 4861 §10 has it, so that neighbours find each other at once.
const FAST: (u8, Duration) = (4, Duration::from_secs(1));
/// The same without `ra-fast-retrans`: MAX_INITIAL_RTR_ADVERTISEMENTS, MAX_INITIAL_RTR_ADVERT_INTERVAL.
const SLOW: (u8, Duration) = (3, Duration::from_secs(16));
/// MIN_DELAY_BETWEEN_RAS.
const BETWEEN: Duration = Duration::from_secs(3);
/// MAX_RA_DELAY_TIME, milliseconds.
const ANSWER_DELAY: u64 = 500;
/// Routers remembered per link: more are not those of an honest link.
const MAX_NEIGHBORS: usize = 64;

/// What is known of advertisements, by interface.
#[derive(Debug, Default)]
pub struct Advertisers {
    links: BTreeMap<IfIndex, Advertiser>,
}

/// One interface.
#[derive(Debug, Default)]
pub struct Advertiser {
    /// Seconds between advertisements that each client asks for.
    wanted: BTreeMap<ClientKey, u32>,
    /// When the next advertisement goes out; none while we do not advertise.
    next: Option<Timestamp>,
    last: Option<Timestamp>,
    /// Advertisements still to be sent quickly.
    initial: u8,
    /// Link-local addresses of routers on the link.
    pub neighbors: Vec<Ipv6Addr>,
    pub sent: u64,
    pub received: u64,
    pub solicitations: u64,
    /// Dropped: see [`packet::Malformed`].
    pub malformed: u64,
}

impl Advertiser {
    pub fn active(&self) -> bool {
        self.next.is_some()
    }

    /// Brings the next advertisement forward, as far as the rate allows.
    fn hurry(&mut self, now: Timestamp, nd: &NdSettings, random: u64) {
        let Some(next) = self.next else { return };
        let gap = if nd.no_fast { BETWEEN } else { FAST.1 };
        let at = now + Duration::from_millis(random % ANSWER_DELAY);
        let at = self.last.map_or(at, |last| at.max(last + gap));
        self.next = Some(next.min(at));
    }
}

impl Advertisers {
    pub fn get(&self, ifindex: IfIndex) -> Option<&Advertiser> {
        self.links.get(&ifindex)
    }

    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.links.values().filter_map(|link| link.next).min()
    }
}

/// A number that looks like any other, from what tells two moments and links apart (the finalizer of SplitMix64).
fn scatter(ifindex: IfIndex, sent: u64, now: Timestamp) -> u64 {
    let mut x = u64::from(ifindex.0) << 32 ^ sent ^ now.as_micros().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

impl Zebra {
    pub(crate) fn advertisements_wanted(&mut self, client: ClientKey, wish: RouterAdvertisements) {
        if self.interfaces.get(wish.ifindex).is_none() {
            return;
        }
        let link = self.advertisers.links.entry(wish.ifindex).or_default();
        match wish.interval {
            Some(interval) => link.wanted.insert(client, interval),
            None => link.wanted.remove(&client),
        };
        self.advertise_or_not(wish.ifindex);
    }

    /// A client is gone, and its wishes with it.
    pub(crate) fn forget_wishes(&mut self, client: ClientKey) {
        let links = self.advertisers.links.iter_mut();
        let asked: Vec<IfIndex> =
            links.filter_map(|(ifindex, link)| link.wanted.remove(&client).map(|_| *ifindex)).collect();
        asked.into_iter().for_each(|ifindex| self.advertise_or_not(ifindex));
    }

    /// The settings of an interface; the default where there are none.
    pub(crate) fn nd_settings(&self, link: &Link) -> NdSettings {
        self.settings_of(&link.info.interface).map(|settings| settings.nd.clone()).unwrap_or_default()
    }

    /// Milliseconds between advertisements: what is configured, else the shortest that a client asks for.
    pub(crate) fn ra_interval(&self, ifindex: IfIndex, nd: &NdSettings) -> u32 {
        let asked = self.advertisers.get(ifindex).and_then(|link| link.wanted.values().min().copied());
        let asked = asked.filter(|_| nd.interval.is_none()).map(|secs| secs.max(1).saturating_mul(1000));
        asked.unwrap_or(nd.interval_msec()).min(nd.interval_msec())
    }

    /// Begins or ends advertising on an interface, as link, addresses, settings and clients now have it.
    pub(crate) fn advertise_or_not(&mut self, ifindex: IfIndex) {
        let Some(link) = self.interfaces.get(ifindex) else {
            self.advertisers.links.remove(&ifindex);
            return;
        };
        let nd = self.nd_settings(link);
        let able = link.operative()
            && !link.info.interface.loopback
            && link.addresses.iter().any(|address| is_link_local(address.addr));
        let asked = self.advertisers.get(ifindex).is_some_and(|link| !link.wanted.is_empty());
        let wanted = nd.advertise || asked;
        let active = self.advertisers.get(ifindex).is_some_and(Advertiser::active);
        match (active, able && wanted) {
            (false, true) => {
                let random = scatter(ifindex, 0, self.now);
                let link = self.advertisers.links.entry(ifindex).or_default();
                link.initial = if nd.no_fast { SLOW.0 } else { FAST.0 };
                // Links that come up together do not all speak at once.
                link.next = Some(self.now + Duration::from_millis(random % 100));
                self.actions.push(Action::HearSolicitations { ifindex, on: true });
            }
            (true, false) => {
                if able {
                    self.send_advertisement(ifindex, true);
                }
                if let Some(link) = self.advertisers.links.get_mut(&ifindex) {
                    (link.next, link.initial) = (None, 0);
                }
                self.actions.push(Action::HearSolicitations { ifindex, on: false });
            }
            _ => {}
        }
    }

    /// A link changed, or its addresses did: routers heard on a link that is down are gone.
    pub(crate) fn advertise_on_changed(&mut self, ifindex: IfIndex) {
        if !self.interfaces.operative(ifindex)
            && let Some(link) = self.advertisers.links.get_mut(&ifindex)
        {
            for addr in std::mem::take(&mut link.neighbors) {
                self.broadcast(&FromZebra::LinkNeighbor { ifindex, addr, present: false });
            }
        }
        self.advertise_or_not(ifindex);
    }

    pub(crate) fn apply_advertisements(&mut self) {
        let links: Vec<IfIndex> = self.interfaces.links().map(|link| link.info.interface.ifindex).collect();
        for ifindex in links {
            self.advertise_or_not(ifindex);
            let Some(link) = self.interfaces.get(ifindex) else { continue };
            let (nd, random) = (self.nd_settings(link), scatter(ifindex, 1, self.now));
            let now = self.now;
            if let Some(link) = self.advertisers.links.get_mut(&ifindex) {
                link.hurry(now, &nd, random);
            }
        }
    }

    pub(crate) fn advertise_due(&mut self) {
        let now = self.now;
        let due = |link: &Advertiser| link.next.is_some_and(|at| at <= now);
        let links: Vec<IfIndex> =
            self.advertisers.links.iter().filter(|(_, link)| due(link)).map(|(id, _)| *id).collect();
        for ifindex in links {
            self.send_advertisement(ifindex, false);
            self.schedule(ifindex);
        }
    }

    /// When the next one goes out: between a third of the interval and all of it (§6.2.1).
    fn schedule(&mut self, ifindex: IfIndex) {
        let Some(link) = self.interfaces.get(ifindex) else { return };
        let nd = self.nd_settings(link);
        let interval = u64::from(self.ra_interval(ifindex, &nd).max(70));
        let now = self.now;
        let Some(link) = self.advertisers.links.get_mut(&ifindex) else { return };
        let random = scatter(ifindex, link.sent, now);
        let shortest = interval / 3;
        let mut wait = Duration::from_millis(shortest + random % (interval - shortest + 1));
        if link.initial > 0 {
            link.initial -= 1;
            wait = wait.min(if nd.no_fast { SLOW.1 } else { FAST.1 });
        }
        link.next = Some(now + wait);
    }

    fn send_advertisement(&mut self, ifindex: IfIndex, last: bool) {
        let Some(link) = self.interfaces.get(ifindex) else { return };
        let mut nd = self.nd_settings(link);
        // As in FRR, hosts learn of the networks of the link's own addresses too.
        for network in link.addresses.iter().filter(|address| !is_link_local(address.addr)) {
            let network =
                network.network().filter(|network| network.afi() == Afi::Ipv6 && network.len() < 128);
            let Some(prefix) = network else { continue };
            if nd.prefixes.iter().all(|known| known.prefix != prefix) {
                nd.prefixes.push(NdPrefix::of(prefix));
            }
        }
        let interval = self.ra_interval(ifindex, &nd);
        let lifetime = if last { 0 } else { nd.lifetime_for(interval) };
        let octets = packet::write(&nd, interval, lifetime, link.info.interface.mac);
        self.actions.push(Action::Advertise { ifindex, octets });
        let now = self.now;
        if let Some(link) = self.advertisers.links.get_mut(&ifindex) {
            link.sent += 1;
            link.last = Some(now);
        }
    }

    /// The last words of every interface that advertises.
    pub(crate) fn end_advertising(&mut self) {
        let active = self.advertisers.links.iter().filter(|(_, link)| link.active());
        let links: Vec<IfIndex> = active.map(|(ifindex, _)| *ifindex).collect();
        for ifindex in links {
            self.send_advertisement(ifindex, true);
        }
    }

    /// A message came on a link: a router that is new to us is made known, a host that asks is answered.
    pub(crate) fn icmp6(&mut self, ifindex: IfIndex, source: Ipv6Addr, hop_limit: Option<u8>, octets: &[u8]) {
        let Some(known) = self.interfaces.get(ifindex).filter(|link| link.operative()) else { return };
        let Some(judged) = packet::read(octets, source, hop_limit) else { return };
        let (nd, now) = (self.nd_settings(known), self.now);
        let link = self.advertisers.links.entry(ifindex).or_default();
        let random = scatter(ifindex, link.received, now);
        match judged {
            Err(_) => link.malformed += 1,
            Ok(Heard::Solicitation) => {
                link.solicitations += 1;
                link.hurry(now, &nd, random);
            }
            Ok(Heard::Advertisement) => {
                link.received += 1;
                if link.neighbors.contains(&source) || link.neighbors.len() >= MAX_NEIGHBORS {
                    return;
                }
                link.neighbors.push(source);
                // It may not have heard us yet either.
                link.hurry(now, &nd, random);
                self.broadcast(&FromZebra::LinkNeighbor { ifindex, addr: source, present: true });
            }
        }
    }
}
