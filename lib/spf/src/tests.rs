//! Random graphs against oracles that share no code with what they judge.

mod backoff;
mod protection;
mod shape;
mod trees;
