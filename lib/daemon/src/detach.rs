//! Leaving the terminal: the program forks twice; the process that was started waits until the daemon serves and hands on
//! its result. Happens before any thread exists.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};

use nix::sys::stat::Mode;
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, dup2_stderr, dup2_stdin, dup2_stdout, pipe, setsid};

/// The daemon's side of the pipe to the process that was started.
#[derive(Debug)]
pub struct Waiting(std::fs::File);

/// Forks. Comes back in the daemon only; the process that was started ends here with the daemon's result.
pub fn detach() -> io::Result<Waiting> {
    let (theirs, ours) = pipe()?;
    if let ForkResult::Parent { child } = fork()? {
        drop(ours);
        // The first child ends at once.
        let _ = waitpid(child, None);
        std::process::exit(wait_for(theirs));
    }
    drop(theirs);
    setsid()?;
    if let ForkResult::Parent { .. } = fork()? {
        std::process::exit(0);
    }
    Ok(Waiting(ours.into()))
}

/// Reads until the daemon says that it serves (a zero octet), or what went wrong.
fn wait_for(pipe: OwnedFd) -> i32 {
    let mut said = Vec::new();
    let read = std::fs::File::from(pipe).read_to_end(&mut said);
    match (read, said.split_first()) {
        (Ok(_), Some((0, []))) => 0,
        (Ok(_), Some((&status, reason))) if status != 0 => {
            eprintln!("{}", String::from_utf8_lossy(reason));
            i32::from(status)
        }
        _ => {
            eprintln!("the daemon ended while it started");
            1
        }
    }
}

impl Waiting {
    /// The daemon serves: lets the waiting process go and closes the terminal.
    pub fn serves(mut self) -> io::Result<()> {
        let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null")?;
        dup2_stdin(null.as_fd())?;
        dup2_stdout(null.as_fd())?;
        dup2_stderr(null.as_fd())?;
        self.0.write_all(&[0])
    }

    /// The daemon does not start.
    pub fn failed(mut self, status: u8, reason: &str) -> io::Result<()> {
        self.0.write_all(&[status.max(1)])?;
        self.0.write_all(reason.as_bytes())
    }
}

/// Files that the daemon makes are not for others.
pub fn restrict_new_files() {
    nix::sys::stat::umask(Mode::from_bits_truncate(0o027));
}

#[allow(unsafe_code)]
fn fork() -> nix::Result<ForkResult> {
    // SAFETY: called before any thread is started, so the child may do anything its parent may.
    unsafe { nix::unistd::fork() }
}
