//! The file that holds the count of boots for extended sequence numbers (RFC 7474 §2). It is among the state that outlives the
//! machine's boot, and written only where an interface asks for such numbers.

use std::io::ErrorKind;
use std::path::Path;

/// What cannot be read says nothing: the count goes on from the clock.
pub fn read(path: &Path) -> Option<u32> {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let count = text.trim().parse().ok();
            if count.is_none() {
                tracing::warn!("{}: not a count of boots, it goes on from the clock", path.display());
            }
            count
        }
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => {
            tracing::warn!("{}: {error}", path.display());
            None
        }
    }
}

/// Written beside, to the disk, and moved into place, before the first packet with the count goes out.
pub fn write(path: &Path, count: u32) {
    let beside = path.with_extension("boots.new");
    let put = || {
        let mut file = std::fs::File::create(&beside)?;
        std::io::Write::write_all(&mut file, format!("{count}\n").as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    if let Err(error) = put() {
        tracing::warn!("{}: {error}; the count of boots is the clock's", path.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nonsense_says_nothing() {
        let folder = std::env::temp_dir().join(format!("ospfd-boots-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("ospfd.boots");
        assert_eq!(read(&path), None);
        write(&path, 1_700_000_000);
        assert_eq!(read(&path), Some(1_700_000_000));
        write(&path, u32::MAX);
        assert_eq!(read(&path), Some(u32::MAX));
        for damaged in [&b"-3\n"[..], b"", b"17 boots", b"4294967296", b"\xff\xff"] {
            std::fs::write(&path, damaged).unwrap();
            assert_eq!(read(&path), None);
        }
        std::fs::remove_dir_all(&folder).unwrap();
        // A folder that is not there is said in the log, and nothing else happens.
        write(&path, 3);
    }
}
