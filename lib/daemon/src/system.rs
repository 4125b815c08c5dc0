//! Facts about the machine and this process that shows print.

use std::fmt::Write as _;

/// Host name and kernel release.
pub fn host() -> (String, String) {
    match nix::sys::utsname::uname() {
        Ok(names) => {
            (names.nodename().to_string_lossy().into_owned(), names.release().to_string_lossy().into_owned())
        }
        Err(_) => ("localhost".to_owned(), "unknown".to_owned()),
    }
}

/// `show memory` of this process.
pub fn memory(name: &str) -> String {
    let mut text = format!("Memory statistics for {name}:\n");
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let known = [("VmRSS:", "Resident now"), ("VmHWM:", "Resident at most"), ("VmSize:", "Address space")];
    for (key, label) in known {
        if let Some(value) = status.lines().find_map(|line| line.strip_prefix(key)) {
            let _ = writeln!(text, "  {label}: {}", value.trim());
        }
    }
    text.push('\n');
    text
}

/// Raises the limit of open files as far as it goes, or to what was asked for.
pub fn raise_file_limit(wanted: Option<u64>) -> nix::Result<()> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let limit = wanted.unwrap_or(hard);
    setrlimit(Resource::RLIMIT_NOFILE, limit, hard.max(limit))
}
