//! The loop around the core: everything that happens comes in here one at a time, and what the core wants goes out.
//!
//! ```text
//!  netlink thread --events--> +-------+ --jobs--> dataplane thread --> kernel
//!  dataplane --results------> |  loop | --messages--> gRPC tasks --> clients
//!  gRPC tasks --messages----> | (core)| --pieces--> vty
//!  vty --requests-----------> +-------+
//! ```
//!
//! Clients are not read while the kernel has more to do than it should: their stream fills, and they wait.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ferrite_cli::CliError;
use ferrite_daemon::{Daemon, Event as VtyEvent, Failure, Output};
use ferrite_rpc::zebra::{ClientId, ClientSender, ServerEvent};
use ferrite_types::zclient::FromZebra;
use ferrite_types::{Afi, IfIndex, Timestamp};
use tokio::sync::mpsc;
use zebra_core::commands::{Answer, Show};
use zebra_core::{
    Action, ClientKey, Event, FibOp, FibResult, MAX_IN_FLIGHT, Netns, NexthopOp, NexthopResult, RouteWalk,
    Settings, Zebra,
};

use crate::dataplane::{self, Done, Job, NoDataplane};
use crate::fpm::{FpmEvent, FpmPort};
use crate::namespaces::{Namespace, Notice, Watch};
use crate::nd::NdSocket;
use crate::netlink::KernelDataplane;
use crate::netlink::monitor::Monitor;
use crate::options::ZebraOptions;
use crate::refusals::Refusals;
use crate::{forwarding, mpls, wall};

type Vty = Daemon<ZebraOptions, Settings, Show>;

/// Messages of clients that wait for the core.
const CLIENT_MESSAGES: usize = 64;
const KERNEL_BATCHES: usize = 64;
/// How long the namespaces of VRFs may take to tell what is in them, at the start.
const NAMESPACE_DUMPS: Duration = Duration::from_secs(10);
/// Time left for taking our routes out of the kernel.
const FAREWELL: Duration = Duration::from_millis(1700);

struct Shell {
    core: Zebra,
    started: Instant,
    actions: Vec<Action>,
    clients: HashMap<ClientKey, ClientSender>,
    refusals: Refusals,
    jobs: mpsc::UnboundedSender<Job>,
    /// Where a list of the kernel's routes goes; none where there is no kernel.
    audits: Option<(usize, mpsc::Sender<Vec<Event>>)>,
    /// Who waits for a comparison with the kernel, and whether in JSON.
    reports: HashMap<u64, (Output, bool)>,
    next_report: u64,
    /// Namespaces beside ours, where VRFs are namespaces.
    spaces: BTreeMap<Netns, Namespace>,
    space_inputs: (mpsc::UnboundedSender<Done>, mpsc::Sender<Vec<Event>>),
    /// None where there is no kernel, or no right to a raw socket.
    nd: Option<NdSocket>,
    /// Tables on their way to a shell, a piece at a time.
    walks: mpsc::Sender<(RouteWalk, Output)>,
    /// Routes and paths stay out of the kernel.
    nothing_programmed: bool,
    fpm: FpmPort,
}

/// Everything that comes in.
struct Inputs {
    kernel: mpsc::Receiver<Vec<Event>>,
    results: mpsc::UnboundedReceiver<Done>,
    clients: mpsc::Receiver<ServerEvent>,
    walks: mpsc::Receiver<(RouteWalk, Output)>,
    fpm: mpsc::Receiver<FpmEvent>,
    namespaces: mpsc::Receiver<Notice>,
}

