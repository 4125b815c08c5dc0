//! The loop around [`Ospf`]: whatever happens becomes an event, whatever it wants is carried out.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use ferrite_cli::CliError;
use ferrite_daemon::time::{Clock, local_to_utc, wall};
use ferrite_daemon::{Daemon, Event as VtyEvent, Failure};
use ferrite_ospf_control::commands::{self, Command};
use ferrite_ospf_control::{Action, ApiEvent, Event, Host, LogLevel, Ospf, Settings};
use ferrite_rpc::zebra::{ClientEvent, ZebraClient, ZebraSender};
use ferrite_types::RouteProtocol;
use ferrite_types::zclient::{Hello, ToZebra};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use crate::OspfOptions;
use crate::api::{self, Clients, FromClient};
use crate::boots;
use crate::debug;
use crate::notes;
use crate::roles::Held;
use crate::socket::Packet;
use crate::sockets::Sockets;

/// Packets that may wait for the loop.
const PACKETS: usize = 1024;
/// How often the clock is looked at where keys have lifetimes: it may be set.
const KEY_TIMES: Duration = Duration::from_secs(30);
/// How long the last words to zebra may take.
const FAREWELL: Duration = Duration::from_millis(700);

struct Shell {
    clock: Clock,
    ospf: Ospf,
    out: Vec<Action>,
    sockets: Sockets,
    zebra: mpsc::UnboundedSender<ToZebra>,
    /// Where it is written what the next program is to find.
    notes: PathBuf,
    /// And the count of boots.
    boots: PathBuf,
    finished: bool,
    /// Clients of the OSPF API.
    clients: Clients,
    /// Some `debug` line is on.
    traced: bool,
}

/// The daemon's main function.
pub async fn run(mut daemon: Daemon<OspfOptions, Settings, Command>, held: Held) -> Result<(), Failure> {
    let clock = Clock::start();
    let roles = held.roles;
    if !roles.v2 && !roles.v3 {
        tracing::info!("nothing to do: another program of this path space serves both versions of OSPF");
    } else if !roles.v3 {
        tracing::info!("OSPFv3 is served by another program of this path space");
    }
    let (sender, mut zebra_events) = connect_zebra(&daemon, roles.v2);
    let (zebra, queue) = mpsc::unbounded_channel();
    let feed = tokio::spawn(feed(queue, sender.clone()));
    let (packets, mut received) = mpsc::channel(PACKETS);
    let host = Host { epoch: u32::try_from(wall()).unwrap_or(0), wall: wall(), to_utc: local_to_utc };
    let mut shell = Shell {
        clock,
        ospf: Ospf::new(roles, host),
        out: Vec::new(),
        sockets: Sockets::new(packets),
        zebra,
        notes: daemon.paths.run.join(format!("{}.restart", daemon.info.name)),
        boots: daemon.paths.state.join(format!("{}.boots", daemon.info.name)),
        finished: false,
        clients: Clients::default(),
        traced: false,
    };
    shell.ospf.found(notes::read(&shell.notes));
    shell.ospf.found_boots(boots::read(&shell.boots));
    let address = daemon.own.apiserver_addr.unwrap_or(Ipv4Addr::UNSPECIFIED.into());
    let mut api_events = (roles.v2 && daemon.own.apiserver).then(|| api::listen(address));
    daemon.serve()?;
    let mut key_times = tokio::time::interval(KEY_TIMES);
    key_times.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !shell.finished {
        shell.traced = daemon.log.debugs();
        shell.ospf.set_trace(shell.traced);
        let deadline = shell.ospf.next_deadline().map(|deadline| clock.until(deadline));
        tokio::select! {
            Some(packet) = received.recv() => {
                shell.received(packet);
                // Hellos are not late however much comes in.
                for _ in 1..shell.ospf.batch() {
                    let Ok(packet) = received.try_recv() else { break };
                    shell.received(packet);
                }
            }
            Some(event) = zebra_events.recv() => shell.zebra_event(event, &sender),
            Some(event) = async { api_events.as_mut()?.recv().await }, if api_events.is_some() => {
                shell.client_event(event);
            }
            event = daemon.events.recv() => {
                daemon.may_take(shell.ospf.last_words());
                shell.vty_event(event);
            }
            _ = key_times.tick(), if shell.ospf.watches_time() => shell.handle(Event::Wall(wall())),
            () = tokio::time::sleep(deadline.unwrap_or(Duration::MAX)), if deadline.is_some() => {}
        }
        shell.tick();
    }
    drop(shell);
    drop(sender);
    // What zebra was told last is in the stream when the feed has ended.
    let _ = tokio::time::timeout(FAREWELL, feed).await;
    drop(held);
    Ok(())
}

