//! `cargo xtask fuzz`: every target of the `fuzz` workspace for a while, by cargo-fuzz on the stable toolchain.

use std::path::Path;
use std::process::Stdio;

use crate::build::{cargo, has_subcommand, succeeds, workspace};
use crate::suites::Tally;

/// Seeds that are kept with the code, read beside the corpus that grows locally.
const SEEDS: &str = "fuzz/seeds";

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
    for name in chosen {
        println!("== fuzz {name}, {seconds} s");
        let good = one(name, seconds)?;
        tally.count(&format!("fuzz {name}"), good);
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

fn one(name: &str, seconds: u64) -> Result<bool, String> {
    let corpus = format!("fuzz/corpus/{name}");
    std::fs::create_dir_all(workspace().join(&corpus)).map_err(|e| format!("{corpus}: {e}"))?;
    let mut cmd = cargo();
    // No sanitizer: ours is safe Rust, what is looked for are panics and endless loops; so the stable compiler will do.
    cmd.args(["fuzz", "run", "--sanitizer", "none", name, &corpus]).env("RUSTC_BOOTSTRAP", "1");
    let seeds = format!("{SEEDS}/{name}");
    if Path::new(&workspace().join(&seeds)).is_dir() {
        cmd.arg(&seeds);
    }
    let limit = format!("-max_total_time={seconds}");
    cmd.args(["--", &limit, "-timeout=10", "-rss_limit_mb=4096", "-print_final_stats=1"])
        .stdin(Stdio::null());
    succeeds(&mut cmd)
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
