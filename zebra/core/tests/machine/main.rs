//! The machine in a world of its own.

mod history;
mod scenarios;
mod world;
