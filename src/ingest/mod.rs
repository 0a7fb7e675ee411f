//! From files to rows: discover, decode, normalize, write.
//!
//! Always true: every record met ends as a row, a duplicate or a reject, and the totals are checked
//! before they are published. Decoders take bytes and open nothing. Queries are the engine's.

mod scan;
