//! Our daemons and vtysh on the command line, as scripts made for FRR use them.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

use topotests::daemon::ours;
use topotests::sandbox::{output, text};
use topotests::{Failure, Kind, Needs, Net, Result, Router, ensure, run, wait_until};

const PATIENCE: Duration = Duration::from_secs(20);

/// A configuration with something of each daemon.
const CONFIG: &str = "hostname r1
ip route 198.51.100.0/24 blackhole
ip prefix-list MINE seq 5 permit 198.51.100.0/24
router bgp 65001
 bgp router-id 192.0.2.1
 no bgp ebgp-requires-policy
 neighbor 10.0.0.2 remote-as 65002
 address-family ipv4 unicast
  network 198.51.100.0/24
 exit-address-family
";

/// What a program said, and how it ended.
#[derive(Debug)]
struct Said {
    status: i32,
    out: String,
    err: String,
}

fn said(cmd: &mut std::process::Command) -> Result<Said> {
    let output = output(cmd)?;
    let status = output.status.code().unwrap_or(-1);
    Ok(Said { status, out: text(&output.stdout), err: text(&output.stderr) })
}

fn vtysh(router: &Router, args: &[&str]) -> Result<Said> {
    said(router.vtysh_command()?.args(args))
}

/// One of our programs, with its directories in the environment.
fn program(router: &Router, name: &str, args: &[&str]) -> Result<Said> {
    let path = ours::binaries_with(&[name])?.join(name);
    let mut cmd = router.command(&path.to_string_lossy());
    // A daemon keeps what it is given: a pipe would never be closed.
    cmd.args(args).envs(ours::environment()?).stdin(Stdio::null());
    said(&mut cmd)
}

fn router(net: &mut Net) -> Result<Router> {
    net.without_capture();
    let r1 = net.router("r1", Kind::Ours)?;
    net.stub(&r1, "stub", "10.0.0.1/24")?;
    Ok(r1)
}

fn running(router: &Router) -> Result<Router> {
    router.start(CONFIG)?;
    Ok(router.clone())
}

fn config_of(router: &Router) -> Result<String> {
    router.vtysh("show running-config no-header")
}

/// Ends a daemon and tells how long that took.
fn terminate(router: &Router, daemon: &str) -> Result<Duration> {
    let pid = router.daemon_pid(daemon)?;
    let start = Instant::now();
    router.signal(pid, "TERM")?;
    router.wait_gone(pid, PATIENCE)?;
    Ok(start.elapsed())
}

fn contains(text: &str, wanted: &str) -> Result<()> {
    ensure!(text.contains(wanted), "{wanted:?} is not in {text:?}");
    Ok(())
}

#[test]
fn a_daemon_put_in_the_background_serves_when_its_start_returns() {
    run(&Needs::ours(), |net| {
        let r1 = router(net)?;
        for _ in 0..3 {
            for daemon in ["zebra", "bgpd"] {
                ours::start_one(&r1, daemon, &[], "debugging")?;
                let one = vtysh(&r1, &["-d", daemon, "-c", "show version"])?;
                ensure!(one.status == 0, "{daemon} does not answer at once: {one:?}");
                let pid = r1.daemon_pid(daemon)?;
                let comm = r1.run("cat", &[&format!("/proc/{pid}/comm")])?;
                ensure!(comm.trim() == daemon, "the pid file of {daemon} names {comm}");
                let parent = r1.run("sh", &["-c", &format!("cut -d' ' -f4 /proc/{pid}/stat")])?;
                ensure!(parent.trim() == "1", "{daemon} is still the child of {parent}");
            }
            for daemon in ["bgpd", "zebra"] {
                let took = terminate(&r1, daemon)?;
                ensure!(took < Duration::from_secs(2), "{daemon} took {took:?} to end");
                let left = r1.run("sh", &["-c", &format!("ls /run/frr | grep '^{daemon}' || :")])?;
                ensure!(left.is_empty(), "{daemon} left {left:?} behind");
            }
        }
        Ok(())
    });
}

