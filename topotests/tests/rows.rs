//! The page that says which test shows which feature (`doc/rows/bgp-sessions.md`) names tests that are there, and leaves no row out.

use std::collections::BTreeSet;
use std::path::Path;

use topotests::workspace;

/// Names of all functions in the Rust files below a folder.
fn functions(folder: &Path, into: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            functions(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            functions_of(&path, into);
        }
    }
}

fn functions_of(file: &Path, into: &mut BTreeSet<String>) {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let names =
        text.lines().filter_map(|line| line.trim_start().strip_prefix("fn ")?.split(['(', '<']).next());
    into.extend(names.map(str::to_owned));
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

/// The same of OSPF's page, as far as it has rows.
#[test]
fn every_row_of_ospf_names_tests_that_are_there() {
    let root = workspace();
    let page = std::fs::read_to_string(root.join("doc/rows/ospf.md")).expect("the page of rows");
    let (mut core, mut control) = (BTreeSet::new(), BTreeSet::new());
    functions(&root.join("ospfd/core"), &mut core);
    functions(&root.join("ospfd/control"), &mut control);
    let mut wrong = Vec::new();
    for line in page.lines().filter(|line| line.starts_with("| O") || line.starts_with("| P")) {
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
}
