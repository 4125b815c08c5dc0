//! bgpd's text socket: a command and a NUL go out; text comes back, then three NULs and an octet of status.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How bgpd is asked.
#[derive(Clone, Debug)]
pub struct Bgpd {
    /// `bgpd.vty`.
    pub socket: PathBuf,
    /// For one answer, from the question to its last octet.
    pub patience: Duration,
    /// Octets of one answer.
    pub limit: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error("bgpd does not answer: {0}")]
    Io(#[from] io::Error),
    #[error("bgpd's answer is not what was expected: {0}")]
    Answer(#[from] serde_json::Error),
    #[error("bgpd says: {0}")]
    Refused(String),
    #[error("bgpd's answer is larger than this looking glass takes")]
    TooLarge,
}

impl Bgpd {
    /// Sends a command; what is returned reads the answer as it comes.
    pub fn ask(&self, command: &str) -> Result<Answer, AskError> {
        let mut stream = UnixStream::connect(&self.socket)?;
        let deadline = Instant::now() + self.patience;
        stream.set_write_timeout(Some(self.patience))?;
        stream.write_all(command.as_bytes())?;
        stream.write_all(&[0])?;
        Ok(Answer {
            stream,
            deadline,
            left: self.limit,
            buffer: vec![0; 64 << 10],
            filled: 0,
            read: 0,
            end: End::Open,
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    Open,
    /// The NULs have begun.
    Over,
}

/// The text of an answer.
#[derive(Debug)]
pub struct Answer {
    stream: UnixStream,
    deadline: Instant,
    left: u64,
    buffer: Vec<u8>,
    filled: usize,
    read: usize,
    end: End,
}

impl Answer {
    fn fill(&mut self) -> io::Result<()> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the answer takes too long"));
        }
        self.stream.set_read_timeout(Some(left))?;
        self.filled = self.stream.read(&mut self.buffer)?;
        self.read = 0;
        if self.filled == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the answer ends early"));
        }
        Ok(())
    }
}

impl Read for Answer {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.end == End::Over || out.is_empty() {
            return Ok(0);
        }
        if self.read >= self.filled {
            self.fill()?;
        }
        let ready = self.buffer.get(self.read..self.filled).unwrap_or_default();
        let ready = ready.get(..ready.len().min(out.len())).unwrap_or_default();
        let text = match ready.iter().position(|octet| *octet == 0) {
            Some(end) => {
                self.end = End::Over;
                ready.get(..end).unwrap_or_default()
            }
            None => ready,
        };
        let count = text.len();
        if let Some(out) = out.get_mut(..count) {
            out.copy_from_slice(text);
        }
        self.read += count;
        self.left = self
            .left
            .checked_sub(count as u64)
            .ok_or_else(|| io::Error::new(io::ErrorKind::FileTooLarge, "the answer is too large"))?;
        Ok(count)
    }
}

/// An error of reading an answer as JSON; one of the socket beneath is named as such.
pub fn read_error(error: serde_json::Error) -> AskError {
    if error.io_error_kind() == Some(io::ErrorKind::FileTooLarge) {
        AskError::TooLarge
    } else if error.is_io() {
        AskError::Io(error.into())
    } else {
        AskError::Answer(error)
    }
}
