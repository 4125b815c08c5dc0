//! The machine: its state, and where each event goes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ferrite_types::Timestamp;
use ferrite_types::zclient::ToZebra;

use crate::action::{Action, LinkChange};
use crate::audit::Audits;
use crate::capacity::Capacity;
use crate::client::Clients;
use crate::connected::Connected;
use crate::event::Event;
use crate::fib::{Fib, Work};
use crate::fpm::Fpm;
use crate::groups::Groups;
use crate::iface::Interfaces;
use crate::kernel::Kernel;
use crate::lfib::Lfib;
use crate::netns::Namespaces;
use crate::nht::Tracker;
use crate::ra::Advertisers;
use crate::rib::{Resolver, Rib};
use crate::router_id::RouterIds;
use crate::settings::{DEFAULT_HOLD, Settings};

/// What the command line says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// How long routes of an earlier run may stand unclaimed (`-K`).
    pub adopt_for: Duration,
    /// Leave our routes in the kernel at the end (`-r`).
    pub retain: bool,
    /// The kernel has next-hop objects.
    pub nexthop_objects: bool,
    /// Hardware forwards (`--asic-offload`).
    pub asic: Option<crate::offload::AsicNotify>,
    /// VRFs are network namespaces, and no devices (`-n`).
    pub netns: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            adopt_for: Duration::from_mins(1),
            retain: false,
            nexthop_objects: false,
            asic: None,
            netns: false,
        }
    }
}

/// How the shell writes a moment as local wall-clock time; the core has no clock of its own.
#[derive(Clone, Copy, Debug)]
pub struct WallClock(pub fn(Timestamp) -> String);

impl Default for WallClock {
    /// Seconds since the start.
    fn default() -> Self {
        Self(|at| format!("{}", at.as_micros() / 1_000_000))
    }
}

impl WallClock {
    pub fn text(self, at: Timestamp) -> String {
        (self.0)(at)
    }
}

/// Operations towards the kernel beyond which the shell stops reading clients.
pub const MAX_IN_FLIGHT: usize = 64 << 10;

/// zebra as a value.
#[derive(Debug)]
pub struct Zebra {
    pub(crate) options: Options,
    pub(crate) settings: Arc<Settings>,
    pub(crate) policies: Arc<ferrite_policy::Policies>,
    /// Lists and maps that wait for `zebra route-map delay-timer`.
    pub(crate) delayed: Option<crate::policy::Delayed>,
    pub(crate) interfaces: Interfaces,
    pub(crate) rib: Rib,
    pub(crate) tracker: Tracker,
    pub(crate) rpf: crate::rpf::RpfWatches,
    pub(crate) fib: Fib,
    pub(crate) groups: Groups,
    pub(crate) clients: Clients,
    /// Routes that lead through groups of the configuration.
    pub(crate) named: crate::named::NamedRoutes,
    pub(crate) connected: Connected,
    pub(crate) kernel: Kernel,
    pub(crate) audits: Audits,
    pub(crate) lfib: Lfib,
    pub(crate) fpm: Fpm,
    pub(crate) imports: crate::import::Imports,
    pub(crate) mroutes: crate::mrib::Mroutes,
    pub(crate) namespaces: Namespaces,
    pub(crate) capacity: Capacity,
    pub(crate) router_ids: RouterIds,
    pub(crate) advertisers: Advertisers,
    pub(crate) ldp: crate::ldp::LdpLinks,
    pub(crate) now: Timestamp,
    pub(crate) wall: WallClock,
    /// Collected while an event is handled.
    pub(crate) actions: Vec<Action>,
    /// What each VRF's statics put into the tables.
    pub(crate) statics: crate::statics::Statics,
    /// Changes of addresses and of links that were asked for.
    pub(crate) link_updates: (u64, u64),
    /// IPv4 and IPv6, as the kernel has it.
    pub(crate) forwarding: (bool, bool),
}

impl Zebra {
    pub fn new(options: Options, wall: WallClock) -> Self {
        let mut zebra = Self {
            options,
            wall,
            settings: Arc::default(),
            policies: Arc::default(),
            delayed: None,
            interfaces: Interfaces::default(),
            rib: Rib::default(),
            tracker: Tracker::default(),
            rpf: Default::default(),
            fib: Fib::default(),
            groups: Groups::default(),
            clients: Clients::default(),
            named: BTreeMap::new(),
            connected: Connected::default(),
            kernel: Kernel::default(),
            audits: Audits::default(),
            lfib: Lfib::default(),
            fpm: Fpm::default(),
            imports: Default::default(),
            mroutes: Default::default(),
            namespaces: Namespaces::default(),
            capacity: Capacity::default(),
            router_ids: RouterIds::default(),
            advertisers: Advertisers::default(),
            ldp: Default::default(),
            now: Timestamp::ZERO,
            actions: Vec::new(),
            statics: BTreeMap::new(),
            link_updates: (0, 0),
            forwarding: (false, false),
        };
        zebra.apply_groups();
        zebra
    }

