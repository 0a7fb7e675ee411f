//! spoor: AWS CloudTrail evidence as a Parquet lake, with SQL and detections over it, offline.

pub mod finding;
