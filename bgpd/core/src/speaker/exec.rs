//! Commands outside configuration: each goes to the instance that it names, `vrf all` to one after the other. What is about
//! all of them at once is answered here.

use std::collections::{BTreeMap, VecDeque};

use ferrite_cli::Args;
use ferrite_types::Timestamp;

use super::{Acts, InstanceId, Speaker};
use crate::action::Action;
use crate::commands::Command;
use crate::event::{Event, ExecId};

/// A command under way.
#[derive(Debug)]
struct Run {
    command: Command,
    args: Args,
    /// Whose turn it is.
    current: InstanceId,
    /// `vrf all`: whose turn comes.
    rest: VecDeque<InstanceId>,
    all: Option<All>,
    /// The current one is done; the next one starts when the output so far was taken.
    between: bool,
}

/// What `vrf all` puts around each instance's output.
#[derive(Debug)]
struct All {
    json: bool,
    /// The next text is the first of an instance.
    fresh: bool,
    /// Something was written before.
    opened: bool,
}

#[derive(Debug, Default)]
pub struct Runs(BTreeMap<ExecId, Run>);

impl All {
    /// What stands before an instance's output.
    fn heading(&mut self, command: Command, name: &str) -> String {
        if !std::mem::replace(&mut self.fresh, false) {
            return String::new();
        }
        let opened = std::mem::replace(&mut self.opened, true);
        match (self.json, command) {
            (true, _) => {
                let name = serde_json::Value::from(name);
                if opened { format!(",\n{name}:") } else { format!("{{\n{name}:") }
            }
            // Their own first line names the instance.
            (
                false,
                Command::Summary
                | Command::Statistics
                | Command::AllStatistics
                | Command::Clear
                | Command::ClearSoft,
            ) => String::new(),
            (false, _) => format!("\nInstance {name}:\n"),
        }
    }
}

impl Speaker {
    pub(super) fn exec(
        &mut self,
        now: Timestamp,
        exec: ExecId,
        command: Command,
        args: Args,
        out: &mut Acts,
    ) {
        if let Some(text) = self.shared_answer(now, command, &args) {
            return out.push((InstanceId::DEFAULT, Action::Reply { exec, text, done: true }));
        }
        let named = args.get("vrf").filter(|_| !matches!(command, Command::Policy(_)));
        let mut rest = VecDeque::new();
        let mut all = None;
        let current = match named {
            Some("all") => {
                let configured =
                    self.by_name.iter().filter(|(name, _)| self.config.instances.contains_key(*name));
                rest = configured.map(|(_, id)| *id).collect();
                all = Some(All { json: args.has("json"), fresh: true, opened: false });
                rest.pop_front()
            }
            Some(name) => self.named(name),
            None => None,
        };
        // An unknown name is answered by the default instance, in the words of the command.
        let Some(current) = current else {
            let run = Run { command, args, current: InstanceId::DEFAULT, rest, all: None, between: false };
            return self.begin(now, exec, run, out);
        };
        self.begin(now, exec, Run { command, args, current, rest, all, between: false }, out);
    }

    pub(super) fn named(&self, name: &str) -> Option<InstanceId> {
        self.by_name.iter().find(|(known, _)| known.label() == name).map(|(_, id)| *id)
    }

    fn begin(&mut self, now: Timestamp, exec: ExecId, run: Run, out: &mut Acts) {
        let (id, command, args) = (run.current, run.command, run.args.clone());
        self.runs.0.insert(exec, run);
        self.give(now, id, Event::Exec { exec, command, args }, out);
    }

    /// A piece of an instance's output.
    pub(super) fn replied(
        &mut self,
        _now: Timestamp,
        id: InstanceId,
        exec: ExecId,
        text: String,
        done: bool,
        out: &mut Acts,
    ) {
        let name = self.instance(id).map(|instance| instance.label().to_owned()).unwrap_or_default();
        let Some(run) = self.runs.0.get_mut(&exec) else {
            return out.push((id, Action::Reply { exec, text, done }));
        };
        let Some(all) = &mut run.all else {
            if done {
                self.runs.0.remove(&exec);
            }
            return out.push((id, Action::Reply { exec, text, done }));
        };
        let mut text = all.heading(run.command, &name) + &text;
        let last = done && run.rest.is_empty();
        if last && all.json {
            text.push_str("}\n");
        }
        run.between = done && !last;
        if last {
            self.runs.0.remove(&exec);
        }
        out.push((id, Action::Reply { exec, text, done: last }));
    }

    pub(super) fn reply_taken(&mut self, now: Timestamp, exec: ExecId, out: &mut Acts) {
        let Some(run) = self.runs.0.get_mut(&exec) else { return };
        if !run.between {
            let id = run.current;
            return self.give(now, id, Event::ReplyTaken(exec), out);
        }
        let Some(mut run) = self.runs.0.remove(&exec) else { return };
        let Some(next) = run.rest.pop_front() else { return };
        run.between = false;
        if let Some(all) = &mut run.all {
            all.fresh = true;
        }
        // An instance that has gone meanwhile has nothing to say.
        run.current = if self.members.contains_key(&next) { next } else { InstanceId::DEFAULT };
        self.begin(now, exec, run, out);
    }

    pub(super) fn reply_gone(&mut self, now: Timestamp, exec: ExecId, out: &mut Acts) {
        if let Some(run) = self.runs.0.remove(&exec) {
            self.give(now, run.current, Event::ReplyGone(exec), out);
        }
    }

    /// Ends the output of commands that an instance leaves behind.
    pub(super) fn drop_runs_of(&mut self, id: InstanceId, out: &mut Acts) {
        let left: Vec<ExecId> = self
            .runs
            .0
            .iter()
            .filter(|(_, run)| run.current == id && !run.between)
            .map(|(exec, _)| *exec)
            .collect();
        for exec in left {
            self.runs.0.remove(&exec);
            out.push((id, Action::Reply { exec, text: String::new(), done: true }));
        }
    }
}
