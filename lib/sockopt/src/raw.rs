//! `setsockopt` and `getsockopt` over octets: the only unsafe code of the crate.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// Hands an option to the kernel.
#[allow(unsafe_code)]
pub fn set(socket: impl AsFd, level: libc::c_int, name: libc::c_int, value: &[u8]) -> io::Result<()> {
    // SAFETY: the kernel reads at most as many octets as are said to be there, and keeps no reference to them.
    let result = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            level,
            name,
            value.as_ptr().cast(),
            value.len() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Has the kernel fill an option in; gives the number of octets that it wrote.
#[allow(unsafe_code)]
pub fn get(socket: impl AsFd, level: libc::c_int, name: libc::c_int, value: &mut [u8]) -> io::Result<usize> {
    let mut len = value.len() as libc::socklen_t;
    // SAFETY: the kernel writes at most `len` octets into a slice of that length.
    let result = unsafe {
        libc::getsockopt(socket.as_fd().as_raw_fd(), level, name, value.as_mut_ptr().cast(), &raw mut len)
    };
    if result == 0 { Ok((len as usize).min(value.len())) } else { Err(io::Error::last_os_error()) }
}