#[test]
fn a_daemon_that_cannot_serve_says_so_in_its_exit_status() {
    run(&Needs::ours(), |net| {
        let r1 = running(&router(net)?)?;
        let pid = r1.daemon_pid("bgpd")?;
        let second = program(&r1, "bgpd", &["-d"])?;
        ensure!(second.status != 0, "a second bgpd starts beside the first: {second:?}");
        ensure!(r1.daemon_pid("bgpd")? == pid, "the second bgpd took over the pid file");
        contains(&r1.vtysh("show bgp summary")?, "10.0.0.2")?;
        terminate(&r1, "bgpd")?;
        let file = r1.write("etc/bgpd.conf", "router bgp 65001\n neighbor 10.0.0.2 remot-as 65002\n")?;
        let wrong = program(&r1, "bgpd", &["-d"])?;
        ensure!(wrong.status == 2, "{wrong:?}");
        contains(&wrong.err, "line 2")?;
        let checked = program(&r1, "bgpd", &["-C", "-f", &file])?;
        ensure!(checked.status == 2, "{checked:?}");
        r1.write("etc/bgpd.conf", "router bgp 65001\n neighbor 10.0.0.2 remote-as 65002\n")?;
        ensure!(program(&r1, "bgpd", &["-C", "-f", &file])?.status == 0, "a good file is refused");
        ours::start_one(&r1, "bgpd", &[], "debugging")?;
        contains(&r1.vtysh("show running-config")?, "neighbor 10.0.0.2 remote-as 65002")
    });
}

#[test]
fn every_program_tells_its_version_in_the_first_line() {
    run(&Needs::ours(), |net| {
        let r1 = router(net)?;
        for name in ["zebra", "bgpd", "vtysh"] {
            let told = program(&r1, name, &["-v"])?;
            let first = told.out.lines().next().unwrap_or_default();
            let number = first.strip_prefix(&format!("{name} version ")).unwrap_or_default();
            ensure!(told.status == 0 && number.starts_with(|c: char| c.is_ascii_digit()), "{told:?}");
        }
        let odd = program(&r1, "bgpd", &["--no-such-option"])?;
        ensure!(odd.status == 1 && odd.out.is_empty(), "{odd:?}");
        let scripts =
            ["-M", "rpki", "-A", "127.0.0.1", "-P", "0", "--command-log-always", "-F", "traditional", "-C"];
        let accepted = program(&r1, "bgpd", &scripts)?;
        ensure!(accepted.status == 0, "options of FRR's start scripts: {accepted:?}");
        Ok(())
    });
}

#[test]
fn several_commands_run_in_order_and_json_stands_alone() {
    run(&Needs::ours(), |net| {
        let r1 = running(&router(net)?)?;
        let two = vtysh(&r1, &["-c", "show bgp summary json", "-c", "show ip route json"])?;
        ensure!(two.status == 0 && two.err.is_empty(), "{two:?}");
        let read = serde_json::Deserializer::from_str(&two.out).into_iter::<serde_json::Value>();
        let values = read.collect::<std::result::Result<Vec<_>, _>>()?;
        ensure!(values.len() == 2, "{} values in {}", values.len(), two.out);
        ensure!(values.iter().any(|v| v.get("ipv4Unicast").is_some()), "no summary in {}", two.out);
        ensure!(values.iter().any(|v| v.get("198.51.100.0/24").is_some()), "no route in {}", two.out);
        let set = ["-c", "configure terminal", "-c", "ip route 203.0.113.0/24 blackhole", "-c", "end"];
        let set = vtysh(&r1, &[&set[..], &["-c", "show running-config"]].concat())?;
        ensure!(set.status == 0, "{set:?}");
        contains(&set.out, "ip route 203.0.113.0/24 blackhole")?;
        contains(&set.out, "Current configuration:")
    });
}

#[test]
fn commands_that_nobody_knows_are_named_and_fail() {
    run(&Needs::ours(), |net| {
        let r1 = running(&router(net)?)?;
        let rows = [
            ("show nonsense", "% Unknown command: show nonsense"),
            ("show ip nonsense", "% Unknown command: show ip nonsense"),
            ("show ip route s", "% Ambiguous command: show ip route s"),
            ("show ip", "% Command incomplete: show ip"),
        ];
        for (command, message) in rows {
            let one = vtysh(&r1, &["-c", command])?;
            ensure!(one.status != 0, "{command}: {one:?}");
            contains(&format!("{}{}", one.out, one.err), message)?;
        }
        let in_config = vtysh(&r1, &["-c", "configure terminal", "-c", "ip rout 10.0.0.0/8"])?;
        ensure!(in_config.status != 0, "{in_config:?}");
        let odd = vtysh(&r1, &["-c", "show bgp \u{1b}[2J"])?;
        ensure!(odd.status != 0, "{odd:?}");
        Ok(())
    });
}

