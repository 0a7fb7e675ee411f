//! spoor: AWS CloudTrail evidence as a Parquet lake, with SQL and detections over it, offline.

pub mod app;
pub mod cli;
pub mod config;
pub mod detections;
pub mod engine;
pub mod error;
pub mod finding;
pub mod ingest;
pub mod lake;
pub mod lineage;
pub mod policy;
pub mod record;
pub mod repl;
pub mod report;
pub mod schema;
pub mod trace;
pub mod util;

pub use error::{Error, Result};
