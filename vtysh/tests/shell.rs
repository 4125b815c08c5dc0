//! The shell with two real daemons (`examples/exampled.rs`) under it.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

struct Suite {
    directory: tempfile::TempDir,
    names: Vec<&'static str>,
}

struct Said {
    status: i32,
    out: String,
    err: String,
}

impl Suite {
    fn new(names: &[&'static str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for sub in ["etc", "run"] {
            std::fs::create_dir(directory.path().join(sub)).unwrap();
        }
        let mut suite = Suite { directory, names: Vec::new() };
        for name in names {
            suite.start(name, &[]);
        }
        suite
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env("FERRITE_ETC", self.path("etc")).env("FERRITE_RUN", self.path("run"));
        command.current_dir(self.directory.path()).stdin(Stdio::null());
        command
    }

    fn daemon(&self, name: &str, arguments: &[&str]) -> Output {
        let mut command = self.command(&exampled());
        command.env("EXAMPLED_NAME", name).args(["-d", "-S"]).args(arguments).output().unwrap()
    }

    fn start(&mut self, name: &'static str, arguments: &[&str]) {
        let output = self.daemon(name, arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self.names.push(name);
    }

    fn pid(&self, name: &str) -> Option<nix::unistd::Pid> {
        let text = std::fs::read_to_string(self.path("run").join(format!("{name}.pid"))).ok()?;
        Some(nix::unistd::Pid::from_raw(text.trim().parse().ok()?))
    }

    fn signal(&self, name: &str, signal: nix::sys::signal::Signal) {
        nix::sys::signal::kill(self.pid(name).unwrap(), signal).unwrap();
    }

    fn vtysh(&self, arguments: &[&str]) -> Said {
        let output = self.command(Path::new(env!("CARGO_BIN_EXE_vtysh"))).args(arguments).output().unwrap();
        Said {
            status: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs commands that must succeed and gives back what they print.
    fn run(&self, commands: &[&str]) -> String {
        let arguments: Vec<&str> = commands.iter().flat_map(|command| ["-c", command]).collect();
        let said = self.vtysh(&arguments);
        assert_eq!(said.status, 0, "{commands:?}: {}{}", said.out, said.err);
        said.out
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

impl Drop for Suite {
    fn drop(&mut self) {
        for name in &self.names {
            if let Some(pid) = self.pid(name) {
                let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
            }
        }
    }
}

/// Built by `cargo test` beside the programs.
fn exampled() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_vtysh")).parent().unwrap().join("examples/exampled")
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < end, "{what} does not come true");
        std::thread::sleep(Duration::from_millis(10));
    }
}

const CONFIG: &str = "\
frr version 10.3
frr defaults traditional
hostname r1
service integrated-vtysh-config
!
example router-id 1.1.1.1
!
interface eth0
 description a b
exit
!
router example 65001
 !
 address-family ipv4 unicast
  network 10.0.0.0/8
 exit-address-family
exit
!
line vty
 exec-timeout 5 0
exit
!
end
";

#[test]
fn commands_reach_every_daemon_and_json_is_alone() {
    let suite = Suite::new(&["zebra", "bgpd"]);
    assert_eq!(suite.run(&["show example summary"]), "applied 0\napplied 0\n");
    let only = suite.vtysh(&["-d", "bgpd", "-c", "sh ex sum json"]);
    assert_eq!((only.out.as_str(), only.err.as_str()), ("{\"applied\":0}\n", ""));
    serde_json::from_str::<serde_json::Value>(&only.out).unwrap();
    assert_eq!(suite.run(&["show example long 5 | include [24]"]), "line 2\nline 4\n".repeat(2));
    assert_eq!(suite.run(&["show daemons"]), " zebra bgpd\n");
    let both: serde_json::Value = serde_json::from_str(&suite.run(&["show example summary json"])).unwrap();
    assert_eq!(both, serde_json::json!({"zebra": {"applied": 0}, "bgpd": {"applied": 0}}));
}

#[test]
fn mistakes_are_told_as_frr_tells_them() {
    let suite = Suite::new(&["zebra"]);
    for (line, said) in [
        ("show foo", "% Unknown command: show foo\n"),
        ("show", "% Command incomplete: show\n"),
        ("show exam", "% Command incomplete: show exam\n"),
        ("show example neighbor 1.1.1.1", "% No such neighbor\n"),
    ] {
        let answer = suite.vtysh(&["-c", line]);
        assert_eq!((answer.status, answer.out.as_str()), (1, said));
    }
    let answer = suite.vtysh(&["-c", "conf t", "-c", "foo", "-c", "hostname never"]);
    assert_eq!((answer.status, answer.out.as_str()), (1, "% Unknown command: foo\n"));
    assert!(!suite.run(&["show run"]).contains("never"));
    let looking = suite.vtysh(&["-u", "-c", "configure terminal"]);
    assert_eq!(looking.status, 1);
}

#[test]
fn configuration_is_entered_line_by_line_in_nodes() {
    let suite = Suite::new(&["zebra", "bgpd"]);
    suite.run(&[
        "conf t\nhostname r1\nservice integrated-vtysh-config",
        "example router-id 1.1.1.1",
        "router ex 65001",
        "addr ipv4",
        "network 10.0.0.0/8",
        "interface eth0",
        "desc a   b",
        "line vty",
        "exec-timeout 5",
        "end",
    ]);
    assert_eq!(suite.run(&["show running-config no-header"]), CONFIG);
    let header = "Building configuration...\n\nCurrent configuration:\n!\n";
    assert_eq!(suite.run(&["write terminal bgpd"]), format!("{header}{CONFIG}"));
}

#[test]
fn a_file_is_applied_whole_or_not_at_all() {
    let suite = Suite::new(&["zebra", "bgpd"]);
    let file = suite.file("good.conf", CONFIG);
    assert_eq!(suite.vtysh(&["-f", &file]).status, 0);
    assert_eq!(suite.run(&["show running-config no-header"]), CONFIG);
    let bad =
        suite.file("bad.conf", "hostname other\nrouter example 1\n neighbour 1.2.3.4\nexample router-id\n");
    let said = suite.vtysh(&["-f", &bad]);
    assert_eq!(said.status, 2);
    assert!(said.out.contains("line 3: % Unknown command:  neighbour 1.2.3.4\n"), "{}", said.out);
    assert!(said.out.contains("bad.conf:3:2, expected"), "{}", said.out);
    assert!(said.out.contains("line 4: % Command incomplete: example router-id\n"), "{}", said.out);
    assert!(said.out.contains("bad.conf:4:18, expected A.B.C.D\n"), "{}", said.out);
    assert_eq!(suite.run(&["show running-config no-header"]), CONFIG);
    assert_eq!(suite.vtysh(&["-f", "/nonexistent"]).status, 1);
}

#[test]
fn a_file_is_marked_for_frr_reload() {
    let suite = Suite::new(&["zebra"]);
    let text = "hostname x\nrouter example 1\naddress-family ipv4 unicast\nnetwork 10.0.0.0/8\nrouter example 2\n!\nexit\n\
                interface lo\n description x y\n";
    let said = suite.vtysh(&["-m", "-f", &suite.file("open.conf", text)]);
    assert_eq!(
        said.out,
        "hostname x\nrouter example 1\naddress-family ipv4 unicast\nnetwork 10.0.0.0/8\nexit\nexit\nrouter example 2\n\
         exit\ninterface lo\n description x y\nend\n"
    );
    assert_eq!(suite.vtysh(&["-m", "-f", &suite.file("bad.conf", "foo\n")]).status, 2);
}

#[test]
fn reload_brings_the_state_to_exactly_the_file() {
    let suite = Suite::new(&["zebra", "bgpd"]);
    let file = suite.file("good.conf", CONFIG);
    suite.run(&["conf t", "router example 7", "network 10.7.0.0/16", "interface eth9"]);
    let test = suite.vtysh(&["-f", &file, "--reload", "--test"]);
    assert_eq!(test.status, 0);
    for line in [
        "- router example 7\n",
        "+ router example 65001\n",
        "! bgpd: instance 7 ends\n",
        "+   network 10.0.0.0/8\n",
    ] {
        assert!(test.out.contains(line), "{line} is not in {}", test.out);
    }
    assert!(suite.run(&["show run"]).contains("router example 7"));
    assert_eq!(suite.vtysh(&["-f", &file, "--reload"]).status, 0);
    assert_eq!(suite.run(&["show running-config no-header"]), CONFIG);
    let applied = suite.run(&["show example summary"]);
    for _ in 0..5 {
        assert_eq!(suite.vtysh(&["-f", &file, "--reload"]).status, 0);
    }
    assert_eq!(suite.run(&["show example summary"]), applied, "an unchanged file changes nothing");
    assert_eq!(suite.vtysh(&["-f", &file, "--reload", "--test"]).out, "Nothing would change.\n");
    suite.run(&["rollback configuration 1"]);
    assert!(suite.run(&["show run"]).contains("router example 7"));
}

#[test]
fn the_running_configuration_is_written_and_booted() {
    let mut suite = Suite::new(&["zebra", "bgpd"]);
    let file = suite.file("good.conf", CONFIG);
    suite.vtysh(&["-f", &file]);
    assert!(suite.run(&["write"]).ends_with("frr.conf\n[OK]\n"));
    assert!(suite.run(&["write"]).contains("Integrated configuration saved"));
    assert!(suite.path("etc/frr.conf.sav").exists());
    for name in ["zebra", "bgpd"] {
        suite.signal(name, nix::sys::signal::Signal::SIGTERM);
        eventually("the end of the daemon", || suite.pid(name).is_none());
        assert!(!suite.path("run").join(format!("{name}.grpc")).exists());
        suite.start(name, &[]);
    }
    assert!(!suite.run(&["show run"]).contains("router example"));
    assert_eq!(suite.vtysh(&["-C"]).status, 0);
    assert_eq!(suite.vtysh(&["-b"]).status, 0);
    assert_eq!(suite.run(&["show running-config no-header"]), CONFIG);
}

#[test]
fn without_the_integrated_service_each_daemon_gets_its_file() {
    let suite = Suite::new(&["zebra", "bgpd"]);
    suite.file("etc/vtysh.conf", "no service integrated-vtysh-config\n");
    suite.file("etc/frr.conf", "! mine\n");
    suite.run(&["conf t", "router example 7", "end", "write memory"]);
    let saved = std::fs::read_to_string(suite.path("etc/bgpd.conf")).unwrap();
    assert!(
        saved.starts_with("frr version 10.3\nfrr defaults traditional\n")
            && saved.contains("router example 7\n")
    );
    assert!(suite.path("etc/zebra.conf").exists());
    assert_eq!(std::fs::read_to_string(suite.path("etc/frr.conf")).unwrap(), "! mine\n");
}

#[test]
fn a_daemon_that_is_down_is_named_and_the_rest_works() {
    let mut suite = Suite::new(&["zebra", "bgpd"]);
    suite.signal("bgpd", nix::sys::signal::Signal::SIGKILL);
    eventually("the daemon is dead", || UnixStream::connect(suite.path("run/bgpd.grpc")).is_err());
    let said = suite.vtysh(&["-c", "show example summary"]);
    assert_eq!(
        (said.status, said.out.as_str(), said.err.as_str()),
        (0, "applied 0\n", "% bgpd is not running\n")
    );
    suite.start("bgpd", &[]);
    assert_eq!(suite.run(&["show daemons"]), " zebra bgpd\n");
    let nobody = suite.vtysh(&["--vty_socket", "/nonexistent", "-c", "show version"]);
    assert_eq!(nobody.status, 1);
    assert!(nobody.err.starts_with("Exiting: failed to connect to any daemons."), "{}", nobody.err);
}

#[test]
fn a_daemon_reads_its_own_file_and_refuses_a_bad_one() {
    let mut suite = Suite::new(&[]);
    suite.file("etc/zebra.conf", "hostname own\nexample router-id 2.2.2.2\n");
    suite.start(
        "zebra",
        &["--log", "file:z.log", "--log-level", "debug", "--command-log-always", "-A", "127.0.0.1"],
    );
    eventually("the own file is applied", || suite.run(&["show run"]).contains("router-id 2.2.2.2"));
    let log = std::fs::read_to_string(suite.path("z.log")).unwrap();
    assert!(log.contains(" EXAMPLE: [") && log.contains("zebra starts"), "{log}");
    suite.file("etc/zebra.conf", "hostname own\nexample router-id 3.3.3.3\n");
    suite.signal("zebra", nix::sys::signal::Signal::SIGHUP);
    eventually("the own file is read again", || suite.run(&["show run"]).contains("router-id 3.3.3.3"));
    let twice = suite.daemon("zebra", &[]);
    assert!(String::from_utf8_lossy(&twice.stderr).contains("another process is running"));
    assert_eq!(twice.status.code(), Some(1));
    suite.file("etc/bgpd.conf", "hostname own\nrouter ezample 1\n");
    let bad = suite.daemon("bgpd", &[]);
    assert_eq!(bad.status.code(), Some(2));
    let text = String::from_utf8_lossy(&bad.stderr).into_owned();
    assert!(
        text.contains("bgpd.conf: line 2: % Unknown command: router ezample 1\n  column 8, expected example"),
        "{text}"
    );
    let version = suite.command(&exampled()).env("EXAMPLED_NAME", "zebra").arg("-v").output().unwrap();
    assert!(version.stdout.starts_with(b"zebra version "));
}

#[test]
fn the_plain_protocol_answers_tools_made_for_frr() {
    let suite = Suite::new(&["bgpd"]);
    let mut stream = UnixStream::connect(suite.path("run/bgpd.vty")).unwrap();
    let mut ask = |line: &str| {
        stream.write_all(format!("{line}\0").as_bytes()).unwrap();
        let mut answer = Vec::new();
        while !(answer.len() >= 4 && answer[answer.len() - 4..answer.len() - 1] == [0, 0, 0]) {
            let mut octet = [0];
            stream.read_exact(&mut octet).unwrap();
            answer.push(octet[0]);
        }
        let status = answer.pop().unwrap();
        (String::from_utf8(answer[..answer.len() - 3].to_vec()).unwrap(), status)
    };
    assert_eq!(ask("enable"), (String::new(), 0));
    assert_eq!(ask("show example summary json"), ("{\"applied\":0}\n".to_owned(), 0));
    assert_eq!(ask("show nothing").1, 2);
    assert_eq!(ask("show").1, 4);
    for line in
        ["configure terminal", "router example 3", "network 10.0.0.0/8", "exit", "hostname plain", "end"]
    {
        assert_eq!(ask(line), (String::new(), 0), "{line}");
    }
    assert!(ask("show running-config").0.contains("hostname plain"));
}

#[test]
fn large_output_and_large_files_take_moments() {
    let suite = Suite::new(&["bgpd"]);
    assert_eq!(suite.run(&["show example long 300000 | count"]), "300000\n");
    let mut text = String::from("router example 1\n");
    for n in 0..2000 {
        text.push_str(&format!(" network 10.{}.{}.0/24\n", n / 256, n % 256));
    }
    let file = suite.file("large.conf", &text);
    assert_eq!(suite.vtysh(&["-f", &file]).status, 0);
    assert_eq!(suite.run(&["show run | count network"]), "2000\n");
}