#[test]
fn a_file_with_a_mistake_applies_nothing_and_says_where_it_is() {
    run(&Needs::ours(), |net| {
        let r1 = running(&router(net)?)?;
        let before = config_of(&r1)?;
        let bad = "ip route 203.0.113.0/24 blackhole
router bgp 65001
 neighbor 10.0.0.3 remote-as 65003
 neighbor 10.0.0.3 remot-as 65004
 neighbor 10.0.0.4 remote-as 65004
";
        let file = r1.write("etc/bad.conf", bad)?;
        for args in [
            &["-f", &file][..],
            &["-C", "-f", &file],
            &["-f", &file, "--reload"],
            &["-f", &file, "--reload", "--test"],
        ] {
            let refused = vtysh(&r1, args)?;
            ensure!(refused.status == 2, "{args:?}: {refused:?}");
            let all = format!("{}{}", refused.out, refused.err);
            contains(&all, "line 4: % Unknown command")?;
            contains(&all, "neighbor 10.0.0.3 remot-as 65004")?;
            ensure!(config_of(&r1)? == before, "{args:?} changed the configuration");
            ensure!(r1.kernel_route("203.0.113.0/24").is_err(), "{args:?} set a route");
        }
        // Understood word by word, impossible as a whole.
        let wrong = r1
            .write("etc/wrong.conf", "ip route 203.0.113.0/24 blackhole\nip route 10.0.0.0/99 blackhole\n")?;
        let refused = vtysh(&r1, &["-f", &wrong])?;
        ensure!(refused.status == 2, "{refused:?}");
        contains(&format!("{}{}", refused.out, refused.err), "line 2")?;
        ensure!(config_of(&r1)? == before, "half a file was applied");
        let missing = vtysh(&r1, &["-f", "/run/t/etc/no-such-file"])?;
        ensure!(missing.status != 0, "{missing:?}");
        Ok(())
    });
}

#[test]
fn a_reload_can_be_tried_first_and_then_brings_the_router_to_the_file() {
    run(&Needs::ours(), |net| {
        let r1 = running(&router(net)?)?;
        let before = config_of(&r1)?;
        let file = r1.write(
            "etc/new.conf",
            &CONFIG.replace("198.51.100.0/24 blackhole", "203.0.113.0/24 blackhole"),
        )?;
        let tried = vtysh(&r1, &["-f", &file, "--reload", "--test"])?;
        ensure!(tried.status == 0, "{tried:?}");
        contains(&tried.out, "+ ip route 203.0.113.0/24 blackhole")?;
        contains(&tried.out, "- ip route 198.51.100.0/24 blackhole")?;
        ensure!(!tried.out.contains("neighbor"), "what stays is told too: {}", tried.out);
        ensure!(config_of(&r1)? == before, "--test applied something");
        let done = vtysh(&r1, &["-f", &file, "--reload"])?;
        ensure!(done.status == 0, "{done:?}");
        wait_until(PATIENCE, "the kernel has the new route only", || {
            r1.kernel_route("203.0.113.0/24")?;
            ensure!(r1.kernel_route("198.51.100.0/24").is_err(), "the old route is still there");
            Ok(())
        })?;
        let again = vtysh(&r1, &["-f", &file, "--reload", "--test"])?;
        ensure!(again.status == 0 && !again.out.contains("+ ") && !again.out.contains("- "), "{again:?}");
        ensure!(vtysh(&r1, &["-C", "-f", &file])?.status == 0, "-C refuses what runs");
        Ok(())
    });
}

