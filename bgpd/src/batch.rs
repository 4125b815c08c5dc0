//! How the kernel shares cores between the threads of the routing table and all others of this program: a thread of the
//! table never pushes another one aside when it wakes, and may be pushed aside itself, so that a KEEPALIVE does not wait
//! for the slice of a table's load to end. No share of the processor is given up, and no privilege is needed.

use std::time::Duration;

/// How long a thread of the table may go on once it runs, where the kernel lets a thread choose (Linux 6.12): longer than
/// everybody's default, so that those with less to do come first; less moving from thread to thread, too.
const SLICE: Duration = Duration::from_millis(10);

/// Of the calling thread, for as long as it lives. A kernel that refuses leaves things as they were.
pub fn begin() {
    if let Err(error) = raw::set_batch(SLICE) {
        tracing::debug!(%error, "the threads of the table are scheduled like all others");
    }
}

#[allow(unsafe_code, reason = "the system call of `sched_setattr` has no safe wrapper")]
mod raw {
    use std::io;
    use std::time::Duration;

    /// `struct sched_attr` of `linux/sched/types.h` in its first form (`SCHED_ATTR_SIZE_VER0`).
    #[repr(C)]
    struct SchedAttr {
        size: u32,
        policy: u32,
        flags: u64,
        nice: i32,
        priority: u32,
        runtime: u64,
        deadline: u64,
        period: u64,
    }

    pub fn set_batch(slice: Duration) -> io::Result<()> {
        let attr = SchedAttr {
            size: size_of::<SchedAttr>() as u32,
            policy: libc::SCHED_BATCH as u32,
            flags: 0,
            nice: nice_of_this_thread()?,
            priority: 0,
            runtime: slice.as_nanos() as u64,
            deadline: 0,
            period: 0,
        };
        // SAFETY: the kernel reads `size` octets of the structure during the call and keeps no reference to it; process
        // 0 is the calling thread.
        let result = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attr, 0) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// What the operator chose for the program is kept.
    fn nice_of_this_thread() -> io::Result<i32> {
        // SAFETY: no memory is handed over. The C library's answer may well be -1, so the error is told by `errno` alone.
        let (nice, error) = unsafe {
            *libc::__errno_location() = 0;
            (libc::getpriority(libc::PRIO_PROCESS, 0), *libc::__errno_location())
        };
        if nice == -1 && error != 0 { Err(io::Error::from_raw_os_error(error)) } else { Ok(nice) }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_thread_of_its_own_becomes_a_batch() {
            let policy = std::thread::spawn(|| {
                set_batch(Duration::from_millis(10)).unwrap();
                // SAFETY: no memory is handed over.
                unsafe { libc::sched_getscheduler(0) }
            });
            assert_eq!(policy.join().unwrap(), libc::SCHED_BATCH);
            // SAFETY: as above.
            assert_eq!(unsafe { libc::sched_getscheduler(0) }, libc::SCHED_OTHER);
        }
    }
}
