//! Network namespaces by their files, as `ip netns` makes them.
//!
//! A thread is in one network namespace, and what it opens belongs to that one for good. So whoever wants a socket of another
//! namespace has it opened in a thread that enters it.

use std::fs::File;
use std::io;
use std::path::Path;

use nix::sched::{CloneFlags, setns};

/// Brings the calling thread into a namespace. It needs CAP_SYS_ADMIN.
pub fn enter(path: &Path) -> io::Result<()> {
    setns(File::open(path)?, CloneFlags::CLONE_NEWNET).map_err(io::Error::from)
}

/// Does something short within a namespace; the caller stays where it is.
pub fn within<T: Send>(path: &Path, work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            enter(path)?;
            work()
        });
        thread.join().map_err(|_| io::Error::other("the work within the namespace failed"))?
    })
}
