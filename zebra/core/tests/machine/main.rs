//! The machine in a world of its own.

mod absurd;
mod capacity;
mod drift;
mod fpm;
mod groups;
mod history;
mod instances;
mod labels;
mod lsps;
mod memory;
mod named;
mod netns;
mod rpf;
mod scenarios;
mod sourced;
mod srv6;
mod tables;
mod vrfs;
mod world;