    /// Feeds in one event; whatever must happen outside is appended to `out`.
    pub fn handle(&mut self, now: Timestamp, event: Event, out: &mut Vec<Action>) {
        self.now = now;
        self.dispatch(event);
        self.finish(out);
    }

    /// Fires every deadline at or before `now`. Calling early changes nothing.
    pub fn tick(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        self.now = now;
        if self.next_deadline().is_none_or(|deadline| deadline > now) {
            return;
        }
        self.retry_objects();
        self.retry_failed();
        self.retry_lsps();
        self.capacity.retry_due(now);
        self.expire_clients();
        self.expire_adopted();
        self.audit_due();
        self.apply_delayed_policy();
        self.tracker.wake(now);
        self.advertise_due();
        self.finish(out);
    }

    /// Hands over what came of something that is no event.
    pub fn settle_now(&mut self, out: &mut Vec<Action>) {
        self.finish(out);
    }

    /// When `tick` next has work, or `None` while nothing is pending.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        [
            self.fib.next_retry(),
            self.groups.next_retry(),
            self.clients.next_expiry(),
            self.kernel.adopt_until,
            self.audits.next_deadline(),
            self.lfib.next_deadline(),
            self.capacity.retry,
            self.tracker.deferred,
            self.advertisers.next_deadline(),
            self.delayed.as_ref().map(|delayed| delayed.due),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn dispatch(&mut self, event: Event) {
        if matches!(
            event,
            Event::Link(_) | Event::LinkGone(_) | Event::Address { .. } | Event::AddressGone { .. }
        ) {
            self.lfib.links_changed();
        }
        match event {
            Event::Link(info) => {
                self.saw_link(info.interface.ifindex);
                self.link_changed(info);
            }
            Event::LinkGone(ifindex) => self.link_gone(ifindex),
            Event::Address { ifindex, address } => {
                self.saw_address(ifindex, &address);
                self.address_changed(ifindex, address);
            }
            Event::AddressGone { ifindex, address } => self.address_gone(ifindex, address),
            Event::KernelRoute(route) => self.kernel_route(&route),
            Event::KernelRouteGone(route) => self.kernel_route_gone(&route),
            Event::DumpBegin => self.dump_begin(),
            Event::DumpEnd => self.dump_end(),
            Event::Audited { audit, nexthops, routes } => self.audited(audit, &nexthops, &routes),
            Event::AuditedLsps { audit, lsps } => self.audited_lsps(audit, &lsps),
            Event::AuditEnd { audit, error } => self.audit_end(audit, error),
            Event::DriftWanted { token } => self.drift_wanted(token),
            Event::FibDone(results) => {
                let results = self.sift_results(results);
                self.fib_done(&results);
            }
            Event::KernelNexthop(told) => self.observe_nexthop(&told),
            Event::KernelNexthopGone(id) => self.kernel_nexthop_gone(id),
            Event::NexthopsDone(results) => self.nexthops_done(&results),
            Event::Netns { netns, name, path } => self.netns_seen(netns, name, path),
            Event::NetnsGone(netns) => self.netns_gone(netns),
            Event::NetnsDumpBegin(netns) => self.netns_dump_begin(netns),
            Event::NetnsDumpEnd(netns) => self.netns_dump_end(netns),
            Event::KernelLsp(told) => self.kernel_lsp(&told),
            Event::KernelLspGone(label) => self.kernel_lsp_gone(label),
            Event::LfibDone(results) => self.lfib_done(&results),
            Event::Icmp6 { ifindex, source, hop_limit, octets } => {
                self.icmp6(ifindex, source, hop_limit, &octets);
            }
            Event::ClientConnected { client, hello } => self.client_connected(client, hello),
            Event::Client { client, message } => self.client_message(client, message),
            Event::ClientGone { client } => self.client_gone(client),
            Event::Configured(settings) => self.configured(settings),
        }
    }

