//! The real tables of the data folder, which is beside the repository where it is present at all.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};

/// `$FERRITE_DATA`, else `../shared/data` beside the workspace; `None` where neither exists.
pub fn folder() -> Option<PathBuf> {
    let named = std::env::var_os("FERRITE_DATA").map(PathBuf::from);
    let dir = named.unwrap_or_else(|| crate::workspace().join("../shared/data"));
    dir.is_dir().then_some(dir)
}

/// A file of the data folder.
pub fn file(path: &str) -> Option<PathBuf> {
    folder().map(|f| f.join(path)).filter(|p| p.is_file())
}

/// A whole file, unpacked if its first bytes say gzip or bzip2.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let raw = std::fs::read(path).map_err(|e| Failure::new(format!("{}: {e}", path.display())))?;
    let mut out = Vec::new();
    match raw.get(..3) {
        Some([0x1f, 0x8b, _]) => flate2::read::MultiGzDecoder::new(raw.as_slice()).read_to_end(&mut out)?,
        Some(b"BZh") => bzip2::read::MultiBzDecoder::new(raw.as_slice()).read_to_end(&mut out)?,
        _ => return Ok(raw),
    };
    Ok(out)
}
