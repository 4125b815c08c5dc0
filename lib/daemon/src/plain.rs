//! FRR's text protocol between vtysh and a daemon, for tools that speak it (frr_exporter).
//!
//! The client sends a command and a NUL. The answer is text, three NULs and one octet of status. A session begins outside
//! configuration, without privileges.

use std::sync::Arc;

use ferrite_rpc::vty::{ExecuteLine, ExecuteResult, Status, VtyBackend};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};

use crate::owner::CONFIG_NODE;

/// Longest command, octets.
const MAX_COMMAND: usize = 64 << 10;
/// Sessions at the same time; more wait.
const MAX_SESSIONS: usize = 64;

/// Serves until the task is dropped.
pub(crate) async fn serve(listener: UnixListener, backend: Arc<dyn VtyBackend>) {
    let places = Arc::new(Semaphore::new(MAX_SESSIONS));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let backend = backend.clone();
                tokio::spawn(async move {
                    if let Err(error) = session(stream, backend).await {
                        tracing::debug!("vty session ended: {error}");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!("vty socket: {error}");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

/// Where a session is.
enum Place {
    View,
    Enable,
    /// The lines that lead to the node.
    Config(Vec<String>),
}

async fn session(mut stream: UnixStream, backend: Arc<dyn VtyBackend>) -> std::io::Result<()> {
    let mut place = Place::View;
    let mut pending: Vec<u8> = Vec::new();
    let mut buffer = vec![0; 4096];
    loop {
        while let Some(end) = pending.iter().position(|&octet| octet == 0) {
            let command: Vec<u8> = pending.drain(..=end).collect();
            let line = String::from_utf8_lossy(command.strip_suffix(&[0]).unwrap_or(&command)).into_owned();
            let status = command_line(&mut stream, &backend, &mut place, line.trim()).await?;
            stream.write_all(&[0, 0, 0, status.number()]).await?;
        }
        if pending.len() > MAX_COMMAND {
            return Err(std::io::Error::other("command is too long"));
        }
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            read => pending.extend_from_slice(buffer.get(..read).unwrap_or_default()),
        }
    }
}

async fn command_line(
    stream: &mut UnixStream,
    backend: &Arc<dyn VtyBackend>,
    place: &mut Place,
    line: &str,
) -> std::io::Result<Status> {
    if moved(place, line) {
        return Ok(Status::Success);
    }
    let (node, context) = match place {
        Place::View => ("view", vec![]),
        Place::Enable => ("enable", vec![]),
        Place::Config(lines) => (CONFIG_NODE, lines.clone()),
    };
    // `do` carries out a command from outside configuration inside it.
    let (node, context, line) = match line.strip_prefix("do ") {
        Some(line) if node == CONFIG_NODE => ("enable", vec![], line.trim()),
        _ => (node, context, line),
    };
    let request = ExecuteLine { node: node.to_owned(), context, line: line.to_owned() };
    let (output, mut pieces) = mpsc::channel::<String>(4);
    let answer = backend.execute(request, output);
    let write = async {
        while let Some(piece) = pieces.recv().await {
            stream.write_all(piece.as_bytes()).await?;
        }
        Ok::<_, std::io::Error>(())
    };
    let (ExecuteResult { status, message, entered, .. }, written) = tokio::join!(answer, write);
    written?;
    if let (Some(_), Place::Config(lines)) = (entered, place) {
        lines.push(line.to_owned());
    }
    if !message.is_empty() {
        stream.write_all(format!("{message}\n").as_bytes()).await?;
    }
    Ok(status)
}

/// Lines that only change the place.
fn moved(place: &mut Place, line: &str) -> bool {
    let next = match (&mut *place, line) {
        (_, "") => return true,
        (Place::View | Place::Enable, "enable") => Place::Enable,
        (Place::View | Place::Enable, "disable") => Place::View,
        (Place::View | Place::Enable, "exit" | "quit" | "end") => return true,
        (Place::Enable, "configure" | "configure terminal" | "conf t" | "configure terminal file-lock") => {
            Place::Config(vec![])
        }
        (Place::Config(_), "end") => Place::Enable,
        (Place::Config(lines), "exit" | "quit" | "exit-address-family" | "exit-vrf") => match lines.pop() {
            Some(_) => return true,
            None => Place::Enable,
        },
        _ => return false,
    };
    *place = next;
    true
}
