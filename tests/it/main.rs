//! Tests of the parts together, one program for all.

// A helper of tests fails the test, and clippy spares only functions that are tests themselves.
#![allow(clippy::unwrap_used)]

mod cli;
mod containers;
mod crash;
mod detections_page;
mod dialect;
mod engine;
mod event_json;
mod export;
mod findings;
mod fuzz;
mod ingest;
mod lake_commands;
mod layers;
mod lineage;
mod lossless;
mod old_lakes;
mod recipes;
mod reference;
mod role_state;
mod rules;
mod rules_commands;
mod samples;
mod scratch;
mod selection;
mod slt;
mod trace;
mod upkeep;
mod vocabulary;
mod wrapped;
mod writing_rules;
