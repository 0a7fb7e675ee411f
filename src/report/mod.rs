//! Renderers: they take data and a `Write`, and decide how an answer looks, never what it says.
//!
//! Always true: the same input gives the same bytes (no clock, no locale, no terminal is asked here),
//! and text that came from a log passes [`safe`] on its way to a terminal, a spreadsheet or a
//! document. Opening files, asking the terminal for its width and choosing a format is left to the
//! command line and the shell.

pub mod athena;
pub mod findings;
pub mod recipes;
pub mod rows;
pub mod safe;
pub mod trace;
