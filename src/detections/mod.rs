//! Rules over the lake: loading, running, testing, and findings made of their rows.
//!
//! A rule is a SQL file with front matter ([`rule`]); [`loader`] finds and checks rules, [`runner`]
//! runs them over an engine, [`cases`] tests them. The SQL itself lives in `sql/detections/`, the
//! views it reads in `sql/views/`. Printing findings is for [`crate::report`].

mod allow;
pub mod attack;
mod bundled;
mod case_events;
pub mod cases;
mod group;
pub mod lint;
pub mod loader;
pub mod new;
mod next_steps;
mod origins;
pub mod outcome;
mod render;
mod row;
pub mod rule;
pub mod runner;
mod shared;
pub mod suggest;

pub use lint::lists_read;
pub use loader::RuleSet;
pub use outcome::{DetectReport, Failure, Learning};
pub use rule::{ParamValue, Rule, RuleId};
pub use runner::detect;