/// zebra's main function.
pub async fn main(mut vty: Vty) -> Result<(), Failure> {
    vty.own.check()?;
    let netns = vty.own.netns || vty.options.vrfwnetns;
    wall::start();
    let (jobs, queue) = mpsc::unbounded_channel();
    let (results_in, results) = mpsc::unbounded_channel();
    let (kernel_in, kernel) = mpsc::channel(KERNEL_BATCHES);
    let nd = if vty.own.no_kernel { None } else { NdSocket::start(Netns::OWN, kernel_in.clone()) };
    let audits = (!vty.own.no_kernel).then(|| (vty.own.netlink_buffer(), kernel_in.clone()));
    let space_inputs = (results_in.clone(), kernel_in.clone());
    let (writer, nexthop_objects) = start_dataplane(&vty.own, queue, results_in, kernel_in)?;
    let (namespaces_in, namespaces) = mpsc::channel(8);
    let (walks_in, walks) = mpsc::channel(8);
    let (clients_in, clients) = mpsc::channel(CLIENT_MESSAGES);
    let (fpm_in, fpm) = mpsc::channel(crate::fpm::MAX_EVENTS);
    let mut shell = Shell {
        core: Zebra::new(
            zebra_core::Options { nexthop_objects, ..vty.own.core(netns) },
            zebra_core::WallClock(wall::text),
        ),
        started: Instant::now(),
        actions: Vec::new(),
        clients: HashMap::new(),
        refusals: Refusals::default(),
        jobs,
        audits,
        reports: HashMap::new(),
        next_report: 0,
        spaces: BTreeMap::new(),
        space_inputs,
        nd,
        walks: walks_in,
        nothing_programmed: vty.own.no_kernel,
        fpm: FpmPort::new(fpm_in),
    };
    let mut inputs = Inputs { kernel, results, clients, walks, fpm, namespaces };
    shell.note_forwarding();
    if netns && !vty.own.no_kernel {
        let mut watch = Watch::default();
        let there = watch.look();
        there.into_iter().for_each(|notice| shell.namespace(notice));
        watch.spawn(namespaces_in)?;
    }
    // Links, addresses and what an earlier run left are known before anybody asks.
    if !vty.own.no_kernel {
        shell.first_dump(&mut inputs).await;
    }
    serve_clients(&vty, clients_in)?;
    vty.serve()?;
    shell.run(&mut vty, &mut inputs).await;
    shell.end(writer).await;
    Ok(())
}

fn start_dataplane(
    options: &ZebraOptions,
    queue: mpsc::UnboundedReceiver<Job>,
    results: mpsc::UnboundedSender<Done>,
    kernel: mpsc::Sender<Vec<Event>>,
) -> Result<(std::thread::JoinHandle<()>, bool), Failure> {
    if options.no_kernel {
        // The loop waits on a channel that is open; nothing ever comes.
        std::mem::forget(kernel);
        return Ok((dataplane::spawn(NoDataplane, queue, results)?, false));
    }
    let mut plane = KernelDataplane::open().map_err(|error| format!("netlink: {error}"))?;
    let monitor = Monitor::open(options.netlink_buffer(), plane.port()?, kernel)
        .map_err(|error| format!("netlink: {error}"))?;
    monitor.spawn()?;
    let nexthops = plane.has_nexthops();
    Ok((dataplane::spawn(plane, queue, results)?, nexthops))
}

/// Opens the socket that daemons connect to.
fn serve_clients(vty: &Vty, events: mpsc::Sender<ServerEvent>) -> Result<(), Failure> {
    let path = vty.options.socket.clone().unwrap_or_else(|| vty.paths.zserv());
    let group = vty.owners.vty.map(nix::unistd::Gid::as_raw);
    let group = group.filter(|_| nix::unistd::Uid::effective().is_root());
    let listener = ferrite_rpc::transport::bind_unix(&path, 0o660, group)
        .map_err(|error| format!("{}: {error}", path.display()))?;
    tokio::spawn(async move {
        if let Err(error) = ferrite_rpc::zebra::serve(listener, events).await {
            tracing::error!(%error, "clients can no longer connect");
        }
    });
    Ok(())
}

impl Shell {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// What is there at the start, in our namespace and in those of VRFs: a client that names its routes again before a link is
    /// known would have them taken out of the kernel. A namespace that goes meanwhile is not waited for long.
    async fn first_dump(&mut self, inputs: &mut Inputs) {
        let mut spaces: BTreeSet<Netns> = self.spaces.keys().copied().collect();
        let mut own = false;
        let last = tokio::time::Instant::now() + NAMESPACE_DUMPS;
        while !own || !spaces.is_empty() {
            let next = inputs.kernel.recv();
            let batch =
                if own { tokio::time::timeout_at(last, next).await.ok().flatten() } else { next.await };
            let Some(batch) = batch else { return };
            for event in &batch {
                match event {
                    Event::DumpEnd => own = true,
                    Event::NetnsDumpEnd(netns) => _ = spaces.remove(netns),
                    _ => {}
                }
            }
            self.feed(batch);
        }
    }

