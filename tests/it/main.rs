//! Tests of the parts together, one program for all.

mod engine;
mod samples;
mod vocabulary;
