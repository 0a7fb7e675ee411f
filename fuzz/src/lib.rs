//! The parts of spoor between bytes and rows, and back, and the analysis of policies, without the
//! engine: the same files, by links, built in a minute where the whole program takes many. Where a file here uses a module that is not
//! in the list, the build says so.

#![allow(dead_code)]

// The promises name the program as its tests do.
extern crate self as spoor;

pub mod error;
pub mod finding;
pub mod policy;
pub mod record;
pub mod schema;
pub mod util;

pub mod ingest {
    mod at_once;
    pub mod container;
    mod decode;
    mod discover;
    pub mod fuzzing;
    mod json;
    mod normalize;
    mod place;
    mod rows;
    mod scan;
    mod select;
    pub mod table_text;
    mod time;
    mod unwrap;
    mod words;

    pub use decode::MAX_REJECT_RAW_BYTES;
}

#[path = "../../tests/support/json.rs"]
pub mod json;

#[path = "../../tests/support/fuzz.rs"]
pub mod promises;

pub use error::{Error, Result};
