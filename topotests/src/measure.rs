//! What a router's daemons cost: CPU time and peak memory, read from /proc.

use std::time::{Duration, Instant};

use crate::failure::{Failure, Result};
use crate::router::{Kind, Router};

#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    pub cpu: Duration,
    /// octets, `VmHWM`
    pub peak: u64,
}

/// The daemons of a router that leave a pid file, which are all that take part in measurements.
const PID_FILES: &str = "cat /run/frr/*.pid /run/bird/bird.pid 2>/dev/null; :";

/// `USER_HZ`, the unit of /proc/PID/stat, which is 100 on every Linux that matters.
const TICKS_PER_SECOND: u64 = 100;

impl Router {
    /// Sum over all daemons of this router.
    pub fn cost(&self) -> Result<Cost> {
        let mut sum = Cost::default();
        for pid in self.run("sh", &["-c", PID_FILES])?.split_whitespace() {
            let text = self.run("cat", &[&format!("/proc/{pid}/stat"), &format!("/proc/{pid}/status")])?;
            let cost = read(&text).ok_or_else(|| Failure::new(format!("process {pid}: {text}")))?;
            sum.cpu += cost.cpu;
            sum.peak += cost.peak;
        }
        crate::ensure!(sum.peak > 0 || self.kind() == Kind::Host, "{} runs no daemon", self.name());
        Ok(sum)
    }

    /// Waits until the daemons rest: less than a fiftieth of a core for a second. Returns what they cost until then.
    pub fn cost_at_rest(&self, patience: Duration) -> Result<Cost> {
        let start = Instant::now();
        let mut before = self.cost()?;
        loop {
            std::thread::sleep(Duration::from_secs(1));
            let now = self.cost()?;
            if now.cpu.saturating_sub(before.cpu) <= Duration::from_millis(20) || start.elapsed() > patience {
                return Ok(now);
            }
            before = now;
        }
    }

    /// Number of prefixes in the IPv4 main table, without printing them all where the kernel counts itself.
    pub fn kernel_size(&self) -> Result<usize> {
        let stat = self.run("sh", &["-c", "cat /proc/net/fib_triestat 2>/dev/null || :"])?;
        let main = stat.split("Main:").nth(1).unwrap_or_default();
        let counted =
            main.lines().find_map(|l| l.trim().strip_prefix("Prefixes:")).and_then(|n| n.trim().parse().ok());
        match counted {
            Some(count) => Ok(count),
            None => Ok(self.ip("-4 route show table main")?.lines().count()),
        }
    }
}

fn read(text: &str) -> Option<Cost> {
    let (stat, status) = text.split_once('\n')?;
    // The name stands in parentheses and may hold anything; fields are counted behind it.
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?.trim().strip_suffix(" kB")?;
    Some(Cost {
        cpu: Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND),
        peak: peak.parse::<u64>().ok()? * 1024,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_and_peak_are_read_even_with_a_strange_name() {
        let stat = "7 (a) b (c) S 1 1 1 0 -1 0 0 0 0 0 150 50 0 0 20 0 1 0 1 1 1";
        let cost = read(&format!("{stat}\nName: x\nVmHWM:\t    2048 kB\n")).unwrap();
        assert_eq!((cost.cpu, cost.peak), (Duration::from_secs(2), 2048 * 1024));
    }
}