fn connect_zebra(
    daemon: &Daemon<OspfOptions, Settings, Command>,
    v2: bool,
) -> (ZebraSender, mpsc::Receiver<ClientEvent>) {
    let protocol = if v2 { RouteProtocol::Ospf } else { RouteProtocol::Ospf6 };
    let hello = Hello { daemon: daemon.info.name.to_owned(), protocol, instance: 0, restarting: true };
    let socket = daemon.options.socket.clone().unwrap_or_else(|| daemon.paths.zserv());
    ZebraClient::spawn(socket, hello)
}

/// Hands on to zebra as fast as the stream takes it, so that the loop never waits.
async fn feed(mut queue: mpsc::UnboundedReceiver<ToZebra>, sender: ZebraSender) {
    while let Some(message) = queue.recv().await {
        if sender.send(message).await.is_err() {
            return;
        }
    }
}

impl Shell {
    fn handle(&mut self, event: Event) {
        let now = self.clock.now();
        self.ospf.handle(now, event, &mut self.out);
        self.perform();
    }

    fn tick(&mut self) {
        let now = self.clock.now();
        self.ospf.tick(now, &mut self.out);
        // Paths are computed when their time has come, and nothing else that is done then takes long.
        self.ospf.measured(self.clock.now().since(now), &mut self.out);
        self.perform();
    }

    fn received(&mut self, packet: Packet) {
        if self.traced {
            debug::received(&packet);
        }
        let Packet { version, ifindex, source, destination, octets } = packet;
        self.handle(Event::Received { version, ifindex, source, destination, octets });
    }

    fn zebra_event(&mut self, event: ClientEvent, sender: &ZebraSender) {
        match event {
            ClientEvent::Connected(session) => {
                sender.begin(session);
                tracing::info!("connected to zebra");
                self.handle(Event::ZebraConnected);
            }
            ClientEvent::Message(message) => self.handle(Event::Zebra(message)),
            ClientEvent::Disconnected { reason } => {
                tracing::warn!("connection to zebra lost: {reason}");
                self.handle(Event::ZebraGone);
            }
            ClientEvent::Refused { reason } => tracing::error!("zebra refuses us: {reason}"),
        }
    }

    fn client_event(&mut self, event: FromClient) {
        let event = match event {
            FromClient::Connected(client, outboxes) => {
                self.clients.add(client, outboxes);
                ApiEvent::Connected(client)
            }
            FromClient::Event(event) => {
                if let ApiEvent::Gone(client) = event {
                    self.clients.remove(client);
                }
                event
            }
        };
        self.handle(Event::Api(event));
    }

    fn vty_event(&mut self, event: Option<VtyEvent<Settings, Command>>) {
        match event {
            Some(VtyEvent::Configured { after, done, .. }) => {
                self.handle(Event::Configured(after));
                drop(done);
            }
            Some(VtyEvent::Exec { handler, args, output }) => {
                let now = self.clock.now();
                match commands::run(&mut self.ospf, now, handler, &args, &mut self.out) {
                    Ok(text) => output.reply(text),
                    Err(CliError::Refused(reason)) => output.fail(reason),
                    Err(error) => output.fail(error.to_string()),
                }
                self.perform();
            }
            // Whoever asked may have gone.
            Some(VtyEvent::Complete { variable, reply }) => drop(reply.send(self.complete(&variable))),
            Some(VtyEvent::Impact { reply, .. }) => drop(reply.send(Vec::new())),
            Some(VtyEvent::Stop) | None => self.handle(Event::Shutdown),
        }
    }

    fn complete(&self, variable: &str) -> Vec<String> {
        match variable {
            "IFNAME" => self.ospf.world.links.values().map(|link| link.interface.name.clone()).collect(),
            "NAME" | "VRF" => self.ospf.world.vrfs.keys().cloned().collect(),
            _ => Vec::new(),
        }
    }

    fn perform(&mut self) {
        for action in self.out.drain(..) {
            match action {
                Action::Send { version, vrf, ifindex, source, destination, octets, routed } => {
                    if self.traced {
                        debug::sent(debug::Seen { version, ifindex, source, destination, octets: &octets });
                    }
                    self.sockets.send((version, vrf), ifindex, (source, destination), &octets, routed);
                }
                Action::Membership { version, vrf, ifindex, group, join } => {
                    self.sockets.membership(version, vrf, ifindex, group, join);
                }
                Action::Socket { version, vrf, terms: Some(terms) } => self.sockets.open(version, vrf, terms),
                Action::Socket { version, vrf, terms: None } => self.sockets.close(version, vrf),
                // The feed ends with the loop.
                Action::Zebra(message) => drop(self.zebra.send(message)),
                Action::Remember(notes) => notes::write(&self.notes, &notes),
                Action::BootCount(count) => boots::write(&self.boots, count),
                Action::Log(LogLevel::Warning, text) => tracing::warn!("{text}"),
                Action::Log(LogLevel::Notice | LogLevel::Info, text) => tracing::info!("{text}"),
                Action::Log(LogLevel::Debug(topic), text) => debug::say(topic, &text),
                Action::Api { client, reply, octets } => self.clients.send(client, reply, octets),
                Action::Finished => self.finished = true,
            }
        }
    }
}
