//! The kernel's switches for MPLS, of the network namespace that we are in.

use std::io;

use zebra_core::MplsChange;

const LABELS: &str = "/proc/sys/net/mpls/platform_labels";

/// The number of labels that the kernel has room for; `None` where it has no MPLS.
pub fn platform_labels() -> Option<u32> {
    std::fs::read_to_string(LABELS).ok()?.trim().parse().ok()
}

pub fn change(change: &MplsChange) -> io::Result<()> {
    match change {
        MplsChange::PlatformLabels(count) => std::fs::write(LABELS, format!("{count}\n")),
        MplsChange::Input { name, on } => match input(name) {
            Some(path) => std::fs::write(path, if *on { "1\n" } else { "0\n" }),
            None => Err(io::ErrorKind::InvalidInput.into()),
        },
    }
}

/// A name of a link is no path: the kernel allows neither `/` nor `.` and `..`, and neither do we.
fn input(name: &str) -> Option<String> {
    let plain = !name.is_empty() && name != "." && name != ".." && !name.contains('/');
    plain.then(|| format!("/proc/sys/net/mpls/conf/{name}/input"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_does_not_leave_its_folder() {
        assert_eq!(super::input("eth0.5").as_deref(), Some("/proc/sys/net/mpls/conf/eth0.5/input"));
        for name in ["", ".", "..", "../x", "a/b"] {
            assert_eq!(super::input(name), None);
        }
    }
}
