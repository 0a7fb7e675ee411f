//! Small things that everything may use: sizes in bytes, and files that appear whole or not at all.

mod fs;
mod size;

pub use fs::AtomicFile;
pub use size::{ByteSize, human_bytes};
