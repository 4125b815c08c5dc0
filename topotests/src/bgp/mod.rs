//! A small BGP speaker.
