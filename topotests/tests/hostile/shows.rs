//! Every show and every debug that the daemons have, taken from their own grammar, so that a new one is asked too.
//!
//! In: `list` of each daemon. Out: lines with each alternative of the grammar chosen at least once and samples for arguments.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use topotests::{Failure, Result, Router, ensure};

/// A daemon that is busy answers all the same.
const PATIENCE: Duration = Duration::from_secs(20);

/// Lines made of one command at most.
const LINES: usize = 24;

/// What stands for an argument of each kind; more than one are taken in turn.
#[derive(Clone, Debug)]
pub struct Samples {
    pub v4: String,
    pub v4_prefix: String,
    pub v6: String,
    pub v6_prefix: String,
    /// By part of a variable's name.
    pub words: &'static [(&'static str, &'static str)],
}

impl Samples {
    fn of(&self, variable: &str) -> String {
        let (text, name) = variable.split_once('$').unwrap_or((variable, ""));
        match text {
            "A.B.C.D" => return self.v4.clone(),
            "A.B.C.D/M" => return self.v4_prefix.clone(),
            "X:X::X:X" => return self.v6.clone(),
            "X:X::X:X/M" => return self.v6_prefix.clone(),
            "ASNUM" => return "65100".to_owned(),
            "AA:NN" => return "65000:1".to_owned(),
            "AA:BB:CC" => return "65000:1:1".to_owned(),
            _ => {}
        }
        if let Some(range) = text.strip_prefix('(') {
            return range.split('-').next().unwrap_or("1").to_owned();
        }
        let known = self.words.iter().find(|(part, _)| text.contains(part) || name.contains(part));
        known.map_or("x", |(_, word)| word).to_owned()
    }
}

/// A grammar's element, as far as making lines of it goes.
#[derive(Debug)]
enum Part {
    Word(String),
    Choice(Vec<Vec<Part>>),
    Optional(Vec<Vec<Part>>),
}

struct Parser<'a> {
    text: &'a str,
}

impl Parser<'_> {
    fn sequence(&mut self) -> Result<Vec<Part>> {
        let mut parts = Vec::new();
        loop {
            self.text = self.text.trim_start();
            let Some(first) = self.text.chars().next() else { return Ok(parts) };
            match first {
                '|' | '>' | ']' | '}' => return Ok(parts),
                '<' => parts.push(Part::Choice(self.branches('>')?)),
                '{' => parts.push(Part::Choice(self.branches('}')?)),
                '[' => parts.push(Part::Optional(self.branches(']')?)),
                '!' => self.skip(1),
                _ => parts.push(Part::Word(self.word())),
            }
            // A name, or "more of it".
            while self.text.starts_with(['$', '.']) {
                let end = self.text.find([' ', '|', '>', ']', '}']).unwrap_or(self.text.len());
                self.skip(end);
            }
        }
    }

    fn skip(&mut self, octets: usize) {
        self.text = self.text.get(octets..).unwrap_or_default();
    }

    fn word(&mut self) -> String {
        // A range has brackets of its own and stands for itself.
        let end = self.text.find([' ', '|', '>', ']', '}']).unwrap_or(self.text.len());
        let word = self.text.get(..end).unwrap_or_default().trim_end_matches("...").to_owned();
        self.skip(end);
        word
    }

    fn branches(&mut self, close: char) -> Result<Vec<Vec<Part>>> {
        self.skip(1);
        let mut found = Vec::new();
        loop {
            found.push(self.sequence()?);
            let Some(next) = self.text.chars().next() else {
                return Err(Failure::new("a grammar's bracket is not closed"));
            };
            self.skip(1);
            if next == close {
                return Ok(found);
            }
            ensure!(next == '|', "{next} in a grammar");
        }
    }
}

fn is_variable(word: &str) -> bool {
    let text = word.split('$').next().unwrap_or(word);
    text.starts_with('(')
        || text.chars().any(|c| c.is_ascii_uppercase()) && !text.chars().any(|c| c.is_ascii_lowercase())
}

/// Lines of a sequence, the plainest first; each choice is varied with all others at their first.
fn lines(parts: &[Part], samples: &Samples) -> Vec<String> {
    let options: Vec<Vec<String>> = parts.iter().map(|part| ways(part, samples)).collect();
    let plain = |at: usize| options.get(at).and_then(|list| list.first()).cloned().unwrap_or_default();
    let join = |changed: usize, text: &str| {
        let words = (0..options.len()).map(|at| if at == changed { text.to_owned() } else { plain(at) });
        words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    };
    let mut all = vec![join(usize::MAX, "")];
    for (at, list) in options.iter().enumerate() {
        all.extend(list.iter().skip(1).map(|text| join(at, text)));
    }
    all
}

fn ways(part: &Part, samples: &Samples) -> Vec<String> {
    match part {
        Part::Word(word) if is_variable(word) => vec![samples.of(word)],
        Part::Word(word) => vec![word.split('$').next().unwrap_or(word).to_owned()],
        Part::Choice(branches) => branches.iter().flat_map(|branch| lines(branch, samples)).collect(),
        Part::Optional(branches) => {
            let some = branches.iter().flat_map(|branch| lines(branch, samples));
            std::iter::once(String::new()).chain(some).collect()
        }
    }
}

