//! From files to rows: discover, decode, normalize, write.
//!
//! Always true: every record met ends as a row, a duplicate or a reject, and the totals are checked
//! before they are published. Decoders take bytes and open nothing. Queries are the engine's.

mod at_once;
pub mod container;
mod decode;
mod discover;
#[doc(hidden)]
pub mod fuzzing;
mod json;
mod known;
mod ledger;
mod normalize;
mod place;
mod read;
mod rejects;
mod rows;
mod run;
mod scan;
mod select;
mod summary;
pub mod table_text;
mod time;
mod twins;
mod unwrap;
mod words;

use arrow::array::RecordBatch;

pub use decode::{MAX_DIGEST_BYTES, MAX_REJECT_RAW_BYTES, Reject, SourceKind};
pub use discover::{STDIN, Source, discover};
pub use place::Place;
pub use run::{IngestOptions, ingest};
pub use select::{Selection, SelectionRequest};
pub use summary::{Progress, Silent, Summary};
pub use time::format_day;
pub use unwrap::{Inner, Unwrapped, unwrap};

use self::at_once::decode_at_once;
use crate::error::{IngestError, Result};

/// Turns the text of some records, in any shape that a file may have, into a batch of `events`.
///
/// # Errors
///
/// [`IngestError::NotRecords`] names the first piece that is no record.
pub fn records_to_batch(uri: &str, bytes: &[u8]) -> Result<RecordBatch> {
    let (batch, decoded) = decode_at_once(uri, bytes, SourceKind::Events)?;
    if let Some(reject) = decoded.rejects.into_iter().next() {
        return Err(IngestError::NotRecords {
            source_uri: uri.to_owned(),
            record_index: reject.record_index,
            detail: reject.detail,
        }
        .into());
    }
    Ok(batch)
}