    async fn run(&mut self, vty: &mut Vty, inputs: &mut Inputs) {
        loop {
            let deadline = self.core.next_deadline().map(|at| self.started + at.since(Timestamp::ZERO));
            let read_clients = self.core.fib_in_flight() < MAX_IN_FLIGHT;
            tokio::select! {
                biased;
                event = vty.events.recv() => match event {
                    None | Some(VtyEvent::Stop) => return,
                    Some(event) => self.vty_event(event),
                },
                Some(done) = inputs.results.recv() => self.feed(vec![match done {
                    Done::Routes(results) => Event::FibDone(results),
                    Done::Nexthops(results) => Event::NexthopsDone(results),
                    Done::Lsps(results) => Event::LfibDone(results),
                }]),
                Some(batch) = inputs.kernel.recv() => self.feed(batch),
                Some(event) = inputs.fpm.recv() => {
                    self.fpm.event(event, &mut self.core);
                    self.core.settle_now(&mut self.actions);
                }
                Some(notice) = inputs.namespaces.recv() => self.namespace(notice),
                Some((walk, output)) = inputs.walks.recv() => self.continue_walk(walk, output),
                Some(event) = inputs.clients.recv(), if read_clients => self.client_event(event),
                () = sleep_until(deadline) => {}
            }
            let now = self.now();
            self.core.tick(now, &mut self.actions);
            self.perform();
            self.fpm.pump(&mut self.core);
        }
    }

    fn feed(&mut self, events: Vec<Event>) {
        let now = self.now();
        for event in events {
            self.core.handle(now, event, &mut self.actions);
        }
        self.perform();
    }

    /// Carries out what the core wants. A client that is gone or does not read is one more event.
    fn perform(&mut self) {
        let mut lost = Vec::new();
        let mut audits_failed = Vec::new();
        let (mut homeless, mut objects_lost) = (Vec::new(), Vec::new());
        for action in self.actions.drain(..) {
            match action {
                // The dataplane lives until the loop has ended.
                Action::Fib(ops) if self.spaces.is_empty() => drop(self.jobs.send(Job::Routes(ops))),
                Action::Fib(ops) => homeless.extend(send_by_namespace(&self.jobs, &self.spaces, ops)),
                Action::Nexthops(ops) => {
                    objects_lost.extend(nexthops_by_namespace(&self.jobs, &self.spaces, ops));
                }
                Action::Lfib(ops) => drop(self.jobs.send(Job::Lsps(ops))),
                Action::Mpls(_) if self.nothing_programmed => {}
                Action::Mpls(change) => {
                    if let Err(error) = mpls::change(&change) {
                        tracing::warn!(target: "zebra::mpls", %error, ?change, "cannot set the kernel's MPLS");
                    }
                    self.core.note_mpls(mpls::platform_labels());
                }
                Action::Link(change) => {
                    let space = self.spaces.get(&Netns::of_link(change.ifindex()));
                    drop(space.map_or(&self.jobs, |space| &space.jobs).send(Job::Link(change)));
                }
                Action::Send { client, message } => {
                    let Some(sender) = self.clients.get(&client) else { continue };
                    if let FromZebra::Refused { request, reason } = &message
                        && self.refusals.is_news(client, request, reason)
                    {
                        tracing::warn!(client = client.0, %request, %reason, "refused what a client asked for");
                    }
                    if let Err(error) = sender.send(&message) {
                        tracing::warn!(client = client.0, %error, "dropped a client");
                        lost.push(client);
                    }
                }
                Action::Advertise { ifindex, octets } => {
                    let sent = nd_of(self.nd.as_ref(), &self.spaces, ifindex)
                        .map(|nd| nd.advertise(ifindex, &octets));
                    if let Some(Err(error)) = sent {
                        tracing::debug!(target: "zebra::events", %error, %ifindex, "no router advertisement sent");
                    }
                }
                Action::HearSolicitations { ifindex, on } => {
                    if let Some(nd) = nd_of(self.nd.as_ref(), &self.spaces, ifindex) {
                        nd.hear_solicitations(ifindex, on);
                    }
                }
                Action::Audit { audit, hurry } => {
                    let places = self.spaces.iter().map(|(netns, space)| (*netns, space.path.clone()));
                    if let Err(error) = start_audit(self.audits.as_ref(), audit, hurry, places.collect()) {
                        tracing::warn!(%error, "cannot look at the kernel's routes");
                        audits_failed.push(Event::AuditEnd { audit, error: Some(error.to_string()) });
                    }
                }
                Action::Drift { token, drift } => {
                    if let Some((output, json)) = self.reports.remove(&token) {
                        output.reply(self.core.drift_text(&drift, json));
                    }
                }
                Action::Fpm(address) => self.fpm.listen_to(address, &mut self.core),
                Action::Forwarding { afi, on } => {
                    if let Err(error) = forwarding::set(afi, on) {
                        tracing::warn!(%error, ?afi, on, "cannot set forwarding");
                    }
                    self.core.note_forwarding(forwarding::get(Afi::Ipv4), forwarding::get(Afi::Ipv6));
                }
            }
        }
        for client in lost {
            self.drop_client(client);
        }
        if !objects_lost.is_empty() {
            audits_failed.push(Event::NexthopsDone(objects_lost));
        }
        if !homeless.is_empty() {
            audits_failed.push(Event::FibDone(homeless));
        }
        if !audits_failed.is_empty() {
            self.feed(audits_failed);
        }
    }