    fn client_message(&mut self, client: crate::ClientKey, message: ToZebra) {
        self.clients.heard(client, self.now);
        match message {
            ToZebra::Routes(batch) => self.client_routes(client, batch),
            ToZebra::TrackNexthops(items) => self.track(client, &items),
            ToZebra::TrackRpf(items) => self.track_rpf(client, &items),
            ToZebra::Redistribute(request) => self.redistribute(client, request),
            ToZebra::RouterAdvertisements(wish) => self.advertisements_wanted(client, wish),
            ToZebra::WantResults(all) => self.clients.want_results(client, all),
            ToZebra::HoldRoutes(seconds) => self.clients.hold_routes(client, seconds),
            ToZebra::GetLabels(request) => self.labels_wanted(client, &request),
            ToZebra::ReleaseLabels(block) => self.labels_released(client, block),
            ToZebra::Lsps(updates) => self.client_lsps(client, updates),
            ToZebra::WatchFecs(items) => self.watch_fecs(client, &items),
            ToZebra::LdpSync(said) => self.ldp_said(client, said),
            ToZebra::Resolve(wanted) => self.resolve_neighbor(wanted),
            ToZebra::ReplayDone => self.replay_done(client),
            ToZebra::Goodbye { keep_routes } => self.goodbye(client, keep_routes),
        }
    }

    /// Settles what the event stirred up, and hands over what it leads to.
    fn finish(&mut self, out: &mut Vec<Action>) {
        self.settle();
        self.import_pending();
        self.settle_rpf();
        self.program_lsps();
        self.flush_clients();
        self.drop_groups();
        let mut fit = !self.capacity.idle();
        for work in self.fib.take_work() {
            let ops = match work {
                Work::Nexthops(ops) => {
                    self.actions.push(Action::Nexthops(ops));
                    continue;
                }
                Work::Routes(ops) if self.capacity.idle() => ops,
                Work::Routes(ops) => {
                    fit = false;
                    self.fit_ops(ops)
                }
            };
            if !ops.is_empty() {
                self.actions.push(Action::Fib(ops));
            }
        }
        if fit && self.capacity.has_work() {
            let ops = self.fit_ops(Vec::new());
            if !ops.is_empty() {
                self.actions.push(Action::Fib(ops));
            }
        }
        self.count_links();
        out.append(&mut self.actions);
    }

    fn count_links(&mut self) {
        for action in &self.actions {
            match action {
                Action::Link(LinkChange::Up(_) | LinkChange::Down(_)) => self.link_updates.1 += 1,
                Action::Link(LinkChange::Resolve { .. }) => {}
                Action::Link(_) => self.link_updates.0 += 1,
                _ => {}
            }
        }
    }

    pub(crate) fn resolver(&self) -> Resolver<'_> {
        Resolver { rib: &self.rib, interfaces: &self.interfaces, settings: &self.settings }
    }

    /// Seconds for which a dead client's routes are kept.
    pub(crate) fn hold_time(&self) -> Duration {
        Duration::from_secs(self.settings.hold_time.unwrap_or(DEFAULT_HOLD).into())
    }

    /// How often all routes were looked at because the next hops of some had changed.
    pub fn route_walks(&self) -> u64 {
        self.tracker.walks
    }

    /// Operations that the kernel has not answered; the shell stops reading from clients while there are too many.
    pub fn fib_in_flight(&self) -> usize {
        self.fib.in_flight
    }

    /// The end of zebra: takes our routes out of the kernel unless they are to stay.
    pub fn shut_down(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        self.now = now;
        self.end_advertising();
        if !self.options.retain {
            if self.capacity.active() {
                self.capacity.remove_all();
                self.remove_routes(|key| key.from.is_some());
            } else {
                self.remove_routes(|_| true);
            }
            self.remove_all_lsps();
            self.remove_all_objects();
        }
        self.finish(out);
    }

    fn configured(&mut self, settings: Arc<Settings>) {
        let settings = self.delay_policy(settings);
        self.apply_settings(settings);
    }

    pub(crate) fn apply_settings(&mut self, settings: Arc<Settings>) {
        let old = std::mem::replace(&mut self.settings, settings);
        self.apply_policy(&old);
        self.apply_fpm(&old.fpm);
        self.apply_groups();
        self.apply_interfaces(&old);
        let named = old.affinity_maps != self.settings.affinity_maps;
        if old.interfaces != self.settings.interfaces || named {
            self.apply_te(&old);
            self.apply_advertisements();
        }
        self.apply_forwarding(&old);
        self.apply_capacity();
        self.apply_groups();
        self.apply_statics();
        self.apply_named(Some(&old));
        self.apply_imports(&old);
        self.apply_nht_maps(&old);
        self.apply_mpls(&old);
        self.apply_router_ids();
        if old.audit_interval != self.settings.audit_interval {
            self.plan_audit();
        }
        let via_default = |s: &Settings| -> Vec<_> {
            s.vrfs.iter().map(|(name, vrf)| (name.clone(), vrf.via_default())).collect()
        };
        if via_default(&old) != via_default(&self.settings) {
            self.refresh_all();
        }
    }
}