/// Lines of one command of the grammar.
pub fn of_grammar(syntax: &str, samples: &Samples) -> Result<Vec<String>> {
    let mut parser = Parser { text: syntax };
    let parts = parser.sequence()?;
    ensure!(parser.text.is_empty(), "{syntax}: {} is left", parser.text);
    let mut all = lines(&parts, samples);
    if syntax.contains("json]") || syntax.contains("[json") {
        let with: Vec<String> = all
            .iter()
            .filter(|line| !line.ends_with("json") && !line.ends_with("wide"))
            .map(|line| format!("{line} json"))
            .collect();
        all.extend(with);
    }
    all.sort();
    all.dedup();
    // The plain and the JSON forms lie apart in this order: what is cut is taken evenly.
    if all.len() > LINES {
        let step = all.len().div_ceil(LINES);
        all = all.into_iter().step_by(step).collect();
    }
    Ok(all)
}

/// The text sockets of a router's daemons, in which a thousand questions take no longer than their answers.
#[derive(Debug)]
pub struct Vty {
    run: File,
}

/// Who has shows.
const DAEMONS: [&str; 2] = ["zebra.vty", "bgpd.vty"];

impl Vty {
    /// Before the router starts: its sockets lie among the test's files, so that the test opens them.
    pub fn prepare(router: &Router) -> Result<Vty> {
        let run = router.dir().join("run");
        std::fs::create_dir_all(&run)?;
        router.run("sh", &["-c", "rmdir /run/frr && ln -s /run/t/run /run/frr"])?;
        Ok(Vty { run: File::open(run)? })
    }

    /// By a path below `/proc/self/fd`: those of test folders are longer than a socket's may be.
    pub fn connect(&self, name: &str) -> Result<UnixStream> {
        let stream = UnixStream::connect(format!("/proc/self/fd/{}/{name}", self.run.as_raw_fd()));
        let stream = stream.map_err(|e| Failure::new(format!("{name}: {e}")))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(stream)
    }

    /// Switches every debug on.
    pub fn debug_all(&self, samples: &Samples) -> Result<usize> {
        self.each("debug", samples, |line, text| {
            ensure!(text.trim().is_empty(), "{line}: {text}");
            Ok(())
        })
    }

    /// Asks every show; tells what was wrong with an answer.
    pub fn ask_all(&self, samples: &Samples, wrong: &mut Vec<String>) -> Result<usize> {
        self.each("show", samples, |line, text| {
            wrong.extend(fault(line, text).map(|what| format!("- {line}: {what}")));
            Ok(())
        })
    }

    /// Every line that begins with a word, asked of each daemon that has it.
    fn each(
        &self,
        first: &str,
        samples: &Samples,
        mut heard: impl FnMut(&str, &str) -> Result<()>,
    ) -> Result<usize> {
        let mut count = 0;
        for daemon in DAEMONS {
            let mut stream = BufReader::new(self.connect(daemon)?);
            ask(&mut stream, "enable")?;
            let all = ask(&mut stream, "list")?;
            let wanted = |line: &&str| line.split_whitespace().next() == Some(first);
            let mut grammars: Vec<&str> = all.lines().map(str::trim).filter(wanted).collect();
            grammars.sort_unstable();
            grammars.dedup();
            ensure!(!grammars.is_empty(), "{daemon}: no command begins with {first}: {all}");
            for syntax in grammars {
                for line in of_grammar(syntax, samples)? {
                    count += 1;
                    let text = ask(&mut stream, &line).map_err(|e| e.during(&format!("{daemon}: {line}")))?;
                    heard(&line, &text)?;
                }
            }
        }
        Ok(count)
    }
}

/// One command in FRR's text protocol: its output, which ends with three zeros and the status.
fn ask(stream: &mut BufReader<UnixStream>, command: &str) -> Result<String> {
    stream.get_mut().write_all(&[command.as_bytes(), &[0]].concat())?;
    let mut answer = Vec::new();
    loop {
        let read = stream.read_until(0, &mut answer)?;
        ensure!(read > 0, "the daemon hung up after {:?}", String::from_utf8_lossy(&answer));
        if answer.ends_with(&[0, 0, 0]) {
            stream.read_exact(&mut [0])?;
            answer.truncate(answer.len() - 3);
            return Ok(String::from_utf8_lossy(&answer).into_owned());
        }
    }
}

/// What a terminal or a script must never be given.
pub fn fault(line: &str, text: &str) -> Option<String> {
    let begins = ["% Unknown", "% Ambiguous", "% Command incomplete", "% There is no matched"];
    if begins.iter().any(|word| text.trim_start().starts_with(word)) {
        return Some(text.trim().to_owned());
    }
    if text.contains("Lost connection") || text.contains("panicked") {
        return Some(text.trim().to_owned());
    }
    if let Some(odd) = text.chars().find(|c| steers(*c)) {
        return Some(format!("{odd:?} is shown"));
    }
    let told = text.trim();
    if line.ends_with(" json") && !told.starts_with('%') {
        let whole = serde_json::Deserializer::from_str(told).into_iter::<serde_json::Value>();
        if let Some(Err(error)) = whole.into_iter().find(std::result::Result::is_err) {
            return Some(format!("is no JSON: {error}"));
        }
    }
    None
}

/// Characters that do something to a terminal, or to the order in which a text is read.
pub fn steers(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t' | '\r')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}