    /// A namespace has come or gone.
    fn namespace(&mut self, notice: Notice) {
        match notice {
            Notice::Appeared { netns, name, path } => {
                let (results, kernel) = self.space_inputs.clone();
                let buffer = self.audits.as_ref().map_or(0, |(buffer, _)| *buffer);
                let text = path.display().to_string();
                match Namespace::start(netns, path, buffer, results, kernel) {
                    Ok(space) => {
                        tracing::info!(netns = %text, "a namespace has come");
                        self.spaces.insert(netns, space);
                        self.feed(vec![Event::Netns { netns, name, path: text }]);
                    }
                    Err(error) => tracing::error!(netns = %text, %error, "cannot work in a namespace"),
                }
            }
            Notice::Gone(netns) => {
                if let Some(space) = self.spaces.remove(&netns) {
                    tracing::info!(netns = %space.path.display(), "a namespace has gone");
                    drop(space.end());
                    self.feed(vec![Event::NetnsGone(netns)]);
                }
            }
        }
    }

    fn note_forwarding(&mut self) {
        // Without a kernel, paths are taken as they come.
        let labels = if self.nothing_programmed { Some(u32::MAX) } else { mpls::platform_labels() };
        self.core.note_mpls(labels);
        self.core.note_forwarding(forwarding::get(Afi::Ipv4), forwarding::get(Afi::Ipv6));
    }

    fn drop_client(&mut self, client: ClientKey) {
        if let Some(refused) = self.refusals.forget(client) {
            tracing::info!(
                client = client.0,
                refused,
                "a client is gone that was refused more than was said"
            );
        }
        if self.clients.remove(&client).is_some() {
            let now = self.now();
            self.core.handle(now, Event::ClientGone { client }, &mut self.actions);
            self.perform();
        }
    }

    fn client_event(&mut self, event: ServerEvent) {
        let key = |client: ClientId| ClientKey(client.0);
        match event {
            ServerEvent::Connected { client, hello, sender } => {
                tracing::info!(client = client.0, daemon = %hello.daemon, restarting = hello.restarting, "client connected");
                self.clients.insert(key(client), sender);
                self.feed(vec![Event::ClientConnected { client: key(client), hello }]);
            }
            ServerEvent::Message { client, message } => {
                self.feed(vec![Event::Client { client: key(client), message }]);
            }
            ServerEvent::Disconnected { client, reason } => {
                tracing::info!(client = client.0, %reason, "client disconnected");
                self.drop_client(key(client));
            }
        }
    }

    fn vty_event(&mut self, event: VtyEvent<Settings, Show>) {
        match event {
            VtyEvent::Configured { after, done, .. } => {
                self.feed(vec![Event::Configured(after)]);
                drop(done);
            }
            VtyEvent::Exec { handler, args, output } => {
                self.note_forwarding();
                let now = self.now();
                self.core.tick(now, &mut self.actions);
                match self.core.answer(handler, &args) {
                    Ok(Answer::Text(text)) => output.reply(text),
                    Ok(Answer::Routes(walk)) => self.continue_walk(walk, output),
                    Ok(Answer::ClearFpm) => {
                        self.core.fpm_clear();
                        output.reply(String::new());
                    }
                    Ok(Answer::Drift { json }) => {
                        self.next_report += 1;
                        self.reports.insert(self.next_report, (output, json));
                        self.feed(vec![Event::DriftWanted { token: self.next_report }]);
                    }
                    Err(CliError::Refused(reason)) => output.fail(reason),
                    Err(error) => output.fail(error.to_string()),
                }
            }
            // Whoever asked may have gone.
            VtyEvent::Complete { variable, reply } => drop(reply.send(self.core.complete(&variable))),
            VtyEvent::Impact { reply, .. } => drop(reply.send(Vec::new())),
            VtyEvent::Stop => {}
        }
    }

