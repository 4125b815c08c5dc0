//! Areas: summaries, stubs, NSSAs, externals, virtual links.
