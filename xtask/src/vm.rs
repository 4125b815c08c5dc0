//! The virtual-machine tier: tests whose kernel needs the host does not meet run in one QEMU machine with Debian's kernel.
//!
//! A test that lacks VRF devices or MPLS on the host leaves a line in the file of `FERRITE_VM_LOG`: its program, its
//! name, what is missing, the Debian root it wants. Here the machine is made (kernel unpacked from a Debian package, virtme-ng in
//! a Python environment of its own, both in the cache), booted once over the host's files, and runs them one by one.

use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::build::{succeeds, target_dir};
use crate::suites::Tally;

/// The suite that the reference daemons are of as well.
const SUITE: &str = "trixie";
const KERNEL: &str = "linux-image-amd64";
const VIRTME: &str = "virtme-ng>=1.36,<2";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// Emulated processors are slow: conditions may take this many times longer.
const PATIENCE: &str = "4";
/// Seconds that one test may take, and the machine with all of them.
const TEST_LIMIT: u32 = 600;
const LIMIT: &str = "900";
const MODULES: &str = "vrf mpls_router mpls_iptunnel dummy 8021q sch_netem";

/// A test that waits for the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deferred {
    program: String,
    test: String,
    /// What the host's kernel lacks.
    reason: String,
    /// The Debian root of the reference daemons; empty where the test wants none.
    root: String,
}

impl Deferred {
    /// A line of the file that tests write.
    pub fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split('\t').map(str::to_owned);
        let (program, test) = (fields.next()?, fields.next()?);
        Some(Self { program, test, reason: fields.next()?, root: fields.next().unwrap_or_default() })
    }

    /// `routing::a_test`, as the runner on the host names it.
    fn name(&self) -> String {
        let program = self.program.rsplit('/').next().unwrap_or_default();
        let program = program.rsplit_once('-').map_or(program, |(name, _)| name);
        format!("{program}::{}", self.test)
    }
}

/// Boots the machine and runs the tests in it; each is counted and named with where it ran.
pub fn run(tests: &[Deferred], bin: &Path) -> Result<Tally, String> {
    let mut tally = Tally::default();
    if tests.is_empty() {
        println!("no test needs it");
        return Ok(tally);
    }
    let cache = cache_dir()?;
    std::fs::create_dir_all(&cache).map_err(|e| format!("{}: {e}", cache.display()))?;
    let kernel = kernel(&cache)?;
    let vng = virtme(&cache)?;
    let dir = target_dir().join("vm");
    let _ = std::fs::remove_dir_all(&dir); // of the last run
    std::fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    archive_roots(tests, &dir)?;
    let script = dir.join("prepare.sh");
    std::fs::write(&script, prepare_script(tests, bin, &dir)).map_err(|e| e.to_string())?;
    std::fs::write(dir.join("tests.sh"), tests_script(tests, &dir)).map_err(|e| e.to_string())?;
    println!("booting {} for {} tests", kernel.display(), tests.len());
    boot(&vng, &kernel, &script, &dir)?;
    let results = std::fs::read_to_string(dir.join("results.tsv")).unwrap_or_default();
    if results.is_empty() {
        return Err(format!(
            "the virtual machine ran nothing; its console: {}",
            dir.join("console.log").display()
        ));
    }
    for (number, test) in tests.iter().enumerate() {
        judge(number, test, &results, &dir, &mut tally);
    }
    Ok(tally)
}

fn judge(number: usize, test: &Deferred, results: &str, dir: &Path, tally: &mut Tally) {
    let row = results.lines().find_map(|line| line.strip_prefix(&format!("{number}\t")));
    let name = test.name();
    match row.and_then(|row| row.split_once('\t')) {
        Some(("0", seconds)) => {
            tally.passed += 1;
            println!("  VM PASS {name} ({seconds} s; the host's kernel: {})", test.reason);
        }
        other => {
            let log = dir.join(format!("{number}.log"));
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            let skip = text.lines().count().saturating_sub(60);
            text.lines().skip(skip).for_each(|line| println!("    {line}"));
            let how = match other {
                Some(("124", _)) => format!("over {TEST_LIMIT} s"),
                Some((status, _)) => format!("status {status}"),
                None => "not run".to_owned(),
            };
            tally.count(&format!("{name} in the virtual machine ({how}): {}", log.display()), false);
        }
    }
}

/// One file is read much faster through the machine's file system than thousands.
fn archive_roots(tests: &[Deferred], dir: &Path) -> Result<(), String> {
    for root in tests.iter().map(|test| test.root.as_str()).filter(|root| !root.is_empty()) {
        let archive = archive_of(root, dir);
        if archive.exists() {
            continue;
        }
        let path = Path::new(root);
        let (parent, name) = (path.parent().unwrap_or(path), path.file_name().unwrap_or_default());
        let name = name.to_string_lossy();
        let mut tar = Command::new("tar");
        tar.arg("-C").arg(parent).args(["--one-file-system", "--numeric-owner"]);
        for unused in [
            "proc/*",
            "sys/*",
            "dev/*",
            "boot",
            "var/cache",
            "var/lib/apt",
            "usr/share/locale",
            "usr/share/man",
        ] {
            tar.arg(format!("--exclude={name}/{unused}"));
        }
        tar.arg("-cf").arg(&archive).arg(&*name);
        if !succeeds(&mut tar)? {
            return Err(format!("{root} could not be packed"));
        }
    }
    Ok(())
}

