//! `cargo xtask fuzz`: every target of the `fuzz` workspace for a while, by cargo-fuzz on the stable toolchain.
//!
//! All are built first and run side by side, each with a file of its own for what it says.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::build::{cargo, has_subcommand, succeeds, target_dir, workspace};
use crate::suites::Tally;

/// Seeds that are kept with the code, read beside the corpus that grows locally.
const SEEDS: &str = "fuzz/seeds";
/// Targets that run side by side; each has one thread.
const AT_ONCE: usize = 2;

pub fn run(seconds: u64, wanted: &[String]) -> Result<Tally, String> {
    let mut tally = Tally::default();
    let targets = targets()?;
    let chosen: Vec<&String> =
        if wanted.is_empty() { targets.iter().collect() } else { wanted.iter().collect() };
    if let Some(unknown) = chosen.iter().find(|name| !targets.contains(name)) {
        return Err(format!("no fuzz target {unknown}; there are: {}", targets.join(" ")));
    }
    if !has_subcommand("fuzz") {
        tally.skipped = chosen.len();
        tally
            .notes
            .push("SKIPPED fuzz targets: cargo-fuzz is not installed (cargo install cargo-fuzz)".to_owned());
        return Ok(tally);
    }
    // All at once: building them one by one links the same crates anew each time.
    if !succeeds(&mut fuzz(&["build", "--sanitizer", "none"]))? {
        tally.count("the fuzz targets' build", false);
        return Ok(tally);
    }
    for group in chosen.chunks(AT_ONCE) {
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let mut running = Vec::new();
            for name in group {
                println!("== fuzz {name}, {seconds} s");
                running.push((*name, scope.spawn(|| one(name, seconds))));
            }
            let ended = |_| Err("its runner ended".to_owned());
            running.into_iter().map(|(name, thread)| (name, thread.join().unwrap_or_else(ended))).collect()
        });
        for (name, outcome) in outcomes {
            tally.count(&format!("fuzz {name}"), outcome?);
        }
    }
    Ok(tally)
}

/// The programs that `fuzz/Cargo.toml` lists.
fn targets() -> Result<Vec<String>, String> {
    let path = workspace().join("fuzz/Cargo.toml");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(format!("{}: {error}", path.display())),
    };
    Ok(programs(&text))
}

/// Names in the `[[bin]]` tables of a manifest.
fn programs(manifest: &str) -> Vec<String> {
    let tables = manifest.split("\n[").filter_map(|table| table.strip_prefix("[bin]]"));
    let name = |table: &str| {
        let line = table.lines().find_map(|line| line.strip_prefix("name"))?;
        Some(line.trim_matches([' ', '=', '"']).to_owned())
    };
    tables.filter_map(name).collect()
}

/// `cargo fuzz`, with neither a sanitizer nor a nightly compiler: ours is safe Rust, what is looked for are panics and
/// endless loops.
fn fuzz(args: &[&str]) -> Command {
    let mut cmd = cargo();
    cmd.arg("fuzz").args(args).env("RUSTC_BOOTSTRAP", "1").stdin(Stdio::null());
    cmd
}

/// Runs a built target; its output goes to a file, the end of which is printed if it found something.
fn one(name: &str, seconds: u64) -> Result<bool, String> {
    let corpus = format!("fuzz/corpus/{name}");
    let place = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    std::fs::create_dir_all(workspace().join(&corpus)).map_err(|e| format!("{corpus}: {e}"))?;
    let dir = target_dir().join("fuzz-output");
    std::fs::create_dir_all(&dir).map_err(|e| place(&dir, e))?;
    let log = dir.join(format!("{name}.log"));
    let out = File::create(&log).map_err(|e| place(&log, e))?;
    let mut cmd = fuzz(&["run", "--sanitizer", "none", name, &corpus]);
    let seeds = format!("{SEEDS}/{name}");
    if workspace().join(&seeds).is_dir() {
        cmd.arg(&seeds);
    }
    let limit = format!("-max_total_time={seconds}");
    cmd.args(["--", &limit, "-timeout=10", "-rss_limit_mb=4096", "-print_final_stats=1"])
        .stdout(out.try_clone().map_err(|e| place(&log, e))?)
        .stderr(out);
    let good = succeeds(&mut cmd)?;
    let text = std::fs::read_to_string(&log).unwrap_or_default();
    let end = if good { 1 } else { 80 };
    let skip = text.lines().count().saturating_sub(end);
    text.lines().skip(skip).for_each(|line| println!("  {name}: {line}"));
    Ok(good)
}

#[cfg(test)]
mod tests {
    #[test]
    fn targets_are_the_programs_of_the_manifest() {
        let manifest =
            "[package]\nname = \"x\"\n\n[[bin]]\nname = \"a\"\npath = \"p\"\n\n[[bin]]\nname = \"b\"\n";
        assert_eq!(super::programs(manifest), ["a", "b"]);
    }
}
