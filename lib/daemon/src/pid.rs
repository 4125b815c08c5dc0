//! The pid file, locked for as long as the daemon runs.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};

#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
    _lock: Flock<File>,
}

impl PidFile {
    /// Writes our pid. A file that another process holds is an error: the daemon runs already.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o644)
            .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC)
            .open(path)?;
        let mut lock = Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| {
            let running = std::fs::read_to_string(path).unwrap_or_default();
            io::Error::new(
                io::Error::from(errno).kind(),
                format!("another process is running, pid {}", running.trim()),
            )
        })?;
        // Scripts that are not root read it, whatever the mask for new files.
        lock.set_permissions(std::fs::Permissions::from_mode(0o644))?;
        lock.set_len(0)?;
        writeln!(lock, "{}", std::process::id())?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    pub fn remove(&self) {
        // The next start takes over a file that is left.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_daemon_is_refused_and_a_stale_file_is_taken_over() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.pid");
        std::fs::write(&path, "1234567890\n").unwrap();
        let file = PidFile::create(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
        assert!(PidFile::create(&path).unwrap_err().to_string().contains(&std::process::id().to_string()));
        file.remove();
        assert!(!path.exists());
    }
}
