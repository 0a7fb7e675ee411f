//! spoor: AWS CloudTrail evidence as a Parquet lake, with SQL and detections over it, offline.

pub mod config;
pub mod engine;
pub mod error;
pub mod finding;
pub mod ingest;
pub mod lake;
pub mod policy;
pub mod report;
pub mod schema;

pub use error::{Error, Result};
