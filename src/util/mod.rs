//! Small things that everything may use: sizes in bytes, times and spans as people write them, and
//! files that appear whole or not at all.

mod fs;
mod size;
mod when;

pub use fs::{AtomicFile, create_folder};
pub use size::{ByteSize, human_bytes};
pub use when::{Span, TimeBound, UnknownSpan, UnknownTime};
