//! gRPC over Unix sockets: the listening side and the connecting side.

use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use hyper_util::rt::TokioIo;
use tokio::net::{UnixListener, UnixStream};
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::{Channel, Endpoint, Uri};
use tower::service_fn;

/// Largest message either side accepts, octets: a batch of thousands of routes fits many times.
pub const MAX_MESSAGE: usize = 64 << 20;

/// Binds a Unix socket, in place of one that a dead process left behind, and gives it `mode` and group.
///
/// A socket that somebody still answers on is an error: two daemons must not serve one name.
pub fn serve_unix(path: &Path, mode: u32, group: Option<u32>) -> io::Result<UnixListenerStream> {
    Ok(UnixListenerStream::new(bind_unix(path, mode, group)?))
}

/// As [`serve_unix`], as the bare listener.
pub fn bind_unix(path: &Path, mode: u32, group: Option<u32>) -> io::Result<UnixListener> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                format!("{} is not a socket", path.display()),
            ));
        }
        Ok(_) if std::os::unix::net::UnixStream::connect(path).is_ok() => {
            return Err(io::Error::new(
                io::ErrorKind::AddrInUse,
                format!("{} is served by another process", path.display()),
            ));
        }
        Ok(_) => std::fs::remove_file(path)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
    if group.is_some() {
        std::os::unix::fs::chown(path, None, group)?;
    }
    Ok(listener)
}

/// Connects to a Unix socket. An error means that nobody serves it now; trying again is the caller's.
pub async fn connect_unix(path: impl Into<PathBuf>) -> Result<Channel, tonic::transport::Error> {
    let path: PathBuf = path.into();
    // The address is never resolved; it only has to be one.
    Endpoint::from_static("http://localhost")
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20)
        .connect_with_connector(service_fn(move |_: Uri| {
            let path = path.clone();
            async move { UnixStream::connect(path).await.map(TokioIo::new) }
        }))
        .await
}