fn archive_of(root: &str, dir: &Path) -> PathBuf {
    dir.join(format!("{}.tar", root.rsplit('/').next().unwrap_or("root")))
}

/// What the machine does first: a root in its memory, of the Debian root and our programs, because every program started from
/// the host's files costs seconds. Namespaces are entered by their root, so it must be one, not a `chroot`.
const PREPARE: &str = r#"set -u
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
for module in $MODULES; do modprobe $module || echo "no module $module"; done
mkdir -p /tmp/vm && mount -t tmpfs -o size=3G,mode=755 vm /tmp/vm || exit 1
cd /tmp/vm && mkdir bin cache out tests
for program in zebra bgpd ospfd vtysh; do cp "$BIN/$program" bin/; done
for test in $TESTS; do cp -n "$test" tests/; done
for archive in "$DIR"/*.tar; do tar -C cache -xpf "$archive"; done
set -- cache/*
cp -al "$1" root
# Ours run as root here, as on the host; the files of the other roots stay as they are.
sed -i '/^frr:/d' root/etc/passwd
echo "prepared after $(cut -d. -f1 /proc/uptime) s"
# A process space too: whoever is first in it collects what tests orphan, which this machine's own first process does not.
exec unshare --mount --pid --fork sh -c '
mount --make-rprivate /
mount --bind /tmp/vm/root /tmp/vm/root && cd /tmp/vm/root && mkdir -p proc sys dev run old tmp/vm ".$DIR"
mount -t proc proc proc; mount --rbind /sys sys; mount --rbind /dev dev; mount -t tmpfs -o mode=755 run run
for part in bin cache out tests; do mkdir -p tmp/vm/$part; mount --bind /tmp/vm/$part tmp/vm/$part; done
mount --bind "$DIR" ".$DIR"
pivot_root . old && cd / && umount -l old
exec sh "$DIR/tests.sh"'
"#;

/// The first script, which ends with the second.
fn prepare_script(tests: &[Deferred], bin: &Path, dir: &Path) -> String {
    let mut programs: Vec<String> = tests.iter().map(|test| quote(&test.program)).collect();
    programs.sort();
    programs.dedup();
    format!(
        "export BIN={} DIR={} MODULES={} TESTS={}\n{PREPARE}",
        quote(&bin.display().to_string()),
        quote(&dir.display().to_string()),
        quote(MODULES),
        quote(&programs.join(" ").replace('\'', "")),
    )
}

/// The second script: the tests, one after the other.
fn tests_script(tests: &[Deferred], dir: &Path) -> String {
    let mut text = format!(
        "export FERRITE_BIN=/tmp/vm/bin FERRITE_CACHE=/tmp/vm/cache FERRITE_OUTPUT=/tmp/vm/out FERRITE_PATIENCE={PATIENCE} FERRITE_VM=1\n"
    );
    let dir = quote(&dir.display().to_string());
    for (number, test) in tests.iter().enumerate() {
        let program = quote(test.program.rsplit('/').next().unwrap_or("test"));
        let name = quote(&test.test);
        let _ = writeln!(
            text,
            "begin=$(date +%s)\n\
             timeout --kill-after=30 {TEST_LIMIT} /tmp/vm/tests/{program} --exact {name} --nocapture >{dir}/{number}.log 2>&1 </dev/null\n\
             status=$?\n\
             [ $status = 0 ] || cp -r /tmp/vm/out {dir}/{number}.out 2>/dev/null\n\
             grep -q '1 passed' {dir}/{number}.log || [ $status != 0 ] || status=no-such-test\n\
             printf '{number}\\t%s\\t%s\\n' $status $(($(date +%s) - begin)) >>{dir}/results.tsv\n\
             echo \"{number}: $status\"; rm -rf /tmp/vm/out/*",
        );
    }
    text
}

fn boot(vng: &Path, kernel: &Path, script: &Path, dir: &Path) -> Result<(), String> {
    let console = File::create(dir.join("console.log")).map_err(|e| e.to_string())?;
    let second = console.try_clone().map_err(|e| e.to_string())?;
    let mut cmd = Command::new("timeout");
    cmd.arg(LIMIT).arg(vng).arg("--run").arg(kernel);
    // Hardware virtualisation is rarely to be had where tests run, and worse when it is half there.
    cmd.args(["--disable-kvm", "--cpus", "2", "--memory", "4G", "--user", "root", "--rw", "--verbose", "--"]);
    cmd.arg(format!("sh {}", quote(&script.display().to_string())));
    // Its tools (depmod, modprobe) are in sbin.
    let path = std::env::var("PATH").unwrap_or_default();
    let own = vng.parent().map(|bin| bin.display().to_string()).unwrap_or_default();
    cmd.env("PATH", format!("{own}:{path}:/usr/sbin:/sbin"));
    cmd.stdin(Stdio::null()).stdout(console).stderr(second);
    // Without a serial device of virtio the machine cannot pass a status on: the results say what was run.
    cmd.status().map_err(|e| format!("vng: {e}"))?;
    Ok(())
}

/// The kernel's image, with its modules beside it as in a root folder.
fn kernel(cache: &Path) -> Result<PathBuf, String> {
    let root = cache.join(format!("vm-{SUITE}"));
    if let Some(image) = image_in(&root) {
        return Ok(image);
    }
    println!("unpacking {KERNEL} of {SUITE} (once)");
    let (tar, temp) = (cache.join("vm.tar.tmp"), cache.join("vm.tmp"));
    let mut build = Command::new("mmdebstrap");
    build.args(["--variant=extract", &format!("--include={KERNEL}"), "--format=tar"]);
    build.arg("--aptopt=Acquire::Retries \"3\"");
    if Path::new(KEYRING).exists() {
        build.arg(format!("--keyring={KEYRING}"));
    }
    build.args([SUITE, "-"]).stdin(Stdio::null()).stdout(File::create(&tar).map_err(|e| e.to_string())?);
    if !succeeds(&mut build)? {
        return Err(format!("{KERNEL} of {SUITE} could not be had"));
    }
    let _ = std::fs::remove_dir_all(&temp);
    std::fs::create_dir_all(&temp).map_err(|e| e.to_string())?;
    let mut unpack = Command::new("tar");
    unpack
        .arg("--no-same-owner")
        .arg("-xf")
        .arg(&tar)
        .arg("-C")
        .arg(&temp)
        .args(["./boot", "./usr/lib/modules"]);
    if !succeeds(&mut unpack)? {
        return Err("the kernel's package could not be unpacked".to_owned());
    }
    let _ = std::fs::remove_file(&tar);
    let _ = std::fs::remove_dir_all(&root); // half a one
    std::fs::rename(&temp, &root).map_err(|e| e.to_string())?;
    image_in(&root).ok_or_else(|| format!("{} has no kernel", root.display()))
}

fn image_in(root: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(root.join("boot")).ok()?;
    let mut images: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("vmlinuz-")))
        .collect();
    images.sort();
    images.pop()
}

/// virtme-ng's program.
fn virtme(cache: &Path) -> Result<PathBuf, String> {
    let venv = cache.join("virtme-ng");
    let vng = venv.join("bin/vng");
    if vng.is_file() {
        return Ok(vng);
    }
    println!("installing {VIRTME} (once)");
    let made = succeeds(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    let pip = venv.join("bin/pip");
    if made && succeeds(Command::new(pip).args(["install", "--quiet", VIRTME]).stdin(Stdio::null()))? {
        Ok(vng)
    } else {
        Err(format!("{VIRTME} could not be installed"))
    }
}

/// `$FERRITE_CACHE`, else `~/.cache/ferrite`, as in the harness of the tests.
fn cache_dir() -> Result<PathBuf, String> {
    if let Some(dir) = std::env::var_os("FERRITE_CACHE") {
        return Ok(PathBuf::from(dir));
    }
    let home = std::env::var_os("HOME").ok_or("neither FERRITE_CACHE nor HOME is set")?;
    Ok(Path::new(&home).join(".cache/ferrite"))
}

fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deferred() -> Deferred {
        Deferred::parse("/t/deps/vrf-0123abcd\ttwo::vrfs\tthis kernel has no VRF devices\t/c/trixie-1")
            .unwrap()
    }

    #[test]
    fn a_deferred_test_is_named_as_its_runner_does() {
        assert_eq!(deferred().name(), "vrf::two::vrfs");
        assert_eq!(Deferred::parse("/t/x\ta\twhy").unwrap().root, "");
        assert!(Deferred::parse("nonsense").is_none());
    }

    #[test]
    fn the_machine_runs_each_test_and_copies_each_program_once() {
        let tests = [deferred(), deferred()];
        assert_eq!(tests_script(&tests, Path::new("/out")).matches("--exact 'two::vrfs'").count(), 2);
        let prepare = prepare_script(&tests, Path::new("/b"), Path::new("/out"));
        assert!(prepare.contains("TESTS='/t/deps/vrf-0123abcd'\n"), "{prepare}");
    }

    #[test]
    fn a_test_without_a_result_has_failed() {
        let mut tally = Tally::default();
        judge(0, &deferred(), "0\t0\t12\n", Path::new("/nowhere"), &mut tally);
        judge(1, &deferred(), "0\t0\t12\n", Path::new("/nowhere"), &mut tally);
        assert_eq!((tally.passed, tally.failed), (1, 1));
        assert!(tally.notes[0].contains("not run"));
    }
}
