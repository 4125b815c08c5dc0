//! The speed of a link, in megabits per second: netlink does not tell it, the driver does when it is asked (`ETHTOOL_GSET`).

use std::os::fd::OwnedFd;

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

/// Asks drivers, in the namespace of the thread that made it.
#[derive(Debug)]
pub struct Speeds(Option<OwnedFd>);

impl Speeds {
    pub fn open() -> Self {
        Self(socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None).ok())
    }

    /// Zero where the driver has no speed to tell.
    pub fn of(&self, name: &str) -> u32 {
        self.0.as_ref().and_then(|fd| driver::speed(fd, name)).unwrap_or(0)
    }
}

#[allow(unsafe_code, reason = "the request is made of C's structures, and nix has no function for it")]
mod driver {
    use std::os::fd::{AsRawFd as _, OwnedFd};

    use nix::libc;

    const SIOCETHTOOL: libc::Ioctl = 0x8946;
    const ETHTOOL_GSET: u32 = 1;

    /// `struct ethtool_cmd`.
    #[repr(C)]
    #[derive(Default)]
    struct Command {
        command: u32,
        supported: u32,
        advertising: u32,
        speed: u16,
        octets: [u8; 6],
        packets: [u32; 2],
        speed_high: u16,
        crossover: [u8; 2],
        rest: [u32; 3],
    }

    /// `struct ifreq`, as far as it is read here; the kernel copies the whole of it.
    #[repr(C)]
    struct Request {
        name: [libc::c_char; libc::IFNAMSIZ],
        command: *mut Command,
        rest: [u8; 24],
    }

    pub fn speed(fd: &OwnedFd, name: &str) -> Option<u32> {
        let mut command = Command { command: ETHTOOL_GSET, ..Command::default() };
        let mut request = Request { name: [0; libc::IFNAMSIZ], command: &raw mut command, rest: [0; 24] };
        // The last octet stays zero.
        for (to, from) in request.name.iter_mut().take(libc::IFNAMSIZ - 1).zip(name.bytes()) {
            *to = from.cast_signed();
        }
        // SAFETY: the kernel reads and writes `request`, which is at least as large as its own, and `command` behind its
        // pointer; both outlive the call.
        let result = unsafe { libc::ioctl(fd.as_raw_fd(), SIOCETHTOOL, &raw mut request) };
        (result == 0).then_some(u32::from(command.speed_high) << 16 | u32::from(command.speed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_speed_has_none() {
        let speeds = Speeds::open();
        assert_eq!(speeds.of("lo"), 0);
        assert_eq!(speeds.of("a name that is longer than any link may have"), 0);
    }
}
