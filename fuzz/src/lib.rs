//! The part of spoor between bytes and rows, and back, without the engine: the same files, under the
//! same paths, built in a minute where the whole program takes many. Where a file here uses a module
//! that is not in the list, the build says so.

#![allow(dead_code)]

// The promises name the program as its tests do.
extern crate self as spoor;

#[path = "../../src/error.rs"]
pub mod error;
#[path = "../../src/record/mod.rs"]
pub mod record;
#[path = "../../src/schema.rs"]
pub mod schema;

pub mod ingest {
    #[path = "../../../src/ingest/at_once.rs"]
    mod at_once;
    #[path = "../../../src/ingest/decode.rs"]
    mod decode;
    #[path = "../../../src/ingest/escapes.rs"]
    mod escapes;
    #[path = "../../../src/ingest/fuzzing.rs"]
    pub mod fuzzing;
    #[path = "../../../src/ingest/normalize.rs"]
    mod normalize;
    #[path = "../../../src/ingest/rows.rs"]
    mod rows;
    #[path = "../../../src/ingest/scan.rs"]
    mod scan;
    #[path = "../../../src/ingest/time.rs"]
    mod time;
    #[path = "../../../src/ingest/unwrap.rs"]
    mod unwrap;

    pub use decode::MAX_REJECT_RAW_BYTES;
}

#[path = "../../tests/support/json.rs"]
pub mod json;

#[path = "../../tests/support/fuzz.rs"]
pub mod promises;

pub use error::{Error, Result};
