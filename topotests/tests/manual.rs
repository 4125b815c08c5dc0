//! Every example of the manual runs: each `conf` block loads into zebra and bgpd as a router's whole configuration, and each
//! command of the `console` blocks behind it is taken by vtysh there.
//!
//! Sample output is for the reader and is not compared, but a page that shows JSON must be valid in what it is given.

use std::path::{Path, PathBuf};

use topotests::daemon::ours;
use topotests::sandbox::output;
use topotests::{Failure, Kind, Needs, Net, Result, Router, ensure, run, workspace};

/// A fenced block of a page.
#[derive(Debug, PartialEq, Eq)]
struct Block {
    /// What stands behind the opening fence.
    info: String,
    /// Of its first line, from one.
    line: usize,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in page.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(info), None) => {
                let info = info.trim().to_owned();
                open = Some(Block { info, line: number + 2, text: String::new() });
            }
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    found.extend(open);
    found
}

/// The command of a line `r1# show version`, or `r1(config)# …` as what stands behind the prompt.
fn command(line: &str) -> Option<&str> {
    let (prompt, command) = line.split_once("# ")?;
    let named = !prompt.is_empty() && prompt.chars().all(|c| c.is_ascii_alphanumeric() || "()-_".contains(c));
    named.then_some(command.trim()).filter(|command| !command.is_empty())
}

/// An example may well ask for a route or a VRF that the page's router does not have; what it must not be is misunderstood.
fn refused(text: &str) -> bool {
    let starts = ["% Unknown", "% Ambiguous", "% Command incomplete", "% There is no matched"];
    starts.iter().any(|start| text.starts_with(start)) || text.contains("not supported by this version")
}

fn pages(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(pages(&path)?);
        } else if path.extension().is_some_and(|e| e == "md") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Lines that vtysh was given and what it said to those it did not take.
fn run_commands(router: &Router, block: &Block, faults: &mut Vec<String>, place: &str) -> Result<usize> {
    let mut count = 0;
    for (offset, line) in block.text.lines().enumerate() {
        let Some(command) = command(line) else { continue };
        count += 1;
        let mut shell = router.vtysh_command()?;
        // A block that configures says so line by line, so each starts at the top.
        shell.args(["-c", command]);
        let said = output(&mut shell)?;
        let text =
            format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
        let where_ = format!("{place}:{}: {command}", block.line + offset);
        if !said.status.success() || refused(&text) {
            faults.push(format!("{where_}: {}", text.trim()));
        } else if command.ends_with(" json") && serde_json::from_str::<serde_json::Value>(&text).is_err() {
            faults.push(format!("{where_}: is no JSON: {}", text.trim()));
        }
    }
    Ok(count)
}

fn play(net: &mut Net) -> Result<()> {
    net.without_capture();
    let router = net.router("r1", Kind::Ours)?;
    let other = net.router("other", Kind::Host)?;
    for n in 0..3 {
        net.link(
            &router,
            &format!("192.0.2.{}/30", 4 * n + 1),
            &other,
            &format!("192.0.2.{}/30", 4 * n + 2),
        )?;
    }
    let daemons: [(&str, &[&str]); 3] = [("zebra", &[]), ("bgpd", &[]), ("ospfd", &[])];
    ours::start_daemons(&router, "hostname r1\n", &daemons, "informational")?;
    let folder = workspace().join("doc/manual");
    let (mut faults, mut configurations, mut commands) = (Vec::new(), 0, 0);
    for page in pages(&folder)? {
        let place = page.strip_prefix(workspace()).unwrap_or(&page).display().to_string();
        let mut loaded = false;
        for block in blocks(&std::fs::read_to_string(&page)?) {
            match block.info.as_str() {
                "conf" => {
                    configurations += 1;
                    let done = ours::reload(&router, &format!("hostname r1\n{}", block.text));
                    loaded = done.is_ok();
                    if let Err(error) = done {
                        faults.push(format!("{place}:{}: {error}", block.line));
                    }
                }
                "console" if loaded => commands += run_commands(&router, &block, &mut faults, &place)?,
                "console" => faults.push(format!("{place}:{}: no configuration before it", block.line)),
                _ => {}
            }
        }
    }
    println!("{configurations} configurations, {commands} commands");
    ensure!(faults.is_empty(), "{} examples fail:\n{}", faults.len(), faults.join("\n"));
    ensure!(configurations > 0 && commands > 0, "the manual has no examples");
    Ok(())
}

#[test]
fn every_example_of_the_manual_runs() {
    run(&Needs::ours().daemons(&["bgpd", "ospfd"]), |net| play(net).map_err(|e: Failure| e));
}

#[test]
fn blocks_and_commands_are_found() {
    let page =
        "# T\n```conf\nrouter bgp 1\n```\ntext\n```console\nr1# show bgp summary\nSummary # of 3\n```\n";
    let found = blocks(page);
    assert_eq!(found.len(), 2);
    assert_eq!(found.first().map(|b| (b.info.as_str(), b.line)), Some(("conf", 3)));
    let commands: Vec<_> = found.iter().flat_map(|b| b.text.lines().filter_map(command)).collect();
    assert_eq!(commands, ["show bgp summary"]);
}
