//! `ferrite-lg`: a looking glass's back end. It serves the JSON API of birdwatcher over HTTP, so that Alice-LG and whatever
//! else speaks to birdwatcher shows a route server that runs bgpd.
//!
//! ```text
//!  Alice-LG ──HTTP──► http ──Endpoint──► cache ──miss──► glass ──`show … json`──► bgpd.vty
//!                       ◄── Payload ────────┘              └─ answer: one route after the other ─► birdwatcher JSON
//! ```
//!
//! It only reads: the commands are its own, and from a request nothing gets into one but a parsed prefix and the name of a
//! neighbour that bgpd itself has told. An answer is read as it comes and rewritten route by route, so that what is held is the
//! reply in the making; how many commands run at once, how long and how large an answer may be, and how many connections
//! there are is limited.

pub mod answer;
pub mod birdwatcher;
pub mod cache;
pub mod endpoint;
pub mod glass;
pub mod http;
pub mod payload;
pub mod vty;
