//! FRR's text protocol between a shell and a daemon: a command and a NUL, answered by text, three NULs and a status.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::failure::{Failure, Result};
use crate::router::{Kind, Router};
use crate::sandbox::text;

const PATIENCE: Duration = Duration::from_secs(20);

/// Makes the router's run directory one that the test itself can enter; before its daemons start.
pub fn open_run_directory(router: &Router) -> Result<File> {
    let dir = router.dir().join("run");
    std::fs::create_dir_all(&dir)?;
    let owner = if router.kind() == Kind::Frr { " && chown frr:frr /run/t/run" } else { "" };
    router.run("sh", &["-c", &format!("rmdir /run/frr && ln -s /run/t/run /run/frr{owner}")])?;
    Ok(File::open(dir)?)
}

/// A conversation with one daemon.
#[derive(Debug)]
pub struct TextVty {
    stream: UnixStream,
}

impl TextVty {
    /// The path goes below `/proc/self/fd`: those of test folders are longer than a socket's may be.
    pub fn connect(run: &File, daemon: &str) -> Result<TextVty> {
        let path = format!("/proc/self/fd/{}/{daemon}.vty", run.as_raw_fd());
        let stream = UnixStream::connect(path).map_err(|e| Failure::new(format!("{daemon}.vty: {e}")))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(TextVty { stream })
    }

    /// What a command printed, and its status.
    pub fn ask(&mut self, command: &str) -> Result<(String, u8)> {
        self.stream.write_all(&[command.as_bytes(), &[0]].concat())?;
        let mut answer = Vec::new();
        let mut piece = vec![0; 64 << 10];
        loop {
            let read = self.stream.read(&mut piece);
            let read = read.map_err(|e| Failure::new(format!("{command}: {e} after {:?}", text(&answer))))?;
            crate::ensure!(read > 0, "{command}: the daemon hung up after {:?}", text(&answer));
            answer.extend_from_slice(piece.get(..read).unwrap_or_default());
            // Texts hold no NUL, so three of them and an octet at the end are the end.
            if let [said @ .., 0, 0, 0, status] = answer.as_slice() {
                return Ok((text(said), *status));
            }
        }
    }

    /// From wherever it is to a place in the configuration; lines that are not taken are passed over.
    pub fn go(&mut self, way: &[&str]) -> Result<()> {
        self.ask("end")?;
        self.ask("enable")?;
        for line in way {
            let (answer, status) = self.ask(line)?;
            crate::ensure!(status == 0, "{line}: {answer}");
        }
        Ok(())
    }
}
