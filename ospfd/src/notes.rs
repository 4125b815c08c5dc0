//! The file in which a program leaves word for the one that comes after it: which processes restart gracefully, and until when
//! their neighbours wait. It is in the run directory: after the machine itself restarted, nobody waits any more.

use std::io::ErrorKind;
use std::path::Path;

use ferrite_ospf_control::RestartNote;

/// What cannot be read says nothing.
pub fn read(path: &Path) -> Vec<RestartNote> {
    match std::fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).unwrap_or_else(|error| {
            tracing::warn!("{}: {error}", path.display());
            Vec::new()
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            tracing::warn!("{}: {error}", path.display());
            Vec::new()
        }
    }
}

/// Written beside and moved into place, so that a crash leaves the old word or the new one.
pub fn write(path: &Path, notes: &[RestartNote]) {
    let written = if notes.is_empty() {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    } else {
        let beside = path.with_extension("restart.new");
        serde_json::to_vec(notes)
            .map_err(std::io::Error::other)
            .and_then(|text| std::fs::write(&beside, text))
            .and_then(|()| std::fs::rename(&beside, path))
    };
    if let Err(error) = written {
        tracing::warn!("{}: {error}", path.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nonsense_says_nothing() {
        let folder = std::env::temp_dir().join(format!("ospfd-notes-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("ospfd.restart");
        let note = RestartNote {
            version: 2,
            ipv4: false,
            instance: 0,
            vrf: Some("RED".into()),
            until: Some(5),
            period: 60,
        };
        write(&path, std::slice::from_ref(&note));
        assert_eq!(read(&path), [note]);
        write(&path, &[]);
        assert!(read(&path).is_empty() && !path.exists());
        std::fs::write(&path, "[{").unwrap();
        assert!(read(&path).is_empty());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