#[test]
fn what_is_written_runs_the_same_after_a_restart() {
    run(&Needs::ours(), |net| {
        let r1 = running(&router(net)?)?;
        r1.configure(&[
            "ip route 203.0.113.0/24 10.0.0.9 200",
            "router bgp 65001",
            "neighbor 10.0.0.2 description two words",
        ])?;
        let before = config_of(&r1)?;
        contains(&before, "neighbor 10.0.0.2 description two words")?;
        let written = vtysh(&r1, &["-c", "write memory"])?;
        ensure!(written.status == 0, "{written:?}");
        contains(&written.out, "[OK]")?;
        let kept = std::fs::read_to_string(r1.dir().join("etc/frr.conf"))?;
        contains(&kept, "neighbor 10.0.0.2 description two words")?;
        for daemon in ["bgpd", "zebra"] {
            terminate(&r1, daemon)?;
        }
        for daemon in ["zebra", "bgpd"] {
            ours::start_one(&r1, daemon, &[], "debugging")?;
        }
        ours::load(&r1)?;
        let after = config_of(&r1)?;
        ensure!(after == before, "before:\n{before}\nafter:\n{after}");
        let same = vtysh(&r1, &["-f", "/run/t/etc/frr.conf", "--reload", "--test"])?;
        ensure!(same.status == 0 && same.out.contains("Nothing would change"), "{same:?}");
        Ok(())
    });
}

#[test]
fn output_can_be_piped_through_filters() {
    run(&Needs::ours(), |net| {
        let r1 = running(&router(net)?)?;
        let show = |tail: &str| r1.vtysh(&format!("show running-config | {tail}"));
        let lines = show("include neighbor")?;
        ensure!(lines.lines().count() == 1 && lines.contains("remote-as 65002"), "{lines:?}");
        ensure!(!show("exclude neighbor")?.contains("neighbor"), "excluded lines are shown");
        ensure!(show("begin router bgp")?.starts_with("router bgp 65001"), "begin");
        let section = show("section router bgp")?;
        ensure!(section.contains("remote-as") && !section.contains("blackhole"), "{section:?}");
        ensure!(show("count neighbor")?.trim().ends_with('1'), "count");
        Ok(())
    });
}

#[test]
fn a_daemon_that_is_down_is_named_and_the_others_answer() {
    run(&Needs::ours(), |net| {
        let r1 = running(&router(net)?)?;
        let pid = r1.daemon_pid("bgpd")?;
        r1.signal(pid, "KILL")?;
        r1.wait_gone(pid, PATIENCE)?;
        contains(&r1.vtysh("show ip route")?, "198.51.100.0/24")?;
        let only = vtysh(&r1, &["-d", "bgpd", "-c", "show version"])?;
        ensure!(only.status != 0, "{only:?}");
        contains(&format!("{}{}", only.out, only.err), "bgpd")?;
        let asked = vtysh(&r1, &["-c", "show bgp summary"])?;
        ensure!(asked.status != 0, "{asked:?}");
        contains(&format!("{}{}", asked.out, asked.err), "bgpd")?;
        // The pid file and the sockets that the dead one left do not stop the next.
        ours::start_one(&r1, "bgpd", &[], "debugging")?;
        ours::load(&r1)?;
        contains(&r1.vtysh("show bgp summary")?, "10.0.0.2")?;
        for daemon in ["bgpd", "zebra"] {
            terminate(&r1, daemon)?;
        }
        let none = vtysh(&r1, &["-c", "show version"])?;
        ensure!(none.status != 0, "{none:?}");
        contains(&format!("{}{}", none.out, none.err), "failed to connect to any daemons")
    });
}

#[test]
fn killed_daemons_come_back_and_the_kernel_keeps_its_routes() {
    run(&Needs::ours(), |net| {
        let r1 = running(&router(net)?)?;
        wait_until(PATIENCE, "the static route", || r1.kernel_route("198.51.100.0/24").map(drop))?;
        for daemon in ["zebra", "bgpd", "zebra"] {
            let pid = r1.daemon_pid(daemon)?;
            r1.signal(pid, "KILL")?;
            r1.wait_gone(pid, PATIENCE)?;
            r1.kernel_route("198.51.100.0/24").map_err(|e| e.during(&format!("{daemon} was killed")))?;
            ours::start_one(&r1, daemon, &[], "debugging")?;
            ours::load(&r1)?;
            contains(&r1.vtysh("show bgp summary")?, "10.0.0.2")?;
            r1.kernel_route("198.51.100.0/24").map_err(|e| e.during(&format!("{daemon} is back")))?;
        }
        wait_until(PATIENCE, "bgpd announces what zebra tells it", || {
            r1.bgp_route("198.51.100.0/24").map(drop)
        })
    });
}

