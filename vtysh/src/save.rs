//! `write`: the running configuration into files, each replaced as a whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use ferrite_cli::{Item, lines};

use crate::pager::Sink;
use crate::session::{Ended, Session};

pub fn write(session: &mut Session, integrated: bool, sink: &mut Sink) -> Ended {
    let mut say = |text: String| {
        // If nobody reads the output there is nobody to tell.
        let _ = sink.write(text.as_bytes());
    };
    say("Note: this version of vtysh never writes vtysh.conf\nBuilding Configuration...\n".to_owned());
    let frr_conf = session.etc.join("frr.conf");
    let running = match session.running(None) {
        Ok(items) => items,
        Err(reason) => {
            say(format!("{reason}\n"));
            return Ended::Failed;
        }
    };
    // As FRR: the integrated file if it is asked for, or if it is there and nobody said otherwise.
    let says = |line: &str| running.iter().any(|item| item.text == line);
    let configured =
        match (says("service integrated-vtysh-config"), says("no service integrated-vtysh-config")) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => session.integrated,
        };
    if integrated || configured.unwrap_or_else(|| frr_conf.exists()) {
        return match save(&frr_conf, &running) {
            Ok(()) => {
                say(format!("Integrated configuration saved to {}\n[OK]\n", frr_conf.display()));
                Ended::Ok
            }
            Err(reason) => {
                say(format!("{reason}\n"));
                Ended::Failed
            }
        };
    }
    let names: Vec<String> = session.daemons.list.iter().map(|daemon| daemon.name.clone()).collect();
    for name in names {
        let file = session.etc.join(format!("{name}.conf"));
        match session.running(Some(&name)).and_then(|items| save(&file, &items)) {
            Ok(()) => say(format!("Configuration saved to {}\n", file.display())),
            Err(reason) => {
                say(format!("{reason}\n"));
                return Ended::Failed;
            }
        }
    }
    say("[OK]\n".to_owned());
    Ended::Ok
}

fn save(file: &Path, items: &[Item]) -> Result<(), String> {
    let text = lines::print_running(items);
    let text = text.strip_suffix("end\n").unwrap_or(&text);
    replace(file, text.as_bytes())
        .map_err(|error| format!("% Can't save configuration file {}: {error}", file.display()))
}

/// Puts a new file in place of the old one, which stays beside it as `.sav`: written aside, flushed to disk, renamed.
/// Mode and owner are the old one's.
fn replace(file: &Path, text: &[u8]) -> io::Result<()> {
    let beside = |suffix: &str| {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let (fresh, saved) = (beside(&format!(".{}.tmp", std::process::id())), beside(".sav"));
    let old = fs::metadata(file).ok();
    let written = (|| {
        let mut out = OpenOptions::new().write(true).create_new(true).mode(0o640).open(&fresh)?;
        out.write_all(text)?;
        if let Some(old) = &old {
            out.set_permissions(fs::Permissions::from_mode(old.mode() & 0o777))?;
            if nix::unistd::Uid::effective().is_root() {
                std::os::unix::fs::chown(&fresh, Some(old.uid()), Some(old.gid()))?;
            }
        }
        out.sync_all()?;
        if old.is_some() {
            // The old name must never be without a file: a second name for the old one, then the rename over it.
            match fs::remove_file(&saved) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => fs::hard_link(file, &saved).or_else(|_| fs::copy(file, &saved).map(|_| ()))?,
            }
        }
        fs::rename(&fresh, file)?;
        match file.parent() {
            Some(directory) if directory != Path::new("") => File::open(directory)?.sync_all(),
            _ => Ok(()),
        }
    })();
    if written.is_err() {
        // It may not have been made at all.
        let _ = fs::remove_file(&fresh);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_file_is_kept_beside_the_new_one_with_its_mode() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("frr.conf");
        replace(&file, b"one").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        replace(&file, b"two").unwrap();
        replace(&file, b"three").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"three");
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read(directory.path().join("frr.conf.sav")).unwrap(), b"two");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_directory_that_cannot_be_written_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        assert!(replace(&directory.path().join("none/frr.conf"), b"x").is_err());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
