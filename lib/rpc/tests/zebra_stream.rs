//! The two ends of the zebra stream against each other over a real Unix socket.

use std::path::Path;
use std::time::Duration;

use ferrite_rpc::zebra::{ClientEvent, ServerEvent, SessionId, ZebraClient, pb, serve};
use ferrite_types::zclient::{FromZebra, Hello, RouteBatch, RouteUpdate, ToZebra};
use ferrite_types::{RouteProtocol, Safi, VrfId};
use tokio::net::UnixListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

fn hello() -> Hello {
    Hello { daemon: "bgpd".to_owned(), protocol: RouteProtocol::Bgp, instance: 0, restarting: false }
}

fn start(path: &Path) -> (JoinHandle<()>, mpsc::Receiver<ServerEvent>) {
    let _ = std::fs::remove_file(path);
    let listener = UnixListener::bind(path).unwrap();
    let (events, receiver) = mpsc::channel(16);
    (tokio::spawn(async move { serve(listener, events).await.unwrap() }), receiver)
}

async fn next<T>(receiver: &mut mpsc::Receiver<T>) -> T {
    timeout(PATIENCE, receiver.recv()).await.expect("nothing came").expect("the channel is closed")
}

async fn connected(events: &mut mpsc::Receiver<ClientEvent>) -> SessionId {
    loop {
        match next(events).await {
            ClientEvent::Connected(session) => return session,
            ClientEvent::Disconnected { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

fn routes(count: u32) -> RouteBatch {
    let update = |i: u32| RouteUpdate {
        prefix: ferrite_types::Ipv4Prefix::from_bits(i << 8, 24).unwrap().into(),
        protocol: RouteProtocol::Bgp,
        route: None,
    };
    RouteBatch {
        vrf: VrfId::DEFAULT,
        safi: Safi::Unicast,
        table: None,
        instance: 0,
        group: None,
        updates: (0..count).map(update).collect(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_arrive_in_order_and_a_long_batch_is_cut() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("zserv.grpc");
    let (_server, mut server) = start(&path);
    let (sender, mut events) = ZebraClient::spawn(&path, hello());
    let session = connected(&mut events).await;
    sender.send(ToZebra::ReplayDone).await.unwrap(); // Before `begin`: belongs to no connection.
    sender.begin(session);
    sender.send(ToZebra::Routes(routes(20_000))).await.unwrap();
    sender.send(ToZebra::ReplayDone).await.unwrap();

    let ServerEvent::Connected { hello: said, sender: to_client, .. } = next(&mut server).await else {
        panic!("no hello");
    };
    assert_eq!(said, hello());
    let mut seen = Vec::new();
    loop {
        match next(&mut server).await {
            ServerEvent::Message { message: ToZebra::Routes(batch), .. } => seen.extend(batch.updates),
            ServerEvent::Message { message: ToZebra::ReplayDone, .. } => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(seen, routes(20_000).updates);

    to_client.send(&FromZebra::SnapshotDone).unwrap();
    assert!(matches!(next(&mut events).await, ClientEvent::Message(FromZebra::SnapshotDone)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_comes_back_after_zebra_dropped_it_and_what_was_queued_before_is_not_sent() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("zserv.grpc");
    let (_server, mut server) = start(&path);
    let (sender, mut events) = ZebraClient::spawn(&path, hello());
    sender.begin(connected(&mut events).await);
    match next(&mut server).await {
        ServerEvent::Connected { sender, .. } => drop(sender),
        other => panic!("{other:?}"),
    }
    let second = connected(&mut events).await;
    sender.send(ToZebra::ReplayDone).await.unwrap(); // Still of the first connection.
    sender.begin(second);
    sender.send(ToZebra::Goodbye { keep_routes: true }).await.unwrap();
    let mut hello_again = None;
    loop {
        match next(&mut server).await {
            ServerEvent::Connected { hello, sender, .. } => hello_again = Some((hello, sender)),
            ServerEvent::Disconnected { .. } => {}
            ServerEvent::Message { message, .. } => {
                assert_eq!(message, ToZebra::Goodbye { keep_routes: true });
                break;
            }
        }
    }
    assert!(hello_again.unwrap().0.restarting);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_finds_zebra_when_it_starts_later() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("zserv.grpc");
    let (_sender, mut events) = ZebraClient::spawn(&path, hello());
    let (_server, _events) = start(&path);
    connected(&mut events).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_major_version_is_refused_with_a_message_that_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("zserv.grpc");
    let (_server, _events) = start(&path);
    let connector = tower::service_fn(move |_| {
        let path = path.clone();
        async move { tokio::net::UnixStream::connect(path).await.map(hyper_util::rt::TokioIo::new) }
    });
    let channel = tonic::transport::Endpoint::from_static("http://zebra")
        .connect_with_connector(connector)
        .await
        .unwrap();
    let hello = pb::Hello { major: 7, ..pb::Hello::from(&hello()) };
    let hello = pb::ClientMessage { message: Some(pb::client_message::Message::Hello(hello)) };
    let mut answers = pb::zebra_client::ZebraClient::new(channel)
        .session(tokio_stream::iter([hello]))
        .await
        .unwrap()
        .into_inner();
    match timeout(PATIENCE, answers.message()).await.unwrap().unwrap().unwrap().message.unwrap() {
        pb::server_message::Message::Refused(refused) => {
            assert_eq!(refused.reason, "contract version 7 is not supported; this side speaks 1");
        }
        other => panic!("{other:?}"),
    }
    assert!(timeout(PATIENCE, answers.message()).await.unwrap().unwrap().is_none());
}
