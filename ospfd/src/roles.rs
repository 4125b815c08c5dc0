//! Which versions a program serves. Two programs of one path space share the versions out by locks in the run directory, so
//! that init scripts made for FRR may start both names: who comes second serves what is left, and may have nothing to do.

use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use ferrite_daemon::Paths;
use ferrite_ospf_control::Roles;
use nix::fcntl::{Flock, FlockArg};

/// Roles, held as long as this lives.
#[derive(Debug)]
pub struct Held {
    pub roles: Roles,
    _locks: Vec<Flock<File>>,
}

/// The value of an option among the arguments, in any of its spellings.
pub fn value<'a>(arguments: &'a [String], short: &str, long: &str) -> Option<&'a str> {
    let (short, long) = (format!("-{short}"), format!("--{long}"));
    let mut rest = arguments.iter().skip(1);
    let mut found = None;
    while let Some(argument) = rest.next() {
        if *argument == short || *argument == long {
            found = rest.next().map(String::as_str);
        } else if let Some(value) = argument.strip_prefix(&format!("{long}=")) {
            found = Some(value);
        } else if let Some(value) = argument.strip_prefix(&short).filter(|_| !argument.starts_with("--")) {
            found = Some(value);
        }
    }
    found
}

impl Held {
    /// Takes what is free. A program that only looks at a file or prints its version takes nothing from anybody.
    pub fn take(arguments: &[String], is_ospf6d: bool) -> Self {
        let looking = ["-C", "--dryrun", "-h", "--help", "-v", "--version", "--check"];
        let wanted = Roles { v2: !is_ospf6d, v3: true };
        if arguments.iter().any(|argument| looking.contains(&argument.as_str())) {
            return Self { roles: wanted, _locks: Vec::new() };
        }
        let run = Paths::new(value(arguments, "N", "pathspace")).run;
        let mut locks = Vec::new();
        let mut take = |name: &str| match lock(&run, name) {
            Ok(lock) => {
                let taken = lock.is_some();
                locks.extend(lock);
                taken
            }
            // Who cannot share serves.
            Err(error) => {
                eprintln!("{}: {error}", run.join(name).display());
                true
            }
        };
        let roles = Roles { v2: wanted.v2 && take("ospf.role"), v3: take("ospf6.role") };
        Self { roles, _locks: locks }
    }
}

/// None where another program has it.
fn lock(run: &Path, name: &str) -> std::io::Result<Option<Flock<File>>> {
    DirBuilder::new().recursive(true).mode(0o755).create(run)?;
    let file =
        OpenOptions::new().create(true).write(true).truncate(false).mode(0o640).open(run.join(name))?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(Some(lock)),
        Err((_, nix::errno::Errno::EWOULDBLOCK)) => Ok(None),
        Err((_, error)) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn options_are_found_however_they_are_written() {
        for (line, wanted) in [
            ("ospfd -N x -d", Some("x")),
            ("ospfd -Nx", Some("x")),
            ("ospfd --pathspace=x", Some("x")),
            ("ospfd --pathspace x", Some("x")),
            ("ospfd -d -n 5", None),
        ] {
            let arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert_eq!(value(&arguments, "N", "pathspace"), wanted, "{line}");
        }
    }
}
