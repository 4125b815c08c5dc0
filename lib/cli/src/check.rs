//! The test that every daemon runs over its registry.

use crate::engine::{Engine, NumberedLine};
use crate::lines;
use crate::node::Node;
use crate::registry::{Action, Registry};
use crate::syntax::{self, Element};
use crate::token;

/// Checks the declarations of a daemon and gives back what is wrong with them, one text per fault: grammars that do not
/// parse, help texts that are too few or too many, commands declared twice, examples that are refused or do not render to
/// themselves, configurations that do not survive being rendered and parsed.
pub fn check_registry<C, H>(make: impl Fn() -> Registry<C, H>) -> Result<(), Vec<String>>
where
    C: Clone + PartialEq + Default + 'static,
    H: Clone,
{
    let engine = Engine::new(make());
    let mut faults = engine.registry().faults.clone();
    ambiguities(engine.registry(), &mut faults);
    for example in &engine.registry().examples {
        let mut lines = engine.registry().way_to(example.node);
        lines.extend(example.before.iter().cloned());
        lines.push(example.line.clone());
        if let Err(fault) = check_example(&engine, example.node, &lines.join("\n"), &example.line) {
            faults.push(format!("{:?}: {fault}", example.line));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// Every command, in its shortest and its longest form, must be read as itself alone.
fn ambiguities<C: 'static, H>(registry: &Registry<C, H>, faults: &mut Vec<String>) {
    for (number, entry) in registry.entries.iter().enumerate() {
        let Ok(parsed) = syntax::parse(&entry.syntax, &[]) else { continue };
        // `no ip route` may be the beginning of several commands; whoever leaves all values out is told so.
        let negated = matches!(entry.action, Action::Edit { negated: true, .. });
        for form in [Form::Shortest, Form::Longest].into_iter().skip(usize::from(negated)) {
            let mut line = String::new();
            sample(&parsed.elements, form, &mut line);
            let words = token::words(&line);
            for node in &entry.nodes {
                let others = match registry.graph(node).map(|graph| graph.find(&words)) {
                    Some(Ok(found)) => found.commands,
                    _ => {
                        faults.push(format!("{:?}: {line:?} is not found in {}", entry.syntax, node.name));
                        continue;
                    }
                };
                for other in others.iter().filter(|id| others.len() > 1 && id.0 as usize != number) {
                    let other = registry.entry(*other).map_or("", |entry| &entry.syntax);
                    faults.push(format!("{:?}: {line:?} is ambiguous with {other:?}", entry.syntax));
                }
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Shortest,
    Longest,
}

/// Appends a line that the elements take.
fn sample(elements: &[Element], form: Form, line: &mut String) {
    for element in elements {
        match element {
            Element::Keyword { text, .. } => push(line, text),
            Element::Variable { kind, .. } => push(line, &kind.sample()),
            Element::Optional { .. } if form == Form::Shortest => {}
            Element::Choice { branches, .. } | Element::Optional { branches, .. } => {
                sample(branches.first().map_or(&[], Vec::as_slice), form, line);
            }
            Element::AnyOrder { branches, .. } => {
                let taken = if form == Form::Shortest { 1 } else { branches.len() };
                branches.iter().take(taken).for_each(|branch| sample(branch, form, line));
            }
            Element::Repeat(inner) => sample(std::slice::from_ref(inner), form, line),
        }
    }
}

fn push(line: &mut String, word: &str) {
    if !line.is_empty() {
        line.push(' ');
    }
    line.push_str(word);
}

fn check_example<C, H>(engine: &Engine<C, H>, node: &Node, text: &str, wanted: &str) -> Result<(), String>
where
    C: Clone + PartialEq + Default + 'static,
    H: Clone,
{
    let lines = numbered(text);
    let config = engine.load(C::default(), &lines).map_err(|errors| said(node, &errors))?;
    let rendered = engine.render_text(&config);
    if !rendered.lines().any(|line| line.trim() == wanted.trim()) {
        return Err(format!("renders to {rendered:?}"));
    }
    check_round_trip(engine, &config)
}

/// `parse(render(config)) == config`, for property tests.
pub fn check_round_trip<C, H>(engine: &Engine<C, H>, config: &C) -> Result<(), String>
where
    C: Clone + PartialEq + Default + 'static,
    H: Clone,
{
    let text = lines::print(&engine.registry().render(config));
    match engine.load(C::default(), &numbered(&text)) {
        Ok(again) if again == *config => Ok(()),
        Ok(again) => Err(format!("{text:?} parses to what renders as {:?}", engine.render_text(&again))),
        Err(errors) => {
            Err(format!("its own rendering {text:?} is refused: {}", said(&crate::node::CONFIG, &errors)))
        }
    }
}

/// The lines of a text with their numbers, as [`Engine::load`] takes them.
pub fn numbered(text: &str) -> Vec<NumberedLine> {
    (1..).zip(text.lines()).map(|(number, line)| NumberedLine { number, text: line.to_owned() }).collect()
}

fn said(node: &Node, errors: &[crate::engine::FileError]) -> String {
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    format!("refused in {}: {}", node.name, errors.join("; "))
}