/// The run directory as a folder of the test, so that the test can open the sockets in it.
fn open_run_directory(router: &Router) -> Result<File> {
    let dir = router.dir().join("run");
    std::fs::create_dir_all(&dir)?;
    router.run("sh", &["-c", "rmdir /run/frr && ln -s /run/t/run /run/frr"])?;
    Ok(File::open(dir)?)
}

/// A socket's path below `/proc/self/fd`: those of test folders are longer than a socket's may be.
fn connect(run: &File, name: &str) -> Result<UnixStream> {
    let path = format!("/proc/self/fd/{}/{name}", run.as_raw_fd());
    let stream = UnixStream::connect(path).map_err(|e| Failure::new(format!("{name}: {e}")))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// One command in FRR's text protocol: its output and status.
fn ask(stream: &mut UnixStream, command: &str) -> Result<(String, u8)> {
    stream.write_all(&[command.as_bytes(), &[0]].concat())?;
    read_answer(stream, command)
}

fn read_answer(stream: &mut UnixStream, command: &str) -> Result<(String, u8)> {
    let mut answer = Vec::new();
    let mut octet = [0];
    loop {
        let read = stream.read_exact(&mut octet);
        read.map_err(|e| Failure::new(format!("{command}: {e} after {:?}", text(&answer))))?;
        answer.extend(octet);
        if let [said @ .., 0, 0, 0, status] = answer.as_slice() {
            return Ok((text(said), *status));
        }
    }
}

#[test]
fn exporters_read_json_over_the_text_protocol_of_frr() {
    run(&Needs::ours(), |net| {
        let r1 = router(net)?;
        let dir = open_run_directory(&r1)?;
        let r1 = running(&r1)?;
        let mut stream = connect(&dir, "bgpd.vty")?;
        ensure!(ask(&mut stream, "enable")? == (String::new(), 0), "enable");
        for command in
            ["show bgp vrf all ipv4 unicast summary json", "show bgp vrf all ipv6 unicast summary json"]
        {
            let (answer, status) = ask(&mut stream, command)?;
            ensure!(status == 0, "{command}: status {status}: {answer}");
            serde_json::from_str::<serde_json::Value>(&answer)?;
        }
        let (answer, status) = ask(&mut stream, "show nonsense")?;
        ensure!(status != 0, "an unknown command succeeds: {answer:?}");
        let mut zebra = connect(&dir, "zebra.vty")?;
        ask(&mut zebra, "enable")?;
        let (answer, status) = ask(&mut zebra, "show ip route json")?;
        ensure!(status == 0 && answer.contains("198.51.100.0/24"), "{status} {answer}");
        // Two commands in one segment have two answers.
        let (first, _) = ask(&mut zebra, "show version\0show version")?;
        let (second, _) = read_answer(&mut zebra, "the second command")?;
        ensure!(!first.is_empty() && first == second, "{first:?} and {second:?}");
        drop(r1);
        Ok(())
    });
}

#[test]
fn garbage_on_the_sockets_is_refused_and_nothing_else_happens() {
    run(&Needs::ours(), |net| {
        let r1 = router(net)?;
        let dir = open_run_directory(&r1)?;
        let r1 = running(&r1)?;
        let pids = [r1.daemon_pid("zebra")?, r1.daemon_pid("bgpd")?];
        let before = config_of(&r1)?;
        let sockets = ["zserv.grpc", "zebra.grpc", "bgpd.grpc", "zebra.vty", "bgpd.vty"];
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        let rows: [Vec<u8>; 6] = [
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
            vec![0xff; 4096],
            vec![0; 4096],
            [preface.clone(), vec![0xff; 4096]].concat(),
            // A HEADERS frame that says it is longer than any frame may be.
            [preface, vec![0, 0, 0, 4, 0, 0, 0, 0, 0], vec![0xff, 0xff, 0xff, 1, 4, 0, 0, 0, 1]].concat(),
            b"show running-config \xff\xfe\x1b[2J\0\0\0\0configure terminal\0no router bgp\0".to_vec(),
        ];
        for socket in sockets {
            for octets in &rows {
                let mut stream = connect(&dir, socket)?;
                // Refused in the middle is refused.
                let _ = stream.write_all(octets);
                let _ = stream.shutdown(std::net::Shutdown::Write);
                let mut answer = Vec::new();
                let _ = stream.read_to_end(&mut answer);
            }
        }
        // An endless command (CVE-2017-5495): the daemon hangs up instead of remembering it.
        for socket in ["zebra.vty", "bgpd.vty"] {
            let mut stream = connect(&dir, socket)?;
            let endless = vec![b'x'; 1 << 20];
            let refused = (0..64).any(|_| stream.write_all(&endless).is_err());
            ensure!(refused, "{socket} takes 64 MiB without a NUL");
        }
        let idle: Vec<UnixStream> = sockets
            .iter()
            .filter(|name| name.ends_with("grpc"))
            .flat_map(|name| (0..50).map(|_| connect(&dir, name)))
            .collect::<Result<_>>()?;
        ensure!(config_of(&r1)? == before, "the configuration changed");
        contains(&r1.vtysh("show zebra client summary")?, "bgp")?;
        drop(idle);
        let now = [r1.daemon_pid("zebra")?, r1.daemon_pid("bgpd")?];
        ensure!(now == pids, "daemons were started anew: {pids:?} {now:?}");
        for pid in pids {
            r1.signal(pid, "0")?;
        }
        Ok(())
    });
}

#[test]
fn the_run_directory_is_closed_to_strangers() {
    run(&Needs::ours(), |net| {
        let r1 = router(net)?;
        let dir = open_run_directory(&r1)?;
        let r1 = running(&r1)?;
        let mode = |path: &std::path::Path| -> Result<u32> {
            Ok(std::fs::metadata(path)?.permissions().mode() & 0o777)
        };
        let run_dir = r1.dir().join("run");
        ensure!(mode(&run_dir)? & 0o022 == 0, "others may write into the run directory");
        for name in ["zserv.grpc", "zebra.grpc", "bgpd.grpc", "zebra.vty", "bgpd.vty"] {
            let bits = mode(&run_dir.join(name))?;
            ensure!(bits % 0o10 == 0, "{name} has mode {bits:o}");
        }
        for name in ["zebra.pid", "bgpd.pid"] {
            let bits = mode(&run_dir.join(name))?;
            ensure!(bits & 0o022 == 0, "{name} has mode {bits:o}");
        }
        drop(dir);
        Ok(())
    });
}

#[test]
fn ten_thousand_static_routes_come_from_one_file() {
    run(&Needs::ours(), |net| {
        let r1 = running(&router(net)?)?;
        let mut file = String::new();
        for n in 0..10_000u32 {
            let _ = writeln!(file, "ip route 20.{}.{}.0/24 10.0.0.{}", n >> 8, n & 255, 2 + n % 200);
        }
        let path = r1.write("etc/many.conf", &file)?;
        let start = Instant::now();
        let done = vtysh(&r1, &["-f", &path])?;
        ensure!(done.status == 0, "{done:?}");
        let loaded = start.elapsed();
        wait_until(PATIENCE, "the kernel has 10,000 routes", || {
            let count = r1.ip("-4 route show proto static")?.lines().filter(|l| l.starts_with("20.")).count();
            let other = r1.ip("-4 route show")?.lines().filter(|l| l.starts_with("20.")).count();
            ensure!(count.max(other) == 10_000, "{count} static, {other} of any protocol");
            Ok(())
        })?;
        println!("read in {loaded:?}, in the kernel after {:?}", start.elapsed());
        ensure!(loaded < Duration::from_secs(10), "vtysh -f took {loaded:?}");
        let shown = r1.vtysh("show running-config | count ip route 20.")?;
        ensure!(shown.trim().ends_with("10000"), "{shown}");
        let removed = vtysh(&r1, &["-f", &r1.write("etc/frr.conf", CONFIG)?, "--reload"])?;
        ensure!(removed.status == 0, "{removed:?}");
        wait_until(PATIENCE, "the kernel has none of them", || {
            let left = r1.ip("-4 route show")?.lines().filter(|l| l.starts_with("20.")).count();
            ensure!(left == 0, "{left} left");
            Ok(())
        })
    });
}
