//! The page that says which test shows which feature (`doc/rows`) names tests that are there, and leaves no row out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use topotests::workspace;

/// All Rust files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            all.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push(path);
        }
    }
    all
}

/// Names of all functions in the Rust files below a folder.
fn functions(folder: &Path, into: &mut BTreeSet<String>) {
    files(folder).iter().for_each(|file| functions_of(file, into));
}

fn functions_of(file: &Path, into: &mut BTreeSet<String>) {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    // A test for several versions is made by a macro (`ospfd/core/tests/sim`).
    let name = |line: &str| {
        let line = line.trim_start();
        let rest = ["fn ", "both!(", "all!("].iter().find_map(|start| line.strip_prefix(start))?;
        rest.split(['(', '<', ',']).next().map(str::to_owned)
    };
    into.extend(text.lines().filter_map(name));
}

#[test]
fn every_row_names_tests_that_are_there() {
    let root = workspace();
    let page = std::fs::read_to_string(root.join("doc/rows/bgp-sessions.md")).expect("the page of rows");
    let mut core = BTreeSet::new();
    functions(&root.join("bgpd/core"), &mut core);
    let mut wrong = Vec::new();
    let mut rows = BTreeSet::new();
    for line in page.lines().filter(|line| line.starts_with("| B")) {
        rows.extend(line.split('|').nth(1).map(|row| row.trim().to_owned()));
        for (place, name) in line.split('`').skip(1).step_by(2).filter_map(|word| word.split_once("::")) {
            let mut known = BTreeSet::new();
            functions_of(&root.join(format!("topotests/tests/{place}.rs")), &mut known);
            let there = if place == "core" { core.contains(name) } else { known.contains(name) };
            if !there {
                wrong.push(format!("{place}::{name}"));
            }
        }
    }
    assert!(wrong.is_empty(), "no such tests: {wrong:#?}");
    let missing: Vec<String> =
        (1..=33).map(|row| format!("B{row}")).filter(|row| !rows.contains(row)).collect();
    assert!(missing.is_empty(), "rows without a line: {missing:?}");
}

/// Names of a row's cell: `B90, B91`, `L14–L17`.
fn rows_of(cell: &str) -> Vec<String> {
    let number = |name: &str| name.get(1..)?.parse::<u32>().ok();
    let one = |part: &str| match part.trim().split_once('–') {
        Some((from, to)) => {
            let kind = from.get(..1).unwrap_or_default();
            let all = number(from).zip(number(to)).map(|(from, to)| from..=to);
            all.into_iter().flatten().map(|row| format!("{kind}{row}")).collect()
        }
        None => vec![part.trim().to_owned()],
    };
    cell.split(',').flat_map(one).collect()
}

/// The pages of attributes and of the RPKI: no row is left out, and what they name is there.
#[test]
fn every_row_of_attributes_and_the_rpki_names_tests_that_are_there() {
    let root = workspace();
    let (mut all, mut rpki, mut core) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    functions(&root.join("topotests/tests"), &mut all);
    functions(&root.join("lib/rpki"), &mut rpki);
    functions_of(&root.join("topotests/tests/rpki.rs"), &mut rpki);
    functions(&root.join("bgpd/core"), &mut core);
    all.extend(core.iter().cloned());
    let files: Vec<PathBuf> =
        ["topotests/tests", "bgpd"].iter().flat_map(|folder| files(&root.join(folder))).collect();
    let (mut rows, mut wrong) = (BTreeSet::new(), Vec::new());
    for page in ["bgp-attributes", "bgp-rpki"] {
        let text = std::fs::read_to_string(root.join(format!("doc/rows/{page}.md"))).expect("a page of rows");
        for line in
            text.lines().filter(|line| ["| B", "| L", "| K"].iter().any(|kind| line.starts_with(kind)))
        {
            rows.extend(line.split('|').nth(1).map(rows_of).unwrap_or_default());
            for word in line.split('`').skip(1).step_by(2) {
                let there = match (word.split_once("::"), word.strip_suffix('…')) {
                    (Some(("core", name)), _) => core.contains(name),
                    (Some(("rpki", name)), _) => rpki.contains(name),
                    (Some((place, name)), _) => {
                        let mut known = BTreeSet::new();
                        functions_of(&root.join(format!("topotests/tests/{place}.rs")), &mut known);
                        known.contains(name)
                    }
                    (None, Some(start)) => all.iter().any(|name| name.starts_with(start)),
                    (None, None) if Path::new(word).extension().is_some_and(|end| end == "rs") => {
                        files.iter().any(|file| file.ends_with(word))
                    }
                    (None, None) => true,
                };
                if !there {
                    wrong.push(word.to_owned());
                }
            }
        }
    }
    assert!(wrong.is_empty(), "not there: {wrong:#?}");
    let asked = (40..=63).chain([66, 71]).chain(90..=97).map(|row| format!("B{row}"));
    let asked = asked.chain((14..=19).map(|row| format!("L{row}")));
    let asked = asked.chain((1..=14).filter(|row| *row != 12).map(|row| format!("K{row}")));
    let missing: Vec<String> = asked.filter(|row| !rows.contains(row)).collect();
    assert!(missing.is_empty(), "rows without a line: {missing:?}");
}

