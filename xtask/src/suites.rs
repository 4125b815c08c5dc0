//! `cargo xtask test`: unit tests of all crates, then the networks, counted together.
//!
//! A network that this machine cannot host says so in the file of `FERRITE_SKIP_LOG`; its runner calls it passed, so it
//! is taken from the one count and put into the other.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::build::{cargo, has_subcommand, programs, target_dir};
use crate::{needs, vm};

/// Networks run this many at a time: each has several daemons, and the sum must not slow any past its patience.
const NETWORKS_AT_ONCE: &str = "3";

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
    /// For the reader: names of what failed and what was skipped, with the reason.
    pub notes: Vec<String>,
}

impl Tally {
    pub fn add(&mut self, other: &Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.notes.extend(other.notes.iter().cloned());
    }

    /// Counts a check that is not a test of its own.
    pub fn count(&mut self, name: &str, good: bool) {
        if good {
            self.passed += 1;
        } else {
            self.failed += 1;
            self.notes.push(format!("FAILED {name}"));
        }
    }

    /// Prints the notes, the number of skipped ones if any, and the sum as the last line; whether nothing failed.
    pub fn report(&self) -> bool {
        for note in &self.notes {
            println!("{note}");
        }
        if self.skipped > 0 {
            println!("{} skipped, for the reasons above", self.skipped);
        }
        println!("{} passed, {} failed", self.passed, self.failed);
        self.failed == 0
    }
}

/// With `in_vm`, tests whose kernel needs this machine does not meet run in a virtual one.
pub fn run(yes: bool, in_vm: bool, filter: &[String]) -> Result<Tally, String> {
    needs::provide(yes)?;
    let bin = programs()?;
    let nextest = has_subcommand("nextest");
    let mut tally = Tally::default();

    println!("== unit tests");
    let selection = ["--workspace", "--exclude", "topotests"];
    tally.add(&suite(nextest, &selection, &[], filter, &[])?);

    println!("== networks");
    let skip_log = target_dir().join("skipped.tsv");
    let _ = std::fs::remove_file(&skip_log); // of the last run
    let vm_log = target_dir().join("deferred.tsv");
    let _ = std::fs::remove_file(&vm_log);
    let mut env = vec![("FERRITE_BIN", bin.clone()), ("FERRITE_SKIP_LOG", skip_log.clone())];
    if in_vm {
        env.push(("FERRITE_VM_LOG", vm_log.clone()));
    }
    let mut networks = suite(nextest, &["-p", "topotests"], &["fast", NETWORKS_AT_ONCE], filter, &env)?;
    let skipped = std::fs::read_to_string(&skip_log).unwrap_or_default();
    for line in skipped.lines() {
        networks.passed = networks.passed.saturating_sub(1);
        networks.skipped += 1;
        networks.notes.push(format!("SKIPPED {}", line.replace('\t', ": ")));
    }
    let deferred = std::fs::read_to_string(&vm_log).unwrap_or_default();
    let deferred: Vec<vm::Deferred> = deferred.lines().filter_map(vm::Deferred::parse).collect();
    networks.passed = networks.passed.saturating_sub(deferred.len());
    println!("{} networks ran on this machine's kernel", networks.passed + networks.failed);
    tally.add(&networks);
    if in_vm {
        println!("== networks in a virtual machine");
        let ran = if deferred.is_empty() { Ok(()) } else { needs::provide_vm(yes) };
        match ran.and_then(|()| vm::run(&deferred, &bin)) {
            Ok(networks) => tally.add(&networks),
            Err(reason) => {
                tally.count(&format!("the virtual machine's {} tests: {reason}", deferred.len()), false);
            }
        }
    }
    Ok(tally)
}

/// Runs one selection of packages; `how` is empty, or a profile and the number of tests at once.
fn suite(
    nextest: bool,
    selection: &[&str],
    how: &[&str],
    filter: &[String],
    env: &[(&str, PathBuf)],
) -> Result<Tally, String> {
    let mut cmd = cargo();
    if nextest {
        cmd.args(["nextest", "run", "--no-fail-fast", "--no-tests=pass", "--color=never"]).args(selection);
        if let [profile, at_once] = how {
            cmd.args(["--cargo-profile", profile, "--test-threads", at_once]);
        }
        cmd.args(filter);
    } else {
        cmd.args(["test", "--no-fail-fast"]).args(selection);
        if let [profile, _] = how {
            cmd.args(["--profile", profile]);
        }
        cmd.arg("--").args(filter);
        if let [_, at_once] = how {
            cmd.args(["--test-threads", at_once]);
        }
    }
    // A test must not find our folder of build products through the variable of another workspace.
    cmd.envs(env.iter().map(|(key, value)| (*key, value)));
    watch(&mut cmd, nextest)
}

