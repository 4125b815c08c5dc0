use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::client::VtyError;
use super::server::BoxFuture;
use super::*;
use crate::transport::{connect_unix, serve_unix};

/// Repeats what it is told.
struct Echo;

impl VtyBackend for Echo {
    fn describe(&self) -> Description {
        Description { name: "echod".into(), contract: CONTRACT, ..Description::default() }
    }
    fn execute(&self, line: ExecuteLine, output: mpsc::Sender<String>) -> BoxFuture<ExecuteResult> {
        Box::pin(async move {
            for _ in 0..1000 {
                if output.send(line.line.repeat(1000)).await.is_err() {
                    break;
                }
            }
            ExecuteResult { status: Status::Warning, ..ExecuteResult::default() }
        })
    }
    fn complete(&self, variable: String) -> BoxFuture<Vec<String>> {
        Box::pin(async move { vec![variable] })
    }
    fn running(&self) -> BoxFuture<Vec<ConfigItem>> {
        let line = |n| ConfigItem { text: format!("line {n}"), ..ConfigItem::default() };
        Box::pin(async move { (0..3000).map(line).collect() })
    }
    fn prepare(&self, replace: bool, lines: Vec<ConfigLine>) -> BoxFuture<Result<Prepared, Vec<LineError>>> {
        let token = lines.len() as u64;
        Box::pin(async move {
            if replace {
                Ok(Prepared { token, ..Prepared::default() })
            } else {
                Err(vec![LineError::default()])
            }
        })
    }
    fn commit(&self, token: u64) -> BoxFuture<Result<bool, String>> {
        Box::pin(async move { if token == 7 { Ok(true) } else { Err("unknown token".into()) } })
    }
    fn abort(&self, _: u64) -> BoxFuture<()> {
        Box::pin(async {})
    }
    fn rollback(&self, _: u32) -> BoxFuture<Result<bool, String>> {
        Box::pin(async { Ok(false) })
    }
}

async fn with_echo<F: Future<Output = ()>>(test: impl FnOnce(std::path::PathBuf) -> F) {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("echod.grpc");
    let incoming = serve_unix(&socket, 0o660, None).unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(serve(incoming, Arc::new(Echo), async move {
        let _ = stopped.await;
    }));
    test(socket).await;
    drop(stop);
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn every_call_goes_through() {
    with_echo(|socket| async move {
        let mut client = VtyClient::connect(&socket).await.unwrap();
        assert_eq!(client.describe().await.unwrap().name, "echod");
        assert_eq!(client.complete("IFNAME").await.unwrap(), ["IFNAME"]);
        let running = client.running_config().await.unwrap();
        assert_eq!((running.len(), running[2999].text.as_str()), (3000, "line 2999"));
        let lines: Vec<_> = (0..10_000).map(|number| ConfigLine { number, text: "x".into() }).collect();
        assert_eq!(client.prepare(true, lines).await.unwrap().unwrap().token, 10_000);
        assert_eq!(client.prepare(false, vec![]).await.unwrap().unwrap_err().len(), 1);
        assert!(client.commit(7).await.unwrap());
        assert_eq!(client.commit(8).await.unwrap_err().to_string(), "unknown token");
        assert!(!client.rollback(1).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn large_output_is_streamed_and_may_be_left_unread() {
    with_echo(|socket| async move {
        let mut client = VtyClient::connect(&socket).await.unwrap();
        let line = ExecuteLine { line: "0123456789".into(), ..ExecuteLine::default() };
        let mut stream = client.execute(line.clone()).await.unwrap();
        let mut size = 0;
        while let Some(piece) = stream.next().await.unwrap() {
            assert!(piece.len() <= OUTPUT_PIECE);
            size += piece.len();
        }
        assert_eq!(size, 10_000_000);
        assert_eq!(stream.result().status, Status::Warning);
        let unread = client.execute(line).await.unwrap();
        drop(unread);
        assert_eq!(client.describe().await.unwrap().name, "echod");
    })
    .await;
}

#[tokio::test]
async fn another_major_version_is_refused_and_told_why() {
    with_echo(|socket| async move {
        let channel = connect_unix(&socket).await.unwrap();
        let mut client = pb::vty_client::VtyClient::new(channel);
        let mut request = tonic::Request::new(pb::DescribeRequest {});
        request.metadata_mut().insert(VERSION_KEY, "2.0".parse().unwrap());
        let refusal = client.describe(request).await.unwrap_err();
        assert_eq!(
            refusal.message(),
            "this daemon speaks version 1.0 of the vty contract, the caller version 2"
        );
        let unnamed = client.describe(pb::DescribeRequest {}).await.unwrap_err();
        assert_eq!(unnamed.code(), tonic::Code::FailedPrecondition);
    })
    .await;
}

#[tokio::test]
async fn a_socket_that_is_served_is_not_taken_over_and_a_dead_one_is() {
    with_echo(|socket| async move {
        let error = serve_unix(&socket, 0o660, None).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    })
    .await;
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("dead.grpc");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    serve_unix(&socket, 0o660, None).unwrap();
    std::fs::write(directory.path().join("file"), "x").unwrap();
    assert!(serve_unix(&directory.path().join("file"), 0o660, None).is_err());
    assert!(matches!(
        VtyClient::connect(&directory.path().join("none")).await.unwrap_err(),
        VtyError::Connect(_)
    ));
}