    /// Makes one piece of a table; a task hands it on as the reader takes it, and then asks for the next.
    fn continue_walk(&mut self, mut walk: RouteWalk, output: Output) {
        if output.is_closed() {
            return;
        }
        let Some(piece) = walk.next_piece(&self.core) else { return };
        let walks = self.walks.clone();
        tokio::spawn(async move {
            if output.write(piece).await {
                // The loop may have ended; so has the command then.
                let _ = walks.send((walk, output)).await;
            }
        });
    }

    /// Takes our routes out of the kernel and waits for it.
    async fn end(mut self, writer: std::thread::JoinHandle<()>) {
        let now = self.now();
        self.core.shut_down(now, &mut self.actions);
        self.perform();
        let spaces: Vec<_> = std::mem::take(&mut self.spaces).into_values().map(Namespace::end).collect();
        drop(self);
        let ended = tokio::task::spawn_blocking(move || {
            spaces.into_iter().for_each(|writer| drop(writer.join()));
            writer.join()
        });
        if tokio::time::timeout(FAREWELL, ended).await.is_err() {
            tracing::warn!("routes are left in the kernel: there was no time to remove them");
        }
    }
}

/// Without a kernel there is nothing to look at: the list is empty, and whole.
fn start_audit(
    audits: Option<&(usize, mpsc::Sender<Vec<Event>>)>,
    audit: u64,
    hurry: bool,
    places: Vec<(Netns, PathBuf)>,
) -> std::io::Result<()> {
    match audits {
        Some((buffer, out)) => crate::netlink::monitor::audit(audit, hurry, *buffer, places, out.clone()),
        None => Err(std::io::Error::other("no kernel is used")),
    }
}

/// The socket of neighbour discovery in a link's namespace.
fn nd_of<'a>(
    own: Option<&'a NdSocket>,
    spaces: &'a BTreeMap<Netns, Namespace>,
    ifindex: IfIndex,
) -> Option<&'a NdSocket> {
    match Netns::of_link(ifindex) {
        Netns::OWN => own,
        other => spaces.get(&other)?.nd.as_ref(),
    }
}

const ENODEV: i32 = 19;

/// Hands each operation to the namespace of its VRF; what is for one that is gone has failed.
fn send_by_namespace(
    own: &mpsc::UnboundedSender<Job>,
    spaces: &BTreeMap<Netns, Namespace>,
    ops: Vec<FibOp>,
) -> Vec<FibResult> {
    let mut parts: BTreeMap<Netns, Vec<FibOp>> = BTreeMap::new();
    for op in ops {
        parts.entry(Netns::of_vrf(op.vrf)).or_default().push(op);
    }
    let mut homeless = Vec::new();
    for (netns, ops) in parts {
        match spaces.get(&netns) {
            _ if netns == Netns::OWN => drop(own.send(Job::Routes(ops))),
            Some(space) => drop(space.jobs.send(Job::Routes(ops))),
            None => homeless.extend(ops.iter().map(|op| FibResult {
                vrf: op.vrf,
                table: op.table,
                prefix: op.prefix,
                from: op.from,
                seq: op.seq,
                errno: ENODEV,
                removal: dataplane::removal(op),
            })),
        }
    }
    homeless
}

/// The same for objects.
fn nexthops_by_namespace(
    own: &mpsc::UnboundedSender<Job>,
    spaces: &BTreeMap<Netns, Namespace>,
    ops: Vec<NexthopOp>,
) -> Vec<NexthopResult> {
    let mut parts: BTreeMap<Netns, Vec<NexthopOp>> = BTreeMap::new();
    for op in ops {
        parts.entry(Netns::of_object(op.id)).or_default().push(op);
    }
    let mut homeless = Vec::new();
    for (netns, ops) in parts {
        match spaces.get(&netns) {
            _ if netns == Netns::OWN => drop(own.send(Job::Nexthops(ops))),
            Some(space) => drop(space.jobs.send(Job::Nexthops(ops))),
            None => {
                let errno = |op: &NexthopOp| if op.object.is_some() { ENODEV } else { 0 };
                homeless.extend(ops.iter().map(|op| NexthopResult {
                    id: op.id,
                    seq: op.seq,
                    errno: errno(op),
                }));
            }
        }
    }
    homeless
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
