//! The part of spoor between bytes and rows, and back, without the engine: the same files, by links,
//! built in a minute where the whole program takes many. Where a file here uses a module that is not
//! in the list, the build says so.

#![allow(dead_code)]

// The promises name the program as its tests do.
extern crate self as spoor;

pub mod error;
pub mod record;
pub mod schema;

pub mod ingest {
    mod at_once;
    mod decode;
    mod escapes;
    pub mod fuzzing;
    mod normalize;
    mod rows;
    mod scan;
    mod time;
    mod unwrap;

    pub use decode::MAX_REJECT_RAW_BYTES;
}

#[path = "../../tests/support/json.rs"]
pub mod json;

#[path = "../../tests/support/fuzz.rs"]
pub mod promises;

pub use error::{Error, Result};
