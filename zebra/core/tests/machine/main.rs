//! The machine in a world of its own.

mod drift;
mod history;
mod memory;
mod scenarios;
mod vrfs;
mod world;