/// Passes output on as it comes, counting.
fn watch(cmd: &mut Command, nextest: bool) -> Result<Tally, String> {
    let (reader, writer) = std::io::pipe().map_err(|e| e.to_string())?;
    let second = writer.try_clone().map_err(|e| e.to_string())?;
    cmd.stdin(Stdio::null()).stdout(writer).stderr(second);
    let mut child = cmd.spawn().map_err(|e| format!("cargo: {e}"))?;
    // The command holds our copies of the pipe's end; without them the end of its output can be seen.
    cmd.stdout(Stdio::null()).stderr(Stdio::null());
    let mut tally = Tally::default();
    for line in BufReader::new(reader).lines().map_while(Result::ok) {
        println!("{line}");
        if nextest { nextest_line(&line, &mut tally) } else { libtest_line(&line, &mut tally) }
    }
    let status = child.wait().map_err(|e| e.to_string())?;
    if !status.success() && tally.failed == 0 {
        tally.count(&format!("cargo ended with {status}"), false);
    }
    Ok(tally)
}

/// `     Summary [   1.2s] 12 tests run: 11 passed (1 slow), 1 failed, 3 skipped`: what it skips was not asked for.
fn nextest_line(line: &str, tally: &mut Tally) {
    let line = line.trim_start();
    if let Some((_, counts)) = line.strip_prefix("Summary").and_then(|rest| rest.split_once("run:")) {
        tally.passed += number_before(counts, "passed");
        tally.failed += number_before(counts, "failed") + number_before(counts, "timed out");
    }
    // Named once while running and once more at the end.
    let note = |note: String, tally: &mut Tally| {
        if !tally.notes.contains(&note) {
            tally.notes.push(note);
        }
    };
    for word in ["FAIL [", "TIMEOUT [", "SIGABRT [", "SIGSEGV ["] {
        if let Some(rest) = line.strip_prefix(word) {
            let name = rest.split_once(']').map_or(rest, |(_, name)| name).trim();
            let name = name.split_once(") ").map_or(name, |(_, name)| name);
            note(format!("FAILED {}", name.trim()), tally);
        }
    }
}

/// `test result: FAILED. 11 passed; 1 failed; 2 ignored; 0 measured; 3 filtered out; finished in 1.20s`
fn libtest_line(line: &str, tally: &mut Tally) {
    if let Some(counts) = line.strip_prefix("test result:") {
        tally.passed += number_before(counts, "passed");
        tally.failed += number_before(counts, "failed");
        tally.skipped += number_before(counts, "ignored");
    } else if let Some(name) = line.strip_prefix("test ").and_then(|l| l.strip_suffix(" ... FAILED")) {
        tally.notes.push(format!("FAILED {name}"));
    }
}

/// The number that stands in front of a word.
fn number_before(text: &str, word: &str) -> usize {
    let before = text.split_once(&format!(" {word}")).map_or("", |(before, _)| before);
    before.rsplit(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_of_nextest_is_counted() {
        let mut tally = Tally::default();
        let lines = [
            "        FAIL [   0.005s] (3/9) topotests::static routes_are_gone",
            "     Summary [   1.2s] 9 tests run: 7 passed (2 slow), 1 failed, 1 timed out, 4 skipped",
            "        FAIL [   0.005s] (3/9) topotests::static routes_are_gone",
        ];
        for line in lines {
            nextest_line(line, &mut tally);
        }
        assert_eq!((tally.passed, tally.failed, tally.skipped), (7, 2, 0));
        assert_eq!(tally.notes, ["FAILED topotests::static routes_are_gone"]);
    }

    #[test]
    fn the_result_line_of_libtest_is_counted() {
        let mut tally = Tally::default();
        libtest_line(
            "test result: FAILED. 3 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out",
            &mut tally,
        );
        libtest_line("test a::b ... FAILED", &mut tally);
        assert_eq!((tally.passed, tally.failed, tally.skipped), (3, 1, 2));
        assert_eq!(tally.notes, ["FAILED a::b"]);
    }
}
