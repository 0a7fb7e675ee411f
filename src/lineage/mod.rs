//! Sessions and what they came from.

pub mod story;