/// The same of OSPF's page. O13 waits for BFD; O16, O17, O22 and P10 are not asked for yet.
#[test]
fn every_row_of_ospf_names_tests_that_are_there() {
    let root = workspace();
    let page = std::fs::read_to_string(root.join("doc/rows/ospf.md")).expect("the page of rows");
    let (mut core, mut control) = (BTreeSet::new(), BTreeSet::new());
    functions(&root.join("ospfd/core"), &mut core);
    functions(&root.join("ospfd/control"), &mut control);
    let (mut wrong, mut rows) = (Vec::new(), BTreeSet::new());
    for line in page.lines().filter(|line| line.starts_with("| O") || line.starts_with("| P")) {
        rows.extend(line.split('|').nth(1).map(rows_of).unwrap_or_default());
        for (place, name) in line.split('`').skip(1).step_by(2).filter_map(|word| word.split_once("::")) {
            let mut known = BTreeSet::new();
            functions_of(&root.join(format!("topotests/tests/ospf/{place}.rs")), &mut known);
            let there = match place {
                "core" => core.contains(name),
                "control" => control.contains(name),
                _ => known.contains(name),
            };
            if !there {
                wrong.push(format!("{place}::{name}"));
            }
        }
    }
    assert!(wrong.is_empty(), "no such tests: {wrong:#?}");
    let asked = (1..=24).filter(|row| ![13, 16, 17, 22].contains(row)).map(|row| format!("O{row}"));
    let asked = asked.chain((1..=11).filter(|row| *row != 10).map(|row| format!("P{row}")));
    let missing: Vec<String> = asked.filter(|row| !rows.contains(row)).collect();
    assert!(missing.is_empty(), "rows without a line: {missing:?}");
}

/// The page of hostile input: every test that it names is there.
#[test]
fn every_line_of_hostile_input_names_tests_that_are_there() {
    let root = workspace();
    let page = std::fs::read_to_string(root.join("doc/hostile.md")).expect("the page of hostile input");
    let folders = [
        ("core", "ospfd/core"),
        ("control", "ospfd/control"),
        ("packet", "ospfd/packet"),
        ("zebra", "zebra"),
        ("cli", "lib/cli"),
    ];
    let (mut wrong, mut named) = (Vec::new(), 0);
    for line in page.lines().filter(|line| line.starts_with("| ")) {
        for (place, name) in line.split('`').skip(1).step_by(2).filter_map(|word| word.split_once("::")) {
            let mut known = BTreeSet::new();
            match folders.iter().find(|(short, _)| *short == place) {
                Some((_, folder)) => functions(&root.join(folder), &mut known),
                None => functions_of(&root.join(format!("topotests/tests/{place}.rs")), &mut known),
            }
            named += 1;
            if !known.contains(name) {
                wrong.push(format!("{place}::{name}"));
            }
        }
    }
    assert!(wrong.is_empty(), "no such tests: {wrong:#?}");
    assert!(named > 30, "{named} tests");
}
