//! `cargo xtask`: what a person or a machine does with this repository, one command each.
//!
//! | command | does |
//! | --- | --- |
//! | `demo` | builds, brings up a small network of ours, FRR and BIRD, leaves you in vtysh |
//! | `test` | checks what tests need (asks before installing), runs all, counts; `--vm`: the rest in a virtual machine |
//! | `bench` | measures ours, FRR and BIRD in one run |
//! | `fuzz` | runs the fuzz targets |
//! | `ci` | format, lints, tests, fuzzing: what must be green |
//!
//! It only drives other programs; the networks are in `topotests`.

mod build;
mod fuzz;
mod needs;
mod suites;
mod vm;

use std::process::{Command, ExitCode};
use std::time::Instant;

use clap::{Parser, Subcommand};

/// How long each target is fuzzed before a change goes in.
const FUZZ_SECONDS: u64 = 8;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Tasks of this repository")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// A route server with clients running ours, FRR and BIRD; then vtysh
    Demo {
        /// Print what is there and end, without a shell
        #[arg(long)]
        once: bool,
        /// Install missing packages without asking
        #[arg(long)]
        yes: bool,
    },
    /// All tests; the last line reads `N passed, N failed`
    Test {
        /// Install missing packages without asking
        #[arg(long)]
        yes: bool,
        /// What this kernel cannot host (VRF, MPLS) runs in a virtual machine
        #[arg(long)]
        vm: bool,
        /// Only tests whose names contain one of these
        filter: Vec<String>,
    },
    /// Only the virtual machine: runs the tests that such a list (of `FERRITE_VM_LOG`) names, with the programs of a folder
    #[command(hide = true)]
    Vm { list: std::path::PathBuf, programs: std::path::PathBuf },
    /// Ours, FRR and BIRD on the same tables; arguments go to the benchmark (`-- --help`)
    Bench {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// The fuzz targets, all or those named
    Fuzz {
        #[arg(long, default_value_t = 30)]
        seconds: u64,
        targets: Vec<String>,
    },
    /// What must be green: format, lints, tests, fuzzing
    Ci,
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Demo { once, yes } => needs::provide(yes).and_then(|()| demo(once)),
        Task::Test { yes, vm, filter } => suites::run(yes, vm, &filter).map(|tally| tally.report()),
        Task::Vm { list, programs } => vm_only(&list, &programs),
        Task::Bench { args } => needs::provide(false).and_then(|()| bench(&args)),
        Task::Fuzz { seconds, targets } => fuzz::run(seconds, &targets).map(|outcome| outcome.report()),
        Task::Ci => ci(),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(reason) => {
            eprintln!("xtask: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn vm_only(list: &std::path::Path, programs: &std::path::Path) -> Result<bool, String> {
    needs::provide_vm(false)?;
    let text = std::fs::read_to_string(list).map_err(|e| format!("{}: {e}", list.display()))?;
    let tests: Vec<vm::Deferred> = text.lines().filter_map(vm::Deferred::parse).collect();
    vm::run(&tests, programs).map(|tally| tally.report())
}

fn demo(once: bool) -> Result<bool, String> {
    let bin = build::programs()?;
    let mut cmd = Command::new(bin.join("ferrite-demo"));
    cmd.env("FERRITE_BIN", &bin);
    if once {
        cmd.arg("--once");
    }
    build::succeeds(&mut cmd)
}

/// `compress` names the benchmark of the smallest table, `spf` those of shortest paths, everything else is ferrite-bench's;
/// nothing named is everything.
fn bench(args: &[String]) -> Result<bool, String> {
    let named = |name: &str| args.is_empty() || args.iter().any(|arg| arg == name);
    let rest: Vec<&String> = args.iter().filter(|arg| !["compress", "spf"].contains(&arg.as_str())).collect();
    let mut good = true;
    if args.is_empty() || !rest.is_empty() {
        let bin = build::programs()?;
        let mut bench = Command::new(bin.join("ferrite-bench"));
        good &= build::succeeds(bench.args(rest).env("FERRITE_BIN", &bin))?;
    }
    if named("compress") {
        good &= compression()?;
    }
    if named("spf") {
        good &= shortest_paths()?;
    }
    Ok(good)
}

/// Whole and repaired trees of up to 100,000 routers, and what a change costs an instance of OSPF.
fn shortest_paths() -> Result<bool, String> {
    println!("\nspf: shortest paths");
    let mut bench = build::cargo();
    bench.args([
        "bench",
        "--package",
        "ferrite-spf",
        "--package",
        "ferrite-ospf",
        "--bench",
        "spf",
        "--bench",
        "instance",
    ]);
    build::succeeds(&mut bench)
}

/// How small the real table becomes, and what an update of it costs.
fn compression() -> Result<bool, String> {
    println!("\ncompress: the smallest table that decides as the real one does");
    let mut bench = build::cargo();
    bench.args(["bench", "--package", "ferrite-fib-compress", "--bench", "compress"]);
    let data = std::env::var("FERRITE_DATA").unwrap_or_else(|_| "../shared/data".to_owned());
    let table = std::path::Path::new(&data).join("tables/dfz-prefixes-bart.txt.gz");
    // The benchmark runs in its package's folder.
    if let (None, Ok(table)) = (std::env::var_os("FERRITE_TABLE"), table.canonicalize()) {
        bench.env("FERRITE_TABLE", table);
    }
    build::succeeds(&mut bench)
}

/// Everything is run, also after a failure: one report shows all there is to mend.
fn ci() -> Result<bool, String> {
    let began = Instant::now();
    let stage = |name: &str| println!("== {name} (after {} s)", began.elapsed().as_secs());
    let step = |name: &str, args: &[&str]| {
        stage(name);
        build::succeeds(build::cargo().args(args))
    };
    let format = step("format", &["fmt", "--all", "--check"])?;
    let lints =
        step("lints", &["clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"])?;
    stage("tests");
    let mut tally = suites::run(true, true, &[])?;
    tally.count("format", format);
    tally.count("lints", lints);
    stage("fuzzing");
    let fuzzed = fuzz::run(FUZZ_SECONDS, &[])?;
    tally.add(&fuzzed);
    stage("sum");
    Ok(tally.report())
}
