//! What shows print: one value behind text and JSON, with FRR's keys.
